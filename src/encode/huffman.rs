//! A fast deflate block for filtered photographs: Huffman codes made for the block, and runs
//! of zeros, but no other matches.
//!
//! Filtered photographs hardly repeat, so looking for matches costs much and finds little;
//! large transparent areas become runs of zeros. The block is not final and ends on a byte, so
//! that blocks made side by side can be joined into one stream.

/// The symbol that ends a block.
const END: usize = 256;
/// Literals, the end, and lengths.
const SYMBOLS: usize = 286;
/// Longest code of a literal or length; short enough for four to fit the bit buffer.
const MAX_CODE: usize = 12;
/// Runs of zeros below this are cheaper as literals.
const MIN_RUN: usize = 6;
/// In which order deflate lists the lengths of the code lengths' codes.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

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
    let mut bits = Bits { out, buffer: 0, used: 0 };
    header(&lengths, &mut bits);
    tokens(data, |token| match token {
        Token::Literals(bytes) => {
            for four in bytes.chunks(4) {
                for byte in four {
                    let (code, length) = codes[usize::from(*byte)];
                    bits.add(code, length);
                }
                bits.drain();
            }
        }
        Token::Zeros(run) => {
            let (code, length) = codes[0];
            bits.put(code, length);
            matches(run - 1, |length| {
                let (symbol, extra, extra_bits) = length_symbol(length);
                let (code, code_length) = codes[symbol];
                bits.add(code, code_length);
                bits.add(extra, extra_bits);
                // Distance 1: the one distance code, a single zero bit.
                bits.put(0, 1);
            });
        }
    });
    let (code, length) = codes[END];
    bits.put(code, length);
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
    // Two tables, taken in turn: equal neighbours do not wait for each other.
    let (mut even, mut odd) = (vec![0u32; SYMBOLS], [0u32; 256]);
    tokens(data, |token| match token {
        Token::Literals(bytes) => {
            let mut pairs = bytes.chunks_exact(2);
            for pair in &mut pairs {
                even[usize::from(pair[0])] += 1;
                odd[usize::from(pair[1])] += 1;
            }
            for byte in pairs.remainder() {
                even[usize::from(*byte)] += 1;
            }
        }
        Token::Zeros(run) => {
            even[0] += 1;
            matches(run - 1, |length| even[length_symbol(length).0] += 1);
        }
    });
    for (sum, n) in even.iter_mut().zip(odd) {
        *sum += n;
    }
    even
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
        let length = if run > 258 && run < 261 { run - 3 } else { run.min(258) };
        take(length);
        run -= length;
    }
}

/// Symbol, extra bits and their number, of a match length.
fn length_symbol(length: usize) -> (usize, u64, u32) {
    match length {
        258 => (285, 0, 0),
        3..=10 => (254 + length, 0, 0),
        _ => {
            let from_3 = length - 3;
            let extra_bits = from_3.ilog2() - 2;
            let symbol = 257 + 4 * (extra_bits as usize + 1) + ((from_3 >> extra_bits) & 3);
            (symbol, (from_3 & ((1 << extra_bits) - 1)) as u64, extra_bits)
        }
    }
}

/// Lengths of an optimal prefix code, brought below a limit.
fn code_lengths(counts: &[u32], limit: usize) -> Vec<u8> {
    let mut order: Vec<usize> = (0..counts.len()).filter(|s| counts[*s] > 0).collect();
    let mut lengths = vec![0u8; counts.len()];
    if let [only] = order.as_slice() {
        lengths[*only] = 1;
        return lengths;
    }
    order.sort_by_key(|s| (counts[*s], *s));
    // Two queues: the leaves in order, and the inner nodes, which come in order by themselves.
    let n = order.len();
    let mut weight: Vec<u64> = order.iter().map(|s| u64::from(counts[*s])).collect();
    let mut parent = vec![0usize; 2 * n];
    let (mut leaf, mut inner) = (0, n);
    while weight.len() < 2 * n - 1 {
        let mut lightest = || {
            if leaf < n && (inner >= weight.len() || weight[leaf] <= weight[inner]) {
                leaf += 1;
                leaf - 1
            } else {
                inner += 1;
                inner - 1
            }
        };
        let (a, b) = (lightest(), lightest());
        (parent[a], parent[b]) = (weight.len(), weight.len());
        weight.push(weight[a] + weight[b]);
    }
    let mut depth = vec![0usize; 2 * n];
    for node in (0..2 * n - 2).rev() {
        depth[node] = depth[parent[node]] + 1;
    }
    // How many codes of each length; too long ones are shortened at the cost of others.
    let mut of_length = vec![0usize; limit + 1];
    for d in &depth[..n] {
        of_length[(*d).min(limit)] += 1;
    }
    let mut space: usize = (1..=limit).map(|l| of_length[l] << (limit - l)).sum();
    while space > 1 << limit {
        of_length[limit] -= 1;
        if let Some(l) = (1..limit).rev().find(|l| of_length[*l] > 0) {
            of_length[l] -= 1;
            of_length[l + 1] += 2;
        }
        space -= 1;
    }
    // The rarest symbols get the longest codes.
    let mut symbols = order.into_iter();
    for length in (1..=limit).rev() {
        for symbol in symbols.by_ref().take(of_length[length]) {
            lengths[symbol] = length as u8;
        }
    }
    lengths
}

/// The codes that lengths stand for, bits reversed as deflate writes them.
fn canonical(lengths: &[u8]) -> Vec<(u64, u32)> {
    let mut first = [0u32; 16];
    let mut code = 0;
    for (length, first) in first.iter_mut().enumerate().skip(1) {
        let shorter = lengths.iter().filter(|l| usize::from(**l) == length - 1 && **l > 0).count() as u32;
        code = (code + shorter) << 1;
        *first = code;
    }
    lengths
        .iter()
        .map(|length| {
            let l = u32::from(*length);
            if l == 0 {
                return (0, 0);
            }
            let code = first[l as usize];
            first[l as usize] += 1;
            (u64::from(code.reverse_bits() >> (32 - l)), l)
        })
        .collect()
}

/// A dynamic block's header: the code lengths, themselves coded.
fn header(lengths: &[u8], bits: &mut Bits<'_>) {
    let count = lengths.iter().rposition(|l| *l > 0).map_or(257, |last| (last + 1).max(257));
    // The one distance code has length 1.
    let all: Vec<usize> = lengths[..count].iter().map(|l| usize::from(*l)).chain([1]).collect();
    let mut counts = [0u32; 19];
    for length in &all {
        counts[*length] += 1;
    }
    let meta = code_lengths(&counts, 7);
    let codes = canonical(&meta);
    let listed = ORDER.iter().rposition(|s| meta[*s] > 0).map_or(4, |last| (last + 1).max(4));
    // Not final, dynamic.
    bits.put(0b100, 3);
    bits.put((count - 257) as u64, 5);
    bits.put(0, 5);
    bits.put((listed - 4) as u64, 4);
    for symbol in &ORDER[..listed] {
        bits.put(u64::from(meta[*symbol]), 3);
    }
    for length in all {
        let (code, bits_of) = codes[length];
        bits.put(code, bits_of);
    }
}

/// Writes bits, lowest first.
struct Bits<'a> {
    out: &'a mut Vec<u8>,
    buffer: u64,
    used: u32,
}

impl Bits<'_> {
    /// Adds up to 14 bits; at most four times between drains.
    #[inline(always)]
    fn add(&mut self, value: u64, count: u32) {
        self.buffer |= value << self.used;
        self.used += count;
    }

    /// Moves whole bytes out; fewer than eight bits stay.
    #[inline(always)]
    fn drain(&mut self) {
        let bytes = (self.used / 8) as usize;
        self.out.extend_from_slice(&self.buffer.to_le_bytes()[..bytes]);
        self.buffer = if bytes == 8 { 0 } else { self.buffer >> (bytes * 8) };
        self.used %= 8;
    }

    #[inline(always)]
    fn put(&mut self, value: u64, count: u32) {
        self.add(value, count);
        self.drain();
    }

    /// An empty stored block, not final: the stream goes on at a whole byte.
    fn finish(&mut self) {
        self.put(0, 3);
        self.used = self.used.next_multiple_of(8);
        self.drain();
        self.out.extend_from_slice(&[0, 0, 0xff, 0xff]);
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
        assert!(round_trip(&small) < 26_000);
    }
}
