//! From scene nodes to a display list.

use super::layer::Area;
use super::list::{Compositing, GroupItem, Item, List, Resource, Shader, Spec, What};
use super::outline::Outline;
use super::shade::{Gradient, last_color};
use super::{cell, filter, picture};
use crate::error::{Code, Violation};
use crate::scene::{Clip, FilterNode, Group, ImageNode, Node, Paint, PathNode};
use kurbo::Affine;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most corners of all flattened outlines of a surface (8 bytes each).
const MAX_POINTS: usize = 12_000_000;

/// Resolves nodes for a frame of so many pixels a millimetre.
pub(super) fn resolve(nodes: &[Node], to_px: Affine, frame: Area, px_per_mm: f64) -> Result<List, Violation> {
    let mut builder = Builder::new(frame, px_per_mm);
    let mut items = Vec::new();
    builder.nodes(nodes, to_px, &mut items)?;
    Ok(List { items, resources: builder.resources })
}

/// A display list under way.
pub(super) struct Builder {
    /// All pixels of the frame.
    pub(super) frame: Area,
    /// Pixels of a millimetre on the page.
    pub(super) px_per_mm: f64,
    /// Pixels that pattern cells hold so far.
    pub(super) cell_pixels: usize,
    resources: Vec<Resource>,
    by_key: BTreeMap<String, usize>,
    points: usize,
}

impl Builder {
    fn new(frame: Area, px_per_mm: f64) -> Self {
        Builder {
            frame,
            px_per_mm,
            cell_pixels: 0,
            resources: Vec::new(),
            by_key: BTreeMap::new(),
            points: 0,
        }
    }

    /// The resource of a key, made when it is new; it serves the pixels of `uses` too.
    pub(super) fn resource(
        &mut self,
        key: String,
        uses: Area,
        make: impl FnOnce() -> Result<Spec, Violation>,
    ) -> Result<usize, Violation> {
        if let Some(index) = self.by_key.get(&key) {
            let known = &mut self.resources[*index].uses;
            known.y0 = known.y0.min(uses.y0);
            known.y1 = known.y1.max(uses.y1);
            known.x0 = known.x0.min(uses.x0);
            known.x1 = known.x1.max(uses.x1);
            return Ok(*index);
        }
        self.resources.push(Resource { spec: make()?, uses });
        self.by_key.insert(key, self.resources.len() - 1);
        Ok(self.resources.len() - 1)
    }

    /// True when a resource of this key exists.
    pub(super) fn knows(&self, key: &str) -> bool {
        self.by_key.contains_key(key)
    }

    /// Appends what some nodes paint.
    pub(super) fn nodes(
        &mut self,
        nodes: &[Node],
        to_px: Affine,
        out: &mut Vec<Item>,
    ) -> Result<(), Violation> {
        for node in nodes {
            match node {
                Node::Group(group) => self.group(group, to_px, out)?,
                Node::Path(path) => self.path(path, to_px, out)?,
                Node::Image(image) => self.image(image, to_px, out)?,
                Node::Pattern(pattern) => cell::pattern(self, pattern, to_px, out)?,
                Node::Filter(node) => self.filter(node, to_px, out)?,
                // Plates beside the art are not part of its picture.
                Node::Separation(_) => {}
            }
        }
        Ok(())
    }

    fn group(&mut self, group: &Group, to_px: Affine, out: &mut Vec<Item>) -> Result<(), Violation> {
        let to_px = to_px * group.transform;
        if group.opacity <= 0.0 {
            return Ok(());
        }
        let mut clips = Vec::with_capacity(group.clips.len());
        let mut area = self.frame;
        for clip in &group.clips {
            let outlines = self.clip(clip, to_px)?;
            area = area.intersect(union(outlines.iter().map(|o| o.area)));
            clips.push(outlines);
        }
        if area.is_empty() {
            return Ok(());
        }
        if group.is_plain() && clips.is_empty() {
            return self.nodes(&group.nodes, to_px, out);
        }
        let mut items = Vec::new();
        self.nodes(&group.nodes, to_px, &mut items)?;
        area = area.intersect(union(items.iter().map(|item| item.area)));
        let mask = match &group.mask {
            None => None,
            Some(mask) => {
                let mut items = Vec::new();
                self.nodes(&mask.nodes, to_px, &mut items)?;
                area = area.intersect(union(items.iter().map(|item| item.area)));
                Some((mask.kind, items))
            }
        };
        if area.is_empty() {
            return Ok(());
        }
        let layer =
            (!group.is_plain()).then_some(Compositing { opacity: group.opacity, blend: group.blend, mask });
        out.push(Item { area, what: What::Group(Box::new(GroupItem { items, clips, layer })) });
        Ok(())
    }

    fn clip(&mut self, clip: &Clip, to_px: Affine) -> Result<Vec<Outline>, Violation> {
        clip.paths.iter().map(|(path, rule)| self.count(Outline::fill(path, to_px, *rule))).collect()
    }

    fn path(&mut self, node: &PathNode, to_px: Affine, out: &mut Vec<Item>) -> Result<(), Violation> {
        let fill = node
            .fill
            .as_ref()
            .map(|fill| (Outline::fill(&node.path, to_px, fill.rule), &fill.paint, fill.opacity));
        if let Some(stroke) = &node.stroke {
            stroke.check_dashes(&node.path)?;
        }
        let stroke = node.stroke.as_ref().and_then(|stroke| {
            let outline = Outline::stroke(&node.path, &stroke.style, to_px)?;
            Some((outline, &stroke.paint, stroke.opacity))
        });
        let parts = if node.stroke_first { [stroke, fill] } else { [fill, stroke] };
        for (outline, paint, opacity) in parts.into_iter().flatten() {
            let area = outline.area.intersect(self.frame);
            if area.is_empty() || opacity <= 0.0 {
                continue;
            }
            let outline = self.count(outline)?;
            if let Some(shader) = self.shader(paint, opacity, to_px, area)? {
                out.push(Item { area, what: What::Fill { outline, shader } });
            }
        }
        Ok(())
    }

    fn shader(
        &mut self,
        paint: &Paint,
        opacity: f32,
        to_px: Affine,
        area: Area,
    ) -> Result<Option<Shader>, Violation> {
        let solid =
            |[r, g, b]: [f32; 3], alpha: f32| (alpha > 0.0).then_some(Shader::Solid([r, g, b, alpha]));
        Ok(match paint {
            Paint::Solid(ink) => solid(ink.to_srgb(), opacity),
            Paint::Linear(g) => match Gradient::linear(g.start, g.end, &g.stops, opacity, to_px) {
                Some(gradient) => Some(Shader::Gradient(gradient)),
                None => last_color(&g.stops).and_then(|(rgb, alpha)| solid(rgb, alpha * opacity)),
            },
            Paint::Radial(g) => match Gradient::radial(g, opacity, to_px) {
                Some(gradient) => Some(Shader::Gradient(gradient)),
                None => last_color(&g.stops).and_then(|(rgb, alpha)| solid(rgb, alpha * opacity)),
            },
            Paint::Tiling(tiling) => cell::tiling(self, tiling, opacity, to_px, area)?,
        })
    }

    fn image(&mut self, node: &Arc<ImageNode>, to_px: Affine, out: &mut Vec<Item>) -> Result<(), Violation> {
        let Some(plan) = picture::plan(node, to_px * node.transform, self.frame, self.px_per_mm) else {
            return Ok(());
        };
        let resource = self.resource(plan.key, plan.area, || Ok(Spec::Picture(plan.spec)))?;
        out.push(Item {
            area: plan.area,
            what: What::Picture { resource, placed: plan.placed, edge: plan.edge },
        });
        Ok(())
    }

    fn filter(
        &mut self,
        node: &Arc<FilterNode>,
        to_px: Affine,
        out: &mut Vec<Item>,
    ) -> Result<(), Violation> {
        let to_px = to_px * node.transform;
        let whole = Area::around(to_px.transform_rect_bbox(node.bounds));
        let area = whole.intersect(self.frame);
        if area.is_empty() {
            return Ok(());
        }
        let key = format!("filter {} {:?}", node.key, to_px.as_coeffs());
        let node = node.clone();
        let resource = self.resource(key, area, || Ok(Spec::Filter(filter::plan(node, to_px, whole)?)))?;
        out.push(Item { area, what: What::Blit { resource, by: (0, 0) } });
        Ok(())
    }

    /// Adds an outline to the surface's account.
    fn count(&mut self, outline: Outline) -> Result<Outline, Violation> {
        self.points += outline.points.len();
        if self.points > MAX_POINTS {
            return Err(Violation::new(
                Code::SvgTooComplex,
                format!(
                    "the art's outlines have more than {MAX_POINTS} corners at this size; send simpler art"
                ),
            )
            .limit(MAX_POINTS as u64));
        }
        Ok(outline)
    }
}

/// The smallest area around some.
pub(super) fn union(areas: impl Iterator<Item = Area>) -> Area {
    areas
        .filter(|area| !area.is_empty())
        .reduce(|a, b| Area::new(a.x0.min(b.x0), a.y0.min(b.y0), a.x1.max(b.x1), a.y1.max(b.y1)))
        .unwrap_or(Area::EMPTY)
}
