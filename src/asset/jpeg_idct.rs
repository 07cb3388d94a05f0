//! A JPEG block's coefficients become samples, at full size or reduced.
//!
//! At full size this is the transform of Loeffler, Ligtenberg and Moschytz, eight lines at a time, so
//! that a compiler finds its vectors. Reduced to 4, 2 or 1 samples a side, the coefficients of the
//! lowest frequencies go through a transform of that size: what is left out is what the smaller
//! picture could not show. Single-precision sums and products in a fixed order give the same samples
//! on every processor, within 1 of the exact ones.

/// Eight numbers, one of each of eight lines that lie side by side.
type Lanes = [f32; 8];

/// What quantizers are multiplied with: each of two passes leaves a factor of √8.
pub(super) const SCALE: f32 = 0.125;

/// Writes the samples of a block into a plane of `stride` columns, from `at`. `size` is 8, 4, 2 or 1.
/// Coefficients are in natural order; `quantizers`, times [`SCALE`], too. `highest` bounds the zigzag
/// places of coefficients that are not zero.
pub(super) fn inverse(
    coefficients: &[i16; 64],
    quantizers: &[f32; 64],
    highest: usize,
    size: usize,
    plane: &mut [u8],
    (at, stride): (usize, usize),
) {
    if highest == 0 || size == 1 {
        let value = sample(f32::from(coefficients[0]) * quantizers[0]);
        for y in 0..size {
            plane[at + y * stride..][..size].fill(value);
        }
        return;
    }
    match size {
        // The first ten places lie in the first four rows and columns.
        8 if highest < 10 => full(&levels::<4>(coefficients, quantizers), true, plane, at, stride),
        8 => full(&levels::<8>(coefficients, quantizers), false, plane, at, stride),
        4 => quarter(&levels::<4>(coefficients, quantizers), plane, at, stride),
        _two => two(&levels::<2>(coefficients, quantizers), plane, at, stride),
    }
}

/// The first rows of a block, the others zero.
#[inline(always)]
fn levels<const ROWS: usize>(coefficients: &[i16; 64], quantizers: &[f32; 64]) -> [Lanes; 8] {
    let mut levels = [[0.0; 8]; 8];
    let rows = coefficients.as_chunks::<8>().0.iter().zip(quantizers.as_chunks::<8>().0);
    for (row, (coefficients, quantizers)) in levels.iter_mut().zip(rows).take(ROWS) {
        for k in 0..8 {
            row[k] = f32::from(coefficients[k]) * quantizers[k];
        }
    }
    levels
}

/// To the nearest of 0 to 255.
#[inline(always)]
fn sample(value: f32) -> u8 {
    let value = value + 128.0;
    let value = if value > 0.0 { value } else { 0.0 };
    let value = if value < 255.0 { value } else { 255.0 };
    // From 2 to the 23rd on, a number's last bit is its unit.
    (value + 8_388_608.0).to_bits() as u8
}

/// One pass over eight lines: `lines[k]` holds their numbers at place `k`. With `low`, those from the
/// fourth place on are zero.
#[inline(always)]
fn pass(lines: &[Lanes; 8], low: bool) -> [Lanes; 8] {
    let mut out = [[0.0; 8]; 8];
    for i in 0..8 {
        let (x0, x1, x2, x3) = (lines[0][i], lines[1][i], lines[2][i], lines[3][i]);
        let (x4, x5, x6, x7) =
            if low { (0.0, 0.0, 0.0, 0.0) } else { (lines[4][i], lines[5][i], lines[6][i], lines[7][i]) };
        // The even part.
        let z1 = (x2 + x6) * 0.541_196_1;
        let t2 = z1 - x6 * 1.847_759_1;
        let t3 = z1 + x2 * 0.765_366_9;
        let (t0, t1) = (x0 + x4, x0 - x4);
        let (e0, e3, e1, e2) = (t0 + t3, t0 - t3, t1 + t2, t1 - t2);
        // The odd part.
        let (z1, z2, z3, z4) = (x7 + x1, x5 + x3, x7 + x3, x5 + x1);
        let z5 = (z3 + z4) * 1.175_875_6;
        let (z1, z2) = (z1 * 0.899_976_2, z2 * 2.562_915_4);
        let (z3, z4) = (z5 - z3 * 1.961_570_6, z5 - z4 * 0.390_180_64);
        let o0 = x7 * 0.298_631_34 - z1 + z3;
        let o1 = x5 * 2.053_12 - z2 + z4;
        let o2 = x3 * 3.072_711 - z2 + z3;
        let o3 = x1 * 1.501_321_1 - z1 + z4;
        out[0][i] = e0 + o3;
        out[7][i] = e0 - o3;
        out[1][i] = e1 + o2;
        out[6][i] = e1 - o2;
        out[2][i] = e2 + o1;
        out[5][i] = e2 - o1;
        out[3][i] = e3 + o0;
        out[4][i] = e3 - o0;
    }
    out
}

#[inline(always)]
fn full(levels: &[Lanes; 8], low: bool, plane: &mut [u8], at: usize, stride: usize) {
    let columns = transposed(&pass(levels, low));
    let samples = transposed(&pass(&columns, low));
    for (y, row) in samples.iter().enumerate() {
        let target = &mut plane[at + y * stride..][..8];
        for k in 0..8 {
            target[k] = sample(row[k]);
        }
    }
}

#[inline(always)]
fn transposed(lines: &[Lanes; 8]) -> [Lanes; 8] {
    let mut out = [[0.0; 8]; 8];
    for y in 0..8 {
        for x in 0..8 {
            out[y][x] = lines[x][y];
        }
    }
    out
}

/// Four numbers from four: cosines of multiples of π/8.
#[inline(always)]
fn four([x0, x1, x2, x3]: [f32; 4]) -> [f32; 4] {
    let (even, odd) = (x0 + x2, x0 - x2);
    let outer = x1 * 1.306_563 + x3 * 0.541_196_1;
    let inner = x1 * 0.541_196_1 - x3 * 1.306_563;
    [even + outer, odd + inner, odd - inner, even - outer]
}

fn quarter(levels: &[Lanes; 8], plane: &mut [u8], at: usize, stride: usize) {
    let mut columns = [[0.0; 4]; 4];
    for x in 0..4 {
        let column = four([levels[0][x], levels[1][x], levels[2][x], levels[3][x]]);
        for y in 0..4 {
            columns[y][x] = column[y];
        }
    }
    for (y, row) in columns.into_iter().enumerate() {
        let target = &mut plane[at + y * stride..][..4];
        for (out, value) in target.iter_mut().zip(four(row)) {
            *out = sample(value);
        }
    }
}

fn two(levels: &[Lanes; 8], plane: &mut [u8], at: usize, stride: usize) {
    let (a, b, c, d) = (levels[0][0], levels[0][1], levels[1][0], levels[1][1]);
    plane[at] = sample(a + b + c + d);
    plane[at + 1] = sample(a - b + c - d);
    plane[at + stride] = sample(a + b - c - d);
    plane[at + stride + 1] = sample(a - b - c + d);
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
                inverse(&levels, &[SCALE; 64], 63, size, &mut plane, (2, stride));
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
    fn a_block_of_low_frequencies_is_the_same_by_either_way() {
        let mut levels = [0i16; 64];
        for (i, place) in [0, 1, 8, 16, 9, 2, 3, 10, 17, 24].into_iter().enumerate() {
            levels[place] = 90 - 13 * i as i16;
        }
        let made = |highest| {
            let mut plane = [0; 64];
            inverse(&levels, &[SCALE; 64], highest, 8, &mut plane, (0, 8));
            plane
        };
        let low = made(9);
        assert_eq!(low, made(63));
        levels[32] = 300;
        let mut plane = [0; 64];
        inverse(&levels, &[SCALE; 64], 10, 8, &mut plane, (0, 8));
        assert_ne!(plane, low);
    }

    #[test]
    fn hostile_coefficients_give_some_sample() {
        for value in [i16::MIN, i16::MAX] {
            for size in [8, 4, 2, 1] {
                inverse(&[value; 64], &[65_535.0 * SCALE; 64], 63, size, &mut [0; 64], (0, 8));
            }
        }
    }
}
