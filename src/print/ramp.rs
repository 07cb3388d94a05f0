//! Gradients as they are printed: between which inks they run straight.

use super::rules::Inking;
use crate::scene::{BlendSpace, Color, Ink};

/// Pieces that a stretch between two converted colours is cut into: inks do not run straight
/// where sRGB does.
const PIECES: usize = 16;

/// The same as [`ramp`] where all is painted in inks: what a document leaves in sRGB is interpolated there
/// and printed by the condition.
pub(crate) fn printed_ramp(stops: &[(f32, Ink, f32)], inking: Inking<'_>) -> Vec<(f64, Ink)> {
    let stops = ramp(stops, inking);
    if inking.condition().is_none() || inking.converter().is_some() {
        return stops;
    }
    let mut out: Vec<(f64, Ink)> = Vec::with_capacity(stops.len());
    for (offset, ink) in stops {
        if let (Some((at, Ink::Process(Color::Srgb(from)))), Ink::Process(Color::Srgb(to))) =
            (out.last(), &ink)
            && from != to
        {
            let (at, from, to) = (*at, *from, *to);
            let between = pieces(from, to).map(|(part, color)| {
                (at + (offset - at) * f64::from(part), Ink::Process(Color::Srgb(color)))
            });
            out.extend(between);
        }
        out.push((offset, ink));
    }
    out
}

/// The places between two colours, and the colours there.
fn pieces(from: [f32; 3], to: [f32; 3]) -> impl Iterator<Item = (f32, [f32; 3])> {
    (1..PIECES).map(move |piece| {
        let part = piece as f32 / PIECES as f32;
        (part, std::array::from_fn(|i| from[i] + (to[i] - from[i]) * part))
    })
}

/// Offsets and inks whose straight connection is the gradient. Colours are interpolated in sRGB
/// whatever they were given in, save that exact inks among themselves stay exact; tints as tints.
pub(crate) fn ramp(stops: &[(f32, Ink, f32)], inking: Inking<'_>) -> Vec<(f64, Ink)> {
    let exact = |ink: &Ink| matches!(ink, Ink::Process(Color::Cmyk(_)));
    let keep = inking.blend == BlendSpace::Process && stops.iter().all(|(_, ink, _)| exact(ink));
    let mut out: Vec<(f64, Ink)> = Vec::with_capacity(stops.len());
    let mut last: Option<(f64, [f32; 3])> = None;
    for (offset, ink, _) in stops {
        let offset = f64::from(*offset);
        let Ink::Process(color) = ink else {
            out.push((offset, ink.clone()));
            continue;
        };
        if keep {
            out.push((offset, ink.clone()));
            continue;
        }
        let to = match (color, inking.condition()) {
            (Color::Cmyk(inks), Some(condition)) => condition.press.proof(*inks),
            (Color::Cmyk(_) | Color::Srgb(_) | Color::Grey(_), _) => color.to_srgb(),
        };
        if let (Some((at, from)), Some(condition)) = (last, inking.converter())
            && from != to
        {
            for (part, between) in pieces(from, to) {
                let inks = condition.converted(between);
                out.push((at + (offset - at) * f64::from(part), Ink::Process(Color::Cmyk(inks))));
            }
        }
        let stop = match inking.converter() {
            Some(condition) => Color::Cmyk(condition.converted(to)),
            None => Color::Srgb(to),
        };
        out.push((offset, Ink::Process(stop)));
        last = Some((offset, to));
    }
    out
}
