//! `trigger`: starts a new run, in the process that serves if there is one.

use super::common_args::RunInputArgs;
use super::holder::ExecutedBy;
use super::{RunnerConfig, choose, holder, params};
use crate::Pipeline;
use crate::host::Command;
use crate::schedule::interval_of;
use std::process::ExitCode;

pub(super) fn run(
    pipelines: &[Pipeline],
    id: Option<&str>,
    inputs: &RunInputArgs,
    config: &RunnerConfig,
) -> Result<ExitCode, String> {
    let pipeline = choose::one(pipelines, id)?;
    let given = params::parse(pipeline, &inputs.params)?;
    // Mistakes are reported here, with the arguments that caused them, and not by another process.
    let plan = pipeline.plan(&given).map_err(|error| params::describe_error(&inputs.params, &error))?;
    if let Some(date) = &inputs.logical_date {
        interval_of(plan.schedule.as_ref(), pipeline.zone(), date).map_err(|error| format!("--logical-date: {error}"))?;
    }
    // A run is triggered in a journal that is, or was, served: with a new journal in another folder the same work would be done
    // twice.
    holder::must_exist(&config.journal)?;
    let (pipeline, logical_date, params) = (pipeline.clone(), inputs.logical_date.clone(), given);
    let command =
        Command::Trigger { pipeline: pipeline.id().to_owned(), logical_date: logical_date.clone(), params: params.clone() };
    let done = holder::execute(&config.journal, &command, || {
        let mut runner = config.runner(pipelines)?.pipeline(pipeline.clone(), &params).trigger().for_command(&command);
        if let Some(date) = &logical_date {
            runner = runner.logical_date(date);
        }
        Ok(runner.run())
    })?;
    Ok(match done {
        ExecutedBy::Holder(code) => code,
        ExecutedBy::ThisProcess(finished) => finished.exit_code(),
    })
}
