//! The floor of the mix: its pictures fetched, decoded, resampled, copied once and encoded, what a PDF
//! carries of them, hashes and uploads, and nothing else. No queue, no layout, no text, no checks.

use crate::mix::{Kind, TWENTY};
use crate::support::bucket::BUCKET;
use crate::support::fleet::Fleet;
use crate::work;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use futures_util::StreamExt;
use md5::Md5;
use presswork::asset::Samples;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::io::Write;

/// Makes and keeps `count` orders, of which so many are under way at once.
pub(crate) async fn run(fleet: &Fleet, count: usize, under_way: usize) {
    futures_util::stream::iter(0..count)
        .map(|i| order(fleet, i))
        .buffer_unordered(under_way)
        .for_each(|()| async {})
        .await;
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

/// Four photos, each decoded as small as it may be; a PDF carries them as they came.
fn mug(pictures: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    const CANVAS: (usize, usize) = (2700, 1105);
    const SIDE: usize = 560;
    const TOP: usize = 100;
    let pdf = pictures.concat();
    let shown: Vec<Vec<u8>> =
        pictures.into_par_iter().map(|bytes| work::reduced(bytes, (SIDE as u32, SIDE as u32))).collect();
    let png = work::encode(CANVAS, Some([253, 246, 236]), Vec::new(), |first, band| {
        for (y, row) in (first..).zip(band.chunks_exact_mut(CANVAS.0)) {
            let photos = if (TOP..TOP + SIDE).contains(&y) { shown.as_slice() } else { &[] };
            let lines = photos.iter().map(|rgb| &rgb[(y - TOP) * SIDE * 3..][..SIDE * 3]);
            work::write_row(row, [253, 246, 236, 255], (100..).step_by(650).zip(lines));
        }
    });
    vec![png, pdf]
}

/// A cut-out; a PDF carries its samples, deflated.
fn sticker(face: Vec<u8>) -> Vec<Vec<u8>> {
    const CANVAS: (usize, usize) = (900, 900);
    const AT: (usize, usize) = (150, 80);
    let ground = [255, 244, 224];
    let pixels = work::decode(face);
    let width = pixels.width as usize;
    let shown = work::flatten(&pixels, ground);
    let png = work::encode(CANVAS, Some(ground), Vec::new(), |first, band| {
        for (y, row) in (first..).zip(band.chunks_exact_mut(CANVAS.0)) {
            let face = y.checked_sub(AT.1).and_then(|y| shown.chunks_exact(width).nth(y)).unwrap_or_default();
            let (before, rest) = row.split_at_mut(AT.0);
            let (face_at, after) = rest.split_at_mut(face.len());
            before.fill([255, 244, 224, 255]);
            face_at.copy_from_slice(face);
            after.fill([255, 244, 224, 255]);
        }
    });
    let mut pdf = ZlibEncoder::new(Vec::new(), Compression::fast());
    if let Samples::Rgba8(data) = &pixels.data {
        pdf.write_all(data).expect("memory takes it");
    }
    vec![png, pdf.finish().expect("memory takes it")]
}
