//! A worker under continuous load: every result right, and a resident memory that stays within the
//! budget and does not grow.
//!
//! A sample of half a minute here; `scripts/soak-fleet` does the same for an hour with a release build
//! (`PRESSWORK_TEST_PROGRAM`) and keeps the curve (`PRESSWORK_SOAK_OUT`).

use crate::support::bucket::BUCKET;
use crate::support::curve;
use crate::support::curve::{Sample, Stretch, growth, look, settled, stretches};
use crate::support::fleet::{Fleet, fixtures};
use crate::support::oracle::{enqueue, events, is_right};
use presswork::order::event::ResultEvent;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Enough for the largest pictures that the limits allow.
const BUDGET: u64 = 1_500_000_000;
/// Orders that may wait: beyond these, sending waits for the worker.
const AHEAD: usize = 10;
/// How often memory is looked at.
const SAMPLES_EVERY: Duration = Duration::from_millis(200);
/// From this length on, growth is judged: what is shorter is all warming up.
const JUDGED_MINUTES: f64 = 10.0;
/// Small fixtures, with and without photos.
const SMALL: [&str; 7] = [
    "gift-tag-photo",
    "gift-tag-personalized",
    "mug-name-customized",
    "mug-name-personalized",
    "pen-customized",
    "card-personalized",
    "sticker-die-cut-customized",
];

fn number(name: &str, unless_told: f64) -> f64 {
    std::env::var(name).map_or(unless_told, |text| text.parse().expect("a number"))
}

/// The orders to repeat: a few small ones, or every fixture.
fn bases() -> Vec<String> {
    match std::env::var("PRESSWORK_SOAK_MIX").as_deref() {
        Ok("all") => {}
        Ok("small") => return SMALL.map(str::to_owned).to_vec(),
        Ok(other) => panic!("there is no mix {other:?}"),
        Err(_) => return SMALL[..3].iter().map(|name| (*name).to_owned()).collect(),
    }
    let files = std::fs::read_dir(fixtures().join("orders")).unwrap();
    let names = files.filter_map(|file| file.unwrap().file_name().into_string().ok());
    let mut names: Vec<String> =
        names.filter_map(|name| Some(name.strip_suffix(".json")?.to_owned())).collect();
    names.sort();
    names
}

/// What `render` makes of each order: the hashes of its files.
fn rendered(fleet: &Fleet, bases: &[String]) -> BTreeMap<String, BTreeMap<String, String>> {
    let out = fleet.folder.path().join("expected");
    let mut command = fleet.command();
    command.arg("render").arg("--out").arg(&out);
    command.arg("--catalog").arg(fixtures().join("catalog")).arg("--assets").arg(fixtures().join("assets"));
    command.args(bases.iter().map(|base| fixtures().join(format!("orders/{base}.json"))));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let of = |base: &String| {
        let order = std::fs::read(fixtures().join(format!("orders/{base}.json"))).unwrap();
        let order: serde_json::Value = serde_json::from_slice(&order).unwrap();
        let result = std::fs::read(out.join(order["job_id"].as_str().unwrap()).join("result.json")).unwrap();
        let event: ResultEvent = serde_json::from_slice(&result).unwrap();
        (base.clone(), event.data.artifacts.into_iter().map(|a| (a.uri, a.sha256)).collect())
    };
    bases.iter().map(of).collect()
}

/// Copies of the bases, from the `from`th on.
fn copies(fleet: &Fleet, bases: &[String], from: usize, count: usize) -> Vec<PathBuf> {
    let copy = |number: usize| {
        let base = &bases[number % bases.len()];
        let order = std::fs::read(fixtures().join(format!("orders/{base}.json"))).unwrap();
        let mut order: serde_json::Value = serde_json::from_slice(&order).unwrap();
        order["job_id"] = format!("{base}-soak{number}").into();
        let path = fleet.folder.path().join(format!("order-{}.json", number - from));
        std::fs::write(&path, order.to_string()).unwrap();
        path
    };
    (from..from + count).map(copy).collect()
}

/// A result is right; its files are thrown away afterwards, for the disk is not what is tested.
async fn checked(fleet: &Fleet, body: &[u8], expected: &BTreeMap<String, BTreeMap<String, String>>) {
    let event: ResultEvent = serde_json::from_slice(body).unwrap();
    let job = event.data.job_id.clone().unwrap();
    let base = job.rsplit_once("-soak").unwrap().0.to_owned();
    let files = expected[&base].clone();
    is_right(fleet, body, &BTreeMap::from([(base, files)])).await;
    for artifact in event.data.artifacts {
        let key = artifact.uri.strip_prefix(&format!("s3://{BUCKET}/")).unwrap().to_owned();
        fleet.bucket.delete_object().bucket(BUCKET).key(key).send().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_stays_within_the_budget_and_does_not_grow() {
    let minutes = number("PRESSWORK_SOAK_MINUTES", 0.5);
    let rate = number("PRESSWORK_SOAK_RATE", 50.0);
    let fleet = Fleet::start().await;
    let bases = bases();
    let expected = rendered(&fleet, &bases);
    let mut worker = fleet.worker(|command| {
        command.env("PRESSWORK_MEMORY_BUDGET", BUDGET.to_string());
    });
    let mut events = events(&fleet).await;
    let (mut sent, mut finished) = (0, 0);
    let mut samples: Vec<Sample> = Vec::new();
    let begin = Instant::now();
    let end = Duration::from_secs_f64(minutes * 60.0);
    while begin.elapsed() < end {
        let seconds = begin.elapsed().as_secs_f64();
        let due = ((seconds * rate) as usize).min(finished + AHEAD);
        // A few at a time: each batch is one run of `enqueue`.
        if due >= sent + 5 || (due > sent && rate < 5.0) {
            enqueue(&fleet, &copies(&fleet, &bases, sent, due - sent), &[]);
            sent = due;
        }
        while let Ok((_, body)) = events.try_recv() {
            checked(&fleet, &body, &expected).await;
            finished += 1;
        }
        samples.extend(look(worker.child.id(), begin.elapsed().as_secs_f64(), finished));
        assert!(worker.child.try_wait().unwrap().is_none(), "it ended:\n{}", worker.log());
        tokio::time::sleep(SAMPLES_EVERY).await;
    }
    while finished < sent {
        let next = tokio::time::timeout(Duration::from_secs(240), events.recv()).await;
        let (_, body) = next.expect("the rest of the events").unwrap();
        checked(&fleet, &body, &expected).await;
        finished += 1;
    }
    worker.signal("-TERM");
    assert!(worker.child.wait().unwrap().success(), "{}", worker.log());

    let stretches = stretches(&samples, 60.min(samples.len()));
    let growth = growth(settled(&stretches));
    let most = samples.iter().map(|sample| sample.resident).max().unwrap();
    let (first, last) = (settled(&stretches)[0], stretches[stretches.len() - 1]);
    let mib = |bytes: f64| bytes / f64::from(1 << 20);
    let line = format!(
        "soak: {minutes} minutes, {finished} orders, resident at most {:.0} MiB of a budget of {:.0} MiB, \
         median {:.0} MiB after the first quarter and {:.0} MiB at the end, growth over the last three \
         quarters {:.2} %, {} open files and {} threads at the end",
        mib(most as f64),
        mib(BUDGET as f64),
        mib(first.median),
        mib(last.median),
        growth * 100.0,
        samples[samples.len() - 1].files,
        samples[samples.len() - 1].threads,
    );
    write(&samples, &stretches, minutes);
    println!("{line}");
    assert!(finished > 0 && most <= BUDGET, "{line}");
    assert!(minutes < JUDGED_MINUTES || growth < 0.01, "{line}");
}

/// The samples and their drawing, where they are asked for.
fn write(samples: &[Sample], stretches: &[Stretch], minutes: f64) {
    let out = std::env::var("PRESSWORK_SOAK_OUT")
        .map_or(Path::new(env!("CARGO_TARGET_TMPDIR")).join("soak-memory"), PathBuf::from);
    let title = format!("Resident memory of one worker under continuous load, {minutes} minutes");
    std::fs::write(out.with_extension("csv"), curve::csv(samples)).unwrap();
    std::fs::write(out.with_extension("svg"), curve::svg(stretches, BUDGET, &title)).unwrap();
}

#[test]
fn growth_is_that_of_the_medians() {
    let series = |of: &dyn Fn(usize) -> f64| -> Vec<Stretch> {
        let sample = |i: usize| Sample {
            seconds: i as f64,
            // Peaks of single jobs, which say nothing of what stays.
            resident: if i.is_multiple_of(10) { 900 << 20 } else { (of(i) * f64::from(1 << 20)) as u64 },
            anonymous: 0,
            threads: 1,
            files: 1,
            finished: 0,
        };
        stretches(&(0..3600).map(sample).collect::<Vec<_>>(), 60)
    };
    assert!(growth(&series(&|_| 200.0)).abs() < 1e-9);
    let grown = growth(&series(&|i| 200.0 + i as f64 / 3600.0 * 10.0));
    assert!((0.045..0.052).contains(&grown), "{grown}");
    // A quarter of warming up does not count.
    let warm = series(&|i| if i < 900 { 100.0 + i as f64 / 9.0 } else { 200.0 });
    assert!(growth(&warm) > 0.05);
    assert!(growth(settled(&warm)).abs() < 1e-9);
}
