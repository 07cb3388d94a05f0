//! Predictors: rows that are written as differences from their neighbours, undone row by row.
//!
//! PDF 32000-1, 7.4.4.4: the filters of PNG, each row with its own, or TIFF's differences.

use super::{Dict, ReadError, Value};
use std::io::{self, Read};

/// How a stream's rows are predicted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Predictor {
    png: bool,
    /// Bytes of a row.
    row: usize,
    /// Bytes from a sample to its like in the pixel before.
    step: usize,
}

impl Predictor {
    /// What a filter's parameters say; `None` where rows are plain.
    ///
    /// # Errors
    /// For numbers that make no rows, and for TIFF differences of other than 8 bits.
    pub(super) fn of(parameters: &Dict) -> Result<Option<Predictor>, ReadError> {
        let number = |key, default| parameters.get(key).and_then(Value::int).unwrap_or(default);
        let predictor = number("Predictor", 1);
        if predictor == 1 {
            return Ok(None);
        }
        let (colors, bits) = (number("Colors", 1), number("BitsPerComponent", 8));
        let columns = number("Columns", 1);
        let fine = (1..=32).contains(&colors)
            && matches!(bits, 1 | 2 | 4 | 8 | 16)
            && (1..=1 << 24).contains(&columns);
        if !fine {
            return Err(ReadError::damaged("a stream's predictor is malformed"));
        }
        if predictor == 2 && bits != 8 {
            return Err(ReadError::damaged("a stream has a TIFF predictor that is not of 8 bits"));
        }
        let row = (colors * bits * columns).unsigned_abs().div_ceil(8) as usize;
        Ok(Some(Predictor { png: predictor != 2, row, step: ((colors * bits) / 8).max(1) as usize }))
    }

    /// How many bytes of samples so many bytes are.
    pub(super) fn samples(self, bytes: u64) -> u64 {
        if self.png { bytes - bytes.div_ceil(self.row as u64 + 1) } else { bytes }
    }

    /// The samples of predicted rows; a row at a time is held.
    pub(super) fn undo<R: Read>(self, inner: R) -> impl Read {
        Rows { inner, how: self, above: vec![0; self.row], current: Vec::new(), at: 0 }
    }
}

struct Rows<R> {
    inner: R,
    how: Predictor,
    above: Vec<u8>,
    /// The row that is being given.
    current: Vec<u8>,
    at: usize,
}

impl<R: Read> Rows<R> {
    fn next(&mut self) -> io::Result<()> {
        let Predictor { png, row, step } = self.how;
        if self.current.len() == row {
            std::mem::swap(&mut self.above, &mut self.current);
        }
        self.current.clear();
        self.at = 0;
        let mut kind = [1];
        if png && self.inner.read(&mut kind)? == 0 {
            return Ok(());
        }
        self.inner.by_ref().take(row as u64).read_to_end(&mut self.current)?;
        for i in 0..self.current.len() {
            let left = if i >= step { self.current[i - step] } else { 0 };
            let up = self.above[i];
            let corner = if i >= step { self.above[i - step] } else { 0 };
            let guess = match kind[0] {
                0 => 0,
                1 => left,
                2 => up,
                3 => u16::midpoint(left.into(), up.into()) as u8,
                4 => paeth(left, up, corner),
                _ => return Err(io::Error::other("a row's filter is none that PNG has")),
            };
            self.current[i] = self.current[i].wrapping_add(guess);
        }
        Ok(())
    }
}

impl<R: Read> Read for Rows<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.current.len() {
            self.next()?;
        }
        let n = buffer.len().min(self.current.len() - self.at);
        buffer[..n].copy_from_slice(&self.current[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let guess = i16::from(left) + i16::from(up) - i16::from(corner);
    let far = |value: u8| (guess - i16::from(value)).abs();
    if far(left) <= far(up) && far(left) <= far(corner) {
        left
    } else if far(up) <= far(corner) {
        up
    } else {
        corner
    }
}
