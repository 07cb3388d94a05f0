//! A report to look at: each page with its boxes, the findings marked where they are, and a list.
//! One file that needs nothing beside it.

use super::report::{PageReport, Report};
use crate::order::event::{Finding, Verdict};
use std::fmt::Write;

/// Pages that are drawn; the list names findings on all of them.
const DRAWN: usize = 100;

const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#222;background:#f6f6f4}\
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2.2rem}\
.badge{padding:.1em .6em;border-radius:.3em;color:#fff;font-weight:600}\
.pass{background:#2b7a3d}.warn{background:#a86a00}.hold{background:#7a3ea8}.fail{background:#b3261e}\
.page{display:flex;gap:1.5rem;flex-wrap:wrap;align-items:flex-start}\
svg{background:#dcdcd8;width:26rem;max-width:100%;max-height:40rem;flex:none}\
ol{flex:1;min-width:20rem;margin:0;padding-left:1.6rem}li{margin-bottom:.7em}\
code{background:#e8e8e4;padding:0 .3em;border-radius:.2em}.where{color:#666;font-size:.85em}\
.legend span{margin-right:1.2em;font-size:.85em}";

/// The report as one HTML page. `title` names the file.
pub fn html(report: &Report, title: &str) -> String {
    let mut out = String::from("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    let _ = write!(out, "<title>Preflight: {}</title><style>{STYLE}</style></head><body>", escaped(title));
    let _ = write!(out, "<h1>{} {}</h1>", badge(report.verdict), escaped(title));
    let spots = if report.plates.is_empty() { "none".to_owned() } else { report.plates.join(", ") };
    let _ = write!(
        out,
        "<p>{} pages, {} findings. Spot inks: {}.</p>",
        report.pages.len(),
        report.findings.len(),
        escaped(&spots)
    );
    out += "<p class=\"legend\"><span style=\"color:#1769aa\">━ trim</span><span style=\"color:#2b7a3d\">━ bleed</span>\
            <span style=\"color:#1769aa\">┅ safe zone</span><span style=\"color:#666\">━ media</span><span style=\"color:#b3261e\">▭ finding</span> Colours are approximate; pictures are grey.</p>";
    let of_file: Vec<(usize, &Finding)> = numbered(report).filter(|(_, f)| f.page.is_none()).collect();
    if !of_file.is_empty() {
        out += "<h2>The file</h2><div class=\"page\">";
        list(&mut out, &of_file);
        out += "</div>";
    }
    for page in report.pages.iter().take(DRAWN) {
        let own: Vec<(usize, &Finding)> =
            numbered(report).filter(|(_, f)| f.page == Some(page.page)).collect();
        let [_, _, width, height] = page.trim;
        let _ = write!(out, "<h2>Page {} · {width:.1} × {height:.1} mm</h2><div class=\"page\">", page.page);
        draw(&mut out, page, &own);
        list(&mut out, &own);
        out += "</div>";
    }
    let beyond: Vec<(usize, &Finding)> = numbered(report)
        .filter(|(_, f)| f.page.is_some_and(|n| !report.pages.iter().take(DRAWN).any(|page| page.page == n)))
        .collect();
    if !beyond.is_empty() {
        out += "<h2>Other pages</h2>";
        list(&mut out, &beyond);
    }
    out += "</body></html>\n";
    out
}

fn numbered(report: &Report) -> impl Iterator<Item = (usize, &Finding)> {
    report.findings.iter().enumerate().map(|(i, finding)| (i + 1, finding))
}

fn badge(verdict: Verdict) -> String {
    let name = class(verdict);
    format!("<span class=\"badge {name}\">{name}</span>")
}

fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Warn => "warn",
        Verdict::Hold => "hold",
        Verdict::Fail => "fail",
    }
}

fn color(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "#2b7a3d",
        Verdict::Warn => "#a86a00",
        Verdict::Hold => "#7a3ea8",
        Verdict::Fail => "#b3261e",
    }
}

fn list(out: &mut String, findings: &[(usize, &Finding)]) {
    out.push_str("<ol>");
    for (number, finding) in findings {
        let _ = write!(
            out,
            "<li value=\"{number}\">{} <code>{}</code><br>{}",
            badge(finding.verdict),
            escaped(&finding.code),
            escaped(&finding.detail)
        );
        let page = finding.page.map(|page| format!("page {page}"));
        let place = finding
            .place
            .map(|[x, y, w, h]| format!("{w:.1} × {h:.1} mm at {x:.1}, {y:.1} from the trim's corner"));
        let place: Vec<String> = page.into_iter().chain(place).collect();
        if !place.is_empty() {
            let _ = write!(out, "<br><span class=\"where\">{}</span>", place.join(", "));
        }
        out.push_str("</li>");
    }
    out.push_str("</ol>");
}

fn draw(out: &mut String, page: &PageReport, findings: &[(usize, &Finding)]) {
    let [x, y, width, height] = page.media;
    // Lines and numbers as thick and large as on any page.
    let unit = width.max(height) / 200.0;
    let margin = 4.0 * unit;
    let _ = write!(
        out,
        "<svg viewBox=\"{:.3} {:.3} {:.3} {:.3}\" xmlns=\"http://www.w3.org/2000/svg\">",
        x - margin,
        y - margin,
        width + 2.0 * margin,
        height + 2.0 * margin
    );
    rect(out, page.media, "fill=\"#fff\" stroke=\"#666\"", unit * 0.4);
    if let Some(picture) = &page.picture {
        let _ = write!(
            out,
            "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" preserveAspectRatio=\"none\" href=\"data:image/png;base64,{}\"/>",
            base64(picture)
        );
    }
    rect(out, page.bleed, "fill=\"none\" stroke=\"#2b7a3d\"", unit * 0.6);
    rect(out, page.trim, "fill=\"none\" stroke=\"#1769aa\"", unit * 0.8);
    if let Some(safe) = page.safe {
        let dashes = format!("fill=\"none\" stroke=\"#1769aa\" stroke-dasharray=\"{:.3}\"", unit * 2.0);
        rect(out, safe, &dashes, unit * 0.4);
    }
    for (number, finding) in findings {
        let Some([left, upper, wide, high]) = finding.place else { continue };
        // A place may be no wider than a hair.
        let (w, h) = (wide.max(unit), high.max(unit));
        let area = [left - (w - wide) / 2.0, upper - (h - high) / 2.0, w, h];
        let colour = color(finding.verdict);
        // What lies beneath stays readable, more so the larger the place is.
        let shade = if w * h > page.trim[2] * page.trim[3] * 0.2 { 0.04 } else { 0.15 };
        let style = format!("fill=\"{colour}\" fill-opacity=\"{shade}\" stroke=\"{colour}\"");
        rect(out, area, &style, unit * 0.8);
        // The number stands on a tag above the place; at the page's upper edge, in it.
        let size = 5.0 * unit;
        let tag = [size * (0.5 + 0.6 * number.to_string().len() as f64), size * 1.2];
        let top = if area[1] - tag[1] < y - margin { area[1] } else { area[1] - tag[1] };
        rect(out, [area[0], top, tag[0], tag[1]], &format!("fill=\"{colour}\""), 0.0);
        let _ = write!(
            out,
            "<text x=\"{:.3}\" y=\"{:.3}\" font-size=\"{size:.3}\" font-family=\"sans-serif\" font-weight=\"bold\" \
             text-anchor=\"middle\" fill=\"#fff\">{number}</text>",
            area[0] + tag[0] / 2.0,
            top + size
        );
    }
    out.push_str("</svg>");
}

fn rect(out: &mut String, [x, y, width, height]: [f64; 4], style: &str, line: f64) {
    let _ = write!(
        out,
        "<rect x=\"{x:.3}\" y=\"{y:.3}\" width=\"{width:.3}\" height=\"{height:.3}\" {style} stroke-width=\"{line:.3}\"/>"
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |n, i| n << 8 | u32::from(group.get(i).copied().unwrap_or(0)));
        for i in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * i)) as usize & 63];
            out.push(if i <= group.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_is_padded() {
        assert_eq!(super::base64(b"Man"), "TWFu");
        assert_eq!(super::base64(b"Ma"), "TWE=");
        assert_eq!(super::base64(b"M"), "TQ==");
    }
}
