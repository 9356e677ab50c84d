//! The runs that are being viewed: each is read once, and then only its new records.

mod marks;
#[cfg(test)]
mod tests;
mod watched;

use super::problem::Problem;
use crate::journal::RunKey;
use crate::read::{JournalReader, ReadError, RunDetails, RunSummary};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use watched::Watched;

/// The number of last requested runs that have snapshots of their past, which take memory.
const WITH_PAST: usize = 2;

/// The moment for which a run is requested.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct When {
    /// After this record; `None` means now.
    pub(super) record: Option<i64>,
    /// The maximum time for reading; the run is then shown as far as it was read. `None` means no limit.
    pub(super) within: Option<Duration>,
}

impl When {
    /// Now, completely read.
    pub(super) const NOW: Self = Self { record: None, within: None };

    /// After that record, or now; completely read.
    pub(super) fn after(record: Option<i64>) -> Self {
        Self { record, within: None }
    }

    /// True if the run is read as far as requested.
    pub(super) fn is_reached(self, details: &RunDetails) -> bool {
        details.followed().told() >= self.record.unwrap_or(i64::MAX).min(details.last_record())
    }
}

/// The viewed runs, by key.
#[derive(Debug)]
pub(super) struct Kept {
    most: usize,
    runs: Mutex<VecDeque<(RunKey, Arc<Mutex<Watched>>)>>,
}

impl Kept {
    /// Creates a cache of that many runs, those requested last.
    pub(super) fn new(most: usize) -> Self {
        Self { most, runs: Mutex::default() }
    }

    /// Passes a run in its current or an earlier state to `look`. Concurrent requests for the same run wait for one read.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or if `look` fails.
    pub(super) fn look<T>(
        &self,
        reader: &JournalReader,
        run: &RunSummary,
        when: When,
        look: impl FnOnce(&RunDetails) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        // Called without the lock, since the details do not change.
        let details = self.details(reader, run, when)?;
        look(&details)
    }

    /// Returns the details of a run in its current or an earlier state.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub(super) fn details(&self, reader: &JournalReader, run: &RunSummary, when: When) -> Result<RunDetails, ReadError> {
        let begun = Instant::now();
        let watched = self.watched(run.stored().key);
        let mut watched = whole(&watched);
        let is_late = || when.within.is_some_and(|within| begun.elapsed() >= within);
        let details = watched.at(reader, run, when.record, is_late);
        if details.is_err() {
            *watched = Watched::default();
        }
        details
    }

    fn watched(&self, run: RunKey) -> Arc<Mutex<Watched>> {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let known = runs.iter().position(|(key, _)| *key == run).and_then(|place| runs.remove(place));
        let watched = known.map_or_else(Arc::default, |(_, watched)| watched);
        runs.push_back((run, Arc::clone(&watched)));
        let over = runs.len().saturating_sub(self.most);
        runs.drain(..over);
        if let Some((_, other)) = runs.len().checked_sub(WITH_PAST + 1).and_then(|place| runs.get(place)) {
            // A run that is being read right now is in use, so its past stays.
            if let Ok(mut other) = other.try_lock() {
                other.forget_past();
            }
        }
        watched
    }
}

/// A panic may have left an inconsistent state, which is reset.
fn whole(watched: &Mutex<Watched>) -> MutexGuard<'_, Watched> {
    watched.lock().unwrap_or_else(|poisoned| {
        watched.clear_poison();
        let mut watched = poisoned.into_inner();
        *watched = Watched::default();
        watched
    })
}
