//! What marks say about a page as a whole and about its plates: what is printed at all, how an ink
//! meets the others, and whether it stands for the processing step that the profile says.

use super::content::Mode;
use super::context::Context;
use super::marks::{Kind, Mark, is_paper};
use super::paths::reaches;
use super::report::Boxes;
use super::rule::Rule;
use super::space::Space;
use super::state::State;
use crate::catalog::print::Laid;
use kurbo::Rect;

/// Points from which a line is too thick for a knife to follow its middle.
const THICK: f64 = 2.0;

impl<R> Context<'_, R> {
    /// What is on a layer that is switched off is no print; it is said once a page.
    pub(crate) fn hidden_mark(&mut self, mark: &Mark<'_>, mode: Mode) {
        if !std::mem::replace(&mut self.marks.hidden, true) {
            let detail = "Something lies on a layer that is switched off, so presses leave it out; switch the layer on, or delete it.";
            self.find(Rule::LayerHidden, mark.bounds, mode, detail.into());
        }
    }

    /// Notes what is printed: marks within the trim that are neither paper, nor a knife's, nor on
    /// every plate. A tile's pieces are counted by what is filled with them.
    pub(crate) fn count_printed(&mut self, mark: &Mark<'_>, mode: Mode) {
        let Some(boxes) = self.boxes.filter(|_| !mode.repeated) else { return };
        if is_paper(mark) || self.is_register_mark(mark, mode) || self.is_technical(mark) {
            return;
        }
        // What only touches the trim is cut off.
        let trim = boxes.trim.inset(-boxes.units(0.01));
        let b = mark.bounds;
        if b.x0 > trim.x1 || b.x1 < trim.x0 || b.y0 > trim.y1 || b.y1 < trim.y0 {
            return;
        }
        self.marks.printed = true;
    }

    /// A page has something on it.
    pub(crate) fn check_printed(&mut self, boxes: &Boxes) {
        let wish = self.findings.wish;
        if wish.blank && !self.marks.printed {
            let detail = "Nothing is printed on this page; leave it out, or find out what is missing.";
            self.find(Rule::PageBlank, boxes.trim, Mode::default(), detail.into());
        }
    }

    /// A spot ink meets the others as the profile says, on a layer of its processing step.
    pub(crate) fn check_plate(&mut self, mark: &Mark<'_>, state: &State, mode: Mode) {
        let wish = self.findings.wish;
        for plate in mark.ink.laid_in().spots() {
            self.check_step(plate, mark.bounds, mode);
        }
        // Several inks at once are one paint; white has rules of its own.
        let Space::Inks { names, .. } = mark.ink.laid_in() else { return };
        let [plate] = names.as_slice() else { return };
        let Some(laid) = wish.laid.get(plate).filter(|_| !wish.white.contains(plate)) else { return };
        let what = match laid {
            Laid::Overprint | Laid::Multiply if !mark.overprint && !state.multiplies() => {
                "erases the colours it lies on, and the profile leaves them; let it overprint"
            }
            // A blend mode is a wish of the design, whatever the ink.
            Laid::Knockout if mark.overprint && !self.is_flattened(mark) => {
                "leaves the colours it lies on, and the profile takes them out; let it knock out"
            }
            Laid::Overprint | Laid::Multiply | Laid::Knockout => return,
        };
        self.find(Rule::PlateLaid, mark.bounds, mode, format!("The spot ink {plate} {what}."));
    }

    /// Remembers a picture in process inks, as long as nothing but plates is laid on it.
    pub(crate) fn note_flattened(&mut self, mark: &Mark<'_>) {
        let picture = matches!(mark.kind, Kind::Image { stencil: false, .. });
        let (process, plate) =
            (matches!(&*mark.ink.space, Space::Cmyk), matches!(&*mark.ink.space, Space::Inks { .. }));
        if picture && process {
            self.marks.flattened = Some(mark.bounds);
        } else if !(picture && plate) {
            self.marks.flattened = None;
        }
    }

    /// A plate's part of what was flattened: a picture over one in process inks of the same area, which
    /// has nothing where the plate knocked it out. Without transparency there is no other way to say so.
    fn is_flattened(&self, mark: &Mark<'_>) -> bool {
        let picture = matches!(mark.kind, Kind::Image { stencil: false, .. });
        let near = |a: Rect, b: Rect| {
            [a.x0 - b.x0, a.y0 - b.y0, a.x1 - b.x1, a.y1 - b.y1].iter().all(|off| off.abs() < 0.01)
        };
        let over = self.marks.flattened.is_some_and(|under| near(under, mark.bounds));
        picture && over && self.findings.wish.standard.is_flat()
    }

    fn check_step(&mut self, plate: &str, area: Rect, mode: Mode) {
        let wish = self.findings.wish;
        // Layers came with PDF 1.5.
        let Some((group, kind)) = wish.steps.get(plate).filter(|_| !wish.standard.is_flat()) else { return };
        let named = mode.step.and_then(|layer| self.step(layer));
        let fits = named
            .is_some_and(|(own, own_kind)| own == group && kind.as_ref().is_none_or(|kind| own_kind == kind));
        if fits || !self.marks.stepless.insert(plate.to_owned()) {
            return;
        }
        let step = kind.as_ref().unwrap_or(group);
        let detail = format!(
            "The spot ink {plate} lies on no layer of the processing step {step}, so a cutter or finisher may not find it; name the step in the layer's GTS_Metadata."
        );
        self.find(Rule::PlateStep, area, mode, detail);
    }

    /// True for what lands on every plate outside the trim, where register and crop marks belong. Where a
    /// tile's pieces lie is unknown.
    pub(crate) fn is_register_mark(&self, mark: &Mark<'_>, mode: Mode) -> bool {
        mark.is_registration() && (mode.repeated || !self.is_in_artwork(mark))
    }

    /// Something of a mark lies within the trim.
    fn is_in_artwork(&self, mark: &Mark<'_>) -> bool {
        let Some(boxes) = self.boxes else { return false };
        let trim = boxes.trim.inset(-boxes.units(0.05));
        reaches(mark, trim.intersect(mark.bounds.inflate(0.01, 0.01)))
    }

    /// The colour of register marks is all plates at once: more ink than any paper takes, and every
    /// misregister shows.
    pub(crate) fn check_registration(&mut self, mark: &Mark<'_>, mode: Mode) {
        let inked = mark.ink.values.first().is_none_or(|tint| *tint > 0.0);
        if !mark.is_registration() || !inked || self.is_register_mark(mark, mode) {
            return;
        }
        let detail = "The registration colour, which prints on every plate, is used in the artwork; it is for marks outside the trim, so use black, or the inks that are meant.";
        self.find(Rule::InkRegistration, mark.bounds, mode, detail.into());
    }

    /// White that overprints is not printed.
    pub(crate) fn check_lost(&mut self, mark: &Mark<'_>, state: &State, mode: Mode) {
        if is_lost(mark, state) && !self.is_technical(mark) {
            let detail = "White overprints, so what lies beneath it is printed and the white is not; let it knock out.";
            self.find(Rule::WhiteLost, mark.bounds, mode, detail.into());
        }
    }

    /// A line to cut or perforate along is a thin stroke in all of its ink.
    pub(crate) fn check_cut(&mut self, mark: &Mark<'_>, mode: Mode) {
        let Space::Inks { names, .. } = mark.ink.laid_in() else { return };
        let lines = &self.findings.wish.lines;
        let Some(index) = names.iter().position(|name| lines.contains(name)) else { return };
        let unit = self.boxes.map_or(1.0, |boxes| boxes.unit);
        let full = mark.ink.shading.is_none()
            && mark.alpha >= 1.0
            && mark.ink.values.get(index).is_some_and(|tint| *tint > 0.995);
        let what = match mark.kind {
            Kind::Stroke { width, .. } if width * unit > THICK => {
                format!("is a line of {:.1} pt", width * unit)
            }
            Kind::Stroke { .. } if !full => "is a tint".to_owned(),
            Kind::Stroke { .. } => return,
            Kind::Fill | Kind::Text { .. } | Kind::Image { .. } | Kind::Shading => "is an area".to_owned(),
        };
        let detail = format!(
            "What is painted with the spot ink {} {what}, and a cutter follows thin lines in 100 % of it; draw it as one.",
            names[index]
        );
        self.find(Rule::CutLine, mark.bounds, mode, detail);
    }

    /// Notes the spot inks of a mark of which something is seen within the bleed.
    pub(crate) fn note_plates(&mut self, mark: &Mark<'_>, mode: Mode) {
        let spots = mark.ink.laid_in().spots();
        if spots.iter().all(|name| self.marks.plates.contains(*name)) {
            return;
        }
        let area = self.boxes.map(|boxes| boxes.bleed.inflate(0.01, 0.01));
        let seen = |area: Rect| reaches(mark, area.intersect(mark.bounds.inflate(0.01, 0.01)));
        if mode.repeated || area.is_none_or(seen) {
            self.marks.plates.extend(spots.into_iter().map(str::to_owned));
        }
    }

    /// Every printed page has its own knife's path and its own white, where the profile asks for them; other
    /// inks are looked for in the file as a whole.
    pub(crate) fn check_page_plates(&mut self, boxes: &Boxes) {
        let wish = self.findings.wish;
        self.seen_plates.extend(self.marks.plates.iter().cloned());
        let own = |plate: &&String| wish.technical.contains(plate) || wish.white.contains(plate);
        let required: &[String] = if self.marks.printed { &wish.plates_required } else { &[] };
        for plate in required.iter().filter(own) {
            if !self.marks.plates.contains(plate) {
                let detail = format!(
                    "Nothing on this page is painted with the spot ink {plate}, which the profile asks for."
                );
                self.find(Rule::PlateMissing, boxes.trim, Mode::default(), detail);
                self.seen_plates.insert(plate.clone());
            }
        }
    }
}

/// True for white that leaves what lies beneath it, because it overprints. Of DeviceCMYK that is so where
/// nothing of an ink leaves its plate (`/OPM 1`); inks by name leave all plates but their own.
pub(crate) fn is_lost(mark: &Mark<'_>, state: &State) -> bool {
    if !mark.overprint || !is_paper(mark) || matches!(mark.kind, Kind::Image { stencil: false, .. }) {
        return false;
    }
    match &*mark.ink.space {
        Space::Cmyk => state.zero_leaves,
        Space::Inks { names, .. } => {
            let has = |process: &&str| names.iter().any(|name| name == process);
            !names.iter().any(|name| name == "All" || name == "None")
                && !["Cyan", "Magenta", "Yellow", "Black"].iter().all(has)
        }
        Space::Gray
        | Space::Rgb
        | Space::Defined { .. }
        | Space::Lab
        | Space::Indexed(..)
        | Space::Pattern(_) => false,
    }
}
