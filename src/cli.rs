//! The command line: as typed, then as meant.

mod fleet;
mod leash;
mod operator;
mod preflight;
mod settings;
mod worker;

use crate::app::{App, Outcome, Places};
use crate::catalog::Profile;
use crate::catalog::template::{DesignFile, ProductFile, TemplateFile};
use crate::check;
use crate::config::{Config, Use, log_format};
use crate::control::Control;
use crate::error::{Violation, Violations};
use crate::order::Order;
use crate::order::event::{EventError, EventType, ResultEvent, Verdict};
use crate::schema::schema_of;
use crate::telemetry::logs::LogFormat;
use clap::{Args, Parser, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use settings::SettingArgs;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Renders print-on-demand orders: templates and choices in, print-ready PDF and PNG out.
#[derive(Debug, Parser)]
#[command(name = "presswork", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

impl Cli {
    /// What is logged unless `RUST_LOG` says otherwise: a worker tells what it does.
    pub fn default_log_level(&self) -> &'static str {
        if self.is_traced() { "info" } else { "warn" }
    }

    /// Whether this is a command whose work is traced: the worker's.
    pub fn is_traced(&self) -> bool {
        matches!(self.command, Command::Worker(_))
    }

    /// Whether this is the command that says what is wrong with a worker's settings.
    pub fn shows_settings(&self) -> bool {
        matches!(self.command, Command::Config(_))
    }

    /// What the log's lines are, where that is said.
    pub fn log_format(&self) -> Option<LogFormat> {
        let flags = match &self.command {
            Command::Worker(flags) | Command::Config(flags) => flags,
            Command::Render(_)
            | Command::Check(_)
            | Command::Preflight(_)
            | Command::Schema(_)
            | Command::Enqueue(_)
            | Command::Cancel(_)
            | Command::Dead(_) => &SettingArgs::default(),
        };
        log_format(flags.with_environment())
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Render orders from disk to disk, without a server
    Render(RenderArgs),
    /// Check templates, profiles and orders, and list everything that is wrong
    Check(CheckArgs),
    /// Look at finished PDFs: the standard's rules and the house's
    Preflight(PreflightArgs),
    /// Print the JSON Schema of a format
    Schema(SchemaArgs),
    /// Take orders from the queue, render them and keep their results, until SIGTERM
    Worker(SettingArgs),
    /// Send orders to the queue and wait for its confirms
    Enqueue(operator::EnqueueArgs),
    /// Decide an order's run as cancelled, unless it is decided already
    Cancel(operator::CancelArgs),
    /// Look through the orders that were given up
    Dead(operator::DeadArgs),
    /// Print the effective settings, secrets masked, or everything that is wrong with them
    Config(SettingArgs),
}

#[derive(Debug, Args)]
struct PlaceArgs {
    /// The catalog's folder [default: the folder `catalog` nearest to the order]
    #[arg(long, value_name = "DIR", env = "PRESSWORK_CATALOG")]
    catalog: Option<PathBuf>,
    /// The render profiles' folder [default: the built-in profiles]
    #[arg(long, value_name = "DIR", env = "PRESSWORK_PROFILES")]
    profiles: Option<PathBuf>,
    /// The folder of the orders' assets [default: the folder `assets` nearest to the order]
    #[arg(long, value_name = "DIR", env = "PRESSWORK_ASSETS", value_parser = parse_assets)]
    assets: Option<AssetsAt>,
    /// A folder of fonts beside the built-in ones
    #[arg(long, value_name = "DIR", env = "PRESSWORK_FONTS")]
    fonts: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct RenderArgs {
    /// Orders, one JSON file each
    #[arg(required = true, value_name = "ORDER.json")]
    orders: Vec<PathBuf>,
    /// Where each job's folder is written
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
    #[command(flatten)]
    places: PlaceArgs,
    /// Print one result event a line instead of a table
    #[arg(long)]
    json: bool,
    /// Begin when a byte arrives on standard input, and end with that: for a worker's suspects
    #[arg(long, hide = true)]
    leashed: bool,
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// Templates (their folders or a catalog), profiles (.toml) and orders (.json) [default: the catalog and the profiles]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    places: PlaceArgs,
    /// Print one violation a line as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PreflightArgs {
    /// PDFs, whoever wrote them
    #[arg(required = true, value_name = "FILE.pdf")]
    pub(crate) files: Vec<PathBuf>,
    /// The render profile whose limits they are held to
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The standard they are held to [default: the profile's]
    #[arg(long, value_enum)]
    pub(crate) standard: Option<StandardArg>,
    /// Write a report to look at, with the findings marked on the pages
    #[arg(long, value_name = "REPORT.html")]
    pub(crate) html: Option<PathBuf>,
    /// The render profiles' folder [default: the built-in profiles]
    #[arg(long, value_name = "DIR", env = "PRESSWORK_PROFILES")]
    pub(crate) profiles: Option<PathBuf>,
    /// Print one report a line as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum StandardArg {
    /// Any PDF that reads
    Plain,
    /// ISO 15930-4, PDF/X-1a:2003
    X1a,
    /// ISO 15930-6, PDF/X-3:2003
    X3,
    /// ISO 15930-7, PDF/X-4
    X4,
}

#[derive(Debug, Args)]
struct SchemaArgs {
    /// Which format
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// An order, as pipelines enqueue it
    Order,
    /// A template of the catalog
    Template,
    /// A product that templates join with a design
    Product,
    /// A design that templates join with a product
    Design,
    /// A render profile, as TOML holds it
    Profile,
    /// The result event
    Event,
}

/// Where the orders' assets are.
#[derive(Debug, Clone)]
enum AssetsAt {
    Folder(PathBuf),
    /// In a bucket, as a worker's environment says, in which catalogs and orders are checked too.
    Bucket,
}

/// `dir:PATH` or a plain path.
fn parse_assets(text: &str) -> Result<AssetsAt, String> {
    match text.strip_prefix("dir:") {
        Some(path) => Ok(AssetsAt::Folder(path.into())),
        None if !text.contains("://") => Ok(AssetsAt::Folder(text.into())),
        None if std::env::var("PRESSWORK_ASSETS").is_ok_and(|said| said == text) => Ok(AssetsAt::Bucket),
        None => Err("only folders are read here: give a path, or dir:PATH".into()),
    }
}

impl PlaceArgs {
    fn app(self) -> Result<App, ExitCode> {
        let assets = match self.assets {
            Some(AssetsAt::Folder(folder)) => Some(folder),
            Some(AssetsAt::Bucket) | None => None,
        };
        let places = Places { catalog: self.catalog, profiles: self.profiles, assets, fonts: self.fonts };
        App::new(places, fleet::local()?).map_err(|violations| configuration(&violations))
    }
}

/// Exit codes of the contract.
const MISUSED: u8 = 2;
const REFUSED: u8 = 3;
/// The exit code of settings that do not read.
pub const BAD_CONFIGURATION: u8 = 64;

/// Runs the command line and gives the process's exit code.
pub fn run(cli: Cli) -> ExitCode {
    match cli.command {
        Command::Render(args) if args.leashed && !leash::put_on() => ExitCode::FAILURE,
        Command::Render(args) => match args.places.app() {
            Ok(app) => render(&app, &args.orders, &args.out, args.json),
            Err(code) => code,
        },
        Command::Check(args) => match args.places.app() {
            Ok(app) => check_paths(&app, &args.paths, args.json),
            Err(code) => code,
        },
        Command::Preflight(args) => preflight::preflight(&args),
        Command::Schema(args) => schema(args.format),
        Command::Worker(flags) => fleet::with_config(Use::Worker, &flags, worker::run),
        Command::Enqueue(args) => operate(|config| operator::enqueue(config, args)),
        Command::Cancel(args) => operate(|config| operator::cancel(config, args)),
        Command::Dead(args) => operate(|config| operator::dead(config, args)),
        Command::Config(flags) => fleet::show(&flags),
    }
}

/// Runs an operator's command with the environment's settings.
fn operate<F: Future<Output = ExitCode>>(run: impl FnOnce(Config) -> F) -> ExitCode {
    fleet::with_config(Use::Operator, &SettingArgs::default(), run)
}

fn configuration(violations: &Violations) -> ExitCode {
    eprintln!("{violations}");
    ExitCode::from(BAD_CONFIGURATION)
}

fn schema(format: Format) -> ExitCode {
    let schema = match format {
        Format::Order => schema_of::<Order>(),
        Format::Template => schema_of::<TemplateFile>(),
        Format::Product => schema_of::<ProductFile>(),
        Format::Design => schema_of::<DesignFile>(),
        Format::Profile => schema_of::<Profile>(),
        Format::Event => schema_of::<ResultEvent>(),
    };
    print_line(&format!("{schema:#}"))
}

fn print_line(text: &str) -> ExitCode {
    // A reader that went away (`| head`) is no failure of ours.
    match writeln!(std::io::stdout(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::SUCCESS,
    }
}

fn render(app: &App, orders: &[PathBuf], out: &std::path::Path, json: bool) -> ExitCode {
    let bar = if std::io::stderr().is_terminal() && !json {
        ProgressBar::new(orders.len() as u64)
    } else {
        ProgressBar::hidden()
    };
    if let Ok(style) = ProgressStyle::with_template("{bar:32} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    let mut outcomes: Vec<Outcome> = Vec::new();
    let mut seen: BTreeMap<String, PathBuf> = BTreeMap::new();
    for path in orders {
        let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let mut observe =
            |stage: crate::render::Stage| bar.set_message(format!("{name}: {}", stage.as_str()));
        let outcome = app.run(path, out, Control::NONE, &mut observe);
        bar.inc(1);
        if let Some(job) = &outcome.job_id
            && let Some(earlier) = seen.insert(job.clone(), path.clone())
        {
            bar.suspend(|| {
                eprintln!(
                    "note: {} and {} name the same job; the later one stands",
                    earlier.display(),
                    path.display()
                )
            });
        }
        for error in &outcome.event.data.errors {
            bar.suspend(|| eprintln!("{}", error_line(&outcome, error)));
        }
        if json && let Ok(line) = serde_json::to_string(&outcome.event) {
            print_line(&line);
        }
        outcomes.push(outcome);
    }
    bar.finish_and_clear();
    if !json {
        print_line(&table(&outcomes));
    }
    let refused = outcomes.iter().any(|o| matches!(o.event.kind, EventType::Failed | EventType::Rejected));
    if refused { ExitCode::from(REFUSED) } else { ExitCode::SUCCESS }
}

fn error_line(outcome: &Outcome, error: &EventError) -> String {
    let place = error.pointer.as_deref().map(|p| format!(" at {p}")).unwrap_or_default();
    let allowed =
        if error.allowed.is_empty() { String::new() } else { format!(" [{}]", error.allowed.join(", ")) };
    format!("{}: {}{place}: {}{allowed}", outcome.path.display(), error.code, error.detail)
}

fn table(outcomes: &[Outcome]) -> String {
    let mut rows = vec![["job", "template", "result", "files", "size", "seconds"].map(str::to_owned)];
    for outcome in outcomes {
        let data = &outcome.event.data;
        let bytes: u64 = data.artifacts.iter().map(|a| a.bytes).sum();
        let result = match (&outcome.event.kind, data.preflight.as_ref().map(|p| p.verdict)) {
            (EventType::Completed, Some(Verdict::Warn)) => format!("completed, {} remarks", remarks(outcome)),
            (EventType::Completed, _) => "completed".into(),
            (EventType::Held, _) => format!("held, {} findings", remarks(outcome)),
            (EventType::Failed, _) => format!("failed: {}", data.errors.first().map_or("", |e| &e.code)),
            (EventType::Rejected, _) => format!("rejected: {}", data.errors.first().map_or("", |e| &e.code)),
        };
        rows.push([
            outcome.job_id.clone().unwrap_or_else(|| "-".into()),
            data.template.clone().unwrap_or_else(|| "-".into()),
            result,
            data.artifacts.len().to_string(),
            human_bytes(bytes),
            format!("{:.2}", data.timings.values().fold(0.0, |sum, seconds| sum + seconds)),
        ]);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..6).map(width).collect();
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(&widths).enumerate().map(|(i, (cell, width))| {
            let width = *width;
            if i < 3 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn remarks(outcome: &Outcome) -> usize {
    outcome.event.data.preflight.as_ref().map_or(0, |p| p.findings.len())
}

fn human_bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

fn check_paths(app: &App, paths: &[PathBuf], json: bool) -> ExitCode {
    let report = check::check(app, paths);
    for (path, violation) in &report.violations {
        if json {
            let line = serde_json::json!({ "path": path, "violation": violation });
            print_line(&line.to_string());
        } else {
            eprintln!("{}: {}", path.display(), describe(violation));
        }
    }
    if !json {
        print_line(&format!("{} files checked, {} violations", report.checked, report.violations.len()));
    }
    if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(REFUSED) }
}

fn describe(violation: &Violation) -> String {
    let allowed = if violation.allowed.is_empty() {
        String::new()
    } else {
        format!(" [{}]", violation.allowed.join(", "))
    };
    format!("{violation}{allowed}")
}
