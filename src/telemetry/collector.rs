//! The way to a collector of traces: one small request at a time, over HTTP or HTTPS.
//!
//! The exporter calls this from a thread of its own, which has no runtime, so that a collector that
//! is slow or gone holds up nobody. What it cannot take is lost, and the log says so once.

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use opentelemetry_http::{HttpClient, HttpError};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Answers are a few bytes.
const MOST_ANSWERED: usize = 1 << 16;

/// A client with a small runtime of its own.
#[derive(Debug)]
pub(super) struct Collector {
    runtime: Runtime,
    tls: TlsSettings,
    failing: AtomicBool,
}

struct TlsSettings(Arc<ClientConfig>);

impl std::fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsSettings")
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Collector {
    /// A client that trusts the system's authorities.
    pub(super) fn new() -> io::Result<Collector> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let tls = versions.map_err(io::Error::other)?.with_root_certificates(roots).with_no_client_auth();
        Ok(Collector { runtime, tls: TlsSettings(Arc::new(tls)), failing: AtomicBool::new(false) })
    }

    async fn connect(&self, to: &Uri) -> io::Result<Box<dyn Stream>> {
        let invalid = |_| io::Error::from(io::ErrorKind::InvalidInput);
        // The brackets of an IPv6 address belong to the URL.
        let host = to.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let secure = to.scheme_str() == Some("https");
        let port = to.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let stream = TcpStream::connect((host.as_str(), port)).await?;
        if !secure {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(host).map_err(invalid)?;
        Ok(Box::new(TlsConnector::from(self.tls.0.clone()).connect(name, stream).await?))
    }

    async fn ask(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let stream = self.connect(request.uri()).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let (mut head, body) = request.into_parts();
        if let Some(authority) = head.uri.authority() {
            let host = authority.as_str().rsplit('@').next().unwrap_or_default();
            head.headers.insert(HOST, HeaderValue::from_str(host)?);
        }
        head.uri = head.uri.path_and_query().map_or("/", |path| path.as_str()).parse()?;
        let answer = sender.send_request(Request::from_parts(head, Full::new(body))).await?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, MOST_ANSWERED).collect().await?.to_bytes();
        Ok(Response::from_parts(head, body))
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let asking = async { timeout(PATIENCE, self.ask(request)).await };
        let answer = self.runtime.block_on(asking).unwrap_or_else(|slow| Err(slow.into()));
        let fails = !answer.as_ref().is_ok_and(|answer| answer.status().is_success());
        if fails && !self.failing.swap(fails, Ordering::AcqRel) {
            tracing::warn!("the collector does not take traces: they are lost until it does");
        } else if !fails && self.failing.swap(fails, Ordering::AcqRel) {
            tracing::info!("the collector takes traces again");
        }
        answer
    }
}
