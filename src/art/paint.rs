//! usvg's paints, strokes and outlines as the scene's.

use super::recolor::Inks;
use crate::scene::{Fill, FillRule, LinearGradient, Paint, RadialGradient, Spread, Stops, Stroke};
use kurbo::{Affine, BezPath, Cap, Join, Point, Rect};
use resvg::tiny_skia::PathSegment;
use resvg::usvg;
use std::sync::Arc;

pub(super) fn affine(t: usvg::Transform) -> Affine {
    Affine::new([t.sx, t.ky, t.kx, t.sy, t.tx, t.ty].map(f64::from))
}

pub(super) fn rect(r: usvg::NonZeroRect) -> Rect {
    Rect::new(f64::from(r.left()), f64::from(r.top()), f64::from(r.right()), f64::from(r.bottom()))
}

pub(super) fn outline(path: &usvg::tiny_skia_path::Path) -> BezPath {
    let at = |p: usvg::tiny_skia_path::Point| Point::new(f64::from(p.x), f64::from(p.y));
    let mut out = BezPath::new();
    for segment in path.segments() {
        match segment {
            PathSegment::MoveTo(p) => out.move_to(at(p)),
            PathSegment::LineTo(p) => out.line_to(at(p)),
            PathSegment::QuadTo(a, p) => out.quad_to(at(a), at(p)),
            PathSegment::CubicTo(a, b, p) => out.curve_to(at(a), at(b), at(p)),
            PathSegment::Close => out.close_path(),
        }
    }
    out
}

pub(super) fn fill_rule(rule: usvg::FillRule) -> FillRule {
    match rule {
        usvg::FillRule::NonZero => FillRule::NonZero,
        usvg::FillRule::EvenOdd => FillRule::EvenOdd,
    }
}

pub(super) fn fill(fill: &usvg::Fill, paint: Paint) -> Fill {
    Fill { paint, opacity: fill.opacity().get(), rule: fill_rule(fill.rule()) }
}

pub(super) fn stroke(stroke: &usvg::Stroke, paint: Paint) -> Stroke {
    let join = match stroke.linejoin() {
        // A clipped miter is a finding of its own.
        usvg::LineJoin::Miter | usvg::LineJoin::MiterClip => Join::Miter,
        usvg::LineJoin::Round => Join::Round,
        usvg::LineJoin::Bevel => Join::Bevel,
    };
    let cap = match stroke.linecap() {
        usvg::LineCap::Butt => Cap::Butt,
        usvg::LineCap::Round => Cap::Round,
        usvg::LineCap::Square => Cap::Square,
    };
    let mut style = kurbo::Stroke::new(f64::from(stroke.width().get()))
        .with_join(join)
        .with_caps(cap)
        .with_miter_limit(f64::from(stroke.miterlimit().get()));
    if let Some(dashes) = stroke.dasharray() {
        style = style.with_dashes(f64::from(stroke.dashoffset()), dashes.iter().copied().map(f64::from));
    }
    Stroke { paint, opacity: stroke.opacity().get(), style }
}

pub(super) fn linear(
    gradient: &usvg::LinearGradient,
    marked: Option<&usvg::BaseGradient>,
    inks: &Inks,
) -> Paint {
    Paint::Linear(Arc::new(LinearGradient {
        start: Point::new(f64::from(gradient.x1()), f64::from(gradient.y1())),
        end: Point::new(f64::from(gradient.x2()), f64::from(gradient.y2())),
        stops: stops(gradient, marked, inks),
    }))
}

pub(super) fn radial(
    gradient: &usvg::RadialGradient,
    marked: Option<&usvg::BaseGradient>,
    inks: &Inks,
) -> Paint {
    Paint::Radial(Arc::new(RadialGradient {
        center: Point::new(f64::from(gradient.cx()), f64::from(gradient.cy())),
        radius: f64::from(gradient.r().get()),
        focus: Point::new(f64::from(gradient.fx()), f64::from(gradient.fy())),
        focus_radius: f64::from(gradient.fr().get()),
        stops: stops(gradient, marked, inks),
    }))
}

fn stops(gradient: &usvg::BaseGradient, marked: Option<&usvg::BaseGradient>, inks: &Inks) -> Stops {
    let marks = marked.map(usvg::BaseGradient::stops).filter(|marks| marks.len() == gradient.stops().len());
    let stops = gradient.stops().iter().enumerate().map(|(i, stop)| {
        let mark = marks.and_then(|marks| marks.get(i)).map(|mark| mark.color());
        (stop.offset().get(), inks.ink(stop.color(), mark), stop.opacity().get())
    });
    let spread = match gradient.spread_method() {
        usvg::SpreadMethod::Pad => Spread::Pad,
        usvg::SpreadMethod::Reflect => Spread::Reflect,
        usvg::SpreadMethod::Repeat => Spread::Repeat,
    };
    Stops { stops: stops.collect(), spread, transform: affine(gradient.transform()) }
}
