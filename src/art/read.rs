//! From checked XML to usvg's tree, with resolvers of our own.
//!
//! usvg's default resolver opens files and its failures are log lines. Ours accept embedded data
//! only, check nested drawings like the outer one, and write down every miss.

use super::scan::Findings;
use super::{graph, lex, scan, source};
use crate::asset::Limits;
use crate::error::{Code, Violation, Violations};
use resvg::usvg::{self, ImageKind, fontdb};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Drawings inside drawings inside a drawing.
const MAX_NESTING: usize = 3;

/// What a parse found out beside its tree.
pub(super) struct Reading {
    pub(super) tree: usvg::Tree,
    pub(super) findings: Findings,
    pub(super) missing_fonts: BTreeSet<String>,
}

/// Everything of a document that must hold before usvg may see it. Gives its expanded elements.
pub(super) fn check(xml: &str, limits: &Limits, findings: &mut Findings) -> Result<u64, Violation> {
    lex::check(xml, limits.svg_nodes)?;
    let nodes = u32::try_from(limits.svg_nodes.saturating_mul(4)).unwrap_or(u32::MAX);
    let doc = document(xml, nodes)?;
    let depth =
        doc.descendants().filter(|node| !node.has_children()).map(|node| node.ancestors().count()).max();
    scan::scan(&doc, depth.unwrap_or(0), findings)?;
    graph::check(&doc, limits.svg_nodes)
}

pub(super) fn document(xml: &str, nodes_limit: u32) -> Result<roxmltree::Document<'_>, Violation> {
    let options = roxmltree::ParsingOptions { allow_dtd: true, nodes_limit, entity_resolver: None };
    roxmltree::Document::parse_with_options(xml, options).map_err(|error| match error {
        roxmltree::Error::EntityReferenceLoop(_) => Violation::new(
            Code::SvgEntityLimit,
            "the SVG's entities expand too often or into themselves; write them out",
        ),
        roxmltree::Error::NodesLimitReached => lex::too_many(u64::from(nodes_limit)),
        other => {
            let at = other.pos();
            let detail = format!(
                "the SVG is not well-formed XML at line {}, column {}; export it again",
                at.row, at.col
            );
            source::corrupt(&detail)
        }
    })
}

/// Parses checked XML. `style_sheet` overrides the document's own where it says `!important`.
pub(super) fn parse(
    xml: &str,
    fonts: &Arc<fontdb::Database>,
    limits: &Limits,
    expanded: u64,
    style_sheet: Option<String>,
) -> Result<Reading, Violations> {
    let watch = Watch {
        limits: *limits,
        level: AtomicUsize::new(0),
        elements: AtomicU64::new(expanded),
        problems: Mutex::default(),
        findings: Mutex::default(),
        missing_fonts: Mutex::default(),
    };
    let options = usvg::Options {
        resources_dir: None,
        dpi: 96.0,
        font_family: fonts.family_name(&fontdb::Family::SansSerif).to_owned(),
        languages: vec!["en".to_owned()],
        shape_rendering: usvg::ShapeRendering::GeometricPrecision,
        image_href_resolver: usvg::ImageHrefResolver {
            resolve_data: Box::new(|_mime, data, options| watch.data(data, options)),
            resolve_string: Box::new(|_href, _options| {
                watch.problem(lex::external("a picture"));
                None
            }),
        },
        font_resolver: usvg::FontResolver {
            select_font: Box::new(|font, fonts| watch.font(font, fonts)),
            select_fallback: Box::new(|character, used, fonts| watch.fallback(character, used, fonts)),
        },
        fontdb: fonts.clone(),
        style_sheet,
        ..usvg::Options::default()
    };
    let parsed = usvg::Tree::from_str(xml, &options);
    drop(options);
    let problems = watch.problems.into_inner().unwrap_or_else(PoisonError::into_inner);
    if !problems.is_empty() {
        return Err(Violations(problems));
    }
    let tree = parsed.map_err(|error| match error {
        usvg::Error::InvalidSize => {
            Violation::new(Code::SvgEmpty, "the SVG's width, height or viewBox is zero or missing")
        }
        usvg::Error::ElementsLimitReached => lex::too_many(limits.svg_nodes),
        _ => source::corrupt("the SVG cannot be read; export it again"),
    })?;
    Ok(Reading {
        tree,
        findings: watch.findings.into_inner().unwrap_or_else(PoisonError::into_inner),
        missing_fonts: watch.missing_fonts.into_inner().unwrap_or_else(PoisonError::into_inner),
    })
}

struct Watch {
    limits: Limits,
    level: AtomicUsize,
    elements: AtomicU64,
    problems: Mutex<Vec<Violation>>,
    findings: Mutex<Findings>,
    missing_fonts: Mutex<BTreeSet<String>>,
}

impl Watch {
    fn problem(&self, violation: Violation) {
        let mut problems = lock(&self.problems);
        if !problems.contains(&violation) {
            problems.push(violation);
        }
    }

    fn finding(&self, code: Code, detail: &str) {
        lock(&self.findings).add(code, detail);
    }

    /// Embedded data, by what it is and not by what it says it is.
    fn data(&self, data: Arc<Vec<u8>>, options: &usvg::Options) -> Option<ImageKind> {
        match data.as_slice() {
            [0x89, b'P', b'N', b'G', ..] => Some(ImageKind::PNG(data)),
            [0xff, 0xd8, 0xff, ..] => Some(ImageKind::JPEG(data)),
            [b'R', b'I', b'F', b'F', ..] => Some(ImageKind::WEBP(data)),
            [b'G', b'I', b'F', b'8', ..] => {
                self.finding(
                    Code::SvgUnsupported,
                    "the SVG embeds a GIF, which is left out; embed PNG or JPEG",
                );
                None
            }
            bytes
                if bytes.starts_with(&[0x1f, 0x8b])
                    || bytes.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'<') =>
            {
                self.nested(bytes, options)
            }
            _ => {
                self.finding(
                    Code::SvgUnsupported,
                    "the SVG embeds a picture of an unknown type, which is left out; embed PNG or JPEG",
                );
                None
            }
        }
    }

    fn nested(&self, bytes: &[u8], options: &usvg::Options) -> Option<ImageKind> {
        if self.level.fetch_add(1, Ordering::Relaxed) >= MAX_NESTING {
            let detail = format!("the SVG embeds SVGs more than {MAX_NESTING} deep; flatten it");
            self.problem(Violation::new(Code::SvgNestingLimit, detail).limit(MAX_NESTING));
            self.level.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let tree = self.nested_tree(bytes, options);
        self.level.fetch_sub(1, Ordering::Relaxed);
        match tree {
            Ok(tree) => Some(ImageKind::SVG(tree)),
            Err(violation) => {
                self.problem(violation);
                None
            }
        }
    }

    fn nested_tree(&self, bytes: &[u8], options: &usvg::Options) -> Result<usvg::Tree, Violation> {
        let xml = source::text(bytes, self.limits.svg_bytes)?;
        let mut findings = Findings::default();
        let elements = check(&xml, &self.limits, &mut findings)?;
        for violation in findings.into_violations() {
            self.finding(violation.code, &violation.detail);
        }
        let total = self.elements.fetch_add(elements, Ordering::Relaxed).saturating_add(elements);
        if total > self.limits.svg_nodes {
            return Err(lex::too_many(self.limits.svg_nodes));
        }
        usvg::Tree::from_data_nested(xml.as_bytes(), options)
            .map_err(|_| source::corrupt("an SVG inside the SVG cannot be read; export it again"))
    }

    fn font(&self, font: &usvg::Font, fonts: &mut Arc<fontdb::Database>) -> Option<fontdb::ID> {
        let select = usvg::FontResolver::default_font_selector();
        let known = font.families().iter().any(|family| match family {
            usvg::FontFamily::Named(name) => has_family(fonts, name),
            usvg::FontFamily::Serif
            | usvg::FontFamily::SansSerif
            | usvg::FontFamily::Cursive
            | usvg::FontFamily::Fantasy
            | usvg::FontFamily::Monospace => true,
        });
        if !known {
            for family in font.families() {
                if let usvg::FontFamily::Named(name) = family {
                    lock(&self.missing_fonts).insert(name.clone());
                }
            }
        }
        let id = select(font, fonts).or_else(|| fonts.faces().next().map(|face| face.id));
        if !known || id.is_none() {
            let detail = "the SVG asks for a font family that the library lacks; another is used. Convert the text to outlines, or add the font";
            self.finding(Code::SvgFontMissing, detail);
        }
        id
    }

    fn fallback(
        &self,
        character: char,
        used: &[fontdb::ID],
        fonts: &mut Arc<fontdb::Database>,
    ) -> Option<fontdb::ID> {
        let id = if used.is_empty() {
            None
        } else {
            usvg::FontResolver::default_fallback_selector()(character, used, fonts)
        };
        if id.is_none() && !character.is_control() {
            self.finding(
                Code::TextGlyphMissing,
                "no font of the library has a character of the SVG's text; it is left out",
            );
        }
        id
    }
}

fn has_family(fonts: &fontdb::Database, name: &str) -> bool {
    fonts.faces().any(|face| face.families.iter().any(|(family, _)| family == name))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
