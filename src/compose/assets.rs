//! What an order needs, and what came of it: references out, probed handles in.
//!
//! [`plan`](super::plan) lists [`AssetRef`]s, an edge fetches their bytes, and
//! [`Assets::probe`] turns them into handles whose headers are known.

use crate::asset::{Encoded, Limits, Origin, Picture, Sharing};
use crate::cache::Cache;
use crate::catalog::Output;
use crate::error::{Code, Violation, Violations};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where an asset comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A file of the catalog, by its path below the catalog's root.
    Catalog(String),
    /// An asset of the order, by its key.
    Order(String),
}

/// One thing an order needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetRef {
    /// Where it comes from.
    pub source: Source,
    /// Its declared SHA-256, lower-case hex.
    pub sha256: Option<String>,
    /// The order's value that names it, for errors.
    pub pointer: Option<String>,
}

impl AssetRef {
    /// A file of the catalog.
    pub fn catalog(path: String) -> Self {
        AssetRef { source: Source::Catalog(path), sha256: None, pointer: None }
    }

    /// Puts a violation about this asset in its place: the order's value, or the template.
    pub fn blame(&self, violation: Violation) -> Violation {
        self.origin().blame(violation)
    }

    /// Who answers for it.
    pub fn origin(&self) -> Origin {
        match (&self.source, &self.pointer) {
            (Source::Catalog(path), _) => Origin::Catalog(path.clone()),
            (Source::Order(_), Some(pointer)) => Origin::Order(pointer.clone()),
            (Source::Order(_), None) => Origin::Unknown,
        }
    }
}

/// A fetched asset: a picture, or vector art still to be parsed.
#[derive(Debug, Clone)]
pub enum Asset {
    /// Pixels, probed.
    Picture(Arc<Picture>),
    /// SVG or SVGZ.
    Vector(Arc<[u8]>),
}

/// Everything an order needs, fetched and probed.
#[derive(Debug, Clone, Default)]
pub struct Assets {
    found: BTreeMap<Source, (Asset, AssetRef)>,
    used: Vec<(String, String, u64)>,
    cache: Option<Arc<Cache>>,
}

impl Assets {
    /// Probes what was fetched. All violations at once: wrong hashes, types that are not read,
    /// headers over a limit.
    pub fn probe(fetched: Vec<(AssetRef, Encoded)>, limits: &Limits) -> Result<Assets, Violations> {
        let probed: Vec<_> = fetched
            .into_par_iter()
            .map(|(reference, bytes)| (reference.clone(), probe_one(&reference, bytes, limits)))
            .collect();
        let mut out = Violations::default();
        let mut assets = Assets::default();
        for (reference, result) in probed {
            if let Some((asset, hash, bytes)) = out.absorb(result.map_err(|v| reference.blame(v))) {
                if let Source::Order(key) = &reference.source {
                    assets.used.push((key.clone(), hash, bytes));
                }
                assets.found.insert(reference.source.clone(), (asset, reference));
            }
        }
        out.or(assets)
    }

    /// The same, with a cache of the catalog's parsed art and decoded pictures.
    #[must_use]
    pub fn with_cache(mut self, cache: Arc<Cache>) -> Assets {
        for (source, (asset, _)) in &mut self.found {
            if let (Source::Catalog(_), Asset::Picture(picture)) = (source, asset) {
                // Nobody else holds what was only just probed.
                if let Some(probed) = Arc::get_mut(picture) {
                    probed.keep_in(cache.clone());
                }
            }
        }
        Assets { cache: Some(cache), ..self }
    }

    /// The same, for an order's outputs: what several of them show is decoded once. A preview shows it smaller
    /// than the others.
    #[must_use]
    pub fn shown_by(mut self, outputs: &[Output]) -> Assets {
        if outputs.iter().filter(|output| **output != Output::Preview).count() < 2 {
            return self;
        }
        let sharing = Sharing::default();
        for (asset, _) in self.found.values_mut() {
            // Nobody else holds what was only just probed.
            if let Asset::Picture(picture) = asset
                && let Some(probed) = Arc::get_mut(picture)
            {
                probed.share(sharing.clone());
            }
        }
        self
    }

    /// The cache of parsed art, for what comes from the catalog. A customer's art is nobody else's.
    pub(super) fn cache_of(&self, source: &Source) -> Option<&Arc<Cache>> {
        match source {
            Source::Catalog(_) => self.cache.as_ref(),
            Source::Order(_) => None,
        }
    }

    /// A fetched asset. Planning and composing walk the same layers, so one that is missing is
    /// a fault of this program.
    pub fn get(&self, source: &Source) -> Result<(&Asset, &AssetRef), Violation> {
        let found = self.found.get(source).map(|(asset, reference)| (asset, reference));
        found.ok_or_else(|| Violation::new(Code::InternalError, "an asset was used that was not planned"))
    }

    /// The order's own assets: key, SHA-256 in hex, bytes.
    pub fn used(&self) -> &[(String, String, u64)] {
        &self.used
    }
}

fn probe_one(
    reference: &AssetRef,
    bytes: Encoded,
    limits: &Limits,
) -> Result<(Asset, String, u64), Violation> {
    let size = bytes.len();
    if size == 0 {
        return Err(Violation::new(Code::AssetEmpty, "this file has no bytes: upload it again"));
    }
    if size > limits.src_bytes {
        return Err(Violation::new(
            Code::AssetTooLarge,
            format!("a file has at most {} bytes", limits.src_bytes),
        )
        .limit(limits.src_bytes));
    }
    let loaded = bytes.load()?;
    let digest: [u8; 32] = Sha256::digest(&loaded).into();
    let hash = hex::encode(digest);
    if reference.sha256.as_ref().is_some_and(|declared| !declared.eq_ignore_ascii_case(&hash)) {
        return Err(Violation::new(
            Code::AssetChecksumMismatch,
            "the bytes that arrived have another SHA-256 than the order declares",
        ));
    }
    if is_vector(&loaded) {
        return Ok((Asset::Vector(loaded), hash, size));
    }
    let picture = Picture::probe_loaded(bytes, &loaded, digest, limits)?;
    Ok((Asset::Picture(Arc::new(picture.of(reference.origin()))), hash, size))
}

/// SVG text or gzip (SVGZ), by their first bytes.
fn is_vector(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let start = text.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(0);
    let text = &text[start..];
    text.starts_with(b"\x1f\x8b")
        || text.starts_with(b"<svg")
        || text.starts_with(b"<?xml")
        || text.starts_with(b"<!DOCTYPE svg")
        || text.starts_with(b"<!--")
}
