//! The pass before printing: the art is painted in bands, and only its alpha goes on.

use super::choke::Choke;
use super::contour::Traced;
use super::trace::Tracer;
use crate::asset::Limits;
use crate::control::Control;
use crate::error::Violation;
use crate::raster::{Band, Frame, Packed, Pixel, Rows, Sink, paint};
use crate::scene::separation::{Coverage, Knockout};
use crate::scene::{BlendSpace, Dpi, Node, Placement, Surface};
use kurbo::{Insets, Point, Rect};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Fine enough to see how large a design is.
const COARSE_DPI: f64 = 100.0;
/// From this alpha on something is seen.
const SEEN: u8 = 13;
/// Finer than this no contour has to be traced.
const TRACE_DPI: f64 = 300.0;

/// The contours of everything that art paints inside an area, in millimetres.
pub(super) fn contours(
    art: Traced,
    area: Rect,
    dpi: Dpi,
    limits: &Limits,
    control: Control<'_>,
) -> Result<Vec<Vec<Point>>, Violation> {
    let frame = Frame::of(area, Dpi::new(dpi.get().min(TRACE_DPI)), Placement::default());
    let width = frame.width as usize;
    let tracer = Tracer::new(width, level(art.threshold));
    let sink = AlphaSink { knockout: art.knockout, consumer: Mutex::new(TraceRows { width, tracer }) };
    paint(&canvas(art.nodes, area), &frame, limits, control, &sink)?;
    let rows = sink.consumer.into_inner().unwrap_or_else(PoisonError::into_inner);
    let to_mm = frame.matrix.inverse();
    let mut contours = rows.tracer.finish()?;
    contours.iter_mut().flatten().for_each(|p| *p = to_mm * *p);
    Ok(contours)
}

/// The rows of an underbase on a frame: 0 is no ink, 255 full ink.
///
/// # Errors
/// As [`paint`], and whatever `out` reports.
pub fn coverage_rows<F>(
    coverage: &Coverage,
    frame: &Frame,
    limits: &Limits,
    control: Control<'_>,
    mut out: F,
) -> Result<(), Violation>
where
    F: FnMut(&[u8]) -> Result<(), Violation> + Send,
{
    choked_rows(coverage, frame, limits, control, |_, white| out(white))
}

/// The rows of the art's alpha, and beside each the row of its underbase.
///
/// # Errors
/// As [`coverage_rows`].
pub(super) fn choked_rows<F>(
    coverage: &Coverage,
    frame: &Frame,
    limits: &Limits,
    control: Control<'_>,
    out: F,
) -> Result<(), Violation>
where
    F: FnMut(&[u8], &[u8]) -> Result<(), Violation> + Send,
{
    let width = frame.width as usize;
    let [a, b, c, d, _, _] = frame.matrix.as_coeffs();
    let per_mm = libm::sqrt((a * d - b * c).abs());
    let threshold = coverage.threshold.map(|t| level(f64::from(t)));
    let choke = Choke::new(width, coverage.reach * per_mm);
    let rows = ChokeRows { width, threshold, choke, art: VecDeque::new(), out };
    let sink = AlphaSink { knockout: coverage.knockout, consumer: Mutex::new(rows) };
    let mut frame = frame.clone();
    // Transparent ground: only the art's own alpha counts.
    frame.background = None;
    frame.depth = crate::asset::Depth::Eight;
    paint(&canvas(coverage.from.to_vec(), coverage.area), &frame, limits, control, &sink)?;
    let ChokeRows { choke, mut art, mut out, .. } =
        sink.consumer.into_inner().unwrap_or_else(PoisonError::into_inner);
    choke.finish(&mut |white: &[u8]| out(&art.pop_front().unwrap_or_default(), white))
}

/// The bounds of everything that nodes paint inside an area, in millimetres; `None` of nothing. Coarse: to
/// a quarter of a millimetre.
///
/// # Errors
/// As [`paint`].
pub(super) fn bounds(
    nodes: Vec<Node>,
    area: Rect,
    limits: &Limits,
    control: Control<'_>,
) -> Result<Option<Rect>, Violation> {
    let frame = Frame::of(area, Dpi::new(COARSE_DPI), Placement::default());
    let rows = BoundRows { width: frame.width as usize, rows: 0, bounds: None };
    let sink = AlphaSink { knockout: None, consumer: Mutex::new(rows) };
    paint(&canvas(nodes, area), &frame, limits, control, &sink)?;
    let rows = sink.consumer.into_inner().unwrap_or_else(PoisonError::into_inner);
    let to_mm = frame.matrix.inverse();
    Ok(rows.bounds.map(|bounds| to_mm.transform_rect_bbox(bounds)))
}

/// An alpha from 0 to 1 as the smallest of 1 to 255 that is at least as much.
pub(super) fn level(alpha: f64) -> u8 {
    libm::ceil(alpha * 255.0 - 1e-6).clamp(1.0, 255.0) as u8
}

struct BoundRows {
    width: usize,
    rows: u32,
    bounds: Option<Rect>,
}

impl AlphaRows for BoundRows {
    fn rows(&mut self, alpha: &mut [u8]) -> Result<(), Violation> {
        for row in alpha.chunks_exact(self.width) {
            let y = f64::from(self.rows);
            self.rows += 1;
            let seen = |alpha: &u8| *alpha >= SEEN;
            let Some(first) = row.iter().position(seen) else { continue };
            let last = row.iter().rposition(seen).unwrap_or(first);
            let own = Rect::new(first as f64, y, last as f64 + 1.0, y + 1.0);
            self.bounds = Some(self.bounds.map_or(own, |bounds| bounds.union(own)));
        }
        Ok(())
    }
}

/// Nodes as a surface of their own.
fn canvas(nodes: Vec<Node>, area: Rect) -> Surface {
    Surface {
        name: "alpha".into(),
        trim: area.size(),
        bleed: Insets::ZERO,
        safe: Insets::ZERO,
        garment: None,
        blend_space: BlendSpace::Srgb,
        nodes,
        layers: Vec::new(),
    }
}

/// Takes rows of alpha, top to bottom.
trait AlphaRows: Send {
    fn rows(&mut self, alpha: &mut [u8]) -> Result<(), Violation>;
}

struct AlphaSink<R> {
    knockout: Option<Knockout>,
    consumer: Mutex<R>,
}

impl<R: AlphaRows> Sink for AlphaSink<R> {
    fn encode(&self, band: &Band<'_>) -> Result<Packed, Violation> {
        let eight: Vec<Pixel<u8>>;
        let pixels = match band.rows {
            Rows::Eight(pixels) => pixels,
            Rows::Sixteen(pixels) => {
                eight = pixels.iter().map(|p| p.map(|v| (v >> 8) as u8)).collect();
                &eight
            }
        };
        let bytes = match self.knockout {
            None => pixels.iter().map(|p| p[3]).collect(),
            Some(knockout) => pixels.iter().map(|p| outside(*p, knockout)).collect(),
        };
        Ok(Packed { bytes, ..Packed::default() })
    }

    fn write(&self, mut packed: Packed) -> Result<(), Violation> {
        let mut consumer = self.consumer.lock().unwrap_or_else(PoisonError::into_inner);
        consumer.rows(&mut packed.bytes)
    }
}

/// A pixel's alpha, as far as its colour is not the garment's: none within the tolerance, all
/// from twice the tolerance on.
fn outside([r, g, b, a]: Pixel<u8>, knockout: Knockout) -> u8 {
    if a == 0 {
        return 0;
    }
    let alpha = f32::from(a);
    let difference = [r, g, b]
        .into_iter()
        .zip(knockout.garment)
        .map(|(c, garment)| (f32::from(c) / alpha - garment).abs())
        .fold(0.0, f32::max);
    let tolerance = knockout.tolerance.max(1e-3);
    let kept = (difference / tolerance - 1.0).clamp(0.0, 1.0);
    (alpha * kept + 0.5) as u8
}

struct TraceRows {
    width: usize,
    tracer: Tracer,
}

impl AlphaRows for TraceRows {
    fn rows(&mut self, alpha: &mut [u8]) -> Result<(), Violation> {
        alpha.chunks_exact(self.width).try_for_each(|row| self.tracer.row(row))
    }
}

struct ChokeRows<F> {
    width: usize,
    threshold: Option<u8>,
    choke: Choke,
    /// Rows of the art whose underbase is still to come.
    art: VecDeque<Vec<u8>>,
    out: F,
}

impl<F: FnMut(&[u8], &[u8]) -> Result<(), Violation> + Send> AlphaRows for ChokeRows<F> {
    fn rows(&mut self, alpha: &mut [u8]) -> Result<(), Violation> {
        let (art, out) = (&mut self.art, &mut self.out);
        for row in alpha.chunks_exact_mut(self.width) {
            art.push_back(row.to_vec());
            if let Some(threshold) = self.threshold {
                row.iter_mut().for_each(|a| *a = if *a >= threshold { 255 } else { 0 });
            }
            self.choke.row(row, &mut |white: &[u8]| out(&art.pop_front().unwrap_or_default(), white))?;
        }
        Ok(())
    }
}
