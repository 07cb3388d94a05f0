//! Areas that a drawing engraves, and art that takes a part of them away again.
//!
//! In print whatever lies on an engraved area takes it off the plate. A drawing of the spot inks alone has
//! no such art, and a machine would engrave what should stay bare.

use crate::derive::{Outlined, meet};
use crate::error::Violation;
use crate::scene::{Fill, FillRule, Stroke};
use kurbo::{Affine, BezPath, Rect, Shape};

/// How exactly a stroke's outline is followed, in millimetres.
const TOLERANCE: f64 = 0.01;

/// The areas so far, on the page.
#[derive(Default)]
pub(super) struct Engraved {
    areas: Vec<(Rect, Outlined)>,
}

impl Engraved {
    /// Remembers an area, of which only what is inside `seen` is drawn.
    pub(super) fn add(&mut self, area: Outlined, seen: Rect) {
        let shown = area.0.bounding_box().intersect(seen);
        if shown.width() > 0.0 && shown.height() > 0.0 {
            self.areas.push((shown, area));
        }
    }

    /// Art that lies on an area.
    ///
    /// # Errors
    /// `svg.unsupported`, where they meet.
    pub(super) fn cover(&self, art: &Outlined, seen: Rect) -> Result<(), Violation> {
        let shown = art.0.bounding_box().intersect(seen);
        let near = |area: &Rect| {
            let shared = area.intersect(shown);
            shared.width() > 0.0 && shared.height() > 0.0
        };
        if self.areas.iter().any(|(bounds, area)| near(bounds) && meet(area, art)) {
            return Err(super::refused::unheld(
                "other art on an engraved area, which would take it away in print",
            ));
        }
        Ok(())
    }
}

/// What a fill covers.
pub(super) fn filled(path: &BezPath, fill: &Fill, to_page: Affine) -> Outlined {
    (to_page * path.clone(), fill.rule)
}

/// What a stroke covers.
///
/// # Errors
/// `svg.too_complex` for a line of too many dashes.
pub(super) fn stroked(path: &BezPath, stroke: &Stroke, to_page: Affine) -> Result<Outlined, Violation> {
    stroke.check_dashes(path)?;
    let scale = libm::sqrt(to_page.determinant().abs()).max(1e-9);
    let options = kurbo::StrokeOpts::default();
    let outline = kurbo::stroke(path.iter(), &stroke.style, &options, TOLERANCE / scale);
    Ok((to_page * outline, FillRule::NonZero))
}

/// What a picture or a filter covers.
pub(super) fn boxed(area: Rect, to_page: Affine) -> Outlined {
    (to_page * area.to_path(TOLERANCE), FillRule::NonZero)
}
