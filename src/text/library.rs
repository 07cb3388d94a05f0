//! The fonts that jobs may use: those that come with the program, and a site's own.

use super::block::FontSpec;
use super::face;
use super::fallback::{self, Family, MONO, SANS, SERIF};
use crate::asset::Limits;
use crate::error::{Code, Violation, Violations};
use fontique::{
    Blob, Collection, CollectionOptions, FamilyInfo, FontStyle, FontWeight, FontWidth, SourceCache,
};
use parley::{FontContext, LayoutContext};
use resvg::usvg::fontdb;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

/// From this weight on a face counts as bold.
const BOLD: f32 = 600.0;

static BUILTIN: LazyLock<FontLibrary> = LazyLock::new(|| {
    let typst = typst_assets::fonts();
    let noto = [notosans::REGULAR_TTF, notosans::BOLD_TTF, notosans::ITALIC_TTF, notosans::BOLD_ITALIC_TTF]
        .into_iter();
    let epaint = [epaint_default_fonts::UBUNTU_LIGHT, epaint_default_fonts::NOTO_EMOJI_REGULAR].into_iter();
    let files = typst.chain(noto).chain(epaint);
    FontLibrary::build(files.map(|bytes| File { blob: Blob::new(Arc::new(bytes)), site: false }).collect())
});

/// Fonts in memory, with the order in which they stand in for each other. Cheap to clone, the
/// same for every thread.
#[derive(Clone)]
pub struct FontLibrary(Arc<Inner>);

struct Inner {
    files: Vec<File>,
    families: Vec<Family>,
    collection: Collection,
    /// Contexts between uses; their caches change nothing but time.
    engines: Mutex<Vec<Engine>>,
    fontdb: OnceLock<Arc<fontdb::Database>>,
}

#[derive(Clone)]
struct File {
    blob: Blob<u8>,
    site: bool,
}

/// What shaping needs besides text.
pub(super) struct Engine {
    pub(super) fonts: FontContext,
    pub(super) layouts: LayoutContext<()>,
}

impl fmt::Debug for FontLibrary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FontLibrary").field(&self.families()).finish()
    }
}

impl FontLibrary {
    /// The fonts that come with the program: Libertinus Serif, NewComputerModern, DejaVu Sans
    /// Mono, Noto Sans, Ubuntu (light), and Noto Emoji in one colour.
    pub fn builtin() -> Self {
        BUILTIN.clone()
    }

    /// The same library with a site's own font files: TrueType, OpenType, collections, variable
    /// fonts. Where a site brings a face that is built in, the site's is used.
    ///
    /// # Errors
    /// `font.invalid` or `font.complexity_exceeded` for every file that cannot be used; its
    /// pointer is the file's place in the list.
    pub fn with_fonts(
        self,
        fonts: impl IntoIterator<Item = Arc<[u8]>>,
        limits: &Limits,
    ) -> Result<Self, Violations> {
        let mut violations = Violations::default();
        let mut files: Vec<File> = self.0.files.iter().filter(|file| file.site).cloned().collect();
        for (index, bytes) in fonts.into_iter().enumerate() {
            if violations.absorb(face::check(&bytes, limits).map_err(|v| v.at(format!("/{index}")))).is_some()
            {
                files.push(File { blob: Blob::new(Arc::new(bytes)), site: true });
            }
        }
        files.extend(self.0.files.iter().filter(|file| !file.site).cloned());
        violations.or(()).map(|()| FontLibrary::build(files))
    }

    fn build(files: Vec<File>) -> Self {
        let mut collection = Collection::new(CollectionOptions { shared: false, system_fonts: false });
        let mut families: Vec<Family> = Vec::new();
        for file in &files {
            let mut registered = collection.register_fonts(file.blob.clone(), None);
            // They come in no order; a collection's own order is.
            registered.sort_by_key(|(_, faces)| faces.iter().map(fontique::FontInfo::index).min());
            for (id, _) in registered {
                if let Some(name) = collection.family_name(id).map(str::to_owned)
                    && families.iter().all(|family| family.id != id)
                {
                    families.push(Family { id, name, site: file.site });
                }
            }
        }
        fallback::register(&mut collection, &families);
        let engines = Mutex::new(Vec::new());
        FontLibrary(Arc::new(Inner { files, families, collection, engines, fontdb: OnceLock::new() }))
    }

    /// The names of all families, sorted.
    pub fn families(&self) -> Vec<String> {
        let mut names: Vec<String> = self.0.families.iter().map(|family| family.name.clone()).collect();
        names.sort();
        names
    }

    /// Whether the library has a face.
    ///
    /// # Errors
    /// `font.not_found` for an unknown family, or a family without the bold or italic that is asked.
    pub fn check(&self, spec: &FontSpec) -> Result<(), Violation> {
        self.resolve(spec).map(|_| ())
    }

    /// The registered name of the family whose face is asked.
    pub(super) fn resolve(&self, spec: &FontSpec) -> Result<String, Violation> {
        if !(1..=1000).contains(&spec.weight) {
            return Err(Violation::new(Code::FontNotFound, "a font's weight is 1 to 1000").limit(1000));
        }
        let mut collection = self.0.collection.clone();
        let asked = spec.family.trim();
        let is = |generic: &str| asked.eq_ignore_ascii_case(generic);
        let family = if is("serif") {
            collection.family_by_name(SERIF)
        } else if is("sans-serif") {
            collection.family_by_name(SANS)
        } else if is("monospace") {
            collection.family_by_name(MONO)
        } else if is("emoji") {
            let first = collection.generic_families(fontique::GenericFamily::Emoji).next();
            first.and_then(|id| collection.family(id))
        } else {
            collection.family_by_name(asked)
        };
        let Some(family) = family else {
            let detail = "the font library has no family of this name: use one it has, or add the font";
            return Err(Violation::new(Code::FontNotFound, detail).allowed(self.families()));
        };
        has_face(&family, spec)?;
        Ok(family.name().to_owned())
    }

    /// The same fonts for text in SVG art. Built on first use.
    pub fn fontdb(&self) -> Arc<fontdb::Database> {
        let build = || {
            let mut database = fontdb::Database::new();
            for file in &self.0.files {
                let (bytes, _) = file.blob.clone().into_raw_parts();
                database.load_font_source(fontdb::Source::Binary(bytes));
            }
            database.set_serif_family(SERIF);
            database.set_sans_serif_family(SANS);
            database.set_monospace_family(MONO);
            database.set_cursive_family(SERIF);
            database.set_fantasy_family(SANS);
            Arc::new(database)
        };
        self.0.fontdb.get_or_init(build).clone()
    }

    /// Lends an engine to a piece of work.
    pub(super) fn with_engine<T>(&self, work: impl FnOnce(&mut Engine) -> T) -> T {
        let lock = || self.0.engines.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = lock().pop();
        let mut engine = idle.unwrap_or_else(|| Engine {
            fonts: FontContext {
                collection: self.0.collection.clone(),
                source_cache: SourceCache::default(),
            },
            layouts: LayoutContext::new(),
        });
        let done = work(&mut engine);
        lock().push(engine);
        done
    }
}

/// Weights are matched to the nearest, but bold and italic are never faked nor dropped silently.
fn has_face(family: &FamilyInfo, spec: &FontSpec) -> Result<(), Violation> {
    let weight = f32::from(spec.weight);
    let style = if spec.italic { FontStyle::Italic } else { FontStyle::Normal };
    let Some(font) = family.match_font(FontWidth::NORMAL, style, FontWeight::new(weight), true) else {
        return Err(Violation::new(Code::FontNotFound, "this family has no faces"));
    };
    let slanted = font.style() != FontStyle::Normal || font.has_slant_axis() || font.has_italic_axis();
    let heaviest = font
        .axes()
        .iter()
        .filter(|axis| axis.tag == fontique_tag(b"wght"))
        .map(|axis| axis.max)
        .fold(font.weight().value(), f32::max);
    if spec.italic && !slanted {
        let detail = "this family has no italic face: choose another family, or leave italic out";
        return Err(Violation::new(Code::FontNotFound, detail).allowed(faces(family)));
    }
    if weight >= BOLD && heaviest < BOLD {
        let detail = "this family has no bold face of this style: choose another family, or a lighter weight";
        return Err(Violation::new(Code::FontNotFound, detail).allowed(faces(family)));
    }
    Ok(())
}

fn fontique_tag(tag: &[u8; 4]) -> skrifa::Tag {
    skrifa::Tag::new(tag)
}

/// The family's faces in words, as `700 italic`.
fn faces(family: &FamilyInfo) -> Vec<String> {
    let name = |font: &fontique::FontInfo| {
        let slant = if font.style() == FontStyle::Normal { "" } else { " italic" };
        format!("{}{slant}", font.weight().value())
    };
    family.fonts().iter().map(name).collect()
}
