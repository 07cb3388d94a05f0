//! A collector of traces: it answers OTLP over HTTP and keeps every span it is sent.
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use std::sync::{Arc, Mutex};

/// A span, with the attributes of its sender.
pub(crate) type Sent = (Vec<KeyValue>, Span);

pub(crate) struct Collector {
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<Sent>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Collector {
    pub(crate) async fn start() -> Collector {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen: Arc<Mutex<Vec<_>>> = Arc::default();
        let kept = seen.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = kept.clone();
                let service = service_fn(move |request: Request<Incoming>| {
                    let kept = kept.clone();
                    async move {
                        assert_eq!(request.uri().path(), "/v1/traces");
                        let body = request.into_body().collect().await.unwrap().to_bytes();
                        let sent = ExportTraceServiceRequest::decode(body).unwrap();
                        for group in sent.resource_spans {
                            let about = group.resource.unwrap_or_default().attributes;
                            let spans = group.scope_spans.into_iter().flat_map(|scope| scope.spans);
                            kept.lock().unwrap().extend(spans.map(|span| (about.clone(), span)));
                        }
                        Ok::<_, hyper::Error>(Response::new(Full::new(Bytes::new())))
                    }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
        Collector { port, seen, task }
    }

    /// Every span so far, with the attributes of its sender.
    pub(crate) fn spans(&self) -> Vec<Sent> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An attribute that is text.
pub(crate) fn text(attributes: &[KeyValue], name: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == name)?;
    let Value::StringValue(text) = found.value.as_ref()?.value.as_ref()? else {
        panic!("{name} is no text: {found:?}");
    };
    Some(text.clone())
}
