//! What an order needs before it can be composed: its pictures and the template's files.

use super::assets::{AssetRef, Source};
use super::env::Env;
use super::layer::repeated;
use crate::catalog::Bound;
use crate::catalog::layer::{Kind, Layer, MaskSpec, PaintSpec};
use crate::error::Violation;
use crate::order::{FieldValue, ImageValue, Item, ValidOrder};
use std::collections::BTreeMap;

/// Every asset the order's layers may draw, each once, the order's own first mention standing
/// for its pointer. Layers whose condition fails ask for nothing.
pub fn plan(order: &ValidOrder) -> Result<Vec<AssetRef>, Violation> {
    let mut plan = Plan::default();
    // Pictures of the order are fetched even where no layer shows them, so that a bad upload
    // never passes unnoticed.
    for value in order.fields().values() {
        plan.value(value);
    }
    let template = order.template().clone();
    let env = Env::new(order.fields(), order.measures());
    for surface in &template.surfaces {
        if surface.when.as_ref().is_some_and(|when| !env.holds(when)) {
            continue;
        }
        if let Some(drawing) = &surface.drawing {
            plan.add(AssetRef::catalog(format!("{}/{drawing}", surface.base)));
        }
        let scopes: Vec<Env<'_>> = match &surface.repeat {
            None => vec![env.clone()],
            Some(repeat) => {
                let items = env.list(&repeat.over);
                items
                    .iter()
                    .enumerate()
                    .map(|(i, item)| env.clone().with_item(&repeat.item, item, i, items.len()))
                    .collect()
            }
        };
        for scope in &scopes {
            plan.layers(&surface.layers, scope)?;
        }
    }
    Ok(plan.found.into_values().collect())
}

#[derive(Default)]
struct Plan {
    found: BTreeMap<Source, AssetRef>,
}

impl Plan {
    fn add(&mut self, reference: AssetRef) {
        self.found.entry(reference.source.clone()).or_insert(reference);
    }

    fn value(&mut self, value: &FieldValue) {
        match value {
            FieldValue::Image { image, pointer } => self.image(image, pointer),
            FieldValue::List(items) => {
                for item in items {
                    match item {
                        Item::Single(value) => self.value(value),
                        Item::Object(fields) => fields.values().for_each(|value| self.value(value)),
                    }
                }
            }
            FieldValue::Text(_)
            | FieldValue::Choice { .. }
            | FieldValue::Color { .. }
            | FieldValue::Font { .. }
            | FieldValue::Toggle(_)
            | FieldValue::Number(_)
            | FieldValue::Date { .. }
            | FieldValue::Placement(_) => {}
        }
    }

    fn image(&mut self, image: &ImageValue, pointer: &str) {
        self.add(AssetRef {
            source: Source::Order(image.asset.clone()),
            sha256: image.sha256.clone(),
            pointer: Some(pointer.to_owned()),
        });
        if let Some(matte) = &image.matte {
            self.add(AssetRef {
                source: Source::Order(matte.asset.clone()),
                sha256: matte.sha256.clone(),
                pointer: Some(format!("{pointer}/matte")),
            });
        }
    }

    fn file(&mut self, asset: &Bound<String>, base: &str, env: &Env<'_>) -> Result<(), Violation> {
        if let Some(path) = env.get(asset)? {
            self.add(AssetRef::catalog(format!("{base}/{path}")));
        }
        Ok(())
    }

    fn layers(&mut self, layers: &[Layer], env: &Env<'_>) -> Result<(), Violation> {
        for layer in layers {
            match &layer.repeat {
                None => self.layer(layer, env)?,
                Some(repeat) => {
                    let items = repeated(repeat, env);
                    for (index, item) in &items {
                        self.layer(layer, &env.clone().with_item(&repeat.item, item, *index, items.len()))?;
                    }
                }
            }
        }
        Ok(())
    }

    fn layer(&mut self, layer: &Layer, env: &Env<'_>) -> Result<(), Violation> {
        if layer.when.as_ref().is_some_and(|when| !env.holds(when)) {
            return Ok(());
        }
        let base = &layer.base;
        if let Some(MaskSpec { asset, .. }) = &layer.mask {
            self.file(asset, base, env)?;
        }
        for kind in layer.kinds() {
            match kind {
                Kind::Image(image) => self.file(&image.asset, base, env)?,
                Kind::Photo(photo) => {
                    if let Some(alpha) = &photo.alpha {
                        self.file(&alpha.asset, base, env)?;
                    }
                }
                Kind::Art(art) => {
                    if let Some(asset) = &art.asset {
                        self.file(asset, base, env)?;
                    }
                }
                Kind::Text(text) => self.paint(text.fill.as_ref(), layer, env)?,
                Kind::Shape(shape) => self.paint(shape.fill.as_ref(), layer, env)?,
                Kind::Pattern(pattern) => self.layers(&pattern.cell.layers, env)?,
                Kind::Group(group) => self.layers(&group.layers, env)?,
                Kind::Code(_) | Kind::Collage(_) => {}
            }
        }
        Ok(())
    }

    fn paint(&mut self, paint: Option<&PaintSpec>, layer: &Layer, env: &Env<'_>) -> Result<(), Violation> {
        match paint {
            Some(PaintSpec::Image(holder)) => match &holder.image.asset {
                Some(asset) => self.file(asset, &layer.base, env),
                None => Ok(()),
            },
            Some(PaintSpec::Pattern(holder)) => self.layers(&holder.pattern.cell.layers, env),
            Some(PaintSpec::Linear(_) | PaintSpec::Radial(_) | PaintSpec::Color(_)) | None => Ok(()),
        }
    }
}
