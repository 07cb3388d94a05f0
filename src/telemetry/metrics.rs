//! Every metric: its name, help, labels and buckets, and nowhere else.
//!
//! Labels are closed sets (queues are configured): never an order, a customer or an address.

use super::Stage;
use crate::edge::queue::Class;
use crate::error::{Code, Fault};
use prometheus::{
    GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};

/// Seconds of work: jobs, stages, requests.
const WORK: &[f64] =
    &[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0];
/// Seconds of waiting.
const WAIT: &[f64] = &[0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 14400.0];
/// Sizes: powers of four from 1 KiB to 4 GiB.
const SIZE: &[f64] = &[
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262144.0,
    1048576.0,
    4194304.0,
    16777216.0,
    67108864.0,
    268435456.0,
    1073741824.0,
    4294967296.0,
];

/// A metric as it is declared.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// With the prefix.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// What it says.
    pub help: &'static str,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// Upper bounds of a histogram's buckets.
    pub buckets: Vec<f64>,
}

/// What Prometheus calls a type of its library.
fn kind(name: &str) -> &'static str {
    match name {
        "IntCounterVec" => "counter",
        "HistogramVec" => "histogram",
        _ => "gauge",
    }
}

macro_rules! metrics {
    ($($field:ident: $kind:ident($name:literal, $help:literal $(, [$($label:literal),*])? $(, $buckets:ident)?);)*) => {
        /// Every metric of a worker, registered once.
        #[derive(Debug)]
        pub struct Metrics {
            registry: Registry,
            $(#[doc = $help] pub $field: $kind,)*
        }

        impl Metrics {
            /// Registers every metric.
            pub fn new(registry: Registry) -> Result<Metrics, prometheus::Error> {
                $(
                    let $field = make::$kind(
                        concat!("presswork_", $name), $help, &[$($($label),*)?], &[$($buckets)?],
                    )?;
                    registry.register(Box::new($field.clone()))?;
                )*
                Ok(Metrics { registry, $($field,)* })
            }

            /// Everything that is declared here, in this order.
            pub fn catalogue() -> Vec<Declared> {
                vec![$(Declared {
                    name: concat!("presswork_", $name),
                    kind: kind(stringify!($kind)),
                    help: $help,
                    labels: &[$($($label),*)?],
                    buckets: <[&[f64]]>::concat(&[$($buckets)?]),
                },)*]
            }
        }
    };
}

metrics! {
    received: IntCounterVec("jobs_received_total", "Deliveries taken from a queue.", ["queue", "redelivered"]);
    finished: IntCounterVec("jobs_finished_total", "Runs decided, by outcome (completed, held, failed) and fault.", ["queue", "outcome", "fault"]);
    attempts: IntCounterVec("job_attempts_total", "Attempts ended, by outcome and error code.", ["queue", "outcome", "error_code"]);
    duration: HistogramVec("job_duration_seconds", "Seconds from delivery to settlement.", ["queue", "outcome"], WORK);
    stage: HistogramVec("job_stage_duration_seconds", "Seconds that an attempt spent in a stage. decode and encode add up threads within raster and pdf.", ["stage"], WORK);
    queue_wait: HistogramVec("job_queue_wait_seconds", "Seconds from enqueueing to this delivery.", ["queue"], WAIT);
    end_to_end: HistogramVec("job_end_to_end_seconds", "Seconds from enqueueing to the published result.", ["queue"], WAIT);
    in_progress: IntGauge("jobs_in_progress", "Jobs being worked on.");
    draining: IntGauge("draining", "1 while the worker finishes what it holds and takes nothing new.");
    connected: IntGauge("amqp_connected", "1 while the broker is connected.");
    budget: IntGauge("memory_budget_bytes", "Bytes that renderings may use together.");
    reserved: IntGauge("memory_reserved_bytes", "Bytes that jobs have reserved.");
    admission_wait: HistogramVec("admission_wait_seconds", "Seconds a job waited for its share of the budget.", [], WORK);
    rejections: IntCounterVec("input_rejections_total", "Orders refused for their own fault, by error code.", ["error_code"]);
    input_bytes: HistogramVec("input_bytes", "Bytes of an asset.", ["format"], SIZE);
    decoded_pixels: HistogramVec("decoded_pixels", "Pixels of a decoded picture.", ["format"], SIZE);
    output_bytes: HistogramVec("output_bytes", "Bytes of a delivered file.", ["format"], SIZE);
    settlements: IntCounterVec("settlements_total", "Deliveries settled (ack, reject, requeue).", ["action"]);
    confirms: IntCounterVec("publish_confirms_total", "Publications, by the broker's answer (ack, nack, returned), and those whose answer was late (timeout).", ["outcome"]);
    dead: IntCounterVec("dead_lettered_total", "Orders parked for an operator.", ["queue", "fault"]);
    duplicates: IntCounterVec("duplicates_suppressed_total", "Deliveries of runs that were decided already, by how it was seen.", ["reason"]);
    reconnects: IntCounterVec("amqp_reconnects_total", "Connections given up (closed, connection, consume, error) or refused (refused, topology), by reason.", ["reason"]);
    store_seconds: HistogramVec("s3_request_duration_seconds", "Seconds of a store operation.", ["operation", "outcome"], WORK);
    store_retries: IntCounterVec("s3_retries_total", "Requests that the store's client repeated.", ["operation"]);
    asset_cache: IntCounterVec("asset_cache_requests_total", "Questions to the cache of templates, profiles, the catalog's art and pictures, and printing conditions (hit, miss).", ["result"]);
    last_success: IntGauge("last_success_timestamp_seconds", "Unix time of the last run that made files.");
    build_info: GaugeVec("build_info", "1, with the version.", ["version", "revision"]);
}

/// One constructor a kind, all with the same arguments.
#[expect(non_snake_case, reason = "named after the types that they make")]
mod make {
    use super::{GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts};

    type Made<T> = Result<T, prometheus::Error>;
    type Labels<'a> = &'a [&'a str];
    type Buckets<'a> = &'a [&'a [f64]];

    pub(super) fn IntCounterVec(
        name: &str,
        help: &str,
        labels: Labels<'_>,
        _: Buckets<'_>,
    ) -> Made<IntCounterVec> {
        IntCounterVec::new(Opts::new(name, help), labels)
    }

    pub(super) fn GaugeVec(name: &str, help: &str, labels: Labels<'_>, _: Buckets<'_>) -> Made<GaugeVec> {
        GaugeVec::new(Opts::new(name, help), labels)
    }

    pub(super) fn IntGauge(name: &str, help: &str, _: Labels<'_>, _: Buckets<'_>) -> Made<IntGauge> {
        IntGauge::new(name, help)
    }

    pub(super) fn HistogramVec(
        name: &str,
        help: &str,
        labels: Labels<'_>,
        buckets: Buckets<'_>,
    ) -> Made<HistogramVec> {
        let options = HistogramOpts::new(name, help).buckets(buckets.concat());
        HistogramVec::new(options, labels)
    }
}

impl Metrics {
    /// Counts 0 wherever the labels are known. A series that is born with its first event hides it: the
    /// increase of what was never 0 is 0.
    pub fn begin(&self, classes: &[Class]) {
        let begin = |counter: &IntCounterVec, labels: &[&str]| drop(counter.with_label_values(labels));
        for queue in classes.iter().map(|class| class.name.as_str()).chain(["other"]) {
            for redelivered in ["false", "true"] {
                begin(&self.received, &[queue, redelivered]);
            }
            for (outcome, fault) in
                [("completed", "none"), ("held", "none"), ("failed", "customer"), ("failed", "system")]
            {
                begin(&self.finished, &[queue, outcome, fault]);
            }
            // What the customer is at fault for is not parked.
            begin(&self.dead, &[queue, "system"]);
        }
        let alone: [(&IntCounterVec, &[&str]); 5] = [
            (&self.settlements, &["ack", "reject", "requeue"]),
            (&self.confirms, &["ack", "nack", "returned", "timeout"]),
            (&self.duplicates, &["decided", "lost_race"]),
            (&self.reconnects, &["closed", "connection", "consume", "error", "refused", "topology"]),
            (&self.store_retries, &["put", "get", "head", "delete", "begin", "part", "complete", "abort"]),
        ];
        for (counter, labels) in alone {
            labels.iter().for_each(|label| begin(counter, &[label]));
        }
        for code in Code::ALL.iter().filter(|code| code.fault() == Fault::Customer) {
            begin(&self.rejections, &[code.as_str()]);
        }
    }

    /// An attempt spent so many seconds in a stage.
    pub fn spent(&self, stage: Stage, seconds: f64) {
        self.stage.with_label_values(&[stage.as_str()]).observe(seconds);
    }

    /// The exposition text that Prometheus scrapes.
    pub fn text(&self) -> String {
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, type, labels, buckets: what dashboards and alerts are built on.
    const PROMISED: &str = "\
jobs_received_total counter queue,redelivered
jobs_finished_total counter queue,outcome,fault
job_attempts_total counter queue,outcome,error_code
job_duration_seconds histogram queue,outcome A
job_stage_duration_seconds histogram stage A
job_queue_wait_seconds histogram queue B
job_end_to_end_seconds histogram queue B
jobs_in_progress gauge
draining gauge
amqp_connected gauge
memory_budget_bytes gauge
memory_reserved_bytes gauge
admission_wait_seconds histogram  A
input_rejections_total counter error_code
input_bytes histogram format C
decoded_pixels histogram format C
output_bytes histogram format C
settlements_total counter action
publish_confirms_total counter outcome
dead_lettered_total counter queue,fault
duplicates_suppressed_total counter reason
amqp_reconnects_total counter reason
s3_request_duration_seconds histogram operation,outcome A
s3_retries_total counter operation
asset_cache_requests_total counter result
last_success_timestamp_seconds gauge
build_info gauge version,revision";

    #[test]
    fn names_labels_and_buckets_are_a_promise() {
        let buckets = |of: &[f64]| match of {
            [] => String::new(),
            [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0] => {
                " A".into()
            }
            [0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 14400.0] => " B".into(),
            of if of.windows(2).all(|pair| pair[1] == 4.0 * pair[0]) => " C".into(),
            of => format!(" {of:?}"),
        };
        let declared: Vec<String> = Metrics::catalogue()
            .iter()
            .map(|d| {
                let name = d.name.strip_prefix("presswork_").unwrap();
                format!("{name} {} {}{}", d.kind, d.labels.join(","), buckets(&d.buckets))
                    .trim_end()
                    .to_owned()
            })
            .collect();
        assert_eq!(declared.join("\n"), PROMISED);
    }

    #[test]
    fn counters_begin_before_their_first_event() {
        let metrics = Metrics::new(Registry::new()).unwrap();
        metrics.begin(&[Class { name: "rush".into(), weight: 1 }]);
        let text = metrics.text();
        for line in [
            "presswork_dead_lettered_total{fault=\"system\",queue=\"rush\"} 0",
            "presswork_publish_confirms_total{outcome=\"timeout\"} 0",
            "presswork_amqp_reconnects_total{reason=\"connection\"} 0",
            "presswork_settlements_total{action=\"requeue\"} 0",
            "presswork_jobs_finished_total{fault=\"system\",outcome=\"failed\",queue=\"rush\"} 0",
            "presswork_jobs_finished_total{fault=\"none\",outcome=\"completed\",queue=\"other\"} 0",
            "presswork_jobs_received_total{queue=\"rush\",redelivered=\"true\"} 0",
            "presswork_duplicates_suppressed_total{reason=\"decided\"} 0",
            "presswork_input_rejections_total{error_code=\"order.conflict\"} 0",
        ] {
            assert!(text.lines().any(|said| said == line), "{line} is missing in\n{text}");
        }
    }
}
