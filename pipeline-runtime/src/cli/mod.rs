//! The command line of every pipeline binary.
//!
//! ```no_run
//! use pipeline_runtime::prelude::*;
//!
//! #[task]
//! async fn rows() -> Result<u64> {
//!     Ok(1)
//! }
//!
//! #[pipeline(schedule = "@daily")]
//! fn nightly() {
//!     rows();
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     pipeline_runtime::cli::main([nightly()])
//! }
//! ```
//!
//! | command | does |
//! |---|---|
//! | `check [PIPELINE] [--env] [--json]` | builds every plan with its default params and reports all mistakes of all pipelines with their places; with `--env`, a secret without a value is a mistake |
//! | `list [--json]` | lists the pipelines, their schedules and their next runs |
//! | `settings [--json]`, `settings set NAME=VALUE`, `settings unset NAME` | lists the settings and their values; changes one for runs that begin from then on |
//! | `graph [PIPELINE] [--format text\|mermaid\|svg\|json]` | draws a plan |
//! | `run [PIPELINE] [--logical-date D] [--param k=v]… [--params FILE.json] [--metrics FILE]` | runs a pipeline once until it ends, or resumes its unfinished run for that date |
//! | `serve [--drain 20s] [--keep 90d] [--dashboard ADDR\|--no-dashboard]` | follows all schedules and resumes unfinished runs; deletes old runs; serves the dashboard |
//! | `dashboard [--listen ADDR] [--read-only] [--base-path P] [--token auto\|FILE]` | serves the journal as a web page |
//! | `trigger [PIPELINE] [--logical-date D] [--param k=v]…` | starts a new run, in the process that holds the journal if there is one |
//! | `backfill [PIPELINE] --from D --to D [--max-active-runs N] [--reprocess none\|failed\|all] [--dry-run]` | runs completed intervals |
//! | `pause [PIPELINE]`, `unpause [PIPELINE]` | pauses or resumes a schedule |
//! | `resume [--accept-removed] [--metrics FILE]` | resumes all unfinished runs; with `--accept-removed`, even if nodes were removed |
//! | `cancel RUN` | cancels a run: attempts are cut off, nodes that have not ended are skipped |
//! | `skip RUN NODE` | ends a node as skipped, whether it waits, runs or has failed |
//! | `retry RUN [NODE]… [--downstream] [--metrics FILE]` | retries ended nodes; without any, those that failed |
//! | `runs [--pipeline P] [--state S] [--kind K] [--since D] [--limit N] [--after RUN] [--json]` | lists the runs in the journal, newest first |
//! | `show RUN [--html]` | shows a run's timeline, its failed and interrupted attempts, and what each node waits for; with `--html`, as one HTML file |
//! | `logs RUN [NODE] [--attempt N] [--follow] [--json]` | prints the log lines of a node, or of all nodes |
//! | `assets [--json]` | lists the assets, their last updates, and the pipelines that update, await or read them |
//! | `assets update ASSET --value JSON` | updates an asset from outside, in the process that holds the journal if there is one |
//! | `acts [--limit N] [--before N] [--json]` | lists the commands that users issued and their results, newest first |
//! | `prune --older-than 30d [--dry-run]` | deletes old runs, in the process that holds the journal if there is one |
//! | `backup FILE [--force]` | copies the journal, even while another process writes it |
//! | `gc BUCKET…` | removes partial files that killed processes left in buckets |
//! | `repair` | moves times of the journal that are in the future back to the present |
//! | `simulate [PIPELINE] [--arrive WHEN=URL:FILE]… [--stub NODE=JSON]… [--fail NODE@ATTEMPT=ERROR]…` | runs a pipeline on virtual time, in milliseconds |
//! | `what-if RUN [--arrive NODE=TIME]… [--fail NODE@ATTEMPT]… [--set NODE.OPTION=VALUE]… [--slots POOL=N]…` | replays a run on virtual time with something changed; calls no body |
//! | `forecast [PIPELINE] [--ticks N\|--until D] [--stopped FROM..UNTIL]… [--set OPTION=VALUE]… [--json]` | lists the runs that a schedule would start under given assumptions |
//! | `airflow export --to DIR [--check] [PIPELINE]…` | writes the files for Airflow |
//!
//! The exit code is 0 for success, 1 if the run failed or could no longer be recorded, 2 for wrong use (including mistakes in a
//! plan), 130 if Ctrl-C interrupted it and 143 if SIGTERM did (128 plus the signal's number). If it would be 0 but something
//! could not be written to stdout, as on a full disk, it is 1, and stderr names the cause; a reader that closes the pipe, as
//! `head` does, is not an error. A binary's only pipeline need not be named. A binary adds its own commands with [`Cli`], and
//! runs pipelines from them with [`Runner`].
//!
//! # Two processes
//!
//! Only one process writes the journal at a time: a second `serve`, `run` or `resume` is refused with an error that names the
//! holder. `runs`, `show`, `logs` and `backup` read it at any time. `trigger`, `backfill`, `pause`, `unpause`, `cancel`, `skip`,
//! `retry`, `prune`, `assets update`, `settings set` and `settings unset` are carried out by the holder, which checks for them
//! five times a second; the command prints the answer, and exits with 2 if it was refused. Without a holder the command does the
//! work itself.
//!
//! When a process that serves is asked to stop, it starts nothing more and gives running attempts `--drain` to finish. It exits
//! with 0, or with 130 (Ctrl-C) or 143 (SIGTERM) if it had to cut them off. With `--json` it prints `run_finished` once a run has
//! ended and all its notifications are delivered.
//!
//! # Which journal
//!
//! `--journal FILE` names it, else the environment variable `PIPELINE_JOURNAL`, else it is `.pipeline/journal.db` in the current
//! folder. `run`, `serve` and `backfill` create it if it is missing. All other commands are about existing runs or a running
//! process, so they are refused without a journal, and print the path that they tried.
//!
//! # Progress
//!
//! If stdout and stderr are terminals, `run` shows a line for each node that runs or waits, redrawn at most ten times a second.
//! Otherwise it prints one line per event to stdout: `12.3s  export  up_for_reschedule  poke 3, next in 45s`.
//!
//! Runs never wait for a reader of that output. Up to 16 MiB of events and log lines are queued for writing. What arrives while
//! the queue is full is dropped, and a line in its place reports it: `progress: 123 events were not shown, as nobody read them in
//! time`. States, the summary, metrics and the exit code do not depend on the output, and the journal records every event and the
//! log lines of nodes.
//!
//! Events are printed as they happen, so a crash may undo some that were printed before they were recorded. The journal is the
//! truth: a program that acts on events should use `runs` and `show`, or read the journal ([`read`](crate::read)). A finished run
//! does not wait for a reader either: the journal is released before the last of the output is printed.
//!
//! With `--json` stdout has one object per line, each with an `event` and the time `at` in RFC 3339; fields that do not apply are
//! omitted.
//!
//! | `event` | further fields |
//! |---|---|
//! | `run_started` | `run_id`, `pipeline`, `logical_date`, `data_interval_end`, `params`, `nodes` (how many), `resumed` (true if an earlier process began it) |
//! | `node` | `run_id`, `pipeline`, `node`, `state` (Airflow's words), `attempt`, `poke`, `next_at`, `elements`, `error`, `reason`, `cause` |
//! | `callback` | `run_id`, `pipeline`, `callback` (`on_failure`, …), `node`, `notifier`, `state` (`due`, `told`, `failed`, `given_up`), `error`, `next_at` |
//! | `run_finished` | `run_id`, `pipeline`, `state`, `seconds`, `nodes` (by id: `state`, `attempts`, `pokes`, `seconds`, `error`), `callbacks_due` |
//! | `not_shown` | `events`, `log_lines` (how many are missing here, since nobody read them in time) |
//!
//! `run_finished` is printed last, and once per run; its `state` is `running` if the run was interrupted. Fields may be added
//! later; none of these will change.
//!
//! # Log lines
//!
//! They are written to stderr, from the level of `--log`, else of the environment variable `PIPELINE_LOG`, else `info`.
//! `2024-03-25T06:00:01Z INFO process#1: parsed 3 records rows=3` is from the first attempt of node `process`. In a process with
//! several runs, the pipeline and the run's id precede the node, `nightly/manual__2024-03-25T06:00:00Z/process#1`, which
//! distinguishes two runs of one pipeline. `serve` and `backfill` always print both; other commands print only the pipeline if
//! several runs were given, and neither for one run. Lines of the engine about a run have the same prefix; its other lines have
//! `engine`. A line is cut at 16 KiB; control characters in it are escaped, and its continuation lines are indented.
//!
//! With `--log-format json`, or `PIPELINE_LOG_FORMAT=json`, each is one JSON object:
//!
//! | field | |
//! |---|---|
//! | `time` | by the run's clock, in RFC 3339 |
//! | `level` | `ERROR`, `WARN`, `INFO`, `DEBUG` or `TRACE` |
//! | `target` | the module that logs it |
//! | `pipeline`, `run`, `node`, `attempt` | what the line is about, as far as known |
//! | `message` | |
//! | `fields` | the body's own fields, if any; numbers stay numbers |
//!
//! The summary and the `error: ..` of a refused command are not log lines, and stay plain text.

// A command has the file of its name, with its arguments and the function that executes it; `cancel`, `skip` and `retry` are in
// `edit.rs`. Beside them:
//
// - `args.rs`, `common_args.rs`, `custom_command.rs`: what clap parses.
// - `runner`: runs pipelines, with progress; `holder.rs`: asks another process to.
// - `choose.rs`, `params.rs`, `durations.rs`, `logging.rs`: the meaning of arguments.
// - `output.rs`, `progress`, `summary.rs`, `wait_reasons.rs`, `metrics.rs`, `zones.rs`: what is printed.

mod acts;
#[cfg(feature = "airflow")]
mod airflow;
mod args;
mod assets;
mod backfill;
mod backup;
mod check;
mod choose;
#[cfg(test)]
mod clock_changes;
mod common_args;
mod custom_command;
#[cfg(feature = "dashboard")]
mod dashboard;
mod durations;
mod edit;
mod forecast;
mod gc;
mod graph;
mod holder;
mod list;
mod logging;
mod logs;
mod metrics;
mod output;
mod params;
mod pause;
mod progress;
mod prune;
mod repair;
mod resume;
mod run;
mod runner;
mod runs;
mod serve;
mod settings;
mod show;
mod simulate;
mod summary;
mod trigger;
#[cfg(test)]
mod view_panics;
mod wait_reasons;
mod what_if;
mod zones;

pub use crate::host::StartError;
pub use progress::Progress;
pub use runner::{Finished, Runner, RunnerError};

use crate::Pipeline;
use crate::host;
use crate::observe::logs::LogFormat;
use crate::plan::Accepts;
use args::{Args, Command};
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches};
use common_args::ExecutionArgs;
use custom_command::CustomCommand;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use tracing::level_filters::LevelFilter;

/// The exit code of wrong use.
const WRONG_USE: u8 = 2;

/// What a command that executes runs needs from the command line: the journal and the options of its runner.
#[derive(Debug)]
struct RunnerConfig {
    journal: PathBuf,
    /// `None` for the level of the environment.
    log: Option<LevelFilter>,
    /// `None` for the format of the environment.
    log_format: Option<LogFormat>,
    parallelism: u32,
    progress: Progress,
    /// How many times as fast as real time the clock of the runs is; see [`Cli::speed`].
    speed: u32,
}

impl RunnerConfig {
    /// Creates a runner on this journal, which other processes may ask for runs of these pipelines.
    fn runner(&self, pipelines: &[Pipeline]) -> Result<Runner, String> {
        let logging = logging::logging(self.log, self.log_format)?;
        let runner = Runner::new().progress(self.progress).parallelism(self.parallelism).speed(self.speed).logging(logging);
        Ok(runner.journal(&self.journal).hosting(pipelines))
    }
}

/// Executes the command line of the process: the whole `main` of a pipeline binary.
#[must_use = "it is the exit code: write `fn main() -> std::process::ExitCode`, and no `;` after it"]
pub fn main(pipelines: impl IntoIterator<Item = Pipeline>) -> ExitCode {
    Cli::new(pipelines).main()
}

/// A command line that has the binary's own commands beside those for its pipelines.
///
/// ```
/// use pipeline_runtime::cli::Cli;
/// use pipeline_runtime::prelude::*;
/// use std::process::ExitCode;
///
/// #[task]
/// async fn rows() -> Result<u64> {
///     Ok(1)
/// }
///
/// #[pipeline]
/// fn nightly() {
///     rows();
/// }
///
/// let cli = Cli::new([nightly()]).command("greet", "Greets whoever is named", |args| {
///     println!("hello {}", args[0].to_string_lossy());
///     ExitCode::SUCCESS
/// });
/// assert_eq!(cli.run(["nightly", "greet", "you"]), ExitCode::SUCCESS);
/// ```
#[derive(Debug)]
pub struct Cli {
    pipelines: Vec<Pipeline>,
    commands: Vec<CustomCommand>,
    speed: u32,
}

impl Cli {
    /// Creates the commands for these pipelines.
    pub fn new(pipelines: impl IntoIterator<Item = Pipeline>) -> Self {
        Self { pipelines: pipelines.into_iter().collect(), commands: Vec::new(), speed: 1 }
    }

    /// Adds a command, listed in `--help` with `about`. It receives the arguments after its name, including `--help`.
    ///
    /// Its name must differ from the [commands of every binary](self), including `help` and `version`, and from other added
    /// commands. Otherwise every invocation is refused with exit code 2 and an error that names it. A later version may have
    /// further commands, so a name of two words, such as `load-mocks`, is safer.
    pub fn command(
        mut self,
        name: &'static str,
        about: &'static str,
        run: impl FnOnce(Vec<OsString>) -> ExitCode + 'static,
    ) -> Self {
        self.commands.push(CustomCommand { name, about, run: Box::new(run) });
        self
    }

    /// Runs the clock of all commands that run pipelines `times` as fast (1 unless given; 0 counts as 1), so that a schedule of
    /// hours can be watched, or tested, in seconds.
    pub fn speed(self, times: u32) -> Self {
        Self { speed: times, ..self }
    }

    /// Executes the command line of the process.
    #[must_use = "it is the exit code: write `fn main() -> std::process::ExitCode`, and no `;` after it"]
    pub fn main(self) -> ExitCode {
        self.run(std::env::args_os())
    }

    /// Executes `args`, the first of which is the program's name.
    pub fn run<A: Into<OsString> + Clone>(self, args: impl IntoIterator<Item = A>) -> ExitCode {
        host::outlive_file_limit();
        let Self { pipelines, commands, speed } = self;
        let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
        // First of all: an Airflow task has no terminal, and its supervisor waits for it.
        #[cfg(feature = "airflow")]
        if let Some(done) = crate::airflow::as_task(&pipelines, &args) {
            return done;
        }
        output::detect_forged_lines(&args);
        if let Some(problem) = custom_command::name_conflict(&commands) {
            return refuse(&problem);
        }
        let clap = commands.iter().map(CustomCommand::to_clap).fold(Args::command(), clap::Command::subcommand);
        let matches = match clap.try_get_matches_from(args) {
            Ok(matches) => matches,
            Err(error) => return output::exit_code(wrong_arguments(&error)),
        };
        if let Some((name, matches)) = matches.subcommand()
            && let Some(command) = commands.into_iter().find(|command| command.name == name)
        {
            return (command.run)(CustomCommand::arguments(matches));
        }
        output::exit_code(match Args::from_arg_matches(&matches) {
            Ok(args) => command(&pipelines, args, speed),
            Err(error) => wrong_arguments(&error),
        })
    }
}

fn command(pipelines: &[Pipeline], args: Args, speed: u32) -> ExitCode {
    if let Err(problem) = choose::distinct(pipelines) {
        return refuse(&problem);
    }
    let journal = args::journal(args.journal);
    let config = |execution: &ExecutionArgs| RunnerConfig {
        journal: journal.clone(),
        log: args.log,
        log_format: args.log_format,
        parallelism: execution.parallelism,
        progress: execution.progress(),
        speed,
    };
    let done = match args.command {
        Command::Check { pipeline, env, json } => check::run(pipelines, pipeline.as_deref(), env, json),
        Command::List { json } => list::run(pipelines, json, &journal),
        Command::Assets(args) => assets::run(pipelines, &args, &journal),
        Command::Settings(args) => settings::run(pipelines, args, &journal),
        Command::Graph { pipeline, format } => graph::run(pipelines, pipeline.as_deref(), format),
        Command::Run(run) => run::run(pipelines, &run, &config(&run.execution)),
        #[cfg(feature = "dashboard")]
        Command::Serve { drain, keep, dashboard, execution } => {
            dashboard.request().and_then(|dashboard| serve::run(pipelines, drain, keep, dashboard, &config(&execution)))
        }
        #[cfg(not(feature = "dashboard"))]
        Command::Serve { drain, keep, execution } => serve::run(pipelines, drain, keep, &config(&execution)),
        #[cfg(feature = "dashboard")]
        Command::Dashboard(args) => dashboard::run(pipelines, &args, &journal),
        Command::Trigger { pipeline, inputs, execution } => {
            trigger::run(pipelines, pipeline.as_deref(), &inputs, &config(&execution))
        }
        Command::Backfill(backfill) => backfill::run(pipelines, &backfill, &config(&backfill.execution)),
        Command::Pause { pipeline } => pause::run(pipelines, pipeline.as_deref(), true, &journal),
        Command::Unpause { pipeline } => pause::run(pipelines, pipeline.as_deref(), false, &journal),
        Command::Cancel { run, execution } => edit::run(pipelines, &host::Command::Cancel { run }, None, &config(&execution)),
        Command::Skip { run, node, execution } => {
            edit::run(pipelines, &host::Command::Skip { run, node }, None, &config(&execution))
        }
        Command::Resume { accept_removed, metrics, execution } => {
            let accepts = if accept_removed { Accepts::Removals } else { Accepts::Additions };
            resume::run(pipelines, metrics.as_deref(), accepts, &config(&execution))
        }
        Command::Retry { run, nodes, downstream, metrics, execution } => {
            edit::run(pipelines, &host::Command::Retry { run, nodes, downstream }, metrics.as_deref(), &config(&execution))
        }
        Command::Runs(runs) => runs::run(pipelines, &runs, &journal),
        Command::Show { run, html } => show::run(pipelines, &run, html, &journal),
        Command::Logs(logs) => logs::run(pipelines, &logs, &journal),
        Command::Prune(prune) => prune::run(&prune, &journal),
        Command::Acts(acts) => acts::run(&acts, &journal),
        Command::Backup { file, force } => backup::run(&file, force, &journal),
        Command::Repair => repair::run(&journal),
        Command::Gc { buckets } => gc::run(&buckets),
        #[cfg(feature = "airflow")]
        Command::Airflow { command } => airflow::run(pipelines, command),
        Command::Forecast(args) => forecast::run(pipelines, &args, &journal),
        Command::WhatIf(args) => what_if::run(pipelines, &args, &journal),
        Command::Simulate(simulate) => simulate::run(pipelines, simulate, logging::logging(args.log, args.log_format), &journal),
    };
    done.unwrap_or_else(|problem| refuse(&problem))
}

/// Prints what is wrong with the arguments, or the help if it was requested.
fn wrong_arguments(error: &clap::Error) -> ExitCode {
    output::argument_error(error);
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
        _ => ExitCode::from(WRONG_USE),
    }
}

/// Prints why nothing was done. The mistakes of a plan already begin with `error`.
fn refuse(problem: &str) -> ExitCode {
    let prefix = if problem.starts_with("error") { "" } else { "error: " };
    output::to_stderr(&output::indent_quoted(&format!("{prefix}{problem}")));
    ExitCode::from(WRONG_USE)
}
