//! Exact-area anti-aliasing: how much of each pixel an outline covers.
//!
//! Every edge adds its signed area to the pixels it crosses; a running sum along the row is
//! the winding number, weighted by area. A row's arithmetic depends on the outline and the
//! frame's columns alone, so the rows of a band equal the same rows of the whole picture, and
//! a line thinner than a pixel gets coverage in proportion to its width.

use super::layer::{Area, Mask};
use super::outline::Outline;
use super::sums::{Rows, Sums, summed};
use crate::scene::FillRule;
use std::cell::RefCell;
use std::ops::Range;

thread_local! {
    /// Room for the sums of one outline, kept from use to use.
    static SUMS: RefCell<Sums> = const { RefCell::new(Sums::NONE) };
}

/// Coverage of the rows of `area` that the outline touches. `frame` fixes the columns the sum
/// starts from; it is the same for every band.
pub(super) fn coverage(outline: &Outline, area: Area, frame: Area) -> Mask {
    let columns = outline.area.intersect(frame);
    let area = columns.intersect(area);
    if area.is_empty() {
        return Mask { area: Area::EMPTY, data: Vec::new() };
    }
    if let Some(rect) = outline.rect {
        return rect_coverage(rect, area);
    }
    let sums_area = Area { x0: columns.x0, x1: columns.x1, ..area };
    // Taken, not borrowed: should this thread panic, nobody finds sums that are not zero.
    let mut room = SUMS.take();
    let stride = sums_area.width() + 2;
    let Rows { sums, touched, .. } = summed(outline, room.rows(stride, sums_area));
    let skip = (area.x0 - sums_area.x0) as usize;
    let mut data = vec![0; area.pixels()];
    let sums = sums.chunks_exact_mut(stride).zip(touched);
    for ((sums, touched), row) in sums.zip(data.chunks_exact_mut(area.width())) {
        if touched.start < touched.end {
            sum_row(sums, touched.clone(), skip, row, outline.rule);
            sums[touched.clone()].fill(0.0);
        }
    }
    SUMS.set(room);
    Mask { area, data }
}

/// Sums that are looked at together.
const PIECE: usize = 16;

/// Runs along one row of zeros, from signed areas to coverage. Sums are zero but for those that were
/// `touched`.
fn sum_row(sums: &[f32], touched: Range<usize>, skip: usize, row: &mut [u8], rule: FillRule) {
    let before = touched.start.min(skip)..touched.end.min(skip);
    let mut winding: f32 = sums[before].iter().sum();
    let cover = |winding: f32| {
        let inside = match rule {
            FillRule::NonZero => winding.abs().min(1.0),
            FillRule::EvenOdd => {
                let rest = winding.abs() % 2.0;
                if rest > 1.0 { 2.0 - rest } else { rest }
            }
        };
        (inside * 255.0 + 0.5) as u8
    };
    let mut last = cover(winding);
    let begin = touched.start.saturating_sub(skip).min(row.len());
    let end = touched.end.saturating_sub(skip).clamp(begin, row.len());
    let (row, after) = row.split_at_mut(end);
    // Edges are few: most pieces of a row cross none.
    for (row, sums) in row[begin..].chunks_mut(PIECE).zip(sums[skip + begin..].chunks(PIECE)) {
        if sums.iter().fold(0, |any, sum| any | sum.to_bits()) == 0 {
            row.fill(last);
            continue;
        }
        for (out, sum) in row.iter_mut().zip(sums) {
            if *sum != 0.0 {
                winding += sum;
                last = cover(winding);
            }
            *out = last;
        }
    }
    // An outline that goes on beyond the frame covers its row to the end.
    if last != 0 {
        after.fill(last);
    }
}

/// Whether an outline is known to cover every pixel of an area wholly, as [`coverage`] rounds.
pub(super) fn covers(outline: &Outline, area: Area) -> bool {
    if area.is_empty() || outline.area.intersect(area) != area {
        return false;
    }
    let Some([left, top, right, bottom]) = outline.rect else { return surrounds(outline, area) };
    let across = part(area.x0, left, right).min(part(area.x1 - 1, left, right));
    let down = part(area.y0, top, bottom).min(part(area.y1 - 1, top, bottom));
    (across * down * 255.0 + 0.5) as u8 == 255
}

/// Whether no edge enters an area that lies inside the outline. Where none does, the winding number is
/// the same all over it.
fn surrounds(outline: &Outline, area: Area) -> bool {
    let [left, top, right, bottom] = [area.x0, area.y0, area.x1, area.y1].map(|side| side as f32);
    let middle = (top + bottom) / 2.0;
    let (mut winding, mut begin) = (0, 0);
    for end in &outline.ends {
        let polygon = &outline.points[begin..*end as usize];
        begin = *end as usize;
        let mut from = polygon[polygon.len() - 1];
        for to in polygon {
            let beside = from[1].max(to[1]) <= top || from[1].min(to[1]) >= bottom;
            let on_the_left = from[0].max(to[0]) <= left;
            if !beside && !on_the_left && from[0].min(to[0]) < right {
                return false;
            }
            if on_the_left && (from[1] <= middle) != (to[1] <= middle) {
                winding += if from[1] < to[1] { 1 } else { -1 };
            }
            from = *to;
        }
    }
    match outline.rule {
        FillRule::NonZero => winding != 0,
        FillRule::EvenOdd => winding % 2 != 0,
    }
}

/// How much of the pixel at a place lies between two sides.
fn part(at: i32, low: f32, high: f32) -> f32 {
    let at = at as f32;
    (high.min(at + 1.0) - low.max(at)).clamp(0.0, 1.0)
}

/// An upright rectangle: the product of its columns' and its rows' coverage.
fn rect_coverage([left, top, right, bottom]: [f32; 4], area: Area) -> Mask {
    let columns: Vec<f32> = (area.x0..area.x1).map(|x| part(x, left, right)).collect();
    let full: Vec<u8> = columns.iter().map(|c| (c * 255.0 + 0.5) as u8).collect();
    let mut data = Vec::with_capacity(area.pixels());
    for y in area.y0..area.y1 {
        let height = part(y, top, bottom);
        if height == 1.0 {
            data.extend_from_slice(&full);
        } else {
            data.extend(columns.iter().map(|c| (c * height * 255.0 + 0.5) as u8));
        }
    }
    Mask { area, data }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kurbo::{Affine, Rect, Shape};

    #[test]
    fn what_is_said_to_be_covered_has_a_full_mask() {
        let frame = Area::new(0, 0, 40, 30);
        let mut full = 0;
        for by in [0.0, 0.001, 0.0019, 0.01, 0.3] {
            for rect in [
                Rect::new(by, 0.0, 40.0, 30.0),
                Rect::new(0.0, by, 40.0, 30.0 - by),
                Rect::new(-by, -9.0, 50.0, 30.0 - by),
                Rect::new(0.0, 0.0, 40.0 - by, 30.0),
            ] {
                let outline = Outline::fill(&rect.to_path(0.1), Affine::IDENTITY, FillRule::NonZero);
                for area in [frame, Area::new(0, 0, 40, 8), Area::new(8, 22, 20, 30)] {
                    let mask = coverage(&outline, area, frame);
                    assert_eq!(
                        covers(&outline, area),
                        mask.area == area && mask.is_full(),
                        "{rect:?} {area:?}"
                    );
                    full += usize::from(mask.is_full());
                }
            }
        }
        assert!(full > 10);
    }

    /// Within the frame of 60 by 50, across each of its sides, all around it, and one in another.
    fn outlines(rule: FillRule) -> Vec<Outline> {
        let circle = |x: f64, y: f64, radius: f64| kurbo::Circle::new((x, y), radius).to_path(0.01);
        let mut ring = circle(20.0, 20.0, 30.0);
        ring.extend(circle(20.0, 20.0, 11.0));
        let paths = [circle(30.0, 25.0, 9.0), circle(1.0, 20.0, 9.0), circle(58.0, 40.0, 30.0), ring];
        let all_around = circle(30.0, 25.0, 90.0);
        paths.iter().chain([&all_around]).map(|path| Outline::fill(path, Affine::IDENTITY, rule)).collect()
    }

    #[test]
    fn columns_that_no_edge_touched_need_no_look() {
        let frame = Area::new(0, 0, 60, 50);
        let mut room = Sums::default();
        for rule in [FillRule::NonZero, FillRule::EvenOdd] {
            for outline in outlines(rule) {
                let area = outline.area.intersect(frame);
                let stride = area.width() + 2;
                let Rows { sums, touched, .. } = summed(&outline, room.rows(stride, area));
                for (sums, touched) in sums.chunks_exact_mut(stride).zip(touched) {
                    for skip in 0..area.width() {
                        let mut all = vec![0; area.width() - skip];
                        sum_row(sums, 0..stride, skip, &mut all, rule);
                        let mut part = vec![0; area.width() - skip];
                        sum_row(sums, touched.clone(), skip, &mut part, rule);
                        assert_eq!(all, part, "{outline:?} from {skip}");
                    }
                    sums[touched.clone()].fill(0.0);
                    assert!(sums.iter().all(|sum| *sum == 0.0), "{outline:?}");
                }
            }
        }
    }

    #[test]
    fn an_outline_leaves_nothing_behind_for_the_next() {
        let frame = Area::new(0, 0, 60, 50);
        let outlines = outlines(FillRule::NonZero);
        for outline in &outlines {
            for area in [frame, Area::new(7, 3, 33, 29), Area::new(33, 29, 60, 50)] {
                let fresh = std::thread::scope(|scope| {
                    scope.spawn(|| coverage(outline, area, frame)).join().unwrap()
                });
                for before in &outlines {
                    coverage(before, frame, frame);
                    let mask = coverage(outline, area, frame);
                    assert!(mask.area == fresh.area && mask.data == fresh.data, "{outline:?} {area:?}");
                }
            }
        }
    }

    #[test]
    fn what_no_edge_enters_is_covered_or_empty() {
        let frame = Area::new(0, 0, 60, 50);
        let ring = |inner: f64| {
            let mut ring = kurbo::Circle::new((30.0, 25.0), 24.0).to_path(0.01);
            ring.extend(kurbo::Circle::new((30.0, 25.0), inner).to_path(0.01));
            ring
        };
        let rounded = Rect::new(4.0, 3.0, 56.0, 47.0).to_rounded_rect(12.0).to_path(0.01);
        let mut found = 0;
        for (path, rule) in [
            (rounded.clone(), FillRule::NonZero),
            (rounded.reverse_subpaths(), FillRule::EvenOdd),
            (ring(12.0), FillRule::EvenOdd),
            (ring(12.0), FillRule::NonZero),
            (kurbo::Circle::new((30.0, 25.0), 90.0).to_path(0.01), FillRule::NonZero),
        ] {
            let outline = Outline::fill(&path, Affine::IDENTITY, rule);
            for x in 0..50 {
                for y in 0..40 {
                    for (width, height) in [(10, 8), (52, 5), (3, 30), (1, 1)] {
                        let area = Area::new(x, y, x + width, y + height);
                        let mask = coverage(&outline, area, frame);
                        if covers(&outline, area) {
                            assert!(mask.area == area.intersect(frame) && mask.is_full(), "{area:?}");
                            found += 1;
                        }
                    }
                }
            }
        }
        let outline = Outline::fill(&rounded, Affine::IDENTITY, FillRule::NonZero);
        assert!(covers(&outline, Area::new(4, 15, 56, 35)), "between its corners");
        assert!(!covers(&outline, Area::new(4, 14, 56, 35)), "a corner is in it");
        assert!(found > 3_000, "{found}");
    }
}
