//! Sections of a render profile for plates and files that are made from the art: the underbase,
//! cut contours, drawings for cutters and lasers, JPEG and 1-bit engraving files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A white or clear ink under the art.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Underbase {
    /// The spot ink, by its name in `[spots]`; it is laid by overprint or multiply.
    pub spot: String,
    /// Millimetres that it is drawn in from the art's edge, so that no white shows beside it.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 5.0))]
    pub choke: f64,
    /// Millimetres that it stands out beyond the art's edge. Not together with `choke`.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 5.0))]
    pub spread: f64,
    /// Solid where the art's alpha is at least this, nothing elsewhere. Without it an image
    /// follows the alpha; an outline runs at 0.5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.004, max = 1.0))]
    pub threshold: Option<f64>,
    /// Image or outlines: some RIPs see spot inks in vector art only.
    #[serde(default, rename = "as")]
    pub form: UnderbaseForm,
    /// Nothing under art of the garment's own colour; the number is the largest difference of
    /// an sRGB component (0 to 1) that counts as the same. Outlines leave it out before they are traced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 0.5))]
    pub garment_knockout: Option<f64>,
}

/// Image or outlines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UnderbaseForm {
    /// An 8-bit image at the job's resolution.
    #[default]
    Image,
    /// Outlines traced from the art.
    Vector,
}

/// A line to cut, to perforate or to crease along.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contour {
    /// The spot ink, by its name in `[spots]`; it is laid by overprint or multiply.
    pub spot: String,
    /// What it follows.
    pub from: ContourFrom,
    /// Millimetres outwards; negative: inwards.
    #[serde(default)]
    #[schemars(range(min = -50.0, max = 50.0))]
    pub offset: f64,
    /// The most, in millimetres, that the line may leave the exact offset to be smoother.
    #[serde(default = "fine")]
    #[schemars(range(min = 0.005, max = 1.0))]
    pub smoothing: f64,
    /// No bend of the line is tighter than this, in millimetres.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 50.0))]
    pub min_radius: f64,
    /// What becomes of holes in the outline.
    #[serde(default)]
    pub holes: Holes,
    /// Holes under this many square millimetres are filled where `holes` is `"drop"`.
    #[serde(default)]
    #[schemars(range(min = 0.0))]
    pub min_hole_area: f64,
    /// Alpha from which the art counts, where the line is traced from it.
    #[serde(default = "half")]
    #[schemars(range(min = 0.004, max = 1.0))]
    pub threshold: f64,
    /// The line's width in points.
    #[serde(default = "quarter")]
    #[schemars(range(min = 0.001, max = 10.0))]
    pub stroke: f64,
}

fn fine() -> f64 {
    0.02
}

fn half() -> f64 {
    0.5
}

fn quarter() -> f64 {
    0.25
}

/// What a contour follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ContourFrom {
    /// The finished size.
    Trim,
    /// The edge of the art, traced from its alpha.
    Alpha,
    /// The filled outlines of the layer with this id. The layer is then a die line and is not
    /// printed.
    Layer(String),
}

/// What becomes of holes in an outline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Holes {
    /// They are cut too.
    Keep,
    /// They are filled: one line around everything.
    #[default]
    Fill,
    /// Those under `min_hole_area` are filled.
    Drop,
}

/// Drawings for cutters and lasers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SvgSettings {
    /// What is drawn.
    pub content: SvgContent,
    /// Spot inks, by their names in `[spots]`, whose lines are cut: hairlines in `255,0,0`.
    pub cut: Vec<String>,
    /// Spot inks whose areas are engraved: `0,0,0`.
    pub engrave: Vec<String>,
}

/// What an SVG shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SvgContent {
    /// All vector art. Pictures in it are an error, since a drawing cannot hold them.
    #[default]
    Art,
    /// Only what is in a spot ink: the lines to cut and the areas to engrave.
    Spots,
}

/// JPEG files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JpegSettings {
    /// 1 to 100.
    #[schemars(range(min = 1, max = 100))]
    pub quality: u8,
    /// Quality is lowered as far as this to stay within `max_bytes`.
    #[schemars(range(min = 1, max = 100))]
    pub min_quality: u8,
    /// The supplier's limit in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
}

impl Default for JpegSettings {
    fn default() -> Self {
        JpegSettings { quality: 92, min_quality: 75, max_bytes: None }
    }
}

/// 1-bit engraving files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EngravingSettings {
    /// The device's resolution; the job's unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 36.0, max = 2400.0))]
    pub dpi: Option<f64>,
    /// How tones become dots.
    pub screen: Screen,
    /// Darkness from which `"threshold"` engraves, 0 to 1.
    #[schemars(range(min = 0.004, max = 1.0))]
    pub threshold: f64,
}

impl Default for EngravingSettings {
    fn default() -> Self {
        EngravingSettings { dpi: None, screen: Screen::default(), threshold: 0.5 }
    }
}

/// How tones become dots.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Screen {
    /// Everything darker than the threshold.
    Threshold,
    /// Error diffusion after Floyd and Steinberg.
    #[default]
    FloydSteinberg,
    /// Ordered dots after Bayer, 8 × 8.
    Bayer,
    /// Clustered dots, 8 × 8 at 45°: what burns evenly in wood and leather.
    Clustered,
}
