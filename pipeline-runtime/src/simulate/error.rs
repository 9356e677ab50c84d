use crate::author::type_name::{beside, shown};
use crate::engine::EditError;
use crate::plan::PlanError;
use crate::storage::BucketError;

/// Why a simulation could not be run at all. A run that fails is no error: its report says so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// The pipeline has no plan with these params.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// What was to arrive could not be written, or a fault named no bucket.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// The params cannot be written as JSON.
    #[error("the params cannot be written as JSON: {0}")]
    Params(String),
    /// No date.
    #[error("{0}")]
    Date(String),
    /// No duration.
    #[error("{text:?} is not a duration: {reason}")]
    Duration {
        /// What was given.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A range that ends before it begins.
    #[error("{text:?} ends before it begins; write the smaller time first, as in `50ms..2s`")]
    Range {
        /// What was given.
        text: String,
    },
    /// An id that no node has.
    #[error("no node has the id `{id}`; the nodes are {known}")]
    UnknownNode {
        /// What was given.
        id: String,
        /// What there is.
        known: String,
    },
    /// A node that does not depend on its past.
    #[error("no node `{id}` depends on its past; those that do are: {known}")]
    NoPast {
        /// What was given.
        id: String,
        /// What there is.
        known: String,
    },
    /// An id that no node has at the time when it is to be retried or skipped.
    #[error("no node has the id `{id}` at the time when it is to be retried or skipped")]
    NotThere {
        /// What was given.
        id: String,
    },
    /// A node that cannot be retried or skipped then.
    #[error("{0}")]
    Edit(String),
    /// A stub of a type that the task does not return.
    #[error("the stub of `{id}` is a `{}`, but the task returns `{}`", beside(given, expected), beside(expected, given))]
    StubType {
        /// The node.
        id: String,
        /// What was given.
        given: &'static str,
        /// What it returns.
        expected: &'static str,
    },
    /// A run of another pipeline is invalid: its date, a task whose output nobody takes, or an output of another type.
    #[error("the run of `{pipeline}`: {reason}")]
    WrongRun {
        /// The other pipeline.
        pipeline: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An asset by a name that the pipeline neither waits for nor reads.
    #[error("pipeline `{pipeline}` neither waits for an asset `{name}` nor reads it; {hint}")]
    UnknownAsset {
        /// What was given.
        name: String,
        /// The pipeline.
        pipeline: &'static str,
        /// Which asset may be meant.
        hint: String,
    },
    /// An update of an asset that the pipeline has no use for, or whose value cannot be used.
    #[error("the update of the asset `{asset}`: {reason}")]
    Update {
        /// The asset's name.
        asset: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A setting that no pipeline of the simulation takes, or whose value is none of its type.
    #[error("the setting `{name}`: {reason}")]
    Setting {
        /// The setting's name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A pipeline that is simulated beside another, and that no update would begin.
    #[error("pipeline `{pipeline}` is simulated beside another and has no `when`: nothing would begin a run of it")]
    WaitsForNothing {
        /// The pipeline.
        pipeline: &'static str,
    },
    /// With these updates the run never begins.
    #[error(
        "the pipeline begins a run when {when} is updated, and no update of {missing} is given; add `.updated(\"0s\", &ASSET, value)`, on the \
         command line `--updated 0s=ASSET=JSON`"
    )]
    NeverBegins {
        /// What it waits for.
        when: String,
        /// The assets without an update.
        missing: String,
    },
    /// A stub whose JSON is no value of the type that the task returns.
    #[error("the stub of `{id}` is no `{}`, which the task returns: {reason}", shown(expected))]
    StubJson {
        /// The node.
        id: String,
        /// What it returns.
        expected: &'static str,
        /// What is wrong with the JSON.
        reason: String,
    },
    /// The runtime, or its thread, could not be made.
    #[error("no runtime for the simulation: {0}")]
    Runtime(#[source] std::io::Error),
}

impl From<EditError> for SimulationError {
    fn from(error: EditError) -> Self {
        Self::Edit(error.to_string())
    }
}
