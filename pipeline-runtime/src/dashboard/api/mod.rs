//! `/api/v1`: one file per subject. Fields may be added; none is renamed or removed.

mod acts;
mod answer_cache;
mod bulk;
mod calendar;
mod commands;
mod compare;
mod deadlines;
mod ended_runs;
mod events;
mod forecast;
mod graph;
mod health;
mod login;
mod logs;
mod metrics;
mod next_start;
mod node;
mod nodes;
mod overview;
mod pipelines;
mod pools;
mod records;
mod run;
mod runs;
mod schedule;
mod sensors;
mod system;
mod what_if;
mod why;

pub(super) use answer_cache::AnswerCache;
pub(super) use deadlines::DeadlineCache;
pub(super) use events::TopicPositions;
pub(super) use overview::{FailureCache, IdleCache};

use super::Site;
use super::problem::Problem;
use super::run_cache::AsOf;
use crate::observe::{TakenSlots, ms, percentile};
use crate::read::{JournalReader, RunDetails, RunSummary, date};
use crate::schedule::parse_date;
use crate::time::{Timestamp, Zone};
use axum::Router;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::routing::{get, post};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Site>> {
    let of_run = Router::new()
        .route("/", get(run::run))
        .route("/nodes", get(nodes::nodes))
        .route("/node", get(node::node))
        .route("/output", get(node::output))
        .route("/logs", get(logs::logs))
        .route("/log.txt", get(logs::text))
        .route("/records", get(records::records))
        .route("/graph", get(graph::of_run))
        .route("/document.html", get(run::document))
        .route("/what-if", get(what_if::what_if));
    let of_pipeline = Router::new()
        .route("/", get(pipelines::pipeline))
        .route("/graph", get(graph::of_pipeline))
        .route("/form", get(pipelines::form));
    let v1 = Router::new()
        .route("/overview", get(overview::overview))
        .route("/runs", get(runs::runs))
        .route("/scatter", get(runs::scatter))
        .nest("/runs/{pipeline}/{run}", of_run)
        .nest("/pipelines/{pipeline}", of_pipeline)
        .route("/sensors", get(sensors::waiting))
        .route("/sensors/{pipeline}", get(sensors::sensor))
        .route("/pools", get(pools::pools))
        .route("/calendar/{pipeline}", get(calendar::calendar))
        .route("/schedule/{pipeline}", get(schedule::schedule))
        .route("/schedule/{pipeline}/forecast", get(forecast::forecast))
        .route("/commands", post(commands::command))
        .route("/acts", get(acts::acts))
        .route("/system", get(system::system))
        .route("/compare", get(compare::compare))
        .route("/events", get(events::events))
        .route("/login", post(login::login));
    Router::new()
        .nest("/api/v1", v1)
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::metrics))
}

/// The parameters of a query string; errors in them are reported like all others. Their types refuse unknown parameters: without
/// its misspelled parameter a request would have another answer.
pub(super) struct QueryString<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for QueryString<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Query::<T>::from_request_parts(parts, state).await;
        read.map(|Query(args)| Self(args)).map_err(|error| {
            let text = error.body_text();
            let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            let text = text.replace("unknown field", "unknown parameter").replace("there are no fields", "there are none here");
            Problem::bad_request(text)
        })
    }
}

/// The parameters of an address that takes none.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoQuery {}

fn at(time: Timestamp) -> String {
    date(time.to_utc())
}

impl Site {
    /// Passes a run, in its current state or as it was after a record, to `view` on a thread that may block.
    async fn view_run<T: Send + 'static>(
        self: Arc<Self>,
        (pipeline, run): (String, String),
        as_of: AsOf,
        view: impl FnOnce(&Self, &JournalReader, &RunDetails) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let site = Arc::clone(&self);
        self.readers
            .read(move |reader| {
                let run = find_run(reader, &pipeline, &run)?;
                site.run_cache.view(reader, &run, as_of, |details| view(&site, reader, details))
            })
            .await
    }
}

impl Site {
    /// Returns the taken slots of pools; they are read on demand.
    fn taken_slots<'a>(&'a self, reader: &'a JournalReader) -> TakenSlots<'a> {
        TakenSlots::from_fn(move || self.active_runs.taken_slots(reader))
    }
}

/// Returns the run with that pipeline and id.
fn find_run(reader: &JournalReader, pipeline: &str, run: &str) -> Result<RunSummary, Problem> {
    let name = format!("{pipeline}/{run}");
    reader.run(&name)?.ok_or_else(|| Problem::not_found(format!("the journal has no run `{run}` of `{pipeline}`")))
}

/// Serializes a run, with its params.
fn run_json(run: &RunSummary) -> Value {
    let mut json = run.to_json();
    json["run"] = run_name(run).into();
    json["duration_ms"] = json!(run.finished().map(|finished| ms((finished - run.started()).to_std().unwrap_or_default())));
    json
}

/// Serializes a run for lists.
fn run_summary_json(run: &RunSummary) -> Value {
    let mut json = run_json(run);
    if let Some(fields) = json.as_object_mut() {
        fields.remove("params");
    }
    json
}

/// Parses a time of a query, if there is one; in `zone` unless it names one.
fn parse_time(text: Option<&str>, zone: Zone, name: &str) -> Result<Option<DateTime<Utc>>, Problem> {
    let given = text.filter(|text| !text.is_empty()).map(|text| parse_date(text, zone));
    given.transpose().map_err(|error| Problem::bad_request(format!("{name}: {error}")))
}

fn run_name(run: &RunSummary) -> String {
    format!("{}/{}", run.pipeline(), run.run_id())
}
