//! What each stage of an order costs, and the jobs of `benches/jobs` from scene to file.
//!
//! Needs the pictures that `benches/peers/setup.sh` makes.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark that cannot go on stops")]

#[path = "pdf/away.rs"]
mod away;

use away::Away;
use criterion::{Criterion, criterion_group, criterion_main};
use presswork::app::{App, Places, Prepared};
use presswork::art::{Art, Recolor};
use presswork::asset::{Depth, Encoded, Limits, Picture};
use presswork::catalog::Output;
use presswork::control::Control;
use presswork::error::Violation;
use presswork::order::Draft;
use presswork::raster::{Band, Packed, PngOptions, PngSink, Sink, paint};
use presswork::render::{Job, png_frame};
use presswork::text::FontLibrary;
use std::hint::black_box;
use std::path::{Path, PathBuf};

fn benches() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches")
}

fn asset(name: &str) -> Vec<u8> {
    let path = benches().join("assets").join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}; run benches/peers/setup.sh", path.display()))
}

fn app() -> App {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = Places {
        catalog: Some(benches().join("catalog")),
        assets: Some(benches().join("assets")),
        profiles: Some(root.join("render-profiles")),
        fonts: None,
    };
    App::new(places, Limits::default()).unwrap()
}

fn prepare(app: &App, job: &str) -> Prepared {
    let path = benches().join("jobs").join(format!("{job}.json"));
    let draft = Draft::parse(&std::fs::read(&path).unwrap()).unwrap();
    app.prepare(&path, &draft, Control::NONE, &mut |_| {}).unwrap()
}

/// Painted bands that nobody encodes.
struct Unencoded;

impl Sink for Unencoded {
    fn encode(&self, band: &Band<'_>) -> Result<Packed, Violation> {
        black_box(&band.rows);
        Ok(Packed::default())
    }

    fn write(&self, _packed: Packed) -> Result<(), Violation> {
        Ok(())
    }
}

fn stages(c: &mut Criterion) {
    let limits = Limits::default();
    let mut group = c.benchmark_group("stage");
    group.sample_size(10);
    for (name, file) in [("decode 12 MP JPEG", "photo.jpg"), ("decode 600 px PNG", "face.png")] {
        let picture = Picture::probe(Encoded::Memory(asset(file).into()), &limits).unwrap();
        group.bench_function(name, |b| b.iter(|| picture.decode(Depth::Eight).unwrap()));
    }
    let art = asset("art.svg");
    let fonts = FontLibrary::builtin();
    group.bench_function("art", |b| {
        b.iter(|| Art::load(&art, fonts.fontdb(), &limits).unwrap().group(&Recolor::default()).unwrap());
    });
    group.bench_function("fonts", |b| b.iter(FontLibrary::builtin));
    let app = app();
    for job in ["tee", "mug", "wrap", "wrap-tumble"] {
        group.bench_function(format!("layout {job}"), |b| b.iter(|| prepare(&app, job)));
        let prepared = prepare(&app, job);
        let surface = &prepared.composed.scene.surfaces[0];
        let frame = png_frame(surface, prepared.order.profile()).unwrap();
        group.bench_function(format!("paint {job}"), |b| {
            b.iter(|| paint(surface, &frame, &limits, Control::NONE, &Unencoded).unwrap());
        });
        group.bench_function(format!("paint and encode {job}"), |b| {
            b.iter(|| {
                let sink = PngSink::new(std::io::sink(), &frame, PngOptions::default()).unwrap();
                paint(surface, &frame, &limits, Control::NONE, &sink).unwrap();
                sink.finish().unwrap()
            });
        });
    }
    group.finish();
}

fn jobs(c: &mut Criterion) {
    let app = app();
    let mut group = c.benchmark_group("job");
    group.sample_size(10);
    for (job, output) in [
        ("tee", Output::Png),
        ("tee-dtg", Output::Png),
        ("mug", Output::Png),
        ("mug", Output::Pdf),
        ("wrap", Output::Png),
        ("wrap-tumble", Output::Png),
    ] {
        let prepared = prepare(&app, job);
        group.bench_function(format!("{job} {}", output.as_str()), |b| {
            b.iter(|| {
                let job = Job {
                    scene: &prepared.composed.scene,
                    profile: prepared.order.profile(),
                    outputs: &[output],
                    title: job,
                    press: None,
                    slug: None,
                    limits: app.limits(),
                    control: Control::NONE,
                };
                job.render(&mut Away, &mut |_| {}).unwrap()
            });
        });
    }
    group.finish();
}

criterion_group!(all, stages, jobs);
criterion_main!(all);
