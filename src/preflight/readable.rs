//! A job's own type and codes. In the file they are outlines, which nobody there can tell from ornament; the
//! job can, and says where they lie.

use super::context::Context;
use super::expected::Readable;
use super::rule::Rule;
use kurbo::Rect;

/// Millimetres that rounding may take.
const SLACK: f64 = 0.05;

impl<R> Context<'_, R> {
    /// Type and codes of a job lie within the safe zone, whatever their colour, and whatever else of that colour
    /// runs off the trim. Words that run off the bleed on two opposite sides are ground.
    pub(crate) fn check_readable(&mut self) {
        let (Some(boxes), Some(page), Some(safe)) = (self.boxes, self.page, self.safe_zone()) else { return };
        let Some(expected) = self.expected(page) else { return };
        let (b, t) = (boxes.bleed, boxes.trim);
        let bleed = [t.x0 - b.x0, b.x1 - t.x1, t.y0 - b.y0, b.y1 - t.y1].map(|side| boxes.mm(side));
        let (width, height) = (boxes.mm(t.width()), boxes.mm(t.height()));
        for Readable { layer, code, area } in &expected.readable {
            // How far each side lies within the trim: left, right, lower, upper side.
            let inside = [area.x0, width - area.x1, height - area.y1, area.y0];
            let off = [0, 1, 2, 3].map(|side| inside[side] <= SLACK - bleed[side]);
            let ground = !code && (off[0] && off[1] || off[2] && off[3]);
            let outside = area.x1 <= 0.0 || area.x0 >= width || area.y1 <= 0.0 || area.y0 >= height;
            if ground || outside {
                continue;
            }
            let what = if *code { "code" } else { "type" };
            let near = inside.into_iter().zip(safe).find(|(inside, safe)| *inside < safe - SLACK);
            let detail = match near {
                None => continue,
                Some(_) if inside.iter().any(|inside| *inside < -SLACK) => format!(
                    "The {what} of the layer {layer} runs over the edge, where it is cut off; move it inwards, or make it smaller."
                ),
                Some((_, safe)) => format!(
                    "The {what} of the layer {layer} comes nearer to the edge than {safe} mm, where the knife may cut it; move it inwards, or make it smaller."
                ),
            };
            let place = [area.x0, area.y0, area.width(), area.height()];
            let place = place.map(|mm| libm::round(mm * 1000.0) / 1000.0);
            let (left, top) = (t.x0 + boxes.units(area.x0), t.y1 - boxes.units(area.y0));
            let on_page =
                Rect::new(left, top - boxes.units(area.height()), left + boxes.units(area.width()), top);
            let slack = boxes.units(SLACK);
            self.marks.told.push(on_page.inflate(slack, slack));
            self.findings.page(Rule::SafeZone, page, Some(place), detail);
        }
    }
}
