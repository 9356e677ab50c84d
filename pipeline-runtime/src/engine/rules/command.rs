//! Commands: retry, skip and cancel, of a live run or of one before it is resumed.
//!
//! A command for a run that no process has is applied before the run is resumed: a node that is skipped, or a run that is cancelled, starts
//! nothing that would then be cut off.

use super::super::execution::Worklist;
use super::super::ids::Slot;
use super::super::log::{Record, Skip};
use super::super::state::Run;
use super::super::states::{NodeState, RunState};
use super::RunContext;
use super::clear::{ClearError, ClearSet};
use super::recovery::MAX_INTERRUPTIONS;

/// A command about a run. Nodes go by their ids, an element's being `upload[3]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Edit {
    /// Nodes that have ended are retried, without any all that did not succeed; with `downstream`, all that depends on them too.
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
    #[error("none of its nodes failed or was cut off; name those to retry")]
    NothingFailed,
    #[error("`{node}` cannot be skipped: it is {state}")]
    NodeEnded { node: String, state: NodeState },
    #[error("it has ended: it is {0}")]
    Ended(RunState),
    #[error("it is ending as {0}: its teardowns run, and nothing else is started; `cancel` ends them, too")]
    Ending(RunState),
    #[error(transparent)]
    Clear(#[from] ClearError),
}

/// What an edit does to nodes.
enum Effect {
    Clear(Box<[Slot]>),
    /// With what is cleared first: what was decided because the node failed is decided again.
    Skip(Slot, Option<Box<[Slot]>>),
    Cancel,
}

impl Run {
    /// Whether an edit can be applied to a run that no process has: nothing of it is in flight.
    pub(crate) fn check_edit(&self, edit: &Edit) -> Result<(), EditError> {
        self.preview(edit).map(drop)
    }

    /// What an edit would do to nodes of a run that no process has, or why it cannot be applied: those that would be cleared, and the one that
    /// would be skipped.
    pub(crate) fn preview(&self, edit: &Edit) -> Result<(Box<[Slot]>, Option<Slot>), EditError> {
        // What the end of the last process cut off is started again, unless that has happened too often.
        let is_in_flight = |slot: Slot| {
            let node = self.node(slot);
            node.state() == NodeState::Running && node.interruptions() + 1 >= MAX_INTERRUPTIONS
        };
        Ok(match self.effect_of(edit, &is_in_flight)? {
            Effect::Clear(slots) => (slots, None),
            Effect::Skip(slot, cleared) => (cleared.unwrap_or_default(), Some(slot)),
            Effect::Cancel => (Box::default(), None),
        })
    }

    fn effect_of(&self, edit: &Edit, is_in_flight: &dyn Fn(Slot) -> bool) -> Result<Effect, EditError> {
        let clear = |slots: &[Slot], downstream| ClearSet::of(self, slots, downstream, is_in_flight);
        let ending = self.ending().filter(|_| !self.state().is_end());
        if let (Edit::Retry { .. }, Some(state)) = (edit, ending) {
            return Err(EditError::Ending(state));
        }
        match edit {
            Edit::Cancel if self.state().is_end() => Err(EditError::Ended(self.state())),
            Edit::Cancel => Ok(Effect::Cancel),
            Edit::Skip { node } => {
                let slot = self.find(node)?;
                match self.node(slot).state() {
                    state @ (NodeState::Success | NodeState::Skipped | NodeState::Removed) => {
                        Err(EditError::NodeEnded { node: self.id(slot), state })
                    }
                    NodeState::Failed | NodeState::UpstreamFailed if ending.is_some() => {
                        Err(EditError::Ending(ending.unwrap_or_default()))
                    }
                    NodeState::Failed | NodeState::UpstreamFailed => Ok(Effect::Skip(slot, Some(clear(&[slot], false)?))),
                    // A node that the plan has gained since the run ended.
                    _ if self.state().is_end() => Err(EditError::Ended(self.state())),
                    _ => Ok(Effect::Skip(slot, None)),
                }
            }
            Edit::Retry { nodes, downstream } => {
                let mut slots = nodes.iter().map(|node| self.find(node)).collect::<Result<Vec<Slot>, _>>()?;
                if slots.is_empty() {
                    slots = self.did_not_succeed();
                }
                if slots.is_empty() {
                    return Err(EditError::NothingFailed);
                }
                Ok(Effect::Clear(clear(&slots, *downstream)?))
            }
        }
    }

    fn find(&self, node: &str) -> Result<Slot, EditError> {
        let found = self.layout().find(self.plan(), node);
        found.ok_or_else(|| EditError::NoNode { node: node.to_owned(), run_id: self.spec().info.run_id.clone() })
    }

    /// What failed, or was cut off by the run's end: by its timeout or by a cancel. Of a run that has ended, also what its plan has gained
    /// since.
    fn did_not_succeed(&self) -> Vec<Slot> {
        let has_ended = self.state().is_end();
        let failed = |slot: &Slot| {
            let node = self.node(*slot);
            node.state() == NodeState::Failed || node.was_cut_off_by_end() || (has_ended && !node.state().is_end())
        };
        self.slots().filter(failed).collect()
    }
}

impl RunContext<'_> {
    /// Applies a command, or leaves the run as it is.
    pub(crate) fn edit(&mut self, edit: &Edit) -> Result<(), EditError> {
        match self.run.effect_of(edit, &|slot| self.is_in_flight(slot))? {
            Effect::Cancel => self.end_run(RunState::Cancelled),
            Effect::Clear(slots) => self.clear(&slots),
            Effect::Skip(slot, cleared) => {
                if let Some(slots) = cleared {
                    self.clear(&slots);
                }
                self.skip_elements(slot, &Skip::ByHand);
                self.abort(slot);
                self.skip(slot, Skip::ByHand);
            }
        }
        Ok(())
    }

    fn clear(&mut self, slots: &[Slot]) {
        let had_ended = self.run.state().is_end();
        self.record(Record::Cleared { slots: slots.into() });
        if had_ended {
            self.set_run_timers();
            // A plan may have gained nodes since the run ended, which nobody has heard of.
            self.shared.worklist = Worklist::derive(self.run);
        } else {
            self.node_slas(slots.iter().copied());
        }
    }
}
