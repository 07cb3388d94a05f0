//! Resources in pixels: filled before the bands that need them, emptied after the last one.

use super::blend::paint_row;
use super::colorants::Mixing;
use super::filter;
use super::layer::{Area, Layer};
use super::list::{List, Resource, Spec};
use super::pool::Pool;
use super::sample::{Pixel, Sample};
use super::texture::{self, Texture};
use super::walk::Painter;
use crate::control::Control;
use crate::error::{Code, Violation};
use std::sync::{Arc, Mutex, PoisonError};

/// Largest cell that is kept on a colour too (4 or 8 bytes a pixel).
const MAX_LAID_PIXELS: usize = 1 << 20;

/// A computed resource.
#[derive(Debug)]
pub(super) enum Loaded<S> {
    /// A picture that bands resample.
    Texture(Texture<S>),
    /// Finished pixels.
    Layer(Layer<S>),
}

/// A painted cell on an opaque colour.
#[derive(Debug)]
pub(super) struct Laid<S> {
    color: Pixel<S>,
    /// Opaque all over.
    pub(super) layer: Layer<S>,
}

/// The computed resources of a list.
pub(super) struct Store<S> {
    slots: Vec<Mutex<Option<Arc<Loaded<S>>>>>,
    /// Painted cells on the first opaque colour that they lie on.
    laid: Vec<Mutex<Option<Arc<Laid<S>>>>>,
    /// Rows of pictures that were resampled for a band.
    pub(super) rows: Pool<S>,
}

impl<S: Sample> Store<S> {
    /// A place for each resource.
    pub(super) fn new(resources: &[Resource]) -> Self {
        let slots = resources.iter().map(|_| Mutex::new(None)).collect();
        let laid = resources.iter().map(|_| Mutex::new(None)).collect();
        Store { slots, laid, rows: Pool::new() }
    }

    /// Computes a resource.
    pub(super) fn load(
        &self,
        resources: &[Resource],
        resource: usize,
        control: Control<'_>,
    ) -> Result<(), Violation> {
        control.check()?;
        let loaded = match &resources[resource].spec {
            Spec::Picture(spec, colorants) => {
                let texture = texture::load(spec, colorants, control)?;
                if spec.as_layer { Loaded::Layer(texture.into_layer()) } else { Loaded::Texture(texture) }
            }
            Spec::Cell(spec) => Loaded::Layer(paint_whole(&spec.list, spec.area, [S::ZERO; 4], control)?),
            Spec::Filter(spec, colorants) => {
                let mut layer = filter::load::<S>(spec)?;
                colorants.convert(layer.data.as_flattened_mut(), 4)?;
                Loaded::Layer(layer)
            }
        };
        self.put(resource, Some(Arc::new(loaded)));
        Ok(())
    }

    /// Forgets a resource.
    pub(super) fn drop(&self, resource: usize) {
        self.put(resource, None);
        *self.laid[resource].lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// A painted cell as it looks on an opaque colour; `None` where it is too large to be kept twice,
    /// or is kept on another colour.
    pub(super) fn laid(&self, resource: usize, color: Pixel<S>) -> Result<Option<Arc<Laid<S>>>, Violation> {
        let loaded = self.get(resource)?;
        let Loaded::Layer(cell) = loaded.as_ref() else { return Ok(None) };
        if cell.area.pixels() > MAX_LAID_PIXELS {
            return Ok(None);
        }
        let mut slot = self.laid[resource].lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            let mut layer = Layer::filled(cell.area, color);
            paint_row(&mut layer.data, &cell.data, None, S::MAX, Mixing::NORMAL);
            *slot = Some(Arc::new(Laid { color, layer }));
        }
        Ok(slot.clone().filter(|laid| laid.color == color))
    }

    fn put(&self, resource: usize, loaded: Option<Arc<Loaded<S>>>) {
        *self.slots[resource].lock().unwrap_or_else(PoisonError::into_inner) = loaded;
    }

    /// A computed resource.
    pub(super) fn get(&self, resource: usize) -> Result<Arc<Loaded<S>>, Violation> {
        let slot = self.slots[resource].lock().unwrap_or_else(PoisonError::into_inner);
        slot.clone().ok_or_else(|| {
            Violation::new(Code::InternalError, "a band was painted before its pictures; please report it")
        })
    }
}

/// Paints a list in one piece, onto a colour.
pub(super) fn paint_whole<S: Sample>(
    list: &List,
    area: Area,
    ground: [S; 4],
    control: Control<'_>,
) -> Result<Layer<S>, Violation> {
    let store = Store::new(&list.resources);
    for resource in 0..list.resources.len() {
        store.load(&list.resources, resource, control)?;
    }
    let mut layer = Layer::filled(area, ground);
    Painter { frame: area, store: &store, control }.items(&list.items, &mut layer, None, None)?;
    Ok(layer)
}
