//! The catalog: what can be ordered and how it is printed.
//!
//! Templates say which fields an order may fill and which layers a surface shows; render
//! profiles say how a product is printed. Both are checked whole when they are loaded, so that
//! an order can only fail for its own mistakes.

pub mod expr;
pub mod field;
pub mod layer;
mod pattern;
mod photo;
mod shape;
mod words;
mod lint;
mod load;
pub mod plates;
pub mod print;
pub mod preflight;
pub mod profile;
pub mod template;
pub mod value;

pub use field::{By, Choice, Field, FieldType};
pub use load::{CATALOG_CODES, Files, Template, load, load_profile, parse_pin, prepare};
pub use print::Space;
pub use profile::{Action, Area, Output, Profile};
pub use value::{Bound, ColorSpec, Condition, Measure, Spots};
