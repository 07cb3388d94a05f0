//! `[preflight]` of a render profile: what a finished PDF is held to.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a finding does to the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing; it is not listed.
    Ignore,
    /// It is listed; the files are good to print.
    Warn,
    /// The files are made; a person has to release them.
    Hold,
    /// The job fails.
    Fail,
}

/// What a finished PDF is held to. A limit that is not set is not looked at.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PreflightSettings {
    /// Pictures under so many pixels per inch on the page are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpi_warn: Option<f64>,
    /// Pictures under so many pixels per inch on the page get `policy.low_resolution`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpi_fail: Option<f64>,
    /// Pictures over so many pixels per inch on the page are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpi_most: Option<f64>,
    /// The least bleed on every side, in mm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bleed: Option<f64>,
    /// Paint has to reach the edge of the bleed.
    pub bleed_painted: bool,
    /// Nothing but the background comes nearer to the trim than this, in mm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safe_zone: Option<f64>,
    /// A page with nothing on it is a finding.
    pub blank: bool,
    /// What is printed on a surface is at least so large on its longer side, in mm: a
    /// design of next to nothing is a mistake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extent_min: Option<f64>,
    /// All pages have one trim size.
    pub same_size: bool,
    /// Fewest pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pages_min: Option<u32>,
    /// Most pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pages_max: Option<u32>,
    /// The number of pages is a multiple of this.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub pages_multiple: Option<u32>,
    /// Trim size: width and height in mm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trim: Option<[f64; 2]>,
    /// Width of one cover and of the spine, in mm: a cover sheet is twice the first and once the
    /// second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spine: Option<[f64; 2]>,
    /// The thinnest line, in points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line_min: Option<f64>,
    /// The smallest type, in points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_min: Option<f64>,
    /// Spot inks beyond those of `[spots]` are allowed.
    pub any_plate: bool,
    /// Plates that have to be used.
    pub plates_required: Vec<String>,
    /// What findings do to the job, by their code, where it differs from the rule's own.
    pub verdicts: IndexMap<String, Level>,
}
