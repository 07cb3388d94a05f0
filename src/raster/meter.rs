//! How much ink lies on top of each other: the total area coverage of painted plates.
//!
//! Paper takes up ink over an area: a letter's edge or a grain of noise above the limit does no
//! harm. So the mean over a square of 1 mm is held against it, as prepress tools do.

use super::frame::Frame;
use super::inks::{InkBand, InkSink, Planes};
use super::sink::Packed;
use crate::error::Violation;
use kurbo::Rect;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// The side of the square whose mean is taken, in mm.
const WINDOW_MM: f64 = 1.0;

/// The place with the most ink.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InkPeak {
    /// The sum of all inks, in per cent, on average over [`InkPeak::place`].
    pub percent: f64,
    /// A square of 1 mm, in the surface's millimetres.
    pub place: Rect,
}

/// Measures every ink that is painted.
pub struct InkMeter {
    frame: Frame,
    /// The window's side in pixels.
    side: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The rows that the window covers.
    rows: VecDeque<Vec<u16>>,
    /// Their sum.
    columns: Vec<u32>,
    seen: usize,
    /// Largest sum of a window, and its first column and row.
    most: (u64, usize, usize),
}

impl InkMeter {
    /// A meter for a painting on this frame.
    pub fn new(frame: &Frame) -> Self {
        let side = libm::round(frame.dpi.per_mm() * WINDOW_MM).max(1.0) as usize;
        let side = side.min(frame.width as usize).min(frame.height as usize);
        let state = State { columns: vec![0; frame.width as usize], ..State::default() };
        InkMeter { frame: frame.clone(), side, state: Mutex::new(state) }
    }

    /// What was found.
    pub fn peak(self) -> InkPeak {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (sum, x, y) = state.most;
        let side = self.side as f64;
        let (x, y) = (x as f64, y as f64);
        let place = self.frame.matrix.inverse().transform_rect_bbox(Rect::new(x, y, x + side, y + side));
        InkPeak { percent: sum as f64 / (side * side) / 2.55, place }
    }
}

impl State {
    fn row(&mut self, row: Vec<u16>, side: usize) {
        for (column, ink) in self.columns.iter_mut().zip(&row) {
            *column += u32::from(*ink);
        }
        self.rows.push_back(row);
        self.seen += 1;
        if self.rows.len() > side
            && let Some(past) = self.rows.pop_front()
        {
            for (column, ink) in self.columns.iter_mut().zip(past) {
                *column -= u32::from(ink);
            }
        }
        if self.rows.len() < side {
            return;
        }
        let mut sum: u64 = self.columns[..side].iter().map(|v| u64::from(*v)).sum();
        for x in 0..=self.columns.len() - side {
            if x > 0 {
                sum = sum + u64::from(self.columns[x + side - 1]) - u64::from(self.columns[x - 1]);
            }
            // Of equal places the first.
            if sum > self.most.0 {
                self.most = (sum, x, self.seen - side);
            }
        }
    }
}

impl InkSink for InkMeter {
    fn encode(&self, band: &InkBand<'_>) -> Result<Packed, Violation> {
        let mut totals = vec![0u16; band.width * band.height];
        match band.planes {
            Planes::Eight { inks, .. } => {
                for plane in inks {
                    totals.iter_mut().zip(*plane).for_each(|(sum, ink)| *sum += u16::from(*ink));
                }
            }
            Planes::Sixteen { inks, .. } => {
                for plane in inks {
                    totals.iter_mut().zip(*plane).for_each(|(sum, ink)| *sum += ink >> 8);
                }
            }
        }
        let bytes = totals.iter().flat_map(|total| total.to_le_bytes()).collect();
        Ok(Packed { bytes, ..Packed::default() })
    }

    fn write(&self, packed: Packed) -> Result<(), Violation> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for row in packed.bytes.chunks_exact(self.frame.width as usize * 2) {
            let row = row.as_chunks::<2>().0.iter().map(|ink| u16::from_le_bytes(*ink)).collect();
            state.row(row, self.side);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{Dpi, Placement};

    #[test]
    fn the_mean_of_a_square_millimetre_counts_and_its_place_is_told() {
        let area = Rect::new(-2.0, -2.0, 18.0, 8.0);
        let frame = Frame::of(area, Dpi::new(254.0), Placement::default());
        let (width, height) = (frame.width as usize, frame.height as usize);
        assert_eq!((width, height), (200, 100));
        let at = |x: usize, y: usize, inside: u8| {
            if (110..120).contains(&x) && (40..50).contains(&y) { inside } else { 0 }
        };
        let plane = |inside: u8| -> Vec<u8> {
            (0..width * height).map(|i| at(i % width, i / width, inside)).collect()
        };
        let (mut cyan, black) = (plane(255), plane(204));
        // One pixel of a great deal of ink is nothing.
        cyan[5 * width + 5] = 255;
        let planes: [&[u8]; 4] = [&cyan, &black, &black, &black];
        let meter = InkMeter::new(&frame);
        for (first, rows) in [(0usize, 64usize), (64, 36)] {
            let part = planes.map(|plane| &plane[first * width..(first + rows) * width]);
            let alpha = vec![255; rows * width];
            let planes = Planes::Eight { inks: &part, alpha: &alpha };
            let band = InkBand { first_row: first as u32, width, height: rows, last: first > 0, planes };
            meter.write(meter.encode(&band).unwrap()).unwrap();
        }
        let peak = meter.peak();
        assert!((peak.percent - 340.0).abs() < 0.01, "{peak:?}");
        let expected = Rect::new(9.0, 2.0, 10.0, 3.0);
        assert!((peak.place.origin() - expected.origin()).hypot() < 1e-6, "{peak:?}");
        assert!((peak.place.area() - 1.0).abs() < 1e-6);
    }
}
