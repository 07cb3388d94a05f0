//! Folders that stand beside an order, or above it.

use std::path::{Path, PathBuf};

/// The folder of this name nearest to a file: beside it, or beside one of its parents. The
/// file's own folder where there is none.
pub(super) fn nearest(file: &Path, name: &str) -> PathBuf {
    let own = file.parent().unwrap_or(Path::new(".")).to_owned();
    let own = if own.as_os_str().is_empty() { PathBuf::from(".") } else { own };
    let absolute = own.canonicalize().unwrap_or_else(|_| own.clone());
    absolute.ancestors().take(4).map(|parent| parent.join(name)).find(|path| path.is_dir()).unwrap_or(own)
}
