//! A surface's PNG, within its profile's limit of bytes, and its preview in memory.

use super::{Destination, Hashing, Job};
use crate::error::Violation;
use crate::raster::{Effort, Frame, PngOptions, PngSink};
use crate::scene::Surface;

impl Job<'_> {
    /// A surface's preview as a PNG in memory, its longer side at `max_px`: what the output `preview`
    /// writes, a soft proof of the plates where the job is printed in process inks.
    ///
    /// # Errors
    /// As painting: too many pixels, pictures that cannot be decoded, work that is ended.
    pub fn preview(&self, surface: &Surface, max_px: u32) -> Result<Vec<u8>, Violation> {
        let frame = Frame::preview(surface, max_px);
        let sink = PngSink::new(Vec::new(), &frame, PngOptions::default())?;
        self.painted(surface, &frame, &sink)?;
        sink.finish()
    }

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
