//! Which ink a colour of the art becomes.
//!
//! Swatches are matched on computed colours while the tree is converted, so attributes, CSS,
//! `currentColor`, `use` and gradient stops all follow, and a spot ink stays a spot. Elements
//! named by id are found by parsing once more with a style sheet that gives each of them a
//! colour which the art does not use; both trees are then walked in step.

use crate::error::{Code, Violation};
use crate::scene::{Color, Ink};
use indexmap::IndexMap;
use resvg::usvg;
use std::collections::{BTreeMap, BTreeSet};

/// What to recolour. The narrowest wish wins: an element's id, then a swatch, then `all`.
#[derive(Debug, Clone, Default)]
pub struct Recolor {
    /// Every fill, stroke and gradient stop of exactly this colour (compared as 8-bit sRGB).
    pub swatches: Vec<(Color, Ink)>,
    /// Elements by id, with all they contain. Where nothing was painted, nothing is added.
    pub ids: IndexMap<String, IdPaint>,
    /// Everything else in one ink, as engravers need it.
    pub all: Option<Ink>,
}

/// What an element becomes.
#[derive(Debug, Clone, Default)]
pub struct IdPaint {
    /// Replaces fills, and the colours of gradient stops inside the element.
    pub fill: Option<Ink>,
    /// Replaces strokes.
    pub stroke: Option<Ink>,
}

impl Recolor {
    /// True when the art stays as it is.
    pub fn is_empty(&self) -> bool {
        self.swatches.is_empty() && self.ids.is_empty() && self.all.is_none()
    }
}

pub(super) type Rgb = [u8; 3];

pub(super) fn rgb(color: usvg::Color) -> Rgb {
    [color.red, color.green, color.blue]
}

/// A colour as 8-bit sRGB.
pub(super) fn rgb8(color: Color) -> Rgb {
    color.to_srgb().map(|c| libm::roundf(c.clamp(0.0, 1.0) * 255.0) as u8)
}

/// The lookup that conversion uses.
pub(super) struct Inks {
    swatches: BTreeMap<Rgb, Ink>,
    marks: BTreeMap<Rgb, Ink>,
    all: Option<Ink>,
}

impl Inks {
    pub(super) fn new(recolor: &Recolor, marks: BTreeMap<Rgb, Ink>) -> Self {
        let mut swatches = BTreeMap::new();
        for (color, ink) in &recolor.swatches {
            swatches.entry(rgb8(*color)).or_insert_with(|| ink.clone());
        }
        Inks { swatches, marks, all: recolor.all.clone() }
    }

    /// What the mark stands for, where it is one.
    pub(super) fn marked(&self, mark: Option<usvg::Color>) -> Option<&Ink> {
        self.marks.get(&rgb(mark?))
    }

    /// The ink for a colour of the art.
    pub(super) fn ink(&self, color: usvg::Color, mark: Option<usvg::Color>) -> Ink {
        let wish = self.marked(mark).or_else(|| self.swatches.get(&rgb(color))).or(self.all.as_ref());
        wish.cloned().unwrap_or_else(|| Color::rgb8(color.red, color.green, color.blue).into())
    }
}

/// The style sheet that marks the named elements, and what each mark stands for.
pub(super) fn marks(
    ids: &IndexMap<String, IdPaint>,
    doc: &roxmltree::Document,
    used: &BTreeSet<Rgb>,
) -> Result<(String, BTreeMap<Rgb, Ink>), Violation> {
    let mut depths = Vec::new();
    for (id, paint) in ids {
        let element = doc.descendants().find(|node| node.attribute("id") == Some(id));
        let depth =
            element.filter(|_| is_safe(id)).map(|node| node.ancestors().count()).ok_or_else(|| {
                Violation::new(
                    Code::TemplateInvalid,
                    "`ids` names an element that the art does not have; compare it with the SVG",
                )
            })?;
        depths.push((depth, id, paint));
    }
    // The first rule that says !important wins: inner elements stand first.
    depths.sort_by(|a, b| b.0.cmp(&a.0));
    let mut free = (1..=0x00ff_ffff_u32)
        .map(|n| [(n >> 16) as u8, (n >> 8) as u8, n as u8])
        .filter(|rgb| !used.contains(rgb));
    let (mut sheet, mut marks) = (String::new(), BTreeMap::new());
    for (_, id, paint) in depths {
        let mut body = String::new();
        for (properties, ink) in
            [(&["fill", "stop-color"][..], &paint.fill), (&["stroke"][..], &paint.stroke)]
        {
            if let Some((ink, mark)) = ink.as_ref().and_then(|ink| Some((ink, free.next()?))) {
                for property in properties {
                    body += &format!("{property}:{} !important;", hex(mark));
                }
                marks.insert(mark, ink.clone());
            }
        }
        sheet += &format!("[id=\"{id}\"],[id=\"{id}\"] *{{{body}}}\n");
    }
    Ok((sheet, marks))
}

pub(super) fn hex([r, g, b]: Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// An id that cannot end the selector it is put into.
fn is_safe(id: &str) -> bool {
    id.len() <= 128
        && !id.is_empty()
        && id.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'))
}
