//! From a valid order and its assets to a [`Scene`].
//!
//! This is where templates end: conditions are decided, fields have become words, inks and
//! pictures, boxes have become matrices, text has become outlines. [`plan`] lists what must be
//! fetched first; [`compose`] builds the scene and lists what is not quite right.

mod art;
mod assets;
mod code;
mod collage;
pub(crate) mod env;
mod layer;
mod pattern;
mod photo;
mod place;
mod plan;
mod shape;
mod surface;
mod text;

pub use assets::{Asset, AssetRef, Assets, Source};
pub use plan::plan;

use crate::art::Art;
use crate::asset::Limits;
use crate::catalog::Action;
use crate::control::Control;
use crate::error::{Code, Violation, Violations};
use crate::order::ValidOrder;
use crate::order::event::{Finding, Verdict};
use crate::scene::Scene;
use crate::text::FontLibrary;
use kurbo::Rect;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// A scene and what was found while it was made.
#[derive(Debug)]
pub struct Composed {
    /// Everything the order prints.
    pub scene: Scene,
    /// What is not quite right, with the profile's verdict on each.
    pub findings: Vec<Finding>,
}

/// Builds the scene of an order. Every surface is composed, so that all violations come at once.
pub fn compose(
    order: &ValidOrder,
    assets: &Assets,
    fonts: &FontLibrary,
    limits: &Limits,
    control: Control<'_>,
) -> Result<Composed, Violations> {
    let composer = Composer {
        order,
        assets,
        fonts,
        limits,
        control,
        arts: Mutex::default(),
        findings: Mutex::default(),
        surface: Mutex::default(),
    };
    let surfaces = composer.surfaces()?;
    let findings = composer.findings.into_inner().unwrap_or_default();
    Ok(Composed { scene: Scene { surfaces }, findings })
}

/// What composing needs at hand.
struct Composer<'a> {
    order: &'a ValidOrder,
    assets: &'a Assets,
    fonts: &'a FontLibrary,
    limits: &'a Limits,
    control: Control<'a>,
    /// Parsed art by its source, so that a piece used often is parsed once.
    arts: Mutex<BTreeMap<Source, Arc<Art>>>,
    findings: Mutex<Vec<Finding>>,
    surface: Mutex<place::SurfaceState>,
}

/// Something that may be tolerated, and where it is.
struct Remark<'a> {
    code: Code,
    action: Action,
    layer: &'a str,
    place: Rect,
    detail: String,
}

impl Composer<'_> {
    /// Lists a finding, or fails, as the profile's policy says. A waived finding only warns.
    fn remark(&self, remark: Remark<'_>) -> Result<(), Violation> {
        let code = remark.code.as_str();
        let waived = self.order.order().accept.iter().any(|accepted| accepted == code);
        let verdict = match remark.action {
            _ if waived => Verdict::Warn,
            Action::Warn => Verdict::Warn,
            Action::Hold => Verdict::Hold,
            Action::Fail => return Err(Violation::new(remark.code, remark.detail)),
        };
        let Rect { x0, y0, .. } = remark.place;
        let finding = Finding {
            code: code.into(),
            verdict,
            surface: place::lock(&self.surface).name.to_string(),
            page: None,
            layer: Some(remark.layer.to_owned()),
            place: Some([x0, y0, remark.place.width(), remark.place.height()]),
            detail: remark.detail,
            waived,
        };
        place::lock(&self.findings).push(finding);
        Ok(())
    }
}
