//! The common JPEG, sequential with all components in one scan, decoded at full size or reduced.
//!
//! The entropy-coded data are read once, in order, and every code word is checked as it is used, so
//! that no walk beside the decoder is needed to know that the picture is whole. Rows of blocks that
//! have been read become pixels in tasks of their own, a few rows each
//! ([`jpeg_rows`](super::jpeg_rows)), while the reading goes on.

use super::corrupt;
use super::jpeg::{Jpeg, Meaning, named_rgb};
use super::jpeg_bits::{Bits, Huffman, extended};
use super::jpeg_idct;
use super::jpeg_rows::{Blocks, Component, Shape};
use super::jpeg_scan::{Tables, read_tables};
use crate::error::Violation;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Rows of units that one task turns into pixels.
const ROWS: usize = 4;
/// Tasks that may wait; beyond them the reader does the work itself, so that memory stays bounded.
const WAITING: usize = 6;

/// Places of a block, by the order in which they are coded.
const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// What is needed to read a file's one scan.
pub(super) struct Baseline<'a> {
    tables: Tables,
    shape: Shape,
    /// Component and its DC and AC tables, in the scan's order.
    members: Vec<(usize, usize, usize)>,
    data: &'a [u8],
}

impl<'a> Baseline<'a> {
    /// `None` when the file is of a rarer kind. `shrink` is 1, 2, 4 or 8.
    ///
    /// # Errors
    /// `image.corrupt` when a table is damaged.
    pub(super) fn of(file: &'a [u8], jpeg: &Jpeg, shrink: usize) -> Result<Option<Baseline<'a>>, Violation> {
        let known = match jpeg.meaning {
            Meaning::Grey => true,
            Meaning::YCbCr => !named_rgb(&jpeg.components),
            Meaning::Rgb | Meaning::Cmyk { .. } | Meaning::Ycck => false,
        };
        let mut scans = jpeg.segments.iter().filter(|s| s.marker == 0xda);
        let (Some(scan), None) = (scans.next(), scans.next()) else { return Ok(None) };
        let Some(mut shape) = Shape::of(jpeg, shrink).filter(|_| known && !jpeg.progressive) else {
            return Ok(None);
        };
        let mut tables = Tables::default();
        let mut quantizers: [Option<[u16; 64]>; 4] = [None; 4];
        for segment in jpeg.segments.iter().take_while(|s| s.marker != 0xda) {
            let payload = segment.payload(file);
            match segment.marker {
                0xc4 => read_tables(payload, &mut tables)?,
                0xdb => read_quantizers(payload, &mut quantizers)?,
                0xdd => {
                    let interval = payload.first_chunk().ok_or_else(broken)?;
                    tables.restart = usize::from(u16::from_be_bytes(*interval));
                }
                _ => {}
            }
        }
        for (component, declared) in shape.components.iter_mut().zip(&jpeg.components) {
            let table = quantizers.get(usize::from(declared.quantizer)).copied().flatten();
            component.quantizers = table.ok_or_else(broken)?.map(|q| f32::from(q) * jpeg_idct::SCALE);
        }
        let payload = scan.payload(file);
        let (&count, rest) = payload.split_first().ok_or_else(broken)?;
        if usize::from(count) != jpeg.components.len() {
            return Ok(None);
        }
        let (list, _) = rest.split_at_checked(usize::from(count) * 2).ok_or_else(broken)?;
        let mut members: Vec<(usize, usize, usize)> = Vec::new();
        for &[id, selectors] in list.as_chunks::<2>().0 {
            let place = jpeg.components.iter().position(|c| c.id == id).ok_or_else(broken)?;
            if members.iter().any(|m| m.0 == place) {
                return Err(broken());
            }
            members.push((place, usize::from(selectors >> 4), usize::from(selectors & 15)));
        }
        Ok(Some(Baseline { tables, shape, members, data: &file[scan.scan.clone()] }))
    }

    /// Columns and rows of the reduced picture.
    pub(super) fn size(&self) -> (usize, usize) {
        self.shape.size
    }

    /// Grey or RGB, row by row.
    ///
    /// # Errors
    /// `image.corrupt` when a block is missing or a code word impossible.
    pub(super) fn decode(&self) -> Result<Vec<u8>, Violation> {
        let shape = &self.shape;
        let mut out = vec![0; shape.size.0 * shape.size.1 * shape.channels()];
        crate::memory::filled_soon(&mut out);
        let strip = shape.size.0 * shape.channels() * shape.unit_rows() * ROWS;
        let strips: Vec<Mutex<&mut [u8]>> = out.chunks_mut(strip.max(1)).map(Mutex::new).collect();
        let waiting = AtomicUsize::new(0);
        let paint = |first: usize, rows: &[Arc<Blocks>]| {
            if let Some(Ok(mut strip)) = strips.get(first / ROWS).map(Mutex::lock) {
                shape.pixels(first, first.saturating_sub(1), rows, &mut strip);
            }
        };
        let read = rayon::in_place_scope(|scope| -> Result<(), Violation> {
            // The rows that are read and still wanted, and the number of the first of them.
            let (mut rows, mut begin): (Vec<Arc<Blocks>>, usize) = (Vec::new(), 0);
            let mut reader = Reader::new(self);
            let mut next = 0;
            for row in 0..shape.units.1 {
                rows.push(Arc::new(reader.row()?));
                // A strip needs the row after it, too.
                let last = row + 1 == shape.units.1;
                while next < shape.units.1 && (last || row > next + ROWS - 1) {
                    let (from, to) = (next.saturating_sub(1), (next + ROWS + 1).min(row + 1));
                    let needed: Vec<Arc<Blocks>> = rows[from - begin..to - begin].to_vec();
                    if waiting.fetch_add(1, Ordering::Relaxed) < WAITING {
                        let (paint, waiting) = (&paint, &waiting);
                        scope.spawn(move |_| {
                            paint(next, &needed);
                            waiting.fetch_sub(1, Ordering::Relaxed);
                        });
                    } else {
                        paint(next, &needed);
                        waiting.fetch_sub(1, Ordering::Relaxed);
                    }
                    next += ROWS;
                    let keep = next.saturating_sub(1).min(row + 1);
                    rows.drain(..keep - begin);
                    begin = keep;
                }
            }
            reader.end()
        });
        drop(strips);
        read.map(|()| out)
    }
}

fn broken() -> Violation {
    corrupt("is damaged")
}

fn short() -> Violation {
    corrupt("ends in the middle of its picture data")
}

fn read_quantizers(mut payload: &[u8], tables: &mut [Option<[u16; 64]>; 4]) -> Result<(), Violation> {
    while let Some((&class, rest)) = payload.split_first() {
        let wide = class >> 4 != 0;
        let (values, rest) = rest.split_at_checked(if wide { 128 } else { 64 }).ok_or_else(broken)?;
        let table = tables.get_mut(usize::from(class & 15)).ok_or_else(broken)?;
        let mut natural = [0; 64];
        for (i, place) in ZIGZAG.iter().enumerate() {
            natural[usize::from(*place)] = if wide {
                u16::from_be_bytes([values[2 * i], values[2 * i + 1]])
            } else {
                u16::from(values[i])
            };
        }
        *table = Some(natural);
        payload = rest;
    }
    Ok(())
}

/// Reads rows of units, one after the other.
struct Reader<'a> {
    baseline: &'a Baseline<'a>,
    bits: Bits<'a>,
    /// What follows the restart marker that is next.
    data: &'a [u8],
    /// Units until the next restart marker.
    left: usize,
    done: usize,
    predictions: [i32; 4],
}

impl<'a> Reader<'a> {
    fn new(baseline: &'a Baseline<'a>) -> Self {
        let left = if baseline.tables.restart == 0 { usize::MAX } else { baseline.tables.restart };
        let data = baseline.data;
        Reader { baseline, bits: Bits::new(data), data, left, done: 0, predictions: [0; 4] }
    }

    fn row(&mut self) -> Result<Blocks, Violation> {
        let shape = &self.baseline.shape;
        let mut blocks = Blocks::new(shape);
        for x in 0..shape.units.0 {
            if self.left == 0 {
                self.restart()?;
            }
            for &(place, dc, ac) in &self.baseline.members {
                let Component { unit, .. } = shape.components[place];
                let tables = &self.baseline.tables;
                let (Some(Some(dc)), Some(Some(ac))) = (tables.dc.get(dc), tables.ac.get(ac)) else {
                    return Err(short());
                };
                for block in 0..unit.0 * unit.1 {
                    let column = x * unit.0 + block % unit.0;
                    let (coefficients, highest) = blocks.block(shape, place, column, block / unit.0);
                    let read = read_block(&mut self.bits, dc, ac, &mut self.predictions[place], coefficients);
                    *highest = read.ok_or_else(short)?;
                }
            }
            self.left -= 1;
            self.done += 1;
        }
        Ok(blocks)
    }

    fn restart(&mut self) -> Result<(), Violation> {
        match self.data.get(self.bits.next_marker()..) {
            Some([0xff, 0xd0..=0xd7, rest @ ..]) => self.data = rest,
            _ => return Err(short()),
        }
        self.bits = Bits::new(self.data);
        self.left = self.baseline.tables.restart;
        self.predictions = [0; 4];
        Ok(())
    }

    /// # Errors
    /// `image.corrupt` when more than padding is left: blocks were lost on the way.
    fn end(&self) -> Result<(), Violation> {
        if self.bits.unread() > 8 { Err(broken()) } else { Ok(()) }
    }
}

/// Reads one block; gives the highest zigzag place of a coefficient. `None` when a code word is
/// missing or impossible.
#[inline]
fn read_block(
    place: &mut Bits<'_>,
    dc: &Huffman,
    ac: &Huffman,
    prediction: &mut i32,
    coefficients: &mut [i16; 64],
) -> Option<u8> {
    // A copy of its own stays in registers.
    let mut bits = *place;
    let size = u32::from(dc.read(&mut bits)?);
    if size > 15 {
        return None;
    }
    *prediction = prediction.wrapping_add(extended(bits.take(size)?, size));
    coefficients[0] = *prediction as i16;
    let (mut k, mut highest) = (1usize, 0);
    while k < 64 {
        if let Some(joint) = ac.read_joint(&mut bits) {
            k += usize::from(joint.zeros);
            coefficients[usize::from(*ZIGZAG.get(k)?)] = joint.value;
            highest = k as u8;
            k += 1;
            continue;
        }
        let symbol = ac.read(&mut bits)?;
        let (zeros, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        if size == 0 {
            if zeros < 15 {
                *place = bits;
                return Some(highest);
            }
            k += 16;
            continue;
        }
        k += zeros;
        coefficients[usize::from(*ZIGZAG.get(k)?)] = extended(bits.take(size)?, size) as i16;
        highest = k as u8;
        k += 1;
    }
    *place = bits;
    (k == 64).then_some(highest)
}

#[cfg(test)]
mod tests {
    use crate::asset::{Depth, Encoded, Limits, Picture, Samples};
    use crate::control::Control;
    use crate::error::Code;
    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
    use zune_core::bytestream::ZCursor;
    use zune_core::colorspace::ColorSpace;
    use zune_core::options::DecoderOptions;
    use zune_jpeg::JpegDecoder;

    /// Smooth colours with some texture, and a hard edge.
    fn drawn(width: usize, height: usize) -> Vec<u8> {
        let mut out = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let edge = if x * 3 > width * 2 { 60 } else { 0 };
                let texture = (x * 7 + y * 5) % 9;
                out.extend([
                    40 + edge + texture + x * 120 / width,
                    60 + texture + y * 150 / height,
                    200 - edge - y * 100 / height,
                ]);
            }
        }
        out.into_iter().map(|v| v as u8).collect()
    }

    fn encoded(width: usize, height: usize, sampling: SamplingFactor, restart: u16) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, 92);
        encoder.set_sampling_factor(sampling);
        if restart > 0 {
            encoder.set_restart_interval(restart);
        }
        encoder.encode(&drawn(width, height), width as u16, height as u16, ColorType::Rgb).unwrap();
        file
    }

    fn decoded(file: Vec<u8>, shrink: u32) -> Result<(usize, usize, Vec<u8>), Code> {
        let picture = Picture::probe(Encoded::from(file), &Limits::default()).map_err(|v| v.code)?;
        let pixels = picture.decode_for(Depth::Eight, shrink, Control::NONE).map_err(|v| v.code)?;
        let Samples::Rgb8(data) = pixels.data else { panic!("8 bits were asked for") };
        Ok((pixels.width as usize, pixels.height as usize, data))
    }

    fn by_the_library(file: &[u8]) -> Vec<u8> {
        let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB);
        JpegDecoder::new_with_options(ZCursor::new(file), options).decode().unwrap()
    }

    fn mean_difference(a: &[u8], b: &[u8]) -> f64 {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.len() as f64
    }

    const SAMPLINGS: [SamplingFactor; 4] =
        [SamplingFactor::F_1_1, SamplingFactor::F_2_1, SamplingFactor::F_1_2, SamplingFactor::F_2_2];

    #[test]
    fn every_sampling_comes_back_as_from_the_library() {
        for sampling in SAMPLINGS {
            for (width, height, restart) in [(200, 176, 0), (83, 61, 3), (1, 1, 0), (17, 130, 1)] {
                let file = encoded(width, height, sampling, restart);
                let (w, h, data) = decoded(file.clone(), 1).unwrap();
                assert_eq!((w, h), (width, height));
                let theirs = by_the_library(&file);
                let off = mean_difference(&data, &theirs);
                let most = data.iter().zip(&theirs).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
                assert!(off < 0.5 && most <= 4, "{sampling:?} {width} x {height}: {off}, at most {most}");
            }
        }
    }

    #[test]
    fn a_reduced_picture_is_the_mean_of_its_pixels() {
        for sampling in SAMPLINGS {
            let file = encoded(208, 176, sampling, 0);
            let (width, _, whole) = decoded(file.clone(), 1).unwrap();
            for shrink in [2usize, 4, 8] {
                let (w, h, small) = decoded(file.clone(), shrink as u32).unwrap();
                assert_eq!((w, h), (208 / shrink, 176 / shrink));
                let mut means = Vec::new();
                for y in 0..h {
                    for x in 0..w {
                        for c in 0..3 {
                            let pixels = (0..shrink * shrink).map(|i| {
                                let (x, y) = (x * shrink + i % shrink, y * shrink + i / shrink);
                                u32::from(whole[(y * width + x) * 3 + c])
                            });
                            means.push((pixels.sum::<u32>() / (shrink * shrink) as u32) as u8);
                        }
                    }
                }
                let off = mean_difference(&small, &means);
                assert!(off < 2.5, "{sampling:?} 1/{shrink}: {off}");
            }
        }
    }

    #[test]
    fn a_picture_that_breaks_off_is_refused_at_every_size() {
        let file = encoded(208, 176, SamplingFactor::F_2_2, 0);
        // From a third of the data on, and closed again with an end marker.
        for cut in [file.len() / 2, file.len() * 3 / 4, file.len() - 40] {
            let mut short = file[..cut].to_vec();
            short.extend([0xff, 0xd9]);
            for shrink in [1, 2, 4, 8] {
                assert_eq!(decoded(short.clone(), shrink), Err(Code::ImageCorrupt), "{cut} 1/{shrink}");
            }
        }
        // Blocks that nobody asked for.
        let mut long = file[..file.len() - 2].to_vec();
        long.extend([0x55; 60]);
        long.extend([0xff, 0xd9]);
        assert_eq!(decoded(long, 1), Err(Code::ImageCorrupt));
    }
}
