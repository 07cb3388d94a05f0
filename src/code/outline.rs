//! The edge of all dark modules.
//!
//! Modules painted one by one show hairline seams where an anti-aliased renderer meets their
//! shared edges. Tracing the edge of the dark area instead leaves no shared edges.

use super::Modules;
use kurbo::BezPath;
use std::collections::BTreeMap;

/// A corner of modules: row, then column.
type Corner = (i64, i64);

/// Closed outlines of the dark area, shifted by the quiet zone. Outer edges run clockwise and
/// the edges of holes the other way, so both fill rules paint the same.
pub(super) fn trace(modules: &Modules, left: u32, top: u32) -> BezPath {
    let mut edges = edges(modules);
    let mut path = BezPath::new();
    while let Some((&start, _)) = edges.first_key_value() {
        let corners = corners(&mut edges, start);
        let point =
            |corner: &Corner| ((corner.1 + i64::from(left)) as f64, (corner.0 + i64::from(top)) as f64);
        let mut points = corners.iter().map(point);
        if let Some(first) = points.next() {
            path.move_to(first);
            points.for_each(|p| path.line_to(p));
            path.close_path();
        }
    }
    path
}

/// Unit edges between dark and light by the corner they start from, each with the dark module on its right.
fn edges(modules: &Modules) -> BTreeMap<Corner, Vec<Corner>> {
    let mut edges: BTreeMap<Corner, Vec<Corner>> = BTreeMap::new();
    for y in 0..i64::from(modules.height) {
        for x in (0..i64::from(modules.width)).filter(|x| modules.is_dark(*x, y)) {
            let sides = [
                (modules.is_dark(x, y - 1), (y, x), (y, x + 1)),
                (modules.is_dark(x + 1, y), (y, x + 1), (y + 1, x + 1)),
                (modules.is_dark(x, y + 1), (y + 1, x + 1), (y + 1, x)),
                (modules.is_dark(x - 1, y), (y + 1, x), (y, x)),
            ];
            for (_, from, to) in sides.into_iter().filter(|(shared, _, _)| !shared) {
                edges.entry(from).or_default().push(to);
            }
        }
    }
    edges
}

/// Follows one outline and takes its edges out of the map; gives the corners where it turns.
fn corners(edges: &mut BTreeMap<Corner, Vec<Corner>>, start: Corner) -> Vec<Corner> {
    let mut out = Vec::new();
    let mut at = start;
    let mut heading: Option<Corner> = None;
    while let Some(next) = take(edges, at, heading) {
        let turned = (next.0 - at.0, next.1 - at.1);
        if heading != Some(turned) {
            out.push(at);
        }
        heading = Some(turned);
        at = next;
        if at == start {
            break;
        }
    }
    out
}

/// The edge to follow from a corner. Where two dark modules touch by their corners only, two
/// edges leave it; the right turn stays with the same module.
fn take(edges: &mut BTreeMap<Corner, Vec<Corner>>, at: Corner, heading: Option<Corner>) -> Option<Corner> {
    let ways = edges.get_mut(&at)?;
    let right = heading.map(|(dy, dx)| (at.0 + dx, at.1 - dy));
    let choice = ways.iter().position(|way| Some(*way) == right).unwrap_or(0);
    let next = ways.swap_remove(choice);
    if ways.is_empty() {
        edges.remove(&at);
    }
    Some(next)
}
