//! A spool folder as a queue, for one machine without a broker.
//!
//! A message is a file. Who takes it locks it and moves it from `orders` to `taken`; a lock ends
//! with its holder, so what a dead process had taken is found unlocked there and goes back. Files
//! appear whole, by renaming.

use super::{Class, Dead, Delivery, Event, Keep, Message, Queue, RUNGS, Receipt, unavailable};
use crate::error::Violation;
use crate::telemetry::traces::is_traceparent;
use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

/// How often the folder is looked at.
const POLL: Duration = Duration::from_millis(50);
/// Deliveries after which an order must not be rendered again.
const DELIVERY_LIMIT: u32 = 100;

/// A spool folder: `orders/CLASS`, `taken/CLASS`, `delay/CLASS`, `dead`, `results`.
#[derive(Debug, Clone)]
pub struct Spool {
    root: Arc<PathBuf>,
    delays: Arc<Vec<Duration>>,
    stopped: Arc<AtomicBool>,
}

/// What a message's file holds.
#[derive(Debug, Serialize, Deserialize)]
struct Envelope {
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
    fn of(message: &Message) -> Envelope {
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

    fn message(&self) -> Message {
        Message {
            // A file that somebody damaged becomes an order that does not read.
            body: BASE64_STANDARD.decode(&self.body).unwrap_or_default().into(),
            attempt: self.attempt.max(1),
            enqueued_at_ms: self.enqueued_at_ms,
            traceparent: self.traceparent.clone().filter(|text| is_traceparent(text)),
        }
    }
}

impl Spool {
    /// A spool below `root`, which is made when it is first used.
    pub fn new(root: impl Into<PathBuf>) -> Spool {
        let delays = RUNGS.iter().map(|seconds| Duration::from_secs(*seconds)).collect();
        Spool { root: Arc::new(root.into()), delays: Arc::new(delays), stopped: Arc::default() }
    }

    /// Other delays.
    #[must_use]
    pub fn with_delays(mut self, delays: Vec<Duration>) -> Spool {
        self.delays = Arc::new(delays);
        self
    }

    /// The folder of the published results.
    pub fn results(&self) -> PathBuf {
        self.root.join("results")
    }

    async fn write(&self, folder: String, name: String, body: Vec<u8>) -> Result<(), Violation> {
        let root = self.root.clone();
        blocking(move || appear(&root.join(folder), &name, &body)).await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Violation> {
    match spawn_blocking(work).await {
        Ok(result) => result.map_err(|e| unavailable(e.kind())),
        Err(_) => Err(unavailable("a file operation was cut off")),
    }
}

/// Writes a file that appears whole and outlives a power cut.
fn appear(folder: &Path, name: &str, body: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
    file.write_all(body)?;
    file.as_file().sync_all()?;
    file.persist(folder.join(name)).map(drop).map_err(|e| e.error)
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// A file name that sorts by `ms` and then by the order of writing in this process.
fn name(ms: u64) -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("{ms:015}-{}-{count:010}", std::process::id())
}

/// The visible files of a folder, sorted; none where there is no folder.
fn files(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    Ok(names)
}

/// `NAME.rN`: delivered N times before.
fn deliveries(name: &str) -> u32 {
    name.rsplit_once(".r").and_then(|(_, n)| n.parse().ok()).unwrap_or(0)
}

fn again(name: &str) -> String {
    let stem = name.rsplit_once(".r").map_or(name, |(stem, _)| stem);
    format!("{stem}.r{}", deliveries(name) + 1)
}

/// Moves a file into a folder; `false` when somebody else did.
fn moved(from: &Path, folder: &Path, name: &str) -> io::Result<bool> {
    fs::create_dir_all(folder)?;
    match fs::rename(from, folder.join(name)) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

/// Opens and locks a file; `None` when it is held or gone.
fn locked(path: &Path) -> io::Result<Option<File>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// A message that this process holds.
#[derive(Debug)]
struct Taken {
    path: PathBuf,
    orders: PathBuf,
    name: String,
    /// The lock and the place among the unsettled, until it is settled.
    held: Mutex<Option<(File, OwnedSemaphorePermit)>>,
}

impl Taken {
    fn release(&self) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

#[async_trait]
impl Receipt for Taken {
    async fn ack(&self) -> Result<bool, Violation> {
        let path = self.path.clone();
        let gone = blocking(move || match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
            Err(e) => Err(e),
        });
        let gone = gone.await;
        self.release();
        gone
    }

    async fn requeue(&self) -> Result<bool, Violation> {
        let (path, orders, name) = (self.path.clone(), self.orders.clone(), again(&self.name));
        let back = blocking(move || moved(&path, &orders, &name)).await;
        self.release();
        back
    }
}

/// Takes the next message of a class.
fn take(root: &Path, class: &str, place: OwnedSemaphorePermit) -> io::Result<Option<Delivery>> {
    let (orders, taken) = (root.join("orders").join(class), root.join("taken").join(class));
    for name in files(&orders)? {
        let path = orders.join(&name);
        let Some(file) = locked(&path)? else { continue };
        // Locked, but perhaps settled by another between listing and locking.
        if !moved(&path, &taken, &name)? {
            continue;
        }
        let path = taken.join(&name);
        let bytes = fs::read(&path)?;
        let message = serde_json::from_slice::<Envelope>(&bytes)
            .map_or_else(|_| Message::new(bytes), |envelope| envelope.message());
        let count = deliveries(&name);
        return Ok(Some(Delivery {
            message,
            class: class.to_owned(),
            redelivered: count > 0,
            exhausted: count >= DELIVERY_LIMIT,
            receipt: Box::new(Taken { path, orders, name, held: Mutex::new(Some((file, place))) }),
        }));
    }
    Ok(None)
}

/// Brings back what dead processes held and what has waited long enough.
fn mend(root: &Path, class: &str) -> io::Result<()> {
    let (orders, taken) = (root.join("orders").join(class), root.join("taken").join(class));
    for name in files(&taken)? {
        let path = taken.join(&name);
        if locked(&path)?.is_some() {
            moved(&path, &orders, &again(&name))?;
        }
    }
    let delay = root.join("delay").join(class);
    let now = now_ms();
    for name in files(&delay)? {
        let due = name.split('-').next().and_then(|ms| ms.parse::<u64>().ok()).unwrap_or(0);
        if due > now {
            break;
        }
        moved(&delay.join(&name), &orders, &name)?;
    }
    Ok(())
}

async fn watch(spool: Spool, classes: Vec<(String, Arc<Semaphore>)>, out: UnboundedSender<Delivery>) {
    while !spool.stopped.load(Ordering::Acquire) && !out.is_closed() {
        let mut idle = true;
        for (class, places) in &classes {
            let Ok(place) = places.clone().try_acquire_owned() else { continue };
            let (root, class) = (spool.root.clone(), class.clone());
            let taken = blocking(move || {
                mend(&root, &class)?;
                take(&root, &class, place)
            });
            match taken.await {
                Ok(Some(delivery)) => {
                    idle = false;
                    if out.send(delivery).is_err() {
                        return;
                    }
                }
                Ok(None) => {}
                Err(violation) => tracing::warn!(detail = violation.detail, "the spool cannot be read"),
            }
        }
        if idle {
            tokio::time::sleep(POLL).await;
        }
    }
}

#[async_trait]
impl Queue for Spool {
    async fn consume(
        &self,
        classes: &[Class],
        prefetch: u16,
    ) -> Result<UnboundedReceiver<Delivery>, Violation> {
        let (out, receiver) = unbounded_channel();
        let places = |class: &Class| (class.name.clone(), Arc::new(Semaphore::new(usize::from(prefetch))));
        self.stopped.store(false, Ordering::Release);
        tokio::spawn(watch(self.clone(), classes.iter().map(places).collect(), out));
        Ok(receiver)
    }

    async fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
    }

    async fn enqueue(&self, class: &str, message: &Message) -> Result<(), Violation> {
        let body = serde_json::to_vec(&Envelope::of(message)).map_err(unavailable)?;
        self.write(format!("orders/{class}"), name(now_ms()), body).await
    }

    async fn enqueue_later(&self, class: &str, message: &Message, rung: usize) -> Result<(), Violation> {
        let body = serde_json::to_vec(&Envelope::of(message)).map_err(unavailable)?;
        let delay = self.delays.get(rung).or(self.delays.last()).copied().unwrap_or_default();
        let due = now_ms().saturating_add(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX));
        self.write(format!("delay/{class}"), name(due), body).await
    }

    async fn publish(&self, event: &Event) -> Result<(), Violation> {
        self.write("results".into(), format!("{}.json", event.id), event.body.to_vec()).await
    }

    async fn bury(&self, dead: &Dead) -> Result<(), Violation> {
        let mut envelope = Envelope::of(&dead.message);
        envelope.class = Some(dead.class.clone());
        envelope.code = Some(dead.code.clone());
        envelope.died_at_ms = Some(dead.died_at_ms);
        let body = serde_json::to_vec(&envelope).map_err(unavailable)?;
        self.write("dead".into(), name(dead.died_at_ms), body).await
    }

    async fn exhume(&self, limit: usize, keep: Keep<'_>) -> Result<usize, Violation> {
        let folder = self.root.join("dead");
        let read = |e: io::Error| unavailable(e.kind());
        let mut seen = 0;
        for name in files(&folder).map_err(read)?.into_iter().take(limit) {
            let path = folder.join(&name);
            let bytes = fs::read(&path).map_err(read)?;
            let envelope: Envelope = serde_json::from_slice(&bytes).map_err(unavailable)?;
            let dead = Dead {
                message: envelope.message(),
                class: envelope.class.unwrap_or_default(),
                code: envelope.code.unwrap_or_default(),
                died_at_ms: envelope.died_at_ms.unwrap_or_default(),
            };
            seen += 1;
            if !keep(&dead) {
                fs::remove_file(&path).map_err(read)?;
            }
        }
        Ok(seen)
    }

    async fn ready(&self, class: &str) -> Result<u64, Violation> {
        let folder = self.root.join("orders").join(class);
        blocking(move || files(&folder)).await.map(|names| names.len() as u64)
    }

    async fn reaped(&self) -> Result<u64, Violation> {
        // They come with their class and say of themselves that they are exhausted.
        Ok(0)
    }

    fn connected(&self) -> bool {
        true
    }

    async fn reconnect(&self) {}
}
