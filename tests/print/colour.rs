//! Our conversion to inks against Argyll's, an engine that shares no code with ours.
//!
//! Tools: `apt-get install argyll`.

use crate::delta_e::{delta_e_2000, lab};
use presswork::color::{Press, RenderingIntent};
use std::path::Path;

const CONDITION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/render-profiles/icc/FOGRA39L.icc");

fn press(intent: RenderingIntent, compensate: bool) -> Press {
    Press::open(std::fs::read(CONDITION).unwrap().into(), intent, compensate).unwrap()
}

/// A thousand colours, the same every time.
pub(crate) fn colours() -> Vec<[u8; 3]> {
    let mut state = 2_166_136_261_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()
    };
    (0..1000).map(|_| next()).map(|b| [b[0], b[1], b[2]]).collect()
}

/// Argyll's lookup: a direction (`f` forward, `b` backward), an intent and a profile.
fn icclu<const N: usize, const M: usize>(way: &str, profile: &str, values: &[[f64; N]]) -> Vec<[f64; M]> {
    let lines: Vec<String> = values.iter().map(|v| v.map(|c| format!("{c:.7}")).join(" ") + "\n").collect();
    let (direction, intent) = way.split_at(1);
    let args = [&format!("-f{direction}"), &format!("-i{intent}"), "-pl", profile].map(|s| s.to_owned());
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let out = crate::tools::run("icclu", "argyll", Path::new("."), &args, lines.concat().as_bytes());
    let out = String::from_utf8(out).unwrap();
    let found: Vec<[f64; M]> = out
        .lines()
        .filter_map(|line| line.rsplit_once("-> "))
        .map(|(_, result)| {
            let numbers: Vec<f64> = result.split_whitespace().map_while(|word| word.parse().ok()).collect();
            numbers.try_into().unwrap()
        })
        .collect();
    assert_eq!(found.len(), values.len(), "icclu answers every line");
    found
}

/// sRGB as a profile of version 2, which is what Argyll reads.
fn srgb(folder: &Path) -> String {
    let mut profile = lcms2::Profile::new_srgb();
    profile.set_version(2.1);
    let path = folder.join("srgb.icc");
    std::fs::write(&path, profile.icc().unwrap()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Mean and largest ΔE2000 of two sets of inks, both seen by Argyll.
pub(crate) fn apart(ours: &[[f64; 4]], theirs: &[[f64; 4]]) -> (f64, f64) {
    let ours: Vec<[f64; 3]> = icclu("fr", CONDITION, ours);
    let theirs: Vec<[f64; 3]> = icclu("fr", CONDITION, theirs);
    let far: Vec<f64> = ours.into_iter().zip(theirs).map(|(a, b)| delta_e_2000(a, b)).collect();
    (far.iter().sum::<f64>() / far.len() as f64, far.iter().copied().fold(0.0, f64::max))
}

pub(crate) fn unit<const N: usize>(bytes: [u8; N]) -> [f64; N] {
    bytes.map(|v| f64::from(v) / 255.0)
}

#[test]
fn inks_agree_with_an_independent_engine() {
    let folder = tempfile::tempdir().unwrap();
    let srgb = srgb(folder.path());
    let colours = colours();
    let units: Vec<[f64; 3]> = colours.iter().copied().map(unit).collect();
    let intents = [
        ("r", RenderingIntent::RelativeColorimetric),
        ("p", RenderingIntent::Perceptual),
        ("s", RenderingIntent::Saturation),
    ];
    for (letter, intent) in intents {
        let lab: Vec<[f64; 3]> = icclu("fr", &srgb, &units);
        let theirs: Vec<[f64; 4]> = icclu(&format!("b{letter}"), CONDITION, &lab);
        let press = press(intent, false);
        let pictures: Vec<_> = press.inks_8(&colours).unwrap().into_iter().map(unit).collect();
        let single: Vec<_> =
            units.iter().map(|rgb| press.inks(rgb.map(|v| v as f32)).map(f64::from)).collect();
        for (what, ours) in [("pictures", pictures), ("single colours", single)] {
            let (mean, most) = apart(&ours, &theirs);
            eprintln!("{intent:?}, {what}: mean {mean:.4}, most {most:.4}");
            assert!(mean <= 0.3 && most <= 1.0, "{intent:?}, {what}: mean {mean}, most {most}");
        }
    }
}

/// The soft proof of a picture against that of single colours, which Argyll's inks agree with.
#[test]
fn the_proof_of_pictures_is_that_of_single_colours() {
    let press = press(RenderingIntent::RelativeColorimetric, true);
    let inks = press.inks_8(&colours()).unwrap();
    let table = press.proof_8(&inks).unwrap();
    let far: Vec<f64> = inks
        .iter()
        .zip(table)
        .map(|(inks, table)| {
            let exact = press.proof(unit(*inks).map(|v| v as f32)).map(f64::from);
            delta_e_2000(lab(exact), lab(unit(table)))
        })
        .collect();
    let (mean, most) = (far.iter().sum::<f64>() / 1000.0, far.iter().copied().fold(0.0, f64::max));
    eprintln!("proof: mean {mean:.4}, most {most:.4}");
    assert!(mean <= 0.3 && most <= 2.0, "mean {mean}, most {most}");
}

/// Argyll's inks, relative colorimetric, with black point compensation by Adobe's published way: XYZ is
/// scaled so that the source's black lies on the press's. Argyll has no such thing itself, so that its
/// tables are asked before and after.
pub(crate) fn compensated_by_argyll(colours: &[[u8; 3]]) -> Vec<[f64; 4]> {
    let folder = tempfile::tempdir().unwrap();
    let srgb = srgb(folder.path());
    let units: Vec<[f64; 3]> = colours.iter().copied().map(unit).collect();
    let lab: Vec<[f64; 3]> = icclu("fr", &srgb, &units);
    // The press's black is what its perceptual table makes of black; neutral, as the way wants.
    let darkest: Vec<[f64; 4]> = icclu("bp", CONDITION, &[[0.0, 0.0, 0.0]]);
    let black: Vec<[f64; 3]> = icclu("fr", CONDITION, &darkest);
    let floor = luminance(black[0][0]);
    let scaled: Vec<[f64; 3]> = lab.iter().map(|&lab| compensated(lab, floor)).collect();
    icclu("br", CONDITION, &scaled)
}

#[test]
fn black_point_compensation_scales_black_onto_black() {
    let colours = colours();
    let theirs = compensated_by_argyll(&colours);
    let ours: Vec<_> = press(RenderingIntent::RelativeColorimetric, true)
        .inks_8(&colours)
        .unwrap()
        .into_iter()
        .map(unit)
        .collect();
    let (mean, most) = apart(&ours, &theirs);
    eprintln!("black point compensation: mean {mean:.4}, most {most:.4}");
    assert!(mean <= 0.3 && most <= 1.0, "mean {mean}, most {most}");
    // Without it the same colours lie further off, and shadows run together.
    let plain = press(RenderingIntent::RelativeColorimetric, false);
    let without: Vec<_> = plain.inks_8(&colours).unwrap().into_iter().map(unit).collect();
    let (clipped, _) = apart(&without, &theirs);
    assert!(clipped > mean * 2.0, "the compensation makes no difference: {clipped} against {mean}");
    // How far apart two shadows are printed, in L*.
    let step = |press: &Press| {
        let inks: Vec<[f64; 4]> = press.inks_8(&[[0; 3], [24; 3]]).unwrap().into_iter().map(unit).collect();
        let seen: Vec<[f64; 3]> = icclu("fr", CONDITION, &inks);
        seen[1][0] - seen[0][0]
    };
    let (with, without) = (step(&press(RenderingIntent::RelativeColorimetric, true)), step(&plain));
    eprintln!("a step in the shadows: {with:.2} with, {without:.2} without");
    assert!(with > without * 1.5 && with > 1.0, "{with} with, {without} without");
}

/// CIE Y of a lightness.
fn luminance(l: f64) -> f64 {
    let t = (l + 16.0) / 116.0;
    if l > 8.0 { t * t * t } else { l * 27.0 / 24_389.0 }
}

/// D50 L*a*b* with XYZ scaled so that Y = 0 becomes `floor` and white stays.
fn compensated([l, a, b]: [f64; 3], floor: f64) -> [f64; 3] {
    let decode = |t: f64| {
        if t > 6.0 / 29.0 { t * t * t } else { (116.0 * t - 16.0) * 27.0 / 24_389.0 }
    };
    let encode = |t: f64| {
        if t > 216.0 / 24_389.0 { libm::cbrt(t) } else { (24_389.0 / 27.0 * t + 16.0) / 116.0 }
    };
    let y = (l + 16.0) / 116.0;
    let [x, y, z] = [y + a / 500.0, y, y - b / 200.0].map(|t| encode(decode(t) * (1.0 - floor) + floor));
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}
