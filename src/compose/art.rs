//! Vector art, drawn shapes, and what a spot ink makes of them.

use super::place::Container;
use super::{Asset, Composer, Remark, Source};
use crate::art::{Art, IdPaint, Recolor};
use crate::cache::{self, Kind};
use crate::catalog::layer::{ArtLayer, Fit, Layer, PaintSpec, ShapeLayer};
use crate::error::{Code, Violation, Violations};
use crate::order::FieldValue;
use crate::scene::{Color, Fill, Group, Ink, Node, Paint, PathNode, PatternNode};
use indexmap::IndexMap;
use kurbo::{Point, Size};
use std::sync::Arc;

impl Composer<'_> {
    /// Vector art, recoloured.
    pub(super) fn art_layer(
        &self,
        art: &ArtLayer,
        layer: &Layer,
        container: &Container<'_>,
    ) -> Result<Vec<Node>, Violation> {
        let env = &container.env;
        let source = match (&art.asset, &art.field) {
            (Some(asset), _) => match env.get(asset)? {
                Some(path) => Source::Catalog(format!("{}/{path}", layer.base)),
                None => return Ok(Vec::new()),
            },
            (None, Some(field)) => match env.lookup(field) {
                Some(FieldValue::Image { image, .. }) => Source::Order(image.asset.clone()),
                _ => return Ok(Vec::new()),
            },
            (None, None) => return Ok(Vec::new()),
        };
        let mut recolor = Recolor::default();
        for (swatch, color) in &art.swatches {
            let from = Color::parse_hex(swatch).ok_or_else(|| {
                Violation::new(Code::TemplateInvalid, "a swatch is a colour of the art, as #rrggbb")
            })?;
            recolor.swatches.extend(self.ink(color, env)?.map(|ink| (from, ink)));
        }
        let mut ids = IndexMap::new();
        for (id, spec) in &art.ids {
            let ink = |color: &Option<_>| {
                color.as_ref().map(|color| self.ink(color, env)).transpose().map(Option::flatten)
            };
            ids.insert(id.clone(), IdPaint { fill: ink(&spec.fill)?, stroke: ink(&spec.stroke)? });
        }
        recolor.ids = ids;
        if let Some(color) = &art.color {
            recolor.all = self.ink(color, env)?;
        }
        self.art_nodes(&source, &recolor, art.fit, container.size, &layer.id, container)
    }

    /// Art or a picture of the template, over a box.
    pub(super) fn asset_nodes(
        &self,
        source: &Source,
        fit: Fit,
        size: Size,
        layer: &str,
        container: &Container<'_>,
    ) -> Result<Vec<Node>, Violation> {
        match self.assets.get(source)?.0 {
            Asset::Vector(_) => self.art_nodes(source, &Recolor::default(), fit, size, layer, container),
            Asset::Picture(picture) => {
                let boxed = Container { size, ..container.clone() };
                self.framed(picture.clone(), super::photo::Framing::whole(fit, layer), &boxed)
            }
        }
    }

    fn art_nodes(
        &self,
        source: &Source,
        recolor: &Recolor,
        fit: Fit,
        size: Size,
        layer: &str,
        container: &Container<'_>,
    ) -> Result<Vec<Node>, Violation> {
        let art = self.art(source)?;
        let (_, reference) = self.assets.get(source)?;
        for finding in art.findings() {
            self.remark(Remark {
                code: finding.code,
                action: self.order.profile().policy.unsupported_art,
                layer,
                place: container.to_trim.transform_rect_bbox(size.to_rect()),
                detail: finding.detail.clone(),
            })
            .map_err(|v| reference.blame(v))?;
        }
        let group = art.group_kept(recolor, self.assets.cache_of(source)).map_err(|v| reference.blame(v))?;
        let (into, over) = super::place::fit(fit, art.size(), size);
        let placed = Group { transform: into * group.transform, ..group };
        let mut outer = Group { nodes: vec![Node::Group(Arc::new(placed))], ..Group::default() };
        if over {
            let path = super::shape::rounded_rect(size.to_rect(), 0.0);
            outer.clips.push(super::shape::Outline { path, rule: Default::default() }.clip());
        }
        Ok(vec![Node::Group(Arc::new(outer))])
    }

    /// Parsed art, once for each source.
    pub(super) fn art(&self, source: &Source) -> Result<Arc<Art>, Violation> {
        if let Some(art) = super::place::lock(&self.arts).get(source) {
            return Ok(art.clone());
        }
        let (asset, reference) = self.assets.get(source)?;
        let bytes = match asset {
            Asset::Vector(bytes) => bytes,
            Asset::Picture(_) => {
                return Err(reference.blame(Violation::new(
                    Code::AssetTypeUnsupported,
                    "vector art is SVG; this is a picture",
                )));
            }
        };
        let first = |violations: Violations| {
            violations
                .0
                .into_iter()
                .next()
                .unwrap_or_else(|| Violation::new(Code::InternalError, "art failed without a reason"))
        };
        let load = || Art::load(bytes, self.fonts.fontdb(), self.limits).map_err(first);
        let art = match self.assets.cache_of(source) {
            Some(cache) => cache.get_or(Kind::Art, cache::digest([&**bytes]), || {
                let art = load()?;
                let weight = art.weight();
                Ok((art, weight))
            }),
            None => load().map(Arc::new),
        };
        let art = art.map_err(|v| reference.blame(v))?;
        super::place::lock(&self.arts).insert(source.clone(), art.clone());
        Ok(art)
    }

    /// A drawn shape.
    pub(super) fn shape(
        &self,
        shape: &ShapeLayer,
        layer: &Layer,
        container: &Container<'_>,
    ) -> Result<Vec<Node>, Violation> {
        let outline = self.outline(&shape.shape, container.size, &container.env, container.to_trim)?;
        let stroke = match &shape.stroke {
            Some(stroke) => self.stroke(stroke, &container.env)?,
            None => None,
        };
        let mut nodes = Vec::new();
        let mut node = PathNode {
            path: Arc::new(outline.path.clone()),
            fill: None,
            stroke,
            stroke_first: false,
            overprint: false,
        };
        if let Some(spec) = &shape.fill {
            match self.plain_paint(spec, container.size, &container.env)? {
                Some(paint) => node.fill = Some(Fill { paint, opacity: 1.0, rule: outline.rule }),
                None => nodes.extend(self.fill_nodes(spec, outline, layer, container)?),
            }
        }
        if node.fill.is_some() || node.stroke.is_some() {
            nodes.push(Node::Path(Arc::new(node)));
        }
        Ok(nodes)
    }

    /// A picture or pattern cut to an outline; nothing for other paints.
    pub(super) fn fill_nodes(
        &self,
        spec: &PaintSpec,
        outline: super::shape::Outline,
        layer: &Layer,
        container: &Container<'_>,
    ) -> Result<Option<Node>, Violation> {
        let nodes = match spec {
            PaintSpec::Image(holder) => {
                let fill = &holder.image;
                match (&fill.asset, &fill.field) {
                    (Some(asset), _) => match container.env.get(asset)? {
                        Some(path) => {
                            let source = Source::Catalog(format!("{}/{path}", layer.base));
                            self.asset_nodes(&source, fill.fit, container.size, &layer.id, container)?
                        }
                        None => Vec::new(),
                    },
                    (None, Some(field)) => match container.env.lookup(field) {
                        Some(FieldValue::Image { image, .. }) => self.order_picture(
                            image,
                            fill.fit,
                            Point::new(0.5, 0.5),
                            Vec::new(),
                            &layer.id,
                            container,
                        )?,
                        _ => Vec::new(),
                    },
                    (None, None) => Vec::new(),
                }
            }
            PaintSpec::Pattern(holder) => self.pattern(&holder.pattern, container)?,
            PaintSpec::Linear(_) | PaintSpec::Radial(_) | PaintSpec::Color(_) => Vec::new(),
        };
        let filled = Group { clips: vec![outline.clip()], nodes, ..Group::default() };
        Ok((!filled.nodes.is_empty()).then(|| Node::Group(Arc::new(filled))))
    }
}

/// The same nodes with every colour replaced by one ink. Pictures have no single colour, so a
/// layer that holds one cannot be printed with a spot.
pub(super) fn in_ink(nodes: Vec<Node>, ink: &Ink) -> Result<Vec<Node>, Violation> {
    nodes.into_iter().map(|node| one_in_ink(&node, ink)).collect()
}

fn one_in_ink(node: &Node, ink: &Ink) -> Result<Node, Violation> {
    Ok(match node {
        Node::Group(group) => Node::Group(Arc::new(group_in_ink(group, ink)?)),
        Node::Path(path) => {
            let mut path = (**path).clone();
            if let Some(fill) = &mut path.fill {
                fill.paint = Paint::Solid(ink.clone());
            }
            if let Some(stroke) = &mut path.stroke {
                stroke.paint = Paint::Solid(ink.clone());
            }
            Node::Path(Arc::new(path))
        }
        Node::Pattern(pattern) => {
            let cell = Arc::new(group_in_ink(&pattern.cell, ink)?);
            Node::Pattern(Arc::new(PatternNode {
                cell,
                bounds: pattern.bounds,
                instances: pattern.instances.clone(),
            }))
        }
        Node::Image(_) | Node::Filter(_) | Node::Separation(_) => {
            return Err(Violation::new(
                Code::TemplateInvalid,
                "a layer with an `ink` holds outlines only, no pictures",
            ));
        }
    })
}

fn group_in_ink(group: &Group, ink: &Ink) -> Result<Group, Violation> {
    Ok(Group { nodes: in_ink(group.nodes.clone(), ink)?, ..group.clone() })
}
