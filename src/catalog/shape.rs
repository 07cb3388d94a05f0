//! Drawn shapes, and what areas and lines are painted with.

use super::pattern::PatternLayer;
use super::photo::Fit;
use super::value::{Bound, ColorSpec, Measure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A drawn shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShapeLayer {
    /// Its outline.
    pub shape: ShapeSpec,
    /// Its fill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<PaintSpec>,
    /// Its stroke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stroke: Option<StrokeSpec>,
}

/// An outline in a box.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShapeSpec {
    /// The box, with rounded corners. Written `{"rect": {"radius": 3}}`.
    Rect(RectShape),
    /// The ellipse in the box. Written `{"ellipse": {}}`.
    Ellipse(EllipseShape),
    /// SVG path data.
    Path(PathShape),
    /// An element of the surface's drawing, where it stands (its own coordinates, not the box).
    Element(String),
}

/// A rectangle.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RectShape {
    /// Corner radius, at most half the shorter side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub radius: Option<Measure>,
}

/// An ellipse.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EllipseShape {}

/// SVG path data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PathShape {
    /// The `d` of an SVG path.
    pub d: String,
    /// The rectangle of the path's coordinates that is stretched over the box: x, y, width, height. Without it, millimetres from the box's corner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<[f64; 4]>,
    /// Inside is where crossings are odd.
    #[serde(default)]
    pub even_odd: bool,
}

/// What an area is painted with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PaintSpec {
    /// A gradient along a line.
    Linear(LinearHolder),
    /// A gradient from the box's centre.
    Radial(RadialHolder),
    /// A picture.
    Image(ImageHolder),
    /// A pattern of layers.
    Pattern(PatternHolder),
    /// One colour.
    Color(Bound<ColorSpec>),
}

/// `{"linear": …}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinearHolder {
    /// The gradient.
    pub linear: LinearSpec,
}

/// `{"radial": …}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RadialHolder {
    /// The gradient.
    pub radial: RadialSpec,
}

/// `{"image": …}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageHolder {
    /// The picture.
    pub image: ImageFill,
}

/// `{"pattern": …}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PatternHolder {
    /// The pattern.
    pub pattern: Box<PatternLayer>,
}

/// A picture as a fill: a path of the template, or an image field.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ImageFill {
    /// A path of the template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset: Option<Bound<String>>,
    /// An image field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// How it meets the box.
    pub fit: Fit,
}

/// A gradient along a line through the box.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinearSpec {
    /// Degrees clockwise from left to right; the line spans the box's corners, as in CSS.
    #[serde(default)]
    pub angle: f64,
    /// The colours.
    #[schemars(length(min = 2))]
    pub stops: Vec<StopSpec>,
}

/// A gradient from the box's centre to its corners' ellipse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RadialSpec {
    /// The centre, in fractions of the box.
    #[serde(default = "super::photo::centre")]
    pub center: [f64; 2],
    /// The radius, in fractions of the box's width and height (0.5 reaches the sides).
    #[serde(default = "half")]
    pub radius: f64,
    /// The colours.
    #[schemars(length(min = 2))]
    pub stops: Vec<StopSpec>,
}

fn half() -> f64 {
    0.5
}

/// A colour of a gradient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StopSpec {
    /// 0 to 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub at: f64,
    /// The colour.
    pub color: Bound<ColorSpec>,
    /// 0 to 1.
    #[serde(default = "opaque")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub opacity: f64,
}

fn opaque() -> f64 {
    1.0
}

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StrokeSpec {
    /// Width in mm.
    pub width: Measure,
    /// The colour.
    pub color: Bound<ColorSpec>,
    /// Dashes and gaps in mm.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dash: Vec<f64>,
    /// Corners.
    #[serde(default)]
    pub join: Join,
    /// Ends.
    #[serde(default)]
    pub cap: Cap,
}

/// A stroke's corners.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "SVG's own names")]
pub enum Join {
    #[default]
    Round,
    Miter,
    Bevel,
}

/// A stroke's ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "SVG's own names")]
pub enum Cap {
    #[default]
    Butt,
    Round,
    Square,
}
