//! From the catalog's files to a [`Template`]: parsed, joined, ready for orders.
//!
//! A template that joins a product with a design becomes one whole template here, so nothing
//! after this step knows the difference.

use super::field::Field;
use super::layer::{Fit, GroupLayer, Layer, Place, RectPlace};
use super::profile::Profile;
use super::template::{Axis, DesignFile, DesignSurface, ProductFile, SurfaceSpec, TemplateFile};
use super::value::Measure;
use crate::asset::Encoded;
use crate::cache::{self, Cache, Kind};
use crate::error::{Code, Violation, Violations};
use crate::schema::{Checker, Codes};
use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use std::sync::{Arc, LazyLock};

/// How the catalog's files are reached; an edge implements it.
pub trait Files: Sync {
    /// The bytes of a file, by its path below the catalog's root. A file that is not there is
    /// [`Code::AssetNotFound`].
    fn read(&self, path: &str) -> Result<Encoded, Violation>;
}

/// A template, whole: what an order may say and what each surface shows.
#[derive(Debug, Clone)]
pub struct Template {
    /// Its name in orders.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// What a shop calls it.
    pub name: String,
    /// SHA-256 over its JSON files, hex.
    pub digest: String,
    /// The render profiles it may be printed with.
    pub profiles: Vec<String>,
    /// What an order may say.
    pub fields: IndexMap<String, Field>,
    /// Named numbers, in order of evaluation.
    pub measures: IndexMap<String, Measure>,
    /// Variant axes.
    pub variants: IndexMap<String, Axis>,
    /// Sides or pages.
    pub surfaces: Vec<SurfaceSpec>,
}

impl Template {
    /// The files it names outright (not those that follow a field), by their catalog paths.
    pub fn fixed_files(&self) -> Vec<String> {
        let mut out = Vec::new();
        for surface in &self.surfaces {
            out.extend(surface.drawing.as_ref().map(|drawing| format!("{}/{drawing}", surface.base)));
            for layer in &surface.layers {
                layer.fixed_files(&mut out);
            }
        }
        out
    }

    /// True where one of its layers prints under this name; where it is repeated, or on several panels,
    /// more follows after a dot.
    pub fn has_layer(&self, name: &str) -> bool {
        fn has(layers: &[Layer], id: &str) -> bool {
            layers.iter().any(|layer| {
                layer.id == id || layer.group.as_ref().is_some_and(|group| has(&group.layers, id))
            })
        }
        let id = name.split_once('.').map_or(name, |(id, _)| id);
        self.surfaces.iter().any(|surface| has(&surface.layers, id))
    }
}

/// `id@version` in its parts.
pub fn parse_pin(pin: &str) -> Option<(&str, u32)> {
    let (id, version) = pin.split_once('@')?;
    let good = !id.is_empty()
        && id.len() <= 64
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
        && !version.starts_with('0');
    good.then_some((id, version.parse().ok()?))
}

/// The codes of violations in the catalog's own files.
pub const CATALOG_CODES: Codes =
    Codes { unknown: Code::TemplateInvalid, missing: Code::TemplateInvalid, invalid: Code::TemplateInvalid };

/// Parsed files take about so many times the bytes of their text.
const PARSED: u64 = 16;

/// Loads `id@version`. An unknown pin is `template.not_found`; everything wrong inside the files is
/// `template.invalid`, all of it at once. The files are read each time, and parsed where `cache` does
/// not know what they say.
pub fn load(files: &dyn Files, pin: &str, cache: &Cache) -> Result<Arc<Template>, Violations> {
    let not_found = |detail: &str| Violations::from(Violation::new(Code::TemplateNotFound, detail));
    let (id, version) = parse_pin(pin)
        .ok_or_else(|| not_found("a template is named with its version, as `mug-photo-name@3`"))?;
    let base = format!("{id}/{version}");
    let bytes =
        files.read(&format!("{base}/template.json")).and_then(|file| file.load()).map_err(|violation| {
            match violation.code == Code::StoreUnavailable {
                true => violation.into(),
                false => not_found("the catalog has no such template, or not in this version"),
            }
        })?;
    let size = |bytes: &[u8]| bytes.len() as u64 * PARSED;
    let file = cache.get_or(Kind::TemplateFile, cache::digest([&*bytes]), || {
        Ok::<_, Violations>((parse::<TemplateFile>(&bytes)?, size(&bytes)))
    })?;
    let parts = match (&file.product, &file.design) {
        (None, None) => None,
        (Some(product), Some(design)) => {
            Some((part(files, product, "product")?, part(files, design, "design")?))
        }
        (Some(_), None) | (None, Some(_)) => {
            return Err(Violation::new(
                Code::TemplateInvalid,
                "a template that names a product names a design too",
            )
            .at(if file.product.is_some() { "/design" } else { "/product" })
            .into());
        }
    };
    let texts: Vec<&[u8]> = match &parts {
        None => vec![&bytes],
        Some((product, design)) => vec![&bytes, &product.bytes, &design.bytes],
    };
    let content = cache::digest(texts.iter().copied());
    // The parts' names are in the template's text, its own is not.
    let key = cache::digest([pin.as_bytes(), &content]);
    cache.get_or(Kind::Template, key, || {
        let file = TemplateFile::clone(&file);
        let template = match &parts {
            None => whole(file, &base),
            Some((product, design)) => {
                join(file, parse(&product.bytes)?, &product.base, parse(&design.bytes)?, &design.base)
            }
        };
        let template = Template { id: id.to_owned(), version, digest: hex::encode(content), ..template };
        super::lint::lint(&template)?;
        Ok((template, texts.iter().map(|text| size(text)).sum()))
    })
}

/// Reads a render profile from its TOML text. Everything wrong is reported at once.
pub fn load_profile(text: &str) -> Result<Profile, Violations> {
    let invalid = |detail: String| Violations::from(Violation::new(Code::TemplateInvalid, detail));
    let value: toml::Value =
        toml::from_str(text).map_err(|e| invalid(format!("this is not TOML: {}", e.message())))?;
    let value =
        serde_json::to_value(value).map_err(|e| invalid(format!("this profile has an odd value: {e}")))?;
    Profile::checker().as_ref().map_err(Clone::clone)?.check(&value).or(())?;
    let profile: Profile =
        serde_json::from_value(value).map_err(|e| invalid(format!("this profile does not read: {e}")))?;
    super::lint::lint_profile(&profile)?;
    Ok(profile)
}

/// A kind of file with its format's checker, which is made once: that takes longer than reading a file.
trait Format: DeserializeOwned {
    fn checker() -> &'static Result<Checker, Violation>;
}

macro_rules! formats {
    ($($kind:ty),*) => {$(
        impl Format for $kind {
            fn checker() -> &'static Result<Checker, Violation> {
                static CHECKER: LazyLock<Result<Checker, Violation>> =
                    LazyLock::new(|| Checker::of::<$kind>(CATALOG_CODES));
                &CHECKER
            }
        }
    )*};
}

formats!(TemplateFile, ProductFile, DesignFile, Profile);

/// Makes the checkers that every order needs on threads of the pool, while others read and lay out.
pub fn prepare() {
    rayon::spawn(|| _ = TemplateFile::checker());
    rayon::spawn(|| _ = Profile::checker());
}

fn parse<T: Format>(bytes: &[u8]) -> Result<T, Violations> {
    let invalid = |detail: String| Violations::from(Violation::new(Code::TemplateInvalid, detail));
    let value: serde_json::Value =
        serde_json::from_slice(bytes).map_err(|e| invalid(format!("this is not JSON: {e}")))?;
    T::checker().as_ref().map_err(Clone::clone)?.check(&value).or(())?;
    serde_json::from_value(value).map_err(|e| invalid(format!("this file does not read: {e}")))
}

/// A file that a template is joined from.
struct Part {
    base: String,
    bytes: Arc<[u8]>,
}

fn part(files: &dyn Files, pin: &str, kind: &str) -> Result<Part, Violations> {
    let missing = || {
        Violation::new(Code::TemplateInvalid, format!("the catalog has no such {kind}"))
            .at(format!("/{kind}"))
    };
    let (id, version) = parse_pin(pin).ok_or_else(missing)?;
    let base = format!("{id}/{version}");
    let bytes =
        files.read(&format!("{base}/{kind}.json")).and_then(|file| file.load()).map_err(|violation| {
            match violation.code == Code::StoreUnavailable {
                true => violation,
                false => missing(),
            }
        })?;
    Ok(Part { base, bytes })
}

fn whole(file: TemplateFile, base: &str) -> Template {
    let mut surfaces = file.surfaces;
    for surface in &mut surfaces {
        surface.base = base.into();
        set_base(&mut surface.layers, base);
    }
    Template {
        id: String::new(),
        version: 0,
        name: file.name,
        digest: String::new(),
        profiles: file.profiles,
        fields: file.fields,
        measures: file.measures,
        variants: file.variants,
        surfaces,
    }
}

fn join(
    file: TemplateFile,
    product: ProductFile,
    product_base: &str,
    design: DesignFile,
    design_base: &str,
) -> Template {
    let mut surfaces = product.surfaces;
    for surface in &mut surfaces {
        surface.base = product_base.into();
        set_base(&mut surface.layers, product_base);
        if let Some(art) = design.surfaces.get(&surface.name).or_else(|| design.surfaces.get("*")) {
            surface.layers.insert(0, design_layer(art, surface.design_area.as_ref(), design_base));
        }
    }
    // The template may narrow or extend what its parts say.
    let mut fields = product.fields;
    fields.extend(design.fields);
    fields.extend(file.fields);
    let mut measures = product.measures;
    measures.extend(design.measures);
    measures.extend(file.measures);
    let mut variants = product.variants;
    variants.extend(file.variants);
    Template {
        id: String::new(),
        version: 0,
        name: file.name,
        digest: String::new(),
        profiles: file.profiles,
        fields,
        measures,
        variants,
        surfaces,
    }
}

/// A design's layers as one group over the surface's design area.
fn design_layer(art: &DesignSurface, area: Option<&RectPlace>, base: &str) -> Layer {
    let mut layers = art.layers.clone();
    set_base(&mut layers, base);
    let expression = |text: &str| Measure::Expression(text.to_owned());
    let area = area.cloned().unwrap_or_else(|| RectPlace {
        x: expression("-bleed"),
        y: expression("-bleed"),
        width: expression("width + 2 * bleed"),
        height: expression("height + 2 * bleed"),
    });
    Layer {
        base: base.into(),
        place: Some(Place::Rect(area)),
        group: Some(GroupLayer { layers, canvas: Some(art.canvas), fit: art.fit }),
        ..Layer::empty("design")
    }
}

fn set_base(layers: &mut [Layer], base: &str) {
    for layer in layers {
        layer.base = base.into();
        if let Some(group) = &mut layer.group {
            set_base(&mut group.layers, base);
        }
        if let Some(pattern) = &mut layer.pattern {
            set_base(&mut pattern.cell.layers, base);
        }
        for pattern in layer.paint_patterns_mut() {
            set_base(&mut pattern.cell.layers, base);
        }
    }
}

impl Default for GroupLayer {
    fn default() -> Self {
        GroupLayer { layers: Vec::new(), canvas: None, fit: Fit::Fit }
    }
}
