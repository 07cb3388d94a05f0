//! Plates of their own: cut contours and underbases, which are printed or cut beside the art and
//! never shown in a picture of it.

use super::ink::Ink;
use super::node::Node;
use kurbo::Rect;
use std::sync::Arc;

/// What goes onto one plate besides the art. It is never seen in a PNG or a preview: those show
/// the art on its garment or ground.
#[derive(Debug, Clone)]
pub struct Separation {
    /// What the plate is for.
    pub purpose: Purpose,
    /// The plate: a spot.
    pub ink: Ink,
    /// What it carries.
    pub content: Content,
    /// How it leaves the plates beneath it as they are.
    pub beneath: Beneath,
}

/// What a plate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A line to cut, to perforate or to crease along.
    Contour,
    /// An ink under (for film: over) the art, so that it shows on dark or clear ground.
    Underbase,
}

/// How a plate leaves the others as they are. Never both at once: that changes process plates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beneath {
    /// Overprint. A viewer that does not simulate it shows the plate's alternate on top.
    Overprint,
    /// The blend mode Multiply. With a white alternate a viewer shows the art unchanged.
    Multiply,
}

/// What a plate carries.
#[derive(Debug, Clone)]
pub enum Content {
    /// Filled and stroked outlines, in the plate's ink.
    Outlines(Vec<Node>),
    /// Coverage computed from the art, as an image of one component.
    Coverage(Coverage),
}

/// Coverage that follows the art's alpha.
#[derive(Debug, Clone)]
pub struct Coverage {
    /// The art.
    pub from: Arc<Vec<Node>>,
    /// What it covers at most: the bleed box.
    pub area: Rect,
    /// How far coverage is spread beyond the art's edge in mm; negative: choked, drawn in.
    pub reach: f64,
    /// Solid where alpha is at least this (0 to 1), and nothing elsewhere. Without it coverage
    /// follows alpha.
    pub threshold: Option<f32>,
    /// Nothing under art of the garment's own colour.
    pub knockout: Option<Knockout>,
}

/// Art that the garment itself shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Knockout {
    /// The garment in gamma-encoded sRGB.
    pub garment: [f32; 3],
    /// The largest difference of a component (0 to 1) that counts as the garment's colour.
    pub tolerance: f32,
}
