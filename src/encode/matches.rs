//! Deflate blocks with a quick search for matches, pixel by pixel.
//!
//! Art repeats by whole pixels, so only places a whole number of pixels into a row are looked up,
//! which is a third or a quarter of what a byte-wise search does. The last place where the same
//! pixels stood is all that is remembered: tiled and flat art needs no more. Where a file's size is
//! limited, single pixels are matched too: filtered photographs repeat few whole rows but many
//! single pixels.

use super::huffman::Histogram;
use super::prefix::{
    Bits, DISTANCES, END, LONGEST, MAX_CODE, MAX_DISTANCE_CODE, SYMBOLS, Word, canonical, code_lengths,
    distance_symbol, header, length_symbol,
};

/// How far back a match may lie.
const WINDOW: usize = 32_768;
/// Places remembered, as a power of two.
const PLACES: u32 = 14;
/// Matches of one block.
const BLOCK: usize = 1 << 15;
/// Bits of a match at most: two words and their extra bits.
const MATCH_BITS: usize = MAX_CODE + 5 + MAX_DISTANCE_CODE + 13;

/// Which matches are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Search {
    /// Eight bytes and longer: repetitive and flat art.
    Long,
    /// Four bytes and longer, half as fast: photographs too.
    Short,
}

/// Literals, and what is matched behind them.
#[derive(Debug, Clone, Copy)]
struct Token {
    literals: u32,
    /// 0 at the end of the data.
    length: u16,
    /// Less one.
    distance: u16,
}

/// Room for a search, kept from use to use.
#[derive(Debug, Default)]
pub(super) struct Finder {
    tokens: Vec<Token>,
    places: Vec<u32>,
}

impl Finder {
    /// Compresses filtered rows of `stride` bytes, each a tag and pixels of `bpp` bytes, into blocks
    /// that end on a byte.
    pub(super) fn compress(
        &mut self,
        data: &[u8],
        (stride, bpp): (usize, usize),
        search: Search,
        out: &mut Vec<u8>,
    ) {
        match search {
            Search::Long => self.find::<8>(data, stride, bpp),
            Search::Short => self.find::<4>(data, stride, bpp),
        }
        let mut bits = Bits::new(out);
        let mut at = 0;
        for block in self.tokens.chunks(BLOCK) {
            at = write(block, data, at, &mut bits);
        }
        bits.finish();
    }

    /// Fills `tokens`; matches have at least `LEAST` bytes.
    fn find<const LEAST: usize>(&mut self, data: &[u8], stride: usize, bpp: usize) {
        self.tokens.clear();
        self.places.clear();
        self.places.resize(1 << PLACES, u32::MAX);
        let Finder { tokens, places } = self;
        let Some(places) = places.first_chunk_mut::<{ 1 << PLACES }>() else { return };
        // Where the literals under way began.
        let mut begun = 0;
        for row in (0..data.len()).step_by(stride) {
            let end = (row + stride).min(data.len());
            let mut at = row + 1;
            while at + 8 <= end {
                let next = eight(data, at) << (64 - LEAST * 8);
                let place = &mut places[(next.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - PLACES)) as usize];
                let seen = *place as usize;
                *place = at as u32;
                if seen < at && at - seen <= WINDOW && eight(data, seen) << (64 - LEAST * 8) == next {
                    let same = common(&data[seen..], &data[at..end]);
                    // The next look-up has to begin at a pixel.
                    let length = same - same % bpp;
                    if length >= LEAST {
                        push(at - begun, length, at - seen, tokens);
                        at += length;
                        begun = at;
                        continue;
                    }
                }
                at += bpp;
            }
        }
        if begun < data.len() {
            tokens.push(Token { literals: (data.len() - begun) as u32, length: 0, distance: 0 });
        }
    }
}

/// A match, in pieces that deflate has lengths for.
fn push(literals: usize, mut length: usize, distance: usize, tokens: &mut Vec<Token>) {
    let mut literals = literals as u32;
    while length > 0 {
        let piece = if length > LONGEST && length < LONGEST + 3 { length - 3 } else { length.min(LONGEST) };
        tokens.push(Token { literals, length: piece as u16, distance: (distance - 1) as u16 });
        literals = 0;
        length -= piece;
    }
}

/// Eight bytes as a number, the first lowest.
#[inline(always)]
fn eight(data: &[u8], at: usize) -> u64 {
    data[at..].first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// How many bytes both begin with, at most all of `there`.
#[inline]
fn common(here: &[u8], there: &[u8]) -> usize {
    let (left, _) = here[..there.len()].as_chunks::<8>();
    let (right, rest) = there.as_chunks::<8>();
    for (n, (a, b)) in left.iter().zip(right).enumerate() {
        let differs = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differs != 0 {
            return n * 8 + (differs.trailing_zeros() / 8) as usize;
        }
    }
    let done = there.len() - rest.len();
    done + here[done..].iter().zip(rest).take_while(|(a, b)| a == b).count()
}

/// Writes one block, whose data begin at `at`; gives where they end.
fn write(block: &[Token], data: &[u8], at: usize, bits: &mut Bits<'_>) -> usize {
    let mut counts = [0u32; SYMBOLS];
    let mut far = [0u32; DISTANCES];
    let mut literals = Histogram::default();
    let mut end = at;
    for token in block {
        literals.add(&data[end..end + token.literals as usize]);
        end += token.literals as usize + usize::from(token.length);
        if token.length > 0 {
            counts[length_symbol(usize::from(token.length)).0] += 1;
            far[distance_symbol(usize::from(token.distance)).0] += 1;
        }
    }
    literals.sum(&mut counts);
    counts[END] = 1;
    let lengths = code_lengths(&counts, MAX_CODE);
    let distances = if far.iter().all(|n| *n == 0) { vec![1] } else { code_lengths(&far, MAX_DISTANCE_CODE) };
    header(&lengths, &distances, bits);
    let coded: usize = counts[..END].iter().zip(&lengths).map(|(n, l)| *n as usize * usize::from(*l)).sum();
    bits.room((coded + block.len() * MATCH_BITS) / 8 + 64);
    let codes = canonical(&lengths);
    let mut places = [Word::default(); DISTANCES];
    for (place, word) in places.iter_mut().zip(canonical(&distances)) {
        *place = word;
    }
    let mut at = at;
    for token in block {
        bits.literals(&data[at..at + token.literals as usize], &codes);
        at += token.literals as usize + usize::from(token.length);
        if token.length > 0 {
            // At most 45 bits, and fewer than 8 from before.
            let (symbol, extra, extra_bits) = length_symbol(usize::from(token.length));
            bits.word(codes[symbol]);
            bits.add(extra, extra_bits);
            let (symbol, extra, extra_bits) = distance_symbol(usize::from(token.distance));
            bits.word(places[symbol]);
            bits.put(extra, extra_bits);
        }
    }
    bits.word(codes[END]);
    bits.drain();
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn noise(seed: &mut u32) -> u8 {
        *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*seed >> 24) as u8
    }

    fn round_trip(data: &[u8], stride: usize, bpp: usize, search: Search) -> usize {
        let mut out = Vec::new();
        let mut finder = Finder::default();
        // What a finder did before leaves no trace.
        finder.compress(&[9; 400], (stride, bpp), search, &mut Vec::new());
        finder.compress(data, (stride, bpp), search, &mut out);
        let size = out.len();
        out.extend_from_slice(&[3, 0]);
        let mut back = Vec::new();
        flate2::read::DeflateDecoder::new(out.as_slice()).read_to_end(&mut back).unwrap();
        assert!(back == data, "{} bytes, stride {stride}, {search:?}", data.len());
        size
    }

    #[test]
    fn an_inflater_reads_every_shape_of_rows() {
        let mut seed = 5;
        for search in [Search::Long, Search::Short] {
            for bpp in [1, 2, 3, 4, 6, 8] {
                for pixels in [1, 2, 3, 7, 64, 65, 66, 87, 300, 9000] {
                    let stride = 1 + pixels * bpp;
                    round_trip(&vec![0; stride * 3], stride, bpp, search);
                    let mut tile: Vec<u8> = (0..stride).map(|_| noise(&mut seed)).collect();
                    let mut data = tile.repeat(3);
                    tile.reverse();
                    data.extend_from_slice(&tile);
                    round_trip(&data, stride, bpp, search);
                    let few: Vec<u8> = (0..stride * 4).map(|_| noise(&mut seed) & 1).collect();
                    round_trip(&few, stride, bpp, search);
                }
            }
        }
        round_trip(&[], 5, 4, Search::Long);
    }

    #[test]
    fn what_lies_beyond_the_window_is_not_matched() {
        let mut seed = 7;
        let stride = 1 + 4 * 10_000;
        let row: Vec<u8> = (0..stride).map(|_| noise(&mut seed)).collect();
        assert!(round_trip(&row.repeat(2), stride, 4, Search::Short) > stride * 2 - 2000);
        let stride = 1 + 4 * 8_000;
        assert!(round_trip(&row[..stride].repeat(2), stride, 4, Search::Short) < stride + 2000);
    }

    #[test]
    fn blocks_of_many_matches_join() {
        let mut seed = 3;
        // Pairs of pixels out of a few: more matches than one block holds.
        let words: Vec<[u8; 8]> = (0..600).map(|_| std::array::from_fn(|_| noise(&mut seed))).collect();
        let mut data = Vec::new();
        for i in 0..80_000usize {
            if i % 1000 == 0 {
                data.push(2);
            }
            data.extend_from_slice(&words[(usize::from(noise(&mut seed)) * 5 + i % 3) % 600]);
        }
        assert!(round_trip(&data, 8001, 4, Search::Long) < data.len() / 2);
    }
}
