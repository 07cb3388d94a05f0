//! PNG, streamed: every band is filtered and deflated in its own task and becomes one IDAT.
//!
//! The bands' deflate blocks join into a single zlib stream. How a band is packed depends on
//! its own pixels only (`pack`). Where the file's size is limited, bands that would
//! take more than their share of it get a finer search. Where that was not enough the file is made
//! again with [`Effort::Hard`], which asks zlib for its best.

use super::pack::{Layout, Room};
use super::png_rows::raw_row;
use crate::asset::Depth;
use crate::error::{Code, Violation};
use crate::raster::{Band, Frame, Packed, Sink};
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use zlib_rs::adler32::adler32_combine;

/// What a PNG may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PngOptions {
    /// Most bytes of the file.
    pub max_bytes: Option<u64>,
    /// How hard to try to stay below them.
    pub effort: Effort,
}

/// How hard a limited file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Effort {
    /// Quick searches, which nearly always do.
    #[default]
    Quick,
    /// As small as deflate gets, at many times the cost.
    Hard,
}

/// Bytes of the chunks that end a file.
const END_BYTES: u64 = 18 + 12;
/// Bytes of a chunk before its data.
const CHUNK_HEAD: usize = 8;

/// A PNG under way: 8 or 16 bits a component, with alpha or on an opaque ground, sRGB.
pub struct PngSink<W> {
    opaque: bool,
    layout: Layout,
    options: PngOptions,
    state: Mutex<State<W>>,
    /// Buffers of bands that are done, for the next ones.
    rooms: Mutex<Vec<Room>>,
    /// Room that written bands took in the file.
    spent: Mutex<Vec<Vec<u8>>>,
}

struct State<W> {
    out: W,
    bytes: u64,
    adler: u32,
    begun: bool,
}

impl<W: Write + Send> PngSink<W> {
    /// Writes the header for a frame; its pixels follow through [`Sink`].
    ///
    /// # Errors
    /// `store.unavailable` when the file takes no bytes.
    pub fn new(out: W, frame: &Frame, options: PngOptions) -> Result<Self, Violation> {
        let opaque = frame.background.is_some();
        let (bits, bytes) = match frame.depth {
            Depth::Eight => (8, 1),
            Depth::Sixteen => (16, 2),
        };
        let bpp = if opaque { 3 } else { 4 } * bytes;
        let mut head = vec![0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a];
        let mut ihdr = Vec::with_capacity(13);
        ihdr.extend_from_slice(&frame.width.to_be_bytes());
        ihdr.extend_from_slice(&frame.height.to_be_bytes());
        ihdr.extend_from_slice(&[bits, if opaque { 2 } else { 6 }, 0, 0, 0]);
        chunk(b"IHDR", &ihdr, &mut head);
        // Perceptual, the intent of photographs.
        chunk(b"sRGB", &[0], &mut head);
        let density = frame.dpi.per_metre().to_be_bytes();
        let mut phys = Vec::with_capacity(9);
        phys.extend_from_slice(&density);
        phys.extend_from_slice(&density);
        phys.push(1);
        chunk(b"pHYs", &phys, &mut head);
        let mut state = State { out, bytes: 0, adler: 1, begun: false };
        state.write(&head)?;
        Ok(PngSink {
            opaque,
            layout: Layout {
                row_bytes: frame.width as usize * bpp,
                bpp,
                // A little is left for the file's frame.
                most: options.max_bytes.map(|max| (max.saturating_sub(4096), u64::from(frame.height))),
                hard: options.effort == Effort::Hard,
                level: None,
            },
            options,
            state: Mutex::new(state),
            rooms: Mutex::new(Vec::new()),
            spent: Mutex::new(Vec::new()),
        })
    }

    /// Ends the file and gives back what it was written to.
    ///
    /// # Errors
    /// `output.too_large` when the file is larger than allowed, `store.unavailable` as above.
    pub fn finish(self) -> Result<W, Violation> {
        let mut state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        // An empty final block, then the checksum of all rows.
        let mut last = vec![3, 0];
        last.extend_from_slice(&state.adler.to_be_bytes());
        let mut tail = Vec::new();
        chunk(b"IDAT", &last, &mut tail);
        chunk(b"IEND", &[], &mut tail);
        state.write(&tail)?;
        if let Some(max) = self.options.max_bytes.filter(|max| state.bytes > *max) {
            return Err(too_large(state.bytes, max));
        }
        Ok(state.out)
    }

    /// What was written does not fit the limit, or would not with the file's end.
    pub fn overflowed(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.options.max_bytes.is_some_and(|max| state.bytes + END_BYTES > max)
    }

    /// What it was written to, as it stands.
    pub fn into_inner(self) -> W {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).out
    }
}

impl<W: Write + Send> Sink for PngSink<W> {
    fn encode(&self, band: &Band<'_>) -> Result<Packed, Violation> {
        let take = || self.rooms.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut room = take().unwrap_or_default();
        let raw_bytes = (self.layout.row_bytes + 1) * band.height;
        let spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut bytes = spent.unwrap_or_else(|| Vec::with_capacity(raw_bytes / 8 + 1024));
        bytes.resize(CHUNK_HEAD, 0);
        let raw = |y: usize, row: &mut [u8]| raw_row(band.rows, y, band.width, self.opaque, row);
        let check = room.pack(&self.layout, band.height, &raw, &mut bytes)?;
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner).push(room);
        seal(b"IDAT", &mut bytes);
        Ok(Packed { bytes, check, raw_bytes: raw_bytes as u64 })
    }

    fn write(&self, packed: Packed) -> Result<(), Violation> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut head = Vec::new();
        if !state.begun {
            state.begun = true;
            // The zlib stream's two bytes: deflate, 32 KiB window, fastest.
            chunk(b"IDAT", &[0x78, 0x01], &mut head);
        }
        state.adler = adler32_combine(state.adler, packed.check, packed.raw_bytes);
        state.write(&head)?;
        state.write(&packed.bytes)?;
        let mut bytes = packed.bytes;
        bytes.clear();
        self.spent.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
        match self.options.max_bytes {
            // What is too large already gets no smaller.
            Some(max) if state.bytes > max => Err(too_large(state.bytes, max)),
            Some(_) | None => Ok(()),
        }
    }
}

fn too_large(bytes: u64, max: u64) -> Violation {
    Violation::new(
        Code::OutputTooLarge,
        format!(
            "the PNG has more than {max} bytes, all that the profile allows, at the hardest \
             compression: at least {bytes}; use a lower resolution or calmer art"
        ),
    )
    .limit(max)
}

impl<W: Write> State<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        self.bytes += bytes.len() as u64;
        self.out.write_all(bytes).map_err(|error| unwritable(&error))
    }
}

fn unwritable(error: &io::Error) -> Violation {
    Violation::new(Code::StoreUnavailable, format!("a picture could not be written: {}", error.kind()))
}

/// Appends one chunk.
pub(super) fn chunk(kind: &[u8; 4], data: &[u8], out: &mut Vec<u8>) {
    let mut whole = vec![0; CHUNK_HEAD];
    whole.extend_from_slice(data);
    seal(kind, &mut whole);
    out.append(&mut whole);
}

/// Makes a chunk of data that stand behind room for its length and kind.
fn seal(kind: &[u8; 4], chunk: &mut Vec<u8>) {
    let length = (chunk.len() - CHUNK_HEAD) as u32;
    chunk[..4].copy_from_slice(&length.to_be_bytes());
    chunk[4..CHUNK_HEAD].copy_from_slice(kind);
    let sum = crc32fast::hash(&chunk[4..]);
    chunk.extend_from_slice(&sum.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asset::Limits;
    use crate::control::Control;
    use crate::raster::paint;
    use crate::scene::Placement;
    use crate::scene::{
        BlendSpace, Color, Dpi, Fill, FillRule, LinearGradient, Node, Paint, PathNode, Spread, Stops, Surface,
    };
    use kurbo::{Affine, Circle, Insets, Point, Shape, Size};
    use std::process::Command;
    use std::sync::Arc;

    fn surface() -> Surface {
        let stops =
            vec![(0.0, Color::rgb8(250, 10, 30).into(), 1.0), (1.0, Color::rgb8(0, 90, 200).into(), 0.3)];
        let paint = Paint::Linear(Arc::new(LinearGradient {
            start: Point::new(0.0, 0.0),
            end: Point::new(60.0, 90.0),
            stops: Stops { stops, spread: Spread::Pad, transform: Affine::IDENTITY },
        }));
        let path = PathNode {
            path: Arc::new(Circle::new((40.0, 40.0), 38.0).to_path(0.01)),
            fill: Some(Fill { paint, opacity: 1.0, rule: FillRule::NonZero }),
            stroke: None,
            stroke_first: false,
            overprint: false,
        };
        Surface {
            name: "front".into(),
            trim: Size::new(90.0, 80.0),
            bleed: Insets::ZERO,
            safe: Insets::ZERO,
            garment: None,
            blend_space: BlendSpace::Srgb,
            nodes: vec![Node::Path(Arc::new(path))],
            layers: Vec::new(),
        }
    }

    fn render(
        depth: Depth,
        background: Option<Color>,
        max_bytes: Option<u64>,
    ) -> Result<(Frame, Vec<u8>), Violation> {
        render_with(depth, background, PngOptions { max_bytes, effort: Effort::Quick })
    }

    fn render_with(
        depth: Depth,
        background: Option<Color>,
        options: PngOptions,
    ) -> Result<(Frame, Vec<u8>), Violation> {
        let surface = surface();
        let mut frame = Frame::of(surface.trim_box(), Dpi::new(150.0), Placement::default());
        (frame.depth, frame.background) = (depth, background);
        let sink = PngSink::new(Vec::new(), &frame, options)?;
        paint(&surface, &frame, &Limits::default(), Control::NONE, &sink)?;
        assert!(!sink.overflowed());
        Ok((frame, sink.finish()?))
    }

    fn tool(program: &str, package: &str, args: &[&str]) -> String {
        let output = Command::new(program)
            .args(args)
            .output()
            .unwrap_or_else(|_| panic!("{program} is missing: apt-get install {package}"));
        let text =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program}: {text}");
        text
    }

    #[test]
    fn strict_readers_accept_every_kind_and_see_its_size_and_density() {
        let folder = tempfile::tempdir().unwrap();
        for (depth, background, kind) in [
            (Depth::Eight, None, "8-bit/color RGB+alpha"),
            (Depth::Eight, Some(Color::WHITE), "8-bit/color RGB"),
            (Depth::Sixteen, None, "16-bit/color RGB+alpha"),
            (Depth::Sixteen, Some(Color::WHITE), "16-bit/color RGB"),
        ] {
            let (frame, bytes) = render(depth, background, None).unwrap();
            let path = folder.path().join("out.png");
            std::fs::write(&path, bytes).unwrap();
            let file = path.to_str().unwrap();
            let said = tool("pngcheck", "pngcheck", &["-v", file]);
            assert!(
                said.contains(&format!("{} x {} image, 32-bit RGB+alpha", frame.width, frame.height))
                    || said.contains(&format!("{} x {} image", frame.width, frame.height)),
                "{said}"
            );
            assert!(said.contains("5906x5906 pixels/meter"), "{said}");
            assert!(said.contains("sRGB"), "{said}");
            let said = tool("identify", "imagemagick", &["-format", "%w %h %z %[colorspace]", file]);
            let bits = if depth == Depth::Eight { 8 } else { 16 };
            assert_eq!(said.trim(), format!("{} {} {bits} sRGB", frame.width, frame.height), "{kind}");
        }
    }

    #[test]
    fn what_is_read_back_is_what_was_painted() {
        let (frame, bytes) = render(Depth::Eight, None, None).unwrap();
        let mut reader = png::Decoder::new(io::Cursor::new(bytes)).read_info().unwrap();
        let mut data = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut data).unwrap();
        let pixel = |x: usize, y: usize| &data[(y * frame.width as usize + x) * 4..][..4];
        assert_eq!(pixel(0, 0), [0; 4]);
        // The middle of the disc, where the gradient's straight colour is known.
        let (x, y) = (236, 236);
        let mm = |v: usize| (v as f64 + 0.5) / 150.0 * 25.4;
        let t = (mm(x) * 60.0 + mm(y) * 90.0) / (60.0 * 60.0 + 90.0 * 90.0);
        for (i, (from, to)) in
            [(250.0, 0.0), (10.0, 90.0), (30.0, 200.0), (255.0, 76.5)].into_iter().enumerate()
        {
            let exact: f64 = from + (to - from) * t;
            assert!((f64::from(pixel(x, y)[i]) - exact).abs() < 2.0, "{i}: {:?} {exact}", pixel(x, y));
        }
    }

    #[test]
    fn a_size_limit_is_met_or_named() {
        let (_, free) = render(Depth::Eight, None, None).unwrap();
        let tight = Some(free.len() as u64 - free.len() as u64 / 8);
        let hard = PngOptions { max_bytes: tight, effort: Effort::Hard };
        assert_eq!(render(Depth::Eight, None, tight).unwrap_err().code, Code::OutputTooLarge);
        let (_, smaller) = render_with(Depth::Eight, None, hard).unwrap();
        assert!(Some(smaller.len() as u64) <= tight);
        let error = render(Depth::Eight, None, Some(1000)).unwrap_err();
        assert_eq!(error.code, Code::OutputTooLarge);
        assert_eq!(error.limit, Some(1000.into()));
    }
}
