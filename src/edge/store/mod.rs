//! Where results and files are kept: one small trait, a bucket and a folder behind it.
//!
//! Everything a worker keeps is written under keys that it chooses itself
//! (`job_id/revision/...`), so a store never sees a customer's words. The one operation on which
//! the fleet rests is [`Store::put_if_absent`]: of any number of writers, one succeeds.

pub mod dir;
pub mod probe;
mod retries;
pub mod s3;
pub mod upload;

use crate::error::{Code, Violation};
use async_trait::async_trait;
use bytes::Bytes;

/// Objects up to this size are put in one request; larger ones in parts of this size.
pub const PART_BYTES: usize = 8 << 20;

/// Who won a conditional write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// This write made the object.
    Created,
    /// The object was there already; nothing was changed.
    Exists,
}

/// What is known of an object without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Size.
    pub bytes: u64,
    /// The token of the upload that wrote it, where the store keeps one.
    pub token: Option<String>,
}

/// What an object is told about itself.
#[derive(Debug, Clone, Copy)]
pub struct Label<'a> {
    /// Its media type, for browsers.
    pub media_type: &'a str,
    /// The token of the upload that writes it. A store with metadata keeps it beside the bytes, so
    /// that an upload whose answer was lost knows its own object from any other.
    pub token: &'a str,
}

/// A place that keeps objects by key. Errors are `store.unavailable` (wait, try again) and
/// `store.denied` (wait for an operator); neither is ever the order's fault.
#[async_trait]
pub trait Store: Send + Sync + std::fmt::Debug {
    /// Writes an object only where there is none, in one step.
    async fn put_if_absent(&self, key: &str, media_type: &str, body: Bytes) -> Result<Put, Violation>;

    /// Writes an object, whatever stood there. `sha256` is checked by the store where it can.
    async fn put(&self, key: &str, label: Label<'_>, body: Bytes, sha256: [u8; 32]) -> Result<(), Violation>;

    /// Reads an object of at most `max_bytes`; `None` where there is none.
    async fn get(&self, key: &str, max_bytes: u64) -> Result<Option<Bytes>, Violation>;

    /// Looks whether an object is there.
    async fn head(&self, key: &str) -> Result<Option<Head>, Violation>;

    /// Removes an object; one that is not there is no error.
    async fn delete(&self, key: &str) -> Result<(), Violation>;

    /// Begins an object that is written in parts of [`PART_BYTES`] (the last may be smaller).
    /// Nothing is seen of it before [`Multipart::complete`].
    async fn begin(&self, key: &str, label: Label<'_>) -> Result<Box<dyn Multipart>, Violation>;

    /// What an operator should know of this store before it is relied on.
    async fn warnings(&self) -> Vec<String> {
        Vec::new()
    }

    /// How results name an object: a path for a folder, `s3://bucket/key` for a bucket.
    fn uri(&self, key: &str) -> String;
}

/// An object under way.
#[async_trait]
pub trait Multipart: Send {
    /// Sends the next part.
    async fn part(&mut self, body: Bytes) -> Result<(), Violation>;

    /// Makes the object appear.
    async fn complete(self: Box<Self>) -> Result<(), Violation>;

    /// Gives up what was sent. Trying to is all that can be done: a store's lifecycle rule catches
    /// what a dead network leaves behind.
    async fn abort(self: Box<Self>);
}

/// The store cannot be reached or does not work at the moment.
pub fn unavailable(what: impl std::fmt::Display) -> Violation {
    Violation::new(Code::StoreUnavailable, format!("the store does not answer as it should: {what}"))
}

/// The store does not let this worker in.
pub fn denied(what: impl std::fmt::Display) -> Violation {
    Violation::new(Code::StoreDenied, format!("the store denies access ({what}): check the worker's rights"))
}
