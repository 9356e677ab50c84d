//! Recovery: what a process does first with a run that an earlier process began.
//!
//! An attempt that the end of its process cut off runs again without using up a retry. The third interruption in a row counts as
//! a failure.

use super::super::execution::{Timer, Worklist};
use super::super::ids::Slot;
use super::super::log::Record;
use super::super::states::NodeState;
use super::RunContext;

/// An attempt that was cut off this often in a row counts as failed, since it may be what ends the process.
pub(crate) const MAX_INTERRUPTIONS: u32 = 3;

/// The error of an attempt that was cut off too often.
pub(crate) fn cut_off_too_often() -> String {
    format!("the process ended {MAX_INTERRUPTIONS} times in a row while this attempt was under way")
}

impl RunContext<'_> {
    /// Records that attempts under way at the end of the last process were cut off.
    pub(crate) fn cut_off_by_crash(&mut self) {
        if self.run.state().is_end() {
            return;
        }
        for slot in self.run.slots() {
            let node = self.run.node(slot);
            if node.state() == NodeState::Running && node.next().is_none() && self.run.is_body(slot) {
                self.cut_off_attempt(slot);
            }
        }
    }

    fn cut_off_attempt(&mut self, slot: Slot) {
        let node = self.run.node(slot);
        // A poke that the host wakes only reads the journal, so it did not end the process.
        let is_harmless = self.run.plan().is_woken(node.ix());
        if is_harmless || node.interruptions() + 1 < MAX_INTERRUPTIONS {
            return self.record(Record::Interrupted { slot, asked: false });
        }
        let memory = node.memory().cloned();
        self.attempt_failed(slot, cut_off_too_often().into(), memory);
    }

    /// Resumes a run from its state: sets its timers, delivers due callbacks and derives the worklist.
    pub(crate) fn resume(&mut self) {
        self.resume_deliveries();
        if self.run.state().is_end() {
            return;
        }
        self.take_up_locks();
        self.resume_ending();
        self.set_run_timers();
        for slot in self.run.slots() {
            self.resume_wait(slot);
        }
        self.shared.worklist = Worklist::derive(self.run);
    }

    /// Resumes a wait between two attempts or pokes. What was due while no process had the run is due now.
    fn resume_wait(&mut self, slot: Slot) {
        let node = self.run.node(slot);
        let Some(next) = node.next().filter(|_| node.awaits_next()) else { return };
        self.timer(next.max(self.now), Timer::Next(slot));
        if let Some((_, deadline)) = self.sensor(slot) {
            // If its deadline passed meanwhile, it still gets one poke.
            self.work[slot as usize].grace = deadline <= self.now;
            // In mode `poke` it holds its permit between pokes too.
            if self.run.node(slot).state() == NodeState::Running {
                self.queue(slot);
            }
        }
    }

    /// Records attempts under way as cut off, because the process is asked to end. Their answers will come too late.
    pub(crate) fn interrupt(&mut self) {
        for slot in self.run.slots() {
            if self.run.node(slot).state() == NodeState::Running
                && let Some(attempt) = self.under_way(slot).map(|job| job.attempt)
            {
                self.shared.in_flight.cut_off(attempt);
                self.record(Record::Interrupted { slot, asked: true });
            }
        }
    }
}
