//! Path operators: construction, clips, fills and strokes.

use super::content::Content;
use super::context::Context;
use super::marks::{Kind, Mark};
use super::paint::Painted;
use super::read::ReadError;
use super::state::{scale_of, thinnest};
use kurbo::{Affine, BezPath, ParamCurve, PathEl, PathSeg, Point, Rect, Shape};
use std::io::{Read, Seek};

/// Elements of one path.
const ELEMENTS: usize = 4_000_000;

impl<R: Read + Seek> Context<'_, R> {
    /// `m l c v y h re`, `W W*`, and everything that paints or ends a path.
    pub(crate) fn path_operator(
        &mut self,
        name: &[u8],
        n: &[f64],
        content: &mut Content<'_>,
    ) -> Result<(), ReadError> {
        let open = !content.path.elements().is_empty();
        let last = content.path.elements().last().and_then(|e| e.end_point()).unwrap_or_default();
        let path = &mut content.path;
        if path.elements().len() > ELEMENTS {
            return Err(ReadError::limit(format!("a path has more than {ELEMENTS} points")));
        }
        let p = |i: usize| Point::new(n[i], n[i + 1]);
        match name {
            b"m" => path.move_to(p(0)),
            b"re" => {
                let (x, y, w, h) = (n[0], n[1], n[2], n[3]);
                path.move_to((x, y));
                path.line_to((x + w, y));
                path.line_to((x + w, y + h));
                path.line_to((x, y + h));
                path.close_path();
            }
            b"l" | b"c" | b"v" | b"y" if !open => {
                self.say(
                    super::rule::Rule::ContentOperand,
                    None,
                    "A path begins without a point to begin at; write the file again.",
                );
            }
            b"l" => path.line_to(p(0)),
            b"c" => path.curve_to(p(0), p(2), p(4)),
            b"v" => path.curve_to(last, p(0), p(2)),
            b"y" => path.curve_to(p(0), p(2), p(2)),
            b"h" => {
                if open {
                    path.close_path();
                }
            }
            b"W" => content.clip = Some(false),
            b"W*" => content.clip = Some(true),
            b"s" | b"b" | b"b*" => {
                if open {
                    path.close_path();
                }
                self.paint_path(&name.to_ascii_uppercase(), content);
            }
            _ => self.paint_path(name, content),
        }
        Ok(())
    }

    fn paint_path(&mut self, name: &[u8], content: &mut Content<'_>) {
        let path = std::mem::take(&mut content.path);
        let clip = content.clip.take();
        if !path.elements().is_empty() {
            let even_odd = name.ends_with(b"*");
            let placed = content.state.ctm * path;
            if matches!(name, b"f" | b"F" | b"f*" | b"B" | b"B*") {
                self.paint(Painted { even_odd, ..Painted::area(Kind::Fill, &placed) }, content);
            }
            if matches!(name, b"S" | b"B" | b"B*") {
                let width = content.state.width * scale_of(content.state.ctm);
                let thin = thinnest(&placed, content.state.ctm, content.state.width);
                self.paint(Painted::area(Kind::Stroke { width, thin }, &placed), content);
            }
            if let Some(even_odd) = clip {
                narrow(self, &placed, even_odd, content);
            }
        }
    }
}

/// Narrows the clip by a path that stands on the page.
pub(crate) fn narrow<R>(
    cx: &mut Context<'_, R>,
    placed: &BezPath,
    even_odd: bool,
    content: &mut Content<'_>,
) {
    if let Some(canvas) = &mut cx.canvas
        && !content.mode.repeated
        && !content.mode.masking
        && (content.state.mask.is_some() || !is_upright(placed))
    {
        content.state.mask = canvas.clip(placed, even_odd, &content.state).or(content.state.mask.take());
    }
    content.state.clip = overlap(content.state.clip, placed.bounding_box());
}

/// What two rectangles share; an empty one where that is nothing.
pub(crate) fn overlap(a: Rect, b: Rect) -> Rect {
    let shared = Rect::new(a.x0.max(b.x0), a.y0.max(b.y0), a.x1.min(b.x1), a.y1.min(b.y1));
    if shared.x1 < shared.x0 || shared.y1 < shared.y0 { Rect::new(a.x0, a.y0, a.x0, a.y0) } else { shared }
}

/// What is seen of a rectangle, where anything is.
pub(crate) fn clipped(bounds: Rect, clip: Rect) -> Option<Rect> {
    let apart = bounds.x1 < clip.x0 || bounds.x0 > clip.x1 || bounds.y1 < clip.y0 || bounds.y0 > clip.y1;
    let hidden = clip.width() <= 0.0 || clip.height() <= 0.0;
    (!apart && !hidden && bounds.is_finite()).then(|| overlap(bounds, clip))
}

/// True where something of a mark lies in an area. Bounds that meet do not do: a line around the area, and
/// marks at the corners of one, have none of it.
pub(crate) fn reaches(mark: &Mark<'_>, area: Rect) -> bool {
    /// Halvings of a piece of the outline, after which its bounds do.
    const HALVINGS: u32 = 10;
    fn meets(segment: PathSeg, area: Rect, halvings: u32) -> bool {
        let own = Shape::bounding_box(&segment);
        if own.x1 < area.x0 || own.x0 > area.x1 || own.y1 < area.y0 || own.y0 > area.y1 {
            return false;
        }
        if halvings == 0 || area.contains(segment.start()) || area.contains(segment.end()) {
            return true;
        }
        let (first, second) = segment.subdivide();
        meets(first, area, halvings - 1) || meets(second, area, halvings - 1)
    }
    if area.width() <= 0.0 || area.height() <= 0.0 {
        return false;
    }
    let half = mark.width().unwrap_or(0.0) / 2.0;
    if mark.outline.segments().any(|segment| meets(segment, area.inflate(half, half), HALVINGS)) {
        return true;
    }
    // Where no edge crosses it the area lies within, or without.
    mark.width().is_none() && mark.outline.winding(area.center()) != 0
}

/// How thick a bar is that stands for a line: an area of four corners, much longer than thick.
pub(crate) fn bar(path: &BezPath) -> Option<f64> {
    let mut corners: Vec<Point> = Vec::with_capacity(5);
    for (i, element) in path.elements().iter().enumerate() {
        match element {
            PathEl::MoveTo(point) if i == 0 => corners.push(*point),
            PathEl::LineTo(point) => corners.push(*point),
            PathEl::ClosePath => {}
            // Curves, and areas of several pieces.
            PathEl::MoveTo(_) | PathEl::QuadTo(..) | PathEl::CurveTo(..) => return None,
        }
        if corners.len() > 5 {
            return None;
        }
    }
    if corners.len() == 5 && corners[0].distance(corners[4]) < 1e-6 {
        corners.pop();
    }
    let [a, b, c, d] = <[Point; 4]>::try_from(corners).ok()?;
    let length = [a.distance(b), b.distance(c), c.distance(d), d.distance(a)].into_iter().fold(0.0, f64::max);
    let area = ((c - a).cross(d - b) / 2.0).abs();
    let thick = if length > 0.0 { area / length } else { 0.0 };
    (length > 4.0 * thick && length > 0.0).then_some(thick)
}

/// True for a rectangle with level sides.
fn is_upright(path: &BezPath) -> bool {
    let box_area = path.bounding_box().area();
    path.elements().len() <= 6 && (path.area().abs() - box_area).abs() <= box_area * 1e-6
}

/// A unit square under a matrix.
pub(crate) fn unit_square(ctm: Affine) -> BezPath {
    ctm * super::picture::rectangle(Rect::new(0.0, 0.0, 1.0, 1.0))
}
