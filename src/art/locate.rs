//! Elements that a designer drew as slots: where they stand and what outline they have.
//!
//! Slots are often invisible (`fill="none"`) or hidden on a layer of their own. usvg keeps the
//! first kind; for the second the art is parsed again with the element and its parents shown.

use super::paint;
use kurbo::{Affine, BezPath, Rect, Shape};
use resvg::usvg;

/// The element's filled outlines in the viewport's user units, as one path; `None` when the id
/// is unknown or draws no outline.
pub(super) fn path(tree: &usvg::Tree, id: &str) -> Option<BezPath> {
    let node = tree.node_by_id(id)?;
    let up = match node {
        usvg::Node::Group(group) => {
            // Its absolute transform includes its own, which the walk applies again.
            paint::affine(group.abs_transform()) * invert(paint::affine(group.transform()))?
        }
        usvg::Node::Path(_) | usvg::Node::Image(_) | usvg::Node::Text(_) => {
            paint::affine(node.abs_transform())
        }
    };
    let mut out = BezPath::new();
    outlines(node, up, &mut out);
    (!out.is_empty()).then_some(out)
}

fn invert(transform: Affine) -> Option<Affine> {
    (transform.determinant() != 0.0).then(|| transform.inverse())
}

fn outlines(node: &usvg::Node, transform: Affine, out: &mut BezPath) {
    match node {
        usvg::Node::Group(group) => {
            let transform = transform * paint::affine(group.transform());
            group.children().iter().for_each(|child| outlines(child, transform, out));
        }
        usvg::Node::Path(path) => out.extend(transform * paint::outline(path.data())),
        usvg::Node::Text(text) => {
            text.flattened().children().iter().for_each(|child| outlines(child, transform, out))
        }
        usvg::Node::Image(image) => {
            let size = kurbo::Size::new(f64::from(image.size().width()), f64::from(image.size().height()));
            out.extend(transform * size.to_rect().to_path(0.1));
        }
    }
}

/// The box of the element's geometry, strokes not counted.
pub(super) fn bounds(tree: &usvg::Tree, id: &str) -> Option<Rect> {
    path(tree, id).map(|path| path.bounding_box())
}

/// A style sheet that shows the element and whatever it stands in; `None` when there is no such element.
pub(super) fn unhide(doc: &roxmltree::Document, id: &str) -> Option<String> {
    let element = doc.descendants().find(|node| node.attribute("id") == Some(id))?;
    let mut sheet = String::new();
    for (depth, node) in element.ancestors().filter(roxmltree::Node::is_element).enumerate() {
        match node.attribute("id") {
            Some(id) if id.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':')) => {
                sheet +=
                    &format!("[id=\"{id}\"]{{display:inline !important;visibility:visible !important}}\n");
            }
            Some(_) | None if depth > 0 => {}
            Some(_) | None => return None,
        }
    }
    Some(sheet)
}
