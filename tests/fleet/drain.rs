//! Workers that are told to end while they are at work, again and again: nothing is lost, no attempt is
//! spent, nothing is left open. `PRESSWORK_DRAINS` says how often.

use crate::support::faults::Faulty;
use crate::support::fleet::{Fleet, Worker};
use crate::support::judge::{Account, Fate, judge, listen, rest};
use crate::support::oracle::{enqueue, orphans};
use crate::support::tiny::{Kind, Tiny};
use crate::support::wait::until;
use presswork::order::event::ResultEvent;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What a part of an upload takes, so that a drain meets uploads in their midst.
/// It is longer than the last moment that a worker leaves its jobs.
const PART: Duration = Duration::from_secs(5);
/// A drain in which everything can be finished, and one which cuts off what is being uploaded.
const DRAINS: [u64; 2] = [25, 4];
/// What a process may take to end, past its drain.
const MARGIN: Duration = Duration::from_secs(1);

/// Whether an upload in parts is under way.
fn uploads(worker: &Worker) -> bool {
    let count = |operation: &str| {
        let label = format!("operation=\"{operation}\"");
        worker.metric("presswork_s3_request_duration_seconds_count", &label)
    };
    count("begin") > count("complete") + count("abort")
}

/// Ends a worker, which has to be done with its drain.
fn drained(worker: &mut Worker, drain: Duration) {
    let begin = Instant::now();
    worker.signal("-TERM");
    let status = loop {
        if let Some(status) = worker.child.try_wait().unwrap() {
            break status;
        }
        assert!(begin.elapsed() < drain + MARGIN, "a drain of {drain:?} did not end:\n{}", worker.log());
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status.code(), Some(0), "{}", worker.log());
}

/// A painter that is ahead of the network waits for it, here and, of a suspect, beside its child's files.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_drain_cuts_off_parts_that_a_painter_waits_for() {
    const DRAIN: Duration = Duration::from_secs(6);
    let fleet = Fleet::start().await;
    let tiny = Tiny::open(&fleet).await;
    tiny.large(&fleet).await;
    let slow = Faulty::slow(fleet.weed.port, "partNumber=", Duration::from_secs(20)).await;
    let order = tiny.order(Kind::Poster, "LARGE", |order| {
        order["template"] = "banner@1".into();
        order["customization"]["photo"]["asset"] = "large.jpg".into();
    });
    enqueue(&fleet, &[order], &[]);
    for round in ["an order", "a suspect"] {
        let mut worker = fleet.worker(|command| {
            tiny.settle(command);
            command
                .env("AWS_ENDPOINT_URL_S3", format!("http://127.0.0.1:{}", slow.port))
                .env("PRESSWORK_DRAIN_TIMEOUT", DRAIN.as_secs().to_string());
        });
        until("an upload", || uploads(&worker));
        // The painter fills what may wait, and then waits itself.
        std::thread::sleep(Duration::from_secs(1));
        drained(&mut worker, DRAIN);
        assert!(worker.log().contains("the drain is over"), "{round}:\n{}", worker.log());
        assert_eq!(fleet.open_uploads().await, 0, "{round}:\n{}", worker.log());
    }
    assert_eq!(orphans(&fleet).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn drains_under_load_lose_nothing_and_cost_nothing() {
    let rounds = std::env::var("PRESSWORK_DRAINS").map_or(8, |text| text.parse().expect("a number"));
    let fleet = Fleet::start().await;
    let tiny = Tiny::open(&fleet).await;
    let slow = Faulty::slow(fleet.weed.port, "partNumber=", PART).await;
    let worker = |drain: u64| {
        fleet.worker(|command| {
            tiny.settle(command);
            command
                .env("AWS_ENDPOINT_URL_S3", format!("http://127.0.0.1:{}", slow.port))
                .env("PRESSWORK_DRAIN_TIMEOUT", drain.to_string());
        })
    };
    let (seen, listener) = listen(&fleet);
    let mut account = Account::default();
    let (mut in_upload, mut cut_off) = (0, 0);
    for round in 0..rounds {
        let orders: Vec<PathBuf> = (0..12)
            .map(|i| {
                let kind = [Kind::Poster, Kind::Tag, Kind::Photo, Kind::Tag, Kind::Tag, Kind::Photo][i % 6];
                let job = format!("DRAIN-{round:02}-{i:02}");
                account.fates.insert(job.clone(), Fate::Made(kind));
                tiny.order(kind, &job, |_| {})
            })
            .collect();
        let drain = DRAINS[round % 2];
        let mut worker = worker(drain);
        enqueue(&fleet, &orders, &[]);
        // Every other pair of rounds waits for an upload in parts, the others for any job.
        match round % 4 {
            0 | 1 => until("an upload", || uploads(&worker)),
            _ => until("a job", || worker.metric("presswork_jobs_in_progress", "") > 0.0),
        }
        in_upload += usize::from(uploads(&worker));
        drained(&mut worker, Duration::from_secs(drain));
        cut_off += usize::from(worker.log().contains("the drain is over"));
        assert_eq!(fleet.open_uploads().await, 0, "round {round}:\n{}", worker.log());
    }
    let mut last = worker(25);
    until("every result", || seen.lock().unwrap().decided().len() == account.fates.len());
    rest(&fleet);
    last.signal("-TERM");
    assert!(last.child.wait().unwrap().success(), "{}", last.log());
    listener.abort();
    let seen = seen.lock().unwrap().clone();
    // Nothing lost, nothing parked, no files that no result names, no open uploads.
    let faults = judge(&fleet, &account, &tiny.expected(), &seen).await;
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    for body in seen.bodies.values() {
        let event: ResultEvent = serde_json::from_slice(body).unwrap();
        assert_eq!(event.data.attempt, 1, "{:?}: a drain spends no attempt", event.subject);
    }
    println!(
        "drains: {rounds}, {in_upload} in mid-upload, {cut_off} cut off, {} orders",
        account.fates.len()
    );
    assert!(in_upload > 0 && cut_off > 0, "{in_upload} drains met an upload, {cut_off} were cut off");
}
