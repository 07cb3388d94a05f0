//! The steps that no renderer can do without, with the libraries that presswork uses.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use presswork::asset::{Depth, Encoded, Limits, Picture, Pixels, Samples};
use presswork::raster::{BAND_ROWS, Band, Frame, Pixel, PngOptions, PngSink, Rows, Sink};
use presswork::scene::{Color, Dpi, Placement};
use rayon::prelude::*;
use std::io::Write;

/// A picture's pixels.
pub(crate) fn decode(bytes: Vec<u8>) -> Pixels {
    let picture = Picture::probe(Encoded::Memory(bytes.into()), &Limits::default()).expect("a picture");
    picture.decode(Depth::Eight).expect("a picture")
}

/// An opaque photo that covers `width` by `height` pixels, as RGB.
pub(crate) fn cover(pixels: &Pixels, width: u32, height: u32) -> Vec<u8> {
    let Samples::Rgb8(data) = &pixels.data else { panic!("an opaque photo") };
    let source = ImageRef::new(pixels.width, pixels.height, data, PixelType::U8x3).expect("its size");
    let mut shown = Image::new(width, height, PixelType::U8x3);
    let lanczos = ResizeAlg::Convolution(FilterType::Lanczos3);
    let how = ResizeOptions::new().resize_alg(lanczos).fit_into_destination(Some((0.5, 0.5)));
    Resizer::new().resize(&source, &mut shown, &how).expect("a resize");
    shown.into_vec()
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

/// Copies a row of an RGB picture over a row of the canvas.
pub(crate) fn copy_row(rgb: &[u8], width: usize, y: usize, row: &mut [Pixel<u8>]) {
    let source = rgb[y * width * 3..][..width * 3].chunks_exact(3);
    for (pixel, rgb) in row.iter_mut().zip(source) {
        *pixel = [rgb[0], rgb[1], rgb[2], 255];
    }
}

/// Fills a canvas of `mm` row by row and encodes it, in parallel and in order.
pub(crate) fn encode<W: Write + Send>(
    mm: (f64, f64),
    ground: Option<[u8; 3]>,
    out: W,
    fill: impl Fn(usize, &mut [Pixel<u8>]) + Sync,
) -> W {
    let area = kurbo::Rect::new(0.0, 0.0, mm.0, mm.1);
    let mut frame = Frame::of(area, Dpi::new(300.0), Placement::default());
    frame.background = ground.map(|[r, g, b]| Color::rgb8(r, g, b));
    let empty = ground.map_or([0; 4], |[r, g, b]| [r, g, b, 255]);
    let (width, height) = (frame.width as usize, frame.height as usize);
    let sink = PngSink::new(out, &frame, PngOptions::default()).expect("a PNG");
    let rows = BAND_ROWS as usize;
    let bands: Vec<usize> = (0..height).step_by(rows).collect();
    for window in bands.chunks(rayon::current_num_threads() * 2) {
        let packed: Vec<_> = window
            .par_iter()
            .map(|top| {
                let rows = rows.min(height - top);
                let mut pixels = vec![empty; width * rows];
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
    sink.finish().expect("a PNG")
}

/// The shirt's picture: the photo in its place, nothing else.
pub(crate) fn tee<W: Write + Send>(photo: Vec<u8>, out: W) -> W {
    let (width, height) = (3900, 2925);
    let shown = cover(&decode(photo), width, height);
    encode((381.0, 457.2), None, out, |y, row| {
        if let Some(y) = y.checked_sub(300).filter(|y| *y < height as usize) {
            copy_row(&shown, width as usize, y, &mut row[300..][..width as usize]);
        }
    })
}
