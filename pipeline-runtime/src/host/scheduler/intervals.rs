//! What the intervals of a pipeline let begin that depend on their past.

use crate::engine::RunState;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// By an interval's start.
#[derive(Debug, Default)]
pub(super) struct Intervals {
    /// How many unfinished runs there are, if any.
    unfinished: BTreeMap<DateTime<Utc>, usize>,
    /// The state of the run that ended last. Kept only where something waits for it.
    outcomes: BTreeMap<DateTime<Utc>, RunState>,
}

impl Intervals {
    /// Whether what depends on the interval may begin.
    pub(super) fn allows(&self, start: DateTime<Utc>) -> bool {
        !self.is_unfinished(start) && self.outcomes.get(&start).is_none_or(|state| *state == RunState::Success)
    }

    /// Whether it can be said what the interval allows.
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

    /// Nothing waits for the interval any more.
    pub(super) fn forget_outcome(&mut self, start: DateTime<Utc>) {
        self.outcomes.remove(&start);
    }

    #[cfg(test)]
    pub(super) fn known_outcomes(&self) -> usize {
        self.outcomes.len()
    }
}
