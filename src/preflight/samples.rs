//! Pictures' data: whether it is what the picture claims, and whether it is nothing but white.
//!
//! A picture is looked at once a file. Its samples are counted, not held; of a JPEG the frame's head and
//! its end are read. What JPEG 2000, JBIG2 and fax hold is left to the press's reader.

use super::context::Context;
use super::ink::{Rows, jpeg_data};
use super::read::{Dict, Indirect, ReadError, Value};
use super::rule::Rule;
use super::space::Space;
use crate::asset::{Limits, jpeg_samples};
use crate::color::Components;
use std::io::{Read, Seek};

/// Bytes of a row; longer ones are counted, and no more.
const ROW: u64 = 1 << 26;

/// What a picture says of itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim<'s> {
    pub(crate) number: Option<u32>,
    pub(crate) size: [Option<u32>; 2],
    pub(crate) bits: Option<i64>,
    /// `None` of a stencil.
    pub(crate) space: Option<&'s Space>,
    /// Its samples are turned over.
    pub(crate) turned: bool,
}

impl Claim<'_> {
    /// The rows that its samples make; `None` where that is not known.
    pub(crate) fn rows(&self) -> Option<Rows> {
        let [Some(width), Some(_)] = self.size else { return None };
        let (bits, channels) = match self.space {
            None => (1, 1),
            Some(space) => (u8::try_from(self.bits?).ok()?, space.components()?),
        };
        let rows = Rows { width: width as usize, channels, bits };
        (matches!(bits, 1 | 2 | 4 | 8 | 16) && rows.bytes() <= ROW).then_some(rows)
    }

    /// How many bytes its samples have, however many that is; `None` where that is not known.
    fn bytes(&self) -> Option<u64> {
        let [Some(width), Some(height)] = self.size else { return None };
        let channels = self.space.map_or(Some(1), Space::components)? as u64;
        let bits = if self.space.is_some() { u64::try_from(self.bits?).ok()? } else { 1 };
        // Width and height have 32 bits: channels and depth do not overflow a row.
        Some(
            (u64::from(width) * channels * bits.min(32)).div_ceil(8).max(1).saturating_mul(u64::from(height)),
        )
    }

    /// A depth that pictures of samples do not have.
    fn odd_depth(&self) -> Option<i64> {
        self.bits.filter(|bits| self.space.is_some() && !matches!(bits, 1 | 2 | 4 | 8 | 16))
    }
}

impl<R: Read + Seek> Context<'_, R> {
    /// Lists a picture whose data is not what it claims. `counted`: how many bytes of samples it has, where
    /// that is known.
    pub(crate) fn check_samples(
        &mut self,
        object: &Indirect,
        dict: &Dict,
        claim: Claim<'_>,
        counted: Option<u64>,
    ) -> Result<(), ReadError> {
        if let Some(number) = claim.number {
            if self.pictures.contains_key(&number) {
                return Ok(());
            }
            self.pictures.insert(number, None);
        }
        let filters = self.file.filters(dict)?;
        let what = if filters.last().is_some_and(|(name, _)| name == "DCTDecode") {
            let components = claim.space.and_then(Space::components);
            match (jpeg_data(&mut self.file, object, filters.len())?.as_deref().map(frame), components) {
                (Some(None), _) => Some("is no JPEG, or is cut off".to_owned()),
                (Some(Some(found)), Some(wanted)) if found != wanted => {
                    Some(format!("has {found} colours, and the picture claims {wanted}"))
                }
                (Some(Some(_)) | None, _) => None,
            }
        } else if let Some(bits) = claim.odd_depth()
            && filters.last().is_none_or(|(name, _)| name != "JPXDecode")
        {
            Some(format!("has {bits} bits a component, which PDF does not know"))
        } else {
            let wanted = claim.bytes();
            let found = match (wanted, counted) {
                (None, _) => None,
                (Some(_), Some(counted)) => Some(counted),
                (Some(wanted), None) if self.unpacking => self.file.sample_bytes(object, wanted)?,
                (Some(_), None) => None,
            };
            let short = found.zip(wanted).filter(|(found, wanted)| found < wanted);
            short.map(|(found, wanted)| format!("ends after {found} of {wanted} bytes"))
        };
        if let Some(what) = what {
            let detail = format!(
                "A picture's data {what}, and presses differ in what they make of it; place the picture again."
            );
            self.say(Rule::ImageDamaged, None, detail);
        }
        Ok(())
    }

    /// The same of a picture's mask, soft or not: a stream of samples of its own.
    pub(crate) fn check_mask(&mut self, mask: &Value, soft: bool) -> Result<(), ReadError> {
        let object = self.file.follow(mask)?;
        // Colours that are masked out are a list.
        let Some(dict) = object.value.dict().filter(|_| object.stream.is_some()).cloned() else {
            return Ok(());
        };
        let side = |value: Option<Value>| value.and_then(|v| v.int()).and_then(|n| u32::try_from(n).ok());
        let grey = Space::Gray;
        let claim = Claim {
            number: if let Value::Ref(number, _) = mask { Some(*number) } else { None },
            size: [side(self.file.entry(&dict, "Width")?), side(self.file.entry(&dict, "Height")?)],
            bits: self.file.entry(&dict, "BitsPerComponent")?.and_then(|v| v.int()),
            space: soft.then_some(&grey),
            turned: false,
        };
        match self.check_samples(&object, &dict, claim, None) {
            Err(ReadError::Damaged(_)) => {
                let detail = "The data of a picture's mask is broken or cut off, and presses differ in what they make of it; place the picture again.";
                self.say(Rule::ImageDamaged, None, detail);
                Ok(())
            }
            other => other,
        }
    }

    /// True where a picture is white all over, and somebody has to know.
    pub(crate) fn is_white(
        &mut self,
        object: &Indirect,
        dict: &Dict,
        claim: Claim<'_>,
    ) -> Result<bool, ReadError> {
        let wish = self.findings.wish;
        if !wish.blank || self.marks.printed {
            return Ok(false);
        }
        if let Some(known) = claim.number.and_then(|number| self.pictures.get(&number).copied().flatten()) {
            return Ok(known);
        }
        let white = self.find_white(object, dict, claim)?.unwrap_or(false);
        if let Some(number) = claim.number {
            self.pictures.insert(number, Some(white));
        }
        Ok(white)
    }

    fn find_white(
        &mut self,
        object: &Indirect,
        dict: &Dict,
        claim: Claim<'_>,
    ) -> Result<Option<bool>, ReadError> {
        let Some((space, rows)) = claim.space.zip(claim.rows()) else { return Ok(None) };
        let Some(white) = white(space, claim.turned) else { return Ok(None) };
        let filters = self.file.filters(dict)?;
        if filters.last().is_some_and(|(name, _)| name == "DCTDecode") {
            let Some(data) = jpeg_data(&mut self.file, object, filters.len())? else { return Ok(None) };
            let [Some(width), Some(height)] = claim.size else { return Ok(None) };
            return Ok(Some(jpeg_is(&data, white, u64::from(width) * u64::from(height))));
        }
        let mut all = true;
        let control = self.control;
        let mut look = |piece: &[u8]| {
            control.check().map_err(ReadError::Stopped)?;
            all &= piece.chunks(rows.bytes() as usize).all(|row| rows.all(row, &white));
            Ok(all)
        };
        Ok(self.file.pieces(object, rows.piece(), &mut look)?.filter(|bytes| *bytes > 0).map(|_| all))
    }
}

/// What samples of white paper are; `None` where nothing is, or it takes more than one sample to say.
fn white(space: &Space, turned: bool) -> Option<Vec<u8>> {
    let one = |value: u8| vec![if turned { 255 - value } else { value }];
    match space {
        Space::Gray | Space::Rgb | Space::Defined { components: 1 | 3, .. } => Some(one(255)),
        Space::Cmyk | Space::Defined { .. } | Space::Inks { .. } => Some(one(0)),
        Space::Indexed(base, table) => {
            let plain = white(base, false)?;
            let colours = table.chunks_exact(base.components()?).enumerate();
            let fits = colours.filter(|(_, colour)| colour.iter().all(|value| plain.contains(value)));
            Some(fits.filter_map(|(index, _)| u8::try_from(index).ok()).collect())
        }
        Space::Lab | Space::Pattern(_) => None,
    }
}

/// True where every sample of a JPEG is white, or all but.
fn jpeg_is(data: &[u8], white: Vec<u8>, pixels: u64) -> bool {
    /// Bytes of a scan that tell more than white: a block of 64 pixels and one colour takes about half a byte.
    const BUSY: u64 = 16;
    let scan = data.windows(2).position(|pair| pair == [0xFF, 0xDA]).unwrap_or(0);
    if (data.len() - scan) as u64 > pixels / BUSY + 2_000 {
        return false;
    }
    let Ok((raster, inverted)) = jpeg_samples(data, &Limits::default()) else { return false };
    let Components::Eight(values) = raster.components else { return false };
    let [white] = white[..] else { return false };
    let white = if inverted { 255 - white } else { white };
    values.iter().all(|value| value.abs_diff(white) <= 1)
}

/// How many colours the frame of a JPEG has; `None` where this is none, or it has no end.
fn frame(data: &[u8]) -> Option<usize> {
    let mut at = 2;
    if !data.starts_with(&[0xFF, 0xD8]) {
        return None;
    }
    loop {
        let marker = match data.get(at..at + 2)? {
            // Fill bytes may stand before a marker.
            [0xFF, 0xFF] => {
                at += 1;
                continue;
            }
            [0xFF, marker] => *marker,
            _ => return None,
        };
        let length = usize::from(u16::from_be_bytes(data.get(at + 2..at + 4)?.try_into().ok()?));
        match marker {
            0xC4 | 0xC8 | 0xCC => {}
            0xC0..=0xCF => {
                let components = usize::from(*data.get(at + 9)?);
                let ended = data[at..].windows(2).rposition(|pair| pair == [0xFF, 0xD9]).is_some();
                return ended.then_some(components);
            }
            0xDA | 0xD9 => return None,
            _ => {}
        }
        at += 2 + length;
    }
}

impl Rows {
    /// True where every sample of a row is one of `values`, or, of 16 bits, both its bytes are. Bits that
    /// fill up a row's last byte are no sample.
    fn all(self, row: &[u8], values: &[u8]) -> bool {
        match self.bits {
            8 | 16 => row.iter().all(|byte| values.contains(byte)),
            bits => {
                let most = u8::MAX >> (8 - bits);
                let full = |value: u8| values.contains(&value) || value == most && values.contains(&255);
                (0..self.width * self.channels).all(|i| self.sample(row, i).is_none_or(full))
            }
        }
    }

    /// A sample of fewer than 8 bits.
    pub(crate) fn sample(self, row: &[u8], index: usize) -> Option<u8> {
        let bits = usize::from(self.bits);
        let byte = row.get(index * bits / 8)?;
        Some(byte >> (8 - bits - index * bits % 8) & (u8::MAX >> (8 - bits)))
    }
}

/// Whether the first of a decoding array's numbers turns samples over.
pub(crate) fn is_turned(decode: &[Value]) -> bool {
    decode.first().and_then(Value::number).is_some_and(|value| value > 0.5)
}
