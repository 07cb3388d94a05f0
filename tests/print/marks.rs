//! Marks on small and scaled pages, and what results say of turned ones.

use crate::support::inked::condition;
use crate::support::job::artifacts;
use crate::support::judges::{pdf_boxes, tool};
use crate::support::shop::{Shop, surface};
use image::GrayImage;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const DPI: f64 = 300.0;

/// A card of this size with 3 mm of bleed and a brand's ink, printed as `more` says; its PDF and artifact.
fn card(name: &str, (width, height): (f64, f64), title: &str, more: &str) -> (PathBuf, Value) {
    let shop = Shop::new(name);
    let profile = format!(
        "schema = \"presswork.profile/1\"\ntitle = \"Marks\"\ndpi = 300\noutputs = [\"pdf\"]\n{more}\n\
         crop = true\n[color]\nspace = \"cmyk\"\ncondition = \"FOGRA39L\"\n[pdf]\nstandard = \"x4\"\n\
         [spots.Brand]\nplate = \"Brand\"\nalternate = {{ cmyk = [1, 0.44, 0, 0] }}\n"
    );
    shop.write("profiles/plain.toml", profile.as_bytes());
    shop.write("profiles/icc/FOGRA39L.icc", &std::fs::read(condition()).unwrap());
    let place = json!({ "x": width / 3.0, "y": height / 3.0, "width": width / 3.0, "height": height / 3.0 });
    let spot = json!({ "id": "spot", "box": place, "shape": { "shape": { "rect": {} }, "fill": { "spot": "Brand" } } });
    let mut card = surface("card", (width, height), json!([spot]));
    card["bleed"] = json!(3);
    let template = json!({
        "schema": "presswork.template/1", "name": title, "profiles": ["plain"], "fields": {}, "surfaces": [card],
    });
    shop.write("catalog/card/1/template.json", template.to_string().as_bytes());
    let order = shop.order("one", "card", json!({ "order_ref": "HARBOUR", "item_ref": "MEADOW" }));
    let (_, events) = shop.render(&[order], &shop.folder.join("out"));
    assert_eq!(events[0]["type"], "presswork.render.completed", "{name}: {events:?}");
    artifacts(&shop.folder.join("out"), "one", "pdf").remove(0)
}

/// The plates of a PDF's first page as Ghostscript separates it; 255 is full ink.
fn plates(pdf: &Path) -> BTreeMap<String, GrayImage> {
    let folder = tempfile::tempdir().unwrap();
    let out = format!("-sOutputFile={}/page.tif", folder.path().display());
    let (density, input) = (format!("-r{DPI}"), pdf.display().to_string());
    let device = ["-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-sDEVICE=tiffsep"];
    tool("gs", [&device[..], &[&density, &out, &input]].concat());
    let mut plates = BTreeMap::new();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let Some((_, plate)) = name.split_once('(') else { continue };
        let mut inked = image::open(&path).unwrap().to_luma8();
        inked.iter_mut().for_each(|v| *v = 255 - *v);
        plates.insert(plate.trim_end_matches(')').to_owned(), inked);
    }
    plates
}

#[test]
fn every_ink_has_its_patch_on_small_cards() {
    let all = "[marks]\nbleed = true\nregistration = true\ncolor_bar = true\nslug = true";
    for size in [(85.0, 55.0), (40.0, 30.0), (20.0, 15.0)] {
        let (pdf, _) = card(&format!("marks-{}", size.0), size, "Card", all);
        let boxes = &pdf_boxes(&pdf)[0];
        let px = |points: f64| points / 72.0 * DPI;
        let (left, right) = (px(boxes.bleed[0]) - 2.0, px(boxes.bleed[2]) + 2.0);
        let (top, bottom) =
            (px(boxes.media[3] - boxes.bleed[3]) - 2.0, px(boxes.media[3] - boxes.bleed[1]) + 2.0);
        let outside = |x: u32, y: u32| {
            let (x, y) = (f64::from(x), f64::from(y));
            x < left || x > right || y < top || y > bottom
        };
        for (plate, ink) in plates(&pdf) {
            // Lines are thinner than a millimetre; a patch is solid over more than two.
            let side = (2.0 / 25.4 * DPI) as u32;
            let solid = (0..ink.height() - side).step_by(3).any(|y| {
                (0..ink.width() - side).step_by(3).any(|x| {
                    let corners = [
                        (x, y),
                        (x + side, y),
                        (x, y + side),
                        (x + side, y + side),
                        (x + side / 2, y + side / 2),
                    ];
                    outside(x, y)
                        && outside(x + side, y + side)
                        && corners.iter().all(|(x, y)| ink.get_pixel(*x, *y)[0] > 250)
                        && (0..side).all(|i| ink.get_pixel(x + i, y + i)[0] > 250)
                })
            });
            assert!(solid, "{size:?}: no patch of {plate}");
            // Nothing is cut off by the page.
            let (w, h) = ink.dimensions();
            let rim = ink
                .enumerate_pixels()
                .any(|(x, y, v)| (x == 0 || y == 0 || x == w - 1 || y == h - 1) && v[0] > 128);
            assert!(!rim, "{size:?}: {plate} runs off the page");
        }
    }
}

#[test]
fn crop_marks_are_whole_on_a_scaled_page() {
    let (pdf, artifact) =
        card("marks-scaled", (100.0, 70.0), "Card", "scale_x = 0.5\nscale_y = 0.5\n[marks]\noffset = 4");
    assert_eq!(artifact["boxes"][0]["trim"], json!([0.0, 0.0, 50.0, 35.0]));
    let boxes = &pdf_boxes(&pdf)[0];
    let ink = &plates(&pdf)["Black"];
    // The mark left of the trim's upper corner, along its middle.
    let px = |points: f64| points / 72.0 * DPI;
    let y = px(boxes.media[3] - boxes.trim[3]);
    let row = |y: i64| {
        (0..px(boxes.trim[0]) as u32).filter(|x| ink.get_pixel(*x, y as u32)[0] > 40).collect::<Vec<_>>()
    };
    let inked = (-1..=1).map(|dy| row(y as i64 + dy)).max_by_key(Vec::len).unwrap();
    let (first, last) = (f64::from(inked[0]), f64::from(inked[inked.len() - 1]));
    let mm = |px: f64| px / DPI * 25.4;
    assert!((mm(last - first) - 5.0).abs() < 0.2, "a mark of {} mm", mm(last - first));
    assert!(first > 3.0 && (mm(px(boxes.trim[0]) - last) - 4.0).abs() < 0.2, "from {first} to {last}");
}

#[test]
fn a_result_names_the_boxes_of_the_page_as_it_lies() {
    let turned = "rotate = 90\nscale_x = 1.1\nmirror = true\n[marks]\nslug = true\ncolor_bar = true";
    // A name with a tab is the same in both places that a PDF has for it.
    let (pdf, artifact) = card("marks-turned", (100.0, 70.0), "a\tb", turned);
    let boxes = &pdf_boxes(&pdf)[0];
    let said = &artifact["boxes"][0];
    for (kind, points) in [("trim", boxes.trim), ("bleed", boxes.bleed), ("media", boxes.media)] {
        let mm = |points: f64| points / 72.0 * 25.4;
        let [x, y] = [points[0] - boxes.trim[0], boxes.trim[3] - points[3]].map(mm);
        let wanted = [x, y, mm(points[2] - points[0]), mm(points[3] - points[1])];
        let found: [f64; 4] = serde_json::from_value(said[kind].clone()).unwrap();
        assert!(
            found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 0.01),
            "{kind}: {found:?}, not {wanted:?}"
        );
    }
    assert_eq!(said["trim"], json!([0.0, 0.0, 70.0, 110.0]));
}
