//! Plates and the files beside print PDFs, as foreign programs see them: Ghostscript's
//! separations, ImageMagick's channels, resvg for drawings, exiftool for JPEG.
//!
//! More than 400 lines: one small order after another, each with its judges.

use crate::support::job::{artifacts, orders_named, render_well};
use crate::support::judges::{exiftool, identify, scratch, tool};
use crate::support::picture::{WHITE, flatten, load};
use crate::support::shop::Shop;
use image::GrayImage;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The plates of a PDF's page as Ghostscript separates it: name to coverage, 255 full ink.
fn separations(pdf: &Path, dpi: u32, folder: &Path) -> BTreeMap<String, GrayImage> {
    let stem = pdf.file_stem().unwrap().to_string_lossy().into_owned();
    let out = folder.join(format!("{stem}-sep.tif"));
    let resolution = format!("-r{dpi}");
    let output = format!("-sOutputFile={}", out.display());
    let input = pdf.display().to_string();
    let arguments =
        ["-q", "-dNOPAUSE", "-dBATCH", "-dSAFER", "-sDEVICE=tiffsep", &resolution, &output, &input];
    tool("gs", arguments);
    let mut plates = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(plate) = name.strip_prefix(&format!("{stem}-sep")).and_then(|n| n.split_once('(')) else {
            continue;
        };
        let plate = plate.1.split(')').next().unwrap().to_owned();
        let png = folder.join(format!("{stem}-{plate}.png"));
        tool(
            "convert",
            [path.to_str().unwrap(), "-depth", "8", "-colorspace", "Gray", png.to_str().unwrap()],
        );
        let mut grey = image::open(&png).unwrap().to_luma8();
        // Separations are films: ink is black.
        grey.pixels_mut().for_each(|p| p.0[0] = 255 - p.0[0]);
        plates.insert(plate, grey);
    }
    plates
}

fn names(plates: &BTreeMap<String, GrayImage>) -> Vec<&str> {
    plates.keys().map(String::as_str).collect()
}

/// Mean coverage, 0 to 1.
fn coverage(plate: &GrayImage) -> f64 {
    plate.pixels().map(|p| f64::from(p.0[0])).sum::<f64>() / plate.len() as f64 / 255.0
}

/// Mean and largest difference of two plates, 0 to 255.
fn difference(a: &GrayImage, b: &GrayImage) -> (f64, u8) {
    assert_eq!(a.dimensions(), b.dimensions());
    let pairs = || a.pixels().zip(b.pixels()).map(|(p, q)| p.0[0].abs_diff(q.0[0]));
    (pairs().map(f64::from).sum::<f64>() / a.len() as f64, pairs().max().unwrap())
}

fn only(list: Vec<(PathBuf, Value)>) -> (PathBuf, Value) {
    let [one] = <[_; 1]>::try_from(list).unwrap();
    one
}

/// The same profile without the sections that make plates from the art.
fn without_plates(profile: &str) -> String {
    let path = crate::support::job::root().join("render-profiles").join(format!("{profile}.toml"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut kept = true;
    let mut out = String::new();
    for line in text.lines() {
        if line.starts_with('[') {
            kept = !["[underbase]", "[[contour]]", "[svg]"].contains(&line);
        }
        if line.starts_with("outputs") {
            out.push_str("outputs = [\"pdf\"]\n");
        } else if kept && !line.starts_with("plates_required") {
            out.push_str(line);
            out.push('\n');
        }
    }
    assert!(out.len() < text.len() && !out.contains("underbase") && !out.contains("contour]"));
    out
}

/// A fixture's order rendered as it is, and once more without its plates.
fn both_ways(order: &str, profile: &str) -> (PathBuf, PathBuf, PathBuf) {
    let out = scratch(&format!("derived-{order}"));
    let orders = orders_named(&[order]);
    render_well(&orders, &out);
    let profiles = out.join("profiles");
    std::fs::create_dir(&profiles).unwrap();
    std::fs::write(profiles.join(format!("{profile}.toml")), without_plates(profile)).unwrap();
    let bare = out.join("bare");
    let mut command = crate::support::job::presswork();
    command.arg("render").args(&orders).arg("--out").arg(&bare).arg("--profiles").arg(&profiles);
    let said = crate::support::judges::run(&mut command);
    assert!(said.code == Some(0), "{}{}", said.stdout, said.stderr);
    let (with, _) = only(artifacts(&out, order, "pdf"));
    let (without, _) = only(artifacts(&bare, order, "pdf"));
    (out, with, without)
}

#[test]
fn the_white_plate_equals_its_mask_and_leaves_the_art_alone() {
    // Nothing of the art has the colour of a red shirt.
    let job = "dtf-transfer-red";
    let (out, with, without) = both_ways(job, "dtf-transfer-white");
    crate::support::judges::qpdf_check(&with);
    let folder = scratch("derived-dtf-sep");
    let plates = separations(&with, 300, &folder);
    assert_eq!(names(&plates), ["Black", "Cyan", "Magenta", "White", "Yellow"]);
    let bare = separations(&without, 300, &scratch("derived-dtf-bare"));
    assert_eq!(names(&bare), ["Black", "Cyan", "Magenta", "Yellow"]);
    for (name, plate) in &bare {
        let (mean, _) = difference(plate, &plates[name]);
        assert!(mean < 0.05, "white changes {name} by {mean}");
    }

    // The mask worked out by ImageMagick: the PNG's alpha, drawn in by a disc of 2 pixels.
    let (png, _) = only(artifacts(&out, job, "png"));
    let mask = folder.join("mask.png");
    let png = png.to_str().unwrap();
    tool(
        "convert",
        [png, "-alpha", "extract", "-morphology", "Erode", "Disk:2.3", "-depth", "8", mask.to_str().unwrap()],
    );
    let mask = image::open(&mask).unwrap().to_luma8();
    let (white, artifact) = only(artifacts(&out, job, "plates"));
    assert_eq!(artifact["plates"], json!(["White"]));
    let ours = image::open(&white).unwrap().to_luma8();
    for (what, plate) in [("Ghostscript's", &plates["White"]), ("our", &ours)] {
        let (theirs, expected) = (coverage(plate), coverage(&mask));
        assert!(
            (theirs - expected).abs() < 0.01 * expected,
            "{what} white covers {theirs}, the mask {expected}"
        );
    }
    let (mean, _) = difference(&ours, &plates["White"]);
    assert!(mean < 0.5, "our plate and the PDF's differ by {mean}");
    assert!(coverage(&ours) > 0.1);
}

#[test]
fn a_black_shirt_shows_where_the_art_has_its_colour() {
    let out = scratch("derived-shirts");
    let jobs = ["dtf-transfer-customized", "dtf-transfer-red"];
    render_well(orders_named(&jobs), &out);
    let folder = scratch("derived-shirts-sep");
    let [black, red] = jobs.map(|job| {
        let (pdf, _) = only(artifacts(&out, job, "pdf"));
        let place = folder.join(job);
        std::fs::create_dir(&place).unwrap();
        separations(&pdf, 300, &place)
    });
    for (name, plate) in black.iter().filter(|(name, _)| *name != "White") {
        assert_eq!(difference(plate, &red[name]), (0.0, 0), "the shirt changes {name}");
    }
    // The art is the same. Where it has a black shirt's colour, and by the choke beside it, there is no
    // white; everywhere else there is what a red shirt gets.
    let (png, _) = only(artifacts(&out, jobs[0], "png"));
    let picture = load(&png);
    let close = |x: u32, y: u32| {
        let [r, g, b, a] = picture.get_pixel(x, y).0;
        let off = [r, g, b].iter().zip([0x1b_u8, 0x1b, 0x1d]).map(|(a, b)| a.abs_diff(b)).max();
        a == 255 && off <= Some(12)
    };
    let (w, h) = picture.dimensions();
    let near = |x: u32, y: u32| {
        let (rows, columns) = (y.saturating_sub(4)..(y + 5).min(h), x.saturating_sub(4)..(x + 5).min(w));
        rows.into_iter().any(|v| columns.clone().any(|u| close(u, v)))
    };
    let (mut left_out, mut stray) = (0, 0);
    for (x, y, white) in black["White"].enumerate_pixels() {
        let wanted = red["White"].get_pixel(x, y).0[0];
        if close(x, y) && wanted > 250 {
            left_out += 1;
            assert!(white.0[0] < 5, "white at {x}, {y} beneath the shirt's own colour");
        }
        stray += u32::from(white.0[0].abs_diff(wanted) > 2 && !near(x, y));
    }
    assert!(left_out > 2000, "{left_out} pixels in the shirt's colour");
    assert_eq!(stray, 0, "pixels that differ elsewhere");
}

#[test]
fn the_cut_is_a_plate_of_its_own_at_its_offset() {
    let job = "sticker-die-cut-customized";
    let (out, with, without) = both_ways(job, "sticker-traced-cut");
    crate::support::judges::qpdf_check(&with);
    let plates = separations(&with, 300, &scratch("derived-cut-sep"));
    assert_eq!(names(&plates), ["Black", "CutContour", "Cyan", "Magenta", "Yellow"]);
    let bare = separations(&without, 300, &scratch("derived-cut-bare"));
    for (name, plate) in &bare {
        let (mean, most) = difference(plate, &plates[name]);
        assert!(mean == 0.0 && most == 0, "the cut changes {name} by {mean}, at most {most}");
    }

    // Every inked pixel of the plate is 2 mm off the art, pixel by pixel.
    let (png, _) = only(artifacts(&out, job, "png"));
    let picture = load(&png);
    let (cut, _) = only(artifacts(&out, job, "plates"));
    let cut = image::open(&cut).unwrap().to_luma8();
    assert_eq!(cut.dimensions(), picture.dimensions());
    // Ghostscript's line is a pixel wider, but it is the same line.
    let strays =
        cut.pixels().zip(plates["CutContour"].pixels()).filter(|(p, q)| p.0[0] > 128 && q.0[0] < 255);
    assert_eq!(strays.count(), 0, "our plate has a line where the PDF has none");
    assert!(
        coverage(&plates["CutContour"]) < 3.0 * coverage(&cut),
        "the PDF has a line where our plate has none"
    );
    let inked = cut.enumerate_pixels().filter(|(_, _, ink)| ink.0[0] > 200);
    let off: Vec<f64> = inked.map(|(x, y, _)| to_art(&picture, x, y) / 300.0 * 25.4).collect();
    assert!(off.len() > 500, "{} pixels of line", off.len());
    let near = off.iter().filter(|d| (**d - 2.0).abs() < 0.15).count();
    assert!(off.iter().all(|d| *d > 1.85), "nearest {:?}", off.iter().copied().reduce(f64::min));
    // Notches are bridged by the least radius, elsewhere the line keeps its distance.
    assert!(near * 10 > off.len() * 8, "{near} of {} pixels at 2 mm", off.len());
    // Neither the picture nor the preview shows the line.
    let bare_pixels =
        picture.pixels().zip(cut.pixels()).filter(|(p, ink)| ink.0[0] > 0 && p.0[3] > 0).count();
    assert_eq!(bare_pixels, 0, "the cut shows in the PNG");
}

/// Pixels to the nearest one that the art covers by half or more, up to 60 away.
fn to_art(picture: &image::RgbaImage, x: u32, y: u32) -> f64 {
    let mut least = f64::INFINITY;
    for v in y.saturating_sub(60)..(y + 60).min(picture.height()) {
        for u in x.saturating_sub(60)..(x + 60).min(picture.width()) {
            if picture.get_pixel(u, v).0[3] >= 128 {
                least = least.min(libm::hypot(f64::from(u) - f64::from(x), f64::from(v) - f64::from(y)));
            }
        }
    }
    least
}

#[test]
fn the_cutters_drawing_holds_the_line_alone() {
    let job = "sticker-die-cut-personalized";
    let out = scratch("derived-svg-cut");
    render_well(orders_named(&[job]), &out);
    let (svg, artifact) = only(artifacts(&out, job, "svg"));
    assert_eq!(artifact["media_type"], "image/svg+xml");
    let text = std::fs::read_to_string(&svg).unwrap();
    assert!(text.contains("width=\"76.2mm\" height=\"88.9mm\" viewBox=\"0 0 76.2 88.9\""), "{text}");
    assert!(text.contains("<g id=\"CutContour\""), "{text}");
    let tree = resvg::usvg::Tree::from_str(&text, &resvg::usvg::Options::default()).unwrap();
    let mut paths = 0;
    each_path(tree.root(), &mut |path| {
        paths += 1;
        let stroke = path.stroke().expect("a line");
        let resvg::usvg::Paint::Color(color) = stroke.paint() else { panic!("one colour") };
        assert_eq!((color.red, color.green, color.blue), (255, 0, 0));
        // 0.001 pt, in the drawing's millimetres.
        let width = stroke.width().get();
        assert!((0.0003..0.0004).contains(&width), "{width}");
        assert!(path.fill().is_none());
    });
    assert_eq!(paths, 1);
}

fn each_path(group: &resvg::usvg::Group, see: &mut impl FnMut(&resvg::usvg::Path)) {
    for node in group.children() {
        match node {
            resvg::usvg::Node::Group(group) => each_path(group, see),
            resvg::usvg::Node::Path(path) => see(path),
            resvg::usvg::Node::Image(_) | resvg::usvg::Node::Text(_) => panic!("outlines only"),
        }
    }
}

#[test]
fn the_lasers_drawing_is_the_art() {
    let job = "pen-customized";
    let out = scratch("derived-svg-pen");
    render_well(orders_named(&[job]), &out);
    let (svg, _) = only(artifacts(&out, job, "svg"));
    let text = std::fs::read_to_string(&svg).unwrap();
    for layer in ["mark", "name"] {
        assert!(text.contains(&format!("<g id=\"{layer}\"")), "no layer {layer}");
    }
    assert_eq!(text.matches("=\"#").count(), text.matches("=\"#000000\"").count(), "black engraves");
    // Drawn by resvg, which is not what wrote it, it is our PNG.
    let (png, _) = only(artifacts(&out, job, "png"));
    let ours = flatten(&load(&png), WHITE);
    let tree = resvg::usvg::Tree::from_str(&text, &resvg::usvg::Options::default()).unwrap();
    let (w, h) = ours.dimensions();
    let mut pixmap = resvg::tiny_skia::Pixmap::new(w, h).unwrap();
    let (sx, sy) = (w as f32 / tree.size().width(), h as f32 / tree.size().height());
    resvg::render(&tree, resvg::tiny_skia::Transform::from_scale(sx, sy), &mut pixmap.as_mut());
    let (mut sum, mut inked) = (0.0, 0.0);
    for (pixel, ours) in pixmap.pixels().iter().zip(ours.pixels()) {
        sum += (255.0 - f64::from(pixel.alpha()) - f64::from(ours.0[0])).abs();
        inked += 255.0 - f64::from(ours.0[0]);
    }
    assert!(inked > 255.0 * 1000.0);
    assert!(sum < inked * 0.03, "{sum} of {inked} differ");
}

#[test]
fn engraving_files_have_one_bit_at_the_devices_resolution() {
    let job = "pen-personalized";
    let out = scratch("derived-engraving");
    render_well(orders_named(&[job]), &out);
    let (file, artifact) = only(artifacts(&out, job, "engraving"));
    assert_eq!(identify(&file), (2000, 250));
    assert_eq!(artifact["pixels"], json!([2000, 250]));
    let said = exiftool(&file);
    assert_eq!(said["BitDepth"], 1, "{said}");
    assert_eq!(said["ColorType"], 0, "greyscale: {said}");
    assert_eq!(said["PixelsPerUnitX"], 39_370, "{said}");
    // As dark as the art.
    let (png, _) = only(artifacts(&out, job, "png"));
    let mean = |path: &Path| {
        let picture = flatten(&load(path), WHITE);
        picture.pixels().map(|p| f64::from(p.0[0])).sum::<f64>() / picture.pixels().len() as f64
    };
    assert!((mean(&png) - mean(&file)).abs() < 1.0, "{} and {}", mean(&png), mean(&file));
}

/// A profile of a test's own.
fn profile(shop: &Shop, name: &str, more: &str) {
    let text = format!(
        "schema = \"presswork.profile/1\"\ntitle = \"Test\"\ndpi = 200\n{more}\n[color]\nspace = \"srgb\"\n"
    );
    shop.write(&format!("profiles/{name}.toml"), text.as_bytes());
}

/// A template with a photo, printed with a profile.
fn photo_order(shop: &Shop, profile: &str) -> PathBuf {
    static PHOTO: OnceLock<Vec<u8>> = OnceLock::new();
    shop.write("assets/photo.jpg", PHOTO.get_or_init(|| crate::support::shop::photo((900, 600), 90)));
    let template = json!({
        "schema": "presswork.template/1", "name": "photo", "profiles": [profile],
        "fields": { "photo": { "type": "image", "by": "customer" } },
        "surfaces": [{ "name": "front", "width": 90, "height": 60, "layers": [
            { "id": "photo", "box": { "x": 0, "y": 0, "width": 90, "height": 60 }, "photo": { "field": "photo" } }
        ] }],
    });
    shop.write("catalog/photo/1/template.json", template.to_string().as_bytes());
    let more = json!({ "profile": profile, "customization": { "photo": { "asset": "photo.jpg" } } });
    shop.order(&format!("photo-{profile}"), "photo", more)
}

#[test]
fn jpegs_are_the_picture_within_the_suppliers_limit() {
    let shop = Shop::new("derived-jpeg");
    profile(&shop, "jpeg", "outputs = [\"jpeg\", \"png\"]\n[jpeg]\nquality = 95");
    let order = photo_order(&shop, "jpeg");
    let out = shop.folder.join("out");
    shop.render(&[order], &out);
    let (jpeg, artifact) = only(artifacts(&out, "photo-jpeg", "jpeg"));
    let (png, _) = only(artifacts(&out, "photo-jpeg", "png"));
    assert_eq!(identify(&jpeg), identify(&png));
    let said = exiftool(&jpeg);
    assert_eq!((&said["XResolution"], &said["YResolution"]), (&json!(200), &json!(200)), "{said}");
    assert!(said["ProfileDescription"].as_str().is_some_and(|d| d.contains("sRGB")), "{said}");
    let psnr = crate::support::judges::run(std::process::Command::new("compare").args([
        "-metric",
        "PSNR",
        jpeg.to_str().unwrap(),
        png.to_str().unwrap(),
        "null:",
    ]));
    let psnr: f64 = psnr.stderr.split_whitespace().next().unwrap().parse().unwrap();
    assert!(psnr > 35.0, "{psnr} dB");

    // A limit between its size and the size at the least quality is met; a smaller one is not.
    let bytes = artifact["bytes"].as_u64().unwrap();
    let limit = bytes * 3 / 5;
    let settings =
        |max: u64| format!("outputs = [\"jpeg\"]\n[jpeg]\nquality = 95\nmin_quality = 60\nmax_bytes = {max}");
    profile(&shop, "small", &settings(limit));
    let order = photo_order(&shop, "small");
    shop.render(&[order], &out);
    let (_, artifact) = only(artifacts(&out, "photo-small", "jpeg"));
    assert!(artifact["bytes"].as_u64().unwrap() <= limit);
    profile(&shop, "tiny", &settings(1000));
    let order = photo_order(&shop, "tiny");
    let (_, events) = shop.render(&[order], &out);
    assert_eq!(crate::support::shop::codes(&events[0]), ["output.too_large"]);
}

#[test]
fn an_underbase_of_outlines_and_one_without_the_garments_colour() {
    let shop = Shop::new("derived-underbase");
    let spots = "[spots.White]\nplate = \"White\"\nalternate = \"#ffffff\"\nlaid = \"multiply\"";
    let outputs = "outputs = [\"pdf\", \"plates\"]";
    profile(
        &shop,
        "vector",
        &format!("{outputs}\n{spots}\n[underbase]\nspot = \"White\"\nspread = 0.5\nas = \"vector\""),
    );
    profile(
        &shop,
        "knockout",
        &format!("{outputs}\n{spots}\n[underbase]\nspot = \"White\"\ngarment_knockout = 0.05"),
    );
    profile(
        &shop,
        "outlined",
        &format!(
            "{outputs}\n{spots}\nstep = \"white\"\n[underbase]\nspot = \"White\"\nchoke = 0.5\n\
             as = \"vector\"\ngarment_knockout = 0.05\n[preflight]\nplates_required = [\"White\"]"
        ),
    );
    let rect = |id: &str, x: f64, size: f64, fill: &str| {
        json!({ "id": id, "box": { "x": x, "y": 20.0 - size / 2.0, "width": size, "height": size },
                "shape": { "shape": { "rect": {} }, "fill": fill } })
    };
    // The red square has a black one in its middle, which only a knock-out sees.
    let squares = [rect("red", 5.0, 20.0, "#c02020"), rect("black", 35.0, 20.0, "#202020")];
    let layers = [&squares[..], &[rect("hole", 10.0, 10.0, "#202020")]].concat();
    let template = json!({
        "schema": "presswork.template/1", "name": "two", "profiles": ["vector", "knockout", "outlined"],
        "fields": {},
        "surfaces": [{ "name": "front", "width": 60, "height": 40, "garment": "#202020",
                       "layers": layers }],
    });
    shop.write("catalog/two/1/template.json", template.to_string().as_bytes());
    let out = shop.folder.join("out");
    let mm2 = |plate: &GrayImage| coverage(plate) * 60.0 * 40.0;
    for (name, expected, tolerance) in [
        // Two squares of 20 mm, spread by half a millimetre with round corners.
        ("vector", 2.0 * (400.0 + 80.0 * 0.5 + 0.25 * std::f64::consts::PI), 8.0),
        // The black squares are the shirt itself.
        ("knockout", 300.0, 3.0),
        // The same, drawn in by half a millimetre on every side, the hole's included. Pixels that are red
        // in part have white, so that 40 mm of the hole's edge are found within one, at 200 dpi.
        ("outlined", 19.0 * 19.0 - (100.0 + 40.0 * 0.5 + 0.25 * std::f64::consts::PI), 5.0),
    ] {
        let order = shop.order(&format!("two-{name}"), "two", json!({ "profile": name }));
        shop.render(&[order], &out);
        let (pdf, _) = only(artifacts(&out, &format!("two-{name}"), "pdf"));
        let (plate, _) = only(artifacts(&out, &format!("two-{name}"), "plates"));
        // Ghostscript fills every pixel that an outline touches: small pixels.
        let plates = separations(&pdf, 1200, &scratch(&format!("derived-two-{name}")));
        assert_eq!(names(&plates), ["Black", "Cyan", "Magenta", "White", "Yellow"]);
        for white in [&plates["White"], &image::open(&plate).unwrap().to_luma8()] {
            assert!((mm2(white) - expected).abs() < tolerance, "{name}: {} mm²", mm2(white));
        }
    }
}

#[test]
fn thin_strokes_that_a_choke_leaves_without_white_are_named() {
    let shop = Shop::new("derived-bare");
    let spots = "[spots.White]\nplate = \"White\"\nalternate = \"#ffffff\"\nlaid = \"multiply\"";
    let outputs = "outputs = [\"pdf\", \"plates\"]";
    let profiles = [
        ("image", "choke = 0.3", 2),
        ("vector", "choke = 0.3\nas = \"vector\"", 2),
        // The stroke in the garment's colour has no white on purpose.
        ("knockout", "choke = 0.3\ngarment_knockout = 0.05", 1),
        ("finer", "choke = 0.1", 0),
        ("spread", "spread = 0.3", 0),
    ];
    for (name, settings, _) in profiles {
        profile(&shop, name, &format!("{outputs}\n{spots}\n[underbase]\nspot = \"White\"\n{settings}"));
    }
    let rect = |id: &str, area: [f64; 4], fill: &str| {
        json!({ "id": id, "box": { "x": area[0], "y": area[1], "width": area[2], "height": area[3] },
                "shape": { "shape": { "rect": {} }, "fill": fill } })
    };
    // A square with a thin arm keeps its white; a thin bar and one in black have none.
    let layers = [
        rect("square", [5.0, 5.0, 10.0, 10.0], "#c02020"),
        rect("arm", [15.0, 9.0, 20.0, 0.4], "#c02020"),
        rect("bar", [5.0, 20.0, 30.0, 0.45], "#c02020"),
        rect("black", [5.0, 25.0, 20.0, 0.45], "#202020"),
    ];
    let template = json!({
        "schema": "presswork.template/1", "name": "bare", "fields": {},
        "profiles": profiles.map(|(name, ..)| name),
        "surfaces": [{ "name": "front", "width": 60, "height": 40, "garment": "#202020", "layers": layers }],
    });
    shop.write("catalog/bare/1/template.json", template.to_string().as_bytes());
    let out = shop.folder.join("out");
    for (name, _, count) in profiles {
        let order = shop.order(&format!("bare-{name}"), "bare", json!({ "profile": name }));
        let (_, events) = shop.render(&[order], &out);
        let found = events[0]["data"]["preflight"]["findings"].as_array().unwrap();
        assert_eq!(found.len(), usize::from(count > 0), "{name}: {found:?}");
        let Some(finding) = found.first() else { continue };
        assert_eq!(finding["code"], "white.vanishes");
        assert_eq!((&finding["verdict"], &finding["surface"]), (&json!("warn"), &json!("front")));
        let said = finding["detail"].as_str().unwrap();
        assert!(if count == 2 { said.starts_with("2 ") } else { said.starts_with("Something") }, "{said}");
        // The longer bar, within two pixels: with a threshold those count of which it covers a fifth.
        let place: [f64; 4] = serde_json::from_value(finding["place"].clone()).unwrap();
        let off = place.iter().zip([5.0, 20.0, 30.0, 0.45]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(off < 0.17, "{name}: {place:?}");
    }
}

#[test]
fn contours_follow_the_trim_or_a_die_line_that_is_not_printed() {
    let shop = Shop::new("derived-dieline");
    let spot = "outputs = [\"pdf\", \"png\", \"plates\"]\n[spots.Cut]\nplate = \"CutContour\"\nalternate = \"#ff00ff\"\nlaid = \"overprint\"";
    let contour = |from: &str| format!("{spot}\n[[contour]]\nspot = \"Cut\"\nfrom = {from}\nstroke = 1.0");
    profile(&shop, "trim", &contour("\"trim\""));
    profile(&shop, "layer", &contour("{ layer = \"die\" }"));
    let template = json!({
        "schema": "presswork.template/1", "name": "die", "profiles": ["trim", "layer"], "fields": {},
        "surfaces": [{ "name": "front", "width": 60, "height": 40, "bleed": 3, "layers": [
            { "id": "ground", "box": { "x": -3, "y": -3, "width": 66, "height": 46 },
              "shape": { "shape": { "rect": {} }, "fill": "#3060a0" } },
            { "id": "die", "box": { "x": 10, "y": 5, "width": 40, "height": 30 },
              "shape": { "shape": { "rect": {} }, "fill": "#ff0000" } } ] }],
    });
    shop.write("catalog/die/1/template.json", template.to_string().as_bytes());
    let out = shop.folder.join("out");
    // A line of 1 pt around 60 × 40 mm and around 40 × 30 mm, in square millimetres.
    for (name, perimeter) in [("trim", 200.0), ("layer", 140.0)] {
        let order = shop.order(&format!("die-{name}"), "die", json!({ "profile": name }));
        shop.render(&[order], &out);
        let (pdf, artifact) = only(artifacts(&out, &format!("die-{name}"), "pdf"));
        assert_eq!(artifact["plates"], json!(["CutContour"]));
        let plates = separations(&pdf, 1200, &scratch(&format!("derived-die-{name}")));
        let (ours, _) = only(artifacts(&out, &format!("die-{name}"), "plates"));
        let ours = image::open(&ours).unwrap().to_luma8();
        let expected = perimeter * 25.4 / 72.0;
        // Our plate shows the trim, and of the line around it the inner half.
        let (area, shown) = if name == "trim" { (60.0 * 40.0, 0.5) } else { (60.0 * 40.0, 1.0) };
        let drawn = coverage(&ours) * area;
        assert!((drawn - expected * shown).abs() < expected * 0.02, "{name}: {drawn} mm² of {expected}");
        // Ghostscript fills every pixel that the line touches: up to one pixel in seventeen more.
        let line = coverage(&plates["CutContour"]) * 66.0 * 46.0;
        assert!((0.99..1.08).contains(&(line / expected)), "{name}: {line} mm² instead of {expected}");
        let (png, _) = only(artifacts(&out, &format!("die-{name}"), "png"));
        let red = load(&png).pixels().any(|p| p.0[0] > 200);
        assert_eq!(red, name == "trim", "a die line is not printed, another layer is");
    }
}

#[test]
fn a_drawing_of_a_picture_is_refused() {
    let shop = Shop::new("derived-drawing");
    profile(&shop, "laser", "outputs = [\"svg\"]");
    let order = photo_order(&shop, "laser");
    let (_, events) = shop.render(&[order], &shop.folder.join("out"));
    assert_eq!(crate::support::shop::codes(&events[0]), ["svg.unsupported"]);
    // Only what is in a spot ink: there is nothing, and that is what the drawing holds.
    profile(&shop, "cutter", "outputs = [\"svg\"]\n[svg]\ncontent = \"spots\"");
    let order = photo_order(&shop, "cutter");
    let out = shop.folder.join("out");
    shop.render(&[order], &out);
    let (svg, _) = only(artifacts(&out, "photo-cutter", "svg"));
    assert!(!std::fs::read_to_string(svg).unwrap().contains("<path"));
}

#[test]
fn profiles_that_name_no_such_spot_are_refused() {
    let shop = Shop::new("derived-lint");
    profile(&shop, "lost", "outputs = [\"pdf\"]\n[underbase]\nspot = \"White\"\nchoke = 0.1\nspread = 0.1");
    let order = photo_order(&shop, "lost");
    let (_, events) = shop.render(&[order], &shop.folder.join("out"));
    let errors = events[0]["data"]["errors"].as_array().unwrap();
    let places: Vec<&str> = errors.iter().filter_map(|e| e["pointer"].as_str()).collect();
    assert_eq!(places, ["/underbase/spot", "/underbase"]);
}

#[test]
fn white_drawn_beneath_the_art_is_whole_on_its_plate() {
    // The profile's document in sRGB: its plates are made one by one.
    let path = crate::support::job::root().join("render-profiles/dtf-transfer.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let color = text.find("[color]").unwrap()..text.find("# Multiplied").unwrap();
    let text = text.replace(&text[color], "[color]\nspace = \"srgb\"\n\n");
    let text = text.replace("outputs = [\"pdf\", \"preview\"]", "outputs = [\"pdf\", \"plates\"]");
    let job = "transfer-badge-customized";
    let out = scratch("derived-drawn-white");
    let profiles = out.join("profiles");
    std::fs::create_dir_all(&profiles).unwrap();
    std::fs::write(profiles.join("dtf-transfer.toml"), text).unwrap();
    let mut order = crate::support::job::json(&orders_named(&[job])[0]);
    order["outputs"] = serde_json::json!(["pdf", "plates"]);
    let order_file = out.join("order.json");
    std::fs::write(&order_file, order.to_string()).unwrap();
    let mut command = crate::support::job::presswork();
    command.arg("render").arg(&order_file).arg("--out").arg(&out).arg("--profiles").arg(&profiles);
    command.args(["--catalog", "fixtures/catalog", "--assets", "fixtures/assets"]);
    let said = crate::support::judges::run(&mut command);
    assert!(said.code == Some(0), "{}{}", said.stdout, said.stderr);
    let (pdf, _) = only(artifacts(&out, job, "pdf"));
    let (white, _) = only(artifacts(&out, job, "plates"));
    let ours = image::open(&white).unwrap().to_luma8();
    let theirs = &separations(&pdf, 300, &scratch("derived-drawn-white-sep"))["White"];
    let (ours, theirs) = (coverage(&ours), coverage(theirs));
    assert!(theirs > 0.3 && (ours - theirs).abs() < 0.01, "{ours} of the plate, {theirs} by Ghostscript");
}
