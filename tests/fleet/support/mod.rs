//! What the fleet's tests share: private servers that start and stop with a test, workers, tiny orders,
//! and an oracle that knows what has to come of each.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "each test takes what it needs, and a helper that fails fails the test"
)]

pub(crate) mod bucket;
pub(crate) mod collector;
pub(crate) mod curve;
pub(crate) mod faults;
pub(crate) mod fleet;
pub(crate) mod judge;
pub(crate) mod oracle;
pub(crate) mod pool;
pub(crate) mod ports;
pub(crate) mod rabbitmq;
pub(crate) mod tiny;
pub(crate) mod wait;
