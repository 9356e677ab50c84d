//! One pipeline: its description and options.

use super::{NoQuery, Problem, QueryString, Site, at, overview, run_summary_json};
use crate::author::params::form::to_json;
use crate::journal::Holder;
use crate::read::RunFilter;
use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use std::sync::Arc;

/// The number of runs in the answer.
const LAST_RUNS: u32 = 100;

/// Returns the fields of a form for its params.
pub(super) async fn form(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    QueryString(NoQuery {}): QueryString<NoQuery>,
) -> Result<Json<Value>, Problem> {
    let pipeline = site.pipelines.iter().find(|pipeline| pipeline.id() == id);
    let pipeline = pipeline.ok_or_else(|| Problem::not_found(format!("this program has no pipeline `{id}`")))?;
    Ok(Json(json!({
        "pipeline": id,
        "timezone": pipeline.zone().name(),
        "scheduled": pipeline.options().schedule.is_some(),
        "fields": to_json(&pipeline.form()),
    })))
}

pub(super) async fn pipeline(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    QueryString(NoQuery {}): QueryString<NoQuery>,
) -> Result<Json<Value>, Problem> {
    let (of, now, is_held) = (Arc::clone(&site), site.clock.now(), Holder::of(&site.readers.journal).is_some());
    let pipeline = site.pipelines.iter().find(|pipeline| pipeline.id() == id).cloned();
    site.readers
        .read(move |reader| {
            let last = reader.runs(&RunFilter::new().pipeline(&id).limit(LAST_RUNS))?;
            if pipeline.is_none() && last.is_empty() {
                return Err(Problem::not_found(format!("neither this program nor the journal has a pipeline `{id}`")));
            }
            let plan = pipeline.as_ref().map(|pipeline| pipeline.plan(&Value::Null));
            let (plan, error) = match plan {
                Some(Ok(plan)) => (Some(plan.to_json()), None),
                Some(Err(error)) => (None, Some(error.to_string())),
                None => (None, None),
            };
            // The pipeline's row of the overview, with more of its runs.
            let paused = reader.paused()?;
            let mut json = overview::row(&of, reader, &id, &paused, now, is_held)?.json;
            json["now"] = at(now).into();
            json["error"] = json!(error);
            json["plan"] = json!(plan);
            json["last"] = last.iter().rev().map(run_summary_json).collect();
            Ok(Json(json))
        })
        .await
}
