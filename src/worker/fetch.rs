//! An order's assets, from wherever they are into the job's scratch folder.

use super::admission::{Budget, Share};
use super::effect::{Effect, announced};
use super::watchdog::Busy;
use crate::compose::{AssetRef, Source};
use crate::config::FETCHED_AT_ONCE;
use crate::edge::assets::{AssetSources, Opened};
use crate::edge::dir::remote_name;
use crate::edge::store::unavailable;
use crate::error::{Code, Retry, Violation, Violations};
use crate::telemetry::Metrics;
use futures_util::future::join_all;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// What assets are fetched with.
pub(super) struct Means<'a> {
    pub(super) sources: &'a AssetSources,
    /// Bytes of one asset.
    pub(super) limit: u64,
    /// For all of an order's assets, beside what it waits for its share of the budget.
    pub(super) time: Duration,
    pub(super) budget: &'a Budget,
    pub(super) busy: &'a Busy,
    pub(super) metrics: &'a Metrics,
}

/// Opens a few assets, which tells their sizes, takes their share of the input budget, reads them
/// and gives the share back; then the next few. Nothing is held while a share is waited for.
pub(super) async fn fetch(means: &Means<'_>, wanted: &[AssetRef], folder: &Path) -> Result<(), Violations> {
    let Means { sources, limit, budget, .. } = *means;
    let mut left = means.time;
    let keys: Vec<(&AssetRef, &str)> = wanted
        .iter()
        .filter_map(|reference| match &reference.source {
            Source::Order(key) => Some((reference, key.as_str())),
            Source::Catalog(_) => None,
        })
        .collect();
    let mut out = Violations::default();
    for some in keys.chunks(FETCHED_AT_ONCE as usize) {
        let opened = some.iter().map(|(_, key)| announced(Effect::OpenAsset, sources.open(key, limit)));
        let opened = within(&mut left, join_all(opened)).await?;
        let mut known = Vec::new();
        for ((reference, key), opened) in some.iter().zip(opened) {
            let opened = out.absorb(opened.map_err(|v| reference.blame(v)));
            known.extend(opened.map(|opened| (*reference, *key, opened)));
        }
        let need = known.iter().map(|(_, _, opened)| opened.bytes_within(limit)).sum();
        let queued = means.busy.waiting();
        let _share: Share = budget.take(need).await?;
        drop(queued);
        let reading = known.into_iter().map(|(reference, key, opened)| async move {
            keep(opened, key, folder, limit).await.map(|bytes| (key, bytes)).map_err(|v| reference.blame(v))
        });
        for read in within(&mut left, join_all(reading)).await? {
            if let Some((key, bytes)) = out.absorb(read) {
                means.metrics.input_bytes.with_label_values(&[known_format(key)]).observe(bytes as f64);
            }
        }
        // It comes again, whatever the others are like.
        if out.0.iter().any(|violation| violation.retry == Retry::Later) {
            break;
        }
    }
    out.or(())
}

/// Some of the fetching, within what is left of its time.
async fn within<T>(left: &mut Duration, some: impl Future<Output = T>) -> Result<T, Violation> {
    let begin = Instant::now();
    let done = timeout(*left, some).await;
    *left = left.saturating_sub(begin.elapsed());
    done.map_err(|_| Violation::new(Code::AssetTimeout, "the order's pictures take too long to come"))
}

/// A closed set of labels.
fn known_format(key: &str) -> &'static str {
    let path = key.split('?').next().unwrap_or(key);
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" => "jpeg",
        "png" => "png",
        "webp" => "webp",
        "tif" | "tiff" => "tiff",
        "svg" | "svgz" => "svg",
        _ => "other",
    }
}

/// Reads an asset and writes it where the renderer looks for it.
async fn keep(opened: Opened, key: &str, folder: &Path, limit: u64) -> Result<u64, Violation> {
    let bytes = announced(Effect::FetchAsset, opened.read(limit)).await?;
    let path = match key.contains("://") {
        true => folder.join(remote_name(key)),
        false => folder.join(key),
    };
    let write = async {
        if let Some(parent) = path.parent() {
            tokio::fs::create_dir_all(parent).await?;
        }
        tokio::fs::write(&path, &bytes).await
    };
    #[expect(clippy::wildcard_enum_match_arm, reason = "the system's reasons are many")]
    write.await.map_err(|e| match e.kind() {
        ErrorKind::NotADirectory
        | ErrorKind::IsADirectory
        | ErrorKind::AlreadyExists
        | ErrorKind::InvalidFilename => Violation::new(
            Code::AssetRefForbidden,
            "this key cannot be a file beside the order's other keys: a part of it has over 255 bytes, or is another asset's key",
        ),
        // A disk that is full is not the order's doing: it waits.
        kind => unavailable(format!("the scratch folder cannot be written: {kind}")),
    })?;
    Ok(bytes.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    #[tokio::test]
    async fn what_is_left_of_the_time_is_all_that_the_rest_gets() {
        let mut left = Duration::from_millis(20);
        assert_eq!(within(&mut left, ready(7)).await, Ok(7));
        assert_eq!(within(&mut left, pending::<()>()).await.unwrap_err().code, Code::AssetTimeout);
        assert_eq!(left, Duration::ZERO);
        assert_eq!(within(&mut left, pending::<()>()).await.unwrap_err().code, Code::AssetTimeout);
    }
}
