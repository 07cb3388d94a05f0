//! Are two pictures alike? `alike A.png B.png`: averaged 2 x 2, mean SSIM over the whole picture
//! and in its worst inked tile, as the tests compare pictures. Exits 1 below 0.97.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "shares the tests' comparison"
)]

#[path = "../../tests/support/picture.rs"]
mod picture;

use picture::{GREEN, PxBox, compare, flatten, load};
use std::path::Path;

fn main() {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let [a, b] = files.as_slice() else {
        eprintln!("usage: alike A.png B.png");
        std::process::exit(2);
    };
    let (a, b) = (flatten(&load(Path::new(a)), GREEN), flatten(&load(Path::new(b)), GREEN));
    let whole = PxBox::new(0.0, 0.0, f64::from(a.width()), f64::from(a.height()));
    let found = compare(&a, &b, GREEN, &[("all".to_owned(), whole)]);
    let ssim = found.layers.first().map_or(0.0, |(_, ssim)| *ssim);
    println!("{ssim:.4} {:.4}", found.tile.2);
    std::process::exit(i32::from(ssim < 0.97));
}
