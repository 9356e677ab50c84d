//! `assets`: lists the assets and the pipelines that use them; `assets update`: an update from outside.

use super::{holder, output};
use crate::host::{AssetCatalog, Command};
use crate::journal::{Reader, StoredUpdate};
use crate::plan::Use;
use crate::{Clock, Pipeline};
use chrono::SecondsFormat;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct AssetsArgs {
    /// Print one JSON object per line and asset
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    command: Option<AssetsCommand>,
}

#[derive(Debug, clap::Subcommand)]
enum AssetsCommand {
    /// Update an asset from outside, in the process that holds the journal if there is one
    ///
    /// The pipelines that wait for it begin their runs in the process that serves. The journal must exist.
    Update {
        /// The asset's name
        name: String,
        /// The value as JSON, of the asset's type
        #[arg(long, value_name = "JSON")]
        value: String,
    },
}

/// The pipelines that use an asset.
#[derive(Debug, Default)]
struct Users {
    updated_by: Vec<String>,
    awaited_by: Vec<String>,
    read_by: Vec<String>,
    is_external: bool,
}

pub(super) fn run(pipelines: &[Pipeline], args: &AssetsArgs, journal: &Path) -> Result<ExitCode, String> {
    match &args.command {
        None => list(pipelines, args.json, journal),
        Some(AssetsCommand::Update { name, value }) => update(pipelines, name, value, journal),
    }
}

fn list(pipelines: &[Pipeline], json: bool, journal: &Path) -> Result<ExitCode, String> {
    let mut known: BTreeMap<&str, Users> = BTreeMap::new();
    for pipeline in pipelines {
        let plan = pipeline.plan(&Value::Null).map_err(|error| error.to_string())?;
        for (asset, what, _) in plan.uses() {
            let users = known.entry(asset.name).or_default();
            users.is_external |= asset.is_external;
            let users = match what {
                Use::Updates => &mut users.updated_by,
                Use::WaitsFor => &mut users.awaited_by,
                Use::Reads => &mut users.read_by,
            };
            if users.last().map(String::as_str) != Some(plan.pipeline) {
                users.push(plan.pipeline.to_owned());
            }
        }
    }
    // The assets are those of the binary, even if the journal knows nothing of them.
    let reader = journal.exists().then(|| Reader::open(journal)).transpose().map_err(|error| error.to_string())?;
    let mut rows = vec![["asset", "last update", "by", "updated by", "waited for by", "read by"].map(str::to_owned)];
    for (name, users) in &known {
        let newest = reader.as_ref().map(|reader| reader.newest_update(name)).transpose().map_err(|error| error.to_string())?;
        let newest = newest.flatten();
        if json {
            output::json(&as_json(name, users, newest.as_ref()));
        } else {
            rows.push(row(name, users, newest.as_ref()));
        }
    }
    if !json {
        output::to_stdout(&output::table(&rows));
    }
    Ok(ExitCode::SUCCESS)
}

fn row(name: &str, users: &Users, newest: Option<&StoredUpdate>) -> [String; 6] {
    let listed = |pipelines: &[String]| if pipelines.is_empty() { "nobody".to_owned() } else { pipelines.join(", ") };
    let mut updated_by = users.updated_by.clone();
    updated_by.extend(users.is_external.then(|| "from outside".to_owned()));
    let (at, by) = newest.map_or_else(|| ("none".to_owned(), String::new()), |update| (date(update), by(update)));
    [name.to_owned(), at, by, listed(&updated_by), listed(&users.awaited_by), listed(&users.read_by)]
}

fn as_json(name: &str, users: &Users, newest: Option<&StoredUpdate>) -> Value {
    json!({
        "asset": name,
        "last_update": newest.map(date),
        "by": newest.and_then(|update| update.by.as_ref()).map(|by| json!({ "pipeline": by.pipeline, "run_id": by.run_id, "node": by.node })),
        "external": users.is_external,
        "updated_by": users.updated_by,
        "waited_for_by": users.awaited_by,
        "read_by": users.read_by,
    })
}

pub(super) fn date(update: &StoredUpdate) -> String {
    update.at.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Returns what made an update.
pub(super) fn by(update: &StoredUpdate) -> String {
    update.by.as_ref().map_or_else(|| "from outside".to_owned(), ToString::to_string)
}

fn update(pipelines: &[Pipeline], asset: &str, value: &str, journal: &Path) -> Result<ExitCode, String> {
    let value: Value = serde_json::from_str(value).map_err(|error| {
        format!("the value is not valid JSON: {error}; write a text in quotes, as in --value '\"2024-03-25\"'")
    })?;
    let command = Command::Update { asset: asset.to_owned(), value: value.clone() };
    let keep = |journal: &_| AssetCatalog::of(pipelines)?.update(journal, asset, &value, Clock::system().now());
    holder::change(journal, &command, keep)
}
