//! Areas bounded by polygons: grown, shrunk, and their holes.
//!
//! Coordinates are whole units of 0.1 µm, and all arithmetic on them is on whole numbers
//! (`i_overlay`), so results are the same on every processor. Every result is free of crossings:
//! outer rings run so that their area counts as positive, holes the other way round.

use super::simplify::simplify;
use crate::error::{Code, Violation};
use crate::scene::FillRule;
use i_overlay::core::fill_rule::FillRule as Rule;
use i_overlay::core::overlay::Overlay;
use i_overlay::core::overlay_rule::OverlayRule;
use i_overlay::i_float::int::angle::Angle;
use i_overlay::i_float::int::point::IntPoint;
use i_overlay::i_shape::int::shape::IntShapes;
use i_overlay::mesh::int::arc::ArcOptions;
use i_overlay::mesh::int::outline::offset::IntOutlineOffset;
use i_overlay::mesh::int::style::{IntLineJoin, IntOutlineStyle};
use kurbo::Point;

/// Units in a millimetre.
const PER_MM: f64 = 10_000.0;
/// Furthest that coordinates may go, in millimetres; the arithmetic allows twice as much.
const FAR_MM: f64 = 50_000.0;
/// Furthest a round corner's chord may stand from its arc, in millimetres.
const CHORD_MM: f64 = 0.004;
/// Furthest a simplified ring may leave the exact one, in millimetres.
const SIMPLIFY_MM: f64 = 0.002;

/// An area of the page.
#[derive(Debug, Clone, Default)]
pub(super) struct Region {
    /// Each shape is an outer ring and its holes.
    shapes: IntShapes<i32>,
}

impl Region {
    /// The area of some closed polygons in millimetres, crossings resolved.
    pub(super) fn new(polygons: &[Vec<Point>], rule: FillRule) -> Region {
        let rings: Vec<Vec<IntPoint<i32>>> =
            polygons.iter().map(|polygon| polygon.iter().map(|p| unit_point(*p)).collect()).collect();
        let rule = match rule {
            FillRule::NonZero => Rule::NonZero,
            FillRule::EvenOdd => Rule::EvenOdd,
        };
        Region { shapes: Overlay::from_subj(&rings).overlay(OverlayRule::Subject, rule) }
    }

    /// All of some areas.
    pub(super) fn union(regions: impl Iterator<Item = Region>) -> Region {
        let rings: Vec<_> = regions.flat_map(|region| region.shapes.into_iter().flatten()).collect();
        Region { shapes: Overlay::from_subj(&rings).overlay(OverlayRule::Subject, Rule::NonZero) }
    }

    /// What of it another one does not cover.
    pub(super) fn without(&self, other: &Region) -> Region {
        self.overlaid(other, OverlayRule::Difference)
    }

    /// What of it another one covers too.
    pub(super) fn shared(&self, other: &Region) -> Region {
        self.overlaid(other, OverlayRule::Intersect)
    }

    fn overlaid(&self, other: &Region, rule: OverlayRule) -> Region {
        let mut overlay = Overlay::from_subj_and_clip(&self.shapes, &other.shapes);
        Region { shapes: overlay.overlay(rule, Rule::NonZero) }
    }

    /// Everything within `mm` of it; for a negative number, what is further than that inside.
    pub(super) fn grown(&self, mm: f64) -> Result<Region, Violation> {
        let offset = libm::round(mm * PER_MM) as i32;
        if offset == 0 {
            return Ok(self.clone());
        }
        let radius = mm.abs();
        // A chord over the angle a stands r (1 - cos a/2) off its arc: about r a² / 8.
        let step = libm::sqrt(8.0 * CHORD_MM / radius);
        let bits = (step / std::f64::consts::TAU * 4_294_967_296.0).min(f64::from(1_u32 << 29)) as u32;
        let join =
            IntLineJoin::Round(ArcOptions { max_step: Angle::from_bits(bits), rotation_precision: 16 });
        let style = IntOutlineStyle::new(offset).line_join(join);
        let too_far = |_| {
            Violation::new(Code::OutputTooLarge, "a cut or an underbase lies more than 100 m off its surface")
        };
        self.shapes.validate_outline(&style).map_err(too_far)?;
        let shapes = self.shapes.outline(&style).map_err(too_far)?;
        Ok(Region { shapes }.simplified())
    }

    /// Rings with fewer corners, within [`SIMPLIFY_MM`].
    fn simplified(self) -> Region {
        let rings: Vec<Vec<Point>> = self.rings();
        let rings: Vec<Vec<Point>> = rings.iter().map(|ring| simplify(ring, SIMPLIFY_MM)).collect();
        // Corners left out may let two rings touch: the union sorts that out.
        Region::new(&rings, FillRule::NonZero)
    }

    /// Without its holes of less than `mm2` square millimetres.
    pub(super) fn without_holes_under(&self, mm2: f64) -> Region {
        let mut rings: Vec<Vec<Point>> = Vec::new();
        for shape in &self.shapes {
            for (i, ring) in shape.iter().enumerate() {
                let ring: Vec<Point> = ring.iter().map(|p| point(*p)).collect();
                if i == 0 || area(&ring).abs() >= mm2 {
                    rings.push(ring);
                }
            }
        }
        // What stood inside a hole that is gone is now part of the ring around it.
        Region::new(&rings, FillRule::NonZero)
    }

    /// Nothing belongs to it.
    pub(super) fn is_empty(&self) -> bool {
        self.shapes.is_empty()
    }

    /// Each of its pieces as an outer ring and its holes, in millimetres.
    pub(super) fn pieces(&self) -> Vec<Vec<Vec<Point>>> {
        let ring = |ring: &Vec<IntPoint<i32>>| ring.iter().map(|p| point(*p)).collect();
        self.shapes.iter().map(|shape| shape.iter().map(ring).collect()).collect()
    }

    /// All rings, in millimetres.
    pub(super) fn rings(&self) -> Vec<Vec<Point>> {
        self.shapes.iter().flatten().map(|ring| ring.iter().map(|p| point(*p)).collect()).collect()
    }
}

/// The area of a closed polygon; negative where it runs the other way round.
pub(super) fn area(ring: &[Point]) -> f64 {
    let Some(last) = ring.last() else { return 0.0 };
    let mut before = *last;
    let mut sum = 0.0;
    for p in ring {
        sum += before.x * p.y - p.x * before.y;
        before = *p;
    }
    sum / 2.0
}

fn unit_point(p: Point) -> IntPoint<i32> {
    let unit = |mm: f64| libm::round(mm.clamp(-FAR_MM, FAR_MM) * PER_MM) as i32;
    IntPoint::new(unit(p.x), unit(p.y))
}

fn point(p: IntPoint<i32>) -> Point {
    Point::new(f64::from(p.x) / PER_MM, f64::from(p.y) / PER_MM)
}
