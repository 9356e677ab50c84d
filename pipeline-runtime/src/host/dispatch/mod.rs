//! The loop of a process that hosts runs: it begins what is due, hears what ends, and does what others ask for.
//!
//! - `begin.rs`: what is due begins.
//! - `calendar.rs`: the schedules are followed by the wall clock, also where that is set.
//! - `hosted.rs`: the runs of this process, from their begin to the end of their last callback.
//! - `commands.rs`: what others ask for through the inbox.
//! - `calls.rs`: what the program that the host is embedded in asks for.
//! - `started.rs`: what bodies want started.
//! - `retention`: old runs are deleted, step by step.

mod begin;
mod calendar;
mod calls;
mod commands;
mod hosted;
mod retention;
#[cfg(test)]
mod stalls;
mod started;
#[cfg(test)]
mod tests;

use super::command;
use super::others::{HostedRuns, Start};
use super::scheduler::{Known, Scheduler, Timetable, Turn};
use super::supervisor::{Beat, Supervisor};
use super::{CALLBACKS_LIMIT, Ended, EngineHost, KnownAssets, StartError, Unfinished};
use crate::Pipeline;
use crate::author::context::RunInfo;
use crate::engine::{OtherRuns, RunIx, RunSpec};
use crate::journal::{Mailbox, News, Reader, SqliteJournal, Ticket, Updated};
use crate::observe::Feed;
use crate::plan::Awaits;
use crate::random;
use crate::schedule::Interval;
use crate::time::{Clock, Leaps, Present, Timestamp};
pub(super) use calendar::scheduled;
pub(super) use calls::Call;
use calls::Calls;
pub(crate) use commands::pause;
use futures_util::{FutureExt, StreamExt};
use hosted::Runs;
use retention::Retention;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{mpsc, oneshot, watch};

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
    /// How long it keeps runs that have ended, of pipelines that do not say so themselves.
    pub(crate) keep: Option<Duration>,
}

/// How the runs went that ended in this process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) success: usize,
    pub(crate) failed: usize,
    pub(crate) cancelled: usize,
    /// Runs that still wait for their turn.
    pub(crate) queued: usize,
    /// Queued runs that could not begin, and wait for another program.
    pub(crate) blocked: usize,
}

/// The runs of a process.
#[derive(Debug)]
pub(crate) struct Dispatch<'a> {
    host: &'a EngineHost,
    pipelines: &'a [Pipeline],
    service: Service,
    feed: Arc<Feed>,
    scheduler: Scheduler,
    leaps: Leaps,
    runs: Runs,
    mailbox: Option<Mailbox>,
    last_ticket: Ticket,
    retention: Retention,
    tally: Tally,
    /// Where somebody supervises the process.
    beat: Option<watch::Sender<Beat>>,
    calls: Calls,
    /// Where runs are kept: who waits for those of other pipelines, and what bodies want started.
    others: Option<(Arc<HostedRuns>, mpsc::UnboundedReceiver<Start>)>,
    /// What others may wait for, once it is kept.
    news: Option<UnboundedReceiver<News>>,
    /// Gathered by the first update from outside.
    assets: Option<KnownAssets>,
}

impl<'a> Dispatch<'a> {
    /// Of a process that hosts runs of these pipelines.
    pub(crate) fn new(
        host: &'a EngineHost,
        pipelines: &'a [Pipeline],
        service: Service,
        feed: Arc<Feed>,
    ) -> Result<Self, StartError> {
        let others = host.journal.as_ref().map(|journal| HostedRuns::new(journal, pipelines));
        if let Some((others, _)) = &others {
            host.engine.ask_of_others(Arc::clone(others) as Arc<dyn OtherRuns>);
        }
        let mut dispatch = Self {
            host,
            pipelines,
            service,
            feed,
            scheduler: Scheduler::default(),
            leaps: Leaps::since(host.now()),
            runs: Runs::default(),
            mailbox: None,
            last_ticket: 0,
            retention: Retention::default(),
            tally: Tally::default(),
            beat: None,
            calls: Calls::default(),
            others,
            // Before the journal is read, so that what is kept is in it or is told.
            news: host.journal.as_ref().map(|journal| journal.news()),
            assets: None,
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
            let unfinished = unfinished(reader, &plan)?;
            let date = self.now().date;
            let awaits = awaits(reader, &plan)?;
            let scheduled = calendar::scheduled(reader, id, plan.calendar.depends_on_past, date)?;
            let known = Known { paused: paused.contains(id), unfinished, awaits, ..scheduled };
            let watched_since = Some(date).filter(|_| !plan.calendar.by_hand);
            self.scheduler.add(id, timetable(&plan)?, known, watched_since);
        }
        Ok(())
    }

    /// Takes a pipeline on whose schedule is not followed, so that its runs are counted.
    fn know(&mut self, plan: &crate::Plan) -> Result<(), StartError> {
        if self.scheduler.knows(plan.pipeline) {
            return Ok(());
        }
        let unfinished = match &self.host.journal {
            Some(journal) => unfinished(&journal.reader()?, plan)?,
            None => Vec::new(),
        };
        self.scheduler.add(plan.pipeline, timetable(plan)?, Known { unfinished, ..Known::default() }, None);
        Ok(())
    }

    fn now(&self) -> Present {
        self.host.now()
    }

    /// Takes on what the journal has left to do.
    pub(crate) fn go_on(&mut self, unfinished: Unfinished) -> Result<Vec<RunIx>, StartError> {
        if let Some(journal) = self.host.journal.as_ref().filter(|_| !unfinished.queued.is_empty()) {
            let reader = journal.reader()?;
            for run in unfinished.queued {
                match self.queue(&run, run.key, &reader) {
                    // Its pipeline has no plan at all. That is no affair of others.
                    Err(error) if error.is_about_plan() => {
                        journal.block(run.key, Some(&error.kept()));
                        self.is_blocked(run.key, &run.run_id, &run.pipeline, &error);
                    }
                    queued => queued?,
                }
            }
        }
        unfinished.begun.into_iter().map(|prepared| self.start(prepared)).collect()
    }

    /// What is served: each pipeline with a schedule, and when its next run is due.
    pub(crate) fn describe(&self) -> String {
        let mut lines = Vec::new();
        for pipeline in self.pipelines {
            let id = pipeline.id();
            let options = pipeline.options();
            let next = match (&options.schedule, self.scheduler.is_paused(id), self.scheduler.next_tick(id, self.now().date)) {
                _ if options.by_hand => "runs begin by hand alone: see `.unscheduled_unless`".to_owned(),
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
            let kept = self.keep(pipeline).map(|keep| format!("; runs are kept for {}", command::written(keep)));
            lines.push(format!("serving {id}: {next}{}", kept.unwrap_or_default()));
        }
        lines.join("\n")
    }

    /// Hosts runs until all have ended, or somebody wants the process to end. To be called once.
    ///
    /// All that it does itself is on a thread of its own: it waits for the disk, and timers and signals wait for nothing.
    ///
    /// # Errors
    ///
    /// Where the machine has no thread for it; then nothing has run.
    pub(crate) fn run(mut self) -> std::io::Result<(Ended, Tally)> {
        let host = self.host;
        let mut interrupts = host.interrupts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (tell, told) = oneshot::channel();
        // Until the engine is driven it keeps its records to itself, and what a command does must be kept with the command.
        let (drive, is_driven) = oneshot::channel::<()>();
        // Dropped at its end, whatever ends it.
        let (goes_on, ended) = oneshot::channel::<std::convert::Infallible>();
        std::thread::scope(|threads| {
            let thread = std::thread::Builder::new().name("pipeline-dispatch".into());
            let (beat, mut beats) = watch::channel(Beat::default());
            // A program that embeds a host reports its own start.
            let is_the_process = self.service.follows_schedules && !self.calls.is_embedded();
            let mut supervisor = is_the_process.then(Supervisor::of_environment).flatten();
            self.beat = supervisor.is_some().then_some(beat);
            let dispatch = thread.spawn_scoped(threads, move || {
                let _goes_on = goes_on;
                let ended = host.dispatch.block_on(async {
                    let _ = is_driven.await;
                    self.until_the_end(told).await
                });
                self.tally.queued = self.scheduler.queued();
                (ended, self.tally)
            })?;
            host.drive_until(async {
                let _ = drive.send(());
                let (mut ended, mut tell, real) = (std::pin::pin!(ended), Some(tell), Clock::system());
                loop {
                    tokio::select! {
                        biased;
                        signal = interrupts.first(), if tell.is_some() => {
                            // Nothing more starts, whatever dispatch is busy with. It comes to the end of that: no command is half done.
                            host.engine.drain();
                            if let Some(supervisor) = &mut supervisor {
                                supervisor.stops();
                            }
                            // It may have ended.
                            let _ = tell.take().map(|tell| tell.send(signal));
                        }
                        _ = &mut ended => return,
                        Ok(()) = beats.changed(), if supervisor.is_some() => {
                            if let Some(supervisor) = &mut supervisor {
                                supervisor.hear(&beats.borrow_and_update(), real.now());
                            }
                        }
                    }
                }
            });
            let (ended, tally) = dispatch.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            if matches!(ended, Ended::Interrupted(_)) {
                host.engine.interrupt();
            }
            if !matches!(ended, Ended::All) {
                host.engine.stop();
            }
            Ok((ended, tally))
        })
    }

    async fn until_the_end(&mut self, told: oneshot::Receiver<super::Signal>) -> Ended {
        let host = self.host;
        let signal = async {
            match told.await {
                Ok(signal) => signal,
                // Nobody listens for signals any more.
                Err(_) => std::future::pending().await,
            }
        };
        let ended = tokio::select! {
            biased;
            signal = signal => Ended::Interrupted(signal),
            () = host.engine.stopped() => Ended::Stopped,
            () = self.work() => Ended::All,
        };
        match ended {
            // Whoever drops a host waits for nothing.
            Ended::Interrupted(signal) if self.service.drain > Duration::ZERO && signal != super::Signal::Dropped => {
                self.drain(signal).await
            }
            // Nothing was under way: there is nothing to cut off.
            Ended::Interrupted(super::Signal::Shutdown) if !host.engine.is_busy() => {
                self.hear_last();
                Ended::Drained(super::Signal::Shutdown)
            }
            ended => ended,
        }
    }

    /// Lets what is under way come to its end. The signal has stopped all starts already.
    async fn drain(&mut self, signal: super::Signal) -> Ended {
        self.calls.close();
        let (engine, clock) = (&self.host.engine, Clock::system());
        let limit = humantime::format_duration(self.service.drain);
        tracing::info!("{signal}: nothing more starts; what is under way has {limit} to end");
        let until = clock.now() + self.service.drain;
        while engine.is_busy() {
            self.hear_all();
            self.enter_all_wanted();
            self.beat(|_| format!("ending: what is under way has {limit} to end"));
            if clock.now() >= until {
                return Ended::Interrupted(signal);
            }
            clock.sleep_until(clock.now() + DRAINING).await;
        }
        self.hear_last();
        Ended::Drained(signal)
    }

    /// Hears what nothing more comes after. Whoever waits for a run hears of an end that is on its way to the disk.
    fn hear_last(&mut self) {
        if let (true, Some(journal)) = (self.calls.is_awaited(), &self.host.journal) {
            // What follows from a commit is done before the next one begins.
            journal.sync();
            journal.sync();
        }
        self.hear_all();
    }

    /// Returns when there is nothing left to do, and whoever was to be told was, or could not be in time.
    async fn work(&mut self) {
        let real = Clock::system();
        let mut look = real.now() + INBOX;
        let mut idle_until: Option<Timestamp> = None;
        self.delete_old();
        // Whoever supervises the process hears at once that it serves, and not at the first look into the inbox.
        let mut is_first = true;
        loop {
            let has_more = self.begin_due();
            if is_first {
                is_first = false;
                self.beat(Self::status);
            }
            let has_room = self.has_room();
            // What is queued begins once there is room, or a while after it could not begin.
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
                    self.hear(event);
                    // Runs whose ends shared a commit make room together, and those that begin for them share the next.
                    self.hear_all();
                }
                Some(news) = next_news(&mut self.news) => self.hear_news(news),
                Some(call) = self.calls.next() => self.answer_call(call),
                Some(start) = next_start(&mut self.others) => self.start_wanted(start),
                () = host.calendar.wait_for(wake) => {}
                () = tokio::task::yield_now(), if has_more => {}
                pass = self.retention.step() => self.delete_on(pass),
                () = real.sleep_until(look) => {
                    self.look_into_inbox();
                    self.forget_lingering();
                    self.delete_old();
                    self.beat(Self::status);
                    look = real.now() + INBOX;
                }
            }
        }
    }

    /// Says that this loop goes round, and what the process does, where somebody supervises it.
    fn beat(&self, status: impl FnOnce(&Self) -> String) {
        if let Some(beat) = &self.beat {
            beat.send_replace(Beat { status: status(self) });
        }
    }

    /// What the process does, for people.
    fn status(&self) -> String {
        let (open, queued) = (self.runs.open(), self.scheduler.queued());
        let next = match self.scheduler.next_of_all(self.now().date) {
            Some(next) => format!("next run at {}", next.to_utc().to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)),
            None => "no next run".to_owned(),
        };
        format!("{open} under way, {queued} queued; {next}")
    }

    fn hear_all(&mut self) {
        while let Some(Some(event)) = self.runs.events.next().now_or_never() {
            self.hear(event);
        }
    }

    /// Whoever waits learns of it, of this and of what came with it.
    fn hear_news(&mut self, news: News) {
        let mut next = Some(news);
        while let Some(news) = next {
            match (news, &self.others) {
                // Where no schedule is followed, nothing waits for it.
                (News::Updated(Updated { asset, id }), _) => self.scheduler.updated(asset, id),
                (News::Passed(passed), Some((others, _))) => others.passed(passed),
                (News::Passed(_), None) => {}
            }
            next = self.news.as_mut().and_then(|news| news.try_recv().ok());
        }
    }

    /// Whether what waits to be kept leaves room for another run.
    fn has_room(&self) -> bool {
        self.host.journal.as_ref().is_none_or(|journal| journal.has_room())
    }

    /// Whether it goes on until it is asked to end, also where nothing is to be done.
    fn stays(&self) -> bool {
        self.service.follows_schedules || self.calls.is_embedded()
    }

    fn pipeline(&self, id: &str) -> Result<&'a Pipeline, StartError> {
        let found = self.pipelines.iter().find(|pipeline| pipeline.id() == id);
        found.ok_or_else(|| StartError::NotHere { pipeline: id.to_owned() })
    }

    fn journal(&self) -> Result<&'a SqliteJournal, StartError> {
        self.host.journal.as_deref().ok_or_else(|| StartError::Refused("nothing is kept of these runs".into()))
    }
}

/// The next run that a body wants started. It never comes where nothing is kept.
async fn next_start(others: &mut Option<(Arc<HostedRuns>, mpsc::UnboundedReceiver<Start>)>) -> Option<Start> {
    match others {
        Some((_, starts)) => starts.recv().await,
        None => std::future::pending().await,
    }
}

async fn next_news(news: &mut Option<UnboundedReceiver<News>>) -> Option<News> {
    news.as_mut()?.recv().await
}

/// The assets that a pipeline waits for, as far as the journal says what it has used up.
fn awaits(reader: &Reader, plan: &crate::Plan) -> Result<Option<Awaits>, StartError> {
    let Some((when, _)) = &plan.assets.when else { return Ok(None) };
    let mut known = Vec::new();
    for asset in &when.assets {
        let (newest, used) = reader.awaited(plan.pipeline, asset.name)?;
        known.push((asset.name, newest, used));
    }
    Ok(Some(Awaits::new(when.rule, known)))
}

/// Returns once what waits to be kept leaves room for another run.
async fn room(host: &EngineHost) {
    if let Some(journal) = &host.journal {
        journal.room().await;
    }
}

/// The runs that hold up others of their pipeline as long as they have not ended.
fn unfinished(reader: &Reader, plan: &crate::Plan) -> Result<Vec<Turn>, StartError> {
    if !plan.calendar.depends_on_past {
        return Ok(Vec::new());
    }
    let unfinished = reader.unfinished_intervals(plan.pipeline)?.into_iter();
    Ok(unfinished.map(|(key, kind, interval)| Turn { key, kind, interval, max_active: None }).collect())
}

/// The plan was checked by the time zones as they were then, which may have been updated since.
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
