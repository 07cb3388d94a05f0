//! A message as a file of a spool folder holds it.

use super::{Dead, Message};
use crate::telemetry::traces::is_traceparent;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

/// What a message's file holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Envelope {
    attempt: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    enqueued_at_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    died_at_ms: Option<u64>,
    /// Base64, since an order need not even be text.
    body: String,
}

impl Envelope {
    pub(super) fn of(message: &Message) -> Envelope {
        Envelope {
            attempt: message.attempt,
            enqueued_at_ms: message.enqueued_at_ms,
            traceparent: message.traceparent.clone(),
            class: None,
            code: None,
            died_at_ms: None,
            body: BASE64_STANDARD.encode(&message.body),
        }
    }

    pub(super) fn message(&self) -> Message {
        Message {
            // A file that somebody damaged becomes an order that does not read.
            body: BASE64_STANDARD.decode(&self.body).unwrap_or_default().into(),
            attempt: self.attempt.max(1),
            enqueued_at_ms: self.enqueued_at_ms,
            traceparent: self.traceparent.clone().filter(|text| is_traceparent(text)),
        }
    }

    pub(super) fn of_dead(dead: &Dead) -> Envelope {
        Envelope {
            class: Some(dead.class.clone()),
            code: Some(dead.code.clone()),
            died_at_ms: Some(dead.died_at_ms),
            ..Envelope::of(&dead.message)
        }
    }

    pub(super) fn dead(self) -> Dead {
        Dead {
            message: self.message(),
            class: self.class.unwrap_or_default(),
            code: self.code.unwrap_or_default(),
            died_at_ms: self.died_at_ms.unwrap_or_default(),
        }
    }
}
