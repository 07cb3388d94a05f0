//! Two readers that know nothing of each other see the same in every fixture's PDF, and preflight
//! finds nothing to refuse in any of them.

use crate::support::job::{artifacts, job_id, orders, presswork};
use crate::support::judges::{peak_megabytes, run};
use hayro_syntax::Pdf;
use hayro_syntax::object::{Array, Rect};
use presswork::preflight::{Inspection, Wish};
use std::fs::File;
use std::path::PathBuf;

/// Every fixture's PDFs with the profile they were made by.
fn documents(out: &std::path::Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for order in orders() {
        let text = crate::support::job::json(&order);
        let profile = text["profile"].as_str().expect("an order names its profile").to_owned();
        let mut small = text.clone();
        small["outputs"] = serde_json::json!(["pdf"]);
        let target = out.join("orders").join(order.file_name().unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::write(&target, serde_json::to_vec(&small).unwrap()).unwrap();
        let said = run(presswork()
            .arg("render")
            .arg(&target)
            .args(["--catalog", "fixtures/catalog", "--assets", "fixtures/assets", "--out"])
            .arg(out));
        assert_eq!(said.code, Some(0), "{}: {}{}", order.display(), said.stdout, said.stderr);
        let event = crate::support::job::result(out, &job_id(&order));
        let remarks = &event["data"]["preflight"]["findings"];
        for finding in remarks.as_array().unwrap() {
            // Photos of 255 pixels per inch in the book, of 103 on the shoes: remarks, no more.
            let small = ["book-interior", "shoes"].iter().any(|name| job_id(&order).starts_with(name));
            let remark = finding["code"] == "image.low_resolution" && finding["verdict"] == "warn";
            assert!(small && remark, "{}: {finding}", order.display());
        }
        assert_eq!(event["type"], "presswork.render.completed", "{}", order.display());
        for (pdf, _) in artifacts(out, &job_id(&order), "pdf") {
            found.push((pdf, profile.clone()));
        }
    }
    found
}

#[test]
fn fixtures_have_no_violations_and_read_alike() {
    let folder = tempfile::tempdir().unwrap();
    let documents = documents(folder.path());
    assert!(documents.len() >= 20, "{}", documents.len());
    for (pdf, profile) in documents {
        let name = pdf.display();
        let said = run(presswork().args(["preflight", "--profile", &profile]).arg(&pdf));
        assert_eq!(said.code, Some(0), "{name}: {}", said.stdout);
        assert!(
            !said.stdout.contains("\nfail") && said.stdout.contains(" 0 failed, 0 held"),
            "{name}: {}",
            said.stdout
        );

        other_programs_find_nothing(&pdf);
        let ours = Inspection::new(&Wish::default()).inspect(File::open(&pdf).unwrap()).unwrap();
        let theirs = Pdf::new(std::fs::read(&pdf).unwrap()).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        let pages = theirs.pages();
        assert_eq!(ours.pages.len(), pages.len(), "{name}");
        for (ours, page) in ours.pages.iter().zip(pages.iter()) {
            let area: Rect = page.raw().get("TrimBox").unwrap();
            let mm = |points: f64| points / 72.0 * 25.4;
            let trim = [mm(area.width()), mm(area.height())];
            assert!(
                (ours.trim[2] - trim[0]).abs() < 0.01 && (ours.trim[3] - trim[1]).abs() < 0.01,
                "{name}: {trim:?}"
            );
        }
        // Spot inks, wherever a colour space is written down.
        let mut plates = std::collections::BTreeSet::new();
        for object in theirs.objects() {
            if let Some(array) = object.into_array() {
                separations(&array, &mut plates);
            }
        }
        // Registration marks are on every plate and are none.
        plates.remove("All");
        for plate in &plates {
            assert!(
                ours.plates.contains(plate),
                "{name}: {plate} is defined and never painted: {:?}",
                ours.plates
            );
        }
    }
}

/// qpdf, MuPDF, poppler and the colour consortium's own checker are content with a file.
fn other_programs_find_nothing(pdf: &std::path::Path) {
    let (path, folder) = (pdf.to_str().unwrap(), tempfile::tempdir().unwrap());
    let clean = |program: &str, arguments: &[&str]| {
        let output = std::process::Command::new(program).args(arguments).output().unwrap_or_else(|e| {
            panic!("{program}: {e}; apt-get install qpdf mupdf-tools poppler-utils, and scripts/fleet-tools")
        });
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        // Debian builds mutool without colour management, and mutool says so of every profile.
        let said = err.lines().filter(|l| !l.is_empty() && *l != "warning: ICC support is not available");
        assert!(output.status.success() && said.count() == 0, "{program} {arguments:?}: {out}{err}");
        out.into_owned()
    };
    clean("qpdf", &["--check", path]);
    clean("mutool", &["info", path]);
    let cleaned = folder.path().join("clean.pdf");
    clean("mutool", &["clean", path, cleaned.to_str().unwrap()]);
    clean("qpdf", &["--check", cleaned.to_str().unwrap()]);
    for font in clean("pdffonts", &[path]).lines().skip(2) {
        // name, type (of two words or one), encoding, embedded, subset, unicode, object
        let words: Vec<&str> = font.split_whitespace().rev().collect();
        assert_eq!(words.get(4), Some(&"yes"), "{path}: a font is not embedded: {font}");
    }
    for picture in clean("pdfimages", &["-list", path]).lines().skip(2) {
        let space = picture.split_whitespace().nth(5).unwrap_or_default();
        assert!(
            ["icc", "cmyk", "gray", "sep", "-"].contains(&space),
            "{path}: a picture in {space}: {picture}"
        );
    }
    let profiles = profiles(pdf, folder.path());
    let python = crate::support::job::root().join(".tools/bin/python");
    let script = "import iccdev, sys\nfor path in sys.argv[1:]:\n    result = iccdev.validate_profile_file(path)\n    print(result.status.name, result.report)";
    let arguments = [&["-c".to_owned(), script.to_owned()], profiles.as_slice()].concat();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let said = clean(python.to_str().unwrap(), &arguments);
    assert_eq!(said.split_whitespace().collect::<Vec<_>>(), vec!["OK"; profiles.len()], "{path}: {said}");
}

/// The ICC profiles of a file and the built-in ones, written out.
fn profiles(pdf: &std::path::Path, folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(crate::support::job::root().join("render-profiles/icc")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "icc") {
            found.push(path.to_str().unwrap().to_owned());
        }
    }
    let document = lopdf::Document::load(pdf).unwrap();
    for (number, object) in &document.objects {
        let Ok(stream) = object.as_stream() else { continue };
        let data = stream.decompressed_content().unwrap_or_else(|_| stream.content.clone());
        if data.get(36..40) == Some(b"acsp") {
            let path = folder.join(format!("{}.icc", number.0));
            std::fs::write(&path, data).unwrap();
            found.push(path.to_str().unwrap().to_owned());
        }
    }
    assert!(found.len() > 1, "{}: a print file has a profile", pdf.display());
    found
}

fn separations(array: &Array<'_>, plates: &mut std::collections::BTreeSet<String>) {
    let mut items = array.flex_iter();
    let kind = items.next::<hayro_syntax::object::Name<'_>>();
    if kind.is_some_and(|kind| kind.as_ref() == b"Separation")
        && let Some(name) = items.next::<hayro_syntax::object::Name<'_>>()
    {
        plates.insert(name.as_str().to_owned());
    }
}

/// 300 pages with a megabyte of picture each.
fn book(path: &std::path::Path) {
    use std::io::Write;
    let mut out = std::io::BufWriter::new(File::create(path).unwrap());
    let mut at = 0_u64;
    let mut places = Vec::new();
    let mut put = |out: &mut dyn Write, bytes: &[u8]| {
        out.write_all(bytes).unwrap();
        at += bytes.len() as u64;
        at
    };
    let mut end = put(&mut out, b"%PDF-1.6\n");
    let kids: Vec<String> = (0..300).map(|i| format!("{} 0 R", 3 + i * 3)).collect();
    let mut objects: Vec<(String, Vec<u8>)> = vec![
        ("<< /Type /Catalog /Pages 2 0 R >>".into(), Vec::new()),
        (format!("<< /Type /Pages /Count 300 /Kids [{}] >>", kids.join(" ")), Vec::new()),
    ];
    let pixels = vec![200_u8; 1_000_000];
    for page in 0..300 {
        let own = 3 + page * 3;
        let resources = format!("<< /XObject << /Im {} 0 R >> >>", own + 2);
        objects.push((
            format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 432 648] /TrimBox [9 9 423 639] /Resources {resources} /Contents {} 0 R >>", own + 1),
            Vec::new(),
        ));
        let content = format!("q 432 0 0 648 0 0 cm /Im Do Q {}", "0 0 m 9 9 l S ".repeat(2_000));
        objects.push((format!("<< /Length {} >>", content.len()), content.into_bytes()));
        objects.push((
            format!("<< /Type /XObject /Subtype /Image /Width 1000 /Height 1000 /BitsPerComponent 8 /ColorSpace /DeviceGray /Length {} >>", pixels.len()),
            pixels.clone(),
        ));
        // Written and forgotten page by page.
        for (entries, data) in objects.drain(..) {
            places.push(end);
            end = put(&mut out, format!("{} 0 obj\n{entries}\n", places.len()).as_bytes());
            if !data.is_empty() {
                put(&mut out, b"stream\n");
                put(&mut out, &data);
                put(&mut out, b"\nendstream\n");
            }
            end = put(&mut out, b"endobj\n").max(end);
        }
    }
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", places.len() + 1);
    places.iter().for_each(|at| table += &format!("{at:010} 00000 n \n"));
    table += &format!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{end}\n%%EOF\n", places.len() + 1);
    out.write_all(table.as_bytes()).unwrap();
}

#[test]
fn a_book_of_300_megabytes_is_looked_at_page_by_page() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("book.pdf");
    book(&path);
    assert!(std::fs::metadata(&path).unwrap().len() > 300_000_000);
    let mut command = presswork();
    command.arg("preflight").arg(&path);
    let (megabytes, said) = peak_megabytes(&command);
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("pass, 300 pages"), "{}", said.stdout);
    println!("{megabytes:.1} MB");
    assert!(megabytes < 100.0, "{megabytes:.1} MB for 300 MB");
}

#[test]
fn the_command_answers_by_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let card = folder.path().join("card.pdf");
    let html = folder.path().join("card.html");
    let preflight = |arguments: &[&str]| run(presswork().arg("preflight").arg(&card).args(arguments));
    std::fs::write(&card, crate::support::x4::X4::card().bytes()).unwrap();
    assert_eq!(preflight(&["--standard", "x4"]).code, Some(0));
    assert_eq!(preflight(&["--profile", "nobody"]).code, Some(2));
    let mut broken = crate::support::x4::X4::card();
    broken.edit(crate::support::x4::INTENT, "GTS_PDFX", "GTS_PDFA1");
    std::fs::write(&card, broken.bytes()).unwrap();
    assert_eq!(preflight(&[]).code, Some(0));
    let said = preflight(&["--standard", "x4", "--html", &html.to_string_lossy()]);
    assert_eq!(said.code, Some(3));
    assert!(said.stdout.contains("fail intent.missing"), "{}", said.stdout);
    let page = std::fs::read_to_string(&html).unwrap();
    assert!(page.contains("intent.missing") && page.contains("<svg") && page.contains("data:image/png"));
    assert!(
        !page.contains("http://") || !page.replace("http://www.w3.org/2000/svg", "").contains("http"),
        "it needs nothing beside it"
    );
    let said = preflight(&["--standard", "x4", "--json"]);
    let line: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(line["report"]["verdict"], "fail");
    std::fs::remove_file(&card).unwrap();
    assert_eq!(preflight(&[]).code, Some(2));
}
