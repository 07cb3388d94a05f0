//! Counts what the S3 client repeats on its own.

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use prometheus::IntCounterVec;

/// Hears of every attempt at a request; the first is no retry.
#[derive(Debug)]
pub(super) struct CountRetries(pub(super) IntCounterVec);

impl Intercept for CountRetries {
    fn name(&self) -> &'static str {
        "CountRetries"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if cfg.load::<RequestAttempts>().is_some_and(|attempts| attempts.attempts() > 1) {
            let operation = operation(cfg.load::<Metadata>().map_or("", Metadata::name));
            self.0.with_label_values(&[operation]).inc();
        }
        Ok(())
    }
}

/// The operations under the names that their durations have. Conditional or not, a put is a put.
fn operation(name: &str) -> &'static str {
    match name {
        "PutObject" => "put",
        "GetObject" => "get",
        "HeadObject" => "head",
        "DeleteObject" => "delete",
        "CreateMultipartUpload" => "begin",
        "UploadPart" => "part",
        "CompleteMultipartUpload" => "complete",
        "AbortMultipartUpload" => "abort",
        _ => "other",
    }
}
