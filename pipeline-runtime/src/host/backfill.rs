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
use crate::schedule::{DateError, Interval, parse_date, parse_last};
use crate::time::Timestamp;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The maximum number of intervals of one backfill.
pub(crate) const MAX_INTERVALS: usize = 100_000;

/// The request for a backfill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Backfill {
    pub(crate) pipeline: String,
    /// Only intervals that start at this time or later; a date alone means the start of that day.
    pub(crate) from: String,
    /// Only intervals that start at this time or earlier; a date alone means the end of that day.
    pub(crate) to: String,
    /// The params that differ from the defaults, for all of its runs.
    pub(crate) params: serde_json::Value,
    pub(crate) max_active_runs: Option<u32>,
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

/// The intervals of a backfill, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Intervals {
    pub(crate) runs: Vec<Interval>,
    /// By their starts, the intervals of `runs` that have a run already, with its id and state.
    pub(crate) again: BTreeMap<DateTime<Utc>, (String, RunState)>,
    /// The intervals that are left out, with their run and its state.
    pub(crate) left_out: Vec<(Interval, String, RunState)>,
}

impl Backfill {
    /// Selects the intervals to run. Without a reader nothing has run before.
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
                "more than {MAX_INTERVALS} intervals start between {} and {}: split the backfill",
                self.from, self.to
            )));
        }
        if all.is_empty() {
            return Err(refused(format!(
                "no completed data interval of `{}` starts between {} and {}",
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
