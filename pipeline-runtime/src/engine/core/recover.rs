//! Recovery: a run from its records.

use super::super::record::{Entry, Record, Slot};
use super::super::state::NodeState;
use super::desk::Desk;
use super::run::Run;
use super::timers::Due;
use super::{Core, RunIx, RunSpec};
use crate::time::Timestamp;

/// An attempt that was cut off that often in a row counts as failed: it may be what ends the process.
const MAX_INTERRUPTIONS: u32 = 3;

impl Core {
    /// Goes on with a run from what was recorded of it.
    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method itself is of one desk's lifetime, and not of any")]
    pub(crate) fn resume(&mut self, spec: RunSpec, started: Timestamp, entries: &[Entry], now: Timestamp) -> RunIx {
        let mut run = Run::new(spec, started);
        for entry in entries {
            run.apply(entry);
        }
        let ix = self.host(run);
        self.desk(ix, now, |desk| desk.resume());
        self.settle(now);
        ix
    }
}

impl Desk<'_> {
    pub(super) fn resume(&mut self) {
        if !self.run.state.is_end() {
            self.begin();
            for slot in 0..u32::try_from(self.run.nodes.len()).unwrap_or(u32::MAX) {
                self.resume_node(slot);
            }
        }
        self.resume_alerts();
    }

    /// Whoever is to be told is told.
    pub(super) fn resume_alerts(&mut self) {
        let waiting: Vec<_> = self.run.alerts.waiting().collect();
        for (id, next) in waiting {
            self.timer(next.max(self.now), Due::Callback(id));
        }
        self.tell();
    }

    fn resume_node(&mut self, slot: Slot) {
        let node = self.run.node(slot);
        let next = node.more.as_ref().and_then(|more| more.next.get());
        match (node.state, next) {
            // Between two attempts or pokes. What was due while the process was down is due now.
            (NodeState::UpForRetry | NodeState::UpForReschedule | NodeState::Running, Some(next)) => {
                self.timer(next.max(self.now), Due::Next(slot));
            }
            (NodeState::Running, None) if self.run.plan().node(self.run.ix(slot)).is_body() => self.interrupted(slot),
            _ => {}
        }
    }

    /// Attempts that are under way are put down as cut off. Their answers come too late.
    pub(super) fn interrupt(&mut self) {
        for slot in 0..u32::try_from(self.run.nodes.len()).unwrap_or(u32::MAX) {
            if self.run.node(slot).in_flight && self.run.node(slot).state == NodeState::Running {
                self.run.node_mut(slot).in_flight = false;
                self.record(Record::Interrupted { slot, asked: true });
            }
        }
    }

    fn interrupted(&mut self, slot: Slot) {
        let so_far = self.run.node(slot).more.as_ref().map_or(0, |more| more.interruptions);
        if so_far + 1 < MAX_INTERRUPTIONS {
            return self.record(Record::Interrupted { slot, asked: false });
        }
        let memory = self.run.node(slot).memory().cloned();
        let error = format!("the process ended {MAX_INTERRUPTIONS} times in a row while this attempt was under way");
        self.attempt_failed(slot, error.into(), memory);
    }
}
