//! A job is the same in all its files: our plates and Ghostscript's of our PDF, where the two are made by
//! different ways.
//!
//! Tools: `apt-get install ghostscript`.

use super::laid::{at, plates, rect, shop, yellow};
use crate::support::inked::condition;
use crate::support::job::artifacts;
use crate::support::shop::{Shop, surface};
use serde_json::{Value, json};

/// A layer of art: the inside of an SVG of 100 units, and where it stands.
fn art(shop: &Shop, template: &str, id: &str, [x, y, width, height]: [f64; 4], inside: &str) -> Value {
    let svg = format!("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 100 100'>{inside}</svg>");
    shop.write(&format!("catalog/{template}/1/{id}.svg"), svg.as_bytes());
    json!({ "id": id, "box": { "x": x, "y": y, "width": width, "height": height },
            "art": { "asset": format!("{id}.svg") } })
}

#[test]
fn gradients_that_stay_tagged_run_in_srgb_on_plates_too() {
    let shop = Shop::new("same-tagged");
    let profile = "schema = \"presswork.profile/1\"\ntitle = \"Tagged\"\ndpi = 150\noutputs = [\"pdf\", \"plates\"]\n\
                   [color]\nspace = \"cmyk\"\ncondition = \"FOGRA39L\"\nrgb = \"tagged\"\n[pdf]\nstandard = \"x4\"\n";
    shop.write("profiles/plain.toml", profile.as_bytes());
    shop.write("profiles/icc/FOGRA39L.icc", &std::fs::read(condition()).unwrap());
    let stops = json!([{ "at": 0, "color": "#ffffff" }, { "at": 1, "color": "#000000" }]);
    let layers = [
        rect("fading", [0.0, 0.0, 100.0, 40.0], json!({ "linear": { "angle": 0, "stops": stops } })),
        // The very colours that it has at a quarter, in the middle and at three quarters.
        rect("light", [20.0, 45.0, 10.0, 10.0], json!("#bfbfbf")),
        rect("grey", [45.0, 45.0, 10.0, 10.0], json!("#808080")),
        rect("dark", [70.0, 45.0, 10.0, 10.0], json!("#404040")),
    ];
    let plates = plates(&shop, "tagged", &layers);
    for plate in ["Cyan", "Magenta", "Yellow", "Black"] {
        for x in [25.0, 50.0, 75.0] {
            let (fading, plain) = (at(&plates, plate, (x, 20.0)), at(&plates, plate, (x, 50.0)));
            assert!(
                fading.abs_diff(plain) <= 2,
                "{plate} at {x} mm: {fading} %, and {plain} % of the same colour"
            );
        }
    }
}

#[test]
fn a_hard_edge_at_a_gradients_end_is_what_it_is_extended_by() {
    let shop = shop("same-edges", "x4", "knockout");
    let disc = "<radialGradient id='g' r='0.25'><stop offset='0' stop-color='#fc0'/>\
        <stop offset='1' stop-color='#fc0'/><stop offset='1' stop-color='#fc0' stop-opacity='0'/>\
        </radialGradient><rect width='100' height='100' fill='url(#g)'/>";
    let bars = "<linearGradient id='l' x1='0.3' x2='0.7'><stop offset='0' stop-color='#fff'/>\
        <stop offset='0' stop-color='#0080ff'/><stop offset='1' stop-color='#0080ff'/>\
        <stop offset='1' stop-color='#fff'/></linearGradient><rect width='100' height='100' fill='url(#l)'/>";
    let layers = [
        art(&shop, "edges", "disc", [5.0, 5.0, 40.0, 40.0], disc),
        art(&shop, "edges", "bars", [55.0, 5.0, 40.0, 40.0], bars),
    ];
    let plates = plates(&shop, "edges", &layers);
    assert!(at(&plates, "Yellow", (25.0, 25.0)) > 80 && at(&plates, "Yellow", (8.0, 8.0)) == 0);
    let cyan = |x: f64| at(&plates, "Cyan", (x, 25.0));
    assert!(
        cyan(75.0) > 60 && cyan(57.0) == 0 && cyan(93.0) == 0,
        "{} {} {}",
        cyan(57.0),
        cyan(75.0),
        cyan(93.0)
    );
}

#[test]
fn what_a_patterns_cell_blends_meets_what_lies_beneath_the_pattern() {
    for standard in ["x4", "x1a"] {
        let shop = shop(&format!("same-cells-{standard}"), standard, "knockout");
        let mut dot = rect("dot", [2.0, 2.0, 6.0, 6.0], json!({ "cmyk": [1, 0, 0, 0] }));
        dot["blend"] = json!("multiply");
        let cells = json!({ "id": "cells", "box": { "x": 10, "y": 10, "width": 40, "height": 40 },
                            "pattern": { "cell": { "width": 10, "height": 10, "layers": [dot] } } });
        let plates = plates(&shop, &format!("cells-{standard}"), &[yellow(), cells]);
        let inked = plates["Cyan"].enumerate_pixels().filter(|(.., ink)| ink[0] == 255);
        let (mut both, mut all) = (0, 0);
        for (x, y, _) in inked {
            all += 1;
            both += usize::from(plates["Yellow"].get_pixel(x, y)[0] >= 254);
        }
        assert!(all > 10_000 && both == all, "{standard}: {both} of {all} pixels of cyan are on yellow");
    }
}

#[test]
fn masks_with_gradients_are_made_from_srgb() {
    let shop = shop("same-masks", "x4", "knockout");
    let masked = "<linearGradient id='g'><stop offset='0.3' stop-color='#00f'/><stop offset='0.7' stop-color='#fff'/>\
        </linearGradient><mask id='m'><rect width='100' height='100' fill='url(#g)'/></mask>\
        <rect width='100' height='100' fill='#ff0' mask='url(#m)'/>";
    let layer = art(&shop, "masks", "masked", [10.0, 10.0, 40.0, 40.0], masked);
    let plates = plates(&shop, "masks", &[layer]);
    let (blue, white) = (at(&plates, "Yellow", (14.0, 30.0)), at(&plates, "Yellow", (46.0, 30.0)));
    assert!((5..=9).contains(&blue) && white > 90, "{blue} and {white} % of yellow");
}

/// What is stamped on the finished print is seen on it, whatever the inks beneath are called.
#[test]
fn foil_covers_the_inks_beneath_it_on_a_proof() {
    let shop = Shop::new("same-foil");
    let profile = "schema = \"presswork.profile/1\"\ntitle = \"Foil\"\ndpi = 150\noutputs = [\"png\"]\n\
        [color]\nspace = \"cmyk\"\ncondition = \"FOGRA39L\"\n\
        [spots.Foil]\nplate = \"Foil\"\nalternate = { cmyk = [0, 0.2, 0.6, 0.1] }\nlaid = \"overprint\"\nstep = \"foil-stamping\"\n\
        [spots.Brand]\nplate = \"PANTONE 286 C\"\nalternate = { cmyk = [1, 0.75, 0, 0] }\n";
    shop.write("profiles/plain.toml", profile.as_bytes());
    shop.write("profiles/icc/FOGRA39L.icc", &std::fs::read(condition()).unwrap());
    let layers = json!([
        rect("brand", [10.0, 10.0, 50.0, 40.0], json!({ "spot": "Brand" })),
        rect("foil", [40.0, 10.0, 50.0, 40.0], json!({ "spot": "Foil" })),
    ]);
    shop.template("foil", json!({}), json!([surface("card", (100.0, 60.0), layers)]));
    let out = shop.folder.join("out");
    let (_, events) = shop.render(&[shop.order("foil", "foil", json!({}))], &out);
    let (png, _) = artifacts(&out, "foil", "png").pop().unwrap_or_else(|| panic!("{events:?}"));
    let proof = image::open(png).unwrap().to_rgb8();
    let seen = |x: f64| proof.get_pixel((x / 25.4 * 150.0) as u32, 170).0;
    assert_eq!(seen(50.0), seen(80.0), "on the brand's ink and beside it");
    assert_ne!(seen(50.0), seen(20.0));
}

/// A picture of four by four pixels, shown kilometres wide and cut to the page: no room is taken for what
/// nobody sees.
#[test]
fn hard_pixels_are_enlarged_no_further_than_they_are_worth() {
    let shop = shop("same-pixels", "x4", "knockout");
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, 4, 4);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().unwrap().write_image_data(&[[0, 160, 255]; 16].concat()).unwrap();
    use base64::Engine;
    let data = base64::engine::general_purpose::STANDARD.encode(&png);
    let inside = format!(
        "<image width='4' height='4' transform='scale(100000)' image-rendering='optimizeSpeed' \
         href='data:image/png;base64,{data}'/>"
    );
    let layer = art(&shop, "pixels", "vast", [10.0, 10.0, 40.0, 40.0], &inside);
    let plates = plates(&shop, "pixels", &[layer]);
    assert!(at(&plates, "Cyan", (30.0, 30.0)) > 60);
}
