//! A worker whose queue says that orders wait and delivers none.

use async_trait::async_trait;
use presswork::app::{App, Places};
use presswork::asset::Limits;
use presswork::edge::assets::{AssetSources, Own};
use presswork::edge::dir::Folder;
use presswork::edge::queue::dir::Spool;
use presswork::edge::queue::{Class, Dead, Delivery, Event, Keep, Message, Queue, Trouble};
use presswork::edge::store::dir::DirStore;
use presswork::error::Violation;
use presswork::telemetry::Metrics;
use presswork::telemetry::admin::Health;
use presswork::worker::{Settings, Tools, Worker};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::{Notify, oneshot};

/// A real queue behind a connection that is deaf until it has been rebuilt so often.
#[derive(Debug)]
struct Deaf {
    queue: Arc<Spool>,
    rebuilt: AtomicUsize,
    heals_after: usize,
    healed: Arc<Notify>,
    /// Orders that the reaper holds: a spool folder has none.
    reaped: u64,
}

#[async_trait]
impl Queue for Deaf {
    async fn consume(
        &self,
        classes: &[Class],
        prefetch: u16,
    ) -> Result<UnboundedReceiver<Delivery>, Violation> {
        let (sender, receiver) = unbounded_channel();
        let (queue, healed, classes) = (self.queue.clone(), self.healed.clone(), classes.to_vec());
        tokio::spawn(async move {
            healed.notified().await;
            let mut deliveries = queue.consume(&classes, prefetch).await.unwrap();
            while let Some(delivery) = deliveries.recv().await {
                drop(sender.send(delivery));
            }
        });
        Ok(receiver)
    }

    async fn stop(&self) {
        self.queue.stop().await;
    }

    async fn enqueue(&self, class: &str, message: &Message) -> Result<(), Violation> {
        self.queue.enqueue(class, message).await
    }

    async fn enqueue_later(&self, class: &str, message: &Message, rung: usize) -> Result<(), Violation> {
        self.queue.enqueue_later(class, message, rung).await
    }

    async fn publish(&self, event: &Event) -> Result<(), Violation> {
        self.queue.publish(event).await
    }

    async fn bury(&self, dead: &Dead) -> Result<(), Violation> {
        self.queue.bury(dead).await
    }

    async fn exhume(&self, limit: usize, keep: Keep<'_>) -> Result<usize, Violation> {
        self.queue.exhume(limit, keep).await
    }

    async fn ready(&self, class: &str) -> Result<u64, Violation> {
        self.queue.ready(class).await
    }

    async fn reaped(&self) -> Result<u64, Violation> {
        Ok(self.reaped)
    }

    fn trouble(&self) -> Option<Trouble> {
        self.queue.trouble()
    }

    async fn reconnect(&self) {
        if self.rebuilt.fetch_add(1, Ordering::AcqRel) + 1 == self.heals_after {
            self.healed.notify_one();
        }
    }
}

struct Scene {
    folder: TempDir,
    queue: Arc<Deaf>,
    health: Arc<Health>,
    stop: oneshot::Sender<()>,
    worker: tokio::task::JoinHandle<()>,
}

impl Scene {
    /// A worker that looks often, with one order waiting.
    async fn start(heals_after: usize) -> Scene {
        Scene::with(heals_after, 0).await
    }

    /// The same, or with orders that wait in the reaper alone.
    async fn with(heals_after: usize, reaped: u64) -> Scene {
        let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        let folder = TempDir::new().unwrap();
        let spool = Arc::new(Spool::new(folder.path().join("spool")));
        let order = std::fs::read(fixtures.join("orders/mug-name-customized.json")).unwrap();
        if reaped == 0 {
            spool.enqueue("standard", &Message::new(order)).await.unwrap();
        }
        let queue = Arc::new(Deaf {
            queue: spool,
            rebuilt: AtomicUsize::new(0),
            heals_after,
            healed: Arc::default(),
            reaped,
        });
        let health = Arc::new(Health::default());
        let places = Places { catalog: Some(fixtures.join("catalog")), ..Places::default() };
        let tools = Tools {
            app: App::new(places.clone(), Limits::default()).unwrap(),
            places,
            store: Arc::new(DirStore::new(folder.path().join("out"))),
            assets: AssetSources::new(Own::Folder(Folder::new(fixtures.join("assets"), 1 << 30))),
            queue: queue.clone(),
            metrics: Arc::new(Metrics::new(prometheus::Registry::new()).unwrap()),
            health: health.clone(),
        };
        let settings = Settings {
            concurrency: 1,
            classes: vec![Class { name: "standard".into(), weight: 1 }],
            prefetch: 2,
            max_attempts: 3,
            job_limit: Duration::from_secs(120),
            drain: Duration::from_secs(30),
            memory_budget: 2 << 30,
            input_budget: 1 << 30,
            url_base: None,
            watch_every: Duration::from_millis(700),
            watch_patience: Duration::from_millis(100),
        };
        let (stop, stopped) = oneshot::channel();
        let worker = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            Worker::new(tools, settings).unwrap().run(stopped).await.unwrap();
        });
        Scene { folder, queue, health, stop, worker }
    }

    async fn until(&self, what: &str, done: impl Fn(&Scene) -> bool) {
        for _ in 0..3600 {
            if done(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("waited three minutes for {what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_fruitless_rebuilds_call_for_a_restart() {
    let scene = Scene::start(usize::MAX).await;
    scene.until("the verdict", |scene| !scene.health.failures().is_empty()).await;
    assert_eq!(scene.health.failures(), ["orders wait and none is delivered"]);
    assert_eq!(scene.queue.rebuilt.load(Ordering::Acquire), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_wait_in_the_reaper_alone_are_seen() {
    let scene = Scene::with(usize::MAX, 1).await;
    scene.until("the verdict", |scene| !scene.health.failures().is_empty()).await;
    assert_eq!(scene.queue.rebuilt.load(Ordering::Acquire), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_helps_is_all_that_happens() {
    let scene = Scene::start(1).await;
    let result = scene.folder.path().join("out/mug-name-customized/1/result.json");
    scene.until("the result", |_| result.exists()).await;
    assert_eq!(scene.health.failures(), Vec::<&str>::new());
    scene.stop.send(()).unwrap();
    scene.worker.await.unwrap();
}
