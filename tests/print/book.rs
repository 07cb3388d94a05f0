//! A book of photos, each page with a JPEG of its own: written and read back in memory that does not
//! grow with the book.
//!
//! Forty pages normally; `PRESSWORK_CORPUS=full` takes three hundred, over 300 MB.

use crate::support::job::{artifacts, in_full, presswork, result};
use crate::support::judges::{Said, peak_megabytes, qpdf_check, tool};
use crate::support::shop::{Shop, photo, surface};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Pages in a sample and in full.
const PAGES: (usize, usize) = (40, 300);
/// Megabytes of one page's photo, at least.
const PHOTO: f64 = 1.0;
/// Megabytes that a book may cost beside its largest page.
const MOST: f64 = 150.0;

/// Where each quantisation table of a baseline JPEG has its last byte.
fn table_ends(jpeg: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 2;
    // Up to the first scan.
    while jpeg[at + 1] != 0xDA {
        assert_eq!(jpeg[at], 0xFF, "a marker at {at}");
        let length = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        if jpeg[at + 1] == 0xDB {
            // One byte of precision and number, then 64 of 8 bits.
            assert_eq!((length - 2) % 65, 0, "tables of 8 bits");
            ends.extend((1..=(length - 2) / 65).map(|table| at + 3 + table * 65));
        }
        at += 2 + length;
    }
    ends
}

/// The same photo in other bytes: the step of the finest detail, which is never 0, changes in both
/// tables.
fn variant(jpeg: &[u8], number: usize) -> Vec<u8> {
    let ends = table_ends(jpeg);
    assert_eq!(ends.len(), 2, "tables for brightness and colour");
    let mut other = jpeg.to_vec();
    other[ends[0]] = 20 + u8::try_from(number % 20).unwrap();
    other[ends[1]] = 20 + u8::try_from(number / 20).unwrap();
    other
}

/// Peak megabytes of a run on two threads, which has to succeed.
fn peak(mut command: Command) -> (f64, Said) {
    command.env("RAYON_NUM_THREADS", "2");
    let (megabytes, said) = peak_megabytes(&command);
    assert!(said.code == Some(0), "exit {:?}\n{}\n{}", said.code, said.stdout, said.stderr);
    (megabytes, said)
}

/// Bytes of the largest object in a file, by its table of objects as qpdf lists it.
fn largest_object(pdf: &Path) -> u64 {
    let listed = tool("qpdf", ["--show-xref".as_ref(), pdf.as_os_str()]);
    let offsets = listed.lines().filter_map(|line| line.rsplit_once("offset = ")?.1.trim().parse().ok());
    let mut starts: BTreeSet<u64> = offsets.collect();
    starts.insert(std::fs::metadata(pdf).unwrap().len());
    let starts: Vec<u64> = starts.into_iter().collect();
    starts.windows(2).map(|pair| pair[1] - pair[0]).max().expect("objects")
}

#[test]
fn a_book_of_photos_is_written_and_read_back_in_little_memory() {
    let pages = if in_full() { PAGES.1 } else { PAGES.0 };
    let shop = Shop::new("book");
    let profile = "schema = \"presswork.profile/1\"\ntitle = \"Book\"\ndpi = 300\noutputs = [\"pdf\"]\n\
                   [color]\nspace = \"cmyk\"\ncondition = \"FOGRA39L\"\nrgb = \"tagged\"\nink_limit = 340\n[pdf]\nstandard = \"x4\"\n\
                   [preflight]\ndpi_warn = 290\nblank = true\nsame_size = true\n";
    shop.write("profiles/plain.toml", profile.as_bytes());
    let layers = json!([
        { "id": "photo", "box": { "x": 0, "y": 0, "width": 177.8, "height": 125.3 },
          "photo": { "field": "photo", "fit": "stretch" } },
        { "id": "line", "box": { "x": 10, "y": 112, "width": 157, "height": 8 },
          "text": { "content": "A day to keep", "font": { "family": "Noto Sans" }, "size": 12, "fill": "#ffffff" } },
    ]);
    let list = json!({ "photos": {
        "type": "list", "by": "customer", "min_items": 1, "max_items": PAGES.1, "item": { "type": "image" },
    } });
    let mut page = surface("page", (177.8, 125.3), layers);
    page["repeat"] = json!({ "over": "photos", "as": "photo" });
    shop.template("book", list, json!([page]));

    let jpeg = photo((2100, 1480), 88);
    assert!(jpeg.len() as f64 > PHOTO * 1e6, "{} bytes", jpeg.len());
    let keys: Vec<String> = (0..pages).map(|i| format!("photo-{i:03}.jpg")).collect();
    let mut seen = BTreeSet::new();
    for (number, key) in keys.iter().enumerate() {
        let bytes = variant(&jpeg, number);
        assert!(seen.insert(Sha256::digest(&bytes)), "{key} is a photo of its own");
        shop.write(&format!("assets/{key}"), &bytes);
    }
    let order = shop.order("book", "book", json!({ "customization": { "photos": keys } }));
    let out = shop.folder.join("out");
    let (written, _) = peak(shop.command(&[order], &out));
    let event = result(&out, "book");
    assert_eq!(event["data"]["preflight"]["verdict"], "pass", "{}", event["data"]["preflight"]);

    let [(pdf, artifact)] = <[_; 1]>::try_from(artifacts(&out, "book", "pdf")).unwrap();
    assert_eq!(artifact["pages"], pages);
    qpdf_check(&pdf);
    assert_eq!(tool("qpdf", ["--show-npages".as_ref(), pdf.as_os_str()]).trim(), pages.to_string());
    // None of the photos was shared, shrunk or packed again; all but their metadata is there.
    let bytes = std::fs::metadata(&pdf).unwrap().len();
    let photos = pages as u64 * jpeg.len() as u64;
    assert!(bytes > photos - photos / 20, "{bytes} bytes, and the photos have {photos}");
    assert!(bytes as f64 > pages as f64 * PHOTO * 1e6, "{bytes} bytes");

    let mut inspect = presswork();
    // With the profile's limit of ink, so that every photo is decoded and added up.
    inspect.arg("preflight").arg(&pdf).args(["--profile", "plain", "--json", "--profiles"]);
    inspect.arg(shop.folder.join("profiles"));
    let (read, said) = peak(inspect);
    let line: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(line["report"]["verdict"], "pass", "{}", line["report"]["findings"]);
    assert_eq!(line["report"]["pages"].as_array().unwrap().len(), pages);
    // The limit was looked at: a lower one is exceeded, and only where it is a photo that exceeds it.
    shop.write("profiles/low.toml", profile.replace("= 340", "= 100").as_bytes());
    let mut low = presswork();
    low.arg("preflight").arg(&pdf).args(["--profile", "low", "--json", "--profiles"]);
    let (measured, said) =
        peak_megabytes(low.arg(shop.folder.join("profiles")).env("RAYON_NUM_THREADS", "2"));
    assert!(said.stdout.contains("\"ink.limit\""), "{}", said.stdout);
    assert!(measured < MOST + largest_object(&pdf) as f64 / 1e6, "measured in {measured:.1} MB");

    let page = largest_object(&pdf) as f64 / 1e6;
    println!(
        "{pages} pages, {:.1} MB, largest page {page:.1} MB: written in {written:.1} MB, read back in {read:.1} MB",
        bytes as f64 / 1e6
    );
    assert!(written < MOST + page, "written in {written:.1} MB, its largest page is {page:.1} MB");
    assert!(read < MOST + page, "read back in {read:.1} MB, its largest page is {page:.1} MB");
    // The photos are of no use to anyone afterwards, and there are many.
    std::fs::remove_dir_all(&shop.folder).unwrap();
}
