//! What the press prints: the decisions that PDFs and our own plates share.
//!
//! A render profile becomes [`PrintRules`]; a surface's colours become inks by `Inking`. Which
//! inks an object gets, whether it knocks out, overprints or multiplies, and what is painted after
//! all art is decided here and nowhere else, so that a RIP's plates of our PDF and the plates that
//! [`raster`](crate::raster) paints are the same.

mod laying;
mod part;
mod ramp;
mod rules;

pub(crate) use laying::{group_blend, laid, single_path};
pub(crate) use part::{Part, Shows, part, uses};
pub(crate) use ramp::{printed_ramp, ramp};
pub use rules::{Condition, Plate, PrintRules};
pub(crate) use rules::{Inking, Role};
