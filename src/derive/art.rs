//! Parts of a surface's art: without its spot inks, without a layer, a layer's outlines.

use super::fit::bezier;
use super::region::{Region, area};
use crate::scene::{FillRule, Group, Ink, Node, Paint, PathNode, PatternNode};
use kurbo::{Affine, BezPath, Cap, PathEl, Point};
use std::sync::Arc;

/// Furthest a chord may stand from its curve, in millimetres.
const FLAT_MM: f64 = 0.003;

/// The nodes that are printed in process inks: everything but spots and separations.
pub(super) fn without_spots(nodes: &[Node]) -> Vec<Node> {
    nodes.iter().filter_map(process_only).collect()
}

fn process_only(node: &Node) -> Option<Node> {
    match node {
        Node::Group(group) => {
            let nodes = without_spots(&group.nodes);
            (!nodes.is_empty()).then(|| Node::Group(Arc::new(Group { nodes, ..(**group).clone() })))
        }
        Node::Path(path) => {
            let fill = path.fill.clone().filter(|fill| !has_spot(&fill.paint));
            let stroke = path.stroke.clone().filter(|stroke| !has_spot(&stroke.paint));
            let printed = fill.is_some() || stroke.is_some();
            printed.then(|| Node::Path(Arc::new(PathNode { fill, stroke, ..(**path).clone() })))
        }
        Node::Pattern(pattern) => {
            let nodes = without_spots(&pattern.cell.nodes);
            (!nodes.is_empty()).then(|| {
                let cell = Arc::new(Group { nodes, ..(*pattern.cell).clone() });
                Node::Pattern(Arc::new(PatternNode { cell, ..(**pattern).clone() }))
            })
        }
        Node::Image(_) | Node::Filter(_) => Some(node.clone()),
        Node::Separation(_) => None,
    }
}

fn has_spot(paint: &Paint) -> bool {
    let spot = |ink: &Ink| matches!(ink, Ink::Spot { .. });
    match paint {
        Paint::Solid(ink) => spot(ink),
        Paint::Linear(gradient) => gradient.stops.stops.iter().any(|(_, ink, _)| spot(ink)),
        Paint::Radial(gradient) => gradient.stops.stops.iter().any(|(_, ink, _)| spot(ink)),
        Paint::Tiling(tiling) => without_spots(&tiling.group.nodes).len() < tiling.group.nodes.len(),
    }
}

/// A path's subpaths as closed polygons, and how they are filled.
pub(super) type Polygons = (Vec<Vec<Point>>, FillRule);

/// An outline in millimetres, and how it is filled.
pub(crate) type Outlined = (BezPath, FillRule);

/// Two areas share more than a speck.
pub(crate) fn meet(a: &Outlined, b: &Outlined) -> bool {
    /// Less is where they touch, in square millimetres.
    const TOUCH: f64 = 0.003;
    let region = |of: &Outlined| Region::new(&polygons(&of.0, Affine::IDENTITY), of.1);
    region(a).shared(&region(b)).rings().iter().map(|ring| area(ring)).sum::<f64>().abs() > TOUCH
}

/// True for a layer of this id and, where it repeats, for each of its instances (`ID.0`, `ID.1`, …).
pub(super) fn is_layer(name: &str, id: &str) -> bool {
    name.strip_prefix(id).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Takes every layer of this id out of the nodes; gives the outlines of their paths. False where there
/// is none.
pub(super) fn take_layer(nodes: &mut Vec<Node>, id: &str, outer: Affine, into: &mut Vec<Polygons>) -> bool {
    let mut found = false;
    nodes.retain_mut(|node| {
        let Node::Group(group) = node else { return true };
        let transform = outer * group.transform;
        if group.name.as_deref().is_some_and(|name| is_layer(name, id)) {
            outlines(&group.nodes, transform, into);
            found = true;
            return false;
        }
        let mut inner = (**group).clone();
        found |= take_layer(&mut inner.nodes, id, transform, into);
        *node = Node::Group(Arc::new(inner));
        true
    });
    found
}

/// The outlines of all paths, flattened.
fn outlines(nodes: &[Node], outer: Affine, into: &mut Vec<Polygons>) {
    for node in nodes {
        match node {
            Node::Group(group) => outlines(&group.nodes, outer * group.transform, into),
            Node::Path(path) => {
                let rule = path.fill.as_ref().map_or(FillRule::NonZero, |fill| fill.rule);
                into.push((polygons(&path.path, outer), rule));
            }
            Node::Pattern(pattern) => {
                for place in &pattern.instances {
                    outlines(&pattern.cell.nodes, outer * *place * pattern.cell.transform, into);
                }
            }
            Node::Image(_) | Node::Filter(_) | Node::Separation(_) => {}
        }
    }
}

/// A path's subpaths as closed polygons.
fn polygons(path: &BezPath, transform: Affine) -> Vec<Vec<Point>> {
    let mut into = Vec::new();
    let mut ring: Vec<Point> = Vec::new();
    let mut end = |ring: &mut Vec<Point>| {
        if ring.len() >= 3 {
            into.push(std::mem::take(ring));
        }
        ring.clear();
    };
    let mut last = Point::ZERO;
    let curve = |ring: &mut Vec<Point>, curve: [Point; 4]| {
        // The distance of a cubic from its chords, split in n, is under 3/4 of the larger second
        // difference, over n².
        let bend = |a: Point, b: Point, c: Point| (a.to_vec2() - b.to_vec2() * 2.0 + c.to_vec2()).hypot();
        let worst = bend(curve[0], curve[1], curve[2]).max(bend(curve[1], curve[2], curve[3]));
        let n = libm::ceil(libm::sqrt(worst * 0.75 / FLAT_MM)).clamp(1.0, 1000.0) as u32;
        ring.extend((1..=n).map(|i| bezier(&curve, f64::from(i) / f64::from(n))));
    };
    for element in path.elements() {
        match *element {
            PathEl::MoveTo(p) => {
                end(&mut ring);
                last = transform * p;
                ring.push(last);
            }
            PathEl::LineTo(p) => {
                last = transform * p;
                ring.push(last);
            }
            PathEl::QuadTo(c, p) => {
                let (c, p) = (transform * c, transform * p);
                curve(&mut ring, [last, last.lerp(c, 2.0 / 3.0), p.lerp(c, 2.0 / 3.0), p]);
                last = p;
            }
            PathEl::CurveTo(a, b, p) => {
                let p = transform * p;
                curve(&mut ring, [last, transform * a, transform * b, p]);
                last = p;
            }
            PathEl::ClosePath => end(&mut ring),
        }
    }
    end(&mut ring);
    into
}

/// A line's stroke for cutting: round, so that no corner sticks out.
pub(super) fn line(width: f64) -> kurbo::Stroke {
    kurbo::Stroke::new(width).with_caps(Cap::Round).with_join(kurbo::Join::Round)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_that_repeats_is_taken_with_all_its_instances() {
        let square = |at: f64| {
            let path = Arc::new(kurbo::Shape::to_path(&kurbo::Rect::new(at, 0.0, at + 1.0, 1.0), 0.1));
            let (fill, stroke) = (None, None);
            Node::Path(Arc::new(PathNode { path, fill, stroke, stroke_first: false, overprint: false }))
        };
        let layer = |name: &str, nodes: Vec<Node>| {
            Node::Group(Arc::new(Group { name: Some(name.into()), nodes, ..Group::default() }))
        };
        let sticker = |i: usize| {
            layer(&format!("sticker.{i}"), vec![layer(&format!("die.{i}"), vec![square(i as f64)])])
        };
        let mut nodes =
            vec![sticker(0), sticker(1), layer("diecut", vec![square(9.0)]), layer("die", vec![square(5.0)])];
        let mut into = Vec::new();
        assert!(take_layer(&mut nodes, "die", Affine::IDENTITY, &mut into));
        assert_eq!(into.len(), 3);
        assert!(!take_layer(&mut nodes, "die", Affine::IDENTITY, &mut into));
        assert!(take_layer(&mut nodes, "diecut", Affine::IDENTITY, &mut into));
        // One instance alone can be named.
        nodes = vec![sticker(0), sticker(1)];
        into.clear();
        assert!(take_layer(&mut nodes, "die.1", Affine::IDENTITY, &mut into) && into.len() == 1);
    }
}
