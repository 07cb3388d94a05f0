//! What operators see of a worker: every metric moves, traces go on where the order's sender began
//! them, and nowhere is a word of a customer.

use crate::support::bucket;
use crate::support::collector::{Collector, text};
use crate::support::fleet::{Fleet, Worker, fixtures};
use crate::support::oracle::{changed, collect, enqueue, events, orders};
use crate::support::wait::{http, until};
use crate::support::{ports, wait};
use lapin::options::{BasicGetOptions, BasicPublishOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use opentelemetry_proto::tonic::trace::v1::Span;
use presswork::order::event::ResultEvent;
use presswork::telemetry::{Metrics, Stage};
use std::time::Duration;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";
/// What stands in every place that is a customer's, or a secret.
const SENTINEL: &str = "SENTINEL";

/// A text as it is written where somebody takes it for mere bytes.
pub(crate) fn decimal(text: &str) -> String {
    format!("{:?}", text.as_bytes()).trim_matches(['[', ']']).to_owned()
}

fn tells_to(port: u16) -> impl Fn(&mut std::process::Command) {
    move |command| {
        command
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{port}"))
            .env("OTEL_BSP_SCHEDULE_DELAY", "200")
            .env("OTEL_SERVICE_NAME", "print-farm")
            .env("OTEL_RESOURCE_ATTRIBUTES", "site=hall-2")
            .env("PRESSWORK_MAX_ATTEMPTS", "2")
            .env("PRESSWORK_ASSET_HTTPS_ALLOW", "cdn.example.com");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_tells_everything_and_no_customers_words() {
    let mut fleet = Fleet::start().await;
    let collector = Collector::start().await;
    let mut worker = fleet.worker(tells_to(collector.port));
    the_order_s_trace_goes_on(&fleet, &collector).await;
    secrets_are_fed_everywhere(&fleet).await;
    the_servers_fail_for_a_moment(&mut fleet, &worker).await;

    let shown = http(worker.port, "/metrics", None).unwrap();
    every_metric_has_moved(&shown);
    worker.signal("-TERM");
    assert_eq!(worker.child.wait().unwrap().code(), Some(0), "{}", worker.log());
    let log = worker.log();
    assert!(log.contains("\"job\":\"SECRET-1\"") && log.contains("\"order\":\"1084\""), "no ids in\n{log}");
    // The end has sent what was left.
    let spans = collector.spans();
    let is_last = |span: &Span| text(&span.attributes, "presswork.job").as_deref() == Some("OUTAGE-1");
    assert!(spans.iter().any(|(_, span)| is_last(span)), "the last traces are missing");
    let missing = spans.iter().find(|(_, span)| {
        text(&span.attributes, "error.type").as_deref() == Some("asset.not_found")
            && span.status.as_ref().is_some_and(|status| status.code == 2)
    });
    assert!(missing.is_some(), "a failure has no span with its code");
    let bytes = decimal(SENTINEL);
    for (what, told) in [("log", log), ("metrics", shown), ("traces", format!("{spans:?}"))] {
        for secret in [SENTINEL, &bytes, "guest:guest", bucket::SECRET_KEY] {
            assert!(!told.contains(secret), "{secret} is in the {what}:\n{told}");
        }
    }
}

async fn channel(fleet: &Fleet) -> (Connection, Channel) {
    let connection = Connection::connect(&fleet.rabbit.url(), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    (connection, channel)
}

async fn publish(fleet: &Fleet, body: &[u8], traceparent: &str) {
    let (_connection, channel) = channel(fleet).await;
    let mut headers = FieldTable::default();
    headers.insert("traceparent".into(), AMQPValue::LongString(traceparent.into()));
    let properties = BasicProperties::default().with_headers(headers);
    let options = BasicPublishOptions::default();
    let exchange = "presswork.orders".into();
    channel.basic_publish(exchange, "standard".into(), options, body, properties).await.unwrap();
    drop(channel.close(200, "".into()).await);
}

/// The next event with the trace context beside it.
async fn event(fleet: &Fleet) -> (ResultEvent, String) {
    let (_connection, channel) = channel(fleet).await;
    for _ in 0..1800 {
        let options = BasicGetOptions { no_ack: true };
        if let Some(got) = channel.basic_get("presswork.results".into(), options).await.unwrap() {
            let headers = got.delivery.properties.headers().clone().unwrap();
            let traceparent =
                headers.inner().get("traceparent").unwrap().as_long_string().unwrap().to_string();
            return (serde_json::from_slice(&got.delivery.data).unwrap(), traceparent);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no event came");
}

async fn the_order_s_trace_goes_on(fleet: &Fleet, collector: &Collector) {
    let order = std::fs::read(fixtures().join("orders/gift-tag-photo.json")).unwrap();
    let sent = format!("00-{TRACE}-{PARENT}-01");
    publish(fleet, &order, &sent).await;
    let (event, beside) = event(fleet).await;
    assert_eq!(event.traceparent, Some(sent));
    let is = |id: &[u8], hex: &str| hex::encode(id) == hex;
    let process = |span: &Span| is(&span.parent_span_id, PARENT);
    until("the spans", || collector.spans().iter().any(|(_, span)| process(span)));
    let spans = collector.spans();
    let (about, top) = spans.iter().find(|(_, span)| process(span)).unwrap();
    assert_eq!(text(about, "service.name").as_deref(), Some("print-farm"));
    assert_eq!(text(about, "site").as_deref(), Some("hall-2"));
    assert_eq!((top.name.as_str(), top.kind), ("process standard", 5), "a CONSUMER");
    assert!(is(&top.trace_id, TRACE));
    for (name, value) in [
        ("messaging.system", "rabbitmq"),
        ("messaging.operation.type", "process"),
        ("messaging.destination.name", "standard"),
        ("presswork.job", "gift-tag-photo"),
        ("presswork.outcome", "completed"),
    ] {
        assert_eq!(text(&top.attributes, name).as_deref(), Some(value), "{name}");
    }
    let below: Vec<&Span> =
        spans.iter().map(|(_, span)| span).filter(|span| span.parent_span_id == top.span_id).collect();
    for stage in ["fetch", "layout", "raster", "pdf", "preflight", "upload", "publish"] {
        assert!(
            below.iter().any(|span| span.name == stage && is(&span.trace_id, TRACE)),
            "{stage}: {below:#?}"
        );
    }
    // Whoever takes the event goes on below its publication.
    let publication = below.iter().find(|span| span.name == "publish").unwrap();
    assert_eq!(beside, format!("00-{TRACE}-{}-01", hex::encode(&publication.span_id)));
}

async fn secrets_are_fed_everywhere(fleet: &Fleet) {
    let tag = |job: &str, change: &dyn Fn(&mut serde_json::Value)| {
        let source = fixtures().join("orders/gift-tag-photo.json");
        let mut order: serde_json::Value = serde_json::from_slice(&std::fs::read(source).unwrap()).unwrap();
        order["job_id"] = job.into();
        order["metadata"] = serde_json::json!({ "note": format!("{SENTINEL}-META") });
        change(&mut order);
        order.to_string()
    };
    let asset = |address: String| {
        move |order: &mut serde_json::Value| {
            order["customization"]["photo"]["asset"] = address.clone().into();
        }
    };
    let malformed = format!("{{ \"{SENTINEL}\": ");
    let bodies = [
        tag("SECRET-1", &|order| order["customization"]["to"] = format!("{SENTINEL} Love").into()),
        tag("SECRET-2", &asset(format!("photos/{SENTINEL}-PHOTO.jpg"))),
        // Nobody answers there, whatever network the test has: it is tried again and given up.
        tag("SECRET-3", &asset(format!("https://cdn.example.com/{SENTINEL}.jpg?token={SENTINEL}-TOKEN"))),
        tag("SECRET-4", &asset(format!("https://user:{SENTINEL}-PASS@cdn.example.com/p.jpg"))),
        tag("SECRET-5", &asset(format!("s3://{SENTINEL}-bucket/p.jpg"))),
        tag("SECRET-6", &|order| order["customization"][SENTINEL] = SENTINEL.into()),
        tag("SECRET-7", &|order| order["customization"]["accent"] = SENTINEL.into()),
        tag("SECRET-8", &|order| order["template"] = format!("{SENTINEL}@1").into()),
        malformed,
    ];
    for body in &bodies {
        publish(fleet, body.as_bytes(), &format!("{SENTINEL}-TRACE")).await;
    }
    let mut events = events(fleet).await;
    let seen = collect(&mut events, bodies.len()).await;
    let codes: Vec<String> = seen
        .values()
        .flat_map(|body| serde_json::from_slice::<ResultEvent>(body).unwrap().data.errors)
        .map(|error| error.code)
        .collect();
    for code in ["asset.not_found", "asset.source_forbidden", "template.not_found", "order.malformed"] {
        assert!(codes.iter().any(|c| c == code), "{code} is not among {codes:?}");
    }
    // The same again: nothing is rendered, and counted as what it is.
    publish(fleet, bodies[0].as_bytes(), "").await;
    collect(&mut events, 1).await;
    enqueue(fleet, &orders(), &["--count", "1"]);
    collect(&mut events, orders().len()).await;
}

async fn the_servers_fail_for_a_moment(fleet: &mut Fleet, worker: &Worker) {
    fleet.rabbit.control(&["close_all_connections", "test"]);
    let reconnects = || worker.metric("presswork_amqp_reconnects_total", "");
    until("another connection", || reconnects() > 0.0 && wait::http_ok(worker.port, "/readyz", None));
    fleet.weed.crash();
    let path = changed(fleet, "outage.json", |order| order["job_id"] = "OUTAGE-1".into());
    enqueue(fleet, &[path], &[]);
    until("requests that are repeated", || worker.metric("presswork_s3_retries_total", "") > 0.0);
    fleet.weed.restart();
    let mut events = events(fleet).await;
    collect(&mut events, 1).await;
}

/// The sum of a metric's samples whose line contains `labels`.
fn sum(shown: &str, name: &str, labels: &str) -> f64 {
    let samples = shown.lines().filter(|line| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])) && line.contains(labels)
    });
    samples.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

fn every_metric_has_moved(shown: &str) {
    // At rest these are nought.
    let resting = ["presswork_jobs_in_progress", "presswork_draining", "presswork_memory_reserved_bytes"];
    let mut still = Vec::new();
    for declared in Metrics::catalogue() {
        assert!(shown.contains(&format!("# TYPE {} {}", declared.name, declared.kind)), "{}", declared.name);
        let counted = match declared.kind {
            "histogram" => format!("{}_count", declared.name),
            _ => declared.name.to_owned(),
        };
        if !resting.contains(&declared.name) && sum(shown, &counted, "") <= 0.0 {
            still.push(declared.name.to_owned());
        }
    }
    let stages =
        Stage::ALL.map(|stage| ("job_stage_duration_seconds_count", format!("stage=\"{}\"", stage.as_str())));
    let labels = [
        ("asset_cache_requests_total", "result=\"hit\""),
        ("asset_cache_requests_total", "result=\"miss\""),
        ("jobs_finished_total", "outcome=\"completed\",queue=\"standard\""),
        ("jobs_finished_total", "fault=\"customer\""),
        ("jobs_finished_total", "fault=\"system\""),
        ("job_attempts_total", "outcome=\"retry\""),
        ("dead_lettered_total", "fault=\"system\""),
        ("duplicates_suppressed_total", "reason=\"decided\""),
        ("decoded_pixels_count", "format=\"jpeg\""),
        ("publish_confirms_total", "outcome=\"ack\""),
        ("settlements_total", "action=\"ack\""),
    ];
    for (name, labels) in stages.into_iter().chain(labels.map(|(name, labels)| (name, labels.to_owned()))) {
        if sum(shown, &format!("presswork_{name}"), &labels) <= 0.0 {
            still.push(format!("{name}{{{labels}}}"));
        }
    }
    assert!(still.is_empty(), "these have not moved: {still:?}\n{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_gone_stops_nobody() {
    let fleet = Fleet::start().await;
    // It takes connections and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut heard = None;
    for (copy, port) in [("0", ports::free_port()), ("1", silent.local_addr().unwrap().port())] {
        let mut worker = fleet.worker(tells_to(port));
        // The first worker has made the queue.
        let events = match &mut heard {
            Some(events) => events,
            None => heard.insert(events(&fleet).await),
        };
        let path = changed(&fleet, "order.json", |order| order["job_id"] = format!("GONE-{copy}").into());
        enqueue(&fleet, &[path], &[]);
        let seen = collect(events, 1).await;
        let event: ResultEvent = serde_json::from_slice(seen.values().next().unwrap()).unwrap();
        assert!(!event.data.artifacts.is_empty(), "{:?}", event.data.errors);
        worker.signal("-TERM");
        assert_eq!(worker.child.wait().unwrap().code(), Some(0), "{}", worker.log());
        assert!(
            worker.log().contains("the collector does not take traces") || copy == "1",
            "{}",
            worker.log()
        );
    }
}
