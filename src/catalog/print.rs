//! What a render profile says to the printer: colour, the PDF standard, spot inks, marks.

use super::value::ColorSpec;
use crate::color::RenderingIntent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Colour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColorSettings {
    /// The space that documents are delivered in.
    pub space: Space,
    /// The printing condition: an ICC file `icc/<condition>.icc` beside the profiles. Needed for `cmyk`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$"))]
    pub condition: Option<String>,
    /// The condition's name in the ICC's registry of characterisation data, such as `FOGRA39`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub registered: Option<String>,
    /// How colours that the press cannot print are brought to those it can.
    #[serde(default)]
    pub intent: RenderingIntent,
    /// The darkest colour of a picture becomes the darkest that the press can print.
    #[serde(default = "yes")]
    pub black_point_compensation: bool,
    /// What becomes of sRGB in a CMYK document.
    #[serde(default)]
    pub rgb: RgbObjects,
    /// Ink at most, as the sum of all coverages in per cent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 100.0, max = 400.0))]
    pub ink_limit: Option<f32>,
    /// What becomes of type and codes in neutral black.
    #[serde(default)]
    pub black_type: BlackType,
    /// The inks of other vector art in neutral black: cyan, magenta, yellow, black; 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(inner(range(min = 0.0, max = 1.0)))]
    pub rich_black: Option<[f32; 4]>,
}

fn yes() -> bool {
    true
}

/// A space to deliver in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Space {
    /// IEC 61966-2-1 sRGB.
    Srgb,
    /// The process inks of the printing condition.
    Cmyk,
}

/// What becomes of sRGB objects in a CMYK document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RgbObjects {
    /// They are converted to the process inks.
    #[default]
    Convert,
    /// They stay sRGB with its profile; the print shop converts them.
    Tagged,
}

/// What becomes of type and codes in neutral black.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BlackType {
    /// Black ink alone, and it overprints where that is safe.
    #[default]
    K,
    /// Converted like any colour.
    Convert,
}

/// PDF files.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PdfSettings {
    /// What the file promises to be.
    pub standard: Standard,
    /// Every surface is a file of its own.
    pub single_pages: bool,
}

/// What a PDF promises to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Standard {
    /// A PDF with print boxes, and no promise.
    #[default]
    Plain,
    /// PDF/X-1a:2003 (ISO 15930-4): process and spot inks only, no transparency, no layers. Needs a
    /// CMYK printing condition, and everything converted to it.
    X1a,
    /// PDF/X-3:2003 (ISO 15930-6): the same with tagged colours. Needs a CMYK printing condition.
    X3,
    /// PDF/X-4 (ISO 15930-7). Needs a CMYK printing condition.
    X4,
}

impl Standard {
    /// What the file's statements call it.
    pub fn version(self) -> Option<&'static str> {
        match self {
            Standard::Plain => None,
            Standard::X1a => Some("PDF/X-1a:2003"),
            Standard::X3 => Some("PDF/X-3:2003"),
            Standard::X4 => Some("PDF/X-4"),
        }
    }

    /// The version of PDF it is written in.
    pub fn pdf_version(self) -> &'static str {
        match self {
            Standard::Plain => "1.7",
            Standard::X1a | Standard::X3 => "1.4",
            // ISO 15930-7 is built on 1.6 and takes nothing newer.
            Standard::X4 => "1.6",
        }
    }

    /// It is built on PDF 1.4 and allows neither transparency nor layers.
    pub fn is_flat(self) -> bool {
        match self {
            Standard::X1a | Standard::X3 => true,
            Standard::Plain | Standard::X4 => false,
        }
    }
}

/// A spot ink.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpotInk {
    /// The exact name of its plate.
    #[schemars(length(min = 1, max = 64))]
    pub plate: String,
    /// How it looks where it has no plate.
    pub alternate: ColorSpec,
    /// How it meets what lies beneath.
    #[serde(default)]
    pub laid: Laid,
    /// Painted after all art, on a layer of its own, in rising order. Without it the ink is painted
    /// where the art has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub order: Option<u16>,
    /// What is done with it at the press or after (ISO 19593-1); its layer says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
}

impl SpotInk {
    /// When it is painted, of those that are painted after all art; white is the last unless told.
    pub fn turn(&self) -> Option<u16> {
        let last = if self.step == Some(Step::White) { 1000 } else { 0 };
        self.order.or(self.step.map(|_| last))
    }
}

/// How a spot ink meets what lies beneath.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Laid {
    /// What lies beneath is taken off the other plates.
    #[default]
    Knockout,
    /// The other plates stay as they are, by overprinting.
    Overprint,
    /// The other plates stay as they are, by the blend mode.
    Multiply,
}

/// A processing step of ISO 19593-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Cut through.
    Cutting,
    /// Cut through the upper layer only: kiss cut.
    PartialCutting,
    /// Perforated.
    Perforating,
    /// Creased.
    Creasing,
    /// Drilled.
    Drilling,
    /// Hot foil.
    FoilStamping,
    /// Cold foil.
    ColdFoilStamping,
    /// Raised.
    Embossing,
    /// Sunk.
    Debossing,
    /// White ink, beneath or above the print.
    White,
    /// Varnish.
    Varnish,
}

impl Step {
    /// The standard's group, and its type within the group where the group has types.
    pub fn metadata(self) -> (&'static str, Option<&'static str>) {
        match self {
            Step::Cutting => ("Structural", Some("Cutting")),
            Step::PartialCutting => ("Structural", Some("PartialCutting")),
            Step::Perforating => ("Structural", Some("Perforating")),
            Step::Creasing => ("Structural", Some("Creasing")),
            Step::Drilling => ("Structural", Some("Drilling")),
            Step::FoilStamping => ("Structural", Some("FoilStamping")),
            Step::ColdFoilStamping => ("Structural", Some("ColdFoilStamping")),
            Step::Embossing => ("Structural", Some("Embossing")),
            Step::Debossing => ("Structural", Some("Debossing")),
            Step::White => ("White", None),
            Step::Varnish => ("Varnish", None),
        }
    }

    /// It lays a colour of its own onto the sheet. White does not count: it lies beneath the colours.
    pub fn is_color(self) -> bool {
        match self {
            Step::FoilStamping | Step::ColdFoilStamping => true,
            Step::Cutting
            | Step::PartialCutting
            | Step::Perforating
            | Step::Creasing
            | Step::Drilling
            | Step::Embossing
            | Step::Debossing
            | Step::White
            | Step::Varnish => false,
        }
    }
}

/// Marks outside the bleed; none unless told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MarkSettings {
    /// Lines that show where to cut.
    pub crop: bool,
    /// Lines that show where the bleed ends.
    pub bleed: bool,
    /// Crosses that show whether the plates lie on each other.
    pub registration: bool,
    /// Patches of every ink.
    pub color_bar: bool,
    /// The order, the item and the surface, in words.
    pub slug: bool,
    /// From the trim to where crop marks begin, in mm; never inside the bleed.
    #[schemars(range(min = 0.0, max = 20.0))]
    pub offset: f64,
    /// How long lines are, in mm.
    #[schemars(range(min = 1.0, max = 20.0))]
    pub length: f64,
    /// How thick lines are, in points.
    #[schemars(range(min = 0.1, max = 2.0))]
    pub weight: f64,
}

impl Default for MarkSettings {
    fn default() -> Self {
        MarkSettings {
            crop: false,
            bleed: false,
            registration: false,
            color_bar: false,
            slug: false,
            offset: 3.0,
            length: 5.0,
            weight: 0.25,
        }
    }
}

impl MarkSettings {
    /// Some mark is wanted.
    pub fn any(&self) -> bool {
        self.crop || self.bleed || self.registration || self.color_bar || self.slug
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::load_profile;

    const HEAD: &str = "schema = \"presswork.profile/1\"\ntitle = \"T\"\ndpi = 300\noutputs = [\"pdf\"]\n";
    const CMYK: &str = "[color]\nspace = \"cmyk\"\ncondition = \"FOGRA39L\"\n";
    const WHITE: &str = "[spots.White]\nplate = \"White\"\nalternate = \"#eeeeee\"\nstep = \"white\"\n";

    #[test]
    fn what_a_print_shop_would_refuse_is_refused() {
        let cut = "[spots.Cut]\nplate = \"Cut\"\nalternate = \"#ff00ff\"\norder = 1000\n";
        let cases = [
            ("[color]\nspace = \"cmyk\"\n".to_owned(), "/color/condition"),
            ("[color]\nspace = \"srgb\"\ncondition = \"FOGRA39L\"\n".to_owned(), "/color/condition"),
            ("[color]\nspace = \"srgb\"\n[pdf]\nstandard = \"x4\"\n".to_owned(), "/pdf/standard"),
            (format!("{CMYK}ink_limit = 200\nrich_black = [0.5, 0.5, 0.5, 1.0]\n"), "/color/rich_black"),
            (format!("{CMYK}{}", cut.replace("\"Cut\"", "\"All\"")), "/spots/Cut"),
            (format!("{CMYK}{WHITE}"), "/spots/White"),
            (format!("{CMYK}{WHITE}laid = \"overprint\"\norder = 3\n{cut}"), "/spots/White"),
            (
                format!("{CMYK}{cut}{}", cut.replace("[spots.Cut]", "[spots.Other]").replace("1000", "4")),
                "/spots/Cut",
            ),
        ];
        for (text, pointer) in cases {
            let refused = load_profile(&format!("{HEAD}{text}")).unwrap_err();
            let found = refused.0.iter().any(|v| v.pointer.as_deref() == Some(pointer));
            assert!(found, "{text}: {refused:?}");
        }
        for good in
            [format!("{CMYK}{WHITE}laid = \"multiply\"\n{}", cut.replace("1000", "4")), CMYK.to_owned()]
        {
            load_profile(&format!("{HEAD}{good}")).unwrap();
        }
    }

    #[test]
    fn white_comes_last_unless_told() {
        let spot = |order, step| SpotInk {
            plate: "P".into(),
            alternate: ColorSpec::Hex("#000000".into()),
            laid: Laid::Overprint,
            order,
            step,
        };
        assert_eq!(spot(None, None).turn(), None);
        assert_eq!(spot(None, Some(Step::Cutting)).turn(), Some(0));
        assert_eq!(spot(None, Some(Step::White)).turn(), Some(1000));
        assert_eq!(spot(Some(7), Some(Step::White)).turn(), Some(7));
    }
}
