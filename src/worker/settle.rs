//! How a delivery ends: its event published and confirmed, what the farm failed at parked, and only
//! then the delivery settled.

use super::chance::random;
use super::commit::{Committed, commit, outcome, routing_key};
use super::job::{Bench, Halt, LONG, is_store};
#[cfg(debug_assertions)]
use super::planted::{self, Bug};
use super::retry;
use super::watchdog::Busy;
use crate::app;
use crate::edge::queue::{Dead, Delivery, Event, Message, RUNGS};
use crate::edge::store::upload::Uploads;
use crate::error::{Fault, Violation};
use crate::order::Draft;
use crate::order::event::{EventError, ResultEvent};
use crate::telemetry::{Stage, traces};
use bytes::Bytes;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::time::sleep;
use tracing::{Instrument, Span};

/// After how long a message that is not confirmed holds up new orders.
const LATE: Duration = Duration::from_secs(5);

impl Bench {
    /// The run is decided: publish what stands, park what the farm failed at, settle.
    pub(super) async fn conclude(
        &self,
        delivery: &Delivery,
        draft: &Draft,
        stands: &Committed,
    ) -> Option<&'static str> {
        let metrics = &self.tools.metrics;
        let event = &stands.event;
        let body = stands.body.clone();
        #[cfg(debug_assertions)]
        if planted::has(Bug::AckBeforeConfirm) {
            drop(delivery.receipt.ack().await);
            planted::linger().await;
        }
        let error = event.data.errors.iter().find(|e| e.fault == Fault::System).or(event.data.errors.first());
        let fault = match error.map(|e| e.fault) {
            None => "none",
            Some(Fault::Customer) => "customer",
            Some(Fault::System) => "system",
        };
        let kind = outcome(event.kind);
        // Whoever publishes it after all, should this worker end before, does not count it again.
        if stands.ours {
            self.count(delivery, event, kind, fault);
        }
        if !self.publish(event, body, delivery).await {
            return self.requeue(delivery).await;
        }
        // A duplicate of a decided run was parked by whoever decided it, or parks again if that one
        // died in between: operators see it twice rather than never.
        if let Some(error) = error {
            traces::failed(&Span::current(), &error.code);
        }
        if let Some(error) = error.filter(|e| e.fault == Fault::System)
            && !self.park(delivery, error).await
        {
            return self.requeue(delivery).await;
        }
        if stands.ours
            && let Some(since) = waited(&delivery.message)
        {
            metrics.end_to_end.with_label_values(&[self.queue_label(delivery)]).observe(since);
        }
        let settled = delivery.receipt.ack().await.unwrap_or(false);
        tracing::info!(job = draft.job_id(), outcome = kind, settled, ours = stands.ours, "a run is decided");
        if fault == "none" {
            metrics.last_success.set(i64::try_from(now_ms() / 1000).unwrap_or(i64::MAX));
        }
        Some(kind)
    }

    fn count(&self, delivery: &Delivery, event: &ResultEvent, kind: &str, fault: &str) {
        let (metrics, queue) = (&self.tools.metrics, self.queue_label(delivery));
        metrics.finished.with_label_values(&[queue, kind, fault]).inc();
        let code = event.data.errors.first().map_or("", |e| e.code.as_str());
        metrics.attempts.with_label_values(&[queue, kind, code]).inc();
        if fault == "customer" {
            metrics.rejections.with_label_values(&[code]).inc();
        }
        for artifact in &event.data.artifacts {
            metrics.output_bytes.with_label_values(&[&artifact.output]).observe(artifact.bytes as f64);
        }
    }

    /// A body that names no run, or contradicts one.
    pub(super) async fn reject(&self, delivery: &Delivery, violation: &Violation) -> Option<&'static str> {
        let event = app::rejected_event(&delivery.message.body, &violation.clone().into());
        // Nothing of this delivery is in it: the same body has the same event each time.
        let body = event.to_bytes().unwrap_or_default();
        if !self.publish(&event, body.into(), delivery).await {
            return self.requeue(delivery).await;
        }
        traces::failed(&Span::current(), violation.code.as_str());
        let metrics = &self.tools.metrics;
        let code = violation.code.as_str();
        metrics.rejections.with_label_values(&[code]).inc();
        metrics.attempts.with_label_values(&[self.queue_label(delivery), "rejected", code]).inc();
        // Its outcome is that of no run.
        drop(delivery.receipt.ack().await);
        Some("rejected")
    }

    /// Another attempt, later.
    pub(super) async fn again(
        &self,
        delivery: &Delivery,
        draft: &Draft,
        violation: &Violation,
    ) -> Option<&'static str> {
        let copy = Message { attempt: delivery.message.attempt + 1, ..delivery.message.clone() };
        let rung = retry::rung(delivery.message.attempt, random());
        tracing::info!(job = draft.job_id(), code = %violation.code, "another attempt will follow");
        self.later(delivery, &copy, rung, violation).await
    }

    /// An order that only a newer worker can read: it waits, for as long as it takes, until one is there. That
    /// is not the order's failure, so it costs no attempt.
    pub(super) async fn postpone(&self, delivery: &Delivery, violation: &Violation) -> Option<&'static str> {
        tracing::warn!(code = %violation.code, "an order waits for a newer worker");
        self.later(delivery, &delivery.message, RUNGS.len() - 1, violation).await
    }

    /// An order that the store fails again and again while it answers others: it comes back in a while, to
    /// whichever worker. That is not the order's failure, so it costs no attempt.
    pub(super) async fn aside(
        &self,
        delivery: &Delivery,
        draft: &Draft,
        violation: &Violation,
    ) -> Option<&'static str> {
        let (job, detail) = (draft.job_id(), &violation.detail);
        tracing::warn!(job, code = %violation.code, detail, "the store fails this order alone; it goes aside");
        self.later(delivery, &delivery.message, RUNGS.len() - 1, violation).await
    }

    /// Sends a copy that comes back after a while, and settles the original once the copy is safe.
    async fn later(
        &self,
        delivery: &Delivery,
        copy: &Message,
        rung: usize,
        violation: &Violation,
    ) -> Option<&'static str> {
        let sent = self.insist(|| self.tools.queue.enqueue_later(&delivery.class, copy, rung)).await;
        if !sent {
            return self.requeue(delivery).await;
        }
        drop(delivery.receipt.ack().await);
        traces::failed(&Span::current(), violation.code.as_str());
        let labels = [self.queue_label(delivery), "retry", violation.code.as_str()];
        self.tools.metrics.attempts.with_label_values(&labels).inc();
        Some("retry")
    }

    pub(super) async fn publish(&self, event: &ResultEvent, body: Bytes, delivery: &Delivery) -> bool {
        let span = traces::stage(Stage::Publish, &Span::current());
        let event = Event {
            id: event.id.clone(),
            kind: routing_key(event.kind).into(),
            body,
            // Whoever goes on is a child of ours, or of the order's sender where nothing is traced.
            traceparent: traces::traceparent(&span).or_else(|| delivery.message.traceparent.clone()),
        };
        let begin = Instant::now();
        let sent = self.insist(|| self.tools.queue.publish(&event)).instrument(span).await;
        self.tools.metrics.spent(Stage::Publish, begin.elapsed().as_secs_f64());
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
            self.tools.metrics.dead.with_label_values(&[self.queue_label(delivery), "system"]).inc();
        }
        parked
    }

    /// Tries until the queue confirms; `false` when the worker ends first.
    async fn insist<F>(&self, mut send: impl FnMut() -> F) -> bool
    where
        F: Future<Output = Result<(), Violation>>,
    {
        let mut pause = Duration::from_millis(200);
        // While a message is not taken others would not be either: no new order begins.
        let mut stuck = None;
        loop {
            let sending = send();
            tokio::pin!(sending);
            // A message without an answer is still in line. Another copy would come out beside it.
            let sent = loop {
                tokio::select! {
                    biased;
                    sent = &mut sending => break sent,
                    () = ended(&self.interrupted) => return false,
                    () = sleep(LATE), if stuck.is_none() => {
                        tracing::warn!("a message is not confirmed; waiting for the queue");
                        stuck = Some(self.gate.stuck());
                    }
                }
            };
            let Err(violation) = sent else { return true };
            tracing::warn!(detail = violation.detail, "publishing failed; trying again");
            stuck.get_or_insert_with(|| self.gate.stuck());
            if !self.pause(pause).await {
                return false;
            }
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    /// Decides a run, however long a store takes that is down: what was rendered is kept. Where the worker ended
    /// first, or the order went back, it is not known whether the result was written.
    pub(super) async fn decide(
        &self,
        key: &str,
        event: &ResultEvent,
        delivery: &Delivery,
        busy: &Busy,
    ) -> Result<Committed, Halt> {
        // However long the store takes, no job is overdue by it.
        let _waiting = busy.waiting();
        let begin = Instant::now();
        let mut pause = Duration::from_secs(1);
        loop {
            match commit(self.tools.store.as_ref(), key, event).await {
                Ok(committed) => {
                    self.decided.fetch_add(1, Ordering::Relaxed);
                    return Ok(committed);
                }
                Err(violation) if !is_store(&violation) => return Err(Halt::Refused(violation)),
                Err(violation) => {
                    let detail = &violation.detail;
                    tracing::warn!(code = %violation.code, detail, "a result could not be written; trying again");
                    // Its place is for others, and whoever gets it next finds the result or writes another.
                    if !delivery.receipt.holds() || begin.elapsed() > LONG {
                        tracing::warn!("an order goes back, its result written or not: its files stay");
                        return Err(Halt::Ending);
                    }
                    self.gate.shut();
                    if !self.pause(pause).await || self.unless_ending(self.gate.store()).await.is_none() {
                        tracing::warn!("the worker ends and a result may be written or not: its files stay");
                        return Err(Halt::Ending);
                    }
                    pause = (pause * 2).min(Duration::from_secs(30));
                }
            }
        }
    }

    /// Lets an attempt's files appear. `false`: the worker ended first, and nothing is left of them.
    pub(super) async fn complete(&self, uploads: &mut Uploads) -> Result<bool, Violation> {
        let cancel = uploads.cancel();
        let done = {
            let completing = uploads.complete();
            tokio::pin!(completing);
            tokio::select! {
                done = &mut completing => return done.map(|()| true),
                () = ended(&self.interrupted) => cancel.cancel(),
            }
            completing.await
        };
        if done.is_ok() {
            uploads.abort().await;
        }
        Ok(false)
    }

    /// Gives a delivery back, for anyone.
    pub(super) async fn requeue(&self, delivery: &Delivery) -> Option<&'static str> {
        // One that cannot be given back was taken away with its connection.
        drop(delivery.receipt.requeue().await);
        None
    }

    /// Sleeps; `false` when the worker ends first.
    pub(super) async fn pause(&self, time: Duration) -> bool {
        self.unless_ending(sleep(time)).await.is_some()
    }

    /// Waits for something; `None` when the worker ends first.
    pub(super) async fn unless_ending<T>(&self, wait: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = wait => Some(done),
            () = ended(&self.interrupted) => None,
        }
    }
}

/// Done when the worker ends and waits for nobody any more.
pub(super) async fn ended(interrupted: &AtomicBool) {
    while !interrupted.load(Ordering::Acquire) {
        sleep(Duration::from_millis(100)).await;
    }
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// Seconds since the order was first enqueued, where it says so.
pub(super) fn waited(message: &Message) -> Option<f64> {
    Some(now_ms().checked_sub(message.enqueued_at_ms?)? as f64 / 1000.0)
}
