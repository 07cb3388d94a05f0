//! Compression of streams, on every core.
//!
//! Data is cut into chunks of a constant size that are deflated in parallel and joined into
//! one zlib stream, so that the bytes do not depend on the number of threads. Pictures are
//! packed in bands of rows as PNGs are.

use crate::encode::pack::{Layout, Room};
use crate::error::{Code, Violation};
use flate2::{Compress, Compression, FlushCompress, Status};
use rayon::prelude::*;
use zlib_rs::adler32::{adler32, adler32_combine};

/// Bytes deflated as one piece.
const CHUNK: usize = 512 * 1024;
/// Rows of a picture packed as one piece.
const BAND_ROWS: usize = 256;
/// The trade of time for size, where it is not a picture.
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

/// A picture's samples as a zlib stream of rows for `/Predictor 15`.
pub(super) fn picture(data: &[u8], width: usize, channels: usize) -> Result<Vec<u8>, Violation> {
    let bands: Vec<PackedBand> = data
        .par_chunks((width * channels * BAND_ROWS).max(1))
        .map_init(Room::default, |room, rows| band(room, rows, width, channels))
        .collect::<Result<_, _>>()?;
    let mut out = Vec::with_capacity(bands.iter().map(|band| band.bytes.len()).sum::<usize>() + 8);
    out.extend(HEAD);
    let mut check = 1;
    for band in bands {
        out.extend(band.bytes);
        check = adler32_combine(check, band.check, band.raw_bytes);
    }
    out.extend(tail(check));
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
pub(super) fn band(
    room: &mut Room,
    data: &[u8],
    width: usize,
    channels: usize,
) -> Result<PackedBand, Violation> {
    let row_bytes = width * channels;
    let layout = Layout { row_bytes, bpp: channels, most: None, hard: false, level: Some(LEVEL) };
    let rows = data.len() / row_bytes.max(1);
    let raw = |y: usize, row: &mut [u8]| row.copy_from_slice(&data[y * row_bytes..(y + 1) * row_bytes]);
    let mut bytes = Vec::with_capacity(data.len() / 2 + 64);
    let check = room.pack(&layout, rows, &raw, &mut bytes)?;
    Ok(PackedBand { bytes, check, raw_bytes: (rows * (row_bytes + 1)) as u64 })
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

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
        let packed = picture(&data, width, channels).unwrap();
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
