//! What a job tells preflight of its pages: sizes, safe zones, and the area of its white plates,
//! painted once more from the scene rather than read from the document.

use crate::asset::Limits;
use crate::catalog::Profile;
use crate::catalog::print::Step;
use crate::control::Control;
use crate::derive::plate_rows;
use crate::error::Violation;
use crate::preflight::Expected;
use crate::print::part;
use crate::raster::Frame;
use crate::scene::{Placement, Surface};

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
