//! Who draws whom: cycles, and how many elements a document becomes once every reference is followed.
//!
//! `use`, patterns, masks, clips, filters and markers all draw elements that stand elsewhere.
//! A small file can so become billions of elements, or draw itself.

use super::lex::{MAX_DEPTH, too_deep, too_many};
use super::scan::{is_svg, strip_comments, style_sheets, urls};
use crate::error::{Code, Violation};
use roxmltree::{Document, Node};
use std::collections::BTreeMap;

/// Elements that draw only when something refers to them.
const DORMANT: &[&str] = &[
    "defs",
    "symbol",
    "clipPath",
    "mask",
    "pattern",
    "marker",
    "linearGradient",
    "radialGradient",
    "filter",
    "style",
    "script",
    "metadata",
    "title",
    "desc",
];
/// References to paint servers, masks, clips and filters in one document.
const MAX_LINKS: usize = 30_000;
/// Bytes of a data: URI that weigh as much as one element.
const DATA_PER_ELEMENT: u64 = 2_000;

struct Link {
    to: usize,
    times: u64,
    weighs: bool,
}

struct Vertex {
    own: u64,
    links: Vec<Link>,
}

/// The number of elements drawn, or why they cannot be counted; and how deep they stand.
pub(super) fn check(doc: &Document, max_elements: u64) -> Result<u64, Violation> {
    let vertices = vertices(doc)?;
    let mut costs: Vec<Option<(u64, usize)>> = (0..vertices.len()).map(|_| None).collect();
    let mut open = vec![false; vertices.len()];
    for start in 0..vertices.len() {
        let mut stack = vec![(start, 0)];
        while let Some((at, next)) = stack.pop() {
            if next == 0 && costs[at].is_some() {
                continue;
            }
            open[at] = true;
            match vertices[at].links.get(next) {
                Some(link) => {
                    stack.push((at, next + 1));
                    if open[link.to] {
                        return Err(recursion());
                    }
                    if costs[link.to].is_none() {
                        stack.push((link.to, 0));
                    }
                }
                None => {
                    open[at] = false;
                    let cost = cost(&vertices[at], &costs);
                    if cost.1 > MAX_DEPTH + 1 {
                        return Err(too_deep());
                    }
                    costs[at] = Some(cost);
                }
            }
        }
    }
    let root = costs.get(doc.root_element().id().get_usize()).copied().flatten().map_or(0, |cost| cost.0);
    if root > max_elements { Err(too_many(max_elements)) } else { Ok(root) }
}

fn cost(vertex: &Vertex, costs: &[Option<(u64, usize)>]) -> (u64, usize) {
    let (mut count, mut depth) = (vertex.own, 0);
    for link in &vertex.links {
        let (size, below) = costs[link.to].unwrap_or((0, 0));
        if link.weighs {
            count = count.saturating_add(size.saturating_mul(link.times));
        }
        depth = depth.max(below);
    }
    (count, depth + 1)
}

fn vertices(doc: &Document) -> Result<Vec<Vertex>, Violation> {
    let mut ids: BTreeMap<&str, Node> = BTreeMap::new();
    for node in doc.descendants().filter(is_svg) {
        if let Some(id) = node.attribute("id") {
            ids.entry(id).or_insert(node);
        }
    }
    let styled = StyleLinks::read(doc);
    let mut links = 0;
    let mut vertices = Vec::new();
    for node in doc.descendants() {
        let mut vertex = Vertex { own: u64::from(node.is_element()), links: Vec::new() };
        if is_svg(&node) {
            for child in
                node.children().filter(|child| is_svg(child) && !DORMANT.contains(&child.tag_name().name()))
            {
                vertex.links.push(Link { to: child.id().get_usize(), times: 1, weighs: true });
            }
            let own = vertex.links.len();
            follow(&node, &ids, &styled, &mut vertex);
            links += vertex.links.len() - own;
            if links > MAX_LINKS {
                let detail =
                    format!("the SVG refers to its own elements more than {MAX_LINKS} times; simplify it");
                return Err(Violation::new(Code::SvgNodeLimit, detail).limit(MAX_LINKS));
            }
        }
        vertices.push(vertex);
    }
    Ok(vertices)
}

/// Adds what an element draws by reference.
fn follow(node: &Node, ids: &BTreeMap<&str, Node>, styled: &StyleLinks, vertex: &mut Vertex) {
    let mut add = |target: &str, markers: bool| {
        let Some(target) = target.strip_prefix('#').and_then(|id| ids.get(id)) else { return };
        let kind = target.tag_name().name();
        let times = if markers && kind == "marker" { places(node) } else { 1 };
        let weighs = !matches!(kind, "linearGradient" | "radialGradient");
        vertex.links.push(Link { to: target.id().get_usize(), times, weighs });
    };
    let name = node.tag_name().name();
    for attribute in node.attributes() {
        let value = attribute.value();
        match attribute.name() {
            "href" if matches!(name, "image" | "feImage") && value.len() > 100 => {
                vertex.own = vertex.own.saturating_add(value.len() as u64 / DATA_PER_ELEMENT);
                continue;
            }
            "href" if !matches!(name, "a" | "textPath" | "mpath" | "script") => add(value.trim(), false),
            "href" => {}
            _ if value.contains("url(") => urls(value).for_each(|target| add(target, true)),
            _ => {}
        }
    }
    if matches!(name, "path" | "line" | "polyline" | "polygon") {
        // Markers are inherited.
        for up in node.ancestors().skip(1) {
            for attribute in
                up.attributes().filter(|a| a.value().contains("marker") || a.name().starts_with("marker"))
            {
                urls(attribute.value()).for_each(|target| add(target, true));
            }
        }
    }
    styled.of(node).for_each(|target| add(target, true));
}

/// How many markers a shape may carry: about one for every two numbers.
fn places(node: &Node) -> u64 {
    let outline = node.attribute("d").or_else(|| node.attribute("points")).unwrap_or_default();
    let starts =
        outline.as_bytes().windows(2).filter(|pair| !pair[0].is_ascii_digit() && pair[1].is_ascii_digit());
    starts.count() as u64 / 2 + 3
}

/// `url(#…)` in style sheets, by the last name of the selectors that set them. A selector is
/// read loosely, so that it matches too much rather than too little.
struct StyleLinks(BTreeMap<String, Vec<String>>);

impl StyleLinks {
    fn read(doc: &Document) -> Self {
        let mut links: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for css in style_sheets(doc).filter(|css| css.contains("url(")) {
            let css = strip_comments(css);
            for (selectors, body) in css.split('}').filter_map(|rule| rule.split_once('{')) {
                let targets: Vec<String> = urls(body).map(str::to_owned).collect();
                if targets.is_empty() {
                    continue;
                }
                for selector in selectors.split(',') {
                    let last =
                        selector.split([' ', '>', '+', '~', '\n', '\t']).rfind(|part| !part.is_empty());
                    let key = last.unwrap_or("*").split([':', '[']).next().unwrap_or("*");
                    let key = key.rfind(['.', '#']).map_or(key, |mark| &key[mark..]);
                    let key = if key.is_empty() { "*" } else { key };
                    links.entry(key.to_owned()).or_default().extend(targets.iter().cloned());
                }
            }
        }
        StyleLinks(links)
    }

    fn of<'a>(&'a self, node: &Node<'a, 'a>) -> impl Iterator<Item = &'a str> {
        let mut keys = Vec::new();
        if !self.0.is_empty() {
            keys.push("*".to_owned());
            keys.push(node.tag_name().name().to_owned());
            keys.extend(node.attribute("id").map(|id| format!("#{id}")));
            let classes = node.attribute("class").unwrap_or_default().split_ascii_whitespace();
            keys.extend(classes.map(|class| format!(".{class}")));
        }
        keys.into_iter().filter_map(|key| self.0.get(&key)).flatten().map(String::as_str)
    }
}

fn recursion() -> Violation {
    let detail = "an element of the SVG draws itself through use, pattern, mask, clip path, filter or marker; break the loop";
    Violation::new(Code::SvgRecursion, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(body: &str) -> Result<u64, Code> {
        let xml = format!("<svg xmlns='http://www.w3.org/2000/svg'>{body}</svg>");
        check(&Document::parse(&xml).unwrap(), 10_000).map_err(|v| v.code)
    }

    #[test]
    fn loops_of_every_kind_are_found() {
        for body in [
            "<use id='a' href='#a'/>",
            "<g id='a'><use href='#b'/></g><g id='b'><use href='#a'/></g>",
            "<pattern id='p'><rect fill='url(#p)'/></pattern>",
            "<mask id='m' mask='url(#m)'><rect/></mask>",
            "<mask id='m'><rect mask='url(#m)'/></mask>",
            "<clipPath id='c'><path style='clip-path: url(\"#c\")'/></clipPath>",
            "<filter id='f'><feImage href='#r'/></filter><rect id='r' filter='url(#f)'/>",
            "<style>.x{fill:url(#p)}</style><pattern id='p'><rect class='x'/></pattern>",
            "<marker id='m'><path marker-end='url(#m)'/></marker>",
            "<linearGradient id='a' href='#b'/><linearGradient id='b' href='#a'/>",
        ] {
            assert_eq!(run(body), Err(Code::SvgRecursion), "{body}");
        }
    }

    #[test]
    fn fan_out_is_counted_not_followed() {
        let mut body = "<g id='g0'><path/></g>".to_owned();
        for i in 1..60 {
            body += &format!("<g id='g{i}'><use href='#g{0}'/><use href='#g{0}'/></g>", i - 1);
        }
        assert_eq!(run(&format!("<defs>{body}</defs><use href='#g59'/>")), Err(Code::SvgNodeLimit));
        assert_eq!(run("<defs><path id='a'/></defs><use href='#a'/><use href='#a'/>"), Ok(5));
    }

    #[test]
    fn chains_are_as_deep_as_what_they_draw() {
        let chain: String = (0..300).map(|i| format!("<use id='u{i}' href='#u{}'/>", i + 1)).collect();
        assert_eq!(run(&chain), Err(Code::SvgDepthLimit));
    }
}
