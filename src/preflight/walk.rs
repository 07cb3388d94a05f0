//! A walk through every object that the file uses, for what must not be in it.

use super::context::Context;
use super::read::{Dict, ReadError, Value, filters, rectangle};
use super::rule::Rule;
use std::collections::{BTreeSet, VecDeque};
use std::io::{Read, Seek};

/// The kinds of action, JavaScript left out.
const ACTIONS: &[&str] = &[
    "GoTo",
    "GoToR",
    "GoToE",
    "Launch",
    "Thread",
    "URI",
    "Sound",
    "Movie",
    "Hide",
    "Named",
    "SubmitForm",
    "ResetForm",
    "ImportData",
    "SetOCGState",
    "Rendition",
    "Trans",
    "GoTo3DView",
];
/// Annotations that play something.
const MEDIA: &[&str] = &["Screen", "Movie", "Sound", "3D", "RichMedia"];
/// Keys that lead back to what was seen.
const BACK: &[&[u8]] = &[b"Parent", b"P", b"Prev", b"Last"];

impl<R: Read + Seek> Context<'_, R> {
    /// Walks through what a page leads to, or the catalog. `seen` is shared by all walks.
    pub(crate) fn walk(&mut self, root: &Value, seen: &mut BTreeSet<u32>) -> Result<(), ReadError> {
        let mut waiting = VecDeque::new();
        self.look(root, false, &mut waiting, seen)?;
        while let Some(number) = waiting.pop_front() {
            self.work()?;
            let object = self.file.object(number)?;
            self.look(&object.value, object.stream.is_some(), &mut waiting, seen)?;
        }
        Ok(())
    }

    fn look(
        &mut self,
        value: &Value,
        stream: bool,
        waiting: &mut VecDeque<u32>,
        seen: &mut BTreeSet<u32>,
    ) -> Result<(), ReadError> {
        match value {
            Value::Ref(number, _) => {
                if seen.insert(*number) {
                    waiting.push_back(*number);
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.look(item, false, waiting, seen)?;
                }
            }
            Value::Dict(dict) => {
                self.forbidden(dict, stream)?;
                for (key, value) in dict.0.iter() {
                    if !BACK.contains(&&**key) {
                        self.look(value, false, waiting, seen)?;
                    }
                }
            }
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Real(_)
            | Value::Name(_)
            | Value::Text(_) => {}
        }
        Ok(())
    }

    fn forbidden(&mut self, dict: &Dict, stream: bool) -> Result<(), ReadError> {
        self.check_flat_object(dict, stream)?;
        let name = |key: &str| dict.get(key).and_then(Value::name).unwrap_or_default();
        let action = name("S");
        if action == "JavaScript" {
            self.say(Rule::NoScript, None, "The file has JavaScript; remove it.");
        } else if ACTIONS.contains(&action.as_str()) {
            self.say(Rule::NoAction, None, "The file has an action; remove it.");
        }
        if stream && filters(dict).iter().any(|(name, _)| name == "LZWDecode") {
            self.say(Rule::NoLzw, None, "A stream is compressed by LZW; compress it by Flate.");
        }
        if stream && (name("Subtype") == "PS" || name("Subtype2") == "PS") {
            self.say(Rule::NoPostScript, None, "The file has PostScript in it; draw it by PDF operators.");
        }
        // A soft mask may have one: it is no press's curve.
        let mask = dict.has("G") && matches!(action.as_str(), "Alpha" | "Luminosity");
        if !mask && (dict.has("TR") || dict.get("TR2").is_some_and(|curve| !curve.is_name("Default"))) {
            self.say(
                Rule::NoTransfer,
                None,
                "A transfer function changes the colours behind the profile's back; remove it.",
            );
        }
        let kind = dict.get("HalftoneType").and_then(Value::int);
        if dict.has("HTP") || kind.is_some_and(|kind| !matches!(kind, 1 | 5)) {
            self.say(
                Rule::NoHalftone,
                None,
                "A halftone is set that PDF/X does not allow; leave screening to the press.",
            );
        }
        if dict.has("OPI") {
            self.say(Rule::NoOpi, None, "A picture stands for another one by OPI; place the picture itself.");
        }
        if dict.has("Alternates") {
            self.say(
                Rule::NoAlternates,
                None,
                "A picture has alternates, and presses may choose another one; remove them.",
            );
        }
        let form = name("Subtype") == "Form";
        if stream && dict.has("F") || form && dict.has("Ref") {
            self.say(Rule::NoExternal, None, "Something is drawn that lies in another file; embed it.");
        }
        if dict.has("EF") || name("Type") == "EmbeddedFile" {
            self.say(Rule::NoEmbedded, None, "Another file lies within this one; remove it.");
        }
        if name("Type") == "Catalog" {
            let fields = self.file.dict(dict, "AcroForm")?;
            if fields.is_some() {
                self.say(Rule::NoForm, None, "The file has an interactive form; flatten it.");
            }
        }
        Ok(())
    }

    /// Annotations have to lie outside the bleed box.
    pub(crate) fn check_annotations(&mut self, page: &Dict) -> Result<(), ReadError> {
        for annotation in self.file.list(page, "Annots")?.unwrap_or_default() {
            self.work()?;
            let dict = annotation.dict().cloned().unwrap_or_default();
            let kind = self.file.entry(&dict, "Subtype")?.and_then(|v| v.name()).unwrap_or_default();
            let area = self.file.list(&dict, "Rect")?.and_then(|items| rectangle(&items));
            if MEDIA.contains(&kind.as_str()) {
                self.say(Rule::NoMedia, area, "The page has sound, film or 3D on it; remove it.");
                continue;
            }
            let (Some(area), Some(boxes)) = (area, self.boxes) else { continue };
            let bleed = boxes.bleed;
            let inside = area.x0 < bleed.x1 && area.x1 > bleed.x0 && area.y0 < bleed.y1 && area.y1 > bleed.y0;
            if inside && !matches!(kind.as_str(), "TrapNet" | "PrinterMark") {
                self.say(
                    Rule::NoAnnotation,
                    Some(area),
                    "An annotation lies on what is printed; remove it, or move it outside the bleed.",
                );
            }
        }
        Ok(())
    }
}
