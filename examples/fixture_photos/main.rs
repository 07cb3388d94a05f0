//! Makes the fixture photos: `cargo run --example fixture_photos` writes `fixtures/assets/`.
//!
//! Scenes are drawn as SVG (`scenes`, `faces`), rasterised, given grain and encoded the way
//! cameras and phones do: baseline and progressive JPEG, a turned phone picture with its EXIF
//! tag, PNG with alpha, with a palette and with 16 bits. The same program makes the same bytes.

mod faces;
mod random;
mod scenes;

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use random::{Random, smooth_noise};
use resvg::{tiny_skia, usvg};
use std::error::Error;
use std::path::{Path, PathBuf};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// An upright RGBA picture, alpha not premultiplied.
struct Photo {
    width: u32,
    height: u32,
    rgba: Vec<u8>,
}

/// How a JPEG is written.
#[derive(Clone, Copy)]
struct Jpeg {
    quality: u8,
    progressive: bool,
    /// The picture is stored turned, as a phone held upright stores it (EXIF orientation 6).
    turned: bool,
    /// The EXIF tag says so.
    tagged: bool,
    /// Each component in a scan of its own: baseline, and legal, and rare.
    separate: bool,
}

const CAMERA: Jpeg = Jpeg { quality: 80, progressive: false, turned: false, tagged: false, separate: false };

fn main() -> Outcome<()> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/assets");
    for folder in ["photos", "uploads/7Q2", "bad"] {
        std::fs::create_dir_all(root.join(folder))?;
    }
    let photo = |name: &str| root.join(format!("photos/{name}"));

    jpeg(&photo("beach.jpg"), draw(2400, 1600, &scenes::beach())?, CAMERA)?;
    jpeg(&photo("mountains.jpg"), draw(4032, 3024, &scenes::mountains())?, Jpeg { quality: 72, ..CAMERA })?;
    jpeg(&photo("dog.jpg"), draw(2000, 2000, &scenes::dog())?, CAMERA)?;
    jpeg(&photo("cat.jpg"), draw(1600, 2000, &scenes::cat())?, CAMERA)?;
    jpeg(&photo("flowers.jpg"), draw(2000, 1500, &scenes::flowers())?, Jpeg { progressive: true, ..CAMERA })?;
    jpeg(&photo("couple.jpg"), draw(2400, 1600, &scenes::couple())?, CAMERA)?;
    jpeg(&photo("city.jpg"), draw(1600, 2400, &scenes::city())?, CAMERA)?;
    jpeg(&photo("stage.jpg"), draw(1600, 1600, &scenes::stage())?, CAMERA)?;
    jpeg(
        &photo("phone-upright.jpg"),
        draw(1800, 2400, &scenes::man())?,
        Jpeg { turned: true, tagged: true, ..CAMERA },
    )?;
    jpeg(&root.join("uploads/7Q2/p.jpg"), draw(1800, 2400, &scenes::woman(true))?, CAMERA)?;
    matte(&root.join("uploads/7Q2/p-matte.png"), &draw(900, 1200, &scenes::woman(false))?)?;
    png_rgba(&photo("face-cutout.png"), &draw(1000, 1250, &scenes::child())?)?;
    png_palette(&photo("badge-palette.png"), &draw(600, 600, &scenes::badge())?)?;
    png_sixteen(&photo("gradient-16bit.png"))?;
    jpeg(&photo("sideways.jpg"), draw(960, 1200, &scenes::cat())?, Jpeg { turned: true, ..CAMERA })?;
    jpeg(&photo("separate-scans.jpg"), draw(480, 320, &scenes::beach())?, Jpeg { separate: true, ..CAMERA })?;
    let kraft = root.join("../catalog/gift-tag/1/kraft.jpg");
    jpeg(&kraft, draw(640, 1070, &scenes::kraft())?, Jpeg { quality: 70, ..CAMERA })?;
    // What a dropped connection leaves of an upload.
    let whole = std::fs::read(photo("cat.jpg"))?;
    std::fs::write(root.join("bad/truncated.jpg"), &whole[..3000])?;
    std::fs::write(root.join("bad/empty.jpg"), b"")?;
    Ok(())
}

/// Rasterises a scene; its `viewBox` fills the picture.
fn draw(width: u32, height: u32, svg: &str) -> Outcome<Photo> {
    let tree = usvg::Tree::from_str(svg, &usvg::Options::default())?;
    let mut pixmap = tiny_skia::Pixmap::new(width, height).ok_or("a picture has a size")?;
    let scale = width as f32 / tree.size().width();
    resvg::render(&tree, tiny_skia::Transform::from_scale(scale, scale), &mut pixmap.as_mut());
    let rgba = pixmap.pixels().iter().flat_map(|p| {
        let c = p.demultiply();
        [c.red(), c.green(), c.blue(), c.alpha()]
    });
    Ok(Photo { width, height, rgba: rgba.collect() })
}

/// Grain as a small sensor has it: mostly luma, stronger in mid tones, two pixels coarse.
fn add_grain(photo: &mut Photo) {
    let mut random = Random::new(u64::from(photo.width) << 32 | u64::from(photo.height));
    let coarse = photo.width.div_ceil(2) as usize;
    let grain: Vec<f64> = (0..coarse * photo.height.div_ceil(2) as usize)
        .map(|_| random.symmetric() + random.symmetric())
        .collect();
    for (i, pixel) in photo.rgba.chunks_exact_mut(4).enumerate() {
        let (x, y) = (i % photo.width as usize, i / photo.width as usize);
        let luma = (f64::from(pixel[0]) + 2.0 * f64::from(pixel[1]) + f64::from(pixel[2])) / 1020.0;
        let uneven = smooth_noise(x as f64 / 90.0, y as f64 / 90.0) - 0.5;
        let amount = grain[y / 2 * coarse + x / 2] * (1.2 + 3.0 * luma * (1.0 - luma)) + uneven * 5.0;
        for c in &mut pixel[..3] {
            *c = (f64::from(*c) + amount).clamp(0.0, 255.0) as u8;
        }
    }
}

fn jpeg(path: &Path, mut photo: Photo, how: Jpeg) -> Outcome<()> {
    add_grain(&mut photo);
    let photo = if how.turned { turned_left(&photo) } else { photo };
    let rgb: Vec<u8> = photo.rgba.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
    let mut encoder = Encoder::new_file(path, how.quality)?;
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.set_progressive(how.progressive);
    // Tables made for the picture need two passes, for which this encoder separates the scans.
    encoder.set_optimized_huffman_tables(how.separate);
    if how.tagged {
        // TIFF header, one IFD, one tag: orientation 6 ("turn me a quarter clockwise").
        let exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        encoder.add_app_segment(1, exif.to_vec())?;
    }
    encoder.encode(&rgb, photo.width as u16, photo.height as u16, ColorType::Rgb)?;
    Ok(())
}

/// A quarter turn against the clock: what orientation 6 undoes.
fn turned_left(photo: &Photo) -> Photo {
    let (width, height) = (photo.height, photo.width);
    let mut rgba = Vec::with_capacity(photo.rgba.len());
    for y in 0..height {
        for x in 0..width {
            let from = ((x * photo.width + (photo.width - 1 - y)) * 4) as usize;
            rgba.extend_from_slice(&photo.rgba[from..from + 4]);
        }
    }
    Photo { width, height, rgba }
}

fn png(
    path: &Path,
    width: u32,
    height: u32,
    set: impl Fn(&mut png::Encoder<'_, std::fs::File>),
    data: &[u8],
) -> Outcome<()> {
    let mut encoder = png::Encoder::new(std::fs::File::create(path)?, width, height);
    encoder.set_compression(png::Compression::High);
    set(&mut encoder);
    encoder.write_header()?.write_image_data(data)?;
    Ok(())
}

/// Figure white, everything else black, as a cut-out service delivers it.
fn matte(path: &Path, figure: &Photo) -> Outcome<()> {
    let grey: Vec<u8> = figure.rgba.chunks_exact(4).map(|p| p[3]).collect();
    png(path, figure.width, figure.height, |e| e.set_color(png::ColorType::Grayscale), &grey)
}

fn png_rgba(path: &Path, photo: &Photo) -> Outcome<()> {
    png(path, photo.width, photo.height, |e| e.set_color(png::ColorType::Rgba), &photo.rgba)
}

/// Few colours, with `tRNS`: the colours are those that the drawing has most of.
fn png_palette(path: &Path, photo: &Photo) -> Outcome<()> {
    let mut counts = std::collections::BTreeMap::<[u8; 4], usize>::new();
    for p in photo.rgba.chunks_exact(4) {
        *counts.entry([p[0] & 0xf8, p[1] & 0xf8, p[2] & 0xf8, p[3] & 0xe0]).or_default() += 1;
    }
    let mut colors: Vec<([u8; 4], usize)> = counts.into_iter().collect();
    colors.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    colors.truncate(64);
    let far =
        |a: &[u8; 4], b: &[u8]| a.iter().zip(b).map(|(a, b)| i32::from(a.abs_diff(*b)).pow(2)).sum::<i32>();
    let nearest = |p: &[u8]| (0..colors.len()).min_by_key(|i| far(&colors[*i].0, p)).unwrap_or(0) as u8;
    let indices: Vec<u8> = photo.rgba.chunks_exact(4).map(nearest).collect();
    let rgb: Vec<u8> = colors.iter().flat_map(|(c, _)| [c[0], c[1], c[2]]).collect();
    let alpha: Vec<u8> = colors.iter().map(|(c, _)| if c[3] >= 0xe0 { 255 } else { c[3] }).collect();
    let set = |e: &mut png::Encoder<'_, std::fs::File>| {
        e.set_color(png::ColorType::Indexed);
        e.set_palette(rgb.clone());
        e.set_trns(alpha.clone());
    };
    png(path, photo.width, photo.height, set, &indices)
}

/// A dusk sky finer than 8 bits can tell apart.
fn png_sixteen(path: &Path) -> Outcome<()> {
    let (width, height) = (480_u32, 320_u32);
    let mut data = Vec::new();
    for y in 0..height {
        let t = f64::from(y) / f64::from(height - 1);
        for _ in 0..width {
            for (top, bottom) in [(0.14, 0.97), (0.16, 0.66), (0.36, 0.45)] {
                let value = (top + (bottom - top) * t) * 65535.0;
                data.extend((value as u16).to_be_bytes());
            }
        }
    }
    let set = |e: &mut png::Encoder<'_, std::fs::File>| {
        e.set_color(png::ColorType::Rgb);
        e.set_depth(png::BitDepth::Sixteen);
    };
    png(path, width, height, set, &data)
}
