//! Fonts: whether their programs are in the file, and how wide their glyphs are.

use super::context::Context;
use super::read::{Dict, ReadError, Value};
use super::rule::Rule;
use skrifa::raw::tables::cff::Cff;
use skrifa::raw::{FontData, FontRead, FontRef};
use std::collections::BTreeMap;
use std::io::{Read, Seek};
use std::sync::Arc;

/// Widths that one font may list.
const WIDTHS: usize = 70_000;

/// A font, as far as rules care. Widths in thousandths of its size.
#[derive(Debug, Clone, Default)]
pub(crate) struct Font {
    /// Two bytes a character.
    pub(crate) composite: bool,
    /// Its program is in the file, or it is drawn by content.
    pub(crate) embedded: bool,
    /// Widths are in a glyph space of its own: thousandths of this many.
    pub(crate) unit: f64,
    widths: BTreeMap<u32, f64>,
    default: f64,
    /// The glyphs' contents of a font that is drawn by content.
    pub(crate) glyphs: Vec<Value>,
    pub(crate) resources: Option<Dict>,
}

impl Font {
    /// The advance of each character of a string, in the font's size, and whether it is a space.
    pub(crate) fn advances(&self, text: &[u8]) -> Vec<(f64, bool)> {
        let step = if self.composite { 2 } else { 1 };
        let codes = text.chunks(step).map(|pair| pair.iter().fold(0, |n, b| n << 8 | u32::from(*b)));
        codes
            .map(|code| {
                let width = self.widths.get(&code).copied().unwrap_or(self.default);
                (width * self.unit, !self.composite && code == 32)
            })
            .collect()
    }
}

impl<R: Read + Seek> Context<'_, R> {
    /// Reads a font, once.
    pub(crate) fn font(&mut self, value: &Value) -> Result<Arc<Font>, ReadError> {
        if let Value::Ref(number, _) = value
            && let Some(known) = self.fonts.get(number)
        {
            return Ok(known.clone());
        }
        let dict = self.file.resolve(value)?.dict().cloned().unwrap_or_default();
        let font = Arc::new(self.read_font(&dict)?);
        if let Value::Ref(number, _) = value {
            self.fonts.insert(*number, font.clone());
        }
        Ok(font)
    }

    fn read_font(&mut self, dict: &Dict) -> Result<Font, ReadError> {
        let kind = self.file.entry(dict, "Subtype")?.and_then(|v| v.name()).unwrap_or_default();
        let mut font = Font { unit: 0.001, default: 500.0, ..Font::default() };
        if kind == "Type0" {
            font.composite = true;
            let Some(descendant) = self.file.list(dict, "DescendantFonts")?.and_then(|mut l| l.pop()) else {
                return Ok(font);
            };
            let descendant = descendant.dict().cloned().unwrap_or_default();
            font.embedded = self.embedded(&descendant)?;
            font.default = self.file.entry(&descendant, "DW")?.and_then(|v| v.number()).unwrap_or(1000.0);
            let widths = self.file.list(&descendant, "W")?.unwrap_or_default();
            composite_widths(&widths, &mut font.widths);
            return Ok(font);
        }
        if kind == "Type3" {
            font.embedded = true;
            let matrix = self.file.list(dict, "FontMatrix")?.and_then(|items| super::read::matrix(&items));
            font.unit = matrix.map_or(0.001, |m| m.as_coeffs()[0].abs());
            let glyphs = self.file.dict(dict, "CharProcs")?.unwrap_or_default();
            font.glyphs = glyphs.0.iter().map(|(_, glyph)| glyph.clone()).take(WIDTHS).collect();
            font.resources = self.file.dict(dict, "Resources")?;
        } else {
            font.embedded = self.embedded(dict)?;
        }
        let first = self.file.entry(dict, "FirstChar")?.and_then(|v| v.int()).unwrap_or(0);
        let widths = self.file.list(dict, "Widths")?.unwrap_or_default();
        for (i, width) in widths.iter().take(256).enumerate() {
            if let (Ok(code), Some(width)) = (u32::try_from(first.saturating_add(i as i64)), width.number()) {
                font.widths.insert(code, width);
            }
        }
        Ok(font)
    }

    fn embedded(&mut self, font: &Dict) -> Result<bool, ReadError> {
        let descriptor = self.file.dict(font, "FontDescriptor")?.unwrap_or_default();
        for key in ["FontFile", "FontFile2", "FontFile3"] {
            if let Some(value) = descriptor.get(key).cloned() {
                let object = self.file.follow(&value)?;
                let program = match object.stream {
                    Some((_, length)) if length > 0 => self.file.data(&object)?.unwrap_or_default(),
                    Some(_) | None => continue,
                };
                let subtype = match object.value.dict() {
                    Some(dict) => self.file.entry(dict, "Subtype")?.and_then(|kind| kind.name()),
                    None => None,
                };
                if is_program(key, subtype.as_deref(), &program) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Lists a font whose program is missing, or is none.
    pub(crate) fn check_font(&mut self, font: &Font, area: kurbo::Rect) {
        if !font.embedded {
            self.say(
                Rule::FontEmbedded,
                Some(area),
                "A font is used whose program is not in the file, or is broken; embed it, or turn the text into outlines.",
            );
        }
    }
}

/// True for what reads as a font's program of the kind that a key and a subtype claim.
fn is_program(key: &str, subtype: Option<&str>, data: &[u8]) -> bool {
    match (key, subtype) {
        // In the clear, or in the segments of a PFB.
        ("FontFile", _) => data.starts_with(b"%!") || data.starts_with(&[0x80, 1]),
        ("FontFile3", Some("Type1C" | "CIDFontType0C")) => {
            Cff::read(FontData::new(data)).is_ok_and(|font| font.top_dicts().get(0).is_ok())
        }
        _ => FontRef::new(data).is_ok(),
    }
}

/// `[first [w w w] first last w …]`
fn composite_widths(items: &[Value], widths: &mut BTreeMap<u32, f64>) {
    let code = |value: &Value| value.int().and_then(|n| u32::try_from(n).ok()).filter(|n| *n < 65_536);
    let mut rest = items;
    loop {
        match rest {
            [first, Value::Array(list), tail @ ..] => {
                if let Some(first) = code(first) {
                    let numbers = list.iter().take(WIDTHS).filter_map(Value::number);
                    widths.extend((first..).zip(numbers));
                }
                rest = tail;
            }
            [first, last, width, tail @ ..] => {
                if let (Some(first), Some(last), Some(width)) = (code(first), code(last), width.number()) {
                    widths.extend((first..=last).map(|code| (code, width)));
                }
                rest = tail;
            }
            _ => return,
        }
    }
}
