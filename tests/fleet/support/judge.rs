//! The oracle: it keeps every event that was ever delivered, and says everything that is not as it
//! should be once a fleet has come to rest.
use crate::support::bucket::BUCKET;
use crate::support::fleet::Fleet;
use crate::support::oracle::{orphans, said};
use crate::support::tiny::{Files, Kind};
use futures_util::StreamExt;
use lapin::options::{BasicAckOptions, BasicConsumeOptions};
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};
use presswork::order::event::{EventType, ResultEvent};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What an order has to come to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fate {
    /// Its files are those of this kind.
    Made(Kind),
    /// It fails with this code: the customer's fault.
    Refused(&'static str),
    /// It fails with this code and is parked.
    Parked(&'static str),
}

/// What was ordered, and what faults may have left behind.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// What each run has to come to.
    pub(crate) fates: BTreeMap<String, Fate>,
    /// Runs that were ordered with two contents.
    pub(crate) conflicts: usize,
    /// Attempts that may have left files which no result names.
    pub(crate) lost_attempts: usize,
    /// Uploads that may have been left open.
    pub(crate) open_uploads: usize,
}

/// Every event that was ever delivered, by its id.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) bodies: BTreeMap<String, Vec<u8>>,
    pub(crate) deliveries: usize,
    faults: Vec<String>,
}

impl Seen {
    fn event(&self, id: &str) -> ResultEvent {
        serde_json::from_slice(&self.bodies[id]).unwrap()
    }

    /// The events of runs, by their job.
    pub(crate) fn decided(&self) -> BTreeMap<String, Vec<String>> {
        let mut runs = BTreeMap::<String, Vec<String>>::new();
        for id in self.bodies.keys() {
            let event = self.event(id);
            if event.kind != EventType::Rejected {
                runs.entry(event.data.job_id.unwrap_or_default()).or_default().push(id.clone());
            }
        }
        runs
    }

    /// Events of orders that belong to no run.
    pub(crate) fn rejected(&self) -> usize {
        self.bodies.keys().filter(|id| self.event(id).kind == EventType::Rejected).count()
    }
}

/// Consumes events for good, whatever becomes of the broker.
pub(crate) fn listen(fleet: &Fleet) -> (Arc<Mutex<Seen>>, tokio::task::JoinHandle<()>) {
    let (url, seen) = (fleet.rabbit.url(), Arc::new(Mutex::new(Seen::default())));
    let shared = seen.clone();
    let task = tokio::spawn(async move {
        loop {
            // The broker is killed now and then.
            drop(listen_once(&url, &shared).await);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    (seen, task)
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
            if let Some(earlier) = seen.bodies.get(&id) {
                if *earlier != item.data {
                    seen.faults.push(format!("event {id} came with two bodies"));
                }
            } else {
                seen.bodies.insert(id, item.data.clone());
            }
        }
        item.ack(BasicAckOptions::default()).await?;
    }
    Ok(())
}

/// Waits until every queue of orders and results is empty for a moment.
pub(crate) fn rest(fleet: &Fleet) {
    crate::support::wait::until("the queues to empty", || occupied(fleet).is_empty());
    std::thread::sleep(Duration::from_millis(500));
}

/// Queues that hold something, without the one of parked orders.
pub(crate) fn occupied(fleet: &Fleet) -> Vec<String> {
    let queues = fleet.rabbit.said(&["-q", "list_queues", "--no-table-headers", "name", "messages"]);
    let full =
        |line: &&str| line.rsplit_once('\t').is_none_or(|(name, n)| n != "0" && !name.ends_with(".dead"));
    queues.lines().filter(full).map(str::to_owned).collect()
}

/// Everything that is not as it should be.
pub(crate) async fn judge(
    fleet: &Fleet,
    account: &Account,
    expected: &BTreeMap<Kind, Files>,
    seen: &Seen,
) -> Vec<String> {
    let mut faults = seen.faults.clone();
    let runs = seen.decided();
    for (job, fate) in &account.fates {
        let [id] = runs.get(job).map(Vec::as_slice).unwrap_or_default() else {
            faults.push(format!("{job}: {:?} are its events", runs.get(job)));
            continue;
        };
        faults.extend(run(fleet, job, *fate, expected, &seen.bodies[id]).await);
    }
    let strangers = runs.keys().filter(|job| !account.fates.contains_key(*job));
    faults.extend(strangers.map(|job| format!("{job}: nobody ordered it")));
    if seen.rejected() != account.conflicts {
        faults.push(format!("{} rejections instead of {}", seen.rejected(), account.conflicts));
    }
    faults.extend(leftovers(fleet, account).await);
    faults
}

/// What is wrong with one run.
async fn run(
    fleet: &Fleet,
    job: &str,
    fate: Fate,
    expected: &BTreeMap<Kind, Files>,
    body: &[u8],
) -> Vec<String> {
    let mut faults = Vec::new();
    if fleet.find(&format!("out/{job}/1/result.json")).await.as_deref() != Some(body) {
        faults.push(format!("{job}: its event is not its result"));
    }
    let event: ResultEvent = serde_json::from_slice(body).unwrap();
    let code = event.data.errors.first().map(|error| error.code.clone());
    match fate {
        Fate::Refused(expected) | Fate::Parked(expected) => {
            if code.as_deref() != Some(expected) {
                faults.push(format!("{job}: {code:?} instead of {expected}"));
            }
        }
        Fate::Made(kind) => {
            let mut made = Files::new();
            for artifact in &event.data.artifacts {
                let key = artifact.uri.strip_prefix(&format!("s3://{BUCKET}/")).unwrap();
                let Some(bytes) = fleet.find(key).await else {
                    faults.push(format!("{job}: {key} is named and not there"));
                    continue;
                };
                let hash = hex::encode(Sha256::digest(bytes));
                if hash != artifact.sha256 {
                    faults.push(format!("{job}: {key} has other bytes than its result says"));
                }
                made.insert(key.rsplit('/').next().unwrap().to_owned(), hash);
            }
            if made != expected[&kind] {
                faults.push(format!("{job}: {code:?}, or not the files that render makes"));
            }
        }
    }
    faults
}

/// Attempts whose files no result names: those of one attempt lie below one token.
pub(crate) async fn orphaned_attempts(fleet: &Fleet) -> usize {
    let orphans = orphans(fleet).await;
    let attempts: BTreeSet<&str> = orphans.iter().filter_map(|key| Some(key.rsplit_once('/')?.0)).collect();
    attempts.len()
}

/// What is left where nothing should be.
async fn leftovers(fleet: &Fleet, account: &Account) -> Vec<String> {
    let mut faults = Vec::new();
    let (attempts, lost) = (orphaned_attempts(fleet).await, account.lost_attempts);
    if attempts > lost {
        faults.push(format!("files of {attempts} attempts that no result names; {lost} were lost"));
    }
    let open = fleet.open_uploads().await;
    if open > account.open_uploads {
        faults.push(format!("{open} uploads were left open; {} were cut off", account.open_uploads));
    }
    faults.extend(occupied(fleet).into_iter().map(|queue| format!("messages are left: {queue}")));
    let listed = said(fleet, &["dead", "list", "--limit", "1000000"]);
    let parked: BTreeSet<&str> = listed.lines().filter_map(|line| line.split("  ").next()).collect();
    let should: BTreeSet<&str> = account
        .fates
        .iter()
        .filter(|(_, fate)| matches!(fate, Fate::Parked(_)))
        .map(|(job, _)| job.as_str())
        .collect();
    if parked != should {
        let odd: Vec<_> = parked.symmetric_difference(&should).collect();
        faults.push(format!("parked, or not parked, wrongly: {odd:?}"));
    }
    faults
}
