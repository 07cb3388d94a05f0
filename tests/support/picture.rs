//! How two pictures are compared.
//!
//! A global similarity of 0.99 passes a picture with a word missing, so four things are looked
//! at, on pictures averaged 2×2 (which evens out how renderers anti-alias an edge):
//!
//! - the mean structural similarity (SSIM) inside every layer's box,
//! - the worst tile of 64 px that has ink in either picture,
//! - the worst shift of a tile's mean colour, which SSIM hardly sees on flat areas,
//! - how far the bounds of the ink lie apart, in pixels of the full picture.
//!
//! SSIM is taken over windows of 8×8 averaged pixels, one every 4 (as video encoders do), on
//! red, green and blue, and the three are averaged.

use image::{Rgb, RgbImage, RgbaImage};
use rayon::prelude::*;
use std::fmt;
use std::path::{Path, PathBuf};

/// A colour of the paper beneath a picture.
pub type Paper = [u8; 3];
/// White.
pub const WHITE: Paper = [255, 255, 255];
/// A paper that no fixture prints in: white and black ink both stand out on it.
pub const GREEN: Paper = [120, 150, 105];

/// Averaged pixels along a tile's side: 64 px of the full picture.
const TILE: usize = 32;
/// Averaged pixels between two windows; a window has twice as many on a side.
const STEP: usize = 4;
/// A channel at least this far from the paper is ink.
const INK: u8 = 48;

/// A rectangle in pixels of the full picture: left, top, right, bottom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PxBox {
    pub x0: f64,
    pub y0: f64,
    pub x1: f64,
    pub y1: f64,
}

impl PxBox {
    pub fn new(x0: f64, y0: f64, x1: f64, y1: f64) -> Self {
        PxBox { x0, y0, x1, y1 }
    }
}

/// What two pictures have to reach to count as alike.
#[derive(Debug, Clone, Copy)]
pub struct Bars {
    /// Mean SSIM inside a layer's box, at least.
    pub layer: f64,
    /// SSIM of an inked tile, at least.
    pub tile: f64,
    /// Levels (of 255) by which a tile's mean colour may differ in a channel, at most.
    pub shift: f64,
    /// Pixels by which the ink's bounds may differ on a side, at most.
    pub bounds: u32,
}

impl Bars {
    /// Our PDF under a foreign renderer against our PNG.
    pub const AGREEMENT: Bars = Bars { layer: 0.99, tile: 0.85, shift: 8.0, bounds: 1 };
}

/// Reads a PNG (or another format that the `image` crate knows) as 8-bit RGBA.
pub fn load(path: &Path) -> RgbaImage {
    let mut reader = image::ImageReader::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    reader.no_limits();
    let reader = reader.with_guessed_format().expect("a readable file");
    reader.decode().unwrap_or_else(|e| panic!("{}: {e}", path.display())).into_rgba8()
}

/// True when no pixel lets the paper through.
pub fn is_opaque(picture: &RgbaImage) -> bool {
    picture.as_raw().par_chunks_exact(4).all(|p| p[3] == 255)
}

/// The picture printed on a paper; colours are mixed as they are encoded.
pub fn flatten(picture: &RgbaImage, paper: Paper) -> RgbImage {
    let mut out = RgbImage::new(picture.width(), picture.height());
    out.par_chunks_exact_mut(3).zip(picture.as_raw().par_chunks_exact(4)).for_each(|(out, p)| {
        let alpha = u32::from(p[3]);
        for c in 0..3 {
            out[c] = ((u32::from(p[c]) * alpha + u32::from(paper[c]) * (255 - alpha) + 127) / 255) as u8;
        }
    });
    out
}

/// Every 2×2 pixels averaged; an odd last column or row is averaged with itself.
pub fn halve(picture: &RgbImage) -> RgbImage {
    let (w, h) = (picture.width() as usize, picture.height() as usize);
    let (hw, hh) = (w.div_ceil(2), h.div_ceil(2));
    let source = picture.as_raw();
    let mut out = vec![0; hw * hh * 3];
    out.par_chunks_exact_mut(hw * 3).enumerate().for_each(|(y, row)| {
        let top = &source[y * 2 * w * 3..][..w * 3];
        let bottom = &source[(y * 2 + 1).min(h - 1) * w * 3..][..w * 3];
        for x in 0..hw {
            let (left, right) = (x * 6, (x * 2 + 1).min(w - 1) * 3);
            for c in 0..3 {
                let sum = u16::from(top[left + c])
                    + u16::from(top[right + c])
                    + u16::from(bottom[left + c])
                    + u16::from(bottom[right + c]);
                row[x * 3 + c] = ((sum + 2) / 4) as u8;
            }
        }
    });
    RgbImage::from_raw(hw as u32, hh as u32, out).expect("as many bytes as pixels")
}

/// The bounds of everything that is not paper: left, top, right, bottom (exclusive).
pub fn ink_bounds(picture: &RgbImage, paper: Paper) -> Option<[u32; 4]> {
    let width = picture.width() as usize * 3;
    let is_ink = |p: &[u8]| (0..3).any(|c| p[c].abs_diff(paper[c]) >= INK);
    picture
        .as_raw()
        .par_chunks_exact(width)
        .enumerate()
        .filter_map(|(y, row)| {
            let left = row.chunks_exact(3).position(is_ink)? as u32;
            let right = row.chunks_exact(3).rposition(is_ink)? as u32 + 1;
            Some([left, y as u32, right, y as u32 + 1])
        })
        .reduce_with(|a, b| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])])
}

/// What a comparison found. Places are in pixels of the full picture.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// Each layer's id and the mean SSIM inside its box, worst first.
    pub layers: Vec<(String, f64)>,
    /// The worst inked tile: left, top, SSIM.
    pub tile: (u32, u32, f64),
    /// The tile whose mean colour moved most: left, top, levels.
    pub shift: (u32, u32, f64),
    /// The ink's bounds in the expected and the actual picture.
    pub ink: [Option<[u32; 4]>; 2],
    /// Both pictures' sizes.
    pub sizes: [(u32, u32); 2],
}

/// Compares two pictures of one size on the same paper, inside the given boxes.
pub fn compare(
    expected: &RgbImage,
    actual: &RgbImage,
    paper: Paper,
    boxes: &[(String, PxBox)],
) -> Comparison {
    let sizes = [expected.dimensions(), actual.dimensions()];
    let ink = [ink_bounds(expected, paper), ink_bounds(actual, paper)];
    if sizes[0] != sizes[1] {
        return Comparison { layers: vec![], tile: (0, 0, 0.0), shift: (0, 0, 255.0), ink, sizes };
    }
    let (a, b) = (halve(expected), halve(actual));
    let map = SsimMap::of(&a, &b);
    let mut layers: Vec<_> = boxes.iter().filter_map(|(id, b)| Some((id.clone(), map.mean(*b)?))).collect();
    layers.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut worst = Comparison { layers, tile: (0, 0, 1.0), shift: (0, 0, 0.0), ink, sizes };
    for (y, x) in
        (0..a.height()).step_by(TILE).flat_map(|y| (0..a.width()).step_by(TILE).map(move |x| (y, x)))
    {
        let tile = Tile::of(&a, &b, paper, x, y);
        if !tile.inked {
            continue;
        }
        let (x0, y0) = (f64::from(x * 2), f64::from(y * 2));
        let side = (TILE * 2) as f64;
        let ssim = map.mean(PxBox::new(x0, y0, x0 + side, y0 + side)).unwrap_or(1.0);
        if ssim < worst.tile.2 {
            worst.tile = (x * 2, y * 2, ssim);
        }
        if tile.shift > worst.shift.2 {
            worst.shift = (x * 2, y * 2, tile.shift);
        }
    }
    worst
}

impl Comparison {
    /// Everything that is below its bar, one line each; empty when the pictures are alike.
    pub fn faults(&self, bars: &Bars) -> Vec<String> {
        let mut faults = Vec::new();
        if self.sizes[0] != self.sizes[1] {
            faults.push(format!("{:?} px became {:?} px", self.sizes[0], self.sizes[1]));
            return faults;
        }
        for (id, ssim) in self.layers.iter().filter(|(_, ssim)| *ssim < bars.layer) {
            faults.push(format!("layer {id}: SSIM {ssim:.4} < {}", bars.layer));
        }
        let (x, y, ssim) = self.tile;
        if ssim < bars.tile {
            faults.push(format!("tile at {x},{y}: SSIM {ssim:.4} < {}", bars.tile));
        }
        let (x, y, levels) = self.shift;
        if levels > bars.shift {
            faults.push(format!("tile at {x},{y}: mean colour off by {levels:.1} > {}", bars.shift));
        }
        let far = match self.ink {
            [Some(a), Some(b)] => (0..4).any(|i| a[i].abs_diff(b[i]) > bars.bounds),
            [a, b] => a != b,
        };
        if far {
            faults.push(format!("ink bounds {:?} became {:?}", self.ink[0], self.ink[1]));
        }
        faults
    }

    /// Panics with every fault and the path of a picture that shows them.
    pub fn assert_alike(&self, name: &str, bars: &Bars, expected: &RgbImage, actual: &RgbImage) {
        let faults = self.faults(bars);
        if !faults.is_empty() {
            let strip = save_strip(name, expected, actual);
            panic!("{name} differs:\n  {}\n  see {}", faults.join("\n  "), strip.display());
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let worst = self.layers.first().map_or(("-", 1.0), |(id, ssim)| (id.as_str(), *ssim));
        let (tile, shift) = (self.tile.2, self.shift.2);
        write!(f, "worst layer {} {:.4}, worst tile {tile:.4}, worst shift {shift:.1}", worst.0, worst.1)
    }
}

/// Writes expected | difference | actual, side by side, at most 1,500 px each, below the
/// target folder, and says where.
pub fn save_strip(name: &str, expected: &RgbImage, actual: &RgbImage) -> PathBuf {
    let longest = [expected, actual].map(|p| p.width().max(p.height())).into_iter().max().unwrap_or(1);
    let shrink = longest.div_ceil(1500).max(1);
    let small = |p: &RgbImage| {
        let (w, h) = (p.width().div_ceil(shrink), p.height().div_ceil(shrink));
        image::imageops::thumbnail(p, w.max(1), h.max(1))
    };
    let (e, a) = (small(expected), small(actual));
    let (w, h) = (e.width().max(a.width()), e.height().max(a.height()));
    let mut strip = RgbImage::from_pixel(w * 3 + 20, h, Rgb([255, 0, 255]));
    image::imageops::replace(&mut strip, &e, 0, 0);
    image::imageops::replace(&mut strip, &a, i64::from(w) * 2 + 20, 0);
    for y in 0..h {
        for x in 0..w {
            let (Some(p), Some(q)) = (e.get_pixel_checked(x, y), a.get_pixel_checked(x, y)) else { continue };
            let far = (0..3).map(|c| 255 - p[c].abs_diff(q[c]).saturating_mul(3));
            let far: Vec<u8> = far.collect();
            strip.put_pixel(w + 10 + x, y, Rgb([far[0], far[1], far[2]]));
        }
    }
    let folder =
        option_env!("CARGO_TARGET_TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from).join("differences");
    std::fs::create_dir_all(&folder).expect("a folder below target");
    let file: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let path = folder.join(format!("{file}.png"));
    strip.save(&path).expect("a writable folder");
    path
}

/// SSIM of every window, averaged over the channels.
struct SsimMap {
    columns: usize,
    rows: usize,
    values: Vec<f32>,
}

/// Sums over one block of STEP×STEP pixels in one channel: a, b, a² + b², a·b.
type Sums = [u32; 4];

impl SsimMap {
    fn of(a: &RgbImage, b: &RgbImage) -> SsimMap {
        let (w, h) = (a.width() as usize, a.height() as usize);
        let (block_columns, block_rows) = (w.div_ceil(STEP), h.div_ceil(STEP));
        let blocks: Vec<[Sums; 3]> = (0..block_rows)
            .into_par_iter()
            .flat_map_iter(|row| {
                (0..block_columns).map(move |column| block_sums(a.as_raw(), b.as_raw(), (w, h), column, row))
            })
            .collect();
        // A picture smaller than one window is one window.
        let (columns, rows) = ((block_columns.max(2)) - 1, (block_rows.max(2)) - 1);
        let block =
            |x: usize, y: usize| &blocks[y.min(block_rows - 1) * block_columns + x.min(block_columns - 1)];
        let values = (0..rows)
            .into_par_iter()
            .flat_map_iter(|y| {
                (0..columns).map(move |x| {
                    let four = [block(x, y), block(x + 1, y), block(x, y + 1), block(x + 1, y + 1)];
                    (0..3).map(|c| window_ssim(four.map(|sums| sums[c]))).sum::<f32>() / 3.0
                })
            })
            .collect();
        SsimMap { columns, rows, values }
    }

    /// Mean over the windows whose middle lies in the box; over the one nearest to its middle
    /// when there is none. Nothing when the box lies outside the picture.
    fn mean(&self, at: PxBox) -> Option<f64> {
        let unit = (STEP * 2) as f64;
        let first = |edge: f64| ((edge / unit - 1.0).ceil().max(0.0)) as usize;
        let last =
            |edge: f64, count: usize| ((edge / unit).ceil().max(0.0) as usize).saturating_sub(1).min(count);
        if at.x1 <= 0.0 || at.y1 <= 0.0 || first(at.x0) > self.columns || first(at.y0) > self.rows {
            return None;
        }
        let clamp = |from: usize, to: usize, count: usize| {
            let from = from.min(count - 1);
            (from, to.clamp(from + 1, count))
        };
        let (x0, x1) = clamp(first(at.x0), last(at.x1, self.columns), self.columns);
        let (y0, y1) = clamp(first(at.y0), last(at.y1, self.rows), self.rows);
        let sum: f64 = (y0..y1)
            .map(|y| {
                let row = &self.values[y * self.columns..][x0..x1];
                row.iter().map(|v| f64::from(*v)).sum::<f64>()
            })
            .sum();
        Some(sum / ((x1 - x0) * (y1 - y0)) as f64)
    }
}

/// Sums of one block, for each channel; pixels beyond the edge repeat the last ones.
fn block_sums(a: &[u8], b: &[u8], (w, h): (usize, usize), column: usize, row: usize) -> [Sums; 3] {
    let mut sums = [[0; 4]; 3];
    for y in row * STEP..(row + 1) * STEP {
        let line = y.min(h - 1) * w;
        for x in column * STEP..(column + 1) * STEP {
            let at = (line + x.min(w - 1)) * 3;
            for (c, sum) in sums.iter_mut().enumerate() {
                let (p, q) = (u32::from(a[at + c]), u32::from(b[at + c]));
                sum[0] += p;
                sum[1] += q;
                sum[2] += p * p + q * q;
                sum[3] += p * q;
            }
        }
    }
    sums
}

/// SSIM of the window made of four blocks, with the customary constants (0.01 and 0.03 of 255).
fn window_ssim(blocks: [Sums; 4]) -> f32 {
    const C1: f64 = (0.01 * 255.0) * (0.01 * 255.0);
    const C2: f64 = (0.03 * 255.0) * (0.03 * 255.0);
    let n = (STEP * STEP * 4) as f64;
    let total = |i: usize| blocks.iter().map(|b| f64::from(b[i])).sum::<f64>() / n;
    let (ma, mb) = (total(0), total(1));
    let variances = total(2) - ma * ma - mb * mb;
    let covariance = total(3) - ma * mb;
    let luminance = (2.0 * ma * mb + C1) / (ma * ma + mb * mb + C1);
    let structure = (2.0 * covariance + C2) / (variances + C2);
    (luminance * structure) as f32
}

/// What is looked at in one tile of the averaged pictures.
struct Tile {
    inked: bool,
    shift: f64,
}

impl Tile {
    fn of(a: &RgbImage, b: &RgbImage, paper: Paper, x0: u32, y0: u32) -> Tile {
        let (w, h) = (a.width() as usize, a.height() as usize);
        let (x0, y0) = (x0 as usize, y0 as usize);
        let (x1, y1) = ((x0 + TILE).min(w), (y0 + TILE).min(h));
        let (mut inked, mut sums) = (false, [0_i64; 3]);
        for y in y0..y1 {
            let range = (y * w + x0) * 3..(y * w + x1) * 3;
            for (p, q) in a.as_raw()[range.clone()].chunks_exact(3).zip(b.as_raw()[range].chunks_exact(3)) {
                for c in 0..3 {
                    // Faint ink counts: a tile is left out only when both show bare paper.
                    inked |= p[c].abs_diff(paper[c]).max(q[c].abs_diff(paper[c])) > 2;
                    sums[c] += i64::from(p[c]) - i64::from(q[c]);
                }
            }
        }
        let count = ((x1 - x0) * (y1 - y0)) as f64;
        let shift = sums.iter().map(|s| s.unsigned_abs()).max().unwrap_or(0) as f64 / count;
        Tile { inked, shift }
    }
}
