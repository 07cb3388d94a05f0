//! Preflight finds what is wrong, that alone, and nothing where nothing is wrong: a valid file is
//! broken in one place at a time, and each time exactly one rule speaks.
//!
//! Over 400 lines: most of them are one table, an edit a rule.

use crate::support::x4::*;
use presswork::catalog::print::{Laid, Standard};
use presswork::order::event::Verdict;
use presswork::preflight::{Expected, Inspection, Report, Rule, Wish};
use std::io::Cursor;

/// Everything a card is held to.
pub(crate) fn wish() -> Wish {
    Wish {
        standard: Standard::X4,
        dpi_warn: Some(200.0),
        dpi_fail: Some(100.0),
        dpi_verdict: Some(Verdict::Hold),
        dpi_most: Some(600.0),
        bleed: Some(3.0),
        bleed_painted: true,
        safe_zone: Some(3.0),
        blank: true,
        same_size: true,
        pages_min: Some(1),
        pages_max: Some(2),
        pages_multiple: Some(1),
        trim: Some([63.5, 98.8]),
        spine: None,
        line_min: Some(0.25),
        type_min: Some(7.0),
        plates: Some(vec!["CutContour".into(), "White".into()]),
        plates_required: vec!["CutContour".into()],
        white: vec!["White".into()],
        technical: vec!["CutContour".into()],
        lines: vec!["CutContour".into()],
        laid: [("CutContour".into(), Laid::Overprint)].into(),
        steps: Default::default(),
        ink_limit: Some(300.0),
        verdicts: Default::default(),
    }
}

pub(crate) fn look(bytes: Vec<u8>, wish: &Wish) -> Report {
    Inspection::new(wish).inspect(Cursor::new(bytes)).unwrap()
}

pub(crate) fn codes(report: &Report) -> Vec<&str> {
    let mut codes: Vec<&str> = report.findings.iter().map(|finding| finding.code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

#[test]
fn a_good_file_passes() {
    let report = look(X4::card().bytes(), &wish());
    assert_eq!(report.findings, []);
    assert_eq!(report.verdict, Verdict::Pass);
    assert_eq!(report.plates, ["CutContour", "White"]);
    assert_eq!(report.pages.len(), 1);
    assert_eq!(report.pages[0].trim, [0.0, 0.0, 63.5, 98.778]);
}

/// A rule, and what has to be done to a good file to break it.
type Break = (Rule, &'static str, fn(&mut X4));

fn breaks() -> Vec<Break> {
    vec![
        (Rule::FileVersion, "a newer header", |f| f.header = f.header.replace("1.6", "1.7")),
        (Rule::FileVersion, "a newer version in the catalog", |f| _ = f.add(CATALOG, "/Version /2.0")),
        (Rule::FileId, "no identifiers", |f| f.trailer = f.trailer.replace("/ID", "/IX")),
        (Rule::FileEncrypted, "encryption", |f| f.trailer += "/Encrypt << /Filter /Standard >>"),
        (Rule::MetadataMissing, "no packet", |f| _ = f.edit(CATALOG, "/Metadata 4 0 R", "")),
        (Rule::MetadataMissing, "a packet that is no XML", |f| _ = f.redraw(XMP, "</rdf:RDF>", "")),
        (Rule::MetadataIncomplete, "no title", |f| _ = f.redraw(XMP, "dc:title", "dc:subject")),
        (Rule::MetadataIncomplete, "no document id", |f| {
            _ = f.redraw(XMP, "xmpMM:DocumentID", "xmpMM:Other")
        }),
        (Rule::MetadataStandard, "another standard", |f| _ = f.redraw(XMP, "PDF/X-4", "PDF/X-3")),
        (Rule::MetadataTrapped, "trapping unknown", |f| _ = f.redraw(XMP, "pdf:Trapped=\"False\"", "")),
        (Rule::MetadataMismatch, "another title", |f| _ = f.edit(INFO, "(A card)", "(A mug)")),
        (Rule::MetadataMismatch, "another date", |f| _ = f.edit(INFO, "ModDate (D:2026", "ModDate (D:2025")),
        (Rule::MetadataMismatch, "another producer", |f| _ = f.edit(INFO, "(hand)", "(foot)")),
        (Rule::MetadataMismatch, "trapped and not", |f| _ = f.edit(INFO, "/False", "/True")),
        (Rule::MetadataMismatch, "two standards", |f| _ = f.edit(INFO, "(PDF/X-4)", "(PDF/X-1a:2003)")),
        (Rule::MetadataMismatch, "another author", |f| {
            f.add(INFO, "/Author (Alice)").redraw(
                XMP,
                "<pdf:Producer>",
                "<dc:creator><rdf:Seq><rdf:li>Bob</rdf:li></rdf:Seq></dc:creator><pdf:Producer>",
            );
        }),
        (Rule::IntentMissing, "no intent", |f| _ = f.edit(CATALOG, "/OutputIntents [5 0 R]", "")),
        (Rule::IntentMissing, "an intent for archives", |f| _ = f.edit(INTENT, "GTS_PDFX", "GTS_PDFA1")),
        (Rule::IntentSeveral, "two intents", |f| _ = f.edit(CATALOG, "[5 0 R]", "[5 0 R 5 0 R]")),
        (Rule::IntentIncomplete, "no condition", |f| _ = f.edit(INTENT, "(FOGRA39)", "()")),
        (Rule::IntentProfile, "no profile", |f| {
            _ = f.edit(INTENT, "/DestOutputProfile", "/DestinationOutputProfile")
        }),
        (Rule::IntentProfile, "a monitor's profile", |f| {
            f.object(PROFILE, "<< /N 4 >>", Some(&profile(b"mntr", b"CMYK")));
        }),
        (Rule::IntentProfile, "a profile that is cut off", |f| {
            f.object(PROFILE, "<< /N 4 >>", Some(&profile(b"prtr", b"CMYK")[..100]));
        }),
        (Rule::IntentProfile, "too few components", |f| _ = f.edit(PROFILE, "/N 4", "/N 3")),
        (Rule::BoxMissing, "no media box", |f| _ = f.edit(PAGE, "/MediaBox", "/Media")),
        (Rule::BoxTrim, "no trim box", |f| {
            // Without it the bleed box is all that is left; nothing else may depend on it here.
            f.edit(PAGE, "/TrimBox [10 10 190 290]", "");
        }),
        (Rule::BoxArt, "an art box too", |f| _ = f.add(PAGE, "/ArtBox [10 10 190 290]")),
        (Rule::BoxNesting, "a crop outside the media", |f| _ = f.add(PAGE, "/CropBox [-50 -50 999 999]")),
        (Rule::BoxTurn, "a page askew", |f| _ = f.add(PAGE, "/Rotate 45")),
        (Rule::BoxNesting, "a bleed outside the media", |f| {
            _ = f.edit(PAGE, "[1.5 1.5 198.5 298.5]", "[-5 1.5 198.5 298.5]")
        }),
        (Rule::FontEmbedded, "a font without its program", |f| {
            _ = f.edit(DESCRIPTOR, "/FontFile3 10 0 R", "")
        }),
        (Rule::ColorRgb, "RGB paint", |f| _ = f.redraw(FORM, "0.5 g", "1 0 0 rg")),
        (Rule::ColorRgb, "an RGB group", |f| _ = f.edit(FORM, "/DeviceCMYK", "/DeviceRGB")),
        (Rule::ColorRgb, "an RGB picture", |f| {
            longer(f, 3);
            f.edit(IMAGE, "/DeviceGray", "/DeviceRGB");
        }),
        (Rule::ColorCmyk, "CMYK on a grey press", |f| {
            f.object(PROFILE, "<< /N 1 >>", Some(&profile(b"prtr", b"GRAY")));
        }),
        (Rule::ColorProfile, "a profile of another kind", |f| {
            longer(f, 3);
            f.object(30, "<< /N 3 >>", Some(&profile(b"mntr", b"GRAY")));
            f.edit(IMAGE, "/DeviceGray", "[/ICCBased 30 0 R]");
        }),
        (Rule::ColorSpot, "a spot defined in two ways", |f| {
            f.object(30, "[/Separation /CutContour /DeviceCMYK << /FunctionType 2 /Domain [0 1] /N 1 /C0 [0 0 0 0] /C1 [0 0 1 0] >>]", None);
            f.edit(PAGE, "/Cut 14 0 R", "/Cut 14 0 R /Cut2 30 0 R");
            f.redraw(CONTENT, "/Cut CS 1 SCN", "/Cut2 CS 1 SCN 30 30 100 100 re S /Cut CS 1 SCN");
        }),
        (Rule::ColorInks, "several inks, one of them twice", |f| {
            mixed(f, "[/DeviceN [/Cyan /Cyan] /DeviceCMYK 31 0 R]");
        }),
        (Rule::ColorInks, "an ink described by another", |f| {
            mixed(
                f,
                "[/DeviceN [/Cyan /CutContour] /DeviceCMYK 31 0 R << /Colorants << /CutContour 17 0 R >> >>]",
            );
        }),
        (Rule::ColorSpot, "the same inks mixed in two ways", |f| {
            mixed(f, "[/DeviceN [/Cyan /Black] /DeviceCMYK 31 0 R]");
            f.object(32, "[/DeviceN [/Cyan /Black] /DeviceCMYK 33 0 R]", None);
            f.object(33, TWO_INKS, Some(b"{ exch pop 0 exch 0 exch 0 }"));
            f.edit(PAGE, "/Two 30 0 R", "/Two 30 0 R /Three 32 0 R");
            f.redraw(CONTENT, "q /Fm Do Q", "q /Fm Do Q /Three cs 0.1 0.1 scn 112 62 9 9 re f");
        }),
        (Rule::ColorIntent, "an unknown intent", |f| _ = f.redraw(CONTENT, "q 36", "/Nice ri q 36")),
        (Rule::GroupSpace, "a form's group without a space", |f| _ = f.edit(FORM, "/CS /DeviceCMYK", "")),
        (Rule::GroupSpace, "a page's group without a space", |f| _ = f.edit(PAGE, "/CS /DeviceCMYK", "")),
        (Rule::GroupSpace, "transparency without a group", |f| {
            f.edit(PAGE, "/Group << /S /Transparency /CS /DeviceCMYK >>", "").edit(
                STATE,
                "/OPM 1",
                "/OPM 1 /ca 0.5",
            );
        }),
        (Rule::BlendMode, "an unknown blend mode", |f| _ = f.add(STATE, "/BM /Sparkle")),
        (Rule::NoScript, "JavaScript", |f| {
            _ = f.add(CATALOG, "/Names << /JavaScript << /Names [(a) << /S /JavaScript /JS (x) >>] >> >>")
        }),
        (Rule::NoAction, "an action at opening", |f| {
            _ = f.add(CATALOG, "/OpenAction << /S /GoTo /D [3 0 R /Fit] >>")
        }),
        (Rule::NoAction, "an action of the page", |f| {
            _ = f.add(PAGE, "/AA << /O << /S /Named /N /NextPage >> >>")
        }),
        (Rule::NoLzw, "LZW", |f| {
            f.object(
                FORM,
                "<< /Type /XObject /Subtype /Form /BBox [0 0 200 300] /Filter /LZWDecode >>",
                Some(&[0x80, 0x08, 0x20, 0x20]),
            );
        }),
        (Rule::NoPostScript, "PostScript", |f| {
            f.object(30, "<< /Type /XObject /Subtype /PS >>", Some(b"showpage"));
            f.edit(PAGE, "/Fm 16 0 R", "/Fm 16 0 R /Ps 30 0 R");
        }),
        (Rule::NoTransfer, "a transfer function", |f| _ = f.add(STATE, "/TR /Identity")),
        (Rule::NoTransfer, "a newer transfer function", |f| _ = f.add(STATE, "/TR2 /Identity")),
        (Rule::NoHalftone, "a halftone", |f| _ = f.add(STATE, "/HT << /Type /Halftone /HalftoneType 6 >>")),
        (Rule::NoHalftone, "a halftone's origin", |f| _ = f.add(STATE, "/HTP [0 0]")),
        (Rule::NoOpi, "OPI", |f| _ = f.add(IMAGE, "/OPI << /2.0 << >> >>")),
        (Rule::NoAlternates, "alternates", |f| _ = f.add(IMAGE, "/Alternates [<< /Image 11 0 R >>]")),
        (Rule::NoExternal, "a stream in another file", |f| {
            f.object(30, "<< /F (data.bin) >>", Some(b""));
            f.edit(PAGE, "/Fm 16 0 R", "/Fm 16 0 R /Ex 30 0 R");
        }),
        (Rule::NoExternal, "another document's page", |f| _ = f.add(FORM, "/Ref << /Page 0 >>")),
        (Rule::NoEmbedded, "a file within the file", |f| {
            f.object(30, "<< /Type /EmbeddedFile >>", Some(b"x"));
            f.add(
                CATALOG,
                "/Names << /EmbeddedFiles << /Names [(a) << /Type /Filespec /EF << /F 30 0 R >> >>] >> >>",
            );
        }),
        (Rule::NoAnnotation, "a note on the card", |f| {
            _ = f.add(PAGE, "/Annots [<< /Type /Annot /Subtype /Text /Rect [50 50 60 60] >>]")
        }),
        (Rule::NoMedia, "a film", |f| {
            _ = f.add(PAGE, "/Annots [<< /Type /Annot /Subtype /Movie /Rect [50 50 60 60] >>]")
        }),
        (Rule::NoForm, "a form to fill in", |f| _ = f.add(CATALOG, "/AcroForm << /Fields [] >>")),
        (Rule::NoPresentation, "steps of a show", |f| _ = f.add(PAGE, "/PresSteps << /Type /NavNode >>")),
        (Rule::NoViewer, "another area to print", |f| {
            _ = f.add(CATALOG, "/ViewerPreferences << /PrintArea /ArtBox >>")
        }),
        (Rule::LayerConfig, "layers without a name", |f| _ = f.edit(CATALOG, "/Name (All)", "")),
        (Rule::LayerConfig, "layers by event", |f| _ = f.edit(CATALOG, "/Name (All)", "/Name (All) /AS []")),
        (Rule::LayerConfig, "a layer left out", |f| _ = f.edit(CATALOG, "/Order [13 0 R]", "/Order []")),
        (Rule::LayerHidden, "type on a hidden layer", |f| {
            _ = f.edit(CATALOG, "/Name (All)", "/Name (All) /OFF [13 0 R]")
        }),
        (Rule::LayerHidden, "all layers off", |f| {
            _ = f.edit(CATALOG, "/Name (All)", "/Name (All) /BaseState /OFF")
        }),
        (Rule::ContentBalance, "q without Q", |f| _ = f.redraw(CONTENT, "q /Fm Do Q", "q /Fm Do")),
        (Rule::ContentBalance, "Q without q", |f| _ = f.redraw(CONTENT, "q /Fm Do Q", "/Fm Do Q")),
        (Rule::ContentBalance, "EMC without BMC", |f| _ = f.redraw(CONTENT, "/OC /Layer BDC", "")),
        (Rule::ContentBalance, "BT without ET", |f| _ = f.redraw(CONTENT, "Tj ET", "Tj")),
        (Rule::ContentOperator, "an unknown operator", |f| _ = f.redraw(FORM, "re f", "re f sparkle")),
        (Rule::ContentOperator, "one within BX and EX", |f| _ = f.redraw(FORM, "re f", "re f BX sparkle EX")),
        (Rule::ContentOperand, "too few operands", |f| _ = f.redraw(FORM, "0.5 g", "0.5 g 1 w w")),
        (Rule::ContentOperand, "too many components", |f| _ = f.redraw(CONTENT, "cs 1 scn", "cs 1 1 scn")),
        (Rule::ContentResource, "a picture that is missing", |f| _ = f.redraw(CONTENT, "/Im Do", "/Im2 Do")),
        (Rule::ContentResource, "a layer that is missing", |f| {
            _ = f.redraw(CONTENT, "/OC /Layer", "/OC /None")
        }),
        (Rule::ImageDamaged, "a picture that ends early", |f| {
            _ = f.edit(IMAGE, "/Height 150", "/Height 151")
        }),
        (Rule::ImageDamaged, "a picture far too large for its data", |f| {
            _ = f.edit(IMAGE, "/Width 150", "/Width 2000000000")
        }),
        (Rule::ImageDamaged, "a picture of three bits", |f| {
            _ = f.edit(IMAGE, "/BitsPerComponent 8", "/BitsPerComponent 3")
        }),
        (Rule::ImageDamaged, "a soft mask that ends early", |f| mask(f, "SMask", "", &[255; 99])),
        (Rule::ImageDamaged, "a soft mask that does not unpack", |f| {
            mask(f, "SMask", "/Filter /FlateDecode", b"no zlib")
        }),
        (Rule::ImageDamaged, "a mask that does not unpack", |f| {
            mask(f, "Mask", "/Filter /FlateDecode", b"no zlib")
        }),
        (Rule::ImageLow, "a picture stretched", |f| {
            _ = f.redraw(CONTENT, "36 0 0 36 60 60", "70 0 0 70 60 40")
        }),
        (Rule::ImageHigh, "a picture shrunk", |f| {
            _ = f.redraw(CONTENT, "36 0 0 36 60 60", "17 0 0 17 60 60")
        }),
        (Rule::BleedSmall, "a small bleed", |f| {
            _ = f.edit(PAGE, "[1.5 1.5 198.5 298.5]", "[5 1.5 198.5 298.5]")
        }),
        (Rule::BleedEmpty, "paint that ends early", |f| {
            _ = f.redraw(CONTENT, "0 0 200 300 re f", "5 0 195 300 re f")
        }),
        (Rule::BleedEmpty, "paint that is clipped", |f| {
            f.redraw(
                CONTENT,
                "0 0 0 0.1 k 0 0 200 300 re f",
                "q 0 0 m 200 0 l 200 300 l h W n 0 0 0 0.1 k 0 0 200 300 re f Q",
            );
        }),
        (Rule::SafeZone, "type at the edge", |f| _ = f.redraw(CONTENT, "60 200 Td", "12 200 Td")),
        (Rule::SafeZone, "white type at the edge of a dark ground", |f| {
            dark(f, "BT 0 0 0 0 k /F 10 Tf 12 200 Td (H) Tj ET");
        }),
        (Rule::SafeZone, "a white shape at the edge of a dark ground", |f| {
            dark(f, "0 0 0 0 k 12 200 5 5 re f");
        }),
        (Rule::PageCount, "too many pages", |f| {
            _ = f.edit(2, "[3 0 R]", "[3 0 R 31 0 R 32 0 R]").copy_page(31).copy_page(32)
        }),
        (Rule::PageSize, "another size", |f| _ = f.edit(PAGE, "190 290]", "189 290]")),
        (Rule::LineThin, "a hairline", |f| _ = f.redraw(FORM, "re f", HAIRLINE)),
        (Rule::LineThin, "a white hairline on a dark ground", |f| {
            dark(f, "0 0 0 0 K 0.1 w 30 50 m 50 80 l S")
        }),
        (Rule::LineThin, "a line that a matrix makes thin", |f| {
            _ = f.redraw(FORM, "re f", "re f 0 0 0 1 K q 20 0 0 0.01 0 0 cm 1 w 5.6 6200 m 6.4 6200 l S Q")
        }),
        (Rule::LineThin, "letters drawn by thin outlines", |f| {
            _ = f.redraw(CONTENT, "BT /F 10 Tf", "BT 1 Tr 0.02 w /F 10 Tf")
        }),
        (Rule::TypeSmall, "small type", |f| _ = f.redraw(CONTENT, "/F 10 Tf", "/F 6 Tf")),
        (Rule::TypeSmall, "type made small by a matrix", |f| {
            _ = f.redraw(CONTENT, "60 200 Td", "0.5 0 0 0.5 60 200 Tm")
        }),
        (Rule::PlateUnexpected, "a gold that nobody ordered", |f| {
            f.object(30, "[/Separation /Gold /DeviceCMYK 15 0 R]", None);
            f.edit(PAGE, "/Cut 14 0 R", "/Cut 14 0 R /Gold 30 0 R");
            f.redraw(FORM, "0.5 g", "/Gold cs 1 scn").edit(
                FORM,
                "/BBox",
                "/Resources << /ColorSpace << /Gold 30 0 R >> >> /BBox",
            );
        }),
        (Rule::PlateMissing, "no cut line", |f| _ = f.redraw(CONTENT, "/Cut CS 1 SCN", "0 0 0 1 K")),
        (Rule::PlateMissing, "a cut line around the page", |f| {
            _ = f.redraw(CONTENT, "20 20 160 260 re S", "-20 -20 240 340 re S")
        }),
        (Rule::PlateMissing, "a second page without a cut line", |f| {
            f.edit(2, "[3 0 R]", "[3 0 R 31 0 R]").copy_page(31).edit(31, "7 0 R", "30 0 R");
            f.object(30, "<< >>", Some(b"0 0 0 0.1 k 0 0 200 300 re f"));
        }),
        (Rule::CutLine, "an area to cut along", |f| {
            _ = f.redraw(
                CONTENT,
                "/Cut CS 1 SCN 0.25 w 20 20 160 260 re S",
                "/Cut cs 1 scn 20 20 160 260 re f",
            )
        }),
        (Rule::CutLine, "a thick cut line", |f| _ = f.redraw(CONTENT, "0.25 w", "9 w")),
        (Rule::CutLine, "a pale cut line", |f| _ = f.redraw(CONTENT, "/Cut CS 1 SCN", "/Cut CS 0.3 SCN")),
        (Rule::WhiteLost, "white that overprints", |f| {
            _ = f.redraw(CONTENT, "q /Fm Do Q", "q /Fm Do /Over gs 0 0 0 0 k 112 62 9 9 re f Q")
        }),
        (Rule::WhiteLost, "white type that overprints", |f| {
            _ = f.redraw(CONTENT, "BT /F 10 Tf", "/Over gs 0 0 0 0 k BT /F 10 Tf")
        }),
        (Rule::InkRegistration, "the colour of register marks in the artwork", |f| {
            everywhere(f, "/All cs 0.5 scn 112 62 9 9 re f")
        }),
        (Rule::WhiteOrder, "colour on white", |f| {
            _ = f.redraw(CONTENT, "40 40 re f", "40 40 re f 0.5 g 70 130 9 9 re f")
        }),
        (Rule::WhiteKnockout, "white that knocks out", |f| {
            _ = f.redraw(
                CONTENT,
                "/Over gs /White cs 1 scn 60 120 40 40 re f",
                "/White cs 1 scn 60 120 40 40 re f /Over gs",
            )
        }),
        (Rule::PlateLaid, "a cut line that knocks out", |f| {
            _ = f.redraw(CONTENT, "/Cut CS", "/Out gs /Cut CS").edit(
                PAGE,
                "/Over 12 0 R",
                "/Over 12 0 R /Out << /OP false >>",
            )
        }),
        (Rule::WhiteKnockout, "white that fades and knocks out, after some that overprints", |f| {
            fading(f, 17);
            f.redraw(
                CONTENT,
                "/White cs 1 scn 60 120 40 40 re f",
                "/Pattern cs /Fading scn 60 120 40 40 re f q /Out gs /Fading scn 60 165 20 20 re f Q",
            );
        }),
        (Rule::PlateLaid, "a cut line that fades and knocks out", |f| {
            fading(f, 14);
            f.redraw(CONTENT, "/Cut CS 1 SCN", "/Out gs /Pattern CS /Fading SCN");
        }),
        (Rule::WhiteBoth, "white that does both", |f| _ = f.add(STATE, "/BM /Multiply")),
        (Rule::InkLimit, "too much ink", |f| _ = f.redraw(FORM, "0.5 g", "0.9 0.9 0.9 0.9 k")),
    ]
}

/// Gives the picture so many times its samples.
fn longer(file: &mut X4, times: usize) {
    let (_, data) = file.objects.get_mut(&IMAGE).unwrap();
    *data = Some(data.as_ref().unwrap().repeat(times));
}

/// Gives the picture a mask of 100 pixels.
fn mask(file: &mut X4, key: &str, filter: &str, data: &[u8]) {
    let kind = if key == "SMask" {
        "/BitsPerComponent 8 /ColorSpace /DeviceGray"
    } else {
        "/BitsPerComponent 1 /ImageMask true"
    };
    let entries = format!("/Type /XObject /Subtype /Image /Width 10 /Height 10 {kind} {filter}");
    file.object(30, &format!("<< {entries} >>"), Some(data)).add(IMAGE, &format!("/{key} 30 0 R"));
}

/// Paints on a dark ground along the left edge.
pub(crate) fn dark(file: &mut X4, what: &str) {
    file.redraw(CONTENT, "q 36", &format!("0 0 0 0.9 k 0 0 55 300 re f {what} q 36"));
}

/// Paints in a space `All`, which lands on every plate.
pub(crate) fn everywhere(file: &mut X4, what: &str) {
    file.object(30, "[/Separation /All /DeviceCMYK 15 0 R]", None);
    file.edit(PAGE, "/Cut 14 0 R", "/Cut 14 0 R /All 30 0 R");
    file.redraw(CONTENT, "q /Fm Do Q", &format!("q /Fm Do {what} Q"));
}

/// A thin line after a square. The knife's own path may be as thin as it likes.
const HAIRLINE: &str = "re f 0 0 0 1 K 0.1 w 112 62 m 130 62 l S";

/// A function of two inks' tints, as four inks.
const TWO_INKS: &str = "<< /FunctionType 4 /Domain [0 1 0 1] /Range [0 1 0 1 0 1 0 1] >>";

/// Paints with a colour space of two inks.
fn mixed(file: &mut X4, space: &str) {
    file.object(30, space, None).object(31, TWO_INKS, Some(b"{ pop 0 0 0 }"));
    file.edit(PAGE, "/Cut 14 0 R", "/Cut 14 0 R /Two 30 0 R");
    file.redraw(CONTENT, "q /Fm Do Q", "q /Fm Do Q /Two cs 0.1 0.1 scn 112 62 9 9 re f");
}

/// Adds a gradient in the space of an ink to the page, and a state that does not overprint.
fn fading(file: &mut X4, ink: u32) {
    let shading = format!(
        "<< /ShadingType 2 /ColorSpace {ink} 0 R /Coords [60 0 100 0] /Extend [true true] \
         /Function << /FunctionType 2 /Domain [0 1] /N 1 /C0 [1] /C1 [0.2] >> >>"
    );
    file.object(30, &format!("<< /Type /Pattern /PatternType 2 /Shading {shading} >>"), None);
    file.edit(PAGE, "/ColorSpace <<", "/Pattern << /Fading 30 0 R >> /ColorSpace <<");
    file.edit(PAGE, "/Over 12 0 R", "/Over 12 0 R /Out << /OP false /op false >>");
}

impl X4 {
    /// The same page again.
    pub(crate) fn copy_page(&mut self, number: u32) -> &mut Self {
        let page = self.objects[&PAGE].clone();
        self.objects.insert(number, page);
        self
    }
}

#[test]
fn each_broken_file_is_refused_for_its_rule_and_no_other() {
    let mut wrong = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for (rule, what, harm) in breaks() {
        let mut file = X4::card();
        harm(&mut file);
        let mut wish = wish();
        if rule == Rule::BoxTrim {
            // The missing trim is every one of these.
            (wish.bleed, wish.trim, wish.safe_zone) = (None, None, None);
        }
        if rule == Rule::PageCount {
            wish.pages_max = Some(2);
        }
        if rule != Rule::CutLine {
            // Elsewhere the cut line's ink stands for any.
            wish.lines.clear();
        }
        let report = look(file.bytes(), &wish);
        if codes(&report) != [rule.as_str()] {
            wrong.push(format!("{what}: wanted {rule}, found {:#?}", report.findings));
        }
        if report.verdict < rule.verdict() {
            wrong.push(format!("{what}: {:?} is too mild", report.verdict));
        }
        seen.insert(rule);
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), breaks().len(), wrong.join("\n"));
    assert!(breaks().len() >= 30);
    // Rules that no edit of the card can break alone have a test of their own below.
    let mut elsewhere = vec![
        Rule::FileDamaged,
        Rule::FileLimit,
        Rule::BoxSizes,
        Rule::PageBlank,
        Rule::PageSpine,
        Rule::WhiteCoverage,
        // A job's alone; in `derived` and `own`.
        Rule::WhiteVanishes,
        Rule::CutLeavesArt,
        Rule::CutOffPage,
        Rule::DesignSmall,
        // Steps need layers; in `own`.
        Rule::PlateStep,
    ];
    // Rules of the older standards are broken in `preflight_flat`.
    elsewhere.extend([Rule::FileNewer, Rule::ColorTagged, Rule::NoTransparency, Rule::NoLayers]);
    let untested: Vec<_> =
        Rule::ALL.iter().filter(|rule| !seen.contains(rule) && !elsewhere.contains(rule)).collect();
    assert!(untested.is_empty(), "no file breaks {untested:?}");
}

#[test]
fn rules_about_pages_need_more_than_one() {
    let mut file = X4::card();
    file.edit(2, "[3 0 R]", "[3 0 R 31 0 R]").copy_page(31).edit(31, "190 290]", "180 290]");
    let report = look(file.bytes(), &Wish { trim: None, ..wish() });
    assert_eq!(codes(&report), [Rule::BoxSizes.as_str()]);
    assert_eq!(report.findings[0].page, Some(2));

    let mut file = X4::card();
    file.edit(2, "[3 0 R]", "[3 0 R 31 0 R]").copy_page(31).edit(31, "7 0 R", "30 0 R");
    file.object(30, "<< >>", Some(b"0 0 0 0 k 0 0 200 300 re f"));
    // White paint is no print, but a ground that somebody laid.
    let report = look(file.bytes(), &wish());
    assert_eq!(codes(&report), [Rule::PageBlank.as_str()]);
    assert_eq!(report.verdict, Verdict::Hold);

    let spine = |spine| look(X4::card().bytes(), &Wish { spine: Some([30.0, spine]), ..wish() });
    assert_eq!(codes(&spine(3.5)), [""; 0]);
    assert_eq!(codes(&spine(5.0)), [Rule::PageSpine.as_str()]);
}

/// What a job knows of the card: its name, its size, 2 mm safe, and its square of white.
fn known(white: f64) -> Vec<Expected> {
    vec![Expected {
        surface: "front".into(),
        trim: [63.5, 98.778],
        safe: [2.0; 4],
        white: vec![("White".into(), white)],
        readable: Vec::new(),
    }]
}

#[test]
fn a_jobs_pages_are_what_it_knows_of_them() {
    let wish = wish();
    let look = |file: &X4, pages: &[Expected]| {
        Inspection { pages, ..Inspection::new(&wish) }.inspect(Cursor::new(file.bytes())).unwrap()
    };
    // 40 by 40 points.
    let side = 40.0 / 72.0 * 25.4;
    let area = side * side;
    let card = X4::card();
    assert_eq!(look(&card, &known(area)).findings, []);
    for wrong in [area * 1.02, area * 0.98, 0.0] {
        let report = look(&card, &known(wrong));
        assert_eq!(codes(&report), [Rule::WhiteCoverage.as_str()]);
        assert_eq!(report.findings[0].surface, "front");
    }
    // Nobody says how much of a gradient is ink.
    let mut faded = X4::card();
    fading(&mut faded, 17);
    faded.redraw(CONTENT, "/White cs 1 scn", "/Pattern cs /Fading scn");
    assert_eq!(look(&faded, &known(area * 0.6)).findings, []);
    faded.redraw(CONTENT, "/Pattern cs /Fading scn 60 120 40 40 re f", "q 60 120 40 40 re W n /Fading sh Q");
    faded.edit(PAGE, "/Pattern << /Fading 30 0 R >>", "/Shading << /Fading 31 0 R >>");
    let function = "<< /FunctionType 2 /Domain [0 1] /N 1 /C0 [1] /C1 [0.2] >>";
    let shading =
        format!("<< /ShadingType 2 /ColorSpace 17 0 R /Coords [60 0 100 0] /Function {function} >>");
    faded.object(31, &shading, None);
    assert_eq!(look(&faded, &known(area * 0.6)).findings, []);
    let mut other = known(area);
    other[0].trim = [98.778, 63.5];
    assert_eq!(codes(&look(&card, &other)), [Rule::PageSize.as_str()]);
    other = [known(area), known(area)].concat();
    assert_eq!(codes(&look(&card, &other)), [Rule::PageCount.as_str()]);
    // The template's safe zone goes before the profile's, side by side.
    let mut near = X4::card();
    near.redraw(CONTENT, "60 200 Td", "17 200 Td");
    assert_eq!(look(&near, &known(area)).findings, []);
    other = known(area);
    other[0].safe = [4.0, 2.0, 2.0, 2.0];
    assert_eq!(codes(&look(&near, &other)), [Rule::SafeZone.as_str()]);
    other[0].safe = [2.0, 4.0, 4.0, 4.0];
    assert_eq!(look(&near, &other).findings, []);
}

#[test]
fn art_beside_white_is_not_on_it() {
    // Its bounds hold the white square, its paint goes around it.
    let around = "0.5 g 50 110 m 110 110 l 110 170 l 105 170 l 105 115 l 50 115 l h f";
    let mut file = X4::card();
    file.redraw(CONTENT, "40 40 re f", &format!("40 40 re f {around}"));
    assert_eq!(look(file.bytes(), &wish()).findings, []);
    file.redraw(CONTENT, "105 115 l 50 115 l", "105 125 l 50 125 l");
    let report = look(file.bytes(), &wish());
    assert_eq!(codes(&report), [Rule::WhiteOrder.as_str()]);
    // The place is what both cover: 40 by 5 points.
    let [_, _, width, height] = report.findings[0].place.unwrap();
    assert!((width - 14.1).abs() < 0.3 && (height - 1.76).abs() < 0.3, "{width} × {height}");
}

#[test]
fn overprint_ends_at_an_isolated_group() {
    const WHITE: &str = "/Over gs /White cs 1 scn 60 120 40 40 re f";
    const CUT: &str = "/Cut CS 1 SCN 0.25 w 20 20 160 260 re S";
    // The card, one thing of which is painted within a group instead: the states inside it and around it.
    let found = |what: &str, group: &str, inside: &str, around: &str| {
        let mut file = X4::card();
        let form = format!(
            "<< /Type /XObject /Subtype /Form /BBox [0 0 200 300] /Resources << /ColorSpace << /Cut 14 0 R \
             /White 17 0 R >> /ExtGState << /Over 12 0 R /Times 31 0 R >> >> \
             /Group << /S /Transparency /CS /DeviceCMYK {group} >> >>"
        );
        let content = format!("{inside} {}", what.trim_start_matches("/Over gs "));
        file.object(30, &form, Some(content.as_bytes()));
        file.object(31, "<< /Type /ExtGState /BM /Multiply >>", None);
        file.edit(PAGE, "/Fm 16 0 R", "/Fm 16 0 R /Iso 30 0 R");
        file.edit(PAGE, "/Over 12 0 R", "/Over 12 0 R /Times 31 0 R");
        file.redraw(CONTENT, what, &format!("q {around} /Iso Do Q /Over gs"));
        codes(&look(file.bytes(), &wish())).join(" ")
    };
    assert_eq!(found(WHITE, "/I true", "/Over gs", ""), "white.knocks_out");
    assert_eq!(found(WHITE, "/I true", "", "/Over gs"), "white.knocks_out");
    assert_eq!(found(WHITE, "/I true", "/Times gs", ""), "white.knocks_out");
    assert_eq!(found(CUT, "/I true", "", ""), "plate.laid");
    // The whole group is multiplied.
    assert_eq!(found(WHITE, "/I true", "", "/Times gs"), "");
    assert_eq!(found(WHITE, "/I true", "/Times gs", "/Times gs"), "");
    assert_eq!(found(WHITE, "/I true", "/Over gs", "/Times gs"), "white.both");
    assert_eq!(found(CUT, "/I true", "", "/Times gs"), "");
    // Into a group that is not isolated the page's colours are taken along.
    assert_eq!(found(WHITE, "", "/Over gs", ""), "");
    assert_eq!(found(WHITE, "/I false", "/Times gs", ""), "");
    assert_eq!(found(CUT, "", "", ""), "");
}

/// Adds a grey picture of 100 × 150 pixels, `Masked`, with a soft mask of as many.
fn masked(file: &mut X4, mask: &[u8], decode: &str) {
    let picture = "/Type /XObject /Subtype /Image /Width 100 /Height 150 /BitsPerComponent 8";
    let picture = format!("{picture} /ColorSpace /DeviceGray");
    file.object(40, &format!("<< {picture} /SMask 41 0 R >>"), Some(&[90; 15_000]));
    file.object(41, &format!("<< {picture} {decode} >>"), Some(mask));
    file.edit(PAGE, "/Fm 16 0 R", "/Fm 16 0 R /Masked 40 0 R");
}

#[test]
fn what_a_mask_hides_fills_no_bleed() {
    let wish = Wish { dpi_warn: None, dpi_fail: None, ..wish() };
    // The sides that are bare where the picture is all that lies on the bleed.
    let bare = |mask: &[u8], decode: &str| {
        let mut file = X4::card();
        masked(&mut file, mask, decode);
        file.redraw(CONTENT, "0 0 0 0.1 k 0 0 200 300 re f", "q 200 0 0 300 0 0 cm /Masked Do Q");
        let report = look(file.bytes(), &wish);
        let short = mask.len() < 15_000;
        let fits = |code: &str| code == "bleed.not_reached" || short && code == "image.damaged";
        assert!(report.findings.iter().all(|f| fits(&f.code)), "{:?}", report.findings);
        let sides = ["left", "right", "upper", "lower"];
        let about =
            |side: &&str| report.findings.iter().any(|f| f.detail.contains(&format!("the {side} edge")));
        sides.into_iter().filter(about).collect::<Vec<_>>().join(" ")
    };
    let mask = |seen: fn(usize, usize) -> bool| -> Vec<u8> {
        (0..15_000).map(|i| if seen(i % 100, i / 100) { 255 } else { 0 }).collect()
    };
    assert_eq!(bare(&mask(|_, _| true), ""), "");
    assert_eq!(bare(&mask(|_, _| false), "/Decode [1 0]"), "");
    assert_eq!(bare(&mask(|_, _| false), ""), "left right upper lower");
    assert_eq!(bare(&[4; 15_000], ""), "left right upper lower", "what resampling leaves of clear samples");
    assert_eq!(
        bare(&mask(|x, y| (20..80).contains(&x) && (20..130).contains(&y)), ""),
        "left right upper lower"
    );
    // Rows are counted from the top.
    assert_eq!(bare(&mask(|x, _| x > 0), ""), "left");
    assert_eq!(bare(&mask(|_, y| y > 0), ""), "upper");
    // Nobody knows the rest of a mask that is cut off.
    assert_eq!(bare(&[0; 7_000], ""), "");
}

#[test]
fn a_clear_picture_is_no_print() {
    let found = |mask: &[u8]| {
        let mut file = X4::card();
        masked(&mut file, mask, "");
        file.edit(2, "[3 0 R]", "[3 0 R 31 0 R]").copy_page(31).edit(31, "7 0 R", "30 0 R");
        file.object(30, "<< >>", Some(b"0 0 0 0 k 0 0 200 300 re f q 100 0 0 150 50 50 cm /Masked Do Q"));
        // The second page has no cut line.
        let wish = Wish { dpi_warn: None, dpi_fail: None, plates_required: Vec::new(), ..wish() };
        codes(&look(file.bytes(), &wish)).join(" ")
    };
    let mut mask = vec![0; 15_000];
    assert_eq!(found(&mask), "page.blank");
    mask[7_777] = 200;
    assert_eq!(found(&mask), "");
}

#[test]
fn pieces_of_a_pattern_may_end_near_the_edge() {
    let piece = "0.2 0.4 0 0 k 13 60 3 3 re f";
    let mut file = X4::card();
    file.redraw(CONTENT, "q 36", &format!("{piece} q 36"));
    assert_eq!(codes(&look(file.bytes(), &wish())), [Rule::SafeZone.as_str()]);
    // Another of its colour runs off the edge.
    file.redraw(CONTENT, "q 36", "9 90 3 3 re f q 36");
    assert_eq!(look(file.bytes(), &wish()).findings, []);
}

#[test]
fn findings_say_where() {
    let mut file = X4::card();
    file.redraw(FORM, "re f", HAIRLINE).redraw(CONTENT, "/F 10 Tf", "/F 6 Tf");
    let report = look(file.bytes(), &wish());
    let type_small = report.findings.iter().find(|f| f.code == "type.too_small").unwrap();
    let [x, y, width, height] = type_small.place.unwrap();
    // 50 pt right of the trim's left, 90 pt under its upper edge.
    assert!(
        (x - 17.64).abs() < 0.1 && (y - 30.16).abs() < 0.2 && width > 2.0 && height < 2.5,
        "{type_small:?}"
    );
    let line = report.findings.iter().find(|f| f.code == "line.too_thin").unwrap();
    assert!(line.detail.contains("0.100 pt"), "{line:?}");
}

#[test]
fn verdicts_follow_the_profile() {
    let mut file = X4::card();
    file.redraw(CONTENT, "36 0 0 36 60 60", "150 0 0 150 20 20");
    let mut wish = wish();
    assert_eq!(look(file.bytes(), &wish).verdict, Verdict::Hold);
    wish.dpi_verdict = Some(Verdict::Fail);
    assert_eq!(look(file.bytes(), &wish).verdict, Verdict::Fail);
    wish.verdicts.insert(Rule::ImageLow, Verdict::Pass);
    assert_eq!(look(file.bytes(), &wish).verdict, Verdict::Pass);
    // Rules of the standard are for those who ask for it.
    let mut rgb = X4::card();
    rgb.redraw(FORM, "0.5 g", "1 0 0 rg");
    assert_eq!(look(rgb.bytes(), &Wish::default()).findings, []);
}

#[test]
fn a_great_many_findings_are_counted_not_listed() {
    let mut file = X4::card();
    let lines = "0 0 0 1 K 0.01 w 60 150 m 80 150 l S ".repeat(5_000);
    file.redraw(FORM, "re f", &format!("re f {lines}"));
    let report = look(file.bytes(), &wish());
    assert!(report.findings.len() < 20);
    assert!(report.findings.last().unwrap().detail.contains("4992 more"), "{:?}", report.findings.last());
}
