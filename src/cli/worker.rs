//! `presswork worker`: takes orders until it is told to end.

use super::BAD_CONFIGURATION;
use super::fleet::{metrics, painters, queue, required, store};
use crate::app::{App, Places};
use crate::cache::Cache;
use crate::config::{Config, StoreAt};
use crate::edge::assets::https::{Https, Internet};
use crate::edge::assets::{AssetSources, Own};
use crate::edge::dir::Folder;
use crate::edge::queue::{Queue, Trouble};
use crate::edge::store::Store;
use crate::edge::store::probe::{Conditions, absent, conditions};
use crate::error::{Code, Violation};
use crate::telemetry::admin::{self, Health};
use crate::telemetry::{Metered, Metrics};
use crate::worker::{STORE_SILENT, Settings, Tools, Worker};
use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// How long a worker that only a restart can help waits for somebody to restart it. Probes of
/// orchestrators act sooner; what restarts processes that have ended, and no others, is served by this.
const STUCK: Duration = Duration::from_secs(120);

pub(super) async fn run(config: Config) -> ExitCode {
    match start(config).await {
        Ok(code) | Err(code) => code,
    }
}

async fn start(config: Config) -> Result<ExitCode, ExitCode> {
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    let refuse = |why: String| {
        eprintln!("{why}");
        ExitCode::from(BAD_CONFIGURATION)
    };
    let at = required(config.store.clone(), "STORE")?;
    let catalog = required(config.catalog.clone(), "CATALOG")?;
    painters(config.threads).map_err(refuse)?;
    let metrics = metrics()?;
    metrics.begin(&config.classes);
    metrics
        .build_info
        .with_label_values(&[
            env!("CARGO_PKG_VERSION"),
            option_env!("PRESSWORK_REVISION").unwrap_or("unknown"),
        ])
        .set(1.0);
    let health = Arc::new(Health::default());
    health.unready("starting", true);
    let listener = TcpListener::bind(&config.bind).await;
    let listener = listener.map_err(|e| refuse(format!("PRESSWORK_BIND: {} ({})", config.bind, e.kind())))?;
    tokio::spawn(admin::serve(listener, health.clone(), metrics.clone()));
    let stop = stopping().map_err(|e| refuse(format!("signals cannot be heard: {}", e.kind())))?;
    tokio::pin!(stop);

    let stores = async {
        let results: Arc<dyn Store> =
            Arc::new(Metered::new(store(&config, &at, &metrics).await, metrics.clone()));
        probe(results.as_ref(), config.s3_unconditional, &health).await.map_err(refuse)?;
        for warning in results.warnings().await {
            tracing::warn!("{warning}");
        }
        let assets = asset_sources(&config, &metrics).await?;
        if let Some(store) = assets.own_store() {
            probe_assets(store.as_ref(), &health).await.map_err(refuse)?;
        }
        health.unready(STORE_SILENT, false);
        Ok::<_, ExitCode>((results, assets))
    };
    // A store may be waited for as long as it takes, but nobody waits for a worker that is to end.
    let (results, assets) = tokio::select! {
        () = &mut stop => return Ok(ExitCode::SUCCESS),
        stores = stores => stores?,
    };
    // Every order's assets are brought to its scratch folder, where the renderer finds them.
    let places = Places {
        catalog: Some(catalog),
        profiles: config.profiles.clone(),
        assets: None,
        fonts: config.fonts.clone(),
    };
    let [hit, miss] = ["hit", "miss"].map(|result| metrics.asset_cache.with_label_values(&[result]));
    let cache = Cache::new(config.cache).told_to(move |found| if found { hit.inc() } else { miss.inc() });
    let app = App::with_cache(places.clone(), config.limits, cache)
        .map_err(|violations| refuse(violations.to_string()))?;
    let queue = queue(&config, metrics.clone());
    tokio::spawn(report_connection(queue.clone(), health.clone()));
    let tools = Tools { app, places, store: results, assets, queue, metrics, health: health.clone() };
    // What is not mounted is told at once, and not by an order.
    tools.folders().check().map_err(|violation| refuse(violation.detail))?;
    health.unready("starting", false);
    let stuck = failed_for(health.clone(), STUCK);
    let stop = async {
        tokio::select! {
            () = stop => {}
            () = stuck => tracing::error!(reasons = ?health.failures(), "only a restart helps: ending"),
        }
    };
    let worker = Worker::new(tools, settings(&config));
    let worker = worker.map_err(|e| refuse(format!("threads cannot be started: {}", e.kind())))?;
    match worker.run(stop).await {
        Ok(()) if health.failures().is_empty() => Ok(ExitCode::SUCCESS),
        Ok(()) => Err(ExitCode::FAILURE),
        Err(violation) => {
            eprintln!("{violation}");
            Err(ExitCode::FAILURE)
        }
    }
}

/// Every place that orders may take pictures from.
async fn asset_sources(config: &Config, metrics: &Arc<Metrics>) -> Result<AssetSources, ExitCode> {
    let own = match required(config.assets.clone(), "ASSETS")? {
        StoreAt::Dir(path) => Own::Folder(Folder::new(path, config.limits.src_bytes)),
        at @ StoreAt::S3 { .. } => {
            Own::Store(Arc::new(Metered::new(store(config, &at, metrics).await, metrics.clone())))
        }
    };
    let mut sources = AssetSources::new(own);
    for bucket in &config.s3_allowed_buckets {
        let at = StoreAt::S3 { bucket: bucket.clone(), prefix: String::new() };
        let inner = store(config, &at, metrics).await;
        sources = sources.with_bucket(bucket, Arc::new(Metered::new(inner, metrics.clone())));
    }
    if config.https_allow.is_empty() {
        return Ok(sources);
    }
    let https = Https::new(config.https_allow.clone(), Https::system_roots(), Arc::new(Internet));
    let https = https.map_err(|e| {
        eprintln!("TLS cannot be used: {e}");
        ExitCode::from(BAD_CONFIGURATION)
    })?;
    Ok(sources.with_https(https))
}

fn settings(config: &Config) -> Settings {
    Settings {
        concurrency: config.threads,
        classes: config.classes.clone(),
        prefetch: config.prefetch,
        max_attempts: config.max_attempts,
        job_limit: config.job_limit,
        drain: config.drain,
        memory_budget: config.render_budget(),
        input_budget: config.input_budget(),
        url_base: config.url_base.clone(),
        watch_every: config.job_limit.min(Duration::from_secs(60)),
        watch_patience: Duration::from_secs(300),
    }
}

/// Waits for SIGTERM or Ctrl-C, heard from the moment this is called.
fn stopping() -> io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Comes back when only a restart has been able to help for so long.
async fn failed_for(health: Arc<Health>, patience: Duration) {
    while health.failures().is_empty() {
        tokio::time::sleep(patience.min(Duration::from_secs(1))).await;
    }
    // There is no way back from a failure.
    tokio::time::sleep(patience).await;
}

/// Waits for the store, and refuses one that does not keep its word or denies what is needed.
async fn probe(store: &dyn Store, unconditional: bool, health: &Health) -> Result<(), String> {
    let token = format!("{}-{}", std::process::id(), unique());
    loop {
        match conditions(store, &token).await {
            Ok(Conditions::Honoured) => return Ok(()),
            Ok(Conditions::Ignored) if unconditional => return Ok(()),
            Ok(Conditions::Ignored) => {
                return Err("the store ignores If-None-Match, so two workers could decide one run; \
                            PRESSWORK_S3_CONDITIONAL=off accepts that"
                    .into());
            }
            Ok(Conditions::Lacking(rights)) => return Err(lacking("PRESSWORK_STORE", &rights)),
            Err(violation) => wait_for("the store", &violation, health).await,
        }
    }
}

/// The same of the orders' own assets, which are only read.
async fn probe_assets(store: &dyn Store, health: &Health) -> Result<(), String> {
    loop {
        match absent(store).await {
            Ok(()) => return Ok(()),
            Err(violation) if violation.code == Code::StoreDenied => {
                return Err(lacking("PRESSWORK_ASSETS", &["s3:GetObject or s3:ListBucket"]));
            }
            Err(violation) => wait_for("the assets' store", &violation, health).await,
        }
    }
}

async fn wait_for(what: &str, violation: &Violation, health: &Health) {
    health.unready(STORE_SILENT, true);
    tracing::warn!(code = %violation.code, detail = violation.detail, "waiting for {what}");
    tokio::time::sleep(Duration::from_secs(1)).await;
}

fn lacking(setting: &str, rights: &[&str]) -> String {
    format!(
        "{setting}: the worker's credentials lack {}. Without s3:ListBucket a bucket denies objects that are \
         absent instead of saying so, and every order would wait for ever; docs/operations.md has the least policy",
        rights.join(", ")
    )
}

/// A name that earlier probes of this machine did not have.
fn unique() -> u128 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap_or_default().as_nanos()
}

/// Keeps readiness up to date with the queue.
async fn report_connection(queue: Arc<dyn Queue>, health: Arc<Health>) {
    loop {
        let now = queue.trouble();
        for trouble in Trouble::ALL {
            health.unready(trouble.as_str(), now == Some(trouble));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_worker_that_only_a_restart_helps_ends() {
        let health = Arc::new(Health::default());
        let mut stuck = Box::pin(failed_for(health.clone(), Duration::from_millis(50)));
        let moment = Duration::from_millis(300);
        assert!(tokio::time::timeout(moment, &mut stuck).await.is_err(), "nothing failed");
        // Waiting for a store or a broker is no reason: a restart would not help.
        health.unready(STORE_SILENT, true);
        assert!(tokio::time::timeout(moment, &mut stuck).await.is_err());
        health.fail("stuck");
        tokio::time::timeout(Duration::from_secs(60), stuck).await.unwrap();
    }
}
