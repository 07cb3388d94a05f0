//! What the system says of a process: its processor time and its greatest memory.

use std::path::PathBuf;

/// Clock ticks a second: Linux has told programs 100 on every machine for decades.
const TICKS: f64 = 100.0;

/// Processor seconds of a process, its ended children's with them.
pub(crate) fn cpu_seconds(id: u32) -> f64 {
    let stat = std::fs::read_to_string(proc(id).join("stat")).unwrap_or_default();
    // The name, in brackets, may hold anything; what follows is counted from there.
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or("").split(' ').collect();
    let ticks = |index: usize| fields.get(index).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12) + ticks(13) + ticks(14)) / TICKS
}

/// The most resident memory that a process ever had, in MB.
pub(crate) fn peak_mb(id: u32) -> f64 {
    let status = std::fs::read_to_string(proc(id).join("status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or(0.0);
    kib * 1024.0 / 1e6
}

fn proc(id: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{id}"))
}
