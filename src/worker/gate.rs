//! A store that does not answer stops consumption; no order pays for it with an attempt.

use crate::edge::store::Store;
use crate::telemetry::admin::Health;
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// What probes are told while the gate is shut.
const REASON: &str = "the store does not answer";

/// Open while the store answers.
#[derive(Debug)]
pub struct Gate {
    open: watch::Sender<bool>,
    health: Arc<Health>,
}

impl Gate {
    /// An open gate.
    pub fn new(health: Arc<Health>) -> Gate {
        Gate { open: watch::Sender::new(true), health }
    }

    /// A request failed: nobody begins anything until the store answers again.
    pub fn shut(&self) {
        self.health.unready(REASON, true);
        self.open.send_replace(false);
    }

    /// Waits until the store answers.
    pub async fn pass(&self) {
        let mut open = self.open.subscribe();
        // The sender lives as long as `self`.
        drop(open.wait_for(|open| *open).await);
    }

    /// Asks the stores, while the gate is shut, whether they are back. Runs for ever.
    pub async fn watch(&self, stores: Vec<Arc<dyn Store>>) {
        let mut open = self.open.subscribe();
        loop {
            drop(open.wait_for(|open| !*open).await);
            let mut pause = Duration::from_millis(500);
            loop {
                sleep(pause).await;
                let asked = join_all(stores.iter().map(|store| store.head(".probe/alive"))).await;
                if asked.iter().all(Result::is_ok) {
                    break;
                }
                pause = (pause * 2).min(Duration::from_secs(5));
            }
            tracing::info!("the store answers again");
            self.health.unready(REASON, false);
            self.open.send_replace(true);
        }
    }
}
