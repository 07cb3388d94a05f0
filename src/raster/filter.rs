//! SVG filters: drawn whole by `resvg`, once, within a byte budget.

use super::layer::{Area, Layer};
use super::sample::Sample;
use crate::cache::Cache;
use crate::error::{Code, Violation};
use crate::scene::FilterNode;
use kurbo::Affine;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg;
use std::sync::Arc;

/// Most pixels of one filter's layer (4 bytes each; `resvg` makes several such buffers).
const MAX_PIXELS: usize = 12_000_000;

/// A filter and where it goes.
#[derive(Debug)]
pub(super) struct FilterSpec {
    node: Arc<FilterNode>,
    /// From the SVG's user units to pixels.
    to_px: Affine,
    /// Every pixel the filter touches, the frame's and beyond: what lies outside flows in.
    area: Area,
}

impl FilterSpec {
    /// Where its pixels are kept for other orders.
    pub(super) fn cache(&self) -> Option<&Arc<Cache>> {
        self.node.cache.as_ref()
    }

    /// Equal keys mean equal pixels.
    pub(super) fn key(&self) -> String {
        format!("filter {} {:?} {:?}", self.node.key, self.to_px.as_coeffs(), self.area)
    }

    /// Pixels of its layer.
    pub(super) fn pixels(&self) -> u64 {
        self.area.pixels() as u64
    }
}

/// Plans a filter; an error when it is too large.
pub(super) fn plan(node: Arc<FilterNode>, to_px: Affine, area: Area) -> Result<FilterSpec, Violation> {
    if area.pixels() > MAX_PIXELS {
        return Err(Violation::new(
            Code::SvgTooComplex,
            format!(
                "a filter in the art covers {} x {} pixels; at most {MAX_PIXELS} pixels are allowed: \
                 make the filtered part smaller or flatten it",
                area.width(),
                area.height()
            ),
        )
        .limit(MAX_PIXELS as u64));
    }
    Ok(FilterSpec { node, to_px, area })
}

/// Draws the filter.
pub(super) fn load<S: Sample>(spec: &FilterSpec) -> Result<Layer<S>, Violation> {
    let failed =
        || Violation::new(Code::SvgTooComplex, "a filter in the art could not be drawn; simplify it");
    let mut pixmap = Pixmap::new(spec.area.width() as u32, spec.area.height() as u32).ok_or_else(failed)?;
    let svg = spec.node.svg.as_ref();
    // The tree's node carries its own transform; `resvg` shifts it by its box. Both are taken back.
    let parents = match svg {
        usvg::Node::Group(group) => {
            let own = group.transform().invert().ok_or_else(failed)?;
            group.abs_transform().pre_concat(own)
        }
        usvg::Node::Path(_) | usvg::Node::Image(_) | usvg::Node::Text(_) => Transform::identity(),
    };
    let Some(bbox) = svg.abs_layer_bounding_box() else {
        return Ok(Layer::new(spec.area));
    };
    let [a, b, c, d, e, f] = spec.to_px.as_coeffs();
    let (x, y) = (e - f64::from(spec.area.x0), f - f64::from(spec.area.y0));
    let transform = Transform::from_row(a as f32, b as f32, c as f32, d as f32, x as f32, y as f32)
        .pre_concat(parents)
        .pre_translate(bbox.x(), bbox.y());
    resvg::render_node(svg, transform, &mut pixmap.as_mut()).ok_or_else(failed)?;
    let data =
        pixmap.data().chunks_exact(4).map(|p| [0, 1, 2, 3].map(|i: usize| S::from_cover(p[i]))).collect();
    Ok(Layer { area: spec.area, data })
}
