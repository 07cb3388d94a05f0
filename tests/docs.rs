//! Holds the documents to the code, and the code to its house rules.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use presswork::config::{FLAGS, Given, SETTINGS};
use presswork::error::Code;
use presswork::preflight::Rule;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Every file that is, or is about to be, under version control.
fn project_files() -> Vec<PathBuf> {
    let out = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output();
    let out = out.unwrap_or_else(|e| panic!("git: {e}: apt-get install -y git"));
    assert!(out.status.success(), "git ls-files: {}", String::from_utf8_lossy(&out.stderr));
    let files: Vec<_> = String::from_utf8_lossy(&out.stdout).lines().map(PathBuf::from).collect();
    files.into_iter().filter(|f| root().join(f).is_file()).collect()
}

fn rust_files() -> Vec<PathBuf> {
    project_files().into_iter().filter(|f| f.extension().is_some_and(|e| e == "rs")).collect()
}

/// The code of a Rust file without its line comments.
fn code_of(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_readme_has_two_set_up_commands() {
    let readme = read("README.md");
    let blocks: Vec<&str> = readme.split("```sh\n").skip(1).filter_map(|b| b.split("```").next()).collect();
    let commands: Vec<&str> = blocks[0].lines().collect();
    assert_eq!(
        commands,
        ["cargo run --release -- render fixtures/orders/*.json --out out", "scripts/test"],
        "the first block of the README is the whole set-up"
    );
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut broken = Vec::new();
    for file in project_files().into_iter().filter(|f| f.extension().is_some_and(|e| e == "md")) {
        let text = read(&file);
        let folder = file.parent().unwrap_or(Path::new(""));
        for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#', ' ']).next()) {
            let outside = link.is_empty() || link.contains("://") || link.starts_with("mailto:");
            if !outside && !root().join(folder).join(link).exists() {
                broken.push(format!("{}: {link}", file.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_error_code_is_explained() {
    let text = read("docs/errors.md");
    let rows: Vec<&str> = text.lines().filter(|l| l.starts_with("| `")).collect();
    assert_eq!(rows.len(), Code::ALL.len(), "one row a code");
    for (code, row) in Code::ALL.iter().zip(rows) {
        let (fault, retry) = (format!("{:?}", code.fault()), format!("{:?}", code.retry()));
        let head = format!("| `{code}` | {} | {} | ", fault.to_lowercase(), retry.to_lowercase());
        assert!(row.starts_with(&head), "{row}\nis to start with\n{head}");
        assert_eq!(row.matches('|').count(), 6, "{row}");
    }
}

#[test]
fn every_rule_of_preflight_is_explained() {
    let text = read("docs/preflight.md");
    let rows: Vec<&str> = text.lines().filter(|l| l.starts_with("| `")).collect();
    assert_eq!(rows.len(), Rule::ALL.len(), "one row a rule");
    for (rule, row) in Rule::ALL.iter().zip(rows) {
        let verdict = format!("{:?}", rule.verdict()).to_lowercase();
        let head = format!("| `{rule}` | {} | {verdict} | ", rule.when().as_str());
        assert!(row.starts_with(&head) && row.len() > head.len() + 10, "{row}\nis to start with\n{head}");
    }
    let codes: std::collections::BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.as_str()).collect();
    assert_eq!(codes.len(), Rule::ALL.len(), "a code stands for one rule");
}

fn presswork(arguments: &[&str]) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_presswork")).args(arguments).output().unwrap();
    assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

#[test]
fn every_command_and_flag_is_explained() {
    let text = read("docs/cli.md");
    let help = presswork(&["--help"]);
    let list = help.split("Commands:\n").nth(1).expect("clap lists the commands");
    let commands: Vec<&str> = list
        .lines()
        .take_while(|l| l.starts_with("  "))
        .filter_map(|l| l.split_whitespace().next())
        .collect();
    assert!(commands.contains(&"render"), "{commands:?}");
    let variable = regex::Regex::new("PRESSWORK_[A-Z_]+").unwrap();
    let flag = regex::Regex::new(r"--[a-z][a-z0-9-]*").unwrap();
    // Settings' flags are explained where the settings are.
    let settings: Vec<&str> = FLAGS.iter().map(|(_, flag)| flag.as_str()).collect();
    let mut missing = Vec::new();
    for command in commands {
        if !text.contains(&format!("`{command}`")) {
            missing.push(command.to_owned());
        }
        let help = if command == "help" { presswork(&["help"]) } else { presswork(&[command, "--help"]) };
        let takes_settings = ["worker", "config"].contains(&command);
        let flags = flag.find_iter(&help).map(|f| f.as_str());
        let flags = flags.filter(|f| !(takes_settings && settings.contains(f)));
        missing.extend(flags.filter(|f| !text.contains(&format!("`{f}`"))).map(|f| format!("{command} {f}")));
        let variables = variable.find_iter(&help).map(|v| v.as_str());
        missing.extend(variables.filter(|v| !text.contains(&format!("`{v}`"))).map(str::to_owned));
    }
    assert!(missing.is_empty(), "docs/cli.md does not name {missing:?}");
}

#[test]
fn every_setting_and_metric_is_explained() {
    let text = read("docs/operations.md");
    // The table's first column holds every name and no other; what are files by nature are named so.
    let named = regex::Regex::new("`PRESSWORK_([A-Z0-9_]+?)(?:_FILE)?`").unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `PRESSWORK_"));
    let first = rows.filter_map(|row| row.split('|').nth(1));
    let explained: BTreeSet<String> =
        first.flat_map(|cell| named.captures_iter(cell).map(|c| c[1].to_owned())).collect();
    let names: BTreeSet<String> = SETTINGS.iter().map(|setting| setting.name.to_owned()).collect();
    assert_eq!(explained, names);
    let metrics = presswork::telemetry::Metrics::catalogue();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| `presswork_")).collect();
    assert_eq!(rows.len(), metrics.len(), "one row a metric");
    for (declared, row) in metrics.iter().zip(rows) {
        let labels = if declared.labels.is_empty() { "–".into() } else { declared.labels.join(", ") };
        assert_eq!(
            row,
            format!("| `{}` | {} | {labels} | {} |", declared.name, declared.kind, declared.help)
        );
    }
}

/// `worker` and `config` have a flag for each setting, and the document's rule tells which.
#[test]
fn every_setting_has_the_flag_that_its_document_says() {
    let text = read("docs/operations.md");
    let flag = regex::Regex::new(r"(?m)^ +(--[a-z0-9-]+) <").unwrap();
    let secrets: Vec<&str> = SETTINGS.iter().filter(|s| s.given == Given::Secret).map(|s| s.name).collect();
    let named = regex::Regex::new("`PRESSWORK_([A-Z0-9_]+)`").unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `PRESSWORK_"));
    let explained: BTreeSet<String> = rows
        .filter_map(|row| row.split('|').nth(1))
        .flat_map(|cell| named.captures_iter(cell).map(|c| c[1].to_owned()))
        .filter(|name| !secrets.contains(&name.trim_end_matches("_FILE")))
        .map(|name| format!("--{}", name.to_lowercase().replace('_', "-")))
        .collect();
    assert!(explained.contains("--memory-budget") && explained.contains("--amqp-ca-file"), "{explained:?}");
    for command in ["worker", "config"] {
        let help = presswork(&[command, "--help"]);
        let flags: BTreeSet<String> = flag.captures_iter(&help).map(|c| c[1].to_owned()).collect();
        assert_eq!(flags, explained, "{command}");
        for secret in &secrets {
            assert!(
                help.contains(&format!("PRESSWORK_{secret}")),
                "{command} does not say how {secret} is given"
            );
        }
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    }
    for secret in secrets {
        let sentence = text.lines().find(|line| line.contains("have no flag")).unwrap();
        assert!(sentence.contains(secret), "{sentence}");
    }
}

/// The names of all properties of a JSON Schema, at any depth.
fn properties(schema: &serde_json::Value, names: &mut std::collections::BTreeSet<String>) {
    match schema {
        serde_json::Value::Object(object) => {
            if let Some(fields) = object.get("properties").and_then(|p| p.as_object()) {
                names.extend(fields.keys().cloned());
            }
            object.values().for_each(|value| properties(value, names));
        }
        serde_json::Value::Array(values) => values.iter().for_each(|value| properties(value, names)),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => {}
    }
}

#[test]
fn every_field_of_a_profile_is_explained() {
    let schema = serde_json::from_str(&presswork(&["schema", "profile"])).unwrap();
    let mut names = std::collections::BTreeSet::new();
    properties(&schema, &mut names);
    assert!(names.contains("dpi") && names.contains("max_px"), "{names:?}");
    // A profile's colours are process colours; only templates print spots.
    names.remove("tint");
    let text = read("render-profiles/README.md");
    // As code, alone or inside a larger piece: `[png]`, `{ cmyk = [0, 0, 0, 1] }`.
    let code: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    let word = |name: &str| regex::Regex::new(&format!(r"\b{name}\b")).unwrap();
    let named = |name: &str| code.iter().any(|piece| word(name).is_match(piece));
    let missing: Vec<_> = names.iter().filter(|name| !named(name)).collect();
    assert!(missing.is_empty(), "render-profiles/README.md does not name {missing:?}");
}

#[test]
fn source_files_are_short_or_say_why_not() {
    let long: Vec<String> = rust_files()
        .iter()
        .filter_map(|file| {
            let text = read(file);
            let lines = text.lines().count();
            let head: Vec<&str> = text.lines().take_while(|l| l.starts_with("//!")).collect();
            let excused = head.join(" ").contains("400 lines");
            (lines > 400 && !excused).then(|| format!("{}: {lines} lines", file.display()))
        })
        .collect();
    assert!(long.is_empty(), "split them, or say in the //! why they have over 400 lines: {long:#?}");
}

#[test]
fn every_file_of_tests_is_listed() {
    let text = read("docs/testing.md");
    let helps = |path: &str| path.contains("/support/") || path.ends_with("/main.rs");
    let tests = rust_files().into_iter().map(|file| file.to_string_lossy().into_owned());
    // Judges that several tests of a folder share are not tests.
    let parts = ["tests/print/tools.rs", "tests/print/delta_e.rs"];
    let unlisted: Vec<String> = tests
        .filter(|path| path.starts_with("tests/") && !helps(path) && !parts.contains(&path.as_str()))
        .filter(|path| !text.contains(&format!("`{path}`")))
        .collect();
    assert!(unlisted.is_empty(), "docs/testing.md does not list {unlisted:?}");
}

#[test]
fn every_source_file_says_what_it_is_for() {
    let silent: Vec<_> = rust_files().into_iter().filter(|f| !read(f).starts_with("//!")).collect();
    assert!(silent.is_empty(), "{silent:?}");
}

fn core_forbids() -> regex::Regex {
    let edge = "crate::(edge|worker|telemetry|cli|app|config)";
    let io = r"std::(env|net)|std::\{[^;{]*\b(env|net)|tokio|SystemTime|Instant|ThreadId|thread::current";
    regex::Regex::new(&format!(r"\b({io}|{edge})\b")).unwrap()
}

#[test]
fn the_core_rule_sees_what_it_forbids() {
    let forbidden = core_forbids();
    for code in [
        "use std::env;",
        "let x = std::env::var(1);",
        "use std::{\n    fmt,\n    net::TcpStream,\n};",
        "use std::time::SystemTime;",
        "use tokio::fs;",
        "use crate::edge::store;",
        "std::thread::current().id()",
    ] {
        assert!(forbidden.is_match(code), "{code}");
    }
    for code in [
        "use std::fmt;",
        "env!(1)",
        "compose::env::Env",
        "use std::sync::Arc; mod net;",
        "crate::application",
    ] {
        assert!(!forbidden.is_match(code), "{code}");
    }
}

/// The core takes time, ids and seeds as inputs and does no IO of its own.
#[test]
fn the_core_has_no_clock_network_environment_or_edge() {
    const EDGE: &[&str] = &["main.rs", "cli.rs", "app.rs", "check.rs", "config.rs"];
    const EDGE_FOLDERS: &[&str] = &["cli", "app", "config", "edge", "worker", "telemetry"];
    let forbidden = core_forbids();
    let mut faults = Vec::new();
    for file in rust_files() {
        let Ok(path) = file.strip_prefix("src") else { continue };
        let first = path.components().next().map(|c| c.as_os_str().to_string_lossy().into_owned());
        let first = first.unwrap_or_default();
        if EDGE.contains(&first.as_str()) || EDGE_FOLDERS.contains(&first.as_str()) {
            continue;
        }
        let code = code_of(&read(&file));
        for found in forbidden.find_iter(&code) {
            let line = code[..found.start()].lines().count().max(1);
            faults.push(format!("{}:{line}: {}", file.display(), found.as_str().trim()));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Files stand on their own: no paths of somebody's machine, nothing put off.
#[test]
fn files_stand_on_their_own() {
    let forbidden = regex::Regex::new(
        r"(^|[^.\w/])/(work|home|root)/\w|\b(TO[D]O|FIX[M]E|XX[X])\b|\b[Ii]ssues? #?[0-9]+\b",
    )
    .unwrap();
    let text_files = ["rs", "md", "toml", "json", "sh", "yml", "yaml", "svg"];
    let mut faults = Vec::new();
    for file in project_files() {
        let extension = file.extension().map(|e| e.to_string_lossy().into_owned());
        if !extension.is_none_or(|e| text_files.contains(&e.as_str())) {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(root().join(&file)) else { continue };
        for (number, line) in text.lines().enumerate().filter(|(_, line)| forbidden.is_match(line)) {
            faults.push(format!("{}:{}: {}", file.display(), number + 1, line.trim()));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_script_runs_by_itself() {
    use std::os::unix::fs::PermissionsExt;
    for script in [
        "scripts/test",
        "scripts/soak",
        "scripts/contact-sheet",
        "scripts/fleet-tools",
        "scripts/rabbitmq-4",
        ".ci/run",
    ] {
        let mode = std::fs::metadata(root().join(script)).unwrap().permissions().mode();
        assert!(mode & 0o111 != 0, "{script} is not executable");
        assert!(read(script).contains("set -euo pipefail"), "{script} would go on after an error");
    }
}

/// Every key of a schema and of its definitions.
fn keys(schema: &serde_json::Value, out: &mut std::collections::BTreeSet<String>) {
    match schema {
        serde_json::Value::Object(map) => {
            if let Some(properties) = map.get("properties").and_then(|p| p.as_object()) {
                out.extend(properties.keys().cloned());
            }
            map.values().for_each(|inner| keys(inner, out));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|inner| keys(inner, out)),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => {}
    }
}

#[test]
fn every_key_of_the_formats_is_in_its_document() {
    for (formats, document) in [
        (&["template", "product", "design"][..], "docs/templates.md"),
        (&["order", "event"], "docs/orders.md"),
    ] {
        let text = std::fs::read_to_string(document).unwrap();
        let mut known = std::collections::BTreeSet::new();
        for format in formats {
            let schema: serde_json::Value = serde_json::from_str(&presswork(&["schema", format])).unwrap();
            keys(&schema, &mut known);
        }
        assert!(known.len() > 20, "{document}");
        let missing: Vec<_> = known.iter().filter(|key| !text.contains(&format!("`{key}`"))).collect();
        assert!(missing.is_empty(), "{document} does not name {missing:?}");
    }
}

#[test]
fn the_template_of_the_guide_is_a_template() {
    let text = std::fs::read_to_string("docs/templates.md").unwrap();
    let json = text.split("```json").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("mug/1");
    std::fs::create_dir_all(&home).unwrap();
    std::fs::write(home.join("template.json"), json).unwrap();
    let said = presswork(&["check", &home.to_string_lossy()]);
    assert!(said.contains("1 files checked, 0 violations"), "{said}");
}
