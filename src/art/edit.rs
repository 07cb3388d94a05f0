//! The art written out again with its colours replaced, for the parts that are painted by resvg.
//!
//! A filter's pixels are computed from usvg's own nodes, which cannot be changed in place. So
//! the resolved tree is written as plain SVG, where every colour stands in an attribute of its
//! own, the colours are exchanged, and the result is parsed.

use super::recolor::{Inks, Rgb, hex, rgb8};
use super::source::corrupt;
use crate::error::Violation;
use crate::scene::{Color, Ink};
use resvg::usvg;

const COLORS: &[&str] = &["fill", "stroke", "stop-color", "flood-color", "lighting-color"];

/// SVG text of the tree in the new colours. Named elements are recoloured where they are
/// painted directly, not inside patterns.
pub(super) fn recolored(
    plain: &usvg::Tree,
    marked: Option<&usvg::Tree>,
    inks: &Inks,
) -> Result<String, Violation> {
    let options = usvg::WriteOptions::default();
    let text = plain.to_string(&options);
    let marked = marked.map(|tree| tree.to_string(&options));
    let doc = super::read::document(&text, u32::MAX)?;
    let twin = match &marked {
        Some(marked) => Some(super::read::document(marked, u32::MAX)?),
        None => None,
    };
    let marks: Vec<_> = twin.iter().flat_map(|doc| doc.descendants()).filter(is_drawn).collect();
    let drawn: Vec<_> = doc.descendants().filter(is_drawn).collect();
    if twin.is_some() && marks.len() != drawn.len() {
        return Err(corrupt("filtered art cannot be recoloured by id here; recolour it by swatch"));
    }
    let mut edits = Vec::new();
    for node in doc.descendants() {
        let mark = if marks.is_empty() {
            None
        } else {
            drawn.iter().position(|other| *other == node).map(|i| marks[i])
        };
        for attribute in node.attributes().filter(|attribute| COLORS.contains(&attribute.name())) {
            let mark = mark.and_then(|mark| mark.attribute(attribute.name())).and_then(parse);
            let ink = match (parse(attribute.value()), mark.and_then(|mark| inks.marked(Some(mark)))) {
                (_, Some(ink)) if attribute.value() != "none" => ink.clone(),
                (Some(color), _) => inks.ink(color, None),
                (None, _) => continue,
            };
            edits.push((attribute.range_value(), srgb_hex(&ink)));
        }
    }
    let mut out = text.clone();
    for (range, value) in edits.into_iter().rev() {
        out.replace_range(range, &value);
    }
    Ok(out)
}

fn is_drawn(node: &roxmltree::Node) -> bool {
    node.tag_name().name() == "path" && !node.ancestors().any(|up| up.tag_name().name() == "defs")
}

fn parse(value: &str) -> Option<usvg::Color> {
    let [red, green, blue]: Rgb = rgb8(Color::parse_hex(value)?);
    Some(usvg::Color { red, green, blue })
}

fn srgb_hex(ink: &Ink) -> String {
    hex(rgb8(Color::Srgb(ink.to_srgb())))
}
