//! The unfinished work in a journal, and which of it this program can resume.

use super::StartError;
use super::prepare::{Prepared, Resumed, of};
use crate::Pipeline;
use crate::engine::RunState;
use crate::journal::{Reader, RunKey, StoredRun};
use crate::plan::Accepts;

/// The unfinished work in a journal.
#[derive(Debug, Default)]
pub(crate) struct Unfinished {
    /// Runs to resume, and ended runs with pending notifications.
    pub(crate) begun: Vec<Prepared>,
    /// Queued runs.
    pub(crate) queued: Vec<StoredRun>,
    /// Runs that this program cannot resume. They stay unchanged, and hold nothing else up.
    pub(crate) aside: Vec<SetAside>,
}

/// A run that cannot be resumed.
#[derive(Debug)]
pub(crate) struct SetAside {
    pub(crate) key: RunKey,
    pub(crate) run_id: String,
    pub(crate) pipeline: String,
    /// The run has ended, and has pending notifications.
    has_ended: bool,
    pub(crate) reason: StartError,
}

impl SetAside {
    /// Logs the reason.
    pub(crate) fn log(&self) {
        tracing::error!(pipeline = self.pipeline, run = self.run_id, "{}", self.reason);
    }
}

impl Unfinished {
    pub(crate) fn len(&self) -> usize {
        self.begun.len() + self.queued.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Returns the unfinished runs that pass the filter, and those with pending notifications. A run that cannot be resumed is set
/// aside, so that it does not affect others.
pub(super) fn unfinished(
    reader: &Reader,
    pipelines: &[Pipeline],
    accepts: Accepts,
    wanted: impl Fn(&StoredRun) -> bool,
) -> Result<Unfinished, StartError> {
    let mut unfinished = Unfinished::default();
    for run in reader.unfinished()?.into_iter().chain(reader.with_due_callbacks()?).filter(wanted) {
        match of(pipelines, &run) {
            Ok(_) if run.state == RunState::Queued => unfinished.queued.push(run),
            Ok(pipeline) => match Resumed::read(reader, pipeline, &run, accepts) {
                Ok(resumed) => unfinished.begun.push(Prepared::Resumed(Box::new(resumed))),
                Err(error @ StartError::Journal(_)) => return Err(error),
                Err(reason) => unfinished.aside.push(SetAside::new(run, reason)),
            },
            Err(reason) => unfinished.aside.push(SetAside::new(run, reason)),
        }
    }
    Ok(unfinished)
}

impl SetAside {
    fn new(run: StoredRun, reason: StartError) -> Self {
        Self { key: run.key, run_id: run.run_id, pipeline: run.pipeline, has_ended: run.state.is_end(), reason }
    }
}

impl std::fmt::Display for SetAside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { run_id, pipeline, has_ended, reason, .. } = self;
        let what = match has_ended {
            true => "has ended with pending notifications",
            false => "stays as it is, and others continue",
        };
        let does = if *has_ended { "gives them up" } else { "ends it" };
        write!(f, "{reason}\n  = help: run {run_id} of {pipeline} {what}; `cancel {pipeline}/{run_id}` {does}")
    }
}
