//! Is the whole picture there? A walk over a JPEG's entropy-coded data.
//!
//! A JPEG that was cut off and closed again with an end marker looks sound from outside, and a
//! decoder fills what is missing with grey. So every code word of every scan is read here, without
//! computing a pixel: each block of each component has to be there, and in a progressive file every
//! coefficient has to have been refined to its last bit. It runs beside the
//! decoder of the rarer kinds; [`jpeg_baseline`] checks the common one as it decodes.
//!
//! [`jpeg_baseline`]: super::jpeg_baseline

use super::corrupt;
use super::jpeg::{Jpeg, Segment};
use super::jpeg_bits::{Bits, Huffman};
use crate::error::Violation;

/// A component's blocks and how far they are known.
struct Plane {
    id: u8,
    /// Blocks across and down in an interleaved unit.
    unit: (usize, usize),
    /// Blocks across and down that the picture covers, without padding to whole units.
    blocks: (usize, usize),
    /// Blocks across, with padding.
    stride: usize,
    /// Per coefficient: how many low bits are still to come, or `UNSENT`.
    missing: [u8; 64],
    /// Progressive only, per block: which coefficients are not zero.
    nonzero: Vec<u64>,
}

const UNSENT: u8 = u8::MAX;

/// Tables as they stand at a scan.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) dc: [Option<Huffman>; 4],
    pub(super) ac: [Option<Huffman>; 4],
    /// Units between restart markers; 0 for none.
    pub(super) restart: usize,
}

/// Parameters of a scan.
struct Scan<'a> {
    /// Plane and its DC and AC tables.
    members: Vec<(usize, Option<&'a Huffman>, Option<&'a Huffman>)>,
    /// First and last coefficient.
    band: (usize, usize),
    /// Bit position before and after.
    high: u8,
    low: u8,
}

/// # Errors
/// `image.corrupt` when any block or any bit of a coefficient is missing.
pub(super) fn check(file: &[u8], jpeg: &Jpeg) -> Result<(), Violation> {
    let most = |of: fn(&(u8, u8)) -> u8| {
        usize::from(jpeg.components.iter().map(|c| of(&c.sampling)).max().unwrap_or(1))
    };
    let (h_max, v_max) = (most(|s| s.0), most(|s| s.1));
    let (width, height) = (jpeg.width as usize, jpeg.height as usize);
    let units = (width.div_ceil(8 * h_max), height.div_ceil(8 * v_max));
    let mut planes: Vec<Plane> = jpeg
        .components
        .iter()
        .map(|c| {
            let unit = (usize::from(c.sampling.0), usize::from(c.sampling.1));
            let blocks = ((width * unit.0).div_ceil(8 * h_max), (height * unit.1).div_ceil(8 * v_max));
            let stride = units.0 * unit.0;
            let tracked = if jpeg.progressive { stride * units.1 * unit.1 } else { 0 };
            Plane { id: c.id, unit, blocks, stride, missing: [UNSENT; 64], nonzero: vec![0; tracked] }
        })
        .collect();

    let mut tables = Tables::default();
    for segment in &jpeg.segments {
        let payload = segment.payload(file);
        match segment.marker {
            0xc4 => read_tables(payload, &mut tables)?,
            0xdd => {
                let interval = payload.first_chunk().ok_or_else(broken)?;
                tables.restart = usize::from(u16::from_be_bytes(*interval));
            }
            0xda => {
                let scan = read_scan(payload, jpeg, &planes, &tables)?;
                walk(file, segment, &scan, jpeg.progressive, units, &mut planes, tables.restart)?;
                for &(plane, ..) in &scan.members {
                    planes[plane].missing[scan.band.0..=scan.band.1].fill(scan.low);
                }
            }
            _ => {}
        }
    }
    if planes.iter().all(|p| p.missing == [0; 64]) { Ok(()) } else { Err(corrupt("lacks some of its scans")) }
}

fn broken() -> Violation {
    corrupt("is damaged")
}

/// Adds a segment's Huffman tables.
pub(super) fn read_tables(mut payload: &[u8], tables: &mut Tables) -> Result<(), Violation> {
    while let Some((&class, rest)) = payload.split_first() {
        let (counts, rest) = rest.split_first_chunk::<16>().ok_or_else(broken)?;
        let total = counts.iter().map(|&c| usize::from(c)).sum();
        let (symbols, rest) = rest.split_at_checked(total).ok_or_else(broken)?;
        let place = usize::from(class & 15);
        let group = if class >> 4 == 0 { &mut tables.dc } else { &mut tables.ac };
        *group.get_mut(place).ok_or_else(broken)? = Some(Huffman::new(counts, symbols).ok_or_else(broken)?);
        payload = rest;
    }
    Ok(())
}

fn read_scan<'a>(
    payload: &[u8],
    jpeg: &Jpeg,
    planes: &[Plane],
    tables: &'a Tables,
) -> Result<Scan<'a>, Violation> {
    let (&count, rest) = payload.split_first().ok_or_else(broken)?;
    let (list, rest) = rest.split_at_checked(usize::from(count) * 2).ok_or_else(broken)?;
    let &[from, to, bits] = rest.first_chunk::<3>().ok_or_else(broken)?;
    if count == 0 || count > 4 {
        return Err(broken());
    }
    let mut members: Vec<(usize, Option<&Huffman>, Option<&Huffman>)> = Vec::new();
    for &[id, selectors] in list.as_chunks::<2>().0 {
        let plane = planes.iter().position(|p| p.id == id).ok_or_else(broken)?;
        if members.iter().any(|m| m.0 == plane) {
            return Err(broken());
        }
        let pick = |group: &'a [Option<Huffman>; 4], at: u8| group.get(usize::from(at))?.as_ref();
        members.push((plane, pick(&tables.dc, selectors >> 4), pick(&tables.ac, selectors & 15)));
    }
    let scan = if jpeg.progressive {
        Scan { members, band: (usize::from(from), usize::from(to)), high: bits >> 4, low: bits & 15 }
    } else {
        Scan { members, band: (0, 63), high: 0, low: 0 }
    };
    let (from, to) = scan.band;
    let sound = from <= to
        && to < 64
        && (!jpeg.progressive || (from == 0) == (to == 0) && (from == 0 || scan.members.len() == 1))
        // Each scan begins where the last one of its coefficients ended.
        && scan.members.iter().all(|m| {
            let before = if scan.high == 0 { UNSENT } else { scan.high };
            planes[m.0].missing[from..=to].iter().all(|&b| b == before)
        })
        && (scan.high == 0 || scan.low + 1 == scan.high);
    if sound { Ok(scan) } else { Err(corrupt("has scans that do not follow each other")) }
}

/// Reads a scan's code words, restart interval by restart interval.
fn walk(
    file: &[u8],
    segment: &Segment,
    scan: &Scan<'_>,
    progressive: bool,
    units: (usize, usize),
    planes: &mut [Plane],
    restart: usize,
) -> Result<(), Violation> {
    let short = || corrupt("ends in the middle of its picture data");
    let alone = match scan.members[..] {
        [(plane, ..)] => Some(planes[plane].blocks),
        _ => None,
    };
    let (across, down) = alone.unwrap_or(units);
    let total = across * down;
    let mut data = &file[segment.scan.clone()];
    let mut done = 0;
    while done < total {
        let until = if restart == 0 { total } else { total.min(done + restart) };
        let mut bits = Bits::new(data);
        let mut run = 0u32;
        for at in done..until {
            let (x, y) = (at % across, at / across);
            for &(plane, dc, ac) in &scan.members {
                let plane = &mut planes[plane];
                let (wide, high) = if alone.is_some() { (1, 1) } else { plane.unit };
                for block in 0..wide * high {
                    let column = x * wide + block % wide;
                    let row = y * high + block / wide;
                    let read = if progressive {
                        let nonzero = &mut plane.nonzero[row * plane.stride + column];
                        progressive_block(&mut bits, scan, dc, ac, nonzero, &mut run)
                    } else {
                        sequential_block(&mut bits, dc, ac)
                    };
                    read.ok_or_else(short)?;
                }
            }
        }
        done = until;
        data = match data.get(bits.next_marker()..) {
            Some([0xff, 0xd0..=0xd7, rest @ ..]) => rest,
            _ if done == total => &[],
            _ => return Err(short()),
        };
    }
    Ok(())
}

/// One block with all its coefficients; `None` when a code word is missing or impossible.
fn sequential_block(bits: &mut Bits<'_>, dc: Option<&Huffman>, ac: Option<&Huffman>) -> Option<()> {
    let size = dc?.read(bits)?;
    bits.skip(u32::from(size))?;
    let ac = ac?;
    let mut k = 1;
    while k < 64 {
        match ac.read_and_skip(bits)? {
            0xf0 => k += 16,
            symbol if symbol & 15 == 0 => return Some(()),
            symbol => k += usize::from(symbol >> 4) + 1,
        }
    }
    (k == 64).then_some(())
}

/// One block's share of a progressive scan (ITU-T T.81, annex G). `run` counts blocks whose band
/// is known to end early.
fn progressive_block(
    bits: &mut Bits<'_>,
    scan: &Scan<'_>,
    dc: Option<&Huffman>,
    ac: Option<&Huffman>,
    nonzero: &mut u64,
    run: &mut u32,
) -> Option<()> {
    let (from, to) = scan.band;
    if from == 0 {
        let size = if scan.high == 0 { u32::from(dc?.read(bits)?) } else { 1 };
        return bits.skip(size);
    }
    let refining = scan.high != 0;
    let mut k = from;
    while *run == 0 && k <= to {
        let symbol = ac?.read(bits)?;
        let (mut zeros, size) = (symbol >> 4, u32::from(symbol & 15));
        if size == 0 && zeros < 15 {
            *run = (1 << zeros) + bits.take(u32::from(zeros))?;
            break;
        }
        if refining && size > 1 {
            return None;
        }
        bits.skip(size)?;
        // Over `zeros` zero coefficients; those already known get their next bit on the way.
        while k <= to {
            if refining && *nonzero >> k & 1 == 1 {
                bits.skip(1)?;
            } else if zeros == 0 {
                break;
            } else {
                zeros -= 1;
            }
            k += 1;
        }
        if size != 0 {
            if k > to {
                return None;
            }
            *nonzero |= 1 << k;
        }
        k += 1;
    }
    if *run > 0 {
        if refining && k <= to {
            let rest = *nonzero >> k << k & (u64::MAX >> (63 - to));
            bits.skip(rest.count_ones())?;
        }
        *run -= 1;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use crate::asset::{Depth, Limits, Picture, Samples};
    use crate::error::{Code, Violation};

    /// A grey picture of 24 × 8: three blocks, each one byte, a restart marker after each but the last.
    fn restarting(frame: u8, data: &[u8]) -> Vec<u8> {
        let mut file = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
        file.extend([1; 64]);
        file.extend([0xff, frame, 0, 11, 8, 0, 8, 0, 24, 1, 1, 0x11, 0]);
        for class in [0x00, 0x10] {
            // One code word, of one bit, for symbol 0.
            file.extend([0xff, 0xc4, 0, 20, class, 1]);
            file.extend([0; 16]);
        }
        file.extend([0xff, 0xdd, 0, 4, 0, 1, 0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0]);
        file.extend(data);
        file.extend([0xff, 0xd9]);
        file
    }

    fn decode(file: Vec<u8>) -> Result<Samples, Violation> {
        Ok(Picture::probe(file.into(), &Limits::default())?.decode(Depth::Eight)?.data)
    }

    #[test]
    fn restart_intervals_are_followed_and_counted() {
        let whole = [0x3f, 0xff, 0xd0, 0x3f, 0xff, 0xd1, 0x3f];
        assert_eq!(decode(restarting(0xc0, &whole)).unwrap(), Samples::Rgb8(vec![128; 24 * 8 * 3]));
        for cut in 0..=6 {
            let code = decode(restarting(0xc0, &whole[..cut])).unwrap_err().code;
            assert_eq!(code, Code::ImageCorrupt, "{cut} bytes");
        }
    }

    #[test]
    fn rare_kinds_say_what_to_send() {
        for frame in [0xc3, 0xc5, 0xc9, 0xca] {
            let violation = decode(restarting(frame, &[0x3f])).unwrap_err();
            assert_eq!(violation.code, Code::AssetTypeUnsupported);
        }
    }
}
