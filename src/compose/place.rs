//! Where things stand: containers, boxes, and the designer's drawing of a surface.

use super::env::Env;
use super::{Composer, Source};
use crate::art::Art;
use crate::catalog::layer::{Fit, Place};
use crate::error::{Code, Violation};
use crate::scene::LayerBox;
use kurbo::{Affine, BezPath, Rect, Size, Vec2};
use std::sync::{Arc, Mutex, MutexGuard};

/// A lock that a panicking thread has not spoilt: what it guards is only ever appended to.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The surface that is being composed.
#[derive(Default)]
pub(super) struct SurfaceState {
    pub(super) name: Arc<str>,
    pub(super) trim: Size,
    pub(super) drawing: Option<Source>,
    pub(super) layers: Vec<LayerBox>,
}

/// What a layer stands in.
#[derive(Clone)]
pub(super) struct Container<'a> {
    /// Names and numbers.
    pub(super) env: Env<'a>,
    /// Its size in mm; its corner is the origin.
    pub(super) size: Size,
    /// From its space to the surface's trim box.
    pub(super) to_trim: Affine,
    /// It is seen mirrored, and text and codes in it are to be turned back.
    pub(super) mirrored: bool,
    /// Appended to the ids of repeated layers.
    pub(super) suffix: String,
    /// Its layers are listed with their boxes; those of a pattern's cell are not.
    pub(super) listed: bool,
}

impl Composer<'_> {
    /// A layer's box in its container; all of it where the template says nothing.
    pub(super) fn place(&self, place: Option<&Place>, container: &Container<'_>) -> Result<Rect, Violation> {
        let rect = match place {
            None => container.size.to_rect(),
            Some(Place::Rect(rect)) => {
                let number = |m| container.env.number(m);
                Rect::from_origin_size(
                    (number(&rect.x)?, number(&rect.y)?),
                    (number(&rect.width)?, number(&rect.height)?),
                )
            }
            Some(Place::Element(element)) => {
                let (art, scale) = self.drawing()?;
                let found = art.element_box(&element.element).ok_or_else(|| no_element(&element.element))?;
                container.to_trim.inverse().transform_rect_bbox(scale.transform_rect_bbox(found))
            }
        };
        let sane = rect.width() > 0.0 && rect.height() > 0.0 && rect.width() < 1e5 && rect.height() < 1e5;
        if sane {
            Ok(rect)
        } else {
            Err(Violation::new(
                Code::TemplateInvalid,
                "a box has no width or no height, or more than 100 metres",
            ))
        }
    }

    /// An element's outline in the surface's drawing, in trim coordinates.
    pub(super) fn element_path(&self, id: &str) -> Result<BezPath, Violation> {
        let (art, scale) = self.drawing()?;
        let mut path = art.element_path(id).ok_or_else(|| no_element(id))?;
        path.apply_affine(scale);
        Ok(path)
    }

    /// The surface's drawing, and the matrix that stretches its viewport over the trim box.
    fn drawing(&self) -> Result<(Arc<Art>, Affine), Violation> {
        let (source, trim) = {
            let surface = lock(&self.surface);
            (surface.drawing.clone(), surface.trim)
        };
        let source = source.ok_or_else(|| {
            Violation::new(Code::TemplateInvalid, "an element is named, but the surface has no drawing")
        })?;
        let art = self.art(&source)?;
        let size = art.size();
        let scale = Affine::scale_non_uniform(trim.width / size.width, trim.height / size.height);
        Ok((art, scale))
    }
}

fn no_element(id: &str) -> Violation {
    Violation::new(Code::TemplateInvalid, format!("the surface's drawing has no element {id:?}"))
}

/// Where content of size `from` lands in a box, and whether it stands over the box's edges.
pub(super) fn fit(fit: Fit, from: Size, into: Size) -> (Affine, bool) {
    let (sx, sy) = (into.width / from.width, into.height / from.height);
    let scale = match fit {
        Fit::Stretch => return (Affine::scale_non_uniform(sx, sy), false),
        Fit::Fill => sx.max(sy),
        Fit::Fit => sx.min(sy),
    };
    let rest = Vec2::new(into.width - from.width * scale, into.height - from.height * scale) / 2.0;
    (Affine::translate(rest) * Affine::scale(scale), fit == Fit::Fill)
}
