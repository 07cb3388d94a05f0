//! Gaussian blur of a picture's colours.
//!
//! One channel at a time as a 16-bit plane, so that a large photo costs two planes, not two
//! copies. A small deviation is convolved with its kernel; a larger one is three box filters,
//! as the Filter Effects specification allows, in exact integers. Beyond the picture's edge
//! its edge pixels repeat. Alpha is kept; transparent pixels lend no colour to their neighbours.

use super::{Pixels, Samples};
use rayon::prelude::*;

/// From this deviation on (in pixels) three boxes are as good as the kernel.
const BOXES_FROM: f64 = 2.0;
/// A deviation in pixels beyond which nothing changes that anyone could see.
const MAX_SIGMA: f64 = 20_000.0;
/// Weights of the kernel add up to this.
const ONE: u32 = 1 << 15;

/// Blurs the colours with these standard deviations, in pixels, along rows and columns.
pub(super) fn gaussian(pixels: &mut Pixels, sigma: (f64, f64)) {
    let (width, height) = (pixels.width as usize, pixels.height as usize);
    let usable = |s: f64| if s.is_finite() { s.clamp(0.0, MAX_SIGMA) } else { 0.0 };
    let sigma = (usable(sigma.0), usable(sigma.1));
    if width == 0 || height == 0 || (sigma.0 < 0.05 && sigma.1 < 0.05) {
        return;
    }
    let blur = |plane: Vec<u16>| {
        let across = transpose(&rows(plane, width, sigma.0), width);
        transpose(&rows(across, height, sigma.1), height)
    };
    macro_rules! opaque {
        ($data:expr, $wide:expr, $narrow:expr) => {
            for channel in 0..3 {
                let plane = blur($data.as_chunks::<3>().0.iter().map(|p| $wide(&p[channel])).collect());
                for (pixel, value) in $data.as_chunks_mut::<3>().0.iter_mut().zip(plane) {
                    pixel[channel] = $narrow(value);
                }
            }
        };
    }
    macro_rules! straight {
        ($data:expr, $wide:expr, $narrow:expr) => {
            let alpha = blur($data.chunks_exact(4).map(|p| $wide(&p[3])).collect());
            for channel in 0..3 {
                let weighted = |p: &[_]| {
                    ((u64::from($wide(&p[channel])) * u64::from($wide(&p[3])) + 32_767) / 65_535) as u16
                };
                let plane = blur($data.chunks_exact(4).map(weighted).collect());
                for ((pixel, value), alpha) in $data.chunks_exact_mut(4).zip(plane).zip(&alpha) {
                    if *alpha > 0 {
                        let straight = (u64::from(value) * 65_535 / u64::from(*alpha)).min(65_535);
                        pixel[channel] = $narrow(straight as u16);
                    }
                }
            }
        };
    }
    let wide8 = |s: &u8| u16::from(*s) * 257;
    let narrow8 = |s: u16| ((u32::from(s) + 128) / 257) as u8;
    match &mut pixels.data {
        Samples::Rgb8(data) => opaque!(data, wide8, narrow8),
        Samples::Rgb16(data) => opaque!(data, |s: &u16| *s, |s: u16| s),
        Samples::Rgba8(data) => {
            straight!(data, wide8, narrow8);
        }
        Samples::Rgba16(data) => {
            straight!(data, |s: &u16| *s, |s: u16| s);
        }
    }
}

/// Rows become columns, several at a time: a line of the cache is read once.
fn transpose(plane: &[u16], width: usize) -> Vec<u16> {
    const COLUMNS: usize = 32;
    let height = plane.len() / width;
    let mut out = vec![0; plane.len()];
    out.par_chunks_mut(height * COLUMNS).enumerate().for_each(|(some, columns)| {
        let from = some * COLUMNS;
        let count = columns.len() / height;
        for (y, row) in plane.chunks_exact(width).enumerate() {
            for (x, value) in row[from..from + count].iter().enumerate() {
                columns[x * height + y] = *value;
            }
        }
    });
    out
}

fn rows(mut plane: Vec<u16>, width: usize, sigma: f64) -> Vec<u16> {
    if sigma < 0.05 {
        return plane;
    }
    if sigma < BOXES_FROM {
        let kernel = kernel(sigma);
        plane.par_chunks_mut(width).for_each(|row| convolve(row, &kernel));
    } else {
        // The specification's box size, and its offsets for even sizes.
        let size = libm::floor(sigma * 3.0 * libm::sqrt(2.0 * std::f64::consts::PI) / 4.0 + 0.5) as usize;
        let half = size / 2;
        let boxes = if size % 2 == 1 {
            [(half, half), (half, half), (half, half)]
        } else {
            [(half, half - 1), (half - 1, half), (half, half)]
        };
        plane.par_chunks_mut(width).for_each_init(Vec::new, |room, row| {
            for (before, after) in boxes {
                box_filter(row, before, after, room);
            }
        });
    }
    plane
}

/// Half a symmetric kernel, the centre first, in parts of [`ONE`].
fn kernel(sigma: f64) -> Vec<u32> {
    let reach = libm::ceil(sigma * 3.0) as usize;
    let weight = |i: usize| libm::exp(-((i * i) as f64) / (2.0 * sigma * sigma));
    let sum = weight(0) + 2.0 * (1..=reach).map(weight).sum::<f64>();
    let mut kernel: Vec<u32> =
        (0..=reach).map(|i| libm::round(weight(i) / sum * f64::from(ONE)) as u32).collect();
    // Rounding must neither lighten nor darken a flat area.
    let sides: u32 = kernel[1..].iter().sum();
    kernel[0] = ONE - 2 * sides;
    kernel
}

fn convolve(row: &mut [u16], kernel: &[u32]) {
    let source = row.to_vec();
    let last = source.len() - 1;
    for (x, out) in row.iter_mut().enumerate() {
        let mut sum = u64::from(source[x]) * u64::from(kernel[0]);
        for (i, weight) in kernel.iter().enumerate().skip(1) {
            let pair = u64::from(source[x.saturating_sub(i)]) + u64::from(source[(x + i).min(last)]);
            sum += pair * u64::from(*weight);
        }
        *out = ((sum + u64::from(ONE / 2)) / u64::from(ONE)) as u16;
    }
}

/// The mean of `before` samples, the sample itself and `after` samples. `padded` is room that is kept.
fn box_filter(row: &mut [u16], before: usize, after: usize, padded: &mut Vec<u16>) {
    let (Some(first), Some(last)) = (row.first().copied(), row.last().copied()) else { return };
    let size = before + after + 1;
    if size < 2 {
        return;
    }
    padded.clear();
    padded.extend(std::iter::repeat_n(first, before));
    padded.extend_from_slice(row);
    padded.extend(std::iter::repeat_n(last, after + 1));
    // At most 65,535 times a size of MAX_SIGMA: 32 bits hold it. Of such a number the upper half of
    // the product with 2⁶⁴ / size, rounded up, is the quotient.
    let (size, reciprocal) = (size as u64, u64::MAX / size as u64 + 1);
    let mut sum: u64 = padded[..before + after + 1].iter().map(|s| u64::from(*s)).sum();
    let enter = &padded[before + after + 1..];
    for ((out, enters), leaves) in row.iter_mut().zip(enter).zip(&*padded) {
        *out = ((u128::from(sum + size / 2) * u128::from(reciprocal)) >> 64) as u16;
        sum = sum + u64::from(*enters) - u64::from(*leaves);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(pixels: &Pixels) -> Vec<u8> {
        match &pixels.data {
            Samples::Rgb8(data) => data.iter().step_by(3).copied().collect(),
            Samples::Rgba8(_) | Samples::Rgb16(_) | Samples::Rgba16(_) => panic!("the depth changed"),
        }
    }

    #[test]
    fn an_edge_becomes_the_gaussian_integral() {
        for sigma in [1.0, 1.7, 4.0, 9.5] {
            let data = (0..200).flat_map(|x| [if x < 100 { 0 } else { 255 }; 3]).collect();
            let mut pixels = Pixels { width: 200, height: 1, data: Samples::Rgb8(data) };
            gaussian(&mut pixels, (sigma, sigma));
            for (x, value) in grey(&pixels).into_iter().enumerate() {
                let z = (x as f64 + 0.5 - 100.0) / sigma;
                let want = 255.0 * 0.5 * (1.0 + libm::erf(z / std::f64::consts::SQRT_2));
                assert!((f64::from(value) - want).abs() < 5.0, "sigma {sigma} x {x}: {value}, not {want}");
            }
        }
    }

    #[test]
    fn flat_colour_stays_and_transparency_lends_nothing() {
        let mut flat = Pixels { width: 9, height: 7, data: Samples::Rgb8(vec![77; 9 * 7 * 3]) };
        gaussian(&mut flat, (1.3, 5.0));
        assert!(grey(&flat).iter().all(|v| *v == 77));
        let data = (0..20).flat_map(|x| if x < 10 { [200, 10, 10, 255] } else { [0, 0, 0, 0] }).collect();
        let mut cutout = Pixels { width: 20, height: 1, data: Samples::Rgba8(data) };
        gaussian(&mut cutout, (3.0, 3.0));
        let Samples::Rgba8(data) = cutout.data else { panic!("the depth changed") };
        assert!(data.chunks_exact(4).take(10).all(|p| p[0].abs_diff(200) <= 1 && p[3] == 255));
        assert!(data.chunks_exact(4).skip(10).all(|p| p[3] == 0));
    }
}
