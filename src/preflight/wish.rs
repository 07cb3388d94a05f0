//! What a file is held to: the standard, and the house's limits.

use super::rule::Rule;
use crate::catalog::Profile;
use crate::catalog::preflight::Level;
use crate::catalog::print::{Laid, SpotInk, Standard, Step};
use crate::order::event::Verdict;
use std::collections::BTreeMap;

/// What a file is held to. Lengths in mm, line widths and type in points, ink in per cent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Wish {
    /// The standard.
    pub standard: Standard,
    /// Pictures under so many pixels per inch are listed.
    pub dpi_warn: Option<f64>,
    /// Pictures under so many pixels per inch get `dpi_verdict`.
    pub dpi_fail: Option<f64>,
    /// What becomes of pictures under `dpi_fail`.
    pub dpi_verdict: Option<Verdict>,
    /// Pictures over so many pixels per inch are listed.
    pub dpi_most: Option<f64>,
    /// The least bleed on every side.
    pub bleed: Option<f64>,
    /// Paint has to reach the edge of the bleed.
    pub bleed_painted: bool,
    /// Nothing but the background comes nearer to the trim than this.
    pub safe_zone: Option<f64>,
    /// A page with nothing on it is a finding.
    pub blank: bool,
    /// All pages have one trim size.
    pub same_size: bool,
    /// Fewest pages.
    pub pages_min: Option<u32>,
    /// Most pages.
    pub pages_max: Option<u32>,
    /// The number of pages is a multiple of this.
    pub pages_multiple: Option<u32>,
    /// Trim size.
    pub trim: Option<[f64; 2]>,
    /// One cover's width and the spine's: the trim is twice the first and once the second.
    pub spine: Option<[f64; 2]>,
    /// The thinnest line.
    pub line_min: Option<f64>,
    /// The smallest type.
    pub type_min: Option<f64>,
    /// The only spot inks; `None` leaves them alone.
    pub plates: Option<Vec<String>>,
    /// Spot inks that have to be used.
    pub plates_required: Vec<String>,
    /// Spot inks that are opaque white.
    pub white: Vec<String>,
    /// Spot inks that a knife follows: they may run where nothing else may.
    pub technical: Vec<String>,
    /// Spot inks that are cut or perforated along: they are thin lines, and nothing else.
    pub lines: Vec<String>,
    /// How spot inks meet what lies beneath.
    pub laid: BTreeMap<String, Laid>,
    /// Group and type of spot inks' processing steps.
    pub steps: BTreeMap<String, (String, Option<String>)>,
    /// The most ink.
    pub ink_limit: Option<f64>,
    /// Verdicts that differ from a rule's own.
    pub verdicts: BTreeMap<Rule, Verdict>,
}

impl Wish {
    /// What a profile asks of its files.
    pub fn of(profile: &Profile) -> Self {
        let own = &profile.preflight;
        let white = profile.spots.values().filter(|spot| spot.step == Some(Step::White));
        let plates: Vec<String> = profile.spots.values().map(|spot| spot.plate.clone()).collect();
        let verdicts =
            own.verdicts.iter().filter_map(|(code, level)| Some((Rule::from_code(code)?, level.verdict())));
        Wish {
            standard: profile.pdf.standard,
            // Pictures are weighed when they are placed; this is what the file made of them.
            dpi_warn: own.dpi_warn,
            dpi_fail: own.dpi_fail,
            dpi_verdict: Some(profile.policy.low_resolution.into()),
            dpi_most: own.dpi_most,
            bleed: own.bleed,
            bleed_painted: own.bleed_painted,
            safe_zone: own.safe_zone,
            blank: own.blank,
            same_size: own.same_size,
            pages_min: own.pages_min,
            pages_max: own.pages_max,
            pages_multiple: own.pages_multiple,
            trim: own.trim,
            spine: own.spine,
            line_min: own.line_min,
            type_min: own.type_min,
            plates: if own.any_plate { None } else { Some(plates) },
            plates_required: own.plates_required.clone(),
            white: white.map(|spot| spot.plate.clone()).collect(),
            technical: profile.spots.values().filter(|spot| cuts(spot)).map(|s| s.plate.clone()).collect(),
            lines: profile.spots.values().filter(|spot| is_line(spot)).map(|s| s.plate.clone()).collect(),
            laid: profile.spots.values().map(|spot| (spot.plate.clone(), spot.laid)).collect(),
            steps: profile.spots.values().filter_map(step).collect(),
            ink_limit: profile.color.ink_limit.map(f64::from),
            verdicts: verdicts.collect(),
        }
    }

    /// What a rule's finding does to the job; [`Verdict::Pass`] when nobody wants to hear of it.
    pub fn verdict(&self, rule: Rule) -> Verdict {
        self.verdicts.get(&rule).copied().unwrap_or_else(|| rule.verdict())
    }
}

/// A plate with the group and the type of its processing step.
fn step(spot: &SpotInk) -> Option<(String, (String, Option<String>))> {
    let (group, kind) = spot.step?.metadata();
    Some((spot.plate.clone(), (group.to_owned(), kind.map(str::to_owned))))
}

/// True for a plate that says where to cut or fold, not what to print.
fn cuts(spot: &SpotInk) -> bool {
    match spot.step {
        Some(Step::Cutting | Step::PartialCutting | Step::Perforating | Step::Creasing | Step::Drilling) => {
            true
        }
        Some(
            Step::FoilStamping
            | Step::ColdFoilStamping
            | Step::Embossing
            | Step::Debossing
            | Step::White
            | Step::Varnish,
        )
        | None => false,
    }
}

/// True for a plate whose lines are cut or perforated along.
fn is_line(spot: &SpotInk) -> bool {
    matches!(spot.step, Some(Step::Cutting | Step::PartialCutting | Step::Perforating))
}

impl Level {
    fn verdict(self) -> Verdict {
        match self {
            Level::Ignore => Verdict::Pass,
            Level::Warn => Verdict::Warn,
            Level::Hold => Verdict::Hold,
            Level::Fail => Verdict::Fail,
        }
    }
}

impl From<crate::catalog::Action> for Verdict {
    fn from(action: crate::catalog::Action) -> Self {
        use crate::catalog::Action;
        match action {
            Action::Warn => Verdict::Warn,
            Action::Hold => Verdict::Hold,
            Action::Fail => Verdict::Fail,
        }
    }
}
