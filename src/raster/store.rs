//! Resources in pixels: filled before the bands that need them, emptied after the last one.

use super::filter;
use super::layer::{Area, Layer};
use super::list::{List, Resource, Spec};
use super::pool::Pool;
use super::sample::Sample;
use super::texture::{self, Texture};
use super::walk::Painter;
use crate::control::Control;
use crate::error::{Code, Violation};
use std::sync::{Arc, Mutex, PoisonError};

/// A computed resource.
#[derive(Debug)]
pub(super) enum Loaded<S> {
    /// A picture that bands resample.
    Texture(Texture<S>),
    /// Finished pixels.
    Layer(Layer<S>),
}

/// The computed resources of a list.
pub(super) struct Store<S> {
    slots: Vec<Mutex<Option<Arc<Loaded<S>>>>>,
    /// Rows of pictures that were resampled for a band.
    pub(super) rows: Pool<S>,
}

impl<S: Sample> Store<S> {
    /// A place for each resource.
    pub(super) fn new(resources: &[Resource]) -> Self {
        Store { slots: resources.iter().map(|_| Mutex::new(None)).collect(), rows: Pool::new() }
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
    Painter { frame: area, store: &store, control }.items(&list.items, &mut layer, None)?;
    Ok(layer)
}
