//! What is asked for of all runs that a filter has: one command a run, through the inbox as each by itself.

use super::commands::{NOBODY, check, hash};
use super::runs::{Filter, filter};
use super::{Problem, Site, name};
use crate::host::{Answer, Command, ask_all};
use crate::observe::plural;
use crate::read::{JournalReader, RunSummary};
use crate::{Pipeline, RunState};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// So many runs at once at most, the newest.
const MAX_RUNS: u32 = 1_000;

/// Of all runs of a filter for which it can be done.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub(super) enum Bulk {
    /// What failed is tried again.
    RetryAll {
        #[serde(flatten)]
        of: Filter,
        #[serde(default)]
        downstream: bool,
    },
    CancelAll {
        #[serde(flatten)]
        of: Filter,
    },
}

impl Bulk {
    /// What is asked of which runs.
    pub(super) async fn preview(&self, site: &Arc<Site>) -> Result<Preview, Problem> {
        let (bulk, pipelines) = (self.clone(), site.pipelines.clone());
        site.readers.read(move |reader| bulk.look(reader, &pipelines)).await
    }

    fn look(&self, reader: &JournalReader, pipelines: &[Pipeline]) -> Result<Preview, Problem> {
        let (of, states) = match self {
            Self::RetryAll { of, .. } => (of, [RunState::Failed, RunState::Cancelled]),
            Self::CancelAll { of } => (of, [RunState::Running, RunState::Queued]),
        };
        let mut runs: Vec<RunSummary> = Vec::new();
        // What is blocked has not ended.
        let is_told = of.state.as_deref().is_some_and(|state| !state.is_empty());
        if is_told {
            let found = reader.runs(&filter(of, pipelines)?.limit(MAX_RUNS))?;
            runs.extend(found.into_iter().filter(|run| states.contains(&run.state())));
        } else {
            for state in states {
                runs.extend(reader.runs(&filter(of, pipelines)?.state(state).limit(MAX_RUNS))?);
            }
            runs.sort_by_key(|run| std::cmp::Reverse(run.stored().key));
            runs.truncate(MAX_RUNS as usize);
        }
        let count = format!("{} run{}", runs.len(), plural(runs.len()));
        let will = match self {
            _ if runs.is_empty() => "does nothing: no run of this filter is in a state for it".to_owned(),
            Self::RetryAll { downstream: false, .. } => format!("runs again what failed or was cut off in {count}"),
            Self::RetryAll { .. } => format!("runs again what failed or was cut off in {count}, and what comes after it"),
            Self::CancelAll { .. } => format!("cancels {count}: attempts that are under way are cut off"),
        };
        Ok(Preview { will, runs })
    }

    /// Does it for each of them, as long as what is meant is what was shown.
    pub(super) async fn carry_out(&self, site: &Arc<Site>, shown: Option<&str>) -> Result<Value, Problem> {
        let preview = self.preview(site).await?;
        check(shown, &preview.hash())?;
        let names: Vec<String> = preview.runs.iter().map(name).collect();
        let commands: Vec<Command> = names.iter().map(|run| self.of(run.clone())).collect();
        let journal = site.readers.journal.clone();
        let asked = tokio::task::spawn_blocking(move || ask_all(&journal, &commands)).await;
        let answers = asked.map_err(|error| Problem::refused(&error.to_string()))??;
        let refused: Vec<Value> = names
            .iter()
            .zip(answers)
            .filter_map(|(run, answer)| {
                let why = match answer {
                    Ok(Some(Answer { done: true, .. })) => return None,
                    Ok(Some(Answer { text, .. })) => text,
                    Ok(None) => NOBODY.to_owned(),
                    Err(error) => error.to_string(),
                };
                Some(json!({ "run": run, "why": why }))
            })
            .collect();
        let verb = if matches!(self, Self::RetryAll { .. }) { "go on" } else { "are cancelled" };
        let text = format!("{} of {} runs {verb}", names.len() - refused.len(), names.len());
        Ok(json!({ "done": true, "text": text, "run": null, "refused": refused }))
    }

    fn of(&self, run: String) -> Command {
        match self {
            Self::RetryAll { downstream, .. } => Command::Retry { run, nodes: Vec::new(), downstream: *downstream },
            Self::CancelAll { .. } => Command::Cancel { run },
        }
    }
}

/// What it would do, to which runs.
#[derive(Debug)]
pub(super) struct Preview {
    pub(super) will: String,
    runs: Vec<RunSummary>,
}

impl Preview {
    /// Differs where what would be done does.
    pub(super) fn hash(&self) -> String {
        let runs: Vec<_> = self.runs.iter().map(|run| (run.stored().key, run.state().name())).collect();
        hash(&format!("{}{runs:?}", self.will))
    }

    pub(super) fn runs(&self) -> Vec<Value> {
        self.runs.iter().map(|run| json!({ "run": name(run), "state": run.shown_state() })).collect()
    }
}
