//! Decoded pixels.

/// How many bits a decoded component has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Depth {
    /// 8 bits.
    Eight,
    /// 16 bits.
    Sixteen,
}

/// Decoded pixels, rows top to bottom, upright, gamma-encoded sRGB, straight (not premultiplied) alpha.
#[derive(Debug, Clone, PartialEq)]
pub struct Pixels {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The samples.
    pub data: Samples,
}

impl Pixels {
    /// What the samples take.
    pub fn bytes(&self) -> u64 {
        match &self.data {
            Samples::Rgb8(data) | Samples::Rgba8(data) => data.len() as u64,
            Samples::Rgb16(data) | Samples::Rgba16(data) => data.len() as u64 * 2,
        }
    }
}

/// Interleaved samples.
#[derive(Debug, Clone, PartialEq)]
pub enum Samples {
    /// 3 bytes a pixel, opaque.
    Rgb8(Vec<u8>),
    /// 4 bytes a pixel, straight alpha.
    Rgba8(Vec<u8>),
    /// 3 words a pixel, opaque.
    Rgb16(Vec<u16>),
    /// 4 words a pixel, straight alpha.
    Rgba16(Vec<u16>),
}
