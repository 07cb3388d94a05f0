//! Outlines in pixels: curves become straight lines once, the same lines for every band.
//!
//! Scene paths are `f64` millimetres. Each is taken to pixels and flattened by a fixed rule
//! that uses nothing but sums, products and square roots. Strokes become filled outlines first.

use super::layer::Area;
use crate::scene::FillRule;
use kurbo::{Affine, BezPath, PathEl, Point, Rect};
use tiny_skia::{LineCap, LineJoin, PathBuilder, PathStroker, StrokeDash};

/// Furthest a chord may stand from its curve, in pixels.
const TOLERANCE: f64 = 0.02;
/// Most chords of one curve.
const MAX_CHORDS: f64 = 2000.0;
/// Coordinates beyond this many pixels are brought back to it: no frame is that large.
const FAR: f64 = 4e6;

/// A filled outline as closed polygons, in pixels.
#[derive(Debug, Clone)]
pub(super) struct Outline {
    /// Corners of all polygons, one after another.
    pub(super) points: Vec<[f32; 2]>,
    /// One past each polygon's last corner.
    pub(super) ends: Vec<u32>,
    /// Which side is inside.
    pub(super) rule: FillRule,
    /// Every pixel it touches.
    pub(super) area: Area,
    /// Left, top, right, bottom, where the outline is one upright rectangle.
    pub(super) rect: Option<[f32; 4]>,
}

impl Outline {
    /// Flattens a path.
    pub(super) fn fill(path: &BezPath, to_px: Affine, rule: FillRule) -> Outline {
        let mut pen = Pen::default();
        for element in path.elements() {
            match *element {
                PathEl::MoveTo(p) => pen.start(to_px * p),
                PathEl::LineTo(p) => pen.line(to_px * p),
                PathEl::QuadTo(a, p) => pen.quad(to_px * a, to_px * p),
                PathEl::CurveTo(a, b, p) => pen.cubic(to_px * a, to_px * b, to_px * p),
                PathEl::ClosePath => pen.close(),
            }
        }
        pen.finish(rule)
    }

    /// The outline of a stroke. `None` where the path has nothing to stroke.
    pub(super) fn stroke(path: &BezPath, style: &kurbo::Stroke, to_px: Affine) -> Option<Outline> {
        // The stroker works in single precision; its input is moved to the path's own corner.
        let origin = path.control_box().origin();
        let mut builder = PathBuilder::new();
        let at = |p: Point| ((p.x - origin.x) as f32, (p.y - origin.y) as f32);
        for element in path.elements() {
            match *element {
                PathEl::MoveTo(p) => builder.move_to(at(p).0, at(p).1),
                PathEl::LineTo(p) => builder.line_to(at(p).0, at(p).1),
                PathEl::QuadTo(a, p) => builder.quad_to(at(a).0, at(a).1, at(p).0, at(p).1),
                PathEl::CurveTo(a, b, p) => {
                    builder.cubic_to(at(a).0, at(a).1, at(b).0, at(b).1, at(p).0, at(p).1);
                }
                PathEl::ClosePath => builder.close(),
            }
        }
        let mut skeleton = builder.finish()?;
        let [a, b, c, d, _, _] = to_px.as_coeffs();
        let scale = (libm::hypot(a, b).max(libm::hypot(c, d)) as f32).max(1e-6);
        if !style.dash_pattern.is_empty() {
            let mut dashes: Vec<f32> = style.dash_pattern.iter().map(|d| *d as f32).collect();
            if dashes.len() % 2 == 1 {
                dashes.extend_from_within(..);
            }
            if let Some(dash) = StrokeDash::new(dashes, style.dash_offset as f32) {
                skeleton = skeleton.dash(&dash, scale)?;
            }
        }
        let stroke = tiny_skia::Stroke {
            width: style.width as f32,
            miter_limit: style.miter_limit as f32,
            line_cap: match style.start_cap {
                kurbo::Cap::Butt => LineCap::Butt,
                kurbo::Cap::Square => LineCap::Square,
                kurbo::Cap::Round => LineCap::Round,
            },
            line_join: match style.join {
                kurbo::Join::Bevel => LineJoin::Bevel,
                kurbo::Join::Miter => LineJoin::Miter,
                kurbo::Join::Round => LineJoin::Round,
            },
            dash: None,
        };
        let outline = PathStroker::new().stroke(&skeleton, &stroke, scale * 4.0)?;
        let mut pen = Pen::default();
        let back =
            |p: tiny_skia::Point| to_px * Point::new(f64::from(p.x) + origin.x, f64::from(p.y) + origin.y);
        for segment in outline.segments() {
            match segment {
                tiny_skia::PathSegment::MoveTo(p) => pen.start(back(p)),
                tiny_skia::PathSegment::LineTo(p) => pen.line(back(p)),
                tiny_skia::PathSegment::QuadTo(a, p) => pen.quad(back(a), back(p)),
                tiny_skia::PathSegment::CubicTo(a, b, p) => pen.cubic(back(a), back(b), back(p)),
                tiny_skia::PathSegment::Close => pen.close(),
            }
        }
        Some(pen.finish(FillRule::NonZero))
    }

    /// An upright or turned rectangle.
    pub(super) fn quad(rect: Rect, to_px: Affine) -> Outline {
        let mut pen = Pen::default();
        pen.start(to_px * Point::new(rect.x0, rect.y0));
        pen.line(to_px * Point::new(rect.x1, rect.y0));
        pen.line(to_px * Point::new(rect.x1, rect.y1));
        pen.line(to_px * Point::new(rect.x0, rect.y1));
        pen.finish(FillRule::NonZero)
    }
}

/// Collects polygons.
#[derive(Default)]
struct Pen {
    points: Vec<[f32; 2]>,
    ends: Vec<u32>,
    start: Point,
    at: Point,
}

impl Pen {
    fn start(&mut self, p: Point) {
        self.end_polygon();
        self.start = p;
        self.at = p;
        self.push(p);
    }

    fn line(&mut self, p: Point) {
        self.push(p);
        self.at = p;
    }

    fn quad(&mut self, a: Point, p: Point) {
        let from = self.at;
        // The distance of a parabola from its chord, split in n, is |second difference| / 4n².
        let bend = libm::sqrt(square(from.x - 2.0 * a.x + p.x) + square(from.y - 2.0 * a.y + p.y));
        let n = chords(bend / 4.0);
        for i in 1..n {
            let t = f64::from(i) / f64::from(n);
            let s = 1.0 - t;
            let (u, v, w) = (s * s, 2.0 * s * t, t * t);
            self.push(Point::new(u * from.x + v * a.x + w * p.x, u * from.y + v * a.y + w * p.y));
        }
        self.line(p);
    }

    fn cubic(&mut self, a: Point, b: Point, p: Point) {
        let from = self.at;
        // Wang's bound: six times the larger second difference, over 8n².
        let first = square(from.x - 2.0 * a.x + b.x) + square(from.y - 2.0 * a.y + b.y);
        let second = square(a.x - 2.0 * b.x + p.x) + square(a.y - 2.0 * b.y + p.y);
        let n = chords(libm::sqrt(first.max(second)) * 0.75);
        for i in 1..n {
            let t = f64::from(i) / f64::from(n);
            let s = 1.0 - t;
            let (u, v, w, z) = (s * s * s, 3.0 * s * s * t, 3.0 * s * t * t, t * t * t);
            self.push(Point::new(
                u * from.x + v * a.x + w * b.x + z * p.x,
                u * from.y + v * a.y + w * b.y + z * p.y,
            ));
        }
        self.line(p);
    }

    fn close(&mut self) {
        let start = self.start;
        self.end_polygon();
        // A segment that follows a close starts where the closed polygon did.
        self.at = start;
    }

    fn push(&mut self, p: Point) {
        if self.points.len() == self.ends.last().map_or(0, |e| *e as usize) && p != self.start {
            self.points.push(pixel(self.start));
        }
        self.points.push(pixel(p));
    }

    fn end_polygon(&mut self) {
        let begin = self.ends.last().map_or(0, |e| *e as usize);
        if self.points.len() - begin >= 2 {
            self.ends.push(self.points.len() as u32);
        } else {
            self.points.truncate(begin);
        }
    }

    fn finish(mut self, rule: FillRule) -> Outline {
        self.end_polygon();
        let mut bounds = [f32::INFINITY, f32::INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY];
        for [x, y] in &self.points {
            bounds = [bounds[0].min(*x), bounds[1].min(*y), bounds[2].max(*x), bounds[3].max(*y)];
        }
        let area = if self.points.is_empty() {
            Area::EMPTY
        } else {
            let [x0, y0, x1, y1] = bounds.map(f64::from);
            Area::around(Rect::new(x0, y0, x1, y1))
        };
        let rect = is_rect(&self.points, &self.ends).then_some(bounds);
        Outline { points: self.points, ends: self.ends, rule, area, rect }
    }
}

/// One polygon of four corners (or five, the last repeating the first) with upright sides.
fn is_rect(points: &[[f32; 2]], ends: &[u32]) -> bool {
    let corners = match points {
        [first, rest @ .., last] if rest.len() == 3 && first == last => &points[..4],
        [_, _, _, _] => points,
        _ => return false,
    };
    if ends.len() != 1 {
        return false;
    }
    let [a, b, c, d] = [corners[0], corners[1], corners[2], corners[3]];
    (a[1] == b[1] && b[0] == c[0] && c[1] == d[1] && d[0] == a[0])
        || (a[0] == b[0] && b[1] == c[1] && c[0] == d[0] && d[1] == a[1])
}

fn square(x: f64) -> f64 {
    x * x
}

/// How many chords keep a bend within tolerance.
fn chords(bend: f64) -> u32 {
    let n = libm::ceil(libm::sqrt(bend / TOLERANCE));
    if n.is_finite() { n.clamp(1.0, MAX_CHORDS) as u32 } else { 1 }
}

fn pixel(p: Point) -> [f32; 2] {
    let near = |v: f64| if v.is_finite() { v.clamp(-FAR, FAR) as f32 } else { 0.0 };
    [near(p.x), near(p.y)]
}
