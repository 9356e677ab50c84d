//! The arguments, with help that names every default.

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

/// Checks, draws, runs and simulates the pipelines of this binary.
#[derive(Debug, Parser)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 success, 1 the run failed, 2 wrong use or a mistake in a plan, 130 interrupted by Ctrl-C, 143 by SIGTERM."
)]
pub(super) struct Args {
    /// Log lines of this level and graver go to stderr: off, error, warn, info, debug, trace
    ///
    /// Without it the environment variable PIPELINE_LOG says it, else it is info.
    #[arg(long, global = true, value_name = "LEVEL", value_parser = level, help_heading = "Logging")]
    pub(super) log: Option<LevelFilter>,
    /// How log lines are written: text for people, json for one JSON object a line, with the run, the node and the attempt
    ///
    /// Without it the environment variable PIPELINE_LOG_FORMAT says it, else it is text.
    #[arg(long, global = true, value_name = "FORMAT", value_parser = log_format, help_heading = "Logging")]
    pub(super) log_format: Option<LogFormat>,
    /// The file that keeps all runs; without it PIPELINE_JOURNAL names it, else it is .pipeline/journal.db
    ///
    /// PIPELINE_JOURNAL is an environment variable. `run`, `serve` and `backfill` make the file if it is not there; all other commands
    /// say where they looked for it.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Journal")]
    pub(super) journal: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Builds every plan with its default params and prints all mistakes of all pipelines
    Check {
        /// That pipeline alone; without it all of them
        pipeline: Option<String>,
        /// Fails if a secret or a webhook's URL has no value here; without it that is a warning
        #[arg(long)]
        env: bool,
        /// Prints one JSON object per line and pipeline, and one without a pipeline for mistakes that several make together
        #[arg(long)]
        json: bool,
    },
    /// Lists the pipelines, their schedules, when they run next and what they do
    ///
    /// Whether a schedule is paused stands in the journal; where there is none, no schedule is.
    List {
        /// Prints one JSON object per line and pipeline
        #[arg(long)]
        json: bool,
    },
    /// Lists the assets: when each was last updated, who updates it and who waits for it
    Assets(Assets),
    /// Lists the settings: what they are, what they are by default, and which pipelines take them
    Settings(Settings),
    /// Draws a pipeline's plan with its default params
    Graph {
        /// The pipeline; need not be named if it is the only one
        pipeline: Option<String>,
        /// What to draw it as
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Runs a pipeline once, now, to its end
    ///
    /// Shows a line per node that runs or waits where stdout and stderr are terminals, else prints a line per event. At the end
    /// it waits at most 30s for callbacks. Ctrl-C or SIGTERM cuts running attempts off and leaves the run unfinished; a second
    /// one ends the process at once.
    ///
    /// All that happens is kept in the journal. The unfinished run of the same pipeline and logical date is gone on with, where
    /// it was; without a logical date the pipeline's newest unfinished run. Else a new one starts.
    Run(Run),
    /// Runs all pipelines as their schedules say, until Ctrl-C or SIGTERM
    ///
    /// A run starts at the end of its data interval. Ticks that were missed while nobody served are made up for by pipelines
    /// with `catchup`; of others the latest interval runs. What was unfinished is gone on with. On Ctrl-C or SIGTERM nothing more
    /// starts, and what is under way may end; what has not after --drain is cut off. Unfinished runs are gone on with by the next
    /// `serve`. A second signal ends the process at once.
    Serve {
        /// How long attempts that are under way may take once the process is to end
        #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = duration)]
        drain: Duration,
        /// Deletes runs that ended longer ago, of pipelines without a `keep` of their own: 90d, 12h; without it they stay
        ///
        /// At the start, and once an hour from then on. What `prune` leaves stays here as well.
        #[arg(long, value_name = "DURATION", value_parser = kept)]
        keep: Option<Duration>,
        #[command(flatten)]
        how: How,
        #[cfg(feature = "dashboard")]
        #[command(flatten)]
        beside: super::dashboard::Beside,
    },
    /// Shows what the journal keeps as a web page, until Ctrl-C or SIGTERM
    ///
    /// It reads the journal's file: beside the process that serves, of a stopped project, or of a copy. What is asked for there is done by
    /// the process that holds the journal. `serve` shows the same page itself.
    #[cfg(feature = "dashboard")]
    Dashboard(super::dashboard::Show),
    /// Starts a new run of a pipeline, in the process that serves if there is one
    ///
    /// Where another process holds the journal, that one runs it; this command waits until the run has started or waits for its
    /// turn, and says so. Where none does, the run is run here, to its end. A date that has an unfinished manual run is refused, also
    /// where the date is not given but follows from the schedule. The journal has to be there.
    Trigger {
        /// The pipeline; need not be named if it is the only one
        pipeline: Option<String>,
        #[command(flatten)]
        about: About,
        #[command(flatten)]
        how: How,
    },
    /// Runs the data intervals of a pipeline that start between two dates and are over
    ///
    /// Where another process holds the journal, that one runs them. Where none does, they are run here, and what earlier
    /// backfills of the pipeline left unfinished is, too.
    Backfill(Backfill),
    /// No longer follows a pipeline's schedule
    ///
    /// What runs goes on, and `trigger` and `backfill` still work.
    Pause {
        /// The pipeline; need not be named if it is the only one
        pipeline: Option<String>,
    },
    /// Follows a pipeline's schedule again
    ///
    /// Ticks that were missed meanwhile are made up for if it has `catchup`; else its latest interval runs.
    Unpause {
        /// The pipeline; need not be named if it is the only one
        pipeline: Option<String>,
    },
    /// Ends a run: its attempts are cut off, and what has not ended is skipped
    Cancel {
        /// The run's id, as `runs` lists it; with its pipeline, PIPELINE/RUN, if several have it
        run: String,
        #[command(flatten)]
        how: How,
    },
    /// Ends a node as skipped, whether it waits, is under way or has failed; the run goes on from there
    Skip {
        /// The run's id, as `runs` lists it; with its pipeline, PIPELINE/RUN, if several have it
        run: String,
        /// The node, an element's being `upload[3]`
        node: String,
        #[command(flatten)]
        how: How,
    },
    /// Goes on with all runs that have not ended, and tells whoever has not been told yet
    ///
    /// A run that this program cannot go on with stays as it is, `blocked`, and others go on. `show` says why.
    Resume {
        /// Goes on with runs whose nodes are gone, or take something else now
        ///
        /// Nodes that are gone are dropped from the run, as Airflow marks them `removed`; what was decided of others because of them is
        /// decided again by the plan as it is now. What has succeeded stays so.
        #[arg(long)]
        accept_removed: bool,
        /// Prints what each run can be measured by, and writes it to FILE with its pipeline's id before the ending: m.prom is m.sales.prom
        ///
        /// Of several runs of a pipeline the one that started last is written. Else as `run --metrics`.
        #[arg(long, value_name = "FILE")]
        metrics: Option<PathBuf>,
        #[command(flatten)]
        how: How,
    },
    /// Tries nodes of a run again that have ended, with what was decided because of them
    Retry {
        /// The run's id, as `runs` lists it; with its pipeline, PIPELINE/RUN, if several have it
        run: String,
        /// The nodes, an element's being `upload[3]`; without any: all that failed or was cut off by the run's end
        nodes: Vec<String>,
        /// All that depends on them runs again, too
        #[arg(long)]
        downstream: bool,
        /// Prints what the run can be measured by at its end, and writes it to FILE, as `run --metrics` does
        ///
        /// Not where another process holds the journal, as that one runs it.
        #[arg(long, value_name = "FILE")]
        metrics: Option<PathBuf>,
        #[command(flatten)]
        how: How,
    },
    /// Lists the runs that the journal keeps, the newest first
    Runs(Runs),
    /// Shows a run that the journal keeps: its timeline, its attempts that failed or were cut off, and what each node waits for
    Show {
        /// The run's id, as `runs` lists it
        run: String,
        /// Prints the run as one HTML file, with its log and its records: `show RUN --html >run.html`
        #[arg(long)]
        html: bool,
    },
    /// Prints what the attempts of a run, or of one of its nodes, logged
    ///
    /// The journal keeps the lines of the level that --log said when the node ran, at most 1 MiB of an attempt and 64 MiB of a run.
    Logs(Logs),
    /// Lists who asked for what, and what came of it, the newest first
    ///
    /// `trigger`, `backfill`, `pause`, `unpause`, `cancel`, `skip`, `retry` and `prune` are kept, the last 10,000; a user is called as the
    /// environment of his command did (`USER`).
    Acts(Acts),
    /// Deletes old runs from the journal, in the process that holds it if there is one
    ///
    /// Runs that have not ended, or have not told everybody, stay; so does what schedules, templates and queued runs look back on, as the newest
    /// run of each pipeline and kind and its newest success. The file shrinks. A journal of an earlier version is written anew for that, where no process holds
    /// it, which takes free space of twice its size.
    Prune(Prune),
    /// Copies the journal into FILE, also while another process writes it
    ///
    /// FILE is a whole journal, with what was kept at one moment, and appears as a whole. Nobody is held up meanwhile.
    Backup {
        /// The copy; its folder has to be there
        file: PathBuf,
        /// Replaces FILE if it is there and a regular file
        #[arg(long)]
        force: bool,
    },
    /// Moves times of the journal that are in the future back to the present
    ///
    /// For a journal that was written while the machine's clock was ahead: nothing goes on from it until then. The times keep their order;
    /// logical dates and data intervals stay as they are.
    Repair,
    /// Makes the pipelines tasks of Airflow's
    #[cfg(feature = "airflow")]
    Airflow {
        #[command(subcommand)]
        what: Airflow,
    },
    /// Removes what killed processes have left of files that they were writing into buckets
    ///
    /// In all folders of a `file://` bucket: files `NAME#1` that nobody has written to for an hour and no process has locked. A write removes them from its own
    /// folder anyway. On `s3://` there are none: a lifecycle rule of the bucket ends uploads that were left.
    Gc {
        /// URLs of buckets
        #[arg(value_name = "BUCKET", required = true)]
        buckets: Vec<String>,
    },
    /// Runs a pipeline on virtual time, in milliseconds, and prints its timeline
    ///
    /// The engine and the bodies are the real ones. Memory buckets are empty at the start, and the clock starts at the end of the
    /// data interval. A run that still waits after 400 days is given up, and counts as failed.
    Simulate(Simulate),
    /// Runs a run that the journal keeps once more on virtual time, with something otherwise, and says what differs
    ///
    /// No body is called and nobody is told: each node answers as it did, after as long as it took. What the run never came to is unknown, and said
    /// to be. The pipeline's nodes have to be those of the run.
    WhatIf(WhatIfArgs),
    /// Says which runs a pipeline's schedule would begin, and when, under what is supposed
    ///
    /// The scheduler of `serve` decides on virtual time, from what the journal knows now. Nothing is run or written. A process that serves is supposed
    /// from now on, and a pipeline that is paused stays so, where nothing else is said.
    Forecast(ForecastArgs),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people: a drawing and a table of nodes
    Text,
    /// A Mermaid flowchart, as Markdown pages draw it
    Mermaid,
    /// A picture: a box for each task, sensor and mapping
    Svg,
    /// All of the plan, for programs
    Json,
}

#[derive(Debug, clap::Args)]
pub(super) struct Run {
    /// The pipeline; need not be named if it is the only one
    pub(super) pipeline: Option<String>,
    #[command(flatten)]
    pub(super) about: About,
    /// Starts a new run even if there is an unfinished one to go on with
    #[arg(long)]
    pub(super) new: bool,
    /// Prints what the run can be measured by at its end, and writes it to FILE: as JSON if its name ends with .json, else for Prometheus
    ///
    /// Also of a run that failed or was interrupted. FILE is replaced as a whole, by way of another file beside it, so that no reader sees half of it;
    /// its folder has to be there. What is no regular file is refused, such as a pipe, and so is a file of the journal.
    #[arg(long, value_name = "FILE")]
    pub(super) metrics: Option<PathBuf>,
    #[command(flatten)]
    pub(super) how: How,
}

#[derive(Debug, clap::Args)]
pub(super) struct Backfill {
    /// The pipeline; need not be named if it is the only one
    pub(super) pipeline: Option<String>,
    /// The first interval is the first that starts on that day or later: 2024-03-25; or then: 2024-03-25T06:00, 2024-03-25T06:00:00Z
    #[arg(long, value_name = "D")]
    pub(super) from: String,
    /// The last interval is the last that starts on that day or earlier; or then
    #[arg(long, value_name = "D")]
    pub(super) to: String,
    /// How many of the pipeline's backfill runs may be active at once; without it, its `max_active_runs`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) max_active_runs: Option<u32>,
    /// Which intervals that have a run already are run again: those whose newest run failed, or all
    #[arg(long, value_enum, default_value_t = Reprocess::None)]
    pub(super) reprocess: Reprocess,
    /// Lists the intervals that would be run, and runs nothing
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

/// How runs are run.
#[derive(Debug, clap::Args)]
pub(super) struct How {
    /// How many attempts of nodes without a pool of their own may run at once
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PARALLELISM, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) parallelism: u32,
    /// Prints one JSON object per line and event, the last one with the run's result
    #[arg(long)]
    pub(super) json: bool,
}

/// The params of a run.
#[derive(Debug, clap::Args)]
pub(super) struct Given {
    /// Sets a param, or one in an object by `of.region=eu`: a text, or JSON where its type is a list or an object; may be repeated
    #[arg(long = "param", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(super) params: Vec<(String, String)>,
    /// Sets params from a JSON object; --param overrides it, and what neither sets has its default, in nested objects, too
    #[arg(long = "params", value_name = "FILE.json")]
    pub(super) file: Option<PathBuf>,
}

/// What a run is about.
#[derive(Debug, clap::Args)]
pub(super) struct About {
    /// The data interval that starts on that day: 2024-03-25; or that contains that time: 2024-03-25T06:00, 2024-03-25T06:00:00Z
    ///
    /// Days, and times without an offset, are of the pipeline's time zone. A day on which no interval starts, or more than one, is
    /// refused. Without a schedule a day is its midnight. Without this option it is the last complete interval; of a pipeline without a
    /// schedule, now (simulated: the first interval at or after the pipeline's start, else 2024-01-01).
    #[arg(long, value_name = "D")]
    pub(super) logical_date: Option<String>,
    #[command(flatten)]
    pub(super) given: Given,
}

#[derive(Debug, clap::Args)]
pub(super) struct Simulate {
    /// The pipeline; need not be named if it is the only one
    pub(super) pipeline: Option<String>,
    #[command(flatten)]
    pub(super) about: About,
    /// FILE's contents arrive as that object, so long after the start: 7m=data-bucket/raw/x.json:x.json; may be repeated
    ///
    /// A URL without a scheme is one of memory://; file:///PATH writes a real file. The URL ends at its first colon.
    #[arg(long = "arrive", value_name = "WHEN=URL:FILE", value_parser = arrival)]
    pub(super) arrivals: Vec<Arrival>,
    /// A run of another pipeline has ended, so long after the start: 3m=counts, 3m=counts='{"count": 7}'; may be repeated
    ///
    /// It succeeded, and each task that the JSON names has returned that value; `failed` or `failed: ERROR` says otherwise. It is the run of the
    /// same data interval: counts@2024-03-25 is that of another.
    #[arg(long = "ran", value_name = "WHEN=PIPELINE[@DATE][=HOW]", value_parser = ran)]
    pub(super) ran: Vec<OtherPipelineRun>,
    /// That asset is updated, so long after the start, and that is the update's value: 0s=rates='{"eur": 7}'; may be repeated
    #[arg(long = "updated", value_name = "WHEN=ASSET=JSON", value_parser = updated)]
    pub(super) updates: Vec<Updated>,
    /// That attempt of that node fails with that error, and its body is not called: load@1='503'; may be repeated
    #[arg(long = "fail", value_name = "NODE@ATTEMPT=ERROR", value_parser = failure)]
    pub(super) failures: Vec<Failure>,
    /// That node succeeds at once with that value, and its body is not called: load='{"rows": 7}'; may be repeated
    ///
    /// The value is JSON of what the task returns. `upload` stands for all elements of a mapping, `upload[3]` for one.
    #[arg(long = "stub", value_name = "NODE=JSON", value_parser = stub)]
    pub(super) stubs: Vec<(String, serde_json::Value)>,
    /// That setting has that value, as `settings set` reads it; without it, it has its default: limit=200; may be repeated
    #[arg(long = "setting", value_name = "NAME=VALUE", value_parser = key_value)]
    pub(super) settings: Vec<(String, String)>,
    /// Each operation on that bucket takes that long, or a random time of a range: data-bucket=2s, data-bucket=50ms..2s; may be repeated
    #[arg(long = "latency", value_name = "BUCKET=TIME", value_parser = latency)]
    pub(super) latencies: Vec<(String, String)>,
    /// That bucket cannot be reached from then until then: data-bucket=5m..20m; may be repeated
    ///
    /// A bucket without a scheme is one of memory://, here and for --latency.
    #[arg(long = "outage", value_name = "BUCKET=FROM..UNTIL", value_parser = outage)]
    pub(super) outages: Vec<Outage>,
    /// What all jitter and all random latencies are drawn from
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) seed: u64,
    /// Prints what the run can be measured by, too, and writes it to FILE: as JSON if its name ends with .json, else for Prometheus
    #[arg(long, value_name = "FILE")]
    pub(super) metrics: Option<PathBuf>,
}

/// What is to be done about Airflow.
#[cfg(feature = "airflow")]
#[derive(Debug, Subcommand)]
pub(super) enum Airflow {
    /// Writes a file of DAGs, and the executable that runs their tasks
    ///
    /// The file is for Airflow's folder of DAGs and imports nothing of this program's; the executable is for the folder that an
    /// `ExecutableCoordinator` of Airflow 3.3 looks into. Where none does, the file has Airflow run the executable that stands beside it, or that the
    /// environment variable PIPELINE_BUNDLE names. The same code gives the same bytes.
    Export {
        /// The folder
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        /// Writes nothing; fails where what stands there is not of this code
        #[arg(long)]
        check: bool,
        /// The queue that a coordinator serves
        #[arg(long, value_name = "QUEUE", default_value = "rust")]
        queue: String,
        /// What Airflow has not, and is to be left out
        #[arg(long, value_name = "WHAT")]
        without: Vec<crate::airflow::Left>,
        /// Which pipelines; all where none is named
        #[arg(value_name = "PIPELINE")]
        pipelines: Vec<String>,
    },
}

/// `what-if`
#[derive(Debug, clap::Args)]
pub(super) struct WhatIfArgs {
    /// The run's id, as `runs` lists it
    pub(super) run: String,
    /// What a sensor looks for is there at another time; may be repeated
    ///
    /// `export=+20m` is 20 minutes later than in the run, `export=-5m` earlier, `export=20m` that long after the run's start, `export=never` not at all.
    #[arg(long = "arrive", value_name = "NODE=TIME")]
    pub(super) arrivals: Vec<String>,
    /// That attempt of that node fails: load@1, load@1=503; may be repeated
    #[arg(long = "fail", value_name = "NODE@ATTEMPT[=ERROR]")]
    pub(super) failures: Vec<String>,
    /// That option of that node has another value: export.poke=20s, of poke, timeout, retries and `retry_delay`; may be repeated
    #[arg(long = "set", value_name = "NODE.OPTION=VALUE")]
    pub(super) options: Vec<String>,
    /// That pool has another number of slots: database=4; may be repeated
    #[arg(long = "slots", value_name = "POOL=SLOTS")]
    pub(super) slots: Vec<String>,
}

/// `forecast`
#[derive(Debug, clap::Args)]
pub(super) struct ForecastArgs {
    /// The pipeline; need not be named if it is the only one
    pub(super) pipeline: Option<String>,
    /// So many ticks are looked ahead, at most 500; without it 20
    #[arg(long, value_name = "N")]
    pub(super) ticks: Option<String>,
    /// It is looked ahead until then, but for 500 ticks at most: 2026-03-31, 2026-03-31T06:00; dates are in the schedule's time zone
    #[arg(long, value_name = "DATE", conflicts_with = "ticks")]
    pub(super) until: Option<String>,
    /// A run takes so long: 20m; without it as long as the median of the last 20 that succeeded
    #[arg(long, value_name = "TIME")]
    pub(super) takes: Option<String>,
    /// No process serves then: 2026-03-28T06:00..2026-03-31, ..2026-03-31, 2026-03-28..; may be repeated
    #[arg(long, value_name = "FROM..UNTIL")]
    pub(super) stopped: Vec<String>,
    /// The pipeline is paused then; may be repeated
    #[arg(long, value_name = "FROM..UNTIL")]
    pub(super) paused: Vec<String>,
    /// The run of the interval that starts on that day or at that time fails, read as --logical-date is; may be repeated
    #[arg(long = "fail", value_name = "DATE")]
    pub(super) fails: Vec<String>,
    /// That option has another value: catchup=true, of catchup, `depends_on_past` and `max_active_runs`; may be repeated
    #[arg(long = "set", value_name = "OPTION=VALUE")]
    pub(super) options: Vec<String>,
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

/// The journal's file: as the option says, else the environment, else in the present folder.
pub(super) fn journal(option: Option<PathBuf>) -> PathBuf {
    let named = || std::env::var_os("PIPELINE_JOURNAL").filter(|name| !name.is_empty());
    option.or_else(|| named().map(PathBuf::from)).unwrap_or_else(|| PathBuf::from(".pipeline/journal.db"))
}

/// A limit of no time would delete each run as it ends.
fn kept(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("it must be longer than zero; without it runs stay".to_owned()),
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

/// One that is a part of an argument, which the error therefore names.
fn duration_in(text: &str) -> Result<Duration, String> {
    duration(text).map_err(|why| format!("`{text}` is not a duration: {why}"))
}

/// JSON that is a part of an argument.
fn value_in(json: &str) -> Result<serde_json::Value, String> {
    serde_json::from_str(json).map_err(|error| format!("`{json}` is no JSON: {error}; a text stands in quotes"))
}

/// A time, or a range whose parts are in order.
fn range(text: &str) -> Result<(&str, &str), String> {
    let (from, until) = text.split_once("..").unwrap_or((text, text));
    if duration_in(until)? < duration_in(from)? {
        return Err(format!("`{text}` ends before it begins"));
    }
    Ok((from, until))
}

/// The bucket's URL, and what is said of it.
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
    let attempt: u32 = attempt.parse().map_err(|_| format!("`{attempt}` is no attempt: they count from 1; {}", form()))?;
    if node.is_empty() || attempt == 0 {
        return Err(format!("attempts count from 1, and the node is not left out; {}", form()));
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

/// How a run of another pipeline has ended.
fn ended(how: &str) -> Result<OtherRun, String> {
    match how.split_once(':').map_or((how, None), |(state, error)| (state, Some(error.trim_start()))) {
        ("success", None) => Ok(OtherRun::success()),
        ("failed", None) => Ok(RunState::Failed.into()),
        ("failed", Some(error)) => Ok(OtherRun::failed(error)),
        _ if how.starts_with('{') => {
            let read: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(how).map_err(|error| format!("`{how}` is no JSON: {error}"))?;
            Ok(read.iter().fold(OtherRun::success(), |run, (task, value)| run.output_json(task, value)))
        }
        _ => Err(format!("`{how}` is no end of a run")),
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

/// A command of the binary's own: all that follows its name is its own affair.
pub(super) fn own(name: &'static str, about: &'static str) -> clap::Command {
    let rest = clap::Arg::new("arguments").num_args(0..).trailing_var_arg(true).allow_hyphen_values(true);
    let rest = rest.value_parser(clap::value_parser!(OsString)).hide(true);
    clap::Command::new(name).about(about).disable_help_flag(true).arg(rest)
}

/// What followed the name of a command of the binary's own.
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
        assert!(stub("load=done").unwrap_err().starts_with("`done` is no JSON: "));
    }

    #[test]
    fn a_failure_is_a_node_an_attempt_and_an_error() {
        let of = |text| failure(text).map(|failure| (failure.node, failure.attempt, failure.error));
        assert_eq!(of("upload[3]@2=503: a=b"), Ok(("upload[3]".into(), 2, "503: a=b".into())));
        assert!(of("load=503").unwrap_err().starts_with("write NODE@ATTEMPT=ERROR"));
        assert!(of("load@0=503").unwrap_err().starts_with("attempts count from 1"));
    }
}
