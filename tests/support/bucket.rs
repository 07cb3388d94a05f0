//! S3 stores for tests: one in this process, and SeaweedFS as the independent one.

use crate::wait::{free_port, http_ok, until};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use hyper_util::rt::{TokioExecutor, TokioIo};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

pub(crate) const ACCESS_KEY: &str = "presswork";
pub(crate) const SECRET_KEY: &str = "test-secret";
pub(crate) const BUCKET: &str = "press";

/// A client of the store at a port.
pub(crate) fn client(port: u16, secret: &str) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(Credentials::new(ACCESS_KEY, secret, None, None, "test"))
        .region(Region::new("us-east-1"))
        .endpoint_url(format!("http://127.0.0.1:{port}"))
        .timeout_config(presswork::edge::store::s3::timeouts())
        .force_path_style(true)
        .build();
    Client::from_conf(config)
}

/// An S3 service in this process, over a folder.
pub(crate) struct InProcess {
    pub(crate) port: u16,
    _folder: TempDir,
    task: tokio::task::JoinHandle<()>,
}

impl InProcess {
    pub(crate) async fn start() -> InProcess {
        let folder = TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = builder.build();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    // A client that hangs up is no failure of the server's.
                    drop(server.serve_connection(TokioIo::new(stream), service).await);
                });
            }
        });
        InProcess { port, _folder: folder, task }
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A SeaweedFS server of its own.
pub(crate) struct Weed {
    pub(crate) port: u16,
    folder: TempDir,
    child: Child,
}

impl Weed {
    /// Starts a server with one empty bucket. Blocks until it is ready.
    pub(crate) fn start() -> Weed {
        let folder = TempDir::new().unwrap();
        let identity = serde_json::json!({ "identities": [{
            "name": "presswork",
            "credentials": [{ "accessKey": ACCESS_KEY, "secretKey": SECRET_KEY }],
            "actions": ["Admin", "Read", "List", "Tagging", "Write"],
        }]});
        std::fs::write(folder.path().join("s3.json"), identity.to_string()).unwrap();
        let port = free_port();
        // Each of its services also listens on its port plus 10,000.
        let base = loop {
            let base = free_port();
            if (20_000..50_000).contains(&base) {
                break base;
            }
        };
        let child = Command::new(program())
            .arg("server")
            .args(["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-volume.max=50", "-master.volumeSizeLimitMB=64"])
            .arg(format!("-dir={}", folder.path().display()))
            .args(["-filer", "-s3", &format!("-s3.port={port}"), &format!("-s3.port.grpc={}", free_port())])
            .arg(format!("-master.port={base}"))
            .arg(format!("-master.port.grpc={}", free_port()))
            .arg(format!("-volume.port={}", base + 1))
            .arg(format!("-volume.port.grpc={}", free_port()))
            .arg(format!("-filer.port={}", base + 2))
            .arg(format!("-filer.port.grpc={}", free_port()))
            .arg(format!("-s3.config={}", folder.path().join("s3.json").display()))
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut weed = Weed { port, folder, child };
        until("SeaweedFS", || {
            assert!(weed.child.try_wait().unwrap().is_none(), "SeaweedFS ended:\n{}", weed.log());
            http_ok(port, "/healthz", None)
        });
        weed
    }

    /// Makes the bucket; the first moments after the start may refuse it.
    pub(crate) async fn with_bucket(self) -> Weed {
        for _ in 0..100 {
            if client(self.port, SECRET_KEY).create_bucket().bucket(BUCKET).send().await.is_ok() {
                return self;
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        panic!("SeaweedFS makes no bucket:\n{}", self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Weed {
    fn drop(&mut self) {
        // It has nothing to save: its folder goes too.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The program, where `scripts/fleet-tools` puts it.
fn program() -> PathBuf {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".tools/bin/weed");
    assert!(path.exists(), "weed is missing: run scripts/fleet-tools");
    path
}
