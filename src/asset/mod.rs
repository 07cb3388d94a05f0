//! Pictures as customers send them: probed first, decoded late, dropped early.
//!
//! [`Picture::probe`] walks the file's structure and checks every limit before anything is
//! allocated. [`Picture::decode`] gives upright sRGB pixels with straight alpha: a
//! format's decoder makes a [`Raster`](crate::color::Raster), [`color`](crate::color) makes it
//! sRGB, and its orientation is applied last. A damaged file is an error, never part of a picture.

pub mod adjust;
mod blur;
mod encoded;
mod exif;
mod jpeg;
mod jpeg_baseline;
mod jpeg_bits;
mod jpeg_decode;
mod jpeg_idct;
mod jpeg_planes;
mod jpeg_rows;
mod jpeg_scan;
mod jpeg_stream;
pub mod lanczos;
mod limits;
mod origin;
mod picture;
mod pixels;
mod png;
pub(crate) mod resample;
mod shared;
mod sniff;
mod tiff;
mod upright;
mod webp;

pub use encoded::{Encoded, Spool};
pub use jpeg_stream::JpegStream;
pub use limits::Limits;
pub use origin::Origin;
pub use picture::Picture;
pub use pixels::{Depth, Pixels, Samples};
pub use shared::{MOST_SHARED, Sharing};

use crate::error::{Code, Violation};

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

/// A JPEG's samples in its own colours, inks as coverage, and whether the file stores them inverted.
pub(crate) fn jpeg_samples(file: &[u8], limits: &Limits) -> Result<(crate::color::Raster, bool), Violation> {
    let jpeg = jpeg::probe(file, limits)?;
    let inverted = matches!(jpeg.meaning, jpeg::Meaning::Cmyk { inverted: true } | jpeg::Meaning::Ycck);
    Ok((jpeg_decode::decode(file, &jpeg, 1)?, inverted))
}

/// `image.corrupt`: "The picture {what} …".
fn corrupt(what: &str) -> Violation {
    Violation::new(
        Code::ImageCorrupt,
        format!("The picture {what}, so it cannot be shown whole; send it again, or open and save it anew."),
    )
}

/// `image.profile_invalid`: "The picture {what} …".
fn profile_invalid(what: &str) -> Violation {
    Violation::new(
        Code::ImageProfileInvalid,
        format!("The picture {what}; export it again with a standard profile, such as sRGB."),
    )
}
