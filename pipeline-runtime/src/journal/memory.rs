//! A journal in memory.

use crate::engine::{Entry, Journal, Outbox, RunIx, RunRecords, RunSpec, Submitted};

/// Stores records for a reader who reads all of them at the end: simulations, and benchmarks that count records.
#[derive(Debug, Default)]
pub(crate) struct MemoryJournal {
    /// By run.
    records: Vec<RunRecords>,
}

impl Journal for MemoryJournal {
    fn is_durable(&self) -> bool {
        false
    }

    fn submit<'a>(&mut self, outbox: &mut Outbox, _: &dyn Fn(RunIx) -> Option<&'a RunSpec>) -> Submitted {
        outbox.records.sort_into(&mut self.records);
        Submitted::Stored
    }

    fn entries_from(&self, run: RunIx, from: usize) -> Vec<Entry> {
        self.records.get(run as usize).map_or_else(Vec::new, |of| of.iter_from(from).collect())
    }
}
