//! One photo in many real encodings, made by ImageMagick and exiftool: each has to decode to the
//! colours that the reference has, measured with CIEDE2000.

use crate::delta_e::{delta_e_2000, lab};
use crate::tools::{convert, exiftool, run};
use lcms2::{CIExyY, CIExyYTRIPLE, Profile, ToneCurve};
use presswork::asset::{Depth, Limits, Picture, Samples};
use std::path::Path;

const PHOTO: &str = "/usr/share/backgrounds/mate/nature/Garden.jpg";
/// Mean ΔE2000 allowed where nothing is lost but rounding.
const LOSSLESS: f64 = 1.0;
/// Where 8-bit lossy coding of good quality stands between.
const LOSSY: f64 = 1.5;

/// A reference: RGBA, 8 bits, straight from ImageMagick.
struct Reference {
    width: u32,
    height: u32,
    rgba: Vec<u8>,
}

fn reference(folder: &Path, file: &str) -> Reference {
    let size = String::from_utf8(convert(folder, &format!("{file} -format %w,%h info:-"))).unwrap();
    let (width, height) = size.trim().split_once(',').unwrap();
    let rgba = convert(folder, &format!("{file} -depth 8 rgba:-"));
    Reference { width: width.parse().unwrap(), height: height.parse().unwrap(), rgba }
}

fn open(folder: &Path, file: &str) -> Picture {
    let bytes = std::fs::read(folder.join(file)).unwrap();
    Picture::probe(bytes.into(), &Limits::default()).unwrap_or_else(|e| panic!("{file}: {e}"))
}

/// RGBA in 0 to 1, whatever the samples are.
fn to_unit(samples: &Samples) -> Vec<[f64; 4]> {
    let eight = |v: &u8| f64::from(*v) / 255.0;
    let sixteen = |v: &u16| f64::from(*v) / 65_535.0;
    match samples {
        Samples::Rgb8(v) => v.chunks(3).map(|p| [eight(&p[0]), eight(&p[1]), eight(&p[2]), 1.0]).collect(),
        Samples::Rgba8(v) => v.chunks(4).map(|p| std::array::from_fn(|i| eight(&p[i]))).collect(),
        Samples::Rgb16(v) => {
            v.chunks(3).map(|p| [sixteen(&p[0]), sixteen(&p[1]), sixteen(&p[2]), 1.0]).collect()
        }
        Samples::Rgba16(v) => v.chunks(4).map(|p| std::array::from_fn(|i| sixteen(&p[i]))).collect(),
    }
}

/// Compares one encoding, decoded in both depths, with a reference; says what is wrong.
fn judge(folder: &Path, file: &str, reference: &Reference, bound: f64) -> Result<f64, String> {
    let picture = open(folder, file);
    let mut worst: f64 = 0.0;
    for depth in [Depth::Eight, Depth::Sixteen] {
        let pixels = picture.decode(depth).map_err(|e| format!("{file}: {e}"))?;
        if (pixels.width, pixels.height) != (reference.width, reference.height)
            || picture.size() != (pixels.width, pixels.height)
        {
            return Err(format!("{file}: {} × {}", pixels.width, pixels.height));
        }
        let (mut sum, mut count) = (0.0, 0u32);
        for (at, (ours, theirs)) in to_unit(&pixels.data).iter().zip(reference.rgba.chunks(4)).enumerate() {
            let alpha = f64::from(theirs[3]) / 255.0;
            if (ours[3] - alpha).abs() > 1.01 / 255.0 {
                return Err(format!("{file}: alpha {} instead of {alpha}", ours[3]));
            }
            // Colours nobody can see may be anything. Every fifth pixel is a fair sample.
            if at % 5 == 0 && alpha > 0.03 {
                let theirs = [0, 1, 2].map(|i| f64::from(theirs[i]) / 255.0);
                sum += delta_e_2000(lab([ours[0], ours[1], ours[2]]), lab(theirs));
                count += 1;
            }
        }
        worst = worst.max(sum / f64::from(count));
    }
    if worst < bound { Ok(worst) } else { Err(format!("{file}: mean ΔE2000 {worst:.3}, at most {bound}")) }
}

fn profile(primaries: [[f64; 2]; 3], gamma: Option<f64>) -> Vec<u8> {
    let xyy = |[x, y]: [f64; 2]| CIExyY { x, y, Y: 1.0 };
    let curve = match gamma {
        Some(gamma) => ToneCurve::new(gamma),
        None => {
            ToneCurve::new_parametric(4, &[2.4, 1.0 / 1.055, 0.055 / 1.055, 1.0 / 12.92, 0.04045]).unwrap()
        }
    };
    let [red, green, blue] = primaries.map(xyy);
    let primaries = CIExyYTRIPLE { Red: red, Green: green, Blue: blue };
    let profile = Profile::new_rgb(&xyy([0.3127, 0.3290]), &primaries, &[&curve, &curve, &curve]);
    profile.unwrap().icc().unwrap()
}

/// The reference photo as `ref.png`, its variants, and the profiles.
fn studio() -> tempfile::TempDir {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path();
    assert!(Path::new(PHOTO).exists(), "{PHOTO} is missing: apt-get install -y mate-backgrounds");
    convert(folder, &format!("{PHOTO} -resize 403x -strip -depth 8 PNG24:ref.png"));
    convert(folder, "ref.png -colorspace Gray -depth 8 grey.png");
    // A soft disc as alpha; beside it nothing.
    convert(folder, "-size 403x252 radial-gradient:white-black -depth 8 disc.png");
    convert(folder, "ref.png disc.png -alpha off -compose CopyOpacity -composite -depth 8 PNG32:alpha.png");
    convert(
        folder,
        "grey.png disc.png -alpha off -compose CopyOpacity -composite -depth 8 PNG32:greyalpha.png",
    );
    std::fs::write(folder.join("srgb.icc"), Profile::new_srgb().icc().unwrap()).unwrap();
    let p3 = [[0.680, 0.320], [0.265, 0.690], [0.150, 0.060]];
    std::fs::write(folder.join("p3.icc"), profile(p3, None)).unwrap();
    let wide = [[0.64, 0.33], [0.21, 0.71], [0.15, 0.06]];
    std::fs::write(folder.join("adobe-like.icc"), profile(wide, Some(563.0 / 256.0))).unwrap();
    temp
}

/// How ImageMagick makes each encoding, what it is compared with, and how close it has to be.
const ENCODINGS: &[(&str, &str, &str, f64)] = &[
    ("base.jpg", "ref.png -quality 95 -sampling-factor 1x1", "ref.png", LOSSY),
    ("420.jpg", "ref.png -quality 92 -sampling-factor 2x2", "ref.png", LOSSY),
    ("422.jpg", "ref.png -quality 92 -sampling-factor 2x1", "ref.png", LOSSY),
    ("440.jpg", "ref.png -quality 92 -sampling-factor 1x2", "ref.png", LOSSY),
    ("q60.jpg", "ref.png -quality 60", "ref.png", 2.5),
    ("prog.jpg", "ref.png -quality 95 -interlace JPEG", "ref.png", LOSSY),
    ("grey.jpg", "grey.png -quality 97", "grey.png", LOSSY),
    ("ycck.jpg", "ref.png -colorspace CMYK -quality 98", "ref.png", LOSSY),
    ("rgb.png", "ref.png PNG24:", "ref.png", LOSSLESS),
    ("laced.png", "ref.png -interlace PNG PNG24:", "ref.png", LOSSLESS),
    ("sixteen.png", "ref.png -depth 16 PNG48:", "ref.png", LOSSLESS),
    ("palette.png", "ref.png +dither -colors 200 PNG8:", "palette.png", LOSSLESS),
    ("bits1.png", "grey.png -threshold 50% -depth 1 -type bilevel", "bits1.png", LOSSLESS),
    ("bits4.png", "grey.png -posterize 16 -depth 4 -type grayscale", "bits4.png", LOSSLESS),
    ("greya.png", "greyalpha.png -type GrayscaleMatte -define png:color-type=4", "greyalpha.png", LOSSLESS),
    ("rgba.png", "alpha.png PNG32:", "alpha.png", LOSSLESS),
    ("rgba16.png", "alpha.png -depth 16 PNG64:", "alpha.png", LOSSLESS),
    ("trns.png", "alpha.png -channel A -threshold 50% +channel -colors 120 PNG8:", "trns.png", LOSSLESS),
    ("lossy.webp", "ref.png -quality 92", "ref.png", LOSSY),
    ("lossless.webp", "ref.png -define webp:lossless=true", "ref.png", LOSSLESS),
    ("alpha.webp", "alpha.png -define webp:lossless=true -define webp:exact=true", "alpha.png", LOSSLESS),
    ("lossyalpha.webp", "alpha.png -quality 92", "alpha.png", LOSSY),
    ("plain.tif", "ref.png -compress none", "ref.png", LOSSLESS),
    ("lzw.tif", "ref.png -compress LZW -define tiff:predictor=2", "ref.png", LOSSLESS),
    ("zip16.tif", "ref.png -depth 16 -compress Zip", "ref.png", LOSSLESS),
    ("packbits.tif", "ref.png -compress RLE", "ref.png", LOSSLESS),
    ("grey.tif", "grey.png -compress LZW", "grey.png", LOSSLESS),
    ("bits1.tif", "bits1.png -compress none -depth 1 -type bilevel", "bits1.png", LOSSLESS),
    ("planar.tif", "ref.png -interlace plane -compress LZW", "ref.png", LOSSLESS),
    ("alpha.tif", "alpha.png -compress LZW -define tiff:alpha=unassociated", "alpha.png", LOSSLESS),
    ("premul.tif", "alpha.png -compress LZW -define tiff:alpha=associated", "alpha.png", LOSSLESS),
    ("greya.tif", "greyalpha.png -type GrayscaleMatte -compress LZW", "greyalpha.png", LOSSLESS),
    ("cmyk.tif", "ref.png -colorspace CMYK -compress LZW", "ref.png", LOSSLESS),
    ("cmyk16.tif", "ref.png -colorspace CMYK -depth 16 -compress Zip", "ref.png", LOSSLESS),
    ("p3.png", "ref.png -profile srgb.icc -profile p3.icc -depth 16", "ref.png", LOSSLESS),
    (
        "p3.jpg",
        "ref.png -profile srgb.icc -profile p3.icc -quality 96 -sampling-factor 1x1",
        "ref.png",
        LOSSY,
    ),
    ("p3.webp", "ref.png -profile srgb.icc -profile p3.icc -define webp:lossless=true", "ref.png", LOSSLESS),
    ("wide.tif", "ref.png -profile srgb.icc -profile adobe-like.icc -compress LZW", "ref.png", LOSSLESS),
    ("wide.jpg", "ref.png -profile srgb.icc -profile adobe-like.icc -quality 97", "ref.png", LOSSY),
    ("widealpha.png", "alpha.png -profile srgb.icc -profile adobe-like.icc", "alpha.png", LOSSLESS),
    ("srgb.png", "ref.png -profile srgb.icc", "ref.png", LOSSLESS),
];

/// What undoes each orientation, so that a viewer that applies it sees the reference.
const UNDO: [&str; 8] =
    ["", "-flop", "-rotate 180", "-flip", "-transpose", "-rotate 270", "-transverse", "-rotate 90"];

#[test]
fn every_encoding_shows_the_same_picture() {
    let temp = studio();
    let folder = temp.path();
    let mut wrong = Vec::new();
    let mut count = 0;
    let mut check = |file: &str, expected: &str, bound: f64| {
        count += 1;
        match judge(folder, file, &reference(folder, expected), bound) {
            Ok(delta) => println!("{file:16} {delta:.3}"),
            Err(what) => wrong.push(what),
        }
    };
    for (file, how, expected, bound) in ENCODINGS {
        let (how, to) = match how.rsplit_once(' ') {
            Some((head, kind)) if kind.ends_with(':') => (head, format!("{kind}{file}")),
            _ => (*how, (*file).to_string()),
        };
        convert(folder, &format!("{how} {to}"));
        check(file, expected, *bound);
    }
    for (i, undo) in UNDO.iter().enumerate() {
        for (kind, bound) in [("jpg", LOSSY), ("png", LOSSLESS), ("webp", LOSSLESS), ("tif", LOSSLESS)] {
            let file = format!("turned{}.{kind}", i + 1);
            convert(folder, &format!("ref.png {undo} +repage -quality 95 -define webp:lossless=true {file}"));
            exiftool(folder, &format!("-q -overwrite_original -n -Orientation={} {file}", i + 1));
            check(&file, "ref.png", bound);
            assert_eq!(usize::from(open(folder, &file).orientation()), i + 1, "{file}");
        }
    }
    adobe_cmyk(folder);
    check("adobe.jpg", "ref.png", LOSSY);
    check("profiled.jpg", "profiled.png", LOSSLESS);
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 24);
}

/// Adobe's CMYK: inverted inks, untransformed. ImageMagick writes YCCK; Ghostscript writes this.
fn adobe_cmyk(folder: &Path) {
    convert(folder, "ref.png -colorspace CMYK eps3:inks.eps");
    let words = "-q -dNOPAUSE -dBATCH -dSAFER -dEPSCrop -r72 -sDEVICE=jpegcmyk -dJPEGQ=98 \
                 -sOutputFile=profiled.jpg inks.eps";
    let args: Vec<_> = words.split_whitespace().collect();
    run("gs", "ghostscript", folder, &args, b"");
    // With Ghostscript's profile as ImageMagick converts it, and without.
    let to_srgb = "-intent relative -black-point-compensation -profile srgb.icc";
    convert(folder, &format!("profiled.jpg {to_srgb} PNG24:profiled.png"));
    exiftool(folder, "-q -icc_profile:all= -o adobe.jpg profiled.jpg");
    let transform = |file: &str| exiftool(folder, &format!("-s3 -n -ColorTransform {file}"));
    assert_eq!(transform("adobe.jpg").trim_ascii(), b"0");
    assert_eq!(transform("ycck.jpg").trim_ascii(), b"2");
}
