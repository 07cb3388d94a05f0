//! Reading a picture between its pixels, for placements that are turned or sheared.

use super::layer::Layer;
use super::sample::{Pixel, Sample};
use super::weigh::{PHASES, catmull_rom};
use kurbo::{Affine, Point};
use std::ops::Range;

/// The nearest pixel; beyond the border, the border.
#[inline]
pub(super) fn nearest<S: Sample>(layer: &Layer<S>, u: f32, v: f32) -> Pixel<S> {
    let (w, h) = (layer.area.width() as i32, layer.area.height() as i32);
    let x = (u.floor() as i32).clamp(0, w - 1) as usize;
    let y = (v.floor() as i32).clamp(0, h - 1) as usize;
    layer.data[y * w as usize + x]
}

/// Catmull-Rom over 4 × 4 pixels; beyond the border, the border. (0.5, 0.5) is the first pixel's centre.
pub(super) fn bicubic<S: Sample>(layer: &Layer<S>, u: f32, v: f32) -> Pixel<S> {
    let (w, h) = (layer.area.width() as i32, layer.area.height() as i32);
    let (u, v) = (u - 0.5, v - 0.5);
    let (x, y) = (u.floor(), v.floor());
    let (across, down) = (catmull_rom(u - x), catmull_rom(v - y));
    let (x, y) = (x as i32, y as i32);
    let mut sum = [0.0f32; 4];
    for (j, weight_y) in (0i32..).zip(down) {
        let row = (y - 1 + j).clamp(0, h - 1) as usize * w as usize;
        let mut line = [0.0f32; 4];
        for (i, weight_x) in (0i32..).zip(across) {
            let pixel = layer.data[row + (x - 1 + i).clamp(0, w - 1) as usize];
            for (l, p) in line.iter_mut().zip(pixel) {
                *l += p.to_unit() * weight_x;
            }
        }
        for (s, l) in sum.iter_mut().zip(line) {
            *s += l * weight_y;
        }
    }
    let [r, g, b, a] = sum.map(S::from_unit);
    [r.min(a), g.min(a), b.min(a), a]
}

/// How far from a place [`turned_row`] reads, and one more for rounding.
pub(super) const REACH: i32 = 3;

/// A row of Catmull-Rom readings from a layer: the first at `at`, the others a step of `from_px` to the
/// right each. Gives which were set: those that need nothing from beyond the layer, which are all that
/// show something where it has a margin of [`REACH`] empty pixels.
pub(super) fn turned_row<S: Sample>(
    layer: &Layer<S>,
    at: Point,
    from_px: Affine,
    out: &mut [Pixel<S>],
) -> Range<usize> {
    /// Fixed point, 32 bits after the point: exact sums, the same for every row.
    const ONE: f64 = 4_294_967_296.0;
    let (w, h) = (layer.area.width(), layer.area.height());
    if w < 4 || h < 4 {
        return 0..0;
    }
    let fixed = |v: f64| (v.clamp(-1e8, 1e8) * ONE) as i64;
    let [a, b, ..] = from_px.as_coeffs();
    let (u, du) = (fixed(at.x - 0.5), fixed(a));
    let (v, dv) = (fixed(at.y - 0.5), fixed(b));
    let whole = |n: usize| (n as i64) << 32;
    let (first, end) = inside(u, du, whole(1), whole(w - 2), out.len());
    let (top, bottom) = inside(v, dv, whole(1), whole(h - 2), out.len());
    let (first, end) = (first.max(top), end.min(bottom));
    if first >= end {
        return 0..0;
    }
    let (mut u, mut v) = (u + du * first as i64, v + dv * first as i64);
    for pixel in &mut out[first..end] {
        let start = ((v >> 32) as usize - 1) * w + (u >> 32) as usize - 1;
        *pixel = S::weighed(&layer.data[start..start + 3 * w + 4], w, phase(u), phase(v));
        u += du;
        v += dv;
    }
    first..end
}

/// Which weights a fixed-point place takes.
#[inline(always)]
fn phase(place: i64) -> usize {
    ((place >> 24) & (PHASES as i64 - 1)) as usize
}

/// Which of `count` steps from `start` lie in `low..high`.
fn inside(start: i64, step: i64, low: i64, high: i64, count: usize) -> (usize, usize) {
    let (first, end) = match step.signum() {
        0 if (low..high).contains(&start) => (0, i64::MAX),
        0 => (0, 0),
        1 => (ceil_div(low - start, step), ceil_div(high - start, step)),
        _negative => (ceil_div(start - high + 1, -step), ceil_div(start - low + 1, -step)),
    };
    let bounded = |n: i64| n.clamp(0, count as i64) as usize;
    (bounded(first), bounded(end))
}

fn ceil_div(a: i64, b: i64) -> i64 {
    a.div_euclid(b) + i64::from(a.rem_euclid(b) != 0)
}

/// Between the four nearest pixels of a layer that repeats without end; (u, v) lies inside it.
#[inline]
pub(super) fn bilinear_wrapped<S: Sample>(layer: &Layer<S>, u: f32, v: f32) -> Pixel<S> {
    let (w, h) = (layer.area.width() as i32, layer.area.height() as i32);
    let (u, v) = (u - 0.5, v - 0.5);
    let (x, y) = (u.floor(), v.floor());
    let (fx, fy) = (u - x, v - y);
    let (x0, y0) = ((x as i32).rem_euclid(w) as usize, (y as i32).rem_euclid(h) as usize);
    let (x1, y1) = ((x0 + 1) % w as usize, (y0 + 1) % h as usize);
    let at = |x: usize, y: usize| layer.data[y * w as usize + x];
    lerp([at(x0, y0), at(x1, y0), at(x0, y1), at(x1, y1)], fx, fy)
}

#[inline(always)]
fn lerp<S: Sample>([a, b, c, d]: [Pixel<S>; 4], fx: f32, fy: f32) -> Pixel<S> {
    if a == b && a == c && a == d {
        return a;
    }
    let weights = [(1.0 - fx) * (1.0 - fy), fx * (1.0 - fy), (1.0 - fx) * fy, fx * fy];
    [0, 1, 2, 3].map(|k: usize| {
        S::from_unit(
            a[k].to_unit() * weights[0]
                + b[k].to_unit() * weights[1]
                + c[k].to_unit() * weights[2]
                + d[k].to_unit() * weights[3],
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::layer::Area;
    use crate::scene::rotation;

    /// A cell of noise inside its empty margin.
    fn cell(side: i32) -> Layer<u8> {
        let area = Area::new(0, 0, side, side);
        let mut layer = Layer::new(area);
        let mut seed = 7_u32;
        for y in REACH..side - REACH {
            for pixel in layer.row_mut(y, REACH, side - REACH) {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let alpha = (seed >> 24) as u8;
                *pixel = [alpha / 2, alpha / 3, alpha, alpha];
            }
        }
        layer
    }

    #[test]
    fn a_turned_row_reads_what_one_reading_at_a_time_does() {
        let layer = cell(40);
        let mut covered = 0;
        for degrees in [0.0, 17.0, 90.0, 163.0, 270.0] {
            let from_px = Affine::translate((20.0, 20.0))
                * rotation(degrees)
                * Affine::scale(0.83)
                * Affine::translate((-31.0, -29.5));
            for y in 0..60 {
                let at = from_px * Point::new(0.5, f64::from(y) + 0.5);
                let mut row = [[0_u8; 4]; 60];
                let set = turned_row(&layer, at, from_px, &mut row);
                assert!(row.iter().enumerate().all(|(x, pixel)| set.contains(&x) || *pixel == [0; 4]));
                for (x, pixel) in (0..).zip(row) {
                    let at = from_px * Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
                    let one = bicubic(&layer, at.x as f32, at.y as f32);
                    for (a, b) in pixel.iter().zip(one) {
                        assert!(a.abs_diff(b) <= 4, "{degrees} {x} {y}: {pixel:?} {one:?}");
                        covered += usize::from(*a > 0);
                    }
                }
            }
        }
        assert!(covered > 10_000, "{covered}");
    }

    #[test]
    fn steps_outside_the_layer_are_left_alone() {
        assert_eq!(inside(0, 0, 1, 5, 9), (0, 0));
        assert_eq!(inside(3, 0, 1, 5, 9), (0, 9));
        assert_eq!(inside(-4, 2, 1, 5, 9), (3, 5));
        assert_eq!(inside(9, -2, 1, 5, 9), (3, 5));
        assert_eq!(inside(9, 2, 1, 5, 9), (0, 0));
    }
}
