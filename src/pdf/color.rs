//! Inks as PDF colours.
//!
//! sRGB is ICCBased, never DeviceRGB; a spot is a Separation with its alternate, the same wherever
//! its plate is used. In a job that blends in process inks CMYK is DeviceCMYK, and sRGB is
//! converted or stays tagged as the profile says; in an sRGB job CMYK is converted as
//! [`Color::to_srgb`] does, because the file then promises sRGB. Inside soft masks, which are
//! DeviceGray, a colour is its luma, or white.

use super::object::{dictionary, name, numbers};
use super::objects::Objects;
use crate::asset::adjust::luma;
use crate::catalog::print::{RgbObjects, Standard};
use crate::error::{Code, Violation};
use crate::print::{Inking, PrintRules, Role};
use crate::scene::{BlendSpace, Color, Ink};
use lopdf::{Object, ObjectId};
use std::io::Write;

/// What colours become where they are painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Themselves.
    Color,
    /// Their luma: inside a luminosity mask.
    Luma,
    /// White: inside an alpha mask, where only coverage counts.
    White,
}

/// A colour space and components in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Painted {
    /// The space's object.
    pub(super) space: ObjectId,
    /// One number a component.
    pub(super) components: Vec<f64>,
}

/// The document's own colour spaces.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spaces {
    /// What sRGB objects are painted in: `[/ICCBased …]`, or `/DeviceCMYK` where they are converted.
    pub(super) srgb: ObjectId,
    /// `/DeviceGray`, for soft masks.
    pub(super) grey: ObjectId,
    /// `/DeviceCMYK`, for process jobs.
    pub(super) cmyk: ObjectId,
}

impl Spaces {
    /// Writes the profile and the spaces.
    pub(super) fn new<W: Write>(objects: &mut Objects<W>, rules: &PrintRules) -> Result<Self, Violation> {
        let converts = |c: &super::Condition| c.settings.rgb == RgbObjects::Convert;
        if rules.condition.as_ref().is_some_and(converts) {
            let cmyk = objects.add(&name("DeviceCMYK"))?;
            return Ok(Spaces { srgb: cmyk, grey: objects.add(&name("DeviceGray"))?, cmyk });
        }
        let profile = icc_stream(objects, &srgb_profile(rules.standard)?, 3)?;
        Ok(Spaces {
            srgb: objects.add(&icc_based(profile))?,
            grey: objects.add(&name("DeviceGray"))?,
            cmyk: objects.add(&name("DeviceCMYK"))?,
        })
    }

    /// The space groups are blended in.
    pub(super) fn blending(&self, tone: Tone, blend: BlendSpace) -> Object {
        match (tone, blend) {
            (Tone::Luma | Tone::White, _) => name("DeviceGray"),
            (Tone::Color, BlendSpace::Srgb) => Object::Reference(self.srgb),
            (Tone::Color, BlendSpace::Process) => name("DeviceCMYK"),
        }
    }

    /// An ink's space and components.
    pub(super) fn ink<W: Write>(
        &self,
        objects: &mut Objects<W>,
        ink: &Ink,
        tone: Tone,
        inking: Inking<'_>,
        role: Role,
    ) -> Result<Painted, Violation> {
        match tone {
            Tone::White => return Ok(Painted { space: self.grey, components: vec![1.0] }),
            Tone::Luma => {
                let grey = f64::from(luma(ink.to_srgb()));
                return Ok(Painted { space: self.grey, components: vec![grey] });
            }
            Tone::Color => {}
        }
        match ink {
            Ink::Process(color) => self.process(*color, inking, role),
            Ink::Spot { name, tint, alternate } => {
                let alternate = inking.rules.plates.get(name).map_or(*alternate, |plate| plate.alternate);
                let space = self.separation(objects, name, alternate, inking)?;
                Ok(Painted { space, components: vec![unit(*tint)] })
            }
        }
    }

    /// A plate's colour space.
    pub(super) fn separation<W: Write>(
        &self,
        objects: &mut Objects<W>,
        plate: &str,
        alternate: Color,
        inking: Inking<'_>,
    ) -> Result<ObjectId, Violation> {
        let full = match (alternate, inking.condition()) {
            // Whatever other colours are, a plate's stand-in is in the inks of the press.
            (Color::Srgb(_) | Color::Grey(_), Some(condition)) => {
                let inks = condition.converted(alternate.to_srgb());
                Painted { space: self.cmyk, components: inks.map(unit).to_vec() }
            }
            // It stands in for an ink of its own: the limit of process ink is not for it.
            (Color::Cmyk(inks), Some(_)) => Painted { space: self.cmyk, components: inks.map(unit).to_vec() },
            (Color::Srgb(_) | Color::Grey(_) | Color::Cmyk(_), None) => {
                self.process(alternate, inking, Role::Area)?
            }
        };
        let paper = if full.components.len() == 4 { 0.0 } else { 1.0 };
        let function = dictionary([
            ("FunctionType", Object::Integer(2)),
            ("Domain", numbers([0.0, 1.0])),
            ("C0", numbers(full.components.iter().map(|_| paper))),
            ("C1", numbers(full.components.iter().copied())),
            ("N", Object::Integer(1)),
        ]);
        // PDF/X wants the alternate itself where it is a device space, not a way to it.
        let alternate = if inking.condition().is_some() && full.components.len() == 4 {
            name("DeviceCMYK")
        } else {
            Object::Reference(full.space)
        };
        objects.add(&Object::Array(vec![
            name("Separation"),
            name(plate),
            alternate,
            Object::Dictionary(function),
        ]))
    }

    fn process(&self, color: Color, inking: Inking<'_>, role: Role) -> Result<Painted, Violation> {
        Ok(match inking.inks(color, role)? {
            Some(inks) => Painted { space: self.cmyk, components: inks.map(unit).to_vec() },
            None => Painted { space: self.srgb, components: color.to_srgb().map(unit).to_vec() },
        })
    }
}

/// A component within 0 to 1, to a millionth.
fn unit(value: f32) -> f64 {
    libm::round(f64::from(value.clamp(0.0, 1.0)) * 1e6) / 1e6
}

/// `[/ICCBased stream]`.
pub(super) fn icc_based(stream: ObjectId) -> Object {
    Object::Array(vec![name("ICCBased"), Object::Reference(stream)])
}

/// Writes an ICC profile with so many components.
pub(super) fn icc_stream<W: Write>(
    objects: &mut Objects<W>,
    profile: &[u8],
    components: u8,
) -> Result<ObjectId, Violation> {
    let alternate = match components {
        1 => "DeviceGray",
        4 => "DeviceCMYK",
        _ => "DeviceRGB",
    };
    let entries = dictionary([("N", Object::Integer(i64::from(components))), ("Alternate", name(alternate))]);
    objects.add_deflated(entries, profile)
}

/// The sRGB profile, the same bytes every time: its creation date and identity are blank.
fn srgb_profile(standard: Standard) -> Result<Vec<u8>, Violation> {
    let mut profile = lcms2::Profile::new_srgb();
    match standard {
        Standard::Plain => {}
        // PDF 1.6 knows no newer profiles than version 4.1, PDF 1.4 than 2; every RIP reads version 2.
        Standard::X1a | Standard::X3 | Standard::X4 => profile.set_version(2.1),
    }
    let mut bytes = profile.icc().map_err(|_| {
        Violation::new(Code::InternalError, "the sRGB profile could not be made; please report it")
    })?;
    for range in [24..36, 84..100] {
        if let Some(field) = bytes.get_mut(range) {
            field.fill(0);
        }
    }
    Ok(bytes)
}
