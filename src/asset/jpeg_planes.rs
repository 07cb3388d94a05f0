//! Sequential JPEGs whose components stand in scans of their own.
//!
//! Each component is a grey picture, complete with its tables: that picture is written to memory,
//! decoded, and brought to full size. The components are then interleaved, still in the file's own
//! colour space.
//!
//! Where a component has half the samples in one or both directions, those between are found by the
//! triangle filter: three parts of the nearer sample, one of the farther, per direction, as a JPEG's
//! samples lie centred between the pixels they stand for. Where one stands for more than two pixels
//! in a direction, which hardly any program writes, samples are repeated, as libjpeg does.

use super::corrupt;
use super::jpeg::{FrameComponent, Jpeg};
use super::jpeg_decode::run;
use crate::error::Violation;
use rayon::prelude::*;
use zune_core::colorspace::ColorSpace;

/// A component's samples.
struct Plane {
    values: Vec<u8>,
    width: usize,
    height: usize,
    /// Pixels that a sample stands for, across and down.
    pixels: (usize, usize),
    /// Samples are interpolated, not repeated.
    smooth: bool,
}

/// Every pixel's components as the file stores them, row by row.
pub(super) fn decode(file: &[u8], jpeg: &Jpeg) -> Result<Vec<u8>, Violation> {
    let planes: Vec<Plane> =
        jpeg.components.par_iter().map(|c| plane(file, jpeg, c)).collect::<Result<_, Violation>>()?;
    let (width, count) = (jpeg.width as usize, planes.len());
    let mut values = vec![0; width * jpeg.height as usize * count];
    values.par_chunks_mut(width * count).enumerate().for_each_init(
        || (vec![0; width], vec![0; width]),
        |(column, row), (y, pixels)| {
            for (at, plane) in planes.iter().enumerate() {
                plane.row(y, column, row);
                for (pixel, value) in pixels.chunks_exact_mut(count).zip(&*row) {
                    pixel[at] = *value;
                }
            }
        },
    );
    Ok(values)
}

/// Decodes one component by itself.
fn plane(file: &[u8], jpeg: &Jpeg, component: &FrameComponent) -> Result<Plane, Violation> {
    let most = |of: fn(&FrameComponent) -> u8| jpeg.components.iter().map(of).max().unwrap_or(1);
    let (across, down) = (
        u32::from(most(|c| c.sampling.0) / component.sampling.0),
        u32::from(most(|c| c.sampling.1) / component.sampling.1),
    );
    let (width, height) = (jpeg.width.div_ceil(across), jpeg.height.div_ceil(down));
    let stream =
        grey(file, jpeg, component, (width, height)).ok_or_else(|| corrupt("lacks some of its scans"))?;
    let values = run(&stream, (width, height), ColorSpace::Luma)?;
    let (width, height) = (width as usize, height as usize);
    if values.len() != width * height {
        return Err(corrupt("does not hold the pixels that its header promises"));
    }
    let pixels = (across as usize, down as usize);
    Ok(Plane { values, width, height, pixels, smooth: across <= 2 && down <= 2 })
}

/// A grey JPEG of one component: the tables and the restart interval in force at its scan, and the
/// scan. `None` when the file has no such scan.
fn grey(file: &[u8], jpeg: &Jpeg, component: &FrameComponent, size: (u32, u32)) -> Option<Vec<u8>> {
    let (at, selectors) = jpeg.segments.iter().enumerate().find_map(|(at, segment)| {
        match (segment.marker, segment.payload(file)) {
            (0xda, &[1, id, selectors, ..]) if id == component.id => Some((at, selectors)),
            _ => None,
        }
    })?;
    let (tables, scan) = (jpeg.segments.get(..at)?, file.get(jpeg.segments.get(at)?.scan.clone())?);
    let mut out = vec![0xff, 0xd8];
    for segment in tables.iter().filter(|s| matches!(s.marker, 0xc4 | 0xdb | 0xdd)) {
        out.extend_from_slice(file.get(segment.bytes.clone())?);
    }
    let [w1, w0] = u16::try_from(size.0).ok()?.to_be_bytes();
    let [h1, h0] = u16::try_from(size.1).ok()?.to_be_bytes();
    // Extended sequential, which may have all that baseline has; one component, named 1.
    out.extend([0xff, 0xc1, 0, 11, 8, h1, h0, w1, w0, 1, 1, 0x11, component.quantizer]);
    out.extend([0xff, 0xda, 0, 8, 1, 1, selectors, 0, 63, 0]);
    out.extend_from_slice(scan);
    out.extend([0xff, 0xd9]);
    Some(out)
}

impl Plane {
    /// Row `y` of the full size. `sums` is room for a row of samples filtered downwards, times 4.
    fn row(&self, y: usize, sums: &mut [u16], out: &mut [u8]) {
        let (across, down) = self.pixels;
        let near = y / down;
        let [above, below] = self.neighbours(near, self.height, down);
        let far = if y.is_multiple_of(down) { above } else { below };
        let samples = |row: usize| &self.values[row * self.width..][..self.width];
        for ((sum, near), far) in sums.iter_mut().zip(samples(near)).zip(samples(far)) {
            *sum = 3 * u16::from(*near) + u16::from(*far);
        }
        if across == 1 {
            out.iter_mut().zip(&*sums).for_each(|(value, sum)| *value = ((sum + 2) / 4) as u8);
            return;
        }
        for (x, group) in out.chunks_mut(across).enumerate() {
            let [left, right] = self.neighbours(x, self.width, across).map(|x| sums[x]);
            for (at, value) in group.iter_mut().enumerate() {
                let far = if at == 0 { left } else { right };
                *value = ((3 * sums[x] + far + 8) / 16) as u8;
            }
        }
    }

    /// Which samples before and after one have a share in its two pixels; itself where samples are
    /// repeated, and at the edges.
    fn neighbours(&self, at: usize, count: usize, pixels: usize) -> [usize; 2] {
        if self.smooth && pixels == 2 { [at.saturating_sub(1), (at + 1).min(count - 1)] } else { [at, at] }
    }
}
