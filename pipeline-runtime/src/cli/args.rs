//! The command line: its global options and its commands, with the help of each. Help texts name every default.
//!
//! A command with many arguments has them in its own file, as `RunArgs` in `run.rs`. What several commands have is in
//! `common_args.rs`.

#![allow(clippy::doc_markdown, clippy::doc_link_with_quotes, reason = "these comments are the help, shown as they stand")]

use super::acts::ActsArgs;
#[cfg(feature = "airflow")]
use super::airflow::AirflowCommand;
use super::assets::AssetsArgs;
use super::backfill::BackfillArgs;
use super::common_args::{ExecutionArgs, RunInputArgs};
use super::durations::duration;
use super::forecast::ForecastArgs;
use super::graph::GraphFormat;
use super::logging::{level, log_format};
use super::logs::LogsArgs;
use super::prune::PruneArgs;
use super::run::RunArgs;
use super::runs::RunsArgs;
use super::settings::SettingsArgs;
use super::simulate::SimulateArgs;
use super::what_if::WhatIfArgs;
use crate::observe::logs::LogFormat;
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::time::Duration;
use tracing::level_filters::LevelFilter;

/// Check, draw, run and simulate the pipelines of this binary.
#[derive(Debug, Parser)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 success, 1 the run failed, 2 wrong use or a mistake in a plan, 130 interrupted by Ctrl-C, 143 by SIGTERM."
)]
pub(super) struct Args {
    /// Minimum level of log lines written to stderr: off, error, warn, info, debug, trace
    ///
    /// The default is the environment variable PIPELINE_LOG, else info.
    #[arg(long, global = true, value_name = "LEVEL", value_parser = level, help_heading = "Logging")]
    pub(super) log: Option<LevelFilter>,
    /// Format of log lines: text, or json for one JSON object per line with the run, the node and the attempt
    ///
    /// The default is the environment variable PIPELINE_LOG_FORMAT, else text.
    #[arg(long, global = true, value_name = "FORMAT", value_parser = log_format, help_heading = "Logging")]
    pub(super) log_format: Option<LogFormat>,
    /// The journal file that stores all runs; defaults to PIPELINE_JOURNAL, else .pipeline/journal.db
    ///
    /// PIPELINE_JOURNAL is an environment variable. `run`, `serve` and `backfill` create the file if it is missing; all other
    /// commands fail and print its path.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Journal")]
    pub(super) journal: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Build every plan with its default params and report all mistakes
    Check {
        /// Check only this pipeline; without it all of them
        pipeline: Option<String>,
        /// Fail if a secret or a webhook URL has no value here; without it that is a warning
        #[arg(long)]
        env: bool,
        /// Print one JSON object per line and pipeline, and one without a pipeline for mistakes that involve several
        #[arg(long)]
        json: bool,
    },
    /// List the pipelines, their schedules and their next runs
    ///
    /// Whether a schedule is paused is recorded in the journal. Without a journal, no schedule is paused.
    List {
        /// Print one JSON object per line and pipeline
        #[arg(long)]
        json: bool,
    },
    /// List the assets, their last updates, and the pipelines that update, await or read them
    Assets(AssetsArgs),
    /// List or change the settings: values, defaults, and the pipelines that take them
    Settings(SettingsArgs),
    /// Draw a pipeline's plan with its default params
    Graph {
        /// The pipeline; may be omitted if it is the only one
        pipeline: Option<String>,
        /// The output format
        #[arg(long, value_enum, default_value_t = GraphFormat::Text)]
        format: GraphFormat,
    },
    /// Run a pipeline once, now, until it ends
    ///
    /// If stdout and stderr are terminals, this shows a line per running or waiting node, else it prints a line per event. At the
    /// end it waits at most 30s for callbacks. Ctrl-C or SIGTERM cuts off running attempts and leaves the run unfinished; a
    /// second one ends the process at once.
    ///
    /// Every event is recorded in the journal. An unfinished run for the same pipeline and logical date is resumed; without a
    /// logical date, the pipeline's newest unfinished run. Otherwise a new run starts.
    Run(RunArgs),
    /// Run all pipelines on their schedules, until Ctrl-C or SIGTERM
    ///
    /// A run starts at the end of its data interval. Intervals that were missed while no process served are backfilled for
    /// pipelines with `catchup`; for others only the latest interval runs. Unfinished runs are resumed. On Ctrl-C or SIGTERM no
    /// new attempt starts, and running attempts may finish; after --drain they are cut off. The next `serve` resumes unfinished
    /// runs. A second signal ends the process at once.
    Serve {
        /// How long running attempts may take to finish once the process is asked to stop
        #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = duration)]
        drain: Duration,
        /// Delete runs that ended longer ago, for pipelines without their own `keep`: 90d, 12h; without it runs are never deleted
        ///
        /// Runs are deleted at the start and then once an hour. The runs that `prune` spares are spared here as well.
        #[arg(long, value_name = "DURATION", value_parser = retention)]
        keep: Option<Duration>,
        #[command(flatten)]
        execution: ExecutionArgs,
        #[cfg(feature = "dashboard")]
        #[command(flatten)]
        dashboard: super::dashboard::ServeDashboardArgs,
    },
    /// Serve the journal as a web page, until Ctrl-C or SIGTERM
    ///
    /// It reads the journal file: next to the process that serves, of a stopped project, or a copy. The process that holds the
    /// journal carries out the actions requested on the page. `serve` shows the same page itself.
    #[cfg(feature = "dashboard")]
    Dashboard(super::dashboard::DashboardArgs),
    /// Start a new run of a pipeline, in the process that serves if there is one
    ///
    /// If another process holds the journal, that process runs it; this command returns once the run has started or is queued,
    /// and reports which. Otherwise the run is executed here until it ends. A date with an unfinished manual run is refused, even
    /// if the date is not given but derived from the schedule. The journal must exist.
    Trigger {
        /// The pipeline; may be omitted if it is the only one
        pipeline: Option<String>,
        #[command(flatten)]
        inputs: RunInputArgs,
        #[command(flatten)]
        execution: ExecutionArgs,
    },
    /// Run the completed data intervals of a pipeline between two dates
    ///
    /// If another process holds the journal, that process runs them. Otherwise they run here, together with unfinished runs of
    /// the pipeline's earlier backfills.
    Backfill(BackfillArgs),
    /// Pause a pipeline's schedule
    ///
    /// Active runs continue, and `trigger` and `backfill` still work.
    Pause {
        /// The pipeline; may be omitted if it is the only one
        pipeline: Option<String>,
    },
    /// Resume a pipeline's schedule
    ///
    /// Intervals missed meanwhile are backfilled if the pipeline has `catchup`; otherwise only its latest interval runs.
    Unpause {
        /// The pipeline; may be omitted if it is the only one
        pipeline: Option<String>,
    },
    /// Cancel a run: cut off its attempts and skip all nodes that have not ended
    Cancel {
        /// The run's id, as listed by `runs`; PIPELINE/RUN if several pipelines have that id
        run: String,
        #[command(flatten)]
        execution: ExecutionArgs,
    },
    /// End a node as skipped, whether it waits, runs or has failed; the run continues from there
    Skip {
        /// The run's id, as listed by `runs`; PIPELINE/RUN if several pipelines have that id
        run: String,
        /// The node; `upload[3]` for an element of a mapping
        node: String,
        #[command(flatten)]
        execution: ExecutionArgs,
    },
    /// Resume all unfinished runs and deliver pending notifications
    ///
    /// A run that this program cannot resume stays `blocked`, and the others continue. `show` prints the reason.
    Resume {
        /// Resume runs even if nodes were removed or their inputs changed
        ///
        /// Removed nodes are dropped from the run, as Airflow marks them `removed`; decisions about other nodes that depended on
        /// them are made again with the current plan. Nodes that succeeded stay so.
        #[arg(long)]
        accept_removed: bool,
        /// Print metrics of each run and write them to FILE with the pipeline's id before the extension: m.prom becomes
        /// m.sales.prom
        ///
        /// For several runs of one pipeline, the run that started last is written. Otherwise as `run --metrics`.
        #[arg(long, value_name = "FILE")]
        metrics: Option<PathBuf>,
        #[command(flatten)]
        execution: ExecutionArgs,
    },
    /// Retry ended nodes of a run, and everything decided because of them
    Retry {
        /// The run's id, as listed by `runs`; PIPELINE/RUN if several pipelines have that id
        run: String,
        /// The nodes; `upload[3]` for an element of a mapping; without any, all that failed or were cut off by the end of the run
        nodes: Vec<String>,
        /// Run all downstream nodes again as well
        #[arg(long)]
        downstream: bool,
        /// Print run metrics at the end and write them to FILE, as `run --metrics` does
        ///
        /// Not if another process holds the journal, since that process then runs it.
        #[arg(long, value_name = "FILE")]
        metrics: Option<PathBuf>,
        #[command(flatten)]
        execution: ExecutionArgs,
    },
    /// List the runs in the journal, newest first
    Runs(RunsArgs),
    /// Show a run: its timeline, its failed and interrupted attempts, and what each node waits for
    Show {
        /// The run's id, as listed by `runs`
        run: String,
        /// Print the run as one HTML file, with its log and its records: `show RUN --html >run.html`
        #[arg(long)]
        html: bool,
    },
    /// Print the log lines of a run, or of one of its nodes
    ///
    /// The journal stores lines of the --log level in effect when the node ran, at most 1 MiB per attempt and 64 MiB per run.
    Logs(LogsArgs),
    /// List the commands that users issued and their results, newest first
    ///
    /// The last 10,000 `trigger`, `backfill`, `pause`, `unpause`, `cancel`, `skip`, `retry` and `prune` commands are recorded.
    /// The user's name is taken from the environment of the command (`USER`).
    Acts(ActsArgs),
    /// Delete old runs from the journal, in the process that holds it if there is one
    ///
    /// Unfinished runs and runs with pending notifications are kept, and so is everything that schedules, templates and queued
    /// runs depend on, such as the newest run of each pipeline and kind and its newest success. The file shrinks. A journal of an
    /// earlier version is rewritten for that if no process holds it, which takes free space of twice its size.
    Prune(PruneArgs),
    /// Copy the journal to FILE, even while another process writes it
    ///
    /// FILE is a complete journal as of one moment, and appears atomically. No writer is blocked meanwhile.
    Backup {
        /// The copy; its folder must exist
        file: PathBuf,
        /// Replace FILE if it exists and is a regular file
        #[arg(long)]
        force: bool,
    },
    /// Move times of the journal that are in the future back to the present
    ///
    /// For a journal that was written while the machine's clock was ahead: until that time is reached, nothing continues from it.
    /// The order of the times is preserved; logical dates and data intervals do not change.
    Repair,
    /// Export the pipelines as Airflow tasks
    #[cfg(feature = "airflow")]
    Airflow {
        #[command(subcommand)]
        command: AirflowCommand,
    },
    /// Remove partial files that killed processes left in buckets
    ///
    /// In all folders of a `file://` bucket: files `NAME#1` that were not written for an hour and are not locked by a process. A
    /// write removes those in its own folder anyway. `s3://` has none: a lifecycle rule of the bucket aborts unfinished uploads.
    Gc {
        /// URLs of buckets
        #[arg(value_name = "BUCKET", required = true)]
        buckets: Vec<String>,
    },
    /// Run a pipeline on virtual time, in milliseconds, and print its timeline
    ///
    /// The engine and the bodies are the real ones. Memory buckets are empty at the start, and the clock starts at the end of the
    /// data interval. A run that still waits after 400 days is abandoned and counts as failed.
    Simulate(SimulateArgs),
    /// Replay a run on virtual time with something changed, and print the differences
    ///
    /// No body is called and no notification is sent: each node answers as it did, after the time it took. Whatever the run never
    /// reached is reported as unknown. The pipeline must still have the nodes of the run.
    WhatIf(WhatIfArgs),
    /// Forecast the runs of a pipeline's schedule under given assumptions
    ///
    /// The scheduler of `serve` decides on virtual time, from the current content of the journal. Nothing is run or written.
    /// Unless stated otherwise, a process is assumed to serve from now on, and a paused pipeline stays paused.
    Forecast(ForecastArgs),
}

/// Returns the journal file: the option, else the environment variable, else the default in the current folder.
pub(super) fn journal(option: Option<PathBuf>) -> PathBuf {
    let named = || std::env::var_os("PIPELINE_JOURNAL").filter(|name| !name.is_empty());
    option.or_else(|| named().map(PathBuf::from)).unwrap_or_else(|| PathBuf::from(".pipeline/journal.db"))
}

/// Parses `--keep`. Zero is refused: it would delete each run as it ends.
fn retention(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("it must be longer than zero; without it runs are never deleted".to_owned()),
        keep => Ok(keep),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_sound() {
        Args::command().debug_assert();
    }
}
