//! From what a contour follows to the curves of its line.

use super::region::Region;
use super::stray::Fault;
use super::{alpha, art, crossing, fit, stray};
use crate::asset::Limits;
use crate::catalog::Profile;
use crate::catalog::plates::{Contour, ContourFrom, Holes};
use crate::catalog::print::Step;
use crate::control::Control;
use crate::error::{Code, Violation};
use crate::print::part;
use crate::scene::separation::{Coverage, Knockout};
use crate::scene::{Dpi, FillRule, Node, Surface};
use kurbo::{Affine, BezPath, Point};

/// Bends are never tighter than this, in millimetres: two stretches of line then never touch.
const LEAST_RADIUS: f64 = 0.02;
/// How far the fitted curves of an underbase may leave the exact outline, in millimetres.
const UNDERBASE_TOLERANCE: f64 = 0.01;
/// Longest side of a surface whose outline is traced, in millimetres.
const MOST_MM: f64 = 20_000.0;

/// The closed curves of a contour, in the surface's millimetres, and what is wrong with it. A layer
/// that it follows is taken out of the surface.
pub(super) fn path(
    surface: &mut Surface,
    spec: &Contour,
    profile: &Profile,
    limits: &Limits,
    control: Control<'_>,
) -> Result<(BezPath, Vec<Fault>), Violation> {
    check_size(surface)?;
    let source = match &spec.from {
        ContourFrom::Trim => {
            let trim = surface.trim_box();
            let corners = [(trim.x0, trim.y0), (trim.x1, trim.y0), (trim.x1, trim.y1), (trim.x0, trim.y1)];
            Region::new(&[corners.map(Point::from).to_vec()], FillRule::NonZero)
        }
        ContourFrom::Layer(id) => {
            let mut polygons = Vec::new();
            if !art::take_layer(&mut surface.nodes, id, Affine::IDENTITY, &mut polygons) {
                // Other surfaces have it, or the order does without.
                return Ok((BezPath::new(), Vec::new()));
            }
            surface.layers.retain(|layer| !art::is_layer(&layer.id, id));
            Region::union(polygons.iter().map(|(rings, rule)| Region::new(rings, *rule)))
        }
        ContourFrom::Alpha => {
            // Type in a brand's own ink is art that the knife keeps off; lines and white are none.
            let nodes = part(&surface.nodes, &|plate| plate.is_none_or(|plate| is_art(profile, plate)));
            let traced = Traced { nodes, threshold: spec.threshold, knockout: None };
            traced.region(surface, profile.dpi(), limits, control)?
        }
    };
    control.check()?;
    let outline = match (&spec.from, spec.holes) {
        // The least area of a hole counts on the finished line, so that is looked at below.
        (_, Holes::Keep | Holes::Drop) => source,
        (_, Holes::Fill) => source.without_holes_under(f64::INFINITY),
    };
    // Straight sides of the trim keep their corners unless they are to be round.
    let plain = spec.from == ContourFrom::Trim && spec.min_radius == 0.0 && spec.offset <= 0.0;
    let region =
        if plain { outline.grown(spec.offset)? } else { rounded(&outline, spec.offset, spec.min_radius)? };
    let region = match spec.holes {
        Holes::Keep => region,
        Holes::Fill => region.without_holes_under(f64::INFINITY),
        Holes::Drop => region.without_holes_under(spec.min_hole_area),
    };
    let mut faults = Vec::new();
    match &spec.from {
        ContourFrom::Alpha => faults.extend(stray::leaves_art(&outline, &region, spec)?),
        ContourFrom::Trim | ContourFrom::Layer(_) if region.is_empty() => return Err(empty(spec)),
        ContourFrom::Trim | ContourFrom::Layer(_) => {}
    }
    faults.extend(stray::off_page(&region, surface.bleed_box()));
    Ok((curves(&region, spec.smoothing), faults))
}

/// Nothing is left to cut along.
fn empty(spec: &Contour) -> Violation {
    let detail = match &spec.from {
        ContourFrom::Layer(id) => format!(
            "the contour of the spot ink {} follows the layer {id:?}, and its offset and least radius leave \
             nothing of that layer's filled outlines; draw the die line as a shape, or larger",
            spec.spot
        ),
        ContourFrom::Trim | ContourFrom::Alpha => format!(
            "the contour of the spot ink {} is empty: its offset and least radius are too large for the \
             finished size",
            spec.spot
        ),
    };
    Violation::new(Code::TemplateInvalid, detail)
}

/// True of plates that are seen on the sheet, so that a contour goes around them: inks without a step
/// or an order of their own, and foil. Plates that are made from the art are none, whatever their step.
fn is_art(profile: &Profile, plate: &str) -> bool {
    let made = profile.contour.iter().map(|contour| &contour.spot);
    let made = made.chain(profile.underbase.iter().map(|underbase| &underbase.spot));
    let mut made = made.filter_map(|name| profile.spots.get(name));
    if made.any(|spot| spot.plate == plate) {
        return false;
    }
    let spot = profile.spots.values().find(|spot| spot.plate == plate);
    spot.is_none_or(|spot| spot.turn().is_none() || spot.step.is_some_and(Step::is_color))
}

/// The closed curves of an underbase. What it leaves out for the garment is left out before it is
/// traced, so that a choke draws in from there too.
pub(super) fn underbase(
    surface: &Surface,
    coverage: &Coverage,
    dpi: Dpi,
    limits: &Limits,
    control: Control<'_>,
) -> Result<BezPath, Violation> {
    check_size(surface)?;
    let threshold = f64::from(coverage.threshold.unwrap_or(1.0));
    let traced = Traced { nodes: coverage.from.to_vec(), threshold, knockout: coverage.knockout };
    let region = traced.region(surface, dpi, limits, control)?.grown(coverage.reach)?;
    Ok(curves(&region, UNDERBASE_TOLERANCE))
}

/// Art whose outline is traced.
pub(super) struct Traced {
    pub(super) nodes: Vec<Node>,
    /// Alpha from which it counts.
    pub(super) threshold: f64,
    /// A colour that does not count.
    pub(super) knockout: Option<Knockout>,
}

impl Traced {
    fn region(
        self,
        surface: &Surface,
        dpi: Dpi,
        limits: &Limits,
        control: Control<'_>,
    ) -> Result<Region, Violation> {
        let contours = alpha::contours(self, surface.bleed_box(), dpi, limits, control)?;
        // Holes run the other way round: the winding number is 1 inside and 0 elsewhere.
        Ok(Region::new(&contours, FillRule::NonZero))
    }
}

/// Offset, then without bends tighter than the radius: notches are bridged, points are blunted.
pub(super) fn rounded(region: &Region, offset: f64, min_radius: f64) -> Result<Region, Violation> {
    let radius = min_radius.max(LEAST_RADIUS);
    let rounded = region.grown(offset + radius)?.grown(-2.0 * radius)?.grown(radius)?;
    Ok(rounded)
}

/// A region's rings as curves, none of which cross.
pub(super) fn curves(region: &Region, tolerance: f64) -> BezPath {
    let rings = region.rings();
    for tolerance in [tolerance, tolerance / 4.0] {
        let paths: Vec<BezPath> = rings.iter().map(|ring| fit::smooth(ring, tolerance)).collect();
        if !crossing::crosses(&paths) {
            return paths.into_iter().flatten().collect();
        }
    }
    // The polygons themselves do not cross.
    rings.iter().flat_map(|ring| fit::polygon(ring)).collect()
}

fn check_size(surface: &Surface) -> Result<(), Violation> {
    let area = surface.bleed_box();
    if area.width().max(area.height()) > MOST_MM {
        return Err(Violation::new(
            Code::OutputTooLarge,
            format!("a surface with a contour or an outlined underbase is at most {MOST_MM} mm long"),
        )
        .limit(MOST_MM as u64));
    }
    Ok(())
}
