//! `runs`: lists the runs in the journal, newest first.

use super::output;
use crate::engine::RunState;
use crate::journal::{BLOCKED, RunKind};
use crate::read::{JournalReader, RunFilter, RunSummary, parse_since};
use crate::schedule::Zone;
use crate::{Clock, Pipeline};
use chrono::SecondsFormat;
use humantime::format_duration;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// The most characters of a run's params that the table shows. `show` and `--json` print all.
const MAX_PARAMS_SHOWN: usize = 200;

#[derive(Debug, clap::Args)]
pub(super) struct RunsArgs {
    /// List only runs of this pipeline
    #[arg(long = "pipeline", value_name = "PIPELINE", conflicts_with = "of")]
    pipeline: Option<String>,
    /// Same as --pipeline
    #[arg(value_name = "PIPELINE")]
    of: Option<String>,
    /// List only runs in this state: queued, running, blocked, success, failed, cancelled
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<StateFilter>,
    /// List only runs of this kind: manual, scheduled, backfill
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<RunKind>,
    /// List only runs that began at this time or later: 2024-03-25, 2024-03-25T06:00:00Z, or at most this long ago: 30m, 7d
    ///
    /// Days, and times without an offset, are in the time zone of the listed pipelines, or in UTC if those have several.
    #[arg(long, value_name = "D")]
    since: Option<String>,
    /// List runs after this one: the next page
    #[arg(long, value_name = "RUN")]
    after: Option<String>,
    /// Maximum number of runs
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,
    /// Print one JSON object per line and run
    #[arg(long)]
    json: bool,
}

/// `--state`: a run state as it is displayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StateFilter {
    Of(RunState),
    Blocked,
}

fn state(text: &str) -> Result<StateFilter, String> {
    if text == BLOCKED {
        return Ok(StateFilter::Blocked);
    }
    let names = || RunState::ALL.map(RunState::name).join(", ");
    let found = RunState::ALL.into_iter().find(|state| state.name() == text);
    found.map(StateFilter::Of).ok_or_else(|| format!("a state is one of {}, {BLOCKED}", names()))
}

fn kind(text: &str) -> Result<RunKind, String> {
    let names = || RunKind::ALL.map(RunKind::name).join(", ");
    RunKind::parse(text).ok_or_else(|| format!("a kind is one of {}", names()))
}

impl RunsArgs {
    fn filter(&self, pipelines: &[Pipeline], reader: &JournalReader, journal: &Path) -> Result<RunFilter, String> {
        let mut filter = RunFilter::new().limit(self.limit);
        if let Some(since) = &self.since {
            let since = parse_since(since, self.zone(pipelines), Clock::system().now());
            filter = filter.since(since.map_err(|error| format!("--since: {error}"))?);
        }
        if let Some(run_id) = &self.after {
            filter = filter.after(&find_run(reader, run_id, journal)?);
        }
        if let Some(pipeline) = self.pipeline.as_ref().or(self.of.as_ref()) {
            filter = filter.pipeline(pipeline);
        }
        if let Some(kind) = self.kind {
            filter = filter.kind(kind);
        }
        Ok(match self.state {
            Some(StateFilter::Of(state)) => filter.state(state),
            Some(StateFilter::Blocked) => filter.blocked(),
            None => filter,
        })
    }

    /// Returns the time zone for dates: that of the listed pipelines if they share one.
    fn zone(&self, pipelines: &[Pipeline]) -> Zone {
        Pipeline::zone_of_all(pipelines, self.pipeline.as_deref().or(self.of.as_deref()))
    }
}

/// Returns the run with that id.
pub(super) fn find_run(reader: &JournalReader, run_id: &str, journal: &Path) -> Result<RunSummary, String> {
    let found = reader.run(run_id).map_err(|error| error.to_string())?;
    found.ok_or_else(|| format!("the journal {} has no run `{run_id}`; `runs` lists those it has", journal.display()))
}

pub(super) fn run(pipelines: &[Pipeline], args: &RunsArgs, journal: &Path) -> Result<ExitCode, String> {
    let reader = JournalReader::open(journal).map_err(|error| error.to_string())?;
    let filter = args.filter(pipelines, &reader, journal)?;
    let found = reader.runs(&filter).map_err(|error| error.to_string())?;
    if args.json {
        for run in &found {
            output::json(&run.to_json());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = vec![["run", "pipeline", "kind", "state", "started", "took", "params"].map(str::to_owned)];
    rows.extend(found.iter().map(row));
    output::to_stdout(&output::table(&rows));
    for (run, reason) in found.iter().filter_map(|run| Some((run, run.blocked()?))) {
        // `show` prints the whole reason.
        let reason = output::first_statement(reason);
        output::to_stdout(&format!("blocked: run {} of {}: {reason}", run.run_id(), run.pipeline()));
    }
    if let Some(last) = found.last().filter(|_| found.len() == args.limit as usize) {
        // The last page may be full, too; the next one is then empty.
        output::to_stderr(&format!("the next page: --after {}/{}", last.pipeline(), last.run_id()));
    }
    Ok(ExitCode::SUCCESS)
}

fn row(run: &RunSummary) -> [String; 7] {
    let params =
        if run.params().is_null() { String::new() } else { output::truncated(run.params().to_string(), MAX_PARAMS_SHOWN) };
    let stored = run.stored();
    let took = stored.finished.map(|finished| rounded_down(finished.since(stored.started()))).unwrap_or_default();
    let started = run.started().to_rfc3339_opts(SecondsFormat::Secs, true);
    [
        run.run_id().to_owned(),
        run.pipeline().to_owned(),
        run.kind().to_string(),
        run.shown_state().to_owned(),
        started,
        took,
        params,
    ]
}

/// Rounds a duration down to what matters.
fn rounded_down(took: Duration) -> String {
    let coarse = if took < Duration::from_secs(1) {
        Duration::from_millis(u64::from(took.subsec_millis()))
    } else {
        Duration::from_secs(took.as_secs())
    };
    format_duration(coarse).to_string()
}
