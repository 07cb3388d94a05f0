//! The steps that no renderer can do without, with the libraries that presswork uses and as it uses
//! them: pictures are decoded as small as they may be, resampled for a band where they are hardly
//! reduced and once where they are much, and every pixel of the canvas is written once.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{ResizeOptions, Resizer};
use kurbo::{Affine, Rect};
use presswork::asset::{Depth, Encoded, Limits, Picture, Pixels, Samples, adjust, lanczos};
use presswork::control::Control;
use presswork::raster::{BAND_ROWS, Band, Frame, Packed, Pixel, PngOptions, PngSink, Rows, Sink};
use presswork::scene::{Color, Dpi};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

thread_local! {
    /// The resampler's tables, and the rows that it makes for a band: kept from use to use.
    static RESIZER: RefCell<(Resizer, Vec<u8>)> = RefCell::new((Resizer::new(), Vec::new()));
}

fn probe(bytes: Vec<u8>) -> Picture {
    Picture::probe(Encoded::Memory(bytes.into()), &Limits::default()).expect("a picture")
}

/// A picture's pixels.
pub(crate) fn decode(bytes: Vec<u8>) -> Pixels {
    decode_for(&probe(bytes), 1)
}

/// On one of the pool's threads: one beside them would be more than the machine has.
fn decode_for(picture: &Picture, shrink: u32) -> Pixels {
    let decode = |_: &rayon::Scope<'_>| picture.decode_for(Depth::Eight, shrink, Control::NONE);
    rayon::scope(decode).expect("a picture")
}

/// An opaque photo that covers `width` by `height` pixels, far fewer than it has, as RGB.
pub(crate) fn reduced(bytes: Vec<u8>, (width, height): (u32, u32)) -> Vec<u8> {
    let picture = probe(bytes);
    let (w, h) = picture.size();
    let spare = (f64::from(w) / f64::from(width)).min(f64::from(h) / f64::from(height));
    let pixels = decode_for(&picture, adjust::shrink(&picture, &[], spare));
    let spare = spare * f64::from(pixels.width) / f64::from(w);
    let shown = (f64::from(width) * spare, f64::from(height) * spare);
    let (left, top) = ((f64::from(pixels.width) - shown.0) / 2.0, (f64::from(pixels.height) - shown.1) / 2.0);
    let mut out = vec![0; (width * height * 3) as usize];
    let crop = Rect::new(left, top, left + shown.0, top + shown.1);
    RESIZER.with_borrow_mut(|(resizer, _)| resample(resizer, &pixels, crop, &mut out, (width, height)));
    out
}

fn resample(resizer: &mut Resizer, from: &Pixels, crop: Rect, out: &mut [u8], (width, height): (u32, u32)) {
    let Samples::Rgb8(data) = &from.data else { panic!("an opaque photo") };
    let source = TypedImageRef::<U8x3>::from_buffer(from.width, from.height, data).expect("its size");
    let mut target = TypedImage::<U8x3>::from_buffer(width, height, out).expect("its size");
    let options = ResizeOptions::new()
        .resize_alg(lanczos::lanczos3())
        .crop(crop.x0, crop.y0, crop.width(), crop.height())
        .use_alpha(false);
    resizer.resize_typed(&source, &mut target, &options).expect("a resize");
}

/// A cut-out on a ground, as opaque pixels.
pub(crate) fn flatten(pixels: &Pixels, ground: [u8; 3]) -> Vec<Pixel<u8>> {
    let Samples::Rgba8(data) = &pixels.data else { panic!("a cut-out") };
    data.chunks_exact(4)
        .map(|p| {
            let mix = |i: usize| {
                let alpha = u32::from(p[3]);
                ((u32::from(p[i]) * alpha + u32::from(ground[i]) * (255 - alpha) + 127) / 255) as u8
            };
            [mix(0), mix(1), mix(2), 255]
        })
        .collect()
}

/// Writes a row of the canvas: rows of RGB pictures at their places, from left to right, and the ground
/// between them.
pub(crate) fn write_row<'a>(
    row: &mut [Pixel<u8>],
    ground: Pixel<u8>,
    pictures: impl IntoIterator<Item = (usize, &'a [u8])>,
) {
    let mut rest = row;
    let mut at = 0;
    for (left, rgb) in pictures {
        let (rgb, _) = rgb.as_chunks::<3>();
        let (before, after) = rest.split_at_mut(left - at);
        before.fill(ground);
        let (shown, after) = after.split_at_mut(rgb.len());
        shown.iter_mut().zip(rgb).for_each(|(pixel, [r, g, b])| *pixel = [*r, *g, *b, 255]);
        at = left + rgb.len();
        rest = after;
    }
    rest.fill(ground);
}

/// Bands on their way to the file.
#[derive(Default)]
struct Line {
    written: usize,
    /// Packed bands that wait for an earlier one.
    done: BTreeMap<usize, Packed>,
    /// A thread is writing.
    writing: bool,
}

/// Makes a PNG. Each thread fills one band after the other, every pixel of it, in a buffer of its own,
/// and packs it; bands are written in order by whoever finishes the next one, while the others go on.
pub(crate) fn encode<W: Write + Send>(
    (width, height): (usize, usize),
    ground: Option<[u8; 3]>,
    out: W,
    fill: impl Fn(usize, &mut [Pixel<u8>]) + Sync,
) -> W {
    let frame = Frame {
        width: width as u32,
        height: height as u32,
        dpi: Dpi::new(300.0),
        matrix: Affine::IDENTITY,
        depth: Depth::Eight,
        background: ground.map(|[r, g, b]| Color::rgb8(r, g, b)),
    };
    let sink = PngSink::new(out, &frame, PngOptions::default()).expect("a PNG");
    let (next, line) = (AtomicUsize::new(0), Mutex::new(Line::default()));
    let work = || {
        let mut pixels = vec![[0; 4]; width * BAND_ROWS as usize];
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= frame.bands() {
                break;
            }
            let first = index * BAND_ROWS as usize;
            let rows = (BAND_ROWS as usize).min(height - first);
            let pixels = &mut pixels[..width * rows];
            fill(first, pixels);
            let last = first + rows == height;
            let rows = Band { first_row: first as u32, width, height: rows, last, rows: Rows::Eight(pixels) };
            finish(&sink, &line, index, sink.encode(&rows).expect("a band"));
        }
    };
    rayon::scope(|scope| (0..rayon::current_num_threads()).for_each(|_| scope.spawn(|_| work())));
    sink.finish().expect("a PNG")
}

fn finish(sink: &impl Sink, line: &Mutex<Line>, band: usize, packed: Packed) {
    let lock = || line.lock().expect("no thread panics");
    let mut state = lock();
    state.done.insert(band, packed);
    if state.writing {
        return;
    }
    state.writing = true;
    loop {
        let next = state.written;
        let Some(packed) = state.done.remove(&next) else { break };
        drop(state);
        sink.write(packed).expect("a file");
        state = lock();
        state.written += 1;
    }
    state.writing = false;
}

/// The shirt's picture: the photo in its place, nothing else.
pub(crate) fn tee<W: Write + Send>(photo: Vec<u8>, out: W) -> W {
    const CANVAS: (usize, usize) = (4500, 5400);
    const SHOWN: (usize, usize) = (3900, 2925);
    const AT: (usize, usize) = (300, 300);
    let pixels = decode(photo);
    let (width, scale) = (f64::from(pixels.width), f64::from(pixels.height) / SHOWN.1 as f64);
    encode(CANVAS, None, out, |first, band| {
        let end = first + band.len() / CANVAS.0;
        let rows = first.clamp(AT.1, AT.1 + SHOWN.1)..end.clamp(AT.1, AT.1 + SHOWN.1);
        RESIZER.with_borrow_mut(|(resizer, shown)| {
            shown.resize(rows.len() * SHOWN.0 * 3, 0);
            if !rows.is_empty() {
                let source = |y: usize| (y - AT.1) as f64 * scale;
                let crop = Rect::new(0.0, source(rows.start), width, source(rows.end));
                resample(resizer, &pixels, crop, shown, (SHOWN.0 as u32, rows.len() as u32));
            }
            let mut shown = shown.chunks_exact(SHOWN.0 * 3);
            for (y, row) in (first..end).zip(band.chunks_exact_mut(CANVAS.0)) {
                let photo = rows.contains(&y).then(|| shown.next()).flatten();
                write_row(row, [0; 4], photo.map(|rgb| (AT.0, rgb)));
            }
        });
    })
}
