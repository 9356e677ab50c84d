//! Pokes for a change in what the last poke read.
//!
//! They are additional to the ticks of the poke interval, which do not move: a change never shortens or lengthens a wait, and
//! growing waits do not grow because of it. So there are never more pokes than changes and ticks together.

use super::super::execution::Timer;
use super::super::ids::Slot;
use super::super::states::NodeState;
use super::RunContext;
use std::time::Duration;

/// The least time between two pokes for changes, from start to start. Of many changes in a row the first causes a poke at once,
/// and later ones share a poke every tenth of a second.
pub(crate) const LEAST_BETWEEN: Duration = Duration::from_millis(100);

impl RunContext<'_> {
    /// Something that the given start of the node read has changed since that poke started.
    pub(crate) fn changed(&mut self, slot: Slot, start: u32) {
        if self.run.node(slot).starts() != start {
            return;
        }
        // A later poke reads the change itself. If an earlier change is noted, its poke is still to start.
        if !std::mem::replace(&mut self.work[slot as usize].changed, true) {
            self.poke_for_change(slot);
        }
    }

    /// Pokes if there was a change and the node waits for its next poke. A change during a poke is handled at that poke's end.
    pub(crate) fn poke_for_change(&mut self, slot: Slot) {
        let node = self.run.node(slot);
        let between_pokes = node.awaits_next() && node.state() != NodeState::UpForRetry && !self.is_in_flight(slot);
        if !self.work[slot as usize].changed || !between_pokes {
            return;
        }
        let Some((_, deadline)) = self.sensor(slot) else { return };
        // The poke at the deadline is the last one, and has a timer of its own.
        if self.now >= deadline {
            return;
        }
        let node = self.run.node(slot);
        let last_for_change = node.tick().map(|_| node.last_start());
        match last_for_change.map(|last| last + LEAST_BETWEEN) {
            Some(earliest) if earliest > self.now => self.timer(earliest, Timer::Change(slot)),
            _ => self.start_next(slot),
        }
    }
}
