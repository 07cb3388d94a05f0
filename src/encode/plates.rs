//! Plates as greyscale PNGs, all of them in one painting: white is full ink.

use super::grey::GreyPng;
use crate::error::Violation;
use crate::raster::{InkBand, InkSink, Packed, Planes};
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// Writes the first plates of a painting, each to a file of its own.
pub struct PlateSink<W> {
    width: usize,
    files: Mutex<Vec<(usize, GreyPng<W>)>>,
    count: usize,
}

impl<W: Write> PlateSink<W> {
    /// Files of 8 bits for the planes of these numbers (cyan is 0); bands are `width` pixels wide.
    pub fn new(width: usize, files: Vec<(usize, GreyPng<W>)>) -> Self {
        PlateSink { width, count: files.len(), files: Mutex::new(files) }
    }

    /// Ends the files and gives back what they were written to, in their order.
    ///
    /// # Errors
    /// `store.unavailable` when a file takes no bytes.
    pub fn finish(self) -> Result<Vec<W>, Violation> {
        let files = self.files.into_inner().unwrap_or_else(PoisonError::into_inner);
        files.into_iter().map(|(_, file)| file.finish()).collect()
    }
}

impl<W: Write + Send> InkSink for PlateSink<W> {
    fn encode(&self, band: &InkBand<'_>) -> Result<Packed, Violation> {
        let numbers: Vec<usize> = {
            let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
            files.iter().map(|(number, _)| *number).collect()
        };
        let mut bytes = Vec::with_capacity(numbers.len() * band.width * band.height);
        for number in numbers {
            match band.planes {
                Planes::Eight { inks, .. } => bytes.extend_from_slice(inks[number]),
                Planes::Sixteen { inks, .. } => bytes.extend(inks[number].iter().map(|v| (v >> 8) as u8)),
            }
        }
        Ok(Packed { bytes, ..Packed::default() })
    }

    fn write(&self, packed: Packed) -> Result<(), Violation> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let plane = packed.bytes.len() / self.count.max(1);
        for ((_, file), plane) in files.iter_mut().zip(packed.bytes.chunks_exact(plane.max(1))) {
            plane.chunks_exact(self.width).try_for_each(|row| file.row(row))?;
        }
        Ok(())
    }
}
