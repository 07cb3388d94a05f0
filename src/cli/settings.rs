//! The settings as flags, made from the one list of them.

use crate::config::{FLAGS, Given, SETTINGS};
use clap::error::Error;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

/// The flags that were given, with their values.
#[derive(Debug, Default)]
pub(crate) struct SettingArgs(Vec<(String, String)>);

impl SettingArgs {
    /// The environment with the flags, as the settings are read from them.
    pub(crate) fn with_environment(&self) -> impl Iterator<Item = (String, String)> {
        // A variable that is not text cannot be one of ours with a value that reads.
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
        });
        self.0.iter().cloned().chain(variables)
    }
}

impl FromArgMatches for SettingArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let given = FLAGS.iter().filter_map(|(setting, flag)| {
            let value = matches.get_one::<String>(setting.name)?;
            Some((flag.clone(), value.clone()))
        });
        Ok(SettingArgs(given.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = SettingArgs::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for SettingArgs {
    fn augment_args(command: Command) -> Command {
        let flags = FLAGS.iter().map(|(setting, flag)| {
            Arg::new(setting.name)
                .long(flag.trim_start_matches('-'))
                .value_name(setting.value)
                .help(setting.help)
                .help_heading(setting.group)
                .action(ArgAction::Set)
        });
        command.args(flags).after_help(explained())
    }

    fn augment_args_for_update(command: Command) -> Command {
        SettingArgs::augment_args(command)
    }
}

fn explained() -> String {
    let secrets = SETTINGS.iter().filter(|setting| setting.given == Given::Secret);
    let secrets: Vec<String> = secrets.map(|setting| format!("PRESSWORK_{}", setting.name)).collect();
    format!(
        "Each flag stands for a setting of the environment and wins over it: --memory-budget for \
         PRESSWORK_MEMORY_BUDGET. Each variable may name a file instead, as PRESSWORK_MEMORY_BUDGET_FILE. \
         Secrets have no flag, since command lines are seen by everybody on a machine: {} are variables, \
         or files, alone.",
        secrets.join(" and ")
    )
}
