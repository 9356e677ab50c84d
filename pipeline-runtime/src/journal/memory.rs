use crate::engine::{Entry, Journal, Kept, Outbox, RunIx, RunKey};
use std::sync::{Mutex, PoisonError};

/// Keeps records as long as the process lives: for simulations and for runs that need not outlive it.
#[derive(Debug, Default)]
pub(crate) struct MemoryJournal {
    /// By run.
    records: Mutex<Vec<Vec<Entry>>>,
}

impl Journal for MemoryJournal {
    fn is_durable(&self) -> bool {
        false
    }

    fn submit(&self, outbox: &mut Outbox, _: &dyn Fn(RunIx) -> RunKey) -> Kept {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        for (run, entry) in outbox.records.drain(..) {
            let run = run as usize;
            if records.len() <= run {
                records.resize_with(run + 1, Vec::new);
            }
            records[run].push(entry);
        }
        Kept::Now
    }

    fn entries(&self, run: RunIx) -> Vec<Entry> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.get(run as usize).cloned().unwrap_or_default()
    }
}
