//! A suspect's renderer is a process of its own: it has its worker's settings and limits of its own, and
//! it does not outlive the worker, even one that is killed.
//!
//! Release builds cannot be poisoned by an order, so this is a test of other builds.

#![cfg(debug_assertions)]

use crate::support::fleet::{Worker, fixtures};
use crate::support::wait::until;
use std::path::Path;
use std::process::Command;

/// A worker on folders, three jobs and painters at once.
fn settle(command: &mut Command, folder: &Path) {
    let at = |name: &str| format!("dir:{}", folder.join(name).display());
    command
        .env_clear()
        .env("TMPDIR", folder.join("scratch"))
        .env("PRESSWORK_QUEUE", at("spool"))
        .env("PRESSWORK_STORE", at("out"))
        .env("PRESSWORK_ASSETS", format!("dir:{}", fixtures().join("assets").display()))
        .env("PRESSWORK_CATALOG", fixtures().join("catalog"))
        .env("PRESSWORK_CPU_THREADS", "3")
        .env("PRESSWORK_MAX_JOB_SECONDS", "600")
        .env("PRESSWORK_CONSUMER_TIMEOUT", "80000")
        .env("PRESSWORK_MEMORY_BUDGET", "3000000000");
}

fn worker(folder: &Path) -> Worker {
    let mut command = Command::new(env!("CARGO_BIN_EXE_presswork"));
    settle(&mut command, folder);
    let mut worker = Worker::launch(command, folder);
    assert!(worker.comes_up(), "it ended:\n{}", worker.log());
    worker
}

/// What the system says of a process, where it is there.
fn told(pid: u32, file: &str) -> Option<String> {
    let bytes = std::fs::read(format!("/proc/{pid}/{file}")).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The state and the parent of a process.
fn state(pid: u32) -> Option<(String, u32)> {
    let text = told(pid, "stat")?;
    let mut words = text.rsplit_once(") ")?.1.split(' ');
    Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
}

/// The renderer of a worker's suspect.
fn child(worker: u32) -> Option<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.find(|pid| state(*pid).is_some_and(|(_, parent)| parent == worker))
}

fn painters(pid: u32) -> usize {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.starts_with("painter-")).count()
}

/// Ends what a failed test would leave behind.
struct Ends(u32);

impl Drop for Ends {
    fn drop(&mut self) {
        if runs(self.0) {
            drop(Command::new("kill").args(["-KILL", &self.0.to_string()]).status());
        }
    }
}

fn runs(pid: u32) -> bool {
    // One that has ended and that nobody asks about stays in the list as a zombie.
    state(pid).is_some_and(|(state, _)| state != "Z" && state != "X")
        && told(pid, "cmdline").is_some_and(|line| line.contains("render"))
}

#[test]
fn a_suspects_renderer_ends_with_its_worker() {
    let folder = tempfile::TempDir::new().unwrap();
    let folder = folder.path();
    std::fs::create_dir(folder.join("scratch")).unwrap();
    let mut order: serde_json::Value =
        serde_json::from_slice(&std::fs::read(fixtures().join("orders/mug-name-customized.json")).unwrap())
            .unwrap();
    order["metadata"] = serde_json::json!({ "presswork-test-poison": "loop" });
    std::fs::write(folder.join("order.json"), order.to_string()).unwrap();
    let mut enqueue = Command::new(env!("CARGO_BIN_EXE_presswork"));
    settle(&mut enqueue, folder);
    assert!(enqueue.arg("enqueue").arg(folder.join("order.json")).status().unwrap().success());

    // It makes a suspect of the order: it dies of a kill while the order loops.
    let mut first = worker(folder);
    until("a job", || first.metric("presswork_jobs_in_progress", "") > 0.0);
    first.child.kill().unwrap();
    first.child.wait().unwrap();

    let mut second = worker(folder);
    let mut found = None;
    until("a renderer at work", || {
        found = child(second.child.id()).filter(|pid| painters(*pid) > 0);
        found.is_some()
    });
    let renderer = Ends(found.unwrap());
    let pid = renderer.0;
    until("three painters", || painters(pid) == 3);
    let variables = told(pid, "environ").unwrap();
    let variables: Vec<&str> = variables.split('\0').collect();
    assert!(variables.contains(&"PRESSWORK_CPU_THREADS=3"), "{variables:?}");
    let scratch = format!("TMPDIR={}", folder.join("scratch/.presswork-job-").display());
    assert!(variables.iter().any(|variable| variable.starts_with(&scratch)), "{variables:?}");
    assert!(!variables.iter().any(|variable| variable.starts_with("PRESSWORK_STORE")), "{variables:?}");
    let limits = told(pid, "limits").unwrap();
    let limit = |name: &str| -> u64 {
        let line = limits.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap_or_else(|_| panic!("{name}:{line}"))
    };
    // More than three painters can use in ten minutes, and an end all the same.
    assert_eq!(limit("Max cpu time"), 601 * 4);
    let memory = limit("Max data size");
    assert!(memory > 0 && memory < 1_500_000_000, "{memory}");

    second.child.kill().unwrap();
    second.child.wait().unwrap();
    until("its renderer's end", || !runs(pid));
}

#[test]
fn a_renderer_that_is_not_let_go_makes_nothing() {
    let out = tempfile::TempDir::new().unwrap();
    // Nobody holds the leash.
    let status = Command::new(env!("CARGO_BIN_EXE_presswork"))
        .args(["render", "--leashed"])
        .arg(fixtures().join("orders/mug-name-customized.json"))
        .arg("--out")
        .arg(out.path())
        .stdin(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(!status.success());
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0);
}
