//! How a document is printed: the standard it keeps, its printing condition, its plates, its marks.

use crate::catalog::print::{
    BlackType, ColorSettings, Laid, MarkSettings, RgbObjects, SpotInk, Standard, Step,
};
use crate::catalog::{Profile, Space};
use crate::color::Press;
use crate::error::{Code, Violation};
use crate::scene::{BlendSpace, Color, Ink};
use kurbo::BezPath;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the printer needs to know beside the art. The default is a plain sRGB document.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PrintRules {
    /// What the file promises to be.
    pub standard: Standard,
    /// The printing condition, of surfaces that are blended in process inks.
    pub condition: Option<Condition>,
    /// How plates are laid down, by their exact names. Plates that are not named here are painted
    /// where the art has them.
    pub plates: BTreeMap<Arc<str>, Plate>,
    /// Marks outside the bleed.
    pub marks: MarkSettings,
    /// The slug line of every page, as outlines in mm from its top left corner; y down.
    pub slugs: Vec<BezPath>,
}

/// A printing condition and what becomes of colours in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// Its transforms and its ICC profile.
    pub press: Arc<Press>,
    /// The profile's settings.
    pub settings: ColorSettings,
}

/// How a plate is laid down.
#[derive(Debug, Clone, PartialEq)]
pub struct Plate {
    /// How it meets what lies beneath.
    pub laid: Laid,
    /// When it is painted, of the plates that are painted after all art.
    pub turn: Option<u16>,
    /// What is done with it.
    pub step: Option<Step>,
    /// How the full ink looks where it has no plate.
    pub alternate: Color,
}

impl PrintRules {
    /// The rules of a render profile. `press` is its printing condition.
    ///
    /// # Errors
    /// `template.invalid` when the profile names a condition and there is no press.
    pub fn of(profile: &Profile, press: Option<&Arc<Press>>) -> Result<Self, Violation> {
        let condition = match (profile.color.space, press) {
            (Space::Srgb, _) => None,
            (Space::Cmyk, Some(press)) => {
                Some(Condition { press: press.clone(), settings: profile.color.clone() })
            }
            (Space::Cmyk, None) => {
                let detail = "this profile's printing condition was not loaded; name one in `[color]`";
                return Err(Violation::new(Code::TemplateInvalid, detail));
            }
        };
        let plate = |spot: &SpotInk| {
            let alternate = spot.alternate.ink(profile).and_then(|ink| match ink {
                Ink::Process(color) => Some(color),
                Ink::Spot { .. } => None,
            });
            let alternate = alternate.ok_or_else(|| {
                Violation::new(Code::TemplateInvalid, "a spot ink's alternate is a process colour")
            })?;
            let rule = Plate { laid: spot.laid, turn: spot.turn(), step: spot.step, alternate };
            Ok((Arc::from(spot.plate.as_str()), rule))
        };
        Ok(PrintRules {
            standard: profile.pdf.standard,
            condition,
            plates: profile.spots.values().map(plate).collect::<Result<_, Violation>>()?,
            marks: profile.marks.clone(),
            slugs: Vec::new(),
        })
    }

    /// The plates that are painted after all art, in their order.
    pub(crate) fn lifted(&self) -> Vec<(&Arc<str>, &Plate)> {
        let mut lifted: Vec<_> = self.plates.iter().filter(|(_, plate)| plate.turn.is_some()).collect();
        lifted.sort_by_key(|(name, plate)| (plate.turn, (*name).clone()));
        lifted
    }
}

/// What an object is, where black is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Type and codes.
    Type,
    /// A line of other vector art, no wider than [`THIN_LINE`].
    Line,
    /// Other vector art.
    Area,
    /// Part of a gradient, where no colour is set apart.
    Blend,
}

/// Up to this width (mm; 1 pt) a line in several inks shows their edges beside it, since no press
/// lays its plates closer than about 0.1 mm. Lines of 1 pt are common: a hundredth of it keeps them
/// clear of what arithmetic leaves.
const THIN_LINE: f64 = 25.4 / 72.0 * 1.01;

impl Role {
    /// The role of a stroke of so many mm on the surface, within art of this role. In a pattern, the
    /// largest of its prints counts for all.
    pub(crate) fn of_stroke(self, width: f64) -> Role {
        match self {
            Role::Area if width <= THIN_LINE => Role::Line,
            Role::Type | Role::Line | Role::Area | Role::Blend => self,
        }
    }
}

/// How process colours are printed on a page.
#[derive(Clone, Copy)]
pub(crate) struct Inking<'a> {
    /// The document's rules.
    pub(crate) rules: &'a PrintRules,
    /// Where the page's transparency is blended.
    pub(crate) blend: BlendSpace,
}

impl<'a> Inking<'a> {
    /// The condition of a page that is blended in process inks.
    pub(crate) fn condition(&self) -> Option<&'a Condition> {
        match self.blend {
            BlendSpace::Srgb => None,
            BlendSpace::Process => self.rules.condition.as_ref(),
        }
    }

    /// The press that sRGB objects are converted by, where they are.
    pub(crate) fn converter(&self) -> Option<&'a Condition> {
        self.condition().filter(|condition| condition.settings.rgb == RgbObjects::Convert)
    }

    /// The inks of a vector colour; `None` where it stays sRGB.
    ///
    /// # Errors
    /// `template.invalid` for exact inks over the profile's limit.
    pub(crate) fn inks(&self, color: Color, role: Role) -> Result<Option<[f32; 4]>, Violation> {
        if self.blend == BlendSpace::Srgb {
            return Ok(None);
        }
        let Some(condition) = self.condition() else {
            return Ok(match color {
                Color::Cmyk(inks) => Some(inks),
                Color::Srgb(_) | Color::Grey(_) => None,
            });
        };
        let settings = &condition.settings;
        if let Color::Cmyk(inks) = color {
            return match settings.ink_limit {
                Some(limit) if inks.iter().sum::<f32>() * 100.0 > limit + 0.5 => Err(Violation::new(
                    Code::TemplateInvalid,
                    format!(
                        "a colour has {:.0} % ink, over the profile's limit of {limit} %: give it less",
                        inks.iter().sum::<f32>() * 100.0
                    ),
                )),
                Some(_) | None => Ok(Some(inks)),
            };
        }
        if is_black(color) {
            let alone = settings.black_type == BlackType::K;
            match (role, settings.rich_black) {
                (Role::Type | Role::Line, _) if alone => return Ok(Some([0.0, 0.0, 0.0, 1.0])),
                (Role::Area | Role::Line, Some(rich)) => return Ok(Some(rich)),
                (Role::Type | Role::Area | Role::Line | Role::Blend, _) => {}
            }
        }
        Ok(match settings.rgb {
            RgbObjects::Convert => Some(condition.converted(color.to_srgb())),
            RgbObjects::Tagged => None,
        })
    }

    /// The inks of a vector colour where nothing stays sRGB: tagged colours as the condition's own
    /// transform prints them, without the profile's limit, which is the print shop's then.
    ///
    /// # Errors
    /// As [`Inking::inks`]; `internal.error` without a printing condition.
    pub(crate) fn printed(&self, color: Color, role: Role) -> Result<[f32; 4], Violation> {
        match self.inks(color, role)? {
            Some(inks) => Ok(inks),
            None => Ok(self.needed()?.press.inks(color.to_srgb())),
        }
    }

    /// The inks of 8-bit sRGB pixels, tagged ones included, as [`Inking::printed`].
    ///
    /// # Errors
    /// `template.invalid` when the condition's table cannot be computed.
    pub(crate) fn pixels_8(&self, rgb: &[[u8; 3]]) -> Result<Vec<[u8; 4]>, Violation> {
        match self.converter() {
            Some(condition) => condition.pixels_8(rgb),
            None => self.needed()?.press.inks_8(rgb),
        }
    }

    /// As [`Inking::pixels_8`], with 16 bits.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn pixels_16(&self, rgb: &[[u16; 3]]) -> Result<Vec<[u16; 4]>, Violation> {
        match self.converter() {
            Some(condition) => condition.pixels_16(rgb),
            None => self.needed()?.press.inks_16(rgb),
        }
    }

    fn needed(&self) -> Result<&'a Condition, Violation> {
        self.condition().ok_or_else(|| {
            Violation::new(
                Code::InternalError,
                "plates were asked of a page without a press; please report it",
            )
        })
    }

    /// Process inks of the very condition, or of none that is named, are printed as they are. `icc`
    /// is the picture's own profile.
    pub(crate) fn keeps(&self, icc: Option<&[u8]>) -> bool {
        self.condition().is_some_and(|condition| icc.is_none_or(|icc| *icc == **condition.press.icc()))
    }

    /// Opaque black type that overprints: nothing else of it would be lost but its misregistration.
    pub(crate) fn overprints(&self, ink: &Ink, role: Role) -> bool {
        let k = |condition: &Condition| condition.settings.black_type == BlackType::K;
        let white = || self.rules.plates.values().any(|plate| plate.step == Some(Step::White));
        role == Role::Type
            && matches!(ink, Ink::Process(color) if is_black(*color))
            && self.condition().is_some_and(k)
            && !white()
    }
}

impl Condition {
    /// sRGB in the press's inks, within the profile's limit.
    pub(crate) fn converted(&self, srgb: [f32; 3]) -> [f32; 4] {
        limited(self.press.inks(srgb), self.settings.ink_limit)
    }

    /// 8-bit sRGB pixels in the press's inks, within the profile's limit.
    pub(crate) fn pixels_8(&self, rgb: &[[u8; 3]]) -> Result<Vec<[u8; 4]>, Violation> {
        let mut inks = self.press.inks_8(rgb)?;
        if let Some(limit) = self.settings.ink_limit {
            keep_within(&mut inks, (limit * 2.55) as u32, u32::from, |v| v as u8);
        }
        Ok(inks)
    }

    /// 16-bit sRGB pixels in the press's inks, within the profile's limit.
    pub(crate) fn pixels_16(&self, rgb: &[[u16; 3]]) -> Result<Vec<[u16; 4]>, Violation> {
        let mut inks = self.press.inks_16(rgb)?;
        if let Some(limit) = self.settings.ink_limit {
            keep_within(&mut inks, (limit * 655.35) as u32, u32::from, |v| v as u16);
        }
        Ok(inks)
    }
}

/// As [`limited`], in whole numbers.
fn keep_within<T: Copy>(inks: &mut [[T; 4]], most: u32, wide: fn(T) -> u32, back: fn(u64) -> T) {
    for pixel in inks {
        let [c, m, y, k] = pixel.map(wide);
        let (colour, room) = (c + m + y, most.saturating_sub(k));
        if colour > room && colour > 0 {
            let less = |ink: u32| back(u64::from(ink) * u64::from(room) / u64::from(colour));
            *pixel = [less(c), less(m), less(y), pixel[3]];
        }
    }
}

/// Colour gives way to black until the sum is within the limit (in per cent).
fn limited([c, m, y, k]: [f32; 4], limit: Option<f32>) -> [f32; 4] {
    let Some(limit) = limit else { return [c, m, y, k] };
    let (colour, room) = (c + m + y, (limit / 100.0 - k).max(0.0));
    if colour <= room {
        return [c, m, y, k];
    }
    let part = room / colour;
    [c * part, m * part, y * part, k]
}

/// Neutral black: nothing of any component.
fn is_black(color: Color) -> bool {
    const NEAR: f32 = 0.5 / 255.0;
    match color {
        Color::Srgb(rgb) => rgb.iter().all(|v| *v <= NEAR),
        Color::Grey(grey) => grey <= NEAR,
        Color::Cmyk(inks) => inks == [0.0, 0.0, 0.0, 1.0],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_keep_the_limit() {
        let icc: &[u8] = include_bytes!("../../render-profiles/icc/FOGRA39L.icc");
        let press = Arc::new(Press::open(icc.into(), Default::default(), true).unwrap());
        let settings = |limit| ColorSettings {
            space: Space::Cmyk,
            condition: None,
            registered: None,
            intent: Default::default(),
            black_point_compensation: true,
            rgb: RgbObjects::Convert,
            ink_limit: limit,
            black_type: BlackType::K,
            rich_black: None,
        };
        let inks = |limit, rgb: &[u8]| {
            let condition = Condition { press: press.clone(), settings: settings(limit) };
            condition
                .pixels_8(rgb.as_chunks().0)
                .unwrap()
                .as_flattened()
                .iter()
                .map(|v| u32::from(*v))
                .collect::<Vec<_>>()
        };
        let (dark, light) = ([0u8; 3], [230u8, 200, 190]);
        assert!(inks(None, &dark).iter().sum::<u32>() > 560, "the press prints black with much ink");
        let kept = inks(Some(200.0), &dark);
        assert!((505..=510).contains(&kept.iter().sum::<u32>()), "{kept:?}");
        assert_eq!(kept[3], inks(None, &dark)[3], "black stays");
        assert_eq!(inks(Some(200.0), &light), inks(None, &light));
    }

    #[test]
    fn colour_gives_way_to_black_at_the_limit() {
        assert_eq!(limited([0.5, 0.5, 0.5, 1.0], Some(300.0)), [0.5, 0.5, 0.5, 1.0]);
        let less = limited([1.0, 1.0, 0.5, 0.5], Some(200.0));
        assert!((less.iter().sum::<f32>() - 2.0).abs() < 1e-5 && less[3] == 0.5, "{less:?}");
        assert!(is_black(Color::BLACK) && is_black(Color::Grey(0.0)) && !is_black(Color::rgb8(1, 0, 0)));
        assert!(!is_black(Color::Cmyk([0.1, 0.0, 0.0, 1.0])));
    }
}
