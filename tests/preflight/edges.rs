//! Where a rule ends: what looks like its fault and is none, and what a job's knowledge adds.

use crate::rules::{codes, dark, everywhere, look, wish};
use crate::support::x4::*;
use kurbo::Rect;
use presswork::preflight::{Expected, Inspection, Readable, Rule, Wish};
use std::io::Cursor;

#[test]
fn white_that_knocks_out_is_printed() {
    let found = |paint: &str, state: &str| {
        let mut file = X4::card();
        file.edit(STATE, "/OPM 1", state);
        file.redraw(CONTENT, "q /Fm Do Q", &format!("q /Fm Do /Over gs {paint} 112 62 9 9 re f Q"));
        codes(&look(file.bytes(), &wish())).join(" ")
    };
    assert_eq!(found("0 0 0 0 k", "/OPM 1"), "white.overprints");
    // Every process plate is set, to nothing.
    assert_eq!(found("0 0 0 0 k", "/OPM 0"), "");
    // Only colours of DeviceCMYK leave plates.
    assert_eq!(found("1 g", "/OPM 1"), "");
    // An ink by name leaves all plates but its own.
    assert_eq!(found("/White cs 0 scn", "/OPM 0"), "white.overprints");
    assert_eq!(found("0 0 0 0.1 k", "/OPM 1"), "");
}

#[test]
fn register_marks_lie_outside_the_trim() {
    let found = |what: &str| {
        let mut file = X4::card();
        everywhere(&mut file, what);
        codes(&look(file.bytes(), &wish())).join(" ")
    };
    // One path at all corners, whose bounds hold the page, and a frame around it.
    let corners =
        "/All CS 1 SCN 0.25 w 10 2 m 10 8 l 190 2 m 190 8 l 10 292 m 10 298 l 190 292 m 190 298 l S";
    assert_eq!(found(corners), "");
    assert_eq!(found("/All CS 1 SCN 0.25 w 5 5 190 290 re S"), "");
    assert_eq!(found("/All cs 1 scn 2 100 6 6 re f"), "");
    // In the artwork it is four plates full.
    assert_eq!(found("/All cs 1 scn 112 62 9 9 re f"), "ink.limit ink.registration");
    assert_eq!(found("/All CS 0.2 SCN 1 w 5 5 m 60 60 l S"), "ink.registration");
}

#[test]
fn white_on_paper_is_no_print() {
    let found = |what: &str, on_dark: bool| {
        let mut file = X4::card();
        // Clear paper on the left.
        file.redraw(CONTENT, "0 0 200 300 re f", "60 0 140 300 re f");
        if on_dark {
            dark(&mut file, what);
        } else {
            file.redraw(CONTENT, "q 36", &format!("{what} q 36"));
        }
        codes(&look(file.bytes(), &Wish { bleed_painted: false, ..wish() })).join(" ")
    };
    let line = "0 0 0 0 K 0.1 w 30 50 m 50 80 l S";
    let (bar, shape) = ("0 0 0 0 k 30 50 20 0.1 re f", "0 0 0 0 k 12 200 5 5 re f");
    assert_eq!([found(line, false), found(bar, false), found(shape, false)], ["", "", ""]);
    assert_eq!(found(line, true), "line.too_thin");
    assert_eq!(found(bar, true), "line.too_thin");
    assert_eq!(found(shape, true), "safe_zone.intruded");
    // White pieces of a pattern, one of which runs off.
    assert_eq!(found(&format!("{shape} 0 0 0 0 k 8 90 5 5 re f"), true), "");
}

#[test]
fn a_line_is_as_thin_as_its_matrix_makes_it_where_it_runs() {
    let found = |line: &str| {
        let mut file = X4::card();
        file.redraw(FORM, "re f", &format!("re f 0 0 0 1 K q 20 0 0 0.01 0 0 cm 1 w {line} S Q"));
        codes(&look(file.bytes(), &wish())).join(" ")
    };
    assert_eq!(found("5.6 6200 m 6.4 6200 l"), "line.too_thin");
    // Twenty points wide.
    assert_eq!(found("6 6500 m 6 8500 l"), "");
}

#[test]
fn authors_agree_however_they_are_listed() {
    let found = |author: &str| {
        let mut file = X4::card();
        let list = "<dc:creator><rdf:Seq><rdf:li>Ann</rdf:li><rdf:li>Bob</rdf:li></rdf:Seq></dc:creator>";
        file.redraw(XMP, "<pdf:Producer>", &format!("{list}<pdf:Producer>"));
        file.add(INFO, &format!("/Author ({author}) /Subject (Not in XMP)"));
        codes(&look(file.bytes(), &wish())).join(" ")
    };
    assert_eq!([found("Ann"), found("Ann; Bob"), found("Ann, Bob")], ["", "", ""]);
    assert_eq!(found("Eve"), "metadata.mismatch");
}

#[test]
fn a_job_knows_where_its_type_is() {
    let wish = wish();
    let look = |code: bool, area: Rect| {
        let readable = vec![Readable { layer: "name".into(), code, area }];
        let pages =
            [Expected { surface: "front".into(), trim: [63.5, 98.778], readable, ..Expected::default() }];
        let own = Inspection { pages: &pages, ..Inspection::new(&wish) };
        let report = own.inspect(Cursor::new(X4::card().bytes())).unwrap();
        report
            .findings
            .into_iter()
            .map(|f| (f.code, f.place.unwrap_or_default(), f.detail))
            .collect::<Vec<_>>()
    };
    // 3 mm are safe, and the bleed is about as wide.
    assert_eq!(look(false, Rect::new(3.0, 20.0, 60.5, 30.0)), []);
    let near = look(false, Rect::new(0.2, 20.0, 40.0, 30.0));
    assert_eq!(
        (near.len(), near[0].0.as_str(), near[0].1),
        (1, Rule::SafeZone.as_str(), [0.2, 20.0, 39.8, 10.0])
    );
    assert!(near[0].2.contains("layer name comes nearer"), "{near:?}");
    for cut in [Rect::new(-4.0, 20.0, 40.0, 30.0), Rect::new(20.0, 90.0, 40.0, 100.0)] {
        assert!(look(false, cut)[0].2.contains("cut off"), "{cut}");
    }
    // Words across the whole sheet are ground, a code never is.
    let across = Rect::new(-5.0, 20.0, 70.0, 60.0);
    assert_eq!(look(false, across), []);
    assert_eq!(look(true, across).len(), 1);
    // What lies beside the sheet is not on it.
    assert_eq!(look(false, Rect::new(-30.0, 20.0, -10.0, 30.0)), []);
}

#[test]
fn each_page_has_its_own_knifes_path() {
    let mut file = X4::card();
    file.edit(2, "[3 0 R]", "[3 0 R 31 0 R]").copy_page(31).edit(31, "7 0 R", "30 0 R");
    file.object(30, "<< >>", Some(b"0 0 0 0.1 k 0 0 200 300 re f"));
    let report = look(file.bytes(), &wish());
    assert_eq!(codes(&report), [Rule::PlateMissing.as_str()]);
    assert_eq!(report.findings[0].page, Some(2));
    // Foil may be on the cover alone.
    let foil = Wish { technical: Vec::new(), lines: Vec::new(), ..wish() };
    let found = look(file.bytes(), &foil).findings;
    assert!(found.iter().all(|f| f.code != Rule::PlateMissing.as_str()), "{found:?}");
}
