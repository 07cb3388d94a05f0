//! Marks beside finishing: nothing of them lands on a plate that is cut, stamped, varnished, raised or
//! white, and the slug line can be read.
//!
//! Tools: `apt-get install ghostscript tesseract-ocr`.

use crate::support::job;
use crate::support::judges::{pdf_boxes, run, scratch, tool};
use crate::support::shop::{Shop, surface};
use lopdf::Document;
use lopdf::content::Content;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const DPI: f64 = 200.0;

const MARKS: &str = "\n[marks]\ncrop = true\nbleed = true\nregistration = true\ncolor_bar = true\nslug = true\nweight = 1.0\n";

/// How many pixels of a PDF's first page have ink outside the bleed, by plate, as Ghostscript separates it.
fn outside(pdf: &Path) -> BTreeMap<String, usize> {
    let folder = tempfile::tempdir().unwrap();
    let out = format!("-sOutputFile={}/page.tif", folder.path().display());
    let (density, input) = (format!("-r{DPI}"), pdf.display().to_string());
    let device = ["-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-sDEVICE=tiffsep", "-dLastPage=1"];
    tool("gs", [&device[..], &[&density, &out, &input]].concat());
    let boxes = &pdf_boxes(pdf)[0];
    let px = |points: f64| points / 72.0 * DPI;
    // A pixel that the bleed's edge runs through belongs to the bleed.
    let left = px(boxes.bleed[0] - boxes.media[0]) - 2.0;
    let right = px(boxes.bleed[2] - boxes.media[0]) + 2.0;
    let top = px(boxes.media[3] - boxes.bleed[3]) - 2.0;
    let bottom = px(boxes.media[3] - boxes.bleed[1]) + 2.0;
    let mut plates = BTreeMap::new();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let Some((_, plate)) = name.split_once('(') else { continue };
        let inked = image::open(&path).unwrap().to_luma8();
        let inked = inked.enumerate_pixels().filter(|(x, y, ink)| {
            let (x, y) = (f64::from(*x), f64::from(*y));
            ink.0[0] < 255 && (x < left || x > right || y < top || y > bottom)
        });
        plates.insert(plate.trim_end_matches(')').to_owned(), inked.count());
    }
    plates
}

/// A fixture's order printed with all marks, whatever its profile says.
fn marked(order: &str) -> PathBuf {
    let out = scratch(&format!("marked-{order}"));
    let path = job::root().join(format!("fixtures/orders/{order}.json"));
    let mut value = job::json(&path);
    value["outputs"] = json!(["pdf"]);
    let copy = out.join("order.json");
    std::fs::write(&copy, value.to_string()).unwrap();
    let profile = format!("{}.toml", value["profile"].as_str().unwrap());
    let text = std::fs::read_to_string(job::root().join("render-profiles").join(&profile)).unwrap();
    let text = if text.contains("[marks]") { text } else { text + MARKS };
    std::fs::create_dir(out.join("profiles")).unwrap();
    std::fs::write(out.join("profiles").join(profile), text).unwrap();
    let mut command = job::presswork();
    command.arg("render").arg(&copy).arg("--out").arg(&out).arg("--profiles").arg(out.join("profiles"));
    command.args(["--catalog", "fixtures/catalog", "--assets", "fixtures/assets"]);
    let said = run(&mut command);
    assert!(said.code == Some(0), "{order}: {}{}", said.stdout, said.stderr);
    let event = job::result(&out, order);
    assert_eq!(event["data"]["preflight"]["verdict"], "pass", "{order}: {}", event["data"]["preflight"]);
    job::artifacts(&out, order, "pdf").remove(0).0
}

#[test]
fn marks_stay_off_plates_that_are_no_colour() {
    let cases: [(&str, &[&str]); 6] = [
        ("notebook-foil-customized", &["Foil"]),
        ("transfer-badge-customized", &["White"]),
        ("dtf-transfer-red", &["White"]),
        ("sticker-photo-customized", &["CutContour"]),
        ("sticker-die-cut-customized", &["CutContour"]),
        ("voucher-personalized", &["Varnish", "Emboss", "PerfCutContour"]),
    ];
    for (order, special) in cases {
        let pdf = marked(order);
        let found = outside(&pdf);
        for plate in special {
            assert_eq!(found.get(*plate), Some(&0), "{order}: marks on {plate}: {found:?}");
        }
        // Crosses show whether the process plates lie on each other, so they are on each.
        for plate in ["Cyan", "Magenta", "Yellow", "Black"] {
            assert!(found[plate] > 500, "{order}: no marks on {plate}: {found:?}");
        }
    }
}

/// A shop that prints cards of this width with all marks and a spot ink.
fn cards(name: &str, width: f64, spot: &str) -> Shop {
    let shop = Shop::new(name);
    let profile = format!(
        "schema = \"presswork.profile/1\"\ntitle = \"Cards\"\ndpi = 300\noutputs = [\"pdf\"]\n\
         [color]\nspace = \"cmyk\"\ncondition = \"FOGRA39L\"\n[pdf]\nstandard = \"x4\"\n\
         [spots.Ink]\nplate = \"Ink\"\nalternate = {{ cmyk = [0, 0.3, 0.9, 0.1] }}\n{spot}{MARKS}"
    );
    shop.write("profiles/plain.toml", profile.as_bytes());
    let disc = json!({ "id": "disc", "box": { "x": 20, "y": 15, "width": 20, "height": 20 },
                       "shape": { "shape": { "ellipse": {} }, "fill": { "spot": "Ink" } } });
    let mut card = surface("reverse", (width, 55.0), json!([disc]));
    card["bleed"] = json!(3);
    shop.template("card", json!({}), json!([card]));
    shop
}

#[test]
fn a_colour_of_its_own_is_registered_and_a_special_plate_is_not() {
    for (spot, named) in [("", true), ("laid = \"overprint\"\norder = 5\n", false)] {
        let shop = cards(&format!("registered-{named}"), 90.0, spot);
        let order = shop.order("one", "card", json!({}));
        shop.render(&[order], &shop.folder.join("out"));
        let (pdf, _) = job::artifacts(&shop.folder.join("out"), "one", "pdf").remove(0);
        let found = outside(&pdf);
        assert_eq!(found["Ink"] > 500, named, "{spot:?}: {found:?}");
        assert!(found["Cyan"] > 500, "{found:?}");
    }
}

/// What a reader of letters finds in the slug line of a PDF's first page, in one line.
fn slug(pdf: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (page, crop) = (folder.path().join("page.png"), folder.path().join("slug.png"));
    let (density, out) = ("-r1200", format!("-sOutputFile={}", page.display()));
    let device = ["-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pnggray", "-dLastPage=1", density];
    tool("gs", [&device[..], &[&out, pdf.to_str().unwrap()]].concat());
    let picture = image::open(&page).unwrap().to_luma8();
    let boxes = &pdf_boxes(pdf)[0];
    let px = |points: f64| (points / 72.0 * 1200.0) as u32;
    let mm = 72.0 / 25.4;
    // Right of the cross, left of the crop mark, below the bleed.
    let left = px((boxes.bleed[0] + boxes.bleed[2]) / 2.0 + 6.0 * mm);
    let right = px(boxes.trim[2] - 1.0 * mm);
    let top = px(boxes.media[3] - boxes.bleed[1] + 1.2 * mm);
    let part =
        image::imageops::crop_imm(&picture, left, top, right - left, picture.height() - top).to_image();
    part.save(&crop).unwrap();
    let said = tool("tesseract", [crop.to_str().unwrap(), "stdout", "--psm", "6", "--dpi", "1200"]);
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The letters of the slug line: how high the highest is in points, and the bounds of all in mm of the page.
fn letters(pdf: &Path) -> (f64, kurbo::Rect) {
    let document = Document::load(pdf).unwrap();
    let page = document.get_pages()[&1];
    let content = Content::decode(&document.get_page_content(page)).unwrap();
    // Marks come last, and of them the slug, filled at once.
    let end = content.operations.iter().rposition(|o| o.operator.starts_with('f')).unwrap();
    let mut letters: Vec<kurbo::Rect> = Vec::new();
    for operation in content.operations[..end].iter().rev() {
        let numbers: Vec<f64> =
            operation.operands.iter().map_while(|o| o.as_float().ok()).map(f64::from).collect();
        match operation.operator.as_str() {
            "m" | "l" | "c" | "v" | "y" => {
                if letters.is_empty() {
                    letters.push(kurbo::Rect::new(f64::MAX, f64::MAX, f64::MIN, f64::MIN));
                }
                let letter = letters.last_mut().unwrap();
                for point in numbers.chunks_exact(2) {
                    *letter = letter.union_pt((point[0], point[1]));
                }
                if operation.operator == "m" {
                    letters.push(kurbo::Rect::new(f64::MAX, f64::MAX, f64::MIN, f64::MIN));
                }
            }
            "h" => {}
            _ => break,
        }
    }
    letters.retain(|letter| letter.width() >= 0.0);
    assert!(letters.len() > 20, "{} letters", letters.len());
    let highest = letters.iter().map(kurbo::Rect::height).fold(0.0, f64::max) / 25.4 * 72.0;
    (highest, letters.into_iter().reduce(|a, b| a.union(b)).unwrap())
}

#[test]
fn the_slug_line_is_read_on_a_narrow_card() {
    let long = "LANTERN-HARBOUR-MEADOW-BUTTON-WINDOW-GARDEN-RIVER-SUMMER";
    let cases = [
        // All of it fits, on lines of their own.
        (
            148.0,
            "winter",
            "HARBOUR",
            "MEADOW",
            vec!["winter.1", "order HARBOUR", "item MEADOW", "card@1", "reverse"],
        ),
        (
            90.0,
            "winter",
            "HARBOUR-LANTERN",
            "MEADOW",
            vec!["winter.1", "HARBOUR-LANTERN", "MEADOW", "reverse"],
        ),
        // The long name loses its middle; the surface is named all the same.
        (90.0, "winter", long, "MEADOW", vec!["winter.1", "order LANTERN", "reverse"]),
        (62.0, "winter", long, long, vec!["winter.1", "reverse"]),
    ];
    for (i, (width, job_id, order_ref, item_ref, words)) in cases.into_iter().enumerate() {
        let shop = cards(&format!("slug-{i}"), width, "");
        let more = json!({ "order_ref": order_ref, "item_ref": item_ref });
        let order = shop.order(job_id, "card", more);
        shop.render(&[order], &shop.folder.join("out"));
        let (pdf, _) = job::artifacts(&shop.folder.join("out"), job_id, "pdf").remove(0);
        let said = slug(&pdf);
        println!("{width} mm: {said}");
        for word in words {
            let bare = |text: &str| text.replace([' ', '-'], "");
            assert!(bare(&said).contains(&bare(word)), "{width} mm: no {word:?} in {said:?}");
        }
        let shortened = said.contains('…') || said.contains("..");
        assert_eq!(shortened, order_ref == long, "{width} mm: {said:?}");
        // Letters with ascenders are over seven tenths of their size: five points at least, seven at most.
        let (highest, bounds) = letters(&pdf);
        assert!((0.7 * 5.0..0.85 * 7.0).contains(&highest), "{width} mm: letters of {highest} pt");
        let boxes = &pdf_boxes(&pdf)[0];
        let mm = |points: f64| points / 72.0 * 25.4;
        let middle = mm(boxes.bleed[0] + boxes.bleed[2]) / 2.0;
        assert!(bounds.x0 >= middle + 6.9, "{width} mm: {bounds:?} into the cross at {middle}");
        assert!(bounds.x1 <= mm(boxes.trim[2]) - 1.9, "{width} mm: {bounds:?} into the crop mark");
        assert!(bounds.y1 <= mm(boxes.media[3]), "{width} mm: {bounds:?} beyond the page");
    }
}
