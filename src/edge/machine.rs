//! What this process may use: processors and memory, as its cgroup says.

use crate::config::Machine;
use std::fs::read_to_string;
use std::path::Path;

/// Looks at the machine below `root`, which is `/` outside of tests.
pub fn look(root: &Path) -> Machine {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let number = |path: &str| read_to_string(root.join(path)).ok()?.trim().parse::<u64>().ok();
    let limit = cgroups(root).iter().filter_map(|path| number(path)).min();
    let total = total(root).unwrap_or(2 << 30);
    // Version 1 says "no limit" with a number that no machine has.
    Machine { threads, memory: limit.map_or(total, |limit| limit.min(total)) }
}

/// Where this process's limits may stand: in its own group of either version and in all around it. In a
/// container the innermost is the root.
fn cgroups(root: &Path) -> Vec<String> {
    const LIMITS: [(&str, &str, &str); 2] =
        [("", "sys/fs/cgroup", "memory.max"), ("memory", "sys/fs/cgroup/memory", "memory.limit_in_bytes")];
    let own = read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let mut paths = Vec::new();
    for (controller, mount, file) in LIMITS {
        // `ID:CONTROLLERS:/PATH`
        let group = own.lines().find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            controllers.split(',').any(|named| named == controller).then_some(path)
        });
        let mut group = group.unwrap_or_default().trim_matches('/');
        loop {
            let between = if group.is_empty() { "" } else { "/" };
            paths.push(format!("{mount}{between}{group}/{file}"));
            if group.is_empty() {
                break;
            }
            group = group.rsplit_once('/').map_or("", |(outer, _)| outer);
        }
    }
    paths
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

    #[test]
    fn the_process_has_the_limits_of_its_own_group_and_of_those_around_it() {
        const MACHINE: (&str, &str) = ("proc/meminfo", "MemTotal: 8000 kB\n");
        const SERVICE: (&str, &str) = ("proc/self/cgroup", "0::/system.slice/presswork.service\n");
        const ROOT: (&str, &str) = ("sys/fs/cgroup/memory.max", "max\n");
        let inner = ("sys/fs/cgroup/system.slice/presswork.service/memory.max", "7000\n");
        assert_eq!(memory(&[MACHINE, SERVICE, ROOT, inner]), 7000);
        let outer = ("sys/fs/cgroup/system.slice/memory.max", "6000\n");
        assert_eq!(memory(&[MACHINE, SERVICE, ROOT, inner, outer]), 6000);
        let first = ("proc/self/cgroup", "5:cpu,memory:/farm/a\n0::/\n");
        let limit = ("sys/fs/cgroup/memory/farm/a/memory.limit_in_bytes", "5000\n");
        assert_eq!(memory(&[MACHINE, first, limit]), 5000);
        // Elsewhere's group does not count.
        assert_eq!(memory(&[MACHINE, first, inner]), 8000 * 1024);
    }
}
