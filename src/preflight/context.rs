//! What checks share while they go through a file: the reader, what is known by now, and where
//! findings go.

use super::font::Font;
use super::ink::PictureInk;
use super::layers::Layer;
use super::marks::Marks;
use super::masks::Through;
use super::outlined::Outlined;
use super::picture::Canvas;
use super::read::{Dict, PdfFile, ReadError};
use super::report::{Boxes, Findings};
use super::rule::Rule;
use super::space::Space;
use super::white::White;
use crate::color::Press;
use crate::control::Control;
use kurbo::Rect;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};
use std::sync::Arc;

/// Bytes of decoded forms that are kept to be drawn again.
const KEPT_FORMS: usize = 32 << 20;

/// What the checks share.
pub(crate) struct Context<'a, R> {
    pub(crate) file: PdfFile<R>,
    pub(crate) findings: Findings<'a>,
    pub(crate) control: Control<'a>,
    /// Pictures are unpacked to count their samples.
    pub(crate) unpacking: bool,
    /// The page being read, counted from 0.
    pub(crate) page: Option<u32>,
    /// Its boxes.
    pub(crate) boxes: Option<Boxes>,
    /// Components of the output intent's profile.
    pub(crate) intent: Option<usize>,
    /// What tells that profile from others.
    pub(crate) intent_profile: Option<Vec<u8>>,
    /// Layers by object number.
    pub(crate) layers: BTreeMap<u32, Layer>,
    /// Colour spaces by object number.
    pub(crate) spaces: BTreeMap<u32, Arc<Space>>,
    /// What patterns shade in, by object number.
    pub(crate) shadings: BTreeMap<u32, Arc<Space>>,
    /// Components of profiles by object number.
    pub(crate) profiles: BTreeMap<u32, usize>,
    /// ICC profiles of RGB by object number, where a press is asked what they become.
    pub(crate) icc: BTreeMap<u32, Arc<[u8]>>,
    /// The output intent's press, where ink is measured.
    pub(crate) press: Option<Arc<Press>>,
    /// The most ink that it makes of any colour, in per cent.
    pub(crate) press_most: Option<f64>,
    /// Ink of tagged colours in per cent, by profile and value.
    pub(crate) tagged_inks: BTreeMap<(Option<u32>, [u8; 3]), f64>,
    /// Ink of pictures by object number.
    pub(crate) loads: BTreeMap<u32, PictureInk>,
    /// Pictures by object number whose data was looked at, and whether it is white as far as is known.
    pub(crate) pictures: BTreeMap<u32, Option<bool>>,
    /// What soft masks of pictures let through, by object number.
    pub(crate) masks: BTreeMap<u32, Option<Through>>,
    /// Fonts by object number.
    pub(crate) fonts: BTreeMap<u32, Arc<Font>>,
    /// Spot inks by name, with a digest of their definition.
    pub(crate) spots: BTreeMap<String, [u8; 32]>,
    /// Spot inks that something is painted with.
    pub(crate) plates: BTreeSet<String>,
    /// Those of which something is seen on a page, or whose lack on one was told.
    pub(crate) seen_plates: BTreeSet<String>,
    /// Patterns and glyphs that this page has drawn.
    pub(crate) drawn: BTreeSet<u32>,
    /// What the page's marks have shown so far.
    pub(crate) marks: Marks,
    /// Areas that may turn out to be type.
    pub(crate) outlined: Outlined,
    /// Its white plates.
    pub(crate) white: White,
    /// A rough picture of the page, where one is wanted.
    pub(crate) canvas: Option<Canvas>,
    /// Trim size of the first page in mm.
    pub(crate) first_size: Option<[f64; 2]>,
    forms: BTreeMap<u32, Arc<Vec<u8>>>,
    forms_bytes: usize,
    steps: u64,
}

impl<'a, R: Read + Seek> Context<'a, R> {
    pub(crate) fn new(file: PdfFile<R>, findings: Findings<'a>, control: Control<'a>) -> Self {
        Context {
            file,
            findings,
            control,
            unpacking: true,
            page: None,
            boxes: None,
            intent: None,
            intent_profile: None,
            layers: BTreeMap::new(),
            spaces: BTreeMap::new(),
            shadings: BTreeMap::new(),
            profiles: BTreeMap::new(),
            icc: BTreeMap::new(),
            press: None,
            press_most: None,
            tagged_inks: BTreeMap::new(),
            loads: BTreeMap::new(),
            pictures: BTreeMap::new(),
            masks: BTreeMap::new(),
            fonts: BTreeMap::new(),
            spots: BTreeMap::new(),
            plates: BTreeSet::new(),
            seen_plates: BTreeSet::new(),
            drawn: BTreeSet::new(),
            marks: Marks::default(),
            outlined: Outlined::default(),
            white: White::default(),
            canvas: None,
            first_size: None,
            forms: BTreeMap::new(),
            forms_bytes: 0,
            steps: 0,
        }
    }

    /// A finding on the page being read, with its place in user space, or about the file.
    pub(crate) fn say(&mut self, rule: Rule, area: Option<Rect>, detail: impl Into<String>) {
        match self.page {
            Some(page) => {
                let place = area.zip(self.boxes).map(|(area, boxes)| boxes.place(area));
                self.findings.page(rule, page, place, detail);
            }
            None => self.findings.file(rule, detail),
        }
    }

    /// Counts a step of work that the file asks for, and looks whether somebody ends it.
    pub(crate) fn work(&mut self) -> Result<(), ReadError> {
        self.steps += 1;
        if self.steps > self.file.limits.operators {
            return Err(ReadError::limit(format!(
                "the pages take more than {} operators",
                self.file.limits.operators
            )));
        }
        if self.steps.is_multiple_of(10_000) {
            self.control.check().map_err(ReadError::Stopped)?;
        }
        Ok(())
    }

    /// A form's decoded content, kept for the next time it is drawn.
    pub(crate) fn form_data(
        &mut self,
        number: Option<u32>,
        form: &super::read::Indirect,
    ) -> Result<Arc<Vec<u8>>, ReadError> {
        if let Some(kept) = number.and_then(|number| self.forms.get(&number)) {
            return Ok(kept.clone());
        }
        let data =
            self.file.data(form)?.ok_or_else(|| ReadError::damaged("a content stream is a picture"))?;
        let data = Arc::new(data);
        if let Some(number) = number {
            self.forms_bytes += data.len();
            if self.forms_bytes > KEPT_FORMS {
                self.forms.clear();
                self.forms_bytes = data.len();
            }
            self.forms.insert(number, data.clone());
        }
        Ok(data)
    }

    /// A named resource; `None`, with a finding, where the page does not have it.
    pub(crate) fn resource(
        &mut self,
        resources: &Dict,
        category: &str,
        name: &str,
    ) -> Result<Option<super::read::Value>, ReadError> {
        let found = self.file.dict(resources, category)?.and_then(|dict| dict.get(name).cloned());
        let found = match found {
            Some(value) if self.file.resolve(&value)? != super::read::Value::Null => Some(value),
            Some(_) | None => None,
        };
        if found.is_none() {
            let what = match category {
                "Font" => "A font",
                "XObject" => "A picture or form",
                "ExtGState" => "A graphics state",
                "Pattern" => "A pattern",
                "Shading" => "A shading",
                "Properties" => "A layer",
                _ => "A resource",
            };
            let detail = format!("{what} is named that the page does not have; write the file again.");
            self.say(Rule::ContentResource, None, detail);
        }
        Ok(found)
    }
}
