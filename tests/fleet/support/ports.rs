//! Ports for the servers of tests that run beside each other.
use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Mutex;

/// Those below the ports that the system gives to outgoing connections: one of these could be taken
/// before the server that it is meant for comes to listen.
const RANGE: std::ops::Range<u16> = 12_000..32_000;

/// What this process holds, until it ends.
static HELD: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// A port that nobody listens on and that no other test has been given.
pub(crate) fn free_port() -> u16 {
    free_ports(1)
}

/// The first of some ports in a row.
///
/// A server listens seconds after its ports were chosen. So each is held by a lock on a file, which ends
/// with the process: tests that run at once never choose the same.
pub(crate) fn free_ports(count: u16) -> u16 {
    use std::hash::{BuildHasher, RandomState};
    let folder = std::env::temp_dir().join("presswork-ports");
    std::fs::create_dir_all(&folder).unwrap();
    loop {
        let span = u64::from(RANGE.end - RANGE.start - count);
        let first = RANGE.start + (RandomState::new().hash_one(()) % span) as u16;
        let taken: Option<Vec<File>> = (first..first + count).map(|port| hold(&folder, port)).collect();
        if let Some(files) = taken {
            HELD.lock().unwrap().extend(files);
            return first;
        }
    }
}

fn hold(folder: &Path, port: u16) -> Option<File> {
    let file = File::options().create(true).append(true).open(folder.join(port.to_string())).unwrap();
    file.try_lock().ok()?;
    TcpListener::bind(("127.0.0.1", port)).is_ok().then_some(file)
}

#[test]
fn no_port_is_given_twice() {
    let count = 300;
    let ports: std::collections::BTreeSet<u16> = (0..count).map(|_| free_port()).collect();
    assert_eq!(ports.len(), count);
    let first = free_ports(3);
    assert!((first..first + 3).all(|port| !ports.contains(&port)));
}
