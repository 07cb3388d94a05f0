//! Does a store keep the promise that everything rests on?

use super::{Put, Store, unavailable};
use crate::error::Violation;
use bytes::Bytes;

/// Whether a store honours `If-None-Match: *`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conditions {
    /// The second of two conditional writes was refused.
    Honoured,
    /// Both succeeded: two workers could decide one run.
    Ignored,
}

/// Writes one object twice, each only where there is none, and removes it. `token` makes the key
/// this worker's own.
pub async fn conditions(store: &dyn Store, token: &str) -> Result<Conditions, Violation> {
    let key = format!(".probe/{token}");
    let first = store.put_if_absent(&key, "text/plain", Bytes::from_static(b"1")).await?;
    if first == Put::Exists {
        return Err(unavailable("a new key was already taken"));
    }
    let second = store.put_if_absent(&key, "text/plain", Bytes::from_static(b"2")).await?;
    store.delete(&key).await?;
    Ok(match second {
        Put::Exists => Conditions::Honoured,
        Put::Created => Conditions::Ignored,
    })
}
