//! Edits: what somebody wants changed about a run, live or before it is gone on with.

use super::super::record::{Entry, Skip, Slot};
use super::super::state::{NodeState, RunState};
use super::desk::Desk;
use super::retry::RetryError;
use super::run::Run;
use super::{Core, RunIx, RunSpec};
use crate::time::Timestamp;

/// What somebody wants of a run. Nodes go by their ids, an element's being `upload[3]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Edit {
    /// Nodes that have ended are tried again, without any those that failed; with `downstream`, all that depends on them too.
    Retry { nodes: Vec<String>, downstream: bool },
    /// A node ends as skipped, whether it waits, is under way or has failed.
    Skip { node: String },
    /// Attempts are cut off, and the run ends.
    Cancel,
}

/// Why a run is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EditError {
    #[error("it has no node `{node}`; `show {run_id}` lists those it has")]
    NoNode { node: String, run_id: String },
    #[error("none of its nodes failed; name those to try again")]
    NothingFailed,
    #[error("`{node}` cannot be skipped: it is {state}")]
    NodeEnded { node: String, state: NodeState },
    #[error("it has ended: it is {0}")]
    Ended(RunState),
    #[error(transparent)]
    Retry(#[from] RetryError),
}

impl Core {
    /// Changes a run as somebody wants it, or leaves it as it is.
    pub(crate) fn edit(&mut self, run: RunIx, edit: &Edit, now: Timestamp) -> Result<(), EditError> {
        let mut result = Ok(());
        self.desk(run, now, |desk| result = desk.edit(edit));
        self.settle(now);
        result
    }

    /// Goes on with a run as an edit leaves it: what the edit ends is not started before. A run that it cannot be applied to is
    /// not gone on with.
    pub(crate) fn resume_edited(
        &mut self,
        spec: RunSpec,
        started: Timestamp,
        entries: &[Entry],
        edit: &Edit,
        now: Timestamp,
    ) -> Result<RunIx, EditError> {
        let mut run = Run::new(spec, started);
        for entry in entries {
            run.apply(entry);
        }
        let ended = run.state.is_end();
        let ix = self.host(run);
        let before = (self.out.records.mark(), self.out.todo.starts.len(), self.out.todo.actions.len());
        let mut result = Ok(());
        self.desk(ix, now, |desk| {
            result = desk.edit(edit);
            if ended {
                desk.resume_alerts();
            } else {
                desk.resume();
            }
        });
        if let Err(error) = result {
            self.out.records.truncate(before.0);
            self.out.todo.starts.truncate(before.1);
            self.out.todo.actions.truncate(before.2);
            if let Some(hosted) = self.runs[ix as usize].take() {
                // What was about to start has its slot already.
                for node in hosted.run.nodes.iter().filter(|node| node.holds_slot) {
                    let pool = match hosted.pools.as_slice() {
                        [only] => *only,
                        several => several[hosted.run.plan().policy(node.ix).pool as usize],
                    };
                    self.pools.release(pool);
                }
            }
            return Err(error);
        }
        self.settle(now);
        Ok(ix)
    }
}

/// Whether an edit can be applied to a run that is not hosted.
pub(crate) fn check_edit(
    spec: RunSpec,
    started: Timestamp,
    entries: &[Entry],
    edit: &Edit,
    now: Timestamp,
) -> Result<(), EditError> {
    Core::new(1).resume_edited(spec, started, entries, edit, now).map(drop)
}

impl Desk<'_> {
    fn edit(&mut self, edit: &Edit) -> Result<(), EditError> {
        match edit {
            Edit::Cancel if self.run.state.is_end() => Err(EditError::Ended(self.run.state)),
            Edit::Cancel => {
                self.end(RunState::Cancelled);
                Ok(())
            }
            Edit::Skip { node } => {
                let slot = self.find(node)?;
                self.skip_by_hand(slot)
            }
            Edit::Retry { nodes, downstream } => {
                let mut slots = nodes.iter().map(|node| self.find(node)).collect::<Result<Vec<Slot>, _>>()?;
                if slots.is_empty() {
                    slots = self.failed();
                }
                if slots.is_empty() {
                    return Err(EditError::NothingFailed);
                }
                Ok(self.retry(&slots, *downstream)?)
            }
        }
    }

    fn find(&self, node: &str) -> Result<Slot, EditError> {
        let found = self.run.layout.find(self.run.plan(), node);
        found.ok_or_else(|| EditError::NoNode { node: node.to_owned(), run_id: self.run.spec.info.run_id.clone() })
    }

    fn failed(&self) -> Vec<Slot> {
        (0..).zip(&self.run.nodes).filter(|(_, node)| node.state == NodeState::Failed).map(|(slot, _)| slot).collect()
    }

    fn skip_by_hand(&mut self, slot: Slot) -> Result<(), EditError> {
        match self.run.node(slot).state {
            state @ (NodeState::Success | NodeState::Skipped | NodeState::Removed) => {
                return Err(EditError::NodeEnded { node: self.run.id(slot), state });
            }
            // What was decided because it failed is decided anew.
            NodeState::Failed | NodeState::UpstreamFailed => self.retry(&[slot], false)?,
            _ => {}
        }
        for element in self.elements_left(slot) {
            self.abort(element);
            self.skip(element, Skip::ByHand);
        }
        self.abort(slot);
        self.skip(slot, Skip::ByHand);
        Ok(())
    }
}
