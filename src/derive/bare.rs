//! Inked objects that are left without white: strokes thinner than twice the choke, and art that is fainter
//! than the threshold.
//!
//! The art's alpha and the choked rows come in side by side and are taken apart into what hangs
//! together, row by row: only what the last row touches is held. An object that is a good deal
//! covered somewhere and has next to no white anywhere is bare: on a dark garment it all but disappears.

use super::alpha::{choked_rows, level};
use super::coverage;
use crate::asset::Limits;
use crate::catalog::plates::Underbase;
use crate::control::Control;
use crate::error::Violation;
use crate::raster::Frame;
use crate::scene::{Dpi, Placement, Surface};
use kurbo::Rect;

/// Finer than this it need not be looked for.
const FINE: f64 = 300.0;
/// From this alpha on something is inked.
const INKED: u8 = 128;
/// The same where white has a threshold: art in between has none of it. Fainter art is hardly seen anywhere.
const FAINT: u8 = 51;
/// So much white in one place is enough.
const WHITE: u8 = 64;
/// Smaller objects are specks, in square millimetres.
const SPECK: f64 = 0.03;

/// What a surface has without white beneath it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bare {
    /// How many objects.
    pub count: u32,
    /// The largest of them, in the surface's millimetres.
    pub place: Rect,
    /// That one is fainter all over than the threshold.
    pub faint: bool,
}

/// Looks for objects that the underbase of `spec` leaves bare, at 300 dpi at most; `None` where
/// there are none, or white follows the art as it is.
///
/// # Errors
/// As painting.
pub fn bare(
    surface: &Surface,
    spec: &Underbase,
    dpi: Dpi,
    limits: &Limits,
    control: Control<'_>,
) -> Result<Option<Bare>, Violation> {
    let Some(coverage) = coverage(surface, spec) else { return Ok(None) };
    if spec.choke <= spec.spread && coverage.threshold.is_none() {
        return Ok(None);
    }
    let threshold = coverage.threshold.map_or(0, |threshold| level(f64::from(threshold)));
    let frame = Frame::of(coverage.area, Dpi::new(dpi.get().min(FINE)), Placement::default());
    let speck = SPECK * frame.dpi.per_mm() * frame.dpi.per_mm();
    let inked = if threshold > FAINT { FAINT } else { INKED };
    let mut objects = Objects { speck: speck as u64, ..Objects::new(inked) };
    choked_rows(&coverage, &frame, limits, control, |alpha, white| {
        objects.row(alpha, white);
        Ok(())
    })?;
    // An empty row ends everything.
    objects.row(&[], &[]);
    let to_mm = frame.matrix.inverse();
    Ok(objects.largest.map(|object| Bare {
        count: objects.count,
        place: to_mm.transform_rect_bbox(object.bounds),
        faint: object.alpha < threshold,
    }))
}

/// What hangs together so far.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Object {
    /// In pixels.
    bounds: Rect,
    pixels: u64,
    /// How opaque it is where it is the most.
    alpha: u8,
    /// The most white beneath it.
    white: u8,
}

impl Object {
    fn and(self, other: Object) -> Object {
        Object {
            bounds: self.bounds.union(other.bounds),
            pixels: self.pixels + other.pixels,
            alpha: self.alpha.max(other.alpha),
            white: self.white.max(other.white),
        }
    }
}

/// Objects under way.
#[derive(Debug)]
struct Objects {
    /// From this alpha on something is inked.
    inked: u8,
    /// Smaller ones do not count, in pixels.
    speck: u64,
    rows: u32,
    /// The last row's runs of ink, from the first column to the one after the last, and the object of each.
    runs: Vec<(usize, usize, usize)>,
    open: Vec<Object>,
    count: u32,
    largest: Option<Object>,
}

impl Objects {
    fn new(inked: u8) -> Self {
        let (runs, open) = (Vec::new(), Vec::new());
        Objects { inked, speck: 0, rows: 0, runs, open, count: 0, largest: None }
    }

    /// Takes the next row.
    fn row(&mut self, alpha: &[u8], white: &[u8]) {
        let (old, y) = (self.open.len(), f64::from(self.rows));
        let mut runs = Vec::new();
        let mut x = 0;
        while let Some(skipped) = alpha[x..].iter().position(|a| *a >= self.inked) {
            let first = x + skipped;
            x = first + alpha[first..].iter().take_while(|a| **a >= self.inked).count();
            let most = |row: &[u8]| row[first..x].iter().copied().max().unwrap_or(0);
            let bounds = Rect::new(first as f64, y, x as f64, y + 1.0);
            let pixels = (x - first) as u64;
            self.open.push(Object { bounds, pixels, alpha: most(alpha), white: most(white) });
            runs.push((first, x, old + runs.len()));
        }
        self.rows += 1;
        // Each object's number leads to that of the object it belongs to, in the end to itself.
        let mut belongs: Vec<usize> = (0..self.open.len()).collect();
        let mut from = 0;
        for (first, end, object) in &runs {
            // Corners that touch hang together.
            while self.runs.get(from).is_some_and(|(_, past, _)| past < first) {
                from += 1;
            }
            for (_, _, above) in self.runs[from..].iter().take_while(|(begins, ..)| begins <= end) {
                let (a, b) = (root(&mut belongs, *above), root(&mut belongs, *object));
                belongs[a.min(b)] = a.max(b);
            }
        }
        // The latest number of each is its root, so that an old root is an object that ends here.
        let mut merged = std::mem::take(&mut self.open);
        for i in 0..merged.len() {
            let to = root(&mut belongs, i);
            if to != i {
                merged[to] = merged[to].and(merged[i]);
            }
        }
        let mut numbers = vec![usize::MAX; merged.len()];
        for (i, object) in merged.iter().enumerate().filter(|(i, _)| belongs[*i] == *i) {
            if i < old {
                self.end(*object);
            } else {
                numbers[i] = self.open.len();
                self.open.push(*object);
            }
        }
        runs.iter_mut().for_each(|(_, _, object)| *object = numbers[root(&mut belongs, *object)]);
        self.runs = runs;
    }

    fn end(&mut self, object: Object) {
        if object.white >= WHITE || object.pixels < self.speck {
            return;
        }
        self.count = self.count.saturating_add(1);
        if self.largest.is_none_or(|largest| object.pixels > largest.pixels) {
            self.largest = Some(object);
        }
    }
}

/// Where a chain of numbers ends; the chain is shortened on the way.
fn root(belongs: &mut [usize], mut number: usize) -> usize {
    while belongs[number] != number {
        belongs[number] = belongs[belongs[number]];
        number = belongs[number];
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Objects of a picture: `#` is ink with white, `o` ink without.
    fn objects(picture: &[&str]) -> (u32, Option<Rect>) {
        let mut objects = Objects::new(INKED);
        for line in picture {
            let alpha: Vec<u8> = line.bytes().map(|c| if c == b'.' { 100 } else { 255 }).collect();
            let white: Vec<u8> = line.bytes().map(|c| if c == b'#' { 200 } else { 20 }).collect();
            objects.row(&alpha, &white);
        }
        objects.row(&[], &[]);
        assert!(objects.open.is_empty() && objects.runs.is_empty());
        (objects.count, objects.largest.map(|object| object.bounds))
    }

    #[test]
    fn what_hangs_together_is_one_object() {
        let ring = ["ooooo", "o...o", "o.o.o", "o...o", "ooooo"];
        assert_eq!(objects(&ring), (2, Some(Rect::new(0.0, 0.0, 5.0, 5.0))));
        let fork = ["o.o.o", "o.o.o", "ooooo", "..o.."];
        assert_eq!(objects(&fork), (1, Some(Rect::new(0.0, 0.0, 5.0, 4.0))));
        assert_eq!(objects(&["o..", ".o.", "..o"]).0, 1, "corners touch");
        assert_eq!(objects(&["o.o", "...", "o.o"]).0, 4);
    }

    #[test]
    fn white_anywhere_beneath_an_object_is_enough() {
        assert_eq!(objects(&["oo.oo", "o...o", "oo#.o", "....o"]).0, 1);
        assert_eq!(objects(&["o.o.o", "o.o.#", "ooooo"]).0, 0);
        assert_eq!(objects(&["#", "o", "o"]).0, 0);
    }
}
