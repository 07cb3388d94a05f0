//! Inks that are no colour, drawn in the art of an sRGB job: the picture of the print has neither knife lines
//! nor white, an engraving file not what is cut, and a drawing both sides of a shape.

use crate::support::job::artifacts;
use crate::support::judges::run;
use crate::support::picture::load;
use crate::support::shop::{Shop, surface};
use image::{Rgba, RgbaImage};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;

/// A shop whose profile has these outputs and these sections.
fn shop(name: &str, outputs: &str, sections: &str) -> Shop {
    let shop = Shop::new(name);
    let profile = format!(
        "schema = \"presswork.profile/1\"\ntitle = \"Special\"\ndpi = 300\noutputs = [{outputs}]\n\
         [color]\nspace = \"srgb\"\n{sections}"
    );
    shop.write("profiles/plain.toml", profile.as_bytes());
    shop
}

/// A rectangle: its place in mm, what fills it, and with what it is outlined half a millimetre wide.
fn rect(id: &str, [x, y, width, height]: [f64; 4], fill: Option<Value>, stroke: Option<&str>) -> Value {
    let mut shape = json!({ "shape": { "rect": {} } });
    if let Some(fill) = fill {
        shape["fill"] = fill;
    }
    if let Some(spot) = stroke {
        shape["stroke"] = json!({ "width": 0.5, "color": { "spot": spot } });
    }
    json!({ "id": id, "box": { "x": x, "y": y, "width": width, "height": height }, "shape": shape })
}

fn spot(name: &str) -> Option<Value> {
    Some(json!({ "spot": name }))
}

/// Renders a tag of 40 × 20 mm with these layers; gives where its files are.
fn render(shop: &Shop, layers: &[Value]) -> PathBuf {
    shop.template("tag", json!({}), json!([surface("tag", (40.0, 20.0), json!(layers))]));
    let order = shop.order("one", "tag", json!({}));
    let out = shop.folder.join("out");
    let (_, events) = shop.render(&[order], &out);
    assert_eq!(events[0]["type"], "presswork.render.completed", "{events:?}");
    out
}

/// The pixel of a tag's picture at a place in mm.
fn at(picture: &RgbaImage, (x, y): (f64, f64)) -> Rgba<u8> {
    let px = |mm: f64, whole: f64, pixels: u32| (mm / whole * f64::from(pixels)) as u32;
    *picture.get_pixel(px(x, 40.0, picture.width()), px(y, 20.0, picture.height()))
}

#[test]
fn pictures_have_neither_the_knifes_line_nor_white_and_foil_lies_on_top() {
    let inks = "[spots.White]\nplate = \"White\"\nalternate = \"#ffffff\"\nlaid = \"multiply\"\nstep = \"white\"\n\
                [spots.Cut]\nplate = \"CutContour\"\nalternate = \"#ff00ff\"\nlaid = \"overprint\"\n\
                step = \"cutting\"\n\
                [spots.Foil]\nplate = \"Foil\"\nalternate = \"#c0a000\"\nlaid = \"overprint\"\n\
                step = \"foil-stamping\"\n\
                [spots.Brand]\nplate = \"PANTONE 185 C\"\nalternate = \"#e4002b\"\n";
    let shop = shop("special-pictures", "\"png\", \"jpeg\", \"preview\"", inks);
    let out = render(
        &shop,
        &[
            rect("foil", [20.0, 6.0, 12.0, 8.0], spot("Foil"), None),
            rect("art", [4.0, 4.0, 24.0, 12.0], Some(json!("#c02020")), None),
            rect("brand", [6.0, 6.0, 4.0, 4.0], spot("Brand"), None),
            rect("hole", [8.0, 12.0, 2.0, 2.0], None, Some("Cut")),
            rect("white", [12.0, 6.0, 6.0, 8.0], spot("White"), None),
            rect("white-alone", [34.0, 14.0, 3.0, 3.0], spot("White"), None),
            rect("cut", [2.0, 2.0, 36.0, 16.0], None, Some("Cut")),
        ],
    );
    let (red, brand, foil, none) =
        ([0xc0, 0x20, 0x20, 255], [0xe4, 0x00, 0x2b, 255], [0xc0, 0xa0, 0x00, 255], [0; 4]);
    let places = [
        ("art", (5.0, 5.0), red),
        ("a brand's ink", (8.0, 8.0), brand),
        ("art beneath white", (15.0, 10.0), red),
        ("foil over art", (24.0, 10.0), foil),
        ("foil alone", (30.0, 10.0), foil),
        ("a knife's line on art", (8.0, 13.0), red),
        ("a knife's line", (20.0, 2.0), none),
        ("white alone", (35.5, 15.5), none),
    ];
    for output in ["png", "preview"] {
        let picture = load(&artifacts(&out, "one", output).remove(0).0);
        for (what, place, color) in places {
            assert_eq!(at(&picture, place).0, color, "{output}, {what}");
        }
    }
    let (jpeg, _) = artifacts(&out, "one", "jpeg").remove(0);
    let decoded = jpeg.with_extension("decoded.png");
    run(Command::new("convert").arg(&jpeg).arg(&decoded));
    let jpeg = load(&decoded);
    for (what, place, color) in places {
        let wanted = if color[3] == 0 { [255; 4] } else { color };
        let off = at(&jpeg, place).0.iter().zip(wanted).map(|(a, b)| a.abs_diff(b)).max();
        assert!(off < Some(12), "jpeg, {what}: off by {off:?}");
    }
}

#[test]
fn what_is_cut_is_not_engraved_and_a_drawing_has_both_sides_of_a_shape() {
    // A line that is cut by its name alone, and an ink that is engraved under a step.
    let inks = "[spots.Engrave]\nplate = \"Engrave\"\nalternate = \"#000000\"\n\
                [spots.Deep]\nplate = \"Deep\"\nalternate = \"#000000\"\nlaid = \"overprint\"\nstep = \"debossing\"\n\
                [spots.Cut]\nplate = \"Cut\"\nalternate = \"#ff0000\"\nlaid = \"overprint\"\nstep = \"cutting\"\n\
                [spots.Nick]\nplate = \"Nick\"\nalternate = \"#000000\"\n\
                [svg]\ncut = [\"Cut\", \"Nick\"]\nengrave = [\"Engrave\", \"Deep\"]\n\
                [engraving]\ndpi = 500\nscreen = \"threshold\"\n";
    let shop = shop("special-engraving", "\"svg\", \"engraving\"", inks);
    let areas = [[6.0, 6.0, 10.0, 6.0], [20.0, 6.0, 4.0, 6.0], [28.0, 6.0, 8.0, 8.0]];
    let out = render(
        &shop,
        &[
            rect("words", areas[0], spot("Engrave"), None),
            rect("seal", areas[1], spot("Deep"), None),
            rect("both", areas[2], spot("Engrave"), Some("Cut")),
            rect("nick", [18.0, 14.0, 4.0, 3.0], None, Some("Nick")),
            rect("cut", [2.0, 2.0, 36.0, 16.0], None, Some("Cut")),
        ],
    );
    let dots = load(&artifacts(&out, "one", "engraving").remove(0).0);
    let per_mm = f64::from(dots.width()) / 40.0;
    let mut burnt = 0;
    for (x, y, _) in dots.enumerate_pixels().filter(|(_, _, pixel)| pixel.0[0] == 0) {
        let (x, y) = ((f64::from(x) + 0.5) / per_mm, (f64::from(y) + 0.5) / per_mm);
        let within = |from: f64, size: f64, v: f64| (from - 0.06..from + size + 0.06).contains(&v);
        let inside = areas.iter().any(|[left, top, w, h]| within(*left, *w, x) && within(*top, *h, y));
        assert!(inside, "a dot at {x:.2}, {y:.2} mm");
        burnt += 1;
    }
    let (found, wanted) = (f64::from(burnt) / (per_mm * per_mm), 60.0 + 24.0 + 64.0);
    assert!((found - wanted).abs() < wanted * 0.02, "{found} mm² instead of {wanted}");

    let svg = std::fs::read_to_string(artifacts(&out, "one", "svg").remove(0).0).unwrap();
    assert_eq!(svg.matches("stroke=\"#ff0000\"").count(), 3, "{svg}");
    assert_eq!(svg.matches("fill=\"#000000\"").count(), 3, "{svg}");
    assert_eq!(svg.matches("<path").count(), 6, "{svg}");
    // The area first: what is cut out no longer lies flat.
    let both = svg.split_once("<g id=\"both\"").unwrap().1.split_once("</g>").unwrap().0;
    let (area, line) = (both.find("fill=\"#000000\""), both.find("stroke=\"#ff0000\""));
    assert!(area.is_some() && area < line, "{both}");
}
