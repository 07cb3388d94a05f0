//! What operators see of a worker: metrics, traces, logs, and the small HTTP server for probes.

pub mod admin;
mod collector;
pub mod logs;
mod metered;
mod metrics;
mod stages;
pub mod traces;

pub use metered::Metered;
pub use metrics::{Declared, Metrics};
pub use stages::{Spending, Stage};
