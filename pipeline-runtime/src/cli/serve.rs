//! `serve`

use super::{Place, check};
use crate::Pipeline;
use std::process::ExitCode;
use std::time::Duration;

pub(super) fn run(pipelines: &[Pipeline], drain: Duration, keep: Option<Duration>, place: &Place) -> Result<ExitCode, String> {
    check::all(pipelines)?;
    match place.runner(pipelines)?.serve(drain, keep).run() {
        Ok(finished) => Ok(finished.exit_code()),
        Err(error) => error.refuse(),
    }
}
