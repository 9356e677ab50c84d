//! Starting what is due.

use super::super::prepare::{self, QueuedRun};
use super::super::scheduler::{DueRun, Turn};
use super::super::{PreparedRun, StartError};
use super::{Dispatch, new_spec};
use crate::journal::{Reader, RunKey, RunKind, StoredRun};
use crate::plan::PendingUpdates;
use crate::schedule::Interval;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// How long until a run that could not start for a transient reason is tried again.
const RETRY_DELAY: Duration = Duration::from_mins(1);
/// The maximum number of failed starts in one turn.
const FAILED_AT_ONCE: usize = 100;

/// The failed starts of one turn.
#[derive(Debug, Default)]
struct FailedStarts {
    runs: usize,
    /// By pipeline, whether it has a plan at all, which calls the pipeline's function.
    plans: HashMap<String, bool>,
}

impl Dispatch<'_> {
    /// Adds a queued run of the journal to the scheduler.
    pub(super) fn queue(&mut self, run: &StoredRun, key: RunKey, reader: &Reader) -> Result<(), StartError> {
        if !self.scheduler.knows(&run.pipeline) {
            let pipeline = self.pipeline(&run.pipeline)?;
            // Invalid params of the run itself are handled when it starts.
            self.ensure_known(&pipeline.plan_of_run(&run.params).or_else(|_| pipeline.plan(&serde_json::Value::Null))?)?;
        }
        if let Some(before) = self.scheduler.queue(&run.pipeline, Turn { key, ..Turn::of(run) })
            && let Some(state) = reader.outcome(&run.pipeline, before.into())?
        {
            self.scheduler.outcome(&run.pipeline, before, state);
        }
        Ok(())
    }

    /// Starts what is due, while the journal's queue has room. After many failed starts the rest waits for the next turn, so that
    /// a process with very many such runs still serves commands. Returns whether there is a rest.
    pub(super) fn begin_due(&mut self) -> bool {
        self.check_calendar();
        // Runs that start in one turn share a reader, which sees everything submitted before.
        let mut reader = None;
        let mut failed = FailedStarts::default();
        while failed.runs < FAILED_AT_ONCE
            && self.has_room()
            && let Some(begin) = self.scheduler.next(self.now().date)
        {
            let begun = match &begin {
                DueRun::Interval { pipeline, interval, on_time } => {
                    self.begin_interval(pipeline, *interval, *on_time, &mut reader)
                }
                DueRun::Queued { pipeline, turn } => self.begin_queued(pipeline, *turn, &mut reader),
                DueRun::Updated { pipeline, updates } => self.begin_updated(pipeline, updates, &mut reader),
            };
            if let Err(error) = begun {
                failed.runs += 1;
                self.could_not_begin(&begin, &error, &mut reader, &mut failed);
            }
        }
        failed.runs >= FAILED_AT_ONCE
    }

    fn begin_interval(
        &mut self,
        id: &str,
        interval: Interval,
        on_time: bool,
        reader: &mut Option<Reader>,
    ) -> Result<(), StartError> {
        let pipeline = self.pipeline(id)?;
        let now = self.now();
        let plan = Arc::new(pipeline.plan(&serde_json::Value::Null)?);
        let skeleton = plan.skeleton().into();
        let mut spec = new_spec(plan, interval, if on_time { now.clock_at(interval.end.into()) } else { now.clock });
        let stored = prepare::enter(self.read(reader)?, &mut spec, RunKind::Scheduled, now.clock, &skeleton, Some(&[]))?;
        self.begin(PreparedRun::New(spec, Some(Box::new(stored)))).map(drop)
    }

    fn begin_queued(&mut self, id: &str, turn: Turn, reader: &mut Option<Reader>) -> Result<(), StartError> {
        let pipeline = self.pipeline(id)?;
        let now = self.now().clock;
        let reader = self.read(reader)?;
        let run = reader.run_of_key(turn.key)?.ok_or_else(|| StartError::NoRun { run_id: turn.key.to_string() })?;
        let queued = QueuedRun::read(reader, pipeline, &run, now)?;
        self.begin(PreparedRun::Queued(Box::new(queued))).map(drop)
    }

    /// Starts a run for updates of assets. Its interval spans those of all updates, including updates that were superseded by
    /// newer ones.
    fn begin_updated(&mut self, id: &str, updates: &[PendingUpdates], reader: &mut Option<Reader>) -> Result<(), StartError> {
        let pipeline = self.pipeline(id)?;
        let now = self.now();
        let plan = Arc::new(pipeline.plan(&serde_json::Value::Null)?);
        let reader = self.read(reader)?;
        // The scheduler may not know of the newest update yet, and any other may be deleted: only the scheduler knows that it is
        // to start a run.
        let newest = |update: &PendingUpdates| -> Result<PendingUpdates, StartError> {
            let (newest, _) = reader.update_numbers(id, update.asset)?;
            Ok(PendingUpdates { newest: newest.max(update.newest), ..*update })
        };
        let updates: Vec<PendingUpdates> = updates.iter().map(newest).collect::<Result<_, _>>()?;
        let mut span: Option<Interval> = None;
        for update in &updates {
            let of_asset = reader.joint_interval(update.asset, update.after, update.newest)?;
            span = span.into_iter().chain(of_asset).reduce(Interval::spanning);
        }
        let interval = span.unwrap_or_else(|| Interval::at(now.date.to_utc()));
        let skeleton = plan.skeleton().into();
        let mut spec = new_spec(plan, interval, now.clock);
        let begins: Vec<_> = updates.iter().map(|update| (update.asset, update.newest)).collect();
        let stored = prepare::enter(reader, &mut spec, RunKind::AssetTriggered, now.clock, &skeleton, Some(&begins))?;
        self.begin(PreparedRun::New(spec, Some(Box::new(stored))))?;
        self.scheduler.consume_updates(id, &updates);
        Ok(())
    }

    pub(super) fn read<'r>(&self, reader: &'r mut Option<Reader>) -> Result<&'r Reader, StartError> {
        Ok(match reader {
            Some(reader) => reader,
            None => reader.insert(self.journal()?.reader_after_sync()?),
        })
    }

    /// Handles a start that failed. For a transient reason it is tried again: the journal could not be read, or the pipeline has
    /// no plan at all. A queued run that alone has no plan is blocked, since only another program could change that.
    fn could_not_begin(&mut self, begin: &DueRun, error: &StartError, reader: &mut Option<Reader>, failed: &mut FailedStarts) {
        let again = humantime::format_duration(RETRY_DELAY);
        let (about, pipeline) = match begin {
            DueRun::Interval { pipeline, interval, .. } => {
                (format!("the scheduled run of `{pipeline}` for {interval}"), pipeline)
            }
            DueRun::Updated { pipeline, updates } => {
                let assets: Vec<&str> = updates.iter().map(|update| update.asset).collect();
                (format!("the run of `{pipeline}` for updates of {}", assets.join(", ")), pipeline)
            }
            DueRun::Queued { pipeline, turn } => {
                let run = self.run_id(turn.key, reader);
                let about = format!("run {run} of {pipeline}");
                if let Some(journal) = self.host.journal.as_ref().filter(|_| error.is_about_plan()) {
                    journal.block(turn.key, Some(&error.stored_text()));
                    let has_plan = *failed.plans.entry(pipeline.clone()).or_insert_with(|| self.has_plan(pipeline));
                    if has_plan {
                        self.scheduler.set_aside(pipeline, *turn);
                        return self.is_blocked(turn.key, &run, pipeline, error);
                    }
                }
                (about, pipeline)
            }
        };
        tracing::error!(pipeline, "{about} could not start; next try in {again}: {error}");
        self.scheduler.hold(pipeline, self.now().date + RETRY_DELAY);
    }

    /// Logs and counts that a run is blocked.
    pub(super) fn is_blocked(&mut self, key: RunKey, run: &str, pipeline: &str, error: &StartError) {
        tracing::error!(pipeline, run, "run {run} of {pipeline} is blocked; others continue: {error}");
        self.tally.blocked += 1;
        self.settle(key);
    }

    /// True if the pipeline has a plan with its default params.
    fn has_plan(&self, pipeline: &str) -> bool {
        self.pipeline(pipeline).is_ok_and(|pipeline| pipeline.plan(&serde_json::Value::Null).is_ok())
    }

    /// Returns the run's id for log lines.
    fn run_id(&self, key: RunKey, reader: &mut Option<Reader>) -> String {
        let run = self.read(reader).ok().and_then(|reader| reader.run_of_key(key).ok()?);
        run.map_or_else(|| key.to_string(), |run| run.run_id)
    }
}
