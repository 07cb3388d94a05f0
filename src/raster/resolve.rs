//! From scene nodes to a display list.

use super::layer::Area;
use super::list::{Compositing, GroupItem, Item, Lay, List, Resource, Shader, Spec, What};
use super::outline::Outline;
use super::scope::Scope;
use super::shade::{Gradient, table};
use super::{cell, filter, picture};
use crate::error::{Code, Violation};
use crate::scene::{Clip, FilterNode, Group, ImageNode, Ink, Node, Paint, PathNode, Stops};
use kurbo::Affine;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most corners of all flattened outlines of a surface (8 bytes each).
const MAX_POINTS: usize = 12_000_000;

/// What pixels are measured against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure {
    /// Pixels of a millimetre on the page.
    pub(super) px_per_mm: f64,
    /// Millimetres of the surface that a line one pixel wide has.
    pub(super) line_mm: f64,
}

impl Measure {
    /// That of a page with so many pixels a millimetre, onto which a surface comes by a matrix.
    pub(super) fn page(px_per_mm: f64, to_px: Affine) -> Measure {
        Measure { px_per_mm, line_mm: size(to_px).recip() }
    }

    /// That of what is painted by one matrix and would come onto these pixels by another.
    pub(super) fn apart(self, painted: Affine, shown: Affine) -> Measure {
        Measure { line_mm: self.line_mm * size(shown) / size(painted), ..self }
    }
}

/// How much longer a matrix makes lines, in the mean of all directions.
fn size(matrix: Affine) -> f64 {
    libm::sqrt(matrix.determinant().abs())
}

/// Resolves nodes for a frame of so many pixels a millimetre, in sRGB.
pub(super) fn resolve(nodes: &[Node], to_px: Affine, frame: Area, px_per_mm: f64) -> Result<List, Violation> {
    resolve_as(&Scope::srgb(), nodes, to_px, frame, Measure::page(px_per_mm, to_px))
}

/// The same in the colours of a scope, measured by what is given.
pub(super) fn resolve_as(
    scope: &Scope,
    nodes: &[Node],
    to_px: Affine,
    frame: Area,
    measure: Measure,
) -> Result<List, Violation> {
    let mut builder = Builder::new(frame, measure);
    builder.scope = scope.clone();
    let mut items = Vec::new();
    builder.nodes(nodes, to_px, &mut items)?;
    Ok(List { items, resources: builder.resources })
}

/// One list for several scopes, each with the nodes that it paints in their order: what each
/// paints, and the resources of all.
pub(super) fn resolve_passes(
    passes: &[Vec<(Scope, &[Node])>],
    to_px: Affine,
    frame: Area,
    px_per_mm: f64,
) -> Result<(Vec<Vec<Item>>, Vec<Resource>), Violation> {
    let mut builder = Builder::new(frame, Measure::page(px_per_mm, to_px));
    let mut lists = Vec::with_capacity(passes.len());
    for parts in passes {
        let mut items = Vec::new();
        (builder.points, builder.cell_pixels) = (0, 0);
        for (scope, nodes) in parts {
            builder.scope = scope.clone();
            builder.nodes(nodes, to_px, &mut items)?;
        }
        lists.push(items);
    }
    Ok((lists, builder.resources))
}

/// A display list under way.
pub(super) struct Builder {
    /// All pixels of the frame.
    pub(super) frame: Area,
    /// What its pixels are measured against.
    pub(super) measure: Measure,
    /// Pixels that pattern cells hold so far.
    pub(super) cell_pixels: usize,
    /// What nodes are painted as.
    pub(super) scope: Scope,
    resources: Vec<Resource>,
    by_key: BTreeMap<String, usize>,
    points: usize,
}

impl Builder {
    fn new(frame: Area, measure: Measure) -> Self {
        Builder {
            frame,
            measure,
            cell_pixels: 0,
            scope: Scope::srgb(),
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
                Node::Separation(plate) => {
                    // Plates beside the art are not part of its picture.
                    let Some((scope, nodes)) = self.scope.separation(plate) else { continue };
                    let outer = std::mem::replace(&mut self.scope, scope);
                    self.nodes(nodes, to_px, out)?;
                    self.scope = outer;
                }
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
            let inner = self.scope.enter(group);
            let outer = std::mem::replace(&mut self.scope, inner);
            self.nodes(&group.nodes, to_px, out)?;
            self.scope = outer;
            return Ok(());
        }
        let inner = self.scope.enter(group);
        let outer = std::mem::replace(&mut self.scope, inner);
        let mut items = Vec::new();
        self.nodes(&group.nodes, to_px, &mut items)?;
        self.scope = outer;
        area = area.intersect(union(items.iter().map(|item| item.area)));
        let mask = match &group.mask {
            None => None,
            Some(mask) => {
                // Masks are made of what is seen, whatever it is printed with.
                let outer = std::mem::replace(&mut self.scope, Scope::srgb());
                let mut items = Vec::new();
                self.nodes(&mask.nodes, to_px, &mut items)?;
                self.scope = outer;
                area = area.intersect(union(items.iter().map(|item| item.area)));
                Some((mask.kind, items))
            }
        };
        if area.is_empty() {
            return Ok(());
        }
        let layer = if group.is_plain() {
            None
        } else {
            Some(Compositing { opacity: group.opacity, mixing: self.scope.mixing(group)?, mask })
        };
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
            .map(|fill| (Outline::fill(&node.path, to_px, fill.rule), &fill.paint, fill.opacity, None));
        if let Some(stroke) = &node.stroke {
            stroke.check_dashes(&node.path)?;
        }
        let stroke = node.stroke.as_ref().and_then(|stroke| {
            let outline = Outline::stroke(&node.path, &stroke.style, to_px)?;
            let width = stroke.style.width * size(to_px) * self.measure.line_mm;
            Some((outline, &stroke.paint, stroke.opacity, Some(width)))
        });
        let parts = if node.stroke_first { [stroke, fill] } else { [fill, stroke] };
        for (outline, paint, opacity, width) in parts.into_iter().flatten() {
            let area = outline.area.intersect(self.frame);
            if area.is_empty() || opacity <= 0.0 {
                continue;
            }
            let own = width.map(|width| self.scope.of_stroke(paint, width));
            let outer = own.map(|own| std::mem::replace(&mut self.scope, own));
            let painted = self.painted(paint, opacity, node.overprint, to_px, area);
            if let Some(outer) = outer {
                self.scope = outer;
            }
            let Some((shader, lay)) = painted? else { continue };
            let outline = self.count(outline)?;
            out.push(Item { area, what: What::Fill { outline, shader, lay } });
        }
        Ok(())
    }

    /// What a fill or a stroke is painted with, and how it is laid; `None` where nothing is left of it.
    fn painted(
        &mut self,
        paint: &Paint,
        opacity: f32,
        overprint: bool,
        to_px: Affine,
        area: Area,
    ) -> Result<Option<(Shader, Lay)>, Violation> {
        let lay = self.scope.lay(paint, opacity, overprint)?;
        if lay == Lay::Sparing([true; 3]) && self.scope.on_paper() {
            return Ok(None);
        }
        Ok(self.shader(paint, opacity, to_px, area)?.map(|shader| (shader, lay)))
    }

    fn shader(
        &mut self,
        paint: &Paint,
        opacity: f32,
        to_px: Affine,
        area: Area,
    ) -> Result<Option<Shader>, Violation> {
        let solid = |scope: &Scope, ink: &Ink, alpha: f32| {
            let [a, b, c] = scope.ink(ink)?.color;
            Ok((alpha > 0.0).then_some(Shader::Solid([a, b, c, alpha])))
        };
        // The last colour of a gradient that has no extent.
        let last = |scope: &Scope, stops: &Stops| match stops.stops.last() {
            Some((_, ink, alpha)) => solid(scope, ink, alpha * opacity),
            None => Ok(None),
        };
        let (scope, colorants) = (&self.scope, &self.scope.colorants);
        Ok(match paint {
            Paint::Solid(ink) => solid(scope, ink, opacity)?,
            Paint::Linear(g) => {
                let table = table(&g.stops, opacity, colorants)?;
                match Gradient::linear(g.start, g.end, &g.stops, &table, to_px) {
                    Some(gradient) => Some(Shader::Gradient(gradient)),
                    None => last(scope, &g.stops)?,
                }
            }
            Paint::Radial(g) => match Gradient::radial(g, &table(&g.stops, opacity, colorants)?, to_px) {
                Some(gradient) => Some(Shader::Gradient(gradient)),
                None => last(scope, &g.stops)?,
            },
            Paint::Tiling(tiling) => cell::tiling(self, tiling, opacity, to_px, area)?,
        })
    }

    fn image(&mut self, node: &Arc<ImageNode>, to_px: Affine, out: &mut Vec<Item>) -> Result<(), Violation> {
        let Some(plan) = picture::plan(node, to_px * node.transform, self.frame, self.measure.px_per_mm)
        else {
            return Ok(());
        };
        let key = self.scope.key() + &plan.key;
        let colorants = self.scope.colorants.clone();
        let resource = self.resource(key, plan.area, || Ok(Spec::Picture(plan.spec, colorants)))?;
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
        let key = format!("{}filter {} {:?}", self.scope.key(), node.key, to_px.as_coeffs());
        let (node, colorants) = (node.clone(), self.scope.colorants.clone());
        let resource =
            self.resource(key, area, || Ok(Spec::Filter(filter::plan(node, to_px, whole)?, colorants)))?;
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
