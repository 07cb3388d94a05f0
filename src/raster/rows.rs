//! Rows of finished pixels on a layer: composited, copied, read where they are turned.

use super::blend::{paint_row, paint_sparing};
use super::colorants::Mixing;
use super::layer::{Area, Layer, Mask};
use super::list::Lay;
use super::sample::{Pixel, Sample};
use super::sampler;
use crate::scene::Blend;
use kurbo::{Affine, Point};

/// A row of a fill, as it is laid.
pub(super) fn lay_row<S: Sample>(
    target: &mut [Pixel<S>],
    source: &[Pixel<S>],
    cover: &[u8],
    opacity: S,
    lay: Lay,
) {
    match lay {
        Lay::Over => paint_row(target, source, Some(cover), opacity, Mixing::NORMAL),
        Lay::Multiply => paint_row(target, source, Some(cover), opacity, Mixing::Whole(Blend::Multiply)),
        Lay::Sparing(spared) if opacity == S::MAX => paint_sparing(target, source, cover, spared),
        Lay::Sparing(spared) => {
            let thinned: Vec<Pixel<S>> = source.iter().map(|pixel| pixel.map(|c| c.mul(opacity))).collect();
            paint_sparing(target, &thinned, cover, spared);
        }
    }
}

/// First and one past the last covered pixel of a row.
pub(super) fn covered(cover: &[u8]) -> Option<(usize, usize)> {
    let from = cover.iter().position(|c| *c != 0)?;
    let to = cover.iter().rposition(|c| *c != 0)? + 1;
    Some((from, to))
}

/// Composites a layer's rows.
pub(super) fn put<S: Sample>(
    layer: &Layer<S>,
    area: Area,
    target: &mut Layer<S>,
    mask: Option<&Mask>,
    opacity: S,
    mixing: Mixing,
) {
    let area = mask.map_or(area, |mask| area.intersect(mask.area));
    for y in area.y0..area.y1 {
        let cover = mask.map(|mask| mask.row(y, area.x0, area.x1));
        let source = layer.row(y, area.x0, area.x1);
        paint_row(target.row_mut(y, area.x0, area.x1), source, cover, opacity, mixing);
    }
}

/// Composites a finished layer, moved by whole pixels.
pub(super) fn blit<S: Sample>(
    layer: &Layer<S>,
    (dx, dy): (i32, i32),
    area: Area,
    target: &mut Layer<S>,
    clip: Option<&Mask>,
) {
    let area = area.intersect(layer.area.shift(dx, dy));
    for y in area.y0..area.y1 {
        let source = layer.row(y - dy, area.x0 - dx, area.x1 - dx);
        let cover = clip.map(|clip| clip.row(y, area.x0, area.x1));
        paint_row(target.row_mut(y, area.x0, area.x1), source, cover, S::MAX, Mixing::NORMAL);
    }
}

/// Sets the pixels of a finished layer that is opaque all over, moved by whole pixels.
pub(super) fn set<S: Sample>(layer: &Layer<S>, (dx, dy): (i32, i32), area: Area, target: &mut Layer<S>) {
    let area = area.intersect(layer.area.shift(dx, dy));
    for y in area.y0..area.y1 {
        let source = layer.row(y - dy, area.x0 - dx, area.x1 - dx);
        target.row_mut(y, area.x0, area.x1).copy_from_slice(source);
    }
}

/// Composites a turned cell.
pub(super) fn turned<S: Sample>(
    cell: &Layer<S>,
    from_px: Affine,
    area: Area,
    target: &mut Layer<S>,
    clip: Option<&Mask>,
) {
    let mut row = vec![[S::ZERO; 4]; area.width()];
    for y in area.y0..area.y1 {
        let at = from_px * Point::new(f64::from(area.x0) + 0.5, f64::from(y) + 0.5);
        let set = sampler::turned_row(cell, at, from_px, &mut row);
        let (x0, x1) = (area.x0 + set.start as i32, area.x0 + set.end as i32);
        let cover = clip.map(|clip| clip.row(y, x0, x1));
        paint_row(target.row_mut(y, x0, x1), &row[set], cover, S::MAX, Mixing::NORMAL);
    }
}

/// Composites a layer that is read between its pixels, or at the nearest one. Beyond its border, the
/// border.
pub(super) fn sampled<S: Sample>(
    source: &Layer<S>,
    (from_px, nearest): (Affine, bool),
    area: Area,
    target: &mut Layer<S>,
    mask: Option<&Mask>,
) {
    let read = if nearest { sampler::nearest } else { sampler::bicubic };
    let area = mask.map_or(area, |mask| area.intersect(mask.area));
    let mut row = vec![[S::ZERO; 4]; area.width()];
    for y in area.y0..area.y1 {
        let place = |x: i32| from_px * Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
        // All but the border.
        let set = if nearest { 0..0 } else { sampler::turned_row(source, place(area.x0), from_px, &mut row) };
        let (before, rest) = row.split_at_mut(set.start);
        let behind = &mut rest[set.len()..];
        for (x, pixel) in (area.x0..).zip(before).chain((area.x0 + set.end as i32..).zip(behind)) {
            let at = place(x);
            *pixel = read(source, at.x as f32, at.y as f32);
        }
        let cover = mask.map(|mask| mask.row(y, area.x0, area.x1));
        paint_row(target.row_mut(y, area.x0, area.x1), &row, cover, S::MAX, Mixing::NORMAL);
    }
}
