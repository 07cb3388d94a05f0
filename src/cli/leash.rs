//! A suspect's renderer ends with the worker that started it, however that one ended.
//!
//! The worker holds the other end of a pipe that is this process's standard input. A byte there means
//! that the limits are set; its end means that the worker is gone, since the system closes what a dead
//! process held.

use rustix::process::{Signal, getpid, kill_process};
use std::io::{self, Read};
use std::thread;

/// Waits until the worker says to begin, and from then on ends with it. `false`: it is gone already.
pub(super) fn put_on() -> bool {
    if !matches!(io::stdin().read(&mut [0]), Ok(1)) {
        return false;
    }
    let watching = thread::Builder::new().name("leash".into()).spawn(|| {
        drop(io::copy(&mut io::stdin().lock(), &mut io::sink()));
        // Nothing that a stuck renderer holds can keep this from working.
        if kill_process(getpid(), Signal::KILL).is_err() {
            std::process::abort();
        }
    });
    watching.is_ok()
}
