//! Tone and blur filters of pictures, on straight gamma-encoded sRGB; alpha is kept.

use super::sample::Sample;
use super::texture::Texture;
use crate::scene::Adjust;

/// Applies adjustments in order. `px_per_mm` takes a blur's millimetres to the picture's pixels.
pub(super) fn apply<S: Sample>(texture: &mut Texture<S>, adjusts: &[Adjust], px_per_mm: (f64, f64)) {
    for adjust in adjusts {
        match *adjust {
            Adjust::Greyscale => each(texture, |rgb| [luma(rgb); 3]),
            Adjust::Sepia(amount) => each(texture, |rgb| sepia(rgb, amount)),
            Adjust::Brightness(amount) => each(texture, |rgb| rgb.map(|c| c * amount)),
            Adjust::Contrast(amount) => each(texture, |rgb| rgb.map(|c| (c - 0.5) * amount + 0.5)),
            Adjust::Threshold(level) => {
                each(texture, |rgb| if luma(rgb) >= level { [1.0; 3] } else { [0.0; 3] });
            }
            Adjust::Duotone(dark, light) => each(texture, |rgb| {
                let t = luma(rgb);
                [0, 1, 2].map(|i: usize| dark[i] + (light[i] - dark[i]) * t)
            }),
            Adjust::Blur(mm) => blur(texture, mm * px_per_mm.0, mm * px_per_mm.1),
        }
    }
}

fn each<S: Sample>(texture: &mut Texture<S>, change: impl Fn([f32; 3]) -> [f32; 3]) {
    for pixel in texture.data.chunks_exact_mut(texture.channels) {
        let changed = change([pixel[0].to_unit(), pixel[1].to_unit(), pixel[2].to_unit()]);
        for (c, new) in pixel.iter_mut().zip(changed) {
            *c = S::from_unit(new);
        }
    }
}

/// Rec. 709 luma.
pub(super) fn luma([r, g, b]: [f32; 3]) -> f32 {
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// The matrix of the Filter Effects specification.
fn sepia([r, g, b]: [f32; 3], amount: f32) -> [f32; 3] {
    let k = 1.0 - amount.clamp(0.0, 1.0);
    [
        (0.393 + 0.607 * k) * r + (0.769 - 0.769 * k) * g + (0.189 - 0.189 * k) * b,
        (0.349 - 0.349 * k) * r + (0.686 + 0.314 * k) * g + (0.168 - 0.168 * k) * b,
        (0.272 - 0.272 * k) * r + (0.534 - 0.534 * k) * g + (0.131 + 0.869 * k) * b,
    ]
}

/// Gaussian blur as three box blurs, whose cost does not grow with the radius. Colours are
/// weighted by their alpha; the border's pixels go on beyond it.
fn blur<S: Sample>(texture: &mut Texture<S>, sigma_x: f64, sigma_y: f64) {
    let (w, h, n) = (texture.width, texture.height, texture.channels);
    let weigh = |data: &mut [S], unweigh: bool| {
        for pixel in data.chunks_exact_mut(4) {
            let alpha = pixel[3];
            for c in &mut pixel[..3] {
                *c = if unweigh { c.over(alpha) } else { c.mul(alpha) };
            }
        }
    };
    if n == 4 {
        weigh(&mut texture.data, false);
    }
    let mut line = Vec::new();
    for size in boxes(sigma_x) {
        for row in texture.data.chunks_exact_mut(w * n) {
            line.clear();
            line.extend_from_slice(row);
            for k in 0..n {
                box_blur(line.iter().skip(k).step_by(n).copied(), w, size, |i, v| row[i * n + k] = v);
            }
        }
    }
    let stride = w * n;
    for size in boxes(sigma_y) {
        for column in 0..stride {
            line.clear();
            line.extend(texture.data.iter().skip(column).step_by(stride).copied());
            let data = &mut texture.data;
            box_blur(line.iter().copied(), h, size, |i, v| data[i * stride + column] = v);
        }
    }
    if n == 4 {
        weigh(&mut texture.data, true);
    }
}

/// Odd widths of three boxes that together have a standard deviation.
fn boxes(sigma: f64) -> Vec<usize> {
    if sigma < 0.3 {
        return Vec::new();
    }
    let ideal = libm::sqrt(12.0 * sigma * sigma / 3.0 + 1.0);
    let mut low = libm::floor(ideal.min(1e6)) as i64;
    low -= 1 - low % 2;
    let l = low as f64;
    let wider = libm::round((12.0 * sigma * sigma - 3.0 * l * l - 12.0 * l - 9.0) / (-4.0 * l - 4.0));
    (0..3).map(|i| if f64::from(i) < wider { low } else { low + 2 }.max(1) as usize).collect()
}

/// A running mean over `size` neighbours.
fn box_blur<S: Sample>(
    values: impl Iterator<Item = S>,
    count: usize,
    size: usize,
    mut put: impl FnMut(usize, S),
) {
    let values: Vec<f64> = values.map(|v| f64::from(v.to_unit())).collect();
    let reach = size / 2;
    let at = |i: i64| values[i.clamp(0, count as i64 - 1) as usize];
    let reach_i = reach as i64;
    let mut sum: f64 = (-reach_i..=reach_i).map(at).sum();
    let share = 1.0 / size as f64;
    for i in 0..count {
        put(i, S::from_unit((sum * share) as f32));
        sum += at(i as i64 + reach_i + 1) - at(i as i64 - reach_i);
    }
}
