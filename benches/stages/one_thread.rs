//! Stages are timed on one thread, and without the decoding that goes on inside them.

use criterion::Bencher;
use criterion::measurement::WallTime;
use presswork::asset::Format;
use presswork::control::{Control, Watch, Work};
use rayon::ThreadPool;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The group that every stage is a part of.
pub(crate) type Stages<'a> = criterion::BenchmarkGroup<'a, WallTime>;

/// Work on one thread.
pub(crate) struct OneThread(ThreadPool);

impl OneThread {
    pub(crate) fn new() -> OneThread {
        OneThread(rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap())
    }

    /// Times work as it is.
    pub(crate) fn time<T: Send>(&self, bencher: &mut Bencher<'_, WallTime>, work: impl Fn() -> T + Sync) {
        bencher.iter(|| self.0.install(&work));
    }

    /// Times work and takes off what decoding took. On one thread the two are never at once.
    pub(crate) fn time_without_decoding(
        &self,
        bencher: &mut Bencher<'_, WallTime>,
        work: impl Fn(Control<'_>) + Sync,
    ) {
        let decoding = Decoding { begun: Instant::now(), spent: Mutex::default() };
        bencher.iter_custom(|times| {
            let (before, begun) = (decoding.spent(), Instant::now());
            for _ in 0..times {
                self.0.install(|| work(Control::NONE.watched_by(&decoding)));
            }
            begun.elapsed().saturating_sub(decoding.spent() - before)
        });
    }
}

/// Adds up what decoding took.
struct Decoding {
    begun: Instant,
    spent: Mutex<Duration>,
}

impl Decoding {
    fn spent(&self) -> Duration {
        *self.spent.lock().unwrap()
    }
}

impl Watch for Decoding {
    fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    fn spent(&self, work: Work, time: Duration) {
        if work == Work::Decode {
            *self.spent.lock().unwrap() += time;
        }
    }

    fn decoded(&self, _: Format, _: u64) {}
}
