//! Pictures' soft masks: whether one lets anything of its picture through, and where.
//!
//! A picture that nobody sees is no print and fills no bleed. A mask is unpacked where its answer counts:
//! while nothing else is printed on a page that may not be blank, and where its picture reaches the edge of a
//! bleed that has to be painted. It has one component, so that a job's own files bear it.

use super::content::Mode;
use super::context::Context;
use super::picture::Canvas;
use super::read::{ReadError, Value};
use super::samples::{Claim, is_turned};
use super::space::Space;
use super::state::State;
use kurbo::{BezPath, Point, Shape};
use std::io::{Read, Seek};
use std::sync::Arc;
use tiny_skia::Mask;

/// Opacity, of 255, up to which a sample is as good as clear: what resampling leaves.
const FAINT: u8 = 7;
/// Pictures of one page that are laid on its rough picture through their masks; later ones are whole.
const EXACT: u32 = 500;
/// Masks of a file that are known at a time.
const KEPT: usize = 32;
/// Cells of a side; a finer mask has several samples in one.
const CELLS: u32 = 1024;

/// What a soft mask lets through of its picture.
#[derive(Debug, Clone)]
pub(crate) enum Through {
    /// Nothing.
    Nothing,
    /// Something, and nobody asked where.
    Something,
    /// What lies in these cells.
    Cells(Arc<Cells>),
}

/// A picture parted into cells, rows from the top.
#[derive(Debug)]
pub(crate) struct Cells {
    columns: u32,
    rows: u32,
    /// Something is seen of the picture there.
    seen: Vec<bool>,
}

impl<R: Read + Seek> Context<'_, R> {
    /// What a picture's soft mask lets through, where somebody has to know. `None` where nobody has, and of
    /// masks that are not read: of other than 8 bits, packed as pictures are, or cut off.
    pub(crate) fn through(
        &mut self,
        mask: &Value,
        state: &State,
        mode: Mode,
    ) -> Result<Option<Through>, ReadError> {
        let wish = self.findings.wish;
        if mode.masking || mode.hidden || mode.repeated {
            return Ok(None);
        }
        let parted = wish.bleed_painted && self.marks.parted < EXACT && self.nears_bleed(state);
        if !parted && (!wish.blank || self.marks.printed) {
            return Ok(None);
        }
        self.marks.parted += u32::from(parted);
        let number = if let Value::Ref(number, _) = mask { Some(*number) } else { None };
        match number.and_then(|number| self.masks.get(&number)) {
            Some(Some(Through::Something)) if parted => {}
            Some(known) => return Ok(known.clone()),
            None => {}
        }
        let found = match self.read_mask(mask, parted) {
            // `image.damaged` says so.
            Err(ReadError::Damaged(_)) => None,
            found => found?,
        };
        if self.masks.len() >= KEPT {
            self.masks.clear();
        }
        if let Some(number) = number {
            self.masks.insert(number, found.clone());
        }
        Ok(found)
    }

    /// True where a picture reaches what `bleed.not_reached` looks at.
    fn nears_bleed(&self, state: &State) -> bool {
        let (Some(boxes), true) = (self.boxes, self.canvas.is_some()) else { return false };
        let deep = boxes.units(0.5);
        let inner = boxes.bleed.inflate(-deep, -deep);
        let area = super::paths::unit_square(state.ctm).bounding_box();
        area.x0 < inner.x0 || area.y0 < inner.y0 || area.x1 > inner.x1 || area.y1 > inner.y1
    }

    /// Goes through a mask's samples: all of them where they are parted into cells, else up to the first one
    /// that lets something through.
    fn read_mask(&mut self, mask: &Value, parted: bool) -> Result<Option<Through>, ReadError> {
        let object = self.file.follow(mask)?;
        let Some(dict) = object.value.dict().filter(|_| object.stream.is_some()).cloned() else {
            return Ok(None);
        };
        let side = |value: Option<Value>| value.and_then(|v| v.int()).and_then(|n| u32::try_from(n).ok());
        let size = [side(self.file.entry(&dict, "Width")?), side(self.file.entry(&dict, "Height")?)];
        let bits = self.file.entry(&dict, "BitsPerComponent")?.and_then(|v| v.int());
        let turned = is_turned(&self.file.list(&dict, "Decode")?.unwrap_or_default());
        let ([Some(width), Some(height)], Some(8)) = (size, bits) else { return Ok(None) };
        let grey = Space::Gray;
        let claim = Claim { number: None, size, bits, space: Some(&grey), turned };
        let Some(rows) = claim.rows().filter(|_| width > 0 && height > 0) else { return Ok(None) };
        let mut cells = parted.then(|| Cells::new(width, height));
        let (mut row, mut any) = (0, false);
        let control = self.control;
        let lets = |sample: &u8| (if turned { 255 - *sample } else { *sample }) > FAINT;
        let mut give = |piece: &[u8]| {
            control.check().map_err(ReadError::Stopped)?;
            for samples in piece.chunks_exact(width as usize).take((height - row) as usize) {
                any |= match &mut cells {
                    Some(cells) => cells.add(samples, row, height, lets),
                    None => samples.iter().any(lets),
                };
                row += 1;
            }
            Ok(row < height && (parted || !any))
        };
        if self.file.pieces(&object, rows.piece(), &mut give)?.is_none() {
            return Ok(None);
        }
        Ok(match (any, cells) {
            (true, None) => Some(Through::Something),
            // Of what is cut off nobody knows the rest.
            _ if row < height => None,
            (false, _) => Some(Through::Nothing),
            (true, Some(cells)) => Some(Through::Cells(Arc::new(cells))),
        })
    }
}

impl Cells {
    /// For a mask of so many samples; nothing is seen yet.
    fn new(width: u32, height: u32) -> Cells {
        let (columns, rows) = (width.min(CELLS), height.min(CELLS));
        Cells { columns, rows, seen: vec![false; columns as usize * rows as usize] }
    }

    /// Takes a row of samples, one of so many. True where something is seen in it.
    fn add(&mut self, samples: &[u8], row: u32, of: u32, lets: impl Fn(&u8) -> bool) -> bool {
        let part = |n: usize, all: usize, parts: usize| n * all / parts;
        let columns = self.columns as usize;
        let line = part(row as usize, self.rows as usize, of as usize) * columns;
        let mut any = false;
        for (column, seen) in self.seen.iter_mut().skip(line).take(columns).enumerate() {
            let (from, to) = (part(column, samples.len(), columns), part(column + 1, samples.len(), columns));
            if samples.get(from..to).is_some_and(|samples| samples.iter().any(&lets)) {
                (*seen, any) = (true, true);
            }
        }
        any
    }

    /// True where something is seen, in a unit square whose rows are counted from the top.
    fn at(&self, x: f64, y: f64) -> bool {
        // What lies beside the square belongs to the cell at its edge.
        let cell = |n: f64, count: u32| ((n * f64::from(count)) as usize).min(count as usize - 1);
        let index = cell(y, self.rows) * self.columns as usize + cell(x, self.columns);
        self.seen.get(index).copied().unwrap_or(false)
    }

    /// What is seen of a picture on the canvas, its clip considered.
    pub(crate) fn on(&self, canvas: &Canvas, outline: &BezPath, state: &State) -> Option<Mask> {
        let mut mask = canvas.mask_like()?;
        canvas.cover(&mut mask, outline, false, None, state)?;
        let to_square = (canvas.to_pixels() * state.ctm).inverse();
        let width = mask.width() as usize;
        for (i, pixel) in mask.data_mut().iter_mut().enumerate().filter(|(_, pixel)| **pixel > 0) {
            let middle = Point::new((i % width) as f64 + 0.5, (i / width) as f64 + 0.5);
            let at = to_square * middle;
            if !self.at(at.x, 1.0 - at.y) {
                *pixel = 0;
            }
        }
        Some(mask)
    }
}
