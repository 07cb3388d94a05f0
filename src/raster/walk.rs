//! Painting a display list's items onto the pixels of one band.

use super::blend::paint_solid;
use super::coverage::{coverage, covers};
use super::ground::Ground;
use super::layer::{Area, Layer, Mask};
use super::list::{Compositing, GroupItem, Item, Lay, Shader, What};
use super::outline::Outline;
use super::picture::Placed;
use super::rows::{blit, covered, lay_row, put, sampled, set, turned};
use super::sample::{Pixel, Sample};
use super::shown::{resampled, upright};
use super::store::{Loaded, Store};
use crate::control::Control;
use crate::error::{Code, Violation};
use crate::scene::MaskKind;
use std::sync::Arc;

/// Paints items; knows their resources.
pub(super) struct Painter<'a, S> {
    /// All pixels of the frame.
    pub(super) frame: Area,
    /// Resources, computed.
    pub(super) store: &'a Store<S>,
    /// Asked before every item.
    pub(super) control: Control<'a>,
}

impl<S: Sample> Painter<'_, S> {
    /// A layer of an area on a ground, with items painted on it, in a buffer that may hold anything.
    pub(super) fn band(
        &self,
        items: &[Item],
        area: Area,
        ground: Pixel<S>,
        buffer: Vec<Pixel<S>>,
    ) -> Result<Layer<S>, Violation> {
        let (mut ground, mut items) = (ground, items);
        // What an opaque colour hides all over is not painted.
        while let [first, rest @ ..] = items
            && let What::Fill { outline, shader: Shader::Solid(color), lay: Lay::Over } = &first.what
            && let pixel = premultiplied(*color)
            && pixel[3] == S::MAX
            && first.area.intersect(area) == area
            && covers(outline, area)
        {
            (ground, items) = (pixel, rest);
        }
        let mut taken = Vec::new();
        let mut on_top = (ground[3] == S::MAX).then(|| Ground::new(ground));
        self.taken(items, area, on_top.as_mut(), &mut taken)?;
        let mut layer = Layer::filled_around(area, ground, &taken, buffer);
        let mut bare = (ground[3] == S::MAX).then(|| Ground::new(ground));
        self.items(items, &mut layer, None, bare.as_mut())?;
        Ok(layer)
    }

    /// Where the first of some items set every pixel whatever lies beneath: the ground need not be filled
    /// there. False once an item is met that does not. `bare` goes through what it will go through when
    /// they are painted.
    fn taken(
        &self,
        items: &[Item],
        area: Area,
        mut bare: Option<&mut Ground<S>>,
        out: &mut Vec<Area>,
    ) -> Result<bool, Violation> {
        for item in items {
            let shown = item.area.intersect(area);
            if shown.is_empty() {
                continue;
            }
            let sets = match &item.what {
                What::Group(group) if group.layer.is_none() => {
                    let reach = group.reach(area);
                    let hides = |outlines: &Vec<Outline>| !hides_nothing(outlines, reach);
                    let clipped = group.clips.iter().any(hides);
                    if clipped || !self.taken(&group.items, area, bare.as_deref_mut(), out)? {
                        return Ok(false);
                    }
                    continue;
                }
                What::Blit { resource, .. } => match bare.as_deref_mut().and_then(|bare| bare.paint(shown)) {
                    Some(color) => self.store.laid(*resource, color)?.is_some(),
                    None => false,
                },
                What::Picture { resource, placed: Placed::Upright { .. }, edge: None } => {
                    bare.as_deref_mut().map(|bare| bare.paint(shown));
                    matches!(self.store.get(*resource)?.as_ref(), Loaded::Texture(texture) if texture.channels == 3)
                }
                What::Picture { .. } | What::Fill { .. } | What::Turned { .. } | What::Group(_) => false,
            };
            if !sets {
                return Ok(false);
            }
            out.push(shown);
        }
        Ok(true)
    }

    /// Paints items onto a layer, where the clip covers. `bare` knows where the layer still has one
    /// opaque colour.
    pub(super) fn items(
        &self,
        items: &[Item],
        target: &mut Layer<S>,
        clip: Option<&Mask>,
        mut bare: Option<&mut Ground<S>>,
    ) -> Result<(), Violation> {
        for item in items {
            let mut area = item.area.intersect(target.area);
            if let Some(clip) = clip {
                area = area.intersect(clip.area);
            }
            if area.is_empty() {
                continue;
            }
            self.control.check()?;
            let color = match (&item.what, &mut bare) {
                // What is in it is painted one by one.
                (What::Group(group), _) if group.layer.is_none() => None,
                (_, Some(bare)) => bare.paint(area),
                (_, None) => None,
            };
            match &item.what {
                What::Fill { outline, shader, lay } => {
                    self.fill(outline, shader, *lay, area, target, clip)?
                }
                What::Picture { resource, placed, edge } => {
                    let mask = edge.as_ref().map(|edge| self.mask(edge, area, clip));
                    self.picture(*resource, placed, area, target, mask.as_ref().or(clip))?;
                }
                What::Blit { resource, by } => {
                    let laid = match color {
                        Some(color) if clip.is_none() => self.store.laid(*resource, color)?,
                        Some(_) | None => None,
                    };
                    match laid {
                        Some(laid) => set(&laid.layer, *by, area, target),
                        None => blit(layer_of(&self.store.get(*resource)?)?, *by, area, target, clip),
                    }
                }
                What::Turned { resource, from_px } => {
                    let loaded = self.store.get(*resource)?;
                    turned(layer_of(&loaded)?, *from_px, area, target, clip);
                }
                What::Group(group) => self.group(group, area, target, clip, bare.as_deref_mut())?,
            }
        }
        Ok(())
    }

    fn fill(
        &self,
        outline: &Outline,
        shader: &Shader,
        lay: Lay,
        area: Area,
        target: &mut Layer<S>,
        clip: Option<&Mask>,
    ) -> Result<(), Violation> {
        let mut mask = coverage(outline, area, self.frame);
        if let Some(clip) = clip {
            mask.multiply(clip);
        }
        let area = mask.area;
        let (x0, x1) = (area.x0, area.x1);
        match shader {
            Shader::Solid(color) => {
                let color = premultiplied(*color);
                let row = if lay == Lay::Over { Vec::new() } else { vec![color; area.width()] };
                for y in area.y0..area.y1 {
                    let (target, cover) = (target.row_mut(y, x0, x1), mask.row(y, x0, x1));
                    match lay {
                        Lay::Over => paint_solid(target, cover, color),
                        Lay::Sparing(_) | Lay::Multiply => lay_row(target, &row, cover, S::MAX, lay),
                    }
                }
            }
            Shader::Gradient(gradient) => {
                let mut row = vec![[S::ZERO; 4]; area.width()];
                for y in area.y0..area.y1 {
                    let cover = mask.row(y, x0, x1);
                    let Some((from, to)) = covered(cover) else { continue };
                    gradient.row(x0 + from as i32, y, &mut row[from..to]);
                    let (left, right) = (x0 + from as i32, x0 + to as i32);
                    let target = target.row_mut(y, left, right);
                    lay_row(target, &row[from..to], &cover[from..to], S::MAX, lay);
                }
            }
            Shader::Tiles { resource, tiles, opacity } => {
                let loaded = self.store.get(*resource)?;
                let cell = layer_of(&loaded)?;
                let mut row = vec![[S::ZERO; 4]; area.width()];
                for y in area.y0..area.y1 {
                    let cover = mask.row(y, x0, x1);
                    let Some((from, to)) = covered(cover) else { continue };
                    tiles.row(cell, x0 + from as i32, y, &mut row[from..to]);
                    let (left, right) = (x0 + from as i32, x0 + to as i32);
                    let target = target.row_mut(y, left, right);
                    let opacity = S::from_unit(*opacity);
                    lay_row(target, &row[from..to], &cover[from..to], opacity, lay);
                }
            }
        }
        Ok(())
    }

    /// The coverage of an edge and a clip together.
    fn mask(&self, edge: &Outline, area: Area, clip: Option<&Mask>) -> Mask {
        let mut mask = coverage(edge, area, self.frame);
        if let Some(clip) = clip {
            mask.multiply(clip);
        }
        mask
    }

    fn picture(
        &self,
        resource: usize,
        placed: &Placed,
        area: Area,
        target: &mut Layer<S>,
        mask: Option<&Mask>,
    ) -> Result<(), Violation> {
        let loaded = self.store.get(resource)?;
        let area = mask.map_or(area, |mask| area.intersect(mask.area));
        if area.is_empty() {
            return Ok(());
        }
        match placed {
            Placed::Upright { dest, crop, ready } => match loaded.as_ref() {
                Loaded::Texture(texture) if *ready => {
                    let inside = |y: i32| y.clamp(dest.y0, dest.y1 - 1);
                    let start = (inside(area.y0) - dest.y0) as usize * dest.width() * texture.channels;
                    let rows = &texture.data[start..];
                    upright(rows, texture.channels, *dest, area, target, mask);
                }
                Loaded::Texture(texture) => {
                    let mut rows = self.store.rows.take();
                    resampled(texture, *dest, *crop, area, &mut rows)?;
                    upright(&rows, texture.channels, *dest, area, target, mask);
                    self.store.rows.give(rows);
                }
                Loaded::Layer(_) => return Err(mixed_up()),
            },
            Placed::Free { from_px, nearest } => {
                sampled(layer_of(&loaded)?, (*from_px, *nearest), area, target, mask);
            }
        }
        Ok(())
    }

    fn group(
        &self,
        group: &GroupItem,
        area: Area,
        target: &mut Layer<S>,
        clip: Option<&Mask>,
        bare: Option<&mut Ground<S>>,
    ) -> Result<(), Violation> {
        let mut area = area;
        let mut inside: Option<Mask> = None;
        let reach = group.reach(target.area);
        for outlines in &group.clips {
            if hides_nothing(outlines, reach) {
                continue;
            }
            let mut mask = self.union(outlines, area);
            if let Some(inside) = &inside {
                mask.multiply(inside);
            }
            area = area.intersect(mask.area);
            inside = Some(mask);
        }
        if area.is_empty() {
            return Ok(());
        }
        if let Some(clip) = clip {
            match &mut inside {
                Some(mask) => mask.multiply(clip),
                None => inside = Some(clip.clone()),
            }
        }
        let Some(Compositing { opacity, mixing, mask }) = &group.layer else {
            // A clip that nothing reaches beyond, and that hides nothing, is none.
            let needed = |mask: &Mask| mask.area != area || reach.intersect(area) != reach || !mask.is_full();
            let inside = inside.filter(needed);
            return self.items(&group.items, target, inside.as_ref(), bare);
        };
        let mut layer = Layer::new(area);
        self.items(&group.items, &mut layer, None, None)?;
        if let Some((kind, items)) = mask {
            let mut soft = self.soft_mask(*kind, items, area)?;
            if let Some(inside) = &inside {
                soft.multiply(inside);
            }
            inside = Some(soft);
        }
        put(&layer, area, target, inside.as_ref(), S::from_unit(*opacity), *mixing);
        Ok(())
    }

    /// What any of some outlines covers.
    fn union(&self, outlines: &[Outline], area: Area) -> Mask {
        if let [only] = outlines {
            return coverage(only, area, self.frame);
        }
        let mut all = Mask { area, data: vec![0; area.pixels()] };
        for outline in outlines {
            let mask = coverage(outline, area, self.frame);
            for y in mask.area.y0..mask.area.y1 {
                let start = (y - area.y0) as usize * area.width() + (mask.area.x0 - area.x0) as usize;
                let row = mask.row(y, mask.area.x0, mask.area.x1);
                for (sum, cover) in all.data[start..].iter_mut().zip(row) {
                    *sum = sum.plus(Sample::mul(sum.inverse(), *cover));
                }
            }
        }
        all
    }

    fn soft_mask(&self, kind: MaskKind, items: &[Item], area: Area) -> Result<Mask, Violation> {
        let mut layer = Layer::<S>::new(area);
        self.items(items, &mut layer, None, None)?;
        let cover = |pixel: &Pixel<S>| match kind {
            MaskKind::Alpha => pixel[3].to_cover(),
            // Of premultiplied colour: alpha is in it already.
            MaskKind::Luminosity => {
                let [r, g, b, _] = pixel.map(S::to_unit);
                Sample::from_unit(0.2126 * r + 0.7152 * g + 0.0722 * b)
            }
        };
        Ok(Mask { area, data: layer.data.iter().map(cover).collect() })
    }
}

/// Whether a clip covers all that there is to be seen.
fn hides_nothing(outlines: &[Outline], reach: Area) -> bool {
    matches!(outlines, [only] if covers(only, reach))
}

/// A straight colour as a pixel.
fn premultiplied<S: Sample>([r, g, b, a]: [f32; 4]) -> Pixel<S> {
    let alpha = S::from_unit(a);
    let [r, g, b] = [r, g, b].map(|c| S::from_unit(c).mul(alpha));
    [r, g, b, alpha]
}

fn layer_of<S>(loaded: &Arc<Loaded<S>>) -> Result<&Layer<S>, Violation> {
    match loaded.as_ref() {
        Loaded::Layer(layer) => Ok(layer),
        Loaded::Texture(_) => Err(mixed_up()),
    }
}

fn mixed_up() -> Violation {
    Violation::new(Code::InternalError, "a picture was prepared for another use; please report it")
}
