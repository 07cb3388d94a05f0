//! Our PDF under three foreign renderers looks like our PNG, layer by layer; and the same
//! comparison fails when one word or one layer is deleted.

use crate::support::job::{self, Grid};
use crate::support::judges::{Renderer, scratch};
use crate::support::page::{PageArea, isolate};
use crate::support::picture::{
    Bars, Comparison, GREEN, PxBox, WHITE, compare, flatten, is_opaque, load, save_strip,
};
use kurbo::{BezPath, Rect, Shape};
use presswork::app::{App, Places, Prepared};
use presswork::asset::Limits;
use presswork::catalog::{Area, Output};
use presswork::control::Control;
use presswork::error::Violation;
use presswork::order::Draft;
use presswork::render::{Destination, Job};
use presswork::scene::{Group, Node, PathNode, Scene, Surface};
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Layers that a renderer draws otherwise: a part of the order's file name, the renderer, the
/// layer, the floor of its SSIM there.
const EXCEPTIONS: &[(&str, Renderer, &str, f64)] = &[
    // Ghostscript does not anti-alias the edge of a clip or of a shading: small shapes with
    // gradients, and panels of art, have steps along their outline.
    ("card-", Renderer::Ghostscript, "seal", 0.97),
    ("card-", Renderer::Ghostscript, "wax", 0.97),
    ("card-", Renderer::Ghostscript, "wax-ring", 0.98),
    ("family-", Renderer::Ghostscript, "shadow.0", 0.985),
    ("family-", Renderer::Ghostscript, "shadow.2", 0.985),
    ("mug-music-", Renderer::Ghostscript, "cover-shadow", 0.985),
    ("shoes-", Renderer::Ghostscript, "left-pair", 0.985),
    ("shoes-", Renderer::Ghostscript, "right-name", 0.985),
    // It fills every pixel that type of 3 points touches a little fuller.
    ("pen-", Renderer::Ghostscript, "company", 0.98),
    // Pictures that do not stand on whole pixels of the page are resampled by the renderer
    // itself, Ghostscript by its nearest source pixels, MuPDF by its own filter.
    ("gift-tag-photo", Renderer::Ghostscript, "photo", 0.98),
    ("gift-tag-photo", Renderer::MuPdf, "photo", 0.985),
    ("mug-collage-", Renderer::Ghostscript, "collage", 0.975),
    ("mug-collage-", Renderer::Ghostscript, "mat", 0.975),
    ("mug-collage-", Renderer::Ghostscript, "paper", 0.98),
    ("mug-collage-", Renderer::MuPdf, "collage", 0.98),
    ("mug-collage-", Renderer::MuPdf, "mat", 0.985),
    ("mug-music-", Renderer::MuPdf, "cover", 0.965),
    ("mug-music-", Renderer::MuPdf, "cover-shadow", 0.965),
];

/// Orders whose outermost ink is a glow that fades to nothing: where its last level of 255 is
/// rounded away is the renderer's own, 2 px from ours under MuPDF.
const FADING: &[&str] = &["dtf-transfer-"];
const FADING_BOUNDS: u32 = 2;

/// Stepped clip edges of fine patterns move a tile's mean colour under Ghostscript.
const GHOSTSCRIPT_SHIFT: f64 = 12.0;

/// Files straight into a folder.
struct Folder(PathBuf);

impl Destination for Folder {
    type File = File;

    fn create(&mut self, name: &str) -> Result<File, Violation> {
        Ok(File::create(self.0.join(name)).expect("a scratch folder"))
    }

    fn discard(&mut self, name: &str, _file: File) -> Result<(), Violation> {
        std::fs::remove_file(self.0.join(name)).expect("the file was made");
        Ok(())
    }

    fn finish(&mut self, name: &str, _file: File) -> Result<String, Violation> {
        Ok(name.to_owned())
    }
}

/// An order's scene, and what it takes to render it.
struct Subject {
    name: String,
    app: App,
    prepared: Prepared,
    folder: PathBuf,
}

impl Subject {
    fn of(order: &Path) -> Subject {
        let name = order.file_stem().unwrap().to_string_lossy().into_owned();
        let app = App::new(Places::default(), Limits::default()).unwrap();
        let draft = Draft::parse(&std::fs::read(order).unwrap()).unwrap();
        let prepared = app.prepare(order, &draft, Control::NONE, &mut |_| {});
        let mut prepared = prepared.unwrap_or_else(|e| panic!("{}: {e}", order.display()));
        // Cut lines and the like are on plates of their own: viewers show them, pictures do not.
        for surface in &mut prepared.composed.scene.surfaces {
            surface.nodes.retain(|node| !matches!(node, Node::Separation(_)));
        }
        // Two tests of one process may hold the same order.
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = scratch(&format!("agreement-{name}-{}-{number}", std::process::id()));
        Subject { name, app, prepared, folder }
    }

    fn scene(&self) -> &Scene {
        &self.prepared.composed.scene
    }

    /// Writes one output of a scene; gives the files in the order of the surfaces.
    fn write(&self, scene: &Scene, output: Output) -> Vec<PathBuf> {
        let job = Job {
            scene,
            profile: self.prepared.order.profile(),
            outputs: &[output],
            title: &self.name,
            press: None,
            slug: None,
            limits: self.app.limits(),
            control: Control::NONE,
        };
        let made = job.render(&mut Folder(self.folder.clone()), &mut |_| {});
        let made = made.unwrap_or_else(|e| panic!("{}: {e}", self.name));
        made.iter().map(|artifact| self.folder.join(&artifact.uri)).collect()
    }

    fn grid(&self, surface: &Surface) -> Grid {
        let profile = self.prepared.order.profile();
        let shown = match profile.area {
            Area::Trim => surface.trim_box(),
            Area::Bleed => surface.bleed_box(),
        };
        Grid {
            area: [shown.x0, shown.y0, shown.width(), shown.height()],
            dpi: profile.dpi,
            scale: [profile.scale_x, profile.scale_y],
            mirror: profile.mirror,
            quarter_turns: u32::from(profile.rotate) / 90,
        }
    }

    fn boxes(&self, surface: &Surface) -> Vec<(String, PxBox)> {
        let grid = self.grid(surface);
        let place = |b: Rect| grid.place([b.x0, b.y0, b.x1, b.y1]);
        surface.layers.iter().map(|layer| (layer.id.to_string(), place(layer.bounds))).collect()
    }

    /// Surface number `index` of our PDF, as a renderer shows it on the paper.
    fn foreign(&self, pdfs: &[PathBuf], index: usize, sheet: &Sheet, renderer: Renderer) -> image::RgbImage {
        let profile = self.prepared.order.profile();
        let (pdf, page) = if pdfs.len() == 1 { (&pdfs[0], index as u32 + 1) } else { (&pdfs[index], 1) };
        let area = match profile.area {
            Area::Trim => PageArea::Trim,
            Area::Bleed => PageArea::Bleed,
        };
        let paper = (sheet.paper != WHITE).then_some(sheet.paper);
        let cut = isolate(pdf, page, area, paper, &self.folder.join(format!("cut-{index}.pdf")));
        flatten(&renderer.render(&cut, page, sheet.picture.dimensions(), &self.folder), WHITE)
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// One of our PNGs, on the paper it is compared on.
struct Sheet {
    picture: image::RgbImage,
    paper: [u8; 3],
}

impl Sheet {
    /// White and black ink both have to show: transparent pictures lie on green.
    fn of(png: &Path) -> Sheet {
        let picture = load(png);
        let paper = if is_opaque(&picture) { WHITE } else { GREEN };
        Sheet { picture: flatten(&picture, paper), paper }
    }
}

/// What is below its bar, exceptions apart.
fn faults(name: &str, renderer: Renderer, comparison: &Comparison) -> Vec<String> {
    let mut comparison = comparison.clone();
    comparison.layers.retain(|(id, ssim)| {
        !EXCEPTIONS.iter().any(|(order, by, layer, floor)| {
            name.contains(order) && *by == renderer && id == layer && ssim >= floor
        })
    });
    let shift = if renderer == Renderer::Ghostscript { GHOSTSCRIPT_SHIFT } else { Bars::AGREEMENT.shift };
    let fading = FADING.iter().any(|order| name.starts_with(order));
    let bounds = if fading { FADING_BOUNDS } else { Bars::AGREEMENT.bounds };
    comparison.faults(&Bars { shift, bounds, ..Bars::AGREEMENT })
}

#[test]
fn every_fixture_is_the_same_in_pdf_and_png() {
    let mut all = Vec::new();
    let mut seen = BTreeSet::new();
    // What is printed in process inks is compared plate by plate, in tests/print/plates.rs.
    for (number, order) in job::rgb_orders().into_iter().enumerate() {
        let subject = Subject::of(&order);
        // A template's first order is drawn by every renderer, its others by one in turn.
        let template = job::json(&order)["template"].to_string();
        let in_turn = (!seen.insert(template) && !job::in_full()).then(|| number % Renderer::ALL.len());
        let pngs = subject.write(subject.scene(), Output::Png);
        let pdfs = subject.write(subject.scene(), Output::Pdf);
        for (index, surface) in subject.scene().surfaces.iter().enumerate() {
            let sheet = Sheet::of(&pngs[index]);
            let boxes = subject.boxes(surface);
            assert!(!boxes.is_empty(), "{}: {} has no layers", subject.name, surface.name);
            // The largest canvases take a renderer half a minute each.
            let giant = sheet.picture.pixels().len() > 50_000_000 && !job::in_full();
            let renderers = match in_turn {
                _ if giant => &[Renderer::Poppler][..],
                Some(turn) => &Renderer::ALL[turn..=turn],
                None => &Renderer::ALL,
            };
            for renderer in renderers {
                let theirs = subject.foreign(&pdfs, index, &sheet, *renderer);
                let comparison = compare(&sheet.picture, &theirs, sheet.paper, &boxes);
                let what = format!("{} {} {renderer:?}", subject.name, surface.name);
                println!("{what}: {comparison}");
                let found = faults(&subject.name, *renderer, &comparison);
                if !found.is_empty() {
                    let strip = save_strip(&what, &sheet.picture, &theirs);
                    all.push(format!("{what}:\n    {}\n    see {}", found.join("\n    "), strip.display()));
                }
            }
        }
    }
    assert!(all.is_empty(), "PDF and PNG disagree:\n  {}", all.join("\n  "));
}

/// The scene with one node changed or dropped; `change` gives what stands in a node's stead, or
/// `None` to leave it as it is.
fn changed(nodes: &[Node], change: &mut dyn FnMut(&Node) -> Option<Vec<Node>>) -> Vec<Node> {
    let mut out = Vec::new();
    for node in nodes {
        match (change(node), node) {
            (Some(other), _) => out.extend(other),
            (None, Node::Group(group)) => {
                let nodes = changed(&group.nodes, change);
                out.push(Node::Group(Arc::new(Group { nodes, ..Group::clone(group) })));
            }
            (
                None,
                Node::Path(_) | Node::Image(_) | Node::Pattern(_) | Node::Filter(_) | Node::Separation(_),
            ) => out.push(node.clone()),
        }
    }
    out
}

fn is_layer(node: &Node, id: &str) -> bool {
    matches!(node, Node::Group(group) if group.name.as_deref() == Some(id))
}

/// Takes the smallest word out of an outline: contours that stand close together are a word.
fn without_a_word(path: &BezPath) -> Option<BezPath> {
    let contours: Vec<BezPath> = path
        .elements()
        .iter()
        .fold(Vec::<BezPath>::new(), |mut all, element| {
            if matches!(element, kurbo::PathEl::MoveTo(_)) || all.is_empty() {
                all.push(BezPath::new());
            }
            if let Some(last) = all.last_mut() {
                last.push(*element);
            }
            all
        })
        .into_iter()
        .filter(|contour| contour.elements().len() > 2)
        .collect();
    let boxes: Vec<Rect> = contours.iter().map(Shape::bounding_box).collect();
    let tallest = boxes.iter().map(Rect::height).fold(0.0, f64::max);
    // Letters of a word are nearer to each other than an eighth of the height of its capitals.
    let near = |a: &Rect, b: &Rect| {
        let gap = tallest * 0.13;
        a.inflate(gap, gap).overlaps(*b)
    };
    let mut word: Vec<usize> = (0..boxes.len()).collect();
    for _ in 0..boxes.len() {
        for i in 0..boxes.len() {
            for j in 0..boxes.len() {
                if near(&boxes[i], &boxes[j]) {
                    let first = word[i].min(word[j]);
                    (word[i], word[j]) = (first, first);
                }
            }
        }
    }
    let size = |id: usize| word.iter().filter(|w| **w == id).count();
    let smallest = word.iter().copied().filter(|id| size(*id) >= 2).min_by_key(|id| size(*id))?;
    if size(smallest) == word.len() {
        return None;
    }
    let kept = contours.iter().zip(&word).filter(|(_, id)| **id != smallest);
    Some(kept.flat_map(|(contour, _)| contour.elements().iter().copied()).collect())
}

/// Our PNG of a changed scene has to be told from a renderer's picture of the unchanged PDF.
fn assert_noticed(
    subject: &Subject,
    index: usize,
    nodes: Vec<Node>,
    theirs: &image::RgbImage,
    sheet: &Sheet,
    what: &str,
) -> bool {
    let mut scene = subject.scene().clone();
    scene.surfaces[index].nodes = nodes;
    let pngs = subject.write(&scene, Output::Png);
    let ours = flatten(&load(&pngs[index]), sheet.paper);
    let visible =
        ours.as_raw().iter().zip(sheet.picture.as_raw()).filter(|(a, b)| a.abs_diff(**b) > 40).count();
    if visible < 150 {
        // It lies beneath another layer, or outside the picture.
        return false;
    }
    let boxes = subject.boxes(&subject.scene().surfaces[index]);
    let comparison = compare(&ours, theirs, sheet.paper, &boxes);
    let found = comparison.faults(&Bars::AGREEMENT);
    println!("{what}: {}", found.first().map_or("-", String::as_str));
    assert!(!found.is_empty(), "{what} is deleted and nobody notices: {comparison}");
    true
}

#[test]
fn a_deleted_layer_is_noticed_and_so_is_a_deleted_word() {
    let (mut layers, mut words) = (0, 0);
    let subjects = if job::in_full() { job::rgb_orders() } else { job::orders_named(&["mug-name", "tag"]) };
    for order in subjects {
        let subject = Subject::of(&order);
        let pngs = subject.write(subject.scene(), Output::Png);
        let pdfs = subject.write(subject.scene(), Output::Pdf);
        let pngs: Vec<Sheet> = pngs.iter().map(|png| Sheet::of(png)).collect();
        for (index, surface) in subject.scene().surfaces.iter().enumerate() {
            let sheet = &pngs[index];
            let theirs = subject.foreign(&pdfs, index, sheet, Renderer::Poppler);
            for layer in &surface.layers {
                let what = format!("{} {}: layer {}", subject.name, surface.name, layer.id);
                let nodes = changed(&surface.nodes, &mut |node| is_layer(node, &layer.id).then(Vec::new));
                layers += usize::from(assert_noticed(&subject, index, nodes, &theirs, sheet, &what));
                if layer.kind != "text" {
                    continue;
                }
                let mut cut = false;
                let nodes = changed(&surface.nodes, &mut |node| {
                    if !is_layer(node, &layer.id) {
                        return None;
                    }
                    let inner = changed(std::slice::from_ref(node), &mut |inner| match inner {
                        Node::Path(path) if !cut => {
                            let less = without_a_word(&path.path)?;
                            cut = true;
                            let path = PathNode { path: Arc::new(less), ..PathNode::clone(path) };
                            Some(vec![Node::Path(Arc::new(path))])
                        }
                        Node::Path(_)
                        | Node::Group(_)
                        | Node::Image(_)
                        | Node::Separation(_)
                        | Node::Pattern(_)
                        | Node::Filter(_) => None,
                    });
                    Some(inner)
                });
                if cut {
                    let what = format!("{} {}: a word of {}", subject.name, surface.name, layer.id);
                    words += usize::from(assert_noticed(&subject, index, nodes, &theirs, sheet, &what));
                }
            }
        }
    }
    assert!(layers >= 3 && words >= 1, "{layers} layers and {words} words were tried");
}
