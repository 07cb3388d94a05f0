//! Pages: the tree that holds them, their boxes, and their content from first to last.

use super::content::Mode;
use super::context::Context;
use super::marks::Marks;
use super::outlined::Outlined;
use super::picture::{Canvas, Grain};
use super::read::{Dict, ReadError, Value, rectangle};
use super::report::{Boxes, PageReport};
use super::rule::Rule;
use super::state::State;
use super::white::White;
use kurbo::{Affine, Rect};
use std::collections::BTreeSet;
use std::io::{Read, Seek};

/// What pages inherit from the nodes above them.
const INHERITED: &[&str] = &["Resources", "MediaBox", "CropBox", "Rotate"];

impl<R: Read + Seek> Context<'_, R> {
    /// The dictionaries of all pages, inherited entries filled in.
    pub(crate) fn pages(&mut self, root: &Value) -> Result<Vec<Dict>, ReadError> {
        let mut pages = Vec::new();
        let mut seen = BTreeSet::new();
        let mut waiting = vec![(root.clone(), Dict::default())];
        while let Some((node, inherited)) = waiting.pop() {
            self.work()?;
            if let Value::Ref(number, _) = node
                && !seen.insert(number)
            {
                return Err(ReadError::damaged(
                    "the tree of pages leads round in a circle, or names a page twice",
                ));
            }
            let Value::Dict(mut dict) = self.file.resolve(&node)? else {
                return Err(ReadError::damaged("the tree of pages has a node that is no dictionary"));
            };
            for key in INHERITED {
                if !dict.has(key)
                    && let Some(value) = inherited.get(key)
                {
                    dict.entries().push((key.as_bytes().into(), value.clone()));
                }
            }
            match self.file.list(&dict, "Kids")? {
                Some(_) if !dict.is("Type", "Page") => {
                    let kids = self.file.entry(&dict, "Kids")?;
                    let kids = kids.as_ref().and_then(Value::array).unwrap_or_default();
                    dict.entries().retain(|(key, _)| INHERITED.iter().any(|kept| kept.as_bytes() == &**key));
                    waiting.extend(kids.iter().rev().map(|kid| (kid.clone(), dict.clone())));
                    if waiting.len() > self.file.limits.pages as usize * 2 {
                        return Err(self.too_many());
                    }
                }
                _ => {
                    if pages.len() >= self.file.limits.pages as usize {
                        return Err(self.too_many());
                    }
                    pages.push(dict);
                }
            }
        }
        Ok(pages)
    }

    fn too_many(&self) -> ReadError {
        ReadError::limit(format!("the file has more than {} pages", self.file.limits.pages))
    }

    /// Checks one page whole. `drawn` asks for its picture.
    pub(crate) fn check_page(
        &mut self,
        index: u32,
        page: &Dict,
        drawn: bool,
    ) -> Result<Option<PageReport>, ReadError> {
        self.page = Some(index);
        self.boxes = None;
        self.marks = Marks::default();
        self.outlined = Outlined::default();
        self.white = White::default();
        self.drawn.clear();
        let Some(boxes) = self.boxes(page)? else { return Ok(None) };
        self.boxes = Some(boxes);
        let wish = self.findings.wish;
        let white = !wish.white.is_empty();
        // White is told from paper by what lies beneath it.
        let reversed = wish.line_min.or(wish.type_min).is_some() || self.safe_zone().is_some();
        let grain = match (white, drawn || wish.bleed_painted, reversed) {
            (true, ..) => Some(Grain::Fine),
            (false, true, _) => Some(Grain::Plain),
            (false, false, true) => Some(Grain::Rough),
            (false, false, false) => None,
        };
        self.canvas = grain.and_then(|grain| Canvas::new(boxes.media, grain));
        self.check_boxes(page, &boxes)?;
        let resources = self.file.dict(page, "Resources")?.unwrap_or_default();
        let group = self.file.dict(page, "Group")?;
        if let Some(group) = &group {
            self.group(group, &resources)?;
        }
        let data = self.page_content(page)?;
        let state = State::new(Affine::IDENTITY, boxes.media);
        self.content(&data, &resources, state, Mode::default())?;
        drop(data);
        if self.marks.transparent && group.is_none() {
            let detail = "The page has transparency but names no blending space; give it a transparency group with /CS.";
            self.say(Rule::GroupSpace, None, detail);
        }
        self.check_printed(&boxes);
        if wish.bleed_painted {
            self.check_bleed(&boxes);
        }
        self.judge_outlines();
        self.check_readable();
        self.check_intruders();
        self.check_page_plates(&boxes);
        self.check_coverage(index);
        let media = boxes.place(boxes.media);
        let trim = boxes.place(boxes.trim);
        let safe = self.safe_zone().map(|[left, right, lower, upper]| {
            [left, upper, trim[2] - left - right, trim[3] - upper - lower]
        });
        let picture = self.canvas.take().filter(|_| drawn).and_then(Canvas::png);
        self.page = None;
        Ok(Some(PageReport { page: index + 1, media, bleed: boxes.place(boxes.bleed), trim, safe, picture }))
    }

    /// All content streams of a page, joined as the standard joins them.
    fn page_content(&mut self, page: &Dict) -> Result<Vec<u8>, ReadError> {
        let parts = match page.get("Contents").cloned() {
            None => Vec::new(),
            Some(value) => match self.file.follow(&value)? {
                object if object.stream.is_some() => vec![value],
                object => object.value.array().unwrap_or_default().to_vec(),
            },
        };
        let mut whole = Vec::new();
        for part in parts {
            let object = self.file.follow(&part)?;
            let data = self
                .file
                .data(&object)?
                .ok_or_else(|| ReadError::damaged("a page's content is a picture"))?;
            if (whole.len() + data.len()) as u64 > self.file.limits.stream_bytes {
                return Err(ReadError::limit(format!(
                    "a page's content has more than {} bytes",
                    self.file.limits.stream_bytes
                )));
            }
            if whole.is_empty() {
                whole = data;
            } else {
                whole.push(b'\n');
                whole.extend(data);
            }
        }
        Ok(whole)
    }

    fn rect(&mut self, page: &Dict, key: &str) -> Result<Option<Rect>, ReadError> {
        Ok(self.file.list(page, key)?.and_then(|items| rectangle(&items)))
    }

    fn boxes(&mut self, page: &Dict) -> Result<Option<Boxes>, ReadError> {
        let media =
            self.rect(page, "MediaBox")?.filter(|media| media.width() >= 1.0 && media.height() >= 1.0);
        let Some(media) = media.filter(|media| media.width() <= 2e6 && media.height() <= 2e6) else {
            self.say(Rule::BoxMissing, None, "The page has no media box of a usable size; give it one.");
            return Ok(None);
        };
        let unit =
            self.file.entry(page, "UserUnit")?.and_then(|v| v.number()).filter(|u| *u > 0.0).unwrap_or(1.0);
        let crop = self.rect(page, "CropBox")?.unwrap_or(media);
        let (trim, art) = (self.rect(page, "TrimBox")?, self.rect(page, "ArtBox")?);
        let bleed = self.rect(page, "BleedBox")?;
        let trim = trim.or(art).unwrap_or(bleed.unwrap_or(crop));
        Ok(Some(Boxes { media, bleed: bleed.unwrap_or(trim), trim, unit }))
    }

    fn check_boxes(&mut self, page: &Dict, boxes: &Boxes) -> Result<(), ReadError> {
        let has = |key| page.has(key);
        let turn = self.file.entry(page, "Rotate")?;
        let quarters = |turn: &Value| turn.number().is_some_and(|angle| angle % 90.0 == 0.0);
        if turn.is_some_and(|turn| !quarters(&turn)) {
            self.say(
                Rule::BoxTurn,
                None,
                "The page is turned by an angle that is no multiple of 90°; turn it by quarters.",
            );
        }
        if !has("TrimBox") && !has("ArtBox") {
            self.say(
                Rule::BoxTrim,
                None,
                "The page has no trim box, so nobody knows where to cut; give it one.",
            );
        }
        if has("TrimBox") && has("ArtBox") {
            self.say(Rule::BoxArt, None, "The page has a trim box and an art box; keep the trim box.");
        }
        // Points are written with a few decimals.
        let within = |inner: Rect, outer: Rect| {
            let slack = 0.02;
            inner.x0 >= outer.x0 - slack
                && inner.y0 >= outer.y0 - slack
                && inner.x1 <= outer.x1 + slack
                && inner.y1 <= outer.y1 + slack
        };
        if !within(boxes.trim, boxes.bleed) {
            self.say(
                Rule::BoxNesting,
                Some(boxes.trim),
                "The trim box leaves the bleed box; the boxes have to lie in each other.",
            );
        }
        if let Some(crop) = self.rect(page, "CropBox")?.filter(|crop| !within(*crop, boxes.media)) {
            self.say(
                Rule::BoxNesting,
                Some(crop),
                "The crop box leaves the media box; the boxes have to lie in each other.",
            );
        }
        if !within(boxes.bleed, boxes.media) {
            self.say(
                Rule::BoxNesting,
                Some(boxes.bleed),
                "The bleed box leaves the media box; the boxes have to lie in each other.",
            );
        }
        let wish = self.findings.wish;
        let expected = self.page.and_then(|page| self.expected(page)).map(|page| page.trim);
        if let Some(least) = wish.bleed {
            let (b, t) = (boxes.bleed, boxes.trim);
            let sides = [t.x0 - b.x0, b.x1 - t.x1, t.y0 - b.y0, b.y1 - t.y1];
            let smallest = boxes.mm(sides.into_iter().fold(f64::INFINITY, f64::min));
            if smallest + 0.02 < least {
                let detail = format!(
                    "The bleed is {smallest:.2} mm on its smallest side, and the profile wants {least} mm; make it larger."
                );
                self.say(Rule::BleedSmall, Some(boxes.bleed), detail);
            }
        }
        let size = [boxes.mm(boxes.trim.width()), boxes.mm(boxes.trim.height())];
        let differs = |a: f64, b: f64| (a - b).abs() > 0.1;
        if let Some([width, height]) = expected.or(wish.trim)
            && (differs(size[0], width) || differs(size[1], height))
        {
            let detail = format!(
                "The page is {:.1} × {:.1} mm, and it should be {width:.1} × {height:.1} mm.",
                size[0], size[1]
            );
            self.say(Rule::PageSize, Some(boxes.trim), detail);
        }
        if let Some([cover, spine]) = wish.spine
            && differs(size[0], 2.0 * cover + spine)
        {
            let detail = format!(
                "The sheet is {:.1} mm wide, and two covers of {cover} mm with a spine of {spine} mm are {:.1} mm.",
                size[0],
                2.0 * cover + spine
            );
            self.say(Rule::PageSpine, Some(boxes.trim), detail);
        }
        if wish.same_size {
            match self.first_size {
                Some(first) if differs(first[0], size[0]) || differs(first[1], size[1]) => {
                    let detail = format!(
                        "The page is {:.1} × {:.1} mm, and the first is {:.1} × {:.1} mm.",
                        size[0], size[1], first[0], first[1]
                    );
                    self.say(Rule::BoxSizes, Some(boxes.trim), detail);
                }
                Some(_) => {}
                None => self.first_size = Some(size),
            }
        }
        Ok(())
    }

    /// Paint reaches the edge of the bleed on every side.
    fn check_bleed(&mut self, boxes: &Boxes) {
        let Some(canvas) = &self.canvas else { return };
        let b = boxes.bleed;
        let deep = boxes.units(0.3);
        let strips = [
            ("left", Rect::new(b.x0, b.y0, b.x0 + deep, b.y1)),
            ("right", Rect::new(b.x1 - deep, b.y0, b.x1, b.y1)),
            ("upper", Rect::new(b.x0, b.y1 - deep, b.x1, b.y1)),
            ("lower", Rect::new(b.x0, b.y0, b.x1, b.y0 + deep)),
        ];
        let bare: Vec<_> = strips.into_iter().filter(|(_, strip)| canvas.covered(*strip) < 0.97).collect();
        for (side, strip) in bare {
            let detail = format!(
                "Paint does not reach the {side} edge of the bleed, so a white line may show after cutting; let the background reach it."
            );
            self.say(Rule::BleedEmpty, Some(strip), detail);
        }
    }
}
