//! Preflight: a finished PDF, whoever wrote it, held to a standard and to the house's limits.
//!
//! Bytes are read by a reader of our own that shares nothing with the writer (`read`). The
//! document is looked at once (`document`, `metadata`), then page by page: boxes (`pages`), the
//! content's operators (`content`, `paths`, `texts`, `colors`, `xobjects`), which hand every
//! mark that is printed (`paint`, `masks`) to the rules (`marks`, `outlined`, `ink`, `white`), and every object it
//! leads to (`walk`). A job that made the file says what it knows of it (`expected`). What is
//! found goes into a [`Report`] with a stable code ([`Rule`]), the page, the place in mm and a
//! sentence. Nothing of a page is kept when it is done.
//!
//! A file that breaks the syntax, or asks for more than the limits, is a finding too: reading
//! ends there, and never in a panic or without end.

mod colors;
mod content;
mod context;
mod document;
mod expected;
mod font;
mod html;
mod icc;
mod ink;
mod layers;
mod marks;
mod masks;
mod metadata;
mod opaque;
mod outlined;
mod pages;
mod paint;
mod paths;
mod picture;
mod plates;
mod read;
mod readable;
mod report;
mod rule;
mod samples;
mod space;
mod state;
mod texts;
mod walk;
mod white;
mod wish;
mod xobjects;

pub use expected::{Expected, Readable};
pub use html::html;
pub use read::ReadLimits;
pub use report::{PageReport, Report};
pub use rule::{Rule, When};
pub use wish::Wish;

use crate::control::Control;
use crate::error::Violation;
use context::Context;
use read::{PdfFile, ReadError, Value};
use report::Findings;
use std::collections::BTreeSet;
use std::io::{Read, Seek};

/// How to look at a file.
#[derive(Clone, Copy)]
pub struct Inspection<'a> {
    /// What it is held to.
    pub wish: &'a Wish,
    /// What reading it may cost.
    pub limits: ReadLimits,
    /// What a job knows of the pages, one by one; nothing of a file from elsewhere.
    pub pages: &'a [Expected],
    /// How many pages get a rough picture.
    pub pictures: u32,
    /// Whether pictures are unpacked to see that none of their samples is missing. A writer that has just
    /// packed them need not ask, and it costs more than all the rest.
    pub unpacking: bool,
    /// Who may end it.
    pub control: Control<'a>,
}

impl<'a> Inspection<'a> {
    /// By the default limits, without pictures.
    pub fn new(wish: &'a Wish) -> Self {
        Inspection {
            wish,
            limits: ReadLimits::default(),
            pages: &[],
            pictures: 0,
            unpacking: true,
            control: Control::NONE,
        }
    }

    /// Looks at a file.
    ///
    /// # Errors
    /// When the source cannot be read, or `control` ends the work. Whatever is wrong with the
    /// file itself is in the report.
    pub fn inspect<R: Read + Seek>(&self, source: R) -> Result<Report, Violation> {
        let findings = Findings::new(self.wish, self.pages);
        let file = match PdfFile::open(source, self.limits) {
            Ok(file) => file,
            Err(error) => {
                let mut findings = findings;
                unreadable(error, &mut |rule, detail| findings.file(rule, detail))?;
                return Ok(findings.report(Vec::new(), Vec::new()));
            }
        };
        let mut cx = Context::new(file, findings, self.control);
        cx.unpacking = self.unpacking;
        let mut pages = Vec::new();
        let whole = self.go_through(&mut cx, &mut pages);
        if let Err(error) = whole {
            unreadable(error, &mut |rule, detail| cx.say(rule, None, detail))?;
        }
        let plates = cx.plates.into_iter().collect();
        Ok(cx.findings.report(pages, plates))
    }

    fn go_through<R: Read + Seek>(
        &self,
        cx: &mut Context<'_, R>,
        reports: &mut Vec<PageReport>,
    ) -> Result<(), ReadError> {
        let trailer = cx.file.trailer.clone();
        let catalog = cx.file.dict(&trailer, "Root")?.filter(|dict| dict.has("Pages"));
        let catalog = catalog.ok_or_else(|| ReadError::damaged("the file has no catalog with pages"))?;
        cx.check_document(&catalog)?;
        let pages = cx.pages(catalog.get("Pages").unwrap_or(&Value::Null))?;
        if pages.is_empty() {
            return Err(ReadError::damaged("the file has no pages"));
        }
        self.count_pages(cx, pages.len() as u32);
        let mut seen = BTreeSet::new();
        for (index, page) in pages.iter().enumerate() {
            cx.control.check().map_err(ReadError::Stopped)?;
            let index = index as u32;
            let report = cx.check_page(index, page, index < self.pictures)?;
            cx.page = Some(index);
            cx.check_annotations(page)?;
            cx.walk(&Value::Dict(page.clone()), &mut seen)?;
            cx.page = None;
            reports.extend(report);
        }
        cx.boxes = None;
        cx.walk(&Value::Dict(trailer), &mut seen)?;
        self.check_plates(cx, reports.len() == pages.len());
        Ok(())
    }

    fn count_pages<R>(&self, cx: &mut Context<'_, R>, count: u32) {
        let wish = self.wish;
        let known = self.pages.len();
        if known > 0 && known != count as usize {
            let detail = format!("The file has {count} pages, and the job has {known}.");
            cx.findings.file(Rule::PageCount, detail);
            return;
        }
        let expected = match (wish.pages_min, wish.pages_max, wish.pages_multiple) {
            (Some(least), _, _) if count < least => format!("at least {least}"),
            (_, Some(most), _) if count > most => format!("at most {most}"),
            (_, _, Some(multiple)) if multiple > 0 && !count.is_multiple_of(multiple) => {
                format!("a multiple of {multiple}")
            }
            _ => return,
        };
        cx.findings
            .file(Rule::PageCount, format!("The file has {count} pages, and the profile wants {expected}."));
    }

    fn check_plates<R>(&self, cx: &mut Context<'_, R>, all_read: bool) {
        let shown = |name: &str| {
            if name.chars().count() <= 60 { name.to_owned() } else { "with a long name".to_owned() }
        };
        if let Some(allowed) = &self.wish.plates {
            for plate in cx.plates.iter().filter(|plate| !allowed.contains(plate)) {
                let detail = format!(
                    "The spot ink {} is used, which the profile does not print; it has {}.",
                    shown(plate),
                    list(allowed)
                );
                cx.findings.file(Rule::PlateUnexpected, detail);
            }
        }
        // What an unreadable page is painted with is unknown.
        let required = if all_read { self.wish.plates_required.as_slice() } else { &[] };
        for plate in required.iter().filter(|plate| !cx.seen_plates.contains(*plate)) {
            let detail =
                format!("Nothing is painted with the spot ink {}, which the profile asks for.", shown(plate));
            cx.findings.file(Rule::PlateMissing, detail);
        }
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

/// What cannot be read is a finding; what stopped us is an error.
fn unreadable(error: ReadError, say: &mut dyn FnMut(Rule, String)) -> Result<(), Violation> {
    match error {
        ReadError::Damaged(what) => {
            say(Rule::FileDamaged, format!("The file is damaged: {what}. Write it again."))
        }
        ReadError::TooLarge(what) => {
            say(Rule::FileLimit, format!("The file asks for too much: {what}. Write it more plainly."))
        }
        ReadError::Encrypted => {
            say(Rule::FileEncrypted, "The file is encrypted; save it without a password.".into())
        }
        ReadError::Stopped(violation) => return Err(violation),
    }
    Ok(())
}
