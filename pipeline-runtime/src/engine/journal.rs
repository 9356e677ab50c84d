//! What the engine asks of a journal.
//!
//! # Why it is called under the engine's lock
//!
//! The lock orders what the journal is handed, so the journal in memory needs no lock of its own. The durable one only queues it there:
//! its writer waits for the disk on a thread of its own, and gives the actions back once the records are kept. (`journal/sqlite/queue.rs`,
//! `tests/durable/stalls.rs`)

use super::effects::Outbox;
use super::ids::RunIx;
use super::log::Entry;
use super::state::RunSpec;

/// Keeps records, in order. The engine carries out no action before the records that led to it are kept.
pub(crate) trait Journal: Send + std::fmt::Debug {
    /// Whether outputs are to be written as JSON.
    fn is_durable(&self) -> bool;

    /// Takes what a call of the core left to do. Returns it where the records are kept already; else whoever commits them
    /// hands it to [`Engine::committed`](super::Engine::committed).
    ///
    /// Called in the order of the events, one call at a time. `spec` is what a run is of, its number in the journal among it.
    fn submit<'a>(&mut self, outbox: &mut Outbox, spec: &dyn Fn(RunIx) -> Option<&'a RunSpec>) -> Kept;

    /// The records of a run that are in memory, without the first so many.
    fn entries_from(&self, run: RunIx, from: usize) -> Vec<Entry>;
}

/// Whether records are kept already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    Now,
    Later,
}
