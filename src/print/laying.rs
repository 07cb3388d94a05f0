//! How things meet what lies beneath them on the plates.

use super::rules::PrintRules;
use crate::catalog::print::Laid;
use crate::error::{Code, Violation};
use crate::scene::{Blend, Clip, FillRule, Ink, Node, Paint, Stops};
use kurbo::{BezPath, Rect};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How one path is laid. `plate` is how the profile lays its plate: the one that is being painted
/// after all art, or the paint's own.
pub(crate) fn laid(plate: Option<Laid>, overprints: bool) -> Laid {
    match plate {
        Some(Laid::Overprint) => Laid::Overprint,
        Some(Laid::Multiply) => Laid::Multiply,
        Some(Laid::Knockout) | None if overprints => Laid::Overprint,
        Some(Laid::Knockout) | None => Laid::Knockout,
    }
}

/// How a group that is composited as a whole meets what lies beneath; `plate` as in [`laid`].
pub(crate) fn group_blend(blend: Blend, plate: Option<Laid>) -> Blend {
    match (blend, plate) {
        // A group is never overprinted: only multiplied it leaves the other plates alone.
        (Blend::Normal, Some(Laid::Overprint | Laid::Multiply)) => Blend::Multiply,
        (blend, _) => blend,
    }
}

/// What is laid together, in one group or one tile.
#[derive(Debug, Default)]
struct Together {
    /// Plates that leave what lies beneath.
    plates: BTreeSet<Arc<str>>,
    /// One of them multiplies.
    multiplied: bool,
    /// Something knocks out.
    others: bool,
}

impl PrintRules {
    /// How a paint among the art meets what lies beneath: as its spot ink is laid. A tile is laid
    /// as a whole.
    ///
    /// # Errors
    /// As [`PrintRules::laid_together`].
    pub(crate) fn laid_alone(&self, paint: &Paint) -> Result<Option<Laid>, Violation> {
        match paint {
            Paint::Tiling(tiling) => self.laid_together(&tiling.group.nodes),
            Paint::Solid(_) | Paint::Linear(_) | Paint::Radial(_) => Ok(self.own(paint).map(|own| own.1)),
        }
    }

    /// How nodes that become one thing before they are laid meet what lies beneath; `None` where
    /// they cover it.
    ///
    /// # Errors
    /// `template.invalid` where some of them cover it and others leave it: no file can say both.
    pub(crate) fn laid_together(&self, nodes: &[Node]) -> Result<Option<Laid>, Violation> {
        if !self.plates.values().any(|plate| plate.turn.is_none() && plate.laid != Laid::Knockout) {
            return Ok(None);
        }
        let mut all = Together::default();
        self.gather(nodes, &mut all);
        match (all.plates.first(), all.others, all.multiplied) {
            (None, ..) => Ok(None),
            (Some(_), false, true) => Ok(Some(Laid::Multiply)),
            (Some(_), false, false) => Ok(Some(Laid::Overprint)),
            (Some(plate), true, _) => Err(Violation::new(
                Code::TemplateInvalid,
                format!(
                    "the spot ink {plate} leaves what it lies on, and shares a group that is mixed as a whole \
                     (an opacity, a blend mode, a mask or a pattern) with colours that cover it; give \
                     the ink a layer of its own"
                ),
            )),
        }
    }

    /// The plates among the art that leave what lies beneath them.
    pub(crate) fn sparing(&self, nodes: &[Node]) -> BTreeSet<Arc<str>> {
        let mut all = Together::default();
        self.gather(nodes, &mut all);
        all.plates
    }

    /// The plate of a paint that leaves what lies beneath, and how.
    fn own(&self, paint: &Paint) -> Option<(&Arc<str>, Laid)> {
        let first = |stops: &Stops| match stops.stops.first() {
            Some((_, Ink::Spot { name, .. }, _)) => Some(name.clone()),
            Some((_, Ink::Process(_), _)) | None => None,
        };
        let name = match paint {
            Paint::Solid(Ink::Spot { name, .. }) => Some(name.clone()),
            Paint::Solid(Ink::Process(_)) | Paint::Tiling(_) => None,
            Paint::Linear(linear) => first(&linear.stops),
            Paint::Radial(radial) => first(&radial.stops),
        };
        let (name, plate) = self.plates.get_key_value(&name?)?;
        // Those that are painted after all art are laid there.
        (plate.turn.is_none() && plate.laid != Laid::Knockout).then_some((name, plate.laid))
    }

    fn gather(&self, nodes: &[Node], all: &mut Together) {
        for node in nodes {
            match node {
                Node::Group(group) => self.gather(&group.nodes, all),
                Node::Pattern(pattern) => self.gather(&pattern.cell.nodes, all),
                Node::Path(path) => {
                    let paints =
                        [path.fill.as_ref().map(|f| &f.paint), path.stroke.as_ref().map(|s| &s.paint)];
                    for paint in paints.into_iter().flatten() {
                        match (paint, self.own(paint)) {
                            (Paint::Tiling(tiling), _) => self.gather(&tiling.group.nodes, all),
                            (_, Some((name, laid))) => {
                                all.multiplied |= laid == Laid::Multiply;
                                all.plates.insert(name.clone());
                            }
                            (_, None) => all.others = true,
                        }
                    }
                }
                Node::Image(_) | Node::Filter(_) => all.others = true,
                // Plates beside the art never cover it.
                Node::Separation(_) => {}
            }
        }
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
