//! A journal that stores nothing.

use crate::engine::{Entry, Journal, Outbox, RunIx, RunSpec, Submitted};

/// Stores nothing: for live runs that end with their process. Nobody reads their records, and a process that runs for weeks would
/// accumulate them.
#[derive(Debug, Default)]
pub(crate) struct NoJournal;

impl Journal for NoJournal {
    fn is_durable(&self) -> bool {
        false
    }

    fn submit<'a>(&mut self, outbox: &mut Outbox, _: &dyn Fn(RunIx) -> Option<&'a RunSpec>) -> Submitted {
        outbox.records.clear();
        Submitted::Stored
    }

    fn entries_from(&self, _: RunIx, _: usize) -> Vec<Entry> {
        Vec::new()
    }
}
