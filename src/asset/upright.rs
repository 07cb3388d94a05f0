//! Turning stored rows into an upright picture, by EXIF's eight orientations.

use super::{Pixels, Samples};
use rayon::prelude::*;

/// Output rows that one thread fills at a time.
const ROWS: usize = 64;

/// True when rows become columns.
pub(super) fn swaps_sides(orientation: u8) -> bool {
    (5..=8).contains(&orientation)
}

/// Applies an orientation (1 to 8) to pixels as stored, `width` × `height`.
pub(super) fn upright(width: u32, height: u32, data: Samples, orientation: u8) -> Pixels {
    let (out_width, out_height) = if swaps_sides(orientation) { (height, width) } else { (width, height) };
    let (w, h) = (width as usize, height as usize);
    let data = if orientation == 1 {
        data
    } else {
        match data {
            Samples::Rgb8(v) => Samples::Rgb8(turn::<u8, 3>(w, h, v, orientation)),
            Samples::Rgba8(v) => Samples::Rgba8(turn::<u8, 4>(w, h, v, orientation)),
            Samples::Rgb16(v) => Samples::Rgb16(turn::<u16, 3>(w, h, v, orientation)),
            Samples::Rgba16(v) => Samples::Rgba16(turn::<u16, 4>(w, h, v, orientation)),
        }
    };
    Pixels { width: out_width, height: out_height, data }
}

fn turn<T, const N: usize>(w: usize, h: usize, mut values: Vec<T>, orientation: u8) -> Vec<T>
where
    T: Copy + Default + Send + Sync,
{
    let (pixels, _) = values.as_chunks_mut::<N>();
    match orientation {
        // Mirrors and the half turn need no second buffer.
        2 => pixels.par_chunks_mut(w).for_each(<[[T; N]]>::reverse),
        3 => pixels.reverse(),
        4 => {
            let (top, bottom) = pixels.split_at_mut(h.div_ceil(2) * w);
            top.chunks_mut(w).zip(bottom.chunks_mut(w).rev()).for_each(|(a, b)| a.swap_with_slice(b));
        }
        _ => return transpose::<T, N>(w, h, &values, orientation),
    }
    values
}

/// Orientations 5 to 8: the output has `h` columns and `w` rows.
fn transpose<T, const N: usize>(w: usize, h: usize, values: &[T], orientation: u8) -> Vec<T>
where
    T: Copy + Default + Send + Sync,
{
    let (pixels, _) = values.as_chunks::<N>();
    let from_right = orientation == 7 || orientation == 8;
    let from_bottom = orientation == 6 || orientation == 7;
    let mut out = vec![T::default(); values.len()];
    let (target, _) = out.as_chunks_mut::<N>();
    target.par_chunks_mut(h * ROWS).enumerate().for_each(|(piece, rows)| {
        // Column by column of the output, so that each read runs along a stored row.
        let first = piece * ROWS;
        let count = rows.len() / h;
        for x in 0..h {
            let source = &pixels[if from_bottom { h - 1 - x } else { x } * w..][..w];
            for y in 0..count {
                let at = first + y;
                rows[y * h + x] = source[if from_right { w - 1 - at } else { at }];
            }
        }
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where EXIF says the stored top left pixel and its right neighbour are seen, in a picture of 2 × 3.
    #[test]
    fn the_eight_orientations() {
        let stored: Vec<u8> = (0..6).flat_map(|v| [v; 3]).collect(); // rows 0 1 / 2 3 / 4 5
        let seen = |orientation| {
            let pixels = upright(2, 3, Samples::Rgb8(stored.clone()), orientation);
            let Samples::Rgb8(data) = pixels.data else { panic!("kind changed") };
            (pixels.width, data.chunks(3).map(|p| p[0]).collect::<Vec<_>>())
        };
        assert_eq!(seen(1), (2, vec![0, 1, 2, 3, 4, 5]));
        assert_eq!(seen(2), (2, vec![1, 0, 3, 2, 5, 4]));
        assert_eq!(seen(3), (2, vec![5, 4, 3, 2, 1, 0]));
        assert_eq!(seen(4), (2, vec![4, 5, 2, 3, 0, 1]));
        assert_eq!(seen(5), (3, vec![0, 2, 4, 1, 3, 5]));
        assert_eq!(seen(6), (3, vec![4, 2, 0, 5, 3, 1]));
        assert_eq!(seen(7), (3, vec![5, 3, 1, 4, 2, 0]));
        assert_eq!(seen(8), (3, vec![1, 3, 5, 0, 2, 4]));
    }
}
