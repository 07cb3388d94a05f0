//! Compression of streams, on every core.
//!
//! Data is cut into chunks of a constant size that are deflated in parallel and joined into
//! one zlib stream, so that the bytes do not depend on the number of threads. Pictures are
//! filtered row by row as PNG does it before they are deflated.

use crate::error::{Code, Violation};
use flate2::{Compress, Compression, FlushCompress, Status};
use rayon::prelude::*;
use zlib_rs::adler32::adler32;

/// Bytes deflated as one piece.
const CHUNK: usize = 512 * 1024;
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
    out.extend(HEAD);
    for piece in pieces {
        out.extend(piece);
    }
    out.extend(adler32(1, data).to_be_bytes());
    Ok(out)
}

/// A band of a picture's rows, packed by itself: bands join into one zlib stream.
pub(super) struct PackedBand {
    /// The stream's next blocks, ending on a byte.
    pub(super) bytes: Vec<u8>,
    /// The checksum of what they stand for.
    pub(super) check: u32,
    /// How many bytes they stand for.
    pub(super) raw_bytes: u64,
}

/// Packs rows for `/Predictor 15` wherever in the picture they stand.
pub(super) fn band(data: &[u8], width: usize, channels: usize) -> Result<PackedBand, Violation> {
    let rows = filtered(data, width * channels, channels, false);
    let (check, raw_bytes) = (adler32(1, &rows), rows.len() as u64);
    Ok(PackedBand { bytes: piece(&rows, false)?, check, raw_bytes })
}

/// What a zlib stream of bands begins with.
pub(super) const HEAD: [u8; 2] = [0x78, 0x9C];

/// What ends it: an empty last block, and the checksum of everything.
pub(super) fn tail(check: u32) -> Vec<u8> {
    [&[3, 0], check.to_be_bytes().as_slice()].concat()
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

/// Rows with the PNG filter (RFC 2083, 6) that leaves the smallest differences, for `/Predictor 15`.
pub(super) fn png_rows(data: &[u8], width: usize, channels: usize) -> Vec<u8> {
    filtered(data, width * channels, channels, true)
}

/// The same; rows that are not the picture's first have something above them that is not known here.
fn filtered(data: &[u8], stride: usize, channels: usize, top: bool) -> Vec<u8> {
    let rows = data.len() / stride.max(1);
    let mut out = vec![0; rows * (stride + 1)];
    out.par_chunks_mut(stride + 1).enumerate().for_each(|(y, target)| {
        let row = &data[y * stride..(y + 1) * stride];
        let above = if y > 0 { &data[(y - 1) * stride..y * stride] } else { &[] };
        let filters = if y > 0 || top { 5u8 } else { 2 };
        let mut best = u64::MAX;
        let mut trial = vec![0; stride];
        for filter in 0..filters {
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
    fn bands_join_into_one_picture() {
        let (width, channels) = (150, 4);
        let stride = width * channels;
        let data: Vec<u8> = (0..stride * 500).map(|i| (i / 7 + i * i / 911 % 13) as u8).collect();
        let (mut packed, mut check) = (HEAD.to_vec(), 1);
        for rows in data.chunks(stride * 128) {
            let band = band(rows, width, channels).unwrap();
            packed.extend(band.bytes);
            check = zlib_rs::adler32::adler32_combine(check, band.check, band.raw_bytes);
        }
        packed.extend(tail(check));
        let mut rows = Vec::new();
        flate2::read::ZlibDecoder::new(packed.as_slice()).read_to_end(&mut rows).unwrap();
        // Undone as a reader of the PDF does it.
        let mut back = vec![0u8; stride];
        for row in rows.chunks_exact(stride + 1) {
            for i in 0..stride {
                let at = back.len();
                let before = |n: usize| if i >= channels { back[at - n] } else { 0 };
                let (left, up, corner) = (before(channels), back[at - stride], before(stride + channels));
                let guess = match row[0] {
                    0 => 0,
                    1 => left,
                    2 => up,
                    3 => ((u16::from(left) + u16::from(up)) / 2) as u8,
                    _ => paeth(left, up, corner),
                };
                back.push(row[i + 1].wrapping_add(guess));
            }
        }
        assert!(back[stride..] == data);
    }
}
