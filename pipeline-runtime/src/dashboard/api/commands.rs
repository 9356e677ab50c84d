//! Commands: first a preview, then the command itself through the journal's inbox, like the command line.

use super::bulk::BulkCommand;
use super::{Problem, QueryString, Site, date, run_name};
use crate::hash::Fnv1a;
use crate::host::{Answer, Command, ask};
use crate::journal::Holder;
use crate::read::{JournalReader, RunFilter};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The number of newest runs among which a just triggered run is searched.
const SEARCHED_RUNS: u32 = 100;
/// The header that identifies a repeated request.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CommandQuery {
    #[serde(default)]
    dry_run: bool,
}

/// A command, with the hash of its preview.
#[derive(Debug, Deserialize)]
struct CommandRequest {
    #[serde(flatten)]
    command: OneOrMany,
    hash: Option<String>,
}

/// A command for one run or pipeline, or for all runs of a filter.
#[derive(Debug)]
enum OneOrMany {
    One(Command),
    Many(BulkCommand),
}

impl<'de> Deserialize<'de> for OneOrMany {
    /// Selects the type by name, so that an error is about that type.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let is_bulk = value["command"].as_str().is_some_and(|command| command.ends_with("_all"));
        let read =
            if is_bulk { BulkCommand::deserialize(value).map(Self::Many) } else { Command::deserialize(value).map(Self::One) };
        read.map_err(serde::de::Error::custom)
    }
}

pub(super) async fn command(
    State(site): State<Arc<Site>>,
    QueryString(CommandQuery { dry_run }): QueryString<CommandQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let request: CommandRequest = read(&body)?;
    if matches!(request.command, OneOrMany::One(Command::Prune { .. })) {
        return Err(Problem::bad_request("runs are deleted by `prune` on the command line"));
    }
    if dry_run {
        return preview(&site, &request.command).await.map(Json);
    }
    if let Some(why) = &site.read_only {
        return Err(Problem::method_not_allowed("read-only", format!("commands are refused here: {why}")));
    }
    let key = headers.get(IDEMPOTENCY_KEY).and_then(|key| key.to_str().ok()).filter(|key| !key.is_empty() && key.len() <= 200);
    match key {
        Some(key) => {
            let answer = site.answers.of(key);
            // Runs in its own task: a client that disconnects and repeats the request with the same key finds it in progress.
            let task = tokio::spawn(async move { answer.get_or_init(|| carry_out(&site, request)).await.clone() });
            task.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic())).map(Json)
        }
        None => carry_out(&site, request).await.map(Json),
    }
}

fn read<T: serde::de::DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::bad_request(format!("the body is not a valid command: {error}")))
}

async fn preview(site: &Arc<Site>, command: &OneOrMany) -> Result<Value, Problem> {
    let is_held = Holder::of(&site.readers.journal).is_some();
    let mut preview = match command {
        OneOrMany::One(command) => preview_one(site, command).await?,
        OneOrMany::Many(bulk) => {
            let preview = bulk.preview(site).await?;
            json!({ "will": preview.will, "nodes": [], "intervals": [], "runs": preview.runs(), "hash": preview.hash() })
        }
    };
    let is_empty = preview["runs"].as_array().is_some_and(Vec::is_empty);
    preview["possible"] = (is_held && site.read_only.is_none() && !is_empty).into();
    preview["why_not"] = json!(why_not(site, is_held));
    Ok(preview)
}

async fn preview_one(site: &Arc<Site>, command: &Command) -> Result<Value, Problem> {
    let (command, pipelines, now) = (command.clone(), site.pipelines.clone(), site.clock.now());
    let preview = site.readers.read(move |reader| Ok(command.preview(reader.journal(), &pipelines, now)?)).await?;
    let nodes: Vec<Value> =
        preview.nodes.iter().map(|(node, from, to)| json!({ "node": node, "from": from, "to": to })).collect();
    let intervals: Vec<Value> = preview
        .intervals
        .iter()
        .map(|(interval, run, taken)| {
            json!({
                "start": date(interval.start),
                "end": date(interval.end),
                "run": run.as_ref().map(|(run_id, _)| run_id),
                "state": run.as_ref().map(|(_, state)| state.name()),
                "taken": taken,
            })
        })
        .collect();
    let hash = hash(&format!("{}{nodes:?}{intervals:?}", preview.will));
    Ok(json!({ "will": preview.will, "nodes": nodes, "intervals": intervals, "hash": hash }))
}

fn why_not(site: &Site, is_held: bool) -> Option<String> {
    match &site.read_only {
        Some(why) => Some(why.clone()),
        None if !is_held => Some(NO_HOLDER.to_owned()),
        None => None,
    }
}

pub(super) const NO_HOLDER: &str = "no process holds the journal: start `serve`, or use the command line";

/// Refuses a command whose effect differs from what was shown, if anything was.
pub(super) fn check_hash(shown: Option<&str>, now: &str) -> Result<(), Problem> {
    match shown {
        Some(shown) if shown != now => {
            Err(Problem::refused("the effect of the command has changed since the preview; preview it again"))
        }
        _ => Ok(()),
    }
}

/// Returns a short hash of the text.
pub(super) fn hash(text: &str) -> String {
    format!("{:016x}", Fnv1a::of(text.as_bytes()))
}

async fn carry_out(site: &Arc<Site>, CommandRequest { command, hash }: CommandRequest) -> Result<Value, Problem> {
    if Holder::of(&site.readers.journal).is_none() {
        return Err(Problem::refused(NO_HOLDER));
    }
    let command = match command {
        OneOrMany::One(command) => command,
        OneOrMany::Many(bulk) => return bulk.carry_out(site, hash.as_deref()).await,
    };
    if hash.is_some() {
        let now = preview_one(site, &command).await?;
        check_hash(hash.as_deref(), now["hash"].as_str().unwrap_or_default())?;
    }
    let triggered = match &command {
        Command::Trigger { pipeline, .. } => Some(pipeline.clone()),
        _ => None,
    };
    let journal = site.readers.journal.clone();
    // It blocks on its own runtime.
    let answer = tokio::task::spawn_blocking(move || ask(&journal, &command)).await;
    let answer = answer.map_err(|error| Problem::refused(&error.to_string()))?;
    match answer? {
        Some(Answer { done: true, text }) => {
            let answer_text = text.clone();
            let run = site
                .readers
                .read(move |reader| triggered.map(|pipeline| triggered_run(reader, &pipeline, &answer_text)).transpose())
                .await?;
            Ok(json!({ "done": true, "text": text, "run": run.flatten() }))
        }
        Some(Answer { done: false, text }) => Err(Problem::refused(&text)),
        None => Err(Problem::refused(NO_HOLDER)),
    }
}

/// Returns the run that an answer names, among the newest of the pipeline.
fn triggered_run(reader: &JournalReader, pipeline: &str, answer: &str) -> Result<Option<String>, Problem> {
    let newest = reader.runs(&RunFilter::new().pipeline(pipeline).limit(SEARCHED_RUNS))?;
    Ok(newest.iter().find(|run| answer.split(' ').any(|word| word == run.run_id())).map(run_name))
}
