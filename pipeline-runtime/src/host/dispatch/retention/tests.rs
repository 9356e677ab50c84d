//! Retention beside everything else a process does with its runs. Bodies are not run here, or end at once.

use super::super::super::Command;
use super::super::ServiceOptions;
use super::super::tests::Process;
use super::*;
use crate::author::setting::SettingValues;
use crate::engine::RunState;
use crate::journal::{Filter, NewUpdate, RunKey, RunKind, StoredRun};
use crate::prelude::*;
use crate::schedule::Interval;
use crate::time::{Calendar, Clock};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

#[task]
async fn tick() -> Result<u64> {
    Ok(1)
}

#[pipeline(keep = "30d")]
fn short() {
    tick();
}

#[pipeline]
fn long() {
    tick();
}

#[pipeline(schedule = "@daily", start = "2024-01-01", catchup = true, keep = "30d")]
fn caught_up() {
    tick();
}

#[pipeline(schedule = "@daily", keep = "30d")]
fn latest_alone() {
    tick();
}

#[pipeline(schedule = "@daily", start = "2024-01-01", depends_on_past = true, keep = "30d")]
fn ordered() {
    tick();
}

static COUNTS: Asset<u64> = Asset::external("counts");

#[task]
async fn add(count: u64) -> Result<u64> {
    Ok(count + 1)
}

#[pipeline(when = all(COUNTS), keep = "30d")]
fn counted() {
    add(COUNTS.latest());
}

const DAY: Duration = Duration::from_hours(24);

/// A process whose schedules follow a date that the test sets.
struct Old {
    process: Process,
    date: Arc<AtomicI64>,
    pipelines: Vec<Pipeline>,
}

fn nanos(date: &str) -> i64 {
    date.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_nanos_opt().unwrap()
}

impl Old {
    fn of(pipelines: Vec<Pipeline>) -> Self {
        let date = Arc::new(AtomicI64::new(nanos("2024-03-25T12:00:00Z")));
        let process = Process::by(Calendar::set_by(&date));
        process.host().engine().open();
        Self { process, date, pipelines }
    }

    fn dispatch(&self, keep: Option<Duration>) -> Dispatch<'_> {
        self.process.dispatch_for(&self.pipelines, ServiceOptions { follows_schedules: true, keep, ..ServiceOptions::default() })
    }

    /// Adds a run of that day that ended so many days ago.
    fn run(&self, pipeline: &Pipeline, kind: RunKind, day: &str, state: RunState, days: u32) -> RunKey {
        let journal = self.process.host().journal.as_ref().unwrap();
        let at = Clock::system().now() - days * DAY;
        let start = format!("{day}T00:00:00Z").parse().unwrap();
        let key = journal.enter(
            &StoredRun {
                key: 0,
                run_id: format!("{}__{day}__{days}", kind.name()),
                pipeline: pipeline.id().to_owned(),
                kind,
                interval: Interval { start, end: start + chrono::TimeDelta::days(1) },
                previous: None,
                params: serde_json::Value::Null,
                state: if state == RunState::Queued { state } else { RunState::Running },
                created: at,
                sla_from: at,
                finished: None,
                seed: 1,
                skeleton: pipeline.plan(&serde_json::Value::Null).unwrap().skeleton().into(),
                begun: None,
                max_active: None,
                blocked: None,
                settings: SettingValues::new(),
            },
            &[],
        );
        if state.is_end() {
            journal.end(key, state, at);
        }
        let _ = self.process.reader();
        key
    }

    /// What is left, oldest first: pipeline, kind, day, and how many days ago the run ended.
    fn left(&self) -> Vec<String> {
        let mut runs = self.process.reader().runs(&Filter { limit: 1_000, ..Filter::default() }).unwrap();
        runs.reverse();
        runs.into_iter().map(|run| format!("{} {}", run.pipeline, run.run_id)).collect()
    }
}

/// Performs all deletions, and returns the number of steps.
fn delete_all(dispatch: &mut Dispatch<'_>) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    dispatch.delete_old();
    let mut steps = 0;
    while dispatch.retention.in_progress.is_some() {
        let pass = runtime.block_on(dispatch.retention.step());
        dispatch.continue_deleting(pass);
        steps += 1;
    }
    steps
}

/// Starts what is due, and returns the days of the intervals.
fn begins(dispatch: &mut Dispatch<'_>, old: &Old) -> Vec<String> {
    let before = old.left().len();
    dispatch.begin_due();
    let begun = old.left().split_off(before);
    begun.iter().map(|run| run.split_once("__").unwrap().1[..10].to_owned()).collect()
}

#[test]
fn a_pipelines_own_limit_goes_before_that_of_the_process() {
    let old = Old::of(vec![short(), long()]);
    for days in [100, 60, 40, 20] {
        for pipeline in [short(), long()] {
            old.run(&pipeline, RunKind::Manual, "2024-01-01", RunState::Failed, days);
        }
    }
    assert_eq!(
        delete_all(
            &mut old.process.dispatch_for(&old.pipelines, ServiceOptions { keep: Some(DAY), ..ServiceOptions::default() })
        ),
        0
    );
    assert_eq!(old.left().len(), 8, "it follows no schedules");
    let mut dispatch = old.dispatch(None);
    assert!(delete_all(&mut dispatch) > 1);
    let manual = |pipeline: &str, days: &[u32]| -> Vec<String> {
        days.iter().map(|days| format!("{pipeline} manual__2024-01-01__{days}")).collect()
    };
    let left = || {
        let mut left = old.left();
        left.sort_by_key(|run| run.starts_with("long"));
        left
    };
    assert_eq!(left(), [manual("short", &[20]), manual("long", &[100, 60, 40, 20])].concat());
    assert_eq!(delete_all(&mut dispatch), 0, "the next pass comes an hour later");
    assert!(dispatch.describe().contains("serving short: no schedule; runs are kept for 30d"), "{}", dispatch.describe());
    delete_all(&mut old.dispatch(Some(50 * DAY)));
    assert_eq!(left(), [manual("short", &[20]), manual("long", &[40, 20])].concat());
}

#[test]
fn what_is_caught_up_with_runs_no_second_time_after_its_runs_are_deleted() {
    let old = Old::of(vec![caught_up(), long()]);
    for (day, days) in [("2024-03-20", 105), ("2024-03-21", 104), ("2024-03-22", 103), ("2024-03-23", 102)] {
        old.run(&caught_up(), RunKind::Scheduled, day, RunState::Failed, days);
    }
    // By a date that was ahead.
    old.run(&caught_up(), RunKind::Scheduled, "2025-03-23", RunState::Failed, 102);
    old.run(&long(), RunKind::Manual, "2024-03-23", RunState::Failed, 0);
    let mut dispatch = old.dispatch(None);
    dispatch.execute(Command::Pause { pipeline: "caught_up".into(), paused: true }).unwrap();
    delete_all(&mut dispatch);
    assert_eq!(old.left().len(), 3, "{:?}", old.left());
    dispatch.execute(Command::Pause { pipeline: "caught_up".into(), paused: false }).unwrap();
    assert_eq!(begins(&mut dispatch, &old), ["2024-03-24"]);
    // The next process does the same, even if the last day is long ago by then.
    let mut next = old.dispatch(None);
    old.date.store(nanos("2024-03-27T12:00:00Z"), Ordering::SeqCst);
    assert_eq!(begins(&mut next, &old), ["2024-03-25", "2024-03-26"]);
}

#[test]
fn what_ran_while_the_date_was_ahead_runs_no_second_time_after_its_runs_are_deleted() {
    let old = Old::of(vec![caught_up(), latest_alone(), long()]);
    // `caught_up` ran all days until the date was right again; `latest_alone` ran the last ones before the leap and after it.
    let march = (20..=31).map(|day| format!("2024-03-{day}"));
    for day in march.chain((1..=9).map(|day| format!("2024-04-0{day}"))) {
        old.run(&caught_up(), RunKind::Scheduled, &day, RunState::Success, 100);
    }
    for day in ["2024-03-23", "2024-03-24", "2024-04-06", "2024-04-07", "2024-04-08", "2024-04-09"] {
        old.run(&latest_alone(), RunKind::Scheduled, day, RunState::Success, 100);
    }
    old.run(&long(), RunKind::Manual, "2024-03-23", RunState::Failed, 0);
    old.date.store(nanos("2024-04-10T12:00:00Z"), Ordering::SeqCst);
    delete_all(&mut old.dispatch(None));
    assert_eq!(old.left().len(), 3, "{:?}", old.left());
    // A process that continues by the right date, and one that starts then.
    for in_new_process in [false, true] {
        let begins_of = |dispatch: &mut Dispatch<'_>| {
            let before = old.left().len();
            begins(dispatch, &old);
            let mut begun = old.left().split_off(before);
            for run in &mut begun {
                run.truncate(run.find("T00").unwrap());
            }
            begun
        };
        let mut dispatch = old.dispatch(None);
        for (date, expected) in [
            ("2024-03-25T12:00:00Z", vec![]),
            ("2024-03-26T12:00:00Z", vec!["latest_alone scheduled__2024-03-25"]),
            ("2024-04-07T12:00:00Z", vec![]),
            ("2024-04-08T12:00:00Z", vec![]),
            ("2024-04-10T12:00:00Z", vec![]),
            ("2024-04-11T12:00:00Z", vec!["caught_up scheduled__2024-04-10", "latest_alone scheduled__2024-04-10"]),
        ] {
            if in_new_process {
                dispatch = old.dispatch(None);
            }
            old.date.store(nanos(date), Ordering::SeqCst);
            let expected = if in_new_process { vec![] } else { expected };
            assert_eq!(begins_of(&mut dispatch), expected, "{date}, {in_new_process}");
        }
    }
}

#[test]
fn a_day_that_holds_up_those_after_it_goes_on_to_and_one_that_was_mended_does_not() {
    for mended in [false, true] {
        let old = Old::of(vec![ordered(), long()]);
        old.run(&ordered(), RunKind::Scheduled, "2024-03-23", RunState::Failed, 102);
        if mended {
            old.run(&ordered(), RunKind::Manual, "2024-03-23", RunState::Success, 101);
        }
        old.run(&ordered(), RunKind::Manual, "2024-01-01", RunState::Success, 100);
        old.run(&ordered(), RunKind::Backfill, "2024-01-10", RunState::Failed, 100);
        old.run(&ordered(), RunKind::Backfill, "2024-02-10", RunState::Failed, 100);
        // It waits for the day before, which has failed.
        let waits = old.run(&ordered(), RunKind::Backfill, "2024-01-11", RunState::Queued, 100);
        old.run(&long(), RunKind::Manual, "2024-03-23", RunState::Failed, 0);
        delete_all(&mut old.dispatch(None));
        let mut dispatch = old.dispatch(None);
        let run = old.process.reader().run_of_key(waits).unwrap().unwrap();
        dispatch.queue(&run, waits, &old.process.reader()).unwrap();
        assert_eq!(begins(&mut dispatch, &old), if mended { vec!["2024-03-24"] } else { vec![] }, "{:?}", old.left());
        assert_eq!(old.process.reader().run_of_key(waits).unwrap().unwrap().state, RunState::Queued);
    }
}

#[test]
fn a_run_that_goes_on_again_is_not_deleted_and_one_that_is_deleted_does_not_go_on() {
    let old = Old::of(vec![short(), long()]);
    let keys: Vec<RunKey> = (0..4).map(|n| old.run(&short(), RunKind::Manual, "2024-03-01", RunState::Failed, 100 - n)).collect();
    old.run(&long(), RunKind::Manual, "2024-03-23", RunState::Failed, 0);
    let name = |days: u32| format!("short/manual__2024-03-01__{days}");
    let retry = |days: u32| Command::Retry { run: name(days), nodes: Vec::new(), downstream: false };
    let mut dispatch = old.dispatch(None);
    dispatch.execute(retry(99)).unwrap();
    assert_eq!(old.process.reader().run_of_key(keys[1]).unwrap().unwrap().state, RunState::Running);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    dispatch.delete_old();
    let mut gone = None;
    while dispatch.retention.in_progress.is_some() {
        let pass = runtime.block_on(dispatch.retention.step());
        if gone.is_none() && old.process.reader().run_of_key(keys[0]).unwrap().is_none() {
            // In the middle of the pass.
            gone = Some(dispatch.execute(retry(100)).unwrap_err().to_string());
        }
        dispatch.continue_deleting(pass);
    }
    assert!(gone.unwrap().starts_with("the journal has no run `short/manual__2024-03-01__100`"));
    assert_eq!(old.left()[..2], ["short manual__2024-03-01__99", "short manual__2024-03-01__97"]);
}

/// The newest update is never deleted, and the scheduler may learn of it only after the one before is deleted.
#[test]
fn a_run_begins_for_the_update_that_is_the_newest_by_then_and_not_for_one_that_is_deleted() {
    let old = Old::of(vec![counted()]);
    let mut dispatch = old.dispatch(None);
    let update = |days: u32, json: &[u8]| {
        let journal = old.process.host().journal.as_ref().unwrap();
        let at = Clock::system().now() - days * DAY;
        journal.update(NewUpdate { asset: COUNTS.name(), at, by: None, interval: Interval::at(at.to_utc()), json: json.into() });
    };
    update(100, b"7");
    let first = old.process.reader().newest_value("counts").unwrap().unwrap().0;
    dispatch.scheduler.updated("counts", first);
    // An update that the scheduler does not know of yet.
    update(0, b"8");
    delete_all(&mut dispatch);
    assert_eq!(old.process.reader().value_of_update(first).unwrap(), None, "nobody has a use for it any more");
    dispatch.begin_due();
    let reader = old.process.reader();
    let run = reader.runs(&Filter { limit: 1, ..Filter::default() }).unwrap().remove(0);
    let reads: Vec<_> = reader.updates_of_run(run.key).unwrap().into_iter().map(|(begins, update)| (begins, update.id)).collect();
    let (newest, value) = reader.newest_value("counts").unwrap().unwrap();
    assert_eq!((reads, &*value), (vec![(true, newest)], &b"8"[..]));
    // The scheduler learns of it now, and that starts no second run.
    dispatch.scheduler.updated("counts", newest);
    dispatch.begin_due();
    assert_eq!(old.left().len(), 1);
}
