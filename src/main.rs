//! presswork on the command line: exit codes only; the library does the work.

use clap::Parser;
use presswork::cli::{BAD_CONFIGURATION, Cli, run};
use presswork::telemetry::logs;
use presswork::telemetry::traces::Traces;
use std::process::ExitCode;

fn main() -> ExitCode {
    let threads = std::env::var("PRESSWORK_CPU_THREADS").ok().and_then(|said| said.trim().parse().ok());
    presswork::memory::give_back(threads);
    let cli = Cli::parse();
    let traces = match Traces::from_environment() {
        Ok(traces) => traces.filter(|_| cli.is_traced()),
        Err(wrong) if cli.is_traced() || cli.shows_settings() => {
            eprintln!("{wrong}");
            return ExitCode::from(BAD_CONFIGURATION);
        }
        Err(_) => None,
    };
    logs::begin(cli.default_log_level(), cli.log_format(), traces.as_ref());
    let code = run(cli);
    if let Some(traces) = traces {
        traces.flush();
    }
    code
}
