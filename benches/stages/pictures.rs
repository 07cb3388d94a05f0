//! The stages of pixels: decode, resample, composite, encode.

use crate::one_thread::{OneThread, Stages};
use crate::shared::{app, asset, prepare};
use presswork::asset::{Depth, Encoded, Limits, Picture};
use presswork::control::Control;
use presswork::error::Violation;
use presswork::raster::{Band, Effort, Frame, Packed, Pixel, PngOptions, PngSink, Rows, Sink, paint};
use presswork::render::png_frame;
use presswork::scene::{ImageNode, Node, Surface};
use std::hint::black_box;
use std::io::Write;
use std::sync::{Arc, Mutex};

fn probe(name: &str) -> Picture {
    Picture::probe(Encoded::Memory(asset(name).into()), &Limits::default()).unwrap()
}

/// Bytes of a file become pixels.
pub(crate) fn decode(group: &mut Stages<'_>) {
    let thread = OneThread::new();
    for (name, file, shrink) in [
        ("12 MP JPEG", "photo.jpg", 1),
        ("12 MP JPEG at a quarter", "photo.jpg", 4),
        ("600 px PNG", "face.png", 1),
    ] {
        let picture = probe(file);
        group.bench_function(format!("decode {name}"), |b| {
            thread.time(b, || picture.decode_for(Depth::Eight, shrink, Control::NONE).unwrap());
        });
    }
}

/// A photo brought to another size and laid on bands: nothing else is on the canvas, so that beside the
/// resampling there is only the copying of its rows.
pub(crate) fn resample(group: &mut Stages<'_>) {
    let (thread, limits) = (OneThread::new(), Limits::default());
    let prepared = prepare(&app("benches"), "tee");
    let picture = Arc::new(probe("photo.jpg"));
    // Smaller by less than a half: any smaller, and the decoder would do a part of it.
    for (name, width, height) in
        [("down to 3900 x 2925", 3900.0, 2925.0), ("up to 4500 x 3375", 4500.0, 3375.0)]
    {
        let mut surface = prepared.composed.scene.surfaces[0].clone();
        let frame = png_frame(&surface, prepared.order.profile()).unwrap();
        surface.nodes = vec![Node::Image(Arc::new(ImageNode {
            picture: picture.clone(),
            crop: kurbo::Rect::new(0.0, 0.0, 1.0, 1.0),
            transform: frame.matrix.inverse() * kurbo::Affine::scale_non_uniform(width, height),
            adjust: Vec::new(),
            matte: None,
            pixelated: false,
        }))];
        group.bench_function(format!("resample 12 MP {name}"), |b| {
            thread.time_without_decoding(b, |control| {
                paint(&surface, &frame, &limits, control, &Unencoded).unwrap();
            });
        });
    }
}

/// The scene of a job becomes bands of pixels; without decoding and encoding, with the resampling that
/// the photos of shirt and mug need. Faces of the wraps are shown pixel for pixel.
pub(crate) fn composite(group: &mut Stages<'_>) {
    let (thread, limits, app) = (OneThread::new(), Limits::default(), app("benches"));
    for job in ["tee", "mug", "wrap", "wrap-tumble"] {
        let prepared = prepare(&app, job);
        let surface = &prepared.composed.scene.surfaces[0];
        let frame = png_frame(surface, prepared.order.profile()).unwrap();
        group.bench_function(format!("composite {job}"), |b| {
            thread.time_without_decoding(b, |control| {
                paint(surface, &frame, &limits, control, &Unencoded).unwrap();
            });
        });
    }
}

/// Painted bands become a PNG: with Huffman codes alone (`tee`, `mug`), with a search for matches (`wrap`),
/// and under limits: one that the quick searches keep, and one that zlib's best does not keep either, which is
/// the dearest there is: most of the mug's bands are packed three times, for hardly a byte.
pub(crate) fn encode(group: &mut Stages<'_>) {
    let (thread, app) = (OneThread::new(), app("benches"));
    for job in ["tee", "tee-dtg", "mug", "wrap"] {
        let prepared = prepare(&app, job);
        let (surface, profile) = (&prepared.composed.scene.surfaces[0], prepared.order.profile());
        let frame = png_frame(surface, profile).unwrap();
        let bands = Bands::paint(surface, &frame);
        let quick = PngOptions { max_bytes: profile.png.max_bytes, effort: Effort::Quick };
        let mut encode = |name: &str, options| {
            let work = || bands.encode(std::io::sink(), &frame, options);
            group.bench_function(format!("encode {name}"), |b| thread.time(b, work));
        };
        encode(job, quick);
        if job == "mug" {
            // Without a limit nothing is searched harder: here is one a little below what came of it.
            let bytes = bands.encode(Vec::new(), &frame, quick).len() as u64;
            let max_bytes = Some(bytes - bytes / 50);
            encode("mug, hard and in vain", PngOptions { max_bytes, effort: Effort::Hard });
        }
    }
}

/// Takes painted bands and forgets them.
struct Unencoded;

impl Sink for Unencoded {
    fn encode(&self, band: &Band<'_>) -> Result<Packed, Violation> {
        black_box(&band.rows);
        Ok(Packed::default())
    }

    fn write(&self, _packed: Packed) -> Result<(), Violation> {
        Ok(())
    }
}

/// The painted bands of a surface, by their first rows.
#[derive(Default)]
struct Bands(Mutex<Vec<(u32, Vec<Pixel<u8>>)>>);

impl Bands {
    fn paint(surface: &Surface, frame: &Frame) -> Bands {
        let bands = Bands::default();
        paint(surface, frame, &Limits::default(), Control::NONE, &bands).unwrap();
        bands.0.lock().unwrap().sort_by_key(|(first_row, _)| *first_row);
        bands
    }

    fn encode<W: Write + Send>(&self, out: W, frame: &Frame, options: PngOptions) -> W {
        let sink = PngSink::new(out, frame, options).unwrap();
        let width = frame.width as usize;
        for (first_row, pixels) in self.0.lock().unwrap().iter() {
            let height = pixels.len() / width;
            let last = *first_row as usize + height == frame.height as usize;
            let band = Band { first_row: *first_row, width, height, last, rows: Rows::Eight(pixels) };
            let written = sink.write(sink.encode(&band).unwrap());
            // A file that is too large is packed to its end, so that all of it is measured.
            assert!(written.is_ok() || sink.overflowed());
        }
        if sink.overflowed() { sink.into_inner() } else { sink.finish().unwrap() }
    }
}

impl Sink for Bands {
    fn encode(&self, band: &Band<'_>) -> Result<Packed, Violation> {
        let Rows::Eight(pixels) = band.rows else { panic!("the jobs have 8 bits a component") };
        self.0.lock().unwrap().push((band.first_row, pixels.to_vec()));
        Ok(Packed::default())
    }

    fn write(&self, _packed: Packed) -> Result<(), Violation> {
        Ok(())
    }
}
