//! Attempts: what their end means, retries, and the one budget of a sensor's wait.

use super::super::record::{Record, Skip, Slot};
use super::super::state::NodeState;
use super::desk::Desk;
use super::run::Node;
use super::timers::Due;
use super::{Answer, Answered, Job};
use crate::author::notify::Event;
use crate::author::options::{Mode, OnTimeout};
use crate::plan::SensorPolicy;
use crate::time::Timestamp;
use humantime::format_duration;
use std::sync::Arc;

impl Desk<'_> {
    /// The answer to a start.
    #[inline]
    pub(super) fn answer(&mut self, Job { slot, start, .. }: Job, answer: Answer) {
        let node = self.run.node_mut(slot);
        if node.starts != start || !std::mem::take(&mut node.in_flight) {
            self.out.refused.push(answer);
            return;
        }
        // An attempt that a limit or the run's end has decided already only gives its thread back.
        let decided = node.state != NodeState::Running;
        let overdue = std::mem::take(&mut node.overdue);
        if decided {
            self.out.refused.push(answer);
            self.release(slot);
            if overdue {
                self.queue(slot);
            }
            return;
        }
        let Answer { what, memory } = answer;
        match what {
            Answered::NotYet(looked) => return self.not_yet(slot, looked.as_deref(), memory),
            Answered::Success(value, json) => {
                self.record_success(slot, value, json);
                self.callback(slot, Event::OnSuccess);
            }
            Answered::Error(error) => self.attempt_failed(slot, error, memory),
            Answered::Fatal(error) => self.fail(slot, error),
            Answered::Skip(why) => self.skip(slot, Skip::Body(why)),
            Answered::Aborted => self.attempt_failed(slot, "the attempt was cut off".into(), memory),
        }
        self.release(slot);
    }

    /// An attempt's time is over.
    pub(super) fn limit(&mut self, slot: Slot, start: u32) {
        let node = self.run.node(slot);
        if node.starts != start || !node.in_flight || node.state != NodeState::Running {
            return;
        }
        let policy = self.policy(slot);
        let limit = format_duration(policy.limit.unwrap_or_default());
        let what = if policy.sensor.is_some() { "the poke" } else { "the attempt" };
        let memory = node.memory().cloned();
        let error = format!("{what} took longer than its limit of {limit}");
        self.abort(slot);
        self.attempt_failed(slot, error.into(), memory);
    }

    pub(super) fn sensor(&self, slot: Slot) -> Option<(SensorPolicy, Timestamp)> {
        let sensor = self.policy(slot).sensor.as_deref()?.clone();
        let from = self.run.node(slot).more.as_ref()?.budget_from.get()?;
        let deadline = from + sensor.timeout;
        Some((sensor, deadline))
    }

    /// Whether the poke under way was the last that the budget allows.
    fn was_last_poke(&self, slot: Slot, deadline: Timestamp) -> bool {
        let started = self.run.node(slot).more.as_ref().and_then(|more| more.last_start.get());
        self.now > deadline || started.is_some_and(|started| started >= deadline)
    }

    fn random(&self, slot: Slot) -> impl FnOnce() -> f64 + use<> {
        let (seed, starts) = (self.run.spec.seed, self.run.node(slot).starts);
        move || fraction(seed, slot, starts)
    }

    fn not_yet(&mut self, slot: Slot, looked: Option<&str>, memory: Option<Arc<str>>) {
        let Some((sensor, deadline)) = self.sensor(slot) else {
            // Only sensors can answer so; their return type says it.
            return self.fail(slot, "a task answered `NotYet`".into());
        };
        if self.was_last_poke(slot, deadline) {
            self.timed_out(slot, &sensor, looked, memory);
            return self.release(slot);
        }
        let more = self.run.node(slot).more.as_ref();
        let (pokes, started, tick) =
            more.map_or((0, None, None), |more| (more.pokes_in_budget, more.last_start.get(), more.tick.get()));
        let next = tick.unwrap_or_else(|| {
            let wait = sensor.poke.wait(pokes.saturating_sub(1), self.random(slot));
            (started.unwrap_or(self.now) + wait).min(deadline)
        });
        self.record(Record::NotYet { slot, next: next.max(self.now), memory });
        // That of a tick still to come stands.
        if tick.is_none_or(|tick| tick <= self.now) {
            self.timer(next.max(self.now), Due::Next(slot));
        }
        if sensor.mode == Mode::Reschedule {
            self.release(slot);
        }
        if self.run.node(slot).changed {
            self.timer(self.now, Due::Change(slot));
        }
    }

    /// An attempt ended in an error that a retry may mend.
    pub(super) fn attempt_failed(&mut self, slot: Slot, error: Arc<str>, memory: Option<Arc<str>>) {
        let sensor = self.sensor(slot);
        if let Some((sensor, deadline)) = &sensor
            && self.was_last_poke(slot, *deadline)
        {
            let last = format!("the last poke failed: {error}");
            return self.timed_out(slot, sensor, Some(&last), memory);
        }
        let deadline = sensor.map_or(Timestamp::NEVER, |(_, deadline)| deadline);
        self.retry_or_fail(slot, error, memory, deadline, false);
    }

    fn retry_or_fail(&mut self, slot: Slot, error: Arc<str>, memory: Option<Arc<str>>, deadline: Timestamp, renew: bool) {
        let attempt = self.run.node(slot).attempt();
        let policy = self.policy(slot);
        if attempt > policy.retries {
            return self.fail(slot, error);
        }
        let wait = policy.retry_delay.wait(attempt - 1, self.random(slot));
        let next = (self.now + wait).min(deadline);
        self.callback_with(slot, Event::OnRetry, Some(&error));
        self.record(Record::Retrying { slot, next, error, renew, memory });
        self.timer(next, Due::Next(slot));
    }

    /// A sensor's budget is over; `last` says of its last poke what there is to say.
    fn timed_out(&mut self, slot: Slot, sensor: &SensorPolicy, last: Option<&str>, memory: Option<Arc<str>>) {
        let pokes = self.run.node(slot).more.as_ref().map_or(0, |more| more.pokes);
        let plural = if pokes == 1 { "" } else { "s" };
        let mut error = format!("timed out: not ready within {} ({pokes} poke{plural})", format_duration(sensor.timeout));
        if let Some(last) = last {
            error.push_str("; ");
            error.push_str(last);
        }
        match sensor.on_timeout {
            OnTimeout::Fail => self.end_failed(slot, error.into(), true),
            OnTimeout::Skip => self.skip(slot, Skip::Timeout(error.into())),
            OnTimeout::Retry => self.retry_or_fail(slot, error.into(), memory, Timestamp::NEVER, true),
        }
    }

    pub(super) fn fail(&mut self, slot: Slot, error: Arc<str>) {
        self.end_failed(slot, error, false);
    }

    fn end_failed(&mut self, slot: Slot, error: Arc<str>, timed_out: bool) {
        self.record(Record::Failed { slot, error, timed_out });
        self.callback(slot, Event::OnFailure);
    }

    pub(super) fn skip(&mut self, slot: Slot, why: Skip) {
        self.record(Record::Skipped { slot, why });
        self.callback(slot, Event::OnSkipped);
    }

    /// The time of the next attempt or poke has come, if the node waits for it and it is not later by now.
    pub(super) fn next(&mut self, slot: Slot) {
        let now = self.now;
        let node = self.run.node(slot);
        if !node.state.is_end() && node.more.as_ref().and_then(|more| more.next.get()).is_some_and(|next| next <= now) {
            self.go_on(slot);
        }
    }

    /// The next attempt or poke of a node that waits for it.
    pub(super) fn go_on(&mut self, slot: Slot) {
        let node = self.run.node_mut(slot);
        let between_pokes = node.state == NodeState::Running && !node.in_flight;
        if !between_pokes && !matches!(node.state, NodeState::UpForRetry | NodeState::UpForReschedule) {
            return;
        }
        if node.in_flight {
            node.overdue = true;
        } else if node.holds_slot {
            self.start(slot);
        } else {
            self.queue(slot);
        }
    }
}

impl Node {
    /// What is left of a sensor's budget at `now`.
    pub(crate) fn budget_left(&self, sensor: &SensorPolicy, now: Timestamp) -> Option<std::time::Duration> {
        let from = self.more.as_ref()?.budget_from.get()?;
        Some((from + sensor.timeout).since(now))
    }
}

/// A fraction of one, the same for the same wait of the same run: splitmix64.
fn fraction(seed: u64, slot: Slot, starts: u32) -> f64 {
    let mut x = seed ^ (u64::from(slot) << 32 | u64::from(starts));
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^= x >> 31;
    // 32 bits are exact in an f64.
    let high = u32::try_from(x >> 32).unwrap_or(u32::MAX);
    f64::from(high) / (f64::from(u32::MAX) + 1.0)
}
