//! How far nodes reach, so that transparency groups and masks get no larger than needed.

use crate::scene::separation::Content;
use crate::scene::{Clip, Group, Node, PathNode};
use kurbo::{Affine, Rect};

/// What the nodes cover at most, in their parent's space; `None` when they paint nothing.
pub(super) fn of_nodes(nodes: &[Node]) -> Option<Rect> {
    nodes.iter().filter_map(of_node).reduce(|a, b| a.union(b))
}

fn of_node(node: &Node) -> Option<Rect> {
    match node {
        Node::Group(group) => of_group(group),
        Node::Path(path) => Some(of_path(path)),
        Node::Image(image) => Some(image.transform.transform_rect_bbox(Rect::new(0.0, 0.0, 1.0, 1.0))),
        Node::Pattern(pattern) => pattern
            .instances
            .iter()
            .map(|instance| instance.transform_rect_bbox(pattern.bounds))
            .reduce(|a, b| a.union(b)),
        Node::Filter(filter) => Some(filter.transform.transform_rect_bbox(filter.bounds)),
        Node::Separation(separation) => match &separation.content {
            Content::Outlines(nodes) => of_nodes(nodes),
            Content::Coverage(coverage) => Some(coverage.area),
        },
    }
}

fn of_group(group: &Group) -> Option<Rect> {
    let mut bounds = of_nodes(&group.nodes)?;
    for clip in &group.clips {
        bounds = bounds.intersect(of_clip(clip)?);
    }
    Some(group.transform.transform_rect_bbox(bounds))
}

/// What a clip lets through at most.
pub(super) fn of_clip(clip: &Clip) -> Option<Rect> {
    clip.paths.iter().map(|(path, _)| path.control_box()).reduce(|a, b| a.union(b))
}

/// What a path covers at most, its stroke included.
pub(super) fn of_path(node: &PathNode) -> Rect {
    let area = node.path.control_box();
    let Some(stroke) = &node.stroke else { return area };
    let half = stroke.style.width / 2.0;
    let reach = match stroke.style.join {
        kurbo::Join::Miter => half * stroke.style.miter_limit.max(1.5),
        kurbo::Join::Round | kurbo::Join::Bevel => half * 1.5,
    };
    area.inflate(reach, reach)
}

/// How many times longer things get by a matrix, along its columns.
pub(super) fn scales(matrix: Affine) -> (f64, f64) {
    let [a, b, c, d, _, _] = matrix.as_coeffs();
    (libm::hypot(a, b), libm::hypot(c, d))
}
