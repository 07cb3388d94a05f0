//! What each stage of an order costs, and whole jobs of `benches/jobs` from the order's bytes to
//! finished files: `cargo bench --bench stages`
//!
//! Stages run on one thread, so that their times add up, and hold only what they are named for.
//! Jobs run on all threads. Needs the pictures that `benches/peers/setup.sh` makes.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark that cannot go on stops")]

mod jobs;
mod one_thread;
mod pictures;
#[path = "../shared/mod.rs"]
mod shared;
mod support;
mod upload;
mod vectors;

use criterion::{Criterion, criterion_group, criterion_main};

fn all(c: &mut Criterion) {
    // As the program does, before any thread is started.
    presswork::memory::give_back(None);
    let mut group = c.benchmark_group("stage");
    group.sample_size(10);
    pictures::decode(&mut group);
    pictures::resample(&mut group);
    vectors::text(&mut group);
    vectors::art(&mut group);
    pictures::composite(&mut group);
    pictures::encode(&mut group);
    vectors::pdf(&mut group);
    upload::upload(&mut group);
    group.finish();
    let mut group = c.benchmark_group("job");
    group.sample_size(10);
    jobs::jobs(&mut group);
    group.finish();
}

criterion_group!(stages, all);
criterion_main!(stages);
