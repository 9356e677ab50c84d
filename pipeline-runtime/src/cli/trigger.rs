//! `trigger`

use super::args::About;
use super::{Place, asked, choose, params};
use crate::Pipeline;
use crate::host::Command;
use crate::schedule::interval_of;
use std::process::ExitCode;

pub(super) fn run(pipelines: &[Pipeline], id: Option<&str>, about: &About, place: &Place) -> Result<ExitCode, String> {
    let pipeline = choose::one(pipelines, id)?;
    let given = params::given(pipeline, &about.given)?;
    // Mistakes are reported here, with the arguments that caused them, and not by another process.
    let plan = pipeline.plan(&given).map_err(|error| params::blame(&about.given, &error))?;
    if let Some(date) = &about.logical_date {
        interval_of(plan.schedule.as_ref(), pipeline.zone(), date).map_err(|error| format!("--logical-date: {error}"))?;
    }
    // A run is triggered in a journal that is, or was, served: with a new journal in another folder the same work would be done
    // twice.
    asked::must_exist(&place.journal)?;
    let (pipeline, logical_date, params) = (pipeline.clone(), about.logical_date.clone(), given);
    let command =
        Command::Trigger { pipeline: pipeline.id().to_owned(), logical_date: logical_date.clone(), params: params.clone() };
    let done = asked::or_here(&place.journal, &command, || {
        let mut runner = place.runner(pipelines)?.pipeline(pipeline.clone(), &params).trigger().asked(&command);
        if let Some(date) = &logical_date {
            runner = runner.logical_date(date);
        }
        Ok(runner.run())
    })?;
    Ok(match done {
        asked::Done::There(code) => code,
        asked::Done::Here(finished) => finished.exit_code(),
    })
}
