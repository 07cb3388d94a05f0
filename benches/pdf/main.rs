//! What a PDF costs beyond the decoding of its pictures: `cargo bench --bench pdf -- [RUNS]`
//!
//! The bench's mug and the catalog's collages are made from order to hashed file, preflight
//! included, in a process that has their templates and fonts already, and a worker's settings of the
//! allocator. Processor time of all threads, decoding taken apart; the mean of the runs, and the
//! first, which also reads templates and compiles schemas.
//!
//! Needs the pictures that `benches/peers/setup.sh` makes, and Linux.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark that cannot go on stops")]

#[path = "../shared/mod.rs"]
mod shared;

use presswork::app::App;
use presswork::asset::Format;
use presswork::control::{Control, Watch, Work};
use presswork::order::Draft;
use shared::{Away, app, root};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

/// Processor time of the process's threads. Those of the pool stay, so that none is missed.
fn processor() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let nanos = tasks.flatten().filter_map(|task| {
        let said = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        said.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

/// Adds up what decoding took. A PDF's pictures are decoded one after the other, so that the
/// process's time is the decoder's.
#[derive(Default)]
struct Decoding(Mutex<Duration>);

impl Watch for Decoding {
    fn now(&self) -> Duration {
        processor()
    }

    fn spent(&self, work: Work, time: Duration) {
        if work == Work::Decode {
            *self.0.lock().unwrap() += time;
        }
    }

    fn decoded(&self, _: Format, _: u64) {}
}

/// Milliseconds of processor time: all of an order, and its decoding.
fn once(app: &App, path: &Path, draft: &Draft) -> (f64, f64) {
    let decoding = Decoding::default();
    let begun = processor();
    app.make(path, draft, &mut Away, &|_| Ok(()), Control::NONE.watched_by(&decoding), &mut |_| {}).unwrap();
    let all = processor() - begun;
    (all.as_secs_f64() * 1e3, decoding.0.into_inner().unwrap().as_secs_f64() * 1e3)
}

fn main() {
    presswork::memory::give_back(None);
    let runs: usize = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(20);
    let (mug, fixtures) = (app("benches"), app("fixtures"));
    println!("| order | all, ms | decoding | beyond | first order's beyond |\n|---|---|---|---|---|");
    for (app, path) in [
        (&mug, "benches/jobs/mug-pdf.json"),
        (&fixtures, "fixtures/orders/mug-collage-customized.json"),
        (&fixtures, "fixtures/orders/mug-collage-personalized.json"),
        (&fixtures, "fixtures/orders/mug-collage-one-photo.json"),
    ] {
        let path = root().join(path);
        let mut order: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        order["outputs"] = serde_json::json!(["pdf"]);
        let draft = Draft::parse(order.to_string().as_bytes()).unwrap();
        let first = once(app, &path, &draft);
        let (mut all, mut decoding) = (0.0, 0.0);
        for _ in 0..runs {
            let (whole, decoded) = once(app, &path, &draft);
            all += whole / runs as f64;
            decoding += decoded / runs as f64;
        }
        let name = path.file_stem().unwrap().to_string_lossy();
        println!("| {name} | {all:.1} | {decoding:.1} | {:.1} | {:.1} |", all - decoding, first.0 - first.1);
    }
}
