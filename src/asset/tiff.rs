//! TIFF: the directories, and decoding of the first picture.

use super::limits::{METADATA_BYTES, check_metadata};
use super::sniff::unsupported;
use super::{Limits, corrupt, exif};
use crate::color::{Channels, Components, Raster};
use crate::error::{Code, Violation};
use std::collections::BTreeSet;
use std::io::Cursor;
use tiff::TiffError;
use tiff::decoder::ifd::Value;
use tiff::decoder::{Decoder, DecodingResult};
use tiff::tags::{CompressionMethod, ExtraSamples, SampleFormat, Tag};

/// What the first directory says.
#[derive(Debug)]
pub(super) struct Tiff {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) orientation: u8,
    pub(super) icc: Option<Vec<u8>>,
    pub(super) channels: Channels,
    /// Bits of a component: 1, 2, 4, 8 or 16.
    bits: u8,
    /// Colours are stored multiplied by alpha.
    premultiplied: bool,
}

/// Reads the directories and checks structure and limits.
pub(super) fn probe(file: &[u8], limits: &Limits) -> Result<Tiff, Violation> {
    let mut decoder = open(file, limits)?;
    check_pages(&mut decoder, limits)?;
    let (width, height) = decoder.dimensions().map_err(refuse)?;
    limits.check_size(width, height)?;

    let compression = decoder.find_tag_unsigned::<u16>(Tag::Compression).map_err(refuse)?.unwrap_or(1);
    let known = CompressionMethod::from_u16(compression);
    let lossless = matches!(
        known,
        Some(
            CompressionMethod::None
                | CompressionMethod::LZW
                | CompressionMethod::Deflate
                | CompressionMethod::OldDeflate
                | CompressionMethod::PackBits
        )
    );
    if !lossless {
        return Err(unsupported("is a TIFF in a rare compression", "save it with LZW, ZIP or none"));
    }
    let formats = decoder.find_tag_unsigned_vec::<u16>(Tag::SampleFormat).map_err(refuse)?;
    if formats.is_some_and(|f| f.iter().any(|&f| SampleFormat::from_u16(f) != Some(SampleFormat::Uint))) {
        return Err(unsupported("is a TIFF of floating-point values", "save it with 8 or 16 bits"));
    }
    let extra = decoder.find_tag_unsigned_vec::<u16>(Tag::ExtraSamples).map_err(refuse)?;
    let extra = extra.and_then(|e| e.first().copied()).and_then(ExtraSamples::from_u16);
    let alpha = matches!(extra, Some(ExtraSamples::AssociatedAlpha | ExtraSamples::UnassociatedAlpha));

    use tiff::ColorType as T;
    #[expect(clippy::wildcard_enum_match_arm, reason = "an open list of someone else's")]
    let (channels, bits) = match decoder.colortype().map_err(refuse)? {
        T::Gray(bits @ (1 | 2 | 4 | 8 | 16)) => (Channels::Grey, bits),
        T::GrayA(bits @ (8 | 16)) => (Channels::GreyAlpha, bits),
        T::Multiband { bit_depth: bits @ (8 | 16), num_samples: 2 } if alpha => (Channels::GreyAlpha, bits),
        T::RGB(bits @ (8 | 16)) => (Channels::Rgb, bits),
        T::RGBA(bits @ (8 | 16)) => (Channels::RgbAlpha, bits),
        T::CMYK(bits @ (8 | 16)) => (Channels::Cmyk, bits),
        _ => {
            let todo = "save it as grey, RGB or CMYK with 8 or 16 bits";
            return Err(unsupported("is a TIFF in a rare colour mode", todo));
        }
    };
    let orientation = decoder.find_tag_unsigned::<u16>(Tag::Orientation).map_err(refuse)?;
    Ok(Tiff {
        width,
        height,
        orientation: exif::checked(orientation.map_or(1, u32::from)),
        icc: icc(&mut decoder)?,
        channels,
        bits,
        premultiplied: matches!(extra, Some(ExtraSamples::AssociatedAlpha)),
    })
}

type Reader<'a> = Decoder<Cursor<&'a [u8]>>;

fn open<'a>(file: &'a [u8], limits: &Limits) -> Result<Reader<'a>, Violation> {
    let bytes = usize::try_from(limits.src_pixels.saturating_mul(8)).unwrap_or(usize::MAX);
    let mut allowed = tiff::decoder::Limits::default();
    allowed.decoding_buffer_size = bytes;
    allowed.intermediate_buffer_size = bytes;
    allowed.ifd_value_size = METADATA_BYTES as usize;
    Ok(Decoder::new(Cursor::new(file)).map_err(refuse)?.with_limits(allowed))
}

/// Follows the chain of directories: it has to end, and only thumbnails may stand beside the picture.
fn check_pages(decoder: &mut Reader<'_>, limits: &Limits) -> Result<(), Violation> {
    let mut seen = BTreeSet::new();
    let mut pages = 0;
    let mut next = decoder.ifd_pointer();
    while let Some(at) = next {
        if !seen.insert(at.0) {
            return Err(corrupt("has directories that run in a circle"));
        }
        let directory = decoder.read_directory(at).map_err(refuse)?;
        let kind = decoder.read_directory_tags(&directory).find_tag_unsigned::<u32>(Tag::NewSubfileType);
        // Bit 0: a reduced copy; bit 2: a mask.
        let is_page = kind.map_err(refuse)?.unwrap_or(0) & 0b101 == 0;
        pages += u32::from(is_page);
        limits.check_frames(pages, "pages")?;
        super::limits::check_parts(seen.len() as u32, 1000, "directories")?;
        next = directory.next();
    }
    Ok(())
}

fn icc(decoder: &mut Reader<'_>) -> Result<Option<Vec<u8>>, Violation> {
    let Some(value) = decoder.find_tag(Tag::IccProfile).map_err(refuse)? else { return Ok(None) };
    if !matches!(value, Value::List(_) | Value::Byte(_)) {
        return Err(super::profile_invalid("has an ICC profile of the wrong type"));
    }
    let bytes = value.into_u8_vec().map_err(refuse)?;
    check_metadata(bytes.len() as u64)?;
    Ok(Some(bytes))
}

fn refuse(error: TiffError) -> Violation {
    match error {
        TiffError::UnsupportedError(_) => {
            unsupported("is a TIFF of a rare kind", "save it as grey, RGB or CMYK with 8 or 16 bits")
        }
        TiffError::LimitsExceeded => Violation::new(
            Code::ImageMetadataExceeded,
            "The picture has a directory entry that is larger than any picture needs; save it again.",
        ),
        TiffError::FormatError(_)
        | TiffError::IoError(_)
        | TiffError::IntSizeError
        | TiffError::UsageError(_) => corrupt("is damaged"),
    }
}

/// Decodes to the file's own colours, alpha straight.
pub(super) fn decode(file: &[u8], probed: &Tiff, limits: &Limits) -> Result<Raster, Violation> {
    let mut decoder = open(file, limits)?;
    let mut read = DecodingResult::U8(Vec::new());
    let layout = decoder.read_image_to_buffer(&mut read).map_err(refuse)?;
    let planes = if layout.planes > 1 { probed.channels.count() } else { 1 };
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the decoder's other sample types are refused when probed"
    )]
    let mut components = match read {
        DecodingResult::U8(bytes) if probed.bits < 8 => Components::Eight(unpack(&bytes, probed)),
        DecodingResult::U8(bytes) => Components::Eight(interleave(bytes, planes)),
        DecodingResult::U16(words) => Components::Sixteen(interleave(words, planes)),
        _ => return Err(corrupt("does not hold the values that its header promises")),
    };
    if probed.premultiplied {
        let channels = probed.channels.count();
        match &mut components {
            Components::Eight(values) => values.chunks_exact_mut(channels).for_each(unmultiply),
            Components::Sixteen(values) => values.chunks_exact_mut(channels).for_each(unmultiply),
        }
    }
    let Tiff { width, height, channels, .. } = *probed;
    Ok(Raster { width, height, channels, components })
}

/// Rows of 1, 2 or 4 bits a pixel, each row starting on a byte, as bytes of full range.
fn unpack(bytes: &[u8], probed: &Tiff) -> Vec<u8> {
    let (width, bits) = (probed.width as usize, usize::from(probed.bits));
    let full = (1u16 << bits) - 1;
    let row_bytes = (width * bits).div_ceil(8);
    let pixel = |row: &[u8], x: usize| {
        let value = u16::from(row[x * bits / 8]) >> (8 - bits - x * bits % 8) & full;
        (value * 255 / full) as u8
    };
    let rows = bytes.chunks_exact(row_bytes.max(1)).take(probed.height as usize);
    rows.flat_map(|row| (0..width).map(move |x| pixel(row, x))).collect()
}

/// Planes one after the other become interleaved pixels.
fn interleave<T: Copy>(values: Vec<T>, planes: usize) -> Vec<T> {
    if planes == 1 {
        return values;
    }
    let pixels = values.len() / planes;
    (0..pixels).flat_map(|i| (0..planes).map(move |p| p * pixels + i)).map(|at| values[at]).collect()
}

/// Divides a pixel's colours by its alpha, its last component, rounding to nearest.
fn unmultiply<T>(pixel: &mut [T])
where
    T: Copy + Into<u32> + TryFrom<u32> + From<u8>,
{
    let Some((alpha, colors)) = pixel.split_last_mut() else { return };
    // All ones: 255 or 65,535.
    let full: u64 = if size_of::<T>() == 1 { 255 } else { 65_535 };
    let alpha = u64::from((*alpha).into());
    for color in colors {
        let value = u64::from((*color).into());
        let straight = (value * full + alpha / 2).checked_div(alpha).unwrap_or(0).min(full);
        *color = T::try_from(straight as u32).unwrap_or(T::from(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn premultiplied_colours_are_divided() {
        let mut pixel = [50u8, 100, 200, 100];
        unmultiply(&mut pixel);
        assert_eq!(pixel, [128, 255, 255, 100]);
        let mut pixel = [7u16, 0];
        unmultiply(&mut pixel);
        assert_eq!(pixel, [0, 0]);
    }

    #[test]
    fn planes_interleave() {
        assert_eq!(interleave(vec![1u8, 2, 3, 10, 20, 30], 2), [1, 10, 2, 20, 3, 30]);
    }
}
