//! A store that does not take files, or a queue that takes no results, stops consumption; no order pays for
//! it with an attempt.

use super::folders::Folders;
use crate::edge::store::probe::absent;
use crate::edge::store::{Label, Store, unavailable};
use crate::error::Violation;
use crate::telemetry::admin::Health;
use bytes::Bytes;
use futures_util::future::join_all;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// What probes are told while the store fails.
pub(crate) const STORE_SILENT: &str = "the store does not answer";
/// What probes are told while a folder of the worker itself fails.
const FOLDER: &str = "a folder of the worker cannot be used";
/// What probes are told while a job cannot get rid of what it has to say.
const QUEUE: &str = "the queue takes no results";
/// Where the results' store is asked to write. All workers use this one key.
const PROBE: &str = ".probe/write";
/// How long a store may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// What stands in the way of new orders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct State {
    store_fails: bool,
    /// What fails is not the store but a folder.
    folder_fails: bool,
    /// Jobs that cannot publish what they have to.
    stuck: usize,
}

/// Open while the store and the queue take what they are given.
#[derive(Debug)]
pub struct Gate {
    state: watch::Sender<State>,
    health: Arc<Health>,
}

/// A job whose message the queue does not take, until this is dropped.
#[derive(Debug)]
pub(super) struct Stuck<'a>(&'a Gate);

impl Drop for Stuck<'_> {
    fn drop(&mut self) {
        self.0.change(|state| state.stuck = state.stuck.saturating_sub(1));
    }
}

impl Gate {
    /// An open gate.
    pub fn new(health: Arc<Health>) -> Gate {
        Gate { state: watch::Sender::new(State::default()), health }
    }

    /// Readiness changes together with the state: one of many that recover does not speak for all.
    fn change(&self, change: impl FnOnce(&mut State)) {
        self.state.send_modify(|state| {
            change(state);
            self.health.unready(STORE_SILENT, state.store_fails && !state.folder_fails);
            self.health.unready(FOLDER, state.store_fails && state.folder_fails);
            self.health.unready(QUEUE, state.stuck > 0);
        });
    }

    /// A request failed: nobody begins anything until the store answers again.
    pub fn shut(&self) {
        self.change(|state| state.store_fails = true);
    }

    /// A message was not taken: nobody begins anything until it is.
    pub(super) fn stuck(&self) -> Stuck<'_> {
        self.change(|state| state.stuck += 1);
        Stuck(self)
    }

    /// Waits until new orders may begin.
    pub async fn pass(&self) {
        self.until(|state| *state == State::default()).await;
    }

    /// Waits until the store answers: what is under way needs no more.
    pub(super) async fn store(&self) {
        self.until(|state| !state.store_fails).await;
    }

    async fn until(&self, holds: impl FnMut(&State) -> bool) {
        // The sender lives as long as `self`.
        drop(self.state.subscribe().wait_for(holds).await);
    }

    /// Asks the stores, while one fails, whether they are back: the results' for a write as well, since one
    /// that is full, or lost a permission, may still be read. The worker's own folders are stores of a kind.
    /// Runs for ever.
    pub async fn watch(&self, results: Arc<dyn Store>, assets: Option<Arc<dyn Store>>, folders: Folders) {
        loop {
            self.until(|state| state.store_fails).await;
            let mut pause = Duration::from_millis(500);
            loop {
                sleep(pause).await;
                let reads = join_all([Some(&results), assets.as_ref()].into_iter().flatten().map(reads));
                let stores = reads.await.iter().all(Result::is_ok) && writes(&results).await.is_ok();
                let folder_fails = stores && looks(&folders).await.is_err();
                if stores && !folder_fails {
                    break;
                }
                self.change(|state| state.folder_fails = folder_fails);
                pause = (pause * 2).min(Duration::from_secs(5));
            }
            tracing::info!("the store answers again");
            self.change(|state| (state.store_fails, state.folder_fails) = (false, false));
        }
    }
}

async fn looks(folders: &Folders) -> Result<(), Violation> {
    let folders = folders.clone();
    let looked = tokio::task::spawn_blocking(move || folders.check()).await;
    let looked = looked.unwrap_or_else(|_| Err(unavailable("a file operation was cut off")));
    if let Err(violation) = &looked {
        tracing::warn!(%violation, "a folder fails");
    }
    looked
}

async fn reads(store: &Arc<dyn Store>) -> Result<(), Violation> {
    within(async {
        store.head(".probe/alive").await?;
        // Of a bucket that is gone this alone says so.
        absent(store.as_ref()).await
    })
    .await
}

async fn writes(store: &Arc<dyn Store>) -> Result<(), Violation> {
    const BODY: &[u8] = b"1";
    let label = Label { media_type: "text/plain", token: "" };
    let written = store.put(PROBE, label, Bytes::from_static(BODY), Sha256::digest(BODY).into());
    within(written).await?;
    // One that stays is replaced by the next.
    drop(within(store.delete(PROBE)).await);
    Ok(())
}

async fn within(asked: impl Future<Output = Result<(), Violation>>) -> Result<(), Violation> {
    timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err(unavailable("no answer in time")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_of_those_that_are_stuck_opens_the_gate() {
        let health = Arc::new(Health::default());
        let gate = Gate::new(health.clone());
        let passes = || timeout(Duration::from_millis(20), gate.pass());
        let (first, second) = (gate.stuck(), gate.stuck());
        drop(first);
        assert!(passes().await.is_err());
        assert_eq!(health.reasons(), [QUEUE]);
        // A store that works is all that work under way waits for.
        gate.store().await;
        gate.shut();
        drop(second);
        assert!(passes().await.is_err());
        assert_eq!(health.reasons(), [STORE_SILENT]);
    }
}
