//! A run's begin and its end.
//!
//! A run fails if a node failed that was not allowed to, or if its own end cut such a node off. A node that is `upstream_failed` adds nothing:
//! its root cause has failed already, and has counted or not by its own `.allow_failure()`.

use super::super::effects::Action;
use super::super::log::{Record, Skip};
use super::super::state::Changes;
use super::super::states::NodeState;
use super::super::states::RunState;
use super::RunContext;
use crate::author::notify::Event;

impl RunContext<'_> {
    /// Sets a run going that nothing has happened to.
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

    /// All nodes have ended, and so does the run.
    pub(super) fn come_to_end(&mut self) {
        let state = if self.run.failures() > 0 { RunState::Failed } else { RunState::Success };
        self.run_ended(state);
    }

    /// Ends the run before its nodes have.
    pub(super) fn end_run(&mut self, state: RunState) {
        if self.run.state().is_end() {
            return;
        }
        for slot in self.run.slots() {
            if !self.run.node(slot).state().is_end() {
                self.abort(slot);
                self.skip(slot, Skip::RunEnded);
            }
        }
        self.shared.worklist.clear();
        self.run_ended(state);
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
