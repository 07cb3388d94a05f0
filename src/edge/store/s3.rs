//! A bucket as a store: Amazon S3 and what speaks its language.
//!
//! Credentials, region and endpoint are found as every AWS program finds them. Parts carry a
//! CRC32 that the store checks, small objects a SHA-256. Requests are retried by the SDK; what
//! still fails is `store.unavailable` or `store.denied`.

use super::retries::CountRetries;
use super::{Head, Label, Multipart, Put, Store, denied, unavailable};
use crate::error::Violation;
use crate::telemetry::Metrics;
use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, ExpirationStatus, LifecycleRule,
    ServerSideEncryption,
};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// The metadata that holds the token of the upload which wrote an object.
const TOKEN: &str = "presswork-token";

/// How a bucket is used.
#[derive(Debug, Clone, Default)]
pub struct S3Settings {
    /// The bucket.
    pub bucket: String,
    /// What every key begins with, without slashes at its ends; may be empty.
    pub prefix: String,
    /// Address the bucket in the path instead of the host's name, as many stores need it.
    pub path_style: bool,
    /// Tags of every object, as `a=b&c=d`.
    pub object_tags: Option<String>,
    /// Encrypt with this KMS key.
    pub kms_key: Option<String>,
}

/// Objects below a prefix of a bucket.
#[derive(Debug, Clone)]
pub struct S3Store {
    client: Client,
    settings: Arc<S3Settings>,
}

impl S3Store {
    /// A client from the environment, as the AWS SDK reads it. What it repeats is counted.
    pub async fn connect(settings: S3Settings, metrics: &Metrics) -> S3Store {
        let shared = aws_config::defaults(aws_config::BehaviorVersion::latest())
            .timeout_config(timeouts())
            .retry_config(RetryConfig::standard().with_max_attempts(4))
            .load()
            .await;
        let config = aws_sdk_s3::config::Builder::from(&shared)
            .force_path_style(settings.path_style)
            .interceptor(CountRetries(metrics.store_retries.clone()));
        S3Store::with_client(Client::from_conf(config.build()), settings)
    }

    /// A store on a client that stands already.
    pub fn with_client(client: Client, settings: S3Settings) -> S3Store {
        S3Store { client, settings: Arc::new(settings) }
    }

    fn key(&self, key: &str) -> String {
        match self.settings.prefix.as_str() {
            "" => key.to_owned(),
            prefix => format!("{prefix}/{key}"),
        }
    }

    /// A request that puts a whole object.
    fn object(&self, key: &str, media_type: &str, body: Bytes) -> PutObjectFluentBuilder {
        self.client
            .put_object()
            .bucket(&self.settings.bucket)
            .key(self.key(key))
            .content_type(media_type)
            .set_tagging(self.settings.object_tags.clone())
            .set_server_side_encryption(self.encryption())
            .set_ssekms_key_id(self.settings.kms_key.clone())
            .body(ByteStream::from(body))
    }

    fn encryption(&self) -> Option<ServerSideEncryption> {
        self.settings.kms_key.as_ref().map(|_| ServerSideEncryption::AwsKms)
    }
}

/// No request waits for ever: a stuck one is worse than a failed one.
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .read_timeout(Duration::from_secs(20))
        .operation_attempt_timeout(Duration::from_secs(60))
        .operation_timeout(Duration::from_secs(150))
        .build()
}

/// Bytes of an object's name, by S3's documentation.
const LONGEST_KEY: usize = 1024;

/// The answer's HTTP status, where there was an answer.
fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

fn failed<E>(error: SdkError<E, HttpResponse>) -> Violation
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    // Hosts and reasons are for the log, not for a customer's event. What the store itself writes
    // repeats keys, and a key may be named after a customer's photo: of that only its code is told.
    match (status(&error), error.meta().code()) {
        (Some(status), code) => tracing::warn!(status, code, "a store request failed"),
        (None, _) => tracing::warn!(error = %DisplayErrorContext(&error), "a store request failed"),
    }
    match status(&error) {
        Some(code @ (401 | 403)) => denied(code),
        Some(code) => unavailable(format!("status {code}")),
        None => unavailable("no answer"),
    }
}

/// Why an object cannot be read. A question that has no right answer, as for an object under a customer's own
/// key, is refused however often it is asked; a write with that answer may have been damaged on its way.
fn unread<E>(error: SdkError<E, HttpResponse>) -> Violation
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let refused = status(&error) == Some(400);
    let violation = failed(error);
    if refused { denied(400) } else { violation }
}

#[async_trait]
impl Store for S3Store {
    async fn put_if_absent(&self, key: &str, media_type: &str, body: Bytes) -> Result<Put, Violation> {
        // 409: another conditional write of the same key is under way; which of them won is seen
        // by asking again.
        let mut pause = Duration::from_millis(50);
        loop {
            let request = self.object(key, media_type, body.clone()).if_none_match("*");
            match request.send().await {
                Ok(_) => return Ok(Put::Created),
                Err(e) if status(&e) == Some(412) => return Ok(Put::Exists),
                Err(e) if status(&e) == Some(409) && pause < Duration::from_secs(2) => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Err(e) => return Err(failed(e)),
            }
        }
    }

    async fn put(&self, key: &str, label: Label<'_>, body: Bytes, sha256: [u8; 32]) -> Result<(), Violation> {
        let request = self
            .object(key, label.media_type, body)
            .set_metadata(marked(label.token))
            .checksum_sha256(BASE64_STANDARD.encode(sha256));
        request.send().await.map(drop).map_err(failed)
    }

    async fn get(&self, key: &str, max_bytes: u64) -> Result<Option<Bytes>, Violation> {
        let request = self.client.get_object().bucket(&self.settings.bucket).key(self.key(key));
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(e) if e.as_service_error().is_some_and(|e| e.is_no_such_key()) => return Ok(None),
            Err(e) => return Err(unread(e)),
        };
        let too_large = || unavailable(format!("an object has more than {max_bytes} bytes"));
        if answer.content_length().is_some_and(|bytes| bytes.unsigned_abs() > max_bytes) {
            return Err(too_large());
        }
        let body = answer.body.collect().await.map_err(|_| unavailable("an object broke off"))?;
        let body = body.into_bytes();
        if body.len() as u64 > max_bytes { Err(too_large()) } else { Ok(Some(body)) }
    }

    async fn head(&self, key: &str) -> Result<Option<Head>, Violation> {
        // With its prefix a key may be longer than an object's name can be; asking would be refused for ever.
        if self.key(key).len() > LONGEST_KEY {
            return Ok(None);
        }
        let request = self.client.head_object().bucket(&self.settings.bucket).key(self.key(key));
        match request.send().await {
            Ok(facts) => Ok(Some(seen(&facts))),
            Err(e) if status(&e) == Some(404) => Ok(None),
            Err(e) => Err(unread(e)),
        }
    }

    async fn delete(&self, key: &str) -> Result<(), Violation> {
        let request = self.client.delete_object().bucket(&self.settings.bucket).key(self.key(key));
        request.send().await.map(drop).map_err(failed)
    }

    async fn begin(&self, key: &str, label: Label<'_>) -> Result<Box<dyn Multipart>, Violation> {
        let key = self.key(key);
        let request = self
            .client
            .create_multipart_upload()
            .bucket(&self.settings.bucket)
            .key(&key)
            .content_type(label.media_type)
            .set_metadata(marked(label.token))
            .set_tagging(self.settings.object_tags.clone())
            .set_server_side_encryption(self.encryption())
            .set_ssekms_key_id(self.settings.kms_key.clone())
            .checksum_algorithm(ChecksumAlgorithm::Crc32);
        let answer = request.send().await.map_err(failed)?;
        let id = answer.upload_id().ok_or_else(|| unavailable("an upload has no id"))?.to_owned();
        let token = label.token.to_owned();
        Ok(Box::new(Upload { store: self.clone(), key, token, id, parts: Vec::new(), bytes: 0 }))
    }

    async fn warnings(&self) -> Vec<String> {
        let asked = self.client.get_bucket_lifecycle_configuration().bucket(&self.settings.bucket);
        let why = match asked.send().await {
            Ok(answer) if answer.rules().iter().any(ends_uploads) => return Vec::new(),
            Ok(_) => "no lifecycle rule of the bucket does that",
            Err(e) if status(&e) == Some(404) => "the bucket has no lifecycle rules",
            Err(_) => "the bucket's lifecycle rules cannot be read",
        };
        vec![format!(
            "uploads that a killed worker began have to be ended by a rule, and {why}: add AbortIncompleteMultipartUpload after one day"
        )]
    }

    fn uri(&self, key: &str) -> String {
        format!("s3://{}/{}", self.settings.bucket, self.key(key))
    }
}

/// The metadata of an object that an upload writes.
fn marked(token: &str) -> Option<HashMap<String, String>> {
    (!token.is_empty()).then(|| HashMap::from([(TOKEN.to_owned(), token.to_owned())]))
}

fn seen(facts: &HeadObjectOutput) -> Head {
    Head {
        bytes: facts.content_length().unwrap_or_default().unsigned_abs(),
        token: facts.metadata().and_then(|kept| kept.get(TOKEN)).cloned(),
    }
}

/// Whether a rule ends what was begun and never completed.
fn ends_uploads(rule: &LifecycleRule) -> bool {
    let enabled = rule.status() == &ExpirationStatus::Enabled;
    enabled
        && rule.abort_incomplete_multipart_upload().is_some_and(|rule| rule.days_after_initiation().is_some())
}

/// A multipart upload.
struct Upload {
    store: S3Store,
    key: String,
    token: String,
    id: String,
    parts: Vec<CompletedPart>,
    bytes: u64,
}

#[async_trait]
impl Multipart for Upload {
    async fn part(&mut self, body: Bytes) -> Result<(), Violation> {
        let number = self.parts.len() as i32 + 1;
        let bytes = body.len() as u64;
        let request = self
            .store
            .client
            .upload_part()
            .bucket(&self.store.settings.bucket)
            .key(&self.key)
            .upload_id(&self.id)
            .part_number(number)
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .body(ByteStream::from(body));
        let answer = request.send().await.map_err(failed)?;
        let part = CompletedPart::builder()
            .part_number(number)
            .set_e_tag(answer.e_tag().map(str::to_owned))
            .set_checksum_crc32(answer.checksum_crc32().map(str::to_owned));
        self.parts.push(part.build());
        self.bytes += bytes;
        Ok(())
    }

    async fn complete(self: Box<Self>) -> Result<(), Violation> {
        let Upload { store, key, token, id, parts, bytes } = *self;
        let request = store
            .client
            .complete_multipart_upload()
            .bucket(&store.settings.bucket)
            .key(&key)
            .upload_id(&id)
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build());
        let Err(error) = request.send().await else {
            return Ok(());
        };
        // The answer may have been lost after the store did its work. An object with this upload's
        // token and size is this one; of the size alone it could be anybody's.
        let ours = Head { bytes, token: Some(token) };
        match store.client.head_object().bucket(&store.settings.bucket).key(&key).send().await {
            Ok(facts) if seen(&facts) == ours => Ok(()),
            Ok(_) | Err(_) => {
                let abort = store.client.abort_multipart_upload();
                let abort = abort.bucket(&store.settings.bucket).key(&key).upload_id(&id);
                if let Err(e) = abort.send().await {
                    drop(failed(e));
                    tracing::warn!("an upload could not be aborted");
                }
                Err(failed(error))
            }
        }
    }

    async fn abort(self: Box<Self>) {
        let request = self.store.client.abort_multipart_upload();
        let request = request.bucket(&self.store.settings.bucket).key(&self.key).upload_id(&self.id);
        if let Err(e) = request.send().await {
            drop(failed(e));
            tracing::warn!("an upload could not be aborted");
        }
    }
}
