//! What every order of the fixtures looks like, kept as pictures, and what some PDFs say, kept as text.
//!
//! `fixtures/golden/ORDER/` holds each surface's preview, on a green ground and at half its size, and the
//! objects of some documents. A change of either is a change of what customers get: the test names each
//! file, shows expected, difference and actual side by side, and fails. Look at them; where the change is
//! meant, `PRESSWORK_BLESS=1 cargo test --test print golden` keeps what was made.

use crate::support::job::{artifacts, job_id, json, json_files, presswork, root};
use crate::support::judges::{run, scratch};
use crate::support::picture::{GREEN, flatten, halve, load, save_strip};
use image::RgbImage;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use lopdf::{Dictionary, Document, Object, Stream};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// One of each way of making a document: tagged sRGB with a font's outlines, a photo that passes through,
/// inks with marks, foil, a traced cut, X-1a and X-3.
const DOCUMENTS: [&str; 7] = [
    "mug-name-customized",
    "gift-tag-photo",
    "postcard-offset",
    "notebook-foil-customized",
    "sticker-die-cut-customized",
    "ad-x1a",
    "flyer-x3",
];

/// Copies of orders that ask for one output alone, rendered.
fn rendered(name: &str, orders: &[PathBuf], output: &str) -> PathBuf {
    let folder = scratch(name);
    let copies = orders.iter().map(|order| {
        let mut value = json(order);
        value["outputs"] = serde_json::json!([output]);
        let copy = folder.join(order.file_name().unwrap());
        std::fs::write(&copy, value.to_string()).unwrap();
        copy
    });
    let fixtures = root().join("fixtures");
    let mut command = presswork();
    command.arg("render").args(copies).arg("--out").arg(folder.join("out"));
    command.arg("--catalog").arg(fixtures.join("catalog")).arg("--assets").arg(fixtures.join("assets"));
    let said = run(&mut command);
    assert!(said.code == Some(0), "exit {:?}\n{}{}", said.code, said.stdout, said.stderr);
    folder.join("out")
}

/// Files that are compared with those that are kept, or kept in their place.
struct Keep {
    bless: bool,
    seen: BTreeSet<PathBuf>,
    faults: Vec<String>,
}

impl Keep {
    fn new() -> Keep {
        let bless = std::env::var_os("PRESSWORK_BLESS").is_some_and(|v| v == "1");
        Keep { bless, seen: BTreeSet::new(), faults: Vec::new() }
    }

    /// The file that is kept; `None` where there is none, which is a fault, or where it was just written.
    fn place(&mut self, order: &str, file: &str, write: impl FnOnce(&Path)) -> Option<PathBuf> {
        let place = root().join("fixtures/golden").join(order).join(file);
        self.seen.insert(place.clone());
        if self.bless {
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            write(&place);
            return None;
        }
        if !place.is_file() {
            self.faults.push(format!("{order}/{file}: nothing to compare it with"));
            return None;
        }
        Some(place)
    }

    fn picture(&mut self, order: &str, file: &str, made: &RgbImage) {
        let Some(place) = self.place(order, file, |place| {
            let file = std::fs::File::create(place).unwrap();
            made.write_with_encoder(PngEncoder::new_with_quality(
                file,
                CompressionType::Best,
                FilterType::Adaptive,
            ))
            .unwrap();
        }) else {
            return;
        };
        let kept = image::open(&place).unwrap().into_rgb8();
        if kept != *made {
            let most = kept.iter().zip(made.iter()).map(|(a, b)| a.abs_diff(*b)).max();
            let strip = save_strip(&format!("golden {order} {file}"), &kept, made);
            let sizes = (kept.dimensions(), made.dimensions());
            self.faults.push(format!(
                "{order}/{file}: {sizes:?}, {most:?} levels apart at most: {}",
                strip.display()
            ));
        }
    }

    fn text(&mut self, order: &str, file: &str, made: &str) {
        let Some(place) = self.place(order, file, |place| std::fs::write(place, made).unwrap()) else {
            return;
        };
        let kept = std::fs::read_to_string(&place).unwrap();
        if kept != made {
            let (line, pair) =
                (1..).zip(kept.lines().zip(made.lines())).find(|(_, (a, b))| a != b).unwrap_or_default();
            self.faults.push(format!("{order}/{file}: line {line}\n  - {}\n  + {}", pair.0, pair.1));
        }
    }

    /// Every kept file of this kind belongs to something that was made.
    fn finish(mut self, extension: &str) {
        let mut kept = Vec::new();
        for order in std::fs::read_dir(root().join("fixtures/golden")).unwrap() {
            kept.extend(std::fs::read_dir(order.unwrap().path()).unwrap().map(|file| file.unwrap().path()));
        }
        kept.retain(|file| file.extension().is_some_and(|e| e == extension));
        let left = kept.iter().filter(|file| !self.seen.contains(*file));
        self.faults.extend(left.map(|file| format!("{}: nothing makes it any more", file.display())));
        assert!(self.faults.is_empty(), "{}\nPRESSWORK_BLESS=1 keeps what was made", self.faults.join("\n"));
        assert!(!self.seen.is_empty());
    }
}

#[test]
fn every_order_looks_as_it_did() {
    let orders = json_files("fixtures/orders");
    let out = rendered("golden-pictures", &orders, "preview");
    let mut keep = Keep::new();
    for order in &orders {
        let name = order.file_stem().unwrap().to_string_lossy().into_owned();
        let made = artifacts(&out, &job_id(order), "preview");
        assert!(!made.is_empty(), "{name} has no preview");
        for (file, _) in made {
            let stem = file.file_name().unwrap().to_string_lossy().replace(".preview.png", ".png");
            keep.picture(&name, &stem, &halve(&flatten(&load(&file), GREEN)));
        }
    }
    keep.finish("png");
}

#[test]
fn documents_say_what_they_said() {
    let orders = DOCUMENTS.map(|name| root().join(format!("fixtures/orders/{name}.json")));
    let out = rendered("golden-documents", &orders, "pdf");
    let mut keep = Keep::new();
    for (order, name) in orders.iter().zip(DOCUMENTS) {
        for (file, _) in artifacts(&out, &job_id(order), "pdf") {
            let stem = file.file_stem().unwrap().to_string_lossy();
            keep.text(name, &format!("{stem}.txt"), &told(&Document::load(&file).unwrap()));
        }
    }
    keep.finish("txt");
}

/// A document's objects in the order of their numbers. Text is told as it is, other data by its size and
/// digest, both after unpacking: how well something was packed is nobody's business here.
fn told(document: &Document) -> String {
    let mut out = format!("%PDF-{}\n", document.version);
    for ((number, _), object) in &document.objects {
        write!(out, "{number} obj ").unwrap();
        tell(&mut out, object);
        out.push('\n');
    }
    out.push_str("trailer ");
    let mut trailer = document.trailer.clone();
    trailer.remove(b"Size");
    tell_dictionary(&mut out, &trailer);
    out.push('\n');
    out
}

fn tell_stream(out: &mut String, stream: &Stream) {
    let mut entries = stream.dict.clone();
    entries.remove(b"Length");
    tell_dictionary(out, &entries);
    let unpacked = stream.decompressed_content().unwrap_or_else(|_| stream.content.clone());
    match String::from_utf8(unpacked) {
        Ok(text) if text.chars().all(|c| c == '\n' || !c.is_control()) => {
            write!(out, " stream\n{}\nendstream", text.trim_end()).unwrap();
        }
        Ok(text) => tell_data(out, text.as_bytes()),
        Err(data) => tell_data(out, data.as_bytes()),
    }
}

fn tell_data(out: &mut String, data: &[u8]) {
    write!(out, " {} bytes, SHA-256 {}", data.len(), hex::encode(Sha256::digest(data))).unwrap();
}

fn tell_dictionary(out: &mut String, entries: &Dictionary) {
    out.push_str("<<");
    for (key, value) in entries {
        write!(out, " /{} ", String::from_utf8_lossy(key)).unwrap();
        tell(out, value);
    }
    out.push_str(" >>");
}

fn tell(out: &mut String, object: &Object) {
    match object {
        Object::Null => out.push_str("null"),
        Object::Boolean(value) => write!(out, "{value}").unwrap(),
        Object::Integer(value) => write!(out, "{value}").unwrap(),
        Object::Real(value) => write!(out, "{value}").unwrap(),
        Object::Name(name) => write!(out, "/{}", String::from_utf8_lossy(name)).unwrap(),
        Object::String(bytes, _) => write!(out, "({})", bytes.escape_ascii()).unwrap(),
        Object::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(' ');
                }
                tell(out, item);
            }
            out.push(']');
        }
        Object::Dictionary(entries) => tell_dictionary(out, entries),
        Object::Stream(stream) => tell_stream(out, stream),
        Object::Reference((number, _)) => write!(out, "{number} R").unwrap(),
    }
}
