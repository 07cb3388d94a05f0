//! Outlines and paints: from a template's shapes and colours to paths in a layer's box.

use super::Composer;
use super::env::Env;
use crate::catalog::layer::{Cap, Join, LinearSpec, PaintSpec, RadialSpec, ShapeSpec, StopSpec, StrokeSpec};
use crate::catalog::{Bound, ColorSpec};
use crate::error::{Code, Violation};
use crate::scene::{
    Clip, Color, FillRule, Ink, LinearGradient, Paint, RadialGradient, Spread, Stops, Stroke,
};
use kurbo::{Affine, BezPath, Point, Rect, Size};
use std::sync::Arc;

/// Distance of a cubic's handles that draws a quarter circle within 0.03 %.
const KAPPA: f64 = 0.552_284_749_830_793_4;

/// An outline and what is inside it.
pub(super) struct Outline {
    pub(super) path: BezPath,
    pub(super) rule: FillRule,
}

impl Outline {
    pub(super) fn clip(self) -> Clip {
        Clip { paths: vec![(Arc::new(self.path), self.rule)] }
    }
}

/// A rectangle with rounded corners.
pub(super) fn rounded_rect(rect: Rect, radius: f64) -> BezPath {
    let r = radius.clamp(0.0, rect.width().min(rect.height()) / 2.0);
    let mut path = BezPath::new();
    if r <= 0.0 {
        path.move_to((rect.x0, rect.y0));
        path.line_to((rect.x1, rect.y0));
        path.line_to((rect.x1, rect.y1));
        path.line_to((rect.x0, rect.y1));
        path.close_path();
        return path;
    }
    let k = r * (1.0 - KAPPA);
    let Rect { x0, y0, x1, y1 } = rect;
    path.move_to((x0 + r, y0));
    path.line_to((x1 - r, y0));
    path.curve_to((x1 - k, y0), (x1, y0 + k), (x1, y0 + r));
    path.line_to((x1, y1 - r));
    path.curve_to((x1, y1 - k), (x1 - k, y1), (x1 - r, y1));
    path.line_to((x0 + r, y1));
    path.curve_to((x0 + k, y1), (x0, y1 - k), (x0, y1 - r));
    path.line_to((x0, y0 + r));
    path.curve_to((x0, y0 + k), (x0 + k, y0), (x0 + r, y0));
    path.close_path();
    path
}

/// The ellipse in a rectangle.
pub(super) fn ellipse(rect: Rect) -> BezPath {
    let (c, rx, ry) = (rect.center(), rect.width() / 2.0, rect.height() / 2.0);
    let (kx, ky) = (rx * KAPPA, ry * KAPPA);
    let mut path = BezPath::new();
    path.move_to((c.x + rx, c.y));
    path.curve_to((c.x + rx, c.y + ky), (c.x + kx, c.y + ry), (c.x, c.y + ry));
    path.curve_to((c.x - kx, c.y + ry), (c.x - rx, c.y + ky), (c.x - rx, c.y));
    path.curve_to((c.x - rx, c.y - ky), (c.x - kx, c.y - ry), (c.x, c.y - ry));
    path.curve_to((c.x + kx, c.y - ry), (c.x + rx, c.y - ky), (c.x + rx, c.y));
    path.close_path();
    path
}

impl Composer<'_> {
    /// A shape's outline in a box of this size. `to_trim` takes the box to the surface.
    pub(super) fn outline(
        &self,
        shape: &ShapeSpec,
        size: Size,
        env: &Env<'_>,
        to_trim: Affine,
    ) -> Result<Outline, Violation> {
        let rect = size.to_rect();
        Ok(match shape {
            ShapeSpec::Rect(spec) => {
                let radius = spec.radius.as_ref().map(|r| env.number(r)).transpose()?.unwrap_or(0.0);
                Outline { path: rounded_rect(rect, radius), rule: FillRule::NonZero }
            }
            ShapeSpec::Ellipse(_) => Outline { path: ellipse(rect), rule: FillRule::NonZero },
            ShapeSpec::Path(spec) => {
                let mut path = BezPath::from_svg(&spec.d).map_err(|_| {
                    Violation::new(Code::TemplateInvalid, "a shape's `d` is not SVG path data")
                })?;
                if let Some([x, y, width, height]) = spec.view {
                    if width <= 0.0 || height <= 0.0 {
                        return Err(Violation::new(
                            Code::TemplateInvalid,
                            "a shape's `view` has a width and a height",
                        ));
                    }
                    path.apply_affine(
                        Affine::scale_non_uniform(size.width / width, size.height / height)
                            * Affine::translate((-x, -y)),
                    );
                }
                Outline { path, rule: if spec.even_odd { FillRule::EvenOdd } else { FillRule::NonZero } }
            }
            ShapeSpec::Element(id) => {
                let mut path = self.element_path(id)?;
                path.apply_affine(to_trim.inverse());
                Outline { path, rule: FillRule::NonZero }
            }
        })
    }

    /// A bound colour's ink; `None` where its field has no value.
    pub(super) fn ink(&self, color: &Bound<ColorSpec>, env: &Env<'_>) -> Result<Option<Ink>, Violation> {
        env.get(color)?.map(|spec| self.ink_of(&spec)).transpose()
    }

    /// A colour's ink.
    pub(super) fn ink_of(&self, spec: &ColorSpec) -> Result<Ink, Violation> {
        spec.ink(self.order.profile().as_ref()).ok_or_else(|| {
            Violation::new(
                Code::TemplateInvalid,
                "a colour is not #rrggbb, or names a spot ink that the profile does not declare",
            )
        })
    }

    /// A paint that needs no nodes of its own: a colour or a gradient over the box.
    pub(super) fn plain_paint(
        &self,
        paint: &PaintSpec,
        size: Size,
        env: &Env<'_>,
    ) -> Result<Option<Paint>, Violation> {
        Ok(match paint {
            PaintSpec::Color(color) => self.ink(color, env)?.map(Paint::Solid),
            PaintSpec::Linear(holder) => Some(self.linear(&holder.linear, size, env)?),
            PaintSpec::Radial(holder) => Some(self.radial(&holder.radial, size, env)?),
            PaintSpec::Image(_) | PaintSpec::Pattern(_) => None,
        })
    }

    fn stops(&self, specs: &[StopSpec], transform: Affine, env: &Env<'_>) -> Result<Stops, Violation> {
        let mut stops = Vec::with_capacity(specs.len());
        let mut last = 0.0_f64;
        for spec in specs {
            last = spec.at.max(last);
            let ink = self.ink(&spec.color, env)?.unwrap_or(Ink::Process(Color::BLACK));
            stops.push((last as f32, ink, spec.opacity as f32));
        }
        Ok(Stops { stops, spread: Spread::Pad, transform })
    }

    fn linear(&self, spec: &LinearSpec, size: Size, env: &Env<'_>) -> Result<Paint, Violation> {
        let turn = crate::scene::rotation(spec.angle);
        let direction = turn * kurbo::Vec2::new(1.0, 0.0).to_point();
        let half = (size.width * direction.x.abs() + size.height * direction.y.abs()) / 2.0;
        let center = size.to_rect().center();
        let reach = direction.to_vec2() * half;
        Ok(Paint::Linear(Arc::new(LinearGradient {
            start: center - reach,
            end: center + reach,
            stops: self.stops(&spec.stops, Affine::IDENTITY, env)?,
        })))
    }

    fn radial(&self, spec: &RadialSpec, size: Size, env: &Env<'_>) -> Result<Paint, Violation> {
        // A unit circle, stretched to the box.
        let center = Point::new(spec.center[0], spec.center[1]);
        let stretch = Affine::scale_non_uniform(size.width, size.height);
        Ok(Paint::Radial(Arc::new(RadialGradient {
            center,
            radius: spec.radius,
            focus: center,
            focus_radius: 0.0,
            stops: self.stops(&spec.stops, stretch, env)?,
        })))
    }

    /// A stroke; `None` where its colour's field has no value or its width is 0.
    pub(super) fn stroke(&self, spec: &StrokeSpec, env: &Env<'_>) -> Result<Option<Stroke>, Violation> {
        let width = env.number(&spec.width)?;
        let Some(ink) = self.ink(&spec.color, env)?.filter(|_| width > 0.0) else { return Ok(None) };
        let join = match spec.join {
            Join::Round => kurbo::Join::Round,
            Join::Miter => kurbo::Join::Miter,
            Join::Bevel => kurbo::Join::Bevel,
        };
        let cap = match spec.cap {
            Cap::Butt => kurbo::Cap::Butt,
            Cap::Round => kurbo::Cap::Round,
            Cap::Square => kurbo::Cap::Square,
        };
        let mut style = kurbo::Stroke::new(width).with_join(join).with_caps(cap);
        if spec.dash.iter().any(|d| *d > 0.0) && spec.dash.iter().all(|d| *d >= 0.0) {
            style = style.with_dashes(0.0, spec.dash.iter().copied());
        }
        Ok(Some(Stroke { paint: Paint::Solid(ink), opacity: 1.0, style }))
    }
}
