//! What a drawing cannot hold.

use crate::error::{Code, Violation};
use crate::print::part;
use crate::scene::{Ink, Paint, Stops};

/// Something that only a picture could hold.
pub(super) fn unsupported(what: &str) -> Violation {
    Violation::new(
        Code::SvgUnsupported,
        format!(
            "a drawing for a cutter or a laser holds plain outlines; this surface has {what}. \
             Draw it otherwise, or set svg.content to \"spots\" in the profile"
        ),
    )
}

/// A paint of more than one tone, in a spot ink.
pub(super) fn is_mixed_spot(paint: &Paint) -> bool {
    let spot = |stops: &Stops| stops.stops.iter().any(|(_, ink, _)| matches!(ink, Ink::Spot { .. }));
    match paint {
        Paint::Solid(_) => false,
        Paint::Linear(linear) => spot(&linear.stops),
        Paint::Radial(radial) => spot(&radial.stops),
        Paint::Tiling(tiling) => !part(&tiling.group.nodes, &|plate| plate.is_some()).is_empty(),
    }
}

/// Something of a spot ink that a drawing would silently change.
pub(super) fn unheld(what: &str) -> Violation {
    Violation::new(
        Code::SvgUnsupported,
        format!(
            "a drawing for a cutter or a laser holds plain outlines in full ink; this surface has {what}. \
             Draw it as an outline of its own"
        ),
    )
}
