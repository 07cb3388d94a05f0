//! Screens: tones become dots that are engraved or not.
//!
//! Whole numbers only, row by row from the top, so that the same art gives the same dots.

use crate::catalog::plates::Screen;

/// Side of the ordered screens' cell.
const CELL: usize = 8;

/// A picture under way.
pub struct Screener {
    screen: Screen,
    /// Darkness from which a dot is set, by row and column of the cell.
    cell: [[u8; CELL]; CELL],
    threshold: u8,
    row: usize,
    /// Error of the next row's pixels, in sixteenths; one more pixel on either side.
    errors: Vec<i32>,
}

impl Screener {
    /// For rows of so many pixels; `threshold` counts for [`Screen::Threshold`], 1 to 255.
    pub fn new(screen: Screen, width: usize, threshold: u8) -> Self {
        let cell = match screen {
            Screen::Bayer => bayer(),
            Screen::Clustered => clustered(),
            Screen::Threshold | Screen::FloydSteinberg => [[0; CELL]; CELL],
        };
        Screener { screen, cell, threshold, row: 0, errors: vec![0; width + 2] }
    }

    /// Darkness (255 is black) becomes bits of a PNG row: 0 is a dot.
    pub fn row(&mut self, darkness: &[u8]) -> Vec<u8> {
        let mut bits = vec![0xff; darkness.len().div_ceil(8)];
        let mut dot = |x: usize| bits[x / 8] &= !(0x80 >> (x % 8));
        match self.screen {
            Screen::Threshold => {
                for (x, d) in darkness.iter().enumerate() {
                    if *d >= self.threshold {
                        dot(x);
                    }
                }
            }
            Screen::Bayer | Screen::Clustered => {
                let cell = &self.cell[self.row % CELL];
                for (x, d) in darkness.iter().enumerate() {
                    if *d >= cell[x % CELL] {
                        dot(x);
                    }
                }
            }
            Screen::FloydSteinberg => self.diffuse(darkness, &mut dot),
        }
        self.row += 1;
        bits
    }

    /// Right on even rows, left on odd ones, so that errors do not all drift one way.
    fn diffuse(&mut self, darkness: &[u8], dot: &mut impl FnMut(usize)) {
        let width = darkness.len();
        let mut below = vec![0; width + 2];
        let mut ahead = 0;
        let leftwards = self.row % 2 == 1;
        for i in 0..width {
            let x = if leftwards { width - 1 - i } else { i };
            let wanted = i32::from(darkness[x]) * 16 + self.errors[x + 1] + ahead;
            // Paper and full black stay clean, whatever errors drift in.
            let set = match darkness[x] {
                0 => false,
                255 => true,
                _ => wanted >= 128 * 16,
            };
            let error = wanted - if set { 255 * 16 } else { 0 };
            if set {
                dot(x);
            }
            let error = error.clamp(-255 * 16, 255 * 16);
            let (behind, beside) = if leftwards { (x + 2, x) } else { (x, x + 2) };
            // 7, 3, 5 and 1 sixteenths; what division leaves goes ahead.
            let (three, five, one) = (error * 3 / 16, error * 5 / 16, error / 16);
            ahead = error - three - five - one;
            below[behind] += three;
            below[x + 1] += five;
            below[beside] += one;
        }
        self.errors = below;
    }
}

/// Ranks 0 to 63 as thresholds from 1 to 255, so that a tone's dots match its darkness.
fn threshold(rank: usize) -> u8 {
    (2 + rank * 255 / (CELL * CELL)) as u8
}

/// Bayer's matrix: the bits of x ^ y and y, interleaved and reversed.
fn bayer() -> [[u8; CELL]; CELL] {
    let mut cell = [[0; CELL]; CELL];
    for (y, row) in cell.iter_mut().enumerate() {
        for (x, out) in row.iter_mut().enumerate() {
            let mut rank = 0;
            for bit in 0..3 {
                let (a, b) = ((x ^ y) >> bit & 1, y >> bit & 1);
                rank |= (a * 2 + b) << (2 * (2 - bit));
            }
            *out = threshold(rank);
        }
    }
    cell
}

/// Two round dots a cell, at 45°: pixels join in the order of their distance from a dot's middle.
fn clustered() -> [[u8; CELL]; CELL] {
    // The distance to a dot's middle less that to a hole's, doubled coordinates: whole numbers.
    let near = |x: usize, y: usize, middles: [(i32, i32); 2]| {
        let at = |v: usize| 2 * v as i32 + 1;
        let side = 2 * CELL as i32;
        let gap = |a: i32, b: i32| (a - b).rem_euclid(side).min((b - a).rem_euclid(side));
        middles.map(|(u, v)| gap(at(x), u).pow(2) + gap(at(y), v).pow(2)).into_iter().min().unwrap_or(0)
    };
    let mut order: Vec<(i32, usize)> = (0..CELL * CELL)
        .map(|i| {
            let (x, y) = (i % CELL, i / CELL);
            (near(x, y, [(4, 4), (12, 12)]) - near(x, y, [(12, 4), (4, 12)]), i)
        })
        .collect();
    order.sort_unstable();
    let mut cell = [[0; CELL]; CELL];
    for (rank, (_, i)) in order.into_iter().enumerate() {
        cell[i / CELL][i % CELL] = threshold(rank);
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dots(screen: Screen, grey: u8) -> f64 {
        let mut screener = Screener::new(screen, 256, 128);
        let rows: Vec<Vec<u8>> = (0..256).map(|_| screener.row(&[grey; 256])).collect();
        let white: u32 = rows.iter().flatten().map(|b| b.count_ones()).sum();
        1.0 - f64::from(white) / 65_536.0
    }

    #[test]
    fn dots_cover_as_much_as_the_tone_is_dark() {
        for screen in [Screen::FloydSteinberg, Screen::Bayer, Screen::Clustered] {
            for grey in [0, 10, 64, 128, 200, 250, 255] {
                let covered = dots(screen, grey);
                assert!((covered - f64::from(grey) / 255.0).abs() < 0.02, "{screen:?} {grey}: {covered}");
            }
        }
        assert_eq!([127, 128].map(|grey| dots(Screen::Threshold, grey)), [0.0, 1.0]);
    }

    #[test]
    fn every_threshold_of_a_cell_stands_once() {
        for cell in [bayer(), clustered()] {
            let mut all: Vec<u8> = cell.into_iter().flatten().collect();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), 64);
        }
        // The four lightest dots of a clustered cell touch: they are one dot's middle.
        let cell = clustered();
        let first: Vec<(usize, usize)> =
            (0..64).map(|i| (i % 8, i / 8)).filter(|(x, y)| cell[*y][*x] <= threshold(7)).collect();
        assert!(first.iter().all(|(x, y)| (*x < 4) == (*y < 4)), "{first:?}");
    }
}
