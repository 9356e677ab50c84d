//! Commands from the journal's inbox, and the `backfill` of this process itself.

use super::super::backfill::Backfill;
use super::super::command::{Answer, Command, edit_answer, given_up_answer};
use super::super::prepare;
use super::super::scheduler::Turn;
use super::super::{AssetCatalog, EditResult, Request, RequestMode, StartError};
use super::{Dispatch, new_spec};
use crate::Pipeline;
use crate::author::error::cut;
use crate::engine::{Edit, EditError, RunState};
use crate::journal::{JournalError, PostedCommand, Reader, RunKind, STALE, SqliteJournal, StoredRun, Ticket};
use crate::observe::plural;
use crate::schedule::Interval;
use crate::time::{Clock, Timestamp};
use std::collections::HashSet;
use std::sync::Arc;

impl Dispatch<'_> {
    pub(super) fn poll_inbox(&mut self) {
        let Ok(journal) = self.journal() else { return };
        journal.check_file();
        if self.inbox.is_none() {
            self.inbox = journal.inbox().inspect_err(|error| tracing::error!("{error}")).ok();
        }
        let commands = self.inbox.as_ref().map(|inbox| inbox.commands(self.last_ticket));
        let commands = match commands {
            Some(Ok(commands)) => commands,
            Some(Err(error)) => return tracing::error!("{error}"),
            None => return,
        };
        for posted in commands {
            let result = match self.carry_out(journal, &posted) {
                Ok(Some(result)) => result,
                // It was withdrawn.
                Ok(None) => continue,
                // It is tried again at the next poll of the inbox.
                Err(error) => return tracing::error!("{error}"),
            };
            self.last_ticket = posted.ticket;
            match result.transpose() {
                Some(result) => answer(journal, posted.ticket, result),
                None => journal.defer_answer(),
            }
        }
    }

    /// Carries a command out unless that was done before, and returns its answer, or an inner `None` if the answer follows later.
    /// Returns `None` if the command was withdrawn.
    fn carry_out(
        &mut self,
        journal: &SqliteJournal,
        posted: &PostedCommand,
    ) -> Result<Option<Result<Option<String>, String>>, JournalError> {
        if posted.status.is_carried {
            return earlier_answer(&journal.reader_after_sync()?, posted).map(|answer| Some(Ok(Some(answer))));
        }
        if posted.status.taken.is_none() && Clock::system().now().since(posted.at) > STALE {
            return Ok(Some(Err(
                "no process held the journal when this was requested, and the request is too old now".to_owned()
            )));
        }
        let is_taken = self.inbox.as_ref().map(|inbox| inbox.take(posted)).transpose()?;
        if is_taken != Some(true) {
            return Ok(None);
        }
        Ok(Some(match serde_json::from_str::<Command>(&posted.text) {
            Ok(command) => {
                journal.carry_out(posted.ticket);
                self.execute(command).map_err(|error| error.to_string())
            }
            Err(_) => Err("the process that holds the journal is of another version and does not know this command".into()),
        }))
    }

    /// Carries a command out and returns its answer; `None` if the answer follows later.
    pub(crate) fn execute(&mut self, command: Command) -> Result<Option<String>, StartError> {
        let done = match command {
            Command::Trigger { pipeline, logical_date, params } => self.trigger(&pipeline, logical_date, params),
            Command::Backfill(backfill) => self.backfill(&backfill),
            Command::Pause { pipeline, paused } => self.pause(&pipeline, paused),
            Command::Update { asset, value } => self.update(&asset, &value),
            Command::Set { setting, to } => super::super::set(self.journal()?, self.pipelines, &setting, &to, self.now().clock),
            Command::Prune { older_than } => {
                self.prune(older_than, self.journal()?.carried_out());
                return Ok(None);
            }
            edit @ (Command::Cancel { .. } | Command::Skip { .. } | Command::Retry { .. }) => match edit.edit() {
                Some((run, edit)) => self.edit(run, &edit),
                None => Ok(String::new()),
            },
        };
        done.map(Some)
    }

    fn trigger(&mut self, id: &str, logical_date: Option<String>, params: serde_json::Value) -> Result<String, StartError> {
        self.trigger_run(id, logical_date, params).map(|(_, answer)| answer)
    }

    /// Enters a run, which starts as its pipeline's limit allows. Returns its id and the answer.
    pub(super) fn trigger_run(
        &mut self,
        id: &str,
        logical_date: Option<String>,
        params: serde_json::Value,
    ) -> Result<(String, String), StartError> {
        let (pipeline, journal) = (self.pipeline(id)?.clone(), self.journal()?);
        let request = Request { pipeline, params, logical_date, mode: RequestMode::Trigger };
        let reader = journal.reader_after_sync()?;
        let (spec, stored) = request.enter(&reader, self.now())?;
        let stored = StoredRun { state: RunState::Queued, ..stored };
        journal.next_is_effect();
        let key = journal.enter_for_command(&stored);
        self.queue(&stored, key, &reader)?;
        self.begin_due();
        let run_id = stored.run_id;
        let active = self.scheduler.active(id);
        let answer = if self.runs.of_key(key).is_some() {
            format!("run {run_id} of {id} has started")
        } else if active < spec.plan.calendar.max_active_runs as usize {
            format!(
                "run {run_id} of {id} could not start yet; `show {id}/{run_id}` or the log of the process that holds the journal has the reason"
            )
        } else {
            format!(
                "run {run_id} of {id} waits for its turn: {} active, which is the pipeline's `max_active_runs`",
                if active == 1 { "1 run is".to_owned() } else { format!("{active} runs are") }
            )
        };
        Ok((run_id, answer))
    }

    /// Enters the runs of a backfill, which start as its limit allows.
    pub(crate) fn backfill(&mut self, backfill: &Backfill) -> Result<String, StartError> {
        let (pipeline, journal) = (self.pipeline(&backfill.pipeline)?, self.journal()?);
        let (reader, now) = (journal.reader_after_sync()?, self.now());
        let (plan, mut intervals) = backfill.intervals(pipeline, Some(&reader), now.date)?;
        // A process that took this command before may have ended in the middle of it.
        let entered = journal.carried_out().map(|ticket| reader.runs_of_ticket(ticket)).transpose()?.unwrap_or_default();
        let entered: HashSet<Timestamp> = entered.into_iter().map(|(.., start)| start).collect();
        let is_missing = |interval: &Interval| !entered.contains(&interval.start.into());
        intervals.runs.retain(is_missing);
        intervals.left_out.retain(|(interval, ..)| is_missing(interval));
        let plan = Arc::new(plan);
        let skeleton = plan.skeleton().into();
        for (n, interval) in intervals.runs.iter().enumerate() {
            let mut spec = new_spec(Arc::clone(&plan), *interval, now.clock);
            let stored = prepare::enter(&reader, &mut spec, RunKind::Backfill, now.clock, &skeleton, None)?;
            let stored = StoredRun { state: RunState::Queued, max_active: backfill.max_active_runs, ..stored };
            journal.wait_for_room();
            if n + 1 == intervals.runs.len() {
                // Only the last run completes the command.
                journal.next_is_effect();
            }
            let key = journal.enter_for_command(&stored);
            self.queue(&stored, key, &reader)?;
        }
        self.begin_due();
        let (runs, left_out, under_way) = (entered.len() + intervals.runs.len(), intervals.left_out.len(), intervals.under_way());
        let left_out = match left_out {
            0 => String::new(),
            1 => ", 1 left out, since it has a run already".to_owned(),
            many => format!(", {many} left out, since they have a run already"),
        };
        let (s, are) = (plural(runs), if runs == 1 { "is" } else { "are" });
        Ok(format!("{runs} interval{s} of {} {are} run{left_out}{under_way}", backfill.pipeline))
    }

    /// Updates an asset from outside.
    fn update(&mut self, asset: &str, value: &serde_json::Value) -> Result<String, StartError> {
        let (journal, now) = (self.journal()?, self.now().clock);
        let assets = match &mut self.assets {
            Some(assets) => assets,
            none => none.insert(AssetCatalog::of(self.pipelines)?),
        };
        assets.update(journal, asset, value, now)
    }

    fn pause(&mut self, id: &str, paused: bool) -> Result<String, StartError> {
        let answer = pause(self.journal()?, self.pipeline(id)?, paused)?;
        self.scheduler.pause(id, paused, self.now().date);
        Ok(answer)
    }

    fn edit(&mut self, name: &str, edit: &Edit) -> Result<String, StartError> {
        let journal = self.journal()?;
        let run = journal.reader_after_sync()?.run(name)?.ok_or_else(|| StartError::NoRun { run_id: name.to_owned() })?;
        let (run_id, pipeline) = (run.run_id.clone(), run.pipeline.clone());
        let done = if let Some(ix) = self.runs.of_key(run.key) {
            let refused = |reason: EditError| StartError::Edit { run_id: run_id.clone(), reason: reason.to_string() };
            journal.next_is_effect();
            self.host.engine.edit(ix, edit).map_err(refused)?;
            // If its end was not handled yet, `hear` notices that the run is active again.
            if !self.runs.is_open(ix) {
                self.scheduler.began(&pipeline, Turn::of(&run));
                self.watch(ix);
            }
            self.host.edit_answer(edit, ix, &run_id, &pipeline)
        } else {
            match self.host.edited(self.pipelines, name, edit.clone())? {
                EditResult::Prepared(prepared) => {
                    let ix = self.begin(prepared)?;
                    self.host.edit_answer(edit, ix, &run_id, &pipeline)
                }
                EditResult::GivenUp(..) => given_up_answer(&run_id, &pipeline),
                EditResult::CancelledAsItIs(run) => {
                    self.ended_elsewhere(&run.pipeline, run.key, RunState::Cancelled);
                    edit_answer(edit, &run_id, &pipeline)
                }
            }
        };
        Ok(done)
    }
}

/// Answers a command, once all its effects so far are recorded.
pub(super) fn answer(journal: &SqliteJournal, ticket: Ticket, result: Result<String, String>) {
    let (done, text) = result.map_or_else(|error| (false, error), |text| (true, text));
    let text = cut(text);
    tracing::info!("answered a command: {text}");
    let answer = Answer { done, text };
    // Two strings, which JSON can represent.
    journal.answer(ticket, &serde_json::to_string(&answer).unwrap_or_default(), answer.done, &answer.text);
}

/// Returns the answer for a command whose process ended before it answered.
fn earlier_answer(reader: &Reader, posted: &PostedCommand) -> Result<String, JournalError> {
    let runs = reader.runs_of_ticket(posted.ticket)?;
    let what = match runs.as_slice() {
        [] => "the command was carried out".to_owned(),
        [(pipeline, run_id, _)] => format!("run {run_id} of {pipeline} was entered"),
        [(pipeline, ..), ..] => format!("{} intervals of {pipeline} were entered", runs.len()),
    };
    Ok(format!("{what} by a process that ended before it answered"))
}

/// Records whether a pipeline's schedule is paused, and returns what that changed.
pub(crate) fn pause(journal: &SqliteJournal, pipeline: &Pipeline, paused: bool) -> Result<String, StartError> {
    let id = pipeline.id();
    let begins = match pipeline.options() {
        options if options.schedule.is_some() => "schedule",
        options if options.when.is_some() => "`when`",
        _ => return Err(StartError::Refused(format!("pipeline `{id}` has no schedule to pause; it only runs on request"))),
    };
    if pipeline.options().by_hand {
        return Err(StartError::Refused(format!(
            "the {begins} of pipeline `{id}` is not followed by this program (`.unscheduled_unless`); it only runs on request"
        )));
    }
    let was_paused = journal.reader_after_sync()?.paused()?.contains(id);
    journal.next_is_effect();
    journal.pause(id, paused);
    Ok(match (paused, was_paused) {
        (true, false) => format!("the {begins} of {id} is paused; active runs continue, and `trigger` works"),
        (true, true) => format!("the {begins} of {id} was already paused"),
        (false, true) => format!("the {begins} of {id} is followed again"),
        (false, false) => format!("the {begins} of {id} was not paused"),
    })
}
