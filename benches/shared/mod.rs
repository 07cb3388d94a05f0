//! What the benchmarks share: their orders, their pictures, and files that nobody keeps.

#![allow(dead_code, unused_imports, reason = "each benchmark takes what it needs")]

mod away;

pub(crate) use away::Away;
use presswork::app::{App, Places, Prepared};
use presswork::asset::Limits;
use presswork::control::Control;
use presswork::order::Draft;
use std::path::{Path, PathBuf};

/// The repository's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A picture that `benches/peers/setup.sh` makes.
pub(crate) fn asset(name: &str) -> Vec<u8> {
    let path = root().join("benches/assets").join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}; run benches/peers/setup.sh", path.display()))
}

/// What a worker has at hand: the catalog and the assets of a folder, the shipped profiles, the fonts.
pub(crate) fn app(folder: &str) -> App {
    let places = Places {
        catalog: Some(root().join(folder).join("catalog")),
        assets: Some(root().join(folder).join("assets")),
        profiles: Some(root().join("render-profiles")),
        fonts: None,
    };
    App::new(places, Limits::default()).unwrap()
}

/// Where the order of a job lies.
pub(crate) fn order_path(job: &str) -> PathBuf {
    root().join("benches/jobs").join(format!("{job}.json"))
}

/// The bytes of a job's order.
pub(crate) fn order(job: &str) -> Vec<u8> {
    std::fs::read(order_path(job)).unwrap()
}

/// A job's scene.
pub(crate) fn prepare(app: &App, job: &str) -> Prepared {
    let draft = Draft::parse(&order(job)).unwrap();
    app.prepare(&order_path(job), &draft, Control::NONE, &mut |_| {}).unwrap()
}
