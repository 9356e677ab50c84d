//! One pipeline: what it is, and its options.

use super::{Problem, Site, at, overview, summary};
use crate::author::params::form::to_json;
use crate::read::RunFilter;
use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use std::sync::Arc;

/// So many runs are told.
const LAST: u32 = 100;

/// What a form for its params asks for.
pub(super) async fn form(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let pipeline = site.pipelines.iter().find(|pipeline| pipeline.id() == id);
    let pipeline = pipeline.ok_or_else(|| Problem::not_found(format!("this program has no pipeline `{id}`")))?;
    Ok(Json(json!({ "pipeline": id, "fields": to_json(&pipeline.form()) })))
}

pub(super) async fn pipeline(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let now = site.clock.now();
    let pipeline = site.pipelines.iter().find(|pipeline| pipeline.id() == id).cloned();
    site.readers
        .read(move |reader| {
            let last = reader.runs(&RunFilter::new().pipeline(&id).limit(LAST))?;
            if pipeline.is_none() && last.is_empty() {
                return Err(Problem::not_found(format!("neither this program nor the journal has a pipeline `{id}`")));
            }
            let is_paused = reader.paused()?.contains(&id);
            let next = pipeline.as_ref().map(|pipeline| overview::next(reader, pipeline, is_paused, now)).transpose()?;
            let next = next.unwrap_or_default();
            let plan = pipeline.as_ref().map(|pipeline| pipeline.plan(&Value::Null));
            let (plan, error) = match plan {
                Some(Ok(plan)) => (Some(plan.to_json()), None),
                Some(Err(error)) => (None, Some(error.to_string())),
                None => (None, None),
            };
            Ok(Json(json!({
                "now": at(now),
                "pipeline": id,
                "known": pipeline.is_some(),
                "description": pipeline.as_ref().map(|pipeline| pipeline.description().trim()),
                "tags": pipeline.as_ref().map(crate::Pipeline::tags).unwrap_or_default(),
                "schedule": next.schedule,
                "timezone": next.zone,
                "next_run": next.at.map(super::date),
                "next_text": next.text,
                "paused": is_paused,
                "error": error,
                "plan": plan,
                "last": last.iter().rev().map(summary).collect::<Vec<_>>(),
            })))
        })
        .await
}
