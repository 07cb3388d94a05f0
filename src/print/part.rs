//! A page's plates apart: the art, then each plate that is painted after it.
//!
//! White painted before the art would be knocked out by it, and a cut line beneath it would be
//! covered; so the nodes of such plates are taken out of the tree and painted last. Groups
//! keep their transforms, clips and masks in every part.

use super::rules::{Plate, PrintRules};
use crate::catalog::print::{Laid, Step};
use crate::scene::{Fill, Group, Ink, Node, Paint, PathNode, PatternNode, Stops, Stroke, Tiling};
use std::sync::Arc;

/// What is painted together: the art, or one plate that comes after it.
#[derive(Debug)]
pub(crate) struct Part {
    /// The plate; `None` is the art.
    pub(crate) plate: Option<(Arc<str>, Laid, Option<Step>)>,
    /// What it holds.
    pub(crate) nodes: Vec<Node>,
}

impl PrintRules {
    /// A page in the order in which it is painted; `None` where nothing is painted after the art.
    pub(crate) fn parts(&self, nodes: &[Node]) -> Option<Vec<Part>> {
        let lifted = self.lifted();
        if lifted.is_empty() {
            return None;
        }
        let after = |plate: &str| lifted.iter().any(|(name, _)| ***name == *plate);
        let mut parts = vec![Part { plate: None, nodes: part(nodes, &|plate| !plate.is_some_and(after)) }];
        for (name, plate) in &lifted {
            let nodes = part(nodes, &|ink| ink == Some(name));
            parts.push(Part { plate: Some(((*name).clone(), plate.laid, plate.step)), nodes });
        }
        parts.retain(|part| !part.nodes.is_empty());
        Some(parts)
    }

    /// A page as a picture in sRGB has it: the plates that `shows` is true of, by their name and step,
    /// those that are painted after the art last. `None` where that is the page as it is.
    pub(crate) fn shown(&self, nodes: &[Node], shows: Shows<'_>) -> Option<Vec<Node>> {
        let apart = |(name, plate): &(&Arc<str>, &Plate)| plate.turn.is_some() || !shows(name, plate.step);
        // Most jobs have none.
        self.plates.iter().find(apart)?;
        // Plates made from the art are in no picture; for their sake nothing has to be parted.
        let made = |node: &Node| matches!(node, Node::Separation(_));
        let drawn: Vec<Node> = nodes.iter().filter(|node| !made(node)).cloned().collect();
        if !self.plates.iter().filter(apart).any(|(name, _)| uses(&drawn, name)) {
            return None;
        }
        let seen = |name: &str| self.plates.get(name).is_none_or(|plate| shows(name, plate.step));
        let kept = part(&drawn, &|plate| plate.is_none_or(seen));
        Some(match self.parts(&kept) {
            Some(parts) => parts.into_iter().flat_map(|part| part.nodes).collect(),
            None => kept,
        })
    }
}

/// Which plates a picture shows, by their name and their processing step.
pub(crate) type Shows<'a> = &'a dyn Fn(&str, Option<Step>) -> bool;

/// Which paints a part of the page holds, by their plate; `None` is process colour.
pub(crate) type Holds<'a> = &'a dyn Fn(Option<&str>) -> bool;

/// The nodes whose paint a part of the page holds.
pub(crate) fn part(nodes: &[Node], holds: Holds<'_>) -> Vec<Node> {
    nodes.iter().filter_map(|node| one(node, holds)).collect()
}

fn one(node: &Node, holds: Holds<'_>) -> Option<Node> {
    match node {
        Node::Group(group) => of_group(group, holds).map(|group| Node::Group(Arc::new(group))),
        Node::Path(path) => {
            let fill = path
                .fill
                .as_ref()
                .and_then(|fill| Some(Fill { paint: held(&fill.paint, holds)?, ..fill.clone() }));
            let stroke = path
                .stroke
                .as_ref()
                .and_then(|stroke| Some(Stroke { paint: held(&stroke.paint, holds)?, ..stroke.clone() }));
            if fill.is_none() && stroke.is_none() {
                return None;
            }
            Some(Node::Path(Arc::new(PathNode { fill, stroke, ..(**path).clone() })))
        }
        Node::Pattern(pattern) => {
            let cell = Arc::new(of_group(&pattern.cell, holds)?);
            Some(Node::Pattern(Arc::new(PatternNode { cell, ..(**pattern).clone() })))
        }
        Node::Separation(plate) => match &plate.ink {
            Ink::Spot { name, .. } => holds(Some(name)),
            Ink::Process(_) => holds(None),
        }
        .then(|| node.clone()),
        Node::Image(_) | Node::Filter(_) => holds(None).then(|| node.clone()),
    }
}

fn of_group(group: &Group, holds: Holds<'_>) -> Option<Group> {
    let nodes = part(&group.nodes, holds);
    (!nodes.is_empty()).then(|| Group { nodes, ..group.clone() })
}

/// The paint, as far as the part holds it.
fn held(paint: &Paint, holds: Holds<'_>) -> Option<Paint> {
    let ink = |ink: &Ink| match ink {
        Ink::Process(_) => holds(None),
        Ink::Spot { name, .. } => holds(Some(name)),
    };
    let stops = |stops: &Stops| stops.stops.first().is_none_or(|(_, first, _)| ink(first));
    let whole = match paint {
        Paint::Solid(solid) => ink(solid),
        Paint::Linear(linear) => stops(&linear.stops),
        Paint::Radial(radial) => stops(&radial.stops),
        Paint::Tiling(tiling) => {
            let group = Arc::new(of_group(&tiling.group, holds)?);
            return Some(Paint::Tiling(Arc::new(Tiling { group, ..(**tiling).clone() })));
        }
    };
    whole.then(|| paint.clone())
}

/// Whether any node prints with a plate.
pub(crate) fn uses(nodes: &[Node], plate: &str) -> bool {
    !part(nodes, &|ink| ink == Some(plate)).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::separation::{Beneath, Content, Purpose, Separation};
    use crate::scene::{Color, FillRule};
    use kurbo::{Rect, Shape};

    fn spot(name: &str) -> Paint {
        Paint::Solid(Ink::Spot { name: name.into(), tint: 1.0, alternate: Color::BLACK })
    }

    #[test]
    fn fill_and_stroke_part_ways_and_empty_groups_vanish() {
        let path = PathNode {
            path: Arc::new(Rect::new(0.0, 0.0, 1.0, 1.0).to_path(0.1)),
            fill: Some(Fill {
                paint: Paint::Solid(Ink::Process(Color::WHITE)),
                opacity: 1.0,
                rule: FillRule::NonZero,
            }),
            stroke: Some(Stroke { paint: spot("Cut"), opacity: 1.0, style: kurbo::Stroke::new(1.0) }),
            stroke_first: false,
            overprint: false,
        };
        let nodes =
            [Node::Group(Arc::new(Group { nodes: vec![Node::Path(Arc::new(path))], ..Group::default() }))];
        let shape = |nodes: &[Node]| match nodes {
            [Node::Group(group)] => match group.nodes.as_slice() {
                [Node::Path(path)] => (path.fill.is_some(), path.stroke.is_some()),
                _ => panic!("one path"),
            },
            _ => panic!("one group"),
        };
        assert_eq!(shape(&part(&nodes, &|ink| ink.is_none())), (true, false));
        assert_eq!(shape(&part(&nodes, &|ink| ink == Some("Cut"))), (false, true));
        assert!(part(&nodes, &|ink| ink == Some("White")).is_empty());
        assert!(uses(&nodes, "Cut") && !uses(&nodes, "White"));
    }

    fn square(fill: Paint, stroke: Option<&str>) -> Node {
        let stroke =
            stroke.map(|name| Stroke { paint: spot(name), opacity: 1.0, style: kurbo::Stroke::new(1.0) });
        Node::Path(Arc::new(PathNode {
            path: Arc::new(Rect::new(0.0, 0.0, 1.0, 1.0).to_path(0.1)),
            fill: Some(Fill { paint: fill, opacity: 1.0, rule: FillRule::NonZero }),
            stroke,
            stroke_first: false,
            overprint: false,
        }))
    }

    #[test]
    fn pictures_show_colours_alone_and_foil_after_the_art() {
        let plate = |step: Option<Step>| Plate {
            laid: Laid::Overprint,
            turn: step.map(|step| if step == Step::White { 1000 } else { 0 }),
            step,
            alternate: Color::BLACK,
        };
        let steps = [
            ("Brand", None),
            ("Cut", Some(Step::Cutting)),
            ("Foil", Some(Step::FoilStamping)),
            ("White", Some(Step::White)),
        ];
        let plates = steps.map(|(name, step)| (Arc::from(name), plate(step)));
        let rules = PrintRules { plates: plates.into(), ..PrintRules::default() };
        let colors = |_: &str, step: Option<Step>| step.is_none_or(Step::is_color);
        let paper = || Paint::Solid(Ink::Process(Color::WHITE));
        let ink = |node: &Node| {
            let Node::Path(path) = node else { panic!("a path") };
            let Some(Paint::Solid(ink)) = path.fill.as_ref().map(|fill| &fill.paint) else {
                panic!("one ink")
            };
            let name = match ink {
                Ink::Spot { name, .. } => &**name,
                Ink::Process(_) => "process",
            };
            (name.to_owned(), path.stroke.is_some())
        };
        let named = |names: &[&str]| -> Vec<(String, bool)> {
            names.iter().map(|name| ((*name).to_owned(), false)).collect()
        };
        let nodes = [
            square(spot("Foil"), None),
            square(paper(), Some("Cut")),
            square(spot("Brand"), None),
            square(spot("White"), None),
        ];
        let shown = rules.shown(&nodes, &colors).unwrap();
        assert_eq!(shown.iter().map(ink).collect::<Vec<_>>(), named(&["process", "Brand", "Foil"]));
        // An engraver does not see what is cut, whatever its step.
        let shown = rules.shown(&nodes, &|name, step| name != "Brand" && colors(name, step)).unwrap();
        assert_eq!(shown.iter().map(ink).collect::<Vec<_>>(), named(&["process", "Foil"]));
        // Art that has no such plate, or has it made from the art, stays as it is.
        let line = Separation {
            purpose: Purpose::Contour,
            ink: Ink::Spot { name: "Cut".into(), tint: 1.0, alternate: Color::BLACK },
            content: Content::Outlines(vec![square(spot("Cut"), None)]),
            beneath: Beneath::Overprint,
        };
        let nodes = [square(paper(), None), square(spot("Brand"), None), Node::Separation(Arc::new(line))];
        assert!(rules.shown(&nodes, &colors).is_none());
    }
}
