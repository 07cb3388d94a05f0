//! What operators see of a worker: metrics and the small HTTP server that shows them.

pub mod admin;
mod metered;
mod metrics;

pub use metered::Metered;
pub use metrics::Metrics;
