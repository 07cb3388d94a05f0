//! Judges the judge: the comparison of pictures has to pass what only anti-aliases otherwise
//! and to fail what a print shop would send back.

use crate::support::picture::{
    Bars, Comparison, GREEN, PxBox, WHITE, compare, flatten, halve, ink_bounds, is_opaque,
};
use image::RgbImage;
use tiny_skia::{Color, FillRule, Paint, PathBuilder, Pixmap, Rect, Transform};

const SIZE: (u32, u32) = (1800, 1500);

/// What a test leaves out or changes.
#[derive(Default, Clone, Copy)]
struct Change {
    without_word: bool,
    without_disc: bool,
    moved: f32,
    pale: bool,
}

/// A page with a disc, a panel and lines of small words, drawn from paths.
fn page(change: Change) -> RgbImage {
    let mut pixmap = Pixmap::new(SIZE.0, SIZE.1).unwrap();
    pixmap.fill(Color::WHITE);
    let at = Transform::from_translate(change.moved, change.moved);
    let mut fill = |path: &tiny_skia::Path, rgb: [u8; 3]| {
        let mut paint = Paint::default();
        paint.set_color_rgba8(rgb[0], rgb[1], rgb[2], 255);
        pixmap.fill_path(path, &paint, FillRule::Winding, at, None);
    };
    if !change.without_disc {
        fill(&PathBuilder::from_circle(400.0, 400.0, 210.5).unwrap(), [200, 30, 60]);
    }
    let panel = Rect::from_xywh(1000.3, 100.3, 600.0, 500.0).unwrap();
    fill(&PathBuilder::from_rect(panel), if change.pale { [228, 240, 240] } else { [240, 240, 240] });
    for line in 0..12_u32 {
        for word in 0..10_u32 {
            if change.without_word && (line, word) == (7, 4) {
                continue;
            }
            let (x, y) = (100.0 + word as f32 * 150.0, 800.0 + line as f32 * 50.0);
            let mut letters = PathBuilder::new();
            for letter in 0..4 {
                // An o and an l, roughly: about 9 pt at 300 dpi.
                let x = x + letter as f32 * 14.0;
                letters.push_oval(Rect::from_xywh(x, y + 6.2, 9.0, 12.0).unwrap());
                letters.push_rect(Rect::from_xywh(x + 10.1, y, 2.4, 18.0).unwrap());
            }
            fill(&letters.finish().unwrap(), [20, 20, 40]);
        }
    }
    let rgba = image::RgbaImage::from_raw(SIZE.0, SIZE.1, pixmap.take()).unwrap();
    flatten(&rgba, WHITE)
}

fn boxes() -> Vec<(String, PxBox)> {
    vec![
        ("disc".into(), PxBox::new(189.5, 189.5, 610.5, 610.5)),
        ("panel".into(), PxBox::new(1000.3, 100.3, 1600.3, 600.3)),
        ("words".into(), PxBox::new(100.0, 800.0, 1506.0, 1368.0)),
        ("page".into(), PxBox::new(0.0, 0.0, 1800.0, 1500.0)),
        ("outside".into(), PxBox::new(-300.0, -300.0, -10.0, -10.0)),
    ]
}

fn judged(change: Change) -> (Comparison, Vec<String>) {
    let comparison = compare(&page(Change::default()), &page(change), WHITE, &boxes());
    let faults = comparison.faults(&Bars::AGREEMENT);
    (comparison, faults)
}

#[test]
fn a_picture_is_like_itself() {
    let (comparison, faults) = judged(Change::default());
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!(comparison.layers.len(), 4, "a box outside the picture is left out");
    assert!(comparison.layers.iter().all(|(_, ssim)| (*ssim - 1.0).abs() < 1e-9));
}

#[test]
fn other_anti_aliasing_passes() {
    let (comparison, faults) = judged(Change { moved: 0.15, ..Change::default() });
    assert_eq!(faults, Vec::<String>::new(), "{comparison}");
}

#[test]
fn a_shift_by_two_pixels_fails() {
    let (_, faults) = judged(Change { moved: 2.0, ..Change::default() });
    assert!(faults.iter().any(|f| f.starts_with("layer words")), "{faults:?}");
    assert!(faults.iter().any(|f| f.starts_with("ink bounds")), "{faults:?}");
}

#[test]
fn one_missing_word_fails_though_the_page_as_a_whole_looks_alike() {
    let (comparison, faults) = judged(Change { without_word: true, ..Change::default() });
    let page = comparison.layers.iter().find(|(id, _)| id == "page").unwrap().1;
    assert!(page > 0.99, "the whole page scores {page}");
    assert!(faults.iter().any(|f| f.starts_with("tile")), "{comparison} {faults:?}");
}

#[test]
fn one_missing_layer_fails() {
    let (_, faults) = judged(Change { without_disc: true, ..Change::default() });
    assert!(faults.iter().any(|f| f.starts_with("layer disc")), "{faults:?}");
    assert!(faults.iter().any(|f| f.starts_with("ink bounds")), "{faults:?}");
}

#[test]
fn a_flat_area_of_another_colour_fails() {
    let (comparison, faults) = judged(Change { pale: true, ..Change::default() });
    assert!(faults.iter().any(|f| f.contains("mean colour off by 12.0")), "{comparison} {faults:?}");
}

#[test]
fn other_sizes_fail() {
    let (a, b) = (RgbImage::new(10, 10), RgbImage::new(10, 11));
    assert_eq!(compare(&a, &b, WHITE, &[]).faults(&Bars::AGREEMENT).len(), 1);
}

#[test]
fn tiny_pictures_and_boxes_are_judged() {
    let a = RgbImage::from_pixel(3, 3, image::Rgb([0, 0, 0]));
    let b = RgbImage::from_pixel(3, 3, image::Rgb([255, 255, 255]));
    let all = [("all".to_owned(), PxBox::new(0.0, 0.0, 3.0, 3.0))];
    assert!(compare(&a, &a, WHITE, &all).faults(&Bars::AGREEMENT).is_empty());
    assert!(compare(&a, &b, WHITE, &all).layers[0].1 < 0.01);
    let hairline = [("hairline".to_owned(), PxBox::new(700.0, 700.0, 700.2, 700.2))];
    let page = page(Change::default());
    assert_eq!(compare(&page, &page, WHITE, &hairline).layers.len(), 1);
}

#[test]
fn white_ink_shows_on_green_paper() {
    let mut picture = image::RgbaImage::new(20, 20);
    assert!(!is_opaque(&picture));
    for x in 5..9 {
        picture.put_pixel(x, 7, image::Rgba([255; 4]));
    }
    assert_eq!(ink_bounds(&flatten(&picture, WHITE), WHITE), None);
    assert_eq!(ink_bounds(&flatten(&picture, GREEN), GREEN), Some([5, 7, 9, 8]));
}

#[test]
fn halving_averages_and_keeps_odd_edges() {
    let mut picture = RgbImage::new(3, 1);
    picture.put_pixel(1, 0, image::Rgb([100, 100, 100]));
    picture.put_pixel(2, 0, image::Rgb([40, 40, 40]));
    let half = halve(&picture);
    assert_eq!(half.dimensions(), (2, 1));
    assert_eq!((half.get_pixel(0, 0)[0], half.get_pixel(1, 0)[0]), (50, 40));
}

#[test]
fn a_shirt_sized_comparison_reports_the_place() {
    let expected = RgbImage::from_pixel(4500, 5400, image::Rgb([255, 255, 255]));
    let mut actual = expected.clone();
    for y in 5000..5020 {
        for x in 4000..4060 {
            actual.put_pixel(x, y, image::Rgb([0, 0, 0]));
        }
    }
    let comparison = compare(&expected, &actual, WHITE, &[]);
    let (x, y, ssim) = comparison.tile;
    assert!((3968..=4032).contains(&x) && y == 4992 && ssim < 0.7, "{comparison} at {x},{y}");
    assert_eq!(comparison.ink, [None, Some([4000, 5000, 4060, 5020])]);
}
