//! Colour spaces: what a page's colours are made of, and whether a spot ink is always the same.

use super::context::Context;
use super::read::{Dict, ReadError, Value};
use super::rule::Rule;
use crate::catalog::print::Standard;
use sha2::{Digest, Sha256};
use std::io::{Read, Seek};
use std::sync::Arc;

/// A colour space, as far as rules care.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Space {
    /// DeviceGray.
    Gray,
    /// DeviceRGB.
    Rgb,
    /// DeviceCMYK.
    Cmyk,
    /// A space that says what it means: ICC-based, calibrated, or a default for a device's.
    Defined {
        /// Components.
        components: usize,
        /// The number of the ICC profile's object, where it has one.
        icc: Option<u32>,
    },
    /// CIE L*a*b*.
    Lab,
    /// A table of colours of another space, a byte a component.
    Indexed(Arc<Space>, Arc<[u8]>),
    /// Inks by name, with what they look like elsewhere.
    Inks {
        /// One name a component.
        names: Vec<String>,
        /// The space they are shown in where they have no plate.
        alternate: Arc<Space>,
    },
    /// A pattern, and the colour of one that has none of its own.
    Pattern(Option<Arc<Space>>),
}

impl Space {
    /// How many numbers a colour has; `None` of a pattern.
    pub(crate) fn components(&self) -> Option<usize> {
        match self {
            Space::Gray | Space::Indexed(..) => Some(1),
            Space::Rgb | Space::Lab => Some(3),
            Space::Cmyk => Some(4),
            Space::Defined { components, .. } => Some(*components),
            Space::Inks { names, .. } => Some(names.len()),
            Space::Pattern(_) => None,
        }
    }

    /// The spot inks: every ink that is no process ink, `All` and `None` left out.
    pub(crate) fn spots(&self) -> Vec<&str> {
        match self {
            Space::Inks { names, .. } => {
                let process = ["Cyan", "Magenta", "Yellow", "Black", "All", "None"];
                names.iter().map(String::as_str).filter(|name| !process.contains(name)).collect()
            }
            Space::Indexed(base, _) => base.spots(),
            Space::Pattern(Some(under)) => under.spots(),
            Space::Gray
            | Space::Rgb
            | Space::Cmyk
            | Space::Lab
            | Space::Defined { .. }
            | Space::Pattern(None) => Vec::new(),
        }
    }

    /// The device spaces that this one comes down to: RGB, CMYK.
    pub(crate) fn devices(&self) -> (bool, bool) {
        match self {
            Space::Rgb => (true, false),
            Space::Cmyk => (false, true),
            Space::Indexed(base, _) => base.devices(),
            Space::Inks { alternate, .. } => alternate.devices(),
            Space::Pattern(Some(under)) => under.devices(),
            Space::Gray | Space::Lab | Space::Defined { .. } | Space::Pattern(None) => (false, false),
        }
    }
}

impl<R: Read + Seek> Context<'_, R> {
    /// Reads a colour space: a name, or an array. `resources` holds names and defaults.
    pub(crate) fn space(
        &mut self,
        value: &Value,
        resources: &Dict,
        depth: u32,
    ) -> Result<Arc<Space>, ReadError> {
        if let Value::Ref(number, _) = value
            && let Some(known) = self.spaces.get(number)
        {
            return Ok(known.clone());
        }
        self.work()?;
        if depth > 8 {
            return Err(ReadError::limit("colour spaces are nested deeper than 8"));
        }
        let resolved = self.file.resolve(value)?;
        let space = match &resolved {
            Value::Name(_) => self.named_space(&resolved, resources, depth)?,
            Value::Array(items) => Arc::new(self.array_space(items, resources, depth)?),
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Real(_)
            | Value::Text(_)
            | Value::Dict(_)
            | Value::Ref(..) => {
                return Err(ReadError::damaged("a colour space is malformed"));
            }
        };
        if let Value::Ref(number, _) = value {
            self.spaces.insert(*number, space.clone());
        }
        Ok(space)
    }

    fn named_space(&mut self, name: &Value, resources: &Dict, depth: u32) -> Result<Arc<Space>, ReadError> {
        let own = self.file.dict(resources, "ColorSpace")?.unwrap_or_default();
        let name = name.name().unwrap_or_default();
        let device = match name.as_str() {
            "DeviceGray" | "G" | "CalGray" => Some(("DefaultGray", Space::Gray)),
            "DeviceRGB" | "RGB" | "CalRGB" => Some(("DefaultRGB", Space::Rgb)),
            "DeviceCMYK" | "CMYK" => Some(("DefaultCMYK", Space::Cmyk)),
            "Pattern" => return Ok(Arc::new(Space::Pattern(None))),
            _ => None,
        };
        if let Some((default, space)) = device {
            let Some(replaced) = own.get(default).cloned() else { return Ok(Arc::new(space)) };
            // A default is never replaced by itself: one that names its device's space is none.
            let found = self.space(&replaced, &Dict::default(), depth + 1)?;
            let components = space.components().unwrap_or(1);
            let fits = found.components() == Some(components);
            return Ok(if fits { found } else { Arc::new(Space::Defined { components, icc: None }) });
        }
        match own.get(&name).cloned() {
            Some(found) => self.space(&found, resources, depth + 1),
            None => {
                self.say(
                    Rule::ContentResource,
                    None,
                    "A colour space is named that the page does not have; write the file again.",
                );
                Ok(Arc::new(Space::Gray))
            }
        }
    }

    fn array_space(&mut self, items: &[Value], resources: &Dict, depth: u32) -> Result<Space, ReadError> {
        let bad = || ReadError::damaged("a colour space is malformed");
        let kind = match items.first() {
            Some(first) => self.file.resolve(first)?.name().ok_or_else(bad)?,
            None => return Err(bad()),
        };
        let item = |index: usize| items.get(index).ok_or_else(bad);
        match kind.as_str() {
            "CalGray" => Ok(Space::Defined { components: 1, icc: None }),
            "CalRGB" => Ok(Space::Defined { components: 3, icc: None }),
            "Lab" => Ok(Space::Lab),
            "ICCBased" => self.icc_space(item(1)?),
            "Indexed" | "I" => {
                let base = self.space(item(1)?, resources, depth + 1)?;
                let table = match items.get(3) {
                    Some(table) => self.file.follow(table)?,
                    None => return Err(bad()),
                };
                let bytes = match (table.value.bytes(), table.stream) {
                    (Some(bytes), _) => bytes.to_vec(),
                    (None, Some(_)) => self.file.data(&table)?.unwrap_or_default(),
                    (None, None) => return Err(bad()),
                };
                Ok(Space::Indexed(base, bytes.into()))
            }
            "Separation" => {
                let name = self.file.resolve(item(1)?)?.name().ok_or_else(bad)?;
                let alternate = self.space(item(2)?, resources, depth + 1)?;
                self.same_spot(&name, items)?;
                Ok(Space::Inks { names: vec![name], alternate })
            }
            "DeviceN" => {
                let names = self.file.resolve(item(1)?)?;
                let names: Option<Vec<String>> =
                    names.array().map(|list| list.iter().filter_map(Value::name).collect());
                let names = names.filter(|names| !names.is_empty() && names.len() <= 32).ok_or_else(bad)?;
                let alternate = self.space(item(2)?, resources, depth + 1)?;
                self.device_n(&names, items, resources, depth)?;
                Ok(Space::Inks { names, alternate })
            }
            "Pattern" => match items.get(1) {
                Some(under) => Ok(Space::Pattern(Some(self.space(under, resources, depth + 1)?))),
                None => Ok(Space::Pattern(None)),
            },
            "DeviceGray" | "DeviceRGB" | "DeviceCMYK" | "G" | "RGB" | "CMYK" if items.len() == 1 => {
                self.named_space(&items[0], resources, depth).map(|space| (*space).clone())
            }
            _ => Err(bad()),
        }
    }

    fn icc_space(&mut self, value: &Value) -> Result<Space, ReadError> {
        if let Value::Ref(number, _) = value
            && let Some(components) = self.profiles.get(number)
        {
            return Ok(Space::Defined { components: *components, icc: Some(*number) });
        }
        let bad = || ReadError::damaged("an ICC-based colour space is malformed");
        let object = self.file.follow(value)?;
        let components = object.value.dict().and_then(|dict| dict.get("N")).and_then(Value::int);
        let components = components.filter(|n| matches!(n, 1 | 3 | 4)).ok_or_else(bad)? as usize;
        let profile = self.file.data(&object)?.ok_or_else(bad)?;
        let header = super::icc::Header::read(&profile);
        if components == 4 && self.findings.wish.standard == Standard::X4 && self.is_intents(&profile) {
            let detail = "An ICC-based CMYK has the output intent's own profile, so black type would be mixed anew; use DeviceCMYK.";
            self.say(Rule::ColorProfile, None, detail);
        }
        if let Some(header) = &header {
            self.check_icc_version(header);
        }
        if header.as_ref().is_none_or(|header| header.components != components) {
            self.say(
                Rule::ColorProfile,
                None,
                format!("An ICC-based colour space of {components} components has a broken profile or one of another kind; embed the right one."),
            );
        }
        if let Value::Ref(number, _) = value {
            self.profiles.insert(*number, components);
            // Only a press asks what tagged colours become.
            if components == 3 && self.press.is_some() {
                self.icc.insert(*number, profile.into());
            }
            return Ok(Space::Defined { components, icc: Some(*number) });
        }
        Ok(Space::Defined { components, icc: None })
    }

    /// True for the output intent's profile, by what it holds or by its identifier.
    fn is_intents(&self, profile: &[u8]) -> bool {
        self.intent_profile.is_some() && self.intent_profile == super::icc::identity(profile)
    }

    /// Several inks at once: the same ones always mix alike, and each spot ink that is described
    /// apart is what it is elsewhere.
    fn device_n(
        &mut self,
        names: &[String],
        items: &[Value],
        resources: &Dict,
        depth: u32,
    ) -> Result<(), ReadError> {
        let twice = names.iter().enumerate().any(|(i, name)| name != "None" && names[..i].contains(name));
        if twice {
            self.say(
                Rule::ColorInks,
                None,
                "A colour space of several inks names one of them twice; name each once.",
            );
        }
        self.same_spot(&names.join(" + "), items)?;
        let attributes = match items.get(4) {
            Some(value) => self.file.resolve(value)?.dict().cloned().unwrap_or_default(),
            None => return Ok(()),
        };
        let colorants = self.file.dict(&attributes, "Colorants")?.unwrap_or_default();
        for (name, value) in colorants.0.iter() {
            let space = self.space(value, resources, depth + 1)?;
            let own = String::from_utf8_lossy(name);
            let alike = matches!(&*space, Space::Inks { names, .. } if names.len() == 1 && *names[0] == *own);
            if !alike {
                self.say(
                    Rule::ColorInks,
                    None,
                    "A colour space of several inks describes one of them by another ink; name it as it is.",
                );
            }
        }
        Ok(())
    }

    /// Holds a spot ink against its earlier definition.
    fn same_spot(&mut self, name: &str, items: &[Value]) -> Result<(), ReadError> {
        let mut digest = Sha256::new();
        for item in &items[2..items.len().min(4)] {
            self.fingerprint(item, &mut digest, 0)?;
        }
        let digest: [u8; 32] = digest.finalize().into();
        match self.spots.get(name) {
            Some(known) if *known != digest => {
                let quoted = if name.len() <= 60 { name } else { "with a long name" };
                let detail =
                    format!("The spot ink {quoted} is defined in two ways; give it one alternate colour.");
                self.say(Rule::ColorSpot, None, detail);
            }
            Some(_) => {}
            None => {
                self.spots.insert(name.to_owned(), digest);
            }
        }
        Ok(())
    }

    /// Digests an object with everything it refers to, so that equal things written apart are equal.
    fn fingerprint(&mut self, value: &Value, digest: &mut Sha256, depth: u32) -> Result<(), ReadError> {
        self.work()?;
        if depth > 20 {
            return Err(ReadError::limit("a tint transform is nested deeper than 20"));
        }
        let object = self.file.follow(value)?;
        match &object.value {
            Value::Array(items) => {
                digest.update(format!("[{} ", items.len()));
                items.iter().try_for_each(|item| self.fingerprint(item, digest, depth + 1))?;
            }
            Value::Dict(dict) => {
                let mut entries: Vec<_> = dict.0.iter().collect();
                entries.sort_by(|a, b| a.0.cmp(&b.0));
                for (key, value) in entries {
                    if !matches!(&**key, b"Length" | b"Filter" | b"DecodeParms") {
                        digest.update([b"/", &**key, b" "].concat());
                        self.fingerprint(value, digest, depth + 1)?;
                    }
                }
                if object.stream.is_some() {
                    digest.update(self.file.data(&object)?.unwrap_or_default());
                }
            }
            Value::Int(_) | Value::Real(_) => {
                // 1 and 1.0 are one number.
                digest.update(format!("{} ", object.value.number().unwrap_or(0.0)));
            }
            Value::Null | Value::Bool(_) | Value::Name(_) | Value::Text(_) | Value::Ref(..) => {
                digest.update(format!("{:?} ", object.value));
            }
        }
        Ok(())
    }
}
