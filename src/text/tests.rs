//! Text is laid out with the fonts of the program and with Debian's Noto fonts.

use super::*;
use crate::asset::Limits;
use crate::error::Code;
use crate::scene::MM_PER_PT;
use kurbo::{Rect, Shape};
use std::sync::Arc;

pub(super) fn debian(path: &str, package: &str) -> Arc<[u8]> {
    let file = format!("/usr/share/fonts/{path}");
    std::fs::read(&file).unwrap_or_else(|e| panic!("{file}: {e}: apt-get install -y {package}")).into()
}

fn noto(name: &str) -> Arc<[u8]> {
    debian(&format!("truetype/noto/{name}.ttf"), "fonts-noto-core")
}

pub(super) fn world() -> FontLibrary {
    static WORLD: std::sync::LazyLock<FontLibrary> = std::sync::LazyLock::new(|| {
        let scripts = ["Arabic", "Hebrew", "Devanagari", "Thai"];
        let mut fonts: Vec<Arc<[u8]>> =
            scripts.iter().map(|s| noto(&format!("NotoSans{s}-Regular"))).collect();
        fonts.push(debian("opentype/noto/NotoSansCJK-Regular.ttc", "fonts-noto-cjk"));
        FontLibrary::builtin().with_fonts(fonts, &Limits::default()).unwrap()
    });
    WORLD.clone()
}

fn sans() -> &'static FontSpec {
    static SANS: std::sync::LazyLock<FontSpec> = std::sync::LazyLock::new(|| FontSpec::family("Noto Sans"));
    &SANS
}

/// 60 by 20 mm, 5 mm text, no wrapping, everything strict.
pub(super) fn block(text: &str) -> TextBlock<'_> {
    TextBlock {
        text,
        font: sans(),
        size: 5.0,
        min_size: None,
        width: 60.0,
        height: 20.0,
        align: Align::Start,
        valign: VAlign::Top,
        line_height: 1.2,
        letter_spacing: 0.0,
        wrap: false,
        max_lines: None,
        overflow: Overflow::Fail,
        glyphs: MissingGlyph::Fail,
    }
}

pub(super) fn lay(block: &TextBlock<'_>) -> Laid {
    layout(&world(), block).unwrap()
}

/// What the runs paint, measured from their outlines.
pub(super) fn painted(laid: &Laid) -> Rect {
    let rects = laid.runs.iter().map(|run| match run {
        Run::Outline(path) => path.bounding_box(),
        Run::Color(_) => laid.ink,
    });
    rects.reduce(|a, b| a.union(b)).unwrap_or(Rect::ZERO)
}

pub(super) fn holds(outer: Rect, inner: Rect) -> bool {
    let e = 1e-6;
    inner.x0 >= outer.x0 - e
        && inner.y0 >= outer.y0 - e
        && inner.x1 <= outer.x1 + e
        && inner.y1 <= outer.y1 + e
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-3
}

#[test]
fn the_builtin_families_are_there() {
    let families = FontLibrary::builtin().families();
    let expected =
        ["DejaVu Sans Mono", "Libertinus Serif", "NewComputerModern", "Noto Emoji", "Noto Sans", "Ubuntu"];
    for name in expected {
        assert!(families.iter().any(|f| f == name), "{name} is not among {families:?}");
        assert!(FontLibrary::builtin().check(&FontSpec::family(&name.to_uppercase())).is_ok());
    }
    for generic in ["serif", "sans-serif", "monospace", "emoji"] {
        assert!(FontLibrary::builtin().check(&FontSpec::family(generic)).is_ok(), "{generic}");
    }
}

#[test]
fn latin_has_the_height_of_its_font() {
    let laid = lay(&block("HAMBURG"));
    // Noto Sans: capitals are 0.714 em high, and stand on the baseline.
    assert!(close(laid.ink.height(), 5.0 * (0.714 + 0.02)), "{}", laid.ink.height());
    assert_eq!((laid.lines, laid.shrunk, laid.overflows, laid.missing), (1, false, false, 0));
    assert!(holds(laid.ink, painted(&laid)) && holds(painted(&laid), laid.ink));
    assert_eq!(laid.glyphs.len(), 7);
    assert!(laid.glyphs.windows(2).all(|w| close(w[0].x + w[0].advance, w[1].x)));
}

#[test]
fn sizes_scale_without_rounding() {
    let small = lay(&TextBlock { size: 1.0, ..block("Quartz glyph") });
    let large = lay(&TextBlock { size: 7.0, ..block("Quartz glyph") });
    assert!(close(small.ink.width() * 7.0, large.ink.width()));
    assert!(close(small.ink.height() * 7.0, large.ink.height()));
}

#[test]
fn lines_wrap_between_words_and_at_line_breaks() {
    let words = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich";
    let wrapped = TextBlock { wrap: true, height: 60.0, ..block(words) };
    let laid = lay(&wrapped);
    assert!(laid.lines >= 3, "{}", laid.lines);
    assert!(holds(Rect::new(0.0, 0.0, 60.0, 60.0), laid.ink));
    assert_eq!(lay(&TextBlock { wrap: false, width: 400.0, ..wrapped }).lines, 1);
    assert_eq!(lay(&block("one\ntwo\r\nthree")).lines, 3);
    let narrow = layout(&world(), &TextBlock { wrap: true, width: 10.0, ..block("Boxkämpfer") });
    assert_eq!(narrow.unwrap_err().code, Code::TextOverflow, "words are not broken");
    let lines = layout(&world(), &TextBlock { max_lines: Some(2), ..wrapped });
    assert_eq!(lines.unwrap_err().code, Code::TextOverflow);
}

#[test]
fn alignment_stands_where_it_says() {
    let ink = |align, valign| lay(&TextBlock { align, valign, ..block("Nennen") }).ink;
    let left = ink(Align::Left, VAlign::Top);
    let center = ink(Align::Center, VAlign::Middle);
    let right = ink(Align::Right, VAlign::Bottom);
    assert!(left.x0 < 1.0 && left.y1 < 10.0);
    assert!((center.center().x - 30.0).abs() < 0.5 && (center.center().y - 10.0).abs() < 1.0, "{center:?}");
    assert!(right.x1 > 59.0 && right.y0 > 10.0);
    assert_eq!(left, ink(Align::Start, VAlign::Top));
    assert_eq!(right, ink(Align::End, VAlign::Bottom));
    let text = "Ein Satz, der in zwei Zeilen steht und den Platz füllt";
    let justified = lay(&TextBlock { align: Align::Justify, wrap: true, width: 62.0, ..block(text) });
    let first_line =
        justified.glyphs.iter().filter(|g| g.line == 0).map(|g| g.x + g.advance).fold(0.0, f64::max);
    assert!(justified.lines > 1 && first_line > 61.5, "{first_line}");
}

#[test]
fn letter_spacing_keeps_the_middle() {
    let spaced = TextBlock { align: Align::Center, letter_spacing: 0.5, ..block("HHHH") };
    let ink = lay(&spaced).ink;
    // H stands half a unit off the middle of its advance.
    assert!((ink.center().x - 30.0).abs() < 0.01, "{ink:?}");
    let tight = lay(&TextBlock { align: Align::Center, ..block("HHHH") }).ink;
    assert!(close(ink.width() - tight.width(), 3.0 * 0.5 * 5.0));
    let end = lay(&TextBlock { align: Align::Right, ..spaced }).ink;
    assert!(end.x1 > 59.0, "{end:?}");
}

#[test]
fn text_shrinks_to_its_floor_and_then_fails() {
    let name = "Maximiliane-Charlotte Wolfeschlegelsteinhausen";
    let shrinking = TextBlock { min_size: Some(2.0), ..block(name) };
    let laid = lay(&shrinking);
    assert!(laid.shrunk && laid.size < 5.0 && laid.size >= 2.0);
    assert!(holds(Rect::new(0.0, 0.0, 60.0, 20.0), painted(&laid)));
    let steps = laid.size / MM_PER_PT * 64.0;
    assert!(close(steps, steps.round()), "not on the grid");
    let larger = TextBlock { size: laid.size + MM_PER_PT / 64.0, min_size: None, ..shrinking };
    assert_eq!(layout(&world(), &larger).unwrap_err().code, Code::TextOverflow, "a larger size fits");

    let floor = TextBlock { min_size: Some(4.0), ..shrinking };
    let violation = layout(&world(), &floor).unwrap_err();
    assert_eq!(violation.code, Code::TextOverflow);
    assert!(!violation.detail.contains("Max"));
    let allowed = lay(&TextBlock { overflow: Overflow::Allow, ..floor });
    assert!(allowed.overflows && close(allowed.size, 4.0) && allowed.ink.x1 > 60.0);
}

#[test]
fn scripts_of_the_world_are_shaped() {
    let cases = [
        ("مرحبا بالعالم", "NotoSansArabic", 13),
        ("שלום עולם", "NotoSansHebrew", 9),
        ("नमस्ते दुनिया", "NotoSansDevanagari", 13),
        ("สวัสดีชาวโลก", "NotoSansThai", 12),
        ("你好世界", "NotoSansCJK", 4),
        ("こんにちは世界", "NotoSansCJK", 7),
        ("안녕하세요", "NotoSansCJK", 5),
    ];
    for (text, font, at_most) in cases {
        let laid = lay(&block(text));
        assert_eq!(laid.missing, 0, "{text}");
        assert!(
            laid.glyphs.len() <= at_most && laid.glyphs.len() * 2 >= at_most,
            "{text}: {}",
            laid.glyphs.len()
        );
        assert!(laid.ink.area() > 1.0, "{font}");
    }
    // Letters of Arabic join: isolated forms of three letters are wider than the word.
    let word = lay(&block("ببب")).ink.width();
    let apart = lay(&block("ب ب ب")).glyphs.iter().filter(|g| g.advance > 2.0).count();
    assert!(word < 60.0 && apart == 3);
}

#[test]
fn right_to_left_starts_right_and_runs_mix() {
    let hebrew = lay(&block("שלום"));
    assert!(hebrew.ink.x1 > 58.0, "{:?}", hebrew.ink);
    let mixed = lay(&block("Zoë שלום"));
    let (latin, hebrew): (Vec<_>, Vec<_>) = mixed.glyphs.iter().partition(|g| g.range.start < 4);
    let rightmost = latin.iter().map(|g| g.x).fold(0.0, f64::max);
    assert!(hebrew.iter().filter(|g| g.range.start > 4).all(|g| g.x > rightmost));
    // The first Hebrew letter stands at the right end.
    let first = hebrew.iter().find(|g| g.range.start == 5).unwrap();
    assert!(hebrew.iter().all(|g| g.x <= first.x));
}

#[test]
fn thai_and_chinese_wrap_without_spaces() {
    for text in ["ภาษาไทยไม่มีช่องว่างระหว่างคำในประโยค", "我能吞下玻璃而不伤身体我能吞下玻璃"]
    {
        let laid = lay(&TextBlock { wrap: true, width: 40.0, height: 60.0, ..block(text) });
        assert!(laid.lines > 1, "{text}");
        assert!(holds(Rect::new(0.0, 0.0, 40.0, 60.0), laid.ink));
    }
}

#[test]
fn chinese_characters_take_the_form_of_their_language() {
    let glyph = |text: &str| lay(&block(text)).glyphs[0].glyph;
    // U+9AA8 differs between China and Japan.
    assert_ne!(glyph("骨"), glyph("骨の"));
}

#[test]
fn emoji_are_found_behind_any_family() {
    for text in ["🎂", "Happy 🎂 day ❤\u{fe0f}", "👩\u{200d}🚀"] {
        let laid = lay(&block(text));
        assert_eq!(laid.missing, 0, "{text}");
    }
}

#[test]
fn missing_glyphs_are_counted_and_named_but_not_echoed() {
    let hieroglyphs = "ab𓀀𓀁c";
    let violation = layout(&world(), &block(hieroglyphs)).unwrap_err();
    assert_eq!(violation.code, Code::TextGlyphMissing);
    assert!(
        violation.detail.starts_with("2 characters") && !violation.detail.contains('𓀀'),
        "{}",
        violation.detail
    );
    let allowed = lay(&TextBlock { glyphs: MissingGlyph::Allow, ..block(hieroglyphs) });
    assert_eq!((allowed.missing, allowed.missing_scripts.as_slice()), (2, ["other scripts"].as_slice()));
    let thai = layout(&FontLibrary::builtin(), &block("กขค")).unwrap_err();
    assert!(thai.detail.contains("Thai"), "{}", thai.detail);
    for fine in [
        "line\nbreak",
        "tab\tspace",
        "nb\u{a0}sp",
        "thin\u{2009}sp",
        "narrow\u{202f}sp",
        "z\u{200b}w",
        "x\u{2060}y",
    ] {
        assert_eq!(lay(&block(fine)).missing, 0, "{fine:?}");
    }
}

#[test]
fn unknown_fonts_list_the_known_ones() {
    let spec = FontSpec::family("Comic Sans MS");
    let violation = layout(&world(), &TextBlock { font: &spec, ..block("x") }).unwrap_err();
    assert_eq!(violation.code, Code::FontNotFound);
    assert!(violation.allowed.contains(&"Noto Sans".to_owned()));
    let bold = FontSpec { weight: 700, ..FontSpec::family("Noto Emoji") };
    assert_eq!(world().check(&bold).unwrap_err().code, Code::FontNotFound);
    let italic = FontSpec { italic: true, ..FontSpec::family("Noto Sans Thai") };
    assert_eq!(world().check(&italic).unwrap_err().code, Code::FontNotFound);
    let both = FontSpec { weight: 700, italic: true, ..FontSpec::family("libertinus serif") };
    let face = |spec: &FontSpec| lay(&TextBlock { font: spec, ..block("Hh") }).ink;
    assert_ne!(face(&both), face(&FontSpec::family("Libertinus Serif")));
}

#[test]
fn broken_fonts_are_refused_one_by_one() {
    let whole = noto("NotoSansThai-Regular");
    let cut: Arc<[u8]> = whole[..whole.len() / 2].into();
    let noise: Arc<[u8]> = Arc::from(vec![0x5a; 5000]);
    let limits = Limits { font_bytes: 200_000, ..Limits::default() };
    let large: Arc<[u8]> = Arc::from(vec![0; 200_001]);
    let pictures = debian("truetype/noto/NotoColorEmoji.ttf", "fonts-noto-color-emoji");
    let violations =
        FontLibrary::builtin().with_fonts([cut, whole.clone(), noise, large], &limits).unwrap_err();
    let found: Vec<_> = violations.0.iter().map(|v| (v.code, v.pointer.as_deref())).collect();
    assert_eq!(
        found,
        [
            (Code::FontInvalid, Some("/0")),
            (Code::FontInvalid, Some("/2")),
            (Code::FontComplexityExceeded, Some("/3"))
        ]
    );
    let violations = FontLibrary::builtin().with_fonts([pictures], &Limits::default()).unwrap_err();
    assert!(violations.0[0].detail.contains("pictures"));
}

#[test]
fn svg_text_sees_the_same_fonts() {
    let database = world().fontdb();
    let has = |name: &str| database.faces().any(|face| face.families.iter().any(|f| f.0 == name));
    assert!(has("Noto Sans") && has("Noto Sans Thai") && has("Libertinus Serif") && !has("Arial"));
}

#[test]
fn the_same_text_gives_the_same_bytes_on_every_thread() {
    let work =
        || format!("{:?}", lay(&TextBlock { wrap: true, ..block("Zoë שלום 你好 🎂 مرحبا Grüße") }).runs);
    let here = work();
    let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(work)).collect();
    assert!(threads.into_iter().all(|t| t.join().unwrap() == here));
    let site =
        || FontLibrary::builtin().with_fonts([noto("NotoSansThai-Regular")], &Limits::default()).unwrap();
    let runs = |library: &FontLibrary| format!("{:?}", layout(library, &block("ไทย → ♫ ★")).unwrap().runs);
    assert_eq!(runs(&site()), runs(&site()));
}
