//! Reading a picture between its pixels, for placements that are turned or sheared.

use super::layer::Layer;
use super::sample::{Pixel, Sample};

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

fn catmull_rom(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [
        0.5 * (-t3 + 2.0 * t2 - t),
        0.5 * (3.0 * t3 - 5.0 * t2 + 2.0),
        0.5 * (-3.0 * t3 + 4.0 * t2 + t),
        0.5 * (t3 - t2),
    ]
}

/// Between the four nearest pixels; nothing beyond the border.
#[inline]
pub(super) fn bilinear<S: Sample>(layer: &Layer<S>, u: f32, v: f32) -> Pixel<S> {
    let (w, h) = (layer.area.width() as i32, layer.area.height() as i32);
    let (u, v) = (u - 0.5, v - 0.5);
    let (x, y) = (u.floor(), v.floor());
    let (fx, fy) = (u - x, v - y);
    let (x, y) = (x as i32, y as i32);
    if x < -1 || y < -1 || x >= w || y >= h {
        return [S::ZERO; 4];
    }
    let at = |x: i32, y: i32| {
        if x < 0 || y < 0 || x >= w || y >= h {
            [S::ZERO; 4]
        } else {
            layer.data[y as usize * w as usize + x as usize]
        }
    };
    lerp([at(x, y), at(x + 1, y), at(x, y + 1), at(x + 1, y + 1)], fx, fy)
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
