//! The operators' commands: enqueue, cancel, and the orders that were given up.

use super::REFUSED;
use super::fleet::{metrics, queue, required, store};
use super::print_line;
use crate::config::Config;
use crate::edge::queue::{Class, Dead, Message, Queue, unavailable};
use crate::error::{Code, Violation};
use crate::order::{Draft, is_job_id};
use crate::telemetry::traces::is_traceparent;
use crate::worker;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::time::{sleep, timeout};

#[derive(Debug, Args)]
pub(super) struct EnqueueArgs {
    /// Orders, one JSON file each; - is standard input
    #[arg(required = true, value_name = "ORDER.json")]
    orders: Vec<PathBuf>,
    /// The orders' class
    #[arg(long, default_value = "standard")]
    class: String,
    /// At most so many orders a second
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,
    /// Send so many copies of each order, each with its own job_id
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    count: Option<u32>,
}

#[derive(Debug, Args)]
pub(super) struct CancelArgs {
    /// The order's job_id
    #[arg(value_name = "JOB")]
    job: String,
    /// Its revision
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    revision: u32,
}

#[derive(Debug, Args)]
pub(super) struct DeadArgs {
    #[command(subcommand)]
    command: DeadCommand,
}

#[derive(Debug, Subcommand)]
enum DeadCommand {
    /// List the orders that were given up
    List(Filter),
    /// Print the orders themselves
    Show(Filter),
    /// Enqueue the orders again, each with its next revision
    Replay(Change),
    /// Throw the orders away
    Purge(Change),
}

#[derive(Debug, Args)]
struct Filter {
    /// Only this job
    #[arg(long, value_name = "JOB")]
    job: Option<String>,
    /// Only this error code
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// Only this class
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,
    /// Look at so many at most
    #[arg(long, value_name = "N", default_value_t = 1000)]
    limit: usize,
}

#[derive(Debug, Args)]
struct Change {
    #[command(flatten)]
    filter: Filter,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

impl Filter {
    fn takes(&self, dead: &Dead) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        is(&self.code, &dead.code)
            && is(&self.class, &dead.class)
            && (self.job.is_none() || is(&self.job, &job_id(dead).unwrap_or_default()))
    }
}

fn job_id(dead: &Dead) -> Option<String> {
    Draft::parse(&dead.message.body).ok().map(|draft| draft.job_id().to_owned())
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// How many orders a second.
fn rate(text: &str) -> Result<f64, &'static str> {
    match text.parse() {
        Ok(rate) if (0.001..=1_000_000.0).contains(&rate) => Ok(rate),
        Ok(_) | Err(_) => Err("a number from 0.001 to 1000000"),
    }
}

/// How long the broker may take to confirm one order, restarts included.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends until the queue confirms. The broker may be restarting: that is no reason to give up soon. What it
/// refuses it would refuse for ever; a message that came back is sent once more, since its queue may have been
/// declared again.
async fn send(queue: &dyn Queue, class: &str, message: &Message) -> Result<(), Violation> {
    let (end, mut refusals) = (Instant::now() + PATIENCE, 0);
    loop {
        let sending = timeout(end.saturating_duration_since(Instant::now()), queue.enqueue(class, message));
        let Ok(sent) = sending.await else { return Err(unavailable("an order is not confirmed in time")) };
        let Err(violation) = sent else { return Ok(()) };
        let refused = violation.code == Code::QueueRefused;
        refusals += u32::from(refused);
        if refusals > 1 || (refused && queue.trouble().is_some()) || Instant::now() > end {
            return Err(violation);
        }
        sleep(Duration::from_millis(300)).await;
    }
}

pub(super) async fn enqueue(config: Config, args: EnqueueArgs) -> ExitCode {
    let metrics = match metrics() {
        Ok(metrics) => metrics,
        Err(code) => return code,
    };
    if !config.classes.iter().any(|class| class.name == args.class) {
        eprintln!("there is no class {:?}: name it in PRESSWORK_CLASSES", args.class);
        return ExitCode::from(super::BAD_CONFIGURATION);
    }
    let queue = queue(&config, metrics);
    let copies = args.count.unwrap_or(1);
    // Who calls this from a traced pipeline hands its context on as the environment carries it.
    let traceparent = std::env::var("TRACEPARENT").ok().filter(|text| is_traceparent(text));
    let bar = match std::io::stderr().is_terminal() {
        true => ProgressBar::new(args.orders.len() as u64 * u64::from(copies)),
        false => ProgressBar::hidden(),
    };
    if let Ok(style) = ProgressStyle::with_template("{bar:32} {pos}/{len} confirmed, {per_sec}") {
        bar.set_style(style);
    }
    let files: Vec<_> = args.orders.iter().map(|path| (path, file(path))).collect();
    let begin = Instant::now();
    let (mut confirmed, mut refused) = (0_u64, false);
    for copy in 0..copies {
        for (path, bytes) in &files {
            let bytes = bytes.as_ref().map_err(Clone::clone);
            let body = match bytes.and_then(|bytes| order(bytes, args.count.map(|_| copy))) {
                Ok(body) => body,
                Err(violation) => {
                    refused = true;
                    bar.suspend(|| eprintln!("{}: {violation}", path.display()));
                    continue;
                }
            };
            if let Some(rate) = args.rate {
                let due = Duration::from_secs_f64(confirmed as f64 / rate);
                sleep(due.saturating_sub(begin.elapsed())).await;
            }
            let traceparent = traceparent.clone();
            let message = Message { enqueued_at_ms: Some(now_ms()), traceparent, ..Message::new(body) };
            if let Err(violation) = send(queue.as_ref(), &args.class, &message).await {
                bar.finish_and_clear();
                eprintln!("{}: {violation}", path.display());
                print_line(&format!("{confirmed} orders confirmed"));
                return ExitCode::FAILURE;
            }
            confirmed += 1;
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    print_line(&format!("{confirmed} orders confirmed"));
    if refused { ExitCode::from(REFUSED) } else { ExitCode::SUCCESS }
}

/// A file's bytes; `-` is standard input, for orders that come to a container from outside.
fn file(path: &Path) -> Result<Vec<u8>, Violation> {
    let read = match path.as_os_str() == "-" {
        true => {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
        }
        false => std::fs::read(path),
    };
    read.map_err(|e| {
        Violation::new(Code::OrderMalformed, format!("the order's file cannot be read: {}", e.kind()))
    })
}

/// An order to send. What names no run is refused here, where its sender can see it.
fn order(body: &[u8], copy: Option<u32>) -> Result<Vec<u8>, Violation> {
    let draft = Draft::parse(body)?;
    let Some(copy) = copy else { return Ok(body.to_owned()) };
    let mut value = draft.value().clone();
    value["job_id"] = format!("{}-{copy}", draft.job_id()).into();
    let body = value.to_string().into_bytes();
    Draft::parse(&body).map(|_| body)
}

pub(super) async fn cancel(config: Config, args: CancelArgs) -> ExitCode {
    if !is_job_id(&args.job) {
        eprintln!("a job_id has up to 80 letters, digits, dots, underscores and hyphens");
        return ExitCode::from(REFUSED);
    }
    let at = match required(config.store.clone(), "STORE") {
        Ok(at) => at,
        Err(code) => return code,
    };
    let metrics = match metrics() {
        Ok(metrics) => metrics,
        Err(code) => return code,
    };
    let store = store(&config, &at, &metrics).await;
    match worker::cancel(store.as_ref(), &args.job, args.revision).await {
        Ok(stands) if stands.event.data.errors.iter().any(|e| e.code == Code::OrderCancelled.as_str()) => {
            print_line("cancelled: the worker that meets the order publishes its result")
        }
        Ok(_) => {
            eprintln!("this run was decided before");
            ExitCode::from(REFUSED)
        }
        Err(violation) => {
            eprintln!("{violation}");
            ExitCode::FAILURE
        }
    }
}

pub(super) async fn dead(config: Config, args: DeadArgs) -> ExitCode {
    let metrics = match metrics() {
        Ok(metrics) => metrics,
        Err(code) => return code,
    };
    let queue = queue(&config, metrics);
    let done = match &args.command {
        DeadCommand::List(filter) => look(queue.as_ref(), filter, &line).await,
        DeadCommand::Show(filter) => {
            let body = |dead: &Dead| String::from_utf8_lossy(&dead.message.body).into_owned();
            look(queue.as_ref(), filter, &body).await
        }
        DeadCommand::Replay(change) if change.dry_run => look(queue.as_ref(), &change.filter, &line).await,
        DeadCommand::Purge(change) if change.dry_run => look(queue.as_ref(), &change.filter, &line).await,
        DeadCommand::Replay(change) => replay(queue.as_ref(), &config.classes, &change.filter).await,
        DeadCommand::Purge(change) => purge(queue.as_ref(), &change.filter).await,
    };
    match done {
        Ok(code) => code,
        Err(violation) => {
            eprintln!("{violation}");
            ExitCode::FAILURE
        }
    }
}

/// One dead order on a line, without anything that a customer typed.
fn line(dead: &Dead) -> String {
    let job = job_id(dead).unwrap_or_else(|| "-".into());
    let (class, code, attempt) = (&dead.class, &dead.code, dead.message.attempt);
    format!("{job}  {class}  {code}  attempt {attempt}  died {}", dead.died_at_ms)
}

async fn look(
    queue: &dyn Queue,
    filter: &Filter,
    text: &(dyn Fn(&Dead) -> String + Sync),
) -> Result<ExitCode, Violation> {
    let mut found = 0;
    let mut keep = |dead: &Dead| {
        if filter.takes(dead) {
            found += 1;
            print_line(&text(dead));
        }
        true
    };
    let seen = queue.exhume(filter.limit, &mut keep).await?;
    eprintln!("{found} of {seen} orders");
    Ok(ExitCode::SUCCESS)
}

async fn purge(queue: &dyn Queue, filter: &Filter) -> Result<ExitCode, Violation> {
    let mut gone = 0;
    let mut keep = |dead: &Dead| {
        let takes = filter.takes(dead);
        gone += usize::from(takes);
        !takes
    };
    queue.exhume(filter.limit, &mut keep).await?;
    Ok(print_line(&format!("{gone} orders thrown away")))
}

/// Sends first and removes afterwards: what fails in between is sent twice, never lost.
async fn replay(queue: &dyn Queue, classes: &[Class], filter: &Filter) -> Result<ExitCode, Violation> {
    let mut chosen = Vec::new();
    let mut keep = |dead: &Dead| {
        if filter.takes(dead) {
            chosen.push(dead.clone());
        }
        true
    };
    queue.exhume(filter.limit, &mut keep).await?;
    let (mut sent, mut failed) = (Vec::new(), 0);
    for dead in chosen {
        let Some(body) = next_revision(&dead) else {
            eprintln!("an order that names no run cannot be replayed: purge it, or correct it at its source");
            failed += 1;
            continue;
        };
        // Its queue may stand there still, with nobody who consumes it.
        if !classes.iter().any(|class| class.name == dead.class) {
            eprintln!("an order of class {:?} stays: PRESSWORK_CLASSES has no such class", dead.class);
            failed += 1;
            continue;
        }
        let traceparent = dead.message.traceparent.clone();
        let message = Message { enqueued_at_ms: Some(now_ms()), traceparent, ..Message::new(body) };
        // One whose class is gone does not keep the others.
        match send(queue, &dead.class, &message).await {
            Ok(()) => sent.push(dead),
            Err(violation) => {
                eprintln!("an order of class {:?} stays: {violation}", dead.class);
                failed += 1;
                // Each of the others would wait as long for a broker that is away.
                if violation.code == Code::QueueUnavailable {
                    break;
                }
            }
        }
    }
    let printed = print_line(&format!("{} orders enqueued again", sent.len()));
    let mut keep = |dead: &Dead| !sent.contains(dead);
    queue.exhume(filter.limit, &mut keep).await?;
    Ok(if failed == 0 { printed } else { ExitCode::FAILURE })
}

fn next_revision(dead: &Dead) -> Option<Vec<u8>> {
    let draft = Draft::parse(&dead.message.body).ok()?;
    let mut value = draft.value().clone();
    value["revision"] = crate::app::revision(&draft).checked_add(1)?.into();
    Some(value.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_that_can_be_kept() {
        assert_eq!((rate("0.5"), rate("20")), (Ok(0.5), Ok(20.0)));
        for text in ["0", "-1", "NaN", "inf", "1e-20", "fast", ""] {
            assert!(rate(text).is_err(), "{text}");
        }
    }
}
