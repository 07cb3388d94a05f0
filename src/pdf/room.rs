//! How much larger than the bleed a page is for its marks, and where there is room for the colour bar and the
//! slug line.
//!
//! Both stand beside the bleed, between crop marks and crosses. What does not fit there on a small page
//! goes below all other marks, and the page grows for it.

use super::marks::special;
use crate::catalog::print::MarkSettings;
use crate::print::{Plate, PrintRules, uses};
use crate::scene::{BlendSpace, Placement, Surface};
use kurbo::{Point, Rect, Vec2};
use std::sync::Arc;

/// What registration crosses need beside the bleed, in mm.
pub(super) const CROSS: f64 = 7.0;
/// What the colour bar and the slug line need beside the bleed, or below all marks, in mm.
const BAND: f64 = 8.0;
/// From the bleed to either, in mm.
const GAP: f64 = 2.0;
/// The sides of a patch of the colour bar that are tried, in mm.
const PATCHES: [f64; 3] = [5.0, 4.0, 3.0];
/// From the trim's corners to the bands between them, in mm.
const CORNER: f64 = 2.0;
/// On narrower pages the slug line goes below all marks, in mm.
const LEAST_SLUG: f64 = 20.0;
/// What stays free along the edge of the page, in mm.
const EDGE: f64 = 1.0;

/// The room for marks, in mm from the page's top left corner.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Room {
    /// Around the bleed.
    pub(super) margin: f64,
    /// Below that.
    pub(super) foot: f64,
    /// The colour bar's patches.
    pub(super) patches: Vec<Rect>,
    /// The slug line's top left corner.
    pub(super) slug: Point,
    /// How long it may be.
    slug_length: f64,
}

impl Room {
    /// Of a surface's page.
    pub(super) fn of(surface: &Surface, placement: &Placement, rules: &PrintRules) -> Room {
        let place = placement.matrix();
        let (trim, bleed) = (surface.trim_box(), surface.bleed_box());
        let (trim, bleed) = (place.transform_rect_bbox(trim), place.transform_rect_bbox(bleed));
        let count =
            if rules.marks.color_bar { process(surface, rules) + spots(surface, rules).len() } else { 0 };
        Room::around(&rules.marks, trim, bleed, count)
    }

    fn around(marks: &MarkSettings, trim: Rect, bleed: Rect, count: usize) -> Room {
        let margin = margin(marks, trim, bleed);
        let moved = Vec2::new(margin, margin) - bleed.origin().to_vec2();
        let (trim, bleed) = (trim + moved, bleed + moved);
        let (width, mut end) = (bleed.x1 + margin, bleed.y1 + margin);
        let whole = width - 2.0 * EDGE;
        let mut patches = beside(marks, trim, bleed, count);
        if patches.len() < count {
            let side = PATCHES[0].min(whole / count as f64);
            let row = Rect::new(EDGE, end, width - EDGE, end + BAND);
            patches = (0..count).map(|i| patch(row, side, i)).collect();
            end += BAND;
        }
        let mut slug = Point::new(bleed.center().x + CROSS, bleed.y1 + GAP);
        let mut slug_length = trim.x1 - CORNER - slug.x;
        if marks.slug && slug_length < LEAST_SLUG {
            (slug, slug_length) = (Point::new(EDGE, end), whole);
            end += BAND;
        }
        Room { margin, foot: end - bleed.y1 - margin, patches, slug, slug_length }
    }
}

/// How many mm a slug line has on a surface's page.
pub(crate) fn slug_room(surface: &Surface, placement: &Placement, rules: &PrintRules) -> f64 {
    Room::of(surface, placement, rules).slug_length
}

/// How many patches of the colour bar are no spot ink's.
fn process(surface: &Surface, rules: &PrintRules) -> usize {
    match surface.blend_space {
        BlendSpace::Process => solids(rules).len() + GREYS.len(),
        BlendSpace::Srgb => SCREEN.len(),
    }
}

/// The bar's tints of black.
pub(super) const GREYS: [f64; 3] = [0.25, 0.5, 0.75];
/// The bar of a page in sRGB.
pub(super) const SCREEN: [[f64; 3]; 5] =
    [[0.0; 3], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.5; 3]];

/// The process inks, and the coloured ones over each other as far as the paper takes them.
pub(super) fn solids(rules: &PrintRules) -> Vec<[f64; 4]> {
    let limit = rules.condition.as_ref().and_then(|condition| condition.settings.ink_limit);
    let full = |bits: u8| [0, 1, 2, 3].map(|i| f64::from(bits >> i & 1));
    let fits =
        |inks: &[f64; 4]| limit.is_none_or(|limit| inks.iter().sum::<f64>() * 100.0 <= f64::from(limit));
    [1, 2, 4, 8, 3, 5, 6, 7].into_iter().map(full).filter(fits).collect()
}

/// The spot inks with a patch. One of a special plate would be cut out, foiled or covered with white.
pub(super) fn spots<'a>(surface: &Surface, rules: &'a PrintRules) -> Vec<(&'a Arc<str>, &'a Plate)> {
    let special = special(surface, rules);
    let shown = |name: &Arc<str>| uses(&surface.nodes, name) && !special.contains(name);
    rules.plates.iter().filter(|(name, _)| shown(name)).collect()
}

/// From the trim to where crop marks begin: never inside the bleed.
pub(super) fn start(marks: &MarkSettings, trim: Rect, bleed: Rect) -> f64 {
    insets(trim, bleed).into_iter().fold(marks.offset, f64::max)
}

fn insets(trim: Rect, bleed: Rect) -> [f64; 4] {
    [trim.x0 - bleed.x0, trim.y0 - bleed.y0, bleed.x1 - trim.x1, bleed.y1 - trim.y1]
}

/// How many mm the page has around the bleed.
fn margin(marks: &MarkSettings, trim: Rect, bleed: Rect) -> f64 {
    if !marks.any() {
        return 0.0;
    }
    let least = insets(trim, bleed).into_iter().fold(f64::INFINITY, f64::min);
    let lines =
        if marks.crop || marks.bleed { start(marks, trim, bleed) + marks.length - least } else { 0.0 };
    let bands = if marks.color_bar || marks.slug { BAND } else { 0.0 };
    let crosses = if marks.registration { CROSS } else { 0.0 };
    lines.max(bands).max(crosses) + 1.0
}

/// The patches beside the bleed, from the left below on around it; fewer than asked for where there is no
/// room.
fn beside(marks: &MarkSettings, trim: Rect, bleed: Rect, count: usize) -> Vec<Rect> {
    let middle = bleed.center();
    let (left, right) = ((trim.x0 + CORNER, middle.x - CROSS), (middle.x + CROSS, trim.x1 - CORNER));
    let (upper, lower) = ((trim.y0 + CORNER, middle.y - CROSS), (middle.y + CROSS, trim.y1 - CORNER));
    let mut found = Vec::new();
    for side in PATCHES {
        let (below, above) = ((bleed.y1 + GAP, side), (bleed.y0 - GAP - side, side));
        let (before, after) = ((bleed.x0 - GAP - side, side), (bleed.x1 + GAP, side));
        let row = |(x0, x1): (f64, f64), (y, height): (f64, f64)| Rect::new(x0, y, x1, y + height);
        let column = |(x, width): (f64, f64), (y0, y1): (f64, f64)| Rect::new(x, y0, x + width, y1);
        let mut strips = vec![row(left, below)];
        if !marks.slug {
            strips.push(row(right, below));
        }
        strips.extend([row(left, above), row(right, above)]);
        strips.extend([column(before, upper), column(before, lower)]);
        strips.extend([column(after, upper), column(after, lower)]);
        found = strips.into_iter().flat_map(|strip| filled(strip, side)).take(count).collect();
        if found.len() == count {
            break;
        }
    }
    found
}

/// As many patches as a strip has room for.
fn filled(strip: Rect, side: f64) -> impl Iterator<Item = Rect> {
    let long = strip.width().max(strip.height());
    let empty = strip.x1 <= strip.x0 || strip.y1 <= strip.y0;
    let count = if empty { 0 } else { (long / side + 1e-9) as usize };
    (0..count).map(move |i| patch(strip, side, i))
}

fn patch(strip: Rect, side: f64, i: usize) -> Rect {
    let along = side * i as f64;
    let (dx, dy) = if strip.width() >= strip.height() { (along, 0.0) } else { (0.0, along) };
    let corner = strip.origin() + Vec2::new(dx, dy);
    Rect::from_origin_size(corner, (side, side))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(width: f64, height: f64, count: usize) -> (Room, Rect, Rect) {
        let marks = MarkSettings {
            crop: true,
            bleed: true,
            registration: true,
            color_bar: true,
            slug: true,
            ..MarkSettings::default()
        };
        let trim = Rect::new(0.0, 0.0, width, height);
        let room = Room::around(&marks, trim, trim.inflate(3.0, 3.0), count);
        let bleed = Rect::from_origin_size((room.margin, room.margin), (width + 6.0, height + 6.0));
        let page = Rect::new(0.0, 0.0, bleed.x1 + room.margin, bleed.y1 + room.margin + room.foot);
        (room, bleed, page)
    }

    #[test]
    fn every_ink_has_a_patch_on_every_page() {
        for (width, height, count) in
            [(210.0, 297.0, 12), (85.0, 55.0, 12), (40.0, 30.0, 11), (20.0, 15.0, 14)]
        {
            let (room, bleed, page) = room(width, height, count);
            assert_eq!(room.patches.len(), count, "{width} mm");
            for (i, patch) in room.patches.iter().enumerate() {
                assert_eq!(page.union(*patch), page, "{width} mm: {patch:?} off {page:?}");
                let apart = |other: &Rect| {
                    let shared = other.intersect(*patch);
                    shared.width() < 1e-6 || shared.height() < 1e-6
                };
                assert!(apart(&bleed) && room.patches[..i].iter().all(apart), "{width} mm: {patch:?}");
            }
        }
    }

    #[test]
    fn a_page_grows_only_for_what_does_not_fit_beside_it() {
        let (large, bleed, _) = room(210.0, 297.0, 12);
        assert_eq!(
            (large.foot, large.patches[0]),
            (0.0, Rect::new(14.0, bleed.y1 + 2.0, 19.0, bleed.y1 + 7.0))
        );
        let (narrow, _, page) = room(20.0, 15.0, 11);
        assert_eq!(narrow.foot, 2.0 * BAND);
        let slug = Rect::from_origin_size(narrow.slug, (narrow.slug_length, BAND));
        assert!(narrow.slug_length >= LEAST_SLUG && page.union(slug) == page, "{narrow:?}");
        assert!(narrow.patches.iter().all(|patch| patch.y1 <= slug.y0), "{narrow:?}");
    }

    #[test]
    fn lines_have_room_whatever_the_scale() {
        let marks = MarkSettings { crop: true, offset: 4.0, ..MarkSettings::default() };
        let trim = Rect::new(0.0, 0.0, 50.0, 35.0);
        // 3 mm of bleed, printed at half its size: lines reach from 4 to 9 mm off the trim.
        let room = Room::around(&marks, trim, trim.inflate(1.5, 1.5), 0);
        assert_eq!((room.margin, room.foot), (4.0 + 5.0 - 1.5 + 1.0, 0.0));
    }
}
