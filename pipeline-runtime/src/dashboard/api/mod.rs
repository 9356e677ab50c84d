//! `/api/v1`: one file a subject. Fields may be added, and none is renamed or taken away.

mod acts;
mod calendar;
mod commands;
mod compare;
mod events;
mod graph;
mod health;
mod logs;
mod node;
mod nodes;
mod overview;
mod pipelines;
mod pools;
mod records;
mod run;
mod runs;
mod sensors;
mod system;
mod why;

pub(super) use commands::Answered;

use super::Site;
use super::problem::Problem;
use crate::read::{JournalReader, RunSummary};
use crate::time::Timestamp;
use axum::Router;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::routing::{get, post};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

pub(super) fn routes() -> Router<Arc<Site>> {
    let of_run = Router::new()
        .route("/", get(run::run))
        .route("/nodes", get(nodes::nodes))
        .route("/node", get(node::node))
        .route("/output", get(node::output))
        .route("/logs", get(logs::logs))
        .route("/log.txt", get(logs::text))
        .route("/records", get(records::records))
        .route("/graph", get(graph::of_run));
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
        .route("/schedule/{pipeline}", get(calendar::schedule))
        .route("/commands", post(commands::command))
        .route("/acts", get(acts::acts))
        .route("/system", get(system::system))
        .route("/compare", get(compare::compare))
        .route("/events", get(events::events))
        .route("/login", post(commands::login));
    Router::new()
        .nest("/api/v1", v1)
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
}

/// The arguments of a query, whose mistakes are told as all others.
pub(super) struct Args<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Args<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Query::<T>::from_request_parts(parts, state).await;
        read.map(|Query(args)| Self(args)).map_err(|error| Problem::wrong(error.body_text()))
    }
}

fn date(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn at(time: Timestamp) -> String {
    date(time.to_utc())
}

/// Milliseconds, with what of a microsecond JSON can hold.
#[expect(clippy::cast_precision_loss, reason = "beyond 285 years")]
fn ms(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1_000.0
}

/// What is asked for, and known by its pipeline and id.
fn found(reader: &JournalReader, pipeline: &str, run: &str) -> Result<RunSummary, Problem> {
    let name = format!("{pipeline}/{run}");
    reader.run(&name)?.ok_or_else(|| Problem::not_found(format!("the journal has no run `{run}` of `{pipeline}`")))
}

/// A run, as lists have it.
fn summary(run: &RunSummary) -> Value {
    let took = run.finished().map(|finished| (finished - run.started()).to_std().unwrap_or_default());
    json!({
        "run": name(run),
        "run_id": run.run_id(),
        "pipeline": run.pipeline(),
        "kind": run.kind(),
        "state": run.shown_state(),
        "blocked": run.blocked(),
        "logical_date": date(run.interval().start),
        "data_interval_end": date(run.interval().end),
        "started": date(run.started()),
        "finished": run.finished().map(date),
        "duration_ms": took.map(ms),
    })
}

fn name(run: &RunSummary) -> String {
    format!("{}/{}", run.pipeline(), run.run_id())
}
