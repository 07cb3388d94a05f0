//! Tests with fonts that are made here: colour layers, and glyphs built of themselves.

use super::tests::{block, debian};
use super::*;
use crate::asset::Limits;
use crate::error::Code;
use crate::scene::{Color, Group, Ink, Node, Paint};
use kurbo::{Affine, Shape};
use skrifa::raw::{FontRef, TableProvider};
use skrifa::{GlyphId, MetadataProvider};
use std::sync::Arc;

fn noto_sans() -> Vec<u8> {
    notosans::REGULAR_TTF.to_vec()
}

fn glyph(c: char) -> u16 {
    let font = FontRef::new(notosans::REGULAR_TTF).unwrap();
    font.charmap().map(c).unwrap().to_u32() as u16
}

fn library(font: Vec<u8>) -> FontLibrary {
    FontLibrary::builtin().with_fonts([Arc::from(font)], &Limits::default()).unwrap()
}

/// Big-endian numbers, one after the other.
macro_rules! be {
    ($($n:expr),* $(,)?) => {{ let mut out = Vec::new(); $(out.extend($n.to_be_bytes());)* out }};
}

fn u24(n: u32) -> [u8; 3] {
    let [_, a, b, c] = n.to_be_bytes();
    [a, b, c]
}

/// Noto Sans with a palette of red, blue and half-transparent green, and these layers.
fn with_layers(colr: Vec<u8>) -> Vec<u8> {
    let font = noto_sans();
    let mut cpal = be![0_u16, 3_u16, 1_u16, 3_u16, 14_u32, 0_u16];
    cpal.extend([0, 0, 255, 255, 255, 0, 0, 255, 0, 128, 0, 128]);
    let mut tables: Vec<([u8; 4], Vec<u8>)> = FontRef::new(&font)
        .unwrap()
        .table_directory()
        .table_records()
        .iter()
        .map(|r| {
            let at = r.offset() as usize;
            (r.tag().to_be_bytes(), font[at..at + r.length() as usize].to_vec())
        })
        .collect();
    tables.push((*b"COLR", colr));
    tables.push((*b"CPAL", cpal));
    tables.sort();
    let mut out = be![0x0001_0000_u32, tables.len() as u16, 0_u16, 0_u16, 0_u16];
    let mut offset = 12 + 16 * tables.len();
    for (tag, data) in &tables {
        out.extend(tag);
        out.extend(be![0_u32, offset as u32, data.len() as u32]);
        offset += data.len().next_multiple_of(4);
    }
    for (_, mut data) in tables {
        data.resize(data.len().next_multiple_of(4), 0);
        out.extend(data);
    }
    out
}

/// COLR version 1 in which the letter A is painted by this.
fn painted_a(paint: &[u8]) -> Vec<u8> {
    let mut colr = be![1_u16, 0_u16, 0_u32, 0_u32, 0_u16, 34_u32, 0_u32, 0_u32, 0_u32, 0_u32];
    colr.extend(be![1_u32, glyph('A'), 10_u32]);
    colr.extend(paint);
    with_layers(colr)
}

/// PaintGlyph: fills a letter's outline with the paint that follows.
fn filled(letter: char, paint: &[u8]) -> Vec<u8> {
    [&[10][..], &u24(6), &glyph(letter).to_be_bytes(), paint].concat()
}

fn solid(index: u16) -> Vec<u8> {
    [&[2][..], &be![index, 0x4000_u16]].concat()
}

fn lay(font: Vec<u8>, text: &str) -> Laid {
    layout(&library(font), &block(text)).unwrap()
}

fn color_group(laid: &Laid) -> &Group {
    let colors: Vec<_> = laid
        .runs
        .iter()
        .filter_map(|run| if let Run::Color(group) = run { Some(group) } else { None })
        .collect();
    assert_eq!(colors.len(), 1, "one colour glyph");
    colors[0]
}

/// Every filled outline with its transform to the box.
fn fills(group: &Group, into: Affine) -> Vec<(kurbo::Rect, Paint, f32)> {
    let into = into * group.transform;
    group
        .nodes
        .iter()
        .flat_map(|node| match node {
            Node::Group(inner) => fills(inner, into),
            Node::Path(path) => {
                let fill = path.fill.clone().unwrap();
                vec![((into * (*path.path).clone()).bounding_box(), fill.paint, fill.opacity)]
            }
            Node::Image(_) | Node::Pattern(_) | Node::Filter(_) | Node::Separation(_) => {
                panic!("not a glyph's node")
            }
        })
        .collect()
}

fn is_ink(paint: &Paint, color: Color) -> bool {
    matches!(paint, Paint::Solid(Ink::Process(c)) if *c == color)
}

#[test]
fn layers_of_version_0_keep_their_colours() {
    let mut colr = be![0_u16, 1_u16, 14_u32, 20_u32, 2_u16, glyph('A'), 0_u16, 2_u16];
    colr.extend(be![glyph('O'), 0_u16, glyph('I'), 2_u16]);
    let laid = lay(with_layers(colr), "xA");
    assert_eq!(laid.missing, 0);
    assert!(matches!(laid.runs[0], Run::Outline(_)), "the x is plain");
    let fills = fills(color_group(&laid), Affine::IDENTITY);
    assert_eq!(fills.len(), 2);
    assert!(is_ink(&fills[0].1, Color::rgb8(255, 0, 0)) && fills[0].2 == 1.0);
    assert!(is_ink(&fills[1].1, Color::rgb8(0, 128, 0)) && (fills[1].2 - 0.5).abs() < 0.01);
    // The O of the layer stands upright on the baseline, within the text's ink.
    let o = layout(&FontLibrary::builtin(), &block("O")).unwrap().ink;
    assert!((fills[0].0.height() - o.height()).abs() < 1e-6 && (fills[0].0.y0 - o.y0).abs() < 1e-6);
    assert!(laid.ink.union(fills[0].0) == laid.ink);
}

#[test]
fn gradients_of_version_1_run_in_the_glyphs_space() {
    let mut gradient = [&[4][..], &u24(16), &be![0_i16, 0_i16, 0_i16, 700_i16, 100_i16, 0_i16]].concat();
    gradient
        .extend([&[0][..], &be![2_u16, 0_i16, 0_u16, 0x4000_i16, 0x4000_i16, 1_u16, 0x4000_i16]].concat());
    let laid = lay(painted_a(&filled('H', &gradient)), "A");
    let fills = fills(color_group(&laid), Affine::IDENTITY);
    let Paint::Linear(linear) = &fills[0].1 else { panic!("{:?}", fills[0].1) };
    assert_eq!(linear.stops.stops.len(), 2);
    assert_eq!(linear.stops.stops[0].1, Ink::Process(Color::rgb8(255, 0, 0)));
    assert_ne!(linear.start.y, linear.end.y);
}

#[test]
fn compositing_becomes_masks_or_counts_as_missing() {
    let composite = |mode: u8| {
        let (source, backdrop) = (filled('H', &solid(0)), filled('O', &solid(1)));
        let paint = [&[32][..], &u24(8), &[mode], &u24(8 + source.len() as u32), &source, &backdrop].concat();
        layout(&library(painted_a(&paint)), &TextBlock { glyphs: MissingGlyph::Allow, ..block("A") }).unwrap()
    };
    let masked = format!("{:?}", composite(5).runs);
    assert!(masked.contains("kind: Alpha"), "source in backdrop");
    assert!(format!("{:?}", composite(23).runs).contains("Multiply"));
    let unsupported = composite(11);
    assert_eq!((unsupported.missing, unsupported.runs.len()), (1, 0), "xor cannot be printed");
}

#[test]
fn colour_glyphs_built_of_themselves_are_refused() {
    let itself = [&[11][..], &glyph('A').to_be_bytes()].concat();
    let violation = layout(&library(painted_a(&itself)), &block("A")).unwrap_err();
    assert_eq!(violation.code, Code::FontComplexityExceeded);
}

/// Noto Sans in which a glyph is a composite of itself; `None` where the glyph is too small for one.
fn cyclic(id: u16) -> Option<Vec<u8>> {
    let mut font = noto_sans();
    let at = {
        let read = FontRef::new(notosans::REGULAR_TTF).unwrap();
        let glyf = read
            .table_directory()
            .table_records()
            .iter()
            .find(|r| r.tag() == skrifa::Tag::new(b"glyf"))
            .unwrap();
        let loca = read.loca(None).unwrap();
        let (from, to) = (loca.get_raw(usize::from(id)).unwrap(), loca.get_raw(usize::from(id) + 1).unwrap());
        if to - from < 18 {
            return None;
        }
        (glyf.offset() + from) as usize
    };
    let composite = be![-1_i16, 0_i16, 0_i16, 500_i16, 500_i16, 0x0003_u16, id, 0_i16, 0_i16];
    font[at..at + composite.len()].copy_from_slice(&composite);
    Some(font)
}

#[test]
fn outlines_built_of_themselves_are_refused() {
    let load = |font: Vec<u8>| FontLibrary::builtin().with_fonts([Arc::from(font)], &Limits::default());
    let violations = load(cyclic(glyph('B')).unwrap()).unwrap_err();
    assert_eq!(violations.0[0].code, Code::FontComplexityExceeded);
    // One that the trial does not draw is found when it is used.
    let late = ('Ѐ'..='ӿ').find_map(|c| Some((c, load(cyclic(glyph(c))?).ok()?)));
    let (letter, library) = late.expect("a glyph beyond the trial");
    let violation = layout(&library, &block(&letter.to_string())).unwrap_err();
    assert_eq!(violation.code, Code::FontComplexityExceeded);
}

/// Damage anywhere in a font ends in a result, never in a panic or an endless loop.
#[test]
fn damaged_fonts_never_panic() {
    let thai = debian("truetype/noto/NotoSansThai-Regular.ttf", "fonts-noto-core");
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let (mut refused, mut accepted) = (0, 0);
    for round in 0..300 {
        let mut font = thai.to_vec();
        // Half of them are hurt where it matters most: in the directory and the first tables.
        let reach = if round % 2 == 0 { 3000 } else { font.len() };
        for _ in 0..1 + random() % 8 {
            let at = random() % reach;
            font[at] = random() as u8;
        }
        match FontLibrary::builtin().with_fonts([Arc::from(font)], &Limits::default()) {
            Err(_) => refused += 1,
            Ok(library) => {
                accepted += 1;
                let spec = FontSpec::family("Noto Sans Thai");
                let _ = layout(&library, &TextBlock { font: &spec, ..block("สวัสดี น้ำ ที่นี่") });
            }
        }
    }
    assert!(refused > 20 && accepted > 20, "{refused} refused, {accepted} accepted");
}

#[test]
fn overlapping_outlines_of_two_fonts_do_not_cancel() {
    let turns = |font: &[u8], c: char| {
        let font = FontRef::new(font).unwrap();
        let id: GlyphId = font.charmap().map(c).unwrap();
        super::glyph::outline(&font, id, skrifa::instance::LocationRef::default()).unwrap().area()
    };
    let libertinus = typst_assets::fonts().next().unwrap();
    assert!(turns(notosans::REGULAR_TTF, 'l') * turns(libertinus, 'l') > 0.0);
}
