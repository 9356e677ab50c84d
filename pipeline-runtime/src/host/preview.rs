//! Previews of commands: read from the journal, without writing.

use super::local_time::local_time_with_offset;
use super::prepare::{EditResult, PreparedRun};
use super::scheduler::Timetable;
use super::{Command, Request, RequestMode, StartError, prepare};
use crate::Pipeline;
use crate::engine::{Edit, NodeState, RunSpec, RunState};
use crate::journal::{Reader, StoredRun};
use crate::observe::plural;
use crate::schedule::Interval;
use crate::time::{Present, Timestamp};
use chrono::{DateTime, Utc};
use pipeline_syntax::date::WindowError;

/// What a command would do.
#[derive(Debug, Default)]
pub(crate) struct Preview {
    /// A sentence that describes it.
    pub(crate) will: String,
    /// The affected nodes: id, state, and what would happen.
    pub(crate) nodes: Vec<(String, NodeState, &'static str)>,
    /// The intervals of a backfill, with the run that each has, and whether it gets another.
    pub(crate) intervals: Vec<IntervalPreview>,
}

/// An interval, the run that it has, and whether it gets another.
type IntervalPreview = (Interval, Option<(String, RunState)>, bool);

impl Command {
    /// Returns what the command would do now, or why it would be refused.
    ///
    /// # Errors
    ///
    /// Those of the command itself, as far as they can be known without executing it.
    pub(crate) fn preview(&self, reader: &Reader, pipelines: &[Pipeline], now: Timestamp) -> Result<Preview, StartError> {
        let known = |id: &str| {
            let found = pipelines.iter().find(|pipeline| pipeline.id() == id);
            found.ok_or_else(|| StartError::Refused(format!("this program has no pipeline `{id}`; `list` names its pipelines")))
        };
        match self {
            Self::Trigger { pipeline, logical_date, params } => {
                let (pipeline, params, logical_date) = (known(pipeline)?.clone(), params.clone(), logical_date.clone());
                triggered(reader, Request { pipeline, params, logical_date, mode: RequestMode::Trigger }, now)
            }
            Self::Backfill(backfill) => {
                let (_, intervals) = backfill.intervals(known(&backfill.pipeline)?, Some(reader), now)?;
                let (runs, left_out, under_way) = (intervals.runs.len(), intervals.left_out.len(), intervals.under_way());
                let mut repeated = intervals.repeated;
                let included = intervals.runs.into_iter().map(|interval| (interval, repeated.remove(&interval.start), true));
                let left = intervals.left_out.into_iter().map(|(interval, run, state)| (interval, Some((run, state)), false));
                let mut intervals: Vec<_> = included.chain(left).collect();
                intervals.sort_by_key(|(interval, ..)| interval.start);
                let left = match left_out {
                    0 => String::new(),
                    1 => ", and leaves out 1 that has a run".to_owned(),
                    many => format!(", and leaves out {many} that have a run"),
                };
                let will = format!("runs {runs} interval{} of {}{left}{under_way}", plural(runs), backfill.pipeline);
                Ok(Preview { will, intervals, ..Preview::default() })
            }
            Self::Pause { pipeline, paused } => {
                known(pipeline)?;
                let will = match paused {
                    true => format!("pauses the schedule of {pipeline}; active runs continue"),
                    false => format!("resumes the schedule of {pipeline}"),
                };
                Ok(Preview { will, ..Preview::default() })
            }
            Self::Cancel { run } | Self::Skip { run, .. } | Self::Retry { run, .. } => {
                let Some((_, edit)) = self.edit() else { return Ok(Preview::default()) };
                edited(reader, pipelines, run, &edit, now)
            }
            other => Ok(Preview { will: other.to_string(), ..Preview::default() }),
        }
    }
}

/// Describes the run that a trigger would start: its data interval, and what is unusual about it.
fn triggered(reader: &Reader, request: Request, now: Timestamp) -> Result<Preview, StartError> {
    let (zone, is_dated) = (request.pipeline.zone(), request.logical_date.is_some());
    let (spec, _) = request.enter(reader, Present { clock: now, date: now })?;
    let (plan, pipeline, interval) = (&spec.plan, &spec.info.pipeline, spec.info.interval);
    let date = |at: DateTime<Utc>| local_time_with_offset(at, zone);
    let about = match &plan.schedule {
        Some(_) => format!("the data interval {} – {}", date(interval.start), date(interval.end)),
        None if is_dated => format!("the logical date {}", date(interval.start)),
        // The date is the time of the trigger.
        None => "the present time as its logical date".to_owned(),
    };
    let bodies = nodes(plan.bodies().count());
    let mut will = vec![format!("starts a run of {pipeline} with {bodies} and {}, for {about}", given(&plan.params))];
    if plan.schedule.is_some() || is_dated {
        will.extend(unusual(reader, &spec, now)?);
    }
    Ok(Preview { will: will.join("; "), ..Preview::default() })
}

/// Returns what is unusual about the data interval of a run that would start.
fn unusual(reader: &Reader, spec: &RunSpec, now: Timestamp) -> Result<Vec<String>, StartError> {
    let (plan, pipeline, interval) = (&spec.plan, &spec.info.pipeline, spec.info.interval);
    let mut unusual = Vec::new();
    if Timestamp::from(interval.start) > now {
        unusual.push("that is in the future".to_owned());
    } else if Timestamp::from(interval.end) > now {
        unusual.push("that interval is not over yet".to_owned());
    }
    let refused = |WindowError { option, error }| StartError::Calendar { pipeline: plan.pipeline, option, error };
    let window = Timetable::of(plan).map_err(refused)?.window;
    if !window.covers(interval) {
        let is_early = window.start.is_some_and(|start| interval.start < start);
        let (bound, at) =
            if is_early { ("before its `start`", plan.calendar.start) } else { ("after its `end`", plan.calendar.end) };
        unusual.push(format!("that is {bound}, {}", at.unwrap_or_default()));
    }
    let start = interval.start.into();
    if let Some((run_id, state)) = reader.current_between(pipeline, start, start)?.get(&start) {
        unusual.push(format!("this date already has a run: `{run_id}` is {state}"));
    }
    Ok(unusual)
}

fn edited(reader: &Reader, pipelines: &[Pipeline], name: &str, edit: &Edit, now: Timestamp) -> Result<Preview, StartError> {
    let stored = reader.run(name)?.ok_or_else(|| StartError::NoRun { run_id: name.to_owned() })?;
    let StoredRun { run_id, pipeline, .. } = &stored;
    let resumed = match prepare::edited(reader, pipelines, name, edit.clone(), now)? {
        EditResult::Prepared(PreparedRun::Resumed(resumed)) => resumed,
        EditResult::Prepared(_) | EditResult::CancelledAsItIs(_) => {
            let will = format!("ends run {run_id} of {pipeline} as cancelled; none of its nodes run");
            return Ok(Preview { will, ..Preview::default() });
        }
        EditResult::GivenUp(_, due) => {
            let will = format!("gives up {} notification{} of run {run_id} of {pipeline}", due.len(), plural(due.len()));
            return Ok(Preview { will, ..Preview::default() });
        }
    };
    let run = &resumed.run;
    let refused = |reason: crate::engine::EditError| StartError::Edit { run_id: run_id.clone(), reason: reason.to_string() };
    let (cleared, skipped) = run.preview(edit).map_err(refused)?;
    let of = |slot: u32, what: &'static str| (run.id(slot), run.node(slot).state(), what);
    let mut about: Vec<_> = Vec::new();
    about.extend(skipped.map(|slot| of(slot, "is skipped")));
    let what = if skipped.is_some() { "is decided again" } else { "runs again" };
    let is_shown = |slot: &u32| Some(*slot) != skipped && run.is_body(*slot);
    about.extend(cleared.iter().copied().filter(is_shown).map(|slot| of(slot, what)));
    let will = match edit {
        Edit::Cancel => {
            let open: Vec<u32> = run.slots().filter(|slot| run.is_body(*slot) && !run.node(*slot).state().is_end()).collect();
            let running = open.iter().filter(|slot| run.node(**slot).state() == NodeState::Running).count();
            about.extend(open.iter().map(|slot| {
                let runs = run.node(*slot).state() == NodeState::Running;
                of(*slot, if runs { "is cut off" } else { "is skipped" })
            }));
            format!("cuts off {running} attempt{} and ends run {run_id} of {pipeline} as cancelled", plural(running))
        }
        Edit::Skip { node } => format!("ends {node} of run {run_id} of {pipeline} as skipped"),
        Edit::Retry { .. } => format!("runs {} of run {run_id} of {pipeline} again", nodes(about.len())),
    };
    Ok(Preview { will, nodes: about, intervals: Vec::new() })
}

fn nodes(n: usize) -> String {
    format!("{n} node{}", plural(n))
}

fn given(params: &serde_json::Value) -> String {
    if params.is_null() { "no params".to_owned() } else { format!("the params {params}") }
}
