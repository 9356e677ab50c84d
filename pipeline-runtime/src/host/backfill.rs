//! `backfill`: which intervals it is about, and which of them are run.
//!
//! # Why `--reprocess` makes new runs
//!
//! Airflow clears the old run. Here its history stays, and a run is never of two kinds.

use super::StartError;
use crate::Pipeline;
use crate::engine::RunState;
use crate::journal::Reader;
use crate::plan::Plan;
use crate::schedule::{DateError, Interval, parse_date, parse_last};
use crate::time::Timestamp;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most intervals of one backfill.
pub(crate) const MAX_INTERVALS: usize = 100_000;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Backfill {
    pub(crate) pipeline: String,
    /// The first interval is the first that starts then or later; a date alone is the start of that day.
    pub(crate) from: String,
    /// The last interval is the last that starts then or earlier; a date alone is the end of that day.
    pub(crate) to: String,
    /// What differs from the defaults, in all of its runs.
    pub(crate) params: serde_json::Value,
    pub(crate) max_active_runs: Option<u32>,
    pub(crate) reprocess: Reprocess,
}

/// Which intervals that have a run already get another.
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

/// The intervals, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Intervals {
    pub(crate) runs: Vec<Interval>,
    /// Of these, by their starts, the run that each has already, and its state.
    pub(crate) again: BTreeMap<DateTime<Utc>, (String, RunState)>,
    /// Those that are left out, with the run they have and its state.
    pub(crate) left_out: Vec<(Interval, String, RunState)>,
}

impl Backfill {
    /// Which intervals are to be run. Without a reader nothing has run before.
    pub(crate) fn intervals(
        &self,
        pipeline: &Pipeline,
        reader: Option<&Reader>,
        now: Timestamp,
    ) -> Result<(Plan, Intervals), StartError> {
        let plan = pipeline.plan(&self.params)?;
        let refused = |reason: String| StartError::Backfill(reason);
        let schedule = plan.schedule.as_ref();
        let schedule = schedule.ok_or_else(|| {
            let id = pipeline.id();
            refused(format!(
                "pipeline `{id}` has no schedule, and so no intervals to run; `run {id} --logical-date D` runs one date"
            ))
        })?;
        let named = |name: &'static str| move |error: DateError| refused(format!("{name}: {error}"));
        let from = parse_date(&self.from, schedule.zone()).map_err(named("--from"))?;
        let to = parse_last(&self.to, schedule.zone()).map_err(named("--to"))?;
        if to < from {
            return Err(refused(format!("--to: {} is before {}, where it begins", self.to, self.from)));
        }
        let all: Vec<Interval> = schedule
            .intervals(from, to)
            .take_while(|interval| Timestamp::from(interval.end) <= now)
            .take(MAX_INTERVALS + 1)
            .collect();
        if all.len() > MAX_INTERVALS {
            return Err(refused(format!(
                "more than {MAX_INTERVALS} intervals start between {} and {}: divide them",
                self.from, self.to
            )));
        }
        if all.is_empty() {
            return Err(refused(format!(
                "no data interval of `{}` that is over starts between {} and {}",
                pipeline.id(),
                self.from,
                self.to
            )));
        }
        let newest = reader.map(|reader| reader.newest_between(pipeline.id(), from.into(), to.into())).transpose()?;
        let newest = newest.unwrap_or_default();
        let mut intervals = Intervals::default();
        for interval in all {
            match newest.get(&interval.start.into()) {
                Some((run_id, state)) if !self.reprocess.takes(*state) => {
                    intervals.left_out.push((interval, run_id.clone(), *state));
                }
                has => {
                    intervals.again.extend(has.map(|has| (interval.start, has.clone())));
                    intervals.runs.push(interval);
                }
            }
        }
        Ok((plan, intervals))
    }
}

impl Reprocess {
    fn takes(self, state: RunState) -> bool {
        match self {
            Self::None => false,
            Self::Failed => matches!(state, RunState::Failed | RunState::Cancelled),
            Self::All => state.is_end(),
        }
    }
}
