//! One delivery, from its bytes to its settlement.
//!
//! What is decided already is published again. Anything else is rendered, its files uploaded under
//! a token of this attempt; one conditional write decides; what stands is published and confirmed;
//! an order given up by the farm's own fault is parked; and only then the delivery is settled.

use super::commit::{Committed, result_key, standing};
use super::hands::Hands;
#[cfg(debug_assertions)]
use super::planted;
use super::settle::waited;
use super::watchdog::Busy;
use super::{Budget, Gate, Settings, Tools};
use crate::app;
use crate::edge::queue::Delivery;
use crate::edge::store::upload::Uploads;
use crate::error::{Code, Retry, Violation};
use crate::order::Draft;
use crate::order::event::ResultEvent;
use crate::telemetry::{Spending, Stage, logs, traces};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, Semaphore};
use tracing::{Instrument, Span};

/// What all jobs of a worker share.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) tools: Arc<Tools>,
    pub(super) settings: Settings,
    pub(super) gate: Gate,
    pub(super) memory: Budget,
    pub(super) input: Budget,
    /// One suspect at a time.
    pub(super) cell: Mutex<()>,
    /// So many paint at once; others fetch or upload.
    pub(super) painters: Semaphore,
    /// The threads that they paint on.
    pub(super) hands: Hands,
    /// Runs that were decided here.
    pub(super) decided: AtomicU64,
    /// The drain is over: jobs end where they are.
    pub(super) interrupted: Arc<AtomicBool>,
}

/// How one try at a job ended, short of settlement.
enum Tried {
    /// The run is decided.
    Decided(Box<Committed>, Option<Uploads>),
    /// The run is not this order's to decide.
    Refused(Violation, Option<Uploads>),
    /// Something transient of the order's own: another attempt, later.
    Again(Violation),
    /// The store answers everybody and fails this order alone, again and again.
    Aside(Violation),
}

/// So often an order finds a store that has answered meanwhile, and that fails it again. Where other runs were
/// decided in that time it goes aside: its place is for them.
const ROUNDS: u32 = 6;
/// So long an order waits for the store in any case. What it holds must not meet the broker's own limit, half
/// an hour.
pub(super) const LONG: Duration = Duration::from_secs(600);

/// Nothing can be settled now.
pub(super) enum Halt {
    /// The store failed: wait for it, spend no attempt.
    Store(Violation),
    /// What stands as the run's result is none, and stays.
    Refused(Violation),
    /// The worker is ending.
    Ending,
}

impl From<Violation> for Halt {
    fn from(violation: Violation) -> Self {
        if is_store(&violation) { Halt::Store(violation) } else { Halt::Refused(violation) }
    }
}

impl Bench {
    /// Handles a delivery to its end.
    pub(super) async fn handle(&self, delivery: Delivery, busy: &Arc<Busy>) {
        let begin = Instant::now();
        let metrics = &self.tools.metrics;
        let queue = self.queue_label(&delivery);
        let redelivered = if delivery.redelivered { "true" } else { "false" };
        metrics.received.with_label_values(&[queue, redelivered]).inc();
        if let Some(since) = waited(&delivery.message) {
            metrics.queue_wait.with_label_values(&[queue]).observe(since);
        }
        let parsed = Draft::parse(&delivery.message.body);
        let span = traces::process(queue, delivery.redelivered, delivery.message.traceparent.as_deref());
        // The log's span is the outer one, so that the trace's is the current one.
        let named = match &parsed {
            Ok(draft) => {
                span.record("presswork.job", draft.job_id());
                span.record("presswork.revision", app::revision(draft));
                logs::job(draft)
            }
            Err(_) => Span::none(),
        };
        let settling = async {
            match &parsed {
                Ok(draft) => self.order(&delivery, draft, busy).await,
                Err(violation) if violation.retry == Retry::Later => {
                    self.postpone(&delivery, violation).await
                }
                Err(violation) => self.reject(&delivery, violation).await,
            }
        };
        let outcome = settling.instrument(span.clone()).instrument(named).await.unwrap_or("requeued");
        span.record("presswork.outcome", outcome);
        metrics.duration.with_label_values(&[queue, outcome]).observe(begin.elapsed().as_secs_f64());
    }

    pub(super) fn ending(&self) -> bool {
        self.interrupted.load(Ordering::Acquire)
    }

    /// The class, where it is one of ours: a label is never what somebody else wrote.
    pub(super) fn queue_label<'a>(&'a self, delivery: &Delivery) -> &'a str {
        let ours = self.settings.classes.iter().find(|class| class.name == delivery.class);
        ours.map_or("other", |class| &class.name)
    }

    /// An order that names a run. `None`: it went back.
    async fn order(&self, delivery: &Delivery, draft: &Draft, busy: &Arc<Busy>) -> Option<&'static str> {
        let mut pause = Duration::from_secs(1);
        let mut rounds = 0;
        let mut since: Option<(Instant, u64)> = None;
        let tried = loop {
            match self.attempt(delivery, draft, busy).await {
                Ok(tried) => break tried,
                Err(Halt::Refused(violation)) => break Tried::Refused(violation, None),
                Err(Halt::Ending) => return self.requeue(delivery).await,
                Err(Halt::Store(violation)) => {
                    let (job, detail) = (draft.job_id(), &violation.detail);
                    tracing::warn!(job, code = %violation.code, detail, "the store failed; waiting");
                    // It comes again over the next connection: to begin anew here would be in vain.
                    if !delivery.receipt.holds() {
                        return None;
                    }
                    rounds += 1;
                    let decided = self.decided.load(Ordering::Relaxed);
                    let (begin, before) = *since.get_or_insert_with(|| (Instant::now(), decided));
                    // A copy of a suspect would be none, and the broker counts how often an order came.
                    let suspect = delivery.redelivered || delivery.exhausted;
                    if begin.elapsed() > LONG || (rounds >= ROUNDS && decided > before && !suspect) {
                        break Tried::Aside(violation);
                    }
                    self.gate.shut();
                    // A store that answers and yet fails this job must not be hammered, and waiting for it makes
                    // no job overdue.
                    let waiting = busy.waiting();
                    if !self.pause(pause).await || self.unless_ending(self.gate.store()).await.is_none() {
                        return self.requeue(delivery).await;
                    }
                    drop(waiting);
                    if !delivery.receipt.holds() {
                        return None;
                    }
                    pause = (pause * 2).min(Duration::from_secs(30));
                }
            }
        };
        match tried {
            Tried::Decided(committed, uploads) => {
                if !committed.ours
                    && let Some(mut uploads) = uploads
                {
                    uploads.abort().await;
                    self.tools.metrics.duplicates.with_label_values(&["lost_race"]).inc();
                }
                self.conclude(delivery, draft, &committed).await
            }
            Tried::Refused(violation, uploads) => {
                if let Some(mut uploads) = uploads {
                    uploads.abort().await;
                }
                self.reject(delivery, &violation).await
            }
            Tried::Again(violation) => self.again(delivery, draft, &violation).await,
            Tried::Aside(_) if delivery.redelivered || delivery.exhausted => self.requeue(delivery).await,
            Tried::Aside(violation) => self.aside(delivery, draft, &violation).await,
        }
    }

    async fn attempt(&self, delivery: &Delivery, draft: &Draft, busy: &Arc<Busy>) -> Result<Tried, Halt> {
        let store = self.tools.store.as_ref();
        let spending = Arc::new(Spending::new(self.tools.metrics.clone()));
        let key = result_key(draft.job_id(), app::revision(draft));
        let digest = draft.digest();
        // Most runs are not decided: their assets come while that is asked.
        let mut fetching = pin!(self.scratch(delivery, draft, &spending, busy));
        let mut fetched = None;
        let stands = {
            let mut asking = pin!(standing(store, &key));
            loop {
                tokio::select! {
                    stands = &mut asking => break stands?,
                    scratch = &mut fetching, if fetched.is_none() && !delivery.exhausted => fetched = Some(scratch),
                }
            }
        };
        if let Some(stands) = stands {
            let compared = compared(stands, &digest, None);
            if matches!(compared, Tried::Decided(..)) {
                self.tools.metrics.duplicates.with_label_values(&["decided"]).inc();
            }
            return Ok(compared);
        }
        if delivery.exhausted {
            let violation = Violation::new(
                Code::RenderCrashed,
                "this order was taken up too often and never finished: report it",
            );
            let event = self.dressed(app::failed(draft, &violation.into()), delivery);
            return Ok(compared(self.decide(&key, &event, delivery, busy).await?, &digest, None));
        }
        let scratch = match fetched {
            Some(scratch) => scratch,
            None => self.unless_ending(fetching).await.ok_or(Halt::Ending)?,
        };
        let (uploads, made) = match scratch {
            Ok(scratch) => self.render(delivery, draft, &scratch, &spending, busy).await?,
            Err(violations) => (None, Err(violations)),
        };
        let (event, mut uploads) = match made {
            Ok(event) if event.has_files() => (event, uploads),
            // Preflight refuses the files, and the event says why.
            Ok(event) => {
                if let Some(mut uploads) = uploads {
                    uploads.abort().await;
                }
                (event, None)
            }
            Err(violations) => {
                let mut uploads = uploads;
                if let Some(uploads) = &mut uploads {
                    uploads.abort().await;
                }
                if let Some(store) = violations.0.iter().find(|v| is_store(v)) {
                    return Err(Halt::Store(store.clone()));
                }
                let later = violations.0.iter().find(|v| v.retry == Retry::Later);
                if let Some(violation) = later
                    && delivery.message.attempt < self.settings.max_attempts
                {
                    return Ok(Tried::Again(violation.clone()));
                }
                let (tools, missing) = (self.tools.clone(), violations.clone());
                let looked = tokio::task::spawn_blocking(move || tools.folders().blamed(&missing)).await;
                if let Ok(Err(folder)) = looked {
                    return Err(Halt::Store(folder));
                }
                (app::failed(draft, &violations), None)
            }
        };
        if let Some(uploads) = &mut uploads {
            let span = traces::stage(Stage::Upload, &Span::current());
            // A slow store makes no job overdue.
            let _waiting = busy.waiting();
            if !spending.timed(Stage::Upload, self.complete(uploads).instrument(span)).await? {
                return Err(Halt::Ending);
            }
        }
        let event = self.dressed(event, delivery);
        #[cfg(debug_assertions)]
        if planted::has(planted::Bug::PublishBeforeCommit) {
            self.publish(&event, event.to_bytes().unwrap_or_default().into(), delivery).await;
            planted::linger().await;
        }
        // Where this fails it is not known whether the result was written, so the files stay: a
        // result that names missing files would be worse than files that nothing names.
        match self.decide(&key, &event, delivery, busy).await {
            Ok(committed) => Ok(compared(committed, &digest, uploads)),
            Err(Halt::Refused(violation)) => Ok(Tried::Refused(violation, uploads)),
            Err(halt) => Err(halt),
        }
    }

    /// What the attempt adds to an event.
    fn dressed(&self, mut event: ResultEvent, delivery: &Delivery) -> ResultEvent {
        event.data.attempt = delivery.message.attempt;
        event.traceparent.clone_from(&delivery.message.traceparent);
        if let Some(base) = &self.settings.url_base {
            let store = self.tools.store.uri("");
            for artifact in &mut event.data.artifacts {
                let key = artifact.uri.strip_prefix(&store).unwrap_or(&artifact.uri);
                artifact.url =
                    Some(format!("{}/{}", base.trim_end_matches('/'), key.trim_start_matches('/')));
            }
        }
        event
    }
}

/// What stands is the run's result, if it is the same order.
fn compared(stands: Committed, digest: &str, uploads: Option<Uploads>) -> Tried {
    // A cancellation that had no order at hand carries no digest and decides for any.
    match &stands.event.data.order_digest {
        Some(theirs) if theirs != digest => {
            let conflict = Violation::new(
                Code::OrderConflict,
                "this run was decided for another order: give the corrected order the next revision",
            );
            Tried::Refused(conflict, uploads)
        }
        Some(_) | None => Tried::Decided(Box::new(stands), uploads),
    }
}

pub(super) fn is_store(violation: &Violation) -> bool {
    matches!(violation.code, Code::StoreUnavailable | Code::StoreDenied)
}
