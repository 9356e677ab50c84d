//! Snapshots of a run's past, from which later moments are computed without starting at the first record.

use crate::read::RunDetails;

/// The initial number of records between two snapshots.
const INITIAL_DISTANCE: i64 = if cfg!(test) { 16 } else { 4_096 };
/// The number of new nodes that also triggers a snapshot, since adding nodes takes time by itself.
const NEW_SLOTS: usize = 8_192;
/// The maximum number of snapshots.
const MAX_SNAPSHOTS: usize = if cfg!(test) { 8 } else { 64 };
/// The approximate limit for nodes that snapshots do not share. In most runs each node changes between only two snapshots, but if
/// many sensors are poked in turn, each changes between any two.
const MAX_COPIED_NODES: usize = 500_000;

/// Snapshots of a run's past, in order.
#[derive(Debug)]
pub(super) struct Snapshots {
    list: Vec<RunDetails>,
    distance: i64,
    /// The number of nodes that they do not share, and how many copies were counted.
    nodes: usize,
    counted: usize,
}

impl Default for Snapshots {
    fn default() -> Self {
        Self { list: Vec::new(), distance: INITIAL_DISTANCE, nodes: 0, counted: 0 }
    }
}

impl Snapshots {
    /// Takes a snapshot of a run that is being read, if the last one is far behind. Returns whether the earlier snapshots are
    /// still valid; otherwise they are dropped.
    pub(super) fn take_if_due(&mut self, details: &mut RunDetails) -> bool {
        let of = details.tail();
        let (applied, copied, slots) = (of.last_applied(), of.copied(), details.history().len());
        let last = self.list.last().map_or(0, |last| last.tail().last_applied());
        if of.is_renumbered() || applied < last {
            *self = Self::default();
            return false;
        }
        // The first snapshot is before the first record: the scan before it takes time as well.
        let is_first = self.list.is_empty() && of.last_record() > self.distance;
        let is_far = self
            .list
            .last()
            .is_some_and(|snapshot| applied >= last + self.distance || slots > snapshot.history().len() + NEW_SLOTS);
        if is_first || is_far {
            // Nodes copied since are not shared with the last snapshot.
            self.nodes += copied.saturating_sub(self.counted);
            self.counted = copied;
            self.list.push(details.share(i64::MAX));
            if self.list.len() > MAX_SNAPSHOTS || self.nodes > MAX_COPIED_NODES {
                self.thin_out();
            }
        }
        true
    }

    /// Returns the last snapshot that is not after that record.
    pub(super) fn before(&mut self, record: i64) -> Option<&mut RunDetails> {
        let after = self.list.partition_point(|snapshot| snapshot.tail().last_applied() <= record);
        self.list.get_mut(after.checked_sub(1)?)
    }

    /// Drops every second snapshot.
    fn thin_out(&mut self) {
        let mut is_kept = false;
        self.list.retain(|_| {
            is_kept = !is_kept;
            !is_kept
        });
        self.distance *= 2;
        self.nodes /= 2;
    }
}
