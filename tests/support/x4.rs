//! A small PDF/X-4 file written by hand, object by object, so that a test can break one thing.

use std::collections::BTreeMap;
use std::fmt::Write;

/// A file as its parts.
#[derive(Clone)]
pub struct X4 {
    pub header: String,
    /// Each object's text, and its stream where it has one.
    pub objects: BTreeMap<u32, (String, Option<Vec<u8>>)>,
    pub trailer: String,
}

/// The numbers of the parts.
pub const CATALOG: u32 = 1;
pub const PAGE: u32 = 3;
pub const XMP: u32 = 4;
pub const INTENT: u32 = 5;
pub const PROFILE: u32 = 6;
pub const CONTENT: u32 = 7;
pub const DESCRIPTOR: u32 = 9;
pub const IMAGE: u32 = 11;
pub const STATE: u32 = 12;
pub const FORM: u32 = 16;
pub const INFO: u32 = 18;

const PACKET: &str = r#"<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"
 xmlns:pdfxid="http://www.npes.org/pdfx/ns/id/" pdf:Trapped="False">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">A card</rdf:li></rdf:Alt></dc:title>
<pdf:Producer>hand</pdf:Producer>
<xmp:CreateDate>2026-01-02T03:04:05Z</xmp:CreateDate><xmp:ModifyDate>2026-01-02T03:04:05Z</xmp:ModifyDate>
<xmp:MetadataDate>2026-01-02T03:04:05Z</xmp:MetadataDate>
<xmpMM:DocumentID>uuid:1</xmpMM:DocumentID><xmpMM:RenditionClass>default</xmpMM:RenditionClass>
<xmpMM:VersionID>1</xmpMM:VersionID><pdfxid:GTS_PDFXVersion>PDF/X-4</pdfxid:GTS_PDFXVersion>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"#;

const DRAWING: &str = "0 0 0 0.1 k 0 0 200 300 re f
q 36 0 0 36 60 60 cm /Im Do Q
/OC /Layer BDC BT /F 10 Tf 60 200 Td (Hello) Tj ET EMC
q /Fm Do Q
/Over gs /White cs 1 scn 60 120 40 40 re f
/Cut CS 1 SCN 0.25 w 20 20 160 260 re S
";

/// A font's program in Compact Font Format, of one empty glyph.
pub const PROGRAM: &[u8] =
    b"\x01\0\x04\x01\0\x01\x01\x01\x05Hand\0\x01\x01\x01\x07\x1d\0\0\0\x1c\x11\0\0\0\0\0\x01\x01\x01\x02\x0e";

/// The first bytes of a profile: class and colours; no tags.
pub fn profile(class: &[u8; 4], colors: &[u8; 4]) -> Vec<u8> {
    let mut bytes = vec![0; 132];
    bytes[..4].copy_from_slice(&132_u32.to_be_bytes());
    bytes[8] = 2;
    bytes[12..16].copy_from_slice(class);
    bytes[16..20].copy_from_slice(colors);
    bytes[36..40].copy_from_slice(b"acsp");
    bytes
}

impl X4 {
    /// A card with a picture, type, a form, white ink and a cut line, with nothing wrong.
    pub fn card() -> X4 {
        let mut file = X4 {
            header: "%PDF-1.6\n%\u{e2}\u{e3}\u{cf}\u{d3}\n".into(),
            objects: BTreeMap::new(),
            trailer: "/Root 1 0 R /Info 18 0 R /ID [<0123456789abcdef> <0123456789abcdef>]".into(),
        };
        let plain = [
            (
                CATALOG,
                "/Type /Catalog /Pages 2 0 R /Metadata 4 0 R /OutputIntents [5 0 R] /OCProperties << /OCGs [13 0 R] /D << /Name (All) /Order [13 0 R] >> >>",
            ),
            (2, "/Type /Pages /Count 1 /Kids [3 0 R]"),
            (
                PAGE,
                "/Type /Page /Parent 2 0 R /MediaBox [0 0 200 300] /BleedBox [1.5 1.5 198.5 298.5] /TrimBox [10 10 190 290] \
                /Contents 7 0 R /Group << /S /Transparency /CS /DeviceCMYK >> /Resources << /Font << /F 8 0 R >> \
                /XObject << /Im 11 0 R /Fm 16 0 R >> /ExtGState << /Over 12 0 R >> \
                /ColorSpace << /Cut 14 0 R /White 17 0 R >> /Properties << /Layer 13 0 R >> >>",
            ),
            (
                INTENT,
                "/Type /OutputIntent /S /GTS_PDFX /OutputConditionIdentifier (FOGRA39) /RegistryName (http://www.color.org) /Info (Coated) /DestOutputProfile 6 0 R",
            ),
            (
                8,
                "/Type /Font /Subtype /Type1 /BaseFont /Hand /FirstChar 72 /LastChar 72 /Widths [700] /FontDescriptor 9 0 R",
            ),
            (DESCRIPTOR, "/Type /FontDescriptor /FontName /Hand /Flags 32 /FontFile3 10 0 R"),
            (STATE, "/Type /ExtGState /OP true /op true /OPM 1"),
            (13, "/Type /OCG /Name (Type)"),
            (15, "/FunctionType 2 /Domain [0 1] /N 1 /C0 [0 0 0 0] /C1 [0 1 0 0]"),
            (
                INFO,
                "/Title (A card) /Producer (hand) /CreationDate (D:20260102030405Z) /ModDate (D:20260102030405Z) /Trapped /False /GTS_PDFXVersion (PDF/X-4)",
            ),
        ];
        for (number, entries) in plain {
            file.objects.insert(number, (format!("<< {entries} >>"), None));
        }
        file.objects.insert(14, ("[/Separation /CutContour /DeviceCMYK 15 0 R]".into(), None));
        file.objects.insert(17, ("[/Separation /White /DeviceCMYK << /FunctionType 2 /Domain [0 1] /N 1 /C0 [0 0 0 0] /C1 [0.1 0 0 0] >>]".into(), None));
        let streams: [(u32, &str, Vec<u8>); 6] = [
            (XMP, "/Type /Metadata /Subtype /XML", PACKET.as_bytes().to_vec()),
            (PROFILE, "/N 4", profile(b"prtr", b"CMYK")),
            (CONTENT, "", DRAWING.as_bytes().to_vec()),
            (10, "/Subtype /Type1C", PROGRAM.to_vec()),
            (
                IMAGE,
                "/Type /XObject /Subtype /Image /Width 150 /Height 150 /BitsPerComponent 8 /ColorSpace /DeviceGray",
                vec![128; 22_500],
            ),
            (
                FORM,
                "/Type /XObject /Subtype /Form /BBox [0 0 200 300] /Group << /S /Transparency /CS /DeviceCMYK >>",
                b"0.5 g 110 60 36 36 re f".to_vec(),
            ),
        ];
        for (number, entries, data) in streams {
            file.objects.insert(number, (format!("<< {entries} >>"), Some(data)));
        }
        file
    }

    /// Replaces text in an object's entries; the text has to be there.
    pub fn edit(&mut self, number: u32, from: &str, to: &str) -> &mut Self {
        let (entries, _) = self.objects.get_mut(&number).expect("an object");
        assert!(entries.contains(from), "{entries} has no {from}");
        *entries = entries.replace(from, to);
        self
    }

    /// Adds entries to a dictionary.
    pub fn add(&mut self, number: u32, entries: &str) -> &mut Self {
        let (text, _) = self.objects.get_mut(&number).expect("an object");
        let end = text.rfind(">>").expect("a dictionary");
        text.insert_str(end, entries);
        self
    }

    /// Replaces text in an object's stream; the text has to be there.
    pub fn redraw(&mut self, number: u32, from: &str, to: &str) -> &mut Self {
        let (_, data) = self.objects.get_mut(&number).expect("an object");
        let data = data.as_mut().expect("a stream");
        let text = String::from_utf8(data.clone()).expect("text");
        assert!(text.contains(from), "{text} has no {from}");
        *data = text.replace(from, to).into_bytes();
        self
    }

    /// Adds an object.
    pub fn object(&mut self, number: u32, text: &str, stream: Option<&[u8]>) -> &mut Self {
        self.objects.insert(number, (text.into(), stream.map(<[u8]>::to_vec)));
        self
    }

    /// The file's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out: Vec<u8> = self.header.chars().map(|c| c as u32 as u8).collect();
        let mut places = BTreeMap::new();
        for (number, (text, stream)) in &self.objects {
            places.insert(*number, out.len());
            let mut text = text.clone();
            if let Some(data) = stream {
                let end = text.rfind(">>").expect("a dictionary");
                if !text.contains("/Length") {
                    text.insert_str(end, &format!(" /Length {}", data.len()));
                }
            }
            out.extend(format!("{number} 0 obj\n{text}\n").bytes());
            if let Some(data) = stream {
                out.extend(b"stream\n");
                out.extend(data);
                out.extend(b"\nendstream\n");
            }
            out.extend(b"endobj\n");
        }
        let start = out.len();
        let size = places.keys().max().expect("objects") + 1;
        let mut table = format!("xref\n0 {size}\n0000000000 65535 f \n");
        for number in 1..size {
            let _ = match places.get(&number) {
                Some(at) => writeln!(table, "{at:010} 00000 n "),
                None => writeln!(table, "0000000000 00000 f "),
            };
        }
        out.extend(table.bytes());
        out.extend(
            format!("trailer\n<< /Size {size} {} >>\nstartxref\n{start}\n%%EOF\n", self.trailer).bytes(),
        );
        out
    }
}
