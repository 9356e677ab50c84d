//! A run's history as its journal tells it, growing as the journal does: for whoever reads beside the process that runs it.

use super::history::RunHistory;
use crate::author::pipeline::Pipeline;
use crate::engine::Slot;
use crate::journal::{DecodeError, JournalError, Reader, StoredEntry, StoredRun};
use crate::plan::{Accepts, Plan, PlanChanged, PlanError, Remap};
use std::sync::Arc;

/// A run that is read record by record. Outputs are not: what they are nobody asks here, and types may have changed since.
#[derive(Debug)]
pub(crate) struct Followed {
    run: StoredRun,
    plan: Arc<Plan>,
    remap: Option<Remap>,
    history: RunHistory,
    /// The number of the last record that the history has.
    last: i64,
    /// The ids of nodes that a run lost as it went on with another plan.
    removed: Vec<String>,
}

/// Why a run's history cannot be told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HistoryError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Changed(#[from] PlanChanged),
    #[error(transparent)]
    Record(#[from] DecodeError),
}

impl Followed {
    /// Of a run, with nothing read yet.
    pub(crate) fn new(pipeline: &Pipeline, run: &StoredRun) -> Result<Self, HistoryError> {
        Self::of(Arc::new(pipeline.plan_of_run(&run.params)?), run.clone())
    }

    fn of(plan: Arc<Plan>, run: StoredRun) -> Result<Self, HistoryError> {
        let remap = plan.match_skeleton(&run.skeleton, Accepts::Additions)?;
        let history = RunHistory::new(Arc::clone(&plan), run.started());
        Ok(Self { run, plan, remap, history, last: 0, removed: Vec::new() })
    }

    /// Reads what has been recorded since.
    pub(crate) fn go_on(&mut self, reader: &Reader) -> Result<(), HistoryError> {
        let mut read = reader.entries_after(self.run.key, self.last)?;
        if read.renamed && self.last > 0 {
            // Somebody goes on with the run with another plan: what was read means something else now.
            if let Some(run) = reader.run_of_key(self.run.key)? {
                *self = Self::of(Arc::clone(&self.plan), run)?;
                read = reader.entries_after(self.run.key, 0)?;
            }
        }
        if let Some(remap) = &self.remap {
            StoredEntry::remap(&mut read.entries, remap);
        }
        self.removed.append(&mut read.removed);
        for stored in read.entries {
            stored.fits(self.history.len())?;
            self.history.apply(&stored.entry);
        }
        self.last = read.last;
        Ok(())
    }

    pub(crate) fn history(&self) -> &RunHistory {
        &self.history
    }

    /// The ids of the nodes that the run lost as somebody let it go on with another plan.
    pub(crate) fn removed(&self) -> &[String] {
        &self.removed
    }

    /// Whether nothing more happens to the node: it has ended, or its run has.
    pub(crate) fn has_ended(&self, node: &str) -> bool {
        let ended = |slot: Slot| self.history.node(slot).state().is_end();
        self.history.state.is_end() || self.history.find(node).is_some_and(ended)
    }
}
