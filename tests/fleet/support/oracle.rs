//! What a fleet's results are compared with: the same orders rendered without one.
use crate::support::bucket::BUCKET;
use crate::support::fleet::{Fleet, fixtures};
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
pub(crate) const ORDERS: [&str; 5] = [
    "gift-tag-photo.json",
    "gift-tag-personalized.json",
    "mug-name-customized.json",
    "mug-name-personalized.json",
    "pen-customized.json",
];

pub(crate) fn orders() -> Vec<PathBuf> {
    ORDERS.iter().map(|name| fixtures().join("orders").join(name)).collect()
}

/// Every event that is published from now on.
pub(crate) async fn events(fleet: &Fleet) -> UnboundedReceiver<(String, Vec<u8>)> {
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
pub(crate) async fn collect(
    events: &mut UnboundedReceiver<(String, Vec<u8>)>,
    count: usize,
) -> BTreeMap<String, Vec<u8>> {
    let mut seen: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    while seen.len() < count {
        let next = timeout(Duration::from_secs(240), events.recv()).await;
        let Ok(Some((id, body))) = next else { panic!("{} of {count} events came", seen.len()) };
        if let Some(earlier) = seen.insert(id, body.clone()) {
            assert_eq!(earlier, body, "an event came with two bodies");
        }
    }
    seen
}

/// SHA-256 of every file of an order rendered without a fleet, by its name.
pub(crate) fn fault_free(order: &Path, out: &Path) -> BTreeMap<String, String> {
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
pub(crate) async fn is_right(
    fleet: &Fleet,
    body: &[u8],
    expected: &BTreeMap<String, BTreeMap<String, String>>,
) {
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

pub(crate) fn expected(fleet: &Fleet) -> BTreeMap<String, BTreeMap<String, String>> {
    let out = fleet.folder.path().join("expected");
    let job = |path: &PathBuf| {
        let order: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        order["job_id"].as_str().unwrap().to_owned()
    };
    orders().iter().map(|path| (job(path), fault_free(path, &out))).collect()
}

pub(crate) fn enqueue(fleet: &Fleet, paths: &[PathBuf], more: &[&str]) {
    let paths: Vec<&str> = paths.iter().map(|path| path.to_str().unwrap()).collect();
    let output = fleet.run(&[&["enqueue"], more, paths.as_slice()].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Artifacts that no result names.
pub(crate) async fn orphans(fleet: &Fleet) -> BTreeSet<String> {
    let keys = fleet.keys().await;
    let mut named = BTreeSet::new();
    for key in keys.iter().filter(|key| key.ends_with("/result.json")) {
        let event: ResultEvent = serde_json::from_slice(&fleet.get(key).await).unwrap();
        let uris = event.data.artifacts.into_iter();
        named.extend(uris.map(|a| a.uri.replace(&format!("s3://{BUCKET}/"), "")));
    }
    keys.into_iter().filter(|key| !key.ends_with("/result.json") && !named.contains(key)).collect()
}

pub(crate) type Events = UnboundedReceiver<(String, Vec<u8>)>;

pub(crate) fn changed(fleet: &Fleet, name: &str, change: impl FnOnce(&mut serde_json::Value)) -> PathBuf {
    let source = fixtures().join("orders/mug-name-customized.json");
    let mut order: serde_json::Value = serde_json::from_slice(&std::fs::read(source).unwrap()).unwrap();
    change(&mut order);
    let path = fleet.folder.path().join(name);
    std::fs::write(&path, order.to_string()).unwrap();
    path
}

pub(crate) async fn one(events: &mut Events) -> ResultEvent {
    let seen = collect(events, 1).await;
    serde_json::from_slice(seen.values().next().unwrap()).unwrap()
}

/// An event by its job.
pub(crate) fn of_job<'a>(seen: impl IntoIterator<Item = &'a Vec<u8>>, job: &str) -> ResultEvent {
    let mut events = seen.into_iter().map(|body| serde_json::from_slice::<ResultEvent>(body).unwrap());
    events.find(|event| event.subject.as_deref() == Some(job)).unwrap_or_else(|| panic!("no event of {job}"))
}

/// What an operator's command prints.
pub(crate) fn said(fleet: &Fleet, arguments: &[&str]) -> String {
    let output = fleet.run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
