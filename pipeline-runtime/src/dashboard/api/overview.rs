//! All pipelines, and what needs attention.

use super::ended_runs::EndedRunCache;
use super::why::HoldReason;
use super::{AsOf, NoQuery, Problem, QueryString, Site, at, date, deadlines, ms, next_start, percentile, run_summary_json, why};
use crate::engine::RunState;
use crate::journal::Holder;
use crate::observe::DueInterval;
use crate::read::{JournalReader, RunDetails, RunFilter, RunSummary};
use crate::schedule::Window;
use crate::{Pipeline, time::Timestamp};
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// The number of runs in a strip.
const STRIP_RUNS: u32 = 25;
/// What needs attention, most severe first.
const SEVERITIES: [&str; 7] = ["no_process", "blocked", "failed", "sla_missed", "late_sensor", "sla_close", "paused"];
/// The maximum number of listed entries that need attention.
const MAX_NEEDS: usize = 20;

pub(super) async fn overview(
    State(site): State<Arc<Site>>,
    QueryString(NoQuery {}): QueryString<NoQuery>,
) -> Result<Json<Value>, Problem> {
    let (of, now) = (Arc::clone(&site), site.clock.now());
    let holder = Holder::of(&site.readers.journal);
    let is_held = holder.is_some();
    let Overview { rows, needs, counts, next_check } =
        site.readers.read(move |reader| overview_of(&of, reader, now, is_held)).await?;
    Ok(Json(json!({
        "now": at(now),
        "boot": site.boot,
        "journal": site.readers.journal.file_name().map(|name| name.to_string_lossy().into_owned()),
        "holder": holder.as_ref().map(of_holder),
        "read_only": site.read_only.is_some(),
        "read_only_why": site.read_only,
        "counts": counts,
        "needs_you": needs,
        "needs_you_again": next_check.map(at),
        "pipelines": rows,
    })))
}

pub(super) fn of_holder(holder: &Holder) -> Value {
    // Only the first word: arguments may be private.
    let words: Vec<&str> = holder.command.split(' ').collect();
    let command = words.iter().skip(1).find(|word| !word.starts_with('-')).copied().unwrap_or_default();
    json!({ "process": holder.process, "since": holder.since.map(date), "command": command })
}

/// Returns the ids of the pipelines of this program and of the journal, each once: those of the program first.
pub(super) fn pipeline_ids(reader: &JournalReader, pipelines: &[Pipeline]) -> Result<Vec<String>, Problem> {
    let mut ids: Vec<String> = pipelines.iter().map(|pipeline| pipeline.id().to_owned()).collect();
    for id in reader.journal().pipelines()? {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

struct Overview {
    rows: Vec<Value>,
    needs: Vec<Value>,
    counts: Value,
    /// When something needs attention without any change of the journal.
    next_check: Option<Timestamp>,
}

fn overview_of(site: &Site, reader: &JournalReader, now: Timestamp, is_held: bool) -> Result<Overview, Problem> {
    let paused = reader.paused()?;
    let deadlines::LateEntries { mut needs, next_check } = site.deadlines.late_now(site, reader, now)?;
    let mut rows = Vec::new();
    let (mut running, mut queued) = (0, 0);
    for id in pipeline_ids(reader, &site.pipelines)? {
        let Row { json, active, waiting, need } = row(site, reader, &id, &paused, now, is_held)?;
        running += active;
        queued += waiting;
        needs.extend(need);
        rows.push(json);
    }
    if !is_held && running + queued > 0 {
        let text = "no process holds the journal: `serve` or `resume` continues unfinished runs";
        needs.push(json!({ "kind": "no_process", "text": text, "pipeline": null, "run": null, "node": null, "since": null, "until": null }));
    }
    needs.sort_by_key(|need| SEVERITIES.iter().position(|kind| need["kind"] == *kind));
    needs.truncate(MAX_NEEDS);
    let blocked = reader.journal().blocked()?;
    let counts = json!({ "running": running, "queued": queued, "blocked": blocked, "paused": paused.len() });
    Ok(Overview { rows, needs, counts, next_check })
}

pub(super) struct Row {
    pub(super) json: Value,
    active: i64,
    waiting: i64,
    need: Option<Value>,
}

pub(super) fn row(
    site: &Site,
    reader: &JournalReader,
    id: &str,
    paused: &BTreeSet<String>,
    now: Timestamp,
    is_held: bool,
) -> Result<Row, Problem> {
    let pipeline = site.pipelines.iter().find(|pipeline| pipeline.id() == id);
    let active = reader.journal().count(id, RunState::Running)?;
    let waiting = reader.journal().count(id, RunState::Queued)?;
    let mut last = reader.runs(&RunFilter::new().pipeline(id).limit(STRIP_RUNS))?;
    last.reverse();
    let is_paused = paused.contains(id);
    let next = pipeline.map(|pipeline| next_start::of(reader, pipeline, is_paused, now)).transpose()?.unwrap_or_default();
    let (p50, p95) = percentiles(site, reader, &last)?;
    let ended: Vec<&RunSummary> = last.iter().filter(|run| run.state().is_end()).collect();
    let successes = ended.iter().filter(|run| run.state() == RunState::Success).count();
    let is_followed = is_held && next.why.as_ref().is_none_or(|(kind, _)| *kind == "schedule_ended");
    let hold =
        pipeline.filter(|_| is_followed).map(|pipeline| hold_of_schedule(site, reader, pipeline, now)).transpose()?.flatten();
    let why = match (hold, &next.why) {
        (Some(hold), _) => hold,
        (None, Some((kind, text))) => why::sentence_json(kind, text.clone()),
        (None, None) if next.at.is_some() && !is_held => {
            why::sentence_json("no_process", "no process follows its schedule: start `serve`")
        }
        _ => Value::Null,
    };
    let json = json!({
        "pipeline": id,
        "description": pipeline.map(|pipeline| pipeline.description().trim()),
        "tags": pipeline.map(Pipeline::tags).unwrap_or_default(),
        "schedule": next.schedule,
        "timezone": next.zone,
        "when": pipeline.and_then(|pipeline| pipeline.options().when.as_ref().map(ToString::to_string)),
        "paused": is_paused,
        "known": pipeline.is_some(),
        "next_run": next.at.map(date),
        "next_text": next.text,
        "why": why,
        "active": active,
        "queued": waiting,
        "last": last.iter().map(run_summary_json).collect::<Vec<_>>(),
        "p50_ms": p50,
        "p95_ms": p95,
        "success": share(successes, ended.len()),
    });
    Ok(Row { json, active, waiting, need: need(site, reader, id, &last, is_paused) })
}

/// Returns why a pipeline's schedule does not start what is due; `None` if nothing is due, or it starts at once.
fn hold_of_schedule(site: &Site, reader: &JournalReader, pipeline: &Pipeline, now: Timestamp) -> Result<Option<Value>, Problem> {
    let options = pipeline.options();
    let refused = |error: String| Problem::refused(&error);
    let Some(schedule) = options.timetable().map_err(|error| refused(error.to_string()))? else { return Ok(None) };
    let window = Window::read(options.start, options.end, options.catchup, schedule.zone());
    let window = window.map_err(|error| refused(error.error.to_string()))?;
    let due = DueInterval::of(reader.journal(), pipeline, &schedule, window, now)?;
    let Some(hold) = due.and_then(|due| due.hold) else { return Ok(None) };
    Ok(Some(HoldReason::of(site, reader, pipeline.id(), &hold, now)?.into_json("held", "a run is due: ")))
}

#[expect(clippy::cast_precision_loss, reason = "of at most 25")]
fn share(successes: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| successes as f64 / of as f64)
}

/// Returns what needs attention in a pipeline: its newest run, or that it is paused.
fn need(site: &Site, reader: &JournalReader, id: &str, last: &[RunSummary], is_paused: bool) -> Option<Value> {
    let newest = last.last();
    let newest_ended = last.iter().rev().find(|run| run.state().is_end());
    let (kind, (node, text), run) = match (newest, newest_ended) {
        (Some(run), _) if run.blocked().is_some() => ("blocked", (None, run.blocked().unwrap_or_default().to_owned()), Some(run)),
        (_, Some(run)) if run.state() == RunState::Failed => ("failed", failure(site, reader, run), Some(run)),
        _ if is_paused => ("paused", (None, "its schedule is paused".to_owned()), None),
        _ => return None,
    };
    // The others are in the list of runs.
    let more =
        if kind == "failed" { reader.journal().count(id, RunState::Failed).ok().map(|all| (all - 1).max(0)) } else { None };
    let since = run.map(|run| date(run.finished().unwrap_or(run.started())));
    Some(
        json!({ "kind": kind, "text": text, "pipeline": id, "run": run.map(super::run_name), "node": node, "since": since, "until": null, "more": more }),
    )
}

/// The node that failed a run, if there is one, and the first line of its error.
type Failure = (Option<String>, String);

/// The failures of runs.
pub(in crate::dashboard) type FailureCache = EndedRunCache<Failure>;

/// The time between the ends of runs and the retries that followed them.
pub(in crate::dashboard) type IdleCache = EndedRunCache<Duration>;

fn failure(site: &Site, reader: &JournalReader, run: &RunSummary) -> Failure {
    let read = || site.run_cache.view(reader, run, AsOf::NOW, |details| Ok(first_failure(details)));
    site.failures.get(run, read).unwrap_or_else(|_| unknown_failure())
}

fn unknown_failure() -> Failure {
    (None, "its last finished run failed".to_owned())
}

fn first_failure(details: &RunDetails) -> Failure {
    let Some(node) = details.nodes().find(|node| node.state() == crate::NodeState::Failed) else { return unknown_failure() };
    let attempts = node.attempts().len();
    let error = node.error().and_then(|error| error.lines().next()).unwrap_or("failed");
    let after = if attempts > 1 { format!(" after {attempts} attempts") } else { String::new() };
    (Some(node.id()), format!("{} failed{after}: {error}", node.id()))
}

/// Returns the median and the 95th percentile of the duration of successful runs.
fn percentiles(site: &Site, reader: &JournalReader, runs: &[RunSummary]) -> Result<(Option<f64>, Option<f64>), Problem> {
    let took = |run: &RunSummary| Some((run.finished()? - run.started()).to_std().unwrap_or_default());
    let successes = || runs.iter().filter(|run| run.state() == RunState::Success);
    let mut all: Vec<Duration> = successes().filter_map(took).collect();
    all.sort_unstable();
    // Finding out whether a run was retried takes a read of its records. Only for a long run does it matter.
    let is_long = percentile(&all, 50).unwrap_or_default() * 2;
    let mut all = Vec::with_capacity(all.len());
    for (run, took) in successes().filter_map(|run| Some((run, took(run)?))) {
        let read = || reader.journal().idle(run.stored().key);
        let idle = if took > is_long { site.idle_times.get(run, read)? } else { Duration::ZERO };
        all.push(took.saturating_sub(idle));
    }
    all.sort_unstable();
    let of = |percent| percentile(&all, percent).map(ms);
    Ok((of(50), of(95)))
}
