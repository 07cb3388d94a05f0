//! A PNG's raw rows: premultiplication taken off, components in network order.

use crate::raster::Rows;
use crate::raster::sample::{Pixel, Sample};

/// Pixels looked at together: where all of them are opaque, or none shows at all, they are copied.
const TOGETHER: usize = 64;

/// Row `y` of a band of `width` columns, into `out`, which has exactly its size.
pub(super) fn raw_row(rows: Rows<'_>, y: usize, width: usize, opaque: bool, out: &mut [u8]) {
    let span = y * width..(y + 1) * width;
    match rows {
        Rows::Eight(pixels) if opaque => without_alpha(&pixels[span], out),
        Rows::Eight(pixels) => with_alpha(&pixels[span], out),
        Rows::Sixteen(pixels) => {
            let channels = if opaque { 3 } else { 4 };
            for (out, pixel) in out.chunks_exact_mut(channels * 2).zip(&pixels[span]) {
                for (out, word) in out.as_chunks_mut::<2>().0.iter_mut().zip(straight(*pixel)) {
                    *out = word.to_be_bytes();
                }
            }
        }
    }
}

fn with_alpha(pixels: &[Pixel<u8>], out: &mut [u8]) {
    let (out, _) = out.as_chunks_mut::<4>();
    for (out, pixels) in out.chunks_mut(TOGETHER).zip(pixels.chunks(TOGETHER)) {
        // Alpha is a little-endian word's highest byte. Whole words are looked at, many at a time.
        let words = pixels.iter().map(|pixel| u32::from_le_bytes(*pixel));
        let (all, any) = words.fold((u32::MAX, 0), |(all, any), word| (all & word, any | word));
        if all >> 24 == 0xff || any >> 24 == 0 {
            out.copy_from_slice(pixels);
        } else {
            out.iter_mut().zip(pixels).for_each(|(out, pixel)| *out = straight(*pixel));
        }
    }
}

/// Four pixels, sixteen bytes, become twelve: in whole words, not byte by byte.
fn without_alpha(pixels: &[Pixel<u8>], out: &mut [u8]) {
    let (fours, rest) = pixels.as_chunks::<4>();
    let (twelves, last) = out.split_at_mut(fours.len() * 12);
    for (out, four) in twelves.as_chunks_mut::<12>().0.iter_mut().zip(fours) {
        let [a, b, c, d] = four.map(|pixel| u32::from_le_bytes(pixel) & 0x00ff_ffff);
        let words = [a | b << 24, b >> 8 | c << 16, c >> 16 | d << 8];
        for (out, word) in out.as_chunks_mut::<4>().0.iter_mut().zip(words) {
            *out = word.to_le_bytes();
        }
    }
    for (out, [r, g, b, _]) in last.as_chunks_mut::<3>().0.iter_mut().zip(rest) {
        *out = [*r, *g, *b];
    }
}

/// Takes premultiplication off one pixel.
#[inline(always)]
fn straight<S: Sample>([r, g, b, a]: Pixel<S>) -> Pixel<S> {
    if a == S::MAX || a == S::ZERO { [r, g, b, a] } else { [r.over(a), g.over(a), b.over(a), a] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_of_a_row_becomes_itself() {
        // Rows of 150 pixels: two runs that are looked at together and what is left, with and without
        // translucent ones.
        let width = 150;
        let pixel = |i: usize| {
            let a = [255, 0, 255, 128][(i / 71) % 4];
            [i as u8, (i * 3) as u8, 7, 0].map(|v: u8| v.min(a)).map(|v| v.min(200)).map(|v| v.min(a))
        };
        let pixels: Vec<Pixel<u8>> = (0..width * 4)
            .map(|i| {
                let [r, g, b, _] = pixel(i);
                [r, g, b, [255, 0, 255, 128][(i / 71) % 4]]
            })
            .collect();
        for y in 0..4 {
            let row = &pixels[y * width..(y + 1) * width];
            let mut rgba = vec![1; width * 4];
            raw_row(Rows::Eight(&pixels), y, width, false, &mut rgba);
            for (out, pixel) in rgba.chunks(4).zip(row) {
                let exact = |v: u8| match pixel[3] {
                    128 => (f64::from(v) * 255.0 / 128.0).round() as u8,
                    _other => v,
                };
                assert_eq!(out, [exact(pixel[0]), exact(pixel[1]), exact(pixel[2]), pixel[3]]);
            }
            let mut rgb = vec![1; width * 3];
            raw_row(Rows::Eight(&pixels), y, width, true, &mut rgb);
            assert!(rgb.chunks(3).zip(row).all(|(out, pixel)| out == &pixel[..3]));
        }
        let words = [[0x0102u16, 0x0304, 0x0506, 0xffff], [0x0010, 0x0020, 0x0030, 0x8000]];
        let mut out = [0; 16];
        raw_row(Rows::Sixteen(&words), 0, 2, false, &mut out);
        assert_eq!(out, [1, 2, 3, 4, 5, 6, 255, 255, 0, 32, 0, 64, 0, 96, 128, 0]);
    }
}
