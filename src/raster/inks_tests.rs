//! Small scenes on plates, with inks worked out by hand from ISO 32000-1.

use super::*;
use crate::catalog::Space;
use crate::catalog::print::{BlackType, ColorSettings, Laid, RgbObjects, Step};
use crate::color::Press;
use crate::print::{Condition, Plate, PrintRules};
use crate::scene::*;
use kurbo::{BezPath, Rect, Shape};
use std::sync::{Arc, Mutex};

const ALL: Rect = Rect::new(0.0, 0.0, 4.0, 4.0);

fn rules(plates: &[(&str, Laid, Option<u16>, Option<Step>)]) -> PrintRules {
    let icc: &[u8] = include_bytes!("../../render-profiles/icc/FOGRA39L.icc");
    let settings = ColorSettings {
        space: Space::Cmyk,
        condition: None,
        registered: None,
        intent: Default::default(),
        black_point_compensation: true,
        rgb: RgbObjects::Convert,
        ink_limit: None,
        black_type: BlackType::K,
        rich_black: None,
    };
    let press = Arc::new(Press::open(icc.into(), Default::default(), true).unwrap());
    let plate = |(name, laid, turn, step): &(&str, Laid, Option<u16>, Option<Step>)| {
        let alternate = Color::Cmyk([0.0, 0.2, 0.8, 0.1]);
        (Arc::from(*name), Plate { laid: *laid, turn: *turn, step: *step, alternate })
    };
    PrintRules {
        condition: Some(Condition { press, settings }),
        plates: plates.iter().map(plate).collect(),
        ..PrintRules::default()
    }
}

fn area(ink: Ink, opacity: f32) -> Node {
    let path: BezPath = ALL.to_path(0.1);
    Node::Path(Arc::new(PathNode {
        path: Arc::new(path),
        fill: Some(Fill { paint: Paint::Solid(ink), opacity, rule: FillRule::NonZero }),
        stroke: None,
        stroke_first: false,
        overprint: false,
    }))
}

fn cmyk(inks: [f32; 4]) -> Node {
    area(Color::Cmyk(inks).into(), 1.0)
}

fn spot(name: &str, tint: f32) -> Node {
    area(Ink::Spot { name: name.into(), tint, alternate: Color::BLACK }, 1.0)
}

fn group(nodes: Vec<Node>, change: impl FnOnce(&mut Group)) -> Node {
    let mut group = Group { nodes, ..Group::default() };
    change(&mut group);
    Node::Group(Arc::new(group))
}

fn type_of(nodes: Vec<Node>) -> Node {
    group(nodes, |g| g.readable = true)
}

#[derive(Default)]
struct First(Mutex<Vec<u8>>);

impl InkSink for First {
    fn encode(&self, band: &InkBand<'_>) -> Result<Packed, Violation> {
        let Planes::Eight { inks, alpha } = band.planes else { panic!("8 bits") };
        let middle = band.width * 2 + 2;
        let bytes = inks.iter().map(|plane| plane[middle]).chain([alpha[middle]]).collect();
        Ok(Packed { bytes, ..Packed::default() })
    }

    fn write(&self, packed: Packed) -> Result<(), Violation> {
        *self.0.lock().unwrap() = packed.bytes;
        Ok(())
    }
}

/// The inks in the middle in per cent, and the alpha.
fn inks(nodes: &[Node], rules: &PrintRules, spots: &[&str], paper: bool) -> Vec<i32> {
    let spots: Vec<Arc<str>> = spots.iter().map(|name| Arc::from(*name)).collect();
    let mut frame = Frame::of(ALL, Dpi::new(25.4), Placement::default());
    frame.background = paper.then_some(Color::WHITE);
    let sink = First::default();
    paint_inks(nodes, rules, &spots, &frame, &Limits::default(), Control::NONE, &[&sink]).unwrap();
    let found = sink.0.into_inner().unwrap();
    found.iter().map(|v| (f32::from(*v) / 2.55).round() as i32).collect()
}

#[test]
fn what_lies_on_top_knocks_out_and_black_type_overprints() {
    let rules = rules(&[]);
    let ground = cmyk([0.2, 0.4, 0.6, 0.1]);
    assert_eq!(inks(&[ground.clone(), cmyk([0.5, 0.0, 0.0, 0.0])], &rules, &[], true), [50, 0, 0, 0, 100]);
    let black = area(Color::BLACK.into(), 1.0);
    let over = [ground.clone(), type_of(vec![black.clone()])];
    assert_eq!(inks(&over, &rules, &[], true), [20, 40, 60, 100, 100]);
    // In a group that is composited as a whole there is nothing to overprint but the group.
    let inside = group(vec![type_of(vec![black])], |g| g.opacity = 0.5);
    assert_eq!(inks(&[ground, inside], &rules, &[], true), [10, 20, 30, 55, 100]);
}

#[test]
fn spots_knock_out_overprint_or_multiply_as_the_profile_says() {
    let ground = cmyk([0.2, 0.4, 0.6, 0.1]);
    let art = |plate: &str| [ground.clone(), spot(plate, 0.5), spot("Other", 0.3)];
    let none = rules(&[]);
    // Of two that knock out the last is left.
    assert_eq!(inks(&art("Foil"), &none, &["Foil", "Other"], true), [0, 0, 0, 0, 0, 30, 100]);
    for laid in [Laid::Overprint, Laid::Multiply] {
        let rules = rules(&[("Foil", laid, Some(5), None)]);
        // Painted last, it leaves what the other ink left: its own plate alone.
        assert_eq!(
            inks(&art("Foil"), &rules, &["Foil", "Other"], true),
            [0, 0, 0, 0, 50, 30, 100],
            "{laid:?}"
        );
        // Two in one painting, in a pass beside black.
        let twice = [ground.clone(), spot("Foil", 0.5), spot("Foil", 0.4)];
        let ink = if laid == Laid::Multiply { 70 } else { 40 };
        assert_eq!(inks(&twice, &rules, &["Foil"], true), [20, 40, 60, 10, ink, 100], "{laid:?}");
    }
    let knocks = rules(&[("Foil", Laid::Knockout, Some(5), None)]);
    assert_eq!(inks(&art("Foil"), &knocks, &["Foil", "Other"], true), [0, 0, 0, 0, 50, 0, 100]);
}

#[test]
fn blend_modes_work_on_the_light_that_inks_leave() {
    let rules = rules(&[]);
    let ground = [0.2, 0.4, 0.6, 0.1];
    let on_top = [0.5, 0.0, 0.3, 0.2];
    let blended = |blend| {
        let top = group(vec![cmyk(on_top)], |g| g.blend = blend);
        inks(&[cmyk(ground), spot("Foil", 0.5), cmyk(ground), top], &rules, &["Foil"], true)
    };
    // 1 - (1 - b)(1 - s), and b·s.
    assert_eq!(blended(Blend::Multiply), [60, 40, 72, 28, 0, 100]);
    assert_eq!(blended(Blend::Screen), [10, 0, 18, 2, 0, 100]);
    // Light is |b - s| apart, so that equal inks leave none: all ink.
    assert_eq!(blended(Blend::Difference), [70, 60, 70, 90, 0, 100]);
    // Black is the backdrop's under the modes of colour, and the source's under Luminosity.
    let color = blended(Blend::Color);
    assert_eq!((color[3], color[4]), (10, 0), "{color:?}");
    let luminosity = blended(Blend::Luminosity);
    assert_eq!(luminosity[3], 20, "{luminosity:?}");
    // Rec. 601 weights of light: 0.3 R + 0.59 G + 0.11 B.
    let light = |inks: &[i32]| {
        0.3 * f64::from(100 - inks[0]) + 0.59 * f64::from(100 - inks[1]) + 0.11 * f64::from(100 - inks[2])
    };
    assert!((light(&luminosity) - (0.3 * 50.0 + 59.0 + 0.11 * 70.0)).abs() < 1.5, "{luminosity:?}");
}

#[test]
fn nothing_lies_beneath_on_transparent_ground() {
    let rules = rules(&[("Foil", Laid::Overprint, Some(5), None)]);
    let half = area(Color::Cmyk([0.8, 0.0, 0.4, 0.2]).into(), 0.5);
    assert_eq!(inks(std::slice::from_ref(&half), &rules, &[], false), [40, 0, 20, 10, 50]);
    let black = type_of(vec![area(Color::BLACK.into(), 1.0)]);
    assert_eq!(inks(&[half, black], &rules, &[], false), [40, 0, 20, 100, 100]);
    assert_eq!(inks(&[spot("Foil", 1.0)], &rules, &["Foil"], false), [0, 0, 0, 0, 100, 0]);
}

#[test]
fn masks_are_of_the_art_that_is_seen() {
    let rules = rules(&[]);
    let mask = |kind| Mask { kind, nodes: vec![area(Color::rgb8(128, 128, 128).into(), 1.0)] };
    let masked = |kind| {
        let top = group(vec![cmyk([1.0, 0.0, 0.0, 0.6])], |g| g.mask = Some(mask(kind)));
        inks(&[top], &rules, &[], true)
    };
    assert_eq!(masked(MaskKind::Alpha), [100, 0, 0, 60, 100]);
    assert_eq!(masked(MaskKind::Luminosity), [50, 0, 0, 30, 100]);
}

#[test]
fn pages_without_a_press_have_no_plates() {
    let frame = Frame::of(ALL, Dpi::new(25.4), Placement::default());
    let black = [area(Color::BLACK.into(), 1.0)];
    let refused =
        paint_inks(&black, &PrintRules::default(), &[], &frame, &Limits::default(), Control::NONE, &[]);
    assert_eq!(refused.unwrap_err().code, crate::error::Code::InternalError);
}
