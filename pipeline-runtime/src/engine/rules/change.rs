//! Pokes for a change of what the last poke looked at.
//!
//! They come on top of the ticks of the poke interval, which stay where they are: a change never moves, shortens or lengthens a
//! wait, and growing waits do not grow by it. So a sensor is never poked more often than there are changes and ticks together.

use super::super::execution::Due;
use super::super::ids::Slot;
use super::super::states::NodeState;
use super::RunContext;
use std::time::Duration;

/// The least time from one poke for a change to the next, start to start: of many changes in a row the first is seen at once, and
/// those of each tenth of a second after it together.
pub(crate) const LEAST_BETWEEN: Duration = Duration::from_millis(100);

impl RunContext<'_> {
    /// What the given start of the node looked at has changed since that began.
    pub(crate) fn changed(&mut self, slot: Slot, start: u32) {
        if self.run.node(slot).starts() != start {
            return;
        }
        // A later poke sees the change itself; of two changes the first one's poke is still to begin.
        if !std::mem::replace(&mut self.work[slot as usize].changed, true) {
            self.poke_for_change(slot);
        }
    }

    /// Pokes if there was a change and the node waits for its next poke. What changed while a
    /// poke was under way is due at its end.
    pub(crate) fn poke_for_change(&mut self, slot: Slot) {
        let node = self.run.node(slot);
        let between_pokes = node.awaits_next() && node.state() != NodeState::UpForRetry && !self.is_in_flight(slot);
        if !self.work[slot as usize].changed || !between_pokes {
            return;
        }
        let Some((_, deadline)) = self.sensor(slot) else { return };
        // The poke at the deadline is the last, and is due by itself.
        if self.now >= deadline {
            return;
        }
        let node = self.run.node(slot);
        let last_for_change = node.tick().map(|_| node.last_start());
        match last_for_change.map(|last| last + LEAST_BETWEEN) {
            Some(earliest) if earliest > self.now => self.timer(earliest, Due::Change(slot)),
            _ => self.start_next(slot),
        }
    }
}
