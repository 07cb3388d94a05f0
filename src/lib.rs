//! presswork renders print-on-demand orders: a template, the customer's choices and the
//! business's data go in; print PDFs, PNGs and previews come out.
//!
//! The modules below stand in the order in which data flows through them.

pub mod asset;
pub mod code;
pub mod control;
pub mod error;
pub mod scene;
pub mod text;
