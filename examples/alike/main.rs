//! Are two pictures alike? `alike A.png B.png [NAME=LEFT,TOP,RIGHT,BOTTOM …]`: averaged 2 × 2, as the
//! tests compare pictures. Tells the layer with the least mean SSIM inside its box (the whole picture,
//! where no box is given) and that SSIM, the SSIM of the worst inked tile, and by how many pixels the
//! bounds of the ink differ. Exits 1 where one of them is beyond its floor.
//!
//! The floors are wide enough for another program's resampling and anti-aliasing, and far too narrow for a
//! word that is missing or stands elsewhere: a tile with a letter in one picture alone is at about 0.

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

use picture::{Bars, Comparison, GREEN, PxBox, compare, flatten, load};
use std::path::Path;

/// Colours are not compared by themselves: `shift` lets all pass.
const FLOORS: Bars = Bars { layer: 0.97, tile: 0.75, shift: 256.0, bounds: 2 };

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [a, b, boxes @ ..] = arguments.as_slice() else { usage() };
    let (a, b) = (flatten(&load(Path::new(a)), GREEN), flatten(&load(Path::new(b)), GREEN));
    let whole = PxBox::new(0.0, 0.0, f64::from(a.width()), f64::from(a.height()));
    let boxes = match boxes {
        [] => vec![("all".to_owned(), whole)],
        some => some.iter().map(|text| named_box(text).unwrap_or_else(|| usage())).collect(),
    };
    let found = compare(&a, &b, GREEN, &boxes);
    let (layer, ssim) = found.layers.first().map_or(("none", 0.0), |(id, ssim)| (id.as_str(), *ssim));
    println!("{layer} {ssim:.4} {:.4} {}", found.tile.2, apart(&found));
    let faults = found.faults(&FLOORS);
    faults.iter().for_each(|fault| eprintln!("{fault}"));
    std::process::exit(i32::from(!faults.is_empty() || found.layers.is_empty()));
}

fn named_box(text: &str) -> Option<(String, PxBox)> {
    let (name, sides) = text.split_once('=')?;
    let sides: Option<Vec<f64>> = sides.split(',').map(|side| side.parse().ok()).collect();
    let [left, top, right, bottom] = *sides?.as_array()?;
    Some((name.to_owned(), PxBox::new(left, top, right, bottom)))
}

/// The furthest that a side of the ink's bounds is from the other picture's.
fn apart(found: &Comparison) -> String {
    match found.ink {
        [Some(a), Some(b)] => (0..4).map(|i| a[i].abs_diff(b[i])).max().unwrap_or(0).to_string(),
        [None, None] => "0".to_owned(),
        [_, _] => "?".to_owned(),
    }
}

fn usage() -> ! {
    eprintln!("usage: alike A.png B.png [NAME=LEFT,TOP,RIGHT,BOTTOM …]");
    std::process::exit(2);
}
