//! One layer: its box, its condition, its repeats, and what all kinds share.

use super::env::Env;
use super::place::{Container, lock};
use super::{Composer, Source};
use crate::catalog::layer::{Arrange, Channel, Fit, Flip, Kind, Layer, MaskSpec, Repeat};
use crate::error::{Code, Violation};
use crate::order::{FieldValue, Item};
use crate::scene::{Blend, Group, Ink, LayerBox, Mask, MaskKind, Node, rotation};
use kurbo::{Affine, Rect, Size, Vec2};
use std::sync::Arc;

/// The items of a repeat that its filter lets pass.
pub(super) fn repeated<'a>(repeat: &'a Repeat, env: &Env<'a>) -> Vec<(usize, &'a Item)> {
    let items = env.list(&repeat.over);
    let kept = |(i, item): &(usize, &'a Item)| {
        repeat
            .filter
            .as_ref()
            .is_none_or(|filter| env.clone().with_item(&repeat.item, item, *i, items.len()).holds(filter))
    };
    items.iter().enumerate().filter(kept).enumerate().map(|(i, (_, item))| (i, item)).collect()
}

impl Composer<'_> {
    /// A layer's nodes in its container: none where its condition fails.
    pub(super) fn layer(&self, layer: &Layer, container: &Container<'_>) -> Result<Vec<Node>, Violation> {
        if layer.repeat.is_none() && layer.when.as_ref().is_some_and(|when| !container.env.holds(when)) {
            return Ok(Vec::new());
        }
        let rect = self.place(layer.place.as_ref(), container)?;
        let Some(repeat) = &layer.repeat else {
            return Ok(self.once(layer, rect, container)?.into_iter().collect());
        };
        let items = repeated(repeat, &container.env);
        let cells = self.cells(repeat, rect, items.len(), container)?;
        let mut nodes = Vec::new();
        for ((index, item), cell) in items.iter().zip(cells) {
            let env = container.env.clone().with_item(&repeat.item, item, *index, items.len());
            if layer.when.as_ref().is_some_and(|when| !env.holds(when)) {
                continue;
            }
            let inner =
                Container { env, suffix: format!("{}.{index}", container.suffix), ..container.clone() };
            nodes.extend(self.once(layer, cell, &inner)?);
        }
        Ok(nodes)
    }

    /// The cells of a repeat's items in its box.
    fn cells(
        &self,
        repeat: &Repeat,
        rect: Rect,
        count: usize,
        container: &Container<'_>,
    ) -> Result<Vec<Rect>, Violation> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let env = container.env.clone().with_number("count", count as f64);
        let number = |m: &Option<_>| m.as_ref().map(|m| env.number(m)).transpose();
        let gap = number(&repeat.gap)?.unwrap_or(0.0).max(0.0);
        let aspect = number(&repeat.aspect)?.filter(|a| *a > 0.0);
        let columns = match repeat.arrange {
            Arrange::Row => count,
            Arrange::Column => 1,
            Arrange::Stack => return Ok(vec![rect; count]),
            Arrange::Grid => match number(&repeat.columns)? {
                Some(columns) => (columns.max(1.0) as usize).min(count),
                None => best_columns(rect.size(), count, gap, aspect.unwrap_or(1.0)),
            },
        };
        let rows = count.div_ceil(columns);
        let spaced = |length: f64, n: usize| (length - gap * (n - 1) as f64) / n as f64;
        let mut cell = Size::new(spaced(rect.width(), columns), spaced(rect.height(), rows));
        if cell.width <= 0.0 || cell.height <= 0.0 {
            return Err(Violation::new(Code::TemplateInvalid, "a repeat's gaps leave no room for its items"));
        }
        if let Some(aspect) = aspect {
            let width = cell.width.min(cell.height * aspect);
            cell = Size::new(width, width / aspect);
        }
        let used = |size: f64, n: usize| size * n as f64 + gap * (n - 1) as f64;
        let top = rect.y0 + (rect.height() - used(cell.height, rows)) / 2.0;
        Ok((0..count)
            .map(|i| {
                let (row, column) = (i / columns, i % columns);
                let in_row = if row + 1 == rows { count - row * columns } else { columns };
                let left = rect.x0 + (rect.width() - used(cell.width, in_row)) / 2.0;
                let corner =
                    (left + column as f64 * (cell.width + gap), top + row as f64 * (cell.height + gap));
                Rect::from_origin_size(corner, cell)
            })
            .collect())
    }

    /// One print of a layer, as a named group; `None` where it has nothing to print.
    fn once(&self, layer: &Layer, rect: Rect, container: &Container<'_>) -> Result<Option<Node>, Violation> {
        let env = container.env.clone().inside(rect.width(), rect.height());
        let size = rect.size();
        let kinds = layer.kinds();
        let [kind] = kinds.as_slice() else {
            return Err(Violation::new(Code::TemplateInvalid, "a layer has exactly one kind")
                .at(format!("/{}", layer.id)));
        };
        let readable = match kind {
            Kind::Text(_) | Kind::Code(_) => container.mirrored,
            Kind::Image(_)
            | Kind::Photo(_)
            | Kind::Art(_)
            | Kind::Shape(_)
            | Kind::Pattern(_)
            | Kind::Collage(_)
            | Kind::Group(_) => false,
        };
        let transform =
            Affine::translate(rect.origin().to_vec2()) * self.turn(layer, size, &container.env, readable)?;
        let id: Arc<str> = format!("{}{}", layer.id, container.suffix).into();
        let inner = Container {
            env,
            size,
            to_trim: container.to_trim * transform,
            mirrored: container.mirrored,
            suffix: container.suffix.clone(),
            listed: container.listed,
        };
        if container.listed {
            let bounds = inner.to_trim.transform_rect_bbox(size.to_rect());
            lock(&self.surface).layers.push(LayerBox { id: id.clone(), kind: kind.name(), bounds });
        }
        let listed_at = lock(&self.surface).layers.len();
        let set_in_type = matches!(kind, Kind::Text(_) | Kind::Code(_));
        let nodes = match kind {
            Kind::Image(image) => self.image(image, layer, &inner)?,
            Kind::Photo(photo) => self.photo(photo, layer, &inner)?,
            Kind::Text(text) => self.text(text, layer, &inner)?,
            Kind::Art(art) => self.art_layer(art, layer, &inner)?,
            Kind::Shape(shape) => self.shape(shape, layer, &inner)?,
            Kind::Pattern(pattern) => self.pattern(pattern, &inner)?,
            Kind::Code(code) => self.code(code, &inner)?,
            Kind::Collage(collage) => self.collage(collage, &layer.id, &inner)?,
            Kind::Group(group) => {
                let canvas = group.canvas.map_or(size, |[w, h]| Size::new(w, h));
                let (into, over) = super::place::fit(
                    if group.canvas.is_some() { group.fit } else { Fit::Stretch },
                    canvas,
                    size,
                );
                let child = Container {
                    env: inner.env.clone().inside(canvas.width, canvas.height),
                    size: canvas,
                    to_trim: inner.to_trim * into,
                    ..inner.clone()
                };
                let mut children = Vec::new();
                for layer in &group.layers {
                    children.extend(self.layer(layer, &child)?);
                }
                let mut wrapped = Group { transform: into, nodes: children, ..Group::default() };
                if over {
                    let path =
                        super::shape::rounded_rect(into.inverse().transform_rect_bbox(size.to_rect()), 0.0);
                    wrapped.clips.push(super::shape::Outline { path, rule: Default::default() }.clip());
                }
                vec![Node::Group(Arc::new(wrapped))]
            }
        };
        if nodes.is_empty() {
            let mut surface = lock(&self.surface);
            if container.listed && surface.layers.len() == listed_at {
                surface.layers.pop();
            }
            return Ok(None);
        }
        let nodes = match &layer.ink {
            Some(name) => super::art::in_ink(nodes, &self.spot(name)?)?,
            None => nodes,
        };
        let mut group = Group { name: Some(id), transform, blend: layer.blend, nodes, ..Group::default() };
        group.isolated = layer.blend != Blend::Normal;
        group.readable = set_in_type;
        if let Some(opacity) = &layer.opacity {
            group.opacity = inner.env.get(opacity)?.unwrap_or(1.0).clamp(0.0, 1.0) as f32;
        }
        if let Some(clip) = &layer.clip {
            group.clips.push(self.outline(clip, size, &inner.env, inner.to_trim)?.clip());
        }
        if let Some(mask) = &layer.mask {
            group.mask = self.mask(mask, layer, &inner)?;
        }
        Ok(Some(Node::Group(Arc::new(group))))
    }

    /// Turn, mirroring and the customer's placement, about the box's centre.
    fn turn(&self, layer: &Layer, size: Size, env: &Env<'_>, readable: bool) -> Result<Affine, Violation> {
        let middle = Vec2::new(size.width / 2.0, size.height / 2.0);
        let mut about = Affine::IDENTITY;
        if let Some(name) = &layer.placement
            && let Some(FieldValue::Placement(p)) = env.lookup(name)
        {
            about = Affine::translate((p.dx, p.dy)) * rotation(p.turn) * Affine::scale(p.scale);
        }
        if let Some(turn) = &layer.rotate {
            about *= rotation(env.measure(turn)?.unwrap_or(0.0));
        }
        let flip = match &layer.flip {
            Some(flip) => env.get(flip)?.unwrap_or(Flip::None),
            None => Flip::None,
        };
        let (x, y) = match flip {
            Flip::None => (1.0, 1.0),
            Flip::Horizontal => (-1.0, 1.0),
            Flip::Vertical => (1.0, -1.0),
            Flip::Both => (-1.0, -1.0),
        };
        let x = if readable { -x } else { x };
        about *= Affine::scale_non_uniform(x, y);
        Ok(Affine::translate(middle) * about * Affine::translate(-middle))
    }

    /// A template's picture or art as a soft mask, stretched over the box.
    pub(super) fn mask(
        &self,
        mask: &MaskSpec,
        layer: &Layer,
        container: &Container<'_>,
    ) -> Result<Option<Mask>, Violation> {
        let Some(path) = container.env.get(&mask.asset)? else { return Ok(None) };
        let source = Source::Catalog(format!("{}/{path}", layer.base));
        let nodes = self.asset_nodes(&source, Fit::Stretch, container.size, &layer.id, container)?;
        let kind = match mask.channel {
            Channel::Alpha => MaskKind::Alpha,
            Channel::Luminosity => MaskKind::Luminosity,
        };
        Ok(Some(Mask { kind, nodes }))
    }

    fn spot(&self, name: &str) -> Result<Ink, Violation> {
        use crate::catalog::Spots;
        let (name, alternate) = self.order.profile().spot(name).ok_or_else(|| {
            Violation::new(Code::TemplateInvalid, "a layer's ink is not one of the profile's spot inks")
        })?;
        Ok(Ink::Spot { name, tint: 1.0, alternate })
    }
}

/// The number of columns whose cells, at this aspect, come out largest.
fn best_columns(size: Size, count: usize, gap: f64, aspect: f64) -> usize {
    let width_with = |columns: usize| {
        let rows = count.div_ceil(columns);
        let width = (size.width - gap * (columns - 1) as f64) / columns as f64;
        let height = (size.height - gap * (rows - 1) as f64) / rows as f64;
        width.min(height * aspect)
    };
    let mut best = 1;
    for columns in 2..=count {
        if width_with(columns) > width_with(best) + 1e-9 {
            best = columns;
        }
    }
    best
}
