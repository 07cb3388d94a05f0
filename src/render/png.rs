//! A surface's PNG, within its profile's limit of bytes.

use super::{Destination, Hashing, Job};
use crate::error::Violation;
use crate::raster::{Effort, Frame, PngOptions, PngSink};
use crate::scene::Surface;

impl Job<'_> {
    /// Writes a PNG; where it turns out too large for its limit, again and harder.
    pub(super) fn png<D: Destination>(
        &self,
        surface: &Surface,
        frame: &Frame,
        (name, max_bytes): (&str, Option<u64>),
        destination: &mut D,
    ) -> Result<Hashing<D::File>, Violation> {
        let quick = PngOptions { max_bytes, effort: Effort::Quick };
        let mut sink = PngSink::new(Hashing::new(destination.create(name)?), frame, quick)?;
        let made = self.painted(surface, frame, &sink);
        if sink.overflowed() {
            destination.discard(name, sink.into_inner().into_inner())?;
            let hard = PngOptions { max_bytes, effort: Effort::Hard };
            sink = PngSink::new(Hashing::new(destination.create(name)?), frame, hard)?;
            self.painted(surface, frame, &sink)?;
        } else {
            made?;
        }
        sink.finish()
    }
}
