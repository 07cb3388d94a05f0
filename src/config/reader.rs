//! Reads variables by name and collects everything that is wrong with them.

use super::settings::{FLAGS, Given, SETTINGS};
use super::{QueueAt, StoreAt, Wrong, forms};
use crate::asset::Limits;
use crate::edge::queue::Class;
use crate::telemetry::logs::LogFormat;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::collections::BTreeMap;

/// Reads names and collects what is wrong.
pub(super) struct Reader {
    values: BTreeMap<String, String>,
    /// What was given by a flag, and by which.
    flags: BTreeMap<&'static str, &'static str>,
    pub(super) wrong: Vec<String>,
}

impl Reader {
    /// Reads variables, and flags with their hyphens. A flag wins over variables.
    pub(super) fn new(variables: impl IntoIterator<Item = (String, String)>) -> Reader {
        let mut reader = Reader { values: BTreeMap::new(), flags: BTreeMap::new(), wrong: Vec::new() };
        let (flags, variables): (Vec<_>, Vec<_>) =
            variables.into_iter().partition(|(name, _)| name.starts_with("--"));
        for (name, value) in flags {
            match FLAGS.iter().find(|(_, flag)| *flag == name) {
                Some((setting, flag)) => {
                    reader.flags.insert(setting.name, flag);
                    reader.insert(setting.name, &name, value, setting.given == Given::File);
                }
                None => reader.wrong.push(format!("{name}: there is no such setting")),
            }
        }
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
            if !SETTINGS.iter().any(|setting| setting.name == short) {
                reader.wrong.push(format!("{name}: there is no such setting"));
            } else if reader.flags.contains_key(short) {
                // The flag wins.
            } else if reader.values.contains_key(short) {
                reader
                    .wrong
                    .push(format!("PRESSWORK_{short} and PRESSWORK_{short}_FILE are both set: choose one"));
            } else {
                reader.insert(short, &name, value, from_file);
            }
        }
        reader
    }

    fn insert(&mut self, short: &str, name: &str, value: String, from_file: bool) {
        let value = match from_file {
            false => value,
            true => match std::fs::read_to_string(&value) {
                Ok(text) => text.trim_end().to_owned(),
                Err(e) => {
                    self.wrong.push(format!("{name}: the file cannot be read: {}", e.kind()));
                    return;
                }
            },
        };
        self.values.insert(short.to_owned(), value);
    }

    /// A setting as it was named: its flag, or its variable.
    fn named(&self, name: &str) -> String {
        self.flags.get(name).map_or_else(|| format!("PRESSWORK_{name}"), |flag| (*flag).to_owned())
    }

    fn refuse(&mut self, name: &str, why: impl std::fmt::Display) {
        self.wrong.push(format!("{}: {why}", self.named(name)));
    }

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.values.get(name).filter(|value| !value.is_empty()).cloned()
    }

    pub(super) fn number(&mut self, name: &str, default: u64, low: u64, high: u64) -> u64 {
        let Some(text) = self.text(name) else { return default };
        match text.parse() {
            Ok(number) if (low..=high).contains(&number) => number,
            Ok(_) | Err(_) => {
                self.refuse(name, format_args!("a whole number from {low} to {high}"));
                default
            }
        }
    }

    pub(super) fn switch(&mut self, name: &str, default: bool) -> bool {
        match self.text(name).as_deref() {
            None => default,
            Some("on" | "true" | "1") => true,
            Some("off" | "false" | "0") => false,
            Some(_) => {
                self.refuse(name, "on or off");
                default
            }
        }
    }

    /// What the log's lines are; `None`: it depends on where they go.
    pub(super) fn log_format(&mut self) -> Option<LogFormat> {
        match self.text("LOG_FORMAT").as_deref() {
            None | Some("auto") => None,
            Some("json") => Some(LogFormat::Json),
            Some("text") => Some(LogFormat::Text),
            Some(_) => {
                self.refuse("LOG_FORMAT", "auto, json or text");
                None
            }
        }
    }

    /// Threads that paint, where that is said.
    pub(super) fn threads(&mut self, default: u64) -> usize {
        usize::try_from(self.number("CPU_THREADS", default, 1, 1024)).unwrap_or(1)
    }

    pub(super) fn place(&mut self, name: &str) -> Option<StoreAt> {
        let text = self.text(name)?;
        if let Some(rest) = text.strip_prefix("s3://") {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            if forms::is_bucket(bucket) {
                let prefix = prefix.trim_matches('/').to_owned();
                return Some(StoreAt::S3 { bucket: bucket.to_owned(), prefix });
            }
        } else if let Some(path) = text.strip_prefix("dir:").filter(|path| !path.is_empty()) {
            return Some(StoreAt::Dir(path.into()));
        }
        self.refuse(name, "s3://BUCKET/PREFIX or dir:PATH");
        None
    }

    pub(super) fn queue(&mut self) -> QueueAt {
        if let Some(text) = self.text("QUEUE") {
            match text.strip_prefix("dir:").filter(|path| !path.is_empty()) {
                Some(path) => return QueueAt::Dir(path.into()),
                None => self.refuse("QUEUE", "dir:PATH (a broker is PRESSWORK_AMQP_URL)"),
            }
        }
        let url = ["AMQP_URL", "other:AMQP_URL", "other:RABBITMQ_URL", "other:CLOUDAMQP_URL"]
            .iter()
            .find_map(|name| self.text(name));
        match url {
            Some(url) => {
                if let Err(form) = forms::broker(&url) {
                    self.wrong.push(format!("PRESSWORK_AMQP_URL: {form}"));
                }
                QueueAt::Amqp(url)
            }
            None => {
                self.wrong.push("PRESSWORK_AMQP_URL or PRESSWORK_QUEUE: say where orders come from".into());
                QueueAt::Amqp(String::new())
            }
        }
    }

    pub(super) fn classes(&mut self) -> Vec<Class> {
        let text = self.text("CLASSES").unwrap_or_else(|| "standard=1,rush=4".into());
        let mut classes: Vec<Class> = Vec::new();
        for item in text.split(',').map(str::trim) {
            let (name, weight) = item.split_once('=').unwrap_or((item, "1"));
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            let named = !name.is_empty() && name.len() <= 40 && name.bytes().all(plain);
            match weight.parse() {
                Ok(1..=1000) if classes.iter().any(|class| class.name == name) => {
                    self.refuse("CLASSES", "a class is named twice");
                }
                Ok(weight @ 1..=1000) if named => classes.push(Class { name: name.into(), weight }),
                Ok(_) | Err(_) => self.refuse(
                    "CLASSES",
                    "NAME=WEIGHT,… with names of a-z, 0-9 and hyphens and weights from 1 to 1000",
                ),
            }
        }
        classes
    }

    /// A text that has to have a form.
    pub(super) fn formed(
        &mut self,
        name: &str,
        form: impl Fn(&str) -> Result<(), &'static str>,
    ) -> Option<String> {
        let text = self.text(name)?;
        if let Err(form) = form(&text) {
            self.refuse(name, form);
        }
        Some(text)
    }

    /// Where probes and metrics are served.
    pub(super) fn bind(&mut self) -> String {
        let text = self.text("BIND").unwrap_or_else(|| ":9090".into());
        forms::bind(&text).unwrap_or_else(|form| {
            self.refuse("BIND", form);
            text
        })
    }

    /// Certificates as PEM. A file without any would be no authority at all, and nobody would notice.
    pub(super) fn certificates(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
        if !read.is_ok_and(|certificates| !certificates.is_empty()) {
            self.wrong.push(format!("PRESSWORK_{name}_FILE: PEM with at least one certificate"));
        }
        Some(text)
    }

    /// A client certificate, with those that signed it, and its key.
    pub(super) fn identity(&mut self) -> Option<(String, String)> {
        let key = self.text("AMQP_KEY");
        if key.as_ref().is_some_and(|key| PrivateKeyDer::from_pem_slice(key.as_bytes()).is_err()) {
            self.wrong.push("PRESSWORK_AMQP_KEY_FILE: PEM with a private key, not encrypted".into());
        }
        match (self.certificates("AMQP_CERT"), key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                self.wrong.push("PRESSWORK_AMQP_CERT and PRESSWORK_AMQP_KEY go together".into());
                None
            }
        }
    }

    /// Names separated by commas.
    pub(super) fn list(&mut self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
    }

    /// The buckets that orders may name.
    pub(super) fn buckets(&mut self) -> Vec<String> {
        let buckets = self.list("S3_ALLOWED_BUCKETS");
        if !buckets.iter().all(|bucket| forms::is_bucket(bucket)) {
            self.refuse("S3_ALLOWED_BUCKETS", "BUCKET,… by name alone, without s3:// and keys");
        }
        buckets
    }

    /// The hosts that pictures may come from: `name.example` or `*.name.example`.
    pub(super) fn hosts(&mut self) -> Vec<String> {
        let hosts = self.list("ASSET_HTTPS_ALLOW");
        if !hosts.iter().all(|host| is_host(host.strip_prefix("*.").unwrap_or(host))) {
            self.refuse(
                "ASSET_HTTPS_ALLOW",
                "HOST,… in lower case, as cdn.example.com or *.example.com; no addresses, ports or paths",
            );
        }
        hosts
    }

    pub(super) fn limits(&mut self) -> Limits {
        let default = Limits::default();
        let side = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Limits {
            src_bytes: self.number("MAX_SRC_BYTES", default.src_bytes, 1, 1 << 40),
            src_pixels: self.number("MAX_SRC_PIXELS", default.src_pixels, 1, 1 << 40),
            src_side: side(self.number("MAX_SRC_SIDE", u64::from(default.src_side), 1, 1 << 30)),
            frames: side(self.number("MAX_FRAMES", u64::from(default.frames), 1, 1 << 30)),
            svg_bytes: self.number("MAX_SVG_BYTES", default.svg_bytes, 1, 1 << 40),
            svg_nodes: self.number("MAX_SVG_NODES", default.svg_nodes, 1, 1 << 40),
            font_bytes: self.number("MAX_FONT_BYTES", default.font_bytes, 1, 1 << 40),
            output_pixels: self.number("MAX_OUTPUT_PIXELS", default.output_pixels, 1, 1 << 40),
        }
    }
}

/// The settings of commands that have no fleet.
#[derive(Debug, Clone, PartialEq)]
pub struct Local {
    /// What one asset and one file may cost.
    pub limits: Limits,
    /// Threads that paint, where that is said.
    pub threads: Option<usize>,
}

/// The settings in `variables` that hold for every command; others are left alone.
pub fn local(variables: impl IntoIterator<Item = (String, String)>) -> Result<Local, Wrong> {
    let ours = variables.into_iter().filter(|(name, _)| {
        let name = name.strip_prefix("PRESSWORK_").unwrap_or_default();
        let stem = name.strip_suffix("_FILE").unwrap_or(name);
        matches!(stem, "CPU_THREADS" | "LOG_FORMAT") || name.starts_with("MAX_")
    });
    let mut read = Reader::new(ours);
    let (limits, _) = (read.limits(), read.log_format());
    let threads = read.text("CPU_THREADS").map(|_| read.threads(1));
    if read.wrong.is_empty() { Ok(Local { limits, threads }) } else { Err(Wrong(read.wrong)) }
}

/// What the log's lines are, before anything else is read. What is wrong is said by the command.
pub fn log_format(variables: impl IntoIterator<Item = (String, String)>) -> Option<LogFormat> {
    let named = |name: &str| name.starts_with("PRESSWORK_LOG_FORMAT") || name == "--log-format";
    Reader::new(variables.into_iter().filter(|(name, _)| named(name))).log_format()
}

/// A name with at least one dot whose last part is not a number: no address can look like it.
fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let last = host.rsplit('.').next().unwrap_or("");
    host.contains('.') && host.split('.').all(label) && last.bytes().any(|b| b.is_ascii_lowercase())
}
