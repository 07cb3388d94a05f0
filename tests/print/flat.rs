//! PDF/X-1a and PDF/X-3: pages without transparency print as the transparent ones do, and what
//! lies above the topmost transparent thing stays what it was.
//!
//! Over 400 lines: the scenes are written out, so that each test can be read by itself.
//!
//! Tools: `apt-get install ghostscript qpdf poppler-utils time`.

use crate::support::job;
use crate::support::judges::{peak_megabytes, qpdf_check, scratch, tool};
use crate::support::picture::{Bars, WHITE, compare};
use crate::support::shop::Shop;
use image::RgbImage;
use kurbo::{Affine, Insets, Rect, Shape, Size};
use lopdf::{Document, Object};
use presswork::asset::{Encoded, Limits, Picture};
use presswork::catalog::load_profile;
use presswork::color::Press;
use presswork::control::Control;
use presswork::pdf::{PdfOptions, PdfWriter, PrintRules};
use presswork::preflight::{Inspection, Wish};
use presswork::scene::*;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// A page's plates by Ghostscript at 300 dpi, as pictures on white. It paints every pixel that an
/// outline touches, so letters get fatter by half a pixel: painted finer, by less.
fn plates(pdf: &Path, page: u32) -> BTreeMap<String, RgbImage> {
    let folder = tempfile::tempdir().unwrap();
    let out = format!("-sOutputFile={}/page.tif", folder.path().display());
    let (first, last) = (format!("-dFirstPage={page}"), format!("-dLastPage={page}"));
    let device =
        ["-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-sDEVICE=tiffsep", "-r900", "-dDownScaleFactor=3"];
    tool("gs", [&device[..], &[&first, &last, &out, pdf.to_str().unwrap()]].concat());
    let mut plates = BTreeMap::new();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if let Some((_, plate)) = name.split_once('(') {
            plates.insert(plate.trim_end_matches(')').to_owned(), image::open(&path).unwrap().to_rgb8());
        }
    }
    plates
}

/// Both pages lie on the same plates, and look alike on each of them.
fn alike(name: &str, transparent: &Path, flat: &Path, page: u32) {
    let (expected, actual) = (plates(transparent, page), plates(flat, page));
    let names = |plates: &BTreeMap<String, RgbImage>| plates.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&expected), names(&actual), "{name}");
    let bars = Bars { layer: 0.99, tile: 0.85, shift: 8.0, bounds: 2 };
    for (plate, expected) in &expected {
        let found = compare(expected, &actual[plate], WHITE, &[]);
        println!("{name} {plate}: {found}");
        found.assert_alike(&format!("flat-{name}-{plate}"), &bars, expected, &actual[plate]);
    }
}

/// An order's PDF as its profile has it, and the same as PDF/X-4.
fn both(order: &str) -> (PathBuf, PathBuf) {
    let folder = scratch(&format!("flat-{order}-{}", std::process::id()));
    let profiles = folder.join("profiles");
    std::fs::create_dir_all(profiles.join("icc")).unwrap();
    let own = job::root().join("render-profiles");
    std::fs::copy(own.join("icc/FOGRA39L.icc"), profiles.join("icc/FOGRA39L.icc")).unwrap();
    let path = job::root().join(format!("fixtures/orders/{order}.json"));
    let profile = job::json(&path)["profile"].as_str().unwrap().to_owned();
    let text = std::fs::read_to_string(own.join(format!("{profile}.toml"))).unwrap();
    let transparent = text.replace("standard = \"x1a\"", "standard = \"x4\"");
    let transparent = transparent.replace("standard = \"x3\"", "standard = \"x4\"");
    assert_ne!(text, transparent);
    std::fs::write(profiles.join(format!("{profile}.toml")), transparent).unwrap();
    let (flat, x4) = (folder.join("flat"), folder.join("x4"));
    job::render_well([&path], &flat);
    let mut command = job::presswork();
    command.arg("render").arg(&path).arg("--out").arg(&x4).arg("--profiles").arg(&profiles);
    let said = crate::support::judges::run(&mut command);
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    let pdf = |out: &Path| job::artifacts(out, order, "pdf").remove(0).0;
    (pdf(&x4), pdf(&flat))
}

/// The images of a document: columns, rows and colour space, as poppler lists them.
fn images(pdf: &Path) -> Vec<(u32, u32, String)> {
    let text = tool("pdfimages", ["-list", pdf.to_str().unwrap()]);
    text.lines()
        .skip(2)
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .map(|w| (w[3].parse().unwrap(), w[4].parse().unwrap(), w[5].to_owned()))
        .collect()
}

/// How often each operator stands in a page's content.
fn operators(pdf: &Path, page: u32) -> BTreeMap<String, usize> {
    let document = Document::load(pdf).unwrap();
    let id = document.get_pages()[&page];
    let content = lopdf::content::Content::decode(&document.get_page_content(id)).unwrap();
    let mut counts = BTreeMap::new();
    for operation in content.operations {
        *counts.entry(operation.operator).or_insert(0) += 1;
    }
    counts
}

/// What every such file has to be, whoever looks.
fn is_well_formed(pdf: &Path, version: &str, profile: Option<&str>) {
    let bytes = std::fs::read(pdf).unwrap();
    assert!(bytes.starts_with(b"%PDF-1.4\n"), "{}", pdf.display());
    let has = |what: &str| bytes.windows(what.len()).any(|w| w == what.as_bytes());
    assert!(has(&format!("({version})")), "{}", pdf.display());
    for none in ["/OCG", "/OCProperties", "/Transparency", "/SMask", "/BM", "/ca ", "/CA ", "/ObjStm"] {
        assert!(!has(none), "{}: {none}", pdf.display());
    }
    qpdf_check(pdf);
    let mut wish = match profile {
        Some(name) => {
            let text = std::fs::read_to_string(job::root().join(format!("render-profiles/{name}.toml")));
            Wish::of(&load_profile(&text.unwrap()).unwrap())
        }
        None => Wish::default(),
    };
    wish.standard = match version {
        "PDF/X-1a:2003" => presswork::catalog::print::Standard::X1a,
        _ => presswork::catalog::print::Standard::X3,
    };
    let report = Inspection::new(&wish).inspect(std::fs::File::open(pdf).unwrap()).unwrap();
    assert_eq!(report.findings, [], "{}", pdf.display());
}

#[test]
fn an_advertisement_prints_as_its_transparent_file_does() {
    let (x4, x1a) = both("ad-x1a");
    is_well_formed(&x1a, "PDF/X-1a:2003", Some("ad-x1a"));
    alike("ad", &x4, &x1a, 1);
    // One picture of everything up to the panel: the page with its bleed, at 300 dpi.
    assert_eq!(images(&x1a), [(2315, 1535, "cmyk".to_owned())]);
    let counts = operators(&x1a, 1);
    assert_eq!(counts["Do"], 1);
    assert_eq!(counts["f"], 6, "headline, text, badge, price, code and its ground are outlines: {counts:?}");
    assert!(counts["c"] > 1000, "letters have curves: {counts:?}");
}

#[test]
fn a_flyer_without_transparency_is_not_touched() {
    let (x4, x3) = both("flyer-x3");
    is_well_formed(&x3, "PDF/X-3:2003", Some("flyer-x3"));
    for page in [1, 2] {
        alike("flyer", &x4, &x3, page);
        assert_eq!(operators(&x4, page), operators(&x3, page), "page {page}");
    }
    assert_eq!(images(&x4), images(&x3), "the photo and nothing else");
    assert_eq!(images(&x3).len(), 1);
}

fn rules(standard: &str, more: &str) -> PrintRules {
    let profile = format!(
        "schema = \"presswork.profile/1\"\ntitle = \"T\"\ndpi = 150\noutputs = [\"pdf\"]\n[color]\nspace = \"cmyk\"\n\
         condition = \"FOGRA39L\"\n{more}\n[pdf]\nstandard = \"{standard}\"\n\
         [spots.Gold]\nplate = \"Gold\"\nalternate = {{ cmyk = [0.2, 0.3, 0.8, 0.1] }}\n\
         [spots.Cut]\nplate = \"Cut\"\nalternate = {{ cmyk = [0, 1, 0, 0] }}\nlaid = \"overprint\"\norder = 3\n\
         [spots.Foil]\nplate = \"Foil\"\nalternate = {{ cmyk = [0, 0, 0, 0.4] }}\nlaid = \"knockout\"\norder = 5\n"
    );
    let icc = std::fs::read(job::root().join("render-profiles/icc/FOGRA39L.icc")).unwrap();
    let press = Arc::new(Press::open(icc.into(), Default::default(), true).unwrap());
    PrintRules::of(&load_profile(&profile).unwrap(), Some(&press)).unwrap()
}

/// A page of 60 × 40 mm with 3 mm of bleed.
fn write(nodes: Vec<Node>, standard: &str, to: &Path) -> PathBuf {
    let options = PdfOptions {
        dpi: Dpi::new(300.0),
        placement: Placement::default(),
        title: Some("Test".to_owned()),
        created: None,
        limits: Limits::default(),
        print: rules(standard, ""),
    };
    let surface = Surface {
        name: "front".into(),
        trim: Size::new(60.0, 40.0),
        bleed: Insets::uniform(3.0),
        safe: Insets::ZERO,
        garment: None,
        blend_space: BlendSpace::Process,
        nodes,
        layers: Vec::new(),
    };
    let mut writer = PdfWriter::new(Vec::new(), options).unwrap();
    writer.page(&surface, Control::NONE).unwrap();
    let path = to.join(format!("{standard}.pdf"));
    std::fs::write(&path, writer.finish().unwrap().0).unwrap();
    path
}

fn rect(x0: f64, y0: f64, x1: f64, y1: f64, ink: Ink, opacity: f32) -> Node {
    let fill = Some(Fill { paint: Paint::Solid(ink), opacity, rule: FillRule::NonZero });
    let path = Arc::new(Rect::new(x0, y0, x1, y1).to_path(0.1));
    Node::Path(Arc::new(PathNode { path, fill, stroke: None, stroke_first: false, overprint: false }))
}

fn cmyk(c: f32, m: f32, y: f32, k: f32) -> Ink {
    Ink::Process(Color::Cmyk([c, m, y, k]))
}

fn spot(plate: &str, tint: f32) -> Ink {
    Ink::Spot { name: plate.into(), tint, alternate: Color::BLACK }
}

fn group(group: Group) -> Node {
    Node::Group(Arc::new(group))
}

/// Exact inks, gold and black type under half-transparent and multiplied things, type above.
fn art() -> Vec<Node> {
    let type_at = |x: f64, y: f64| {
        let nodes = vec![rect(x, y, x + 12.0, y + 4.0, Ink::Process(Color::BLACK), 1.0)];
        group(Group { readable: true, nodes, ..Group::default() })
    };
    let multiplied = vec![rect(10.0, 5.0, 50.0, 12.0, cmyk(0.0, 0.0, 0.6, 0.1), 1.0)];
    vec![
        rect(-3.0, -3.0, 63.0, 43.0, cmyk(0.3, 0.1, 0.0, 0.0), 1.0),
        rect(5.0, 3.0, 30.0, 36.0, spot("Gold", 0.8), 1.0),
        type_at(20.0, 20.0),
        rect(24.0, 8.0, 44.0, 30.0, cmyk(0.0, 0.9, 0.2, 0.0), 0.5),
        group(Group { blend: Blend::Multiply, nodes: multiplied, ..Group::default() }),
        type_at(30.0, 32.0),
        rect(46.0, 26.0, 58.0, 38.0, spot("Gold", 1.0), 1.0),
    ]
}

#[test]
fn spots_beneath_transparency_keep_their_plates() {
    let folder = scratch(&format!("flat-spots-{}", std::process::id()));
    let nodes =
        vec![group(Group { transform: Affine::translate((0.0, 0.5)), nodes: art(), ..Group::default() })];
    let (x4, x1a) = (write(nodes.clone(), "x4", &folder), write(nodes, "x1a", &folder));
    is_well_formed(&x1a, "PDF/X-1a:2003", None);
    alike("spots", &x4, &x1a, 1);
    let spaces: Vec<String> = images(&x1a).into_iter().map(|image| image.2).collect();
    assert_eq!(spaces, ["cmyk", "sep"], "the process inks, and gold");
    // Type and gold above the group stay outlines.
    assert_eq!(operators(&x1a, 1).get("f"), Some(&2));
}

#[test]
fn a_plate_that_overprints_is_flattened_by_itself() {
    let folder = scratch(&format!("flat-overprint-{}", std::process::id()));
    let mut nodes = vec![rect(-3.0, -3.0, 63.0, 43.0, cmyk(0.3, 0.1, 0.0, 0.0), 1.0)];
    nodes.push(rect(10.0, 10.0, 30.0, 30.0, spot("Cut", 1.0), 0.5));
    nodes.push(rect(35.0, 10.0, 50.0, 30.0, spot("Cut", 1.0), 1.0));
    let x1a = write(nodes, "x1a", &folder);
    is_well_formed(&x1a, "PDF/X-1a:2003", None);
    assert_eq!(images(&x1a).into_iter().map(|i| i.2).collect::<Vec<_>>(), ["sep"], "the art stays vectors");
    let plates = plates(&x1a, 1);
    let at = |plate: &str, x: f64, y: f64| {
        let px = |mm: f64| ((mm + 3.0) / 25.4 * 300.0) as u32;
        255 - plates[plate].get_pixel(px(x), px(y))[0]
    };
    assert!(
        at("Cut", 20.0, 20.0).abs_diff(128) <= 2
            && at("Cut", 40.0, 20.0) == 255
            && at("Cut", 55.0, 20.0) == 0
    );
    for (x, y) in [(20.0, 20.0), (40.0, 20.0), (55.0, 20.0)] {
        assert!(at("Cyan", x, y).abs_diff(77) <= 2, "cyan beneath at {x}, {y}: {}", at("Cyan", x, y));
    }
}

#[test]
fn a_plate_that_knocks_out_takes_everything_beneath_along() {
    let folder = scratch(&format!("flat-knockout-{}", std::process::id()));
    let nodes = vec![
        rect(-3.0, -3.0, 63.0, 43.0, cmyk(0.4, 0.0, 0.0, 0.0), 1.0),
        rect(10.0, 10.0, 40.0, 30.0, spot("Cut", 1.0), 1.0),
        rect(20.0, 5.0, 50.0, 25.0, spot("Foil", 1.0), 0.5),
    ];
    let (x4, x1a) = (write(nodes.clone(), "x4", &folder), write(nodes, "x1a", &folder));
    is_well_formed(&x1a, "PDF/X-1a:2003", None);
    alike("knockout", &x4, &x1a, 1);
    let spaces: Vec<String> = images(&x1a).into_iter().map(|image| image.2).collect();
    assert_eq!(spaces, ["cmyk", "sep", "sep"]);
}

/// A PNG with an alpha channel that is full, or not.
fn png(alpha: u8) -> Node {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 20, 20);
    encoder.set_color(png::ColorType::Rgba);
    let pixels: Vec<u8> = (0..400).flat_map(|i| [200, 40, (i % 20) as u8 * 9, alpha]).collect();
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    let picture = Picture::probe(Encoded::from(bytes), &Limits::default()).unwrap();
    Node::Image(Arc::new(ImageNode {
        picture: Arc::new(picture),
        crop: Rect::new(0.0, 0.0, 1.0, 1.0),
        transform: Affine::new([10.0, 0.0, 0.0, 10.0, 5.0, 5.0]),
        adjust: Vec::new(),
        matte: None,
        pixelated: false,
    }))
}

#[test]
fn nothing_is_made_an_image_that_need_not_be() {
    let folder = scratch(&format!("flat-opaque-{}", std::process::id()));
    let ground = || rect(-3.0, -3.0, 63.0, 43.0, cmyk(0.3, 0.1, 0.0, 0.0), 1.0);
    let half = |x: f64| rect(x, 5.0, x + 10.0, 15.0, cmyk(0.0, 1.0, 0.0, 0.0), 0.5);
    let pictures = |nodes: Vec<Node>| {
        let pdf = write(nodes, "x1a", &folder);
        is_well_formed(&pdf, "PDF/X-1a:2003", None);
        images(&pdf).len()
    };
    let isolated = Group { isolated: true, nodes: vec![ground()], ..Group::default() };
    let unseen = Group { opacity: 0.0, nodes: vec![half(5.0)], ..Group::default() };
    assert_eq!(pictures(vec![ground(), rect(5.0, 5.0, 20.0, 20.0, spot("Gold", 1.0), 1.0)]), 0);
    assert_eq!(pictures(vec![group(isolated)]), 0, "opaque things may as well be isolated");
    assert_eq!(pictures(vec![ground(), group(unseen)]), 0, "what is not seen");
    assert_eq!(pictures(vec![ground(), half(70.0)]), 0, "what lies beside the page");
    assert_eq!(pictures(vec![ground(), png(255)]), 1, "the picture itself");
    // The picture's holes are filled with what lies beneath: one image of the page.
    assert_eq!(pictures(vec![ground(), png(128)]), 1);
    assert_eq!(images(&folder.join("x1a.pdf"))[0].0, 780);
    assert_eq!(pictures(vec![ground(), half(5.0)]), 1);
}

#[test]
fn clips_and_order_hold_where_a_group_is_parted() {
    let folder = scratch(&format!("flat-clips-{}", std::process::id()));
    let clip = Clip {
        paths: vec![(Arc::new(kurbo::Circle::new((30.0, 20.0), 15.0).to_path(0.01)), FillRule::NonZero)],
    };
    let inner = Group {
        transform: Affine::rotate_about(0.3, (30.0, 20.0)),
        clips: vec![clip],
        nodes: vec![
            rect(5.0, 5.0, 55.0, 35.0, cmyk(0.0, 0.3, 0.9, 0.0), 1.0),
            rect(20.0, 5.0, 55.0, 35.0, cmyk(0.8, 0.0, 0.0, 0.0), 0.4),
            rect(28.0, 0.0, 34.0, 40.0, cmyk(0.0, 0.0, 0.0, 0.9), 1.0),
        ],
        ..Group::default()
    };
    let nodes = vec![rect(-3.0, -3.0, 63.0, 43.0, cmyk(0.1, 0.0, 0.0, 0.0), 1.0), group(inner)];
    let (x4, x3) = (write(nodes.clone(), "x4", &folder), write(nodes, "x3", &folder));
    is_well_formed(&x3, "PDF/X-3:2003", None);
    alike("clips", &x4, &x3, 1);
    assert_eq!(operators(&x3, 1).get("f"), Some(&1), "the bar above stays");
}

#[test]
fn profiles_that_ask_for_the_impossible_are_refused() {
    let profile = |color: &str, standard: &str, laid: &str| {
        let text = format!(
            "schema = \"presswork.profile/1\"\ntitle = \"T\"\ndpi = 300\noutputs = [\"pdf\"]\n[color]\n{color}\n\
             [pdf]\nstandard = \"{standard}\"\n[spots.White]\nplate = \"White\"\nalternate = \"#ffffff\"\n\
             step = \"white\"\nlaid = \"{laid}\"\n"
        );
        let refused = load_profile(&text).err().map(|v| v.0).unwrap_or_default();
        refused.into_iter().filter_map(|v| v.pointer).collect::<Vec<_>>()
    };
    let press = "space = \"cmyk\"\ncondition = \"FOGRA39L\"";
    let tagged = format!("{press}\nrgb = \"tagged\"");
    for standard in ["x1a", "x3"] {
        assert_eq!(profile(press, standard, "overprint"), [""; 0]);
        assert_eq!(profile(press, standard, "multiply"), ["/spots/White/laid"]);
        assert_eq!(profile("space = \"srgb\"", standard, "overprint"), ["/pdf/standard"]);
    }
    assert_eq!(profile(&tagged, "x1a", "overprint"), ["/color/rgb"]);
    assert_eq!(profile(&tagged, "x3", "overprint"), [""; 0]);
    assert_eq!(profile(press, "x4", "multiply"), [""; 0]);
}

#[test]
fn tagged_colours_stay_tagged_above_in_x3() {
    let shop = Shop::new("flat-tagged");
    let profile = "schema = \"presswork.profile/1\"\ntitle = \"T\"\ndpi = 150\noutputs = [\"pdf\"]\n[color]\n\
                   space = \"cmyk\"\ncondition = \"FOGRA39L\"\nrgb = \"tagged\"\n[pdf]\nstandard = \"x3\"\n";
    shop.write("profiles/plain.toml", profile.as_bytes());
    let icc = std::fs::read(job::root().join("render-profiles/icc/FOGRA39L.icc")).unwrap();
    shop.write("profiles/icc/FOGRA39L.icc", &icc);
    let shape = |id: &str, x: f64, fill: &str, opacity: f64| {
        json!({ "id": id, "box": { "x": x, "y": 5, "width": 30, "height": 30 }, "opacity": opacity,
                "shape": { "shape": { "rect": {} }, "fill": fill } })
    };
    let layers = json!([
        shape("a", 0.0, "#c03020", 1.0),
        shape("b", 15.0, "#2030c0", 0.5),
        shape("c", 40.0, "#20a040", 1.0)
    ]);
    shop.template("page", json!({}), json!([crate::support::shop::surface("front", (80.0, 40.0), layers)]));
    let order = shop.order("one", "page", json!({}));
    let (_, events) = shop.render(&[order], &shop.folder.join("out"));
    assert_eq!(events[0]["type"], "presswork.render.completed", "{events:?}");
    let pdf = job::artifacts(&shop.folder.join("out"), "one", "pdf").remove(0).0;
    is_well_formed(&pdf, "PDF/X-3:2003", None);
    assert_eq!(images(&pdf)[0].2, "cmyk");
    let document = Document::load(&pdf).unwrap();
    let tagged = document.objects.values().filter_map(|o| o.as_array().ok());
    let tagged = tagged.filter(|a| a.first().is_some_and(|n| *n == Object::Name(b"ICCBased".to_vec())));
    assert_eq!(tagged.count(), 1, "the green square above");
}

#[test]
fn memory_does_not_grow_with_the_sheet() {
    let peak = |name: &str, height: f64| {
        let shop = Shop::new(&format!("flat-memory-{name}"));
        let profile = "schema = \"presswork.profile/1\"\ntitle = \"T\"\ndpi = 150\noutputs = [\"pdf\"]\n[color]\n\
                       space = \"cmyk\"\ncondition = \"FOGRA39L\"\n[pdf]\nstandard = \"x1a\"\n";
        shop.write("profiles/plain.toml", profile.as_bytes());
        let icc = std::fs::read(job::root().join("render-profiles/icc/FOGRA39L.icc")).unwrap();
        shop.write("profiles/icc/FOGRA39L.icc", &icc);
        let whole = json!({ "x": 0, "y": 0, "width": "width", "height": "height" });
        let stops = json!([{ "at": 0, "color": "#204080" }, { "at": 1, "color": "#e0c040" }]);
        let layers = json!([
            { "id": "ground", "box": whole, "shape": { "shape": { "rect": {} }, "fill": { "linear": { "angle": 37, "stops": stops } } } },
            { "id": "veil", "box": whole, "opacity": 0.4, "shape": { "shape": { "ellipse": {} }, "fill": "#ffffff" } },
        ]);
        shop.template(
            "page",
            json!({}),
            json!([crate::support::shop::surface("front", (300.0, height), layers)]),
        );
        let order = shop.order("one", "page", json!({}));
        let mut command: Command = shop.command(&[order], &shop.folder.join("out"));
        command.env("RAYON_NUM_THREADS", "2");
        let (megabytes, said) = peak_megabytes(&command);
        assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
        let pdf = job::artifacts(&shop.folder.join("out"), "one", "pdf").remove(0).0;
        println!("{name}: {megabytes:.1} MB, {} bytes", std::fs::metadata(&pdf).unwrap().len());
        megabytes
    };
    // 3 and 21 megapixels: 12 and 84 MB of ink.
    let (sheet, roll) = (peak("sheet", 300.0), peak("roll", 2000.0));
    assert!(roll < sheet + 15.0, "a sheet takes {sheet:.1} MB, seven times as long {roll:.1} MB");
}
