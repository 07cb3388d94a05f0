//! What a job tells preflight of its pages: sizes, safe zones, and the area of its white plates,
//! painted once more from the scene rather than read from the document.

use crate::asset::Limits;
use crate::catalog::Profile;
use crate::catalog::print::Step;
use crate::control::Control;
use crate::derive::plate_rows;
use crate::error::Violation;
use crate::preflight::Expected;
use crate::raster::Frame;
use crate::scene::{Group, Ink, Node, Paint, PathNode, PatternNode, Placement, Surface};
use std::sync::Arc;

/// Every page of a document.
///
/// # Errors
/// What painting a plate reports.
pub(super) fn expected(
    surfaces: &[Surface],
    profile: &Profile,
    limits: &Limits,
    control: Control<'_>,
) -> Result<Vec<Expected>, Violation> {
    let mut plates: Vec<(&str, &str)> = Vec::new();
    for (name, spot) in profile.spots.iter().filter(|(_, spot)| spot.step == Some(Step::White)) {
        // Two inks of one plate are told apart by nobody in the document.
        if !plates.iter().any(|(_, plate)| *plate == spot.plate) {
            plates.push((name, &spot.plate));
        }
    }
    let mut pages = Vec::new();
    for surface in surfaces {
        let mut page = Expected::of(surface, profile);
        for (_, plate) in &plates {
            let area = white(surface, plate, profile, limits, control)?;
            page.white.push(((*plate).to_owned(), area * profile.scale_x * profile.scale_y));
        }
        pages.push(page);
    }
    Ok(pages)
}

/// Square millimetres of the surface that a plate covers.
fn white(
    surface: &Surface,
    plate: &str,
    profile: &Profile,
    limits: &Limits,
    control: Control<'_>,
) -> Result<f64, Violation> {
    let area = surface.bleed_box();
    let frame = Frame::of(area, profile.dpi(), Placement::default());
    // White is painted last: whatever the template draws over it does not knock it out.
    let alone = Surface { nodes: only(&surface.nodes, plate), ..surface.clone() };
    if alone.nodes.is_empty() {
        return Ok(0.0);
    }
    let mut ink = 0_u64;
    plate_rows(&alone, plate, &frame, limits, control, |row| {
        ink += row.iter().map(|v| u64::from(*v)).sum::<u64>();
        Ok(())
    })?;
    let pixels = f64::from(frame.width) * f64::from(frame.height);
    Ok(ink as f64 / 255.0 / pixels * area.area())
}

/// What of the nodes is painted in a plate's ink.
fn only(nodes: &[Node], plate: &str) -> Vec<Node> {
    let own = |ink: &Ink| matches!(ink, Ink::Spot { name, .. } if name.as_ref() == plate);
    let painted = |paint: &Paint| match paint {
        Paint::Solid(ink) => own(ink),
        Paint::Linear(gradient) => gradient.stops.stops.iter().any(|(_, ink, _)| own(ink)),
        Paint::Radial(gradient) => gradient.stops.stops.iter().any(|(_, ink, _)| own(ink)),
        Paint::Tiling(tiling) => !only(&tiling.group.nodes, plate).is_empty(),
    };
    let group = |group: &Group| {
        let nodes = only(&group.nodes, plate);
        (!nodes.is_empty()).then(|| Arc::new(Group { nodes, ..group.clone() }))
    };
    let one = |node: &Node| match node {
        Node::Group(inner) => group(inner).map(Node::Group),
        Node::Pattern(pattern) => group(&pattern.cell)
            .map(|cell| Node::Pattern(Arc::new(PatternNode { cell, ..(**pattern).clone() }))),
        Node::Path(path) => {
            let fill = path.fill.clone().filter(|fill| painted(&fill.paint));
            let stroke = path.stroke.clone().filter(|stroke| painted(&stroke.paint));
            let any = fill.is_some() || stroke.is_some();
            any.then(|| Node::Path(Arc::new(PathNode { fill, stroke, ..(**path).clone() })))
        }
        Node::Separation(separation) => own(&separation.ink).then(|| node.clone()),
        Node::Image(_) | Node::Filter(_) => None,
    };
    nodes.iter().filter_map(one).collect()
}
