//! Colour conversion: pictures in the colours they came in go in, gamma-encoded sRGB comes out.
//!
//! A decoder hands over a [`Raster`] and says what its numbers mean ([`Source`]); [`to_srgb`]
//! answers with RGB or RGBA samples. Embedded profiles are converted by Little CMS.
//!
//! The intent is relative colorimetric with black point compensation. Camera and screen profiles
//! (matrix and curve) hold no perceptual table, so "perceptual" would quietly mean the same
//! thing for them; for scanner and press profiles it would apply each maker's own taste. The
//! relative intent keeps every colour that sRGB can show, puts white on white, and the
//! compensation puts the darkest black on black, so that shadows do not clip.

mod convert;
mod press;
mod profile;
mod raster;

pub use convert::to_srgb;
pub use press::{Press, RenderingIntent};
pub use profile::{Calibration, ProfileSpace, Source, probe_profile};
pub use raster::{Channels, Components, Raster};
