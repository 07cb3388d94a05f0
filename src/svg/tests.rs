//! Drawings of hand-made surfaces: what is cut, what is engraved, what is neither.

use super::*;
use crate::catalog::load_profile;
use crate::error::Code;
use crate::scene::separation::Beneath;
use crate::scene::{BlendSpace, Color, LinearGradient, Mask, MaskKind, Spread, Stops};
use kurbo::{BezPath, Insets, Size};
use std::sync::Arc;

fn ink(name: &str) -> Paint {
    Paint::Solid(Ink::Spot { name: name.into(), tint: 1.0, alternate: Color::BLACK })
}

/// A square with a filled and a stroked side: a plate, and how much of it is seen.
fn square(fill: Option<(&str, f32)>, stroke: Option<(&str, f32)>) -> Node {
    let rule = FillRule::NonZero;
    let style = kurbo::Stroke::new(0.5);
    Node::Path(Arc::new(PathNode {
        path: Arc::new(Rect::new(1.0, 1.0, 3.0, 3.0).to_path(0.1)),
        fill: fill.map(|(name, opacity)| Fill { paint: ink(name), opacity, rule }),
        stroke: stroke.map(|(name, opacity)| Stroke { paint: ink(name), opacity, style }),
        stroke_first: false,
        overprint: false,
    }))
}

fn drawn(nodes: Vec<Node>) -> String {
    drawing("spots", nodes).unwrap()
}

fn refused(nodes: Vec<Node>) -> Code {
    drawing("spots", nodes).unwrap_err().code
}

fn drawing(content: &str, nodes: Vec<Node>) -> Result<String, Violation> {
    let profile = format!(
        "schema = \"presswork.profile/1\"\ntitle = \"Laser\"\ndpi = 300\noutputs = [\"svg\"]\n\
         [color]\nspace = \"srgb\"\n[spots.Cut]\nplate = \"Cut\"\nalternate = \"#ff00ff\"\n\
         [spots.Engrave]\nplate = \"Engrave\"\nalternate = \"#303030\"\n\
         [spots.Late]\nplate = \"Late\"\nalternate = \"#303030\"\norder = 1\n\
         [svg]\ncontent = \"{content}\"\ncut = [\"Cut\"]\nengrave = [\"Engrave\", \"Late\"]\n"
    );
    let surface = Surface {
        name: "tag".into(),
        trim: Size::new(10.0, 10.0),
        bleed: Insets::ZERO,
        safe: Insets::ZERO,
        garment: None,
        blend_space: BlendSpace::Srgb,
        nodes,
        layers: Vec::new(),
    };
    draw(&surface, &load_profile(&profile).unwrap(), surface.trim_box(), Placement::default())
}

#[test]
fn a_shape_is_engraved_and_cut() {
    for (fill, stroke) in [("Engrave", "Cut"), ("Cut", "Engrave")] {
        let text = drawn(vec![square(Some((fill, 1.0)), Some((stroke, 1.0)))]);
        let (burnt, line) = (text.find("\"#000000\""), text.find("stroke=\"#ff0000\""));
        assert!(burnt.is_some() && burnt < line, "{text}");
        assert_eq!(text.matches("<path").count(), 2, "{text}");
    }
    let both = drawn(vec![square(Some(("Cut", 1.0)), Some(("Cut", 1.0)))]);
    assert_eq!(both.matches("<path").count(), 1, "{both}");
}

#[test]
fn a_line_that_is_not_seen_is_not_cut() {
    let text = drawn(vec![square(Some(("Engrave", 1.0)), Some(("Cut", 0.0)))]);
    assert!(text.contains("fill=\"#000000\"") && !text.contains("#ff0000"), "{text}");
    let text = drawn(vec![square(Some(("Cut", 0.0)), None)]);
    assert!(!text.contains("<path"), "{text}");
}

#[test]
fn contours_are_drawn_and_underbases_are_not() {
    let plate = |purpose: Purpose, name: &str| {
        Node::Separation(Arc::new(Separation {
            purpose,
            ink: Ink::Spot { name: name.into(), tint: 1.0, alternate: Color::BLACK },
            content: Content::Outlines(vec![square(None, Some((name, 1.0)))]),
            beneath: Beneath::Overprint,
        }))
    };
    let text = drawn(vec![plate(Purpose::Contour, "Cut"), plate(Purpose::Underbase, "White")]);
    assert!(text.contains("<g id=\"Cut\"") && text.contains("stroke=\"#ff0000\""), "{text}");
    assert!(!text.contains("White") && text.matches("<path").count() == 1, "{text}");
}

/// A rectangle in one paint.
fn area(place: Rect, paint: Paint) -> Node {
    Node::Path(Arc::new(PathNode {
        path: Arc::new(place.to_path(0.1)),
        fill: Some(Fill { paint, opacity: 1.0, rule: FillRule::NonZero }),
        stroke: None,
        stroke_first: false,
        overprint: false,
    }))
}

fn process(color: Color) -> Paint {
    Paint::Solid(Ink::Process(color))
}

#[test]
fn what_spots_alone_cannot_say_is_refused() {
    let whole = Rect::new(1.0, 1.0, 9.0, 9.0);
    let spot = |tint: f32| Ink::Spot { name: "Engrave".into(), tint, alternate: Color::BLACK };
    let fading = LinearGradient {
        start: Point::ZERO,
        end: Point::new(10.0, 0.0),
        stops: Stops {
            stops: vec![(0.0, spot(1.0), 1.0), (1.0, spot(0.0), 1.0)],
            spread: Spread::Pad,
            transform: Affine::IDENTITY,
        },
    };
    assert_eq!(refused(vec![area(whole, Paint::Linear(Arc::new(fading)))]), Code::SvgUnsupported);
    assert_eq!(refused(vec![area(whole, Paint::Solid(spot(0.2)))]), Code::SvgUnsupported);
    let group = |nodes: Vec<Node>, blend: Blend, masked: bool| {
        let mask = Mask { kind: MaskKind::Alpha, nodes: vec![area(whole, process(Color::BLACK))] };
        Node::Group(Arc::new(Group { nodes, blend, mask: masked.then_some(mask), ..Group::default() }))
    };
    let engraved = || vec![area(whole, ink("Engrave"))];
    assert_eq!(refused(vec![group(engraved(), Blend::Normal, true)]), Code::SvgUnsupported);
    assert_eq!(refused(vec![group(engraved(), Blend::Multiply, false)]), Code::SvgUnsupported);
    // Other art is not drawn, whatever it is.
    let other = || vec![area(whole, process(Color::WHITE))];
    assert!(!drawn(vec![group(other(), Blend::Multiply, true)]).contains("<path"));
}

#[test]
fn art_that_would_take_engraved_areas_away_is_refused() {
    let (whole, inside, beside) =
        (Rect::new(1.0, 1.0, 6.0, 9.0), Rect::new(2.0, 2.0, 4.0, 4.0), Rect::new(6.0, 1.0, 9.0, 9.0));
    let white = |place| area(place, process(Color::WHITE));
    assert_eq!(refused(vec![area(whole, ink("Engrave")), white(inside)]), Code::SvgUnsupported);
    // Beneath, beside, in the hole of a ring, or beneath a plate that comes after all art.
    for nodes in [
        vec![white(inside), area(whole, ink("Engrave"))],
        vec![area(whole, ink("Engrave")), white(beside)],
        vec![square(None, Some(("Engrave", 1.0))), white(Rect::new(1.5, 1.5, 2.5, 2.5))],
        vec![area(whole, ink("Late")), white(inside)],
        vec![area(whole, ink("Cut")), white(inside)],
    ] {
        assert_eq!(drawn(nodes).matches("<path").count(), 1);
    }
}

#[test]
fn a_perforation_is_cut_dash_by_dash() {
    let mut path = BezPath::new();
    path.move_to((1.0, 5.0));
    path.line_to((9.0, 5.0));
    let style = kurbo::Stroke::new(0.2).with_dashes(0.0, [2.0, 1.0]);
    let node = Node::Path(Arc::new(PathNode {
        path: Arc::new(path),
        fill: None,
        stroke: Some(Stroke { paint: ink("Cut"), opacity: 1.0, style }),
        stroke_first: false,
        overprint: false,
    }));
    let text = drawn(vec![node]);
    assert!(text.contains("d=\"M4 5L6 5M7 5L9 5M1 5L3 5\""), "{text}");
}

#[test]
fn art_in_the_knifes_red_is_not_cut() {
    let red = |node: Color| area(Rect::new(1.0, 1.0, 6.0, 9.0), process(node));
    let text = drawing("art", vec![red(Color::rgb8(255, 0, 0)), square(None, Some(("Cut", 1.0)))]).unwrap();
    assert_eq!((text.matches("#ff0000").count(), text.matches("#fe0000").count()), (1, 1), "{text}");
}
