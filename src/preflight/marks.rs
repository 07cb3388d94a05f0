//! Marks: everything that a page prints, one after the other, held against the output intent
//! and the house's limits.

use super::content::Mode;
use super::context::Context;
use super::expected::Expected;
use super::ink::PictureInk;
use super::report::Boxes;
use super::rule::Rule;
use super::space::Space;
use super::state::{Ink, State};
use super::white::Tints;
use crate::order::event::Verdict;
use kurbo::{BezPath, Rect};
use std::collections::BTreeSet;

/// Marks near the trim that are kept until the page is read.
const INTRUDERS: usize = 5_000;

/// What is painted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Fill,
    /// Width in units of the page, on the whole and where it is thinnest.
    Stroke {
        width: f64,
        thin: f64,
    },
    /// Size in units of the page.
    Text {
        size: f64,
    },
    Image {
        pixels: [u32; 2],
        dpi: f64,
        stencil: bool,
    },
    Shading,
}

/// One thing that is painted.
#[derive(Clone)]
pub(crate) struct Mark<'p> {
    pub(crate) kind: Kind,
    /// Where it is painted, on the page: an area, or the middle of a line.
    pub(crate) outline: &'p BezPath,
    pub(crate) even_odd: bool,
    /// What is seen of it, on the page.
    pub(crate) bounds: Rect,
    pub(crate) ink: Ink,
    pub(crate) overprint: bool,
    pub(crate) alpha: f64,
    /// The tints of a picture in white ink.
    pub(crate) tints: Option<&'p Tints>,
    /// What a picture asks of ink.
    pub(crate) load: Option<PictureInk>,
    /// A picture that is white all over, or clear.
    pub(crate) paper: bool,
    /// White that lies on something inked, so that it is seen.
    pub(crate) reversed: bool,
}

impl Mark<'_> {
    /// True for white paint that nobody sees, for paper is all that it lies on.
    pub(crate) fn is_bare(&self) -> bool {
        is_paper(self) && !self.reversed
    }

    /// True for what lands on every plate, as register marks do.
    pub(crate) fn is_registration(&self) -> bool {
        matches!(&*self.ink.space, Space::Inks { names, .. } if *names == ["All"])
    }

    /// A line's width in units of the page; `None` of areas.
    pub(crate) fn width(&self) -> Option<f64> {
        match self.kind {
            Kind::Stroke { width, .. } => Some(width),
            Kind::Fill | Kind::Text { .. } | Kind::Image { .. } | Kind::Shading => None,
        }
    }
}

/// What a page's marks have shown so far.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// Something other than paper white is printed within the trim.
    pub(crate) printed: bool,
    /// Something is painted on a layer that presses leave out.
    pub(crate) hidden: bool,
    /// Where a picture in process inks lies, if nothing but pictures of plates came after it.
    pub(crate) flattened: Option<Rect>,
    /// Plates without their processing step that were named.
    pub(crate) stepless: BTreeSet<String>,
    /// Something is mixed with what lies beneath.
    pub(crate) transparent: bool,
    /// Pictures whose masks were looked at cell by cell.
    pub(crate) parted: u32,
    /// Spot inks of which something is seen on the page.
    pub(crate) plates: BTreeSet<String>,
    /// Type and codes of a job that were found to lie too near to the edge, on the page.
    pub(crate) told: Vec<Rect>,
    /// Colours that run off the trim.
    bleeding: BTreeSet<Vec<i32>>,
    /// What ends between the safe zone and the trim.
    intruders: Vec<Intruder>,
}

/// Something that ends between the safe zone and the trim.
#[derive(Debug)]
struct Intruder {
    bounds: Rect,
    /// How far inside it should be, in mm.
    safe: f64,
    /// Its colour, where another mark of that colour excuses it.
    colour: Option<Vec<i32>>,
    mode: Mode,
}

impl<'a, R> Context<'a, R> {
    pub(crate) fn find(&mut self, rule: Rule, area: Rect, mode: Mode, detail: String) {
        self.find_as(rule, area, mode, detail, self.findings.wish.verdict(rule));
    }

    /// A finding in its place; in tiles and glyphs the place is unknown.
    pub(crate) fn find_as(&mut self, rule: Rule, area: Rect, mode: Mode, detail: String, verdict: Verdict) {
        let place = self.boxes.filter(|_| !mode.repeated).map(|boxes| boxes.place(area));
        self.findings.add(rule, self.page, place, detail, verdict);
    }

    /// Holds a mark against everything.
    pub(crate) fn mark(&mut self, mark: Mark<'_>, state: &State, mode: Mode) {
        if mode.masking || mark.alpha <= 0.0 {
            return;
        }
        self.marks.transparent |= state.is_transparent(mark.alpha);
        if mode.hidden {
            self.hidden_mark(&mark, mode);
            return;
        }
        self.count_printed(&mark, mode);
        self.note_flattened(&mark);
        let spots = mark.ink.laid_in().spots();
        let inked = mark.ink.values.is_empty() || mark.ink.values.iter().any(|tint| *tint > 0.0);
        if inked {
            self.plates.extend(spots.iter().map(|name| (*name).to_owned()));
            self.note_plates(&mark, mode);
            self.check_plate(&mark, state, mode);
            self.check_cut(&mark, mode);
        }
        self.check_lost(&mark, state, mode);
        self.check_registration(&mark, mode);
        self.check_white(&mark, state, mode);
        self.check_ink(&mark, mode);
        let unit = self.boxes.map_or(1.0, |boxes| boxes.unit);
        self.check_size(&mark, unit, mode);
        let technical = self.is_technical(&mark) || mark.is_bare();
        if let (Kind::Fill, Some(colour), false) = (mark.kind, colour(&mark), technical) {
            self.collect_outlines(&mark, colour, mode);
        }
        if let (Some(boxes), false) = (self.boxes, mode.repeated) {
            self.check_safe(&mark, &boxes, mode);
        }
    }

    /// Device colours have to be those of the output intent.
    pub(crate) fn check_space(&mut self, space: &Space, area: Option<Rect>) {
        self.check_inks_only(space, area);
        let Some(intent) = self.intent else { return };
        let place = area.zip(self.boxes).map(|(area, boxes)| boxes.place(area));
        let (rgb, cmyk) = space.devices();
        if rgb && intent != 3 {
            let detail = "DeviceRGB is used though the output is no RGB; use an ICC-based RGB or the inks of the press.";
            self.findings.add(
                Rule::ColorRgb,
                self.page,
                place,
                detail.into(),
                self.findings.wish.verdict(Rule::ColorRgb),
            );
        }
        if cmyk && intent != 4 {
            let detail = "DeviceCMYK is used though the output is no CMYK; use an ICC-based CMYK or the colours of the output.";
            self.findings.add(
                Rule::ColorCmyk,
                self.page,
                place,
                detail.into(),
                self.findings.wish.verdict(Rule::ColorCmyk),
            );
        }
    }

    fn check_size(&mut self, mark: &Mark<'_>, unit: f64, mode: Mode) {
        let wish = self.findings.wish;
        match mark.kind {
            Kind::Stroke { thin, .. } => self.check_line(mark, thin * unit, mode),
            Kind::Text { size } => {
                let size = size * unit;
                if let Some(least) = wish.type_min.filter(|least| size + 1e-6 < *least) {
                    let detail = format!(
                        "Type of {size:.1} pt is used, and the press holds {least} pt; set it larger."
                    );
                    self.find(Rule::TypeSmall, mark.bounds, mode, detail);
                }
            }
            Kind::Image { pixels: [width, height], dpi, .. } => {
                let about = |limit: f64, what: &str| {
                    format!(
                        "A picture of {width} × {height} pixels is printed at {dpi:.0} dpi, and {what} {limit:.0}."
                    )
                };
                if let Some(limit) = wish.dpi_fail.filter(|limit| dpi + 0.5 < *limit) {
                    let verdict = wish.verdicts.get(&Rule::ImageLow).copied().or(wish.dpi_verdict);
                    let detail = about(limit, "the profile refuses less than");
                    self.find_as(Rule::ImageLow, mark.bounds, mode, detail, verdict.unwrap_or(Verdict::Fail));
                } else if let Some(limit) = wish.dpi_warn.filter(|limit| dpi + 0.5 < *limit) {
                    let verdict = wish.verdicts.get(&Rule::ImageLow).copied().unwrap_or(Verdict::Warn);
                    self.find_as(
                        Rule::ImageLow,
                        mark.bounds,
                        mode,
                        about(limit, "the profile wants"),
                        verdict,
                    );
                }
                // One pixel that is stretched over an area is a plain colour.
                if let Some(limit) = wish.dpi_most.filter(|limit| dpi - 0.5 > *limit && width.min(height) > 1)
                {
                    self.find(Rule::ImageHigh, mark.bounds, mode, about(limit, "more is of no use than"));
                }
            }
            Kind::Fill => {
                if let Some(width) = super::paths::bar(mark.outline) {
                    self.check_line(mark, width * unit, mode);
                }
            }
            Kind::Shading => {}
        }
    }

    /// A line, or a bar that stands for one, is as thick as the press can hold.
    pub(crate) fn check_line(&mut self, mark: &Mark<'_>, width: f64, mode: Mode) {
        // A knife's path and registration marks are no print, and neither is white on paper.
        if self.is_register_mark(mark, mode) || self.is_technical(mark) || mark.is_bare() {
            return;
        }
        if let Some(least) = self.findings.wish.line_min.filter(|least| width + 1e-6 < *least) {
            let detail =
                format!("A line is {width:.3} pt wide, and the press holds {least} pt; make it wider.");
            self.find(Rule::LineThin, mark.bounds, mode, detail);
        }
    }

    /// True for what a knife follows.
    pub(crate) fn is_technical(&self, mark: &Mark<'_>) -> bool {
        self.findings.wish.technical.iter().any(|plate| mark.ink.laid_in().spots() == [plate])
    }

    /// Nothing ends between the safe zone and the trim: it is inside, or it bleeds.
    fn check_safe(&mut self, mark: &Mark<'_>, boxes: &Boxes, mode: Mode) {
        if self.safe_zone().is_none() {
            return;
        }
        let (trim, b) = (boxes.trim, mark.bounds);
        // Marks beyond the trim are cut off, as a slug is; a knife's path runs where it has to.
        if self.is_technical(mark)
            || b.x1 < trim.x0
            || b.x0 > trim.x1
            || b.y1 < trim.y0
            || b.y0 > trim.y1
            || mark.is_bare()
        {
            return;
        }
        let text = matches!(mark.kind, Kind::Text { .. });
        self.check_near(b, text, colour(mark).filter(|_| !text), mode);
    }

    /// The same of an area, which is type or not; another mark of its colour may excuse it.
    pub(crate) fn check_near(&mut self, b: Rect, text: bool, colour: Option<Vec<i32>>, mode: Mode) {
        let (Some(safe), Some(boxes)) = (self.safe_zone(), self.boxes) else { return };
        let (trim, slack) = (boxes.trim, boxes.units(0.05));
        // How far each side lies within the trim.
        let sides = [b.x0 - trim.x0, trim.x1 - b.x1, b.y0 - trim.y0, trim.y1 - b.y1];
        let intruded = sides.into_iter().zip(safe).find(|(inside, safe)| {
            *safe > 0.0 && *inside < boxes.units(*safe) - slack && (text || *inside > slack)
        });
        match (intruded, colour) {
            (Some((_, safe)), colour) if self.marks.intruders.len() < INTRUDERS => {
                self.marks.intruders.push(Intruder { bounds: b, safe, colour, mode });
            }
            (None, Some(colour)) if sides.into_iter().any(|inside| inside <= slack) => {
                self.marks.bleeding.insert(colour);
            }
            (Some(_), _) | (None, _) => {}
        }
    }

    /// Pieces of a pattern lie everywhere. Where one of a colour runs off the trim, others of that
    /// colour may end near it: they are ground, not a message. Type and pictures never are.
    pub(crate) fn check_intruders(&mut self) {
        for intruder in std::mem::take(&mut self.marks.intruders) {
            if intruder.colour.as_ref().is_some_and(|colour| self.marks.bleeding.contains(colour)) {
                continue;
            }
            if self.marks.told.iter().any(|told| told.union(intruder.bounds) == *told) {
                continue;
            }
            let detail = format!(
                "Something comes nearer to the edge than {} mm, where the knife may cut it; move it inwards, or let it bleed.",
                intruder.safe
            );
            self.find(Rule::SafeZone, intruder.bounds, intruder.mode, detail);
        }
    }

    /// The safe zone of the page being read, in mm: left, right, lower, upper side. The template's,
    /// where a job knows it, or else the profile's.
    pub(crate) fn safe_zone(&self) -> Option<[f64; 4]> {
        let own = self.page.and_then(|page| self.expected(page)).map(|expected| expected.safe);
        match own.filter(|safe| safe.iter().any(|side| *side > 0.0)) {
            Some([left, upper, right, lower]) => Some([left, right, lower, upper]),
            None => self.findings.wish.safe_zone.map(|safe| [safe; 4]),
        }
    }

    /// What a job knows of a page, counted from 0.
    pub(crate) fn expected(&self, page: u32) -> Option<&'a Expected> {
        self.findings.pages.get(page as usize)
    }
}

/// A plain colour, to be known again; `None` of pictures and patterns.
fn colour(mark: &Mark<'_>) -> Option<Vec<i32>> {
    match mark.kind {
        Kind::Fill | Kind::Stroke { .. } | Kind::Text { .. } => {}
        Kind::Image { .. } | Kind::Shading => return None,
    }
    let components = mark.ink.space.components()? as i32;
    let values = mark.ink.values.iter().map(|v| libm::round(v * 1000.0) as i32);
    Some(std::iter::once(components).chain(values).collect())
}

/// True for white paper in disguise: paint that prints nothing.
pub(crate) fn is_paper(mark: &Mark<'_>) -> bool {
    if mark.paper {
        return true;
    }
    if matches!(mark.kind, Kind::Image { stencil: false, .. } | Kind::Shading) {
        return false;
    }
    let all = |value: f64| mark.ink.values.iter().all(|v| *v == value);
    match &*mark.ink.space {
        Space::Gray | Space::Rgb | Space::Defined { components: 1 | 3, .. } => all(1.0),
        Space::Cmyk | Space::Defined { .. } | Space::Inks { .. } => all(0.0),
        Space::Lab => mark.ink.values.first() == Some(&100.0),
        Space::Indexed(..) | Space::Pattern(_) => false,
    }
}
