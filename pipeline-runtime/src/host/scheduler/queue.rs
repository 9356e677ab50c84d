//! The queued runs of a pipeline, indexed by what they wait for.

use super::Turn;
use crate::journal::{RunKey, RunKind};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Runs start in the order of their keys, which is the order in which they were requested.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Runs that do not belong to a backfill: they wait only for a place.
    others: BTreeMap<RunKey, Turn>,
    backfills: BTreeMap<RunKey, QueuedBackfill>,
    /// Backfill runs that the interval before allows to start, by the limit of their backfill.
    ready: BTreeMap<u32, BTreeSet<RunKey>>,
    /// Backfill runs by the start of the interval that they wait for.
    dependents: BTreeMap<DateTime<Utc>, BTreeSet<RunKey>>,
}

#[derive(Debug)]
struct QueuedBackfill {
    turn: Turn,
    limit: u32,
    /// The start of the interval before, if that decides whether the run may start.
    before: Option<DateTime<Utc>>,
}

impl Queue {
    /// Adds a run that waits only for a place.
    pub(super) fn add(&mut self, turn: Turn) {
        self.others.insert(turn.key, turn);
    }

    /// Adds a backfill run.
    pub(super) fn add_backfill(&mut self, turn: Turn, limit: u32, before: Option<DateTime<Utc>>, is_ready: bool) {
        if let Some(before) = before {
            self.dependents.entry(before).or_default().insert(turn.key);
        }
        if is_ready {
            self.ready.entry(limit).or_default().insert(turn.key);
        }
        self.backfills.insert(turn.key, QueuedBackfill { turn, limit, before });
    }

    /// Removes a run, and returns it with the interval that it waited for if no other run waits for that.
    pub(super) fn remove(&mut self, key: RunKey) -> Option<(Turn, Option<DateTime<Utc>>)> {
        if let Some(turn) = self.others.remove(&key) {
            return Some((turn, None));
        }
        let run = self.backfills.remove(&key)?;
        remove_from(&mut self.ready, &run.limit, key);
        let unwanted = run.before.filter(|before| remove_from(&mut self.dependents, before, key));
        Some((run.turn, unwanted))
    }

    /// Records whether an interval allows its dependents to start.
    pub(super) fn set_ready(&mut self, before: DateTime<Utc>, is_ready: bool) {
        for key in self.dependents.get(&before).into_iter().flatten() {
            steps::count();
            let Some(run) = self.backfills.get(key) else { continue };
            if is_ready {
                self.ready.entry(run.limit).or_default().insert(*key);
            } else {
                remove_from(&mut self.ready, &run.limit, *key);
            }
        }
    }

    pub(super) fn has_dependents(&self, start: DateTime<Utc>) -> bool {
        self.dependents.contains_key(&start)
    }

    /// Returns the first run that waits only for a place.
    pub(super) fn first(&self) -> Option<Turn> {
        self.others.values().next().copied()
    }

    /// Returns the first backfill run that may start while `active` others are active.
    pub(super) fn first_backfill(&self, active: usize) -> Option<Turn> {
        let active = u32::try_from(active).unwrap_or(u32::MAX);
        let of_limits = self.ready.range((std::ops::Bound::Excluded(active), std::ops::Bound::Unbounded));
        let first = of_limits.filter_map(|(_, keys)| {
            steps::count();
            keys.first()
        });
        Some(self.backfills.get(first.min()?)?.turn)
    }

    pub(super) fn len(&self) -> usize {
        self.others.len() + self.backfills.len()
    }
}

/// Removes a key, and returns whether it was the last one there.
fn remove_from<K: Ord>(index: &mut BTreeMap<K, BTreeSet<RunKey>>, of: &K, key: RunKey) -> bool {
    let Some(keys) = index.get_mut(of) else { return false };
    keys.remove(&key);
    let is_empty = keys.is_empty();
    if is_empty {
        index.remove(of);
    }
    is_empty
}

impl Turn {
    pub(super) fn is_backfill(&self) -> bool {
        self.kind == RunKind::Backfill
    }
}

/// Counts the queued runs that are visited, for tests that measure work instead of time.
#[cfg(test)]
pub(super) mod steps {
    use std::cell::Cell;

    thread_local! {
        static STEPS: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn count() {
        STEPS.set(STEPS.get() + 1);
    }

    /// Returns the count since the last call.
    pub(in crate::host::scheduler) fn take() -> usize {
        STEPS.take()
    }
}

#[cfg(not(test))]
mod steps {
    pub(super) fn count() {}
}
