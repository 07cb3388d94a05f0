//! Lines are broken where their ink would leave the box, not their advances alone.
//!
//! A letter may hang over its advance: the `f` of an italic at a line's end, the `j` at its start.
//! A line that is as wide as the box is then too wide by a hair. It gives its last word to the next line,
//! as if the word had not fitted at all. So whether a line fits depends on its words only, more room never
//! makes a line shorter, and more words never make it narrower: the sizes that fit are those up to one
//! largest size, which bisection finds. (Not quite where directions mix: there a word may move the ink of
//! others, and bisection finds a size that fits, now and then not the largest.)

use super::glyph::Glyphs;
use crate::error::Violation;
use parley::{Layout, Line, PositionedLayoutItem};

/// A line is narrower than this share of the room: positions are kept in single precision.
const ALMOST: f64 = 1.0 - 2e-6;

/// Lines that are broken again in one text. More of them would be hostile: the rest stay too wide.
const AGAIN: usize = 100;

/// Breaks lines by width, both in layout units: `advance` is room for a line's advances, trailing letter
/// spacing included, and `room` for its ink. Lines that are to be justified are given no more
/// than their ink can be spread to.
///
/// # Errors
/// Those of a glyph that cannot be drawn.
pub(super) fn break_by_ink(
    shaped: &mut Layout<()>,
    glyphs: &mut Glyphs,
    advance: f32,
    room: f64,
    justify: bool,
) -> Result<(), Violation> {
    // How wide each line may be; those past the end may take it all.
    let mut limits: Vec<f32> = Vec::new();
    break_at(shaped, advance, &limits);
    let (mut index, mut left) = (0, AGAIN);
    while let Some(line) = shaped.get(index) {
        let end = line.text_range().end;
        let used = used(&line);
        if left == 0 || ink(&line, glyphs)?.is_none_or(|ink| ink.1 - ink.0 <= room * ALMOST) {
            index += 1;
            continue;
        }
        limits.resize(index + 1, advance);
        limits[index] = limits[index].min(used * ALMOST as f32);
        break_at(shaped, advance, &limits);
        left -= 1;
        // A word alone cannot be made shorter.
        if shaped.get(index).is_none_or(|line| line.text_range().end == end) {
            index += 1;
        }
    }
    if justify {
        limits.resize(shaped.len(), advance);
        for (limit, line) in limits.iter_mut().zip(shaped.lines()) {
            if let Some((from, to)) = ink(&line, glyphs)? {
                *limit = limit.min(used(&line) + (room * ALMOST - (to - from)).max(0.0) as f32);
            }
        }
        break_at(shaped, advance, &limits);
    }
    Ok(())
}

/// A line's advance without the white space that hangs over its end.
fn used(line: &Line<'_, ()>) -> f32 {
    line.metrics().advance - line.metrics().hanging_advance
}

fn break_at(shaped: &mut Layout<()>, advance: f32, limits: &[f32]) {
    let mut breaker = shaped.break_lines();
    breaker.state_mut().set_layout_max_advance(advance);
    for index in 0.. {
        let limit = limits.get(index).copied().unwrap_or(advance);
        breaker.state_mut().set_line_max_advance(limit);
        if breaker.break_next().is_none() {
            break;
        }
    }
    breaker.finish();
}

/// From where to where a line's glyphs reach, in layout units.
fn ink(line: &Line<'_, ()>, glyphs: &mut Glyphs) -> Result<Option<(f64, f64)>, Violation> {
    let mut ink: Option<(f64, f64)> = None;
    for item in line.items() {
        let PositionedLayoutItem::GlyphRun(run) = item else { continue };
        let face = glyphs.face_of(run.run());
        for glyph in run.positioned_glyphs() {
            if let Some(bounds) = glyphs.get(face, glyph.id)?.bounds {
                let (from, to) = (f64::from(glyph.x) + bounds.x0, f64::from(glyph.x) + bounds.x1);
                ink = Some(ink.map_or((from, to), |all| (all.0.min(from), all.1.max(to))));
            }
        }
    }
    Ok(ink)
}
