//! Forecasts a pipeline's schedule under given assumptions.

use super::{Problem, QueryString, Site};
use crate::host::{Forecast, ForecastAssumptions, ForecastError};
use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;
use std::sync::Arc;

/// The query takes `ticks`, `until`, `takes`, `stopped`, `paused`, `fail` and `set`, in the notation of `forecast` on the command
/// line.
pub(super) async fn forecast(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    QueryString(query): QueryString<Vec<(String, String)>>,
) -> Result<Json<Value>, Problem> {
    let pipeline = site.pipelines.iter().find(|pipeline| pipeline.id() == id).cloned();
    let pipeline = pipeline.ok_or_else(|| Problem::not_found(format!("this program has no pipeline `{id}`")))?;
    let pairs = query.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let assumptions = ForecastAssumptions::of(pairs, pipeline.zone()).map_err(|error| Problem::bad_request(error.to_string()))?;
    let now = site.clock.now();
    let forecast = move |reader: &_| Forecast::of(Some(reader), &pipeline, &assumptions, now).map_err(problem);
    site.readers.read(forecast).await.map(|forecast| Json(forecast.to_json()))
}

fn problem(error: ForecastError) -> Problem {
    match error {
        ForecastError::NoSchedule(_) => Problem::not_found(error.to_string()),
        ForecastError::Read(error) => error.into(),
        ForecastError::Wrong { .. } => Problem::bad_request(error.to_string()),
        error => Problem::refused(&error.to_string()),
    }
}
