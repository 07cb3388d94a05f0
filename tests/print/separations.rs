//! Our plates and soft proofs of every fixture order in process inks, against foreign RIPs: plate
//! by plate, layer by layer.
//!
//! Tools: `apt-get install ghostscript imagemagick libimage-exiftool-perl`, and `scripts/proof-tools`.

use crate::support::inked::{Subject, as_print, foreign_plates, foreign_proof, hide, mupdf_proof};
use crate::support::job;
use crate::support::picture::{Bars, Comparison, WHITE, compare, flatten, load, save_strip};
use presswork::asset::Limits;
use presswork::catalog::Output;
use presswork::control::Control;
use presswork::raster::{Frame, PngOptions, PngSink, paint};
use std::path::PathBuf;
use std::process::Command;

/// Every order that is printed in process inks.
pub(crate) fn orders() -> Vec<String> {
    let mut all = job::orders();
    all.retain(|order| {
        let profile = job::json(order)["profile"].as_str().unwrap().to_owned();
        job::space(&job::profile(&profile)) == "cmyk"
    });
    let names = all.iter().map(|order| order.file_stem().unwrap().to_string_lossy().into_owned());
    names.collect()
}

/// Layers that a foreign program draws otherwise: a part of the order's name, the plate or the
/// program, the layer, the floor of its SSIM there.
const EXCEPTIONS: &[(&str, &str, &str, f64)] = &[
    // Ghostscript fills every pixel that an outline touches a little fuller: the edges of large
    // type in solid black stand out on its plate.
    ("transfer-badge-", "Black", "club", 0.985),
    // An upright hairline: on our plate it is as dark as it is wide, on Ghostscript's a third lighter.
    ("voucher-", "PerfCutContour", "tear", 0.98),
];

/// MuPDF does not show overprint: black type on a coloured ground is knocked out in its proof.
/// Overprint is judged on plates. The order, an SSIM of an inked tile, levels of a tile's mean.
const KNOCKED_OUT: &[(&str, f64, f64)] = &[("sticker-sheet-", 0.55, 15.0)];

/// Plates whose outermost ink is a photo's edge: where it passes the level that counts as ink is
/// each program's own. The order, the plate, pixels.
const FAINT: &[(&str, &str, u32)] = &[("transfer-badge-", "Black", 4), ("sticker-photo-", "Black", 4)];

/// What is below its bar, exceptions apart.
fn faults(order: &str, by: &str, comparison: &Comparison, bars: &Bars) -> Vec<String> {
    let mut comparison = comparison.clone();
    comparison.layers.retain(|(id, ssim)| {
        !EXCEPTIONS.iter().any(|(name, other, layer, floor)| {
            order.contains(name) && *other == by && id == layer && ssim >= floor
        })
    });
    let faint = FAINT.iter().find(|(name, other, _)| order.contains(name) && *other == by);
    let bounds = faint.map_or(bars.bounds, |(.., px)| *px);
    comparison.faults(&Bars { bounds, ..*bars })
}

#[test]
fn every_plate_is_the_one_that_a_rip_makes_of_our_pdf() {
    // Ghostscript does not anti-alias clips, so that a tile's mean may move as it does for sRGB.
    let bars = Bars { shift: 12.0, ..Bars::AGREEMENT };
    let (mut all, mut plates) = (Vec::new(), 0);
    for order in orders() {
        let subject = Subject::of(&order, "plates");
        let pdfs: Vec<PathBuf> = subject.write(&[Output::Pdf]).iter().map(|a| subject.file(a)).collect();
        let ours = subject.write(&[Output::Plates]);
        for (index, surface) in subject.surfaces().iter().enumerate() {
            let ours = ours.iter().filter(|a| *a.surfaces[0] == *surface.name);
            let ours: Vec<_> = ours.map(|a| (a.plates[0].clone(), load(&subject.file(a)))).collect();
            let size = ours[0].1.dimensions();
            let (page, number) = subject.page(&pdfs, index);
            // Crop marks begin where the bleed ends.
            let bare = subject.folder.join("bare.pdf");
            hide(&page, &["Marks"], &bare);
            let mut theirs = foreign_plates(&bare, number, size, &subject.folder);
            for (plate, picture) in ours {
                let picture = as_print(&image::DynamicImage::ImageRgba8(picture).to_luma8());
                let what = format!("{order} {} {plate}", surface.name);
                let their = theirs.remove(&plate).unwrap_or_else(|| panic!("{what}: no such plate"));
                let their = as_print(&their);
                let comparison = compare(&picture, &their, WHITE, &subject.boxes(surface));
                println!("{what}: {comparison}");
                plates += 1;
                let found = faults(&order, &plate, &comparison, &bars);
                if !found.is_empty() {
                    let strip = save_strip(&what, &picture, &their);
                    all.push(format!("{what}:\n    {}\n    see {}", found.join("\n    "), strip.display()));
                }
            }
            assert!(theirs.is_empty(), "{order}: plates that we lack: {:?}", theirs.keys());
        }
    }
    assert!(plates >= 40, "{plates} plates");
    assert!(all.is_empty(), "plates differ:\n  {}", all.join("\n  "));
}

#[test]
fn pictures_are_soft_proofs_of_the_plates() {
    let bars = Bars { layer: 0.98, tile: 0.8, shift: 12.0, bounds: 1 };
    let mut all = Vec::new();
    for order in orders() {
        let subject = Subject::of(&order, "proof");
        let pdfs: Vec<PathBuf> = subject.write(&[Output::Pdf]).iter().map(|a| subject.file(a)).collect();
        let ours = subject.write(&[Output::Png]);
        for (index, surface) in subject.surfaces().iter().enumerate() {
            let picture = flatten(&load(&subject.file(&ours[index])), WHITE);
            let (page, number) = subject.page(&pdfs, index);
            // What is no colour on the sheet is not looked at; nor is white.
            let hidden = subject.folder.join("hidden.pdf");
            let unseen = ["CutContour", "PerfCutContour", "Varnish", "Emboss", "White", "Marks"];
            hide(&page, &unseen, &hidden);
            let size = picture.dimensions();
            let proofs = [
                ("Ghostscript", foreign_proof(&hidden, number, size, &subject.folder)),
                ("MuPDF", mupdf_proof(&hidden, number, size, &subject.folder)),
            ];
            for (by, theirs) in proofs {
                let comparison = compare(&picture, &theirs, WHITE, &subject.boxes(surface));
                let what = format!("{order} {} {by}", surface.name);
                println!("{what}: {comparison}");
                let knocked = KNOCKED_OUT.iter().find(|(name, ..)| by == "MuPDF" && order.contains(name));
                let bars =
                    knocked.map_or(bars, |(_, tile, shift)| Bars { tile: *tile, shift: *shift, ..bars });
                let found = faults(&order, by, &comparison, &bars);
                if !found.is_empty() {
                    let strip = save_strip(&what, &picture, &theirs);
                    all.push(format!("{what}:\n    {}\n    see {}", found.join("\n    "), strip.display()));
                }
            }
        }
    }
    assert!(all.is_empty(), "proofs differ:\n  {}", all.join("\n  "));
}

#[test]
fn the_most_ink_is_found_where_a_rip_finds_it() {
    for order in orders() {
        let subject = Subject::of(&order, "ink");
        let pdfs: Vec<PathBuf> = subject.write(&[Output::Pdf]).iter().map(|a| subject.file(a)).collect();
        let limit = subject.prepared.order.profile().color.ink_limit;
        for (index, surface) in subject.surfaces().iter().enumerate() {
            let peak = subject.job(&[], |job| job.ink_coverage(surface)).unwrap().unwrap();
            let profile = subject.prepared.order.profile();
            let (page, number) = subject.page(&pdfs, index);
            let per_mm = 6.0;
            let shown = match profile.area {
                presswork::catalog::Area::Trim => surface.trim_box(),
                presswork::catalog::Area::Bleed => surface.bleed_box(),
            };
            let size = ((shown.width() * per_mm).round() as u32, (shown.height() * per_mm).round() as u32);
            let plates = foreign_plates(&page, number, size, &subject.folder);
            let sum = |x: u32, y: u32| {
                let process = ["Cyan", "Magenta", "Yellow", "Black"];
                process.iter().map(|plate| u32::from(plates[*plate].get_pixel(x, y)[0])).sum::<u32>()
            };
            let mut most = 0;
            for y in 0..size.1 - 6 {
                for x in 0..size.0 - 6 {
                    // The corners and the middle say whether the whole square is worth a look.
                    let rough = sum(x, y).max(sum(x + 5, y + 5)).max(sum(x + 3, y + 3));
                    if rough * 36 > most {
                        let whole: u32 = (0..36).map(|i| sum(x + i % 6, y + i / 6)).sum();
                        most = most.max(whole);
                    }
                }
            }
            let theirs = f64::from(most) / 36.0 / 2.55;
            println!(
                "{order} {}: {:.1} % by us, {theirs:.1} % by Ghostscript, {:?}",
                surface.name, peak.percent, peak.place
            );
            // We look at the bleed too, where a picture may show the trim alone.
            assert!(peak.percent > theirs - 4.0, "{order}: {peak:?}, and Ghostscript finds {theirs}");
            assert!(shown.inflate(10.0, 10.0).contains(peak.place.center()), "{order}: {peak:?}");
            if let Some(limit) = limit {
                assert!(peak.percent <= f64::from(limit) + 1.0, "{order}: {peak:?}, and {limit} is allowed");
            }
        }
    }
}

#[test]
fn a_tiff_holds_the_process_plates_and_their_condition() {
    let subject = Subject::of("sticker-photo-customized", "tiff");
    let plates = subject.write(&[Output::Plates]);
    let made = subject.write(&[Output::Tiff]);
    let file = subject.file(&made[0]);
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).arg(&file).output();
        let output = output
            .unwrap_or_else(|e| panic!("{program}: {e}; apt-get install imagemagick libimage-exiftool-perl"));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && complaint.trim().is_empty(), "{program}: {complaint}");
        text
    };
    let dpi = subject.prepared.order.profile().dpi;
    let facts = said("exiftool", &["-s", "-s", "-n", "-validate", "-warning", "-error"]);
    // Deflate came to TIFF after the list that exiftool holds files to.
    let known = "Warning: Invalid value for IFD0 tag 0x0103 Compression";
    let others: Vec<_> = facts.lines().filter(|l| !l.starts_with("Validate:") && *l != known).collect();
    assert!(facts.contains("Validate: 0 ") && others.is_empty(), "{facts}");
    let facts = said("exiftool", &["-s", "-s", "-n"]);
    for fact in [
        "PhotometricInterpretation: 5",
        "InkSet: 1",
        "SamplesPerPixel: 4",
        "Compression: 8",
        "ResolutionUnit: 2",
    ] {
        assert!(facts.contains(fact), "no {fact}: {facts}");
    }
    assert!(facts.contains(&format!("XResolution: {dpi}")), "{facts}");
    // The profile comes out as it went in.
    let icc = Command::new("exiftool").args(["-icc_profile", "-b"]).arg(&file).output().unwrap().stdout;
    assert_eq!(icc, std::fs::read(crate::support::inked::condition()).unwrap());
    // ImageMagick reads the very plates that are delivered one by one.
    let magick = |arguments: &[&str]| {
        let output = Command::new("convert").arg(&file).args(arguments).arg("gray:-").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    for (channel, plate) in [("C", "Cyan"), ("M", "Magenta"), ("Y", "Yellow"), ("K", "Black")] {
        let theirs = magick(&["-channel", channel, "-separate", "-depth", "8"]);
        let ours = plates.iter().find(|a| a.plates == [plate]).unwrap();
        let ours = image::open(subject.file(ours)).unwrap().to_luma8().into_raw();
        assert_eq!(theirs.len(), ours.len(), "{plate}");
        let off = theirs.iter().zip(&ours).filter(|(a, b)| a != b).count();
        assert_eq!(off, 0, "{plate}: {off} pixels differ");
        assert!(ours.iter().any(|v| *v > 100), "{plate} is blank");
    }
}

#[test]
fn a_preview_in_memory_is_the_file_that_orders_get_and_a_soft_proof_of_inks() {
    for (name, proof) in [("flyer-tiff", true), ("gift-tag-photo", false)] {
        let subject = Subject::of(name, "preview");
        let made = subject.write(&[Output::Preview]);
        let side = subject.prepared.order.profile().preview.max_px;
        for (surface, artifact) in subject.surfaces().iter().zip(&made) {
            let preview = |side| subject.job(&[], |job| job.preview(surface, side)).unwrap();
            let bytes = preview(side);
            let what = format!("{name} {}", surface.name);
            assert!(bytes == std::fs::read(subject.file(artifact)).unwrap(), "{what}");
            let small = image::load_from_memory(&preview(200)).unwrap();
            assert_eq!(small.width().max(small.height()), 200, "{what}");
            // The same scene as it is on a screen.
            let frame = Frame::preview(surface, side);
            let sink = PngSink::new(Vec::new(), &frame, PngOptions::default()).unwrap();
            paint(surface, &frame, &Limits::default(), Control::NONE, &sink).unwrap();
            assert_eq!(sink.finish().unwrap() != bytes, proof, "{what}");
        }
    }
}
