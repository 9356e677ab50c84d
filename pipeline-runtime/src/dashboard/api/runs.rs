//! Lists of runs, and their durations over time.

use super::{Problem, QueryString, Site, at, date, ms, parse_time, run_json};
use crate::Pipeline;
use crate::engine::RunState;
use crate::journal::{BLOCKED, DurationQuery};
use crate::read::{ReadError, RunFilter, parse_since};
use crate::schedule::RunKind;
use crate::time::{Timestamp, Zone};
use axum::Json;
use axum::extract::State;
use chrono::{DateTime, TimeDelta};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The longest page.
const MAX_PAGE: u32 = 1_000;
/// The maximum number of points of a scatter plot.
const MAX_POINTS: u32 = 10_000;

/// The filter is not flattened: then unknown parameters would not be refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RunsQuery {
    pipeline: Option<String>,
    state: Option<String>,
    kind: Option<String>,
    since: Option<String>,
    limit: Option<String>,
    after: Option<String>,
}

/// A filter of runs.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    pub(super) pipeline: Option<String>,
    pub(super) state: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) since: Option<String>,
}

impl Filter {
    /// Describes the filter, after `run` or `runs`.
    pub(super) fn describe(&self) -> String {
        let of = |words: &str, text: &Option<String>| {
            text.as_deref().filter(|text| !text.is_empty()).map(|text| format!("{words} `{text}`"))
        };
        let all = [of("pipeline", &self.pipeline), of("state", &self.state), of("kind", &self.kind), of("since", &self.since)];
        let all: Vec<String> = all.into_iter().flatten().collect();
        if all.is_empty() { " of all pipelines".to_owned() } else { format!(" ({})", all.join(", ")) }
    }
}

pub(super) async fn runs(
    State(site): State<Arc<Site>>,
    QueryString(query): QueryString<RunsQuery>,
) -> Result<Json<Value>, Problem> {
    let now = at(site.clock.now());
    let RunsQuery { pipeline, state, kind, since, limit, after } = query;
    let limit = limit.as_deref().filter(|limit| !limit.is_empty()).map(str::parse).transpose();
    let limit: u32 = limit.map_err(|_| Problem::bad_request("limit: it is not a number"))?.unwrap_or(50).clamp(1, MAX_PAGE);
    let of = Filter { pipeline, state, kind, since };
    let filter = filter(&of, &site.pipelines, site.clock.now())?.limit(limit);
    let (runs, next) = site
        .readers
        .read(move |reader| {
            let filter = match after.filter(|after| !after.is_empty()) {
                Some(after) => {
                    let after =
                        reader.run(&after)?.ok_or_else(|| Problem::not_found(format!("the journal has no run `{after}`")))?;
                    filter.after(&after)
                }
                None => filter,
            };
            let runs = reader.runs(&filter)?;
            let next = runs.last().filter(|_| runs.len() == limit as usize).map(super::run_name);
            let runs: Vec<Value> = runs.iter().map(run_json).collect();
            Ok((runs, next))
        })
        .await?;
    Ok(Json(json!({ "now": now, "runs": runs, "next": next })))
}

/// Returns the zone of dates that are given without one.
fn zone(pipelines: &[Pipeline], named: Option<&str>) -> Zone {
    Pipeline::zone_of_all(pipelines, named.filter(|id| !id.is_empty()))
}

/// Converts a filter of the API to one of the journal.
pub(super) fn filter(query: &Filter, pipelines: &[Pipeline], now: Timestamp) -> Result<RunFilter, Problem> {
    let non_empty = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let mut filter = RunFilter::new();
    if let Some(pipeline) = non_empty(&query.pipeline) {
        filter = filter.pipeline(pipeline);
    }
    if let Some(state) = non_empty(&query.state) {
        filter = match state.as_str() {
            BLOCKED => filter.blocked(),
            state => {
                let states = [RunState::Queued, RunState::Running, RunState::Success, RunState::Failed, RunState::Cancelled];
                let found = states.into_iter().find(|known| known.name() == state);
                filter.state(found.ok_or_else(|| Problem::bad_request(format!("there is no state `{state}` of a run")))?)
            }
        };
    }
    if let Some(kind) = non_empty(&query.kind) {
        filter = filter
            .kind(RunKind::parse(&kind).ok_or_else(|| Problem::bad_request(format!("there is no kind `{kind}` of a run")))?);
    }
    if let Some(since) = non_empty(&query.since) {
        let since = parse_since(&since, zone(pipelines, query.pipeline.as_deref()), now);
        filter = filter.since(since.map_err(|error| Problem::bad_request(format!("since: {error}")))?);
    }
    Ok(filter)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScatterQuery {
    pipeline: Option<String>,
    from: Option<String>,
    to: Option<String>,
    points: Option<u32>,
}

pub(super) async fn scatter(
    State(site): State<Arc<Site>>,
    QueryString(query): QueryString<ScatterQuery>,
) -> Result<Json<Value>, Problem> {
    let now = site.clock.now();
    let zone = zone(&site.pipelines, query.pipeline.as_deref());
    let to = parse_time(query.to.as_deref(), zone, "to")?.unwrap_or_else(|| now.to_utc());
    let from = parse_time(query.from.as_deref(), zone, "from")?.unwrap_or(to - TimeDelta::days(7));
    let points = query.points.unwrap_or(2_000).clamp(1, MAX_POINTS);
    let of = Arc::clone(&site);
    let buckets = site
        .readers
        .read(move |reader| {
            let buckets_query =
                DurationQuery::new(query.pipeline.filter(|pipeline| !pipeline.is_empty()), from.into(), to.into(), points);
            Ok(of.durations.read(reader.journal(), &buckets_query).map_err(ReadError::from)?)
        })
        .await?;
    let runs: i64 = buckets.iter().map(|bucket| bucket.count).sum();
    let points: Vec<Value> = buckets
        .iter()
        .map(|bucket| {
            let took = bucket.finished.unwrap_or(now).since(bucket.started);
            let started = bucket.started.since(Timestamp::from(DateTime::UNIX_EPOCH));
            json!([ms(started), ms(took), bucket.state, bucket.count, format!("{}/{}", bucket.pipeline, bucket.run_id)])
        })
        .collect();
    Ok(Json(json!({ "from": date(from), "to": date(to), "runs": runs, "points": points })))
}
