//! A pass over raw XML that cannot recurse: how deep, how many, how far entities expand.
//!
//! It runs before any parser, because parsers answer depth with a stack overflow and entities
//! with memory. It trusts nothing; what it misreads is malformed, and the parser says so later.

use super::source::corrupt;
use crate::error::{Code, Violation};
use std::collections::BTreeMap;

/// Open elements at any place, `use` expanded.
pub(super) const MAX_DEPTH: usize = 200;
/// Attributes of one element.
const MAX_ATTRIBUTES: usize = 1_000;
/// Bytes that all entity references of a document expand to.
const MAX_EXPANSION: u64 = 1_000_000;
/// Entities inside entities.
const MAX_ENTITY_DEPTH: usize = 8;

/// Checks depth, counts and entities of the document.
pub(super) fn check(xml: &str, max_elements: u64) -> Result<(), Violation> {
    let mut lexer = Lexer { xml, at: 0, depth: 0, elements: 0, expanded: 0, entities: BTreeMap::new() };
    while lexer.at < xml.len() {
        lexer.step(max_elements)?;
    }
    Ok(())
}

struct Lexer<'a> {
    xml: &'a str,
    at: usize,
    depth: usize,
    elements: u64,
    expanded: u64,
    entities: BTreeMap<&'a str, &'a str>,
}

impl<'a> Lexer<'a> {
    fn step(&mut self, max_elements: u64) -> Result<(), Violation> {
        let bytes = self.xml.as_bytes();
        let rest = &bytes[self.at..];
        match rest {
            [b'&', ..] => self.reference(),
            [b'<', b'!', b'-', b'-', ..] => self.skip_past(4, b"-->"),
            [b'<', b'!', b'[', ..] => self.skip_past(3, b"]]>"),
            [b'<', b'!', ..] => self.doctype(),
            [b'<', b'?', ..] => self.instruction(),
            [b'<', b'/', ..] => {
                self.depth = self.depth.saturating_sub(1);
                self.skip_past(2, b">")
            }
            [b'<', ..] => {
                self.elements += 1;
                if self.elements > max_elements {
                    return Err(too_many(max_elements));
                }
                self.element()
            }
            _ => {
                let text = rest.iter().position(|b| matches!(b, b'<' | b'&')).unwrap_or(rest.len());
                self.at += text.max(1);
                Ok(())
            }
        }
    }

    fn element(&mut self) -> Result<(), Violation> {
        let bytes = self.xml.as_bytes();
        let (mut quote, mut attributes) = (None, 0);
        self.at += 1;
        while let Some(&byte) = bytes.get(self.at) {
            match (quote, byte) {
                (_, b'&') => {
                    self.reference()?;
                    continue;
                }
                (Some(open), _) if byte == open => quote = None,
                (Some(_), _) => {}
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, b'=') => {
                    attributes += 1;
                    if attributes > MAX_ATTRIBUTES {
                        let detail = format!("an SVG element has more than {MAX_ATTRIBUTES} attributes");
                        return Err(Violation::new(Code::SvgNodeLimit, detail).limit(MAX_ATTRIBUTES));
                    }
                }
                (None, b'>') => {
                    let closed = bytes[self.at - 1] == b'/';
                    self.at += 1;
                    if !closed {
                        self.depth += 1;
                        if self.depth > MAX_DEPTH {
                            return Err(too_deep());
                        }
                    }
                    return Ok(());
                }
                (None, _) => {}
            }
            self.at += 1;
        }
        Err(corrupt("the SVG ends inside a tag; the file is cut off"))
    }

    fn instruction(&mut self) -> Result<(), Violation> {
        let start = self.at;
        self.skip_past(2, b"?>")?;
        if self.xml[start..].starts_with("<?xml-stylesheet") && !self.xml[start..self.at].contains("href=\"#")
        {
            return Err(external("a style sheet"));
        }
        Ok(())
    }

    /// Reads entity declarations. An external subset that only names a public DTD is legal: it is never fetched.
    fn doctype(&mut self) -> Result<(), Violation> {
        let bytes = self.xml.as_bytes();
        let (mut quote, mut inside) = (None, false);
        self.at += 2;
        while let Some(&byte) = bytes.get(self.at) {
            match (quote, byte) {
                (Some(open), _) if byte == open => quote = None,
                (Some(_), _) => {}
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, b'[') => inside = true,
                (None, b']') => inside = false,
                (None, b'>') if !inside => {
                    self.at += 1;
                    return Ok(());
                }
                (None, b'<') if bytes[self.at..].starts_with(b"<!--") => {
                    self.skip_past(4, b"-->")?;
                    continue;
                }
                (None, b'<') if bytes[self.at..].starts_with(b"<!ENTITY") => {
                    self.entity()?;
                    continue;
                }
                (None, _) => {}
            }
            self.at += 1;
        }
        Err(corrupt("the SVG's DOCTYPE does not end"))
    }

    fn entity(&mut self) -> Result<(), Violation> {
        let body = &self.xml[self.at + "<!ENTITY".len()..];
        let open = body.find(['"', '\'']).ok_or_else(|| corrupt("an entity of the SVG has no value"))?;
        let mut words = body[..open].split_ascii_whitespace();
        let name = words.next().unwrap_or_default();
        if words.any(|word| matches!(word, "SYSTEM" | "PUBLIC")) {
            return Err(external("an entity"));
        }
        let value = &body[open + 1..];
        let quote = char::from(body.as_bytes()[open]);
        let close = value.find(quote).ok_or_else(|| corrupt("an entity of the SVG does not end"))?;
        let value = &value[..close];
        if value.contains('<') {
            let detail = "an entity of the SVG holds markup, which is not accepted; write it out";
            return Err(Violation::new(Code::SvgEntityLimit, detail));
        }
        self.entities.entry(name).or_insert(value);
        let used = body.len() - body[open + 1 + close + 1..].len();
        self.at += "<!ENTITY".len() + used;
        self.skip_past(0, b">")
    }

    fn reference(&mut self) -> Result<(), Violation> {
        let name = self.xml[self.at + 1..].split(';').next().unwrap_or_default();
        self.at += 1;
        if let Some((name, _)) = self.entities.get_key_value(name) {
            self.expanded = self.expanded.saturating_add(self.expansion(name, 0)?);
            if self.expanded > MAX_EXPANSION {
                return Err(entities());
            }
        }
        Ok(())
    }

    fn expansion(&self, name: &str, depth: usize) -> Result<u64, Violation> {
        let Some(value) = self.entities.get(name) else { return Ok(0) };
        if depth > MAX_ENTITY_DEPTH {
            return Err(entities());
        }
        // One more for itself, so that references to nothing are counted too.
        let mut size = value.len() as u64 + 1;
        for reference in value.split('&').skip(1) {
            size = size
                .saturating_add(self.expansion(reference.split(';').next().unwrap_or_default(), depth + 1)?);
            if size > MAX_EXPANSION {
                return Err(entities());
            }
        }
        Ok(size)
    }

    fn skip_past(&mut self, from: usize, end: &[u8]) -> Result<(), Violation> {
        let start = self.at + from;
        let rest = self.xml.as_bytes().get(start..).unwrap_or_default();
        let found = rest.windows(end.len()).position(|window| window == end);
        let found = found.ok_or_else(|| corrupt("the SVG ends too early; the file is cut off"))?;
        self.at = start + found + end.len();
        Ok(())
    }
}

pub(super) fn external(what: &str) -> Violation {
    let detail =
        format!("{what} of the SVG lies outside the file; embed it (pictures as data: URIs) or remove it");
    Violation::new(Code::SvgExternalRef, detail)
}

pub(super) fn too_many(limit: u64) -> Violation {
    let detail = format!("the SVG has more than {limit} elements once `use` is expanded; simplify it");
    Violation::new(Code::SvgNodeLimit, detail).limit(limit)
}

pub(super) fn too_deep() -> Violation {
    let detail =
        format!("the SVG nests more than {MAX_DEPTH} elements once `use` is expanded; flatten its groups");
    Violation::new(Code::SvgDepthLimit, detail).limit(MAX_DEPTH)
}

fn entities() -> Violation {
    let detail = format!(
        "the SVG's entities expand to more than {MAX_EXPANSION} bytes or into themselves; write them out"
    );
    Violation::new(Code::SvgEntityLimit, detail).limit(MAX_EXPANSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(xml: &str) -> Code {
        check(xml, 1000).unwrap_err().code
    }

    #[test]
    fn depth_count_and_attributes_are_limited() {
        assert_eq!(code(&"<g>".repeat(100_000)), Code::SvgDepthLimit);
        assert_eq!(code(&"<g/>".repeat(2_000)), Code::SvgNodeLimit);
        assert_eq!(code(&format!("<svg {}/>", "a='' ".repeat(80_000))), Code::SvgNodeLimit);
        assert!(check(&format!("{}{}", "<g>".repeat(200), "</g>".repeat(200)), 1000).is_ok());
        assert!(check("<svg a='<g><g>'><!-- <g> --><![CDATA[<g>]]></svg>", 1).is_ok());
    }

    #[test]
    fn laughs_are_counted_not_expanded() {
        let mut dtd = String::from("<!ENTITY a0 'ha'>");
        for i in 1..8 {
            dtd += &format!("<!ENTITY a{i} '{}'>", format!("&a{};", i - 1).repeat(10));
        }
        assert_eq!(code(&format!("<!DOCTYPE svg [{dtd}]><svg>&a7;</svg>")), Code::SvgEntityLimit);
        assert_eq!(
            code("<!DOCTYPE svg [<!ENTITY a '&b;'><!ENTITY b '&a;'>]><svg>&a;</svg>"),
            Code::SvgEntityLimit
        );
        assert_eq!(code("<!DOCTYPE svg [<!ENTITY a '<g/>'>]><svg>&a;</svg>"), Code::SvgEntityLimit);
        assert!(check("<!DOCTYPE svg [<!ENTITY ns 'http://x'>]><svg xmlns='&ns;'/>", 9).is_ok());
    }

    #[test]
    fn external_entities_and_sheets_are_refused() {
        assert_eq!(
            code("<!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><svg>&x;</svg>"),
            Code::SvgExternalRef
        );
        assert_eq!(code("<!DOCTYPE svg [<!ENTITY % x SYSTEM 'http://x/'> %x;]><svg/>"), Code::SvgExternalRef);
        assert_eq!(code("<?xml-stylesheet href='http://x/a.css'?><svg/>"), Code::SvgExternalRef);
        assert!(
            check("<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'http://www.w3.org/x.dtd'><svg/>", 9)
                .is_ok()
        );
    }
}
