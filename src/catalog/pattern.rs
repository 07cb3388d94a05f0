//! Patterns: a cell of layers, repeated.

use super::layer::Layer;
use super::value::{Bound, FieldRef, Measure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A cell of layers, repeated over the layer's box and cut to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PatternLayer {
    /// What is repeated.
    pub cell: CellSpec,
    /// How cells are set.
    #[serde(default)]
    pub arrange: PatternArrange,
    /// Distance of cell centres in a row; the cell's width unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_x: Option<Bound<Measure>>,
    /// Distance of rows; the cell's height unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_y: Option<Bound<Measure>>,
    /// Each print is turned by a seeded amount, at most this many degrees either way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<Measure>,
    /// Each print is scaled by a seeded factor between these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<[f64; 2]>,
    /// Scatter: each print is shifted by a seeded amount, at most this part of a step.
    #[serde(default = "scatter")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub jitter: f64,
    /// The seed; the same seed gives the same print, always.
    #[serde(default)]
    pub seed: Bound64,
}

fn scatter() -> f64 {
    0.5
}

/// A seed: a number, or a number field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Bound64 {
    /// Fixed.
    Value(u64),
    /// A number field.
    Field(FieldRef<u64>),
}

impl Default for Bound64 {
    fn default() -> Self {
        Bound64::Value(0)
    }
}

/// What a pattern repeats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CellSpec {
    /// Width in mm.
    pub width: Bound<Measure>,
    /// Height in mm.
    pub height: Bound<Measure>,
    /// Its layers, in the cell's coordinates. They may stand over its edges.
    #[schemars(length(min = 1))]
    pub layers: Vec<Layer>,
}

/// How a pattern's cells are set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PatternArrange {
    /// Rows and columns.
    #[default]
    Grid,
    /// Every second row is shifted by half a step.
    Brick,
    /// Every second column is shifted by half a step.
    HalfDrop,
    /// A grid whose cells are shifted by a seeded amount.
    Scatter,
}
