//! The fleet against real servers: a private RabbitMQ, SeaweedFS, and workers as processes.

#[path = "support/bucket.rs"]
mod bucket;
#[path = "support/fleet.rs"]
mod fleet;
#[path = "support/rabbitmq.rs"]
mod rabbitmq;
#[path = "support/wait.rs"]
mod wait;

use bucket::BUCKET;
use fleet::{Fleet, fixtures};
use futures_util::StreamExt;
use lapin::options::{BasicAckOptions, BasicConsumeOptions};
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};
use presswork::app::{App, Places};
use presswork::asset::Limits;
use presswork::control::Control;
use presswork::order::event::{EventType, ResultEvent};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

/// Orders that are quick to render, with and without photos.
const ORDERS: [&str; 5] = [
    "gift-tag-photo.json",
    "gift-tag-personalized.json",
    "mug-name-customized.json",
    "mug-name-personalized.json",
    "pen-customized.json",
];

fn orders() -> Vec<PathBuf> {
    ORDERS.iter().map(|name| fixtures().join("orders").join(name)).collect()
}

/// Every event that is published from now on.
async fn events(fleet: &Fleet) -> UnboundedReceiver<(String, Vec<u8>)> {
    let (sender, receiver) = unbounded_channel();
    let connection = Connection::connect(&fleet.rabbit.url(), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let options = BasicConsumeOptions::default();
    let mut consumer = channel
        .basic_consume("presswork.results".into(), "".into(), options, FieldTable::default())
        .await
        .unwrap();
    tokio::spawn(async move {
        // The connection lives as long as somebody listens.
        let _connection = connection;
        while let Some(Ok(item)) = consumer.next().await {
            let id = item.properties.message_id().as_ref().unwrap().to_string();
            item.ack(BasicAckOptions::default()).await.unwrap();
            if sender.send((id, item.data)).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Collects events until so many different ones have come; every repetition has the same body.
async fn collect(
    events: &mut UnboundedReceiver<(String, Vec<u8>)>,
    count: usize,
) -> BTreeMap<String, Vec<u8>> {
    let mut seen: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    while seen.len() < count {
        let next = timeout(Duration::from_secs(120), events.recv()).await;
        let Ok(Some((id, body))) = next else { panic!("{} of {count} events came", seen.len()) };
        if let Some(earlier) = seen.insert(id, body.clone()) {
            assert_eq!(earlier, body, "an event came with two bodies");
        }
    }
    seen
}

/// SHA-256 of every file of an order rendered without a fleet, by its name.
fn fault_free(order: &Path, out: &Path) -> BTreeMap<String, String> {
    let places = Places {
        catalog: Some(fixtures().join("catalog")),
        assets: Some(fixtures().join("assets")),
        ..Places::default()
    };
    let app = App::new(places, Limits::default()).unwrap();
    let outcome = app.run(order, out, Control::NONE, &mut |_| {});
    assert!(outcome.event.data.errors.is_empty(), "{:?}", outcome.event.data.errors);
    outcome.event.data.artifacts.into_iter().map(|a| (a.uri, a.sha256)).collect()
}

/// Everything an event says is in the bucket, and equals the fault-free files.
async fn is_right(fleet: &Fleet, body: &[u8], expected: &BTreeMap<String, BTreeMap<String, String>>) {
    let event: ResultEvent = serde_json::from_slice(body).unwrap();
    assert!(matches!(event.kind, EventType::Completed | EventType::Held), "{:?}", event.data.errors);
    let job = event.data.job_id.clone().unwrap();
    let result = fleet.get(&format!("out/{job}/1/result.json")).await;
    assert_eq!(result, body, "the event is not the result");
    // Copies of an order are named after it.
    let expected = expected.iter().find(|(id, _)| job.starts_with(id.as_str())).unwrap().1;
    let mut made = BTreeMap::new();
    for artifact in &event.data.artifacts {
        let key = artifact.uri.strip_prefix(&format!("s3://{BUCKET}/")).unwrap();
        let bytes = fleet.get(key).await;
        assert_eq!(bytes.len() as u64, artifact.bytes);
        assert_eq!(hex::encode(Sha256::digest(&bytes)), artifact.sha256);
        made.insert(key.rsplit('/').next().unwrap().to_owned(), artifact.sha256.clone());
    }
    assert_eq!(&made, expected, "{job} was rendered otherwise than without a fleet");
}

fn expected(fleet: &Fleet) -> BTreeMap<String, BTreeMap<String, String>> {
    let out = fleet.folder.path().join("expected");
    let job = |path: &PathBuf| {
        let order: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        order["job_id"].as_str().unwrap().to_owned()
    };
    orders().iter().map(|path| (job(path), fault_free(path, &out))).collect()
}

fn enqueue(fleet: &Fleet, paths: &[PathBuf], more: &[&str]) {
    let paths: Vec<&str> = paths.iter().map(|path| path.to_str().unwrap()).collect();
    let output = fleet.run(&[&["enqueue"], more, paths.as_slice()].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Artifacts that no result names.
async fn orphans(fleet: &Fleet) -> BTreeSet<String> {
    let keys = fleet.keys().await;
    let mut named = BTreeSet::new();
    for key in keys.iter().filter(|key| key.ends_with("/result.json")) {
        let event: ResultEvent = serde_json::from_slice(&fleet.get(key).await).unwrap();
        let uris = event.data.artifacts.into_iter();
        named.extend(uris.map(|a| a.uri.replace(&format!("s3://{BUCKET}/"), "")));
    }
    keys.into_iter().filter(|key| !key.ends_with("/result.json") && !named.contains(key)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_deliver_every_order_and_show_their_metrics() {
    let fleet = Fleet::start().await;
    let expected = expected(&fleet);
    let workers = [fleet.worker(|_| {}), fleet.worker(|_| {})];
    let mut events = events(&fleet).await;
    enqueue(&fleet, &orders(), &["--count", "2"]);
    let seen = collect(&mut events, 2 * ORDERS.len()).await;
    for body in seen.values() {
        is_right(&fleet, body, &expected).await;
    }
    assert_eq!(orphans(&fleet).await, BTreeSet::new());
    let finished: f64 = workers.iter().map(|w| w.metric("presswork_jobs_finished_total", "")).sum();
    assert_eq!(finished, 2.0 * ORDERS.len() as f64);

    // The same orders again: their results stand, the same events come, nothing is rendered.
    let before = fleet.keys().await;
    enqueue(&fleet, &orders(), &["--count", "2"]);
    assert_eq!(collect(&mut events, 2 * ORDERS.len()).await, seen);
    assert_eq!(fleet.keys().await, before);

    the_same_run_with_other_content_is_a_conflict(&fleet, &mut events).await;
    broken_orders_have_typed_results(&fleet, &mut events).await;
    a_cancelled_order_is_not_rendered(&fleet, &mut events).await;
    for worker in &workers {
        let log = worker.log();
        assert!(!log.contains("Happy"), "customers' words are in the log:\n{log}");
    }
    prometheus_scrapes(&fleet, workers.iter().map(|w| w.port).collect());
}

type Events = UnboundedReceiver<(String, Vec<u8>)>;

fn changed(fleet: &Fleet, name: &str, change: impl FnOnce(&mut serde_json::Value)) -> PathBuf {
    let source = fixtures().join("orders/mug-name-customized.json");
    let mut order: serde_json::Value = serde_json::from_slice(&std::fs::read(source).unwrap()).unwrap();
    change(&mut order);
    let path = fleet.folder.path().join(name);
    std::fs::write(&path, order.to_string()).unwrap();
    path
}

async fn one(events: &mut Events) -> ResultEvent {
    let seen = collect(events, 1).await;
    serde_json::from_slice(seen.values().next().unwrap()).unwrap()
}

async fn the_same_run_with_other_content_is_a_conflict(fleet: &Fleet, events: &mut Events) {
    let path = changed(fleet, "run.json", |order| order["job_id"] = "CONFLICT-1".into());
    enqueue(fleet, &[path], &[]);
    let decided = one(events).await;
    let path = changed(fleet, "other.json", |order| {
        order["job_id"] = "CONFLICT-1".into();
        order["quantity"] = 7.into();
    });
    enqueue(fleet, &[path], &[]);
    let refused = one(events).await;
    assert_eq!(refused.kind, EventType::Rejected);
    assert_eq!(refused.data.errors[0].code, "order.conflict");
    assert_ne!(refused.id, decided.id);
    // What differs in metadata alone is the same order.
    let path = changed(fleet, "same.json", |order| {
        order["job_id"] = "CONFLICT-1".into();
        order["metadata"] = serde_json::json!({ "note": "again" });
    });
    enqueue(fleet, &[path], &[]);
    assert_eq!(one(events).await, decided);
}

async fn broken_orders_have_typed_results(fleet: &Fleet, events: &mut Events) {
    let path = changed(fleet, "missing.json", |order| {
        order["job_id"] = "MISSING-1".into();
        order["template"] = "no-such-template@1".into();
    });
    enqueue(fleet, &[path], &[]);
    let event = one(events).await;
    assert_eq!(event.kind, EventType::Failed);
    assert_eq!(event.data.errors[0].code, "template.not_found");
    // A customer's fault is not parked.
    let listed = fleet.run(&["dead", "list"]);
    assert_eq!(String::from_utf8_lossy(&listed.stdout), "");
}

async fn a_cancelled_order_is_not_rendered(fleet: &Fleet, events: &mut Events) {
    let path = changed(fleet, "cancel.json", |order| order["job_id"] = "CANCEL-1".into());
    let output = fleet.run(&["cancel", "CANCEL-1"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    enqueue(fleet, &[path], &[]);
    let event = one(events).await;
    assert_eq!(event.data.errors[0].code, "order.cancelled");
    assert!(fleet.keys().await.iter().filter(|key| key.contains("CANCEL-1")).count() == 1);
    // A run that is decided cannot be cancelled.
    assert_eq!(fleet.run(&["cancel", "CONFLICT-1"]).status.code(), Some(3));
}

/// A real Prometheus reads what the workers show.
fn prometheus_scrapes(fleet: &Fleet, ports: Vec<u16>) {
    let folder = fleet.folder.path().join("prometheus");
    std::fs::create_dir(&folder).unwrap();
    let targets: Vec<String> = ports.iter().map(|port| format!("'127.0.0.1:{port}'")).collect();
    let configuration = format!(
        "scrape_configs:\n- job_name: presswork\n  scrape_interval: 1s\n  static_configs:\n  - targets: [{}]\n",
        targets.join(", ")
    );
    std::fs::write(folder.join("prometheus.yml"), configuration).unwrap();
    let port = wait::free_port();
    let server = std::process::Command::new("prometheus")
        .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stderr(std::process::Stdio::null())
        .spawn();
    let mut server =
        server.unwrap_or_else(|_| panic!("prometheus is missing: apt-get install -y prometheus"));
    let query = "/api/v1/query?query=count(presswork_build_info)";
    let mut answer = String::new();
    for _ in 0..300 {
        answer = wait::http(port, query, None).unwrap_or_default();
        if answer.contains("\"2\"") {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    drop(server.kill());
    drop(server.wait());
    assert!(answer.contains("\"2\""), "Prometheus found: {answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_and_ended_workers_lose_nothing() {
    let fleet = Fleet::start().await;
    let expected = expected(&fleet);
    const COPIES: usize = 6;
    let first = fleet.worker(|_| {});
    let mut events = events(&fleet).await;
    enqueue(&fleet, &orders(), &["--count", &COPIES.to_string()]);
    // SIGKILL while orders are being rendered, three times; then SIGTERM twice.
    let mut worker = first;
    let mut kills = 0;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        worker.signal("-KILL");
        kills += 1;
        drop(worker.child.wait());
        worker = fleet.worker(|_| {});
    }
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        worker.signal("-TERM");
        let ended = worker.child.wait().unwrap();
        assert_eq!(ended.code(), Some(0), "{}", worker.log());
        worker = fleet.worker(|_| {});
    }
    let seen = collect(&mut events, COPIES * ORDERS.len()).await;
    for body in seen.values() {
        is_right(&fleet, body, &expected).await;
    }
    // A killed attempt leaves at most the files of the jobs it was doing.
    let tokens: BTreeSet<String> =
        orphans(&fleet).await.iter().map(|key| key.rsplit_once('/').unwrap().0.to_owned()).collect();
    assert!(tokens.len() <= 2 * kills, "{tokens:?}");
    let listed = fleet.run(&["dead", "list"]);
    assert_eq!(String::from_utf8_lossy(&listed.stdout), "", "an innocent order was given up");
    // SIGTERM with nothing to do.
    worker.signal("-TERM");
    assert_eq!(worker.child.wait().unwrap().code(), Some(0));
    assert_eq!(fleet.open_uploads().await, 0);
}

#[test]
fn a_worker_says_everything_that_is_wrong_with_its_settings() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_presswork"))
        .arg("worker")
        .env_clear()
        .envs([("PRESSWORK_STORE", "nowhere"), ("PRESSWORK_BINDD", ":1")])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(64));
    let said = String::from_utf8_lossy(&output.stderr);
    for name in ["PRESSWORK_STORE", "PRESSWORK_BINDD", "PRESSWORK_AMQP_URL"] {
        assert!(said.contains(name), "{said}");
    }
}
