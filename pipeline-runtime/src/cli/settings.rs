//! `settings`: lists the settings and their values; `settings set` and `settings unset`.

use super::{holder, output};
use crate::author::setting::{self, AnySetting, SettingInput};
use crate::host::{self, Command};
use crate::journal::{Reader, StoredSetting};
use crate::plan::{Plan, settings};
use crate::{Clock, Pipeline};
use chrono::SecondsFormat;
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct SettingsArgs {
    /// Print one JSON object per line and setting
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    command: Option<SettingsCommand>,
}

#[derive(Debug, clap::Subcommand)]
enum SettingsCommand {
    /// Change a setting, in the process that holds the journal if there is one
    ///
    /// Runs that begin from then on use the new value; runs that have begun keep the old one. The journal must exist.
    Set {
        /// The value is read as text, or as JSON if the text is not of the setting's type: limit=200
        #[arg(value_name = "NAME=VALUE", value_parser = super::common_args::key_value)]
        setting: (String, String),
    },
    /// Reset a setting to its default, for runs that begin from then on
    Unset {
        /// The setting's name
        name: String,
    },
}

pub(super) fn run(pipelines: &[Pipeline], args: SettingsArgs, journal: &Path) -> Result<ExitCode, String> {
    match args.command {
        None => list(pipelines, args.json, journal),
        Some(SettingsCommand::Set { setting: (name, value) }) => change(pipelines, &name, &SettingInput::Text(value), journal),
        Some(SettingsCommand::Unset { name }) => change(pipelines, &name, &SettingInput::Default, journal),
    }
}

fn change(pipelines: &[Pipeline], setting: &str, to: &SettingInput, journal: &Path) -> Result<ExitCode, String> {
    let command = Command::Set { setting: setting.to_owned(), to: to.clone() };
    let set = |journal: &_| host::set(journal, pipelines, setting, to, Clock::system().now());
    holder::change(journal, &command, set)
}

fn list(pipelines: &[Pipeline], json: bool, journal: &Path) -> Result<ExitCode, String> {
    let plans = pipelines.iter().map(|pipeline| pipeline.plan(&Value::Null)).collect::<Result<Vec<_>, _>>();
    let plans = plans.map_err(|error| error.to_string())?;
    // The settings are those of the binary, even if the journal knows nothing of them.
    let reader = journal.exists().then(|| Reader::open(journal)).transpose().map_err(|error| error.to_string())?;
    let mut rows = vec![["setting", "value", "default", "set at", "taken by"].map(str::to_owned)];
    for (name, setting) in settings(&plans) {
        let set = reader.as_ref().map(|reader| reader.setting(name)).transpose().map_err(|error| error.to_string())?.flatten();
        let default = setting::default_json(setting)?;
        let taken_by = taken_by(&plans, setting);
        if json {
            output::json(&json!({
                "setting": name,
                "value": set.as_ref().map_or(&default, |set| &set.value),
                "default": default,
                "type": (setting.codec().type_name)(),
                "set_at": set.as_ref().map(date),
                "taken_by": taken_by,
            }));
            continue;
        }
        let value = set.as_ref().map_or(&default, |set| &set.value).to_string();
        let at = set.as_ref().map_or_else(|| "default".to_owned(), date);
        rows.push([name.to_owned(), value, default.to_string(), at, taken_by.join(", ")]);
    }
    if !json {
        output::to_stdout(&output::table(&rows));
    }
    Ok(ExitCode::SUCCESS)
}

fn taken_by<'a>(plans: &'a [Plan], setting: &'static dyn AnySetting) -> Vec<&'a str> {
    let takes = |plan: &&Plan| plan.settings.iter().any(|taken| taken.name() == setting.name());
    plans.iter().filter(takes).map(|plan| plan.pipeline).collect()
}

fn date(set: &StoredSetting) -> String {
    set.at.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true)
}
