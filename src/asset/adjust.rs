//! Tone filters, blur and mattes on decoded pixels.
//!
//! Both backends call these on the upright picture as it was decoded, before it is cropped and
//! resampled, so that PNG and PDF agree. Alpha never changes except by a matte.
//! Everything is integer or plain `f32` arithmetic on single pixels and rows: the same bytes
//! with any number of threads.

use super::resample::{Grid, resample};
use super::{Picture, Pixels, Samples};
use crate::error::Violation;
use crate::scene::Adjust;
use fast_image_resize as fir;
use kurbo::Rect;
use rayon::prelude::*;
use std::ops::Range;

/// Pixels a task takes: enough to outweigh its cost.
const RUN: usize = 16 * 1024;
/// Colours that tones are worked out of at once.
const LANES: usize = 32;
/// Rec. 709 weights, as the luminosity masks use them.
const LUMA: [f32; 3] = [0.2126, 0.7152, 0.0722];

/// The luma of a gamma-encoded sRGB colour, components 0 to 1.
pub fn luma(rgb: [f32; 3]) -> f32 {
    LUMA[0] * rgb[0] + LUMA[1] * rgb[1] + LUMA[2] * rgb[2]
}

/// Columns and rows of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// From the left.
    pub columns: Range<usize>,
    /// From the top.
    pub rows: Range<usize>,
}

impl Window {
    /// The pixels that a part of the picture (in fractions of it) touches, and `around` more on each side.
    pub fn around(pixels: &Pixels, part: Rect, around: f64) -> Window {
        let range = |from: f64, to: f64, length: u32| {
            let most = f64::from(length);
            let at = |v: f64| v.clamp(0.0, most) as usize;
            at(libm::floor(from * most - around))..at(libm::ceil(to * most + around))
        };
        Window {
            columns: range(part.x0, part.x1, pixels.width),
            rows: range(part.y0, part.y1, pixels.height),
        }
    }

    /// Passes the window's part of each row of samples on, on all cores.
    fn run<T: Send>(&self, data: &mut [T], width: usize, channels: usize, each: impl Fn(&mut [T]) + Sync) {
        let stride = width * channels;
        let columns = self.columns.start * channels..self.columns.end * channels;
        if columns.is_empty() {
            return;
        }
        let rows = RUN.div_ceil(self.columns.len());
        data[self.rows.start * stride..self.rows.end * stride].par_chunks_mut(rows * stride).for_each(
            |rows| {
                rows.chunks_exact_mut(stride).for_each(|row| each(&mut row[columns.clone()]));
            },
        );
    }
}

/// Applies the adjustments in order. `px_per_mm` is the picture's own density on the page
/// (source pixels per millimetre, along its columns and rows): a blur's reach depends on it.
pub fn apply(pixels: &mut Pixels, adjust: &[Adjust], px_per_mm: (f64, f64)) {
    let whole = Window { columns: 0..pixels.width as usize, rows: 0..pixels.height as usize };
    apply_within(pixels, adjust, px_per_mm, &whole);
}

/// As [`apply`], where only a window's pixels will be looked at: others may stay as they are.
pub fn apply_within(pixels: &mut Pixels, adjust: &[Adjust], px_per_mm: (f64, f64), window: &Window) {
    if adjust.iter().any(|a| matches!(a, Adjust::Blur(_)))
        && (window.columns.len(), window.rows.len()) != (pixels.width as usize, pixels.height as usize)
    {
        // It reaches over the window's edge.
        return apply(pixels, adjust, px_per_mm);
    }
    let mut rest = adjust;
    while let Some(first) = rest.first() {
        if let Adjust::Blur(sigma_mm) = *first {
            super::blur::gaussian(pixels, (sigma_mm * px_per_mm.0, sigma_mm * px_per_mm.1));
            rest = &rest[1..];
            continue;
        }
        // A run of tone filters is one pass, rounded once.
        let run = rest.iter().position(|a| matches!(a, Adjust::Blur(_))).unwrap_or(rest.len());
        let (tones, after) = rest.split_at(run);
        if tones.iter().all(is_apart) {
            map_components(pixels, window, |c| {
                let mut color = [[c]; 3];
                tones.iter().for_each(|adjust| tone(&mut color, adjust));
                color[0][0]
            });
        } else {
            map_colors(pixels, window, tones);
        }
        rest = after;
    }
}

/// Whether a picture may be brought to its size first: tones of a reduced picture are those of the whole
/// one, while a blur's reach and a threshold's edges are given in the picture's own pixels.
pub fn may_follow(adjust: &[Adjust]) -> bool {
    !adjust.iter().any(|adjust| matches!(adjust, Adjust::Blur(_) | Adjust::Threshold(_)))
}

/// By how much a picture may be divided when it is decoded (1, 2, 4 or 8), where it has `spare` times the
/// pixels, along either side, that are shown.
pub fn shrink(picture: &Picture, adjust: &[Adjust], spare: f64) -> u32 {
    if !may_follow(adjust) {
        return 1;
    }
    let fits = |shrink: &u32| f64::from(*shrink) <= spare && picture.divides(*shrink);
    [8, 4, 2].into_iter().find(fits).unwrap_or(1)
}

/// Colours side by side, components apart: what is done to all of them is done to several at once.
type Lanes<const N: usize> = [[f32; N]; 3];

/// One tone filter on some colours; the results are clamped to 0 to 1.
fn tone<const N: usize>(colors: &mut Lanes<N>, adjust: &Adjust) {
    match *adjust {
        Adjust::Greyscale => each(colors, |rgb| [luma(rgb); 3]),
        Adjust::Sepia(amount) => {
            // The Filter Effects matrix, on the way from the identity by `amount`.
            let keep = 1.0 - amount.clamp(0.0, 1.0);
            each(colors, |[r, g, b]| {
                [
                    (0.393 + 0.607 * keep) * r + (0.769 - 0.769 * keep) * g + (0.189 - 0.189 * keep) * b,
                    (0.349 - 0.349 * keep) * r + (0.686 + 0.314 * keep) * g + (0.168 - 0.168 * keep) * b,
                    (0.272 - 0.272 * keep) * r + (0.534 - 0.534 * keep) * g + (0.131 + 0.869 * keep) * b,
                ]
            });
        }
        Adjust::Brightness(amount) => each(colors, |rgb| rgb.map(|c| c * amount)),
        Adjust::Contrast(amount) => each(colors, |rgb| rgb.map(|c| (c - 0.5) * amount + 0.5)),
        Adjust::Threshold(level) => {
            each(colors, |rgb| [if luma(rgb) >= level { 1.0 } else { 0.0 }; 3]);
        }
        Adjust::Duotone(dark, light) => each(colors, |rgb| {
            let y = luma(rgb);
            std::array::from_fn(|i| dark[i] + (light[i] - dark[i]) * y)
        }),
        Adjust::Blur(_) => {}
    }
}

#[inline(always)]
fn each<const N: usize>(colors: &mut Lanes<N>, map: impl Fn([f32; 3]) -> [f32; 3]) {
    let [red, green, blue] = colors;
    for ((r, g), b) in red.iter_mut().zip(green).zip(blue) {
        [*r, *g, *b] = map([*r, *g, *b]).map(|c| c.clamp(0.0, 1.0));
    }
}

/// Whether every component of the result depends on the same component only, and alike.
fn is_apart(adjust: &Adjust) -> bool {
    match adjust {
        Adjust::Brightness(_) | Adjust::Contrast(_) => true,
        Adjust::Greyscale
        | Adjust::Sepia(_)
        | Adjust::Blur(_)
        | Adjust::Threshold(_)
        | Adjust::Duotone(_, _) => false,
    }
}

/// Maps components alike: what each value becomes is worked out once.
fn map_components(pixels: &mut Pixels, window: &Window, map: impl Fn(f32) -> f32) {
    let width = pixels.width as usize;
    macro_rules! run {
        ($data:expr, $channels:literal, $type:ty) => {{
            let max = f32::from(<$type>::MAX);
            let table: Vec<$type> =
                (0..=<$type>::MAX).map(|v| (map(f32::from(v) / max) * max + 0.5) as $type).collect();
            window.run($data, width, $channels, |row| {
                for pixel in row.chunks_exact_mut($channels) {
                    for sample in &mut pixel[..3] {
                        *sample = table[usize::from(*sample)];
                    }
                }
            });
        }};
    }
    match &mut pixels.data {
        Samples::Rgb8(data) => {
            let table: [u8; 256] = std::array::from_fn(|v| (map(v as f32 / 255.0) * 255.0 + 0.5) as u8);
            window.run(data, width, 3, |row| look_up(row, &table));
        }
        Samples::Rgba8(data) => run!(data, 4, u8),
        Samples::Rgb16(data) => run!(data, 3, u16),
        Samples::Rgba16(data) => run!(data, 4, u16),
    }
}

/// Eight samples are stored at a time: storing single bytes is what would bound it.
fn look_up(samples: &mut [u8], table: &[u8; 256]) {
    let (eights, rest) = samples.as_chunks_mut::<8>();
    for eight in eights {
        *eight = eight.map(|sample| table[usize::from(sample)]);
    }
    for sample in rest {
        *sample = table[usize::from(*sample)];
    }
}

fn map_colors(pixels: &mut Pixels, window: &Window, tones: &[Adjust]) {
    let width = pixels.width as usize;
    macro_rules! run {
        ($data:expr, $channels:literal, $type:ty) => {{
            let max = f32::from(<$type>::MAX);
            window.run($data, width, $channels, |row| {
                for some in row.chunks_mut($channels * LANES) {
                    let mut colors = [[0.0; LANES]; 3];
                    for (at, pixel) in some.chunks_exact($channels).enumerate() {
                        for (lane, sample) in colors.iter_mut().zip(pixel) {
                            lane[at] = f32::from(*sample);
                        }
                    }
                    colors.as_flattened_mut().iter_mut().for_each(|c| *c /= max);
                    tones.iter().for_each(|adjust| tone(&mut colors, adjust));
                    colors.as_flattened_mut().iter_mut().for_each(|c| *c = *c * max + 0.5);
                    for (at, pixel) in some.chunks_exact_mut($channels).enumerate() {
                        for (lane, sample) in colors.iter().zip(pixel) {
                            *sample = lane[at] as $type;
                        }
                    }
                }
            });
        }};
    }
    match &mut pixels.data {
        Samples::Rgb8(data) => run!(data, 3, u8),
        Samples::Rgba8(data) => run!(data, 4, u8),
        Samples::Rgb16(data) => run!(data, 3, u16),
        Samples::Rgba16(data) => run!(data, 4, u16),
    }
}

/// Multiplies the picture's alpha by a matte, stretched over the whole picture. A matte with
/// transparent pixels speaks through its alpha; an opaque one through its luma (white is kept).
pub fn apply_matte(pixels: &mut Pixels, matte: &Pixels) -> Result<(), Violation> {
    let (width, height) = (pixels.width, pixels.height);
    let mut coverage = coverage(matte);
    if (matte.width, matte.height) != (width, height) {
        let mut stretched = vec![0u16; width as usize * height as usize];
        let options =
            fir::ResizeOptions::new().resize_alg(fir::ResizeAlg::Convolution(fir::FilterType::Bilinear));
        resample(
            &mut fir::Resizer::new(),
            fir::PixelType::U16,
            Grid { bytes: bytemuck::cast_slice(&coverage), size: (matte.width, matte.height) },
            Grid { bytes: bytemuck::cast_slice_mut(&mut stretched), size: (width, height) },
            &options,
        )?;
        coverage = stretched;
    }
    let data = std::mem::replace(&mut pixels.data, Samples::Rgb8(Vec::new()));
    pixels.data = match data {
        Samples::Rgb8(rgb) => Samples::Rgba8(
            rgb.chunks_exact(3).zip(&coverage).flat_map(|(p, c)| [p[0], p[1], p[2], to_u8(*c)]).collect(),
        ),
        Samples::Rgb16(rgb) => Samples::Rgba16(
            rgb.chunks_exact(3).zip(&coverage).flat_map(|(p, c)| [p[0], p[1], p[2], *c]).collect(),
        ),
        Samples::Rgba8(mut rgba) => {
            for (pixel, c) in rgba.chunks_exact_mut(4).zip(&coverage) {
                pixel[3] = ((u32::from(pixel[3]) * u32::from(*c) + 32_767) / 65_535) as u8;
            }
            Samples::Rgba8(rgba)
        }
        Samples::Rgba16(mut rgba) => {
            for (pixel, c) in rgba.chunks_exact_mut(4).zip(&coverage) {
                pixel[3] = ((u64::from(pixel[3]) * u64::from(*c) + 32_767) / 65_535) as u16;
            }
            Samples::Rgba16(rgba)
        }
    };
    Ok(())
}

fn to_u8(wide: u16) -> u8 {
    ((u32::from(wide) + 128) / 257) as u8
}

/// What a matte keeps of each pixel, 0 to 65,535.
fn coverage(matte: &Pixels) -> Vec<u16> {
    let luma8 = |p: &[u8]| (luma([f32::from(p[0]), f32::from(p[1]), f32::from(p[2])]) * 257.0 + 0.5) as u16;
    let luma16 = |p: &[u16]| (luma([f32::from(p[0]), f32::from(p[1]), f32::from(p[2])]) + 0.5) as u16;
    match &matte.data {
        Samples::Rgb8(data) => data.chunks_exact(3).map(luma8).collect(),
        Samples::Rgb16(data) => data.chunks_exact(3).map(luma16).collect(),
        Samples::Rgba8(data) => {
            if data.chunks_exact(4).all(|p| p[3] == u8::MAX) {
                data.chunks_exact(4).map(luma8).collect()
            } else {
                data.chunks_exact(4).map(|p| u16::from(p[3]) * 257).collect()
            }
        }
        Samples::Rgba16(data) => {
            if data.chunks_exact(4).all(|p| p[3] == u16::MAX) {
                data.chunks_exact(4).map(luma16).collect()
            } else {
                data.chunks_exact(4).map(|p| p[3]).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(rgb: [u8; 3], adjust: &[Adjust]) -> [u8; 3] {
        let mut pixels = Pixels { width: 1, height: 1, data: Samples::Rgb8(rgb.to_vec()) };
        apply(&mut pixels, adjust, (1.0, 1.0));
        match pixels.data {
            Samples::Rgb8(data) => [data[0], data[1], data[2]],
            Samples::Rgba8(_) | Samples::Rgb16(_) | Samples::Rgba16(_) => panic!("the depth changed"),
        }
    }

    #[test]
    fn tones_follow_their_formulas() {
        assert_eq!(one([255, 0, 0], &[Adjust::Greyscale]), [54; 3]);
        assert_eq!(one([100, 150, 200], &[Adjust::Sepia(0.0)]), [100, 150, 200]);
        assert_eq!(one([100, 100, 100], &[Adjust::Sepia(1.0)]), [135, 120, 94]);
        assert_eq!(one([100, 200, 10], &[Adjust::Brightness(1.5)]), [150, 255, 15]);
        assert_eq!(one([0, 128, 255], &[Adjust::Contrast(0.0)]), [128; 3]);
        assert_eq!(one([128; 3], &[Adjust::Threshold(0.5)]), [255; 3]);
        assert_eq!(one([127; 3], &[Adjust::Threshold(0.5)]), [0; 3]);
        assert_eq!(one([255; 3], &[Adjust::Duotone([0.0; 3], [1.0, 0.5, 0.0])]), [255, 128, 0]);
    }

    #[test]
    fn components_by_table_are_those_by_formula() {
        let tones = [Adjust::Contrast(1.3), Adjust::Brightness(0.9)];
        // A sepia of nothing changes nothing, and goes the long way.
        let long = [Adjust::Contrast(1.3), Adjust::Brightness(0.9), Adjust::Sepia(0.0)];
        for v in 0..=255 {
            assert_eq!(one([v, 255 - v, v / 2], &tones), one([v, 255 - v, v / 2], &long), "{v}");
        }
        let mut deep = Pixels { width: 1, height: 1, data: Samples::Rgba16(vec![0, 30_000, 65_535, 7]) };
        apply(&mut deep, &[Adjust::Brightness(0.5)], (1.0, 1.0));
        assert_eq!(deep.data, Samples::Rgba16(vec![0, 15_000, 32_768, 7]));
    }

    #[test]
    fn a_window_is_adjusted_as_the_whole_is() {
        let (width, height) = (37, 21);
        let picture = |channels: usize| {
            let data = (0..width * height * channels).map(|i| (i * i / 7) as u8).collect();
            let data = if channels == 4 { Samples::Rgba8(data) } else { Samples::Rgb8(data) };
            Pixels { width: width as u32, height: height as u32, data }
        };
        let bytes = |pixels: &Pixels| match &pixels.data {
            Samples::Rgb8(data) | Samples::Rgba8(data) => data.clone(),
            Samples::Rgb16(_) | Samples::Rgba16(_) => panic!("the depth changed"),
        };
        let part = Rect::new(0.2, 0.1, 0.7, 0.6);
        for channels in [3, 4] {
            let plain = picture(channels);
            let window = Window::around(&plain, part, 1.0);
            assert_eq!((window.columns.clone(), window.rows.clone()), (6..27, 1..14));
            for adjust in [Adjust::Contrast(1.4), Adjust::Sepia(0.8), Adjust::Blur(0.2)] {
                let (mut whole, mut within) = (picture(channels), picture(channels));
                apply(&mut whole, &[adjust], (9.0, 9.0));
                apply_within(&mut within, &[adjust], (9.0, 9.0), &window);
                let (whole, within, plain) = (bytes(&whole), bytes(&within), bytes(&plain));
                for (i, sample) in within.iter().enumerate() {
                    let (x, y) = (i / channels % width, i / channels / width);
                    let inside = window.columns.contains(&x) && window.rows.contains(&y);
                    let expected = if inside || adjust == Adjust::Blur(0.2) { whole[i] } else { plain[i] };
                    assert_eq!(*sample, expected, "{adjust:?} {x} {y}");
                }
                assert!(whole != plain);
            }
        }
    }

    #[test]
    fn a_matte_gives_alpha_and_multiplies_it() {
        let grey = Pixels { width: 1, height: 1, data: Samples::Rgb8(vec![128; 3]) };
        let mut opaque = Pixels { width: 2, height: 1, data: Samples::Rgb8(vec![9; 6]) };
        apply_matte(&mut opaque, &grey).unwrap();
        assert_eq!(opaque.data, Samples::Rgba8(vec![9, 9, 9, 128, 9, 9, 9, 128]));
        let cutout = Pixels { width: 1, height: 1, data: Samples::Rgba8(vec![0, 0, 0, 51]) };
        apply_matte(&mut opaque, &cutout).unwrap();
        assert_eq!(opaque.data, Samples::Rgba8(vec![9, 9, 9, 26, 9, 9, 9, 26]));
    }
}
