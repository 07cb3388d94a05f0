//! A reader of PDF that shares nothing with the writer: no code, no library, no assumption.
//!
//! It is strict where other readers repair (a table that points nowhere, a stream of the wrong
//! length), reads objects off the disk one at a time, and stops at its limits before memory is
//! taken. `tests/preflight/reading.rs` holds it against a third reader.

mod error;
mod file;
mod filter;
mod inline;
mod lex;
mod predictor;
mod samples;
mod table;
mod value;

pub(crate) use error::ReadError;
pub use error::ReadLimits;
pub(crate) use file::{Indirect, PdfFile};
pub(crate) use filter::filters;
pub(crate) use lex::{Lexer, Token};
pub(crate) use value::{Dict, Value, matrix, rectangle, text_string};
