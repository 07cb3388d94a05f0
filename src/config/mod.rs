//! A worker's settings, from environment variables and flags.
//!
//! Everything that is wrong is said at once. A `PRESSWORK_` name that means nothing is an error:
//! a misspelt limit is worse than none. `NAME_FILE` reads a value from a file, for secrets.

mod forms;
mod reader;
mod settings;
mod shown;
#[cfg(test)]
mod tests;

pub use reader::{Local, local, log_format};
pub use settings::{FLAGS, Given, SETTINGS, Setting};

use crate::asset::{Limits, MOST_SHARED};
use crate::cache;
use crate::edge::queue::Class;
use crate::telemetry::logs::LogFormat;
use reader::Reader;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Where the orders come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueAt {
    /// A broker, by its URL.
    Amqp(String),
    /// A spool folder.
    Dir(PathBuf),
}

/// A place of objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreAt {
    /// A bucket and a prefix, which may be empty.
    S3 {
        /// The bucket.
        bucket: String,
        /// What keys begin with.
        prefix: String,
    },
    /// A folder.
    Dir(PathBuf),
}

/// Everything a worker, and the operators' commands, are told.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Orders and results.
    pub queue: QueueAt,
    /// What exchanges' and queues' names begin with.
    pub queue_prefix: String,
    /// Orders of one class that are held unsettled at once.
    pub prefetch: u16,
    /// Seconds between a broker's heartbeats.
    pub heartbeat: u16,
    /// PEM of the authorities that may sign the broker's certificate.
    pub ca_pem: Option<String>,
    /// PEM of a client certificate and of its key.
    pub identity: Option<(String, String)>,
    /// Keep a queue of all results.
    pub results_queue: bool,
    /// Where results go; needed by workers and cancellations.
    pub store: Option<StoreAt>,
    /// Where the orders' assets are.
    pub assets: Option<StoreAt>,
    /// Hosts that orders may name in `https://` references, `*.` for all below a name.
    pub https_allow: Vec<String>,
    /// Buckets that orders may name in `s3://` references.
    pub s3_allowed_buckets: Vec<String>,
    /// The catalog's folder.
    pub catalog: Option<PathBuf>,
    /// The render profiles' folder.
    pub profiles: Option<PathBuf>,
    /// A folder of fonts.
    pub fonts: Option<PathBuf>,
    /// The classes and their weights.
    pub classes: Vec<Class>,
    /// What artifacts' addresses begin with.
    pub url_base: Option<String>,
    /// Address buckets in paths.
    pub s3_path_style: bool,
    /// The store ignores `If-None-Match`, and the operator knows.
    pub s3_unconditional: bool,
    /// Tags of every object.
    pub s3_object_tags: Option<String>,
    /// KMS key of every object.
    pub s3_kms_key: Option<String>,
    /// Where probes and metrics are served.
    pub bind: String,
    /// Jobs painted at once, and threads that paint.
    pub threads: usize,
    /// What one asset and one file may cost.
    pub limits: Limits,
    /// Bytes that jobs may take together.
    pub memory_budget: u64,
    /// Bytes of what orders share: templates, profiles, art, printing conditions.
    pub cache: u64,
    /// Attempts before an order is given up.
    pub max_attempts: u32,
    /// How long one job may take.
    pub job_limit: Duration,
    /// How long a stopped worker finishes what it holds.
    pub drain: Duration,
    /// How long the broker lets a delivery go unsettled.
    pub consumer_timeout: Duration,
    /// What the log's lines are; it depends on where they go unless it is said.
    pub log_format: Option<LogFormat>,
}

/// Who reads the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// A worker, which needs to know where everything is and has to fit its machine.
    Worker,
    /// An operator's command.
    Operator,
}

/// Bytes a rendering takes beside its pictures: bands, encoders, parts under way, tables, and what outputs share.
pub const WORK_BYTES: u64 = (96 << 20) + MOST_SHARED;
/// Assets that are in memory at once while they are fetched.
pub const FETCHED_AT_ONCE: u64 = 4;

/// Everything that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong(pub Vec<String>);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Wrong {}

/// What a process has when it is not told.
#[derive(Debug, Clone, Copy)]
pub struct Machine {
    /// Processors it may use.
    pub threads: usize,
    /// Bytes it may use.
    pub memory: u64,
}

impl Config {
    /// Reads the settings from variables, and from flags as `--name`, which win. `machine` says what a process may use when the settings do not.
    pub fn read(
        variables: impl IntoIterator<Item = (String, String)>,
        machine: Machine,
        user: Use,
    ) -> Result<Config, Wrong> {
        let mut read = Reader::new(variables);
        let seconds = Duration::from_secs;
        let threads = read.threads(machine.threads as u64);
        let config = Config {
            queue: read.queue(),
            queue_prefix: read
                .formed("AMQP_QUEUE", forms::queue_prefix)
                .unwrap_or_else(|| "presswork".into()),
            prefetch: u16::try_from(read.number("AMQP_PREFETCH", threads as u64 + 1, 1, 2000))
                .unwrap_or(2000),
            heartbeat: u16::try_from(read.number("AMQP_HEARTBEAT", 20, 1, 600)).unwrap_or(20),
            ca_pem: read.certificates("AMQP_CA"),
            identity: read.identity(),
            results_queue: read.switch("RESULTS_QUEUE", true),
            store: read.place("STORE"),
            assets: read.place("ASSETS"),
            https_allow: read.hosts(),
            s3_allowed_buckets: read.buckets(),
            catalog: read.text("CATALOG").map(PathBuf::from),
            profiles: read.text("PROFILES").map(PathBuf::from),
            fonts: read.text("FONTS").map(PathBuf::from),
            classes: read.classes(),
            url_base: read.formed("ARTIFACT_URL_BASE", forms::url_base),
            s3_path_style: read.switch("S3_PATH_STYLE", false),
            s3_unconditional: !read.switch("S3_CONDITIONAL", true),
            s3_object_tags: read.formed("S3_OBJECT_TAGS", forms::object_tags),
            s3_kms_key: read.text("S3_SSE_KMS_KEY_ID"),
            bind: read.bind(),
            threads,
            limits: read.limits(),
            memory_budget: read.number("MEMORY_BUDGET", machine.memory / 4 * 3, 128 << 20, 1 << 44),
            cache: read.number("CACHE_BYTES", cache::BYTES, 0, 1 << 40),
            max_attempts: u32::try_from(read.number("MAX_ATTEMPTS", 8, 1, 100)).unwrap_or(8),
            job_limit: seconds(read.number("MAX_JOB_SECONDS", 300, 1, 86_400)),
            drain: seconds(read.number("DRAIN_TIMEOUT", 25, 1, 86_400)),
            consumer_timeout: seconds(read.number("CONSUMER_TIMEOUT", 1800, 1, 86_400)),
            log_format: read.log_format(),
        };
        if user == Use::Worker {
            read.wrong.extend(config.unfit());
        }
        if read.wrong.is_empty() { Ok(config) } else { Err(Wrong(read.wrong)) }
    }

    /// Bytes of assets that jobs may hold together while they are fetched.
    pub fn input_budget(&self) -> u64 {
        self.limits.src_bytes.saturating_mul(FETCHED_AT_ONCE)
    }

    /// Bytes that jobs may take together while they are rendered: all the rest.
    pub fn render_budget(&self) -> u64 {
        self.memory_budget.saturating_sub(self.input_budget()).saturating_sub(self.cache)
    }

    /// What a rendering with one picture of the largest allowed size takes.
    fn dearest_picture(&self) -> u64 {
        self.limits.src_pixels.saturating_mul(8).saturating_add(self.limits.src_bytes) + WORK_BYTES
    }

    /// Why no worker can work with these settings.
    fn unfit(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (name, known) in [
            ("STORE", self.store.is_some()),
            ("ASSETS", self.assets.is_some()),
            ("CATALOG", self.catalog.is_some()),
        ] {
            if !known {
                wrong.push(format!("PRESSWORK_{name}: a worker needs it"));
            }
        }
        let shared = self.input_budget().saturating_add(self.cache);
        let need = shared.saturating_add(self.dearest_picture());
        if self.memory_budget < need {
            wrong.push(format!(
                "PRESSWORK_MEMORY_BUDGET: {} bytes, and the limits of pictures need {need}: give workers more memory, or lower PRESSWORK_MAX_SRC_PIXELS, PRESSWORK_MAX_SRC_BYTES and PRESSWORK_CACHE_BYTES",
                self.memory_budget
            ));
        }
        // What is held ahead waits until the places before it are free; and one that turns out to be a
        // suspect may be rendered twice.
        let held = self.classes.len() as u64 * u64::from(self.prefetch);
        let rounds = held.div_ceil(self.threads as u64).max(1) + 1;
        let longest = self.job_limit.as_secs().saturating_mul(rounds);
        if longest >= self.consumer_timeout.as_secs() {
            wrong.push(format!(
                "PRESSWORK_CONSUMER_TIMEOUT: {} s, and an order may be held for {longest} s ({rounds} times PRESSWORK_MAX_JOB_SECONDS): the broker would take orders away that are being rendered",
                self.consumer_timeout.as_secs()
            ));
        }
        wrong
    }

    /// What deserves a warning at the start.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.job_limit > self.drain {
            warnings.push(format!(
                "a job may take {} s and a drain lasts {} s: what is unfinished then is rendered again, alone, in a child process",
                self.job_limit.as_secs(),
                self.drain.as_secs()
            ));
        }
        if self.s3_unconditional {
            warnings.push("results are not written conditionally: two workers may decide one run".into());
        }
        warnings
    }
}
