//! What was found: the verdict, the findings with their places, and the pages they lie on.

use super::expected::Expected;
use super::rule::{Rule, When};
use super::wish::Wish;
use crate::catalog::print::Standard;
use crate::order::event::{Finding, Verdict};
use crate::scene::MM_PER_PT;
use kurbo::Rect;
use serde::Serialize;
use std::collections::BTreeMap;

/// Findings of one rule on one page that are listed one by one.
const LISTED: u32 = 8;
/// Findings that are listed at all.
const MOST: usize = 2_000;

/// What preflight says about a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The worst of the findings.
    pub verdict: Verdict,
    /// What was found, in the order of the pages.
    pub findings: Vec<Finding>,
    /// The pages that could be read.
    pub pages: Vec<PageReport>,
    /// Spot inks that are used, by name.
    pub plates: Vec<String>,
}

/// A page's boxes, and the outlines of what lies on it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PageReport {
    /// Counted from 1.
    pub page: u32,
    /// The media box in mm from the trim box's top left corner: x, y, width, height.
    pub media: [f64; 4],
    /// The bleed box, likewise.
    pub bleed: [f64; 4],
    /// The finished size, likewise.
    pub trim: [f64; 4],
    /// The safe zone, likewise, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safe: Option<[f64; 4]>,
    /// A rough picture of the page as PNG, where one was asked for.
    #[serde(skip)]
    pub picture: Option<Vec<u8>>,
}

/// The boxes of a page in points, as the file has them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Boxes {
    pub(crate) media: Rect,
    pub(crate) bleed: Rect,
    pub(crate) trim: Rect,
    /// Points of one unit of the page's user space.
    pub(crate) unit: f64,
}

impl Boxes {
    /// A place on the page in mm from the trim box's top left corner.
    pub(crate) fn place(&self, area: Rect) -> [f64; 4] {
        let mm = |units: f64| libm::round(units * self.unit * MM_PER_PT * 1000.0) / 1000.0;
        [mm(area.x0 - self.trim.x0), mm(self.trim.y1 - area.y1), mm(area.width()), mm(area.height())]
    }

    /// A length of user space in mm.
    pub(crate) fn mm(&self, units: f64) -> f64 {
        units * self.unit * MM_PER_PT
    }

    /// Millimetres as a length of user space.
    pub(crate) fn units(&self, mm: f64) -> f64 {
        mm / (self.unit * MM_PER_PT)
    }
}

/// Findings under way.
pub(crate) struct Findings<'a> {
    pub(crate) wish: &'a Wish,
    /// What a job knows of the pages.
    pub(crate) pages: &'a [Expected],
    list: Vec<Finding>,
    counts: BTreeMap<(Rule, Option<u32>), u32>,
}

impl<'a> Findings<'a> {
    /// None yet. `pages` is what is known of the pages, where anything is.
    pub(crate) fn new(wish: &'a Wish, pages: &'a [Expected]) -> Self {
        Findings { wish, pages, list: Vec::new(), counts: BTreeMap::new() }
    }

    /// Something about the file as a whole.
    pub(crate) fn file(&mut self, rule: Rule, detail: impl Into<String>) {
        self.add(rule, None, None, detail.into(), self.wish.verdict(rule));
    }

    /// Something about a page, counted from 0.
    pub(crate) fn page(&mut self, rule: Rule, page: u32, place: Option<[f64; 4]>, detail: impl Into<String>) {
        self.add(rule, Some(page), place, detail.into(), self.wish.verdict(rule));
    }

    /// The same with a verdict of its own.
    pub(crate) fn add(
        &mut self,
        rule: Rule,
        page: Option<u32>,
        place: Option<[f64; 4]>,
        detail: String,
        verdict: Verdict,
    ) {
        let off = match rule.when() {
            When::Always | When::House => false,
            When::X => self.wish.standard == Standard::Plain,
            When::X4 => self.wish.standard != Standard::X4,
            When::Flat => !self.wish.standard.is_flat(),
            When::X1a => self.wish.standard != Standard::X1a,
        };
        if off || verdict == Verdict::Pass {
            return;
        }
        let count = self.counts.entry((rule, page)).or_insert(0);
        *count += 1;
        if *count > LISTED || self.list.len() >= MOST {
            return;
        }
        let known = page.and_then(|page| self.pages.get(page as usize));
        let surface = known.map(|page| page.surface.clone()).unwrap_or_default();
        self.list.push(Finding {
            code: rule.as_str().to_owned(),
            verdict,
            surface,
            page: page.map(|page| page + 1),
            layer: None,
            place,
            detail,
            waived: false,
        });
    }

    /// The report. What was not listed one by one is counted.
    pub(crate) fn report(mut self, pages: Vec<PageReport>, plates: Vec<String>) -> Report {
        for ((rule, page), count) in std::mem::take(&mut self.counts) {
            if count > LISTED
                && let Some(last) =
                    self.list.iter_mut().rfind(|f| f.code == rule.as_str() && f.page == page.map(|p| p + 1))
            {
                last.detail += &format!(" ({} more like this.)", count - LISTED);
            }
        }
        self.list.sort_by_key(|finding| finding.page);
        let verdict = self.list.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Pass);
        Report { verdict, findings: self.list, pages, plates }
    }
}
