use super::super::ids::AttemptIx;

/// What this process does about one node.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that this process knows of the node, and all combinations occur"
)]
pub(crate) struct NodeWork {
    attempt: AttemptIx,
    /// The node is in its pool's queue, where it is at most once.
    pub(crate) queued: bool,
    /// The node waits because its group waits for locks.
    pub(crate) awaits_lock: bool,
    /// Something that its last poke read has changed since that poke started.
    pub(crate) changed: bool,
    /// Its deadline passed while no process had the run, so it may be poked once more.
    pub(crate) grace: bool,
    /// Its poke is due, and no permit was free.
    pub(crate) unserved: bool,
    /// Its deadline has a timer.
    pub(crate) limited: bool,
}

/// No attempt has this index: memory runs out before.
const NO_ATTEMPT: AttemptIx = AttemptIx::MAX;

impl Default for NodeWork {
    fn default() -> Self {
        Self {
            attempt: NO_ATTEMPT,
            queued: false,
            awaits_lock: false,
            changed: false,
            grace: false,
            unserved: false,
            limited: false,
        }
    }
}

impl NodeWork {
    /// The node's attempt in flight, even if it was cut off.
    #[inline]
    pub(crate) fn attempt(&self) -> Option<AttemptIx> {
        (self.attempt != NO_ATTEMPT).then_some(self.attempt)
    }

    /// Takes the work of a node that moves to another slot. A queue entry remains under the old slot.
    pub(crate) fn move_away(&mut self) -> Self {
        let queued = self.queued;
        let moved = std::mem::replace(self, Self { queued, ..Self::default() });
        Self { queued: false, awaits_lock: false, ..moved }
    }

    #[inline]
    pub(crate) fn set_attempt(&mut self, attempt: Option<AttemptIx>) {
        self.attempt = attempt.unwrap_or(NO_ATTEMPT);
    }
}
