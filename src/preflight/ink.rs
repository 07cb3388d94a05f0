//! How much ink colours and pictures ask for, in the inks of the output intent.
//!
//! Declared inks are added up. Tagged RGB goes through the intent's profile first, as it will at
//! the press. A picture is decoded once a file, a piece of its rows at a time, and says how much
//! of it is over the limit; a speck is no fault, an area is.

use super::content::Mode;
use super::context::Context;
use super::marks::{Kind, Mark};
use super::read::{Dict, Indirect, PdfFile, ReadError};
use super::rule::Rule;
use super::samples::Claim;
use super::space::Space;
use crate::asset::{Depth, Limits, Samples, jpeg_samples};
use crate::color::{Channels, Components, Press, Raster, RenderingIntent, Source, to_srgb};
use crate::order::event::Verdict;
use crate::scene::MM_PER_PT;
use kurbo::Shape;
use std::borrow::Cow;
use std::io::{Read, Seek};
use std::sync::Arc;

/// Percent over the limit that rounding on the way may make of ink at the limit.
const SLACK: f64 = 1.5;
/// Square millimetres of a picture that may be over the limit: ringing at its edges.
const SPECK: f64 = 1.0;
/// Pixels that are converted at a time.
const PIECE: usize = 1 << 18;
/// Pixels of a picture that are looked at; of larger ones every second, third … row is.
const LOOKED_AT: usize = 16_000_000;

/// What a picture asks for.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct PictureInk {
    /// The most ink of a pixel, in per cent.
    pub(crate) most: f64,
    /// How much of the picture is over the limit, 0 to 1.
    pub(crate) over: f64,
}

impl<R> Context<'_, R> {
    /// Ink of one mark.
    pub(crate) fn check_ink(&mut self, mark: &Mark<'_>, mode: Mode) {
        let Some(limit) = self.findings.wish.ink_limit else { return };
        if let Some(load) = mark.load {
            let side = self.boxes.map_or(1.0, |boxes| boxes.unit) * MM_PER_PT;
            let area = load.over * mark.outline.area().abs() * side * side;
            if area > SPECK {
                let detail = format!(
                    "A picture asks for up to {:.0} % of ink, {area:.0} mm² of it for more than the {limit:.0} % that the paper takes; convert it for this press.",
                    load.most
                );
                self.find(Rule::InkLimit, mark.bounds, mode, detail);
            }
            return;
        }
        if matches!(mark.kind, Kind::Image { stencil: false, .. } | Kind::Shading) {
            return;
        }
        if self.is_register_mark(mark, mode) {
            return;
        }
        let Some(inks) = self.colour_ink(&mark.ink.space, &mark.ink.values) else { return };
        let slack = if matches!(&*mark.ink.space, Space::Defined { .. }) { SLACK } else { 1e-6 };
        if inks > limit + slack {
            let detail = format!(
                "A colour asks for {inks:.0} % of ink, and the paper takes {limit:.0} %; make it lighter."
            );
            self.find(Rule::InkLimit, mark.bounds, mode, detail);
        }
    }

    /// The ink of a colour, in per cent; `None` where nothing says so. Tagged inks are taken as they are.
    fn colour_ink(&mut self, space: &Space, values: &[f64]) -> Option<f64> {
        match space {
            // It prints on every plate of the press.
            Space::Inks { names, .. } if *names == ["All"] => {
                let plates = self.intent.unwrap_or(4) as f64;
                values.first().map(|tint| tint.clamp(0.0, 1.0) * plates * 100.0)
            }
            Space::Cmyk | Space::Inks { .. } | Space::Defined { components: 4, .. } => {
                Some(values.iter().fold(0.0, |sum, v| sum + v.clamp(0.0, 1.0)) * 100.0)
            }
            Space::Defined { components: 3, icc } => self.tagged_ink(*icc, values),
            Space::Indexed(base, table) => {
                let (count, index) = (base.components()?, *values.first()? as usize);
                let colour = table.get(index.checked_mul(count)?..)?.get(..count)?;
                let colour: Vec<f64> = colour.iter().map(|v| f64::from(*v) / 255.0).collect();
                self.colour_ink(base, &colour)
            }
            Space::Gray | Space::Rgb | Space::Lab | Space::Defined { .. } | Space::Pattern(_) => None,
        }
    }

    /// The ink that a tagged colour becomes, in per cent; `None` where nothing says so.
    fn tagged_ink(&mut self, icc: Option<u32>, values: &[f64]) -> Option<f64> {
        let press = self.press.clone()?;
        let rgb: [u8; 3] = std::array::from_fn(|i| {
            let value = values.get(i).copied().unwrap_or(0.0);
            (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
        });
        if let Some(known) = self.tagged_inks.get(&(icc, rgb)) {
            return Some(*known);
        }
        let profile = icc.and_then(|number| self.icc.get(&number).cloned());
        let srgb = as_srgb(profile.as_ref(), rgb.to_vec())?;
        let [r, g, b] = *srgb.first()?;
        let inks = press.inks([r, g, b].map(|v| f32::from(v) / 255.0));
        let sum = inks.iter().map(|v| f64::from(*v)).sum::<f64>() * 100.0;
        if self.tagged_inks.len() < 100_000 {
            self.tagged_inks.insert((icc, rgb), sum);
        }
        Some(sum)
    }
}

impl<R: Read + Seek> Context<'_, R> {
    /// What a picture asks for, measured once a file, and how many bytes of samples it has where they
    /// were gone through. Nothing where its inks are not known: a filter that is not read, no limit, no intent.
    pub(crate) fn picture_ink(
        &mut self,
        object: &Indirect,
        dict: &Dict,
        claim: Claim<'_>,
    ) -> Result<(Option<PictureInk>, Option<u64>), ReadError> {
        let nothing = Ok((None, None));
        let (Some(limit), Some(space)) = (self.findings.wish.ink_limit, claim.space) else { return nothing };
        let silent = self.findings.wish.verdict(Rule::InkLimit) == Verdict::Pass;
        if silent || !self.is_inked(space, limit) {
            return nothing;
        }
        if let Some(known) = claim.number.and_then(|number| self.loads.get(&number)) {
            return Ok((Some(*known), None));
        }
        let [Some(width), Some(height)] = claim.size else { return nothing };
        let mut load = Load::new(space, limit, u64::from(width) * u64::from(height));
        let filters = self.file.filters(dict)?;
        let lens = self.lens(load.base());
        let (mut measured, mut counted) = (false, None);
        if filters.last().is_some_and(|(name, _)| name == "DCTDecode") {
            measured = self.jpeg_load(object, filters.len(), &mut load, claim.turned, &lens)?;
        } else if let Some(rows) = claim.rows() {
            let control = self.control;
            let turned = claim.turned && load.table.is_none();
            let whole = load.table.is_some();
            let mut give = |piece: &[u8]| {
                control.check().map_err(ReadError::Stopped)?;
                load.add(&rows.eight(piece, whole), turned, &lens);
                Ok(true)
            };
            counted = self.file.pieces(object, rows.piece(), &mut give)?;
            measured = counted.is_some();
        }
        let found = if measured { load.finish() } else { None };
        if let (Some(number), Some(found)) = (claim.number, found) {
            self.loads.insert(number, found);
        }
        Ok((found, counted))
    }

    /// True for a space whose colours may ask for more than the limit.
    fn is_inked(&mut self, space: &Space, limit: f64) -> bool {
        match space {
            Space::Cmyk | Space::Defined { components: 4, .. } => true,
            Space::Inks { names, .. } => names.len() as f64 * 100.0 > limit,
            // A press that never exceeds the limit need not be asked.
            Space::Defined { components: 3, .. } => self.press_exceeds(limit),
            Space::Indexed(base, _) => self.is_inked(base, limit),
            Space::Defined { .. } | Space::Gray | Space::Lab | Space::Rgb | Space::Pattern(_) => false,
        }
    }

    fn jpeg_load(
        &mut self,
        object: &Indirect,
        filters: usize,
        load: &mut Load,
        turned: bool,
        lens: &Lens,
    ) -> Result<bool, ReadError> {
        let Some(file) = jpeg_data(&mut self.file, object, filters)? else { return Ok(false) };
        let Ok((raster, inverted)) = jpeg_samples(&file, &Limits::default()) else { return Ok(false) };
        let fits = raster.channels.count() == load.channels;
        let Components::Eight(values) = raster.components else { return Ok(false) };
        if !fits || load.table.is_some() {
            return Ok(false);
        }
        for piece in values.chunks(PIECE * load.channels) {
            self.control.check().map_err(ReadError::Stopped)?;
            // An inverting array undoes what an Adobe file inverts.
            load.add(piece, turned != inverted, lens);
        }
        Ok(true)
    }

    /// How samples of a space become inks.
    fn lens(&self, space: &Space) -> Lens {
        if let (Space::Defined { components: 3, icc }, Some(press)) = (space, &self.press) {
            let profile = icc.and_then(|number| self.icc.get(&number).cloned());
            return Lens::Tagged { profile, press: press.clone() };
        }
        Lens::Inks
    }

    /// True where the intent's own table makes more ink of some sRGB colour than the limit.
    fn press_exceeds(&mut self, limit: f64) -> bool {
        let Some(press) = self.press.clone() else { return false };
        let most = *self.press_most.get_or_insert_with(|| {
            let steps = 17_u32;
            let level = |n: u32| n as f32 / (steps - 1) as f32;
            (0..steps * steps * steps)
                .map(|i| press.inks([level(i % steps), level(i / steps % steps), level(i / steps / steps)]))
                .map(|inks| f64::from(inks.iter().sum::<f32>()) * 100.0)
                .fold(0.0, f64::max)
        });
        most > limit + SLACK
    }
}

/// A JPEG's bytes, whatever it is packed in besides.
pub(crate) fn jpeg_data<R: Read + Seek>(
    file: &mut PdfFile<R>,
    object: &Indirect,
    filters: usize,
) -> Result<Option<Vec<u8>>, ReadError> {
    if filters == 1 { file.raw(object) } else { file.unpacked(object).map(|(data, _)| Some(data)) }
}

/// Rows of samples, each of which begins with a byte of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows {
    pub(crate) width: usize,
    pub(crate) channels: usize,
    pub(crate) bits: u8,
}

impl Rows {
    /// Bytes of a row.
    pub(crate) fn bytes(self) -> u64 {
        (self.width as u64 * self.channels as u64 * u64::from(self.bits)).div_ceil(8).max(1)
    }

    /// Bytes of whole rows that are gone through at a time.
    pub(crate) fn piece(self) -> usize {
        let row = usize::try_from(self.bytes()).unwrap_or(usize::MAX);
        row.saturating_mul((PIECE * self.channels / row).max(1))
    }

    /// Samples as bytes: stretched to 255, or, of indexes, as they are.
    fn eight(self, piece: &[u8], indexes: bool) -> Cow<'_, [u8]> {
        match self.bits {
            8 => Cow::Borrowed(piece),
            16 => piece.iter().step_by(2).copied().collect(),
            bits => {
                let by = if indexes { 1 } else { u8::MAX / (u8::MAX >> (8 - bits)) };
                let rows = piece.chunks(usize::try_from(self.bytes()).unwrap_or(usize::MAX));
                let samples = |row| (0..self.width * self.channels).map_while(move |i| self.sample(row, i));
                rows.flat_map(samples).map(|value| value * by).collect()
            }
        }
    }
}

/// How a picture's samples become inks.
enum Lens {
    /// They are inks.
    Inks,
    /// RGB of a profile, or sRGB, through the press's.
    Tagged { profile: Option<Arc<[u8]>>, press: Arc<Press> },
}

/// A picture under the meter.
struct Load {
    space: Space,
    /// Samples of a pixel.
    channels: usize,
    /// The colours that samples stand for, where they stand for colours.
    table: Option<Arc<[u8]>>,
    /// Every so many pixels are looked at.
    step: usize,
    bar: u32,
    most: u32,
    over: u64,
    seen: u64,
    lost: bool,
}

impl Load {
    fn new(space: &Space, limit: f64, pixels: u64) -> Load {
        // An odd step does not run down a column.
        let step = usize::try_from(pixels).unwrap_or(usize::MAX).div_ceil(LOOKED_AT).max(1) | 1;
        let (base, table) = match space {
            Space::Indexed(base, table) => ((**base).clone(), Some(table.clone())),
            Space::Gray
            | Space::Rgb
            | Space::Cmyk
            | Space::Defined { .. }
            | Space::Lab
            | Space::Inks { .. }
            | Space::Pattern(_) => (space.clone(), None),
        };
        Load {
            channels: space.components().unwrap_or(1),
            space: base,
            table,
            step,
            bar: ((limit + SLACK) * 2.55) as u32,
            most: 0,
            over: 0,
            seen: 0,
            lost: false,
        }
    }

    /// The space whose values are inks, or become some.
    fn base(&self) -> &Space {
        &self.space
    }

    fn add(&mut self, piece: &[u8], turned: bool, lens: &Lens) {
        if let Some(table) = self.table.clone() {
            let count = self.space.components().unwrap_or(1);
            let colour = |index: &u8| table.get(usize::from(*index) * count..)?.get(..count);
            let chosen: Vec<u8> =
                piece.iter().step_by(self.step).filter_map(colour).flatten().copied().collect();
            return self.measure(&chosen, count, 1, turned, lens);
        }
        self.measure(piece, self.channels, self.step, turned, lens);
    }

    fn measure(&mut self, samples: &[u8], channels: usize, step: usize, turned: bool, lens: &Lens) {
        let value = |v: u8| if turned { 255 - v } else { v };
        let chosen = samples.chunks_exact(channels).step_by(step);
        match lens {
            Lens::Inks => {
                chosen.for_each(|p| self.count(p.iter().map(|v| u32::from(value(*v))).sum()));
            }
            Lens::Tagged { profile, press } => {
                let values = chosen.flatten().map(|v| value(*v)).collect();
                let inks = as_srgb(profile.as_ref(), values).and_then(|rgb| press.inks_8(&rgb).ok());
                match inks {
                    Some(inks) => inks.iter().for_each(|p| self.count(p.iter().map(|v| u32::from(*v)).sum())),
                    None => self.lost = true,
                }
            }
        }
    }

    fn count(&mut self, sum: u32) {
        self.most = self.most.max(sum);
        self.over += u64::from(sum > self.bar);
        self.seen += 1;
    }

    fn finish(self) -> Option<PictureInk> {
        let over = self.over as f64 / self.seen.max(1) as f64;
        (!self.lost).then_some(PictureInk { most: f64::from(self.most) / 2.55, over })
    }
}

/// Samples of a tagged space in sRGB.
fn as_srgb(profile: Option<&Arc<[u8]>>, samples: Vec<u8>) -> Option<Vec<[u8; 3]>> {
    let source = profile.map_or(Source::Srgb, |icc| Source::Icc(icc.clone()));
    let raster = Raster {
        width: u32::try_from(samples.len() / 3).ok()?,
        height: 1,
        channels: Channels::Rgb,
        components: Components::Eight(samples),
    };
    match to_srgb(raster, &source, Depth::Eight).ok()? {
        Samples::Rgb8(values) => Some(values.as_chunks::<3>().0.to_vec()),
        Samples::Rgba8(_) | Samples::Rgb16(_) | Samples::Rgba16(_) => None,
    }
}

/// The press of an output intent.
pub(crate) fn press_of(icc: Vec<u8>) -> Option<Arc<Press>> {
    Press::open(icc.into(), RenderingIntent::RelativeColorimetric, true).ok().map(Arc::new)
}
