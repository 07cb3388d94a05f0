//! Pictures: passed through as JPEG where nothing about them changes, else as pixels.
//!
//! A JPEG keeps its scan; crop and orientation are a clip and a matrix. Everything else is
//! decoded, adjusted, cropped, brought down to the job's resolution where it has far more, and
//! written as 8-bit samples with a soft mask for its alpha.

use super::bounds::scales;
use super::color::{Tone, icc_based, icc_stream};
use super::content::{Content, PathPaint};
use super::deflate;
use super::object::{dictionary, name, numbers};
use super::objects::Objects;
use super::paint::{Painter, Space};
use super::pixels::{self, Plane};
use crate::asset::lanczos::LOBES;
use crate::asset::{Depth, JpegStream, adjust};
use crate::control::Work;
use crate::error::Violation;
use crate::scene::{BlendSpace, Dpi, ImageNode};
use kurbo::{Affine, Rect, Shape};
use lopdf::{Object, ObjectId};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Write;

/// A JPEG with more than this many times the job's resolution is brought down.
const MOST_PASSED: f64 = 2.0;
/// Bytes up to which a JPEG is passed through at any resolution.
const SMALL_JPEG: u64 = 256 * 1024;
/// Pixels with more than this many times the job's resolution are brought down to it.
const MOST_KEPT: f64 = 1.25;

/// Pixels that hard edges may be enlarged to; beyond it they are kept softer, by less than a pixel of these.
const MOST_ENLARGED: f64 = 32e6;

/// The unit square.
pub(super) const UNIT: Rect = Rect::new(0.0, 0.0, 1.0, 1.0);
/// From PDF's picture space (y up) to the unit square (y down).
pub(super) const FLIP: Affine = Affine::new([1.0, 0.0, 0.0, -1.0, 0.0, 1.0]);

/// A picture in the document.
#[derive(Debug, Clone, Copy)]
pub(super) enum Placed {
    /// The object, and which part of the upright picture it shows.
    Object(ObjectId, Rect),
    /// Opaque where only coverage counts: an area will do.
    Solid,
}

/// Pictures the document already has, by what went into them.
pub(super) struct Images {
    /// The job's resolution.
    pub(super) dpi: Dpi,
    /// Pixels that a rasterised filter may have.
    pub(super) most_pixels: u64,
    known: BTreeMap<[u8; 32], Placed>,
    /// Keeps its room from picture to picture.
    resizer: fast_image_resize::Resizer,
}

impl Images {
    pub(super) fn new(dpi: Dpi, most_pixels: u64) -> Self {
        Images { dpi, most_pixels, known: BTreeMap::new(), resizer: fast_image_resize::Resizer::new() }
    }

    pub(super) fn get(&self, key: &[u8; 32]) -> Option<Placed> {
        self.known.get(key).copied()
    }

    pub(super) fn keep(&mut self, key: [u8; 32], placed: Placed) {
        self.known.insert(key, placed);
    }
}

impl<W: Write> Painter<'_, W> {
    /// A picture, in its place.
    pub(super) fn image(
        &mut self,
        out: &mut Content,
        node: &ImageNode,
        space: Space,
    ) -> Result<(), Violation> {
        let (width, height) = node.picture.size();
        let seen = node.transform.transform_rect_bbox(UNIT).intersect(space.visible);
        if node.crop.intersect(UNIT).area() <= 0.0
            || node.transform.determinant().abs() < 1e-18
            || seen.area() <= 0.0
        {
            return Ok(());
        }
        let narrowed = node.pixelated.then(|| narrowed(node, seen, space.millimetre())).flatten();
        let node = narrowed.as_ref().unwrap_or(node);
        let crop = node.crop.intersect(UNIT);
        // From the upright picture's unit square to the crop's.
        let to_crop = Affine::scale_non_uniform(1.0 / crop.width(), 1.0 / crop.height())
            * Affine::translate((-crop.x0, -crop.y0));
        let across = scales(space.to_page * node.transform);
        // Pixels a millimetre on the page, along the picture's columns and rows.
        let density =
            (crop.width() * f64::from(width) / across.0, crop.height() * f64::from(height) / across.1);
        let excess = density.0.max(density.1) / self.images.dpi.per_mm();

        out.save();
        if let Some((id, orientation)) = self.passed_through(node, space.tone, excess)? {
            if crop != UNIT {
                out.path(&(node.transform * UNIT.to_path(0.1)), PathPaint::Clip, false);
            }
            out.transform(node.transform * to_crop * upright(orientation) * FLIP);
            out.draw(id);
        } else {
            match self.decoded(node, crop, density, across, space.tone)? {
                Placed::Object(id, part) => {
                    if part != crop {
                        out.path(&(node.transform * UNIT.to_path(0.1)), PathPaint::Clip, false);
                    }
                    let part = Affine::translate((part.x0, part.y0))
                        * Affine::scale_non_uniform(part.width(), part.height());
                    out.transform(node.transform * to_crop * part * FLIP);
                    out.draw(id);
                }
                Placed::Solid => {
                    out.color(self.spaces.grey, &[1.0], false);
                    out.path(&(node.transform * UNIT.to_path(0.1)), PathPaint::Fill, false);
                }
            }
        }
        out.restore();
        Ok(())
    }

    /// The JPEG as it is, with its orientation, where that is allowed.
    fn passed_through(
        &mut self,
        node: &ImageNode,
        tone: Tone,
        excess: f64,
    ) -> Result<Option<(ObjectId, u8)>, Violation> {
        let picture = &node.picture;
        let plain = node.adjust.is_empty() && node.matte.is_none() && !node.pixelated && tone == Tone::Color;
        // Its own inks would be lost with it.
        let own_inks = picture.is_cmyk() && self.inking.keeps(picture.source().icc());
        if !plain || (excess > MOST_PASSED && picture.encoded().len() > SMALL_JPEG && !own_inks) {
            return Ok(None);
        }
        let mut key = Sha256::new();
        key.update(b"jpeg");
        key.update(picture.sha256());
        let key = key.finalize().into();
        if let Some(Placed::Object(id, _)) = self.images.get(&key) {
            return Ok(Some((id, picture.orientation())));
        }
        let Some(jpeg) = picture.jpeg_stream()? else { return Ok(None) };
        let Some(space) = self.jpeg_space(&jpeg)? else { return Ok(None) };
        let (width, height) = picture.stored_size();
        let mut entries = image_entries(width, height, space);
        entries.set("Filter", name("DCTDecode"));
        entries.set("Interpolate", Object::Boolean(true));
        if jpeg.inverted {
            entries.set("Decode", numbers([1.0, 0.0].repeat(usize::from(jpeg.components))));
        }
        // Files that differ in their metadata alone are one object.
        let id = self.objects.add_encoded(entries, &jpeg.bytes)?;
        self.images.keep(key, Placed::Object(id, UNIT));
        Ok(Some((id, picture.orientation())))
    }

    /// What a JPEG's components mean; `None` where they have to be converted.
    fn jpeg_space(&mut self, jpeg: &JpegStream) -> Result<Option<Object>, Violation> {
        if self.inking.condition().is_some() {
            if jpeg.components == 4 {
                return Ok(self.inking.keeps(jpeg.icc.as_deref()).then(|| name("DeviceCMYK")));
            }
            // Grey without a profile is sRGB's, not black ink.
            if self.inking.converter().is_some() || (jpeg.components == 1 && jpeg.icc.is_none()) {
                return Ok(None);
            }
        } else if jpeg.components == 4 && self.inking.blend == BlendSpace::Srgb {
            return Ok(None);
        }
        if let Some(profile) = &jpeg.icc {
            let stream = icc_stream(self.objects, profile, jpeg.components)?;
            return Ok(Some(Object::Reference(self.objects.add(&icc_based(stream))?)));
        }
        Ok(match jpeg.components {
            1 => Some(name("DeviceGray")),
            3 => Some(Object::Reference(self.spaces.srgb)),
            4 => Some(name("DeviceCMYK")),
            _ => None,
        })
    }

    /// Colour in the inks of the press, where sRGB is converted.
    pub(super) fn inked(&self, planes: pixels::Planes, tone: Tone) -> Result<pixels::Planes, Violation> {
        let (Some(condition), Tone::Color) = (self.inking.converter(), tone) else { return Ok(planes) };
        let data = condition.pixels_8(planes.color.data.as_chunks().0)?.into_flattened();
        Ok(pixels::Planes { color: Plane { channels: 4, data, ..planes.color }, ..planes })
    }

    /// The picture's pixels, adjusted and cropped. `across` is the crop's size on the page in mm.
    fn decoded(
        &mut self,
        node: &ImageNode,
        crop: Rect,
        density: (f64, f64),
        across: (f64, f64),
        tone: Tone,
    ) -> Result<Placed, Violation> {
        let per_mm = self.images.dpi.per_mm();
        let target = |mm: f64| (libm::round(mm * per_mm)).max(1.0);
        let (width, height) = node.picture.size();
        let pixels_in = (crop.width() * f64::from(width), crop.height() * f64::from(height));
        let reduce = density.0.max(density.1) > per_mm * MOST_KEPT;
        let enlarge = node.pixelated && density.0.min(density.1) < per_mm;
        let size = if reduce || enlarge {
            // Never more than there is, except for pixel art, whose edges stay hard.
            let wanted = (target(across.0), target(across.1));
            let most = libm::sqrt(MOST_ENLARGED / (wanted.0 * wanted.1)).min(1.0);
            let fit = |there: f64, wanted: f64| {
                let there = libm::ceil(there);
                if enlarge { libm::ceil(wanted * most).max(there.min(wanted)) } else { wanted.min(there) }
            };
            Some((fit(pixels_in.0, wanted.0) as u32, fit(pixels_in.1, wanted.1) as u32))
        } else {
            None
        };
        let key = {
            let mut key = Sha256::new();
            key.update(b"pixels");
            key.update(node.picture.sha256());
            key.update(node.matte.as_ref().map(|m| m.sha256()).unwrap_or_default());
            let blurs = node.adjust.iter().any(|a| matches!(a, crate::scene::Adjust::Blur(_)));
            let density = if blurs { Some(density) } else { None };
            // The derived form names every number exactly.
            key.update(format!("{:?}", (&node.adjust, density, crop, size, tone, node.pixelated)));
            key.finalize().into()
        };
        if let Some(placed) = self.images.get(&key) {
            return Ok(placed);
        }
        let shrink = match size {
            Some(size) if node.matte.is_none() && !node.pixelated => {
                let spare = (pixels_in.0 / f64::from(size.0)).min(pixels_in.1 / f64::from(size.1));
                adjust::shrink(&node.picture, &node.adjust, spare)
            }
            Some(_) | None => 1,
        };
        let mut picture = node.picture.decode_for(Depth::Eight, shrink, self.control)?;
        if let Some(matte) = &node.matte {
            adjust::apply_matte(&mut picture, &matte.decode_for(Depth::Eight, 1, self.control)?)?;
        }
        let resizer = &mut self.images.resizer;
        let mut part = crop;
        let cropped = match size {
            // Fewer pixels are left to be toned.
            Some(size) if !node.pixelated && adjust::may_follow(&node.adjust) => {
                let mut small = pixels::resampled(resizer, picture, crop, size, false)?;
                adjust::apply(&mut small, &node.adjust, density);
                small
            }
            Some(size) => {
                // A reduction's kernel reaches past the crop.
                let columns = crop.width() * f64::from(picture.width) / f64::from(size.0);
                let rows = crop.height() * f64::from(picture.height) / f64::from(size.1);
                let reach = LOBES * columns.max(rows).max(1.0);
                let window = adjust::Window::around(&picture, crop, reach + 1.0);
                adjust::apply_within(&mut picture, &node.adjust, density, &window);
                pixels::resampled(resizer, picture, crop, size, node.pixelated)?
            }
            None => {
                let window = adjust::Window::around(&picture, crop, 1.0);
                adjust::apply_within(&mut picture, &node.adjust, density, &window);
                let (pixels, kept) = pixels::cropped(picture, crop);
                part = kept;
                pixels
            }
        };
        let planes = self.inked(pixels::planes(cropped, tone), tone)?;
        let written = self
            .control
            .measured(Work::Encode, || write_planes(self.objects, self.spaces.srgb, &planes, tone, &key));
        let placed = match written? {
            Some(id) => Placed::Object(id, part),
            None => Placed::Solid,
        };
        self.images.keep(key, placed);
        Ok(placed)
    }
}

/// Writes colour samples and alpha; `None` where opaque white is all there is to say. The key is of all
/// that the planes were made from.
pub(super) fn write_planes<W: Write>(
    objects: &mut Objects<W>,
    srgb: ObjectId,
    planes: &pixels::Planes,
    tone: Tone,
    key: &[u8; 32],
) -> Result<Option<ObjectId>, Violation> {
    // Pictures of other colours may share their alpha.
    let mask = match &planes.alpha {
        Some(alpha) => {
            Some(objects.add_encoded(plane_entries(alpha, name("DeviceGray"), None), &packed(alpha)?)?)
        }
        None => None,
    };
    let space = match tone {
        Tone::Color => Object::Reference(srgb),
        Tone::Luma => name("DeviceGray"),
        Tone::White => {
            let Some(mask) = mask else { return Ok(None) };
            let white = Plane { width: 1, height: 1, channels: 1, data: vec![255] };
            let entries = plane_entries(&white, name("DeviceGray"), Some(mask));
            return objects.add_encoded(entries, &packed(&white)?).map(Some);
        }
    };
    let entries = plane_entries(&planes.color, space, mask);
    objects.add_identified(key, entries, &packed(&planes.color)?).map(Some)
}

fn packed(plane: &Plane) -> Result<Vec<u8>, Violation> {
    deflate::picture(&plane.data, plane.width as usize, usize::from(plane.channels))
}

fn plane_entries(plane: &Plane, space: Object, mask: Option<ObjectId>) -> lopdf::Dictionary {
    let mut entries = image_entries(plane.width, plane.height, space);
    entries.set("Interpolate", Object::Boolean(true));
    entries.set("DecodeParms", predicted(plane.width, plane.channels));
    if let Some(mask) = mask {
        entries.set("SMask", Object::Reference(mask));
    }
    entries.set("Filter", name("FlateDecode"));
    entries
}

/// The parameters of rows that are filtered as in PNG.
pub(super) fn predicted(width: u32, channels: u8) -> Object {
    Object::Dictionary(dictionary([
        ("Predictor", Object::Integer(15)),
        ("Colors", Object::Integer(i64::from(channels))),
        ("BitsPerComponent", Object::Integer(8)),
        ("Columns", Object::Integer(i64::from(width))),
    ]))
}

/// An image of 8 bits a component.
pub(super) fn image_entries(width: u32, height: u32, space: Object) -> lopdf::Dictionary {
    dictionary([
        ("Type", name("XObject")),
        ("Subtype", name("Image")),
        ("Width", Object::Integer(i64::from(width))),
        ("Height", Object::Integer(i64::from(height))),
        ("ColorSpace", space),
        ("BitsPerComponent", Object::Integer(8)),
    ])
}

/// A picture of hard pixels cut to what can be seen of it, where that is less than half: its pixels are
/// enlarged, and of what nobody sees there may be kilometres.
fn narrowed(node: &ImageNode, seen: Rect, margin: f64) -> Option<ImageNode> {
    let part = node.transform.inverse().transform_rect_bbox(seen.inflate(margin, margin)).intersect(UNIT);
    if part.area() >= 0.5 || part.area() <= 0.0 {
        return None;
    }
    let crop = node.crop.intersect(UNIT);
    let place =
        Affine::translate((crop.x0, crop.y0)) * Affine::scale_non_uniform(crop.width(), crop.height());
    let transform = node.transform
        * Affine::translate((part.x0, part.y0))
        * Affine::scale_non_uniform(part.width(), part.height());
    Some(ImageNode { transform, crop: place.transform_rect_bbox(part), ..node.clone() })
}

/// From the stored picture's unit square to the upright one's, by EXIF orientation.
fn upright(orientation: u8) -> Affine {
    Affine::new(match orientation {
        2 => [-1.0, 0.0, 0.0, 1.0, 1.0, 0.0],
        3 => [-1.0, 0.0, 0.0, -1.0, 1.0, 1.0],
        4 => [1.0, 0.0, 0.0, -1.0, 0.0, 1.0],
        5 => [0.0, 1.0, 1.0, 0.0, 0.0, 0.0],
        6 => [0.0, 1.0, -1.0, 0.0, 1.0, 0.0],
        7 => [0.0, -1.0, -1.0, 0.0, 1.0, 1.0],
        8 => [0.0, -1.0, 1.0, 0.0, 0.0, 1.0],
        _ => [1.0, 0.0, 0.0, 1.0, 0.0, 0.0],
    })
}
