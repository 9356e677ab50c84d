//! Counters for one node of a plan, over all its elements.

use super::{Histogram, NodeMetrics, SensorMetrics};
use std::time::Duration;

const RANGES: usize = Histogram::BOUNDS.len() + 1;

/// The counters of a node while its run is active. Small, since a plan may have a million sensors: the public form is built on
/// demand.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    attempts: u32,
    /// The histogram range of all pokes so far, while `ranges` is not set.
    range: u8,
    queue: Duration,
    run: Duration,
    /// Finished pokes, and the longest of them in nanoseconds.
    poked: u64,
    longest: u64,
    /// The number of pokes per range, once two ranges were used.
    ranges: Option<Box<[u64; RANGES]>>,
    rare: Option<Box<RareCounts>>,
}

/// Counters that only some nodes need.
#[derive(Debug, Clone, Default)]
struct RareCounts {
    errors: u64,
    timeouts: u64,
    /// Of finished waits.
    wait: Duration,
    detection: Option<Duration>,
}

impl Counts {
    /// A body was started this long after it could be.
    pub(crate) fn started(&mut self, late: Duration, is_new: bool) {
        self.queue += late;
        self.attempts = self.attempts.saturating_add(is_new.into());
    }

    /// A body ended after this time.
    pub(crate) fn stopped(&mut self, took: Duration, is_sensor: bool) {
        self.run += took;
        if is_sensor {
            self.poked(took);
        }
    }

    fn poked(&mut self, took: Duration) {
        let is_within = |bound: &u64| took <= Duration::from_millis(*bound);
        let range = Histogram::BOUNDS.iter().position(is_within).unwrap_or(RANGES - 1);
        let only = usize::from(self.range);
        if self.ranges.is_none() && self.poked > 0 && range != only {
            self.ranges.get_or_insert_default()[only] = self.poked;
        }
        match &mut self.ranges {
            Some(ranges) => ranges[range] += 1,
            None => self.range = u8::try_from(range).unwrap_or(u8::MAX),
        }
        self.poked += 1;
        self.longest = self.longest.max(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    /// An attempt or a poke ended in an error.
    pub(crate) fn failed(&mut self) {
        self.rare().errors += 1;
    }

    /// A wait exceeded its timeout.
    pub(crate) fn timed_out(&mut self) {
        self.rare().timeouts += 1;
    }

    /// A sensor ended this long after its first poke.
    pub(crate) fn waited(&mut self, wait: Duration) {
        self.rare().wait += wait;
    }

    /// A sensor found an object that had existed for this long.
    pub(crate) fn detected(&mut self, after: Duration) {
        let rare = self.rare();
        rare.detection = rare.detection.max(Some(after));
    }

    fn rare(&mut self) -> &mut RareCounts {
        self.rare.get_or_insert_default()
    }

    /// Returns the counters in public form. The caller adds what is stored per element: states and pokes.
    pub(crate) fn metrics(&self) -> SensorMetrics {
        let RareCounts { errors, timeouts, wait, detection } = self.rare.as_deref().cloned().unwrap_or_default();
        let attempts = self.attempts.into();
        let node = NodeMetrics { attempts, errors, queue: self.queue, run: self.run, ..NodeMetrics::default() };
        SensorMetrics { node, wait, timeouts, detection, poke_duration: self.histogram(), ..SensorMetrics::default() }
    }

    fn histogram(&self) -> Histogram {
        if self.poked == 0 {
            return Histogram::default();
        }
        let mut ranges = [0; RANGES];
        ranges[usize::from(self.range).min(RANGES - 1)] = self.poked;
        let ranges = self.ranges.as_deref().unwrap_or(&ranges);
        let mut within = 0;
        let buckets = std::array::from_fn(|range| {
            within += ranges[range];
            within
        });
        // A sensor's body only runs in its pokes.
        Histogram { count: self.poked, sum: self.run, max: Duration::from_nanos(self.longest), buckets }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_small() {
        // Each sensor of a plan has one.
        assert!(size_of::<Counts>() <= 72, "{}", size_of::<Counts>());
    }

    #[test]
    fn a_histogram_is_the_same_whether_one_range_was_used_or_several() {
        let mut counts = Counts::default();
        assert_eq!(counts.metrics().poke_duration, Histogram::default());
        for millis in [20, 25, 11] {
            counts.stopped(Duration::from_millis(millis), true);
        }
        assert!(counts.ranges.is_none());
        assert_eq!(counts.metrics().poke_duration.buckets, [0, 0, 0, 3, 3, 3, 3, 3, 3, 3, 3, 3]);
        for millis in [1, 70_000] {
            counts.stopped(Duration::from_millis(millis), true);
        }
        let Histogram { count, sum, max, buckets } = counts.metrics().poke_duration;
        assert_eq!((count, sum, max), (5, Duration::from_millis(70_057), Duration::from_secs(70)));
        assert_eq!(buckets, [1, 1, 1, 4, 4, 4, 4, 4, 4, 4, 4, 4]);
    }
}
