//! Does the art draw anything at all?

use kurbo::Rect;
use resvg::usvg::{self, Node, Paint};

/// Longest side of the trial rendering, in pixels.
const TRIAL: f32 = 200.0;

/// True when nothing of the tree reaches its viewport. Art with a plainly visible shape is
/// known to draw without being rendered; everything else is tried at a small size.
///
/// A `heavy` tree is too dear for a trial: any visible shape or picture counts as drawn.
pub(super) fn is_blank(tree: &usvg::Tree, heavy: bool) -> bool {
    let view = Rect::new(0.0, 0.0, f64::from(tree.size().width()), f64::from(tree.size().height()));
    let draws =
        plainly_draws(tree.root(), view) || if heavy { visible(tree.root()) } else { trial_draws(tree) };
    !draws
}

fn visible(group: &usvg::Group) -> bool {
    group.opacity().get() > 0.0
        && group.children().iter().any(|node| match node {
            Node::Group(group) => !group.filters().is_empty() || visible(group),
            Node::Path(path) => path.is_visible(),
            Node::Text(text) => visible(text.flattened()),
            Node::Image(image) => image.is_visible() && draws(image.kind()),
        })
}

fn plainly_draws(group: &usvg::Group, view: Rect) -> bool {
    if group.clip_path().is_some()
        || group.mask().is_some()
        || !group.filters().is_empty()
        || group.opacity().get() < 0.05
    {
        return false;
    }
    group.children().iter().any(|node| match node {
        Node::Group(group) => plainly_draws(group, view),
        Node::Path(path) => {
            path.is_visible() && overlaps(path.abs_stroke_bounding_box(), view) && has_paint(path)
        }
        Node::Text(text) => plainly_draws(text.flattened(), view),
        // resvg decodes no pictures here: one that lies in view counts as drawn.
        Node::Image(image) => {
            image.is_visible() && draws(image.kind()) && overlaps(image.abs_bounding_box(), view)
        }
    })
}

fn draws(kind: &usvg::ImageKind) -> bool {
    match kind {
        usvg::ImageKind::SVG(tree) => visible(tree.root()),
        usvg::ImageKind::JPEG(_) | usvg::ImageKind::PNG(_) | usvg::ImageKind::WEBP(_) => true,
        usvg::ImageKind::GIF(_) => false,
    }
}

/// A shape large enough to leave a mark, for certain, in the middle of the view's coordinates.
fn has_paint(path: &usvg::Path) -> bool {
    let size = path.abs_bounding_box();
    let fills = path
        .fill()
        .is_some_and(|fill| matches!(fill.paint(), Paint::Color(_)) && fill.opacity().get() > 0.05);
    fills && size.width() > 0.0 && size.height() > 0.0
}

fn overlaps(r: usvg::Rect, view: Rect) -> bool {
    let bounds =
        Rect::new(f64::from(r.left()), f64::from(r.top()), f64::from(r.right()), f64::from(r.bottom()));
    // The shape's middle is in view: its outline cannot lie all outside.
    let middle = bounds.center();
    bounds.intersect(view) == bounds || (view.contains(middle) && bounds.width() < view.width())
}

fn trial_draws(tree: &usvg::Tree) -> bool {
    let scale = TRIAL / tree.size().width().max(tree.size().height());
    let side = |length: f32| libm::ceilf(length * scale).clamp(1.0, TRIAL) as u32;
    let Some(mut pixmap) =
        resvg::tiny_skia::Pixmap::new(side(tree.size().width()), side(tree.size().height()))
    else {
        return false;
    };
    resvg::render(tree, usvg::Transform::from_scale(scale, scale), &mut pixmap.as_mut());
    pixmap.pixels().iter().any(|pixel| pixel.alpha() > 0) || pictures(tree.root())
}

/// A visible picture somewhere, which the trial cannot show.
fn pictures(group: &usvg::Group) -> bool {
    group.children().iter().any(|node| match node {
        Node::Group(group) => group.opacity().get() > 0.0 && pictures(group),
        Node::Image(image) => {
            image.is_visible() && !matches!(image.kind(), usvg::ImageKind::SVG(_)) && draws(image.kind())
        }
        Node::Path(_) | Node::Text(_) => false,
    })
}
