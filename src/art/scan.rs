//! What a document says before it is converted: references that leave it, active content,
//! elements nobody can render. Errors end the load; findings are for the caller's policy.

use super::lex::external;
use crate::error::{Code, Violation};
use std::collections::BTreeSet;

/// Characters of text in one document: each may cost a search through every font.
const MAX_TEXT: usize = 100_000;
/// What matching all CSS selectors against all elements may cost, in comparisons.
const MAX_STYLE_COST: f64 = 200_000_000.0;

pub(super) const SVG: &str = "http://www.w3.org/2000/svg";

/// Elements that are rendered, or that guide rendering, or that are known to paint nothing.
const KNOWN: &[&str] = &[
    "svg",
    "g",
    "defs",
    "symbol",
    "use",
    "switch",
    "a",
    "path",
    "rect",
    "circle",
    "ellipse",
    "line",
    "polyline",
    "polygon",
    "text",
    "tspan",
    "tref",
    "textPath",
    "image",
    "linearGradient",
    "radialGradient",
    "stop",
    "pattern",
    "clipPath",
    "mask",
    "marker",
    "filter",
    "style",
    "title",
    "desc",
    "metadata",
    "view",
    "cursor",
    "color-profile",
    "feBlend",
    "feColorMatrix",
    "feComponentTransfer",
    "feComposite",
    "feConvolveMatrix",
    "feDiffuseLighting",
    "feDisplacementMap",
    "feDistantLight",
    "feDropShadow",
    "feFlood",
    "feFuncA",
    "feFuncB",
    "feFuncG",
    "feFuncR",
    "feGaussianBlur",
    "feImage",
    "feMerge",
    "feMergeNode",
    "feMorphology",
    "feOffset",
    "fePointLight",
    "feSpecularLighting",
    "feSpotLight",
    "feTile",
    "feTurbulence",
];
const ACTIVE: &[&str] = &["script", "handler", "listener", "iframe", "embed", "object", "audio", "video"];
const ANIMATION: &[&str] =
    &["animate", "animateColor", "animateMotion", "animateTransform", "set", "mpath", "discard"];
/// Inkscape's and Illustrator's notes to themselves, and fonts as SVG glyphs.
const FOREIGN: &[&str] =
    &["font", "font-face", "flowRoot", "foreignObject", "mesh", "meshgradient", "hatch", "solidColor"];

/// Things a caller has to decide about, each said once.
#[derive(Debug, Default)]
pub(super) struct Findings(BTreeSet<(Code, String)>);

impl Findings {
    pub(super) fn add(&mut self, code: Code, detail: &str) {
        self.0.insert((code, detail.to_owned()));
    }

    pub(super) fn join(&mut self, other: Findings) {
        self.0.extend(other.0);
    }

    pub(super) fn into_violations(self) -> Vec<Violation> {
        self.0.into_iter().map(|(code, detail)| Violation::new(code, detail)).collect()
    }
}

pub(super) fn is_svg(node: &roxmltree::Node) -> bool {
    node.is_element() && matches!(node.tag_name().namespace(), None | Some(SVG))
}

/// Reads every element; the document's own limits are already known to hold.
pub(super) fn scan(
    doc: &roxmltree::Document,
    max_depth: usize,
    findings: &mut Findings,
) -> Result<(), Violation> {
    if !is_svg(&doc.root_element()) || doc.root_element().tag_name().name() != "svg" {
        return Err(Violation::new(Code::AssetTypeUnsupported, "the file is XML, but not SVG; send an SVG"));
    }
    let (mut text, mut elements) = (0, 0.0);
    for node in doc.descendants().filter(is_svg) {
        elements += 1.0;
        element(&node, findings)?;
        for attribute in node.attributes() {
            self::attribute(&node, &attribute, findings)?;
        }
        if node.tag_name().name() == "text" {
            text += node
                .descendants()
                .filter_map(|n| if n.is_text() { n.text() } else { None })
                .map(str::len)
                .sum::<usize>();
        }
    }
    if text > MAX_TEXT {
        let detail =
            format!("the SVG holds more than {MAX_TEXT} bytes of text; convert it to outlines or shorten it");
        return Err(Violation::new(Code::TextTooLong, detail).limit(MAX_TEXT));
    }
    let mut cost = 0.0;
    for css in style_sheets(doc) {
        style(css, findings)?;
        cost += selector_cost(css, max_depth) * elements;
    }
    if cost > MAX_STYLE_COST {
        return Err(Violation::new(
            Code::SvgNodeLimit,
            "the SVG's style sheet is too large for its elements; simplify it",
        ));
    }
    Ok(())
}

fn element(node: &roxmltree::Node, findings: &mut Findings) -> Result<(), Violation> {
    let name = node.tag_name().name();
    if KNOWN.contains(&name) {
        return Ok(());
    }
    if ACTIVE.contains(&name) {
        findings
            .add(Code::SvgActiveContent, "the SVG holds a script or embedded media, which is not printed");
    } else if ANIMATION.contains(&name) {
        findings.add(Code::SvgUnsupported, "the SVG is animated; only its first state is printed");
    } else if FOREIGN.contains(&name) {
        if node.has_children() {
            let detail = "the SVG holds HTML, flowed text, a mesh or a font of its own, which is not printed; convert it to outlines";
            findings.add(Code::SvgUnsupported, detail);
        }
    } else if name.starts_with("fe") {
        findings.add(
            Code::SvgUnsupported,
            "the SVG uses a filter effect that is not in the standard; it is left out",
        );
    } else if !node
        .ancestors()
        .skip(1)
        .filter(|up| up.is_element())
        .any(|up| !KNOWN.contains(&up.tag_name().name()) || up.tag_name().name() == "metadata")
    {
        findings.add(
            Code::SvgUnsupported,
            "the SVG holds an element that is not in the standard; it is left out",
        );
    }
    Ok(())
}

fn attribute(
    node: &roxmltree::Node,
    attribute: &roxmltree::Attribute,
    findings: &mut Findings,
) -> Result<(), Violation> {
    let (name, value) = (attribute.name(), attribute.value());
    if attribute.namespace().is_none() && name.len() > 2 && name.starts_with("on") {
        findings.add(Code::SvgActiveContent, "the SVG has event handlers, which are left out");
        return Ok(());
    }
    if name == "href" {
        return href(node.tag_name().name(), value, findings);
    }
    if name == "style" || (attribute.namespace().is_none() && value.contains("url(")) {
        style(value, findings)?;
    }
    if matches!((name, value), ("vector-effect", "non-scaling-stroke")) {
        findings
            .add(Code::SvgUnsupported, "the SVG has strokes that do not scale; they are scaled with the art");
    }
    if matches!(name, "in" | "in2") && value.starts_with("Background") {
        findings.add(Code::SvgUnsupported, "a filter reads what lies beneath it; it gets nothing instead");
    }
    Ok(())
}

fn href(element: &str, value: &str, findings: &mut Findings) -> Result<(), Violation> {
    let value = value.trim();
    let scheme =
        |scheme: &str| value.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme));
    if scheme("javascript:") {
        findings.add(Code::SvgActiveContent, "the SVG has a link that runs a script; it is left out");
        return Ok(());
    }
    let local = value.is_empty() || value.starts_with('#');
    match element {
        _ if local => Ok(()),
        // A hyperlink is never followed; a script is never run.
        "a" | "script" => Ok(()),
        "image" | "feImage" if scheme("data:") => Ok(()),
        _ if scheme("data:") => {
            findings.add(
                Code::SvgUnsupported,
                "the SVG refers to embedded data where only its own elements can be used",
            );
            Ok(())
        }
        _ => Err(external("a reference")),
    }
}

/// Looks through CSS: a style sheet, a `style` attribute, or a value with `url()`.
fn style(css: &str, findings: &mut Findings) -> Result<(), Violation> {
    let lower = strip_comments(css).to_ascii_lowercase();
    if lower.contains("@import") {
        return Err(external("a style sheet"));
    }
    for target in urls(&lower) {
        if !target.is_empty() && !target.starts_with('#') {
            if target.starts_with("data:") {
                findings.add(
                    Code::SvgUnsupported,
                    "the SVG's style embeds data, such as a font, which is not used",
                );
            } else {
                return Err(external("a style"));
            }
        }
    }
    if lower.contains("@media") || lower.contains("var(") || lower.contains("calc(") {
        findings
            .add(Code::SvgUnsupported, "the SVG's style uses @media, var() or calc(), which are left out");
    }
    if lower.contains("non-scaling-stroke") {
        findings
            .add(Code::SvgUnsupported, "the SVG has strokes that do not scale; they are scaled with the art");
    }
    Ok(())
}

/// The targets of every `url(…)`, unquoted.
pub(super) fn urls(css: &str) -> impl Iterator<Item = &str> {
    let after = css.split("url(").skip(1);
    after.map(|rest| rest.split(')').next().unwrap_or_default().trim().trim_matches(['"', '\'', ' ']))
}

/// The text of every style sheet.
pub(super) fn style_sheets<'a>(doc: &'a roxmltree::Document) -> impl Iterator<Item = &'a str> {
    doc.descendants()
        .filter(|node| node.has_tag_name("style") || node.has_tag_name((SVG, "style")))
        .filter_map(|node| node.text())
}

pub(super) fn strip_comments(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    while let Some(start) = rest.find("/*") {
        out.push_str(&rest[..start]);
        rest = rest[start + 2..].find("*/").map_or("", |end| &rest[start + 2 + end + 2..]);
    }
    out.push_str(rest);
    out
}

/// Comparisons one element may need: a chain of descendants can be tried at every depth.
fn selector_cost(css: &str, max_depth: usize) -> f64 {
    let css = strip_comments(css);
    let selectors =
        css.split('}').filter_map(|rule| rule.split('{').next()).flat_map(|prelude| prelude.split(','));
    let cost = |selector: &str| {
        let links = selector.split_ascii_whitespace().count().saturating_sub(1).min(64);
        (0..links).fold(1.0, |cost, _| cost * max_depth.max(1) as f64)
    };
    selectors.map(cost).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(body: &str) -> Result<Vec<Code>, Code> {
        let xml = format!(
            "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink'>{body}</svg>"
        );
        let doc = roxmltree::Document::parse(&xml).unwrap();
        let mut findings = Findings::default();
        scan(&doc, 10, &mut findings).map_err(|v| v.code)?;
        Ok(findings.into_violations().into_iter().map(|v| v.code).collect())
    }

    #[test]
    fn whatever_leaves_the_file_is_refused() {
        for body in [
            "<image xlink:href='file:///etc/passwd'/>",
            "<image href='/var/run/secrets/token'/>",
            "<use href='other.svg#a'/>",
            "<filter><feImage href='http://169.254.169.254/'/></filter>",
            "<style>@import 'http://x/a.css';</style>",
            "<style>@im/**/port url(x)</style>",
            "<style>a{fill:url( \"http://x/#p\" )}</style>",
            "<rect fill='url(other.svg#p)'/>",
            "<rect style='filter:url(//x/f)'/>",
        ] {
            assert_eq!(run(body), Err(Code::SvgExternalRef), "{body}");
        }
        for body in
            ["<a href='https://x/'/>", "<rect fill='url(#p)'/>", "<image href='data:image/png;base64,AAAA'/>"]
        {
            assert_eq!(run(body), Ok(vec![]), "{body}");
        }
    }

    #[test]
    fn what_cannot_be_rendered_is_listed() {
        for (body, code) in [
            ("<script>x</script>", Code::SvgActiveContent),
            ("<g onload='x()'/>", Code::SvgActiveContent),
            ("<a href='JavaScript:x()'/>", Code::SvgActiveContent),
            ("<foreignObject><p/></foreignObject>", Code::SvgUnsupported),
            ("<filter><feMagic/></filter>", Code::SvgUnsupported),
            ("<hologram/>", Code::SvgUnsupported),
            ("<rect><animate/></rect>", Code::SvgUnsupported),
        ] {
            assert_eq!(run(body), Ok(vec![code]), "{body}");
        }
        assert_eq!(run("<foreignObject/>"), Ok(vec![]));
    }

    #[test]
    fn style_sheets_and_text_have_a_price() {
        let chain = format!("<style>zz {} x{{fill:red}}</style>", "* ".repeat(30));
        assert_eq!(run(&chain), Err(Code::SvgNodeLimit));
        assert_eq!(run(&format!("<text>{}</text>", "a".repeat(100_001))), Err(Code::TextTooLong));
    }
}
