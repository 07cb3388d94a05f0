//! The events of runs that made nothing, and of bodies that name no run or contradict one.

use crate::error::{Code, Violations};
use crate::order::Draft;
use crate::order::brief::errors;
use crate::order::event::{EventType, ResultData, ResultEvent, conflict_id, event_id, refusal_id};
use sha2::{Digest, Sha256};

/// The revision that an order names; 1 where it names none.
pub fn revision(draft: &Draft) -> u32 {
    draft.revision()
}

/// What an order's event says of the order, whatever else is wrong with it.
fn names(draft: &Draft) -> ResultData {
    let value = draft.value();
    let text =
        |key: &str| value.get(key).and_then(|v| v.as_str()).filter(|s| s.len() <= 200).map(str::to_owned);
    ResultData {
        job_id: Some(draft.job_id().to_owned()),
        revision: Some(draft.revision()),
        order_ref: text("order_ref"),
        item_ref: text("item_ref"),
        template: text("template"),
        profile: text("profile"),
        metadata: value.get("metadata").filter(|m| m.to_string().len() <= 8000).cloned(),
        order_digest: Some(draft.digest()),
        ..ResultData::default()
    }
}

/// An event's data with its errors.
fn wrong(data: ResultData, violations: &Violations) -> ResultData {
    let presswork_version = env!("CARGO_PKG_VERSION").into();
    ResultData { errors: errors(violations), attempt: 1, presswork_version, ..data }
}

/// The event of a run that made nothing.
pub fn failed(draft: &Draft, violations: &Violations) -> ResultEvent {
    let id = event_id(draft.job_id(), draft.revision());
    ResultEvent::new(EventType::Failed, id, wrong(names(draft), violations))
}

/// The event of a body that names no run, or contradicts one. The latter says which order it is, its
/// metadata included. Its id comes from all that it says beside the body's bytes or the run, so that one id
/// never has two bodies, of workers of other versions either.
pub fn rejected_event(body: &[u8], violations: &Violations) -> ResultEvent {
    let contradicts = violations.0.iter().any(|violation| violation.code == Code::OrderConflict);
    let (id, data) = match Draft::parse(body) {
        Ok(draft) if contradicts => {
            let data = wrong(names(&draft), violations);
            (conflict_id(draft.job_id(), draft.revision(), &data), data)
        }
        Ok(_) | Err(_) => {
            let data = wrong(ResultData::default(), violations);
            (refusal_id(&hex::encode(Sha256::digest(body)), &data), data)
        }
    };
    ResultEvent::new(EventType::Rejected, id, data)
}
