//! A suspect is rendered in a process of its own, one at a time.
//!
//! A delivery that came before and was not settled may have killed its holder. The child is this
//! very program's `render` command in the job's scratch folder, with a memory limit and a time
//! limit; it has no broker and no store. What kills it is the order's own failure.

use super::Tools;
use super::paint::{Stopped, too_slow};
use crate::edge::store::upload::Uploads;
use crate::error::{Code, Violation};
use crate::order::Draft;
use crate::order::event::ResultEvent;
use crate::render::Destination;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::timeout;

/// Exit codes of `render`: all well, and an order that failed with typed errors.
const EVENT_WRITTEN: [i32; 2] = [0, 3];

/// Renders the order at `path` in a child and hands its files to `uploads`.
pub(super) async fn render(
    tools: &Tools,
    draft: &Draft,
    path: &Path,
    memory: u64,
    limit: Duration,
    mut uploads: Uploads,
) -> (Uploads, Result<ResultEvent, Stopped>) {
    let out = path.with_file_name("out");
    let event = match child(tools, path, &out, memory, limit).await {
        Ok(()) => read_event(&out.join(draft.job_id())),
        Err(violation) => Err(violation),
    };
    let mut event = match event {
        Ok(event) => event,
        Err(violation) => return (uploads, Err(Stopped::Wrong(violation.into()))),
    };
    let folder = out.join(draft.job_id());
    let sending = tokio::task::spawn_blocking(move || {
        let mut sent = Ok(());
        for artifact in &mut event.data.artifacts {
            let name = artifact.uri.clone();
            match send(&folder, &name, &mut uploads) {
                Ok(uri) => artifact.uri = uri,
                Err(violation) => sent = Err(Stopped::Wrong(violation.into())),
            }
        }
        (uploads, sent.map(|()| event))
    });
    match sending.await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

async fn child(
    tools: &Tools,
    path: &Path,
    out: &Path,
    memory: u64,
    limit: Duration,
) -> Result<(), Violation> {
    let broken = |e: io::Error| {
        Violation::new(Code::InternalError, format!("a renderer cannot be started: {}", e.kind()))
    };
    let mut command = Command::new(program().map_err(broken)?);
    command.arg("render").arg(path).arg("--out").arg(out);
    for (flag, value) in [
        ("--catalog", &tools.places.catalog),
        ("--profiles", &tools.places.profiles),
        ("--assets", &tools.places.assets),
        ("--fonts", &tools.places.fonts),
    ] {
        if let Some(value) = value {
            command.arg(flag).arg(value);
        }
    }
    // Nothing of the worker's environment: neither credentials nor settings.
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().map_err(broken)?;
    if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) {
        let limits = Rlimit { current: Some(memory), maximum: Some(memory) };
        // The child has not read its order yet; one that is gone already needs no limit.
        let _ = prlimit(Some(pid), Resource::As, limits);
    }
    match timeout(limit, child.wait()).await {
        Ok(Ok(status)) if status.code().is_some_and(|code| EVENT_WRITTEN.contains(&code)) => Ok(()),
        Ok(Ok(_)) => Err(Violation::new(
            Code::RenderCrashed,
            "the renderer ended before its work was done: report this order",
        )),
        Ok(Err(e)) => Err(broken(e)),
        Err(_) => {
            drop(child.kill().await);
            Err(too_slow(limit))
        }
    }
}

/// This program, or the one that tests name.
fn program() -> io::Result<PathBuf> {
    std::env::current_exe()
}

fn read_event(folder: &Path) -> Result<ResultEvent, Violation> {
    let crashed = || Violation::new(Code::RenderCrashed, "the renderer left no result: report this order");
    let body = std::fs::read(folder.join("result.json")).map_err(|_| crashed())?;
    serde_json::from_slice(&body).map_err(|_| crashed())
}

fn send(folder: &Path, name: &str, uploads: &mut Uploads) -> Result<String, Violation> {
    let lost = |e: io::Error| Violation::new(Code::InternalError, format!("a file was lost: {}", e.kind()));
    let mut from = std::fs::File::open(folder.join(name)).map_err(lost)?;
    let mut to = uploads.create(name)?;
    io::copy(&mut from, &mut to).map_err(|e| crate::render::sink_failed(&e))?;
    uploads.finish(name, to)
}
