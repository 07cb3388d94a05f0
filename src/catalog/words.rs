//! Layers of words, vector art and scannable codes: what stays outlines.

use super::photo::Fit;
use super::shape::{PaintSpec, StrokeSpec};
use super::value::{Bound, ColorSpec, Measure};
use crate::code::{ErrorLevel, Symbology};
use crate::text::{Align, FontSpec, VAlign};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TextLayer {
    /// What it says: words with `{field}` and `{field|fallback}`; `{{` and `}}` are braces.
    pub content: Bound<String>,
    /// The face.
    pub font: Bound<FontSpec>,
    /// Size in points.
    pub size: Bound<Measure>,
    /// Shrinks to this many points to fit the box, then `text.overflow`. Without it the text never shrinks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_size: Option<Measure>,
    /// Where lines stand in the box.
    #[serde(default)]
    pub align: Align,
    /// Where the lines stand in the box's height.
    #[serde(default)]
    pub valign: VAlign,
    /// Distance of baselines, in sizes.
    #[serde(default = "line_height")]
    pub line_height: f64,
    /// Added between characters, in sizes.
    #[serde(default)]
    pub letter_spacing: f64,
    /// Lines are broken to the box's width. Otherwise only where the text has a line break.
    #[serde(default = "yes")]
    pub wrap: bool,
    /// Most lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_lines: Option<usize>,
    /// Changes of case, by Unicode's rules.
    #[serde(default)]
    pub case: Case,
    /// The fill; black unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<PaintSpec>,
    /// A stroke, behind the fill unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stroke: Option<StrokeSpec>,
    /// The stroke stands before the fill.
    #[serde(default)]
    pub stroke_in_front: bool,
}

fn line_height() -> f64 {
    1.2
}

fn yes() -> bool {
    true
}

/// Changes of case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Case {
    /// As typed.
    #[default]
    Typed,
    /// CAPITALS.
    Upper,
    /// small letters.
    Lower,
}

/// Vector art.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArtLayer {
    /// A path of the template (SVG). Or give `field`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset: Option<Bound<String>>,
    /// An image field whose asset is an SVG of the order (a scannable, a piece of clipart).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// How it meets the box.
    #[serde(default = "fit_inside")]
    pub fit: Fit,
    /// Colours of the art and what they become.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub swatches: IndexMap<String, Bound<ColorSpec>>,
    /// Elements of the art, by id, and what they are painted with.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub ids: IndexMap<String, IdSpec>,
    /// The whole art in one colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<Bound<ColorSpec>>,
}

pub(super) fn fit_inside() -> Fit {
    Fit::Fit
}

/// What an element of art is painted with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IdSpec {
    /// Its fill.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fill: Option<Bound<ColorSpec>>,
    /// Its stroke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stroke: Option<Bound<ColorSpec>>,
}

/// A scannable code. A supplied code (a music service's) is an `art` layer instead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeLayer {
    /// Which code.
    pub symbology: Symbology,
    /// What it holds, as a text layer's `content`.
    pub content: Bound<String>,
    /// QR: how much may be lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_level: Option<ErrorLevel>,
    /// Modules left free on each side; the standard's unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_zone: Option<u32>,
    /// The bars; black unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<Bound<ColorSpec>>,
    /// The ground, quiet zone included; none unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ground: Option<Bound<ColorSpec>>,
}
