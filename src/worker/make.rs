//! From an order to its files: its assets are fetched, it is rendered here or, a suspect, in a child.

use super::chance::token;
use super::job::{Bench, Halt};
use super::paint::{Painting, Stopped, paint};
use super::scratch::Scratch;
use super::watchdog::Busy;
use super::{fetch, isolate};
use crate::app;
use crate::compose::plan;
use crate::edge::queue::Delivery;
use crate::edge::store::unavailable;
use crate::edge::store::upload::Uploads;
use crate::error::{Code, Violation, Violations};
use crate::order::Draft;
use crate::order::event::ResultEvent;
use crate::render;
use crate::telemetry::{Spending, Stage, traces};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::SemaphorePermit;
use tracing::{Instrument, Span};

/// Files under way, and the event that names them or what went wrong.
type Made = (Option<Uploads>, Result<ResultEvent, Violations>);

impl Bench {
    /// Renders in this process, or a suspect in another.
    pub(super) async fn render(
        &self,
        delivery: &Delivery,
        draft: &Draft,
        scratch: &Scratch,
        spending: &Arc<Spending>,
        busy: &Arc<Busy>,
    ) -> Result<Made, Halt> {
        let path = scratch.path().join("order.json");
        if !delivery.redelivered {
            let painter = self.painter(busy).await?;
            let job = Painting {
                tools: self.tools.clone(),
                draft: draft.clone(),
                path: path.clone(),
                memory: self.memory.clone(),
                limit: self.settings.job_limit,
                interrupted: self.interrupted.clone(),
                spending: spending.clone(),
                busy: busy.clone(),
            };
            let (mut uploads, made) = paint(job, &self.hands, self.uploads(draft)).await;
            // What is left to do is the network's.
            drop(painter);
            match made {
                Ok(event) => return Ok((Some(uploads), Ok(event))),
                Err(Stopped::Wrong(violations)) => return Ok((Some(uploads), Err(violations))),
                Err(Stopped::Interrupted) => {
                    uploads.abort().await;
                    return Err(Halt::Ending);
                }
                Err(Stopped::Died) => uploads.abort().await,
            }
        }
        self.render_apart(delivery, draft, &path, spending, busy).await
    }

    /// Renders a suspect: in half of the memory, so that others go on, and where that kills it in all
    /// of it, since what needs much is no poison.
    async fn render_apart(
        &self,
        delivery: &Delivery,
        draft: &Draft,
        path: &Path,
        spending: &Spending,
        busy: &Arc<Busy>,
    ) -> Result<Made, Halt> {
        let queued = busy.waiting();
        let _alone = self.unless_ending(self.cell.lock()).await.ok_or(Halt::Ending)?;
        drop(queued);
        let _painter = self.painter(busy).await?;
        let whole = self.settings.memory_budget;
        for memory in [whole / 2, whole] {
            // It comes again over the next connection.
            if self.ending() || !delivery.receipt.holds() {
                return Err(Halt::Ending);
            }
            // The child's limit has to strike before the machine's does.
            let waiting = Instant::now();
            let queued = busy.waiting();
            let taken = self.unless_ending(self.memory.take(memory)).await.ok_or(Halt::Ending)?;
            drop(queued);
            let _share = match taken {
                Ok(share) => share,
                Err(violation) => return Ok((None, Err(violation.into()))),
            };
            let waited = waiting.elapsed().as_secs_f64();
            self.tools.metrics.admission_wait.with_label_values::<&str>(&[]).observe(waited);
            let (time, threads) = (self.settings.job_limit, self.settings.concurrency.max(1));
            let bounds = isolate::Bounds { memory, time, threads };
            let uploads = self.uploads(draft);
            let slow = busy.clone();
            uploads.waits().tell(move |waits| slow.wait(waits));
            let rendering = isolate::render(&self.tools, draft, path, bounds, &self.interrupted, uploads);
            let (mut uploads, made) = rendering.await;
            match made {
                Ok(event) => {
                    for (stage, seconds) in &event.data.timings {
                        if let Some(stage) = render::Stage::named(stage) {
                            spending.add(stage.into(), Duration::from_secs_f64(seconds.max(0.0)));
                        }
                    }
                    return Ok((Some(uploads), Ok(event)));
                }
                Err(Stopped::Wrong(violations)) => return Ok((Some(uploads), Err(violations))),
                Err(Stopped::Interrupted) => {
                    uploads.abort().await;
                    return Err(Halt::Ending);
                }
                Err(Stopped::Died) => uploads.abort().await,
            }
        }
        let violation = Violation::new(
            Code::RenderCrashed,
            "the renderer of this order dies, even alone and with all of a worker's memory: report it",
        );
        Ok((None, Err(violation.into())))
    }

    /// Waits for a place among those that paint. Whoever waits for memory has one, and nobody waits for one
    /// with memory in hand.
    async fn painter(&self, busy: &Busy) -> Result<Option<SemaphorePermit<'_>>, Halt> {
        let _queued = busy.waiting();
        // The semaphore is never closed.
        Ok(self.unless_ending(self.painters.acquire()).await.ok_or(Halt::Ending)?.ok())
    }

    fn uploads(&self, draft: &Draft) -> Uploads {
        let run = format!("{}/{}", draft.job_id(), app::revision(draft));
        Uploads::new(self.tools.store.clone(), &run, token())
    }

    /// The job's scratch folder: the order and its assets.
    pub(super) async fn scratch(
        &self,
        delivery: &Delivery,
        draft: &Draft,
        spending: &Spending,
        busy: &Busy,
    ) -> Result<Scratch, Violations> {
        let span = traces::stage(Stage::Fetch, &Span::current());
        spending.timed(Stage::Fetch, self.fetched(delivery, draft, busy).instrument(span)).await
    }

    async fn fetched(&self, delivery: &Delivery, draft: &Draft, busy: &Busy) -> Result<Scratch, Violations> {
        // A disk that is full is not the order's doing: it waits.
        let failed =
            |e: std::io::Error| unavailable(format!("a scratch folder cannot be made: {}", e.kind()));
        let made = tokio::task::spawn_blocking(|| Scratch::new(&std::env::temp_dir())).await;
        let scratch = made.map_err(|_| unavailable("a file operation was cut off"))?.map_err(failed)?;
        tokio::fs::write(scratch.path().join("order.json"), &delivery.message.body).await.map_err(failed)?;
        let folder = scratch.path().join("assets");
        tokio::fs::create_dir(&folder).await.map_err(failed)?;
        let wanted = self.plan(scratch.path(), draft).await?;
        let means = fetch::Means {
            sources: &self.tools.assets,
            limit: self.tools.app.limits().src_bytes,
            time: self.settings.job_limit,
            budget: &self.input,
            busy,
            metrics: &self.tools.metrics,
        };
        fetch::fetch(&means, &wanted, &folder).await?;
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
}
