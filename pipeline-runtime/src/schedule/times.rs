//! The times of day that a line names.

use chrono::{NaiveTime, Timelike};

/// The times of day of a line: every listed minute of every listed hour, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    hours: u64,
    minutes: u64,
}

impl Times {
    pub(super) fn new(hours: &[u16], minutes: &[u16]) -> Self {
        let bits = |values: &[u16]| values.iter().fold(0, |bits, value| bits | (1 << value));
        Self { hours: bits(hours), minutes: bits(minutes) }
    }

    pub(super) fn hours(&self) -> impl Iterator<Item = u32> + Clone {
        ones(self.hours)
    }

    pub(super) fn minutes(&self) -> impl Iterator<Item = u32> + Clone {
        ones(self.minutes)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = NaiveTime> {
        self.hours().flat_map(|hour| self.minutes().filter_map(move |minute| NaiveTime::from_hms_opt(hour, minute, 0)))
    }

    pub(super) fn first(&self) -> Option<NaiveTime> {
        NaiveTime::from_hms_opt(lowest(self.hours)?, lowest(self.minutes)?, 0)
    }

    pub(super) fn last(&self) -> Option<NaiveTime> {
        NaiveTime::from_hms_opt(highest(self.hours)?, highest(self.minutes)?, 0)
    }

    /// The first time later than `time`'s minute.
    pub(super) fn after(&self, time: NaiveTime) -> Option<NaiveTime> {
        let (hour, minute) = (time.hour(), time.minute());
        if self.hours & (1 << hour) != 0
            && let Some(minute) = lowest(self.minutes & (u64::MAX << (minute + 1)))
        {
            return NaiveTime::from_hms_opt(hour, minute, 0);
        }
        NaiveTime::from_hms_opt(lowest(self.hours & (u64::MAX << (hour + 1)))?, lowest(self.minutes)?, 0)
    }

    /// The last time no later than `time`'s minute.
    pub(super) fn at_or_before(&self, time: NaiveTime) -> Option<NaiveTime> {
        let (hour, minute) = (time.hour(), time.minute());
        if self.hours & (1 << hour) != 0
            && let Some(minute) = highest(self.minutes & !(u64::MAX << (minute + 1)))
        {
            return NaiveTime::from_hms_opt(hour, minute, 0);
        }
        NaiveTime::from_hms_opt(highest(self.hours & !(u64::MAX << hour))?, highest(self.minutes)?, 0)
    }
}

fn lowest(bits: u64) -> Option<u32> {
    (bits != 0).then(|| bits.trailing_zeros())
}

fn highest(bits: u64) -> Option<u32> {
    bits.checked_ilog2()
}

fn ones(bits: u64) -> impl Iterator<Item = u32> + Clone {
    (0..u64::BITS).filter(move |bit| bits & (1 << bit) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_search_agrees_with_a_scan_of_all_times() {
        let times = Times::new(&[0, 2, 13, 23], &[0, 7, 59]);
        let all: Vec<_> = times.iter().collect();
        assert_eq!(all.len(), 12);
        assert_eq!((times.first(), times.last()), (all.first().copied(), all.last().copied()));
        for minute in 0..24 * 60 {
            let time = NaiveTime::from_hms_opt(minute / 60, minute % 60, 30).unwrap();
            assert_eq!(times.after(time), all.iter().copied().find(|other| *other > time), "{time}");
            assert_eq!(times.at_or_before(time), all.iter().copied().rfind(|other| *other <= time), "{time}");
        }
    }
}
