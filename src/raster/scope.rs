//! What nodes are painted as, as the walk over the tree goes in and out of groups.

use super::colorants::{Colorants, Mixing, Painted};
use super::list::Lay;
use crate::catalog::print::Laid;
use crate::error::Violation;
use crate::print::{Role, group_blend, laid, single_path};
use crate::scene::separation::{Beneath, Content};
use crate::scene::{Group, Ink, Node, Paint, Separation};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What nodes are painted as.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    /// What the channels stand for.
    pub(super) colorants: Colorants,
    /// What is painted, where black is concerned.
    role: Role,
    /// The plate that is being painted after all art, and how it is laid.
    lifting: Option<(Arc<str>, Laid)>,
    /// Straight onto the page, not into a group that is composited as a whole.
    direct: bool,
    /// The page is opaque before anything is painted.
    paper: bool,
}

impl Scope {
    /// A picture.
    pub(super) fn srgb() -> Self {
        Scope { colorants: Colorants::Srgb, role: Role::Area, lifting: None, direct: true, paper: false }
    }

    /// A page in some inks, or one plate that is painted on it after all art.
    pub(super) fn page(colorants: Colorants, paper: bool, lifting: Option<(Arc<str>, Laid)>) -> Self {
        Scope { colorants, role: Role::Area, lifting, direct: true, paper }
    }

    /// The prefix of resources that only this scope can use.
    pub(super) fn key(&self) -> String {
        match &self.lifting {
            None => self.colorants.key(),
            Some((plate, laid)) => format!("{}{plate:?} {laid:?} ", self.colorants.key()),
        }
    }

    /// Overprinting can leave opaque paper as it is.
    pub(super) fn on_paper(&self) -> bool {
        self.paper && self.direct
    }

    /// The prefix of what is painted apart, where black is what this scope makes of it.
    pub(super) fn cell_key(&self) -> String {
        match self.colorants {
            Colorants::Srgb => self.key(),
            _ => format!("{}{:?} ", self.key(), self.role),
        }
    }

    /// Inside a group.
    pub(super) fn enter(&self, group: &Group) -> Scope {
        if matches!(self.colorants, Colorants::Srgb) {
            return self.clone();
        }
        let composited = !group.is_plain() || group.clips.iter().any(|clip| single_path(clip).is_none());
        Scope {
            role: if group.readable { Role::Type } else { self.role },
            direct: self.direct && !composited,
            ..self.clone()
        }
    }

    /// What a stroke of so many mm on the surface is painted as. What a tile holds has roles of its own.
    pub(super) fn of_stroke(&self, paint: &Paint, width: f64) -> Scope {
        let role = match paint {
            Paint::Tiling(_) => self.role,
            Paint::Solid(_) | Paint::Linear(_) | Paint::Radial(_) => self.role.of_stroke(width),
        };
        Scope { role, ..self.clone() }
    }

    /// Inside a cell that is painted apart.
    pub(super) fn within(&self) -> Scope {
        Scope { direct: false, ..self.clone() }
    }

    /// An ink in the channels.
    pub(super) fn ink(&self, ink: &Ink) -> Result<Painted, Violation> {
        self.colorants.ink(ink, self.role)
    }

    /// How a group that is composited as a whole is blended.
    pub(super) fn mixing(&self, group: &Group) -> Result<Mixing, Violation> {
        let plate = match (&self.lifting, self.colorants.inking()) {
            (Some((_, laid)), _) => Some(*laid),
            (None, Some(inking)) => inking.rules.laid_together(&group.nodes)?,
            (None, None) => None,
        };
        Ok(self.colorants.mixing(group_blend(group.blend, plate)))
    }

    /// How a path is laid.
    pub(super) fn lay(&self, paint: &Paint, opacity: f32, overprint: bool) -> Result<Lay, Violation> {
        if matches!(self.colorants, Colorants::Srgb) {
            return Ok(Lay::Over);
        }
        let black =
            opacity >= 1.0 && self.direct && matches!(paint, Paint::Solid(ink) if self.overprints(ink));
        let plate = match (&self.lifting, self.colorants.inking()) {
            (Some((_, laid)), _) => Some(*laid),
            (None, Some(inking)) => inking.rules.laid_alone(paint)?,
            (None, None) => None,
        };
        Ok(match laid(plate, overprint || black) {
            Laid::Knockout => Lay::Over,
            Laid::Multiply => Lay::Multiply,
            Laid::Overprint => Lay::Sparing(self.spared(paint)?),
        })
    }

    /// The channels that an overprinting paint leaves alone.
    fn spared(&self, paint: &Paint) -> Result<[bool; 3], Violation> {
        let stops = match paint {
            Paint::Solid(ink) => return Ok(self.ink(ink)?.spared),
            Paint::Linear(gradient) => &gradient.stops,
            Paint::Radial(gradient) => &gradient.stops,
            Paint::Tiling(tiling) => {
                let plates = match (&self.lifting, self.colorants.inking()) {
                    (Some((plate, _)), _) => BTreeSet::from([plate.clone()]),
                    (None, Some(inking)) => inking.rules.sparing(&tiling.group.nodes),
                    (None, None) => return Ok([false; 3]),
                };
                return Ok(self.colorants.others(&plates));
            }
        };
        Ok(match stops.stops.first() {
            Some((_, Ink::Spot { name, .. }, _)) => self.colorants.others(&BTreeSet::from([name.clone()])),
            Some((_, Ink::Process(_), _)) | None => [false; 3],
        })
    }

    fn overprints(&self, ink: &Ink) -> bool {
        self.colorants.inking().is_some_and(|inking| inking.overprints(ink, self.role))
    }

    /// True where something in a cell may leave what lies beneath as it is.
    pub(super) fn spares(&self, cell: &Group) -> bool {
        match (&self.colorants, &self.lifting) {
            (Colorants::Srgb, _) => false,
            (Colorants::Inks(_), Some((_, Laid::Overprint | Laid::Multiply))) => true,
            (Colorants::Inks(_), Some((_, Laid::Knockout)) | None) => {
                let spots = self.lifting.is_none() && self.leaves(cell);
                spots || self.direct && self.enter(cell).any_overprints(&cell.nodes)
            }
        }
    }

    /// True where a spot ink in a cell leaves what lies beneath.
    fn leaves(&self, cell: &Group) -> bool {
        self.colorants.inking().is_some_and(|inking| !inking.rules.sparing(&cell.nodes).is_empty())
    }

    fn any_overprints(&self, nodes: &[Node]) -> bool {
        let solid = |paint: &Paint| matches!(paint, Paint::Solid(ink) if self.overprints(ink));
        nodes.iter().any(|node| match node {
            Node::Group(group) => self.enter(group).any_overprints(&group.nodes),
            Node::Pattern(pattern) => self.enter(&pattern.cell).any_overprints(&pattern.cell.nodes),
            Node::Path(path) => {
                path.overprint
                    || path.fill.as_ref().is_some_and(|fill| solid(&fill.paint))
                    || path.stroke.as_ref().is_some_and(|stroke| solid(&stroke.paint))
            }
            Node::Image(_) | Node::Filter(_) | Node::Separation(_) => false,
        })
    }

    /// The outlines of a plate beside the art and how they are painted; `None` where this scope
    /// shows nothing of it. Coverage made from the art is painted by
    /// [`derive`](crate::derive::plate_rows).
    pub(super) fn separation<'a>(&self, plate: &'a Separation) -> Option<(Scope, &'a [Node])> {
        let (Colorants::Inks(_), Ink::Spot { name, .. }) = (&self.colorants, &plate.ink) else { return None };
        let Content::Outlines(nodes) = &plate.content else { return None };
        let laid = match plate.beneath {
            Beneath::Overprint => Laid::Overprint,
            Beneath::Multiply => Laid::Multiply,
        };
        let lifting = self.lifting.clone().unwrap_or_else(|| (name.clone(), laid));
        self.colorants.has(name).then(|| (Scope { lifting: Some(lifting), ..self.clone() }, nodes.as_slice()))
    }
}
