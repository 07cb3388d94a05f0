//! What the machine allows: the decoding, resampling, one copy and encoding of a job and nothing
//! else, with the same libraries. `floor tee|wrap ASSETS OUT.png`
//!
//! `benches/peers/run.sh` times it beside presswork; the ratio of processor time is what layout,
//! compositing and everything else cost.

#![allow(clippy::expect_used, reason = "a benchmark that cannot go on stops")]

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use presswork::asset::{Depth, Pixels};
use presswork::asset::{Encoded, Limits, Picture, Samples};
use presswork::raster::{BAND_ROWS, Band, Frame, Pixel, PngOptions, PngSink, Rows, Sink};
use presswork::scene::{Color, Dpi, Placement};
use rayon::prelude::*;
use std::fs::File;
use std::path::Path;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let [job, assets, out] = arguments.as_slice() else {
        // `cargo bench` alone has nothing to measure here.
        eprintln!("usage: floor tee|wrap ASSETS OUT.png");
        return;
    };
    let assets = Path::new(assets);
    match job.as_str() {
        "tee" => tee(&assets.join("photo.jpg"), Path::new(out)),
        "wrap" => wrap(&assets.join("face.png"), Path::new(out)),
        other => eprintln!("floor has no job {other}"),
    }
}

fn decode(path: &Path) -> Pixels {
    let bytes = std::fs::read(path).expect("benches/peers/setup.sh makes the pictures");
    let picture = Picture::probe(Encoded::Memory(bytes.into()), &Limits::default()).expect("a picture");
    picture.decode(Depth::Eight).expect("a picture")
}

fn tee(photo: &Path, out: &Path) {
    let pixels = decode(photo);
    let Samples::Rgb8(data) = &pixels.data else { panic!("an opaque photo") };
    let (width, height) = (3900, 2925);
    let source = ImageRef::new(pixels.width, pixels.height, data, PixelType::U8x3).expect("its size");
    let mut shown = Image::new(width, height, PixelType::U8x3);
    let how = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
    Resizer::new().resize(&source, &mut shown, &how).expect("a resize");
    let shown = shown.buffer();
    encode((381.0, 457.2), None, out, |y, row| {
        if let Some(y) = y.checked_sub(300).filter(|y| *y < height as usize) {
            let from = y * width as usize * 3;
            let source = shown[from..from + width as usize * 3].chunks_exact(3);
            for (pixel, rgb) in row[300..].iter_mut().zip(source) {
                *pixel = [rgb[0], rgb[1], rgb[2], 255];
            }
        }
    });
}

fn wrap(face: &Path, out: &Path) {
    let pixels = decode(face);
    let Samples::Rgba8(data) = &pixels.data else { panic!("a cut-out") };
    let (width, height) = (pixels.width as usize, pixels.height as usize);
    let ground = [142_u8, 202, 230];
    let tile: Vec<Pixel<u8>> = data
        .chunks_exact(4)
        .map(|p| {
            let mix = |i: usize| {
                ((u32::from(p[i]) * u32::from(p[3]) + u32::from(ground[i]) * (255 - u32::from(p[3])) + 127)
                    / 255) as u8
            };
            [mix(0), mix(1), mix(2), 255]
        })
        .collect();
    encode((609.6, 914.4), Some(Color::rgb8(142, 202, 230)), out, |y, row| {
        let line = &tile[y % height * width..][..width];
        row.chunks_exact_mut(width).for_each(|part| part.copy_from_slice(line));
    });
}

/// Fills bands row by row and encodes them, in parallel and in order.
fn encode(mm: (f64, f64), ground: Option<Color>, out: &Path, fill: impl Fn(usize, &mut [Pixel<u8>]) + Sync) {
    let area = kurbo::Rect::new(0.0, 0.0, mm.0, mm.1);
    let mut frame = Frame::of(area, Dpi::new(300.0), Placement::default());
    frame.background = ground;
    let (width, height) = (frame.width as usize, frame.height as usize);
    let file = File::create(out).expect("a file to write");
    let sink = PngSink::new(file, &frame, PngOptions::default()).expect("a PNG");
    let rows = BAND_ROWS as usize;
    let bands: Vec<usize> = (0..height).step_by(rows).collect();
    for window in bands.chunks(rayon::current_num_threads() * 2) {
        let packed: Vec<_> = window
            .par_iter()
            .map(|top| {
                let rows = rows.min(height - top);
                let mut pixels = vec![[0_u8; 4]; width * rows];
                for (y, row) in pixels.chunks_exact_mut(width).enumerate() {
                    fill(top + y, row);
                }
                let band = Band {
                    first_row: *top as u32,
                    width,
                    height: rows,
                    last: top + rows == height,
                    rows: Rows::Eight(&pixels),
                };
                sink.encode(&band).expect("a band")
            })
            .collect();
        packed.into_iter().for_each(|packed| sink.write(packed).expect("a file"));
    }
    sink.finish().expect("a PNG");
}
