//! The stages of outlines and documents: text, art, PDF.

use crate::one_thread::{OneThread, Stages};
use crate::shared::{Away, app, asset, prepare};
use presswork::art::{Art, Recolor};
use presswork::asset::Limits;
use presswork::catalog::Output;
use presswork::render::Job;
use presswork::text::{Align, FontLibrary, FontSpec, MissingGlyph, Overflow, TextBlock, VAlign, layout};

/// A page of prose: 100 words to be broken into lines.
const PROSE: &str = "The quick brown fox jumps over the lazy dog, and then goes home. ";

/// Words become outlines; the fonts are at hand.
pub(crate) fn text(group: &mut Stages<'_>) {
    let fonts = FontLibrary::builtin();
    let font = FontSpec { weight: 700, ..FontSpec::family("Libertinus Serif") };
    let line = TextBlock {
        text: "Happy Birthday Grace",
        font: &font,
        size: 35.56,
        min_size: None,
        width: 381.0,
        height: 50.8,
        align: Align::Center,
        valign: VAlign::Middle,
        line_height: 1.0,
        letter_spacing: 0.0,
        wrap: false,
        max_lines: None,
        overflow: Overflow::Fail,
        glyphs: MissingGlyph::Fail,
    };
    let prose = PROSE.repeat(8);
    let page = TextBlock { text: &prose, size: 4.2, height: 200.0, width: 120.0, wrap: true, ..line };
    // It does not fit at the size that is asked for: smaller ones are tried.
    let shrunk = TextBlock { size: 20.0, min_size: Some(2.0), ..page };
    for (name, block) in [("one line", line), ("a page", page), ("a page that has to shrink", shrunk)] {
        group.bench_function(format!("text {name}"), |b| b.iter(|| layout(&fonts, &block).unwrap()));
    }
}

/// Clipart becomes nodes.
pub(crate) fn art(group: &mut Stages<'_>) {
    let (fonts, limits, svg) = (FontLibrary::builtin(), Limits::default(), asset("art.svg"));
    group.bench_function("art butterfly", |b| {
        b.iter(|| Art::load(&svg, fonts.fontdb(), &limits).unwrap().group(&Recolor::default()).unwrap());
    });
}

/// A scene becomes a hashed document. Photos of the mug that are too large are resampled; their decoding
/// is taken off.
pub(crate) fn pdf(group: &mut Stages<'_>) {
    let (thread, app) = (OneThread::new(), app("benches"));
    for name in ["mug", "wrap"] {
        let prepared = prepare(&app, name);
        group.bench_function(format!("pdf {name}"), |b| {
            thread.time_without_decoding(b, |control| {
                let job = Job {
                    scene: &prepared.composed.scene,
                    profile: prepared.order.profile(),
                    outputs: &[Output::Pdf],
                    title: name,
                    press: None,
                    slug: None,
                    limits: app.limits(),
                    control,
                };
                job.render(&mut Away, &mut |_| {}).unwrap();
            });
        });
    }
}
