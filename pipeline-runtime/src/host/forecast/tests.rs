//! Forecasts across clock changes, stops, pauses and limits.
#![allow(clippy::needless_raw_string_hashes, reason = "goldens are written by expect-test")]

use super::*;
use crate::engine::{Record, RunState};
use crate::journal::{SqliteJournal, StoredRun};
use crate::prelude::*;
use expect_test::{Expect, expect};
use std::fmt::Write;

#[task]
async fn load() -> Result<u64> {
    Ok(1)
}

#[pipeline(schedule = "0 2 * * *", timezone = "Europe/Berlin", start = "2026-03-01")]
fn nightly() {
    load();
}

fn at(text: &str) -> Timestamp {
    text.parse::<DateTime<Utc>>().unwrap().into()
}

fn of(pipeline: &Pipeline, given: &[(&str, &str)], now: &str) -> Forecast {
    let assumptions = ForecastAssumptions::of(given.iter().copied(), pipeline.zone()).unwrap();
    Forecast::of(None, pipeline, &assumptions, at(now)).unwrap()
}

fn table(forecast: &Forecast) -> String {
    let mut table = String::new();
    let time = |at: Timestamp| at.to_utc().with_timezone(&forecast.zone).format("%d %H:%M %z").to_string();
    for row in &forecast.rows {
        let (begins, ends) = (row.begins.map_or("–".to_owned(), time), row.ends.map_or("–".to_owned(), time));
        let why = row.why.as_deref().unwrap_or_default();
        let line = format!("{} | {begins} | {ends} | {} | {why}", time(row.interval.end.into()), row.state);
        writeln!(table, "{}", line.trim_end()).unwrap();
    }
    forecast.notes.iter().for_each(|note| writeln!(table, "note: {note}").unwrap());
    table
}

#[track_caller]
fn check(given: &[(&str, &str)], expected: &Expect) {
    expected.assert_eq(&table(&of(&nightly(), given, "2026-03-27T12:00:00Z")));
}

#[test]
fn over_a_change_of_clock() {
    check(
        &[("ticks", "3"), ("takes", "30m")],
        &expect![[r#"
            27 02:00 +0100 | 27 13:00 +0100 | 27 13:30 +0100 | success | caught up: it was due before now
            28 02:00 +0100 | 28 02:00 +0100 | 28 02:30 +0100 | success |
            29 03:00 +0200 | 29 03:00 +0200 | 29 03:30 +0200 | success |
            30 02:00 +0200 | 30 02:00 +0200 | 30 02:30 +0200 | success |
        "#]],
    );
}

#[test]
fn over_a_stop_of_three_days_with_and_without_catchup() {
    let stopped = ("stopped", "2026-03-28..2026-03-31T09:00");
    check(
        &[("ticks", "5"), ("takes", "30m"), stopped],
        &expect![[r#"
            27 02:00 +0100 | 27 13:00 +0100 | 27 13:30 +0100 | success | caught up: it was due before now
            28 02:00 +0100 | – | – | none | a later interval was due: without `catchup` only the latest runs
            29 03:00 +0200 | – | – | none | a later interval was due: without `catchup` only the latest runs
            30 02:00 +0200 | – | – | none | a later interval was due: without `catchup` only the latest runs
            31 02:00 +0200 | 31 09:00 +0200 | 31 09:30 +0200 | success | caught up; no process serves, until 2026-03-31 09:00
            01 02:00 +0200 | 01 02:00 +0200 | 01 02:30 +0200 | success |
        "#]],
    );
    check(
        &[("ticks", "5"), ("takes", "30m"), stopped, ("set", "catchup=true"), ("set", "max_active_runs=1")],
        &expect![[r#"
            02 02:00 +0100 | 27 13:00 +0100 | 27 13:30 +0100 | success | caught up: it was due before now
            03 02:00 +0100 | 27 13:30 +0100 | 27 14:00 +0100 | success | caught up: it was due before now; `max_active_runs = 1`
            04 02:00 +0100 | 27 14:00 +0100 | 27 14:30 +0100 | success | caught up: it was due before now; `max_active_runs = 1`
            05 02:00 +0100 | 27 14:30 +0100 | 27 15:00 +0100 | success | caught up: it was due before now; `max_active_runs = 1`
            06 02:00 +0100 | 27 15:00 +0100 | 27 15:30 +0100 | success | caught up: it was due before now; `max_active_runs = 1`
            07 02:00 +0100 | 27 15:30 +0100 | 27 16:00 +0100 | success | caught up: it was due before now; `max_active_runs = 1`
            08 02:00 +0100 | 27 16:00 +0100 | 27 16:30 +0100 | success | caught up: it was due before now; `max_active_runs = 1`
            09 02:00 +0100 | 27 16:30 +0100 | 27 17:00 +0100 | success | caught up: it was due before now; `max_active_runs = 1`
            10 02:00 +0100 | 27 17:00 +0100 | 27 17:30 +0100 | success | caught up: it was due before now; `max_active_runs = 1`
            11 02:00 +0100 | 27 17:30 +0100 | 27 18:00 +0100 | success | caught up: it was due before now; `max_active_runs = 1`
            12 02:00 +0100 | 27 18:00 +0100 | 27 18:30 +0100 | success | caught up: it was due before now; `max_active_runs = 1`
            13 02:00 +0100 | 27 18:30 +0100 | 27 19:00 +0100 | success | caught up: it was due before now; `max_active_runs = 1`
            14 02:00 +0100 | 27 19:00 +0100 | 27 19:30 +0100 | success | caught up: it was due before now; `max_active_runs = 1`
            15 02:00 +0100 | 27 19:30 +0100 | 27 20:00 +0100 | success | caught up: it was due before now; `max_active_runs = 1`
            16 02:00 +0100 | 27 20:00 +0100 | 27 20:30 +0100 | success | caught up: it was due before now; `max_active_runs = 1`
            17 02:00 +0100 | 27 20:30 +0100 | 27 21:00 +0100 | success | caught up: it was due before now; `max_active_runs = 1`
            18 02:00 +0100 | 27 21:00 +0100 | 27 21:30 +0100 | success | caught up: it was due before now; `max_active_runs = 1`
            19 02:00 +0100 | 27 21:30 +0100 | 27 22:00 +0100 | success | caught up: it was due before now; `max_active_runs = 1`
            20 02:00 +0100 | 27 22:00 +0100 | 27 22:30 +0100 | success | caught up: it was due before now; `max_active_runs = 1`
            21 02:00 +0100 | 27 22:30 +0100 | 27 23:00 +0100 | success | caught up: it was due before now; `max_active_runs = 1`
            22 02:00 +0100 | 27 23:00 +0100 | 27 23:30 +0100 | success | caught up: it was due before now; `max_active_runs = 1`
            23 02:00 +0100 | 27 23:30 +0100 | 31 09:00 +0200 | success | caught up: it was due before now; `max_active_runs = 1`
            24 02:00 +0100 | 31 09:00 +0200 | 31 09:30 +0200 | success | caught up: it was due before now; `max_active_runs = 1`, until 2026-03-28 00:00; no process serves, until 2026-03-31 09:00
            25 02:00 +0100 | 31 09:30 +0200 | 31 10:00 +0200 | success | caught up: it was due before now; `max_active_runs = 1`, until 2026-03-28 00:00; no process serves, until 2026-03-31 09:00; `max_active_runs = 1`
            26 02:00 +0100 | 31 10:00 +0200 | 31 10:30 +0200 | success | caught up: it was due before now; `max_active_runs = 1`, until 2026-03-28 00:00; no process serves, until 2026-03-31 09:00; `max_active_runs = 1`
            27 02:00 +0100 | 31 10:30 +0200 | 31 11:00 +0200 | success | caught up: it was due before now; `max_active_runs = 1`, until 2026-03-28 00:00; no process serves, until 2026-03-31 09:00; `max_active_runs = 1`
            28 02:00 +0100 | 31 11:00 +0200 | 31 11:30 +0200 | success | caught up; no process serves, until 2026-03-31 09:00; `max_active_runs = 1`
            29 03:00 +0200 | 31 11:30 +0200 | 31 12:00 +0200 | success | caught up; no process serves, until 2026-03-31 09:00; `max_active_runs = 1`
            30 02:00 +0200 | 31 12:00 +0200 | 31 12:30 +0200 | success | caught up; no process serves, until 2026-03-31 09:00; `max_active_runs = 1`
            31 02:00 +0200 | 31 12:30 +0200 | 31 13:00 +0200 | success | caught up; no process serves, until 2026-03-31 09:00; `max_active_runs = 1`, until 2026-03-31 12:30
            01 02:00 +0200 | 01 02:00 +0200 | 01 02:30 +0200 | success |
        "#]],
    );
}

#[test]
fn what_a_stop_cuts_off_goes_on_with_what_was_left_of_it() {
    check(
        &[("ticks", "2"), ("takes", "30m"), ("stopped", "2026-03-28T02:10..2026-03-28T08:00")],
        &expect![[r#"
            27 02:00 +0100 | 27 13:00 +0100 | 27 13:30 +0100 | success | caught up: it was due before now
            28 02:00 +0100 | 28 02:00 +0100 | 28 08:20 +0100 | success |
            29 03:00 +0200 | 29 03:00 +0200 | 29 03:30 +0200 | success |
        "#]],
    );
}

#[test]
fn a_failed_interval_holds_up_all_that_depend_on_it() {
    check(
        &[("ticks", "4"), ("takes", "30m"), ("set", "depends_on_past=true"), ("fail", "2026-03-28T02:00")],
        &expect![[r#"
            27 02:00 +0100 | 27 13:00 +0100 | 27 13:30 +0100 | success | caught up: it was due before now
            28 02:00 +0100 | 28 02:00 +0100 | 28 02:30 +0100 | success |
            29 03:00 +0200 | 29 03:00 +0200 | 29 03:30 +0200 | failed |
            30 02:00 +0200 | – | – | none | `depends_on_past`: the interval of 2026-03-28 02:00 has not succeeded
            31 02:00 +0200 | – | – | none | `depends_on_past`: the interval of 2026-03-28 02:00 has not succeeded
        "#]],
    );
}

#[test]
fn runs_longer_than_their_interval_wait_for_each_other() {
    check(
        &[("ticks", "4"), ("takes", "30h"), ("set", "max_active_runs=1"), ("set", "catchup=true")],
        &expect![[r#"
            02 02:00 +0100 | 27 13:00 +0100 | 28 19:00 +0100 | success | caught up: it was due before now
            03 02:00 +0100 | 28 19:00 +0100 | 30 02:00 +0200 | success | caught up: it was due before now; `max_active_runs = 1`
            04 02:00 +0100 | 30 02:00 +0200 | 31 08:00 +0200 | success | caught up: it was due before now; `max_active_runs = 1`
            05 02:00 +0100 | – | – | none | `max_active_runs = 1`
            06 02:00 +0100 | – | – | none | `max_active_runs = 1`
            07 02:00 +0100 | – | – | none | `max_active_runs = 1`
            08 02:00 +0100 | – | – | none | `max_active_runs = 1`
            09 02:00 +0100 | – | – | none | `max_active_runs = 1`
            10 02:00 +0100 | – | – | none | `max_active_runs = 1`
            11 02:00 +0100 | – | – | none | `max_active_runs = 1`
            12 02:00 +0100 | – | – | none | `max_active_runs = 1`
            13 02:00 +0100 | – | – | none | `max_active_runs = 1`
            14 02:00 +0100 | – | – | none | `max_active_runs = 1`
            15 02:00 +0100 | – | – | none | `max_active_runs = 1`
            16 02:00 +0100 | – | – | none | `max_active_runs = 1`
            17 02:00 +0100 | – | – | none | `max_active_runs = 1`
            18 02:00 +0100 | – | – | none | `max_active_runs = 1`
            19 02:00 +0100 | – | – | none | `max_active_runs = 1`
            20 02:00 +0100 | – | – | none | `max_active_runs = 1`
            21 02:00 +0100 | – | – | none | `max_active_runs = 1`
            22 02:00 +0100 | – | – | none | `max_active_runs = 1`
            23 02:00 +0100 | – | – | none | `max_active_runs = 1`
            24 02:00 +0100 | – | – | none | `max_active_runs = 1`
            25 02:00 +0100 | – | – | none | `max_active_runs = 1`
            26 02:00 +0100 | – | – | none | `max_active_runs = 1`
            27 02:00 +0100 | – | – | none | `max_active_runs = 1`
            28 02:00 +0100 | – | – | none | `max_active_runs = 1`
            29 03:00 +0200 | – | – | none | `max_active_runs = 1`
            30 02:00 +0200 | – | – | none | `max_active_runs = 1`
            31 02:00 +0200 | – | – | none | `max_active_runs = 1`
        "#]],
    );
}

#[test]
fn a_pause_that_ends_and_one_that_lasts() {
    check(
        &[("ticks", "3"), ("takes", "30m"), ("paused", "..2026-03-28T06:00"), ("paused", "2026-03-29T12:00..")],
        &expect![[r#"
        27 02:00 +0100 | – | – | none | a later interval was due: without `catchup` only the latest runs
        28 02:00 +0100 | 28 06:00 +0100 | 28 06:30 +0100 | success | caught up; paused, until 2026-03-28 06:00
        29 03:00 +0200 | 29 03:00 +0200 | 29 03:30 +0200 | success |
        30 02:00 +0200 | – | – | none | paused
    "#]],
    );
}

#[test]
fn before_the_start_and_after_the_end_nothing_runs() {
    let bounded = nightly().start("2026-03-28").end("2026-03-29");
    expect![[r#"
        27 02:00 +0100 | – | – | none | outside of `start` and `end`
        28 02:00 +0100 | – | – | none | outside of `start` and `end`
        29 03:00 +0200 | 29 03:00 +0200 | 29 03:01 +0200 | success |
        30 02:00 +0200 | 30 02:00 +0200 | 30 02:01 +0200 | success |
        31 02:00 +0200 | – | – | none | outside of `start` and `end`
    "#]]
    .assert_eq(&table(&of(&bounded, &[("ticks", "4"), ("takes", "1m")], "2026-03-27T12:00:00Z")));
}

/// A journal with runs of the pipeline.
struct JournalFixture {
    folder: tempfile::TempDir,
    pipeline: Pipeline,
    journal: SqliteJournal,
}

impl JournalFixture {
    fn new(pipeline: Pipeline) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = SqliteJournal::open(&folder.path().join("journal.db")).unwrap();
        Self { folder, pipeline, journal }
    }

    /// Adds a run of the interval that starts on that day; an ended run took that many minutes.
    fn add(&self, id: &str, kind: RunKind, day: &str, state: RunState, began: &str, took: Option<u64>) {
        let plan = self.pipeline.plan(&serde_json::Value::Null).unwrap();
        let interval = self.pipeline.options().timetable().unwrap().unwrap().interval_of(day).unwrap();
        let run = StoredRun::begun_by_hand(&plan, id, at(began));
        let at_first = if took.is_some() { RunState::Running } else { state };
        let key = self.journal.enter(&StoredRun { kind, interval, state: at_first, ..run }, &[]);
        if let Some(minutes) = took {
            self.journal.end(key, state, at(began) + Duration::from_mins(minutes));
        }
    }

    fn forecast(&self, given: &[(&str, &str)], now: &str) -> Forecast {
        self.journal.sync();
        let reader = JournalReader::open(self.folder.path().join("journal.db")).unwrap();
        let assumptions = ForecastAssumptions::of(given.iter().copied(), self.pipeline.zone()).unwrap();
        Forecast::of(Some(&reader), &self.pipeline, &assumptions, at(now)).unwrap()
    }
}

#[test]
fn what_the_journal_has_is_counted_and_keeps_its_id() {
    let fixture = JournalFixture::new(nightly());
    for (day, minutes) in [("2026-03-23", 10), ("2026-03-24", 20), ("2026-03-25", 40)] {
        let began = format!("{day}T23:00:00Z");
        fixture.add(&format!("scheduled__{day}"), RunKind::Scheduled, day, RunState::Success, &began, Some(minutes));
    }
    fixture.add("manual__1", RunKind::Manual, "2026-03-20", RunState::Running, "2026-03-27T11:50:00Z", None);
    fixture.add("manual__2", RunKind::Manual, "2026-03-21", RunState::Queued, "2026-03-27T11:55:00Z", None);
    let forecast = fixture.forecast(&[("ticks", "2"), ("set", "max_active_runs=1")], "2026-03-27T12:00:00Z");
    assert_eq!(forecast.takes, Duration::from_mins(20));
    expect![[r#"
        21 02:00 +0100 | 27 12:50 +0100 | 27 13:10 +0100 | success |
        22 02:00 +0100 | 27 13:10 +0100 | 27 13:30 +0100 | success | it waits for its turn: `max_active_runs = 1`
        27 02:00 +0100 | 27 13:30 +0100 | 27 13:50 +0100 | success | caught up: it was due before now; `max_active_runs = 1`, until 2026-03-27 13:30
        28 02:00 +0100 | 28 02:00 +0100 | 28 02:20 +0100 | success |
        29 03:00 +0200 | 29 03:00 +0200 | 29 03:20 +0200 | success |
    "#]]
    .assert_eq(&table(&forecast));
    // A queued run does not wait for its turn while no process serves.
    let stopped = fixture.forecast(&[("ticks", "1"), ("stopped", "..")], "2026-03-27T12:00:00Z");
    let why = |id: &str| stopped.rows.iter().find(|row| row.run.as_deref() == Some(id)).unwrap().why.clone();
    assert_eq!(why("manual__2").as_deref(), Some("no process serves"));
}

#[test]
fn what_a_backfill_mends_lets_others_begin_also_over_a_stop() {
    let fixture = JournalFixture::new(nightly().depends_on_past(true));
    fixture.add("scheduled__1", RunKind::Scheduled, "2026-03-26", RunState::Failed, "2026-03-27T01:00:00Z", Some(10));
    fixture.add("backfill__1", RunKind::Backfill, "2026-03-26", RunState::Running, "2026-03-27T11:50:00Z", None);
    let given = [("ticks", "2"), ("takes", "2h"), ("stopped", "2026-03-27T20:00..2026-03-28T02:10")];
    expect![[r#"
        27 02:00 +0100 | 27 12:50 +0100 | 27 14:50 +0100 | success |
        28 02:00 +0100 | 28 02:10 +0100 | 28 04:10 +0100 | success | caught up; no process serves, until 2026-03-28 02:10
        29 03:00 +0200 | 29 03:00 +0200 | 29 05:00 +0200 | success |
    "#]]
    .assert_eq(&table(&fixture.forecast(&given, "2026-03-27T12:00:00Z")));
    // A backfill may also fail.
    let fails = fixture.forecast(&[&given[..], &[("fail", "2026-03-26")]].concat(), "2026-03-27T12:00:00Z");
    expect![[r#"
        27 02:00 +0100 | 27 12:50 +0100 | 27 14:50 +0100 | failed |
        28 02:00 +0100 | – | – | none | no process serves, until 2026-03-28 02:10; `depends_on_past`: the interval of 2026-03-26 02:00 has not succeeded
        29 03:00 +0200 | – | – | none | `depends_on_past`: the interval of 2026-03-26 02:00 has not succeeded
    "#]].assert_eq(&table(&fails));
}

#[test]
fn a_current_pause_lasts_until_the_given_one_is_over() {
    let fixture = JournalFixture::new(nightly());
    fixture.journal.pause("nightly", true);
    let of = |given: &[(&str, &str)]| {
        table(&fixture.forecast(&[&[("ticks", "2"), ("takes", "30m")], given].concat(), "2026-03-27T12:00:00Z"))
    };
    expect![[r#"
        27 02:00 +0100 | – | – | none | paused
        28 02:00 +0100 | – | – | none | paused
        29 03:00 +0200 | – | – | none | paused
        note: the pipeline is paused, and assumed to stay so: suppose that it is paused `..now` to see what would run if it were unpaused now
    "#]].assert_eq(&of(&[]));
    expect![[r#"
        27 02:00 +0100 | 27 13:00 +0100 | 27 13:30 +0100 | success | caught up: it was due before now
        28 02:00 +0100 | 28 02:00 +0100 | 28 02:30 +0100 | success |
        29 03:00 +0200 | 29 03:00 +0200 | 29 03:30 +0200 | success |
    "#]]
    .assert_eq(&of(&[("paused", "..now")]));
    expect![[r#"
        27 02:00 +0100 | – | – | none | a later interval was due: without `catchup` only the latest runs
        28 02:00 +0100 | 28 06:00 +0100 | 28 06:30 +0100 | success | caught up; paused, until 2026-03-28 06:00
        29 03:00 +0200 | 29 03:00 +0200 | 29 03:30 +0200 | success |
    "#]]
    .assert_eq(&of(&[("paused", "2026-03-28T01:00..2026-03-28T06:00")]));
}

#[test]
fn what_a_run_that_is_under_way_has_shown_already_is_foretold() {
    let fixture = JournalFixture::new(nightly());
    fixture.add("manual__1", RunKind::Manual, "2026-03-20", RunState::Running, "2026-03-27T10:00:00Z", None);
    fixture.add("manual__2", RunKind::Manual, "2026-03-21", RunState::Running, "2026-03-27T11:50:00Z", None);
    let (failed, error) = (at("2026-03-27T11:51:00Z"), "503".into());
    fixture.journal.record(2, at("2026-03-27T11:50:00Z"), Record::Started { slot: 0, attempt: 1 });
    fixture.journal.record(2, failed, Record::Failed { slot: 0, error, timed_out: false });
    expect![[r#"
        21 02:00 +0100 | 27 11:00 +0100 | 27 13:00 +0100 | success | it has run for 2h, longer than 30m: it is assumed to end now
        22 02:00 +0100 | 27 12:50 +0100 | 27 13:20 +0100 | failed | `load` has failed
        27 02:00 +0100 | 27 13:00 +0100 | 27 13:30 +0100 | success | caught up: it was due before now
        28 02:00 +0100 | 28 02:00 +0100 | 28 02:30 +0100 | success |
    "#]]
    .assert_eq(&table(&fixture.forecast(&[("ticks", "1"), ("takes", "30m")], "2026-03-27T12:00:00Z")));
}

#[test]
fn the_time_before_a_retry_is_no_part_of_how_long_a_run_takes() {
    let fixture = JournalFixture::new(nightly());
    let began = at("2026-03-26T01:00:00Z");
    fixture.add("manual__1", RunKind::Manual, "2026-03-20", RunState::Running, "2026-03-26T01:00:00Z", None);
    let ended = |state| Record::RunEnded { state };
    fixture.journal.record(1, began + Duration::from_mins(4), ended(RunState::Failed));
    fixture.journal.record(1, began + Duration::from_mins(64), Record::Cleared { slots: [0].into() });
    fixture.journal.record(1, began + Duration::from_mins(70), ended(RunState::Success));
    assert_eq!(fixture.forecast(&[("ticks", "1")], "2026-03-27T12:00:00Z").takes, Duration::from_mins(10));
}

#[pipeline(schedule = "* * * * *")]
fn each_minute() {
    load();
}

#[pipeline]
fn by_hand() {
    load();
}

#[test]
fn it_is_bounded_and_says_where_there_is_nothing_to_foretell() {
    let long = of(&each_minute(), &[("until", "2027-01-01"), ("takes", "0s")], "2026-03-27T12:00:00Z");
    assert_eq!((long.rows.len(), long.until), (501, at("2026-03-27T20:20:00Z")));
    assert_eq!(long.notes, ["the forecast ends after 500 ticks"]);
    let back = nightly().start("2000-01-01").catchup(true);
    let back = of(&back, &[("takes", "1m")], "2026-03-27T12:00:00Z");
    assert_eq!(back.notes.len(), 1, "{:?}", back.notes);
    assert!(back.notes[0].starts_with("the forecast ends after 2000 runs, at 2026-03-2"), "{:?}", back.notes);
    assert!(back.rows.iter().all(|row| row.state != "none" || row.why.is_some()));
    let other = of(&nightly(), &[("ticks", "1"), ("takes", "1m"), ("fail", "2027-01-01")], "2026-03-27T12:00:00Z");
    assert!(
        other.notes[0].starts_with("no run of the interval that starts at 2027-01-01 02:00 is in the forecast"),
        "{:?}",
        other.notes
    );
    let refused = |name, text| {
        let assumptions = ForecastAssumptions::of([(name, text)], nightly().zone()).unwrap();
        Forecast::of(None, &nightly(), &assumptions, at("2026-03-27T12:00:00Z")).unwrap_err().to_string()
    };
    assert_eq!(refused("until", "2026-03-01"), "until 2026-02-28T23:00:00Z: that is past");
    assert!(refused("fail", "soon").starts_with("fail soon: "));
    let none = |pipeline: &Pipeline| {
        Forecast::of(None, pipeline, &ForecastAssumptions::default(), at("2026-03-27T12:00:00Z")).unwrap_err().to_string()
    };
    assert_eq!(none(&by_hand()), "pipeline `by_hand` has no schedule");
    assert!(none(&nightly().unscheduled_unless(false)).contains("only start manually"));
}
