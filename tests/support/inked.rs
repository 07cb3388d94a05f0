//! Print orders in process inks, as we paint them and as foreign programs do.

use super::job::{self, Grid};
use super::judges::{pdf_boxes, run, scratch};
use super::page::{PageArea, isolate};
use super::picture::PxBox;
use image::{GrayImage, RgbImage};
use kurbo::Rect;
use presswork::app::{App, Places, Prepared};
use presswork::asset::Limits;
use presswork::catalog::{Area, Output};
use presswork::control::Control;
use presswork::error::Violation;
use presswork::order::Draft;
use presswork::order::event::Artifact;
use presswork::render::{Destination, Job};
use presswork::scene::Surface;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The condition of all fixtures.
pub fn condition() -> PathBuf {
    job::root().join("render-profiles/icc/FOGRA39L.icc")
}

/// Files straight into a folder.
struct Folder(PathBuf);

impl Destination for Folder {
    type File = File;

    fn create(&mut self, name: &str) -> Result<File, Violation> {
        Ok(File::create(self.0.join(name)).expect("a scratch folder"))
    }

    fn discard(&mut self, name: &str, file: File) -> Result<(), Violation> {
        drop(file);
        std::fs::remove_file(self.0.join(name)).expect("it was made");
        Ok(())
    }

    fn finish(&mut self, name: &str, _file: File) -> Result<String, Violation> {
        Ok(name.to_owned())
    }
}

/// An order in process inks.
pub struct Subject {
    pub name: String,
    pub app: App,
    pub prepared: Prepared,
    pub folder: PathBuf,
}

impl Subject {
    /// An order of the fixtures, by its file's name.
    pub fn of(name: &str, purpose: &str) -> Subject {
        let order = job::root().join(format!("fixtures/orders/{name}.json"));
        let app = App::new(Places::default(), Limits::default()).expect("the built-in places");
        let draft = Draft::parse(&std::fs::read(&order).expect("an order")).expect("an order");
        let prepared = app.prepare(&order, &draft, Control::NONE, &mut |_| {});
        let prepared = prepared.unwrap_or_else(|e| panic!("{name}: {e}"));
        let folder = scratch(&format!("{purpose}-{name}-{}", std::process::id()));
        Subject { name: name.to_owned(), app, prepared, folder }
    }

    pub fn surfaces(&self) -> &[Surface] {
        &self.prepared.composed.scene.surfaces
    }

    /// What `with` does with the order's job.
    pub fn job<T>(&self, outputs: &[Output], with: impl FnOnce(&Job<'_>) -> T) -> T {
        let profile = self.prepared.order.profile();
        let name = &self.prepared.order.order().profile;
        let press = self.app.profiles().load(name).expect("the fixtures' condition").press;
        with(&Job {
            scene: &self.prepared.composed.scene,
            profile,
            outputs,
            title: &self.name,
            press: press.as_ref(),
            slug: None,
            limits: self.app.limits(),
            control: Control::NONE,
        })
    }

    /// Writes some outputs.
    pub fn write(&self, outputs: &[Output]) -> Vec<Artifact> {
        let mut folder = Folder(self.folder.clone());
        let made = self.job(outputs, |job| job.render(&mut folder, &mut |_| {}));
        made.unwrap_or_else(|e| panic!("{}: {e}", self.name))
    }

    /// The file of an artifact.
    pub fn file(&self, artifact: &Artifact) -> PathBuf {
        self.folder.join(&artifact.uri)
    }

    /// Every layer's box on the pixels of a surface.
    pub fn boxes(&self, surface: &Surface) -> Vec<(String, PxBox)> {
        let profile = self.prepared.order.profile();
        let shown = match profile.area {
            Area::Trim => surface.trim_box(),
            Area::Bleed => surface.bleed_box(),
        };
        let grid = Grid {
            area: [shown.x0, shown.y0, shown.width(), shown.height()],
            dpi: profile.dpi,
            scale: [profile.scale_x, profile.scale_y],
            mirror: profile.mirror,
            quarter_turns: u32::from(profile.rotate) / 90,
        };
        let place = |b: Rect| grid.place([b.x0, b.y0, b.x1, b.y1]);
        surface.layers.iter().map(|layer| (layer.id.to_string(), place(layer.bounds))).collect()
    }

    /// A document of one surface's page, cut to what our pictures show.
    pub fn page(&self, pdfs: &[PathBuf], index: usize) -> (PathBuf, u32) {
        let (pdf, page) = if pdfs.len() == 1 { (&pdfs[0], index as u32 + 1) } else { (&pdfs[index], 1) };
        let area = match self.prepared.order.profile().area {
            Area::Trim => PageArea::Trim,
            Area::Bleed => PageArea::Bleed,
        };
        (isolate(pdf, page, area, None, &self.folder.join(format!("page-{index}.pdf"))), page)
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Ghostscript on one page, at our pixels, in the printing condition of the fixtures.
fn ghostscript(pdf: &Path, page: u32, size: (u32, u32), out: &Path, more: &[&str]) {
    let media = pdf_boxes(pdf)[page as usize - 1].media;
    let dpi = |px: u32, from: usize| f64::from(px) * 72.0 / (media[from + 2] - media[from]);
    let mut command = Command::new("gs");
    command.args(["-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-dTextAlphaBits=4", "-dGraphicsAlphaBits=4"]);
    command.args(["-dRenderIntent=1", "-dBlackPtComp=1"]).args(more);
    command.arg(format!("--permit-file-read={}", condition().display()));
    command.arg(format!("-sDefaultCMYKProfile={}", condition().display()));
    command.arg(format!("-r{:.6}x{:.6}", dpi(size.0, 0), dpi(size.1, 1)));
    command.args([format!("-g{}x{}", size.0, size.1), format!("-sPageList={page}")]);
    command.arg(format!("-sOutputFile={}", out.display())).arg(pdf);
    let said = run(&mut command);
    let noise = format!("{}{}", said.stdout, said.stderr);
    assert!(said.code == Some(0) && noise.trim().is_empty(), "gs {}: {noise}", pdf.display());
}

/// A page's plates by Ghostscript: 255 is full ink.
pub fn foreign_plates(pdf: &Path, page: u32, size: (u32, u32), folder: &Path) -> BTreeMap<String, GrayImage> {
    let out = folder.join("sep.tif");
    let profile = format!("-sOutputICCProfile={}", condition().display());
    ghostscript(pdf, page, size, &out, &["-sDEVICE=tiffsep", &profile]);
    let mut plates = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("our folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a file").to_string_lossy().into_owned();
        let Some(plate) = name.strip_prefix("sep(").and_then(|n| n.strip_suffix(')')) else { continue };
        let mut grey = image::open(&path).expect("a plate").to_luma8();
        grey.iter_mut().for_each(|v| *v = 255 - *v);
        plates.insert(plate.to_owned(), grey);
        std::fs::remove_file(&path).expect("our own file");
    }
    plates
}

/// A page as Ghostscript proofs it: inks of the condition, relative colorimetric with black point
/// compensation, on an sRGB screen.
pub fn foreign_proof(pdf: &Path, page: u32, size: (u32, u32), folder: &Path) -> RgbImage {
    let out = folder.join("proof.png");
    ghostscript(pdf, page, size, &out, &["-sDEVICE=png16m", "-dOverprint=/simulate", "-dUsePDFX3Profile"]);
    image::open(&out).expect("a proof").to_rgb8()
}

/// A page as MuPDF with colour management proofs it by the document's output intent.
pub fn mupdf_proof(pdf: &Path, page: u32, size: (u32, u32), folder: &Path) -> RgbImage {
    let out = folder.join("mupdf.png");
    let python = job::root().join(".tools/bin/python");
    let script = job::root().join("tests/support/mupdf_proof.py");
    let mut command = Command::new(python);
    command.arg(script).arg(pdf).args([page.to_string(), size.0.to_string(), size.1.to_string()]).arg(&out);
    let said = run(&mut command);
    assert!(said.code == Some(0), "pymupdf: {}{}; run scripts/proof-tools", said.stdout, said.stderr);
    image::open(&out).expect("a proof").to_rgb8()
}

/// A plate as a picture that can be compared: ink is dark.
pub fn as_print(plate: &GrayImage) -> RgbImage {
    RgbImage::from_fn(plate.width(), plate.height(), |x, y| image::Rgb([255 - plate.get_pixel(x, y)[0]; 3]))
}

/// The same document with the layers of these names switched off, where it has them.
pub fn hide(pdf: &Path, layers: &[&str], to: &Path) {
    let mut document = lopdf::Document::load(pdf).expect("our own file");
    let properties = document.catalog().and_then(|c| c.get(b"OCProperties")).and_then(lopdf::Object::as_dict);
    if let Ok(mut properties) = properties.cloned() {
        let groups = properties.get(b"OCGs").and_then(lopdf::Object::as_array).expect("layers").clone();
        let off: Vec<lopdf::Object> = groups
            .into_iter()
            .filter(|group| {
                let layer = document.get_dictionary(group.as_reference().expect("a layer")).expect("a layer");
                let name = layer.get(b"Name").and_then(lopdf::Object::as_str).expect("a name");
                layers.iter().any(|hidden| hidden.as_bytes() == name)
            })
            .collect();
        let mut shown = properties.get(b"D").and_then(lopdf::Object::as_dict).expect("a default").clone();
        shown.set("OFF", off);
        properties.set("D", shown);
        document.catalog_mut().expect("a catalog").set("OCProperties", properties);
    }
    document.save(to).expect("a writable folder");
}
