//! Notices a worker that looks alive and does nothing.

use super::job::Bench;
use crate::telemetry::admin::Health;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

const OVERDUE: &str = "a job takes more than twice its limit";

/// What the pool tells the watchdog.
#[derive(Debug)]
pub(super) struct Signs {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    last_delivery: Instant,
    jobs: BTreeMap<u64, Job>,
    next: u64,
}

/// How long a job has been at work while nothing was down.
#[derive(Debug, Default)]
struct Job {
    age: Duration,
    /// It waits for other jobs of this worker, which is not being stuck.
    waits: bool,
}

/// A job under way.
#[derive(Debug)]
pub(super) struct Busy {
    signs: Arc<Signs>,
    id: u64,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.signs.lock().jobs.remove(&self.id);
    }
}

impl Busy {
    /// It waits for others until the answer is dropped. What it does then is as long as what a job does
    /// that has just come: a suspect may be rendered twice, each time within the limit.
    pub(super) fn waiting(&self) -> Waiting<'_> {
        self.wait(true);
        Waiting(self)
    }

    fn wait(&self, waits: bool) {
        self.signs.lock().jobs.insert(self.id, Job { age: Duration::ZERO, waits });
    }
}

/// A job that waits for its turn.
#[derive(Debug)]
pub(super) struct Waiting<'a>(&'a Busy);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.wait(false);
    }
}

impl Signs {
    pub(super) fn new() -> Signs {
        let inner = Inner { last_delivery: Instant::now(), jobs: BTreeMap::new(), next: 0 };
        Signs { inner: Mutex::new(inner) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn delivery(&self) {
        self.lock().last_delivery = Instant::now();
    }

    pub(super) fn begin(self: &Arc<Signs>) -> Busy {
        let mut inner = self.lock();
        inner.next += 1;
        let id = inner.next;
        inner.jobs.insert(id, Job::default());
        Busy { signs: self.clone(), id }
    }

    fn busy(&self) -> usize {
        self.lock().jobs.len()
    }

    /// Another so much time has passed for every job at work; gives the oldest one's.
    fn age(&self, time: Duration) -> Duration {
        let mut inner = self.lock();
        inner.jobs.values_mut().filter(|job| !job.waits).for_each(|job| job.age += time);
        inner.jobs.values().map(|job| job.age).max().unwrap_or_default()
    }

    /// Another so much time has passed for every job. One past twice its limit will not end by
    /// itself: only a restart helps.
    fn look(&self, time: Duration, limit: Duration, health: &Health) {
        if self.age(time) > limit * 2 {
            tracing::warn!("{OVERDUE}");
            health.fail(OVERDUE);
        }
    }
}

/// Looks at the queues and the jobs, for ever.
pub(super) async fn watch(bench: Arc<Bench>, signs: Arc<Signs>) {
    let mut fruitless = 0;
    let settings = &bench.settings;
    loop {
        sleep(settings.watch_every).await;
        let health = &bench.tools.health;
        // Jobs wait for a store or a broker that is down as long as it takes: that time is not theirs.
        if !health.reasons().is_empty() {
            fruitless = 0;
            continue;
        }
        signs.look(settings.watch_every, settings.job_limit, health);
        let quiet = signs.lock().last_delivery.elapsed();
        if signs.busy() >= settings.concurrency || quiet < settings.watch_patience {
            fruitless = 0;
            continue;
        }
        // What the reaper holds waits for a worker like any order.
        let asking = async {
            let mut waiting = bench.tools.queue.reaped().await.unwrap_or(0);
            for class in &settings.classes {
                waiting += bench.tools.queue.ready(&class.name).await.unwrap_or(0);
            }
            waiting
        };
        // A broker that does not answer must not keep anybody from looking at the jobs.
        let waiting = timeout(settings.watch_every, asking).await.unwrap_or_else(|_| {
            tracing::warn!("the broker does not say how many orders wait");
            0
        });
        if waiting == 0 {
            fruitless = 0;
        } else if fruitless < 2 {
            tracing::warn!(waiting, "orders wait and none is delivered: connecting anew");
            bench.tools.queue.reconnect().await;
            fruitless += 1;
        } else {
            health.fail("orders wait and none is delivered");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_healthy_time_makes_a_job_old() {
        let signs = Arc::new(Signs::new());
        let first = signs.begin();
        assert_eq!(signs.age(Duration::from_secs(60)), Duration::from_secs(60));
        let _second = signs.begin();
        assert_eq!(signs.age(Duration::from_secs(60)), Duration::from_secs(120));
        assert_eq!(signs.busy(), 2);
        drop(first);
        assert_eq!((signs.busy(), signs.age(Duration::ZERO)), (1, Duration::from_secs(60)));
    }

    #[test]
    fn waiting_for_others_makes_no_job_old() {
        let (signs, health) = (Arc::new(Signs::new()), Health::default());
        let (minute, limit) = (Duration::from_secs(60), Duration::from_secs(60));
        let suspect = signs.begin();
        signs.look(minute, limit, &health);
        let queued = suspect.waiting();
        for _ in 0..10 {
            signs.look(minute, limit, &health);
        }
        drop(queued);
        // Its turn has come: it has all the time of a job.
        for _ in 0..2 {
            signs.look(minute, limit, &health);
        }
        assert_eq!(health.failures(), Vec::<&str>::new());
        signs.look(minute, limit, &health);
        assert_eq!(health.failures(), [OVERDUE]);
    }

    #[test]
    fn a_job_past_twice_its_limit_calls_for_a_restart() {
        let (signs, health) = (Arc::new(Signs::new()), Health::default());
        let (minute, limit) = (Duration::from_secs(60), Duration::from_secs(90));
        // Nobody at work: time alone harms nothing.
        signs.look(limit * 10, limit, &health);
        let ended = signs.begin();
        for _ in 0..3 {
            signs.look(minute, limit, &health);
        }
        assert_eq!(health.failures(), Vec::<&str>::new(), "twice the limit is still allowed");
        let _stuck = signs.begin();
        drop(ended);
        for _ in 0..3 {
            signs.look(minute, limit, &health);
        }
        assert_eq!(health.failures(), Vec::<&str>::new(), "one that ended is no longer counted");
        signs.look(minute, limit, &health);
        assert_eq!(health.failures(), [OVERDUE]);
    }
}
