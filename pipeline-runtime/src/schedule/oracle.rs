//! Property tests of the search against a walk over every minute, which shares no code with it: croner decides which minutes
//! match.
//!
//! Each prints its seed; `PROPTEST_RNG_SEED=<seed>` repeats a run and `PROPTEST_CASES=<n>` makes it longer.

use std::hash::{BuildHasher, RandomState};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use croner::parser::CronParser;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngSeed, TestCaseResult, TestRunner};

use super::Schedule;
use super::cron::Line;
use super::schedule::Rule;
use crate::time::Zone;

const MINUTE: TimeDelta = TimeDelta::minutes(1);

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn zone(name: &str) -> Zone {
    Zone::named(name).unwrap()
}

fn check<S: Strategy>(name: &str, strategy: &S, property: impl Fn(S::Value) -> TestCaseResult) {
    let config = Config::default();
    let seed = match config.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => RandomState::new().hash_one(name),
    };
    // The walk is slow; a short run in the suite, a long one on demand.
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { config.cases } else { 64 };
    println!("{name}: repeat with PROPTEST_RNG_SEED={seed}");
    let config = Config { rng_seed: RngSeed::Fixed(seed), cases, failure_persistence: None, ..config };
    if let Err(error) = TestRunner::new(config).run(strategy, property) {
        panic!("PROPTEST_RNG_SEED={seed}: {error}");
    }
}

/// A line and whether it is a fixed-time line, which the generator knows without reading it.
fn line() -> impl Strategy<Value = (String, bool)> {
    fn times(high: u8) -> impl Strategy<Value = (String, bool)> {
        prop_oneof![
            1 => Just(("*".to_owned(), false)),
            2 => (1..high).prop_map(|step| (format!("*/{step}"), false)),
            1 => (0..high, 1..high).prop_map(|(from, step)| (format!("{from}/{step}"), false)),
            3 => (0..=high).prop_map(|value| (value.to_string(), true)),
            2 => (0..=high, 0..=high, 0..=high).prop_map(|(a, b, c)| (format!("{a},{b},{c}"), true)),
            1 => (0..high / 2, high / 2..high).prop_map(|(from, to)| (format!("{from}-{to}"), true)),
        ]
    }
    // Most clock changes are within the first hours of a day.
    let hours = prop_oneof![times(23), (0..=3_u8).prop_map(|hour| (hour.to_string(), true))];
    (times(59), hours, days()).prop_map(|((minute, fixed_minute), (hour, fixed_hour), days)| {
        (format!("{minute} {hour} {days}"), fixed_minute && fixed_hour)
    })
}

fn days() -> impl Strategy<Value = String> {
    let day = prop_oneof![
        5 => Just("*".to_owned()),
        1 => (1..=31_u8).prop_map(|day| day.to_string()),
        1 => (2..=7_u8).prop_map(|step| format!("*/{step}")),
        1 => Just("L".to_owned()),
        1 => Just("28-31".to_owned()),
    ];
    let weekday = select(vec!["*", "*", "*", "1-5", "0", "6,7"]);
    (day, weekday).prop_map(|(day, weekday)| format!("{day} * {weekday}"))
}

/// A zone and an instant near one of its clock changes, or anywhere.
fn place() -> impl Strategy<Value = (Zone, DateTime<Utc>)> {
    let changes = [
        (zone("Europe/Berlin"), "2024-03-31T01:00:00Z"),
        (zone("Europe/Berlin"), "2024-10-27T01:00:00Z"),
        (zone("America/New_York"), "2024-03-10T07:00:00Z"),
        (zone("America/New_York"), "2024-11-03T06:00:00Z"),
        // Half an hour.
        (zone("Australia/Lord_Howe"), "2024-10-05T15:30:00Z"),
        (zone("Australia/Lord_Howe"), "2024-04-06T15:00:00Z"),
        // Across midnight: forwards, back, and back at one minute past it.
        (zone("America/Sao_Paulo"), "2018-11-04T03:00:00Z"),
        (zone("America/Sao_Paulo"), "2018-02-18T02:00:00Z"),
        (zone("America/St_Johns"), "2010-11-07T02:31:00Z"),
        // A skipped day, and a day that happened twice.
        (zone("Pacific/Apia"), "2011-12-30T10:00:00Z"),
        (zone("Pacific/Kwajalein"), "1993-08-20T12:00:00Z"),
        (zone("Antarctica/Troll"), "2024-03-31T01:00:00Z"),
        (zone("Antarctica/Troll"), "2024-10-27T01:00:00Z"),
        (zone("Africa/Casablanca"), "2024-03-10T02:00:00Z"),
        (Zone::UTC, "2024-02-29T00:00:00Z"),
        (zone("Asia/Kathmandu"), "2024-02-29T00:00:00Z"),
    ]
    .map(|(zone, change)| (zone, utc(change)));
    let near = (select(changes.to_vec()), -4 * 24 * 60..4 * 24 * 60_i64)
        .prop_map(|((zone, change), minutes)| (zone, change + TimeDelta::minutes(minutes)));
    // 1986 to 2037: the years in which all zones are whole minutes from UTC.
    let anywhere =
        (select(pipeline_syntax::zone::database::built_in_names().map(zone).collect::<Vec<_>>()), 504_921_600..2_145_916_800_i64)
            .prop_map(|(zone, seconds)| (zone, DateTime::from_timestamp(seconds - seconds % 60, 0).unwrap_or_default()));
    prop_oneof![2 => near, 1 => anywhere]
}

/// The line of a schedule with a single line.
fn of_one(schedule: &Schedule) -> &Line {
    let Rule::Lines(lines) = &schedule.rule else { panic!("a line") };
    &lines[0]
}

/// The ticks of a line from `from` to `to`, both inclusive, by checking the wall clock every minute.
fn walk(schedule: &Schedule, fixed_time: bool, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let wall = |t: DateTime<Utc>| t.with_timezone(&schedule.zone()).naive_local();
    // croner reads the generator's lines in the same way, with this option.
    let parser = CronParser::builder().sloppy_ranges(true).build();
    let cron = parser.parse(of_one(schedule).text()).unwrap();
    let matches = |wall: NaiveDateTime| cron.is_time_matching(&wall).unwrap();
    // The furthest that the clock has shown; starting two days before shows what a repeated day has already shown.
    let mut t = from - TimeDelta::days(2);
    let mut reached = wall(t);
    let mut ticks = Vec::new();
    while t <= to {
        let now = wall(t);
        let fires = if fixed_time {
            // A fixed time fires when the clock first reaches or passes it.
            let mut fires = false;
            while reached < now {
                reached += MINUTE;
                fires |= matches(reached);
            }
            fires
        } else {
            matches(now)
        };
        if fires && t >= from {
            ticks.push(t);
        }
        t += MINUTE;
    }
    ticks
}

#[test]
fn the_search_finds_what_a_walk_over_every_minute_finds() {
    check("walk", &(line(), place(), any::<u32>()), |((cron, fixed_time), (zone, from), salt)| {
        let Ok(schedule) = Schedule::new(&cron, zone) else {
            return Err(TestCaseError::fail("the generator makes valid lines"));
        };
        prop_assert_eq!(of_one(&schedule).fixed_time, fixed_time);
        let to = from + TimeDelta::days(3);
        let walked = walk(&schedule, fixed_time, from, to);
        prop_assert_eq!(schedule.ticks(from, to).collect::<Vec<_>>(), walked.clone());

        // Both directions, from ticks and from instants around them, and from a few anywhere.
        let around = walked.iter().take(100).flat_map(|tick| [-1, 0, 1].map(|ns| *tick + TimeDelta::nanoseconds(ns)));
        let anywhere =
            (0..20).map(|n| from + TimeDelta::milliseconds(i64::from(salt.wrapping_mul(2 * n + 1)) % (3 * 86_400_000)));
        for t in around.chain(anywhere) {
            if let Some(next) = walked.iter().find(|tick| **tick > t) {
                prop_assert_eq!(schedule.next_after(t), Some(*next), "next after {}", t);
            }
            if let Some(last) = walked.iter().rfind(|tick| **tick <= t) {
                prop_assert_eq!(schedule.last_at_or_before(t), Some(*last), "last at or before {}", t);
            }
        }
        Ok(())
    });
}

#[test]
fn next_and_last_invert_each_other_however_sparse_the_line() {
    let sparse = select(vec![
        "0 0 29 2 *",
        "30 2 31 * *",
        "30 2 29 2 1#5",
        "0 0 * 2 1#5",
        "30 2 L */3 *",
        "0 3 15W 3,10 *",
        "*/30 2 31 3 0",
        "0 0 1 1 *",
        "30 2 * 3,10 L0",
    ]);
    let sparse = sparse.prop_filter("refused: both day fields", |cron| Schedule::new(cron, Zone::UTC).is_ok());
    check("sparse", &(sparse, place()), |(cron, (zone, t))| {
        let schedule = Schedule::new(cron, zone).unwrap();
        let last = schedule.last_at_or_before(t).unwrap();
        let next = schedule.next_after(t).unwrap();
        prop_assert!(last <= t && t < next);
        prop_assert_eq!(schedule.next_after(last), Some(next));
        prop_assert_eq!(schedule.last_before(next), Some(last));
        prop_assert_eq!(schedule.last_at_or_before(next), Some(next));
        prop_assert_eq!(schedule.interval_starting_at_or_before(t), schedule.interval_ending_at(next));
        Ok(())
    });
}

#[test]
fn a_window_without_bounds_owes_each_interval_once_however_it_is_asked() {
    let steps = proptest::collection::vec(1..3 * 24 * 60_i64, 1..8);
    check("window", &(line(), place(), steps), |((cron, _), (zone, from), steps)| {
        let schedule = Schedule::new(&cron, zone).unwrap();
        let window = super::Window { start: Some(from), end: None, catchup: true };
        let (mut now, mut last, mut ran) = (from, None, Vec::new());
        for minutes in steps {
            now += TimeDelta::minutes(minutes);
            let due: Vec<_> = window.due(&schedule, last, now).collect();
            last = due.last().copied().or(last);
            ran.extend(due);
            let wake = window.next_due(&schedule, last, now).unwrap();
            prop_assert!(wake > now);
            prop_assert_eq!(window.due(&schedule, last, wake - TimeDelta::nanoseconds(1)).count(), 0);
            prop_assert_eq!(window.due(&schedule, last, wake).count(), 1);
        }
        let expected: Vec<_> = schedule.intervals(from, now).take_while(|interval| interval.end <= now).collect();
        prop_assert_eq!(ran, expected);
        Ok(())
    });
}

/// Local times of the ticks of a span of days, with their offsets.
fn local(cron: &str, zone: Zone, from: &str, to: &str) -> Vec<String> {
    let schedule = Schedule::new(cron, zone).unwrap();
    schedule.ticks(utc(from), utc(to)).map(|tick| tick.with_timezone(&zone).format("%dT%H:%M%:z").to_string()).collect()
}

#[test]
fn berlin_in_spring() {
    let ticks = |cron| local(cron, zone("Europe/Berlin"), "2024-03-31T00:00:00Z", "2024-03-31T02:00:00Z");
    assert_eq!(ticks("0/30 * * * *"), ["31T01:00+01:00", "31T01:30+01:00", "31T03:00+02:00", "31T03:30+02:00", "31T04:00+02:00"]);
    assert_eq!(ticks("30 2 * * *"), ["31T03:00+02:00"]);
    assert_eq!(ticks("30 2,14 * * *"), ["31T03:00+02:00"]);
    // Two times of one line that fall on one instant are one tick.
    assert_eq!(ticks("0,30 2-3 * * *"), ["31T03:00+02:00", "31T03:30+02:00"]);
    assert_eq!(ticks("*/30 2 * * *"), [""; 0]);
}

#[test]
fn berlin_in_autumn() {
    let ticks = |cron| local(cron, zone("Europe/Berlin"), "2024-10-27T00:00:00Z", "2024-10-27T02:00:00Z");
    assert_eq!(ticks("0/30 * * * *"), ["27T02:00+02:00", "27T02:30+02:00", "27T02:00+01:00", "27T02:30+01:00", "27T03:00+01:00"]);
    assert_eq!(ticks("30 2 * * *"), ["27T02:30+02:00"]);
    assert_eq!(ticks("0 2-3 * * *"), ["27T02:00+02:00", "27T03:00+01:00"]);
    assert_eq!(ticks("*/30 2 * * *"), ["27T02:00+02:00", "27T02:30+02:00", "27T02:00+01:00", "27T02:30+01:00"]);
}

#[test]
fn new_york_in_spring_and_autumn() {
    let spring = |cron| local(cron, zone("America/New_York"), "2024-03-10T06:00:00Z", "2024-03-10T08:00:00Z");
    assert_eq!(
        spring("0/30 * * * *"),
        ["10T01:00-05:00", "10T01:30-05:00", "10T03:00-04:00", "10T03:30-04:00", "10T04:00-04:00"]
    );
    assert_eq!(spring("30 2 * * *"), ["10T03:00-04:00"]);
    let autumn = |cron| local(cron, zone("America/New_York"), "2024-11-03T05:00:00Z", "2024-11-03T07:00:00Z");
    assert_eq!(
        autumn("0/30 * * * *"),
        ["03T01:00-04:00", "03T01:30-04:00", "03T01:00-05:00", "03T01:30-05:00", "03T02:00-05:00"]
    );
    assert_eq!(autumn("30 1 * * *"), ["03T01:30-04:00"]);
}

#[test]
fn a_clock_put_back_across_midnight() {
    // Newfoundland's clock went from one minute past midnight to 23:01 of the day before.
    assert_eq!(
        local("0/30 * * * *", zone("America/St_Johns"), "2010-11-07T02:00:00Z", "2010-11-07T04:00:00Z"),
        ["06T23:30-02:30", "07T00:00-02:30", "06T23:30-03:30", "07T00:00-03:30", "07T00:30-03:30"]
    );
}

#[test]
fn a_day_that_a_zone_left_out() {
    // Samoa had no 30 December 2011: its daily run is at the first instant of the 31st, together with that day's own.
    let ticks = |cron| local(cron, zone("Pacific/Apia"), "2011-12-29T10:00:00Z", "2011-12-31T10:00:00Z");
    assert_eq!(ticks("@daily"), ["29T00:00-10:00", "31T00:00+14:00", "01T00:00+14:00"]);
    assert_eq!(ticks("0 12 30 * *"), ["31T00:00+14:00"]);
}

#[test]
fn days_of_the_month_or_of_the_week() {
    assert_eq!(
        local("0 0 13 * 5", Zone::UTC, "2026-04-01T00:00:00Z", "2026-04-18T00:00:00Z"),
        ["03T00:00+00:00", "10T00:00+00:00", "13T00:00+00:00", "17T00:00+00:00"]
    );
    assert_eq!(local("0 0 13 * *", Zone::UTC, "2026-04-01T00:00:00Z", "2026-04-18T00:00:00Z"), ["13T00:00+00:00"]);
    assert_eq!(
        local("0 0 1-7 * 1", Zone::UTC, "2026-04-06T00:00:00Z", "2026-04-14T00:00:00Z"),
        ["06T00:00+00:00", "07T00:00+00:00", "13T00:00+00:00"]
    );
}

#[test]
fn leap_days_and_long_months() {
    let schedule = Schedule::new("0 0 29 2 *", Zone::UTC).unwrap();
    assert_eq!(schedule.next_after(utc("1896-02-29T00:00:00Z")), Some(utc("1904-02-29T00:00:00Z")));
    assert_eq!(schedule.last_at_or_before(utc("2104-02-28T23:59:59Z")), Some(utc("2096-02-29T00:00:00Z")));
    // A fifth Monday in February: forty years apart across a century that has no leap day.
    let schedule = Schedule::new("0 0 * 2 1#5", Zone::UTC).unwrap();
    assert_eq!(schedule.next_after(utc("2072-03-01T00:00:00Z")), Some(utc("2112-02-29T00:00:00Z")));
    assert_eq!(
        local("0 0 31 * *", Zone::UTC, "2026-01-01T00:00:00Z", "2026-06-30T00:00:00Z"),
        ["31T00:00+00:00", "31T00:00+00:00", "31T00:00+00:00"]
    );
}
