//! The fleet against real servers: a private RabbitMQ, SeaweedFS, and workers as processes.

use crate::support::bucket::BUCKET;
use crate::support::fleet;
use crate::support::fleet::{Fleet, fixtures};
use crate::support::oracle::{
    Events, ORDERS, changed, collect, enqueue, events, expected, fault_free, is_right, one, orders, orphans,
};
use crate::support::wait::until;
use crate::support::{ports, wait};
use presswork::order::event::{EventType, ResultEvent, Verdict};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_deliver_every_order_and_show_their_metrics() {
    let fleet = Fleet::start().await;
    let every = every_order();
    let rendered = rendered(&fleet, &every);
    assert_eq!(rendered.len(), every.len());
    // An unoptimised build takes its time.
    let patient = |command: &mut Command| {
        command.env("PRESSWORK_MAX_JOB_SECONDS", "600").env("PRESSWORK_CONSUMER_TIMEOUT", "3600");
    };
    let workers = [fleet.worker(patient), fleet.worker(patient)];
    let mut events = events(&fleet).await;
    enqueue(&fleet, &every, &[]);
    let seen = collect(&mut events, every.len()).await;
    for body in seen.values() {
        is_as_rendered(&fleet, body, &rendered).await;
    }
    assert_eq!(orphans(&fleet).await, BTreeSet::new());
    let finished: f64 = workers.iter().map(|w| w.metric("presswork_jobs_finished_total", "")).sum();
    assert_eq!(finished, every.len() as f64);

    // Some of them again: their results stand, the same events come, nothing is rendered.
    let before = fleet.keys().await;
    enqueue(&fleet, &orders(), &[]);
    let again = collect(&mut events, ORDERS.len()).await;
    assert!(again.iter().all(|(id, body)| seen.get(id) == Some(body)), "an event differs the second time");
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

/// Every order of the fixtures that can be printed.
fn every_order() -> Vec<PathBuf> {
    let found = std::fs::read_dir(fixtures().join("orders")).unwrap();
    let mut found: Vec<PathBuf> = found.map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    found.sort();
    found
}

/// What `presswork render` makes of the orders, by their jobs.
fn rendered(fleet: &Fleet, orders: &[PathBuf]) -> BTreeMap<String, ResultEvent> {
    let out = fleet.folder.path().join("rendered");
    let mut command = fleet.command();
    command.arg("render").args(orders).arg("--out").arg(&out);
    command.arg("--catalog").arg(fixtures().join("catalog"));
    let output = command.arg("--assets").arg(fixtures().join("assets")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let jobs = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path());
    let event = |job: PathBuf| {
        let event = serde_json::from_slice(&std::fs::read(job.join("result.json")).unwrap()).unwrap();
        (job.file_name().unwrap().to_str().unwrap().to_owned(), event)
    };
    jobs.map(event).collect()
}

/// The event is the run's result and says what `presswork render` says, and every file that it names
/// is there with these very bytes.
async fn is_as_rendered(fleet: &Fleet, body: &[u8], rendered: &BTreeMap<String, ResultEvent>) {
    let mut event: ResultEvent = serde_json::from_slice(body).unwrap();
    let job = event.data.job_id.clone().unwrap();
    let key = format!("out/{job}/{}/result.json", event.data.revision.unwrap());
    assert_eq!(fleet.get(&key).await, body, "the event is not the result");
    let mut expected = rendered[&job].clone();
    assert!(!expected.data.artifacts.is_empty(), "{job}: {:?}", expected.data.errors);
    for artifact in &mut event.data.artifacts {
        let key = artifact.uri.strip_prefix(&format!("s3://{BUCKET}/")).unwrap();
        let bytes = fleet.get(key).await;
        assert_eq!(bytes.len() as u64, artifact.bytes, "{key}");
        assert_eq!(hex::encode(Sha256::digest(&bytes)), artifact.sha256, "{key}");
        artifact.uri = key.rsplit('/').next().unwrap().to_owned();
    }
    // How long it took is the one thing that may differ.
    event.data.timings.clear();
    expected.data.timings.clear();
    assert_eq!(event, expected, "{job} was rendered otherwise than without a fleet");
}

async fn the_same_run_with_other_content_is_a_conflict(fleet: &Fleet, events: &mut Events) {
    let path = changed(fleet, "run.json", |order| order["job_id"] = "CONFLICT-1".into());
    enqueue(fleet, &[path], &[]);
    let decided = one(events).await;
    let path = changed(fleet, "other.json", |order| {
        order["job_id"] = "CONFLICT-1".into();
        order["quantity"] = 7.into();
        order["metadata"] = serde_json::json!({ "note": "corrected" });
    });
    enqueue(fleet, &[path], &[]);
    let refused = one(events).await;
    assert_eq!(refused.subject.as_deref(), Some("CONFLICT-1"));
    assert_eq!((refused.data.job_id.as_deref(), refused.data.revision), (Some("CONFLICT-1"), Some(1)));
    assert_eq!(refused.data.metadata, Some(serde_json::json!({ "note": "corrected" })));
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
    // What preflight refuses is told finding by finding, and leaves no file.
    let path = fixtures().join("orders/invalid/preflight.failed.json");
    enqueue(fleet, &[path], &[]);
    let event = one(events).await;
    assert_eq!((event.kind, event.data.errors[0].code.as_str()), (EventType::Failed, "preflight.failed"));
    let preflight = event.data.preflight.unwrap();
    assert_eq!((preflight.verdict, preflight.findings[0].code.as_str()), (Verdict::Fail, "page.count"));
    let left = fleet.keys().await.into_iter().filter(|key| key.contains("preflight-failed"));
    assert_eq!((left.count(), event.data.artifacts.len()), (1, 0), "its result alone");
    // A body that names no run has an event that is the same each time.
    let mut rejected = BTreeSet::new();
    for _ in 0..2 {
        fleet.publish("presswork.orders", "standard", b"{ \"job_id\": 7 ").await;
        rejected.extend(collect(events, 1).await);
    }
    assert_eq!(rejected.len(), 1);
    let event: ResultEvent = serde_json::from_slice(&rejected.first().unwrap().1).unwrap();
    assert_eq!((event.kind, event.data.errors[0].code.as_str()), (EventType::Rejected, "order.malformed"));
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
    let port = ports::free_port();
    let server = Command::new("prometheus")
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
    assert!(tokens.len() <= 3 * kills, "{tokens:?}");
    let listed = fleet.run(&["dead", "list"]);
    assert_eq!(String::from_utf8_lossy(&listed.stdout), "", "an innocent order was given up");
    // SIGTERM with nothing to do.
    worker.signal("-TERM");
    assert_eq!(worker.child.wait().unwrap().code(), Some(0));
    assert_eq!(fleet.open_uploads().await, 0);
}

#[test]
fn a_worker_says_everything_that_is_wrong_with_its_settings() {
    let output = Command::new(env!("CARGO_BIN_EXE_presswork"))
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

/// An order of several multipart uploads, ended in the middle of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_drain_in_mid_upload_leaves_nothing_open() {
    let fleet = Fleet::start().await;
    let order = fixtures().join("orders/wrap-face-personalized.json");
    let expected =
        [("wrap-face-personalized".to_owned(), fault_free(&order, &fleet.folder.path().join("x")))];
    let mut worker = fleet.worker(|command| {
        command.env("PRESSWORK_DRAIN_TIMEOUT", "1");
    });
    let mut events = events(&fleet).await;
    enqueue(&fleet, std::slice::from_ref(&order), &[]);
    let begun = |worker: &fleet::Worker| {
        worker.metric("presswork_s3_request_duration_seconds_count", "operation=\"begin\"") > 0.0
    };
    until("an upload", || begun(&worker));
    worker.signal("-TERM");
    assert_eq!(worker.child.wait().unwrap().code(), Some(0), "{}", worker.log());
    assert_eq!(fleet.open_uploads().await, 0);
    assert_eq!(fleet.keys().await, Vec::<String>::new());
    let _next = fleet.worker(|_| {});
    let seen = collect(&mut events, 1).await;
    let body = seen.values().next().unwrap();
    is_right(&fleet, body, &expected.into()).await;
    let event: ResultEvent = serde_json::from_slice(body).unwrap();
    assert_eq!(event.data.attempt, 1, "a drain spends no attempt");
    assert_eq!(fleet.open_uploads().await, 0);
}

/// The embedded default: folders instead of servers, the same program and the same results.
#[test]
fn folders_do_for_one_machine() {
    let folder = tempfile::TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let port = ports::free_port();
    let command = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_presswork"));
        command
            .env_clear()
            .env("TMPDIR", folder.path())
            .env("PRESSWORK_QUEUE", format!("dir:{}", at("spool").display()))
            .env("PRESSWORK_STORE", format!("dir:{}", at("out").display()))
            .env("PRESSWORK_ASSETS", format!("dir:{}", fixtures().join("assets").display()))
            .env("PRESSWORK_CATALOG", fixtures().join("catalog"))
            .env("PRESSWORK_MEMORY_BUDGET", "3000000000")
            .env("PRESSWORK_BIND", format!("127.0.0.1:{port}"));
        command
    };
    let mut enqueue = command();
    enqueue.arg("enqueue").args(orders());
    assert!(enqueue.status().unwrap().success());
    let log = std::fs::File::create(at("log")).unwrap();
    let mut worker = command().arg("worker").stderr(log).spawn().unwrap();
    let results = at("spool/results");
    let count = || std::fs::read_dir(&results).map_or(0, |entries| entries.count());
    until("every result", || count() == ORDERS.len());
    let killed = Command::new("kill").args(["-TERM", &worker.id().to_string()]).status();
    assert!(killed.unwrap().success());
    assert_eq!(worker.wait().unwrap().code(), Some(0));
    for order in orders() {
        let expected = fault_free(&order, &at("expected"));
        let job = order.file_stem().unwrap().to_str().unwrap();
        let body = std::fs::read(at("out").join(job).join("1/result.json")).unwrap();
        let event: ResultEvent = serde_json::from_slice(&body).unwrap();
        assert_eq!(std::fs::read(results.join(format!("{}.json", event.id))).unwrap(), body);
        let made = event.data.artifacts.iter().map(|artifact| {
            let bytes = std::fs::read(&artifact.uri).unwrap();
            assert_eq!(hex::encode(Sha256::digest(&bytes)), artifact.sha256);
            (artifact.uri.rsplit('/').next().unwrap().to_owned(), artifact.sha256.clone())
        });
        assert_eq!(made.collect::<BTreeMap<_, _>>(), expected);
    }
    // Nothing is left of the jobs but the results.
    let left = std::fs::read_dir(folder.path()).unwrap().flatten();
    let scratch: Vec<_> =
        left.filter(|e| e.file_name().to_string_lossy().starts_with(".presswork-job-")).collect();
    assert!(scratch.is_empty(), "{scratch:?}");
}
