//! Retries: what the end of an attempt means, and whether another attempt follows.
//!
//! Attempts that returned an error, panicked or exceeded their time limit are retried. There are at most `retries + 1` attempts.

use super::super::effects::{Answer, Answered, Garbage};
use super::super::execution::{Ended, Permit, Timer};
use super::super::ids::Slot;
use super::super::log::{Record, Skip};
use super::RunContext;
use crate::author::error::cut_shared;
use crate::author::notify::Event;
use crate::random::Seeded;
use crate::time::Timestamp;
use std::sync::Arc;

/// What the next attempt of a node starts with.
pub(super) struct NextAttempt {
    /// The next attempt starts no later.
    pub(super) deadline: Timestamp,
    /// The sensor's budget starts again.
    pub(super) renew: bool,
    pub(super) memory: Option<Arc<str>>,
}

impl RunContext<'_> {
    /// Handles the answer to a start.
    #[inline]
    pub(crate) fn answer(&mut self, ended: Ended, answer: Answer) {
        let Ended { node: slot, permit, cut_off, overdue } = ended;
        *self.busy -= 1;
        self.work[slot as usize].set_attempt(None);
        // If a limit or the run's end has decided already, the answer only frees the thread and the permit.
        if cut_off {
            return self.answer_too_late(slot, permit, overdue, answer);
        }
        let (what, memory) = match answer {
            Answer::Output(value) => {
                self.record_success(slot, value, None);
                self.callback(slot, Event::OnSuccess);
                return self.release(permit);
            }
            Answer::Any(answer) => *answer,
        };
        match what {
            Answered::NotYet(looked) => return self.not_yet(slot, permit, None, looked.as_deref(), memory),
            Answered::NotBefore(time) => return self.not_yet(slot, permit, Some(time), None, memory),
            Answered::Success(value, json) => {
                self.record_success(slot, value, json);
                self.callback(slot, Event::OnSuccess);
            }
            // All texts are cut to the limit here, wherever they come from.
            Answered::Error(error) => self.attempt_failed(slot, cut_shared(error), memory),
            Answered::Fatal(error) => self.fail(slot, cut_shared(error)),
            Answered::Skip(why) => self.skip(slot, Skip::Body(cut_shared(why))),
            Answered::Aborted => self.attempt_failed(slot, "the attempt was cut off".into(), memory),
        }
        self.release(permit);
    }

    /// The answer to an attempt that was cut off: its thread is free.
    #[cold]
    fn answer_too_late(&mut self, slot: Slot, permit: Permit, overdue: bool, answer: Answer) {
        self.shared.out.garbage.push(Garbage::Answer(answer));
        self.release(permit);
        if overdue {
            self.queue(slot);
            self.limit_wait(slot);
        }
    }

    /// An attempt ended in an error that may be retried.
    pub(super) fn attempt_failed(&mut self, slot: Slot, error: Arc<str>, memory: Option<Arc<str>>) {
        match self.sensor(slot) {
            Some((sensor, deadline)) if self.was_last_poke(slot, deadline) => {
                self.last_poke_failed(slot, &sensor, &error, memory);
            }
            sensor => {
                let deadline = sensor.map_or(Timestamp::NEVER, |(_, deadline)| deadline);
                self.retry_or_fail(slot, error, NextAttempt { deadline, renew: false, memory });
            }
        }
    }

    pub(super) fn retry_or_fail(&mut self, slot: Slot, error: Arc<str>, next: NextAttempt) {
        let attempt = self.run.node(slot).attempt();
        let policy = self.policy(slot);
        if attempt > policy.retries {
            return self.fail(slot, error);
        }
        let wait = policy.retry_delay.wait(attempt - 1, self.random(slot));
        let NextAttempt { deadline, renew, memory } = next;
        let next = (self.now + wait).min(deadline);
        self.callback_with(slot, Event::OnRetry, Some(&error));
        self.record(Record::Retrying { slot, next, error, renew, memory });
        self.timer(next, Timer::Next(slot));
    }

    pub(super) fn fail(&mut self, slot: Slot, error: Arc<str>) {
        self.end_failed(slot, error, false);
    }

    pub(super) fn end_failed(&mut self, slot: Slot, error: Arc<str>, timed_out: bool) {
        self.record(Record::Failed { slot, error, timed_out });
        self.callback(slot, Event::OnFailure);
    }

    /// The next attempt or poke is due, unless it has moved to a later time.
    pub(crate) fn next_is_due(&mut self, slot: Slot) {
        if self.run.node(slot).next().is_some_and(|next| next <= self.now) {
            self.start_next(slot);
        }
    }

    /// Starts the next attempt or poke of a node that waits for it, or asks for a permit.
    pub(super) fn start_next(&mut self, slot: Slot) {
        if !self.run.node(slot).awaits_next() {
            return;
        }
        if !self.is_in_flight(slot)
            && let Some(permit) = self.take_kept_permit(slot)
        {
            return self.start(slot, permit);
        }
        self.queue(slot);
        self.limit_wait(slot);
    }

    /// Returns a fraction of one, the same for the same wait of the same run.
    pub(super) fn random(&self, slot: Slot) -> impl FnOnce() -> f64 + use<> {
        let (seed, starts) = (self.run.spec().seed, self.run.node(slot).starts());
        move || Seeded::new(seed ^ (u64::from(slot) << 32 | u64::from(starts))).fraction()
    }
}
