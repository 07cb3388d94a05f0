//! The order as it travels: `presswork.order/1`.

use crate::catalog::Output;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One item to print: which template, what the customer chose, what the business supplies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// `presswork.order/1`
    #[schemars(regex(pattern = r"^presswork\.order/1$"))]
    pub schema: String,
    /// Names the run, together with `revision`. The result's folder has this name.
    #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"))]
    pub job_id: String,
    /// A corrected order, a replay or a released hold takes the next number.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schemars(range(min = 1))]
    pub revision: u32,
    /// The shop's order number, echoed back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub order_ref: Option<String>,
    /// The shop's item number, echoed back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub item_ref: Option<String>,
    /// `id@version`; an id without a version is refused.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9_-]{0,63}@[1-9][0-9]{0,5}$"))]
    pub template: String,
    /// The render profile: one of those the template lists.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9_-]{0,63}$"))]
    pub profile: String,
    /// An option for each axis of the template's variants.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub variant: IndexMap<String, String>,
    /// How many are printed, echoed back; one set of files serves them all.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub quantity: u32,
    /// The customer's values, by field.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub customization: IndexMap<String, Value>,
    /// The business's values, by field.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub personalization: IndexMap<String, Value>,
    /// Which of the profile's outputs are wanted; all of them unless told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Output>,
    /// Codes of findings that somebody has looked at and accepts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub accept: Vec<String>,
    /// Anything, echoed back; at most 2,000 characters of JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
}

fn one() -> u32 {
    1
}

fn is_one(number: &u32) -> bool {
    *number == 1
}

/// An image field's value in an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageValue {
    /// A key of the asset source (`uploads/p.jpg`).
    pub asset: String,
    /// SHA-256 of its bytes, hex; checked when given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The part that is used, in fractions of the upright picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<CropValue>,
    /// What stays in sight when the box cuts the picture, in fractions of the upright picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub focal: Option<PointValue>,
    /// Degrees clockwise that the picture is turned in its frame: 0, 90, 180 or 270.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u16>,
    /// An alpha channel for it, made elsewhere (a face cut-out).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matte: Option<MatteValue>,
}

/// A part of a picture, in fractions of its width and height.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CropValue {
    /// Left edge, 0 to 1.
    pub x: f64,
    /// Top edge, 0 to 1.
    pub y: f64,
    /// Width, above 0, at most 1.
    pub w: f64,
    /// Height, above 0, at most 1.
    pub h: f64,
}

/// A point of a picture, in fractions of its width and height.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PointValue {
    /// 0 to 1.
    pub x: f64,
    /// 0 to 1.
    pub y: f64,
}

/// An alpha channel supplied beside a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatteValue {
    /// A key of the asset source. A grey or opaque picture counts by its luminosity, one with alpha by its alpha.
    pub asset: String,
    /// SHA-256 of its bytes, hex; checked when given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// A placement field's value in an order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PlacementValue {
    /// Millimetres to the right.
    pub dx: f64,
    /// Millimetres down.
    pub dy: f64,
    /// Degrees clockwise.
    pub turn: f64,
    /// A factor; 1 changes nothing.
    #[serde(default = "whole")]
    pub scale: f64,
}

fn whole() -> f64 {
    1.0
}
