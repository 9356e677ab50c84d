//! Tests how a process handles the events of its runs, and runs that cannot start.

use super::super::{Command, HostOptions, Request, StopSource};
use super::*;
use crate::author::setting::SettingValues;
use crate::engine::RunState;
use crate::journal::{RunKind, StoredRun};
use crate::plan::Accepts;
use crate::prelude::*;
use crate::time::Calendar;
use std::sync::atomic::{AtomicBool, Ordering};

/// A process, with a journal in its own folder.
pub(super) struct Process {
    host: EngineHost,
    folder: tempfile::TempDir,
}

impl Process {
    pub(super) fn new() -> Self {
        Self::by(Calendar::wall())
    }

    /// A process whose schedules follow this calendar.
    pub(super) fn by(calendar: Calendar) -> Self {
        Self::observed(calendar, Feed::without_view())
    }

    /// A process with an observer of its records.
    pub(super) fn observed(calendar: Calendar, observer: Arc<dyn crate::engine::Observe>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = Arc::new(SqliteJournal::open(&folder.path().join("journal.db")).unwrap());
        let options = HostOptions {
            journal: Some(journal),
            parallelism: 8,
            clock: Clock::system(),
            calendar,
            observer,
            stop_source: StopSource::Signals { drain: Duration::ZERO },
        };
        Self { host: EngineHost::new(options).unwrap(), folder }
    }

    /// The journal's file, and a path to move it to, where nothing finds it.
    pub(super) fn moved_away(&self) -> (std::path::PathBuf, std::path::PathBuf) {
        (self.folder.path().join("journal.db"), self.folder.path().join("away.db"))
    }

    pub(super) fn host(&self) -> &EngineHost {
        &self.host
    }

    pub(super) fn dispatch<'a>(&'a self, pipelines: &'a [Pipeline]) -> Dispatch<'a> {
        self.dispatch_for(pipelines, ServiceOptions::default())
    }

    pub(super) fn dispatch_for<'a>(&'a self, pipelines: &'a [Pipeline], service: ServiceOptions) -> Dispatch<'a> {
        Dispatch::new(&self.host, pipelines, service, Feed::without_view()).unwrap()
    }

    /// Opens a reader once everything is durable and the work that follows is done.
    pub(super) fn reader(&self) -> Reader {
        let journal = self.host.journal.as_ref().unwrap();
        // Work that follows a commit is done before the next commit begins.
        journal.sync();
        journal.reader_after_sync().unwrap()
    }
}

static FAILS: AtomicBool = AtomicBool::new(false);

#[sensor(poke = "1h", timeout = "1d")]
async fn waits() -> Result<Poke<u64>> {
    if FAILS.load(Ordering::SeqCst) { Err(TaskError::fatal("in its second life")) } else { Ok(Poke::NotYet) }
}

#[pipeline]
fn waiting() {
    waits();
}

#[test]
fn a_run_that_is_retried_before_its_end_was_heard_is_watched_to_its_end() {
    let process = Process::new();
    // Before the engine is driven: events are recorded all the same.
    process.host.engine.open();
    let pipelines = [waiting()];
    let mut dispatch = process.dispatch(&pipelines);
    let request = Request {
        pipeline: waiting(),
        params: serde_json::Value::Null,
        logical_date: None,
        mode: super::super::RequestMode::Resume,
    };
    let ix = dispatch.start(process.host.prepare(request).unwrap()).unwrap();
    let run = process.host.engine.look(ix, |run| run.spec().info.run_id.clone()).unwrap();
    assert!(dispatch.runs.events.next().now_or_never().is_none(), "it listens, and there is nothing to hear");
    dispatch.execute(Command::Skip { run: run.clone(), node: "waits".into() }).unwrap();
    assert_eq!(process.reader().run(&run).unwrap().unwrap().state, RunState::Success);
    // Its end is on its way. A worker may have been polling the sensor when it was skipped, and must give its thread back first.
    let retry = || Command::Retry { run: run.clone(), nodes: vec!["waits".into()], downstream: false };
    while let Err(refused) = dispatch.execute(retry()) {
        assert!(refused.to_string().contains("has not given its thread back"), "{refused}");
        std::thread::yield_now();
    }
    FAILS.store(true, Ordering::SeqCst);
    let (ended, tally) = dispatch.run().unwrap();
    assert_eq!((ended, tally), (ProcessEnd::All, Tally { failed: 1, ..Tally::default() }));
    assert_eq!(process.reader().run(&run).unwrap().unwrap().state, RunState::Failed);
}

#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
struct Region {
    name: String,
}

#[task]
async fn named(name: String) -> Result<String> {
    Ok(name)
}

#[pipeline]
fn regional(region: Region) {
    named(region.name);
}

/// Enters a queued run of `regional`.
fn enter(process: &Process, run_id: &str, params: serde_json::Value) {
    let now = process.host.engine.clock().now();
    process.host.journal.as_ref().unwrap().enter(
        &StoredRun {
            key: 0,
            run_id: run_id.to_owned(),
            pipeline: "regional".to_owned(),
            kind: RunKind::Manual,
            interval: Interval::at(now.to_utc()),
            previous: None,
            params,
            state: RunState::Queued,
            created: now,
            sla_from: now,
            finished: None,
            seed: 1,
            skeleton: regional().plan(&serde_json::Value::Null).unwrap().skeleton().into(),
            begun: None,
            max_active: None,
            blocked: None,
            settings: SettingValues::new(),
        },
        &[],
    );
}

#[test]
fn a_queued_run_that_has_no_plan_any_more_is_set_aside_and_others_begin() {
    let process = Process::new();
    let pipelines = [regional()];
    enter(&process, "old", serde_json::json!({ "gone": 1 }));
    enter(&process, "new", serde_json::json!({ "name": "eu" }));
    let _ = process.reader();
    let unfinished = process.host.unfinished(&pipelines, Accepts::Additions, |_| true).unwrap();
    let mut dispatch = process.dispatch(&pipelines);
    dispatch.resume(unfinished).unwrap();
    let (ended, tally) = dispatch.run().unwrap();
    assert_eq!((ended, tally), (ProcessEnd::All, Tally { success: 1, blocked: 1, ..Tally::default() }));
    let run = |run_id: &str| process.reader().run(run_id).unwrap().unwrap();
    assert_eq!((run("old").state, run("new").state), (RunState::Queued, RunState::Success));
    assert_eq!(run("old").blocked.as_deref(), Some("no param `gone` in pipeline `regional`; it takes `name`"));
}

/// A turn ends, so that the process serves commands and reports to its supervisor that it is alive.
#[test]
fn very_many_runs_that_cannot_begin_are_found_out_turn_by_turn() {
    let process = Process::new();
    let pipelines = [regional()];
    for n in 0..250 {
        enter(&process, &format!("old{n}"), serde_json::json!({ "gone": n }));
    }
    enter(&process, "new", serde_json::json!({ "name": "eu" }));
    let _ = process.reader();
    let unfinished = process.host.unfinished(&pipelines, Accepts::Additions, |_| true).unwrap();
    let mut dispatch = process.dispatch(&pipelines);
    dispatch.resume(unfinished).unwrap();
    dispatch.begin_due();
    assert_eq!((dispatch.tally.blocked, dispatch.scheduler.queued()), (100, 151));
    let (ended, tally) = dispatch.run().unwrap();
    assert_eq!((ended, tally), (ProcessEnd::All, Tally { success: 1, blocked: 250, ..Tally::default() }));
}

#[pipeline(schedule = "@daily", start = "2024-01-01", end = "2024-01-31")]
fn daily() {
    named(template!("{{ ds }}"));
}

#[test]
fn a_backfill_that_was_cut_off_is_gone_on_with_by_the_next_holder() {
    let process = Process::new();
    process.host.engine.open();
    let journal = process.host.journal.as_ref().unwrap();
    let backfill = super::super::Backfill {
        pipeline: "daily".into(),
        from: "2024-01-01".into(),
        to: "2024-01-04".into(),
        params: serde_json::Value::Null,
        max_active_runs: None,
        reprocess: super::super::Reprocess::All,
    };
    let now = Clock::system().now();
    let ticket = journal.inbox().unwrap().post(&serde_json::to_string(&Command::Backfill(backfill)).unwrap(), None, now).unwrap();
    // A holder entered the run of the first interval, which has ended since, and was killed before it entered the others.
    let plan = daily().plan(&serde_json::Value::Null).unwrap();
    let interval =
        plan.schedule.as_ref().unwrap().intervals("2024-01-01T00:00:00Z".parse().unwrap(), now.to_utc()).next().unwrap();
    let skeleton = plan.skeleton().into();
    let mut spec = new_spec(Arc::new(plan), interval, now);
    let run = super::super::prepare::enter(&process.reader(), &mut spec, RunKind::Backfill, now, &skeleton, None).unwrap();
    journal.carry_out(ticket);
    journal.enter_for_command(&StoredRun { state: RunState::Success, ..run });
    let pipelines = [daily()];
    process.dispatch(&pipelines).poll_inbox();
    let reader = process.reader();
    let answer = journal.inbox().unwrap().answer(ticket).unwrap().unwrap();
    assert!(answer.contains("4 intervals of daily are run") && !answer.contains("left out"), "{answer}");
    let starts = reader.runs_of_ticket(ticket).unwrap().into_iter().map(|(.., start)| start.to_utc().format("%d").to_string());
    assert_eq!(starts.collect::<Vec<_>>(), ["01", "02", "03", "04"]);
}

#[test]
fn what_a_process_carried_out_that_ended_before_it_answered_is_answered_and_not_done_again() {
    let process = Process::new();
    process.host.engine.open();
    let journal = process.host.journal.as_ref().unwrap();
    let pause = Command::Pause { pipeline: "daily".into(), paused: true };
    let now = Clock::system().now();
    let ticket = journal.inbox().unwrap().post(&serde_json::to_string(&pause).unwrap(), None, now).unwrap();
    journal.carry_out(ticket);
    journal.next_is_effect();
    journal.pause("daily", true);
    // Another command has changed that since.
    journal.pause("daily", false);
    let _ = process.reader();
    let pipelines = [daily()];
    process.dispatch(&pipelines).poll_inbox();
    assert!(process.reader().paused().unwrap().is_empty());
    let answer = journal.inbox().unwrap().answer(ticket).unwrap().unwrap();
    assert!(answer.contains("the command was carried out by a process that ended before it answered"), "{answer}");
}

#[test]
fn a_bound_that_cannot_be_used_any_more_is_told_with_its_pipeline() {
    #[task]
    async fn counted() -> Result<u64> {
        Ok(1)
    }
    #[pipeline(schedule = "@daily")]
    fn bounded() {
        counted();
    }
    let mut plan = bounded().plan(&serde_json::Value::Null).unwrap();
    // As if a zone's rules had changed after the plan was made.
    plan.calendar.end = Some("2024-1-5");
    let error = timetable(&plan).unwrap_err().to_string();
    assert_eq!(error, "the `end` of pipeline `bounded` cannot be used: `2024-1-5` is not a date; write `2024-01-05`");
}
