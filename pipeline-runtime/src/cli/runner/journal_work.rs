//! What a runner does beside the runs that it was given: it resumes runs of the journal, edits one, or runs a backfill.

use crate::Pipeline;
use crate::engine::Edit;
use crate::host::{Backfill, EditResult, EngineHost, PreparedRun, StartError, UnfinishedRuns, edit_answer, given_up_answer};
use crate::journal::{RunKind, StoredRun};
use crate::plan::Accepts;

/// Which runs in the journal are resumed, beside those requested by pipeline.
#[derive(Debug)]
pub(super) enum JournalRequest {
    None,
    /// All unfinished runs whose plans have changed no more than that.
    Unfinished(Accepts),
    /// The run with that id, with the edit applied.
    Edited(String, Edit),
    /// Unfinished runs of the pipeline's earlier backfills, and then this one.
    Backfill(Backfill),
}

/// Unfinished work in the journal, beside the requested runs.
#[derive(Debug, Default)]
pub(super) struct JournalWork {
    pub(super) unfinished: UnfinishedRuns,
    pub(super) backfill: Option<Backfill>,
    /// The result for a run that this program has no plan for: nothing of it is run.
    pub(super) settled: Option<String>,
}

impl JournalRequest {
    pub(super) fn edit(&self) -> Option<Edit> {
        match self {
            Self::Edited(_, edit) => Some(edit.clone()),
            _ => None,
        }
    }

    /// Reads from the journal what was requested. An edited run that continues is added to `prepared`.
    pub(super) fn read(
        self,
        host: &EngineHost,
        hosting: &[Pipeline],
        prepared: &mut Vec<PreparedRun>,
    ) -> Result<JournalWork, StartError> {
        let mut work = JournalWork::default();
        match self {
            Self::None => {}
            Self::Unfinished(accepts) => work.unfinished = host.unfinished(hosting, accepts, |_| true)?,
            Self::Edited(run_id, edit) => match host.edited(hosting, &run_id, edit)? {
                EditResult::Prepared(run) => prepared.push(run),
                EditResult::CancelledAsItIs(run) => {
                    let answer = edit_answer(&Edit::Cancel, &run.run_id, &run.pipeline);
                    work.settled = Some(format!("{answer}; this program could not resume it"));
                }
                EditResult::GivenUp(run, _) => work.settled = Some(given_up_answer(&run.run_id, &run.pipeline)),
            },
            Self::Backfill(of) => {
                // With `depends_on_past`, intervals wait for all unfinished runs before them, of whatever kind.
                let is_it = |pipeline: &&Pipeline| pipeline.id() == of.pipeline;
                let takes_all = hosting.iter().find(is_it).is_some_and(|pipeline| pipeline.options().depends_on_past);
                let is_resumed = |run: &StoredRun| run.pipeline == of.pipeline && (takes_all || run.kind == RunKind::Backfill);
                work.unfinished = host.unfinished(hosting, Accepts::Additions, is_resumed)?;
                work.backfill = Some(of);
            }
        }
        Ok(work)
    }
}
