//! presswork renders print-on-demand orders: a template, the customer's choices and the
//! business's data go in; print PDFs, PNGs and previews come out.
//!
//! The modules stand in the order in which data flows through them. The core (everything
//! above [`edge`]) has no clock, no environment, no network and no randomness.

pub mod error;
pub mod control;
pub mod schema;
pub mod cache;

pub mod catalog;
pub mod order;
pub mod asset;
pub mod color;
pub mod text;
pub mod code;
pub mod art;
pub mod scene;
pub mod compose;
pub mod print;
pub mod raster;
pub mod derive;
pub mod encode;
pub mod pdf;
pub mod svg;
pub mod render;
pub mod preflight;
pub mod telemetry;
pub mod edge;
pub mod app;
pub mod worker;
pub mod config;
pub mod check;
pub mod cli;
pub mod memory;
