//! Type that was made outlines: small type in finished files is found with its place, and neither
//! larger type nor anything that is no type is taken for it.

use crate::support::clipart::{corpus, fonts, on_a_page, text};
use crate::support::job::artifacts;
use crate::support::shop::{Shop, surface};
use presswork::art::{Art, Recolor};
use presswork::asset::Limits;
use presswork::control::Control;
use presswork::pdf::{PdfOptions, PdfWriter, PrintRules};
use presswork::preflight::{Inspection, Rule, Wish};
use presswork::scene::{Dpi, Placement, Surface};
use serde_json::{Value, json};
use std::io::Cursor;
use std::path::Path;

/// Points of type that the press holds.
const LEAST: f64 = 6.0;
/// A page's width and height in mm.
const PAGE: (f64, f64) = (120.0, 80.0);

/// A shop that prints nothing under [`LEAST`] and pages on dark ground.
fn shop(name: &str) -> Shop {
    let shop = Shop::new(name);
    let profile = format!(
        "schema = \"presswork.profile/1\"\ntitle = \"Type\"\ndpi = 300\noutputs = [\"pdf\"]\n\
         [color]\nspace = \"srgb\"\n[preflight]\ntype_min = {LEAST}\n"
    );
    shop.write("profiles/plain.toml", profile.as_bytes());
    shop
}

/// A line of type in the middle of the page.
fn line(content: &str, family: &str, size: f64) -> Value {
    json!({ "id": "line", "box": { "x": 20, "y": 30, "width": 80, "height": 10 },
            "text": { "content": content, "font": { "family": family }, "size": size, "min_size": size,
                      "valign": "middle", "wrap": false, "fill": "#ffffff" } })
}

/// Where a page with these layers has type that is too small, in mm.
fn found(shop: &Shop, id: &str, mut layers: Vec<Value>) -> Vec<[f64; 4]> {
    let ground = json!({ "id": "ground", "shape": { "shape": { "rect": {} }, "fill": "#203040" } });
    layers.insert(0, ground);
    shop.template(id, json!({}), json!([surface("page", PAGE, json!(layers))]));
    let order = shop.order(id, id, json!({}));
    let out = shop.folder.join("out");
    let (said, events) = shop.render(&[order], &out);
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    assert_eq!(artifacts(&out, id, "pdf").len(), 1);
    let findings = events[0]["data"]["preflight"]["findings"].as_array().unwrap().clone();
    let place = |finding: &Value| {
        assert_eq!((&finding["code"], &finding["verdict"]), (&json!("type.too_small"), &json!("warn")));
        assert_eq!(finding["page"], 1);
        serde_json::from_value(finding["place"].clone()).unwrap()
    };
    findings.iter().map(place).collect()
}

/// Ways to set a line: mixed, capitals, figures, lower case with nothing above or below.
const LINES: [&str; 4] =
    ["Printed in Ghent with care", "ALL RIGHTS RESERVED", "Lot 4721 of 12.11.2026", "some minor aroma"];
const FAMILIES: [&str; 3] = ["Noto Sans", "Libertinus Serif", "Ubuntu"];

#[test]
fn small_type_is_found_in_its_place_whatever_its_face() {
    let shop = shop("type-small");
    let mut number = 0;
    for family in FAMILIES {
        for content in LINES {
            number += 1;
            let places = found(&shop, &format!("small-{number}"), vec![line(content, family, 3.5)]);
            let what = format!("{content:?} in {family}: {places:?}");
            // One row, or one for each piece between descenders.
            assert!(!places.is_empty() && places.len() <= 3, "{what}");
            for [x, y, width, height] in places {
                assert!(x > 19.9 && x + width < 60.0 && y > 33.0 && y + height < 37.0, "{what}");
                assert!(height > 0.4 && height < 1.5, "{what}");
            }
        }
    }
}

#[test]
fn type_that_the_press_holds_is_not_called_small() {
    let shop = shop("type-large");
    let mut number = 0;
    for family in FAMILIES {
        for content in LINES {
            for size in [LEAST, 7.0, 9.0, 14.0] {
                number += 1;
                let places = found(&shop, &format!("large-{number}"), vec![line(content, family, size)]);
                assert_eq!(places, [[0.0; 4]; 0], "{content:?} in {family} of {size} pt");
            }
        }
    }
    // A paragraph: many rows, and columns of letters.
    let text = "Every letter has been set by hand and printed on paper from the mill by the river.";
    let paragraph = json!({ "id": "body", "box": { "x": 20, "y": 5, "width": 30, "height": 70 },
        "text": { "content": text, "font": { "family": "Noto Sans" }, "size": 6.5, "min_size": 6.5,
                  "line_height": 1.0, "fill": "#ffffff" } });
    assert_eq!(found(&shop, "paragraph", vec![paragraph]), [[0.0; 4]; 0]);
}

#[test]
fn turned_type_is_found_and_ornaments_and_codes_are_not_type() {
    let shop = shop("type-turned");
    let mut upright = line("Printed in Ghent with care", "Noto Sans", 3.5);
    upright["rotate"] = json!(90);
    let places = found(&shop, "turned", vec![upright]);
    assert!(!places.is_empty(), "an upright line");
    assert!(places.iter().all(|[_, _, width, height]| height > width), "{places:?}");
    let star = "M50 0L61 35L98 35L68 57L79 91L50 70L21 91L32 57L2 35L39 35Z";
    let row: Vec<Value> = (0..20)
        .map(|i| {
            json!({ "id": format!("star-{i}"), "box": { "x": 20 + 2 * i, "y": 30, "width": 1.2, "height": 1.2 },
                    "shape": { "shape": { "path": { "view": [0, 0, 100, 100], "d": star } }, "fill": "#ffffff" } })
        })
        .collect();
    assert_eq!(found(&shop, "stars", row), [[0.0; 4]; 0]);
    let code = json!({ "id": "code", "box": { "x": 20, "y": 20, "width": 14, "height": 14 },
                       "code": { "symbology": "qr", "content": "https://example.com/a-longer-address/of-some-place" } });
    assert_eq!(found(&shop, "code", vec![code]), [[0.0; 4]; 0]);
}

/// A surface's file, looked at by a press that holds type of `least` points.
fn small_type(surface: &Surface, least: f64) -> usize {
    let options = PdfOptions {
        dpi: Dpi::new(300.0),
        placement: Placement::default(),
        title: None,
        created: None,
        limits: Limits::default(),
        print: PrintRules::default(),
    };
    let mut writer = PdfWriter::new(Vec::new(), options).unwrap();
    writer.page(surface, Control::NONE).unwrap();
    let (bytes, _) = writer.finish().unwrap();
    let wish = Wish { type_min: Some(least), ..Wish::default() };
    let report = Inspection::new(&wish).inspect(Cursor::new(bytes)).unwrap();
    report.findings.iter().filter(|finding| finding.code == Rule::TypeSmall.as_str()).count()
}

/// Every how many drawings one is taken, in a sample and of all.
const STEPS: (usize, usize) = (61, 7);

#[test]
fn drawings_are_not_taken_for_type() {
    let (files, fonts) = (corpus(STEPS), fonts());
    let (mut seen, mut alarmed) = (0, Vec::new());
    for path in &files {
        let bytes = std::fs::read(path).unwrap();
        // Type there may be small.
        if text(&bytes).contains("<text") {
            continue;
        }
        let Ok(art) = Art::load(&bytes, fonts.clone(), &Limits::default()) else { continue };
        let Ok(group) = art.group(&Recolor::default()) else { continue };
        seen += 1;
        if small_type(&on_a_page(&art, group), LEAST) > 0 {
            alarmed.push(name(path));
        }
    }
    println!("{} of {seen} drawings alarm: {alarmed:?}", alarmed.len());
    assert!(seen > 50, "{seen}");
    // Some have lettering that was made outlines.
    assert!(alarmed.len() * 50 <= seen, "{} of {seen}: {alarmed:?}", alarmed.len());
}

fn name(path: &Path) -> String {
    path.display().to_string()
}
