//! Wake-ups: pokes for a change of what the last poke looked at.
//!
//! They come on top of the ticks of the poke interval, which stay where they are: a change never moves, shortens or lengthens a
//! wait, and growing waits do not grow by it. So a sensor is never poked more often than there are changes and ticks together.

use super::super::record::Slot;
use super::super::state::NodeState;
use super::desk::Desk;
use super::timers::Due;
use std::time::Duration;

/// The least time from one poke for a change to the next, start to start: of many changes in a row the first is seen at once, and
/// those of each tenth of a second after it together.
pub(crate) const LEAST_BETWEEN: Duration = Duration::from_millis(100);

impl Desk<'_> {
    /// What the given start of the node looked at has changed since that began.
    pub(super) fn changed(&mut self, slot: Slot, start: u32) {
        let node = self.run.node_mut(slot);
        // A later poke sees the change itself; of two changes the first one's poke is still to begin.
        if node.starts == start && !std::mem::replace(&mut node.changed, true) {
            self.poke_for_change(slot);
        }
    }

    /// Pokes if there was a change and the node waits for its next poke. What changed while a
    /// poke was under way is due at its end.
    pub(super) fn poke_for_change(&mut self, slot: Slot) {
        let node = self.run.node(slot);
        let between_pokes = !node.in_flight && matches!(node.state, NodeState::UpForReschedule | NodeState::Running);
        if !node.changed || !between_pokes {
            return;
        }
        let Some((_, deadline)) = self.sensor(slot) else { return };
        // The poke at the deadline is the last, and is due by itself.
        if self.now >= deadline {
            return;
        }
        let node = self.run.node(slot);
        let last_for_change = node.more.as_ref().filter(|more| more.tick.get().is_some()).and_then(|more| more.last_start.get());
        match last_for_change.map(|last| last + LEAST_BETWEEN) {
            Some(earliest) if earliest > self.now => self.timer(earliest, Due::Change(slot)),
            _ => self.go_on(slot),
        }
    }
}
