//! One spot plate of a surface as a picture: white is full ink on black.
//!
//! Objects in the spot become their tint. Other objects knock the plate out where they lie on
//! top, unless they overprint or blend.

use super::alpha::coverage_rows;
use crate::asset::{Depth, Limits};
use crate::control::Control;
use crate::error::Violation;
use crate::raster::{Band, Frame, Packed, Rows, Sink, paint};
use crate::scene::separation::Content;
use crate::scene::{
    Adjust, Blend, Color, Fill, FillRule, Group, Ink, LinearGradient, Mask, MaskKind, Node, Paint, PathNode,
    PatternNode, RadialGradient, Stops, Stroke, Surface, Tiling,
};
use kurbo::Shape;
use std::sync::{Arc, Mutex, PoisonError};

/// Paints a plate; rows go out top to bottom, 0 is no ink, 255 full ink.
///
/// # Errors
/// As [`paint`], and whatever `out` reports.
pub fn plate_rows<F>(
    surface: &Surface,
    plate: &str,
    frame: &Frame,
    limits: &Limits,
    control: Control<'_>,
    mut out: F,
) -> Result<(), Violation>
where
    F: FnMut(&[u8]) -> Result<(), Violation> + Send,
{
    let mut coverages = Vec::new();
    for node in &surface.nodes {
        if let Node::Separation(separation) = node
            && is_plate(&separation.ink, plate)
            && let Content::Coverage(coverage) = &separation.content
        {
            coverages.push(coverage);
        }
    }
    let nodes = View { plate, knocks: true }.nodes(&surface.nodes);
    let width = frame.width as usize;
    let drawn = uses(&nodes);
    if let ([coverage], false) = (&coverages[..], drawn) {
        return coverage_rows(coverage, frame, limits, control, out);
    }
    let picture = Surface { nodes, ..surface.clone() };
    let frame = Frame { background: Some(Color::BLACK), depth: Depth::Eight, ..frame.clone() };
    if coverages.is_empty() {
        let sink = InkSink { width, out: Mutex::new(out) };
        return paint(&picture, &frame, limits, control, &sink).map(|_| ());
    }
    // Drawn in the ink and derived as well: one of the two is held, a byte a pixel.
    let mut held: Vec<u8> = Vec::with_capacity(width * frame.height as usize);
    let keep = |row: &[u8]| {
        held.extend_from_slice(row);
        Ok(())
    };
    paint(&picture, &frame, limits, control, &InkSink { width, out: Mutex::new(keep) })?;
    for coverage in coverages {
        let mut at = 0;
        coverage_rows(coverage, &frame, limits, control, |row| {
            for (full, ink) in held[at..at + width].iter_mut().zip(row) {
                *full = (*full).max(*ink);
            }
            at += width;
            Ok(())
        })?;
    }
    held.chunks_exact(width).try_for_each(&mut out)
}

struct InkSink<F> {
    width: usize,
    out: Mutex<F>,
}

impl<F: FnMut(&[u8]) -> Result<(), Violation> + Send> Sink for InkSink<F> {
    fn encode(&self, band: &Band<'_>) -> Result<Packed, Violation> {
        let bytes = match band.rows {
            Rows::Eight(pixels) => pixels.iter().map(|p| p[0]).collect(),
            Rows::Sixteen(pixels) => pixels.iter().map(|p| (p[0] >> 8) as u8).collect(),
        };
        Ok(Packed { bytes, ..Packed::default() })
    }

    fn write(&self, packed: Packed) -> Result<(), Violation> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        packed.bytes.chunks_exact(self.width).try_for_each(&mut *out)
    }
}

fn is_plate(ink: &Ink, plate: &str) -> bool {
    matches!(ink, Ink::Spot { name, .. } if name.as_ref() == plate)
}

/// True where anything prints on the plate: black alone only knocks out.
fn uses(nodes: &[Node]) -> bool {
    let inked = |ink: &Ink| ink.to_srgb()[0] > 0.0;
    let paint = |paint: &Paint| match paint {
        Paint::Solid(ink) => inked(ink),
        Paint::Linear(g) => g.stops.stops.iter().any(|(_, ink, _)| inked(ink)),
        Paint::Radial(g) => g.stops.stops.iter().any(|(_, ink, _)| inked(ink)),
        Paint::Tiling(tiling) => uses(&tiling.group.nodes),
    };
    nodes.iter().any(|node| match node {
        Node::Group(group) => uses(&group.nodes),
        Node::Pattern(pattern) => uses(&pattern.cell.nodes),
        Node::Path(path) => {
            path.fill.as_ref().is_some_and(|f| paint(&f.paint))
                || path.stroke.as_ref().is_some_and(|s| paint(&s.paint))
        }
        Node::Image(_) | Node::Filter(_) | Node::Separation(_) => false,
    })
}

/// How nodes look on a plate.
#[derive(Clone, Copy)]
struct View<'a> {
    plate: &'a str,
    /// Other inks knock out: not inside a group that blends.
    knocks: bool,
}

impl View<'_> {
    fn nodes(self, nodes: &[Node]) -> Vec<Node> {
        nodes.iter().flat_map(|node| self.node(node)).collect()
    }

    fn node(self, node: &Node) -> Vec<Node> {
        match node {
            Node::Group(group) => self.group(group).map(|g| Node::Group(Arc::new(g))).into_iter().collect(),
            Node::Path(path) => self.path(path).map(|p| Node::Path(Arc::new(p))).into_iter().collect(),
            Node::Pattern(pattern) => {
                let cell = self.group(&pattern.cell);
                let view = |cell| PatternNode { cell: Arc::new(cell), ..(**pattern).clone() };
                cell.map(|cell| Node::Pattern(Arc::new(view(cell)))).into_iter().collect()
            }
            Node::Separation(separation) => match &separation.content {
                Content::Outlines(nodes) if is_plate(&separation.ink, self.plate) => self.nodes(nodes),
                // It overprints or multiplies: other plates do not change. Coverage is added later.
                Content::Outlines(_) | Content::Coverage(_) => Vec::new(),
            },
            Node::Image(_) | Node::Filter(_) if !self.knocks => Vec::new(),
            Node::Image(image) => {
                let mut black = (**image).clone();
                black.adjust.push(Adjust::Brightness(0.0));
                vec![Node::Image(Arc::new(black))]
            }
            Node::Filter(filter) => {
                // Its silhouette in black.
                let area = filter.transform.transform_rect_bbox(filter.bounds);
                let fill =
                    Fill { paint: Paint::Solid(Color::BLACK.into()), opacity: 1.0, rule: FillRule::NonZero };
                let path = PathNode {
                    path: Arc::new(area.to_path(0.1)),
                    fill: Some(fill),
                    stroke: None,
                    stroke_first: false,
                    overprint: false,
                };
                let mask = Mask { kind: MaskKind::Alpha, nodes: vec![node.clone()] };
                let nodes = vec![Node::Path(Arc::new(path))];
                vec![Node::Group(Arc::new(Group { mask: Some(mask), nodes, ..Group::default() }))]
            }
        }
    }

    fn group(self, group: &Group) -> Option<Group> {
        let plain = group.blend == Blend::Normal;
        let nodes = View { knocks: self.knocks && plain, ..self }.nodes(&group.nodes);
        // Ink adds up where light is multiplied.
        let blend = match group.blend {
            Blend::Multiply => Blend::Screen,
            Blend::Darken => Blend::Lighten,
            Blend::Lighten => Blend::Darken,
            Blend::Screen => Blend::Multiply,
            Blend::Normal
            | Blend::Overlay
            | Blend::ColorDodge
            | Blend::ColorBurn
            | Blend::HardLight
            | Blend::SoftLight
            | Blend::Difference
            | Blend::Exclusion
            | Blend::Hue
            | Blend::Saturation
            | Blend::Color
            | Blend::Luminosity => Blend::Normal,
        };
        (!nodes.is_empty()).then(|| Group { nodes, blend, ..group.clone() })
    }

    fn path(self, path: &PathNode) -> Option<PathNode> {
        let knocks = self.knocks && !path.overprint;
        let keep = |paint: &Paint| self.paint(paint, knocks);
        let fill = path.fill.as_ref().and_then(|f| Some(Fill { paint: keep(&f.paint)?, ..f.clone() }));
        let stroke = path.stroke.as_ref().and_then(|s| Some(Stroke { paint: keep(&s.paint)?, ..s.clone() }));
        (fill.is_some() || stroke.is_some()).then(|| PathNode { fill, stroke, ..path.clone() })
    }

    /// What a paint leaves on the plate; `None` where it leaves the plate alone.
    fn paint(self, paint: &Paint, knocks: bool) -> Option<Paint> {
        let ink = |ink: &Ink| match ink {
            Ink::Spot { name, tint, .. } if name.as_ref() == self.plate => Color::Srgb([*tint; 3]).into(),
            Ink::Spot { .. } | Ink::Process(_) => Ink::Process(Color::BLACK),
        };
        let any = |stops: &Stops| stops.stops.iter().any(|(_, ink, _)| is_plate(ink, self.plate));
        let mapped = |stops: &Stops| Stops {
            stops: stops.stops.iter().map(|(at, i, opacity)| (*at, ink(i), *opacity)).collect(),
            ..stops.clone()
        };
        match paint {
            Paint::Solid(own) => (knocks || is_plate(own, self.plate)).then(|| Paint::Solid(ink(own))),
            Paint::Linear(g) => (knocks || any(&g.stops)).then(|| {
                Paint::Linear(Arc::new(LinearGradient { stops: mapped(&g.stops), ..(**g).clone() }))
            }),
            Paint::Radial(g) => (knocks || any(&g.stops)).then(|| {
                Paint::Radial(Arc::new(RadialGradient { stops: mapped(&g.stops), ..(**g).clone() }))
            }),
            Paint::Tiling(tiling) => {
                let group = View { knocks, ..self }.group(&tiling.group)?;
                Some(Paint::Tiling(Arc::new(Tiling { group: Arc::new(group), ..(**tiling).clone() })))
            }
        }
    }
}
