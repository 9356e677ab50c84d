//! What names a run, a node of a run, an element of a list and one start of a node.

use std::sync::Arc;

/// A run's index in its core. A run that began later has a greater one.
pub(crate) type RunIx = u32;

/// A run's number in its journal.
pub(crate) type RunKey = i64;

/// A node's place in its run: the plan's own nodes first, then the elements of mappings as they expand. It never comes to
/// mean another node.
pub(crate) type Slot = u32;

/// What the elements of a list are called, in its order.
pub(crate) type Keys = Arc<[Box<str>]>;

/// One start of a node's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Job {
    pub(crate) run: RunIx,
    /// Where the node was when it was started. A mapping that expands again moves its elements.
    pub(crate) slot: Slot,
    /// Which of the node's starts it is, from 1.
    pub(crate) start: u32,
    /// Where the core keeps the attempt while it is in flight.
    pub(crate) attempt: AttemptIx,
}

/// An attempt's place among those in flight. It is used again once the attempt was answered.
pub(crate) type AttemptIx = u32;
