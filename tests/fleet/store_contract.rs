//! What every store promises, asked of a folder, of an S3 service in this process and of SeaweedFS.

use crate::support::bucket::{BUCKET, InProcess, SECRET_KEY, Weed, client};
use crate::support::faults::Faulty;
use crate::support::ports;
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, LifecycleExpiration, LifecycleRule,
    LifecycleRuleFilter,
};
use bytes::Bytes;
use hyper::StatusCode;
use presswork::edge::store::dir::DirStore;
use presswork::edge::store::probe::{Conditions, conditions};
use presswork::edge::store::s3::{S3Settings, S3Store};
use presswork::edge::store::upload::Uploads;
use presswork::edge::store::{Label, Multipart, PART_BYTES, Put, Store};
use presswork::error::Code;
use presswork::render::Destination;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const JSON: &str = "application/json";
const PNG: Label<'_> = Label { media_type: "image/png", token: "t" };

fn s3(port: u16, secret: &str) -> S3Store {
    let settings = S3Settings { bucket: BUCKET.into(), prefix: "out/a".into(), ..Default::default() };
    S3Store::with_client(client(port, secret), settings)
}

fn pattern(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|i| (i * 31 + (i >> 9)) as u8).collect()
}

async fn read(store: &dyn Store, key: &str) -> Option<Bytes> {
    store.get(key, 1 << 30).await.unwrap()
}

async fn keeps_its_promises(store: Arc<dyn Store>) {
    writes_and_reads(store.as_ref()).await;
    assert_eq!(conditions(store.as_ref(), "t1").await.unwrap(), Conditions::Honoured);
    assert_eq!(store.head(".probe/t1").await.unwrap(), None);
    parts_appear_together(store.as_ref()).await;
    for bytes in [0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES + 5] {
        uploads_arrive_whole(&store, bytes).await;
    }
    aborted_uploads_leave_nothing(&store).await;
}

async fn writes_and_reads(store: &dyn Store) {
    assert_eq!(read(store, "j/1/result.json").await, None);
    assert_eq!(store.head("j/1/result.json").await.unwrap(), None);
    let body = Bytes::from_static(b"{}");
    assert_eq!(store.put_if_absent("j/1/result.json", JSON, body.clone()).await.unwrap(), Put::Created);
    assert_eq!(store.put_if_absent("j/1/result.json", JSON, "x".into()).await.unwrap(), Put::Exists);
    assert_eq!(read(store, "j/1/result.json").await, Some(body));
    assert_eq!(store.head("j/1/result.json").await.unwrap().unwrap().bytes, 2);
    // More than the caller takes is an error, never a shortened body.
    assert_eq!(store.get("j/1/result.json", 1).await.unwrap_err().code, Code::StoreUnavailable);
    let body = Bytes::from_static(b"new");
    let sha256 = Sha256::digest(&body).into();
    store.put("j/1/a.png", PNG, "old".into(), Sha256::digest(b"old").into()).await.unwrap();
    store.put("j/1/a.png", PNG, body.clone(), sha256).await.unwrap();
    assert_eq!(read(store, "j/1/a.png").await, Some(body));
    store.delete("j/1/a.png").await.unwrap();
    store.delete("j/1/a.png").await.unwrap();
    assert_eq!(read(store, "j/1/a.png").await, None);
    assert!(store.uri("j/1/a.png").ends_with("/j/1/a.png"));
}

async fn one_of_many_writers_wins(store: &Arc<dyn Store>) {
    let writers: Vec<_> = (0..8_u8)
        .map(|i| {
            let store = store.clone();
            tokio::spawn(async move {
                let body = Bytes::from(vec![i; 100]);
                (i, store.put_if_absent("race/1/result.json", JSON, body).await.unwrap())
            })
        })
        .collect();
    let mut winners = Vec::new();
    for writer in writers {
        let (i, put) = writer.await.unwrap();
        winners.extend((put == Put::Created).then_some(i));
    }
    assert_eq!(winners.len(), 1, "writers {winners:?} were all told that they won");
    assert_eq!(read(store.as_ref(), "race/1/result.json").await.unwrap(), vec![winners[0]; 100]);
}

async fn parts_appear_together(store: &dyn Store) {
    let mut upload = store.begin("m/1/t/big.png", PNG).await.unwrap();
    upload.part(vec![1; PART_BYTES].into()).await.unwrap();
    upload.part(vec![2; 3].into()).await.unwrap();
    assert_eq!(store.head("m/1/t/big.png").await.unwrap(), None, "seen before it was complete");
    upload.complete().await.unwrap();
    assert_eq!(store.head("m/1/t/big.png").await.unwrap().unwrap().bytes, PART_BYTES as u64 + 3);
    let mut upload = store.begin("m/1/t/gone.png", PNG).await.unwrap();
    upload.part(vec![1; PART_BYTES].into()).await.unwrap();
    upload.abort().await;
    assert_eq!(store.head("m/1/t/gone.png").await.unwrap(), None);
}

async fn uploads_arrive_whole(store: &Arc<dyn Store>, bytes: usize) {
    let body = pattern(bytes);
    let mut uploads = Uploads::new(store.clone(), "u/1", format!("token{bytes}"));
    let (mut uploads, uri) = {
        let body = body.clone();
        tokio::task::spawn_blocking(move || {
            let mut file = uploads.create("front.png").unwrap();
            // Pieces that do not fit the parts' size.
            body.chunks(1_000_003).for_each(|piece| file.write_all(piece).unwrap());
            let uri = uploads.finish("front.png", file).unwrap();
            (uploads, uri)
        })
        .await
        .unwrap()
    };
    uploads.complete().await.unwrap();
    let key = format!("u/1/token{bytes}/front.png");
    assert_eq!(uri, store.uri(&key));
    let stored = read(store.as_ref(), &key).await.unwrap();
    assert_eq!(Sha256::digest(&stored), Sha256::digest(&body), "{bytes} bytes came back otherwise");
    // A bucket keeps the upload's token beside the bytes, however they were sent.
    let token = store.head(&key).await.unwrap().unwrap().token;
    let kept = store.uri("").starts_with("s3://").then(|| format!("token{bytes}"));
    assert_eq!(token, kept, "{bytes} bytes");
}

async fn aborted_uploads_leave_nothing(store: &Arc<dyn Store>) {
    let mut uploads = Uploads::new(store.clone(), "u/1", "lost".into());
    let mut uploads = tokio::task::spawn_blocking(move || {
        for (name, bytes) in [("small.png", 10), ("large.png", PART_BYTES + 10)] {
            let mut file = uploads.create(name).unwrap();
            file.write_all(&vec![7; bytes]).unwrap();
            uploads.finish(name, file).unwrap();
        }
        // A file that its painter dropped half-way.
        let mut file = uploads.create("half.png").unwrap();
        file.write_all(&vec![7; 2 * PART_BYTES]).unwrap();
        drop(file);
        uploads
    })
    .await
    .unwrap();
    uploads.abort().await;
    for name in ["small.png", "large.png", "half.png"] {
        assert_eq!(store.head(&format!("u/1/lost/{name}")).await.unwrap(), None, "{name} was left");
    }
}

/// Uploads that were begun and neither completed nor aborted.
async fn open_uploads(port: u16) -> usize {
    let listed = client(port, SECRET_KEY).list_multipart_uploads().bucket(BUCKET).send().await.unwrap();
    listed.uploads().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_keeps_a_stores_promises() {
    let folder = tempfile::TempDir::new().unwrap();
    let store: Arc<dyn Store> = Arc::new(DirStore::new(folder.path().join("store")));
    keeps_its_promises(store.clone()).await;
    one_of_many_writers_wins(&store).await;
    // Nothing half-written lies about, once the last write that was cut off has ended.
    let mut left = String::new();
    for _ in 0..100 {
        let found =
            std::process::Command::new("find").arg(folder.path()).args(["-path", "*/.under-way/*"]).output();
        left = String::from_utf8_lossy(&found.unwrap().stdout).into_owned();
        if left.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(left, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_in_this_process_keeps_a_stores_promises() {
    let server = InProcess::start().await;
    let store: Arc<dyn Store> = Arc::new(s3(server.port, SECRET_KEY));
    keeps_its_promises(store.clone()).await;
    one_of_many_writers_wins(&store).await;
    // A bucket without a rule that ends abandoned uploads is pointed out.
    assert_eq!(store.warnings().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn seaweedfs_keeps_a_stores_promises() {
    let weed = Weed::start().with_bucket().await;
    let store: Arc<dyn Store> = Arc::new(s3(weed.port, SECRET_KEY));
    keeps_its_promises(store.clone()).await;
    one_of_many_writers_wins(&store).await;
    assert_eq!(open_uploads(weed.port).await, 0);
    // An upload in mid-air is seen by the same question.
    let open = s3(weed.port, SECRET_KEY).begin("x/1/t/a.png", PNG).await.unwrap();
    assert_eq!(open_uploads(weed.port).await, 1);
    open.abort().await;
    assert_eq!(open_uploads(weed.port).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_and_silence_have_their_codes() {
    let server = InProcess::start().await;
    let refused = s3(server.port, "another-secret");
    assert_eq!(refused.get("a", 10).await.unwrap_err().code, Code::StoreDenied);
    assert_eq!(refused.put_if_absent("a", JSON, "x".into()).await.unwrap_err().code, Code::StoreDenied);
    // Bytes that do not have the hash which the request names are refused.
    let store = s3(server.port, SECRET_KEY);
    let wrong = store.put("a", PNG, "x".into(), [0; 32]).await.unwrap_err();
    assert_eq!(wrong.code, Code::StoreUnavailable);
    drop(server);
    let silent = s3(ports::free_port(), SECRET_KEY);
    assert_eq!(silent.get("a", 10).await.unwrap_err().code, Code::StoreUnavailable);
    // A folder whose place is taken by a file cannot be written.
    let file = tempfile::NamedTempFile::new().unwrap();
    let broken = DirStore::new(file.path());
    assert_eq!(broken.put_if_absent("a/b", JSON, "x".into()).await.unwrap_err().code, Code::StoreUnavailable);
}

/// Gives a bucket the rules of `deploy/`.
async fn give_rules(port: u16) {
    let text = include_str!("../../deploy/lifecycle.json");
    let file: serde_json::Value = serde_json::from_str(text).unwrap();
    let days = |rule: &serde_json::Value, name: &str, field: &str| {
        rule.get(name).map(|part| i32::try_from(part[field].as_i64().unwrap()).unwrap())
    };
    let rules = file["Rules"].as_array().unwrap().iter().map(|rule| {
        let expiration =
            days(rule, "Expiration", "Days").map(|days| LifecycleExpiration::builder().days(days).build());
        let abort = days(rule, "AbortIncompleteMultipartUpload", "DaysAfterInitiation")
            .map(|days| AbortIncompleteMultipartUpload::builder().days_after_initiation(days).build());
        LifecycleRule::builder()
            .id(rule["ID"].as_str().unwrap())
            .status(rule["Status"].as_str().unwrap().into())
            .filter(LifecycleRuleFilter::builder().prefix(rule["Filter"]["Prefix"].as_str().unwrap()).build())
            .set_expiration(expiration)
            .set_abort_incomplete_multipart_upload(abort)
            .build()
            .unwrap()
    });
    let rules = BucketLifecycleConfiguration::builder().set_rules(Some(rules.collect())).build().unwrap();
    let request = client(port, SECRET_KEY).put_bucket_lifecycle_configuration().bucket(BUCKET);
    request.lifecycle_configuration(rules).send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deployments_rules_are_what_a_worker_asks_for() {
    let weed = Weed::start().with_bucket().await;
    let store = s3(weed.port, SECRET_KEY);
    assert_eq!(store.warnings().await.len(), 1);
    give_rules(weed.port).await;
    assert_eq!(store.warnings().await, Vec::<String>::new());
}

/// An upload of two parts whose completion is still to come.
async fn parts_sent(store: &S3Store, key: &str) -> Box<dyn Multipart> {
    let mut upload = store.begin(key, PNG).await.unwrap();
    upload.part(vec![1; PART_BYTES].into()).await.unwrap();
    upload.part(vec![2; 3].into()).await.unwrap();
    upload
}

#[tokio::test(flavor = "multi_thread")]
async fn a_completion_whose_answer_is_lost_is_found() {
    let weed = Weed::start().with_bucket().await;
    let losing = Faulty::losing_completions(weed.port).await;
    let upload = parts_sent(&s3(losing.port, SECRET_KEY), "c/1/t/lost.png").await;
    upload.complete().await.unwrap();
    let (_, before, after, _) = losing.counts();
    assert_eq!(before, 0);
    assert!(after > 0, "no answer was lost");
    let head = s3(weed.port, SECRET_KEY).head("c/1/t/lost.png").await.unwrap().unwrap();
    assert_eq!((head.bytes, head.token.as_deref()), (PART_BYTES as u64 + 3, Some("t")));
    assert_eq!(open_uploads(weed.port).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_object_is_not_taken_for_a_lost_completion() {
    let weed = Weed::start().with_bucket().await;
    let refusing = Faulty::refusing_completions(weed.port).await;
    let store = s3(refusing.port, SECRET_KEY);
    let size = PART_BYTES + 3;
    for (at, token) in [("none", None), ("other", Some("u"))] {
        let key = format!("c/1/t/{at}.png");
        let upload = parts_sent(&store, &key).await;
        // Somebody else writes as many bytes under the same key.
        let mut foreign = client(weed.port, SECRET_KEY)
            .put_object()
            .bucket(BUCKET)
            .key(format!("out/a/{key}"))
            .body(vec![9; size].into());
        if let Some(token) = token {
            foreign = foreign.metadata("presswork-token", token);
        }
        foreign.send().await.unwrap();
        assert_eq!(upload.complete().await.unwrap_err().code, Code::StoreUnavailable, "{at}");
        let head = store.head(&key).await.unwrap().unwrap();
        assert_eq!((head.bytes, head.token.as_deref()), (size as u64, token));
    }
    assert!(refusing.counts().1 > 0, "no completion was refused");
    assert_eq!(open_uploads(weed.port).await, 0, "what failed was given up");
}

/// S3 answers 409 while another conditional write of the key is under way.
#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_of_conditional_writes_is_asked_again() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let server = InProcess::start_behind(Arc::new(move |request, _| {
        let conditional = request.headers().contains_key("if-none-match");
        // The first two of every three.
        let refused = conditional && counter.fetch_add(1, Ordering::AcqRel) % 3 < 2;
        Box::pin(async move { refused.then_some(StatusCode::CONFLICT) })
    }))
    .await;
    let store = s3(server.port, SECRET_KEY);
    let put = |body: &'static str| store.put_if_absent("k/1/result.json", JSON, body.into());
    assert_eq!(put("first").await.unwrap(), Put::Created);
    assert_eq!(asked.load(Ordering::Acquire), 3);
    // The other write of the conflict may have won.
    assert_eq!(put("second").await.unwrap(), Put::Exists);
    assert_eq!(asked.load(Ordering::Acquire), 6);
    assert_eq!(read(&store, "k/1/result.json").await.unwrap(), "first");
}
