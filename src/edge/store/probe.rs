//! Does a store keep the promise that everything rests on, and may this worker do what it has to?

use super::{Put, Store};
use crate::error::{Code, Violation};
use bytes::Bytes;

/// What was found out about a store that can be written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conditions {
    /// The second of two conditional writes was refused.
    Honoured,
    /// Both succeeded: two workers could decide one run.
    Ignored,
    /// The store denies what a worker cannot do without: these rights, as AWS names them.
    Lacking(Vec<&'static str>),
}

/// An object that never is.
const ABSENT: &str = ".probe/absent";

/// Writes one object twice, each only where there is none, reads and removes it, and asks for one that
/// is not there. `token` makes the key this worker's own: probing again with it leaves no second object.
pub async fn conditions(store: &dyn Store, token: &str) -> Result<Conditions, Violation> {
    let key = format!(".probe/{token}");
    // What an earlier try left stands for the first write.
    let first = store.put_if_absent(&key, "text/plain", Bytes::from_static(b"1")).await?;
    let second = store.put_if_absent(&key, "text/plain", Bytes::from_static(b"2")).await?;
    let mut lacking = Vec::new();
    for (right, done) in [
        ("s3:GetObject", store.get(&key, 16).await.map(drop)),
        ("s3:DeleteObject", store.delete(&key).await),
        ("s3:ListBucket", absent(store).await),
    ] {
        match done {
            Err(violation) if violation.code == Code::StoreDenied => lacking.push(right),
            done => done?,
        }
    }
    if !lacking.is_empty() {
        return Ok(Conditions::Lacking(lacking));
    }
    Ok(match (first, second) {
        (Put::Created, Put::Created) => Conditions::Ignored,
        (Put::Created | Put::Exists, Put::Created | Put::Exists) => Conditions::Honoured,
    })
}

/// Asks for an object that is not there. A bucket that may not be listed does not say so of any object: it
/// denies those that are absent, as if the worker were shut out.
pub async fn absent(store: &dyn Store) -> Result<(), Violation> {
    store.get(ABSENT, 16).await.map(drop)
}
