//! The one list of settings: what can be set, how, and what it means.

use std::sync::LazyLock;

/// How a setting may be given, beside its variable and the variable with `_FILE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// By a flag.
    Flag,
    /// It is the content of a file, which a flag names.
    File,
    /// A secret: what stands on a command line is seen by everybody on the machine.
    Secret,
}

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name, after `PRESSWORK_`.
    pub name: &'static str,
    /// What it belongs to.
    pub group: &'static str,
    /// How it may be given.
    pub given: Given,
    /// What stands for its value.
    pub value: &'static str,
    /// What it means.
    pub help: &'static str,
}

impl Setting {
    /// Its flag, with its hyphens, where it has one.
    pub fn flag(&self) -> Option<String> {
        let name = self.name.to_ascii_lowercase().replace('_', "-");
        match self.given {
            Given::Flag => Some(format!("--{name}")),
            Given::File => Some(format!("--{name}-file")),
            Given::Secret => None,
        }
    }
}

/// Every setting that has a flag, with its flag.
pub static FLAGS: LazyLock<Vec<(&'static Setting, String)>> =
    LazyLock::new(|| SETTINGS.iter().filter_map(|setting| Some((setting, setting.flag()?))).collect());

const fn flag(group: &'static str, name: &'static str, value: &'static str, help: &'static str) -> Setting {
    Setting { name, group, given: Given::Flag, value, help }
}

const fn file(name: &'static str, help: &'static str) -> Setting {
    Setting { name, group: QUEUE, given: Given::File, value: "FILE", help }
}

const fn secret(name: &'static str, help: &'static str) -> Setting {
    Setting { name, group: QUEUE, given: Given::Secret, value: "", help }
}

const QUEUE: &str = "Orders and results";
const STORE: &str = "Files";
const WORK: &str = "Work";
const LIMITS: &str = "Limits of one asset or file";

/// Every setting.
pub const SETTINGS: &[Setting] = &[
    secret("AMQP_URL", "The broker"),
    flag(QUEUE, "QUEUE", "dir:PATH", "A spool folder instead of a broker"),
    flag(QUEUE, "AMQP_QUEUE", "NAME", "How exchanges and queues begin [default: presswork]"),
    flag(QUEUE, "AMQP_HEARTBEAT", "SECONDS", "Between the broker's heartbeats [default: 20]"),
    flag(
        QUEUE,
        "AMQP_PREFETCH",
        "ORDERS",
        "Orders of one class that are held at once [default: threads + 1]",
    ),
    file("AMQP_CA", "Authorities that are trusted beside the system's"),
    file("AMQP_CERT", "A client certificate and those that signed it, as PEM"),
    secret("AMQP_KEY", "The client certificate's key"),
    flag(QUEUE, "CLASSES", "NAME=WEIGHT,…", "Classes of orders [default: standard=1,rush=4]"),
    flag(QUEUE, "RESULTS_QUEUE", "on|off", "Keep a queue of all results [default: on]"),
    flag(QUEUE, "MAX_ATTEMPTS", "N", "Attempts before an order is given up [default: 8]"),
    flag(QUEUE, "CONSUMER_TIMEOUT", "SECONDS", "The broker's own setting [default: 1800]"),
    flag(STORE, "STORE", "PLACE", "Where results go: s3://BUCKET/PREFIX or dir:PATH"),
    flag(STORE, "ASSETS", "PLACE", "Where orders' assets are: s3://BUCKET/PREFIX or dir:PATH"),
    flag(STORE, "S3_ALLOWED_BUCKETS", "BUCKET,…", "Buckets that orders may name [default: none]"),
    flag(
        STORE,
        "ASSET_HTTPS_ALLOW",
        "HOST,…",
        "Hosts that orders may name; *.HOST: all below [default: none]",
    ),
    flag(STORE, "CATALOG", "DIR", "The templates' folder"),
    flag(STORE, "PROFILES", "DIR", "The render profiles' folder [default: the built-in profiles]"),
    flag(STORE, "FONTS", "DIR", "A folder of fonts beside the built-in ones"),
    flag(STORE, "ARTIFACT_URL_BASE", "URL", "What artifacts' url begins with [default: no url]"),
    flag(STORE, "S3_PATH_STYLE", "on|off", "Address the bucket in the path [default: off]"),
    flag(STORE, "S3_CONDITIONAL", "on|off", "Refuse a store that ignores If-None-Match [default: on]"),
    flag(STORE, "S3_OBJECT_TAGS", "A=B&C=D", "Tags of every object"),
    flag(STORE, "S3_SSE_KMS_KEY_ID", "ID", "The KMS key that every object is encrypted with"),
    flag(WORK, "BIND", "ADDRESS", "Serves /livez, /readyz, /metrics [default: :9090]"),
    flag(WORK, "CPU_THREADS", "N", "Jobs painted at once, and threads that paint [default: processors]"),
    flag(WORK, "MEMORY_BUDGET", "BYTES", "What jobs may take together [default: ¾ of the cgroup's limit]"),
    flag(WORK, "CACHE_BYTES", "BYTES", "What is kept of templates, profiles and art [default: 67108864]"),
    flag(WORK, "MAX_JOB_SECONDS", "SECONDS", "How long one job may be rendered [default: 300]"),
    flag(WORK, "DRAIN_TIMEOUT", "SECONDS", "How long a stopped worker finishes what it holds [default: 25]"),
    flag(WORK, "LOG_FORMAT", "auto|json|text", "Of the log; auto: text on a terminal [default: auto]"),
    flag(LIMITS, "MAX_SRC_BYTES", "BYTES", "Of one picture [default: 100000000]"),
    flag(LIMITS, "MAX_SRC_PIXELS", "PIXELS", "Of one picture [default: 100000000]"),
    flag(LIMITS, "MAX_SRC_SIDE", "PIXELS", "Of one picture's longer side [default: 30000]"),
    flag(LIMITS, "MAX_FRAMES", "N", "Pictures in one file [default: 1]"),
    flag(LIMITS, "MAX_SVG_BYTES", "BYTES", "Of one SVG [default: 10000000]"),
    flag(LIMITS, "MAX_SVG_NODES", "N", "Of one SVG [default: 200000]"),
    flag(LIMITS, "MAX_FONT_BYTES", "BYTES", "Of one font [default: 20000000]"),
    flag(LIMITS, "MAX_OUTPUT_PIXELS", "PIXELS", "Of one file [default: 400000000]"),
];
