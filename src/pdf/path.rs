//! Paths: fills, strokes and what they are painted with.

use super::bounds;
use super::color::Tone;
use super::content::{Content, PathPaint};
use super::gradient::Gradient;
use super::object::{dictionary, name, numbers};
use super::paint::{Painter, Space};
use crate::catalog::print::Laid;
use crate::error::Violation;
use crate::print::laid;
use crate::scene::{Blend, FillRule, Ink, Paint, PathNode};
use lopdf::Object;
use std::io::Write;

/// What draws a stroke.
struct Pen {
    /// Strokes the path itself, not an outline of it.
    strokes: bool,
    /// Its width on the surface, in mm.
    width: f64,
}

impl<W: Write> Painter<'_, W> {
    /// A path, filled and stroked in its order.
    pub(super) fn path(&mut self, out: &mut Content, node: &PathNode, space: Space) -> Result<(), Violation> {
        if node.path.elements().is_empty() {
            return Ok(());
        }
        if node.stroke_first {
            self.stroke(out, node, space)?;
            self.fill(out, node, space)
        } else {
            self.fill(out, node, space)?;
            self.stroke(out, node, space)
        }
    }

    fn fill(&mut self, out: &mut Content, node: &PathNode, space: Space) -> Result<(), Violation> {
        let Some(fill) = &node.fill else { return Ok(()) };
        let Some(seen) = space.seen(node.path.control_box()) else { return Ok(()) };
        let space = Space { visible: seen, ..space };
        if let Paint::Tiling(tiling) = &fill.paint
            && self.repeated(out, node, fill, tiling, space)?
        {
            return Ok(());
        }
        let framed = self.frame(out, &fill.paint, fill.opacity, node.overprint, space)?;
        if self.paint(out, &fill.paint, None, space)? {
            out.path(&node.path, PathPaint::Fill, fill.rule == FillRule::EvenOdd);
        }
        if framed {
            out.restore();
        }
        Ok(())
    }

    fn stroke(&mut self, out: &mut Content, node: &PathNode, space: Space) -> Result<(), Violation> {
        let Some(stroke) = &node.stroke else { return Ok(()) };
        stroke.check_dashes(&node.path)?;
        if stroke.style.width <= 0.0 {
            return Ok(());
        }
        let Some(seen) = space.seen(bounds::of_path(node)) else { return Ok(()) };
        let space = Space { visible: seen, ..space };
        let framed = self.frame(out, &stroke.paint, stroke.opacity, node.overprint, space)?;
        if !framed {
            out.save();
        }
        // PDF has one cap for both ends: two kinds are painted as an outline.
        let expanded = (stroke.style.start_cap != stroke.style.end_cap).then(|| {
            kurbo::stroke(
                node.path.iter(),
                &stroke.style,
                &kurbo::StrokeOpts::default(),
                space.millimetre() * 0.002,
            )
        });
        let pen =
            Pen { strokes: expanded.is_none(), width: stroke.style.width / space.millimetre() / self.scale };
        if self.paint(out, &stroke.paint, Some(pen), space)? {
            match expanded {
                Some(outline) => out.path(&outline, PathPaint::Fill, false),
                None => {
                    out.stroke_style(&stroke.style);
                    out.path(&node.path, PathPaint::Stroke, false);
                }
            }
        }
        out.restore();
        Ok(())
    }

    /// Saves the state and sets opacity, overprint and the mask of a transparent gradient, where
    /// any of them is needed.
    fn frame(
        &mut self,
        out: &mut Content,
        paint: &Paint,
        opacity: f32,
        overprint: bool,
        space: Space,
    ) -> Result<bool, Violation> {
        let gradient = gradient(paint).filter(|g| g.is_transparent() && !g.is_degenerate());
        let mask = match gradient {
            Some(gradient) => {
                let shading = gradient.opacities(self.objects, space.visible)?;
                let mut content = Content::default();
                content.transform(gradient.stops().transform);
                content.shade(shading);
                Some(content.into_form(self.objects, space.visible, Some(name("DeviceGray")))?)
            }
            None => None,
        };
        let opacity = opacity * lone_opacity(paint).unwrap_or(1.0);
        // Within a form overprint would only meet the form's own art.
        let black = |ink: &Ink| opacity >= 1.0 && space.direct && self.inking.overprints(ink, space.role);
        let black = space.tone == Tone::Color && matches!(paint, Paint::Solid(ink) if black(ink));
        let plate = match (space.tone, self.lifting) {
            (Tone::Color, None) => self.inking.rules.laid_alone(paint)?,
            (Tone::Color, lifting) => lifting,
            (Tone::White | Tone::Luma, _) => None,
        };
        let (blend, laid) = match laid(plate, overprint || black) {
            Laid::Knockout => (Blend::Normal, false),
            Laid::Overprint => (Blend::Normal, true),
            Laid::Multiply => (Blend::Multiply, false),
        };
        match self.state(opacity, blend, mask, laid)? {
            Some(state) => {
                out.save();
                out.state(state);
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Sets the colour, of a stroke where there is a pen; false where there is nothing to paint with.
    fn paint(
        &mut self,
        out: &mut Content,
        paint: &Paint,
        pen: Option<Pen>,
        space: Space,
    ) -> Result<bool, Violation> {
        let role = pen.as_ref().map_or(space.role, |pen| space.role.of_stroke(pen.width));
        let stroke = pen.is_some_and(|pen| pen.strokes);
        let shading = match paint {
            Paint::Solid(ink) => {
                let painted = self.spaces.ink(self.objects, ink, space.tone, self.inking, role)?;
                out.color(painted.space, &painted.components, stroke);
                return Ok(true);
            }
            Paint::Tiling(tiling) => {
                let Some(pattern) = self.tiling(tiling, space)? else { return Ok(false) };
                out.pattern(pattern, stroke);
                return Ok(true);
            }
            Paint::Linear(linear) => Gradient::Linear(linear),
            Paint::Radial(radial) => Gradient::Radial(radial),
        };
        if shading.is_degenerate() {
            let Some((_, ink, _)) = shading.stops().stops.last() else { return Ok(false) };
            let painted = self.spaces.ink(self.objects, ink, space.tone, self.inking, role)?;
            out.color(painted.space, &painted.components, stroke);
            return Ok(true);
        }
        let id = shading.colors(self.objects, &self.spaces, space.tone, self.inking, space.visible)?;
        // `cm` does not move patterns: the whole way to the stream's space is in the matrix.
        let matrix = (space.to_stream * shading.stops().transform).as_coeffs();
        let pattern = self.objects.add(&Object::Dictionary(dictionary([
            ("Type", name("Pattern")),
            ("PatternType", Object::Integer(2)),
            ("Shading", Object::Reference(id)),
            ("Matrix", numbers(matrix)),
        ])))?;
        out.pattern(pattern, stroke);
        Ok(true)
    }
}

fn gradient(paint: &Paint) -> Option<Gradient<'_>> {
    match paint {
        Paint::Linear(linear) => Some(Gradient::Linear(linear)),
        Paint::Radial(radial) => Some(Gradient::Radial(radial)),
        Paint::Solid(_) | Paint::Tiling(_) => None,
    }
}

/// The opacity of a gradient that is painted as its last stop.
fn lone_opacity(paint: &Paint) -> Option<f32> {
    let degenerate = gradient(paint).filter(Gradient::is_degenerate)?;
    degenerate.stops().stops.last().map(|stop| stop.2)
}
