//! Workers that die or are killed now and then; each that is dead, or says that it should be, is replaced.
use crate::support::fleet::{Fleet, Worker};
use crate::support::tiny::bounded;
use crate::support::wait;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::time::Duration;

/// Jobs that a worker paints at once.
pub(crate) const PLACES: usize = 4;
/// Jobs that it has begun at once: one more fetches or uploads.
pub(crate) const BEGUN: usize = PLACES + 1;
/// What a worker says when the store failed in spite of its client's retries.
const STORE_FAILURES: [&str; 4] = [
    "the store failed; waiting",
    "an unwanted file could not be removed",
    "an upload could not be aborted",
    "a result may be written or not",
];

pub(crate) struct Pool {
    change: Box<dyn Fn(&mut Command)>,
    workers: Vec<Worker>,
    /// Logs of all workers there were.
    logs: Vec<std::path::PathBuf>,
    /// Which were killed from here and not yet replaced.
    struck: Vec<bool>,
    /// Which were told to end from here and not yet replaced.
    retired: Vec<bool>,
    ended: Ended,
}

/// What has become of the workers.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    /// Killed from here.
    pub(crate) kills: usize,
    /// Told to end from here, and replaced.
    pub(crate) restarts: usize,
    /// Died of themselves, by SIGABRT.
    pub(crate) died: usize,
    /// Said that they should be restarted.
    pub(crate) stuck: usize,
    /// How often the store failed for good.
    pub(crate) store_failures: usize,
    /// Ends that nothing explains.
    pub(crate) faults: Vec<String>,
}

impl Pool {
    /// So many workers, with settings of a test's own.
    pub(crate) fn start(fleet: &Fleet, count: usize, change: impl Fn(&mut Command) + 'static) -> Pool {
        let mut pool = Pool {
            change: Box::new(change),
            workers: Vec::new(),
            logs: Vec::new(),
            struck: vec![false; count],
            retired: vec![false; count],
            ended: Ended::default(),
        };
        for _ in 0..count {
            let worker = pool.worker(fleet);
            pool.workers.push(worker);
        }
        pool
    }

    fn worker(&mut self, fleet: &Fleet) -> Worker {
        let mut worker = self.launch(fleet);
        // One that died of what it took up at once is replaced when the pool is tended.
        worker.comes_up();
        worker
    }

    fn launch(&mut self, fleet: &Fleet) -> Worker {
        let worker = fleet.launch(|command| {
            bounded(command);
            command.env("PRESSWORK_CPU_THREADS", PLACES.to_string()).env("PRESSWORK_MAX_JOB_SECONDS", "15");
            (self.change)(command);
        });
        self.logs.push(worker.log_path().to_owned());
        worker
    }

    pub(crate) fn kill(&mut self, which: u64) {
        let index = (which % self.workers.len() as u64) as usize;
        // One that is dead already cannot be killed again.
        if !self.struck[index] && self.workers[index].child.try_wait().unwrap().is_none() {
            drop(self.workers[index].child.kill());
            self.struck[index] = true;
            self.ended.kills += 1;
        }
    }

    /// Tells a worker to end in good order; it is replaced when it has.
    pub(crate) fn retire(&mut self, which: u64) {
        let index = (which % self.workers.len() as u64) as usize;
        if !self.struck[index] && self.workers[index].child.try_wait().unwrap().is_none() {
            self.workers[index].signal("-TERM");
            self.retired[index] = true;
        }
    }

    /// Starts a worker and tells it to end at once, while it sets itself up.
    pub(crate) fn flash(&mut self, fleet: &Fleet, pause: Duration) {
        let mut worker = self.launch(fleet);
        wait::until("a connection", || {
            worker.log().contains("the broker is connected") || worker.child.try_wait().unwrap().is_some()
        });
        std::thread::sleep(pause);
        if worker.child.try_wait().unwrap().is_none() {
            worker.signal("-TERM");
        }
        let status = worker.child.wait().unwrap();
        let log = worker.log();
        self.left(status, &log);
    }

    /// Replaces workers that are dead or say that they should be.
    pub(crate) fn tend(&mut self, fleet: &Fleet) {
        for index in 0..self.workers.len() {
            let worker = &mut self.workers[index];
            let struck = std::mem::take(&mut self.struck[index]);
            if struck {
                drop(worker.child.wait());
            } else if let Some(status) = worker.child.try_wait().unwrap() {
                let log = worker.log();
                if std::mem::take(&mut self.retired[index]) {
                    self.left(status, &log);
                } else {
                    self.died(status, &log);
                }
            } else if self.retired[index] {
                continue;
            } else if wait::http(worker.port, "/livez", None).is_some_and(|a| a.starts_with("HTTP/1.1 503")) {
                self.ended.stuck += 1;
            } else {
                continue;
            }
            self.workers[index] = self.worker(fleet);
        }
    }

    /// One that was told to end: poison may have been quicker.
    fn left(&mut self, status: ExitStatus, log: &str) {
        if status.success() { self.ended.restarts += 1 } else { self.died(status, log) }
    }

    fn died(&mut self, status: ExitStatus, log: &str) {
        self.ended.died += 1;
        const SIGABRT: i32 = 6;
        if status.signal() != Some(SIGABRT) {
            let last: Vec<&str> = log.lines().rev().take(5).collect();
            self.ended.faults.push(format!("a worker ended with {status}: {last:?}"));
        }
    }

    /// Ends the workers in good order.
    pub(crate) fn end(mut self) -> Ended {
        for worker in &self.workers {
            worker.signal("-TERM");
        }
        for worker in &mut self.workers {
            let status = worker.child.wait().unwrap();
            if !status.success() {
                self.ended.faults.push(format!("a drain ended with {status}"));
            }
        }
        let logs = self.logs.iter().map(|log| std::fs::read_to_string(log).unwrap_or_default());
        let failures = |log: String| {
            log.lines().filter(|line| STORE_FAILURES.iter().any(|said| line.contains(said))).count()
        };
        self.ended.store_failures = logs.map(failures).sum();
        self.ended
    }
}
