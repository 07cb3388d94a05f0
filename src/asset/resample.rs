//! The one place where pictures are resampled.
//!
//! The resampler is generic over what holds pixels, and each pair of holders is compiled for every kind of
//! pixel it knows. Here there is one pair, for the kinds that pictures have.

use crate::error::{Code, Violation};
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{InnerPixel, U8x3, U8x4, U16, U16x3, U16x4};
use fast_image_resize::{PixelTrait, PixelType, ResizeOptions, Resizer};

/// Samples in rows from the top, and how many pixels they are wide and high.
#[derive(Debug)]
pub(crate) struct Grid<T> {
    /// As bytes, aligned as the samples are.
    pub(crate) bytes: T,
    /// In pixels.
    pub(crate) size: (u32, u32),
}

/// Fills `target` with `source`, or with what the options take of it.
///
/// # Errors
/// `internal.error` for a kind of pixel that no picture here has, buffers that do not fit their
/// sizes, and a crop that leaves its picture.
#[expect(clippy::wildcard_enum_match_arm, reason = "the resampler knows more kinds than pictures have")]
pub(crate) fn resample(
    resizer: &mut Resizer,
    kind: PixelType,
    source: Grid<&[u8]>,
    target: Grid<&mut [u8]>,
    options: &ResizeOptions,
) -> Result<(), Violation> {
    let done = match kind {
        PixelType::U8x3 => typed::<U8x3>(resizer, source, target, options),
        PixelType::U8x4 => typed::<U8x4>(resizer, source, target, options),
        PixelType::U16 => typed::<U16>(resizer, source, target, options),
        PixelType::U16x3 => typed::<U16x3>(resizer, source, target, options),
        PixelType::U16x4 => typed::<U16x4>(resizer, source, target, options),
        _ => None,
    };
    done.ok_or_else(|| {
        Violation::new(Code::InternalError, "a picture could not be resampled; please report it")
    })
}

fn typed<P: PixelTrait + InnerPixel>(
    resizer: &mut Resizer,
    source: Grid<&[u8]>,
    target: Grid<&mut [u8]>,
    options: &ResizeOptions,
) -> Option<()> {
    let source = TypedImageRef::<P>::from_buffer(source.size.0, source.size.1, source.bytes).ok()?;
    let mut target = TypedImage::<P>::from_buffer(target.size.0, target.size.1, target.bytes).ok()?;
    resizer.resize_typed(&source, &mut target, options).ok()
}
