//! The kernel that pictures are resampled with: Lanczos of three lobes.
//!
//! The resampler's own asks the platform for sines, two a weight; here both come from one, by a
//! polynomial, so that weights are the same everywhere and cost little.

use fast_image_resize::{Filter, FilterType, ResizeAlg};
use std::f64::consts::{FRAC_PI_2, PI};

/// Samples to either side of its own that the kernel takes in, where nothing is reduced.
pub const LOBES: f64 = 3.0;

/// How to resample.
pub fn lanczos3() -> ResizeAlg {
    // It has a support, so it is never refused.
    let kernel = Filter::new("lanczos3", weight, LOBES).map_or(FilterType::Lanczos3, FilterType::Custom);
    ResizeAlg::Convolution(kernel)
}

/// sinc(x) sinc(x/3) within three lobes, sinc being sin(πx)/πx.
///
/// With t = πx/3 and s = sin t, sin(πx) = sin 3t = 3s − 4s³.
fn weight(x: f64) -> f64 {
    let t = x.abs() * (PI / LOBES);
    if t >= PI {
        return 0.0;
    }
    if t == 0.0 {
        return 1.0;
    }
    let s = sine(t);
    let ratio = s / t;
    ratio * ratio * (1.0 - s * s * (4.0 / 3.0))
}

/// Of an angle from 0 to π: Taylor's series to the seventeenth power, within 4e-14.
fn sine(angle: f64) -> f64 {
    let x = angle.min(PI - angle);
    debug_assert!((0.0..=FRAC_PI_2).contains(&x));
    let square = x * x;
    let mut sum = 1.0;
    // From the innermost bracket of 1 - x²/2·3 (1 - x²/4·5 (…)) outwards.
    for n in [16.0, 14.0, 12.0, 10.0, 8.0, 6.0, 4.0, 2.0] {
        sum = 1.0 - square * (1.0 / (n * (n + 1.0))) * sum;
    }
    x * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_those_of_the_definition() {
        let sinc = |x: f64| if x == 0.0 { 1.0 } else { libm::sin(PI * x) / (PI * x) };
        for i in -3500..=3500 {
            let x = f64::from(i) / 1000.0;
            let exact = if x.abs() < LOBES { sinc(x) * sinc(x / LOBES) } else { 0.0 };
            assert!((weight(x) - exact).abs() < 1e-12, "{x}: {} for {exact}", weight(x));
        }
    }
}
