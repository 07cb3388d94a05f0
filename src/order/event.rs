//! The result event: a CloudEvents 1.0 envelope around what a job made, or why it did not.
//!
//! `result.json` on disk and the message on the broker are these very bytes.

use super::wire::Order;
use crate::error::{Code, Fault, Retry, Violation};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The event's `source`; together with `id` it names an event for ever.
pub const SOURCE: &str = "/presswork";

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum EventType {
    /// The files are made and good to print.
    #[serde(rename = "presswork.render.completed")]
    Completed,
    /// The files are made; a person has to look at the findings.
    #[serde(rename = "presswork.render.held")]
    Held,
    /// There are no files.
    #[serde(rename = "presswork.render.failed")]
    Failed,
    /// The body names no run, or contradicts one.
    #[serde(rename = "presswork.order.rejected")]
    Rejected,
}

/// A CloudEvents 1.0 event in structured mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResultEvent {
    /// `1.0`
    pub specversion: String,
    /// UUIDv5 of source, job_id and revision: the same for every delivery of a run's event. That of an
    /// order that contradicts its run is also made of `order_digest`.
    pub id: String,
    /// Who sent it.
    pub source: String,
    /// How the run ended.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// The job_id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// `application/json`
    pub datacontenttype: String,
    /// The order's W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// What was made, or why not.
    pub data: ResultData,
}

/// What a job made, or why it did not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResultData {
    /// The run's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
    /// The run's revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u32>,
    /// The shop's order number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_ref: Option<String>,
    /// The shop's item number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_ref: Option<String>,
    /// `id@version`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The render profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// How many are printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u32>,
    /// The shop's own data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// SHA-256 of the order's canonical form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_digest: Option<String>,
    /// The files.
    #[serde(default)]
    pub artifacts: Vec<Artifact>,
    /// The order's pictures, as they were used.
    #[serde(default)]
    pub assets: Vec<AssetUsed>,
    /// What was found in the files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preflight: Option<Preflight>,
    /// Where the whole of this lies, beside the files, when its lists were too long for an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// Why there are no files.
    #[serde(default)]
    pub errors: Vec<EventError>,
    /// Which attempt made this.
    pub attempt: u32,
    /// Seconds by stage.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub timings: IndexMap<String, f64>,
    /// The version that rendered it.
    pub presswork_version: String,
    /// SHA-256 of the template's files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_digest: Option<String>,
    /// SHA-256 of the profile's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_digest: Option<String>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Artifact {
    /// `print` or `preview`.
    pub role: String,
    /// The surfaces it shows, in the order of its pages.
    pub surfaces: Vec<String>,
    /// As the order names outputs: `pdf`, `png`, `svg` and so on.
    pub output: String,
    /// Where it lies: a path beside `result.json`, or a store's address.
    pub uri: String,
    /// Where it can be fetched, where an address is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Size.
    pub bytes: u64,
    /// SHA-256, hex.
    pub sha256: String,
    /// MD5, hex.
    pub md5: String,
    /// IANA media type.
    pub media_type: String,
    /// Pictures: columns and rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixels: Option<[u32; 2]>,
    /// Pictures: pixels per inch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpi: Option<f64>,
    /// Documents: pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<u32>,
    /// Boxes of each surface, in mm: x, y, width, height from the trim box's top left corner.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub boxes: Vec<Boxes>,
    /// The space its colours are in.
    pub color_space: String,
    /// Its plates, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plates: Vec<String>,
}

/// The boxes of one surface as it lies in the file, in mm: x, y, width, height from the trim box's top left corner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Boxes {
    /// The surface.
    pub surface: String,
    /// The finished size.
    pub trim: [f64; 4],
    /// With bleed.
    pub bleed: [f64; 4],
    /// What the file covers.
    pub media: [f64; 4],
}

/// A picture of the order, as it was used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetUsed {
    /// The order's key for it.
    pub asset: String,
    /// SHA-256 of its bytes, hex.
    pub sha256: String,
    /// Size.
    pub bytes: u64,
}

/// A verdict with its findings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Preflight {
    /// The worst of the findings.
    pub verdict: Verdict,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// What becomes of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing to say.
    Pass,
    /// Good to print, with remarks.
    Warn,
    /// A person has to look.
    Hold,
    /// Not good to print.
    Fail,
}

/// Something that is not quite right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// A stable code.
    pub code: String,
    /// What it does to the job.
    pub verdict: Verdict,
    /// The surface.
    pub surface: String,
    /// The page of the document it was found on, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// The layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// Where, in mm from the trim box's top left corner: x, y, width, height.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<[f64; 4]>,
    /// A sentence for people.
    pub detail: String,
    /// The order accepts it.
    #[serde(default)]
    pub waived: bool,
}

impl Finding {
    /// Whether this says of a place no less than the other one does.
    pub fn covers(&self, other: &Finding) -> bool {
        let meet = |a: [f64; 4], b: [f64; 4]| {
            (0..2).all(|axis| a[axis] < b[axis] + b[axis + 2] && b[axis] < a[axis] + a[axis + 2])
        };
        let placed = match (self.place, other.place) {
            (Some(a), Some(b)) => meet(a, b),
            (Some(_) | None, None) | (None, Some(_)) => true,
        };
        (&self.code, &self.surface) == (&other.code, &other.surface)
            && self.verdict >= other.verdict
            && placed
    }
}

/// Why there are no files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventError {
    /// A stable code.
    pub code: String,
    /// Where in the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// A sentence for people.
    pub detail: String,
    /// The limit that was passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Value>,
    /// What would have been accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
    /// Whose fault it is.
    pub fault: Fault,
    /// Whether trying again can help.
    pub retry: Retry,
}

impl EventError {
    /// The violation that this was, where its code is known.
    pub fn violation(&self) -> Option<Violation> {
        let known = |code: &&Code| code.as_str() == self.code && code.fault() == self.fault;
        let code = Code::ALL.iter().find(known)?;
        Some(Violation {
            code: *code,
            pointer: self.pointer.clone(),
            detail: self.detail.clone(),
            limit: self.limit.clone(),
            allowed: self.allowed.clone(),
            fault: self.fault,
            retry: self.retry,
        })
    }
}

impl From<&Violation> for EventError {
    fn from(v: &Violation) -> Self {
        EventError {
            code: v.code.as_str().into(),
            pointer: v.pointer.clone(),
            detail: v.detail.clone(),
            limit: v.limit.clone(),
            allowed: v.allowed.clone(),
            fault: v.fault,
            retry: v.retry,
        }
    }
}

/// UUIDv5, in the URL namespace, of the source, the job and its revision.
pub fn event_id(job_id: &str, revision: u32) -> String {
    named(&format!("{SOURCE}/{job_id}/{revision}"))
}

/// The same of the run and of what is said of an order that contradicts what the run was decided for: the
/// SHA-256 of its JSON.
pub fn conflict_id(job_id: &str, revision: u32, said: &ResultData) -> String {
    named(&format!("{SOURCE}/{job_id}/{revision}/{}", said_digest(said)))
}

/// The same of a body that names no run, by its SHA-256 (hex), and of what is said of it. No run has a name
/// that could give this id.
pub fn refusal_id(body: &str, said: &ResultData) -> String {
    named(&format!("{SOURCE}/refused/{body}/{}", said_digest(said)))
}

fn said_digest(said: &ResultData) -> String {
    // JSON exists for all that an event can say; the fallback keeps the type honest.
    hex::encode(Sha256::digest(serde_json::to_vec(said).unwrap_or_default()))
}

fn named(path: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, path.as_bytes()).to_string()
}

impl ResultEvent {
    /// An event around `data`.
    pub fn new(kind: EventType, id: String, data: ResultData) -> Self {
        ResultEvent {
            specversion: "1.0".into(),
            id,
            source: SOURCE.into(),
            kind,
            subject: data.job_id.clone(),
            datacontenttype: "application/json".into(),
            traceparent: None,
            data,
        }
    }
}

impl ResultData {
    /// What every event of an order says.
    pub fn of(order: &Order) -> Self {
        ResultData {
            job_id: Some(order.job_id.clone()),
            revision: Some(order.revision),
            order_ref: order.order_ref.clone(),
            item_ref: order.item_ref.clone(),
            template: Some(order.template.clone()),
            profile: Some(order.profile.clone()),
            quantity: Some(order.quantity),
            metadata: order.metadata.clone(),
            attempt: 1,
            presswork_version: env!("CARGO_PKG_VERSION").into(),
            ..ResultData::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_covers_another_of_the_same_place_that_is_no_worse() {
        let found = |verdict, place| Finding {
            code: "image.low_resolution".into(),
            verdict,
            surface: "front".into(),
            page: None,
            layer: None,
            place,
            detail: String::new(),
            waived: false,
        };
        let (here, beside) = (Some([0.0, 0.0, 10.0, 10.0]), Some([10.0, 0.0, 5.0, 5.0]));
        assert!(found(Verdict::Hold, here).covers(&found(Verdict::Warn, Some([5.0, 5.0, 9.0, 9.0]))));
        assert!(!found(Verdict::Hold, here).covers(&found(Verdict::Warn, beside)), "another picture");
        assert!(!found(Verdict::Warn, here).covers(&found(Verdict::Hold, here)), "a worse one");
        assert!(found(Verdict::Warn, None).covers(&found(Verdict::Warn, here)));
    }
}
