//! Cut contours traced from real clipart: closed, smooth, free of crossings, and at their offset
//! within 0.1 mm of the art's edge, all around all of it.
//!
//! Fifty figures of Debian's openclipart normally; `PRESSWORK_CORPUS=full` takes many more. The
//! edge is found here a second time, in the painted PNG's alpha.

use crate::support::clipart::corpus;
use kurbo::{Affine, BezPath, Insets, PathEl, Point, Size};
use presswork::art::{Art, Recolor};
use presswork::asset::Limits;
use presswork::catalog::load_profile;
use presswork::control::Control;
use presswork::derive::derive;
use presswork::raster::{Frame, PngOptions, PngSink, paint};
use presswork::scene::separation::Content;
use presswork::scene::{
    BlendSpace, Color, Dpi, Fill, FillRule, Group, Ink, Node, Paint, PathNode, Placement, Scene, Surface,
};
use resvg::usvg::fontdb::Database;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Every how many files one is taken, in a sample and of all: primes, so that the figures come from
/// every folder.
const STEPS: (usize, usize) = (131, 17);
/// The figure's longer side, in millimetres.
const SIZE: f64 = 60.0;
/// What lies around it.
const MARGIN: f64 = 6.0;
const OFFSET: f64 = 2.0;
/// Places that are looked at from outside, in millimetres.
const GRID: f64 = 0.4;
/// The least radius of a line that is to be smooth, and how far it may leave the exact one for that.
const RADIUS: f64 = 1.0;
const SMOOTHING: f64 = 0.03;
/// What a bend of the least radius may measure over half a millimetre either way: an arch of 0.134 mm that is
/// higher by the smoothing.
const TIGHTEST: f64 = 0.78;
/// Furthest that a contour may be from where it belongs.
const TOLERANCE: f64 = 0.1;

/// A figure on a surface of its own; nothing where it cannot be drawn.
fn figure(path: &Path, fonts: &Arc<Database>) -> Option<Surface> {
    let art = Art::load(&std::fs::read(path).unwrap(), fonts.clone(), &Limits::default()).ok()?;
    let group = art.group(&Recolor::default()).ok()?;
    let (width, height) = (art.size().width, art.size().height);
    let scale = SIZE / width.max(height);
    let place = Affine::translate((MARGIN, MARGIN)) * Affine::scale(scale);
    let group = Group { transform: place * group.transform, ..group };
    Some(Surface {
        name: "figure".into(),
        trim: Size::new(width * scale + 2.0 * MARGIN, height * scale + 2.0 * MARGIN),
        bleed: Insets::ZERO,
        safe: Insets::ZERO,
        garment: None,
        blend_space: BlendSpace::Srgb,
        nodes: vec![Node::Group(Arc::new(group))],
        layers: Vec::new(),
    })
}

fn contour(surface: &Surface, settings: &str) -> Option<BezPath> {
    let profile = format!(
        "schema = \"presswork.profile/1\"\ntitle = \"Cut\"\ndpi = 300\noutputs = [\"pdf\"]\n\
         [color]\nspace = \"srgb\"\n[spots.Cut]\nplate = \"CutContour\"\nalternate = \"#ff00ff\"\nlaid = \"overprint\"\n\
         [[contour]]\nspot = \"Cut\"\nfrom = \"alpha\"\n{settings}\n"
    );
    let profile = load_profile(&profile).unwrap();
    let scene = Scene { surfaces: vec![surface.clone()] };
    let (scene, _) = derive(scene, &profile, &Limits::default(), Control::NONE).unwrap();
    let Some(Node::Separation(separation)) = scene.surfaces[0].nodes.last() else { return None };
    let Content::Outlines(nodes) = &separation.content else { panic!("a contour is outlines") };
    let Node::Path(path) = &nodes[0] else { panic!("one path") };
    Some((*path.path).clone())
}

/// The art's alpha at 300 dpi, by way of its PNG.
fn alpha(surface: &Surface) -> image::RgbaImage {
    let frame = Frame::of(surface.trim_box(), Dpi::new(300.0), Placement::default());
    let sink = PngSink::new(Vec::new(), &frame, PngOptions::default()).unwrap();
    paint(surface, &frame, &Limits::default(), Control::NONE, &sink).unwrap();
    image::load_from_memory(&sink.finish().unwrap()).unwrap().to_rgba8()
}

/// Where alpha crosses one half between two neighbouring pixels, in millimetres.
fn edge(alpha: &image::RgbaImage, surface: &Surface) -> Buckets {
    let (w, h) = alpha.dimensions();
    let (sx, sy) = (surface.trim.width / f64::from(w), surface.trim.height / f64::from(h));
    let at = |x: i64, y: i64| {
        let inside = x >= 0 && y >= 0 && x < i64::from(w) && y < i64::from(h);
        if inside { f64::from(alpha.get_pixel(x as u32, y as u32)[3]) } else { 0.0 }
    };
    let mut points = Buckets::default();
    for y in -1..=i64::from(h) {
        for x in -1..=i64::from(w) {
            let here = at(x, y);
            for (dx, dy) in [(1, 0), (0, 1)] {
                let there = at(x + dx, y + dy);
                if (here > 127.5) != (there > 127.5) {
                    let t = (127.5 - here) / (there - here);
                    let (u, v) = (x as f64 + 0.5 + t * dx as f64, y as f64 + 0.5 + t * dy as f64);
                    points.add(Point::new(u * sx, v * sy));
                }
            }
        }
    }
    points
}

/// Points by millimetre, so that near ones are found quickly.
#[derive(Default)]
struct Buckets(BTreeMap<(i64, i64), Vec<Point>>);

impl Buckets {
    fn add(&mut self, p: Point) {
        self.0.entry((p.x.floor() as i64, p.y.floor() as i64)).or_default().push(p);
    }

    /// The distance to the nearest point, looked for up to 5 mm away.
    fn nearest(&self, p: Point) -> f64 {
        let (cx, cy) = (p.x.floor() as i64, p.y.floor() as i64);
        let mut least = f64::INFINITY;
        for y in cy - 5..=cy + 5 {
            for x in cx - 5..=cx + 5 {
                for q in self.0.get(&(x, y)).into_iter().flatten() {
                    least = least.min((*q - p).hypot());
                }
            }
        }
        least
    }
}

/// A subpath: its chords, each with whether it begins a piece.
type Ring = Vec<(Point, Point, bool)>;

/// The chords of every subpath. Panics where one is not closed.
fn rings(path: &BezPath) -> Vec<Ring> {
    let mut rings: Vec<Ring> = Vec::new();
    let (mut start, mut last, mut open) = (Point::ZERO, Point::ZERO, false);
    for element in path.elements() {
        match *element {
            PathEl::MoveTo(p) => {
                assert!(!open, "a contour is not closed");
                (start, last, open) = (p, p, true);
                rings.push(Vec::new());
            }
            PathEl::LineTo(p) => {
                rings.last_mut().unwrap().push((last, p, true));
                last = p;
            }
            PathEl::QuadTo(..) => panic!("fits are cubic"),
            PathEl::CurveTo(a, b, p) => {
                let at = |t: f64| {
                    let s = 1.0 - t;
                    let [o, a, b, p] = [last, a, b, p].map(Point::to_vec2);
                    (o * (s * s * s) + a * (3.0 * s * s * t) + b * (3.0 * s * t * t) + p * (t * t * t))
                        .to_point()
                };
                let chord = |i: u32| (at(f64::from(i) / 16.0), at(f64::from(i + 1) / 16.0), i == 0);
                rings.last_mut().unwrap().extend((0..16).map(chord));
                last = p;
            }
            PathEl::ClosePath => {
                if last != start {
                    rings.last_mut().unwrap().push((last, start, true));
                }
                (last, open) = (start, false);
            }
        }
    }
    assert!(!open, "the last contour is not closed");
    rings.iter_mut().for_each(|ring| ring.retain(|(a, b, _)| a != b));
    rings
}

/// How many pairs of chords cross in their insides.
fn crossings(rings: &[Ring]) -> usize {
    let mut all: Vec<(Point, Point)> = rings.iter().flatten().map(|(a, b, _)| (*a, *b)).collect();
    all.sort_by(|p, q| p.0.x.min(p.1.x).total_cmp(&q.0.x.min(q.1.x)));
    let side = |a: Point, b: Point, p: Point| (b - a).cross(p - a);
    let mut count = 0;
    for (i, (a, b)) in all.iter().enumerate() {
        let right = a.x.max(b.x);
        for (c, d) in all[i + 1..].iter().take_while(|(c, d)| c.x.min(d.x) <= right) {
            let apart = a.y.max(b.y) < c.y.min(d.y) || c.y.max(d.y) < a.y.min(b.y);
            if !apart
                && side(*a, *b, *c) * side(*a, *b, *d) < 0.0
                && side(*c, *d, *a) * side(*c, *d, *b) < 0.0
            {
                count += 1;
            }
        }
    }
    count
}

/// A line's points, no further apart than a twentieth of a millimetre.
fn dots(rings: &[Ring]) -> Buckets {
    let mut points = Buckets::default();
    for (a, b, _) in rings.iter().flatten() {
        let steps = ((*b - *a).hypot() / 0.05).ceil().max(1.0);
        (0..steps as u32).for_each(|i| points.add(a.lerp(*b, f64::from(i) / steps)));
    }
    points
}

/// The most that a place beyond the line is nearer to it or further from it than its distance from the
/// art says. From everywhere outside the way to the art crosses the line where the offset is left, so that a
/// ring that is missing, or too many, or stops short shows wherever its neighbourhood is looked at.
fn from_outside(rings: &[Ring], edge: &Buckets, alpha: &image::RgbaImage, surface: &Surface) -> f64 {
    let covered = |p: Point| {
        let px = |mm: f64, trim: f64, pixels: u32| ((mm / trim * f64::from(pixels)) as u32).min(pixels - 1);
        let (x, y) =
            (px(p.x, surface.trim.width, alpha.width()), px(p.y, surface.trim.height, alpha.height()));
        alpha.get_pixel(x, y)[3] > 127
    };
    let line = dots(rings);
    let (columns, rows) = ((surface.trim.width / GRID) as u32, (surface.trim.height / GRID) as u32);
    let places = (0..rows).flat_map(|y| (0..columns).map(move |x| (f64::from(x), f64::from(y))));
    let mut worst = 0.0_f64;
    for place in places.map(|(x, y)| Point::new(x * GRID, y * GRID)) {
        let beyond = edge.nearest(place) - OFFSET;
        if (TOLERANCE..1.5).contains(&beyond) && !covered(place) {
            worst = worst.max((line.nearest(place) - beyond).abs());
        }
    }
    worst
}

/// The sharpest bend of a line, as its radius in mm: of the circle through a point and the two that lie
/// half a millimetre before and behind it. A corner of a right angle has 0.35 mm.
fn sharpest(rings: &[Ring]) -> f64 {
    const REACH: f64 = 0.5;
    let mut least = f64::INFINITY;
    for ring in rings {
        let length: f64 = ring.iter().map(|(a, b, _)| (*b - *a).hypot()).sum();
        if length < 6.0 * REACH {
            continue;
        }
        // The ring at equal steps, so that the neighbours are so many steps away.
        let count = (length / 0.05).round();
        let step = length / count;
        let (mut points, mut run) = (Vec::new(), 0.0);
        for (a, b, _) in ring {
            let chord = (*b - *a).hypot();
            while points.len() as f64 * step < run + chord && (points.len() as f64) < count {
                points.push(a.lerp(*b, (points.len() as f64 * step - run) / chord));
            }
            run += chord;
        }
        let (n, reach) = (points.len(), (REACH / step).round() as usize);
        for i in 0..n {
            let (p, q, r) = (points[i], points[(i + reach) % n], points[(i + 2 * reach) % n]);
            let twice = (q - p).cross(r - p).abs();
            let sides = (q - p).hypot() * (r - q).hypot() * (r - p).hypot();
            least = least.min(if twice > 1e-9 { sides / (2.0 * twice) } else { f64::INFINITY });
        }
    }
    least
}

/// The share of joints between pieces that turn by more than 35°.
fn corners(rings: &[Ring]) -> f64 {
    let (mut joints, mut sharp) = (0.0, 0.0);
    for ring in rings {
        for (i, (a, b, begins)) in ring.iter().enumerate() {
            if *begins {
                let (c, d, _) = ring[(i + ring.len() - 1) % ring.len()];
                let (before, after) = (d - c, *b - *a);
                joints += 1.0;
                if before.dot(after) < 0.8 * before.hypot() * after.hypot() {
                    sharp += 1.0;
                }
            }
        }
    }
    sharp / f64::max(joints, 1.0)
}

#[test]
fn contours_of_clipart_lie_at_their_offset_and_are_smooth() {
    let mut fonts = Database::new();
    typst_assets::fonts().for_each(|font| fonts.load_font_data(font.to_vec()));
    let fonts = Arc::new(fonts);
    let (mut traced, mut wrong, mut worst, mut tightest) = (0, Vec::new(), 0.0_f64, f64::INFINITY);
    for path in corpus(STEPS) {
        if traced >= 50 && !crate::support::job::in_full() {
            break;
        }
        let Some(surface) = figure(&path, &fonts) else { continue };
        let Some(line) = contour(&surface, &format!("offset = {OFFSET}\nholes = \"keep\"")) else { continue };
        traced += 1;
        let rings = rings(&line);
        let alpha = alpha(&surface);
        let edge = edge(&alpha, &surface);
        let mut off = 0.0_f64;
        for (a, b, _) in rings.iter().flatten() {
            for p in [*a, a.midpoint(*b)] {
                off = off.max((edge.nearest(p) - OFFSET).abs());
            }
        }
        let outside = from_outside(&rings, &edge, &alpha, &surface);
        worst = worst.max(off).max(outside);
        let crossed = crossings(&rings);
        if off > TOLERANCE || outside > TOLERANCE || crossed > 0 {
            wrong.push(format!(
                "{}: {off:.3} mm off, {outside:.3} from outside, {crossed} crossings",
                path.display()
            ));
        }
        // The same with a least radius, as stickers are cut: no bend is tighter, and nothing lies nearer.
        let settings =
            format!("offset = {OFFSET}\nmin_radius = {RADIUS}\nholes = \"fill\"\nsmoothing = {SMOOTHING}");
        let Some(line) = contour(&surface, &settings) else {
            wrong.push(format!("{}: no line with a least radius", path.display()));
            continue;
        };
        let rings = self::rings(&line);
        let bend = sharpest(&rings);
        let nearest = rings.iter().flatten().map(|(a, _, _)| edge.nearest(*a)).fold(f64::INFINITY, f64::min);
        let (sharp, crossed) = (corners(&rings), crossings(&rings));
        tightest = tightest.min(bend);
        if bend < TIGHTEST || sharp > 0.0 || crossed > 0 || nearest < OFFSET - TOLERANCE {
            wrong.push(format!(
                "{}: a bend of {bend:.2} mm, {sharp} corners, {crossed} crossings, {nearest:.3} mm from the art",
                path.display()
            ));
        }
    }
    println!("{traced} figures, at worst {worst:.3} mm off, the tightest bend {tightest:.2} mm");
    assert!(traced >= 50, "{traced} figures have a contour");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A square of 8 mm at this distance from the left, in an ink.
fn square(x: f64, ink: Ink) -> Node {
    let path = kurbo::Shape::to_path(&kurbo::Rect::new(x, 10.0, x + 8.0, 18.0), 0.1);
    let fill = Some(Fill { paint: Paint::Solid(ink), opacity: 1.0, rule: FillRule::NonZero });
    let path = PathNode { path: Arc::new(path), fill, stroke: None, stroke_first: false, overprint: false };
    Node::Path(Arc::new(path))
}

/// A surface as wide as this with these nodes.
fn wide(width: f64, nodes: Vec<Node>) -> Surface {
    Surface {
        name: "squares".into(),
        trim: Size::new(width, 30.0),
        bleed: Insets::ZERO,
        safe: Insets::ZERO,
        garment: None,
        blend_space: BlendSpace::Srgb,
        nodes,
        layers: Vec::new(),
    }
}

#[test]
fn a_knife_goes_around_every_colour_and_not_around_lines_or_white() {
    let spot = |name: &str| Ink::Spot { name: name.into(), tint: 1.0, alternate: Color::rgb8(228, 0, 43) };
    let settings = format!(
        "offset = {OFFSET}\n[spots.Brand]\nplate = \"PANTONE 185 C\"\nalternate = \"#e4002b\"\n\
         [spots.Foil]\nplate = \"Foil\"\nalternate = \"#c0a000\"\nlaid = \"overprint\"\nstep = \"foil-stamping\"\n\
         [spots.Crease]\nplate = \"Crease\"\nalternate = \"#00ff00\"\nlaid = \"overprint\"\nstep = \"creasing\"\n\
         [spots.White]\nplate = \"White\"\nalternate = \"#ffffff\"\nlaid = \"multiply\"\nstep = \"white\"\n"
    );
    // Art, a brand's ink and foil side by side; what is no colour, and an ink that is made from the art.
    let art = [Ink::Process(Color::BLACK), spot("PANTONE 185 C"), spot("Foil")];
    let rest = [spot("Crease"), spot("White"), spot("CutContour")];
    let nodes = art.into_iter().chain(rest).zip([8.0, 16.0, 24.0, 40.0, 50.0, 60.0]);
    let surface = wide(80.0, nodes.map(|(ink, x)| square(x, ink)).collect());
    let line = contour(&surface, &settings).unwrap();
    assert_eq!(rings(&line).len(), 1);
    let found = kurbo::Shape::bounding_box(&line);
    let wanted = kurbo::Rect::new(8.0, 10.0, 32.0, 18.0).inflate(OFFSET, OFFSET);
    let off = [found.x0 - wanted.x0, found.y0 - wanted.y0, found.x1 - wanted.x1, found.y1 - wanted.y1];
    assert!(off.iter().all(|off| off.abs() < TOLERANCE), "{found:?}, not {wanted:?}");
}

#[test]
fn a_ring_too_few_and_a_corner_are_seen() {
    let surface = wide(50.0, vec![square(8.0, Color::BLACK.into()), square(30.0, Color::BLACK.into())]);
    let alpha = alpha(&surface);
    let edge = edge(&alpha, &surface);
    let mut rings = rings(&contour(&surface, &format!("offset = {OFFSET}")).unwrap());
    assert_eq!(rings.len(), 2);
    let whole = from_outside(&rings, &edge, &alpha, &surface);
    assert!(whole < TOLERANCE, "{whole}");
    assert!(sharpest(&rings) > OFFSET * 0.8, "{}", sharpest(&rings));
    let lost = rings.pop().unwrap();
    assert!(from_outside(&rings, &edge, &alpha, &surface) > 1.0, "a ring is missing");
    // Its first point, pulled out by a millimetre.
    let mut dented = lost;
    let last = dented.len() - 1;
    let tip = dented[0].0 - kurbo::Vec2::new(1.0, 1.0);
    (dented[0].0, dented[last].1) = (tip, tip);
    assert!(sharpest(&[dented]) < OFFSET * 0.7, "a point sticks out");
}
