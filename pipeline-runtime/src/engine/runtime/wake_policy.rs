//! How many of the idle workers are woken for what is ready.
//!
//! Waking a thread takes longer than many a body does, and two threads that pass the core's memory to and fro are slower than one that keeps
//! it. As measured, two are faster from 300 ns a body on, with about 30 µs of such bodies that are ready. So the policy goes by how long
//! bodies have taken of late. If one of quick bodies blocks after all, the timer thread notices that within [`WATCH`], and wakes the others.

use crate::time::Timestamp;
use std::time::Duration;

/// How often the timer thread looks whether workers come back from their bodies, while others are left asleep.
pub(super) const WATCH: Duration = Duration::from_millis(1);

/// Below this the core takes as long for a node as its body does.
const SHORT: u64 = 300;

/// What one body took is known apart from the core's turn only where it took longer than that may.
const LONG: u64 = 10_000;

/// About what it takes until a thread that sleeps has begun with anything, in nanoseconds.
const WAKING: u64 = 30_000;

/// Whether workers come back from their bodies.
#[derive(Debug, Default)]
pub(super) struct StallMonitor {
    /// How often each has, and how often it had when that was last looked at.
    pub(super) turns: Vec<[u64; 2]>,
    /// It is looked at: there is something to do that some were not woken for, or that one has queued.
    pub(super) is_on: bool,
    /// One has not come back from a body and has more queued, or nobody has come back.
    pub(super) is_stuck: bool,
}

/// How long bodies take on their workers, of late.
#[derive(Debug)]
pub(super) struct WakePolicy {
    /// Nanoseconds a body. As long as nothing is known, long.
    body: u64,
}

impl Default for WakePolicy {
    fn default() -> Self {
        Self { body: WAKING }
    }
}

impl WakePolicy {
    /// So many bodies took from one time to the other.
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
        // One that was long among quick ones is forgotten slowly, many that are quick among long ones, too.
        self.body = (self.body - self.body / 4).saturating_add(each / 4);
    }

    /// Bodies take longer than the core does for them, so that to share them pays.
    #[inline]
    pub(super) fn is_long(&self) -> bool {
        self.body >= SHORT
    }

    /// How many workers are woken, of so many that are idle while so many others are not.
    #[inline]
    pub(super) fn wakes(&self, ready: usize, idle: usize, busy: usize) -> usize {
        let is_worth_it = self.is_long() && self.body.saturating_mul(ready as u64) >= WAKING;
        // At least one worker has to come.
        let most = if is_worth_it { idle } else { 1usize.saturating_sub(busy) };
        ready.min(most).min(idle)
    }
}
