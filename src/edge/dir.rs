//! Folders as catalog, asset source, profile library and store.

use crate::asset::{Encoded, Spool};
use crate::cache::{self, Cache, Kind};
use crate::catalog::{Files, Profile, load_profile};
use crate::color::Press;
use crate::edge::store::unavailable;
use crate::error::{Code, Violation, Violations};
use crate::order::field::is_safe_key;
use crate::render::{Destination, sink_failed};
use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// A folder of files that are read by safe relative keys: a catalog, or an order's assets.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    max_bytes: u64,
}

impl Folder {
    /// Files below `root`, each at most `max_bytes` long.
    pub fn new(root: impl Into<PathBuf>, max_bytes: u64) -> Self {
        Folder { root: root.into(), max_bytes }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Reads a file of an order's assets. Links that lead out of the folder are refused like keys that do.
    pub fn fetch(&self, key: &str) -> Result<Encoded, Violation> {
        self.open(key, || Violation::new(Code::AssetAccessDenied, "this asset may not be read"))
    }

    /// Reads a file; what may not be read is `denied`.
    fn open(&self, key: &str, denied: fn() -> Violation) -> Result<Encoded, Violation> {
        let forbidden =
            || Violation::new(Code::AssetRefForbidden, "an asset is a relative key that stays in its folder");
        // What came from elsewhere lies here under a name of its own.
        let remote = key.contains("://").then(|| remote_name(key));
        let key = remote.as_deref().unwrap_or(key);
        if !is_safe_key(key) {
            return Err(forbidden());
        }
        #[expect(clippy::wildcard_enum_match_arm, reason = "the system's reasons are many")]
        let read = |error: io::Error| match error.kind() {
            ErrorKind::PermissionDenied => denied(),
            kind if !is_absence(kind) => unavailable(format!("a file cannot be read: {kind}")),
            _ if remote.is_some() => Violation::new(
                Code::AssetSourceForbidden,
                "only a worker fetches s3:// and https:// addresses: give a key below the assets' folder",
            ),
            _ => Violation::new(Code::AssetNotFound, "there is no such asset: upload it, or correct the key"),
        };
        let path = self.root.join(key).canonicalize().map_err(read)?;
        let root = self.root.canonicalize().map_err(read)?;
        if !path.starts_with(&root) {
            return Err(forbidden());
        }
        let facts = fs::metadata(&path).map_err(read)?;
        if !facts.is_file() {
            return Err(Violation::new(Code::AssetNotFound, "this asset is not a file"));
        }
        if facts.len() > self.max_bytes {
            return Err(Violation::new(
                Code::AssetTooLarge,
                format!("a file has at most {} bytes", self.max_bytes),
            )
            .limit(self.max_bytes));
        }
        Ok(Encoded::Spooled(Arc::new(FileOnDisk { path, len: facts.len(), denied })))
    }
}

/// Whether the system says that there is no such file; what else it says is no fault of who named it.
fn is_absence(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NotFound
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::InvalidInput
            | ErrorKind::InvalidFilename
    )
}

/// Where a picture from elsewhere lies in an assets' folder, by its address.
pub fn remote_name(address: &str) -> String {
    format!(".remote/{}", hex::encode(Sha256::digest(address.as_bytes())))
}

/// A file that is read when it is wanted.
#[derive(Debug)]
struct FileOnDisk {
    path: PathBuf,
    len: u64,
    /// What it is that it may not be read.
    denied: fn() -> Violation,
}

impl Spool for FileOnDisk {
    fn len(&self) -> u64 {
        self.len
    }

    fn load(&self) -> Result<Arc<[u8]>, Violation> {
        let gone = |error: io::Error| match (error.kind(), is_absence(error.kind())) {
            // Finding it asked for rights on its folder alone.
            (ErrorKind::PermissionDenied, _) => (self.denied)(),
            (_, true) => Violation::new(Code::AssetNotFound, "this asset could be found, but not read"),
            (kind, false) => unavailable(format!("a file cannot be read: {kind}")),
        };
        let mut file = File::open(&self.path).map_err(gone)?;
        // Straight to where it stays: what has another length than before is no longer the same.
        let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, self.len as usize).collect();
        let room = Arc::get_mut(&mut bytes).unwrap_or_default();
        let whole = file.read_exact(room).map(|()| file.read(&mut [0]).map(|more| more == 0));
        match whole {
            Ok(Ok(true)) => Ok(bytes),
            Ok(Err(error)) => Err(gone(error)),
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(gone(error)),
            Ok(Ok(false)) | Err(_) => Ok([].into()),
        }
    }
}

impl Files for Folder {
    fn read(&self, path: &str) -> Result<Encoded, Violation> {
        self.open(path, || unavailable("a file of the catalog may not be read"))
    }
}

/// The render profiles that come with the program.
static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/render-profiles");

/// Render profiles by name: a folder's, or those built in.
#[derive(Debug, Clone)]
pub struct ProfileLibrary {
    folder: Option<PathBuf>,
    cache: Arc<Cache>,
}

/// A render profile with what it is printed by.
#[derive(Debug, Clone)]
pub struct LoadedProfile {
    /// The profile.
    pub profile: Arc<Profile>,
    /// Its printing condition, where it names one.
    pub press: Option<Arc<Press>>,
    /// SHA-256 over the profile's text and the condition's file, hex.
    pub digest: String,
}

/// What a press holds beside its file: the tables of its four quick ways.
const PRESS_TABLES: u64 = 6 << 20;

impl ProfileLibrary {
    /// Profiles of a folder, or the built-in ones.
    pub fn new(folder: Option<PathBuf>, cache: Arc<Cache>) -> Self {
        ProfileLibrary { folder, cache }
    }

    /// The names of all profiles, sorted.
    pub fn names(&self) -> Vec<String> {
        let stem = |path: &Path| {
            (path.extension()? == "toml").then(|| path.file_stem()?.to_str().map(str::to_owned)).flatten()
        };
        let mut names: Vec<String> = match &self.folder {
            Some(folder) => {
                let entries = fs::read_dir(folder).into_iter().flatten().flatten();
                entries.filter_map(|entry| stem(&entry.path())).collect()
            }
            None => BUILT_IN.files().filter_map(|file| stem(file.path())).collect(),
        };
        names.sort();
        names
    }

    /// A profile by its name. Its files are read each time.
    ///
    /// # Errors
    /// `profile.not_found`; `template.invalid` for everything wrong in its text, and where there is no
    /// file of its printing condition or it is not an output profile for CMYK.
    pub fn load(&self, name: &str) -> Result<LoadedProfile, Violations> {
        let not_found = || {
            Violation::new(Code::ProfileNotFound, "there is no such render profile")
                .at("/profile")
                .allowed(self.names())
        };
        if !self.names().iter().any(|known| known == name) {
            return Err(not_found().into());
        }
        let file = format!("{name}.toml");
        let text = match &self.folder {
            Some(folder) => own(&folder.join(&file))?.and_then(|bytes| String::from_utf8(bytes).ok()),
            None => BUILT_IN.get_file(&file).and_then(|file| file.contents_utf8()).map(str::to_owned),
        };
        let text = text.ok_or_else(not_found)?;
        let profile = self.cache.get_or(Kind::Profile, cache::digest([text.as_bytes()]), || {
            // About what the parsed form takes.
            Ok::<_, Violations>((load_profile(&text)?, 4096 + 4 * text.len() as u64))
        })?;
        let press = self.press(&profile)?;
        let mut digest = Sha256::new_with_prefix(text.as_bytes());
        if let Some(press) = &press {
            digest.update(press.digest());
        }
        Ok(LoadedProfile { profile, press, digest: hex::encode(digest.finalize()) })
    }

    /// A profile's printing condition: the file `icc/<condition>.icc` of the folder, or the
    /// built-in one of that name. `None` for a profile that names none.
    fn press(&self, profile: &Profile) -> Result<Option<Arc<Press>>, Violation> {
        let color = &profile.color;
        let Some(condition) = &color.condition else { return Ok(None) };
        let file = format!("icc/{condition}.icc");
        let site = self.folder.as_ref().map(|folder| own(&folder.join(&file))).transpose()?.flatten();
        let icc = site.or_else(|| BUILT_IN.get_file(&file).map(|file| file.contents().to_vec()));
        let icc = icc.ok_or_else(|| {
            let detail =
                "there is no ICC file of this printing condition: put it into the profiles' icc folder";
            Violation::new(Code::TemplateInvalid, detail).at("/color/condition")
        })?;
        let way = [color.intent as u8, u8::from(color.black_point_compensation)];
        let press = self.cache.get_or(Kind::Press, cache::digest([&*icc, &way]), || {
            let bytes = 2 * icc.len() as u64 + PRESS_TABLES;
            Ok((Press::open(icc.into(), color.intent, color.black_point_compensation)?, bytes))
        })?;
        Ok(Some(press))
    }
}

/// A file of the site's; `None` where it has none. One that is there and cannot be read is not passed over:
/// what is built in under its name is another.
fn own(path: &Path) -> Result<Option<Vec<u8>>, Violation> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(unavailable(format!("a file of the render profiles cannot be read: {}", error.kind())))
        }
    }
}

/// A job's folder that appears whole or not at all.
#[derive(Debug)]
pub struct JobFolder {
    scratch: TempDir,
    target: PathBuf,
}

impl JobFolder {
    /// Begins the folder `out/job_id`; nothing is seen of it until [`JobFolder::publish`].
    pub fn begin(out: &Path, job_id: &str) -> Result<JobFolder, Violation> {
        fs::create_dir_all(out).map_err(|e| sink_failed(&e))?;
        let scratch =
            tempfile::Builder::new().prefix(".presswork-").tempdir_in(out).map_err(|e| sink_failed(&e))?;
        Ok(JobFolder { scratch, target: out.join(job_id) })
    }

    /// Writes a small file whole.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Violation> {
        fs::write(self.scratch.path().join(name), bytes).map_err(|e| sink_failed(&e))
    }

    /// Throws away what has been written so far.
    pub fn clear(&self) -> Result<(), Violation> {
        for entry in fs::read_dir(self.scratch.path()).map_err(|e| sink_failed(&e))?.flatten() {
            fs::remove_file(entry.path()).map_err(|e| sink_failed(&e))?;
        }
        Ok(())
    }

    /// Puts the folder in its place. An earlier one of the job is exchanged for it in one step,
    /// so that a reader sees the old files or the new ones, never a mixture.
    pub fn publish(self) -> Result<PathBuf, Violation> {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        let failed = |e: io::Error| sink_failed(&e);
        let scratch = self.scratch.keep();
        readable(&scratch).map_err(failed)?;
        match renameat_with(CWD, &scratch, CWD, &self.target, RenameFlags::NOREPLACE) {
            Ok(()) => return Ok(self.target),
            Err(rustix::io::Errno::EXIST) => {
                renameat_with(CWD, &scratch, CWD, &self.target, RenameFlags::EXCHANGE)
                    .map_err(|e| failed(e.into()))?;
            }
            // A file system without these flags: two renames, and a moment between them.
            Err(_) => {
                let old = scratch.with_extension("old");
                let replaced = fs::rename(&self.target, &old).is_ok();
                fs::rename(&scratch, &self.target).map_err(failed)?;
                if replaced {
                    fs::remove_dir_all(&old).map_err(failed)?;
                }
                return Ok(self.target);
            }
        }
        fs::remove_dir_all(&scratch).map_err(failed)?;
        Ok(self.target)
    }
}

/// Scratch folders are private; what is published is as readable as any new folder.
fn readable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

impl Destination for JobFolder {
    type File = BufWriter<File>;

    fn create(&mut self, name: &str) -> Result<Self::File, Violation> {
        let file = File::create_new(self.scratch.path().join(name)).map_err(|e| sink_failed(&e))?;
        Ok(BufWriter::with_capacity(1 << 20, file))
    }

    fn discard(&mut self, name: &str, file: Self::File) -> Result<(), Violation> {
        // What its buffer holds is not wanted either.
        drop(file.into_parts());
        fs::remove_file(self.scratch.path().join(name)).map_err(|e| sink_failed(&e))
    }

    fn finish(&mut self, name: &str, mut file: Self::File) -> Result<String, Violation> {
        file.flush().map_err(|e| sink_failed(&e))?;
        Ok(name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sites_own_condition_is_never_replaced_by_the_built_in_one_of_its_name() {
        let root = tempfile::tempdir().unwrap();
        let text = "schema = \"presswork.profile/1\"\ntitle = \"Card\"\ndpi = 300\noutputs = [\"pdf\"]\n\
                    [color]\nspace = \"cmyk\"\ncondition = \"FOGRA39L\"\n";
        fs::write(root.path().join("card.toml"), text).unwrap();
        let library = || ProfileLibrary::new(Some(root.path().to_owned()), Arc::new(Cache::new(0)));
        assert!(library().load("card").unwrap().press.is_some(), "it has none of its own");
        // Not even root can read a folder as a file.
        fs::create_dir_all(root.path().join("icc/FOGRA39L.icc")).unwrap();
        assert_eq!(library().load("card").unwrap_err().0[0].code, Code::StoreUnavailable);
    }
}
