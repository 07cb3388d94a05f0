//! Four by four pixels become one, by Catmull-Rom weights.
//!
//! Pixels of 8 bits are weighed in whole numbers, eight products at a time where the processor has
//! vectors of them: every processor gives the same bytes. Pixels of 16 bits take real numbers.

use super::sample::{Pixel, Sample};

/// Places between two pixels that have weights of their own.
pub(super) const PHASES: usize = 256;
/// The sum of four weights, as whole numbers.
const ONE: i32 = 1 << 14;
/// What is taken off the sum of a row, so that it keeps 6 bits below the point.
const ROW_SHIFT: i32 = 8;
/// What is taken off the sum of rows.
const SUM_SHIFT: i32 = 20;

/// The weights of the pixels before, at, behind and next to a place so far between two of them.
pub(super) const fn catmull_rom(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [
        0.5 * (-t3 + 2.0 * t2 - t),
        0.5 * (3.0 * t3 - 5.0 * t2 + 2.0),
        0.5 * (-3.0 * t3 + 4.0 * t2 + t),
        0.5 * (t3 - t2),
    ]
}

/// The middle of each step, so that no picture is moved.
static REAL: [[f32; 4]; PHASES] = {
    let mut weights = [[0.0; 4]; PHASES];
    let mut i = 0;
    while i < PHASES {
        weights[i] = catmull_rom((i as f32 + 0.5) / PHASES as f32);
        i += 1;
    }
    weights
};

/// The same in parts of [`ONE`], of which each four make up one exactly: what is plain stays plain.
static WHOLE: [[i16; 4]; PHASES] = {
    let mut weights = [[0; 4]; PHASES];
    let mut i = 0;
    while i < PHASES {
        let (mut sum, mut j) = (0, 0);
        while j < 4 {
            let part = REAL[i][j] * ONE as f32;
            let part = if part < 0.0 { part - 0.5 } else { part + 0.5 } as i32;
            weights[i][j] = part as i16;
            sum += part;
            j += 1;
        }
        // What rounding left goes to the nearest pixel.
        weights[i][if i < PHASES / 2 { 1 } else { 2 }] += (ONE - sum) as i16;
        i += 1;
    }
    weights
};

/// Four by four pixels of rows of `w`, at these steps across and down, in real numbers.
#[inline(always)]
pub(super) fn real<S: Sample>(window: &[Pixel<S>], w: usize, across: usize, down: usize) -> Pixel<S> {
    let rows = [&window[..4], &window[w..w + 4], &window[2 * w..2 * w + 4], &window[3 * w..3 * w + 4]];
    let one = rows[1][1];
    if rows.iter().all(|row| row.iter().all(|pixel| *pixel == one)) {
        return one;
    }
    let mut sum = [0.0f32; 4];
    for (row, down) in rows.iter().zip(&REAL[down]) {
        let mut line = [0.0f32; 4];
        for (pixel, across) in row.iter().zip(&REAL[across]) {
            for k in 0..4 {
                line[k] += pixel[k].level() * across;
            }
        }
        for k in 0..4 {
            sum[k] += line[k] * down;
        }
    }
    // The weights overshoot: no component may exceed its alpha.
    let alpha = S::from_level(sum[3]);
    [
        S::from_level(sum[0]).min(alpha),
        S::from_level(sum[1]).min(alpha),
        S::from_level(sum[2]).min(alpha),
        alpha,
    ]
}

/// The same of 8 bits, in whole numbers.
#[inline(always)]
pub(super) fn whole(window: &[Pixel<u8>], w: usize, across: usize, down: usize) -> Pixel<u8> {
    let row = |j: usize| -> &[Pixel<u8>; 4] {
        // A window has all of its rows.
        window[j * w..].first_chunk().unwrap_or(&[[0; 4]; 4])
    };
    let rows = [row(0), row(1), row(2), row(3)];
    #[cfg(target_arch = "x86_64")]
    return vectors::whole(rows, &WHOLE[across], &WHOLE[down]);
    #[cfg(not(target_arch = "x86_64"))]
    return one_by_one(rows, &WHOLE[across], &WHOLE[down]);
}

/// What [`vectors::whole`] is, in plain numbers.
#[cfg(any(test, not(target_arch = "x86_64")))]
fn one_by_one(rows: [&[Pixel<u8>; 4]; 4], across: &[i16; 4], down: &[i16; 4]) -> Pixel<u8> {
    let weigh = |values: [i32; 4], weights: &[i16; 4], shift: i32| {
        let sum: i32 = values.iter().zip(weights).map(|(value, weight)| value * i32::from(*weight)).sum();
        (sum + (1 << (shift - 1))) >> shift
    };
    let of = |k: usize| {
        weigh(rows.map(|row| weigh(row.map(|pixel| i32::from(pixel[k])), across, ROW_SHIFT)), down, SUM_SHIFT)
    };
    let alpha = of(3);
    [of(0).min(alpha), of(1).min(alpha), of(2).min(alpha), alpha].map(|v| v.clamp(0, 255) as u8)
}

#[cfg(target_arch = "x86_64")]
mod vectors {
    //! SSE2, which every processor of this architecture has.

    use super::super::sample::Pixel;
    use super::{ROW_SHIFT, SUM_SHIFT};
    use safe_arch::*;

    #[inline(always)]
    pub(super) fn whole(rows: [&[Pixel<u8>; 4]; 4], across: &[i16; 4], down: &[i16; 4]) -> Pixel<u8> {
        let rows = rows.map(|row| m128i::from(bytemuck::cast::<[Pixel<u8>; 4], [u8; 16]>(*row)));
        // All sixteen are the second of the second row.
        let one = shuffle_ai_f32_all_m128i::<0b01_01_01_01>(rows[1]);
        let [a, b, c, d] = rows.map(|row| cmp_eq_mask_i8_m128i(row, one));
        if move_mask_i8_m128i(a & b & c & d) == 0xffff {
            return get_i32_from_m128i_s(one).to_le_bytes();
        }
        let [near, far] = pairs(across);
        let [a, b, c, d] = rows.map(|row| {
            // Each component beside its neighbour's, so that one instruction weighs and adds both.
            let next = byte_shr_imm_u128_m128i::<4>(row);
            let (first, last) = (unpack_low_i8_m128i(row, next), unpack_high_i8_m128i(row, next));
            let zero = zeroed_m128i();
            let first = mul_i16_horizontal_add_m128i(unpack_low_i8_m128i(first, zero), near);
            let last = mul_i16_horizontal_add_m128i(unpack_low_i8_m128i(last, zero), far);
            rounded::<ROW_SHIFT>(add_i32_m128i(first, last))
        });
        let [near, far] = pairs(down);
        let beside = |upper: m128i, lower: m128i| {
            let both = pack_i32_to_i16_m128i(upper, lower);
            unpack_low_i16_m128i(both, byte_shr_imm_u128_m128i::<8>(both))
        };
        let upper = mul_i16_horizontal_add_m128i(beside(a, b), near);
        let lower = mul_i16_horizontal_add_m128i(beside(c, d), far);
        let sum = rounded::<SUM_SHIFT>(add_i32_m128i(upper, lower));
        let sum = pack_i32_to_i16_m128i(sum, sum);
        // The weights overshoot: no component may exceed its alpha.
        let alpha = shuffle_ai_i16_l64all_m128i::<0b11_11_11_11>(sum);
        let sum = min_i16_m128i(sum, alpha);
        get_i32_from_m128i_s(pack_i16_to_u8_m128i(sum, sum)).to_le_bytes()
    }

    /// Weights of the first two and of the last two, for all components.
    #[inline(always)]
    fn pairs(weights: &[i16; 4]) -> [m128i; 2] {
        bytemuck::cast::<[i16; 4], [i32; 2]>(*weights).map(set_splat_i32_m128i)
    }

    #[inline(always)]
    fn rounded<const SHIFT: i32>(sum: m128i) -> m128i {
        shr_imm_i32_m128i::<SHIFT>(add_i32_m128i(sum, set_splat_i32_m128i(1 << (SHIFT - 1))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_weigh_as_plain_numbers_do_and_nearly_as_real_ones() {
        let mut seed = 7_u32;
        let mut random = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        };
        for round in 0..20_000 {
            let wide = 4 + round % 3;
            let window: Vec<Pixel<u8>> = (0..wide * 4)
                .map(|_| {
                    // Hard edges overshoot the most.
                    let alpha = if round % 2 == 0 { random() } else { [0, 255][usize::from(random() & 1)] };
                    [random().min(alpha), random().min(alpha), alpha, alpha]
                })
                .collect();
            let (across, down) = (usize::from(random()), usize::from(random()));
            let rows: [&[Pixel<u8>; 4]; 4] =
                [0, 1, 2, 3].map(|j: usize| window[j * wide..].first_chunk().unwrap());
            let found = whole(&window, wide, across, down);
            assert_eq!(found, one_by_one(rows, &WHOLE[across], &WHOLE[down]));
            let near = real(&window, wide, across, down);
            assert!(found.iter().zip(near).all(|(a, b)| a.abs_diff(b) <= 1), "{found:?} {near:?}");
        }
    }

    #[test]
    fn what_is_plain_stays_plain() {
        for value in 0..=255 {
            for phase in 0..PHASES {
                let row = [[value, value, value, value]; 4];
                assert_eq!(one_by_one([&row; 4], &WHOLE[phase], &WHOLE[255 - phase]), row[0]);
            }
        }
    }
}
