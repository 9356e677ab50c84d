//! `backfill`: selects its intervals, and those of them that are run.
//!
//! # Why `--reprocess` creates new runs
//!
//! Airflow clears the old run. Here its history is preserved, and a run never has two kinds.

use super::StartError;
use crate::Pipeline;
use crate::engine::RunState;
use crate::journal::Reader;
use crate::plan::Plan;
use crate::schedule::{DateError, Interval, Schedule, parse_date, parse_last};
use crate::time::Timestamp;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The maximum number of intervals of one backfill.
pub(crate) const MAX_INTERVALS: usize = 100_000;

/// The request for a backfill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Backfill {
    pub(crate) pipeline: String,
    /// Only intervals that start at this time or later; a date alone means the start of that day.
    pub(crate) from: String,
    /// Only intervals that start at this time or earlier; a date alone means the end of that day.
    pub(crate) to: String,
    /// The params that differ from the defaults, for all of its runs.
    #[serde(default)]
    pub(crate) params: serde_json::Value,
    pub(crate) max_active_runs: Option<u32>,
    #[serde(default)]
    pub(crate) reprocess: Reprocess,
}

/// Which intervals that already have a run get another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reprocess {
    #[default]
    None,
    /// Those whose newest run failed or was cancelled.
    Failed,
    /// Those whose newest run has ended.
    All,
}

/// Why the span of a backfill is invalid. The command line words it with its own options.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpanError {
    #[error("pipeline `{pipeline}` has no schedule, and so no intervals to run")]
    NoSchedule { pipeline: &'static str },
    /// The bound is a field of [`Backfill`]: `from` or `to`.
    #[error("{bound}: {reason}")]
    Bound { bound: &'static str, reason: String },
}

impl From<SpanError> for StartError {
    fn from(error: SpanError) -> Self {
        Self::Backfill(error.to_string())
    }
}

/// The intervals of a backfill, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct BackfillIntervals {
    pub(crate) runs: Vec<Interval>,
    /// By their starts, the intervals of `runs` that have a run already, with its id and state.
    pub(crate) repeated: BTreeMap<DateTime<Utc>, (String, RunState)>,
    /// The intervals that are left out, with their run and its state.
    pub(crate) left_out: Vec<(Interval, String, RunState)>,
}

impl Backfill {
    /// Returns the schedule, and the first and the last time at which an interval of the backfill may start.
    pub(crate) fn span<'p>(&self, plan: &'p Plan) -> Result<(&'p Schedule, DateTime<Utc>, DateTime<Utc>), SpanError> {
        let schedule = plan.schedule.as_ref().ok_or(SpanError::NoSchedule { pipeline: plan.pipeline })?;
        let invalid = |bound: &'static str| move |error: DateError| SpanError::Bound { bound, reason: error.to_string() };
        let from = parse_date(&self.from, schedule.zone()).map_err(invalid("from"))?;
        let to = parse_last(&self.to, schedule.zone()).map_err(invalid("to"))?;
        if to < from {
            let reason = format!("{} is before {}, where it begins", self.to, self.from);
            return Err(SpanError::Bound { bound: "to", reason });
        }
        Ok((schedule, from, to))
    }

    /// Selects the intervals to run. Without a reader nothing has run before.
    pub(crate) fn intervals(
        &self,
        pipeline: &Pipeline,
        reader: Option<&Reader>,
        now: Timestamp,
    ) -> Result<(Plan, BackfillIntervals), StartError> {
        let plan = pipeline.plan(&self.params)?;
        let (schedule, from, to) = self.span(&plan)?;
        let all: Vec<Interval> = schedule
            .intervals(from, to)
            .take_while(|interval| Timestamp::from(interval.end) <= now)
            .take(MAX_INTERVALS + 1)
            .collect();
        if all.len() > MAX_INTERVALS {
            return Err(StartError::Backfill(format!(
                "more than {MAX_INTERVALS} intervals start between {} and {}: split the backfill",
                self.from, self.to
            )));
        }
        if all.is_empty() {
            return Err(StartError::Backfill(format!(
                "no completed data interval of `{}` starts between {} and {}",
                pipeline.id(),
                self.from,
                self.to
            )));
        }
        // A newer run may have ended before an older one, which would then run beside the new one.
        let current = reader.map(|reader| reader.current_between(pipeline.id(), from.into(), to.into())).transpose()?;
        let current = current.unwrap_or_default();
        let mut intervals = BackfillIntervals::default();
        for interval in all {
            match current.get(&interval.start.into()) {
                Some((run_id, state)) if !self.reprocess.includes(*state) => {
                    intervals.left_out.push((interval, run_id.clone(), *state));
                }
                has => {
                    intervals.repeated.extend(has.map(|has| (interval.start, has.clone())));
                    intervals.runs.push(interval);
                }
            }
        }
        Ok((plan, intervals))
    }
}

impl BackfillIntervals {
    /// Returns a remark about intervals that are left out because a run of them has not ended; empty if there are none.
    pub(crate) fn under_way(&self) -> String {
        match self.left_out.iter().filter(|(.., state)| !state.is_end()).count() {
            0 => String::new(),
            1 => "; 1 run of these is under way".to_owned(),
            many => format!("; {many} runs of these are under way"),
        }
    }
}

impl Reprocess {
    fn includes(self, state: RunState) -> bool {
        match self {
            Self::None => false,
            Self::Failed => matches!(state, RunState::Failed | RunState::Cancelled),
            Self::All => state.is_end(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{RunKind, SqliteJournal, StoredRun};
    use crate::prelude::*;

    #[task]
    async fn load() -> Result<u64> {
        Ok(1)
    }

    #[pipeline(schedule = "@daily", start = "2026-03-01")]
    fn nightly() {
        load();
    }

    #[test]
    fn an_interval_with_a_run_under_way_gets_no_second_run_even_if_a_newer_run_of_it_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let (journal, plan) = (SqliteJournal::open(&path).unwrap(), nightly().plan(&serde_json::Value::Null).unwrap());
        let at = |text: &str| Timestamp::from(text.parse::<DateTime<Utc>>().unwrap());
        let runs = [
            ("manual__1", "2026-03-20", RunState::Running),
            ("manual__2", "2026-03-20", RunState::Failed),
            ("manual__3", "2026-03-21", RunState::Failed),
        ];
        for (id, day, state) in runs {
            let interval = plan.schedule.as_ref().unwrap().interval_of(day).unwrap();
            let run = StoredRun::begun_by_hand(&plan, id, at("2026-03-22T00:00:00Z"));
            journal.enter(&StoredRun { interval, state, kind: RunKind::Manual, ..run }, &[]);
        }
        journal.sync();
        let reader = Reader::open(&path).unwrap();
        for (reprocess, runs) in [(Reprocess::None, 0), (Reprocess::Failed, 1), (Reprocess::All, 1)] {
            let backfill = Backfill {
                pipeline: "nightly".to_owned(),
                from: "2026-03-20".to_owned(),
                to: "2026-03-21".to_owned(),
                params: serde_json::Value::Null,
                max_active_runs: None,
                reprocess,
            };
            let (_, intervals) = backfill.intervals(&nightly(), Some(&reader), at("2026-03-27T12:00:00Z")).unwrap();
            assert_eq!(intervals.runs.len(), runs, "{reprocess:?}");
            let (_, run_id, state) = &intervals.left_out[0];
            assert_eq!((run_id.as_str(), *state), ("manual__1", RunState::Running));
            assert_eq!(intervals.under_way(), "; 1 run of these is under way");
        }
    }

    #[pipeline]
    fn manual() {
        load();
    }

    #[test]
    fn a_refusal_names_fields_and_no_options_of_a_command_line() {
        let refused = |pipeline: Pipeline, from: &str, to: &str| {
            let backfill = Backfill {
                pipeline: pipeline.id().to_owned(),
                from: from.to_owned(),
                to: to.to_owned(),
                params: serde_json::Value::Null,
                max_active_runs: None,
                reprocess: Reprocess::None,
            };
            let now: DateTime<Utc> = "2026-03-27T12:00:00Z".parse().unwrap();
            backfill.intervals(&pipeline, None, now.into()).unwrap_err().to_string()
        };
        assert_eq!(refused(nightly(), "2026-03-21", "2026-03-20"), "to: 2026-03-20 is before 2026-03-21, where it begins");
        assert!(refused(nightly(), "soon", "2026-03-20").starts_with("from: `soon` is not a date"));
        let said = "pipeline `manual` has no schedule, and so no intervals to run";
        assert_eq!(refused(manual(), "2026-03-20", "2026-03-21"), said);
        assert!(!refused(nightly(), "2190-03-20", "2190-03-21").contains("--"));
    }
}
