//! Content streams, operator by operator: balance, operands and resources are checked here, and
//! whatever is painted is handed on as a mark (`marks`).

use super::context::Context;
use super::read::{Dict, Lexer, ReadError, Token, Value};
use super::rule::Rule;
use super::state::State;
use kurbo::{Affine, BezPath};
use std::io::{Read, Seek};

/// Graphics states that may wait for their `Q`.
const SAVED: usize = 500;
/// Operands of one operator.
const OPERANDS: usize = 500;

/// Where a content stream is drawn.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mode {
    /// In a tile or a glyph: places on the page are unknown.
    pub(crate) repeated: bool,
    /// In a soft mask: nothing is printed.
    pub(crate) masking: bool,
    /// On a layer that presses leave out.
    pub(crate) hidden: bool,
    /// The innermost layer around it that stands for a processing step.
    pub(crate) step: Option<u32>,
    /// Forms around it.
    pub(crate) depth: u32,
}

/// A content stream under way.
pub(crate) struct Content<'r> {
    pub(crate) resources: &'r Dict,
    pub(crate) mode: Mode,
    pub(crate) state: State,
    pub(crate) saved: Vec<State>,
    pub(crate) path: BezPath,
    pub(crate) clip: Option<bool>,
    pub(crate) line: Affine,
    pub(crate) text: Affine,
    in_text: bool,
    /// How things were drawn before each BMC and BDC that waits for its EMC.
    marked: Vec<Mode>,
    compatible: u32,
}

impl<'r> Content<'r> {
    /// The content that begins with a state.
    fn begin(resources: &'r Dict, state: State, mode: Mode) -> Self {
        Content {
            resources,
            mode,
            state,
            saved: Vec::new(),
            path: BezPath::new(),
            clip: None,
            line: Affine::IDENTITY,
            text: Affine::IDENTITY,
            in_text: false,
            marked: Vec::new(),
            compatible: 0,
        }
    }

    /// A form's content, which begins with this one's state.
    pub(crate) fn inner<'s>(&self, resources: &'s Dict, mode: Mode) -> Content<'s> {
        Content::begin(resources, self.state.clone(), mode)
    }
}

/// The operands that an operator takes: n a number, N a name, s a string, a an array, p a name
/// or a dictionary, * any number of anything.
fn signature(operator: &[u8]) -> Option<&'static str> {
    Some(match operator {
        b"q" | b"Q" | b"h" | b"S" | b"s" | b"f" | b"F" | b"f*" | b"B" | b"B*" | b"b" | b"b*" | b"n" => "",
        b"W" | b"W*" | b"BT" | b"ET" | b"T*" | b"EMC" | b"BX" | b"EX" => "",
        b"w" | b"j" | b"J" | b"M" | b"i" | b"Tc" | b"Tw" | b"Tz" | b"TL" | b"Tr" | b"Ts" | b"g" | b"G" => "n",
        b"d" => "an",
        b"ri" | b"gs" | b"CS" | b"cs" | b"sh" | b"Do" | b"MP" | b"BMC" => "N",
        b"DP" | b"BDC" => "Np",
        b"cm" | b"c" | b"Tm" | b"d1" => "nnnnnn",
        b"m" | b"l" | b"Td" | b"TD" | b"d0" => "nn",
        b"v" | b"y" | b"re" | b"K" | b"k" => "nnnn",
        b"RG" | b"rg" => "nnn",
        b"Tf" => "Nn",
        b"Tj" | b"'" => "s",
        b"\"" => "nns",
        b"TJ" => "a",
        b"SC" | b"SCN" | b"sc" | b"scn" => "*",
        _ => return None,
    })
}

fn fits(signature: &str, operands: &[Value]) -> bool {
    if signature == "*" {
        return operands
            .iter()
            .all(|v| v.number().is_some_and(f64::is_finite) || matches!(v, Value::Name(_)));
    }
    signature.len() == operands.len()
        && signature.bytes().zip(operands).all(|(kind, value)| match kind {
            b'n' => value.number().is_some_and(f64::is_finite),
            b'N' => matches!(value, Value::Name(_)),
            b's' => matches!(value, Value::Text(_)),
            b'a' => matches!(value, Value::Array(_)),
            _ => matches!(value, Value::Name(_) | Value::Dict(_)),
        })
}

impl<R: Read + Seek> Context<'_, R> {
    /// Reads a content stream to its end.
    pub(crate) fn content(
        &mut self,
        data: &[u8],
        resources: &Dict,
        state: State,
        mode: Mode,
    ) -> Result<(), ReadError> {
        if mode.depth > 28 {
            return Err(ReadError::limit("forms are nested deeper than 28, or in a circle"));
        }
        let mut lexer = Lexer::content(data, self.file.limits.depth);
        let mut content = Content::begin(resources, state, mode);
        let mut operands = Vec::new();
        while let Some(token) = lexer.token()? {
            match token {
                Token::Operand(value) => {
                    operands.push(value);
                    if operands.len() > OPERANDS {
                        return Err(ReadError::limit(format!(
                            "an operator has more than {OPERANDS} operands"
                        )));
                    }
                }
                Token::Operator(name) if *name == *b"BI" => {
                    self.work()?;
                    self.inline_image(&mut lexer, &content)?;
                    operands.clear();
                }
                Token::Operator(name) => {
                    self.work()?;
                    self.operator(&name, &operands, &mut content)?;
                    operands.clear();
                }
            }
        }
        self.balanced(&content, !operands.is_empty());
        Ok(())
    }

    fn balanced(&mut self, content: &Content<'_>, left: bool) {
        let open = [
            (!content.saved.is_empty(), "q is not followed by its Q"),
            (content.in_text, "BT is not followed by its ET"),
            (!content.marked.is_empty(), "BMC or BDC is not followed by its EMC"),
        ];
        for (_, what) in open.iter().filter(|(open, _)| *open) {
            self.say(
                Rule::ContentBalance,
                None,
                format!("The page's operators are not balanced: {what}; write the file again."),
            );
        }
        if left {
            self.say(
                Rule::ContentOperand,
                None,
                "A content stream ends with operands that no operator takes; write the file again.",
            );
        }
    }

    fn unbalanced(&mut self, what: &str) {
        self.say(
            Rule::ContentBalance,
            None,
            format!("The page's operators are not balanced: {what}; write the file again."),
        );
    }

    fn operator(
        &mut self,
        name: &[u8],
        operands: &[Value],
        content: &mut Content<'_>,
    ) -> Result<(), ReadError> {
        let Some(signature) = signature(name) else {
            // Within BX and EX a reader passes over it; the standard for print has no such licence.
            if content.compatible == 0 || self.findings.wish.standard.version().is_some() {
                self.say(
                    Rule::ContentOperator,
                    None,
                    "A content stream has an operator that PDF does not know; write the file again.",
                );
            }
            return Ok(());
        };
        if !fits(signature, operands) {
            let name = String::from_utf8_lossy(name);
            self.say(
                Rule::ContentOperand,
                None,
                format!("The operator {name} has the wrong operands; write the file again."),
            );
            return Ok(());
        }
        let numbers: Vec<f64> = operands.iter().filter_map(Value::number).collect();
        match name {
            b"q" => {
                if content.saved.len() >= SAVED {
                    return Err(ReadError::limit(format!(
                        "more than {SAVED} graphics states wait for their Q"
                    )));
                }
                content.saved.push(content.state.clone());
            }
            b"Q" => match content.saved.pop() {
                Some(state) => content.state = state,
                None => self.unbalanced("Q without its q"),
            },
            b"BT" => {
                if std::mem::replace(&mut content.in_text, true) {
                    self.unbalanced("BT within BT");
                }
                content.text = Affine::IDENTITY;
                content.line = Affine::IDENTITY;
            }
            b"ET" => {
                if !std::mem::replace(&mut content.in_text, false) {
                    self.unbalanced("ET without its BT");
                }
            }
            b"BMC" | b"BDC" => {
                if content.marked.len() >= SAVED {
                    return Err(ReadError::limit(format!("more than {SAVED} BMC or BDC wait for their EMC")));
                }
                content.marked.push(content.mode);
                if let (b"BDC", Some(Value::Name(_)), true) =
                    (name, operands.get(1), operands[0].is_name("OC"))
                {
                    let layer = operands[1].name().unwrap_or_default();
                    if let Some(layer) = self.resource(content.resources, "Properties", &layer)? {
                        content.mode = self.on_layer(&layer, content.mode)?;
                    }
                }
            }
            b"EMC" => match content.marked.pop() {
                Some(before) => content.mode = before,
                None => self.unbalanced("EMC without its BMC"),
            },
            b"BX" => content.compatible += 1,
            b"EX" => content.compatible = content.compatible.saturating_sub(1),
            b"cm" => {
                let by: [f64; 6] = [0, 1, 2, 3, 4, 5].map(|i| numbers[i]);
                content.state.ctm *= Affine::new(by);
            }
            b"w" => content.state.width = numbers[0].abs(),
            b"ri" => self.rendering_intent(&operands[0]),
            b"gs" => self.graphics_state(&operands[0], content)?,
            b"g" | b"G" | b"rg" | b"RG" | b"k" | b"K" | b"cs" | b"CS" | b"sc" | b"SC" | b"scn" | b"SCN" => {
                self.color_operator(name, operands, &numbers, content)?;
            }
            b"Do" => self.draw(&operands[0].name().unwrap_or_default(), content)?,
            b"sh" => self.shade(&operands[0].name().unwrap_or_default(), content)?,
            b"Tc" | b"Tw" | b"Tz" | b"TL" | b"Tr" | b"Ts" | b"Tf" | b"Td" | b"TD" | b"Tm" | b"T*" | b"Tj"
            | b"TJ" | b"'" | b"\"" => self.text_operator(name, operands, &numbers, content)?,
            b"j" | b"J" | b"M" | b"i" | b"d" | b"MP" | b"DP" | b"d0" | b"d1" => {}
            _ => self.path_operator(name, &numbers, content)?,
        }
        Ok(())
    }

    /// `ri` and `/RI`: one of four.
    pub(crate) fn rendering_intent(&mut self, intent: &Value) {
        let known = ["Perceptual", "RelativeColorimetric", "Saturation", "AbsoluteColorimetric"];
        if !intent.name().is_some_and(|name| known.contains(&name.as_str())) {
            self.say(
                Rule::ColorIntent,
                None,
                "A rendering intent is named that PDF does not know; use one of its four.",
            );
        }
    }
}
