//! Deaths, pauses and bugs that tests plant in a worker. Release builds do not have this.
//!
//! `FLEET_TEST_DIE=put_result:before` kills the process there, as `kill -9` does.
//! `FLEET_TEST_HOLD=put_result:before:/a/file` waits there until the file exists.
//! `FLEET_TEST_BUG=NAME` breaks the protocol in one of three ways, so that the tests can show that they
//! would see it; `NAME:400` leaves it 400 milliseconds in which something else can happen.

use super::effect::{Effect, Moment};
use rustix::process::{Signal, getpid, kill_process};
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

/// A way to break the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bug {
    /// A delivery is settled before its event is confirmed.
    AckBeforeConfirm,
    /// An event is published before its run is decided.
    PublishBeforeCommit,
    /// A result replaces the one that stands.
    UnconditionalCommit,
}

fn told(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

static DIE: LazyLock<String> = LazyLock::new(|| told("FLEET_TEST_DIE"));
static HOLD: LazyLock<String> = LazyLock::new(|| told("FLEET_TEST_HOLD"));
static BUG: LazyLock<String> = LazyLock::new(|| told("FLEET_TEST_BUG"));

/// Whether this worker has the bug.
pub(super) fn has(bug: Bug) -> bool {
    let name = match bug {
        Bug::AckBeforeConfirm => "ack-before-confirm",
        Bug::PublishBeforeCommit => "publish-before-commit",
        Bug::UnconditionalCommit => "unconditional-commit",
    };
    BUG.split(':').next() == Some(name)
}

/// What a bug does wrong is seen only if something happens just then.
pub(super) async fn linger() {
    let pause = BUG.split_once(':').and_then(|(_, pause)| pause.parse().ok()).unwrap_or(0);
    tokio::time::sleep(Duration::from_millis(pause)).await;
}

/// Waits or dies, where that is what was asked for.
pub(super) async fn strike(effect: Effect, moment: Moment) {
    let here = format!("{}:{}", effect.name(), moment.name());
    if let Some((place, file)) = HOLD.rsplit_once(':')
        && place == here
    {
        while !Path::new(file).exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    if *DIE == here {
        // Nothing is flushed, closed or dropped after this.
        let _ = kill_process(getpid(), Signal::KILL);
        std::future::pending::<()>().await;
    }
}
