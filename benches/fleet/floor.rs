//! The floor of the mix: its pictures fetched, decoded, resampled, copied once and encoded, what a PDF
//! carries of them, hashes and uploads, and nothing else. No queue, no layout, no text, no checks.

use crate::mix::{Kind, TWENTY};
use crate::support::bucket::BUCKET;
use crate::support::fleet::Fleet;
use crate::{process, work};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use futures_util::StreamExt;
use md5::Md5;
use presswork::asset::{Pixels, Samples};
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// Orders a second, and processor seconds an order.
pub(crate) async fn run(fleet: &Fleet, assets: &Path, count: usize) -> (f64, f64) {
    let face = std::fs::read(assets.join("face.png")).expect("the picture");
    assert!(matches!(work::decode(face).data, Samples::Rgba8(_)), "the sticker's picture is a cut-out");
    let own = std::process::id();
    let before = process::cpu_seconds(own);
    let begin = Instant::now();
    futures_util::stream::iter(0..count)
        .map(|i| order(fleet, i))
        .buffer_unordered(2)
        .for_each(|()| async {})
        .await;
    let seconds = begin.elapsed().as_secs_f64();
    (count as f64 / seconds, (process::cpu_seconds(own) - before) / count as f64)
}

async fn order(fleet: &Fleet, index: usize) {
    let kind = TWENTY[index % TWENTY.len()];
    let names: &[&str] = match kind {
        Kind::Tee => &["photo.jpg", "art.svg"],
        Kind::Mug => &["mug-a.jpg", "mug-b.jpg", "mug-c.jpg", "mug-d.jpg"],
        Kind::Sticker => &["face.png"],
    };
    let fetched = names.iter().map(|name| async move { fleet.get(&format!("assets/{name}")).await });
    let mut pictures = futures_util::future::join_all(fetched).await;
    let made = tokio::task::spawn_blocking(move || {
        let files = match kind {
            Kind::Tee => vec![work::tee(pictures.swap_remove(0), Vec::new())],
            Kind::Mug => mug(pictures),
            Kind::Sticker => sticker(pictures.swap_remove(0)),
        };
        for file in &files {
            std::hint::black_box((Sha256::digest(file), Md5::digest(file)));
        }
        files
    });
    for (part, file) in made.await.expect("it does not panic").into_iter().enumerate() {
        let key = format!("floor/{index}/{part}");
        let put = fleet.bucket.put_object().bucket(BUCKET).key(key).body(file.into());
        put.send().await.expect("the store takes it");
    }
}

/// Four photos; a PDF carries them as they came.
fn mug(pictures: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    use rayon::prelude::*;
    const SIDE: usize = 560;
    let pdf = pictures.concat();
    let shown: Vec<Vec<u8>> = pictures
        .into_par_iter()
        .map(|bytes| work::cover(&work::decode(bytes), SIDE as u32, SIDE as u32))
        .collect();
    let png = work::encode((228.6, 93.556_667), Some([253, 246, 236]), Vec::new(), |y, row| {
        if let Some(y) = y.checked_sub(100).filter(|y| *y < SIDE) {
            for (index, photo) in shown.iter().enumerate() {
                work::copy_row(photo, SIDE, y, &mut row[100 + index * 650..][..SIDE]);
            }
        }
    });
    vec![png, pdf]
}

/// A cut-out; a PDF carries its samples, deflated.
fn sticker(face: Vec<u8>) -> Vec<Vec<u8>> {
    let pixels: Pixels = work::decode(face);
    let width = pixels.width as usize;
    let shown = work::flatten(&pixels, [255, 244, 224]);
    let png = work::encode((76.2, 76.2), Some([255, 244, 224]), Vec::new(), |y, row| {
        if let Some(y) = y.checked_sub(80).filter(|y| *y < pixels.height as usize) {
            row[150..][..width].copy_from_slice(&shown[y * width..][..width]);
        }
    });
    let mut pdf = ZlibEncoder::new(Vec::new(), Compression::fast());
    if let Samples::Rgba8(data) = &pixels.data {
        pdf.write_all(data).expect("memory takes it");
    }
    vec![png, pdf.finish().expect("memory takes it")]
}
