//! Compression of streams, on every core.
//!
//! Data is cut into chunks of a constant size that are deflated in parallel and joined into
//! one zlib stream, so that the bytes do not depend on the number of threads. Pictures are
//! filtered row by row as PNG does it before they are deflated.

use crate::error::{Code, Violation};
use flate2::{Compress, Compression, FlushCompress, Status};
use rayon::prelude::*;

/// Bytes deflated as one piece.
const CHUNK: usize = 512 * 1024;
/// Bytes of rows that are filtered and deflated together.
const BATCH: usize = 8 * CHUNK;
/// The trade of time for size.
const LEVEL: u32 = 6;

/// A zlib stream (RFC 1950) of the data.
pub(super) fn zlib(data: &[u8]) -> Result<Vec<u8>, Violation> {
    let count = data.len().div_ceil(CHUNK).max(1);
    let pieces: Vec<Vec<u8>> = (0..count)
        .into_par_iter()
        .map(|i| piece(&data[i * CHUNK..data.len().min((i + 1) * CHUNK)], i + 1 == count))
        .collect::<Result<_, _>>()?;
    let mut out = Vec::with_capacity(pieces.iter().map(Vec::len).sum::<usize>() + 6);
    out.extend([0x78, 0x9C]);
    for piece in pieces {
        out.extend(piece);
    }
    out.extend(adler32(1, data).to_be_bytes());
    Ok(out)
}

/// Rows of a picture on their way into one zlib stream, a few megabytes at a time.
pub(super) struct Rows {
    stride: usize,
    channels: usize,
    /// Rows that wait to be filtered.
    raw: Vec<u8>,
    /// The last row that was.
    above: Vec<u8>,
    /// Filtered bytes that wait to be deflated: less than a piece.
    filtered: Vec<u8>,
    adler: u32,
    begun: bool,
}

impl Rows {
    /// No rows yet, of so many pixels with so many samples.
    pub(super) fn new(width: usize, channels: usize) -> Rows {
        let (raw, above, filtered) = (Vec::new(), Vec::new(), Vec::new());
        Rows { stride: (width * channels).max(1), channels, raw, above, filtered, adler: 1, begun: false }
    }

    /// Takes whole rows; gives what has become of earlier ones.
    pub(super) fn push(&mut self, rows: &[u8]) -> Result<Vec<u8>, Violation> {
        let mut out = Vec::new();
        // However the rows come, they are cut alike.
        for row in rows.chunks_exact(self.stride) {
            self.raw.extend_from_slice(row);
            if self.raw.len() >= BATCH {
                self.pack(false, &mut out)?;
            }
        }
        Ok(out)
    }

    /// The rest, and the stream's end.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, Violation> {
        let mut out = Vec::new();
        self.pack(true, &mut out)?;
        out.extend(self.adler.to_be_bytes());
        Ok(out)
    }

    fn pack(&mut self, last: bool, out: &mut Vec<u8>) -> Result<(), Violation> {
        if !std::mem::replace(&mut self.begun, true) {
            out.extend([0x78, 0x9C]);
        }
        let rows = filtered(&self.raw, &self.above, self.stride, self.channels);
        self.adler = adler32(self.adler, &rows);
        self.filtered.extend(rows);
        self.above = self.raw.split_off(self.raw.len().saturating_sub(self.stride));
        self.raw.clear();
        let count = if last { self.filtered.len().div_ceil(CHUNK).max(1) } else { self.filtered.len() / CHUNK };
        let end = self.filtered.len().min(count * CHUNK);
        let pieces: Vec<Vec<u8>> = (0..count)
            .into_par_iter()
            .map(|i| piece(&self.filtered[i * CHUNK..end.min((i + 1) * CHUNK)], last && i + 1 == count))
            .collect::<Result<_, _>>()?;
        self.filtered.drain(..end);
        out.extend(pieces.into_iter().flatten());
        Ok(())
    }
}

/// One chunk, ending on a byte: with an empty block, or, where it is the last, with the end.
fn piece(data: &[u8], last: bool) -> Result<Vec<u8>, Violation> {
    let mut deflate = Compress::new(Compression::new(LEVEL), false);
    let mut out = Vec::with_capacity(data.len() / 2 + 64);
    let flush = if last { FlushCompress::Finish } else { FlushCompress::Sync };
    loop {
        let rest = data.get(deflate.total_in() as usize..).unwrap_or_default();
        let status = deflate
            .compress_vec(rest, &mut out, flush)
            .map_err(|_| Violation::new(Code::InternalError, "deflate failed; please report it"))?;
        let all_read = deflate.total_in() as usize == data.len();
        if status == Status::StreamEnd || (!last && all_read && out.len() < out.capacity()) {
            return Ok(out);
        }
        out.reserve(data.len() / 4 + 64);
    }
}

/// The checksum of what came before and the data; of nothing it is 1.
fn adler32(before: u32, data: &[u8]) -> u32 {
    // So many bytes can be added before 32 bits overflow.
    const RUN: usize = 5552;
    let (mut a, mut b) = (before & 0xFFFF, before >> 16);
    for run in data.chunks(RUN) {
        for &byte in run {
            a += u32::from(byte);
            b += a;
        }
        a %= 65_521;
        b %= 65_521;
    }
    (b << 16) | a
}

/// Rows with the PNG filter (RFC 2083, 6) that leaves the smallest differences, for `/Predictor 15`.
pub(super) fn png_rows(data: &[u8], width: usize, channels: usize) -> Vec<u8> {
    filtered(data, &[], width * channels, channels)
}

/// The same below a row, or below nothing.
fn filtered(data: &[u8], before: &[u8], stride: usize, channels: usize) -> Vec<u8> {
    let rows = data.len() / stride.max(1);
    let mut out = vec![0; rows * (stride + 1)];
    out.par_chunks_mut(stride + 1).enumerate().for_each(|(y, target)| {
        let row = &data[y * stride..(y + 1) * stride];
        let above = if y > 0 { &data[(y - 1) * stride..y * stride] } else { before };
        let mut best = u64::MAX;
        let mut trial = vec![0; stride];
        for filter in 0..5u8 {
            for (i, out) in trial.iter_mut().enumerate() {
                let left = if i >= channels { row[i - channels] } else { 0 };
                let up = above.get(i).copied().unwrap_or(0);
                let corner = if i >= channels { above.get(i - channels).copied().unwrap_or(0) } else { 0 };
                let guess = match filter {
                    0 => 0,
                    1 => left,
                    2 => up,
                    3 => ((u16::from(left) + u16::from(up)) / 2) as u8,
                    _ => paeth(left, up, corner),
                };
                *out = row[i].wrapping_sub(guess);
            }
            let cost: u64 = trial.iter().map(|d| u64::from((*d as i8).unsigned_abs())).sum();
            if cost < best {
                best = cost;
                target[0] = filter;
                target[1..].copy_from_slice(&trial);
            }
        }
    });
    out
}

fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let (a, b, c) = (i16::from(left), i16::from(up), i16::from(corner));
    let (to_a, to_b, to_c) = ((b - c).abs(), (a - c).abs(), (a + b - 2 * c).abs());
    if to_a <= to_b && to_a <= to_c {
        left
    } else if to_b <= to_c {
        up
    } else {
        corner
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn streams_inflate_to_their_data() {
        for size in [0, 1, CHUNK, CHUNK + 1, 3 * CHUNK + 77] {
            let data: Vec<u8> = (0..size).map(|i| (i * i / 7 % 251) as u8).collect();
            let mut back = Vec::new();
            let packed = zlib(&data).unwrap();
            flate2::read::ZlibDecoder::new(packed.as_slice()).read_to_end(&mut back).unwrap();
            assert!(back == data, "{size} bytes");
        }
    }

    #[test]
    fn rows_that_come_in_pieces_are_packed_as_one_picture() {
        let (width, channels) = (1500, 4);
        let stride = width * channels;
        let data: Vec<u8> = (0..stride * 1200).map(|i| (i / 7 + i * i / 911 % 13) as u8).collect();
        let packed = |rows: usize| {
            let mut packer = Rows::new(width, channels);
            let mut out = Vec::new();
            for piece in data.chunks(stride * rows) {
                out.extend(packer.push(piece).unwrap());
            }
            out.extend(packer.finish().unwrap());
            out
        };
        let mut back = Vec::new();
        let one = packed(1);
        flate2::read::ZlibDecoder::new(one.as_slice()).read_to_end(&mut back).unwrap();
        assert!(back == png_rows(&data, width, channels));
        assert!(one == packed(128), "however they come");
    }
}
