//! Decoded pixels on their way into an image stream: crop, resample, separate alpha.

use super::color::Tone;
use crate::asset::adjust::luma;
use crate::asset::lanczos::lanczos3;
use crate::asset::resample::{Grid, resample};
use crate::asset::{Pixels, Samples};
use crate::error::Violation;
use fast_image_resize as fir;
use kurbo::Rect;

/// Interleaved 8-bit samples.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plane {
    /// Columns.
    pub(super) width: u32,
    /// Rows.
    pub(super) height: u32,
    /// Samples a pixel.
    pub(super) channels: u8,
    /// The samples.
    pub(super) data: Vec<u8>,
}

/// Colour (straight, not premultiplied), and alpha where some of it is not opaque.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Planes {
    /// sRGB, or luma.
    pub(super) color: Plane,
    /// Alpha.
    pub(super) alpha: Option<Plane>,
}

/// 8 bits a sample; 16 are rounded.
fn eight(data: Samples) -> (Vec<u8>, usize) {
    let narrow = |s: u16| ((u32::from(s) + 128) / 257) as u8;
    match data {
        Samples::Rgb8(data) => (data, 3),
        Samples::Rgba8(data) => (data, 4),
        Samples::Rgb16(data) => (data.into_iter().map(narrow).collect(), 3),
        Samples::Rgba16(data) => (data.into_iter().map(narrow).collect(), 4),
    }
}

fn samples(data: Vec<u8>, channels: usize) -> Samples {
    if channels == 4 { Samples::Rgba8(data) } else { Samples::Rgb8(data) }
}

/// The part of a picture (in fractions of it) at another size; by Lanczos3, or with hard edges.
pub(super) fn resampled(
    resizer: &mut fir::Resizer,
    pixels: Pixels,
    part: Rect,
    size: (u32, u32),
    hard: bool,
) -> Result<Pixels, Violation> {
    let (width, height) = (f64::from(pixels.width), f64::from(pixels.height));
    let (data, channels) = eight(pixels.data);
    let kind = if channels == 4 { fir::PixelType::U8x4 } else { fir::PixelType::U8x3 };
    let mut target = vec![0; size.0 as usize * size.1 as usize * channels];
    let how = if hard { fir::ResizeAlg::Nearest } else { lanczos3() };
    // Rounding must not push the crop past the edge.
    let (left, top) = ((part.x0 * width).clamp(0.0, width), (part.y0 * height).clamp(0.0, height));
    let options = fir::ResizeOptions::new().resize_alg(how).crop(
        left,
        top,
        (part.width() * width).min(width - left),
        (part.height() * height).min(height - top),
    );
    resample(
        resizer,
        kind,
        Grid { bytes: &data, size: (pixels.width, pixels.height) },
        Grid { bytes: &mut target, size },
        &options,
    )?;
    Ok(Pixels { width: size.0, height: size.1, data: samples(target, channels) })
}

/// The whole pixels that a part (in fractions) touches, and the part that they are.
pub(super) fn cropped(pixels: Pixels, part: Rect) -> (Pixels, Rect) {
    /// A part this close to a pixel's edge ends there.
    const NEAR: f64 = 1e-3;
    let (width, height) = (pixels.width as usize, pixels.height as usize);
    let low =
        |v: f64, most: usize| (libm::floor(v * most as f64 + NEAR) as usize).min(most.saturating_sub(1));
    let high = |v: f64, most: usize| (libm::ceil(v * most as f64 - NEAR) as usize).clamp(1, most);
    let (x0, y0) = (low(part.x0, width), low(part.y0, height));
    let (x1, y1) = (high(part.x1, width).max(x0 + 1), high(part.y1, height).max(y0 + 1));
    if (x0, y0, x1, y1) == (0, 0, width, height) {
        return (pixels, Rect::new(0.0, 0.0, 1.0, 1.0));
    }
    let (data, channels) = eight(pixels.data);
    let mut kept = Vec::with_capacity((x1 - x0) * (y1 - y0) * channels);
    for y in y0..y1 {
        kept.extend_from_slice(&data[(y * width + x0) * channels..(y * width + x1) * channels]);
    }
    let part = Rect::new(
        x0 as f64 / width as f64,
        y0 as f64 / height as f64,
        x1 as f64 / width as f64,
        y1 as f64 / height as f64,
    );
    (Pixels { width: (x1 - x0) as u32, height: (y1 - y0) as u32, data: samples(kept, channels) }, part)
}

/// Colour and alpha apart.
pub(super) fn planes(pixels: Pixels, tone: Tone) -> Planes {
    let (width, height) = (pixels.width, pixels.height);
    let plane = |channels, data| Plane { width, height, channels, data };
    let (data, channels) = eight(pixels.data);
    let alpha = (channels == 4 && data.chunks_exact(4).any(|p| p[3] != 255))
        .then(|| plane(1, data.iter().skip(3).step_by(4).copied().collect()));
    let color = match tone {
        Tone::Color if channels == 3 => plane(3, data),
        Tone::Color => plane(3, data.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect()),
        Tone::Luma => {
            let grey = |p: &[u8]| (luma([f32::from(p[0]), f32::from(p[1]), f32::from(p[2])]) + 0.5) as u8;
            plane(1, data.chunks_exact(channels).map(grey).collect())
        }
        Tone::White => Plane { width: 1, height: 1, channels: 1, data: vec![255] },
    };
    Planes { color, alpha }
}
