//! The standards before transparency: PDF/X-1a:2003 and PDF/X-3:2003, built on PDF 1.4.
//!
//! Most of what they ask for is what PDF/X-4 asks for too and is looked at there. Here is what
//! they add: no transparency in any form, no layers, nothing that PDF 1.4 does not know, statements
//! in the Info dictionary and not in XMP, and, of PDF/X-1a, no colours but those of inks.

use super::context::Context;
use super::icc::Header;
use super::read::{Dict, ReadError, Value, text_string};
use super::rule::Rule;
use super::space::Space;
use crate::catalog::print::Standard;
use kurbo::Rect;
use std::io::{Read, Seek};

/// What Info has to say.
const REQUIRED: &[&str] = &["Title", "CreationDate", "ModDate"];

impl<R: Read + Seek> Context<'_, R> {
    /// The version that the standard is built on, as major and minor.
    pub(super) fn newest_version(&self) -> (u8, u8) {
        if self.findings.wish.standard.is_flat() { (1, 4) } else { (1, 6) }
    }

    /// What Info has to say where XMP has no say.
    pub(super) fn check_info(&mut self) -> Result<(), ReadError> {
        let trailer = self.file.trailer.clone();
        let info = self.file.dict(&trailer, "Info")?.unwrap_or_default();
        let mut missing = Vec::new();
        for key in REQUIRED {
            let own = self.file.entry(&info, key)?;
            let text = own.as_ref().and_then(Value::bytes).map(text_string).unwrap_or_default();
            if text.trim().is_empty() {
                missing.push(*key);
            }
        }
        if !missing.is_empty() {
            let detail = format!("Info lacks {}, which the standard asks for; write it.", missing.join(", "));
            self.findings.file(Rule::MetadataIncomplete, detail);
        }
        let wanted = self.findings.wish.standard.version().unwrap_or_default();
        let named = self.file.entry(&info, "GTS_PDFXVersion")?;
        if named.as_ref().and_then(Value::bytes).map(text_string).as_deref() != Some(wanted) {
            let detail =
                format!("Info does not name {wanted} as the file's standard in GTS_PDFXVersion; name it.");
            self.findings.file(Rule::MetadataStandard, detail);
        }
        let trapped = self.file.entry(&info, "Trapped")?;
        if trapped.is_none_or(|value| !value.is_name("True") && !value.is_name("False")) {
            let detail = "Info does not say in Trapped whether the file is trapped; say True or False.";
            self.findings.file(Rule::MetadataTrapped, detail);
        }
        Ok(())
    }

    /// An output intent whose condition is in no registry has to describe it.
    pub(super) fn check_flat_intent(&mut self, intent: &Dict) -> Result<(), ReadError> {
        if self.needs_no_profile(intent)? {
            return Ok(());
        }
        let info = self.file.entry(intent, "Info")?;
        if info.is_none_or(|value| value.bytes().is_none_or(<[u8]>::is_empty)) {
            let detail = "The output intent does not describe its printing condition in /Info; describe it.";
            self.findings.file(Rule::IntentIncomplete, detail);
        }
        Ok(())
    }

    /// True where the intent's condition is registered, so that its description and, in these
    /// standards, its profile may stay away.
    pub(super) fn needs_no_profile(&mut self, intent: &Dict) -> Result<bool, ReadError> {
        let registry = self.file.entry(intent, "RegistryName")?;
        let named = registry.as_ref().and_then(Value::bytes).is_some_and(|name| !name.is_empty());
        Ok(self.findings.wish.standard.is_flat() && named)
    }

    /// An ICC profile of a version that PDF 1.4 knows.
    pub(super) fn check_icc_version(&mut self, header: &Header) {
        if self.findings.wish.standard.is_flat() && header.version > 2 {
            let detail =
                "An ICC profile is of a newer version than 2, which PDF 1.4 knows; embed one of version 2.";
            self.say(Rule::FileNewer, None, detail);
        }
    }

    /// What is wrong with the file's frame.
    pub(super) fn check_flat_file(&mut self, catalog: &Dict) -> Result<(), ReadError> {
        if self.file.table_streams {
            let detail = "The file keeps its cross-references in a stream, which PDF 1.4 does not know; write a plain table.";
            self.findings.file(Rule::FileNewer, detail);
        }
        if self.file.entry(catalog, "OCProperties")?.is_some() {
            self.layer();
        }
        Ok(())
    }

    fn layer(&mut self) {
        let detail = "The file has layers, which PDF 1.4 does not know, so presses may print hidden ones; flatten them.";
        self.say(Rule::NoLayers, None, detail);
    }

    /// Looks at an object for what these standards do not allow. `stream`: it is a stream's; `state`: it is
    /// a graphics state.
    pub(super) fn check_flat_object(
        &mut self,
        dict: &Dict,
        stream: bool,
        state: bool,
    ) -> Result<(), ReadError> {
        if !self.findings.wish.standard.is_flat() {
            return Ok(());
        }
        let kind = self.file.entry(dict, "Type")?.and_then(|kind| kind.name()).unwrap_or_default();
        if matches!(kind.as_str(), "OCG" | "OCMD") || stream && dict.has("OC") {
            self.layer();
        }
        if stream {
            for (filter, _) in self.file.filters(dict)? {
                let what = match filter.as_str() {
                    "JPXDecode" => "by JPEG 2000, which PDF 1.4 does not know",
                    "JBIG2Decode" => "by JBIG2, which the standard does not allow",
                    "Crypt" => "by a filter that PDF 1.4 does not know",
                    _ => continue,
                };
                let detail = format!("A stream is compressed {what}; compress it by Flate.");
                self.say(Rule::FileNewer, None, detail);
            }
            let bits = self.file.entry(dict, "BitsPerComponent")?.and_then(|v| v.int());
            let image = self.file.entry(dict, "Subtype")?.is_some_and(|kind| kind.is_name("Image"));
            if image && bits == Some(16) {
                let detail = "A picture has 16 bits a component, and PDF 1.4 knows 8; write it with 8.";
                self.say(Rule::FileNewer, None, detail);
            }
        }
        if let Some(what) = self.transparent(dict, stream, state)? {
            let detail = format!("{what}, and the standard has no transparency; flatten it.");
            self.say(Rule::NoTransparency, None, detail);
        }
        Ok(())
    }

    /// What is transparent about an object.
    fn transparent(
        &mut self,
        dict: &Dict,
        stream: bool,
        state: bool,
    ) -> Result<Option<&'static str>, ReadError> {
        if self.file.entry(dict, "S")?.is_some_and(|kind| kind.is_name("Transparency")) {
            return Ok(Some("There is a transparency group"));
        }
        let mask = self.file.entry(dict, "SMask")?.is_some_and(|mask| !mask.is_name("None"));
        if mask && (stream || state) {
            return Ok(Some(if stream { "A picture has a soft mask" } else { "A soft mask is set" }));
        }
        // Annotations have an opacity of their own; they do not lie on what is printed.
        if !state {
            return Ok(None);
        }
        for key in ["CA", "ca"] {
            if self.file.entry(dict, key)?.and_then(|v| v.number()).is_some_and(|alpha| alpha < 1.0) {
                return Ok(Some("Something is painted with an opacity below 1"));
            }
        }
        let blends = match self.file.entry(dict, "BM")? {
            Some(Value::Array(modes)) => modes,
            Some(mode) => vec![mode],
            None => Vec::new(),
        };
        let plain = |mode: &Value| mode.is_name("Normal") || mode.is_name("Compatible");
        Ok((!blends.iter().all(plain)).then_some("A blend mode is set"))
    }
}

impl<R> Context<'_, R> {
    /// PDF/X-1a knows the inks of the press and nothing else.
    pub(super) fn check_inks_only(&mut self, space: &Space, area: Option<Rect>) {
        if self.findings.wish.standard != Standard::X1a {
            return;
        }
        let place = area.zip(self.boxes).map(|(area, boxes)| boxes.place(area));
        let (rgb, _) = space.devices();
        // With an intent this is told as a colour that is not the output's.
        let lone_rgb = rgb && matches!(self.intent, None | Some(3));
        if lone_rgb || is_tagged(space) {
            let detail = "A colour is given by a profile, by calibration or as RGB, and PDF/X-1a holds only inks; convert it to the inks of the press.";
            let verdict = self.findings.wish.verdict(Rule::ColorTagged);
            self.findings.add(Rule::ColorTagged, self.page, place, detail.into(), verdict);
        }
    }
}

/// Some of the space is no ink's.
fn is_tagged(space: &Space) -> bool {
    match space {
        Space::Defined { .. } | Space::Lab => true,
        Space::Indexed(base, _) => is_tagged(base),
        Space::Inks { alternate, .. } => is_tagged(alternate),
        Space::Pattern(Some(under)) => is_tagged(under),
        Space::Gray | Space::Rgb | Space::Cmyk | Space::Pattern(None) => false,
    }
}
