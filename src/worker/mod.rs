//! The fleet's worker: orders in, one committed result a run out, whatever dies in between.
//!
//! Workers are stateless. What decides a run is one object in the store, written only where there
//! is none; its bytes are the event. `docs/fleet.md` tells the protocol.

mod admission;
mod chance;
mod commit;
mod cost;
mod effect;
mod fetch;
mod folders;
mod gate;
mod hands;
mod isolate;
mod job;
mod make;
mod paint;
#[cfg(debug_assertions)]
mod planted;
mod pool;
mod retry;
mod schedule;
mod scratch;
mod settle;
mod watchdog;

pub use admission::Budget;
pub use commit::{Committed, cancel, commit, result_key};
pub use effect::{Effect, Moment};
pub use folders::Folders;
pub use gate::Gate;
pub(crate) use gate::STORE_SILENT;
pub use pool::Worker;

use crate::app::{App, Places};
use crate::edge::assets::AssetSources;
use crate::edge::queue::{Class, Queue};
use crate::edge::store::Store;
use crate::telemetry::Metrics;
use crate::telemetry::admin::Health;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What a worker works with.
#[derive(Debug)]
pub struct Tools {
    /// Templates, profiles and fonts.
    pub app: App,
    /// The same, as a child process is told of it.
    pub places: Places,
    /// Where results are kept.
    pub store: Arc<dyn Store>,
    /// Where the orders' assets are.
    pub assets: AssetSources,
    /// Where orders come from.
    pub queue: Arc<dyn Queue>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What probes are told.
    pub health: Arc<Health>,
}

impl Tools {
    /// The machine's own folders that orders are made from.
    pub fn folders(&self) -> Folders {
        Folders {
            catalog: self.places.catalog.clone(),
            profiles: self.places.profiles.clone(),
            assets: self.assets.own_folder().map(Path::to_owned),
        }
    }
}

/// How a worker works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Jobs painted at once; one more is fetched or uploaded.
    pub concurrency: usize,
    /// The classes it takes, with their weights.
    pub classes: Vec<Class>,
    /// Orders of one class that are held at once.
    pub prefetch: u16,
    /// Attempts before an order is given up.
    pub max_attempts: u32,
    /// How long one job may be rendered.
    pub job_limit: Duration,
    /// How long a stopped worker finishes what it holds.
    pub drain: Duration,
    /// Bytes that jobs may take together while they are rendered.
    pub memory_budget: u64,
    /// Bytes of assets that jobs may fetch together.
    pub input_budget: u64,
    /// What artifacts' `url` begins with, where they can be fetched.
    pub url_base: Option<String>,
    /// How often the queues are looked at.
    pub watch_every: Duration,
    /// How long orders may wait for an idle worker before its connection is rebuilt.
    pub watch_patience: Duration,
}
