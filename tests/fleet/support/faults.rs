//! A store that fails now and then: an HTTP proxy before the real one, which answers some requests
//! with 503, half of them before they took effect and half after.
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// The proxy; it ends with the test.
pub(crate) struct Faulty {
    pub(crate) port: u16,
    counts: Arc<Counts>,
    task: tokio::task::JoinHandle<()>,
}

/// Which requests fail.
#[derive(Clone)]
struct Manner {
    behind: u16,
    percent: u64,
    seed: u64,
    refused: Option<&'static str>,
    completions: Completions,
    slow: Option<(&'static str, Duration)>,
    /// Requests of this method to paths with these words fail while that is asked for.
    withheld: Option<(Method, &'static str)>,
}

/// What becomes of requests that make an upload's object appear.
#[derive(Clone, Copy, PartialEq)]
enum Completions {
    AsOthers,
    Refused,
    /// They do their work, and their answer is lost.
    Lost,
}

impl Manner {
    /// Passes everything on.
    fn harmless(behind: u16) -> Manner {
        Manner {
            behind,
            percent: 0,
            seed: 0,
            refused: None,
            completions: Completions::AsOthers,
            slow: None,
            withheld: None,
        }
    }
}

#[derive(Default)]
struct Counts {
    requests: AtomicU64,
    before: AtomicU64,
    after: AtomicU64,
    lost_uploads: AtomicU64,
    withholding: AtomicBool,
}

/// The next of a sequence of numbers that looks random and is the same for a seed (SplitMix64).
pub(crate) fn scrambled(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Faulty {
    /// Fails `percent` of the requests to the server at `behind`.
    pub(crate) async fn start(behind: u16, percent: u64, seed: u64) -> Faulty {
        Faulty::serve(Manner { percent, seed, ..Manner::harmless(behind) }).await
    }

    /// Fails every request to the server at `behind` whose query has these words.
    pub(crate) async fn refusing(behind: u16, words: &'static str) -> Faulty {
        Faulty::serve(Manner { refused: Some(words), ..Manner::harmless(behind) }).await
    }

    /// Holds up every request to the server at `behind` whose query has these words.
    pub(crate) async fn slow(behind: u16, words: &'static str, pause: Duration) -> Faulty {
        Faulty::serve(Manner { slow: Some((words, pause)), ..Manner::harmless(behind) }).await
    }

    /// Can fail writes to the server at `behind` whose path has these words, see [`Faulty::withhold`].
    pub(crate) async fn withholding(behind: u16, words: &'static str) -> Faulty {
        Faulty::serve(Manner { withheld: Some((Method::PUT, words)), ..Manner::harmless(behind) }).await
    }

    /// Can fail reading from the server at `behind` whose path has these words, see [`Faulty::withhold`].
    pub(crate) async fn unreadable(behind: u16, words: &'static str) -> Faulty {
        Faulty::serve(Manner { withheld: Some((Method::GET, words)), ..Manner::harmless(behind) }).await
    }

    /// What can fail fails from now on, or no more.
    pub(crate) fn withhold(&self, fail: bool) {
        self.counts.withholding.store(fail, Ordering::Release);
    }

    /// Loses the answer to every completion of an upload at the server at `behind`.
    pub(crate) async fn losing_completions(behind: u16) -> Faulty {
        Faulty::serve(Manner { completions: Completions::Lost, ..Manner::harmless(behind) }).await
    }

    /// Fails every completion of an upload at the server at `behind`, before it has an effect.
    pub(crate) async fn refusing_completions(behind: u16) -> Faulty {
        Faulty::serve(Manner { completions: Completions::Refused, ..Manner::harmless(behind) }).await
    }

    async fn serve(manner: Manner) -> Faulty {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let counts = Arc::new(Counts::default());
        let shared = counts.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (counts, manner) = (shared.clone(), manner.clone());
                let service = service_fn(move |request: Request<Incoming>| {
                    let (counts, manner) = (counts.clone(), manner.clone());
                    async move { pass(request, manner, &counts).await }
                });
                tokio::spawn(async move {
                    let server = hyper::server::conn::http1::Builder::new();
                    // A client that hangs up is no failure of the proxy's.
                    drop(server.serve_connection(TokioIo::new(stream), service).await);
                });
            }
        });
        Faulty { port, counts, task }
    }

    /// Requests, how many of them failed before and after their effect, and how many of the latter
    /// began an upload of which nobody was told.
    pub(crate) fn counts(&self) -> (u64, u64, u64, u64) {
        let count = |n: &AtomicU64| n.load(Ordering::Relaxed);
        (
            count(&self.counts.requests),
            count(&self.counts.before),
            count(&self.counts.after),
            count(&self.counts.lost_uploads),
        )
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(
    request: Request<Incoming>,
    manner: Manner,
    counts: &Counts,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let Manner { behind, percent, seed, refused, completions, slow, withheld } = manner;
    let number = counts.requests.fetch_add(1, Ordering::Relaxed);
    let lot = scrambled(seed ^ number.wrapping_mul(0x2545_f491_4f6c_dd1d)) % 200;
    let (mut fails, mut afterwards) = (lot < percent * 2, lot % 2 == 1);
    // The whole request is read in any case: a client that is cut off does not see the answer.
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    let asks = |words: &str| head.uri.query().is_some_and(|query| query.contains(words));
    if let Some((_, pause)) = slow.filter(|(words, _)| asks(words)) {
        tokio::time::sleep(pause).await;
    }
    let withheld = withheld
        .is_some_and(|(method, words)| head.method == method && head.uri.path().contains(words))
        && counts.withholding.load(Ordering::Acquire);
    let refused = withheld || refused.is_some_and(asks);
    let completes = head.method == hyper::Method::POST && asks("uploadId=");
    if completes && completions != Completions::AsOthers {
        (fails, afterwards) = (true, completions == Completions::Lost);
    }
    if refused || (fails && !afterwards) {
        counts.before.fetch_add(1, Ordering::Relaxed);
        return Ok(unavailable());
    }
    let begins_upload =
        head.method == hyper::Method::POST && head.uri.query().is_some_and(|q| q.starts_with("uploads"));
    let stream = TcpStream::connect(("127.0.0.1", behind)).await;
    // A server that is down is a server that fails.
    let Ok(stream) = stream else { return Ok(unavailable()) };
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(std::io::Error::other)?;
    tokio::spawn(connection);
    // The host stays the proxy's: it is part of the signature.
    let answer = sender.send_request(Request::from_parts(head, Full::new(body))).await;
    let (head, body) = answer.map_err(std::io::Error::other)?.into_parts();
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    if fails {
        counts.after.fetch_add(1, Ordering::Relaxed);
        if begins_upload {
            counts.lost_uploads.fetch_add(1, Ordering::Relaxed);
        }
        return Ok(unavailable());
    }
    Ok(Response::from_parts(head, Full::new(body)))
}

fn unavailable() -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from_static(b"")));
    *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    answer
}
