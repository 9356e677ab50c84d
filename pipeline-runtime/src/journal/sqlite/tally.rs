//! Counts of what this process has written to the journal. They only grow, for monitoring.
//!
//! They belong to the process and not to the journal, from which `prune` deletes. The writer counts what it writes in numbers of
//! its own, and publishes them once per commit.

use super::rows::{self, RecordRow};
use crate::engine::RunState;
use crate::schedule::RunKind;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of a commit's duration, in microseconds.
const BOUNDS: [u32; 11] = [250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000];

/// Greater than the greatest number of a kind.
const KINDS: usize = 17;

fn kind_index(kind: i64) -> usize {
    usize::try_from(kind).map_or(0, |kind| kind.min(KINDS - 1))
}

/// A run that ended: its pipeline, its kind and its state.
pub(crate) type EndedRun = (Arc<str>, RunKind, RunState);

/// The counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    /// By the number of their kind.
    records: [u64; KINDS],
    runs: BTreeMap<(Arc<str>, &'static str, &'static str), u64>,
    pub(crate) lines: u64,
    pub(crate) commits: Commits,
}

/// The durations of commits that waited for the disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Commits {
    pub(crate) count: u64,
    pub(crate) sum: Duration,
    within: [u64; BOUNDS.len()],
}

impl Commits {
    /// Returns how many commits took at most as long as each bound.
    pub(crate) fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> {
        BOUNDS.into_iter().map(|bound| Duration::from_micros(bound.into())).zip(self.within)
    }

    fn add(&mut self, took: Duration) {
        self.count += 1;
        self.sum += took;
        for (bound, within) in BOUNDS.into_iter().zip(&mut self.within) {
            *within += u64::from(took <= Duration::from_micros(bound.into()));
        }
    }
}

impl Counts {
    /// Returns the number of records of each kind, by its name.
    pub(crate) fn records(&self) -> impl Iterator<Item = (&'static str, u64)> {
        rows::NAMES.into_iter().map(|(kind, name)| (name, self.records[kind_index(kind)]))
    }

    /// Returns the number of runs that ended, by pipeline, kind and state.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (&str, &'static str, &'static str, u64)> {
        self.runs.iter().map(|((pipeline, kind, state), count)| (&**pipeline, *kind, *state, *count))
    }

    pub(super) fn record(&mut self, row: &RecordRow) {
        self.records[kind_index(row.kind)] += 1;
    }

    pub(super) fn run(&mut self, (pipeline, kind, state): EndedRun) {
        *self.runs.entry((pipeline, kind.name(), state.name())).or_default() += 1;
    }
}

/// The counts, to which the writer adds and which others read.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Counts>);

impl Tally {
    pub(crate) fn read(&self) -> Counts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds the counts since the last commit.
    pub(super) fn add(&self, new: &mut Counts, took: Option<Duration>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (all, new) in all.records.iter_mut().zip(&mut new.records) {
            *all += std::mem::take(new);
        }
        while let Some((run, count)) = new.runs.pop_first() {
            *all.runs.entry(run).or_default() += count;
        }
        all.lines += std::mem::take(&mut new.lines);
        if let Some(took) = took {
            all.commits.add(took);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_taken_over_once() {
        let (tally, mut new) = (Tally::default(), Counts::default());
        for millis in [1, 30, 5_000] {
            new.record(&RecordRow { kind: rows::NAMES[0].0, ..RecordRow::default() });
            new.run(("sales".into(), RunKind::Manual, RunState::Failed));
            new.lines += 2;
            tally.add(&mut new, Some(Duration::from_millis(millis)));
        }
        let all = tally.read();
        assert_eq!(all.records().next(), Some(("started", 3)));
        assert_eq!(all.runs().collect::<Vec<_>>(), [("sales", "manual", "failed", 3)]);
        assert_eq!((all.lines, all.commits.count, all.commits.sum), (6, 3, Duration::from_millis(5_031)));
        let within: Vec<u64> = all.commits.buckets().map(|(_, within)| within).collect();
        assert_eq!(within, [0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2]);
    }
}
