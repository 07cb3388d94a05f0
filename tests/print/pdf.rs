//! PDFs as foreign programs see them: boxes, syntax, colours and shapes.
//!
//! Tools: `apt-get install qpdf poppler-utils mupdf-tools ghostscript`.
//!
//! More than 400 lines: one small scene after another, each with its judges.

use crate::support::judges::{exiftool, picture_data, tool};
use kurbo::{Affine, BezPath, Circle, Insets, Point, Rect, Shape, Size};
use presswork::asset::{Limits, Picture};
use presswork::control::Control;
use presswork::pdf::{PdfOptions, PdfSummary, PdfWriter, PrintRules};
use presswork::scene::*;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

const INSTALL: &str = "apt-get install qpdf poppler-utils mupdf-tools ghostscript";

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; {INSTALL}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {text}{complaint}");
    text
}

fn options() -> PdfOptions {
    PdfOptions {
        dpi: Dpi::new(300.0),
        placement: Placement::default(),
        title: Some("Mug & <Zoë>".to_owned()),
        created: None,
        limits: Limits::default(),
        print: PrintRules::default(),
    }
}

fn surface(nodes: Vec<Node>) -> Surface {
    Surface {
        name: "front".into(),
        trim: Size::new(90.0, 60.0),
        bleed: Insets::uniform(3.0),
        safe: Insets::uniform(5.0),
        garment: None,
        blend_space: BlendSpace::Srgb,
        nodes,
        layers: Vec::new(),
    }
}

fn write(surfaces: &[Surface], options: PdfOptions) -> (Vec<u8>, PdfSummary) {
    let mut writer = PdfWriter::new(Vec::new(), options).unwrap();
    for surface in surfaces {
        writer.page(surface, Control::NONE).unwrap();
    }
    writer.finish().unwrap()
}

fn save(folder: &Path, bytes: &[u8]) -> String {
    let path = folder.join("test.pdf");
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The first page by Ghostscript, MuPDF and cairo: name, columns, RGB bytes.
fn renderings(folder: &Path, pdf: &str, dpi: u32) -> Vec<(&'static str, u32, Vec<u8>)> {
    let out = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (gs, mu, cairo) = (out("gs.png"), out("mu.png"), out("cairo"));
    let density = dpi.to_string();
    let (gs_density, gs_out) = (format!("-r{dpi}"), format!("-sOutputFile={gs}"));
    let gs_device = ["-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-sDEVICE=png16m", "-dGraphicsAlphaBits=4"];
    run("gs", &[gs_device.as_slice(), &[&gs_density, &gs_out, pdf]].concat());
    run("mutool", &["draw", "-q", "-c", "rgb", "-r", &density, "-o", &mu, pdf, "1"]);
    run("pdftocairo", &["-png", "-singlefile", "-r", &density, pdf, &cairo]);
    [("gs", PathBuf::from(gs)), ("mutool", PathBuf::from(mu)), ("cairo", folder.join("cairo.png"))]
        .into_iter()
        .map(|(name, path)| {
            let picture = image::open(&path).unwrap().to_rgb8();
            (name, picture.width(), picture.into_raw())
        })
        .collect()
}

struct Renderings {
    all: Vec<(&'static str, u32, Vec<u8>)>,
    dpi: f64,
}

impl Renderings {
    fn of(nodes: Vec<Node>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (bytes, _) = write(&[surface(nodes)], options());
        let pdf = save(folder.path(), &bytes);
        run("qpdf", &["--check", &pdf]);
        Renderings { all: renderings(folder.path(), &pdf, 150), dpi: 150.0 }
    }

    /// Every renderer shows this colour at a place in millimetres of the trim box.
    #[track_caller]
    fn shows(&self, x: f64, y: f64, want: [u8; 3], tolerance: u8) {
        for (name, width, data) in &self.all {
            let px = |mm: f64| ((mm + 3.0) / 25.4 * self.dpi) as usize;
            let at = (px(y) * *width as usize + px(x)) * 3;
            let got = &data[at..at + 3];
            let off = got.iter().zip(want).map(|(a, b)| a.abs_diff(b)).max().unwrap();
            assert!(off <= tolerance, "{name} at {x},{y}: {got:?}, not {want:?}");
        }
    }
}

fn count(bytes: &[u8], what: &str) -> usize {
    bytes.windows(what.len()).filter(|w| *w == what.as_bytes()).count()
}

fn rect(x0: f64, y0: f64, x1: f64, y1: f64) -> Arc<BezPath> {
    Arc::new(Rect::new(x0, y0, x1, y1).to_path(0.1))
}

fn filled(path: Arc<BezPath>, paint: Paint, opacity: f32) -> Node {
    let fill = Some(Fill { paint, opacity, rule: FillRule::NonZero });
    Node::Path(Arc::new(PathNode { path, fill, stroke: None, stroke_first: false, overprint: false }))
}

fn solid(r: u8, g: u8, b: u8) -> Paint {
    Paint::Solid(Color::rgb8(r, g, b).into())
}

fn group(group: Group) -> Node {
    Node::Group(Arc::new(group))
}

fn stops(transform: Affine, spread: Spread, stops: &[(f32, [u8; 3], f32)]) -> Stops {
    let stop = |(o, [r, g, b], a): &(f32, [u8; 3], f32)| (*o, Color::rgb8(*r, *g, *b).into(), *a);
    Stops { stops: stops.iter().map(stop).collect(), spread, transform }
}

#[test]
fn boxes_are_exact_and_the_document_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let red = filled(rect(0.0, 0.0, 9.0, 9.0), solid(255, 0, 0), 1.0);
    let (bytes, summary) = write(&[surface(vec![red])], options());
    assert!(bytes.starts_with(b"%PDF-1.7\n"));
    assert_eq!(summary.bytes, bytes.len() as u64);
    assert_eq!(summary.pages[0].trim, Rect::new(3.0, 3.0, 93.0, 63.0));
    let pdf = save(folder.path(), &bytes);
    run("qpdf", &["--check", &pdf]);
    let text = run("pdfinfo", &["-box", &pdf]);
    for line in [
        "Title:           Mug & <Zoë>",
        "MediaBox:            0.00     0.00   272.13   187.09",
        "BleedBox:            0.00     0.00   272.13   187.09",
        "TrimBox:             8.50     8.50   263.62   178.58",
        "PDF version:     1.7",
    ] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
    assert!(run("pdfinfo", &["-meta", &pdf]).contains("Mug &amp; &lt;Zoë&gt;"));
}

#[test]
fn solid_colours_and_opacity_are_right_in_every_renderer() {
    let spot = Ink::Spot { name: "CutContour".into(), tint: 0.5, alternate: Color::rgb8(200, 0, 100) };
    let process = Ink::Process(Color::Cmyk([0.0, 1.0, 0.0, 0.5]));
    let pages = Renderings::of(vec![
        filled(rect(-3.0, -3.0, 93.0, 20.0), solid(10, 200, 90), 1.0),
        filled(rect(0.0, 30.0, 20.0, 50.0), solid(255, 0, 0), 0.5),
        filled(rect(30.0, 30.0, 50.0, 50.0), Paint::Solid(spot), 1.0),
        filled(rect(60.0, 30.0, 80.0, 50.0), Paint::Solid(process), 1.0),
    ]);
    pages.shows(-2.0, -2.0, [10, 200, 90], 2);
    pages.shows(10.0, 40.0, [255, 128, 128], 2);
    pages.shows(40.0, 40.0, [228, 128, 178], 2);
    pages.shows(70.0, 40.0, [128, 0, 128], 2);
    pages.shows(55.0, 40.0, [255, 255, 255], 0);
}

#[test]
fn gradients_follow_their_stops_wherever_they_stand() {
    let line = |transform, spread, list: &[_]| {
        let stops = stops(transform, spread, list);
        Paint::Linear(Arc::new(LinearGradient { start: Point::ZERO, end: Point::new(10.0, 0.0), stops }))
    };
    let two = [(0.0, [255, 0, 0], 1.0), (1.0, [0, 0, 255], 1.0)];
    let hard = [(0.5, [255, 255, 0], 1.0), (0.5, [0, 128, 0], 1.0)];
    let clear = [(0.0, [0, 0, 0], 1.0), (1.0, [0, 0, 0], 0.0)];
    let round = Paint::Radial(Arc::new(RadialGradient {
        center: Point::ZERO,
        radius: 5.0,
        focus: Point::ZERO,
        focus_radius: 0.0,
        stops: stops(Affine::translate((40.0, 45.0)), Spread::Repeat, &two),
    }));
    let at = |x| Affine::translate((x, 0.0));
    let inner = filled(rect(0.0, 0.0, 10.0, 10.0), line(Affine::IDENTITY, Spread::Pad, &two), 1.0);
    let pages = Renderings::of(vec![
        filled(rect(0.0, 0.0, 20.0, 10.0), line(Affine::scale_non_uniform(2.0, 1.0), Spread::Pad, &two), 1.0),
        filled(rect(25.0, 0.0, 45.0, 10.0), line(at(25.0), Spread::Reflect, &two), 1.0),
        filled(rect(50.0, 0.0, 60.0, 10.0), line(at(50.0), Spread::Pad, &hard), 1.0),
        filled(rect(65.0, 0.0, 85.0, 10.0), line(at(65.0), Spread::Pad, &clear), 1.0),
        filled(rect(30.0, 35.0, 50.0, 55.0), round, 1.0),
        // Inside a transparency group that is moved and scaled.
        group(Group {
            transform: Affine::translate((0.0, 20.0)) * Affine::scale(2.0),
            opacity: 0.5,
            nodes: vec![inner],
            ..Group::default()
        }),
    ]);
    pages.shows(10.0, 5.0, [128, 0, 128], 4);
    pages.shows(27.5, 5.0, [191, 0, 64], 8);
    pages.shows(42.5, 5.0, [191, 0, 64], 8);
    pages.shows(54.0, 5.0, [255, 255, 0], 2);
    pages.shows(56.0, 5.0, [0, 128, 0], 2);
    pages.shows(70.0, 5.0, [128, 128, 128], 4);
    pages.shows(80.0, 5.0, [255, 255, 255], 2);
    pages.shows(42.5, 45.0, [128, 0, 128], 10);
    pages.shows(47.5, 45.0, [128, 0, 128], 10);
    pages.shows(10.0, 30.0, [191, 128, 191], 4);
}

#[test]
fn groups_clips_masks_and_blend_modes_agree() {
    let circle = |x, y, r| Circle::new((x, y), r).to_path(0.01);
    let all = |r, g, b, a| filled(rect(0.0, 0.0, 100.0, 100.0), solid(r, g, b), a);
    let red = all(255, 0, 0, 1.0);
    let clip = |paths| Group { clips: vec![Clip { paths }], nodes: vec![red.clone()], ..Group::default() };
    let masked = |kind, node: &Node, x: f64| Group {
        transform: Affine::translate((x, 40.0)),
        clips: vec![Clip { paths: vec![(rect(0.0, 0.0, 15.0, 15.0), FillRule::NonZero)] }],
        mask: Some(Mask { kind, nodes: vec![node.clone()] }),
        nodes: vec![red.clone()],
        ..Group::default()
    };
    let blended = |blend, x: f64| Group {
        blend,
        nodes: vec![filled(rect(x, 20.0, x + 10.0, 30.0), solid(200, 100, 50), 1.0)],
        ..Group::default()
    };
    let pages = Renderings::of(vec![
        group(clip(vec![(Arc::new(circle(8.0, 8.0, 8.0)), FillRule::NonZero)])),
        // Two circles that overlap, one of them wound the other way: still a union.
        group(clip(vec![
            (Arc::new(circle(30.0, 8.0, 8.0)), FillRule::NonZero),
            (Arc::new(circle(36.0, 8.0, 8.0).reverse_subpaths()), FillRule::EvenOdd),
        ])),
        filled(rect(0.0, 20.0, 90.0, 30.0), solid(100, 150, 200), 1.0),
        group(blended(Blend::Multiply, 0.0)),
        group(blended(Blend::Screen, 15.0)),
        group(blended(Blend::Difference, 30.0)),
        group(blended(Blend::Darken, 45.0)),
        group(blended(Blend::Luminosity, 60.0)),
        group(masked(MaskKind::Luminosity, &all(255, 255, 255, 1.0), 0.0)),
        group(masked(MaskKind::Luminosity, &all(0, 255, 0, 1.0), 20.0)),
        group(masked(MaskKind::Alpha, &all(0, 0, 0, 0.25), 40.0)),
    ]);
    pages.shows(8.0, 8.0, [255, 0, 0], 2);
    pages.shows(1.0, 1.0, [255, 255, 255], 0);
    pages.shows(33.0, 8.0, [255, 0, 0], 2);
    pages.shows(25.0, 8.0, [255, 0, 0], 2);
    pages.shows(5.0, 25.0, [78, 59, 39], 2);
    pages.shows(20.0, 25.0, [222, 191, 211], 2);
    pages.shows(35.0, 25.0, [100, 50, 150], 2);
    pages.shows(50.0, 25.0, [100, 100, 50], 2);
    pages.shows(65.0, 25.0, [84, 134, 184], 2);
    pages.shows(7.0, 47.0, [255, 0, 0], 2);
    pages.shows(27.0, 47.0, [255, 73, 73], 3);
    pages.shows(47.0, 47.0, [255, 191, 191], 3);
}

#[test]
fn patterns_reuse_one_form_and_tilings_repeat() {
    let cell = Arc::new(Group {
        nodes: vec![filled(rect(0.0, 0.0, 4.0, 4.0), solid(0, 0, 255), 1.0)],
        ..Group::default()
    });
    let instances: Vec<Affine> = (0..8).map(|i| Affine::translate((f64::from(i) * 10.0, 2.0))).collect();
    let pattern = PatternNode { cell, bounds: Rect::new(0.0, 0.0, 4.0, 4.0), instances };
    let tile =
        Group { nodes: vec![filled(rect(0.0, 0.0, 5.0, 10.0), solid(255, 0, 0), 1.0)], ..Group::default() };
    let tiling = Tiling {
        cell: Rect::new(0.0, 0.0, 10.0, 10.0),
        transform: Affine::translate((0.0, 20.0)) * Affine::scale(0.5),
        group: Arc::new(tile),
    };
    let nodes = vec![
        Node::Pattern(Arc::new(pattern)),
        group(Group {
            transform: Affine::translate((10.0, 0.0)),
            nodes: vec![filled(rect(0.0, 20.0, 50.0, 40.0), Paint::Tiling(Arc::new(tiling)), 1.0)],
            ..Group::default()
        }),
    ];
    let (bytes, _) = write(&[surface(nodes.clone())], options());
    assert_eq!(count(&bytes, "/Subtype /Form"), 1);
    let pages = Renderings::of(nodes);
    pages.shows(2.0, 4.0, [0, 0, 255], 2);
    pages.shows(72.0, 4.0, [0, 0, 255], 2);
    pages.shows(7.0, 4.0, [255, 255, 255], 0);
    pages.shows(11.2, 32.0, [255, 0, 0], 2);
    // No hairline where the art meets itself across the cells' edges.
    for y in 0..100 {
        pages.shows(11.2, 20.5 + f64::from(y) * 0.17, [255, 0, 0], 2);
    }
    pages.shows(13.7, 30.0, [255, 255, 255], 2);
    pages.shows(51.2, 32.0, [255, 0, 0], 2);
}

#[test]
fn strokes_keep_width_dashes_and_order() {
    let line = |x0: f64, x1: f64| {
        BezPath::from_vec(vec![
            kurbo::PathEl::MoveTo((x0, 10.0).into()),
            kurbo::PathEl::LineTo((x1, 10.0).into()),
        ])
    };
    let stroke = |style: kurbo::Stroke, path: BezPath, stroke_first| {
        Node::Path(Arc::new(PathNode {
            path: Arc::new(path),
            fill: Some(Fill { paint: solid(255, 255, 0), opacity: 1.0, rule: FillRule::NonZero }),
            stroke: Some(Stroke { paint: solid(0, 0, 0), opacity: 1.0, style }),
            stroke_first,
            overprint: false,
        }))
    };
    let dashed = kurbo::Stroke::new(4.0).with_caps(kurbo::Cap::Butt).with_dashes(-5.0, [10.0, 5.0]);
    let uneven = kurbo::Stroke::new(6.0).with_start_cap(kurbo::Cap::Butt).with_end_cap(kurbo::Cap::Square);
    let square = |x: f64| Rect::new(x, 30.0, x + 20.0, 50.0).to_path(0.1);
    let pages = Renderings::of(vec![
        stroke(dashed, line(5.0, 45.0), false),
        stroke(uneven, line(55.0, 75.0), false),
        stroke(kurbo::Stroke::new(4.0), square(10.0), false),
        stroke(kurbo::Stroke::new(4.0), square(40.0), true),
    ]);
    pages.shows(8.0, 11.0, [255, 255, 255], 0);
    pages.shows(12.0, 11.0, [0, 0, 0], 1);
    pages.shows(22.0, 11.0, [255, 255, 255], 0);
    pages.shows(54.0, 10.0, [255, 255, 255], 0);
    pages.shows(77.0, 10.0, [0, 0, 0], 1);
    pages.shows(11.0, 40.0, [0, 0, 0], 1);
    pages.shows(41.0, 40.0, [255, 255, 0], 1);
    pages.shows(39.0, 40.0, [0, 0, 0], 1);
}

#[test]
fn mirrored_and_turned_pages_carry_their_boxes() {
    let mut placed = options();
    placed.placement = Placement { scale: (1.0, 1.0), mirror: true, quarter_turns: 1 };
    let mut lopsided = surface(vec![filled(rect(0.0, 0.0, 10.0, 10.0), solid(255, 0, 0), 1.0)]);
    lopsided.bleed = Insets::new(1.0, 2.0, 3.0, 4.0);
    let (bytes, summary) = write(&[lopsided], placed);
    assert_eq!(summary.pages[0].media, Rect::new(0.0, 0.0, 66.0, 94.0));
    // Mirrored, the trim's left edge is at the right; a clockwise turn brings it to the bottom.
    assert_eq!(summary.pages[0].trim, Rect::new(4.0, 1.0, 64.0, 91.0));
    let folder = tempfile::tempdir().unwrap();
    let pdf = save(folder.path(), &bytes);
    run("qpdf", &["--check", &pdf]);
    for (name, width, data) in renderings(folder.path(), &pdf, 72) {
        // The art's top left corner is at the right edge, at the bottom.
        let (x, y) = ((66.0 - 2.0 - 5.0) / 25.4 * 72.0, (94.0 - 1.0 - 5.0) / 25.4 * 72.0);
        let at = (y as usize * width as usize + x as usize) * 3;
        assert_eq!(&data[at..at + 3], [255, 0, 0], "{name}");
    }
}

#[test]
fn the_same_surfaces_give_the_same_bytes_and_share_what_is_equal() {
    let nodes = vec![group(Group {
        opacity: 0.5,
        nodes: vec![filled(rect(1.0, 1.0, 9.0, 9.0), solid(1, 2, 3), 1.0)],
        ..Group::default()
    })];
    let pages = vec![surface(nodes); 3];
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| write(&pages, options()).0)
    };
    let (one, two) = (with(1), with(2));
    assert_eq!(one, two);
    assert_eq!(count(&one, "/Subtype /Form"), 1);
    assert_eq!(count(&one, "/MediaBox "), 3);
}

/// A JPEG of 400 by 200 pixels: red, green, blue and yellow quarters on a ramp, by Ghostscript.
fn jpeg(folder: &Path) -> Vec<u8> {
    let mut source = surface(vec![
        filled(rect(0.0, 0.0, 40.0, 20.0), solid(220, 30, 30), 1.0),
        filled(rect(40.0, 0.0, 80.0, 20.0), solid(30, 200, 30), 1.0),
        filled(rect(0.0, 20.0, 40.0, 40.0), solid(30, 30, 220), 1.0),
        filled(rect(40.0, 20.0, 80.0, 40.0), solid(230, 230, 30), 1.0),
    ]);
    (source.trim, source.bleed) = (Size::new(80.0, 40.0), Insets::ZERO);
    let pdf = save(folder, &write(&[source], options()).0);
    let path = folder.join("source.jpg");
    let out = format!("-sOutputFile={}", path.display());
    run("gs", &["-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-sDEVICE=jpeg", "-dJPEGQ=95", "-r127", &out, &pdf]);
    std::fs::read(path).unwrap()
}

/// The same with an EXIF orientation.
fn oriented(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    let length = (exif.len() + 2) as u16;
    [&jpeg[..2], &[0xFF, 0xE1], &length.to_be_bytes(), &exif, &jpeg[2..]].concat()
}

fn picture(bytes: Vec<u8>) -> Arc<Picture> {
    Arc::new(Picture::probe(bytes.into(), &Limits::default()).unwrap())
}

fn placed(picture: &Arc<Picture>, crop: Rect, place: Rect) -> ImageNode {
    ImageNode {
        picture: picture.clone(),
        crop,
        transform: Affine::translate(place.origin().to_vec2())
            * Affine::scale_non_uniform(place.width(), place.height()),
        adjust: Vec::new(),
        matte: None,
        pixelated: false,
    }
}

const WHOLE: Rect = Rect::new(0.0, 0.0, 1.0, 1.0);

#[test]
fn a_jpeg_passes_through_untouched_and_upright() {
    let folder = tempfile::tempdir().unwrap();
    let source = jpeg(folder.path());
    let parts = picture_data(&source);
    for (what, marker) in [("DQT", 0xDB), ("SOF0", 0xC0), ("DHT", 0xC4), ("SOS", 0xDA)] {
        assert!(parts.iter().any(|(found, _)| *found == marker), "the source has {what}");
    }
    // Where the stored picture's red quarter stands when it is upright, for each orientation.
    let corners = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0), (1, 0), (1, 1), (0, 1)];
    let mut nodes = Vec::new();
    for orientation in 1..=8u8 {
        let picture = picture(oriented(&source, orientation));
        let x = f64::from((orientation - 1) % 4) * 22.0;
        let y = f64::from((orientation - 1) / 4) * 25.0;
        nodes.push(Node::Image(Arc::new(placed(&picture, WHOLE, Rect::new(x, y, x + 20.0, y + 20.0)))));
    }
    let (bytes, _) = write(&[surface(nodes.clone())], options());
    // The metadata is dropped, so that all eight are one object.
    assert_eq!(count(&bytes, "/DCTDecode"), 1);
    let pdf = save(folder.path(), &bytes);
    run("pdfimages", &["-all", &pdf, folder.path().join("out").to_str().unwrap()]);
    let back = std::fs::read(folder.path().join("out-000.jpg")).unwrap();
    assert!(picture_data(&back) == parts, "tables, frame or scan changed");
    assert!(!back.windows(2).any(|w| w == [0xFF, 0xE1]), "EXIF is left out");
    let pages = Renderings::of(nodes);
    for (i, (right, low)) in corners.into_iter().enumerate() {
        let x = (i % 4) as f64 * 22.0 + 5.0 + f64::from(right) * 10.0;
        let y = (i / 4) as f64 * 25.0 + 5.0 + f64::from(low) * 10.0;
        pages.shows(x, y, [220, 30, 30], 6);
    }
    // Turned by a quarter, the green quarter follows clockwise.
    pages.shows(22.0 + 15.0, 25.0 + 15.0, [30, 200, 30], 6);
}

#[test]
fn a_photos_place_and_camera_stay_out_of_the_document() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("camera.jpg");
    std::fs::write(&path, jpeg(folder.path())).unwrap();
    let tags = ["-GPSLatitude=54.1", "-GPSLatitudeRef=N", "-GPSLongitude=13.4", "-GPSLongitudeRef=E"];
    let said = ["-XMP-dc:Creator=Somebody", "-Make=Camera", "-Comment=at home", "-overwrite_original", "-q"];
    tool("exiftool", [&tags[..], &said, &[path.to_str().unwrap()]].concat());
    let told = |file: &Path| {
        let all = exiftool(file);
        let all = all.as_object().unwrap();
        ["GPSLatitude", "Creator", "Make", "Comment"].map(|tag| all.contains_key(tag))
    };
    assert_eq!(told(&path), [true; 4], "the photo tells");
    let source = std::fs::read(&path).unwrap();
    let node = placed(&picture(source.clone()), WHOLE, Rect::new(0.0, 0.0, 40.0, 20.0));
    let pdf = save(folder.path(), &write(&[surface(vec![Node::Image(Arc::new(node))])], options()).0);
    run("pdfimages", &["-all", &pdf, folder.path().join("out").to_str().unwrap()]);
    let back = folder.path().join("out-000.jpg");
    assert_eq!(told(&back), [false; 4], "the document does not");
    assert!(picture_data(&std::fs::read(&back).unwrap()) == picture_data(&source));
    // Nor does anything else in the file, whether it is packed or not.
    let open = folder.path().join("open.pdf");
    run("qpdf", &["--stream-data=uncompress", &pdf, open.to_str().unwrap()]);
    let open = std::fs::read(open).unwrap();
    for word in ["Exif\0\0", "Somebody", "at home", "GPS"] {
        assert_eq!(count(&open, word), 0, "{word}");
    }
}

#[test]
fn crops_adjustments_and_mattes_are_applied() {
    let folder = tempfile::tempdir().unwrap();
    let photo = picture(jpeg(folder.path()));
    let matte = {
        let mut png = Vec::new();
        let grey: Vec<u8> = (0..40 * 20).map(|i| if i % 40 < 20 { 255 } else { 0 }).collect();
        let mut encoder = png::Encoder::new(&mut png, 40, 20);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.write_header().unwrap().write_image_data(&grey).unwrap();
        picture(png)
    };
    let right_half = Rect::new(0.5, 0.0, 1.0, 1.0);
    let mut grey = placed(&photo, WHOLE, Rect::new(30.0, 0.0, 50.0, 20.0));
    grey.adjust = vec![Adjust::Greyscale];
    let mut cut = placed(&photo, WHOLE, Rect::new(60.0, 0.0, 80.0, 20.0));
    cut.matte = Some(matte);
    // 400 pixels on 2 mm: far over the job's resolution.
    let tiny = placed(&photo, right_half, Rect::new(0.0, 30.0, 2.0, 32.0));
    let mut turned = placed(&photo, right_half, Rect::new(0.0, 0.0, 1.0, 1.0));
    turned.transform = Affine::translate((50.0, 30.0)) * rotation(90.0) * Affine::scale(20.0);
    let pages = Renderings::of(vec![
        filled(rect(60.0, 0.0, 80.0, 20.0), solid(0, 0, 0), 1.0),
        Node::Image(Arc::new(placed(&photo, right_half, Rect::new(0.0, 0.0, 20.0, 20.0)))),
        Node::Image(Arc::new(grey)),
        Node::Image(Arc::new(cut)),
        Node::Image(Arc::new(tiny)),
        Node::Image(Arc::new(turned)),
    ]);
    pages.shows(5.0, 5.0, [30, 200, 30], 6);
    pages.shows(15.0, 15.0, [230, 230, 30], 6);
    pages.shows(21.0, 5.0, [255, 255, 255], 0);
    pages.shows(35.0, 5.0, [70, 70, 70], 6);
    pages.shows(65.0, 5.0, [220, 30, 30], 6);
    pages.shows(75.0, 5.0, [0, 0, 0], 2);
    pages.shows(45.0, 35.0, [30, 200, 30], 6);
    pages.shows(35.0, 45.0, [230, 230, 30], 6);
}
