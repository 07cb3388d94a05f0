//! One run in five places at once: all have rendered it and uploaded its files, and all decide at the
//! same moment. What holds them there exists in builds with debug assertions alone.

#![cfg(debug_assertions)]

use crate::support::fleet::{Fleet, Worker};
use crate::support::oracle::{collect, events};
use crate::support::tiny::{Kind, Tiny};
use crate::support::wait::until;
use presswork::order::event::ResultEvent;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Places of the workers: one holds so many orders at once.
const PLACES: [usize; 2] = [3, 2];
const TIMES: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_five_decide_at_once_has_one_result() {
    let fleet = Fleet::start().await;
    let tiny = Tiny::open(&fleet).await;
    let expected = tiny.expected();
    let gate = fleet.folder.path().join("gate");
    let workers = PLACES.map(|places| {
        fleet.worker(|command| {
            tiny.settle(command);
            command
                .env("PRESSWORK_CPU_THREADS", places.to_string())
                .env("PRESSWORK_AMQP_PREFETCH", places.to_string())
                .env("FLEET_TEST_HOLD", format!("put_result:before:{}", gate.display()));
        })
    });
    let sum = |name: &str, labels: &str| workers.iter().map(|w| w.metric(name, labels)).sum::<f64>();
    let lost = |reason: &str| sum("presswork_duplicates_suppressed_total", &format!("reason=\"{reason}\""));
    let mut events = events(&fleet).await;
    let mut races = 0.0;
    // Files in one request, and a file in parts.
    for kind in [Kind::Tag, Kind::Poster] {
        let job = format!("RACE-{kind:?}");
        let order = tiny.order(kind, &job, |_| {});
        let copies = vec![order.to_str().unwrap(); TIMES];
        assert!(fleet.run(&[&["enqueue"], copies.as_slice()].concat()).status.success());
        // Every place has found no result, and its files are there: from here each of them decides.
        let files = TIMES * expected[&kind].len();
        let of_run = async || {
            let keys = fleet.keys().await;
            keys.into_iter().filter(|key| key.starts_with(&format!("out/{job}/"))).collect::<Vec<_>>()
        };
        let begin = std::time::Instant::now();
        while of_run().await.len() < files {
            assert!(begin.elapsed().as_secs() < 180, "the files of {} attempts", of_run().await.len());
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        assert_eq!(tokens(&of_run().await).len(), TIMES, "an attempt has a token of its own");
        assert_eq!(sum("presswork_jobs_in_progress", ""), TIMES as f64);
        std::fs::write(&gate, "").unwrap();

        let mut bodies = BTreeSet::new();
        for _ in 0..TIMES {
            bodies.extend(collect(&mut events, 1).await);
        }
        assert_eq!(bodies.len(), 1, "one run has one event id and one body");
        until("the places to be free", || sum("presswork_jobs_in_progress", "") == 0.0);
        races += 1.0;
        assert_eq!(sum("presswork_jobs_finished_total", ""), races, "one of them decides");
        assert_eq!(lost("lost_race"), races * (TIMES - 1) as f64, "the others lose");
        assert_eq!(lost("decided"), 0.0, "none came after the decision");

        let (_, body) = bodies.pop_first().unwrap();
        assert_eq!(fleet.get(&format!("out/{job}/1/result.json")).await, body);
        let event: ResultEvent = serde_json::from_slice(&body).unwrap();
        let mut named = BTreeSet::from([format!("out/{job}/1/result.json")]);
        for artifact in &event.data.artifacts {
            let key = artifact.uri.strip_prefix("s3://press/").unwrap();
            let hash = hex::encode(Sha256::digest(fleet.get(key).await));
            assert_eq!(hash, artifact.sha256);
            assert_eq!(hash, expected[&kind][key.rsplit('/').next().unwrap()]);
            named.insert(key.to_owned());
        }
        assert_eq!(event.data.artifacts.len(), expected[&kind].len());
        let left: BTreeSet<String> = of_run().await.into_iter().collect();
        assert_eq!(left, named, "the losers' objects are gone");
        assert_eq!(fleet.open_uploads().await, 0);
        std::fs::remove_file(&gate).unwrap();
    }
    drop::<[Worker; 2]>(workers);
}

/// The folders of the attempts.
fn tokens(keys: &[String]) -> BTreeSet<&str> {
    keys.iter().filter_map(|key| Some(key.rsplit_once('/')?.0)).collect()
}
