//! The times of day that a line names.

use chrono::{NaiveTime, Timelike};
use pipeline_syntax::cron::Values;

/// The times of day of a line: every listed minute of every listed hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    hours: Values,
    minutes: Values,
}

impl Times {
    pub(super) fn new(hours: Values, minutes: Values) -> Self {
        Self { hours, minutes }
    }

    pub(super) fn hours(&self) -> impl Iterator<Item = u32> + Clone {
        self.hours.iter()
    }

    pub(super) fn minutes(&self) -> impl Iterator<Item = u32> + Clone {
        self.minutes.iter()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = NaiveTime> {
        self.hours().flat_map(|hour| self.minutes().filter_map(move |minute| NaiveTime::from_hms_opt(hour, minute, 0)))
    }

    pub(super) fn first(&self) -> Option<NaiveTime> {
        NaiveTime::from_hms_opt(lowest(self.hours.bits())?, lowest(self.minutes.bits())?, 0)
    }

    pub(super) fn last(&self) -> Option<NaiveTime> {
        NaiveTime::from_hms_opt(highest(self.hours.bits())?, highest(self.minutes.bits())?, 0)
    }

    /// The first time later than `time`'s minute.
    pub(super) fn after(&self, time: NaiveTime) -> Option<NaiveTime> {
        let (hour, minute) = (time.hour(), time.minute());
        if self.hours.contains(hour)
            && let Some(minute) = lowest(self.minutes.bits() & (u64::MAX << (minute + 1)))
        {
            return NaiveTime::from_hms_opt(hour, minute, 0);
        }
        NaiveTime::from_hms_opt(lowest(self.hours.bits() & (u64::MAX << (hour + 1)))?, lowest(self.minutes.bits())?, 0)
    }

    /// The last time no later than `time`'s minute.
    pub(super) fn at_or_before(&self, time: NaiveTime) -> Option<NaiveTime> {
        let (hour, minute) = (time.hour(), time.minute());
        if self.hours.contains(hour)
            && let Some(minute) = highest(self.minutes.bits() & !(u64::MAX << (minute + 1)))
        {
            return NaiveTime::from_hms_opt(hour, minute, 0);
        }
        NaiveTime::from_hms_opt(highest(self.hours.bits() & !(u64::MAX << hour))?, highest(self.minutes.bits())?, 0)
    }
}

fn lowest(bits: u64) -> Option<u32> {
    (bits != 0).then(|| bits.trailing_zeros())
}

fn highest(bits: u64) -> Option<u32> {
    bits.checked_ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_search_agrees_with_a_scan_of_all_times() {
        let times = Times::new([0, 2, 13, 23].into_iter().collect(), [0, 7, 59].into_iter().collect());
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
