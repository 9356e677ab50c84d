//! The instants at which a schedule fires, forwards and backwards.
//!
//! Days, unlike instants, are a simple sequence: the times of each day that the line names become instants. A day without a clock
//! change costs two look-ups in the zone.

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use pipeline_syntax::date::{FIRST_YEAR, LAST_YEAR};
use pipeline_syntax::zone::Wall;

use super::Schedule;
use super::cron::Line;
use super::schedule::Rule;
use super::times::Times;
use super::wall::constant_offset;
use crate::time::Zone;

impl Schedule {
    /// The first tick after `t`, exclusive. `None` only after the last tick in the year 2261.
    ///
    /// A tick is where an interval starts. Unless the schedule is a custom calendar, intervals touch, so that each also ends at a
    /// tick.
    ///
    /// ```
    /// use pipeline_runtime::schedule::Schedule;
    ///
    /// let schedule = Schedule::parse("0 0 29 2 *", "UTC")?;
    /// assert_eq!(schedule.next_after("2024-02-29T00:00:00Z".parse()?), Some("2028-02-29T00:00:00Z".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn next_after(&self, t: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // Resolved once: one search uses one version of the rules, and the next search the current one.
        let zone = self.zone();
        match &self.rule {
            Rule::Lines(lines) => lines.iter().filter_map(|line| line.search(zone, t, Direction::Forward)).min(),
            Rule::Every(delta) => delta.next_after(zone, t),
            Rule::Custom(own) => own.next_after(t, zone).map(|interval| interval.start),
        }
    }

    /// The last tick at or before `t`, inclusive. `None` only before the first tick: that of the year 1678, or the schedule's
    /// first.
    pub fn last_at_or_before(&self, t: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let zone = self.zone();
        match &self.rule {
            Rule::Lines(lines) => lines.iter().filter_map(|line| line.search(zone, t, Direction::Backward)).max(),
            Rule::Every(delta) => delta.last_at_or_before(zone, t),
            Rule::Custom(own) => own.last_at_or_before(t, zone).map(|interval| interval.start),
        }
    }

    /// The first tick at or after `t`.
    pub(super) fn next_at_or_after(&self, t: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self.last_at_or_before(t) {
            Some(tick) if tick == t => Some(t),
            _ => self.next_after(t),
        }
    }

    /// The last tick before `t`, exclusive.
    pub(super) fn last_before(&self, t: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self.last_at_or_before(t) {
            Some(tick) if tick == t => self.last_at_or_before(t.checked_sub_signed(TimeDelta::nanoseconds(1))?),
            other => other,
        }
    }

    /// The ticks from `from` to `to`, both inclusive, in order. Lazy: the range may be of any length.
    ///
    /// ```
    /// use pipeline_runtime::schedule::Schedule;
    ///
    /// let schedule = Schedule::parse("@hourly", "UTC")?;
    /// let ticks = schedule.ticks("2024-03-25T00:00:00Z".parse()?, "2024-03-26T00:00:00Z".parse()?);
    /// assert_eq!(ticks.count(), 25);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ticks(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Ticks<'_> {
        Ticks { schedule: self, next: self.next_at_or_after(from).filter(|tick| *tick <= to), to }
    }
}

impl Line {
    fn search(&self, zone: Zone, t: DateTime<Utc>, direction: Direction) -> Option<DateTime<Utc>> {
        let t = direction.enter(t)?;
        let mut day = direction.before(t.with_timezone(&zone).date_naive())?;
        let mut nearest: Option<DateTime<Utc>> = None;
        let mut until = None;
        // A clock that is set back across midnight shows yesterday's times again, so ticks of one day can be on both sides of
        // those of the next: the search starts one day early and ends one day late.
        while let Some(matching) = self.matching_day(day, direction) {
            if until.is_some_and(|until| direction.is_past(matching, until)) {
                break;
            }
            if let Some(tick) = self.nearest_tick_of(zone, matching, t, direction) {
                nearest = Some(nearest.map_or(tick, |other| direction.nearer(tick, other)));
            }
            day = direction.after(matching)?;
            if nearest.is_some() {
                until = until.or(Some(day));
            }
        }
        nearest.filter(|tick| (FIRST_YEAR..=LAST_YEAR).contains(&tick.year()))
    }

    /// The first matching day from `day` on, inclusive.
    fn matching_day(&self, mut day: NaiveDate, direction: Direction) -> Option<NaiveDate> {
        // One more year at either end, as a local date may differ from UTC's.
        while (FIRST_YEAR - 1..=LAST_YEAR + 1).contains(&day.year()) {
            if self.days.matches(day) {
                return Some(day);
            }
            // Whole months are skipped in one step, for sparse lines.
            day = if self.days.matches_month(day) { direction.after(day)? } else { direction.next_month(day)? };
        }
        None
    }

    /// The tick of `day` that is nearest to `t` in `direction`.
    fn nearest_tick_of(&self, zone: Zone, day: NaiveDate, t: DateTime<Utc>, direction: Direction) -> Option<DateTime<Utc>> {
        if let Some(offset) = constant_offset(zone, day) {
            let local = t.with_timezone(&offset).naive_local();
            let time = direction.time_of(&self.times, day, local)?;
            return offset.from_local_datetime(&day.and_time(time)).single().map(|tick| tick.to_utc());
        }
        let ticks = self.times.iter().flat_map(|time| self.instants(zone, day.and_time(time)));
        ticks.filter(|tick| direction.is_ahead(*tick, t)).reduce(|a, b| direction.nearer(a, b))
    }

    /// The instants at which a wall clock time of the line fires; see the module's rule for clock changes.
    fn instants(&self, zone: Zone, wall: NaiveDateTime) -> impl Iterator<Item = DateTime<Utc>> {
        let (first, second) = match (Wall::at(&zone, wall), self.fixed_time) {
            (wall, true) => (Some(wall.first()), None),
            (Wall::Once(at), false) => (Some(at), None),
            (Wall::Twice(first, second), false) => (Some(first), Some(second)),
            (Wall::Skipped(_), false) => (None, None),
        };
        first.into_iter().chain(second)
    }
}

/// The ticks of a range of time; see [`Schedule::ticks`].
#[derive(Debug, Clone)]
pub struct Ticks<'a> {
    schedule: &'a Schedule,
    next: Option<DateTime<Utc>>,
    to: DateTime<Utc>,
}

impl Iterator for Ticks<'_> {
    type Item = DateTime<Utc>;

    fn next(&mut self) -> Option<Self::Item> {
        let tick = self.next?;
        self.next = self.schedule.next_after(tick).filter(|next| *next <= self.to);
        Some(tick)
    }
}

impl std::iter::FusedIterator for Ticks<'_> {}

/// The direction of a search. Forwards excludes its origin and backwards includes it: together they cover every tick once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forward,
    Backward,
}

impl Direction {
    /// The origin of the search: `t`, or the near end of the years that have ticks; `None` if all of them are behind `t`.
    fn enter(self, t: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let first = Utc.with_ymd_and_hms(FIRST_YEAR, 1, 1, 0, 0, 0).single()?;
        let end = Utc.with_ymd_and_hms(LAST_YEAR + 1, 1, 1, 0, 0, 0).single()?;
        match self {
            // Forwards excludes its origin.
            Self::Forward => (t < end).then(|| t.max(first - TimeDelta::nanoseconds(1))),
            Self::Backward => (t >= first).then(|| t.min(end)),
        }
    }

    fn is_ahead(self, tick: DateTime<Utc>, t: DateTime<Utc>) -> bool {
        match self {
            Self::Forward => tick > t,
            Self::Backward => tick <= t,
        }
    }

    fn nearer(self, a: DateTime<Utc>, b: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Forward => a.min(b),
            Self::Backward => a.max(b),
        }
    }

    fn is_past(self, day: NaiveDate, limit: NaiveDate) -> bool {
        match self {
            Self::Forward => day > limit,
            Self::Backward => day < limit,
        }
    }

    fn after(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Forward => day.succ_opt(),
            Self::Backward => day.pred_opt(),
        }
    }

    fn before(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Forward => day.pred_opt(),
            Self::Backward => day.succ_opt(),
        }
    }

    /// The near end of the next month.
    fn next_month(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Forward => day.with_day(1)?.checked_add_months(Months::new(1)),
            Self::Backward => day.with_day(1)?.pred_opt(),
        }
    }

    /// The time of `day` next to `local` in this direction.
    fn time_of(self, times: &Times, day: NaiveDate, local: NaiveDateTime) -> Option<NaiveTime> {
        let whole_day_is_ahead = self.is_past(day, local.date());
        match self {
            _ if day != local.date() && !whole_day_is_ahead => None,
            Self::Forward if whole_day_is_ahead => times.first(),
            Self::Backward if whole_day_is_ahead => times.last(),
            Self::Forward => times.after(local.time()),
            Self::Backward => times.at_or_before(local.time()),
        }
    }
}
