//! presswork renders print-on-demand orders: a template, the customer's choices and the
//! business's data go in; print PDFs, PNGs and previews come out.
//!
//! The modules stand in the order in which data flows through them. The core (everything
//! above [`edge`]) has no clock, no environment, no network and no randomness.

pub mod app;
pub mod art;
pub mod asset;
pub mod catalog;
pub mod check;
pub mod cli;
pub mod code;
pub mod color;
pub mod compose;
pub mod control;
pub mod edge;
pub mod error;
pub mod order;
pub mod pdf;
pub mod raster;
pub mod render;
pub mod scene;
pub mod schema;
pub mod text;
