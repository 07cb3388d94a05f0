//! From a picture's own colours to sRGB, rows in parallel.
//!
//! The work is cut into pieces of a constant number of pixels and every pixel is converted by
//! itself, so the result does not depend on how many threads there are.

use super::profile::{self, Device, ProfileSpace, Source};
use super::raster::{Channels, Components, Raster, narrow};
use crate::asset::{Depth, Samples};
use crate::error::Violation;
use lcms2::{Flags, Intent, PixelFormat, Pod, Profile, ThreadContext, Transform};
use rayon::prelude::*;

/// Pixels that one thread converts at a time.
const PIECE: usize = 1 << 16;

/// Converts a picture to gamma-encoded sRGB. Alpha is copied, never multiplied in.
///
/// With [`Depth::Sixteen`] values are widened before the conversion, with [`Depth::Eight`]
/// rounded after it.
///
/// # Errors
/// `image.profile_invalid` when the profile cannot be parsed, does not fit the picture's
/// components or holds no usable transform.
pub fn to_srgb(raster: Raster, source: &Source, depth: Depth) -> Result<Samples, Violation> {
    let device = match source {
        Source::Srgb => return Ok(plain(raster, depth)),
        Source::Icc(icc) => Device::open(icc)?,
        Source::Calibrated(calibration) => calibration.to_device()?,
    };
    let space = device.space(raster.channels)?;
    if space == ProfileSpace::Rgb && device.behaves_as_srgb() {
        return Ok(plain(raster, depth));
    }
    let raster = if space == ProfileSpace::Rgb { spread_grey(raster) } else { raster };
    let components = match (raster.components, depth) {
        (Components::Eight(values), Depth::Eight) => return eight(&device, raster.channels, &values),
        (components, Depth::Eight | Depth::Sixteen) => components.widen(),
    };
    let samples = sixteen(&device, raster.channels, &components)?;
    Ok(match depth {
        Depth::Sixteen => samples,
        Depth::Eight => round(samples),
    })
}

fn eight(device: &Device, channels: Channels, values: &[u8]) -> Result<Samples, Violation> {
    use PixelFormat as F;
    Ok(match channels {
        Channels::Grey => Samples::Rgb8(run::<u8, 1, 3>(device, F::GRAY_8, F::RGB_8, values)?),
        Channels::GreyAlpha => Samples::Rgba8(run::<u8, 2, 4>(device, F::GRAYA_8, F::RGBA_8, values)?),
        Channels::Rgb => Samples::Rgb8(run::<u8, 3, 3>(device, F::RGB_8, F::RGB_8, values)?),
        Channels::RgbAlpha => Samples::Rgba8(run::<u8, 4, 4>(device, F::RGBA_8, F::RGBA_8, values)?),
        Channels::Cmyk => Samples::Rgb8(run::<u8, 4, 3>(device, F::CMYK_8, F::RGB_8, values)?),
    })
}

fn sixteen(device: &Device, channels: Channels, values: &[u16]) -> Result<Samples, Violation> {
    use PixelFormat as F;
    Ok(match channels {
        Channels::Grey => Samples::Rgb16(run::<u16, 1, 3>(device, F::GRAY_16, F::RGB_16, values)?),
        Channels::GreyAlpha => Samples::Rgba16(run::<u16, 2, 4>(device, F::GRAYA_16, F::RGBA_16, values)?),
        Channels::Rgb => Samples::Rgb16(run::<u16, 3, 3>(device, F::RGB_16, F::RGB_16, values)?),
        Channels::RgbAlpha => Samples::Rgba16(run::<u16, 4, 4>(device, F::RGBA_16, F::RGBA_16, values)?),
        Channels::Cmyk => Samples::Rgb16(run::<u16, 4, 3>(device, F::CMYK_16, F::RGB_16, values)?),
    })
}

fn run<T, const N: usize, const M: usize>(
    device: &Device,
    from: PixelFormat,
    to: PixelFormat,
    values: &[T],
) -> Result<Vec<T>, Violation>
where
    T: Pod + Default + Send + Sync,
    [T; N]: Pod,
    [T; M]: Pod,
{
    let srgb = Profile::new_srgb_context(&device.context);
    // Without its one-pixel cache a transform may be shared between threads.
    let flags = Flags::NO_CACHE | Flags::BLACKPOINT_COMPENSATION | Flags::COPY_ALPHA;
    let intent = Intent::RelativeColorimetric;
    let transform = Transform::<[T; N], [T; M], ThreadContext, _>::new_flags_context(
        &device.context,
        &device.profile,
        from,
        &srgb,
        to,
        intent,
        flags,
    )
    .map_err(|_| profile::invalid("The picture's embedded ICC profile holds no usable transform"))?;

    let (pixels, _) = values.as_chunks::<N>();
    let mut out = vec![T::default(); pixels.len() * M];
    let (target, _) = out.as_chunks_mut::<M>();
    target.par_chunks_mut(PIECE).zip(pixels.par_chunks(PIECE)).for_each(|(target, pixels)| {
        transform.transform_pixels(pixels, target);
    });
    Ok(out)
}

/// sRGB already, or CMYK without a profile: only the layout and the depth change.
fn plain(raster: Raster, depth: Depth) -> Samples {
    let raster = spread_grey(raster);
    let channels = raster.channels;
    let ends_in_alpha = channels.has_alpha();
    match (raster.components, depth) {
        (Components::Eight(values), Depth::Eight) => {
            let values =
                if channels == Channels::Cmyk { mix_inks(&values, 255, |v| v as u8) } else { values };
            if ends_in_alpha { Samples::Rgba8(values) } else { Samples::Rgb8(values) }
        }
        (components, Depth::Eight | Depth::Sixteen) => {
            let values = components.widen();
            let values =
                if channels == Channels::Cmyk { mix_inks(&values, 65_535, |v| v as u16) } else { values };
            let samples = if ends_in_alpha { Samples::Rgba16(values) } else { Samples::Rgb16(values) };
            match depth {
                Depth::Eight => round(samples),
                Depth::Sixteen => samples,
            }
        }
    }
}

/// `(1 - c)(1 - k)`, the mix of [`Color::to_srgb`](crate::scene::Color::to_srgb), in integers.
fn mix_inks<T: Copy + Into<u64> + Send + Sync>(values: &[T], full: u64, back: fn(u64) -> T) -> Vec<T> {
    let (pixels, _) = values.as_chunks::<4>();
    let mix = |ink: T, k: T| back(((full - ink.into()) * (full - k.into()) + full / 2) / full);
    pixels.iter().flat_map(|&[c, m, y, k]| [mix(c, k), mix(m, k), mix(y, k)]).collect()
}

/// Grey as equal red, green and blue.
fn spread_grey(raster: Raster) -> Raster {
    fn spread<T: Copy>(values: &[T], channels: Channels) -> Vec<T> {
        match channels {
            Channels::Grey => values.iter().flat_map(|&v| [v; 3]).collect(),
            Channels::GreyAlpha => {
                values.as_chunks::<2>().0.iter().flat_map(|&[v, alpha]| [v, v, v, alpha]).collect()
            }
            Channels::Rgb | Channels::RgbAlpha | Channels::Cmyk => values.to_vec(),
        }
    }
    let channels = match raster.channels {
        Channels::Grey => Channels::Rgb,
        Channels::GreyAlpha => Channels::RgbAlpha,
        Channels::Rgb | Channels::RgbAlpha | Channels::Cmyk => return raster,
    };
    let components = match &raster.components {
        Components::Eight(values) => Components::Eight(spread(values, raster.channels)),
        Components::Sixteen(values) => Components::Sixteen(spread(values, raster.channels)),
    };
    Raster { channels, components, ..raster }
}

fn round(samples: Samples) -> Samples {
    match samples {
        Samples::Rgb16(values) => Samples::Rgb8(values.into_iter().map(narrow).collect()),
        Samples::Rgba16(values) => Samples::Rgba8(values.into_iter().map(narrow).collect()),
        Samples::Rgb8(_) | Samples::Rgba8(_) => samples,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::color::Calibration;
    use crate::scene::Color;

    fn raster(channels: Channels, components: Components) -> Raster {
        Raster { width: 1, height: 1, channels, components }
    }

    #[test]
    fn ideal_inks_mix_as_the_scene_does() {
        for cmyk in [[0u8, 0, 0, 0], [255, 0, 0, 0], [10, 200, 90, 40], [0, 0, 0, 255]] {
            let expected = Color::Cmyk(cmyk.map(|v| f32::from(v) / 255.0)).to_srgb();
            let expected: Vec<u8> = expected.iter().map(|v| (v * 255.0).round() as u8).collect();
            let picture = raster(Channels::Cmyk, Components::Eight(cmyk.to_vec()));
            assert_eq!(to_srgb(picture, &Source::Srgb, Depth::Eight).unwrap(), Samples::Rgb8(expected));
        }
    }

    #[test]
    fn depths_widen_and_round() {
        let grey = raster(Channels::GreyAlpha, Components::Sixteen(vec![0x8081, 0xffff]));
        let eight = to_srgb(grey.clone(), &Source::Srgb, Depth::Eight).unwrap();
        assert_eq!(eight, Samples::Rgba8(vec![128, 128, 128, 255]));
        let kept = to_srgb(grey, &Source::Srgb, Depth::Sixteen).unwrap();
        assert_eq!(kept, Samples::Rgba16(vec![0x8081, 0x8081, 0x8081, 0xffff]));
        let wide = raster(Channels::Rgb, Components::Eight(vec![0, 1, 255]));
        let wide = to_srgb(wide, &Source::Srgb, Depth::Sixteen).unwrap();
        assert_eq!(wide, Samples::Rgb16(vec![0, 257, 65_535]));
    }

    #[test]
    fn a_wide_gamut_is_converted_and_alpha_is_kept() {
        let p3 = Calibration { primaries: [[0.68, 0.32], [0.265, 0.69], [0.15, 0.06]], ..Calibration::SRGB };
        let picture = raster(Channels::RgbAlpha, Components::Eight(vec![200, 100, 50, 77]));
        let Samples::Rgba8(out) = to_srgb(picture, &Source::Calibrated(p3), Depth::Eight).unwrap() else {
            panic!("alpha was lost")
        };
        // By the published matrices: Display P3 (200, 100, 50) is sRGB (215, 93, 31).
        let expected = [215u8, 93, 31, 77];
        assert!(out.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 1), "{out:?}");
    }

    #[test]
    fn a_profile_for_other_components_is_refused() {
        let icc = Calibration::SRGB.to_device().unwrap().profile.icc().unwrap();
        let picture = raster(Channels::Cmyk, Components::Eight(vec![0; 4]));
        assert!(to_srgb(picture, &Source::Icc(icc.into()), Depth::Eight).is_err());
    }
}
