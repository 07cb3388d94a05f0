//! WebP: a walk over the RIFF chunks, and decoding.

use super::limits::{PARTS, check_metadata, check_parts};
use super::{Limits, corrupt, exif};
use crate::color::{Channels, Components, Raster};
use crate::error::Violation;
use image::codecs::webp::WebPDecoder;
use image::{ColorType, ImageDecoder};
use std::io::Cursor;

/// What the walk found.
#[derive(Debug)]
pub(super) struct WebP {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) channels: Channels,
    pub(super) orientation: u8,
    pub(super) icc: Option<Vec<u8>>,
}

/// Walks the chunks and checks structure and limits.
pub(super) fn probe(file: &[u8], limits: &Limits) -> Result<WebP, Violation> {
    let size = file.get(4..8).and_then(|b| b.as_array::<4>()).map_or(0, |b| u32::from_le_bytes(*b));
    let body = file.get(12..(size as usize).saturating_add(8)).ok_or_else(|| corrupt("ends too early"))?;
    let (mut parts, mut frames, mut metadata) = (0u32, 0u32, 0u64);
    let (mut icc, mut orientation) = (None, 1);
    let mut rest = body;
    while !rest.is_empty() {
        let (kind, data, tail) = chunk(rest)?;
        rest = tail;
        parts += 1;
        check_parts(parts, PARTS, "chunks")?;
        match &kind {
            b"ANMF" => frames += 1,
            b"VP8 " | b"VP8L" | b"VP8X" | b"ALPH" | b"ANIM" => {}
            _ => {
                metadata += data.len() as u64;
                check_metadata(metadata)?;
            }
        }
        match &kind {
            b"ICCP" if icc.is_none() => icc = Some(data.to_vec()),
            b"EXIF" => orientation = exif::orientation(data),
            _ => {}
        }
    }
    limits.check_frames(frames, "frames")?;
    let decoder = WebPDecoder::new(Cursor::new(file)).map_err(|_| corrupt("is damaged"))?;
    let (width, height) = decoder.dimensions();
    limits.check_size(width, height)?;
    let alpha = decoder.color_type() == ColorType::Rgba8;
    let channels = if alpha { Channels::RgbAlpha } else { Channels::Rgb };
    Ok(WebP { width, height, channels, orientation, icc })
}

type Chunk<'a> = ([u8; 4], &'a [u8], &'a [u8]);

/// Kind, data and what follows of the chunk at the start. Odd chunks are padded; the last
/// one's padding is often forgotten.
fn chunk(rest: &[u8]) -> Result<Chunk<'_>, Violation> {
    let ends = || corrupt("ends too early");
    let (kind, rest) = rest.split_first_chunk::<4>().ok_or_else(ends)?;
    let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(ends)?;
    let length = u32::from_le_bytes(*length) as usize;
    let (data, rest) = rest.split_at_checked(length).ok_or_else(ends)?;
    Ok((*kind, data, rest.get(length % 2..).unwrap_or_default()))
}

/// Decodes to the file's own colours.
pub(super) fn decode(file: &[u8], probed: &WebP) -> Result<Raster, Violation> {
    let decoder = WebPDecoder::new(Cursor::new(file)).map_err(|_| corrupt("is damaged"))?;
    let bytes = usize::try_from(decoder.total_bytes()).map_err(|_| corrupt("is damaged"))?;
    let mut values = vec![0; bytes];
    decoder.read_image(&mut values).map_err(|_| corrupt("is damaged"))?;
    let components = Components::Eight(values);
    Ok(Raster { width: probed.width, height: probed.height, channels: probed.channels, components })
}
