//! What `deploy/` holds is checked by the tools that will read it, and names only settings that exist.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use presswork::config::SETTINGS;
use presswork::edge::queue::topology::Names;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpListener;
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

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The documents of a YAML file, read by the parser that comes with `scripts/fleet-tools`.
fn yaml(path: &str) -> Vec<Value> {
    let script = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))";
    let output = Command::new(root().join(".tools/bin/python"))
        .args(["-c", script, path])
        .current_dir(root())
        .output()
        .unwrap_or_else(|_| panic!("python is missing: run scripts/fleet-tools"));
    assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn kind<'a>(documents: &'a [Value], kind: &str) -> &'a Value {
    documents.iter().find(|document| document["kind"] == kind).unwrap_or_else(|| panic!("no {kind}"))
}

/// The names of an object's fields, each of which has to be one of `known`.
fn fields<'a>(object: &'a Value, known: &[&str]) -> BTreeSet<&'a str> {
    let fields: BTreeSet<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    let strange: Vec<_> = fields.iter().filter(|field| !known.contains(field)).collect();
    assert!(strange.is_empty(), "{strange:?} in {object:#}");
    fields
}

#[test]
fn keda_takes_the_scaler() {
    let documents = yaml("deploy/k8s/scaledobject.yaml");
    assert_eq!(documents.len(), 2);
    for document in &documents {
        fields(document, &["apiVersion", "kind", "metadata", "spec"]);
        assert_eq!(document["apiVersion"], "keda.sh/v1alpha1");
    }
    let (scaled, login) = (kind(&documents, "ScaledObject"), kind(&documents, "TriggerAuthentication"));
    let spec = &scaled["spec"];
    let known =
        ["scaleTargetRef", "minReplicaCount", "maxReplicaCount", "pollingInterval", "advanced", "triggers"];
    fields(spec, &known);
    let worker = yaml("deploy/k8s/worker.yaml");
    assert_eq!(spec["scaleTargetRef"]["name"], kind(&worker, "Deployment")["metadata"]["name"]);
    let (least, most) =
        (spec["minReplicaCount"].as_u64().unwrap(), spec["maxReplicaCount"].as_u64().unwrap());
    assert!(least <= most && spec["pollingInterval"].as_u64().unwrap() > 0);
    let behavior = &spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"];
    for policy in behavior["scaleDown"]["policies"].as_array().unwrap() {
        fields(policy, &["type", "value", "periodSeconds"]);
        assert!(["Percent", "Pods"].contains(&policy["type"].as_str().unwrap()));
    }

    // Several triggers would take the largest queue, not the sum.
    let triggers = spec["triggers"].as_array().unwrap();
    assert_eq!(triggers.len(), 1);
    let trigger = &triggers[0];
    fields(trigger, &["type", "metadata", "authenticationRef"]);
    assert_eq!(trigger["type"], "rabbitmq");
    let metadata = &trigger["metadata"];
    // Everything that the scaler reads of a trigger, but what stands in its authentication.
    let known = [
        "queueName",
        "mode",
        "value",
        "activationValue",
        "protocol",
        "vhostName",
        "useRegex",
        "pageSize",
        "operation",
        "timeout",
        "excludeUnacknowledged",
        "unsafeSsl",
    ];
    let given = fields(metadata, &known);
    for field in given {
        assert!(metadata[field].is_string(), "{field}: KEDA takes text alone");
    }
    assert_eq!(
        metadata["protocol"], "http",
        "regular expressions and unsettled messages need the management API"
    );
    assert_eq!((&metadata["useRegex"], &metadata["operation"]), (&"true".into(), &"sum".into()));
    assert_eq!(metadata["mode"], "QueueLength");
    assert!(metadata["value"].as_str().unwrap().parse::<f64>().unwrap() > 0.0);
    let queues = regex::Regex::new(metadata["queueName"].as_str().unwrap()).unwrap();
    let names = Names::new("presswork");
    for wanted in [names.class("standard"), names.class("rush"), names.reaper()] {
        assert!(queues.is_match(&wanted), "{wanted}");
    }
    for other in [names.orders(), names.results(), names.dead(), names.delay(0), "other.reaper".into()] {
        assert!(!queues.is_match(&other), "{other}");
    }

    assert_eq!(trigger["authenticationRef"]["name"], login["metadata"]["name"]);
    fields(&login["spec"], &["secretTargetRef"]);
    let secrets = login["spec"]["secretTargetRef"].as_array().unwrap();
    assert_eq!(secrets.len(), 1);
    fields(&secrets[0], &["parameter", "name", "key"]);
    assert_eq!(secrets[0]["parameter"], "host");
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
    let known = ["FROM", "WORKDIR", "COPY", "ARG", "RUN", "LABEL", "USER", "ENTRYPOINT", "CMD", "EXPOSE"];
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

#[test]
fn compose_is_a_fleet() {
    let compose = &yaml("deploy/compose.yaml")[0];
    fields(compose, &["name", "services", "volumes"]);
    let services = compose["services"].as_object().unwrap();
    for (name, service) in services {
        let known = [
            "image",
            "build",
            "command",
            "entrypoint",
            "environment",
            "ports",
            "volumes",
            "depends_on",
            "restart",
            "healthcheck",
            "read_only",
            "tmpfs",
            "mem_limit",
            "stop_grace_period",
        ];
        fields(service, &known);
        assert!(service.get("image").is_some() != service.get("build").is_some(), "{name}");
        for other in service["depends_on"].as_object().into_iter().flatten() {
            assert!(services.contains_key(other.0), "{name} waits for {}", other.0);
            if other.1["condition"] == "service_healthy" {
                assert!(services[other.0].get("healthcheck").is_some(), "{}", other.0);
            }
        }
        for port in service["ports"].as_array().into_iter().flatten() {
            assert!(port.as_str().unwrap().starts_with("127.0.0.1:"), "{name}: {port}");
        }
        for volume in service["volumes"].as_array().into_iter().flatten() {
            let source = volume.as_str().unwrap().split(':').next().unwrap();
            match source.starts_with('.') {
                true => assert!(root().join("deploy").join(source).exists(), "{name}: {source}"),
                false => assert!(compose["volumes"].get(source).is_some(), "{name}: {source}"),
            }
        }
    }
    let worker = &services["worker"];
    assert!(
        root().join("deploy").join(worker["build"]["context"].as_str().unwrap()).join("Cargo.toml").exists()
    );
    assert_eq!(worker["build"]["dockerfile"], "deploy/Dockerfile");
    let revision = worker["build"]["args"]["PRESSWORK_REVISION"].as_str().unwrap();
    assert!(revision.starts_with("${PRESSWORK_REVISION:-") && !revision.ends_with(":-}"), "{revision}");
    // It gets the time that it needs to end.
    let seconds = |text: &Value| text.as_str().unwrap().trim_end_matches('s').parse::<u32>().unwrap();
    let drain = &worker["environment"]["PRESSWORK_DRAIN_TIMEOUT"];
    assert!(seconds(&worker["stop_grace_period"]) > seconds(drain));
    // What it writes to is where the bucket's rules hold.
    let rules: Value = serde_json::from_str(&text("deploy/lifecycle.json")).unwrap();
    let place = worker["environment"]["PRESSWORK_STORE"].as_str().unwrap();
    for rule in rules["Rules"].as_array().unwrap() {
        assert_eq!(format!("s3://press/{}", rule["Filter"]["Prefix"].as_str().unwrap()), format!("{place}/"));
        assert_eq!(rule["Status"], "Enabled");
    }
    let days = |name: &str, field: &str| -> Vec<u64> {
        let rules = rules["Rules"].as_array().unwrap().iter();
        rules.filter_map(|rule| rule.get(name)?[field].as_u64()).collect()
    };
    assert_eq!(days("Expiration", "Days"), [30]);
    assert_eq!(days("AbortIncompleteMultipartUpload", "DaysAfterInitiation"), [1]);
}

/// The health check's command, for a port.
fn check(port: u16) -> Command {
    let compose = &yaml("deploy/compose.yaml")[0];
    let test = compose["services"]["worker"]["healthcheck"]["test"].as_array().unwrap().clone();
    let words: Vec<String> =
        test.iter().map(|word| word.as_str().unwrap().replace("/9090", &format!("/{port}"))).collect();
    assert_eq!(words[0], "CMD");
    let mut command = Command::new(&words[1]);
    command.args(&words[2..]);
    command
}

#[test]
fn the_health_check_reads_livez() {
    for (status, healthy) in [("200 OK", true), ("503 Service Unavailable", false)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = vec![0; 1000];
            let bytes = stream.read(&mut asked).unwrap();
            let answer = format!("HTTP/1.1 {status}\r\nconnection: close\r\n\r\n 200 in a body\n");
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&asked[..bytes]).into_owned()
        });
        assert_eq!(check(port).output().unwrap().status.success(), healthy, "{status}");
        assert!(server.join().unwrap().starts_with("GET /livez HTTP/1.0\r\n\r\n"));
    }
    // Nobody is there.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert!(!check(port).output().unwrap().status.success());
}

#[test]
fn a_worker_passes_the_health_check() {
    let folder = tempfile::TempDir::new().unwrap();
    let at = |name: &str| format!("dir:{}", folder.path().join(name).display());
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut worker = Command::new(env!("CARGO_BIN_EXE_presswork"))
        .args(["worker", "--queue", &at("spool"), "--store", &at("out"), "--assets", &at("assets")])
        .args(["--catalog", "fixtures/catalog", "--bind", &format!("127.0.0.1:{port}")])
        .args(["--memory-budget", "3000000000", "--cpu-threads", "1"])
        .env_clear()
        .env("TMPDIR", folder.path())
        .current_dir(root())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let passed = (0..600).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        check(port).output().unwrap().status.success()
    });
    drop(worker.kill());
    drop(worker.wait());
    assert!(passed);
}
