//! PNG: a walk over the chunks, and decoding.
//!
//! The walk reads chunk headers up to `IEND` and expands only what it has to understand, each
//! with a bound; the decoder ignores text and profiles.

use super::limits::{METADATA_BYTES, PARTS, check_metadata, check_parts};
use super::sniff::unsupported;
use super::{Limits, corrupt, exif};
use crate::color::{Calibration, Channels, Components, Raster};
use crate::error::Violation;
use png::{BitDepth, ColorType, Transformations};
use std::io::{Cursor, Read};

/// What the walk found.
#[derive(Debug)]
pub(super) struct Png {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) channels: Channels,
    pub(super) orientation: u8,
    pub(super) color: PngColor,
}

/// What a PNG says its colours are.
#[derive(Debug)]
pub(super) enum PngColor {
    Srgb,
    Icc(Vec<u8>),
    Calibrated(Calibration),
}

/// Chunks that say what the colours mean, in falling precedence.
#[derive(Default)]
struct ColorChunks<'a> {
    cicp: Option<&'a [u8]>,
    iccp: Option<&'a [u8]>,
    srgb: bool,
    gama: Option<&'a [u8]>,
    chrm: Option<&'a [u8]>,
}

/// Walks the chunks and checks structure and limits.
pub(super) fn probe(file: &[u8], limits: &Limits) -> Result<Png, Violation> {
    let header = file.get(8..33).filter(|h| h[4..8] == *b"IHDR").ok_or_else(|| corrupt("has no header"))?;
    let number = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let (width, height) = (number(8), number(12));
    limits.check_size(width, height)?;
    let kind = header[17];
    let mut alpha = kind & 4 != 0;
    let mut orientation = 1;
    let mut colors = ColorChunks::default();
    let (mut parts, mut frames, mut declared, mut metadata) = (0u32, 0u32, 0u32, 0u64);
    let mut has_data = false;

    let mut rest = &file[8..];
    loop {
        let (kind, data, tail) = chunk(rest)?;
        rest = tail;
        parts += 1;
        check_parts(parts, PARTS, "chunks")?;
        match &kind {
            b"IEND" => break,
            b"IHDR" if parts > 1 => return Err(corrupt("has several headers")),
            b"IHDR" | b"PLTE" => {}
            b"IDAT" => has_data = true,
            b"fdAT" => {}
            b"fcTL" => frames += 1,
            b"acTL" => declared = data.first_chunk().map_or(0, |b| u32::from_be_bytes(*b)),
            b"tRNS" => alpha = true,
            b"cICP" => colors.cicp = Some(data),
            b"iCCP" => colors.iccp = Some(data),
            b"sRGB" => colors.srgb = true,
            b"gAMA" => colors.gama = Some(data),
            b"cHRM" => colors.chrm = Some(data),
            b"eXIf" => {
                check_metadata(data.len() as u64)?;
                orientation = exif::orientation(data);
            }
            // Keyword, NUL, method, deflate data.
            b"zTXt" => metadata += expanded(data, 1)?,
            b"iTXt" => metadata += text_bytes(data)?,
            _ => {}
        }
        if !matches!(&kind, b"IDAT" | b"fdAT") {
            metadata += data.len() as u64;
            check_metadata(metadata)?;
        }
    }
    limits.check_frames(declared.max(frames), "frames")?;
    if !has_data {
        return Err(corrupt("holds no picture data"));
    }
    let channels = match (kind & 2 != 0, alpha) {
        (false, false) => Channels::Grey,
        (false, true) => Channels::GreyAlpha,
        (true, false) => Channels::Rgb,
        (true, true) => Channels::RgbAlpha,
    };
    Ok(Png { width, height, channels, orientation, color: color(&colors)? })
}

type Chunk<'a> = ([u8; 4], &'a [u8], &'a [u8]);

/// Kind, data and what follows of the chunk at the start.
fn chunk(rest: &[u8]) -> Result<Chunk<'_>, Violation> {
    let ends = || corrupt("ends before its end chunk");
    let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(ends)?;
    let (kind, rest) = rest.split_first_chunk::<4>().ok_or_else(ends)?;
    let (data, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or_else(ends)?;
    let (_crc, rest) = rest.split_first_chunk::<4>().ok_or_else(ends)?;
    Ok((*kind, data, rest))
}

/// The deflate data behind a chunk's keyword and some more bytes.
fn behind_keyword(data: &[u8], more: usize) -> Option<&[u8]> {
    let keyword = data.iter().position(|&b| b == 0)?;
    data.get(keyword + 1 + more..)
}

/// How many bytes compressed text expands to. Text that does not expand at all is no one's loss.
fn expanded(data: &[u8], more: usize) -> Result<u64, Violation> {
    let Some(deflated) = behind_keyword(data, more) else { return Ok(0) };
    let mut inflate = flate2::read::ZlibDecoder::new(deflated).take(METADATA_BYTES + 1);
    let mut buffer = [0; 1 << 14];
    let mut bytes = 0;
    while let Ok(count @ 1..) = inflate.read(&mut buffer) {
        bytes += count as u64;
    }
    check_metadata(bytes)?;
    Ok(bytes)
}

/// `iTXt`: keyword, NUL, compressed?, method, language, NUL, translated keyword, NUL, text.
fn text_bytes(data: &[u8]) -> Result<u64, Violation> {
    let Some(rest) = behind_keyword(data, 0) else { return Ok(0) };
    let Some([1, _, rest @ ..]) = Some(rest) else { return Ok(0) };
    let Some(rest) = behind_keyword(rest, 0) else { return Ok(0) };
    expanded(rest, 0)
}

fn color(chunks: &ColorChunks<'_>) -> Result<PngColor, Violation> {
    if let Some(cicp) = chunks.cicp {
        return match cicp {
            [1, 13, 0, 1] => Ok(PngColor::Srgb),
            // Display P3: SMPTE EG 432 primaries with sRGB's curve.
            [12, 13, 0, 1] => Ok(PngColor::Calibrated(Calibration {
                primaries: [[0.680, 0.320], [0.265, 0.690], [0.150, 0.060]],
                ..Calibration::SRGB
            })),
            _ => Err(unsupported("is an HDR or video-coded PNG", "export it in sRGB")),
        };
    }
    if let Some(data) = chunks.iccp {
        return inflate_profile(data).map(PngColor::Icc);
    }
    if chunks.srgb {
        return Ok(PngColor::Srgb);
    }
    let mut calibration = Calibration::SRGB;
    let words = |data: &[u8]| -> Vec<f64> {
        data.as_chunks::<4>().0.iter().map(|&b| f64::from(u32::from_be_bytes(b)) / 100_000.0).collect()
    };
    if let Some([gamma]) = chunks.gama.map(words).as_deref() {
        // 0.45455 is what programs write for sRGB; it stands for sRGB's curve then.
        calibration.gamma = ((gamma - 0.45455).abs() > 0.005 && *gamma > 0.01).then(|| 1.0 / gamma);
    }
    if let Some(&[wx, wy, rx, ry, gx, gy, bx, by]) = chunks.chrm.map(words).as_deref() {
        calibration.white = [wx, wy];
        calibration.primaries = [[rx, ry], [gx, gy], [bx, by]];
        let usable = |[x, y]: [f64; 2]| y > 0.0001 && x + y <= 1.0001;
        if !usable(calibration.white) || !calibration.primaries.iter().all(|&p| p[0] + p[1] <= 1.0001) {
            return Err(super::profile_invalid("has impossible primary colours"));
        }
    }
    Ok(if calibration.is_srgb() { PngColor::Srgb } else { PngColor::Calibrated(calibration) })
}

fn inflate_profile(data: &[u8]) -> Result<Vec<u8>, Violation> {
    let broken = || super::profile_invalid("has an ICC profile that cannot be expanded");
    let deflated = behind_keyword(data, 1).ok_or_else(broken)?;
    let mut icc = Vec::new();
    let mut inflate = flate2::read::ZlibDecoder::new(deflated).take(METADATA_BYTES + 1);
    inflate.read_to_end(&mut icc).map_err(|_| broken())?;
    check_metadata(icc.len() as u64)?;
    Ok(icc)
}

/// Decodes to the file's own colours; palettes and low depths are expanded.
pub(super) fn decode(file: &[u8], probed: &Png, limits: &Limits) -> Result<Raster, Violation> {
    let damaged = |_| corrupt("is damaged");
    // Room for the widest pixel of every row that the limits allow.
    let bytes = usize::try_from(limits.src_pixels.saturating_mul(8)).unwrap_or(usize::MAX);
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(file), png::Limits { bytes });
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(damaged)?;
    let size = reader.output_buffer_size().ok_or_else(|| corrupt("is damaged"))?;
    let (color, depth) = reader.output_color_type();
    let mut bytes = vec![0; size];
    reader.next_frame(&mut bytes).map_err(damaged)?;
    let channels = match color {
        ColorType::Grayscale => Channels::Grey,
        ColorType::GrayscaleAlpha => Channels::GreyAlpha,
        ColorType::Rgb => Channels::Rgb,
        ColorType::Rgba => Channels::RgbAlpha,
        ColorType::Indexed => return Err(corrupt("has a palette that cannot be applied")),
    };
    let components = match depth {
        BitDepth::Sixteen => {
            let words = bytes.as_chunks::<2>().0.iter().map(|&b| u16::from_be_bytes(b)).collect();
            Components::Sixteen(words)
        }
        BitDepth::Eight | BitDepth::Four | BitDepth::Two | BitDepth::One => Components::Eight(bytes),
    };
    Ok(Raster { width: probed.width, height: probed.height, channels, components })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    fn numbers(values: &[u32]) -> Vec<u8> {
        values.iter().flat_map(|v| v.to_be_bytes()).collect()
    }

    #[test]
    fn calibration_chunks_by_precedence() {
        let usual = numbers(&[45_455]);
        let srgb = numbers(&[31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000]);
        let chunks = ColorChunks { gama: Some(&usual), chrm: Some(&srgb), ..ColorChunks::default() };
        assert!(matches!(color(&chunks), Ok(PngColor::Srgb)));

        let linear = numbers(&[100_000]);
        let chunks = ColorChunks { gama: Some(&linear), ..ColorChunks::default() };
        let Ok(PngColor::Calibrated(found)) = color(&chunks) else { panic!("gAMA was ignored") };
        assert_eq!(found, Calibration { gamma: Some(1.0), ..Calibration::SRGB });
        let chunks = ColorChunks { srgb: true, ..chunks };
        assert!(matches!(color(&chunks), Ok(PngColor::Srgb)));

        let p3 = ColorChunks { cicp: Some(&[12, 13, 0, 1]), srgb: true, ..ColorChunks::default() };
        assert!(matches!(color(&p3), Ok(PngColor::Calibrated(_))));
        let hdr = ColorChunks { cicp: Some(&[9, 16, 0, 1]), ..ColorChunks::default() };
        assert_eq!(color(&hdr).unwrap_err().code, Code::AssetTypeUnsupported);
        let nowhere = numbers(&[0; 8]);
        let broken = ColorChunks { chrm: Some(&nowhere), ..ColorChunks::default() };
        assert_eq!(color(&broken).unwrap_err().code, Code::ImageProfileInvalid);
    }
}
