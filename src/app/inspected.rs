//! Finished documents are looked at before they are delivered: a PDF is written to a spool file,
//! held to the profile's rules, and only then passed on.

use crate::control::Control;
use crate::error::{Code, Violation, Violations};
use crate::order::ValidOrder;
use crate::order::event::{Artifact, Finding, Verdict};
use crate::preflight::{Inspection, Wish};
use crate::render::{Destination, sink_failed};
use std::fs;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};

/// A destination whose documents are inspected on their way.
pub(super) struct Inspected<'a, D> {
    inner: &'a mut D,
    wish: Wish,
    accepted: &'a [String],
    control: Control<'a>,
    /// What was found in each document, by the address it was delivered to.
    found: Vec<(String, Vec<Finding>)>,
}

/// A file on its way.
pub(super) enum Passing<F> {
    /// Straight to where it is wanted.
    Straight(F),
    /// Into a spool file, to be looked at first.
    Spooled(BufWriter<fs::File>),
}

impl<'a, D: Destination> Inspected<'a, D> {
    /// Looks at what goes to `inner` as the order's profile wishes.
    pub(super) fn new(inner: &'a mut D, order: &'a ValidOrder, control: Control<'a>) -> Self {
        let wish = Wish::of(order.profile());
        Inspected { inner, wish, accepted: &order.order().accept, control, found: Vec::new() }
    }

    /// Everything that was found, with the surfaces' names.
    ///
    /// # Errors
    /// `preflight.failed` for every finding that fails the job.
    pub(super) fn findings(self, artifacts: &[Artifact]) -> Result<Vec<Finding>, Violations> {
        let mut all = Vec::new();
        let mut failed = Violations::default();
        for (uri, findings) in self.found {
            let surfaces = artifacts.iter().find(|a| a.uri == uri).map(|a| a.surfaces.as_slice());
            for mut finding in findings {
                let page = finding.page.and_then(|page| (page as usize).checked_sub(1));
                if let (Some(surfaces), Some(page)) = (surfaces, page) {
                    finding.surface = surfaces.get(page).cloned().unwrap_or_default();
                }
                if finding.verdict == Verdict::Fail {
                    let place = match finding.surface.as_str() {
                        "" => String::new(),
                        surface => format!(" on {surface}"),
                    };
                    let detail = format!("{}{place}: {}", finding.code, finding.detail);
                    failed.push(Violation::new(Code::PreflightFailed, detail));
                }
                all.push(finding);
            }
        }
        failed.or(all)
    }
}

impl<D: Destination> Destination for Inspected<'_, D> {
    type File = Passing<D::File>;

    fn create(&mut self, name: &str) -> Result<Self::File, Violation> {
        if !name.ends_with(".pdf") {
            return self.inner.create(name).map(Passing::Straight);
        }
        let spool = tempfile::tempfile().map_err(|e| sink_failed(&e))?;
        Ok(Passing::Spooled(BufWriter::with_capacity(1 << 16, spool)))
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
        let inspection = Inspection { control: self.control, ..Inspection::new(&self.wish) };
        for mut finding in inspection.inspect(&mut spool)?.findings {
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
        self.found.push((uri.clone(), findings));
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
