//! Which fonts stand in for which script, in a fixed order.
//!
//! For every script the families that cover it come first, then all others, for the symbols
//! that stand between letters. Within both: the built-in sans, the site's families in the order
//! given, the other built-in families, mathematics, emoji.

use fontique::{Collection, FallbackKey, FamilyId, FamilyInfo, GenericFamily, Language, Script, ScriptExt};
use skrifa::raw::FileRef;

/// The built-in families behind the generic names.
pub(super) const SERIF: &str = "Libertinus Serif";
/// See [`SERIF`].
pub(super) const SANS: &str = "Noto Sans";
/// See [`SERIF`].
pub(super) const MONO: &str = "DejaVu Sans Mono";

/// What a family is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    Text,
    Math,
    Emoji,
}

/// A family of the library.
#[derive(Debug, Clone)]
pub(super) struct Family {
    pub(super) id: FamilyId,
    pub(super) name: String,
    /// Supplied by the site.
    pub(super) site: bool,
}

/// Registers fallbacks and generic families. `families` are in the order of registration.
pub(super) fn register(collection: &mut Collection, families: &[Family]) {
    let mut ranked: Vec<Ranked<'_>> = families
        .iter()
        .filter_map(|family| Some(Ranked::new(family, collection.family(family.id)?)))
        .collect();
    // Stable: families of one rank keep their order.
    ranked.sort_by_key(|r| (r.purpose, r.rank));

    for (script, sample) in Script::all_samples() {
        let (covering, others): (Vec<_>, Vec<_>) = ranked.iter().partition(|r| r.covers(sample));
        let chain = |region: Option<&str>| -> Vec<FamilyId> {
            let mut chain = covering.clone();
            // A stable sort again: only families made for the region move forward.
            chain.sort_by_key(|r| region.is_some_and(|region| !r.family.name.ends_with(region)));
            chain.iter().chain(others.iter()).map(|r| r.family.id).collect()
        };
        let region = match &script.to_bytes() {
            b"Hani" | b"Bopo" => Some(" SC"),
            b"Hira" | b"Kana" => Some(" JP"),
            b"Hang" => Some(" KR"),
            _ => None,
        };
        collection.set_fallbacks(*script, chain(region).into_iter());
        if script.to_bytes() == *b"Hani" {
            for (tag, region) in [("ja", " JP"), ("ko", " KR")] {
                if let Ok(language) = Language::parse(tag) {
                    collection.set_fallbacks(
                        FallbackKey::new(*script, Some(&language)),
                        chain(Some(region)).into_iter(),
                    );
                }
            }
        }
    }
    for (generic, name) in
        [(GenericFamily::Serif, SERIF), (GenericFamily::SansSerif, SANS), (GenericFamily::Monospace, MONO)]
    {
        let family = families.iter().find(|f| f.name == name).map(|f| f.id);
        collection.set_generic_families(generic, family.into_iter());
    }
    let emoji = ranked.iter().filter(|r| r.purpose == Use::Emoji).map(|r| r.family.id);
    collection.set_generic_families(GenericFamily::Emoji, emoji);
}

/// The language that decides between forms of Chinese characters, read from the text itself.
pub(super) fn language(text: &str) -> Option<Language> {
    let has = |range: std::ops::RangeInclusive<char>| text.chars().any(|c| range.contains(&c));
    let tag = if has('\u{3041}'..='\u{30ff}') {
        "ja"
    } else if has('\u{ac00}'..='\u{d7a3}') {
        "ko"
    } else {
        return None;
    };
    Language::parse(tag).ok()
}

struct Ranked<'a> {
    family: &'a Family,
    info: FamilyInfo,
    purpose: Use,
    rank: u8,
}

impl<'a> Ranked<'a> {
    fn new(family: &'a Family, info: FamilyInfo) -> Self {
        let rank = match (family.site, family.name == SANS) {
            (_, true) => 0,
            (true, false) => 1,
            (false, false) => 2,
        };
        let mut ranked = Ranked { family, info, purpose: Use::Text, rank };
        if ranked.covers("\u{1f600}") && !ranked.covers("e") {
            ranked.purpose = Use::Emoji;
            // Site's emoji, which may have colours, before the built-in ones.
            ranked.rank = u8::from(!family.site);
        } else if ranked.has_math() {
            ranked.purpose = Use::Math;
        }
        ranked
    }

    /// Whether the family's default face has at least half of the characters.
    fn covers(&self, sample: &str) -> bool {
        let Some(font) = self.info.default_font() else { return false };
        let Some(blob) = font.load(None) else { return false };
        let Some(map) = font.charmap_index().charmap(blob.as_ref()) else { return false };
        let has = sample.chars().filter(|c| map.map(*c).is_some_and(|glyph| glyph != 0)).count();
        has * 2 >= sample.chars().count() && has > 0
    }

    fn has_math(&self) -> bool {
        let Some(font) = self.info.default_font() else { return false };
        let Some(blob) = font.load(None) else { return false };
        let face = match FileRef::new(blob.as_ref()) {
            Ok(FileRef::Font(face)) => Some(face),
            Ok(FileRef::Collection(collection)) => collection.get(font.index()).ok(),
            Err(_) => None,
        };
        face.is_some_and(|face| super::face::has_table(&face, "MATH"))
    }
}
