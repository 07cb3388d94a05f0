//! The stage that keeps files: parts on their way to a store while they are written.

use crate::one_thread::Stages;
use crate::support::bucket::{BUCKET, InProcess, SECRET_KEY, client};
use presswork::edge::store::Store;
use presswork::edge::store::dir::DirStore;
use presswork::edge::store::s3::{S3Settings, S3Store};
use presswork::edge::store::upload::Uploads;
use presswork::render::Destination;
use std::io::Write;
use std::sync::Arc;
use tokio::runtime::Runtime;

/// A file goes to a folder, and to a bucket that a server in this process keeps in a folder: hashes,
/// signatures, checksums and the server's own work with it, but no network and no other machine.
pub(crate) fn upload(group: &mut Stages<'_>) {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let server = runtime.block_on(InProcess::start());
    let settings = S3Settings { bucket: BUCKET.into(), ..S3Settings::default() };
    let bucket = S3Store::with_client(client(server.port, SECRET_KEY), settings);
    let stores: [(&str, Arc<dyn Store>); 2] =
        [("a folder", Arc::new(DirStore::new(folder.path()))), ("a bucket", Arc::new(bucket))];
    for (place, store) in stores {
        // As large as the mug's and the shirt's: one goes whole, the other in four parts.
        for (name, bytes) in [("2 MB", 2_000_000), ("27 MB", 27_000_000)] {
            let file = vec![7; bytes];
            group.bench_function(format!("upload {name} to {place}"), |b| {
                b.iter(|| keep(&runtime, &store, &file));
            });
        }
    }
}

/// Writes a file as the renderer does, and makes it appear.
fn keep(runtime: &Runtime, store: &Arc<dyn Store>, file: &[u8]) {
    let _within = runtime.enter();
    let mut uploads = Uploads::new(store.clone(), "bench/1", "token".to_owned());
    let mut open = uploads.create("front.png").unwrap();
    open.write_all(file).unwrap();
    uploads.finish("front.png", open).unwrap();
    runtime.block_on(uploads.complete()).unwrap();
}
