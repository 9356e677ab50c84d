//! `backfill`: runs the completed data intervals between two dates.

#![allow(clippy::doc_markdown, clippy::doc_link_with_quotes, reason = "these comments are the help, shown as they stand")]

use super::common_args::{ExecutionArgs, ParamArgs};
use super::holder::ExecutedBy;
use super::progress::Progress;
use super::{RunnerConfig, choose, holder, output, params};
use crate::Pipeline;
use crate::host::{Backfill, Command, Reprocess, SpanError};
use crate::journal::Reader;
use crate::time::Clock;
use clap::ValueEnum;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct BackfillArgs {
    /// The pipeline; may be omitted if it is the only one
    pub(super) pipeline: Option<String>,
    /// Start with the first interval that starts on this day or later: 2024-03-25; or at this time: 2024-03-25T06:00,
    /// 2024-03-25T06:00:00Z
    #[arg(long, value_name = "D")]
    pub(super) from: String,
    /// End with the last interval that starts on this day or earlier; or at this time
    #[arg(long, value_name = "D")]
    pub(super) to: String,
    /// Maximum number of active backfill runs of the pipeline; defaults to its `max_active_runs`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) max_active_runs: Option<u32>,
    /// Which intervals that already have a run are run again: those whose newest run failed, or all
    #[arg(long, value_enum, default_value_t = ReprocessArg::None)]
    pub(super) reprocess: ReprocessArg,
    /// List the intervals that would be run, and run nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) params: ParamArgs,
    #[command(flatten)]
    pub(super) execution: ExecutionArgs,
}

/// `--reprocess`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ReprocessArg {
    /// None of them
    None,
    /// Those whose newest run failed or was cancelled
    Failed,
    /// All whose newest run has ended
    All,
}

pub(super) fn run(pipelines: &[Pipeline], args: &BackfillArgs, config: &RunnerConfig) -> Result<ExitCode, String> {
    let pipeline = choose::one(pipelines, args.pipeline.as_deref())?;
    let params = params::parse(pipeline, &args.params)?;
    // Mistakes are reported here, with the arguments that caused them, and not by another process.
    let plan = pipeline.plan(&params).map_err(|error| params::describe_error(&args.params, &error))?;
    let backfill = Backfill {
        pipeline: pipeline.id().to_owned(),
        from: args.from.clone(),
        to: args.to.clone(),
        params,
        max_active_runs: args.max_active_runs,
        reprocess: match args.reprocess {
            ReprocessArg::None => Reprocess::None,
            ReprocessArg::Failed => Reprocess::Failed,
            ReprocessArg::All => Reprocess::All,
        },
    };
    backfill.span(&plan).map_err(|error| match error {
        SpanError::NoSchedule { pipeline } => format!("{error}; `run {pipeline} --logical-date D` runs one date"),
        SpanError::Bound { .. } => format!("--{error}"),
    })?;
    if args.dry_run {
        return dry_run(pipeline, &backfill, config);
    }
    let command = Command::Backfill(backfill.clone());
    let done = holder::execute(&config.journal, &command, || {
        Ok(config.runner(pipelines)?.backfill(backfill.clone()).for_command(&command).run())
    })?;
    Ok(match done {
        ExecutedBy::Holder(code) => code,
        ExecutedBy::ThisProcess(finished) => {
            if config.progress != Progress::Json {
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

fn dry_run(pipeline: &Pipeline, backfill: &Backfill, config: &RunnerConfig) -> Result<ExitCode, String> {
    let reader = config.journal.exists().then(|| Reader::open(&config.journal)).transpose().map_err(|error| error.to_string())?;
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
