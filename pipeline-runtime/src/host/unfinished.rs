//! The unfinished work in a journal, and which of it this program can resume.

use super::StartError;
use super::prepare::{PreparedRun, ResumedRun, pipeline_of};
use crate::Pipeline;
use crate::engine::RunState;
use crate::journal::{Reader, RunKey, StoredRun};
use crate::plan::Accepts;

/// The unfinished work in a journal.
#[derive(Debug, Default)]
pub(crate) struct UnfinishedRuns {
    /// Runs to resume, and ended runs with pending notifications.
    pub(crate) resumable: Vec<PreparedRun>,
    /// Queued runs.
    pub(crate) queued: Vec<StoredRun>,
    /// Runs that this program cannot resume. They stay unchanged, and hold nothing else up.
    pub(crate) blocked: Vec<BlockedRun>,
}

/// A run that cannot be resumed.
#[derive(Debug)]
pub(crate) struct BlockedRun {
    pub(crate) key: RunKey,
    pub(crate) run_id: String,
    pub(crate) pipeline: String,
    /// The run has ended, and has pending notifications.
    has_ended: bool,
    pub(crate) reason: StartError,
}

impl BlockedRun {
    /// Logs the reason.
    pub(crate) fn log(&self) {
        tracing::error!(pipeline = self.pipeline, run = self.run_id, "{}", self.reason);
    }
}

impl UnfinishedRuns {
    pub(crate) fn len(&self) -> usize {
        self.resumable.len() + self.queued.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Returns the unfinished runs that pass the filter, and those with pending notifications. A run that cannot be resumed is
/// blocked, so that it does not affect others.
pub(super) fn unfinished(
    reader: &Reader,
    pipelines: &[Pipeline],
    accepts: Accepts,
    filter: impl Fn(&StoredRun) -> bool,
) -> Result<UnfinishedRuns, StartError> {
    let mut unfinished = UnfinishedRuns::default();
    for run in reader.unfinished()?.into_iter().chain(reader.with_due_callbacks()?).filter(filter) {
        match pipeline_of(pipelines, &run) {
            Ok(_) if run.state == RunState::Queued => unfinished.queued.push(run),
            Ok(pipeline) => match ResumedRun::read(reader, pipeline, &run, accepts) {
                Ok(resumed) => unfinished.resumable.push(PreparedRun::Resumed(Box::new(resumed))),
                Err(error @ StartError::Journal(_)) => return Err(error),
                Err(reason) => unfinished.blocked.push(BlockedRun::new(run, reason)),
            },
            Err(reason) => unfinished.blocked.push(BlockedRun::new(run, reason)),
        }
    }
    Ok(unfinished)
}

impl BlockedRun {
    fn new(run: StoredRun, reason: StartError) -> Self {
        Self { key: run.key, run_id: run.run_id, pipeline: run.pipeline, has_ended: run.state.is_end(), reason }
    }
}

impl std::fmt::Display for BlockedRun {
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
