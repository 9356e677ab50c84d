//! What the engine requires of a journal.
//!
//! # Why it is called under the engine's lock
//!
//! The lock orders what the journal receives, so the in-memory journal needs no lock of its own. The durable journal only queues
//! it there. Its writer waits for the disk on a thread of its own, and returns the actions once the records are durable.
//! (`journal/sqlite/queue.rs`, `tests/durable/stalls.rs`)

use super::effects::Outbox;
use super::ids::RunIx;
use super::log::Entry;
use super::state::RunSpec;

/// Stores records, in order. The engine carries out no action before the records that led to it are stored.
pub(crate) trait Journal: Send + std::fmt::Debug {
    /// True if outputs are to be written as JSON.
    fn is_durable(&self) -> bool;

    /// Takes the records that a call of the core left, and decides when the rest may be done. If the records are stored at once,
    /// the actions stay in `outbox`; otherwise the journal takes them and passes them to
    /// [`Engine::committed`](super::Engine::committed) after the commit.
    ///
    /// Calls are in the order of events and never concurrent. `spec` returns what a run was started with, including its number in
    /// the journal.
    fn submit<'a>(&mut self, outbox: &mut Outbox, spec: &dyn Fn(RunIx) -> Option<&'a RunSpec>) -> Submitted;

    /// Returns the records of a run that are in memory, without the first `from`.
    fn entries_from(&self, run: RunIx, from: usize) -> Vec<Entry>;
}

/// What became of submitted records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Submitted {
    /// They are stored.
    Stored,
    /// They wait for a commit.
    Queued,
}
