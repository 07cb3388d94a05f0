//! What the machine allows: the decoding, resampling, one copy and encoding of a job and nothing
//! else, with the same libraries. `floor tee|wrap ASSETS OUT.png`
//!
//! `benches/peers/run.sh` times it beside presswork; the ratio of processor time is what layout,
//! compositing and everything else cost.

#![allow(clippy::expect_used, reason = "a benchmark that cannot go on stops")]

#[allow(dead_code, reason = "the fleet's floor takes the rest")]
mod work;

use std::fs::File;
use std::path::Path;

fn main() {
    // The allocator is set as the program sets it.
    presswork::memory::give_back(None);
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let [job, assets, out] = arguments.as_slice() else {
        // `cargo bench` alone has nothing to measure here.
        eprintln!("usage: floor tee|wrap ASSETS OUT.png");
        return;
    };
    let read = |name: &str| {
        std::fs::read(Path::new(assets).join(name)).expect("benches/peers/setup.sh makes the pictures")
    };
    let file = File::create(out).expect("a file to write");
    match job.as_str() {
        "tee" => drop(work::tee(read("photo.jpg"), file)),
        "wrap" => wrap(read("face.png"), file),
        other => {
            eprintln!("floor has no job {other}");
            std::process::exit(2);
        }
    }
}

fn wrap(face: Vec<u8>, file: File) {
    const CANVAS: (usize, usize) = (7200, 10_800);
    let ground = [142, 202, 230];
    let pixels = work::decode(face);
    let (width, height) = (pixels.width as usize, pixels.height as usize);
    let tile = work::flatten(&pixels, ground);
    work::encode(CANVAS, Some(ground), file, |first, band| {
        for (y, row) in (first..).zip(band.chunks_exact_mut(CANVAS.0)) {
            let line = &tile[y % height * width..][..width];
            row.chunks_exact_mut(width).for_each(|part| part.copy_from_slice(line));
        }
    });
}
