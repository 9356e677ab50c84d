use super::super::ids::AttemptIx;

/// What this process does about one node.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that this process knows of the node, and all combinations occur"
)]
pub(crate) struct NodeWork {
    attempt: AttemptIx,
    /// It waits in its pool's queue, once.
    pub(crate) queued: bool,
    /// Its group waits for locks, and it with that.
    pub(crate) awaits_lock: bool,
    /// What its last poke looked at has changed since that began.
    pub(crate) changed: bool,
    /// Its deadline passed while no process had the run: it may be poked once more.
    pub(crate) grace: bool,
    /// Its poke is due, and there was no permit for it.
    pub(crate) unserved: bool,
    /// Its deadline has a timer.
    pub(crate) limited: bool,
}

/// No attempt has this place: there is no memory for so many.
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
    /// Its attempt in flight, be it cut off or not.
    #[inline]
    pub(crate) fn attempt(&self) -> Option<AttemptIx> {
        (self.attempt != NO_ATTEMPT).then_some(self.attempt)
    }

    /// Takes what is done about a node whose place is elsewhere now. What waits in a queue stays there under the old place.
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
