//! What a job tells preflight of its pages: sizes, safe zones, where type and codes are, and the area of
//! its white plates, painted once more from the scene rather than read from the document.

use crate::asset::Limits;
use crate::catalog::Profile;
use crate::catalog::print::Step;
use crate::control::Control;
use crate::derive::plate_rows;
use crate::error::Violation;
use crate::preflight::{Expected, Readable};
use crate::print::part;
use crate::raster::Frame;
use crate::scene::{Group, Node, Placement, Surface, bounds};
use kurbo::{Affine, Rect, Shape};

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
        page.readable = readable(surface);
        page.readable.iter_mut().for_each(|r| r.area = Expected::place(r.area, surface, profile));
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
    let alone = Surface { nodes: part(&surface.nodes, &|ink| ink == Some(plate)), ..surface.clone() };
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

/// Layers of type and codes, in the surface's millimetres. Those within a pattern are ornament.
fn readable(surface: &Surface) -> Vec<Readable> {
    let mut found = Vec::new();
    gather(&surface.nodes, Affine::IDENTITY, None, ("", surface), &mut found);
    found
}

/// What lies within a layer of a surface. Type in art is its layer's.
fn gather(
    nodes: &[Node],
    to: Affine,
    clip: Option<Rect>,
    (layer, surface): (&str, &Surface),
    found: &mut Vec<Readable>,
) {
    for node in nodes {
        let Node::Group(group) = node else { continue };
        let to = to * group.transform;
        let own = clip_of(group, to);
        let clip = clip.zip(own).map(|(a, b)| a.intersect(b)).or(clip).or(own);
        if group.opacity <= 0.0 {
            continue;
        }
        let layer = group.name.as_deref().unwrap_or(layer);
        if !group.readable {
            gather(&group.nodes, to, clip, (layer, surface), found);
            continue;
        }
        let code = surface.layers.iter().any(|known| *known.id == *layer && known.kind == "code");
        // A code's ground is painted first, and may run where it likes.
        let from = if code { group.nodes.len().saturating_sub(1) } else { 0 };
        let area = group.nodes.get(from..).and_then(|nodes| extent(nodes, to));
        let area = area.map(|area| clip.map_or(area, |clip| area.intersect(clip)));
        if let Some(area) = area.filter(|area| area.width() > 0.0 && area.height() > 0.0) {
            found.push(Readable { layer: layer.to_owned(), code, area });
        }
    }
}

/// What a group's clips leave at most.
fn clip_of(group: &Group, to: Affine) -> Option<Rect> {
    let clips = group.clips.iter().filter_map(|clip| {
        clip.paths.iter().map(|(path, _)| (to * (**path).clone()).bounding_box()).reduce(|a, b| a.union(b))
    });
    clips.reduce(|a, b| a.intersect(b))
}

/// What nodes cover, more closely than `bounds` knows it: turned outlines and strokes as they are.
fn extent(nodes: &[Node], to: Affine) -> Option<Rect> {
    let areas = nodes.iter().filter_map(|node| match node {
        Node::Path(path) if path.fill.is_some() || path.stroke.is_some() => {
            let half = path.stroke.as_ref().map_or(0.0, |stroke| stroke.style.width / 2.0);
            let half = half * libm::sqrt(to.determinant().abs());
            let empty = path.path.elements().is_empty();
            (!empty).then(|| (to * (*path.path).clone()).bounding_box().inflate(half, half))
        }
        Node::Path(_) => None,
        Node::Group(group) => {
            let to = to * group.transform;
            let inside = extent(&group.nodes, to)?;
            let area = clip_of(group, to).map_or(inside, |clip| inside.intersect(clip));
            (area.width() > 0.0 && area.height() > 0.0).then_some(area)
        }
        Node::Image(_) | Node::Pattern(_) | Node::Filter(_) | Node::Separation(_) => {
            bounds(std::slice::from_ref(node), to)
        }
    });
    areas.reduce(|a, b| a.union(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{BlendSpace, Color, Fill, FillRule, LayerBox, Paint, PathNode};
    use kurbo::{BezPath, Insets, Size};
    use std::sync::Arc;

    fn shape(area: Rect) -> Node {
        let path: BezPath = area.to_path(0.1);
        let fill = Fill { paint: Paint::Solid(Color::BLACK.into()), opacity: 1.0, rule: FillRule::NonZero };
        Node::Path(Arc::new(PathNode {
            path: Arc::new(path),
            fill: Some(fill),
            stroke: None,
            stroke_first: false,
            overprint: false,
        }))
    }

    fn layer(name: &str, readable: bool, shift: (f64, f64), nodes: Vec<Node>) -> Node {
        let name = Some(name.into());
        let transform = Affine::translate(shift);
        Node::Group(Arc::new(Group { name, readable, transform, nodes, ..Group::default() }))
    }

    fn surface(nodes: Vec<Node>, layers: Vec<LayerBox>) -> Surface {
        Surface {
            name: "front".into(),
            trim: Size::new(50.0, 40.0),
            bleed: Insets::uniform(3.0),
            safe: Insets::uniform(3.0),
            garment: None,
            blend_space: BlendSpace::Srgb,
            nodes,
            layers,
        }
    }

    #[test]
    fn areas_are_scaled_mirrored_and_turned_with_their_page() {
        let surface = surface(Vec::new(), Vec::new());
        let place = |mirror: bool, rotate: u16| {
            let profile = serde_json::json!({
                "schema": "presswork.profile/1", "title": "T", "dpi": 300, "outputs": ["pdf"],
                "color": { "space": "srgb" }, "scale_x": 2.0, "mirror": mirror, "rotate": rotate
            });
            let profile: Profile = serde_json::from_value(profile).unwrap();
            let area = Rect::new(1.0, 2.0, 4.0, 6.0);
            let placed = Expected::place(area, &surface, &profile);
            [placed.x0, placed.y0, placed.x1, placed.y1]
        };
        // The page is 100 by 40.
        assert_eq!(place(false, 0), [2.0, 2.0, 8.0, 6.0]);
        assert_eq!(place(true, 0), [92.0, 2.0, 98.0, 6.0]);
        assert_eq!(place(false, 90), [34.0, 2.0, 38.0, 8.0]);
        assert_eq!(place(false, 180), [92.0, 34.0, 98.0, 38.0]);
        assert_eq!(place(false, 270), [2.0, 92.0, 6.0, 98.0]);
        assert_eq!(place(true, 90), [34.0, 92.0, 38.0, 98.0]);
    }

    #[test]
    fn type_and_codes_are_found_within_groups_and_ornament_is_not() {
        let square = |x, y, side| shape(Rect::new(x, y, x + side, y + side));
        let known = |id: &str, kind| LayerBox { id: id.into(), kind, bounds: Rect::ZERO };
        let inner = layer("name", true, (10.0, 0.0), vec![square(1.0, 2.0, 3.0), square(5.0, 2.0, 3.0)]);
        let nodes = vec![
            layer("ground", false, (0.0, 0.0), vec![square(-3.0, -3.0, 60.0)]),
            layer("card", false, (1.0, 1.0), vec![inner]),
            layer("code", true, (0.0, 0.0), vec![square(0.0, 0.0, 20.0), square(4.0, 4.0, 12.0)]),
        ];
        let surface = surface(nodes, vec![known("name", "text"), known("code", "code")]);
        let found = readable(&surface);
        let expected = [
            Readable { layer: "name".into(), code: false, area: Rect::new(12.0, 3.0, 19.0, 6.0) },
            // Without its ground.
            Readable { layer: "code".into(), code: true, area: Rect::new(4.0, 4.0, 16.0, 16.0) },
        ];
        assert_eq!(found, expected);
    }
}
