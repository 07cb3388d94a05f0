//! The whole path, from the broker to the store: orders a second, processor seconds an order and peak
//! memory of one and two workers, beside a Node.js worker on the same broker and store, and the floor
//! of the same orders. `cargo bench --bench fleet -- ORDERS` (benches/README.md says how and why)
//!
//! Everybody gets the same orders in the same sequence, in turn, and the servers stay up.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a benchmark that cannot go on stops")]

mod floor;
mod mix;
mod process;
#[path = "../../tests/fleet/support/mod.rs"]
mod support;
#[path = "../floor/work.rs"]
mod work;

use futures_util::StreamExt;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use support::bucket::{ACCESS_KEY, BUCKET, SECRET_KEY};
use support::fleet::{Fleet, Worker, files};

/// What one run showed.
struct Figures {
    who: &'static str,
    a_second: f64,
    cpu: f64,
    peak_mb: f64,
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let [count] = arguments.as_slice() else {
        // `cargo bench` alone does not start servers.
        eprintln!("usage: cargo bench --bench fleet -- ORDERS (of which a tenth are shirts)");
        return;
    };
    let count: usize = count.parse().expect("a number of orders");
    let assets = repository("benches/assets");
    assert!(assets.join("photo.jpg").exists(), "benches/peers/setup.sh makes the pictures");

    let fleet = Fleet::start().await;
    for path in files(&assets) {
        let key = format!("assets/{}", path.strip_prefix(&assets).unwrap().display());
        let body = std::fs::read(&path).unwrap();
        fleet.bucket.put_object().bucket(BUCKET).key(key).body(body.into()).send().await.unwrap();
    }
    let connection = Connection::connect(&fleet.rabbit.url(), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();

    let floor = floor::run(&fleet, &assets, count).await;
    let mut figures = vec![Figures { who: "the floor", a_second: floor.0, cpu: floor.1, peak_mb: f64::NAN }];
    let kinds = [
        ("presswork, one worker", 1, None),
        ("presswork, two workers", 2, None),
        ("presswork, one worker that keeps nothing", 1, Some("0")),
    ];
    for (who, workers, kept) in kinds {
        let started: Vec<Worker> = (0..workers).map(|_| ours(&fleet, kept)).collect();
        let ids: Vec<u32> = started.iter().map(|worker| worker.child.id()).collect();
        let name = format!("OURS{workers}{}", kept.unwrap_or_default());
        figures.push(run(&channel, who, &ids, ("presswork.orders", "standard"), &name, count).await);
        drain(started);
    }
    for queue in ["node.orders", "node.results"] {
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(queue.into(), durable, FieldTable::default()).await.unwrap();
    }
    let mut node = theirs(&fleet, &assets);
    figures.push(run(&channel, "Node.js worker", &[node.id()], ("", "node.orders"), "NODE", count).await);
    drop(node.kill());
    drop(node.wait());
    print(&figures);
}

fn print(figures: &[Figures]) {
    let node = figures.last().expect("the last run is theirs").a_second;
    println!("| | orders/s | of Node's | CPU s an order | peak MB |\n|---|---|---|---|---|");
    for Figures { who, a_second, cpu, peak_mb } in figures {
        let ratio = a_second / node;
        println!("| {who} | {a_second:.2} | {ratio:.2} | {cpu:.3} | {peak_mb:.0} |");
    }
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A worker with the settings it has of itself, or with `kept` bytes of what orders share.
fn ours(fleet: &Fleet, kept: Option<&str>) -> Worker {
    fleet.worker(|command| {
        command.envs(kept.map(|bytes| ("PRESSWORK_CACHE_BYTES", bytes)));
        command
            .env("PRESSWORK_CATALOG", repository("benches/catalog"))
            .env("PRESSWORK_PROFILES", repository("render-profiles"))
            .env("PRESSWORK_LOG_FORMAT", "json");
    })
}

/// Lets workers end as operators do.
fn drain(workers: Vec<Worker>) {
    for mut worker in workers {
        worker.signal("-TERM");
        drop(worker.child.wait());
    }
}

fn theirs(fleet: &Fleet, assets: &Path) -> Child {
    let mut child = Command::new("node")
        .arg(repository("benches/peers/worker.mjs"))
        .env("AMQP_URL", fleet.rabbit.url())
        .env("S3_ENDPOINT", format!("http://127.0.0.1:{}", fleet.weed.port))
        .env("BUCKET", BUCKET)
        .env("ASSETS", assets)
        .env("FONTCONFIG_FILE", assets.join("fonts.conf"))
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .stdout(Stdio::piped())
        .spawn()
        .expect("benches/peers/setup.sh installs Node.js and the peers");
    let mut said = std::io::BufReader::new(child.stdout.take().expect("it is piped"));
    let mut line = String::new();
    std::io::BufRead::read_line(&mut said, &mut line).expect("it says when it is ready");
    assert_eq!(line.trim(), "ready");
    child
}

/// Sends `count` orders and waits until each has its result.
async fn run(
    channel: &Channel,
    who: &'static str,
    processes: &[u32],
    (exchange, key): (&str, &str),
    name: &str,
    count: usize,
) -> Figures {
    let results = if exchange.is_empty() { "node.results" } else { "presswork.results" };
    let consuming = channel.basic_consume(
        results.into(),
        name.into(),
        BasicConsumeOptions::default(),
        FieldTable::default(),
    );
    let mut consumer = consuming.await.unwrap();
    let before: f64 = processes.iter().map(|id| process::cpu_seconds(*id)).sum();
    let begin = Instant::now();
    for order in mix::orders(name, count) {
        let properties = BasicProperties::default().with_delivery_mode(2);
        let body = order.to_string();
        let options = BasicPublishOptions::default();
        let sent = channel.basic_publish(exchange.into(), key.into(), options, body.as_bytes(), properties);
        sent.await.unwrap().await.unwrap();
    }
    let mut seen = BTreeSet::new();
    while seen.len() < count {
        let item = consumer.next().await.unwrap().unwrap();
        item.ack(BasicAckOptions::default()).await.unwrap();
        let event: Value = serde_json::from_slice(&item.data).unwrap();
        let data = event.get("data").unwrap_or(&event);
        let artifacts = data["artifacts"].as_array().map_or(0, Vec::len);
        assert!(artifacts > 0, "an order failed: {event}");
        seen.insert(data["job_id"].as_str().unwrap().to_owned());
    }
    let seconds = begin.elapsed().as_secs_f64();
    let after: f64 = processes.iter().map(|id| process::cpu_seconds(*id)).sum();
    let peak_mb = processes.iter().map(|id| process::peak_mb(*id)).fold(0.0, f64::max);
    channel.basic_cancel(name.into(), Default::default()).await.unwrap();
    eprintln!("{who}: {count} orders in {seconds:.1} s");
    Figures { who, a_second: count as f64 / seconds, cpu: (after - before) / count as f64, peak_mb }
}
