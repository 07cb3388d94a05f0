//! What an area is painted with, pixel by pixel: gradients and tilings.

use super::colorants::Colorants;
use super::layer::Layer;
use super::sample::{Pixel, Sample};
use super::sampler;
use crate::error::Violation;
use crate::print::{Role, printed_ramp};
use crate::scene::{Spread, Stops};
use kurbo::{Affine, Point};

/// Steps of a gradient's colour table.
const STEPS: usize = 1024;

/// A gradient, ready to be asked for the colours of a row of pixels.
#[derive(Debug, Clone)]
pub(super) struct Gradient {
    kind: Kind,
    spread: Spread,
    /// The colours from offset 0 to 1, opacity included, premultiplied.
    eight: Vec<Pixel<u8>>,
    /// The same for passes of 16 bits.
    sixteen: Vec<Pixel<u16>>,
    /// From pixels to the space of [`Kind`].
    from_px: Affine,
}

#[derive(Debug, Clone)]
enum Kind {
    /// Offset is x.
    Linear,
    /// Offset is of the circle that the point lies on.
    Radial(Radial),
}

impl Gradient {
    /// Along a line. `to_px` takes the painted path's space to pixels. `None` when it has no
    /// direction, or its matrix no inverse: SVG and PDF then paint the last colour.
    pub(super) fn linear(
        start: Point,
        end: Point,
        stops: &Stops,
        table: &[[f32; 4]],
        to_px: Affine,
    ) -> Option<Gradient> {
        let along = end - start;
        let length = along.hypot2();
        if length <= 0.0 {
            return None;
        }
        // Takes the start to 0 and the end to 1 on the x axis.
        let onto = Affine::new([along.x / length, 0.0, along.y / length, 0.0, 0.0, 0.0])
            * Affine::translate(-start.to_vec2());
        Some(Gradient {
            kind: Kind::Linear,
            spread: stops.spread,
            eight: premultiplied(table),
            sixteen: premultiplied(table),
            from_px: onto * inverse(to_px * stops.transform)?,
        })
    }

    /// Between a focal circle and an outer one.
    pub(super) fn radial(
        g: &crate::scene::RadialGradient,
        table: &[[f32; 4]],
        to_px: Affine,
    ) -> Option<Gradient> {
        if g.radius <= 0.0 {
            return None;
        }
        let (focus, r0) = (g.focus, g.focus_radius.clamp(0.0, g.radius));
        Some(Gradient {
            kind: Kind::Radial(Radial::new(focus, r0, (g.center - focus).to_point(), g.radius - r0)),
            spread: g.stops.spread,
            eight: premultiplied(table),
            sixteen: premultiplied(table),
            from_px: inverse(to_px * g.stops.transform)?,
        })
    }

    /// Premultiplied colours of the pixels from (`x`, `y`) to the right.
    pub(super) fn row<S: Sample>(&self, x: i32, y: i32, out: &mut [Pixel<S>]) {
        let colors = S::pick(&self.eight, &self.sixteen);
        let centres = (0..out.len()).map(|i| f64::from(x) + i as f64 + 0.5);
        let y = f64::from(y) + 0.5;
        let [xx, yx, xy, yy, dx, dy] = self.from_px.as_coeffs();
        match &self.kind {
            // Across its direction it has one colour.
            Kind::Linear if xx == 0.0 => out.fill(colors[self.index(xy * y + dx)]),
            Kind::Linear => {
                for (pixel, x) in out.iter_mut().zip(centres) {
                    *pixel = colors[self.index(xx * x + xy * y + dx)];
                }
            }
            Kind::Radial(radial) => {
                for (pixel, x) in out.iter_mut().zip(centres) {
                    let at = Point::new(xx * x + xy * y + dx, yx * x + yy * y + dy);
                    *pixel = radial.offset(at).map_or([S::ZERO; 4], |offset| colors[self.index(offset)]);
                }
            }
        }
    }

    fn index(&self, offset: f64) -> usize {
        let t = match self.spread {
            Spread::Pad => offset.clamp(0.0, 1.0),
            Spread::Repeat => offset - offset.floor(),
            Spread::Reflect => {
                let t = offset.rem_euclid(2.0);
                if t > 1.0 { 2.0 - t } else { t }
            }
        };
        (t * (STEPS - 1) as f64 + 0.5) as usize
    }
}

/// Circles from one to another; a point lies on one of them, or on none.
#[derive(Debug, Clone)]
struct Radial {
    /// The first one's centre.
    focus: Point,
    /// Its radius.
    r0: f64,
    /// From its centre to the last one's.
    to: Point,
    /// What the last one's radius has more.
    dr: f64,
    /// The quadratic coefficient of every point.
    a: f64,
}

impl Radial {
    fn new(focus: Point, r0: f64, to: Point, dr: f64) -> Radial {
        Radial { focus, r0, to, dr, a: to.x * to.x + to.y * to.y - dr * dr }
    }

    /// The largest t with |p - t·to| = r0 + t·dr and a radius not below zero.
    #[inline(always)]
    fn offset(&self, p: Point) -> Option<f64> {
        let Radial { focus, r0, to, dr, a } = *self;
        let p = p - focus;
        let b = p.x * to.x + p.y * to.y + r0 * dr;
        let c = p.x * p.x + p.y * p.y - r0 * r0;
        let fits = |t: f64| (r0 + t * dr >= 0.0).then_some(t);
        if a.abs() < 1e-12 {
            return if b == 0.0 { None } else { fits(c / (2.0 * b)) };
        }
        let disc = b * b - a * c;
        if disc < 0.0 {
            return None;
        }
        // The processor's root is as exact as any: IEEE 754 asks it of all of them.
        let root = disc.sqrt();
        let (larger, smaller) = if a > 0.0 { (b + root, b - root) } else { (b - root, b + root) };
        fits(larger / a).or_else(|| fits(smaller / a))
    }
}

/// A table's pixels.
fn premultiplied<S: Sample>(table: &[[f32; 4]]) -> Vec<Pixel<S>> {
    let pixel = |[r, g, b, a]: &[f32; 4]| {
        let alpha = S::from_unit(*a);
        let [r, g, b] = [r, g, b].map(|c| S::from_unit(c * a).min(alpha));
        [r, g, b, alpha]
    };
    table.iter().map(pixel).collect()
}

/// The colours from offset 0 to 1 in a pass's channels, interpolated without premultiplication.
///
/// # Errors
/// `template.invalid` for exact inks over the profile's limit.
pub(super) fn table(stops: &Stops, opacity: f32, colorants: &Colorants) -> Result<Vec<[f32; 4]>, Violation> {
    let Some(inking) = colorants.inking() else {
        let color = |ink: &crate::scene::Ink, alpha: f32| {
            let [r, g, b] = ink.to_srgb();
            [r, g, b, alpha * opacity]
        };
        let colors: Vec<_> = stops.stops.iter().map(|(at, ink, alpha)| (*at, color(ink, *alpha))).collect();
        return Ok(filled(&colors));
    };
    // Inks run straight between other places than opacities do.
    let mut inks = Vec::new();
    for (at, ink) in printed_ramp(&stops.stops, inking) {
        let [a, b, c] = colorants.ink(&ink, Role::Blend)?.color;
        inks.push((at as f32, [a, b, c, 0.0]));
    }
    let alphas: Vec<_> =
        stops.stops.iter().map(|(at, _, alpha)| (*at, [0.0, 0.0, 0.0, alpha * opacity])).collect();
    let mut table = filled(&inks);
    for (color, alpha) in table.iter_mut().zip(filled(&alphas)) {
        color[3] = alpha[3];
    }
    Ok(table)
}

/// Every step between colours at rising offsets.
fn filled(colors: &[(f32, [f32; 4])]) -> Vec<[f32; 4]> {
    let (Some(first), Some(last)) = (colors.first(), colors.last()) else {
        return vec![[0.0; 4]; STEPS];
    };
    (0..STEPS)
        .map(|i| {
            let t = i as f32 / (STEPS - 1) as f32;
            if i == 0 || t < first.0 {
                return first.1;
            }
            // Of stops at one offset the last wins from there on. What lies before the first offset has
            // the first colour.
            let Some(next) = colors.iter().position(|(offset, _)| *offset > t) else {
                return last.1;
            };
            let ((o0, c0), (o1, c1)) = (colors[next - 1], colors[next]);
            let part = (t - o0) / (o1 - o0);
            [0, 1, 2, 3].map(|k: usize| c0[k] + (c1[k] - c0[k]) * part)
        })
        .collect()
}

/// A repeated cell, ready to be asked for a row of pixels.
#[derive(Debug, Clone)]
pub(super) struct Tiles {
    /// From pixels to cells: (0, 0) to (1, 1) is one cell.
    pub(super) from_px: Affine,
}

impl Tiles {
    /// Premultiplied colours of the pixels from (`x`, `y`) to the right. `cell` starts at pixel (0, 0).
    pub(super) fn row<S: Sample>(&self, cell: &Layer<S>, x: i32, y: i32, out: &mut [Pixel<S>]) {
        let (w, h) = (cell.area.width() as f64, cell.area.height() as f64);
        for (i, pixel) in out.iter_mut().enumerate() {
            let at = self.from_px * Point::new(f64::from(x) + i as f64 + 0.5, f64::from(y) + 0.5);
            let (u, v) = ((at.x - at.x.floor()) * w, (at.y - at.y.floor()) * h);
            *pixel = sampler::bilinear_wrapped(cell, u as f32, v as f32);
        }
    }
}

/// The inverse of a matrix that has one.
pub(super) fn inverse(matrix: Affine) -> Option<Affine> {
    let det = matrix.determinant();
    (det.is_finite() && det.abs() > 1e-18).then(|| matrix.inverse())
}
