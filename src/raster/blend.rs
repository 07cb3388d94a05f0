//! How one row of premultiplied pixels meets the row beneath it.
//!
//! The formulas are those of ISO 32000-1, 11.3.5, in gamma-encoded sRGB or in inks. Normal, the common
//! one, is whole-number arithmetic; the others work on real colours, with true divisions.

use super::colorants::Mixing;
use super::sample::{Pixel, Sample};
use crate::scene::Blend;

/// Pixels whose coverage or alpha is looked at together: most are all covered or all empty.
const PIECE: usize = 32;

/// Paints `source` over `target`, thinned by coverage (8 bits, one a pixel) and opacity.
pub(super) fn paint_row<S: Sample>(
    target: &mut [Pixel<S>],
    source: &[Pixel<S>],
    cover: Option<&[u8]>,
    opacity: S,
    mixing: Mixing,
) {
    if mixing != Mixing::NORMAL {
        for (i, (below, above)) in target.iter_mut().zip(source).enumerate() {
            let cover = cover.map_or(S::MAX, |c| S::from_cover(c[i]));
            let above = thin(*above, cover.mul(opacity));
            if above[3] != S::ZERO {
                *below = mix(*below, above, mixing);
            }
        }
        return;
    }
    match cover {
        None if opacity == S::MAX => {
            for (target, source) in target.chunks_mut(PIECE).zip(source.chunks(PIECE)) {
                let alphas = source.iter().map(|pixel| pixel[3]);
                let (least, most) = alphas.fold((S::MAX, S::ZERO), |(a, b), c| (a.min(c), b.max(c)));
                if least == S::MAX {
                    target.copy_from_slice(source);
                } else if most != S::ZERO {
                    for (below, above) in target.iter_mut().zip(source) {
                        put(below, *above);
                    }
                }
            }
        }
        None => {
            for (below, above) in target.iter_mut().zip(source) {
                put(below, thin(*above, opacity));
            }
        }
        Some(cover) if opacity == S::MAX => {
            // Most of a row is wholly covered or not at all: in pieces, so that those are found.
            let pieces = target.chunks_mut(PIECE).zip(source.chunks(PIECE)).zip(cover.chunks(PIECE));
            for ((target, source), cover) in pieces {
                let (least, most) = cover.iter().fold((255, 0), |(a, b), c| (a.min(*c), b.max(*c)));
                if least == 255 {
                    paint_row(target, source, None, opacity, mixing);
                } else if most != 0 {
                    for ((below, above), cover) in target.iter_mut().zip(source).zip(cover) {
                        if *cover != 0 {
                            put(below, thin(*above, S::from_cover(*cover)));
                        }
                    }
                }
            }
        }
        Some(cover) => {
            for ((below, above), cover) in target.iter_mut().zip(source).zip(cover) {
                if *cover != 0 {
                    put(below, thin(*above, S::from_cover(*cover).mul(opacity)));
                }
            }
        }
    }
}

/// Paints opaque pixels, without their alpha, over `target` where it is covered.
pub(super) fn paint_opaque<S: Sample>(target: &mut [Pixel<S>], source: &[[S; 3]], cover: Option<&[u8]>) {
    let opaque = |[r, g, b]: [S; 3]| [r, g, b, S::MAX];
    let Some(cover) = cover else {
        target.iter_mut().zip(source).for_each(|(below, above)| *below = opaque(*above));
        return;
    };
    let pieces = target.chunks_mut(PIECE).zip(source.chunks(PIECE)).zip(cover.chunks(PIECE));
    for ((target, source), cover) in pieces {
        let (least, most) = cover.iter().fold((255, 0), |(a, b), c| (a.min(*c), b.max(*c)));
        if least == 255 {
            target.iter_mut().zip(source).for_each(|(below, above)| *below = opaque(*above));
        } else if most != 0 {
            for ((below, above), cover) in target.iter_mut().zip(source).zip(cover) {
                if *cover != 0 {
                    put(below, thin(opaque(*above), S::from_cover(*cover)));
                }
            }
        }
    }
}

/// Paints one premultiplied colour over `target` where it is covered.
pub(super) fn paint_solid<S: Sample>(target: &mut [Pixel<S>], cover: &[u8], color: Pixel<S>) {
    let opaque = color[3] == S::MAX;
    for (target, cover) in target.chunks_mut(PIECE).zip(cover.chunks(PIECE)) {
        let (least, most) = cover.iter().fold((255, 0), |(a, b), c| (a.min(*c), b.max(*c)));
        match (least, most) {
            (_, 0) => {}
            (255, _) if opaque => target.fill(color),
            (_, _) => {
                for (below, cover) in target.iter_mut().zip(cover) {
                    match *cover {
                        0 => {}
                        255 => put(below, color),
                        part => put(below, thin(color, S::from_cover(part))),
                    }
                }
            }
        }
    }
}

/// Paints `source` over `target` in the channels that are not spared. A spared channel keeps
/// what lies beneath, and is without ink where nothing does.
pub(super) fn paint_sparing<S: Sample>(
    target: &mut [Pixel<S>],
    source: &[Pixel<S>],
    cover: &[u8],
    spared: [bool; 3],
) {
    for ((below, above), cover) in target.iter_mut().zip(source).zip(cover) {
        let above = thin(*above, S::from_cover(*cover));
        let (free, rest) = (below[3].inverse(), above[3].inverse());
        for i in 0..3 {
            below[i] =
                if spared[i] { below[i].plus(above[3].mul(free)) } else { above[i].plus(below[i].mul(rest)) };
        }
        below[3] = above[3].plus(below[3].mul(rest));
    }
}

/// Source over.
#[inline(always)]
fn put<S: Sample>(below: &mut Pixel<S>, above: Pixel<S>) {
    if above[3] == S::MAX {
        *below = above;
    } else if above[3] != S::ZERO {
        let rest = above[3].inverse();
        for (b, a) in below.iter_mut().zip(above) {
            *b = a.plus(b.mul(rest));
        }
    }
}

#[inline(always)]
fn thin<S: Sample>(pixel: Pixel<S>, by: S) -> Pixel<S> {
    pixel.map(|c| c.mul(by))
}

/// Any blend mode, on premultiplied pixels:
/// `(1 - αs) αb Cb + (1 - αb) αs Cs + αb αs B(Cb, Cs)`.
fn mix<S: Sample>(below: Pixel<S>, above: Pixel<S>, mixing: Mixing) -> Pixel<S> {
    let (alpha_b, alpha_s) = (below[3].to_unit(), above[3].to_unit());
    let straight = |pixel: Pixel<S>, alpha: f32| {
        [0, 1, 2].map(|i: usize| if alpha > 0.0 { (pixel[i].to_unit() / alpha).min(1.0) } else { 0.0 })
    };
    let (cb, cs) = (straight(below, alpha_b), straight(above, alpha_s));
    let both = match mixing {
        Mixing::Whole(blend) => blend_color(blend, cb, cs),
        Mixing::Apart(blends) => [0, 1, 2].map(|i: usize| match blends[i] {
            None => cb[i],
            Some(blend) => blend_color(blend, [cb[i]; 3], [cs[i]; 3])[0],
        }),
    };
    let alpha = alpha_b + alpha_s - alpha_b * alpha_s;
    let color = [0, 1, 2].map(|i: usize| {
        (1.0 - alpha_s) * alpha_b * cb[i] + (1.0 - alpha_b) * alpha_s * cs[i] + alpha_b * alpha_s * both[i]
    });
    let alpha = S::from_unit(alpha);
    let [r, g, b] = color.map(|c| S::from_unit(c).min(alpha));
    [r, g, b, alpha]
}

/// `B(Cb, Cs)` of the standard: backdrop and source colours without their alpha.
pub(super) fn blend_color(blend: Blend, backdrop: [f32; 3], source: [f32; 3]) -> [f32; 3] {
    let each = |f: fn(f32, f32) -> f32| [0, 1, 2].map(|i: usize| f(backdrop[i], source[i]));
    match blend {
        Blend::Normal => source,
        Blend::Multiply => each(|b, s| b * s),
        Blend::Screen => each(screen),
        Blend::Overlay => each(|b, s| hard_light(s, b)),
        Blend::Darken => each(f32::min),
        Blend::Lighten => each(f32::max),
        Blend::ColorDodge => each(|b, s| {
            if b == 0.0 {
                0.0
            } else if b >= 1.0 - s {
                1.0
            } else {
                b / (1.0 - s)
            }
        }),
        Blend::ColorBurn => each(|b, s| {
            if b == 1.0 {
                1.0
            } else if 1.0 - b >= s {
                0.0
            } else {
                1.0 - (1.0 - b) / s
            }
        }),
        Blend::HardLight => each(hard_light),
        Blend::SoftLight => each(soft_light),
        Blend::Difference => each(|b, s| (b - s).abs()),
        Blend::Exclusion => each(|b, s| b + s - 2.0 * b * s),
        Blend::Hue => set_lum(set_sat(source, sat(backdrop)), lum(backdrop)),
        Blend::Saturation => set_lum(set_sat(backdrop, sat(source)), lum(backdrop)),
        Blend::Color => set_lum(source, lum(backdrop)),
        Blend::Luminosity => set_lum(backdrop, lum(source)),
    }
}

fn screen(b: f32, s: f32) -> f32 {
    b + s - b * s
}

fn hard_light(b: f32, s: f32) -> f32 {
    if s <= 0.5 { b * (2.0 * s) } else { screen(b, 2.0 * s - 1.0) }
}

fn soft_light(b: f32, s: f32) -> f32 {
    if s <= 0.5 {
        b - (1.0 - 2.0 * s) * b * (1.0 - b)
    } else {
        let d = if b <= 0.25 { ((16.0 * b - 12.0) * b + 4.0) * b } else { b.sqrt() };
        b + (2.0 * s - 1.0) * (d - b)
    }
}

fn lum([r, g, b]: [f32; 3]) -> f32 {
    0.3 * r + 0.59 * g + 0.11 * b
}

fn sat([r, g, b]: [f32; 3]) -> f32 {
    r.max(g).max(b) - r.min(g).min(b)
}

fn set_lum(color: [f32; 3], to: f32) -> [f32; 3] {
    let by = to - lum(color);
    let color = color.map(|c| c + by);
    let l = lum(color);
    let [r, g, b] = color;
    let (low, high) = (r.min(g).min(b), r.max(g).max(b));
    let mut clipped = color;
    if low < 0.0 {
        clipped = clipped.map(|c| l + (c - l) * l / (l - low));
    }
    if high > 1.0 {
        clipped = clipped.map(|c| l + (c - l) * (1.0 - l) / (high - l));
    }
    clipped
}

fn set_sat(color: [f32; 3], to: f32) -> [f32; 3] {
    let [r, g, b] = color;
    let (low, range) = (r.min(g).min(b), sat(color));
    if range > 0.0 { color.map(|c| (c - low) * to / range) } else { [0.0; 3] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(blend: Blend, below: Pixel<u8>, above: Pixel<u8>) -> Pixel<u8> {
        let mut row = [below];
        paint_row(&mut row, &[above], None, 255, Mixing::Whole(blend));
        row[0]
    }

    #[test]
    fn opaque_colours_blend_as_the_standard_says() {
        // Worked by hand from ISO 32000-1, tables 136 and 137, for b = 0.2, s = 0.6 and b = 0.8, s = 0.4.
        let cases = [
            (Blend::Multiply, 0.12, 0.32),
            (Blend::Screen, 0.68, 0.88),
            (Blend::Overlay, 0.24, 0.76),
            (Blend::Darken, 0.2, 0.4),
            (Blend::Lighten, 0.6, 0.8),
            (Blend::ColorDodge, 0.5, 1.0),
            (Blend::ColorBurn, 0.0, 0.5),
            (Blend::HardLight, 0.36, 0.64),
            (Blend::SoftLight, 0.2 + 0.2 * (0.448 - 0.2), 0.8 - 0.2 * 0.8 * 0.2),
            (Blend::Difference, 0.4, 0.4),
            (Blend::Exclusion, 0.56, 0.56),
        ];
        for (blend, first, second) in cases {
            let got = over(blend, [51, 204, 0, 255], [153, 102, 0, 255]);
            assert_eq!(got[0], (first * 255.0f32).round() as u8, "{blend:?} 0.2, 0.6");
            assert_eq!(got[1], (second * 255.0f32).round() as u8, "{blend:?} 0.8, 0.4");
        }
    }

    #[test]
    fn the_modes_of_colour_keep_what_they_promise() {
        let (b, s) = ([0.2, 0.5, 0.9], [0.7, 0.3, 0.4]);
        for (blend, luminosity) in [
            (Blend::Hue, lum(b)),
            (Blend::Saturation, lum(b)),
            (Blend::Color, lum(b)),
            (Blend::Luminosity, lum(s)),
        ] {
            let mixed = blend_color(blend, b, s);
            assert!((lum(mixed) - luminosity).abs() < 1e-5, "{blend:?} {mixed:?}");
            assert!(mixed.iter().all(|c| (-1e-6..=1.000_001).contains(c)));
        }
        assert!((sat(blend_color(Blend::Hue, [0.4, 0.5, 0.6], s)) - 0.2).abs() < 1e-5);
    }

    #[test]
    fn every_mode_leaves_what_it_does_not_touch() {
        for blend in [Blend::Normal, Blend::Multiply, Blend::ColorDodge, Blend::Hue, Blend::SoftLight] {
            assert_eq!(over(blend, [10, 20, 30, 200], [0, 0, 0, 0]), [10, 20, 30, 200], "{blend:?}");
            assert_eq!(over(blend, [0, 0, 0, 0], [10, 20, 30, 40]), [10, 20, 30, 40], "{blend:?}");
        }
    }

    #[test]
    fn half_over_half_is_three_quarters() {
        assert_eq!(over(Blend::Normal, [0, 0, 128, 128], [128, 0, 0, 128]), [128, 0, 64, 192]);
        let mut row = [[0u16; 4]];
        paint_row(&mut row, &[[65_535, 0, 0, 65_535]], Some(&[128]), 65_535, Mixing::NORMAL);
        assert_eq!(row[0], [32_896, 0, 0, 32_896]);
    }
}
