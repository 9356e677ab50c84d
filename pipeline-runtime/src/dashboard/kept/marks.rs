//! Snapshots of a run's past, from which later moments are computed without starting at the first record.

use crate::read::RunDetails;

/// The initial number of records between two snapshots.
const APART: i64 = if cfg!(test) { 16 } else { 4_096 };
/// The number of new nodes that also triggers a snapshot, since adding nodes takes time by itself.
const SLOTS: usize = 8_192;
/// The maximum number of snapshots.
const MOST: usize = if cfg!(test) { 8 } else { 64 };
/// The approximate limit for nodes that snapshots do not share. In most runs each node changes between only two snapshots, but if
/// many sensors are poked in turn, each changes between any two.
const NODES: usize = 500_000;

/// Snapshots of a run's past, in order.
#[derive(Debug)]
pub(super) struct Marks {
    all: Vec<RunDetails>,
    apart: i64,
    /// The number of nodes that they do not share, and how many copies were counted.
    nodes: usize,
    counted: usize,
}

impl Default for Marks {
    fn default() -> Self {
        Self { all: Vec::new(), apart: APART, nodes: 0, counted: 0 }
    }
}

impl Marks {
    /// Takes a snapshot of a run that is being read, if the last one is far behind. Returns whether the earlier snapshots are
    /// still valid; otherwise they are dropped.
    pub(super) fn see(&mut self, details: &mut RunDetails) -> bool {
        let of = details.followed();
        let (told, copied, slots) = (of.told(), of.copied(), details.history().len());
        let last = self.all.last().map_or(0, |last| last.followed().told());
        if of.is_renamed() || told < last {
            *self = Self::default();
            return false;
        }
        // The first snapshot is before the first record: the scan before it takes time as well.
        let is_first = self.all.is_empty() && of.last() > self.apart;
        let is_far = self.all.last().is_some_and(|mark| told >= last + self.apart || slots > mark.history().len() + SLOTS);
        if is_first || is_far {
            // Nodes copied since are not shared with the last snapshot.
            self.nodes += copied.saturating_sub(self.counted);
            self.counted = copied;
            self.all.push(details.share(i64::MAX));
            if self.all.len() > MOST || self.nodes > NODES {
                self.thin_out();
            }
        }
        true
    }

    /// Returns the last snapshot that is not after that record.
    pub(super) fn before(&mut self, record: i64) -> Option<&mut RunDetails> {
        let after = self.all.partition_point(|mark| mark.followed().told() <= record);
        self.all.get_mut(after.checked_sub(1)?)
    }

    /// Drops every second snapshot.
    fn thin_out(&mut self) {
        let mut stays = false;
        self.all.retain(|_| {
            stays = !stays;
            !stays
        });
        self.apart *= 2;
        self.nodes /= 2;
    }
}
