//! A printing condition: sRGB becomes process inks, process inks become what they look like.
//!
//! A [`Press`] is opened once from an output profile, an intent and black point compensation, and
//! then shared: its transforms have no cache of their own, so any thread may use them. Single
//! colours go by the profile's own tables. Pictures go by one fine table computed from them, a
//! dozen times faster and, measured end to end, at most half a ΔE2000 away. Inks come back, for
//! the soft proof, relative colorimetric with black point compensation, whatever the way out was.

use crate::error::{Code, Violation};
use lcms2::{ColorSpaceSignature, Flags, InfoType, Intent, Locale, PixelFormat, Profile};
use lcms2::{DisallowCache, ProfileClassSignature, ThreadContext, Transform};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};

/// Pixels that one thread converts at a time.
const PIECE: usize = 1 << 14;

/// How colours that paper cannot show are brought to those it can.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum RenderingIntent {
    /// The profile maker's table for pictures.
    Perceptual,
    /// Colours that can be shown stay, others go to the nearest; white is paper.
    #[default]
    RelativeColorimetric,
    /// The profile maker's table for charts.
    Saturation,
    /// Paper white is imitated too.
    AbsoluteColorimetric,
}

impl RenderingIntent {
    fn lcms(self) -> Intent {
        match self {
            RenderingIntent::Perceptual => Intent::Perceptual,
            RenderingIntent::RelativeColorimetric => Intent::RelativeColorimetric,
            RenderingIntent::Saturation => Intent::Saturation,
            RenderingIntent::AbsoluteColorimetric => Intent::AbsoluteColorimetric,
        }
    }
}

type Shared<A, B> = Transform<A, B, ThreadContext, DisallowCache>;

/// A transform with the context that it lives in, which is dropped after it.
struct Way<A, B> {
    transform: Shared<A, B>,
    _context: Mutex<ThreadContext>,
}

/// One direction of a press: exact for single colours, by a fine table for pictures.
struct Direction {
    icc: Arc<[u8]>,
    /// From sRGB to inks; otherwise back.
    out: bool,
    intent: Intent,
    compensate: bool,
}

impl Direction {
    fn way<A, B>(&self, rgb: PixelFormat, cmyk: PixelFormat, exact: bool) -> Result<Way<A, B>, Violation>
    where
        A: Copy + lcms2::Pod,
        B: Copy + lcms2::Pod,
    {
        let context = ThreadContext::new();
        let profile = Profile::new_icc_context(&context, &self.icc)
            .map_err(|_| invalid("The printing condition's ICC file is broken"))?;
        if profile.device_class() != ProfileClassSignature::OutputClass
            || profile.color_space() != ColorSpaceSignature::CmykData
        {
            return Err(invalid("The printing condition's ICC file is not an output profile for CMYK"));
        }
        let srgb = Profile::new_srgb_context(&context);
        let table = if exact { Flags::NO_OPTIMIZE } else { Flags::HIGHRES_PRECALC };
        // Without its one-pixel cache a transform may be shared between threads.
        let mut flags = Flags::NO_CACHE | table;
        if self.compensate {
            flags = flags | Flags::BLACKPOINT_COMPENSATION;
        }
        let (from, to) = if self.out { (&srgb, &profile) } else { (&profile, &srgb) };
        let (from_format, to_format) = if self.out { (rgb, cmyk) } else { (cmyk, rgb) };
        let transform =
            Transform::new_flags_context(&context, from, from_format, to, to_format, self.intent, flags)
                .map_err(|_| invalid("The printing condition's ICC file lacks a table that is needed"))?;
        Ok(Way { transform, _context: Mutex::new(context) })
    }
}

/// An output profile with its transforms. Inks and colours are device numbers: sRGB is
/// gamma-encoded, inks are coverages of cyan, magenta, yellow and black.
pub struct Press {
    icc: Arc<[u8]>,
    digest: [u8; 32],
    description: String,
    settings: (RenderingIntent, bool),
    out: Direction,
    back: Direction,
    out_exact: Way<[u16; 3], [u16; 4]>,
    back_exact: Way<[u16; 4], [u16; 3]>,
    // The fine tables take a moment to compute: only those that are used are made.
    out_8: OnceLock<Option<Way<[u8; 3], [u8; 4]>>>,
    out_16: OnceLock<Option<Way<[u16; 3], [u16; 4]>>>,
    back_8: OnceLock<Option<Way<[u8; 4], [u8; 3]>>>,
    back_16: OnceLock<Option<Way<[u16; 4], [u16; 3]>>>,
}

impl fmt::Debug for Press {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Press").field("description", &self.description).finish_non_exhaustive()
    }
}

impl PartialEq for Press {
    fn eq(&self, other: &Press) -> bool {
        self.digest == other.digest && self.settings == other.settings
    }
}

impl Press {
    /// Opens an ICC output profile for CMYK.
    ///
    /// # Errors
    /// `template.invalid` when it cannot be parsed, is not one of a CMYK press, or lacks a table
    /// that is needed.
    pub fn open(icc: Arc<[u8]>, intent: RenderingIntent, compensate: bool) -> Result<Press, Violation> {
        let out = Direction { icc: icc.clone(), out: true, intent: intent.lcms(), compensate };
        let back = Direction {
            icc: icc.clone(),
            out: false,
            intent: Intent::RelativeColorimetric,
            compensate: true,
        };
        let context = ThreadContext::new();
        let description = Profile::new_icc_context(&context, &icc)
            .ok()
            .and_then(|profile| profile.info(InfoType::Description, Locale::none()));
        Ok(Press {
            out_exact: out.way(PixelFormat::RGB_16, PixelFormat::CMYK_16, true)?,
            back_exact: back.way(PixelFormat::RGB_16, PixelFormat::CMYK_16, true)?,
            out,
            back,
            digest: Sha256::digest(&icc).into(),
            description: description.unwrap_or_default(),
            settings: (intent, compensate),
            icc,
            out_8: OnceLock::new(),
            out_16: OnceLock::new(),
            back_8: OnceLock::new(),
            back_16: OnceLock::new(),
        })
    }

    /// The profile's bytes.
    pub fn icc(&self) -> &Arc<[u8]> {
        &self.icc
    }

    /// SHA-256 of the profile's bytes.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// What the profile calls itself.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The inks of one sRGB colour, components 0 to 1, to a hundredth of a per cent: finer than
    /// any plate, and the dust that a table leaves on white paper is gone.
    pub fn inks(&self, srgb: [f32; 3]) -> [f32; 4] {
        let mut out = [[0u16; 4]];
        self.out_exact.transform.transform_pixels(&[srgb.map(sixteen)], &mut out);
        out[0].map(|v| libm::roundf(f32::from(v) / 6.5535) / 10_000.0)
    }

    /// How inks look, as sRGB, components 0 to 1.
    pub fn proof(&self, inks: [f32; 4]) -> [f32; 3] {
        let mut out = [[0u16; 3]];
        self.back_exact.transform.transform_pixels(&[inks.map(sixteen)], &mut out);
        out[0].map(|v| f32::from(v) / 65_535.0)
    }

    /// Pixels of 8-bit sRGB to 8-bit inks.
    ///
    /// # Errors
    /// `template.invalid` when the profile's table cannot be computed.
    pub fn inks_8(&self, srgb: &[[u8; 3]]) -> Result<Vec<[u8; 4]>, Violation> {
        in_pieces(&self.out_8, &self.out, (PixelFormat::RGB_8, PixelFormat::CMYK_8), srgb)
    }

    /// Pixels of 16-bit sRGB to 16-bit inks.
    ///
    /// # Errors
    /// As [`Press::inks_8`].
    pub fn inks_16(&self, srgb: &[[u16; 3]]) -> Result<Vec<[u16; 4]>, Violation> {
        in_pieces(&self.out_16, &self.out, (PixelFormat::RGB_16, PixelFormat::CMYK_16), srgb)
    }

    /// Pixels of 8-bit inks to how they look in 8-bit sRGB.
    ///
    /// # Errors
    /// As [`Press::inks_8`].
    pub fn proof_8(&self, inks: &[[u8; 4]]) -> Result<Vec<[u8; 3]>, Violation> {
        in_pieces(&self.back_8, &self.back, (PixelFormat::RGB_8, PixelFormat::CMYK_8), inks)
    }

    /// Pixels of 16-bit inks to how they look in 16-bit sRGB.
    ///
    /// # Errors
    /// As [`Press::inks_8`].
    pub fn proof_16(&self, inks: &[[u16; 4]]) -> Result<Vec<[u16; 3]>, Violation> {
        in_pieces(&self.back_16, &self.back, (PixelFormat::RGB_16, PixelFormat::CMYK_16), inks)
    }
}

/// Every pixel is converted by itself, so the number of threads does not show.
fn in_pieces<A, B, const N: usize, const M: usize>(
    kept: &OnceLock<Option<Way<[A; N], [B; M]>>>,
    direction: &Direction,
    formats: (PixelFormat, PixelFormat),
    from: &[[A; N]],
) -> Result<Vec<[B; M]>, Violation>
where
    A: Copy + Sync,
    [A; N]: lcms2::Pod,
    B: Copy + Default + Send + Sync,
    [B; M]: lcms2::Pod,
{
    let way = kept.get_or_init(|| direction.way(formats.0, formats.1, false).ok());
    let Some(way) = way else {
        return Err(invalid("The printing condition's ICC file lacks a table that is needed"));
    };
    let mut out = vec![[B::default(); M]; from.len()];
    out.par_chunks_mut(PIECE).zip(from.par_chunks(PIECE)).for_each(|(out, from)| {
        way.transform.transform_pixels(from, out);
    });
    Ok(out)
}

fn sixteen(value: f32) -> u16 {
    libm::roundf(value.clamp(0.0, 1.0) * 65_535.0) as u16
}

fn invalid(what: &str) -> Violation {
    Violation::new(Code::TemplateInvalid, format!("{what}; put another file into the profiles' icc folder"))
        .at("/color/condition")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(intent: RenderingIntent, compensate: bool) -> Press {
        let icc: &[u8] = include_bytes!("../../render-profiles/icc/FOGRA39L.icc");
        Press::open(icc.into(), intent, compensate).unwrap()
    }

    #[test]
    fn paper_is_white_and_pictures_follow_single_colours() {
        let press = press(RenderingIntent::RelativeColorimetric, true);
        assert_eq!(press.inks([1.0; 3]), [0.0; 4]);
        assert_eq!(press.inks_8(&[[255; 3]]).unwrap(), [[0; 4]]);
        assert_eq!(press.inks_16(&[[65_535; 3]]).unwrap(), [[0; 4]]);
        assert_eq!(press.proof_8(&[[0; 4]]).unwrap(), [[255; 3]]);
        for rgb in [[200u8, 30, 60], [20, 90, 160], [128, 128, 128], [230, 200, 90]] {
            let exact = press.inks(rgb.map(|v| f32::from(v) / 255.0));
            let eight = press.inks_8(&[rgb]).unwrap()[0].map(|v| f32::from(v) / 255.0);
            let sixteen = press.inks_16(&[rgb.map(|v| u16::from(v) * 257)]).unwrap()[0];
            let sixteen = sixteen.map(|v| f32::from(v) / 65_535.0);
            for i in 0..4 {
                assert!((exact[i] - eight[i]).abs() < 0.02, "{exact:?} {eight:?}");
                assert!((exact[i] - sixteen[i]).abs() < 0.02, "{exact:?} {sixteen:?}");
            }
            let seen = press.proof(exact).map(|v| v * 255.0);
            let table = press.proof_8(&[exact.map(|v| (v * 255.0).round() as u8)]).unwrap()[0];
            assert!((0..3).all(|i| (seen[i] - f32::from(table[i])).abs() < 3.0), "{seen:?} {table:?}");
        }
    }

    #[test]
    fn any_number_of_threads_gives_the_same_inks() {
        let press = press(RenderingIntent::Perceptual, false);
        let pixels: Vec<[u8; 3]> =
            (0..100_000u32).map(|i| [i as u8, (i >> 4) as u8, (i >> 9) as u8]).collect();
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| press.inks_8(&pixels).unwrap())
        };
        assert!(with(1) == with(3));
    }

    #[test]
    fn what_is_no_press_is_refused() {
        let srgb = Profile::new_srgb().icc().unwrap();
        for bytes in [Vec::new(), vec![0; 500], srgb] {
            let refused = Press::open(bytes.into(), RenderingIntent::Perceptual, true);
            assert_eq!(refused.unwrap_err().code, Code::TemplateInvalid);
        }
    }
}
