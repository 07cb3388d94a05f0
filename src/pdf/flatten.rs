//! Pages without transparency: what lies beneath the topmost transparent thing, as images.
//!
//! The process inks are one DeviceCMYK image at the job's resolution, and every spot ink beneath
//! is a Separation image over it that overprints, so that each plate gets exactly what was painted
//! for it. Images are painted in bands and leave as they come; nothing holds a page. Each of them is
//! painted by itself, since a PDF's streams are written one after the other.

use super::content::Content;
use super::deflate;
use super::flat::{Parted, Parter, left_over};
use super::image::{FLIP, image_entries, predicted};
use super::object::name;
use super::objects::{Objects, OpenStream};
use super::paint::{Painter, Space};
use crate::asset::Limits;
use crate::catalog::print::Laid;
use crate::derive::plate_rows;
use crate::error::{Code, Violation};
use crate::print::{Part, Role};
use crate::raster::{BAND_ROWS, Frame, InkBand, InkSink, Packed, Planes, paint_inks};
use crate::scene::separation::Content as Carried;
use crate::scene::{Blend, Color, Ink, Node, Paint, Placement, Surface, bounds};
use kurbo::{Affine, Insets, Size};
use lopdf::{Object, ObjectId};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use zlib_rs::adler32::adler32_combine;

impl<W: Write + Send> Painter<'_, W> {
    /// A page's parts, without transparency. `scale` is how much larger than the surface it is
    /// printed.
    pub(super) fn flat(
        &mut self,
        out: &mut Content,
        parts: &[Part],
        scale: (f64, f64),
        space: Space,
    ) -> Result<(), Violation> {
        let mut parter = Parter::default();
        // From the top down, since everything beneath a part may have to go with it.
        let mut later: Vec<(&Part, Parted)> = Vec::new();
        let mut beneath = Vec::new();
        for (index, part) in parts.iter().enumerate().rev() {
            let mut parted = parter.part(&part.nodes, Affine::IDENTITY, space.visible)?;
            let transparent = !parted.below.is_empty();
            match part.plate.as_ref().map(|plate| plate.1) {
                Some(Laid::Multiply) => return Err(left_over()),
                // It leaves the plates beneath as they are, and they leave it.
                Some(Laid::Overprint) => {
                    if transparent && part.nodes.iter().any(is_coverage) {
                        parted = Parted { below: part.nodes.clone(), above: Vec::new() };
                    }
                    later.push((part, parted));
                }
                Some(Laid::Knockout) | None if transparent => {
                    beneath.extend(parts[..index].iter().flat_map(|earlier| earlier.nodes.iter().cloned()));
                    beneath.append(&mut parted.below);
                    later.push((part, parted));
                    break;
                }
                Some(Laid::Knockout) | None => later.push((part, parted)),
            }
        }
        if beneath.iter().any(is_coverage) {
            return Err(Violation::new(
                Code::TemplateInvalid,
                "an ink that knocks out has transparency above a plate that is made from the art; \
                 lay that ink by overprint, or make it opaque",
            ));
        }
        if !beneath.is_empty() {
            self.images(out, &beneath, true, scale, space)?;
        }
        for (part, parted) in later.into_iter().rev() {
            if !parted.below.is_empty() {
                self.images(out, &parted.below, false, scale, space)?;
            }
            self.lifting = part.plate.as_ref().map(|plate| plate.1);
            self.nodes(out, &parted.above, space)?;
        }
        self.lifting = None;
        Ok(())
    }

    /// What nodes leave on the plates, as images in their place; the process inks where they are
    /// wanted.
    fn images(
        &mut self,
        out: &mut Content,
        nodes: &[Node],
        process: bool,
        scale: (f64, f64),
        space: Space,
    ) -> Result<(), Violation> {
        let Some(area) = bounds(nodes, Affine::IDENTITY).map(|area| area.intersect(space.visible)) else {
            return Ok(());
        };
        let placement = Placement { scale, ..Placement::default() };
        let mut frame = Frame::of(area, self.images.dpi, placement);
        frame.background = Some(Color::WHITE);
        let mut images = Vec::new();
        if process {
            images.push((self.plate_image(nodes, &frame, None)?, None));
        }
        for (plate, alternate) in spots(nodes) {
            let ink = Ink::Spot { name: plate, tint: 1.0, alternate };
            let id = self.plate_image(nodes, &frame, Some(&ink))?;
            images.push((id, self.state(1.0, Blend::Normal, None, true)?));
        }
        let place = Affine::translate(area.origin().to_vec2())
            * Affine::scale_non_uniform(area.width(), area.height());
        for (image, state) in images {
            out.save();
            if let Some(state) = state {
                out.state(state);
            }
            out.transform(place * FLIP);
            out.draw(image);
            out.restore();
        }
        Ok(())
    }

    /// The image of the process inks, or of one spot ink; 0 is no ink.
    fn plate_image(
        &mut self,
        nodes: &[Node],
        frame: &Frame,
        spot: Option<&Ink>,
    ) -> Result<ObjectId, Violation> {
        let (space, channels) = match spot {
            None => (name("DeviceCMYK"), 4),
            Some(ink) => {
                let painted =
                    self.spaces.ink(self.objects, ink, super::color::Tone::Color, self.inking, Role::Area)?;
                (Object::Reference(painted.space), 1)
            }
        };
        let mut entries = image_entries(frame.width, frame.height, space);
        entries.set("Filter", name("FlateDecode"));
        entries.set("DecodeParms", predicted(frame.width, channels as u8));
        let limits = Limits { output_pixels: self.images.most_pixels, ..Limits::default() };
        frame.check(&limits)?;
        let control = self.control;
        let sink = ImageSink::new(self.objects, entries, channels)?;
        match spot {
            Some(Ink::Spot { name, .. }) if nodes.iter().any(is_coverage) => {
                let (width, mut rows) = (frame.width as usize, Vec::new());
                let whole = BAND_ROWS as usize * width;
                plate_rows(&surface(nodes), name, frame, &limits, control, |row| {
                    rows.extend_from_slice(row);
                    if rows.len() < whole {
                        return Ok(());
                    }
                    sink.write(packed(&std::mem::take(&mut rows), width, channels)?)
                })?;
                if !rows.is_empty() {
                    sink.write(packed(&rows, width, channels)?)?;
                }
            }
            Some(Ink::Spot { name, .. }) => {
                let spots = std::slice::from_ref(name);
                paint_inks(nodes, self.inking.rules, spots, frame, &limits, control, &[&sink])?;
            }
            Some(Ink::Process(_)) | None => {
                paint_inks(nodes, self.inking.rules, &[], frame, &limits, control, &[&sink])?;
            }
        }
        sink.finish()
    }
}

/// An image under way: bands of ink go in, its stream goes out.
struct ImageSink<'a, W> {
    channels: usize,
    state: Mutex<State<'a, W>>,
}

struct State<'a, W> {
    objects: &'a mut Objects<W>,
    stream: OpenStream,
    check: u32,
}

impl<'a, W: Write + Send> ImageSink<'a, W> {
    fn new(
        objects: &'a mut Objects<W>,
        entries: lopdf::Dictionary,
        channels: usize,
    ) -> Result<Self, Violation> {
        let mut stream = objects.open_stream(entries)?;
        objects.continue_stream(&mut stream, &deflate::HEAD)?;
        Ok(ImageSink { channels, state: Mutex::new(State { objects, stream, check: 1 }) })
    }

    fn finish(self) -> Result<ObjectId, Violation> {
        let State { objects, mut stream, check } =
            self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        objects.continue_stream(&mut stream, &deflate::tail(check))?;
        objects.close_stream(stream)
    }
}

impl<W: Write + Send> InkSink for ImageSink<'_, W> {
    fn encode(&self, band: &InkBand<'_>) -> Result<Packed, Violation> {
        let (Planes::Eight { inks, .. }, n) = (band.planes, self.channels) else {
            return Err(Violation::new(Code::InternalError, "an image is made of 8 bits; please report it"));
        };
        // Process inks come first, a spot ink after them.
        let inks = if n == 1 { inks.get(4..5) } else { inks.get(..n) }.unwrap_or_default();
        let mut rows = vec![0; band.width * band.height * n];
        for (channel, plane) in inks.iter().enumerate() {
            rows.iter_mut().skip(channel).step_by(n).zip(*plane).for_each(|(to, ink)| *to = *ink);
        }
        packed(&rows, band.width, n)
    }

    fn write(&self, packed: Packed) -> Result<(), Violation> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { objects, stream, check } = &mut *state;
        *check = adler32_combine(*check, packed.check, packed.raw_bytes);
        objects.continue_stream(stream, &packed.bytes)
    }
}

fn packed(rows: &[u8], width: usize, channels: usize) -> Result<Packed, Violation> {
    let deflate::PackedBand { bytes, check, raw_bytes } =
        deflate::band(&mut crate::encode::pack::Room::default(), rows, width, channels)?;
    Ok(Packed { bytes, check, raw_bytes })
}

/// Nodes as a surface of their own.
fn surface(nodes: &[Node]) -> Surface {
    Surface {
        name: "plate".into(),
        trim: Size::new(1.0, 1.0),
        bleed: Insets::ZERO,
        safe: Insets::ZERO,
        garment: None,
        blend_space: crate::scene::BlendSpace::Process,
        nodes: nodes.to_vec(),
        layers: Vec::new(),
    }
}

/// A plate that is made from the art.
fn is_coverage(node: &Node) -> bool {
    matches!(node, Node::Separation(plate) if matches!(plate.content, Carried::Coverage(_)))
}

/// The spot inks that nodes print with, and what stands in for them.
fn spots(nodes: &[Node]) -> BTreeMap<Arc<str>, Color> {
    let mut found = BTreeMap::new();
    gather(nodes, &mut found);
    found
}

fn gather(nodes: &[Node], found: &mut BTreeMap<Arc<str>, Color>) {
    fn add(ink: &Ink, found: &mut BTreeMap<Arc<str>, Color>) {
        if let Ink::Spot { name, alternate, .. } = ink {
            found.entry(name.clone()).or_insert(*alternate);
        }
    }
    for node in nodes {
        match node {
            Node::Group(group) => gather(&group.nodes, found),
            Node::Path(path) => {
                let paints = [path.fill.as_ref().map(|f| &f.paint), path.stroke.as_ref().map(|s| &s.paint)];
                for paint in paints.into_iter().flatten() {
                    match paint {
                        Paint::Solid(ink) => add(ink, found),
                        Paint::Linear(g) => g.stops.stops.iter().for_each(|stop| add(&stop.1, found)),
                        Paint::Radial(g) => g.stops.stops.iter().for_each(|stop| add(&stop.1, found)),
                        Paint::Tiling(tiling) => gather(&tiling.group.nodes, found),
                    }
                }
            }
            Node::Pattern(pattern) => gather(&pattern.cell.nodes, found),
            Node::Separation(separation) => add(&separation.ink, found),
            Node::Image(_) | Node::Filter(_) => {}
        }
    }
}
