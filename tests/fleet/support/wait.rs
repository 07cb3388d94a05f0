//! Waiting for servers within a bound.
use std::time::{Duration, Instant};

/// Asks again and again until `ready` says yes.
///
/// # Panics
/// After three minutes, with `what`.
pub(crate) fn until(what: &str, mut ready: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !ready() {
        assert!(begin.elapsed() < Duration::from_secs(180), "waited three minutes for {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Whether an HTTP GET of a local address answers 200.
pub(crate) fn http_ok(port: u16, path: &str, basic: Option<&str>) -> bool {
    http(port, path, basic).is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// The raw answer to an HTTP GET of a local address.
pub(crate) fn http(port: u16, path: &str, basic: Option<&str>) -> Option<String> {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let authorization = basic.map(|b| format!("Authorization: Basic {b}\r\n")).unwrap_or_default();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{authorization}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    Some(String::from_utf8_lossy(&answer).into_owned())
}
