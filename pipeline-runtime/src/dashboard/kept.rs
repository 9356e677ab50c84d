//! The runs that somebody looks at, read once and then only as far as they have gone on.

use super::problem::Problem;
use crate::journal::RunKey;
use crate::read::{JournalReader, RunDetails, RunSummary};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// So many are kept, those that were asked for last.
const KEPT: usize = 8;

/// A run as it is, or as it was after a record.
#[derive(Debug)]
struct Entry {
    run: RunKey,
    record: Option<i64>,
    details: Arc<Mutex<RunDetails>>,
}

/// The runs that somebody looks at.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<VecDeque<Entry>>);

impl Kept {
    /// Looks at a run as it is, or as it was after a record.
    ///
    /// # Errors
    ///
    /// If it cannot be read, and what `look` says.
    pub(super) fn look<T>(
        &self,
        reader: &JournalReader,
        run: &RunSummary,
        record: Option<i64>,
        look: impl FnOnce(&RunDetails) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let key = run.stored().key;
        let details = match self.take(key, record) {
            Some(details) => {
                // As of a record it stays as it was.
                if record.is_none() {
                    details.lock().unwrap_or_else(PoisonError::into_inner).update(reader)?;
                }
                details
            }
            None => Arc::new(Mutex::new(match record {
                Some(record) => reader.details_as_of(run, record)?,
                None => reader.details(run)?,
            })),
        };
        self.put(Entry { run: key, record, details: Arc::clone(&details) });
        look(&details.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take(&self, run: RunKey, record: Option<i64>) -> Option<Arc<Mutex<RunDetails>>> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = entries.iter().position(|entry| (entry.run, entry.record) == (run, record))?;
        entries.remove(place).map(|entry| entry.details)
    }

    fn put(&self, entry: Entry) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.push_back(entry);
        let over = entries.len().saturating_sub(KEPT);
        entries.drain(..over);
    }
}
