//! The command-line arguments. Their help texts name every default.

#![allow(clippy::doc_markdown, clippy::doc_link_with_quotes, reason = "these comments are the help, shown as they stand")]

use super::acts::Acts;
use super::assets::Assets;
use super::durations::duration;
use super::logging::{level, log_format};
use super::logs::Logs;
use super::progress::Progress;
use super::prune::Prune;
use super::runs::Runs;
use super::settings::Settings;
use crate::observe::logs::LogFormat;
use crate::plan::DEFAULT_PARALLELISM;
use crate::{OtherRun, RunState};
use clap::{Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
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
    Assets(Assets),
    /// List or change the settings: values, defaults, and the pipelines that take them
    Settings(Settings),
    /// Draw a pipeline's plan with its default params
    Graph {
        /// The pipeline; may be omitted if it is the only one
        pipeline: Option<String>,
        /// The output format
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Run a pipeline once, now, until it ends
    ///
    /// If stdout and stderr are terminals, this shows a line per running or waiting node, else it prints a line per event. At the
    /// end it waits at most 30s for callbacks. Ctrl-C or SIGTERM cuts off running attempts and leaves the run unfinished; a
    /// second one ends the process at once.
    ///
    /// Every event is recorded in the journal. An unfinished run for the same pipeline and logical date is resumed; without a
    /// logical date, the pipeline's newest unfinished run. Otherwise a new run starts.
    Run(Run),
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
        #[arg(long, value_name = "DURATION", value_parser = kept)]
        keep: Option<Duration>,
        #[command(flatten)]
        how: How,
        #[cfg(feature = "dashboard")]
        #[command(flatten)]
        beside: super::dashboard::Beside,
    },
    /// Serve the journal as a web page, until Ctrl-C or SIGTERM
    ///
    /// It reads the journal file: next to the process that serves, of a stopped project, or a copy. The process that holds the
    /// journal carries out the actions requested on the page. `serve` shows the same page itself.
    #[cfg(feature = "dashboard")]
    Dashboard(super::dashboard::Show),
    /// Start a new run of a pipeline, in the process that serves if there is one
    ///
    /// If another process holds the journal, that process runs it; this command returns once the run has started or is queued,
    /// and reports which. Otherwise the run is executed here until it ends. A date with an unfinished manual run is refused, even
    /// if the date is not given but derived from the schedule. The journal must exist.
    Trigger {
        /// The pipeline; may be omitted if it is the only one
        pipeline: Option<String>,
        #[command(flatten)]
        about: About,
        #[command(flatten)]
        how: How,
    },
    /// Run the completed data intervals of a pipeline between two dates
    ///
    /// If another process holds the journal, that process runs them. Otherwise they run here, together with unfinished runs of
    /// the pipeline's earlier backfills.
    Backfill(Backfill),
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
        how: How,
    },
    /// End a node as skipped, whether it waits, runs or has failed; the run continues from there
    Skip {
        /// The run's id, as listed by `runs`; PIPELINE/RUN if several pipelines have that id
        run: String,
        /// The node; `upload[3]` for an element of a mapping
        node: String,
        #[command(flatten)]
        how: How,
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
        how: How,
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
        how: How,
    },
    /// List the runs in the journal, newest first
    Runs(Runs),
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
    Logs(Logs),
    /// List the commands that users issued and their results, newest first
    ///
    /// The last 10,000 `trigger`, `backfill`, `pause`, `unpause`, `cancel`, `skip`, `retry` and `prune` commands are recorded.
    /// The user's name is taken from the environment of the command (`USER`).
    Acts(Acts),
    /// Delete old runs from the journal, in the process that holds it if there is one
    ///
    /// Unfinished runs and runs with pending notifications are kept, and so is everything that schedules, templates and queued
    /// runs depend on, such as the newest run of each pipeline and kind and its newest success. The file shrinks. A journal of an
    /// earlier version is rewritten for that if no process holds it, which takes free space of twice its size.
    Prune(Prune),
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
        what: Airflow,
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
    Simulate(Simulate),
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people: a drawing and a table of nodes
    Text,
    /// A Mermaid flowchart, as Markdown pages render it
    Mermaid,
    /// A picture: a box for each task, sensor and mapping
    Svg,
    /// The whole plan, for programs
    Json,
}

#[derive(Debug, clap::Args)]
pub(super) struct Run {
    /// The pipeline; may be omitted if it is the only one
    pub(super) pipeline: Option<String>,
    #[command(flatten)]
    pub(super) about: About,
    /// Start a new run even if an unfinished one could be resumed
    #[arg(long)]
    pub(super) new: bool,
    /// Print run metrics at the end and write them to FILE: JSON if it ends in .json, otherwise Prometheus text
    ///
    /// Also for a run that failed or was interrupted. FILE is replaced atomically by way of a temporary file in its folder, which
    /// must exist. Anything but a regular file, such as a pipe, is refused, and so are the files of the journal.
    #[arg(long, value_name = "FILE")]
    pub(super) metrics: Option<PathBuf>,
    #[command(flatten)]
    pub(super) how: How,
}

#[derive(Debug, clap::Args)]
pub(super) struct Backfill {
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
    #[arg(long, value_enum, default_value_t = Reprocess::None)]
    pub(super) reprocess: Reprocess,
    /// List the intervals that would be run, and run nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) given: Given,
    #[command(flatten)]
    pub(super) how: How,
}

/// `--reprocess`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Reprocess {
    /// None of them
    None,
    /// Those whose newest run failed or was cancelled
    Failed,
    /// All whose newest run has ended
    All,
}

/// How runs are executed.
#[derive(Debug, clap::Args)]
pub(super) struct How {
    /// Maximum number of concurrent attempts of nodes that are in no pool
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PARALLELISM, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) parallelism: u32,
    /// Print one JSON object per line and event; the last one has the result of the run
    #[arg(long)]
    pub(super) json: bool,
}

/// The params of a run.
#[derive(Debug, clap::Args)]
pub(super) struct Given {
    /// Set a param, or one inside an object with `of.region=eu`: a text, or JSON where its type is a list or an object; may be
    /// repeated
    #[arg(long = "param", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(super) params: Vec<(String, String)>,
    /// Set params from a JSON object; --param overrides it, and what neither sets has its default, also in nested objects
    #[arg(long = "params", value_name = "FILE.json")]
    pub(super) file: Option<PathBuf>,
}

/// The logical date and the params of a run.
#[derive(Debug, clap::Args)]
pub(super) struct About {
    /// The data interval that starts on this day: 2024-03-25; or that contains this time: 2024-03-25T06:00, 2024-03-25T06:00:00Z
    ///
    /// Days, and times without an offset, are in the pipeline's time zone. A day on which no interval starts, or more than one,
    /// is refused. Without a schedule a day means its midnight. The default is the last complete interval; for a pipeline without
    /// a schedule, now (simulated: the first interval at or after the pipeline's start, else 2024-01-01).
    #[arg(long, value_name = "D")]
    pub(super) logical_date: Option<String>,
    #[command(flatten)]
    pub(super) given: Given,
}

#[derive(Debug, clap::Args)]
pub(super) struct Simulate {
    /// The pipeline; may be omitted if it is the only one
    pub(super) pipeline: Option<String>,
    #[command(flatten)]
    pub(super) about: About,
    /// Put the contents of FILE at this URL, this long after the start: 7m=data-bucket/raw/x.json:x.json; may be repeated
    ///
    /// A URL without a scheme is a memory:// URL; file:///PATH writes a real file. The URL ends at its first colon.
    #[arg(long = "arrive", value_name = "WHEN=URL:FILE", value_parser = arrival)]
    pub(super) arrivals: Vec<Arrival>,
    /// A run of another pipeline has ended, this long after the start: 3m=counts, 3m=counts='{"count": 7}'; may be repeated
    ///
    /// It succeeded, and each task named in the JSON returned that value, unless HOW is `failed` or `failed: ERROR`. It is the
    /// run of the same data interval; counts@2024-03-25 is the run of another one.
    #[arg(long = "ran", value_name = "WHEN=PIPELINE[@DATE][=HOW]", value_parser = ran)]
    pub(super) ran: Vec<OtherPipelineRun>,
    /// Update an asset with this value, this long after the start: 0s=rates='{"eur": 7}'; may be repeated
    #[arg(long = "updated", value_name = "WHEN=ASSET=JSON", value_parser = updated)]
    pub(super) updates: Vec<Updated>,
    /// Fail this attempt of a node with this error, without calling its body: load@1='503'; may be repeated
    #[arg(long = "fail", value_name = "NODE@ATTEMPT=ERROR", value_parser = failure)]
    pub(super) failures: Vec<Failure>,
    /// Let a node succeed at once with this value, without calling its body: load='{"rows": 7}'; may be repeated
    ///
    /// The value is the task's result as JSON. `upload` means all elements of a mapping, `upload[3]` one of them.
    #[arg(long = "stub", value_name = "NODE=JSON", value_parser = stub)]
    pub(super) stubs: Vec<(String, serde_json::Value)>,
    /// Give a setting this value, in the form that `settings set` takes, instead of its default: limit=200; may be repeated
    #[arg(long = "setting", value_name = "NAME=VALUE", value_parser = key_value)]
    pub(super) settings: Vec<(String, String)>,
    /// Each operation on a bucket takes this long, or a random time in a range: data-bucket=2s, data-bucket=50ms..2s; may be
    /// repeated
    #[arg(long = "latency", value_name = "BUCKET=TIME", value_parser = latency)]
    pub(super) latencies: Vec<(String, String)>,
    /// A bucket is unreachable between two times: data-bucket=5m..20m; may be repeated
    ///
    /// A bucket without a scheme is a memory:// bucket, here and for --latency.
    #[arg(long = "outage", value_name = "BUCKET=FROM..UNTIL", value_parser = outage)]
    pub(super) outages: Vec<Outage>,
    /// Seed of all jitter and all random latencies
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) seed: u64,
    /// Print run metrics and write them to FILE: JSON if it ends in .json, otherwise Prometheus text
    #[arg(long, value_name = "FILE")]
    pub(super) metrics: Option<PathBuf>,
}

/// The subcommands of `airflow`.
#[cfg(feature = "airflow")]
#[derive(Debug, Subcommand)]
pub(super) enum Airflow {
    /// Write a DAG file, and the executable that runs its tasks
    ///
    /// The DAG file is for Airflow's DAG folder and imports nothing of this program; the executable is for the folder that an
    /// `ExecutableCoordinator` of Airflow 3.3 reads. Without a coordinator, Airflow runs the executable next to the DAG file, or
    /// the one that the environment variable PIPELINE_BUNDLE names. The same code gives the same bytes.
    Export {
        /// The folder
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        /// Write nothing; fail if the files there differ from what this program would write
        #[arg(long)]
        check: bool,
        /// The queue that a coordinator serves
        #[arg(long, value_name = "QUEUE", default_value = "rust")]
        queue: String,
        /// Leave out a feature that Airflow does not have
        #[arg(long, value_name = "WHAT")]
        without: Vec<crate::airflow::Omission>,
        /// The pipelines to export; without any, all of them
        #[arg(value_name = "PIPELINE")]
        pipelines: Vec<String>,
    },
}

/// `what-if`
#[derive(Debug, clap::Args)]
pub(super) struct WhatIfArgs {
    /// The run's id, as listed by `runs`
    pub(super) run: String,
    /// What a sensor waits for arrives at another time; may be repeated
    ///
    /// `export=+20m` is 20 minutes later than in the run, `export=-5m` earlier, `export=20m` that long after the start of the
    /// run, and `export=never` not at all.
    #[arg(long = "arrive", value_name = "NODE=TIME")]
    pub(super) arrivals: Vec<String>,
    /// This attempt of a node fails: load@1, load@1=503; may be repeated
    #[arg(long = "fail", value_name = "NODE@ATTEMPT[=ERROR]")]
    pub(super) failures: Vec<String>,
    /// An option of a node has another value: export.poke=20s; the options are poke, timeout, retries and `retry_delay`; may be
    /// repeated
    #[arg(long = "set", value_name = "NODE.OPTION=VALUE")]
    pub(super) options: Vec<String>,
    /// A pool has another number of slots: database=4; may be repeated
    #[arg(long = "slots", value_name = "POOL=SLOTS")]
    pub(super) slots: Vec<String>,
}

/// `forecast`
#[derive(Debug, clap::Args)]
pub(super) struct ForecastArgs {
    /// The pipeline; may be omitted if it is the only one
    pub(super) pipeline: Option<String>,
    /// Number of ticks to forecast, at most 500; defaults to 20
    #[arg(long, value_name = "N")]
    pub(super) ticks: Option<String>,
    /// Forecast until this time, but at most 500 ticks: 2026-03-31, 2026-03-31T06:00; dates are in the schedule's time zone
    #[arg(long, value_name = "DATE", conflicts_with = "ticks")]
    pub(super) until: Option<String>,
    /// Duration of a run: 20m; defaults to the median of the last 20 that succeeded
    #[arg(long, value_name = "TIME")]
    pub(super) takes: Option<String>,
    /// No process serves during this time: 2026-03-28T06:00..2026-03-31, ..2026-03-31, 2026-03-28..; may be repeated
    #[arg(long, value_name = "FROM..UNTIL")]
    pub(super) stopped: Vec<String>,
    /// The pipeline is paused during this time, and not after it; may be repeated
    ///
    /// A pipeline that is paused now stays paused until the first of these times ends, and forever without one. `..now` means that it
    /// is unpaused now.
    #[arg(long, value_name = "FROM..UNTIL")]
    pub(super) paused: Vec<String>,
    /// The run of the interval that starts on this day or at this time fails; dates are as for --logical-date; may be repeated
    #[arg(long = "fail", value_name = "DATE")]
    pub(super) fails: Vec<String>,
    /// An option of the pipeline has another value: catchup=true; the options are catchup, `depends_on_past` and
    /// `max_active_runs`; may be repeated
    #[arg(long = "set", value_name = "OPTION=VALUE")]
    pub(super) options: Vec<String>,
    /// Print one JSON object with all rows and notes
    #[arg(long)]
    pub(super) json: bool,
}

impl How {
    pub(super) fn progress(&self) -> Progress {
        if self.json { Progress::Json } else { Progress::Auto }
    }
}

/// `--arrive`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) when: String,
    pub(super) url: String,
    pub(super) file: PathBuf,
}

/// `--fail`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) node: String,
    pub(super) attempt: u32,
    pub(super) error: String,
}

/// `--ran`
#[derive(Debug, Clone)]
pub(super) struct OtherPipelineRun {
    pub(super) when: String,
    pub(super) pipeline: String,
    pub(super) run: OtherRun,
}

/// `--updated`
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Updated {
    pub(super) when: String,
    pub(super) asset: String,
    pub(super) value: serde_json::Value,
}

/// `--outage`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outage {
    pub(super) bucket: String,
    pub(super) from: String,
    pub(super) until: String,
}

/// Returns the journal file: the option, else the environment variable, else the default in the current folder.
pub(super) fn journal(option: Option<PathBuf>) -> PathBuf {
    let named = || std::env::var_os("PIPELINE_JOURNAL").filter(|name| !name.is_empty());
    option.or_else(|| named().map(PathBuf::from)).unwrap_or_else(|| PathBuf::from(".pipeline/journal.db"))
}

/// Zero is refused: it would delete each run as it ends.
fn kept(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("it must be longer than zero; without it runs are never deleted".to_owned()),
        keep => Ok(keep),
    }
}

pub(super) fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, as in `--param region=eu`".into()),
    }
}

fn arrival(text: &str) -> Result<Arrival, String> {
    let form = || "write WHEN=URL:FILE, as in `7m=data-bucket/raw/x.json:x.json`".to_owned();
    let (when, rest) = text.split_once('=').ok_or_else(form)?;
    duration_in(when)?;
    let (scheme, rest) = rest.split_once("://").unwrap_or(("memory", rest));
    let (object, file) = rest.split_once(':').ok_or_else(form)?;
    if object.is_empty() || file.is_empty() {
        return Err(form());
    }
    Ok(Arrival { when: when.to_owned(), url: format!("{scheme}://{object}"), file: file.into() })
}

/// Parses a duration that is only part of an argument, so the error quotes it.
fn duration_in(text: &str) -> Result<Duration, String> {
    duration(text).map_err(|why| format!("`{text}` is not a duration: {why}"))
}

/// Parses JSON that is part of an argument.
fn value_in(json: &str) -> Result<serde_json::Value, String> {
    serde_json::from_str(json).map_err(|error| format!("`{json}` is not valid JSON: {error}; write a text in quotes"))
}

/// Parses a time, or a range whose end is not before its start.
fn range(text: &str) -> Result<(&str, &str), String> {
    let (from, until) = text.split_once("..").unwrap_or((text, text));
    if duration_in(until)? < duration_in(from)? {
        return Err(format!("`{text}` ends before it begins"));
    }
    Ok((from, until))
}

/// Splits `BUCKET=WHAT` into the bucket's URL and the rest.
fn of_bucket(text: &str) -> Option<(String, &str)> {
    let (bucket, what) = text.rsplit_once('=').filter(|(bucket, _)| !bucket.is_empty())?;
    Some((if bucket.contains("://") { bucket.to_owned() } else { format!("memory://{bucket}") }, what))
}

fn latency(text: &str) -> Result<(String, String), String> {
    let form = || "write BUCKET=TIME, as in `data-bucket=2s` or `data-bucket=50ms..2s`".to_owned();
    let (bucket, latency) = of_bucket(text).ok_or_else(form)?;
    range(latency)?;
    Ok((bucket, latency.to_owned()))
}

fn outage(text: &str) -> Result<Outage, String> {
    let form = || "write BUCKET=FROM..UNTIL, as in `data-bucket=5m..20m`".to_owned();
    let (bucket, times) = of_bucket(text).ok_or_else(form)?;
    match range(times)? {
        (from, until) if from != until => Ok(Outage { bucket, from: from.to_owned(), until: until.to_owned() }),
        _ => Err(form()),
    }
}

fn failure(text: &str) -> Result<Failure, String> {
    let form = || "write NODE@ATTEMPT=ERROR, as in `load@1=503`".to_owned();
    let (at, error) = text.split_once('=').ok_or_else(form)?;
    let (node, attempt) = at.rsplit_once('@').ok_or_else(form)?;
    let attempt: u32 =
        attempt.parse().map_err(|_| format!("`{attempt}` is not an attempt: attempts count from 1; {}", form()))?;
    if node.is_empty() || attempt == 0 {
        return Err(format!("attempts count from 1, and the node must be named; {}", form()));
    }
    Ok(Failure { node: node.to_owned(), attempt, error: error.to_owned() })
}

fn ran(text: &str) -> Result<OtherPipelineRun, String> {
    let form = || "write WHEN=PIPELINE, WHEN=PIPELINE='{\"task\": 7}' or WHEN=PIPELINE=failed, as in `3m=counts`".to_owned();
    let (when, rest) = text.split_once('=').ok_or_else(form)?;
    duration_in(when)?;
    let (of, how) = rest.split_once('=').map_or((rest, None), |(of, how)| (of, Some(how)));
    let (pipeline, date) = of.split_once('@').map_or((of, None), |(of, date)| (of, Some(date)));
    if pipeline.is_empty() || date.is_some_and(str::is_empty) {
        return Err(form());
    }
    let run = how.map_or_else(|| Ok(OtherRun::success()), |how| ended(how).map_err(|why| format!("{why}; {}", form())))?;
    let run = date.map_or_else(|| run.clone(), |date| run.clone().starting(date));
    Ok(OtherPipelineRun { when: when.to_owned(), pipeline: pipeline.to_owned(), run })
}

/// Parses how a run of another pipeline ended.
fn ended(how: &str) -> Result<OtherRun, String> {
    match how.split_once(':').map_or((how, None), |(state, error)| (state, Some(error.trim_start()))) {
        ("success", None) => Ok(OtherRun::success()),
        ("failed", None) => Ok(RunState::Failed.into()),
        ("failed", Some(error)) => Ok(OtherRun::failed(error)),
        _ if how.starts_with('{') => {
            let read: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(how).map_err(|error| format!("`{how}` is not valid JSON: {error}"))?;
            Ok(read.iter().fold(OtherRun::success(), |run, (task, value)| run.output_json(task, value)))
        }
        _ => Err(format!("`{how}` is not an end of a run")),
    }
}

fn updated(text: &str) -> Result<Updated, String> {
    let form = || "write WHEN=ASSET=JSON, as in `0s=rates='{\"eur\": 7}'`".to_owned();
    let (when, rest) = text.split_once('=').ok_or_else(form)?;
    duration_in(when)?;
    let (asset, json) = rest.split_once('=').filter(|(asset, _)| !asset.is_empty()).ok_or_else(form)?;
    Ok(Updated { when: when.to_owned(), asset: asset.to_owned(), value: value_in(json)? })
}

fn stub(text: &str) -> Result<(String, serde_json::Value), String> {
    let form = || "write NODE=JSON, as in `load='{\"rows\": 7}'`".to_owned();
    let (node, json) = text.split_once('=').filter(|(node, _)| !node.is_empty()).ok_or_else(form)?;
    Ok((node.to_owned(), value_in(json)?))
}

/// Returns the clap command for one of the binary's own commands. Clap parses none of its arguments.
pub(super) fn own(name: &'static str, about: &'static str) -> clap::Command {
    let rest = clap::Arg::new("arguments").num_args(0..).trailing_var_arg(true).allow_hyphen_values(true);
    let rest = rest.value_parser(clap::value_parser!(OsString)).hide(true);
    clap::Command::new(name).about(about).disable_help_flag(true).arg(rest)
}

/// Returns the arguments after the name of one of the binary's own commands.
pub(super) fn own_arguments(given: &clap::ArgMatches) -> Vec<OsString> {
    given.get_many::<OsString>("arguments").into_iter().flatten().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn an_arrival_is_a_time_an_object_and_a_file() {
        let of = |text| arrival(text).map(|arrival| (arrival.when, arrival.url, arrival.file));
        let memory = Ok(("7m".into(), "memory://data/raw/x.json".into(), "here/x.json".into()));
        assert_eq!(of("7m=data/raw/x.json:here/x.json"), memory);
        assert_eq!(of("7m=memory://data/raw/x.json:here/x.json"), memory);
        assert_eq!(of("0s=file:///tmp/x:C:\\x").unwrap().2, PathBuf::from("C:\\x"));
        assert!(of("soon=data/x:x").unwrap_err().starts_with("`soon` is not a duration"));
        assert!(of("7m=data/x").unwrap_err().starts_with("write WHEN=URL:FILE"));
    }

    #[test]
    fn a_latency_and_an_outage_are_of_a_bucket() {
        let two = |bucket: &str, time: &str| Ok((bucket.to_owned(), time.to_owned()));
        assert_eq!(latency("data=2s"), two("memory://data", "2s"));
        assert_eq!(latency("file:///a=b/data=50ms..2s"), two("file:///a=b/data", "50ms..2s"));
        assert!(latency("2s").unwrap_err().starts_with("write BUCKET=TIME"));
        assert!(latency("data=2").unwrap_err().starts_with("`2` is not a duration"));
        let down = Outage { bucket: "memory://data".into(), from: "5m".into(), until: "20m".into() };
        assert_eq!(outage("data=5m..20m"), Ok(down));
        assert!(outage("data=5m").unwrap_err().starts_with("write BUCKET=FROM..UNTIL"));
        assert_eq!(outage("data=20m..5m").unwrap_err(), "`20m..5m` ends before it begins");
    }

    #[test]
    fn a_stub_is_a_node_and_json() {
        assert_eq!(stub("upload[3]={\"a\": \"=\"}"), Ok(("upload[3]".into(), serde_json::json!({ "a": "=" }))));
        assert!(stub("load").unwrap_err().starts_with("write NODE=JSON"));
        assert!(stub("load=done").unwrap_err().starts_with("`done` is not valid JSON: "));
    }

    #[test]
    fn a_failure_is_a_node_an_attempt_and_an_error() {
        let of = |text| failure(text).map(|failure| (failure.node, failure.attempt, failure.error));
        assert_eq!(of("upload[3]@2=503: a=b"), Ok(("upload[3]".into(), 2, "503: a=b".into())));
        assert!(of("load=503").unwrap_err().starts_with("write NODE@ATTEMPT=ERROR"));
        assert!(of("load@0=503").unwrap_err().starts_with("attempts count from 1"));
    }
}
