//! A job's files on their way to a store while they are still being painted.
//!
//! The renderer writes on a thread of its own; full parts go through a bounded channel to a task
//! that sends them. Small files are put whole. Large ones stay open until the job's verdict is
//! known: [`Uploads::complete`] makes them appear, [`Uploads::abort`] leaves nothing behind.

use super::{Label, Multipart, PART_BYTES, Store, unavailable};
use crate::error::Violation;
use crate::render::Destination;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tracing::Instrument;

/// Full parts that wait for the network before the painter has to.
const WAITING_PARTS: usize = 2;

/// Files of one attempt, below a folder of the store that is its own.
pub struct Uploads {
    store: Arc<dyn Store>,
    folder: String,
    token: String,
    runtime: Handle,
    files: Vec<Sending>,
    kept: Vec<String>,
    /// Files that were given up before their end, while they are being cleared away.
    discarded: Vec<JoinHandle<Result<Sent, Violation>>>,
    cancelled: Arc<watch::Sender<bool>>,
    waits: Arc<Waits>,
}

/// How long painters have waited for the network, which is not the order's doing.
#[derive(Default)]
pub struct Waits {
    millis: AtomicU64,
    /// Told of every wait: true when it begins, false when it is over.
    hears: OnceLock<Box<dyn Fn(bool) + Send + Sync>>,
}

impl Waits {
    /// All waits so far.
    pub fn so_far(&self) -> Duration {
        Duration::from_millis(self.millis.load(Ordering::Acquire))
    }

    /// Who is told of them; the first one stays.
    pub fn tell(&self, hears: impl Fn(bool) + Send + Sync + 'static) {
        drop(self.hears.set(Box::new(hears)));
    }

    fn during<T>(&self, wait: impl FnOnce() -> T) -> T {
        let since = Instant::now();
        let hears = |waits| {
            if let Some(hears) = self.hears.get() {
                hears(waits);
            }
        };
        hears(true);
        let done = wait();
        hears(false);
        let millis = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.millis.fetch_add(millis, Ordering::AcqRel);
        done
    }
}

/// Ends the uploads of one attempt where they are, from another task.
#[derive(Debug, Clone)]
pub struct Cancel(Arc<watch::Sender<bool>>);

impl Cancel {
    /// What is being sent is given up: its file fails.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }
}

/// A file that is being sent.
struct Sending {
    key: String,
    task: JoinHandle<Result<Sent, Violation>>,
}

/// What has become of a file whose last byte was sent.
enum Sent {
    Whole,
    Open(Box<dyn Multipart>),
}

impl Uploads {
    /// Files go to `run/TOKEN/NAME` and carry the token themselves. Has to be called within the
    /// runtime that sends them.
    pub fn new(store: Arc<dyn Store>, run: &str, token: String) -> Uploads {
        let folder = format!("{run}/{token}");
        let (runtime, cancelled) = (Handle::current(), Arc::new(watch::Sender::new(false)));
        let (files, kept, discarded) = (Vec::new(), Vec::new(), Vec::new());
        let waits = Arc::default();
        Uploads { store, folder, token, runtime, files, kept, discarded, cancelled, waits }
    }

    /// What the painters of these uploads have waited.
    pub fn waits(&self) -> Arc<Waits> {
        self.waits.clone()
    }

    /// The way to end these uploads while they are completed.
    pub fn cancel(&self) -> Cancel {
        Cancel(self.cancelled.clone())
    }

    /// The verdict is in and the files are wanted: every one appears. When this fails nothing is
    /// left open and what has appeared is removed.
    pub async fn complete(&mut self) -> Result<(), Violation> {
        self.clear().await;
        let mut keys = Vec::new();
        let mut wrong = None;
        for Sending { key, task } in std::mem::take(&mut self.files) {
            let sent = joined(task).await;
            // A drain that is over leaves no time to complete the rest, only to give it up.
            if wrong.is_none() && *self.cancelled.borrow() {
                wrong = Some(cut_off());
            }
            let done = match (sent, &wrong) {
                (Ok(Sent::Whole), _) => Ok(()),
                (Ok(Sent::Open(upload)), None) => upload.complete().await,
                (Ok(Sent::Open(upload)), Some(_)) => {
                    upload.abort().await;
                    Ok(())
                }
                (Err(e), _) => Err(e),
            };
            keys.push(key);
            wrong = wrong.or(done.err());
        }
        match wrong {
            None => {
                self.kept.extend(keys);
                Ok(())
            }
            Some(violation) => {
                remove(self.store.as_ref(), &keys).await;
                Err(violation)
            }
        }
    }

    /// The files are not wanted: those under way are given up, those that appeared are removed.
    pub async fn abort(&mut self) {
        self.cancel().cancel();
        self.clear().await;
        let mut keys = std::mem::take(&mut self.kept);
        for Sending { key, task } in std::mem::take(&mut self.files) {
            match joined(task).await {
                Ok(Sent::Open(upload)) => upload.abort().await,
                // What was cut off may have arrived all the same.
                Ok(Sent::Whole) | Err(_) => keys.push(key),
            }
        }
        remove(self.store.as_ref(), &keys).await;
    }

    /// Waits until nothing is left of discarded files. Each sender reports that its file was not
    /// written to its end, which is what was wanted.
    async fn clear(&mut self) {
        for task in std::mem::take(&mut self.discarded) {
            drop(joined(task).await);
        }
    }
}

async fn joined(task: JoinHandle<Result<Sent, Violation>>) -> Result<Sent, Violation> {
    task.await.unwrap_or_else(|_| Err(cut_off()))
}

/// Removes objects that nothing refers to. One that stays is an orphan, not an error.
pub async fn remove(store: &dyn Store, keys: &[String]) {
    for key in keys {
        if let Err(violation) = store.delete(key).await {
            tracing::warn!(code = %violation.code, "an unwanted file could not be removed");
        }
    }
}

/// The media type of a file by its name, for browsers.
pub fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("pdf") => "application/pdf",
        Some("png") => "image/png",
        Some("jpg") => "image/jpeg",
        Some("tif") => "image/tiff",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

impl Destination for Uploads {
    type File = PartWriter;

    fn create(&mut self, name: &str) -> Result<PartWriter, Violation> {
        let key = format!("{}/{name}", self.folder);
        let (parts, incoming) = mpsc::channel(WAITING_PARTS);
        let cancelled = self.cancelled.subscribe();
        let to = Target { store: self.store.clone(), key: key.clone(), token: self.token.clone() };
        let sending = send(to, media_type(name), incoming, cancelled);
        let task = self.runtime.spawn(sending.in_current_span());
        self.files.push(Sending { key, task });
        Ok(PartWriter { buffer: Vec::new(), parts, waits: self.waits.clone() })
    }

    fn discard(&mut self, name: &str, file: PartWriter) -> Result<(), Violation> {
        // Its sender sees the channel close before the end and gives the upload up.
        drop(file);
        let key = format!("{}/{name}", self.folder);
        if let Some(at) = self.files.iter().rposition(|sending| sending.key == key) {
            self.discarded.push(self.files.remove(at).task);
        }
        Ok(())
    }

    fn finish(&mut self, name: &str, file: PartWriter) -> Result<String, Violation> {
        file.finish().map_err(|e| unavailable(e.kind()))?;
        Ok(self.store.uri(&format!("{}/{name}", self.folder)))
    }
}

/// What a painter says to the sender.
enum Piece {
    /// A full part; more may follow.
    Part(Bytes),
    /// The file's end, with what was left.
    End(Bytes),
}

/// The painter's end of an upload. Writing blocks while the network is behind; it must not be
/// used on a runtime's thread.
pub struct PartWriter {
    buffer: Vec<u8>,
    parts: mpsc::Sender<Piece>,
    waits: Arc<Waits>,
}

impl PartWriter {
    fn push(&mut self, piece: Piece) -> io::Result<()> {
        // The sender goes away only after an error, which the upload's own result tells.
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        match self.parts.try_send(piece) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(piece)) => {
                self.waits.during(|| self.parts.blocking_send(piece)).map_err(|_| gone())
            }
            Err(TrySendError::Closed(_)) => Err(gone()),
        }
    }

    fn finish(mut self) -> io::Result<()> {
        let rest = std::mem::take(&mut self.buffer).into();
        self.push(Piece::End(rest))
    }
}

impl Write for PartWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() == PART_BYTES {
            let part = std::mem::replace(&mut self.buffer, Vec::with_capacity(PART_BYTES));
            self.push(Piece::Part(part.into()))?;
        }
        let taken = bytes.len().min(PART_BYTES - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Done when the uploads are cancelled.
async fn told(cancelled: &mut watch::Receiver<bool>) {
    if cancelled.wait_for(|cancelled| *cancelled).await.is_err() {
        // Nobody is left who could cancel.
        std::future::pending::<()>().await;
    }
}

fn cut_off() -> Violation {
    unavailable("an upload was cut off")
}

/// Where a file goes.
struct Target {
    store: Arc<dyn Store>,
    key: String,
    token: String,
}

/// Sends a file: whole when its end comes before a part is full, else part by part.
async fn send(
    to: Target,
    media_type: &'static str,
    mut incoming: mpsc::Receiver<Piece>,
    mut cancelled: watch::Receiver<bool>,
) -> Result<Sent, Violation> {
    let Target { store, key, token } = to;
    let label = Label { media_type, token: &token };
    let mut open: Option<Box<dyn Multipart>> = None;
    loop {
        let next = tokio::select! {
            next = incoming.recv() => next,
            // The painter learns of it when it writes again.
            () = told(&mut cancelled) => None,
        };
        let (body, last) = match next {
            Some(Piece::Part(body)) => (body, false),
            Some(Piece::End(body)) => (body, true),
            // The painter gave up before the end, or was given up.
            None => {
                if let Some(upload) = open {
                    upload.abort().await;
                }
                return Err(unavailable("a file was not written to its end"));
            }
        };
        let upload = match &mut open {
            Some(upload) => upload,
            None if last => {
                let sha256 = Sha256::digest(&body).into();
                return tokio::select! {
                    put = store.put(&key, label, body, sha256) => put.map(|()| Sent::Whole),
                    () = told(&mut cancelled) => Err(cut_off()),
                };
            }
            None => open.insert(store.begin(&key, label).await?),
        };
        let sent = tokio::select! {
            sent = upload.part(body) => sent,
            () = told(&mut cancelled) => Err(cut_off()),
        };
        match (sent, last) {
            (Ok(()), false) => {}
            (Ok(()), true) => return open.map(Sent::Open).ok_or_else(|| unavailable("no upload")),
            (Err(violation), _) => {
                if let Some(upload) = open {
                    upload.abort().await;
                }
                return Err(violation);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn what_a_painter_waits_for_the_network_is_told_and_counted() {
        let (parts, mut incoming) = mpsc::channel(1);
        let waits = Arc::new(Waits::default());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hears = heard.clone();
        waits.tell(move |waiting| hears.lock().unwrap().push(waiting));
        let mut writer = PartWriter { buffer: Vec::new(), parts, waits: waits.clone() };
        writer.push(Piece::Part(Bytes::new())).unwrap();
        assert!(heard.lock().unwrap().is_empty(), "there was room");
        let network = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(30));
            (incoming.blocking_recv().is_some(), incoming.blocking_recv().is_some())
        });
        writer.push(Piece::Part(Bytes::new())).unwrap();
        assert_eq!(*heard.lock().unwrap(), [true, false]);
        assert!(waits.so_far() > Duration::ZERO);
        assert_eq!(network.join().unwrap(), (true, true));
        assert_eq!(writer.finish().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
