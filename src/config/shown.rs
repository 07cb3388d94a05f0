//! How the settings are shown: every name with the value in force, and no secret.

use super::{Config, QueueAt, StoreAt};
use crate::telemetry::logs::LogFormat;
use std::path::PathBuf;

impl Config {
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
        let list = |list: &[String]| if list.is_empty() { "-".to_owned() } else { list.join(",") };
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
            ("AMQP_PREFETCH", self.prefetch.to_string()),
            ("AMQP_CA", secret(self.ca_pem.is_some())),
            ("AMQP_CERT", secret(self.identity.is_some())),
            ("AMQP_KEY", secret(self.identity.is_some())),
            ("RESULTS_QUEUE", switch(self.results_queue)),
            ("STORE", place(&self.store)),
            ("ASSETS", place(&self.assets)),
            ("ASSET_HTTPS_ALLOW", list(&self.https_allow)),
            ("CATALOG", path(&self.catalog)),
            ("PROFILES", path(&self.profiles)),
            ("FONTS", path(&self.fonts)),
            ("CLASSES", classes.join(",")),
            ("ARTIFACT_URL_BASE", text(&self.url_base)),
            ("S3_PATH_STYLE", switch(self.s3_path_style)),
            ("S3_CONDITIONAL", switch(!self.s3_unconditional)),
            ("S3_OBJECT_TAGS", text(&self.s3_object_tags)),
            ("S3_SSE_KMS_KEY_ID", text(&self.s3_kms_key)),
            ("S3_ALLOWED_BUCKETS", list(&self.s3_allowed_buckets)),
            ("BIND", self.bind.clone()),
            ("CPU_THREADS", self.threads.to_string()),
            ("MEMORY_BUDGET", self.memory_budget.to_string()),
            ("CACHE_BYTES", self.cache.to_string()),
            ("MAX_ATTEMPTS", self.max_attempts.to_string()),
            ("MAX_JOB_SECONDS", self.job_limit.as_secs().to_string()),
            ("MAX_SRC_BYTES", self.limits.src_bytes.to_string()),
            ("MAX_SRC_PIXELS", self.limits.src_pixels.to_string()),
            ("MAX_SRC_SIDE", self.limits.src_side.to_string()),
            ("MAX_FRAMES", self.limits.frames.to_string()),
            ("MAX_SVG_BYTES", self.limits.svg_bytes.to_string()),
            ("MAX_SVG_NODES", self.limits.svg_nodes.to_string()),
            ("MAX_FONT_BYTES", self.limits.font_bytes.to_string()),
            ("MAX_OUTPUT_PIXELS", self.limits.output_pixels.to_string()),
            ("DRAIN_TIMEOUT", self.drain.as_secs().to_string()),
            ("CONSUMER_TIMEOUT", self.consumer_timeout.as_secs().to_string()),
            ("LOG_FORMAT", self.log_format.map_or("auto", LogFormat::as_str).to_owned()),
        ];
        let lines: Vec<String> =
            lines.into_iter().map(|(name, value)| format!("PRESSWORK_{name} = {value}")).collect();
        lines.join("\n")
    }
}

/// A URL without what stands before its host, and without its query, which may hold a password too.
/// Where a password with `/`, `?` or `#` makes it unclear which part is the host, nothing is shown.
fn masked(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "***".into() };
    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if rest.contains('@') {
        return format!("{scheme}://***");
    }
    let path = rest.find(['?', '#']).map_or(rest, |end| &rest[..end]);
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://***@{host}{path}"),
        None => format!("{scheme}://{authority}{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_password_is_shown() {
        for (url, shown) in [
            ("amqps://u:p%40x@host:5671/%2f?password=hidden", "amqps://***@host:5671/%2f"),
            ("amqp://host/v", "amqp://host/v"),
            ("amqp://user:pa@ss@host/v", "amqp://***@host/v"),
            ("amqp://user:pa?ss@host/v", "amqp://***"),
            ("amqp://user:pa/ss@host", "amqp://***"),
            ("amqp://user:pa#ss@host", "amqp://***"),
            ("amqp://u:pass@host/v?password=hid@den", "amqp://***"),
            ("amqp://u:pass@host#hidden", "amqp://***@host"),
            ("user:pass@host", "***"),
        ] {
            assert_eq!(masked(url), shown, "{url}");
        }
    }
}
