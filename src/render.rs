//! From a composed scene to files: which artifacts a job makes, their names and their facts.
//!
//! Bytes go straight from the encoders into a [`Destination`]'s files and are hashed as they
//! pass; nothing is held whole.

mod beside;
mod boxes;
mod hashing;
mod plates;
mod png;
mod slug;

use crate::asset::{Depth, Limits};
use crate::catalog::{Area, ColorSpec, Output, Profile};
use crate::color::Press;
use crate::control::Control;
use crate::error::{Code, Violation};
use crate::order::event::Artifact;
use crate::pdf::{PdfOptions, PdfWriter, PrintRules, slug_room};
use crate::raster::Frame;
use crate::scene::{Color, Ink, Node, Paint, Placement, Scene, Surface};
use crate::text::FontLibrary;
use hashing::Hashing;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

pub use crate::raster::InkPeak;

/// Where a job's files go; an edge implements it.
pub trait Destination {
    /// An open file.
    type File: Write + Send;

    /// Opens a file by its name, such as `front.png`.
    fn create(&mut self, name: &str) -> Result<Self::File, Violation>;

    /// The file is not wanted after all; one of its name may be opened again.
    fn discard(&mut self, name: &str, file: Self::File) -> Result<(), Violation>;

    /// The file is written whole. Gives the address that results name.
    fn finish(&mut self, name: &str, file: Self::File) -> Result<String, Violation>;
}

/// Which stage a job is in, for progress bars and timings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Reading the order, its template and its assets.
    Fetch,
    /// Probing assets and composing the scene.
    Layout,
    /// Painting and encoding pictures.
    Raster,
    /// Making plates from the art.
    Derive,
    /// Writing documents.
    Pdf,
    /// Writing drawings.
    Vector,
    /// Looking at the finished documents.
    Preflight,
}

impl Stage {
    /// The stage of a name.
    pub fn named(name: &str) -> Option<Stage> {
        use Stage::{Derive, Fetch, Layout, Pdf, Preflight, Raster, Vector};
        [Fetch, Layout, Raster, Derive, Pdf, Vector, Preflight].into_iter().find(|s| s.as_str() == name)
    }

    /// The name in results and on progress bars.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Fetch => "fetch",
            Stage::Layout => "layout",
            Stage::Raster => "raster",
            Stage::Derive => "derive",
            Stage::Pdf => "pdf",
            Stage::Vector => "vector",
            Stage::Preflight => "preflight",
        }
    }
}

/// What a job renders, and within which bounds.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// What is printed.
    pub scene: &'a Scene,
    /// How it is printed.
    pub profile: &'a Profile,
    /// Which files are wanted.
    pub outputs: &'a [Output],
    /// The documents' title.
    pub title: &'a str,
    /// The profile's printing condition, where it names one.
    pub press: Option<&'a Arc<Press>>,
    /// What the slug line says beside the surface's name, and its fonts. Without it no slug line is
    /// printed, whatever the profile asks for.
    pub slug: Option<(&'a str, &'a FontLibrary)>,
    /// What it may cost.
    pub limits: &'a Limits,
    /// Who may end it.
    pub control: Control<'a>,
}

impl Job<'_> {
    /// Writes every output. `observe` hears of each stage as it begins.
    pub fn render<D: Destination>(
        &self,
        destination: &mut D,
        observe: &mut dyn FnMut(Stage),
    ) -> Result<Vec<Artifact>, Violation> {
        let mut artifacts = Vec::new();
        for output in self.outputs {
            match output {
                Output::Pdf => {
                    observe(Stage::Pdf);
                    for (name, surfaces) in documents(self.scene, self.profile) {
                        artifacts.push(self.pdf(&name, surfaces, destination, observe)?);
                    }
                }
                Output::Png => {
                    observe(Stage::Raster);
                    for surface in &self.scene.surfaces {
                        let frame = png_frame(surface, self.profile)?;
                        artifacts.push(self.picture(surface, &frame, Output::Png, destination)?);
                    }
                }
                Output::Preview => {
                    observe(Stage::Raster);
                    for surface in &self.scene.surfaces {
                        let frame = Frame::preview(surface, self.profile.preview.max_px);
                        artifacts.push(self.picture(surface, &frame, Output::Preview, destination)?);
                    }
                }
                Output::Jpeg => {
                    observe(Stage::Raster);
                    for surface in &self.scene.surfaces {
                        artifacts.push(self.jpeg(surface, destination)?);
                    }
                }
                Output::Svg => {
                    observe(Stage::Vector);
                    for surface in &self.scene.surfaces {
                        artifacts.push(self.drawing(surface, destination)?);
                    }
                }
                Output::Tiff => {
                    observe(Stage::Raster);
                    for surface in &self.scene.surfaces {
                        artifacts.push(self.tiff(surface, destination)?);
                    }
                }
                Output::Plates => {
                    observe(Stage::Raster);
                    for surface in &self.scene.surfaces {
                        artifacts.extend(self.plates(surface, destination)?);
                    }
                }
                Output::Engraving => {
                    observe(Stage::Raster);
                    for surface in &self.scene.surfaces {
                        artifacts.push(self.engraving(surface, destination)?);
                    }
                }
            }
        }
        Ok(artifacts)
    }
}

/// The pixel grid of a surface's PNG.
pub fn png_frame(surface: &Surface, profile: &Profile) -> Result<Frame, Violation> {
    let area = match profile.area {
        Area::Trim => surface.trim_box(),
        Area::Bleed => surface.bleed_box(),
    };
    let mut frame = Frame::of(area, profile.dpi(), placement(profile));
    frame.depth = if profile.png.depth == 16 { Depth::Sixteen } else { Depth::Eight };
    frame.background = profile.png.background.as_ref().map(process_color).transpose()?;
    Ok(frame)
}

fn placement(profile: &Profile) -> Placement {
    Placement {
        scale: (profile.scale_x, profile.scale_y),
        mirror: profile.mirror,
        quarter_turns: (profile.rotate / 90) as u8,
    }
}

fn process_color(spec: &ColorSpec) -> Result<Color, Violation> {
    let wrong = || Violation::new(Code::TemplateInvalid, "a profile's ground is a process colour");
    match spec {
        ColorSpec::Hex(hex) => Color::parse_hex(hex).ok_or_else(wrong),
        ColorSpec::Cmyk(spec) => Ok(Color::Cmyk(spec.cmyk)),
        ColorSpec::Grey(spec) => Ok(Color::Grey(spec.grey)),
        ColorSpec::Spot(_) => Err(wrong()),
    }
}

/// The documents of a job by name, with the surfaces that are their pages: one for all, or one each.
pub fn documents<'a>(scene: &'a Scene, profile: &Profile) -> Vec<(String, &'a [Surface])> {
    if profile.pdf.single_pages {
        scene.surfaces.iter().map(|s| (format!("{}.pdf", s.name), std::slice::from_ref(s))).collect()
    } else if let [only] = scene.surfaces.as_slice() {
        vec![(format!("{}.pdf", only.name), std::slice::from_ref(only))]
    } else {
        vec![("print.pdf".to_owned(), scene.surfaces.as_slice())]
    }
}

impl Job<'_> {
    /// Writes a document, one page at a time.
    fn pdf<D: Destination>(
        &self,
        name: &str,
        surfaces: &[Surface],
        destination: &mut D,
        observe: &mut dyn FnMut(Stage),
    ) -> Result<Artifact, Violation> {
        let mut print = PrintRules::of(self.profile, self.press)?;
        if let Some(slug) = self.slug.filter(|_| print.marks.slug) {
            let placement = placement(self.profile);
            let line = |s| slug::lines(slug, s, slug_room(s, &placement, &print));
            let slugs = surfaces.iter().map(line).collect::<Result<_, Violation>>()?;
            print.slugs = slugs;
        }
        let process = print.condition.is_some();
        let options = PdfOptions {
            dpi: self.profile.dpi(),
            placement: placement(self.profile),
            title: Some(self.title.to_owned()),
            created: None,
            limits: *self.limits,
            print,
        };
        let mut writer = PdfWriter::new(Hashing::new(destination.create(name)?), options)?;
        for surface in surfaces {
            writer.page(surface, self.control)?;
        }
        let (file, summary) = writer.finish()?;
        let mut artifact = Artifact {
            role: "print".into(),
            surfaces: surfaces.iter().map(|s| s.name.to_string()).collect(),
            output: Output::Pdf.as_str().into(),
            media_type: "application/pdf".into(),
            pages: Some(summary.pages.len() as u32),
            boxes: surfaces
                .iter()
                .zip(&summary.pages)
                .map(|(surface, page)| boxes::of_page(surface, page))
                .collect(),
            plates: spots(surfaces).iter().filter_map(plate).collect(),
            ..blank()
        };
        if process {
            artifact.color_space = "CMYK".into();
        }
        // A destination looks at a document before it keeps it.
        observe(Stage::Preflight);
        file.finish(name, destination, &mut artifact)?;
        Ok(artifact)
    }

    /// Paints a surface and encodes it as it is painted.
    fn picture<D: Destination>(
        &self,
        surface: &Surface,
        frame: &Frame,
        output: Output,
        destination: &mut D,
    ) -> Result<Artifact, Violation> {
        let pixels = u64::from(frame.width) * u64::from(frame.height);
        if pixels > self.limits.output_pixels {
            return Err(Violation::new(
                Code::OutputTooLarge,
                format!(
                    "this surface has {pixels} pixels; at most {} are allowed",
                    self.limits.output_pixels
                ),
            )
            .limit(self.limits.output_pixels));
        }
        let preview = output == Output::Preview;
        let (role, name, max_bytes) = if preview {
            ("preview", format!("{}.preview.png", surface.name), None)
        } else {
            ("print", format!("{}.png", surface.name), self.profile.png.max_bytes)
        };
        let area = match self.profile.area {
            Area::Bleed if !preview => surface.bleed_box(),
            Area::Bleed | Area::Trim => surface.trim_box(),
        };
        let file = self.png(surface, frame, (&name, max_bytes), destination)?;
        let mut artifact = Artifact {
            role: role.into(),
            surfaces: vec![surface.name.to_string()],
            output: output.as_str().into(),
            media_type: "image/png".into(),
            pixels: Some([frame.width, frame.height]),
            dpi: Some(frame.dpi.get()),
            boxes: vec![boxes::placed(
                surface,
                area,
                if preview { Placement::default() } else { placement(self.profile) },
            )],
            ..blank()
        };
        file.finish(&name, destination, &mut artifact)?;
        Ok(artifact)
    }
}

fn blank() -> Artifact {
    Artifact {
        role: String::new(),
        surfaces: Vec::new(),
        output: String::new(),
        uri: String::new(),
        url: None,
        bytes: 0,
        sha256: String::new(),
        md5: String::new(),
        media_type: String::new(),
        pixels: None,
        dpi: None,
        pages: None,
        boxes: Vec::new(),
        color_space: "sRGB".into(),
        plates: Vec::new(),
    }
}

/// The spot inks in use, by their names.
fn spots(surfaces: &[Surface]) -> Vec<Ink> {
    let mut inks = BTreeMap::new();
    for surface in surfaces {
        node_spots(&surface.nodes, &mut inks);
    }
    inks.into_values().collect()
}

fn plate(ink: &Ink) -> Option<String> {
    match ink {
        Ink::Spot { name, .. } => Some(name.to_string()),
        Ink::Process(_) => None,
    }
}

fn node_spots(nodes: &[Node], inks: &mut BTreeMap<Arc<str>, Ink>) {
    for node in nodes {
        match node {
            Node::Group(group) => {
                node_spots(&group.nodes, inks);
                if let Some(mask) = &group.mask {
                    node_spots(&mask.nodes, inks);
                }
            }
            Node::Path(path) => {
                let paints = [path.fill.as_ref().map(|f| &f.paint), path.stroke.as_ref().map(|s| &s.paint)];
                paints.into_iter().flatten().for_each(|paint| paint_spots(paint, inks));
            }
            Node::Pattern(pattern) => node_spots(&pattern.cell.nodes, inks),
            Node::Separation(separation) => add_spot(&separation.ink, inks),
            Node::Image(_) | Node::Filter(_) => {}
        }
    }
}

fn add_spot(ink: &Ink, inks: &mut BTreeMap<Arc<str>, Ink>) {
    if let Ink::Spot { name, .. } = ink {
        inks.entry(name.clone()).or_insert_with(|| ink.clone());
    }
}

fn paint_spots(paint: &Paint, inks: &mut BTreeMap<Arc<str>, Ink>) {
    match paint {
        Paint::Solid(ink) => add_spot(ink, inks),
        Paint::Linear(gradient) => gradient.stops.stops.iter().for_each(|(_, ink, _)| add_spot(ink, inks)),
        Paint::Radial(gradient) => gradient.stops.stops.iter().for_each(|(_, ink, _)| add_spot(ink, inks)),
        Paint::Tiling(tiling) => node_spots(&tiling.group.nodes, inks),
    }
}

/// The violation of a file that did not take its bytes.
pub fn sink_failed(error: &io::Error) -> Violation {
    Violation::new(Code::StoreUnavailable, format!("a file could not be written: {}", error.kind()))
}
