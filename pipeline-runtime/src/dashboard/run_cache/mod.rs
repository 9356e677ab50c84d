//! The runs that are being viewed: each is read once, and then only its new records.

mod cached_run;
mod snapshots;
#[cfg(test)]
mod tests;

use super::problem::Problem;
use crate::journal::RunKey;
use crate::read::{JournalReader, ReadError, RunDetails, RunSummary};
use cached_run::CachedRun;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The number of last requested runs that have snapshots of their past, which take memory.
const RUNS_WITH_SNAPSHOTS: usize = 2;

/// The moment for which a run is requested.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct AsOf {
    /// After this record; `None` means now.
    pub(super) record: Option<i64>,
    /// The maximum time for reading; the run is then shown as far as it was read. `None` means no limit.
    pub(super) within: Option<Duration>,
}

impl AsOf {
    /// Now, completely read.
    pub(super) const NOW: Self = Self { record: None, within: None };

    /// After that record, or now; completely read.
    pub(super) fn after(record: Option<i64>) -> Self {
        Self { record, within: None }
    }

    /// True if the run is read as far as requested.
    pub(super) fn is_reached(self, details: &RunDetails) -> bool {
        details.tail().last_applied() >= self.record.unwrap_or(i64::MAX).min(details.last_record())
    }
}

/// The viewed runs, by key.
#[derive(Debug)]
pub(super) struct RunCache {
    capacity: usize,
    runs: Mutex<VecDeque<(RunKey, Arc<Mutex<CachedRun>>)>>,
}

impl RunCache {
    /// Creates a cache of that many runs, those requested last.
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, runs: Mutex::default() }
    }

    /// Passes a run in its current or an earlier state to `view`. Concurrent requests for the same run wait for one read.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or if `view` fails.
    pub(super) fn view<T>(
        &self,
        reader: &JournalReader,
        run: &RunSummary,
        as_of: AsOf,
        view: impl FnOnce(&RunDetails) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        // Called without the lock, since the details do not change.
        let details = self.details(reader, run, as_of)?;
        view(&details)
    }

    /// Returns the details of a run in its current or an earlier state.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub(super) fn details(&self, reader: &JournalReader, run: &RunSummary, as_of: AsOf) -> Result<RunDetails, ReadError> {
        let started = Instant::now();
        let entry = self.entry(run.stored().key);
        let mut entry = lock_or_reset(&entry);
        let is_late = || as_of.within.is_some_and(|within| started.elapsed() >= within);
        let details = entry.at(reader, run, as_of.record, is_late);
        if details.is_err() {
            *entry = CachedRun::default();
        }
        details
    }

    fn entry(&self, run: RunKey) -> Arc<Mutex<CachedRun>> {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let found = runs.iter().position(|(key, _)| *key == run).and_then(|index| runs.remove(index));
        let entry = found.map_or_else(Arc::default, |(_, entry)| entry);
        runs.push_back((run, Arc::clone(&entry)));
        let over = runs.len().saturating_sub(self.capacity);
        runs.drain(..over);
        if let Some((_, other)) = runs.len().checked_sub(RUNS_WITH_SNAPSHOTS + 1).and_then(|index| runs.get(index)) {
            // A run that is being read right now is in use, so its past stays.
            if let Ok(mut other) = other.try_lock() {
                other.drop_snapshots();
            }
        }
        entry
    }
}

/// A panic may have left an inconsistent state, which is reset.
fn lock_or_reset(entry: &Mutex<CachedRun>) -> MutexGuard<'_, CachedRun> {
    entry.lock().unwrap_or_else(|poisoned| {
        entry.clear_poison();
        let mut entry = poisoned.into_inner();
        *entry = CachedRun::default();
        entry
    })
}
