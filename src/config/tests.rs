//! How settings are read, from variables, files and flags.

use super::*;

const MACHINE: Machine = Machine { threads: 2, memory: 4 << 30 };

fn read(pairs: &[(&str, &str)]) -> Result<Config, Wrong> {
    Config::read(pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())), MACHINE, Use::Operator)
}

#[test]
fn defaults_and_values() {
    let config = read(&[
        ("PRESSWORK_AMQP_URL", "amqps://u:p%40x@host/%2f"),
        ("PRESSWORK_STORE", "s3://bucket/a/b/"),
        ("PRESSWORK_ASSETS", "dir:/assets"),
        ("PRESSWORK_CLASSES", "rush=4, standard"),
        ("AWS_REGION", "anything"),
    ])
    .unwrap();
    assert_eq!(config.store, Some(StoreAt::S3 { bucket: "bucket".into(), prefix: "a/b".into() }));
    assert_eq!(config.assets, Some(StoreAt::Dir("/assets".into())));
    assert_eq!(config.classes.iter().map(|c| c.weight).collect::<Vec<_>>(), [4, 1]);
    assert_eq!((config.threads, config.memory_budget), (2, 3 << 30));
    let shown = config.shown();
    assert!(shown.contains("PRESSWORK_AMQP_URL = amqps://***@host/%2f"), "{shown}");
    assert!(!shown.contains("p%40x"));
    let names: Vec<_> = shown.lines().filter_map(|line| line.split(" = ").next()).collect();
    for Setting { name, .. } in SETTINGS {
        assert!(names.contains(&format!("PRESSWORK_{name}").as_str()), "{name} is not shown");
    }
    assert_eq!(names.len(), SETTINGS.len());
}

#[test]
fn everything_wrong_is_said_at_once() {
    let wrong = read(&[
        ("PRESSWORK_AMQP_URL", "http://x"),
        ("PRESSWORK_STORE", "bucket"),
        ("PRESSWORK_CPU_THREDS", "4"),
        ("PRESSWORK_MAX_ATTEMPTS", "0"),
        ("PRESSWORK_CLASSES", "Rush=1"),
        ("PRESSWORK_AMQP_KEY", "k"),
        ("PRESSWORK_AMQP_CA", "no certificate"),
        ("PRESSWORK_MAX_SRC_SIDE", "wide"),
        ("PRESSWORK_LOG_FORMAT", "yaml"),
        ("--max-frames", "none"),
        ("PRESSWORK_ASSET_HTTPS_ALLOW", "cdn.example.com,10.0.0.1"),
        ("PRESSWORK_BIND", "host:notaport"),
        ("PRESSWORK_ARTIFACT_URL_BASE", "s3://bucket"),
        ("PRESSWORK_S3_OBJECT_TAGS", "team"),
        ("PRESSWORK_S3_ALLOWED_BUCKETS", "shop,s3://other/"),
        ("PRESSWORK_ASSETS", "s3://no bucket/x"),
    ])
    .unwrap_err();
    assert_eq!(wrong.0.len(), 17, "{wrong}");
    for name in [
        "CPU_THREDS",
        "AMQP_URL",
        "STORE",
        "MAX_ATTEMPTS",
        "CLASSES",
        "AMQP_KEY",
        "AMQP_CA",
        "MAX_SRC_SIDE",
        "ASSET_HTTPS_ALLOW",
        "LOG_FORMAT",
        "--max-frames",
        "BIND",
        "ARTIFACT_URL_BASE",
        "S3_OBJECT_TAGS",
    ] {
        assert!(wrong.to_string().contains(name), "{name} is missing in {wrong}");
    }
}

#[test]
fn secrets_come_from_files_and_other_names() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "amqp://a:b@c\n").unwrap();
    let path = file.path().to_str().unwrap();
    let config = read(&[("PRESSWORK_AMQP_URL_FILE", path)]).unwrap();
    assert_eq!(config.queue, QueueAt::Amqp("amqp://a:b@c".into()));
    assert!(read(&[("PRESSWORK_AMQP_URL_FILE", path), ("PRESSWORK_AMQP_URL", "amqp://x")]).is_err());
    assert!(read(&[("PRESSWORK_AMQP_URL_FILE", "/no/such/file")]).is_err());
    assert_eq!(
        read(&[("CLOUDAMQP_URL", "amqp://cloud")]).unwrap().queue,
        QueueAt::Amqp("amqp://cloud".into())
    );
    assert!(read(&[]).is_err());
}

#[test]
fn a_class_is_named_once() {
    let classes = |text: &str| read(&[("PRESSWORK_AMQP_URL", "amqp://host"), ("PRESSWORK_CLASSES", text)]);
    assert_eq!(classes("rush=4,standard=1").unwrap().classes.len(), 2);
    let wrong = classes("rush=4,standard=1,rush=2").unwrap_err();
    assert_eq!(wrong.0, ["PRESSWORK_CLASSES: a class is named twice"]);
}

#[test]
fn a_port_alone_is_on_every_interface() {
    let bound = |more: &[(&str, &str)]| worker(more).unwrap().bind;
    assert_eq!(bound(&[]), "0.0.0.0:9090");
    assert_eq!(bound(&[("PRESSWORK_BIND", ":8080")]), "0.0.0.0:8080");
    assert_eq!(bound(&[("--bind", "[::]:8080")]), "[::]:8080");
}

fn worker(more: &[(&str, &str)]) -> Result<Config, Wrong> {
    let usual = [
        ("PRESSWORK_AMQP_URL", "amqp://host"),
        ("PRESSWORK_STORE", "dir:/out"),
        ("PRESSWORK_ASSETS", "dir:/assets"),
        ("PRESSWORK_CATALOG", "/catalog"),
    ];
    let pairs = usual.iter().chain(more).map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
    Config::read(pairs, MACHINE, Use::Worker)
}

#[test]
fn a_worker_has_to_fit_its_machine_and_its_broker() {
    let config = worker(&[]).unwrap();
    assert_eq!(config.prefetch, 3);
    assert_eq!(config.input_budget() + config.cache + config.render_budget(), config.memory_budget);
    let wrong = |more: &[(&str, &str)]| worker(more).unwrap_err().to_string();
    assert!(wrong(&[("PRESSWORK_MEMORY_BUDGET", "1000000000")]).contains("MEMORY_BUDGET"));
    // Smaller pictures fit.
    let smaller = [
        ("PRESSWORK_MEMORY_BUDGET", "1000000000"),
        ("PRESSWORK_MAX_SRC_PIXELS", "50000000"),
        ("PRESSWORK_MAX_SRC_BYTES", "20000000"),
    ];
    assert_eq!(worker(&smaller).unwrap().limits.src_pixels, 50_000_000);
    assert!(wrong(&[("PRESSWORK_MAX_JOB_SECONDS", "900")]).contains("CONSUMER_TIMEOUT"));
    assert!(wrong(&[("PRESSWORK_AMQP_PREFETCH", "100")]).contains("CONSUMER_TIMEOUT"));
    let missing = read(&[("PRESSWORK_AMQP_URL", "amqp://host")]);
    assert!(missing.is_ok(), "an operator's command needs no store");
}

#[test]
fn limits_are_read_alone_for_commands_without_a_fleet() {
    let pairs = |name: &str| [(name.to_owned(), "7".to_owned()), ("PRESSWORK_OTHER".into(), "x".into())];
    assert_eq!(local(pairs("PRESSWORK_MAX_SVG_NODES")).unwrap().limits.svg_nodes, 7);
    assert_eq!(local(pairs("PRESSWORK_CPU_THREADS")).unwrap().threads, Some(7));
    assert_eq!(local(pairs("PRESSWORK_STORE")).unwrap().threads, None);
    assert!(local(pairs("PRESSWORK_MAX_SVG_NODE")).is_err());
    assert!(local(pairs("PRESSWORK_LOG_FORMAT")).is_err());
}

#[test]
fn the_logs_format_is_a_setting_like_the_others() {
    let format = |name: &str, value: &str| read(&[("PRESSWORK_AMQP_URL", "amqp://host"), (name, value)]);
    assert_eq!(format("PRESSWORK_LOG_FORMAT", "auto").unwrap().log_format, None);
    let text = format("PRESSWORK_LOG_FORMAT", "text").unwrap();
    assert_eq!(text.log_format, Some(LogFormat::Text));
    assert!(text.shown().contains("PRESSWORK_LOG_FORMAT = text"), "{}", text.shown());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "json\n").unwrap();
    let path = file.path().to_str().unwrap();
    assert_eq!(format("PRESSWORK_LOG_FORMAT_FILE", path).unwrap().log_format, Some(LogFormat::Json));
    // The log begins before the settings are judged, from the same places.
    let early = |name: &str, value: &str| log_format([(name.to_owned(), value.to_owned())]);
    assert_eq!(early("PRESSWORK_LOG_FORMAT_FILE", path), Some(LogFormat::Json));
    assert_eq!(early("--log-format", "text"), Some(LogFormat::Text));
    assert_eq!(early("PRESSWORK_LOG_FORMAT", "yaml"), None);
}

#[test]
fn a_flag_wins_over_the_environment() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "5").unwrap();
    let config = worker(&[
        ("--max-attempts", "3"),
        ("PRESSWORK_MAX_ATTEMPTS_FILE", file.path().to_str().unwrap()),
        ("PRESSWORK_DRAIN_TIMEOUT", "60"),
        ("--drain-timeout", "90"),
        ("PRESSWORK_BIND", "127.0.0.1:1"),
        ("--queue", "dir:/spool"),
    ])
    .unwrap();
    assert_eq!((config.max_attempts, config.drain), (3, Duration::from_secs(90)));
    assert_eq!(config.bind, "127.0.0.1:1");
    assert_eq!(config.queue, QueueAt::Dir("/spool".into()));
    // What is wrong is named as it was given.
    let wrong = worker(&[("--max-attempts", "0"), ("PRESSWORK_MAX_ATTEMPTS", "1")]).unwrap_err();
    assert_eq!(wrong.0, ["--max-attempts: a whole number from 1 to 100"]);
    assert!(worker(&[("--amqp-ca-file", "/no/such/file")]).unwrap_err().0[0].starts_with("--amqp-ca-file"));
    // A secret cannot be given so.
    assert!(worker(&[("--amqp-url", "amqp://u:p@h")]).is_err());
}

#[test]
fn every_setting_but_a_secret_has_a_flag() {
    let without: Vec<_> = SETTINGS.iter().filter(|s| s.flag().is_none()).map(|s| s.name).collect();
    assert_eq!(without, ["AMQP_URL", "AMQP_KEY"]);
    for (setting, flag) in FLAGS.iter() {
        let name = flag.trim_start_matches("--").to_ascii_uppercase().replace('-', "_");
        assert_eq!(name.trim_end_matches("_FILE"), setting.name);
    }
}
