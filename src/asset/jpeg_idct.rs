//! A JPEG block's coefficients become samples, at full size or reduced.
//!
//! At full size this is the accurate integer transform of the Independent JPEG Group. Reduced to 4,
//! 2 or 1 samples a side, the coefficients of the lowest frequencies go through a transform of that
//! size: what is left out is what the smaller picture could not show. All is whole-number
//! arithmetic; sums wrap where hostile coefficients overflow them.

use std::num::Wrapping;

type Number = Wrapping<i32>;

/// Bits after the point of the constants.
const POINT: usize = 13;
/// Bits after the point between the two passes.
const BETWEEN: usize = 2;

const fn fixed(value: f64) -> Number {
    Wrapping((value * (1 << POINT) as f64 + 0.5) as i32)
}

/// Writes the samples of a block into a plane of `stride` columns, from `at`. `size` is 8, 4, 2 or 1.
/// Coefficients are in natural order; `quantizers` too. `highest` bounds the zigzag places of
/// coefficients that are not zero.
pub(super) fn inverse(
    coefficients: &[i16; 64],
    quantizers: &[u16; 64],
    highest: usize,
    size: usize,
    plane: &mut [u8],
    (at, stride): (usize, usize),
) {
    if highest == 0 || size == 1 {
        let level = Wrapping(i32::from(coefficients[0])) * Wrapping(i32::from(quantizers[0]));
        let value = sample((level + Wrapping(4)) >> 3);
        for y in 0..size {
            plane[at + y * stride..][..size].fill(value);
        }
        return;
    }
    let levels: [Number; 64] =
        std::array::from_fn(|i| Wrapping(i32::from(coefficients[i]) * i32::from(quantizers[i])));
    match size {
        8 => full(levels, plane, at, stride),
        4 => quarter(&levels, plane, at, stride),
        _two => two(&levels, plane, at, stride),
    }
}

fn sample(value: Number) -> u8 {
    (value.0.wrapping_add(128)).clamp(0, 255) as u8
}

/// Both passes at once over eight lines that lie side by side: `lines[k]` holds the eight lines'
/// numbers at place `k`.
#[inline(always)]
fn pass(lines: [[Number; 8]; 8], shift: usize) -> [[Number; 8]; 8] {
    let half = Wrapping(1 << (shift - 1));
    let mut out = [[Wrapping(0); 8]; 8];
    for i in 0..8 {
        let [x0, x1, x2, x3, x4, x5, x6, x7] = [0, 1, 2, 3, 4, 5, 6, 7].map(|k: usize| lines[k][i]);
        // The even part.
        let z1 = (x2 + x6) * const { fixed(0.541_196_100) };
        let t2 = z1 - x6 * const { fixed(1.847_759_065) };
        let t3 = z1 + x2 * const { fixed(0.765_366_865) };
        let (t0, t1) = ((x0 + x4) << POINT, (x0 - x4) << POINT);
        let (e0, e3, e1, e2) = (t0 + t3, t0 - t3, t1 + t2, t1 - t2);
        // The odd part.
        let (z1, z2, z3, z4) = (x7 + x1, x5 + x3, x7 + x3, x5 + x1);
        let z5 = (z3 + z4) * const { fixed(1.175_875_602) };
        let z1 = z1 * const { fixed(0.899_976_223) };
        let z2 = z2 * const { fixed(2.562_915_447) };
        let z3 = z5 - z3 * const { fixed(1.961_570_560) };
        let z4 = z5 - z4 * const { fixed(0.390_180_644) };
        let o0 = x7 * const { fixed(0.298_631_336) } - z1 + z3;
        let o1 = x5 * const { fixed(2.053_119_869) } - z2 + z4;
        let o2 = x3 * const { fixed(3.072_711_026) } - z2 + z3;
        let o3 = x1 * const { fixed(1.501_321_110) } - z1 + z4;
        let both = [(e0, o3), (e1, o2), (e2, o1), (e3, o0)];
        for (k, (even, odd)) in both.into_iter().enumerate() {
            out[k][i] = (even + odd + half) >> shift;
            out[7 - k][i] = (even - odd + half) >> shift;
        }
    }
    out
}

fn full(levels: [Number; 64], plane: &mut [u8], at: usize, stride: usize) {
    let rows: [[Number; 8]; 8] = std::array::from_fn(|y| std::array::from_fn(|x| levels[y * 8 + x]));
    let columns = transposed(pass(rows, POINT - BETWEEN));
    let samples = transposed(pass(columns, POINT + BETWEEN + 3));
    for (y, row) in samples.iter().enumerate() {
        let target = &mut plane[at + y * stride..][..8];
        for (out, value) in target.iter_mut().zip(row) {
            *out = sample(*value);
        }
    }
}

#[inline(always)]
fn transposed(lines: [[Number; 8]; 8]) -> [[Number; 8]; 8] {
    std::array::from_fn(|y| std::array::from_fn(|x| lines[x][y]))
}

/// Four numbers from four: cosines of multiples of π/8.
#[inline(always)]
fn four([x0, x1, x2, x3]: [Number; 4], shift: usize) -> [Number; 4] {
    let half = Wrapping(1 << (shift - 1));
    let (even, odd) = ((x0 + x2) << POINT, (x0 - x2) << POINT);
    let (a, b) = (const { fixed(1.306_562_965) }, const { fixed(0.541_196_100) });
    let (outer, inner) = (x1 * a + x3 * b, x1 * b - x3 * a);
    [even + outer, odd + inner, odd - inner, even - outer].map(|v| (v + half) >> shift)
}

fn quarter(levels: &[Number; 64], plane: &mut [u8], at: usize, stride: usize) {
    // The size takes a factor of 1/2, and each pass one of 1/2: all in the last shift.
    let mut columns = [[Wrapping(0); 4]; 4];
    for x in 0..4 {
        let column = four([0, 1, 2, 3].map(|y: usize| levels[y * 8 + x]), POINT - BETWEEN);
        for (row, value) in columns.iter_mut().zip(column) {
            row[x] = value;
        }
    }
    for (y, row) in columns.into_iter().enumerate() {
        let target = &mut plane[at + y * stride..][..4];
        for (out, value) in target.iter_mut().zip(four(row, POINT + BETWEEN + 3)) {
            *out = sample(value);
        }
    }
}

fn two(levels: &[Number; 64], plane: &mut [u8], at: usize, stride: usize) {
    let [a, b, c, d] = [levels[0], levels[1], levels[8], levels[9]];
    let half = Wrapping(4);
    let scaled = |v: Number| sample((v + half) >> 3);
    plane[at] = scaled(a + b + c + d);
    plane[at + 1] = scaled(a - b + c - d);
    plane[at + stride] = scaled(a + b - c - d);
    plane[at + stride + 1] = scaled(a - b - c + d);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, in real numbers: `size` samples a side from as many frequencies.
    fn exact(levels: &[i16; 64], size: usize) -> Vec<f64> {
        let pi = std::f64::consts::PI;
        let norm = |u: usize| if u == 0 { 0.5f64.sqrt() } else { 1.0 };
        let cosine = |x: usize, u: usize| libm::cos((2 * x + 1) as f64 * u as f64 * pi / (2 * size) as f64);
        let mut out = Vec::new();
        for y in 0..size {
            for x in 0..size {
                let mut sum = 0.0;
                for v in 0..size {
                    for u in 0..size {
                        let level = f64::from(levels[v * 8 + u]);
                        sum += norm(u) * norm(v) * level * cosine(x, u) * cosine(y, v);
                    }
                }
                out.push((sum / 4.0 + 128.0).clamp(0.0, 255.0));
            }
        }
        out
    }

    #[test]
    fn every_size_follows_the_definition() {
        let mut seed = 9u32;
        for round in 0..40 {
            let mut levels = [0i16; 64];
            for (i, level) in levels.iter_mut().enumerate() {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let falls = 1 + (i / 8 + i % 8) as i32 * 2;
                *level = ((((seed >> 16) as i32) % 600 - 300) / falls) as i16;
                if round % 3 == 0 && i > 20 {
                    *level = 0;
                }
            }
            for size in [8, 4, 2, 1] {
                let stride = size + 3;
                let mut plane = vec![77; stride * size + 5];
                inverse(&levels, &[1; 64], 63, size, &mut plane, (2, stride));
                let exact = exact(&levels, size);
                for y in 0..size {
                    for x in 0..size {
                        let (got, want) = (plane[2 + y * stride + x], exact[y * size + x]);
                        assert!((f64::from(got) - want).abs() <= 1.0, "{size}: {got} {want} at {x}, {y}");
                    }
                }
                assert!(plane[..2].iter().all(|v| *v == 77));
            }
        }
    }

    #[test]
    fn hostile_coefficients_do_not_overflow() {
        for value in [i16::MIN, i16::MAX] {
            for size in [8, 4, 2, 1] {
                inverse(&[value; 64], &[u16::MAX; 64], 63, size, &mut [0; 64], (0, 8));
            }
        }
    }
}
