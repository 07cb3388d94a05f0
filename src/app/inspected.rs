//! Finished documents are looked at before they are delivered: a PDF is spooled, in memory while it is
//! small and else in a file, held to the profile's rules, and only then passed on.

use super::expected::expected;
use crate::catalog::Output;
use crate::derive::{Bare, Fault, Stray, bare, extent};
use crate::error::{Code, Violation, Violations};
use crate::order::ValidOrder;
use crate::order::event::{Finding, Verdict};
use crate::preflight::{Inspection, Rule, Wish};
use crate::render::{Destination, InkPeak, Job, documents, sink_failed};
use kurbo::Rect;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use tempfile::SpooledTempFile;

/// Bytes of a document that stay in memory.
const IN_MEMORY: usize = 4 << 20;

/// A destination whose documents are inspected on their way.
pub(super) struct Inspected<'a, D> {
    inner: &'a mut D,
    wish: Wish,
    job: &'a Job<'a>,
    accepted: &'a [String],
    /// What was found in the documents.
    found: Vec<Finding>,
}

/// A file on its way.
pub(super) enum Passing<F> {
    /// Straight to where it is wanted.
    Straight(F),
    /// Into a spool, to be looked at first.
    Spooled(BufWriter<SpooledTempFile>),
}

impl<'a, D: Destination> Inspected<'a, D> {
    /// Looks at what goes to `inner` as the order's profile wishes.
    pub(super) fn new(inner: &'a mut D, order: &'a ValidOrder, job: &'a Job<'a>) -> Self {
        let wish = Wish::of(order.profile());
        Inspected { inner, wish, job, accepted: &order.order().accept, found: Vec::new() }
    }

    /// Holds the place of a surface with the most ink against the profile's limit.
    pub(super) fn weigh(&mut self, surface: &str, peak: InkPeak, limit: f32) {
        /// Plates have whole steps of 256, and four of them may be rounded up.
        const ROUNDING: f64 = 1.0;
        let InkPeak { percent, place } = peak;
        if percent > f64::from(limit) + ROUNDING {
            let detail = format!(
                "The inks add up to {percent:.0} % on a square millimetre, and the paper takes \
                 {limit:.0} %; make the art lighter there, or let less of it overlap."
            );
            self.find(Rule::InkLimit, surface, place, detail);
        }
    }

    /// Names what the underbase leaves of each surface without white beneath it.
    pub(super) fn find_bare(&mut self) -> Result<(), Violation> {
        let Job { scene, profile, limits, control, .. } = *self.job;
        let Some(underbase) = &profile.underbase else { return Ok(()) };
        for surface in &scene.surfaces {
            let Some(Bare { count, place, faint }) =
                bare(surface, underbase, profile.dpi(), limits, control)?
            else {
                continue;
            };
            let what = match count {
                1 => "Something printed has".to_owned(),
                _ => format!("{count} printed things, of which this is the largest, have"),
            };
            let why = if faint {
                "the art is fainter there than the white's threshold; make it more opaque, or lower the \
                 threshold"
                    .to_owned()
            } else {
                format!(
                    "it is drawn in by {} mm on each side, and too little is left; make thin strokes thicker, \
                     or choke the white less",
                    underbase.choke
                )
            };
            self.find(Rule::WhiteVanishes, &surface.name, place, format!("{what} no white beneath: {why}."));
        }
        Ok(())
    }

    /// Names a contour that leaves art outside, or the page.
    pub(super) fn find_stray(&mut self, stray: &Stray) {
        let Stray { surface, plate, fault } = stray;
        match fault {
            Fault::LeavesArt { count, place } => {
                let what = match count {
                    1 => "Something printed lies".to_owned(),
                    _ => format!("{count} printed pieces, of which this is the largest, lie"),
                };
                let detail = format!(
                    "{what} outside the contour {plate}, and would be cut off: it is too thin or too small for \
                     the line's least radius; make it larger, or join it to the rest."
                );
                self.find(Rule::CutLeavesArt, surface, *place, detail);
            }
            Fault::OffPage { place } => {
                let detail = format!(
                    "The contour {plate} runs off the page, where nothing is drawn, so a cutter gets only a \
                     part of it; keep the art further inside, or give the page more bleed."
                );
                self.find(Rule::CutOffPage, surface, *place, detail);
            }
        }
    }

    /// Names surfaces on which all that is printed is smaller than a design can be. One without anything
    /// counts where the job has nothing at all: a back may stay bare.
    pub(super) fn find_specks(&mut self) -> Result<(), Violation> {
        let Job { scene, profile, limits, control, .. } = *self.job;
        let Some(least) = profile.preflight.extent_min else { return Ok(()) };
        let surfaces = scene.surfaces.iter();
        let printed: Vec<_> =
            surfaces.map(|surface| extent(surface, least, limits, control)).collect::<Result<_, _>>()?;
        let empty = printed.iter().all(Option::is_none);
        for (surface, place) in scene.surfaces.iter().zip(printed) {
            let place = match place {
                None if !empty => continue,
                None => Rect::ZERO,
                Some(place) => place,
            };
            let extent = place.width().max(place.height());
            if extent < least {
                let detail = format!(
                    "All that is printed is {extent:.1} mm large, and a design has at least {least} mm; find \
                     out what is missing."
                );
                self.find(Rule::DesignSmall, &surface.name, place, detail);
            }
        }
        Ok(())
    }

    /// Names surfaces without anything on them, where no document is made in which they would be found.
    pub(super) fn find_blanks(&mut self) -> Result<(), Violation> {
        /// Millimetres: whatever is there at all.
        const ANYTHING: f64 = 0.01;
        let Job { scene, limits, control, .. } = *self.job;
        if !self.wish.blank || self.job.outputs.contains(&Output::Pdf) {
            return Ok(());
        }
        for surface in &scene.surfaces {
            if extent(surface, ANYTHING, limits, control)?.is_none() {
                let detail = "Nothing is printed on this surface; leave it out, or find out what is missing.";
                self.find(Rule::PageBlank, &surface.name, surface.trim_box(), detail.into());
            }
        }
        Ok(())
    }

    /// Something about a surface, in its millimetres.
    fn find(&mut self, rule: Rule, surface: &str, place: Rect, detail: String) {
        let verdict = self.wish.verdict(rule);
        if verdict == Verdict::Pass {
            return;
        }
        let code = rule.as_str().to_owned();
        let waived = self.accepted.contains(&code);
        let round = |mm: f64| libm::round(mm * 1000.0) / 1000.0;
        self.found.push(Finding {
            code,
            verdict: if waived { Verdict::Warn } else { verdict },
            surface: surface.to_owned(),
            page: None,
            layer: None,
            place: Some([place.x0, place.y0, place.width(), place.height()].map(round)),
            detail,
            waived,
        });
    }

    /// Everything that was found, in the order of the documents, and `preflight.failed` for every
    /// finding that fails the job.
    pub(super) fn findings(self) -> (Vec<Finding>, Violations) {
        let mut failed = Violations::default();
        for finding in self.found.iter().filter(|finding| finding.verdict == Verdict::Fail) {
            let place = match finding.surface.as_str() {
                "" => String::new(),
                surface => format!(" on {surface}"),
            };
            let detail = format!("{}{place}: {}", finding.code, finding.detail);
            failed.push(Violation::new(Code::PreflightFailed, detail));
        }
        (self.found, failed)
    }
}

impl<D: Destination> Destination for Inspected<'_, D> {
    type File = Passing<D::File>;

    fn create(&mut self, name: &str) -> Result<Self::File, Violation> {
        if !name.ends_with(".pdf") {
            return self.inner.create(name).map(Passing::Straight);
        }
        Ok(Passing::Spooled(BufWriter::with_capacity(1 << 16, SpooledTempFile::new(IN_MEMORY))))
    }

    fn discard(&mut self, name: &str, file: Self::File) -> Result<(), Violation> {
        match file {
            Passing::Straight(file) => self.inner.discard(name, file),
            // It has not reached the destination.
            Passing::Spooled(_) => Ok(()),
        }
    }

    fn finish(&mut self, name: &str, file: Self::File) -> Result<String, Violation> {
        let spool = match file {
            Passing::Straight(file) => return self.inner.finish(name, file),
            Passing::Spooled(spool) => spool,
        };
        let mut spool = spool.into_inner().map_err(|e| sink_failed(e.error()))?;
        let mut findings = Vec::new();
        spool.seek(SeekFrom::Start(0)).map_err(|e| sink_failed(&e))?;
        let Job { scene, profile, limits, control, .. } = *self.job;
        let document = documents(scene, profile).into_iter().find(|(document, _)| document == name);
        let surfaces = document.map(|(_, surfaces)| surfaces).unwrap_or_default();
        let pages = expected(surfaces, profile, limits, control)?;
        let own = Inspection { control, pages: &pages, unpacking: false, ..Inspection::new(&self.wish) };
        for mut finding in own.inspect(&mut spool)?.findings {
            finding.waived = self.accepted.contains(&finding.code);
            if finding.waived {
                finding.verdict = Verdict::Warn;
            }
            findings.push(finding);
        }
        let uri = if findings.iter().any(|finding| finding.verdict == Verdict::Fail) {
            // The job fails: there is nothing to deliver.
            name.to_owned()
        } else {
            spool.seek(SeekFrom::Start(0)).map_err(|e| sink_failed(&e))?;
            let mut out = self.inner.create(name)?;
            io::copy(&mut spool, &mut out).map_err(|e| sink_failed(&e))?;
            self.inner.finish(name, out)?
        };
        self.found.extend(findings);
        Ok(uri)
    }
}

impl<F: Write> Write for Passing<F> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Passing::Straight(file) => file.write(buffer),
            Passing::Spooled(file) => file.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Passing::Straight(file) => file.flush(),
            Passing::Spooled(file) => file.flush(),
        }
    }
}
