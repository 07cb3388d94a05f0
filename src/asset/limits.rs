//! What an asset may cost, checked before anything is allocated for it.

use crate::error::{Code, Violation};

/// Bytes of metadata one picture may carry, compressed or expanded: profiles, EXIF, text.
pub(super) const METADATA_BYTES: u64 = 16_000_000;
/// Scans of one progressive JPEG.
pub(super) const JPEG_SCANS: u32 = 100;
/// Chunks, segments or directories of one file.
pub(super) const PARTS: u32 = 100_000;

/// What an asset may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Encoded bytes of one asset.
    pub src_bytes: u64,
    /// Pixels of one picture.
    pub src_pixels: u64,
    /// Longest side of one picture, in pixels.
    pub src_side: u32,
    /// Frames of an animation, or pages of a TIFF. Of several, the first is shown.
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

impl Limits {
    /// Checks a picture's declared sides and pixels.
    pub(super) fn check_size(&self, width: u32, height: u32) -> Result<(), Violation> {
        if width == 0 || height == 0 {
            return Err(super::corrupt("has no columns or no rows"));
        }
        if width > self.src_side || height > self.src_side {
            return Err(Violation::new(
                Code::ImageDimensionsExceeded,
                format!(
                    "The picture is {width} × {height} pixels, and a side may have at most {}; \
                     send a smaller one.",
                    self.src_side
                ),
            )
            .limit(self.src_side));
        }
        let pixels = u64::from(width) * u64::from(height);
        if pixels > self.src_pixels {
            return Err(Violation::new(
                Code::ImagePixelsExceeded,
                format!(
                    "The picture has {pixels} pixels, and at most {} are accepted; send a smaller one.",
                    self.src_pixels
                ),
            )
            .limit(self.src_pixels));
        }
        Ok(())
    }

    /// Checks how many frames or pages a file declares.
    pub(super) fn check_frames(&self, frames: u32, what: &str) -> Result<(), Violation> {
        if frames <= self.frames {
            return Ok(());
        }
        Err(Violation::new(
            Code::ImageComplexityExceeded,
            format!(
                "The picture has {frames} {what}, and at most {} are accepted; send a single still picture.",
                self.frames
            ),
        )
        .limit(self.frames))
    }
}

/// Checks the bytes of metadata a file carries.
pub(super) fn check_metadata(bytes: u64) -> Result<(), Violation> {
    if bytes <= METADATA_BYTES {
        return Ok(());
    }
    Err(Violation::new(
        Code::ImageMetadataExceeded,
        format!(
            "The picture carries more than {METADATA_BYTES} bytes of metadata (profiles, EXIF, text); \
             send it without them."
        ),
    )
    .limit(METADATA_BYTES))
}

/// Checks a count of parts (chunks, segments, scans) that each cost work.
pub(super) fn check_parts(count: u32, most: u32, what: &str) -> Result<(), Violation> {
    if count <= most {
        return Ok(());
    }
    Err(Violation::new(
        Code::ImageComplexityExceeded,
        format!("The picture has more than {most} {what}; save it again in an image editor."),
    )
    .limit(most))
}
