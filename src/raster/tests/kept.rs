//! Pixels that are not painted again: a ground beneath what hides it, pictures that other orders have shown.

use super::*;
use crate::cache::Cache;
use std::sync::atomic::{AtomicU32, Ordering};

/// A picture without alpha.
fn opaque(width: u32, height: u32) -> Arc<Picture> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    let data: Vec<u8> = (0..width * height * 3).map(|i| (i * 7 % 251) as u8).collect();
    writer.write_image_data(&data).unwrap();
    writer.finish().unwrap();
    Arc::new(Picture::probe(bytes.into(), &Limits::default()).unwrap())
}

#[test]
fn a_ground_is_what_it_is_wherever_it_is_not_filled() {
    let opaque = opaque(40, 30);
    let photo = |x, y| image(placed(&opaque, onto(x, y, 40.0, 30.0)));
    let cell = Arc::new(group(vec![filled(circle(8.0, 8.0, 7.3), solid(9, 80, 200))]));
    let places: Vec<Affine> = (0..64)
        .map(|i| Affine::translate((f64::from(i % 3) * 16.0 + 8.0, f64::from(i / 3) * 16.0 + 4.0)))
        .collect();
    let bounds = Rect::new(0.0, 0.0, 16.0, 16.0);
    let prints = Node::Pattern(Arc::new(PatternNode { cell, bounds, instances: places }));
    let inside = Node::Group(Arc::new(Group {
        clips: vec![Clip {
            paths: vec![(Arc::new(Rect::new(-1.0, -1.0, 200.0, 700.0).to_path(0.1)), FillRule::NonZero)],
        }],
        ..group(vec![photo(60.0, 300.0), prints.clone()])
    }));
    let ground = rect(-1.0, -1.0, 120.0, 700.0, solid(240, 200, 220));
    // Over each other, over an edge of the frame and of bands, between pixels, on a ground and on none.
    let photos = [photo(50.0, 2.0), photo(70.0, 20.0), photo(-20.0, 110.0), photo(100.0, 250.0)];
    let between = photo(3.5, 400.25);
    let (ground, prints, between) = ([ground], [prints], [between]);
    for nodes in [
        [&ground, &photos[..], &prints].concat(),
        [&photos[..], &prints, &between].concat(),
        [&ground, &[inside], &photos[..]].concat(),
        [&ground, &between, &photos[..1], &prints].concat(),
    ] {
        // In one piece every pixel is filled first. Buffers go from band to band.
        let (width, height) = (110, 640);
        assert!(banded(&nodes, width, height) == whole(&nodes, width, height).data);
    }
}

#[test]
fn pictures_of_the_catalog_are_prepared_once_for_all_orders() {
    let hits = Arc::new(AtomicU32::new(0));
    let counted = hits.clone();
    let cache = Arc::new(Cache::new(1 << 20).told_to(move |hit| {
        counted.fetch_add(u32::from(hit), Ordering::Relaxed);
    }));
    let drawn = |kept: bool| {
        let mut drawn = Arc::into_inner(picture(60, 60, |x, y| [x as u8 * 4, y as u8 * 4, 0, 200])).unwrap();
        if kept {
            drawn.keep_in(cache.clone());
        }
        Arc::new(drawn)
    };
    let show = |kept: bool, side: f64| {
        let layer = whole(&[image(placed(&drawn(kept), onto(2.0, 2.0, side, side)))], 30, 30);
        (layer.data, hits.swap(0, Ordering::Relaxed))
    };
    let (alone, none) = show(false, 20.0);
    assert_eq!(none, 0);
    assert!(show(true, 20.0) == (alone.clone(), 0));
    let held = cache.bytes();
    assert!(show(true, 20.0) == (alone, 1));
    assert_eq!(cache.bytes(), held);
    // Another size is another layer, of the same pixels.
    assert!(show(true, 24.0) == (show(false, 24.0).0, 1));
    assert!(cache.bytes() > held);
}
