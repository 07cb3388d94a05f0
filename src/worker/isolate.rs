//! A suspect is rendered in a process of its own, one at a time.
//!
//! A delivery that came before and was not settled may have killed its holder. The child is this
//! very program's `render` command in the job's scratch folder, with a memory limit and a time
//! limit; it has no broker and no store. What kills it is the order's own failure.
//!
//! It is on a leash: a pipe that the worker holds open. It begins when its limits are set and a byte
//! arrives there, and a worker that is gone, however it went, takes it along. Its processor time is
//! limited as well, by the system, which needs nobody to watch.

use super::Tools;
use super::paint::{Stopped, too_slow};
use super::settle::ended;
use crate::asset::Limits;
use crate::edge::store::unavailable;
use crate::edge::store::upload::Uploads;
use crate::error::{Code, Violation, Violations};
use crate::order::Draft;
use crate::order::event::{EventError, ResultEvent};
use crate::render::Destination;
use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Exit codes of `render`: all well, and an order that failed with typed errors.
const EVENT_WRITTEN: [i32; 2] = [0, 3];
/// Its exit code when it could not begin: a folder, a setting, or no threads.
const NOT_BEGUN: i32 = 64;
/// The signal of a process that has used up its processor time.
const SIGXCPU: i32 = Signal::XCPU.as_raw();
/// Seconds of processor time between that signal and the end.
const LAST_SECONDS: u64 = 5;

/// What a child may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Bytes.
    pub(super) memory: u64,
    /// From its start.
    pub(super) time: Duration,
    /// Threads that paint.
    pub(super) threads: usize,
}

impl Bounds {
    /// Seconds of processor time. Its threads together cannot use so much within its time: this ends
    /// a child that nobody watches any more.
    fn processor_seconds(&self) -> u64 {
        (self.time.as_secs() + 1).saturating_mul(self.threads as u64 + 1)
    }
}

/// Renders the order at `path` in a child and hands its files to `uploads`.
pub(super) async fn render(
    tools: &Tools,
    draft: &Draft,
    path: &Path,
    bounds: Bounds,
    interrupted: &AtomicBool,
    mut uploads: Uploads,
) -> (Uploads, Result<ResultEvent, Stopped>) {
    let out = path.with_file_name("out");
    let done = tokio::select! {
        done = child(tools, draft.job_id(), path, &out, bounds) => done,
        () = ended(interrupted) => return (uploads, Err(Stopped::Interrupted)),
    };
    let folder = out.join(draft.job_id());
    let mut event = match done.and_then(|()| read_event(&folder)) {
        Ok(event) => event,
        Err(stopped) => return (uploads, Err(stopped)),
    };
    if !event.has_files() && event.data.preflight.is_none() {
        // What went wrong is judged here, since some of it deserves another attempt. What preflight
        // refuses does not, and its findings are in the event.
        let violations: Vec<_> = event.data.errors.iter().filter_map(EventError::violation).collect();
        return (uploads, Err(Stopped::Wrong(Violations(violations))));
    }
    let cancel = uploads.cancel();
    let mut sending = tokio::task::spawn_blocking(move || {
        let mut sent = Ok(());
        let artifacts = event.data.artifacts.iter_mut().map(|artifact| &mut artifact.uri);
        for uri in artifacts.chain(&mut event.data.report) {
            match send(&folder, uri, &mut uploads) {
                Ok(address) => *uri = address,
                Err(violation) => {
                    sent = Err(Stopped::Wrong(violation.into()));
                    break;
                }
            }
        }
        (uploads, sent.map(|()| event))
    });
    let sent = tokio::select! {
        sent = &mut sending => sent,
        () = ended(interrupted) => {
            cancel.cancel();
            // Whatever went wrong with what was cut off is not the order's doing.
            sending.await.map(|(uploads, _)| (uploads, Err(Stopped::Interrupted)))
        }
    };
    match sent {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

async fn child(tools: &Tools, job: &str, path: &Path, out: &Path, bounds: Bounds) -> Result<(), Stopped> {
    // Of processes and memory there may be enough again later.
    let broken =
        |e: io::Error| Stopped::Wrong(unavailable(format!("a renderer cannot be started: {e}")).into());
    let mut command = Command::new(program().map_err(broken)?);
    command.arg("render").arg("--leashed").arg(path).arg("--out").arg(out);
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
    // Nothing of the worker's environment: neither credentials nor settings. What it writes on the
    // way goes where its order lies, below the worker's own folder, and is cleared away with it.
    command
        .env_clear()
        .envs(limits(tools.app.limits()))
        .env("PRESSWORK_CPU_THREADS", bounds.threads.to_string())
        .env("TMPDIR", path.parent().unwrap_or(Path::new("/tmp")))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(broken)?;
    confine(&child, &bounds).map_err(|e| unable("confined", &e))?;
    // Held to the end of this function, whose own end is the child's.
    let mut leash = child.stdin.take();
    if let Some(leash) = &mut leash {
        // A child that died meanwhile says so below.
        drop(leash.write_all(b"\n").await);
    }
    match timeout(bounds.time, child.wait()).await {
        Ok(Ok(status)) if status.code().is_some_and(|code| EVENT_WRITTEN.contains(&code)) => Ok(()),
        Ok(Ok(status)) if status.signal() == Some(SIGXCPU) => {
            Err(Stopped::Wrong(too_slow(bounds.time).into()))
        }
        Ok(Ok(status)) if status.code() == Some(NOT_BEGUN) => {
            Err(Stopped::Wrong(unavailable("a renderer could not begin").into()))
        }
        Ok(Ok(status)) => {
            tracing::warn!(job, %status, "a suspect's renderer died");
            Err(Stopped::Died)
        }
        Ok(Err(e)) => Err(broken(e)),
        Err(_) => {
            drop(child.kill().await);
            Err(Stopped::Wrong(too_slow(bounds.time).into()))
        }
    }
}

/// A child without its limits must not begin: that it cannot be made is the farm's failure.
fn unable(what: &str, error: &io::Error) -> Stopped {
    let why = format!("a renderer cannot be {what}: {error}");
    Stopped::Wrong(Violation::new(Code::InternalError, why).into())
}

/// Limits a child that waits for its leash.
fn confine(child: &Child, bounds: &Bounds) -> io::Result<()> {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let pid = pid.ok_or(io::ErrorKind::NotFound)?;
    let seconds = bounds.processor_seconds();
    for (resource, current, maximum) in [
        // Its data is what counts: address space also counts what is only mapped from files or set aside.
        (Resource::Data, bounds.memory, bounds.memory),
        (Resource::Cpu, seconds, seconds + LAST_SECONDS),
    ] {
        prlimit(Some(pid), resource, Rlimit { current: Some(current), maximum: Some(maximum) })?;
    }
    Ok(())
}

/// This program, even where its file has been replaced since.
fn program() -> io::Result<PathBuf> {
    let running = PathBuf::from("/proc/self/exe");
    if running.exists() { Ok(running) } else { std::env::current_exe() }
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
    // It ended as one that wrote it does: the disk did not take it.
    let lost = || Stopped::Wrong(unavailable("a renderer's result was not written").into());
    let body = std::fs::read(folder.join("result.json")).map_err(|_| lost())?;
    serde_json::from_slice(&body).map_err(|_| lost())
}

fn send(folder: &Path, name: &str, uploads: &mut Uploads) -> Result<String, Violation> {
    let lost = |e: io::Error| Violation::new(Code::InternalError, format!("a file was lost: {}", e.kind()));
    let mut from = std::fs::File::open(folder.join(name)).map_err(lost)?;
    let mut to = uploads.create(name)?;
    io::copy(&mut from, &mut to).map_err(|e| crate::render::sink_failed(&e))?;
    uploads.finish(name, to)
}
