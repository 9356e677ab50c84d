//! `serve`

#[cfg(feature = "dashboard")]
use super::dashboard::Wanted;
use super::{Place, check};
use crate::Pipeline;
use std::process::ExitCode;
use std::time::Duration;

pub(super) fn run(
    pipelines: &[Pipeline],
    drain: Duration,
    keep: Option<Duration>,
    #[cfg(feature = "dashboard")] page: Option<Wanted>,
    place: &Place,
) -> Result<ExitCode, String> {
    check::all(pipelines)?;
    let runner = place.runner(pipelines)?.serve(drain, keep);
    #[cfg(feature = "dashboard")]
    let runner = runner.shown_on(page);
    match runner.run() {
        Ok(finished) => Ok(finished.exit_code()),
        Err(error) => error.refuse(),
    }
}
