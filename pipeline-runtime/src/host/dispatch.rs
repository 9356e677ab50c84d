//! The loop of a process that hosts runs: it begins what is due, hears what ends, and does what others ask for.

use super::backfill::Backfill;
use super::command::{Answer, Command};
use super::prepare::{self, Queued, Unfinished};
use super::scheduler::{Begin, Known, Scheduler, Timetable, Turn};
use super::{Ask, CALLBACKS_LIMIT, Ended, Host, Prepared, Request, StartError};
use crate::Pipeline;
use crate::author::context::RunInfo;
use crate::author::notify::BoxFuture;
use crate::engine::{Edit, RunIx, RunSpec, RunState};
use crate::journal::{Mailbox, Reader, RunKey, RunKind, STALE, SqliteJournal, StoredRun, Ticket};
use crate::observe::Feed;
use crate::schedule::Interval;
use crate::time::{Clock, Timestamp};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// How often the inbox is looked into, in real time.
const INBOX: Duration = Duration::from_millis(200);
/// How often it is asked, while a process drains, whether all that was under way has ended.
const DRAINING: Duration = Duration::from_millis(20);

/// What a process hosts runs for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Service {
    /// It follows the schedules, and ends only when it is asked to.
    pub(crate) follows_schedules: bool,
    /// Runs that are over are no longer kept in memory.
    pub(crate) forgets: bool,
    /// How long attempts that are under way may take once the process is to end.
    pub(crate) drain: Duration,
}

/// How the runs went that ended in this process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) success: usize,
    pub(crate) failed: usize,
    pub(crate) cancelled: usize,
    /// Runs that still wait for their turn.
    pub(crate) queued: usize,
}

/// The runs of a process.
#[derive(Debug)]
pub(crate) struct Dispatch<'a> {
    host: &'a Host,
    pipelines: &'a [Pipeline],
    service: Service,
    feed: Arc<Feed>,
    scheduler: Scheduler,
    hosted: HashMap<RunIx, Hosted>,
    by_key: HashMap<RunKey, RunIx>,
    /// Runs that have not ended.
    open: HashSet<RunIx>,
    /// Runs that have ended and have not told everybody, or whose last thread is not back.
    closing: HashSet<RunIx>,
    events: Events,
    mailbox: Option<Mailbox>,
    last_ticket: Ticket,
    tally: Tally,
}

#[derive(Debug)]
struct Hosted {
    pipeline: String,
    key: RunKey,
}

type Events = FuturesUnordered<BoxFuture<Event>>;

#[derive(Debug, Clone, Copy)]
enum Event {
    Ended(RunIx, RunState),
    Told(RunIx),
}

impl<'a> Dispatch<'a> {
    /// Of a process that hosts runs of these pipelines.
    pub(crate) fn new(host: &'a Host, pipelines: &'a [Pipeline], service: Service, feed: Arc<Feed>) -> Result<Self, StartError> {
        let mut dispatch = Self {
            host,
            pipelines,
            service,
            feed,
            scheduler: Scheduler::default(),
            hosted: HashMap::new(),
            by_key: HashMap::new(),
            open: HashSet::new(),
            closing: HashSet::new(),
            events: Events::new(),
            mailbox: None,
            last_ticket: 0,
            tally: Tally::default(),
        };
        if let Some(journal) = host.journal.as_ref().filter(|_| service.follows_schedules) {
            dispatch.follow(&journal.reader()?)?;
        }
        Ok(dispatch)
    }

    /// Takes all schedules on where the journal has left them.
    fn follow(&mut self, reader: &Reader) -> Result<(), StartError> {
        let paused = reader.paused()?;
        for pipeline in self.pipelines {
            let id = pipeline.id();
            let plan = pipeline.plan(&serde_json::Value::Null)?;
            let last = reader.last_scheduled(id)?;
            let mut past = Vec::new();
            if let Some(last) = last {
                past.extend(reader.outcome(id, last.start.into())?.map(|state| (last.start, state)));
            }
            let known = Known { last, paused: paused.contains(id), past };
            self.scheduler.add(id, Timetable::of(&plan)?, known, Some(self.now()));
        }
        Ok(())
    }

    /// Takes a pipeline on whose schedule is not followed, so that its runs are counted.
    fn know(&mut self, plan: &crate::Plan) -> Result<(), StartError> {
        if !self.scheduler.knows(plan.pipeline) {
            self.scheduler.add(plan.pipeline, Timetable::of(plan)?, Known::default(), None);
        }
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.host.engine.clock().now()
    }

    /// Waits until what waits to be kept leaves room for another run, before the engine runs any.
    fn wait_for_room(&self) {
        if let Some(journal) = &self.host.journal {
            journal.wait_for_room();
        }
    }

    /// Takes on what the journal has left to do.
    pub(crate) fn go_on(&mut self, unfinished: Unfinished) -> Result<Vec<RunIx>, StartError> {
        for run in unfinished.queued {
            self.queue(&run, run.key)?;
        }
        unfinished.begun.into_iter().map(|prepared| self.start(prepared)).collect()
    }

    /// What is served: each pipeline with a schedule, and when its next run is due.
    pub(crate) fn describe(&self) -> String {
        let mut lines = Vec::new();
        for pipeline in self.pipelines {
            let id = pipeline.id();
            let next = match (pipeline.options().schedule, self.scheduler.is_paused(id), self.scheduler.next_tick(id, self.now()))
            {
                (None, ..) => "no schedule".to_owned(),
                (Some(_), true, _) => "paused".to_owned(),
                (Some(_), false, Some(next)) => {
                    format!("next run at {}", next.to_utc().to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
                }
                (Some(_), false, None) => "no further run: its `end` is past".to_owned(),
            };
            lines.push(format!("serving {id}: {next}"));
        }
        lines.join("\n")
    }

    /// Begins a run, or resumes it, once there is room for what it has to keep.
    pub(crate) fn start(&mut self, prepared: Prepared) -> Result<RunIx, StartError> {
        self.wait_for_room();
        let turn = prepared.turn();
        let ix = self.host.start(prepared)?;
        let look = |run: &crate::engine::Run| (Arc::clone(run.plan()), run.spec.key, run.state.is_end());
        let Some((plan, key, is_over)) = self.host.engine.look(ix, look) else { return Ok(ix) };
        let pipeline = plan.pipeline.to_owned();
        if let Some(turn) = turn {
            self.by_key.insert(key, ix);
            if !is_over {
                self.know(&plan)?;
                self.scheduler.began(&pipeline, Turn { key, ..turn });
            }
        }
        self.hosted.insert(ix, Hosted { pipeline, key });
        if is_over {
            self.close(ix);
        } else {
            self.watch(ix);
        }
        Ok(ix)
    }

    /// Waits until a run that has ended has told everybody.
    fn close(&mut self, ix: RunIx) {
        let engine = self.host.engine.clone();
        self.closing.insert(ix);
        self.events.push(Box::pin(async move {
            engine.all_told(ix).await;
            Event::Told(ix)
        }));
    }

    fn watch(&mut self, ix: RunIx) {
        let engine = self.host.engine.clone();
        self.open.insert(ix);
        self.closing.remove(&ix);
        self.events.push(Box::pin(async move { Event::Ended(ix, engine.ended(ix).await) }));
    }

    fn queue(&mut self, run: &StoredRun, key: RunKey) -> Result<(), StartError> {
        let turn = Turn { key, ..Turn::of(run) };
        if !self.scheduler.knows(&run.pipeline) {
            self.know(&self.pipeline(&run.pipeline)?.plan(&run.params)?)?;
        }
        if let (Some(start), Some(journal)) = (self.scheduler.depends_on(&run.pipeline, &turn), &self.host.journal)
            && let Some(state) = journal.reader()?.outcome(&run.pipeline, start.into())?
        {
            self.scheduler.past(&run.pipeline, start, state);
        }
        self.scheduler.queue(&run.pipeline, turn);
        Ok(())
    }

    /// Hosts runs until all have ended, or somebody wants the process to end. To be called once.
    pub(crate) fn run(mut self) -> (Ended, Tally) {
        let host = self.host;
        let mut interrupts = host.interrupts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let ended = host.drive_until(async {
            let ended = tokio::select! {
                biased;
                signal = interrupts.first() => Ended::Interrupted(signal),
                () = host.engine.stopped() => Ended::Stopped,
                () = self.work() => Ended::All,
            };
            match ended {
                Ended::Interrupted(signal) if self.service.drain > Duration::ZERO => self.drain(signal).await,
                ended => ended,
            }
        });
        if matches!(ended, Ended::Interrupted(_)) {
            host.engine.interrupt();
        }
        if !matches!(ended, Ended::All) {
            host.engine.stop();
        }
        self.tally.queued = self.scheduler.counts().1;
        (ended, self.tally)
    }

    /// Lets what is under way come to its end.
    async fn drain(&mut self, signal: super::Signal) -> Ended {
        let (engine, clock) = (&self.host.engine, Clock::system());
        let limit = humantime::format_duration(self.service.drain);
        tracing::info!("{signal}: nothing more starts; what is under way has {limit} to end");
        engine.drain();
        let until = clock.now() + self.service.drain;
        while engine.is_busy() {
            if clock.now() >= until {
                return Ended::Interrupted(signal);
            }
            clock.sleep_until(clock.now() + DRAINING).await;
        }
        Ended::Drained(signal)
    }

    /// Returns when there is nothing left to do, and whoever was to be told was, or could not be in time.
    async fn work(&mut self) {
        let (clock, real) = (self.host.engine.clock(), Clock::system());
        let mut look = real.now() + INBOX;
        let mut idle_until: Option<Timestamp> = None;
        loop {
            self.begin_due();
            self.forget();
            let is_idle = self.open.is_empty() && !self.service.follows_schedules;
            if is_idle && self.closing.is_empty() {
                return;
            }
            if !is_idle {
                idle_until = None;
            } else if *idle_until.get_or_insert(real.now() + CALLBACKS_LIMIT) <= real.now() {
                return;
            }
            let wake = self.scheduler.wake(self.now()).unwrap_or(Timestamp::NEVER);
            let journal = self.host.journal.as_ref().filter(|journal| !journal.has_room());
            tokio::select! {
                () = async { if let Some(journal) = journal { journal.room().await } }, if journal.is_some() => {}
                Some(event) = self.events.next() => {
                    self.hear(event);
                    // Runs whose ends shared a commit make room together, and those that begin for them share the next.
                    while let Some(Some(event)) = self.events.next().now_or_never() {
                        self.hear(event);
                    }
                }
                () = clock.sleep_until(wake) => {}
                () = real.sleep_until(look) => {
                    self.look_into_inbox();
                    look = real.now() + INBOX;
                }
            }
        }
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Ended(ix, state) => {
                self.open.remove(&ix);
                self.close(ix);
                self.count(ix, state);
            }
            Event::Told(ix) if self.service.forgets => self.forget_one(ix),
            Event::Told(ix) => drop(self.closing.remove(&ix)),
        }
    }

    fn count(&mut self, ix: RunIx, state: RunState) {
        match state {
            RunState::Success => self.tally.success += 1,
            RunState::Cancelled => self.tally.cancelled += 1,
            _ => self.tally.failed += 1,
        }
        let Some(Hosted { pipeline, key }) = self.hosted.get(&ix) else { return };
        if self.scheduler.ended(pipeline, *key, state) {
            tracing::warn!("pipeline `{pipeline}` depends on its past: its next run waits until this interval's has succeeded");
        }
    }

    /// Gives back the memory of runs whose last thread has come back meanwhile.
    fn forget(&mut self) {
        if self.service.forgets {
            for ix in self.closing.clone() {
                self.forget_one(ix);
            }
        }
    }

    fn forget_one(&mut self, ix: RunIx) {
        if self.closing.contains(&ix) && self.host.engine.forget(ix) {
            self.closing.remove(&ix);
            if let Some(hosted) = self.hosted.remove(&ix) {
                self.by_key.remove(&hosted.key);
            }
            self.feed.forget(ix);
        }
    }

    fn begin_due(&mut self) {
        // What is read of the journal for runs that begin at once is read once, after all that was known by then.
        let mut reader = None;
        while self.has_room()
            && let Some(begin) = self.scheduler.next(self.now())
        {
            let (about, begun) = match &begin {
                Begin::Interval { pipeline, interval, on_time } => (
                    format!("the scheduled run of `{pipeline}` for {interval}"),
                    self.begin_interval(pipeline, *interval, *on_time),
                ),
                Begin::Queued { pipeline, turn } => {
                    (format!("run {} of `{pipeline}`", turn.key), self.begin_queued(pipeline, *turn, &mut reader))
                }
            };
            if let Err(error) = begun {
                tracing::error!("{about} could not begin: {error}");
            }
        }
    }

    /// Whether what waits to be kept leaves room for another run.
    fn has_room(&self) -> bool {
        self.host.journal.as_ref().is_none_or(|journal| journal.has_room())
    }

    fn begin_interval(&mut self, id: &str, interval: Interval, on_time: bool) -> Result<(), StartError> {
        let (pipeline, journal) = (self.pipeline(id)?, self.journal()?);
        let now = self.now();
        let plan = Arc::new(pipeline.plan(&serde_json::Value::Null)?);
        let mut spec = new_spec(plan, interval, if on_time { interval.end.into() } else { now });
        let stored = prepare::enter(&journal.reader_after_all()?, &mut spec, RunKind::Scheduled, now)?;
        self.start(Prepared::New(spec, Some(Box::new(stored)))).map(drop)
    }

    fn begin_queued(&mut self, id: &str, turn: Turn, reader: &mut Option<Reader>) -> Result<(), StartError> {
        let (pipeline, journal) = (self.pipeline(id)?, self.journal()?);
        let reader = match reader {
            Some(reader) => reader,
            None => reader.insert(journal.reader_after_all()?),
        };
        let Some(run) = reader.run_of_key(turn.key)? else { return Ok(()) };
        let queued = Queued::read(reader, pipeline, &run, self.now())?;
        self.start(Prepared::Queued(Box::new(queued))).map(drop)
    }

    fn pipeline(&self, id: &str) -> Result<&'a Pipeline, StartError> {
        let found = self.pipelines.iter().find(|pipeline| pipeline.id() == id);
        found.ok_or_else(|| StartError::NotHere { pipeline: id.to_owned() })
    }

    fn journal(&self) -> Result<&'a SqliteJournal, StartError> {
        self.host.journal.as_deref().ok_or_else(|| StartError::Refused("nothing is kept of these runs".into()))
    }

    fn look_into_inbox(&mut self) {
        let Ok(journal) = self.journal() else { return };
        if self.mailbox.is_none() {
            self.mailbox = journal.mailbox().inspect_err(|error| tracing::error!("{error}")).ok();
        }
        let commands = self.mailbox.as_ref().map(|mailbox| mailbox.commands(self.last_ticket));
        let commands = match commands {
            Some(Ok(commands)) => commands,
            Some(Err(error)) => return tracing::error!("{error}"),
            None => return,
        };
        for (ticket, at, text) in commands {
            self.last_ticket = ticket;
            let result = if Clock::system().now().since(at) > STALE {
                Err("nobody held the journal when this was asked, and it is too long ago now".to_owned())
            } else {
                match serde_json::from_str::<Command>(&text) {
                    Ok(command) => self.execute(command).map_err(|error| error.to_string()),
                    Err(_) => {
                        Err("the process that holds the journal is of another version and does not know this command".into())
                    }
                }
            };
            let (done, text) = result.map_or_else(|error| (false, error), |text| (true, text));
            tracing::info!("asked from outside: {text}");
            // Two texts, which JSON can hold.
            journal.answer(ticket, &serde_json::to_string(&Answer { done, text }).unwrap_or_default());
        }
    }

    /// Does what somebody wants, and says what was done.
    pub(crate) fn execute(&mut self, command: Command) -> Result<String, StartError> {
        match command {
            Command::Trigger { pipeline, logical_date, params } => self.trigger(&pipeline, logical_date, params),
            Command::Backfill(backfill) => self.backfill(&backfill),
            Command::Pause { pipeline, paused } => self.pause(&pipeline, paused),
            edit @ (Command::Cancel { .. } | Command::Skip { .. } | Command::Retry { .. }) => match edit.edit() {
                Some((run, edit)) => self.edit(run, edit),
                None => Ok(String::new()),
            },
        }
    }

    fn trigger(&mut self, id: &str, logical_date: Option<String>, params: serde_json::Value) -> Result<String, StartError> {
        let (pipeline, journal) = (self.pipeline(id)?.clone(), self.journal()?);
        let request = Request { pipeline, params, logical_date, ask: Ask::Trigger };
        let Prepared::New(_, Some(stored)) = request.prepare(&journal.reader_after_all()?, self.now())? else {
            return Ok(String::new());
        };
        let stored = StoredRun { state: RunState::Queued, ..*stored };
        let key = journal.enter(&stored);
        self.queue(&stored, key)?;
        self.begin_due();
        let run_id = stored.run_id;
        Ok(if self.by_key.contains_key(&key) {
            format!("run {run_id} of {id} has started")
        } else {
            let active = self.scheduler.active(id);
            format!(
                "run {run_id} of {id} waits for its turn: {active} of the pipeline's runs are active, which is its `max_active_runs`"
            )
        })
    }

    /// Enters the runs of a backfill, which begin as its limit allows.
    pub(crate) fn backfill(&mut self, backfill: &Backfill) -> Result<String, StartError> {
        let (pipeline, journal) = (self.pipeline(&backfill.pipeline)?, self.journal()?);
        let (reader, now) = (journal.reader_after_all()?, self.now());
        let (plan, intervals) = backfill.intervals(pipeline, Some(&reader), now)?;
        let plan = Arc::new(plan);
        for interval in &intervals.runs {
            let mut spec = new_spec(Arc::clone(&plan), *interval, now);
            let stored = prepare::enter(&reader, &mut spec, RunKind::Backfill, now)?;
            let stored = StoredRun { state: RunState::Queued, max_active: backfill.max_active_runs, ..stored };
            self.wait_for_room();
            let key = journal.enter(&stored);
            self.queue(&stored, key)?;
        }
        self.begin_due();
        let (runs, left_out) = (intervals.runs.len(), intervals.left_out.len());
        let left_out = if left_out > 0 { format!(", {left_out} left out, since they have a run already") } else { String::new() };
        Ok(format!("{runs} intervals of {} are run{left_out}", backfill.pipeline))
    }

    fn pause(&mut self, id: &str, paused: bool) -> Result<String, StartError> {
        let said = pause(self.journal()?, self.pipeline(id)?, paused)?;
        self.scheduler.pause(id, paused, self.now());
        Ok(said)
    }

    fn edit(&mut self, name: &str, edit: Edit) -> Result<String, StartError> {
        let journal = self.journal()?;
        let run = journal.reader_after_all()?.run(name)?.ok_or_else(|| StartError::NoRun { run_id: name.to_owned() })?;
        let (run_id, pipeline) = (run.run_id.clone(), run.pipeline.clone());
        let done = match &edit {
            Edit::Cancel => format!("run {run_id} of {pipeline} is cancelled"),
            Edit::Skip { node } => format!("node {node} of run {run_id} of {pipeline} is skipped"),
            Edit::Retry { .. } => format!("run {run_id} of {pipeline} goes on"),
        };
        if let Some(ix) = self.by_key.get(&run.key).copied() {
            let refused = |reason: crate::engine::EditError| StartError::Edit { run_id, reason: reason.to_string() };
            self.host.engine.edit(ix, &edit).map_err(refused)?;
            if !self.open.contains(&ix) {
                self.scheduler.began(&pipeline, Turn::of(&run));
                self.watch(ix);
            }
        } else {
            let prepared = self.host.edited(self.pipelines, name, edit)?;
            self.scheduler.unqueue(&pipeline, run.key);
            self.start(prepared)?;
        }
        Ok(done)
    }
}

/// Notes whether a pipeline's schedule is to be followed, and says what that changed.
pub(crate) fn pause(journal: &SqliteJournal, pipeline: &Pipeline, paused: bool) -> Result<String, StartError> {
    let id = pipeline.id();
    if pipeline.options().schedule.is_none() {
        return Err(StartError::Refused(format!("pipeline `{id}` has no schedule to pause; it runs when it is asked to")));
    }
    let was_paused = journal.reader_after_all()?.paused()?.contains(id);
    journal.pause(id, paused);
    Ok(match (paused, was_paused) {
        (true, false) => format!("the schedule of {id} is paused; runs that have begun go on, and `trigger` works"),
        (true, true) => format!("the schedule of {id} was paused already"),
        (false, true) => format!("the schedule of {id} is followed again"),
        (false, false) => format!("the schedule of {id} was not paused"),
    })
}

fn new_spec(plan: Arc<crate::Plan>, interval: Interval, sla_from: Timestamp) -> RunSpec {
    let info = RunInfo {
        pipeline: plan.pipeline.to_owned(),
        run_id: String::new(),
        interval,
        previous: None,
        params: plan.params.clone(),
    };
    RunSpec { plan, info: Arc::new(info), sla_from, seed: rand::random(), key: 0 }
}
