//! The number a colour component is: 8 or 16 bits, and the exact arithmetic on it.
//!
//! Everything the compositor does is written once over [`Sample`]. Products are rounded to
//! nearest, never approximated, so that equal input gives equal bytes on every processor.

use super::weigh;
use crate::asset::{Depth, Samples};
use fast_image_resize::PixelType;

/// A pixel: red, green, blue, alpha; premultiplied unless a function says otherwise.
pub type Pixel<S> = [S; 4];

/// One component of a pixel, from zero to [`Sample::MAX`].
pub(crate) trait Sample:
    bytemuck::Pod + Default + PartialEq + Ord + Send + Sync + std::fmt::Debug
{
    /// Full intensity or full coverage.
    const MAX: Self;
    /// None.
    const ZERO: Self;
    /// Which pictures this asks the decoder for.
    const DEPTH: Depth;
    /// `self * other / MAX`, to nearest.
    fn mul(self, other: Self) -> Self;
    /// Sum, at most `MAX`.
    fn plus(self, other: Self) -> Self;
    /// Difference, at least zero.
    fn minus(self, other: Self) -> Self;
    /// `self / alpha * MAX`, to nearest: takes premultiplication off.
    fn over(self, alpha: Self) -> Self;
    /// From 0..=1, to nearest.
    fn from_unit(unit: f32) -> Self;
    /// To 0..=1.
    fn to_unit(self) -> f32;
    /// The number itself, 0 to `MAX`.
    fn level(self) -> f32;
    /// The nearest number; beyond the ends, the end.
    fn from_level(level: f32) -> Self;
    /// From 8-bit coverage.
    fn from_cover(cover: u8) -> Self;
    /// To 8-bit coverage, to nearest.
    fn to_cover(self) -> u8;
    /// Name of a pixel of three or four such components in `fast_image_resize`.
    fn pixel_type(channels: usize) -> PixelType;
    /// Decoded samples in this depth, and how many components a pixel has.
    fn take(samples: Samples) -> (Vec<Self>, usize);

    /// Four by four pixels of rows of `w` as one, weighed for these steps between pixels across and down.
    fn weighed(window: &[Pixel<Self>], w: usize, across: usize, down: usize) -> Pixel<Self>;

    /// Of pixels that there are in both depths, those of this one.
    fn pick<'a>(eight: &'a [Pixel<u8>], sixteen: &'a [Pixel<u16>]) -> &'a [Pixel<Self>];

    /// `self` with `MAX - self`.
    fn inverse(self) -> Self {
        Self::MAX.minus(self)
    }
}

impl Sample for u8 {
    const MAX: u8 = 255;
    const ZERO: u8 = 0;
    const DEPTH: Depth = Depth::Eight;

    #[inline(always)]
    fn mul(self, other: u8) -> u8 {
        // Exact rounding of x / 255 for x up to 255 * 255.
        let x = u32::from(self) * u32::from(other) + 128;
        ((x + (x >> 8)) >> 8) as u8
    }
    #[inline(always)]
    fn plus(self, other: u8) -> u8 {
        self.saturating_add(other)
    }
    #[inline(always)]
    fn minus(self, other: u8) -> u8 {
        self.saturating_sub(other)
    }
    #[inline(always)]
    fn over(self, alpha: u8) -> u8 {
        if alpha == 0 {
            return 0;
        }
        let alpha = u32::from(alpha);
        ((u32::from(self) * 255 + alpha / 2) / alpha).min(255) as u8
    }
    #[inline(always)]
    fn from_unit(unit: f32) -> u8 {
        (unit.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
    }
    #[inline(always)]
    fn to_unit(self) -> f32 {
        f32::from(self) / 255.0
    }
    #[inline(always)]
    fn level(self) -> f32 {
        f32::from(self)
    }
    #[inline(always)]
    fn from_level(level: f32) -> u8 {
        (level.clamp(0.0, 255.0) + 0.5) as u8
    }
    #[inline(always)]
    fn from_cover(cover: u8) -> u8 {
        cover
    }
    #[inline(always)]
    fn to_cover(self) -> u8 {
        self
    }
    fn pixel_type(channels: usize) -> PixelType {
        if channels == 3 { PixelType::U8x3 } else { PixelType::U8x4 }
    }
    #[inline(always)]
    fn weighed(window: &[Pixel<u8>], w: usize, across: usize, down: usize) -> Pixel<u8> {
        weigh::whole(window, w, across, down)
    }
    fn pick<'a>(eight: &'a [Pixel<u8>], _: &'a [Pixel<u16>]) -> &'a [Pixel<u8>] {
        eight
    }
    fn take(samples: Samples) -> (Vec<u8>, usize) {
        let narrow = |words: Vec<u16>| words.into_iter().map(to_byte).collect();
        match samples {
            Samples::Rgb8(data) => (data, 3),
            Samples::Rgba8(data) => (data, 4),
            Samples::Rgb16(data) => (narrow(data), 3),
            Samples::Rgba16(data) => (narrow(data), 4),
        }
    }
}

impl Sample for u16 {
    const MAX: u16 = 65_535;
    const ZERO: u16 = 0;
    const DEPTH: Depth = Depth::Sixteen;

    #[inline(always)]
    fn mul(self, other: u16) -> u16 {
        let x = u32::from(self) * u32::from(other) + 32_768;
        ((x + (x >> 16)) >> 16) as u16
    }
    #[inline(always)]
    fn plus(self, other: u16) -> u16 {
        self.saturating_add(other)
    }
    #[inline(always)]
    fn minus(self, other: u16) -> u16 {
        self.saturating_sub(other)
    }
    #[inline(always)]
    fn over(self, alpha: u16) -> u16 {
        if alpha == 0 {
            return 0;
        }
        let alpha = u64::from(alpha);
        ((u64::from(self) * 65_535 + alpha / 2) / alpha).min(65_535) as u16
    }
    #[inline(always)]
    fn from_unit(unit: f32) -> u16 {
        (unit.clamp(0.0, 1.0) * 65_535.0 + 0.5) as u16
    }
    #[inline(always)]
    fn to_unit(self) -> f32 {
        f32::from(self) / 65_535.0
    }
    #[inline(always)]
    fn level(self) -> f32 {
        f32::from(self)
    }
    #[inline(always)]
    fn from_level(level: f32) -> u16 {
        (level.clamp(0.0, 65_535.0) + 0.5) as u16
    }
    #[inline(always)]
    fn from_cover(cover: u8) -> u16 {
        u16::from(cover) * 257
    }
    #[inline(always)]
    fn to_cover(self) -> u8 {
        to_byte(self)
    }
    fn pixel_type(channels: usize) -> PixelType {
        if channels == 3 { PixelType::U16x3 } else { PixelType::U16x4 }
    }
    #[inline(always)]
    fn weighed(window: &[Pixel<u16>], w: usize, across: usize, down: usize) -> Pixel<u16> {
        weigh::real(window, w, across, down)
    }
    fn pick<'a>(_: &'a [Pixel<u8>], sixteen: &'a [Pixel<u16>]) -> &'a [Pixel<u16>] {
        sixteen
    }
    fn take(samples: Samples) -> (Vec<u16>, usize) {
        let widen = |bytes: Vec<u8>| bytes.into_iter().map(|b| u16::from(b) * 257).collect();
        match samples {
            Samples::Rgb8(data) => (widen(data), 3),
            Samples::Rgba8(data) => (widen(data), 4),
            Samples::Rgb16(data) => (data, 3),
            Samples::Rgba16(data) => (data, 4),
        }
    }
}

/// 16 bits to 8, to nearest.
fn to_byte(word: u16) -> u8 {
    ((u32::from(word) + 128) / 257) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_quotients_are_rounded_exactly() {
        for a in 0..=255u8 {
            for b in 0..=255u8 {
                let exact = (f64::from(a) * f64::from(b) / 255.0 + 0.5).floor();
                assert_eq!(f64::from(a.mul(b)), exact, "{a} x {b}");
                if a <= b && b > 0 {
                    let exact = (f64::from(a) / f64::from(b) * 255.0 + 0.5 + 1e-9).floor();
                    assert_eq!(f64::from(a.over(b)), exact, "{a} / {b}");
                }
            }
        }
        for a in (0..=65_535u16).step_by(251) {
            for b in (0..=65_535u16).step_by(241) {
                let exact = (f64::from(a) * f64::from(b) / 65_535.0 + 0.5).floor();
                assert_eq!(f64::from(a.mul(b)), exact, "{a} x {b}");
            }
            assert_eq!(a.mul(65_535), a);
            assert_eq!(to_byte(u16::from_cover(a as u8)), a as u8);
        }
    }
}
