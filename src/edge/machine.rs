//! What this process may use: processors and memory, as its cgroup says.

use crate::config::Machine;
use std::fs::read_to_string;
use std::path::Path;

/// Looks at the machine below `root`, which is `/` outside of tests.
pub fn look(root: &Path) -> Machine {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let number = |path: &str| read_to_string(root.join(path)).ok()?.trim().parse::<u64>().ok();
    let limit =
        number("sys/fs/cgroup/memory.max").or_else(|| number("sys/fs/cgroup/memory/memory.limit_in_bytes"));
    let total = total(root).unwrap_or(2 << 30);
    // Version 1 says "no limit" with a number that no machine has.
    Machine { threads, memory: limit.map_or(total, |limit| limit.min(total)) }
}

fn total(root: &Path) -> Option<u64> {
    let text = read_to_string(root.join("proc/meminfo")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn memory(files: &[(&str, &str)]) -> u64 {
        let root = tempfile::TempDir::new().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        look(root.path()).memory
    }

    #[test]
    fn both_versions_of_cgroups_are_read() {
        const MACHINE: (&str, &str) = ("proc/meminfo", "MemFree: 1 kB\nMemTotal:       8000 kB\n");
        assert_eq!(memory(&[MACHINE]), 8000 * 1024);
        assert_eq!(memory(&[MACHINE, ("sys/fs/cgroup/memory.max", "max\n")]), 8000 * 1024);
        assert_eq!(memory(&[MACHINE, ("sys/fs/cgroup/memory.max", "4096\n")]), 4096);
        assert_eq!(
            memory(&[MACHINE, ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")]),
            8000 * 1024
        );
        assert_eq!(memory(&[MACHINE, ("sys/fs/cgroup/memory/memory.limit_in_bytes", "5000\n")]), 5000);
    }
}
