//! A fleet in a storm: workers are killed or told to end, the broker is killed and restarted, a tenth of the store's
//! requests fail, some orders kill who renders them, and an oracle that knows every confirmed order
//! finds nothing lost and nothing wrong.
//!
//! `PRESSWORK_CHAOS_ORDERS` and `PRESSWORK_CHAOS_SEED` make it longer or other (`scripts/chaos`). The
//! seed fixes what is done and in which order, not how it interleaves. `PRESSWORK_CHAOS_BUG` plants a
//! bug in the workers, which makes the oracle find something (tests/fleet/deaths.rs dies at the very places).

use crate::support::faults::{Faulty, scrambled};
use crate::support::fleet::Fleet;
use crate::support::judge;
use crate::support::judge::{Account, Fate, Seen, judge, listen, rest};
use crate::support::pool::{BEGUN, Pool};
use crate::support::tiny::{Kind, Tiny, texts};
use crate::support::wait;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Orders that are sent at once.
const CHUNK: usize = 25;

/// Everything that is sent.
struct Plan {
    /// Files to send, in order; a run may be there twice.
    files: Vec<PathBuf>,
    /// What has to come of it.
    account: Account,
    /// Orders that end the process that renders them, and orders that never end.
    deadly: usize,
    endless: usize,
}

fn number(name: &str, unless_told: u64) -> u64 {
    std::env::var(name).map_or(unless_told, |text| text.parse().expect("a number"))
}

fn plan(tiny: &Tiny, count: usize, seed: u64) -> Plan {
    let mut plan = Plan { files: Vec::new(), account: Account::default(), deadly: 0, endless: 0 };
    for i in 0..count {
        let lot = scrambled(seed.wrapping_add(i as u64)) % 1000;
        let kind = match scrambled(seed ^ ((i as u64) << 20)) % 100 {
            0 => Kind::Poster,
            1..50 => Kind::Photo,
            _ => Kind::Tag,
        };
        let job = format!("CHAOS-{i:05}");
        // 5 % of the orders are the customer's mistakes, 1 % can never be fetched as declared.
        let (path, fate) = match lot {
            0..50 => {
                let unknown = |order: &mut serde_json::Value| order["template"] = "no-such-template@1".into();
                (tiny.order(kind, &job, unknown), Fate::Refused("template.not_found"))
            }
            50..60 => {
                let path = tiny.order(Kind::Photo, &job, |order| {
                    order["customization"]["photo"]["sha256"] = "0".repeat(64).into();
                });
                (path, Fate::Parked("asset.checksum_mismatch"))
            }
            _ => (tiny.order(kind, &job, |_| {}), Fate::Made(kind)),
        };
        plan.files.push(path.clone());
        // 5 % come twice, 2 % twice with another content, which prints the same.
        if (100..150).contains(&lot) {
            plan.files.push(path);
        } else if (150..170).contains(&lot) {
            plan.files.push(tiny.order(kind, &job, |order| order["quantity"] = 7.into()));
            plan.account.conflicts += 1;
        }
        plan.account.fates.insert(job, fate);
    }
    // Some that end the process that renders them, where the build can be poisoned at all.
    if cfg!(debug_assertions) {
        for (at, poison, fate) in [
            (1, "abort", Fate::Parked("render.crashed")),
            (2, "memory", Fate::Parked("render.crashed")),
            // One that takes too long is its customer's doing.
            (3, "loop", Fate::Refused("render.timeout")),
        ] {
            let job = format!("POISON-{poison}");
            let path = tiny.order(Kind::Tag, &job, |order| {
                order["metadata"] = serde_json::json!({ "presswork-test-poison": poison });
            });
            plan.files.insert(plan.files.len() * at / 4, path);
            plan.account.fates.insert(job, fate);
            if poison == "loop" { plan.endless += 1 } else { plan.deadly += 1 }
        }
    }
    plan
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_in_a_storm() {
    let count = number("PRESSWORK_CHAOS_ORDERS", 500) as usize;
    let seed = number("PRESSWORK_CHAOS_SEED", 1);
    let begin = Instant::now();
    let mut fleet = Fleet::start().await;
    let tiny = Tiny::open(&fleet).await;
    let mut plan = plan(&tiny, count, seed);
    let expected = tiny.expected();
    let faulty = Faulty::start(fleet.weed.port, 10, seed).await;

    // Ten thousand orders: 20 kills, 5 restarts of the broker (2 by kill -9), 5 minutes without it.
    let kills = (6 + count * 14 / 10_000).min(count);
    let restarts = 2 + count * 3 / 10_000;
    let silence = Duration::from_secs((count as u64 * 3 / 100).max(5));
    let chunks: Vec<&[PathBuf]> = plan.files.chunks(CHUNK).collect();
    let at = |n: usize, of: usize| (n + 1) * chunks.len() / (of + 1);

    let (shop, store) = (tiny.clone(), format!("http://127.0.0.1:{}", faulty.port));
    let mut pool = Pool::start(&fleet, 2, move |command| {
        shop.settle(command);
        command.env("AWS_ENDPOINT_URL_S3", &store).env("PRESSWORK_MAX_ATTEMPTS", "3");
        if let Ok(bug) = std::env::var("PRESSWORK_CHAOS_BUG") {
            // Kills are few; a wide window makes sure that one falls into it.
            command.env("FLEET_TEST_BUG", format!("{bug}:400"));
        }
    });
    let (seen, listener) = listen(&fleet);
    let (mut crashes, mut stops) = (0, 0);
    for (index, chunk) in chunks.iter().enumerate() {
        send(&fleet, chunk);
        for n in (0..kills).filter(|n| at(*n, kills) == index) {
            let lot = scrambled(seed ^ n as u64);
            tokio::time::sleep(Duration::from_millis(lot % 300)).await;
            pool.kill(lot >> 32);
        }
        // As often others are told to end: one at work, and one that has hardly begun.
        for n in (0..kills).filter(|n| at(*n, kills) == index) {
            let lot = scrambled(!seed ^ n as u64);
            if n % 2 == 0 {
                pool.retire(lot >> 32);
            } else {
                pool.flash(&fleet, Duration::from_micros(lot % 40_000));
            }
        }
        pool.tend(&fleet);
        for n in (0..restarts).filter(|n| at(*n, restarts) == index) {
            if n % 3 == 0 {
                fleet.rabbit.crash();
                crashes += 1;
            } else {
                fleet.rabbit.stop();
                stops += 1;
            }
            if n == 0 {
                tokio::time::sleep(silence).await;
            }
            fleet.rabbit.restart();
        }
    }
    settle(&fleet, &plan.account, &seen, &mut pool).await;
    // What was confirmed a moment ago is still on its way to the listener.
    rest(&fleet);
    let ended = pool.end();
    listener.abort();

    let (requests, before, after, lost_uploads) = faulty.counts();
    let deaths = ended.kills + ended.died + ended.stuck;
    // A death leaves what its worker was at; a store that fails in spite of every retry, or does not
    // tell that it did what it was asked, leaves one attempt's.
    plan.account.lost_attempts = deaths * BEGUN + ended.store_failures;
    plan.account.open_uploads = deaths * BEGUN + ended.store_failures + lost_uploads as usize;
    let mut faults = ended.faults;
    let seen = seen.lock().unwrap().clone();
    faults.extend(judge(&fleet, &plan.account, &expected, &seen).await);
    if ended.died > plan.deadly || ended.stuck > plan.endless {
        faults.push(format!("{} workers died and {} were stuck, of themselves", ended.died, ended.stuck));
    }
    println!(
        "chaos: seed {seed}, {count} orders, {} deliverable, {} runs, {} conflicts, {} kills, {} workers told to \
         end, {} dead of poison and {} stuck, {crashes} kills and {stops} restarts of the broker, {silence:?} of silence, \
         {requests} store requests of which {before} failed before and {after} after their effect, {} event \
         deliveries, {} orphaned attempts of {} allowed, {} faults, {:.0?}",
        plan.files.len(),
        plan.account.fates.len(),
        plan.account.conflicts,
        ended.kills,
        ended.restarts,
        ended.died,
        ended.stuck,
        seen.deliveries,
        judge::orphaned_attempts(&fleet).await,
        plan.account.lost_attempts,
        faults.len(),
        begin.elapsed()
    );
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Waits until everything is decided, or until nothing moves any more.
async fn settle(fleet: &Fleet, account: &Account, seen: &Mutex<Seen>, pool: &mut Pool) {
    let mut last = (Instant::now(), 0);
    loop {
        pool.tend(fleet);
        let (decided, rejected, deliveries) = {
            let seen = seen.lock().unwrap();
            (seen.decided().len(), seen.rejected(), seen.deliveries)
        };
        if decided >= account.fates.len() && rejected >= account.conflicts {
            return;
        }
        if deliveries > last.1 {
            last = (Instant::now(), deliveries);
        }
        let still = last.0.elapsed();
        if still > Duration::from_secs(300)
            || (still > Duration::from_secs(30) && judge::occupied(fleet).is_empty())
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Sends orders until all of them are confirmed: what was sent twice is one run.
fn send(fleet: &Fleet, paths: &[PathBuf]) {
    let paths = texts(paths);
    wait::until("orders to be confirmed", || {
        fleet.run(&[&["enqueue"], paths.as_slice()].concat()).status.success()
    });
}
