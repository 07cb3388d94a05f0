//! Fewer corners: Douglas and Peucker's rule on closed polygons.

use kurbo::Point;

/// A closed polygon with the corners that are needed to stay within `tolerance` of the given one.
/// What is left may have fewer than three corners, and then encloses nothing worth keeping.
pub(super) fn simplify(polygon: &[Point], tolerance: f64) -> Vec<Point> {
    let Some(first) = polygon.first() else { return Vec::new() };
    // The corner furthest from the first: the two split the ring in halves.
    let far = (0..polygon.len()).max_by(|a, b| {
        let distance = |i: usize| (polygon[i] - *first).hypot2();
        distance(*a).total_cmp(&distance(*b)).then(b.cmp(a))
    });
    let far = far.unwrap_or(0);
    if far == 0 {
        return vec![*first];
    }
    let at = |i: usize| polygon[i % polygon.len()];
    let mut keep = vec![false; polygon.len()];
    keep[0] = true;
    keep[far] = true;
    let mut spans = vec![(0, far), (far, polygon.len())];
    while let Some((from, to)) = spans.pop() {
        let (a, b) = (at(from), at(to));
        let mut worst = (tolerance * tolerance, None);
        for i in from + 1..to {
            let distance = distance2(at(i), a, b);
            if distance > worst.0 {
                worst = (distance, Some(i));
            }
        }
        if let Some(i) = worst.1 {
            keep[i] = true;
            spans.push((from, i));
            spans.push((i, to));
        }
    }
    polygon.iter().zip(keep).filter(|(_, keep)| *keep).map(|(p, _)| *p).collect()
}

/// The square of a point's distance from a line segment.
pub(super) fn distance2(p: Point, a: Point, b: Point) -> f64 {
    let along = b - a;
    let length2 = along.hypot2();
    let t = if length2 > 0.0 { ((p - a).dot(along) / length2).clamp(0.0, 1.0) } else { 0.0 };
    (p - (a + along * t)).hypot2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_of_many_corners_keeps_four() {
        let mut ring = Vec::new();
        for i in 0..10 {
            ring.push(Point::new(f64::from(i), 0.0));
        }
        for i in 0..10 {
            ring.push(Point::new(10.0, f64::from(i)));
        }
        for i in 0..10 {
            ring.push(Point::new(10.0 - f64::from(i), 10.0));
        }
        for i in 0..10 {
            ring.push(Point::new(0.0, 10.0 - f64::from(i)));
        }
        assert_eq!(simplify(&ring, 0.1).len(), 4);
        assert_eq!(simplify(&ring, 0.0).len(), 4);
    }
}
