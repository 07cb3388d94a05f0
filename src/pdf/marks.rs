//! Marks outside the bleed: crop and bleed lines, registration crosses, a colour bar, a slug line.
//!
//! They lie in millimetres on the page, y down, and never turn or mirror with the art. Beside a
//! special plate they are in the process inks, each over the other: `/All` would cut, stamp or whiten them.

use super::content::{Content, PathPaint};
use super::object::{dictionary, name, numbers};
use super::objects::Objects;
use super::room::{self, CROSS, Room};
use crate::error::Violation;
use crate::print::PrintRules;
use crate::scene::{Ink, MM_PER_PT, Node, Surface};
use kurbo::{BezPath, Circle, Line, Rect, Shape};
use lopdf::{Object, ObjectId};
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

/// Where marks go, in mm from the page's top left corner, and with what.
pub(super) struct Page {
    /// The finished size.
    pub(super) trim: Rect,
    /// The finished size and its bleed.
    pub(super) bleed: Rect,
    /// The colours of lines and crosses, one over the other: a space and its components.
    pub(super) lines: Vec<(ObjectId, Vec<f64>)>,
    /// The graphics state they are painted in.
    pub(super) overprint: Option<ObjectId>,
    /// The colour of words, which are too small for more inks than one.
    pub(super) words: (ObjectId, Vec<f64>),
    /// The colour bar's patches.
    pub(super) patches: Vec<(ObjectId, Vec<f64>)>,
    /// Where there is room for them and for the slug line.
    pub(super) room: Room,
    /// The slug line, from its own top left corner.
    pub(super) slug: Option<BezPath>,
}

/// The plates on which no mark may land: those that the profile paints after all art (cut lines, foil,
/// white, varnish, embossing), whether this page has them or not, and those made from its art.
pub(super) fn special<'a>(surface: &'a Surface, rules: &'a PrintRules) -> BTreeSet<&'a Arc<str>> {
    let lifted = rules.plates.iter().filter(|(_, plate)| plate.turn.is_some()).map(|(name, _)| name);
    let made = surface.nodes.iter().filter_map(|node| match node {
        Node::Separation(separation) => match &separation.ink {
            Ink::Spot { name, .. } => Some(name),
            Ink::Process(_) => None,
        },
        Node::Group(_) | Node::Path(_) | Node::Pattern(_) | Node::Image(_) | Node::Filter(_) => None,
    });
    lifted.chain(made).collect()
}

/// `/Separation /All`: every plate there is.
pub(super) fn all_plates<W: Write>(objects: &mut Objects<W>) -> Result<ObjectId, Violation> {
    let function = dictionary([
        ("FunctionType", Object::Integer(2)),
        ("Domain", numbers([0.0, 1.0])),
        ("C0", numbers([0.0; 4])),
        ("C1", numbers([1.0; 4])),
        ("N", Object::Integer(1)),
    ]);
    objects.add(&Object::Array(vec![
        name("Separation"),
        name("All"),
        name("DeviceCMYK"),
        Object::Dictionary(function),
    ]))
}

/// Process inks one over the other: a colour of all four at once would be over every limit of ink.
pub(super) fn overprint<W: Write>(objects: &mut Objects<W>) -> Result<ObjectId, Violation> {
    objects.add(&Object::Dictionary(dictionary([
        ("Type", name("ExtGState")),
        ("OP", Object::Boolean(true)),
        ("op", Object::Boolean(true)),
        ("OPM", Object::Integer(1)),
    ])))
}

/// Paints the marks that the rules ask for.
pub(super) fn paint(out: &mut Content, rules: &PrintRules, page: &Page) {
    let marks = &rules.marks;
    let Page { trim, bleed, .. } = page;
    out.save();
    let mut lines = BezPath::new();
    if marks.crop {
        corner_lines(*trim, room::start(marks, *trim, *bleed), marks.length, &mut lines);
    }
    if marks.bleed {
        corner_lines(*bleed, 1.0, marks.length * 0.6, &mut lines);
    }
    if marks.registration {
        for (x, y) in [
            (bleed.center().x, bleed.y0 - CROSS / 2.0),
            (bleed.center().x, bleed.y1 + CROSS / 2.0),
            (bleed.x0 - CROSS / 2.0, bleed.center().y),
            (bleed.x1 + CROSS / 2.0, bleed.center().y),
        ] {
            line(&mut lines, (x - 2.5, y), (x + 2.5, y));
            line(&mut lines, (x, y - 2.5), (x, y + 2.5));
            lines.extend(Circle::new((x, y), 1.5).path_elements(0.01));
        }
    }
    if !lines.elements().is_empty() {
        out.save();
        if let Some(state) = page.overprint {
            out.state(state);
        }
        out.stroke_style(&kurbo::Stroke::new(marks.weight * MM_PER_PT).with_caps(kurbo::Cap::Butt));
        for (space, components) in &page.lines {
            out.color(*space, components, true);
            out.path(&lines, PathPaint::Stroke, false);
        }
        out.restore();
    }
    if marks.color_bar {
        for ((space, components), patch) in page.patches.iter().zip(&page.room.patches) {
            out.color(*space, components, false);
            out.path(&patch.to_path(0.1), PathPaint::Fill, false);
        }
    }
    if let Some(slug) = page.slug.as_ref().filter(|_| marks.slug) {
        // It was set to fit: see `Room`.
        let place = kurbo::Affine::translate(page.room.slug.to_vec2());
        out.color(page.words.0, &page.words.1, false);
        out.path(&(place * slug), PathPaint::Fill, false);
    }
    out.restore();
}

/// Two lines at each corner of a box, beginning so far outside it.
fn corner_lines(area: Rect, start: f64, length: f64, out: &mut BezPath) {
    for x in [area.x0, area.x1] {
        line(out, (x, area.y0 - start - length), (x, area.y0 - start));
        line(out, (x, area.y1 + start), (x, area.y1 + start + length));
    }
    for y in [area.y0, area.y1] {
        line(out, (area.x0 - start - length, y), (area.x0 - start, y));
        line(out, (area.x1 + start, y), (area.x1 + start + length, y));
    }
}

fn line(out: &mut BezPath, from: (f64, f64), to: (f64, f64)) {
    out.extend(Line::new(from, to).path_elements(0.1));
}
