//! Black: what is broad is rich, what is fine is one ink, on our plates and on Ghostscript's of our PDF.
//!
//! Tools: `apt-get install ghostscript`.

use super::laid::{at, plates, rect, shop, yellow};
use serde_json::{Value, json};

fn line(id: &str, x: f64, width: f64) -> Value {
    json!({ "id": id, "box": { "x": x, "y": 5, "width": 10, "height": 20 },
            "shape": { "shape": { "path": { "d": "M5 0 V20" } },
                       "stroke": { "width": width, "color": "#000000" } } })
}

/// A line of 0.35 mm is narrower than 1 pt, one of 0.5 mm is not. In `x1a` they are part of the
/// picture that what is transparent becomes.
#[test]
fn thin_black_lines_are_black_ink_alone() {
    for standard in ["x4", "x1a"] {
        let shop = shop(&format!("black-{standard}"), standard, "knockout");
        let mut seen = rect("seen", [0.0, 0.0, 100.0, 60.0], json!({ "cmyk": [0, 0, 0.2, 0] }));
        seen["opacity"] = json!(0.5);
        let layers = [
            yellow(),
            line("thin", 10.0, 0.35),
            line("thick", 30.0, 0.5),
            rect("broad", [50.0, 5.0, 10.0, 20.0], json!("#000000")),
            json!({ "id": "cells", "box": { "x": 70, "y": 5, "width": 20, "height": 20 }, "pattern": { "cell": {
                    "width": 10, "height": 20, "layers": [line("cell", 0.0, 0.35)] } } }),
            seen,
        ];
        let ours = plates(&shop, &format!("lines-{standard}"), &layers);
        let most = |plate: &str, x: f64| {
            let around = [-0.2, -0.1, 0.0, 0.1, 0.2];
            around.map(|by| at(&ours, plate, (x + by, 15.0))).into_iter().max().unwrap()
        };
        for (x, cyan) in [(15.0, 0..=0), (35.0, 20..=30), (55.0, 25..=31), (75.0, 0..=0), (85.0, 0..=0)] {
            assert!(cyan.contains(&most("Cyan", x)), "{standard}: cyan at {x} is {}", most("Cyan", x));
            assert!(most("Black", x) >= 40, "{standard}: black at {x} is {}", most("Black", x));
        }
    }
}

/// What counts is the width on the surface, of a pattern's largest print: plates, PDF and previews agree,
/// whatever a cell is painted at.
#[test]
fn a_line_is_as_thin_as_it_is_shown() {
    let shop = shop("black-shown", "x4", "knockout");
    // Hatches of 0.3 mm in cells that lie on no pixel.
    let hatch = "<svg xmlns='http://www.w3.org/2000/svg' width='20mm' height='20mm' viewBox='0 0 20 20'>\
        <pattern id='h' width='4.03' height='4.03' patternUnits='userSpaceOnUse'>\
        <path d='M2 0V4.03' stroke='#000' stroke-width='0.3'/></pattern>\
        <rect width='20' height='20' fill='url(#h)'/></svg>";
    shop.write("catalog/shown/1/hatch.svg", hatch.as_bytes());
    let scaled = |id: &str, x: f64, scale: [f64; 2]| {
        json!({ "id": id, "box": { "x": x, "y": 30, "width": 30, "height": 24 }, "pattern": { "scale": scale,
            "cell": { "width": 6, "height": 12, "layers": [
                { "id": format!("{id}-cell"), "box": { "x": 0, "y": 1, "width": 6, "height": 10 },
                  "shape": { "shape": { "path": { "d": "M3 0 V10" } },
                             "stroke": { "width": 0.5, "color": "#000000" } } }] } } })
    };
    let layers = [
        yellow(),
        line("point", 10.0, 25.4 / 72.0),
        json!({ "id": "hatch", "box": { "x": 30, "y": 5, "width": 20, "height": 20 },
                "art": { "asset": "hatch.svg" } }),
        scaled("halves", 10.0, [0.5, 0.5]),
        scaled("sizes", 50.0, [0.5, 1.0]),
    ];
    let ours = plates(&shop, "shown", &layers);
    // How much cyan lies where black does, in per cent: the least and the most.
    let cyan = |[x0, y0, x1, y1]: [f64; 4]| {
        let px = |mm: f64| (mm / 25.4 * 150.0) as u32;
        let within = |x: u32, y: u32| (px(x0)..px(x1)).contains(&x) && (px(y0)..px(y1)).contains(&y);
        let inked = ours["Black"].enumerate_pixels().filter(|(x, y, ink)| within(*x, *y) && ink[0] > 120);
        let found: Vec<u32> =
            inked.map(|(x, y, _)| u32::from(ours["Cyan"].get_pixel(x, y)[0]) * 100 / 255).collect();
        assert!(found.len() > 50, "{} pixels of black", found.len());
        (*found.iter().min().unwrap(), *found.iter().max().unwrap())
    };
    assert_eq!(cyan([11.0, 6.0, 19.0, 24.0]), (0, 0), "a line of 1 pt");
    assert_eq!(cyan([31.0, 6.0, 49.0, 24.0]), (0, 0), "hatches");
    assert_eq!(cyan([10.0, 30.0, 40.0, 54.0]), (0, 0), "prints at half their size");
    let (least, _) = cyan([50.0, 30.0, 80.0, 54.0]);
    assert!(least >= 10, "prints of many sizes: {least}");
}
