//! `/livez`, `/readyz` and `/metrics`.
//!
//! Liveness never asks the broker or the store: restarting a worker mends neither. Readiness says
//! in its body why orders are not being taken.

use super::Metrics;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;

/// Why a worker does not take orders, or should be restarted.
#[derive(Debug, Default)]
pub struct Health {
    unready: Mutex<BTreeSet<&'static str>>,
    dead: Mutex<BTreeSet<&'static str>>,
}

impl Health {
    /// Sets or clears a reason for not taking orders.
    pub fn unready(&self, reason: &'static str, holds: bool) {
        set(&self.unready, reason, holds);
    }

    /// A reason for a restart; there is no way back.
    pub fn fail(&self, reason: &'static str) {
        set(&self.dead, reason, true);
    }

    /// Why orders are not being taken; empty when they are.
    pub fn reasons(&self) -> Vec<&'static str> {
        list(&self.unready)
    }

    /// Why the process should be restarted; empty when it should not.
    pub fn failures(&self) -> Vec<&'static str> {
        list(&self.dead)
    }
}

fn set(reasons: &Mutex<BTreeSet<&'static str>>, reason: &'static str, holds: bool) {
    let mut reasons = reasons.lock().unwrap_or_else(PoisonError::into_inner);
    if holds {
        reasons.insert(reason);
    } else {
        reasons.remove(reason);
    }
}

fn list(reasons: &Mutex<BTreeSet<&'static str>>) -> Vec<&'static str> {
    reasons.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
}

#[derive(Clone)]
struct Shown {
    health: Arc<Health>,
    metrics: Arc<Metrics>,
}

/// Serves until the process ends.
pub async fn serve(listener: TcpListener, health: Arc<Health>, metrics: Arc<Metrics>) -> io::Result<()> {
    let routes = Router::new()
        .route("/livez", get(|State(shown): State<Shown>| async move { verdict(shown.health.failures()) }))
        .route("/readyz", get(|State(shown): State<Shown>| async move { verdict(shown.health.reasons()) }))
        .route("/metrics", get(exposition))
        .with_state(Shown { health, metrics });
    axum::serve(listener, routes).await
}

fn verdict(reasons: Vec<&'static str>) -> (StatusCode, String) {
    match reasons.as_slice() {
        [] => (StatusCode::OK, "ok\n".into()),
        reasons => (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", reasons.join("\n"))),
    }
}

async fn exposition(State(shown): State<Shown>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], shown.metrics.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn answer(path: &str, health: &Arc<Health>) -> (StatusCode, String) {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let metrics = Arc::new(Metrics::new(prometheus::Registry::new()).unwrap());
        let server = tokio::spawn(serve(listener, health.clone(), metrics));
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        server.abort();
        let status = text.split(' ').nth(1).unwrap().parse().unwrap();
        (status, text.split_once("\r\n\r\n").unwrap().1.to_owned())
    }

    #[tokio::test]
    async fn probes_tell_why() {
        let health = Arc::new(Health::default());
        assert_eq!(answer("/livez", &health).await, (StatusCode::OK, "ok\n".into()));
        health.unready("the store failed", true);
        // A worker that waits for a store is alive: restarting it mends nothing.
        assert_eq!(answer("/livez", &health).await.0, StatusCode::OK);
        let unready = (StatusCode::SERVICE_UNAVAILABLE, "the store failed\n".into());
        assert_eq!(answer("/readyz", &health).await, unready);
        health.unready("the store failed", false);
        assert_eq!(answer("/readyz", &health).await.0, StatusCode::OK);
        health.fail("stuck");
        assert_eq!(answer("/livez", &health).await, (StatusCode::SERVICE_UNAVAILABLE, "stuck\n".into()));
    }
}
