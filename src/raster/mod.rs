//! Painting: a surface and a pixel grid go in, bands of pixels come out in order.
//!
//! The surface is resolved into a display list once. Bands of a constant height are painted
//! from it side by side, each handed to every [`Sink`] and then forgotten, so that the canvas is
//! never held whole. Compositing is in gamma-encoded sRGB on premultiplied pixels of 8 or 16
//! bits, or in inks ([`paint_inks`]). The same scene gives the same bytes with any number of threads.

mod band;
mod blend;
mod cell;
mod colorants;
mod coverage;
mod filter;
mod frame;
mod ground;
mod inks;
mod layer;
mod list;
mod meter;
mod outline;
mod picture;
mod pool;
mod proof;
mod resolve;
mod rows;
pub(crate) mod sample;
mod sampler;
mod scope;
mod shade;
mod shown;
mod sink;
mod store;
mod sums;
mod texture;
mod walk;
mod weigh;

#[cfg(test)]
mod inks_tests;
#[cfg(test)]
mod tests;

pub use crate::encode::png::{Effort, PngOptions, PngSink};

pub use frame::{BAND_ROWS, Frame};
pub use inks::{InkBand, InkSink, Planes, paint_inks};
pub use meter::{InkMeter, InkPeak};
pub use proof::Proof;
pub use sample::Pixel;
pub use sink::{Band, Packed, Rows, Sink};

use crate::asset::{Depth, Limits};
use crate::control::{Control, Work};
use crate::error::Violation;
use crate::scene::{Color, Surface};
use band::{Output, PaintLayer, Pass};
use layer::Area;
use list::{Item, Resource};
use pool::Pool;
use sample::Sample;

/// What painting came across.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PaintReport {
    /// Bands painted.
    pub bands: usize,
    /// Pictures, cells and filters computed.
    pub resources: usize,
}

/// Paints a surface into a sink.
///
/// # Errors
/// `output.too_large` before anything is allocated; `svg.too_complex` for art that does not fit
/// the budget; what decoding a picture, the sink, or `control` reports. Of several failures the
/// one of the topmost band is given.
pub fn paint(
    surface: &Surface,
    frame: &Frame,
    limits: &Limits,
    control: Control<'_>,
    sink: &dyn Sink,
) -> Result<PaintReport, Violation> {
    paint_all(surface, frame, limits, control, &[sink])
}

/// Paints a surface once, into several sinks.
///
/// # Errors
/// As [`paint`].
pub fn paint_all(
    surface: &Surface,
    frame: &Frame,
    limits: &Limits,
    control: Control<'_>,
    sinks: &[&dyn Sink],
) -> Result<PaintReport, Violation> {
    frame.check(limits)?;
    let list = resolve::resolve(&surface.nodes, frame.matrix, frame.area(), frame.dpi.per_mm())?;
    let ground = frame.background.map(Color::to_srgb);
    let output = Pictures { sinks, control };
    paint_bands(frame, &[list.items], &list.resources, ground, &output, control)
}

/// Bands as they are painted, for every sink.
struct Pictures<'a> {
    sinks: &'a [&'a dyn Sink],
    control: Control<'a>,
}

impl<S: Sample> Output<S> for Pictures<'_> {
    fn encode(
        &self,
        area: Area,
        last: bool,
        paint: PaintLayer<'_, S>,
        spent: &Pool<Pixel<S>>,
    ) -> Result<Vec<Packed>, Violation> {
        let layer = paint(0)?;
        let band = Band {
            first_row: area.y0 as u32,
            width: area.width(),
            height: area.height(),
            last,
            rows: Rows::from(&layer.data),
        };
        let encode = || self.sinks.iter().map(|sink| sink.encode(&band)).collect();
        let packed = self.control.measured(Work::Encode, encode);
        spent.give(layer.data);
        packed
    }

    fn write(&self, packed: Vec<Packed>) -> Result<(), Violation> {
        self.sinks.iter().zip(packed).try_for_each(|(sink, packed)| sink.write(packed))
    }
}

/// Paints lists on a ground of these channels (0 to 1), or on nothing, at the frame's depth.
fn paint_bands<O: Output<u8> + Output<u16>>(
    frame: &Frame,
    lists: &[Vec<Item>],
    resources: &[Resource],
    ground: Option<[f32; 3]>,
    output: &O,
    control: Control<'_>,
) -> Result<PaintReport, Violation> {
    match frame.depth {
        Depth::Eight => {
            Pass::<u8>::new(frame, lists, resources, pixel(ground), output, control).run()?;
        }
        Depth::Sixteen => {
            Pass::<u16>::new(frame, lists, resources, pixel(ground), output, control).run()?;
        }
    }
    Ok(PaintReport { bands: frame.bands(), resources: resources.len() })
}

/// An opaque pixel of a ground, or a transparent one.
fn pixel<S: Sample>(ground: Option<[f32; 3]>) -> Pixel<S> {
    match ground.map(|channels| channels.map(S::from_unit)) {
        Some([a, b, c]) => [a, b, c, S::MAX],
        None => [S::ZERO; 4],
    }
}
