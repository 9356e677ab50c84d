//! A cache of what was read of ended runs.

use crate::journal::RunKey;
use crate::read::RunSummary;
use crate::time::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The maximum number of runs in a cache.
const MAX_RUNS: usize = 1_000;

/// What was read of runs that have ended, with the time of their end. It is needed for every change of the journal, and an ended run
/// does not change until it is retried.
#[derive(Debug)]
pub(in crate::dashboard) struct EndedRunCache<T>(Mutex<HashMap<RunKey, (Option<Timestamp>, T)>>);

impl<T> Default for EndedRunCache<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> EndedRunCache<T> {
    /// Returns what is known of a run, or reads it. An error is not remembered.
    pub(super) fn get<E>(&self, run: &RunSummary, read: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let (key, finished) = (run.stored().key, run.stored().finished);
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some((_, known)) = known.filter(|(of, _)| *of == finished) {
            return Ok(known);
        }
        let found = read()?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_RUNS {
            all.clear();
        }
        all.insert(key, (finished, found.clone()));
        Ok(found)
    }
}
