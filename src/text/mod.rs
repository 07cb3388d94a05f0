//! stub
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FontSpec {
    pub family: String,
    #[serde(default)]
    pub weight: u16,
    #[serde(default)]
    pub italic: bool,
}
impl FontSpec {
    pub fn family(s: &str) -> Self {
        FontSpec { family: s.into(), weight: 400, italic: false }
    }
}
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Align {
    #[default]
    Start,
    Center,
}
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VAlign {
    #[default]
    Top,
}
#[derive(Debug, Clone)]
pub struct FontLibrary;
impl FontLibrary {
    pub fn builtin() -> Self {
        FontLibrary
    }
    pub fn with_fonts(
        self,
        _: impl IntoIterator<Item = std::sync::Arc<[u8]>>,
        _l: &crate::asset::Limits,
    ) -> Result<Self, crate::error::Violations> {
        Ok(self)
    }
    pub fn fontdb(&self) -> std::sync::Arc<resvg::usvg::fontdb::Database> {
        todo!()
    }
}
pub enum Overflow {
    Allow,
}
pub enum MissingGlyph {
    Allow,
}
pub enum Run {
    Outline(kurbo::BezPath),
    Color(std::sync::Arc<crate::scene::Group>),
}
pub struct TextBlock<'a> {
    pub text: &'a str,
    pub font: &'a FontSpec,
    pub size: f64,
    pub min_size: Option<f64>,
    pub width: f64,
    pub height: f64,
    pub align: Align,
    pub valign: VAlign,
    pub line_height: f64,
    pub letter_spacing: f64,
    pub wrap: bool,
    pub max_lines: Option<usize>,
    pub overflow: Overflow,
    pub glyphs: MissingGlyph,
}
pub struct Laid {
    pub runs: Vec<Run>,
    pub overflows: bool,
    pub missing: usize,
}
pub fn layout(_: &FontLibrary, _: &TextBlock) -> Result<Laid, crate::error::Violation> {
    todo!()
}
