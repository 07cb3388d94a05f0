//! JPEG: a walk over the file's segments.
//!
//! The walk reads every marker up to the end-of-image marker before anything is allocated. What
//! the components mean (YCbCr or RGB, CMYK or YCCK, inverted or not) and how they are spread over
//! scans is decided here; the decoder is given tables and scans only, never metadata.

use super::limits::{JPEG_SCANS, PARTS, check_metadata, check_parts};
use super::sniff::unsupported;
use super::{Limits, corrupt, exif};
use crate::color::Channels;
use crate::error::Violation;
use std::ops::Range;

/// What the components of a JPEG mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Grey,
    YCbCr,
    Rgb,
    /// Inks, or inks inverted as Adobe writes them.
    Cmyk {
        inverted: bool,
    },
    /// Inverted inks, of which the first three are stored as YCbCr.
    Ycck,
}

impl Meaning {
    /// What a decoded pixel consists of.
    pub(super) fn channels(self) -> Channels {
        match self {
            Meaning::Grey => Channels::Grey,
            Meaning::YCbCr | Meaning::Rgb => Channels::Rgb,
            Meaning::Cmyk { .. } | Meaning::Ycck => Channels::Cmyk,
        }
    }
}

/// One marker with its parameters, and the entropy-coded data that follows a start of scan.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) marker: u8,
    /// From the marker's 0xFF to the end of its parameters.
    pub(super) bytes: Range<usize>,
    /// Entropy-coded data, restart markers included; empty but for a start of scan.
    pub(super) scan: Range<usize>,
}

impl Segment {
    /// The parameters, after marker and length.
    pub(super) fn payload<'a>(&self, file: &'a [u8]) -> &'a [u8] {
        file.get(self.bytes.start + 4..self.bytes.end).unwrap_or_default()
    }
}

/// A component as the frame header declares it.
#[derive(Debug, Clone, Copy)]
pub(super) struct FrameComponent {
    pub(super) id: u8,
    /// Horizontal and vertical sampling factors.
    pub(super) sampling: (u8, u8),
    /// Number of its quantization table.
    pub(super) quantizer: u8,
}

/// What the walk found.
#[derive(Debug)]
pub(super) struct Jpeg {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) progressive: bool,
    /// Sequential, with each component in a scan of its own.
    pub(super) apart: bool,
    pub(super) components: Vec<FrameComponent>,
    pub(super) meaning: Meaning,
    /// An Adobe marker says what the components mean.
    pub(super) adobe: bool,
    pub(super) orientation: u8,
    pub(super) icc: Option<Vec<u8>>,
    pub(super) segments: Vec<Segment>,
}

/// Walks the file and checks its structure and limits.
pub(super) fn probe(file: &[u8], limits: &Limits) -> Result<Jpeg, Violation> {
    let segments = walk(file)?;
    let metadata = segments.iter().filter(|s| s.marker >= 0xe0 && s.marker <= 0xef || s.marker == 0xfe);
    check_metadata(metadata.map(|s| s.bytes.len() as u64).sum())?;
    let scans = segments.iter().filter(|s| s.marker == 0xda).count();
    check_parts(u32::try_from(scans).unwrap_or(u32::MAX), JPEG_SCANS, "JPEG scans")?;
    if scans == 0 {
        return Err(corrupt("holds no picture data"));
    }

    let mut frames = segments.iter().filter(|s| is_frame(s.marker));
    let frame = frames.next().ok_or_else(|| corrupt("has no frame header"))?;
    if frames.next().is_some() {
        return Err(corrupt("has several frame headers"));
    }
    match frame.marker {
        0xc0..=0xc2 => {}
        0xc3 | 0xc7 | 0xcb | 0xcf => return Err(unsupported("is a lossless JPEG", "save it as PNG")),
        0xc9 | 0xca | 0xcd | 0xce => {
            return Err(unsupported("is an arithmetic-coded JPEG", "save it as an ordinary JPEG"));
        }
        _ => return Err(unsupported("is a hierarchical JPEG", "save it as an ordinary JPEG")),
    }
    let header = frame.payload(file);
    let &[precision, h1, h0, w1, w0, count, ref list @ ..] = header else {
        return Err(corrupt("has a frame header that is too short"));
    };
    if precision != 8 {
        return Err(unsupported("is a JPEG of more than 8 bits", "save it as PNG or TIFF"));
    }
    let (width, height) = (u32::from(u16::from_be_bytes([w1, w0])), u32::from(u16::from_be_bytes([h1, h0])));
    limits.check_size(width, height)?;
    if list.len() != usize::from(count) * 3 {
        return Err(corrupt("has a frame header of the wrong length"));
    }
    let components: Vec<_> = list
        .as_chunks::<3>()
        .0
        .iter()
        .map(|&[id, factors, quantizer]| FrameComponent {
            id,
            sampling: (factors >> 4, factors & 15),
            quantizer,
        })
        .collect();
    if components.iter().any(|c| !(1..=4).contains(&c.sampling.0) || !(1..=4).contains(&c.sampling.1)) {
        return Err(corrupt("has sampling factors that do not exist"));
    }

    let progressive = frame.marker == 0xc2;
    let transform = adobe_transform(file, &segments);
    let meaning = meaning(file, &segments, &components, transform)?;
    let first_exif = segments.iter().find(|s| s.marker == 0xe1 && s.payload(file).starts_with(b"Exif\0\0"));
    Ok(Jpeg {
        width,
        height,
        progressive,
        apart: !progressive && apart(file, &segments, &components)?,
        meaning,
        adobe: transform.is_some(),
        orientation: first_exif.map_or(1, |s| exif::orientation(s.payload(file))),
        icc: icc(file, &segments)?,
        components,
        segments,
    })
}

fn is_frame(marker: u8) -> bool {
    (0xc0..=0xcf).contains(&marker) && !matches!(marker, 0xc4 | 0xc8 | 0xcc)
}

/// Every segment up to the end of the image. What follows it (a second picture, a camera's
/// trailer) is no part of the picture.
fn walk(file: &[u8]) -> Result<Vec<Segment>, Violation> {
    let mut segments = Vec::new();
    let mut at = 2;
    loop {
        if file.get(at) != Some(&0xff) {
            return Err(truncated_or(file, at, "has bytes between its segments"));
        }
        let Some(fill) = file[at..].iter().position(|&b| b != 0xff) else {
            return Err(corrupt("ends before its end marker"));
        };
        let start = at + fill - 1;
        let marker = file[at + fill];
        at = start + 2;
        match marker {
            0xd9 => return Ok(segments),
            0x00 | 0x01 | 0xd0..=0xd8 => return Err(corrupt("has a marker where none may stand")),
            0xdc => return Err(unsupported("states its height after its data", "save it again")),
            _ => {}
        }
        let Some(&[hi, lo]) = file.get(at..at + 2).and_then(|b| b.as_array::<2>()) else {
            return Err(corrupt("ends before its end marker"));
        };
        let end = at + usize::from(u16::from_be_bytes([hi, lo]));
        if end < at + 2 || end > file.len() {
            return Err(truncated_or(file, end, "has a segment of impossible length"));
        }
        at = if marker == 0xda { scan_end(file, end)? } else { end };
        segments.push(Segment { marker, bytes: start..end, scan: end..at });
        check_parts(u32::try_from(segments.len()).unwrap_or(u32::MAX), PARTS, "segments")?;
    }
}

fn truncated_or(file: &[u8], at: usize, what: &str) -> Violation {
    corrupt(if at >= file.len() { "ends before its end marker" } else { what })
}

/// Where entropy-coded data ends: at the first marker that is neither stuffing nor a restart.
fn scan_end(file: &[u8], from: usize) -> Result<usize, Violation> {
    let mut at = from;
    loop {
        let rest = file.get(at..).unwrap_or_default();
        let Some(found) = memchr::memchr(0xff, rest) else {
            return Err(corrupt("ends in the middle of its picture data"));
        };
        at += found;
        match file.get(at + 1) {
            None => return Err(corrupt("ends in the middle of its picture data")),
            Some(0x00 | 0xd0..=0xd7) => at += 2,
            Some(0xff) => at += 1,
            Some(_) => return Ok(at),
        }
    }
}

/// Whether a sequential file holds its components one by one. Whether each is there, and only
/// once, is seen when the scans are read.
fn apart(file: &[u8], segments: &[Segment], components: &[FrameComponent]) -> Result<bool, Violation> {
    let scans = segments.iter().filter(|s| s.marker == 0xda);
    let counts: Vec<_> = scans.map(|s| s.payload(file).first().map_or(0, |&n| usize::from(n))).collect();
    if counts.iter().any(|&n| n > 1 && n < components.len()) {
        return Err(unsupported("is a JPEG with some of its components in one scan", "save it again"));
    }
    let apart = components.len() > 1 && counts.contains(&1);
    let most = |of: fn(&FrameComponent) -> u8| components.iter().map(of).max().unwrap_or(1);
    let (across, down) = (most(|c| c.sampling.0), most(|c| c.sampling.1));
    let whole = components.iter().all(|c| across % c.sampling.0 == 0 && down % c.sampling.1 == 0);
    if apart && !whole {
        return Err(unsupported("is a JPEG with unusual sampling factors", "save it again"));
    }
    Ok(apart)
}

fn adobe_transform(file: &[u8], segments: &[Segment]) -> Option<u8> {
    let adobe = segments.iter().find(|s| s.marker == 0xee && s.payload(file).starts_with(b"Adobe"))?;
    adobe.payload(file).get(11).copied()
}

fn meaning(
    file: &[u8],
    segments: &[Segment],
    components: &[FrameComponent],
    transform: Option<u8>,
) -> Result<Meaning, Violation> {
    let jfif = segments.iter().any(|s| s.marker == 0xe0 && s.payload(file).starts_with(b"JFIF\0"));
    match (components.len(), transform) {
        (1, _) => Ok(Meaning::Grey),
        (3, Some(0)) => Ok(Meaning::Rgb),
        (3, Some(_)) => Ok(Meaning::YCbCr),
        (3, None) if !jfif && named_rgb(components) => Ok(Meaning::Rgb),
        (3, None) => Ok(Meaning::YCbCr),
        (4, Some(2)) => Ok(Meaning::Ycck),
        (4, Some(_)) => Ok(Meaning::Cmyk { inverted: true }),
        (4, None) => Ok(Meaning::Cmyk { inverted: false }),
        _ => Err(unsupported("is a JPEG with an unusual number of components", "save it as RGB")),
    }
}

pub(super) fn named_rgb(components: &[FrameComponent]) -> bool {
    components.iter().map(|c| c.id).eq(*b"RGB")
}

/// The ICC profile, joined from its numbered pieces.
fn icc(file: &[u8], segments: &[Segment]) -> Result<Option<Vec<u8>>, Violation> {
    let pieces = segments.iter().filter(|s| s.marker == 0xe2);
    let pieces = pieces.filter_map(|s| s.payload(file).strip_prefix(b"ICC_PROFILE\0"));
    let mut pieces: Vec<_> = pieces.filter_map(|p| Some((*p.first()?, *p.get(1)?, p.get(2..)?))).collect();
    if pieces.is_empty() {
        return Ok(None);
    }
    pieces.sort_by_key(|&(number, _, _)| number);
    let whole = pieces.iter().zip(1..).all(|(&(number, count, _), expected)| {
        usize::from(number) == expected && usize::from(count) == pieces.len()
    });
    if !whole {
        return Err(super::profile_invalid("lacks a piece of its ICC profile"));
    }
    Ok(Some(pieces.iter().flat_map(|(_, _, data)| data.iter().copied()).collect()))
}

/// The file up to its end marker, without APPn and COM segments but for those to keep.
pub(super) fn without_metadata(file: &[u8], jpeg: &Jpeg, keep: impl Fn(&Segment) -> bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(file.len() + 2);
    out.extend_from_slice(&[0xff, 0xd8]);
    for segment in &jpeg.segments {
        let metadata = (0xe0..=0xef).contains(&segment.marker) || segment.marker == 0xfe;
        if !metadata || keep(segment) {
            out.extend_from_slice(&file[segment.bytes.start..segment.scan.end]);
        }
    }
    out.extend_from_slice(&[0xff, 0xd9]);
    out
}
