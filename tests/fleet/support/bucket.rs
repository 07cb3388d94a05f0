//! S3 stores for tests: one in this process, and SeaweedFS as the independent one.
use crate::support::ports::{free_port, free_ports};
use crate::support::wait::{http_ok, until};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use futures_util::future::BoxFuture;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
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
    pub(crate) folder: TempDir,
    task: tokio::task::JoinHandle<()>,
}

/// Sees a request before the store does, with the store's folder: may hold it up, or answer it.
pub(crate) type Before =
    dyn Fn(&Request<Incoming>, &std::path::Path) -> BoxFuture<'static, Option<StatusCode>> + Send + Sync;

impl InProcess {
    pub(crate) async fn start() -> InProcess {
        InProcess::start_behind(Arc::new(|_, _| Box::pin(async { None }))).await
    }

    /// A store whose requests pass by somebody first.
    pub(crate) async fn start_behind(before: Arc<Before>) -> InProcess {
        let folder = TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = builder.build();
        // It looks before it writes: conditional writes go through one at a time.
        let one_at_a_time = Arc::new(tokio::sync::Mutex::new(()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let root = folder.path().join(BUCKET);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (service, one_at_a_time) = (service.clone(), one_at_a_time.clone());
                let (before, root) = (before.clone(), root.clone());
                let service = service_fn(move |request: Request<Incoming>| {
                    let (service, one_at_a_time) = (service.clone(), one_at_a_time.clone());
                    let answered = before(&request, &root);
                    async move {
                        if let Some(status) = answered.await {
                            return Ok(Response::builder().status(status).body(s3s::Body::empty()).unwrap());
                        }
                        let conditional = request.headers().contains_key("if-none-match");
                        let _turn = if conditional { Some(one_at_a_time.lock().await) } else { None };
                        service.call(request.map(s3s::Body::from)).await
                    }
                });
                tokio::spawn(async move {
                    let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    // A client that hangs up is no failure of the server's.
                    drop(server.serve_connection(TokioIo::new(stream), service).await);
                });
            }
        });
        InProcess { port, folder, task }
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
    arguments: Vec<String>,
    child: Child,
}

impl Weed {
    /// Starts a server. Blocks until it is ready.
    pub(crate) fn start() -> Weed {
        let folder = TempDir::new().unwrap();
        let identity = serde_json::json!({ "identities": [{
            "name": "presswork",
            "credentials": [{ "accessKey": ACCESS_KEY, "secretKey": SECRET_KEY }],
            "actions": ["Admin", "Read", "List", "Tagging", "Write"],
        }]});
        std::fs::write(folder.path().join("s3.json"), identity.to_string()).unwrap();
        let port = free_port();
        let base = free_ports(3);
        let path = folder.path().display();
        let arguments = vec![
            "server".into(),
            "-ip=127.0.0.1".into(),
            "-ip.bind=127.0.0.1".into(),
            "-volume.max=400".into(),
            "-master.volumeSizeLimitMB=64".into(),
            "-master.telemetry=false".into(),
            format!("-dir={path}"),
            "-filer".into(),
            "-s3".into(),
            // Services that nobody asks, on ports that two servers would share.
            "-s3.port.iceberg=0".into(),
            "-s3.port.lance=0".into(),
            format!("-s3.port={port}"),
            format!("-s3.port.grpc={}", free_port()),
            format!("-master.port={base}"),
            format!("-master.port.grpc={}", free_port()),
            format!("-volume.port={}", base + 1),
            format!("-volume.port.grpc={}", free_port()),
            format!("-filer.port={}", base + 2),
            format!("-filer.port.grpc={}", free_port()),
            format!("-s3.config={path}/s3.json"),
        ];
        let child = run(&folder, &arguments);
        let mut weed = Weed { port, folder, arguments, child };
        weed.serves();
        weed
    }

    /// The server's process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn serves(&mut self) {
        until("SeaweedFS", || {
            assert!(self.child.try_wait().unwrap().is_none(), "SeaweedFS ended:\n{}", self.log());
            http_ok(self.port, "/healthz", None)
        });
    }

    /// kill -9; what it had on disk stays.
    pub(crate) fn crash(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// Starts it again, with what it had on disk.
    pub(crate) fn restart(&mut self) {
        self.child = run(&self.folder, &self.arguments);
        self.serves();
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

fn run(folder: &TempDir, arguments: &[String]) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(folder.path().join("log")).unwrap();
    let mut command = Command::new(program());
    command.args(arguments).current_dir(folder.path()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

/// The program, where `scripts/fleet-tools` puts it.
fn program() -> PathBuf {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".tools/bin/weed");
    assert!(path.exists(), "weed is missing: run scripts/fleet-tools");
    path
}
