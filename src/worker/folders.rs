//! The folders of a worker's own machine: those it reads orders' parts from, and the scratch it writes to.
//!
//! A catalog that is not mounted, or a disk that is full, is the farm's trouble. What an order's failure
//! would blame on its customer is therefore held against the folders first.

use crate::edge::store::unavailable;
use crate::error::{Code, Violation, Violations};
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

/// Bytes that a scratch file has to take: a page.
const SCRATCH: [u8; 4096] = [0; 4096];

/// The folders, by what they are to the operator.
#[derive(Debug, Clone)]
pub struct Folders {
    /// Never empty while it is there: an empty one is where it would be mounted.
    pub catalog: Option<PathBuf>,
    /// The render profiles, where they are not the built-in ones.
    pub profiles: Option<PathBuf>,
    /// The orders' assets, where they are a folder's.
    pub assets: Option<PathBuf>,
}

impl Folders {
    /// Whether they can be read, and scratch files be written. Blocks.
    ///
    /// # Errors
    /// `store.unavailable`, which says what is missing.
    pub fn check(&self) -> Result<(), Violation> {
        let full = |path: &Option<PathBuf>, what: &str| match path {
            Some(path) => first(path).map_err(|e| wrong(what, &e)),
            None => Ok(Some(())),
        };
        for (path, what) in [(&self.catalog, "catalog"), (&self.profiles, "profiles")] {
            if full(path, what)?.is_none() {
                return Err(unavailable(format!("the folder of the {what} is empty")));
            }
        }
        full(&self.assets, "assets")?;
        let written = tempfile::tempfile().and_then(|mut file| file.write_all(&SCRATCH));
        written.map_err(|e| unavailable(format!("no scratch file can be written: {}", e.kind())))
    }

    /// What is wrong with an order, unless it is these folders that are wrong. Blocks.
    pub fn blamed(&self, violations: &Violations) -> Result<(), Violation> {
        let missing = |violation: &Violation| {
            [Code::TemplateNotFound, Code::ProfileNotFound, Code::AssetNotFound, Code::AssetAccessDenied]
                .contains(&violation.code)
        };
        if violations.0.iter().any(missing) { self.check() } else { Ok(()) }
    }
}

/// Something of what a folder holds.
fn first(path: &PathBuf) -> io::Result<Option<()>> {
    Ok(fs::read_dir(path)?.next().transpose()?.map(|_| ()))
}

fn wrong(what: &str, error: &io::Error) -> Violation {
    unavailable(format!("the folder of the {what} cannot be read: {}", error.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalog_that_is_not_there_is_no_orders_fault() {
        let root = tempfile::tempdir().unwrap();
        let (catalog, assets) = (root.path().join("catalog"), root.path().join("assets"));
        fs::create_dir_all(catalog.join("mug/1")).unwrap();
        fs::create_dir(&assets).unwrap();
        let folders =
            Folders { catalog: Some(catalog.clone()), profiles: None, assets: Some(assets.clone()) };
        let unknown: Violations = Violation::new(Code::TemplateNotFound, "no such template").into();
        let wrong: Violations = Violation::new(Code::OptionInvalid, "too long").into();
        assert_eq!(folders.blamed(&unknown), Ok(()), "an empty folder of assets is one");
        // Not mounted: the mount's own place is left.
        fs::remove_dir_all(catalog.join("mug")).unwrap();
        assert_eq!(folders.blamed(&unknown).unwrap_err().code, Code::StoreUnavailable);
        assert_eq!(folders.blamed(&wrong), Ok(()), "which has nothing to do with folders");
        fs::remove_dir(&catalog).unwrap();
        assert_eq!(folders.blamed(&unknown).unwrap_err().code, Code::StoreUnavailable);
        fs::create_dir_all(catalog.join("mug")).unwrap();
        fs::remove_dir(&assets).unwrap();
        assert_eq!(folders.blamed(&unknown).unwrap_err().code, Code::StoreUnavailable);
    }
}
