//! Render profiles: how a product is printed. One TOML file a profile.

use super::plates::{Contour, EngravingSettings, JpegSettings, SvgSettings, Underbase};
use super::preflight::PreflightSettings;
use super::print::{ColorSettings, MarkSettings, PdfSettings, SpotInk};
use super::value::{ColorSpec, Spots};
use crate::scene::{Color, Dpi};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// `render-profiles/<name>.toml`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// `presswork.profile/1`
    #[schemars(regex(pattern = r"^presswork\.profile/1$"))]
    pub schema: String,
    /// What an operator calls it.
    pub title: String,
    /// Resolution of everything that is made of pixels.
    #[schemars(range(min = 36.0, max = 2400.0))]
    pub dpi: f64,
    /// What a job delivers unless the order asks for less.
    #[schemars(length(min = 1))]
    pub outputs: Vec<Output>,
    /// What a PNG shows. A PDF always shows the bleed and marks the trim.
    #[serde(default)]
    pub area: Area,
    /// Printed as seen from behind: sublimation transfers, film.
    #[serde(default)]
    pub mirror: bool,
    /// Quarter turns clockwise, in degrees: 0, 90, 180 or 270.
    #[serde(default)]
    pub rotate: u16,
    /// Compensates for a medium that shrinks: the page is wider by this factor.
    #[serde(default = "one")]
    #[schemars(range(min = 0.5, max = 2.0))]
    pub scale_x: f64,
    /// The page is higher by this factor.
    #[serde(default = "one")]
    #[schemars(range(min = 0.5, max = 2.0))]
    pub scale_y: f64,
    /// Colour.
    pub color: ColorSettings,
    /// PNG files.
    #[serde(default)]
    pub png: PngSettings,
    /// PDF files.
    #[serde(default)]
    pub pdf: PdfSettings,
    /// Previews.
    #[serde(default)]
    pub preview: PreviewSettings,
    /// An ink under the art, made from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub underbase: Option<Underbase>,
    /// Lines to cut along, made from the art.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contour: Vec<Contour>,
    /// SVG files.
    #[serde(default)]
    pub svg: SvgSettings,
    /// JPEG files.
    #[serde(default)]
    pub jpeg: JpegSettings,
    /// 1-bit engraving files.
    #[serde(default)]
    pub engraving: EngravingSettings,
    /// Spot inks, by the name that templates use.
    #[serde(default)]
    pub spots: IndexMap<String, SpotInk>,
    /// Marks outside the bleed.
    #[serde(default)]
    pub marks: MarkSettings,
    /// What happens when something is not quite right.
    #[serde(default)]
    pub policy: Policy,
    /// Effective resolution of pictures.
    #[serde(default)]
    pub resolution: Resolution,
    /// What a finished PDF is held to.
    #[serde(default)]
    pub preflight: PreflightSettings,
}

fn one() -> f64 {
    1.0
}

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Output {
    /// One PDF, a page for each surface.
    Pdf,
    /// One PNG for each surface, at the job's resolution.
    Png,
    /// One small PNG for each surface, on its garment.
    Preview,
    /// One JPEG for each surface, at the job's resolution.
    Jpeg,
    /// One drawing of the vector art for each surface: for cutters and lasers.
    Svg,
    /// One CMYK TIFF of the process inks for each surface, at the job's resolution, with the
    /// printing condition's ICC profile. Needs a CMYK printing condition.
    Tiff,
    /// One greyscale PNG for each plate of each surface: white is full ink. Spot plates, and in a
    /// CMYK job the process plates too.
    Plates,
    /// One 1-bit PNG for each surface, at the device's resolution: black is engraved.
    Engraving,
}

impl Output {
    /// Every kind.
    pub const ALL: [Output; 8] = [
        Output::Pdf,
        Output::Png,
        Output::Preview,
        Output::Jpeg,
        Output::Svg,
        Output::Tiff,
        Output::Plates,
        Output::Engraving,
    ];

    /// The name in orders, results and file names.
    pub fn as_str(self) -> &'static str {
        match self {
            Output::Pdf => "pdf",
            Output::Png => "png",
            Output::Preview => "preview",
            Output::Jpeg => "jpeg",
            Output::Svg => "svg",
            Output::Tiff => "tiff",
            Output::Plates => "plates",
            Output::Engraving => "engraving",
        }
    }
}

/// What a picture of a surface shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Area {
    /// The finished size.
    #[default]
    Trim,
    /// The finished size and the bleed around it.
    Bleed,
}

/// PNG files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PngSettings {
    /// Bits a component: 8 or 16.
    pub depth: u8,
    /// Opaque files on this ground. Without it the ground is transparent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background: Option<ColorSpec>,
    /// The supplier's limit in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
}

impl Default for PngSettings {
    fn default() -> Self {
        PngSettings { depth: 8, background: None, max_bytes: None }
    }
}

/// Previews.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PreviewSettings {
    /// The longer side, in pixels.
    #[schemars(range(min = 16, max = 4096))]
    pub max_px: u32,
}

impl Default for PreviewSettings {
    fn default() -> Self {
        PreviewSettings { max_px: 1000 }
    }
}

/// What a finding does to the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is listed; the files are good to print.
    Warn,
    /// The files are made; a person has to release them.
    Hold,
    /// The job fails.
    Fail,
}

/// What happens when something is not quite right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// No font has a character.
    pub glyphs: Action,
    /// Text does not fit at its smallest size.
    pub overflow: Action,
    /// A picture has less than `resolution.fail` pixels per inch.
    pub low_resolution: Action,
    /// Art has parts that cannot be rendered.
    pub unsupported_art: Action,
    /// Codes of findings that an order may waive by `accept`.
    pub waivable: Vec<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            glyphs: Action::Fail,
            overflow: Action::Fail,
            low_resolution: Action::Warn,
            unsupported_art: Action::Fail,
            waivable: Vec::new(),
        }
    }
}

/// Effective resolution of pictures, in pixels per inch on the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Resolution {
    /// Below this a picture is listed.
    pub warn: f64,
    /// Below this `policy.low_resolution` applies.
    pub fail: f64,
}

impl Default for Resolution {
    fn default() -> Self {
        Resolution { warn: 150.0, fail: 72.0 }
    }
}

impl Profile {
    /// The job's resolution.
    pub fn dpi(&self) -> Dpi {
        Dpi::new(self.dpi)
    }
}

impl Spots for Profile {
    fn spot(&self, name: &str) -> Option<(Arc<str>, Color)> {
        let spot = self.spots.get(name)?;
        let alternate = match &spot.alternate {
            ColorSpec::Hex(hex) => Color::parse_hex(hex)?,
            ColorSpec::Cmyk(spec) => Color::Cmyk(spec.cmyk),
            ColorSpec::Grey(spec) => Color::Grey(spec.grey),
            ColorSpec::Spot(_) => return None,
        };
        Some((spot.plate.as_str().into(), alternate))
    }
}
