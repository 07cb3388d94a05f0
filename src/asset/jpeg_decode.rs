//! JPEG data become a picture's own colours.
//!
//! The common kind, sequential with one scan, is [`jpeg_baseline`]'s. For the others a library's
//! decoder gets one stream of tables and scans, and gives the components as they mean to be
//! shown. Where a sequential file holds its components in scans of their own, each is decoded by
//! itself ([`jpeg_planes`]) and they are brought together here. Beside it, [`jpeg_scan`] makes sure
//! that every block is in the file; [`run`] makes sure that the decoder read all of it.

use super::jpeg::{Jpeg, Meaning, named_rgb, without_metadata};
use super::jpeg_baseline::Baseline;
use super::limits::JPEG_SCANS;
use super::sniff::unsupported;
use super::{corrupt, jpeg_planes, jpeg_scan};
use crate::color::{Components, Raster};
use crate::error::Violation;
use rayon::prelude::*;
use std::io::Seek;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

/// Decodes to the file's own colours; where the file's kind allows it, with sides divided by `shrink`
/// (1, 2, 4 or 8).
pub(super) fn decode(file: &[u8], jpeg: &Jpeg, shrink: usize) -> Result<Raster, Violation> {
    if let Some(baseline) = Baseline::of(file, jpeg, shrink)? {
        let (width, height) = baseline.size();
        let components = Components::Eight(baseline.decode()?);
        let channels = jpeg.meaning.channels();
        return Ok(Raster { width: width as u32, height: height as u32, channels, components });
    }
    // The decoder takes components named R, G and B for RGB whatever the markers say.
    if jpeg.meaning == Meaning::YCbCr && named_rgb(&jpeg.components) {
        return Err(unsupported("is a JPEG with contradicting colour markers", "save it again"));
    }
    let (whole, values) = rayon::join(
        || jpeg_scan::check(file, jpeg),
        || if jpeg.apart { one_by_one(file, jpeg) } else { together(file, jpeg) },
    );
    whole?;
    let components = Components::Eight(values?);
    Ok(Raster { width: jpeg.width, height: jpeg.height, channels: jpeg.meaning.channels(), components })
}

/// A file of which the decoder makes whole pixels.
fn together(file: &[u8], jpeg: &Jpeg) -> Result<Vec<u8>, Violation> {
    let space = match jpeg.meaning {
        Meaning::Grey => ColorSpace::Luma,
        Meaning::YCbCr => ColorSpace::RGB,
        // Asking for what the decoder believes to have in store gives the components untouched.
        Meaning::Rgb if named_rgb(&jpeg.components) => ColorSpace::RGB,
        Meaning::Rgb => ColorSpace::YCbCr,
        Meaning::Cmyk { .. } | Meaning::Ycck => ColorSpace::CMYK,
    };
    let mut values = run(&without_metadata(file, jpeg, |_| false), (jpeg.width, jpeg.height), space)?;
    match jpeg.meaning {
        Meaning::Grey | Meaning::YCbCr | Meaning::Rgb | Meaning::Cmyk { inverted: false } => {}
        Meaning::Cmyk { inverted: true } => values.par_chunks_mut(1 << 16).for_each(invert),
        Meaning::Ycck => values.par_chunks_mut(1 << 18).for_each(ycck_to_inks),
    }
    Ok(values)
}

/// A file whose components stand in scans of their own.
fn one_by_one(file: &[u8], jpeg: &Jpeg) -> Result<Vec<u8>, Violation> {
    let mut values = jpeg_planes::decode(file, jpeg)?;
    match jpeg.meaning {
        Meaning::Grey | Meaning::Rgb | Meaning::Cmyk { inverted: false } => {}
        Meaning::YCbCr => values.par_chunks_mut(3 << 16).for_each(|piece| {
            piece.as_chunks_mut::<3>().0.iter_mut().for_each(|p| *p = ycc_to_rgb(*p));
        }),
        Meaning::Cmyk { inverted: true } => values.par_chunks_mut(1 << 16).for_each(invert),
        Meaning::Ycck => values.par_chunks_mut(1 << 18).for_each(ycck_to_inks),
    }
    Ok(values)
}

/// Runs the decoder over a stream without metadata.
///
/// # Errors
/// `image.corrupt` when the decoder finds damage, or believes to be done before the stream's end:
/// it has then left out a scan.
pub(super) fn run(
    stream: &[u8],
    (width, height): (u32, u32),
    space: ColorSpace,
) -> Result<Vec<u8>, Violation> {
    let options = DecoderOptions::new_fast()
        .set_strict_mode(true)
        .set_max_width(width as usize)
        .set_max_height(height as usize)
        .jpeg_set_max_scans(JPEG_SCANS as usize + 1)
        .jpeg_set_out_colorspace(space);
    let mut source = ZCursor::new(stream);
    let values = JpegDecoder::new_with_options(&mut source, options).decode();
    let values = values.map_err(|_| corrupt("is damaged"))?;
    // Nothing but the end marker, of two bytes, may be left: a restart marker may stand before it.
    let read = source.stream_position().map_err(|_| corrupt("is damaged"))?;
    if read + 2 < stream.len() as u64 {
        return Err(corrupt("holds more scans than can be read"));
    }
    Ok(values)
}

fn invert(values: &mut [u8]) {
    values.iter_mut().for_each(|v| *v = 255 - *v);
}

/// Adobe stores `255 - ink`, turned to YCbCr as if `ink` were red, green and blue.
fn ycck_to_inks(values: &mut [u8]) {
    for pixel in values.as_chunks_mut::<4>().0 {
        let [y, cb, cr, k] = *pixel;
        let [red, green, blue] = ycc_to_rgb([y, cb, cr]);
        *pixel = [red, green, blue, 255 - k];
    }
}

/// ITU-T T.871 in 16-bit fixed point.
fn ycc_to_rgb([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = (i32::from(y) << 16, i32::from(cb) - 128, i32::from(cr) - 128);
    let to_8 = |v: i32| ((v + (1 << 15)) >> 16).clamp(0, 255) as u8;
    [to_8(y + 91_881 * cr), to_8(y - 22_554 * cb - 46_802 * cr), to_8(y + 116_130 * cb)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asset::Limits;
    use crate::asset::jpeg::probe;
    use crate::error::Code;

    /// The decoder by itself gives the first component of this photo alone, and no error.
    #[test]
    fn a_decoder_that_leaves_out_scans_is_found_out() {
        let file = include_bytes!("../../fixtures/assets/photos/separate-scans.jpg");
        let jpeg = probe(file, &Limits::default()).unwrap();
        assert!(jpeg.apart);
        assert_eq!(together(file, &jpeg).unwrap_err().code, Code::ImageCorrupt);
        assert!(decode(file, &jpeg, 1).is_ok());
    }
}
