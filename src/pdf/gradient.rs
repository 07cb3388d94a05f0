//! Gradients as shadings.
//!
//! Stops become a stitching function; a repeating or reflecting spread becomes the same
//! function stitched as often as the visible area needs it. Stop opacities become a second
//! shading in DeviceGray, for a soft mask.

use super::color::{Painted, Spaces, Tone};
use super::object::{dictionary, name, numbers};
use super::objects::Objects;
use crate::error::{Code, Violation};
use crate::print::{Inking, Role, ramp};
use crate::scene::{BlendSpace, Ink, LinearGradient, RadialGradient, Spread, Stops};
use kurbo::{Point, Rect};
use lopdf::{Dictionary, Object, ObjectId};
use std::io::Write;

/// Repetitions beyond which a gradient is finer than any print.
const MAX_PERIODS: f64 = 10_000.0;

/// A gradient of either shape.
#[derive(Debug, Clone, Copy)]
pub(super) enum Gradient<'a> {
    /// Along a line.
    Linear(&'a LinearGradient),
    /// Between two circles.
    Radial(&'a RadialGradient),
}

impl Gradient<'_> {
    pub(super) fn stops(&self) -> &Stops {
        match self {
            Gradient::Linear(linear) => &linear.stops,
            Gradient::Radial(radial) => &radial.stops,
        }
    }

    /// No line, no circle or no inverse: SVG paints the last stop's colour.
    pub(super) fn is_degenerate(&self) -> bool {
        let flat = self.stops().transform.determinant().abs() < 1e-18;
        let extent = match self {
            Gradient::Linear(linear) => (linear.end - linear.start).hypot2(),
            Gradient::Radial(radial) => radial.radius.max(0.0),
        };
        flat || extent < 1e-18 || self.stops().stops.len() < 2
    }

    /// Some of it is not opaque.
    pub(super) fn is_transparent(&self) -> bool {
        self.stops().stops.iter().any(|stop| stop.2 < 1.0)
    }

    /// The shading of its colours.
    pub(super) fn colors<W: Write>(
        &self,
        objects: &mut Objects<W>,
        spaces: &Spaces,
        tone: Tone,
        inking: Inking<'_>,
        visible: Rect,
    ) -> Result<ObjectId, Violation> {
        let stops = &self.stops().stops;
        let plate = |ink: &Ink| match ink {
            Ink::Spot { name, .. } => Some(name.clone()),
            Ink::Process(_) => None,
        };
        let first = stops.first().and_then(|s| plate(&s.1));
        if stops.iter().any(|s| plate(&s.1) != first) && tone == Tone::Color {
            return Err(Violation::new(
                Code::TemplateInvalid,
                "a gradient mixes a plate with other inks; give all its stops the same ink",
            ));
        }
        let mut painted = Vec::with_capacity(stops.len());
        // Masks are made from sRGB.
        let blend = if tone == Tone::Color { inking.blend } else { BlendSpace::Srgb };
        for (offset, ink) in ramp(stops, Inking { blend, ..inking }) {
            painted.push((offset, spaces.ink(objects, &ink, tone, inking, Role::Blend)?));
        }
        let Some(space) = painted.first().map(|(_, first): &(f64, Painted)| first.space) else {
            return Err(Violation::new(Code::InternalError, "a gradient without stops; please report it"));
        };
        let ramp = painted.into_iter().map(|(offset, painted)| (offset, painted.components)).collect();
        self.shading(objects, Object::Reference(space), ramp, visible)
    }

    /// The shading of its opacities, in DeviceGray.
    pub(super) fn opacities<W: Write>(
        &self,
        objects: &mut Objects<W>,
        visible: Rect,
    ) -> Result<ObjectId, Violation> {
        let ramp = self.stops().stops.iter().map(|s| (f64::from(s.0), vec![f64::from(s.2)])).collect();
        self.shading(objects, name("DeviceGray"), ramp, visible)
    }

    fn shading<W: Write>(
        &self,
        objects: &mut Objects<W>,
        space: Object,
        ramp: Vec<(f64, Vec<f64>)>,
        visible: Rect,
    ) -> Result<ObjectId, Violation> {
        let function = Object::Reference(objects.add(&Object::Dictionary(ramp_function(&ramp)))?);
        let (from, to) = self.periods(visible);
        let function = match self.stops().spread {
            Spread::Pad => function,
            Spread::Repeat => stitched(&function, from, to, false),
            Spread::Reflect => stitched(&function, from, to, true),
        };
        let (kind, coords) = match self {
            Gradient::Linear(linear) => {
                let (a, b) = (linear.start.lerp(linear.end, from), linear.start.lerp(linear.end, to));
                (2, vec![a.x, a.y, b.x, b.y])
            }
            Gradient::Radial(radial) => {
                let at = |t: f64| {
                    let center = radial.focus.lerp(radial.center, t);
                    let radius = radial.focus_radius + (radial.radius - radial.focus_radius) * t;
                    [center.x, center.y, radius.max(0.0)]
                };
                (3, [at(from), at(to)].concat())
            }
        };
        objects.add(&Object::Dictionary(dictionary([
            ("ShadingType", Object::Integer(kind)),
            ("ColorSpace", space),
            ("Coords", numbers(coords)),
            ("Domain", numbers([0.0, 1.0])),
            ("Function", function),
            ("Extend", Object::Array(vec![Object::Boolean(true), Object::Boolean(true)])),
        ])))
    }

    /// Which stretch of the gradient's parameter the visible area needs; 0 to 1 when it pads.
    fn periods(&self, visible: Rect) -> (f64, f64) {
        if self.stops().spread == Spread::Pad {
            return (0.0, 1.0);
        }
        let back = self.stops().transform.inverse();
        let corners = [
            Point::new(visible.x0, visible.y0),
            Point::new(visible.x1, visible.y0),
            Point::new(visible.x1, visible.y1),
            Point::new(visible.x0, visible.y1),
        ]
        .map(|corner| back * corner);
        let (mut from, mut to) = (0.0f64, 1.0f64);
        match self {
            Gradient::Linear(linear) => {
                let axis = linear.end - linear.start;
                for corner in corners {
                    let t = (corner - linear.start).dot(axis) / axis.hypot2();
                    from = from.min(libm::floor(t));
                    to = to.max(libm::ceil(t));
                }
            }
            Gradient::Radial(radial) => {
                let grow = radial.radius - radial.focus_radius;
                let drift = (radial.center - radial.focus).hypot();
                if grow - drift > 1e-9 {
                    for corner in corners {
                        let t = ((corner - radial.focus).hypot() - radial.focus_radius) / (grow - drift);
                        to = to.max(libm::ceil(t));
                    }
                    // Down to the circle without a radius.
                    from = -radial.focus_radius / grow;
                }
            }
        }
        (from.max(-MAX_PERIODS), to.min(MAX_PERIODS))
    }
}

/// Width of a hard edge at an end.
const EDGE: f64 = 2e-6;

/// Stops whose first and last colours have a stretch of their own where others share their places, for
/// they are what a gradient is extended by.
fn ended(stops: &[(f64, Vec<f64>)]) -> Vec<(f64, Vec<f64>)> {
    let mut out = stops.to_vec();
    let (Some(first), Some(last)) = (stops.first(), stops.last()) else { return out };
    let at_start = out.iter().take_while(|stop| stop.0 <= EDGE).count();
    let start_hard = out[..at_start].iter().any(|stop| stop.1 != first.1);
    let end_from = out.len() - out.iter().rev().take_while(|stop| stop.0 >= 1.0 - EDGE).count();
    let end_hard = out[end_from..].iter().any(|stop| stop.1 != last.1);
    if end_hard {
        for stop in &mut out[end_from..] {
            stop.0 = 1.0 - EDGE;
        }
        out.push((1.0, last.1.clone()));
    }
    if start_hard {
        for stop in &mut out[..at_start] {
            stop.0 = EDGE;
        }
        out.insert(0, (0.0, first.1.clone()));
    }
    out
}

/// From 0 to 1, through the stops.
fn ramp_function(stops: &[(f64, Vec<f64>)]) -> Dictionary {
    let stops = &ended(stops);
    let mut segments: Vec<(f64, Dictionary)> = Vec::new();
    let mut at = 0.0;
    let mut color = stops.first().map(|s| s.1.clone()).unwrap_or_default();
    let end = stops.last().map(|s| (1.0, s.1.clone()));
    for (offset, next) in stops.iter().cloned().chain(end) {
        let offset = offset.clamp(at, 1.0);
        // Stops at one place are a hard edge: no stretch lies between them.
        if offset - at > EDGE / 2.0 {
            segments.push((offset, between(&color, &next)));
            at = offset;
        }
        color = next;
    }
    match segments.len() {
        0 => between(&color, &color),
        1 => segments.remove(0).1,
        count => {
            let bounds = segments[..count - 1].iter().map(|s| s.0).collect::<Vec<_>>();
            let encode = (0..count).flat_map(|_| [0.0, 1.0]).collect::<Vec<_>>();
            let functions = segments.into_iter().map(|s| Object::Dictionary(s.1)).collect();
            stitch(functions, bounds, encode)
        }
    }
}

fn between(from: &[f64], to: &[f64]) -> Dictionary {
    dictionary([
        ("FunctionType", Object::Integer(2)),
        ("Domain", numbers([0.0, 1.0])),
        ("C0", numbers(from.iter().copied())),
        ("C1", numbers(to.iter().copied())),
        ("N", Object::Integer(1)),
    ])
}

fn stitch(functions: Vec<Object>, bounds: Vec<f64>, encode: Vec<f64>) -> Dictionary {
    dictionary([
        ("FunctionType", Object::Integer(3)),
        ("Domain", numbers([0.0, 1.0])),
        ("Functions", Object::Array(functions)),
        ("Bounds", numbers(bounds)),
        ("Encode", numbers(encode)),
    ])
}

/// The ramp over and over, for the parameter from `from` to `to`, mapped to 0 to 1.
fn stitched(ramp: &Object, from: f64, to: f64, reflect: bool) -> Object {
    let (mut functions, mut bounds, mut encode) = (Vec::new(), Vec::new(), Vec::new());
    let mut period = libm::floor(from);
    while period < to - 1e-9 {
        let (start, end) = (from.max(period), to.min(period + 1.0));
        if end - start > 1e-9 {
            if start > from {
                bounds.push((start - from) / (to - from));
            }
            let (a, b) = (start - period, end - period);
            let backwards = reflect && period.rem_euclid(2.0) >= 1.0;
            encode.extend(if backwards { [1.0 - a, 1.0 - b] } else { [a, b] });
            functions.push(ramp.clone());
        }
        period += 1.0;
    }
    Object::Dictionary(stitch(functions, bounds, encode))
}
