//! The events of runs that made nothing, and of bodies that name no run.

use crate::error::Violations;
use crate::order::Draft;
use crate::order::brief::errors;
use crate::order::event::{EventType, ResultData, ResultEvent, event_id};
use sha2::{Digest, Sha256};

/// The revision that an order names; 1 where it names none that reads.
pub fn revision(draft: &Draft) -> u32 {
    let revision = draft.value().get("revision").and_then(serde_json::Value::as_u64);
    revision.and_then(|n| u32::try_from(n).ok()).unwrap_or(1)
}

/// The event of a run that made nothing.
pub fn failed(draft: &Draft, violations: &Violations) -> ResultEvent {
    let value = draft.value();
    let text =
        |key: &str| value.get(key).and_then(|v| v.as_str()).filter(|s| s.len() <= 200).map(str::to_owned);
    let revision = revision(draft);
    let data = ResultData {
        job_id: Some(draft.job_id().to_owned()),
        revision: Some(revision),
        order_ref: text("order_ref"),
        item_ref: text("item_ref"),
        template: text("template"),
        profile: text("profile"),
        metadata: value.get("metadata").filter(|m| m.to_string().len() <= 8000).cloned(),
        order_digest: Some(draft.digest()),
        errors: errors(violations),
        attempt: 1,
        presswork_version: env!("CARGO_PKG_VERSION").into(),
        ..ResultData::default()
    };
    ResultEvent::new(EventType::Failed, event_id(draft.job_id(), revision), data)
}

/// The event of a body that names no run: its id comes from the body's bytes.
pub fn rejected_event(body: &[u8], violations: &Violations) -> ResultEvent {
    let data = ResultData {
        errors: errors(violations),
        attempt: 1,
        presswork_version: env!("CARGO_PKG_VERSION").into(),
        ..ResultData::default()
    };
    ResultEvent::new(EventType::Rejected, event_id(&hex::encode(Sha256::digest(body)), 1), data)
}
