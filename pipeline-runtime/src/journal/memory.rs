use crate::engine::{Entry, Journal, Kept, Outbox, RunIx, RunKey, RunRecords};

/// Keeps records as long as the process lives: for simulations and for runs that need not outlive it.
#[derive(Debug, Default)]
pub(crate) struct MemoryJournal {
    /// By run.
    records: Vec<RunRecords>,
}

impl Journal for MemoryJournal {
    fn is_durable(&self) -> bool {
        false
    }

    fn submit(&mut self, outbox: &mut Outbox, _: &dyn Fn(RunIx) -> RunKey) -> Kept {
        outbox.records.sort_into(&mut self.records);
        Kept::Now
    }

    fn entries(&self, run: RunIx) -> Vec<Entry> {
        self.records.get(run as usize).map_or_else(Vec::new, |of| of.iter().collect())
    }
}
