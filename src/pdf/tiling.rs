//! Tilings: a cell repeated over an area.
//!
//! Renderers paint PDF's tiling patterns cell by cell, with hairlines where art meets itself
//! across a cell's edge. Art made of plain paths is therefore repeated inside one outline, which
//! has no such edges; only what cannot be said so becomes a tiling pattern.

use super::bounds;
use super::content::{Content, PathPaint};
use super::object::{dictionary, name, numbers};
use super::paint::{Painter, Space};
use crate::error::Violation;
use crate::scene::{Fill, FillRule, Group, Node, Paint, PathNode, Tiling};
use kurbo::{Affine, BezPath, Rect};
use lopdf::{Object, ObjectId};
use std::io::Write;
use std::sync::Arc;

/// Path elements that repetition may cost; beyond it a tiling pattern is smaller.
const MOST_ELEMENTS: f64 = 100_000.0;

impl<W: Write> Painter<'_, W> {
    /// Fills a path by repeating the outlines of the cell; false where that is not possible.
    pub(super) fn repeated(
        &mut self,
        out: &mut Content,
        node: &PathNode,
        fill: &Fill,
        tiling: &Tiling,
        space: Space,
    ) -> Result<bool, Violation> {
        let cell = tiling.cell;
        let mut parts = Vec::new();
        let plain = fill.opacity >= 1.0
            && cell.width() > 0.0
            && cell.height() > 0.0
            && flatten(&tiling.group, Affine::IDENTITY, cell, &mut parts);
        let Some(inner) = space.enter(tiling.transform).filter(|_| plain) else { return Ok(false) };
        // As a cell that is painted apart.
        let inner = Space { direct: false, ..inner };
        let range = |from: f64, to: f64, start: f64, step: f64| {
            (libm::floor((from - start) / step), libm::ceil((to - start) / step))
        };
        let (left, right) = range(inner.visible.x0, inner.visible.x1, cell.x0, cell.width());
        let (top, bottom) = range(inner.visible.y0, inner.visible.y1, cell.y0, cell.height());
        let elements: usize = parts.iter().map(|(_, path)| path.path.elements().len()).sum();
        if (right - left) * (bottom - top) * elements as f64 > MOST_ELEMENTS {
            return Ok(false);
        }
        out.save();
        out.path(&node.path, PathPaint::Clip, fill.rule == FillRule::EvenOdd);
        out.transform(tiling.transform);
        for (to_cell, part) in parts {
            let back = to_cell.inverse();
            let mut outline = BezPath::new();
            for row in top as i64..bottom as i64 {
                for column in left as i64..right as i64 {
                    let offset = (column as f64 * cell.width(), row as f64 * cell.height());
                    outline.extend((back * Affine::translate(offset) * to_cell) * (*part.path).clone());
                }
            }
            let Some(local) = inner.enter(to_cell) else { continue };
            out.save();
            out.transform(to_cell);
            self.path(out, &PathNode { path: Arc::new(outline), ..part }, local)?;
            out.restore();
        }
        out.restore();
        Ok(true)
    }

    /// The tiling pattern of a cell.
    pub(super) fn tiling(&mut self, tiling: &Tiling, space: Space) -> Result<Option<ObjectId>, Violation> {
        let cell = tiling.cell;
        if tiling.transform.determinant().abs() < 1e-18 || cell.width() <= 0.0 || cell.height() <= 0.0 {
            return Ok(None);
        }
        let inner = Space {
            to_stream: Affine::IDENTITY,
            to_page: space.to_page * tiling.transform,
            visible: cell,
            direct: false,
            ..space
        };
        let mut content = Content::default();
        self.group(&mut content, &tiling.group, inner)?;
        let (data, resources) = content.finish()?;
        let entries = dictionary([
            ("Type", name("Pattern")),
            ("PatternType", Object::Integer(1)),
            ("PaintType", Object::Integer(1)),
            ("TilingType", Object::Integer(1)),
            ("BBox", numbers([cell.x0, cell.y0, cell.x1, cell.y1])),
            ("XStep", Object::Real(cell.width() as f32)),
            ("YStep", Object::Real(cell.height() as f32)),
            ("Matrix", numbers((space.to_stream * tiling.transform).as_coeffs())),
            ("Resources", Object::Dictionary(resources)),
        ]);
        self.objects.add_deflated(entries, &data).map(Some)
    }
}

/// The paths of a cell with their matrices to it; false where it holds anything but opaque
/// paths in single inks that stay inside the cell.
fn flatten(group: &Group, outer: Affine, cell: Rect, parts: &mut Vec<(Affine, PathNode)>) -> bool {
    let to_cell = outer * group.transform;
    if !group.is_plain() || !group.clips.is_empty() || to_cell.determinant().abs() < 1e-18 {
        return false;
    }
    let slack = cell.width().max(cell.height()) * 1e-6;
    let room = cell.inflate(slack, slack);
    let single = |paint: &Paint| matches!(paint, Paint::Solid(_));
    group.nodes.iter().all(|node| match node {
        Node::Group(inner) => flatten(inner, to_cell, cell, parts),
        Node::Path(path) => {
            let inside = to_cell.transform_rect_bbox(bounds::of_path(path));
            let fits = room.union(inside) == room
                && path.fill.as_ref().is_none_or(|fill| single(&fill.paint))
                && path.stroke.as_ref().is_none_or(|stroke| single(&stroke.paint));
            parts.push((to_cell, (**path).clone()));
            fits
        }
        Node::Image(_) | Node::Pattern(_) | Node::Filter(_) | Node::Separation(_) => false,
    })
}
