//! Pictures from other hosts: what is allowed arrives, and nothing leads a worker into its own
//! network. The server is real TLS on this machine; only names and addresses are those of a table.

use crate::support::bucket::{BUCKET, InProcess, SECRET_KEY, client};
use async_trait::async_trait;
use hyper::StatusCode;
use presswork::edge::assets::https::{Https, Network};
use presswork::edge::assets::{AssetSources, Own};
use presswork::edge::dir::Folder;
use presswork::edge::store::Store;
use presswork::edge::store::dir::DirStore;
use presswork::edge::store::s3::{S3Settings, S3Store};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

const LIMIT: u64 = 1000;
const PUBLIC: &str = "93.184.216.34";

fn openssl(folder: &Path, words: &str) {
    let output = Command::new("openssl").args(words.split_whitespace()).current_dir(folder).output();
    let output = output.unwrap_or_else(|_| panic!("openssl is missing: apt-get install -y openssl"));
    assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A certificate for the hosts of the tests, and the authority that signed it.
fn certificates(folder: &Path) -> (RootCertStore, ServerConfig) {
    const KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(folder, &format!("req -x509 {KEY} -keyout ca.key -out ca.pem -days 2 -subj /CN=tests"));
    openssl(folder, &format!("req -new {KEY} -keyout leaf.key -out leaf.csr -subj /CN=cdn.example.com"));
    let names = "subjectAltName=DNS:*.example.com,DNS:*.wild.example.com\n";
    std::fs::write(folder.join("names"), names).unwrap();
    openssl(
        folder,
        "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out leaf.pem -days 2 -extfile names",
    );
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.join("ca.pem")).unwrap()).unwrap();
    let chain = vec![CertificateDer::from_pem_file(folder.join("leaf.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(folder.join("leaf.key")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    (roots, server.with_no_client_auth().with_single_cert(chain, key).unwrap())
}

fn answer(path: &str) -> String {
    let to = |place: &str| format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n");
    let status = |line: &str| format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n");
    match path {
        "/photo.jpg" | "/photo.jpg?signature=secret" => {
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nphoto".into()
        }
        "/unknown-length" => "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nphoto".into(),
        "/endless" => format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", "x".repeat(5000)),
        "/large" => "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n".into(),
        "/short" => "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nphoto".into(),
        "/on" => to("/photo.jpg"),
        "/on-elsewhere" => to("https://other.example.com/photo.jpg"),
        "/on-inside" => to("https://inside.example.com/photo.jpg"),
        "/on-metadata" => to("https://169.254.169.254/latest/meta-data"),
        "/on-plain" => to("http://cdn.example.com/photo.jpg"),
        "/on-slashes" => to("//evil.example.org/photo.jpg"),
        "/loop" => to("/loop"),
        "/denied" => status("403 Forbidden"),
        "/busy" => status("503 Service Unavailable"),
        _ => status("404 Not Found"),
    }
}

async fn serve(listener: TcpListener, tls: TlsAcceptor) {
    while let Ok((stream, _)) = listener.accept().await {
        let tls = tls.clone();
        tokio::spawn(async move {
            let Ok(mut stream) = tls.accept(stream).await else { return };
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { return };
                request.push(byte);
            }
            let request = String::from_utf8(request).unwrap();
            let path = request.split(' ').nth(1).unwrap();
            drop(stream.write_all(answer(path).as_bytes()).await);
            drop(stream.shutdown().await);
        });
    }
}

/// Names of a table; every connection leads to the test's server and is remembered.
#[derive(Debug)]
struct Table {
    /// The answers of the name service, one after another; the last one stays.
    names: Mutex<BTreeMap<&'static str, Vec<Vec<&'static str>>>>,
    connected: Mutex<Vec<IpAddr>>,
    server: SocketAddr,
}

#[async_trait]
impl Network for Table {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let mut names = self.names.lock().unwrap();
        let answers = names.get_mut(host).ok_or(io::ErrorKind::NotFound)?;
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        Ok(answer.iter().map(|address| address.parse().unwrap()).collect())
    }

    async fn connect(&self, to: SocketAddr) -> io::Result<TcpStream> {
        assert_eq!(to.port(), 443);
        self.connected.lock().unwrap().push(to.ip());
        TcpStream::connect(self.server).await
    }
}

async fn read(sources: &AssetSources, reference: &str) -> Result<Vec<u8>, &'static str> {
    let opened = sources.open(reference, LIMIT).await;
    match opened {
        Ok(opened) => opened.read(LIMIT).await.map(|bytes| bytes.to_vec()).map_err(|v| v.code.as_str()),
        Err(violation) => {
            assert!(!violation.detail.contains("example"), "it repeats what was asked: {violation}");
            Err(violation.code.as_str())
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_allowed_is_asked() {
    let folder = tempfile::TempDir::new().unwrap();
    let (roots, server) = certificates(folder.path());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let names = BTreeMap::from([
        ("cdn.example.com", vec![vec![PUBLIC]]),
        ("other.example.com", vec![vec!["2606:4700::1111"]]),
        ("deep.wild.example.com", vec![vec![PUBLIC]]),
        ("inside.example.com", vec![vec!["10.0.0.5"]]),
        ("mapped.example.com", vec![vec!["::ffff:127.0.0.1"]]),
        ("shared.example.com", vec![vec!["100.64.1.1"]]),
        ("both.example.com", vec![vec![PUBLIC, "127.0.0.1"]]),
        // The second answer differs: nobody may ask for it.
        ("rebind.example.com", vec![vec![PUBLIC], vec!["127.0.0.1"]]),
        ("wrong.example.net", vec![vec![PUBLIC]]),
    ]);
    let table = Arc::new(Table {
        names: Mutex::new(names),
        connected: Mutex::default(),
        server: listener.local_addr().unwrap(),
    });
    tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(server))));
    let allow = [
        "cdn.example.com",
        "other.example.com",
        "inside.example.com",
        "mapped.example.com",
        "shared.example.com",
        "both.example.com",
        "rebind.example.com",
        "wrong.example.net",
        "*.wild.example.com",
    ];
    let https = Https::new(allow.map(str::to_owned).to_vec(), roots, table.clone()).unwrap();
    let own = || Own::Folder(Folder::new(folder.path(), LIMIT));
    let sources = AssetSources::new(own()).with_https(https);

    let photo = Ok(b"photo".to_vec());
    for address in [
        "https://cdn.example.com/photo.jpg",
        "https://CDN.example.com:443/photo.jpg?signature=secret",
        "https://cdn.example.com/unknown-length",
        "https://cdn.example.com/on",
        "https://cdn.example.com/on-elsewhere",
        "https://deep.wild.example.com/photo.jpg",
        "https://rebind.example.com/photo.jpg",
    ] {
        assert_eq!(read(&sources, address).await, photo, "{address}");
    }
    let only_public = table.connected.lock().unwrap().drain(..).collect::<Vec<_>>();
    let public = [PUBLIC.parse().unwrap(), "2606:4700::1111".parse::<IpAddr>().unwrap()];
    assert!(only_public.iter().all(|address| public.contains(address)), "{only_public:?}");

    // What is refused is refused before anything is connected.
    for address in [
        "http://cdn.example.com/photo.jpg",
        "https://evil.example.org/photo.jpg",
        "https://cdn.example.com@evil.example.org/photo.jpg",
        "https://evil.example.org\\@cdn.example.com/photo.jpg",
        "https://cdn.example.com.evil.example.org/photo.jpg",
        "https://cdn.example.com:8443/photo.jpg",
        "https://wild.example.com/photo.jpg",
        "https://xwild.example.com/photo.jpg",
        "https://93.184.216.34/photo.jpg",
        "https://[::1]/photo.jpg",
        "https://2130706433/photo.jpg",
        "https://inside.example.com/photo.jpg",
        "https://mapped.example.com/photo.jpg",
        "https://shared.example.com/photo.jpg",
        "https://both.example.com/photo.jpg",
        "https://rebind.example.com/photo.jpg",
        "https:///photo.jpg",
        "ftp://cdn.example.com/photo.jpg",
        "s3://bucket/photo.jpg",
    ] {
        assert_eq!(read(&sources, address).await, Err("asset.source_forbidden"), "{address}");
    }
    assert_eq!(table.connected.lock().unwrap().len(), 0);

    for (path, code) in [
        ("on-inside", "asset.source_forbidden"),
        ("on-metadata", "asset.source_forbidden"),
        ("on-plain", "asset.source_forbidden"),
        ("on-slashes", "asset.source_forbidden"),
        ("loop", "asset.redirect_limit"),
        ("none", "asset.not_found"),
        ("denied", "asset.access_denied"),
        ("busy", "asset.timeout"),
        ("large", "asset.too_large"),
        ("endless", "asset.too_large"),
        ("short", "asset.checksum_mismatch"),
    ] {
        assert_eq!(read(&sources, &format!("https://cdn.example.com/{path}")).await, Err(code), "{path}");
    }
    // A certificate for somebody else is no certificate.
    assert_eq!(read(&sources, "https://wrong.example.net/photo.jpg").await, Err("asset.timeout"));
    // Without a list nothing is asked.
    let closed = AssetSources::new(own());
    assert_eq!(read(&closed, "https://cdn.example.com/photo.jpg").await, Err("asset.source_forbidden"));
}

#[tokio::test]
async fn buckets_are_named_in_full_only_where_they_are_allowed() {
    let folder = tempfile::TempDir::new().unwrap();
    let bucket: Arc<dyn Store> = Arc::new(DirStore::new(folder.path().join("bucket")));
    bucket.put_if_absent("a/photo.jpg", "image/jpeg", "photo".into()).await.unwrap();
    std::fs::create_dir(folder.path().join("own")).unwrap();
    std::fs::write(folder.path().join("own/photo.jpg"), "mine").unwrap();
    let own = Own::Folder(Folder::new(folder.path().join("own"), LIMIT));
    let sources = AssetSources::new(own).with_bucket("shop", bucket);
    assert_eq!(read(&sources, "photo.jpg").await, Ok(b"mine".to_vec()));
    assert_eq!(read(&sources, "s3://shop/a/photo.jpg").await, Ok(b"photo".to_vec()));
    for (reference, code) in [
        ("s3://shop/../own/photo.jpg", "asset.ref_forbidden"),
        ("s3://shop/none.jpg", "asset.not_found"),
        ("s3://shopper/a/photo.jpg", "asset.source_forbidden"),
        ("s3://shop", "asset.ref_forbidden"),
        ("../bucket/a/photo.jpg", "asset.ref_forbidden"),
        ("none.jpg", "asset.not_found"),
    ] {
        assert_eq!(read(&sources, reference).await, Err(code), "{reference}");
    }
}

/// Whoever owns an allowed bucket could otherwise stop every worker by closing it; and so could an object of
/// our own that is listed and not readable, as an archived one is.
#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_of_somebody_else_is_the_matter_of_the_order_that_names_it() {
    let server = InProcess::start_behind(Arc::new(|request, _| {
        let path = request.uri().path();
        let reads = request.method() == "GET";
        let status = match path.rsplit('/').next() {
            Some("denied-in-reading.jpg") if reads => Some(StatusCode::FORBIDDEN),
            Some("refused-in-reading.jpg") if reads => Some(StatusCode::BAD_REQUEST),
            Some("busy-in-reading.jpg") if reads => Some(StatusCode::SERVICE_UNAVAILABLE),
            _ if path.contains("/closed/") => Some(StatusCode::FORBIDDEN),
            _ if path.contains("/busy/") => Some(StatusCode::SERVICE_UNAVAILABLE),
            _ => None,
        };
        Box::pin(async move { status })
    }))
    .await;
    let store = |prefix: &str| -> Arc<dyn Store> {
        let settings = S3Settings { bucket: BUCKET.into(), prefix: prefix.into(), ..Default::default() };
        Arc::new(S3Store::with_client(client(server.port, SECRET_KEY), settings))
    };
    let open = store("open");
    for name in ["photo.jpg", "denied-in-reading.jpg", "refused-in-reading.jpg", "busy-in-reading.jpg"] {
        open.put_if_absent(name, "image/jpeg", "photo".into()).await.unwrap();
    }
    for (own, denied, busy) in
        [(false, "asset.access_denied", "asset.timeout"), (true, "store.denied", "store.unavailable")]
    {
        let sources = |prefix: &str| match own {
            true => AssetSources::new(Own::Store(store(prefix))),
            false => {
                AssetSources::new(Own::Folder(Folder::new("/", LIMIT))).with_bucket("shop", store(prefix))
            }
        };
        let named = |key: &str| if own { key.to_owned() } else { format!("s3://shop/{key}") };
        for (prefix, key, expected) in [
            ("open", "photo.jpg", Ok(b"photo".to_vec())),
            ("open", "none.jpg", Err("asset.not_found")),
            ("open", "denied-in-reading.jpg", Err("asset.access_denied")),
            ("open", "refused-in-reading.jpg", Err("asset.access_denied")),
            ("open", "busy-in-reading.jpg", Err(busy)),
            ("closed", "photo.jpg", Err(denied)),
            ("busy", "photo.jpg", Err(busy)),
        ] {
            assert_eq!(read(&sources(prefix), &named(key)).await, expected, "{own}: {prefix}/{key}");
        }
    }
}
