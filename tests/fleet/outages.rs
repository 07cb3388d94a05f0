//! A fleet while things go wrong: servers that are down, failures that are tried again, parked,
//! replayed and thrown away. `PRESSWORK_OUTAGE_SECONDS` makes the outages longer.

use crate::support::bucket::BUCKET;
use crate::support::fleet::{Fleet, Worker, fixtures};
use crate::support::oracle;
use crate::support::oracle::{
    Events, ORDERS, changed, collect, enqueue, events, expected, is_right, one, orders, orphans, said,
};
use crate::support::wait::{http, http_ok, until};
use presswork::order::event::{EventType, ResultEvent};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Every order's result is right, and none has cost an attempt.
async fn all_arrive(fleet: &Fleet, events: &mut Events, copy: &str) {
    let expected = expected(fleet);
    let seen = collect(events, ORDERS.len()).await;
    for body in seen.values() {
        is_right(fleet, body, &expected).await;
        let event: ResultEvent = serde_json::from_slice(body).unwrap();
        assert_eq!(event.data.attempt, 1);
        assert!(event.subject.unwrap().ends_with(copy));
    }
    assert_eq!(said(fleet, &["dead", "list"]), "");
}

fn reasons(worker: &Worker) -> String {
    http(worker.port, "/readyz", None).unwrap_or_default()
}

/// The fixtures under other names.
fn copies(fleet: &Fleet, suffix: &str) -> Vec<std::path::PathBuf> {
    let copy = |path: &std::path::PathBuf| {
        let mut order: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        order["job_id"] = format!("{}{suffix}", order["job_id"].as_str().unwrap()).into();
        let path = fleet.folder.path().join(format!("{}.json", order["job_id"].as_str().unwrap()));
        std::fs::write(&path, order.to_string()).unwrap();
        path
    };
    orders().iter().map(copy).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn outages_pause_consumption_and_cost_no_order() {
    let mut fleet = Fleet::start().await;
    let worker = fleet.worker(|_| {});
    let mut events = events(&fleet).await;

    let outage = Duration::from_secs(
        std::env::var("PRESSWORK_OUTAGE_SECONDS").map_or(3, |text| text.parse().expect("a number")),
    );
    let last = |since: Instant| std::thread::sleep(outage.saturating_sub(since.elapsed()));

    // The store is gone.
    let since = Instant::now();
    fleet.weed.crash();
    enqueue(&fleet, &copies(&fleet, "-store"), &[]);
    until("readiness to fall", || reasons(&worker).contains("the store does not answer"));
    last(since);
    assert!(http_ok(worker.port, "/livez", None), "a store that is down is no reason for a restart");
    assert!(reasons(&worker).contains("the store does not answer"));
    fleet.weed.restart();
    all_arrive(&fleet, &mut events, "-store").await;
    until("readiness", || http_ok(worker.port, "/readyz", None));

    // The broker takes nothing more, because its memory is used up.
    worker.signal("-STOP");
    enqueue(&fleet, &copies(&fleet, "-alarm"), &[]);
    let since = Instant::now();
    fleet.rabbit.control(&["set_vm_memory_high_watermark", "0.0001"]);
    worker.signal("-CONT");
    until("readiness to fall", || reasons(&worker).contains("the queue takes no results"));
    last(since);
    assert!(http_ok(worker.port, "/livez", None), "nor is a broker whose memory is used up");
    fleet.rabbit.control(&["set_vm_memory_high_watermark", "absolute", "512MB"]);
    all_arrive(&fleet, &mut events, "-alarm").await;
    until("readiness", || http_ok(worker.port, "/readyz", None));

    // The broker dies and comes back.
    worker.signal("-STOP");
    enqueue(&fleet, &copies(&fleet, "-crash"), &[]);
    let since = Instant::now();
    fleet.rabbit.crash();
    worker.signal("-CONT");
    until("readiness to fall", || reasons(&worker).contains("the broker is not connected"));
    last(since);
    assert!(http_ok(worker.port, "/livez", None), "nor is a broker that is gone");
    fleet.rabbit.restart();
    let mut events = oracle::events(&fleet).await;
    all_arrive(&fleet, &mut events, "-crash").await;
    assert_eq!(orphans(&fleet).await, BTreeSet::new());
    assert_eq!(fleet.open_uploads().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_tried_again_parked_and_replayed() {
    let fleet = Fleet::start().await;
    let worker = fleet.worker(|command| {
        command.env("PRESSWORK_MAX_ATTEMPTS", "3");
    });
    let mut events = events(&fleet).await;
    a_failure_of_the_farm_is_retried_and_replayed(&fleet, &worker, &mut events).await;
    a_held_order_is_released_by_its_next_revision(&fleet, &mut events).await;
    what_was_delivered_too_often_is_given_up(&fleet, &mut events).await;
    what_an_order_may_name_is_limited(&fleet, &mut events).await;
    assert!(worker.log().contains("AbortIncompleteMultipartUpload"), "the bucket has no lifecycle rule");
}

async fn put_asset(fleet: &Fleet, key: &str, fixture: &str) {
    let body = std::fs::read(fixtures().join("assets").join(fixture)).unwrap();
    let request = fleet.bucket.put_object().bucket(BUCKET).key(format!("assets/{key}")).body(body.into());
    request.send().await.unwrap();
}

/// A gift tag with a photo.
fn tag(
    fleet: &Fleet,
    job: &str,
    asset: &str,
    change: impl FnOnce(&mut serde_json::Value),
) -> std::path::PathBuf {
    let source = fixtures().join("orders/gift-tag-photo.json");
    let mut order: serde_json::Value = serde_json::from_slice(&std::fs::read(source).unwrap()).unwrap();
    order["job_id"] = job.into();
    order["customization"]["photo"]["asset"] = asset.into();
    change(&mut order);
    let path = fleet.folder.path().join(format!("{job}.json"));
    std::fs::write(&path, order.to_string()).unwrap();
    path
}

async fn a_failure_of_the_farm_is_retried_and_replayed(fleet: &Fleet, worker: &Worker, events: &mut Events) {
    use sha2::{Digest, Sha256};
    let right = std::fs::read(fixtures().join("assets/photos/cat.jpg")).unwrap();
    let declared = hex::encode(Sha256::digest(&right));
    put_asset(fleet, "late.jpg", "photos/dog.jpg").await;
    for job in ["LATE-1", "LATE-2"] {
        let path = tag(fleet, job, "late.jpg", |order| {
            order["customization"]["photo"]["sha256"] = declared.clone().into();
        });
        enqueue(fleet, &[path], &[]);
        let event = one(events).await;
        assert_eq!(event.data.errors[0].code, "asset.checksum_mismatch");
        assert_eq!(event.data.attempt, 3, "all attempts were used");
    }
    assert_eq!(worker.metric("presswork_job_attempts_total", "outcome=\"retry\""), 4.0);
    let parked = || said(fleet, &["dead", "list", "--code", "asset.checksum_mismatch"]);
    assert_eq!(parked().lines().count(), 2, "{}", parked());
    assert_eq!(said(fleet, &["dead", "list", "--code", "render.crashed"]), "");
    let shown = said(fleet, &["dead", "show", "--job", "LATE-1"]);
    assert!(shown.contains("\"LATE-1\""), "{shown}");
    // A dry run changes nothing.
    said(fleet, &["dead", "purge", "--dry-run"]);
    said(fleet, &["dead", "replay", "--dry-run"]);
    assert_eq!(parked().lines().count(), 2);

    put_asset(fleet, "late.jpg", "photos/cat.jpg").await;
    said(fleet, &["dead", "replay", "--job", "LATE-1"]);
    let event = one(events).await;
    assert_eq!((event.kind, event.data.revision), (EventType::Completed, Some(2)), "{:?}", event.data.errors);
    assert_eq!(parked().lines().count(), 1);
    said(fleet, &["dead", "purge"]);
    assert_eq!(parked(), "");
}

async fn a_held_order_is_released_by_its_next_revision(fleet: &Fleet, events: &mut Events) {
    // A small part of the photo is printed large: too few pixels.
    let few = |order: &mut serde_json::Value| {
        order["customization"]["photo"]["crop"] =
            serde_json::json!({ "x": 0.45, "y": 0.45, "w": 0.04, "h": 0.04 });
    };
    enqueue(fleet, &[tag(fleet, "HELD-1", "photos/dog.jpg", few)], &[]);
    let event = one(events).await;
    assert_eq!(event.kind, EventType::Held, "{:?}", event.data.errors);
    let path = tag(fleet, "HELD-1", "photos/dog.jpg", |order| {
        few(order);
        order["accept"] = serde_json::json!(["image.low_resolution"]);
        order["revision"] = 2.into();
    });
    enqueue(fleet, &[path], &[]);
    let released = one(events).await;
    assert_eq!((released.kind, released.data.revision), (EventType::Completed, Some(2)));
    assert!(released.data.preflight.unwrap().findings.iter().all(|finding| finding.waived));
    let hashes = |artifacts: Vec<presswork::order::event::Artifact>| {
        artifacts.into_iter().map(|artifact| artifact.sha256).collect::<Vec<_>>()
    };
    assert_eq!(hashes(event.data.artifacts), hashes(released.data.artifacts));
}

async fn what_was_delivered_too_often_is_given_up(fleet: &Fleet, events: &mut Events) {
    let path = changed(fleet, "reaped.json", |order| order["job_id"] = "REAPED-1".into());
    fleet.publish("presswork.reaper", "standard", &std::fs::read(path).unwrap()).await;
    let event = one(events).await;
    assert_eq!((event.kind, event.data.errors[0].code.as_str()), (EventType::Failed, "render.crashed"));
    let parked = said(fleet, &["dead", "list", "--job", "REAPED-1"]);
    assert_eq!(parked.lines().count(), 1, "{parked}");
}

async fn what_an_order_may_name_is_limited(fleet: &Fleet, events: &mut Events) {
    for (job, asset, code) in [
        ("NAMES-1", "https://127.0.0.1/photo.jpg", "asset.source_forbidden"),
        ("NAMES-2", "s3://another-bucket/photo.jpg", "asset.source_forbidden"),
        ("NAMES-3", "file:///etc/passwd", "asset.source_forbidden"),
        ("NAMES-4", "../../etc/passwd", "asset.ref_forbidden"),
        ("NAMES-5", "photos/none.jpg", "asset.not_found"),
    ] {
        enqueue(fleet, &[tag(fleet, job, asset, |_| {})], &[]);
        let event = one(events).await;
        assert_eq!((event.kind, event.data.errors[0].code.as_str()), (EventType::Failed, code), "{job}");
        assert!(!event.data.errors[0].detail.contains("passwd"));
    }
}
