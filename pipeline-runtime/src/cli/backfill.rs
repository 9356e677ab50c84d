//! `backfill`

use super::args::{self, Reprocess};
use super::progress::Progress;
use super::{Place, asked, choose, output, params};
use crate::Pipeline;
use crate::host::{self, Backfill, Command, SpanError};
use crate::journal::Reader;
use crate::time::Clock;
use std::process::ExitCode;

pub(super) fn run(pipelines: &[Pipeline], given: &args::Backfill, place: &Place) -> Result<ExitCode, String> {
    let pipeline = choose::one(pipelines, given.pipeline.as_deref())?;
    let params = params::given(pipeline, &given.given)?;
    // Mistakes are reported here, with the arguments that caused them, and not by another process.
    let plan = pipeline.plan(&params).map_err(|error| params::blame(&given.given, &error))?;
    let backfill = Backfill {
        pipeline: pipeline.id().to_owned(),
        from: given.from.clone(),
        to: given.to.clone(),
        params,
        max_active_runs: given.max_active_runs,
        reprocess: match given.reprocess {
            Reprocess::None => host::Reprocess::None,
            Reprocess::Failed => host::Reprocess::Failed,
            Reprocess::All => host::Reprocess::All,
        },
    };
    backfill.span(&plan).map_err(|error| match error {
        SpanError::NoSchedule { pipeline } => format!("{error}; `run {pipeline} --logical-date D` runs one date"),
        SpanError::Bound { .. } => format!("--{error}"),
    })?;
    if given.dry_run {
        return dry_run(pipeline, &backfill, place);
    }
    let command = Command::Backfill(backfill.clone());
    let done = asked::or_here(&place.journal, &command, || {
        Ok(place.runner(pipelines)?.backfill(backfill.clone()).asked(&command).run())
    })?;
    Ok(match done {
        asked::Done::There(code) => code,
        asked::Done::Here(finished) => {
            if place.progress != Progress::Json {
                let tally = finished.tally();
                let of = |count: usize, what: &str| if count > 0 { format!(", {count} {what}") } else { String::new() };
                output::to_stdout(&format!(
                    "backfill of {}: {} success{}{}{}{}",
                    backfill.pipeline,
                    tally.success,
                    of(tally.failed, "failed"),
                    of(tally.cancelled, "cancelled"),
                    of(tally.queued, "not begun"),
                    of(tally.blocked, "blocked"),
                ));
            }
            finished.exit_code()
        }
    })
}

fn dry_run(pipeline: &Pipeline, backfill: &Backfill, place: &Place) -> Result<ExitCode, String> {
    let reader = place.journal.exists().then(|| Reader::open(&place.journal)).transpose().map_err(|error| error.to_string())?;
    let intervals = backfill.intervals(pipeline, reader.as_ref(), Clock::system().now());
    let (_, intervals) = intervals.map_err(|error| error.to_string())?;
    for interval in &intervals.runs {
        output::to_stdout(&format!("{interval}  would run"));
    }
    for (interval, run_id, state) in &intervals.left_out {
        output::to_stdout(&format!("{interval}  left out: run {run_id} is {state}"));
    }
    Ok(ExitCode::SUCCESS)
}
