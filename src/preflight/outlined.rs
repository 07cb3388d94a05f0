//! Type that was made outlines: areas that form a row of letters, judged by their height.
//!
//! Files without fonts carry type as filled paths, and nothing says which they are. So the areas of one
//! colour that are painted one after the other are taken apart into closed shapes, and a row
//! among them is held to be type only where all of this is true, for a false alarm costs more than a
//! miss:
//!
//! - five shapes or more stand on one line, level or upright, with gaps as between letters and words;
//! - they are as high as letters of one size are: most have one of two heights (x-height, and
//!   capitals or ascenders), and dots, commas and dashes are none of them;
//! - no more than a few are alike, and some have curves or slanted edges: bars, tiles, codes and rows
//!   of one ornament have not;
//! - nearly all that this colour has in the row's area belongs to the row: foliage, grain and
//!   confetti line up by chance only among much that does not.
//!
//! The size is judged mildly. Capitals are at least 0.64 and an x-height is at least 0.43 of the size in
//! common faces; taken as that, type is never said to be smaller than it is. Where a row shows one height
//! only it is taken for an x-height, which is milder still: small capitals and figures alone are missed until
//! they are two thirds of the limit.
//! Joined scripts, letters of several colours and type on a curve are not seen.

use super::content::Mode;
use super::context::Context;
use super::marks::Mark;
use super::rule::Rule;
use kurbo::{BezPath, Line, ParamCurve, ParamCurveArea, ParamCurveExtrema, PathSeg, Rect};

/// Shapes that are looked at together; more of one colour are looked at in parts.
const SHAPES: usize = 4_000;
/// Shapes of a page that are looked at.
const PAGE: usize = 400_000;
/// Letters of a row, at least; of an upright one, at least.
const LETTERS: [usize; 2] = [5, 7];
/// Capitals' and ascenders' height, and lower-case letters', in parts of the type size, at least.
const CAPITALS: f64 = 0.64;
const LOWER_CASE: f64 = 0.43;

/// A closed shape.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Shape {
    bounds: Rect,
    /// Positive or negative by its direction.
    area: f64,
    /// How many edges it has.
    edges: u32,
    /// It has a curve or a slanted edge.
    lively: bool,
}

/// Areas of one colour under way.
#[derive(Debug, Default)]
pub(crate) struct Outlined {
    colour: Vec<i32>,
    shapes: Vec<Shape>,
    /// Shapes of the page so far.
    seen: usize,
}

/// A row of letters.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Row {
    bounds: Rect,
    /// At most so large a type, in units of the page.
    size: f64,
}

impl<R> Context<'_, R> {
    /// Takes a filled area of this colour.
    pub(crate) fn collect_outlines(&mut self, mark: &Mark<'_>, colour: Vec<i32>, mode: Mode) {
        let Some(boxes) = self.boxes.filter(|_| !mode.repeated && self.findings.wish.type_min.is_some())
        else {
            return;
        };
        if colour != self.outlined.colour {
            self.judge_outlines();
            self.outlined.colour = colour;
        }
        let clip = mark.bounds.inflate(0.01, 0.01).intersect(boxes.bleed.inflate(0.01, 0.01));
        for shape in shapes(mark.outline) {
            if self.outlined.seen >= PAGE {
                return;
            }
            // What is cut off is no letter.
            if shape.bounds.union(clip) == clip {
                self.outlined.seen += 1;
                self.outlined.shapes.push(shape);
            }
            if self.outlined.shapes.len() >= SHAPES {
                self.judge_outlines();
            }
        }
    }

    /// Looks for rows in what was taken.
    pub(crate) fn judge_outlines(&mut self) {
        let shapes = std::mem::take(&mut self.outlined.shapes);
        let (Some(boxes), Some(least)) = (self.boxes, self.findings.wish.type_min) else { return };
        let limit = least / boxes.unit;
        // A job says itself where its type is.
        let known = self.page.is_some_and(|page| self.expected(page).is_some());
        for row in rows(&shapes, limit) {
            if !known {
                self.check_near(row.bounds, true, None, Mode::default());
            }
            if row.size + 1e-6 >= limit {
                continue;
            }
            let size = row.size * boxes.unit;
            let detail = format!(
                "Outlines stand in a row as type of {size:.1} pt at most would, and the press holds {least} pt; set it larger."
            );
            self.find(Rule::TypeSmall, row.bounds, Mode::default(), detail);
        }
    }
}

/// The closed shapes of a path.
fn shapes(path: &BezPath) -> impl Iterator<Item = Shape> {
    let mut segments = path.segments().peekable();
    std::iter::from_fn(move || {
        let first = segments.next()?;
        let mut shape = Shape { bounds: first.bounding_box(), area: 0.0, edges: 0, lively: false };
        let mut segment = first;
        loop {
            shape.bounds = shape.bounds.union(segment.bounding_box());
            shape.area += segment.signed_area();
            shape.edges += 1;
            shape.lively |= match segment {
                PathSeg::Line(line) => {
                    let along = line.p1 - line.p0;
                    along.x.abs().min(along.y.abs()) > 0.1 * along.hypot()
                }
                PathSeg::Quad(_) | PathSeg::Cubic(_) => true,
            };
            match segments.peek() {
                // Where it does not go on, another begins.
                Some(next) if next.start() == segment.end() => segment = *next,
                Some(_) | None => break,
            }
            let _ = segments.next();
        }
        // Filling closes what is open.
        shape.area += PathSeg::Line(Line::new(segment.end(), first.start())).signed_area();
        Some(shape)
    })
}

/// Rows of letters, those of less than `limit` and some that are larger, in whatever unit the shapes have.
fn rows(shapes: &[Shape], limit: f64) -> Vec<Row> {
    let small = |shape: &Shape| shape.bounds.width().max(shape.bounds.height()) < 2.0 * limit;
    // Holes run the other way round.
    let outer = shapes.iter().filter(|shape| small(shape)).map(|shape| shape.area).sum::<f64>() >= 0.0;
    let solid: Vec<&Shape> =
        shapes.iter().filter(|shape| !small(shape) || (shape.area >= 0.0) == outer).collect();
    let mut taken = vec![false; solid.len()];
    let mut found = Vec::new();
    for turn in 0..4 {
        let turned: Vec<Rect> = solid.iter().map(|shape| turned(shape.bounds, turn)).collect();
        let letters = LETTERS[usize::from(turn > 0)];
        for row in lines(&turned, &taken, limit) {
            let Some(size) = judge(&row, &solid, &turned, letters) else { continue };
            // Type that is large enough is no row in another direction either.
            row.iter().for_each(|index| taken[*index] = true);
            found.push(Row { bounds: around(row.iter().map(|index| solid[*index].bounds)), size });
        }
    }
    found
}

/// A rectangle turned by quarters, so that a row that runs that way is level and upright.
fn turned(r: Rect, turn: u8) -> Rect {
    match turn {
        0 => r,
        1 => Rect::new(r.y0, -r.x1, r.y1, -r.x0),
        2 => Rect::new(-r.y1, r.x0, -r.y0, r.x1),
        _ => Rect::new(-r.x1, -r.y1, -r.x0, -r.y0),
    }
}

fn around(rects: impl Iterator<Item = Rect>) -> Rect {
    rects.reduce(|a, b| a.union(b)).unwrap_or_default()
}

/// Shapes that stand on one line with gaps as in type, from left to right.
fn lines(rects: &[Rect], taken: &[bool], limit: f64) -> Vec<Vec<usize>> {
    let letter = |r: &Rect| r.height() > 0.1 * limit && r.height() < 1.5 * limit && r.width() < 2.0 * limit;
    let mut all: Vec<usize> = (0..rects.len()).filter(|i| !taken[*i] && letter(&rects[*i])).collect();
    all.sort_by(|a, b| rects[*a].y0.total_cmp(&rects[*b].y0));
    let mut lines = Vec::new();
    let mut rest = all.as_slice();
    while let Some(first) = rest.first() {
        let foot = rects[*first];
        // Round letters reach a little below the line.
        let on = |i: &usize| rects[*i].y0 - foot.y0 <= 0.12 * rects[*i].height().min(foot.height());
        let count = rest.iter().take_while(|i| on(i)).count().max(1);
        let mut level = rest[..count].to_vec();
        rest = &rest[count..];
        level.sort_by(|a, b| rects[*a].x0.total_cmp(&rects[*b].x0));
        let apart = |a: &usize, b: &usize| {
            rects[*b].x0 - rects[*a].x1 > 1.2 * rects[*a].height().max(rects[*b].height())
        };
        lines.extend(level.chunk_by(|a, b| !apart(a, b)).map(<[usize]>::to_vec));
    }
    lines
}

/// How large the type of a row is at most; `None` where it is no type.
fn judge(row: &[usize], shapes: &[&Shape], rects: &[Rect], least: usize) -> Option<f64> {
    let highest = row.iter().map(|i| rects[*i].height()).fold(0.0, f64::max);
    // Dots and dashes are no letters.
    let letters: Vec<usize> = row.iter().copied().filter(|i| rects[*i].height() > 0.4 * highest).collect();
    let overlap = letters.windows(2).any(|pair| {
        let (a, b) = (rects[pair[0]], rects[pair[1]]);
        a.x1 - b.x0 > 0.5 * a.width().min(b.width())
    });
    if letters.len() < least || overlap {
        return None;
    }
    let lively = letters.iter().filter(|i| shapes[**i].lively).count();
    let mut kinds: Vec<(u32, i32)> = letters
        .iter()
        .map(|i| (shapes[*i].edges, libm::round(rects[*i].width() / highest * 10.0) as i32))
        .collect();
    kinds.sort_unstable();
    let most_alike = kinds.chunk_by(|a, b| a == b).map(<[_]>::len).max().unwrap_or(0);
    kinds.dedup();
    if lively * 3 < letters.len() || kinds.len() < 3 || most_alike * 2 > letters.len() {
        return None;
    }
    let near = |height: f64, to: f64| (height - to).abs() <= 0.12 * to;
    let heights = || letters.iter().map(|i| rects[*i].height());
    let mut lower: Vec<f64> = heights().filter(|height| !near(*height, highest)).collect();
    lower.sort_by(f64::total_cmp);
    let middle = lower.get(lower.len() / 2).copied();
    let fitting =
        heights().filter(|h| near(*h, highest) || middle.is_some_and(|middle| near(*h, middle))).count();
    if fitting * 4 < letters.len() * 3 {
        return None;
    }
    let bounds = around(letters.iter().map(|i| rects[*i]));
    let room = Rect::new(bounds.x0, bounds.y0 - 0.3 * highest, bounds.x1, bounds.y1 + 0.1 * highest);
    // Neither dots nor what hangs below the line count against the row, nor what lies all around it.
    let others = rects.iter().enumerate().filter(|(i, r)| {
        let apart = r.x1 <= room.x0 || r.x0 >= room.x1 || r.y1 <= room.y0 || r.y0 >= room.y1;
        !apart && r.union(bounds) != **r && r.height() > 0.4 * highest && !row.contains(i)
    });
    let hanging = |r: &Rect| {
        let (low, high) = (bounds.y0 - r.y0, r.y1 - bounds.y0);
        low < 0.5 * highest && high > 0.4 * highest && r.height() < 1.5 * highest
    };
    let (below, strange): (Vec<_>, Vec<_>) = others.partition(|(_, r)| hanging(r));
    if strange.len() * 5 > letters.len() || below.len() * 2 > letters.len() {
        return None;
    }
    // A `t` is higher than its neighbours too.
    let capitals = middle.is_some_and(|middle| highest > 1.3 * middle);
    Some(highest / if capitals { CAPITALS } else { LOWER_CASE })
}
