//! A fleet in a storm: workers are killed, the broker is killed and restarted, a tenth of the store's
//! requests fail, and an oracle that knows every confirmed order finds nothing lost and nothing wrong.
//!
//! `PRESSWORK_CHAOS_ORDERS` and `PRESSWORK_CHAOS_SEED` make it longer or other (`scripts/chaos`). The
//! seed fixes what is done and in which order, not how it interleaves.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "support/bucket.rs"]
mod bucket;
#[path = "support/faults.rs"]
mod faults;
#[path = "support/fleet.rs"]
mod fleet;
#[path = "support/oracle.rs"]
mod oracle;
#[path = "support/rabbitmq.rs"]
mod rabbitmq;
#[path = "support/wait.rs"]
mod wait;

use bucket::BUCKET;
use faults::{Faulty, scrambled};
use fleet::{Fleet, Worker, fixtures};
use futures_util::StreamExt;
use lapin::options::{BasicAckOptions, BasicConsumeOptions};
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};
use oracle::{fault_free, orphans};
use presswork::order::event::{EventType, ResultEvent};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Small orders, and what is asked of them.
const BASES: [(&str, &[&str]); 3] = [
    ("pen-customized", &["pdf", "png"]),
    ("gift-tag-photo", &["preview"]),
    ("mug-name-customized", &["pdf", "preview"]),
];
/// Orders that are sent at once.
const CHUNK: usize = 25;

/// What an order has to come to.
#[derive(Debug, Clone, PartialEq)]
enum Fate {
    /// Its files are those of this base.
    Made(&'static str),
    /// It fails with this code.
    Fails(&'static str),
}

/// Everything that is sent.
struct Plan {
    /// Files to send, in order; a run may be there twice.
    files: Vec<PathBuf>,
    /// What each run has to come to.
    fates: BTreeMap<String, Fate>,
    /// Runs that are sent with two contents.
    conflicts: BTreeSet<String>,
}

fn number(name: &str, unless_told: u64) -> u64 {
    std::env::var(name).map_or(unless_told, |text| text.parse().expect("a number"))
}

fn plan(fleet: &Fleet, count: usize, seed: u64) -> Plan {
    let mut plan = Plan { files: Vec::new(), fates: BTreeMap::new(), conflicts: BTreeSet::new() };
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(fixtures().join(format!("orders/{name}.json"))).unwrap())
            .unwrap()
    };
    let folder = fleet.folder.path().join("orders");
    std::fs::create_dir(&folder).unwrap();
    for i in 0..count {
        let lot = scrambled(seed.wrapping_add(i as u64)) % 1000;
        let (base, outputs) = BASES[(scrambled(seed ^ ((i as u64) << 20)) % 3) as usize];
        let job = format!("CHAOS-{i:05}");
        let mut order = read(base);
        order["job_id"] = job.as_str().into();
        order["outputs"] = serde_json::json!(outputs);
        let mut fate = Fate::Made(base);
        // 5 % of the orders are the customer's mistakes, 1 % can never be fetched as declared.
        if lot < 50 {
            order["template"] = "no-such-template@1".into();
            fate = Fate::Fails("template.not_found");
        } else if lot < 60 {
            order = read("gift-tag-photo");
            order["job_id"] = job.as_str().into();
            order["customization"]["photo"]["sha256"] = "0".repeat(64).into();
            fate = Fate::Fails("asset.checksum_mismatch");
        }
        let path = folder.join(format!("{job}.json"));
        std::fs::write(&path, order.to_string()).unwrap();
        plan.files.push(path.clone());
        plan.fates.insert(job.clone(), fate.clone());
        // 5 % come twice, 2 % twice with another content, which prints the same.
        if (100..150).contains(&lot) {
            plan.files.push(path);
        } else if (150..170).contains(&lot) {
            order["quantity"] = 7.into();
            let path = folder.join(format!("{job}-other.json"));
            std::fs::write(&path, order.to_string()).unwrap();
            plan.files.push(path);
            plan.conflicts.insert(job);
        }
    }
    // Two that end the process that renders them, where the build can be poisoned at all.
    if cfg!(debug_assertions) {
        for (poison, code) in [("abort", "render.crashed"), ("loop", "render.timeout")] {
            let mut order = read("mug-name-customized");
            let job = format!("POISON-{poison}");
            order["job_id"] = job.as_str().into();
            order["metadata"] = serde_json::json!({ "presswork-test-poison": poison });
            let path = folder.join(format!("{job}.json"));
            std::fs::write(&path, order.to_string()).unwrap();
            plan.files.insert(plan.files.len() / 2, path);
            plan.fates.insert(job, Fate::Fails(code));
        }
    }
    plan
}

/// Every event that was ever delivered, by its id; another body for an id is a fault.
#[derive(Default)]
struct Seen {
    bodies: BTreeMap<String, Vec<u8>>,
    deliveries: usize,
    faults: Vec<String>,
}

/// Consumes events for good, whatever becomes of the broker.
fn listen(url: String, seen: Arc<Mutex<Seen>>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            drop(listen_once(&url, &seen).await);
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    })
}

async fn listen_once(url: &str, seen: &Mutex<Seen>) -> Result<(), lapin::Error> {
    let connecting = Connection::connect(url, ConnectionProperties::default());
    let Ok(connection) = tokio::time::timeout(Duration::from_secs(10), connecting).await else {
        return Ok(());
    };
    let connection = connection?;
    let channel = connection.create_channel().await?;
    let options = BasicConsumeOptions::default();
    let mut consumer =
        channel.basic_consume("presswork.results".into(), "".into(), options, FieldTable::default()).await?;
    while let Some(item) = consumer.next().await {
        let item = item?;
        let id = item.properties.message_id().as_ref().map(ToString::to_string).unwrap_or_default();
        {
            let mut seen = seen.lock().unwrap();
            seen.deliveries += 1;
            if let Some(earlier) = seen.bodies.insert(id.clone(), item.data.clone())
                && earlier != item.data
            {
                seen.faults.push(format!("event {id} came with two bodies"));
            }
        }
        item.ack(BasicAckOptions::default()).await?;
    }
    Ok(())
}

/// Two workers; each that dies is replaced.
struct Pool {
    store: u16,
    workers: Vec<Worker>,
    killed: usize,
    replaced: usize,
}

impl Pool {
    fn start(&self, fleet: &Fleet) -> Worker {
        fleet.worker(|command| {
            command
                .env("AWS_ENDPOINT_URL_S3", format!("http://127.0.0.1:{}", self.store))
                .env("PRESSWORK_MAX_ATTEMPTS", "3")
                .env("PRESSWORK_MAX_JOB_SECONDS", "20");
        })
    }

    fn kill(&mut self, which: u64) {
        let index = (which % self.workers.len() as u64) as usize;
        drop(self.workers[index].child.kill());
        self.killed += 1;
    }

    /// Replaces workers that are dead or say that they should be.
    fn tend(&mut self, fleet: &Fleet) {
        for index in 0..self.workers.len() {
            let worker = &mut self.workers[index];
            let dead = worker.child.try_wait().unwrap().is_some();
            let stuck = !dead
                && wait::http(worker.port, "/livez", None).is_some_and(|a| a.starts_with("HTTP/1.1 503"));
            if dead || stuck {
                drop(worker.child.kill());
                self.workers[index] = self.start(fleet);
                self.replaced += 1;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_in_a_storm() {
    let count = number("PRESSWORK_CHAOS_ORDERS", 500) as usize;
    let seed = number("PRESSWORK_CHAOS_SEED", 1);
    let begin = Instant::now();
    let mut fleet = Fleet::start().await;
    let plan = plan(&fleet, count, seed);
    let expected = expected(&fleet);
    let faulty = Faulty::start(fleet.weed.port, 10, seed).await;
    let seen = Arc::new(Mutex::new(Seen::default()));

    // Ten thousand orders: 20 kills, 5 restarts of the broker, 5 minutes without it.
    let kills = (3 + count * 17 / 10_000).min(count);
    let restarts = 1 + count * 4 / 10_000;
    let silence = Duration::from_secs((count as u64 * 3 / 100).max(5));
    let chunks: Vec<&[PathBuf]> = plan.files.chunks(CHUNK).collect();
    let at = |n: usize, of: usize| (n + 1) * chunks.len() / (of + 1);

    let mut pool = Pool { store: faulty.port, workers: Vec::new(), killed: 0, replaced: 0 };
    pool.workers = (0..2).map(|_| pool.start(&fleet)).collect();
    let listener = listen(fleet.rabbit.url(), seen.clone());
    for (index, chunk) in chunks.iter().enumerate() {
        send(&fleet, chunk);
        for n in (0..kills).filter(|n| at(*n, kills) == index) {
            pool.kill(scrambled(seed ^ n as u64));
        }
        pool.tend(&fleet);
        for n in (0..restarts).filter(|n| at(*n, restarts) == index) {
            fleet.rabbit.crash();
            if n == 0 {
                tokio::time::sleep(silence).await;
            }
            fleet.rabbit.restart();
        }
    }
    // Everything that was confirmed is decided in the end.
    let runs = plan.fates.len();
    let patience = Instant::now();
    loop {
        pool.tend(&fleet);
        let decided = decided(&seen.lock().unwrap()).len();
        if decided >= runs && rejected(&seen.lock().unwrap()) >= plan.conflicts.len() {
            break;
        }
        let waited = patience.elapsed();
        assert!(waited < Duration::from_secs(900), "{decided} of {runs} runs are decided after {waited:?}");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let Pool { mut workers, killed, replaced, .. } = pool;
    // What is under way still has to end before the queues and the store can be looked at.
    for worker in &workers {
        worker.signal("-TERM");
    }
    for worker in &mut workers {
        assert!(worker.child.wait().unwrap().success(), "a drain failed:\n{}", worker.log());
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    listener.abort();

    let faults = judge(&fleet, &plan, &expected, &seen.lock().unwrap(), killed + replaced).await;
    let (requests, before, after) = faulty.counts();
    let deliveries = seen.lock().unwrap().deliveries;
    println!(
        "chaos: seed {seed}, {count} orders, {runs} runs, {} conflicts, {killed} kills, {replaced} workers \
         replaced, {restarts} broker kills, {silence:?} of silence, {requests} store requests of which {before} \
         failed before and {after} after their effect, {deliveries} event deliveries, {} faults, {:.0?}",
        plan.conflicts.len(),
        faults.len(),
        begin.elapsed()
    );
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The files of every base, rendered without a fleet.
fn expected(fleet: &Fleet) -> BTreeMap<&'static str, BTreeMap<String, String>> {
    let out = fleet.folder.path().join("expected");
    BASES
        .iter()
        .map(|(base, outputs)| {
            let source = fixtures().join(format!("orders/{base}.json"));
            let mut order: serde_json::Value =
                serde_json::from_slice(&std::fs::read(source).unwrap()).unwrap();
            order["outputs"] = serde_json::json!(outputs);
            let path = fleet.folder.path().join(format!("{base}.json"));
            std::fs::write(&path, order.to_string()).unwrap();
            (*base, fault_free(&path, &out))
        })
        .collect()
}

/// Sends orders until all of them are confirmed: what was sent twice is one run.
fn send(fleet: &Fleet, paths: &[PathBuf]) {
    let paths: Vec<&str> = paths.iter().map(|path| path.to_str().unwrap()).collect();
    wait::until("orders to be confirmed", || {
        fleet.run(&[&["enqueue"], paths.as_slice()].concat()).status.success()
    });
}

/// The events of runs, by their job.
fn decided(seen: &Seen) -> BTreeMap<String, Vec<String>> {
    let mut runs = BTreeMap::<String, Vec<String>>::new();
    for (id, body) in &seen.bodies {
        let event: ResultEvent = serde_json::from_slice(body).unwrap();
        if event.kind != EventType::Rejected {
            runs.entry(event.data.job_id.unwrap_or_default()).or_default().push(id.clone());
        }
    }
    runs
}

fn rejected(seen: &Seen) -> usize {
    let is =
        |body: &&Vec<u8>| serde_json::from_slice::<ResultEvent>(body).unwrap().kind == EventType::Rejected;
    seen.bodies.values().filter(is).count()
}

/// Everything that is not as it should be.
async fn judge(
    fleet: &Fleet,
    plan: &Plan,
    expected: &BTreeMap<&'static str, BTreeMap<String, String>>,
    seen: &Seen,
    losses: usize,
) -> Vec<String> {
    let mut faults = seen.faults.clone();
    let runs = decided(seen);
    for (job, fate) in &plan.fates {
        let [id] = runs.get(job).map(Vec::as_slice).unwrap_or_default() else {
            faults.push(format!("{job}: {:?} are its events", runs.get(job)));
            continue;
        };
        let body = &seen.bodies[id];
        if &fleet.get(&format!("out/{job}/1/result.json")).await != body {
            faults.push(format!("{job}: its event is not its result"));
        }
        let event: ResultEvent = serde_json::from_slice(body).unwrap();
        let code = event.data.errors.first().map(|error| error.code.clone());
        match fate {
            Fate::Fails(expected) if code.as_deref() == Some(expected) => {}
            Fate::Fails(expected) => faults.push(format!("{job}: {code:?} instead of {expected}")),
            Fate::Made(base) => {
                let mut made = BTreeMap::new();
                for artifact in &event.data.artifacts {
                    let key = artifact.uri.strip_prefix(&format!("s3://{BUCKET}/")).unwrap();
                    let hash = hex::encode(Sha256::digest(fleet.get(key).await));
                    if hash != artifact.sha256 {
                        faults.push(format!("{job}: {key} has other bytes than its result says"));
                    }
                    made.insert(key.rsplit('/').next().unwrap().to_owned(), hash);
                }
                if made != expected[base] {
                    faults.push(format!("{job}: {code:?}, or not the files that render makes"));
                }
            }
        }
    }
    let strangers = runs.keys().filter(|job| !plan.fates.contains_key(*job));
    faults.extend(strangers.map(|job| format!("{job}: nobody ordered it")));
    if rejected(seen) != plan.conflicts.len() {
        faults.push(format!("{} rejections instead of {}", rejected(seen), plan.conflicts.len()));
    }
    let left = orphans(fleet).await.len();
    // Each loss may leave the files of the jobs it held, three at most of each.
    if left > losses * 8 * 3 {
        faults.push(format!("{left} files that no result names after {losses} losses"));
    }
    if fleet.open_uploads().await > losses {
        faults.push("uploads were left open".to_owned());
    }
    let queues = fleet.rabbit.said(&["-q", "list_queues", "--no-table-headers", "name", "messages"]);
    for line in queues.lines() {
        let (name, messages) = line.rsplit_once('\t').unwrap_or((line, "?"));
        if messages != "0" && !name.contains("dead") {
            faults.push(format!("{messages} messages are left in {name}"));
        }
    }
    faults
}
