//! Scene to PDF: vector pages with exact boxes, streamed out one page at a time.
//!
//! [`PdfWriter::page`] walks a surface (`paint`) into content that `printpdf` encodes
//! (`content`); `lopdf` objects for everything printpdf cannot say are written as soon as
//! they are known (`objects`), each once. Nothing of a page stays in memory when it is done
//! but the offsets and digests of its objects. The file's bytes, its `/ID` included, come from
//! its content alone.

mod bounds;
mod color;
mod content;
mod deflate;
mod filter;
mod flat;
mod flatten;
mod gradient;
mod image;
mod layers;
mod marks;
mod metadata;
mod object;
mod objects;
mod paint;
mod path;
mod pixels;
mod room;
mod separation;
mod tiling;

pub use crate::print::{Condition, Plate, PrintRules};
pub use metadata::Moment;
pub(crate) use room::slug_room;

use crate::asset::Limits;
use crate::catalog::print::Standard;
use crate::control::Control;
use crate::error::Violation;
use crate::print::{Inking, Role};
use crate::scene::{BlendSpace, Dpi, Length, Placement, Surface};
use color::{Spaces, Tone};
use content::Content;
use image::Images;
use kurbo::{Affine, Rect};
use lopdf::{Object, ObjectId};
use object::{dictionary, name, numbers};
use objects::Objects;
use room::Room;
use std::io::Write;

/// What a document needs to know beside its surfaces.
#[derive(Debug, Clone, PartialEq)]
pub struct PdfOptions {
    /// The resolution of pictures that are resampled and of SVG filters.
    pub dpi: Dpi,
    /// How art lies on every page.
    pub placement: Placement,
    /// The document's title.
    pub title: Option<String>,
    /// When it was made; without it the file names no date.
    pub created: Option<Moment>,
    /// What a rasterised filter may cost.
    pub limits: Limits,
    /// How it is printed.
    pub print: PrintRules,
}

/// A page's boxes in millimetres from the media box's bottom left corner, y up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PageBoxes {
    /// The whole page: the bleed, and the room for marks around it.
    pub media: Rect,
    /// The finished size and its bleed.
    pub bleed: Rect,
    /// The finished size.
    pub trim: Rect,
}

/// What was written.
#[derive(Debug, Clone, PartialEq)]
pub struct PdfSummary {
    /// The boxes of every page.
    pub pages: Vec<PageBoxes>,
    /// The file's size.
    pub bytes: u64,
}

/// A document under way: surfaces go in one at a time, bytes come out.
pub struct PdfWriter<W> {
    objects: Objects<W>,
    images: Images,
    spaces: Spaces,
    options: PdfOptions,
    tree: ObjectId,
    kids: Vec<Object>,
    pages: Vec<PageBoxes>,
    /// Layers, in the order in which they appear.
    layers: Vec<ObjectId>,
}

impl<W: Write + Send> PdfWriter<W> {
    /// Begins a document.
    ///
    /// # Errors
    /// When the sink does not take the bytes.
    pub fn new(out: W, options: PdfOptions) -> Result<Self, Violation> {
        let mut objects = Objects::new(out, options.print.standard.pdf_version())?;
        let spaces = Spaces::new(&mut objects, &options.print)?;
        let tree = objects.reserve();
        let images = Images::new(options.dpi, options.limits.output_pixels);
        let (kids, pages, layers) = (Vec::new(), Vec::new(), Vec::new());
        Ok(PdfWriter { objects, images, spaces, options, tree, kids, pages, layers })
    }

    /// Writes a surface as the next page.
    ///
    /// # Errors
    /// When a picture cannot be decoded, a filter is over its limit, `control` ends the work or
    /// the sink does not take the bytes. The document is then of no use.
    pub fn page(&mut self, surface: &Surface, control: Control<'_>) -> Result<(), Violation> {
        let placed = self.options.placement.matrix();
        let bleed = surface.bleed_box();
        let area = placed.transform_rect_bbox(bleed);
        let room = Room::of(surface, &self.options.placement, &self.options.print);
        let margin = room.margin;
        let to_media = Affine::translate((margin - area.x0, margin - area.y0)) * placed;
        let (width, height) = (area.width() + 2.0 * margin, area.height() + 2.0 * margin + room.foot);
        // PDF counts from the bottom left, upwards.
        let upwards = |r: Rect| Rect::new(r.x0, height - r.y1, r.x1, height - r.y0);
        let trim = to_media.transform_rect_bbox(surface.trim_box());
        let boxes = PageBoxes {
            media: Rect::new(0.0, 0.0, width, height),
            bleed: Rect::new(margin, margin + room.foot, width - margin, height - margin),
            trim: upwards(trim),
        };
        let to_points = Affine::new([
            72.0 / crate::scene::MM_PER_INCH,
            0.0,
            0.0,
            -72.0 / crate::scene::MM_PER_INCH,
            0.0,
            Length::mm(height).to_pt(),
        ]);
        let base = to_points * to_media;

        let mut content = Content::default();
        content.save();
        content.transform(base);
        let space = paint::Space {
            to_stream: base,
            to_page: to_media,
            visible: bleed,
            tone: Tone::Color,
            role: Role::Area,
            direct: true,
        };
        self.art(&mut content, surface, space, control)?;
        content.restore();
        if self.options.print.marks.any() {
            let area = to_media.transform_rect_bbox(bleed);
            content.save();
            content.transform(to_points);
            self.marks(&mut content, surface, (trim, area), room)?;
            content.restore();
        }
        let (data, resources) = content.finish()?;
        let contents = self.objects.add_deflated(lopdf::Dictionary::new(), &data)?;
        let blending = self.spaces.blending(Tone::Color, surface.blend_space);
        let mut page = dictionary([
            ("Type", name("Page")),
            ("Parent", Object::Reference(self.tree)),
            ("MediaBox", points(boxes.media)),
            ("BleedBox", points(boxes.bleed)),
            ("TrimBox", points(boxes.trim)),
            ("Resources", Object::Dictionary(resources)),
            ("Contents", Object::Reference(contents)),
        ]);
        if !self.options.print.standard.is_flat() {
            page.set("Group", Object::Dictionary(content::transparency_group(blending)));
        }
        let id = self.objects.reserve();
        self.objects.put(id, &Object::Dictionary(page))?;
        self.kids.push(Object::Reference(id));
        self.pages.push(boxes);
        Ok(())
    }

    /// The art, and after it, on layers of their own, the plates that are painted last.
    fn art(
        &mut self,
        content: &mut Content,
        surface: &Surface,
        space: paint::Space,
        control: Control<'_>,
    ) -> Result<(), Violation> {
        let rules = &self.options.print;
        let mut painter = paint::Painter {
            objects: &mut self.objects,
            images: &mut self.images,
            spaces: self.spaces,
            inking: Inking { rules, blend: surface.blend_space },
            lifting: None,
            scale: libm::sqrt(self.options.placement.matrix().determinant().abs()),
            control,
        };
        let parts = rules.parts(&surface.nodes);
        if rules.standard.is_flat() {
            let whole = || vec![crate::print::Part { plate: None, nodes: surface.nodes.clone() }];
            let parts = parts.unwrap_or_else(whole);
            return painter.flat(content, &parts, self.options.placement.scale, space);
        }
        let Some(parts) = parts else {
            return painter.nodes(content, &surface.nodes, space);
        };
        for part in parts {
            let (title, lifting, step) = match &part.plate {
                None => ("Artwork", None, None),
                Some((name, laid, step)) => (&**name, Some(*laid), *step),
            };
            let id = layers::layer(painter.objects, title, step)?;
            if !self.layers.contains(&id) {
                self.layers.push(id);
            }
            painter.lifting = lifting;
            content.begin_layer(id);
            painter.nodes(content, &part.nodes, space)?;
            content.end_layer();
        }
        Ok(())
    }

    /// The marks that the profile wants, around a trim and a bleed in mm from the page's top left.
    fn marks(
        &mut self,
        content: &mut Content,
        surface: &Surface,
        (trim, bleed): (Rect, Rect),
        room: Room,
    ) -> Result<(), Violation> {
        let rules = &self.options.print;
        let inking = Inking { rules, blend: surface.blend_space };
        let special = marks::special(surface, rules);
        let cmyk = surface.blend_space == BlendSpace::Process;
        let black = match cmyk {
            true => (self.spaces.cmyk, vec![0.0, 0.0, 0.0, 1.0]),
            false => (self.spaces.srgb, vec![0.0; 3]),
        };
        let (mut overprint, mut lines) = (None, vec![black.clone()]);
        match (cmyk, special.is_empty()) {
            (true, true) => lines = vec![(marks::all_plates(&mut self.objects)?, vec![1.0])],
            (true, false) => {
                overprint = Some(marks::overprint(&mut self.objects)?);
                let alone = |i: usize| (0..4).map(|plate| f64::from(u8::from(plate == i))).collect();
                lines = (0..4).map(|i| (self.spaces.cmyk, alone(i))).collect();
            }
            (false, _) => {}
        }
        let mut patches = Vec::new();
        if cmyk {
            patches.extend(room::solids(rules).into_iter().map(|inks| (self.spaces.cmyk, inks.to_vec())));
            patches.extend(room::GREYS.map(|k| (self.spaces.cmyk, vec![0.0, 0.0, 0.0, k])));
        } else {
            patches.extend(room::SCREEN.map(|c| (self.spaces.srgb, c.to_vec())));
        }
        for (name, plate) in room::spots(surface, rules) {
            let space = self.spaces.separation(&mut self.objects, name, plate.alternate, inking)?;
            patches.push((space, vec![1.0]));
        }
        let slug = rules.slugs.get(self.pages.len()).cloned();
        let page = marks::Page { trim, bleed, lines, overprint, words: black, patches, room, slug };
        if rules.standard.is_flat() {
            marks::paint(content, rules, &page);
            return Ok(());
        }
        let layer = layers::layer(&mut self.objects, "Marks", None)?;
        if !self.layers.contains(&layer) {
            self.layers.push(layer);
        }
        content.begin_layer(layer);
        marks::paint(content, rules, &page);
        content.end_layer();
        Ok(())
    }

    /// Ends the document; gives the sink back.
    ///
    /// # Errors
    /// When the sink does not take the bytes.
    pub fn finish(mut self) -> Result<(W, PdfSummary), Violation> {
        let tree = dictionary([
            ("Type", name("Pages")),
            ("Count", Object::Integer(self.kids.len() as i64)),
            ("Kids", Object::Array(self.kids)),
        ]);
        self.objects.put(self.tree, &Object::Dictionary(tree))?;
        let PdfOptions { title, created, print, .. } = &self.options;
        let (title, standard) = (title.as_deref(), print.standard);
        let created = match standard {
            Standard::Plain => created.as_ref(),
            Standard::X1a | Standard::X3 | Standard::X4 => {
                Some(created.as_ref().unwrap_or(&metadata::NO_DATE))
            }
        };
        // The packet stays readable without inflating.
        let packet = metadata::xmp(title, created, standard, self.objects.identity());
        let metadata = self.objects.add_encoded(metadata::xmp_entries(), packet.as_bytes())?;
        let mut catalog = dictionary([
            ("Type", name("Catalog")),
            ("Pages", Object::Reference(self.tree)),
            ("Metadata", Object::Reference(metadata)),
        ]);
        if let Some(condition) = &print.condition {
            let intent = output_intent(&mut self.objects, condition)?;
            catalog.set("OutputIntents", Object::Array(vec![Object::Reference(intent)]));
        }
        if !self.layers.is_empty() {
            catalog.set("OCProperties", layers::properties(&self.layers));
        }
        let catalog = self.objects.add(&Object::Dictionary(catalog))?;
        let info = self.objects.add(&Object::Dictionary(metadata::info(title, created, standard)))?;
        let (out, bytes) = self.objects.finish(catalog, info)?;
        Ok((out, PdfSummary { pages: self.pages, bytes }))
    }
}

/// The printing condition that the file is made for.
fn output_intent<W: Write>(objects: &mut Objects<W>, condition: &Condition) -> Result<ObjectId, Violation> {
    let profile = color::icc_stream(objects, condition.press.icc(), 4)?;
    let settings = &condition.settings;
    let named = settings.registered.as_deref().or(settings.condition.as_deref()).unwrap_or("Custom");
    let mut intent = dictionary([
        ("Type", name("OutputIntent")),
        ("S", name("GTS_PDFX")),
        ("OutputConditionIdentifier", object::text(named)),
        ("OutputCondition", object::text(condition.press.description())),
        ("Info", object::text(condition.press.description())),
        ("DestOutputProfile", Object::Reference(profile)),
    ]);
    if settings.registered.is_some() {
        intent.set("RegistryName", object::text("http://www.color.org"));
    }
    objects.add(&Object::Dictionary(intent))
}

/// A box in points.
fn points(mm: Rect) -> Object {
    numbers([mm.x0, mm.y0, mm.x1, mm.y1].map(|v| Length::mm(v).to_pt()))
}
