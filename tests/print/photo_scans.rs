//! Sequential JPEGs whose components stand in scans of their own: the same picture as with all
//! components in one scan, and as libjpeg decodes it, or an error; never some of its components.

use crate::delta_e::{delta_e_2000, lab};
use crate::tools::{convert, in_scans, one_scan_each};
use presswork::asset::{Depth, Limits, Picture, Samples};
use presswork::error::{Code, Violation};
use std::path::Path;

/// The decoders' arithmetic differs, in steps of an 8-bit value; nothing else may.
const BOUND: f64 = 0.5;

fn decode(bytes: &[u8]) -> Result<Vec<u8>, Violation> {
    let pixels = Picture::probe(bytes.into(), &Limits::default())?.decode(Depth::Eight)?;
    let Samples::Rgb8(values) = pixels.data else { panic!("not 8-bit RGB") };
    Ok(values)
}

fn difference(ours: &[u8], theirs: &[u8]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let colour = |p: &[u8; 3]| lab(p.map(|v| f64::from(v) / 255.0));
    let pairs = ours.as_chunks::<3>().0.iter().zip(theirs.as_chunks::<3>().0);
    let sum: f64 = pairs.map(|(a, b)| delta_e_2000(colour(a), colour(b))).sum();
    sum / (ours.len() / 3) as f64
}

/// Compares a JPEG with what libjpeg, by ImageMagick, makes of it.
fn judge(folder: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(folder.join("judged.jpg"), bytes).unwrap();
    let theirs = convert(folder, "judged.jpg -depth 8 rgb:-");
    let delta = difference(&decode(bytes).unwrap_or_else(|e| panic!("{name}: {e}")), &theirs);
    println!("{name:24} {delta:.4}");
    assert!(delta < BOUND, "{name}: mean ΔE2000 {delta:.3}");
}

fn scans(file: &[u8]) -> usize {
    file.windows(2).filter(|w| *w == [0xff, 0xda]).count()
}

#[test]
fn one_scan_for_each_component_is_the_same_picture() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path();
    for size in ["70x46", "67x45", "33x17", "5x3", "1x1"] {
        for factors in ["1x1", "2x2", "2x1", "1x2", "4x1", "4x2"] {
            for restart in [&[][..], &["-restart", "1B"], &["-restart", "1"]] {
                let name = format!("{size} {factors} {restart:?}");
                let how =
                    format!("rose: -resize {size}! -quality 92 -sampling-factor {factors} together.jpg");
                convert(folder, &how);
                let apart = in_scans(folder, "together.jpg", "0; 1; 2;", restart);
                assert_eq!(scans(&apart), 3, "{name}");
                judge(folder, &name, &apart);
            }
        }
    }
}

#[test]
fn scans_may_stand_in_any_order_and_components_may_be_inks_or_rgb() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path();
    convert(folder, "rose: -quality 92 -sampling-factor 2x2 a.jpg");
    judge(folder, "order", &in_scans(folder, "a.jpg", "2; 0; 1;", &["-optimize"]));

    // The same components with and without: here our own decoding is the measure.
    let same = |name: &str, file: &str, script: &str| {
        let apart = in_scans(folder, file, script, &[]);
        assert_eq!(scans(&apart), script.matches(';').count(), "{name}");
        let together = decode(&std::fs::read(folder.join(file)).unwrap()).unwrap();
        let delta = difference(&decode(&apart).unwrap(), &together);
        println!("{name:24} {delta:.4}");
        assert!(delta < BOUND, "{name}: mean ΔE2000 {delta:.3}");
    };
    convert(folder, "rose: -colorspace CMYK -quality 92 ycck.jpg");
    same("ycck", "ycck.jpg", "0; 1; 2; 3;");
    // Adobe's transform 0 says that the components are stored as they are.
    for (from, to) in [("ycck.jpg", "cmyk.jpg"), ("a.jpg", "rgb.jpg")] {
        convert(folder, "rose: -quality 92 -sampling-factor 1x1 a.jpg");
        let mut bytes = std::fs::read(folder.join(from)).unwrap();
        let adobe = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0";
        match bytes.windows(5).position(|w| w == b"Adobe") {
            Some(at) => bytes[at + 11] = 0,
            None => drop(bytes.splice(2..20, adobe.iter().copied())),
        }
        std::fs::write(folder.join(to), bytes).unwrap();
    }
    same("cmyk", "cmyk.jpg", "0; 1; 2; 3;");
    same("rgb", "rgb.jpg", "0; 1; 2;");
}

#[test]
fn a_photo_of_the_shop_is_not_green() {
    let temp = tempfile::tempdir().unwrap();
    let bytes = include_bytes!("../../fixtures/assets/photos/separate-scans.jpg");
    assert_eq!(scans(bytes), 3);
    judge(temp.path(), "separate-scans.jpg", bytes);
}

#[test]
fn two_of_three_components_in_a_scan_are_refused() {
    let temp = tempfile::tempdir().unwrap();
    convert(temp.path(), "rose: a.jpg");
    for script in ["0 1; 2;", "0; 1 2;"] {
        let violation = decode(&in_scans(temp.path(), "a.jpg", script, &[])).unwrap_err();
        assert_eq!(violation.code, Code::AssetTypeUnsupported, "{violation}");
    }
}

#[test]
fn a_missing_a_doubled_or_a_shortened_scan_is_corrupt() {
    let temp = tempfile::tempdir().unwrap();
    convert(temp.path(), "rose: -sampling-factor 2x2 a.jpg");
    let whole = one_scan_each(temp.path(), "a.jpg");
    decode(&whole).unwrap();
    let starts: Vec<_> = (0..whole.len()).filter(|&at| whole[at..].starts_with(&[0xff, 0xda])).collect();
    let end = whole.len() - 2;
    let ends = [starts[1], starts[2], end];
    // From one scan's start to the next, tables of the next included: those are sent before all.
    for scan in 0..3 {
        let (from, to) = (starts[scan], ends[scan]);
        let data_end =
            (from + 2..=to).find(|&at| whole[at] == 0xff && ![0, 0xff].contains(&whole[at + 1])).unwrap();
        let scan_bytes = &whole[from..data_end];
        let missing = [&whole[..from], &whole[data_end..]].concat();
        let doubled = [&whole[..data_end], scan_bytes, &whole[data_end..]].concat();
        let short = [&whole[..data_end - scan_bytes.len() / 4], &whole[data_end..]].concat();
        for (what, bytes) in [("missing", missing), ("doubled", doubled), ("short", short)] {
            assert_eq!(decode(&bytes).unwrap_err().code, Code::ImageCorrupt, "{what} {scan}");
        }
    }
}
