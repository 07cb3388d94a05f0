//! What is printed for certain, told from geometry alone: plain shapes and opaque pictures that nothing
//! cuts. A design that has one large enough need not be painted to see that it is there.

use crate::scene::{Fill, ImageNode, Ink, Node, Paint, PathNode};
use kurbo::{Affine, Rect, Shape};

/// From this opacity on something is seen well.
const SEEN: f32 = 0.1;
/// Outlines that cross themselves may count some of their area twice, and again.
const OVERLAPS: f64 = 4.0;

/// True where something lies within `trim` whose area says that it is at least `least` mm wide or high.
pub(super) fn is_as_large(nodes: &[Node], to_surface: Affine, trim: Rect, least: f64) -> bool {
    nodes.iter().any(|node| match node {
        Node::Group(group) if group.is_plain() && group.clips.is_empty() => {
            is_as_large(&group.nodes, to_surface * group.transform, trim, least)
        }
        Node::Path(path) => shape(path, to_surface, trim, least),
        Node::Image(image) => picture(image, to_surface, trim, least),
        // What is cut or mixed has to be painted.
        Node::Group(_) | Node::Pattern(_) | Node::Filter(_) | Node::Separation(_) => false,
    })
}

fn shape(node: &PathNode, to_surface: Affine, trim: Rect, least: f64) -> bool {
    let solid = |fill: &Fill| fill.opacity >= SEEN && matches!(fill.paint, Paint::Solid(Ink::Process(_)));
    let solid = node.fill.as_ref().is_some_and(solid);
    let area = node.path.area().abs() * to_surface.determinant().abs();
    solid
        && area >= OVERLAPS * least * least
        && within(trim, to_surface.transform_rect_bbox(node.path.bounding_box()))
}

fn picture(node: &ImageNode, to_surface: Affine, trim: Rect, least: f64) -> bool {
    let to_surface = to_surface * node.transform;
    let opaque = node.matte.is_none() && !node.picture.has_alpha();
    let unit = Rect::new(0.0, 0.0, 1.0, 1.0);
    opaque
        && to_surface.determinant().abs() >= least * least
        && within(trim, to_surface.transform_rect_bbox(unit))
}

fn within(outer: Rect, inner: Rect) -> bool {
    outer.union(inner) == outer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{Color, FillRule, Group};
    use std::sync::Arc;

    #[test]
    fn only_what_nothing_cuts_is_certain() {
        let trim = Rect::new(0.0, 0.0, 100.0, 100.0);
        let square = |side: f64, opacity: f32| {
            let paint = Paint::Solid(Color::BLACK.into());
            Node::Path(Arc::new(PathNode {
                path: Arc::new(Rect::new(10.0, 10.0, 10.0 + side, 10.0 + side).to_path(0.1)),
                fill: Some(Fill { paint, opacity, rule: FillRule::NonZero }),
                stroke: None,
                stroke_first: false,
                overprint: false,
            }))
        };
        let large = |node: Node| is_as_large(&[node], Affine::IDENTITY, trim, 5.0);
        assert!(large(square(10.0, 1.0)));
        assert!(!large(square(9.9, 1.0)) && !large(square(10.0, 0.05)) && !large(square(95.0, 1.0)));
        let group = |transform: Affine, opacity: f32| {
            let nodes = vec![square(10.0, 1.0)];
            Node::Group(Arc::new(Group { transform, opacity, nodes, ..Group::default() }))
        };
        assert!(large(group(Affine::IDENTITY, 1.0)));
        assert!(!large(group(Affine::scale(0.5), 1.0)) && !large(group(Affine::IDENTITY, 0.5)));
    }
}
