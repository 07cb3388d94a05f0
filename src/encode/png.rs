//! PNG, streamed: every band is filtered and deflated in its own task and becomes one IDAT.
//!
//! The bands' deflate blocks join into a single zlib stream. How a band is packed depends on
//! its own pixels only: photographs get Huffman codes without a search for matches, repetitive
//! and flat art gets a real search. Where the file's size is limited, bands above their share
//! of it are packed again, harder.
//!
//! More than 400 lines with its tests, which read back what the sink wrote.

use super::huffman;
use super::png_filter::{Filter, filter_row};
use crate::asset::Depth;
use crate::error::{Code, Violation};
use crate::raster::sample::{Pixel, Sample};
use crate::raster::{Band, Frame, Packed, Rows, Sink};
use flate2::{Compress, Compression, FlushCompress};
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use zlib_rs::adler32::{adler32, adler32_combine};

/// What a PNG may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PngOptions {
    /// Most bytes of the file.
    pub max_bytes: Option<u64>,
}

/// Levels of zlib, from the one that flat art gets to the hardest.
const LEVELS: [u32; 3] = [2, 6, 9];
/// Rows that a band's packing is chosen by.
const SAMPLE_ROWS: usize = 4;
/// Bytes of each of them.
const SAMPLE_BYTES: usize = 16_384;

/// A PNG under way: 8 or 16 bits a component, with alpha or on an opaque ground, sRGB.
pub struct PngSink<W> {
    opaque: bool,
    /// Bytes of a row, without its filter's tag.
    row_bytes: usize,
    bpp: usize,
    rows: u64,
    max_bytes: Option<u64>,
    state: Mutex<State<W>>,
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
            row_bytes: frame.width as usize * bpp,
            bpp,
            rows: u64::from(frame.height),
            max_bytes: options.max_bytes,
            state: Mutex::new(state),
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
        if let Some(max) = self.max_bytes.filter(|max| state.bytes > *max) {
            return Err(Violation::new(
                Code::OutputTooLarge,
                format!(
                    "the PNG has {} bytes at the hardest compression, and the profile allows {max}; \
                     use a lower resolution or calmer art",
                    state.bytes
                ),
            )
            .limit(max));
        }
        Ok(state.out)
    }

    /// Packs a band's rows: the zlib stream's next blocks, ending on a byte, and what they hold.
    fn deflate(&self, raw: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Violation> {
        let way = choose(raw, self.row_bytes, self.bpp)?;
        let filtered = self.filtered(raw, way.filter);
        let mut packed = Vec::with_capacity(filtered.len() / 4 + 1024);
        match way.level {
            None => huffman::compress(&filtered, &mut packed),
            Some(level) => zlib(&filtered, level, &mut packed)?,
        }
        let Some(max) = self.max_bytes else { return Ok((packed, filtered)) };
        let rows = (raw.len() / self.row_bytes) as u64;
        // A little is left for the file's frame.
        let share = max.saturating_sub(4096) * rows / self.rows;
        for level in LEVELS.into_iter().filter(|level| way.level.is_none_or(|tried| *level > tried)) {
            if packed.len() as u64 <= share {
                break;
            }
            let mut harder = Vec::with_capacity(packed.len());
            zlib(&filtered, level, &mut harder)?;
            if harder.len() < packed.len() {
                packed = harder;
            }
        }
        Ok((packed, filtered))
    }

    fn filtered(&self, raw: &[u8], filter: Filter) -> Vec<u8> {
        let mut out = Vec::with_capacity(raw.len() + raw.len() / self.row_bytes);
        let mut above: &[u8] = &[];
        for row in raw.chunks_exact(self.row_bytes) {
            filter_row(filter, row, above, self.bpp, &mut out);
            above = row;
        }
        out
    }
}

impl<W: Write + Send> Sink for PngSink<W> {
    fn encode(&self, band: &Band<'_>) -> Result<Packed, Violation> {
        let raw = straight(band.rows, self.opaque);
        let (blocks, filtered) = self.deflate(&raw)?;
        let mut bytes = Vec::with_capacity(blocks.len() + 12);
        chunk(b"IDAT", &blocks, &mut bytes);
        Ok(Packed { bytes, check: adler32(1, &filtered), raw_bytes: filtered.len() as u64 })
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
        state.write(&packed.bytes)
    }
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
    let mut crc = crc32fast::Hasher::new();
    crc.update(kind);
    crc.update(data);
    out.extend_from_slice(&(data.len() as u32).to_be_bytes());
    out.extend_from_slice(kind);
    out.extend_from_slice(data);
    out.extend_from_slice(&crc.finalize().to_be_bytes());
}

/// How a band is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Way {
    filter: Filter,
    /// zlib's level; without one, Huffman codes only.
    level: Option<u32>,
}

/// Chooses by packing a few rows from the band's middle in each way.
fn choose(raw: &[u8], row_bytes: usize, bpp: usize) -> Result<Way, Violation> {
    let rows = raw.len() / row_bytes;
    let first = (rows / 2).saturating_sub(SAMPLE_ROWS / 2);
    let width = row_bytes.min(SAMPLE_BYTES / bpp * bpp);
    let sample = |filter| {
        let mut out = Vec::with_capacity(SAMPLE_ROWS * (width + 1));
        let mut above: &[u8] = &[];
        for row in raw.chunks_exact(row_bytes).skip(first).take(SAMPLE_ROWS) {
            let row = &row[..width];
            filter_row(filter, row, above, bpp, &mut out);
            above = row;
        }
        out
    };
    let mut best = (usize::MAX, Filter::None, Vec::new());
    for filter in Filter::ALL {
        let rows = sample(filter);
        let size = huffman::estimate(&rows);
        if size < best.0 {
            best = (size, filter, rows);
        }
    }
    let (plain, filter, rows) = best;
    let searched = |rows: &[u8]| -> Result<usize, Violation> {
        let mut out = Vec::new();
        zlib(rows, LEVELS[0], &mut out)?;
        Ok(out.len())
    };
    let with_filter = searched(&rows)?;
    // Searching is several times slower: it has to give at least a sixth.
    let worth = |size: usize| size < plain - plain / 6;
    let unfiltered = if filter == Filter::None { with_filter } else { searched(&sample(Filter::None))? };
    Ok(if worth(unfiltered.min(with_filter)) {
        let filter = if unfiltered < with_filter { Filter::None } else { filter };
        Way { filter, level: Some(LEVELS[0]) }
    } else {
        Way { filter, level: None }
    })
}

/// Deflates with a search for matches, ending on a byte without ending the stream.
fn zlib(data: &[u8], level: u32, out: &mut Vec<u8>) -> Result<(), Violation> {
    let mut deflate = Compress::new(Compression::new(level), false);
    let failed =
        || Violation::new(Code::InternalError, "a picture could not be compressed; please report it");
    loop {
        out.reserve(data.len() / 8 + 1024);
        let taken = deflate.total_in() as usize;
        deflate.compress_vec(&data[taken..], out, FlushCompress::Sync).map_err(|_| failed())?;
        if deflate.total_in() as usize == data.len() && out.len() < out.capacity() {
            return Ok(());
        }
    }
}

/// The bytes of a PNG's rows: premultiplication taken off, components in network order.
fn straight(rows: Rows<'_>, opaque: bool) -> Vec<u8> {
    match rows {
        Rows::Eight(pixels) if opaque => {
            let mut out = vec![0; pixels.len() * 3];
            for (out, [r, g, b, _]) in out.chunks_exact_mut(3).zip(pixels) {
                out.copy_from_slice(&[*r, *g, *b]);
            }
            out
        }
        Rows::Eight(pixels) => {
            let mut out = vec![0; pixels.len() * 4];
            for (out, pixel) in out.chunks_exact_mut(4).zip(pixels) {
                out.copy_from_slice(&straight_pixel(*pixel));
            }
            out
        }
        Rows::Sixteen(pixels) => {
            let channels = if opaque { 3 } else { 4 };
            let mut out = Vec::with_capacity(pixels.len() * channels * 2);
            for pixel in pixels {
                for word in &straight_pixel(*pixel)[..channels] {
                    out.extend_from_slice(&word.to_be_bytes());
                }
            }
            out
        }
    }
}

/// Takes premultiplication off one pixel.
#[inline(always)]
fn straight_pixel<S: Sample>([r, g, b, a]: Pixel<S>) -> Pixel<S> {
    if a == S::MAX || a == S::ZERO { [r, g, b, a] } else { [r.over(a), g.over(a), b.over(a), a] }
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
        let surface = surface();
        let mut frame = Frame::of(surface.trim_box(), Dpi::new(150.0), Placement::default());
        (frame.depth, frame.background) = (depth, background);
        let sink = PngSink::new(Vec::new(), &frame, PngOptions { max_bytes })?;
        paint(&surface, &frame, &Limits::default(), Control::NONE, &sink)?;
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
        let tight = free.len() as u64 - free.len() as u64 / 50;
        let (_, smaller) = render(Depth::Eight, None, Some(tight)).unwrap();
        assert!(smaller.len() as u64 <= tight);
        let error = render(Depth::Eight, None, Some(1000)).unwrap_err();
        assert_eq!(error.code, Code::OutputTooLarge);
        assert_eq!(error.limit, Some(1000.into()));
    }

    #[test]
    fn repetitive_rows_get_a_search_and_photographs_do_not() {
        let noise = |seed: &mut u32| {
            *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (*seed >> 24) as u8
        };
        let mut seed = 1;
        let row_bytes = 8000;
        let tile: Vec<u8> = (0..800).map(|_| noise(&mut seed)).collect();
        let tiled: Vec<u8> = tile.iter().copied().cycle().take(row_bytes * 32).collect();
        assert!(choose(&tiled, row_bytes, 4).unwrap().level.is_some());
        let photo: Vec<u8> =
            (0..row_bytes * 32).map(|i| (i / 4 % 200) as u8 + noise(&mut seed) / 16).collect();
        assert_eq!(choose(&photo, row_bytes, 4).unwrap().level, None);
    }
}
