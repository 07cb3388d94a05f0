//! Deflate's prefix codes: their lengths, the codes themselves, a block's header, and the bits.
//!
//! Blocks are not final and end on a byte, so that blocks made side by side join into one stream.

/// The symbol that ends a block.
pub(super) const END: usize = 256;
/// Literals, the end, and lengths.
pub(super) const SYMBOLS: usize = 286;
/// Distances.
pub(super) const DISTANCES: usize = 30;
/// Longest code of a literal or length; short enough for four to fit the bit buffer.
pub(super) const MAX_CODE: usize = 12;
/// Longest code of a distance.
pub(super) const MAX_DISTANCE_CODE: usize = 15;
/// Longest match.
pub(super) const LONGEST: usize = 258;
/// Most bytes of a block's header.
const HEADER: usize = 400;
/// In which order deflate lists the lengths of the code lengths' codes.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// A code word, its bits in the order that deflate writes them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Word {
    /// The bits, lowest first.
    pub(super) bits: u16,
    /// How many.
    pub(super) length: u16,
}

/// Symbol, extra bits and their number, of a match length.
pub(super) fn length_symbol(length: usize) -> (usize, u64, u32) {
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

/// Symbol, extra bits and their number, of a distance, given less one.
#[inline(always)]
pub(super) fn distance_symbol(less_one: usize) -> (usize, u64, u32) {
    if less_one < 4 {
        return (less_one, 0, 0);
    }
    let high = less_one.ilog2();
    let extra_bits = high - 1;
    let symbol = 2 * high as usize + ((less_one >> extra_bits) & 1);
    (symbol, (less_one & ((1 << extra_bits) - 1)) as u64, extra_bits)
}

/// Lengths of an optimal prefix code of at most [`SYMBOLS`] symbols, brought below a limit.
pub(super) fn code_lengths(counts: &[u32], limit: usize) -> Vec<u8> {
    /// Bits of a symbol's number beside its count.
    const NUMBER: u32 = 16;
    let mut lengths = vec![0u8; counts.len()];
    // Every band of rows has its own codes: what they are made in is on the stack.
    let mut order = [0u64; SYMBOLS];
    let mut n = 0;
    for (symbol, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        order[n] = u64::from(*count) << NUMBER | symbol as u64;
        n += 1;
    }
    let order = &mut order[..n];
    if let [only] = order {
        lengths[(*only & 0xffff) as usize] = 1;
    }
    if n < 2 {
        return lengths;
    }
    order.sort_unstable();
    // Two queues: the leaves in order, and the inner nodes, which come in order by themselves.
    let mut weight = [0u64; 2 * SYMBOLS];
    for (weight, counted) in weight.iter_mut().zip(&*order) {
        *weight = counted >> NUMBER;
    }
    let mut parent = [0u16; 2 * SYMBOLS];
    let (mut leaf, mut inner) = (0, n);
    for node in n..2 * n - 1 {
        let mut lightest = || {
            if leaf < n && (inner >= node || weight[leaf] <= weight[inner]) {
                leaf += 1;
                leaf - 1
            } else {
                inner += 1;
                inner - 1
            }
        };
        let (a, b) = (lightest(), lightest());
        (parent[a], parent[b]) = (node as u16, node as u16);
        weight[node] = weight[a] + weight[b];
    }
    let mut depth = [0u16; 2 * SYMBOLS];
    for node in (0..2 * n - 2).rev() {
        depth[node] = depth[usize::from(parent[node])] + 1;
    }
    // How many codes of each length; too long ones are shortened at the cost of others.
    let mut of_length = vec![0usize; limit + 1];
    for d in &depth[..n] {
        of_length[usize::from(*d).min(limit)] += 1;
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
    let mut symbols = order.iter();
    for length in (1..=limit).rev() {
        for symbol in symbols.by_ref().take(of_length[length]) {
            lengths[(*symbol & 0xffff) as usize] = length as u8;
        }
    }
    lengths
}

/// The codes that lengths stand for, bits reversed as deflate writes them.
pub(super) fn canonical(lengths: &[u8]) -> Vec<Word> {
    let mut of_length = [0u32; 16];
    for length in lengths {
        of_length[usize::from(*length)] += 1;
    }
    of_length[0] = 0;
    let mut first = [0u32; 16];
    for length in 1..first.len() {
        first[length] = (first[length - 1] + of_length[length - 1]) << 1;
    }
    lengths
        .iter()
        .map(|length| {
            let l = u32::from(*length);
            if l == 0 {
                return Word::default();
            }
            let code = first[l as usize];
            first[l as usize] += 1;
            Word { bits: (code.reverse_bits() >> (32 - l)) as u16, length: l as u16 }
        })
        .collect()
}

/// A dynamic block's header: the lengths of both codes, themselves coded.
pub(super) fn header(lengths: &[u8], distances: &[u8], bits: &mut Bits<'_>) {
    bits.room(HEADER);
    let listed = |lengths: &[u8], least: usize| {
        lengths.iter().rposition(|l| *l > 0).map_or(least, |last| (last + 1).max(least))
    };
    let (count, far) = (listed(lengths, 257), listed(distances, 1));
    let all: Vec<usize> = lengths[..count].iter().chain(&distances[..far]).map(|l| usize::from(*l)).collect();
    let mut counts = [0u32; 19];
    for length in &all {
        counts[*length] += 1;
    }
    let meta = code_lengths(&counts, 7);
    let codes = canonical(&meta);
    let named = ORDER.iter().rposition(|s| meta[*s] > 0).map_or(4, |last| (last + 1).max(4));
    // Not final, dynamic.
    bits.put(0b100, 3);
    bits.put((count - 257) as u64, 5);
    bits.put((far - 1) as u64, 5);
    bits.put((named - 4) as u64, 4);
    for symbol in &ORDER[..named] {
        bits.put(u64::from(meta[*symbol]), 3);
    }
    for length in all {
        bits.word(codes[length]);
        bits.drain();
    }
}

/// Writes bits, lowest first, behind what `out` holds.
pub(super) struct Bits<'a> {
    out: &'a mut Vec<u8>,
    /// Bytes written; `out` is longer.
    at: usize,
    buffer: u64,
    used: u32,
}

impl<'a> Bits<'a> {
    /// Appends to `out`.
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        let at = out.len();
        Bits { out, at, buffer: 0, used: 0 }
    }

    /// Makes room for this many bytes; nothing is written without it.
    pub(super) fn room(&mut self, bytes: usize) {
        let end = self.at + bytes + 16;
        if self.out.len() < end {
            self.out.resize(end, 0);
        }
    }

    /// Adds bits; at most 56 between drains.
    #[inline(always)]
    pub(super) fn add(&mut self, value: u64, count: u32) {
        self.buffer |= value << self.used;
        self.used += count;
    }

    /// Adds a code word.
    #[inline(always)]
    pub(super) fn word(&mut self, word: Word) {
        self.add(u64::from(word.bits), u32::from(word.length));
    }

    /// Moves whole bytes out; fewer than eight bits stay.
    #[inline(always)]
    pub(super) fn drain(&mut self) {
        // All eight bytes are written, and those that are not whole are written over.
        self.out[self.at..self.at + 8].copy_from_slice(&self.buffer.to_le_bytes());
        let bytes = self.used / 8;
        self.at += bytes as usize;
        self.buffer = self.buffer.checked_shr(bytes * 8).unwrap_or(0);
        self.used %= 8;
    }

    /// Adds up to 56 bits and drains.
    #[inline(always)]
    pub(super) fn put(&mut self, value: u64, count: u32) {
        self.add(value, count);
        self.drain();
    }

    /// Writes literals; there is room for [`MAX_CODE`] bits of each.
    #[inline(always)]
    pub(super) fn literals(&mut self, bytes: &[u8], codes: &[Word]) {
        let Some(codes) = codes.first_chunk::<256>() else { return };
        let (fours, rest) = bytes.as_chunks::<4>();
        for four in fours {
            // Four words of at most 12 bits, and fewer than 8 bits from before.
            for byte in four {
                self.word(codes[usize::from(*byte)]);
            }
            self.drain();
        }
        for byte in rest {
            self.word(codes[usize::from(*byte)]);
        }
        self.drain();
    }

    /// An empty stored block, not final: the stream goes on at a whole byte.
    pub(super) fn finish(mut self) {
        self.room(16);
        self.put(0, 3);
        self.used = self.used.next_multiple_of(8);
        self.drain();
        self.out.truncate(self.at);
        self.out.extend_from_slice(&[0, 0, 0xff, 0xff]);
    }
}
