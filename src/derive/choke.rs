//! Choke and spread: coverage drawn in from its edges, or out beyond them, by a distance.
//!
//! Rows go in, rows come out later by the radius; that many rows on either side are all that is
//! held. The neighbourhood is a disc whose rim counts in proportion to the distance, so that
//! fractions of a pixel are kept. Grey coverage is treated as a surface: its darkest (for a
//! spread, its fullest) neighbour decides. What lies beyond the picture's sides has no say.

use crate::error::Violation;
use std::collections::VecDeque;

/// A picture under way.
pub(super) struct Choke {
    /// A spread is the choke of what is not covered.
    spread: bool,
    radius: f64,
    /// Rows that still wait for rows below them: the least so far.
    waiting: VecDeque<Vec<u8>>,
    /// For each distance in rows, from the furthest to none: half the disc's width.
    chords: Vec<Chord>,
    rows_in: usize,
    rows_out: usize,
    width: usize,
}

/// A row of the disc.
#[derive(Debug, Clone, Copy)]
struct Chord {
    /// Rows from the middle.
    distance: usize,
    /// Whole pixels to either side.
    whole: usize,
    /// How much of the next pixel counts, 0 to 255.
    rim: u8,
    /// How much the row counts, 0 to 255.
    weight: u8,
}

impl Choke {
    /// For rows of so many pixels; `reach` in pixels is positive for a spread.
    pub(super) fn new(width: usize, reach: f64) -> Self {
        let radius = reach.abs();
        let last = libm::floor(radius) as usize;
        let part = |v: f64| libm::round(v.clamp(0.0, 1.0) * 255.0) as u8;
        let mut chords = Vec::new();
        let fraction = part(radius - last as f64);
        if fraction > 0 {
            chords.push(Chord { distance: last + 1, whole: 0, rim: 0, weight: fraction });
        }
        for distance in (0..=last).rev() {
            let half = libm::sqrt((radius * radius - (distance * distance) as f64).max(0.0));
            let whole = libm::floor(half);
            chords.push(Chord { distance, whole: whole as usize, rim: part(half - whole), weight: 255 });
        }
        Choke {
            spread: reach > 0.0,
            radius,
            waiting: VecDeque::new(),
            chords,
            rows_in: 0,
            rows_out: 0,
            width,
        }
    }

    /// Takes the next row; gives every row that is then complete.
    pub(super) fn row<F>(&mut self, row: &[u8], out: &mut F) -> Result<(), Violation>
    where
        F: FnMut(&[u8]) -> Result<(), Violation>,
    {
        if self.radius == 0.0 {
            return out(row);
        }
        let row: Vec<u8> = if self.spread { row.iter().map(|c| 255 - c).collect() } else { row.to_vec() };
        let reach = self.chords[0].distance;
        // A place for the row furthest down that this one has a say in.
        while self.rows_out + self.waiting.len() <= self.rows_in + reach {
            self.waiting.push_back(vec![255; self.width]);
        }
        if row.iter().any(|c| *c != 255) {
            self.spread_out(&row);
        }
        self.rows_in += 1;
        while self.rows_out + reach < self.rows_in {
            self.give(out)?;
        }
        Ok(())
    }

    /// Ends the picture.
    pub(super) fn finish<F>(mut self, out: &mut F) -> Result<(), Violation>
    where
        F: FnMut(&[u8]) -> Result<(), Violation>,
    {
        while self.rows_out < self.rows_in {
            self.give(out)?;
        }
        Ok(())
    }

    fn give<F>(&mut self, out: &mut F) -> Result<(), Violation>
    where
        F: FnMut(&[u8]) -> Result<(), Violation>,
    {
        self.rows_out += 1;
        let Some(mut row) = self.waiting.pop_front() else { return Ok(()) };
        if self.spread {
            row.iter_mut().for_each(|c| *c = 255 - *c);
        }
        out(&row)
    }

    /// Lowers every waiting row by what this one covers too little.
    fn spread_out(&mut self, row: &[u8]) {
        // The least within the whole pixels of a chord; chords get wider from one to the next.
        let mut least = row.to_vec();
        let mut wide = 0;
        for chord in &self.chords {
            while wide < chord.whole {
                wide += 1;
                lower(&mut least, row, wide, 255);
            }
            let mut soft = least.clone();
            if chord.rim > 0 {
                lower(&mut soft, row, chord.whole + 1, chord.rim);
            }
            let up = self.rows_in.checked_sub(chord.distance).and_then(|y| y.checked_sub(self.rows_out));
            let down = (chord.distance > 0).then(|| self.rows_in + chord.distance - self.rows_out);
            for y in [up, down].into_iter().flatten() {
                if let Some(target) = self.waiting.get_mut(y) {
                    let floor = 255 - chord.weight;
                    for (t, s) in target.iter_mut().zip(&soft) {
                        *t = (*t).min((*s).max(floor));
                    }
                }
            }
        }
    }
}

/// Lowers each pixel to its neighbours `by` columns to the left and the right, as far as they count.
fn lower(target: &mut [u8], row: &[u8], by: usize, weight: u8) {
    let floor = 255 - weight;
    if by >= row.len() {
        return;
    }
    for (t, s) in target.iter_mut().zip(&row[by..]) {
        *t = (*t).min((*s).max(floor));
    }
    for (t, s) in target[by..].iter_mut().zip(row) {
        *t = (*t).min((*s).max(floor));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(picture: &[Vec<u8>], reach: f64) -> Vec<Vec<u8>> {
        let mut choke = Choke::new(picture[0].len(), reach);
        let mut rows = Vec::new();
        let mut out = |row: &[u8]| {
            rows.push(row.to_vec());
            Ok(())
        };
        for row in picture {
            choke.row(row, &mut out).unwrap();
        }
        choke.finish(&mut out).unwrap();
        rows
    }

    /// The rule, written down a second time without any of the streaming.
    fn by_the_book(picture: &[Vec<u8>], radius: f64) -> Vec<Vec<u8>> {
        let (w, h) = (picture[0].len() as i64, picture.len() as i64);
        let last = radius.floor() as i64;
        let weight = |dx: i64, dy: i64| -> f64 {
            if dy > last {
                return if dx == 0 && dy == last + 1 { radius.fract() } else { 0.0 };
            }
            let half = (radius * radius - (dy * dy) as f64).max(0.0).sqrt();
            if dx as f64 <= half.floor() {
                1.0
            } else if dx as f64 == half.floor() + 1.0 {
                half.fract()
            } else {
                0.0
            }
        };
        let mut out = picture.to_vec();
        for y in 0..h {
            for x in 0..w {
                let mut least = 255;
                for (dy, dx) in
                    (-last - 1..=last + 1).flat_map(|dy| (-last - 1..=last + 1).map(move |dx| (dy, dx)))
                {
                    let (u, v) = (x + dx, y + dy);
                    if u >= 0 && u < w && v >= 0 && v < h {
                        let weight = (weight(dx.abs(), dy.abs()) * 255.0).round() as u8;
                        least = least.min(picture[v as usize][u as usize].max(255 - weight));
                    }
                }
                out[y as usize][x as usize] = least;
            }
        }
        out
    }

    #[test]
    fn streaming_equals_the_rule() {
        let mut seed = 7_u32;
        let picture: Vec<Vec<u8>> = (0..40)
            .map(|_| {
                (0..53)
                    .map(|_| {
                        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        if seed >> 28 < 2 { (seed >> 16) as u8 } else { 255 }
                    })
                    .collect()
            })
            .collect();
        for radius in [0.4, 1.0, 2.3, 5.9] {
            assert_eq!(run(&picture, -radius), by_the_book(&picture, radius), "{radius}");
            let inverse: Vec<Vec<u8>> = picture.iter().map(|r| r.iter().map(|c| 255 - c).collect()).collect();
            let grown = run(&inverse, radius);
            let back: Vec<Vec<u8>> = grown.iter().map(|r| r.iter().map(|c| 255 - c).collect()).collect();
            assert_eq!(back, by_the_book(&picture, radius), "{radius}");
        }
        assert_eq!(run(&picture, 0.0), picture);
    }

    #[test]
    fn a_straight_edge_moves_by_the_distance() {
        // Covered from column 20 on; choked by 3.25 pixels it begins a quarter into column 23.
        let picture = vec![(0..60).map(|x| if x < 20 { 0 } else { 255 }).collect::<Vec<u8>>(); 9];
        let choked = run(&picture, -3.25);
        assert_eq!(choked[4][22..25], [0, 191, 255]);
        let spread = run(&picture, 3.25);
        assert_eq!(spread[4][15..18], [0, 64, 255]);
    }
}
