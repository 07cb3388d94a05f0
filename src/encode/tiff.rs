//! CMYK TIFF: process plates as bands of deflated strips, with the printing condition's ICC profile.
//!
//! A TIFF says at its beginning where everything is, and a file only takes bytes in order. So the
//! surface is painted first to learn how long its strips are. Strips of a small file are kept from
//! that; a large one is painted again, and the same scene gives the same strips.

use crate::error::{Code, Violation};
use crate::raster::{BAND_ROWS, Frame, InkBand, InkSink, Packed, Planes};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// Bytes of packed strips that are kept instead of painting again.
const MOST_HELD: usize = 24 << 20;
/// Cyan, magenta, yellow, black.
const INKS: usize = 4;

/// Writes cyan, magenta, yellow and black as an 8-bit TIFF. `paint` paints the plates of `frame`,
/// the same ones each time.
///
/// # Errors
/// What `paint` reports; `output.too_large` for more than a TIFF can address; `store.unavailable`
/// when the file takes no bytes.
pub fn tiff<W: Write + Send>(
    mut out: W,
    frame: &Frame,
    icc: &[u8],
    paint: impl Fn(&dyn InkSink) -> Result<(), Violation>,
) -> Result<W, Violation> {
    let measure = StripSink { width: frame.width as usize, kept: Mutex::new(Kept::<W>::default()) };
    paint(&measure)?;
    let Kept { lengths, held, .. } = measure.kept.into_inner().unwrap_or_else(PoisonError::into_inner);
    out.write_all(&head(frame, icc, &lengths)?).map_err(failed)?;
    if let Some(strips) = held {
        out.write_all(&strips).map_err(failed)?;
        return Ok(out);
    }
    let kept = Kept { lengths: Vec::new(), held: None, out: Some(out) };
    let again = StripSink { width: frame.width as usize, kept: Mutex::new(kept) };
    paint(&again)?;
    let kept = again.kept.into_inner().unwrap_or_else(PoisonError::into_inner);
    match kept.out {
        Some(out) if kept.lengths == lengths => Ok(out),
        Some(_) | None => {
            Err(Violation::new(Code::InternalError, "a surface was painted in two ways; please report it"))
        }
    }
}

/// Strips under way.
struct StripSink<W> {
    width: usize,
    kept: Mutex<Kept<W>>,
}

struct Kept<W> {
    lengths: Vec<usize>,
    /// All strips so far, unless they are too much to hold.
    held: Option<Vec<u8>>,
    /// Where strips go at once.
    out: Option<W>,
}

impl<W> Default for Kept<W> {
    fn default() -> Self {
        Kept { lengths: Vec::new(), held: Some(Vec::new()), out: None }
    }
}

impl<W: Write + Send> InkSink for StripSink<W> {
    fn encode(&self, band: &InkBand<'_>) -> Result<Packed, Violation> {
        let narrow = |v: &u16| ((u32::from(*v) + 128) / 257) as u8;
        let ink = |plane: usize, at: usize| match band.planes {
            Planes::Eight { inks, .. } => inks[plane][at],
            Planes::Sixteen { inks, .. } => narrow(&inks[plane][at]),
        };
        let mut packer = ZlibEncoder::new(Vec::new(), Compression::new(6));
        let mut row = vec![0; self.width * INKS];
        for y in 0..band.height {
            // Differences to the pixel on the left.
            let mut left = [0u8; INKS];
            for (x, pixel) in row.chunks_exact_mut(INKS).enumerate() {
                for (plane, value) in pixel.iter_mut().enumerate() {
                    let here = ink(plane, y * self.width + x);
                    *value = here.wrapping_sub(left[plane]);
                    left[plane] = here;
                }
            }
            packer.write_all(&row).map_err(failed)?;
        }
        Ok(Packed { bytes: packer.finish().map_err(failed)?, ..Packed::default() })
    }

    fn write(&self, packed: Packed) -> Result<(), Violation> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.lengths.push(packed.bytes.len());
        if let Some(out) = &mut kept.out {
            return out.write_all(&packed.bytes).map_err(failed);
        }
        if let Some(held) = &mut kept.held {
            held.extend_from_slice(&packed.bytes);
            if held.len() > MOST_HELD {
                kept.held = None;
            }
        }
        Ok(())
    }
}

/// Everything before the first strip.
fn head(frame: &Frame, icc: &[u8], lengths: &[usize]) -> Result<Vec<u8>, Violation> {
    const SHORT: u16 = 3;
    const LONG: u16 = 4;
    const RATIONAL: u16 = 5;
    const UNDEFINED: u16 = 7;
    let too_large =
        || Violation::new(Code::OutputTooLarge, "a TIFF holds at most 4 GiB; use a lower resolution");
    let long = |value: usize| u32::try_from(value).map_err(|_| too_large());
    let shorts = |values: &[u16]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let longs = |values: &[u32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let dpi = longs(&[libm::round(frame.dpi.get() * 1000.0) as u32, 1000]);
    let strips = longs(&lengths.iter().map(|n| long(*n)).collect::<Result<Vec<_>, _>>()?);
    // Tag, type, and the values; strip offsets are known last.
    let mut fields: Vec<(u16, u16, Vec<u8>)> = vec![
        (256, LONG, longs(&[frame.width])),
        (257, LONG, longs(&[frame.height])),
        (258, SHORT, shorts(&[8; INKS])),
        (259, SHORT, shorts(&[8])), // deflate
        (262, SHORT, shorts(&[5])), // separated
        (273, LONG, vec![0; strips.len()]),
        (274, SHORT, shorts(&[1])),
        (277, SHORT, shorts(&[INKS as u16])),
        (278, LONG, longs(&[BAND_ROWS])),
        (279, LONG, strips),
        (282, RATIONAL, dpi.clone()),
        (283, RATIONAL, dpi),
        (284, SHORT, shorts(&[1])), // inks of a pixel beside each other
        (296, SHORT, shorts(&[2])), // inches
        (317, SHORT, shorts(&[2])), // differences
        (332, SHORT, shorts(&[1])), // CMYK
        (334, SHORT, shorts(&[INKS as u16])),
        (34675, UNDEFINED, icc.to_vec()),
    ];
    let size = |kind: u16| match kind {
        SHORT => 2,
        LONG => 4,
        RATIONAL => 8,
        _bytes => 1,
    };
    let even = |n: usize| n + n % 2;
    let directory = 8 + 2 + fields.len() * 12 + 4;
    let values: usize = fields.iter().filter(|(.., v)| v.len() > 4).map(|(.., v)| even(v.len())).sum();
    let mut at = directory + values;
    let mut offsets = Vec::with_capacity(lengths.len());
    for length in lengths {
        offsets.push(long(at)?);
        at += length;
    }
    long(at)?;
    for (tag, _, values) in &mut fields {
        if *tag == 273 {
            *values = longs(&offsets);
        }
    }
    let mut out = b"II*\0".to_vec();
    out.extend_from_slice(&8u32.to_le_bytes());
    out.extend_from_slice(&(fields.len() as u16).to_le_bytes());
    let mut after = Vec::new();
    for (tag, kind, values) in fields {
        out.extend_from_slice(&tag.to_le_bytes());
        out.extend_from_slice(&kind.to_le_bytes());
        out.extend_from_slice(&long(values.len() / size(kind))?.to_le_bytes());
        if values.len() <= 4 {
            out.extend_from_slice(&values);
            out.resize(out.len() + 4 - values.len(), 0);
        } else {
            out.extend_from_slice(&long(directory + after.len())?.to_le_bytes());
            after.extend_from_slice(&values);
            after.resize(even(after.len()), 0);
        }
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&after);
    Ok(out)
}

fn failed(error: std::io::Error) -> Violation {
    Violation::new(Code::StoreUnavailable, format!("a picture could not be written: {}", error.kind()))
}
