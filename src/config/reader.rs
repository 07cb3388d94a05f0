//! Reads variables by name and collects everything that is wrong with them.

use super::{QueueAt, StoreAt, Wrong};
use crate::asset::Limits;
use crate::edge::queue::Class;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::collections::BTreeMap;

/// Every name that is read.
pub(super) const NAMES: &[&str] = &[
    "AMQP_URL",
    "AMQP_QUEUE",
    "AMQP_HEARTBEAT",
    "AMQP_PREFETCH",
    "AMQP_CA",
    "AMQP_CERT",
    "AMQP_KEY",
    "QUEUE",
    "RESULTS_QUEUE",
    "STORE",
    "ASSETS",
    "ASSET_HTTPS_ALLOW",
    "CATALOG",
    "PROFILES",
    "FONTS",
    "CLASSES",
    "ARTIFACT_URL_BASE",
    "S3_PATH_STYLE",
    "S3_CONDITIONAL",
    "S3_OBJECT_TAGS",
    "S3_SSE_KMS_KEY_ID",
    "S3_ALLOWED_BUCKETS",
    "BIND",
    "CPU_THREADS",
    "MEMORY_BUDGET",
    "CACHE_BYTES",
    "MAX_ATTEMPTS",
    "MAX_JOB_SECONDS",
    "MAX_SRC_BYTES",
    "MAX_SRC_PIXELS",
    "MAX_SRC_SIDE",
    "MAX_FRAMES",
    "MAX_SVG_BYTES",
    "MAX_SVG_NODES",
    "MAX_FONT_BYTES",
    "MAX_OUTPUT_PIXELS",
    "DRAIN_TIMEOUT",
    "CONSUMER_TIMEOUT",
    "LOG_FORMAT",
];

/// Reads names and collects what is wrong.
pub(super) struct Reader {
    values: BTreeMap<String, String>,
    pub(super) wrong: Vec<String>,
}

impl Reader {
    pub(super) fn new(variables: impl IntoIterator<Item = (String, String)>) -> Reader {
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

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.values.get(name).filter(|value| !value.is_empty()).cloned()
    }

    pub(super) fn number(&mut self, name: &str, default: u64, low: u64, high: u64) -> u64 {
        let Some(text) = self.text(name) else { return default };
        match text.parse() {
            Ok(number) if (low..=high).contains(&number) => number,
            Ok(_) | Err(_) => {
                self.wrong.push(format!("PRESSWORK_{name}: a whole number from {low} to {high}"));
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
                self.wrong.push(format!("PRESSWORK_{name}: on or off"));
                default
            }
        }
    }

    pub(super) fn place(&mut self, name: &str) -> Option<StoreAt> {
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

    pub(super) fn queue(&mut self) -> QueueAt {
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

    pub(super) fn classes(&mut self) -> Vec<Class> {
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

    /// The hosts that pictures may come from: `name.example` or `*.name.example`.
    pub(super) fn hosts(&mut self) -> Vec<String> {
        let hosts = self.list("ASSET_HTTPS_ALLOW");
        if !hosts.iter().all(|host| is_host(host.strip_prefix("*.").unwrap_or(host))) {
            self.wrong.push(
                "PRESSWORK_ASSET_HTTPS_ALLOW: HOST,… in lower case, as cdn.example.com or *.example.com; no addresses, ports or paths"
                    .into(),
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

/// The limits of `variables` alone, for commands that have no other settings.
pub fn limits(variables: impl IntoIterator<Item = (String, String)>) -> Result<Limits, Wrong> {
    let ours = variables.into_iter().filter(|(name, _)| name.starts_with("PRESSWORK_MAX_"));
    let mut read = Reader::new(ours);
    let limits = read.limits();
    if read.wrong.is_empty() { Ok(limits) } else { Err(Wrong(read.wrong)) }
}

/// A name with at least one dot whose last part is not a number: no address can look like it.
fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let last = host.rsplit('.').next().unwrap_or("");
    host.contains('.') && host.split('.').all(label) && last.bytes().any(|b| b.is_ascii_lowercase())
}
