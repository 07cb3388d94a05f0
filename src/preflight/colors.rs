//! Colour operators, and what ExtGState dictionaries set.

use super::content::{Content, Mode};
use super::context::Context;
use super::read::{Dict, ReadError, Value};
use super::rule::Rule;
use super::space::Space;
use super::state::{Blend, Ink, State};
use kurbo::{Affine, Rect};
use std::io::{Read, Seek};
use std::sync::Arc;

/// Blend modes that PDF knows beside Normal and Multiply.
const BLENDS: &[&str] = &[
    "Screen",
    "Overlay",
    "Darken",
    "Lighten",
    "ColorDodge",
    "ColorBurn",
    "HardLight",
    "SoftLight",
    "Difference",
    "Exclusion",
    "Hue",
    "Saturation",
    "Color",
    "Luminosity",
];

impl<R: Read + Seek> Context<'_, R> {
    /// `g rg k cs sc scn` and their large twins, which are for strokes.
    pub(crate) fn color_operator(
        &mut self,
        name: &[u8],
        operands: &[Value],
        numbers: &[f64],
        content: &mut Content<'_>,
    ) -> Result<(), ReadError> {
        let stroking = name[0].is_ascii_uppercase();
        let device = match name.to_ascii_lowercase().as_slice() {
            b"g" => Some("DeviceGray"),
            b"rg" => Some("DeviceRGB"),
            b"k" => Some("DeviceCMYK"),
            b"cs" => None,
            _ => {
                let old = if stroking { &content.state.stroke } else { &content.state.fill };
                let mut ink = Ink { space: old.space.clone(), values: numbers.to_vec(), shading: None };
                self.check_values(&ink, operands);
                if let (Space::Pattern(_), Some(name)) = (&*ink.space, operands.last().and_then(Value::name))
                {
                    ink.shading = self.pattern(&name, content)?;
                }
                *slot(content, stroking) = ink;
                return Ok(());
            }
        };
        let ink = match device {
            Some(device) => {
                let space = self.space(&Value::Name(device.as_bytes().into()), content.resources, 0)?;
                Ink { space, values: numbers.to_vec(), shading: None }
            }
            None => Ink::initial(self.space(&operands[0], content.resources, 0)?),
        };
        *slot(content, stroking) = ink;
        Ok(())
    }

    fn check_values(&mut self, ink: &Ink, operands: &[Value]) {
        let pattern = matches!(operands.last(), Some(Value::Name(_)));
        let fine = match (&*ink.space, ink.space.components()) {
            (Space::Pattern(_), _) => pattern,
            (_, components) => !pattern && components == Some(ink.values.len()),
        };
        if !fine {
            self.say(
                Rule::ContentOperand,
                None,
                "A colour has too many or too few components for its space; write the file again.",
            );
        }
    }

    /// A tile's content, once a page, for what it uses. Gives the space of a pattern that is a shading.
    fn pattern(&mut self, name: &str, content: &Content<'_>) -> Result<Option<Arc<Space>>, ReadError> {
        let Some(value) = self.resource(content.resources, "Pattern", name)? else { return Ok(None) };
        let number = if let Value::Ref(number, _) = value { Some(number) } else { None };
        if let Some(number) = number
            && !self.drawn.insert(number)
        {
            return Ok(self.shadings.get(&number).cloned());
        }
        let object = self.file.follow(&value)?;
        let dict = object.value.dict().cloned().unwrap_or_default();
        let matrix = self.file.list(&dict, "Matrix")?.and_then(|items| super::read::matrix(&items));
        let mode = Mode { repeated: true, depth: content.mode.depth + 1, ..content.mode };
        if object.stream.is_none() {
            // A shading: its colours.
            let shading = self.file.dict(&dict, "Shading")?.unwrap_or_default();
            let space = self.shading_space(&shading, content)?;
            if let (Some(number), Some(space)) = (number, &space) {
                self.shadings.insert(number, space.clone());
            }
            return Ok(space);
        }
        let resources = self.file.dict(&dict, "Resources")?.unwrap_or_default();
        let data = self.form_data(None, &object)?;
        let state = State::new(matrix.unwrap_or(Affine::IDENTITY), Rect::new(-1e9, -1e9, 1e9, 1e9));
        self.content(&data, &resources, state, mode)?;
        Ok(None)
    }

    /// A shading's colour space, as if something were painted with it.
    fn shading_space(
        &mut self,
        shading: &Dict,
        content: &Content<'_>,
    ) -> Result<Option<Arc<Space>>, ReadError> {
        let Some(space) = shading.get("ColorSpace").cloned() else { return Ok(None) };
        let space = self.space(&space, content.resources, 0)?;
        self.check_space(&space, None);
        if !content.mode.masking && !content.mode.hidden {
            self.plates.extend(space.spots().into_iter().map(str::to_owned));
        }
        Ok(Some(space))
    }

    /// `gs`.
    pub(crate) fn graphics_state(
        &mut self,
        name: &Value,
        content: &mut Content<'_>,
    ) -> Result<(), ReadError> {
        let name = name.name().unwrap_or_default();
        let Some(found) = self.resource(content.resources, "ExtGState", &name)? else { return Ok(()) };
        let dict = self.file.resolve(&found)?.dict().cloned().unwrap_or_default();
        let number = |value: Option<Value>| value.and_then(|v| v.number()).map(|v| v.clamp(0.0, 1.0));
        let flag = |value: Option<Value>| value.and_then(|v| v.bool());
        let state = &mut content.state;
        if let Some(width) = self.file.entry(&dict, "LW")?.and_then(|v| v.number()) {
            state.width = width.abs();
        }
        if let Some(alpha) = number(self.file.entry(&dict, "CA")?) {
            state.alpha_stroke = alpha;
        }
        if let Some(alpha) = number(self.file.entry(&dict, "ca")?) {
            state.alpha_fill = alpha;
        }
        let (large, small) = (flag(self.file.entry(&dict, "OP")?), flag(self.file.entry(&dict, "op")?));
        if let Some(on) = large {
            state.overprint_stroke = on;
            // Without a small one the large one is for both.
            state.overprint_fill = small.unwrap_or(on);
        }
        if let Some(on) = small {
            state.overprint_fill = on;
        }
        if let Some(mode) = self.file.entry(&dict, "OPM")?.and_then(|v| v.int()) {
            state.zero_leaves = mode == 1;
        }
        if let Some(mode) = self.file.entry(&dict, "BM")? {
            let names: Vec<String> =
                mode.array().unwrap_or(std::slice::from_ref(&mode)).iter().filter_map(Value::name).collect();
            match blend(&names) {
                Some(blend) => content.state.blend = blend,
                None => self.say(
                    Rule::BlendMode,
                    None,
                    "A blend mode is named that PDF does not know; use one of its sixteen.",
                ),
            }
        }
        if let Some(intent) = self.file.entry(&dict, "RI")? {
            self.rendering_intent(&intent);
        }
        if let Some(font) = self.file.list(&dict, "Font")?
            && let (Some(Value::Array(raw)), Some(size)) =
                (dict.get("Font"), font.get(1).and_then(Value::number))
            && let Some(value) = raw.first()
        {
            content.state.text.font = Some(self.font(value)?);
            content.state.text.size = size;
        }
        match self.file.entry(&dict, "SMask")? {
            Some(Value::Dict(mask)) => {
                content.state.masked = true;
                self.soft_mask(&mask, content)?;
            }
            Some(_) => content.state.masked = false,
            None => {}
        }
        Ok(())
    }

    fn soft_mask(&mut self, mask: &Dict, content: &Content<'_>) -> Result<(), ReadError> {
        let Some(value) = mask.get("G").cloned() else { return Ok(()) };
        if let Value::Ref(number, _) = value
            && !self.drawn.insert(number)
        {
            return Ok(());
        }
        let mode = Mode { masking: true, ..content.mode };
        self.form(&value, content, mode)
    }
}

fn slot<'c>(content: &'c mut Content<'_>, stroking: bool) -> &'c mut Ink {
    if stroking { &mut content.state.stroke } else { &mut content.state.fill }
}

/// The first of the modes that is known.
fn blend(names: &[String]) -> Option<Blend> {
    names.iter().find_map(|name| match name.as_str() {
        "Normal" | "Compatible" => Some(Blend::Normal),
        "Multiply" => Some(Blend::Multiply),
        other => BLENDS.contains(&other).then_some(Blend::Other),
    })
}
