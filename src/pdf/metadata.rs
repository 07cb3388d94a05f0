//! What the file says about itself: the Info dictionary and the XMP packet.
//!
//! Both come from inputs only; without a creation date they name none.

use super::object::{dictionary, name, text};
use crate::catalog::print::Standard;
use lopdf::{Dictionary, Object};

/// Who made the file.
const PRODUCER: &str = concat!("presswork ", env!("CARGO_PKG_VERSION"));

/// A moment in UTC, given by the caller: the core has no clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Year, 0 to 9999.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day, 1 to 31.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 59.
    pub second: u8,
}

/// The date of files whose standard asks for one and whose maker gives none: equal orders make
/// equal bytes, so it cannot be the date of the day.
pub(super) const NO_DATE: Moment = Moment { year: 2000, month: 1, day: 1, hour: 0, minute: 0, second: 0 };

impl Moment {
    fn pdf(&self) -> String {
        let Moment { year, month, day, hour, minute, second } = self;
        format!("D:{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z")
    }

    fn iso(&self) -> String {
        let Moment { year, month, day, hour, minute, second } = self;
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// The Info dictionary.
pub(super) fn info(title: Option<&str>, created: Option<&Moment>, standard: Standard) -> Dictionary {
    let mut info = dictionary([("Producer", text(PRODUCER)), ("Creator", text(PRODUCER))]);
    if let Some(title) = title {
        info.set("Title", text(&plain(title)));
    }
    if let Some(moment) = created {
        info.set("CreationDate", text(&moment.pdf()));
        info.set("ModDate", text(&moment.pdf()));
    }
    info.set("Trapped", name("False"));
    if let Some(version) = standard.version() {
        info.set("GTS_PDFXVersion", text(version));
    }
    info
}

/// The XMP packet that says the same. `identity` stands for the content so far.
pub(super) fn xmp(
    title: Option<&str>,
    created: Option<&Moment>,
    standard: Standard,
    identity: [u8; 16],
) -> String {
    let mut fields = format!("<pdf:Producer>{PRODUCER}</pdf:Producer><pdf:Trapped>False</pdf:Trapped>");
    fields += &format!("<xmp:CreatorTool>{PRODUCER}</xmp:CreatorTool>");
    if let Some(title) = title {
        let title = escaped(&plain(title));
        fields += &format!(
            "<dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">{title}</rdf:li></rdf:Alt></dc:title>"
        );
    }
    if let Some(moment) = created {
        let iso = moment.iso();
        fields += &format!(
            "<xmp:CreateDate>{iso}</xmp:CreateDate><xmp:ModifyDate>{iso}</xmp:ModifyDate>\
             <xmp:MetadataDate>{iso}</xmp:MetadataDate>"
        );
    }
    let mut spaces = String::new();
    if let Some(version) = standard.version() {
        // The older standards speak in the Info dictionary; what XMP says too stands in the
        // namespace of such entries.
        let (namespace, prefix) = if standard.is_flat() {
            ("http://ns.adobe.com/pdfx/1.3/", "pdfx")
        } else {
            ("http://www.npes.org/pdfx/ns/id/", "pdfxid")
        };
        let id = hex::encode(identity);
        let uuid = [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-");
        spaces += &format!(" xmlns:xmpMM=\"http://ns.adobe.com/xap/1.0/mm/\" xmlns:{prefix}=\"{namespace}\"");
        fields += &format!(
            "<xmpMM:DocumentID>uuid:{uuid}</xmpMM:DocumentID><xmpMM:VersionID>1</xmpMM:VersionID>\
             <xmpMM:RenditionClass>default</xmpMM:RenditionClass>\
             <{prefix}:GTS_PDFXVersion>{version}</{prefix}:GTS_PDFXVersion>"
        );
    }
    format!(
        "<?xpacket begin=\"\u{FEFF}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
         xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\" xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\"{spaces}>\
         {fields}</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end=\"r\"?>"
    )
}

/// A title in one line, the same for both: what XML 1.0 cannot hold becomes a space, and so do line ends
/// and tabs, which readers of XML may change.
fn plain(title: &str) -> String {
    title.chars().map(|c| if c < ' ' || matches!(c, '\u{FFFE}' | '\u{FFFF}') { ' ' } else { c }).collect()
}

/// Text for XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The XMP stream's dictionary.
pub(super) fn xmp_entries() -> Dictionary {
    dictionary([("Type", name("Metadata")), ("Subtype", Object::Name(b"XML".to_vec()))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_places_have_the_same_title() {
        let title = "a\tb\r\n<c> & \u{1}d\u{FFFF}";
        let info = info(Some(title), None, Standard::X4);
        let said = info.get(b"Title").and_then(Object::as_str).unwrap();
        assert_eq!(said, b"a b  <c> &  d ");
        let packet = xmp(Some(title), None, Standard::X4, [0; 16]);
        assert!(packet.contains(">a b  &lt;c&gt; &amp;  d </rdf:li>"), "{packet}");
    }
}
