//! Commands for all runs of a filter: one command per run, through the inbox like single commands.

use super::commands::{NO_HOLDER, check_hash, hash};
use super::runs::{Filter, filter};
use super::{Problem, Site, run_name};
use crate::host::{Answer, Command, ask_all};
use crate::observe::plural;
use crate::read::{JournalReader, RunFilter, RunSummary};
use crate::time::Timestamp;
use crate::{Pipeline, RunState};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The maximum number of runs at once; the newest.
const MAX_RUNS: u32 = 1_000;

/// A command for all runs of a filter that it applies to. A misspelled field is refused: without it the filter would match more
/// runs.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum BulkCommand {
    /// Retry what failed.
    RetryAll {
        pipeline: Option<String>,
        state: Option<String>,
        kind: Option<String>,
        since: Option<String>,
        #[serde(default)]
        downstream: bool,
    },
    CancelAll {
        pipeline: Option<String>,
        state: Option<String>,
        kind: Option<String>,
        since: Option<String>,
    },
}

impl BulkCommand {
    /// Returns what the command would do to which runs.
    pub(super) async fn preview(&self, site: &Arc<Site>) -> Result<Preview, Problem> {
        let (bulk, pipelines) = (self.clone(), site.pipelines.clone());
        let now = site.clock.now();
        site.readers.read(move |reader| bulk.preview_of(reader, &pipelines, now)).await
    }

    fn filter(&self) -> Filter {
        match self.clone() {
            Self::RetryAll { pipeline, state, kind, since, .. } | Self::CancelAll { pipeline, state, kind, since } => {
                Filter { pipeline, state, kind, since }
            }
        }
    }

    /// True if the command applies to a run in that state.
    fn is_for(&self, state: RunState) -> bool {
        match self {
            Self::RetryAll { .. } => matches!(state, RunState::Failed | RunState::Cancelled),
            Self::CancelAll { .. } => matches!(state, RunState::Running | RunState::Queued),
        }
    }

    fn preview_of(&self, reader: &JournalReader, pipelines: &[Pipeline], now: Timestamp) -> Result<Preview, Problem> {
        let of = self.filter();
        let filter = || filter(&of, pipelines, now).map(|filter| filter.limit(MAX_RUNS + 1));
        let has_state = of.state.as_deref().is_some_and(|state| !state.is_empty());
        let filters = match self {
            _ if has_state => vec![filter()?],
            Self::RetryAll { .. } => vec![filter()?.state(RunState::Failed), filter()?.state(RunState::Cancelled)],
            // A blocked run has not ended.
            Self::CancelAll { .. } => {
                vec![filter()?.state(RunState::Running), filter()?.state(RunState::Queued), filter()?.blocked()]
            }
        };
        let mut runs: Vec<RunSummary> = Vec::new();
        for filter in filters {
            runs.extend(reader.runs(&filter)?.into_iter().filter(|run| self.is_for(run.state())));
        }
        runs.sort_by_key(|run| std::cmp::Reverse(run.stored().key));
        let has_more = runs.len() > MAX_RUNS as usize;
        runs.truncate(MAX_RUNS as usize);
        let more = if has_more { ", the newest: there are more" } else { "" };
        let count = format!("{} run{}{}{more}", runs.len(), plural(runs.len()), of.describe());
        let pipeline = of.pipeline.as_deref().filter(|id| !id.is_empty());
        let is_known = |id: &str| pipelines.iter().any(|pipeline| pipeline.id() == id);
        let gone = match pipeline.filter(|id| runs.is_empty() && !is_known(id)) {
            Some(id) if reader.runs(&RunFilter::new().pipeline(id).limit(1))?.is_empty() => Some(id),
            _ => None,
        };
        let will = match (gone, self) {
            (Some(id), _) => format!("does nothing: neither the program nor its journal has a pipeline `{id}`"),
            _ if runs.is_empty() => format!("does nothing: no run{} is in a suitable state", of.describe()),
            (_, Self::RetryAll { downstream: false, .. }) => format!("runs the failed and interrupted nodes of {count} again"),
            (_, Self::RetryAll { .. }) => {
                format!("runs the failed and interrupted nodes of {count} again, and everything downstream of them")
            }
            (_, Self::CancelAll { .. }) => format!("cancels {count}: running attempts are cut off"),
        };
        Ok(Preview { will, runs, has_more })
    }

    /// Carries the command out for each run, if the effect is still the one that was shown.
    pub(super) async fn carry_out(&self, site: &Arc<Site>, shown: Option<&str>) -> Result<Value, Problem> {
        let preview = self.preview(site).await?;
        check_hash(shown, &preview.hash())?;
        let names: Vec<String> = preview.runs.iter().map(run_name).collect();
        let commands: Vec<Command> = names.iter().map(|run| self.of(run.clone())).collect();
        let journal = site.readers.journal.clone();
        let answers = tokio::task::spawn_blocking(move || ask_all(&journal, &commands)).await;
        let answers = answers.map_err(|error| Problem::refused(&error.to_string()))??;
        let refused: Vec<Value> = names
            .iter()
            .zip(answers)
            .filter_map(|(run, answer)| {
                let why = match answer {
                    Ok(Some(Answer { done: true, .. })) => return None,
                    Ok(Some(Answer { text, .. })) => text,
                    Ok(None) => NO_HOLDER.to_owned(),
                    Err(error) => error.to_string(),
                };
                Some(json!({ "run": run, "why": why }))
            })
            .collect();
        let verb = if matches!(self, Self::RetryAll { .. }) { "continue" } else { "are cancelled" };
        let more = if preview.has_more { "; there are more" } else { "" };
        let text = format!("{} of {} runs {verb}{more}", names.len() - refused.len(), names.len());
        Ok(json!({ "done": true, "text": text, "run": null, "refused": refused }))
    }

    fn of(&self, run: String) -> Command {
        match self {
            Self::RetryAll { downstream, .. } => Command::Retry { run, nodes: Vec::new(), downstream: *downstream },
            Self::CancelAll { .. } => Command::Cancel { run },
        }
    }
}

/// What a command would do, and to which runs.
#[derive(Debug)]
pub(super) struct Preview {
    pub(super) will: String,
    runs: Vec<RunSummary>,
    has_more: bool,
}

impl Preview {
    /// Returns a hash that changes with the effect of the command.
    pub(super) fn hash(&self) -> String {
        let runs: Vec<_> = self.runs.iter().map(|run| (run.stored().key, run.state().name())).collect();
        hash(&format!("{}{runs:?}", self.will))
    }

    pub(super) fn runs(&self) -> Vec<Value> {
        self.runs.iter().map(|run| json!({ "run": run_name(run), "state": run.shown_state() })).collect()
    }
}
