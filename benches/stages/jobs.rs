//! Whole jobs: from the bytes of an order to a folder of finished files, in a process that has its
//! templates and fonts already, as a worker has.

use crate::one_thread::Stages;
use crate::shared::{app, order, order_path};
use presswork::app::App;
use presswork::control::Control;
use presswork::edge::dir::JobFolder;
use presswork::order::Draft;
use std::path::Path;

/// On all threads: reading, validation, pictures, layout, painting, encoding, hashing, preflight.
pub(crate) fn jobs(group: &mut Stages<'_>) {
    let app = app("benches");
    let out = tempfile::tempdir().unwrap();
    for job in ["tee", "tee-dtg", "mug", "mug-pdf", "wrap", "wrap-tumble"] {
        let (path, bytes) = (order_path(job), order(job));
        group.bench_function(job, |b| b.iter(|| make(&app, &path, &bytes, out.path())));
    }
}

fn make(app: &App, path: &Path, bytes: &[u8], out: &Path) {
    let draft = Draft::parse(bytes).unwrap();
    let mut folder = JobFolder::begin(out, draft.job_id()).unwrap();
    let event = app.make(path, &draft, &mut folder, &|_| Ok(()), Control::NONE, &mut |_| {}).unwrap();
    assert!(event.data.preflight.is_some(), "preflight has looked at the files");
    folder.write("result.json", &event.to_bytes().unwrap()).unwrap();
    folder.publish().unwrap();
}
