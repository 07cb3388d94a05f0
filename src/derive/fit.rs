//! Smooth curves through a polygon: cubic Béziers by least squares, corner to corner.
//!
//! A closed ring is cut at its corners. Between them curves are fitted to evenly spaced points;
//! where the fit is too far off it is cut in two, with one tangent on both sides of the cut, so
//! that the curve stays smooth. Sums, products and square roots only.

use kurbo::{BezPath, Point, Vec2};

/// Cosine of the turn from which a vertex is a corner (35°).
const CORNER: f64 = 0.819;
/// Points of a long straight stretch stand at most this far apart, in tolerances.
const SPACING: f64 = 12.0;
/// Most points of one ring.
const MOST_POINTS: f64 = 40_000.0;
/// How often a fit's parameters are improved before it is cut in two.
const ROUNDS: usize = 6;

/// A closed ring as smooth curves that stay within `tolerance` of it; closed.
pub(super) fn smooth(ring: &[Point], tolerance: f64) -> BezPath {
    let mut path = BezPath::new();
    let n = ring.len();
    if n < 3 {
        return path;
    }
    let direction = |i: usize| unit(ring[(i + 1) % n] - ring[i % n]);
    let corners: Vec<usize> = (0..n).filter(|i| direction(i + n - 1).dot(direction(*i)) < CORNER).collect();
    let start = corners.first().copied().unwrap_or(0);
    path.move_to(ring[start]);
    let perimeter: f64 = (0..n).map(|i| (ring[(i + 1) % n] - ring[i]).hypot()).sum();
    let spacing = (tolerance * SPACING).max(perimeter / MOST_POINTS);
    if corners.is_empty() {
        let points = spaced((0..=n).map(|i| ring[i % n]), spacing);
        // One tangent where the ring meets itself.
        let tangent = unit(direction(n - 1) + direction(0));
        fit(&points, tangent, -tangent, tolerance, &mut path);
    } else {
        for (i, from) in corners.iter().enumerate() {
            let to = corners.get(i + 1).copied().unwrap_or(start + n);
            if to - from == 1 {
                path.line_to(ring[to % n]);
                continue;
            }
            let points = spaced((*from..=to).map(|i| ring[i % n]), spacing);
            fit(&points, direction(*from), -direction(to + n - 1), tolerance, &mut path);
        }
    }
    path.close_path();
    path
}

/// The ring itself, closed.
pub(super) fn polygon(ring: &[Point]) -> BezPath {
    let mut path = BezPath::new();
    let mut points = ring.iter();
    if let Some(first) = points.next() {
        path.move_to(*first);
        points.for_each(|p| path.line_to(*p));
        path.close_path();
    }
    path
}

/// Points with more between them where they stand far apart.
fn spaced(points: impl Iterator<Item = Point>, spacing: f64) -> Vec<Point> {
    let mut out: Vec<Point> = Vec::new();
    for p in points {
        if let Some(last) = out.last().copied() {
            let steps = libm::ceil((p - last).hypot() / spacing).max(1.0) as usize;
            out.extend((1..steps).map(|i| last.lerp(p, i as f64 / steps as f64)));
        }
        out.push(p);
    }
    out
}

fn fit(points: &[Point], from: Vec2, to: Vec2, tolerance: f64, out: &mut BezPath) {
    // An own stack: long contours would go deep. The later piece waits.
    let mut pieces = vec![(0, points.len() - 1, from, to)];
    while let Some((first, last, from, to)) = pieces.pop() {
        let part = &points[first..=last];
        match fit_one(part, from, to, tolerance) {
            Ok([_, a, b, end]) => out.curve_to(a, b, end),
            Err(worst) => {
                let cut = first + worst;
                // Across two neighbours on each side, so that one noisy point does not turn it.
                let (before, after) = (cut.saturating_sub(2).max(first), (cut + 2).min(last));
                let tangent = unit(points[before] - points[after]);
                pieces.push((cut, last, -tangent, to));
                pieces.push((first, cut, from, tangent));
            }
        }
    }
}

/// One curve, or where it is furthest off.
fn fit_one(points: &[Point], from: Vec2, to: Vec2, tolerance: f64) -> Result<[Point; 4], usize> {
    let (first, last) = (points[0], points[points.len() - 1]);
    if points.len() <= 3 {
        let third = (last - first).hypot() / 3.0;
        if points.len() == 2 {
            return Ok([first, first + from * third, last + to * third, last]);
        }
    }
    let mut at = parameters(points);
    let mut worst = points.len() / 2;
    for _ in 0..ROUNDS {
        let curve = least_squares(points, &at, from, to);
        let off = |i: usize| (bezier(&curve, at[i]) - points[i]).hypot2();
        let furthest = (1..points.len() - 1).max_by(|a, b| off(*a).total_cmp(&off(*b)).then(b.cmp(a)));
        worst = furthest.unwrap_or(worst);
        let error = off(worst);
        if error <= tolerance * tolerance {
            return Ok(curve);
        }
        if error > tolerance * tolerance * 64.0 {
            break;
        }
        for (i, t) in at.iter_mut().enumerate().skip(1) {
            *t = improved(&curve, points[i], *t);
        }
        // Parameters have to rise.
        if at.windows(2).any(|pair| pair[1] <= pair[0]) {
            break;
        }
    }
    Err(worst.clamp(1, points.len() - 2))
}

/// How far along each point lies, by the length of the chords.
fn parameters(points: &[Point]) -> Vec<f64> {
    let mut at = Vec::with_capacity(points.len());
    let mut length = 0.0;
    let mut before = points[0];
    for p in points {
        length += (*p - before).hypot();
        at.push(length);
        before = *p;
    }
    at.iter_mut().for_each(|t| *t /= length.max(1e-12));
    at
}

/// The curve with these end tangents that is nearest to the points, taken at these parameters.
fn least_squares(points: &[Point], at: &[f64], from: Vec2, to: Vec2) -> [Point; 4] {
    let (first, last) = (points[0], points[points.len() - 1]);
    let (mut c00, mut c01, mut c11, mut x0, mut x1) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (p, t) in points.iter().zip(at) {
        let s = 1.0 - t;
        let (b0, b1, b2, b3) = (s * s * s, 3.0 * s * s * t, 3.0 * s * t * t, t * t * t);
        let (a0, a1) = (from * b1, to * b2);
        c00 += a0.dot(a0);
        c01 += a0.dot(a1);
        c11 += a1.dot(a1);
        let rest = *p - (first.to_vec2() * (b0 + b1) + last.to_vec2() * (b2 + b3)).to_point();
        x0 += a0.dot(rest);
        x1 += a1.dot(rest);
    }
    let determinant = c00 * c11 - c01 * c01;
    let chord = (last - first).hypot();
    let (mut before, mut after) = (chord / 3.0, chord / 3.0);
    if determinant.abs() > 1e-12 * c00.max(c11).max(1e-12) {
        let (a, b) = ((x0 * c11 - x1 * c01) / determinant, (c00 * x1 - c01 * x0) / determinant);
        // Handles that point backwards, or are far longer than the stretch, make loops.
        let length: f64 = points.windows(2).map(|pair| (pair[1] - pair[0]).hypot()).sum();
        if a > 1e-6 * chord && b > 1e-6 * chord && a < length && b < length {
            (before, after) = (a, b);
        }
    }
    [first, first + from * before, last + to * after, last]
}

pub(super) fn bezier(curve: &[Point; 4], t: f64) -> Point {
    let s = 1.0 - t;
    let [a, b, c, d] = curve.map(Point::to_vec2);
    (a * (s * s * s) + b * (3.0 * s * s * t) + c * (3.0 * s * t * t) + d * (t * t * t)).to_point()
}

/// A parameter moved towards the curve's nearest place to a point, by one step of Newton's.
fn improved(curve: &[Point; 4], p: Point, t: f64) -> f64 {
    let s = 1.0 - t;
    let [a, b, c, d] = *curve;
    let first = (b - a) * (3.0 * s * s) + (c - b) * (6.0 * s * t) + (d - c) * (3.0 * t * t);
    let second = ((c - b) - (b - a)) * (6.0 * s) + ((d - c) - (c - b)) * (6.0 * t);
    let off = bezier(curve, t) - p;
    let slope = first.dot(first) + off.dot(second);
    if slope.abs() < 1e-12 { t } else { (t - off.dot(first) / slope).clamp(0.0, 1.0) }
}

fn unit(v: Vec2) -> Vec2 {
    let length = libm::sqrt(v.dot(v));
    if length > 0.0 { v / length } else { Vec2::ZERO }
}
