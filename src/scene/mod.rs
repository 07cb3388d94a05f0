//! The scene: everything an order prints, resolved, in millimetres.
//!
//! One scene feeds every backend: raster, PDF and preview. It is built by
//! [`compose`](crate::compose) and read by [`raster`](crate::raster) and [`pdf`](crate::pdf).

mod bounds;
pub mod ink;
pub mod node;
mod placement;
pub mod separation;
pub mod units;

pub use bounds::bounds;
pub use ink::{Color, Ink};
pub use node::*;
pub use placement::Placement;
pub use separation::Separation;
pub use units::{Dpi, Length, MM_PER_INCH, MM_PER_PT, rotation};

use kurbo::{Insets, Rect, Size};
use std::sync::Arc;

/// Everything an order prints: its surfaces, in the order of the template.
#[derive(Debug, Clone)]
pub struct Scene {
    /// Sides or pages.
    pub surfaces: Vec<Surface>,
}

/// One printable side or page. Millimetres from the trim box's top left corner, y down; the
/// bleed has negative coordinates.
#[derive(Debug, Clone)]
pub struct Surface {
    /// The template's name for it, with the page's number where it repeats; a file-name-safe word.
    pub name: Arc<str>,
    /// The finished size.
    pub trim: Size,
    /// How far art runs past the trim, on each side (positive values).
    pub bleed: Insets,
    /// How far inside the trim important things stay, on each side (positive values).
    pub safe: Insets,
    /// What a preview shows beneath the print: the garment or the paper. Never printed.
    pub garment: Option<Color>,
    /// Where transparency is blended.
    pub blend_space: BlendSpace,
    /// The art, back to front. Each of the template's layers is one named group.
    pub nodes: Vec<Node>,
    /// Every visible layer with the box it was laid out in.
    pub layers: Vec<LayerBox>,
}

impl Surface {
    /// The bleed box in trim coordinates.
    pub fn bleed_box(&self) -> Rect {
        Rect::new(
            -self.bleed.x0,
            -self.bleed.y0,
            self.trim.width + self.bleed.x1,
            self.trim.height + self.bleed.y1,
        )
    }

    /// The trim box in trim coordinates.
    pub fn trim_box(&self) -> Rect {
        self.trim.to_rect()
    }
}

/// Where transparency is blended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlendSpace {
    /// Gamma-encoded sRGB.
    Srgb,
    /// The process inks of the job's printing condition.
    Process,
}

/// Where a layer of the template stands.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerBox {
    /// The layer's id; repeated layers carry their index, as `name.3`.
    pub id: Arc<str>,
    /// Its kind, as the template says it.
    pub kind: &'static str,
    /// What it covers at most, in trim coordinates.
    pub bounds: Rect,
}
