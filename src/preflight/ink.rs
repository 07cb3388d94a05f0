//! How much ink colours and pictures ask for, in the inks of the output intent.
//!
//! Declared inks are added up. Tagged RGB goes through the intent's profile first, as it will at
//! the press. A picture is decoded once a file, a piece of its rows at a time, and says how much
//! of it is over the limit; a speck is no fault, an area is.

use super::content::Mode;
use super::context::Context;
use super::marks::{Kind, Mark};
use super::read::{Dict, Indirect, ReadError, Value, filters};
use super::rule::Rule;
use super::space::Space;
use crate::asset::{Depth, Limits, Samples, jpeg_samples};
use crate::color::{Channels, Components, Press, Raster, RenderingIntent, Source, to_srgb};
use crate::order::event::Verdict;
use crate::scene::MM_PER_PT;
use kurbo::Shape;
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
        let inks = match &*mark.ink.space {
            Space::Cmyk | Space::Inks { .. } => {
                mark.ink.values.iter().fold(0.0, |sum, v| sum + v.clamp(0.0, 1.0)) * 100.0
            }
            Space::Defined { components: 3, icc } => {
                let Some(inks) = self.tagged_ink(*icc, &mark.ink.values) else { return };
                inks
            }
            Space::Gray
            | Space::Rgb
            | Space::Lab
            | Space::Defined { .. }
            | Space::Indexed(_)
            | Space::Pattern(_) => {
                return;
            }
        };
        let slack = if matches!(&*mark.ink.space, Space::Defined { .. }) { SLACK } else { 1e-6 };
        if inks > limit + slack {
            let detail = format!(
                "A colour asks for {inks:.0} % of ink, and the paper takes {limit:.0} %; make it lighter."
            );
            self.find(Rule::InkLimit, mark.bounds, mode, detail);
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
    /// What a picture asks for; measured once a file. `None` where its inks are not known: a
    /// filter that is not read, no limit, no intent.
    pub(crate) fn picture_ink(
        &mut self,
        number: Option<u32>,
        object: &Indirect,
        dict: &Dict,
        space: &Space,
    ) -> Result<Option<PictureInk>, ReadError> {
        let Some(limit) = self.findings.wish.ink_limit else { return Ok(None) };
        if self.findings.wish.verdict(Rule::InkLimit) == Verdict::Pass {
            return Ok(None);
        }
        let inked = match space {
            Space::Cmyk => true,
            // A press that never exceeds the limit need not be asked.
            Space::Defined { components: 3, .. } => self.press_exceeds(limit),
            Space::Defined { .. }
            | Space::Inks { .. }
            | Space::Gray
            | Space::Lab
            | Space::Rgb
            | Space::Indexed(_)
            | Space::Pattern(_) => false,
        };
        if !inked {
            return Ok(None);
        }
        if let Some(known) = number.and_then(|number| self.loads.get(&number)) {
            return Ok(Some(*known));
        }
        let decode = self.file.list(dict, "Decode")?.unwrap_or_default();
        let turned = decode.first().and_then(Value::number).is_some_and(|v| v > 0.5);
        let side = |value: Option<Value>| value.and_then(|v| v.int()).and_then(|n| u64::try_from(n).ok());
        let size = side(self.file.entry(dict, "Width")?).zip(side(self.file.entry(dict, "Height")?));
        let pixels = size.map_or(0, |(width, height)| width.saturating_mul(height));
        let mut load = Load::new(space, limit, pixels);
        let names: Vec<String> = filters(dict).into_iter().map(|(name, _)| name).collect();
        let bits = self.file.entry(dict, "BitsPerComponent")?.and_then(|v| v.int());
        let measured = if names == ["DCTDecode"] {
            self.jpeg_load(object, &mut load, turned)?
        } else if bits == Some(8) {
            let lens = self.lens(space);
            let control = self.control;
            let length = load.channels * PIECE;
            let mut give = |piece: &[u8]| {
                control.check().map_err(ReadError::Stopped)?;
                load.add(piece, turned, &lens);
                Ok(())
            };
            self.file.pieces(object, length, &mut give)?
        } else {
            None
        };
        let found = measured.and_then(|()| load.finish());
        if let (Some(number), Some(found)) = (number, found) {
            self.loads.insert(number, found);
        }
        Ok(found)
    }

    fn jpeg_load(
        &mut self,
        object: &Indirect,
        load: &mut Load,
        turned: bool,
    ) -> Result<Option<()>, ReadError> {
        let Some(file) = self.file.raw(object)? else { return Ok(None) };
        let Ok((raster, inverted)) = jpeg_samples(&file, &Limits::default()) else { return Ok(None) };
        let fits = raster.channels.count() == load.channels;
        let Components::Eight(values) = raster.components else { return Ok(None) };
        if !fits {
            return Ok(None);
        }
        let lens = self.lens(&load.space);
        for piece in values.chunks(PIECE * load.channels) {
            self.control.check().map_err(ReadError::Stopped)?;
            // An inverting array undoes what an Adobe file inverts.
            load.add(piece, turned != inverted, &lens);
        }
        Ok(Some(()))
    }

    /// How samples of a space become inks.
    fn lens(&self, space: &Space) -> Lens {
        if let (Space::Defined { icc, .. }, Some(press)) = (space, &self.press) {
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
    channels: usize,
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
        Load {
            channels: space.components().unwrap_or(1),
            space: space.clone(),
            step,
            bar: ((limit + SLACK) * 2.55) as u32,
            most: 0,
            over: 0,
            seen: 0,
            lost: false,
        }
    }

    fn add(&mut self, piece: &[u8], turned: bool, lens: &Lens) {
        let value = |v: u8| if turned { 255 - v } else { v };
        let chosen = piece.chunks_exact(self.channels).step_by(self.step);
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
