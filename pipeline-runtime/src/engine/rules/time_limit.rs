//! Time limits: of an attempt or a poke, from its permit's grant; and of the run.

use super::super::execution::Timer;
use super::super::ids::Slot;
use super::super::states::RunState;
use super::RunContext;
use humantime::format_duration;

impl RunContext<'_> {
    /// An attempt has reached its time limit.
    pub(crate) fn time_limit(&mut self, slot: Slot, start: u32) {
        if self.under_way(slot).is_none_or(|job| job.start != start) {
            return;
        }
        let policy = self.policy(slot);
        let limit = format_duration(policy.limit.unwrap_or_default());
        let what = if policy.sensor.is_some() { "the poke" } else { "the attempt" };
        let memory = self.run.node(slot).memory().cloned();
        let error = format!("{what} took longer than its limit of {limit}");
        self.abort(slot);
        self.attempt_failed(slot, error.into(), memory);
    }

    /// Sets the timer of the run's timeout.
    pub(super) fn limit_run(&mut self) {
        if let Some(deadline) = self.run.deadline() {
            self.timer(deadline, Timer::RunTimeout);
        }
    }

    /// The timer of the run's timeout has fired. If the run has been retried since, a later timer counts.
    pub(crate) fn run_timeout(&mut self) {
        // Teardowns of a run that is already ending have limits of their own.
        if self.run.ending().is_none() && self.run.deadline().is_some_and(|deadline| deadline <= self.now) {
            self.end_run(RunState::Failed);
        }
    }
}
