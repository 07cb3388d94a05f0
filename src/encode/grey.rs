//! Greyscale PNG of 8 bits or 1 bit a pixel, streamed row by row: plates and engraving files.

use super::png::chunk;
use crate::error::{Code, Violation};
use crate::scene::Dpi;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::io::Write;

/// Packed bytes that make up one IDAT.
const IDAT_BYTES: usize = 1 << 18;

/// Bits of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GreyDepth {
    /// 0 is black, 1 white; eight pixels a byte, the first in the highest bit.
    One,
    /// 0 is black, 255 white.
    Eight,
}

/// A PNG under way.
pub struct GreyPng<W> {
    out: W,
    packed: ZlibEncoder<Vec<u8>>,
    depth: GreyDepth,
    above: Vec<u8>,
}

impl<W: Write> GreyPng<W> {
    /// Writes the header; rows follow.
    ///
    /// # Errors
    /// `store.unavailable` when the file takes no bytes.
    pub fn new(out: W, width: u32, height: u32, dpi: Dpi, depth: GreyDepth) -> Result<Self, Violation> {
        let (bits, row_bytes) = match depth {
            GreyDepth::One => (1, width.div_ceil(8)),
            GreyDepth::Eight => (8, width),
        };
        let mut head = vec![0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a];
        let mut ihdr = Vec::with_capacity(13);
        ihdr.extend_from_slice(&width.to_be_bytes());
        ihdr.extend_from_slice(&height.to_be_bytes());
        ihdr.extend_from_slice(&[bits, 0, 0, 0, 0]);
        chunk(b"IHDR", &ihdr, &mut head);
        let mut phys = dpi.per_metre().to_be_bytes().repeat(2);
        phys.push(1);
        chunk(b"pHYs", &phys, &mut head);
        let packed = ZlibEncoder::new(Vec::new(), Compression::new(6));
        let mut png = GreyPng { out, packed, depth, above: vec![0; row_bytes as usize] };
        png.write(&head)?;
        Ok(png)
    }

    /// Takes the next row's bytes.
    ///
    /// # Errors
    /// As [`GreyPng::new`].
    pub fn row(&mut self, row: &[u8]) -> Result<(), Violation> {
        let taken = match self.depth {
            // Dots have no slope that a filter could use.
            GreyDepth::One => self.packed.write_all(&[0]).and_then(|()| self.packed.write_all(row)),
            GreyDepth::Eight => {
                let up: Vec<u8> =
                    row.iter().zip(&self.above).map(|(v, above)| v.wrapping_sub(*above)).collect();
                self.above.copy_from_slice(row);
                self.packed.write_all(&[2]).and_then(|()| self.packed.write_all(&up))
            }
        };
        taken.map_err(|_| packing())?;
        if self.packed.get_ref().len() >= IDAT_BYTES {
            let data = std::mem::take(self.packed.get_mut());
            self.data(&data)?;
        }
        Ok(())
    }

    /// Ends the file and gives back what it was written to.
    ///
    /// # Errors
    /// As [`GreyPng::new`].
    pub fn finish(mut self) -> Result<W, Violation> {
        self.packed.try_finish().map_err(|_| packing())?;
        let data = std::mem::take(self.packed.get_mut());
        self.data(&data)?;
        let mut tail = Vec::new();
        chunk(b"IEND", &[], &mut tail);
        self.write(&tail)?;
        Ok(self.out)
    }

    fn data(&mut self, data: &[u8]) -> Result<(), Violation> {
        let mut bytes = Vec::with_capacity(data.len() + 12);
        chunk(b"IDAT", data, &mut bytes);
        self.write(&bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        self.out.write_all(bytes).map_err(|error| {
            Violation::new(
                Code::StoreUnavailable,
                format!("a picture could not be written: {}", error.kind()),
            )
        })
    }
}

fn packing() -> Violation {
    Violation::new(Code::InternalError, "a picture could not be compressed; please report it")
}
