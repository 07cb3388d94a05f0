//! presswork on the command line: exit codes only; the library does the work.

mod memory;

use clap::Parser;
use presswork::cli::{Cli, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    memory::give_back();
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    run(Cli::parse())
}
