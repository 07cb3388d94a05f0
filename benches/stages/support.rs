//! The bucket of the fleet's tests.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, reason = "as in the fleet's tests")]

#[path = "../../tests/fleet/support/bucket.rs"]
pub(crate) mod bucket;
#[path = "../../tests/fleet/support/ports.rs"]
pub(crate) mod ports;
#[path = "../../tests/fleet/support/wait.rs"]
pub(crate) mod wait;
