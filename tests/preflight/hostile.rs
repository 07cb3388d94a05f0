//! Files made to hurt a reader: each ends in a finding, within its limits, and never in a panic.

use crate::support::x4::*;
use presswork::preflight::{Inspection, ReadLimits, Report, Wish};
use std::io::{Cursor, Write};

/// Limits that a small machine bears in a debug build.
fn limits() -> ReadLimits {
    ReadLimits {
        operators: 200_000,
        stream_bytes: 5_000_000,
        decoded_bytes: 20_000_000,
        pages: 500,
        ..ReadLimits::default()
    }
}

fn look(bytes: Vec<u8>) -> Report {
    let wish = Wish { bleed_painted: true, ..Wish::default() };
    Inspection { limits: limits(), ..Inspection::new(&wish) }.inspect(Cursor::new(bytes)).unwrap()
}

/// The one code that a file ends with.
fn refused(bytes: Vec<u8>) -> String {
    let report = look(bytes);
    let last = report.findings.iter().find(|f| f.code.starts_with("file."));
    last.unwrap_or_else(|| panic!("nothing is said of the file: {:?}", report.findings)).code.clone()
}

fn deflated(data: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(data).unwrap();
    packer.finish().unwrap()
}

fn tail(bytes: &mut Vec<u8>, from: &str, to: &str) {
    let at = bytes.windows(from.len()).rposition(|w| w == from.as_bytes());
    let at = at.unwrap_or_else(|| panic!("no {from}"));
    bytes.splice(at..at + from.len(), to.bytes());
}

#[test]
fn a_file_cut_off_anywhere_is_damaged() {
    let whole = X4::card().bytes();
    for length in (0..whole.len() - 6).step_by(397) {
        assert_eq!(refused(whole[..length].to_vec()), "file.damaged", "cut at {length}");
    }
}

#[test]
fn bytes_turned_over_never_panic() {
    let whole = X4::card().bytes();
    let small: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] != 128).collect();
    for (round, at) in small.iter().step_by(29).enumerate() {
        let mut bytes = whole.clone();
        bytes[*at] = b"\0</>()[]%9"[round % 10];
        look(bytes);
    }
}

#[test]
fn noise_is_no_pdf() {
    let mut state = 7_u64;
    let mut noise = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    for length in [0, 1, 5, 1_000, 100_000] {
        assert_eq!(refused((0..length).map(|_| noise()).collect()), "file.damaged");
    }
    assert_eq!(refused(b"%PDF-1.6\nstartxref\n99999999999999999999\n%%EOF".to_vec()), "file.damaged");
}

#[test]
fn tables_that_go_round_are_damaged() {
    let mut bytes = X4::card().bytes();
    let start = bytes.windows(6).rposition(|w| w == b"\nxref\n").unwrap() + 1;
    tail(&mut bytes, "/Root", &format!("/Prev {start} /Root"));
    assert_eq!(refused(bytes), "file.damaged");

    let mut bytes = X4::card().bytes();
    tail(&mut bytes, "xref\n0 19", "xref\n0 4294967295");
    let at = bytes.windows(6).rposition(|w| w == b"\nxref\n").unwrap() + 1;
    let old = String::from_utf8_lossy(&bytes)
        .rsplit("startxref\n")
        .next()
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .to_owned();
    tail(&mut bytes, &format!("startxref\n{old}"), &format!("startxref\n{at}"));
    assert_eq!(refused(bytes), "file.limit");
}

#[test]
fn references_that_go_round_are_damaged() {
    let mut file = X4::card();
    file.object(7, "7 0 R", None);
    assert_eq!(refused(file.bytes()), "file.damaged");
    let mut file = X4::card();
    file.edit(2, "/Kids [3 0 R]", "/Kids [2 0 R]");
    assert_eq!(refused(file.bytes()), "file.damaged");
    let mut file = X4::card();
    file.edit(CONTENT, "<< ", "<< /Length 7 0 R ");
    assert_eq!(refused(file.bytes()), "file.damaged");
    let mut file = X4::card();
    file.object(14, "[/Pattern 14 0 R]", None);
    assert_eq!(refused(file.bytes()), "file.limit");
}

#[test]
fn bombs_end_at_their_limit() {
    let mut file = X4::card();
    file.object(CONTENT, "<< /Filter /FlateDecode >>", Some(&deflated(&vec![b' '; 6_000_000])));
    assert_eq!(refused(file.bytes()), "file.limit");
    // Within each other.
    let twice = deflated(&deflated(&vec![0; 30_000_000]));
    file.object(CONTENT, "<< /Filter [/FlateDecode /FlateDecode] >>", Some(&twice));
    assert_eq!(refused(file.bytes()), "file.limit");
    // By LZW: 4,095 bytes from one code.
    let mut file = X4::card();
    file.object(CONTENT, "<< /Filter /RunLengthDecode >>", Some(&[129, b' '].repeat(50_000)));
    assert_eq!(refused(file.bytes()), "file.limit");
    // Many small ones.
    let mut file = X4::card();
    let data = deflated(&vec![b' '; 4_000_000]);
    let kids: Vec<String> = (0..20).map(|i| format!("{} 0 R", 40 + i)).collect();
    file.edit(2, "[3 0 R]", &format!("[{}]", kids.join(" ")));
    file.object(CONTENT, "<< /Filter /FlateDecode >>", Some(&data));
    for i in 0..20 {
        let page = file.objects[&PAGE].0.clone();
        file.object(40 + i, &page, None);
    }
    assert_eq!(refused(file.bytes()), "file.limit");
}

#[test]
fn depth_is_bounded() {
    for (open, close) in [("[", "]"), ("<< /A ", ">>")] {
        let mut file = X4::card();
        let deep = format!("{}0{}", open.repeat(100_000), close.repeat(100_000));
        file.add(PAGE, &format!("/Deep {deep}"));
        assert_eq!(refused(file.bytes()), "file.limit");
        let mut file = X4::card();
        file.redraw(CONTENT, "(Hello)", &deep);
        assert_eq!(refused(file.bytes()), "file.limit");
    }
    let mut file = X4::card();
    file.redraw(CONTENT, "q /Fm", &"q ".repeat(10_000));
    assert_eq!(refused(file.bytes()), "file.limit");
    let mut file = X4::card();
    file.redraw(CONTENT, "0.25 w", &"1 ".repeat(10_000));
    assert_eq!(refused(file.bytes()), "file.limit");
}

#[test]
fn forms_that_draw_each_other_end() {
    let mut file = X4::card();
    let form =
        "<< /Type /XObject /Subtype /Form /BBox [0 0 200 300] /Resources << /XObject << /Fm 16 0 R >> >> >>";
    file.object(FORM, form, Some(b"/Fm Do"));
    assert_eq!(refused(file.bytes()), "file.limit");
    // Each draws the next ten times: ten to the ninth operators.
    let mut file = X4::card();
    for i in 0..9 {
        let next = if i == 8 { 50 } else { 41 + i };
        let form = format!(
            "<< /Type /XObject /Subtype /Form /BBox [0 0 200 300] /Resources << /XObject << /Fm {next} 0 R >> >> >>"
        );
        file.object(40 + i, &form, Some("/Fm Do ".repeat(10).as_bytes()));
    }
    file.object(50, "<< /Type /XObject /Subtype /Form /BBox [0 0 200 300] >>", Some(b"0 0 9 9 re f"));
    file.edit(PAGE, "/Fm 16 0 R", "/Fm 40 0 R");
    assert_eq!(refused(file.bytes()), "file.limit");
    // Tint transforms that hold each other ten times over.
    let mut file = X4::card();
    for i in 0..9 {
        let next = format!("{} 0 R ", 41 + i).repeat(10);
        file.object(40 + i, &format!("<< /FunctionType 3 /Functions [{next}] >>"), None);
    }
    file.object(49, "<< /FunctionType 2 /N 1 >>", None);
    file.edit(14, "15 0 R", "40 0 R");
    assert_eq!(refused(file.bytes()), "file.limit");
}

#[test]
fn counts_that_lie_are_not_believed() {
    let mut file = X4::card();
    file.edit(2, "/Count 1", "/Count 4000000000");
    assert_eq!(look(file.bytes()).findings, []);
    let mut file = X4::card();
    let kids = "3 0 R ".repeat(3_000);
    file.edit(2, "[3 0 R]", &format!("[{kids}]"));
    assert!(refused(file.bytes()).starts_with("file."));
    let mut file = X4::card();
    file.edit(PAGE, "[0 0 200 300]", "[0 0 1e30 300]");
    assert_eq!(refused(file.bytes()), "file.damaged");
    let mut file = X4::card();
    file.edit(PAGE, "[0 0 200 300]", "[0 0 99999999999 300]");
    assert_eq!(look(file.bytes()).findings[0].code, "box.missing");
    let mut file = X4::card();
    file.object(
        8,
        "<< /Type /Font /Subtype /Type0 /DescendantFonts [<< /W [0 4294967295 500 1 99999999999 3] >>] >>",
        None,
    );
    look(file.bytes());
    let mut file = X4::card();
    file.redraw(
        CONTENT,
        "0 0 200 300 re",
        "-9999999999999999999999999999999999999999 0 99999999999999999999999999999999999999999999 300 re",
    );
    look(file.bytes());
    // A stream that claims more than the file has.
    let mut file = X4::card();
    file.edit(CONTENT, "<< ", "<< /Length 4000000000 ");
    assert_eq!(refused(file.bytes()), "file.damaged");
}

#[test]
fn tables_and_objects_in_streams_are_read_and_bounded() {
    // Objects 20 and 21 in a stream, found by a table in a stream.
    let build = |count: &str, rows: &[u8], index: &str| {
        let mut bytes = b"%PDF-1.6\n".to_vec();
        let objects = b"20 0 21 37 << /Type /Catalog /Pages 21 0 R >>   << /Type /Pages /Kids [22 0 R] >>";
        let first = 11;
        let mut places = Vec::new();
        places.push(bytes.len());
        let data = deflated(objects);
        bytes.extend(format!("1 0 obj << /Type /ObjStm /N {count} /First {first} /Filter /FlateDecode /Length {} >> stream\n", data.len()).bytes());
        bytes.extend(&data);
        bytes.extend(b"\nendstream endobj\n");
        places.push(bytes.len());
        bytes.extend(b"22 0 obj << /Type /Page /MediaBox [0 0 99 99] >> endobj\n");
        let start = bytes.len();
        let mut table = vec![1, places[0] as u8, (places[0] >> 8) as u8, 0];
        table.clear();
        for (kind, a, b) in [(1, places[0], 0), (2, 1, 0), (2, 1, 1), (1, places[1], 0)] {
            table.extend([kind, (a >> 8) as u8, a as u8, b]);
        }
        table.extend(rows);
        let data = deflated(&table);
        bytes.extend(format!("30 0 obj << /Type /XRef /Size 31 /W [1 2 1] /Index [1 1 20 3 {index}] /Root 20 0 R /Filter /FlateDecode /Length {} >> stream\n", data.len()).bytes());
        bytes.extend(&data);
        bytes.extend(format!("\nendstream endobj\nstartxref\n{start}\n%%EOF\n").bytes());
        bytes
    };
    let report = look(build("2", &[], ""));
    assert_eq!((report.findings.len(), report.pages.len()), (4, 1), "{:?}", report.findings);
    assert!(report.findings.iter().all(|f| f.code == "bleed.not_reached"));
    assert_eq!(look(build("4000000000", &[], "")).findings[0].code, "file.damaged");
    assert_eq!(refused(build("2", &[], "31 4000000000")), "file.damaged");
    assert_eq!(refused(build("2", &[1, 0, 0, 0], "4000000000 1")), "file.limit");
}
