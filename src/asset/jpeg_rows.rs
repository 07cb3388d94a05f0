//! Blocks of a sequential JPEG become rows of pixels.
//!
//! Reduced pictures need little or no interpolation of colour: a component with half the samples is
//! transformed at twice the size instead. Where a component still has half the samples in a
//! direction, those between are found by the triangle filter, rounded as libjpeg does.

use super::jpeg::{Jpeg, Meaning};
use super::jpeg_idct;
use std::sync::Arc;

/// How a picture is divided, and what is made of it.
pub(super) struct Shape {
    /// Columns and rows of the picture made.
    pub(super) size: (usize, usize),
    /// Units across and down.
    pub(super) units: (usize, usize),
    pub(super) components: Vec<Component>,
    /// Rows of pixels of a unit.
    unit_rows: usize,
}

/// A component.
pub(super) struct Component {
    /// Blocks of a unit, across and down.
    pub(super) unit: (usize, usize),
    /// In natural order, times [`jpeg_idct::SCALE`].
    pub(super) quantizers: [f32; 64],
    /// Samples a side that a block becomes.
    samples: usize,
    /// Pixels that a sample stands for, across and down: 1 or 2.
    pixels: (usize, usize),
    /// Samples across and down that the picture covers.
    covered: (usize, usize),
    /// Where its blocks begin among those of a row of units.
    first: usize,
}

impl Shape {
    /// `None` for sampling factors that hardly any program writes. `shrink` is 1, 2, 4 or 8.
    pub(super) fn of(jpeg: &Jpeg, shrink: usize) -> Option<Shape> {
        let side = match shrink {
            1 | 2 | 4 | 8 => 8 / shrink,
            _other => return None,
        };
        let grey = jpeg.meaning == Meaning::Grey;
        // A picture of one component is divided into blocks whatever its factors say.
        let factors: Vec<(usize, usize)> = jpeg
            .components
            .iter()
            .map(|c| if grey { (1, 1) } else { (usize::from(c.sampling.0), usize::from(c.sampling.1)) })
            .collect();
        let most = factors.first().copied()?;
        let (width, height) = (jpeg.width as usize, jpeg.height as usize);
        let units = (width.div_ceil(8 * most.0), height.div_ceil(8 * most.1));
        let size = (width.div_ceil(shrink), height.div_ceil(shrink));
        let mut components: Vec<Component> = Vec::new();
        let mut first = 0;
        for unit in factors {
            let halves = |most: usize, own: usize| match most {
                _ if most == own => Some(1),
                _ if most == own * 2 => Some(2),
                _other => None,
            };
            let (across, down) = (halves(most.0, unit.0)?, halves(most.1, unit.1)?);
            let larger = if side < 8 { across.min(down) } else { 1 };
            let pixels = (across / larger, down / larger);
            let covered = (size.0.div_ceil(pixels.0), size.1.div_ceil(pixels.1));
            let quantizers = [0.0; 64];
            components.push(Component { unit, quantizers, samples: side * larger, pixels, covered, first });
            first += units.0 * unit.0 * unit.1;
        }
        Some(Shape { size, units, components, unit_rows: most.1 * side })
    }

    /// Components of a pixel.
    pub(super) fn channels(&self) -> usize {
        self.components.len()
    }

    /// Rows of pixels of a unit.
    pub(super) fn unit_rows(&self) -> usize {
        self.unit_rows
    }

    /// Fills a strip of pixel rows that begins with unit row `first`. `rows` are the blocks of the
    /// unit rows from `from` on: those of the strip, and where there are any the one before and the
    /// one after it.
    pub(super) fn pixels(&self, first: usize, from: usize, rows: &[Arc<Blocks>], strip: &mut [u8]) {
        let (width, channels) = (self.size.0, self.channels());
        let own = first - from..(first - from + strip.len().div_ceil(width * channels * self.unit_rows));
        let planes: Vec<Plane> = (0..self.components.len())
            .map(|at| match self.components[at].pixels.1 {
                // Its samples are its rows': what lies before and after them is nobody's business.
                1 => self.plane(at, first, &rows[own.clone()]),
                _between => self.plane(at, from, rows),
            })
            .collect();
        let mut lines = vec![vec![0u8; width]; channels];
        let mut sums = Vec::new();
        for (y, pixels) in (first * self.unit_rows..).zip(strip.chunks_exact_mut(width * channels)) {
            for ((plane, component), line) in planes.iter().zip(&self.components).zip(&mut lines) {
                plane.line(component, y, &mut sums, line);
            }
            match lines.as_slice() {
                [y, cb, cr] => rgb(y, cb, cr, pixels),
                [grey] => pixels.copy_from_slice(grey),
                _other => {}
            }
        }
    }

    /// The samples of a component's blocks.
    fn plane(&self, at: usize, from: usize, rows: &[Arc<Blocks>]) -> Plane {
        let component = &self.components[at];
        let side = component.samples;
        let across = self.units.0 * component.unit.0;
        let stride = across * side;
        let mut values = vec![0; stride * side * component.unit.1 * rows.len()];
        for (row, blocks) in rows.iter().enumerate() {
            for down in 0..component.unit.1 {
                let top = (row * component.unit.1 + down) * side * stride;
                for column in 0..across {
                    let (coefficients, highest) = blocks.read(component, across, column, down);
                    jpeg_idct::inverse(
                        coefficients,
                        &component.quantizers,
                        usize::from(highest),
                        side,
                        &mut values,
                        (top + column * side, stride),
                    );
                }
            }
        }
        Plane { values, stride, first: from * component.unit.1 * side }
    }
}

/// The coefficients of a row of units.
pub(super) struct Blocks {
    coefficients: Vec<[i16; 64]>,
    /// The highest zigzag place of each block's coefficients.
    highest: Vec<u8>,
}

impl Blocks {
    /// Zeros.
    pub(super) fn new(shape: &Shape) -> Blocks {
        let count: usize = shape.components.iter().map(|c| shape.units.0 * c.unit.0 * c.unit.1).sum();
        Blocks { coefficients: vec![[0; 64]; count], highest: vec![0; count] }
    }

    /// A block of a component, to be filled.
    #[inline]
    pub(super) fn block(
        &mut self,
        shape: &Shape,
        component: usize,
        column: usize,
        down: usize,
    ) -> (&mut [i16; 64], &mut u8) {
        let component = &shape.components[component];
        let at = component.first + down * shape.units.0 * component.unit.0 + column;
        (&mut self.coefficients[at], &mut self.highest[at])
    }

    fn read(&self, component: &Component, across: usize, column: usize, down: usize) -> (&[i16; 64], u8) {
        let at = component.first + down * across + column;
        (&self.coefficients[at], self.highest[at])
    }
}

/// Samples of some rows of a component.
struct Plane {
    values: Vec<u8>,
    stride: usize,
    /// Its first row within the component.
    first: usize,
}

impl Plane {
    /// Row `y` of the picture. `sums` is room for a row of samples.
    fn line(&self, component: &Component, y: usize, sums: &mut Vec<u16>, out: &mut [u8]) {
        let (across, down) = component.pixels;
        let (width, height) = component.covered;
        let samples = |row: usize| &self.values[(row - self.first) * self.stride..][..width];
        let near = (y / down).min(height - 1);
        if down == 1 {
            match across {
                1 => out.copy_from_slice(&samples(near)[..out.len()]),
                _two => doubled(samples(near).iter().map(|v| u16::from(*v)), [1, 2], 2, sums, out),
            }
            return;
        }
        let far = if y.is_multiple_of(2) { near.saturating_sub(1) } else { (near + 1).min(height - 1) };
        let both = samples(near).iter().zip(samples(far));
        let both = both.map(|(near, far)| 3 * u16::from(*near) + u16::from(*far));
        match across {
            1 => {
                let bias = if y.is_multiple_of(2) { 1 } else { 2 };
                out.iter_mut().zip(both).for_each(|(out, sum)| *out = ((sum + bias) >> 2) as u8);
            }
            _two => doubled(both, [8, 7], 4, sums, out),
        }
    }
}

/// Two pixels of each sample: three parts of it and one of its neighbour on that side.
fn doubled(
    samples: impl Iterator<Item = u16>,
    [left, right]: [u16; 2],
    shift: u32,
    sums: &mut Vec<u16>,
    out: &mut [u8],
) {
    // The outermost samples are their own neighbours.
    sums.clear();
    sums.push(0);
    sums.extend(samples);
    let last = sums.len() - 1;
    sums[0] = sums[1];
    sums.push(sums[last]);
    let (pairs, rest) = out.as_chunks_mut::<2>();
    for (pair, around) in pairs.iter_mut().zip(sums.windows(3)) {
        let [before, own, after] = [around[0], around[1], around[2]];
        *pair = [((3 * own + before + left) >> shift) as u8, ((3 * own + after + right) >> shift) as u8];
    }
    if let [odd] = rest {
        *odd = ((3 * sums[last] + sums[last - 1] + left) >> shift) as u8;
    }
}

/// ITU-T T.871, as libjpeg rounds it.
fn rgb(y: &[u8], cb: &[u8], cr: &[u8], out: &mut [u8]) {
    let to_8 = |v: i32| v.clamp(0, 255) as u8;
    for (((out, y), cb), cr) in out.as_chunks_mut::<3>().0.iter_mut().zip(y).zip(cb).zip(cr) {
        let (y, cb, cr) = (i32::from(*y), i32::from(*cb) - 128, i32::from(*cr) - 128);
        *out = [
            to_8(y + ((91_881 * cr + 32_768) >> 16)),
            to_8(y + ((32_768 - 22_554 * cb - 46_802 * cr) >> 16)),
            to_8(y + ((116_130 * cb + 32_768) >> 16)),
        ];
    }
}
