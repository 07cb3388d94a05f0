//! What the fleet's commands share: settings, a runtime, and the way to queue and store.

use super::BAD_CONFIGURATION;
use super::settings::SettingArgs;
use crate::asset::Limits;
use crate::config::{Config, QueueAt, StoreAt, Use};
use crate::edge::machine;
use crate::edge::queue::Queue;
use crate::edge::queue::amqp::{Amqp, AmqpSettings};
use crate::edge::queue::dir::Spool;
use crate::edge::queue::topology::Names;
use crate::edge::store::Store;
use crate::edge::store::dir::DirStore;
use crate::edge::store::s3::{S3Settings, S3Store};
use crate::telemetry::Metrics;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How long a connection or a confirm may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Reads the settings and runs a command with them.
pub(super) fn with_config<F: Future<Output = ExitCode>>(
    user: Use,
    flags: &SettingArgs,
    run: impl FnOnce(Config) -> F,
) -> ExitCode {
    let config = match config(user, flags) {
        Ok(config) => config,
        Err(code) => return code,
    };
    // As many as paint: on a large node a worker has no business with every processor.
    let threads = config.threads.max(1);
    match tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(run(config));
            runtime.shutdown_timeout(Duration::from_millis(500));
            code
        }
        Err(e) => {
            eprintln!("the runtime cannot be started: {}", e.kind());
            ExitCode::FAILURE
        }
    }
}

/// The limits in force, for commands that need no fleet; as many threads paint as the settings say.
pub(super) fn local() -> Result<Limits, ExitCode> {
    let refuse = |why: String| {
        eprintln!("{why}");
        ExitCode::from(BAD_CONFIGURATION)
    };
    let local = crate::config::local(SettingArgs::default().with_environment());
    let local = local.map_err(|wrong| refuse(wrong.to_string()))?;
    if let Some(threads) = local.threads {
        painters(threads).map_err(refuse)?;
    }
    Ok(local.limits)
}

/// Starts the threads that paint.
pub(super) fn painters(threads: usize) -> Result<(), String> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(|i| format!("painter-{i}"));
    pool.build_global().map_err(|e| format!("the painters' threads cannot be started: {e}"))
}

fn config(user: Use, flags: &SettingArgs) -> Result<Config, ExitCode> {
    Config::read(flags.with_environment(), machine::look(Path::new("/")), user).map_err(|wrong| {
        eprintln!("{wrong}");
        ExitCode::from(BAD_CONFIGURATION)
    })
}

/// `presswork config`: the effective settings.
pub(super) fn show(flags: &SettingArgs) -> ExitCode {
    match config(Use::Worker, flags) {
        Ok(config) => {
            for warning in config.warnings() {
                eprintln!("warning: {warning}");
            }
            super::print_line(&config.shown())
        }
        Err(code) => code,
    }
}

/// The queue that the settings name.
pub(super) fn queue(config: &Config, metrics: Arc<Metrics>) -> Arc<dyn Queue> {
    match &config.queue {
        QueueAt::Dir(path) => Arc::new(Spool::new(path).counted_by(metrics)),
        QueueAt::Amqp(url) => {
            let settings = AmqpSettings {
                url: with_heartbeat(url, config.heartbeat),
                ca_pem: config.ca_pem.clone(),
                identity: config.identity.clone(),
                names: Names::new(config.queue_prefix.clone()),
                classes: config.classes.clone(),
                results_queue: config.results_queue,
                patience: PATIENCE,
            };
            Arc::new(Amqp::start(settings, metrics))
        }
    }
}

fn with_heartbeat(url: &str, seconds: u16) -> String {
    match url {
        url if url.contains("heartbeat=") => url.to_owned(),
        url if url.contains('?') => format!("{url}&heartbeat={seconds}"),
        url => format!("{url}?heartbeat={seconds}"),
    }
}

/// The store behind an address.
pub(super) async fn store(config: &Config, at: &StoreAt, metrics: &Metrics) -> Arc<dyn Store> {
    match at {
        StoreAt::Dir(path) => Arc::new(DirStore::new(path)),
        StoreAt::S3 { bucket, prefix } => {
            let settings = S3Settings {
                bucket: bucket.clone(),
                prefix: prefix.clone(),
                path_style: config.s3_path_style,
                object_tags: config.s3_object_tags.clone(),
                kms_key: config.s3_kms_key.clone(),
            };
            Arc::new(S3Store::connect(settings, metrics).await)
        }
    }
}

/// Metrics in a registry of their own.
pub(super) fn metrics() -> Result<Arc<Metrics>, ExitCode> {
    Metrics::new(prometheus::Registry::new()).map(Arc::new).map_err(|e| {
        eprintln!("the metrics cannot be registered: {e}");
        ExitCode::FAILURE
    })
}

/// A setting that a command cannot do without.
pub(super) fn required<T>(value: Option<T>, name: &str) -> Result<T, ExitCode> {
    value.ok_or_else(|| {
        eprintln!("PRESSWORK_{name}: this command needs it");
        ExitCode::from(BAD_CONFIGURATION)
    })
}
