//! A suspect is rendered in a process of its own, one at a time.
//!
//! A delivery that came before and was not settled may have killed its holder. The child is this
//! very program's `render` command in the job's scratch folder, with a memory limit and a time
//! limit; it has no broker and no store. What kills it is the order's own failure.

use super::Tools;
use super::paint::{Stopped, too_slow};
use crate::asset::Limits;
use crate::edge::store::upload::Uploads;
use crate::error::{Code, Violation, Violations};
use crate::order::Draft;
use crate::order::event::{EventError, ResultEvent};
use crate::render::Destination;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

/// Exit codes of `render`: all well, and an order that failed with typed errors.
const EVENT_WRITTEN: [i32; 2] = [0, 3];

/// Renders the order at `path` in a child and hands its files to `uploads`.
pub(super) async fn render(
    tools: &Tools,
    draft: &Draft,
    path: &Path,
    memory: u64,
    limit: Duration,
    interrupted: &AtomicBool,
    mut uploads: Uploads,
) -> (Uploads, Result<ResultEvent, Stopped>) {
    let out = path.with_file_name("out");
    let ended = tokio::select! {
        ended = child(tools, draft.job_id(), path, &out, memory, limit) => ended,
        () = ending(interrupted) => return (uploads, Err(Stopped::Interrupted)),
    };
    let folder = out.join(draft.job_id());
    let mut event = match ended.and_then(|()| read_event(&folder)) {
        Ok(event) => event,
        Err(stopped) => return (uploads, Err(stopped)),
    };
    if !event.has_files() && event.data.preflight.is_none() {
        // What went wrong is judged here, since some of it deserves another attempt. What preflight
        // refuses does not, and its findings are in the event.
        let violations: Vec<_> = event.data.errors.iter().filter_map(EventError::violation).collect();
        return (uploads, Err(Stopped::Wrong(Violations(violations))));
    }
    let sending = tokio::task::spawn_blocking(move || {
        let mut sent = Ok(());
        let artifacts = event.data.artifacts.iter_mut().map(|artifact| &mut artifact.uri);
        for uri in artifacts.chain(&mut event.data.report) {
            match send(&folder, uri, &mut uploads) {
                Ok(address) => *uri = address,
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
    job: &str,
    path: &Path,
    out: &Path,
    memory: u64,
    limit: Duration,
) -> Result<(), Stopped> {
    let broken = |e: io::Error| {
        let why = format!("a renderer cannot be started: {}", e.kind());
        Stopped::Wrong(Violation::new(Code::InternalError, why).into())
    };
    let mut command = Command::new(program().map_err(broken)?);
    command.arg("render").arg(path).arg("--out").arg(out);
    let assets = Some(path.with_file_name("assets"));
    for (flag, value) in [
        ("--catalog", &tools.places.catalog),
        ("--profiles", &tools.places.profiles),
        ("--assets", &assets),
        ("--fonts", &tools.places.fonts),
    ] {
        if let Some(value) = value {
            command.arg(flag).arg(value);
        }
    }
    // Nothing of the worker's environment: neither credentials nor settings.
    command
        .env_clear()
        .envs(limits(tools.app.limits()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(broken)?;
    if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) {
        let limits = Rlimit { current: Some(memory), maximum: Some(memory) };
        // The child has not read its order yet; one that is gone already needs no limit. Its data is
        // what counts: address space also counts what is only mapped from files or set aside.
        let _ = prlimit(Some(pid), Resource::Data, limits);
    }
    match timeout(limit, child.wait()).await {
        Ok(Ok(status)) if status.code().is_some_and(|code| EVENT_WRITTEN.contains(&code)) => Ok(()),
        Ok(Ok(status)) => {
            tracing::warn!(job, %status, "a suspect's renderer died");
            Err(Stopped::Died)
        }
        Ok(Err(e)) => Err(broken(e)),
        Err(_) => {
            drop(child.kill().await);
            Err(Stopped::Wrong(too_slow(limit).into()))
        }
    }
}

/// This program, even where its file has been replaced since.
fn program() -> io::Result<PathBuf> {
    let running = PathBuf::from("/proc/self/exe");
    if running.exists() { Ok(running) } else { std::env::current_exe() }
}

/// Done when the worker ends and waits for nobody any more.
async fn ending(interrupted: &AtomicBool) {
    while !interrupted.load(Ordering::Acquire) {
        sleep(Duration::from_millis(100)).await;
    }
}

/// The limits, as the child reads them.
fn limits(limits: &Limits) -> Vec<(String, String)> {
    let Limits { src_bytes, src_pixels, src_side, frames, svg_bytes, svg_nodes, font_bytes, output_pixels } =
        *limits;
    let pairs = [
        ("SRC_BYTES", src_bytes),
        ("SRC_PIXELS", src_pixels),
        ("SRC_SIDE", u64::from(src_side)),
        ("FRAMES", u64::from(frames)),
        ("SVG_BYTES", svg_bytes),
        ("SVG_NODES", svg_nodes),
        ("FONT_BYTES", font_bytes),
        ("OUTPUT_PIXELS", output_pixels),
    ];
    pairs.map(|(name, value)| (format!("PRESSWORK_MAX_{name}"), value.to_string())).to_vec()
}

fn read_event(folder: &Path) -> Result<ResultEvent, Stopped> {
    let body = std::fs::read(folder.join("result.json")).map_err(|_| Stopped::Died)?;
    serde_json::from_slice(&body).map_err(|_| Stopped::Died)
}

fn send(folder: &Path, name: &str, uploads: &mut Uploads) -> Result<String, Violation> {
    let lost = |e: io::Error| Violation::new(Code::InternalError, format!("a file was lost: {}", e.kind()));
    let mut from = std::fs::File::open(folder.join(name)).map_err(lost)?;
    let mut to = uploads.create(name)?;
    io::copy(&mut from, &mut to).map_err(|e| crate::render::sink_failed(&e))?;
    uploads.finish(name, to)
}
