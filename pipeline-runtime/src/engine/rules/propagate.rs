//! Propagation: the effect of ended nodes on the nodes that wait for them.
//!
//! Nodes are decided in topological order, `upstream_failed` before `skipped`, and all of them before anything starts. So of all
//! effects that one event has on a node, the gravest counts.

use super::super::ids::Slot;
use super::super::log::{Record, Skip};
use super::super::state::Conclusion;
use super::super::states::NodeState;
use super::RunContext;
use crate::author::notify::Event;
use crate::plan::What;

impl RunContext<'_> {
    pub(super) fn conclude(&mut self, slot: Slot, conclusion: Conclusion) {
        match conclusion {
            Conclusion::UpstreamFailed(from) => self.upstream_failed(slot, from),
            Conclusion::Skipped(from) => self.upstream_skipped(slot, from),
            Conclusion::Complete => self.join(slot),
            Conclusion::Holds => self.gate_holds(slot),
        }
    }

    pub(super) fn upstream_failed(&mut self, slot: Slot, from: Slot) {
        if self.run.node(slot).state().is_end() {
            return;
        }
        // If the list was to be rebuilt and is not, its elements will not get their inputs either.
        for element in self.run.open_elements(slot) {
            self.abort(element);
            self.record(Record::UpstreamFailed { slot: element, cause: from });
            self.callback(element, Event::OnUpstreamFailed);
        }
        self.record(Record::UpstreamFailed { slot, cause: from });
        self.callback(slot, Event::OnUpstreamFailed);
    }

    pub(super) fn upstream_skipped(&mut self, slot: Slot, from: Slot) {
        if self.run.node(slot).state().is_end() {
            return;
        }
        self.skip_elements(slot, &Skip::Upstream(from));
        let why = match self.run.what(slot) {
            What::Arm { .. } | What::Failure { .. } => Skip::NotTaken,
            _ => Skip::Upstream(from),
        };
        self.skip(slot, why);
    }

    /// Skips the elements of a mapping that have not ended.
    pub(super) fn skip_elements(&mut self, each: Slot, why: &Skip) {
        for element in self.run.open_elements(each) {
            self.abort(element);
            self.skip(element, why.clone());
        }
    }

    pub(super) fn skip(&mut self, slot: Slot, why: Skip) {
        self.record(Record::Skipped { slot, why });
        self.callback(slot, Event::OnSkipped);
    }

    /// All inputs of a gate hold, or a race is won.
    fn gate_holds(&mut self, slot: Slot) {
        // A mapping that has expanded is running.
        if !matches!(self.run.node(slot).state(), NodeState::None | NodeState::Scheduled) {
            return;
        }
        match self.run.what(slot) {
            // The first two arrive as ready bodies and as activated elements; the third never runs.
            What::Body(_) | What::Element { .. } | What::Journaled(_) => {}
            What::Arm { .. } | What::Failure { .. } => self.record(Record::Succeeded { slot, output: None }),
            What::FirstOf { .. } => self.race(slot),
            What::Each(_) => self.expand(slot),
            What::Gather(_) => self.gather(slot),
        }
    }
}
