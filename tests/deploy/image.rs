//! The image: a worker, and what its build is given.

use crate::{text, yaml};
use serde_json::Value;
use std::collections::BTreeSet;

/// A Dockerfile's instructions with what they are given, lines that go on joined.
fn instructions(path: &str) -> Vec<(String, String)> {
    let text = text(path);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let joined = lines.join("\n").replace("\\\n", " ");
    let whole = joined.lines().filter(|line| !line.trim().is_empty());
    whole
        .map(|line| {
            let (word, rest) = line.split_once(' ').unwrap_or_else(|| panic!("{line}"));
            (word.to_owned(), rest.split_whitespace().collect::<Vec<_>>().join(" "))
        })
        .collect()
}

#[test]
fn the_image_is_a_worker_that_knows_its_revision() {
    let file = instructions("deploy/Dockerfile");
    let known = [
        "FROM",
        "WORKDIR",
        "COPY",
        "ARG",
        "RUN",
        "LABEL",
        "USER",
        "ENTRYPOINT",
        "CMD",
        "EXPOSE",
        "HEALTHCHECK",
    ];
    for (word, _) in &file {
        assert!(known.contains(&word.as_str()), "{word}");
    }
    let at = |word: &str, rest: &str| {
        let found = file.iter().position(|(w, r)| w == word && r.starts_with(rest));
        found.unwrap_or_else(|| panic!("no {word} {rest}"))
    };
    let stages: Vec<usize> =
        file.iter().enumerate().filter(|(_, (word, _))| word == "FROM").map(|(i, _)| i).collect();
    assert_eq!(stages.len(), 2);
    // The compiler reads the revision from its environment, where a stage's argument is from its line on.
    let build = file.iter().position(|(word, rest)| word == "RUN" && rest.contains("cargo build")).unwrap();
    let revision = at("ARG", "PRESSWORK_REVISION");
    assert!(revision < build && build < stages[1]);
    assert!(file[build].1.contains("${PRESSWORK_REVISION:?"), "a build without one has to fail");
    assert!(file[build].1.contains("--locked") && file[build].1.contains("--release"));
    let manifest = text("Cargo.toml");
    let minimum = manifest.split("rust-version = \"").nth(1).unwrap().split('"').next().unwrap();
    assert!(file[0].1.starts_with(&format!("rust:{minimum}-")), "{}", file[0].1);
    // What runs is not root, and a worker unless told.
    let user = &file[at("USER", "")].1;
    assert!(user.split(':').all(|id| id.parse::<u32>().unwrap() > 0), "{user}");
    assert!(at("USER", "") > stages[1]);
    assert_eq!(file[at("ENTRYPOINT", "")].1, "[\"presswork\"]");
    assert_eq!(file[at("CMD", "")].1, "[\"worker\"]");
    // As a variable of the running container it would be a setting that does not exist.
    assert!(file.iter().all(|(word, _)| word != "ENV"));
    let code = text("src/cli/worker.rs");
    assert!(code.contains("option_env!(\"PRESSWORK_REVISION\")"));
}

#[test]
fn the_image_checks_itself_as_compose_does() {
    let file = instructions("deploy/Dockerfile");
    let (_, check) = file.iter().find(|(word, _)| word == "HEALTHCHECK").expect("no HEALTHCHECK");
    let (_, command) = check.split_once("CMD ").unwrap();
    let command: Vec<Value> = serde_json::from_str(command).unwrap();
    let compose = &yaml("deploy/compose.yaml")[0];
    let test = compose["services"]["worker"]["healthcheck"]["test"].as_array().unwrap();
    assert_eq!(command, test[1..]);
}

#[test]
fn the_images_build_gets_sources_alone() {
    let lines = |path: &str| -> BTreeSet<String> {
        let text = text(path);
        let lines = text.lines().map(|line| line.trim().trim_start_matches('/').to_owned());
        lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
    };
    let ignored = lines(".dockerignore");
    for wanted in
        lines(".gitignore").iter().map(String::as_str).chain([".git", "target", "out", "node_modules"])
    {
        assert!(ignored.contains(wanted), "{wanted} would be sent to the builder");
    }
    // What the program is built from.
    for needed in ["src", "Cargo.toml", "Cargo.lock", "render-profiles"] {
        assert!(!ignored.contains(needed), "{needed}");
    }
}
