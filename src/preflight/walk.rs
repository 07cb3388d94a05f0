//! A walk through every object that the file uses, for what must not be in it. A key is judged by the
//! object that it stands in: a font may be called `TR` and a style `OPI`.

use super::context::Context;
use super::read::{Dict, ReadError, Value, rectangle};
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

/// What an object is by the place that leads to it: names of resources and keys of private data say
/// nothing, whatever they look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Keys mean what the standard says.
    Plain,
    /// Keys are names that somebody gave.
    Named,
    /// Categories of resources.
    Resources,
    /// Graphics states by name.
    States,
    /// A graphics state.
    State,
    /// A halftone of a process ink, or of all.
    Halftone,
    /// A halftone of another ink, which has to have a curve.
    SpotHalftone,
    /// Actions by event.
    Actions,
    /// An action, or several.
    Action,
}

impl Role {
    /// What an entry is; `None` where it leads back, or to what is the writer's own business.
    fn of_entry(self, key: &[u8]) -> Option<Role> {
        Some(match self {
            Role::Named => Role::Plain,
            Role::States => Role::State,
            Role::Actions => Role::Action,
            Role::Resources => match key {
                b"ExtGState" => Role::States,
                b"Font" | b"XObject" | b"ColorSpace" | b"Pattern" | b"Shading" | b"Properties" => Role::Named,
                _ => Role::Plain,
            },
            Role::State if key == b"HT" => Role::Halftone,
            Role::Halftone | Role::SpotHalftone => match key {
                b"Cyan" | b"Magenta" | b"Yellow" | b"Black" | b"Gray" | b"Red" | b"Green" | b"Blue" => {
                    Role::Halftone
                }
                _ => Role::SpotHalftone,
            },
            Role::Plain | Role::State | Role::Action => match key {
                _ if BACK.contains(&key) => return None,
                b"StructTreeRoot" | b"PieceInfo" => return None,
                b"Resources" | b"DR" => Role::Resources,
                b"A" | b"OpenAction" | b"PA" | b"Next" => Role::Action,
                b"AA" => Role::Actions,
                b"CharProcs" | b"Colorants" | b"Dests" => Role::Named,
                _ => Role::Plain,
            },
        })
    }
}

impl<R: Read + Seek> Context<'_, R> {
    /// Walks through what a page leads to, or the catalog. `seen` is shared by all walks.
    pub(crate) fn walk(&mut self, root: &Value, seen: &mut BTreeSet<(u32, Role)>) -> Result<(), ReadError> {
        let mut waiting = VecDeque::new();
        self.look(root, false, Role::Plain, &mut waiting, seen)?;
        while let Some((number, role)) = waiting.pop_front() {
            self.work()?;
            let object = self.file.object(number)?;
            self.look(&object.value, object.stream.is_some(), role, &mut waiting, seen)?;
        }
        Ok(())
    }

    fn look(
        &mut self,
        value: &Value,
        stream: bool,
        role: Role,
        waiting: &mut VecDeque<(u32, Role)>,
        seen: &mut BTreeSet<(u32, Role)>,
    ) -> Result<(), ReadError> {
        match value {
            Value::Ref(number, _) => {
                if seen.insert((*number, role)) {
                    waiting.push_back((*number, role));
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.look(item, false, role, waiting, seen)?;
                }
            }
            Value::Dict(dict) => {
                match role {
                    Role::Named | Role::Resources | Role::States | Role::Actions => {}
                    Role::State => self.forbidden_in_state(dict)?,
                    Role::Halftone | Role::SpotHalftone => self.forbidden_in_halftone(dict, role)?,
                    Role::Plain | Role::Action => self.forbidden(dict, stream, role)?,
                }
                for (key, value) in dict.0.iter() {
                    if let Some(role) = role.of_entry(key) {
                        self.look(value, false, role, waiting, seen)?;
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

    /// An entry that is a name; empty where it is none.
    fn name_of(&mut self, dict: &Dict, key: &str) -> Result<String, ReadError> {
        Ok(self.file.entry(dict, key)?.and_then(|value| value.name()).unwrap_or_default())
    }

    fn forbidden(&mut self, dict: &Dict, stream: bool, role: Role) -> Result<(), ReadError> {
        self.check_flat_object(dict, stream, false)?;
        let action = self.name_of(dict, "S")?;
        if action == "JavaScript" && (role == Role::Action || dict.has("JS")) {
            self.say(Rule::NoScript, None, "The file has JavaScript; remove it.");
        } else if role == Role::Action && ACTIONS.contains(&action.as_str()) {
            self.say(Rule::NoAction, None, "The file has an action; remove it.");
        }
        if stream {
            self.forbidden_in_stream(dict)?;
        }
        let kind = self.name_of(dict, "Type")?;
        if kind == "EmbeddedFile" || self.holds_file(dict)? {
            self.say(Rule::NoEmbedded, None, "Another file lies within this one; remove it.");
        }
        let mut steps = kind == "Page" && dict.has("PresSteps");
        if kind == "Catalog" {
            if self.file.dict(dict, "AcroForm")?.is_some() {
                self.say(Rule::NoForm, None, "The file has an interactive form; flatten it.");
            }
            let names = self.file.dict(dict, "Names")?;
            steps |= names.is_some_and(|names| names.has("AlternatePresentations"));
        }
        if steps {
            let detail =
                "The file shows its pages as steps of a presentation, or in another order; remove that.";
            self.say(Rule::NoPresentation, None, detail);
        }
        Ok(())
    }

    /// True for a specification of a file that lies in this one.
    fn holds_file(&mut self, dict: &Dict) -> Result<bool, ReadError> {
        let Some(held) = self.file.dict(dict, "EF")? else { return Ok(false) };
        Ok(["F", "UF", "DOS", "Mac", "Unix"].into_iter().any(|key| held.has(key)))
    }

    fn forbidden_in_stream(&mut self, dict: &Dict) -> Result<(), ReadError> {
        if self.file.filters(dict)?.iter().any(|(name, _)| name == "LZWDecode") {
            self.lzw();
        }
        let subtype = self.name_of(dict, "Subtype")?;
        let form = subtype == "Form";
        let program = form && (dict.has("PS") || self.name_of(dict, "Subtype2")? == "PS");
        if program || subtype == "PS" {
            self.say(Rule::NoPostScript, None, "The file has PostScript in it; draw it by PDF operators.");
        }
        if (form || subtype == "Image") && dict.has("OPI") {
            self.say(Rule::NoOpi, None, "A picture stands for another one by OPI; place the picture itself.");
        }
        if subtype == "Image" && dict.has("Alternates") {
            self.say(
                Rule::NoAlternates,
                None,
                "A picture has alternates, and presses may choose another one; remove them.",
            );
        }
        if dict.has("F") || form && dict.has("Ref") {
            self.say(Rule::NoExternal, None, "Something is drawn that lies in another file; embed it.");
        }
        Ok(())
    }

    /// Says that a stream, or a picture among operators, is compressed by LZW.
    pub(crate) fn lzw(&mut self) {
        self.say(Rule::NoLzw, None, "A stream is compressed by LZW; compress it by Flate.");
    }

    fn forbidden_in_state(&mut self, dict: &Dict) -> Result<(), ReadError> {
        self.check_flat_object(dict, false, true)?;
        let newer = self.file.entry(dict, "TR2")?;
        if dict.has("TR") || newer.is_some_and(|curve| !curve.is_name("Default")) {
            self.transfer();
        }
        if dict.has("HTP") {
            self.halftone();
        }
        Ok(())
    }

    fn forbidden_in_halftone(&mut self, dict: &Dict, role: Role) -> Result<(), ReadError> {
        let kind = self.file.entry(dict, "HalftoneType")?.and_then(|kind| kind.int());
        let named = self.file.entry(dict, "HalftoneName")?;
        let usual = |name: &Value| name.is_name("Default") || name.bytes() == Some(b"Default");
        if kind.is_some_and(|kind| !matches!(kind, 1 | 5)) || named.is_some_and(|name| !usual(&name)) {
            self.halftone();
        }
        if role == Role::Halftone && dict.has("TransferFunction") {
            self.transfer();
        }
        Ok(())
    }

    fn transfer(&mut self) {
        self.say(
            Rule::NoTransfer,
            None,
            "A transfer function changes the colours behind the profile's back; remove it.",
        );
    }

    fn halftone(&mut self) {
        self.say(
            Rule::NoHalftone,
            None,
            "A halftone is set that PDF/X does not allow; leave screening to the press.",
        );
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
            // What is made for printing may lie in the bleed, but not on what is left after the cut.
            let made_for_print = matches!(kind.as_str(), "TrapNet" | "PrinterMark");
            let kept = if made_for_print { boxes.trim } else { boxes.bleed };
            if area.x0 < kept.x1 && area.x1 > kept.x0 && area.y0 < kept.y1 && area.y1 > kept.y0 {
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
