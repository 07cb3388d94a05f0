//! What a picture's numbers mean: sRGB, an embedded ICC profile, or a PNG's own calibration.

use super::raster::Channels;
use crate::error::{Code, Violation};
use lcms2::{CIExyY, CIExyYTRIPLE, ColorSpaceSignature, Flags, Intent, PixelFormat, Profile};
use lcms2::{ProfileClassSignature, ThreadContext, ToneCurve, Transform};
use std::sync::Arc;

/// The meaning of a picture's components.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// sRGB (or grey with sRGB's curve). CMYK without a profile is mixed as ideal inks.
    Srgb,
    /// An ICC profile, already probed with [`probe_profile`].
    Icc(Arc<[u8]>),
    /// Primaries and curve, as PNG's `cHRM`, `gAMA` and `cICP` give them.
    Calibrated(Calibration),
}

impl Source {
    /// The embedded profile.
    pub fn icc(&self) -> Option<&[u8]> {
        match self {
            Source::Icc(icc) => Some(icc),
            Source::Srgb | Source::Calibrated(_) => None,
        }
    }
}

/// An RGB space by its numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// CIE xy of white.
    pub white: [f64; 2],
    /// CIE xy of red, green and blue.
    pub primaries: [[f64; 2]; 3],
    /// Decoding exponent (2.2, say); `None` is sRGB's own curve.
    pub gamma: Option<f64>,
}

impl Calibration {
    /// sRGB's primaries and curve.
    pub const SRGB: Calibration = Calibration {
        white: [0.3127, 0.3290],
        primaries: [[0.64, 0.33], [0.30, 0.60], [0.15, 0.06]],
        gamma: None,
    };

    /// True when the numbers are sRGB's within what files round them to.
    pub fn is_srgb(&self) -> bool {
        let near = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).abs() < 0.001 && (a[1] - b[1]).abs() < 0.001;
        self.gamma.is_none()
            && near(self.white, Self::SRGB.white)
            && (0..3).all(|i| near(self.primaries[i], Self::SRGB.primaries[i]))
    }

    pub(super) fn to_device(self) -> Result<Device, Violation> {
        let context = ThreadContext::new();
        let curve = match self.gamma {
            Some(gamma) => ToneCurve::new(gamma),
            // IEC 61966-2-1: linear up to 0.04045, then an exponent of 2.4.
            None => ToneCurve::new_parametric(4, &[2.4, 1.0 / 1.055, 0.055 / 1.055, 1.0 / 12.92, 0.04045])
                .map_err(|_| invalid("The picture's colour calibration cannot be used"))?,
        };
        let xyy = |[x, y]: [f64; 2]| CIExyY { x, y, Y: 1.0 };
        let [red, green, blue] = self.primaries.map(xyy);
        let primaries = CIExyYTRIPLE { Red: red, Green: green, Blue: blue };
        let curves = [&curve, &curve, &curve];
        let profile = Profile::new_rgb_context(&context, &xyy(self.white), &primaries, &curves)
            .map_err(|_| invalid("The picture's colour calibration cannot be used"))?;
        Ok(Device { profile, context })
    }
}

/// The device space an ICC profile describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileSpace {
    /// One component.
    Grey,
    /// Three components.
    Rgb,
    /// Four components.
    Cmyk,
}

impl ProfileSpace {
    /// True when a profile of this space can describe pixels of such channels.
    pub fn fits(self, channels: Channels) -> bool {
        match channels {
            // Grey in an RGB space is that space's R = G = B.
            Channels::Grey | Channels::GreyAlpha => self != ProfileSpace::Cmyk,
            Channels::Rgb | Channels::RgbAlpha => self == ProfileSpace::Rgb,
            Channels::Cmyk => self == ProfileSpace::Cmyk,
        }
    }
}

/// Reads a profile's header and tags, and tells its device space.
///
/// # Errors
/// `image.profile_invalid` when it cannot be parsed or cannot describe pixels of such channels.
pub fn probe_profile(icc: &[u8], channels: Channels) -> Result<ProfileSpace, Violation> {
    Device::open(icc)?.space(channels)
}

/// A parsed profile and the Little CMS context that it lives in, which therefore has to outlive it
/// and stands after it.
pub(super) struct Device {
    pub(super) profile: Profile<ThreadContext>,
    pub(super) context: ThreadContext,
}

impl Device {
    pub(super) fn open(icc: &[u8]) -> Result<Device, Violation> {
        let context = ThreadContext::new();
        let profile = Profile::new_icc_context(&context, icc)
            .map_err(|_| invalid("The picture's embedded ICC profile is broken"))?;
        Ok(Device { profile, context })
    }

    /// The profile's device space, which has to suit the picture's channels.
    pub(super) fn space(&self, channels: Channels) -> Result<ProfileSpace, Violation> {
        let profile = &self.profile;
        let class = profile.device_class();
        let usable = class == ProfileClassSignature::InputClass
            || class == ProfileClassSignature::DisplayClass
            || class == ProfileClassSignature::OutputClass
            || class == ProfileClassSignature::ColorSpaceClass;
        if !usable {
            return Err(invalid("The picture's embedded ICC profile is not one of a device"));
        }
        let space = profile.color_space();
        let space = if space == ColorSpaceSignature::GrayData {
            ProfileSpace::Grey
        } else if space == ColorSpaceSignature::RgbData {
            ProfileSpace::Rgb
        } else if space == ColorSpaceSignature::CmykData {
            ProfileSpace::Cmyk
        } else {
            return Err(invalid("The picture's embedded ICC profile is neither for grey, RGB nor CMYK"));
        };
        if space.fits(channels) {
            return Ok(space);
        }
        Err(invalid("The picture's embedded ICC profile is for other components than it has"))
    }

    /// True when the profile turns no RGB value by more than half an 8-bit step away from sRGB.
    pub(super) fn behaves_as_srgb(&self) -> bool {
        let context = &self.context;
        let srgb = Profile::new_srgb_context(context);
        let transform = Transform::<[u16; 3], [u16; 3], ThreadContext, _>::new_flags_context(
            context,
            &self.profile,
            PixelFormat::RGB_16,
            &srgb,
            PixelFormat::RGB_16,
            Intent::RelativeColorimetric,
            Flags::NO_CACHE | Flags::BLACKPOINT_COMPENSATION,
        );
        let Ok(transform) = transform else { return false };
        let level = |i: u16| i * 4369;
        let mut grid = Vec::with_capacity(16 * 16 * 16);
        for r in 0..16 {
            for g in 0..16 {
                grid.extend((0..16).map(|b| [level(r), level(g), level(b)]));
            }
        }
        let mut out = vec![[0u16; 3]; grid.len()];
        transform.transform_pixels(&grid, &mut out);
        grid.iter().flatten().zip(out.iter().flatten()).all(|(a, b)| a.abs_diff(*b) <= 128)
    }
}

pub(super) fn invalid(what: &str) -> Violation {
    Violation::new(
        Code::ImageProfileInvalid,
        format!("{what}; export the picture again with a standard profile, such as sRGB."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn srgb_is_recognised_and_others_are_not() {
        let context = ThreadContext::new();
        let icc = Profile::new_srgb_context(&context).icc().unwrap();
        assert!(Device::open(&icc).unwrap().behaves_as_srgb());
        assert!(Calibration::SRGB.to_device().unwrap().behaves_as_srgb());
        let p3 = Calibration { primaries: [[0.68, 0.32], [0.265, 0.69], [0.15, 0.06]], ..Calibration::SRGB };
        assert!(!p3.to_device().unwrap().behaves_as_srgb());
        let gamma = Calibration { gamma: Some(1.8), ..Calibration::SRGB };
        assert!(!gamma.to_device().unwrap().behaves_as_srgb());
    }

    #[test]
    fn broken_profiles_are_typed_errors() {
        for bytes in [&b""[..], b"acsp", &[0u8; 128], &[0xffu8; 4000]] {
            assert_eq!(probe_profile(bytes, Channels::Rgb).unwrap_err().code, Code::ImageProfileInvalid);
        }
        let good = Calibration::SRGB.to_device().unwrap().profile.icc().unwrap();
        assert_eq!(probe_profile(&good, Channels::Grey).unwrap(), ProfileSpace::Rgb);
        assert!(probe_profile(&good, Channels::Cmyk).is_err());
    }
}
