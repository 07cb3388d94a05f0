//! Resources in pixels: filled before the bands that need them, emptied after the last one.

use super::blend::paint_row;
use super::colorants::{Colorants, Mixing};
use super::filter;
use super::layer::{Area, Layer};
use super::list::{List, Resource, Spec};
use super::pool::Pool;
use super::sample::{Pixel, Sample};
use super::texture::{self, Texture};
use super::walk::Painter;
use crate::cache::{Cache, Kind, digest};
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

impl<S: Sample> Loaded<S> {
    /// What it takes in memory.
    fn bytes(&self) -> u64 {
        match self {
            Loaded::Texture(texture) => size_of_val(texture.data.as_slice()) as u64,
            Loaded::Layer(layer) => size_of_val(layer.data.as_slice()) as u64,
        }
    }
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
        let spec = &resources[resource].spec;
        let loaded = match self.kept(spec) {
            Some((cache, content)) => cache.get_or(Kind::Layer, content, || {
                let made = self.made(spec, control)?;
                let bytes = made.bytes();
                Ok((made, bytes))
            })?,
            None => Arc::new(self.made(spec, control)?),
        };
        self.put(resource, Some(loaded));
        Ok(())
    }

    /// Where what many orders show is kept, and under which digest: pictures and filters of the catalog
    /// in sRGB. What becomes of them in inks is the profile's too.
    fn kept<'a>(&self, spec: &'a Spec) -> Option<(&'a Cache, [u8; 32])> {
        let (cache, key, pixels) = match spec {
            Spec::Picture(spec, Colorants::Srgb) => {
                let node = &spec.node;
                let shared = node.matte.as_ref().is_none_or(|matte| matte.cache().is_some());
                let cache = node.picture.cache().filter(|_| shared)?;
                (cache, super::picture::key(spec), spec.pixels())
            }
            Spec::Filter(spec, Colorants::Srgb) => (spec.cache()?, spec.key(), spec.pixels()),
            Spec::Picture(_, Colorants::Inks(_)) | Spec::Filter(_, Colorants::Inks(_)) | Spec::Cell(_) => {
                return None;
            }
        };
        let bytes = pixels.saturating_mul(size_of::<Pixel<S>>() as u64);
        let depth = [S::DEPTH as u8];
        (bytes <= cache.picture_limit()).then(|| (&**cache, digest([key.as_bytes(), &depth])))
    }

    fn made(&self, spec: &Spec, control: Control<'_>) -> Result<Loaded<S>, Violation> {
        Ok(match spec {
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
        })
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
