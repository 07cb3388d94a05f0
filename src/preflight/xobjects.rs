//! Pictures, forms and shadings, as they are drawn.

use super::content::{Content, Mode};
use super::context::Context;
use super::ink::PictureInk;
use super::marks::Kind;
use super::masks::Through;
use super::paint::Painted;
use super::paths::{clipped, narrow, unit_square};
use super::read::{Dict, Indirect, Lexer, ReadError, Value, filters, matrix, rectangle};
use super::rule::Rule;
use super::samples::{Claim, is_turned};
use super::space::Space;
use super::state::{Blend, Ink};
use super::white::Tints;
use kurbo::Affine;
use std::io::{Read, Seek};
use std::sync::Arc;

/// A picture, and what its samples have shown.
struct Drawn {
    size: [Option<u32>; 2],
    stencil: bool,
    /// It has a soft mask of its own.
    soft: bool,
    tints: Option<Tints>,
    load: Option<PictureInk>,
    /// It is white all over.
    paper: bool,
    /// What its soft mask lets through, where that is known.
    through: Option<Through>,
}

impl<R: Read + Seek> Context<'_, R> {
    /// `Do`.
    pub(crate) fn draw(&mut self, name: &str, content: &Content<'_>) -> Result<(), ReadError> {
        let Some(value) = self.resource(content.resources, "XObject", name)? else { return Ok(()) };
        let object = self.file.follow(&value)?;
        let Some(dict) = object.value.dict().filter(|_| object.stream.is_some()).cloned() else {
            self.say(
                Rule::ContentResource,
                None,
                "What a page draws is no picture and no form; write the file again.",
            );
            return Ok(());
        };
        let mode = match dict.get("OC").cloned() {
            Some(layer) => self.on_layer(&layer, content.mode)?,
            None => content.mode,
        };
        let kind = self.file.entry(&dict, "Subtype")?.and_then(|kind| kind.name()).unwrap_or_default();
        if kind == "Image" {
            return self.image(&value, &object, &dict, content, mode);
        }
        if kind == "Form" {
            return self.form(&value, content, mode);
        }
        // PostScript is found by the walk through the file's objects.
        Ok(())
    }

    /// A form, with its matrix, its box and its own resources.
    pub(crate) fn form(&mut self, value: &Value, content: &Content<'_>, mode: Mode) -> Result<(), ReadError> {
        let number = if let Value::Ref(number, _) = value { Some(*number) } else { None };
        let object = self.file.follow(value)?;
        let dict = object.value.dict().cloned().unwrap_or_default();
        let mut isolated = false;
        if dict.has("Group") {
            let group = self.file.dict(&dict, "Group")?.unwrap_or_default();
            self.group(&group, content.resources)?;
            isolated = self.file.entry(&group, "I")?.and_then(|v| v.bool()) == Some(true);
        }
        let own = self.file.dict(&dict, "Resources")?;
        let resources = own.unwrap_or_else(|| content.resources.clone());
        let placed =
            self.file.list(&dict, "Matrix")?.and_then(|items| matrix(&items)).unwrap_or(Affine::IDENTITY);
        let mut inner = content.inner(&resources, mode);
        inner.state.ctm *= placed;
        if dict.has("Group") {
            // What a group is painted with applies to the group as a whole.
            inner.state.multiplied = inner.state.multiplies();
            inner.state.isolated |= isolated;
            self.marks.transparent |= inner.state.is_transparent(inner.state.alpha_fill) && !mode.masking;
            (inner.state.alpha_fill, inner.state.alpha_stroke) = (1.0, 1.0);
            (inner.state.blend, inner.state.masked) = (Blend::Normal, false);
        }
        if let Some(area) = self.file.list(&dict, "BBox")?.and_then(|items| rectangle(&items)) {
            let outline = inner.state.ctm * super::picture::rectangle(area);
            narrow(self, &outline, false, &mut inner);
        }
        let data = self.form_data(number, &object)?;
        let state = inner.state.clone();
        self.content(&data, &resources, state, Mode { depth: mode.depth + 1, ..mode })
    }

    /// A transparency group has to name the space it blends in.
    pub(crate) fn group(&mut self, group: &Dict, resources: &Dict) -> Result<(), ReadError> {
        if !group.is("S", "Transparency") {
            return Ok(());
        }
        match group.get("CS").cloned() {
            None => self.say(
                Rule::GroupSpace,
                None,
                "A transparency group does not name its blending space, so presses may blend it as RGB; name it in /CS.",
            ),
            Some(space) => {
                let space = self.space(&space, resources, 0)?;
                self.check_space(&space, None);
            }
        }
        Ok(())
    }

    /// `sh`.
    pub(crate) fn shade(&mut self, name: &str, content: &Content<'_>) -> Result<(), ReadError> {
        let Some(value) = self.resource(content.resources, "Shading", name)? else { return Ok(()) };
        let dict = self.file.resolve(&value)?.dict().cloned().unwrap_or_default();
        let Some(space) = dict.get("ColorSpace").cloned() else { return Ok(()) };
        let space = self.space(&space, content.resources, 0)?;
        let Some(bounds) = clipped(content.state.clip, content.state.clip) else { return Ok(()) };
        let ink = Ink { values: vec![0.7; space.components().unwrap_or(0)], space, shading: None };
        let area = super::picture::rectangle(bounds);
        self.paint_in(Painted::area(Kind::Shading, &area), ink, &content.state, content.mode);
        Ok(())
    }

    fn image(
        &mut self,
        value: &Value,
        object: &Indirect,
        dict: &Dict,
        content: &Content<'_>,
        mode: Mode,
    ) -> Result<(), ReadError> {
        let side = |value: Option<Value>| value.and_then(|v| v.int()).and_then(|n| u32::try_from(n).ok());
        let size = [side(self.file.entry(dict, "Width")?), side(self.file.entry(dict, "Height")?)];
        let stencil = self.file.entry(dict, "ImageMask")?.and_then(|v| v.bool()) == Some(true);
        let ink = match dict.get("ColorSpace").cloned() {
            _ if stencil => content.state.fill.clone(),
            Some(space) => {
                let space = self.space(&space, content.resources, 0)?;
                Ink { values: vec![1.0; space.components().unwrap_or(0)], space, shading: None }
            }
            // Only JPEG 2000 may leave it to its data.
            None => {
                let jpx = self.file.filters(dict)?.iter().any(|(name, _)| name == "JPXDecode");
                if !jpx {
                    self.say(
                        Rule::ContentOperand,
                        None,
                        "A picture names no colour space; write the file again.",
                    );
                }
                let space = Arc::new(Space::Defined { components: 3, icc: None });
                Ink { space, values: Vec::new(), shading: None }
            }
        };
        if let Some(intent) = self.file.entry(dict, "Intent")? {
            self.rendering_intent(&intent);
        }
        for (key, soft) in [("SMask", true), ("Mask", false)] {
            if let Some(mask) = dict.get(key).cloned() {
                self.check_mask(&mask, soft)?;
            }
        }
        let soft = dict.has("SMask");
        let through = match dict.get("SMask").cloned() {
            Some(mask) => self.through(&mask, &content.state, mode)?,
            None => None,
        };
        let number = if let Value::Ref(number, _) = value { Some(*number) } else { None };
        let space = ink.space.clone();
        let decode = self.file.list(dict, "Decode")?.unwrap_or_default();
        let claim = Claim {
            number,
            size,
            bits: self.file.entry(dict, "BitsPerComponent")?.and_then(|v| v.int()),
            space: (!stencil).then_some(&*space),
            turned: is_turned(&decode),
        };
        let (load, counted) = self.picture_ink(object, dict, claim)?;
        self.check_samples(object, dict, claim, counted)?;
        let drawn = Drawn {
            size,
            stencil,
            soft,
            tints: if stencil { None } else { self.white_tints(object, dict, &ink, size)? },
            load,
            paper: self.is_white(object, dict, claim)?,
            through,
        };
        self.picture(drawn, ink, content, mode);
        Ok(())
    }

    /// The samples of a picture in white ink, where its plate is measured.
    fn white_tints(
        &mut self,
        object: &Indirect,
        dict: &Dict,
        ink: &Ink,
        size: [Option<u32>; 2],
    ) -> Result<Option<Tints>, ReadError> {
        let white = &self.findings.wish.white;
        let [Some(width), Some(height)] = size else { return Ok(None) };
        let alone = ink.space.components() == Some(1);
        let samples = u64::from(width) * u64::from(height);
        let bits = self.file.entry(dict, "BitsPerComponent")?.and_then(|v| v.int());
        if !alone || bits != Some(8) || samples > self.file.limits.stream_bytes {
            return Ok(None);
        }
        if !ink.space.spots().iter().any(|name| white.iter().any(|white| white == name)) {
            return Ok(None);
        }
        let Some(mut values) = self.file.data(object)? else { return Ok(None) };
        if values.len() as u64 != samples {
            return Ok(None);
        }
        let decode = self.file.list(dict, "Decode")?.unwrap_or_default();
        if decode.first().and_then(Value::number).is_some_and(|v| v > 0.5) {
            values.iter_mut().for_each(|v| *v = 255 - *v);
        }
        Ok(Some(Tints { width, height, values }))
    }

    fn picture(&mut self, drawn: Drawn, ink: Ink, content: &Content<'_>, mode: Mode) {
        let Drawn { size, stencil, soft, tints, load, paper, through } = drawn;
        let [Some(width), Some(height)] = size else {
            self.say(Rule::ContentOperand, None, "A picture does not say its size; write the file again.");
            return;
        };
        let outline = unit_square(content.state.ctm);
        let [a, b, c, d, ..] = content.state.ctm.as_coeffs();
        let unit = self.boxes.map_or(1.0, |boxes| boxes.unit);
        let inches = |x: f64, y: f64| libm::hypot(x, y) * unit / 72.0;
        let dpi = (f64::from(width) / inches(a, b)).min(f64::from(height) / inches(c, d));
        let kind = Kind::Image { pixels: [width, height], dpi, stencil };
        let mut state = content.state.clone();
        state.masked |= soft;
        let through = through.as_ref();
        let painted =
            Painted { tints: tints.as_ref(), load, paper, through, ..Painted::area(kind, &outline) };
        self.paint_in(painted, ink, &state, mode);
    }

    /// `BI … ID … EI`.
    pub(crate) fn inline_image(
        &mut self,
        lexer: &mut Lexer<'_>,
        content: &Content<'_>,
    ) -> Result<(), ReadError> {
        let dict = lexer.inline_entries()?;
        let get = |long: &str, short: &str| dict.get(long).or_else(|| dict.get(short)).cloned();
        let side = |value: Option<Value>| value.and_then(|v| v.int()).and_then(|n| u32::try_from(n).ok());
        let size = [side(get("Width", "W")), side(get("Height", "H"))];
        let stencil = get("ImageMask", "IM").and_then(|v| v.bool()) == Some(true);
        let space = match get("ColorSpace", "CS") {
            Some(space) => self.space(&space, content.resources, 0)?,
            None => Arc::new(Space::Gray),
        };
        let filters = filters(&dict);
        if filters.iter().any(|(name, _)| matches!(name.as_str(), "LZW" | "LZWDecode")) {
            self.lzw();
        }
        let length = match (filters.is_empty(), size) {
            (true, [Some(width), Some(height)]) => {
                let bits = if stencil { 1 } else { side(get("BitsPerComponent", "BPC")).unwrap_or(8) };
                let row = u64::from(width) * u64::from(bits) * space.components().unwrap_or(1) as u64;
                usize::try_from(row.div_ceil(8).saturating_mul(u64::from(height))).ok()
            }
            _ => None,
        };
        lexer.inline_data(length)?;
        let ink = if stencil {
            content.state.fill.clone()
        } else {
            Ink { values: vec![1.0; space.components().unwrap_or(0)], space, shading: None }
        };
        let drawn =
            Drawn { size, stencil, soft: false, tints: None, load: None, paper: false, through: None };
        self.picture(drawn, ink, content, content.mode);
        Ok(())
    }
}
