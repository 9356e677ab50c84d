use super::thread::{self, JournalLocation};
use super::{Host, HostError};
use crate::Pipeline;
use crate::host::StartError;
use crate::plan::{DEFAULT_PARALLELISM, Plan, check_all_together, same_id};
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

/// The default drain time when a host is shut down.
const DRAIN: Duration = Duration::from_secs(30);

/// The options of a [`Host`]; created by [`Host::builder`].
#[derive(Debug)]
#[must_use = "nothing starts before `start`"]
pub struct HostBuilder {
    pub(super) pipelines: Vec<Pipeline>,
    pub(super) location: Option<JournalLocation>,
    pub(super) parallelism: u32,
    pub(super) drain: Duration,
    pub(super) keep: Option<Duration>,
    pub(super) follow_schedules: bool,
    pub(super) speed: u32,
}

impl HostBuilder {
    pub(super) fn new(pipelines: Vec<Pipeline>) -> Self {
        Self {
            pipelines,
            location: None,
            parallelism: DEFAULT_PARALLELISM,
            drain: DRAIN,
            keep: None,
            follow_schedules: false,
            speed: 1,
        }
    }

    /// Records the runs in this file, which is created if it is missing. Its unfinished runs are resumed.
    pub fn journal(self, file: impl Into<PathBuf>) -> Self {
        Self { location: Some(JournalLocation::File(file.into())), ..self }
    }

    /// Records the runs in a file in the system's temporary folder, which is deleted once the host has ended: for tests, and for
    /// runs that end with the program.
    pub fn temporary_journal(self) -> Self {
        Self { location: Some(JournalLocation::Temporary), ..self }
    }

    /// Sets the maximum number of concurrent attempts of nodes that are in no pool, over all runs; 128 unless given.
    pub fn parallelism(self, slots: u32) -> Self {
        Self { parallelism: slots, ..self }
    }

    /// Sets how long running attempts may take to finish when the host is [shut down](Host::shutdown); 30 seconds unless given.
    pub fn drain(self, limit: Duration) -> Self {
        Self { drain: limit, ..self }
    }

    /// Deletes runs that ended longer ago, of pipelines without their own `keep` option. Without it the runs of such pipelines
    /// are never deleted.
    pub fn keep(self, keep: Duration) -> Self {
        Self { keep: Some(keep), ..self }
    }

    /// Sets whether the host follows the pipelines' schedules, as `serve` does; false unless given. If several hosts with their
    /// own journals have the same pipeline, only one of them should follow its schedule.
    pub fn follow_schedules(self, follow: bool) -> Self {
        Self { follow_schedules: follow, ..self }
    }

    /// Runs the clock of the runs and that of the schedules `times` as fast (1 unless given; 0 counts as 1), so that a schedule
    /// of hours can be tested in seconds. Work inside a body is not faster.
    pub fn speed(self, times: u32) -> Self {
        Self { speed: times, ..self }
    }

    /// Starts the host, and returns once unfinished runs are resumed. A run that this program cannot resume is
    /// [blocked](crate::read::RunSummary::blocked), which is logged, and does not delay others.
    ///
    /// # Errors
    ///
    /// If a pipeline has no plan, if two have the same id, or if the journal cannot be used: [`HostError::Held`] if another
    /// process or host holds it.
    pub async fn start(self) -> Result<Host, HostError> {
        thread::start(self).await
    }

    /// Refuses pipelines with mistakes, and warns of secrets without a value, as `serve` does.
    pub(super) fn check(&self) -> Result<(), HostError> {
        if let Some(problem) = same_id(&self.pipelines) {
            return Err(HostError::Pipelines(problem));
        }
        let plans = self.pipelines.iter().map(|pipeline| pipeline.plan(&Value::Null));
        let plans = plans.collect::<Result<Vec<_>, _>>().map_err(StartError::Plan)?;
        let problems: Vec<String> = check_all_together(&self.pipelines, &plans).iter().map(ToString::to_string).collect();
        if !problems.is_empty() {
            return Err(HostError::Pipelines(problems.join("\n")));
        }
        for missing in plans.iter().flat_map(Plan::missing_secrets) {
            tracing::warn!("{missing}");
        }
        Ok(())
    }
}
