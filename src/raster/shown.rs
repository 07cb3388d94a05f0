//! The rows of upright pictures: resampled for what a band shows of them, and painted.

use super::blend::{paint_opaque, paint_row};
use super::colorants::Mixing;
use super::layer::{Area, Layer, Mask};
use super::sample::Sample;
use super::texture::{Texture, pixel_of};
use crate::error::Violation;
use kurbo::Rect;

/// Resamples the rows of an upright picture that `area` shows.
pub(super) fn resampled<S: Sample>(
    texture: &Texture<S>,
    dest: Area,
    crop: Rect,
    area: Area,
    out: &mut Vec<S>,
) -> Result<(), Violation> {
    let inside = |y: i32| y.clamp(dest.y0, dest.y1 - 1);
    let (first, last) = (inside(area.y0), inside(area.y1 - 1));
    let rows = (last - first + 1) as usize;
    out.clear();
    out.resize(rows * dest.width() * texture.channels, S::ZERO);
    let scale = crop.height() / dest.height() as f64;
    let top = crop.y0 + f64::from(first - dest.y0) * scale;
    let crop = Rect::new(crop.x0, top, crop.x1, top + rows as f64 * scale);
    texture.resample(crop, (dest.width() as u32, rows as u32), out)
}

/// Paints the rows of an upright picture, of which `pixels` are those from the first that `area`
/// shows. Pixels beyond `dest`, on an edge that falls between pixels, repeat the outermost whole
/// ones.
pub(super) fn upright<S: Sample>(
    pixels: &[S],
    channels: usize,
    dest: Area,
    area: Area,
    target: &mut Layer<S>,
    mask: Option<&Mask>,
) {
    let inside = |y: i32| y.clamp(dest.y0, dest.y1 - 1);
    let first = inside(area.y0);
    let stride = dest.width() * channels;
    let mut line = vec![[S::ZERO; 4]; area.width()];
    let left = (dest.x0 - area.x0).clamp(0, area.width() as i32) as usize;
    let right = (dest.x1 - area.x0).clamp(left as i32, area.width() as i32) as usize;
    let from = (area.x0.max(dest.x0) - dest.x0) as usize * channels;
    for y in area.y0..area.y1 {
        let row = &pixels[(inside(y) - first) as usize * stride..][..stride];
        let cover = mask.map(|mask| mask.row(y, area.x0, area.x1));
        if cover.is_some_and(|cover| cover.iter().all(|c| *c == 0)) {
            continue;
        }
        line[..left].fill(pixel_of(&row[..channels]));
        line[right..].fill(pixel_of(&row[stride - channels..]));
        let shown = &row[from.min(stride)..];
        let target = target.row_mut(y, area.x0, area.x1);
        if channels == 3 {
            let all = 0..target.len();
            for span in [all.start..left, right..all.end] {
                let cover = cover.map(|cover| &cover[span.clone()]);
                paint_row(&mut target[span.clone()], &line[span], cover, S::MAX, Mixing::NORMAL);
            }
            paint_opaque(
                &mut target[left..right],
                shown.as_chunks().0,
                cover.map(|cover| &cover[left..right]),
            );
        } else {
            line[left..right].copy_from_slice(&shown.as_chunks::<4>().0[..right - left]);
            paint_row(target, &line, cover, S::MAX, Mixing::NORMAL);
        }
    }
}
