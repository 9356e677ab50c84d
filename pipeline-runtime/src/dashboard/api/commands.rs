//! Commands: first a preview, then the command itself through the journal's inbox, like the command line.

use super::super::gate;
use super::bulk::Bulk;
use super::{Args, Problem, Site, date, name};
use crate::host::{Answer, Command, ask};
use crate::journal::Holder;
use crate::read::{JournalReader, RunFilter};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

/// The number of stored answers, so that a request sent twice is carried out once.
const KEPT: usize = 1_000;
/// The number of newest runs among which a just triggered run is searched.
const NEWEST: u32 = 100;
/// The header that identifies a repeated request.
const KEY: &str = "idempotency-key";

/// The answers by the keys of their requests.
#[derive(Debug, Default)]
pub(crate) struct Answered(Mutex<VecDeque<(String, Once)>>);

/// An answer that is computed once.
type Once = Arc<tokio::sync::OnceCell<Result<Value, Problem>>>;

impl Answered {
    fn of(&self, key: &str) -> Once {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, answer)) = answers.iter().find(|(of, _)| of == key) {
            return Arc::clone(answer);
        }
        let answer = Arc::default();
        answers.push_back((key.to_owned(), Arc::clone(&answer)));
        let over = answers.len().saturating_sub(KEPT);
        answers.drain(..over);
        answer
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct How {
    #[serde(default)]
    dry_run: bool,
}

/// A command, with the hash of its preview.
#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(flatten)]
    command: OneOrMany,
    hash: Option<String>,
}

/// A command for one run or pipeline, or for all runs of a filter.
#[derive(Debug)]
enum OneOrMany {
    One(Command),
    Many(Bulk),
}

impl<'de> Deserialize<'de> for OneOrMany {
    /// Selects the type by name, so that an error is about that type.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Value::deserialize(deserializer)?;
        let is_bulk = given["command"].as_str().is_some_and(|command| command.ends_with("_all"));
        let read = if is_bulk { Bulk::deserialize(given).map(Self::Many) } else { Command::deserialize(given).map(Self::One) };
        read.map_err(serde::de::Error::custom)
    }
}

pub(super) async fn command(
    State(site): State<Arc<Site>>,
    Args(How { dry_run }): Args<How>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let asked: Asked = read(&body)?;
    if matches!(asked.command, OneOrMany::One(Command::Prune { .. })) {
        return Err(Problem::wrong("runs are deleted by `prune` on the command line"));
    }
    if dry_run {
        return preview(&site, &asked.command).await.map(Json);
    }
    if let Some(why) = &site.read_only {
        return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "read-only", format!("commands are refused here: {why}")));
    }
    let key = headers.get(KEY).and_then(|key| key.to_str().ok()).filter(|key| !key.is_empty() && key.len() <= 200);
    match key {
        Some(key) => {
            let answer = site.answered.of(key);
            // Runs in its own task: a client that disconnects and repeats the request with the same key finds it in progress.
            let carried = tokio::spawn(async move { answer.get_or_init(|| carry_out(&site, asked)).await.clone() });
            carried.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic())).map(Json)
        }
        None => carry_out(&site, asked).await.map(Json),
    }
}

fn read<T: serde::de::DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::wrong(format!("the body is not a valid command: {error}")))
}

async fn preview(site: &Arc<Site>, command: &OneOrMany) -> Result<Value, Problem> {
    let held = Holder::of(&site.readers.journal).is_some();
    let mut told = match command {
        OneOrMany::One(command) => preview_one(site, command).await?,
        OneOrMany::Many(bulk) => {
            let preview = bulk.preview(site).await?;
            json!({ "will": preview.will, "nodes": [], "intervals": [], "runs": preview.runs(), "hash": preview.hash() })
        }
    };
    let is_empty = told["runs"].as_array().is_some_and(Vec::is_empty);
    told["possible"] = (held && site.read_only.is_none() && !is_empty).into();
    told["why_not"] = json!(why_not(site, held));
    Ok(told)
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
        None if !is_held => Some(NOBODY.to_owned()),
        None => None,
    }
}

pub(super) const NOBODY: &str = "no process holds the journal: start `serve`, or use the command line";

/// Refuses a command whose effect differs from what was shown, if anything was.
pub(super) fn check(shown: Option<&str>, now: &str) -> Result<(), Problem> {
    match shown {
        Some(shown) if shown != now => {
            Err(Problem::refused("the effect of the command has changed since the preview; preview it again"))
        }
        _ => Ok(()),
    }
}

/// Returns a short hash of the text, stable within this process.
pub(super) fn hash(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

async fn carry_out(site: &Arc<Site>, Asked { command, hash }: Asked) -> Result<Value, Problem> {
    if Holder::of(&site.readers.journal).is_none() {
        return Err(Problem::refused(NOBODY));
    }
    let command = match command {
        OneOrMany::One(command) => command,
        OneOrMany::Many(bulk) => return bulk.carry_out(site, hash.as_deref()).await,
    };
    if hash.is_some() {
        let now = preview_one(site, &command).await?;
        check(hash.as_deref(), now["hash"].as_str().unwrap_or_default())?;
    }
    let triggered = match &command {
        Command::Trigger { pipeline, .. } => Some(pipeline.clone()),
        _ => None,
    };
    let journal = site.readers.journal.clone();
    // It blocks on its own runtime.
    let asked = tokio::task::spawn_blocking(move || ask(&journal, &command)).await;
    let asked = asked.map_err(|error| Problem::refused(&error.to_string()))?;
    match asked? {
        Some(Answer { done: true, text }) => {
            let said = text.clone();
            let run =
                site.readers.read(move |reader| triggered.map(|pipeline| named(reader, &pipeline, &said)).transpose()).await?;
            Ok(json!({ "done": true, "text": text, "run": run.flatten() }))
        }
        Some(Answer { done: false, text }) => Err(Problem::refused(&text)),
        None => Err(Problem::refused(NOBODY)),
    }
}

/// Returns the run that an answer names, among the newest of the pipeline.
fn named(reader: &JournalReader, pipeline: &str, said: &str) -> Result<Option<String>, Problem> {
    let newest = reader.runs(&RunFilter::new().pipeline(pipeline).limit(NEWEST))?;
    Ok(newest.iter().find(|run| said.split(' ').any(|word| word == run.run_id())).map(name))
}

#[derive(Debug, Deserialize)]
struct Login {
    token: String,
}

/// Exchanges the token for a cookie.
pub(super) async fn login(State(site): State<Arc<Site>>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let Login { token } = serde_json::from_slice(&body).map_err(|_| Problem::wrong("the body must be `{\"token\": …}`"))?;
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()).unwrap_or_default();
    let cookie = gate::login(&site.gate, &token, origin.starts_with("https://"))?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}
