//! A fleet for tests: a private broker, SeaweedFS, the fixtures' assets in a bucket, and workers
//! that are processes of their own.
use crate::support::bucket::{ACCESS_KEY, BUCKET, SECRET_KEY, Weed, client};
use crate::support::ports::free_port;
use crate::support::rabbitmq::Rabbit;
use crate::support::wait::{http, http_ok, until};
use aws_sdk_s3::Client;
use lapin::options::BasicPublishOptions;
use lapin::{BasicProperties, Connection, ConnectionProperties};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

pub(crate) struct Fleet {
    pub(crate) rabbit: Rabbit,
    pub(crate) weed: Weed,
    pub(crate) folder: TempDir,
    pub(crate) bucket: Client,
}

/// One worker process.
pub(crate) struct Worker {
    pub(crate) port: u16,
    pub(crate) child: Child,
    log: PathBuf,
}

pub(crate) fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The program under test: this build's, or another one that long runs name.
fn program() -> PathBuf {
    std::env::var_os("PRESSWORK_TEST_PROGRAM")
        .map_or_else(|| env!("CARGO_BIN_EXE_presswork").into(), PathBuf::from)
}

impl Fleet {
    /// Starts the servers and uploads the fixtures' assets.
    pub(crate) async fn start() -> Fleet {
        let rabbit = tokio::task::spawn_blocking(Rabbit::start);
        let weed = Weed::start().with_bucket().await;
        let bucket = client(weed.port, SECRET_KEY);
        let assets = fixtures().join("assets");
        for path in files(&assets) {
            let key = format!("assets/{}", path.strip_prefix(&assets).unwrap().display());
            let body = std::fs::read(&path).unwrap();
            bucket.put_object().bucket(BUCKET).key(key).body(body.into()).send().await.unwrap();
        }
        Fleet { rabbit: rabbit.await.unwrap(), weed, folder: TempDir::new().unwrap(), bucket }
    }

    /// The program with the fleet's settings and nothing else of this process's environment.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(program());
        command
            .env_clear()
            .env("TMPDIR", self.folder.path())
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
            .env("AWS_ENDPOINT_URL_S3", format!("http://127.0.0.1:{}", self.weed.port))
            .env("PRESSWORK_S3_PATH_STYLE", "on")
            .env("PRESSWORK_AMQP_URL", self.rabbit.url())
            .env("PRESSWORK_STORE", format!("s3://{BUCKET}/out"))
            .env("PRESSWORK_ASSETS", format!("s3://{BUCKET}/assets"))
            .env("PRESSWORK_CATALOG", fixtures().join("catalog"))
            .env("PRESSWORK_CPU_THREADS", "2")
            .env("PRESSWORK_MEMORY_BUDGET", "3000000000")
            .env("PRESSWORK_LOG_FORMAT", "json");
        command
    }

    /// Starts a worker and waits until it is ready.
    ///
    /// # Panics
    /// When it ends before that.
    pub(crate) fn worker(&self, change: impl FnOnce(&mut Command)) -> Worker {
        let mut worker = self.launch(change);
        assert!(worker.comes_up(), "it ended:\n{}", worker.log());
        worker
    }

    /// Starts a worker.
    pub(crate) fn launch(&self, change: impl FnOnce(&mut Command)) -> Worker {
        let mut command = self.command();
        change(&mut command);
        Worker::launch(command, self.folder.path())
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command().args(args).output().unwrap()
    }

    /// Publishes bytes as anybody might.
    pub(crate) async fn publish(&self, exchange: &str, key: &str, body: &[u8]) {
        let url = self.rabbit.url();
        let connection = Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let options = BasicPublishOptions::default();
        let properties = BasicProperties::default();
        channel.basic_publish(exchange.into(), key.into(), options, body, properties).await.unwrap();
        // The broker has read it once it has answered something that came after.
        drop(channel.close(200, "".into()).await);
        drop(connection.close(200, "".into()).await);
    }

    /// The keys below the results' prefix.
    pub(crate) async fn keys(&self) -> Vec<String> {
        let mut pages = self.bucket.list_objects_v2().bucket(BUCKET).prefix("out/").into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.unwrap();
            keys.extend(page.contents().iter().map(|object| object.key().unwrap().to_owned()));
        }
        keys
    }

    /// An object's bytes.
    pub(crate) async fn get(&self, key: &str) -> Vec<u8> {
        self.find(key).await.unwrap_or_else(|| panic!("there is no {key}"))
    }

    /// The same, where there is one.
    pub(crate) async fn find(&self, key: &str) -> Option<Vec<u8>> {
        match self.bucket.get_object().bucket(BUCKET).key(key).send().await {
            Ok(answer) => Some(answer.body.collect().await.unwrap().to_vec()),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_key()) => None,
            Err(error) => panic!("{key}: {error:?}"),
        }
    }

    /// Uploads that were begun and never ended.
    pub(crate) async fn open_uploads(&self) -> usize {
        let listed = self.bucket.list_multipart_uploads().bucket(BUCKET).send().await.unwrap();
        listed.uploads().len()
    }
}

impl Worker {
    /// Starts the program as a worker; its log lies in the folder.
    pub(crate) fn launch(mut command: Command, folder: &Path) -> Worker {
        let port = free_port();
        let log = folder.join(format!("worker-{port}.log"));
        let stderr = std::fs::File::create(&log).unwrap();
        command.arg("worker").env("PRESSWORK_BIND", format!("127.0.0.1:{port}"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr).spawn().unwrap();
        Worker { port, child, log }
    }

    /// Waits until it is ready, or has ended: whether it is ready.
    pub(crate) fn comes_up(&mut self) -> bool {
        let mut ended = false;
        until("a worker", || {
            ended = self.child.try_wait().unwrap().is_some();
            ended || http_ok(self.port, "/readyz", None)
        });
        !ended
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub(crate) fn log_path(&self) -> &Path {
        &self.log
    }

    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// The sum of a metric's samples whose line contains `labels`.
    pub(crate) fn metric(&self, name: &str, labels: &str) -> f64 {
        let text = http(self.port, "/metrics", None).unwrap_or_default();
        let samples = text.lines().filter(|line| line.starts_with(name) && line.contains(labels));
        samples.filter_map(|line| line.rsplit(' ').next()?.trim().parse::<f64>().ok()).sum()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<_> = log.lines().rev().take(40).collect();
            eprintln!("a worker's last words:\n{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
    }
}

/// All files below a folder, sorted.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}
