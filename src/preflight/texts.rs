//! Text operators: where type stands, how large it is, and whether its font is in the file.

use super::content::{Content, Mode};
use super::context::Context;
use super::marks::{Kind, Mark};
use super::paint::Painted;
use super::paths::clipped;
use super::picture::rectangle;
use super::read::{ReadError, Value};
use super::rule::Rule;
use super::state::{State, thinnest};
use kurbo::{Affine, BezPath, Rect, Shape};
use std::io::{Read, Seek};

impl<R: Read + Seek> Context<'_, R> {
    /// Everything that begins with T, and the two quotes.
    pub(crate) fn text_operator(
        &mut self,
        name: &[u8],
        operands: &[Value],
        n: &[f64],
        content: &mut Content<'_>,
    ) -> Result<(), ReadError> {
        let text = &mut content.state.text;
        match name {
            b"Tc" => text.char_space = n[0],
            b"Tw" => text.word_space = n[0],
            b"Tz" => text.scale = n[0] / 100.0,
            b"TL" => text.leading = n[0],
            b"Ts" => text.rise = n[0],
            b"Tr" => text.mode = operands[0].int().unwrap_or(0),
            b"Tf" => {
                text.size = n[0];
                let name = operands[0].name().unwrap_or_default();
                let found = self.resource(content.resources, "Font", &name)?;
                content.state.text.font = match &found {
                    Some(value) => Some(self.font(value)?),
                    None => None,
                };
                if let (Some(font), Some(Value::Ref(number, _))) = (content.state.text.font.clone(), found)
                    && !font.glyphs.is_empty()
                    && self.drawn.insert(number)
                {
                    self.glyphs(&font, content)?;
                }
            }
            b"Td" => next_line(content, n[0], n[1]),
            b"TD" => {
                text.leading = -n[1];
                next_line(content, n[0], n[1]);
            }
            b"Tm" => {
                content.line = Affine::new([0, 1, 2, 3, 4, 5].map(|i| n[i]));
                content.text = content.line;
            }
            b"T*" => {
                let leading = text.leading;
                next_line(content, 0.0, -leading);
            }
            b"'" | b"\"" => {
                if let [word, char, ..] = n {
                    (text.word_space, text.char_space) = (*word, *char);
                }
                let leading = text.leading;
                next_line(content, 0.0, -leading);
                self.show(&operands[operands.len() - 1..], content);
            }
            b"Tj" => self.show(operands, content),
            _ => self.show(operands[0].array().unwrap_or_default(), content),
        }
        Ok(())
    }

    /// The contents that a font's glyphs are drawn by: once, for what they use.
    fn glyphs(&mut self, font: &super::font::Font, content: &Content<'_>) -> Result<(), ReadError> {
        let resources = font.resources.clone().unwrap_or_else(|| content.resources.clone());
        for glyph in &font.glyphs {
            let object = self.file.follow(glyph)?;
            if object.stream.is_some() {
                let data = self.form_data(None, &object)?;
                let state = State::new(content.state.ctm, Rect::new(-1e9, -1e9, 1e9, 1e9));
                let mode = Mode { repeated: true, depth: content.mode.depth + 1, ..content.mode };
                self.content(&data, &resources, state, mode)?;
            }
        }
        Ok(())
    }

    fn show(&mut self, pieces: &[Value], content: &mut Content<'_>) {
        let text = content.state.text.clone();
        let Some(font) = text.font else {
            self.say(
                Rule::ContentOperand,
                None,
                "Text is shown before a font is chosen; write the file again.",
            );
            return;
        };
        // Widths of empty space count too: they move what follows.
        let (mut along, mut from, mut to) = (0.0, f64::INFINITY, f64::NEG_INFINITY);
        for piece in pieces {
            if let Some(back) = piece.number() {
                along -= back / 1000.0 * text.size * text.scale;
                continue;
            }
            for (advance, space) in font.advances(piece.bytes().unwrap_or_default()) {
                let gap = text.char_space + if space { text.word_space } else { 0.0 };
                let end = along + advance * text.size * text.scale;
                if !space {
                    (from, to) = (from.min(along), f64::max(to, end));
                }
                along = end + gap * text.scale;
            }
        }
        let placed = content.state.ctm * content.text;
        content.text *= Affine::translate((along, 0.0));
        let (left, right) = if from > to { (0.0, along) } else { (from, to) };
        let glyphs = Rect::new(left, text.rise - 0.2 * text.size, right, text.rise + 0.75 * text.size).abs();
        let outline = placed * rectangle(glyphs);
        // What is invisible is not drawn by a font.
        if text.mode != 3 && pieces.iter().any(|piece| piece.bytes().is_some_and(|bytes| !bytes.is_empty())) {
            // Spaces, clips and what lies off the page ask for the font as well.
            let area = outline.bounding_box();
            self.check_font(&font, clipped(area, content.state.clip).unwrap_or(area));
        }
        // Modes 3 and 7 paint nothing.
        if from > to || matches!(text.mode, 3 | 7) {
            return;
        }
        let [_, _, c, d, ..] = placed.as_coeffs();
        let kind = Kind::Text { size: text.size.abs() * libm::hypot(c, d) };
        let state = &content.state;
        // Modes 1 and 5 draw outlines alone, 2 and 6 fill letters too.
        if matches!(text.mode, 2 | 6) {
            self.check_space(&state.stroke.space, Some(outline.bounding_box()));
        }
        let lined = matches!(text.mode, 1 | 5);
        let ink = if lined { &state.stroke } else { &state.fill };
        self.paint_in(Painted::area(kind, &outline), ink.clone(), state, content.mode);
        if lined {
            self.check_letters_line(&outline, state, content.mode);
        }
    }

    /// Letters that are drawn by their outlines alone are as thin as these.
    fn check_letters_line(&mut self, outline: &BezPath, state: &State, mode: Mode) {
        let Some(bounds) = clipped(outline.bounding_box(), state.clip) else { return };
        if mode.masking || mode.hidden || state.alpha_stroke <= 0.0 {
            return;
        }
        let thin = thinnest(outline, state.ctm, state.width);
        let mark = Mark {
            kind: Kind::Stroke { width: thin, thin },
            outline,
            even_odd: false,
            bounds,
            ink: state.stroke.clone(),
            overprint: false,
            alpha: state.alpha_stroke,
            tints: None,
            load: None,
            paper: false,
            // White is painted where it is seen.
            reversed: true,
        };
        let unit = self.boxes.map_or(1.0, |boxes| boxes.unit);
        self.check_line(&mark, thin * unit, mode);
    }
}

fn next_line(content: &mut Content<'_>, x: f64, y: f64) {
    content.line *= Affine::translate((x, y));
    content.text = content.line;
}
