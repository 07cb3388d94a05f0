//! Contours and underbases of painted shapes, measured against distances worked out otherwise.

use super::contour::{curves, rounded};
use super::fit::bezier;
use super::region::{Region, area};
use super::trace::Tracer;
use crate::scene::FillRule;
use kurbo::{BezPath, PathEl, Point};
use proptest::prelude::*;

/// The contours of a grey picture.
fn trace(picture: &[Vec<u8>]) -> Vec<Vec<Point>> {
    let mut tracer = Tracer::new(picture[0].len(), 128);
    picture.iter().for_each(|row| tracer.row(row).unwrap());
    tracer.finish().unwrap()
}

/// Points along a path, and how many subpaths it has; panics where one is not closed.
fn along(path: &BezPath) -> (Vec<Point>, usize) {
    let (mut points, mut rings) = (Vec::new(), 0);
    let (mut last, mut start, mut open) = (Point::ZERO, Point::ZERO, false);
    for element in path.elements() {
        match *element {
            PathEl::MoveTo(p) => {
                assert!(!open, "a contour is not closed");
                (last, start, open) = (p, p, true);
            }
            PathEl::LineTo(p) => {
                let steps = ((p - last).hypot() / 0.2).ceil().max(1.0) as usize;
                points.extend((0..steps).map(|i| last.lerp(p, i as f64 / steps as f64)));
                last = p;
            }
            PathEl::CurveTo(a, b, p) => {
                points.extend((0..24).map(|i| bezier(&[last, a, b, p], f64::from(i) / 24.0)));
                last = p;
            }
            PathEl::QuadTo(..) => panic!("fits are cubic"),
            PathEl::ClosePath => {
                // Smooth rings end where they began; polygons leave the last side to the close.
                last = start;
                (rings, open) = (rings + 1, false);
            }
        }
    }
    assert!(!open, "the last contour is not closed");
    (points, rings)
}

/// The distance from a point to the nearest covered pixel's square; pixels of one millimetre.
fn distance(picture: &[Vec<u8>], p: Point) -> f64 {
    let mut least = f64::INFINITY;
    for (y, row) in picture.iter().enumerate() {
        for (x, c) in row.iter().enumerate() {
            if *c >= 128 {
                let dx = (x as f64 - p.x).max(p.x - x as f64 - 1.0).max(0.0);
                let dy = (y as f64 - p.y).max(p.y - y as f64 - 1.0).max(0.0);
                least = least.min((dx * dx + dy * dy).sqrt());
            }
        }
    }
    least
}

fn picture(rows: &[&str]) -> Vec<Vec<u8>> {
    rows.iter().map(|row| row.bytes().map(|b| if b == b'#' { 255 } else { 0 }).collect()).collect()
}

#[test]
fn a_ring_has_an_outer_contour_and_a_hole() {
    let ring = picture(&["......", ".####.", ".#..#.", ".#..#.", ".####.", "......"]);
    let contours = trace(&ring);
    let mut areas: Vec<f64> = contours.iter().map(|c| area(c)).collect();
    areas.sort_by(f64::total_cmp);
    assert_eq!(areas.len(), 2);
    // Corners of hard pixels are cut by an eighth of a pixel each.
    assert!((areas[1] - 15.5).abs() < 0.1 && (areas[0] + 3.5).abs() < 0.6, "{areas:?}");
}

#[test]
fn diagonal_neighbours_and_borders_close() {
    for rows in [&["#.", ".#"][..], &[".#", "#."], &["###", "###"], &["#.#", ".#.", "#.#"], &["#"]] {
        let contours = trace(&picture(rows));
        assert!(!contours.is_empty());
        assert!(contours.iter().all(|c| area(c) > 0.0), "{rows:?}");
    }
    // A hole in the middle of everything, at the top edge of a second band of rows.
    let contours = trace(&picture(&["###", "#.#", "###"]));
    assert_eq!(contours.iter().filter(|c| area(c) < 0.0).count(), 1);
}

#[test]
fn soft_edges_are_traced_between_pixels() {
    // An edge at 2.25 pixels: the third column is a quarter covered.
    let soft: Vec<Vec<u8>> = (0..8).map(|_| vec![255, 255, 64, 0, 0]).collect();
    let contours = trace(&soft);
    let right = contours[0].iter().map(|p| p.x).fold(0.0, f64::max);
    assert!((right - 2.17).abs() < 0.01, "{right}");
}

#[test]
fn holes_are_kept_filled_or_dropped_by_area() {
    let square = |x: f64, y: f64, s: f64| {
        vec![Point::new(x, y), Point::new(x + s, y), Point::new(x + s, y + s), Point::new(x, y + s)]
    };
    let with_holes =
        [square(0.0, 0.0, 20.0), square(2.0, 2.0, 2.0), square(8.0, 8.0, 8.0), square(11.0, 11.0, 2.0)];
    let region = Region::new(&with_holes, FillRule::EvenOdd);
    assert_eq!(region.rings().len(), 4);
    // The small hole goes; the large one stays, with the island in it.
    assert_eq!(region.without_holes_under(10.0).rings().len(), 3);
    assert_eq!(region.without_holes_under(f64::INFINITY).rings().len(), 1);
    let grown = region.grown(1.0).unwrap();
    assert_eq!(grown.rings().len(), 3, "a hole of 2 mm closes when it shrinks by 1 mm from each side");
}

#[test]
fn notches_are_bridged_and_points_blunted_to_the_least_radius() {
    // An L: the inner corner gets an arc of at least the radius.
    let l = [vec![(0.0, 0.0), (30.0, 0.0), (30.0, 10.0), (10.0, 10.0), (10.0, 30.0), (0.0, 30.0)]
        .into_iter()
        .map(Point::from)
        .collect::<Vec<_>>()];
    let region = rounded(&Region::new(&l, FillRule::NonZero), 0.0, 3.0).unwrap();
    let (points, _) = along(&curves(&region, 0.01));
    let inner = points.iter().map(|p| (*p - Point::new(10.0, 10.0)).hypot()).fold(f64::INFINITY, f64::min);
    // An arc of radius r in a right angle stays r (√2 - 1) off the corner.
    assert!((inner - 3.0 * (2.0_f64.sqrt() - 1.0)).abs() < 0.02, "{inner}");
    let outer = points.iter().map(|p| (*p - Point::new(0.0, 0.0)).hypot()).fold(f64::INFINITY, f64::min);
    assert!((outer - 3.0 * (2.0_f64.sqrt() - 1.0)).abs() < 0.02, "{outer}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// Any blotches, any offset: closed, without crossings, and at the offset.
    #[test]
    fn contours_lie_at_their_offset(
        cells in prop::collection::vec(prop::bool::weighted(0.35), 16 * 12),
        offset in 0.5_f64..4.0,
    ) {
        let picture: Vec<Vec<u8>> = cells.chunks(16)
            .map(|row| row.iter().map(|c| if *c { 255 } else { 0 }).collect())
            .collect();
        prop_assume!(cells.iter().any(|c| *c));
        // Squares, so that the exact distance is known: the trace would cut their corners.
        let squares: Vec<Vec<Point>> = picture.iter().enumerate().flat_map(|(y, row)| {
            row.iter().enumerate().filter(|(_, c)| **c > 0).map(move |(x, _)| {
                let (x, y) = (x as f64, y as f64);
                vec![Point::new(x, y), Point::new(x + 1.0, y), Point::new(x + 1.0, y + 1.0), Point::new(x, y + 1.0)]
            })
        }).collect();
        let region = rounded(&Region::new(&squares, FillRule::NonZero), offset, 0.0).unwrap();
        let path = curves(&region, 0.02);
        let (points, rings) = along(&path);
        prop_assert!(rings > 0);
        prop_assert!(!super::crossing::crosses(&[path]));
        for p in points {
            let off = distance(&picture, p);
            prop_assert!((off - offset).abs() <= 0.1, "{off} instead of {offset} at {p:?}");
        }
    }

    /// Every picture of grey gives contours that close, whose winding is 1 inside and 0 outside.
    #[test]
    fn any_picture_closes(grey in prop::collection::vec(any::<u8>(), 11 * 9)) {
        let picture: Vec<Vec<u8>> = grey.chunks(11).map(<[u8]>::to_vec).collect();
        let contours = trace(&picture);
        for (y, row) in picture.iter().enumerate() {
            for (x, c) in row.iter().enumerate() {
                // A little off the centre, where no contour runs exactly.
                let p = Point::new(x as f64 + 0.5, y as f64 + 0.5);
                let winding: i32 = contours.iter().map(|c| winding(c, p)).sum();
                // Simplified by a tenth of a pixel: centres near the level may fall either way.
                if c.abs_diff(128) > 40 {
                    prop_assert_eq!(winding, i32::from(*c >= 128), "at {:?}, grey {}", p, c);
                }
            }
        }
    }
}

fn winding(ring: &[Point], p: Point) -> i32 {
    let mut winding = 0;
    for (i, a) in ring.iter().enumerate() {
        let b = ring[(i + 1) % ring.len()];
        let side = (b.x - a.x) * (p.y - a.y) - (p.x - a.x) * (b.y - a.y);
        if a.y <= p.y && b.y > p.y && side > 0.0 {
            winding += 1;
        }
        if a.y > p.y && b.y <= p.y && side < 0.0 {
            winding -= 1;
        }
    }
    winding
}
