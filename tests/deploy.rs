//! What `deploy/` holds is checked by the tools that will read it, and names only settings that exist.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn passes(program: &Path, missing: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).current_dir(root()).output();
    let output = output.unwrap_or_else(|_| panic!("{} is missing: {missing}", program.display()));
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
}

#[test]
fn kubernetes_takes_the_worker() {
    let program = root().join(".tools/bin/kubernetes-validate");
    passes(&program, "scripts/fleet-tools", &["--strict", "deploy/k8s/worker.yaml"]);
}

#[test]
fn prometheus_takes_its_configuration() {
    passes(
        Path::new("promtool"),
        "apt-get install -y prometheus",
        &["check", "config", "deploy/prometheus.yaml"],
    );
}

#[test]
fn every_setting_in_deploy_exists() {
    let list = std::fs::read_to_string(root().join("src/config/reader.rs")).unwrap();
    let names =
        list.split("const NAMES: &[&str] = &[").nth(1).and_then(|rest| rest.split("];").next()).unwrap();
    let names: Vec<&str> = names.split('"').skip(1).step_by(2).collect();
    // As a key: comments may speak of others.
    let setting = regex::Regex::new(r"(?m)^\s*PRESSWORK_([A-Z0-9_]+):").unwrap();
    let mut found = 0;
    for file in files(&root().join("deploy")) {
        let text = std::fs::read_to_string(&file).unwrap();
        for setting in setting.captures_iter(&text) {
            let name = setting[1].trim_end_matches("_FILE");
            assert!(names.contains(&name), "{}: PRESSWORK_{name} is no setting", file.display());
            found += 1;
        }
    }
    assert!(found > 8, "{found} settings");
}
