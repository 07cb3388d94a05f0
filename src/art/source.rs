//! From an asset's bytes to XML text: SVGZ is inflated with a cap, old encodings become UTF-8.

use crate::error::{Code, Violation};
use std::borrow::Cow;
use std::io::Read;

/// The XML text of an SVG or SVGZ file of at most `limit` bytes after inflation.
pub(super) fn text(bytes: &[u8], limit: u64) -> Result<String, Violation> {
    if bytes.is_empty() {
        return Err(Violation::new(Code::AssetEmpty, "the SVG has no bytes; send the file again"));
    }
    let plain =
        if bytes.starts_with(&[0x1f, 0x8b]) { Cow::Owned(inflate(bytes, limit)?) } else { bytes.into() };
    if plain.len() as u64 > limit {
        return Err(too_large(limit));
    }
    let text = decode(&plain)?;
    if text.len() as u64 > limit {
        return Err(too_large(limit));
    }
    Ok(text)
}

fn inflate(bytes: &[u8], limit: u64) -> Result<Vec<u8>, Violation> {
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes)
        .take(limit.saturating_add(1))
        .read_to_end(&mut plain)
        .map_err(|_| corrupt("the SVGZ's compression is broken; export it again, or send plain SVG"))?;
    if plain.len() as u64 > limit { Err(too_large(limit)) } else { Ok(plain) }
}

fn decode(bytes: &[u8]) -> Result<String, Violation> {
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, Violation> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(text.to_owned());
    }
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).to_ascii_lowercase();
    if head.starts_with("<?xml") && (head.contains("iso-8859-1") || head.contains("latin1")) {
        return Ok(bytes.iter().map(|byte| char::from(*byte)).collect());
    }
    Err(corrupt("the SVG is neither UTF-8, UTF-16 nor declared ISO 8859-1; export it as UTF-8"))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Violation> {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units)
        .collect::<Result<String, _>>()
        .map_err(|_| corrupt("the SVG's UTF-16 is broken; export it as UTF-8"))
}

pub(super) fn corrupt(detail: &str) -> Violation {
    Violation::new(Code::ImageCorrupt, detail)
}

fn too_large(limit: u64) -> Violation {
    let detail = format!("the SVG is larger than {limit} bytes when unpacked; simplify it");
    Violation::new(Code::SvgTooLarge, detail).limit(limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn svgz_is_inflated_up_to_the_limit_and_no_further() {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        for _ in 0..2000 {
            gz.write_all(&[b' '; 10_000]).unwrap();
        }
        let bomb = gz.finish().unwrap();
        assert!(bomb.len() < 100_000);
        assert_eq!(text(&bomb, 1_000_000).unwrap_err().code, Code::SvgTooLarge);
        assert_eq!(text(&bomb, 20_000_000).unwrap().len(), 20_000_000);
        assert_eq!(text(&bomb[..bomb.len() / 2], 30_000_000).unwrap_err().code, Code::ImageCorrupt);
    }

    #[test]
    fn old_encodings_become_utf8() {
        let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><svg>\xe9</svg>";
        assert!(text(latin, 1000).unwrap().contains('é'));
        let utf16: Vec<u8> =
            [0xfeffu16].into_iter().chain("<svg/>".encode_utf16()).flat_map(u16::to_le_bytes).collect();
        assert_eq!(text(&utf16, 1000).unwrap(), "<svg/>");
        assert_eq!(text(b"<svg>\xe9</svg>", 1000).unwrap_err().code, Code::ImageCorrupt);
        assert_eq!(text(b"", 1000).unwrap_err().code, Code::AssetEmpty);
    }
}
