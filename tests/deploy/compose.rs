//! The fleet on one machine: its services, their broker, its times and its memory, and the health check.

use crate::{fields, root, text, yaml};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;

#[test]
fn the_broker_keeps_the_workers_time_and_is_watched() {
    let compose = &yaml("deploy/compose.yaml")[0];
    let broker = &compose["services"]["rabbitmq"];
    assert_eq!(broker["hostname"], "rabbitmq", "another container would not find the queues");
    let mounted = |source: &str| {
        let volumes = broker["volumes"].as_array().unwrap();
        volumes
            .iter()
            .any(|volume| volume.as_str().unwrap().starts_with(&format!("./{source}:/etc/rabbitmq/")))
    };
    let conf = text("deploy/rabbitmq/presswork.conf");
    let set = |name: &str| {
        let line = conf.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_prefix('='));
        line.unwrap_or_else(|| panic!("no {name}")).trim().parse::<u64>().unwrap()
    };
    assert!(mounted("rabbitmq/presswork.conf") && mounted("rabbitmq/enabled_plugins"));
    let seconds = |text: &Value| text.as_str().unwrap().parse::<u64>().unwrap();
    let worker = &compose["services"]["worker"]["environment"]["PRESSWORK_CONSUMER_TIMEOUT"];
    assert_eq!(set("consumer_timeout"), 1000 * seconds(worker));
    let plugins = text("deploy/rabbitmq/enabled_plugins");
    assert!(plugins.contains("rabbitmq_prometheus") && plugins.contains("rabbitmq_management"), "{plugins}");
    let prometheus = &yaml("deploy/prometheus.yaml")[0];
    let jobs = prometheus["scrape_configs"].as_array().unwrap();
    let job = jobs.iter().find(|job| job["job_name"] == "rabbitmq").expect("the queues are not scraped");
    let port = set("prometheus.tcp.port");
    assert_eq!(job["static_configs"][0]["targets"][0], format!("rabbitmq:{port}"));
    // Without these families the broker says nothing of single queues.
    assert_eq!(job["metrics_path"], "/metrics/detailed");
    let families = job["params"]["family"].as_array().unwrap();
    assert!(
        families.contains(&"queue_coarse_metrics".into())
            && families.contains(&"queue_consumer_count".into())
    );
}

/// Bytes, as compose writes them.
fn bytes(text: &str) -> u64 {
    let (number, unit) = text.split_at(text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len());
    let shift = match unit {
        "" => 0,
        "m" => 20,
        "g" => 30,
        _ => panic!("{text}"),
    };
    number.parse::<u64>().unwrap() << shift
}

#[test]
fn a_composed_worker_fits_its_memory_and_comes_back() {
    let compose = &yaml("deploy/compose.yaml")[0];
    let worker = &compose["services"]["worker"];
    let budget = bytes(worker["environment"]["PRESSWORK_MEMORY_BUDGET"].as_str().unwrap());
    let scratch = worker["tmpfs"][0].as_str().unwrap().split("size=").nth(1).unwrap();
    // A budget is three quarters of what a process may use; files in a tmpfs come on top.
    assert!(budget + budget / 3 + bytes(scratch) <= bytes(worker["mem_limit"].as_str().unwrap()));
    for service in ["worker", "rabbitmq", "store"] {
        assert_eq!(compose["services"][service]["restart"], "unless-stopped", "{service}");
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
            "hostname",
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
            // The shell writes line by line.
            let mut asked = Vec::new();
            let mut some = [0; 1000];
            while !asked.ends_with(b"\r\n\r\n") {
                match stream.read(&mut some).unwrap() {
                    0 => break,
                    bytes => asked.extend_from_slice(&some[..bytes]),
                }
            }
            let answer = format!("HTTP/1.1 {status}\r\nconnection: close\r\n\r\n 200 in a body\n");
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&asked).into_owned()
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
    // A worker does not begin without the folder that its orders' pictures are in.
    std::fs::create_dir(folder.path().join("assets")).unwrap();
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
