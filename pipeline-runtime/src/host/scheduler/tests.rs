//! Tests of schedules on virtual time: which ticks run, across clock changes and stops.
#![allow(clippy::needless_raw_string_hashes, reason = "goldens are written by expect-test")]

use super::*;
use crate::author::asset::WhenRule;
use crate::schedule::{Zone, parse_date};
use expect_test::expect;
use std::fmt::Write;
use std::time::Duration;

/// A scheduler driven on virtual time, whose runs take `takes`, and which is stopped and started again.
struct Simulated {
    timetable: Timetable,
    takes: Duration,
    fails: Vec<&'static str>,
    scheduler: Scheduler,
    now: Timestamp,
    /// The runs that have not ended: their key, end and interval.
    running: Vec<(RunKey, Timestamp, Interval)>,
    past: Vec<(DateTime<Utc>, RunState)>,
    last: Option<Interval>,
    next_key: RunKey,
    most: usize,
    told: String,
}

fn at(text: &str) -> Timestamp {
    parse_date(text, Zone::UTC).unwrap().into()
}

fn timetable(cron: &str, zone: &str, start: Option<&str>, end: Option<&str>, catchup: bool) -> Timetable {
    let schedule = Schedule::parse(cron, zone).unwrap();
    let window = Window::parse(start, end, catchup, schedule.zone()).unwrap();
    Timetable { schedule: Some(schedule), window, max_active_runs: 16, depends_on_past: false }
}

impl Simulated {
    fn new(timetable: Timetable, now: &str) -> Self {
        let mut simulated = Self {
            timetable,
            takes: Duration::from_mins(1),
            fails: Vec::new(),
            scheduler: Scheduler::default(),
            now: at(now),
            running: Vec::new(),
            past: Vec::new(),
            last: None,
            next_key: 1,
            most: 0,
            told: String::new(),
        };
        simulated.serve();
        simulated
    }

    /// A process starts, and knows what the journal knows.
    fn serve(&mut self) {
        self.scheduler = Scheduler::default();
        let of_last = |(start, _): &&(DateTime<Utc>, RunState)| self.last.is_some_and(|last| last.start == *start);
        let outcome = self.past.iter().rev().find(of_last).map(|(_, state)| *state);
        let known = JournaledState { last: self.last, outcome, ..JournaledState::default() };
        self.scheduler.add("p", self.timetable.clone(), known, Some(self.now));
        for (key, _, interval) in &self.running {
            let turn = Turn { key: *key, kind: RunKind::Scheduled, interval: *interval, max_active: None };
            self.scheduler.began("p", turn);
        }
    }

    /// The process ends, and another starts at `until`.
    fn stopped_until(&mut self, until: &str) -> &mut Self {
        let _ = writeln!(self.told, "-- stopped until {until}");
        self.now = at(until);
        self.serve();
        self
    }

    fn wall(&self, time: DateTime<Utc>) -> String {
        let zone = self.timetable.schedule.as_ref().unwrap().zone();
        time.with_timezone(&zone).format("%a %d %H:%M %z").to_string()
    }

    fn begin(&mut self) {
        while let Some(begin) = self.scheduler.next(self.now) {
            let DueRun::Interval { interval, on_time, .. } = begin else { panic!("nothing was queued") };
            let late = if on_time { "" } else { ", made up for" };
            let (now, start, end) = (self.wall(self.now.to_utc()), self.wall(interval.start), self.wall(interval.end));
            let _ = writeln!(self.told, "{now}: {start} .. {end}{late}");
            let key = self.next_key;
            self.next_key += 1;
            self.last = Some(interval);
            self.running.push((key, self.now + self.takes, interval));
            self.scheduler.began("p", Turn { key, kind: RunKind::Scheduled, interval, max_active: None });
            self.most = self.most.max(self.running.len());
        }
    }

    /// Follows the schedule from one wake-up to the next.
    fn until(&mut self, until: &str) -> &mut Self {
        let until = at(until);
        loop {
            let ended: Vec<_> = self.running.iter().filter(|(_, end, _)| *end <= self.now).copied().collect();
            self.running.retain(|(_, end, _)| *end > self.now);
            for (key, _, interval) in ended {
                let fails = self.fails.contains(&interval.start.format("%F").to_string().as_str());
                let state = if fails { RunState::Failed } else { RunState::Success };
                self.past.push((interval.start, state));
                self.scheduler.ended("p", key, state);
            }
            self.begin();
            let next = self.scheduler.wake(self.now).into_iter().chain(self.running.iter().map(|(_, end, _)| *end)).min();
            match next {
                Some(next) if next <= until => self.now = next,
                _ => break,
            }
        }
        self.now = until;
        self
    }
}

#[test]
fn a_fixed_time_fires_once_on_the_day_the_clock_goes_forward_and_on_the_day_it_goes_back() {
    let daily = || timetable("30 2 * * *", "Europe/Berlin", Some("2024-01-01"), None, true);
    let mut forward = Simulated::new(daily(), "2024-03-30T00:00Z");
    forward.last = Some(Interval { start: at("2024-03-28T01:30Z").to_utc(), end: at("2024-03-29T01:30Z").to_utc() });
    forward.serve();
    expect![[r#"
        Sat 30 02:30 +0100: Fri 29 02:30 +0100 .. Sat 30 02:30 +0100
        Sun 31 03:00 +0200: Sat 30 02:30 +0100 .. Sun 31 03:00 +0200
        Mon 01 02:30 +0200: Sun 31 03:00 +0200 .. Mon 01 02:30 +0200
    "#]]
    .assert_eq(&forward.until("2024-04-01T12:00Z").told);
    let mut back = Simulated::new(daily(), "2024-10-26T00:00Z");
    back.last = Some(Interval { start: at("2024-10-24T00:30Z").to_utc(), end: at("2024-10-25T00:30Z").to_utc() });
    back.serve();
    expect![[r#"
        Sat 26 02:30 +0200: Fri 25 02:30 +0200 .. Sat 26 02:30 +0200
        Sun 27 02:30 +0200: Sat 26 02:30 +0200 .. Sun 27 02:30 +0200
        Mon 28 02:30 +0100: Sun 27 02:30 +0200 .. Mon 28 02:30 +0100
    "#]]
    .assert_eq(&back.until("2024-10-28T12:00Z").told);
}

#[test]
fn an_interval_line_fires_in_every_slot_that_the_wall_clock_shows() {
    let hourly = || timetable("0 * * * *", "Europe/Berlin", None, None, false);
    expect![[r#"
        Sun 31 01:00 +0100: Sun 31 00:00 +0100 .. Sun 31 01:00 +0100
        Sun 31 03:00 +0200: Sun 31 01:00 +0100 .. Sun 31 03:00 +0200
        Sun 31 04:00 +0200: Sun 31 03:00 +0200 .. Sun 31 04:00 +0200
    "#]]
    .assert_eq(&Simulated::new(hourly(), "2024-03-31T00:00Z").until("2024-03-31T02:30Z").told);
    expect![[r#"
        Sun 27 01:00 +0200: Sun 27 00:00 +0200 .. Sun 27 01:00 +0200
        Sun 27 02:00 +0200: Sun 27 01:00 +0200 .. Sun 27 02:00 +0200
        Sun 27 02:00 +0100: Sun 27 02:00 +0200 .. Sun 27 02:00 +0100
        Sun 27 03:00 +0100: Sun 27 02:00 +0100 .. Sun 27 03:00 +0100
    "#]]
    .assert_eq(&Simulated::new(hourly(), "2024-10-26T23:00Z").until("2024-10-27T02:30Z").told);
}

#[test]
fn after_a_stop_of_three_days_catchup_makes_up_for_all_and_else_the_latest_runs() {
    let told = |catchup| {
        let daily = timetable("0 6 * * *", "UTC", Some("2024-03-01"), None, catchup);
        let mut simulated = Simulated::new(daily, "2024-03-02T00:00Z");
        simulated.until("2024-03-03T12:00Z").stopped_until("2024-03-06T12:00Z").until("2024-03-07T12:00Z");
        simulated.told
    };
    expect![[r#"
        Sun 03 06:00 +0000: Sat 02 06:00 +0000 .. Sun 03 06:00 +0000
        -- stopped until 2024-03-06T12:00Z
        Wed 06 12:00 +0000: Tue 05 06:00 +0000 .. Wed 06 06:00 +0000, made up for
        Thu 07 06:00 +0000: Wed 06 06:00 +0000 .. Thu 07 06:00 +0000
    "#]]
    .assert_eq(&told(false).replace("Sat 02 06:00 +0000: Fri 01 06:00 +0000 .. Sat 02 06:00 +0000\n", ""));
    expect![[r#"
        Sun 03 06:00 +0000: Sat 02 06:00 +0000 .. Sun 03 06:00 +0000
        -- stopped until 2024-03-06T12:00Z
        Wed 06 12:00 +0000: Sun 03 06:00 +0000 .. Mon 04 06:00 +0000, made up for
        Wed 06 12:00 +0000: Mon 04 06:00 +0000 .. Tue 05 06:00 +0000, made up for
        Wed 06 12:00 +0000: Tue 05 06:00 +0000 .. Wed 06 06:00 +0000, made up for
        Thu 07 06:00 +0000: Wed 06 06:00 +0000 .. Thu 07 06:00 +0000
    "#]]
    .assert_eq(&told(true).replace("Sat 02 06:00 +0000: Fri 01 06:00 +0000 .. Sat 02 06:00 +0000\n", ""));
}

#[test]
fn a_tick_that_came_and_went_while_stopped_is_not_run_twice() {
    let daily = timetable("0 6 * * *", "UTC", None, None, false);
    let mut simulated = Simulated::new(daily, "2024-03-02T05:59Z");
    simulated.until("2024-03-02T06:00Z").stopped_until("2024-03-02T06:00:10Z").until("2024-03-02T12:00Z");
    assert_eq!(simulated.told.matches("Sat 02 06:00 +0000").count(), 2, "{}", simulated.told);
}

#[test]
fn at_most_max_active_runs_are_active_and_the_rest_of_a_catchup_follows() {
    let hourly = Timetable { max_active_runs: 3, ..timetable("@hourly", "UTC", Some("2024-03-01"), None, true) };
    let mut simulated = Simulated::new(hourly, "2024-03-01T20:00Z");
    simulated.takes = Duration::from_mins(20);
    simulated.until("2024-03-02T12:00Z");
    assert_eq!((simulated.next_key - 1, simulated.most), (36, 3), "{}", simulated.told);
}

#[test]
fn without_catchup_what_could_not_begin_in_time_is_left_out() {
    let hourly = Timetable { max_active_runs: 1, ..timetable("@hourly", "UTC", None, None, false) };
    let mut simulated = Simulated::new(hourly, "2024-03-01T01:00Z");
    simulated.takes = Duration::from_mins(150);
    expect![[r#"
        Fri 01 01:00 +0000: Fri 01 00:00 +0000 .. Fri 01 01:00 +0000
        Fri 01 03:30 +0000: Fri 01 02:00 +0000 .. Fri 01 03:00 +0000
        Fri 01 06:00 +0000: Fri 01 05:00 +0000 .. Fri 01 06:00 +0000
    "#]]
    .assert_eq(&simulated.until("2024-03-01T06:30Z").told);
}

#[test]
fn what_depends_on_the_past_waits_for_its_success_also_over_a_restart() {
    let daily = Timetable { depends_on_past: true, ..timetable("@daily", "UTC", Some("2024-03-01"), None, true) };
    let mut simulated = Simulated::new(daily, "2024-03-02T00:00Z");
    simulated.fails = vec!["2024-03-02"];
    simulated.until("2024-03-05T12:00Z").stopped_until("2024-03-06T12:00Z").until("2024-03-06T13:00Z");
    let mended = simulated.last.unwrap();
    // The failed run is retried.
    simulated.scheduler.began("p", Turn { key: 99, kind: RunKind::Scheduled, interval: mended, max_active: None });
    assert_eq!(simulated.scheduler.ended("p", 99, RunState::Success), EndEffect::Clear);
    simulated.until("2024-03-06T23:00Z");
    expect![[r#"
        Sat 02 00:00 +0000: Fri 01 00:00 +0000 .. Sat 02 00:00 +0000
        Sun 03 00:00 +0000: Sat 02 00:00 +0000 .. Sun 03 00:00 +0000
        -- stopped until 2024-03-06T12:00Z
        Wed 06 13:00 +0000: Sun 03 00:00 +0000 .. Mon 04 00:00 +0000, made up for
        Wed 06 13:01 +0000: Mon 04 00:00 +0000 .. Tue 05 00:00 +0000, made up for
        Wed 06 13:02 +0000: Tue 05 00:00 +0000 .. Wed 06 00:00 +0000, made up for
    "#]]
    .assert_eq(&simulated.told);
}

#[test]
fn nothing_runs_before_the_start_or_after_the_end() {
    let daily = timetable("@daily", "UTC", Some("2024-03-02"), Some("2024-03-03"), true);
    let mut simulated = Simulated::new(daily, "2024-02-28T00:00Z");
    expect![[r#"
        Sun 03 00:00 +0000: Sat 02 00:00 +0000 .. Sun 03 00:00 +0000
        Mon 04 00:00 +0000: Sun 03 00:00 +0000 .. Mon 04 00:00 +0000
    "#]]
    .assert_eq(&simulated.until("2024-03-10T00:00Z").told);
    assert_eq!(simulated.scheduler.wake(simulated.now), None);
}

#[test]
fn a_paused_pipeline_starts_nothing_by_itself_and_goes_on_by_the_catchup_rule() {
    let mut simulated = Simulated::new(timetable("@daily", "UTC", None, None, false), "2024-03-02T00:00Z");
    simulated.until("2024-03-02T12:00Z");
    simulated.scheduler.pause("p", true, simulated.now);
    let by_hand = Turn { key: 50, kind: RunKind::Manual, interval: simulated.last.unwrap(), max_active: None };
    simulated.scheduler.queue("p", by_hand);
    let begun = simulated.scheduler.next(simulated.now);
    assert_eq!(begun, Some(DueRun::Queued { pipeline: "p".into(), turn: by_hand }));
    simulated.scheduler.began("p", by_hand);
    assert_eq!(simulated.scheduler.ended("p", 50, RunState::Success), EndEffect::Clear);
    simulated.until("2024-03-05T12:00Z");
    simulated.scheduler.pause("p", false, simulated.now);
    simulated.until("2024-03-06T12:00Z");
    expect![[r#"
        Sat 02 00:00 +0000: Fri 01 00:00 +0000 .. Sat 02 00:00 +0000
        Tue 05 12:00 +0000: Mon 04 00:00 +0000 .. Tue 05 00:00 +0000, made up for
        Wed 06 00:00 +0000: Tue 05 00:00 +0000 .. Wed 06 00:00 +0000
    "#]]
    .assert_eq(&simulated.told);
}

/// A day of March.
fn day(day: u32) -> Interval {
    let start = at(&format!("2024-03-{day:02}")).to_utc();
    Interval { start, end: start + chrono::TimeDelta::days(1) }
}

/// A backfill run of that day, whose key is the day's number.
fn backfilled(number: u32, max: u32) -> Turn {
    Turn { key: number.into(), kind: RunKind::Backfill, interval: day(number), max_active: Some(max) }
}

/// A daily pipeline whose schedule is not followed.
fn daily(depends_on_past: bool, known: JournaledState) -> Scheduler {
    let daily = Timetable { depends_on_past, max_active_runs: 1, ..timetable("@daily", "UTC", None, None, false) };
    let mut scheduler = Scheduler::default();
    scheduler.add("p", daily, known, None);
    scheduler
}

fn queue(scheduler: &mut Scheduler, turns: impl IntoIterator<Item = Turn>) -> Vec<Option<DateTime<Utc>>> {
    turns.into_iter().map(|turn| scheduler.queue("p", turn)).collect()
}

/// Starts what may start, and returns the keys.
fn begun(scheduler: &mut Scheduler) -> Vec<RunKey> {
    let mut keys = Vec::new();
    while let Some(DueRun::Queued { turn, .. }) = scheduler.next(at("2024-04-01")) {
        scheduler.began("p", turn);
        keys.push(turn.key);
    }
    keys
}

#[test]
fn backfills_have_a_limit_of_their_own_and_keep_their_order_where_they_depend_on_the_past() {
    for depends_on_past in [false, true] {
        let mut scheduler = daily(depends_on_past, JournaledState::default());
        scheduler.began("p", Turn { key: 90, kind: RunKind::Manual, interval: day(20), max_active: None });
        queue(&mut scheduler, (1..=4).map(|n| backfilled(n, 2)));
        assert_eq!(begun(&mut scheduler), if depends_on_past { vec![1] } else { vec![1, 2] });
        assert_eq!(scheduler.ended("p", 1, RunState::Success), EndEffect::Clear);
        assert_eq!(begun(&mut scheduler), if depends_on_past { vec![2] } else { vec![3] });
        let after = scheduler.ended("p", 2, RunState::Failed);
        assert_eq!(after, if depends_on_past { EndEffect::HoldsUp } else { EndEffect::Clear });
        assert_eq!(begun(&mut scheduler), if depends_on_past { vec![] } else { vec![4] });
    }
}

#[test]
fn days_that_are_run_again_wait_for_each_other_and_not_for_what_they_came_to_before() {
    let mut scheduler = daily(true, JournaledState::default());
    // All have succeeded before, as the journal reports for the first one.
    let wants = queue(&mut scheduler, (2..=4).map(|n| backfilled(n, 4)));
    assert_eq!(wants, [Some(day(1).start), None, None], "what is queued is not asked about");
    scheduler.outcome("p", day(1).start, RunState::Success);
    assert_eq!(begun(&mut scheduler), [2]);
    scheduler.ended("p", 2, RunState::Success);
    assert_eq!(begun(&mut scheduler), [3]);
    scheduler.ended("p", 3, RunState::Failed);
    assert!(begun(&mut scheduler).is_empty());
    // The newest outcome counts, of whichever run it is.
    scheduler.began("p", Turn { key: 90, kind: RunKind::Manual, interval: day(3), max_active: None });
    assert!(begun(&mut scheduler).is_empty());
    scheduler.ended("p", 90, RunState::Success);
    assert_eq!(begun(&mut scheduler), [4]);
}

#[test]
fn a_day_that_is_cancelled_while_it_is_queued_holds_those_after_it_up() {
    let mut scheduler = daily(true, JournaledState::default());
    queue(&mut scheduler, (1..=4).map(|n| backfilled(n, 4)));
    assert_eq!(begun(&mut scheduler), [1]);
    assert_eq!(scheduler.ended("p", 2, RunState::Cancelled), EndEffect::HoldsUp);
    assert!(begun(&mut scheduler).is_empty());
    scheduler.ended("p", 1, RunState::Success);
    assert!(begun(&mut scheduler).is_empty());
    // The cancelled run is retried.
    scheduler.began("p", backfilled(2, 4));
    scheduler.ended("p", 2, RunState::Success);
    assert_eq!(begun(&mut scheduler), [3]);
    assert_eq!(scheduler.ended("p", 3, RunState::Success), EndEffect::Clear);
    assert_eq!(begun(&mut scheduler), [4]);
}

#[test]
fn a_day_that_is_unfinished_in_the_journal_alone_holds_those_after_it_up() {
    let unfinished = Turn { key: 1, kind: RunKind::Manual, interval: day(1), max_active: None };
    let mut scheduler = daily(true, JournaledState { unfinished: vec![unfinished], ..JournaledState::default() });
    let wants = queue(&mut scheduler, (2..=3).map(|n| backfilled(n, 4)));
    assert_eq!(wants, [None, None]);
    assert!(begun(&mut scheduler).is_empty());
    scheduler.began("p", unfinished);
    assert!(begun(&mut scheduler).is_empty());
    scheduler.ended("p", 1, RunState::Success);
    assert_eq!(begun(&mut scheduler), [2]);
}

#[test]
fn what_could_not_begin_is_due_again_after_a_while() {
    let mut scheduler = Scheduler::default();
    scheduler.add("p", timetable("@daily", "UTC", None, None, false), JournaledState::default(), Some(at("2024-03-02")));
    let now = at("2024-03-02T00:00:10Z");
    let first = scheduler.next(now);
    assert!(matches!(first, Some(DueRun::Interval { interval, .. }) if interval == day(1)), "{first:?}");
    assert_eq!(scheduler.next(now), first, "nobody has said that it has begun");
    scheduler.hold("p", now + Duration::from_mins(1));
    assert_eq!(scheduler.next(now), None);
    assert_eq!(scheduler.wake(now), Some(now + Duration::from_mins(1)));
    assert_eq!(scheduler.next(now + Duration::from_mins(1)), first);
    scheduler.began("p", Turn { key: 1, kind: RunKind::Scheduled, interval: day(1), max_active: None });
    assert_eq!(scheduler.next(now + Duration::from_mins(1)), None);
}

/// Returns how often queued runs are visited while that many hours of a backfill run one after the other.
fn steps_of(hours: u32, depends_on_past: bool) -> usize {
    let hourly = Timetable { depends_on_past, max_active_runs: 1, ..timetable("@hourly", "UTC", None, None, false) };
    let mut scheduler = Scheduler::default();
    scheduler.add("p", hourly, JournaledState::default(), None);
    let start = at("2024-01-01").to_utc();
    let hour = |n: u32| start + chrono::TimeDelta::hours(n.into());
    queue::steps::take();
    for n in 0..hours {
        let interval = Interval { start: hour(n), end: hour(n + 1) };
        let turn = Turn { key: n.into(), kind: RunKind::Backfill, interval, max_active: None };
        let asks = scheduler.queue("p", turn);
        assert_eq!(asks.is_some(), depends_on_past && n == 0, "the journal is asked once");
    }
    for n in 0..hours {
        assert_eq!(begun(&mut scheduler), [RunKey::from(n)]);
        scheduler.ended("p", n.into(), RunState::Success);
    }
    assert!(scheduler.pipelines["p"].known_outcomes() <= 1, "what nobody waits for is forgotten");
    queue::steps::take()
}

#[test]
fn what_a_run_that_ends_lets_begin_is_found_in_as_many_steps_however_many_are_queued() {
    for depends_on_past in [false, true] {
        let (of_few, of_many) = (steps_of(300, depends_on_past), steps_of(2_881, depends_on_past));
        assert!(of_few <= 6 * 300, "{of_few} steps for 300 hours");
        assert!(of_many <= 6 * 2_881, "{of_many} steps for 2,881 hours");
    }
    assert!(steps_of(100_000, true) <= 6 * 100_000);
}

#[test]
fn intervals_that_ran_by_a_later_date_run_once_and_hold_up_what_depends_on_them() {
    let interval = |day: u32| Interval {
        start: at(&format!("2024-03-{day:02}")).to_utc(),
        end: at(&format!("2024-03-{:02}", day + 1)).to_utc(),
    };
    let depends = Timetable { depends_on_past: true, ..timetable("@daily", "UTC", None, None, true) };
    let known = |outcome| JournaledState {
        last: Some(interval(1)),
        outcome: Some(RunState::Success),
        ahead: vec![(interval(3).start, Some(outcome))],
        ..JournaledState::default()
    };
    let begin = |scheduler: &mut Scheduler, now: &str, key| {
        let Some(DueRun::Interval { interval, .. }) = scheduler.next(at(now)) else { return None };
        scheduler.began("p", Turn { key, kind: RunKind::Scheduled, interval, max_active: None });
        scheduler.ended("p", key, RunState::Success);
        Some(interval.start.format("%d").to_string())
    };
    for (outcome, after) in [(RunState::Success, Some("04".to_owned())), (RunState::Failed, None)] {
        let mut scheduler = Scheduler::default();
        scheduler.add("p", depends.clone(), known(outcome), Some(at("2024-03-02")));
        assert_eq!(begin(&mut scheduler, "2024-03-03", 1).as_deref(), Some("02"));
        assert_eq!(begin(&mut scheduler, "2024-03-04", 2), None, "the 3rd has run");
        assert_eq!(begin(&mut scheduler, "2024-03-05", 3), after, "the 3rd: {outcome}");
    }
    // Resuming a run of a future interval is no reason to leave anything out.
    let mut scheduler = Scheduler::default();
    scheduler.add("p", depends, known(RunState::Failed), Some(at("2024-03-02")));
    scheduler.began("p", Turn { key: 7, kind: RunKind::Scheduled, interval: interval(3), max_active: None });
    assert_eq!(begin(&mut scheduler, "2024-03-03", 8).as_deref(), Some("02"));
}

/// Whole working days: the weekend is not a data interval.
struct WorkingDays;

impl WorkingDays {
    fn day(date: chrono::NaiveDate) -> Option<Interval> {
        use chrono::{Datelike, Days, NaiveTime, Weekday};
        let is_free = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
        let start = date.and_time(NaiveTime::MIN).and_utc();
        (!is_free).then(|| Interval::new(start, start + Days::new(1)))
    }
}

impl crate::schedule::Timetable for WorkingDays {
    fn next_after(&self, t: DateTime<Utc>, _: Zone) -> Option<Interval> {
        (0..7).filter_map(|n| Self::day(t.date_naive() + chrono::Days::new(n))).find(|day| day.start > t)
    }

    fn last_at_or_before(&self, t: DateTime<Utc>, _: Zone) -> Option<Interval> {
        (0..7).filter_map(|n| Self::day(t.date_naive() - chrono::Days::new(n))).find(|day| day.start <= t)
    }

    fn describe(&self) -> String {
        "working days".into()
    }
}

fn working_days(catchup: bool, depends_on_past: bool) -> Timetable {
    let window = Window::parse(Some("2024-03-21"), None, catchup, Zone::UTC).unwrap();
    Timetable { schedule: Some(Schedule::of(WorkingDays, "UTC").unwrap()), window, max_active_runs: 16, depends_on_past }
}

#[test]
fn a_calendar_with_gaps_is_followed_over_them() {
    let mut followed = Simulated::new(working_days(false, false), "2024-03-21T12:00Z");
    // Friday's run is due when Friday is over; the next one when Monday is.
    expect![[r#"
        Fri 22 00:00 +0000: Thu 21 00:00 +0000 .. Fri 22 00:00 +0000
        Sat 23 00:00 +0000: Fri 22 00:00 +0000 .. Sat 23 00:00 +0000
        Tue 26 00:00 +0000: Mon 25 00:00 +0000 .. Tue 26 00:00 +0000
    "#]]
    .assert_eq(&followed.until("2024-03-26T12:00Z").told);
    let stopped = |catchup| {
        let mut simulated = Simulated::new(working_days(catchup, false), "2024-03-21T12:00Z");
        simulated.until("2024-03-22T12:00Z").stopped_until("2024-03-27T12:00Z").until("2024-03-28T12:00Z");
        simulated.told.split_off(simulated.told.find("--").unwrap())
    };
    expect![[r#"
        -- stopped until 2024-03-27T12:00Z
        Wed 27 12:00 +0000: Fri 22 00:00 +0000 .. Sat 23 00:00 +0000, made up for
        Wed 27 12:00 +0000: Mon 25 00:00 +0000 .. Tue 26 00:00 +0000, made up for
        Wed 27 12:00 +0000: Tue 26 00:00 +0000 .. Wed 27 00:00 +0000, made up for
        Thu 28 00:00 +0000: Wed 27 00:00 +0000 .. Thu 28 00:00 +0000
    "#]]
    .assert_eq(&stopped(true));
    expect![[r#"
        -- stopped until 2024-03-27T12:00Z
        Wed 27 12:00 +0000: Tue 26 00:00 +0000 .. Wed 27 00:00 +0000, made up for
        Thu 28 00:00 +0000: Wed 27 00:00 +0000 .. Thu 28 00:00 +0000
    "#]]
    .assert_eq(&stopped(false));
}

#[test]
fn over_a_gap_an_interval_depends_on_the_one_before_it() {
    let mut simulated = Simulated::new(working_days(true, true), "2024-03-21T12:00Z");
    simulated.fails = vec!["2024-03-22"];
    // Friday's run fails, so Monday's waits.
    expect![[r#"
        Fri 22 00:00 +0000: Thu 21 00:00 +0000 .. Fri 22 00:00 +0000
        Sat 23 00:00 +0000: Fri 22 00:00 +0000 .. Sat 23 00:00 +0000
    "#]]
    .assert_eq(&simulated.until("2024-03-27T12:00Z").told);
    // The same for a backfill: Monday's run waits for Friday's.
    let day = |text: &str| WorkingDays::day(at(text).to_utc().date_naive()).unwrap();
    let mut scheduler = Scheduler::default();
    scheduler.add("p", working_days(false, true), JournaledState::default(), None);
    for (key, date) in [(1, "2024-03-22"), (2, "2024-03-25")] {
        scheduler.queue("p", Turn { key, kind: RunKind::Backfill, interval: day(date), max_active: Some(4) });
    }
    let next = |scheduler: &Scheduler| match scheduler.next(at("2024-03-30")) {
        Some(DueRun::Queued { turn, .. }) => Some(turn),
        _ => None,
    };
    let friday = next(&scheduler).unwrap();
    assert_eq!(friday.key, 1);
    scheduler.began("p", friday);
    assert_eq!(next(&scheduler), None);
    scheduler.ended("p", 1, RunState::Success);
    assert_eq!(next(&scheduler).map(|turn| turn.key), Some(2));
}

const ASSETS: [&str; 2] = ["visits", "processes"];

/// A pipeline that waits for both assets, one run at a time, in a process that has just started.
fn waiting(rule: WhenRule, known: [(i64, i64); 2]) -> Scheduler {
    let window = Window::parse(None, None, false, Zone::UTC).unwrap();
    let timetable = Timetable { schedule: None, window, max_active_runs: 1, depends_on_past: false };
    let assets = ASSETS.into_iter().zip(known).map(|(asset, (newest, used))| (asset, newest, used));
    let known = JournaledState { awaits: Some(AssetCondition::new(rule, assets)), ..JournaledState::default() };
    let mut scheduler = Scheduler::default();
    scheduler.add("model", timetable, known, Some(at("2024-03-01")));
    scheduler
}

/// Returns the updates that a run starts for: for each asset, those after one id up to another.
fn begins(scheduler: &Scheduler) -> Option<Vec<(&'static str, i64, i64)>> {
    match scheduler.next(at("2024-03-01"))? {
        DueRun::Updated { updates, .. } => {
            Some(updates.iter().map(|update| (update.asset, update.after, update.newest)).collect())
        }
        other => panic!("{other:?}"),
    }
}

/// Starts that run.
fn begin(scheduler: &mut Scheduler, key: RunKey) {
    let Some(DueRun::Updated { pipeline, updates }) = scheduler.next(at("2024-03-01")) else { panic!("nothing begins") };
    let interval = Interval { start: at("2024-03-01").to_utc(), end: at("2024-03-01").to_utc() };
    scheduler.began(&pipeline, Turn { key, kind: RunKind::AssetTriggered, interval, max_active: None });
    scheduler.consume_updates(&pipeline, &updates);
}

#[test]
fn a_run_begins_once_each_asset_was_updated_and_uses_up_all_that_came_before() {
    let mut scheduler = waiting(WhenRule::All, [(0, 0), (0, 0)]);
    scheduler.updated("visits", 1);
    scheduler.updated("visits", 2);
    assert_eq!(begins(&scheduler), None);
    scheduler.updated("processes", 3);
    scheduler.updated("others", 4);
    assert_eq!(begins(&scheduler), Some(vec![("visits", 0, 2), ("processes", 0, 3)]));
    begin(&mut scheduler, 1);
    assert_eq!(begins(&scheduler), None);
    // An update that it already knew arrives again.
    scheduler.updated("visits", 2);
    assert_eq!(begins(&scheduler), None);
}

#[test]
fn updates_that_come_while_there_is_no_place_begin_one_run_together() {
    let mut scheduler = waiting(WhenRule::Any, [(1, 0), (0, 0)]);
    begin(&mut scheduler, 1);
    (2..5).for_each(|id| scheduler.updated("visits", id));
    scheduler.updated("processes", 5);
    assert_eq!(begins(&scheduler), None, "`max_active_runs` is one");
    scheduler.ended("model", 1, RunState::Failed);
    assert_eq!(begins(&scheduler), Some(vec![("visits", 1, 4), ("processes", 0, 5)]));
    begin(&mut scheduler, 2);
    scheduler.ended("model", 2, RunState::Success);
    assert_eq!(begins(&scheduler), None);
}

#[test]
fn a_paused_pipeline_collects_and_a_new_process_knows_what_was_used_up() {
    let mut scheduler = waiting(WhenRule::All, [(7, 7), (9, 8)]);
    assert_eq!(begins(&scheduler), None, "only one of both is new");
    scheduler.pause("model", true, at("2024-03-01"));
    (10..13).for_each(|id| scheduler.updated("visits", id));
    assert_eq!(begins(&scheduler), None);
    scheduler.pause("model", false, at("2024-03-01"));
    assert_eq!(begins(&scheduler), Some(vec![("visits", 7, 12), ("processes", 8, 9)]));
}

#[test]
fn an_update_costs_no_pipeline_that_does_not_wait_for_it() {
    let mut scheduler = waiting(WhenRule::All, [(0, 0), (0, 0)]);
    for n in 0..1_000 {
        let window = Window::parse(None, None, false, Zone::UTC).unwrap();
        let timetable = Timetable { schedule: None, window, max_active_runs: 1, depends_on_past: false };
        let known =
            JournaledState { awaits: Some(AssetCondition::new(WhenRule::All, [("others", 0, 0)])), ..JournaledState::default() };
        scheduler.add(&format!("other_{n}"), timetable, known, Some(at("2024-03-01")));
    }
    crate::plan::steps::take();
    scheduler.updated("visits", 1);
    assert_eq!(crate::plan::steps::take(), 1, "of 1,001 pipelines one was told");
}
