//! Files that appear whole, under a name that nobody had, and outlive a power cut.
//!
//! A file is written in a hidden folder below its root, then linked or renamed to its place. A name
//! is only safe once its folder has been written out too, so that is done before anybody is told that
//! the file is there. What a killed process left in the hidden folder is removed a day later.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::NamedTempFile;

/// The folder of files under way, below their root: on its file system, so that they can be renamed.
const UNDER_WAY: &str = ".under-way";
/// A file under way that nobody has written to for so long has lost its writer. No job lasts longer.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);
/// How often what was abandoned is looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

/// Where files begin below a root.
#[derive(Debug)]
pub(super) struct UnderWay {
    root: PathBuf,
    /// When it was last swept, in seconds of Unix time.
    swept: AtomicU64,
}

impl UnderWay {
    /// Below a root, which is made when the first file begins.
    pub(super) fn new(root: impl Into<PathBuf>) -> UnderWay {
        UnderWay { root: root.into(), swept: AtomicU64::new(0) }
    }

    /// What it lies below.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// A new file.
    pub(super) fn begin(&self) -> io::Result<NamedTempFile> {
        let folder = self.root.join(UNDER_WAY);
        make_folder(&folder)?;
        self.sweep(&folder);
        let file = tempfile::Builder::new().prefix("new-").tempfile_in(&folder)?;
        file.as_file().set_permissions(Permissions::from_mode(0o644))?;
        Ok(file)
    }

    /// Removes what was abandoned. A failure costs room and nothing else.
    fn sweep(&self, folder: &Path) {
        let now = SystemTime::now();
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let before = self.swept.load(Ordering::Relaxed);
        let due = seconds.saturating_sub(before) >= SWEEP_EVERY.as_secs();
        let mine = || {
            let (set, got) = (Ordering::Relaxed, Ordering::Relaxed);
            self.swept.compare_exchange(before, seconds, set, got).is_ok()
        };
        if !due || !mine() {
            return;
        }
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let written = entry.metadata().and_then(|facts| facts.modified());
            let age = written.ok().and_then(|written| now.duration_since(written).ok());
            if age.is_some_and(|age| age >= ABANDONED) && fs::remove_file(entry.path()).is_ok() {
                tracing::info!("a file that a dead process had begun was removed");
            }
        }
    }
}

/// Gives a finished file its place, replacing what stands there.
pub(super) fn place(file: NamedTempFile, target: &Path) -> io::Result<()> {
    let folder = folder_of(target);
    make_folder(folder)?;
    file.as_file().sync_all()?;
    file.persist(target).map_err(|e| e.error)?;
    sync(folder)
}

/// Gives a finished file its place unless something stands there: whether this one stands there now.
pub(super) fn place_new(file: &NamedTempFile, target: &Path) -> io::Result<bool> {
    let folder = folder_of(target);
    make_folder(folder)?;
    file.as_file().sync_all()?;
    let placed = match fs::hard_link(file.path(), target) {
        Ok(()) => true,
        Err(e) if e.kind() == ErrorKind::AlreadyExists => false,
        Err(e) => return Err(e),
    };
    // What stands was perhaps linked a moment ago by somebody who has not come to this yet.
    sync(folder)?;
    Ok(placed)
}

/// Moves a file into a folder; `false` when somebody else did.
pub(super) fn moved(from: &Path, folder: &Path, name: &str) -> io::Result<bool> {
    make_folder(folder)?;
    match fs::rename(from, folder.join(name)) {
        Ok(()) => {}
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(e),
    }
    // First where it is, then where it is no longer: a power cut between leaves it twice, not nowhere.
    sync(folder)?;
    sync(folder_of(from))?;
    Ok(true)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a folder and those above it.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder_of(folder);
    make_folder(above)?;
    match fs::create_dir(folder) {
        Ok(()) => {}
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
        Err(e) => return Err(e),
    }
    sync(above)
}

/// Writes out a folder's names.
fn sync(folder: &Path) -> io::Result<()> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    match synced {
        // Some network file systems cannot, and one that is gone has nothing to lose.
        Err(e)
            if [ErrorKind::InvalidInput, ErrorKind::Unsupported, ErrorKind::NotFound].contains(&e.kind()) =>
        {
            Ok(())
        }
        synced => synced,
    }
}

/// A number that no other process draws. Containers are all process 1, and start in one moment.
pub(super) fn random() -> io::Result<u64> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(u64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn what_stands_is_not_replaced_unless_that_is_meant() {
        let root = tempfile::TempDir::new().unwrap();
        let files = UnderWay::new(root.path());
        let file = |text: &str| {
            let mut file = files.begin().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            file
        };
        let target = root.path().join("a/b/order");
        assert!(place_new(&file("first"), &target).unwrap());
        assert!(!place_new(&file("second"), &target).unwrap());
        assert_eq!(fs::read(&target).unwrap(), b"first");
        place(file("third"), &target).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"third");
        assert_eq!(names(&root.path().join(UNDER_WAY)), Vec::<String>::new(), "nothing is left behind");
    }

    #[test]
    fn what_a_dead_process_began_goes_after_a_day() {
        let root = tempfile::TempDir::new().unwrap();
        let folder = root.path().join(UNDER_WAY);
        fs::create_dir(&folder).unwrap();
        let aged = |name: &str, age: Duration| {
            let file = File::create(folder.join(name)).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
        };
        let minute = Duration::from_secs(60);
        aged("new-old", ABANDONED + minute);
        aged("new-young", ABANDONED - minute);
        let files = UnderWay::new(root.path());
        drop(files.begin().unwrap());
        assert_eq!(names(&folder), ["new-young"]);
        // Not with every file: a folder is not read a thousand times a minute.
        aged("new-other", ABANDONED + minute);
        drop(files.begin().unwrap());
        assert_eq!(names(&folder).len(), 2);
    }
}
