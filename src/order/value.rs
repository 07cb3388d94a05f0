//! Field values after validation: every option resolved, every side merged.

use super::wire::{ImageValue, PlacementValue};
use crate::catalog::ColorSpec;
use crate::text::FontSpec;
use indexmap::IndexMap;
use serde_json::Value;

/// What a field holds. Only validation makes these.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldValue {
    /// Words.
    Text(String),
    /// One of a field's options.
    Choice {
        /// The option's id.
        id: String,
        /// What it stands for.
        value: Value,
    },
    /// A colour.
    Color {
        /// The option's id, where it is one.
        id: Option<String>,
        /// The colour.
        color: ColorSpec,
    },
    /// A face.
    Font {
        /// The option's id.
        id: String,
        /// The face.
        font: FontSpec,
    },
    /// A picture of the order.
    Image {
        /// Which, and how it is used.
        image: ImageValue,
        /// Where it stands in the order, for errors about its bytes.
        pointer: String,
    },
    /// Yes or no.
    Toggle(bool),
    /// A number.
    Number(f64),
    /// A day, as it is printed.
    Date {
        /// `YYYY-MM-DD`
        iso: String,
        /// As the field's format prints it.
        printed: String,
    },
    /// Several values.
    List(Vec<Item>),
    /// A shift, turn and scale.
    Placement(PlacementValue),
}

/// One item of a list.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A single value.
    Single(FieldValue),
    /// An object of fields.
    Object(IndexMap<String, FieldValue>),
}

impl FieldValue {
    /// What a condition's `is` compares with.
    pub fn comparable(&self) -> Value {
        match self {
            FieldValue::Text(text) => Value::from(text.as_str()),
            FieldValue::Choice { id, .. } | FieldValue::Font { id, .. } => Value::from(id.as_str()),
            FieldValue::Color { id: Some(id), .. } => Value::from(id.as_str()),
            FieldValue::Color { id: None, color } => match color {
                ColorSpec::Hex(hex) => Value::from(hex.as_str()),
                ColorSpec::Cmyk(_) | ColorSpec::Grey(_) | ColorSpec::Spot(_) => Value::Null,
            },
            FieldValue::Toggle(on) => Value::from(*on),
            FieldValue::Number(number) => Value::from(*number),
            FieldValue::Date { iso, .. } => Value::from(iso.as_str()),
            FieldValue::Image { .. } | FieldValue::List(_) | FieldValue::Placement(_) => Value::Null,
        }
    }

    /// The number that expressions and `at_least` see: a number, a list's length, a choice's number.
    pub fn number(&self) -> Option<f64> {
        match self {
            FieldValue::Number(number) => Some(*number),
            FieldValue::List(items) => Some(items.len() as f64),
            FieldValue::Choice { value, .. } => value.as_f64(),
            FieldValue::Toggle(on) => Some(f64::from(u8::from(*on))),
            FieldValue::Text(_)
            | FieldValue::Color { .. }
            | FieldValue::Font { .. }
            | FieldValue::Image { .. }
            | FieldValue::Date { .. }
            | FieldValue::Placement(_) => None,
        }
    }

    /// What `{field}` prints, where the value has words.
    pub fn words(&self) -> Option<String> {
        match self {
            FieldValue::Text(text) => Some(text.clone()),
            FieldValue::Choice { id, value } => Some(match value {
                Value::String(text) => text.clone(),
                Value::Null => id.clone(),
                Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
            }),
            FieldValue::Number(number) => {
                Some(Value::from(*number).to_string().trim_end_matches(".0").to_owned())
            }
            FieldValue::Date { printed, .. } => Some(printed.clone()),
            FieldValue::Color { .. }
            | FieldValue::Font { .. }
            | FieldValue::Image { .. }
            | FieldValue::Toggle(_)
            | FieldValue::List(_)
            | FieldValue::Placement(_) => None,
        }
    }

    /// True where there is nothing to print: no words, no items.
    pub fn is_blank(&self) -> bool {
        match self {
            FieldValue::Text(text) => text.trim().is_empty(),
            FieldValue::List(items) => items.is_empty(),
            FieldValue::Toggle(on) => !on,
            FieldValue::Choice { .. }
            | FieldValue::Color { .. }
            | FieldValue::Font { .. }
            | FieldValue::Image { .. }
            | FieldValue::Number(_)
            | FieldValue::Date { .. }
            | FieldValue::Placement(_) => false,
        }
    }
}
