//! The graphics state, as far as rules care.

use super::font::Font;
use super::space::Space;
use kurbo::{Affine, BezPath, PathSeg, Rect, Vec2};
use std::sync::Arc;

/// A colour.
#[derive(Debug, Clone)]
pub(crate) struct Ink {
    pub(crate) space: Arc<Space>,
    /// One number a component; of patterns, those of the colour beneath.
    pub(crate) values: Vec<f64>,
    /// Of a pattern that is a shading, the space that it shades in: its plates are known, its tints are not.
    pub(crate) shading: Option<Arc<Space>>,
}

impl Ink {
    pub(crate) fn black() -> Self {
        Ink { space: Arc::new(Space::Gray), values: vec![0.0], shading: None }
    }

    /// The colour that a space begins with.
    pub(crate) fn initial(space: Arc<Space>) -> Self {
        let values = match &*space {
            Space::Cmyk => vec![0.0, 0.0, 0.0, 1.0],
            Space::Inks { names, .. } => vec![1.0; names.len()],
            Space::Gray
            | Space::Rgb
            | Space::Lab
            | Space::Defined { .. }
            | Space::Indexed(..)
            | Space::Pattern(_) => {
                vec![0.0; space.components().unwrap_or(0)]
            }
        };
        Ink { space, values, shading: None }
    }

    /// The space whose inks it lays down.
    pub(crate) fn laid_in(&self) -> &Space {
        self.shading.as_deref().unwrap_or(&self.space)
    }
}

/// How a colour meets what lies beneath.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blend {
    Normal,
    Multiply,
    Other,
}

/// Text parameters.
#[derive(Debug, Clone)]
pub(crate) struct TextState {
    pub(crate) font: Option<Arc<Font>>,
    pub(crate) size: f64,
    pub(crate) char_space: f64,
    pub(crate) word_space: f64,
    pub(crate) scale: f64,
    pub(crate) leading: f64,
    pub(crate) rise: f64,
    pub(crate) mode: i64,
}

/// The graphics state.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) ctm: Affine,
    /// The clip's bounds on the page.
    pub(crate) clip: Rect,
    /// The clip as a mask of the canvas, where it is no rectangle.
    pub(crate) mask: Option<Arc<tiny_skia::Mask>>,
    pub(crate) fill: Ink,
    pub(crate) stroke: Ink,
    pub(crate) width: f64,
    pub(crate) overprint_fill: bool,
    pub(crate) overprint_stroke: bool,
    /// Overprint leaves the plates of DeviceCMYK that a colour has nothing of (`/OPM 1`).
    pub(crate) zero_leaves: bool,
    pub(crate) blend: Blend,
    pub(crate) alpha_fill: f64,
    pub(crate) alpha_stroke: f64,
    pub(crate) masked: bool,
    /// A group around it is multiplied with what lies beneath.
    pub(crate) multiplied: bool,
    /// An isolated group is around it: what is painted there meets that group's own art alone.
    pub(crate) isolated: bool,
    pub(crate) text: TextState,
}

impl State {
    pub(crate) fn new(ctm: Affine, clip: Rect) -> Self {
        State {
            ctm,
            clip,
            mask: None,
            fill: Ink::black(),
            stroke: Ink::black(),
            width: 1.0,
            overprint_fill: false,
            overprint_stroke: false,
            zero_leaves: false,
            blend: Blend::Normal,
            alpha_fill: 1.0,
            alpha_stroke: 1.0,
            masked: false,
            multiplied: false,
            isolated: false,
            text: TextState {
                font: None,
                size: 0.0,
                char_space: 0.0,
                word_space: 0.0,
                scale: 1.0,
                leading: 0.0,
                rise: 0.0,
                mode: 0,
            },
        }
    }

    /// True where the page's colours beneath are multiplied with the paint. Within an isolated group a blend
    /// mode does not reach them: only that of the group does.
    pub(crate) fn multiplies(&self) -> bool {
        self.multiplied || self.blend == Blend::Multiply && !self.isolated
    }

    /// True where a paint that is set to overprint does. An isolated group is laid on the page as a whole, in
    /// all its inks, and no setting within it leaves any of the page's.
    pub(crate) fn overprints(&self, set: bool) -> bool {
        set && (!self.isolated || self.multiplied)
    }

    /// True when the paint is mixed with what lies beneath.
    pub(crate) fn is_transparent(&self, alpha: f64) -> bool {
        alpha < 1.0 || self.masked || self.blend != Blend::Normal
    }
}

/// How a matrix enlarges, on the whole.
pub(crate) fn scale_of(matrix: Affine) -> f64 {
    libm::sqrt(matrix.determinant().abs())
}

/// The thinnest that a line becomes along a path on the page. A matrix that stretches makes a line thin in one
/// direction only.
pub(crate) fn thinnest(path: &BezPath, matrix: Affine, width: f64) -> f64 {
    let [a, b, c, d, ..] = matrix.as_coeffs();
    let whole = width * scale_of(matrix);
    let even = (a * a + b * b) - (c * c + d * d);
    if even.abs() + (a * c + b * d).abs() <= (a * a + b * b) * 1e-9 {
        return whole;
    }
    let across = |along: Vec2| {
        let length = along.hypot();
        let (x, y) = (-along.y / length, along.x / length);
        (length > 0.0).then(|| width * libm::hypot(a * x + b * y, c * x + d * y))
    };
    path.segments()
        .flat_map(|segment| match segment {
            PathSeg::Line(line) => [Some(line.p1 - line.p0), None, None],
            PathSeg::Quad(quad) => [Some(quad.p1 - quad.p0), Some(quad.p2 - quad.p1), None],
            PathSeg::Cubic(c) => [Some(c.p1 - c.p0), Some(c.p2 - c.p1), Some(c.p3 - c.p2)],
        })
        .filter_map(|along| across(along?))
        .reduce(f64::min)
        .unwrap_or(whole)
}
