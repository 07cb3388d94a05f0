//! Renders an order in this process, on a thread of its own, while its files leave.

use super::Tools;
use super::admission::Budget;
use super::cost::peak_bytes;
use super::hands::Hands;
use super::settle::ended;
use super::watchdog::Busy;
use crate::control::Control;
use crate::edge::store::upload::Uploads;
use crate::error::{Code, Violation, Violations};
use crate::order::Draft;
use crate::order::event::ResultEvent;
use crate::render;
use crate::telemetry::{Spending, Stage, traces};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// Why rendering gave no event.
#[derive(Debug)]
pub(super) enum Stopped {
    /// The order, or a service, is at fault.
    Wrong(Violations),
    /// The worker is ending: nobody's fault.
    Interrupted,
    /// The renderer itself broke: in this process the order is a suspect now.
    Died,
}

/// Everything one rendering needs, by value: it runs on another thread.
pub(super) struct Painting {
    pub(super) tools: Arc<Tools>,
    pub(super) draft: Draft,
    /// The order's file in its scratch folder, with its assets beside it.
    pub(super) path: PathBuf,
    pub(super) memory: Budget,
    pub(super) limit: Duration,
    pub(super) interrupted: Arc<AtomicBool>,
    pub(super) spending: Arc<Spending>,
    pub(super) busy: Arc<Busy>,
}

/// Renders into `uploads` and gives them back, to be completed or aborted.
///
/// The thread is one of [`Hands`], not one of rayon's: it waits for the network when
/// parts pile up, while rayon's threads go on painting the bands of other jobs.
pub(super) async fn paint(
    job: Painting,
    hands: &Hands,
    mut uploads: Uploads,
) -> (Uploads, Result<ResultEvent, Stopped>) {
    let runtime = Handle::current();
    let span = tracing::Span::current();
    let (interrupted, cancel) = (job.interrupted.clone(), uploads.cancel());
    let work = hands.run(move || {
        let _entered = span.enter();
        let result =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job.run(&runtime, &mut uploads)));
        (uploads, result.unwrap_or(Err(Stopped::Died)))
    });
    tokio::pin!(work);
    // A painter that waits for a slow store hears of the end only through its uploads.
    let done = tokio::select! {
        done = &mut work => done,
        () = ended(&interrupted) => {
            cancel.cancel();
            work.await
        }
    };
    match done {
        Ok(done) => done,
        // Panics are caught inside.
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

impl Painting {
    fn run(&self, runtime: &Handle, uploads: &mut Uploads) -> Result<ResultEvent, Stopped> {
        let begin = Instant::now();
        // Waiting for memory or for the store is not the order's doing.
        let waited_ms = AtomicU64::new(0);
        let sending = uploads.waits();
        let busy = self.busy.clone();
        sending.tell(move |waits| busy.wait(waits));
        let may_go_on = || {
            if self.interrupted.load(Ordering::Acquire) {
                return Err(ending());
            }
            let waited = Duration::from_millis(waited_ms.load(Ordering::Acquire)) + sending.so_far();
            if begin.elapsed().saturating_sub(waited) > self.limit {
                return Err(too_slow(self.limit));
            }
            Ok(())
        };
        let share = std::sync::Mutex::new(None);
        let metrics = &self.tools.metrics;
        let admit = |prepared: &crate::app::Prepared| {
            let waiting = Instant::now();
            let queued = self.busy.waiting();
            let taken = runtime.block_on(async {
                tokio::select! {
                    taken = self.memory.take(peak_bytes(&prepared.composed.scene)) => taken,
                    () = ended(&self.interrupted) => Err(ending()),
                }
            })?;
            drop(queued);
            let waited = u64::try_from(waiting.elapsed().as_millis()).unwrap_or(u64::MAX);
            waited_ms.store(waited, Ordering::Release);
            metrics.admission_wait.with_label_values::<&str>(&[]).observe(waiting.elapsed().as_secs_f64());
            *share.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(taken);
            may_go_on()
        };
        let mut stage: Option<Underway> = None;
        let mut observe = |next: render::Stage| {
            // The one before it ends where this one begins.
            drop(stage.take());
            stage = Some(Underway::new(next.into(), self.spending.clone()));
        };
        let control = Control::new(&may_go_on).watched_by(self.spending.as_ref());
        let made = self.tools.app.make(&self.path, &self.draft, uploads, &admit, control, &mut observe);
        drop((share, stage));
        made.map_err(|violations| match self.interrupted.load(Ordering::Acquire) {
            true => Stopped::Interrupted,
            false => Stopped::Wrong(violations),
        })
    }
}

/// A stage while it lasts: it is spent, and a span of the trace, when it is dropped.
struct Underway {
    stage: Stage,
    since: Instant,
    spending: Arc<Spending>,
    _span: tracing::Span,
}

impl Underway {
    fn new(stage: Stage, spending: Arc<Spending>) -> Underway {
        let span = traces::stage(stage, &tracing::Span::current());
        Underway { stage, since: Instant::now(), spending, _span: span }
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.spending.add(self.stage, self.since.elapsed());
    }
}

/// Nobody reads it: an interrupted rendering gives no event.
fn ending() -> Violation {
    Violation::new(Code::QueueUnavailable, "the worker is ending")
}

/// The violation of a job that passed its time limit.
pub(super) fn too_slow(limit: Duration) -> Violation {
    let seconds = limit.as_secs();
    Violation::new(
        Code::RenderTimeout,
        format!("rendering took more than {seconds} seconds: use smaller pictures or simpler art"),
    )
    .limit(seconds)
}
