//! `serve`: follows all schedules until the process is asked to stop.

#[cfg(feature = "dashboard")]
use super::dashboard::DashboardRequest;
use super::{RunnerConfig, check};
use crate::Pipeline;
use std::process::ExitCode;
use std::time::Duration;

pub(super) fn run(
    pipelines: &[Pipeline],
    drain: Duration,
    keep: Option<Duration>,
    #[cfg(feature = "dashboard")] dashboard: Option<DashboardRequest>,
    config: &RunnerConfig,
) -> Result<ExitCode, String> {
    check::all(pipelines)?;
    let runner = config.runner(pipelines)?.serve(drain, keep);
    #[cfg(feature = "dashboard")]
    let runner = runner.dashboard(dashboard);
    match runner.run() {
        Ok(finished) => Ok(finished.exit_code()),
        Err(error) => error.refuse(),
    }
}
