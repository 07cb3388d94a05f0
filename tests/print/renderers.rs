//! Judges the foreign renderers' set-up with a page made by hand: what the agreement of PDF and
//! PNG is measured with has to put things where they are.

use crate::support::job::Grid;
use crate::support::judges::{Renderer, pdf_boxes, peak_megabytes, qpdf_check, scratch};
use crate::support::page::{PageArea, isolate};
use crate::support::picture::{Bars, GREEN, PxBox, WHITE, compare, flatten};
use lopdf::{Dictionary, Document, Object, Stream, dictionary};
use std::path::{Path, PathBuf};

const MM: f64 = 72.0 / 25.4;

/// A page of 60×40 mm trim with 3 mm bleed: a black box at 10,5 of 20×10 mm, a white one below.
fn page(folder: &Path) -> PathBuf {
    let mut document = Document::with_version("1.6");
    let tree = document.new_object_id();
    let box_at = |x: f64, y: f64| {
        format!("{} {} {} {} re f\n", (x + 3.0) * MM, (43.0 - y - 10.0) * MM, 20.0 * MM, 10.0 * MM)
    };
    let text = format!("0 0 0 rg {}1 1 1 rg {}", box_at(10.0, 5.0), box_at(10.0, 20.0));
    let contents = document.add_object(Stream::new(Dictionary::new(), text.into_bytes()));
    let sides = |b: [f64; 4]| Object::Array(b.map(|v| Object::Real((v * MM) as f32)).to_vec());
    let page = document.add_object(dictionary! {
        "Type" => "Page", "Parent" => tree, "Contents" => contents, "Resources" => Dictionary::new(),
        "MediaBox" => sides([0.0, 0.0, 66.0, 46.0]), "BleedBox" => sides([0.0, 0.0, 66.0, 46.0]),
        "TrimBox" => sides([3.0, 3.0, 63.0, 43.0]),
    });
    let pages = dictionary! { "Type" => "Pages", "Kids" => vec![page.into()], "Count" => 1 };
    document.objects.insert(tree, pages.into());
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
    document.trailer.set("Root", catalog);
    let path = folder.join("page.pdf");
    document.save(&path).unwrap();
    path
}

/// The same art in pixels.
fn picture(area: PageArea, grid: &Grid) -> image::RgbaImage {
    let (width, height) = grid.pixels();
    let mut picture = tiny_skia::Pixmap::new(width, height).unwrap();
    for (y, grey) in [(5.0, 0), (20.0, 255)] {
        let b = grid.place([10.0, y, 30.0, y + 10.0]);
        let rect = tiny_skia::Rect::from_ltrb(b.x0 as f32, b.y0 as f32, b.x1 as f32, b.y1 as f32).unwrap();
        let mut paint = tiny_skia::Paint::default();
        paint.set_color_rgba8(grey, grey, grey, 255);
        picture.fill_rect(rect, &paint, tiny_skia::Transform::identity(), None);
    }
    assert!(area == PageArea::Trim || picture.width() > 700);
    let plain = picture.pixels().iter().flat_map(|p| {
        let p = p.demultiply();
        [p.red(), p.green(), p.blue(), p.alpha()]
    });
    image::RgbaImage::from_raw(width, height, plain.collect()).unwrap()
}

#[test]
fn every_renderer_puts_things_where_they_are() {
    let folder = scratch("renderers");
    let pdf = page(&folder);
    qpdf_check(&pdf);
    let sides = [3.0 * MM, 3.0 * MM, 63.0 * MM, 43.0 * MM];
    assert!(pdf_boxes(&pdf)[0].trim.iter().zip(sides).all(|(a, b)| (a - b).abs() < 0.01));
    for (area, sides) in
        [(PageArea::Trim, [0.0, 0.0, 60.0, 40.0]), (PageArea::Bleed, [-3.0, -3.0, 66.0, 46.0])]
    {
        let grid = Grid { area: sides, dpi: 300.0, scale: [1.0, 1.0], mirror: false, quarter_turns: 0 };
        let ours = picture(area, &grid);
        let boxes = [("black".to_owned(), grid.place([10.0, 5.0, 30.0, 15.0]))];
        for paper in [WHITE, GREEN] {
            let colour = (paper != WHITE).then_some(paper);
            let cut = isolate(&pdf, 1, area, colour, &folder.join("cut.pdf"));
            for renderer in Renderer::ALL {
                let theirs = flatten(&renderer.render(&cut, 1, grid.pixels(), &folder), WHITE);
                let expected = flatten(&ours, paper);
                let name = format!("renderers {renderer:?} {area:?} {paper:?}");
                let comparison = compare(&expected, &theirs, paper, &boxes);
                println!("{name}: {comparison}");
                comparison.assert_alike(&name, &Bars::AGREEMENT, &expected, &theirs);
            }
        }
    }
}

#[test]
fn a_grid_mirrors_and_turns() {
    let grid =
        Grid { area: [-1.0, -1.0, 12.0, 7.0], dpi: 25.4, scale: [2.0, 1.0], mirror: true, quarter_turns: 1 };
    assert_eq!(grid.pixels(), (7, 24));
    // 1..3 mm of 12 are at 4..8 of 24 px, mirrored 16..20; turned, they are rows.
    let PxBox { x0, y0, x1, y1 } = grid.place([1.0, 0.0, 3.0, 2.0]);
    let near = [x0 - 4.0, y0 - 16.0, x1 - 6.0, y1 - 20.0].iter().all(|off| off.abs() < 1e-9);
    assert!(near, "{x0} {y0} {x1} {y1}");
}

#[test]
fn peak_memory_is_read() {
    let (megabytes, said) = peak_megabytes(std::process::Command::new("true").arg("x"));
    assert!(said.code == Some(0) && megabytes > 0.5 && megabytes < 50.0, "{megabytes} MB");
}
