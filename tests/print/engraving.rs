//! Screens for engraving, through the whole of presswork: a dot a pixel of the device, as much of it as the
//! art is dark, in the pattern that the profile asks for.

use crate::support::job::artifacts;
use crate::support::judges::{exiftool, identify};
use crate::support::picture::{WHITE, flatten, load};
use crate::support::shop::{Shop, photo, surface};
use image::GrayImage;
use serde_json::json;

/// The job's resolution and the device's.
const DPI: (u32, u32) = (200, 500);
/// Patches from white to black, each 12 × 12 mm.
const TONES: [u8; 7] = [0, 26, 64, 128, 191, 230, 255];
const SIDE: f64 = 12.0;

/// A screen and how far the share of dots may be from the darkness of a patch: error diffusion follows it
/// closely, a cell of 64 dots in steps of a 64th.
const SCREENS: [(&str, f64); 3] = [("floyd-steinberg", 0.004), ("bayer", 0.017), ("clustered", 0.017)];

/// A patch's pixels without its edge: 1 is a dot.
fn patch(dots: &GrayImage, i: usize) -> Vec<Vec<u8>> {
    let px = |mm: f64| (mm / 25.4 * f64::from(DPI.1)).round() as u32;
    let (x0, x1) = (px(i as f64 * SIDE) + 4, px((i + 1) as f64 * SIDE) - 4);
    let rows = 4..px(SIDE) - 4;
    rows.map(|y| (x0..x1).map(|x| u8::from(dots.get_pixel(x, y).0[0] == 0)).collect()).collect()
}

fn share(rows: &[Vec<u8>]) -> f64 {
    let dots: usize = rows.iter().flatten().map(|dot| usize::from(*dot)).sum();
    dots as f64 / rows.iter().map(Vec::len).sum::<usize>() as f64
}

/// The share of dots that are the same eight dots to the right and eight below.
fn repeats(rows: &[Vec<u8>]) -> f64 {
    let (h, w) = (rows.len() - 8, rows[0].len() - 8);
    let same = |y: usize, x: usize| rows[y][x] == rows[y][x + 8] && rows[y][x] == rows[y + 8][x];
    let count = (0..h).map(|y| (0..w).filter(|x| same(y, *x)).count()).sum::<usize>();
    count as f64 / (h * w) as f64
}

/// How often a dot has another neighbour at its right, for each dot: clusters have few edges.
fn edges(rows: &[Vec<u8>]) -> f64 {
    let edges =
        rows.iter().map(|row| row.windows(2).filter(|pair| pair[0] != pair[1]).count()).sum::<usize>();
    edges as f64 / rows.iter().map(Vec::len).sum::<usize>() as f64
}

#[test]
fn every_screen_engraves_as_much_as_the_art_is_dark() {
    let shop = Shop::new("engraving-screens");
    let mut layers: Vec<_> = TONES
        .iter()
        .enumerate()
        .map(|(i, tone)| {
            let grey = 255 - tone;
            json!({ "id": format!("tone-{i}"), "box": { "x": i as f64 * SIDE, "y": 0, "width": SIDE, "height": SIDE },
                    "shape": { "shape": { "rect": {} }, "fill": format!("#{grey:02x}{grey:02x}{grey:02x}") } })
        })
        .collect();
    layers.push(json!({ "id": "photo", "box": { "x": 0, "y": SIDE, "width": 84, "height": 48 },
                        "photo": { "field": "photo", "fit": "fill" } }));
    shop.write("assets/p.jpg", &photo((1000, 600), 92));
    let fields = json!({ "photo": { "type": "image", "by": "customer", "required": true } });
    shop.template("tones", fields, json!([surface("plate", (84.0, 60.0), json!(layers))]));
    let out = shop.folder.join("out");
    let mut clusters = Vec::new();
    for (screen, tolerance) in SCREENS {
        let profile = format!(
            "schema = \"presswork.profile/1\"\ntitle = \"Laser\"\ndpi = {}\noutputs = [\"png\", \"engraving\"]\n\
             [color]\nspace = \"srgb\"\n[engraving]\ndpi = {}\nscreen = \"{screen}\"\n",
            DPI.0, DPI.1
        );
        shop.write("profiles/plain.toml", profile.as_bytes());
        let order = shop.order(screen, "tones", json!({ "customization": { "photo": "p.jpg" } }));
        let (_, events) = shop.render(&[order], &out);
        assert_eq!(events[0]["type"], "presswork.render.completed", "{events:?}");
        let (file, artifact) = artifacts(&out, screen, "engraving").remove(0);
        let device = |mm: f64| (mm / 25.4 * f64::from(DPI.1)).round() as u32;
        assert_eq!(identify(&file), (device(84.0), device(60.0)), "{screen}");
        assert_eq!(artifact["dpi"], f64::from(DPI.1));
        let said = exiftool(&file);
        assert_eq!((&said["BitDepth"], &said["ColorType"]), (&json!(1), &json!(0)), "{said}");
        let dots = image::open(&file).unwrap().to_luma8();
        for (i, tone) in TONES.into_iter().enumerate() {
            let rows = patch(&dots, i);
            let (found, wanted) = (share(&rows), f64::from(tone) / 255.0);
            println!("{screen}: {wanted:.3} of darkness, {found:.3} of dots");
            assert!((found - wanted).abs() <= tolerance, "{screen}: {found} of dots for {wanted}");
            // Paper and black are clean.
            assert!(tone % 255 != 0 || found == wanted, "{screen}: {found} of dots for {wanted}");
            // Cells repeat at the device's pixels; what is diffused does not.
            if (60..200).contains(&tone) {
                assert_eq!(
                    repeats(&rows) > 0.999,
                    screen != "floyd-steinberg",
                    "{screen}: {}",
                    repeats(&rows)
                );
            }
        }
        clusters.push(edges(&patch(&dots, 3)));
        // The photo, tile by tile, against the picture that is looked at.
        let (png, _) = artifacts(&out, screen, "png").remove(0);
        let picture = image::DynamicImage::ImageRgb8(flatten(&load(&png), WHITE));
        let (columns, rows) = (7, 4);
        for tile in 0..columns * rows {
            let mm = |i: u32| f64::from(i) * SIDE;
            let (x, y) = (mm(tile % columns), SIDE + mm(tile / columns));
            let darkness = |picture: &image::DynamicImage, dpi: u32| {
                let px = |mm: f64| (mm / 25.4 * f64::from(dpi)).round() as u32;
                let rgb = picture.crop_imm(px(x), px(y), px(SIDE), px(SIDE)).to_rgb8();
                let luma = |p: &image::Rgb<u8>| {
                    0.2126 * f64::from(p.0[0]) + 0.7152 * f64::from(p.0[1]) + 0.0722 * f64::from(p.0[2])
                };
                1.0 - rgb.pixels().map(luma).sum::<f64>() / 255.0 / f64::from(rgb.width() * rgb.height())
            };
            let wanted = darkness(&picture, DPI.0);
            let found = darkness(&image::DynamicImage::ImageLuma8(dots.clone()), DPI.1);
            assert!(
                (found - wanted).abs() < tolerance + 0.01,
                "{screen}, tile {tile}: {found}, not {wanted}"
            );
        }
    }
    let [_, bayer, clustered] = clusters[..] else { panic!("three screens") };
    assert!(
        clustered < bayer / 2.0,
        "dots hang together: {clustered} edges a dot, {bayer} where they are spread"
    );
}
