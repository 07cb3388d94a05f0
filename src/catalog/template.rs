//! Templates: whole ones, and those that join a product with a design.

use super::field::Field;
use super::layer::{Layer, ShapeSpec};
use super::value::{Bound, ColorSpec, Condition, Measure};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// `catalog/<id>/<version>/template.json`. Whole (`surfaces` with layers), or a `product` joined
/// with a `design`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateFile {
    /// `presswork.template/1`
    #[schemars(regex(pattern = r"^presswork\.template/1$"))]
    pub schema: String,
    /// What a shop calls it.
    pub name: String,
    /// The render profiles it may be printed with.
    #[schemars(length(min = 1))]
    pub profiles: Vec<String>,
    /// What an order may say.
    #[serde(default)]
    pub fields: IndexMap<String, Field>,
    /// Named numbers, usable in every expression. Later ones may use earlier ones.
    #[serde(default)]
    pub measures: IndexMap<String, Measure>,
    /// What `variant` may select, by axis (`size`, `color`).
    #[serde(default)]
    pub variants: IndexMap<String, Axis>,
    /// Its sides or pages.
    #[serde(default)]
    pub surfaces: Vec<SurfaceSpec>,
    /// The product that brings surfaces, panels, variants: `id@version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The design that brings fields and layers: `id@version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub design: Option<String>,
}

/// `catalog/<id>/<version>/product.json`: the thing that is printed, without art.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductFile {
    /// `presswork.product/1`
    #[schemars(regex(pattern = r"^presswork\.product/1$"))]
    pub schema: String,
    /// What a shop calls it.
    pub name: String,
    /// What an order may say about the product itself (a book's page count).
    #[serde(default)]
    pub fields: IndexMap<String, Field>,
    /// Named numbers.
    #[serde(default)]
    pub measures: IndexMap<String, Measure>,
    /// What `variant` may select.
    #[serde(default)]
    pub variants: IndexMap<String, Axis>,
    /// Its sides. Their layers, if any, are printed above the design's.
    #[schemars(length(min = 1))]
    pub surfaces: Vec<SurfaceSpec>,
}

/// `catalog/<id>/<version>/design.json`: art that any product can carry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DesignFile {
    /// `presswork.design/1`
    #[schemars(regex(pattern = r"^presswork\.design/1$"))]
    pub schema: String,
    /// What a shop calls it.
    pub name: String,
    /// What an order may say.
    #[serde(default)]
    pub fields: IndexMap<String, Field>,
    /// Named numbers.
    #[serde(default)]
    pub measures: IndexMap<String, Measure>,
    /// Art by the surface's name; `*` stands for every surface not named.
    pub surfaces: IndexMap<String, DesignSurface>,
}

/// A design's art for one surface.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DesignSurface {
    /// The width and height that the layers' coordinates span.
    pub canvas: [f64; 2],
    /// How the canvas meets the surface's design area.
    #[serde(default)]
    pub fit: super::layer::Fit,
    /// The layers, back to front, in canvas coordinates.
    pub layers: Vec<Layer>,
}

/// One axis of variants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// What stands when an order names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// What may be selected, by id.
    pub options: IndexMap<String, VariantOption>,
}

/// One option of a variant axis.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct VariantOption {
    /// What a shop calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Measures that it sets, over those of the template.
    pub measures: IndexMap<String, f64>,
    /// The garment's or material's colour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<ColorSpec>,
}

/// One printable side or page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SurfaceSpec {
    /// A word, part of the file name.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9_-]{0,39}$"))]
    pub name: String,
    /// The catalog folder that `drawing` stands in; set when the template is loaded.
    #[serde(skip)]
    pub base: Arc<str>,
    /// Finished width in mm.
    pub width: Measure,
    /// Finished height in mm.
    pub height: Measure,
    /// How far art runs past the trim, in mm.
    #[serde(default = "zero")]
    pub bleed: Measure,
    /// How far inside the trim important things stay, in mm.
    #[serde(default = "zero")]
    pub safe: Measure,
    /// An SVG of the template in which a designer drew the slots. Its viewport is stretched over the trim box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawing: Option<String>,
    /// The garment or material under the print, for previews only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub garment: Option<Bound<ColorSpec>>,
    /// Printed only when this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// One page for every item of a list (`over`, `as`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<PageRepeat>,
    /// Parts with an outline of their own, as a shoe has.
    #[serde(default)]
    pub panels: IndexMap<String, Panel>,
    /// Product: where a design goes; the whole bleed box unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub design_area: Option<super::layer::RectPlace>,
    /// The art, back to front.
    #[serde(default)]
    pub layers: Vec<Layer>,
}

fn zero() -> Measure {
    Measure::Number(0.0)
}

/// Pages from a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageRepeat {
    /// The list field.
    pub over: String,
    /// What an item is called inside.
    #[serde(rename = "as")]
    pub item: String,
}

/// A part of a surface with an outline of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// Its box on the surface.
    #[serde(rename = "box")]
    pub place: super::layer::Place,
    /// Its outline in that box; art is cut to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<ShapeSpec>,
    /// What is mirrored on it.
    #[serde(default)]
    pub mirror: Mirror,
    /// Degrees clockwise that its art is turned, about the box's centre.
    #[serde(default)]
    pub turn: f64,
    /// For layers on panel `*`: the rectangle of the surface (x, y, width, height in mm) whose art
    /// this panel shows, so that art runs across panels that lie apart. Its own box unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<[f64; 4]>,
}

/// What a panel mirrors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mirror {
    /// Nothing.
    #[default]
    None,
    /// Pictures, art, shapes and patterns, but not text and codes, which stay readable.
    Art,
    /// Everything.
    All,
}
