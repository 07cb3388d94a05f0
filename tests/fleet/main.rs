//! The fleet on real servers: queues, stores, workers, and what becomes of every order whatever dies.
//!
//! One program for all of it: every test program links the whole of presswork and its libraries.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod amqp_tls;
mod asset_sources;
mod caching;
mod chaos;
mod deaths;
mod drain;
mod leash;
mod orders;
mod outages;
mod pauses;
mod poison;
mod publishing;
mod queue_contract;
mod settings;
mod races;
mod restarts;
mod soak;
mod store_contract;
mod support;
mod telemetry;
mod watchdog;
mod worker_stores;
