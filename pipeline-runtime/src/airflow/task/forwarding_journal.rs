//! The journal of an Airflow task: it only passes records on. Airflow stores what has to outlive the process.

use crate::engine::{Entry, Journal, Outbox, RunIx, RunSpec, Submitted};
use tokio::sync::mpsc::UnboundedSender;

/// Sends each record to the task, which waits for the end of its node.
#[derive(Debug)]
pub(super) struct ForwardingJournal(pub(super) UnboundedSender<Entry>);

impl Journal for ForwardingJournal {
    fn is_durable(&self) -> bool {
        // So outputs are encoded as JSON.
        true
    }

    fn submit<'a>(&mut self, outbox: &mut Outbox, _: &dyn Fn(RunIx) -> Option<&'a RunSpec>) -> Submitted {
        for (_, entry) in outbox.records.drain() {
            // Once the task's end is known, nobody receives records.
            let _ = self.0.send(entry);
        }
        Submitted::Stored
    }

    fn entries_from(&self, _: RunIx, _: usize) -> Vec<Entry> {
        Vec::new()
    }
}
