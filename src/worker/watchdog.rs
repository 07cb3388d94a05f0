//! Notices a worker that looks alive and does nothing.

use super::job::Bench;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::time::sleep;

/// What the pool tells the watchdog.
#[derive(Debug)]
pub(super) struct Signs {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    last_delivery: Instant,
    jobs: BTreeMap<u64, Instant>,
    next: u64,
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
        inner.jobs.insert(id, Instant::now());
        Busy { signs: self.clone(), id }
    }

    fn oldest_job(&self) -> Option<Instant> {
        self.lock().jobs.values().min().copied()
    }
}

/// Looks at the queues and the jobs, for ever.
pub(super) async fn watch(bench: Arc<Bench>, signs: Arc<Signs>) {
    let mut fruitless = 0;
    loop {
        sleep(bench.settings.watch_every).await;
        let health = &bench.tools.health;
        // Jobs wait for a broken store as long as it takes; only an open gate makes one stuck.
        let open = !health.reasons().iter().any(|reason| reason.starts_with("the store"));
        if open && signs.oldest_job().is_some_and(|since| since.elapsed() > bench.settings.job_limit * 2) {
            tracing::warn!("a job takes more than twice its limit");
            health.fail("a job takes more than twice its limit");
        }
        let quiet = signs.lock().last_delivery.elapsed();
        if !open || signs.oldest_job().is_some() || quiet < bench.settings.watch_patience {
            fruitless = 0;
            continue;
        }
        let mut waiting = 0;
        for class in &bench.settings.classes {
            waiting += bench.tools.queue.ready(&class.name).await.unwrap_or(0);
        }
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
