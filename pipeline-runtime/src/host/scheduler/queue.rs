//! The queued runs of a pipeline, indexed by what they wait for.

use super::Turn;
use crate::journal::{RunKey, RunKind};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Runs begin in the order of their keys, which is the order in which they were asked for.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Runs that are no backfill's: each waits for a place alone.
    others: BTreeMap<RunKey, Turn>,
    backfills: BTreeMap<RunKey, Backfilled>,
    /// The backfills' runs that the interval before allows to begin, by the limit of their backfill.
    ready: BTreeMap<u32, BTreeSet<RunKey>>,
    /// The backfills' runs by the start of the interval that they wait for.
    dependents: BTreeMap<DateTime<Utc>, BTreeSet<RunKey>>,
}

#[derive(Debug)]
struct Backfilled {
    turn: Turn,
    limit: u32,
    /// The start of the interval before, where that decides whether it may begin.
    before: Option<DateTime<Utc>>,
}

impl Queue {
    /// Adds a run that waits for a place alone.
    pub(super) fn add(&mut self, turn: Turn) {
        self.others.insert(turn.key, turn);
    }

    /// Adds a backfill's run.
    pub(super) fn add_backfill(&mut self, turn: Turn, limit: u32, before: Option<DateTime<Utc>>, is_ready: bool) {
        if let Some(before) = before {
            self.dependents.entry(before).or_default().insert(turn.key);
        }
        if is_ready {
            self.ready.entry(limit).or_default().insert(turn.key);
        }
        self.backfills.insert(turn.key, Backfilled { turn, limit, before });
    }

    /// Takes a run out, with the interval that it waited for if nobody else waits for that.
    pub(super) fn remove(&mut self, key: RunKey) -> Option<(Turn, Option<DateTime<Utc>>)> {
        if let Some(turn) = self.others.remove(&key) {
            return Some((turn, None));
        }
        let run = self.backfills.remove(&key)?;
        remove_from(&mut self.ready, &run.limit, key);
        let unwanted = run.before.filter(|before| remove_from(&mut self.dependents, before, key));
        Some((run.turn, unwanted))
    }

    /// An interval allows what depends on it to begin, or no longer.
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

    /// The first run that waits for a place alone.
    pub(super) fn first(&self) -> Option<Turn> {
        self.others.values().next().copied()
    }

    /// The first backfill's run that may begin where so many are active.
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

/// Removes a key, and says whether it was the last one there.
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

/// How many queued runs were looked at, for tests that count work instead of time.
#[cfg(test)]
pub(super) mod steps {
    use std::cell::Cell;

    thread_local! {
        static STEPS: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn count() {
        STEPS.set(STEPS.get() + 1);
    }

    /// How many there were since the last call.
    pub(in crate::host::scheduler) fn take() -> usize {
        STEPS.take()
    }
}

#[cfg(not(test))]
mod steps {
    pub(super) fn count() {}
}
