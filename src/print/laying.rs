//! How things meet what lies beneath them on the plates.

use crate::catalog::print::Laid;
use crate::scene::{Blend, Clip, FillRule};
use kurbo::{BezPath, Rect};

/// How one path is laid. `lifting` is how its plate is laid where it is painted after all art.
pub(crate) fn laid(lifting: Option<Laid>, overprints: bool) -> Laid {
    match lifting {
        Some(Laid::Overprint) => Laid::Overprint,
        Some(Laid::Multiply) => Laid::Multiply,
        Some(Laid::Knockout) | None if overprints => Laid::Overprint,
        Some(Laid::Knockout) | None => Laid::Knockout,
    }
}

/// How a group that is composited as a whole meets what lies beneath.
pub(crate) fn group_blend(blend: Blend, lifting: Option<Laid>) -> Blend {
    match (blend, lifting) {
        // A group is never overprinted: only multiplied it leaves the other plates alone.
        (Blend::Normal, Some(Laid::Overprint | Laid::Multiply)) => Blend::Multiply,
        (blend, _) => blend,
    }
}

/// The clip as one outline, where PDF can say it so: one path, or paths that do not meet and
/// are filled alike.
pub(crate) fn single_path(clip: &Clip) -> Option<(BezPath, FillRule)> {
    /// Pairs of outlines are compared: beyond this many a mask is cheaper.
    const MANY: usize = 100;
    let (first, rule) = clip.paths.first()?;
    if clip.paths.len() == 1 {
        return Some(((**first).clone(), *rule));
    }
    if clip.paths.len() > MANY || clip.paths.iter().any(|(_, other)| other != rule) {
        return None;
    }
    let boxes: Vec<Rect> = clip.paths.iter().map(|(path, _)| path.control_box()).collect();
    let apart = |i: usize| {
        boxes[..i].iter().all(|b| {
            let shared = b.intersect(boxes[i]);
            shared.width() <= 0.0 || shared.height() <= 0.0
        })
    };
    (1..boxes.len())
        .all(apart)
        .then(|| (clip.paths.iter().flat_map(|(path, _)| path.iter()).collect(), *rule))
}
