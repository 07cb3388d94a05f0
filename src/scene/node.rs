//! The closed set of things that can be printed.
//!
//! A scene is resolved: text is outlines, options are values, assets are probed pictures.
//! Coordinates are millimetres, y down. A node's geometry is in its parent's space; a
//! [`Group`] carries the transform from its own space to its parent's. Nothing here holds
//! decoded pixels.

use super::ink::Ink;
use super::separation::Separation;
use crate::asset::Picture;
use crate::cache::Cache;
use crate::error::{Code, Violation};
use kurbo::{Affine, BezPath, Point, Rect, Shape};
use std::sync::Arc;

/// One printable thing. Nodes of a list are painted first to last.
#[derive(Debug, Clone)]
pub enum Node {
    /// Nodes that are composited together.
    Group(Arc<Group>),
    /// A filled and stroked outline.
    Path(Arc<PathNode>),
    /// A picture placed by a matrix.
    Image(Arc<ImageNode>),
    /// One cell printed many times.
    Pattern(Arc<PatternNode>),
    /// A piece of vector art that needs pixels to be computed: an SVG filter.
    Filter(Arc<FilterNode>),
    /// A plate beside the art; pictures do not show it.
    Separation(Arc<Separation>),
}

/// Nodes that share a transform, an opacity, clips or a mask.
#[derive(Debug, Clone)]
pub struct Group {
    /// The template's layer id, where this group is a layer.
    pub name: Option<Arc<str>>,
    /// It is a layer of type or a code: on a press its black is black ink alone.
    pub readable: bool,
    /// From the group's space to its parent's.
    pub transform: Affine,
    /// 0 to 1, applied to the group's composited result.
    pub opacity: f32,
    /// How the result meets what lies beneath.
    pub blend: Blend,
    /// Children do not see what lies beneath the group. A group with an opacity below 1, a
    /// blend mode or a mask is always composited in isolation.
    pub isolated: bool,
    /// Only areas inside every clip are painted; in the group's own space.
    pub clips: Vec<Clip>,
    /// A mask over the result, in the group's own space.
    pub mask: Option<Mask>,
    /// What it holds.
    pub nodes: Vec<Node>,
}

impl Default for Group {
    fn default() -> Self {
        Group {
            name: None,
            readable: false,
            transform: Affine::IDENTITY,
            opacity: 1.0,
            blend: Blend::Normal,
            isolated: false,
            clips: Vec::new(),
            mask: None,
            nodes: Vec::new(),
        }
    }
}

impl Group {
    /// True when its children may be painted straight onto what lies beneath.
    pub fn is_plain(&self) -> bool {
        self.opacity >= 1.0 && self.blend == Blend::Normal && !self.isolated && self.mask.is_none()
    }
}

/// A clip region: the union of some filled outlines.
#[derive(Debug, Clone)]
pub struct Clip {
    /// Outlines and how each is filled.
    pub paths: Vec<(Arc<BezPath>, FillRule)>,
}

/// A soft mask: a small scene of its own.
#[derive(Debug, Clone)]
pub struct Mask {
    /// What of the nodes makes the mask.
    pub kind: MaskKind,
    /// Painted onto nothing (alpha), or onto black (luminosity, sRGB-encoded Rec. 709 weights).
    pub nodes: Vec<Node>,
}

/// How a mask's nodes become coverage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaskKind {
    /// Their alpha.
    Alpha,
    /// Their alpha times the luminosity `0.2126 R + 0.7152 G + 0.0722 B` of their colour.
    Luminosity,
}

/// Which side of an outline is inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FillRule {
    /// Non-zero winding number.
    #[default]
    NonZero,
    /// Odd crossings.
    EvenOdd,
}

/// The blend modes that PDF (ISO 32000-1, 11.3.5) and SVG share.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Default,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the modes' names are their standard's")]
pub enum Blend {
    #[default]
    Normal,
    Multiply,
    Screen,
    Overlay,
    Darken,
    Lighten,
    ColorDodge,
    ColorBurn,
    HardLight,
    SoftLight,
    Difference,
    Exclusion,
    Hue,
    Saturation,
    Color,
    Luminosity,
}

/// A filled and stroked outline.
#[derive(Debug, Clone)]
pub struct PathNode {
    /// The outline, in the parent's space.
    pub path: Arc<BezPath>,
    /// How it is filled.
    pub fill: Option<Fill>,
    /// How it is stroked.
    pub stroke: Option<Stroke>,
    /// The stroke is painted before the fill, so that it stands behind it.
    pub stroke_first: bool,
    /// Does not knock out what lies beneath it, on plates.
    pub overprint: bool,
}

/// A fill.
#[derive(Debug, Clone)]
pub struct Fill {
    /// With what.
    pub paint: Paint,
    /// 0 to 1.
    pub opacity: f32,
    /// Where.
    pub rule: FillRule,
}

/// A stroke, centred on the outline.
#[derive(Debug, Clone)]
pub struct Stroke {
    /// With what.
    pub paint: Paint,
    /// 0 to 1.
    pub opacity: f32,
    /// Width, caps, joins and dashes, in the path's space.
    pub style: kurbo::Stroke,
}

impl Stroke {
    /// Most dashes of one line.
    pub const MAX_DASHES: u32 = 500_000;

    /// A line is drawn with all its dashes or refused, never solid and never left out.
    ///
    /// # Errors
    /// `svg.too_complex` when `path` has more than [`Stroke::MAX_DASHES`] of them.
    pub fn check_dashes(&self, path: &BezPath) -> Result<(), Violation> {
        let dashes = &self.style.dash_pattern;
        let period: f64 = dashes.iter().sum();
        if dashes.is_empty() || period <= 0.0 {
            return Ok(());
        }
        // Any precision will do: this is compared with half a million.
        let length = path.perimeter((period * 10.0).max(1e-3));
        if length / period * dashes.len() as f64 <= f64::from(Self::MAX_DASHES) {
            return Ok(());
        }
        let detail = format!(
            "a dashed line has more than {} dashes; send art with longer dashes or a solid line",
            Self::MAX_DASHES
        );
        Err(Violation::new(Code::SvgTooComplex, detail).limit(u64::from(Self::MAX_DASHES)))
    }
}

/// What an area is painted with. Coordinates are those of the painted path.
#[derive(Debug, Clone)]
pub enum Paint {
    /// One ink.
    Solid(Ink),
    /// A gradient along a line.
    Linear(Arc<LinearGradient>),
    /// A gradient between two circles.
    Radial(Arc<RadialGradient>),
    /// A picture or group, repeated.
    Tiling(Arc<Tiling>),
}

/// Colour stops, interpolated in gamma-encoded sRGB without premultiplication.
#[derive(Debug, Clone)]
pub struct Stops {
    /// Offset (0 to 1, rising), ink, opacity.
    pub stops: Vec<(f32, Ink, f32)>,
    /// What lies beyond the ends.
    pub spread: Spread,
    /// From the gradient's space to the painted path's.
    pub transform: Affine,
}

/// What lies beyond a gradient's ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Spread {
    /// The end colours.
    #[default]
    Pad,
    /// The gradient backwards, then forwards.
    Reflect,
    /// The gradient again.
    Repeat,
}

/// A gradient along a line.
#[derive(Debug, Clone)]
pub struct LinearGradient {
    /// Where offset 0 stands.
    pub start: Point,
    /// Where offset 1 stands.
    pub end: Point,
    /// The colours.
    pub stops: Stops,
}

/// A gradient from a focal circle to an outer one, as SVG 2 defines it.
#[derive(Debug, Clone)]
pub struct RadialGradient {
    /// The outer circle's centre.
    pub center: Point,
    /// The outer circle's radius.
    pub radius: f64,
    /// The focal circle's centre.
    pub focus: Point,
    /// The focal circle's radius.
    pub focus_radius: f64,
    /// The colours.
    pub stops: Stops,
}

/// A cell repeated without end in both directions.
#[derive(Debug, Clone)]
pub struct Tiling {
    /// The cell's rectangle in the tiling's space; it is clipped to it and repeats by its size.
    pub cell: Rect,
    /// From the tiling's space to the painted path's.
    pub transform: Affine,
    /// What the cell shows.
    pub group: Arc<Group>,
}

/// A picture placed on the page.
#[derive(Debug, Clone)]
pub struct ImageNode {
    /// Which picture; not decoded yet.
    pub picture: Arc<Picture>,
    /// The part that is shown, in fractions of the upright picture (0 to 1 in x and y).
    pub crop: Rect,
    /// Takes the unit square (the cropped picture, y down) to the parent's space. Rotation,
    /// mirroring and stretching are all here.
    pub transform: Affine,
    /// Tone and blur filters, applied in order before the picture is composited.
    pub adjust: Vec<Adjust>,
    /// An alpha channel supplied beside the picture; it covers the whole upright picture.
    pub matte: Option<Arc<Picture>>,
    /// Nearest-neighbour enlargement, for pixel art. Otherwise Lanczos3.
    pub pixelated: bool,
}

/// A change to a picture's pixels, in gamma-encoded sRGB; alpha is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Adjust {
    /// Rec. 709 luma.
    Greyscale,
    /// The Filter Effects sepia matrix, by an amount from 0 to 1.
    Sepia(f32),
    /// Every component times this.
    Brightness(f32),
    /// `(c - 0.5) * amount + 0.5`.
    Contrast(f32),
    /// Gaussian blur with this standard deviation in millimetres on the page.
    Blur(f64),
    /// Luma at or above the level (0 to 1) becomes white, below it black.
    Threshold(f32),
    /// Luma mapped onto the way from one sRGB colour (black) to another (white).
    Duotone([f32; 3], [f32; 3]),
}

/// One cell printed at many places, painted in the order of `instances`.
#[derive(Debug, Clone)]
pub struct PatternNode {
    /// What is printed.
    pub cell: Arc<Group>,
    /// What the cell covers at most, in its own space (before `cell.transform`, which is identity).
    pub bounds: Rect,
    /// From the cell's space to the parent's, one for each print.
    pub instances: Vec<Affine>,
}

/// A piece of SVG whose filter has to be computed in pixels, by `resvg`.
#[derive(Debug, Clone)]
pub struct FilterNode {
    /// The SVG node, filter included; its own coordinates are the SVG's user units.
    pub svg: Arc<resvg::usvg::Node>,
    /// What it covers, filter region included, in the SVG's user units.
    pub bounds: Rect,
    /// From the SVG's user units to the parent's space.
    pub transform: Affine,
    /// Content digest of the art and the node's place in it: equal keys mean equal pixels.
    pub key: Arc<str>,
    /// Where its pixels are kept for other orders.
    pub cache: Option<Arc<Cache>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Color;

    #[test]
    fn a_line_of_too_many_dashes_is_refused() {
        let mut path = BezPath::new();
        path.move_to((0.0, 0.0));
        path.curve_to((0.0, 500.0), (1000.0, 500.0), (1000.0, 0.0));
        let dashed = |dash: f64| Stroke {
            paint: Paint::Solid(Color::BLACK.into()),
            opacity: 1.0,
            style: kurbo::Stroke::new(1.0).with_dashes(0.0, [dash, dash]),
        };
        assert!(dashed(0.1).check_dashes(&path).is_ok());
        assert!(dashed(0.0).check_dashes(&path).is_ok());
        assert_eq!(dashed(0.001).check_dashes(&path).map_err(|v| v.code), Err(Code::SvgTooComplex));
    }
}
