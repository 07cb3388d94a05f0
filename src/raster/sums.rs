//! The signed areas of an outline's edges, row by row, and which columns they lie in.

use super::layer::Area;
use super::outline::Outline;
use std::ops::Range;

/// No column: it joins with any as that one alone.
const UNTOUCHED: Range<usize> = Range { start: usize::MAX, end: 0 };

/// Room for sums.
#[derive(Default)]
pub(super) struct Sums {
    /// All of them zero while nobody uses them.
    values: Vec<f32>,
    /// Of each row, the columns that edges have added to: all others hold zero.
    touched: Vec<Range<usize>>,
}

impl Sums {
    /// No room yet.
    pub(super) const NONE: Sums = Sums { values: Vec::new(), touched: Vec::new() };

    /// As many rows of as many columns, all of them zero.
    pub(super) fn rows(&mut self, stride: usize, area: Area) -> Rows<'_> {
        let size = stride * area.height();
        if self.values.len() < size {
            self.values.resize(size, 0.0);
        }
        self.touched.clear();
        self.touched.resize(area.height(), UNTOUCHED);
        Rows { sums: &mut self.values[..size], touched: &mut self.touched, stride, area }
    }
}

/// Adds all of an outline's edges to rows of zeros.
pub(super) fn summed<'a>(outline: &Outline, mut rows: Rows<'a>) -> Rows<'a> {
    let mut begin = 0;
    for end in &outline.ends {
        let polygon = &outline.points[begin..*end as usize];
        begin = *end as usize;
        let mut from = polygon[polygon.len() - 1];
        for to in polygon {
            rows.edge(from, *to);
            from = *to;
        }
    }
    rows
}

/// Rows that edges are added to.
pub(super) struct Rows<'a> {
    /// Row after row.
    pub(super) sums: &'a mut [f32],
    /// Of each row, the columns that edges have added to.
    pub(super) touched: &'a mut [Range<usize>],
    stride: usize,
    area: Area,
}

impl Rows<'_> {
    fn edge(&mut self, from: [f32; 2], to: [f32; 2]) {
        if from[1] == to[1] {
            return;
        }
        let (direction, top, bottom) = if from[1] < to[1] { (1.0, from, to) } else { (-1.0, to, from) };
        let first = (top[1].floor() as i32).max(self.area.y0);
        let last = (bottom[1].ceil() as i32).min(self.area.y1);
        if first >= last {
            return;
        }
        let slope = (bottom[0] - top[0]) / (bottom[1] - top[1]);
        for y in first..last {
            let start = top[1].max(y as f32);
            let end = bottom[1].min((y + 1) as f32);
            let height = end - start;
            if height <= 0.0 {
                continue;
            }
            // From the edge's own end, not from the row above: a band's rows equal the whole's.
            let x0 = if start == top[1] { top[0] } else { top[0] + (start - top[1]) * slope };
            let x1 = if end == bottom[1] { bottom[0] } else { top[0] + (end - top[1]) * slope };
            self.span(y, x0, x1, direction * height);
        }
    }

    /// Adds an edge that crosses row `y` between two columns, with its signed height.
    fn span(&mut self, y: i32, x0: f32, x1: f32, height: f32) {
        let row = (y - self.area.y0) as usize;
        let touched = &mut self.touched[row];
        let mut touch = |columns: Range<usize>| {
            *touched = touched.start.min(columns.start)..touched.end.max(columns.end);
        };
        let sums = &mut self.sums[row * self.stride..(row + 1) * self.stride];
        let width = (self.area.x1 - self.area.x0) as f32;
        let (mut lo, mut hi) = if x0 < x1 { (x0, x1) } else { (x1, x0) };
        lo -= self.area.x0 as f32;
        hi -= self.area.x0 as f32;
        let mut height = height;
        if hi <= 0.0 {
            touch(0..1);
            sums[0] += height;
            return;
        }
        if lo >= width {
            return;
        }
        let run = hi - lo;
        if lo < 0.0 {
            let outside = height * (-lo / run);
            sums[0] += outside;
            height -= outside;
            lo = 0.0;
        }
        if hi > width {
            let visible = (width - lo) / (hi - lo);
            height *= visible;
            hi = width;
        }
        let left = lo.floor();
        let first = left as usize;
        let right = hi.ceil();
        let end = right as usize;
        touch(first..(end + 1).max(first + 2));
        if end <= first + 1 {
            // Within one pixel: a trapezoid.
            let middle = 0.5 * (lo + hi) - left;
            sums[first] += height - height * middle;
            sums[first + 1] += height * middle;
            return;
        }
        // Across pixels: a triangle in the first and the last, even steps between.
        let step = 1.0 / (hi - lo);
        let enter = 1.0 - (lo - left);
        let leave = hi - right + 1.0;
        let head = 0.5 * step * enter * enter;
        let tail = 0.5 * step * leave * leave;
        sums[first] += height * head;
        if end == first + 2 {
            sums[first + 1] += height * (1.0 - head - tail);
        } else {
            let second = step * (enter + 0.5);
            sums[first + 1] += height * (second - head);
            for sum in &mut sums[first + 2..end - 1] {
                *sum += height * step;
            }
            let before_last = second + (end - first - 3) as f32 * step;
            sums[end - 1] += height * (1.0 - before_last - tail);
        }
        sums[end] += height * tail;
    }
}
