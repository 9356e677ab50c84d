//! A run's start and its end.
//!
//! A run fails if a node failed whose failure is not allowed, or if the run's own end cut such a node off. A node that is
//! `upstream_failed` does not count: its root cause has failed already, and counts or not by its own `.allow_failure()`.

use super::super::effects::Action;
use super::super::ids::Slot;
use super::super::log::{Record, Skip};
use super::super::state::Changes;
use super::super::states::NodeState;
use super::super::states::RunState;
use super::RunContext;
use crate::author::notify::Event;
use std::collections::HashSet;

impl RunContext<'_> {
    /// Starts a new run.
    pub(crate) fn begin(&mut self) {
        self.set_run_timers();
        for slot in self.run.slots() {
            // Gates always wait for something.
            if self.run.node(slot).state() == NodeState::Scheduled {
                self.shared.worklist.ready(slot);
            }
        }
    }

    /// Sets the timers of a run that starts, is resumed or was retried after its end.
    pub(super) fn set_run_timers(&mut self) {
        self.limit_run();
        self.run_slas();
        self.node_slas(self.run.slots());
    }

    /// Ends the run, after all nodes have ended.
    pub(super) fn end_after_nodes(&mut self) {
        let of_nodes = if self.run.failures() > 0 { RunState::Failed } else { RunState::Success };
        self.run_ended(self.run.ending().unwrap_or(of_nodes));
    }

    /// Ends the run before its nodes have ended. Pending teardowns run first; a second call ends them too.
    pub(super) fn end_run(&mut self, state: RunState) {
        if self.run.state().is_end() {
            return;
        }
        let due = self.run.due_teardowns();
        if self.run.ending().is_none() && !due.is_empty() {
            self.record(Record::Ending { state });
            return self.skip_all_except(&due);
        }
        self.skip_all_except(&HashSet::new());
        self.shared.worklist.clear();
        self.run_ended(state);
    }

    /// If the run is ending, skips nodes that its plan has gained since.
    pub(super) fn resume_ending(&mut self) {
        if self.run.ending().is_some() && !self.run.state().is_end() {
            let due = self.run.due_teardowns();
            self.skip_all_except(&due);
        }
    }

    /// Cuts off and skips all open nodes but these.
    fn skip_all_except(&mut self, due: &HashSet<Slot>) {
        for slot in self.run.slots() {
            if !self.run.node(slot).state().is_end() && !due.contains(&slot) {
                self.abort(slot);
                self.skip(slot, Skip::RunEnded);
            }
        }
    }

    fn run_ended(&mut self, state: RunState) {
        self.record(Record::RunEnded { state });
        self.run_callback(match state {
            RunState::Success => Event::OnSuccess,
            RunState::Cancelled => Event::OnCancel,
            _ => Event::OnFailure,
        });
        self.act(Action::Ended { run: self.ix, state });
    }
}
