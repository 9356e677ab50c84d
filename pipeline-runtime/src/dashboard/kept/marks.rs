//! Moments of a run's past from which those after them are told, so that nobody has to begin with the first record.

use crate::read::RunDetails;

/// So many records lie between two of them at first.
const APART: i64 = if cfg!(test) { 16 } else { 4_096 };
/// Or so many nodes have joined the run, which takes a while by itself.
const SLOTS: usize = 8_192;
/// There are at most so many.
const MOST: usize = if cfg!(test) { 8 } else { 64 };
/// What they have for themselves are at most about so many nodes: in most runs, each node changes between two of them alone, but of many sensors
/// that are poked by turns each changes between any two.
const NODES: usize = 500_000;

/// Moments of a run's past, in order.
#[derive(Debug)]
pub(super) struct Marks {
    all: Vec<RunDetails>,
    apart: i64,
    /// How many nodes they have for themselves, and how many of them were counted.
    nodes: usize,
    counted: usize,
}

impl Default for Marks {
    fn default() -> Self {
        Self { all: Vec::new(), apart: APART, nodes: 0, counted: 0 }
    }
}

impl Marks {
    /// Makes one of a run that is read on, where the last is far behind. Returns whether the run is still the one that it was: else there are none.
    pub(super) fn see(&mut self, details: &mut RunDetails) -> bool {
        let of = details.followed();
        let (told, copied, slots) = (of.told(), of.copied(), details.history().len());
        let last = self.all.last().map_or(0, |last| last.followed().told());
        if of.is_renamed() || told < last {
            *self = Self::default();
            return false;
        }
        // The first one is before the first record: to find out what has to be known before that takes a while as well.
        let is_first = self.all.is_empty() && of.last() > self.apart;
        let is_far = self.all.last().is_some_and(|mark| told >= last + self.apart || slots > mark.history().len() + SLOTS);
        if is_first || is_far {
            // What was copied since is what the last mark has for itself.
            self.nodes += copied.saturating_sub(self.counted);
            self.counted = copied;
            self.all.push(details.share(i64::MAX));
            if self.all.len() > MOST || self.nodes > NODES {
                self.thin_out();
            }
        }
        true
    }

    /// The last one that is not after that record.
    pub(super) fn before(&mut self, record: i64) -> Option<&mut RunDetails> {
        let after = self.all.partition_point(|mark| mark.followed().told() <= record);
        self.all.get_mut(after.checked_sub(1)?)
    }

    /// Leaves every second one.
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
