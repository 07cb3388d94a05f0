//! Rectangles of pixels: where they are and what they hold.

use super::sample::{Pixel, Sample};
use kurbo::Rect;

/// A rectangle of whole pixels in the frame: columns `x0..x1`, rows `y0..y1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    /// First column.
    pub(super) x0: i32,
    /// First row.
    pub(super) y0: i32,
    /// One past the last column.
    pub(super) x1: i32,
    /// One past the last row.
    pub(super) y1: i32,
}

impl Area {
    /// Nothing.
    pub(super) const EMPTY: Area = Area { x0: 0, y0: 0, x1: 0, y1: 0 };

    /// From its sides.
    pub(super) fn new(x0: i32, y0: i32, x1: i32, y1: i32) -> Self {
        Area { x0, y0, x1, y1 }
    }

    /// Every pixel that a rectangle touches. Huge, infinite and NaN coordinates are bounded.
    pub(super) fn around(rect: Rect) -> Self {
        // `as` saturates and takes NaN to zero; the margin keeps later sums from overflowing.
        let whole = |v: f64| v.clamp(-1e8, 1e8) as i32;
        Area::new(
            whole(rect.x0.floor()),
            whole(rect.y0.floor()),
            whole(rect.x1.ceil()),
            whole(rect.y1.ceil()),
        )
    }

    /// What both cover.
    #[must_use]
    pub(super) fn intersect(self, other: Area) -> Self {
        let area = Area::new(
            self.x0.max(other.x0),
            self.y0.max(other.y0),
            self.x1.min(other.x1),
            self.y1.min(other.y1),
        );
        if area.is_empty() { Area::EMPTY } else { area }
    }

    /// True when it has no pixel.
    pub(super) fn is_empty(self) -> bool {
        self.x0 >= self.x1 || self.y0 >= self.y1
    }

    /// Columns.
    pub(super) fn width(self) -> usize {
        (self.x1 - self.x0).max(0) as usize
    }

    /// Rows.
    pub(super) fn height(self) -> usize {
        (self.y1 - self.y0).max(0) as usize
    }

    /// Pixels.
    pub(super) fn pixels(self) -> usize {
        self.width() * self.height()
    }

    /// The same size elsewhere.
    #[must_use]
    pub(super) fn shift(self, dx: i32, dy: i32) -> Self {
        Area::new(self.x0 + dx, self.y0 + dy, self.x1 + dx, self.y1 + dy)
    }
}

/// Premultiplied pixels of an area.
#[derive(Debug, Clone)]
pub(super) struct Layer<S> {
    /// Which pixels of the frame.
    pub(super) area: Area,
    /// Row by row.
    pub(super) data: Vec<Pixel<S>>,
}

impl<S: Sample> Layer<S> {
    /// Transparent pixels.
    pub(super) fn new(area: Area) -> Self {
        Layer::filled(area, [S::ZERO; 4])
    }

    /// Pixels of one colour.
    pub(super) fn filled(area: Area, pixel: Pixel<S>) -> Self {
        Layer { area, data: vec![pixel; area.pixels()] }
    }

    /// Pixels of one colour but for those of `taken`, which somebody will set: they hold what the buffer
    /// held.
    pub(super) fn filled_around(
        area: Area,
        pixel: Pixel<S>,
        taken: &[Area],
        mut data: Vec<Pixel<S>>,
    ) -> Self {
        data.resize(area.pixels(), pixel);
        let mut layer = Layer { area, data };
        let mut steps: Vec<i32> = taken.iter().flat_map(|taken| [taken.y0, taken.y1]).collect();
        steps.extend([area.y0, area.y1]);
        steps.retain(|y| (area.y0..=area.y1).contains(y));
        steps.sort_unstable();
        steps.dedup();
        for rows in steps.windows(2) {
            let (top, end) = (rows[0], rows[1]);
            let across = taken.iter().filter(|taken| taken.y0 <= top && end <= taken.y1);
            let mut spans: Vec<(i32, i32)> = across.map(|taken| (taken.x0, taken.x1)).collect();
            spans.sort_unstable();
            spans.push((area.x1, area.x1));
            for y in top..end {
                let mut from = area.x0;
                for (left, right) in &spans {
                    if *left > from {
                        layer.row_mut(y, from, *left).fill(pixel);
                    }
                    from = from.max(*right);
                }
            }
        }
        layer
    }

    /// Columns `x0..x1` of row `y`; they lie inside the area.
    #[inline]
    pub(super) fn row(&self, y: i32, x0: i32, x1: i32) -> &[Pixel<S>] {
        let start = (y - self.area.y0) as usize * self.area.width();
        &self.data[start + (x0 - self.area.x0) as usize..start + (x1 - self.area.x0) as usize]
    }

    /// Columns `x0..x1` of row `y`, to be changed.
    #[inline]
    pub(super) fn row_mut(&mut self, y: i32, x0: i32, x1: i32) -> &mut [Pixel<S>] {
        let start = (y - self.area.y0) as usize * self.area.width();
        &mut self.data[start + (x0 - self.area.x0) as usize..start + (x1 - self.area.x0) as usize]
    }
}

/// 8-bit coverage of an area; nothing outside it is covered.
#[derive(Debug, Clone)]
pub(super) struct Mask {
    /// Which pixels of the frame.
    pub(super) area: Area,
    /// Row by row: 0 uncovered, 255 covered.
    pub(super) data: Vec<u8>,
}

impl Mask {
    /// Columns `x0..x1` of row `y`; they lie inside the area.
    #[inline]
    pub(super) fn row(&self, y: i32, x0: i32, x1: i32) -> &[u8] {
        let start = (y - self.area.y0) as usize * self.area.width();
        &self.data[start + (x0 - self.area.x0) as usize..start + (x1 - self.area.x0) as usize]
    }

    /// Keeps only what the other covers too.
    pub(super) fn multiply(&mut self, other: &Mask) {
        let shared = self.area.intersect(other.area);
        let width = self.area.width();
        for (y, row) in (self.area.y0..).zip(self.data.chunks_exact_mut(width.max(1))) {
            if y < shared.y0 || y >= shared.y1 {
                row.fill(0);
                continue;
            }
            let (left, right) = ((shared.x0 - self.area.x0) as usize, (shared.x1 - self.area.x0) as usize);
            row[..left].fill(0);
            row[right..].fill(0);
            for (mine, theirs) in row[left..right].iter_mut().zip(other.row(y, shared.x0, shared.x1)) {
                *mine = Sample::mul(*mine, *theirs);
            }
        }
    }

    /// True when every pixel is covered.
    pub(super) fn is_full(&self) -> bool {
        self.data.iter().all(|c| *c == 255)
    }
}
