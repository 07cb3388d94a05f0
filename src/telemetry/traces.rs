//! Traces: what a worker did for an order, as a part of the trace that the order came with.
//!
//! A delivery is a span `process QUEUE`, a child of the span that enqueued the order; the stages
//! are its children. Spans have a target of their own, so that nothing of the log, and nothing of
//! any library, gets into a trace. Unless a collector is configured no span is ever made.

use super::Stage;
use super::collector::Collector;
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracerProvider, Tracer};
use std::collections::HashMap;
use std::time::Duration;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

/// The target of every span that is traced.
pub(super) const TARGET: &str = "presswork::traces";
/// What W3C calls the header.
const TRACEPARENT: &str = "traceparent";
/// How long the end of the program waits for the collector.
const LAST_MOMENT: Duration = Duration::from_secs(2);

/// The way out of this process.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// What the environment asks for: `None` without an endpoint, or where tracing is switched off.
    ///
    /// # Errors
    /// One sentence, where the settings do not go together.
    pub fn from_environment() -> Result<Option<Traces>, String> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let is = |name: &str, value: &str| variable(name).is_some_and(|v| v.eq_ignore_ascii_case(value));
        let endpoint =
            variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or(variable("OTEL_EXPORTER_OTLP_ENDPOINT"));
        if is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none") || endpoint.is_none() {
            return Ok(None);
        }
        let protocol =
            variable("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL").or(variable("OTEL_EXPORTER_OTLP_PROTOCOL"));
        if protocol.is_some_and(|protocol| protocol != "http/protobuf") {
            return Err("OTEL_EXPORTER_OTLP_PROTOCOL: only http/protobuf is spoken here".into());
        }
        let unusable = |e: &dyn std::fmt::Display| format!("OTEL_EXPORTER_OTLP_…: {e}");
        let collector = Collector::new().map_err(|e| unusable(&e))?;
        let exporter = SpanExporter::builder().with_http().with_http_client(collector).build();
        let exporter = exporter.map_err(|e| unusable(&e))?;
        let mut resource = Resource::builder();
        if variable("OTEL_SERVICE_NAME").is_none()
            && !variable("OTEL_RESOURCE_ATTRIBUTES").is_some_and(|all| all.contains("service.name="))
        {
            resource = resource.with_service_name("presswork");
        }
        let provider = SdkTracerProvider::builder()
            .with_resource(resource.build())
            .with_batch_exporter(exporter)
            .build();
        Ok(Some(Traces { provider }))
    }

    /// Takes the spans that are meant for traces, and nothing else.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let layer: OpenTelemetryLayer<S, Tracer> = OpenTelemetryLayer::new(self.provider.tracer("presswork"));
        let layer = layer.with_location(false).with_threads(false).with_tracked_inactivity(false);
        layer.with_target(false).with_filter(filter_fn(|span| span.is_span() && span.target() == TARGET))
    }

    /// Sends what is left, unless the collector takes too long.
    pub fn flush(&self) {
        if let Err(error) = self.provider.shutdown_with_timeout(LAST_MOMENT) {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

/// Whether a text from outside is a trace context of the first version, and nothing else.
pub fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &str, length| {
        part.len() == length && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let some = |part: &str| part.bytes().any(|b| b != b'0');
    matches!(*parts, ["00", trace, span, flags]
        if hex(trace, 32) && some(trace) && hex(span, 16) && some(span) && hex(flags, 2))
}

/// The span of a delivery. Its job, its outcome and its error are recorded when they are known.
pub fn process(queue: &str, redelivered: bool, parent: Option<&str>) -> Span {
    let span = tracing::info_span!(
        target: TARGET,
        "process",
        otel.name = format!("process {queue}"),
        otel.kind = "consumer",
        messaging.system = "rabbitmq",
        "messaging.operation.type" = "process",
        "messaging.operation.name" = "process",
        messaging.destination.name = queue,
        presswork.redelivered = redelivered,
        presswork.job = tracing::field::Empty,
        presswork.revision = tracing::field::Empty,
        presswork.outcome = tracing::field::Empty,
        "error.type" = tracing::field::Empty,
        otel.status_code = tracing::field::Empty,
    );
    if let Some(parent) = parent {
        let carrier = HashMap::from([(TRACEPARENT.to_owned(), parent.to_owned())]);
        // Without a collector nobody takes it.
        drop(span.set_parent(TraceContextPropagator::new().extract(&carrier)));
    }
    span
}

/// What the span of a delivery is told of the failure that ended it.
pub fn failed(span: &Span, code: &str) {
    span.record("error.type", code);
    span.record("otel.status_code", "error");
}

/// The span of a stage, below another.
pub fn stage(stage: Stage, parent: &Span) -> Span {
    tracing::info_span!(target: TARGET, parent: parent, "stage", otel.name = stage.as_str())
}

/// The trace context of a span, for whoever goes on: `None` where nothing is traced.
pub fn traceparent(span: &Span) -> Option<String> {
    let context: Context = span.context();
    if !context.span().span_context().is_valid() {
        return None;
    }
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&context, &mut carrier);
    carrier.remove(TRACEPARENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trace_contexts_are_taken_for_one() {
        assert!(is_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        for text in [
            "",
            "Happy Birthday",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-Happy",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert!(!is_traceparent(text), "{text}");
        }
    }

    #[test]
    fn without_a_collector_there_are_no_spans() {
        let span =
            process("standard", false, Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        assert!(span.is_disabled());
        assert_eq!(traceparent(&span), None);
    }
}
