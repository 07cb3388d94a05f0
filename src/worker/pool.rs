//! Takes deliveries while there are free places, and ends without losing any.

use super::effect::Announced;
use super::hands::Hands;
use super::job::Bench;
use super::schedule::Schedule;
use super::{Budget, Gate, Settings, Tools, scratch, watchdog};
use crate::edge::queue::{Delivery, Queue};
use crate::error::Violation;
use prometheus::IntGauge;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

/// How often memory that nobody uses is given back.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// How long jobs get to notice that the drain is over.
const LAST_MOMENT: Duration = Duration::from_secs(3);
/// How long the queue gets to stop delivering.
const STOPPING: Duration = Duration::from_secs(5);
/// How long the connection gets to write the last acknowledgements.
const FLUSH: Duration = Duration::from_millis(100);

/// A job that a gauge counts, however it ends.
struct InProgress(IntGauge);

impl InProgress {
    fn new(gauge: IntGauge) -> InProgress {
        gauge.inc();
        InProgress(gauge)
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A worker of the fleet.
#[derive(Debug)]
pub struct Worker {
    bench: Arc<Bench>,
}

impl Worker {
    /// A worker that has not begun.
    ///
    /// # Errors
    /// Where the system gives no more threads.
    pub fn new(mut tools: Tools, settings: Settings) -> io::Result<Worker> {
        tools.store = Arc::new(Announced(tools.store));
        tools.queue = Arc::new(Announced(tools.queue));
        let tools = Arc::new(tools);
        tools.metrics.budget.set(i64::try_from(settings.memory_budget).unwrap_or(i64::MAX));
        let bench = Bench {
            gate: Gate::new(tools.health.clone()),
            memory: Budget::new(settings.memory_budget).shown_by(tools.metrics.reserved.clone()),
            input: Budget::new(settings.input_budget),
            cell: Mutex::new(()),
            painters: Semaphore::new(settings.concurrency.max(1)),
            hands: Hands::new(settings.concurrency.max(1))?,
            decided: AtomicU64::new(0),
            interrupted: Arc::new(AtomicBool::new(false)),
            tools,
            settings,
        };
        Ok(Worker { bench: Arc::new(bench) })
    }

    /// Works until `stop` is done; then finishes what it holds, within the drain time, and gives
    /// back the rest.
    pub async fn run(&self, stop: impl Future<Output = ()>) -> Result<(), Violation> {
        let bench = &self.bench;
        let queue = &bench.tools.queue;
        // One more than paint: the next order's pictures come, or the last one's files leave, meanwhile.
        let places = bench.settings.concurrency.max(1) + 1;
        let mut deliveries = queue.consume(&bench.settings.classes, bench.settings.prefetch).await?;
        let signs = Arc::new(watchdog::Signs::new());
        let mut helpers = JoinSet::new();
        helpers.spawn(sweep());
        helpers.spawn(tidy());
        helpers.spawn({
            let bench = bench.clone();
            let (results, assets) = (bench.tools.store.clone(), bench.tools.assets.own_store());
            async move { bench.gate.watch(results, assets, bench.tools.folders()).await }
        });
        helpers.spawn(watchdog::watch(bench.clone(), signs.clone()));
        let mut jobs = JoinSet::new();
        let mut schedule = Schedule::new(&bench.settings.classes);
        let free = Arc::new(Semaphore::new(places));
        tokio::pin!(stop);
        loop {
            let place = async {
                bench.gate.pass().await;
                // The semaphore is never closed.
                free.clone().acquire_owned().await.ok()
            };
            tokio::select! {
                biased;
                () = &mut stop => break,
                received = deliveries.recv() => match received {
                    Some(delivery) => {
                        signs.delivery();
                        // While the gate is shut connections may come and go: what a lost one brought comes again.
                        schedule.retain(|delivery: &Delivery| delivery.receipt.holds());
                        schedule.push(&delivery.class.clone(), delivery);
                    }
                    None => break,
                },
                place = place, if !schedule.is_empty() => {
                    if let (Some(place), Some(delivery)) = (place, settleable(&mut schedule)) {
                        let bench = bench.clone();
                        let busy = Arc::new(signs.begin(&delivery));
                        jobs.spawn(async move {
                            let _place = place;
                            let _shown = InProgress::new(bench.tools.metrics.in_progress.clone());
                            bench.handle(delivery, &busy).await;
                        });
                    }
                }
                Some(ended) = jobs.join_next(), if !jobs.is_empty() => {
                    if let Err(error) = ended {
                        // Its delivery was dropped unsettled and comes back as a suspect.
                        tracing::error!(%error, "a job broke outside its renderer");
                    }
                }
            }
        }
        self.drain(queue.as_ref(), deliveries, schedule, jobs).await;
        helpers.abort_all();
        Ok(())
    }

    async fn drain(
        &self,
        queue: &dyn Queue,
        mut deliveries: UnboundedReceiver<Delivery>,
        mut schedule: Schedule,
        mut jobs: JoinSet<()>,
    ) {
        let last_moment = LAST_MOMENT.min(self.bench.settings.drain / 2);
        let end = Instant::now() + self.bench.settings.drain - FLUSH;
        let over = end - last_moment;
        self.bench.tools.metrics.draining.set(1);
        self.bench.tools.health.unready("the worker is ending", true);
        tracing::info!(jobs = jobs.len(), "ending: finishing what is under way");
        // What was sent before the cancellation still arrives. All of it is held until nothing more comes:
        // what goes back while a consumer lives may come again at once, and count as delivered once more.
        let mut held = Vec::new();
        let stopping = async {
            queue.stop().await;
            while let Some(delivery) = deliveries.recv().await {
                held.push(delivery);
            }
        };
        if timeout_at(over.min(Instant::now() + STOPPING), stopping).await.is_err() {
            tracing::warn!("the broker does not say that it has stopped delivering");
        }
        while let Some(delivery) = schedule.pop() {
            held.push(delivery);
        }
        let giving_back = async {
            for delivery in held {
                drop(delivery.receipt.requeue().await);
            }
        };
        drop(timeout_at(over, giving_back).await);
        let finished = async { while jobs.join_next().await.is_some() {} };
        if timeout_at(over, finished).await.is_err() {
            tracing::warn!(jobs = jobs.len(), "the drain is over: giving back what is not finished");
            self.bench.interrupted.store(true, Ordering::Release);
            let given_back = async { while jobs.join_next().await.is_some() {} };
            drop(timeout_at(end, given_back).await);
        }
        // Acknowledgements are written by the connection's own task.
        sleep(FLUSH).await;
    }
}

/// Makes room where killed workers left their jobs' files.
async fn sweep() {
    match tokio::task::spawn_blocking(|| scratch::sweep(&std::env::temp_dir())).await {
        Ok(Ok(0)) | Err(_) => {}
        Ok(Ok(folders)) => tracing::info!(folders, "removed what killed workers left on this disk"),
        Ok(Err(error)) => tracing::warn!(kind = %error.kind(), "scratch folders cannot be listed"),
    }
}

/// Gives memory back that nobody uses, for ever.
async fn tidy() {
    loop {
        sleep(TIDY_EVERY).await;
        drop(tokio::task::spawn_blocking(crate::memory::tidy).await);
    }
}

/// The next delivery that can be settled. One whose connection is gone comes again: to render it would be
/// in vain.
fn settleable(schedule: &mut Schedule) -> Option<Delivery> {
    std::iter::from_fn(|| schedule.pop()).find(|delivery| delivery.receipt.holds())
}
