//! What nodes cover at most, without painting them.

use super::node::{Group, ImageNode, Node, PathNode};
use super::separation::Content;
use kurbo::{Affine, Rect, Shape};

/// The smallest rectangle known to hold everything the nodes paint, in the space that
/// `transform` leads to; `None` where they paint nothing.
pub fn bounds(nodes: &[Node], transform: Affine) -> Option<Rect> {
    nodes.iter().filter_map(|node| node_bounds(node, transform)).reduce(|a, b| a.union(b))
}

fn node_bounds(node: &Node, transform: Affine) -> Option<Rect> {
    match node {
        Node::Group(group) => group_bounds(group, transform),
        Node::Path(path) => path_bounds(path, transform),
        Node::Image(image) => Some(image_bounds(image, transform)),
        Node::Pattern(pattern) => pattern
            .instances
            .iter()
            .map(|place| (transform * *place).transform_rect_bbox(pattern.bounds))
            .reduce(|a, b| a.union(b)),
        Node::Filter(filter) => Some((transform * filter.transform).transform_rect_bbox(filter.bounds)),
        Node::Separation(separation) => match &separation.content {
            Content::Outlines(nodes) => bounds(nodes, transform),
            Content::Coverage(coverage) => Some(transform.transform_rect_bbox(coverage.area)),
        },
    }
}

fn group_bounds(group: &Group, transform: Affine) -> Option<Rect> {
    let transform = transform * group.transform;
    let mut inside = bounds(&group.nodes, transform)?;
    for clip in &group.clips {
        let clip = clip
            .paths
            .iter()
            .map(|(path, _)| transform.transform_rect_bbox(path.bounding_box()))
            .reduce(|a, b| a.union(b))?;
        inside = inside.intersect(clip);
        if inside.width() <= 0.0 || inside.height() <= 0.0 {
            return None;
        }
    }
    Some(inside)
}

fn path_bounds(path: &PathNode, transform: Affine) -> Option<Rect> {
    if path.path.elements().is_empty() || (path.fill.is_none() && path.stroke.is_none()) {
        return None;
    }
    let mut rect = path.path.bounding_box();
    if let Some(stroke) = &path.stroke {
        let miter =
            if stroke.style.join == kurbo::Join::Miter { stroke.style.miter_limit.max(1.0) } else { 1.0 };
        // A square cap reaches half the width's diagonal.
        let reach = stroke.style.width / 2.0 * miter.max(std::f64::consts::SQRT_2);
        rect = rect.inflate(reach, reach);
    }
    Some(transform.transform_rect_bbox(rect))
}

fn image_bounds(image: &ImageNode, transform: Affine) -> Rect {
    // Filters change pixels within the picture's own edges, blur included.
    (transform * image.transform).transform_rect_bbox(Rect::new(0.0, 0.0, 1.0, 1.0))
}
