//! Plates: nodes and a pixel grid go in, bands of planar inks come out in order.
//!
//! The nodes are resolved once for every three inks, and each band is painted that often. What is
//! printed with which inks, what knocks out and what overprints is decided by
//! [`print`](crate::print), as it is for PDFs.

use super::band::{Output, PaintLayer};
use super::colorants::Colorants;
use super::frame::Frame;
use super::layer::Area;
use super::pool::Pool;
use super::resolve::resolve_passes;
use super::sample::{Pixel, Sample};
use super::scope::Scope;
use super::sink::Packed;
use super::{PaintReport, paint_bands};
use crate::asset::{Depth, Limits};
use crate::control::Control;
use crate::error::Violation;
use crate::print::PrintRules;
use crate::scene::Node;
use std::sync::Arc;

/// A painted band of plates.
pub struct InkBand<'a> {
    /// Its first row in the frame.
    pub first_row: u32,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// No band comes after it.
    pub last: bool,
    /// The plates, row by row.
    pub planes: Planes<'a>,
}

/// Cyan, magenta, yellow, black, and the spot inks in the order in which they were asked for: how
/// much of each lies on the paper, from none (0) to all. Where the ground is transparent, the last
/// plane is the art's alpha, and the inks are premultiplied by it.
#[derive(Clone, Copy)]
pub enum Planes<'a> {
    /// 8 bits an ink.
    Eight {
        /// One plane an ink.
        inks: &'a [&'a [u8]],
        /// How opaque the art is.
        alpha: &'a [u8],
    },
    /// 16 bits an ink.
    Sixteen {
        /// One plane an ink.
        inks: &'a [&'a [u16]],
        /// How opaque the art is.
        alpha: &'a [u16],
    },
}

/// A consumer of painted plates; works as [`Sink`](super::Sink) does.
pub trait InkSink: Sync {
    /// Encodes one band, in that band's own task; any number of bands at once, in any order.
    fn encode(&self, band: &InkBand<'_>) -> Result<Packed, Violation>;

    /// Writes one encoded band; called for one band at a time, top to bottom.
    fn write(&self, packed: Packed) -> Result<(), Violation>;
}

/// Paints nodes (a surface's, or some of them) on plates, as a PDF of them prints: process inks by
/// the printing condition of `rules`, and the spot plates named in `spots`. Spot inks that are not
/// named knock out what they knock out, and are seen on no plate. Coverage that is made from the
/// art (an underbase) is [`plate_rows`](crate::derive::plate_rows)'s.
///
/// `frame` gives the resolution and the depth. With a background the ground is bare opaque paper,
/// whatever its colour; without one it is transparent.
///
/// # Errors
/// As [`paint`](super::paint); `template.invalid` for exact inks over the profile's limit, or a
/// broken printing condition; `internal.error` when `rules` have no printing condition.
pub fn paint_inks(
    nodes: &[Node],
    rules: &PrintRules,
    spots: &[Arc<str>],
    frame: &Frame,
    limits: &Limits,
    control: Control<'_>,
    sinks: &[&dyn InkSink],
) -> Result<PaintReport, Violation> {
    frame.check(limits)?;
    let paper = frame.background.is_some();
    let parts = rules.parts(nodes);
    let passes: Vec<Vec<(Scope, &[Node])>> = Colorants::passes(rules, spots)
        .into_iter()
        .map(|colorants| match &parts {
            None => vec![(Scope::page(colorants, paper, None), nodes)],
            Some(parts) => parts
                .iter()
                .filter_map(|part| {
                    let lifting = part.plate.as_ref().map(|(name, laid, _)| (name.clone(), *laid));
                    let shown = lifting.as_ref().is_none_or(|(name, laid)| {
                        *laid == crate::catalog::print::Laid::Knockout || colorants.has(name)
                    });
                    shown.then(|| (Scope::page(colorants.clone(), paper, lifting), part.nodes.as_slice()))
                })
                .collect(),
        })
        .collect();
    let (lists, resources) = resolve_passes(&passes, frame.matrix, frame.area(), frame.dpi.per_mm())?;
    let output = Plates { sinks, inks: 4 + spots.len() };
    // Bare paper keeps back no light.
    let ground = paper.then_some([1.0; 3]);
    paint_bands(frame, &lists, &resources, ground, &output, control)
}

/// Bands of three inks each become planes, for every sink.
struct Plates<'a> {
    sinks: &'a [&'a dyn InkSink],
    inks: usize,
}

impl<S: Sample> Output<S> for Plates<'_> {
    fn encode(
        &self,
        area: Area,
        last: bool,
        paint: PaintLayer<'_, S>,
        spent: &Pool<Pixel<S>>,
    ) -> Result<Vec<Packed>, Violation> {
        let mut inks: Vec<Vec<S>> = Vec::with_capacity(self.inks);
        let mut alpha: Vec<S> = Vec::new();
        for pass in 0..self.inks.div_ceil(3) {
            let layer = paint(pass)?;
            if pass == 0 {
                alpha = layer.data.iter().map(|pixel| pixel[3]).collect();
            }
            for channel in 0..(self.inks - pass * 3).min(3) {
                // Light that is missing.
                inks.push(layer.data.iter().map(|pixel| pixel[3].minus(pixel[channel])).collect());
            }
            spent.give(layer.data);
        }
        let (eight, sixteen): (Vec<&[u8]>, Vec<&[u16]>);
        let planes = match S::DEPTH {
            Depth::Eight => {
                eight = inks.iter().map(|plane| bytemuck::cast_slice(plane)).collect();
                Planes::Eight { inks: &eight, alpha: bytemuck::cast_slice(&alpha) }
            }
            Depth::Sixteen => {
                sixteen = inks.iter().map(|plane| bytemuck::cast_slice(plane)).collect();
                Planes::Sixteen { inks: &sixteen, alpha: bytemuck::cast_slice(&alpha) }
            }
        };
        let (width, height) = (area.width(), area.height());
        let band = InkBand { first_row: area.y0 as u32, width, height, last, planes };
        self.sinks.iter().map(|sink| sink.encode(&band)).collect()
    }

    fn write(&self, packed: Vec<Packed>) -> Result<(), Violation> {
        self.sinks.iter().zip(packed).try_for_each(|(sink, packed)| sink.write(packed))
    }
}
