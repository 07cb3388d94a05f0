//! `presswork render` as a user runs it: files that are exactly what was asked for, and mistakes
//! that are told by their codes while the neighbours finish.

use crate::support::job::{self, Grid};
use crate::support::judges::{exiftool, identify, pdf_boxes, qpdf_check, run, scratch, tool};
use crate::support::shop::{Shop, codes, events, photo, surface};
use presswork::error::Code;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The names of the files in a folder.
fn files(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

/// Sizes and checksums in the result are those of the files, and no file is left out.
fn check_sums(folder: &Path, event: &Value) {
    let mut listed = BTreeSet::from(["result.json".to_owned()]);
    for artifact in event["data"]["artifacts"].as_array().unwrap() {
        let name = artifact["uri"].as_str().unwrap();
        let bytes = std::fs::read(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        let what = folder.join(name).display().to_string();
        assert_eq!(artifact["bytes"], bytes.len(), "{what}");
        assert_eq!(artifact["sha256"], hex::encode(Sha256::digest(&bytes)).as_str(), "{what}");
        assert!(listed.insert(name.to_owned()), "{what} is listed twice");
    }
    assert_eq!(files(folder), listed, "{}", folder.display());
}

/// A print PNG has the pixels, the density, the depth and the channels of its profile.
fn check_png(file: &Path, artifact: &Value, profile: &toml::Table) {
    let what = file.display();
    let expected = Grid::of(profile, artifact);
    assert_eq!(identify(file), expected.pixels(), "{what}");
    assert_eq!(artifact["pixels"], json!([expected.pixels().0, expected.pixels().1]), "{what}");
    assert_eq!(artifact["dpi"].as_f64(), Some(expected.dpi), "{what}");
    let tags = exiftool(file);
    let per_metre = (expected.dpi / 0.0254).round();
    for axis in ["PixelsPerUnitX", "PixelsPerUnitY"] {
        assert_eq!(tags[axis].as_f64(), Some(per_metre), "{what}: {axis}");
    }
    assert_eq!(tags["PixelUnits"], 1, "{what}: pixels per metre");
    let png = profile.get("png").and_then(toml::Value::as_table);
    let setting = |key: &str| png.and_then(|png| png.get(key));
    let depth = setting("depth").and_then(toml::Value::as_integer).unwrap_or(8);
    assert_eq!(tags["BitDepth"].as_i64(), Some(depth), "{what}");
    // 2 is RGB, 6 RGB with alpha.
    assert_eq!(tags["ColorType"], if setting("background").is_some() { 2 } else { 6 }, "{what}");
    assert!(
        !tags["SRGBRendering"].is_null() || !tags["ProfileDescription"].is_null(),
        "{what} names its space"
    );
    let most = setting("max_bytes").and_then(toml::Value::as_integer);
    assert!(
        most.is_none_or(|most| artifact["bytes"].as_i64() <= Some(most)),
        "{what} is over {most:?} bytes"
    );
    tool("pngcheck", [file.as_os_str()]);
}

/// A CMYK TIFF has the pixels of its profile, four inks and no alpha, and the condition it is printed in.
fn check_tiff(file: &Path, artifact: &Value, profile: &toml::Table) {
    let what = file.display();
    let (width, height) = Grid::of(profile, artifact).pixels();
    assert_eq!(artifact["pixels"], json!([width, height]), "{what}");
    let arguments = ["-format", "%w %h %[channels] %z %C %x %U"];
    let facts = tool("identify", arguments.map(OsStr::new).into_iter().chain([file.as_os_str()]));
    let facts: Vec<&str> = facts.split_whitespace().collect();
    let dpi = job::number(profile, "dpi", 0.0).to_string();
    // Newer versions count the channels behind their names.
    assert_eq!(facts[..3], [&width.to_string(), &height.to_string(), "cmyk"], "{what}");
    assert_eq!(facts[facts.len() - 4..], ["8", "Zip", &dpi, "PixelsPerInch"], "{what}: {facts:?}");
    let tags = exiftool(file);
    // Separated, in cyan, magenta, yellow and black.
    for (tag, value) in [("PhotometricInterpretation", 5), ("InkSet", 1), ("SamplesPerPixel", 4)] {
        assert_eq!(tags[tag], value, "{what}: {tag}");
    }
    let icc = Command::new("exiftool").args(["-icc_profile", "-b"]).arg(file).output().unwrap().stdout;
    let condition = profile["color"]["condition"].as_str().unwrap();
    let expected = job::root().join(format!("render-profiles/icc/{condition}.icc"));
    assert!(icc == std::fs::read(expected).unwrap(), "{what}: its profile is that of {condition}");
}

/// A PDF is sound, and its pages have the boxes of its surfaces.
fn check_pdf(file: &Path, artifact: &Value) {
    qpdf_check(file);
    let what = file.display();
    let pages = pdf_boxes(file);
    assert_eq!(artifact["pages"], pages.len(), "{what}");
    let boxes = artifact["boxes"].as_array().unwrap();
    assert_eq!(boxes.len(), pages.len(), "{what}: boxes for each page");
    for (page, sides) in pages.iter().zip(boxes) {
        let number = |kind: &str, i: usize| sides[kind][i].as_f64().unwrap();
        let size = |kind: &str| (number(kind, 2), number(kind, 3));
        for (kind, points) in [("media", page.media), ("bleed", page.bleed), ("trim", page.trim)] {
            let (w, h) = size(kind);
            let found = ((points[2] - points[0]) / 72.0 * 25.4, (points[3] - points[1]) / 72.0 * 25.4);
            let near = (found.0 - w).abs() < 0.01 && (found.1 - h).abs() < 0.01;
            assert!(near, "{what}: {kind} box is {found:?} mm, not {w} × {h}");
        }
        // Bleed is the same on opposite sides, whichever way the page lies.
        let gaps = [0, 1].map(|i| (page.trim[i] - page.bleed[i], page.bleed[i + 2] - page.trim[i + 2]));
        assert!(gaps.iter().all(|(a, b)| (a - b).abs() < 0.02 && *a > -0.01), "{what}: {gaps:?}");
    }
}

#[test]
fn every_order_of_the_fixtures_becomes_exact_files() {
    let out = scratch("every-order");
    job::render_well(job::orders(), &out);
    let (mut jobs, mut outputs) = (BTreeSet::new(), BTreeSet::new());
    for path in job::orders() {
        let order = job::json(&path);
        let id = job::job_id(&path);
        assert!(jobs.insert(id.clone()), "{}: two orders name the job {id}", path.display());
        let event = job::result(&out, &id);
        assert_eq!(event["specversion"], "1.0");
        assert_eq!(event["type"], "presswork.render.completed", "{}", path.display());
        assert_eq!(event["data"]["template"], order["template"]);
        assert_eq!(event["data"]["errors"], json!([]));
        check_sums(&out.join(&id), &event);
        let profile = job::profile(order["profile"].as_str().unwrap());
        for (file, artifact) in job::artifacts(&out, &id, "png") {
            check_png(&file, &artifact, &profile);
        }
        for (file, artifact) in job::artifacts(&out, &id, "pdf") {
            check_pdf(&file, &artifact);
        }
        for (file, artifact) in job::artifacts(&out, &id, "tiff") {
            check_tiff(&file, &artifact, &profile);
        }
        let made = event["data"]["artifacts"].as_array().unwrap();
        outputs.extend(made.iter().map(|artifact| artifact["output"].as_str().unwrap().to_owned()));
        for (file, artifact) in job::artifacts(&out, &id, "preview") {
            let (w, h) = identify(&file);
            assert_eq!(artifact["pixels"], json!([w, h]), "{}", file.display());
            let preview = profile.get("preview").and_then(toml::Value::as_table);
            let most = preview.map_or(1000.0, |table| job::number(table, "max_px", 1000.0));
            assert_eq!(f64::from(w.max(h)), most, "{}", file.display());
        }
    }
    assert_eq!(files(&out), jobs, "one folder a job, nothing else");
    // No output that no order shows.
    let all = ["engraving", "jpeg", "pdf", "plates", "png", "preview", "svg", "tiff"];
    assert_eq!(outputs, BTreeSet::from(all.map(str::to_owned)));
}

/// What suppliers ask for, whatever our own arithmetic says.
#[test]
fn known_products_have_their_suppliers_pixels() {
    let out = scratch("known-products");
    for (word, size) in [("shirt", (4500, 5400)), ("wrap", (7200, 10800))] {
        let order = job::orders_named(&[word]).remove(0);
        job::render_well([&order], &out);
        let pictures = job::artifacts(&out, &job::job_id(&order), "png");
        assert!(!pictures.is_empty(), "{} makes no PNG", order.display());
        for (file, _) in pictures {
            assert_eq!(identify(&file), size, "{}", file.display());
        }
    }
}

/// A template with one field of each side.
fn card(shop: &Shop) {
    let fields = json!({
        "message": { "type": "text", "by": "customer", "max_chars": 12, "required": true },
        "size": { "type": "number", "by": "customer", "min": 1, "max": 9 },
        "city": { "type": "text", "by": "business" },
        "photo": { "type": "image", "by": "customer" },
    });
    let layers = json!([
        { "id": "ground", "shape": { "shape": { "rect": {} }, "fill": "#3366aa" } },
        { "id": "photo", "box": { "x": 5, "y": 5, "width": 30, "height": 20 }, "photo": { "field": "photo" } },
    ]);
    shop.template("card", fields, json!([surface("front", (40.0, 30.0), layers)]));
}

#[test]
fn five_mistakes_are_five_violations_and_the_neighbours_finish() {
    let shop = Shop::new("five-mistakes");
    card(&shop);
    let good = json!({ "customization": { "message": "hello" } });
    let orders = [
        shop.order("before", "card", good.clone()),
        shop.order(
            "mistakes",
            "card",
            json!({
                "quantity": 0,
                "colour": "red",
                "customization": { "message": "far too long for this card", "city": "Ghent" },
                "personalization": { "size": 3 },
            }),
        ),
        shop.order("after", "card", good),
    ];
    let out = shop.folder.join("out");
    let (said, events) = shop.render(&orders, &out);
    assert_eq!(said.code, Some(3), "{}", said.stderr);
    let errors = events[1]["data"]["errors"].as_array().unwrap();
    let found: BTreeSet<(&str, &str)> =
        errors.iter().map(|e| (e["code"].as_str().unwrap(), e["pointer"].as_str().unwrap_or("-"))).collect();
    let expected = BTreeSet::from([
        ("option.invalid", "/quantity"),
        ("order.unknown_field", "/colour"),
        ("option.invalid", "/customization/message"),
        ("option.not_editable", "/customization/city"),
        ("option.not_editable", "/personalization/size"),
    ]);
    assert_eq!(found, expected);
    assert_eq!(errors.len(), 5);
    for (code, pointer) in expected {
        let told = said.stderr.lines().any(|line| line.contains(code) && line.contains(pointer));
        assert!(told, "{code} at {pointer} is not on stderr:\n{}", said.stderr);
    }
    assert!(!said.stderr.contains("far too long") && !said.stdout.contains("far too long"), "no echo");
    assert_eq!(files(&out.join("mistakes")), BTreeSet::from(["result.json".to_owned()]));
    assert_eq!(job::result(&out, "mistakes")["type"], "presswork.render.failed");
    for id in ["before", "after"] {
        check_sums(&out.join(id), &job::result(&out, id));
        assert_eq!(job::artifacts(&out, id, "png").len(), 1);
    }
}

#[test]
fn an_unreadable_photo_is_told_and_never_an_empty_box() {
    let shop = Shop::new("unreadable-photo");
    card(&shop);
    let whole = photo((600, 400), 90);
    shop.write("assets/whole.jpg", &whole);
    shop.write("assets/cut.jpg", &whole[..whole.len() * 3 / 5]);
    let png = {
        let mut bytes = Vec::new();
        let picture =
            image::RgbImage::from_fn(300, 200, |x, y| image::Rgb([x as u8, y as u8, (x * y) as u8]));
        picture.write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Png).unwrap();
        bytes
    };
    shop.write("assets/cut.png", &png[..png.len() / 2]);
    let mut flipped = png.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x55;
    shop.write("assets/flipped.png", &flipped);
    let order = |id: &str, asset: &str| {
        shop.order(id, "card", json!({ "customization": { "message": "hi", "photo": { "asset": asset } } }))
    };
    let orders = [
        order("whole", "whole.jpg"),
        order("cut-jpeg", "cut.jpg"),
        order("cut-png", "cut.png"),
        order("flipped-png", "flipped.png"),
    ];
    let out = shop.folder.join("out");
    let (said, events) = shop.render(&orders, &out);
    assert_eq!(said.code, Some(3), "{}", said.stderr);
    assert_eq!(codes(&events[0]), [""; 0]);
    for (event, order) in events[1..].iter().zip(&orders[1..]) {
        assert_eq!(codes(event), ["image.corrupt"], "{}", order.display());
        let pointer = event["data"]["errors"][0]["pointer"].as_str().unwrap_or_default();
        assert!(pointer.starts_with("/customization/photo"), "{}: {pointer}", order.display());
        let id = event["data"]["job_id"].as_str().unwrap();
        assert_eq!(files(&out.join(id)), BTreeSet::from(["result.json".to_owned()]));
    }
    check_sums(&out.join("whole"), &job::result(&out, "whole"));
}

/// `<code>.json`, or `<code>.<what>.json` where a code has several ways to come about.
fn code_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
    stem.split('.').take(2).collect::<Vec<_>>().join(".")
}

#[test]
fn every_invalid_order_gives_exactly_its_code() {
    let invalid = job::json_files("fixtures/orders/invalid");
    let good = job::orders_named(&["pen"]).remove(0);
    let out = scratch("invalid-orders");
    let mut orders: Vec<PathBuf> = invalid.clone();
    orders.insert(orders.len() / 2, good.clone());
    let said = run(job::presswork().arg("render").args(&orders).arg("--json").arg("--out").arg(&out));
    assert_eq!(said.code, Some(3), "{}", said.stderr);
    let events = events(&said);
    assert_eq!(events.len(), orders.len());
    let mut wrong = Vec::new();
    for (path, event) in orders.iter().zip(&events).filter(|(path, _)| **path != good) {
        let (expected, found) = (code_of(path), codes(event));
        if expected == "five-mistakes" {
            assert_eq!(found.len(), 5, "{found:?}");
            continue;
        }
        assert!(Code::ALL.iter().any(|c| c.as_str() == expected), "{} names no code", path.display());
        if found.is_empty() || found.iter().any(|code| *code != expected) {
            wrong.push(format!("{}: {found:?}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    check_sums(&out.join(job::job_id(&good)), &job::result(&out, &job::job_id(&good)));
}

#[test]
fn a_second_run_replaces_the_folder_whole() {
    let shop = Shop::new("second-run");
    card(&shop);
    let order = shop.order("again", "card", json!({ "customization": { "message": "hello" } }));
    let out = shop.folder.join("out");
    shop.render(std::slice::from_ref(&order), &out);
    let first = files(&out.join("again"));
    std::fs::write(out.join("again/stale.png"), b"left by an earlier version").unwrap();
    let (said, _) = shop.render(&[order], &out);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!(files(&out.join("again")), first);
    assert_eq!(files(&out), BTreeSet::from(["again".to_owned()]), "no scratch folder stays behind");
}

#[test]
fn the_command_line_keeps_its_exit_codes() {
    assert_eq!(run(&mut job::presswork()).code, Some(2), "no command");
    assert_eq!(run(job::presswork().args(["render", "--nonsense"])).code, Some(2), "an unknown flag");
    let out = scratch("exit-codes");
    let said = run(job::presswork().args(["render", "no-such-order.json", "--out"]).arg(out));
    assert_eq!(said.code, Some(3), "{}", said.stderr);
    assert!(!said.stderr.is_empty(), "the error stands on stderr");
    let said = run(job::presswork().arg("check"));
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
}

#[test]
fn schemas_accept_what_the_program_accepts() {
    for (format, files) in [("order", job::orders()), ("event", vec![])] {
        let text = tool(env!("CARGO_BIN_EXE_presswork"), ["schema", format]);
        let schema: Value = serde_json::from_str(&text).expect("a schema is JSON");
        let validator = jsonschema::validator_for(&schema).expect("a valid JSON Schema");
        for file in files {
            let value = job::json(&file);
            let faults: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
            assert!(faults.is_empty(), "{}: {faults:?}", file.display());
        }
    }
}

#[test]
fn results_are_of_the_event_schema() {
    let shop = Shop::new("event-schema");
    card(&shop);
    let orders = [
        shop.order(
            "good",
            "card",
            json!({ "customization": { "message": "hello" }, "metadata": { "a": 1 } }),
        ),
        shop.order("bad", "card", json!({ "customization": { "message": 7 } })),
    ];
    let out = shop.folder.join("out");
    let (_, printed) = shop.render(&orders, &out);
    let schema: Value =
        serde_json::from_str(&tool(env!("CARGO_BIN_EXE_presswork"), ["schema", "event"])).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (id, printed) in ["good", "bad"].iter().zip(printed) {
        let event = job::result(&out, id);
        assert_eq!(event, printed, "the file and the line are one event");
        let faults: Vec<String> = validator.iter_errors(&event).map(|e| e.to_string()).collect();
        assert!(faults.is_empty(), "{id}: {faults:?}");
    }
    assert_eq!(job::result(&out, "good")["data"]["metadata"], json!({ "a": 1 }));
}
