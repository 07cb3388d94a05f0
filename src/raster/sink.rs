//! Where painted bands go.

use super::sample::{Pixel, Sample};
use crate::error::Violation;

/// A painted band.
pub struct Band<'a> {
    /// Its first row in the frame.
    pub first_row: u32,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// No band comes after it.
    pub last: bool,
    /// The pixels, row by row, premultiplied.
    pub rows: Rows<'a>,
}

/// A band's pixels.
#[derive(Clone, Copy)]
pub enum Rows<'a> {
    /// 8 bits a component.
    Eight(&'a [Pixel<u8>]),
    /// 16 bits a component.
    Sixteen(&'a [Pixel<u16>]),
}

impl<'a> Rows<'a> {
    /// The pixels of either depth.
    pub(super) fn from<S: Sample>(data: &'a [Pixel<S>]) -> Self {
        match S::DEPTH {
            crate::asset::Depth::Eight => Rows::Eight(bytemuck::cast_slice(data)),
            crate::asset::Depth::Sixteen => Rows::Sixteen(bytemuck::cast_slice(data)),
        }
    }
}

/// What a sink made of a band.
#[derive(Debug, Default)]
pub struct Packed {
    /// The bytes to write.
    pub bytes: Vec<u8>,
    /// The sink's own checksum of what they stand for.
    pub check: u32,
    /// How many bytes they stand for.
    pub raw_bytes: u64,
}

/// A consumer of painted bands. The work is in two steps, so that all but the writing runs
/// side by side.
pub trait Sink: Sync {
    /// Encodes one band, in that band's own task; any number of bands at once, in any order.
    fn encode(&self, band: &Band<'_>) -> Result<Packed, Violation>;

    /// Writes one encoded band; called for one band at a time, top to bottom.
    fn write(&self, packed: Packed) -> Result<(), Violation>;
}
