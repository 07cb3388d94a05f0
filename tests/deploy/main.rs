//! What `deploy/` holds is checked by the tools that will read it, and names only settings that exist.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod compose;
mod image;
mod kubernetes;

use presswork::config::SETTINGS;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

pub(crate) fn passes(program: &Path, missing: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).current_dir(root()).output();
    let output = output.unwrap_or_else(|_| panic!("{} is missing: {missing}", program.display()));
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
}

pub(crate) fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The documents of a YAML file, read by the parser that comes with `scripts/fleet-tools`.
pub(crate) fn yaml(path: &str) -> Vec<Value> {
    let script = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))";
    let output = Command::new(root().join(".tools/bin/python"))
        .args(["-c", script, path])
        .current_dir(root())
        .output()
        .unwrap_or_else(|_| panic!("python is missing: run scripts/fleet-tools"));
    assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

pub(crate) fn kind<'a>(documents: &'a [Value], kind: &str) -> &'a Value {
    documents.iter().find(|document| document["kind"] == kind).unwrap_or_else(|| panic!("no {kind}"))
}

/// The names of an object's fields, each of which has to be one of `known`.
pub(crate) fn fields<'a>(object: &'a Value, known: &[&str]) -> BTreeSet<&'a str> {
    let fields: BTreeSet<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    let strange: Vec<_> = fields.iter().filter(|field| !known.contains(field)).collect();
    assert!(strange.is_empty(), "{strange:?} in {object:#}");
    fields
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
    let names: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
    // As a key: comments may speak of others.
    let setting = regex::Regex::new(r"(?m)^\s*PRESSWORK_([A-Z0-9_]+):").unwrap();
    let mut found = 0;
    for file in files(&root().join("deploy")) {
        let text = std::fs::read_to_string(&file).unwrap();
        for setting in setting.captures_iter(&text) {
            let name = setting[1].trim_end_matches("_FILE");
            if name == "REVISION" {
                continue; // An argument of the image's build.
            }
            assert!(names.contains(&name), "{}: PRESSWORK_{name} is no setting", file.display());
            found += 1;
        }
    }
    assert!(found > 8, "{found} settings");
}

#[test]
fn the_policy_allows_what_a_worker_does_and_no_more() {
    let policy: Value = serde_json::from_str(&text("deploy/iam-policy.json")).unwrap();
    let compose = &yaml("deploy/compose.yaml")[0];
    let place = |name: &str| {
        let place = compose["services"]["worker"]["environment"][name].as_str().unwrap();
        place.replace("s3://", "arn:aws:s3:::") + "/*"
    };
    let (results, assets) = (place("PRESSWORK_STORE"), place("PRESSWORK_ASSETS"));
    let mut allowed = BTreeSet::new();
    for statement in policy["Statement"].as_array().unwrap() {
        fields(statement, &["Sid", "Effect", "Action", "Resource"]);
        assert_eq!(statement["Effect"], "Allow");
        let one = || vec![statement["Action"].clone()];
        let actions = statement["Action"].as_array().cloned().unwrap_or_else(one);
        for action in actions {
            allowed.insert((statement["Resource"].as_str().unwrap(), action.as_str().unwrap().to_owned()));
        }
    }
    let wanted = [
        (results.as_str(), "s3:GetObject"),
        (results.as_str(), "s3:PutObject"),
        (results.as_str(), "s3:DeleteObject"),
        (results.as_str(), "s3:AbortMultipartUpload"),
        (assets.as_str(), "s3:GetObject"),
        ("arn:aws:s3:::press", "s3:ListBucket"),
        ("arn:aws:s3:::press", "s3:GetLifecycleConfiguration"),
    ];
    assert_eq!(allowed, wanted.map(|(on, action)| (on, action.to_owned())).into());
    let operations = text("docs/operations.md");
    for (_, action) in wanted {
        assert!(operations.contains(action), "docs/operations.md says nothing of {action}");
    }
}
