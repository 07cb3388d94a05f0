//! What marks say about a page as a whole and about its plates: what is printed at all, how a spot ink
//! meets the others, and whether it stands for the processing step that the profile says.

use super::content::Mode;
use super::context::Context;
use super::marks::{Kind, Mark, is_paper};
use super::report::Boxes;
use super::rule::Rule;
use super::space::Space;
use super::state::State;
use crate::catalog::print::Laid;
use kurbo::Rect;

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
        if is_paper(mark) || mark.is_registration() || self.is_technical(mark) {
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
}
