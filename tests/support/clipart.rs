//! Debian's open clipart, and two ways from its bytes to pixels: ours and resvg's own.

use super::job::in_full;
use image::RgbaImage;
use kurbo::{Affine, Insets, Size};
use presswork::art::Art;
use presswork::asset::Limits;
use presswork::control::Control;
use presswork::raster::{Frame, PngOptions, PngSink, paint};
use presswork::scene::{BlendSpace, Group, Node, Surface};
use resvg::{tiny_skia, usvg};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const ROOT: &str = "/usr/share/openclipart/svg";
/// The files under test, sorted. `steps`: every how many one is taken, in a sample and of all.
pub fn corpus(steps: (usize, usize)) -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(Path::new(ROOT), &mut files);
    assert!(files.len() > 8_000, "needs the corpus: apt-get install openclipart-svg");
    files.sort();
    let step = if in_full() { steps.1 } else { steps.0 };
    files.into_iter().step_by(step).collect()
}

fn collect(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            collect(&path, out);
        } else if path.extension().is_some_and(|ext| ext == "svg") {
            out.push(path);
        }
    }
}

/// The fonts that drawings may use.
pub fn fonts() -> Arc<usvg::fontdb::Database> {
    let mut fonts = usvg::fontdb::Database::new();
    for font in typst_assets::fonts() {
        fonts.load_font_data(font.to_vec());
    }
    fonts.set_sans_serif_family("DejaVu Sans Mono");
    fonts.set_serif_family("Libertinus Serif");
    Arc::new(fonts)
}

/// A file's text, whatever its encoding.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| bytes.iter().map(|b| char::from(*b)).collect())
}

/// What usvg and resvg alone make of a drawing, its longer side at `side` pixels.
pub fn resvg(text: &str, fonts: &Arc<usvg::fontdb::Database>, side: u32) -> tiny_skia::Pixmap {
    let options = usvg::Options {
        fontdb: fonts.clone(),
        font_family: fonts.family_name(&usvg::fontdb::Family::SansSerif).to_owned(),
        image_href_resolver: usvg::ImageHrefResolver {
            resolve_string: Box::new(|_, _| None),
            ..Default::default()
        },
        ..Default::default()
    };
    let tree = usvg::Tree::from_str(text, &options).unwrap();
    let (width, height) = (tree.size().width(), tree.size().height());
    let (w, h) = pixels(Size::new(f64::from(width), f64::from(height)), side);
    let mut pixmap = tiny_skia::Pixmap::new(w, h).unwrap();
    let scale = usvg::Transform::from_scale(w as f32 / width, h as f32 / height);
    resvg::render(&tree, scale, &mut pixmap.as_mut());
    pixmap
}

/// A drawing on a page of its own, its longer side a hundred millimetres.
pub fn on_a_page(art: &Art, group: Group) -> Surface {
    let size = art.size();
    // Whatever the drawing's own units are.
    let scale = 100.0 / size.width.max(size.height);
    let page = Group {
        transform: Affine::scale(scale),
        nodes: vec![Node::Group(Arc::new(group))],
        ..Group::default()
    };
    Surface {
        name: "art".into(),
        trim: size * scale,
        bleed: Insets::ZERO,
        safe: Insets::ZERO,
        garment: None,
        blend_space: BlendSpace::Srgb,
        nodes: vec![Node::Group(Arc::new(page))],
        layers: Vec::new(),
    }
}

/// What our painter makes of a drawing.
pub fn ours(art: &Art, group: Group, side: u32) -> RgbaImage {
    let surface = on_a_page(art, group);
    let frame = Frame::preview(&surface, side);
    let sink = PngSink::new(Vec::new(), &frame, PngOptions::default()).unwrap();
    paint(&surface, &frame, &Limits::default(), Control::NONE, &sink).unwrap();
    let png = sink.finish().unwrap();
    image::load_from_memory(&png).unwrap().to_rgba8()
}

/// Pixels without premultiplication.
pub fn straight(pixmap: &tiny_skia::Pixmap) -> RgbaImage {
    let pixels = pixmap.pixels().iter().flat_map(|p| {
        let p = p.demultiply();
        [p.red(), p.green(), p.blue(), p.alpha()]
    });
    RgbaImage::from_raw(pixmap.width(), pixmap.height(), pixels.collect()).unwrap()
}

fn pixels(size: Size, side: u32) -> (u32, u32) {
    let longer = size.width.max(size.height);
    let px = |length: f64| ((length / longer * f64::from(side)).round() as u32).max(1);
    (px(size.width), px(size.height))
}
