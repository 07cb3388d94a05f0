//! Marks: everything that a page prints, one after the other, held against the output intent
//! and the house's limits.

use super::content::Mode;
use super::context::Context;
use super::report::Boxes;
use super::rule::Rule;
use super::space::Space;
use super::state::{Blend, Ink, State};
use crate::order::event::Verdict;
use kurbo::Rect;

/// White marks of one page that later marks are held against.
const WHITES: usize = 10_000;

/// What is painted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Fill,
    /// Width in units of the page.
    Stroke {
        width: f64,
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
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub(crate) kind: Kind,
    /// What is seen of it, on the page.
    pub(crate) bounds: Rect,
    pub(crate) ink: Ink,
    pub(crate) overprint: bool,
    pub(crate) alpha: f64,
    /// A line's pieces, where its bounds say too little; else empty.
    pub(crate) pieces: Vec<Rect>,
}

/// What a page's marks have shown so far.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// Something other than paper white is printed.
    pub(crate) printed: bool,
    /// Something is mixed with what lies beneath.
    pub(crate) transparent: bool,
    whites: Vec<Rect>,
}

impl<R> Context<'_, R> {
    fn find(&mut self, rule: Rule, area: Rect, mode: Mode, detail: String) {
        self.find_as(rule, area, mode, detail, self.findings.wish.verdict(rule));
    }

    /// A finding in its place; in tiles and glyphs the place is unknown.
    fn find_as(&mut self, rule: Rule, area: Rect, mode: Mode, detail: String, verdict: Verdict) {
        let place = self.boxes.filter(|_| !mode.repeated).map(|boxes| boxes.place(area));
        self.findings.add(rule, self.page, place, detail, verdict);
    }

    /// Holds a mark against everything.
    pub(crate) fn mark(&mut self, mark: Mark, state: &State, mode: Mode) {
        if mode.masking || mark.alpha <= 0.0 {
            return;
        }
        self.marks.transparent |= state.is_transparent(mark.alpha);
        self.marks.printed |= !is_paper(&mark);
        let place = (!mode.repeated).then_some(mark.bounds);
        self.check_space(&mark.ink.space.clone(), place);
        let spots = mark.ink.space.spots();
        let inked = mark.ink.values.is_empty() || mark.ink.values.iter().any(|tint| *tint > 0.0);
        if inked {
            self.plates.extend(spots.iter().map(|name| (*name).to_owned()));
        }
        self.check_white(&mark, state, mode);
        self.check_ink(&mark, mode);
        let unit = self.boxes.map_or(1.0, |boxes| boxes.unit);
        self.check_size(&mark, unit, mode);
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

    fn check_white(&mut self, mark: &Mark, state: &State, mode: Mode) {
        let wish = self.findings.wish;
        if wish.white.is_empty() {
            return;
        }
        let spots = mark.ink.space.spots();
        if spots.iter().any(|name| wish.white.iter().any(|white| white == name)) {
            let multiplied = state.blend == Blend::Multiply || state.multiplied;
            if mark.overprint && multiplied {
                let detail = "White ink both overprints and multiplies, and presses differ in what they make of that; use one of the two.";
                self.find(Rule::WhiteBoth, mark.bounds, mode, detail.into());
            }
            if !mark.overprint && !multiplied {
                let detail = "White ink neither overprints nor multiplies, so it erases the colours it lies on; let it overprint.";
                self.find(Rule::WhiteKnockout, mark.bounds, mode, detail.into());
            }
            if self.marks.whites.len() < WHITES {
                self.marks.whites.push(mark.bounds);
            }
            return;
        }
        // Cut lines and varnishes may follow; colours may not.
        let technical = matches!(&*mark.ink.space, Space::Inks { .. });
        let meets = |a: &Rect, b: &Rect| a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1;
        let covers = |white: &Rect| {
            let apart = !mark.pieces.is_empty() && !mark.pieces.iter().any(|piece| meets(white, piece));
            meets(white, &mark.bounds) && !apart
        };
        if !technical && !mode.repeated && self.marks.whites.iter().any(covers) {
            let detail = "Colour is painted after the white ink that it lies on, which erases the white; paint white last.";
            self.find(Rule::WhiteOrder, mark.bounds, mode, detail.into());
        }
    }

    fn check_ink(&mut self, mark: &Mark, mode: Mode) {
        let Some(limit) = self.findings.wish.ink_limit else { return };
        // Only colours that are declared; pictures are measured on rendered plates.
        if matches!(mark.kind, Kind::Image { stencil: false, .. } | Kind::Shading) {
            return;
        }
        let inks = match &*mark.ink.space {
            Space::Cmyk | Space::Inks { .. } => {
                mark.ink.values.iter().fold(0.0, |sum, v| sum + v.clamp(0.0, 1.0)) * 100.0
            }
            Space::Gray | Space::Rgb | Space::Defined { .. } | Space::Indexed(_) | Space::Pattern(_) => {
                return;
            }
        };
        if inks > limit + 1e-6 {
            let detail = format!(
                "A colour asks for {inks:.0} % of ink, and the paper takes {limit:.0} %; make it lighter."
            );
            self.find(Rule::InkLimit, mark.bounds, mode, detail);
        }
    }

    fn check_size(&mut self, mark: &Mark, unit: f64, mode: Mode) {
        let wish = self.findings.wish;
        match mark.kind {
            Kind::Stroke { width } => {
                let width = width * unit;
                if let Some(least) = wish.line_min.filter(|least| width + 1e-6 < *least) {
                    let detail = format!(
                        "A line is {width:.3} pt wide, and the press holds {least} pt; make it wider."
                    );
                    self.find(Rule::LineThin, mark.bounds, mode, detail);
                }
            }
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
            Kind::Fill | Kind::Shading => {}
        }
    }

    /// Nothing ends between the safe zone and the trim: it is inside, or it bleeds.
    fn check_safe(&mut self, mark: &Mark, boxes: &Boxes, mode: Mode) {
        let Some(safe) = self.findings.wish.safe_zone else { return };
        let inset = boxes.units(safe);
        let slack = boxes.units(0.05);
        let (trim, b) = (boxes.trim, mark.bounds);
        // Marks beyond the trim are cut off, as a slug is.
        if b.x1 < trim.x0 || b.x0 > trim.x1 || b.y1 < trim.y0 || b.y0 > trim.y1 || is_paper(mark) {
            return;
        }
        let text = matches!(mark.kind, Kind::Text { .. });
        // How far each side lies within the trim.
        let sides = [b.x0 - trim.x0, trim.x1 - b.x1, b.y0 - trim.y0, trim.y1 - b.y1];
        let intrudes = |inside: f64| inside < inset - slack && (text || inside > slack);
        if sides.into_iter().any(intrudes) {
            let detail = format!(
                "Something comes nearer to the edge than {safe} mm, where the knife may cut it; move it inwards, or let it bleed."
            );
            self.find(Rule::SafeZone, b, mode, detail);
        }
    }
}

/// True for white paper in disguise: paint that prints nothing.
fn is_paper(mark: &Mark) -> bool {
    if matches!(mark.kind, Kind::Image { stencil: false, .. } | Kind::Shading) {
        return false;
    }
    let all = |value: f64| mark.ink.values.iter().all(|v| *v == value);
    match &*mark.ink.space {
        Space::Gray | Space::Rgb | Space::Defined { components: 1 | 3 } => all(1.0),
        Space::Cmyk | Space::Defined { .. } | Space::Inks { .. } => all(0.0),
        Space::Indexed(_) | Space::Pattern(_) => false,
    }
}
