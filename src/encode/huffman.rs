//! A fast deflate block for filtered photographs: Huffman codes made for the block, and runs
//! of zeros, but no other matches.
//!
//! Filtered photographs hardly repeat, so looking for matches costs much and finds little;
//! large transparent areas become runs of zeros.

use super::prefix::{Bits, END, LONGEST, MAX_CODE, SYMBOLS, canonical, code_lengths, header, length_symbol};

/// Runs of zeros below this are cheaper as literals.
const MIN_RUN: usize = 6;

/// A piece of the input.
enum Token<'a> {
    /// Bytes as they are.
    Literals(&'a [u8]),
    /// A run of zeros, at least [`MIN_RUN`].
    Zeros(usize),
}

/// Compresses `data` into one block and an empty stored block that ends on a byte.
pub(super) fn compress(data: &[u8], out: &mut Vec<u8>) {
    let mut counts = count(data);
    counts[END] += 1;
    let lengths = code_lengths(&counts, MAX_CODE);
    let codes = canonical(&lengths);
    let mut bits = Bits::new(out);
    // One distance, 1, of a single zero bit.
    header(&lengths, &[1], &mut bits);
    // Lengths have five extra bits at most, and the distance's bit.
    let coded: usize = counts.iter().zip(&lengths).map(|(n, l)| *n as usize * usize::from(*l)).sum::<usize>()
        + counts[END..].iter().map(|n| *n as usize * 6).sum::<usize>();
    bits.room(coded / 8 + 64);
    tokens(data, |token| match token {
        Token::Literals(bytes) => bits.literals(bytes, &codes),
        Token::Zeros(run) => {
            bits.word(codes[0]);
            matches(run - 1, |length| {
                let (symbol, extra, extra_bits) = length_symbol(length);
                bits.word(codes[symbol]);
                bits.add(extra, extra_bits);
                bits.put(0, 1);
            });
        }
    });
    bits.word(codes[END]);
    bits.drain();
    bits.finish();
}

/// How many bytes `compress` would give, roughly and without writing them.
pub(super) fn estimate(data: &[u8]) -> usize {
    let counts = count(data);
    let lengths = code_lengths(&counts, MAX_CODE);
    let bits: u64 = counts.iter().zip(&lengths).map(|(n, l)| u64::from(*n) * u64::from(*l)).sum();
    (bits / 8) as usize
}

fn count(data: &[u8]) -> Vec<u32> {
    let mut counts = vec![0u32; SYMBOLS];
    let mut literals = Histogram::default();
    tokens(data, |token| match token {
        Token::Literals(bytes) => literals.add(bytes),
        Token::Zeros(run) => {
            counts[0] += 1;
            matches(run - 1, |length| counts[length_symbol(length).0] += 1);
        }
    });
    literals.sum(&mut counts);
    counts
}

/// How often each byte occurs. Four tables, taken in turn: equal neighbours do not wait for each
/// other.
#[derive(Debug)]
pub(super) struct Histogram([[u32; 256]; 4]);

impl Default for Histogram {
    fn default() -> Self {
        Histogram([[0; 256]; 4])
    }
}

impl Histogram {
    /// Counts bytes.
    #[inline]
    pub(super) fn add(&mut self, bytes: &[u8]) {
        let (fours, rest) = bytes.as_chunks::<4>();
        for four in fours {
            for (table, byte) in self.0.iter_mut().zip(four) {
                table[usize::from(*byte)] += 1;
            }
        }
        for byte in rest {
            self.0[0][usize::from(*byte)] += 1;
        }
    }

    /// Adds what was counted.
    pub(super) fn sum(&self, counts: &mut [u32]) {
        for table in &self.0 {
            for (sum, n) in counts.iter_mut().zip(table) {
                *sum += n;
            }
        }
    }
}

/// Splits the input into literals and runs of zeros.
fn tokens<'a>(data: &'a [u8], mut take: impl FnMut(Token<'a>)) {
    let mut start = 0;
    let mut at = 0;
    while at + 8 <= data.len() {
        // Eight bytes at a time: only aligned eights of zeros begin a run.
        if data[at..at + 8] != [0; 8] {
            at += 8;
            continue;
        }
        let before = data[start..at].iter().rev().take_while(|b| **b == 0).count();
        let begin = at - before;
        let mut end = at + 8;
        while end + 32 <= data.len() && data[end..end + 32] == [0; 32] {
            end += 32;
        }
        end += data[end..].iter().take_while(|b| **b == 0).count();
        if begin > start {
            take(Token::Literals(&data[start..begin]));
        }
        debug_assert!(end - begin >= MIN_RUN);
        take(Token::Zeros(end - begin));
        start = end;
        at = end;
    }
    if start < data.len() {
        take(Token::Literals(&data[start..]));
    }
}

/// Splits a run into match lengths of 3 to 258.
fn matches(mut run: usize, mut take: impl FnMut(usize)) {
    while run > 0 {
        // What stays behind must be long enough for a match, too.
        let length = if run > LONGEST && run < LONGEST + 3 { run - 3 } else { run.min(LONGEST) };
        take(length);
        run -= length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn round_trip(data: &[u8]) -> usize {
        let mut out = Vec::new();
        compress(data, &mut out);
        let size = out.len();
        out.extend_from_slice(&[3, 0]);
        let mut back = Vec::new();
        flate2::read::DeflateDecoder::new(out.as_slice()).read_to_end(&mut back).unwrap();
        assert!(back == data, "{} bytes", data.len());
        size
    }

    #[test]
    fn an_inflater_reads_every_shape_of_input() {
        let mut seed = 1u32;
        let mut noise = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        };
        assert!(round_trip(&[]) < 100);
        assert!(round_trip(&[7]) < 200);
        for run in
            [5, 6, 7, 8, 9, 15, 16, 40, 256, 259, 260, 261, 262, 263, 264, 518, 519, 520, 521, 522, 5000]
        {
            round_trip(&vec![0; run]);
            let mut data: Vec<u8> = (0..33).map(|_| noise()).collect();
            data.extend(vec![0; run]);
            data.extend((0..21).map(|_| noise()));
            round_trip(&data);
        }
        // Very uneven counts: the code's depth meets its limit.
        let mut skewed = Vec::new();
        for i in 0..20u32 {
            skewed.extend(vec![i as u8 + 1; 1 << i]);
        }
        round_trip(&skewed);
        let flat: Vec<u8> = (0..100_000).map(|_| noise()).collect();
        assert!(round_trip(&flat) < 100_400);
        let small: Vec<u8> = (0..100_000).map(|_| noise() & 3).collect();
        // Five symbols with the block's end: one of the four common ones takes a third bit.
        assert!(round_trip(&small) < 28_300);
    }
}
