//! `show`: prints one run, even while another process executes it.

use super::durations::brief;
use super::{assets, output, runs, summary, wait_reasons};
use crate::engine::{NodeState, RunState, Slot};
use crate::journal::Holder;
use crate::observe::{FailedAttempt, RunHistory, Waits, one_line, plural};
use crate::read::{DocumentBuilder, JournalReader, RunSummary};
use crate::time::Timestamp;
use crate::{Clock, Pipeline};
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

/// The most failed or interrupted attempts that are shown; the last ones.
const MAX_SHOWN: usize = 50;

pub(super) fn run(pipelines: &[Pipeline], run_id: &str, html: bool, journal: &Path) -> Result<ExitCode, String> {
    let reader = JournalReader::open(journal).map_err(|error| error.to_string())?.pipelines(pipelines.iter().cloned());
    let run = runs::find_run(&reader, run_id, journal)?;
    let details = reader.details(&run).map_err(|error| error.to_string())?;
    let run = details.summary();
    if html {
        let (now, last) = (Clock::system().now(), details.history().started + details.history().latest());
        let is_run = Holder::of(journal).is_some() && run.blocked().is_none();
        let builder = DocumentBuilder { reader: &reader, pipelines, now: now.max(last), is_run };
        output::to_stdout(builder.document(&details).map_err(|error| error.to_string())?.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    output::to_stdout(&header(run));
    if let Some(reason) = run.blocked() {
        output::to_stdout(&format!("\n{}", output::indent_quoted(&format!("blocked: {reason}"))));
    }
    if let (Some(why), None) = (details.plan_mismatch(), run.blocked()) {
        let why = output::first_statement(&why);
        output::to_stdout(&format!("note: shown with the plan stored in the journal: {why}"));
    }
    let updates = reader.journal().updates_of_run(run.stored().key).map_err(|error| error.to_string())?;
    for (begins, update) in &updates {
        let verb = if *begins { "started by" } else { "reads" };
        output::to_stdout(&format!("{verb} the update of {} at {}: {}", update.asset, assets::date(update), assets::by(update)));
    }
    for (name, value) in run.settings() {
        output::to_stdout(&format!("with the setting {name} = {value}"));
    }
    let history = details.history();
    // Never earlier than the last event: the clock that wrote it may be ahead of this one.
    let now = Clock::system().now();
    // A queued run has no timeline yet.
    if run.state() != RunState::Queued {
        output::to_stdout(&format!("\n{}", summary::timeline_or_counts(history, now.since(history.started))));
    }
    let mut parts = vec![failed_attempts(history)];
    if !history.state.is_end() {
        let holder = Holder::of(journal);
        let is_blocked = run.blocked().is_some();
        parts.extend((!is_blocked).then(|| match &holder {
            Some(holder) => format!("process {} runs it: {}", holder.process, holder.command),
            None => "no process runs it: `resume` continues it".to_owned(),
        }));
        let turn = match run.state() {
            RunState::Queued if !is_blocked => {
                wait_reasons::of_queued_run(run, &reader, pipelines, now).map_err(|error| error.to_string())?
            }
            _ => None,
        };
        parts.push(match turn {
            Some(turn) => turn,
            None => wait_reasons::of_nodes(
                &Waits { history, now, is_run: holder.is_some() && !is_blocked },
                reader.journal(),
                pipelines,
            )
            .map_err(|error| error.to_string())?,
        });
    }
    if !details.removed_nodes().is_empty() {
        parts.push(format!("removed by `resume --accept-removed`: {}", details.removed_nodes().join(", ")));
    }
    parts.push(summary::failures(history));
    for text in parts.iter().filter(|text| !text.is_empty()) {
        output::to_stdout(&format!("\n{}", text.trim_end()));
    }
    Ok(ExitCode::SUCCESS)
}

fn header(run: &RunSummary) -> String {
    let params = if run.params().is_null() { String::new() } else { format!(", params {}", run.params()) };
    format!("run {} of {}: {}, data interval {}{params}", run.run_id(), run.pipeline(), run.shown_state(), run.interval())
}

/// The attempts that failed or were cut off, in the order in which they ended.
fn failed_attempts(history: &RunHistory) -> String {
    let of_node = |slot: Slot| {
        let node = history.node(slot);
        // The last error of a failed node is printed below, with its place.
        let shown_below = usize::from(node.state() == NodeState::Failed);
        let failed_attempts = &node.failed_attempts()[..node.failed_attempts().len().saturating_sub(shown_below)];
        failed_attempts.iter().map(move |failed_attempt| (slot, failed_attempt))
    };
    let mut all: Vec<(Slot, &FailedAttempt)> = history.listed().into_iter().flat_map(of_node).collect();
    all.sort_by_key(|(_, failed_attempt)| failed_attempt.at);
    let more = all.len().saturating_sub(MAX_SHOWN);
    let mut text = String::new();
    if more > 0 {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "… and {more} attempt{} before these", plural(more));
    }
    for (slot, failed_attempt) in &all[more..] {
        let (at, id) = (failed_attempt.at, history.id(*slot));
        let what = match &failed_attempt.error {
            Some(error) => format!("failed: {}", one_line(error)),
            None => "cut off by the end of its process".to_owned(),
        };
        let after = failed_attempt.from.map(|from| format!(" after {}", brief(at.saturating_sub(from)))).unwrap_or_default();
        let _ = writeln!(text, "{}  {id}#{}{after}  {what}", date(history.started + at), failed_attempt.attempt);
    }
    text
}

fn date(at: Timestamp) -> String {
    at.to_utc().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
