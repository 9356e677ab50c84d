use crate::author::error::cut;
use crate::engine::{Illegal, RunState};
use crate::journal::{DecodeError, JournalError};
use crate::plan::{PlanChanged, PlanError};
use crate::schedule::{DateError, LogicalDateError, no_interval};
use std::sync::Arc;

/// Why a run could not be started. A failed run is not an error: its report says so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The pipeline has no plan with these params.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The logical date is invalid, or a day on which no data interval starts, or more than one.
    #[error("the logical date: {0}")]
    Date(#[from] LogicalDateError),
    /// A bound of a pipeline's schedule cannot be used.
    #[error("the `{option}` of pipeline `{pipeline}` cannot be used: {error}")]
    Calendar {
        /// The pipeline's id.
        pipeline: &'static str,
        /// `start` or `end`.
        option: &'static str,
        /// The reason.
        error: Box<DateError>,
    },
    /// The schedule has no interval there: its calendar begins or ends, at the latest at the ends of the years 1678 to 2261.
    #[error("{}", no_interval(pipeline, date))]
    NoInterval {
        /// The pipeline's id.
        pipeline: &'static str,
        /// Now, or the logical date of the run that starts it.
        date: String,
    },
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal has times in the future of this machine's clock.
    #[error(
        "run `{run_id}` of `{pipeline}` has times up to {newest}, and this machine's clock reads {now}: either it is wrong, or the \
         clock was when that was written\n  = help: set the clock right if it is wrong; if it is right, `repair` moves the journal's times \
         that are in the future back to the present"
    )]
    JournalAhead {
        /// The run.
        run_id: String,
        /// Its pipeline.
        pipeline: String,
        /// The newest time of it.
        newest: String,
        /// The time of the machine's clock.
        now: String,
    },
    /// The journal could no longer be written, and the runs were left unchanged.
    #[error("{0}")]
    Stopped(Arc<JournalError>),
    /// The journal has no such run.
    #[error("the journal has no run `{run_id}`; `runs` lists those it has")]
    NoRun {
        /// The requested run.
        run_id: String,
    },
    /// The run cannot be edited as requested.
    #[error("run `{run_id}`: {reason}")]
    Edit {
        /// The run.
        run_id: String,
        /// The reason.
        reason: String,
    },
    /// There is an unfinished run of the same identity with other params.
    #[error(
        "run `{run_id}` is unfinished and has other params: {stored}; leave the params out to resume it, or start a new run with \
         `--new`"
    )]
    OtherParams {
        /// The unfinished run.
        run_id: String,
        /// Its params.
        stored: String,
    },
    /// A run was triggered for a date that has an unfinished run.
    #[error("run `{run_id}` of that date is {state}; `retry`, `skip` or `cancel` change it, and `run` resumes it")]
    Unfinished {
        /// The unfinished run.
        run_id: String,
        /// Its state.
        state: RunState,
    },
    /// A queued run that must wait because of its pipeline's `max_active_runs`.
    #[error(
        "run `{run_id}` waits for its turn: {} unfinished, and the pipeline's `max_active_runs` is {limit}; `resume` runs them all in \
         their order, and `cancel` makes room",
        several(begun)
    )]
    Waits {
        /// The queued run.
        run_id: String,
        /// The pipeline's `max_active_runs`.
        limit: u32,
        /// The ids of its runs that have started and not ended.
        begun: Vec<String>,
    },
    /// The request for a backfill is invalid.
    #[error("{0}")]
    Backfill(String),
    /// The holder of the journal refused a command, or did not answer.
    #[error("{0}")]
    Refused(String),
    /// An unfinished run does not fit the pipeline's current plan.
    #[error(transparent)]
    Changed(#[from] PlanChanged),
    /// The outputs of an unfinished run no longer fit their types.
    #[error("run `{run_id}` cannot be resumed: {reason}")]
    Undecodable {
        /// The unfinished run.
        run_id: String,
        /// What does not fit.
        reason: String,
    },
    /// The records of an unfinished run contradict each other.
    #[error("run `{run_id}` cannot be resumed: its journal is damaged: {reason}")]
    Damaged {
        /// The unfinished run.
        run_id: String,
        /// Which record it is.
        reason: String,
    },
    /// A run that cannot continue with the current plan, even if removed nodes are accepted.
    #[error("run `{run_id}` cannot continue with the current plan: {reason}; `cancel` ends it")]
    NotAccepted {
        /// The run.
        run_id: String,
        /// The reason.
        reason: String,
    },
    /// The process that holds the journal does not have the pipeline of a request.
    #[error("the process that holds the journal has no pipeline `{pipeline}`")]
    NotHere {
        /// The pipeline.
        pipeline: String,
    },
    /// An unfinished run of a pipeline that this binary does not have.
    #[error("run `{run_id}` is of pipeline `{pipeline}`, which this binary does not have")]
    NoPipeline {
        /// The unfinished run.
        run_id: String,
        /// Its pipeline.
        pipeline: String,
    },
}

/// Names the first of the runs, and the number of others.
fn several(runs: &[String]) -> String {
    match runs {
        [only] => format!("run `{only}` is"),
        [first, rest @ ..] => format!("run `{first}` and {} more are", rest.len()),
        [] => "no run is".to_owned(),
    }
}

impl StartError {
    /// True if this program has no plan that fits the run.
    pub(super) fn is_about_plan(&self) -> bool {
        matches!(
            self,
            Self::Plan(_)
                | Self::Changed(_)
                | Self::NotAccepted { .. }
                | Self::Undecodable { .. }
                | Self::NoPipeline { .. }
                | Self::Damaged { .. }
        )
    }

    /// True if the cause is not the request, so that it may succeed later.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::Journal(_) | Self::Stopped(_))
    }

    /// Returns the reason as it is stored with a run.
    pub(super) fn stored_text(&self) -> String {
        cut(self.to_string())
    }

    /// Creates the error for an edit of a queued run, which can only be cancelled.
    pub(super) fn still_queued(run_id: &str) -> Self {
        Self::Edit { run_id: run_id.to_owned(), reason: "it waits for its turn: there is nothing to change yet".into() }
    }

    pub(super) fn undecodable(run_id: &str, error: &DecodeError) -> Self {
        Self::Undecodable { run_id: run_id.to_owned(), reason: error.to_string() }
    }

    pub(super) fn damaged(run_id: &str, error: &Illegal) -> Self {
        Self::Damaged { run_id: run_id.to_owned(), reason: error.to_string() }
    }
}
