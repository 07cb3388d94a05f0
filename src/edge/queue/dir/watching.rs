//! How a spool folder is looked at, again and again, and ever more seldom where it cannot be read.

use super::super::{Class, Delivery};
use super::{Spool, blocking, mend, take};
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedSender;

/// How often the folder is looked at.
const POLL: Duration = Duration::from_millis(50);
/// The longest pause after a class whose files could not be read.
const LONGEST: Duration = Duration::from_secs(5);
/// How often it is told that a file was passed over.
const OFTEN: Duration = Duration::from_secs(60);
/// A class that is looked at.
pub(super) struct Watched {
    class: String,
    places: Arc<Semaphore>,
    /// Its files could not be read: when they are tried again, and the pause that ends then.
    fails: Option<(Instant, Duration)>,
    /// When it was told last that a file of it was passed over.
    passed_over: Option<Instant>,
}

impl Watched {
    pub(super) fn new(class: &Class, prefetch: u16) -> Watched {
        let places = Arc::new(Semaphore::new(usize::from(prefetch)));
        Watched { class: class.name.clone(), places, fails: None, passed_over: None }
    }

    /// What the folder has, unless it has failed just now.
    async fn look(&mut self, spool: &Spool) -> Option<Delivery> {
        if self.fails.is_some_and(|(again, _)| Instant::now() < again) {
            return None;
        }
        let place = self.places.clone().try_acquire_owned().ok()?;
        let (files, class) = (spool.files.clone(), self.class.clone());
        let settlements = spool.metrics.as_ref().map(|metrics| metrics.settlements.clone());
        let taken = blocking(move || {
            let mended = mend(files.root(), &class);
            match (take(files.root(), &class, place, settlements)?, mended) {
                ((None, _), Err(e)) => Err(e),
                ((delivery, failed), mended) => {
                    let passed_over = failed.len() as u64;
                    let failed = mended.unwrap_or_else(Some).or(failed.into_iter().next());
                    Ok((delivery, passed_over, failed))
                }
            }
        });
        match taken.await {
            Ok((delivery, passed_over, failed)) => {
                self.fails = None;
                self.tell(failed);
                let mut all = spool.passed_over.lock().unwrap_or_else(PoisonError::into_inner);
                if delivery.is_none() {
                    all.insert(self.class.clone(), passed_over);
                }
                delivery
            }
            Err(violation) => {
                let pause = self.fails.map_or(POLL * 4, |(_, pause)| (pause * 2).min(LONGEST));
                tracing::warn!(class = self.class, detail = violation.detail, "the spool cannot be read");
                self.fails = Some((Instant::now() + pause, pause));
                None
            }
        }
    }

    /// Tells of a file that stood in nobody's way, now and then.
    fn tell(&mut self, failed: Option<io::Error>) {
        let Some(e) = failed.filter(|_| self.passed_over.is_none_or(|told| told.elapsed() >= OFTEN)) else {
            return;
        };
        tracing::warn!(class = self.class, detail = %e.kind(), "a file of the spool was passed over");
        self.passed_over = Some(Instant::now());
    }
}

pub(super) async fn watch(spool: Spool, mut classes: Vec<Watched>, out: UnboundedSender<Delivery>) {
    while !spool.stopped.load(Ordering::Acquire) && !out.is_closed() {
        let mut idle = true;
        for watched in &mut classes {
            if let Some(delivery) = watched.look(&spool).await {
                idle = false;
                if out.send(delivery).is_err() {
                    return;
                }
            }
        }
        spool.unreadable.store(classes.iter().any(|watched| watched.fails.is_some()), Ordering::Release);
        if idle {
            tokio::time::sleep(POLL).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Message, Queue, Trouble};
    use super::*;
    use std::fs;

    #[tokio::test]
    async fn an_order_that_cannot_be_read_stands_in_nobodys_way() {
        let root = tempfile::tempdir().unwrap();
        let spool = Spool::new(root.path());
        let class = Class { name: "standard".into(), weight: 1 };
        let folder = |name: &str| root.path().join(name).join("standard");
        // Before every order: what is no file, and one whose place among what is taken is not free, not even
        // for root.
        for name in ["orders", "taken"] {
            fs::create_dir_all(folder(name).join("1")).unwrap();
            std::os::unix::fs::symlink("0", folder(name).join("0")).unwrap();
        }
        fs::write(folder("orders").join("-"), "{}").unwrap();
        fs::create_dir_all(folder("taken").join("-")).unwrap();
        let mut watched = Watched::new(&class, 1);
        for _ in 0..3 {
            spool.enqueue("standard", &Message::new("{}")).await.unwrap();
            let delivery = watched.look(&spool).await.unwrap();
            assert_eq!(delivery.message.body, "{}");
            assert!(delivery.receipt.ack().await.unwrap());
            assert!(watched.passed_over.is_some(), "it is told of, though orders come");
            assert!(watched.look(&spool).await.is_none());
            assert!(watched.fails.is_none(), "and the next order is not kept waiting");
        }
        assert_eq!(spool.ready("standard").await.unwrap(), 0, "it waits for nobody");
        assert!(folder("orders").join("-").is_file(), "it stays where it is");
    }

    #[tokio::test]
    async fn what_cannot_be_brought_back_stands_in_nobodys_way() {
        let root = tempfile::tempdir().unwrap();
        let spool = Spool::new(root.path());
        let class = Class { name: "standard".into(), weight: 1 };
        let message = Message::new("{}");
        spool.enqueue("standard", &message).await.unwrap();
        spool.clone().with_delays(vec![Duration::ZERO]).enqueue_later("standard", &message, 0).await.unwrap();
        // A dead process had it; before it lies one whose place among the orders is not free.
        let folder = |name: &str| root.path().join(name).join("standard");
        fs::create_dir_all(folder("taken")).unwrap();
        let order = fs::read_dir(folder("orders")).unwrap().next().unwrap().unwrap();
        fs::rename(order.path(), folder("taken").join(order.file_name())).unwrap();
        for (from, to) in [("taken", "0.r1"), ("delay", "0")] {
            fs::write(folder(from).join("0"), "{}").unwrap();
            fs::create_dir_all(folder("orders").join(to)).unwrap();
        }
        let mut watched = Watched::new(&class, 2);
        let both = (watched.look(&spool).await, watched.look(&spool).await);
        assert!(both.0.is_some() && both.1.is_some(), "what is whole comes back, and what is due comes");
        assert!(watched.passed_over.is_some() && watched.fails.is_none());
    }

    #[tokio::test]
    async fn files_that_cannot_be_read_are_told_and_tried_ever_more_seldom() {
        let root = tempfile::tempdir().unwrap();
        let spool = Spool::new(root.path());
        let class = Class { name: "standard".into(), weight: 1 };
        // Not even root can list a folder that is none.
        let folder = root.path().join("taken");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("standard"), "").unwrap();
        spool.enqueue("standard", &Message::new("{}")).await.unwrap();
        let mut watched = Watched::new(&class, 1);
        let pauses: Vec<Duration> = {
            let mut pauses = Vec::new();
            for _ in 0..7 {
                assert!(watched.look(&spool).await.is_none());
                let (again, pause) = watched.fails.unwrap();
                assert!(again > Instant::now());
                pauses.push(pause);
                watched.fails = Some((Instant::now(), pause));
            }
            pauses
        };
        assert_eq!(
            pauses.iter().map(Duration::as_millis).collect::<Vec<_>>(),
            [200, 400, 800, 1600, 3200, 5000, 5000]
        );

        let mut orders = spool.consume(&[class], 1).await.unwrap();
        while spool.trouble().is_none() {
            tokio::time::sleep(POLL).await;
        }
        assert_eq!(spool.trouble(), Some(Trouble::Unreadable));
        fs::remove_file(folder.join("standard")).unwrap();
        assert_eq!(orders.recv().await.unwrap().message.body, "{}");
        while spool.trouble().is_some() {
            tokio::time::sleep(POLL).await;
        }
    }
}
