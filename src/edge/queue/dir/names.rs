//! What a spool's files are called: their names sort by time.

use crate::edge::durable::random;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

pub(super) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// A file name that nobody else draws, which sorts by `ms` and then by the order of writing in this
/// process.
pub(super) fn name(ms: u64) -> io::Result<String> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    Ok(format!("{ms:015}-{count:010}-{:016x}", random()?))
}

/// The visible plain files of a folder, sorted; none where there is no folder.
pub(super) fn files(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    // Nothing else is a message, and opening some of it would wait for ever.
    let plain = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let names = plain.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    Ok(names)
}

/// `NAME.rN`: delivered N times before.
pub(super) fn deliveries(name: &str) -> u32 {
    name.rsplit_once(".r").and_then(|(_, n)| n.parse().ok()).unwrap_or(0)
}

pub(super) fn again(name: &str) -> String {
    let stem = name.rsplit_once(".r").map_or(name, |(stem, _)| stem);
    format!("{stem}.r{}", deliveries(name) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// All containers are process 1, count from 0, and may write in the same millisecond.
    #[test]
    fn names_differ_by_more_than_time_process_and_count() {
        let names: Vec<String> = (0..4).map(|_| name(7).unwrap()).collect();
        assert!(names.is_sorted(), "{names:?}");
        let drawn: BTreeSet<_> = names.iter().map(|name| name.rsplit('-').next().unwrap()).collect();
        assert_eq!(drawn.len(), names.len(), "{names:?}");
    }
}
