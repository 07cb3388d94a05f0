//! An order's assets, from a bucket into the job's scratch folder.

use super::admission::{Budget, Share};
use crate::compose::{AssetRef, Source};
use crate::edge::store::Store;
use crate::error::{Code, Violation, Violations};
use crate::order::field::is_safe_key;
use crate::telemetry::Metrics;
use futures_util::future::join_all;
use std::path::Path;

/// Requests at once for one job.
const AT_ONCE: usize = 8;

/// Asks for the sizes, takes the job's share of the input budget, and fetches. The share is held
/// until the files are gone from memory, which is when this returns.
pub(super) async fn fetch(
    store: &dyn Store,
    wanted: &[AssetRef],
    folder: &Path,
    limit: u64,
    budget: &Budget,
    metrics: &Metrics,
) -> Result<(), Violations> {
    let keys: Vec<(&AssetRef, &str)> = wanted
        .iter()
        .filter_map(|reference| match &reference.source {
            Source::Order(key) => Some((reference, key.as_str())),
            Source::Catalog(_) => None,
        })
        .collect();
    let mut out = Violations::default();
    let mut known = Vec::new();
    for some in keys.chunks(AT_ONCE) {
        let sizes = join_all(some.iter().map(|(_, key)| size(store, key, limit))).await;
        for ((reference, key), size) in some.iter().zip(sizes) {
            known.extend(
                out.absorb(size.map_err(|v| reference.blame(v))).map(|size| (*reference, *key, size)),
            );
        }
    }
    let known = out.or(known)?;
    let _share: Share = budget.take(known.iter().map(|(_, _, bytes)| bytes).sum()).await?;
    let mut out = Violations::default();
    for some in known.chunks(AT_ONCE) {
        let done = join_all(some.iter().map(|(_, key, _)| one(store, key, folder, limit))).await;
        for ((reference, key, _), bytes) in some.iter().zip(done) {
            if let Some(bytes) = out.absorb(bytes.map_err(|v| reference.blame(v))) {
                metrics.input_bytes.with_label_values(&[known_format(key)]).observe(bytes as f64);
            }
        }
    }
    out.or(())
}

/// A closed set of labels.
fn known_format(key: &str) -> &'static str {
    let extension = key.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" => "jpeg",
        "png" => "png",
        "webp" => "webp",
        "tif" | "tiff" => "tiff",
        "svg" | "svgz" => "svg",
        _ => "other",
    }
}

fn missing() -> Violation {
    Violation::new(Code::AssetNotFound, "there is no such asset: upload it, or correct the key")
}

async fn size(store: &dyn Store, key: &str, limit: u64) -> Result<u64, Violation> {
    if !is_safe_key(key) {
        return Err(Violation::new(
            Code::AssetRefForbidden,
            "an asset is a relative key that stays in its folder",
        ));
    }
    let head = store.head(key).await?.ok_or_else(missing)?;
    if head.bytes > limit {
        return Err(
            Violation::new(Code::AssetTooLarge, format!("a file has at most {limit} bytes")).limit(limit)
        );
    }
    Ok(head.bytes)
}

async fn one(store: &dyn Store, key: &str, folder: &Path, limit: u64) -> Result<u64, Violation> {
    let bytes = store.get(key, limit).await?.ok_or_else(missing)?;
    let path = folder.join(key);
    let write = async {
        if let Some(parent) = path.parent() {
            tokio::fs::create_dir_all(parent).await?;
        }
        tokio::fs::write(&path, &bytes).await
    };
    write.await.map_err(|e| {
        Violation::new(Code::InternalError, format!("the scratch folder cannot be written: {}", e.kind()))
    })?;
    Ok(bytes.len() as u64)
}
