//! Scenes painted and looked at, pixel by pixel.
//!
//! More than 400 lines: one small scene after another.

use super::layer::{Area, Layer};
use super::resolve::resolve;
use super::sample::Sample;
use super::store::paint_whole;
use super::*;
use crate::asset::Picture;
use crate::scene::*;
use kurbo::{Affine, BezPath, Circle, Insets, Point, Rect, Shape, Size};
use std::sync::{Arc, Mutex};

mod kept;

/// Keeps what it is given.
#[derive(Default)]
struct Collect(Mutex<Vec<Pixel<u8>>>);

impl Sink for Collect {
    fn encode(&self, band: &Band<'_>) -> Result<Packed, Violation> {
        let Rows::Eight(pixels) = band.rows else { panic!("8 bits wanted") };
        Ok(Packed { bytes: bytemuck::cast_slice(pixels).to_vec(), ..Packed::default() })
    }

    fn write(&self, packed: Packed) -> Result<(), Violation> {
        self.0.lock().unwrap().extend_from_slice(bytemuck::cast_slice(&packed.bytes));
        Ok(())
    }
}

/// Nodes in pixels (a millimetre is one) in one piece.
fn whole_of<S: Sample>(nodes: &[Node], width: i32, height: i32) -> Layer<S> {
    let area = Area::new(0, 0, width, height);
    let list = resolve(nodes, Affine::IDENTITY, area, 1.0).unwrap();
    paint_whole(&list, area, [S::ZERO; 4], Control::NONE).unwrap()
}

fn whole(nodes: &[Node], width: i32, height: i32) -> Layer<u8> {
    whole_of(nodes, width, height)
}

fn surface(nodes: Vec<Node>, width: f64, height: f64) -> Surface {
    Surface {
        name: "front".into(),
        trim: Size::new(width, height),
        bleed: Insets::ZERO,
        safe: Insets::ZERO,
        garment: None,
        blend_space: BlendSpace::Srgb,
        nodes,
        layers: Vec::new(),
    }
}

/// The same in bands, through the scheduler.
fn banded(nodes: &[Node], width: i32, height: i32) -> Vec<Pixel<u8>> {
    let surface = surface(nodes.to_vec(), f64::from(width), f64::from(height));
    let frame = Frame::of(surface.trim_box(), Dpi::new(25.4), Placement::default());
    assert_eq!((frame.width as i32, frame.height as i32), (width, height));
    let sink = Collect::default();
    paint(&surface, &frame, &Limits::default(), Control::NONE, &sink).unwrap();
    sink.0.into_inner().unwrap()
}

fn at(layer: &Layer<u8>, x: i32, y: i32) -> Pixel<u8> {
    layer.row(y, x, x + 1)[0]
}

fn filled(path: BezPath, paint: Paint) -> Node {
    Node::Path(Arc::new(PathNode {
        path: Arc::new(path),
        fill: Some(Fill { paint, opacity: 1.0, rule: FillRule::NonZero }),
        stroke: None,
        stroke_first: false,
        overprint: false,
    }))
}

fn solid(r: u8, g: u8, b: u8) -> Paint {
    Paint::Solid(Color::rgb8(r, g, b).into())
}

fn rect(x0: f64, y0: f64, x1: f64, y1: f64, paint: Paint) -> Node {
    filled(Rect::new(x0, y0, x1, y1).to_path(0.1), paint)
}

fn circle(x: f64, y: f64, r: f64) -> BezPath {
    Circle::new((x, y), r).to_path(1e-4)
}

fn stroked(path: BezPath, width: f64) -> Node {
    Node::Path(Arc::new(PathNode {
        path: Arc::new(path),
        fill: None,
        stroke: Some(Stroke { paint: solid(0, 0, 0), opacity: 1.0, style: kurbo::Stroke::new(width) }),
        stroke_first: false,
        overprint: false,
    }))
}

fn group(nodes: Vec<Node>) -> Group {
    Group { nodes, ..Group::default() }
}

fn picture(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 4]) -> Arc<Picture> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgba);
    let mut writer = encoder.write_header().unwrap();
    let data: Vec<u8> =
        (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| pixel(x, y)).collect();
    writer.write_image_data(&data).unwrap();
    writer.finish().unwrap();
    Arc::new(Picture::probe(bytes.into(), &Limits::default()).unwrap())
}

fn placed(picture: &Arc<Picture>, transform: Affine) -> ImageNode {
    ImageNode {
        picture: picture.clone(),
        crop: Rect::new(0.0, 0.0, 1.0, 1.0),
        transform,
        adjust: Vec::new(),
        matte: None,
        pixelated: false,
    }
}

fn image(node: ImageNode) -> Node {
    Node::Image(Arc::new(node))
}

fn onto(x: f64, y: f64, w: f64, h: f64) -> Affine {
    Affine::new([w, 0.0, 0.0, h, x, y])
}

/// Smooth colours with some texture, opaque or not.
fn photo(width: u32, height: u32, opaque: bool) -> Arc<Picture> {
    picture(width, height, |x, y| {
        let wave = ((x * 7 + y * 13) % 32) as u8;
        [
            (x * 255 / width) as u8,
            (y * 255 / height) as u8,
            100 + wave,
            if opaque { 255 } else { (x * 255 / width) as u8 },
        ]
    })
}

#[test]
fn a_rectangle_covers_exactly_its_area() {
    let layer = whole(&[rect(2.25, 3.5, 6.5, 7.0, solid(255, 0, 0))], 10, 10);
    assert_eq!(at(&layer, 3, 4), [255, 0, 0, 255]);
    assert_eq!(at(&layer, 2, 4), [191, 0, 0, 191]);
    assert_eq!(at(&layer, 6, 4), [128, 0, 0, 128]);
    assert_eq!(at(&layer, 2, 3), [96, 0, 0, 96]);
    assert_eq!(at(&layer, 7, 4), [0; 4]);
    assert_eq!(at(&layer, 3, 7), [0; 4]);
}

#[test]
fn a_disc_covers_its_area_and_an_even_odd_ring_its_own() {
    let sum = |layer: &Layer<u8>| layer.data.iter().map(|p| f64::from(p[3]) / 255.0).sum::<f64>();
    let disc = whole(&[filled(circle(50.3, 49.8, 40.0), solid(0, 0, 0))], 100, 100);
    assert!((sum(&disc) - 5026.5).abs() < 3.0, "{}", sum(&disc));
    let mut ring = circle(50.3, 49.8, 40.0);
    ring.extend(circle(50.3, 49.8, 20.0).elements().iter().copied());
    let paint = Fill { paint: solid(0, 0, 0), opacity: 1.0, rule: FillRule::EvenOdd };
    let node = PathNode {
        path: Arc::new(ring),
        fill: Some(paint),
        stroke: None,
        stroke_first: false,
        overprint: false,
    };
    let ring = whole(&[Node::Path(Arc::new(node))], 100, 100);
    assert!((sum(&ring) - 3769.9).abs() < 3.0, "{}", sum(&ring));
    assert_eq!(at(&ring, 50, 50), [0; 4]);
}

#[test]
fn a_line_thinner_than_a_pixel_is_thin_not_gone() {
    let mut line = BezPath::new();
    line.move_to((10.0, 20.37));
    line.line_to((90.0, 20.37));
    for width in [0.05, 0.1, 0.25, 0.5] {
        let layer = whole(&[stroked(line.clone(), width)], 100, 40);
        let column: f64 = (0..40).map(|y| f64::from(at(&layer, 50, y)[3]) / 255.0).sum();
        assert!((column - width).abs() < 0.005, "{width}: {column}");
    }
}

/// Curves, strokes, dashes, gradients, clips, masks, groups and blends, over several bands.
fn busy() -> Vec<Node> {
    let stops = |transform| Stops {
        stops: vec![
            (0.0, Color::rgb8(255, 0, 0).into(), 1.0),
            (0.4, Color::rgb8(0, 255, 0).into(), 0.5),
            (1.0, Color::rgb8(0, 0, 255).into(), 1.0),
        ],
        spread: Spread::Reflect,
        transform,
    };
    let linear = Paint::Linear(Arc::new(LinearGradient {
        start: Point::new(0.0, 0.0),
        end: Point::new(80.0, 30.0),
        stops: stops(Affine::IDENTITY),
    }));
    let radial = Paint::Radial(Arc::new(RadialGradient {
        center: Point::new(150.0, 200.0),
        radius: 90.0,
        focus: Point::new(120.0, 190.0),
        focus_radius: 5.0,
        stops: stops(Affine::IDENTITY),
    }));
    let mut dashed = kurbo::Stroke::new(3.3);
    dashed.dash_pattern = [9.0, 4.0].into_iter().collect();
    let mut wave = BezPath::new();
    wave.move_to((-40.0, 10.0));
    wave.curve_to((400.0, 100.0), (-200.0, 300.0), (340.0, 395.0));
    let wave = Node::Path(Arc::new(PathNode {
        path: Arc::new(wave),
        fill: None,
        stroke: Some(Stroke { paint: linear.clone(), opacity: 0.8, style: dashed }),
        stroke_first: false,
        overprint: false,
    }));
    let masked = Group {
        transform: rotation(10.0),
        opacity: 0.7,
        blend: Blend::Multiply,
        clips: vec![Clip { paths: vec![(Arc::new(circle(160.0, 190.0, 120.0)), FillRule::NonZero)] }],
        mask: Some(Mask {
            kind: MaskKind::Luminosity,
            nodes: vec![rect(20.0, 30.0, 320.0, 380.0, linear.clone())],
        }),
        nodes: vec![rect(0.0, 0.0, 300.0, 400.0, solid(250, 200, 30)), wave.clone()],
        ..Group::default()
    };
    let clipped = Group {
        clips: vec![Clip {
            paths: vec![
                (Arc::new(circle(80.0, 250.0, 60.5)), FillRule::NonZero),
                (Arc::new(circle(110.0, 270.0, 60.5)), FillRule::NonZero),
            ],
        }],
        nodes: vec![filled(circle(90.0, 256.0, 70.0), solid(0, 90, 200)), wave.clone()],
        ..Group::default()
    };
    let cell = Arc::new(group(vec![filled(circle(10.0, 10.0, 9.0), solid(20, 20, 160))]));
    let tiles = Paint::Tiling(Arc::new(Tiling {
        cell: Rect::new(0.0, 0.0, 20.0, 20.0),
        transform: rotation(30.0),
        group: cell.clone(),
    }));
    let pattern = PatternNode {
        cell,
        bounds: Rect::new(0.0, 0.0, 20.0, 20.0),
        instances: (0..40)
            .map(|i| {
                Affine::translate((f64::from(i) * 7.3, f64::from(i) * 10.1))
                    * rotation(f64::from(i % 3) * 33.0)
            })
            .collect(),
    };
    vec![
        filled(circle(150.0, 200.0, 140.0), radial),
        wave,
        Node::Group(Arc::new(masked)),
        Node::Group(Arc::new(clipped)),
        rect(200.0, 100.0, 290.0, 330.0, tiles),
        Node::Pattern(Arc::new(pattern)),
    ]
}

#[test]
fn bands_are_the_rows_of_the_whole() {
    let nodes = busy();
    let whole = whole(&nodes, 300, 400);
    assert!(whole.data.iter().filter(|p| p[3] > 0).count() > 60_000);
    assert!(banded(&nodes, 300, 400) == whole.data);
}

#[test]
fn any_number_of_threads_gives_the_same_file() {
    let mut nodes = busy();
    let photo = photo(500, 300, false);
    nodes.push(image(placed(&photo, onto(10.3, 20.7, 250.0, 333.3))));
    nodes.push(image(placed(
        &photo,
        Affine::translate((150.0, 200.0)) * rotation(20.0) * onto(-80.0, -50.0, 160.0, 100.0),
    )));
    let surface = surface(nodes, 300.0, 900.0);
    let frame = Frame::of(surface.trim_box(), Dpi::new(50.8), Placement::default());
    let file = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let sink = PngSink::new(Vec::new(), &frame, PngOptions::default()).unwrap();
            paint(&surface, &frame, &Limits::default(), Control::NONE, &sink).unwrap();
            sink.finish().unwrap()
        })
    };
    let one = file(1);
    for threads in [1, 2, 5] {
        assert!(file(threads) == one, "{threads} threads");
    }
}

#[test]
fn groups_composite_once_and_clips_and_masks_cut() {
    let red = || rect(0.0, 0.0, 20.0, 20.0, solid(255, 0, 0));
    let both = Group { opacity: 0.5, nodes: vec![red(), red()], ..Group::default() };
    let layer = whole(&[Node::Group(Arc::new(both))], 20, 20);
    assert_eq!(at(&layer, 5, 5), [128, 0, 0, 128]);

    let half = Arc::new(Rect::new(0.0, 0.0, 10.5, 20.0).to_path(0.1));
    let clip = Clip { paths: vec![(half, FillRule::NonZero)] };
    let lower =
        Clip { paths: vec![(Arc::new(Rect::new(0.0, 5.0, 20.0, 20.0).to_path(0.1)), FillRule::NonZero)] };
    let inner = Group { clips: vec![clip], nodes: vec![red()], ..Group::default() };
    let outer = Group { clips: vec![lower], nodes: vec![Node::Group(Arc::new(inner))], ..Group::default() };
    let layer = whole(&[Node::Group(Arc::new(outer))], 20, 20);
    assert_eq!(
        [at(&layer, 5, 4)[3], at(&layer, 5, 5)[3], at(&layer, 10, 5)[3], at(&layer, 11, 5)[3]],
        [0, 255, 128, 0]
    );

    for (kind, expected) in [(MaskKind::Alpha, 255), (MaskKind::Luminosity, 54)] {
        let mask = Mask { kind, nodes: vec![rect(0.0, 0.0, 10.0, 20.0, solid(255, 0, 0))] };
        let masked = Group { mask: Some(mask), nodes: vec![red()], ..Group::default() };
        let layer = whole(&[Node::Group(Arc::new(masked))], 20, 20);
        assert_eq!(at(&layer, 5, 5)[3], expected, "{kind:?}");
        assert_eq!(at(&layer, 15, 5)[3], 0, "{kind:?}");
    }
}

#[test]
fn a_blend_sees_what_lies_beneath_unless_its_parent_is_isolated() {
    let ground = rect(0.0, 0.0, 8.0, 8.0, solid(200, 200, 0));
    let multiply = Group {
        blend: Blend::Multiply,
        nodes: vec![rect(0.0, 0.0, 8.0, 8.0, solid(255, 0, 255))],
        ..Group::default()
    };
    let multiply = Node::Group(Arc::new(multiply));
    let plain = group(vec![multiply.clone()]);
    assert_eq!(at(&whole(&[ground.clone(), Node::Group(Arc::new(plain))], 8, 8), 3, 3), [200, 0, 0, 255]);
    let isolated = Group { isolated: true, ..group(vec![multiply]) };
    assert_eq!(at(&whole(&[ground, Node::Group(Arc::new(isolated))], 8, 8), 3, 3), [255, 0, 255, 255]);
}

#[test]
fn gradients_begin_and_end_where_they_say() {
    let paint = Paint::Linear(Arc::new(LinearGradient {
        start: Point::new(10.0, 0.0),
        end: Point::new(110.0, 0.0),
        stops: Stops {
            stops: vec![(0.0, Color::BLACK.into(), 1.0), (1.0, Color::WHITE.into(), 1.0)],
            spread: Spread::Pad,
            transform: Affine::IDENTITY,
        },
    }));
    let layer = whole(&[rect(0.0, 0.0, 130.0, 4.0, paint)], 130, 4);
    assert_eq!(at(&layer, 5, 2), [0, 0, 0, 255]);
    assert_eq!(at(&layer, 120, 2), [255; 4]);
    for x in 10..110 {
        let exact = (f64::from(x) - 9.5) / 100.0 * 255.0;
        assert!((f64::from(at(&layer, x, 2)[0]) - exact).abs() < 0.7, "{x}");
    }
}

#[test]
fn a_picture_at_its_own_size_is_its_own_pixels_however_turned() {
    let source = photo(40, 30, true);
    let pixel = |x: i32, y: i32| {
        let wave = ((x * 7 + y * 13) % 32) as u8;
        [(x * 255 / 40) as u8, (y * 255 / 30) as u8, 100 + wave, 255]
    };
    type Turn = (Affine, fn(i32, i32) -> (i32, i32));
    let cases: [Turn; 4] = [
        (onto(5.0, 6.0, 40.0, 30.0), |x, y| (5 + x, 6 + y)),
        (onto(45.0, 6.0, -40.0, 30.0), |x, y| (44 - x, 6 + y)),
        // A quarter turn clockwise, about the origin, then moved back.
        (Affine::translate((40.0, 2.0)) * rotation(90.0) * onto(0.0, 0.0, 40.0, 30.0), |x, y| {
            (39 - y, 2 + x)
        }),
        (Affine::translate((50.0, 50.0)) * rotation(180.0) * onto(0.0, 0.0, 40.0, 30.0), |x, y| {
            (49 - x, 49 - y)
        }),
    ];
    for (transform, place) in cases {
        let layer = whole(&[image(placed(&source, transform))], 64, 64);
        for (x, y) in [(0, 0), (39, 0), (0, 29), (39, 29), (17, 11)] {
            let (to_x, to_y) = place(x, y);
            assert_eq!(at(&layer, to_x, to_y), pixel(x, y), "{transform:?} {x} {y}");
        }
        assert_eq!(layer.data.iter().filter(|p| p[3] != 0).count(), 1200);
    }
}

#[test]
fn a_resampled_picture_has_no_seams_between_bands() {
    for opaque in [true, false] {
        let source = photo(331, 307, opaque);
        for size in [(290.0, 390.0), (150.7, 390.4), (1000.0, 1400.0)] {
            let mut node = placed(&source, onto(3.3, 4.6, size.0, size.1));
            node.crop = Rect::new(0.1, 0.05, 0.93, 0.87);
            let nodes = [image(node)];
            let whole = whole(&nodes, 300, 400);
            let worst = banded(&nodes, 300, 400)
                .iter()
                .zip(&whole.data)
                .flat_map(|(a, b)| [0, 1, 2, 3].map(|i: usize| a[i].abs_diff(b[i])))
                .max();
            // The filter's whole-number weights are rounded anew for every band.
            assert!(worst <= Some(2), "{opaque} {size:?}: {worst:?}");
        }
    }
}

#[test]
fn an_edge_between_pixels_is_partly_covered() {
    let white = picture(50, 50, |_, _| [255; 4]);
    let layer = whole(&[image(placed(&white, onto(2.5, 3.25, 20.0, 20.0)))], 30, 30);
    assert_eq!(at(&layer, 10, 10), [255; 4]);
    assert_eq!(at(&layer, 2, 10)[3], 128);
    assert_eq!(at(&layer, 10, 3)[3], 191);
    assert_eq!(at(&layer, 10, 23)[3], 64);
    let turned = Affine::translate((15.0, 15.0)) * rotation(30.0) * onto(-8.0, -8.0, 16.0, 16.0);
    let layer = whole(&[image(placed(&white, turned))], 30, 30);
    let sum: f64 = layer.data.iter().map(|p| f64::from(p[3]) / 255.0).sum();
    assert!((sum - 256.0).abs() < 0.5, "{sum}");
}

#[test]
fn a_turned_picture_stays_true() {
    let source = photo(400, 400, true);
    let transform = Affine::translate((100.0, 100.0)) * rotation(37.0) * onto(-60.0, -60.0, 120.0, 120.0);
    let layer = whole(&[image(placed(&source, transform))], 200, 200);
    let back = transform.inverse();
    for (x, y) in [(100, 100), (80, 110), (120, 70), (95, 140)] {
        let unit = back * Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
        let got = at(&layer, x, y);
        assert!((f64::from(got[0]) - unit.x * 255.0).abs() < 3.0, "{got:?} {unit:?}");
        assert!((f64::from(got[1]) - unit.y * 255.0).abs() < 3.0, "{got:?} {unit:?}");
    }
}

#[test]
fn mattes_and_adjustments_change_what_they_should() {
    let grey = picture(60, 40, |_, _| [200, 100, 50, 255]);
    let half = picture(6, 4, |x, _| if x < 3 { [255; 4] } else { [0, 0, 0, 255] });
    let mut node = placed(&grey, onto(0.0, 0.0, 60.0, 40.0));
    node.matte = Some(half);
    let layer = whole(&[image(node)], 60, 40);
    assert_eq!(at(&layer, 5, 20), [200, 100, 50, 255]);
    assert_eq!(at(&layer, 55, 20), [0; 4]);
    let luma = (0.2126 * 200.0 + 0.7152 * 100.0 + 0.0722 * 50.0f64).round() as u8;
    let cases = [
        (Adjust::Greyscale, [luma; 3]),
        (Adjust::Brightness(0.5), [100, 50, 25]),
        (Adjust::Contrast(2.0), [255, 73, 0]),
        (Adjust::Threshold(0.5), [0; 3]),
        (Adjust::Duotone([0.0, 0.0, 0.0], [1.0, 1.0, 1.0]), [luma; 3]),
        (Adjust::Blur(3.0), [200, 100, 50]),
        (Adjust::Sepia(0.0), [200, 100, 50]),
    ];
    for (adjust, [r, g, b]) in cases {
        let mut node = placed(&grey, onto(0.0, 0.0, 60.0, 40.0));
        node.adjust = vec![adjust];
        assert_eq!(at(&whole(&[image(node)], 60, 40), 30, 20), [r, g, b, 255], "{adjust:?}");
    }
    let edge = picture(60, 40, |x, _| if x < 30 { [0, 0, 0, 255] } else { [255; 4] });
    let mut node = placed(&edge, onto(0.0, 0.0, 60.0, 40.0));
    node.adjust = vec![Adjust::Blur(4.0)];
    let layer = whole(&[image(node)], 60, 40);
    // A step blurred by a Gaussian: 16 % one deviation before it, 84 % after.
    assert!((f64::from(at(&layer, 25, 20)[0]) - 255.0 * 0.13).abs() < 8.0, "{:?}", at(&layer, 25, 20));
    assert!((f64::from(at(&layer, 34, 20)[0]) - 255.0 * 0.87).abs() < 8.0, "{:?}", at(&layer, 34, 20));
}

#[test]
fn pixel_art_keeps_its_pixels() {
    let art = picture(2, 2, |x, y| if (x + y) % 2 == 0 { [255, 0, 0, 255] } else { [0, 0, 255, 255] });
    let mut node = placed(&art, onto(0.0, 0.0, 20.0, 20.0));
    node.pixelated = true;
    let layer = whole(&[image(node)], 20, 20);
    assert_eq!([at(&layer, 9, 9), at(&layer, 10, 9)], [[255, 0, 0, 255], [0, 0, 255, 255]]);
}

#[test]
fn copied_cells_are_what_painting_each_would_give() {
    let cell = Arc::new(group(vec![
        filled(circle(8.0, 8.0, 7.3), solid(9, 80, 200)),
        rect(3.0, 3.0, 9.0, 6.0, solid(255, 255, 0)),
    ]));
    let instances: Vec<Affine> =
        (0..12).map(|i| Affine::translate((f64::from(i % 4) * 16.25, f64::from(i / 4) * 17.5))).collect();
    let one_by_one: Vec<Node> = instances
        .iter()
        .map(|t| Node::Group(Arc::new(Group { transform: *t, ..group(cell.nodes.clone()) })))
        .collect();
    let pattern = PatternNode { cell, bounds: Rect::new(0.0, 0.0, 16.0, 16.0), instances };
    assert!(whole(&[Node::Pattern(Arc::new(pattern))], 70, 60).data == whole(&one_by_one, 70, 60).data);
}

#[test]
fn prints_on_a_plain_ground_are_what_blending_each_would_give() {
    // Soft edges and a hole; some beside each other, some over what lies there already.
    let cell = Arc::new(group(vec![
        filled(circle(8.0, 8.0, 7.3), solid(9, 80, 200)),
        rect(3.25, 3.0, 9.0, 6.5, solid(255, 255, 0)),
    ]));
    let instances: Vec<Affine> = (0..40)
        .map(|i| {
            Affine::translate((f64::from(i % 5) * 17.0, f64::from(i / 5) * if i < 25 { 18.0 } else { 11.0 }))
        })
        .collect();
    let pattern =
        Node::Pattern(Arc::new(PatternNode { cell, bounds: Rect::new(0.0, 0.0, 16.0, 16.0), instances }));
    let ground = rect(0.0, 0.0, 90.0, 140.0, solid(240, 200, 220));
    let nodes = [ground, rect(30.0, 20.0, 34.0, 130.0, solid(0, 90, 0)), pattern];
    // In one piece, nobody knows of a ground.
    assert!(banded(&nodes, 90, 140) == whole(&nodes, 90, 140).data);
}

#[test]
fn cells_turned_by_many_angles_are_near_what_painting_each_would_give() {
    let cell = Arc::new(group(vec![
        filled(circle(20.0, 20.0, 18.0), solid(9, 80, 200)),
        rect(12.0, 12.0, 30.0, 20.0, solid(255, 255, 0)),
    ]));
    let instances: Vec<Affine> = (0..16)
        .map(|i| {
            Affine::translate((f64::from(i % 4) * 45.0 + 25.0, f64::from(i / 4) * 45.0 + 25.0))
                * rotation(f64::from(i) * 23.0)
                * Affine::translate((-20.0, -20.0))
        })
        .collect();
    let one_by_one: Vec<Node> = instances
        .iter()
        .map(|t| Node::Group(Arc::new(Group { transform: *t, ..group(cell.nodes.clone()) })))
        .collect();
    let pattern = PatternNode { cell, bounds: Rect::new(0.0, 0.0, 40.0, 40.0), instances };
    let (fast, slow) = (whole(&[Node::Pattern(Arc::new(pattern))], 190, 190), whole(&one_by_one, 190, 190));
    let (mut sum, mut worst) = (0u64, 0);
    for (a, b) in fast.data.iter().zip(&slow.data) {
        for (a, b) in a.iter().zip(b) {
            sum += u64::from(a.abs_diff(*b));
            worst = worst.max(a.abs_diff(*b));
        }
    }
    assert!(sum as f64 / (fast.data.len() as f64) < 8.0, "mean {}", sum as f64 / fast.data.len() as f64);
    assert!(worst < 110, "worst {worst}");
}

#[test]
fn sixteen_bits_agree_with_eight() {
    let nodes = busy();
    let (deep, flat) = (whole_of::<u16>(&nodes, 300, 400), whole(&nodes, 300, 400));
    let worst = deep
        .data
        .iter()
        .zip(&flat.data)
        .flat_map(|(a, b)| [0, 1, 2, 3].map(|i: usize| a[i].to_cover().abs_diff(b[i])))
        .max();
    assert!(worst <= Some(3), "{worst:?}");
}

#[test]
fn hostile_geometry_neither_panics_nor_hangs() {
    for bad in [f64::NAN, f64::INFINITY, -1e300, 1e15] {
        let mut path = BezPath::new();
        path.move_to((bad, 3.0));
        path.curve_to((5.0, bad), (bad, bad), (9.0, 9.0));
        path.line_to((0.0, 9.0));
        whole(&[filled(path.clone(), solid(0, 0, 0)), stroked(path, 2.0)], 20, 20);
        let image_node = placed(&picture(2, 2, |_, _| [255; 4]), onto(bad, 0.0, 10.0, bad));
        whole(&[image(image_node)], 20, 20);
    }
}

#[test]
fn the_topmost_failure_is_reported_and_control_stops_the_work() {
    let surface = surface(busy(), 300.0, 400.0);
    let frame = Frame::of(surface.trim_box(), Dpi::new(25.4), Placement::default());
    let stop = || Err(Violation::new(crate::error::Code::RenderTimeout, "time is up"));
    let error =
        paint(&surface, &frame, &Limits::default(), Control::new(&stop), &Collect::default()).unwrap_err();
    assert_eq!(error.code, crate::error::Code::RenderTimeout);
    let limits = Limits { output_pixels: 1000, ..Limits::default() };
    let error = paint(&surface, &frame, &limits, Control::NONE, &Collect::default()).unwrap_err();
    assert_eq!(error.code, crate::error::Code::OutputTooLarge);
}
