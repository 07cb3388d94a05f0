//! Pictures from hosts that the settings allow, and from nowhere that these hosts may point to.
//!
//! A host's name is looked up once for each request, every address found has to be public, and
//! the connection goes to one of these very addresses, so that a second, different answer of the
//! name service cannot matter. Each redirect passes the same gate as the first address.

use super::guard::is_public;
use super::{forbidden, slow, too_large};
use crate::error::{Code, Violation};
use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::header::{ACCEPT_ENCODING, CONTENT_LENGTH, HOST, LOCATION, USER_AGENT};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::fmt::Debug;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Redirects that are followed.
const REDIRECTS: usize = 5;
/// Until the answer's headers are there, and between two pieces of its body.
const PATIENCE: Duration = Duration::from_secs(15);
/// Until its last byte.
const WHOLE: Duration = Duration::from_secs(90);

/// The network below: names become addresses, addresses become connections.
#[async_trait]
pub trait Network: Send + Sync + Debug {
    /// Every address of a host.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;

    /// A connection to one address.
    async fn connect(&self, to: SocketAddr) -> io::Result<TcpStream>;
}

/// The system's name service and network.
#[derive(Debug, Clone, Copy)]
pub struct Internet;

#[async_trait]
impl Network for Internet {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 443)).await?.map(|address| address.ip()).collect())
    }

    async fn connect(&self, to: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(to).await
    }
}

/// A client that asks allowed hosts only.
#[derive(Debug)]
pub struct Https {
    allow: Vec<String>,
    tls: Arc<ClientConfig>,
    network: Arc<dyn Network>,
}

/// An answer whose body has not been read.
#[derive(Debug)]
pub struct Answer {
    response: Response<Incoming>,
}

impl Https {
    /// Hosts such as `cdn.example.com`, or `*.example.com` for all names below. Certificates have
    /// to lead to one of `roots`.
    pub fn new(allow: Vec<String>, roots: RootCertStore, network: Arc<dyn Network>) -> Result<Https, String> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let tls = versions.map_err(|e| e.to_string())?.with_root_certificates(roots).with_no_client_auth();
        Ok(Https { allow, tls: Arc::new(tls), network })
    }

    /// The authorities that this machine trusts.
    pub fn system_roots() -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots
    }

    fn allows(&self, host: &str) -> bool {
        self.allow.iter().any(|allowed| match allowed.strip_prefix("*.") {
            Some(parent) => {
                host.strip_suffix(parent).is_some_and(|below| below.len() > 1 && below.ends_with('.'))
            }
            None => allowed == host,
        })
    }

    /// An address that may be asked: `https`, an allowed host by its name, the usual port.
    fn permitted(&self, address: &str) -> Result<(Uri, String), Violation> {
        let plain = address.len() <= 4096 && address.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
        let uri: Uri = address
            .parse()
            .ok()
            .filter(|_| plain)
            .ok_or_else(|| forbidden("this is no address in plain ASCII"))?;
        let authority = uri.authority().map(|a| a.as_str()).unwrap_or_default();
        if uri.scheme_str() != Some("https") || authority.contains('@') {
            return Err(forbidden("only https:// without a user's name"));
        }
        if uri.port_u16().is_some_and(|port| port != 443) || authority.ends_with(':') {
            return Err(forbidden("only the usual port"));
        }
        let host = uri.host().unwrap_or_default().to_ascii_lowercase();
        if !self.allows(&host) {
            return Err(forbidden("this host is not allowed"));
        }
        Ok((uri, host))
    }

    /// Asks for a picture, following redirects through the same gate.
    pub async fn open(&self, address: &str) -> Result<Answer, Violation> {
        let (mut uri, mut host) = self.permitted(address)?;
        for _ in 0..=REDIRECTS {
            let response = timeout(PATIENCE, self.ask(&uri, &host)).await.map_err(|_| slow())??;
            let status = response.status();
            if status == StatusCode::OK {
                return Ok(Answer { response });
            }
            if !status.is_redirection() {
                return Err(refused(status));
            }
            let next = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
            let next = next.ok_or_else(|| refused(status))?;
            // A path alone stays on its host; anything else has to be a whole address.
            let next = match next.starts_with('/') && !next.starts_with("//") {
                true => format!("https://{host}{next}"),
                false => next.to_owned(),
            };
            (uri, host) = self.permitted(&next)?;
        }
        Err(Violation::new(
            Code::AssetRedirectLimit,
            format!("an address leads on at most {REDIRECTS} times: give the last one"),
        )
        .limit(REDIRECTS))
    }

    async fn ask(&self, uri: &Uri, host: &str) -> Result<Response<Incoming>, Violation> {
        let unreachable = |e: io::Error| {
            tracing::info!(error = %e.kind(), "an asset's host cannot be reached");
            slow()
        };
        let addresses = self.network.resolve(host).await.map_err(unreachable)?;
        if addresses.iter().any(|address| !is_public(*address)) {
            return Err(forbidden("this host lies inside a private network"));
        }
        let mut stream = Err(io::Error::from(io::ErrorKind::NotFound));
        for address in addresses {
            stream = self.network.connect((address, 443).into()).await;
            if stream.is_ok() {
                break;
            }
        }
        let stream = stream.map_err(unreachable)?;
        let name = ServerName::try_from(host.to_owned()).map_err(|_| forbidden("this is no host's name"))?;
        let tls = TlsConnector::from(self.tls.clone()).connect(name, stream).await.map_err(unreachable)?;
        let broken = |_| slow();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(tls)).await.map_err(broken)?;
        // It ends with its answer, or with what reads the answer.
        tokio::spawn(connection);
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let request = Request::get(path)
            .header(HOST, host)
            .header(USER_AGENT, concat!("presswork/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT_ENCODING, "identity")
            .body(Empty::<Bytes>::new());
        let request = request.map_err(|_| forbidden("this is no address"))?;
        sender.send_request(request).await.map_err(broken)
    }
}

fn refused(status: StatusCode) -> Violation {
    match status.as_u16() {
        401 | 403 | 407 => Violation::new(
            Code::AssetAccessDenied,
            "the source does not give this picture away: its address may have expired",
        ),
        408 | 425 | 429 | 500..=599 => slow(),
        _ => {
            Violation::new(Code::AssetNotFound, "there is no such asset: upload it, or correct the reference")
        }
    }
}

impl Answer {
    /// The length that the source declares.
    pub fn bytes(&self) -> Option<u64> {
        self.response.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
    }

    /// Reads the body, at most `limit` bytes.
    pub async fn read(self, limit: u64) -> Result<Bytes, Violation> {
        let mut body = self.response.into_body();
        let reading = async {
            let mut whole = Vec::new();
            loop {
                let Some(frame) = timeout(PATIENCE, body.frame()).await.map_err(|_| slow())? else {
                    return Ok(Bytes::from(whole));
                };
                let frame = frame.map_err(|_| {
                    Violation::new(Code::AssetChecksumMismatch, "the picture broke off before its end")
                })?;
                if let Ok(data) = frame.into_data() {
                    if whole.len() as u64 + data.len() as u64 > limit {
                        return Err(too_large(limit));
                    }
                    whole.extend_from_slice(&data);
                }
            }
        };
        timeout(WHOLE, reading).await.map_err(|_| slow())?
    }
}
