//! Identifiers of runs, nodes, a list's elements, and single starts of a node.

use std::sync::Arc;

/// A run's index in its core. Later runs have greater indices.
pub(crate) type RunIx = u32;

/// A run's number in its journal.
pub(crate) type RunKey = i64;

/// A node's place in its run: the plan's own nodes first, then the elements of mappings as they expand. A slot is never reused
/// for another node.
pub(crate) type Slot = u32;

/// The keys of a list's elements, in the order of the list.
pub(crate) type Keys = Arc<[Box<str>]>;

/// One start of a node's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Job {
    pub(crate) run: RunIx,
    /// The node's slot when it was started. If its mapping expands again, the element moves to another slot.
    pub(crate) slot: Slot,
    /// Which of the node's starts it is, from 1.
    pub(crate) start: u32,
    /// Where the core keeps the attempt while it is in flight.
    pub(crate) attempt: AttemptIx,
}

/// An attempt's place among those in flight. It is reused once the attempt has been answered.
pub(crate) type AttemptIx = u32;
