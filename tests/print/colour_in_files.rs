//! Colours in finished documents against Argyll's: a thousand of them, as areas and as a picture's pixels, in an
//! order printed as offset cards are.
//!
//! Tools: `apt-get install argyll`.

use crate::colour::{apart, colours, compensated_by_argyll, unit};
use crate::support::job;
use crate::support::shop::{Shop, surface};
use lopdf::content::Content;
use lopdf::{Document, Object};
use serde_json::json;
use std::path::PathBuf;

/// Colours side by side, and rows of them.
const GRID: (usize, usize) = (40, 25);
/// Pixels of a colour's square in the picture.
const BLOCK: usize = 8;

/// A shop with the shipped profile of offset cards, without what it asks of cards: bleed and margins.
fn shop(name: &str, fields: serde_json::Value, size: (f64, f64), layers: serde_json::Value) -> Shop {
    let shop = Shop::new(name);
    let text = std::fs::read_to_string(job::root().join("render-profiles/card-offset.toml")).unwrap();
    let (kept, _) = text.split_once("[preflight]").unwrap();
    shop.write("profiles/plain.toml", kept.as_bytes());
    shop.template("colours", fields, json!([surface("front", size, layers)]));
    shop
}

fn print(shop: &Shop, more: serde_json::Value) -> PathBuf {
    let order = shop.order("one", "colours", more);
    let (_, events) = shop.render(&[order], &shop.folder.join("out"));
    assert_eq!(events[0]["type"], "presswork.render.completed", "{events:?}");
    job::artifacts(&shop.folder.join("out"), "one", "pdf").remove(0).0
}

/// Holds a document's inks against Argyll's for the same colours.
fn agree(what: &str, ours: &[[f64; 4]]) {
    let (mean, most) = apart(ours, &compensated_by_argyll(&colours()));
    println!("{what}: mean {mean:.4}, most {most:.4}");
    assert!(mean <= 0.3 && most <= 1.0, "{what}: mean {mean}, most {most}");
}

#[test]
fn areas_have_argylls_inks() {
    let squares: Vec<_> = colours()
        .iter()
        .enumerate()
        .map(|(i, [r, g, b])| {
            let (x, y) = (i % GRID.0, i / GRID.0);
            json!({ "id": format!("c{i}"), "box": { "x": x, "y": y, "width": 1, "height": 1 },
                    "shape": { "shape": { "rect": {} }, "fill": format!("#{r:02x}{g:02x}{b:02x}") } })
        })
        .collect();
    let shop = shop("colour-areas", json!({}), (40.0, 25.0), json!(squares));
    let document = Document::load(print(&shop, json!({}))).unwrap();
    let page = document.get_pages()[&1];
    let content = Content::decode(&document.get_page_content(page)).unwrap();
    let fills = content.operations.iter().filter(|o| o.operator == "scn" && o.operands.len() == 4);
    let ours: Vec<[f64; 4]> = fills
        .take(colours().len())
        .map(|o| std::array::from_fn(|i| f64::from(o.operands[i].as_float().unwrap())))
        .collect();
    assert_eq!(ours.len(), 1000, "a fill for each colour");
    agree("areas", &ours);
}

#[test]
fn a_pictures_pixels_have_argylls_inks() {
    let (width, height) = (GRID.0 * BLOCK, GRID.1 * BLOCK);
    let colours = colours();
    let pixel = |i: usize| colours[i / width / BLOCK * GRID.0 + i % width / BLOCK];
    let rgb: Vec<u8> = (0..width * height).flat_map(pixel).collect();
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().unwrap().write_image_data(&rgb).unwrap();
    // A pixel of the picture is one of the job's.
    let size = [width, height].map(|px| px as f64 / 300.0 * 25.4);
    let photo = json!({ "id": "photo", "photo": { "field": "photo", "fit": "stretch" } });
    let fields = json!({ "photo": { "type": "image", "by": "customer", "required": true } });
    let shop = shop("colour-pixels", fields, (size[0], size[1]), json!([photo]));
    shop.write("assets/p.png", &png);
    let document = Document::load(print(&shop, json!({ "customization": { "photo": "p.png" } }))).unwrap();
    let image = document
        .objects
        .values()
        .filter_map(|object| object.as_stream().ok())
        .find(|stream| stream.dict.get(b"Subtype").and_then(Object::as_name).ok() == Some(b"Image"))
        .expect("an image");
    let entry = |key: &[u8]| image.dict.get(key).and_then(Object::as_i64).unwrap();
    assert_eq!((entry(b"Width"), entry(b"Height")), (width as i64, height as i64));
    let samples = image.decompressed_content().unwrap();
    assert_eq!(samples.len(), width * height * 4, "four inks a pixel");
    let ours: Vec<[f64; 4]> = (0..colours.len())
        .map(|i| {
            let (x, y) = (i % GRID.0 * BLOCK + BLOCK / 2, i / GRID.0 * BLOCK + BLOCK / 2);
            unit(*samples[(y * width + x) * 4..].first_chunk::<4>().unwrap())
        })
        .collect();
    agree("pixels", &ours);
}
