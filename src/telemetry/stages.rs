//! The stages that are timed: one closed set for metrics and traces.
//!
//! An attempt adds up what it spends in each stage, and observes each stage once at its end.

use super::Metrics;
use crate::asset::Format;
use crate::control::{Watch, Work};
use crate::render;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A stage of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The order's assets come, and with its template are read.
    Fetch,
    /// Pictures become pixels; within raster and pdf, all threads together.
    Decode,
    /// The scene is composed and its plates are made.
    Layout,
    /// Surfaces are painted and encoded.
    Raster,
    /// Pixels become bytes of a file; within raster and pdf, all threads together.
    Encode,
    /// Documents and drawings are written.
    Pdf,
    /// Documents are looked at.
    Preflight,
    /// What was still on its way when the last byte was written.
    Upload,
    /// The event is published and confirmed.
    Publish,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Stage; 9] = [
        Stage::Fetch,
        Stage::Decode,
        Stage::Layout,
        Stage::Raster,
        Stage::Encode,
        Stage::Pdf,
        Stage::Preflight,
        Stage::Upload,
        Stage::Publish,
    ];

    /// The name in metrics and traces.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Fetch => "fetch",
            Stage::Decode => "decode",
            Stage::Layout => "layout",
            Stage::Raster => "raster",
            Stage::Encode => "encode",
            Stage::Pdf => "pdf",
            Stage::Preflight => "preflight",
            Stage::Upload => "upload",
            Stage::Publish => "publish",
        }
    }
}

impl From<render::Stage> for Stage {
    fn from(stage: render::Stage) -> Stage {
        match stage {
            render::Stage::Fetch => Stage::Fetch,
            render::Stage::Layout | render::Stage::Derive => Stage::Layout,
            render::Stage::Raster => Stage::Raster,
            render::Stage::Pdf | render::Stage::Vector => Stage::Pdf,
            render::Stage::Preflight => Stage::Preflight,
        }
    }
}

/// What one attempt spends. Observed when it is dropped: whatever ends it, its time was spent.
#[derive(Debug)]
pub struct Spending {
    metrics: Arc<Metrics>,
    begin: Instant,
    nanoseconds: [AtomicU64; Stage::ALL.len()],
}

impl Spending {
    /// An attempt begins.
    pub fn new(metrics: Arc<Metrics>) -> Spending {
        Spending { metrics, begin: Instant::now(), nanoseconds: Default::default() }
    }

    /// Adds to a stage.
    pub fn add(&self, stage: Stage, time: Duration) {
        let spent = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds[stage as usize].fetch_add(spent, Ordering::Relaxed);
    }

    /// Adds what a piece of work takes.
    pub async fn timed<T>(&self, stage: Stage, work: impl Future<Output = T>) -> T {
        let begin = Instant::now();
        let done = work.await;
        self.add(stage, begin.elapsed());
        done
    }
}

impl Drop for Spending {
    fn drop(&mut self) {
        for stage in Stage::ALL {
            let spent = self.nanoseconds[stage as usize].load(Ordering::Relaxed);
            if spent > 0 {
                self.metrics.spent(stage, spent as f64 / 1e9);
            }
        }
    }
}

impl Watch for Spending {
    fn now(&self) -> Duration {
        self.begin.elapsed()
    }

    fn spent(&self, work: Work, time: Duration) {
        let stage = match work {
            Work::Decode => Stage::Decode,
            Work::Encode => Stage::Encode,
        };
        self.add(stage, time);
    }

    fn decoded(&self, format: Format, pixels: u64) {
        let format = match format {
            Format::Jpeg => "jpeg",
            Format::Png => "png",
            Format::WebP => "webp",
            Format::Tiff => "tiff",
        };
        self.metrics.decoded_pixels.with_label_values(&[format]).observe(pixels as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_observes_each_stage_once() {
        let metrics = Arc::new(Metrics::new(prometheus::Registry::new()).unwrap());
        let spending = Spending::new(metrics.clone());
        for seconds in [1, 2] {
            spending.spent(Work::Decode, Duration::from_secs(seconds));
            spending.add(render::Stage::Derive.into(), Duration::from_secs(seconds));
        }
        spending.decoded(Format::WebP, 4096);
        drop(spending);
        let text = metrics.text();
        for line in [
            "presswork_job_stage_duration_seconds_count{stage=\"decode\"} 1",
            "presswork_job_stage_duration_seconds_sum{stage=\"decode\"} 3",
            "presswork_job_stage_duration_seconds_sum{stage=\"layout\"} 3",
            "presswork_decoded_pixels_sum{format=\"webp\"} 4096",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
        assert!(!text.contains("stage=\"raster\""), "a stage that never was");
    }
}
