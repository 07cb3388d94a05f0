//! One delivery, from its bytes to its settlement.
//!
//! 1. What is decided already is published again. 2. Else it is rendered, its files uploaded under
//! a token of this attempt. 3. One conditional write decides. 4. What stands is published and
//! confirmed. 5. An order given up by the farm's own fault is parked. 6. Only then it is settled.

use super::commit::{Committed, commit, outcome, result_key, routing_key, standing};
use super::paint::{Painting, Stopped, paint};
use super::{Budget, Gate, Settings, Tools, fetch, isolate, retry};
use crate::app;
use crate::compose::plan;
use crate::edge::queue::{Dead, Delivery, Event, Message};
use crate::edge::store::upload::Uploads;
use crate::error::{Code, Fault, Retry, Violation, Violations};
use crate::order::Draft;
use crate::order::event::{EventError, ResultEvent};
use bytes::Bytes;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::Mutex;
use tokio::time::sleep;

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
    /// The drain is over: jobs end where they are.
    pub(super) interrupted: Arc<AtomicBool>,
}

/// How one try at a job ended, short of settlement.
enum Tried {
    /// The run is decided.
    Decided(Box<Committed>, Option<Uploads>),
    /// The same run with another order.
    Conflict(Option<Uploads>),
    /// Something transient of the order's own: another attempt, later.
    Again(Violation),
}

/// Nothing can be settled now.
enum Halt {
    /// The store failed: wait for it, spend no attempt.
    Store(Violation),
    /// The worker is ending.
    Ending,
}

impl From<Violation> for Halt {
    fn from(violation: Violation) -> Self {
        Halt::Store(violation)
    }
}

impl Bench {
    /// Handles a delivery to its end.
    pub(super) async fn handle(&self, delivery: Delivery) {
        let begin = Instant::now();
        let metrics = &self.tools.metrics;
        let redelivered = if delivery.redelivered { "true" } else { "false" };
        metrics.received.with_label_values(&[&delivery.class, redelivered]).inc();
        if let Some(since) = waited(&delivery.message) {
            metrics.queue_wait.with_label_values(&[&delivery.class]).observe(since);
        }
        let outcome = match Draft::parse(&delivery.message.body) {
            Ok(draft) => self.order(&delivery, &draft).await,
            Err(violation) if violation.retry == Retry::Later => {
                self.again(&delivery, None, &violation).await
            }
            Err(violation) => self.reject(&delivery, &violation).await,
        };
        let outcome = outcome.unwrap_or("requeued");
        metrics
            .duration
            .with_label_values(&[&delivery.class, outcome])
            .observe(begin.elapsed().as_secs_f64());
    }

    fn ending(&self) -> bool {
        self.interrupted.load(Ordering::Acquire)
    }

    /// An order that names a run. `None`: it went back.
    async fn order(&self, delivery: &Delivery, draft: &Draft) -> Option<&'static str> {
        let mut pause = Duration::from_secs(1);
        let tried = loop {
            match self.attempt(delivery, draft).await {
                Ok(tried) => break tried,
                Err(Halt::Ending) => return self.requeue(delivery).await,
                Err(Halt::Store(violation)) => {
                    tracing::warn!(job = draft.job_id(), code = %violation.code, "the store failed; waiting");
                    self.gate.shut();
                    // A store that answers and yet fails this job must not be hammered.
                    if !self.pause(pause).await || !self.unless_ending(self.gate.pass()).await {
                        return self.requeue(delivery).await;
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
            Tried::Conflict(uploads) => {
                if let Some(mut uploads) = uploads {
                    uploads.abort().await;
                }
                let violation = Violation::new(
                    Code::OrderConflict,
                    "this run was decided for another order: give the corrected order the next revision",
                );
                self.reject(delivery, &violation).await
            }
            Tried::Again(violation) => self.again(delivery, Some(draft), &violation).await,
        }
    }

    async fn attempt(&self, delivery: &Delivery, draft: &Draft) -> Result<Tried, Halt> {
        let store = self.tools.store.as_ref();
        let key = result_key(draft.job_id(), app::revision(draft));
        let digest = draft.digest();
        if let Some(stands) = standing(store, &key).await? {
            self.tools.metrics.duplicates.with_label_values(&["decided"]).inc();
            return Ok(compared(stands, &digest, None));
        }
        if delivery.exhausted {
            let violation = Violation::new(
                Code::RenderCrashed,
                "this order was taken up too often and never finished: report it",
            );
            let event = self.dressed(app::failed(draft, &violation.into()), delivery);
            return Ok(compared(commit(store, &key, &event).await?, &digest, None));
        }
        let (uploads, made) = self.render(delivery, draft).await?;
        let (event, mut uploads) = match made {
            Ok(event) => (event, uploads),
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
                (app::failed(draft, &violations), None)
            }
        };
        if let Some(uploads) = &mut uploads {
            uploads.complete().await?;
        }
        let event = self.dressed(event, delivery);
        // Where this fails it is not known whether the result was written, so the files stay: a
        // result that names missing files would be worse than files that nothing names.
        let committed = commit(store, &key, &event).await?;
        Ok(compared(committed, &digest, uploads))
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

    /// Renders in this process, or a suspect in another.
    async fn render(
        &self,
        delivery: &Delivery,
        draft: &Draft,
    ) -> Result<(Option<Uploads>, Result<ResultEvent, Violations>), Halt> {
        let scratch = match self.scratch(delivery, draft).await {
            Ok(scratch) => scratch,
            Err(violations) => return Ok((None, Err(violations))),
        };
        let path = scratch.path().join("order.json");
        if !delivery.redelivered {
            let job = Painting {
                tools: self.tools.clone(),
                draft: draft.clone(),
                path: path.clone(),
                memory: self.memory.clone(),
                limit: self.settings.job_limit,
                interrupted: self.interrupted.clone(),
            };
            let (mut uploads, made) = paint(job, self.uploads(draft)).await;
            match made {
                Ok(event) => return Ok((Some(uploads), Ok(event))),
                Err(Stopped::Wrong(violations)) => return Ok((Some(uploads), Err(violations))),
                Err(Stopped::Interrupted) => {
                    uploads.abort().await;
                    return Err(Halt::Ending);
                }
                Err(Stopped::Panicked) => uploads.abort().await,
            }
        }
        let _alone = self.cell.lock().await;
        if self.ending() {
            return Err(Halt::Ending);
        }
        let (tools, limit) = (&self.tools, self.settings.job_limit);
        let memory = self.settings.memory_budget;
        let (uploads, made) = isolate::render(tools, draft, &path, memory, limit, self.uploads(draft)).await;
        let made = made.map_err(|stopped| match stopped {
            Stopped::Wrong(violations) => violations,
            Stopped::Interrupted | Stopped::Panicked => {
                Violation::new(Code::RenderCrashed, "the renderer broke: report this order").into()
            }
        });
        Ok((Some(uploads), made))
    }

    fn uploads(&self, draft: &Draft) -> Uploads {
        let folder = format!("{}/{}/{}", draft.job_id(), app::revision(draft), token());
        Uploads::new(self.tools.store.clone(), folder)
    }

    /// The job's scratch folder: the order and, unless they are in a folder already, its assets.
    async fn scratch(&self, delivery: &Delivery, draft: &Draft) -> Result<tempfile::TempDir, Violations> {
        let failed = |e: std::io::Error| {
            Violation::new(Code::InternalError, format!("a scratch folder cannot be made: {}", e.kind()))
        };
        let scratch = tempfile::Builder::new().prefix("presswork-").tempdir().map_err(failed)?;
        tokio::fs::write(scratch.path().join("order.json"), &delivery.message.body).await.map_err(failed)?;
        if let Some(assets) = &self.tools.assets {
            let folder = scratch.path().join("assets");
            tokio::fs::create_dir(&folder).await.map_err(failed)?;
            let wanted = self.plan(scratch.path(), draft).await?;
            let (limit, budget) = (self.tools.app.limits().src_bytes, &self.input);
            let begin = Instant::now();
            fetch::fetch(assets.as_ref(), &wanted, &folder, limit, budget, &self.tools.metrics).await?;
            let spent = begin.elapsed().as_secs_f64();
            self.tools.metrics.stage.with_label_values(&["fetch"]).observe(spent);
        }
        Ok(scratch)
    }

    async fn plan(&self, scratch: &Path, draft: &Draft) -> Result<Vec<crate::compose::AssetRef>, Violations> {
        let (tools, draft) = (self.tools.clone(), draft.clone());
        let path = scratch.join("order.json");
        let planning = tokio::task::spawn_blocking(move || {
            let (order, _) = tools.app.validate(&tools.app.catalog_near(&path), &draft)?;
            Ok::<_, Violations>(plan(&order)?)
        });
        let broke = |_| Violation::new(Code::RenderCrashed, "an order could not be read: report it");
        planning.await.map_err(broke)?
    }

    /// The run is decided: publish what stands, park what the farm failed at, settle.
    async fn conclude(&self, delivery: &Delivery, draft: &Draft, stands: &Committed) -> Option<&'static str> {
        let metrics = &self.tools.metrics;
        let event = &stands.event;
        let body = stands.body.clone();
        if !self.publish(event, body, delivery).await {
            return self.requeue(delivery).await;
        }
        let error = event.data.errors.iter().find(|e| e.fault == Fault::System).or(event.data.errors.first());
        let fault = match error.map(|e| e.fault) {
            None => "none",
            Some(Fault::Customer) => "customer",
            Some(Fault::System) => "system",
        };
        // A duplicate of a decided run was parked by whoever decided it, or parks again if that one
        // died in between: operators see it twice rather than never.
        if let Some(error) = error.filter(|e| e.fault == Fault::System)
            && !self.park(delivery, error).await
        {
            return self.requeue(delivery).await;
        }
        let settled = delivery.receipt.ack().await.unwrap_or(false);
        let kind = outcome(event.kind);
        if stands.ours {
            self.count(delivery, event, kind, fault);
        }
        tracing::info!(job = draft.job_id(), outcome = kind, settled, ours = stands.ours, "a run is decided");
        metrics.last_success.set(i64::try_from(now_ms() / 1000).unwrap_or(i64::MAX));
        Some(kind)
    }

    fn count(&self, delivery: &Delivery, event: &ResultEvent, kind: &str, fault: &str) {
        let metrics = &self.tools.metrics;
        metrics.finished.with_label_values(&[&delivery.class, kind, fault]).inc();
        let code = event.data.errors.first().map_or("", |e| e.code.as_str());
        metrics.attempts.with_label_values(&[&delivery.class, kind, code]).inc();
        if fault == "customer" {
            metrics.rejections.with_label_values(&[code]).inc();
        }
        for artifact in &event.data.artifacts {
            metrics.output_bytes.with_label_values(&[&artifact.output]).observe(artifact.bytes as f64);
        }
        if let Some(since) = waited(&delivery.message) {
            metrics.end_to_end.with_label_values(&[&delivery.class]).observe(since);
        }
    }

    /// A body that names no run, or contradicts one.
    async fn reject(&self, delivery: &Delivery, violation: &Violation) -> Option<&'static str> {
        let event = app::rejected_event(&delivery.message.body, &violation.clone().into());
        let event = self.dressed(event, delivery);
        let body = serde_json::to_vec_pretty(&event).unwrap_or_default();
        if !self.publish(&event, body.into(), delivery).await {
            return self.requeue(delivery).await;
        }
        let metrics = &self.tools.metrics;
        metrics.rejections.with_label_values(&[violation.code.as_str()]).inc();
        // Its outcome is that of no run.
        drop(delivery.receipt.ack().await);
        Some("rejected")
    }

    /// Another attempt, later, as a copy; the original is settled once the copy is safe.
    async fn again(
        &self,
        delivery: &Delivery,
        draft: Option<&Draft>,
        violation: &Violation,
    ) -> Option<&'static str> {
        if delivery.message.attempt >= self.settings.max_attempts {
            // Only an order whose schema is too new comes here: it names a run that no worker of
            // this version may decide.
            let error = EventError::from(violation);
            if !self.park(delivery, &error).await {
                return self.requeue(delivery).await;
            }
            drop(delivery.receipt.ack().await);
            return Some("failed");
        }
        let copy = Message { attempt: delivery.message.attempt + 1, ..delivery.message.clone() };
        let rung = retry::rung(delivery.message.attempt, random());
        let sent = self.insist(|| self.tools.queue.enqueue_later(&delivery.class, &copy, rung)).await;
        if !sent {
            return self.requeue(delivery).await;
        }
        drop(delivery.receipt.ack().await);
        let labels = [delivery.class.as_str(), "retry", violation.code.as_str()];
        self.tools.metrics.attempts.with_label_values(&labels).inc();
        tracing::info!(job = draft.map(Draft::job_id), code = %violation.code, "another attempt will follow");
        Some("retry")
    }

    async fn publish(&self, event: &ResultEvent, body: Bytes, delivery: &Delivery) -> bool {
        let event = Event {
            id: event.id.clone(),
            kind: routing_key(event.kind).into(),
            body,
            traceparent: delivery.message.traceparent.clone(),
        };
        let begin = Instant::now();
        let sent = self.insist(|| self.tools.queue.publish(&event)).await;
        self.tools.metrics.stage.with_label_values(&["publish"]).observe(begin.elapsed().as_secs_f64());
        sent
    }

    async fn park(&self, delivery: &Delivery, error: &EventError) -> bool {
        let dead = Dead {
            message: delivery.message.clone(),
            class: delivery.class.clone(),
            code: error.code.clone(),
            died_at_ms: now_ms(),
        };
        let parked = self.insist(|| self.tools.queue.bury(&dead)).await;
        if parked {
            self.tools.metrics.dead.with_label_values(&[&delivery.class, "system"]).inc();
        }
        parked
    }

    /// Tries until the queue confirms; `false` when the worker ends first.
    async fn insist<F>(&self, mut send: impl FnMut() -> F) -> bool
    where
        F: Future<Output = Result<(), Violation>>,
    {
        const REASON: &str = "the queue takes no results";
        let mut pause = Duration::from_millis(200);
        loop {
            match send().await {
                Ok(()) => {
                    self.tools.health.unready(REASON, false);
                    return true;
                }
                Err(violation) => {
                    tracing::warn!(detail = violation.detail, "publishing failed; trying again");
                    self.tools.health.unready(REASON, true);
                    if !self.pause(pause).await {
                        return false;
                    }
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
            }
        }
    }

    /// Gives a delivery back, for anyone.
    async fn requeue(&self, delivery: &Delivery) -> Option<&'static str> {
        // One that cannot be given back was taken away with its connection.
        drop(delivery.receipt.requeue().await);
        None
    }

    /// Sleeps; `false` when the worker ends first.
    async fn pause(&self, time: Duration) -> bool {
        self.unless_ending(sleep(time)).await
    }

    /// Waits for something; `false` when the worker ends first.
    async fn unless_ending(&self, wait: impl Future<Output = ()>) -> bool {
        tokio::pin!(wait);
        loop {
            if self.ending() {
                return false;
            }
            tokio::select! {
                () = &mut wait => return true,
                () = sleep(Duration::from_millis(100)) => {}
            }
        }
    }
}

/// What stands is the run's result, if it is the same order.
fn compared(stands: Committed, digest: &str, uploads: Option<Uploads>) -> Tried {
    // A cancellation that had no order at hand carries no digest and decides for any.
    match &stands.event.data.order_digest {
        Some(theirs) if theirs != digest => Tried::Conflict(uploads),
        Some(_) | None => Tried::Decided(Box::new(stands), uploads),
    }
}

fn is_store(violation: &Violation) -> bool {
    matches!(violation.code, Code::StoreUnavailable | Code::StoreDenied)
}

/// A name that no other attempt has.
fn token() -> String {
    format!("{:016x}", random())
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    // Without the system's randomness the clock has to do: a token must differ, not be secret.
    if getrandom::fill(&mut bytes).is_err() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        return now.as_nanos() as u64;
    }
    u64::from_le_bytes(bytes)
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// Seconds since the order was first enqueued, where it says so.
fn waited(message: &Message) -> Option<f64> {
    Some(now_ms().checked_sub(message.enqueued_at_ms?)? as f64 / 1000.0)
}
