//! usvg's tree as scene nodes: every path, clip, mask, gradient and pattern stays a vector.
//!
//! Groups that do nothing are dissolved. A group with a filter becomes one [`FilterNode`].

use super::recolor::Inks;
use super::{clip, paint};
use crate::asset::Picture;
use crate::cache::Cache;
use crate::error::{Code, Violation};
use crate::scene::{Blend, FilterNode, Group, Node, Paint, PathNode, Tiling};
use kurbo::{Affine, Rect};
use resvg::usvg::{self, ImageKind};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An element of the art and its twin in the tree whose named elements carry marks.
pub(super) struct Pair<'a, T: ?Sized> {
    pub(super) plain: &'a T,
    pub(super) marked: Option<&'a T>,
}

impl<T: ?Sized> Clone for Pair<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Pair<'_, T> {}

impl<'a, T: ?Sized> Pair<'a, T> {
    pub(super) fn map<U: ?Sized>(self, part: impl Fn(&'a T) -> Option<&'a U>) -> Option<Pair<'a, U>> {
        Some(Pair { plain: part(self.plain)?, marked: self.marked.and_then(part) })
    }
}

pub(super) struct Converter<'a> {
    pub(super) inks: &'a Inks,
    pub(super) pictures: &'a BTreeMap<usize, Arc<Picture>>,
    /// The recoloured groups that replace the filtered ones, in the order of the walk.
    pub(super) filtered: Option<Vec<Arc<usvg::Node>>>,
    /// The filtered groups that were met.
    pub(super) met: Vec<Arc<usvg::Node>>,
    /// Patterns that were met, with their twins: art shares them, and so does the scene.
    pub(super) tilings: BTreeMap<(usize, usize), Arc<Tiling>>,
    /// Names what the filters' pixels depend on.
    pub(super) key: String,
    /// Where the filters' pixels are kept for other orders.
    pub(super) cache: Option<Arc<Cache>>,
    pub(super) one_ink: bool,
}

impl<'a> Converter<'a> {
    pub(super) fn new(inks: &'a Inks, pictures: &'a BTreeMap<usize, Arc<Picture>>, key: String) -> Self {
        let tilings = BTreeMap::new();
        Converter {
            inks,
            pictures,
            filtered: None,
            met: Vec::new(),
            tilings,
            key,
            cache: None,
            one_ink: false,
        }
    }

    /// The nodes of a group's children.
    pub(super) fn children(&mut self, group: Pair<usvg::Group>) -> Result<Vec<Node>, Violation> {
        let marked = group.marked.map(usvg::Group::children);
        if marked.is_some_and(|marked| marked.len() != group.plain.children().len()) {
            return Err(out_of_step());
        }
        let mut nodes = Vec::new();
        for (i, plain) in group.plain.children().iter().enumerate() {
            let marked = marked.and_then(|marked| marked.get(i));
            match (plain, marked) {
                (usvg::Node::Group(a), None) => {
                    self.group(plain, Pair { plain: a, marked: None }, &mut nodes)?
                }
                (usvg::Node::Group(a), Some(usvg::Node::Group(b))) => {
                    self.group(plain, Pair { plain: a, marked: Some(b) }, &mut nodes)?;
                }
                (usvg::Node::Path(a), None) => nodes.extend(self.path(Pair { plain: a, marked: None })?),
                (usvg::Node::Path(a), Some(usvg::Node::Path(b))) => {
                    nodes.extend(self.path(Pair { plain: a, marked: Some(b) })?)
                }
                (usvg::Node::Image(a), None) => nodes.extend(self.image(Pair { plain: a, marked: None })?),
                (usvg::Node::Image(a), Some(usvg::Node::Image(b))) => {
                    nodes.extend(self.image(Pair { plain: a, marked: Some(b) })?);
                }
                (usvg::Node::Text(a), None) => {
                    nodes.extend(self.text(Pair { plain: a.flattened(), marked: None })?)
                }
                (usvg::Node::Text(a), Some(usvg::Node::Text(b))) => {
                    nodes.extend(self.text(Pair { plain: a.flattened(), marked: Some(b.flattened()) })?);
                }
                (
                    usvg::Node::Group(_) | usvg::Node::Path(_) | usvg::Node::Image(_) | usvg::Node::Text(_),
                    Some(
                        usvg::Node::Group(_)
                        | usvg::Node::Path(_)
                        | usvg::Node::Image(_)
                        | usvg::Node::Text(_),
                    ),
                ) => return Err(out_of_step()),
            }
        }
        Ok(nodes)
    }

    /// Type keeps being type as outlines: its black is printed as such.
    fn text(&mut self, outlines: Pair<usvg::Group>) -> Result<Option<Node>, Violation> {
        let nodes = self.children(outlines)?;
        let group = Group { nodes, readable: true, ..Group::default() };
        Ok((!group.nodes.is_empty()).then(|| Node::Group(Arc::new(group))))
    }

    fn group(
        &mut self,
        node: &usvg::Node,
        pair: Pair<usvg::Group>,
        out: &mut Vec<Node>,
    ) -> Result<(), Violation> {
        let group = pair.plain;
        if !group.filters().is_empty() {
            out.extend(self.filter(node, group)?);
            return Ok(());
        }
        let nodes = self.children(pair)?;
        if nodes.is_empty() || group.opacity().get() <= 0.0 {
            return Ok(());
        }
        let mut result = Group {
            transform: paint::affine(group.transform()),
            opacity: group.opacity().get(),
            blend: blend(group.blend_mode()),
            isolated: group.isolate(),
            nodes,
            ..Group::default()
        };
        if let Some(path) = group.clip_path() {
            result = clip::clipped(path, result);
        }
        if let Some(mask) = pair.map(usvg::Group::mask) {
            result = self.masked(mask, result)?;
        }
        if result.is_plain() && result.clips.is_empty() && result.transform == Affine::IDENTITY {
            out.append(&mut result.nodes);
        } else {
            out.push(Node::Group(Arc::new(result)));
        }
        Ok(())
    }

    fn path(&mut self, pair: Pair<usvg::Path>) -> Result<Option<Node>, Violation> {
        let path = pair.plain;
        if !path.is_visible() {
            return Ok(None);
        }
        let fill = match pair.map(usvg::Path::fill).filter(|fill| fill.plain.opacity().get() > 0.0) {
            Some(fill) => {
                self.paint(fill.map(|f| Some(f.paint())))?.map(|paint| paint::fill(fill.plain, paint))
            }
            None => None,
        };
        let stroke = match pair.map(usvg::Path::stroke).filter(|stroke| stroke.plain.opacity().get() > 0.0) {
            Some(stroke) => {
                self.paint(stroke.map(|s| Some(s.paint())))?.map(|paint| paint::stroke(stroke.plain, paint))
            }
            None => None,
        };
        if fill.is_none() && stroke.is_none() {
            return Ok(None);
        }
        let stroke_first = match path.paint_order() {
            usvg::PaintOrder::FillAndStroke => false,
            usvg::PaintOrder::StrokeAndFill => true,
        };
        let path = Arc::new(paint::outline(path.data()));
        Ok(Some(Node::Path(Arc::new(PathNode { path, fill, stroke, stroke_first, overprint: false }))))
    }

    fn paint(&mut self, pair: Option<Pair<usvg::Paint>>) -> Result<Option<Paint>, Violation> {
        let Some(pair) = pair else { return Ok(None) };
        let mark = match pair.marked {
            Some(usvg::Paint::Color(color)) => Some(*color),
            Some(
                usvg::Paint::LinearGradient(_) | usvg::Paint::RadialGradient(_) | usvg::Paint::Pattern(_),
            )
            | None => None,
        };
        if let Some(ink) = self.inks.marked(mark) {
            return Ok(Some(Paint::Solid(ink.clone())));
        }
        Ok(Some(match (pair.plain, pair.marked) {
            (usvg::Paint::Color(color), _) => Paint::Solid(self.inks.ink(*color, None)),
            (usvg::Paint::LinearGradient(gradient), marked) => {
                let marked = match marked {
                    Some(usvg::Paint::LinearGradient(marked)) => Some(&***marked),
                    Some(
                        usvg::Paint::Color(_) | usvg::Paint::RadialGradient(_) | usvg::Paint::Pattern(_),
                    )
                    | None => None,
                };
                paint::linear(gradient, marked, self.inks)
            }
            (usvg::Paint::RadialGradient(gradient), marked) => {
                let marked = match marked {
                    Some(usvg::Paint::RadialGradient(marked)) => Some(&***marked),
                    Some(
                        usvg::Paint::Color(_) | usvg::Paint::LinearGradient(_) | usvg::Paint::Pattern(_),
                    )
                    | None => None,
                };
                paint::radial(gradient, marked, self.inks)
            }
            (usvg::Paint::Pattern(pattern), marked) => {
                let marked = match marked {
                    Some(usvg::Paint::Pattern(marked)) => Some(marked.root()),
                    Some(
                        usvg::Paint::Color(_)
                        | usvg::Paint::LinearGradient(_)
                        | usvg::Paint::RadialGradient(_),
                    )
                    | None => None,
                };
                let twin = marked.map_or(0, |marked| std::ptr::from_ref(marked) as usize);
                let key = (Arc::as_ptr(pattern) as usize, twin);
                if let Some(tiling) = self.tilings.get(&key) {
                    return Ok(Some(Paint::Tiling(tiling.clone())));
                }
                let nodes = self.children(Pair { plain: pattern.root(), marked })?;
                if nodes.is_empty() {
                    return Ok(None);
                }
                // usvg draws the cell with its corner at the origin, and moves it into place.
                let rect = paint::rect(pattern.rect());
                let transform =
                    paint::affine(pattern.transform()) * Affine::translate(rect.origin().to_vec2());
                let cell = Rect::from_origin_size((0.0, 0.0), rect.size());
                let group = Arc::new(Group { nodes, ..Group::default() });
                let tiling = Arc::new(Tiling { cell, transform, group });
                self.tilings.insert(key, tiling.clone());
                Paint::Tiling(tiling)
            }
        }))
    }

    fn image(&mut self, pair: Pair<usvg::Image>) -> Result<Option<Node>, Violation> {
        let image = pair.plain;
        if !image.is_visible() {
            return Ok(None);
        }
        let size = kurbo::Size::new(f64::from(image.size().width()), f64::from(image.size().height()));
        let data = match image.kind() {
            ImageKind::SVG(tree) => {
                let marked = match pair.marked.map(usvg::Image::kind) {
                    Some(ImageKind::SVG(marked)) => Some(marked.root()),
                    Some(ImageKind::JPEG(_) | ImageKind::PNG(_) | ImageKind::GIF(_) | ImageKind::WEBP(_))
                    | None => None,
                };
                let nodes = self.children(Pair { plain: tree.root(), marked })?;
                let group = Group {
                    isolated: true,
                    clips: vec![clip::rect(size.to_rect())],
                    nodes,
                    ..Group::default()
                };
                return Ok((!group.nodes.is_empty()).then(|| Node::Group(Arc::new(group))));
            }
            ImageKind::GIF(_) => return Ok(None),
            ImageKind::JPEG(data) | ImageKind::PNG(data) | ImageKind::WEBP(data) => data,
        };
        if self.one_ink {
            let detail = "the SVG embeds a picture, which cannot be printed in one ink; use outlines only";
            return Err(Violation::new(Code::SvgUnsupported, detail));
        }
        let picture = self.pictures.get(&(Arc::as_ptr(data) as usize)).ok_or_else(|| {
            Violation::new(
                Code::InternalError,
                "a picture inside an SVG was not probed when the SVG was loaded",
            )
        })?;
        let pixelated = match image.rendering_mode() {
            usvg::ImageRendering::CrispEdges
            | usvg::ImageRendering::Pixelated
            | usvg::ImageRendering::OptimizeSpeed => true,
            usvg::ImageRendering::OptimizeQuality
            | usvg::ImageRendering::Smooth
            | usvg::ImageRendering::HighQuality => false,
        };
        Ok(Some(Node::Image(Arc::new(crate::scene::ImageNode {
            picture: picture.clone(),
            crop: Rect::new(0.0, 0.0, 1.0, 1.0),
            transform: Affine::scale_non_uniform(size.width, size.height),
            adjust: Vec::new(),
            matte: None,
            pixelated,
        }))))
    }

    fn filter(&mut self, node: &usvg::Node, group: &usvg::Group) -> Result<Option<Node>, Violation> {
        let index = self.met.len();
        let svg = match &self.filtered {
            None => Arc::new(node.clone()),
            Some(filtered) => filtered.get(index).cloned().ok_or_else(out_of_step)?,
        };
        self.met.push(svg.clone());
        if group.opacity().get() <= 0.0 {
            return Ok(None);
        }
        let bounds =
            paint::affine(group.transform()).transform_rect_bbox(paint::rect(group.layer_bounding_box()));
        let key = format!("{}#{index}", self.key).into();
        let (transform, cache) = (Affine::IDENTITY, self.cache.clone());
        let node = Node::Filter(Arc::new(FilterNode { svg, bounds, transform, key, cache }));
        // What is filtered stands alone; only its result meets what lies beneath.
        let blend = blend(group.blend_mode());
        if blend == Blend::Normal {
            return Ok(Some(node));
        }
        Ok(Some(Node::Group(Arc::new(Group { blend, nodes: vec![node], ..Group::default() }))))
    }
}

fn blend(mode: usvg::BlendMode) -> Blend {
    match mode {
        usvg::BlendMode::Normal => Blend::Normal,
        usvg::BlendMode::Multiply => Blend::Multiply,
        // Adding light has no counterpart in PDF; a finding says so.
        usvg::BlendMode::Screen | usvg::BlendMode::PlusLighter => Blend::Screen,
        usvg::BlendMode::Overlay => Blend::Overlay,
        usvg::BlendMode::Darken => Blend::Darken,
        usvg::BlendMode::Lighten => Blend::Lighten,
        usvg::BlendMode::ColorDodge => Blend::ColorDodge,
        usvg::BlendMode::ColorBurn => Blend::ColorBurn,
        usvg::BlendMode::HardLight => Blend::HardLight,
        usvg::BlendMode::SoftLight => Blend::SoftLight,
        usvg::BlendMode::Difference => Blend::Difference,
        usvg::BlendMode::Exclusion => Blend::Exclusion,
        usvg::BlendMode::Hue => Blend::Hue,
        usvg::BlendMode::Saturation => Blend::Saturation,
        usvg::BlendMode::Color => Blend::Color,
        usvg::BlendMode::Luminosity => Blend::Luminosity,
    }
}

fn out_of_step() -> Violation {
    let detail =
        "this art cannot be recoloured by id, because colours change its structure; recolour it by swatch";
    Violation::new(Code::SvgUnsupported, detail)
}
