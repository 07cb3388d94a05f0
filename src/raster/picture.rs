//! Placed pictures: which pixels of the frame a picture covers, and from where they are read.
//!
//! A placement along the axes, mirrored or in quarter turns, is resampled with Lanczos3 band by
//! band, straight from the decoded picture; one that shrinks a lot is resampled once and kept
//! small. Any other placement is brought to the frame's resolution once and then read between
//! its pixels.

use super::layer::Area;
use super::outline::Outline;
use super::shade::inverse;
use crate::scene::{Adjust, ImageNode};
use kurbo::{Affine, Point, Rect};
use std::fmt::Write as _;
use std::sync::Arc;

/// Placements closer to whole pixels than this are taken as whole.
const SNAP: f64 = 1.0 / 256.0;

/// How a picture is prepared before bands read it.
#[derive(Debug)]
pub(super) struct PictureSpec {
    /// The picture, its adjustments and its matte.
    pub(super) node: Arc<ImageNode>,
    /// Rows become columns, before flipping.
    pub(super) transpose: bool,
    /// Left and right are exchanged.
    pub(super) flip_x: bool,
    /// Top and bottom are exchanged.
    pub(super) flip_y: bool,
    /// Resampled once, to this size, from this rectangle (in pixels of the turned picture).
    pub(super) resize: Option<(Rect, (u32, u32))>,
    /// Always four components, for reading between pixels.
    pub(super) as_layer: bool,
    /// Gaussian blurs among the adjustments: standard deviation in the picture's pixels for a
    /// millimetre on the page, across and down.
    pub(super) px_per_mm: (f64, f64),
}

impl PictureSpec {
    /// Pixels of the prepared picture, at most.
    pub(super) fn pixels(&self) -> u64 {
        let (width, height) = self.resize.map_or(self.node.picture.size(), |(_, size)| size);
        u64::from(width) * u64::from(height)
    }
}

/// Which of a prepared picture's pixels go where.
#[derive(Debug, Clone)]
pub(super) enum Placed {
    /// Along the axes.
    Upright {
        /// The pixels that lie wholly inside the picture and the frame.
        dest: Area,
        /// What they show, in pixels of the prepared picture.
        crop: Rect,
        /// The prepared picture has the very pixels of `dest`.
        ready: bool,
    },
    /// Turned, sheared, or enlarged without smoothing.
    Free {
        /// From the frame's pixels to the prepared picture's.
        from_px: Affine,
        /// Takes the nearest pixel.
        nearest: bool,
    },
}

/// A picture as the display list wants it.
pub(super) struct Plan {
    /// Equal keys mean equal prepared pixels.
    pub(super) key: String,
    /// How they are prepared.
    pub(super) spec: PictureSpec,
    /// Which go where.
    pub(super) placed: Placed,
    /// The outline, where an edge falls between pixels.
    pub(super) edge: Option<Outline>,
    /// Every pixel of the frame it touches.
    pub(super) area: Area,
}

/// Plans a picture whose unit square `to_px` takes to pixels, `per_mm` of them a millimetre on the
/// page. `None` when nothing of it shows.
pub(super) fn plan(node: &Arc<ImageNode>, to_px: Affine, frame: Area, per_mm: f64) -> Option<Plan> {
    let outline = Outline::quad(Rect::new(0.0, 0.0, 1.0, 1.0), to_px);
    let area = outline.area.intersect(frame);
    let from_unit = inverse(to_px)?;
    if area.is_empty() || node.crop.width() <= 0.0 || node.crop.height() <= 0.0 {
        return None;
    }
    let [a, b, c, d, _, _] = to_px.as_coeffs();
    let (width, height) = node.picture.size();
    let (width, height) = (f64::from(width), f64::from(height));
    // Source pixels of a millimetre on the page, for blurs given in millimetres.
    let mm = (libm::hypot(a, b) / per_mm, libm::hypot(c, d) / per_mm);
    let px_per_mm =
        (node.crop.width() * width / mm.0.max(1e-9), node.crop.height() * height / mm.1.max(1e-9));
    let upright = b.abs() < SNAP && c.abs() < SNAP;
    let turned = a.abs() < SNAP && d.abs() < SNAP;
    let spec = |transpose, flip_x, flip_y, resize, as_layer| PictureSpec {
        node: node.clone(),
        transpose,
        flip_x,
        flip_y,
        resize,
        as_layer,
        px_per_mm,
    };
    if (upright || turned) && !node.pixelated {
        let (flip_x, flip_y) = if turned { (c < 0.0, b < 0.0) } else { (a < 0.0, d < 0.0) };
        let rect = snap(to_px.transform_rect_bbox(Rect::new(0.0, 0.0, 1.0, 1.0)));
        let inner = Area::new(
            rect.x0.ceil() as i32,
            rect.y0.ceil() as i32,
            rect.x1.floor() as i32,
            rect.y1.floor() as i32,
        );
        let dest = inner.intersect(frame);
        if !dest.is_empty() {
            let size = if turned { (height, width) } else { (width, height) };
            let crop = turn(node.crop, turned, flip_x, flip_y);
            let scale_x = crop.width() * size.0 / rect.width();
            let scale_y = crop.height() * size.1 / rect.height();
            let left = crop.x0 * size.0 + (f64::from(dest.x0) - rect.x0) * scale_x;
            let top = crop.y0 * size.1 + (f64::from(dest.y0) - rect.y0) * scale_y;
            let crop = Rect::new(
                left,
                top,
                left + scale_x * dest.width() as f64,
                top + scale_y * dest.height() as f64,
            )
            .intersect(Rect::new(0.0, 0.0, size.0, size.1));
            let ready = scale_x * scale_y >= 2.0;
            let resize = ready.then_some((crop, (dest.width() as u32, dest.height() as u32)));
            let whole = rect.x0 == rect.x0.floor()
                && rect.y0 == rect.y0.floor()
                && rect.x1 == rect.x1.floor()
                && rect.y1 == rect.y1.floor();
            let spec = spec(turned, flip_x, flip_y, resize, false);
            let outline = (!whole).then(|| Outline::quad(rect, Affine::IDENTITY));
            let area = outline.as_ref().map_or(inner.intersect(frame), |o| o.area.intersect(frame));
            return Some(Plan {
                key: key(&spec),
                spec,
                placed: Placed::Upright { dest, crop, ready },
                edge: outline,
                area,
            });
        }
    }
    let crop =
        Rect::new(node.crop.x0 * width, node.crop.y0 * height, node.crop.x1 * width, node.crop.y1 * height);
    let (size, resize) = if node.pixelated {
        ((width, height), None)
    } else {
        // No larger than it is shown, and no larger than it is.
        let side = |shown: f64, has: f64| libm::ceil(shown.min(has)).clamp(1.0, 32_000.0);
        let size = (side(libm::hypot(a, b), crop.width()), side(libm::hypot(c, d), crop.height()));
        (size, Some((crop, (size.0 as u32, size.1 as u32))))
    };
    let into = if node.pixelated {
        Affine::translate((crop.x0, crop.y0)) * Affine::scale_non_uniform(crop.width(), crop.height())
    } else {
        Affine::scale_non_uniform(size.0, size.1)
    };
    let spec = spec(false, false, false, resize, true);
    Some(Plan {
        key: key(&spec),
        spec,
        placed: Placed::Free { from_px: into * from_unit, nearest: node.pixelated },
        edge: Some(outline),
        area,
    })
}

/// Sides that are all but whole become whole.
fn snap(rect: Rect) -> Rect {
    let near = |v: f64| {
        let whole = libm::round(v);
        if (v - whole).abs() < SNAP { whole } else { v }
    };
    Rect::new(near(rect.x0), near(rect.y0), near(rect.x1), near(rect.y1))
}

/// Fractions of a picture, in the picture as it is turned.
fn turn(crop: Rect, transpose: bool, flip_x: bool, flip_y: bool) -> Rect {
    let point = |x: f64, y: f64| {
        let (x, y) = if transpose { (y, x) } else { (x, y) };
        Point::new(if flip_x { 1.0 - x } else { x }, if flip_y { 1.0 - y } else { y })
    };
    Rect::from_points(point(crop.x0, crop.y0), point(crop.x1, crop.y1))
}

/// Equal keys mean equal prepared pixels, in one pass's colours.
pub(super) fn key(spec: &PictureSpec) -> String {
    let mut key = String::from("picture ");
    let node = &spec.node;
    for byte in node.picture.sha256() {
        let _ = write!(key, "{byte:02x}");
    }
    if let Some(matte) = &node.matte {
        let _ = write!(key, " {:?}", matte.sha256());
    }
    let _ = write!(
        key,
        " {:?} {} {} {} {:?} {}",
        node.adjust, spec.transpose, spec.flip_x, spec.flip_y, spec.resize, spec.as_layer
    );
    if node.adjust.iter().any(|a| matches!(a, Adjust::Blur(_))) {
        let _ = write!(key, " {:?}", spec.px_per_mm);
    }
    key
}
