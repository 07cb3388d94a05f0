//! The small values a template is written in: colours, measures, and values bound to fields.

use crate::scene::{Color, Ink};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A colour as a template or an order writes it: `"#rrggbb"`, `{"cmyk": [0, 1, 1, 0]}`,
/// `{"grey": 0.5}` or `{"spot": "Engrave"}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ColorSpec {
    /// `#rgb` or `#rrggbb`, sRGB.
    Hex(#[schemars(regex(pattern = r"^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$"))] String),
    /// Exact process inks.
    Cmyk(CmykSpec),
    /// Grey: 0 is black, 1 white.
    Grey(GreySpec),
    /// A spot ink that the render profile declares.
    Spot(SpotSpec),
}

/// Exact process inks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CmykSpec {
    /// Cyan, magenta, yellow, black; 0 to 1.
    #[schemars(inner(range(min = 0.0, max = 1.0)))]
    pub cmyk: [f32; 4],
}

/// A grey.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GreySpec {
    /// 0 is black, 1 white.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub grey: f32,
}

/// A spot ink.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpotSpec {
    /// The spot's name in the render profile.
    pub spot: String,
    /// Coverage, 0 to 1.
    #[serde(default = "one")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub tint: f32,
}

fn one() -> f32 {
    1.0
}

/// Looks up a spot ink's alternate by its name in the render profile.
pub trait Spots {
    /// The exact plate name and the alternate colour, or `None` when the profile has no such ink.
    fn spot(&self, name: &str) -> Option<(std::sync::Arc<str>, Color)>;
}

impl ColorSpec {
    /// The ink that prints this colour; `None` when the profile lacks the spot or the hex is wrong.
    pub fn ink(&self, spots: &dyn Spots) -> Option<Ink> {
        Some(match self {
            ColorSpec::Hex(hex) => Ink::Process(Color::parse_hex(hex)?),
            ColorSpec::Cmyk(spec) => Ink::Process(Color::Cmyk(spec.cmyk)),
            ColorSpec::Grey(spec) => Ink::Process(Color::Grey(spec.grey)),
            ColorSpec::Spot(spec) => {
                let (name, alternate) = spots.spot(&spec.spot)?;
                Ink::Spot { name, tint: spec.tint, alternate }
            }
        })
    }
}

/// A number, or an expression over number fields, measures, the container's `width` and
/// `height`, and in repeats `index` and `count`: `"2 * 148 + spine"`. Lengths are millimetres
/// unless a property says otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Measure {
    /// A plain number.
    Number(f64),
    /// `+ - * /`, parentheses, `min(a, b)`, `max(a, b)`, `floor(a)`, `ceil(a)`, names.
    Expression(String),
}

impl From<f64> for Measure {
    fn from(number: f64) -> Self {
        Measure::Number(number)
    }
}

/// A value that stands in the template, or follows a field: `{"field": "ink"}`, or
/// `{"field": "style", "map": {"botanical": …, "plain": …}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Bound<T> {
    /// Follows a field (or a variant, as `variant.color`).
    Field(FieldRef<T>),
    /// Fixed.
    Value(T),
}

/// Follows a field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldRef<T> {
    /// The field's name; inside a repeat, `person.hair` for the field `hair` of the item `person`.
    pub field: String,
    /// What each of a choice's options stands for. Without it the field's own value is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<IndexMap<String, T>>,
    /// What stands for options that `map` does not list, or for an optional field left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<T>,
}

/// When a layer is printed. Every key that is given must hold; an empty condition always does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Condition {
    /// Every one of these holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all: Option<Vec<Condition>>,
    /// At least one of these holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any: Option<Vec<Condition>>,
    /// This does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not: Option<Box<Condition>>,
    /// The field (or `variant.NAME`) that the tests below look at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The field has a value (true) or has none (false). An empty text or list counts as none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given: Option<bool>,
    /// The field's value is this one (for a choice, colour or font: the option's id).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is: Option<serde_json::Value>,
    /// The field's value is one of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_of: Option<Vec<serde_json::Value>>,
    /// The number, or the list's length, is at least this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// The number, or the list's length, is at most this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
}
