//! Preflight: what it refuses, what it lets pass, and whether others see the same.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod edges;
mod flat;
mod hostile;
mod outlined;
mod own;
mod reading;
mod rules;
mod specks;
#[path = "../support/mod.rs"]
mod support;
