//! The order of work: resources are loaded ahead, bands are painted side by side, finished
//! bands are written in order.
//!
//! No task ever waits for another. A band is started when everything it needs is loaded; the
//! task that finishes the next band in line writes it, and every finished task starts what has
//! become possible. At most a window of bands is under way or waiting to be written, so memory
//! does not grow with the canvas.

use super::frame::Frame;
use super::layer::{Area, Layer};
use super::list::{Item, Resource};
use super::pool::Pool;
use super::sample::{Pixel, Sample};
use super::sink::Packed;
use super::store::Store;
use super::walk::Painter;
use crate::control::Control;
use crate::error::Violation;
use rayon::ScopeFifo;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Paints a band: the items of a number on its ground.
pub(super) type PaintLayer<'a, S> = &'a mut dyn FnMut(usize) -> Result<Layer<S>, Violation>;

/// Where bands go.
pub(super) trait Output<S>: Sync {
    /// Has a band painted and encodes it for every sink, in the band's own task.
    /// What layers were painted in goes to `spent`, for the next bands.
    fn encode(
        &self,
        band: Area,
        last: bool,
        paint: PaintLayer<'_, S>,
        spent: &Pool<Pixel<S>>,
    ) -> Result<Vec<Packed>, Violation>;

    /// Writes what [`Output::encode`] made of the next band in line.
    fn write(&self, packed: Vec<Packed>) -> Result<(), Violation>;
}

/// One pass over a frame.
pub(super) struct Pass<'a, S> {
    frame: &'a Frame,
    lists: &'a [Vec<Item>],
    resources: &'a [Resource],
    store: Store<S>,
    output: &'a dyn Output<S>,
    control: Control<'a>,
    ground: Pixel<S>,
    /// Pixels of bands that are done.
    layers: Pool<Pixel<S>>,
    /// Which resources each band needs.
    needs: Vec<Vec<usize>>,
    window: usize,
    state: Mutex<State>,
}

/// What is under way.
struct State {
    /// The next band to start.
    next: usize,
    /// Bands written so far.
    written: usize,
    /// Finished bands that wait for an earlier one.
    done: BTreeMap<usize, Vec<Packed>>,
    /// A task is writing.
    writing: bool,
    loads: Vec<Load>,
    /// Bands that still need each resource.
    left: Vec<usize>,
    /// The first failure, by band.
    failed: Option<(usize, Violation)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Load {
    Wanted,
    Running,
    Ready,
}

enum Task {
    Load { resource: usize, band: usize },
    Paint { band: usize },
}

impl<'a, S: Sample> Pass<'a, S> {
    /// Prepares a pass.
    pub(super) fn new(
        frame: &'a Frame,
        lists: &'a [Vec<Item>],
        resources: &'a [Resource],
        ground: Pixel<S>,
        output: &'a dyn Output<S>,
        control: Control<'a>,
    ) -> Self {
        let needs: Vec<Vec<usize>> = (0..frame.bands())
            .map(|band| {
                let band = frame.band(band);
                let touches = |r: &usize| !resources[*r].uses.intersect(band).is_empty();
                (0..resources.len()).filter(touches).collect()
            })
            .collect();
        let mut left = vec![0; resources.len()];
        for resource in needs.iter().flatten() {
            left[*resource] += 1;
        }
        let state = State {
            next: 0,
            written: 0,
            done: BTreeMap::new(),
            writing: false,
            loads: vec![Load::Wanted; resources.len()],
            left,
            failed: None,
        };
        Pass {
            frame,
            lists,
            resources,
            store: Store::new(resources),
            output,
            control,
            ground,
            layers: Pool::new(),
            needs,
            window: rayon::current_num_threads() * 2,
            state: Mutex::new(state),
        }
    }

    /// Paints and writes every band.
    pub(super) fn run(self) -> Result<(), Violation> {
        rayon::scope_fifo(|scope| self.start(scope));
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        match state.failed {
            Some((_, violation)) => Err(violation),
            None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts whatever has become possible.
    fn start<'s>(&'s self, scope: &ScopeFifo<'s>) {
        let mut tasks = Vec::new();
        {
            let mut state = self.lock();
            let mut end = (state.written + self.window).min(self.needs.len());
            if let Some((band, _)) = &state.failed {
                // Bands above the failed one go on: theirs may be the failure to report.
                end = end.min(*band);
            }
            let mut in_line = true;
            for band in state.next..end {
                for resource in &self.needs[band] {
                    if state.loads[*resource] == Load::Wanted {
                        state.loads[*resource] = Load::Running;
                        tasks.push(Task::Load { resource: *resource, band });
                    }
                    in_line &= state.loads[*resource] == Load::Ready;
                }
                if in_line {
                    state.next = band + 1;
                    tasks.push(Task::Paint { band });
                }
            }
        }
        for task in tasks {
            scope.spawn_fifo(move |scope| {
                let result = match task {
                    Task::Load { resource, band } => self.load(resource).map_err(|v| (band, v)),
                    Task::Paint { band } => match self.paint(band) {
                        Ok(packed) => self.finish(band, packed),
                        Err(violation) => Err((band, violation)),
                    },
                };
                if let Err((band, violation)) = result {
                    self.fail(band, violation);
                }
                self.start(scope);
            });
        }
    }

    fn load(&self, resource: usize) -> Result<(), Violation> {
        self.store.load(self.resources, resource, self.control)?;
        self.lock().loads[resource] = Load::Ready;
        Ok(())
    }

    fn paint(&self, band: usize) -> Result<Vec<Packed>, Violation> {
        self.control.check()?;
        let area = self.frame.band(band);
        let last = band + 1 == self.needs.len();
        let paint = &mut |list: usize| {
            let painter = Painter { frame: self.frame.area(), store: &self.store, control: self.control };
            painter.band(&self.lists[list], area, self.ground, self.layers.take())
        };
        let packed = self.output.encode(area, last, paint, &self.layers)?;
        let mut state = self.lock();
        for resource in &self.needs[band] {
            state.left[*resource] -= 1;
            if state.left[*resource] == 0 {
                self.store.drop(*resource);
            }
        }
        Ok(packed)
    }

    /// Takes a finished band; writes all that are in line, unless another task does.
    fn finish(&self, band: usize, packed: Vec<Packed>) -> Result<(), (usize, Violation)> {
        let mut state = self.lock();
        state.done.insert(band, packed);
        if state.writing {
            return Ok(());
        }
        state.writing = true;
        loop {
            let written = state.written;
            let Some(packed) = state.done.remove(&written) else {
                break;
            };
            drop(state);
            // A failed write leaves `writing` set: nothing is written after it.
            self.output.write(packed).map_err(|violation| (written, violation))?;
            state = self.lock();
            state.written += 1;
        }
        state.writing = false;
        Ok(())
    }

    /// Keeps the failure of the earliest band, which is the same in every run.
    fn fail(&self, band: usize, violation: Violation) {
        let mut state = self.lock();
        if state.failed.as_ref().is_none_or(|(first, _)| band < *first) {
            state.failed = Some((band, violation));
        }
    }
}
