//! How many of the idle workers are woken for ready jobs.
//!
//! Waking a thread takes longer than many bodies do, and two threads that pass the core's memory back and forth are slower than
//! one that keeps it. As measured, two threads are faster from 300 ns per body on, if about 30 µs of such bodies are ready. So
//! the policy depends on how long bodies have taken recently. If a body blocks although others were quick, the timer thread
//! notices that within a few [`WATCH`] periods, and wakes the others.

use crate::time::Timestamp;
use std::time::Duration;

/// How often the timer thread checks that workers return from their bodies, while others are left asleep.
pub(super) const WATCH: Duration = Duration::from_millis(1);

/// Below this, in nanoseconds, the core takes as long for a node as its body does.
const SHORT: u64 = 300;

/// The time of a single body includes the core's turn, so it says something about the body only above this, in nanoseconds.
const LONG: u64 = 10_000;

/// About the time until a sleeping thread starts to work, in nanoseconds.
const WAKING: u64 = 30_000;

/// Watches whether workers return from their bodies.
#[derive(Debug, Default)]
pub(super) struct StallMonitor {
    /// The number of each worker's turns, and that number at the last check.
    pub(super) turns: Vec<[u64; 2]>,
    /// Workers are checked: there is work that some were not woken for, or that one has queued.
    pub(super) is_on: bool,
    /// A worker with queued attempts has not returned from a body, or no worker has returned.
    pub(super) is_stuck: bool,
}

/// The recent duration of bodies on their workers.
#[derive(Debug)]
pub(super) struct WakePolicy {
    /// Nanoseconds per body. Long until something is known.
    body: u64,
}

impl Default for WakePolicy {
    fn default() -> Self {
        Self { body: WAKING }
    }
}

impl WakePolicy {
    /// Notes that this many bodies ran between the two times.
    #[inline]
    pub(super) fn learn(&mut self, bodies: usize, from: Timestamp, to: Timestamp) {
        if bodies == 0 {
            return;
        }
        let took = to.nanos_since(from);
        if bodies == 1 && took < LONG {
            return;
        }
        let each = took / bodies as u64;
        // A moving average: one long body among quick ones is forgotten slowly, and so are quick ones among long ones.
        self.body = (self.body - self.body / 4).saturating_add(each / 4);
    }

    /// True if bodies take longer than the core's work on them, so that sharing them pays off.
    #[inline]
    pub(super) fn is_long(&self) -> bool {
        self.body >= SHORT
    }

    /// Returns how many workers to wake, if `idle` are idle and `busy` are not.
    #[inline]
    pub(super) fn wakes(&self, ready: usize, idle: usize, busy: usize) -> usize {
        let is_worth_it = self.is_long() && self.body.saturating_mul(ready as u64) >= WAKING;
        // At least one worker must be awake.
        let most = if is_worth_it { idle } else { 1usize.saturating_sub(busy) };
        ready.min(most).min(idle)
    }
}
