//! SVG filters: computed by `resvg` at the job's resolution and placed as pictures.

use super::bounds::scales;
use super::content::Content;
use super::image::{FLIP, Placed, UNIT, write_planes};
use super::paint::{Painter, Space};
use super::pixels;
use crate::asset::{Pixels, Samples};
use crate::control::Work;
use crate::error::{Code, Violation};
use crate::scene::FilterNode;
use kurbo::Affine;
use resvg::{tiny_skia, usvg};
use sha2::{Digest, Sha256};
use std::io::Write;

impl<W: Write> Painter<'_, W> {
    /// A filtered piece of art, as a picture in its place.
    pub(super) fn filter(
        &mut self,
        out: &mut Content,
        node: &FilterNode,
        space: Space,
    ) -> Result<(), Violation> {
        let covered = node.transform.transform_rect_bbox(node.bounds).intersect(space.visible);
        if covered.area() <= 0.0 || node.transform.determinant().abs() < 1e-18 {
            return Ok(());
        }
        let per_mm = self.images.dpi.per_mm();
        let (sx, sy) = scales(space.to_page * node.transform);
        let (sx, sy) = (sx * per_mm, sy * per_mm);
        let (width, height) =
            (libm::ceil(node.bounds.width() * sx - 1e-6), libm::ceil(node.bounds.height() * sy - 1e-6));
        if width * height > self.images.most_pixels as f64 {
            return Err(Violation::new(
                Code::SvgTooComplex,
                format!(
                    "a filter needs {width} by {height} pixels, over the limit of {}; make its region smaller",
                    self.images.most_pixels
                ),
            )
            .limit(self.images.most_pixels));
        }
        let size = (width.max(1.0) as u32, height.max(1.0) as u32);
        let mut key = Sha256::new();
        key.update(b"filter");
        key.update(format!("{:?}", (&node.key, size, sx, sy, space.tone)));
        let key = key.finalize().into();
        let placed = match self.images.get(&key) {
            Some(placed) => placed,
            None => {
                let pixels = rasterised(node, size, (sx, sy))?;
                let planes = self.inked(pixels::planes(pixels, space.tone), space.tone)?;
                let written = self.control.measured(Work::Encode, || {
                    write_planes(self.objects, self.spaces.srgb, &planes, space.tone, &key)
                });
                let placed = match written? {
                    Some(id) => Placed::Object(id, UNIT),
                    None => Placed::Solid,
                };
                self.images.keep(key, placed);
                placed
            }
        };
        // Whole pixels reach a little past the bounds.
        let square = Affine::translate(node.bounds.origin().to_vec2())
            * Affine::scale_non_uniform(f64::from(size.0) / sx, f64::from(size.1) / sy);
        out.save();
        match placed {
            Placed::Object(id, _) => {
                out.transform(node.transform * square * FLIP);
                out.draw(id);
            }
            Placed::Solid => {
                out.color(self.spaces.grey, &[1.0], false);
                let area = node.transform * square * kurbo::Shape::to_path(&UNIT, 0.1);
                out.path(&area, super::content::PathPaint::Fill, false);
            }
        }
        out.restore();
        Ok(())
    }
}

/// The filtered node in pixels, straight alpha.
fn rasterised(node: &FilterNode, size: (u32, u32), scale: (f64, f64)) -> Result<Pixels, Violation> {
    let failed = |what| Violation::new(Code::SvgTooComplex, what);
    let mut canvas = tiny_skia::Pixmap::new(size.0, size.1)
        .ok_or_else(|| failed("a filter's region is empty or too large; change its size"))?;
    if let Some(corner) = node.svg.abs_layer_bounding_box() {
        // `render_node` moves the node's absolute box to the origin and applies the node's own
        // transform, but not its ancestors'.
        let ancestors = match &*node.svg {
            usvg::Node::Group(group) => group
                .transform()
                .invert()
                .map(|own| group.abs_transform().pre_concat(own))
                .unwrap_or_default(),
            usvg::Node::Path(_) | usvg::Node::Image(_) | usvg::Node::Text(_) => node.svg.abs_transform(),
        };
        let transform = tiny_skia::Transform::from_scale(scale.0 as f32, scale.1 as f32)
            .pre_translate(-node.bounds.x0 as f32, -node.bounds.y0 as f32)
            .pre_concat(ancestors)
            .pre_translate(corner.x(), corner.y());
        resvg::render_node(&node.svg, transform, &mut canvas.as_mut());
    }
    let data = canvas
        .pixels()
        .iter()
        .flat_map(|p| {
            let c = p.demultiply();
            [c.red(), c.green(), c.blue(), c.alpha()]
        })
        .collect();
    Ok(Pixels { width: size.0, height: size.1, data: Samples::Rgba8(data) })
}
