//! Notices a worker that looks alive and does nothing.

use super::Settings;
use super::job::Bench;
use crate::edge::queue::{Delivery, Queue};
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
#[derive(Debug)]
struct Job {
    class: String,
    /// It came from the reaper.
    exhausted: bool,
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

    pub(super) fn wait(&self, waits: bool) {
        if let Some(job) = self.signs.lock().jobs.get_mut(&self.id) {
            (job.age, job.waits) = (Duration::ZERO, waits);
        }
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

    pub(super) fn begin(self: &Arc<Signs>, delivery: &Delivery) -> Busy {
        self.add(&delivery.class, delivery.exhausted)
    }

    fn add(self: &Arc<Signs>, class: &str, exhausted: bool) -> Busy {
        let mut inner = self.lock();
        inner.next += 1;
        let id = inner.next;
        inner.jobs.insert(id, Job { class: class.into(), exhausted, age: Duration::ZERO, waits: false });
        Busy { signs: self.clone(), id }
    }

    fn busy(&self) -> usize {
        self.lock().jobs.len()
    }

    /// Whether the queue may give another delivery like the jobs of `which`: no more than the prefetch are held.
    fn room(&self, settings: &Settings, which: impl Fn(&Job) -> bool) -> bool {
        let held = self.lock().jobs.values().filter(|job| which(job)).count();
        held < usize::from(settings.prefetch)
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
        let asking = waiting(bench.tools.queue.as_ref(), settings, &signs);
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

/// How many orders wait that could be delivered. What the reaper holds waits for a worker like any order; what a
/// full prefetch keeps back does not.
async fn waiting(queue: &dyn Queue, settings: &Settings, signs: &Signs) -> u64 {
    let mut waiting = 0;
    if signs.room(settings, |job| job.exhausted) {
        waiting += queue.reaped().await.unwrap_or(0);
    }
    for class in &settings.classes {
        if signs.room(settings, |job| job.class == class.name) {
            waiting += queue.ready(&class.name).await.unwrap_or(0);
        }
    }
    waiting
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::queue::dir::Spool;
    use crate::edge::queue::{Class, Message};

    fn begin(signs: &Arc<Signs>) -> Busy {
        signs.add("standard", false)
    }

    #[tokio::test]
    async fn what_a_full_prefetch_keeps_back_does_not_wait() {
        let folder = tempfile::tempdir().unwrap();
        let queue = Spool::new(folder.path());
        for class in ["standard", "rush"] {
            queue.enqueue(class, &Message::new("{}")).await.unwrap();
        }
        let class = |name: &str| Class { name: name.into(), weight: 1 };
        let settings = Settings {
            concurrency: 4,
            classes: vec![class("standard"), class("rush")],
            prefetch: 2,
            max_attempts: 1,
            job_limit: Duration::from_secs(60),
            drain: Duration::from_secs(1),
            memory_budget: 1,
            input_budget: 1,
            url_base: None,
            watch_every: Duration::from_secs(1),
            watch_patience: Duration::from_secs(1),
        };
        let signs = Arc::new(Signs::new());
        let _first = begin(&signs);
        assert_eq!(waiting(&queue, &settings, &signs).await, 2);
        let second = begin(&signs);
        assert_eq!(waiting(&queue, &settings, &signs).await, 1, "of the other class");
        drop(second);
        assert_eq!(waiting(&queue, &settings, &signs).await, 2);
    }

    #[test]
    fn only_healthy_time_makes_a_job_old() {
        let signs = Arc::new(Signs::new());
        let first = begin(&signs);
        assert_eq!(signs.age(Duration::from_secs(60)), Duration::from_secs(60));
        let _second = begin(&signs);
        assert_eq!(signs.age(Duration::from_secs(60)), Duration::from_secs(120));
        assert_eq!(signs.busy(), 2);
        drop(first);
        assert_eq!((signs.busy(), signs.age(Duration::ZERO)), (1, Duration::from_secs(60)));
    }

    #[test]
    fn waiting_for_others_makes_no_job_old() {
        let (signs, health) = (Arc::new(Signs::new()), Health::default());
        let (minute, limit) = (Duration::from_secs(60), Duration::from_secs(60));
        let suspect = begin(&signs);
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
        let ended = begin(&signs);
        for _ in 0..3 {
            signs.look(minute, limit, &health);
        }
        assert_eq!(health.failures(), Vec::<&str>::new(), "twice the limit is still allowed");
        let _stuck = begin(&signs);
        drop(ended);
        for _ in 0..3 {
            signs.look(minute, limit, &health);
        }
        assert_eq!(health.failures(), Vec::<&str>::new(), "one that ended is no longer counted");
        signs.look(minute, limit, &health);
        assert_eq!(health.failures(), [OVERDUE]);
    }
}
