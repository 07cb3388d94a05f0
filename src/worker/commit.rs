//! The one write that decides a run.

#[cfg(debug_assertions)]
use super::{
    effect::{Effect, announced},
    planted,
};
#[cfg(debug_assertions)]
use crate::edge::store::Label;
use crate::edge::store::{Put, Store, unavailable};
use crate::error::{Code, Violation};
use crate::order::event::{EventError, EventType, ResultData, ResultEvent, event_id};
use bytes::Bytes;
#[cfg(debug_assertions)]
use sha2::{Digest, Sha256};

/// Results above this are refused by consumers' brokers.
const MAX_RESULT_BYTES: u64 = 4 << 20;

/// What stands as a run's result.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed {
    /// The bytes, which are the event.
    pub body: Bytes,
    /// The same, read.
    pub event: ResultEvent,
    /// This attempt's own write decided it.
    pub ours: bool,
}

/// Where a run's result stands.
pub fn result_key(job_id: &str, revision: u32) -> String {
    format!("{job_id}/{revision}/result.json")
}

/// What stands already, if anything does.
///
/// # Errors
/// The store's, and `order.conflict` where something stands that is no result: nobody can decide this run.
pub(super) async fn standing(store: &dyn Store, key: &str) -> Result<Option<Committed>, Violation> {
    let Some(body) = store.get(key, MAX_RESULT_BYTES).await? else { return Ok(None) };
    let event = serde_json::from_slice(&body).map_err(|_| {
        tracing::error!(key, "what stands in a result's place is damaged, or no result");
        Violation::new(
            Code::OrderConflict,
            "what is stored as the result of this run cannot be read: give the order the next revision",
        )
    })?;
    Ok(Some(Committed { body, event, ours: false }))
}

/// Decides a run with an event, unless it is decided already; gives what stands.
///
/// A conditional write whose answer was lost is repeated by the store's client and then finds
/// itself: the same bytes are ours.
pub async fn commit(store: &dyn Store, key: &str, event: &ResultEvent) -> Result<Committed, Violation> {
    let body = event.to_bytes().map_err(|e| unavailable(format!("a result cannot be written: {e}")))?;
    let body = Bytes::from(body);
    #[cfg(debug_assertions)]
    if planted::has(planted::Bug::UnconditionalCommit) {
        planted::linger().await;
        let sha256 = Sha256::digest(&body).into();
        let label = Label { media_type: "application/json", token: "" };
        announced(Effect::PutResult, store.put(key, label, body.clone(), sha256)).await?;
        return Ok(Committed { body, event: event.clone(), ours: true });
    }
    match store.put_if_absent(key, "application/json", body.clone()).await? {
        Put::Created => Ok(Committed { body, event: event.clone(), ours: true }),
        Put::Exists => {
            let mut stands =
                standing(store, key).await?.ok_or_else(|| unavailable("a result came and went"))?;
            stands.ours = stands.body == body;
            Ok(stands)
        }
    }
}

/// Decides a run as cancelled before anybody rendered it. Gives what stands, which is another
/// result when the run was decided before.
pub async fn cancel(store: &dyn Store, job_id: &str, revision: u32) -> Result<Committed, Violation> {
    let violation = Violation::new(Code::OrderCancelled, "the order was cancelled before it was rendered");
    let data = ResultData {
        job_id: Some(job_id.to_owned()),
        revision: Some(revision),
        errors: vec![EventError::from(&violation)],
        attempt: 1,
        presswork_version: env!("CARGO_PKG_VERSION").into(),
        ..ResultData::default()
    };
    let event = ResultEvent::new(EventType::Failed, event_id(job_id, revision), data);
    let key = result_key(job_id, revision);
    // A store that ignores conditions would let this write replace what stands.
    match standing(store, &key).await? {
        Some(stands) => Ok(stands),
        None => commit(store, &key, &event).await,
    }
}

/// `completed`, `held` or `failed`, as metrics count them.
pub(super) fn outcome(kind: EventType) -> &'static str {
    match kind {
        EventType::Completed => "completed",
        EventType::Held => "held",
        EventType::Failed => "failed",
        EventType::Rejected => "rejected",
    }
}

/// The routing key of an event.
pub(super) fn routing_key(kind: EventType) -> &'static str {
    match kind {
        EventType::Completed => "presswork.render.completed",
        EventType::Held => "presswork.render.held",
        EventType::Failed => "presswork.render.failed",
        EventType::Rejected => "presswork.order.rejected",
    }
}
