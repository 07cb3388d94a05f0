//! Rows of pixels become deflate blocks: filtered as PNG does it, and packed by what they hold.
//!
//! A band of rows is packed by itself and knows nothing of the rows above it, so that bands are made
//! side by side and join into one stream. Photographs get Huffman codes without a search for matches,
//! repetitive and flat art gets a search for matches: a quick one in PNGs, zlib's in the pictures of PDFs.

use super::huffman;
use super::matches::{Finder, Search};
use super::png_filter::{Filter, filter_row};
use crate::error::{Code, Violation};
use flate2::{Compress, Compression, FlushCompress};
use zlib_rs::adler32::adler32;

/// Levels of zlib for a file that the quick searches leave too large.
const LEVELS: [u32; 2] = [6, 9];
/// Rows that a band's packing is chosen by.
const SAMPLE_ROWS: usize = 4;
/// Bytes of each of them.
const SAMPLE_BYTES: usize = 8_192;
/// Rows that share Huffman codes, at least. They are filtered, counted and packed while they are in
/// the processor's cache.
const GROUP_ROWS: usize = 16;
/// Bytes that share Huffman codes, at least: fewer do not make up for the codes' own description.
const GROUP_BYTES: usize = 32_768;

/// How rows are laid out, and what they may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    /// Bytes of a row, without its filter's tag.
    pub(crate) row_bytes: usize,
    /// Bytes of a pixel.
    pub(crate) bpp: usize,
    /// Most bytes that a number of rows may take, together.
    pub(crate) most: Option<(u64, u64)>,
    /// Where rows take more than their share of it, zlib's best is tried.
    pub(crate) hard: bool,
    /// Where a search for matches pays, zlib's of this level takes the place of the quick one, which is
    /// made for large canvases.
    pub(crate) level: Option<u32>,
}

impl Layout {
    /// What rows may take of a limited file.
    fn share(&self, rows: usize) -> Option<u64> {
        self.most.map(|(bytes, of)| bytes * rows as u64 / of)
    }

    fn is_limited(&self) -> bool {
        self.hard && self.most.is_some()
    }
}

/// Buffers that packing takes, kept from band to band.
#[derive(Debug, Default)]
pub(crate) struct Room {
    above: Vec<u8>,
    row: Vec<u8>,
    filtered: Vec<u8>,
    finder: Finder,
}

/// How a band is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Way {
    filter: Filter,
    /// Without one, Huffman codes only.
    search: Option<Search>,
}

impl Room {
    /// Packs rows behind what `out` holds: the zlib stream's next blocks, ending on a byte. `raw` writes
    /// a row's bytes. Gives the checksum of what the blocks hold: the rows, each with a tag.
    ///
    /// # Errors
    /// `internal.error` where zlib fails.
    pub(crate) fn pack(
        &mut self,
        layout: &Layout,
        rows: usize,
        raw: &dyn Fn(usize, &mut [u8]),
        out: &mut Vec<u8>,
    ) -> Result<u32, Violation> {
        let way = self.choose(layout, rows, raw);
        let begun = out.len();
        let Room { above, row, filtered, finder } = self;
        above.clear();
        row.resize(layout.row_bytes, 0);
        filtered.clear();
        let mut sum = 1;
        let group = GROUP_ROWS.max(GROUP_BYTES.div_ceil(layout.row_bytes + 1));
        for first in (0..rows).step_by(group) {
            let at = filtered.len();
            for y in first..(first + group).min(rows) {
                raw(y, row);
                filter_row(way.filter, row, above, layout.bpp, filtered);
                above.resize(layout.row_bytes, 0);
                std::mem::swap(above, row);
            }
            let group = &filtered[at..];
            sum = adler32(sum, group);
            if way.search.is_none() {
                huffman::compress(group, out);
                if !layout.is_limited() {
                    filtered.clear();
                }
            }
        }
        match (way.search, layout.level) {
            // Few colours, as they are: what is filtered repeats by chance, and gains little by it.
            (Some(_), Some(level)) if way.filter == Filter::None => zlib(filtered, level, out)?,
            (Some(search), _) => {
                finder.compress(filtered, (layout.row_bytes + 1, layout.bpp), search, out);
            }
            (None, _) => {}
        }
        if let Some(share) = layout.share(rows).filter(|_| layout.is_limited()) {
            for level in LEVELS {
                if (out.len() - begun) as u64 <= share {
                    break;
                }
                let mut harder = out[..begun].to_vec();
                zlib(filtered, level, &mut harder)?;
                if harder.len() < out.len() {
                    *out = harder;
                }
            }
        }
        Ok(sum)
    }

    /// Chooses by packing a part of a few rows from the band's middle in each way.
    fn choose(&mut self, layout: &Layout, rows: usize, raw: &dyn Fn(usize, &mut [u8])) -> Way {
        let Room { above, row, filtered: sample, finder } = self;
        let Layout { row_bytes, bpp, .. } = *layout;
        let first = (rows / 2).saturating_sub(SAMPLE_ROWS / 2);
        let width = row_bytes.min(SAMPLE_BYTES / bpp * bpp);
        let left = (row_bytes - width) / 2 / bpp * bpp;
        let rows = SAMPLE_ROWS.min(rows - first);
        // The rows, one after the other.
        above.clear();
        row.resize(row_bytes, 0);
        for y in first..first + rows {
            raw(y, row);
            above.extend_from_slice(&row[left..left + width]);
        }
        let raw: &[u8] = above;
        let filter_all = |filter: Filter, sample: &mut Vec<u8>| {
            sample.clear();
            let mut above: &[u8] = &[];
            for row in raw.chunks_exact(width) {
                filter_row(filter, row, above, bpp, sample);
                above = row;
            }
        };
        let mut best = (usize::MAX, Filter::None);
        for filter in Filter::ALL {
            filter_all(filter, sample);
            best = best.min_by_size((huffman::estimate(sample), filter));
        }
        let (plain, filter) = best;
        let mut packed = Vec::new();
        let mut searched = |filter: Filter, search: Search| {
            filter_all(filter, sample);
            packed.clear();
            finder.compress(sample, (width + 1, bpp), search, &mut packed);
            packed.len()
        };
        let mut found = (searched(filter, Search::Long), filter);
        // What zlib would find, the finer search finds too, or nearly.
        let bare = if layout.level.is_some() { Search::Short } else { Search::Long };
        if filter != Filter::None || bare == Search::Short {
            found = found.min_by_size((searched(Filter::None, bare), Filter::None));
        }
        // Searching is slower: it has to give at least a sixth.
        let way = if found.0 < plain - plain / 6 {
            Way { filter: found.1, search: Some(Search::Long) }
        } else {
            Way { filter, search: None }
        };
        let share = layout.share(rows).map(|share| share as usize * width / row_bytes);
        if share.is_none_or(|share| found.0.min(plain) < share - share / 8) {
            return way;
        }
        let finer = |filter| (searched(filter, Search::Short), filter);
        let best = Filter::ALL.map(finer).into_iter().reduce(MinBySize::min_by_size);
        match best {
            Some((size, filter)) if size < found.0.min(plain) => Way { filter, search: Some(Search::Short) },
            Some(_) | None => way,
        }
    }
}

/// The smaller of two sizes, the first where they are equal.
trait MinBySize {
    fn min_by_size(self, other: Self) -> Self;
}

impl MinBySize for (usize, Filter) {
    fn min_by_size(self, other: Self) -> Self {
        if other.0 < self.0 { other } else { self }
    }
}

/// Deflates with a search for matches, ending on a byte without ending the stream.
fn zlib(data: &[u8], level: u32, out: &mut Vec<u8>) -> Result<(), Violation> {
    let mut deflate = Compress::new(Compression::new(level), false);
    let failed =
        || Violation::new(Code::InternalError, "a picture could not be compressed; please report it");
    loop {
        out.reserve(data.len() / 8 + 1024);
        let taken = deflate.total_in() as usize;
        deflate.compress_vec(&data[taken..], out, FlushCompress::Sync).map_err(|_| failed())?;
        if deflate.total_in() as usize == data.len() && out.len() < out.capacity() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn noise(seed: &mut u32) -> u8 {
        *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*seed >> 24) as u8
    }

    #[test]
    fn repetitive_rows_get_a_search_and_photographs_only_where_they_must() {
        let mut seed = 1;
        let (width, height) = (2000, 32);
        let tile: Vec<[u8; 4]> =
            (0..200).map(|_| [noise(&mut seed), noise(&mut seed), noise(&mut seed), 255]).collect();
        let tiled: Vec<u8> = tile.iter().copied().cycle().take(width * height).flatten().collect();
        // Grey noise: single pixels of differences repeat, pairs of them hardly ever.
        let photo: Vec<u8> = (0..width * height)
            .flat_map(|_| {
                let grey = noise(&mut seed).min(253);
                [grey, grey + 1, grey + 2, 255]
            })
            .collect();
        let search = |pixels: &[u8], max_bytes: Option<u64>| {
            let layout = Layout {
                row_bytes: width * 4,
                bpp: 4,
                most: max_bytes.map(|max| (max, 32)),
                hard: false,
                level: None,
            };
            let raw =
                |y: usize, row: &mut [u8]| row.copy_from_slice(&pixels[y * width * 4..(y + 1) * width * 4]);
            Room::default().choose(&layout, height, &raw).search
        };
        assert_eq!(search(&tiled, None), Some(Search::Long));
        assert_eq!(search(&photo, None), None);
        assert_eq!(search(&photo, Some(1_000_000)), None);
        assert_eq!(search(&photo, Some(50_000)), Some(Search::Short));
    }

    #[test]
    fn a_texture_of_few_colours_is_searched_by_zlib_where_that_is_asked_for() {
        let mut seed = 5;
        let (width, height) = (640, 64);
        let colours: Vec<[u8; 3]> =
            (0..40).map(|_| [noise(&mut seed), noise(&mut seed), noise(&mut seed)]).collect();
        let pixels: Vec<u8> =
            (0..width * height).flat_map(|_| colours[usize::from(noise(&mut seed)) % 40]).collect();
        let raw = |y: usize, row: &mut [u8]| row.copy_from_slice(&pixels[y * width * 3..(y + 1) * width * 3]);
        let packed = |level| {
            let layout = Layout { row_bytes: width * 3, bpp: 3, most: None, hard: false, level };
            let mut out = Vec::new();
            Room::default().pack(&layout, height, &raw, &mut out).unwrap();
            out.len()
        };
        let mut whole = flate2::write::DeflateEncoder::new(Vec::new(), Compression::new(6));
        std::io::Write::write_all(&mut whole, &pixels).unwrap();
        let whole = whole.finish().unwrap().len();
        assert!(packed(Some(6)) < whole + whole / 50, "{} {whole}", packed(Some(6)));
    }

    #[test]
    fn narrow_rows_share_their_codes() {
        let mut seed = 3;
        let (width, height) = (20, 300);
        // Soft noise, which needs codes and no search.
        let pixels: Vec<u8> = (0..width * height).map(|_| noise(&mut seed) & 15).collect();
        let raw = |y: usize, row: &mut [u8]| row.copy_from_slice(&pixels[y * width..(y + 1) * width]);
        let layout = Layout { row_bytes: width, bpp: 1, most: None, hard: false, level: None };
        let mut out = Vec::new();
        let sum = Room::default().pack(&layout, height, &raw, &mut out).unwrap();
        // Four bits a byte, and one description of the codes.
        assert!(out.len() < width * height * 5 / 8 + 200, "{}", out.len());
        out.extend_from_slice(&[3, 0]);
        let mut back = Vec::new();
        flate2::read::DeflateDecoder::new(out.as_slice()).read_to_end(&mut back).unwrap();
        assert_eq!(back.len(), (width + 1) * height);
        assert_eq!(adler32(1, &back), sum);
    }
}
