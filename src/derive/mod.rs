//! Plates made from the art: white underbases and cut contours.
//!
//! A composed scene goes in, and the same scene with a [`Separation`] for each plate that the
//! render profile asks for comes out. What needs the whole canvas is seen to in a pass of its
//! own: the art is painted in bands (`alpha`) and only its alpha goes on, into streaming
//! contours (`trace`) or a streaming choke (`choke`). Outlines are offset as polygons of whole
//! numbers (`region`), then become smooth curves (`fit`) that are known not to cross
//! (`crossing`). What a choke leaves without any white is found by `bare`, what a contour leaves
//! outside by `stray`.

mod alpha;
mod art;
mod bare;
mod certain;
mod choke;
mod contour;
mod crossing;
mod fit;
mod plate;
mod region;
mod simplify;
mod stray;
mod trace;

#[cfg(test)]
mod tests;

pub use alpha::coverage_rows;
pub(crate) use art::{Outlined, meet};
pub use bare::{Bare, bare};
pub use plate::plate_rows;
pub use stray::{Fault, Stray};

use crate::asset::Limits;
use crate::catalog::Profile;
use crate::catalog::plates::{Contour, ContourFrom, Underbase, UnderbaseForm};
use crate::catalog::print::Laid;
use crate::catalog::value::Spots;
use crate::control::Control;
use crate::error::{Code, Violation};
use crate::scene::separation::{Beneath, Content, Coverage, Knockout, Purpose};
use crate::scene::{
    Fill, FillRule, Ink, MM_PER_PT, Node, Paint, PathNode, Scene, Separation, Stroke, Surface,
};
use kurbo::BezPath;
use std::sync::Arc;

/// Adds the plates that the profile makes from the art: contours, then the underbase, which is
/// printed last. Gives the contours that do not do what they are for.
///
/// # Errors
/// `svg.too_complex` for art whose outline has too many corners; `template.invalid` for a contour
/// of which nothing is left; what painting reports.
pub fn derive(
    mut scene: Scene,
    profile: &Profile,
    limits: &Limits,
    control: Control<'_>,
) -> Result<(Scene, Vec<Stray>), Violation> {
    let mut stray = Vec::new();
    if profile.contour.is_empty() && profile.underbase.is_none() {
        return Ok((scene, stray));
    }
    for surface in &mut scene.surfaces {
        let pass = Pass { profile, limits, control };
        let mut plates = Vec::new();
        // Die lines leave the art before anything is traced from it.
        let die_line = |contour: &&Contour| matches!(contour.from, ContourFrom::Layer(_));
        let (first, then): (Vec<_>, Vec<_>) = profile.contour.iter().partition(die_line);
        for contour in first.into_iter().chain(then) {
            plates.extend(pass.contour(surface, contour, &mut stray)?);
        }
        if let Some(underbase) = &profile.underbase {
            plates.extend(pass.underbase(surface, underbase)?);
        }
        surface.nodes.extend(plates.into_iter().map(|plate| Node::Separation(Arc::new(plate))));
    }
    Ok((scene, stray))
}

/// The bounds of all that is printed within a surface's trim, in its millimetres, or the trim where they are
/// certainly `least` wide or high; `None` of an empty surface.
///
/// # Errors
/// As painting.
pub fn extent(
    surface: &Surface,
    least: f64,
    limits: &Limits,
    control: Control<'_>,
) -> Result<Option<kurbo::Rect>, Violation> {
    let trim = surface.trim_box();
    if certain::is_as_large(&surface.nodes, kurbo::Affine::IDENTITY, trim, least) {
        return Ok(Some(trim));
    }
    let art = surface.nodes.iter().filter(|node| !matches!(node, Node::Separation(_)));
    alpha::bounds(art.cloned().collect(), surface.trim.to_rect(), limits, control)
}

/// The alpha that outlines run at unless the profile says otherwise.
const OUTLINED: f64 = 0.5;

struct Pass<'a> {
    profile: &'a Profile,
    limits: &'a Limits,
    control: Control<'a>,
}

impl Pass<'_> {
    fn ink(&self, spot: &str) -> Result<Ink, Violation> {
        let unknown =
            || Violation::new(Code::TemplateInvalid, "the profile names a spot ink it does not have");
        let (name, alternate) = self.profile.spot(spot).ok_or_else(unknown)?;
        Ok(Ink::Spot { name, tint: 1.0, alternate })
    }

    fn beneath(&self, spot: &str) -> Beneath {
        match self.profile.spots.get(spot).map(|spot| spot.laid) {
            Some(Laid::Multiply) => Beneath::Multiply,
            // A profile whose plate would knock out is refused before.
            Some(Laid::Overprint | Laid::Knockout) | None => Beneath::Overprint,
        }
    }

    fn contour(
        &self,
        surface: &mut Surface,
        spec: &Contour,
        stray: &mut Vec<Stray>,
    ) -> Result<Option<Separation>, Violation> {
        let ink = self.ink(&spec.spot)?;
        let (path, faults) = contour::path(surface, spec, self.profile, self.limits, self.control)?;
        if let Ink::Spot { name: plate, .. } = &ink {
            let of = |fault| Stray { surface: surface.name.clone(), plate: plate.clone(), fault };
            stray.extend(faults.into_iter().map(of));
        }
        let stroke = Stroke {
            paint: Paint::Solid(ink.clone()),
            opacity: 1.0,
            style: art::line(spec.stroke * MM_PER_PT),
        };
        Ok(outlines(path, None, Some(stroke), ink, Purpose::Contour, self.beneath(&spec.spot)))
    }

    fn underbase(&self, surface: &Surface, spec: &Underbase) -> Result<Option<Separation>, Violation> {
        let ink = self.ink(&spec.spot)?;
        let Some(coverage) = coverage(surface, spec) else { return Ok(None) };
        match spec.form {
            UnderbaseForm::Image => Ok(Some(Separation {
                purpose: Purpose::Underbase,
                ink,
                content: Content::Coverage(coverage),
                beneath: self.beneath(&spec.spot),
            })),
            UnderbaseForm::Vector => {
                let dpi = self.profile.dpi();
                let path = contour::underbase(surface, &coverage, dpi, self.limits, self.control)?;
                let fill = Fill { paint: Paint::Solid(ink.clone()), opacity: 1.0, rule: FillRule::NonZero };
                Ok(outlines(path, Some(fill), None, ink, Purpose::Underbase, self.beneath(&spec.spot)))
            }
        }
    }
}

/// What an underbase is made from, and how; `None` where there is no art in process inks.
fn coverage(surface: &Surface, spec: &Underbase) -> Option<Coverage> {
    let from = art::without_spots(&surface.nodes);
    let garment = surface.garment.map(|garment| garment.to_srgb());
    let knockout = spec.garment_knockout.zip(garment);
    let knockout = knockout.map(|(tolerance, garment)| Knockout { garment, tolerance: tolerance as f32 });
    let threshold = match spec.form {
        UnderbaseForm::Image => spec.threshold,
        UnderbaseForm::Vector => Some(spec.threshold.unwrap_or(OUTLINED)),
    };
    (!from.is_empty()).then(|| Coverage {
        from: Arc::new(from),
        area: surface.bleed_box(),
        reach: spec.spread - spec.choke,
        threshold: threshold.map(|t| t as f32),
        knockout,
    })
}

/// A plate of one path; none where there is nothing to draw.
fn outlines(
    path: BezPath,
    fill: Option<Fill>,
    stroke: Option<Stroke>,
    ink: Ink,
    purpose: Purpose,
    beneath: Beneath,
) -> Option<Separation> {
    if path.elements().is_empty() {
        return None;
    }
    let node = Node::Path(Arc::new(PathNode {
        path: Arc::new(path),
        fill,
        stroke,
        stroke_first: false,
        overprint: beneath == Beneath::Overprint,
    }));
    Some(Separation { purpose, ink, content: Content::Outlines(vec![node]), beneath })
}
