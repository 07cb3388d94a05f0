//! presswork on the command line: exit codes only; the library does the work.

mod memory;

use clap::Parser;
use presswork::cli::{Cli, run};
use std::io::IsTerminal;
use std::process::ExitCode;

fn main() -> ExitCode {
    memory::give_back();
    let cli = Cli::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| cli.default_log_level().into());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let json = match std::env::var("PRESSWORK_LOG_FORMAT").as_deref() {
        Ok("json") => true,
        Ok("text") => false,
        Ok(_) | Err(_) => !std::io::stderr().is_terminal(),
    };
    if json {
        log.json().init();
    } else {
        log.init();
    }
    run(cli)
}
