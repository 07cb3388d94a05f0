//! Where flattening ends: a page's nodes parted at the topmost transparent one.
//!
//! PDF 1.4 as print standards allow it has no transparency. Everything from the bottom up to the
//! last transparent thing in paint order becomes an image; what is painted after it stays as it
//! is. Plain groups are parted inside, so that one shadow does not take the type above it along.
//! Soft edges of outlines are not transparency: they are the renderer's.

use super::gradient::Gradient;
use crate::asset::{Depth, Samples};
use crate::error::{Code, Violation};
use crate::print::single_path;
use crate::scene::separation::Content;
use crate::scene::{
    Blend, Fill, Group, ImageNode, Node, Paint, PathNode, PatternNode, Separation, Stroke, Tiling, bounds,
};
use kurbo::{Affine, Rect};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Nodes parted in two.
#[derive(Debug, Default)]
pub(super) struct Parted {
    /// Everything up to the topmost transparent thing, which it ends with; none where there is no
    /// such thing.
    pub(super) below: Vec<Node>,
    /// What is painted after it, without anything that needs a transparency group.
    pub(super) above: Vec<Node>,
}

/// What one node is.
enum Look {
    /// Nothing of it can be seen.
    Nothing,
    /// It can be painted without transparency, as this.
    Opaque(Node),
    /// Some of it is transparent.
    Mixed(Parted),
}

/// Parts nodes; remembers which pictures have holes.
#[derive(Default)]
pub(super) struct Parter {
    holes: BTreeMap<[u8; 32], bool>,
}

impl Parter {
    /// Parts nodes; `seen` is what is printed, in the space that `place` leads to.
    ///
    /// # Errors
    /// When a picture with an alpha channel cannot be decoded.
    pub(super) fn part(&mut self, nodes: &[Node], place: Affine, seen: Rect) -> Result<Parted, Violation> {
        let mut above = Vec::new();
        for (index, node) in nodes.iter().enumerate().rev() {
            match self.look(node, place, seen)? {
                Look::Nothing => {}
                Look::Opaque(node) => above.push(node),
                Look::Mixed(inner) => {
                    above.extend(inner.above.into_iter().rev());
                    above.reverse();
                    let below = nodes[..index].iter().cloned().chain(inner.below).collect();
                    return Ok(Parted { below, above });
                }
            }
        }
        above.reverse();
        Ok(Parted { below: Vec::new(), above })
    }

    fn look(&mut self, node: &Node, place: Affine, seen: Rect) -> Result<Look, Violation> {
        let apart = |b: Rect| b.x1 <= seen.x0 || b.x0 >= seen.x1 || b.y1 <= seen.y0 || b.y0 >= seen.y1;
        if bounds(std::slice::from_ref(node), place).is_none_or(apart) {
            return Ok(Look::Nothing);
        }
        let whole = || Look::Mixed(Parted { below: vec![node.clone()], above: Vec::new() });
        let opaque = |clear: Option<Node>| clear.map_or_else(whole, Look::Opaque);
        Ok(match node {
            Node::Group(group) => self.group(group, place, seen)?,
            Node::Path(path) => opaque(self.path(path)?.map(|path| Node::Path(Arc::new(path)))),
            Node::Image(image) if self.has_holes(image)? => whole(),
            Node::Image(_) => Look::Opaque(node.clone()),
            Node::Pattern(pattern) => opaque(self.cell(&pattern.cell)?.map(|cell| {
                let pattern = PatternNode { cell: Arc::new(cell), ..(**pattern).clone() };
                Node::Pattern(Arc::new(pattern))
            })),
            // What a filter makes has soft edges or shadows, or it would not be one.
            Node::Filter(_) => whole(),
            Node::Separation(separation) => match &separation.content {
                Content::Outlines(nodes) => {
                    let parted = self.part(nodes, place, seen)?;
                    let content = Content::Outlines(parted.above);
                    let clear = Separation { content, ..(**separation).clone() };
                    opaque(parted.below.is_empty().then(|| Node::Separation(Arc::new(clear))))
                }
                Content::Coverage(_) => Look::Opaque(node.clone()),
            },
        })
    }

    fn group(&mut self, group: &Group, place: Affine, seen: Rect) -> Result<Look, Violation> {
        if group.opacity <= 0.0 || group.transform.determinant().abs() < 1e-18 {
            return Ok(Look::Nothing);
        }
        let with = |nodes| Node::Group(Arc::new(Group { nodes, isolated: false, ..group.clone() }));
        let all = || Look::Mixed(Parted { below: vec![Node::Group(Arc::new(group.clone()))], above: vec![] });
        let composited = group.opacity < 1.0 || group.blend != Blend::Normal || group.mask.is_some();
        if composited || group.clips.iter().any(|clip| single_path(clip).is_none()) {
            return Ok(all());
        }
        let Parted { below, above } = self.part(&group.nodes, place * group.transform, seen)?;
        Ok(match (below.is_empty(), above.is_empty()) {
            (true, true) => Look::Nothing,
            // Of opaque things it does not matter whether they are isolated.
            (true, false) => Look::Opaque(with(above)),
            (false, _) if group.isolated => all(),
            (false, true) => Look::Mixed(Parted { below: vec![with(below)], above }),
            (false, false) => Look::Mixed(Parted { below: vec![with(below)], above: vec![with(above)] }),
        })
    }

    /// The cell of a pattern or a tiling without anything transparent; `None` where it has some.
    fn cell(&mut self, cell: &Group) -> Result<Option<Group>, Violation> {
        const EVERYWHERE: Rect = Rect::new(-1e12, -1e12, 1e12, 1e12);
        Ok(match self.group(cell, Affine::IDENTITY, EVERYWHERE)? {
            Look::Nothing => Some(Group { nodes: Vec::new(), mask: None, ..cell.clone() }),
            Look::Opaque(Node::Group(group)) => Some((*group).clone()),
            Look::Opaque(_) | Look::Mixed(_) => None,
        })
    }

    /// The path without what is invisible; `None` where some of it is transparent.
    fn path(&mut self, path: &PathNode) -> Result<Option<PathNode>, Violation> {
        let mut clear = path.clone();
        if let Some(fill) = path.fill.as_ref() {
            let Some(paint) = self.paint(&fill.paint, fill.opacity)? else { return Ok(None) };
            clear.fill = (fill.opacity > 0.0).then(|| Fill { paint, ..fill.clone() });
        }
        if let Some(stroke) = path.stroke.as_ref() {
            let Some(paint) = self.paint(&stroke.paint, stroke.opacity)? else { return Ok(None) };
            clear.stroke = (stroke.opacity > 0.0).then(|| Stroke { paint, ..stroke.clone() });
        }
        Ok(Some(clear))
    }

    /// The paint; `None` where it is neither opaque nor invisible.
    fn paint(&mut self, paint: &Paint, opacity: f32) -> Result<Option<Paint>, Violation> {
        if opacity <= 0.0 {
            return Ok(Some(paint.clone()));
        }
        let gradient = match paint {
            Paint::Solid(_) => return Ok((opacity >= 1.0).then(|| paint.clone())),
            Paint::Linear(linear) => Gradient::Linear(linear),
            Paint::Radial(radial) => Gradient::Radial(radial),
            Paint::Tiling(tiling) => {
                let cell = if opacity < 1.0 { None } else { self.cell(&tiling.group)? };
                return Ok(cell.map(|cell| {
                    Paint::Tiling(Arc::new(Tiling { group: Arc::new(cell), ..(**tiling).clone() }))
                }));
            }
        };
        let thin = if gradient.is_degenerate() {
            gradient.stops().stops.last().is_some_and(|stop| stop.2 < 1.0)
        } else {
            gradient.is_transparent()
        };
        Ok((opacity >= 1.0 && !thin).then(|| paint.clone()))
    }

    /// Some pixel of the picture is not opaque. An alpha channel alone says little: many photos
    /// have one that is full.
    fn has_holes(&mut self, image: &ImageNode) -> Result<bool, Violation> {
        if image.matte.is_some() {
            return Ok(true);
        }
        if !image.picture.has_alpha() {
            return Ok(false);
        }
        let key = image.picture.sha256();
        if let Some(known) = self.holes.get(&key) {
            return Ok(*known);
        }
        let holes = match image.picture.decode(Depth::Eight)?.data {
            Samples::Rgb8(_) | Samples::Rgb16(_) => false,
            Samples::Rgba8(data) => data.chunks_exact(4).any(|p| p[3] != 255),
            Samples::Rgba16(data) => data.chunks_exact(4).any(|p| p[3] != 65_535),
        };
        self.holes.insert(key, holes);
        Ok(holes)
    }
}

/// Something transparent came through, which no file of these standards may hold.
pub(super) fn left_over() -> Violation {
    Violation::new(
        Code::InternalError,
        "something transparent was left where the standard allows none; please report it",
    )
}
