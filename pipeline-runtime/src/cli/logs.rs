//! `logs`: prints a run's log lines, even while another process executes the run.

use super::{output, runs};
use crate::engine::{Lookup, NodeState, node_name};
use crate::observe::{RunHistory, logs, one_line};
use crate::plan;
use crate::read::{JournalReader, LogFilter, LogLine, RunDetails, RunSummary};
use crate::{Clock, Pipeline};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// How many lines are read at once.
const PAGE: u32 = 1_000;
/// The page size for all nodes, where each page scans all lines of the run.
const PAGE_OF_RUN: u32 = 50_000;
/// How often `--follow` checks for more lines.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

#[derive(Debug, clap::Args)]
pub(super) struct LogsArgs {
    /// The run's id, as listed by `runs`
    run: String,
    /// The node; `upload[3]` for an element of a mapping; without it, all nodes
    node: Option<String>,
    /// Print only the lines of this attempt
    #[arg(long, value_name = "N", requires = "node", value_parser = clap::value_parser!(u32).range(1..))]
    attempt: Option<u32>,
    /// Wait for further lines until the node has ended, or without a node the run
    #[arg(long, short)]
    follow: bool,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

pub(super) fn run(pipelines: &[Pipeline], logs: &LogsArgs, journal: &Path) -> Result<ExitCode, String> {
    let reader = JournalReader::open(journal).map_err(|error| error.to_string())?.pipelines(pipelines.iter().cloned());
    let run = runs::find_run(&reader, &logs.run, journal)?;
    if let Some(node) = &logs.node {
        check_node(&run, &logs.run, node)?;
    }
    let mut printer = LinePrinter { reader: &reader, run: &run, logs, last: 0 };
    let details = || reader.details(&run).map_err(|error| error.to_string());
    if logs.follow {
        follow(&mut printer, details()?)?;
    } else {
        printer.print_new()?;
    }
    if printer.last == 0 && !logs.json {
        output::to_stderr(&no_lines_message(&run, logs, details()?.history())?);
    }
    Ok(ExitCode::SUCCESS)
}

/// Says that there are no lines, and how the node ended, since that is usually the question behind it.
fn no_lines_message(run: &RunSummary, logs: &LogsArgs, history: &RunHistory) -> Result<String, String> {
    let has_ended = |ended: bool| if ended { "" } else { " so far" };
    let Some(node) = &logs.node else {
        return Ok(format!("run {} has logged nothing{}", run.run_id(), has_ended(history.state.is_end())));
    };
    let slot = match history.look_up(node) {
        Lookup::Slot(slot) => slot,
        Lookup::NotYet => return Ok(format!("`{node}` has logged nothing{}", has_ended(history.state.is_end()))),
        Lookup::Nothing => return Err(no_node(&logs.run, node)),
    };
    let of_node = history.node(slot);
    let error = || one_line(of_node.error().map_or("without an error", AsRef::as_ref));
    let end = match (of_node.state(), of_node.why_skipped()) {
        (NodeState::Success, _) => "it succeeded".to_owned(),
        (NodeState::Failed, _) => format!("it failed: {}", error()),
        (NodeState::UpForRetry, _) => format!("it is {} after: {}", NodeState::UpForRetry, error()),
        (NodeState::UpstreamFailed, _) => format!("it did not run, as `{}` failed", history.id(history.root_cause(slot))),
        (NodeState::Skipped, Some(why)) => format!("it was skipped: {}", one_line(&history.reason(slot, why))),
        (state, _) => format!("it is {state}"),
    };
    let attempt = logs.attempt.map(|attempt| format!(" in attempt {attempt}")).unwrap_or_default();
    Ok(format!("`{node}` has logged nothing{attempt}{}; {end}", has_ended(of_node.state().is_end())))
}

/// Checks that the run may have such a node. Only the element list can tell that an element does not exist; it is read if there
/// are no lines.
fn check_node(run: &RunSummary, run_name: &str, node: &str) -> Result<(), String> {
    let Some((name, elements)) = node_name(node) else { return Err(no_node(run_name, node)) };
    let given = elements.len();
    match plan::depth(&run.stored().skeleton, name) {
        None => Err(no_node(run_name, node)),
        Some(0) if given > 0 => Err(format!("node `{name}` is not repeated: there is no `{node}`; leave the index out")),
        Some(depth) if given != depth => {
            Err(format!("node `{name}` is repeated for each element: say which is meant, as in `{name}{}`", "[0]".repeat(depth)))
        }
        Some(_) => Ok(()),
    }
}

fn no_node(run: &str, node: &str) -> String {
    format!("run `{run}` has no node `{node}`; `show {run}` lists those it has")
}

fn follow(printer: &mut LinePrinter<'_>, mut details: RunDetails) -> Result<(), String> {
    // A clock can only sleep on a tokio runtime.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(|error| error.to_string())?;
    let clock = Clock::system();
    let mut seen = None;
    loop {
        // Read before the lines: the lines of a node are committed no later than its end.
        let version = printer.reader.version().map_err(|error| error.to_string())?;
        if seen != Some(version) {
            seen = Some(version);
            details.update(printer.reader).map_err(|error| error.to_string())?;
            let ended = details.has_ended(printer.logs.node.as_deref());
            printer.print_new()?;
            if ended {
                return Ok(());
            }
        }
        runtime.block_on(clock.sleep_until(clock.now() + POLL_INTERVAL));
    }
}

/// Prints the lines that are not printed yet.
struct LinePrinter<'a> {
    reader: &'a JournalReader,
    run: &'a RunSummary,
    logs: &'a LogsArgs,
    /// The number of the last line.
    last: i64,
}

impl LinePrinter<'_> {
    fn print_new(&mut self) -> Result<(), String> {
        let LogsArgs { node, attempt, json, .. } = self.logs;
        let mut filter = LogFilter::new().limit(if node.is_some() { PAGE } else { PAGE_OF_RUN });
        if let Some(node) = node {
            filter = filter.node(node);
        }
        if let Some(attempt) = attempt {
            filter = filter.attempt(*attempt);
        }
        loop {
            filter = filter.after(self.last);
            let lines = self.reader.logs(self.run, &filter).map_err(|error| error.to_string())?;
            let Some(last) = lines.last() else { return Ok(()) };
            self.last = last.number();
            for line in &lines {
                if *json {
                    output::json(&self.as_json(line));
                } else {
                    output::to_stdout(&as_text(line));
                }
            }
        }
    }

    fn as_json(&self, line: &LogLine) -> serde_json::Value {
        let mut json = line.to_json();
        json["run_id"] = self.run.run_id().into();
        json["pipeline"] = self.run.pipeline().into();
        json
    }
}

fn as_text(line: &LogLine) -> String {
    let line = line.stored();
    logs::line(line.at, line.level, &format!("{}#{}", line.node, line.attempt), &line.text)
}
