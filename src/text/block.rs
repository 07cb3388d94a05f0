//! What is asked of text, and what comes back.

use super::glyph::Face;
use crate::scene::Group;
use kurbo::{BezPath, Rect};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;

/// A face of the font library.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FontSpec {
    /// The family's own name, in any case; or `serif`, `sans-serif`, `monospace`, `emoji`.
    pub family: String,
    /// 1 to 1000: 400 is regular, 700 bold. The family's nearest weight is taken, but bold is never faked.
    #[serde(default = "regular")]
    #[schemars(range(min = 1, max = 1000))]
    pub weight: u16,
    /// The family's italic or oblique face; it is never faked.
    #[serde(default)]
    pub italic: bool,
}

fn regular() -> u16 {
    400
}

impl FontSpec {
    /// The upright regular face of a family.
    pub fn family(name: &str) -> Self {
        FontSpec { family: name.to_owned(), weight: regular(), italic: false }
    }
}

/// Where lines stand in the box's width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Align {
    /// Left where the text starts with a left-to-right script, otherwise right.
    #[default]
    Start,
    /// In the middle.
    Center,
    /// Opposite of `start`.
    End,
    /// Left in any script.
    Left,
    /// Right in any script.
    Right,
    /// Spaces are widened to fill the width, except on a paragraph's last line.
    Justify,
}

/// Where the lines stand in the box's height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VAlign {
    /// The first line's top is the box's.
    #[default]
    Top,
    /// As much room above as below.
    Middle,
    /// The last line's bottom is the box's.
    Bottom,
}

/// What happens to text that does not fit at its smallest size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// `text.overflow`.
    #[default]
    Fail,
    /// It is laid out past its box, and [`Laid::overflows`] says so.
    Allow,
}

/// What happens to characters that no font has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingGlyph {
    /// `text.glyph_missing`.
    #[default]
    Fail,
    /// They are left blank, and [`Laid::missing`] counts them.
    Allow,
}

/// Text to be laid out in a box.
#[derive(Debug, Clone, Copy)]
pub struct TextBlock<'a> {
    /// The words. Line breaks are kept, control characters and escape sequences are dropped, and
    /// so is white space at either end.
    pub text: &'a str,
    /// The face; other faces of the library stand in for what it lacks.
    pub font: &'a FontSpec,
    /// Size of the em in mm.
    pub size: f64,
    /// The smallest size in mm to which the text may shrink to fit; without one it does not shrink.
    pub min_size: Option<f64>,
    /// The box's width in mm.
    pub width: f64,
    /// The box's height in mm.
    pub height: f64,
    /// Where lines stand in the box's width.
    pub align: Align,
    /// Where the lines stand in the box's height.
    pub valign: VAlign,
    /// Distance of baselines, in sizes.
    pub line_height: f64,
    /// Added between characters, in sizes.
    pub letter_spacing: f64,
    /// Lines are broken to the box's width, between words only. Otherwise only at line breaks.
    pub wrap: bool,
    /// More lines than this do not fit.
    pub max_lines: Option<usize>,
    /// What happens to text that does not fit.
    pub overflow: Overflow,
    /// What happens to characters that no font has.
    pub glyphs: MissingGlyph,
}

/// Something to paint.
#[derive(Debug, Clone)]
pub enum Run {
    /// The outlines of all plain glyphs, in mm from the box's top left corner, y down; non-zero fill.
    Outline(BezPath),
    /// A glyph with colours of its own, in the same coordinates.
    Color(Arc<Group>),
}

/// A glyph in its place, for effects, text on a path and live text in documents.
#[derive(Debug, Clone, PartialEq)]
pub struct PlacedGlyph {
    /// Index into [`Laid::faces`].
    pub face: usize,
    /// The face's glyph.
    pub glyph: u32,
    /// Origin on the baseline, in mm from the box's left edge.
    pub x: f64,
    /// Origin on the baseline, in mm from the box's top edge, y down.
    pub y: f64,
    /// Distance to the next glyph's origin in mm, spacing included.
    pub advance: f64,
    /// Which line, from 0.
    pub line: usize,
    /// The bytes of [`Laid::text`] whose first character this glyph belongs to.
    pub range: Range<usize>,
}

/// Text in its place.
#[derive(Debug, Clone)]
pub struct Laid {
    /// What is painted, in order: the outlines, then colour glyphs.
    pub runs: Vec<Run>,
    /// The size used, in mm.
    pub size: f64,
    /// How many lines.
    pub lines: usize,
    /// What the glyphs cover in the box's coordinates, in mm; empty where there are none.
    pub ink: Rect,
    /// It is smaller than was asked.
    pub shrunk: bool,
    /// It does not fit its box. Only with [`Overflow::Allow`].
    pub overflows: bool,
    /// How many characters are left blank since no font has them. Only with [`MissingGlyph::Allow`].
    pub missing: usize,
    /// The scripts of those characters, by name.
    pub missing_scripts: Vec<&'static str>,
    /// The words as they were laid out.
    pub text: String,
    /// The faces that the glyphs come from.
    pub faces: Vec<Face>,
    /// Every glyph, line by line, left to right.
    pub glyphs: Vec<PlacedGlyph>,
}
