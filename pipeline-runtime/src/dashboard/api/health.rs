//! For whoever watches the process: whether it answers, whether schedules are followed, and counts.

use super::{Problem, Site, overview};
use crate::engine::RunState;
use crate::journal::Holder;
use crate::read::ReadError;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::fmt::Write;
use std::sync::Arc;

/// `ok` where the journal can be read. It holds nothing else, and needs no token.
pub(super) async fn healthz(State(site): State<Arc<Site>>) -> Response {
    match site.readers.read(|reader| Ok(reader.version()?)).await {
        Ok(_) => "ok\n".into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "journal\n").into_response(),
    }
}

/// `ok` while a process holds the journal.
pub(super) async fn readyz(State(site): State<Arc<Site>>) -> Response {
    match Holder::of(&site.readers.journal) {
        Some(_) => "ok\n".into_response(),
        None => (StatusCode::SERVICE_UNAVAILABLE, "nobody\n").into_response(),
    }
}

/// What Prometheus reads: counts of what is unfinished, and sizes. Nothing in it is of one run or node, of which there is no bound.
pub(super) async fn metrics(State(site): State<Arc<Site>>) -> Result<Response, Problem> {
    let pipelines = site.pipelines.clone();
    let text = site
        .readers
        .read(move |reader| {
            let mut text = String::new();
            let ids = overview::known(reader, &pipelines)?;
            family(&mut text, "pipeline_runs_active", "Runs that have begun and not ended.");
            for id in &ids {
                sample(&mut text, "pipeline_runs_active", id, reader.journal().count(id, RunState::Running)?);
            }
            family(&mut text, "pipeline_runs_queued", "Runs that wait for their turn.");
            for id in &ids {
                sample(&mut text, "pipeline_runs_queued", id, reader.journal().count(id, RunState::Queued)?);
            }
            let paused = reader.paused()?;
            family(&mut text, "pipeline_paused", "1 where the schedule is paused.");
            for id in &ids {
                sample(&mut text, "pipeline_paused", id, i64::from(paused.contains(id)));
            }
            let (bytes, free) = reader.journal().pages().map_err(ReadError::from)?;
            for (name, help, value) in [
                ("pipeline_runs_blocked", "Runs that a process could not go on with.", reader.journal().blocked()?),
                ("pipeline_journal_bytes", "What the journal's pages take.", bytes),
                ("pipeline_journal_free_bytes", "What of them is free.", free),
            ] {
                family(&mut text, name, help);
                // Writing to a text cannot fail.
                let _ = writeln!(text, "{name} {value}");
            }
            Ok(text)
        })
        .await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

fn family(text: &mut String, name: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
}

fn sample(text: &mut String, name: &str, pipeline: &str, value: i64) {
    // Ids of pipelines are names: nothing in them is escaped.
    let _ = writeln!(text, "{name}{{pipeline=\"{pipeline}\"}} {value}");
}
