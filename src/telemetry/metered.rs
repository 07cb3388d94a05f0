//! A store whose every request is timed.

use super::Metrics;
use crate::edge::store::{Head, Label, Multipart, Put, Store};
use crate::error::Violation;
use async_trait::async_trait;
use bytes::Bytes;
use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

/// Passes every operation on and observes how long it took.
#[derive(Debug)]
pub struct Metered {
    inner: Arc<dyn Store>,
    metrics: Arc<Metrics>,
}

impl Metered {
    /// Around a store.
    pub fn new(inner: Arc<dyn Store>, metrics: Arc<Metrics>) -> Metered {
        Metered { inner, metrics }
    }
}

async fn timed<T>(
    metrics: &Metrics,
    operation: &str,
    work: impl Future<Output = Result<T, Violation>>,
) -> Result<T, Violation> {
    let begin = Instant::now();
    let result = work.await;
    let outcome = match &result {
        Ok(_) => "ok",
        Err(violation) => violation.code.as_str(),
    };
    metrics.store_seconds.with_label_values(&[operation, outcome]).observe(begin.elapsed().as_secs_f64());
    result
}

#[async_trait]
impl Store for Metered {
    async fn put_if_absent(&self, key: &str, media_type: &str, body: Bytes) -> Result<Put, Violation> {
        timed(&self.metrics, "put_if_absent", self.inner.put_if_absent(key, media_type, body)).await
    }

    async fn put(&self, key: &str, label: Label<'_>, body: Bytes, sha256: [u8; 32]) -> Result<(), Violation> {
        timed(&self.metrics, "put", self.inner.put(key, label, body, sha256)).await
    }

    async fn get(&self, key: &str, max_bytes: u64) -> Result<Option<Bytes>, Violation> {
        timed(&self.metrics, "get", self.inner.get(key, max_bytes)).await
    }

    async fn head(&self, key: &str) -> Result<Option<Head>, Violation> {
        timed(&self.metrics, "head", self.inner.head(key)).await
    }

    async fn delete(&self, key: &str) -> Result<(), Violation> {
        timed(&self.metrics, "delete", self.inner.delete(key)).await
    }

    async fn begin(&self, key: &str, label: Label<'_>) -> Result<Box<dyn Multipart>, Violation> {
        let inner = timed(&self.metrics, "begin", self.inner.begin(key, label)).await?;
        Ok(Box::new(MeteredUpload { inner, metrics: self.metrics.clone() }))
    }

    async fn warnings(&self) -> Vec<String> {
        self.inner.warnings().await
    }

    fn uri(&self, key: &str) -> String {
        self.inner.uri(key)
    }
}

struct MeteredUpload {
    inner: Box<dyn Multipart>,
    metrics: Arc<Metrics>,
}

#[async_trait]
impl Multipart for MeteredUpload {
    async fn part(&mut self, body: Bytes) -> Result<(), Violation> {
        timed(&self.metrics, "part", self.inner.part(body)).await
    }

    async fn complete(self: Box<Self>) -> Result<(), Violation> {
        timed(&self.metrics, "complete", self.inner.complete()).await
    }

    async fn abort(self: Box<Self>) {
        let MeteredUpload { inner, metrics } = *self;
        let aborting = async {
            inner.abort().await;
            Ok(())
        };
        // What could go wrong has been logged where it happened.
        drop(timed(&metrics, "abort", aborting).await);
    }
}
