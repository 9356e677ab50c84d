use crate::plan::PlanError;
use crate::schedule::DateError;

/// Why a run could not be started. A run that fails is no error: its report says so.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The pipeline has no plan with these params.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The logical date is no date.
    #[error("the logical date: {0}")]
    Date(#[from] DateError),
    /// The schedule has no interval there: it lies outside of the years 1 to 9999.
    #[error("the schedule of pipeline `{pipeline}` has no data interval at {date}")]
    NoInterval {
        /// The pipeline's id.
        pipeline: &'static str,
        /// The logical date, or now.
        date: String,
    },
}
