//! Sensors: the waits between pokes, and the budget of the whole wait.
//!
//! The budget counts from the first poke, across pokes, retries, delays and restarts. Its end is the deadline: no poke starts
//! after it, and the last may start at it. The deadline also applies while the sensor waits for a permit. An error of the last
//! poke is an error, whatever `on_timeout` says.
//!
//! Poke intervals count from start to start, so that a slow poke does not shift all that follow. A poke may name a time before
//! which it cannot succeed; the next poke is then at that time.

use super::super::execution::{Permit, Timer};
use super::super::ids::Slot;
use super::super::log::{Record, Skip};
use super::super::states::NodeState;
use super::RunContext;
use super::retry::NextAttempt;
use crate::author::options::OnTimeout;
use crate::plan::SensorPolicy;
use crate::time::Timestamp;
use chrono::SecondsFormat;
use humantime::format_duration;
use std::sync::Arc;

impl RunContext<'_> {
    /// Returns a sensor's options and its deadline, once it has been poked.
    pub(super) fn sensor(&self, slot: Slot) -> Option<(SensorPolicy, Timestamp)> {
        let sensor = self.policy(slot).sensor.as_deref()?;
        let deadline = self.run.node(slot).deadline(sensor)?;
        Some((sensor.clone(), deadline))
    }

    /// True if the poke under way was the last that the budget allows.
    pub(super) fn was_last_poke(&self, slot: Slot, deadline: Timestamp) -> bool {
        self.now > deadline || self.run.node(slot).last_start() >= deadline
    }

    /// The poke is to be repeated, at the time `not_before` if it named one.
    pub(super) fn not_yet(
        &mut self,
        slot: Slot,
        permit: Permit,
        not_before: Option<Timestamp>,
        looked: Option<&str>,
        memory: Option<Arc<str>>,
    ) {
        let Some((sensor, deadline)) = self.sensor(slot) else {
            // Only sensors can answer this; their return type ensures it.
            self.fail(slot, "a task answered `NotYet`".into());
            return self.release(permit);
        };
        if self.was_last_poke(slot, deadline) {
            let time = not_before.map(|time| time.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true));
            let time = time.map(|time| format!("it was to be poked again at {time}"));
            self.timed_out(slot, &sensor, time.as_deref().or(looked), memory);
            return self.release(permit);
        }
        let node = self.run.node(slot);
        let (pokes, started, tick) = (node.pokes_in_budget(), node.last_start(), node.tick());
        // It replaces a tick that is still to come. That tick's timer then finds nothing due.
        let not_before = not_before.filter(|time| *time > self.now).map(|time| time.min(deadline));
        let tick = tick.filter(|_| not_before.is_none());
        let next = not_before.or(tick).unwrap_or_else(|| {
            let wait = sensor.poke.wait(pokes.saturating_sub(1), self.random(slot));
            (started + wait).min(deadline)
        });
        self.record(Record::NotYet { slot, next: next.max(self.now), memory });
        // The timer of a tick that is still to come remains.
        if tick.is_none_or(|tick| tick <= self.now) {
            self.timer(next.max(self.now), Timer::Next(slot));
        }
        if self.keeps_permit(slot) {
            self.keep_permit(slot, permit);
        } else {
            self.release(permit);
        }
        if self.work[slot as usize].changed {
            self.timer(self.now, Timer::Change(slot));
        }
    }

    /// The sensor's budget is used up. `last` describes its last poke, if there is anything to say.
    fn timed_out(&mut self, slot: Slot, sensor: &SensorPolicy, last: Option<&str>, memory: Option<Arc<str>>) {
        let error = self.timeout_error(slot, sensor, last);
        match sensor.on_timeout {
            OnTimeout::Fail => self.end_failed(slot, error, true),
            OnTimeout::Skip => self.skip(slot, Skip::Timeout(error)),
            OnTimeout::Retry => {
                self.retry_or_fail(slot, error, NextAttempt { deadline: Timestamp::NEVER, renew: true, memory });
            }
        }
    }

    /// The last poke that the budget allowed failed.
    pub(super) fn last_poke_failed(&mut self, slot: Slot, sensor: &SensorPolicy, error: &str, memory: Option<Arc<str>>) {
        let last = format!("the last poke failed: {error}");
        match sensor.on_timeout {
            // Unknown whether there was nothing: this is no reason to skip.
            OnTimeout::Skip => {
                let error = self.timeout_error(slot, sensor, Some(&last));
                self.end_failed(slot, error, true);
            }
            OnTimeout::Fail | OnTimeout::Retry => self.timed_out(slot, sensor, Some(&last), memory),
        }
    }

    fn timeout_error(&self, slot: Slot, sensor: &SensorPolicy, last: Option<&str>) -> Arc<str> {
        let pokes = self.run.node(slot).pokes();
        let plural = if pokes == 1 { "" } else { "s" };
        let mut error = format!("timed out: not ready within {} ({pokes} poke{plural})", format_duration(sensor.timeout));
        if let Some(last) = last {
            error.push_str("; ");
            error.push_str(last);
        }
        error.into()
    }

    // ---- a wait for a permit

    /// True if no poke of the sensor may start any more.
    pub(super) fn is_past_deadline(&self, slot: Slot) -> bool {
        // A poke whose timer fired late is started all the same.
        self.work[slot as usize].unserved && self.sensor(slot).is_some_and(|(_, deadline)| self.now > deadline)
    }

    /// A poke is due and asks for a permit, or waits for the thread of the last one. If it gets no permit in this call, it waits
    /// no longer than to its deadline.
    pub(super) fn limit_wait(&mut self, slot: Slot) {
        if !self.work[slot as usize].grace && self.policy(slot).sensor.is_some() {
            self.shared.without_permit.push((self.ix, slot));
        }
    }

    /// Permits have been granted. If the poke got none, the sensor's deadline ends its wait.
    pub(crate) fn set_deadline(&mut self, slot: Slot) {
        if self.run.node(slot).awaits_next()
            && let Some((_, deadline)) = self.sensor(slot)
        {
            let work = &mut self.work[slot as usize];
            work.unserved = true;
            if !std::mem::replace(&mut work.limited, true) {
                self.timer(deadline.max(self.now), Timer::Deadline(slot));
            }
        }
    }

    /// The sensor's deadline has come. If the sensor still waits for a permit, its wait ends.
    pub(crate) fn deadline(&mut self, slot: Slot) {
        self.work[slot as usize].limited = false;
        let node = self.run.node(slot);
        let is_due = node.awaits_next() && node.next().is_some_and(|next| next <= self.now);
        if !is_due || self.work[slot as usize].grace {
            return;
        }
        match self.sensor(slot) {
            Some((_, deadline)) if deadline <= self.now => self.end_wait(slot),
            // A retry has renewed the budget.
            _ => self.limit_wait(slot),
        }
    }

    /// Ends a wait in which no poke can start any more.
    pub(super) fn end_wait(&mut self, slot: Slot) {
        let Some((sensor, _)) = self.sensor(slot) else { return };
        let memory = self.run.node(slot).memory().cloned();
        let why = match self.run.node(slot).state() {
            NodeState::UpForRetry => "its retry found its pool full until then",
            _ => "its last poke found its pool full until then",
        };
        self.abort(slot);
        self.timed_out(slot, &sensor, Some(why), memory);
    }
}
