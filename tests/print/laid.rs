//! Spot inks that leave what they lie on, where the art has them: our plates, our PDF and Ghostscript's
//! plates of it agree, whatever the ink is in.
//!
//! Tools: `apt-get install ghostscript`.

use crate::support::inked::{as_print, condition, foreign_plates};
use crate::support::job::artifacts;
use crate::support::judges::scratch;
use crate::support::picture::{Bars, WHITE, compare};
use crate::support::shop::{Shop, codes, surface};
use image::GrayImage;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A shop that prints in the fixtures' condition, with a brand's ink without an order.
pub(crate) fn shop(name: &str, standard: &str, laid: &str) -> Shop {
    let shop = Shop::new(name);
    let profile = format!(
        "schema = \"presswork.profile/1\"\ntitle = \"Laid\"\ndpi = 150\noutputs = [\"pdf\", \"plates\"]\n\
         [color]\nspace = \"cmyk\"\ncondition = \"FOGRA39L\"\n\
         rich_black = [0.6, 0.5, 0.4, 1]\n[pdf]\nstandard = \"{standard}\"\n\
         [spots.Brand]\nplate = \"Brand\"\nalternate = {{ cmyk = [1, 0.44, 0, 0] }}\nlaid = \"{laid}\"\n"
    );
    shop.write("profiles/plain.toml", profile.as_bytes());
    shop.write("profiles/icc/FOGRA39L.icc", &std::fs::read(condition()).unwrap());
    shop
}

pub(crate) fn rect(id: &str, [x, y, width, height]: [f64; 4], fill: Value) -> Value {
    json!({ "id": id, "box": { "x": x, "y": y, "width": width, "height": height },
            "shape": { "shape": { "rect": {} }, "fill": fill } })
}

fn brand(tint: f64) -> Value {
    json!({ "spot": "Brand", "tint": tint })
}

pub(crate) fn yellow() -> Value {
    rect("ground", [0.0, 0.0, 100.0, 60.0], json!({ "cmyk": [0, 0, 1, 0] }))
}

/// Our plates of a card of 100 × 60 mm with these layers; they are those of its PDF.
pub(crate) fn plates(shop: &Shop, name: &str, layers: &[Value]) -> BTreeMap<String, GrayImage> {
    shop.template(name, json!({}), json!([surface("card", (100.0, 60.0), json!(layers))]));
    let order = shop.order(name, name, json!({}));
    let out = shop.folder.join("out");
    let (_, events) = shop.render(&[order], &out);
    assert_eq!(events[0]["type"], "presswork.render.completed", "{name}: {events:?}");
    assert_eq!(events[0]["data"]["preflight"]["verdict"], "pass", "{name}: {events:?}");
    let mut ours = BTreeMap::new();
    for (file, artifact) in artifacts(&out, name, "plates") {
        let plate = artifact["plates"][0].as_str().unwrap().to_owned();
        ours.insert(plate, image::open(&file).unwrap().to_luma8());
    }
    let (pdf, _) = artifacts(&out, name, "pdf").remove(0);
    let size = ours["Yellow"].dimensions();
    let theirs = foreign_plates(&pdf, 1, size, &scratch(&format!("laid-{name}-{}", std::process::id())));
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>(), "{name}");
    let bars = Bars { layer: 0.99, tile: 0.85, shift: 8.0, bounds: 2 };
    for (plate, our) in &ours {
        let (our, their) = (as_print(our), as_print(&theirs[plate]));
        let found = compare(&our, &their, WHITE, &[]);
        println!("{name} {plate}: {found}");
        found.assert_alike(&format!("laid-{name}-{plate}"), &bars, &our, &their);
    }
    ours
}

/// How much of an ink lies at a place in mm, in per cent.
pub(crate) fn at(plates: &BTreeMap<String, GrayImage>, plate: &str, (x, y): (f64, f64)) -> u32 {
    let px = |mm: f64| (mm / 25.4 * 150.0) as u32;
    (u32::from(plates[plate].get_pixel(px(x), px(y))[0]) * 100 + 127) / 255
}

/// The ink alone, fading, half seen, in a group that is, in a pattern's cells, and beneath other art.
fn layers() -> Vec<Value> {
    let stops = json!([{ "at": 0, "color": brand(1.0) }, { "at": 1, "color": brand(0.2) }]);
    let mut half = rect("half", [50.0, 5.0, 15.0, 20.0], brand(1.0));
    half["opacity"] = json!(0.5);
    let grouped =
        [rect("a", [0.0, 0.0, 10.0, 10.0], brand(1.0)), rect("b", [5.0, 5.0, 10.0, 10.0], brand(0.6))];
    vec![
        yellow(),
        rect("alone", [5.0, 5.0, 15.0, 20.0], brand(1.0)),
        rect("tint", [25.0, 5.0, 6.0, 20.0], brand(0.4)),
        rect("fading", [33.0, 5.0, 15.0, 20.0], json!({ "linear": { "angle": 0, "stops": stops } })),
        half,
        json!({ "id": "grouped", "box": { "x": 70, "y": 5, "width": 15, "height": 15 }, "opacity": 0.7,
                "group": { "layers": grouped } }),
        json!({ "id": "cells", "box": { "x": 5, "y": 32, "width": 30, "height": 20 }, "pattern": { "cell": {
                "width": 10, "height": 10, "layers": [rect("dot", [2.0, 2.0, 6.0, 6.0], brand(1.0))] } } }),
        rect("under", [45.0, 32.0, 20.0, 20.0], brand(1.0)),
        rect("cover", [55.0, 32.0, 20.0, 20.0], json!({ "cmyk": [0.5, 0, 0, 0] })),
    ]
}

#[test]
fn an_ink_without_an_order_leaves_what_it_lies_on() {
    for laid in ["overprint", "multiply"] {
        let shop = shop(&format!("laid-{laid}"), "x4", laid);
        let plates = plates(&shop, laid, &layers());
        // The place, how much of the brand's ink, how much yellow.
        let places = [
            ((12.0, 15.0), 100, 100),
            ((28.0, 15.0), 40, 100),
            ((57.0, 15.0), 50, 100),
            ((72.0, 7.0), 70, 100),
            ((50.0, 40.0), 100, 100),
            // Other art covers both.
            ((60.0, 40.0), 0, 0),
            ((70.0, 40.0), 0, 0),
        ];
        for (place, ink, yellow) in places {
            let found = (at(&plates, "Brand", place), at(&plates, "Yellow", place));
            let near = found.0.abs_diff(ink) <= 1 && found.1.abs_diff(yellow) <= 1;
            assert!(near, "{laid} at {place:?}: {found:?}, not {ink} and {yellow}");
        }
        // The ground is whole beside what covers it, and the pattern has printed.
        let (left, cells) = ((54.0 / 25.4 * 150.0) as u32, 31.0 / 25.4 * 150.0);
        let brand =
            plates["Brand"].enumerate_pixels().filter(|(x, y, _)| *x < left / 3 * 2 && f64::from(*y) > cells);
        assert!(brand.filter(|(.., ink)| ink[0] > 250).count() > 3000, "{laid}: no cells");
        let broken = plates["Yellow"].enumerate_pixels().find(|(x, _, ink)| *x < left && ink[0] < 253);
        assert!(broken.is_none(), "{laid}: {broken:?}");
    }
}

#[test]
fn without_transparency_the_ink_leaves_what_it_lies_on_too() {
    let shop = shop("laid-flat", "x1a", "overprint");
    let mut patch = rect("patch", [10.0, 10.0, 40.0, 10.0], json!({ "cmyk": [0, 0.8, 0, 0] }));
    patch["opacity"] = json!(0.5);
    let ink = rect("ink", [5.0, 5.0, 30.0, 40.0], brand(1.0));
    let plates = plates(&shop, "flat", &[yellow(), ink, patch]);
    for (place, ink, yellow) in [((20.0, 35.0), 100, 100), ((20.0, 15.0), 50, 50), ((60.0, 35.0), 0, 100)] {
        let found = (at(&plates, "Brand", place), at(&plates, "Yellow", place));
        assert!(found.0.abs_diff(ink) <= 1 && found.1.abs_diff(yellow) <= 1, "at {place:?}: {found:?}");
    }
}

#[test]
fn what_knocks_out_may_lie_beneath_transparency_or_be_blended() {
    for standard in ["x1a", "x3", "x4"] {
        let shop = shop(&format!("laid-out-{standard}"), standard, "knockout");
        let mut patch = rect("patch", [10.0, 10.0, 40.0, 10.0], json!({ "cmyk": [0, 0.8, 0, 0] }));
        patch["opacity"] = json!(0.5);
        let ink = rect("ink", [5.0, 5.0, 30.0, 40.0], brand(1.0));
        let mut blended = rect("blended", [60.0, 5.0, 30.0, 40.0], brand(1.0));
        blended["blend"] = json!("multiply");
        let plates = plates(&shop, standard, &[yellow(), ink, patch, blended]);
        assert_eq!((at(&plates, "Brand", (20.0, 35.0)), at(&plates, "Yellow", (20.0, 35.0))), (100, 0));
        assert_eq!((at(&plates, "Brand", (70.0, 35.0)), at(&plates, "Yellow", (70.0, 35.0))), (100, 100));
    }
}

#[test]
fn an_ink_that_cannot_leave_anything_is_refused() {
    let shop = shop("laid-mixed", "x4", "overprint");
    let mixed = [
        rect("a", [0.0, 0.0, 10.0, 10.0], brand(1.0)),
        rect("b", [5.0, 5.0, 10.0, 10.0], json!({ "cmyk": [0, 1, 0, 0] })),
    ];
    let group = json!({ "id": "mixed", "box": { "x": 5, "y": 5, "width": 15, "height": 15 }, "opacity": 0.5,
                        "group": { "layers": mixed } });
    shop.template("mixed", json!({}), json!([surface("card", (100.0, 60.0), json!([yellow(), group]))]));
    let order = shop.order("mixed", "mixed", json!({}));
    let (_, events) = shop.render(&[order], &shop.folder.join("out"));
    assert_eq!(codes(&events[0]), ["template.invalid"], "{events:?}");
}

#[test]
fn plates_of_an_srgb_job_leave_each_other_as_they_say() {
    let shop = Shop::new("laid-srgb");
    let profile = "schema = \"presswork.profile/1\"\ntitle = \"Laid\"\ndpi = 150\noutputs = [\"pdf\", \"plates\"]\n\
         [color]\nspace = \"srgb\"\n[spots.Brand]\nplate = \"Brand\"\nalternate = \"#0070c0\"\n\
         [spots.Gloss]\nplate = \"Gloss\"\nalternate = \"#eeeeee\"\nlaid = \"overprint\"\n";
    shop.write("profiles/plain.toml", profile.as_bytes());
    let over = rect("over", [20.0, 10.0, 40.0, 10.0], json!({ "spot": "Gloss" }));
    let layers = json!([rect("ink", [5.0, 5.0, 30.0, 40.0], brand(1.0)), over]);
    shop.template("two", json!({}), json!([surface("card", (100.0, 60.0), layers)]));
    let order = shop.order("two", "two", json!({}));
    let out = shop.folder.join("out");
    let (_, events) = shop.render(&[order], &out);
    assert_eq!(events[0]["data"]["preflight"]["verdict"], "pass", "{events:?}");
    let mut plates = BTreeMap::new();
    for (file, artifact) in artifacts(&out, "two", "plates") {
        let plate = artifact["plates"][0].as_str().unwrap().to_owned();
        plates.insert(plate, image::open(&file).unwrap().to_luma8());
    }
    for (plate, place, ink) in [
        ("Brand", (25.0, 15.0), 100),
        ("Gloss", (25.0, 15.0), 100),
        ("Gloss", (50.0, 15.0), 100),
        ("Gloss", (10.0, 15.0), 0),
    ] {
        assert_eq!(at(&plates, plate, place), ink, "{plate} at {place:?}");
    }
}
