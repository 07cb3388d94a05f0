//! The whole path, from the broker to the store: orders a second, processor seconds an order and peak
//! memory of one and two workers, beside a Node.js worker on the same broker and store, and the floor
//! of the same orders. `cargo bench --bench fleet -- ORDERS` (benches/README.md says how and why)
//!
//! Everybody gets the same orders in the same sequence, in turn, and the servers stay up. The floor and
//! the Node.js worker run with two, three and four orders under way, and the fastest counts; presswork
//! has as many as it chooses. What the servers and this client take of the processors is told beside it.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a benchmark that cannot go on stops")]

mod floor;
mod mix;
mod process;
#[path = "../../tests/fleet/support/mod.rs"]
mod support;
mod usage;
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
use usage::Usage;

/// How many orders may be under way at once, for those that do not choose.
const UNDER_WAY: [usize; 3] = [2, 3, 4];

/// What one run showed.
struct Figures {
    who: String,
    a_second: f64,
    /// Processor seconds an order.
    used: Usage,
    /// Of all that the processors could have done.
    busy: f64,
    peak_mb: Option<f64>,
}

impl Figures {
    fn new(who: String, count: usize, seconds: f64, used: Usage, peak_mb: Option<f64>) -> Figures {
        let orders = count as f64;
        let busy = used.all() / (seconds * usage::processors());
        eprintln!("{who}: {count} orders in {seconds:.1} s, the processors {:.0} % busy", busy * 100.0);
        Figures { who, a_second: orders / seconds, used: used.by(orders), busy, peak_mb }
    }
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

    let mut floors = Vec::new();
    for under_way in UNDER_WAY {
        let meter = usage::Meter::of_floor(&fleet);
        let begin = Instant::now();
        floor::run(&fleet, count, under_way).await;
        let who = format!("the floor, {under_way} under way");
        floors.push(Figures::new(who, count, begin.elapsed().as_secs_f64(), meter.used(), None));
    }
    let mut figures = vec![fastest(floors)];
    let kinds = [
        ("presswork, one worker", 1, None),
        ("presswork, two workers", 2, None),
        ("presswork, one worker that keeps nothing", 1, Some("0")),
    ];
    for (who, workers, kept) in kinds {
        let started: Vec<Worker> = (0..workers).map(|_| ours(&fleet, kept)).collect();
        let ids: Vec<u32> = started.iter().map(|worker| worker.child.id()).collect();
        let name = format!("OURS{workers}{}", kept.unwrap_or_default());
        let run = Run { fleet: &fleet, channel: &channel, processes: &ids, name: &name, count };
        figures.push(run.measure(who.to_owned(), ("presswork.orders", "standard")).await);
        drain(started);
    }
    for queue in ["node.orders", "node.results"] {
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(queue.into(), durable, FieldTable::default()).await.unwrap();
    }
    let mut nodes = Vec::new();
    for under_way in UNDER_WAY {
        let mut node = theirs(&fleet, &assets, under_way);
        let (ids, name) = ([node.id()], format!("NODE{under_way}"));
        let run = Run { fleet: &fleet, channel: &channel, processes: &ids, name: &name, count };
        nodes.push(run.measure(format!("Node.js worker, {under_way} under way"), ("", "node.orders")).await);
        drop(node.kill());
        drop(node.wait());
    }
    figures.push(fastest(nodes));
    print(&figures);
}

fn fastest(figures: Vec<Figures>) -> Figures {
    figures.into_iter().max_by(|a, b| a.a_second.total_cmp(&b.a_second)).expect("there are several")
}

fn print(figures: &[Figures]) {
    let node = figures.last().expect("the last run is theirs").a_second;
    println!(
        "| | orders/s | of Node's | CPU s an order | RabbitMQ's | SeaweedFS's | the client's | processors busy, % | peak MB |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let told = |value: Option<f64>, digits| value.map_or(String::new(), |v| format!("{v:.digits$}"));
    for Figures { who, a_second, used, busy, peak_mb } in figures {
        let Usage { own, rabbit, weed, client } = used;
        println!(
            "| {who} | {a_second:.2} | {:.2} | {own:.3} | {rabbit:.3} | {weed:.3} | {} | {:.0} | {} |",
            a_second / node,
            told(*client, 3),
            busy * 100.0,
            told(*peak_mb, 0),
        );
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

fn theirs(fleet: &Fleet, assets: &Path, under_way: usize) -> Child {
    let mut child = Command::new("node")
        .arg(repository("benches/peers/worker.mjs"))
        .env("AMQP_URL", fleet.rabbit.url())
        .env("S3_ENDPOINT", format!("http://127.0.0.1:{}", fleet.weed.port))
        .env("BUCKET", BUCKET)
        .env("ASSETS", assets)
        .env("UNDER_WAY", under_way.to_string())
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

/// A run of some processes.
struct Run<'a> {
    fleet: &'a Fleet,
    channel: &'a Channel,
    processes: &'a [u32],
    /// The orders' ids begin with it.
    name: &'a str,
    count: usize,
}

impl Run<'_> {
    /// Sends the orders and waits until each has its result.
    async fn measure(&self, who: String, (exchange, key): (&str, &str)) -> Figures {
        let Run { fleet, channel, processes, name, count } = *self;
        let results = if exchange.is_empty() { "node.results" } else { "presswork.results" };
        let consuming = channel.basic_consume(
            results.into(),
            name.into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let mut consumer = consuming.await.unwrap();
        let meter = usage::Meter::of(fleet, processes);
        let begin = Instant::now();
        for order in mix::orders(name, count) {
            let properties = BasicProperties::default().with_delivery_mode(2);
            let body = order.to_string();
            let options = BasicPublishOptions::default();
            let sent =
                channel.basic_publish(exchange.into(), key.into(), options, body.as_bytes(), properties);
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
        let used = meter.used();
        let peak_mb = processes.iter().map(|id| process::peak_mb(*id)).fold(0.0, f64::max);
        channel.basic_cancel(name.into(), Default::default()).await.unwrap();
        Figures::new(who, count, seconds, used, Some(peak_mb))
    }
}
