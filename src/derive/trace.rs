//! Contours of a coverage picture: rows go in from top to bottom, closed polygons come out.
//!
//! Marching squares on the centres of pixels. Where an edge is anti-aliased the contour runs
//! between pixels, in proportion to their coverage. Two rows and the contours that are still
//! open are all that is held; a contour that closes is simplified and set aside. Beyond the
//! picture nothing is covered, so every contour closes.

use super::simplify::simplify;
use crate::error::{Code, Violation};
use kurbo::Point;
use std::collections::VecDeque;

/// Most corners of all contours of a surface, open and closed (16 bytes each).
const MAX_POINTS: usize = 4_000_000;
/// Furthest a simplified contour may leave the traced one, in pixels.
const SIMPLIFY_PX: f64 = 0.1;

/// Where an open end hangs that leaves the cell to the right.
const RIGHT: usize = usize::MAX;

/// A contour that has not closed yet, and the cell edges its two ends wait at.
struct Open {
    points: VecDeque<Point>,
    head_at: usize,
    tail_at: usize,
}

/// A picture under way.
pub(super) struct Tracer {
    width: usize,
    /// Coverage at which a contour runs; between two values, so that no pixel is on it.
    level: f64,
    above: Vec<u8>,
    next_row: u32,
    open: Vec<Option<Open>>,
    free: Vec<usize>,
    /// The chain that waits at each horizontal edge of the last row.
    waiting: Vec<Option<usize>>,
    closed: Vec<Vec<Point>>,
    points: usize,
}

impl Tracer {
    /// For rows of so many pixels. What is at or above `threshold` (1 to 255) is inside.
    pub(super) fn new(width: usize, threshold: u8) -> Self {
        Tracer {
            width,
            level: f64::from(threshold.max(1)) - 0.5,
            above: vec![0; width],
            next_row: 0,
            open: Vec::new(),
            free: Vec::new(),
            waiting: vec![None; width + 1],
            closed: Vec::new(),
            points: 0,
        }
    }

    /// Takes the next row.
    ///
    /// # Errors
    /// `svg.too_complex` for more contours than fit the budget.
    pub(super) fn row(&mut self, row: &[u8]) -> Result<(), Violation> {
        let above = std::mem::take(&mut self.above);
        let level = self.level;
        let inside = |coverage: u8| f64::from(coverage) > level;
        // Cells whose corners are all inside or all outside have no contour.
        let mut carried = None;
        let (mut tl, mut bl) = (0, 0);
        for x in 0..=self.width {
            let (tr, br) = if x < self.width { (above[x], row[x]) } else { (0, 0) };
            let case = u8::from(inside(tl))
                | u8::from(inside(tr)) << 1
                | u8::from(inside(br)) << 2
                | u8::from(inside(bl)) << 3;
            if case != 0 && case != 15 {
                self.cell(x, case, [tl, tr, br, bl], &mut carried);
            }
            (tl, bl) = (tr, br);
        }
        self.above = above;
        self.above.copy_from_slice(row);
        self.next_row += 1;
        if self.points > MAX_POINTS {
            return Err(Violation::new(
                Code::SvgTooComplex,
                format!(
                    "the art's outline has more than {MAX_POINTS} corners; \
                     a cut or a white underbase traced from it needs calmer edges"
                ),
            )
            .limit(MAX_POINTS as u64));
        }
        Ok(())
    }

    /// Ends the picture; gives the contours in pixels. The covered side is where the normal
    /// (-dy, dx) of every step points.
    pub(super) fn finish(mut self) -> Result<Vec<Vec<Point>>, Violation> {
        self.row(&vec![0; self.width])?;
        if self.open.iter().any(Option::is_some) {
            return Err(Violation::new(Code::InternalError, "a contour did not close; please report it"));
        }
        Ok(self.closed)
    }

    fn cell(&mut self, x: usize, case: u8, corners: [u8; 4], carried: &mut Option<usize>) {
        use Edge::{Bottom, Left, Right, Top};
        let [tl, tr, br, bl] = corners.map(f64::from);
        let filled = (tl + tr + br + bl) / 4.0 > self.level;
        let steps: [Option<(Edge, Edge)>; 2] = match case {
            1 => [Some((Top, Left)), None],
            2 => [Some((Right, Top)), None],
            3 => [Some((Right, Left)), None],
            4 => [Some((Bottom, Right)), None],
            5 if filled => [Some((Top, Right)), Some((Bottom, Left))],
            5 => [Some((Top, Left)), Some((Bottom, Right))],
            6 => [Some((Bottom, Top)), None],
            7 => [Some((Bottom, Left)), None],
            8 => [Some((Left, Bottom)), None],
            9 => [Some((Top, Bottom)), None],
            10 if filled => [Some((Left, Top)), Some((Right, Bottom))],
            10 => [Some((Right, Top)), Some((Left, Bottom))],
            11 => [Some((Right, Bottom)), None],
            12 => [Some((Left, Right)), None],
            13 => [Some((Top, Right)), None],
            14 => [Some((Left, Top)), None],
            _ => [None, None],
        };
        // The cell's left column and upper row of pixel centres.
        let (left, top) = (x as f64 - 0.5, f64::from(self.next_row) - 0.5);
        let level = self.level;
        let at = |edge: Edge| {
            let between = |a: f64, b: f64| (level - a) / (b - a);
            match edge {
                Top => Point::new(left + between(tl, tr), top),
                Bottom => Point::new(left + between(bl, br), top + 1.0),
                Left => Point::new(left, top + between(tl, bl)),
                Right => Point::new(left + 1.0, top + between(tr, br)),
            }
        };
        // Ends that came from the cells before; both steps may need them before any is replaced.
        let mut from_left = carried.take();
        let mut from_above = self.waiting[x].take();
        for (from, to) in steps.into_iter().flatten() {
            let before = match from {
                Left => from_left.take(),
                Top => from_above.take(),
                Right | Bottom => None,
            };
            let after = match to {
                Left => from_left.take(),
                Top => from_above.take(),
                Right | Bottom => None,
            };
            let slot = |edge: Edge| if edge == Right { RIGHT } else { x };
            match (before, after) {
                (Some(before), Some(after)) => self.join(before, after),
                (Some(chain), None) => {
                    self.points += 1;
                    if let Some(open) = &mut self.open[chain] {
                        open.points.push_back(at(to));
                        open.tail_at = slot(to);
                    }
                    self.wait(to, x, chain, carried);
                }
                (None, Some(chain)) => {
                    self.points += 1;
                    if let Some(open) = &mut self.open[chain] {
                        open.points.push_front(at(from));
                        open.head_at = slot(from);
                    }
                    self.wait(from, x, chain, carried);
                }
                (None, None) => {
                    self.points += 2;
                    let points = VecDeque::from([at(from), at(to)]);
                    let open = Open { points, head_at: slot(from), tail_at: slot(to) };
                    let chain = match self.free.pop() {
                        Some(chain) => {
                            self.open[chain] = Some(open);
                            chain
                        }
                        None => {
                            self.open.push(Some(open));
                            self.open.len() - 1
                        }
                    };
                    self.wait(from, x, chain, carried);
                    self.wait(to, x, chain, carried);
                }
            }
        }
    }

    fn wait(&mut self, edge: Edge, x: usize, chain: usize, carried: &mut Option<usize>) {
        match edge {
            Edge::Right => *carried = Some(chain),
            Edge::Bottom => self.waiting[x] = Some(chain),
            Edge::Left | Edge::Top => {}
        }
    }

    /// The end of one chain meets the beginning of another, or its own.
    fn join(&mut self, before: usize, after: usize) {
        if before == after {
            if let Some(open) = self.open[before].take() {
                self.free.push(before);
                self.points -= open.points.len();
                let closed = simplify(&Vec::from(open.points), SIMPLIFY_PX);
                self.points += closed.len();
                if closed.len() >= 3 {
                    self.closed.push(closed);
                }
            }
            return;
        }
        let (Some(mut first), Some(mut second)) = (self.open[before].take(), self.open[after].take()) else {
            return;
        };
        // The longer one stays where it is.
        let keep_first = first.points.len() >= second.points.len();
        let kept = if keep_first {
            first.points.extend(second.points);
            first.tail_at = second.tail_at;
            first
        } else {
            while let Some(p) = first.points.pop_back() {
                second.points.push_front(p);
            }
            second.head_at = first.head_at;
            second
        };
        let (stays, goes) = if keep_first { (before, after) } else { (after, before) };
        // The end that came with the other chain now waits under this one's number.
        let moved = if keep_first { kept.tail_at } else { kept.head_at };
        if moved != RIGHT && self.waiting[moved] == Some(goes) {
            self.waiting[moved] = Some(stays);
        }
        self.open[stays] = Some(kept);
        self.free.push(goes);
    }
}

/// An edge of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    Left,
    Top,
    Right,
    Bottom,
}
