//! Foreign programs that judge our files: renderers, checkers and readers.
//!
//! A missing program fails the test with the line that installs it; nothing is skipped.

use image::RgbaImage;
use serde_json::Value;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The Debian package of each program.
const PACKAGES: &[(&str, &str)] = &[
    ("gs", "ghostscript"),
    ("mutool", "mupdf-tools"),
    ("pdftocairo", "poppler-utils"),
    ("pdfinfo", "poppler-utils"),
    ("pdffonts", "poppler-utils"),
    ("pdfimages", "poppler-utils"),
    ("qpdf", "qpdf"),
    ("identify", "imagemagick"),
    ("convert", "imagemagick"),
    ("compare", "imagemagick"),
    ("exiftool", "libimage-exiftool-perl"),
    ("pngcheck", "pngcheck"),
    ("zbarimg", "zbar-tools"),
    ("dmtxread", "dmtx-utils"),
    ("qemu-x86_64", "qemu-user"),
    ("/usr/bin/time", "time"),
];

/// What a program that ran said.
pub struct Said {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs a program to its end. Panics with an install line when it is missing.
pub fn run(command: &mut Command) -> Said {
    let program = command.get_program().to_string_lossy().into_owned();
    let out: Output = match command.stdin(Stdio::null()).output() {
        Ok(out) => out,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let package =
                PACKAGES.iter().find(|(name, _)| *name == program).map_or(program.as_str(), |p| p.1);
            panic!("{program} is missing: apt-get install -y {package}");
        }
        Err(error) => panic!("{program}: {error}"),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { code: out.status.code(), stdout: text(&out.stdout), stderr: text(&out.stderr) }
}

/// Runs a program that has to succeed, and gives what it wrote to standard output.
pub fn tool<S: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = S>) -> String {
    let said = run(Command::new(program).args(arguments));
    assert!(said.code == Some(0), "{program} exits {:?}: {}{}", said.code, said.stdout, said.stderr);
    said.stdout
}

/// Fails unless `qpdf --check` finds neither errors nor warnings.
pub fn qpdf_check(pdf: &Path) {
    let said = run(Command::new("qpdf").arg("--check").arg(pdf));
    assert!(said.code == Some(0), "{}: {}{}", pdf.display(), said.stdout, said.stderr);
}

/// One page's boxes in points: x0, y0, x1, y1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PageBoxes {
    pub media: [f64; 4],
    pub crop: [f64; 4],
    pub bleed: [f64; 4],
    pub trim: [f64; 4],
}

/// The boxes of every page, as poppler's `pdfinfo -box` reads them.
pub fn pdf_boxes(pdf: &Path) -> Vec<PageBoxes> {
    let file = pdf.as_os_str();
    let text = tool("pdfinfo", [OsStr::new("-box"), OsStr::new("-l"), OsStr::new("-1"), file]);
    let mut pages: Vec<PageBoxes> = Vec::new();
    for line in text.lines().filter(|l| l.starts_with("Page ")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (Some(number), Some(kind)) = (words.get(1).and_then(|n| n.parse::<usize>().ok()), words.get(2))
        else {
            continue;
        };
        let values: Vec<f64> = words[3..].iter().filter_map(|w| w.parse().ok()).collect();
        let Ok(values) = <[f64; 4]>::try_from(values) else { continue };
        if pages.len() < number {
            pages.resize(number, PageBoxes::default());
        }
        let page = &mut pages[number - 1];
        match *kind {
            "MediaBox:" => page.media = values,
            "CropBox:" => page.crop = values,
            "BleedBox:" => page.bleed = values,
            "TrimBox:" => page.trim = values,
            _ => {}
        }
    }
    assert!(!pages.is_empty(), "{}: pdfinfo lists no boxes:\n{text}", pdf.display());
    pages
}

/// Width and height in pixels, as ImageMagick reads them, without decoding.
pub fn identify(picture: &Path) -> (u32, u32) {
    let text = tool(
        "identify",
        [OsStr::new("-ping"), OsStr::new("-format"), OsStr::new("%w %h"), picture.as_os_str()],
    );
    let mut numbers = text.split_whitespace().map(|n| n.parse().expect("a number of pixels"));
    (numbers.next().expect("a width"), numbers.next().expect("a height"))
}

/// Every tag that exiftool knows, with numeric values.
pub fn exiftool(file: &Path) -> Value {
    let text = tool("exiftool", [OsStr::new("-json"), OsStr::new("-n"), file.as_os_str()]);
    let list: Value = serde_json::from_str(&text).expect("exiftool writes JSON");
    list[0].clone()
}

/// A renderer that is not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renderer {
    Ghostscript,
    MuPdf,
    Poppler,
}

impl Renderer {
    pub const ALL: [Renderer; 3] = [Renderer::Ghostscript, Renderer::MuPdf, Renderer::Poppler];

    /// Renders one page (from 1) on white paper: its media box, stretched to these pixels.
    pub fn render(self, pdf: &Path, page: u32, size: (u32, u32), folder: &Path) -> RgbaImage {
        let stem = pdf.file_stem().expect("a file").to_string_lossy().into_owned();
        let out = folder.join(format!("{stem}-{page}-{self:?}.png"));
        let number = page.to_string();
        let (width, height) = (size.0.to_string(), size.1.to_string());
        match self {
            Renderer::Ghostscript => {
                let media = pdf_boxes(pdf)[page as usize - 1].media;
                let dpi = |px: u32, from: usize| f64::from(px) * 72.0 / (media[from + 2] - media[from]);
                let mut command = Command::new("gs");
                // 4×4 samples a pixel.
                command.args(["-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-sDEVICE=png16m"]);
                command.args(["-dTextAlphaBits=4", "-dGraphicsAlphaBits=4"]);
                command.arg(format!("-r{:.6}x{:.6}", dpi(size.0, 0), dpi(size.1, 1)));
                command.args([format!("-g{width}x{height}"), format!("-sPageList={page}")]);
                command.arg(format!("-sOutputFile={}", out.display())).arg(pdf);
                let said = run(&mut command);
                let noise = format!("{}{}", said.stdout, said.stderr);
                assert!(said.code == Some(0) && noise.trim().is_empty(), "gs {}: {noise}", pdf.display());
            }
            Renderer::MuPdf => {
                let mut command = Command::new("mutool");
                command.args(["draw", "-q", "-f", "-w", &width, "-h", &height, "-o"]).arg(&out);
                let said = run(command.arg(pdf).arg(&number));
                // Debian builds it without colour management and it says so each time.
                let mut lines = said.stderr.lines().map(str::trim).filter(|l| !l.is_empty());
                let clean = lines.all(|l| l.contains("ICC support is not available"));
                assert!(said.code == Some(0) && clean, "mutool {}: {}", pdf.display(), said.stderr);
            }
            Renderer::Poppler => {
                let mut command = Command::new("pdftocairo");
                command.args(["-png", "-singlefile", "-f", &number, "-l", &number]);
                command.args(["-scale-to-x", &width, "-scale-to-y", &height]);
                // It counts the smallest part of a pixel as one more; cut that off.
                command.args(["-x", "0", "-y", "0", "-W", &width, "-H", &height]);
                let said = run(command.arg(pdf).arg(out.with_extension("")));
                let clean = said.stderr.trim().is_empty();
                assert!(said.code == Some(0) && clean, "pdftocairo {}: {}", pdf.display(), said.stderr);
            }
        }
        let picture = super::picture::load(&out);
        std::fs::remove_file(&out).expect("our own file");
        picture
    }
}

/// Peak resident memory of a run, in megabytes (10⁶ bytes), as `/usr/bin/time` reports it.
pub fn peak_megabytes(command: &Command) -> (f64, Said) {
    let mut timed = Command::new("/usr/bin/time");
    timed.args(["-f", "peak-kib %M"]).arg(command.get_program()).args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => timed.env(key, value),
            None => timed.env_remove(key),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        timed.current_dir(folder);
    }
    let said = run(&mut timed);
    let kib: f64 = said
        .stderr
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("peak-kib ")?.trim().parse().ok())
        .unwrap_or_else(|| panic!("time reports no peak: {}", said.stderr));
    (kib * 1024.0 / 1e6, said)
}

/// A fresh folder below the target folder, named after what it is for.
pub fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).expect("a scratch folder below target");
    }
    std::fs::create_dir_all(&folder).expect("a folder below target");
    folder
}

/// What a JPEG's picture is made of, in the file's order: quantisation and Huffman tables, frame and restart
/// headers, and each scan with its header. Not what is said about it: APP segments and comments.
pub fn picture_data(jpeg: &[u8]) -> Vec<(u8, Vec<u8>)> {
    assert_eq!(jpeg[..2], [0xFF, 0xD8], "a JPEG");
    let (mut parts, mut at) = (Vec::new(), 2);
    while jpeg[at + 1] != 0xD9 {
        assert_eq!(jpeg[at], 0xFF, "a marker at {at}");
        let marker = jpeg[at + 1];
        let length = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        let mut end = at + 2 + length;
        if marker == 0xDA {
            // Up to the next marker that is neither a stuffed byte nor a restart.
            while jpeg[end] != 0xFF || matches!(jpeg[end + 1], 0 | 0xD0..=0xD7) {
                end += 1;
            }
        }
        if !matches!(marker, 0xE0..=0xEF | 0xFE) {
            parts.push((marker, jpeg[at + 2..end].to_vec()));
        }
        at = end;
    }
    parts
}
