//! Whether a font file can be trusted to print: checked once, when it joins the library.

use crate::asset::Limits;
use crate::error::{Code, Violation};
use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawError, DrawSettings, pen::NullPen};
use skrifa::raw::{FileRef, FontRef, TableProvider};
use skrifa::{GlyphId, MetadataProvider, Tag};

/// The most faces that a collection may hold.
const FACES: u32 = 64;
/// How many of a face's glyphs are drawn to try it.
const TRIALS: u32 = 256;

/// Checks every face of a font file.
///
/// # Errors
/// `font.invalid` for what is no font, is cut off or holds no outlines;
/// `font.complexity_exceeded` beyond the byte limit, or for glyphs nested without end.
pub(super) fn check(bytes: &[u8], limits: &Limits) -> Result<(), Violation> {
    if bytes.len() as u64 > limits.font_bytes {
        let detail =
            format!("a font file has at most {} bytes: subset it, or split a collection", limits.font_bytes);
        return Err(Violation::new(Code::FontComplexityExceeded, detail).limit(limits.font_bytes));
    }
    match FileRef::new(bytes).map_err(|_| invalid("this is not a TrueType or OpenType font"))? {
        FileRef::Font(font) => check_face(&font, bytes.len()),
        FileRef::Collection(collection) => {
            if collection.len() > FACES {
                let detail = format!("a font collection holds at most {FACES} faces");
                return Err(Violation::new(Code::FontComplexityExceeded, detail).limit(FACES));
            }
            for index in 0..collection.len() {
                let font =
                    collection.get(index).map_err(|_| invalid("a face of this font collection is broken"))?;
                check_face(&font, bytes.len())?;
            }
            Ok(())
        }
    }
}

fn check_face(font: &FontRef<'_>, file: usize) -> Result<(), Violation> {
    let fits = |offset: u32, length: u32| offset as usize + length as usize <= file;
    if !font.table_directory().table_records().iter().all(|record| fits(record.offset(), record.length())) {
        return Err(invalid("this font is cut off: a table reaches past the file's end"));
    }
    let head = font.head().map_err(|_| invalid("this font has no usable 'head' table"))?;
    if !(16..=16_384).contains(&head.units_per_em()) {
        return Err(invalid("this font's units per em are outside of 16 to 16,384"));
    }
    let glyphs = font.maxp().map_err(|_| invalid("this font has no usable 'maxp' table"))?.num_glyphs();
    font.hhea().and_then(|_| font.hmtx()).map_err(|_| invalid("this font has no usable metrics"))?;
    let name = font.name().map_err(|_| invalid("this font has no usable 'name' table"))?;
    if name.name_record().is_empty() {
        return Err(invalid("this font has no family name"));
    }
    if font.charmap().mappings().next().is_none() {
        return Err(invalid("this font maps no characters"));
    }
    let outlines = font.outline_glyphs();
    if outlines.format().is_none() {
        let pictures = ["CBDT", "sbix", "EBDT", "SVG "].iter().any(|tag| has_table(font, tag));
        return Err(invalid(if pictures {
            "this font holds pictures instead of outlines: use its version with outlines or COLR layers"
        } else {
            "this font has no outlines"
        }));
    }
    // The first glyphs, then some from everywhere.
    let count = u32::from(glyphs);
    let step = (count / TRIALS).max(1);
    for id in (0..count.min(TRIALS)).chain((0..count).step_by(step as usize)) {
        let Some(glyph) = outlines.get(GlyphId::new(id)) else { continue };
        let settings = DrawSettings::unhinted(Size::unscaled(), LocationRef::default());
        glyph.draw(settings, &mut NullPen).map_err(|error| draw_violation(&error))?;
    }
    Ok(())
}

/// True where the font has the table.
pub(super) fn has_table(font: &FontRef<'_>, tag: &str) -> bool {
    Tag::new_checked(tag.as_bytes()).is_ok_and(|tag| font.table_data(tag).is_some())
}

/// Why a glyph could not be drawn.
pub(super) fn draw_violation(error: &DrawError) -> Violation {
    let nested = matches!(
        error,
        DrawError::RecursionLimitExceeded(_) | DrawError::TooManyPoints(_) | DrawError::InsufficientMemory
    );
    if nested {
        let detail = "a glyph of this font is built of too many points, or of itself: repair the font";
        Violation::new(Code::FontComplexityExceeded, detail)
    } else {
        invalid("a glyph of this font is broken: repair the font")
    }
}

/// A broken font.
pub(super) fn invalid(detail: &str) -> Violation {
    Violation::new(Code::FontInvalid, detail)
}
