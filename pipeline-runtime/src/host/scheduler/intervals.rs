//! The intervals of a pipeline that depends on its past, and what they allow to start.

use crate::engine::RunState;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// The maps are keyed by the start of the interval.
#[derive(Debug, Default)]
pub(super) struct PastIntervals {
    /// The number of unfinished runs, if any.
    unfinished: BTreeMap<DateTime<Utc>, usize>,
    /// The state of the run that ended last; stored only while something waits for it.
    outcomes: BTreeMap<DateTime<Utc>, RunState>,
}

impl PastIntervals {
    /// True if runs that depend on the interval may start.
    pub(super) fn allows(&self, start: DateTime<Utc>) -> bool {
        !self.is_unfinished(start) && self.outcomes.get(&start).is_none_or(|state| *state == RunState::Success)
    }

    /// True if the state of the interval is known.
    pub(super) fn is_known(&self, start: DateTime<Utc>) -> bool {
        self.is_unfinished(start) || self.outcomes.contains_key(&start)
    }

    fn is_unfinished(&self, start: DateTime<Utc>) -> bool {
        self.unfinished.contains_key(&start)
    }

    pub(super) fn run_added(&mut self, start: DateTime<Utc>) {
        *self.unfinished.entry(start).or_default() += 1;
    }

    pub(super) fn run_removed(&mut self, start: DateTime<Utc>) {
        if let Some(runs) = self.unfinished.get_mut(&start) {
            *runs -= 1;
            if *runs == 0 {
                self.unfinished.remove(&start);
            }
        }
    }

    pub(super) fn record_outcome(&mut self, start: DateTime<Utc>, state: RunState) {
        self.outcomes.insert(start, state);
    }

    /// Called when nothing waits for the interval any more.
    pub(super) fn forget_outcome(&mut self, start: DateTime<Utc>) {
        self.outcomes.remove(&start);
    }

    #[cfg(test)]
    pub(super) fn known_outcomes(&self) -> usize {
        self.outcomes.len()
    }
}
