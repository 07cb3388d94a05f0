//! Programs from Debian that tests use as independent judges.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::path::Path;
use std::process::{Command, Stdio};

/// Runs a program with arguments and bytes on its standard input; gives its standard output.
///
/// # Panics
/// When the program is missing (with the line that installs it) or fails.
pub(crate) fn run(program: &str, package: &str, folder: &Path, args: &[&str], input: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut child = Command::new(program)
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|_| panic!("{program} is missing: apt-get install -y {package}"));
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program that reads nothing closes its end first; that is no failure.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {args:?}: {said}");
    output.stdout
}

/// Runs ImageMagick in a folder, its words separated by spaces.
pub(crate) fn convert(folder: &Path, words: &str) -> Vec<u8> {
    let args: Vec<_> = words.split_whitespace().collect();
    run("convert", "imagemagick", folder, &args, b"")
}

/// Runs exiftool in a folder, its words separated by spaces.
pub(crate) fn exiftool(folder: &Path, words: &str) -> Vec<u8> {
    let args: Vec<_> = words.split_whitespace().collect();
    run("exiftool", "libimage-exiftool-perl", folder, &args, b"")
}

/// A JPEG of three components, its picture data rewritten by jpegtran so that each component
/// stands in a scan of its own.
pub(crate) fn one_scan_each(folder: &Path, file: &str) -> Vec<u8> {
    in_scans(folder, file, "0; 1; 2;", &[])
}

/// A JPEG as jpegtran spreads it over the given scans, with further options.
pub(crate) fn in_scans(folder: &Path, file: &str, scans: &str, options: &[&str]) -> Vec<u8> {
    std::fs::write(folder.join("scans.txt"), scans).unwrap();
    let args = [&["-copy", "all", "-scans", "scans.txt"], options, &[file]].concat();
    run("jpegtran", "libjpeg-turbo-progs", folder, &args, b"")
}
