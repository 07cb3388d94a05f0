//! Vector art: SVG and SVGZ from strangers and designers, as scene nodes.
//!
//! Bytes → `source` (text) → `lex`, `scan`, `graph` (limits, references, loops) →
//! `read` (usvg's resolved tree, our resolvers) → `survey` (pictures, findings) →
//! `convert` with `clip` and `paint` (scene nodes), recoloured by `recolor`.

mod blank;
mod clip;
mod convert;
mod edit;
mod graph;
mod lex;
mod locate;
mod paint;
mod read;
mod recolor;
mod scan;
mod source;
mod survey;
#[cfg(test)]
mod tests;

pub use recolor::{IdPaint, Recolor};

use crate::asset::Limits;
use crate::cache::Cache;
use crate::error::{Code, Violation, Violations};
use crate::scene::{Blend, Group};
use convert::{Converter, Pair};
use kurbo::{Affine, BezPath, Rect, Size};
use recolor::Inks;
use resvg::usvg::{self, fontdb};
use scan::Findings;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use survey::Survey;

/// Bytes of one pixel in one of a filter's buffers.
const FILTER_PIXEL: f64 = 4.0;

/// Parsed art: its tree is resolved, its limits hold, it draws something.
pub struct Art {
    xml: String,
    tree: usvg::Tree,
    fonts: Arc<fontdb::Database>,
    limits: Limits,
    expanded: u64,
    survey: Survey,
    findings: Vec<Violation>,
    missing_fonts: Vec<String>,
    digest: String,
}

impl Art {
    /// Parses SVG or SVGZ. Text is laid out with `fonts` alone; nothing outside the bytes is ever
    /// read. What breaks a limit, refers elsewhere, draws itself or draws nothing is an error;
    /// what merely cannot be rendered as written is a [finding](Art::findings).
    pub fn load(bytes: &[u8], fonts: Arc<fontdb::Database>, limits: &Limits) -> Result<Art, Violations> {
        let xml = source::text(bytes, limits.svg_bytes)?;
        let mut findings = Findings::default();
        let expanded = read::check(&xml, limits, &mut findings)?;
        let reading = read::parse(&xml, &fonts, limits, expanded, None)?;
        findings.join(reading.findings);
        let survey = Survey::of(&reading.tree, limits, &mut findings)?;
        if blank::is_blank(&reading.tree, survey.heavy) {
            let detail =
                "the SVG draws nothing inside its viewport; check its viewBox, hidden layers and colours";
            return Err(Violation::new(Code::SvgEmpty, detail).into());
        }
        Ok(Art {
            xml,
            tree: reading.tree,
            fonts,
            limits: *limits,
            expanded,
            survey,
            findings: findings.into_violations(),
            missing_fonts: reading.missing_fonts.into_iter().collect(),
            digest: hex::encode(Sha256::digest(bytes)),
        })
    }

    /// The viewport, in user units (CSS pixels, 96 to the inch).
    pub fn size(&self) -> Size {
        let size = self.tree.size();
        Size::new(f64::from(size.width()), f64::from(size.height()))
    }

    /// What will not print as written (`svg.unsupported`, `svg.font_missing`,
    /// `svg.active_content`, `text.glyph_missing`), for the caller's policy. Each kind once.
    pub fn findings(&self) -> &[Violation] {
        &self.findings
    }

    /// Font families that the art names and the library lacks. The art's own words: not for messages.
    pub fn missing_fonts(&self) -> &[String] {
        &self.missing_fonts
    }

    /// About how many bytes it takes: its text, its tree, the pictures in it.
    pub fn weight(&self) -> u64 {
        // A node of the tree with its attributes, path and paints.
        const NODE: u64 = 1024;
        2 * self.xml.len() as u64 + self.expanded * NODE
    }

    /// SHA-256 of the bytes, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The art as scene nodes in the viewport's user units, clipped to the viewport where it
    /// runs past it. Masks keep their colours, since those are coverage.
    pub fn group(&self, recolor: &Recolor) -> Result<Group, Violation> {
        self.group_kept(recolor, None)
    }

    /// The same, with a place where its filters' pixels are kept for other orders.
    ///
    /// # Errors
    /// As [`Art::group`].
    pub fn group_kept(&self, recolor: &Recolor, cache: Option<&Arc<Cache>>) -> Result<Group, Violation> {
        let (marked, marks) = self.marked(recolor)?;
        let inks = Inks::new(recolor, marks);
        let key = hex::encode(Sha256::digest(format!("{} {recolor:?}", self.digest)));
        let mut converter = Converter::new(&inks, &self.survey.pictures, key);
        converter.cache = cache.cloned();
        converter.one_ink = recolor.all.is_some();
        let recolored;
        if !self.survey.filters.is_empty() && !recolor.is_empty() {
            let text = edit::recolored(&self.tree, marked.as_ref(), &inks)?;
            recolored =
                read::parse(&text, &self.fonts, &self.limits, self.expanded, None).map_err(first)?.tree;
            let plain = Inks::new(&Recolor::default(), BTreeMap::new());
            let survey = Survey::of(&recolored, &self.limits, &mut Findings::default()).map_err(first)?;
            let mut filters = Converter::new(&plain, &survey.pictures, String::new());
            filters.children(Pair { plain: recolored.root(), marked: None })?;
            converter.filtered = Some(filters.met);
        }
        let nodes = converter
            .children(Pair { plain: self.tree.root(), marked: marked.as_ref().map(usvg::Tree::root) })?;
        let mut group =
            Group { nodes, blend: Blend::Normal, isolated: self.survey.blends, ..Group::default() };
        let view = self.size().to_rect();
        let inside =
            crate::scene::bounds(&group.nodes, Affine::IDENTITY).is_none_or(|b| view.union(b) == view);
        if !inside {
            group.clips.push(clip::rect(view));
        }
        Ok(group)
    }

    /// The tree whose named elements carry marks, and what the marks stand for.
    fn marked(
        &self,
        recolor: &Recolor,
    ) -> Result<(Option<usvg::Tree>, BTreeMap<recolor::Rgb, crate::scene::Ink>), Violation> {
        if recolor.ids.is_empty() {
            return Ok((None, BTreeMap::new()));
        }
        let doc = read::document(&self.xml, u32::MAX)?;
        let (sheet, marks) = recolor::marks(&recolor.ids, &doc, &self.survey.colors)?;
        let reading =
            read::parse(&self.xml, &self.fonts, &self.limits, self.expanded, Some(sheet)).map_err(first)?;
        Ok((Some(reading.tree), marks))
    }

    /// The box of an element's geometry (strokes not counted) in the viewport's user units, for
    /// slots that a designer drew. Invisible and hidden elements count too.
    pub fn element_box(&self, id: &str) -> Option<Rect> {
        locate::bounds(&self.tree, id).or_else(|| locate::bounds(&self.shown(id)?, id))
    }

    /// An element's outlines (a group's: of all it holds; a picture's: its frame) in the
    /// viewport's user units, to clip or mask with.
    pub fn element_path(&self, id: &str) -> Option<BezPath> {
        locate::path(&self.tree, id).or_else(|| locate::path(&self.shown(id)?, id))
    }

    fn shown(&self, id: &str) -> Option<usvg::Tree> {
        let sheet = locate::unhide(&read::document(&self.xml, u32::MAX).ok()?, id)?;
        Some(read::parse(&self.xml, &self.fonts, &self.limits, self.expanded, Some(sheet)).ok()?.tree)
    }

    /// Checks what the filters need at a scale in pixels per user unit, before any is rendered:
    /// `svg.too_complex` when one needs more than `budget` bytes.
    pub fn check_filters(&self, scale: f64, budget: u64) -> Result<(), Violation> {
        let most = self.survey.filters.iter().map(|(region, primitives)| {
            // Each primitive keeps its result; source and output are two more.
            region.area() * scale * scale * FILTER_PIXEL * (*primitives as f64 + 2.0)
        });
        if most.fold(0.0, f64::max) <= budget as f64 {
            return Ok(());
        }
        let detail = format!(
            "a filter of the SVG needs more than {budget} bytes at this size; make its region or the art smaller"
        );
        Err(Violation::new(Code::SvgTooComplex, detail).limit(budget))
    }
}

impl std::fmt::Debug for Art {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Art")
            .field("digest", &self.digest)
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}

fn first(violations: Violations) -> Violation {
    let none = || Violation::new(Code::InternalError, "recoloured art failed without a reason");
    violations.0.into_iter().next().unwrap_or_else(none)
}
