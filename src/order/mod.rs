//! Orders: the wire format, its validation against a template, and the result event.
//!
//! Bytes become a [`Draft`] (well-formed JSON that names a run), and a draft with its template and
//! profile becomes a [`ValidOrder`], in which every option is resolved and the customer's and
//! the business's values are one.

pub mod brief;
mod date;
mod draft;
pub mod event;
pub mod field;
mod validate;
mod value;
mod wire;

pub use draft::{Draft, MAX_ORDER_BYTES, is_job_id};
pub use validate::ValidOrder;
pub use value::{FieldValue, Item};
pub use wire::{CropValue, ImageValue, MatteValue, Order, PlacementValue, PointValue};
