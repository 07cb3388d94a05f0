//! Codes are read back by programs that share no line with ours: zbar and libdmtx.

use super::*;
use kurbo::Shape;
use std::process::Command;

const PX: u32 = 8;

/// The symbol in black on white, with bars drawn 60 modules high.
fn picture(symbol: &Symbol, bars: bool) -> tiny_skia::Pixmap {
    let height = if bars { 60 } else { symbol.height };
    let mut map = tiny_skia::Pixmap::new(symbol.width * PX, height * PX).unwrap();
    map.fill(tiny_skia::Color::WHITE);
    let mut path = tiny_skia::PathBuilder::new();
    for element in symbol.path.elements() {
        match element {
            kurbo::PathEl::MoveTo(p) => path.move_to(p.x as f32, p.y as f32),
            kurbo::PathEl::LineTo(p) => path.line_to(p.x as f32, p.y as f32),
            kurbo::PathEl::ClosePath => path.close(),
            kurbo::PathEl::QuadTo(..) | kurbo::PathEl::CurveTo(..) => panic!("modules have straight edges"),
        }
    }
    let scale = tiny_skia::Transform::from_scale(PX as f32, if bars { (60 * PX) as f32 } else { PX as f32 });
    let paint = tiny_skia::Paint { anti_alias: false, ..tiny_skia::Paint::default() };
    map.fill_path(&path.finish().unwrap(), &paint, tiny_skia::FillRule::Winding, scale, None);
    map
}

fn read(
    tool: &str,
    arguments: &[&str],
    package: &str,
    symbology: Symbology,
    content: &str,
    options: &CodeOptions,
) -> String {
    let symbol = encode(symbology, content, options).unwrap();
    let map = picture(&symbol, !symbology.is_matrix());
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("code.png");
    let rgba: Vec<u8> = map.data().to_vec();
    let mut encoder = png::Encoder::new(std::fs::File::create(&file).unwrap(), map.width(), map.height());
    encoder.set_color(png::ColorType::Rgba);
    encoder.write_header().unwrap().write_image_data(&rgba).unwrap();
    let output = Command::new(tool)
        .args(arguments)
        .arg(&file)
        .output()
        .unwrap_or_else(|e| panic!("{tool} does not run ({e}): apt-get install -y {package}"));
    String::from_utf8(output.stdout).unwrap().trim_end_matches('\n').to_owned()
}

fn zbar(symbology: Symbology, content: &str, options: &CodeOptions) -> String {
    read("zbarimg", &["-q", "--nodbus", "-Supca.enable=1"], "zbar-tools", symbology, content, options)
}

fn plain(symbology: Symbology, content: &str) -> String {
    zbar(symbology, content, &CodeOptions::default())
}

#[test]
fn qr_is_read_at_every_level() {
    let url = "https://example.com/gift?to=Zo%C3%AB&n=1";
    for level in [ErrorLevel::L, ErrorLevel::M, ErrorLevel::Q, ErrorLevel::H] {
        let options = CodeOptions { error_level: Some(level), quiet_zone: None };
        assert_eq!(zbar(Symbology::Qr, url, &options), format!("QR-Code:{url}"), "{level:?}");
    }
    assert_eq!(plain(Symbology::Qr, "Zoë ♥ שלום"), "QR-Code:Zoë ♥ שלום");
}

#[test]
fn bars_are_read() {
    assert_eq!(plain(Symbology::Ean13, "4006381333931"), "EAN-13:4006381333931");
    assert_eq!(plain(Symbology::UpcA, "036000291452"), "UPC-A:036000291452");
    for content in
        ["A", "7", "42", "Order 7Q2-1", "123456", "12345", "AB123456C", "AB1234567", "0012345678905x~"]
    {
        assert_eq!(plain(Symbology::Code128, content), format!("CODE-128:{content}"));
    }
}

#[test]
fn absent_check_digits_are_added() {
    assert_eq!(plain(Symbology::Ean13, "400638133393"), "EAN-13:4006381333931");
    assert_eq!(plain(Symbology::UpcA, "03600029145"), "UPC-A:036000291452");
}

#[test]
fn data_matrix_is_read() {
    for content in ["A", "https://example.com/7Q2-1", "0123456789".repeat(20).as_str()] {
        let read =
            read("dmtxread", &["-N1"], "dmtx-utils", Symbology::DataMatrix, content, &CodeOptions::default());
        assert_eq!(read, content);
    }
}

#[test]
fn wrong_content_is_refused_without_an_echo() {
    let cases = [
        (Symbology::Ean13, "4006381333932"),
        (Symbology::Ean13, "40063813339"),
        (Symbology::Ean13, "40063813339x1"),
        (Symbology::UpcA, "036000291453"),
        (Symbology::UpcA, "٠٣٦٠٠٠٢٩١٤٥"),
        (Symbology::Code128, ""),
        (Symbology::Code128, "Zoë"),
        (Symbology::Qr, ""),
        (Symbology::DataMatrix, ""),
    ];
    for (symbology, content) in cases {
        let violation = encode(symbology, content, &CodeOptions::default()).unwrap_err();
        assert_eq!(violation.code, Code::OptionInvalid);
        assert!(content.is_empty() || !violation.detail.contains(content), "{}", violation.detail);
    }
    let long = "x".repeat(1_000_000);
    for symbology in [Symbology::Qr, Symbology::DataMatrix, Symbology::Code128, Symbology::Ean13] {
        let violation = encode(symbology, &long, &CodeOptions::default()).unwrap_err();
        assert_eq!(violation.code, Code::OptionInvalid);
    }
    let options = CodeOptions { quiet_zone: Some(u32::MAX), error_level: None };
    assert_eq!(encode(Symbology::Qr, "x", &options).unwrap_err().code, Code::OptionInvalid);
}

#[test]
fn quiet_zones_are_the_standards_or_as_told() {
    let size = |symbology, content, quiet_zone| {
        let symbol = encode(symbology, content, &CodeOptions { error_level: None, quiet_zone }).unwrap();
        let ink = symbol.path.bounding_box();
        (symbol.width, symbol.height, ink.x0, f64::from(symbol.width) - ink.x1, ink.y0)
    };
    assert_eq!(size(Symbology::Qr, "x", None), (29, 29, 4.0, 4.0, 4.0));
    assert_eq!(size(Symbology::Qr, "x", Some(0)), (21, 21, 0.0, 0.0, 0.0));
    assert_eq!(size(Symbology::DataMatrix, "x", None), (14, 14, 2.0, 2.0, 2.0));
    assert_eq!(size(Symbology::Ean13, "400638133393", None), (113, 1, 11.0, 7.0, 0.0));
    assert_eq!(size(Symbology::UpcA, "03600029145", None), (113, 1, 9.0, 9.0, 0.0));
    assert_eq!(size(Symbology::Code128, "A", None), (66, 1, 10.0, 10.0, 0.0));
}

/// The outline's area is the number of dark modules: nothing is lost, filled in or painted twice.
#[test]
fn the_outline_covers_exactly_the_dark_modules() {
    for content in ["a", "https://example.com/a/long/path?with=query"] {
        let modules = matrix::qr(content, ErrorLevel::M).unwrap();
        let path = outline::trace(&modules, 0, 0);
        let dark = modules.dark.iter().filter(|d| **d).count() as f64;
        assert_eq!(path.area().abs(), dark);
        for y in 0..i64::from(modules.height) {
            for x in 0..i64::from(modules.width) {
                let winding = path.winding((x as f64 + 0.5, y as f64 + 0.5).into()).abs();
                assert_eq!(winding, i32::from(modules.is_dark(x, y)), "module {x}, {y}");
            }
        }
        assert!(path.elements().len() < modules.dark.len() * 2, "edges between dark modules are left");
    }
}
