//! What a worker does while a service takes its questions and not what it has to say: a store that can be
//! read and not written, a broker that routes no results, an order that only a newer worker can read.

use crate::support::faults::Faulty;
use crate::support::fleet::{Fleet, Worker};
use crate::support::judge::{Account, Fate, Seen, judge, listen, rest};
use crate::support::oracle::{enqueue, said};
use crate::support::tiny::{Kind, Tiny};
use crate::support::wait::{http, http_ok, until};
use crate::telemetry::decimal;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn received(worker: &Worker) -> f64 {
    worker.metric("presswork_jobs_received_total", "")
}

fn says(worker: &Worker, reason: &str) -> bool {
    http(worker.port, "/readyz", None).is_some_and(|answer| answer.contains(reason))
}

/// A fleet, the shop's orders and what becomes of them.
struct Scene {
    fleet: Fleet,
    tiny: Tiny,
    account: Account,
    seen: Arc<Mutex<Seen>>,
}

impl Scene {
    async fn set() -> Scene {
        let fleet = Fleet::start().await;
        let tiny = Tiny::open(&fleet).await;
        let (seen, _) = listen(&fleet);
        Scene { fleet, tiny, account: Account::default(), seen }
    }

    /// Orders, with what has to come of them.
    fn orders(&mut self, name: &str, count: usize) -> Vec<PathBuf> {
        let order = |i| {
            let job = format!("{name}-{i}");
            self.account.fates.insert(job.clone(), Fate::Made(Kind::Tag));
            self.tiny.order(Kind::Tag, &job, |_| {})
        };
        (0..count).map(order).collect()
    }

    fn worker(&self, change: impl FnOnce(&mut Command)) -> Worker {
        self.fleet.worker(|command| {
            self.tiny.settle(command);
            command.env("PRESSWORK_CPU_THREADS", "4");
            change(command);
        })
    }

    fn all_decided(&self) {
        let decided = || self.seen.lock().unwrap().decided().len();
        until("every result", || decided() == self.account.fates.len());
    }

    /// Ends the worker: nothing is lost, and no attempt has left anything.
    async fn end(&self, mut worker: Worker) {
        rest(&self.fleet);
        worker.signal("-TERM");
        assert!(worker.child.wait().unwrap().success(), "{}", worker.log());
        let seen = self.seen.lock().unwrap().clone();
        let faults = judge(&self.fleet, &self.account, &self.tiny.expected(), &seen).await;
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}

fn to(store: &Faulty) -> impl FnOnce(&mut Command) {
    let address = format!("http://127.0.0.1:{}", store.port);
    move |command| {
        command.env("AWS_ENDPOINT_URL_S3", address);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_result_that_cannot_be_written_costs_no_second_rendering() {
    let mut scene = Scene::set().await;
    let store = Faulty::withholding(scene.fleet.weed.port, "result.json").await;
    let worker = scene.worker(to(&store));
    store.withhold(true);
    let orders = scene.orders("RESULT", 3);
    enqueue(&scene.fleet, &orders, &[]);
    until("a result that cannot be written", || worker.log().contains("a store request failed"));
    std::thread::sleep(Duration::from_secs(2));
    store.withhold(false);
    scene.all_decided();
    let attempts = worker.metric("presswork_job_stage_duration_seconds_count", "stage=\"fetch\"");
    assert_eq!(attempts, 3.0, "{}", worker.log());
    scene.end(worker).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_can_only_be_read_pauses_orders() {
    const REASON: &str = "the store does not answer";
    let mut scene = Scene::set().await;
    let store = Faulty::withholding(scene.fleet.weed.port, "").await;
    let worker = scene.worker(to(&store));
    store.withhold(true);
    let orders = scene.orders("FULL", 12);
    enqueue(&scene.fleet, &orders, &[]);
    until("readiness to fall", || says(&worker, REASON));
    let (begin, begun) = (Instant::now(), received(&worker));
    while begin.elapsed() < Duration::from_secs(8) {
        assert!(says(&worker, REASON), "ready without a store:\n{}", worker.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(received(&worker), begun);
    assert!(http_ok(worker.port, "/livez", None));
    store.withhold(false);
    scene.all_decided();
    until("readiness", || http_ok(worker.port, "/readyz", None));
    scene.end(worker).await;
}

/// A store that fails one order alone does not keep its place from others, nor does the order pay for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_order_that_the_store_fails_alone_goes_aside() {
    let mut scene = Scene::set().await;
    let store = Faulty::unreadable(scene.fleet.weed.port, "small.jpg").await;
    let worker = scene.worker(to(&store));
    store.withhold(true);
    let order = scene.tiny.order(Kind::Photo, "LONE-1", |_| {});
    enqueue(&scene.fleet, &[order], &[]);
    let others = scene.orders("OTHERS", 6);
    until("the first failure", || worker.log().contains("the store failed; waiting"));
    enqueue(&scene.fleet, &others, &[]);
    scene.all_decided();
    until("the longest delay", || held(&scene.fleet, "presswork.delay.100000") == Some(1));
    let log = worker.log();
    assert!(log.contains("the store fails this order alone") && log.contains("status 503"), "{log}");
    until("readiness", || http_ok(worker.port, "/readyz", None));
    assert_eq!(said(&scene.fleet, &["dead", "list"]), "");
    // It comes again as the attempt that it was.
    store.withhold(false);
    scene.account.fates.insert("LONE-1".into(), Fate::Made(Kind::Photo));
    scene.all_decided();
    let first = worker.metric("presswork_job_attempts_total", "outcome=\"completed\"");
    assert_eq!(first, 7.0, "{}", worker.log());
    scene.end(worker).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn results_that_nobody_takes_pause_orders() {
    const REASON: &str = "the queue takes no results";
    let mut scene = Scene::set().await;
    let worker = scene.worker(|command| {
        command.env("PRESSWORK_RESULTS_QUEUE", "off");
    });
    let orders = scene.orders("UNHEARD", 8);
    // The program's own command would bind a queue of results.
    let send = async |order: &PathBuf| {
        scene.fleet.publish("presswork.orders", "standard", &std::fs::read(order).unwrap()).await;
    };
    send(&orders[0]).await;
    until("readiness to fall", || says(&worker, REASON));
    for order in &orders[1..] {
        send(order).await;
    }
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(received(&worker), 1.0, "orders began although no result can be sent");
    assert!(says(&worker, REASON));
    said(&scene.fleet, &["dead", "list"]);
    scene.all_decided();
    until("readiness", || http_ok(worker.port, "/readyz", None));
    scene.end(worker).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_order_for_a_newer_worker_waits_for_it() {
    let scene = Scene::set().await;
    let _worker = scene.worker(|command| {
        command.env("PRESSWORK_MAX_ATTEMPTS", "1");
    });
    let order = scene.tiny.order(Kind::Tag, "NEWER-1", |order| order["schema"] = "presswork.order/2".into());
    scene.fleet.publish("presswork.orders", "standard", &std::fs::read(order).unwrap()).await;
    until("the longest delay", || {
        let queues =
            scene.fleet.rabbit.said(&["-q", "list_queues", "--no-table-headers", "name", "messages"]);
        queues.lines().any(|line| line == "presswork.delay.100000\t1")
    });
    assert_eq!(said(&scene.fleet, &["dead", "list"]), "");
}

/// A photo that is not the one that the order names: the farm's fault, tried again and parked.
fn exchanged(order: &mut serde_json::Value) {
    order["customization"]["photo"]["sha256"] = "0".repeat(64).into();
    order["metadata"] = serde_json::json!({ "note": "SENTINEL" });
}

/// How many messages a queue holds; `None`: there is no such queue.
fn held(fleet: &Fleet, queue: &str) -> Option<u32> {
    let queues = fleet.rabbit.said(&["-q", "list_queues", "--no-table-headers", "name", "messages"]);
    queues.lines().find_map(|line| line.strip_prefix(queue)?.trim().parse().ok())
}

/// A message that the broker does not read yet is still on its way: one order stays one order.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_broker_that_blocks_its_publishers_gets_one_copy() {
    const REASON: &str = "the queue takes no results";
    const DRAIN: Duration = Duration::from_secs(6);
    let mut scene = Scene::set().await;
    let worker = |scene: &Scene| {
        scene.worker(|command| {
            let drain = DRAIN.as_secs().to_string();
            command.env("PRESSWORK_MAX_ATTEMPTS", "2").env("PRESSWORK_DRAIN_TIMEOUT", drain);
        })
    };
    let order = scene.tiny.order(Kind::Photo, "BLOCKED-1", exchanged);
    scene.account.fates.insert("BLOCKED-1".into(), Fate::Parked("asset.checksum_mismatch"));
    enqueue(&scene.fleet, &[order], &[]);
    scene.fleet.rabbit.control(&["set_vm_memory_high_watermark", "0.0001"]);
    let mut first = worker(&scene);
    until("readiness to fall", || says(&first, REASON));
    // Nobody waits for a worker that is to end.
    let begin = Instant::now();
    first.signal("-TERM");
    assert!(first.child.wait().unwrap().success(), "{}", first.log());
    assert!(begin.elapsed() < DRAIN + Duration::from_secs(2), "{}", first.log());

    let second = worker(&scene);
    until("readiness to fall", || says(&second, REASON));
    std::thread::sleep(Duration::from_secs(20));
    assert!(says(&second, REASON) && http_ok(second.port, "/livez", None));
    scene.fleet.rabbit.control(&["set_vm_memory_high_watermark", "absolute", "512MB"]);
    scene.all_decided();
    until("readiness", || http_ok(second.port, "/readyz", None));
    rest(&scene.fleet);
    // The order, and its second attempt.
    assert_eq!(received(&second), 2.0, "{}", second.log());
    assert_eq!(held(&scene.fleet, "presswork.dead"), Some(1));
    assert_eq!(scene.seen.lock().unwrap().deliveries, 1);
    scene.end(second).await;
}

/// A queue that somebody deletes is there again when it is needed, and what comes back meanwhile is shown to nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deleted_queue_of_parked_orders_is_made_again() {
    let mut scene = Scene::set().await;
    let worker = scene.worker(|command| {
        command.env("PRESSWORK_MAX_ATTEMPTS", "1").env("RUST_LOG", "debug");
    });
    scene.fleet.rabbit.control(&["delete_queue", "presswork.dead"]);
    let order = scene.tiny.order(Kind::Photo, "PARKED-1", exchanged);
    scene.account.fates.insert("PARKED-1".into(), Fate::Parked("asset.checksum_mismatch"));
    // The program's own command would declare the queue.
    scene.fleet.publish("presswork.orders", "standard", &std::fs::read(order).unwrap()).await;
    until("the parked order", || held(&scene.fleet, "presswork.dead") == Some(1));
    assert_eq!(worker.metric("presswork_publish_confirms_total", "outcome=\"returned\""), 1.0);
    until("readiness", || http_ok(worker.port, "/readyz", None));
    let log = worker.log();
    assert!(!log.contains(&decimal("SENTINEL")), "a message that came back is in the log:\n{log}");
    scene.end(worker).await;
}
