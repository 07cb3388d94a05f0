//! The display list: a surface's nodes in pixels, with the area each one touches.
//!
//! Made once for a frame and read by every band. Plain groups are dissolved, outlines are
//! flattened, strokes have become fills, pictures know where each of their pixels goes. What
//! has to be computed before it can be painted is a [`Spec`] in the list's resources.

use super::colorants::{Colorants, Mixing};
use super::filter::FilterSpec;
use super::layer::Area;
use super::outline::Outline;
use super::picture::{PictureSpec, Placed};
use super::resolve::union;
use super::shade::{Gradient, Tiles};
use crate::scene::MaskKind;
use kurbo::Affine;

/// Everything a frame shows, back to front.
#[derive(Debug, Default)]
pub(super) struct List {
    /// What is painted, in order.
    pub(super) items: Vec<Item>,
    /// What has to be computed first.
    pub(super) resources: Vec<Resource>,
}

/// Something computed once and used by one or more bands.
#[derive(Debug)]
pub(super) struct Resource {
    /// How it is computed.
    pub(super) spec: Spec,
    /// Every pixel of the frame that may need it.
    pub(super) uses: Area,
}

/// How a resource is computed.
#[derive(Debug)]
pub(super) enum Spec {
    /// A decoded and prepared picture, in the pass's colours.
    Picture(PictureSpec, Colorants),
    /// A small scene painted whole.
    Cell(Box<CellSpec>),
    /// An SVG filter, in the pass's colours.
    Filter(FilterSpec, Colorants),
}

/// A small scene painted whole.
#[derive(Debug)]
pub(super) struct CellSpec {
    /// What it shows, in the cell's own pixels.
    pub(super) list: List,
    /// The cell's own pixels.
    pub(super) area: Area,
}

/// One thing to paint.
#[derive(Debug)]
pub(super) struct Item {
    /// Every pixel it may touch, within the frame.
    pub(super) area: Area,
    /// What it is.
    pub(super) what: What,
}

/// What is painted. Numbers named `resource` index the list's resources.
#[derive(Debug)]
pub(super) enum What {
    /// An outline, filled.
    Fill {
        /// Where.
        outline: Outline,
        /// With what.
        shader: Shader,
        /// How it meets what lies beneath.
        lay: Lay,
    },
    /// A picture.
    Picture {
        /// Its pixels.
        resource: usize,
        /// Which of them go where.
        placed: Placed,
        /// Its outline, where an edge falls between pixels.
        edge: Option<Outline>,
    },
    /// A finished layer, moved by whole pixels.
    Blit {
        /// The layer.
        resource: usize,
        /// By how many columns and rows.
        by: (i32, i32),
    },
    /// A finished layer, turned or sheared.
    Turned {
        /// The layer.
        resource: usize,
        /// From the frame's pixels to the layer's, counted from the layer's corner.
        from_px: Affine,
    },
    /// Things that are composited together.
    Group(Box<GroupItem>),
}

/// How a fill meets what lies beneath it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Lay {
    /// It covers it.
    Over,
    /// It leaves some channels as they are.
    Sparing([bool; 3]),
    /// It multiplies.
    Multiply,
}

/// What a fill is painted with.
#[derive(Debug)]
pub(super) enum Shader {
    /// Straight colour of the pass's channels, and alpha.
    Solid([f32; 4]),
    /// A gradient.
    Gradient(Gradient),
    /// A repeated cell.
    Tiles {
        /// The cell.
        resource: usize,
        /// Where it lies.
        tiles: Tiles,
        /// 0 to 1.
        opacity: f32,
    },
}

/// Things that are clipped, and perhaps composited, together.
#[derive(Debug)]
pub(super) struct GroupItem {
    /// What it holds.
    pub(super) items: Vec<Item>,
    /// Every clip is a union of outlines; only what is inside all clips is painted.
    pub(super) clips: Vec<Vec<Outline>>,
    /// How the result is composited; `None` when the children go straight onto what lies beneath.
    pub(super) layer: Option<Compositing>,
}

impl GroupItem {
    /// The part of an area that something in it touches.
    pub(super) fn reach(&self, area: Area) -> Area {
        union(self.items.iter().map(|item| item.area.intersect(area)))
    }
}

/// How a group's result meets what lies beneath.
#[derive(Debug)]
pub(super) struct Compositing {
    /// 0 to 1.
    pub(super) opacity: f32,
    /// The blend mode.
    pub(super) mixing: Mixing,
    /// A soft mask.
    pub(super) mask: Option<(MaskKind, Vec<Item>)>,
}
