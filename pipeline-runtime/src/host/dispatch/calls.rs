//! Calls of the program that embeds a host.
//!
//! A call is answered once all its effects are recorded, like a command from the inbox.

use super::super::command::Command;
use super::super::embedded::{HostError, RunRef};
use super::Dispatch;
use crate::Pipeline;
use crate::journal::{Reader, RunKey, SqliteJournal, StoredRun};
use crate::read::{JournalReader, RunDetails};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// A call, with the channel for its answer.
#[derive(Debug)]
pub(crate) enum Call {
    /// Enter a new run. Answered once it is durable.
    Trigger { pipeline: String, params: Value, logical_date: Option<String>, answer: oneshot::Sender<Result<RunRef, HostError>> },
    /// Carry out a command. Answered once its effects are durable.
    Do { command: Command, answer: oneshot::Sender<Result<(), HostError>> },
    /// Wait for a run. Answered once it has ended or is blocked.
    Wait { run: RunRef, answer: Waiter },
}

/// The channel of a caller that waits for the end of a run.
type Waiter = oneshot::Sender<Result<RunDetails, HostError>>;

/// The calls of a program, and its waiting callers.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// `None` unless the host is embedded.
    calls: Option<mpsc::UnboundedReceiver<Call>>,
    waiters: HashMap<RunKey, RunWaiters>,
}

#[derive(Debug)]
struct RunWaiters {
    run: RunRef,
    waiters: Vec<Waiter>,
}

impl Calls {
    pub(super) fn is_embedded(&self) -> bool {
        self.calls.is_some()
    }

    /// True if a caller waits for a run.
    pub(super) fn is_awaited(&self) -> bool {
        !self.waiters.is_empty()
    }

    /// Receives the next call; `None` if the host is not embedded or takes no more calls.
    pub(super) async fn next(&mut self) -> Option<Call> {
        match &mut self.calls {
            Some(calls) => calls.recv().await,
            None => None,
        }
    }

    /// Stops answering calls. Callers that wait for a run are still notified of its end.
    pub(super) fn close(&mut self) {
        if let Some(calls) = &mut self.calls {
            calls.close();
            while calls.try_recv().is_ok() {}
        }
    }
}

impl Dispatch<'_> {
    /// Lets a program call from now on.
    pub(crate) fn take_calls(&mut self, calls: mpsc::UnboundedReceiver<Call>) {
        self.calls.calls = Some(calls);
    }

    /// Answers a call. The caller may have stopped waiting; its request is carried out all the same.
    pub(super) fn answer_call(&mut self, call: Call) {
        match call {
            Call::Trigger { pipeline, params, logical_date, answer } => {
                let command =
                    Command::Trigger { pipeline: pipeline.clone(), logical_date: logical_date.clone(), params: params.clone() };
                let triggered = self.trigger_run(&pipeline, logical_date, params).map_err(HostError::from);
                let answered = triggered.and_then(|(run_id, text)| {
                    self.record_act(&command, &text)?;
                    Ok(RunRef { pipeline, run_id })
                });
                let _ = answer.send(answered);
            }
            Call::Do { command, answer } => {
                let done = self.execute(command.clone()).map_err(HostError::from);
                let _ = answer.send(done.and_then(|text| self.record_act(&command, &text.unwrap_or_default())));
            }
            Call::Wait { run, answer } => match self.key_if_unsettled(&run) {
                Ok(Some(key)) => {
                    let waiters = self.calls.waiters.entry(key);
                    waiters.or_insert_with(|| RunWaiters { run, waiters: Vec::new() }).waiters.push(answer);
                }
                Ok(None) => self.answer_waiters(run, vec![answer]),
                Err(error) => drop(answer.send(Err(error))),
            },
        }
    }

    /// Records the act, and returns once all effects are durable.
    fn record_act(&self, command: &Command, answer: &str) -> Result<(), HostError> {
        self.host.record_act(command, answer);
        self.journal()?.sync();
        match self.host.failure() {
            Some(failure) => Err(HostError::stopped(failure)),
            None => Ok(()),
        }
    }

    /// Returns the key of the run if it has neither ended nor been blocked.
    fn key_if_unsettled(&self, run: &RunRef) -> Result<Option<RunKey>, HostError> {
        let found = find(&self.journal()?.reader_after_sync()?, run)?;
        // An end reaches this loop later than the journal.
        let is_open = self.runs.of_key(found.key).is_some_and(|ix| self.runs.is_open(ix));
        let is_settled = !is_open && (found.state.is_end() || found.blocked.is_some());
        Ok((!is_settled).then_some(found.key))
    }

    /// Answers the callers that wait for a run which has ended or is blocked.
    pub(super) fn settle(&mut self, key: RunKey) {
        if let Some(RunWaiters { run, waiters }) = self.calls.waiters.remove(&key) {
            self.answer_waiters(run, waiters);
        }
    }

    /// Reads the run for waiting callers, on a thread of its own, since the run may be large.
    fn answer_waiters(&self, run: RunRef, waiters: Vec<Waiter>) {
        let Some(journal) = self.host.journal.clone() else { return };
        let pipelines = self.pipelines.to_vec();
        self.host.dispatch.spawn_blocking(move || {
            for waiter in waiters {
                let _ = waiter.send(outcome(&journal, &pipelines, &run));
            }
        });
    }
}

fn outcome(journal: &Arc<SqliteJournal>, pipelines: &[Pipeline], run: &RunRef) -> Result<RunDetails, HostError> {
    let reader = JournalReader::of(journal.reader_after_sync()?, pipelines.to_vec());
    let gone = || HostError::NoRun { run: run.clone() };
    let details = reader.details(&reader.run(&run.to_string())?.ok_or_else(gone)?)?;
    match details.summary().blocked() {
        Some(reason) => Err(HostError::Blocked { run: run.clone(), reason: reason.to_owned() }),
        None => Ok(details),
    }
}

fn find(reader: &Reader, run: &RunRef) -> Result<StoredRun, HostError> {
    reader.run(&run.to_string())?.ok_or_else(|| HostError::NoRun { run: run.clone() })
}
