//! The runs that somebody looks at, read once and then only as far as they have gone on.

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

/// So many of them, those that were asked for last, keep moments of their past: that is what takes memory.
const WITH_PAST: usize = 2;

/// As of when a run is looked at.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct When {
    /// After that record; without one, now.
    pub(super) record: Option<i64>,
    /// It is read for so long at most, and then shown up to where that has come; without it, all of it.
    pub(super) within: Option<Duration>,
}

impl When {
    /// Now, and whole.
    pub(super) const NOW: Self = Self { record: None, within: None };

    /// After that record, or now; and whole.
    pub(super) fn after(record: Option<i64>) -> Self {
        Self { record, within: None }
    }

    /// Whether the run is read as far as whoever asks wants to see it.
    pub(super) fn is_reached(self, details: &RunDetails) -> bool {
        details.followed().told() >= self.record.unwrap_or(i64::MAX).min(details.last_record())
    }
}

/// The runs that somebody looks at, by key.
#[derive(Debug)]
pub(super) struct Kept {
    most: usize,
    runs: Mutex<VecDeque<(RunKey, Arc<Mutex<Watched>>)>>,
}

impl Kept {
    /// Keeps so many, those that were asked for last.
    pub(super) fn new(most: usize) -> Self {
        Self { most, runs: Mutex::default() }
    }

    /// Looks at a run as it is, or as it was. Whoever asks for one that another one reads waits for that, and reads nothing himself.
    ///
    /// # Errors
    ///
    /// If it cannot be read, and what `look` says.
    pub(super) fn look<T>(
        &self,
        reader: &JournalReader,
        run: &RunSummary,
        when: When,
        look: impl FnOnce(&RunDetails) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        // Not under the lock: what is looked at stays as it is.
        let details = self.details(reader, run, when)?;
        look(&details)
    }

    /// The same for whoever has more to do with it.
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
            // One that is read right now is asked for, and so not the next to forget.
            if let Ok(mut other) = other.try_lock() {
                other.forget_past();
            }
        }
        watched
    }
}

/// Whoever panicked may have left halves.
fn whole(watched: &Mutex<Watched>) -> MutexGuard<'_, Watched> {
    watched.lock().unwrap_or_else(|poisoned| {
        watched.clear_poison();
        let mut watched = poisoned.into_inner();
        *watched = Watched::default();
        watched
    })
}
