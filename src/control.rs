//! How a caller stops work that is under way.
//!
//! The core has no clock. Long steps call [`Control::check`] between bands, pages and layers;
//! the edge decides there whether the deadline has passed or the job was given up.

use crate::error::Violation;

/// A question that long work asks again and again: may I go on?
#[derive(Clone, Copy)]
pub struct Control<'a> {
    may_go_on: &'a (dyn Fn() -> Result<(), Violation> + Sync),
}

impl<'a> Control<'a> {
    /// Work that nobody stops.
    pub const NONE: Control<'static> = Control { may_go_on: &|| Ok(()) };

    /// Asks the given function; its violation ends the work.
    pub fn new(may_go_on: &'a (dyn Fn() -> Result<(), Violation> + Sync)) -> Self {
        Control { may_go_on }
    }

    /// An error when the work has to end now.
    pub fn check(&self) -> Result<(), Violation> {
        (self.may_go_on)()
    }
}
