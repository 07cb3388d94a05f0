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
