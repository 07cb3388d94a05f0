//! `presswork preflight`: finished PDFs from disk, reports out.

use super::{MISUSED, PreflightArgs, REFUSED, StandardArg, print_line};
use crate::cache::Cache;
use crate::catalog::print::Standard;
use crate::edge::dir::ProfileLibrary;
use crate::error::Violations;
use crate::order::event::{Finding, Verdict};
use crate::preflight::{Inspection, Report, Wish, html};
use std::fs::File;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Pages that a report to look at draws.
const DRAWN: u32 = 100;

/// Looks at each file; 2 when one cannot be opened, else 3 when one is not good to print.
pub(super) fn preflight(args: &PreflightArgs) -> ExitCode {
    let wish = match wish(args) {
        Ok(wish) => wish,
        Err(violations) => {
            eprintln!("{violations}");
            return ExitCode::from(MISUSED);
        }
    };
    if args.html.is_some() && args.files.len() > 1 {
        eprintln!("--html takes one file at a time");
        return ExitCode::from(MISUSED);
    }
    let (mut worst, mut missing) = (Verdict::Pass, false);
    for path in &args.files {
        let report = match inspect(path, &wish, args.html.is_some()) {
            Ok(report) => report,
            Err(reason) => {
                eprintln!("{}: {reason}", path.display());
                missing = true;
                continue;
            }
        };
        worst = worst.max(report.verdict);
        if let Some(target) = &args.html {
            let title = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if let Err(error) = std::fs::write(target, html(&report, &title)) {
                eprintln!("{}: {}", target.display(), error.kind());
                return ExitCode::from(MISUSED);
            }
        }
        show(path, &report, args.json);
    }
    if missing {
        return ExitCode::from(MISUSED);
    }
    match worst {
        Verdict::Pass | Verdict::Warn => ExitCode::SUCCESS,
        Verdict::Hold | Verdict::Fail => ExitCode::from(REFUSED),
    }
}

fn wish(args: &PreflightArgs) -> Result<Wish, Violations> {
    let mut wish = match &args.profile {
        Some(name) => {
            Wish::of(&ProfileLibrary::new(args.profiles.clone(), Arc::new(Cache::new(0))).load(name)?.profile)
        }
        None => Wish::default(),
    };
    match args.standard {
        Some(StandardArg::Plain) => wish.standard = Standard::Plain,
        Some(StandardArg::X1a) => wish.standard = Standard::X1a,
        Some(StandardArg::X3) => wish.standard = Standard::X3,
        Some(StandardArg::X4) => wish.standard = Standard::X4,
        None => {}
    }
    Ok(wish)
}

fn inspect(path: &Path, wish: &Wish, pictures: bool) -> Result<Report, String> {
    let file = File::open(path).map_err(|error| error.kind().to_string())?;
    let pictures = if pictures { DRAWN } else { 0 };
    Inspection { pictures, ..Inspection::new(wish) }.inspect(file).map_err(|violation| violation.to_string())
}

fn show(path: &Path, report: &Report, json: bool) {
    if json {
        let line = serde_json::json!({ "path": path, "report": report });
        print_line(&line.to_string());
        return;
    }
    for finding in &report.findings {
        print_line(&format!("{}: {}", path.display(), line(finding)));
    }
    let count = |verdict| report.findings.iter().filter(|finding| finding.verdict == verdict).count();
    print_line(&format!(
        "{}: {}, {} pages, {} failed, {} held, {} remarks",
        path.display(),
        word(report.verdict),
        report.pages.len(),
        count(Verdict::Fail),
        count(Verdict::Hold),
        count(Verdict::Warn)
    ));
}

fn line(finding: &Finding) -> String {
    let page = finding.page.map(|page| format!(" page {page}")).unwrap_or_default();
    let place =
        finding.place.map(|[x, y, w, h]| format!(" at {x:.1},{y:.1} {w:.1}×{h:.1} mm")).unwrap_or_default();
    format!("{} {}{page}{place}: {}", word(finding.verdict), finding.code, finding.detail)
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Warn => "warn",
        Verdict::Hold => "hold",
        Verdict::Fail => "fail",
    }
}
