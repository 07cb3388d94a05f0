//! Clip paths and masks.
//!
//! A clip is a union of outlines where it can be; one whose shapes are clipped themselves
//! becomes an alpha mask that paints them.

use super::convert::{Converter, Pair};
use super::paint;
use crate::error::Violation;
use crate::scene::{Clip, Color, Fill, FillRule, Group, Mask, MaskKind, Node, Paint, PathNode};
use kurbo::{Affine, BezPath, Rect, Shape};
use resvg::usvg;
use std::sync::Arc;

type Shapes = Vec<(Arc<BezPath>, FillRule)>;

pub(super) fn rect(rect: Rect) -> Clip {
    Clip { paths: vec![(Arc::new(rect.to_path(0.1)), FillRule::NonZero)] }
}

/// The group, painted only inside the clip path.
pub(super) fn clipped(path: &usvg::ClipPath, mut group: Group) -> Group {
    // A clip path of a clip path: both must hold.
    let mut next = Some(path);
    while let Some(path) = next {
        let mut paths = Vec::new();
        if union(path.root(), paint::affine(path.transform()), &mut paths) {
            group.clips.push(Clip { paths });
        } else {
            let nodes = vec![Node::Group(Arc::new(painted(path.root(), paint::affine(path.transform()))))];
            group = with_mask(group, Mask { kind: MaskKind::Alpha, nodes });
        }
        next = path.clip_path();
    }
    group
}

/// Collects outlines; false where a child has a clip of its own.
fn union(group: &usvg::Group, transform: Affine, out: &mut Shapes) -> bool {
    group.children().iter().all(|node| match node {
        usvg::Node::Group(child) => {
            child.clip_path().is_none() && union(child, transform * paint::affine(child.transform()), out)
        }
        usvg::Node::Path(path) => {
            out.extend(path.fill().filter(|_| path.is_visible()).map(|fill| {
                (Arc::new(transform * paint::outline(path.data())), paint::fill_rule(fill.rule()))
            }));
            true
        }
        usvg::Node::Text(text) => union(text.flattened(), transform, out),
        // Not allowed in a clip path.
        usvg::Node::Image(_) => true,
    })
}

/// The clip's shapes as black paint, their own clips applied.
fn painted(group: &usvg::Group, transform: Affine) -> Group {
    let mut result = Group { transform, ..Group::default() };
    for node in group.children() {
        match node {
            usvg::Node::Group(child) => {
                let inner = painted(child, paint::affine(child.transform()));
                let inner = match child.clip_path() {
                    Some(path) => clipped(path, inner),
                    None => inner,
                };
                result.nodes.push(Node::Group(Arc::new(inner)));
            }
            usvg::Node::Path(path) => {
                result.nodes.extend(path.fill().filter(|_| path.is_visible()).map(|fill| {
                    let fill = Fill {
                        paint: Paint::Solid(Color::BLACK.into()),
                        opacity: 1.0,
                        rule: paint::fill_rule(fill.rule()),
                    };
                    let path = Arc::new(paint::outline(path.data()));
                    Node::Path(Arc::new(PathNode {
                        path,
                        fill: Some(fill),
                        stroke: None,
                        stroke_first: false,
                        overprint: false,
                    }))
                }))
            }
            usvg::Node::Text(text) => {
                result.nodes.push(Node::Group(Arc::new(painted(text.flattened(), Affine::IDENTITY))))
            }
            usvg::Node::Image(_) => {}
        }
    }
    result
}

/// Adds a mask; where the group has one, it goes around it, in the same space.
fn with_mask(mut group: Group, mask: Mask) -> Group {
    if group.mask.is_none() {
        group.mask = Some(mask);
        return group;
    }
    let outer =
        Group { transform: group.transform, opacity: group.opacity, blend: group.blend, ..Group::default() };
    let inner = Group {
        transform: Affine::IDENTITY,
        opacity: 1.0,
        blend: Default::default(),
        isolated: true,
        ..group
    };
    Group { mask: Some(mask), nodes: vec![Node::Group(Arc::new(inner))], isolated: true, ..outer }
}

impl Converter<'_> {
    /// The group behind a mask.
    pub(super) fn masked(&mut self, mask: Pair<usvg::Mask>, group: Group) -> Result<Group, Violation> {
        let mask = self.mask(mask)?;
        Ok(with_mask(group, mask))
    }

    fn mask(&mut self, pair: Pair<usvg::Mask>) -> Result<Mask, Violation> {
        let kind = match pair.plain.kind() {
            usvg::MaskType::Luminance => MaskKind::Luminosity,
            usvg::MaskType::Alpha => MaskKind::Alpha,
        };
        // A mask hides by its own colours: a recoloured one would show something else.
        let plain = super::recolor::Inks::new(&super::Recolor::default(), Default::default());
        let key = format!("{}#mask{}", self.key, pair.plain.id());
        let mut inside = Converter::new(&plain, self.pictures, key);
        let nodes = inside.children(Pair { plain: pair.plain.root(), marked: None })?;
        let mut group =
            Group { clips: vec![rect(paint::rect(pair.plain.rect()))], nodes, ..Group::default() };
        if let Some(outer) = pair.map(usvg::Mask::mask) {
            group = self.masked(outer, group)?;
        }
        Ok(Mask { kind, nodes: vec![Node::Group(Arc::new(group))] })
    }
}
