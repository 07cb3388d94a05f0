//! A folder as a store, for one machine.
//!
//! Objects are files, and appear whole: they are written where nobody reads and then linked (which
//! fails where something stands) or renamed (which replaces).

use super::{Head, Label, Multipart, Put, Store, denied, unavailable};
use crate::edge::durable::{UnderWay, place, place_new};
use crate::error::Violation;
use async_trait::async_trait;
use bytes::Bytes;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::NamedTempFile;
use tokio::task::spawn_blocking;

/// Objects as files below a folder.
#[derive(Debug, Clone)]
pub struct DirStore {
    files: Arc<UnderWay>,
}

impl DirStore {
    /// Keeps objects below `root`, which is made when the first one is written.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        DirStore { files: Arc::new(UnderWay::new(root)) }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.files.root().join(key)
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the system's reasons are many")]
fn failed(error: io::Error) -> Violation {
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => denied(error.kind()),
        kind => unavailable(kind),
    }
}

/// Runs file work where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Violation> + Send + 'static,
) -> Result<T, Violation> {
    spawn_blocking(work).await.unwrap_or_else(|_| Err(unavailable("a file operation was cut off")))
}

fn written(files: &UnderWay, body: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = files.begin()?;
    file.write_all(body)?;
    Ok(file)
}

#[async_trait]
impl Store for DirStore {
    async fn put_if_absent(&self, key: &str, _media_type: &str, body: Bytes) -> Result<Put, Violation> {
        let (files, target) = (self.files.clone(), self.path(key));
        blocking(move || {
            let file = written(&files, &body).map_err(failed)?;
            let placed = place_new(&file, &target).map_err(failed)?;
            Ok(if placed { Put::Created } else { Put::Exists })
        })
        .await
    }

    async fn put(
        &self,
        key: &str,
        _label: Label<'_>,
        body: Bytes,
        _sha256: [u8; 32],
    ) -> Result<(), Violation> {
        let (files, target) = (self.files.clone(), self.path(key));
        blocking(move || place(written(&files, &body).map_err(failed)?, &target).map_err(failed)).await
    }

    async fn get(&self, key: &str, max_bytes: u64) -> Result<Option<Bytes>, Violation> {
        let path = self.path(key);
        blocking(move || {
            let file = match File::open(&path) {
                Ok(file) => file,
                Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
                Err(e) => return Err(failed(e)),
            };
            let mut body = Vec::new();
            file.take(max_bytes.saturating_add(1)).read_to_end(&mut body).map_err(failed)?;
            if body.len() as u64 > max_bytes {
                return Err(unavailable(format!("an object has more than {max_bytes} bytes")));
            }
            Ok(Some(body.into()))
        })
        .await
    }

    async fn head(&self, key: &str) -> Result<Option<Head>, Violation> {
        let path = self.path(key);
        blocking(move || match fs::metadata(&path) {
            Ok(facts) => Ok(Some(Head { bytes: facts.len(), token: None })),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(failed(e)),
        })
        .await
    }

    async fn delete(&self, key: &str) -> Result<(), Violation> {
        let (path, root) = (self.path(key), self.files.root().to_owned());
        blocking(move || {
            match fs::remove_file(&path) {
                Ok(()) => {}
                Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
                Err(e) => return Err(failed(e)),
            }
            // A bucket has no folders: one that became empty goes too, and only an empty one can.
            for parent in path.ancestors().skip(1).take_while(|parent| *parent != root) {
                if fs::remove_dir(parent).is_err() {
                    break;
                }
            }
            Ok(())
        })
        .await
    }

    async fn begin(&self, key: &str, _label: Label<'_>) -> Result<Box<dyn Multipart>, Violation> {
        let files = self.files.clone();
        let file = blocking(move || files.begin().map_err(failed)).await?;
        Ok(Box::new(Growing { file: Some(file), target: self.path(key) }))
    }

    fn uri(&self, key: &str) -> String {
        self.path(key).display().to_string()
    }
}

/// A file that grows by parts.
struct Growing {
    file: Option<NamedTempFile>,
    target: PathBuf,
}

#[async_trait]
impl Multipart for Growing {
    async fn part(&mut self, body: Bytes) -> Result<(), Violation> {
        let Some(mut file) = self.file.take() else {
            return Err(unavailable("an earlier part could not be written"));
        };
        let file = blocking(move || file.write_all(&body).map(|()| file).map_err(failed)).await?;
        self.file = Some(file);
        Ok(())
    }

    async fn complete(self: Box<Self>) -> Result<(), Violation> {
        let Some(file) = self.file else {
            return Err(unavailable("a part could not be written"));
        };
        let target = self.target;
        blocking(move || place(file, &target).map_err(failed)).await
    }

    async fn abort(self: Box<Self>) {
        // Dropping the file removes it.
    }
}
