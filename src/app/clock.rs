//! How long each stage of a job takes.

use crate::render::Stage;
use std::time::Instant;

/// Seconds by stage.
#[derive(Default)]
pub(super) struct StageClock {
    current: Option<(Stage, Instant)>,
    spent: indexmap::IndexMap<String, f64>,
}

impl StageClock {
    /// A stage begins, and the one before it ends.
    pub(super) fn enter(&mut self, stage: Stage) {
        self.leave();
        self.current = Some((stage, Instant::now()));
    }

    fn leave(&mut self) {
        if let Some((stage, since)) = self.current.take() {
            *self.spent.entry(stage.as_str().to_owned()).or_insert(0.0) += since.elapsed().as_secs_f64();
        }
    }

    /// Seconds by stage, in the order of their beginnings.
    pub(super) fn finish(mut self) -> indexmap::IndexMap<String, f64> {
        self.leave();
        self.spent.into_iter().map(|(stage, seconds)| (stage, (seconds * 1e6).round() / 1e6)).collect()
    }
}
