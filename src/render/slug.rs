//! The slug line: what a job is called, in words outside the bleed, as outlines.

use crate::error::Violation;
use crate::scene::{MM_PER_PT, Surface};
use crate::text::{
    Align, FontLibrary, FontSpec, Laid, MissingGlyph, Overflow, Run, TextBlock, VAlign, layout,
};
use kurbo::BezPath;

/// Seven points, the smallest that every press prints well.
const SIZE: f64 = 7.0 * MM_PER_PT;
/// Five points, the smallest that can be read beside the press. Nothing is set smaller.
const LEAST: f64 = 5.0 * MM_PER_PT;
/// Three lines of the least size, which is what the band beside the bleed has room for.
const HEIGHT: f64 = 6.2;
const LINES: usize = 3;
/// Stands for what there is no room for.
const ELLIPSIS: char = '\u{2026}';

/// The words and the surface's name within so many mm, from the first line's top left corner, y down.
/// Words that are too long lose their middle, and what is too much is left out before the name.
pub(super) fn lines(slug: (&str, &FontLibrary), surface: &Surface, room: f64) -> Result<BezPath, Violation> {
    let (words, fonts) = slug;
    let fits = |text: &str| set(text, fonts, room).map(|laid| !laid.overflows);
    let mut short = Vec::new();
    for word in words.split("  ") {
        let chars: Vec<char> = word.chars().collect();
        let cut = |kept: usize| {
            let (head, tail) = (kept.div_ceil(2), kept / 2);
            let ends = [&chars[..head], &[ELLIPSIS], &chars[chars.len() - tail..]];
            ends.concat().into_iter().collect::<String>()
        };
        short.push(if fits(word)? { word.to_owned() } else { cut(most(chars.len(), |n| fits(&cut(n)))?) });
    }
    let words: Vec<char> = short.join("  ").chars().collect();
    let whole = format!("{}  {}", words.iter().collect::<String>(), surface.name);
    let text = if fits(&whole)? {
        whole
    } else {
        let cut = |n: usize| format!("{}{ELLIPSIS}  {}", words[..n].iter().collect::<String>(), surface.name);
        cut(most(words.len(), |n| fits(&cut(n)))?)
    };
    let mut out = BezPath::new();
    for run in set(&text, fonts, room)?.runs {
        match run {
            Run::Outline(path) => out.extend(path),
            Run::Color(_) => {}
        }
    }
    Ok(out)
}

/// The most characters below `all` that fit, at least none.
fn most(all: usize, fits: impl Fn(usize) -> Result<bool, Violation>) -> Result<usize, Violation> {
    let (mut most, mut over) = (0, all);
    while over - most > 1 {
        let middle = most.midpoint(over);
        if fits(middle)? { most = middle } else { over = middle }
    }
    Ok(most)
}

fn set(text: &str, fonts: &FontLibrary, room: f64) -> Result<Laid, Violation> {
    let font = FontSpec::family("Noto Sans");
    let block = TextBlock {
        text,
        font: &font,
        size: SIZE,
        min_size: Some(LEAST),
        width: room,
        height: HEIGHT,
        align: Align::Left,
        valign: VAlign::Top,
        line_height: 1.15,
        letter_spacing: 0.0,
        wrap: true,
        max_lines: Some(LINES),
        overflow: Overflow::Allow,
        glyphs: MissingGlyph::Allow,
    };
    layout(fonts, &block)
}
