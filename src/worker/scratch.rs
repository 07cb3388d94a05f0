//! Jobs' scratch folders: the order and its assets, on the worker's own disk.
//!
//! Each is locked as long as its job goes on. A lock ends with its holder, so the folders of workers that
//! were killed are found unlocked by whoever starts next on the same disk, and removed.

use crate::edge::lock::locked;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;
use tempfile::TempDir;

/// What the folders' names begin with, and no others'.
const PREFIX: &str = ".presswork-job-";
/// How often a sweeper may come in between before that is an error.
const TRIES: usize = 8;

/// A folder of one job, removed with it.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: TempDir,
    _lock: File,
}

impl Scratch {
    /// A new, empty folder below `root`. Blocks.
    pub(super) fn new(root: &Path) -> io::Result<Scratch> {
        for _ in 0..TRIES {
            let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(root)?;
            // A sweeper that saw it before it was locked removes it.
            if let Some(lock) = locked(folder.path())?
                && folder.path().exists()
            {
                return Ok(Scratch { folder, _lock: lock });
            }
        }
        Err(ErrorKind::ResourceBusy.into())
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes what killed workers left below `root`, and says how many folders that were. Blocks.
pub(super) fn sweep(root: &Path) -> io::Result<usize> {
    let mut swept = 0;
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if !ours || !entry.file_type()?.is_dir() {
            continue;
        }
        // One that is not ours to open is not ours to remove.
        let Ok(Some(_lock)) = locked(&entry.path()) else { continue };
        if fs::remove_dir_all(entry.path()).is_ok() {
            swept += 1;
        }
    }
    Ok(swept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_worker_left_is_swept_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let held = Scratch::new(root.path()).unwrap();
        fs::write(held.path().join("order.json"), "{}").unwrap();
        let left = root.path().join(".presswork-job-left");
        fs::create_dir_all(left.join("assets")).unwrap();
        fs::write(left.join("assets/0"), "a picture").unwrap();
        let foreign = root.path().join("presswork-orders");
        fs::create_dir(&foreign).unwrap();

        assert_eq!(sweep(root.path()).unwrap(), 1);
        assert!(held.path().join("order.json").exists() && foreign.exists());
        assert!(!left.exists());

        let path = held.path().to_owned();
        drop(held);
        assert!(!path.exists());
    }
}
