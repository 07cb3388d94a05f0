//! What the file says about itself: the XMP packet, and the Info dictionary that has to agree.

use super::context::Context;
use super::read::{Dict, ReadError, Value, text_string};
use super::rule::Rule;
use roxmltree::{Document, Node, ParsingOptions};
use std::io::{Read, Seek};

const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const DC: &str = "http://purl.org/dc/elements/1.1/";
const XMP: &str = "http://ns.adobe.com/xap/1.0/";
const MM: &str = "http://ns.adobe.com/xap/1.0/mm/";
const PDF: &str = "http://ns.adobe.com/pdf/1.3/";
const PDFX: &str = "http://www.npes.org/pdfx/ns/id/";

/// Bytes of a packet.
const PACKET: usize = 4_000_000;

/// What has to stand in XMP.
const REQUIRED: &[(&str, &str, &str)] = &[
    (DC, "title", "dc:title"),
    (XMP, "CreateDate", "xmp:CreateDate"),
    (XMP, "ModifyDate", "xmp:ModifyDate"),
    (XMP, "MetadataDate", "xmp:MetadataDate"),
    (MM, "DocumentID", "xmpMM:DocumentID"),
    (MM, "RenditionClass", "xmpMM:RenditionClass"),
    (MM, "VersionID", "xmpMM:VersionID"),
];

/// What may stand in Info alone, and has to agree where it stands in XMP too.
const FREE: &[(&str, &str, &str)] =
    &[("Author", DC, "creator"), ("Subject", DC, "description"), ("Keywords", PDF, "Keywords")];

/// What stands in Info and in XMP, and whether it is a date.
const PAIRS: &[(&str, &str, &str, bool)] = &[
    ("Title", DC, "title", false),
    ("Producer", PDF, "Producer", false),
    ("Creator", XMP, "CreatorTool", false),
    ("CreationDate", XMP, "CreateDate", true),
    ("ModDate", XMP, "ModifyDate", true),
    ("Trapped", PDF, "Trapped", false),
    ("GTS_PDFXVersion", PDFX, "GTS_PDFXVersion", false),
];

impl<R: Read + Seek> Context<'_, R> {
    /// Reads the packet and holds Info against it.
    pub(crate) fn check_metadata(&mut self, catalog: &Dict) -> Result<(), ReadError> {
        if self.findings.wish.standard.is_flat() {
            return self.check_info();
        }
        let packet = match catalog.get("Metadata").cloned() {
            None => None,
            Some(value) => {
                let object = self.file.follow(&value)?;
                if object.stream.is_some() { self.file.data(&object)? } else { None }
            }
        };
        let text = packet.filter(|p| p.len() <= PACKET).and_then(|p| String::from_utf8(p).ok());
        let options = ParsingOptions { nodes_limit: 100_000, ..ParsingOptions::default() };
        let text = text.unwrap_or_default();
        let document = Document::parse_with_options(text.trim_start_matches('\u{FEFF}'), options).ok();
        let Some(xmp) = document.filter(|xmp| descriptions(xmp).next().is_some()) else {
            self.findings
                .file(Rule::MetadataMissing, "There is no XMP packet that reads; write one into /Metadata.");
            return Ok(());
        };
        let missing: Vec<&str> = REQUIRED
            .iter()
            .filter(|(ns, name, _)| property(&xmp, ns, name).is_none_or(|v| v.is_empty()))
            .map(|r| r.2)
            .collect();
        if !missing.is_empty() {
            let detail = format!("XMP lacks {}, which PDF/X-4 asks for; write it.", missing.join(", "));
            self.findings.file(Rule::MetadataIncomplete, detail);
        }
        if property(&xmp, PDFX, "GTS_PDFXVersion").as_deref() != Some("PDF/X-4") {
            self.findings.file(
                Rule::MetadataStandard,
                "XMP does not name PDF/X-4 as the file's standard in pdfxid:GTS_PDFXVersion; name it.",
            );
        }
        if !matches!(property(&xmp, PDF, "Trapped").as_deref(), Some("True" | "False")) {
            self.findings.file(
                Rule::MetadataTrapped,
                "XMP does not say in pdf:Trapped whether the file is trapped; say True or False.",
            );
        }
        let trailer = self.file.trailer.clone();
        let info = self.file.dict(&trailer, "Info")?.unwrap_or_default();
        let mut differ = Vec::new();
        for (key, ns, name, date) in PAIRS {
            let own = match self.file.entry(&info, key)? {
                Some(Value::Text(bytes)) => text_string(&bytes),
                Some(Value::Name(name)) => String::from_utf8_lossy(&name).into_owned(),
                _ => continue,
            };
            let other = property(&xmp, ns, name);
            // What XMP lacks and has to have is told above.
            let Some(other) = other else {
                if !REQUIRED.iter().any(|(n, l, _)| n == ns && l == name)
                    && !matches!(*key, "Trapped" | "GTS_PDFXVersion")
                {
                    differ.push(*key);
                }
                continue;
            };
            let same = if *date { digits(&own) == digits(&other) } else { own.trim() == other.trim() };
            let told = *key == "GTS_PDFXVersion" && other != "PDF/X-4"
                || *key == "Trapped" && !matches!(other.as_str(), "True" | "False");
            if !same && !told {
                differ.push(*key);
            }
        }
        for (key, ns, name) in FREE {
            let own = self.file.entry(&info, key)?;
            let Some(own) = own.as_ref().and_then(Value::bytes).map(text_string) else { continue };
            let items = items(&xmp, ns, name);
            // Several authors are one text in Info.
            let joined = ["; ", ", ", ";", ","].map(|between| items.join(between));
            let same = items.iter().chain(&joined).any(|other| other.trim() == own.trim());
            if !items.is_empty() && !same {
                differ.push(*key);
            }
        }
        if !differ.is_empty() {
            let detail = format!(
                "Info and XMP contradict each other in {}; write both from one source.",
                differ.join(", ")
            );
            self.findings.file(Rule::MetadataMismatch, detail);
        }
        Ok(())
    }
}

fn descriptions<'d>(xmp: &'d Document<'d>) -> impl Iterator<Item = Node<'d, 'd>> {
    xmp.descendants().filter(|node| node.has_tag_name((RDF, "Description")))
}

/// A property as an attribute, as text, or as the first item of a list.
fn property(xmp: &Document<'_>, ns: &str, name: &str) -> Option<String> {
    items(xmp, ns, name).into_iter().next()
}

/// A property as an attribute, as text, or as all items of a list; none where it is missing.
fn items(xmp: &Document<'_>, ns: &str, name: &str) -> Vec<String> {
    let found = descriptions(xmp).find_map(|description| {
        if let Some(value) = description.attribute((ns, name)) {
            return Some(vec![value.to_owned()]);
        }
        let text = |node: Node<'_, '_>| node.text().unwrap_or_default().to_owned();
        let element = description.children().find(|child| child.has_tag_name((ns, name)))?;
        let items = element.descendants().filter(|node| node.has_tag_name((RDF, "li"))).map(text);
        let items: Vec<String> = items.collect();
        Some(if items.is_empty() { vec![text(element)] } else { items })
    });
    found.unwrap_or_default()
}

/// A date's digits and its zone, whichever way it is written: `D:20260102030405Z`,
/// `2026-01-02T03:04:05+00:00`.
fn digits(date: &str) -> String {
    let date = date.trim().trim_start_matches("D:").trim_end_matches('\'');
    let (time, zone) = match date.char_indices().skip(10).find(|(_, c)| matches!(c, 'Z' | '+' | '-')) {
        Some((at, _)) => date.split_at(at),
        None => (date, ""),
    };
    let only = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let away = only(zone);
    let zone =
        if away.chars().all(|c| c == '0') { "Z".to_owned() } else { format!("{}{away:0<4}", &zone[..1]) };
    // A whole second may be written with a fraction.
    format!("{:.14}{zone}", only(time.split('.').next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::digits;

    #[test]
    fn dates_are_equal_however_they_are_written() {
        assert_eq!(digits("D:20260102030405Z"), digits("2026-01-02T03:04:05Z"));
        assert_eq!(digits("D:20260102030405+00'00'"), digits("2026-01-02T03:04:05.000Z"));
        assert_eq!(digits("D:20260102030405+02'00'"), digits("2026-01-02T03:04:05+02:00"));
        assert_ne!(digits("D:20260102030405Z"), digits("2026-01-02T03:04:06Z"));
        assert_ne!(digits("D:20260102030405-05'00"), digits("2026-01-02T03:04:05+05:00"));
    }
}
