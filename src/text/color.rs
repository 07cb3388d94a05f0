//! Colour glyphs: a font's COLR layers as scene nodes.

use super::face::invalid;
use super::glyph::outline;
use crate::error::{Code, Violation};
use crate::scene::{
    Blend, Clip, Color, Fill, FillRule, Group, Ink, LinearGradient, Mask, MaskKind, Node, Paint, PathNode,
    RadialGradient, Spread, Stops,
};
use kurbo::{Affine, BezPath, Point, Rect, Shape};
use skrifa::color::{Brush, ColorPainter, ColorStop, CompositeMode, Extend, PaintError, Transform};
use skrifa::instance::LocationRef;
use skrifa::raw::FontRef;
use skrifa::raw::types::BoundingBox;
use skrifa::{GlyphId, MetadataProvider};
use std::sync::Arc;

/// The most pieces that one glyph may be painted from.
const PIECES: usize = 10_000;
/// The palette entry that stands for the text's own colour; printed black.
const FOREGROUND: u16 = 0xffff;

/// A painted glyph in font units, y up, and what it covers at most.
pub(super) type Painted = (Vec<Node>, Option<Rect>);

/// Paints a glyph from its COLR layers. `None` where it has none; `Some(None)` where it has
/// layers that cannot be printed (sweep gradients and rare compositing modes).
pub(super) fn paint(
    font: &FontRef<'_>,
    glyph: GlyphId,
    location: LocationRef<'_>,
) -> Result<Option<Option<Painted>>, Violation> {
    let Some(source) = font.color_glyphs().get(glyph) else { return Ok(None) };
    let palette = font.color_palettes().get(0).map(|palette| {
        let color =
            |c: &skrifa::color::Color| (Color::rgb8(c.red, c.green, c.blue), f32::from(c.alpha) / 255.0);
        palette.colors().iter().map(color).collect()
    });
    let mut painter = Painter {
        font,
        location,
        palette: palette.unwrap_or_default(),
        transforms: vec![Affine::IDENTITY],
        frames: vec![Frame::default()],
        bounds: None,
        pieces: 0,
        unsupported: false,
        broken: None,
    };
    source.paint(location, &mut painter).map_err(|error| match error {
        PaintError::PaintCycleDetected | PaintError::DepthLimitExceeded => too_complex(),
        PaintError::ParseError(_) | PaintError::GlyphNotFound(_) => {
            invalid("a colour glyph of this font is broken")
        }
    })?;
    if let Some(violation) = painter.broken {
        return Err(violation);
    }
    let nodes = painter.frames.pop().map(|frame| frame.nodes).unwrap_or_default();
    Ok(Some((!painter.unsupported).then_some((nodes, painter.bounds))))
}

fn too_complex() -> Violation {
    let detail = "a colour glyph of this font is built of too many pieces, or of itself: repair the font";
    Violation::new(Code::FontComplexityExceeded, detail)
}

/// Nodes that are being collected, and the clip around them.
#[derive(Default)]
struct Frame {
    clip: Option<Arc<BezPath>>,
    nodes: Vec<Node>,
}

struct Painter<'a> {
    font: &'a FontRef<'a>,
    location: LocationRef<'a>,
    palette: Vec<(Color, f32)>,
    transforms: Vec<Affine>,
    frames: Vec<Frame>,
    bounds: Option<Rect>,
    pieces: usize,
    unsupported: bool,
    broken: Option<Violation>,
}

impl Painter<'_> {
    fn transform(&self) -> Affine {
        self.transforms.last().copied().unwrap_or(Affine::IDENTITY)
    }

    fn push_clip(&mut self, path: BezPath) {
        self.frames.push(Frame { clip: Some(Arc::new(path)), nodes: Vec::new() });
    }

    fn add(&mut self, node: Node) {
        self.pieces += 1;
        if self.pieces > PIECES {
            self.broken.get_or_insert_with(too_complex);
        } else if let Some(frame) = self.frames.last_mut() {
            frame.nodes.push(node);
        }
    }

    fn color(&self, index: u16, alpha: f32) -> (Ink, f32) {
        let (color, opacity) = match self.palette.get(usize::from(index)) {
            Some(entry) if index != FOREGROUND => *entry,
            _ => (Color::BLACK, 1.0),
        };
        (Ink::Process(color), (opacity * alpha).clamp(0.0, 1.0))
    }

    fn stops(&self, stops: &[ColorStop], extend: Extend) -> Stops {
        let stop = |s: &ColorStop| {
            let (ink, opacity) = self.color(s.palette_index, s.alpha);
            (s.offset.clamp(0.0, 1.0), ink, opacity)
        };
        let spread = match extend {
            Extend::Repeat => Spread::Repeat,
            Extend::Reflect => Spread::Reflect,
            _ => Spread::Pad,
        };
        Stops { stops: stops.iter().map(stop).collect(), spread, transform: self.transform() }
    }

    /// A paint and its opacity; `None` for what a scene has no paint for.
    fn paint(&self, brush: &Brush<'_>) -> Option<(Paint, f32)> {
        let point = |p: &skrifa::raw::types::Point<f32>| Point::new(f64::from(p.x), f64::from(p.y));
        match brush {
            Brush::Solid { palette_index, alpha } => {
                let (ink, opacity) = self.color(*palette_index, *alpha);
                Some((Paint::Solid(ink), opacity))
            }
            Brush::LinearGradient { p0, p1, color_stops, extend } => {
                let stops = self.stops(color_stops, *extend);
                Some((
                    Paint::Linear(Arc::new(LinearGradient { start: point(p0), end: point(p1), stops })),
                    1.0,
                ))
            }
            Brush::RadialGradient { c0, r0, c1, r1, color_stops, extend } => {
                let (focus, focus_radius, center, radius) =
                    (point(c0), f64::from(*r0), point(c1), f64::from(*r1));
                let stops = self.stops(color_stops, *extend);
                radial(focus, focus_radius, center, radius, stops).map(|paint| (paint, 1.0))
            }
            Brush::SweepGradient { .. } => None,
        }
    }
}

/// A gradient between two circles of which one holds the other, which is all that SVG 2 knows.
fn radial(focus: Point, focus_radius: f64, center: Point, radius: f64, mut stops: Stops) -> Option<Paint> {
    let between = (center - focus).hypot2();
    let holds = |outer: f64, inner: f64| {
        inner >= 0.0 && outer > inner && between <= (outer - inner) * (outer - inner)
    };
    let gradient = if holds(radius, focus_radius) {
        RadialGradient { center, radius, focus, focus_radius, stops }
    } else if holds(focus_radius, radius) {
        // The other way round, with its colours turned.
        stops.stops.reverse();
        stops.stops.iter_mut().for_each(|stop| stop.0 = 1.0 - stop.0);
        RadialGradient { center: focus, radius: focus_radius, focus: center, focus_radius: radius, stops }
    } else {
        return None;
    };
    Some(Paint::Radial(Arc::new(gradient)))
}

impl ColorPainter for Painter<'_> {
    fn push_transform(&mut self, t: Transform) {
        let local = [t.xx, t.yx, t.xy, t.yy, t.dx, t.dy].map(f64::from);
        self.transforms.push(self.transform() * Affine::new(local));
    }

    fn pop_transform(&mut self) {
        self.transforms.pop();
    }

    fn push_clip_glyph(&mut self, glyph: GlyphId) {
        let path = outline(self.font, glyph, self.location);
        let path = path.unwrap_or_else(|violation| {
            self.broken.get_or_insert(violation);
            BezPath::new()
        });
        self.push_clip(self.transform() * path);
    }

    fn push_clip_box(&mut self, b: BoundingBox<f32>) {
        let [x0, y0, x1, y1] = [b.x_min, b.y_min, b.x_max, b.y_max].map(f64::from);
        self.push_clip(self.transform() * Rect::new(x0, y0, x1, y1).to_path(0.1));
    }

    fn pop_clip(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        let Some(clip) = frame.clip else { return };
        for node in frame.nodes {
            // Paint that is its own clip's shape needs no clip.
            let is_clip = matches!(&node, Node::Path(path) if Arc::ptr_eq(&path.path, &clip));
            if is_clip {
                self.add(node);
                continue;
            }
            let clips = vec![Clip { paths: vec![(clip.clone(), FillRule::NonZero)] }];
            self.add(Node::Group(Arc::new(Group { clips, nodes: vec![node], ..Group::default() })));
        }
    }

    fn fill(&mut self, brush: Brush<'_>) {
        let Some((paint, opacity)) = self.paint(&brush) else {
            self.unsupported = true;
            return;
        };
        let mut clips = self.frames.iter().rev().filter_map(|frame| frame.clip.as_ref());
        // Paint without any shape has no end: no font that prints has it.
        let Some(path) = clips.next().cloned() else {
            self.unsupported = true;
            return;
        };
        if path.elements().is_empty() {
            return;
        }
        let covered = clips
            .filter(|clip| !clip.elements().is_empty())
            .fold(path.bounding_box(), |rect, clip| rect.intersect(clip.bounding_box()));
        self.bounds = Some(self.bounds.map_or(covered, |all| all.union(covered)));
        let fill = Some(Fill { paint, opacity, rule: FillRule::NonZero });
        self.add(Node::Path(Arc::new(PathNode {
            path,
            fill,
            stroke: None,
            stroke_first: false,
            overprint: false,
        })));
    }

    fn push_layer(&mut self, _: CompositeMode) {
        self.frames.push(Frame::default());
    }

    fn pop_layer_with_mode(&mut self, mode: CompositeMode) {
        let Some(source) = self.frames.pop().map(|frame| frame.nodes) else { return };
        let Some(below) = self.frames.last_mut() else { return };
        let backdrop = std::mem::take(&mut below.nodes);
        match composite(source, backdrop, mode) {
            Some(nodes) => nodes.into_iter().for_each(|node| self.add(node)),
            None => self.unsupported = true,
        }
    }
}

/// The nodes that show a source composited with its backdrop; `None` for modes a scene cannot show.
fn composite(source: Vec<Node>, backdrop: Vec<Node>, mode: CompositeMode) -> Option<Vec<Node>> {
    let layer = |nodes, blend, mask: Option<Vec<Node>>| {
        let mask = mask.map(|nodes| Mask { kind: MaskKind::Alpha, nodes });
        Node::Group(Arc::new(Group { isolated: true, blend, mask, nodes, ..Group::default() }))
    };
    let over = |mut below: Vec<Node>, top: Node| {
        below.push(top);
        below
    };
    let blend = match mode {
        CompositeMode::Clear => return Some(Vec::new()),
        CompositeMode::Src => return Some(source),
        CompositeMode::Dest => return Some(backdrop),
        CompositeMode::DestOver => return Some(over(source, layer(backdrop, Blend::Normal, None))),
        CompositeMode::SrcIn => return Some(vec![layer(source, Blend::Normal, Some(backdrop))]),
        CompositeMode::DestIn => return Some(vec![layer(backdrop, Blend::Normal, Some(source))]),
        CompositeMode::SrcAtop => {
            let inside = layer(source, Blend::Normal, Some(backdrop.clone()));
            return Some(over(backdrop, inside));
        }
        CompositeMode::SrcOver => Blend::Normal,
        CompositeMode::Screen => Blend::Screen,
        CompositeMode::Overlay => Blend::Overlay,
        CompositeMode::Darken => Blend::Darken,
        CompositeMode::Lighten => Blend::Lighten,
        CompositeMode::ColorDodge => Blend::ColorDodge,
        CompositeMode::ColorBurn => Blend::ColorBurn,
        CompositeMode::HardLight => Blend::HardLight,
        CompositeMode::SoftLight => Blend::SoftLight,
        CompositeMode::Difference => Blend::Difference,
        CompositeMode::Exclusion => Blend::Exclusion,
        CompositeMode::Multiply => Blend::Multiply,
        CompositeMode::HslHue => Blend::Hue,
        CompositeMode::HslSaturation => Blend::Saturation,
        CompositeMode::HslColor => Blend::Color,
        CompositeMode::HslLuminosity => Blend::Luminosity,
        CompositeMode::SrcOut
        | CompositeMode::DestOut
        | CompositeMode::DestAtop
        | CompositeMode::Xor
        | CompositeMode::Plus
        | CompositeMode::Unknown => return None,
    };
    Some(over(backdrop, layer(source, blend, None)))
}
