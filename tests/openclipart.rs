//! Real clipart, thousands of files: each renders or says why not, none panics, none is blank unsaid.
//!
//! A fixed sample (every 40th file) normally; `PRESSWORK_CORPUS=full` takes all of them.

use presswork::art::{Art, Recolor};
use presswork::asset::Limits;
use presswork::error::Code;
use resvg::{tiny_skia, usvg};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

const ROOT: &str = "/usr/share/openclipart/svg";
/// Files that are looked at in detail.
const SAMPLE_STEP: usize = 40;

/// The files under test, sorted.
fn corpus() -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(Path::new(ROOT), &mut files);
    assert!(files.len() > 8_000, "needs the corpus: apt-get install openclipart-svg");
    files.sort();
    let step = if std::env::var("PRESSWORK_CORPUS").is_ok_and(|v| v == "full") { 1 } else { SAMPLE_STEP };
    files.into_iter().step_by(step).collect()
}

fn collect(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            collect(&path, out);
        } else if path.extension().is_some_and(|ext| ext == "svg") {
            out.push(path);
        }
    }
}

fn fonts() -> Arc<usvg::fontdb::Database> {
    let mut fonts = usvg::fontdb::Database::new();
    for font in typst_assets::fonts() {
        fonts.load_font_data(font.to_vec());
    }
    fonts.set_sans_serif_family("DejaVu Sans Mono");
    fonts.set_serif_family("Libertinus Serif");
    Arc::new(fonts)
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Drawn,
    Blank,
    Refused(Code),
    Panicked,
}

fn outcome(path: &Path, fonts: &Arc<usvg::fontdb::Database>) -> (Outcome, Vec<Code>) {
    let bytes = std::fs::read(path).unwrap();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let art = match Art::load(&bytes, fonts.clone(), &Limits::default()) {
            Ok(art) => art,
            Err(violations) => return (Outcome::Refused(violations.0[0].code), Vec::new()),
        };
        let findings = art.findings().iter().map(|finding| finding.code).collect();
        let group = match art.group(&Recolor::default()) {
            Ok(group) => group,
            Err(violation) => return (Outcome::Refused(violation.code), findings),
        };
        let drawn = !group.nodes.is_empty() && inked(&bytes, fonts);
        (if drawn { Outcome::Drawn } else { Outcome::Blank }, findings)
    }));
    result.unwrap_or((Outcome::Panicked, Vec::new()))
}

/// Whether another path from bytes to pixels, usvg and resvg alone, leaves any ink or any picture.
fn inked(bytes: &[u8], fonts: &Arc<usvg::fontdb::Database>) -> bool {
    let text =
        String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| bytes.iter().map(|b| char::from(*b)).collect());
    let options = usvg::Options {
        fontdb: fonts.clone(),
        image_href_resolver: usvg::ImageHrefResolver {
            resolve_string: Box::new(|_, _| None),
            ..Default::default()
        },
        ..Default::default()
    };
    let tree = usvg::Tree::from_str(&text, &options).unwrap();
    let scale = 200.0 / tree.size().width().max(tree.size().height());
    let side = |length: f32| (length * scale).ceil().max(1.0) as u32;
    let mut pixmap = tiny_skia::Pixmap::new(side(tree.size().width()), side(tree.size().height())).unwrap();
    resvg::render(&tree, usvg::Transform::from_scale(scale, scale), &mut pixmap.as_mut());
    pixmap.pixels().iter().any(|pixel| pixel.alpha() > 0) || text.contains("data:image")
}

#[test]
fn every_file_is_drawn_or_says_why_not() {
    let (files, fonts) = (corpus(), fonts());
    let (mut counts, mut findings) = (BTreeMap::<String, usize>::new(), BTreeMap::<String, usize>::new());
    let (mut wrong, mut slowest) = (Vec::new(), (Duration::ZERO, PathBuf::new()));
    let start = Instant::now();
    for path in &files {
        let began = Instant::now();
        let (outcome, found) = outcome(path, &fonts);
        if began.elapsed() > slowest.0 {
            slowest = (began.elapsed(), path.clone());
        }
        let name = match &outcome {
            Outcome::Refused(code) => code.to_string(),
            Outcome::Drawn | Outcome::Blank | Outcome::Panicked => format!("{outcome:?}"),
        };
        *counts.entry(name.clone()).or_default() += 1;
        found.iter().for_each(|code| *findings.entry(code.to_string()).or_default() += 1);
        if matches!(outcome, Outcome::Refused(code) if code != Code::SvgEmpty) {
            println!("{name}: {}", path.display());
        }
        if matches!(outcome, Outcome::Blank | Outcome::Panicked) {
            wrong.push((name, path.clone()));
        }
    }
    println!(
        "{} files in {:.1?}: {counts:?}; findings {findings:?}; slowest {slowest:?}",
        files.len(),
        start.elapsed()
    );
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(counts.values().sum::<usize>(), files.len());
    assert!(counts["Drawn"] * 10 > files.len() * 9, "most clipart is well-formed");
}
