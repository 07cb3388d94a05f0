//! Do outlines cross? Exact on whole numbers, near-linear by a grid of buckets.

use super::fit::bezier;
use kurbo::{BezPath, PathEl, Point};
use std::collections::BTreeMap;

/// Chords that a curve is looked at by.
const CHORDS: usize = 12;
/// Units in a millimetre.
const PER_MM: f64 = 100_000.0;

type Whole = [i64; 2];

/// True where two pieces of any of the closed paths meet, other than neighbours at their joint.
pub(super) fn crosses(paths: &[BezPath]) -> bool {
    let mut pieces: Vec<(Whole, Whole)> = Vec::new();
    for path in paths {
        chords(path, &mut pieces);
    }
    let longest = pieces.iter().map(|(a, b)| (a[0] - b[0]).abs().max((a[1] - b[1]).abs())).max().unwrap_or(1);
    let mean: i64 = pieces.iter().map(|(a, b)| (a[0] - b[0]).abs().max((a[1] - b[1]).abs())).sum::<i64>()
        / (pieces.len() as i64).max(1);
    // Cells so large that most pieces lie in few of them, and long ones not in too many.
    let cell = (mean * 4).max(longest / 64).max(1);
    let mut buckets: BTreeMap<(i64, i64), Vec<u32>> = BTreeMap::new();
    for (i, (a, b)) in pieces.iter().enumerate() {
        let range = |k: usize| (a[k].min(b[k]).div_euclid(cell), a[k].max(b[k]).div_euclid(cell));
        let ((x0, x1), (y0, y1)) = (range(0), range(1));
        for x in x0..=x1 {
            for y in y0..=y1 {
                buckets.entry((x, y)).or_default().push(i as u32);
            }
        }
    }
    buckets.values().any(|bucket| {
        bucket
            .iter()
            .enumerate()
            .any(|(k, i)| bucket[..k].iter().any(|j| meet(pieces[*i as usize], pieces[*j as usize])))
    })
}

/// Appends a path's chords, none of them of no length.
fn chords(path: &BezPath, out: &mut Vec<(Whole, Whole)>) {
    let whole = |p: Point| [p.x, p.y].map(|v| libm::round(v * PER_MM) as i64);
    let (mut start, mut last) = (Point::ZERO, Point::ZERO);
    let mut line = |from: Point, to: Point| {
        let (a, b) = (whole(from), whole(to));
        if a != b {
            out.push((a, b));
        }
    };
    for element in path.elements() {
        match *element {
            PathEl::MoveTo(p) => {
                start = p;
                last = p;
            }
            PathEl::LineTo(p) => {
                line(last, p);
                last = p;
            }
            PathEl::QuadTo(c, p) => {
                let curve = [last, last.lerp(c, 2.0 / 3.0), p.lerp(c, 2.0 / 3.0), p];
                curve_chords(&curve, &mut line);
                last = p;
            }
            PathEl::CurveTo(a, b, p) => {
                curve_chords(&[last, a, b, p], &mut line);
                last = p;
            }
            PathEl::ClosePath => {
                line(last, start);
                last = start;
            }
        }
    }
}

fn curve_chords(curve: &[Point; 4], line: &mut impl FnMut(Point, Point)) {
    let mut from = curve[0];
    for i in 1..=CHORDS {
        let to = if i == CHORDS { curve[3] } else { bezier(curve, i as f64 / CHORDS as f64) };
        line(from, to);
        from = to;
    }
}

/// Twice the area of a triangle, signed: which side of `a` to `b` the point `p` is on.
fn side(a: Whole, b: Whole, p: Whole) -> i128 {
    let d = |u: i64, v: i64| i128::from(u) - i128::from(v);
    d(b[0], a[0]) * d(p[1], a[1]) - d(b[1], a[1]) * d(p[0], a[0])
}

fn meet((a, b): (Whole, Whole), (c, d): (Whole, Whole)) -> bool {
    // Neighbours share a joint; they meet elsewhere only when one folds back over the other.
    let shared = [(a, c), (a, d), (b, c), (b, d)].into_iter().filter(|(p, q)| p == q).count();
    if shared == 2 {
        return true;
    }
    if shared == 1 {
        let (joint, p, q) = if a == c {
            (a, b, d)
        } else if a == d {
            (a, b, c)
        } else if b == c {
            (b, a, d)
        } else {
            (b, a, c)
        };
        let dot = (0..2).map(|k| i128::from(p[k] - joint[k]) * i128::from(q[k] - joint[k])).sum::<i128>();
        return side(joint, p, q) == 0 && dot > 0;
    }
    let (s1, s2) = (side(a, b, c).signum(), side(a, b, d).signum());
    let (s3, s4) = (side(c, d, a).signum(), side(c, d, b).signum());
    if s1 * s2 < 0 && s3 * s4 < 0 {
        return true;
    }
    let within =
        |a: Whole, b: Whole, p: Whole| (0..2).all(|k| a[k].min(b[k]) <= p[k] && p[k] <= a[k].max(b[k]));
    (s1 == 0 && within(a, b, c))
        || (s2 == 0 && within(a, b, d))
        || (s3 == 0 && within(c, d, a))
        || (s4 == 0 && within(c, d, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(svg: &str) -> BezPath {
        BezPath::from_svg(svg).unwrap()
    }

    #[test]
    fn eights_cross_and_rings_do_not() {
        assert!(crosses(&[path("M0 0 L10 10 L10 0 L0 10 Z")]));
        assert!(!crosses(&[path("M0 0 L10 0 L10 10 L0 10 Z")]));
        assert!(!crosses(&[path("M0 0 L10 0 L10 10 L0 10 Z"), path("M2 2 L8 2 L8 8 L2 8 Z")]));
        assert!(crosses(&[path("M0 0 L10 0 L10 10 L0 10 Z"), path("M5 5 L15 5 L15 15 L5 15 Z")]));
        // A curve's own loop.
        assert!(crosses(&[path("M0 0 C30 20 -20 20 10 0 Z")]));
        assert!(!crosses(&[path("M0 0 C3 20 7 20 10 0 Z")]));
    }
}
