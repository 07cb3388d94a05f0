//! The pixel grid of one output.

use super::layer::Area;
use crate::asset::{Depth, Limits};
use crate::error::{Code, Violation};
use crate::scene::{Color, Dpi, Length, MM_PER_INCH, Placement, Surface, rotation};
use kurbo::{Affine, Rect};

/// Rows of a band. A constant: the encoder's chunks, and so the bytes of a file, depend on it.
pub const BAND_ROWS: u32 = 128;
/// Longest side of a frame; beyond it single-precision coordinates get coarse.
const MAX_SIDE: u32 = 200_000;

/// The pixel grid of one output.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The resolution that files name.
    pub dpi: Dpi,
    /// From the surface's millimetres to pixels; scale, mirroring and turns included.
    pub matrix: Affine,
    /// Bits of a component.
    pub depth: Depth,
    /// What lies beneath everything; without it the output is transparent.
    pub background: Option<Color>,
}

impl Frame {
    /// A box of a surface at a resolution. The pixels fit the box exactly: where its size is no
    /// whole number of them, the scale gives way by less than half a pixel over the whole side.
    pub fn of(area: Rect, dpi: Dpi, placement: Placement) -> Frame {
        let (scale_x, scale_y) = placement.scale;
        let side = |mm: f64| Length::mm(mm).to_px(dpi).max(1);
        let (width, height) = (side(area.width() * scale_x.abs()), side(area.height() * scale_y.abs()));
        let (w, h) = (f64::from(width), f64::from(height));
        let mut matrix = Affine::scale_non_uniform(w / area.width().max(1e-6), h / area.height().max(1e-6))
            * Affine::translate((-area.x0, -area.y0));
        if placement.mirror {
            matrix = Affine::new([-1.0, 0.0, 0.0, 1.0, w, 0.0]) * matrix;
        }
        let turns = placement.quarter_turns % 4;
        let turned = rotation(f64::from(turns) * 90.0) * matrix;
        // Back to the first quadrant.
        let (dx, dy, width, height) = match turns {
            0 => (0.0, 0.0, width, height),
            1 => (h, 0.0, height, width),
            2 => (w, h, width, height),
            _ => (0.0, w, height, width),
        };
        Frame {
            width,
            height,
            dpi,
            matrix: Affine::translate((dx, dy)) * turned,
            depth: Depth::Eight,
            background: None,
        }
    }

    /// The trim box of a surface with its longer side at `max_px`, upright, on its garment's colour.
    pub fn preview(surface: &Surface, max_px: u32) -> Frame {
        let longer = surface.trim.width.max(surface.trim.height).max(1e-3);
        let dpi = Dpi::new(f64::from(max_px.max(1)) / longer * MM_PER_INCH);
        let (w, h) = (surface.trim.width, surface.trim.height);
        let side = |mm: f64| (libm::round(mm / longer * f64::from(max_px)) as u32).clamp(1, max_px.max(1));
        let (width, height) = (side(w), side(h));
        let matrix =
            Affine::scale_non_uniform(f64::from(width) / w.max(1e-6), f64::from(height) / h.max(1e-6));
        Frame { width, height, dpi, matrix, depth: Depth::Eight, background: surface.garment }
    }

    /// All its pixels.
    pub fn area(&self) -> Area {
        Area::new(0, 0, self.width as i32, self.height as i32)
    }

    /// How many bands it is painted in.
    pub fn bands(&self) -> usize {
        self.height.div_ceil(BAND_ROWS) as usize
    }

    /// The rows of one band.
    pub fn band(&self, index: usize) -> Area {
        let y0 = index as u32 * BAND_ROWS;
        Area::new(0, y0 as i32, self.width as i32, (y0 + BAND_ROWS).min(self.height) as i32)
    }

    /// An error when it is larger than allowed.
    pub fn check(&self, limits: &Limits) -> Result<(), Violation> {
        let pixels = u64::from(self.width) * u64::from(self.height);
        if pixels > limits.output_pixels || self.width.max(self.height) > MAX_SIDE {
            return Err(Violation::new(
                Code::OutputTooLarge,
                format!(
                    "the output would have {} x {} pixels; at most {} pixels and {MAX_SIDE} a side are allowed, \
                     so choose a smaller size or a lower resolution",
                    self.width, self.height, limits.output_pixels
                ),
            )
            .limit(limits.output_pixels));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kurbo::Point;

    #[test]
    fn scale_mirror_and_turns_put_the_corners_where_they_belong() {
        let area = Rect::new(-3.0, -3.0, 251.0, 203.0);
        let corner = |mirror, quarter_turns| {
            let placement = Placement { scale: (1.0, 0.5), mirror, quarter_turns };
            let frame = Frame::of(area, Dpi::new(25.4), placement);
            let at = frame.matrix * Point::new(-3.0, -3.0);
            (frame.width, frame.height, at.x.round() as i32, at.y.round() as i32)
        };
        assert_eq!(corner(false, 0), (254, 103, 0, 0));
        assert_eq!(corner(true, 0), (254, 103, 254, 0));
        assert_eq!(corner(false, 1), (103, 254, 103, 0));
        assert_eq!(corner(false, 2), (254, 103, 254, 103));
        assert_eq!(corner(false, 3), (103, 254, 0, 254));
        assert_eq!(corner(true, 1), (103, 254, 103, 254));
    }
}
