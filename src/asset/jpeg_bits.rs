//! Bits and Huffman codes of a JPEG's entropy-coded data.

/// Codes up to this length are found by one look-up.
const QUICK: u32 = 9;
/// Codes up to this length, the number after them included, are found by one look-up with it.
const JOINT: u32 = 10;

/// A Huffman table that tells a code word's symbol.
pub(super) struct Huffman {
    /// By the next `QUICK` bits: length and symbol, or length 0 for a longer code.
    quick: Vec<(u8, u8)>,
    /// By the next `JOINT` bits: code and number, or length 0 where they are longer.
    joint: Vec<Joint>,
    /// By length: one past the last code, left-aligned to 16 bits.
    ends: [u32; 17],
    /// By length: what to add to a code to find its symbol.
    offsets: [i32; 17],
    symbols: Vec<u8>,
}

/// A code word together with the number that follows it.
#[derive(Clone, Copy, Default)]
pub(super) struct Joint {
    /// Of as many bits as the symbol's lower four say; these are not 0.
    pub(super) value: i16,
    /// The symbol's upper four bits.
    pub(super) zeros: u8,
    /// Of both.
    length: u8,
}

impl Huffman {
    /// From how many codes there are of each length (1 to 16), and their symbols. `None` when the
    /// codes do not fit.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Huffman> {
        let mut table = Huffman {
            quick: vec![(0, 0); 1 << QUICK],
            joint: vec![Joint::default(); 1 << JOINT],
            ends: [0; 17],
            offsets: [0; 17],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut first) = (0u32, 0usize);
        for (length, &count) in (1u32..).zip(counts) {
            table.offsets[length as usize] = first as i32 - code as i32;
            for symbol in symbols.get(first..first + usize::from(count))? {
                if code >> length != 0 {
                    return None;
                }
                if length <= QUICK {
                    let start = (code << (QUICK - length)) as usize;
                    table.quick[start..start + (1 << (QUICK - length))].fill((length as u8, *symbol));
                }
                code += 1;
            }
            first += usize::from(count);
            table.ends[length as usize] = code << (16 - length);
            code <<= 1;
        }
        for (bits, joint) in (0u32..).zip(&mut table.joint) {
            let (length, symbol) = table.quick[(bits >> (JOINT - QUICK)) as usize];
            let size = u32::from(symbol & 15);
            let both = u32::from(length) + size;
            if length > 0 && size > 0 && both <= JOINT {
                let number = (bits >> (JOINT - both)) & ((1 << size) - 1);
                let value = extended(number, size) as i16;
                *joint = Joint { value, zeros: symbol >> 4, length: both as u8 };
            }
        }
        Some(table)
    }

    /// The next code word and its number where both are short; `None` where [`Huffman::read`] has to be
    /// asked, which says whether there is one at all.
    #[inline(always)]
    pub(super) fn read_joint(&self, bits: &mut Bits<'_>) -> Option<Joint> {
        if bits.count < 32 {
            bits.refill();
        }
        let joint = self.joint[(bits.buffer >> (64 - JOINT)) as usize];
        let left = bits.count.checked_sub(u32::from(joint.length)).filter(|_| joint.length != 0)?;
        bits.count = left;
        bits.buffer <<= joint.length;
        Some(joint)
    }

    /// The symbol of the next code word; `None` when there is none.
    #[inline(always)]
    pub(super) fn read(&self, bits: &mut Bits<'_>) -> Option<u8> {
        let next = bits.peek_16();
        let (length, symbol) = self.quick[(next >> (16 - QUICK)) as usize];
        if length != 0 {
            bits.take(u32::from(length))?;
            return Some(symbol);
        }
        self.read_long(next, bits)
    }

    /// As [`Huffman::read`], for a symbol whose lower four bits say how many bits follow it: these are
    /// passed over.
    #[inline]
    pub(super) fn read_and_skip(&self, bits: &mut Bits<'_>) -> Option<u8> {
        let next = bits.peek_16();
        let (length, symbol) = self.quick[(next >> (16 - QUICK)) as usize];
        if length != 0 {
            bits.take(u32::from(length) + u32::from(symbol & 15))?;
            return Some(symbol);
        }
        let symbol = self.read_long(next, bits)?;
        bits.take(u32::from(symbol & 15))?;
        Some(symbol)
    }

    #[cold]
    fn read_long(&self, next: u32, bits: &mut Bits<'_>) -> Option<u8> {
        let length = (QUICK + 1..=16).find(|&length| next < self.ends[length as usize])?;
        bits.skip(length)?;
        let at = (next >> (16 - length)) as i32 + self.offsets[length as usize];
        self.symbols.get(usize::try_from(at).ok()?).copied()
    }
}

/// A number of `size` bits: the lower half of its range stands for negative numbers.
#[inline(always)]
pub(super) fn extended(value: u32, size: u32) -> i32 {
    let value = value as i32;
    if size > 0 && value < 1 << (size - 1) { value + 1 - (1 << size) } else { value }
}

/// Reads bits, highest first, up to a marker; stuffed zero bytes are passed over.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    /// The next bits, left-aligned.
    buffer: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Bits { data, at: 0, buffer: 0, count: 0 }
    }

    #[inline]
    fn refill(&mut self) {
        if let Some(next) = self.data.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
            let next = u64::from_be_bytes(*next);
            // A zero byte of the complement is a 0xff, which has to be looked at.
            let complement = !next;
            let ff = complement.wrapping_sub(0x0101_0101_0101_0101) & next & 0x8080_8080_8080_8080;
            if ff == 0 && self.count < 64 {
                // Bits beyond the count are the next bytes' own, and the same when they are read again.
                self.buffer |= next >> self.count;
                let bytes = (63 - self.count) / 8;
                self.at += bytes as usize;
                self.count += bytes * 8;
                return;
            }
        }
        *self = self.refilled_by_byte();
    }

    /// By value: what is never pointed to stays in registers.
    #[cold]
    fn refilled_by_byte(mut self) -> Self {
        while self.count <= 56 {
            let Some(&byte) = self.data.get(self.at) else { break };
            if byte == 0xff && self.data.get(self.at + 1) != Some(&0) {
                break;
            }
            self.at += if byte == 0xff { 2 } else { 1 };
            self.buffer |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
        self
    }

    /// The next 16 bits, zeros after the last one.
    #[inline]
    fn peek_16(&mut self) -> u32 {
        if self.count < 16 {
            self.refill();
        }
        (self.buffer >> 48) as u32
    }

    /// Passes over up to 64 bits; `None` when there are not so many.
    pub(super) fn skip(&mut self, mut bits: u32) -> Option<()> {
        while bits > 32 {
            self.take(32)?;
            bits -= 32;
        }
        self.take(bits).map(drop)
    }

    /// The next 0 to 32 bits as a number.
    #[inline(always)]
    pub(super) fn take(&mut self, bits: u32) -> Option<u32> {
        if self.count < bits {
            self.refill();
        }
        self.count = self.count.checked_sub(bits)?;
        // A shift by 64 does not exist.
        let value = (self.buffer >> 32) >> (32 - bits.min(32));
        self.buffer <<= bits;
        Some(value as u32)
    }

    /// Whole bytes that have not been used.
    pub(super) fn unread(&self) -> usize {
        self.data.len() - self.at + (self.count / 8) as usize
    }

    /// Where the next marker stands, or the end of the data.
    pub(super) fn next_marker(&self) -> usize {
        let mut at = self.at;
        loop {
            match (self.data.get(at), self.data.get(at + 1)) {
                (None, _) => return self.data.len(),
                (Some(0xff), Some(0xff)) => at += 1,
                (Some(0xff), Some(0)) => at += 2,
                (Some(0xff), _) => return at,
                _ => at += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_bits() {
        // Codes 0, 10, 110 for the symbols 7, 8, 9.
        let mut counts = [0; 16];
        counts[..3].fill(1);
        let table = Huffman::new(&counts, &[7, 8, 9]).unwrap();
        let data = [0b0101_1000, 0xff, 0x00, 0xff, 0xd0];
        let mut bits = Bits::new(&data);
        let read: Vec<_> = std::iter::from_fn(|| table.read(&mut bits)).collect();
        assert_eq!(read, [7, 8, 9, 7, 7]);
        assert_eq!(bits.take(8), Some(0xff));
        assert_eq!(bits.take(1), None);
        assert_eq!(bits.next_marker(), 3);
    }

    #[test]
    fn long_codes_and_impossible_tables() {
        let mut counts = [0; 16];
        counts[0] = 1;
        counts[11] = 2;
        let table = Huffman::new(&counts, &[1, 2, 3]).unwrap();
        let mut bits = Bits::new(&[0b1000_0000, 0b0001_0000]);
        assert_eq!(table.read(&mut bits), Some(3));
        counts[0] = 3;
        assert!(Huffman::new(&counts, &[0; 5]).is_none());
    }
}
