//! Turns a request into what the engine runs: the plan with its params, the data interval and the run's id.

use super::StartError;
use crate::author::context::RunInfo;
use crate::author::pipeline::Pipeline;
use crate::engine::RunSpec;
use crate::journal::RunKind;
use crate::plan::Plan;
use crate::random;
use crate::schedule::{Interval, interval_of};
use crate::time::Present;
use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};
use serde_json::Value;
use std::sync::Arc;

/// A manually requested run.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) pipeline: Pipeline,
    /// The params that differ from the defaults.
    pub(crate) params: Value,
    pub(crate) logical_date: Option<String>,
    pub(crate) mode: RequestMode,
}

/// What to do about an unfinished run with the same identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum RequestMode {
    /// Resume it.
    #[default]
    Resume,
    /// Start a new one beside it.
    StartNew,
    /// Refuse the new run, even if its date was not given but derived from the schedule. Without a schedule the date is now,
    /// which no other run has.
    Trigger,
}

impl Request {
    /// Creates the run as requested at `now`. The calendar decides the default date, and the times are those of the runs' clock.
    pub(crate) fn into_spec(self, now: Present) -> Result<RunSpec, StartError> {
        let plan = self.pipeline.plan(&self.params)?;
        let interval = match &self.logical_date {
            Some(date) => interval_of(plan.schedule.as_ref(), self.pipeline.zone(), date)?,
            None => interval_now(&plan, now.date.to_utc())?,
        };
        let run_id = run_id(RunKind::Manual, &interval);
        let info = RunInfo::new(plan.pipeline, run_id, interval, plan.params.clone());
        Ok(RunSpec { plan: Arc::new(plan), info: Arc::new(info), sla_from: now.clock, seed: random::new_seed(), key: 0 })
    }
}

/// Returns a run id in Airflow's form: the kind and the logical date.
pub(crate) fn run_id(kind: RunKind, interval: &Interval) -> String {
    format!("{kind}__{}", interval.start.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// Returns the data interval of a run without a logical date: the last complete one. Without a schedule it starts and ends now.
fn interval_now(plan: &Plan, now: DateTime<Utc>) -> Result<Interval, StartError> {
    let Some(schedule) = &plan.schedule else {
        // In the resolution in which Airflow writes dates.
        return Ok(Interval::at(now.trunc_subsecs(6)));
    };
    schedule
        .last_complete(now)
        .ok_or_else(|| StartError::NoInterval { pipeline: plan.pipeline, date: now.to_rfc3339_opts(SecondsFormat::AutoSi, true) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[task]
    async fn one() -> Result<u64> {
        Ok(1)
    }

    #[pipeline(schedule = "0 6 * * *", timezone = "Europe/Berlin")]
    fn daily() {
        one();
    }

    #[pipeline]
    fn unscheduled() {
        one();
    }

    fn spec(pipeline: Pipeline, date: Option<&str>) -> Result<RunSpec, StartError> {
        let now: DateTime<Utc> = "2024-03-25T12:00:00.123456789Z".parse().unwrap();
        Request { pipeline, params: Value::Null, logical_date: date.map(str::to_owned), mode: RequestMode::Resume }
            .into_spec(Present::of_clock(now.into()))
    }

    #[test]
    fn without_a_date_a_schedule_means_the_last_complete_interval() {
        let info = spec(daily(), None).unwrap().info;
        assert_eq!(info.interval.to_string(), "2024-03-24T05:00:00Z/2024-03-25T05:00:00Z");
        assert_eq!(info.run_id, "manual__2024-03-24T05:00:00Z");
    }

    #[test]
    fn a_date_is_read_in_the_pipelines_zone_and_means_the_interval_that_starts_there() {
        for date in ["2024-03-20", "2024-03-20T06:00"] {
            let info = spec(daily(), Some(date)).unwrap().info;
            assert_eq!(info.interval.to_string(), "2024-03-20T05:00:00Z/2024-03-21T05:00:00Z");
        }
    }

    #[test]
    fn without_a_schedule_the_run_is_about_now() {
        let info = spec(unscheduled(), None).unwrap().info;
        assert_eq!(info.run_id, "manual__2024-03-25T12:00:00.123456Z");
    }

    #[test]
    fn without_a_date_the_calendar_says_what_it_is_about_and_the_runs_clock_since_when_it_counts() {
        let at = |text: &str| crate::time::Timestamp::from(text.parse::<DateTime<Utc>>().unwrap());
        let now = Present { clock: at("2024-03-25T09:00:00Z"), date: at("2024-03-25T12:00:00Z") };
        let request = Request { pipeline: unscheduled(), params: Value::Null, logical_date: None, mode: RequestMode::Resume };
        let spec = request.into_spec(now).unwrap();
        assert_eq!(spec.info.run_id, "manual__2024-03-25T12:00:00Z");
        assert_eq!(spec.sla_from, now.clock);
    }

    #[test]
    fn nonsense_is_refused_with_what_to_write() {
        let error = spec(unscheduled(), Some("yesterday")).unwrap_err().to_string();
        assert!(error.starts_with("the logical date: `yesterday` is not a date; write `2024-01-31`"), "{error}");
    }
}
