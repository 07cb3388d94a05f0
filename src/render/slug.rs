//! The slug line: what a job is called, in words outside the bleed, as outlines.

use crate::error::Violation;
use crate::scene::{MM_PER_PT, Surface};
use crate::text::{Align, FontLibrary, FontSpec, MissingGlyph, Overflow, Run, TextBlock, VAlign, layout};
use kurbo::BezPath;

/// Seven points, the smallest that every press prints well.
const SIZE: f64 = 7.0 * MM_PER_PT;

/// The words and the surface's name, in mm from the line's top left corner, y down.
pub(super) fn line(slug: (&str, &FontLibrary), surface: &Surface) -> Result<BezPath, Violation> {
    let words = format!("{}  {}", slug.0, surface.name);
    let font = FontSpec::family("Noto Sans");
    let block = TextBlock {
        text: &words,
        font: &font,
        size: SIZE,
        min_size: None,
        width: 1000.0,
        height: 4.0,
        align: Align::Left,
        valign: VAlign::Top,
        line_height: 1.2,
        letter_spacing: 0.0,
        wrap: false,
        max_lines: Some(1),
        overflow: Overflow::Allow,
        glyphs: MissingGlyph::Allow,
    };
    let mut out = BezPath::new();
    for run in layout(slug.1, &block)?.runs {
        match run {
            Run::Outline(path) => out.extend(path),
            Run::Color(_) => {}
        }
    }
    Ok(out)
}
