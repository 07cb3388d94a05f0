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
use crate::error::{Code, Violation, Violations};
use crate::schema::{Checker, Codes};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

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

/// Loads `id@version`. An unknown pin is `template.not_found`; everything wrong inside the files is
/// `template.invalid`, all of it at once.
pub fn load(files: &dyn Files, pin: &str) -> Result<Template, Violations> {
    let not_found = |detail: &str| Violations::from(Violation::new(Code::TemplateNotFound, detail));
    let (id, version) = parse_pin(pin)
        .ok_or_else(|| not_found("a template is named with its version, as `mug-photo-name@3`"))?;
    let base = format!("{id}/{version}");
    let mut digest = Sha256::new();
    let bytes = files
        .read(&format!("{base}/template.json"))
        .and_then(|file| file.load())
        .map_err(|_| not_found("the catalog has no such template, or not in this version"))?;
    let file: TemplateFile = parse(&bytes, &mut digest)?;
    let template = match (&file.product, &file.design) {
        (None, None) => whole(file, &base),
        (Some(product), Some(design)) => {
            let (product, product_base) = part::<ProductFile>(files, product, "product", &mut digest)?;
            let (design, design_base) = part::<DesignFile>(files, design, "design", &mut digest)?;
            join(file, product, &product_base, design, &design_base)
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
    let template =
        Template { id: id.to_owned(), version, digest: hex::encode(digest.finalize()), ..template };
    super::lint::lint(&template)?;
    Ok(template)
}

/// Reads a render profile from its TOML text. Everything wrong is reported at once.
pub fn load_profile(text: &str) -> Result<Profile, Violations> {
    let invalid = |detail: String| Violations::from(Violation::new(Code::TemplateInvalid, detail));
    let value: toml::Value =
        toml::from_str(text).map_err(|e| invalid(format!("this is not TOML: {}", e.message())))?;
    let value =
        serde_json::to_value(value).map_err(|e| invalid(format!("this profile has an odd value: {e}")))?;
    Checker::of::<Profile>(CATALOG_CODES)?.check(&value).or(())?;
    let profile: Profile =
        serde_json::from_value(value).map_err(|e| invalid(format!("this profile does not read: {e}")))?;
    super::lint::lint_profile(&profile)?;
    Ok(profile)
}

fn parse<T: JsonSchema + DeserializeOwned>(bytes: &[u8], digest: &mut Sha256) -> Result<T, Violations> {
    digest.update((bytes.len() as u64).to_le_bytes());
    digest.update(bytes);
    let invalid = |detail: String| Violations::from(Violation::new(Code::TemplateInvalid, detail));
    let value: serde_json::Value =
        serde_json::from_slice(bytes).map_err(|e| invalid(format!("this is not JSON: {e}")))?;
    Checker::of::<T>(CATALOG_CODES)?.check(&value).or(())?;
    serde_json::from_value(value).map_err(|e| invalid(format!("this file does not read: {e}")))
}

fn part<T: JsonSchema + DeserializeOwned>(
    files: &dyn Files,
    pin: &str,
    kind: &str,
    digest: &mut Sha256,
) -> Result<(T, String), Violations> {
    let missing = || {
        Violation::new(Code::TemplateInvalid, format!("the catalog has no such {kind}"))
            .at(format!("/{kind}"))
    };
    let (id, version) = parse_pin(pin).ok_or_else(missing)?;
    let base = format!("{id}/{version}");
    let bytes =
        files.read(&format!("{base}/{kind}.json")).and_then(|file| file.load()).map_err(|_| missing())?;
    Ok((parse(&bytes, digest)?, base))
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
