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
//! | `check [PIPELINE] [--env] [--json]` | builds every plan with its default params and prints all mistakes of all pipelines, each with its places; with `--env`, a secret without a value is one |
//! | `list [--json]` | the pipelines, their schedules, when they run next and what they do |
//! | `settings [--json]`, `settings set NAME=VALUE`, `settings unset NAME` | what there is to set, and what it is set to; sets it for runs that begin from then on |
//! | `graph [PIPELINE] [--format text\|mermaid\|svg\|json]` | draws a plan |
//! | `run [PIPELINE] [--logical-date D] [--param k=v]… [--params FILE.json] [--metrics FILE]` | runs a pipeline once, to its end, or goes on with the unfinished run of that identity |
//! | `serve [--drain 20s] [--keep 90d] [--dashboard ADDR\|--no-dashboard]` | follows all schedules, and goes on with what was unfinished; deletes runs that are older; shows the dashboard |
//! | `dashboard [--listen ADDR] [--read-only] [--base-path P] [--token auto\|FILE]` | shows what the journal keeps as a web page |
//! | `trigger [PIPELINE] [--logical-date D] [--param k=v]…` | starts a new run, in the process that holds the journal if there is one |
//! | `backfill [PIPELINE] --from D --to D [--max-active-runs N] [--reprocess none\|failed\|all] [--dry-run]` | runs intervals that are over |
//! | `pause [PIPELINE]`, `unpause [PIPELINE]` | no longer follows a schedule, or again |
//! | `resume [--accept-removed] [--metrics FILE]` | goes on with all unfinished runs; also with those whose nodes are gone |
//! | `cancel RUN` | ends a run: attempts are cut off, what has not ended is skipped |
//! | `skip RUN NODE` | ends a node as skipped, whether it waits, is under way or has failed |
//! | `retry RUN [NODE]… [--downstream] [--metrics FILE]` | tries nodes again that have ended; without any, those that failed |
//! | `runs [--pipeline P] [--state S] [--kind K] [--since D] [--limit N] [--after RUN] [--json]` | what the journal keeps, the newest first |
//! | `show RUN` | a run's timeline, the attempts that failed or were cut off, and what each node waits for |
//! | `logs RUN [NODE] [--attempt N] [--follow] [--json]` | what a node's attempts logged, or those of all nodes |
//! | `assets [--json]` | the assets, their last updates, who updates them and who waits for them |
//! | `assets update ASSET --value JSON` | updates an asset from outside, in the process that holds the journal if there is one |
//! | `acts [--limit N] [--before N] [--json]` | who asked for what, and what came of it, the newest first |
//! | `prune --older-than 30d [--dry-run]` | deletes old runs, in the process that holds the journal if there is one |
//! | `backup FILE [--force]` | copies the journal, also beside the process that holds it |
//! | `repair` | moves times of the journal that are in the future back to the present |
//! | `simulate [PIPELINE] [--arrive WHEN=URL:FILE]… [--stub NODE=JSON]… [--fail NODE@ATTEMPT=ERROR]…` | runs it on virtual time, in milliseconds |
//! | `what-if RUN [--arrive NODE=TIME]… [--fail NODE@ATTEMPT]… [--set NODE.OPTION=VALUE]… [--slots POOL=N]…` | runs a run that the journal keeps once more on virtual time, with something otherwise; calls no body |
//!
//! The exit code is 0 for success, 1 if the run failed or could not be kept any more, 2 for wrong use (mistakes in a plan included), 130 if Ctrl-C
//! interrupted it and 143 if SIGTERM did, which are 128 and the signal's number. Where it would be 0 and something could not be written to stdout, as on a
//! full disk, it is 1, and stderr says why; a reader that has gone, as `head` does, is no error. An only pipeline need not be named. A binary adds commands of its own with [`Cli`], and runs pipelines from
//! them with [`Runner`].
//!
//! # Two processes
//!
//! One process writes the journal at a time: a second `serve`, `run` or `resume` is refused and told who does. `runs`, `show`,
//! `logs` and `backup` read beside it. `trigger`, `backfill`, `pause`, `unpause`, `cancel`, `skip`, `retry`, `prune`, `assets update`,
//! `settings set` and `settings unset` are carried out by the holder, which looks for them five times a second; the command prints the answer, and exits with
//! 2 where it was refused. Without a holder it
//! does the work itself.
//!
//! A process that serves, asked to end, starts nothing more and lets attempts that are under way come to their end for `--drain`; it
//! exits with 0, or with 130 (Ctrl-C) or 143 (SIGTERM) where it had to cut them off. With `--json` it prints `run_finished` once a run has ended and
//! everybody has been told.
//!
//! # Which journal
//!
//! `--journal FILE` names it, else the environment variable `PIPELINE_JOURNAL`, else it is `.pipeline/journal.db` in the present
//! folder. `run`, `serve` and `backfill` make it where there is none. All other commands are about runs or a process that are there already, so
//! they are refused without one, and say where they looked.
//!
//! # Progress
//!
//! Where stdout and stderr are terminals, `run` shows a line for each node that runs or waits, redrawn at most ten times a
//! second. Elsewhere it prints one line an event to stdout: `12.3s  export  up_for_reschedule  poke 3, next in 45s`.
//!
//! Runs never wait for whoever reads that. Up to 16 MiB of events and log lines wait to be written; what comes while there is no room is
//! not shown, and a line in its place says so: `progress: 123 events were not shown, as nobody read them in time`. States, the summary,
//! metrics and the exit code do not depend on what was shown, and the journal keeps every event, and the log lines of nodes.
//!
//! Events are told as they happen, and some may be told that a crash then undoes, as they were not kept yet. The journal is the truth: a program that
//! acts on what happened goes by `runs` and `show`, or reads the journal ([`read`](crate::read)). Nor does a run that is over wait for who reads: the
//! journal is free before the last of it is printed.
//!
//! With `--json` stdout has one object a line, each with an `event` and the time `at` in RFC 3339; what does not apply is left out.
//!
//! | `event` | further fields |
//! |---|---|
//! | `run_started` | `run_id`, `pipeline`, `logical_date`, `data_interval_end`, `params`, `nodes` (how many), `resumed` (true where an earlier process began it) |
//! | `node` | `run_id`, `pipeline`, `node`, `state` (Airflow's words), `attempt`, `poke`, `next_at`, `elements`, `error`, `reason`, `cause` |
//! | `callback` | `run_id`, `pipeline`, `callback` (`on_failure`, …), `node`, `notifier`, `state` (`due`, `told`, `failed`, `given_up`), `error`, `next_at` |
//! | `run_finished` | `run_id`, `pipeline`, `state`, `seconds`, `nodes` (by id: `state`, `attempts`, `pokes`, `seconds`, `error`), `callbacks_due` |
//! | `not_shown` | `events`, `log_lines` (how many are missing here, as nobody read them in time) |
//!
//! `run_finished` comes once for each run, last; its `state` is `running` where the run was interrupted. Fields may be added
//! later, and none of these will change.
//!
//! # Log lines
//!
//! They go to stderr, from the level of `--log` on, else of the environment variable `PIPELINE_LOG`, else from `info` on.
//! `2024-03-25T06:00:01Z INFO process#1: parsed 3 records rows=3` is of the first attempt of node `process`. Where a process has several runs, the
//! pipeline and the run's id stand before the node, `nightly/manual__2024-03-25T06:00:00Z/process#1`, so that two runs of one pipeline are told
//! apart: always in `serve` and `backfill`; elsewhere the pipeline alone where several runs were given, and nothing where one was. What the engine says of a run is named the
//! same, and everything else it says `engine`. A line is cut at 16 KiB; control characters in it are escaped, and its further lines are indented.
//!
//! With `--log-format json`, or `PIPELINE_LOG_FORMAT=json`, each is one JSON object:
//!
//! | field | |
//! |---|---|
//! | `time` | by the run's clock, in RFC 3339 |
//! | `level` | `ERROR`, `WARN`, `INFO`, `DEBUG` or `TRACE` |
//! | `target` | the module that says it |
//! | `pipeline`, `run`, `node`, `attempt` | what it is about, as far as that is known |
//! | `message` | |
//! | `fields` | the body's own fields, numbers as numbers, where there are any |
//!
//! The summary and the `error: ..` of a command that was refused are no log lines, and stay texts.

mod acts;
#[cfg(feature = "airflow")]
mod airflow;
mod args;
mod asked;
mod assets;
mod backfill;
mod backup;
mod check;
mod choose;
#[cfg(test)]
mod clock_changes;
#[cfg(feature = "dashboard")]
mod dashboard;
mod durations;
mod edit;
mod forecast;
mod gc;
mod graph;
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
mod waiting;
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
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use tracing::level_filters::LevelFilter;

/// The exit code of wrong use.
const WRONG_USE: u8 = 2;

/// Where and how the runs of a command are run.
#[derive(Debug)]
struct Place {
    journal: PathBuf,
    log: Option<LevelFilter>,
    log_format: Option<LogFormat>,
    parallelism: u32,
    progress: Progress,
    speed: u32,
}

impl Place {
    /// A runner there, which others may ask for runs of these pipelines.
    fn runner(&self, pipelines: &[Pipeline]) -> Result<Runner, String> {
        let logging = logging::logging(self.log, self.log_format)?;
        let runner = Runner::new().progress(self.progress).parallelism(self.parallelism).speed(self.speed).logging(logging);
        Ok(runner.journal(&self.journal).hosting(pipelines))
    }
}

/// Does what the process's arguments say: the whole `main` of a pipeline binary.
#[must_use = "it is the exit code: write `fn main() -> std::process::ExitCode`, and no `;` after it"]
pub fn main(pipelines: impl IntoIterator<Item = Pipeline>) -> ExitCode {
    Cli::new(pipelines).main()
}

/// A command line with commands of the binary's own beside those of its pipelines.
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
    commands: Vec<Own>,
    speed: u32,
}

/// A command of the binary's own.
struct Own {
    name: &'static str,
    about: &'static str,
    run: Box<dyn FnOnce(Vec<OsString>) -> ExitCode>,
}

impl std::fmt::Debug for Own {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Cli {
    /// The commands of these pipelines.
    pub fn new(pipelines: impl IntoIterator<Item = Pipeline>) -> Self {
        Self { pipelines: pipelines.into_iter().collect(), commands: Vec::new(), speed: 1 }
    }

    /// Adds a command, listed in `--help` with `about`. It is given the arguments that follow its name, `--help` included.
    ///
    /// Its name must be another than those of the [commands of every binary](self), `help` and `version` included, and of other commands
    /// that are added. Where it is not, whatever is called is refused with exit code 2 and an error that names it. A later
    /// version may have further commands, so a name of two words, such as `load-mocks`, is safer.
    pub fn command(
        mut self,
        name: &'static str,
        about: &'static str,
        run: impl FnOnce(Vec<OsString>) -> ExitCode + 'static,
    ) -> Self {
        self.commands.push(Own { name, about, run: Box::new(run) });
        self
    }

    /// The clock of all commands that run pipelines goes `times` as fast (1 unless given; 0 counts as 1), so that a schedule of
    /// hours can be watched, or tested, in seconds.
    pub fn speed(self, times: u32) -> Self {
        Self { speed: times, ..self }
    }

    /// Does what the process's arguments say.
    #[must_use = "it is the exit code: write `fn main() -> std::process::ExitCode`, and no `;` after it"]
    pub fn main(self) -> ExitCode {
        self.run(std::env::args_os())
    }

    /// Does what `args` say, the first of which is the program's name.
    pub fn run<A: Into<OsString> + Clone>(self, args: impl IntoIterator<Item = A>) -> ExitCode {
        host::outlive_file_limit();
        let Self { pipelines, commands, speed } = self;
        let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
        // Not before: a task has no terminal, and its supervisor waits for it.
        #[cfg(feature = "airflow")]
        if let Some(done) = crate::airflow::as_task(&pipelines, &args) {
            return done;
        }
        output::heed(&args);
        if let Some(problem) = taken(&commands) {
            return refuse(&problem);
        }
        let own = commands.iter().map(|own| args::own(own.name, own.about));
        let clap = own.fold(Args::command(), clap::Command::subcommand);
        let matches = match clap.try_get_matches_from(args) {
            Ok(matches) => matches,
            Err(error) => return output::settled(wrong_arguments(&error)),
        };
        if let Some((name, given)) = matches.subcommand()
            && let Some(own) = commands.into_iter().find(|own| own.name == name)
        {
            return (own.run)(args::own_arguments(given));
        }
        output::settled(match Args::from_arg_matches(&matches) {
            Ok(args) => command(&pipelines, args, speed),
            Err(error) => wrong_arguments(&error),
        })
    }
}

/// Why the names of the binary's own commands cannot all be told apart.
fn taken(commands: &[Own]) -> Option<String> {
    let built_in = Args::command();
    let is_built_in = |name: &str| matches!(name, "help" | "version") || built_in.find_subcommand(name).is_some();
    commands.iter().enumerate().find_map(|(n, own)| {
        let name = own.name;
        let whose = match commands[..n].iter().any(|before| before.name == name) {
            true => "it adds another of that name",
            false if is_built_in(name) => "every pipeline binary has one of that name",
            false => return None,
        };
        Some(format!("this binary adds the command `{name}`, but {whose}\n  = help: give it another in `Cli::command`"))
    })
}

fn command(pipelines: &[Pipeline], args: Args, speed: u32) -> ExitCode {
    if let Err(problem) = choose::distinct(pipelines) {
        return refuse(&problem);
    }
    let journal = args::journal(args.journal);
    let at = |how: &args::How| Place {
        journal: journal.clone(),
        log: args.log,
        log_format: args.log_format,
        parallelism: how.parallelism,
        progress: how.progress(),
        speed,
    };
    let done = match args.command {
        Command::Check { pipeline, env, json } => check::run(pipelines, pipeline.as_deref(), env, json),
        Command::List { json } => list::run(pipelines, json, &journal),
        Command::Assets(of) => assets::run(pipelines, &of, &journal),
        Command::Settings(of) => settings::run(pipelines, of, &journal),
        Command::Graph { pipeline, format } => graph::run(pipelines, pipeline.as_deref(), format),
        Command::Run(run) => run::run(pipelines, &run, &at(&run.how)),
        #[cfg(feature = "dashboard")]
        Command::Serve { drain, keep, beside, how } => {
            beside.wanted().and_then(|page| serve::run(pipelines, drain, keep, page, &at(&how)))
        }
        #[cfg(not(feature = "dashboard"))]
        Command::Serve { drain, keep, how } => serve::run(pipelines, drain, keep, &at(&how)),
        #[cfg(feature = "dashboard")]
        Command::Dashboard(show) => dashboard::run(pipelines, &show, &journal),
        Command::Trigger { pipeline, about, how } => trigger::run(pipelines, pipeline.as_deref(), &about, &at(&how)),
        Command::Backfill(backfill) => backfill::run(pipelines, &backfill, &at(&backfill.how)),
        Command::Pause { pipeline } => pause::run(pipelines, pipeline.as_deref(), true, &journal),
        Command::Unpause { pipeline } => pause::run(pipelines, pipeline.as_deref(), false, &journal),
        Command::Cancel { run, how } => edit::run(pipelines, &host::Command::Cancel { run }, None, &at(&how)),
        Command::Skip { run, node, how } => edit::run(pipelines, &host::Command::Skip { run, node }, None, &at(&how)),
        Command::Resume { accept_removed, metrics, how } => {
            let accepts = if accept_removed { Accepts::Removals } else { Accepts::Additions };
            resume::run(pipelines, metrics.as_deref(), accepts, &at(&how))
        }
        Command::Retry { run, nodes, downstream, metrics, how } => {
            edit::run(pipelines, &host::Command::Retry { run, nodes, downstream }, metrics.as_deref(), &at(&how))
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
        Command::Airflow { what } => airflow::run(pipelines, what),
        Command::Forecast(asked) => forecast::run(pipelines, &asked, &journal),
        Command::WhatIf(asked) => what_if::run(pipelines, &asked, &journal),
        Command::Simulate(simulate) => simulate::run(pipelines, simulate, logging::logging(args.log, args.log_format), &journal),
    };
    done.unwrap_or_else(|problem| refuse(&problem))
}

/// Says what is wrong with the use, or where clap was asked for help, that.
fn wrong_arguments(error: &clap::Error) -> ExitCode {
    output::arguments(error);
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
        _ => ExitCode::from(WRONG_USE),
    }
}

/// Says why nothing was done. The mistakes of a plan say themselves that they are errors.
fn refuse(problem: &str) -> ExitCode {
    let prefix = if problem.starts_with("error") { "" } else { "error: " };
    output::to_stderr(&output::set_off(&format!("{prefix}{problem}")));
    ExitCode::from(WRONG_USE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(names: &[&'static str]) -> Vec<Own> {
        let with_name = |name: &&'static str| Own { name, about: "", run: Box::new(|_| ExitCode::SUCCESS) };
        names.iter().map(with_name).collect()
    }

    #[test]
    fn a_command_of_the_binarys_own_has_a_name_of_its_own() {
        assert_eq!(taken(&own(&["load-mocks", "greet"])), None);
        let named = "this binary adds the command `run`, but every pipeline binary has one of that name\n  \
                     = help: give it another in `Cli::command`";
        assert_eq!(taken(&own(&["greet", "run"])).as_deref(), Some(named));
        assert!(taken(&own(&["help"])).is_some());
        assert!(taken(&own(&["greet", "greet"])).is_some_and(|said| said.contains("but it adds another of that name")));
        // Whatever is called: in debug builds clap would panic.
        let cli = Cli { pipelines: Vec::new(), commands: own(&["run"]), speed: 1 };
        assert_eq!(cli.run(["binary", "list"]), ExitCode::from(WRONG_USE));
    }
}
