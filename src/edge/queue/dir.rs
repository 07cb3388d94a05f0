//! A spool folder as a queue, for one machine without a broker.
//!
//! A message is a file. Who takes it locks it and moves it from `orders` to `taken`; a lock ends
//! with its holder, so what a dead process had taken is found unlocked there and goes back. Files
//! appear whole, and what was confirmed outlives a power cut.

mod names;
mod watching;

use super::envelope::Envelope;
use super::{Class, Dead, Delivery, Event, Keep, Message, Queue, RUNGS, Receipt, Trouble, unavailable};
use crate::edge::durable::{UnderWay, moved, place, place_new};
use crate::edge::lock::locked;
use crate::error::Violation;
use crate::telemetry::Metrics;
use async_trait::async_trait;
use names::{again, deliveries, files, name, now_ms};
use prometheus::IntCounterVec;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tempfile::NamedTempFile;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::spawn_blocking;
use watching::{Watched, watch};

/// Deliveries after which an order must not be rendered again.
const DELIVERY_LIMIT: u32 = 100;

/// A spool folder: `orders/CLASS`, `taken/CLASS`, `delay/CLASS`, `dead`, `results`.
#[derive(Debug, Clone)]
pub struct Spool {
    files: Arc<UnderWay>,
    delays: Arc<Vec<Duration>>,
    stopped: Arc<AtomicBool>,
    unreadable: Arc<AtomicBool>,
    /// How many orders of each class were passed over when there was no other.
    passed_over: Arc<Mutex<BTreeMap<String, u64>>>,
    metrics: Option<Arc<Metrics>>,
}

impl Spool {
    /// A spool below `root`, which is made when it is first used.
    pub fn new(root: impl Into<PathBuf>) -> Spool {
        let delays = RUNGS.iter().map(|seconds| Duration::from_secs(*seconds)).collect();
        Spool {
            files: Arc::new(UnderWay::new(root)),
            delays: Arc::new(delays),
            stopped: Arc::default(),
            unreadable: Arc::default(),
            passed_over: Arc::default(),
            metrics: None,
        }
    }

    /// Counts what is confirmed and settled, as a broker's client does.
    #[must_use]
    pub fn counted_by(mut self, metrics: Arc<Metrics>) -> Spool {
        self.metrics = Some(metrics);
        self
    }

    /// Other delays.
    #[must_use]
    pub fn with_delays(mut self, delays: Vec<Duration>) -> Spool {
        self.delays = Arc::new(delays);
        self
    }

    /// The folder of the published results.
    pub fn results(&self) -> PathBuf {
        self.files.root().join("results")
    }

    /// Writes a file under a name of its own, which sorts by `ms`.
    async fn add(&self, folder: String, ms: u64, body: Vec<u8>) -> Result<(), Violation> {
        let files = self.files.clone();
        let added = blocking(move || {
            let target = files.root().join(folder).join(name(ms)?);
            match place_new(&written(&files, &body)?, &target)? {
                true => Ok(()),
                false => Err(ErrorKind::AlreadyExists.into()),
            }
        });
        self.confirmed(added.await)
    }

    fn confirmed(&self, result: Result<(), Violation>) -> Result<(), Violation> {
        if let Some(metrics) = &self.metrics {
            let outcome = if result.is_ok() { "ack" } else { "nack" };
            metrics.confirms.with_label_values(&[outcome]).inc();
        }
        result
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

fn written(files: &UnderWay, body: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = files.begin()?;
    file.write_all(body)?;
    Ok(file)
}

/// A message that this process holds.
#[derive(Debug)]
struct Taken {
    path: PathBuf,
    orders: PathBuf,
    name: String,
    /// The lock and the place among the unsettled, until it is settled.
    held: Mutex<Option<(File, OwnedSemaphorePermit)>>,
    settlements: Option<IntCounterVec>,
}

impl Taken {
    fn release(&self) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn settled(&self, action: &str, result: Result<bool, Violation>) -> Result<bool, Violation> {
        self.release();
        if let (Some(settlements), Ok(true)) = (&self.settlements, &result) {
            settlements.with_label_values(&[action]).inc();
        }
        result
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
        self.settled("ack", gone.await)
    }

    async fn requeue(&self) -> Result<bool, Violation> {
        let (path, orders, name) = (self.path.clone(), self.orders.clone(), again(&self.name));
        self.settled("requeue", blocking(move || moved(&path, &orders, &name)).await)
    }
}

/// Takes the next message of a class; tells how many that cannot be read were passed over, and why.
///
/// # Errors
/// Where the folder cannot be listed.
fn take(
    root: &Path,
    class: &str,
    place: OwnedSemaphorePermit,
    settlements: Option<IntCounterVec>,
) -> io::Result<(Option<Delivery>, Vec<io::Error>)> {
    let (orders, taken) = (root.join("orders").join(class), root.join("taken").join(class));
    let mut failed = Vec::new();
    for name in files(&orders)? {
        let (file, bytes) = match held(&orders, &taken, &name) {
            Ok(Some(held)) => held,
            Ok(None) => continue,
            Err(e) => {
                failed.push(e);
                continue;
            }
        };
        let path = taken.join(&name);
        let message = serde_json::from_slice::<Envelope>(&bytes)
            .map_or_else(|_| Message::new(bytes), |envelope| envelope.message());
        let count = deliveries(&name);
        let delivery = Delivery {
            message,
            class: class.to_owned(),
            redelivered: count > 0,
            exhausted: count >= DELIVERY_LIMIT,
            receipt: Box::new(Taken {
                path,
                orders,
                name,
                held: Mutex::new(Some((file, place))),
                settlements,
            }),
        };
        return Ok((Some(delivery), failed));
    }
    Ok((None, failed))
}

/// Locks a message, reads it and moves it to what is taken; `None` where another was faster. What cannot
/// be read stays where it is.
fn held(orders: &Path, taken: &Path, name: &str) -> io::Result<Option<(File, Vec<u8>)>> {
    let path = orders.join(name);
    let Some(mut file) = locked(&path)? else { return Ok(None) };
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    // Locked, but perhaps settled by another between listing and locking.
    Ok(moved(&path, taken, name)?.then_some((file, bytes)))
}

/// Brings back what dead processes held and what has waited long enough, and tells why one that cannot be
/// moved was passed over.
///
/// # Errors
/// Where a folder cannot be listed.
fn mend(root: &Path, class: &str) -> io::Result<Option<io::Error>> {
    let [orders, taken, delay] = ["orders", "taken", "delay"].map(|folder| root.join(folder).join(class));
    let (held, delayed) = (files(&taken), files(&delay));
    let mut failed = None;
    for name in held.as_deref().unwrap_or_default() {
        let path = taken.join(name);
        match locked(&path).and_then(|free| free.map(|_held| moved(&path, &orders, &again(name))).transpose())
        {
            Ok(_) => {}
            Err(e) => failed = Some(e),
        }
    }
    let now = now_ms();
    for name in delayed.as_deref().unwrap_or_default() {
        let due = name.split('-').next().and_then(|ms| ms.parse::<u64>().ok()).unwrap_or(0);
        if due > now {
            break;
        }
        if let Err(e) = moved(&delay.join(name), &orders, name) {
            failed = Some(e);
        }
    }
    held.and(delayed).map(|_| failed)
}

#[async_trait]
impl Queue for Spool {
    async fn consume(
        &self,
        classes: &[Class],
        prefetch: u16,
    ) -> Result<UnboundedReceiver<Delivery>, Violation> {
        let (out, receiver) = unbounded_channel();
        let watched = classes.iter().map(|class| Watched::new(class, prefetch)).collect();
        self.stopped.store(false, Ordering::Release);
        tokio::spawn(watch(self.clone(), watched, out));
        Ok(receiver)
    }

    async fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
    }

    async fn enqueue(&self, class: &str, message: &Message) -> Result<(), Violation> {
        let body = serde_json::to_vec(&Envelope::of(message)).map_err(unavailable)?;
        self.add(format!("orders/{class}"), now_ms(), body).await
    }

    async fn enqueue_later(&self, class: &str, message: &Message, rung: usize) -> Result<(), Violation> {
        let body = serde_json::to_vec(&Envelope::of(message)).map_err(unavailable)?;
        let delay = self.delays.get(rung).or(self.delays.last()).copied().unwrap_or_default();
        let due = now_ms().saturating_add(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX));
        self.add(format!("delay/{class}"), due, body).await
    }

    async fn publish(&self, event: &Event) -> Result<(), Violation> {
        let (files, body) = (self.files.clone(), event.body.clone());
        let target = self.results().join(format!("{}.json", event.id));
        // The same event again is the same file.
        self.confirmed(blocking(move || place(written(&files, &body)?, &target)).await)
    }

    async fn bury(&self, dead: &Dead) -> Result<(), Violation> {
        let body = serde_json::to_vec(&Envelope::of_dead(dead)).map_err(unavailable)?;
        self.add("dead".into(), dead.died_at_ms, body).await
    }

    async fn exhume(&self, limit: usize, keep: Keep<'_>) -> Result<usize, Violation> {
        let folder = self.files.root().join("dead");
        let read = |e: io::Error| unavailable(e.kind());
        let mut seen = 0;
        for name in files(&folder).map_err(read)?.into_iter().take(limit) {
            let path = folder.join(&name);
            let bytes = match fs::read(&path) {
                Ok(bytes) => bytes,
                // Another operator's command took it meanwhile.
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(read(e)),
            };
            // One that cannot be read stays, and stands in nobody's way.
            let Ok(envelope) = serde_json::from_slice::<Envelope>(&bytes) else {
                tracing::warn!(file = name, "a dead order's file is damaged and was left out");
                continue;
            };
            let dead = envelope.dead();
            seen += 1;
            if !keep(&dead) {
                match fs::remove_file(&path) {
                    Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(read(e)),
                    Ok(()) | Err(_) => {}
                }
            }
        }
        Ok(seen)
    }

    async fn ready(&self, class: &str) -> Result<u64, Violation> {
        let folder = self.files.root().join("orders").join(class);
        let names = blocking(move || files(&folder)).await?;
        // What cannot be taken does not wait for anybody.
        let passed_over = self.passed_over.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((names.len() as u64).saturating_sub(passed_over.get(class).copied().unwrap_or_default()))
    }

    async fn reaped(&self) -> Result<u64, Violation> {
        // They come with their class and say of themselves that they are exhausted.
        Ok(0)
    }

    fn trouble(&self) -> Option<Trouble> {
        self.unreadable.load(Ordering::Acquire).then_some(Trouble::Unreadable)
    }

    async fn reconnect(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_damaged_dead_order_stands_in_nobodys_way() {
        let root = tempfile::tempdir().unwrap();
        let spool = Spool::new(root.path());
        let dead = |ms| Dead {
            message: Message::new(b"{}".to_vec()),
            class: "standard".into(),
            code: "render.crashed".into(),
            died_at_ms: ms,
        };
        for ms in [1, 3] {
            spool.bury(&dead(ms)).await.unwrap();
        }
        let damaged = root.path().join("dead").join(name(2).unwrap());
        fs::write(&damaged, "{").unwrap();
        let mut seen = Vec::new();
        let mut keep = |dead: &Dead| {
            seen.push(dead.died_at_ms);
            false
        };
        assert_eq!(spool.exhume(10, &mut keep).await.unwrap(), 2);
        assert_eq!(seen, [1, 3]);
        assert!(damaged.exists(), "it is the operator's to look at");
    }
}
