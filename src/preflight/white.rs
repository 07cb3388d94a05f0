//! White ink: how it meets what lies beneath, whether anything erases it, and how much of the page
//! it covers.
//!
//! White is held as a plate of its own on the grid of the page's picture, so that art beside a
//! white shape is told from art on it, and the plate's area can be held against its mask.

use super::content::Mode;
use super::context::Context;
use super::marks::{Kind, Mark};
use super::picture::Canvas;
use super::rule::Rule;
use super::space::Space;
use super::state::State;
use crate::scene::MM_PER_PT;
use kurbo::{Affine, BezPath, Rect, Shape};
use std::collections::BTreeMap;
use tiny_skia::Mask;

/// Marks of one page that are held against white ink pixel by pixel; later ones by their bounds.
const EXACT: u32 = 2_000;
/// Coverage, of 255, from which a pixel is white, or painted.
const HALF: u8 = 128;
/// Pixels that have to be painted over before anybody minds: edges that touch share some.
const FEW: u32 = 4;

/// The white plates of one page.
#[derive(Debug, Default)]
pub(crate) struct White {
    plates: BTreeMap<String, Plate>,
    tested: u32,
}

/// One of them.
#[derive(Debug)]
struct Plate {
    bounds: Rect,
    mask: Option<Mask>,
    /// Ink of its pictures, in pixels of the canvas.
    pictures: f64,
    /// It has shapes.
    shapes: bool,
    /// How much it covers is not known: a soft mask, a tile, a gradient, a picture among shapes.
    vague: bool,
}

/// A picture's tints, from 0 to 1, rows from the top.
pub(crate) struct Tints {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) values: Vec<u8>,
}

impl White {
    /// True once white was painted.
    fn any(&self) -> bool {
        !self.plates.is_empty()
    }
}

impl<R> Context<'_, R> {
    /// A white mark is laid on its plate; another one may not lie on white.
    pub(crate) fn check_white(&mut self, mark: &Mark<'_>, state: &State, mode: Mode) {
        let wish = self.findings.wish;
        if wish.white.is_empty() {
            return;
        }
        let spots = mark.ink.laid_in().spots();
        let name = spots.iter().position(|name| wish.white.iter().any(|white| white == name));
        let Some(index) = name else { return self.check_over_white(mark, state, mode) };
        let multiplied = state.multiplies();
        if mark.overprint && multiplied {
            let detail = "White ink both overprints and multiplies, and presses differ in what they make of that; use one of the two.";
            self.find(Rule::WhiteBoth, mark.bounds, mode, detail.into());
        }
        if !mark.overprint && !multiplied {
            let detail = "White ink neither overprints nor multiplies, so it erases the colours it lies on; let it overprint.";
            self.find(Rule::WhiteKnockout, mark.bounds, mode, detail.into());
        }
        let name = spots[index].to_owned();
        let tint = mark.ink.values.get(index).copied().unwrap_or(1.0) * mark.alpha;
        let canvas = self.canvas.as_ref();
        let plate = self.white.plates.entry(name).or_insert_with(|| Plate {
            bounds: mark.bounds,
            mask: canvas.and_then(Canvas::mask_like),
            pictures: 0.0,
            shapes: false,
            vague: false,
        });
        plate.bounds = plate.bounds.union(mark.bounds);
        let uneven = mark.kind == Kind::Shading || matches!(&*mark.ink.space, Space::Pattern(_));
        plate.vague |= uneven || mode.repeated || state.masked;
        let (Some(canvas), Some(mask)) = (canvas, &mut plate.mask) else { return };
        let Some(tints) = mark.tints else {
            plate.shapes = true;
            plate.vague |= plate.pictures > 0.0;
            match canvas.coverage(mark.outline, mark.even_odd, mark.width(), state) {
                Some(own) => merge(mask, &own, tint),
                None => plate.vague = true,
            }
            return;
        };
        // Two pictures may lie on each other.
        plate.vague |= plate.shapes || plate.pictures > 0.0 || !inside(mark.outline, state.clip);
        plate.pictures += canvas.splat(mask, tints, state);
    }

    /// Cut lines, and varnishes that overprint, may follow white; what knocks out may not.
    fn check_over_white(&mut self, mark: &Mark<'_>, state: &State, mode: Mode) {
        // An ink of its own that overprints leaves the white plate as it is.
        let leaves = mark.overprint || state.multiplies();
        let leaves = leaves && matches!(mark.ink.laid_in(), Space::Inks { .. });
        if leaves || self.is_technical(mark) || mode.repeated || !self.white.any() {
            return;
        }
        let meets = |a: &Rect, b: &Rect| a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1;
        if !self.white.plates.values().any(|plate| meets(&plate.bounds, &mark.bounds)) {
            return;
        }
        self.white.tested += 1;
        let mut place = mark.bounds;
        if let (Some(canvas), true) = (&self.canvas, self.white.tested <= EXACT)
            && let Some(own) = canvas.coverage(mark.outline, mark.even_odd, mark.width(), state)
        {
            let masks = self.white.plates.values().filter_map(|plate| plate.mask.as_ref());
            match masks.filter_map(|white| shared(white, &own)).reduce(|a, b| a.union(b)) {
                Some(area) => place = canvas.on_page(area),
                None => return,
            }
        }
        let detail = "Colour is painted after the white ink that it lies on, which erases the white; paint white last.";
        self.find(Rule::WhiteOrder, place, mode, detail.into());
    }

    /// Every white plate covers as much as its mask does.
    pub(crate) fn check_coverage(&mut self, index: u32) {
        let Some(expected) = self.expected(index) else { return };
        let Some(boxes) = self.boxes else { return };
        for (name, wanted) in &expected.white {
            let plate = self.white.plates.get(name);
            if plate.is_some_and(|plate| plate.vague) {
                continue;
            }
            let pixels = plate.map_or(0.0, Plate::pixels);
            let side = boxes.unit * MM_PER_PT;
            let found = pixels * self.canvas.as_ref().map_or(0.0, Canvas::pixel_area) * side * side;
            // A hundredth of the mask; of next to nothing, what an edge may be off.
            if (found - wanted).abs() > (wanted * 0.01).max(0.5) {
                let detail = format!(
                    "The plate {name} covers {found:.1} mm², and its mask {wanted:.1} mm²; they should differ by no more than a hundredth, so render the job again."
                );
                let area = plate.map_or(boxes.trim, |plate| plate.bounds);
                self.find(Rule::WhiteCoverage, area, Mode::default(), detail);
            }
        }
    }
}

impl Plate {
    /// What it covers, in pixels of the canvas.
    fn pixels(&self) -> f64 {
        match &self.mask {
            Some(mask) if self.shapes => {
                mask.data().iter().map(|v| u64::from(*v)).sum::<u64>() as f64 / 255.0
            }
            Some(_) | None => self.pictures,
        }
    }
}

/// True where a clip leaves a shape whole.
fn inside(outline: &BezPath, clip: Rect) -> bool {
    let (area, slack) = (outline.bounding_box(), 0.01);
    let clip = clip.inflate(slack, slack);
    clip.contains(area.origin()) && clip.x1 >= area.x1 && clip.y1 >= area.y1
}

/// Ink over ink covers what either covers.
fn merge(mask: &mut Mask, own: &Mask, tint: f64) {
    let tint = (tint.clamp(0.0, 1.0) * 256.0) as u32;
    for (whole, ink) in mask.data_mut().iter_mut().zip(own.data()) {
        let ink = u32::from(*ink) * tint / 256;
        let left = (255 - u32::from(*whole)) * (255 - ink);
        *whole = (255 - (left + 127) / 255) as u8;
    }
}

/// The pixels that both cover, where there are more than a few.
fn shared(white: &Mask, own: &Mask) -> Option<Rect> {
    let width = own.width() as usize;
    let (mut count, mut area) = (0_u32, None::<Rect>);
    for (i, (a, b)) in white.data().iter().zip(own.data()).enumerate() {
        if *a >= HALF && *b >= HALF {
            count += 1;
            let (x, y) = ((i % width) as f64, (i / width) as f64);
            let pixel = Rect::new(x, y, x + 1.0, y + 1.0);
            area = Some(area.map_or(pixel, |area| area.union(pixel)));
        }
    }
    area.filter(|_| count > FEW)
}

impl Canvas {
    /// A picture's ink, sample by sample, where the matrix puts its unit square.
    /// Gives how much ink that is, in pixels.
    fn splat(&self, mask: &mut Mask, tints: &Tints, state: &State) -> f64 {
        let (columns, rows) = (f64::from(tints.width), f64::from(tints.height));
        // From samples, the first on top, to pixels.
        let place =
            self.to_pixels() * state.ctm * Affine::new([1.0 / columns, 0.0, 0.0, -1.0 / rows, 0.0, 1.0]);
        let area = place.determinant().abs();
        let width = mask.width() as usize;
        let mut ink = vec![0.0_f32; mask.data().len()];
        // Samples larger than pixels are spread over them.
        let parts = libm::ceil(libm::sqrt(area)).clamp(1.0, 16.0);
        let each = (area / (parts * parts)) as f32 / 255.0;
        let clip = self.to_pixels().transform_rect_bbox(state.clip);
        for (i, value) in tints.values.iter().enumerate().filter(|(_, value)| **value > 0) {
            let (column, row) = ((i as u32 % tints.width) as f64, (i as u32 / tints.width) as f64);
            for part in 0..(parts * parts) as u32 {
                let within = |n: f64| (n + 0.5) / parts;
                let (across, down) = (f64::from(part % parts as u32), f64::from(part / parts as u32));
                let at = place * kurbo::Point::new(column + within(across), row + within(down));
                if clip.contains(at) && at.x >= 0.0 && at.y >= 0.0 && at.x < width as f64 {
                    let pixel = at.y as usize * width + at.x as usize;
                    if let Some(ink) = ink.get_mut(pixel) {
                        *ink += f32::from(*value) * each;
                    }
                }
            }
        }
        for (whole, ink) in mask.data_mut().iter_mut().zip(ink) {
            let left = (255.0 - f32::from(*whole)) * (1.0 - ink.min(1.0));
            *whole = (255.0 - left + 0.5) as u8;
        }
        tints.values.iter().map(|v| u64::from(*v)).sum::<u64>() as f64 / 255.0 * area
    }

    /// What a path covers, its clip considered; a stroke where a width is given.
    fn coverage(&self, path: &BezPath, even_odd: bool, width: Option<f64>, state: &State) -> Option<Mask> {
        let mut mask = self.mask_like()?;
        self.cover(&mut mask, path, even_odd, width, state)?;
        Some(mask)
    }
}
