//! The file as a whole: header, identifiers, output intent, layers, viewer preferences.

use super::context::Context;
use super::icc::Header;
use super::read::{Dict, ReadError, Value};
use super::rule::Rule;
use std::io::{Read, Seek};

impl<R: Read + Seek> Context<'_, R> {
    /// Everything that is said once a file. Gives the catalog.
    pub(crate) fn check_document(&mut self, catalog: &Dict) -> Result<(), ReadError> {
        self.check_header(catalog)?;
        self.check_id()?;
        self.check_metadata(catalog)?;
        self.check_intents(catalog)?;
        if self.findings.wish.standard.is_flat() {
            self.check_flat_file(catalog)?;
        }
        self.check_layers(catalog)?;
        self.check_viewer(catalog)
    }

    fn check_header(&mut self, catalog: &Dict) -> Result<(), ReadError> {
        let head = self.file.bytes(0, 1024)?;
        let Some(at) = head.windows(5).position(|w| w == b"%PDF-") else {
            return Err(ReadError::damaged("the file does not begin with %PDF"));
        };
        let version = |text: &[u8]| match text {
            [major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9', ..] => Some((major - b'0', minor - b'0')),
            _ => None,
        };
        let newer =
            self.file.entry(catalog, "Version")?.and_then(|v| v.name()).and_then(|v| version(v.as_bytes()));
        let found = newer.max(version(&head[at + 5..]));
        if at > 0 {
            self.findings.file(
                Rule::FileVersion,
                "The file does not begin with its header; remove what stands before it.",
            );
        } else if found.is_none_or(|found| found > self.newest_version()) {
            let (major, minor) = self.newest_version();
            let detail = format!(
                "The file is of a newer version than PDF {major}.{minor}, which the standard is built on; write it as {major}.{minor}."
            );
            self.findings.file(Rule::FileVersion, detail);
        }
        Ok(())
    }

    fn check_id(&mut self) -> Result<(), ReadError> {
        let trailer = self.file.trailer.clone();
        let ids = self.file.list(&trailer, "ID")?.unwrap_or_default();
        let fine = ids.len() == 2 && ids.iter().all(|id| id.bytes().is_some_and(|id| !id.is_empty()));
        if !fine {
            self.findings.file(Rule::FileId, "The trailer has no pair of identifiers in /ID; give it one.");
        }
        Ok(())
    }

    fn check_intents(&mut self, catalog: &Dict) -> Result<(), ReadError> {
        let intents = self.file.list(catalog, "OutputIntents")?.unwrap_or_default();
        let ours: Vec<&Dict> =
            intents.iter().filter_map(Value::dict).filter(|dict| dict.is("S", "GTS_PDFX")).collect();
        let Some(intent) = ours.first().copied() else {
            self.findings.file(Rule::IntentMissing, "There is no output intent of PDF/X, so nobody knows what the colours are meant for; add one with its profile.");
            return Ok(());
        };
        if ours.len() > 1 {
            self.findings
                .file(Rule::IntentSeveral, "There is more than one output intent of PDF/X; keep one.");
        }
        let condition = self.file.entry(intent, "OutputConditionIdentifier")?;
        if condition.is_none_or(|v| v.bytes().is_none_or(<[u8]>::is_empty)) {
            self.findings.file(Rule::IntentIncomplete, "The output intent does not name its printing condition in /OutputConditionIdentifier; name it.");
        }
        if self.findings.wish.standard.is_flat() {
            self.check_flat_intent(intent)?;
        }
        let Some(profile) = intent.get("DestOutputProfile").cloned() else {
            if self.needs_no_profile(intent)? {
                // The registry's conditions are those of presses.
                self.intent = Some(4);
                return Ok(());
            }
            self.findings.file(
                Rule::IntentProfile,
                "The output intent has no profile in /DestOutputProfile; embed the press's.",
            );
            return Ok(());
        };
        let object = self.file.follow(&profile)?;
        let claimed = object.value.dict().and_then(|dict| dict.get("N")).and_then(Value::int);
        let data =
            if object.stream.is_some() { self.file.data(&object)?.unwrap_or_default() } else { Vec::new() };
        let header = Header::read(&data);
        if let Some(header) = &header {
            self.check_icc_version(header);
        }
        let what = match &header {
            None => Some("is no ICC profile, or is cut off"),
            Some(header) if header.class != *b"prtr" => Some("is not that of an output device"),
            Some(header) if header.version > 4 => Some("is of a newer ICC version than 4"),
            Some(header) if claimed != Some(header.components as i64) => {
                Some("has another number of components than it claims")
            }
            Some(_) => None,
        };
        if let Some(what) = what {
            self.findings
                .file(Rule::IntentProfile, format!("The output intent's profile {what}; embed the press's."));
        }
        self.intent_profile = super::icc::identity(&data);
        let process = header.as_ref().is_some_and(|header| header.components == 4);
        if process && self.findings.wish.ink_limit.is_some() {
            self.press = super::ink::press_of(data);
        }
        self.intent =
            header.map(|header| header.components).or(claimed.and_then(|n| usize::try_from(n).ok()));
        Ok(())
    }

    fn check_layers(&mut self, catalog: &Dict) -> Result<(), ReadError> {
        let Some(layers) = self.file.dict(catalog, "OCProperties")? else { return Ok(()) };
        let all: Vec<Value> = match self.file.entry(&layers, "OCGs")? {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        };
        self.read_layers(&layers, &all)?;
        let mut configs = self.file.list(&layers, "Configs")?.unwrap_or_default();
        configs.extend(self.file.entry(&layers, "D")?);
        let mut names: Vec<Vec<u8>> = Vec::new();
        for config in configs.iter().filter_map(Value::dict) {
            let name = self
                .file
                .entry(config, "Name")?
                .and_then(|v| v.bytes().map(<[u8]>::to_vec))
                .unwrap_or_default();
            let order = self.file.entry(config, "Order")?;
            let problem = if name.is_empty() {
                Some("has no name")
            } else if names.contains(&name) {
                Some("has the name of another")
            } else if config.has("AS") {
                Some("switches layers by event")
            } else if order.is_some_and(|order| !all.iter().all(|layer| mentions(&order, layer))) {
                Some("leaves a layer out of its order")
            } else {
                None
            };
            if let Some(problem) = problem {
                let detail =
                    format!("A configuration of layers {problem}, which PDF/X-4 does not allow; mend it.");
                self.findings.file(Rule::LayerConfig, detail);
            }
            names.push(name);
        }
        Ok(())
    }

    fn check_viewer(&mut self, catalog: &Dict) -> Result<(), ReadError> {
        let Some(wishes) = self.file.dict(catalog, "ViewerPreferences")? else { return Ok(()) };
        for key in ["ViewArea", "ViewClip", "PrintArea", "PrintClip"] {
            let named = self.file.entry(&wishes, key)?;
            if named.is_some_and(|area| !area.is_name("MediaBox") && !area.is_name("BleedBox")) {
                let detail = format!(
                    "The viewer preference {key} names a box other than the media or the bleed box; remove it."
                );
                self.findings.file(Rule::NoViewer, detail);
            }
        }
        Ok(())
    }
}

/// True where an order, at any depth, names a layer.
fn mentions(order: &Value, layer: &Value) -> bool {
    order == layer || order.array().is_some_and(|items| items.iter().any(|item| mentions(item, layer)))
}
