//! Pages without transparency: what lies beneath the topmost transparent thing, as images.
//!
//! The process inks are one DeviceCMYK image at the job's resolution, and every spot ink beneath
//! is a Separation image over it that overprints, so that each plate gets exactly what was painted
//! for it. Images are painted in bands and leave as they come; nothing holds a page. Each plate is
//! a pass of its own, since a PDF's streams are written one after the other.

use super::content::Content;
use super::deflate::Rows;
use super::flat::{Parted, Parter, left_over};
use super::image::{FLIP, image_entries, predicted};
use super::object::name;
use super::paint::{Painter, Space};
use super::rules::{Inking, Role};
use crate::asset::Limits;
use crate::catalog::print::Laid;
use crate::control::Control;
use crate::error::Violation;
use crate::raster::{self, Band, Frame, Packed, Sink};
use crate::scene::{Blend, Color, Ink, Node, Paint, Placement, Surface, bounds};
use kurbo::{Affine, Insets, Size};
use lopdf::{Object, ObjectId};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

/// A stretch of the page: the art, or a plate that is painted after it.
pub(super) struct Part {
    /// How the plate is laid; the art's parts each say it for themselves.
    pub(super) lifting: Option<Laid>,
    /// What is painted.
    pub(super) nodes: Vec<Node>,
}

impl<W: Write + Send> Painter<'_, W> {
    /// A page's parts, without transparency. `scale` is how much larger than the surface it is
    /// printed.
    pub(super) fn flat(
        &mut self,
        out: &mut Content,
        parts: Vec<Part>,
        scale: (f64, f64),
        space: Space,
    ) -> Result<(), Violation> {
        let mut parter = Parter::default();
        // From the top down, since everything beneath a part may have to go with it.
        let mut later: Vec<(Option<Laid>, Parted)> = Vec::new();
        let mut beneath = Vec::new();
        for (index, part) in parts.iter().enumerate().rev() {
            let mut parted = parter.part(&part.nodes, Affine::IDENTITY, space.visible)?;
            let transparent = !parted.below.is_empty();
            match part.lifting {
                // It leaves the plates beneath as they are, and they leave it.
                Some(Laid::Overprint) => later.push((part.lifting, parted)),
                Some(Laid::Multiply) => return Err(left_over()),
                Some(Laid::Knockout) | None if transparent => {
                    for earlier in &parts[..index] {
                        beneath.extend(overprinting(earlier));
                    }
                    beneath.append(&mut parted.below);
                    later.push((part.lifting, parted));
                    break;
                }
                Some(Laid::Knockout) | None => later.push((part.lifting, parted)),
            }
        }
        self.images(out, &beneath, scale, space, false)?;
        for (lifting, parted) in later.into_iter().rev() {
            self.images(out, &parted.below, scale, space, true)?;
            self.lifting = lifting;
            self.nodes(out, &parted.above, space)?;
        }
        self.lifting = None;
        Ok(())
    }
}

impl<W: Write + Send> Painter<'_, W> {
    /// What nodes leave on the plates, as images in their place; of plates that are painted after
    /// the art only the spot inks.
    fn images(
        &mut self,
        out: &mut Content,
        nodes: &[Node],
        scale: (f64, f64),
        space: Space,
        spots_only: bool,
    ) -> Result<(), Violation> {
        let Some(area) = bounds(nodes, Affine::IDENTITY).map(|area| area.intersect(space.visible)) else {
            return Ok(());
        };
        let placement = Placement { scale, ..Placement::default() };
        let frame = Frame::of(area, self.images.dpi, placement);
        let place = Affine::translate(area.origin().to_vec2())
            * Affine::scale_non_uniform(area.width(), area.height())
            * FLIP;
        let mut images = Vec::new();
        if !spots_only {
            let id = self.plate_image(nodes, &frame, None, Object::Reference(self.spaces.cmyk))?;
            images.push((id, None));
        }
        for (plate, alternate) in spots(nodes) {
            let ink = Ink::Spot { name: plate.clone(), tint: 1.0, alternate };
            let ink = self.spaces.ink(self.objects, &ink, space.tone, self.inking, Role::Area)?;
            let id = self.plate_image(nodes, &frame, Some(&plate), Object::Reference(ink.space))?;
            images.push((id, self.state(1.0, Blend::Normal, None, true)?));
        }
        for (image, state) in images {
            out.save();
            if let Some(state) = state {
                out.state(state);
            }
            out.transform(place);
            out.draw(image);
            out.restore();
        }
        Ok(())
    }

    /// One plate's image, or that of the process inks; 0 is no ink.
    fn plate_image(
        &mut self,
        nodes: &[Node],
        frame: &Frame,
        plate: Option<&str>,
        space: Object,
    ) -> Result<ObjectId, Violation> {
        let channels: usize = if plate.is_some() { 1 } else { 4 };
        let mut entries = image_entries(frame.width, frame.height, space);
        entries.set("Filter", name("FlateDecode"));
        entries.set("DecodeParms", predicted(frame.width, channels as u8));
        let limits = Limits { output_pixels: self.images.most_pixels, ..Limits::default() };
        let mut stream = self.objects.open_stream(entries)?;
        let mut rows = Rows::new(frame.width as usize, channels);
        let objects = &mut *self.objects;
        let mut write = |data: &[u8]| objects.continue_stream(&mut stream, &rows.push(data)?);
        plate_rows(nodes, frame, plate, self.inking, &limits, self.control, &mut write)?;
        let rest = rows.finish()?;
        self.objects.continue_stream(&mut stream, &rest)?;
        self.objects.close_stream(stream)
    }
}

/// The rows of a plate, or of the process inks.
fn plate_rows(
    nodes: &[Node],
    frame: &Frame,
    plate: Option<&str>,
    inking: Inking<'_>,
    limits: &Limits,
    control: Control<'_>,
    out: &mut (dyn FnMut(&[u8]) -> Result<(), Violation> + Send),
) -> Result<(), Violation> {
    let surface = Surface {
        name: "flat".into(),
        trim: Size::new(1.0, 1.0),
        bleed: Insets::ZERO,
        safe: Insets::ZERO,
        garment: None,
        blend_space: inking.blend,
        nodes: nodes.to_vec(),
        layers: Vec::new(),
    };
    match plate {
        Some(plate) => crate::derive::plate_rows(&surface, plate, frame, limits, control, out),
        None => {
            let frame = Frame { background: Some(Color::WHITE), ..frame.clone() };
            let Some(condition) = inking.condition() else { return Err(left_over()) };
            let sink = Process { condition, width: frame.width as usize, out: Mutex::new(out) };
            crate::raster::paint(&surface, &frame, limits, control, &sink).map(|_| ())
        }
    }
}

struct Process<'a, F> {
    condition: &'a super::Condition,
    width: usize,
    out: Mutex<F>,
}

impl<F: FnMut(&[u8]) -> Result<(), Violation> + Send> Sink for Process<'_, F> {
    fn encode(&self, band: &Band<'_>) -> Result<Packed, Violation> {
        let rgb: Vec<u8> = match band.rows {
            raster::Rows::Eight(pixels) => pixels.iter().flat_map(|p| [p[0], p[1], p[2]]).collect(),
            raster::Rows::Sixteen(pixels) => {
                pixels.iter().flat_map(|p| [p[0], p[1], p[2]].map(|v| (v >> 8) as u8)).collect()
            }
        };
        Ok(Packed { bytes: self.condition.pixels(&rgb)?, ..Packed::default() })
    }

    fn write(&self, packed: Packed) -> Result<(), Violation> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        out(&packed.bytes)
    }
}

/// A part that overprints, said by its own paths.
fn overprinting(part: &Part) -> Vec<Node> {
    part.nodes.clone()
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
