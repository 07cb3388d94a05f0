//! `presswork config` as a command: what is in force, everything that is wrong, and no secret.

use std::process::{Command, Output};

fn config(flags: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_presswork"));
    command.arg("config").args(flags).env_clear().envs(variables.iter().copied());
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const WHOLE: [(&str, &str); 5] = [
    ("PRESSWORK_AMQP_URL", "amqps://press:top%20secret@broker/%2f?password=hidden"),
    ("PRESSWORK_STORE", "s3://press/out"),
    ("PRESSWORK_ASSETS", "dir:/assets"),
    ("PRESSWORK_CATALOG", "/catalog"),
    ("PRESSWORK_MEMORY_BUDGET", "3000000000"),
];

#[test]
fn settings_in_force_are_shown_and_secrets_are_not() {
    let folder = tempfile::TempDir::new().unwrap();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-subj", "/CN=client", "-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder.path())
        .output()
        .unwrap_or_else(|_| panic!("openssl is missing: apt-get install -y openssl"));
    assert!(made.status.success());
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let secret = std::fs::read_to_string(&key).unwrap();
    let mut variables = WHOLE.to_vec();
    variables.push(("PRESSWORK_AMQP_KEY_FILE", key.to_str().unwrap()));
    variables.push(("PRESSWORK_MAX_FRAMES", "2"));
    let flags = [
        "--amqp-cert-file",
        certificate.to_str().unwrap(),
        "--memory-budget",
        "4000000000",
        "--log-format",
        "text",
    ];
    let output = config(&flags, &variables);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for line in [
        "PRESSWORK_AMQP_URL = amqps://***@broker/%2f",
        "PRESSWORK_AMQP_CERT = ***",
        "PRESSWORK_AMQP_KEY = ***",
        "PRESSWORK_STORE = s3://press/out",
        "PRESSWORK_MEMORY_BUDGET = 4000000000",
        "PRESSWORK_MAX_FRAMES = 2",
        "PRESSWORK_LOG_FORMAT = text",
        "PRESSWORK_MAX_ATTEMPTS = 8",
    ] {
        assert!(said.lines().any(|said| said == line), "{line} is missing in {said}");
    }
    for word in ["top%20secret", "hidden", secret.lines().nth(1).unwrap()] {
        assert!(!said.contains(word), "{word} is shown in {said}");
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let variables = [
        ("PRESSWORK_AMQP_URL", "http://press:secret@broker"),
        ("PRESSWORK_STORE", "nowhere"),
        ("PRESSWORK_LOG_FORMAT", "yaml"),
        ("PRESSWORK_MEMORY_BUDGT", "1"),
        ("PRESSWORK_FONTS_FILE", "/no/such/file"),
        ("PRESSWORK_BIND", "broker:notaport"),
        ("PRESSWORK_CLASSES", "rush=1,rush=2"),
        ("PRESSWORK_AMQP_QUEUE", "amq.presswork"),
        ("PRESSWORK_ARTIFACT_URL_BASE", "cdn.example.com"),
        ("PRESSWORK_S3_OBJECT_TAGS", "team"),
    ];
    let output = config(&["--max-attempts", "many"], &variables);
    assert_eq!(output.status.code(), Some(64));
    assert_eq!(text(&output.stdout), "");
    let said = text(&output.stderr);
    for name in [
        "PRESSWORK_AMQP_URL:",
        "PRESSWORK_STORE:",
        "PRESSWORK_ASSETS:",
        "PRESSWORK_CATALOG:",
        "PRESSWORK_LOG_FORMAT: auto, json or text",
        "PRESSWORK_MEMORY_BUDGT: there is no such setting",
        "PRESSWORK_FONTS_FILE:",
        "--max-attempts:",
        "PRESSWORK_BIND:",
        "PRESSWORK_CLASSES: a class is named twice",
        "PRESSWORK_AMQP_QUEUE: 1 to 100 letters",
        "PRESSWORK_ARTIFACT_URL_BASE:",
        "PRESSWORK_S3_OBJECT_TAGS:",
    ] {
        assert!(said.lines().any(|line| line.starts_with(name)), "{name} is missing in {said}");
    }
    assert!(!said.contains("secret"), "{said}");
}

/// A password that is not percent-encoded is told apart from no host: such a URL is refused, unseen.
#[test]
fn a_password_that_breaks_its_url_is_not_shown() {
    for url in [
        "amqp://press:se?cret@broker",
        "amqp://press:12/cret@broker",
        "amqp://press:se#cret@broker",
        "amqp://",
    ] {
        let mut variables = WHOLE.to_vec();
        variables[0].1 = url;
        let output = config(&[], &variables);
        assert_eq!(output.status.code(), Some(64), "{url}");
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(said.starts_with("PRESSWORK_AMQP_URL:") && !said.contains("cret"), "{said}");
    }
}

/// A command line is no place for a secret; one that is misspelt is wrong usage.
#[test]
fn secrets_have_no_flags() {
    for flag in ["--amqp-url", "--amqp-key", "--amqp-key-file"] {
        let output = config(&[flag, "amqp://press:secret@broker"], &WHOLE);
        assert_eq!(output.status.code(), Some(2), "{flag}");
        assert!(!text(&output.stderr).contains("press:secret"));
    }
}

/// A worker would not start with it.
#[test]
fn what_traces_cannot_do_is_said_with_the_settings() {
    let more =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")];
    let output = config(&[], &[&WHOLE[..], &more].concat());
    assert_eq!(output.status.code(), Some(64));
    assert!(text(&output.stderr).contains("OTEL_EXPORTER_OTLP_PROTOCOL"), "{}", text(&output.stderr));
}

/// A rate or a count that means nothing is wrong usage, and no order is sent.
#[test]
fn rates_and_counts_are_judged() {
    for [flag, value] in [["--rate", "0"], ["--rate", "NaN"], ["--rate", "1e-20"], ["--count", "0"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_presswork"))
            .args(["enqueue", flag, value, "no-such-file.json"])
            .env_clear()
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{flag} {value}");
        assert!(text(&output.stderr).contains(flag), "{}", text(&output.stderr));
    }
}

/// What holds for every command is judged by every command.
#[test]
fn commands_without_a_fleet_refuse_what_is_wrong_too() {
    for (name, value) in [("PRESSWORK_LOG_FORMAT", "yaml"), ("PRESSWORK_CPU_THREADS", "0")] {
        let output = Command::new(env!("CARGO_BIN_EXE_presswork"))
            .args(["check", "no-such-file.json"])
            .env_clear()
            .env(name, value)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(64), "{name}");
        assert!(text(&output.stderr).starts_with(name), "{}", text(&output.stderr));
    }
}
