//! A worker's settings, from environment variables.
//!
//! Everything that is wrong is said at once. A `PRESSWORK_` name that means nothing is an error:
//! a misspelt limit is worse than none. `NAME_FILE` reads a value from a file, for secrets.

use crate::edge::queue::Class;
use std::collections::BTreeMap;
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
    /// Jobs at once, and threads that paint.
    pub threads: usize,
    /// Bytes that jobs may take together.
    pub memory_budget: u64,
    /// Attempts before an order is given up.
    pub max_attempts: u32,
    /// How long one job may take.
    pub job_limit: Duration,
    /// How long a stopped worker finishes what it holds.
    pub drain: Duration,
    /// How long the broker lets a delivery go unsettled.
    pub consumer_timeout: Duration,
}

/// Everything that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong(pub Vec<String>);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Wrong {}

/// Every name that is read, with what `presswork config` says of it. Names in the second group are
/// read by other commands.
const NAMES: &[&str] = &[
    "AMQP_URL",
    "AMQP_QUEUE",
    "AMQP_HEARTBEAT",
    "AMQP_CA",
    "AMQP_CERT",
    "AMQP_KEY",
    "QUEUE",
    "RESULTS_QUEUE",
    "STORE",
    "ASSETS",
    "CATALOG",
    "PROFILES",
    "FONTS",
    "CLASSES",
    "ARTIFACT_URL_BASE",
    "S3_PATH_STYLE",
    "S3_CONDITIONAL",
    "S3_OBJECT_TAGS",
    "S3_SSE_KMS_KEY_ID",
    "BIND",
    "CPU_THREADS",
    "MEMORY_BUDGET",
    "MAX_ATTEMPTS",
    "MAX_JOB_SECONDS",
    "DRAIN_TIMEOUT",
    "CONSUMER_TIMEOUT",
    "LOG_FORMAT",
];

/// What a process has when it is not told.
#[derive(Debug, Clone, Copy)]
pub struct Machine {
    /// Processors it may use.
    pub threads: usize,
    /// Bytes it may use.
    pub memory: u64,
}

/// Reads names and collects what is wrong.
struct Reader {
    values: BTreeMap<String, String>,
    wrong: Vec<String>,
}

impl Reader {
    fn new(variables: impl IntoIterator<Item = (String, String)>) -> Reader {
        let mut reader = Reader { values: BTreeMap::new(), wrong: Vec::new() };
        for (name, value) in variables {
            let Some(short) = name.strip_prefix("PRESSWORK_") else {
                if ["AMQP_URL", "RABBITMQ_URL", "CLOUDAMQP_URL"].contains(&name.as_str()) {
                    reader.values.insert(format!("other:{name}"), value);
                }
                continue;
            };
            let (short, from_file) = match short.strip_suffix("_FILE") {
                Some(stem) => (stem, true),
                None => (short, false),
            };
            if !NAMES.contains(&short) {
                reader.wrong.push(format!("{name}: there is no such setting"));
                continue;
            }
            let value = match from_file {
                false => value,
                true => match std::fs::read_to_string(&value) {
                    Ok(text) => text.trim_end().to_owned(),
                    Err(e) => {
                        reader.wrong.push(format!("{name}: the file cannot be read: {}", e.kind()));
                        continue;
                    }
                },
            };
            if reader.values.insert(short.to_owned(), value).is_some() {
                reader
                    .wrong
                    .push(format!("PRESSWORK_{short} and PRESSWORK_{short}_FILE are both set: choose one"));
            }
        }
        reader
    }

    fn text(&mut self, name: &str) -> Option<String> {
        self.values.get(name).filter(|value| !value.is_empty()).cloned()
    }

    fn number(&mut self, name: &str, default: u64, low: u64, high: u64) -> u64 {
        let Some(text) = self.text(name) else { return default };
        match text.parse() {
            Ok(number) if (low..=high).contains(&number) => number,
            Ok(_) | Err(_) => {
                self.wrong.push(format!("PRESSWORK_{name}: a whole number from {low} to {high}"));
                default
            }
        }
    }

    fn switch(&mut self, name: &str, default: bool) -> bool {
        match self.text(name).as_deref() {
            None => default,
            Some("on" | "true" | "1") => true,
            Some("off" | "false" | "0") => false,
            Some(_) => {
                self.wrong.push(format!("PRESSWORK_{name}: on or off"));
                default
            }
        }
    }

    fn place(&mut self, name: &str) -> Option<StoreAt> {
        let text = self.text(name)?;
        if let Some(rest) = text.strip_prefix("s3://") {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            if !bucket.is_empty() {
                let prefix = prefix.trim_matches('/').to_owned();
                return Some(StoreAt::S3 { bucket: bucket.to_owned(), prefix });
            }
        } else if let Some(path) = text.strip_prefix("dir:").filter(|path| !path.is_empty()) {
            return Some(StoreAt::Dir(path.into()));
        }
        self.wrong.push(format!("PRESSWORK_{name}: s3://BUCKET/PREFIX or dir:PATH"));
        None
    }

    fn queue(&mut self) -> QueueAt {
        if let Some(text) = self.text("QUEUE") {
            match text.strip_prefix("dir:").filter(|path| !path.is_empty()) {
                Some(path) => return QueueAt::Dir(path.into()),
                None => self.wrong.push("PRESSWORK_QUEUE: dir:PATH (a broker is PRESSWORK_AMQP_URL)".into()),
            }
        }
        let url = ["AMQP_URL", "other:AMQP_URL", "other:RABBITMQ_URL", "other:CLOUDAMQP_URL"]
            .iter()
            .find_map(|name| self.text(name));
        match url {
            Some(url) if url.starts_with("amqp://") || url.starts_with("amqps://") => QueueAt::Amqp(url),
            Some(_) => {
                self.wrong.push("PRESSWORK_AMQP_URL: amqp://… or amqps://…".into());
                QueueAt::Amqp(String::new())
            }
            None => {
                self.wrong.push("PRESSWORK_AMQP_URL or PRESSWORK_QUEUE: say where orders come from".into());
                QueueAt::Amqp(String::new())
            }
        }
    }

    fn classes(&mut self) -> Vec<Class> {
        let text = self.text("CLASSES").unwrap_or_else(|| "standard=1,rush=4".into());
        let mut classes = Vec::new();
        for item in text.split(',').map(str::trim) {
            let (name, weight) = item.split_once('=').unwrap_or((item, "1"));
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            let named = !name.is_empty() && name.len() <= 40 && name.bytes().all(plain);
            match weight.parse() {
                Ok(weight @ 1..=1000) if named => classes.push(Class { name: name.into(), weight }),
                Ok(_) | Err(_) => self.wrong.push(
                    "PRESSWORK_CLASSES: NAME=WEIGHT,… with names of a-z, 0-9 and hyphens and weights from 1 to 1000"
                        .into(),
                ),
            }
        }
        classes
    }

    fn identity(&mut self) -> Option<(String, String)> {
        match (self.text("AMQP_CERT"), self.text("AMQP_KEY")) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                self.wrong.push("PRESSWORK_AMQP_CERT and PRESSWORK_AMQP_KEY go together".into());
                None
            }
        }
    }
}

impl Config {
    /// Reads the settings. `machine` says what a process may use when the settings do not.
    pub fn read(
        variables: impl IntoIterator<Item = (String, String)>,
        machine: Machine,
    ) -> Result<Config, Wrong> {
        let mut read = Reader::new(variables);
        let seconds = Duration::from_secs;
        let config = Config {
            queue: read.queue(),
            queue_prefix: read.text("AMQP_QUEUE").unwrap_or_else(|| "presswork".into()),
            heartbeat: u16::try_from(read.number("AMQP_HEARTBEAT", 20, 1, 600)).unwrap_or(20),
            ca_pem: read.text("AMQP_CA"),
            identity: read.identity(),
            results_queue: read.switch("RESULTS_QUEUE", true),
            store: read.place("STORE"),
            assets: read.place("ASSETS"),
            catalog: read.text("CATALOG").map(PathBuf::from),
            profiles: read.text("PROFILES").map(PathBuf::from),
            fonts: read.text("FONTS").map(PathBuf::from),
            classes: read.classes(),
            url_base: read.text("ARTIFACT_URL_BASE"),
            s3_path_style: read.switch("S3_PATH_STYLE", false),
            s3_unconditional: !read.switch("S3_CONDITIONAL", true),
            s3_object_tags: read.text("S3_OBJECT_TAGS"),
            s3_kms_key: read.text("S3_SSE_KMS_KEY_ID"),
            bind: read.text("BIND").unwrap_or_else(|| "0.0.0.0:9090".into()),
            threads: read.number("CPU_THREADS", machine.threads as u64, 1, 1024) as usize,
            memory_budget: read.number("MEMORY_BUDGET", machine.memory / 4 * 3, 128 << 20, 1 << 44),
            max_attempts: u32::try_from(read.number("MAX_ATTEMPTS", 8, 1, 100)).unwrap_or(8),
            job_limit: seconds(read.number("MAX_JOB_SECONDS", 300, 1, 86_400)),
            drain: seconds(read.number("DRAIN_TIMEOUT", 25, 1, 86_400)),
            consumer_timeout: seconds(read.number("CONSUMER_TIMEOUT", 1800, 1, 86_400)),
        };
        // A delivery waits for at most one job's place before it begins.
        if config.job_limit * 2 >= config.consumer_timeout {
            read.wrong.push(format!(
                "PRESSWORK_CONSUMER_TIMEOUT: {} s is not more than twice PRESSWORK_MAX_JOB_SECONDS: the broker would take orders away that are being rendered",
                config.consumer_timeout.as_secs()
            ));
        }
        if read.wrong.is_empty() { Ok(config) } else { Err(Wrong(read.wrong)) }
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

    /// The effective settings, one `NAME = value` a line, secrets masked.
    pub fn shown(&self) -> String {
        let place = |place: &Option<StoreAt>| match place {
            None => "-".to_owned(),
            Some(StoreAt::Dir(path)) => format!("dir:{}", path.display()),
            Some(StoreAt::S3 { bucket, prefix }) => format!("s3://{bucket}/{prefix}"),
        };
        let path =
            |path: &Option<PathBuf>| path.as_ref().map_or("-".into(), |path| path.display().to_string());
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
        let secret = |given: bool| if given { "***" } else { "-" }.to_owned();
        let classes: Vec<String> = self.classes.iter().map(|c| format!("{}={}", c.name, c.weight)).collect();
        let switch = |on: bool| if on { "on" } else { "off" }.to_owned();
        let (url, queue) = match &self.queue {
            QueueAt::Amqp(url) => (masked(url), "-".to_owned()),
            QueueAt::Dir(path) => ("-".to_owned(), format!("dir:{}", path.display())),
        };
        let lines = [
            ("AMQP_URL", url),
            ("QUEUE", queue),
            ("AMQP_QUEUE", self.queue_prefix.clone()),
            ("AMQP_HEARTBEAT", self.heartbeat.to_string()),
            ("AMQP_CA", secret(self.ca_pem.is_some())),
            ("AMQP_CERT", secret(self.identity.is_some())),
            ("AMQP_KEY", secret(self.identity.is_some())),
            ("RESULTS_QUEUE", switch(self.results_queue)),
            ("STORE", place(&self.store)),
            ("ASSETS", place(&self.assets)),
            ("CATALOG", path(&self.catalog)),
            ("PROFILES", path(&self.profiles)),
            ("FONTS", path(&self.fonts)),
            ("CLASSES", classes.join(",")),
            ("ARTIFACT_URL_BASE", text(&self.url_base)),
            ("S3_PATH_STYLE", switch(self.s3_path_style)),
            ("S3_CONDITIONAL", switch(!self.s3_unconditional)),
            ("S3_OBJECT_TAGS", text(&self.s3_object_tags)),
            ("S3_SSE_KMS_KEY_ID", text(&self.s3_kms_key)),
            ("BIND", self.bind.clone()),
            ("CPU_THREADS", self.threads.to_string()),
            ("MEMORY_BUDGET", self.memory_budget.to_string()),
            ("MAX_ATTEMPTS", self.max_attempts.to_string()),
            ("MAX_JOB_SECONDS", self.job_limit.as_secs().to_string()),
            ("DRAIN_TIMEOUT", self.drain.as_secs().to_string()),
            ("CONSUMER_TIMEOUT", self.consumer_timeout.as_secs().to_string()),
        ];
        let lines: Vec<String> =
            lines.into_iter().map(|(name, value)| format!("PRESSWORK_{name} = {value}")).collect();
        lines.join("\n")
    }
}

/// A URL without what stands before its host.
fn masked(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://***@{host}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: Machine = Machine { threads: 2, memory: 4 << 30 };

    fn read(pairs: &[(&str, &str)]) -> Result<Config, Wrong> {
        Config::read(pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())), MACHINE)
    }

    #[test]
    fn defaults_and_values() {
        let config = read(&[
            ("PRESSWORK_AMQP_URL", "amqps://u:p%40x@host/%2f"),
            ("PRESSWORK_STORE", "s3://bucket/a/b/"),
            ("PRESSWORK_ASSETS", "dir:/assets"),
            ("PRESSWORK_CLASSES", "rush=4, standard"),
            ("AWS_REGION", "anything"),
        ])
        .unwrap();
        assert_eq!(config.store, Some(StoreAt::S3 { bucket: "bucket".into(), prefix: "a/b".into() }));
        assert_eq!(config.assets, Some(StoreAt::Dir("/assets".into())));
        assert_eq!(config.classes.iter().map(|c| c.weight).collect::<Vec<_>>(), [4, 1]);
        assert_eq!((config.threads, config.memory_budget), (2, 3 << 30));
        let shown = config.shown();
        assert!(shown.contains("PRESSWORK_AMQP_URL = amqps://***@host/%2f"), "{shown}");
        assert!(!shown.contains("p%40x"));
        let names: Vec<_> = shown.lines().filter_map(|line| line.split(" = ").next()).collect();
        for name in NAMES.iter().filter(|name| **name != "LOG_FORMAT") {
            assert!(names.contains(&format!("PRESSWORK_{name}").as_str()), "{name} is not shown");
        }
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let wrong = read(&[
            ("PRESSWORK_AMQP_URL", "http://x"),
            ("PRESSWORK_STORE", "bucket"),
            ("PRESSWORK_CPU_THREDS", "4"),
            ("PRESSWORK_MAX_ATTEMPTS", "0"),
            ("PRESSWORK_CLASSES", "Rush=1"),
            ("PRESSWORK_AMQP_KEY", "k"),
            ("PRESSWORK_MAX_JOB_SECONDS", "900"),
        ])
        .unwrap_err();
        assert_eq!(wrong.0.len(), 7, "{wrong}");
        for name in
            ["CPU_THREDS", "AMQP_URL", "STORE", "MAX_ATTEMPTS", "CLASSES", "AMQP_KEY", "CONSUMER_TIMEOUT"]
        {
            assert!(wrong.to_string().contains(name), "{name} is missing in {wrong}");
        }
    }

    #[test]
    fn secrets_come_from_files_and_other_names() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "amqp://a:b@c\n").unwrap();
        let path = file.path().to_str().unwrap();
        let config = read(&[("PRESSWORK_AMQP_URL_FILE", path)]).unwrap();
        assert_eq!(config.queue, QueueAt::Amqp("amqp://a:b@c".into()));
        assert!(read(&[("PRESSWORK_AMQP_URL_FILE", path), ("PRESSWORK_AMQP_URL", "amqp://x")]).is_err());
        assert!(read(&[("PRESSWORK_AMQP_URL_FILE", "/no/such/file")]).is_err());
        assert_eq!(
            read(&[("CLOUDAMQP_URL", "amqp://cloud")]).unwrap().queue,
            QueueAt::Amqp("amqp://cloud".into())
        );
        assert!(read(&[]).is_err());
    }
}
