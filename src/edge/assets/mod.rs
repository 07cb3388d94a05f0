//! Where the pictures of orders come from: the farm's own place by a relative key, buckets that
//! the settings allow as `s3://BUCKET/KEY`, and hosts that they allow as `https://…`.
//!
//! A picture is first opened, which tells its size, and then read, so that memory can be taken in
//! between. Whatever is not allowed is refused before anything is asked of a network.

pub mod guard;
pub mod https;

use super::dir::Folder;
use super::store::probe::absent;
use super::store::{Store, unavailable};
use crate::asset::Encoded;
use crate::error::{Code, Violation};
use crate::order::field::is_safe_key;
use bytes::Bytes;
use https::{Answer, Https};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The farm's own place of pictures.
#[derive(Debug, Clone)]
pub enum Own {
    /// A folder.
    Folder(Folder),
    /// A bucket.
    Store(Arc<dyn Store>),
}

/// Every place that orders may name.
#[derive(Debug)]
pub struct AssetSources {
    own: Own,
    buckets: BTreeMap<String, Arc<dyn Store>>,
    https: Option<Https>,
}

/// A picture whose size is known, or that a limit bounds.
#[derive(Debug)]
pub struct Opened {
    from: From,
    bytes: Option<u64>,
}

/// A bucket and whose it is.
#[derive(Debug, Clone)]
struct Bucket {
    store: Arc<dyn Store>,
    own: bool,
}

#[derive(Debug)]
enum From {
    File(Encoded),
    Object(Bucket, String),
    Answer(Box<Answer>),
}

fn missing() -> Violation {
    Violation::new(Code::AssetNotFound, "there is no such asset: upload it, or correct the reference")
}

/// An asset of more bytes than are taken.
pub(super) fn too_large(limit: u64) -> Violation {
    Violation::new(Code::AssetTooLarge, format!("a file has at most {limit} bytes")).limit(limit)
}

fn unreadable() -> Violation {
    Violation::new(Code::AssetAccessDenied, "this asset may not be read")
}

/// A source that does not answer, or not as it should.
pub(super) fn slow() -> Violation {
    Violation::new(Code::AssetTimeout, "the picture's source is too slow or cannot be reached")
}

/// A place that orders may not name. Its name is not repeated.
pub(super) fn forbidden(why: &str) -> Violation {
    Violation::new(Code::AssetSourceForbidden, format!("pictures are not taken from there: {why}"))
}

impl AssetSources {
    /// The farm's own place alone.
    pub fn new(own: Own) -> AssetSources {
        AssetSources { own, buckets: BTreeMap::new(), https: None }
    }

    /// Also a bucket, by its name.
    #[must_use]
    pub fn with_bucket(mut self, name: impl Into<String>, store: Arc<dyn Store>) -> AssetSources {
        self.buckets.insert(name.into(), store);
        self
    }

    /// Also hosts.
    #[must_use]
    pub fn with_https(mut self, https: Https) -> AssetSources {
        self.https = Some(https);
        self
    }

    /// The farm's own bucket, where its place is one.
    pub fn own_store(&self) -> Option<Arc<dyn Store>> {
        match &self.own {
            Own::Folder(_) => None,
            Own::Store(store) => Some(store.clone()),
        }
    }

    /// The farm's own folder, where its place is one.
    pub fn own_folder(&self) -> Option<&Path> {
        match &self.own {
            Own::Folder(folder) => Some(folder.root()),
            Own::Store(_) => None,
        }
    }

    /// Finds an asset of at most `limit` bytes.
    pub async fn open(&self, reference: &str, limit: u64) -> Result<Opened, Violation> {
        let opened = match reference.split_once("://") {
            Some(("https", _)) => {
                let https = self.https.as_ref().ok_or_else(|| forbidden("no host is allowed"))?;
                let answer = https.open(reference).await?;
                Opened { bytes: answer.bytes(), from: From::Answer(Box::new(answer)) }
            }
            Some(("s3", rest)) => {
                let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
                let store = self.buckets.get(bucket);
                let store = store.ok_or_else(|| forbidden("this bucket is not allowed"))?.clone();
                Bucket { store, own: false }.object(key).await?
            }
            Some(_) => return Err(forbidden("give a key, or an s3:// or https:// address")),
            None => match &self.own {
                Own::Folder(folder) => {
                    let (folder, key) = (folder.clone(), reference.to_owned());
                    let found = tokio::task::spawn_blocking(move || folder.fetch(&key)).await;
                    let file = found.map_err(|_| unavailable("a file operation was cut off"))??;
                    Opened { bytes: Some(file.len()), from: From::File(file) }
                }
                Own::Store(store) => Bucket { store: store.clone(), own: true }.object(reference).await?,
            },
        };
        if opened.bytes.is_some_and(|bytes| bytes > limit) {
            return Err(too_large(limit));
        }
        Ok(opened)
    }
}

impl Bucket {
    async fn object(self, key: &str) -> Result<Opened, Violation> {
        if !is_safe_key(key) {
            return Err(Violation::new(
                Code::AssetRefForbidden,
                "an asset is a relative key that stays in its folder",
            ));
        }
        let head = match self.store.head(key).await {
            Ok(Some(head)) => head,
            Ok(None) => return Err(self.none().await),
            Err(violation) => return Err(self.blamed(violation).await),
        };
        Ok(Opened { bytes: Some(head.bytes), from: From::Object(self, key.to_owned()) })
    }

    /// There is no such object; or, of the worker's own bucket, no bucket either, which a question for an
    /// object's head alone does not tell.
    async fn none(&self) -> Violation {
        let bucket = if self.own { absent(self.store.as_ref()).await } else { Ok(()) };
        bucket.err().unwrap_or_else(missing)
    }

    async fn read(&self, key: &str, limit: u64) -> Result<Bytes, Violation> {
        match self.store.get(key, limit).await {
            Ok(Some(body)) => Ok(body),
            Ok(None) => Err(self.none().await),
            // An object may be there and yet not be read: archived, or under a key that is not ours.
            Err(violation) => Err(self.blamed(violation).await),
        }
    }

    /// Whose fault it is that a bucket fails. The worker waits for its own, as long as it takes. Another's
    /// is the matter of the order that named it: whoever owns it could stop the whole fleet otherwise. So
    /// is one object that may not be read in a bucket that may.
    async fn blamed(&self, violation: Violation) -> Violation {
        match (violation.code == Code::StoreDenied, self.own) {
            (true, true) => self.store.head(".probe/alive").await.err().unwrap_or_else(unreadable),
            (true, false) => unreadable(),
            (false, true) => violation,
            (false, false) => slow(),
        }
    }
}

impl Opened {
    /// How many bytes will be read at most.
    pub fn bytes_within(&self, limit: u64) -> u64 {
        self.bytes.unwrap_or(limit)
    }

    /// Reads it whole.
    pub async fn read(self, limit: u64) -> Result<Bytes, Violation> {
        match self.from {
            From::File(file) => {
                let read = tokio::task::spawn_blocking(move || file.load()).await;
                let bytes = read.map_err(|_| unavailable("a file operation was cut off"))??;
                Ok(Bytes::from_owner(bytes))
            }
            From::Object(bucket, key) => bucket.read(&key, limit).await,
            From::Answer(answer) => answer.read(limit).await,
        }
    }
}
