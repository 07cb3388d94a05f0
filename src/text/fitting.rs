//! What fits a box, for any words: ink that hangs over its advance, sizes that are found by bisection.

use super::tests::{block, holds, lay, painted, world};
use super::*;
use crate::error::Code;
use crate::scene::MM_PER_PT;
use kurbo::Rect;
use proptest::prelude::*;

/// At a size at which one line's advances fit and its ink does not, the last word goes to the next line.
#[test]
fn a_line_whose_ink_is_too_wide_gives_up_its_last_word() {
    let font = FontSpec { italic: true, ..FontSpec::family("Libertinus Serif") };
    let of = |width: f64, wrap: bool, align: Align| TextBlock {
        font: &font,
        width,
        wrap,
        align,
        ..block("half of")
    };
    let one = lay(&of(60.0, false, Align::Left));
    let advance = one.glyphs.iter().map(|glyph| glyph.advance).sum::<f64>();
    assert!(one.ink.x1 > advance + 0.05, "the f hangs over: {:?} {advance}", one.ink);
    let room = advance + 0.01;
    assert_eq!(lay(&of(one.ink.width() + 0.01, true, Align::Left)).lines, 1);
    for align in [Align::Left, Align::Center, Align::Right, Align::Justify] {
        let two = lay(&of(room, true, align));
        assert_eq!((two.lines, two.shrunk, two.size), (2, false, 5.0), "{align:?}");
        let word: f64 =
            two.glyphs.iter().filter(|g| g.line == 0 && g.range.start < 4).map(|g| g.advance).sum();
        match align {
            // Ink that would leave the box is moved inside.
            Align::Right => assert!((two.ink.x1 - room).abs() < 1e-3, "{:?} {room}", two.ink),
            Align::Center => assert!((two.glyphs[0].x - (room - word) / 2.0).abs() < 1e-3),
            Align::Start | Align::End | Align::Left | Align::Justify => {
                assert!(two.ink.x0.abs() < 0.5, "{:?}", two.ink)
            }
        }
    }
}

/// Justified lines end where their ink does.
#[test]
fn justified_lines_stand_in_their_box_with_ink_that_hangs_over() {
    let font = FontSpec { italic: true, ..FontSpec::family("Libertinus Serif") };
    let words = "a leaf of a half of a chief of a brief of a roof of a reef of a shelf ";
    let text = words.repeat(3);
    for tenths in 300..340 {
        let width = f64::from(tenths) / 10.0;
        let align = Align::Justify;
        let laid = lay(&TextBlock { font: &font, width, height: 200.0, wrap: true, align, ..block(&text) });
        assert!(!laid.shrunk && laid.lines > 3, "{width}");
        assert!((laid.ink.x1 - width).abs() < 0.01, "{width}: {:?}", laid.ink);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is accepted stands inside of its box, and the measured ink is the painted ink.
    #[test]
    fn accepted_text_stands_in_its_box(
        text in "[A-Za-zÀ-ž ,.!fjgÅÇ\n]{1,60}|[א-ת ]{1,20}|\\PC{1,30}",
        size in 1.0..12.0_f64,
        width in 5.0..100.0_f64,
        height in 3.0..60.0_f64,
        wrap: bool,
        italic: bool,
        spacing in -0.1..0.5_f64,
        line_height in 0.7..2.0_f64,
        places in (0..6_usize, 0..3_usize),
    ) {
        let font = FontSpec { italic, ..FontSpec::family("Libertinus Serif") };
        let align = [Align::Start, Align::Center, Align::End, Align::Left, Align::Right, Align::Justify][places.0];
        let valign = [VAlign::Top, VAlign::Middle, VAlign::Bottom][places.1];
        let block = TextBlock {
            font: &font, size, width, height, wrap, align, valign, line_height,
            min_size: Some(0.5), letter_spacing: spacing, glyphs: MissingGlyph::Allow, ..block(&text)
        };
        match layout(&world(), &block) {
            Err(violation) => prop_assert_eq!(violation.code, Code::TextOverflow),
            Ok(laid) => {
                prop_assert!(!laid.overflows && laid.size <= size && laid.size >= 0.5);
                prop_assert!(holds(Rect::new(0.0, 0.0, width, height), painted(&laid)), "{:?}", laid.ink);
                prop_assert!(holds(laid.ink, painted(&laid)));
            }
        }
    }

    /// A larger box never takes smaller text, however its letters hang over. (Where directions mix, a longer
    /// line may be narrower, and a size is missed.)
    #[test]
    fn room_never_shrinks_text(
        text in "[A-Za-z ]{1,40}|[fjy ]{1,40}|[א-ת ]{1,20}",
        width in 5.0..60.0_f64,
        more in prop_oneof![0.0..40.0_f64, 0.0..1.0_f64],
        wrap in prop::bool::weighted(0.8),
        justify: bool,
        italic: bool,
        spacing in prop_oneof![Just(0.0), -0.1..0.5_f64],
    ) {
        let font = FontSpec { italic, ..FontSpec::family("Libertinus Serif") };
        let align = if justify { Align::Justify } else { Align::Start };
        let size = |width: f64, height: f64| {
            let block = TextBlock {
                font: &font, width, height, wrap, align, letter_spacing: spacing, min_size: Some(0.2), ..block(&text)
            };
            layout(&world(), &block).map(|laid| laid.size).unwrap_or(0.0)
        };
        let step = MM_PER_PT / 64.0 + 1e-9;
        prop_assert!(size(width + more, 10.0) >= size(width, 10.0) - step);
        prop_assert!(size(width, 10.0 + more) >= size(width, 10.0) - step);
    }
}
