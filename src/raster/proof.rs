//! The soft proof: plates on paper, seen on a screen.
//!
//! Process inks are looked up in the printing condition (relative colorimetric with black point
//! compensation, to sRGB). A spot ink is laid over them by its alternate in process inks, in
//! proportion to its tint, and a foil covers them. White ink is white: it shows where the ground is not paper. What is no
//! colour on the sheet is left out: lines to cut and to crease, varnish, embossing.

use super::inks::{InkBand, InkSink, Planes};
use super::sample::{Pixel, Sample};
use super::sink::{Band, Packed, Rows, Sink};
use crate::asset::Depth;
use crate::catalog::print::Step;
use crate::color::Press;
use crate::error::Violation;
use crate::print::PrintRules;
use crate::scene::{Color, Ink};
use std::sync::Arc;

/// What a spot ink is on a proof.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Seen {
    /// Process inks that look like it; what lies beneath shows through.
    Through([f32; 4]),
    /// Process inks that look like it; it covers what lies beneath.
    Over([f32; 4]),
    /// Opaque white.
    White,
}

/// Hands proofs of painted plates on to a picture's sink.
pub struct Proof<'a> {
    sink: &'a dyn Sink,
    press: Arc<Press>,
    spots: Vec<Seen>,
    /// Gamma-encoded sRGB beneath the print.
    ground: Option<[f32; 3]>,
}

impl<'a> Proof<'a> {
    /// A proof for `sink` on a ground of its own (paper, a garment) or on none. Gives the spot
    /// inks, of those that the nodes use, that have to be painted for it, as they lie on each other.
    pub fn new(
        sink: &'a dyn Sink,
        press: &Arc<Press>,
        rules: &PrintRules,
        used: &[Ink],
        ground: Option<Color>,
    ) -> (Self, Vec<Arc<str>>) {
        let (mut names, mut spots): (Vec<Arc<str>>, Vec<Seen>) = (Vec::new(), Vec::new());
        // What is painted after all art lies on top.
        let mut used: Vec<_> = used
            .iter()
            .filter_map(|ink| match ink {
                Ink::Spot { name, alternate, .. } => Some((rules.plates.get(name), name, alternate)),
                Ink::Process(_) => None,
            })
            .collect();
        used.sort_by_key(|(plate, ..)| plate.and_then(|plate| plate.turn));
        for (plate, name, alternate) in used {
            let color = plate.map_or(*alternate, |plate| plate.alternate);
            if let Some(seen) = seen(plate.and_then(|plate| plate.step), color, press) {
                names.push(name.clone());
                spots.push(seen);
            }
        }
        let ground = ground.map(Color::to_srgb);
        (Proof { sink, press: press.clone(), spots, ground }, names)
    }

    /// Premultiplied sRGB pixels of planes.
    fn pixels<S: Sample>(&self, inks: &[&[S]], alpha: &[S]) -> Result<Vec<Pixel<S>>, Violation> {
        let ground = self.ground.map(|rgb| rgb.map(S::from_unit));
        let mut straight: Vec<[S; 4]> = Vec::with_capacity(alpha.len());
        let mut opaque: Vec<S> = Vec::with_capacity(alpha.len());
        for (i, alpha) in alpha.iter().enumerate() {
            let mut pixel = [inks[0][i], inks[1][i], inks[2][i], inks[3][i]];
            let mut alpha = *alpha;
            for (seen, plane) in self.spots.iter().zip(&inks[4..]) {
                let tint = plane[i];
                if tint == S::ZERO {
                    continue;
                }
                alpha = alpha.max(tint);
                match seen {
                    Seen::Through(alternate) => {
                        for (ink, full) in pixel.iter_mut().zip(alternate) {
                            *ink = ink.plus(tint.mul(S::from_unit(*full))).min(alpha);
                        }
                    }
                    Seen::Over(alternate) => {
                        for (ink, full) in pixel.iter_mut().zip(alternate) {
                            *ink = ink.mul(tint.inverse()).plus(tint.mul(S::from_unit(*full))).min(alpha);
                        }
                    }
                    Seen::White => {}
                }
            }
            straight.push(pixel.map(|ink| ink.over(alpha)));
            opaque.push(alpha);
        }
        let colors = match S::DEPTH {
            Depth::Eight => {
                let seen = self.press.proof_8(bytemuck::cast_slice(&straight))?;
                bytemuck::cast_slice::<_, [S; 3]>(&seen).to_vec()
            }
            Depth::Sixteen => {
                let seen = self.press.proof_16(bytemuck::cast_slice(&straight))?;
                bytemuck::cast_slice::<_, [S; 3]>(&seen).to_vec()
            }
        };
        let put = |(color, alpha): ([S; 3], S)| {
            let [r, g, b] = color.map(|c| c.mul(alpha));
            match ground {
                None => [r, g, b, alpha],
                Some(beneath) => {
                    let rest = beneath.map(|c| c.mul(alpha.inverse()));
                    [r.plus(rest[0]), g.plus(rest[1]), b.plus(rest[2]), S::MAX]
                }
            }
        };
        Ok(colors.into_iter().zip(opaque).map(put).collect())
    }
}

/// What a spot ink is on a proof; `None` where it is not seen.
fn seen(step: Option<Step>, alternate: Color, press: &Press) -> Option<Seen> {
    let inks = || match alternate {
        Color::Cmyk(inks) => inks,
        Color::Srgb(_) | Color::Grey(_) => press.inks(alternate.to_srgb()),
    };
    match step {
        Some(Step::White) => Some(Seen::White),
        None => Some(Seen::Through(inks())),
        Some(step) => step.is_color().then(|| Seen::Over(inks())),
    }
}

impl InkSink for Proof<'_> {
    fn encode(&self, band: &InkBand<'_>) -> Result<Packed, Violation> {
        let (eight, sixteen);
        let rows = match band.planes {
            Planes::Eight { inks, alpha } => {
                eight = self.pixels(inks, alpha)?;
                Rows::Eight(&eight)
            }
            Planes::Sixteen { inks, alpha } => {
                sixteen = self.pixels(inks, alpha)?;
                Rows::Sixteen(&sixteen)
            }
        };
        let InkBand { first_row, width, height, last, .. } = *band;
        self.sink.encode(&Band { first_row, width, height, last, rows })
    }

    fn write(&self, packed: Packed) -> Result<(), Violation> {
        self.sink.write(packed)
    }
}
