//! Drawings of hand-made surfaces: what is cut, what is engraved, what is neither.

use super::*;
use crate::catalog::load_profile;
use crate::scene::separation::Beneath;
use crate::scene::{BlendSpace, Color};
use kurbo::{Insets, Shape, Size};
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
    let profile = "schema = \"presswork.profile/1\"\ntitle = \"Laser\"\ndpi = 300\noutputs = [\"svg\"]\n\
         [color]\nspace = \"srgb\"\n[spots.Cut]\nplate = \"Cut\"\nalternate = \"#ff00ff\"\n\
         [spots.Engrave]\nplate = \"Engrave\"\nalternate = \"#303030\"\n\
         [svg]\ncontent = \"spots\"\ncut = [\"Cut\"]\nengrave = [\"Engrave\"]\n";
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
    draw(&surface, &load_profile(profile).unwrap(), surface.trim_box(), Placement::default()).unwrap()
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
