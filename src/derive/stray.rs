//! What a finished contour gets wrong: art that it leaves outside, and a line that is not on the page.

use super::region::{Region, area};
use crate::catalog::plates::Contour;
use crate::error::Violation;
use kurbo::{Point, Rect};
use std::sync::Arc;

/// How far art may stand out of its contour, in millimetres.
const SLACK: f64 = 0.1;
/// Smaller pieces are specks, in square millimetres.
const SPECK: f64 = 0.03;
/// How far a line may leave the page, in millimetres.
const OFF: f64 = 0.01;

/// A contour that does not do what it is for.
#[derive(Debug, Clone, PartialEq)]
pub struct Stray {
    /// The surface it is on.
    pub surface: Arc<str>,
    /// Its plate.
    pub plate: Arc<str>,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a contour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// Art lies outside the line.
    LeavesArt {
        /// How many pieces.
        count: u32,
        /// The largest of them, in the surface's millimetres.
        place: Rect,
    },
    /// The line runs outside the bleed, where nothing is drawn.
    OffPage {
        /// Where the line runs.
        place: Rect,
    },
}

/// Art that lies outside the contour traced from it. What the profile asks to be lost is none: what a
/// negative offset cuts off, and points blunted to the least radius, down to right angles.
pub(super) fn leaves_art(art: &Region, line: &Region, spec: &Contour) -> Result<Option<Fault>, Violation> {
    use std::f64::consts::SQRT_2;
    let (blunted, inwards) = (spec.min_radius * (SQRT_2 - 1.0), (-spec.offset).max(0.0) * SQRT_2);
    let kept = line.grown(SLACK + blunted + inwards)?;
    let mut pieces: Vec<(f64, Rect)> = Vec::new();
    for piece in art.without(&kept).pieces() {
        let size = piece.iter().map(|ring| area(ring)).sum::<f64>().abs();
        if size >= SPECK {
            pieces.push((size, around(&piece)));
        }
    }
    let largest = pieces.iter().copied().reduce(|a, b| if b.0 > a.0 { b } else { a });
    Ok(largest.map(|(_, place)| Fault::LeavesArt { count: pieces.len() as u32, place }))
}

/// A line that leaves the page, which ends where the bleed does.
pub(super) fn off_page(line: &Region, bleed: Rect) -> Option<Fault> {
    if line.is_empty() {
        return None;
    }
    let place = around(&line.rings());
    let page = bleed.inflate(OFF, OFF);
    (page.union(place) != page).then_some(Fault::OffPage { place })
}

fn around(rings: &[Vec<Point>]) -> Rect {
    let points = rings.iter().flatten().map(|p| Rect::from_points(*p, *p));
    points.reduce(|a, b| a.union(b)).unwrap_or_default()
}
