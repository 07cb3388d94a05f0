//! Peak memory: it does not grow with the canvas, and a document costs no more than its dearest
//! surface. Measured on the process as a whole, by `/usr/bin/time`.

use crate::support::judges::peak_megabytes;
use crate::support::shop::{Shop, photo, surface};
use serde_json::json;
use std::path::PathBuf;

/// Megabytes that a 12-megapixel photo or a 78-megapixel sheet may cost.
const MOST: f64 = 150.0;

/// Peak megabytes of one order, which has to succeed. Two threads, as the limit is meant.
fn peak(shop: &Shop, order: &PathBuf) -> f64 {
    let out = shop.folder.join("out");
    let mut command = shop.command(std::slice::from_ref(order), &out);
    command.env("RAYON_NUM_THREADS", "2");
    let (megabytes, said) = peak_megabytes(&command);
    assert!(said.code == Some(0), "{}: exit {:?}\n{}", order.display(), said.code, said.stderr);
    println!("{}: {megabytes:.1} MB", order.display());
    megabytes
}

/// A round cut-out with a soft edge, as a face would be.
fn cut_out() -> Vec<u8> {
    let side = 900_u32;
    let picture = image::RgbaImage::from_fn(side, side, |x, y| {
        let (dx, dy) = (f64::from(x) - 450.0, f64::from(y) - 450.0);
        let from_edge = 440.0 - (dx * dx + dy * dy).sqrt();
        let alpha = (from_edge / 8.0).clamp(0.0, 1.0) * 255.0;
        image::Rgba([(x / 4) as u8, (y / 4) as u8, ((x ^ y) & 255) as u8, alpha as u8])
    });
    let mut bytes = Vec::new();
    picture.write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Png).unwrap();
    bytes
}

#[test]
fn a_longer_sheet_of_wrapping_paper_costs_no_more() {
    let shop = Shop::new("memory-wrap");
    shop.write("assets/face.png", &cut_out());
    let face = json!({
        "id": "face", "box": { "x": 4, "y": 4, "width": 68, "height": 68 },
        "photo": { "field": "face", "fit": "fit" },
    });
    let layers = json!([
        { "id": "ground", "shape": { "shape": { "rect": {} }, "fill": "#f2d9c7" } },
        { "id": "faces", "pattern": {
            "cell": { "width": 76.2, "height": 76.2, "layers": [face] },
            "arrange": "half_drop", "turn": 25, "seed": 7,
        } },
    ]);
    let fields = json!({ "face": { "type": "image", "by": "customer", "required": true } });
    // 7200 × 10800 and 7200 × 43200 pixels.
    shop.template("sheet", fields.clone(), json!([surface("sheet", (609.6, 914.4), layers.clone())]));
    shop.template("roll", fields, json!([surface("sheet", (609.6, 3657.6), layers)]));
    let chosen = json!({ "customization": { "face": "face.png" }, "outputs": ["png"] });
    let sheet = peak(&shop, &shop.order("sheet", "sheet", chosen.clone()));
    let roll = peak(&shop, &shop.order("roll", "roll", chosen));
    assert!(sheet < MOST && roll < MOST, "{sheet:.1} and {roll:.1} MB, not under {MOST}");
    assert!(
        (roll - sheet).abs() < 0.15 * sheet,
        "a sheet takes {sheet:.1} MB, four times as long {roll:.1} MB"
    );
}

#[test]
fn a_shirt_with_a_photo_from_a_phone_stays_small() {
    let shop = Shop::new("memory-shirt");
    shop.write("assets/phone.jpg", &photo((4000, 3000), 92));
    let layers = json!([
        {
            "id": "photo", "box": { "x": 25, "y": 25, "width": 331, "height": 250 },
            "photo": { "field": "photo", "mask": { "rect": { "radius": 20 } } },
        },
        { "id": "disc", "box": { "x": 100, "y": 300, "width": 120, "height": 120 },
          "shape": { "shape": { "ellipse": {} }, "fill": "#204060", "stroke": { "width": 2, "color": "#ffffff" } } },
    ]);
    let fields = json!({ "photo": { "type": "image", "by": "customer", "required": true } });
    shop.template("shirt", fields, json!([surface("front", (381.0, 457.2), layers)]));
    let chosen = json!({ "customization": { "photo": "phone.jpg" } });
    let megabytes = peak(&shop, &shop.order("shirt", "shirt", chosen));
    assert!(megabytes < MOST, "{megabytes:.1} MB, not under {MOST}");
}

#[test]
fn sixty_photos_cost_what_the_dearest_page_costs() {
    let shop = Shop::new("memory-book");
    let layers = json!([
        { "id": "photo", "box": { "x": 10, "y": 10, "width": 190, "height": 130 }, "photo": { "field": "photo" } },
    ]);
    let list = json!({ "photos": {
        "type": "list", "by": "customer", "min_items": 1, "max_items": 100, "item": { "type": "image" },
    } });
    let mut page = surface("page", (210.0, 150.0), layers);
    page["repeat"] = json!({ "over": "photos", "as": "photo" });
    shop.template("book", list, json!([page]));
    // Sixty photos of their own, of 3 to 8 megapixels.
    let keys: Vec<String> = (0..60).map(|i| format!("photo-{i:02}.jpg")).collect();
    let large = photo((3264, 2448), 88);
    let small = photo((2048, 1536), 88);
    for (i, key) in keys.iter().enumerate() {
        let mut bytes = if i % 10 == 3 { large.clone() } else { small.clone() };
        // Bytes after the end of a JPEG are no part of the picture, but make it another file.
        bytes.extend_from_slice(key.as_bytes());
        shop.write(&format!("assets/{key}"), &bytes);
    }
    let book =
        |id: &str, keys: &[String]| shop.order(id, "book", json!({ "customization": { "photos": keys } }));
    let dearest = peak(&shop, &book("dearest", &keys[3..4]));
    let sixty = peak(&shop, &book("sixty", &keys));
    // The encoded files themselves (about 0.8 MB each) may be held, and each thread's heap may keep 16 MB
    // (`src/memory.rs`); their pixels, of 650 MB, may not.
    assert!(sixty < dearest * 1.15 + 10.0 + 48.0, "one page takes {dearest:.1} MB, sixty {sixty:.1} MB");
}

/// The fixtures' own wrapping papers: a half-drop of turned faces, confetti and greetings, each
/// print at its own angle and size; 78 and 311 megapixels.
#[test]
fn wrapping_paper_with_everything_tumbling_stays_small() {
    let folder = crate::support::judges::scratch("memory-tumbling");
    let fixtures = crate::support::job::root().join("fixtures");
    let peak = |order: PathBuf| {
        let mut command = crate::support::job::presswork();
        command.arg("render").arg(&order).arg("--out").arg(folder.join("out"));
        command.env("RAYON_NUM_THREADS", "2");
        let (megabytes, said) = peak_megabytes(&command);
        assert!(said.code == Some(0), "{}: exit {:?}\n{}", order.display(), said.code, said.stderr);
        println!("{}: {megabytes:.1} MB", order.display());
        megabytes
    };
    let sheet = peak(fixtures.join("orders/wrap-face-personalized.json"));
    let roll = peak(fixtures.join("large/wrap-face-144in.json"));
    assert!(sheet < MOST && roll < MOST, "{sheet:.1} and {roll:.1} MB, not under {MOST}");
}
