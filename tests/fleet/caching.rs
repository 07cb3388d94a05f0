//! What orders share is kept by content: a file that changes under its name is seen at once, and
//! nothing else about the output depends on what was kept.

use presswork::app::{App, Places};
use presswork::asset::{Format, Limits};
use presswork::cache::Cache;
use presswork::control::{Control, Watch, Work};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tempfile::TempDir;

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

struct Shop {
    folder: TempDir,
    hits: Arc<AtomicUsize>,
    misses: Arc<AtomicUsize>,
}

impl Shop {
    fn new() -> Shop {
        let folder = TempDir::new().unwrap();
        copy(&fixtures().join("catalog/gift-tag"), &folder.path().join("catalog/gift-tag"));
        copy(
            &PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("render-profiles"),
            &folder.path().join("profiles"),
        );
        // The preview is enough, and quick.
        let source = fixtures().join("orders/gift-tag-customized.json");
        let mut order: serde_json::Value = serde_json::from_slice(&fs::read(source).unwrap()).unwrap();
        order["outputs"] = serde_json::json!(["preview"]);
        fs::write(folder.path().join("order.json"), order.to_string()).unwrap();
        Shop { folder, hits: Arc::default(), misses: Arc::default() }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn app(&self, bytes: u64) -> App {
        let (hits, misses) = (self.hits.clone(), self.misses.clone());
        let cache = Cache::new(bytes).told_to(move |hit| {
            let counter = if hit { &hits } else { &misses };
            counter.fetch_add(1, Ordering::Relaxed);
        });
        let places = Places {
            catalog: Some(self.at("catalog")),
            profiles: Some(self.at("profiles")),
            assets: Some(fixtures().join("assets")),
            fonts: None,
        };
        App::with_cache(places, Limits::default(), cache).unwrap()
    }

    /// SHA-256 of every file of the order, by name, and of what it was made by.
    fn made(&self, app: &App) -> BTreeMap<String, String> {
        let order = self.at("order.json");
        let outcome = app.run(&order, &self.at("out"), Control::NONE, &mut |_| {});
        let data = outcome.event.data;
        assert!(data.errors.is_empty(), "{:?}", data.errors);
        let mut made: BTreeMap<_, _> = data.artifacts.into_iter().map(|a| (a.uri, a.sha256)).collect();
        made.insert("template".into(), data.template_digest.unwrap());
        made.insert("profile".into(), data.profile_digest.unwrap());
        made
    }

    fn counted(&self) -> (usize, usize) {
        (self.hits.swap(0, Ordering::Relaxed), self.misses.swap(0, Ordering::Relaxed))
    }
}

fn change(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{} says nothing of {from}", path.display());
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn what_changes_is_seen_and_what_does_not_is_kept() {
    let shop = Shop::new();
    let app = shop.app(64 << 20);
    let first = shop.made(&app);
    assert_eq!(shop.counted().0, 0, "nothing could be known");
    assert_eq!(shop.made(&app), first);
    let (hits, misses) = shop.counted();
    assert!(hits >= 4 && misses == 0, "{hits} hits, {misses} misses");
    // Without a cache, and with one that is too small for most, the same comes out.
    assert_eq!(shop.made(&shop.app(0)), first);
    assert_eq!(shop.made(&shop.app(20_000)), first);

    for (path, from, to) in [
        (shop.at("catalog/gift-tag/1/robin.svg"), "<path", "<path transform=\"translate(2 1)\""),
        (shop.at("catalog/gift-tag/1/template.json"), "\"Gift tag\"", "\"Fine gift tag\""),
        (shop.at("profiles/paper-card.toml"), "dpi = 300", "dpi = 200"),
    ] {
        let before = fs::read(&path).unwrap();
        change(&path, from, to);
        let changed = shop.made(&app);
        assert_ne!(changed, first, "{} was not read again", path.display());
        assert_eq!(changed, shop.made(&shop.app(64 << 20)), "an old version of {}", path.display());
        fs::write(&path, before).unwrap();
        assert_eq!(shop.made(&app), first);
    }
}

/// Counts the pixels that are decoded.
#[derive(Default)]
struct Decoded(AtomicU64);

impl Watch for Decoded {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn spent(&self, _: Work, _: Duration) {}

    fn decoded(&self, _: Format, pixels: u64) {
        self.0.fetch_add(pixels, Ordering::Relaxed);
    }
}

#[test]
fn the_catalogs_pictures_are_decoded_once_and_the_customers_every_time() {
    let shop = Shop::new();
    let decoded = Decoded::default();
    let made = |app: &App, order: &str| {
        let control = Control::NONE.watched_by(&decoded);
        let outcome = app.run(&shop.at(order), &shop.at("out"), control, &mut |_| {});
        assert!(outcome.event.data.errors.is_empty(), "{:?}", outcome.event.data.errors);
        let artifacts = outcome.event.data.artifacts.into_iter();
        (artifacts.map(|a| a.sha256).collect::<Vec<_>>(), decoded.0.swap(0, Ordering::Relaxed))
    };
    let app = shop.app(64 << 20);
    let (first, pixels) = made(&app, "order.json");
    assert!(pixels > 0, "the tag is printed on a picture of kraft paper");
    assert_eq!(made(&app, "order.json"), (first.clone(), 0));
    // Nothing is kept where one picture would fill the cache.
    let small = shop.app(200_000);
    assert_eq!(made(&small, "order.json"), (first.clone(), pixels));
    assert_eq!(made(&small, "order.json"), (first.clone(), pixels));
    // Another file, of the same picture: bytes after its end are no part of it.
    let kraft = shop.at("catalog/gift-tag/1/kraft.jpg");
    let mut bytes = fs::read(&kraft).unwrap();
    bytes.push(0);
    fs::write(&kraft, bytes).unwrap();
    assert_eq!(made(&app, "order.json"), (first, pixels));

    let source = fixtures().join("orders/gift-tag-photo.json");
    let mut photo: serde_json::Value = serde_json::from_slice(&fs::read(source).unwrap()).unwrap();
    photo["outputs"] = serde_json::json!(["preview"]);
    fs::write(shop.at("photo.json"), photo.to_string()).unwrap();
    let (first, pixels) = made(&app, "photo.json");
    assert!(pixels > 0);
    assert_eq!(made(&app, "photo.json"), (first, pixels));
}
