//! How a spool folder is looked at, again and again, and ever more seldom where it cannot be read.

use super::super::{Class, Delivery};
use super::{Spool, blocking, mend, take};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedSender;

/// How often the folder is looked at.
const POLL: Duration = Duration::from_millis(50);
/// The longest pause after a class whose files could not be read.
const LONGEST: Duration = Duration::from_secs(5);
/// A class that is looked at.
pub(super) struct Watched {
    class: String,
    places: Arc<Semaphore>,
    /// Its files could not be read: when they are tried again, and the pause that ends then.
    fails: Option<(Instant, Duration)>,
}

impl Watched {
    pub(super) fn new(class: &Class, prefetch: u16) -> Watched {
        let places = Arc::new(Semaphore::new(usize::from(prefetch)));
        Watched { class: class.name.clone(), places, fails: None }
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
            match take(files.root(), &class, place, settlements)? {
                Some(delivery) => Ok(Some(delivery)),
                None => mended.map(|()| None),
            }
        });
        match taken.await {
            Ok(taken) => {
                self.fails = None;
                taken
            }
            Err(violation) => {
                let pause = self.fails.map_or(POLL * 4, |(_, pause)| (pause * 2).min(LONGEST));
                tracing::warn!(class = self.class, detail = violation.detail, "the spool cannot be read");
                self.fails = Some((Instant::now() + pause, pause));
                None
            }
        }
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
        // Not even root can read through a link to itself; it sorts before every order.
        for folder in ["orders/standard", "taken/standard"] {
            let folder = root.path().join(folder);
            fs::create_dir_all(&folder).unwrap();
            std::os::unix::fs::symlink("0", folder.join("0")).unwrap();
        }
        spool.enqueue("standard", &Message::new("{}")).await.unwrap();
        let mut watched = Watched::new(&class, 1);
        let delivery = watched.look(&spool).await.unwrap();
        assert_eq!(delivery.message.body, "{}");
        assert!(delivery.receipt.ack().await.unwrap());
        assert!(watched.look(&spool).await.is_none());
        assert!(watched.fails.is_some(), "it is told of");
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
