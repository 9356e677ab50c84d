use crate::JournalError;
use crate::observe::HistoryError;

/// Why something of a journal could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The journal itself.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The run was deleted meanwhile.
    #[error("run `{run_id}` of `{pipeline}` is no longer in the journal: it was deleted since it was listed")]
    Deleted {
        /// Its pipeline.
        pipeline: String,
        /// The run.
        run_id: String,
    },
    /// The run's records do not fit together.
    #[error("run `{run_id}` of `{pipeline}` cannot be read: {reason}; restore the journal from a backup if you need it")]
    Unreadable {
        /// Its pipeline.
        pipeline: String,
        /// The run.
        run_id: String,
        /// What is wrong.
        reason: String,
    },
    /// An output that is of another type.
    #[error("the output of `{node}` cannot be read as `{type_name}`: {error}; read it as `serde_json::Value` to see what it is")]
    Output {
        /// The node's id.
        node: String,
        /// The type that was asked for.
        type_name: &'static str,
        /// What serde said.
        error: serde_json::Error,
    },
}

impl ReadError {
    pub(super) fn of_history(pipeline: &str, run_id: &str, error: HistoryError) -> Self {
        match error {
            HistoryError::Journal(error) => Self::Journal(error),
            HistoryError::Skeleton(_) | HistoryError::Record(_) => {
                let (pipeline, run_id) = (pipeline.to_owned(), run_id.to_owned());
                Self::Unreadable { pipeline, run_id, reason: error.to_string() }
            }
        }
    }
}
