use super::thread::{self, Place};
use super::{Host, HostError};
use crate::Pipeline;
use crate::host::StartError;
use crate::plan::{DEFAULT_PARALLELISM, Plan, all_together, same_id};
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

/// How long attempts may take to end as a host is shut down, unless it is said otherwise.
const DRAIN: Duration = Duration::from_secs(30);

/// How a [`Host`] is to be; made by [`Host::builder`].
#[derive(Debug)]
#[must_use = "nothing starts before `start`"]
pub struct HostBuilder {
    pub(super) pipelines: Vec<Pipeline>,
    pub(super) place: Option<Place>,
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
            place: None,
            parallelism: DEFAULT_PARALLELISM,
            drain: DRAIN,
            keep: None,
            follow_schedules: false,
            speed: 1,
        }
    }

    /// Keeps the runs in this file, which is made if it is not there. What is unfinished in it is resumed.
    pub fn journal(self, file: impl Into<PathBuf>) -> Self {
        Self { place: Some(Place::File(file.into())), ..self }
    }

    /// Keeps the runs in a file of the system's folder for temporary files, which is deleted once the host has ended: for tests, and for
    /// runs that end with the program.
    pub fn temporary_journal(self) -> Self {
        Self { place: Some(Place::Temporary), ..self }
    }

    /// How many attempts of nodes without a pool of their own may run at once, over all runs; 128 unless given.
    pub fn parallelism(self, slots: u32) -> Self {
        Self { parallelism: slots, ..self }
    }

    /// How long attempts that are under way may take to end as the host is [shut down](Host::shutdown); 30 seconds unless given.
    pub fn drain(self, limit: Duration) -> Self {
        Self { drain: limit, ..self }
    }

    /// Deletes runs that ended longer ago than that, of pipelines that do not say so themselves by their option `keep`. Without it those
    /// of such pipelines are kept.
    pub fn keep(self, keep: Duration) -> Self {
        Self { keep: Some(keep), ..self }
    }

    /// Whether the pipelines' schedules are followed, as `serve` does; not unless given. Whoever starts several hosts of one pipeline, each
    /// with a journal of its own, follows its schedule in one of them.
    pub fn follow_schedules(self, follow: bool) -> Self {
        Self { follow_schedules: follow, ..self }
    }

    /// The runs' clock, and the one that schedules go by, go `times` as fast (1 unless given; 0 counts as 1), so that a schedule of hours
    /// can be tested in seconds. What a body does itself goes no faster.
    pub fn speed(self, times: u32) -> Self {
        Self { speed: times, ..self }
    }

    /// Starts the host, and returns once unfinished runs are resumed. A run that this program cannot resume is
    /// [blocked](crate::read::RunSummary::blocked), which is logged, and holds up no other.
    ///
    /// # Errors
    ///
    /// If a pipeline has no plan, if two have one id, or if the journal cannot be used: [`HostError::Held`] where another has it.
    pub async fn start(self) -> Result<Host, HostError> {
        thread::start(self).await
    }

    /// Refuses pipelines that have mistakes, and warns of secrets without a value, as `serve` does.
    pub(super) fn check(&self) -> Result<(), HostError> {
        if let Some(problem) = same_id(&self.pipelines) {
            return Err(HostError::Pipelines(problem));
        }
        let plans = self.pipelines.iter().map(|pipeline| pipeline.plan(&Value::Null));
        let plans = plans.collect::<Result<Vec<_>, _>>().map_err(StartError::Plan)?;
        let problems: Vec<String> = all_together(&self.pipelines, &plans).iter().map(ToString::to_string).collect();
        if !problems.is_empty() {
            return Err(HostError::Pipelines(problems.join("\n")));
        }
        for missing in plans.iter().flat_map(Plan::missing_secrets) {
            tracing::warn!("{missing}");
        }
        Ok(())
    }
}
