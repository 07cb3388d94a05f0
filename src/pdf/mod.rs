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
mod gradient;
mod image;
mod metadata;
mod object;
mod objects;
mod paint;
mod path;
mod pixels;
mod separation;
mod tiling;

pub use metadata::Moment;

use crate::asset::Limits;
use crate::control::Control;
use crate::error::Violation;
use crate::scene::{Dpi, Length, Placement, Surface};
use color::{Spaces, Tone};
use content::Content;
use image::Images;
use kurbo::{Affine, Rect};
use lopdf::{Object, ObjectId};
use object::{dictionary, name, numbers};
use objects::Objects;
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
}

/// A page's boxes in millimetres from the media box's bottom left corner, y up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PageBoxes {
    /// The whole page; the bleed box is the same.
    pub media: Rect,
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
}

impl<W: Write> PdfWriter<W> {
    /// Begins a document.
    ///
    /// # Errors
    /// When the sink does not take the bytes.
    pub fn new(out: W, options: PdfOptions) -> Result<Self, Violation> {
        let mut objects = Objects::new(out)?;
        let spaces = Spaces::new(&mut objects)?;
        let tree = objects.reserve();
        let images = Images::new(options.dpi, options.limits.output_pixels);
        Ok(PdfWriter { objects, images, spaces, options, tree, kids: Vec::new(), pages: Vec::new() })
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
        let to_media = Affine::translate((-area.x0, -area.y0)) * placed;
        let trim = to_media.transform_rect_bbox(surface.trim_box());
        // PDF counts from the bottom left, upwards.
        let boxes = PageBoxes {
            media: Rect::new(0.0, 0.0, area.width(), area.height()),
            trim: Rect::new(trim.x0, area.height() - trim.y1, trim.x1, area.height() - trim.y0),
        };
        let to_points = Affine::new([
            72.0 / crate::scene::MM_PER_INCH,
            0.0,
            0.0,
            -72.0 / crate::scene::MM_PER_INCH,
            0.0,
            Length::mm(area.height()).to_pt(),
        ]);
        let base = to_points * to_media;

        let mut content = Content::default();
        content.save();
        content.transform(base);
        let space = paint::Space { to_stream: base, to_page: to_media, visible: bleed, tone: Tone::Color };
        let mut painter = paint::Painter {
            objects: &mut self.objects,
            images: &mut self.images,
            spaces: self.spaces,
            blend: surface.blend_space,
            control,
        };
        painter.nodes(&mut content, &surface.nodes, space)?;
        content.restore();
        let (data, resources) = content.finish()?;
        let contents = self.objects.add_deflated(lopdf::Dictionary::new(), &data)?;
        let blending = self.spaces.blending(Tone::Color, surface.blend_space);
        let page = dictionary([
            ("Type", name("Page")),
            ("Parent", Object::Reference(self.tree)),
            ("MediaBox", points(boxes.media)),
            ("BleedBox", points(boxes.media)),
            ("TrimBox", points(boxes.trim)),
            ("Resources", Object::Dictionary(resources)),
            ("Contents", Object::Reference(contents)),
            ("Group", Object::Dictionary(content::transparency_group(blending))),
        ]);
        let id = self.objects.reserve();
        self.objects.put(id, &Object::Dictionary(page))?;
        self.kids.push(Object::Reference(id));
        self.pages.push(boxes);
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
        let (title, created) = (self.options.title.as_deref(), self.options.created.as_ref());
        // The packet stays readable without inflating.
        let metadata =
            self.objects.add_encoded(metadata::xmp_entries(), metadata::xmp(title, created).as_bytes())?;
        let catalog = self.objects.add(&Object::Dictionary(dictionary([
            ("Type", name("Catalog")),
            ("Pages", Object::Reference(self.tree)),
            ("Metadata", Object::Reference(metadata)),
        ])))?;
        let info = self.objects.add(&Object::Dictionary(metadata::info(title, created)))?;
        let (out, bytes) = self.objects.finish(catalog, info)?;
        Ok((out, PdfSummary { pages: self.pages, bytes }))
    }
}

/// A box in points.
fn points(mm: Rect) -> Object {
    numbers([mm.x0, mm.y0, mm.x1, mm.y1].map(|v| Length::mm(v).to_pt()))
}
