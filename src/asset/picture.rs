//! The handle that the rest of the program holds: a probed picture, still encoded.

use super::encoded::changed;
use super::jpeg::{self, Jpeg};
use super::jpeg_decode;
use super::jpeg_scan;
use super::jpeg_stream::{self, JpegStream};
use super::png::{self, Png, PngColor};
use super::shared::{Shared, Sharing};
use super::tiff::{self, Tiff};
use super::upright::{swaps_sides, upright};
use super::webp::{self, WebP};
use super::{Depth, Encoded, Format, Limits, Origin, Pixels, Samples, corrupt, sniff};
use crate::cache::{self, Cache};
use crate::color::{Channels, Components, ProfileSpace, Raster, Source, probe_profile, to_srgb};
use crate::control::{Control, Work};
use crate::error::{Code, Violation};
use sha2::{Digest, Sha256};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A probed picture: its structure is known and within limits, its pixels are still encoded.
#[derive(Debug)]
pub struct Picture {
    bytes: Encoded,
    origin: Origin,
    limits: Limits,
    sha256: [u8; 32],
    size: (u32, u32),
    orientation: u8,
    channels: Channels,
    source: Source,
    space: Option<ProfileSpace>,
    kind: Kind,
    /// Where decoded pixels are kept for other orders.
    cache: Option<Arc<Cache>>,
    /// Decoded pixels for the order's next output.
    shared: Option<Shared>,
}

/// What the walk over each format found.
#[derive(Debug)]
enum Kind {
    Jpeg(Jpeg),
    Png(Png),
    WebP(WebP),
    Tiff(Tiff),
}

impl Kind {
    /// Stored columns and rows, orientation, and what a decoded pixel will consist of.
    fn header(&self) -> ((u32, u32), u8, Channels) {
        match self {
            Kind::Jpeg(j) => ((j.width, j.height), j.orientation, j.meaning.channels()),
            Kind::Png(p) => ((p.width, p.height), p.orientation, p.channels),
            Kind::WebP(w) => ((w.width, w.height), w.orientation, w.channels),
            Kind::Tiff(t) => ((t.width, t.height), t.orientation, t.channels),
        }
    }
}

impl Picture {
    /// Walks the file; checks type, limits, structure and the embedded profile. Allocates nothing
    /// that grows with the pixels.
    ///
    /// # Errors
    /// `asset.empty`, `asset.too_large`, `asset.type_unsupported`, `image.dimensions_exceeded`,
    /// `image.pixels_exceeded`, `image.metadata_exceeded`, `image.complexity_exceeded`,
    /// `image.corrupt`, `image.profile_invalid`.
    pub fn probe(encoded: Encoded, limits: &Limits) -> Result<Picture, Violation> {
        if encoded.is_empty() || encoded.len() > limits.src_bytes {
            // Told below, before a byte is read.
            return Picture::probe_loaded(encoded, &[], [0; 32], limits);
        }
        let bytes = encoded.load()?;
        let sha256 = Sha256::digest(&bytes).into();
        Picture::probe_loaded(encoded, &bytes, sha256, limits)
    }

    /// As [`Picture::probe`], for bytes that are at hand, with their SHA-256.
    ///
    /// # Errors
    /// As [`Picture::probe`].
    pub fn probe_loaded(
        encoded: Encoded,
        bytes: &[u8],
        sha256: [u8; 32],
        limits: &Limits,
    ) -> Result<Picture, Violation> {
        if encoded.is_empty() {
            return Err(Violation::new(Code::AssetEmpty, "The file has no bytes; send the picture again."));
        }
        if encoded.len() > limits.src_bytes {
            return Err(Violation::new(
                Code::AssetTooLarge,
                format!(
                    "The file has {} bytes, and at most {} are accepted; send a smaller one.",
                    encoded.len(),
                    limits.src_bytes
                ),
            )
            .limit(limits.src_bytes));
        }
        let format = Format::sniff(bytes).ok_or_else(|| sniff::refuse(bytes))?;
        let limits = *limits;
        guarded(|| {
            let (kind, source) = match format {
                Format::Jpeg => {
                    let mut jpeg = jpeg::probe(bytes, &limits)?;
                    let icc = jpeg.icc.take();
                    (Kind::Jpeg(jpeg), from_icc(icc))
                }
                Format::Png => {
                    let mut png = png::probe(bytes, &limits)?;
                    let source = match std::mem::replace(&mut png.color, PngColor::Srgb) {
                        PngColor::Srgb => Source::Srgb,
                        PngColor::Icc(icc) => Source::Icc(icc.into()),
                        PngColor::Calibrated(calibration) => Source::Calibrated(calibration),
                    };
                    (Kind::Png(png), source)
                }
                Format::WebP => {
                    let mut webp = webp::probe(bytes, &limits)?;
                    let icc = webp.icc.take();
                    (Kind::WebP(webp), from_icc(icc))
                }
                Format::Tiff => {
                    let mut tiff = tiff::probe(bytes, &limits)?;
                    let icc = tiff.icc.take();
                    (Kind::Tiff(tiff), from_icc(icc))
                }
            };
            let (size, orientation, channels) = kind.header();
            let space = match &source {
                Source::Icc(icc) => Some(probe_profile(icc, channels)?),
                Source::Srgb | Source::Calibrated(_) => None,
            };
            let origin = Origin::Unknown;
            Ok(Picture {
                bytes: encoded,
                origin,
                limits,
                sha256,
                size,
                orientation,
                channels,
                source,
                space,
                kind,
                cache: None,
                shared: None,
            })
        })
    }

    /// The same picture, with the place that its violations will name.
    #[must_use]
    pub fn of(self, origin: Origin) -> Picture {
        Picture { origin, ..self }
    }

    /// What this picture decodes to is kept, for the many orders that show it.
    pub fn keep_in(&mut self, cache: Arc<Cache>) {
        self.cache = Some(cache);
    }

    /// What this picture decodes to is kept for the other outputs of its order, where it is small.
    pub fn share(&mut self, sharing: Sharing) {
        self.shared = Some(Shared::new(sharing));
    }

    /// Where what is made of this picture is kept for other orders.
    pub fn cache(&self) -> Option<&Arc<Cache>> {
        self.cache.as_ref()
    }

    /// Which encoding.
    pub fn format(&self) -> Format {
        match self.kind {
            Kind::Jpeg(_) => Format::Jpeg,
            Kind::Png(_) => Format::Png,
            Kind::WebP(_) => Format::WebP,
            Kind::Tiff(_) => Format::Tiff,
        }
    }

    /// Columns and rows of the upright picture, orientation applied.
    pub fn size(&self) -> (u32, u32) {
        let (width, height) = self.size;
        if swaps_sides(self.orientation) { (height, width) } else { (width, height) }
    }

    /// Columns and rows as stored, before orientation.
    pub fn stored_size(&self) -> (u32, u32) {
        self.size
    }

    /// EXIF orientation, 1 to 8.
    pub fn orientation(&self) -> u8 {
        self.orientation
    }

    /// May have pixels that are not opaque.
    pub fn has_alpha(&self) -> bool {
        self.channels.has_alpha()
    }

    /// Stored in cyan, magenta, yellow and black.
    pub fn is_cmyk(&self) -> bool {
        self.channels == Channels::Cmyk
    }

    /// SHA-256 of the encoded bytes.
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// The encoded bytes.
    pub fn encoded(&self) -> &Encoded {
        &self.bytes
    }

    /// What the stored components mean: sRGB, an embedded ICC profile, or a calibration.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Upright sRGB pixels: orientation applied, embedded ICC profile converted, CMYK converted.
    ///
    /// The result has an alpha channel where the file has one. [`Depth::Sixteen`] gives 16 bits
    /// whatever the file has; [`Depth::Eight`] rounds.
    ///
    /// # Errors
    /// `image.corrupt` when the picture data are truncated or damaged; `image.profile_invalid`
    /// when the profile holds no usable transform; `asset.type_unsupported` for a rare kind of
    /// encoding.
    pub fn decode(&self, depth: Depth) -> Result<Pixels, Violation> {
        self.decode_for(depth, 1, Control::NONE)
    }

    /// As [`Picture::decode`], measured by whoever watches, for a use that shows the picture at most at
    /// `1 / shrink` of its size (1, 2, 4 or 8): where the file's kind allows it, the sides are divided by
    /// `shrink`. They are whole where [`Picture::divides`] says so.
    ///
    /// # Errors
    /// As [`Picture::decode`].
    pub fn decode_for(&self, depth: Depth, shrink: u32, control: Control<'_>) -> Result<Pixels, Violation> {
        let made = || {
            let pixels = control.measured(Work::Decode, || self.decoded(depth, shrink))?;
            control.decoded(self.format(), u64::from(pixels.width) * u64::from(pixels.height));
            Ok(pixels)
        };
        let (width, height) = self.size;
        // Eight bytes a pixel at most.
        let most = u64::from(width) * u64::from(height) * 8 / u64::from(shrink * shrink);
        let Some(cache) = self.cache.as_ref().filter(|cache| most <= cache.picture_limit()) else {
            let Some(shared) = &self.shared else { return made() };
            if let Some(pixels) = shared.get(depth, shrink) {
                return Ok(pixels);
            }
            let pixels = made()?;
            shared.offer(depth, shrink, &pixels);
            return Ok(pixels);
        };
        let content = cache::digest([&self.sha256[..], &[depth as u8], &shrink.to_le_bytes()]);
        let make = || {
            let pixels = made()?;
            let bytes = pixels.bytes();
            Ok::<_, Violation>((pixels, bytes))
        };
        // Whoever gets them may change them.
        Ok(Arc::unwrap_or_clone(cache.get_or(cache::Kind::Pixels, content, make)?))
    }

    fn decoded(&self, depth: Depth, shrink: u32) -> Result<Pixels, Violation> {
        let bytes = self.load()?;
        let pixels = guarded(|| {
            let raster = match &self.kind {
                Kind::Jpeg(jpeg) => jpeg_decode::decode(&bytes, jpeg, shrink as usize)?,
                Kind::Png(png) => png::decode(&bytes, png, &self.limits)?,
                Kind::WebP(webp) => webp::decode(&bytes, webp)?,
                Kind::Tiff(tiff) => tiff::decode(&bytes, tiff, &self.limits)?,
            };
            self.check_raster(&raster, shrink)?;
            let (width, height) = (raster.width, raster.height);
            let samples = to_srgb(raster, &self.source, depth)?;
            Ok(upright(width, height, samples, self.orientation))
        });
        pixels.map_err(|v| self.origin.blame(v))
    }

    /// The upright process inks of a JPEG in CMYK, converted by nothing: cyan, magenta, yellow and
    /// black in the four components of RGBA, from none (0) to all. `None` for any other picture.
    ///
    /// # Errors
    /// As [`Picture::decode`].
    pub fn decode_inks(&self, depth: Depth, control: Control<'_>) -> Result<Option<Pixels>, Violation> {
        control.measured(Work::Decode, || self.inks_decoded(depth))
    }

    fn inks_decoded(&self, depth: Depth) -> Result<Option<Pixels>, Violation> {
        let Kind::Jpeg(jpeg) = &self.kind else { return Ok(None) };
        if !self.is_cmyk() || matches!(self.source, Source::Calibrated(_)) {
            return Ok(None);
        }
        let bytes = self.load()?;
        let pixels = guarded(|| {
            let raster = jpeg_decode::decode(&bytes, jpeg, 1)?;
            self.check_raster(&raster, 1)?;
            let (width, height) = (raster.width, raster.height);
            let samples = match (raster.components, depth) {
                (Components::Eight(values), Depth::Eight) => Samples::Rgba8(values),
                (Components::Eight(values), Depth::Sixteen) => {
                    Samples::Rgba16(values.into_iter().map(|v| u16::from(v) * 257).collect())
                }
                (Components::Sixteen(values), Depth::Eight) => {
                    Samples::Rgba8(values.into_iter().map(|v| ((u32::from(v) + 128) / 257) as u8).collect())
                }
                (Components::Sixteen(values), Depth::Sixteen) => Samples::Rgba16(values),
            };
            Ok(upright(width, height, samples, self.orientation))
        });
        pixels.map(Some).map_err(|v| self.origin.blame(v))
    }

    /// A picture reduced this much has whole sides.
    pub fn divides(&self, shrink: u32) -> bool {
        self.size.0.is_multiple_of(shrink) && self.size.1.is_multiple_of(shrink)
    }

    /// A decoder that gives other values than the header promised has been misled.
    fn check_raster(&self, raster: &Raster, shrink: u32) -> Result<(), Violation> {
        let (width, height) = self.size;
        let size = (raster.width, raster.height);
        let known = size == (width, height) || size == (width.div_ceil(shrink), height.div_ceil(shrink));
        let pixels = raster.width as usize * raster.height as usize;
        let values = raster.components.len() == pixels * self.channels.count();
        if known && values && raster.channels == self.channels {
            return Ok(());
        }
        Err(corrupt("does not hold the pixels that its header promises"))
    }

    /// For PDF: the JPEG whose scan may be embedded untouched (8-bit, baseline or progressive;
    /// metadata dropped, scan and tables identical), with what its colours mean. `None` when the
    /// picture is no such JPEG, or when its components cannot be told to a PDF reader.
    ///
    /// # Errors
    /// `image.corrupt` when the scans are not whole; or when the bytes can no longer be read, or
    /// are no longer the ones that were probed.
    pub fn jpeg_stream(&self) -> Result<Option<JpegStream>, Violation> {
        let Kind::Jpeg(jpeg) = &self.kind else { return Ok(None) };
        let bytes = self.load()?;
        let stream = jpeg_stream::rebuild(&bytes, jpeg, &self.source, self.space);
        if stream.is_some() {
            // Nobody decodes it here, so a picture that breaks off would reach the press.
            jpeg_scan::check(&bytes, jpeg).map_err(|v| self.origin.blame(v))?;
        }
        Ok(stream)
    }

    /// The encoded bytes, the very ones that were probed.
    fn load(&self) -> Result<Arc<[u8]>, Violation> {
        let bytes = self.bytes.load()?;
        match &self.bytes {
            Encoded::Memory(_) => Ok(bytes),
            Encoded::Spooled(_) if Sha256::digest(&bytes).as_slice() == self.sha256.as_slice() => Ok(bytes),
            Encoded::Spooled(_) => Err(changed()),
        }
    }
}

fn from_icc(icc: Option<Vec<u8>>) -> Source {
    icc.map_or(Source::Srgb, |icc| Source::Icc(icc.into()))
}

/// Turns a decoder's panic over hostile bytes into `image.corrupt`.
fn guarded<T>(work: impl FnOnce() -> Result<T, Violation>) -> Result<T, Violation> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(corrupt("is damaged")))
}
