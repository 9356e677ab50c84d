//! The days on which a line fires.

use chrono::{Datelike, NaiveDate};

use super::values::Values;

/// The three fields of a line that select days.
///
/// If neither of the two day fields is a `*`, the line fires on days that match either of them; a `*` field is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Days {
    /// From 1, January.
    pub months: Values,
    /// The third field.
    pub of_month: MonthDays,
    /// The fifth field.
    pub of_week: Weekdays,
}

/// The days of a month that a line selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MonthDays {
    /// `*`.
    Any,
    /// `1,15,L`.
    Listed {
        /// From 1.
        days: Values,
        /// `L`, the last day of the month.
        last: bool,
    },
    /// `15W`, the working day of the month that is nearest to this day, at most the 28th. Holidays are not considered.
    NearestWorkday(u8),
    /// `31W`, the last working day.
    LastWorkday,
}

/// The days of a week that a line selects. Sunday is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weekdays {
    /// `*`.
    Any,
    /// `1-5`.
    Listed(Values),
    /// `5#2,L1`, certain weekdays of a month.
    OfMonth {
        /// The weekdays that are selected in their first occurrence in a month, in their second, and so on.
        nth: [Values; 5],
        /// The weekdays that are selected in their last occurrence in a month.
        last: Values,
    },
}

impl Days {
    /// Returns whether the line fires on this day.
    ///
    /// ```
    /// use pipeline_syntax::cron;
    ///
    /// let days = cron::parse("0 0 29 2 *")?.days;
    /// let day = |year| chrono::NaiveDate::from_ymd_opt(year, 2, 29).unwrap();
    /// assert!(days.matches(day(2024)));
    /// assert!(!days.matches(day(2024).pred_opt().unwrap()));
    /// # Ok::<(), cron::CronError>(())
    /// ```
    #[inline]
    pub fn matches(&self, day: NaiveDate) -> bool {
        self.matches_month(day)
            && match (&self.of_month, &self.of_week) {
                (of_month, Weekdays::Any) => of_month.matches(day),
                (MonthDays::Any, of_week) => of_week.matches(day),
                (of_month, of_week) => of_month.matches(day) || of_week.matches(day),
            }
    }

    /// Returns whether the line may fire in the month of this day.
    #[inline]
    pub fn matches_month(&self, day: NaiveDate) -> bool {
        self.months.contains(day.month())
    }

    /// True if any day matches. In the 28 years from 2000 every date falls on every weekday on which it ever falls.
    pub(super) fn are_any(&self) -> bool {
        NaiveDate::from_ymd_opt(2000, 1, 1).is_some_and(|first| first.iter_days().take(28 * 366).any(|day| self.matches(day)))
    }
}

impl MonthDays {
    fn matches(self, day: NaiveDate) -> bool {
        match self {
            Self::Any => true,
            Self::Listed { days, last } => days.contains(day.day()) || (last && day.day() == length_of_month(day)),
            Self::NearestWorkday(to) => day.day() == nearest_workday(day, to.into()),
            Self::LastWorkday => day.day() == nearest_workday(day, length_of_month(day)),
        }
    }
}

impl Weekdays {
    fn matches(self, day: NaiveDate) -> bool {
        let weekday = weekday(day);
        match self {
            Self::Any => true,
            Self::Listed(days) => days.contains(weekday),
            Self::OfMonth { nth, last } => {
                // The first seven days of a month contain the first of every weekday.
                nth[day.day0() as usize / 7].contains(weekday) || (last.contains(weekday) && day.day() + 7 > length_of_month(day))
            }
        }
    }
}

/// From 0, Sunday.
fn weekday(day: NaiveDate) -> u32 {
    day.weekday().num_days_from_sunday()
}

fn length_of_month(day: NaiveDate) -> u32 {
    day.num_days_in_month().into()
}

/// The working day nearest to day `to` of the month of `day`. It never leaves the month.
fn nearest_workday(day: NaiveDate, to: u32) -> u32 {
    // 35 is a multiple of 7 and larger than any day of a month, so the difference stays positive.
    match (weekday(day) + 35 + to - day.day()) % 7 {
        6 if to == 1 => 3,
        6 => to - 1,
        0 if to == length_of_month(day) => to - 2,
        0 => to + 1,
        _ => to,
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    /// The days of a month on which a line fires.
    fn fires(line: &str, year: i32, month: u32) -> Vec<u32> {
        let days = parse(line).unwrap_or_else(|error| panic!("{line}: {error}")).days;
        let first = NaiveDate::from_ymd_opt(year, month, 1).unwrap();
        first.iter_days().take_while(|day| day.month() == month).filter(|day| days.matches(*day)).map(|day| day.day()).collect()
    }

    #[test]
    fn days_of_the_month_and_of_the_week() {
        // February 2026 begins on a Sunday and ends on a Saturday.
        for (line, days) in [
            ("0 0 13 * *", vec![13]),
            ("0 0 * * 5", vec![6, 13, 20, 27]),
            ("0 0 10 * 5", vec![6, 10, 13, 20, 27]),
            ("0 0 L * *", vec![28]),
            ("0 0 1,L * *", vec![1, 28]),
            ("0 0 31 * *", vec![]),
            ("0 0 1 1 0", vec![]),
            ("0 0 * * 6-7", vec![1, 7, 8, 14, 15, 21, 22, 28]),
        ] {
            assert_eq!(fires(line, 2026, 2), days, "{line}");
        }
    }

    #[test]
    fn working_days_stay_in_their_month() {
        for (line, year, month, day) in [
            ("0 0 15W * *", 2026, 4, 15),
            // A Saturday, and a Sunday.
            ("0 0 W18 * *", 2026, 4, 17),
            ("0 0 19W * *", 2026, 4, 20),
            // The first is a Saturday, or a Sunday.
            ("0 0 1W * *", 2026, 8, 3),
            ("0 0 1W * *", 2026, 2, 2),
            // The 28th, a Sunday, is the last day, or is not.
            ("0 0 28W * *", 2027, 2, 26),
            ("0 0 28W * *", 2027, 3, 29),
            ("0 0 31W * *", 2026, 2, 27),
            ("0 0 31W * *", 2026, 4, 30),
            ("0 0 31W * *", 2026, 5, 29),
        ] {
            assert_eq!(fires(line, year, month), [day], "{line} in {year}-{month}");
        }
    }

    #[test]
    fn weekdays_of_a_month() {
        for (line, days) in [
            ("0 0 * * 5#1", vec![3]),
            ("0 0 * * 5#5", vec![31]),
            ("0 0 * * 3#5,3#1", vec![1, 29]),
            ("0 0 * * 1#5", vec![]),
            ("0 0 * * L1", vec![27]),
            ("0 0 * * L5,1#2", vec![13, 31]),
            ("0 0 * * 7#1", vec![5]),
        ] {
            // July 2026 begins on a Wednesday and ends on a Friday.
            assert_eq!(fires(line, 2026, 7), days, "{line}");
        }
    }
}
