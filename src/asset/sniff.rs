//! What a file is, told by its first bytes and never by its name.

use super::Format;
use crate::error::{Code, Violation};

/// Types that customers do send and that are not read: how to know one, its name, what to do.
const REFUSED: &[(Magic, &str, &str)] = &[
    (Magic::Start(b"%PDF"), "a PDF", "export the page as PNG or JPEG"),
    (Magic::Start(b"GIF8"), "a GIF", "export it as PNG"),
    (Magic::Start(b"BM"), "a BMP", "export it as PNG"),
    (
        Magic::Brand(&[b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevx", b"mif1", b"msf1"]),
        "a HEIC photo",
        "export it as JPEG",
    ),
    (Magic::Brand(&[b"avif", b"avis"]), "an AVIF", "export it as JPEG or PNG"),
    (Magic::Brand(&[b"crx "]), "a raw camera file", "develop it and export it as JPEG"),
    (Magic::Brand(&[b"qt  ", b"isom", b"mp41", b"mp42", b"M4V "]), "a video", "send a still picture"),
    (Magic::Start(b"8BPS"), "a Photoshop document", "export it as PNG, TIFF or JPEG"),
    (Magic::Start(b"PK\x03\x04"), "a ZIP archive", "send the pictures themselves"),
    (Magic::Start(b"%!PS"), "PostScript", "export it as PNG or SVG"),
    (Magic::Start(b"\xff\x0a"), "a JPEG XL", "export it as JPEG or PNG"),
    (Magic::Start(b"\0\0\0\x0cJXL "), "a JPEG XL", "export it as JPEG or PNG"),
    (Magic::Start(b"\0\0\0\x0cjP  "), "a JPEG 2000", "export it as JPEG or PNG"),
    (Magic::Start(b"\xff\x4f\xff\x51"), "a JPEG 2000", "export it as JPEG or PNG"),
    (Magic::Start(b"\0\0\x01\0"), "an icon file", "export it as PNG"),
    (Magic::Start(b"#?RADIANCE"), "a Radiance HDR", "export it as PNG or TIFF"),
    (Magic::Start(b"v/1\x01"), "an OpenEXR", "export it as PNG or TIFF"),
    (Magic::Start(b"\x8bJNG"), "a JNG", "export it as PNG"),
    (Magic::Start(b"\x8aMNG"), "an MNG", "export it as PNG"),
    (Magic::Start(b"\x1f\x8b"), "a compressed file", "send it uncompressed"),
    (Magic::Text(b"<svg"), "an SVG", "use it where the template takes vector art, or export it as PNG"),
    (Magic::Text(b"<?php"), "a program", "send a picture"),
    (Magic::Text(b"<!doctype html"), "a web page", "send the picture itself"),
    (Magic::Text(b"<html"), "a web page", "send the picture itself"),
    (
        Magic::Text(b"<?xml"),
        "an XML or SVG file",
        "use it where the template takes vector art, or export it as PNG",
    ),
];

enum Magic {
    /// The first bytes.
    Start(&'static [u8]),
    /// An ISO base media file with one of these major brands.
    Brand(&'static [&'static [u8; 4]]),
    /// The first text after white space, in any case.
    Text(&'static [u8]),
}

impl Magic {
    fn matches(&self, bytes: &[u8]) -> bool {
        match self {
            Magic::Start(start) => bytes.starts_with(start),
            Magic::Brand(brands) => {
                bytes.get(4..8) == Some(b"ftyp")
                    && bytes.get(8..12).is_some_and(|brand| brands.iter().any(|b| b[..] == *brand))
            }
            Magic::Text(text) => {
                let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
                bytes.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text))
            }
        }
    }
}

impl Format {
    /// The format that the first bytes announce, or `None` for a type that is not read.
    pub fn sniff(bytes: &[u8]) -> Option<Format> {
        if bytes.starts_with(b"\xff\xd8\xff") {
            Some(Format::Jpeg)
        } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Format::Png)
        } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            Some(Format::WebP)
        } else if [&b"II*\0"[..], b"MM\0*", b"II+\0", b"MM\0+"].iter().any(|m| bytes.starts_with(m)) {
            Some(Format::Tiff)
        } else {
            None
        }
    }

    /// The media type, such as `image/jpeg`.
    pub fn media_type(self) -> &'static str {
        match self {
            Format::Jpeg => "image/jpeg",
            Format::Png => "image/png",
            Format::WebP => "image/webp",
            Format::Tiff => "image/tiff",
        }
    }
}

/// The violation for bytes that [`Format::sniff`] does not know, saying what to send instead.
pub(super) fn refuse(bytes: &[u8]) -> Violation {
    let known = REFUSED.iter().find(|(magic, _, _)| magic.matches(bytes));
    let (what, todo) = known.map_or(("no picture of a known type", "send another file"), |&(_, w, t)| (w, t));
    unsupported(&format!("is {what}"), todo)
}

/// `asset.type_unsupported`: "The picture {what}; {todo}."
pub(super) fn unsupported(what: &str, todo: &str) -> Violation {
    Violation::new(
        Code::AssetTypeUnsupported,
        format!("The file {what}, which is not accepted; {todo}. JPEG, PNG, WebP and TIFF are read."),
    )
    .allowed([Format::Jpeg, Format::Png, Format::WebP, Format::Tiff].map(Format::media_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_says_what_to_send() {
        let heic = refuse(b"\0\0\0\x18ftypheic\0\0\0\0");
        assert_eq!(heic.code, Code::AssetTypeUnsupported);
        assert!(heic.detail.contains("HEIC") && heic.detail.contains("export it as JPEG"), "{}", heic.detail);
        assert!(refuse(b"%PDF-1.7").detail.contains("a PDF"));
        assert!(refuse(b"\n <SVG xmlns=''>").detail.contains("an SVG"));
        assert!(refuse(b"hello").detail.contains("no picture"));
    }

    #[test]
    fn accepted_types_are_known_by_content() {
        assert_eq!(Format::sniff(b"\xff\xd8\xff\xe0"), Some(Format::Jpeg));
        assert_eq!(Format::sniff(b"RIFF\0\0\0\0WEBPVP8 "), Some(Format::WebP));
        assert_eq!(Format::sniff(b"MM\0*"), Some(Format::Tiff));
        assert_eq!(Format::sniff(b"GIF89a"), None);
    }
}
