//! Damaged, hostile and mislabelled pictures: a typed error or the whole picture, never a panic
//! and never a part of one.

use crate::tools::{convert, exiftool, one_scan_each};
use presswork::asset::{Depth, Limits, Picture, Pixels};
use presswork::error::{Code, Violation};
use std::path::Path;

/// Every encoding with structure of its own.
const SAMPLES: &[(&str, &str)] = &[
    ("base.jpg", "rose: -quality 85"),
    ("420.jpg", "rose: -quality 85 -sampling-factor 2x2"),
    ("prog.jpg", "rose: -quality 85 -interlace JPEG"),
    ("apart.jpg", "rose: -quality 85 -sampling-factor 2x2"),
    ("cmyk.jpg", "rose: -colorspace CMYK"),
    ("grey.jpg", "rose: -colorspace Gray"),
    ("rgb.png", "rose: -define png:color-type=2"),
    ("laced.png", "rose: -interlace PNG"),
    ("palette.png", "rose: -colors 16 -transparent white -type PaletteMatte"),
    ("lossy.webp", "rose: -quality 80"),
    ("lossless.webp", "rose: -define webp:lossless=true"),
    ("alpha.webp", "rose: -alpha set -channel A -evaluate set 50% +channel -quality 80"),
    ("plain.tif", "rose: -compress none"),
    ("lzw.tif", "rose: -compress LZW"),
    ("zip.tif", "rose: -depth 16 -compress Zip"),
    ("packbits.tif", "rose: -compress RLE"),
];

fn decode(bytes: &[u8]) -> Result<Pixels, Violation> {
    // Limits small enough that a flipped bit in a size cannot slow the test down.
    let limits = Limits { src_pixels: 2_000_000, ..Limits::default() };
    Picture::probe(bytes.into(), &limits)?.decode(Depth::Eight)
}

fn code(bytes: &[u8]) -> Code {
    decode(bytes).map(|p| (p.width, p.height)).expect_err("was accepted").code
}

fn sample(folder: &Path, file: &str, how: &str) -> Vec<u8> {
    convert(folder, &format!("{how} {file}"));
    if file == "apart.jpg" { one_scan_each(folder, file) } else { std::fs::read(folder.join(file)).unwrap() }
}

fn is_about_pictures(violation: &Violation) -> bool {
    let code = violation.code.as_str();
    code.starts_with("image.") || code == "asset.type_unsupported" || code == "asset.empty"
}

#[test]
fn a_truncated_file_is_never_part_of_a_picture() {
    let temp = tempfile::tempdir().unwrap();
    for (file, how) in SAMPLES {
        let bytes = sample(temp.path(), file, how);
        let whole = decode(&bytes).unwrap_or_else(|e| panic!("{file}: {e}"));
        for part in 0..97 {
            let cut = &bytes[..bytes.len() * part / 97];
            match decode(cut) {
                // Only what is no part of the picture may be missing.
                Ok(pixels) => assert!(pixels == whole, "{file}: a part of it at {part}/97 was shown"),
                Err(violation) => assert!(is_about_pictures(&violation), "{file}: {violation}"),
            }
        }
    }
}

#[test]
fn flipped_bits_are_typed_errors_or_pictures_of_the_declared_size() {
    let temp = tempfile::tempdir().unwrap();
    for (file, how) in SAMPLES {
        let bytes = sample(temp.path(), file, how);
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below as u64) as usize
        };
        let mut refused = 0;
        for round in 0..250 {
            let mut hurt = bytes.clone();
            for _ in 0..=round % 3 {
                // Every other time in the headers, where it hurts most.
                let reach = if round % 2 == 0 { hurt.len().min(700) } else { hurt.len() };
                hurt[random(reach)] ^= 1 << random(8);
            }
            if let Err(violation) = decode(&hurt) {
                refused += 1;
                assert!(is_about_pictures(&violation), "{file}: {violation}");
            }
        }
        assert!(refused > 0, "{file}: no damage was noticed");
    }
}

/// Cut off and closed with an end marker, as some programs leave an interrupted transfer.
#[test]
fn a_jpeg_closed_too_early_is_corrupt() {
    let temp = tempfile::tempdir().unwrap();
    for (file, how) in SAMPLES.iter().filter(|(file, _)| file.ends_with(".jpg")) {
        let bytes = sample(temp.path(), file, how);
        for keep in [60, 75, 90, 97] {
            let mut cut = bytes[..bytes.len() * keep / 100].to_vec();
            if cut.last() == Some(&0xff) {
                cut.pop();
            }
            cut.extend([0xff, 0xd9]);
            assert_eq!(code(&cut), Code::ImageCorrupt, "{file} at {keep} %");
        }
    }
}

fn png_with(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let temp = tempfile::tempdir().unwrap();
    let bytes = sample(temp.path(), "rgb.png", "rose: -strip -define png:color-type=2");
    let mut out = bytes[..33].to_vec();
    for (kind, data) in chunks {
        out.extend((data.len() as u32).to_be_bytes());
        let mut crc = crc32fast::Hasher::new();
        crc.update(*kind);
        crc.update(data);
        out.extend(*kind);
        out.extend(data);
        out.extend(crc.finalize().to_be_bytes());
    }
    out.extend(&bytes[33..]);
    out
}

fn deflated(bytes: u64) -> Vec<u8> {
    use std::io::{Read, copy, repeat};
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    copy(&mut repeat(0).take(bytes), &mut encoder).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn limits_are_checked_by_name() {
    let temp = tempfile::tempdir().unwrap();
    let png = sample(temp.path(), "rgb.png", "rose: -define png:color-type=2");
    assert_eq!(code(b""), Code::AssetEmpty);
    let tiny = Limits { src_bytes: 10, ..Limits::default() };
    assert_eq!(Picture::probe(png.as_slice().into(), &tiny).unwrap_err().code, Code::AssetTooLarge);

    let sized = |width: u32, height: u32| {
        let mut bytes = png.clone();
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        code(&bytes)
    };
    assert_eq!(sized(1 << 31, 1 << 31), Code::ImageDimensionsExceeded);
    assert_eq!(sized(30_000, 30_000), Code::ImagePixelsExceeded);
    assert_eq!(sized(0, 10), Code::ImageCorrupt);

    let bomb = deflated(200_000_000);
    let text = [&b"Comment\0\0"[..], &bomb].concat();
    assert_eq!(code(&png_with(&[(b"zTXt", text)])), Code::ImageMetadataExceeded);
    let profile = [&b"icc\0\0"[..], &bomb].concat();
    assert_eq!(code(&png_with(&[(b"iCCP", profile)])), Code::ImageMetadataExceeded);
    let broken = [&b"icc\0\0"[..], &deflated(500)].concat();
    assert_eq!(code(&png_with(&[(b"iCCP", broken)])), Code::ImageProfileInvalid);
    let frames = [5_000_u32.to_be_bytes(), [0; 4]].concat();
    assert_eq!(code(&png_with(&[(b"acTL", frames)])), Code::ImageComplexityExceeded);
    let chunks = vec![(b"tEXt", Vec::new()); 100_001];
    assert_eq!(code(&png_with(&chunks)), Code::ImageComplexityExceeded);

    let jpeg = sample(temp.path(), "base.jpg", "rose:");
    let exif = [&[0xff, 0xe1, 0xff, 0xff][..], b"Exif\0\0", &vec![0; 65_527]].concat();
    let bomb = [&jpeg[..2], &exif.repeat(300), &jpeg[2..]].concat();
    assert_eq!(code(&bomb), Code::ImageMetadataExceeded);
    let scans = [&jpeg[..jpeg.len() - 2], &[0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0].repeat(101), &[0xff, 0xd9]];
    assert_eq!(code(&scans.concat()), Code::ImageComplexityExceeded);
}

#[test]
fn a_tiff_whose_directories_run_in_a_circle_is_corrupt() {
    let temp = tempfile::tempdir().unwrap();
    let mut bytes = sample(temp.path(), "plain.tif", "rose: -compress none -define tiff:endian=lsb");
    let first = u32::from_le_bytes(bytes[4..8].try_into().unwrap());
    let at = first as usize;
    let entries = usize::from(u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap()));
    bytes[at + 2 + entries * 12..][..4].copy_from_slice(&first.to_le_bytes());
    // With room for many pages, so that it is the circle that is found.
    let limits = Limits { frames: 10, ..Limits::default() };
    assert_eq!(Picture::probe(bytes.into(), &limits).unwrap_err().code, Code::ImageCorrupt);
    let pages = sample(temp.path(), "pages.tif", "rose: rose: -adjoin");
    assert_eq!(code(&pages), Code::ImageComplexityExceeded);
}

/// What a JPEG becomes for a PDF: the same picture, nothing private, the same scan.
#[test]
fn a_jpeg_for_a_pdf_keeps_its_scan_and_loses_its_secrets() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path();
    let context = lcms2::ThreadContext::new();
    let srgb = lcms2::Profile::new_srgb_context(&context).icc().unwrap();
    std::fs::write(folder.join("srgb.icc"), &srgb).unwrap();
    let open = |file: &str| {
        let bytes = std::fs::read(folder.join(file)).unwrap();
        Picture::probe(bytes.into(), &Limits::default()).unwrap()
    };
    convert(folder, "rose: -profile srgb.icc -comment secret -quality 90 a.jpg");
    exiftool(
        folder,
        "-q -overwrite_original -n -Orientation=6 -Artist=secret -IPTC:Keywords=secret \
                      -XMP:Creator=secret -GPSLatitude=1 -GPSLatitudeRef=N a.jpg",
    );
    let picture = open("a.jpg");
    assert_eq!((picture.orientation(), picture.stored_size(), picture.size()), (6, (70, 46), (46, 70)));
    let stream = picture.jpeg_stream().unwrap().unwrap();
    assert_eq!((stream.components, stream.inverted), (3, false));
    assert_eq!(stream.icc.as_deref(), Some(srgb.as_slice()));
    assert!(!stream.bytes.windows(6).any(|w| w == b"secret"));
    assert!(!stream.bytes.windows(11).any(|w| w == b"ICC_PROFILE"));
    let tables = |bytes: &[u8]| {
        let at = bytes.windows(2).position(|w| w == [0xff, 0xdb]).unwrap();
        bytes[at..].to_vec()
    };
    let original = picture.encoded().load().unwrap();
    assert_eq!(tables(&stream.bytes), tables(&original[original.len() - tables(&stream.bytes).len()..]));

    convert(folder, "rose: -colorspace CMYK b.jpg");
    let stream = open("b.jpg").jpeg_stream().unwrap().unwrap();
    assert_eq!((stream.components, stream.inverted, stream.icc), (4, true, None));
    assert!(stream.bytes.windows(5).any(|w| w == b"Adobe"));
    convert(folder, "rose: -colorspace Gray c.jpg");
    assert_eq!(open("c.jpg").jpeg_stream().unwrap().unwrap().components, 1);
    convert(folder, "rose: d.png");
    assert!(open("d.png").jpeg_stream().unwrap().is_none());
}
