//! Whatever is painted goes this way: onto the page's rough picture, and to the rules as a mark.

use super::content::{Content, Mode};
use super::context::Context;
use super::ink::PictureInk;
use super::marks::{Kind, Mark, is_paper};
use super::masks::Through;
use super::paths::clipped;
use super::plates::is_lost;
use super::space::Space;
use super::state::{Ink, State};
use super::white::Tints;
use kurbo::{BezPath, Shape};
use std::sync::Arc;

/// Something about to be painted.
pub(crate) struct Painted<'p> {
    pub(crate) kind: Kind,
    /// On the page: an area, or the middle of a line.
    pub(crate) outline: &'p BezPath,
    pub(crate) even_odd: bool,
    pub(crate) tints: Option<&'p Tints>,
    pub(crate) load: Option<PictureInk>,
    /// A picture that is white all over.
    pub(crate) paper: bool,
    /// What a picture's soft mask lets through, where that is known.
    pub(crate) through: Option<&'p Through>,
}

impl<'p> Painted<'p> {
    /// An area, by the nonzero rule.
    pub(crate) fn area(kind: Kind, outline: &'p BezPath) -> Self {
        Painted { kind, outline, even_odd: false, tints: None, load: None, paper: false, through: None }
    }
}

impl<R> Context<'_, R> {
    /// Paints with the colour for areas, or for lines where it is a line.
    pub(crate) fn paint(&mut self, painted: Painted<'_>, content: &Content<'_>) {
        let state = &content.state;
        let line = matches!(painted.kind, Kind::Stroke { .. });
        let ink = if line { state.stroke.clone() } else { state.fill.clone() };
        self.paint_in(painted, ink, state, content.mode);
    }

    /// The same in an ink of its own.
    pub(crate) fn paint_in(&mut self, painted: Painted<'_>, ink: Ink, state: &State, mode: Mode) {
        let Painted { kind, outline, even_odd, tints, load, paper, through } = painted;
        let (width, overprint, alpha) = match kind {
            Kind::Stroke { width, .. } => (Some(width), state.overprint_stroke, state.alpha_stroke),
            Kind::Fill | Kind::Text { .. } | Kind::Image { .. } | Kind::Shading => {
                (None, state.overprint_fill, state.alpha_fill)
            }
        };
        let overprint = state.overprints(overprint);
        let half = width.unwrap_or(0.0) / 2.0;
        let around = outline.bounding_box().inflate(half, half);
        let seen = clipped(around, state.clip);
        // A colour has to be right wherever it is: presses convert what is hidden or cut off too.
        self.check_space(&ink.space, (!mode.repeated).then_some(seen.unwrap_or(around)));
        let Some(bounds) = seen else { return };
        let clear = matches!(through, Some(Through::Nothing));
        let paper = paper || clear;
        let reversed = false;
        let mut mark =
            Mark { kind, outline, even_odd, bounds, ink, overprint, alpha, tints, load, paper, reversed };
        // White that overprints leaves what lies beneath.
        let nothing = clear || is_lost(&mark, state);
        if let Some(canvas) = self.canvas.as_ref().filter(|_| !mode.repeated && !mode.masking && !mode.hidden)
        {
            mark.reversed = !nothing && !paper && is_paper(&mark) && canvas.is_inked(&mark);
        }
        if let Some(canvas) = &mut self.canvas
            && !mode.repeated
            && !mode.masking
            && !mode.hidden
            && !nothing
        {
            let ink = &mark.ink;
            let shade = if paper { 1.0 } else { 0.72 };
            let grey = Ink { space: Arc::new(Space::Gray), values: vec![shade], shading: None };
            let (shown, alpha) = match kind {
                Kind::Image { stencil: false, .. } => (&grey, alpha),
                // Type is shown as bars.
                Kind::Text { .. } => (ink, alpha * 0.5),
                Kind::Fill | Kind::Stroke { .. } | Kind::Image { .. } | Kind::Shading => (ink, alpha),
            };
            let seen = match through {
                Some(Through::Cells(cells)) => cells.on(canvas, outline, state).map(Arc::new),
                Some(Through::Nothing | Through::Something) | None => None,
            };
            let cut = seen.map(|mask| State { mask: Some(mask), ..state.clone() });
            let state = cut.as_ref().unwrap_or(state);
            match width {
                Some(width) => canvas.stroke(outline, width, shown, alpha, state),
                None => canvas.fill(outline, even_odd, shown, alpha, state),
            }
        }
        self.mark(mark, state, mode);
    }
}
