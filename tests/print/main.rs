//! Finished files: what orders become, as independent programs see it.
//!
//! One program for all of it: every test program links the whole of presswork and its libraries.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod agreement;
mod black;
mod book;
mod cli_render;
mod colour;
mod colour_in_files;
mod comparison;
mod contours;
mod delta_e;
mod derived;
mod determinism;
mod engraving;
mod finishing;
mod flat;
mod golden;
mod laid;
mod marks;
mod memory;
mod openclipart;
mod pdf;
mod photo_damage;
mod photo_matrix;
mod photo_scans;
mod plates;
mod renderers;
mod same;
mod separations;
mod special;
mod stray;
#[path = "../support/mod.rs"]
mod support;
mod tools;
