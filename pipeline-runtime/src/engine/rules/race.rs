//! Races (`first_of`), and nodes whose output is no longer wanted.
//!
//! Once a race is won, nodes that fed only a loser end too. Otherwise a sensor whose output nobody wants would run to its timeout
//! and fail the run. The same holds for nodes that fed only a skipped gate.

use super::super::ids::Slot;
use super::super::log::{Record, Skip};
use super::super::states::NodeState;
use super::RunContext;
use crate::plan::What;

impl RunContext<'_> {
    pub(super) fn race(&mut self, slot: Slot) {
        if self.run.winner(slot).is_some() {
            return self.record(Record::Succeeded { slot, output: None });
        }
        // No runner is left.
        let What::FirstOf { from } = self.run.what(slot) else { return };
        let runners: Vec<Slot> = from.iter().map(|&node| self.run.seen_from(slot, node)).collect();
        let lost = |state| runners.iter().copied().find(|&runner| self.run.node(runner).state() == state);
        let cause = lost(NodeState::Failed).or_else(|| lost(NodeState::UpstreamFailed));
        match (cause, lost(NodeState::Skipped)) {
            (Some(cause), _) => self.upstream_failed(slot, cause),
            (None, Some(from)) => self.upstream_skipped(slot, from),
            (None, None) => {}
        }
    }

    /// Ends a node whose output no consumer wants any more. Nodes that fed only this one follow: its end releases them.
    pub(super) fn cut_off_unwanted(&mut self, slot: Slot) {
        if !self.run.is_unwanted(slot) {
            return;
        }
        self.skip_elements(slot, &Skip::CutOff);
        self.abort(slot);
        self.skip(slot, Skip::CutOff);
    }
}
