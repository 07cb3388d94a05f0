//! Fields: what an order may say, which side may say it, and within which bounds.

use super::value::ColorSpec;
use crate::text::FontSpec;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which side of an order controls a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// `customization`: the customer's own choice.
    Customer,
    /// `personalization`: the business's data.
    Business,
    /// The business's value is the default, the customer's wins.
    Either,
}

/// What kind of value a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    /// A string. Constraints: `min_chars`, `max_chars`, `max_lines`, `pattern`.
    Text,
    /// One of `options`, by its id.
    Choice,
    /// One of `options`, by its id, or any `#rrggbb` where `free` is true.
    Color,
    /// One of `options`, by its id.
    Font,
    /// A picture: a string (the asset) or an object with `asset`, `sha256`, `crop`, `focal`, `turn`, `matte`.
    Image,
    /// `true` or `false`.
    Toggle,
    /// A number. Constraints: `min`, `max`, `step`.
    Number,
    /// A day, `YYYY-MM-DD`. Constraints: `earliest`, `latest`; `format` says how it is printed.
    Date,
    /// Several values: of `item`, or objects of `fields`. Constraints: `min_items`, `max_items`.
    List,
    /// A shift, turn and scale of the layers that name this field. Bounds: `shift`, `turn`, `scale`.
    Placement,
}

/// One thing that an order may say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// What kind of value it takes.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// Which side controls it. Fields of a list's items follow the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<By>,
    /// What a shop calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// An order without it is refused (unless there is a default).
    #[serde(default)]
    pub required: bool,
    /// What stands when an order says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<serde_json::Value>,
    /// Text: fewest characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_chars: Option<u32>,
    /// Text: most characters (1,000 unless told).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_chars: Option<u32>,
    /// Text: most lines (1 unless told). Line breaks beyond it are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_lines: Option<u32>,
    /// Text: a regular expression that the whole text must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Choice, colour, font: what may be chosen, by id.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub options: IndexMap<String, Choice>,
    /// Colour: any `#rrggbb` may be given, not only the options.
    #[serde(default)]
    pub free: bool,
    /// Number: smallest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Number: largest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Number: only `min` plus whole multiples of this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<f64>,
    /// Date: first day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earliest: Option<String>,
    /// Date: last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<String>,
    /// Date: how it is printed, from `{day}`, `{day2}`, `{month}`, `{month2}`, `{month_name}`, `{year}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// List: fewest items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_items: Option<u32>,
    /// List: most items (100 unless told).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u32>,
    /// List: what each item is, where it is a single value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<Box<Field>>,
    /// List: what each item holds, where it is an object.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub fields: IndexMap<String, Field>,
    /// Placement: largest shift in mm, right or left and down or up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<[f64; 2]>,
    /// Placement: largest turn in degrees, either way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<f64>,
    /// Placement: smallest and largest scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<[f64; 2]>,
}

/// One option of a choice, colour or font field.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Choice {
    /// What a shop calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Choice: what it stands for where it is used (a number, a text, a path of the template); its id unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<serde_json::Value>,
    /// Colour: the ink.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<ColorSpec>,
    /// Font: the face.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub font: Option<FontSpec>,
}
