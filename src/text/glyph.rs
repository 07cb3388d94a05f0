//! Glyphs drawn from their font: outlines, colours, bounds.

use super::color;
use super::face::{draw_violation, invalid, unreadable};
use crate::error::Violation;
use crate::scene::Group;
use fontique::Blob;
use kurbo::{Affine, BezPath, Rect, Shape};
use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlineGlyphFormat, OutlinePen};
use skrifa::raw::types::F2Dot14;
use skrifa::raw::{FontRef, TableProvider};
use skrifa::{GlyphId, MetadataProvider};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Layout units in one em.
pub(super) const EM: f64 = 1000.0;

/// A face as it was used: a font file, a face in it, and where a variable font stands.
#[derive(Debug, Clone)]
pub struct Face {
    /// The whole font file.
    pub data: Blob<u8>,
    /// Which face of a collection.
    pub index: u32,
    /// Normalised variation coordinates, F2Dot14; empty at the default instance.
    pub coords: Vec<i16>,
}

/// What a glyph is made of, in layout units from its origin on the baseline, y down.
#[derive(Debug, Clone)]
pub(super) enum Form {
    /// An outline, empty for a space.
    Outline(BezPath),
    /// Colours of its own.
    Color(Arc<Group>),
    /// The font has nothing for it, or nothing that can be printed.
    Missing,
}

/// A drawn glyph.
#[derive(Debug, Clone)]
pub(super) struct Glyph {
    pub(super) form: Form,
    /// What it covers; `None` where it covers nothing.
    pub(super) bounds: Option<Rect>,
}

/// Draws each glyph once.
#[derive(Default)]
pub(super) struct Glyphs {
    faces: Vec<Face>,
    drawn: BTreeMap<(usize, u32), Glyph>,
}

impl Glyphs {
    /// The index of a face, new or known.
    fn face(&mut self, data: &Blob<u8>, index: u32, coords: &[i16]) -> usize {
        let same = |f: &Face| f.data.id() == data.id() && f.index == index && f.coords == coords;
        self.faces.iter().position(same).unwrap_or_else(|| {
            self.faces.push(Face { data: data.clone(), index, coords: coords.to_vec() });
            self.faces.len() - 1
        })
    }

    /// The index of the face that a run is shaped with.
    pub(super) fn face_of(&mut self, run: &parley::Run<'_, ()>) -> usize {
        let coords: Vec<i16> = run.normalized_coords().iter().map(|c| c.to_bits()).collect();
        self.face(&run.font().data, run.font().index, &coords)
    }

    /// All faces, by their index.
    pub(super) fn into_faces(self) -> Vec<Face> {
        self.faces
    }

    /// A glyph of a face.
    pub(super) fn get(&mut self, face: usize, id: u32) -> Result<&Glyph, Violation> {
        use std::collections::btree_map::Entry;
        match self.drawn.entry((face, id)) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(vacant) => Ok(vacant.insert(draw(&self.faces[face], id)?)),
        }
    }
}

fn draw(face: &Face, id: u32) -> Result<Glyph, Violation> {
    let missing = Glyph { form: Form::Missing, bounds: None };
    if id == 0 {
        return Ok(missing);
    }
    let broken = || invalid("a font of the library cannot be read: replace it");
    let font = FontRef::from_index(face.data.as_ref(), face.index).map_err(|_| broken())?;
    let per_em = f64::from(font.head().map_err(|_| broken())?.units_per_em());
    let flip = Affine::scale_non_uniform(EM / per_em, -EM / per_em);
    let coords: Vec<F2Dot14> = face.coords.iter().map(|c| F2Dot14::from_bits(*c)).collect();
    let location = LocationRef::new(&coords);
    let glyph = GlyphId::new(id);

    if let Some(painted) = color::paint(&font, glyph, location)? {
        let Some((group, bounds)) = painted else { return Ok(missing) };
        let bounds = bounds.map(|b| flip.transform_rect_bbox(b));
        let group = Group { transform: flip, nodes: group, ..Group::default() };
        return Ok(Glyph { form: Form::Color(Arc::new(group)), bounds });
    }
    let mut path = outline(&font, glyph, location)?;
    if path.elements().is_empty() && has_picture(&font, glyph) {
        return Ok(missing);
    }
    path.apply_affine(flip);
    let bounds = (!path.elements().is_empty()).then(|| path.bounding_box());
    Ok(Glyph { form: Form::Outline(path), bounds })
}

/// A glyph's outline in font units, y up. All outlines wind as TrueType's do, so that glyphs of
/// different fonts that overlap in one path add up under the non-zero rule.
pub(super) fn outline(
    font: &FontRef<'_>,
    glyph: GlyphId,
    location: LocationRef<'_>,
) -> Result<BezPath, Violation> {
    let outlines = font.outline_glyphs();
    let source = outlines.get(glyph).ok_or_else(|| unreadable(font, glyph))?;
    let mut pen = Pen(BezPath::new());
    source
        .draw(DrawSettings::unhinted(Size::unscaled(), location), &mut pen)
        .map_err(|e| draw_violation(&e))?;
    Ok(match source.format() {
        OutlineGlyphFormat::Glyf => pen.0,
        OutlineGlyphFormat::Cff | OutlineGlyphFormat::Cff2 => pen.0.reverse_subpaths(),
        _ => pen.0,
    })
}

fn has_picture(font: &FontRef<'_>, glyph: GlyphId) -> bool {
    font.bitmap_strikes().iter().any(|strike| strike.get(glyph).is_some())
}

struct Pen(BezPath);

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.move_to((f64::from(x), f64::from(y)));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.line_to((f64::from(x), f64::from(y)));
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        self.0.quad_to((f64::from(cx), f64::from(cy)), (f64::from(x), f64::from(y)));
    }

    fn curve_to(&mut self, ax: f32, ay: f32, bx: f32, by: f32, x: f32, y: f32) {
        self.0.curve_to(
            (f64::from(ax), f64::from(ay)),
            (f64::from(bx), f64::from(by)),
            (f64::from(x), f64::from(y)),
        );
    }

    fn close(&mut self) {
        self.0.close_path();
    }
}
