//! The loop of a process that hosts runs: it starts due runs, handles ends, and carries out commands.
//!
//! - `begin.rs`: starts what is due.
//! - `calendar.rs`: follows the schedules by the wall clock, even when that is set.
//! - `hosted.rs`: the runs of this process, from their start to the end of their last callback.
//! - `commands.rs`: carries out commands from the inbox.
//! - `calls.rs`: answers the program that embeds the host.
//! - `start_requests.rs`: enters the runs that bodies start.
//! - `retention`: deletes old runs, step by step.

mod begin;
mod calendar;
mod calls;
mod commands;
mod hosted;
mod retention;
#[cfg(test)]
mod stalls;
mod start_requests;

#[cfg(test)]
mod tests;

use super::command;
use super::other_runs::{JournaledRuns, StartRequest};
use super::scheduler::{JournaledState, Scheduler, Timetable, Turn};
use super::supervisor::{Heartbeat, Supervisor};
use super::{AssetCatalog, CALLBACKS_LIMIT, EngineHost, ProcessEnd, StartError, UnfinishedRuns};
use crate::Pipeline;
use crate::author::context::RunInfo;
use crate::engine::{OtherRuns, RunIx, RunSpec};
use crate::journal::{AssetUpdated, CommitEvent, Inbox, Reader, SqliteJournal, Ticket};
use crate::observe::Feed;
use crate::plan::AssetCondition;
use crate::random;
use crate::schedule::Interval;
use crate::time::{Clock, LeapDetector, Present, Timestamp};
pub(super) use calendar::scheduled;
pub(super) use calls::Call;
use calls::Calls;
pub(crate) use commands::pause;
use futures_util::{FutureExt, StreamExt};
use hosted::HostedRuns;
use retention::Retention;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{mpsc, oneshot, watch};

/// How often the inbox is polled, in real time.
const INBOX: Duration = Duration::from_millis(200);
/// How often a draining process checks whether all running attempts have ended.
const DRAINING: Duration = Duration::from_millis(20);

/// The options of a process that hosts runs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ServiceOptions {
    /// Follow the schedules, and end only when asked to.
    pub(crate) follows_schedules: bool,
    /// Drop runs that are over from memory.
    pub(crate) forgets: bool,
    /// How long running attempts may take to finish once the process is asked to stop.
    pub(crate) drain: Duration,
    /// How long ended runs are stored, for pipelines without their own `keep`.
    pub(crate) keep: Option<Duration>,
}

/// The results of the runs that ended in this process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) success: usize,
    pub(crate) failed: usize,
    pub(crate) cancelled: usize,
    /// Runs that are still queued.
    pub(crate) queued: usize,
    /// Queued runs that could not start, and need another program.
    pub(crate) blocked: usize,
}

/// The dispatch loop of a process and its state.
///
/// It is the only part of the process that decides which runs start. Everything that may lead to a start comes to it: ticks, ends
/// of runs, commands, calls of an embedding program, updates of assets, and requests of bodies. Nodes are executed by the engine,
/// which starts no run by itself.
#[derive(Debug)]
pub(crate) struct Dispatch<'a> {
    host: &'a EngineHost,
    /// The pipelines whose runs this process hosts. A command for any other is refused.
    pipelines: &'a [Pipeline],
    service: ServiceOptions,
    /// Has the histories of the runs. A run that is forgotten here is forgotten there as well.
    feed: Arc<Feed>,
    scheduler: Scheduler,
    /// Detects that the wall clock was set or the machine slept.
    leaps: LeapDetector,
    runs: HostedRuns,
    /// The inbox. Opened at the first poll, and again at the next one if that fails.
    inbox: Option<Inbox>,
    /// The last command that was taken from the inbox. Later ones have greater numbers.
    last_ticket: Ticket,
    retention: Retention,
    tally: Tally,
    /// Set if a supervisor watches the process.
    beat: Option<watch::Sender<Heartbeat>>,
    calls: Calls,
    /// Set if there is a journal: the sensors that wait for runs of other pipelines, and the runs that bodies start.
    others: Option<(Arc<JournaledRuns>, mpsc::UnboundedReceiver<StartRequest>)>,
    /// Committed events that others may wait for.
    commit_events: Option<UnboundedReceiver<CommitEvent>>,
    /// Collected at the first update from outside.
    assets: Option<AssetCatalog>,
}

impl<'a> Dispatch<'a> {
    /// Creates the dispatch of a process that hosts runs of these pipelines.
    pub(crate) fn new(
        host: &'a EngineHost,
        pipelines: &'a [Pipeline],
        service: ServiceOptions,
        feed: Arc<Feed>,
    ) -> Result<Self, StartError> {
        let others = host.journal.as_ref().map(|journal| JournaledRuns::new(journal, pipelines));
        if let Some((others, _)) = &others {
            host.engine.ask_of_others(Arc::clone(others) as Arc<dyn OtherRuns>);
        }
        let mut dispatch = Self {
            host,
            pipelines,
            service,
            feed,
            scheduler: Scheduler::default(),
            leaps: LeapDetector::since(host.now()),
            runs: HostedRuns::default(),
            inbox: None,
            last_ticket: 0,
            retention: Retention::default(),
            tally: Tally::default(),
            beat: None,
            calls: Calls::default(),
            others,
            // Subscribed before the journal is read, so that each event is either in it or received.
            commit_events: host.journal.as_ref().map(|journal| journal.commit_events()),
            assets: None,
        };
        if let Some(journal) = host.journal.as_ref().filter(|_| service.follows_schedules) {
            dispatch.follow(&journal.reader()?)?;
        }
        Ok(dispatch)
    }

    /// Adds all schedules to the scheduler, as the journal has left them.
    fn follow(&mut self, reader: &Reader) -> Result<(), StartError> {
        let paused = reader.paused()?;
        for pipeline in self.pipelines {
            let id = pipeline.id();
            let plan = pipeline.plan(&serde_json::Value::Null)?;
            let unfinished = unfinished(reader, &plan)?;
            let date = self.now().date;
            let awaits = awaits(reader, &plan)?;
            let scheduled = calendar::scheduled(reader, id, plan.calendar.depends_on_past, date)?;
            let known = JournaledState { paused: paused.contains(id), unfinished, awaits, ..scheduled };
            let watched_since = Some(date).filter(|_| !plan.calendar.by_hand);
            self.scheduler.add(id, timetable(&plan)?, known, watched_since);
        }
        Ok(())
    }

    /// Adds a pipeline whose schedule is not followed, so that its runs are counted.
    fn ensure_known(&mut self, plan: &crate::Plan) -> Result<(), StartError> {
        if self.scheduler.knows(plan.pipeline) {
            return Ok(());
        }
        let unfinished = match &self.host.journal {
            Some(journal) => unfinished(&journal.reader()?, plan)?,
            None => Vec::new(),
        };
        self.scheduler.add(plan.pipeline, timetable(plan)?, JournaledState { unfinished, ..JournaledState::default() }, None);
        Ok(())
    }

    fn now(&self) -> Present {
        self.host.now()
    }

    /// Takes over unfinished work from the journal.
    pub(crate) fn resume(&mut self, unfinished: UnfinishedRuns) -> Result<Vec<RunIx>, StartError> {
        if let Some(journal) = self.host.journal.as_ref().filter(|_| !unfinished.queued.is_empty()) {
            let reader = journal.reader()?;
            for run in unfinished.queued {
                match self.queue(&run, run.key, &reader) {
                    // Its pipeline has no plan at all. That must not stop other runs.
                    Err(error) if error.is_about_plan() => {
                        journal.block(run.key, Some(&error.stored_text()));
                        self.is_blocked(run.key, &run.run_id, &run.pipeline, &error);
                    }
                    queued => queued?,
                }
            }
        }
        unfinished.resumable.into_iter().map(|prepared| self.start(prepared)).collect()
    }

    /// Describes what is served: each pipeline with its next run.
    pub(crate) fn describe(&self) -> String {
        let mut lines = Vec::new();
        for pipeline in self.pipelines {
            let id = pipeline.id();
            let options = pipeline.options();
            let next = match (&options.schedule, self.scheduler.is_paused(id), self.scheduler.next_tick(id, self.now().date)) {
                _ if options.by_hand => "runs only start manually: see `.unscheduled_unless`".to_owned(),
                (None, true, _) if options.when.is_some() => "paused".to_owned(),
                (None, ..) => match &options.when {
                    Some(when) => format!("runs when {when} is updated"),
                    None => "no schedule".to_owned(),
                },
                (Some(_), true, _) => "paused".to_owned(),
                (Some(_), false, Some(next)) => {
                    format!("next run at {}", next.to_utc().to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
                }
                (Some(_), false, None) if options.end.is_some() => "no further run: its `end` is past".to_owned(),
                (Some(_), false, None) => "no further run: its calendar has ended".to_owned(),
            };
            let retention = self.keep(pipeline).map(|keep| format!("; runs are kept for {}", command::short_duration(keep)));
            lines.push(format!("serving {id}: {next}{}", retention.unwrap_or_default()));
        }
        lines.join("\n")
    }

    /// Hosts runs until all have ended or the process is asked to stop. Must be called once.
    ///
    /// The loop has its own thread, since it waits for the disk, while timers and signals wait for nothing.
    ///
    /// # Errors
    ///
    /// If the system provides no thread for it; then nothing has run.
    pub(crate) fn run(mut self) -> std::io::Result<(ProcessEnd, Tally)> {
        let host = self.host;
        let mut signals = host.signals.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (signal_sender, signal_receiver) = oneshot::channel();
        // Until the engine is driven it buffers its records, and the effects of a command must be recorded with the command.
        let (drive, is_driven) = oneshot::channel::<()>();
        // Dropped when dispatch ends, for whatever reason.
        let (is_alive, ended) = oneshot::channel::<std::convert::Infallible>();
        std::thread::scope(|threads| {
            let thread = std::thread::Builder::new().name("pipeline-dispatch".into());
            let (beat, mut beats) = watch::channel(Heartbeat::default());
            // A program that embeds a host reports its own start.
            let is_the_process = self.service.follows_schedules && !self.calls.is_embedded();
            let mut supervisor = is_the_process.then(Supervisor::of_environment).flatten();
            self.beat = supervisor.is_some().then_some(beat);
            let dispatch = thread.spawn_scoped(threads, move || {
                let _is_alive = is_alive;
                let ended = host.dispatch.block_on(async {
                    let _ = is_driven.await;
                    self.until_the_end(signal_receiver).await
                });
                self.tally.queued = self.scheduler.queued();
                (ended, self.tally)
            })?;
            host.drive_until(async {
                let _ = drive.send(());
                let (mut ended, mut signal_sender, real) = (std::pin::pin!(ended), Some(signal_sender), Clock::system());
                loop {
                    tokio::select! {
                        biased;
                        signal = signals.first(), if signal_sender.is_some() => {
                            // Nothing more starts, whatever dispatch is busy with. It finishes its current step, so no command is
                            // left half done.
                            host.engine.drain();
                            if let Some(supervisor) = &mut supervisor {
                                supervisor.report_stopping();
                            }
                            // Dispatch may have ended.
                            let _ = signal_sender.take().map(|sender| sender.send(signal));
                        }
                        _ = &mut ended => return,
                        Ok(()) = beats.changed(), if supervisor.is_some() => {
                            if let Some(supervisor) = &mut supervisor {
                                supervisor.report(&beats.borrow_and_update(), real.now());
                            }
                        }
                    }
                }
            });
            let (ended, tally) = dispatch.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            if matches!(ended, ProcessEnd::Interrupted(_)) {
                host.engine.interrupt();
            }
            if !matches!(ended, ProcessEnd::All) {
                host.engine.stop();
            }
            Ok((ended, tally))
        })
    }

    async fn until_the_end(&mut self, signal: oneshot::Receiver<super::Signal>) -> ProcessEnd {
        let host = self.host;
        let signal = async {
            match signal.await {
                Ok(signal) => signal,
                // Nobody listens for signals any more.
                Err(_) => std::future::pending().await,
            }
        };
        let ended = tokio::select! {
            biased;
            signal = signal => ProcessEnd::Interrupted(signal),
            () = host.engine.stopped() => ProcessEnd::Stopped,
            () = self.work() => ProcessEnd::All,
        };
        match ended {
            // Dropping a host waits for nothing.
            ProcessEnd::Interrupted(signal) if self.service.drain > Duration::ZERO && signal != super::Signal::Dropped => {
                self.drain(signal).await
            }
            // No attempt was running, so there is nothing to cut off.
            ProcessEnd::Interrupted(super::Signal::Shutdown) if !host.engine.is_busy() => {
                self.handle_last_events();
                ProcessEnd::Drained(super::Signal::Shutdown)
            }
            ended => ended,
        }
    }

    /// Lets running attempts finish. The signal has stopped all starts already.
    async fn drain(&mut self, signal: super::Signal) -> ProcessEnd {
        self.calls.close();
        let (engine, clock) = (&self.host.engine, Clock::system());
        let limit = humantime::format_duration(self.service.drain);
        tracing::info!("{signal}: nothing more starts; running attempts have {limit} to finish");
        let until = clock.now() + self.service.drain;
        while engine.is_busy() {
            self.handle_pending_events();
            self.enter_all_requested();
            self.beat(|_| format!("stopping: running attempts have {limit} to finish"));
            if clock.now() >= until {
                return ProcessEnd::Interrupted(signal);
            }
            clock.sleep_until(clock.now() + DRAINING).await;
        }
        self.handle_last_events();
        ProcessEnd::Drained(signal)
    }

    /// Handles the last events. Callers that wait for a run still get an end that is being committed.
    fn handle_last_events(&mut self) {
        if let (true, Some(journal)) = (self.calls.is_awaited(), &self.host.journal) {
            // Work that follows a commit is done before the next commit begins, so a second sync waits for it.
            journal.sync();
            journal.sync();
        }
        self.handle_pending_events();
    }

    /// Returns when there is nothing left to do, and notifications are delivered or timed out.
    async fn work(&mut self) {
        let real = Clock::system();
        let mut look = real.now() + INBOX;
        let mut idle_until: Option<Timestamp> = None;
        self.delete_old();
        // A supervisor is notified at once that the process serves, and not at the first poll of the inbox.
        let mut is_first = true;
        loop {
            let has_more = self.begin_due();
            if is_first {
                is_first = false;
                self.beat(Self::status);
            }
            let has_room = self.has_room();
            // Queued runs start once there is room, or some time after a failed start.
            let is_waiting = has_more || self.scheduler.queued() > 0 && (!has_room || self.scheduler.is_held(self.now().date));
            let is_idle = !self.runs.has_open() && !is_waiting && !self.stays();
            if is_idle && !self.runs.has_closing() {
                return;
            }
            if !is_idle {
                idle_until = None;
            } else if *idle_until.get_or_insert(real.now() + CALLBACKS_LIMIT) <= real.now() {
                return;
            }
            let wake = self.scheduler.wake(self.now().date).unwrap_or(Timestamp::NEVER);
            let host = self.host;
            tokio::select! {
                () = room(host), if !has_room => {}
                Some(event) = self.runs.events.next() => {
                    self.handle(event);
                    // Runs whose ends shared a commit free room together, and those that start for them share the next commit.
                    self.handle_pending_events();
                }
                Some(event) = next_commit_event(&mut self.commit_events) => self.on_commit(event),
                Some(call) = self.calls.next() => self.answer_call(call),
                Some(start) = next_start(&mut self.others) => self.start_requested(start),
                () = host.calendar.wait_for(wake) => {}
                () = tokio::task::yield_now(), if has_more => {}
                pass = self.retention.step() => self.continue_deleting(pass),
                () = real.sleep_until(look) => {
                    self.poll_inbox();
                    self.forget_lingering();
                    self.delete_old();
                    self.beat(Self::status);
                    look = real.now() + INBOX;
                }
            }
        }
    }

    /// Reports a beat of this loop and the status of the process to the supervisor, if any.
    fn beat(&self, status: impl FnOnce(&Self) -> String) {
        if let Some(beat) = &self.beat {
            beat.send_replace(Heartbeat { status: status(self) });
        }
    }

    /// Describes what the process does, for people.
    fn status(&self) -> String {
        let (open, queued) = (self.runs.open(), self.scheduler.queued());
        let next = match self.scheduler.next_of_all(self.now().date) {
            Some(next) => format!("next run at {}", next.to_utc().to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)),
            None => "no next run".to_owned(),
        };
        format!("{open} active, {queued} queued; {next}")
    }

    fn handle_pending_events(&mut self) {
        while let Some(Some(event)) = self.runs.events.next().now_or_never() {
            self.handle(event);
        }
    }

    /// Passes this event, and all received with it, to those that wait for it.
    fn on_commit(&mut self, event: CommitEvent) {
        let mut next = Some(event);
        while let Some(event) = next {
            match (event, &self.others) {
                // If no schedule is followed, nothing waits for it.
                (CommitEvent::Updated(AssetUpdated { asset, id }), _) => self.scheduler.updated(asset, id),
                (CommitEvent::Passed(passed), Some((others, _))) => others.passed(passed),
                (CommitEvent::Passed(_), None) => {}
            }
            next = self.commit_events.as_mut().and_then(|events| events.try_recv().ok());
        }
    }

    /// True if the journal's queue has room for another run.
    fn has_room(&self) -> bool {
        self.host.journal.as_ref().is_none_or(|journal| journal.has_room())
    }

    /// True if the loop continues until asked to stop, even when idle.
    fn stays(&self) -> bool {
        self.service.follows_schedules || self.calls.is_embedded()
    }

    fn pipeline(&self, id: &str) -> Result<&'a Pipeline, StartError> {
        let found = self.pipelines.iter().find(|pipeline| pipeline.id() == id);
        found.ok_or_else(|| StartError::NotHere { pipeline: id.to_owned() })
    }

    fn journal(&self) -> Result<&'a SqliteJournal, StartError> {
        self.host.journal.as_deref().ok_or_else(|| StartError::Refused("these runs have no journal".into()))
    }
}

/// Receives the next run that a body starts; never without a journal.
async fn next_start(others: &mut Option<(Arc<JournaledRuns>, mpsc::UnboundedReceiver<StartRequest>)>) -> Option<StartRequest> {
    match others {
        Some((_, starts)) => starts.recv().await,
        None => std::future::pending().await,
    }
}

async fn next_commit_event(events: &mut Option<UnboundedReceiver<CommitEvent>>) -> Option<CommitEvent> {
    events.as_mut()?.recv().await
}

/// Returns the assets that a pipeline waits for, and what it has consumed of them according to the journal.
fn awaits(reader: &Reader, plan: &crate::Plan) -> Result<Option<AssetCondition>, StartError> {
    let Some((when, _)) = &plan.assets.when else { return Ok(None) };
    let mut known = Vec::new();
    for asset in &when.assets {
        let (newest, used) = reader.update_numbers(plan.pipeline, asset.name)?;
        known.push((asset.name, newest, used));
    }
    Ok(Some(AssetCondition::new(when.rule, known)))
}

/// Returns once the journal's queue has room for another run.
async fn room(host: &EngineHost) {
    if let Some(journal) = &host.journal {
        journal.room().await;
    }
}

/// Returns the runs that hold up others of their pipeline until they have ended.
fn unfinished(reader: &Reader, plan: &crate::Plan) -> Result<Vec<Turn>, StartError> {
    if !plan.calendar.depends_on_past {
        return Ok(Vec::new());
    }
    let unfinished = reader.unfinished_intervals(plan.pipeline)?.into_iter();
    Ok(unfinished.map(|(key, kind, interval)| Turn { key, kind, interval, max_active: None }).collect())
}

/// Builds the timetable. Can fail: the plan was checked with the time zone rules of that time, which may have been updated since.
fn timetable(plan: &crate::Plan) -> Result<Timetable, StartError> {
    Timetable::of(plan).map_err(|refused| StartError::Calendar {
        pipeline: plan.pipeline,
        option: refused.option,
        error: refused.error,
    })
}

fn new_spec(plan: Arc<crate::Plan>, interval: Interval, sla_from: Timestamp) -> RunSpec {
    let info = RunInfo::new(plan.pipeline, "", interval, plan.params.clone());
    RunSpec { plan, info: Arc::new(info), sla_from, seed: random::new_seed(), key: 0 }
}
