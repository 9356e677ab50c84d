use crate::JournalError;
use crate::observe::HistoryError;

/// Why something in a journal could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The journal itself cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The run was deleted meanwhile.
    #[error("run `{run_id}` of `{pipeline}` is no longer in the journal: it was deleted since it was listed")]
    Deleted {
        /// The id of its pipeline.
        pipeline: String,
        /// The run's id.
        run_id: String,
    },
    /// The run's records are inconsistent.
    #[error("run `{run_id}` of `{pipeline}` cannot be read: {reason}; restore the journal from a backup if you need it")]
    Unreadable {
        /// The id of its pipeline.
        pipeline: String,
        /// The run's id.
        run_id: String,
        /// What is wrong.
        reason: String,
    },
    /// An output of another type.
    #[error("the output of `{node}` cannot be read as `{type_name}`: {error}; read it as `serde_json::Value` to see what it is")]
    Output {
        /// The node's id.
        node: String,
        /// The requested type.
        type_name: &'static str,
        /// The error from serde.
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
