//! A broker that speaks TLS only to those whose certificate it knows, and workers that know it.

use crate::support::fleet::Worker;
use crate::support::ports::free_port;
use crate::support::rabbitmq::Rabbit;
use crate::support::wait::{http_ok, until};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output();
    let output = output.unwrap_or_else(|_| panic!("openssl is missing: apt-get install -y openssl"));
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// An authority: `NAME.pem` and `NAME.key`.
fn authority(folder: &Path, name: &str) {
    let (key, pem, subject) = (format!("{name}.key"), format!("{name}.pem"), format!("/CN={name}"));
    openssl(
        folder,
        &[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-keyout",
            &key,
            "-out",
            &pem,
            "-subj",
            &subject,
            "-addext",
            "keyUsage=critical,keyCertSign",
        ],
    );
}

/// A certificate that an authority signed.
fn certificate(folder: &Path, name: &str, by: &str) {
    let file = |extension: &str| format!("{name}.{extension}");
    let (key, request, pem, extensions) = (file("key"), file("csr"), file("pem"), file("ext"));
    let subject = format!("/CN={name}");
    openssl(
        folder,
        &["req", "-newkey", "rsa:2048", "-nodes", "-keyout", &key, "-out", &request, "-subj", &subject],
    );
    std::fs::write(folder.join(&extensions), "subjectAltName=IP:127.0.0.1,DNS:localhost\n").unwrap();
    let (ca, ca_key) = (format!("{by}.pem"), format!("{by}.key"));
    openssl(
        folder,
        &[
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            &ca,
            "-CAkey",
            &ca_key,
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            &extensions,
            "-out",
            &pem,
        ],
    );
}

struct Scene {
    folder: TempDir,
    _rabbit: Rabbit,
    port: u16,
}

impl Scene {
    /// A broker with a listener that verifies its clients.
    fn start() -> Scene {
        let folder = TempDir::new().unwrap();
        authority(folder.path(), "ca");
        authority(folder.path(), "stranger");
        certificate(folder.path(), "server", "ca");
        certificate(folder.path(), "client", "ca");
        certificate(folder.path(), "impostor", "stranger");
        let port = free_port();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let rabbit = Rabbit::start_with(&format!(
            "listeners.ssl.1 = 127.0.0.1:{port}\nssl_options.cacertfile = {}\nssl_options.certfile = {}\n\
             ssl_options.keyfile = {}\nssl_options.verify = verify_peer\n\
             ssl_options.fail_if_no_peer_cert = true\n",
            at("ca.pem"),
            at("server.pem"),
            at("server.key")
        ));
        Scene { folder, _rabbit: rabbit, port }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program, trusting one authority and with one certificate.
    fn command(&self, authority: &str, certificate: Option<&str>) -> Command {
        let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        let mut command = Command::new(env!("CARGO_BIN_EXE_presswork"));
        command
            .env_clear()
            .env("TMPDIR", self.folder.path())
            .env("PRESSWORK_AMQP_URL", format!("amqps://guest:guest@127.0.0.1:{}/%2f", self.port))
            .env("PRESSWORK_AMQP_CA_FILE", self.at(authority))
            .env("PRESSWORK_STORE", format!("dir:{}", self.at("out").display()))
            .env("PRESSWORK_ASSETS", format!("dir:{}", fixtures.join("assets").display()))
            .env("PRESSWORK_CATALOG", fixtures.join("catalog"))
            .env("PRESSWORK_CPU_THREADS", "1")
            .env("PRESSWORK_MEMORY_BUDGET", "3000000000")
            .env("PRESSWORK_LOG_FORMAT", "json");
        if let Some(name) = certificate {
            command
                .env("PRESSWORK_AMQP_CERT_FILE", self.at(&format!("{name}.pem")))
                .env("PRESSWORK_AMQP_KEY_FILE", self.at(&format!("{name}.key")));
        }
        command
    }

    /// A worker that cannot get in says why, and does not claim to be ready.
    fn refused(&self, authority: &str, certificate: Option<&str>, why: &[&str]) {
        let mut worker = Worker::launch(self.command(authority, certificate), self.folder.path());
        until("the reason in the log", || {
            assert!(worker.child.try_wait().unwrap().is_none(), "it ended:\n{}", worker.log());
            why.iter().any(|why| worker.log().contains(why))
        });
        assert!(!http_ok(worker.port, "/readyz", None));
        assert!(http_ok(worker.port, "/livez", None), "restarting would not mend it");
        assert!(!worker.log().contains("guest:guest"), "credentials are in the log");
    }
}

#[test]
fn a_broker_and_its_workers_know_each_other_by_certificates() {
    let scene = Scene::start();
    let order = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/orders/mug-name-customized.json");
    let enqueued = scene.command("ca.pem", Some("client")).arg("enqueue").arg(order).output().unwrap();
    assert!(enqueued.status.success(), "{}", String::from_utf8_lossy(&enqueued.stderr));
    let worker = Worker::launch(scene.command("ca.pem", Some("client")), scene.folder.path());
    until("the result", || scene.at("out/mug-name-customized/1/result.json").exists());
    // Readiness looks at the connection once a second; an order can be done before that.
    until("readiness", || http_ok(worker.port, "/readyz", None));
    drop(worker);

    // A broker whose authority is not trusted, and workers whom the broker does not know.
    scene.refused("stranger.pem", Some("client"), &["UnknownIssuer"]);
    scene.refused("ca.pem", None, &["CertificateRequired", "HandshakeFailure"]);
    scene.refused("ca.pem", Some("impostor"), &["UnknownCA", "BadCertificate"]);
}
