//! Shaping, breaking, fitting, placing.
//!
//! Text is shaped once, in units of a thousandth of its size, so that shaping knows nothing of
//! the size and every size has the same glyphs. A size then only decides how wide the box is in
//! those units: lines are broken again for each size that is tried.

use super::block::{Align, Laid, MissingGlyph, Overflow, PlacedGlyph, Run, TextBlock, VAlign};
use super::clean::clean;
use super::glyph::{EM, Form, Glyphs};
use super::library::{Engine, FontLibrary};
use super::lines::break_by_ink;
use super::{fallback, missing};
use crate::error::{Code, Violation};
use crate::scene::{Group, MM_PER_PT, Node};
use kurbo::{Affine, BezPath, Rect, Vec2};
use parley::{
    Alignment, AlignmentOptions, FontFamily, FontFamilyName, FontStyle, FontWeight, Layout, LineHeight,
    PositionedLayoutItem, StyleProperty, TextWrapMode,
};
use std::sync::Arc;

/// Sizes that are tried when text shrinks: this many to a point.
const STEPS_PER_PT: f64 = 64.0;

/// Lays text out in its box.
///
/// The text fits when the ink of every line is no wider than the box, its lines, with the
/// tallest and deepest ink of any of them, are no taller, and there are no more than allowed.
/// Lines are broken so that their ink fits. Alignment goes by the lines' advances and the font's
/// metrics; ink that would then stand over the box's edge is moved inside. So text that fits
/// never leaves its box, and a larger box never takes smaller text of one direction.
///
/// # Errors
/// `text.too_long`, `text.overflow`, `text.glyph_missing`, `font.not_found`; `font.invalid` or
/// `font.complexity_exceeded` for a glyph that cannot be drawn; `template.invalid` for a box,
/// size or spacing that is no sensible number.
pub fn layout(library: &FontLibrary, block: &TextBlock<'_>) -> Result<Laid, Violation> {
    check_numbers(block)?;
    let text = clean(block.text)?;
    let family = library.resolve(block.font)?;
    library.with_engine(|engine| {
        let shaped = shape(engine, &text, &family, block);
        Setting { text: &text, block, shaped, glyphs: Glyphs::default() }.lay()
    })
}

fn check_numbers(block: &TextBlock<'_>) -> Result<(), Violation> {
    let lengths =
        [block.width, block.height, block.size, block.min_size.unwrap_or(block.size), block.line_height];
    // Sizes beyond these overflow the shaper's numbers long before they make sense in print.
    let sensible = lengths.iter().all(|n| (1e-3..1e6).contains(n))
        && (-1.0..=10.0).contains(&block.letter_spacing)
        && block.line_height <= 100.0;
    if sensible {
        Ok(())
    } else {
        let detail = "a text's box and sizes are positive lengths in mm, its line height is up to 100 and its letter spacing -1 to 10 sizes";
        Err(Violation::new(Code::TemplateInvalid, detail))
    }
}

fn shape(engine: &mut Engine, text: &str, family: &str, block: &TextBlock<'_>) -> Layout<()> {
    let mut builder = engine.layouts.ranged_builder(&mut engine.fonts, text, 1.0, false);
    let style = if block.font.italic { FontStyle::Italic } else { FontStyle::Normal };
    let wrap = if block.wrap { TextWrapMode::Wrap } else { TextWrapMode::NoWrap };
    builder.push_default(StyleProperty::FontFamily(FontFamily::Single(FontFamilyName::named(family))));
    builder.push_default(StyleProperty::FontSize(EM as f32));
    builder.push_default(StyleProperty::FontWeight(FontWeight::new(f32::from(block.font.weight))));
    builder.push_default(StyleProperty::FontStyle(style));
    builder.push_default(StyleProperty::LineHeight(LineHeight::FontSizeRelative(block.line_height as f32)));
    builder.push_default(StyleProperty::LetterSpacing((block.letter_spacing * EM) as f32));
    builder.push_default(StyleProperty::TextWrapMode(wrap));
    builder.push_default(StyleProperty::Locale(fallback::language(text)));
    builder.build(text)
}

/// Shaped text with all that its placing needs.
struct Setting<'a> {
    text: &'a str,
    block: &'a TextBlock<'a>,
    shaped: Layout<()>,
    glyphs: Glyphs,
}

/// Glyphs placed for one size.
struct Arranged {
    size: f64,
    glyphs: Vec<PlacedGlyph>,
    ink: Option<Rect>,
    lines: usize,
    fits: bool,
}

impl Setting<'_> {
    fn lay(mut self) -> Result<Laid, Violation> {
        let asked = self.arrange(self.block.size)?;
        let (missing, missing_scripts) = self.missing(&asked)?;
        if missing > 0 && self.block.glyphs == MissingGlyph::Fail {
            let scripts = missing_scripts.join(", ");
            let detail = format!(
                "{missing} characters of this text ({scripts}) are in no font: leave them out, or add a font"
            );
            return Err(Violation::new(Code::TextGlyphMissing, detail));
        }
        let arranged = if asked.fits { asked } else { self.shrink(asked)? };
        if !arranged.fits && self.block.overflow == Overflow::Fail {
            let detail = format!(
                "this text does not fit its place of {:.1} by {:.1} mm at its smallest size of {:.1} pt: shorten it",
                self.block.width,
                self.block.height,
                arranged.size / MM_PER_PT
            );
            return Err(Violation::new(Code::TextOverflow, detail));
        }
        let runs = self.runs(&arranged)?;
        Ok(Laid {
            runs,
            size: arranged.size,
            lines: arranged.lines,
            ink: arranged.ink.unwrap_or(Rect::ZERO),
            shrunk: arranged.size < self.block.size,
            overflows: !arranged.fits,
            missing,
            missing_scripts,
            text: self.text.to_owned(),
            faces: self.glyphs.into_faces(),
            glyphs: arranged.glyphs,
        })
    }

    /// The largest size of the grid that fits; the smallest allowed one where none does.
    fn shrink(&mut self, asked: Arranged) -> Result<Arranged, Violation> {
        let Some(floor) = self.block.min_size.filter(|min| *min < self.block.size) else { return Ok(asked) };
        let steps = |mm: f64| mm / MM_PER_PT * STEPS_PER_PT;
        let size = |step: i64| step as f64 / STEPS_PER_PT * MM_PER_PT;
        let mut best = self.arrange(floor)?;
        if !best.fits {
            return Ok(best);
        }
        // `low` fits or is the floor, `high` does not fit.
        let mut low = libm::floor(steps(floor)) as i64;
        let mut high = libm::ceil(steps(self.block.size)) as i64;
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let tried = self.arrange(size(middle))?;
            if tried.fits {
                (low, best) = (middle, tried);
            } else {
                high = middle;
            }
        }
        Ok(best)
    }

    fn arrange(&mut self, size: f64) -> Result<Arranged, Violation> {
        let block = self.block;
        let scale = size / EM;
        // The last character's spacing hangs over the line's end, and alignment must not see it.
        let width = (block.width / scale + block.letter_spacing * EM).max(0.0) as f32;
        if block.wrap {
            let justify = block.align == Align::Justify;
            break_by_ink(&mut self.shaped, &mut self.glyphs, width, block.width / scale, justify)?;
        } else {
            self.shaped.break_all_lines(Some(width));
        }
        self.shaped.align(
            match block.align {
                Align::Start => Alignment::Start,
                Align::Center => Alignment::Center,
                Align::End => Alignment::End,
                Align::Left => Alignment::Left,
                Align::Right => Alignment::Right,
                Align::Justify => Alignment::Justify,
            },
            AlignmentOptions { align_when_overflowing: true, last_line_alignment: None },
        );
        let slack = block.height - f64::from(self.shaped.height()) * scale;
        let top = match block.valign {
            VAlign::Top => 0.0,
            VAlign::Middle => slack / 2.0,
            VAlign::Bottom => slack,
        };
        let mut out = Arranged { size, glyphs: Vec::new(), ink: None, lines: 0, fits: true };
        // A line that was given less than the box's width is aligned in the whole of it.
        let share = match (block.align, self.shaped.is_rtl()) {
            (Align::Center, _) => 0.5,
            (Align::Left, _) | (Align::Start | Align::Justify, false) | (Align::End, true) => 0.0,
            (Align::Right, _) | (Align::Start | Align::Justify, true) | (Align::End, false) => 1.0,
        };
        // The highest and deepest ink of any line, so that fitting depends on the size and the
        // number of lines only, and not on which line a long letter falls.
        let (mut above, mut below) = (0.0_f64, 0.0_f64);
        for (index, line) in self.shaped.lines().enumerate() {
            let first = out.glyphs.len();
            let given = line.metrics().inline_max_coord - line.metrics().inline_min_coord;
            let corner = Vec2::new(f64::from(width - given) * share * scale, top);
            let ink = place_line(&line, index, scale, corner, &mut self.glyphs, &mut out.glyphs)?;
            out.lines = index + 1;
            let Some(mut ink) = ink else { continue };
            let baseline = f64::from(line.metrics().baseline) * scale + top;
            above = above.max(baseline - ink.y0);
            below = below.max(ink.y1 - baseline);
            let nudge = inside(ink.x0, ink.x1, block.width);
            out.fits &= nudge.is_some();
            ink = ink + Vec2::new(nudge.unwrap_or(0.0), 0.0);
            out.glyphs[first..].iter_mut().for_each(|g| g.x += nudge.unwrap_or(0.0));
            out.ink = Some(out.ink.map_or(ink, |all: Rect| all.union(ink)));
        }
        if let Some(ink) = &mut out.ink {
            let nudge = inside(ink.y0, ink.y1, block.height);
            let baselines = out.lines.saturating_sub(1) as f64 * block.line_height * size;
            out.fits &= nudge.is_some() && baselines + above + below <= block.height;
            *ink = *ink + Vec2::new(0.0, nudge.unwrap_or(0.0));
            out.glyphs.iter_mut().for_each(|g| g.y += nudge.unwrap_or(0.0));
        }
        out.fits &= block.max_lines.is_none_or(|most| out.lines <= most);
        Ok(out)
    }

    /// How many characters have no glyph, and their scripts.
    fn missing(&mut self, arranged: &Arranged) -> Result<(usize, Vec<&'static str>), Violation> {
        let mut characters = String::new();
        let mut count = 0;
        let mut last = None;
        for placed in &arranged.glyphs {
            let of = &self.text[placed.range.clone()];
            let blank = of.chars().all(|c| c.is_whitespace() || c.is_control());
            let is_missing = matches!(self.glyphs.get(placed.face, placed.glyph)?.form, Form::Missing);
            // Several glyphs may stand for one character.
            if is_missing && !blank && last != Some(placed.range.start) {
                count += 1;
                characters.push_str(of);
                last = Some(placed.range.start);
            }
        }
        Ok((count, if count == 0 { Vec::new() } else { missing::scripts(&characters) }))
    }

    fn runs(&mut self, arranged: &Arranged) -> Result<Vec<Run>, Violation> {
        let scale = arranged.size / EM;
        let mut outlines = BezPath::new();
        let mut colors = Vec::new();
        for placed in &arranged.glyphs {
            let into = Affine::new([scale, 0.0, 0.0, scale, placed.x, placed.y]);
            match &self.glyphs.get(placed.face, placed.glyph)?.form {
                Form::Outline(path) => outlines.extend(path.iter().map(|element| into * element)),
                Form::Color(group) => {
                    let nodes = vec![Node::Group(group.clone())];
                    colors.push(Run::Color(Arc::new(Group { transform: into, nodes, ..Group::default() })));
                }
                Form::Missing => {}
            }
        }
        let outline = (!outlines.elements().is_empty()).then_some(Run::Outline(outlines));
        Ok(outline.into_iter().chain(colors).collect())
    }
}

/// How far a span has to move to lie between 0 and `length`; `None` where it is longer.
fn inside(from: f64, to: f64, length: f64) -> Option<f64> {
    if to - from > length {
        None
    } else if from < 0.0 {
        Some(-from)
    } else if to > length {
        Some(length - to)
    } else {
        Some(0.0)
    }
}

/// Places a line's glyphs in mm and gives what they cover.
fn place_line(
    line: &parley::Line<'_, ()>,
    index: usize,
    scale: f64,
    corner: Vec2,
    glyphs: &mut Glyphs,
    out: &mut Vec<PlacedGlyph>,
) -> Result<Option<Rect>, Violation> {
    let mut ink: Option<Rect> = None;
    for item in line.items() {
        let PositionedLayoutItem::GlyphRun(glyph_run) = item else { continue };
        let run = glyph_run.run();
        let face = glyphs.face_of(run);
        let baseline = f64::from(glyph_run.baseline());
        let mut pen = f64::from(glyph_run.offset());
        for cluster in run.visual_clusters() {
            for glyph in cluster.glyphs() {
                let (x, y) = (pen + f64::from(glyph.x), baseline + f64::from(glyph.y));
                pen += f64::from(glyph.advance);
                let placed = PlacedGlyph {
                    face,
                    glyph: glyph.id,
                    x: x * scale + corner.x,
                    y: y * scale + corner.y,
                    advance: f64::from(glyph.advance) * scale,
                    line: index,
                    range: cluster.text_range(),
                };
                if let Some(b) = glyphs.get(face, glyph.id)?.bounds {
                    let (left, base) = (placed.x, placed.y);
                    let covered = Rect::new(
                        left + b.x0 * scale,
                        base + b.y0 * scale,
                        left + b.x1 * scale,
                        base + b.y1 * scale,
                    );
                    ink = Some(ink.map_or(covered, |all| all.union(covered)));
                }
                out.push(placed);
            }
        }
    }
    Ok(ink)
}
