//! Pictures as customers send them: probed first, decoded late, dropped early.
//!
//! [`Picture::probe`] reads headers only and checks every limit before anything is allocated.
//! [`Picture::decode`] gives upright sRGB pixels with straight alpha.

pub mod adjust;
mod blur;

use crate::error::Violation;
use std::sync::Arc;

/// What an asset may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Encoded bytes of one asset.
    pub src_bytes: u64,
    /// Pixels of one picture.
    pub src_pixels: u64,
    /// Longest side of one picture, in pixels.
    pub src_side: u32,
    /// Frames of an animation.
    pub frames: u32,
    /// Bytes of an SVG after decompression.
    pub svg_bytes: u64,
    /// Elements of an SVG after `use` is expanded.
    pub svg_nodes: u64,
    /// Bytes of one font.
    pub font_bytes: u64,
    /// Pixels of one output surface.
    pub output_pixels: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            src_bytes: 100_000_000,
            src_pixels: 100_000_000,
            src_side: 30_000,
            frames: 1,
            svg_bytes: 10_000_000,
            svg_nodes: 200_000,
            font_bytes: 20_000_000,
            output_pixels: 400_000_000,
        }
    }
}

/// Encoded bytes that are cheap to clone.
pub type Encoded = Arc<[u8]>;

/// The encodings that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// JPEG, baseline or progressive.
    Jpeg,
    /// PNG.
    Png,
    /// WebP, lossy or lossless.
    WebP,
    /// TIFF.
    Tiff,
}

/// A probed picture: its header is known and within limits, its pixels are still encoded.
#[derive(Debug)]
pub struct Picture {
    _todo: (),
}

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

impl Picture {
    /// Reads the header; checks type, limits and structure; allocates nothing that grows with the pixels.
    pub fn probe(_bytes: Encoded, _limits: &Limits) -> Result<Picture, Violation> {
        unimplemented!()
    }

    /// Which encoding.
    pub fn format(&self) -> Format {
        unimplemented!()
    }

    /// Columns and rows of the upright picture, orientation applied.
    pub fn size(&self) -> (u32, u32) {
        unimplemented!()
    }

    /// Columns and rows as stored, before orientation.
    pub fn stored_size(&self) -> (u32, u32) {
        unimplemented!()
    }

    /// EXIF orientation, 1 to 8.
    pub fn orientation(&self) -> u8 {
        unimplemented!()
    }

    /// May have pixels that are not opaque.
    pub fn has_alpha(&self) -> bool {
        unimplemented!()
    }

    /// SHA-256 of the encoded bytes.
    pub fn sha256(&self) -> [u8; 32] {
        unimplemented!()
    }

    /// The encoded bytes.
    pub fn encoded(&self) -> &Encoded {
        unimplemented!()
    }

    /// Upright sRGB pixels: orientation applied, embedded ICC profile converted, CMYK converted.
    pub fn decode(&self, _depth: Depth) -> Result<Pixels, Violation> {
        unimplemented!()
    }

    /// For PDF: the JPEG whose scan may be embedded untouched (8-bit, baseline or progressive;
    /// APP1 and APP13 dropped, scan and tables identical), with what its colours mean.
    pub fn jpeg_stream(&self) -> Option<JpegStream> {
        unimplemented!()
    }
}

/// A JPEG ready for a PDF's DCTDecode.
#[derive(Debug, Clone)]
pub struct JpegStream {
    /// The file without private metadata.
    pub bytes: Vec<u8>,
    /// 1 grey, 3 RGB (from YCbCr), 4 CMYK.
    pub components: u8,
    /// The components are inverted (Adobe CMYK): needs `/Decode [1 0 …]`.
    pub inverted: bool,
    /// The embedded ICC profile, verified to parse and to have as many channels.
    pub icc: Option<Arc<[u8]>>,
}
