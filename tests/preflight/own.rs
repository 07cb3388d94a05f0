//! Files of our own writer, broken on purpose in one place each, are refused for that and nothing
//! else.
//!
//! Over 400 lines: most of them are one table, an edit a rule.

use crate::support::broken::Patient;
use crate::support::job;
use crate::support::judges::run;
use lopdf::{Dictionary, Object, dictionary};
use presswork::cache::Cache;
use presswork::edge::dir::ProfileLibrary;
use presswork::preflight::{Expected, Inspection, Report, Rule, Wish};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::sync::{Arc, LazyLock};

const CARD: &str = "postcard-offset";
const NETWORK: &str = "postcard-network";
const STICKERS: &str = "sticker-sheet-customized";
const FILM: &str = "transfer-badge-customized";
const FOIL: &str = "notebook-foil-customized";

/// The finished files and what their profiles ask for.
static FILES: LazyLock<BTreeMap<&str, (Vec<u8>, Wish)>> = LazyLock::new(|| {
    let folder = crate::support::judges::scratch(&format!("broken-{}", std::process::id()));
    let read = |order| {
        // Nothing but the document.
        let mut text = job::json(&job::root().join(format!("fixtures/orders/{order}.json")));
        text["outputs"] = serde_json::json!(["pdf"]);
        let path = folder.join(format!("{order}.json"));
        std::fs::write(&path, text.to_string()).unwrap();
        let said = run(job::presswork()
            .arg("render")
            .arg(&path)
            .args(["--catalog", "fixtures/catalog", "--assets", "fixtures/assets", "--out"])
            .arg(&folder));
        assert_eq!(said.code, Some(0), "{order}: {}{}", said.stdout, said.stderr);
        let pdf = std::fs::read(job::artifacts(&folder, order, "pdf").remove(0).0).unwrap();
        let profile = text["profile"].as_str().unwrap().to_owned();
        let profile = ProfileLibrary::new(None, Arc::new(Cache::new(0))).load(&profile).unwrap().profile;
        (order, (pdf, Wish::of(&profile)))
    };
    [CARD, NETWORK, STICKERS, FILM, FOIL].map(read).into()
});

fn look(bytes: Vec<u8>, wish: &Wish, pages: &[Expected]) -> Report {
    Inspection { pages, ..Inspection::new(wish) }.inspect(Cursor::new(bytes)).unwrap()
}

fn codes(report: &Report) -> Vec<&str> {
    let codes: BTreeSet<&str> = report.findings.iter().map(|finding| finding.code.as_str()).collect();
    codes.into_iter().collect()
}

/// A rule, the order whose file is broken, how, and what is not asked for here because the same
/// harm breaks it too.
struct Break {
    rule: Rule,
    order: &'static str,
    harm: fn(&mut Patient),
    spare: fn(&mut Wish),
}

fn harm(rule: Rule, order: &'static str, harm: fn(&mut Patient)) -> Break {
    Break { rule, order, harm, spare: |_| {} }
}

impl Break {
    fn sparing(self, spare: fn(&mut Wish)) -> Break {
        Break { spare, ..self }
    }
}

/// More paint of a plate, off its layer.
fn unlaid(wish: &mut Wish) {
    wish.laid.clear();
    wish.steps.clear();
}

fn name(text: &str) -> Object {
    Object::Name(text.as_bytes().to_vec())
}

/// A square in the middle of the page, in a colour that nothing else has.
fn square(p: &mut Patient, operators: &str) {
    p.draw(|x, y| format!("q {operators} {x} {y} 20 20 re f Q"));
}

fn type_of(p: &mut Patient, size: f32, embedded: bool) {
    let mut descriptor = dictionary! { "Type" => name("FontDescriptor"), "FontName" => name("Test") };
    if embedded {
        let program =
            Patient::stream(dictionary! { "Subtype" => name("Type1C") }, crate::support::x4::PROGRAM);
        descriptor.set("FontFile3", p.pdf.add_object(program));
    }
    let descriptor = p.pdf.add_object(descriptor);
    let font = dictionary! {
        "Type" => name("Font"), "Subtype" => name("Type1"), "BaseFont" => name("Test"),
        "FirstChar" => 72, "LastChar" => 72, "Widths" => vec![Object::Integer(700)],
        "FontDescriptor" => Object::Reference(descriptor),
    };
    p.add("Font", "Test", font);
    p.draw(|x, y| format!("q 0 0 0 1 k BT /Test {size} Tf {x} {y} Td (HH) Tj ET Q"));
}

fn breaks_of_the_standard() -> Vec<Break> {
    use Rule::*;
    vec![
        harm(FileVersion, CARD, |p| p.pdf.version = "1.7".into()),
        harm(FileId, CARD, |p| _ = p.pdf.trailer.remove(b"ID")),
        harm(MetadataMissing, CARD, |p| _ = p.catalog().remove(b"Metadata")),
        harm(MetadataIncomplete, FOIL, |p| p.xmp("xmpMM:VersionID", "xmpMM:Other")),
        harm(MetadataStandard, CARD, |p| p.xmp(">PDF/X-4<", ">PDF/X-3:2003<")),
        harm(MetadataTrapped, CARD, |p| p.xmp("pdf:Trapped>", "pdf:Keywords>")),
        harm(MetadataMismatch, CARD, |p| p.info().set("Title", Object::string_literal("Another"))),
        harm(MetadataMismatch, FOIL, |p| p.info().set("Trapped", name("True"))),
        harm(IntentMissing, CARD, |p| p.of_catalog("OutputIntents").set("S", name("GTS_PDFA1")))
            .sparing(|wish| wish.ink_limit = None),
        harm(IntentSeveral, STICKERS, |p| {
            let intents = p.catalog().get_mut(b"OutputIntents").unwrap().as_array_mut().unwrap();
            intents.push(intents[0].clone());
        }),
        harm(IntentIncomplete, CARD, |p| {
            p.of_catalog("OutputIntents").set("OutputConditionIdentifier", Object::string_literal(""))
        }),
        harm(IntentProfile, CARD, |p| {
            let id = p.of_catalog("OutputIntents").get(b"DestOutputProfile").unwrap().as_reference().unwrap();
            p.pdf.get_object_mut(id).unwrap().as_stream_mut().unwrap().dict.set("N", 3);
        }),
        harm(BoxMissing, FOIL, |p| _ = p.page(0).remove(b"MediaBox"))
            .sparing(|wish| wish.plates_required.clear()),
        harm(BoxTrim, CARD, |p| _ = p.page(0).remove(b"TrimBox")).sparing(|wish| {
            (wish.bleed, wish.safe_zone, wish.same_size) = (None, None, false);
        }),
        harm(BoxArt, CARD, |p| {
            let trim = p.page(0).get(b"TrimBox").unwrap().clone();
            p.page(0).set("ArtBox", trim);
        }),
        harm(BoxNesting, FOIL, |p| p.resize(0, "BleedBox", [-9.0, 0.0, 0.0, 0.0]))
            .sparing(|wish| wish.bleed_painted = false),
        harm(BoxNesting, FOIL, |p| {
            let far = [-50, -50, 9_999, 9_999].map(Object::Integer);
            p.page(0).set("CropBox", far.to_vec());
        }),
        harm(BoxTurn, CARD, |p| p.page(0).set("Rotate", 45)),
        harm(FontEmbedded, CARD, |p| type_of(p, 12.0, false)),
        harm(FontEmbedded, CARD, |p| shown(p, "", "(   )")),
        harm(FontEmbedded, CARD, |p| shown(p, "7 Tr", "(HH)")),
        harm(FontEmbedded, CARD, |p| shown(p, "-2000 -2000 Td", "(HH)")),
        harm(FontEmbedded, CARD, |p| {
            type_of(p, 12.0, true);
            let programs = p.pdf.objects.values_mut().filter_map(|object| object.as_stream_mut().ok());
            let mut programs = programs
                .filter(|stream| stream.dict.get(b"Subtype").is_ok_and(|kind| *kind == name("Type1C")));
            programs.next().unwrap().set_content(b"garbage!".to_vec());
        }),
        harm(ColorRgb, CARD, |p| square(p, "1 0 0 rg")),
        harm(ColorRgb, CARD, |p| p.draw(|_, _| "q 1 0 0 rg -900 -900 5 5 re f Q".into())),
        harm(ColorRgb, CARD, |p| {
            p.add("ExtGState", "Gone", dictionary! { "ca" => 0 });
            square(p, "/Gone gs 1 0 0 rg");
        }),
        harm(ColorRgb, CARD, |p| {
            let form = dictionary! {
                "Type" => name("XObject"), "Subtype" => name("Form"), "Resources" => Dictionary::new(),
                "BBox" => [0, 0, 500, 500].map(Object::Integer).to_vec(),
                "Group" => dictionary! { "S" => name("Transparency"), "CS" => name("DeviceCMYK") },
            };
            let form = p.pdf.add_object(Patient::stream(form, b"1 0 0 rg 0 0 500 500 re f"));
            let mask = dictionary! { "S" => name("Luminosity"), "G" => Object::Reference(form) };
            p.add("ExtGState", "Masked", dictionary! { "SMask" => mask });
            square(p, "/Masked gs 0 0 0 0.1 k");
        }),
        harm(ColorRgb, CARD, |p| {
            p.add("ColorSpace", "DefaultRGB", vec![name("DeviceRGB")]);
            square(p, "1 0 0 rg");
        }),
        harm(ColorProfile, CARD, |p| {
            let id = p.of_catalog("OutputIntents").get(b"DestOutputProfile").unwrap().as_reference().unwrap();
            p.add("ColorSpace", "Own", vec![name("ICCBased"), Object::Reference(id)]);
            square(p, "/Own cs 0.1 0.1 0.1 0.1 scn");
        }),
        harm(ColorProfile, NETWORK, |p| {
            // Only the picture's profile has three components.
            let three =
                |stream: &lopdf::Stream| stream.dict.get(b"N").and_then(Object::as_i64).is_ok_and(|n| n == 3);
            let streams = p.pdf.objects.values_mut().filter_map(|object| object.as_stream_mut().ok());
            streams.filter(|stream| three(stream)).for_each(|stream| {
                stream.set_content(vec![0; 40]);
                stream.dict.remove(b"Filter");
            });
        }),
        harm(ColorSpot, STICKERS, |p| {
            p.add("ColorSpace", "Again", Patient::spot("CutContour", [0.0, 0.0, 1.0, 0.0]));
            square(p, "/Again CS 1 SCN 1 w 0 0 0 0.1 k");
            p.draw(|x, y| format!("q /Again CS 1 SCN 1 w {x} {y} 9 9 re S Q"));
        })
        .sparing(unlaid),
        harm(ColorInks, CARD, |p| {
            let inks: Vec<Object> = vec![name("Cyan"), name("Cyan")];
            let program = Patient::stream(
                dictionary! {
                    "FunctionType" => 4,
                    "Domain" => vec![0.into(), 1.into(), 0.into(), 1.into()],
                    "Range" => [0, 1].repeat(4).into_iter().map(Object::Integer).collect::<Vec<_>>(),
                },
                b"{ pop 0 0 0 }",
            );
            let program = Object::Reference(p.pdf.add_object(program));
            let space = vec![name("DeviceN"), inks.into(), name("DeviceCMYK"), program];
            p.add("ColorSpace", "Twice", space);
            square(p, "/Twice cs 0.1 0.1 scn");
        }),
        harm(ColorIntent, CARD, |p| square(p, "/Nice ri 0 0 0 0.1 k")),
        harm(GroupSpace, CARD, |p| {
            let own = p.page(0).get(b"Group").unwrap().clone();
            let mut group = if let Object::Reference(id) = own {
                p.pdf.get_dictionary(id).unwrap().clone()
            } else {
                own.as_dict().unwrap().clone()
            };
            group.remove(b"CS");
            p.page(0).set("Group", group);
        }),
        harm(BlendMode, CARD, |p| {
            p.add("ExtGState", "Odd", dictionary! { "Type" => name("ExtGState"), "BM" => name("Sparkle") });
            square(p, "/Odd gs 0 0 0 0.1 k");
        }),
        harm(NoScript, CARD, |p| {
            let script =
                dictionary! { "S" => name("JavaScript"), "JS" => Object::string_literal("app.beep()") };
            p.catalog().set(
                "Names",
                dictionary! { "JavaScript" => dictionary! {
                    "Names" => vec![Object::string_literal("a"), script.into()]
                }},
            );
        }),
        harm(NoScript, CARD, |p| {
            let kind = Object::Reference(p.pdf.add_object(name("JavaScript")));
            p.catalog().set("OpenAction", dictionary! { "S" => kind, "JS" => Object::string_literal("x") });
        }),
        harm(NoPresentation, CARD, |p| {
            p.page(0).set("PresSteps", dictionary! { "Type" => name("NavNode") });
        }),
        harm(NoPresentation, CARD, |p| {
            let shows = dictionary! { "Names" => Object::Array(Vec::new()) };
            p.catalog().set("Names", dictionary! { "AlternatePresentations" => shows });
        }),
        harm(NoAction, CARD, |p| {
            let page = Object::Reference(p.page_id(0));
            let action = dictionary! { "S" => name("GoTo"), "D" => vec![page, name("Fit")] };
            p.catalog().set("OpenAction", action);
        }),
        harm(NoLzw, CARD, |p| {
            let form = dictionary! { "Type" => name("XObject"), "Subtype" => name("Form"), "Filter" => name("LZWDecode"),
            "BBox" => vec![0.into(), 0.into(), 9.into(), 9.into()] };
            p.add("XObject", "Lzw", Patient::stream(form, &[0x80, 0x0B, 0x60, 0x50]));
        }),
        harm(NoLzw, CARD, |p| {
            let filter = Object::Reference(p.pdf.add_object(name("LZWDecode")));
            let form = dictionary! { "Type" => name("XObject"), "Subtype" => name("Form"), "Filter" => filter,
            "BBox" => vec![0.into(), 0.into(), 9.into(), 9.into()] };
            p.add("XObject", "Lzw", Patient::stream(form, &[0x80, 0x0B, 0x60, 0x50]));
        }),
        harm(NoLzw, CARD, |p| {
            p.draw(|x, y| format!("q 3 0 0 3 {x} {y} cm BI /W 1 /H 1 /BPC 8 /CS /G /F /LZW ID abcd EI Q"));
        })
        .sparing(|wish| (wish.dpi_warn, wish.dpi_fail) = (None, None)),
        harm(NoPostScript, CARD, |p| {
            let kind = Object::Reference(p.pdf.add_object(name("PS")));
            p.add("XObject", "Ps", Patient::stream(dictionary! { "Subtype" => kind }, b"showpage"));
        }),
        harm(NoPostScript, CARD, |p| {
            let program = p.pdf.add_object(Patient::stream(Dictionary::new(), b"showpage"));
            let form = dictionary! { "Subtype" => name("Form"), "PS" => Object::Reference(program) };
            p.add("XObject", "Ps", Patient::stream(form, b"q Q"));
        }),
        harm(NoPostScript, CARD, |p| {
            let entries = dictionary! { "Type" => name("XObject"), "Subtype" => name("PS") };
            p.add("XObject", "Ps", Patient::stream(entries, b"showpage"));
        }),
        harm(NoTransfer, FILM, |p| p.states(|_| true)[0].set("TR", name("Identity"))),
        harm(NoHalftone, FILM, |p| p.states(|_| true)[0].set("HTP", vec![0.into(), 0.into()])),
        harm(NoTransfer, FILM, |p| halftone(p, "TransferFunction", name("Identity"))),
        harm(NoHalftone, FILM, |p| halftone(p, "HalftoneName", Object::string_literal("Fine"))),
        harm(NoOpi, CARD, |p| p.picture().set("OPI", Dictionary::new())),
        harm(NoAlternates, CARD, |p| p.picture().set("Alternates", Object::Array(Vec::new()))),
        harm(NoExternal, CARD, |p| {
            let form = dictionary! { "Type" => name("XObject"), "Subtype" => name("Form"), "F" => Object::string_literal("x.bin") };
            p.add("XObject", "Away", Patient::stream(form, b""));
        }),
        harm(NoEmbedded, CARD, |p| {
            let file =
                p.pdf.add_object(Patient::stream(dictionary! { "Type" => name("EmbeddedFile") }, b"x"));
            let spec = dictionary! { "Type" => name("Filespec"), "EF" => dictionary! { "UF" => Object::Reference(file) } };
            p.catalog().set(
                "Names",
                dictionary! { "EmbeddedFiles" => dictionary! {
                    "Names" => vec![Object::string_literal("a"), spec.into()]
                }},
            );
        }),
        harm(NoAnnotation, CARD, |p| annotate(p, "Text")),
        harm(NoAnnotation, CARD, |p| annotate(p, "PrinterMark")),
        harm(NoAnnotation, CARD, |p| annotate(p, "TrapNet")),
        harm(NoMedia, CARD, |p| annotate(p, "Movie")),
        harm(NoForm, CARD, |p| {
            p.catalog().set("AcroForm", dictionary! { "Fields" => Object::Array(Vec::new()) })
        }),
        harm(NoViewer, CARD, |p| {
            p.catalog().set("ViewerPreferences", dictionary! { "PrintClip" => name("ArtBox") })
        }),
        harm(LayerConfig, STICKERS, |p| {
            let layers = p.of_catalog("OCProperties");
            layers.get_mut(b"D").unwrap().as_dict_mut().unwrap().remove(b"Name");
        }),
        harm(LayerConfig, FOIL, |p| {
            let layers = p.of_catalog("OCProperties");
            layers.get_mut(b"D").unwrap().as_dict_mut().unwrap().set("Order", Object::Array(Vec::new()));
        }),
        harm(LayerHidden, STICKERS, |p| hide(p, "Artwork")).sparing(|wish| wish.blank = false),
        harm(ContentBalance, CARD, |p| p.content(0, |text| format!("{text}\nq"))),
        harm(ContentBalance, FOIL, |p| p.content(0, |text| text.replacen("BDC", "BDC q", 1))),
        harm(ContentOperator, CARD, |p| p.content(0, |text| format!("{text}\nsparkle"))),
        harm(ContentOperand, CARD, |p| p.content(0, |text| format!("{text}\nw"))),
        harm(ContentResource, CARD, |p| p.content(0, |text| format!("{text}\n/Nowhere Do"))),
    ]
}

fn annotate(p: &mut Patient, kind: &str) {
    let [x, y, ..] = p.area("TrimBox");
    let rect = [x + 30.0, y + 30.0, x + 50.0, y + 50.0].map(Object::Real).to_vec();
    let note = dictionary! { "Type" => name("Annot"), "Subtype" => name(kind), "Rect" => rect };
    p.page(0).set("Annots", vec![Object::Dictionary(note)]);
}

/// Type in a font that is not in the file.
fn shown(p: &mut Patient, how: &str, text: &str) {
    let font =
        dictionary! { "Type" => name("Font"), "Subtype" => name("Type1"), "BaseFont" => name("Helvetica") };
    p.add("Font", "Bare", font);
    p.draw(|x, y| format!("q BT /Bare 12 Tf {x} {y} Td {how} {text} Tj ET Q"));
}

fn halftone(p: &mut Patient, key: &str, value: Object) {
    let mut halftone = dictionary! {
        "Type" => name("Halftone"), "HalftoneType" => 1, "Frequency" => 60, "Angle" => 45,
        "SpotFunction" => name("Round"),
    };
    halftone.set(key, value);
    p.states(|_| true)[0].set("HT", halftone);
}

/// Every layer of the document.
fn layers(p: &mut Patient) -> Vec<(lopdf::ObjectId, &mut Dictionary)> {
    let dicts = p.pdf.objects.iter_mut().filter_map(|(id, object)| Some((*id, object.as_dict_mut().ok()?)));
    dicts.filter(|(_, dict)| dict.has_type(b"OCG")).collect()
}

/// Switches a layer off.
fn hide(p: &mut Patient, title: &str) {
    let named = |dict: &Dictionary| dict.get(b"Name").unwrap().as_str().unwrap() == title.as_bytes();
    let found = layers(p).into_iter().find(|(_, dict)| named(dict)).map(|(id, _)| id);
    let off = vec![Object::Reference(found.unwrap())];
    p.of_catalog("OCProperties").get_mut(b"D").unwrap().as_dict_mut().unwrap().set("OFF", off);
}

/// A picture of so many pixels in the middle of the page, 60 points wide.
fn picture(p: &mut Patient, space: impl Into<Object>, bits: i64, data: &[u8]) {
    let picture = dictionary! {
        "Type" => name("XObject"), "Subtype" => name("Image"), "Width" => 400, "Height" => 400,
        "BitsPerComponent" => bits, "ColorSpace" => space.into(),
    };
    p.add("XObject", "More", Patient::stream(picture, data));
    p.draw(|x, y| format!("q 60 0 0 60 {x} {y} cm /More Do Q"));
}

/// The same, in a JPEG that is said to be in inks.
fn jpeg(p: &mut Patient, data: &[u8]) {
    picture(p, name("DeviceCMYK"), 8, data);
    let streams = p.pdf.objects.values_mut().filter_map(|object| object.as_stream_mut().ok());
    let mut own = streams.filter(|stream| stream.content == data);
    own.next().unwrap().dict.set("Filter", name("DCTDecode"));
}

fn breaks_of_the_house() -> Vec<Break> {
    use Rule::*;
    vec![
        harm(ImageDamaged, CARD, |p| picture(p, name("DeviceCMYK"), 8, &[32; 100])),
        harm(ImageDamaged, CARD, |p| jpeg(p, b"\xff\xd8garbage garbage")),
        harm(ImageDamaged, CARD, |p| {
            // A frame of three colours, and an end.
            jpeg(p, b"\xff\xd8\xff\xc0\0\x11\x08\x01\x90\x01\x90\x03\x01\x11\0\x02\x11\0\x03\x11\0\xff\xd9");
        }),
        harm(InkLimit, CARD, |p| {
            let table = Object::String(vec![255; 4], lopdf::StringFormat::Hexadecimal);
            let space = vec![name("Indexed"), name("DeviceCMYK"), 0.into(), table];
            picture(p, space, 1, &[0; 50 * 400]);
        }),
        harm(InkLimit, CARD, |p| picture(p, name("DeviceCMYK"), 16, &[255; 8 * 400 * 400])),
        harm(InkLimit, CARD, |p| {
            let id = p.of_catalog("OutputIntents").get(b"DestOutputProfile").unwrap().as_reference().unwrap();
            let mut other = p.pdf.get_object(id).unwrap().as_stream().unwrap().clone();
            let mut bytes = other.decompressed_content().unwrap_or_else(|_| other.content.clone());
            // Another profile, by its identifier.
            bytes[84..100].copy_from_slice(&[7; 16]);
            other.dict.remove(b"Filter");
            other.dict.remove(b"DecodeParms");
            other.set_content(bytes);
            let other = Object::Reference(p.pdf.add_object(other));
            picture(p, vec![name("ICCBased"), other], 8, &[255; 4 * 400 * 400]);
        }),
        harm(LineThin, CARD, |p| p.draw(|x, y| format!("q 0 0 0 1 k {x} {y} 60 0.05 re f Q"))),
        harm(PlateLaid, STICKERS, knock_out),
        harm(PlateLaid, FOIL, knock_out),
        harm(PlateStep, STICKERS, |p| {
            layers(p).into_iter().for_each(|(_, layer)| _ = layer.remove(b"GTS_Metadata"));
        }),
        harm(PlateStep, FOIL, |p| {
            for (_, layer) in layers(p) {
                if let Ok(metadata) = layer.get_mut(b"GTS_Metadata").and_then(Object::as_dict_mut) {
                    metadata.set("GTS_ProcStepsType", name("Gluing"));
                }
            }
        }),
        harm(WhiteOrder, FILM, |p| {
            p.add("ColorSpace", "K", Patient::spot("Black", [0.0, 0.0, 0.0, 1.0]));
            square(p, "/K cs 1 scn");
        }),
        harm(PageBlank, CARD, |p| {
            p.content(1, |_| "q 0 0 0 1 K 0.5 w 2 2 m 12 2 l S Q".into());
        })
        .sparing(|wish| wish.bleed_painted = false),
        harm(PageBlank, CARD, |p| {
            let white = dictionary! {
                "Type" => name("XObject"), "Subtype" => name("Image"), "Width" => 300, "Height" => 400,
                "BitsPerComponent" => 8, "ColorSpace" => name("DeviceCMYK"),
            };
            let white = p.pdf.add_object(Patient::stream(white, &[0; 4 * 300 * 400]));
            let pictures = dictionary! { "White" => Object::Reference(white) };
            p.page(1).set("Resources", dictionary! { "XObject" => pictures });
            p.content(1, |_| "q 900 0 0 1300 -50 -50 cm /White Do Q".into());
        })
        .sparing(|wish| {
            (wish.bleed_painted, wish.dpi_warn, wish.dpi_fail) = (false, None, None);
        }),
        harm(ImageLow, CARD, |p| shrink(p, 20)),
        harm(ImageHigh, CARD, |_| {}).sparing(|wish| {
            (wish.dpi_warn, wish.dpi_fail, wish.dpi_most) = (None, None, Some(72.0));
        }),
        harm(BleedSmall, CARD, |p| p.resize(0, "BleedBox", [8.0, 8.0, -8.0, -8.0]))
            .sparing(|wish| wish.bleed_painted = false),
        harm(BleedEmpty, CARD, |p| {
            let [x0, y0, x1, y1] = p.area("TrimBox");
            let (w, h) = (x1 - x0, y1 - y0);
            p.content(0, |text| format!("q {x0} {y0} {w} {h} re W n {text}\nQ"));
        }),
        harm(SafeZone, CARD, |p| {
            let [x, y, ..] = p.area("TrimBox");
            p.content(0, |text| {
                format!("q {text}\nQ q 0.11 0.42 0.73 0 k {} {} 20 20 re f Q", x + 4.0, y + 60.0)
            });
        }),
        harm(PageBlank, CARD, |p| p.content(1, |_| String::new())).sparing(|wish| wish.bleed_painted = false),
        harm(PageCount, CARD, |p| {
            let copy = p.page(0).clone();
            let root = copy.get(b"Parent").unwrap().as_reference().unwrap();
            let copy = p.pdf.add_object(copy);
            let root = p.pdf.get_dictionary_mut(root).unwrap();
            root.get_mut(b"Kids").unwrap().as_array_mut().unwrap().push(Object::Reference(copy));
            root.set("Count", 3);
        }),
        harm(PageSize, FOIL, |p| p.resize(0, "TrimBox", [0.0, 0.0, -3.0, 0.0]))
            .sparing(|wish| (wish.safe_zone, wish.trim) = (None, Some([139.7, 215.9]))),
        harm(PageSpine, CARD, |p| (0..2).for_each(|page| p.resize(page, "TrimBox", [0.0, 0.0, -3.0, 0.0])))
            .sparing(|wish| (wish.safe_zone, wish.spine) = (None, Some([70.0, 8.0]))),
        harm(BoxSizes, CARD, |p| p.resize(1, "TrimBox", [0.0, 0.0, -3.0, 0.0]))
            .sparing(|wish| wish.safe_zone = None),
        harm(LineThin, CARD, |p| {
            p.draw(|x, y| format!("q 0.05 w 0 0 0 1 K {x} {y} m {} {y} l S Q", x + 20.0))
        }),
        harm(TypeSmall, CARD, |p| type_of(p, 3.0, true)),
        harm(PlateUnexpected, CARD, |p| {
            p.add("ColorSpace", "Gold", Patient::spot("Gold", [0.2, 0.3, 0.8, 0.0]));
            square(p, "/Gold cs 1 scn");
        }),
        harm(PlateMissing, STICKERS, |p| rename(p, "CutContour", "Black")),
        harm(PlateMissing, FOIL, |p| rename(p, "Foil", "Black")),
        harm(WhiteOrder, FILM, |p| square(p, "0 0 1 0 k")),
        harm(WhiteKnockout, FILM, |p| multiplied(p).into_iter().for_each(|s| s.set("BM", name("Normal")))),
        harm(WhiteBoth, FILM, |p| {
            for state in multiplied(p) {
                state.set("OP", true);
                state.set("op", true);
            }
        }),
        harm(WhiteCoverage, FILM, |p| {
            let white = p.named("ColorSpace", |space| names(space, "White"));
            p.add("ExtGState", "Times", dictionary! { "BM" => name("Multiply") });
            let [x, y, ..] = p.area("TrimBox");
            let (x, y) = (x + 8.0, y + 300.0);
            p.content(0, |text| format!("q {text}\nQ q /Times gs /{white} cs 1 scn {x} {y} 50 50 re f Q"));
        })
        .sparing(unlaid),
        harm(InkLimit, CARD, |p| square(p, "0.9 0.9 0.9 0.9 k")),
        harm(InkLimit, NETWORK, |_| {}).sparing(|wish| wish.ink_limit = Some(200.0)),
    ]
}

fn shrink(p: &mut Patient, side: i64) {
    let size = [side, side];
    let picture = p.picture();
    // Its data are longer than that now, which is nobody's concern here.
    picture.set("Width", size[0]);
    picture.set("Height", size[1]);
}

fn names(space: &Object, plate: &str) -> bool {
    space.as_array().is_ok_and(|items| items.get(1).is_some_and(|item| *item == name(plate)))
}

/// Gives a plate another name wherever it is one.
fn rename(p: &mut Patient, plate: &str, to: &str) {
    let arrays = p.pdf.objects.values_mut().filter_map(|object| object.as_array_mut().ok());
    let mut found = 0;
    for array in arrays.filter(|array| array.len() > 3 && array[1] == name(plate)) {
        array[1] = name(to);
        found += 1;
    }
    assert!(found > 0, "no plate {plate}");
}

/// Every plate knocks out what it lies on.
fn knock_out(p: &mut Patient) {
    let states = p.states(|state| state.get(b"OP").is_ok_and(|on| *on == Object::Boolean(true)));
    assert!(!states.is_empty(), "nothing overprints");
    for state in states {
        state.set("OP", false);
        state.set("op", false);
    }
}

fn multiplied(p: &mut Patient) -> Vec<&mut Dictionary> {
    let states = p.states(|state| state.get(b"BM").is_ok_and(|mode| *mode == name("Multiply")));
    assert!(!states.is_empty(), "nothing is multiplied");
    states
}

/// What a job would know of the transfer: the white disc and ribbon that its template draws.
fn known(order: &str) -> Vec<Expected> {
    if order != FILM {
        return Vec::new();
    }
    let inside = |x: f64, y: f64| {
        let disc = libm::hypot(x - 60.0, y - 55.0) <= 49.8;
        let (dx, dy) = ((x - 60.0).abs() - 50.8, (y - 106.0).abs() - 9.8);
        disc || libm::hypot(dx.max(0.0), dy.max(0.0)) <= 4.0
    };
    let count =
        (0..1300).map(|j| (0..1200).filter(|i| inside(f64::from(*i) / 10.0, f64::from(j) / 10.0)).count());
    let area = count.sum::<usize>() as f64 / 100.0;
    vec![Expected {
        surface: "chest".into(),
        trim: [120.0, 130.0],
        safe: [2.0; 4],
        white: vec![("White".into(), area)],
        readable: Vec::new(),
    }]
}

#[test]
fn our_own_files_pass_before_they_are_broken() {
    for (order, (pdf, wish)) in FILES.iter() {
        let report = look(Patient::new(pdf).bytes(), wish, &known(order));
        assert_eq!(report.findings, [], "{order}");
    }
}

#[test]
fn each_broken_file_of_our_own_is_refused_for_its_rule_and_no_other() {
    let breaks: Vec<Break> = breaks_of_the_standard().into_iter().chain(breaks_of_the_house()).collect();
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for (index, Break { rule, order, harm, spare }) in breaks.iter().enumerate() {
        let (pdf, wish) = &FILES[order];
        let (mut patient, mut wish) = (Patient::new(pdf), wish.clone());
        harm(&mut patient);
        spare(&mut wish);
        let report = look(patient.bytes(), &wish, &known(order));
        if codes(&report) != [rule.as_str()] || report.verdict < rule.verdict() {
            wrong.push(format!("{index} {order}: wanted {rule}, found {:#?}", report.findings));
        }
        seen.insert(*rule);
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), breaks.len(), wrong.join("\n"));
    assert!(seen.len() >= 50, "{} rules", seen.len());
}

#[test]
fn names_that_look_like_keys_are_no_fault() {
    let (pdf, wish) = &FILES[STICKERS];
    let mut p = Patient::new(pdf);
    for font in ["TR", "EF", "OPI", "HTP", "Alternates", "A", "P"] {
        let program =
            Patient::stream(dictionary! { "Subtype" => name("Type1C") }, crate::support::x4::PROGRAM);
        let program = Object::Reference(p.pdf.add_object(program));
        let descriptor = dictionary! { "Type" => name("FontDescriptor"), "FontFile3" => program };
        let descriptor = Object::Reference(p.pdf.add_object(descriptor));
        let entries = dictionary! { "Subtype" => name("Type1"), "FontDescriptor" => descriptor };
        p.add("Font", font, entries);
    }
    let curve = Object::Reference(p.pdf.add_object(name("Default")));
    p.add("ExtGState", "TR2", dictionary! { "TR2" => curve });
    let own = dictionary! { "Private" => dictionary! { "OPI" => 1, "TR" => 2, "S" => name("JavaScript"), "JS" => 3 } };
    p.page(0).set("PieceInfo", dictionary! { "Maker" => own });
    let element = dictionary! { "Type" => name("StructElem"), "S" => name("Named") };
    let element = Object::Reference(p.pdf.add_object(element));
    let tree = dictionary! { "Type" => name("StructTreeRoot"), "K" => element, "RoleMap" => dictionary! { "TR" => name("TR") } };
    p.catalog().set("StructTreeRoot", tree);
    // A stream of nothing that is said to be compressed.
    let empty = dictionary! { "Subtype" => name("Form"), "Filter" => name("FlateDecode"),
    "BBox" => [0, 0, 9, 9].map(Object::Integer).to_vec() };
    p.add("XObject", "Empty", Patient::stream(empty, b""));
    p.draw(|_, _| "/Empty Do".into());
    assert_eq!(look(p.bytes(), wish, &[]).findings, []);
}

#[test]
fn what_is_on_a_hidden_layer_is_no_print() {
    let found = |order: &str, layer: &str| {
        let (pdf, wish) = &FILES[order];
        let mut p = Patient::new(pdf);
        hide(&mut p, layer);
        codes(&look(p.bytes(), wish, &[])).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(found(STICKERS, "CutContour"), ["layers.hidden", "plate.missing"]);
    assert_eq!(found(STICKERS, "Artwork"), ["layers.hidden", "page.blank"]);
    let (pdf, wish) = &FILES[STICKERS];
    let mut p = Patient::new(pdf);
    p.of_catalog("OCProperties").get_mut(b"D").unwrap().as_dict_mut().unwrap().set("BaseState", name("OFF"));
    assert_eq!(codes(&look(p.bytes(), wish, &[])), ["layers.hidden", "page.blank", "plate.missing"]);
}

#[test]
fn pictures_and_tagged_colours_are_measured_in_the_presses_inks() {
    let details = |order: &str, limit: f64, harm: fn(&mut Patient)| {
        let (pdf, wish) = &FILES[order];
        let mut patient = Patient::new(pdf);
        harm(&mut patient);
        let wish = Wish { ink_limit: Some(limit), ..wish.clone() };
        let report = look(patient.bytes(), &wish, &[]);
        assert!(report.findings.iter().all(|f| f.code == "ink.limit"), "{:?}", report.findings);
        report.findings.into_iter().map(|finding| finding.detail).collect::<Vec<_>>()
    };
    let has = |details: &[String], what: &str| details.iter().any(|detail| detail.contains(what));
    // The photo is in inks here, and in sRGB there.
    for order in [CARD, NETWORK] {
        let found = details(order, 200.0, |_| {});
        assert!(has(&found, "A picture asks"), "{order}: {found:?}");
        assert_eq!(details(order, 320.0, |_| {}), [""; 0], "{order}");
    }
    let night = |p: &mut Patient| {
        let three = |object: &Object| {
            let n = object.as_stream().and_then(|stream| stream.dict.get(b"N"));
            n.and_then(Object::as_i64).is_ok_and(|n| n == 3)
        };
        let profile = *p.pdf.objects.iter().find(|(_, object)| three(object)).unwrap().0;
        p.add("ColorSpace", "Tagged", vec![name("ICCBased"), Object::Reference(profile)]);
        square(p, "/Tagged cs 0.02 0.01 0.03 scn");
    };
    // Rich black takes 280 %, and what this night becomes a little more.
    let (without, with) = (details(NETWORK, 280.0, |_| {}), details(NETWORK, 280.0, night));
    assert!(!has(&without, "A colour asks") && has(&with, "A colour asks"), "{without:?} {with:?}");
}
