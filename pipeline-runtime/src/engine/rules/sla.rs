//! SLAs: of a node and of the run, each missed at most once in a life. A retry of a node, or of an ended run, starts it again.

use super::super::execution::Timer;
use super::super::ids::Slot;
use super::RunContext;
use crate::author::notify::Event;
use std::sync::Arc;

impl RunContext<'_> {
    /// Sets the timers of the run's ladder.
    pub(super) fn run_slas(&mut self) {
        let plan = Arc::clone(self.run.plan());
        for (step, (after, _)) in (0..).zip(&plan.run.slas) {
            self.timer(self.run.sla_from() + *after, Timer::RunSla(step));
        }
    }

    /// Sets the timers of nodes' SLAs.
    pub(super) fn node_slas(&mut self, slots: impl IntoIterator<Item = Slot>) {
        if self.run.plan().policies.iter().all(|policy| policy.sla.is_none()) {
            return;
        }
        for slot in slots {
            if let Some(at) = self.run.node_sla(slot).filter(|_| !self.run.node(slot).state().is_end()) {
                self.timer(at, Timer::NodeSla(slot));
            }
        }
    }

    pub(crate) fn node_sla(&mut self, slot: Slot) {
        let is_open = !self.run.state().is_end() && !self.run.node(slot).state().is_end();
        // If the node was retried, an earlier timer no longer counts.
        let is_over = self.run.node_sla(slot).is_some_and(|at| at <= self.now);
        if is_open && is_over && !self.run.callbacks().is_late(&self.run.id(slot)) {
            self.callback(slot, Event::OnSlaMiss);
        }
    }

    pub(crate) fn run_sla(&mut self, step: u32) {
        let Some((after, notifier)) = self.run.plan().run.slas.get(step as usize).copied() else { return };
        let is_over = self.run.sla_from() + after <= self.now;
        if is_over && !self.run.state().is_end() && step >= self.run.callbacks().escalations() {
            let notification = Arc::new(self.about_run(Event::OnSlaMiss));
            self.due(&[(notifier, step)], &notification);
        }
    }
}
