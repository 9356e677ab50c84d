//! Sensors: which are waiting now, and how long one of them waited in the last runs.

mod arrival;

use super::{NoQuery, Problem, QueryString, Site, at, ms, percentile};
use crate::dashboard::active_runs::MAX_SENSORS;
use crate::observe::RunHistory;
use crate::plan::SensorPolicy;
use crate::read::{ReadError, RunDetails, RunFilter};
use crate::time::Timestamp;
use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The maximum number of past runs.
const MAX_RUNS: u32 = 500;

pub(super) async fn waiting(
    State(site): State<Arc<Site>>,
    QueryString(NoQuery {}): QueryString<NoQuery>,
) -> Result<Json<Value>, Problem> {
    let now = site.clock.now();
    let of = Arc::clone(&site);
    let runs = site.readers.read(move |reader| Ok(of.active_runs.usages(reader).map_err(ReadError::from)?)).await?;
    let count: usize = runs.iter().map(|run| run.waiting).sum();
    let mut waiting: Vec<&(Option<Timestamp>, Value)> = runs.iter().flat_map(|run| &run.sensors).collect();
    waiting.sort_by_key(|(deadline, _)| deadline.unwrap_or(Timestamp::NEVER));
    let json: Vec<Value> = waiting
        .into_iter()
        .take(MAX_SENSORS)
        .map(|(deadline, sensor)| {
            let mut json = sensor.clone();
            json["left_ms"] = json!(deadline.map(|deadline| ms(deadline.since(now))));
            json
        })
        .collect();
    Ok(Json(json!({ "now": at(now), "count": count, "waiting": json })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SensorQuery {
    node: String,
    runs: Option<u32>,
}

/// How a run's sensor waited.
struct Wait {
    json: Value,
    /// Set if the sensor succeeded.
    waited: Option<Duration>,
    is_timeout: bool,
    /// How long its object existed during the wait before it was seen.
    unseen: Option<Duration>,
}

pub(super) async fn sensor(
    State(site): State<Arc<Site>>,
    Path(pipeline): Path<String>,
    QueryString(SensorQuery { node, runs }): QueryString<SensorQuery>,
) -> Result<Json<Value>, Problem> {
    let now = site.clock.now();
    site.readers
        .read(move |reader| {
            let last = reader.runs(&RunFilter::new().pipeline(&pipeline).limit(runs.unwrap_or(90).clamp(1, MAX_RUNS)))?;
            let mut waits = Vec::new();
            let mut options = (None, None);
            for run in &last {
                let Ok(details) = reader.details(run) else { continue };
                let history = details.history();
                let Some(slot) = history.find(&node).filter(|slot| history.is_sensor(*slot)) else { continue };
                if let (Some(sensor), None) = (&history.plan().policy(history.node_ix(slot)).sensor, options.1) {
                    options = (Some(poke(sensor)), Some(sensor.timeout));
                }
                waits.extend(wait(&details, history, slot, now));
            }
            if waits.is_empty() && last.is_empty() {
                return Err(Problem::not_found(format!("the journal has no run of `{pipeline}`")));
            }
            let timeouts = waits.iter().filter(|wait| wait.is_timeout).count();
            let mut found: Vec<Duration> = waits.iter().filter_map(|wait| wait.waited).collect();
            found.sort_unstable();
            let mut unseen: Vec<Duration> = waits.iter().filter_map(|wait| wait.unseen).collect();
            unseen.sort_unstable();
            let of = |percent| percentile(&found, percent);
            Ok(Json(json!({
                "now": at(now),
                "node": node,
                "pipeline": pipeline,
                "poke_ms": options.0.map(ms),
                "timeout_ms": options.1.map(ms),
                "p50_ms": of(50).map(ms),
                "p95_ms": of(95).map(ms),
                "timeouts": timeouts,
                "unseen_p50_ms": percentile(&unseen, 50).map(ms),
                "unseen_p95_ms": percentile(&unseen, 95).map(ms),
                "sentence": sentence(&found, &unseen, timeouts, options.1),
                "runs": waits.into_iter().map(|wait| wait.json).collect::<Vec<_>>(),
            })))
        })
        .await
}

/// Returns the wait between its first two pokes.
fn poke(sensor: &SensorPolicy) -> Duration {
    sensor.poke.wait(0, || 0.0)
}

fn wait(details: &RunDetails, history: &RunHistory, slot: u32, now: Timestamp) -> Option<Wait> {
    let node = history.node(slot);
    let began = node.began()?;
    let until = node.finished_at().unwrap_or_else(|| now.since(history.started));
    let state = node.state();
    let is_timeout = matches!(state, crate::NodeState::Failed | crate::NodeState::Skipped)
        && history.deadline(slot).is_some_and(|deadline| until >= deadline);
    let waited = until.saturating_sub(began);
    let found = (state == crate::NodeState::Success).then_some(waited);
    let arrived = found.and_then(|_| arrival::of(node.output()?));
    // An object that existed before the first poke was seen by that poke.
    let unseen = arrived.map(|arrived| (history.started + until).since(arrived.max(history.started + began)));
    let json = json!({
        "run": super::run_name(details.summary()),
        "started": at(history.started + began),
        "wait_ms": ms(waited),
        "pokes": node.pokes(),
        "state": state,
        "timed_out": is_timeout,
        "arrived": arrived.map(at),
        "seen": arrived.map(|_| at(history.started + until)),
        "arrival_ms": arrived.map(|arrived| ms(arrived.since(history.started + began))),
        "unseen_ms": unseen.map(ms),
    });
    Some(Wait { json, waited: found, is_timeout, unseen })
}

/// Describes how the timeout and the pokes worked in these runs.
fn sentence(found: &[Duration], unseen: &[Duration], timeouts: usize, timeout: Option<Duration>) -> String {
    use crate::observe::brief;
    let seen = match (percentile(unseen, 50), percentile(unseen, 95)) {
        (Some(half), Some(p95)) => {
            let (half, p95) = (brief(half), brief(p95));
            format!("; once it was there, it was seen within {half} in half of them, and within {p95} in 95 %")
        }
        _ => String::new(),
    };
    format!("{}{seen}", of_timeout(found, timeouts, timeout))
}

fn of_timeout(found: &[Duration], timeouts: usize, timeout: Option<Duration>) -> String {
    use crate::observe::brief;
    let (Some(longest), Some(timeout)) = (found.last(), timeout) else {
        return "it has found nothing yet in these runs".to_owned();
    };
    let all = found.len() + timeouts;
    let p95 = percentile(found, 95).unwrap_or_default();
    if timeouts > 0 {
        return format!(
            "with `timeout = {}` {timeouts} of {all} runs failed; 95 % of the others had it within {}",
            brief(timeout),
            brief(p95)
        );
    }
    format!(
        "none of {all} runs timed out: 95 % had it within {}, the longest wait was {} of {}",
        brief(p95),
        brief(*longest),
        brief(timeout)
    )
}
