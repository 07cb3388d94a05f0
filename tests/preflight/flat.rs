//! Preflight of PDF/X-1a and PDF/X-3: a good file passes, and broken in one place it is refused for
//! the rule of that place alone.
//!
//! Tools: `apt-get install qpdf`.

use crate::support::x4::*;
use presswork::catalog::print::Standard;
use presswork::preflight::{Inspection, Report, Rule, When, Wish};
use std::collections::BTreeSet;
use std::io::Cursor;

const LAYERS: &str = "/OCProperties << /OCGs [13 0 R] /D << /Name (All) /Order [13 0 R] >> >>";
const GROUP: &str = "/Group << /S /Transparency /CS /DeviceCMYK >>";

/// The card of PDF/X-4 without what the older standards do not know.
fn card(standard: Standard) -> X4 {
    let mut file = X4::card();
    file.header = file.header.replace("1.6", "1.4");
    file.edit(CATALOG, LAYERS, "").edit(CATALOG, "/Metadata 4 0 R", "");
    file.edit(PAGE, GROUP, "").edit(PAGE, "/Properties << /Layer 13 0 R >>", "").edit(FORM, GROUP, "");
    file.redraw(CONTENT, "/OC /Layer BDC ", "").redraw(CONTENT, " EMC", "");
    file.edit(INFO, "PDF/X-4", standard.version().unwrap());
    file.objects.remove(&XMP);
    file.objects.remove(&13);
    file
}

fn look(bytes: Vec<u8>, standard: Standard) -> Report {
    Inspection::new(&Wish { standard, ..Wish::default() }).inspect(Cursor::new(bytes)).unwrap()
}

fn codes(report: &Report) -> Vec<&str> {
    let codes: BTreeSet<&str> = report.findings.iter().map(|finding| finding.code.as_str()).collect();
    codes.into_iter().collect()
}

/// A rule, what is done to break it, and how.
type Break = (Rule, &'static str, fn(&mut X4));

/// What both standards refuse.
fn breaks() -> Vec<Break> {
    vec![
        (Rule::FileVersion, "a newer header", |f| f.header = f.header.replace("1.4", "1.5")),
        (Rule::FileVersion, "a newer version in the catalog", |f| _ = f.add(CATALOG, "/Version /1.6")),
        (Rule::FileNewer, "JPEG 2000", |f| _ = f.add(IMAGE, "/Filter /JPXDecode")),
        (Rule::FileNewer, "JBIG2", |f| _ = f.add(IMAGE, "/Filter /JBIG2Decode")),
        (Rule::FileNewer, "16 bits", |f| {
            let (_, data) = f.objects.get_mut(&IMAGE).unwrap();
            *data = Some(data.as_ref().unwrap().repeat(2));
            f.edit(IMAGE, "/BitsPerComponent 8", "/BitsPerComponent 16");
        }),
        (Rule::FileNewer, "a press's profile of version 4", |f| {
            let mut newer = profile(b"prtr", b"CMYK");
            newer[8] = 4;
            f.object(PROFILE, "<< /N 4 >>", Some(&newer));
        }),
        (Rule::FileId, "no identifiers", |f| f.trailer = f.trailer.replace("/ID", "/IX")),
        (Rule::MetadataIncomplete, "no title", |f| _ = f.edit(INFO, "/Title (A card)", "")),
        (Rule::MetadataIncomplete, "an empty title", |f| _ = f.edit(INFO, "(A card)", "( )")),
        (Rule::MetadataIncomplete, "no date", |f| _ = f.edit(INFO, "/ModDate", "/Modified")),
        (Rule::MetadataStandard, "no standard", |f| _ = f.edit(INFO, "/GTS_PDFXVersion", "/Version")),
        (Rule::MetadataStandard, "an older edition", |f| _ = f.edit(INFO, ":2003)", ":2001)")),
        (Rule::MetadataTrapped, "trapping unknown", |f| {
            _ = f.edit(INFO, "/Trapped /False", "/Trapped /Unknown")
        }),
        (Rule::MetadataTrapped, "nothing about trapping", |f| _ = f.edit(INFO, "/Trapped /False", "")),
        (Rule::IntentMissing, "no intent", |f| _ = f.edit(CATALOG, "/OutputIntents [5 0 R]", "")),
        (Rule::IntentIncomplete, "no condition", |f| _ = f.edit(INTENT, "(FOGRA39)", "()")),
        (Rule::IntentIncomplete, "a condition of one's own, without a word", |f| {
            f.edit(INTENT, "/RegistryName (http://www.color.org) /Info (Coated)", "");
        }),
        (Rule::IntentProfile, "a condition of one's own, without a profile", |f| {
            f.edit(INTENT, "/RegistryName (http://www.color.org)", "");
            f.edit(INTENT, "/DestOutputProfile 6 0 R", "");
        }),
        (Rule::BoxArt, "an art box too", |f| _ = f.add(PAGE, "/ArtBox [10 10 190 290]")),
        (Rule::ColorRgb, "RGB paint", |f| _ = f.redraw(FORM, "0.5 g", "1 0 0 rg")),
        (Rule::NoTransparency, "a page's group", |f| _ = f.add(PAGE, GROUP)),
        (Rule::NoTransparency, "a form's group", |f| _ = f.add(FORM, GROUP)),
        (Rule::NoTransparency, "an opacity", |f| _ = f.add(STATE, "/ca 0.5")),
        (Rule::NoTransparency, "an opacity of lines", |f| _ = f.add(STATE, "/CA 0.99")),
        (Rule::NoTransparency, "a blend mode", |f| _ = f.add(STATE, "/BM /Multiply")),
        (Rule::NoTransparency, "one of two blend modes", |f| _ = f.add(STATE, "/BM [/Normal /Screen]")),
        (Rule::NoTransparency, "a soft mask", |f| {
            f.add(STATE, "/SMask << /S /Luminosity /G 16 0 R >>");
        }),
        (Rule::NoTransparency, "a picture's soft mask", |f| {
            f.object(30, "<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceGray >>", Some(&[0]));
            f.add(IMAGE, "/SMask 30 0 R");
        }),
        (Rule::NoLayers, "layers", |f| _ = f.add(CATALOG, "/OCProperties << /OCGs [] /D << >> >>")),
        (Rule::NoLayers, "a picture on a layer", |f| {
            f.object(30, "<< /Type /OCG /Name (Type) >>", None).add(IMAGE, "/OC 30 0 R");
        }),
        (Rule::NoScript, "JavaScript", |f| _ = f.add(CATALOG, "/OpenAction << /S /JavaScript /JS (x) >>")),
        (Rule::NoTransfer, "a transfer function", |f| _ = f.add(STATE, "/TR /Identity")),
        (Rule::FontEmbedded, "a font without its program", |f| {
            _ = f.edit(DESCRIPTOR, "/FontFile3 10 0 R", "")
        }),
        (Rule::ContentOperator, "an unknown operator within BX and EX", |f| {
            _ = f.redraw(FORM, "re f", "re f BX sparkle EX")
        }),
    ]
}

/// Colours that PDF/X-3 allows and PDF/X-1a does not.
fn tagged() -> Vec<Break> {
    vec![
        (Rule::ColorTagged, "a picture with a profile", |f| {
            f.object(30, "<< /N 1 >>", Some(&profile(b"mntr", b"GRAY")));
            f.edit(IMAGE, "/DeviceGray", "[/ICCBased 30 0 R]");
        }),
        (Rule::ColorTagged, "Lab", |f| {
            f.edit(PAGE, "/Cut 14 0 R", "/Cut 14 0 R /Lab [/Lab << /WhitePoint [0.96 1 0.82] >>]");
            f.redraw(CONTENT, "q /Fm Do Q", "q /Fm Do Q /Lab cs 50 10 10 scn 70 70 9 9 re f");
        }),
        (Rule::ColorTagged, "calibrated RGB", |f| {
            f.edit(PAGE, "/Cut 14 0 R", "/Cut 14 0 R /Cal [/CalRGB << /WhitePoint [0.95 1 1.09] >>]");
            f.redraw(CONTENT, "q /Fm Do Q", "q /Fm Do Q /Cal cs 0 1 0 scn 70 70 9 9 re f");
        }),
        (Rule::ColorTagged, "a spot's stand-in in Lab", |f| {
            let tint = "<< /FunctionType 2 /Domain [0 1] /N 1 /C0 [100 0 0] /C1 [50 40 0] >>";
            let lab = "[/Lab << /WhitePoint [0.96 1 0.82] >>]";
            f.object(14, &format!("[/Separation /CutContour {lab} {tint}]"), None);
        }),
    ]
}

#[test]
fn good_files_pass() {
    for standard in [Standard::X1a, Standard::X3] {
        assert_eq!(look(card(standard).bytes(), standard).findings, []);
    }
    // A registered condition needs neither words nor a profile.
    let mut plain = card(Standard::X1a);
    plain.edit(INTENT, "/Info (Coated) /DestOutputProfile 6 0 R", "");
    assert_eq!(look(plain.bytes(), Standard::X1a).findings, []);
}

#[test]
fn each_broken_file_is_refused_for_its_rule_and_no_other() {
    let mut wrong = Vec::new();
    for standard in [Standard::X1a, Standard::X3] {
        for (rule, what, harm) in breaks() {
            let mut file = card(standard);
            harm(&mut file);
            let report = look(file.bytes(), standard);
            if codes(&report) != [rule.as_str()] || report.verdict < rule.verdict() {
                wrong.push(format!("{standard:?}, {what}: wanted {rule}, found {:#?}", report.findings));
            }
        }
    }
    for (rule, what, harm) in tagged() {
        let found = |standard| {
            let mut file = card(standard);
            harm(&mut file);
            look(file.bytes(), standard)
        };
        let (x1a, x3) = (found(Standard::X1a), found(Standard::X3));
        if codes(&x1a) != [rule.as_str()] || !x3.findings.is_empty() {
            wrong.push(format!("{what}: found {:#?}, and of X-3 {:#?}", x1a.findings, x3.findings));
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    let broken: BTreeSet<Rule> = breaks().into_iter().chain(tagged()).map(|b| b.0).collect();
    let own = |rule: &&Rule| matches!(rule.when(), When::Flat | When::X1a);
    let untested: Vec<_> = Rule::ALL.iter().filter(own).filter(|rule| !broken.contains(rule)).collect();
    assert!(untested.is_empty(), "no file breaks {untested:?}");
}

#[test]
fn a_newer_kind_of_table_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("card.pdf"), card(Standard::X1a).bytes()).unwrap();
    crate::support::judges::tool(
        "qpdf",
        ["--object-streams=generate", &path("card.pdf"), &path("newer.pdf")],
    );
    let mut bytes = std::fs::read(path("newer.pdf")).unwrap();
    assert_eq!(&bytes[..8], b"%PDF-1.5", "qpdf says what it needs");
    bytes[7] = b'4';
    assert_eq!(codes(&look(bytes, Standard::X1a)), ["file.newer"]);
}

#[test]
fn standards_are_not_each_other() {
    let report = look(card(Standard::X3).bytes(), Standard::X1a);
    assert_eq!(codes(&report), ["metadata.standard"]);
    let report = look(X4::card().bytes(), Standard::X1a);
    for code in ["file.version", "metadata.standard", "transparency.forbidden", "layers.forbidden"] {
        assert!(codes(&report).contains(&code), "{code}: {:?}", codes(&report));
    }
}
