//! What a pass paints: red, green and blue, or three of a surface's inks.
//!
//! Plates are painted by the compositor that paints pictures, three at a time: its channels then
//! hold the light that each ink leaves (one less the ink), which is what PDF's separable blend
//! modes work on (ISO 32000-1, 11.3.5.2 and 11.7.4). Cyan, magenta and yellow share a pass, so
//! that the other modes mix them as PDF does; black comes with the first spot inks.

use super::sample::Sample;
use crate::asset::{Depth, Pixels, Samples};
use crate::control::Control;
use crate::error::Violation;
use crate::print::{Inking, PrintRules, Role};
use crate::scene::{Blend, BlendSpace, ImageNode, Ink};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Pixels that are taken to inks at a time.
const PIECE: usize = 1 << 16;

/// What the three channels of a pass stand for.
#[derive(Debug, Clone)]
pub(super) enum Colorants {
    /// Gamma-encoded sRGB.
    Srgb,
    /// Three inks.
    Inks(Arc<InkPass>),
}

/// Three inks of a surface.
#[derive(Debug)]
pub(super) struct InkPass {
    rules: Arc<PrintRules>,
    channels: [Channel; 3],
    /// Tells resources of this pass from those of others.
    number: usize,
}

/// What a channel stands for.
#[derive(Debug, Clone, PartialEq)]
enum Channel {
    /// Cyan, magenta, yellow or black: 0 to 3.
    Process(usize),
    /// A spot ink, by its plate.
    Spot(Arc<str>),
    /// No ink at all.
    Nothing,
}

/// An ink as the channels hold it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Painted {
    /// The channels' values.
    pub(super) color: [f32; 3],
    /// Channels that the ink leaves alone where it overprints.
    pub(super) spared: [bool; 3],
}

/// How a group's result is blended, channel by channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Mixing {
    /// All channels together.
    Whole(Blend),
    /// Each by itself: `None` leaves what lies beneath.
    Apart([Option<Blend>; 3]),
}

impl Mixing {
    /// Source over.
    pub(super) const NORMAL: Mixing = Mixing::Whole(Blend::Normal);
}

impl Colorants {
    /// The passes that paint cyan, magenta, yellow, black and some spot plates, three at a time.
    pub(super) fn passes(rules: &PrintRules, spots: &[Arc<str>]) -> Vec<Colorants> {
        let rules = Arc::new(rules.clone());
        let mut channels: Vec<Channel> = (0..4).map(Channel::Process).collect();
        channels.extend(spots.iter().cloned().map(Channel::Spot));
        let pass = |(number, channels): (usize, &[Channel])| {
            let channel = |i: usize| channels.get(i).cloned().unwrap_or(Channel::Nothing);
            let channels = [channel(0), channel(1), channel(2)];
            Colorants::Inks(Arc::new(InkPass { rules: rules.clone(), channels, number }))
        };
        channels.chunks(3).enumerate().map(pass).collect()
    }

    /// The prefix of resources that only this pass can use.
    pub(super) fn key(&self) -> String {
        match self {
            Colorants::Srgb => String::new(),
            Colorants::Inks(pass) => format!("inks {} ", pass.number),
        }
    }

    /// The decisions about inks, where inks are painted.
    pub(super) fn inking(&self) -> Option<Inking<'_>> {
        match self {
            Colorants::Srgb => None,
            Colorants::Inks(pass) => Some(pass.inking()),
        }
    }

    /// True where one of the channels is this plate.
    pub(super) fn has(&self, plate: &str) -> bool {
        match self {
            Colorants::Srgb => true,
            Colorants::Inks(pass) => pass.channels.iter().any(|c| c.is(plate)),
        }
    }

    /// Channels that stand for anything but these plates.
    pub(super) fn others(&self, plates: &BTreeSet<Arc<str>>) -> [bool; 3] {
        match self {
            Colorants::Srgb => [false; 3],
            Colorants::Inks(pass) => {
                pass.channels.each_ref().map(|channel| !plates.iter().any(|plate| channel.is(plate)))
            }
        }
    }

    /// An ink in the channels.
    ///
    /// # Errors
    /// `template.invalid` for exact inks over the profile's limit.
    pub(super) fn ink(&self, ink: &Ink, role: Role) -> Result<Painted, Violation> {
        match self {
            Colorants::Srgb => Ok(Painted { color: ink.to_srgb(), spared: [false; 3] }),
            Colorants::Inks(pass) => pass.ink(ink, role),
        }
    }

    /// A blend mode in the channels. In inks black follows the rule of PDF for modes that take
    /// all colour together, and spot inks know only separable modes that leave white white.
    pub(super) fn mixing(&self, blend: Blend) -> Mixing {
        let Colorants::Inks(pass) = self else { return Mixing::Whole(blend) };
        let together = matches!(blend, Blend::Hue | Blend::Saturation | Blend::Color | Blend::Luminosity);
        let inverting = matches!(blend, Blend::Difference | Blend::Exclusion);
        let for_spots = if together || inverting { Blend::Normal } else { blend };
        if pass.channels[0] == Channel::Process(0) || (!together && for_spots == blend) {
            return Mixing::Whole(blend);
        }
        Mixing::Apart([0, 1, 2].map(|i: usize| match &pass.channels[i] {
            Channel::Process(_) if together && blend != Blend::Luminosity => None,
            Channel::Process(_) if together => Some(Blend::Normal),
            Channel::Process(_) => Some(blend),
            Channel::Spot(_) | Channel::Nothing => Some(for_spots),
        }))
    }

    /// The channels of a picture's own process inks, three components a pixel, where they are
    /// printed as they are.
    ///
    /// # Errors
    /// As decoding it.
    pub(super) fn own_inks<S: Sample>(
        &self,
        node: &ImageNode,
        control: Control<'_>,
    ) -> Result<Option<Pixels>, Violation> {
        let Colorants::Inks(pass) = self else { return Ok(None) };
        let plain = node.adjust.is_empty() && node.matte.is_none() && !node.pixelated;
        if !plain || !pass.inking().keeps(node.picture.source().icc()) {
            return Ok(None);
        }
        let Some(pixels) = node.picture.decode_inks(S::DEPTH, control)? else { return Ok(None) };
        let data = match pixels.data {
            Samples::Rgba8(inks) => Samples::Rgb8(pass.light(&inks)),
            Samples::Rgba16(inks) => Samples::Rgb16(pass.light(&inks)),
            Samples::Rgb8(_) | Samples::Rgb16(_) => return Ok(None),
        };
        Ok(Some(Pixels { data, ..pixels }))
    }

    /// Takes premultiplied sRGB pixels of so many components to the channels.
    ///
    /// # Errors
    /// `template.invalid` when the printing condition's table cannot be computed.
    pub(super) fn convert<S: Sample>(&self, data: &mut [S], components: usize) -> Result<(), Violation> {
        match self {
            Colorants::Srgb => Ok(()),
            Colorants::Inks(pass) => {
                data.chunks_mut(PIECE * components).try_for_each(|piece| pass.convert(piece, components))
            }
        }
    }
}

impl Channel {
    fn is(&self, plate: &str) -> bool {
        matches!(self, Channel::Spot(name) if **name == *plate)
    }
}

impl InkPass {
    fn inking(&self) -> Inking<'_> {
        Inking { rules: &self.rules, blend: BlendSpace::Process }
    }

    fn ink(&self, ink: &Ink, role: Role) -> Result<Painted, Violation> {
        Ok(match ink {
            Ink::Process(color) => {
                let inks = self.inking().printed(*color, role)?;
                let of = |channel: &Channel| match channel {
                    Channel::Process(i) => inks[*i].clamp(0.0, 1.0),
                    Channel::Spot(_) | Channel::Nothing => 0.0,
                };
                let inks = self.channels.each_ref().map(of);
                // What overprints spares every ink that it has nothing of.
                Painted { color: inks.map(|ink| 1.0 - ink), spared: inks.map(|ink| ink <= 0.0) }
            }
            Ink::Spot { name, tint, .. } => {
                let own = self.channels.each_ref().map(|channel| channel.is(name));
                let color = own.map(|own| if own { 1.0 - tint.clamp(0.0, 1.0) } else { 1.0 });
                Painted { color, spared: own.map(|own| !own) }
            }
        })
    }

    /// What process inks leave of the light in the channels.
    fn light<S: Sample>(&self, inks: &[S]) -> Vec<S> {
        let of = |pixel: &[S; 4], channel: &Channel| match channel {
            Channel::Process(i) => pixel[*i].inverse(),
            Channel::Spot(_) | Channel::Nothing => S::MAX,
        };
        let (pixels, _) = inks.as_chunks::<4>();
        pixels.iter().flat_map(|pixel| self.channels.each_ref().map(|channel| of(pixel, channel))).collect()
    }

    fn convert<S: Sample>(&self, data: &mut [S], components: usize) -> Result<(), Violation> {
        let alpha = |pixel: &[S]| if components == 4 { pixel[3] } else { S::MAX };
        if !self.channels.iter().any(|c| matches!(c, Channel::Process(_))) {
            // Pictures have nothing of a spot ink.
            for pixel in data.chunks_exact_mut(components) {
                let alpha = alpha(pixel);
                pixel[..3].fill(alpha);
            }
            return Ok(());
        }
        let straight: Vec<[S; 3]> = data
            .chunks_exact(components)
            .map(|pixel| [pixel[0], pixel[1], pixel[2]].map(|c| c.over(alpha(pixel))))
            .collect();
        let inks = inks_of(&self.inking(), &straight)?;
        for (pixel, inks) in data.chunks_exact_mut(components).zip(inks) {
            let alpha = alpha(pixel);
            for (value, channel) in pixel.iter_mut().zip(&self.channels) {
                *value = match channel {
                    Channel::Process(i) => inks[*i].inverse().mul(alpha),
                    Channel::Spot(_) | Channel::Nothing => alpha,
                };
            }
        }
        Ok(())
    }
}

/// The inks of straight sRGB pixels of either depth.
fn inks_of<S: Sample>(inking: &Inking<'_>, pixels: &[[S; 3]]) -> Result<Vec<[S; 4]>, Violation> {
    Ok(match S::DEPTH {
        Depth::Eight => bytemuck::cast_slice(&inking.pixels_8(bytemuck::cast_slice(pixels))?).to_vec(),
        Depth::Sixteen => bytemuck::cast_slice(&inking.pixels_16(bytemuck::cast_slice(pixels))?).to_vec(),
    })
}
