//! Commands: retry, skip and cancel, of a live run or of a run before it is resumed.
//!
//! A command for a run that no process hosts is applied before the run is resumed, so that a skipped node or a cancelled run
//! starts nothing that would be cut off at once.

use super::super::execution::Worklist;
use super::super::ids::Slot;
use super::super::log::{Record, Skip};
use super::super::state::Run;
use super::super::states::{NodeState, RunState};
use super::RunContext;
use super::clear::{ClearError, ClearSet};
use super::recovery::MAX_INTERRUPTIONS;

/// A command about a run. Nodes are named by their ids, such as `upload[3]` for an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Edit {
    /// Retries ended nodes; if `nodes` is empty, all that did not succeed. With `downstream`, also every node that depends on
    /// them.
    Retry { nodes: Vec<String>, downstream: bool },
    /// Ends a node as skipped, whether it is waiting, under way or failed.
    Skip { node: String },
    /// Cuts attempts off and ends the run.
    Cancel,
}

/// Why a command leaves the run unchanged.
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

/// The effect of a command on nodes.
enum Effect {
    Clear(Box<[Slot]>),
    /// With the nodes to clear first: what was decided because the node failed is decided again.
    Skip(Slot, Option<Box<[Slot]>>),
    Cancel,
}

impl Run {
    /// Fails if an edit cannot be applied to a run that no process hosts. Nothing of such a run is in flight.
    pub(crate) fn check_edit(&self, edit: &Edit) -> Result<(), EditError> {
        self.preview(edit).map(drop)
    }

    /// Returns the effect that an edit would have on a run that no process hosts: the nodes that it would clear, and the node
    /// that it would skip. Fails if the edit cannot be applied.
    pub(crate) fn preview(&self, edit: &Edit) -> Result<(Box<[Slot]>, Option<Slot>), EditError> {
        // An attempt that the end of the last process cut off is started again, unless that has happened too often.
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

    /// Returns the nodes that failed, or were cut off by the run's end: by its timeout or a cancel. For a run that has ended,
    /// also the nodes that its plan has gained since.
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
    /// Applies a command, or leaves the run unchanged.
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
            // The plan may have gained nodes since the run ended, of which no change was reported.
            self.shared.worklist = Worklist::derive(self.run);
        } else {
            self.node_slas(slots.iter().copied());
        }
    }
}
