//! A rough picture of a page: enough to see what is painted where, and whether paint reaches
//! the edge of the bleed. Pictures are grey boxes and text is bars; it is no proof.

use super::marks::Mark;
use super::space::Space;
use super::state::{Ink, State};
use kurbo::{Affine, BezPath, ParamCurve, PathEl, Point, Rect, Shape};
use std::sync::Arc;
use tiny_skia::{Color, FillRule, Mask, Paint, PathBuilder, Pixmap, Stroke, Transform};

/// What the picture is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grain {
    /// To tell white on ink from white on paper.
    Rough,
    /// To be looked at, and to see whether a bleed is filled.
    Plain,
    /// To measure plates.
    Fine,
}

impl Grain {
    /// Pixels of the longer side.
    fn side(self) -> f64 {
        match self {
            Grain::Rough => 300.0,
            Grain::Plain => 800.0,
            Grain::Fine => 1600.0,
        }
    }
}

/// A page under the brush.
pub(crate) struct Canvas {
    pixels: Pixmap,
    to_pixels: Affine,
    /// The clip that was used last, as a mask.
    recent: Option<(Rect, Arc<Mask>)>,
}

impl Canvas {
    /// A clear canvas for an area of the page. `None` for an empty one.
    pub(crate) fn new(area: Rect, grain: Grain) -> Option<Canvas> {
        let longer = grain.side();
        let scale = longer / area.width().max(area.height());
        let side = |length: f64| (libm::ceil(length * scale) as u32).clamp(1, longer as u32 + 1);
        let pixels = Pixmap::new(side(area.width()), side(area.height()))?;
        let to_pixels = Affine::new([scale, 0.0, 0.0, -scale, -area.x0 * scale, area.y1 * scale]);
        Some(Canvas { pixels, to_pixels, recent: None })
    }

    /// From the page to pixels.
    pub(crate) fn to_pixels(&self) -> Affine {
        self.to_pixels
    }

    /// An area of pixels on the page.
    pub(crate) fn on_page(&self, area: Rect) -> Rect {
        self.to_pixels.inverse().transform_rect_bbox(area)
    }

    /// What one pixel covers, in square units of the page.
    pub(crate) fn pixel_area(&self) -> f64 {
        1.0 / self.to_pixels.determinant().abs()
    }

    /// An empty mask of its size.
    pub(crate) fn mask_like(&self) -> Option<Mask> {
        Mask::new(self.pixels.width(), self.pixels.height())
    }

    /// Adds what a path covers to a mask, its clip considered; a stroke where a width is given.
    /// `None` where that cannot be told.
    pub(crate) fn cover(
        &self,
        mask: &mut Mask,
        path: &BezPath,
        even_odd: bool,
        width: Option<f64>,
        state: &State,
    ) -> Option<()> {
        let path = self.path(path)?;
        let (path, rule) = match width {
            Some(width) => {
                let width = (width * super::state::scale_of(self.to_pixels)) as f32;
                let stroke = Stroke { width: width.max(0.01), ..Stroke::default() };
                (path.stroke(&stroke, 1.0)?, FillRule::Winding)
            }
            None if even_odd => (path, FillRule::EvenOdd),
            None => (path, FillRule::Winding),
        };
        mask.fill_path(&path, rule, true, Transform::identity());
        match &state.mask {
            Some(clip) => {
                for (own, clip) in mask.data_mut().iter_mut().zip(clip.data()) {
                    *own = (u16::from(*own) * u16::from(*clip) / 255) as u8;
                }
            }
            None => {
                let clip = self.path(&rectangle(state.clip))?;
                mask.intersect_path(&clip, FillRule::Winding, true, Transform::identity());
            }
        }
        Some(())
    }

    fn path(&self, path: &BezPath) -> Option<tiny_skia::Path> {
        let mut builder = PathBuilder::new();
        for element in (self.to_pixels * path.clone()).elements() {
            let p = |p: &kurbo::Point| (p.x.clamp(-1e5, 1e5) as f32, p.y.clamp(-1e5, 1e5) as f32);
            match element {
                PathEl::MoveTo(a) => builder.move_to(p(a).0, p(a).1),
                PathEl::LineTo(a) => builder.line_to(p(a).0, p(a).1),
                PathEl::QuadTo(a, b) => builder.quad_to(p(a).0, p(a).1, p(b).0, p(b).1),
                PathEl::CurveTo(a, b, c) => builder.cubic_to(p(a).0, p(a).1, p(b).0, p(b).1, p(c).0, p(c).1),
                PathEl::ClosePath => builder.close(),
            }
        }
        builder.finish()
    }

    /// Fills a path that stands on the page.
    pub(crate) fn fill(&mut self, path: &BezPath, even_odd: bool, ink: &Ink, alpha: f64, state: &State) {
        let mask = self.mask(state, Some(path.bounding_box()));
        let Some(path) = self.path(path).filter(has_area) else { return };
        let rule = if even_odd { FillRule::EvenOdd } else { FillRule::Winding };
        self.pixels.fill_path(&path, &paint(ink, alpha), rule, Transform::identity(), mask.as_deref());
    }

    /// Strokes a path that stands on the page with a line of so many units.
    pub(crate) fn stroke(&mut self, path: &BezPath, width: f64, ink: &Ink, alpha: f64, state: &State) {
        let mask = self.mask(state, Some(path.bounding_box().inflate(width, width)));
        let Some(path) = self.path(path) else { return };
        let width = (width * super::state::scale_of(self.to_pixels)).clamp(0.5, 1e5) as f32;
        let stroke = Stroke { width, ..Stroke::default() };
        self.pixels.stroke_path(&path, &paint(ink, alpha), &stroke, Transform::identity(), mask.as_deref());
    }

    /// The clip as a mask; none where nothing of `area` is cut off.
    fn mask(&mut self, state: &State, area: Option<Rect>) -> Option<Arc<Mask>> {
        if let Some(mask) = &state.mask {
            return Some(mask.clone());
        }
        let clip = state.clip;
        if area.is_some_and(|a| a.x0 >= clip.x0 && a.y0 >= clip.y0 && a.x1 <= clip.x1 && a.y1 <= clip.y1) {
            return None;
        }
        if let Some((_, mask)) = self.recent.as_ref().filter(|(recent, _)| *recent == clip) {
            return Some(mask.clone());
        }
        let mut mask = Mask::new(self.pixels.width(), self.pixels.height())?;
        if let Some(path) = self.path(&rectangle(clip)) {
            mask.fill_path(&path, FillRule::Winding, true, Transform::identity());
        }
        let mask = Arc::new(mask);
        self.recent = Some((clip, mask.clone()));
        Some(mask)
    }

    /// The clip narrowed by a path that stands on the page.
    pub(crate) fn clip(&mut self, path: &BezPath, even_odd: bool, state: &State) -> Option<Arc<Mask>> {
        let mut mask = Mask::clone(&*self.mask(state, None)?);
        match self.path(path) {
            Some(path) => {
                let rule = if even_odd { FillRule::EvenOdd } else { FillRule::Winding };
                mask.intersect_path(&path, rule, true, Transform::identity());
            }
            None => mask.clear(),
        }
        Some(Arc::new(mask))
    }

    /// How much of a strip of the page is painted, from 0 to 1. White paint counts: a
    /// ground of white that runs to the edge was put there.
    pub(crate) fn covered(&self, strip: Rect) -> f64 {
        let area = self.to_pixels.transform_rect_bbox(strip);
        let (width, height) = (self.pixels.width(), self.pixels.height());
        // A pixel that the strip only grazes may be bare.
        let span = |from: f64, to: f64, most: u32| {
            let last = f64::from(most - 1);
            let first = libm::floor(from + 0.1).clamp(0.0, last);
            (first as u32, (libm::ceil(to - 0.1) - 1.0).clamp(first, last) as u32)
        };
        let ((x0, x1), (y0, y1)) = (span(area.x0, area.x1, width), span(area.y0, area.y1, height));
        let mut painted = 0_u32;
        for y in y0..=y1 {
            for x in x0..=x1 {
                painted += u32::from(self.pixels.pixel(x, y).is_some_and(|p| p.alpha() > 0));
            }
        }
        f64::from(painted) / f64::from((x1 - x0 + 1) * (y1 - y0 + 1))
    }

    /// True where a mark lies on ink, for the greater part, before it is painted.
    pub(crate) fn is_inked(&self, mark: &Mark<'_>) -> bool {
        /// Points of a line, or of an area's outline, that are looked at.
        const POINTS: usize = 64;
        /// Points of an area each way.
        const GRID: u32 = 5;
        let (path, area) = (mark.outline, mark.bounds);
        let elements = path.elements().len();
        let mut points = Vec::new();
        if mark.width().is_none() && elements < 10_000 {
            let part = |n: u32| (f64::from(n) + 0.5) / f64::from(GRID);
            let grid = (0..GRID * GRID).map(|i| {
                let (x, y) = (part(i % GRID), part(i / GRID));
                Point::new(area.x0 + x * area.width(), area.y0 + y * area.height())
            });
            points.extend(grid.filter(|point| path.winding(*point) != 0));
        }
        if points.is_empty() {
            let along = path.segments().step_by(elements.div_ceil(POINTS).max(1));
            let reached = area.inflate(0.01, 0.01);
            points.extend(along.map(|segment| segment.eval(0.5)).filter(|point| reached.contains(*point)));
        }
        let inked = points.iter().filter(|point| self.shows_ink(**point)).count();
        inked > 0 && inked * 2 >= points.len()
    }

    /// True where a point of the page is darker than paper.
    fn shows_ink(&self, point: Point) -> bool {
        /// Of 255, up to which light is ink.
        const INK: u8 = 245;
        let at = self.to_pixels * point;
        let pixel =
            if at.x >= 0.0 && at.y >= 0.0 { self.pixels.pixel(at.x as u32, at.y as u32) } else { None };
        pixel.is_some_and(|p| {
            let through = u8::MAX - p.alpha();
            [p.red(), p.green(), p.blue()].into_iter().any(|light| light.saturating_add(through) <= INK)
        })
    }

    /// The picture as PNG, on white.
    pub(crate) fn png(self) -> Option<Vec<u8>> {
        let (width, height) = (self.pixels.width(), self.pixels.height());
        let mut paper = Pixmap::new(width, height)?;
        paper.fill(Color::WHITE);
        let over = tiny_skia::PixmapPaint::default();
        paper.draw_pixmap(0, 0, self.pixels.as_ref(), &over, Transform::identity(), None);
        let rgb: Vec<u8> = paper.pixels().iter().flat_map(|p| [p.red(), p.green(), p.blue()]).collect();
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, width, height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.write_header().ok()?.write_image_data(&rgb).ok()?;
        Some(out)
    }
}

/// A rectangle as a path.
pub(crate) fn rectangle(area: Rect) -> BezPath {
    area.to_path(0.1)
}

/// True for a path that the brush can fill; it complains of others.
fn has_area(path: &tiny_skia::Path) -> bool {
    /// Pixels.
    const LEAST: f32 = 1.0 / 4096.0;
    path.bounds().width() > LEAST && path.bounds().height() > LEAST
}

fn paint(ink: &Ink, alpha: f64) -> Paint<'static> {
    let value = |i: usize| ink.values.get(i).copied().unwrap_or(0.0).clamp(0.0, 1.0);
    let (r, g, b) = match &*ink.space {
        Space::Gray | Space::Defined { components: 1, .. } => (value(0), value(0), value(0)),
        Space::Rgb | Space::Defined { components: 3, .. } => (value(0), value(1), value(2)),
        Space::Cmyk | Space::Defined { .. } => {
            let k = 1.0 - value(3);
            ((1.0 - value(0)) * k, (1.0 - value(1)) * k, (1.0 - value(2)) * k)
        }
        Space::Inks { .. } => (1.0 - 0.1 * value(0), 1.0 - 0.8 * value(0), 1.0 - 0.3 * value(0)),
        Space::Indexed(..) | Space::Lab | Space::Pattern(_) => (0.75, 0.75, 0.75),
    };
    let mut paint = Paint::default();
    let color = Color::from_rgba(r as f32, g as f32, b as f32, alpha.clamp(0.0, 1.0) as f32);
    paint.set_color(color.unwrap_or(Color::BLACK));
    paint.anti_alias = true;
    paint
}
