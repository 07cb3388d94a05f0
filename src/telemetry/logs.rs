//! The log: lines of JSON, or of text on a terminal, on standard error.
//!
//! Every line of a job carries its names in the span `job`. Names are ids that a shop made, never a
//! customer's words.

use super::traces::{TARGET, Traces};
use crate::order::{Draft, is_job_id};
use std::io::IsTerminal;
use tracing::Span;
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

/// Where the broker's client tells of messages that came back, with all their bytes. It is silent whatever
/// `RUST_LOG` says: that an order or a result came back is told by who sent it.
const RETURNED: &str = "lapin::returned_messages";

/// What the log's lines are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// An object each.
    Json,
    /// Words for people.
    Text,
}

impl LogFormat {
    /// As settings name it.
    pub fn as_str(self) -> &'static str {
        match self {
            LogFormat::Json => "json",
            LogFormat::Text => "text",
        }
    }
}

/// Begins to log, at `RUST_LOG` or the given level, and to trace. Where no format is given, a terminal
/// gets text and anything else JSON.
pub fn begin(default_level: &str, format: Option<LogFormat>, traces: Option<&Traces>) {
    // Compose files pass on what is not set as nothing.
    let said = std::env::var(EnvFilter::DEFAULT_ENV).ok().filter(|said| !said.trim().is_empty());
    let filter = said.and_then(|said| EnvFilter::try_new(said).ok()).unwrap_or_else(|| default_level.into());
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let json = format.map_or_else(|| !std::io::stderr().is_terminal(), |format| format == LogFormat::Json);
    let lines: Box<dyn Layer<Registry> + Send + Sync> =
        if json { lines.json().with_current_span(false).boxed() } else { lines.boxed() };
    let told = filter_fn(|entry| ![TARGET, RETURNED].contains(&entry.target()));
    let logged = lines.with_filter(filter.and(told));
    tracing_subscriber::registry().with(logged).with(traces.map(Traces::layer)).init();
}

/// The span whose names stand in every line of a job.
pub fn job(draft: &Draft) -> Span {
    let order = draft.value().get("order_ref").and_then(|name| name.as_str()).filter(|name| is_job_id(name));
    // Of the highest level, so that a filter for warnings keeps it.
    tracing::error_span!("job", job = draft.job_id(), order)
}
