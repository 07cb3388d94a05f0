//! Orders that kill their renderer, hoard memory or never end, among innocents that sit beside them in
//! the same worker: each poison has its own failure, and no innocent is harmed.
//!
//! Release builds cannot be poisoned by an order, so this is a test of other builds.

#![cfg(debug_assertions)]

use crate::support::fleet::Fleet;
use crate::support::judge::{Account, Fate, judge, listen, rest};
use crate::support::oracle::enqueue;
use crate::support::pool::{BEGUN, Pool};
use crate::support::tiny::{Kind, Tiny};
use presswork::order::event::ResultEvent;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const INNOCENTS: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn poison_orders_fail_alone() {
    let fleet = Fleet::start().await;
    let tiny = Tiny::open(&fleet).await;
    let shop = tiny.clone();
    let mut pool = Pool::start(&fleet, 1, move |command| {
        shop.settle(command);
        command.env("PRESSWORK_AMQP_PREFETCH", "8");
    });
    let (seen, listener) = listen(&fleet);
    let mut account = Account::default();
    let mut orders: Vec<PathBuf> = (0..INNOCENTS)
        .map(|i| {
            let (job, kind) = (format!("INNOCENT-{i:03}"), if i % 2 == 0 { Kind::Tag } else { Kind::Photo });
            account.fates.insert(job.clone(), Fate::Made(kind));
            tiny.order(kind, &job, |_| {})
        })
        .collect();
    for (at, poison, fate) in [
        (30, "abort", Fate::Parked("render.crashed")),
        (90, "memory", Fate::Parked("render.crashed")),
        (150, "loop", Fate::Refused("render.timeout")),
    ] {
        let job = format!("POISON-{poison}");
        orders.insert(
            at,
            tiny.order(Kind::Tag, &job, |order| {
                order["metadata"] = serde_json::json!({ "presswork-test-poison": poison });
            }),
        );
        account.fates.insert(job, fate);
    }
    enqueue(&fleet, &orders, &[]);
    let begin = Instant::now();
    while seen.lock().unwrap().decided().len() < account.fates.len() {
        pool.tend(&fleet);
        assert!(begin.elapsed() < Duration::from_secs(400), "{:?}", seen.lock().unwrap().decided().keys());
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    rest(&fleet);
    let ended = pool.end();
    listener.abort();
    assert_eq!(ended.faults, Vec::<String>::new());
    // Two kill their worker, once each. The third makes it fail its liveness probe, unless it sat
    // beside one of the others when that struck: then it is a suspect before it has struck itself.
    assert_eq!(ended.died, 2);
    assert!(ended.stuck <= 1, "{} workers were stuck", ended.stuck);
    account.lost_attempts = (ended.died + ended.stuck) * BEGUN;
    let seen = seen.lock().unwrap().clone();
    let faults = judge(&fleet, &account, &tiny.expected(), &seen).await;
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    for body in seen.bodies.values() {
        let event: ResultEvent = serde_json::from_slice(body).unwrap();
        assert_eq!(event.data.attempt, 1, "{:?} paid for another's fault", event.subject);
    }
}
