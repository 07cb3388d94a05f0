//! Real clipart, thousands of files: each renders or says why not, none panics, none is blank unsaid.
//!
//! What is drawn is drawn as resvg draws it. A fixed sample (every 40th file) normally;
//! `PRESSWORK_CORPUS=full` takes all of them.

use crate::support::clipart::{self, corpus, fonts};
use crate::support::picture::{PxBox, WHITE, compare, flatten, save_strip};
use presswork::art::{Art, Recolor};
use presswork::asset::Limits;
use presswork::error::Code;
use rayon::prelude::*;
use resvg::usvg;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Every how many files one is taken, in a sample and of all.
const STEPS: (usize, usize) = (40, 1);

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
    let text = clipart::text(bytes);
    let pixmap = clipart::resvg(&text, fonts, 200);
    pixmap.pixels().iter().any(|pixel| pixel.alpha() > 0) || text.contains("data:image")
}

#[test]
fn every_file_is_drawn_or_says_why_not() {
    let (files, fonts) = (corpus(STEPS), fonts());
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

/// Our pixels of a drawing and resvg's: the mean SSIM, or `None` where there is nothing to compare
/// because some of it is refused or left out with a finding.
fn likeness(path: &Path, fonts: &Arc<usvg::fontdb::Database>) -> Option<f64> {
    const SIDE: u32 = 600;
    let bytes = std::fs::read(path).unwrap();
    let art = Art::load(&bytes, fonts.clone(), &Limits::default()).ok()?;
    if !art.findings().is_empty() || !art.missing_fonts().is_empty() {
        return None;
    }
    let group = art.group(&Recolor::default()).ok()?;
    let ours = clipart::ours(&art, group, SIDE);
    let theirs = clipart::resvg(&clipart::text(&bytes), fonts, SIDE);
    let theirs = clipart::straight(&theirs);
    if ours.dimensions() != theirs.dimensions() {
        panic!("{}: {:?} {:?}", path.display(), ours.dimensions(), theirs.dimensions());
    }
    let (ours, theirs) = (flatten(&ours, WHITE), flatten(&theirs, WHITE));
    let whole = PxBox::new(0.0, 0.0, f64::from(ours.width()), f64::from(ours.height()));
    let found = compare(&theirs, &ours, WHITE, &[("all".into(), whole)]);
    let alike = found.layers.first().map_or(1.0, |(_, ssim)| *ssim);
    if DRIFTING.iter().any(|name| path.ends_with(name)) {
        assert!(alike < LIKE, "{} is alike now: take it off the list", path.display());
        return None;
    }
    if alike < LIKE {
        let name = path.file_stem().unwrap().to_string_lossy();
        println!(
            "{alike:.4} {}: {}",
            path.display(),
            save_strip(&format!("art-{name}"), &theirs, &ours).display()
        );
    }
    Some(alike)
}

/// The least SSIM of a drawing to resvg's own. The lowest are stars of a hundred hairlines in one
/// path, whose crossings we weigh by area and resvg by samples.
const LIKE: f64 = 0.98;

/// Drawings that resvg paints otherwise, and what stands against it: it gives a pattern's cell a
/// whole number of pixels, so that the pattern drifts over its area; librsvg draws them as we do.
const DRIFTING: [&str; 2] = ["cardbacks/back03.svg", "cardbacks/back04.svg"];

#[test]
fn drawings_are_what_resvg_draws() {
    let (files, fonts) = (corpus(STEPS), fonts());
    let found: Vec<f64> = files.par_iter().filter_map(|path| likeness(path, &fonts)).collect();
    let (count, unlike) = (found.len(), found.iter().filter(|ssim| **ssim < LIKE).count());
    let mean = found.iter().sum::<f64>() / count as f64;
    let worst = found.iter().copied().fold(1.0, f64::min);
    println!(
        "{count} of {} compared: mean SSIM {mean:.5}, worst {worst:.4}, {unlike} below {LIKE}",
        files.len()
    );
    assert!(count * 10 > files.len() * 8, "most clipart has nothing left out");
    assert!(unlike == 0, "{unlike} drawings are not what resvg draws; their pictures are named above");
}
