//! Deaths at every place where a worker touches the world, and bugs planted on purpose: the first are
//! harmless, and the oracle that says so sees each of the second.
//!
//! What is planted exists in builds with debug assertions alone.

#![cfg(debug_assertions)]

use crate::support::faults::Faulty;
use crate::support::fleet::{Fleet, Worker};
use crate::support::judge::{Account, Fate, Seen, judge, listen, orphaned_attempts, rest};
use crate::support::tiny::{Kind, Tiny, texts};
use crate::support::wait::until;
use presswork::worker::{Effect, Moment};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

const SIGKILL: i32 = 9;
/// Victims at work at once.
const ABREAST: usize = 3;

/// What happens around a victim, so that it comes to its effect.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Story {
    /// One order.
    Plain(Kind),
    /// A second part that the store refuses.
    PartRefused,
    /// Somebody else decides the run first.
    Race,
    /// An asset of another content than was declared: another attempt, later.
    Retry,
    /// The same at the last attempt.
    GivenUp,
    /// SIGTERM while an order waits its turn.
    Drain,
}

fn story(effect: Effect) -> Story {
    match effect {
        Effect::GetResult | Effect::PutObject | Effect::PutResult | Effect::PublishEvent | Effect::Ack => {
            Story::Plain(Kind::Tag)
        }
        Effect::OpenAsset | Effect::FetchAsset => Story::Plain(Kind::Photo),
        Effect::CreateMultipart | Effect::UploadPart | Effect::CompleteMultipart => {
            Story::Plain(Kind::Poster)
        }
        Effect::AbortMultipart | Effect::ProbeStore => Story::PartRefused,
        Effect::DeleteObject => Story::Race,
        Effect::PublishRetry => Story::Retry,
        Effect::PublishDead => Story::GivenUp,
        Effect::Requeue => Story::Drain,
    }
}

/// How many attempts' files, and how many open uploads, a death leaves: neither more nor fewer.
fn left(effect: Effect, moment: Moment) -> (usize, usize) {
    match (effect, moment) {
        (Effect::PutObject, Moment::After)
        | (Effect::CompleteMultipart, Moment::After)
        | (Effect::PutResult, Moment::Before)
        | (Effect::DeleteObject, Moment::Before | Moment::After) => (1, 0),
        (Effect::CreateMultipart, Moment::After)
        | (Effect::UploadPart, Moment::Before | Moment::After)
        | (Effect::CompleteMultipart | Effect::AbortMultipart, Moment::Before) => (0, 1),
        (
            Effect::GetResult
            | Effect::OpenAsset
            | Effect::FetchAsset
            | Effect::ProbeStore
            | Effect::PublishEvent
            | Effect::PublishRetry
            | Effect::PublishDead
            | Effect::Ack
            | Effect::Requeue,
            Moment::Before | Moment::After,
        )
        | (Effect::PutObject | Effect::CreateMultipart, Moment::Before)
        | (Effect::PutResult | Effect::AbortMultipart, Moment::After) => (0, 0),
    }
}

/// The place of all stories.
struct Stage {
    fleet: Fleet,
    tiny: Tiny,
    /// The store, with second parts refused.
    refusing: Faulty,
}

impl Stage {
    async fn set() -> Stage {
        let fleet = Fleet::start().await;
        let tiny = Tiny::open(&fleet).await;
        let refusing = Faulty::refusing(fleet.weed.port, "partNumber=2").await;
        Stage { fleet, tiny, refusing }
    }

    /// A worker of one class that paints one job at a time.
    fn worker(&self, class: &str, change: impl FnOnce(&mut Command)) -> Worker {
        self.fleet.worker(|command| {
            self.tiny.settle(command);
            command
                .env("PRESSWORK_CLASSES", class)
                .env("PRESSWORK_CPU_THREADS", "1")
                .env("PRESSWORK_AMQP_PREFETCH", "1")
                .env("PRESSWORK_MAX_JOB_SECONDS", "30")
                .env("PRESSWORK_MAX_ATTEMPTS", "3");
            change(command);
        })
    }

    fn enqueue(&self, class: &str, paths: &[PathBuf]) {
        let mut command = self.fleet.command();
        command.env("PRESSWORK_CLASSES", class).args(["enqueue", "--class", class]).args(texts(paths));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// A file whose appearance lets a held worker go on.
    fn gate(&self, class: &str) -> PathBuf {
        self.fleet.folder.path().join(format!("gate-{class}"))
    }

    /// Two workers do the same run at once; `held` waits before it decides, until the other one has.
    fn race(&self, class: &str, order: &Path, held: &Worker, other: impl FnOnce(&mut Command)) {
        let order = [order.to_owned()];
        self.enqueue(class, &order);
        until("files", || {
            held.metric("presswork_s3_request_duration_seconds_count", "operation=\"put\"") > 0.0
        });
        let mut other = self.worker(class, other);
        self.enqueue(class, &order);
        until("the other's decision", || other.metric("presswork_jobs_finished_total", "") > 0.0);
        other.signal("-TERM");
        assert!(other.child.wait().unwrap().success(), "{}", other.log());
        std::fs::write(self.gate(class), "").unwrap();
    }

    /// Lets a worker die at an effect; gives what has to come of its orders all the same.
    fn death(&self, effect: Effect, moment: Moment) -> Vec<(String, Fate)> {
        let class = class(effect, moment);
        let job = class.to_uppercase();
        let wrong = |order: &mut serde_json::Value| {
            order["customization"]["photo"]["sha256"] = "0".repeat(64).into();
        };
        let die = |command: &mut Command| {
            command.env("FLEET_TEST_DIE", format!("{}:{}", effect.name(), moment.name()));
        };
        let hold = |command: &mut Command, at: &str| {
            die(command);
            command.env("FLEET_TEST_HOLD", format!("{at}:{}", self.gate(&class).display()));
        };
        let (mut victim, fates) = match story(effect) {
            Story::Plain(kind) => {
                let victim = self.worker(&class, die);
                self.enqueue(&class, &[self.tiny.order(kind, &job, |_| {})]);
                (victim, vec![(job, Fate::Made(kind))])
            }
            Story::PartRefused => {
                let victim = self.worker(&class, |command| {
                    die(command);
                    command.env("AWS_ENDPOINT_URL_S3", format!("http://127.0.0.1:{}", self.refusing.port));
                });
                self.enqueue(&class, &[self.tiny.order(Kind::Poster, &job, |_| {})]);
                (victim, vec![(job, Fate::Made(Kind::Poster))])
            }
            Story::Race => {
                let victim = self.worker(&class, |command| hold(command, "put_result:before"));
                self.race(&class, &self.tiny.order(Kind::Tag, &job, |_| {}), &victim, |_| {});
                (victim, vec![(job, Fate::Made(Kind::Tag))])
            }
            Story::Retry | Story::GivenUp => {
                let attempts = if story(effect) == Story::Retry { "3" } else { "1" };
                let victim = self.worker(&class, |command| {
                    die(command);
                    command.env("PRESSWORK_MAX_ATTEMPTS", attempts);
                });
                self.enqueue(&class, &[self.tiny.order(Kind::Photo, &job, wrong)]);
                (victim, vec![(job, Fate::Parked("asset.checksum_mismatch"))])
            }
            Story::Drain => {
                // Two are begun, and the third goes back.
                let jobs = [format!("{job}-1"), format!("{job}-2"), format!("{job}-3")];
                let orders = jobs.each_ref().map(|job| self.tiny.order(Kind::Tag, job, |_| {}));
                self.enqueue(&class, &orders);
                let victim = self.worker(&class, |command| {
                    hold(command, "get_result:before");
                    command.env("PRESSWORK_AMQP_PREFETCH", "3");
                });
                until("a job", || victim.metric("presswork_jobs_in_progress", "") > 0.0);
                victim.signal("-TERM");
                (victim, jobs.map(|job| (job, Fate::Made(Kind::Tag))).to_vec())
            }
        };
        until(&format!("death {} {}", moment.name(), effect.name()), || {
            victim.child.try_wait().unwrap().is_some()
        });
        let status = victim.child.wait().unwrap();
        assert_eq!(status.signal(), Some(SIGKILL), "{effect:?} {moment:?}: {status}\n{}", victim.log());
        fates
    }
}

fn class(effect: Effect, moment: Moment) -> String {
    format!("{}-{}", effect.name().replace('_', "-"), moment.name())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_death_before_or_after_any_effect_is_harmless() {
    let stage = Stage::set().await;
    let (seen, listener) = listen(&stage.fleet);
    let mut deaths: Vec<(Effect, Moment)> = Vec::new();
    for effect in Effect::ALL {
        deaths.extend([(*effect, Moment::Before), (*effect, Moment::After)]);
    }
    let all = deaths.clone();
    let waiting = Mutex::new(deaths);
    let account = Mutex::new(Account::default());
    tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            for _ in 0..ABREAST {
                scope.spawn(|| {
                    loop {
                        let next = waiting.lock().unwrap().pop();
                        let Some((effect, moment)) = next else { return };
                        let fates = stage.death(effect, moment);
                        account.lock().unwrap().fates.extend(fates);
                    }
                });
            }
        });
    });
    let mut account = account.into_inner().unwrap();
    for (effect, moment) in &all {
        let (attempts, uploads) = left(*effect, *moment);
        account.lost_attempts += attempts;
        account.open_uploads += uploads;
    }
    // What they left is there, or they did not die where they should have.
    assert_eq!(stage.fleet.open_uploads().await, account.open_uploads);

    let classes: Vec<String> = all.iter().map(|(effect, moment)| class(*effect, *moment)).collect();
    let mut heir = stage.worker(&classes.join(","), |command| {
        command.env("PRESSWORK_CPU_THREADS", "2");
    });
    settled(&stage.fleet, &account, &seen);
    heir.signal("-TERM");
    assert!(heir.child.wait().unwrap().success(), "{}", heir.log());
    listener.abort();
    let expected = stage.tiny.expected();
    let told = seen.lock().unwrap().clone();
    let faults = judge(&stage.fleet, &account, &expected, &told).await;
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(orphaned_attempts(&stage.fleet).await, account.lost_attempts);
    println!(
        "deaths: {} effects, {} deaths, {} runs, 0 faults",
        Effect::ALL.len(),
        all.len(),
        account.fates.len()
    );
}

/// Waits until nothing is in a queue any more and every run is decided, or never will be.
fn settled(fleet: &Fleet, account: &Account, seen: &Mutex<Seen>) {
    rest(fleet);
    let begin = std::time::Instant::now();
    while seen.lock().unwrap().decided().len() < account.fates.len() && begin.elapsed().as_secs() < 5 {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

/// The bugs that can be planted, and the place of the death that shows each.
const BUGS: [(&str, Option<&str>); 3] = [
    ("ack-before-confirm", Some("publish_event:before")),
    ("publish-before-commit", Some("put_result:before")),
    // Nobody needs to die: two workers are enough.
    ("unconditional-commit", None),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_oracle_sees_every_planted_bug() {
    let stage = Stage::set().await;
    let expected = stage.tiny.expected();
    let (seen, listener) = listen(&stage.fleet);
    let mut lost_attempts = 0;
    for (bug, death) in BUGS {
        for planted in [false, true] {
            *seen.lock().unwrap() = Seen::default();
            let class = format!("{bug}-{planted}");
            let job = class.to_uppercase();
            let order = stage.tiny.order(Kind::Tag, &job, |_| {});
            let plant = |command: &mut Command| {
                if planted {
                    command.env("FLEET_TEST_BUG", bug);
                }
            };
            // The same story with and without the bug.
            let mut worker = stage.worker(&class, |command| {
                plant(command);
                match death {
                    Some(place) => command.env("FLEET_TEST_DIE", place),
                    None => {
                        let gate = stage.gate(&class);
                        command.env("FLEET_TEST_HOLD", format!("put_result:before:{}", gate.display()))
                    }
                };
            });
            match death {
                Some(_) => {
                    stage.enqueue(&class, &[order]);
                    let status = worker.child.wait().unwrap();
                    assert_eq!(status.signal(), Some(SIGKILL), "{bug}: {status}\n{}", worker.log());
                    worker = stage.worker(&class, plant);
                }
                None => stage.race(&class, &order, &worker, plant),
            }
            let fates = [(job, Fate::Made(Kind::Tag))].into();
            // A death before the decision leaves the attempt's files; an overwritten result those it named.
            lost_attempts += usize::from(death == Some("put_result:before"));
            let account = Account { fates, lost_attempts, ..Account::default() };
            settled(&stage.fleet, &account, &seen);
            worker.signal("-TERM");
            assert!(worker.child.wait().unwrap().success(), "{}", worker.log());
            let told = seen.lock().unwrap().clone();
            let faults = judge(&stage.fleet, &account, &expected, &told).await;
            println!("{bug}, planted: {planted}: {faults:?}");
            assert_eq!(!faults.is_empty(), planted, "{bug}: {faults:?}");
        }
    }
    listener.abort();
}
