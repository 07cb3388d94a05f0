//! Print files as a RIP sees them: their plates, their layers, and what they promise.
//!
//! More than 400 lines: one kind of judge after another, on the same orders.
//!
//! Tools: `apt-get install ghostscript qpdf mupdf-tools poppler-utils imagemagick`.

use crate::support::job;
use crate::support::judges::picture_data;
use crate::support::shop::Shop;
use lopdf::{Dictionary, Document, Object};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

const DPI: f64 = 100.0;

/// Runs a foreign program, which has to succeed and to say nothing on standard error.
fn clean(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap_or_else(|error| {
        panic!("{program}: {error}; apt-get install ghostscript qpdf mupdf-tools poppler-utils imagemagick")
    });
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // Debian builds mutool without colour management, and mutool says so of every profile.
    let said =
        complaint.lines().filter(|line| !line.is_empty() && *line != "warning: ICC support is not available");
    assert!(output.status.success() && said.count() == 0, "{program} {arguments:?}: {text}{complaint}");
    text
}

/// One page's plates by Ghostscript: name, and ink from 0 to 255 in rows.
struct Plates {
    width: usize,
    height: usize,
    inks: BTreeMap<String, Vec<u8>>,
}

impl Plates {
    fn names(&self) -> Vec<&str> {
        self.inks.keys().map(String::as_str).collect()
    }

    /// How much of the page a plate covers, 0 to 1.
    fn coverage(&self, plate: &str) -> f64 {
        let ink = &self.inks[plate];
        ink.iter().map(|v| f64::from(*v) / 255.0).sum::<f64>() / ink.len() as f64
    }

    /// The process inks at a place in mm of the page, in per cent.
    fn at(&self, x: f64, y: f64) -> [f64; 4] {
        let px = |mm: f64| (mm / 25.4 * DPI) as usize;
        let at = px(y) * self.width + px(x);
        ["Cyan", "Magenta", "Yellow", "Black"].map(|plate| f64::from(self.inks[plate][at]) / 2.55)
    }

    /// The most ink of any pixel within so many mm of the edges, in per cent: the process plates and
    /// colours of their own, not what is `special`.
    fn most_ink(&self, margin: f64, special: &[&str]) -> f64 {
        let colours = self.inks.iter().filter(|(name, _)| !special.contains(&name.as_str()));
        let plates: Vec<_> = colours.map(|(_, ink)| ink).collect();
        let skip = (margin / 25.4 * DPI).ceil() as usize;
        let sum = |i: usize| plates.iter().map(|p| u32::from(p[i])).sum::<u32>();
        let rows = (skip..self.height - skip).flat_map(|y| {
            let row = y * self.width;
            row + skip..row + self.width - skip
        });
        f64::from(rows.map(sum).max().unwrap()) / 2.55
    }
}

/// The pages of a PDF on plates. Tagged colours are converted to the fixtures' condition as a press would:
/// relative colorimetric with black point compensation. Inks stay as they are.
fn plates(pdf: &Path) -> Vec<Plates> {
    let folder = tempfile::tempdir().unwrap();
    let out = format!("-sOutputFile={}/page%d.tif", folder.path().display());
    let density = format!("-r{DPI}");
    let path = pdf.to_str().unwrap();
    let condition = crate::support::inked::condition().display().to_string();
    let [read, inks, output] = ["--permit-file-read=", "-sDefaultCMYKProfile=", "-sOutputICCProfile="]
        .map(|option| format!("{option}{condition}"));
    let device = ["-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-sDEVICE=tiffsep"];
    let colour = ["-dRenderIntent=1", "-dBlackPtComp=1", &read, &inks, &output];
    clean("gs", &[&device[..], &colour, &[&density, &out, path]].concat());
    let mut pages: BTreeMap<u32, Plates> = BTreeMap::new();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        // `page1(Cyan).tif` is a plate, `page1.tif` the composite.
        let Some((page, plate)) = name.split_once('(') else { continue };
        let grey = image::open(&path).unwrap().to_luma8();
        let (width, height) = (grey.width() as usize, grey.height() as usize);
        let number = page.trim_start_matches("page").parse().unwrap();
        let page = pages.entry(number).or_insert(Plates { width, height, inks: BTreeMap::new() });
        let ink = grey.into_raw().into_iter().map(|v| 255 - v).collect();
        page.inks.insert(plate.trim_end_matches(')').to_owned(), ink);
    }
    pages.into_values().collect()
}

/// The room for marks around a page's bleed, in mm.
fn margin(pdf: &Path) -> f64 {
    let page = &crate::support::judges::pdf_boxes(pdf)[0];
    (page.bleed[0] - page.media[0]) / 72.0 * 25.4
}

/// The folder that every order in process inks is rendered into, once.
static PRINTED: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = crate::support::judges::scratch(&format!("plates-{}", std::process::id()));
    let path = order_file;
    let flat = FLAT.iter().map(|(order, _)| *order);
    job::render_well(ORDERS.iter().map(|(order, _, _)| *order).chain(flat).map(path), &folder);
    folder
});

fn order_file(order: &str) -> PathBuf {
    job::root().join(format!("fixtures/orders/{order}.json"))
}

/// An order's PDF.
fn print(order: &str) -> PathBuf {
    job::artifacts(&PRINTED, order, "pdf").remove(0).0
}

const PROCESS: [&str; 4] = ["Black", "Cyan", "Magenta", "Yellow"];

/// Every order whose document is PDF/X-4, the spot plates it has, and its profile's ink limit.
const ORDERS: [(&str, &[&str], f64); 8] = [
    ("postcard-offset", &[], 300.0),
    ("postcard-network", &[], 300.0),
    ("sticker-sheet-customized", &["CutContour"], 280.0),
    ("sticker-sheet-personalized", &["CutContour"], 280.0),
    ("sticker-photo-customized", &["CutContour"], 280.0),
    ("transfer-badge-customized", &["White"], 300.0),
    ("notebook-foil-customized", &["Foil"], 300.0),
    ("voucher-personalized", &["Emboss", "PerfCutContour", "Varnish"], 300.0),
];

/// The orders in process inks whose documents are of older standards.
const FLAT: [(&str, f64); 3] = [("ad-x1a", 300.0), ("flyer-x3", 300.0), ("flyer-tiff", 300.0)];

#[test]
fn exactly_the_expected_plates_and_no_more_ink_than_allowed() {
    let flat = FLAT.map(|(order, limit)| (order, &[][..], limit));
    let all: Vec<(&str, &[&str], f64)> = ORDERS.into_iter().chain(flat).collect();
    let known = all.iter().map(|(order, ..)| (*order).to_owned()).collect();
    assert_eq!(
        crate::separations::orders().into_iter().collect::<BTreeSet<_>>(),
        known,
        "every order in inks"
    );
    for (order, spots, limit) in all {
        let pdf = print(order);
        let profile = job::profile(job::json(&order_file(order))["profile"].as_str().unwrap());
        assert_eq!(profile["color"]["ink_limit"].as_integer(), Some(limit as i64), "{order}");
        let mut expected: Vec<&str> = PROCESS.into_iter().chain(spots.iter().copied()).collect();
        expected.sort_unstable();
        for page in plates(&pdf) {
            assert_eq!(page.names(), expected, "{order}");
            // Marks outside the bleed are on every plate, whatever the limit.
            let most = page.most_ink(margin(&pdf), spots);
            println!("{order}: {most:.0} % ink at most, of {limit}");
            // A percent is two roundings of a plate.
            assert!(most <= limit + 1.5, "{order}: {most} % ink");
            for spot in spots {
                assert!(page.coverage(spot) > 0.0005, "{order}: {spot} is empty");
            }
        }
    }
}

#[test]
fn white_cut_and_foil_leave_the_process_plates_as_they_are() {
    for (order, spots, _) in ORDERS.into_iter().filter(|(_, spots, _)| !spots.is_empty()) {
        let pdf = print(order);
        let folder = tempfile::tempdir().unwrap();
        let hidden = folder.path().join("hidden.pdf");
        hide(&pdf, spots, &hidden);
        let (with, without) = (&plates(&pdf)[0], &plates(&hidden)[0]);
        for spot in spots {
            let left = without.inks.get(*spot).map_or(0.0, |_| without.coverage(spot));
            assert!(left == 0.0, "{order}: hiding {spot} hides it");
        }
        for plate in PROCESS {
            let off = with.inks[plate].iter().zip(&without.inks[plate]).filter(|(a, b)| a.abs_diff(**b) > 1);
            assert_eq!(off.count(), 0, "{order}: {plate} changes beneath {spots:?}");
        }
    }
}

/// The same document with the layers of these names switched off.
fn hide(pdf: &Path, layers: &[&str], to: &Path) {
    let mut document = Document::load(pdf).unwrap();
    let properties = document.catalog().unwrap().get(b"OCProperties").unwrap().as_dict().unwrap().clone();
    let groups = properties.get(b"OCGs").unwrap().as_array().unwrap().clone();
    let off: Vec<Object> = groups
        .into_iter()
        .filter(|group| {
            let layer = document.get_dictionary(group.as_reference().unwrap()).unwrap();
            layers.contains(&text(layer, b"Name").as_str())
        })
        .collect();
    assert_eq!(off.len(), layers.len(), "a layer for each of {layers:?}");
    let mut shown = properties.get(b"D").unwrap().as_dict().unwrap().clone();
    shown.set("OFF", off);
    let mut changed = properties;
    changed.set("D", shown);
    document.catalog_mut().unwrap().set("OCProperties", changed);
    document.save(to).unwrap();
}

fn text(dictionary: &Dictionary, key: &[u8]) -> String {
    let value = dictionary.get(key).unwrap_or_else(|_| panic!("no {}", String::from_utf8_lossy(key)));
    String::from_utf8_lossy(value.as_str().unwrap()).into_owned()
}

#[test]
fn the_white_plate_is_its_drawn_shape() {
    let pdf = print("transfer-badge-customized");
    let page = &plates(&pdf)[0];
    // The disc and the ribbon that the template draws, in mm of a page of 120 × 130.
    let inside = |x: f64, y: f64| {
        let disc = libm::hypot(x - 60.0, y - 55.0) <= 49.8;
        let (dx, dy) = ((x - 60.0).abs() - 50.8, (y - 106.0).abs() - 9.8);
        disc || libm::hypot(dx.max(0.0), dy.max(0.0)) <= 4.0
    };
    let (mut covered, steps) = (0u32, 400u32);
    for i in 0..steps {
        for j in 0..steps {
            let at = |k: u32, size: f64| (f64::from(k) + 0.5) / f64::from(steps) * size;
            covered += u32::from(inside(at(i, 120.0), at(j, 130.0)));
        }
    }
    let expected = f64::from(covered) / f64::from(steps * steps);
    let found = page.coverage("White");
    println!("white covers {found:.4}, its shape {expected:.4}");
    assert!((found - expected).abs() <= 0.01 * expected, "{found}, not {expected}");
    // White is solid and whole beneath the art.
    let px = |mm: f64| (mm / 25.4 * DPI) as usize;
    for (x, y) in [(60.0, 55.0), (30.0, 40.0), (60.0, 105.0), (100.0, 112.0)] {
        assert_eq!(page.inks["White"][px(y) * page.width + px(x)], 255, "white at {x}, {y}");
    }
}

#[test]
fn black_type_is_black_ink_alone_over_what_lies_beneath() {
    let pdf = print("postcard-offset");
    let back = &plates(&pdf)[1];
    // The page is the trim, 4 mm of bleed and the room for marks.
    let margin = margin(&pdf) + 4.0;
    let at = |x: f64, y: f64| back.at(x + margin, y + margin);
    let paper = at(40.0, 90.0);
    assert!(paper[3] < 10.0 && paper[2] > 1.0, "tinted paper: {paper:?}");
    let px = |mm: f64| ((mm + margin) / 25.4 * DPI) as usize;
    let (mut type_pixels, mut bars) = (0, 0);
    for (area, count) in [((8.0, 14.0, 70.0, 60.0), &mut type_pixels), ((84.0, 78.0, 114.0, 86.0), &mut bars)]
    {
        for y in px(area.1)..px(area.3) {
            for x in px(area.0)..px(area.2) {
                let i = y * back.width + x;
                if back.inks["Black"][i] < 250 {
                    continue;
                }
                *count += 1;
                for (plate, want) in ["Cyan", "Magenta", "Yellow"].into_iter().zip(paper) {
                    let found = f64::from(back.inks[plate][i]) / 2.55;
                    assert!((found - want).abs() < 1.5, "{plate} beneath type is {found}, not {want}");
                }
            }
        }
    }
    assert!(type_pixels > 20 && bars > 200, "{type_pixels} pixels of type, {bars} of bars");
    let band = at(74.0, 1.0);
    let rich = [60.0, 60.0, 60.0, 100.0];
    assert!(band.iter().zip(rich).all(|(a, b)| (a - b).abs() < 1.0), "rich black is {band:?}");
    let brand = at(110.0, 98.0);
    let exact = [10.0, 90.0, 80.0, 0.0];
    assert!(brand.iter().zip(exact).all(|(a, b)| (a - b).abs() < 1.0), "the brand colour is {brand:?}");
}

#[test]
fn other_programs_find_nothing_wrong() {
    for (order, _, _) in ORDERS {
        let pdf = print(order);
        let (pdf, folder) = (pdf.to_str().unwrap(), tempfile::tempdir().unwrap());
        clean("qpdf", &["--check", pdf]);
        clean("mutool", &["info", pdf]);
        let picture = folder.path().join("page.png");
        clean("mutool", &["draw", "-q", "-r", "36", "-o", picture.to_str().unwrap(), pdf, "1"]);
        let fonts = clean("pdffonts", &[pdf]);
        assert_eq!(fonts.lines().count(), 2, "{order}: type is outlines: {fonts}");
        let images = clean("pdfimages", &["-list", pdf]);
        let spaces: Vec<&str> =
            images.lines().skip(2).filter_map(|line| line.split_whitespace().nth(5)).collect();
        let expected = if order == "postcard-network" { "icc" } else { "cmyk" };
        assert!(spaces.iter().all(|space| *space == expected), "{order}: {images}");
    }
}

#[test]
fn the_file_says_what_it_is() {
    for (order, spots, _) in ORDERS {
        let pdf = print(order);
        let bytes = std::fs::read(&pdf).unwrap();
        assert!(bytes.starts_with(b"%PDF-1.6\n"), "{order}");
        let document = Document::load_mem(&bytes).unwrap();
        let catalog = document.catalog().unwrap();
        let intents = catalog.get(b"OutputIntents").unwrap().as_array().unwrap();
        let intent = document.get_dictionary(intents[0].as_reference().unwrap()).unwrap();
        assert_eq!(intent.get(b"S").unwrap().as_name().unwrap(), b"GTS_PDFX");
        assert_eq!(text(intent, b"OutputConditionIdentifier"), "FOGRA39");
        let profile = intent.get(b"DestOutputProfile").unwrap().as_reference().unwrap();
        let profile = document.get_object(profile).unwrap().as_stream().unwrap();
        let icc = profile.decompressed_content().unwrap();
        assert_eq!(icc, std::fs::read(job::root().join("render-profiles/icc/FOGRA39L.icc")).unwrap());
        let info = document.trailer.get(b"Info").unwrap().as_reference().unwrap();
        let info = document.get_dictionary(info).unwrap();
        let metadata = catalog.get(b"Metadata").unwrap().as_reference().unwrap();
        let xmp = document.get_object(metadata).unwrap().as_stream().unwrap().content.clone();
        let xmp = String::from_utf8(xmp).unwrap();
        let says = |field: &str, value: &str| {
            assert!(
                xmp.contains(&format!("<{field}>{value}</{field}>")),
                "{order}: {field} is {value}: {xmp}"
            )
        };
        says("pdfxid:GTS_PDFXVersion", &text(info, b"GTS_PDFXVersion"));
        assert_eq!(text(info, b"GTS_PDFXVersion"), "PDF/X-4");
        says("pdf:Producer", &text(info, b"Producer"));
        says("xmp:CreatorTool", &text(info, b"Creator"));
        says("pdf:Trapped", "False");
        assert!(xmp.contains(&format!(">{}</rdf:li>", text(info, b"Title"))), "{order}: the title");
        let date = text(info, b"CreationDate");
        let digits: String = date.chars().filter(char::is_ascii_digit).collect();
        let iso = |tag: &str| {
            let value = xmp.split(&format!("<{tag}>")).nth(1).unwrap().split('<').next().unwrap();
            value.chars().filter(char::is_ascii_digit).collect::<String>()
        };
        assert_eq!([iso("xmp:CreateDate"), iso("xmp:ModifyDate")], [digits.clone(), digits]);
        for field in ["xmpMM:DocumentID", "xmpMM:VersionID", "xmpMM:RenditionClass"] {
            assert!(xmp.contains(&format!("<{field}>")), "{order}: {field}");
        }
        let layers: Vec<(String, String)> = catalog
            .get(b"OCProperties")
            .and_then(Object::as_dict)
            .and_then(|properties| properties.get(b"OCGs"))
            .and_then(Object::as_array)
            .map(|groups| groups.iter().map(|id| layer(&document, id)).collect())
            .unwrap_or_default();
        for spot in spots {
            let found = layers.iter().find(|(name, _)| name == spot);
            let step = found.map(|(_, step)| step.as_str()).unwrap_or_default();
            let expected = match (*spot, order) {
                ("CutContour", "sticker-photo-customized") => "Structural/Cutting",
                ("CutContour", _) => "Structural/PartialCutting",
                ("Foil", _) => "Structural/FoilStamping",
                ("PerfCutContour", _) => "Structural/Perforating",
                ("Emboss", _) => "Structural/Embossing",
                ("Varnish", _) => "Varnish/",
                ("White", _) => "White/",
                (other, _) => panic!("{other}: no such plate"),
            };
            assert_eq!(step, expected, "{order}: the layer {spot}");
        }
        no_device_rgb(order, &document);
    }
}

/// A shop that prints one picture across the page, with `icc/House.icc` as its condition.
fn picture_shop(name: &str, rgb: &str) -> Shop {
    let shop = Shop::new(name);
    let profile = format!(
        "schema = \"presswork.profile/1\"\ntitle = \"House\"\ndpi = 300\noutputs = [\"pdf\"]\n\
         [color]\nspace = \"cmyk\"\ncondition = \"House\"\nrgb = \"{rgb}\"\n[pdf]\nstandard = \"x4\"\n"
    );
    shop.write("profiles/plain.toml", profile.as_bytes());
    let photo = json!({ "id": "photo", "photo": { "field": "photo" } });
    let fields = json!({ "photo": { "type": "image", "by": "customer", "required": true } });
    shop.template(
        "page",
        fields,
        json!([crate::support::shop::surface("front", (60.0, 40.0), json!([photo]))]),
    );
    shop
}

#[test]
fn a_site_brings_its_own_condition_by_name() {
    let shop = picture_shop("own-condition", "convert");
    shop.write("assets/p.png", &png());
    let order = shop.order("one", "page", json!({ "customization": { "photo": "p.png" } }));
    let (_, events) = shop.render(std::slice::from_ref(&order), &shop.folder.join("out"));
    assert_eq!(crate::support::shop::codes(&events[0]), ["template.invalid"], "there is no such file yet");
    shop.write("profiles/icc/House.icc", b"this is no profile");
    let (_, events) = shop.render(std::slice::from_ref(&order), &shop.folder.join("out"));
    assert_eq!(crate::support::shop::codes(&events[0]), ["template.invalid"], "a broken file");
    let icc = std::fs::read(job::root().join("render-profiles/icc/FOGRA39L.icc")).unwrap();
    shop.write("profiles/icc/House.icc", &icc);
    let (_, events) = shop.render(&[order], &shop.folder.join("out"));
    assert_eq!(events[0]["type"], "presswork.render.completed");
    let (pdf, artifact) = job::artifacts(&shop.folder.join("out"), "one", "pdf").remove(0);
    assert_eq!(artifact["color_space"], "CMYK");
    let bytes = std::fs::read(pdf).unwrap();
    assert!(bytes.windows(6).any(|w| w == b"(House"), "the intent names the condition");
}

/// Red and blue halves, 60 by 40 pixels.
fn png() -> Vec<u8> {
    let mut out = Vec::new();
    let rgb: Vec<u8> =
        (0..60 * 40).flat_map(|i| if i % 60 < 30 { [220, 30, 40] } else { [30, 60, 200] }).collect();
    let mut encoder = png::Encoder::new(&mut out, 60, 40);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().unwrap().write_image_data(&rgb).unwrap();
    out
}

#[test]
fn jpegs_that_need_no_change_pass_through() {
    for (rgb, source, kept) in [
        ("convert", "cmyk", true),
        ("convert", "rgb", false),
        ("tagged", "rgb", true),
        ("tagged", "cmyk", true),
        // Far beyond the job's resolution: its own inks are worth more than a smaller file.
        ("convert", "cmyk-large", true),
        ("tagged", "rgb-large", false),
    ] {
        let shop = picture_shop(&format!("pass-{rgb}-{source}"), rgb);
        let icc = std::fs::read(job::root().join("render-profiles/icc/FOGRA39L.icc")).unwrap();
        shop.write("profiles/icc/House.icc", &icc);
        shop.write("source.png", &png());
        let path = |name: &str| shop.folder.join(name).to_str().unwrap().to_owned();
        let space = if source.starts_with("cmyk") { "CMYK" } else { "sRGB" };
        let size = if source.ends_with("large") { "3000x2000" } else { "600x400" };
        let (from, to) = (path("source.png"), path("assets/p.jpg"));
        let noise = ["-seed", "1", "+noise", "Gaussian", "-quality", "95"];
        clean(
            "convert",
            &[&[from.as_str(), "-scale", size], &noise[..], &["-colorspace", space, &to]].concat(),
        );
        let order = shop.order("one", "page", json!({ "customization": { "photo": "p.jpg" } }));
        let (_, events) = shop.render(&[order], &shop.folder.join("out"));
        assert_eq!(events[0]["type"], "presswork.render.completed", "{events:?}");
        let pdf = job::artifacts(&shop.folder.join("out"), "one", "pdf").remove(0).0;
        clean("qpdf", &["--check", pdf.to_str().unwrap()]);
        clean("pdfimages", &["-all", pdf.to_str().unwrap(), &path("image")]);
        let found = std::fs::read(path("image-000.jpg")).ok();
        let original = std::fs::read(path("assets/p.jpg")).unwrap();
        let same = found.is_some_and(|found| picture_data(&found) == picture_data(&original));
        assert_eq!(same, kept, "{source} with rgb = {rgb}");
    }
}

/// A layer's name, and its processing step as group/type.
fn layer(document: &Document, id: &Object) -> (String, String) {
    let layer = document.get_dictionary(id.as_reference().unwrap()).unwrap();
    let step = layer.get(b"GTS_Metadata").and_then(Object::as_dict).map(|metadata| {
        let word = |key: &[u8]| {
            let name = metadata.get(key).and_then(Object::as_name).unwrap_or_default();
            String::from_utf8_lossy(name).into_owned()
        };
        format!("{}/{}", word(b"GTS_ProcStepsGroup"), word(b"GTS_ProcStepsType"))
    });
    (text(layer, b"Name"), step.unwrap_or_default())
}

/// Nothing is in DeviceRGB, every transparency group names its space, and a plate has one definition.
fn no_device_rgb(order: &str, document: &Document) {
    let mut separations: BTreeMap<Vec<u8>, Vec<String>> = BTreeMap::new();
    for (id, object) in &document.objects {
        let shown = format!("{object:?}");
        let dictionary = object.as_stream().map(|stream| &stream.dict).or_else(|_| object.as_dict());
        if let Ok(dictionary) = dictionary {
            let device =
                |key: &[u8]| dictionary.get(key).and_then(Object::as_name).ok() == Some(b"DeviceRGB");
            // As the alternate of an ICC profile it names no colour of the page.
            assert!(!device(b"ColorSpace") && !device(b"CS"), "{order}: {id:?} is DeviceRGB: {shown}");
            if let Ok(group) = dictionary.get(b"Group").and_then(Object::as_dict) {
                assert!(group.get(b"CS").is_ok(), "{order}: {id:?} is a group without a space");
            }
        }
        if let Object::Array(array) = object
            && let [Object::Name(kind), Object::Name(plate), ..] = array.as_slice()
            && kind == b"Separation"
        {
            separations.entry(plate.clone()).or_default().push(shown);
        }
    }
    assert!(separations.values().all(|all| all.len() == 1), "{order}: {separations:?}");
}
