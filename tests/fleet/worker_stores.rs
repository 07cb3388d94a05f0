//! A worker and what stores may do to it: ignore conditions, deny one right, one picture or everything,
//! be slow in one answer while another is on its way, or give none.

use crate::support::bucket::{ACCESS_KEY, BUCKET, Before, InProcess, SECRET_KEY, client};
use crate::support::fleet::Worker;
use crate::support::wait::{http, http_ok, until};
use hyper::StatusCode;
use presswork::edge::store::probe::{Conditions, conditions};
use presswork::edge::store::s3::{S3Settings, S3Store};
use presswork::edge::store::upload::Uploads;
use presswork::edge::store::{PART_BYTES, Store};
use presswork::order::event::{EventType, ResultEvent};
use presswork::render::Destination;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tempfile::TempDir;

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// A worker on a spool folder, whose results and pictures are in the bucket.
struct Spooled {
    // It ends before its folder goes.
    worker: Worker,
    folder: TempDir,
}

impl Spooled {
    fn start(server: &InProcess, more: &[(&str, &str)]) -> Spooled {
        let folder = TempDir::new().unwrap();
        let mut command = command(server, folder.path());
        command.envs(more.iter().copied());
        let worker = Worker::launch(command, folder.path());
        Spooled { folder, worker }
    }

    fn ready(&mut self) {
        assert!(self.worker.comes_up(), "it ended:\n{}", self.worker.log());
    }

    fn enqueue(&self, server: &InProcess, job: &str, asset: &str) {
        let source = fixtures().join("orders/gift-tag-photo.json");
        let mut order: serde_json::Value = serde_json::from_slice(&std::fs::read(source).unwrap()).unwrap();
        order["job_id"] = job.into();
        order["customization"]["photo"]["asset"] = asset.into();
        let path = self.folder.path().join(format!("{job}.json"));
        std::fs::write(&path, order.to_string()).unwrap();
        let sent = command(server, self.folder.path()).arg("enqueue").arg(path).output().unwrap();
        assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    }
}

fn command(server: &InProcess, folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_presswork"));
    command
        .env_clear()
        .env("TMPDIR", folder)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .env("AWS_ENDPOINT_URL_S3", format!("http://127.0.0.1:{}", server.port))
        .env("PRESSWORK_S3_PATH_STYLE", "on")
        .env("PRESSWORK_QUEUE", format!("dir:{}", folder.join("spool").display()))
        .env("PRESSWORK_STORE", format!("s3://{BUCKET}/out"))
        .env("PRESSWORK_ASSETS", format!("s3://{BUCKET}/assets"))
        .env("PRESSWORK_CATALOG", fixtures().join("catalog"))
        .env("PRESSWORK_CPU_THREADS", "1")
        .env("PRESSWORK_MEMORY_BUDGET", "3000000000")
        .env("PRESSWORK_LOG_FORMAT", "json");
    command
}

/// The photo under several names.
fn put_photos(server: &InProcess, names: &[&str]) {
    let folder = server.folder.path().join(BUCKET).join("assets/photos");
    std::fs::create_dir_all(&folder).unwrap();
    for name in names {
        std::fs::copy(fixtures().join("assets/photos/dog.jpg"), folder.join(name)).unwrap();
    }
}

async fn result(server: &InProcess, job: &str) -> ResultEvent {
    let key = format!("out/{job}/1/result.json");
    for _ in 0..1800 {
        let asked = client(server.port, SECRET_KEY).get_object().bucket(BUCKET).key(&key).send().await;
        if let Ok(answer) = asked {
            return serde_json::from_slice(&answer.body.collect().await.unwrap().to_vec()).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{job} has no result");
}

/// What stands in the way of a conditional write is removed first.
fn ignores_conditions() -> Arc<Before> {
    Arc::new(|request, root| {
        if request.headers().contains_key("if-none-match") {
            let key = request.uri().path().trim_start_matches('/').split_once('/').unwrap().1;
            drop(std::fs::remove_file(root.join(key)));
        }
        Box::pin(async { None })
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_ignores_conditions_is_refused_unless_told_otherwise() {
    let server = InProcess::start_behind(ignores_conditions()).await;
    let settings = S3Settings { bucket: BUCKET.into(), prefix: "out".into(), ..Default::default() };
    let store = S3Store::with_client(client(server.port, SECRET_KEY), settings);
    assert_eq!(conditions(&store, "t").await.unwrap(), Conditions::Ignored);
    assert_eq!(store.head(".probe/t").await.unwrap(), None);

    let mut spooled = Spooled::start(&server, &[]);
    assert_eq!(spooled.worker.child.wait().unwrap().code(), Some(64));
    assert!(spooled.worker.log().contains("PRESSWORK_S3_CONDITIONAL=off"), "{}", spooled.worker.log());
    drop(spooled);

    put_photos(&server, &["dog.jpg"]);
    let mut spooled = Spooled::start(&server, &[("PRESSWORK_S3_CONDITIONAL", "off")]);
    spooled.ready();
    assert!(spooled.worker.log().contains("two workers may decide one run"), "{}", spooled.worker.log());
    spooled.enqueue(&server, "UNCONDITIONAL-1", "photos/dog.jpg");
    assert_eq!(result(&server, "UNCONDITIONAL-1").await.kind, EventType::Completed);
    let mut cancel = command(&server, spooled.folder.path());
    let cancelled = cancel.args(["cancel", "UNCONDITIONAL-1"]).output().unwrap();
    assert!(!cancelled.status.success(), "a run that is decided was cancelled");
    assert_eq!(result(&server, "UNCONDITIONAL-1").await.kind, EventType::Completed);
}

/// A bucket that denies what some right would allow.
async fn without(right: &'static str) -> InProcess {
    InProcess::start_behind(Arc::new(move |request, root| {
        let path = request.uri().path().trim_start_matches('/');
        let absent = path.split_once('/').is_some_and(|(_, key)| !root.join(key).exists());
        let reads = request.method() == "GET" || request.method() == "HEAD";
        let denies = match right {
            "s3:GetObject" => request.method() == "GET" && !absent,
            "s3:DeleteObject" => request.method() == "DELETE",
            // Without it nothing says that an object is absent.
            "s3:ListBucket" => reads && absent && path.starts_with("press/out/"),
            _ => reads && absent && path.starts_with("press/assets/"),
        };
        Box::pin(async move { denies.then_some(StatusCode::FORBIDDEN) })
    }))
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_names_the_right_that_is_missing() {
    for (right, setting) in [
        ("s3:GetObject", "PRESSWORK_STORE"),
        ("s3:DeleteObject", "PRESSWORK_STORE"),
        ("s3:ListBucket", "PRESSWORK_STORE"),
        ("of the assets: s3:ListBucket", "PRESSWORK_ASSETS"),
    ] {
        let server = without(right).await;
        let mut spooled = Spooled::start(&server, &[]);
        let ended = spooled.worker.child.wait().unwrap();
        let log = spooled.worker.log();
        assert_eq!(ended.code(), Some(64), "{right}: {log}");
        let said =
            log.lines().find(|line| line.starts_with(setting)).unwrap_or_else(|| panic!("{right}: {log}"));
        let lacking = said.split("credentials lack ").nth(1).unwrap().split(". ").next().unwrap();
        assert!(lacking.ends_with(right.rsplit(' ').next().unwrap()), "{right}: {said}");
        assert!(setting == "PRESSWORK_ASSETS" || lacking == right, "{right}: {said}");
        let probes = std::fs::read_dir(server.folder.path().join(BUCKET).join("out/.probe"));
        let left = probes.map_or(0, |left| left.count());
        assert_eq!(left, usize::from(right == "s3:DeleteObject"), "{right}: {left} objects are left");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_starts_hears_that_it_shall_end() {
    let asked = Arc::new(AtomicUsize::new(0));
    let seen = asked.clone();
    let server = InProcess::start_behind(Arc::new(move |request, _| {
        let rules = request.uri().query().is_some_and(|query| query.contains("lifecycle"));
        seen.fetch_add(usize::from(rules), Ordering::AcqRel);
        Box::pin(async move {
            // No answer ever comes to the question about the bucket's rules.
            if rules {
                std::future::pending::<()>().await;
            }
            None
        })
    }))
    .await;
    let mut spooled = Spooled::start(&server, &[]);
    until("the question", || asked.load(Ordering::Acquire) > 0);
    spooled.worker.signal("-TERM");
    let ended = spooled.worker.child.wait().unwrap();
    assert_eq!(ended.code(), Some(0), "{}", spooled.worker.log());
    assert_eq!(asked.load(Ordering::Acquire), 1, "it asked again before it ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_is_denied_is_the_orders_fault_and_a_bucket_is_not() {
    let all = Arc::new(AtomicBool::new(false));
    let denied = all.clone();
    let server = InProcess::start_behind(Arc::new(move |request, _| {
        let path = request.uri().path();
        let denies = path.ends_with("/SENTINEL.jpg")
            || denied.load(Ordering::Acquire) && path.starts_with("/press/assets/");
        Box::pin(async move { denies.then_some(StatusCode::FORBIDDEN) })
    }))
    .await;
    put_photos(&server, &["dog.jpg", "SENTINEL.jpg"]);
    let mut spooled = Spooled::start(&server, &[]);
    spooled.ready();
    spooled.enqueue(&server, "DENIED-1", "photos/SENTINEL.jpg");
    let event = result(&server, "DENIED-1").await;
    assert_eq!((event.kind, event.data.errors[0].code.as_str()), (EventType::Failed, "asset.access_denied"));
    assert!(http_ok(spooled.worker.port, "/readyz", None), "one picture is no reason to stop");

    all.store(true, Ordering::Release);
    spooled.enqueue(&server, "DENIED-2", "photos/dog.jpg");
    until("readiness to fall", || {
        http(spooled.worker.port, "/readyz", None).unwrap_or_default().contains("the store")
    });
    assert!(http_ok(spooled.worker.port, "/livez", None));
    all.store(false, Ordering::Release);
    let event = result(&server, "DENIED-2").await;
    assert_eq!((event.kind, event.data.attempt), (EventType::Completed, 1), "waiting costs no attempt");
    until("readiness", || http_ok(spooled.worker.port, "/readyz", None));
    assert!(
        !spooled.worker.log().contains("SENTINEL"),
        "a picture's name is in the log:\n{}",
        spooled.worker.log()
    );
}

/// Nobody can decide such a run, and nobody may overwrite what stands there.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_result_is_a_conflict_and_holds_nobody_up() {
    let server = InProcess::start().await;
    put_photos(&server, &["dog.jpg"]);
    let damaged = server.folder.path().join(BUCKET).join("out/DAMAGED-1/1/result.json");
    std::fs::create_dir_all(damaged.parent().unwrap()).unwrap();
    std::fs::write(&damaged, "{\"specversion\":").unwrap();
    let mut spooled = Spooled::start(&server, &[]);
    spooled.ready();
    spooled.enqueue(&server, "DAMAGED-1", "photos/dog.jpg");
    let events = spooled.folder.path().join("spool/results");
    let published =
        || std::fs::read_dir(&events).into_iter().flatten().flatten().map(|entry| entry.path()).next();
    until("an event", || published().is_some());
    let event: ResultEvent = serde_json::from_slice(&std::fs::read(published().unwrap()).unwrap()).unwrap();
    assert_eq!((event.kind, event.data.errors[0].code.as_str()), (EventType::Rejected, "order.conflict"));
    assert_eq!(event.data.job_id.as_deref(), Some("DAMAGED-1"));
    assert_eq!(std::fs::read(&damaged).unwrap(), b"{\"specversion\":");
    until("its settlement", || {
        let taken = spooled.folder.path().join("spool/taken/standard");
        std::fs::read_dir(taken).unwrap().next().is_none()
    });
    assert!(http_ok(spooled.worker.port, "/readyz", None), "the store is well");
}

/// A folder that is not mounted is where it would be, and empty.
#[tokio::test(flavor = "multi_thread")]
async fn a_catalog_that_is_gone_is_waited_for() {
    let server = InProcess::start().await;
    put_photos(&server, &["dog.jpg"]);
    let folder = TempDir::new().unwrap();
    let mount = folder.path().join("catalog");
    let more = [("PRESSWORK_CATALOG", mount.to_str().unwrap())];
    std::fs::create_dir(&mount).unwrap();
    let mut refused = Spooled::start(&server, &more);
    assert_eq!(refused.worker.child.wait().unwrap().code(), Some(64));
    assert!(refused.worker.log().contains("the folder of the catalog is empty"), "{}", refused.worker.log());
    drop(refused);

    let mounted = || {
        std::fs::remove_dir(&mount).unwrap();
        std::os::unix::fs::symlink(fixtures().join("catalog"), &mount).unwrap();
    };
    mounted();
    let mut spooled = Spooled::start(&server, &more);
    spooled.ready();
    std::fs::remove_file(&mount).unwrap();
    std::fs::create_dir(&mount).unwrap();
    spooled.enqueue(&server, "UNMOUNTED-1", "photos/dog.jpg");
    until("readiness to fall", || {
        http(spooled.worker.port, "/readyz", None).unwrap_or_default().contains("the store")
    });
    mounted();
    let event = result(&server, "UNMOUNTED-1").await;
    assert_eq!((event.kind, event.data.attempt), (EventType::Completed, 1), "waiting costs no attempt");
}

#[tokio::test(flavor = "multi_thread")]
async fn assets_come_while_the_result_is_asked_for() {
    let asked = Arc::new(AtomicBool::new(false));
    let server = InProcess::start_behind(Arc::new(move |request, _| {
        let path = request.uri().path();
        let (asset, result) = (path.contains("/assets/photos/"), path.ends_with("/result.json"));
        let (asked, reads) = (asked.clone(), request.method() == "GET");
        Box::pin(async move {
            asked.fetch_or(asset, Ordering::AcqRel);
            // The answer about the result waits until an asset has been asked for.
            while result && reads && !asked.load(Ordering::Acquire) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            None
        })
    }))
    .await;
    put_photos(&server, &["dog.jpg"]);
    let mut spooled = Spooled::start(&server, &[]);
    spooled.ready();
    spooled.enqueue(&server, "BESIDE-1", "photos/dog.jpg");
    until("the result", || server.folder.path().join(BUCKET).join("out/BESIDE-1/1/result.json").exists());
    assert_eq!(result(&server, "BESIDE-1").await.kind, EventType::Completed);
}

/// A run's uploads, and the store that they go to.
fn uploads(server: &InProcess) -> (Arc<dyn Store>, Uploads) {
    let settings = S3Settings { bucket: BUCKET.into(), ..Default::default() };
    let store: Arc<dyn Store> = Arc::new(S3Store::with_client(client(server.port, SECRET_KEY), settings));
    let uploads = Uploads::new(store.clone(), "parts/1", "t".into());
    (store, uploads)
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_leave_before_the_file_is_whole() {
    let arrived = Arc::new(AtomicUsize::new(0));
    let seen = arrived.clone();
    let server = InProcess::start_behind(Arc::new(move |request, _| {
        let part = request.uri().query().is_some_and(|query| query.contains("partNumber"));
        arrived.fetch_add(usize::from(part), Ordering::AcqRel);
        Box::pin(async { None })
    }))
    .await;
    let (store, mut uploads) = uploads(&server);
    let mut uploads = tokio::task::spawn_blocking(move || {
        let mut file = uploads.create("front.png").unwrap();
        let band = vec![7; PART_BYTES / 4];
        // Two parts may wait and one may be under way: the fifth is taken only when one has left.
        for _ in 0..(5 * 4 + 1) {
            file.write_all(&band).unwrap();
        }
        assert!(seen.load(Ordering::Acquire) >= 1, "nothing has left while the file was written");
        uploads.finish("front.png", file).unwrap();
        uploads
    })
    .await
    .unwrap();
    uploads.complete().await.unwrap();
    let bytes = store.head("parts/1/t/front.png").await.unwrap().unwrap().bytes;
    assert_eq!(bytes, (5 * 4 + 1) * PART_BYTES as u64 / 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cancelled_when_its_parts_are_there_is_not_completed() {
    let arrived = Arc::new(AtomicUsize::new(0));
    let (seen, completed) = (arrived.clone(), Arc::new(AtomicBool::new(false)));
    let completes = completed.clone();
    let server = InProcess::start_behind(Arc::new(move |request, _| {
        let query = request.uri().query().unwrap_or_default();
        arrived.fetch_add(usize::from(query.contains("partNumber")), Ordering::AcqRel);
        let complete = request.method() == "POST" && query.contains("uploadId");
        completes.fetch_or(complete, Ordering::AcqRel);
        Box::pin(async { None })
    }))
    .await;
    let (store, mut uploads) = uploads(&server);
    let mut uploads = tokio::task::spawn_blocking(move || {
        let mut file = uploads.create("front.png").unwrap();
        file.write_all(&vec![7; 2 * PART_BYTES + 1]).unwrap();
        uploads.finish("front.png", file).unwrap();
        uploads
    })
    .await
    .unwrap();
    until("three parts", || seen.load(Ordering::Acquire) == 3);
    // The last part's answer is still to come.
    tokio::time::sleep(Duration::from_millis(500)).await;
    uploads.cancel().cancel();
    assert!(uploads.complete().await.is_err());
    assert!(!completed.load(Ordering::Acquire), "an upload was completed");
    assert_eq!(store.head("parts/1/t/front.png").await.unwrap().map(|head| head.bytes), None);
}
