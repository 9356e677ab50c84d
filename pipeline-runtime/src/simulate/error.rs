use crate::author::type_name::{beside, shown};
use crate::engine::EditError;
use crate::plan::PlanError;
use crate::storage::BucketError;

/// Why a simulation could not be run at all. A run that fails is not such an error: its report says so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// The pipeline cannot be planned with these params.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// An arriving object could not be written, or a fault did not name a bucket.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// The params cannot be written as JSON.
    #[error("the params cannot be written as JSON: {0}")]
    Params(String),
    /// An invalid date.
    #[error("{0}")]
    Date(String),
    /// An invalid duration.
    #[error("{text:?} is not a duration: {reason}")]
    Duration {
        /// The given text.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A range that ends before it starts.
    #[error("{text:?} ends before it begins; write the smaller time first, as in `50ms..2s`")]
    Range {
        /// The given text.
        text: String,
    },
    /// An id that no node has.
    #[error("no node has the id `{id}`; the nodes are {known}")]
    UnknownNode {
        /// The given id.
        id: String,
        /// The ids that exist.
        known: String,
    },
    /// A node that does not depend on its past.
    #[error("no node `{id}` depends on its past; those that do are: {known}")]
    NoPast {
        /// The given id.
        id: String,
        /// The nodes that depend on their past.
        known: String,
    },
    /// A node to retry or skip that does not exist at that time.
    #[error("no node has the id `{id}` at the time when it is to be retried or skipped")]
    NotThere {
        /// The given id.
        id: String,
    },
    /// A node that cannot be retried or skipped at that time.
    #[error("{0}")]
    Edit(String),
    /// A stub of a type that the task does not return.
    #[error("the stub of `{id}` is a `{}`, but the task returns `{}`", beside(given, expected), beside(expected, given))]
    StubType {
        /// The node's id.
        id: String,
        /// The type of the stub.
        given: &'static str,
        /// The type that the task returns.
        expected: &'static str,
    },
    /// A run of another pipeline is invalid: its date, a task whose output nobody takes, or an output of another type.
    #[error("the run of `{pipeline}`: {reason}")]
    WrongRun {
        /// The id of the other pipeline.
        pipeline: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An asset name that the pipeline neither waits for nor reads.
    #[error("pipeline `{pipeline}` neither waits for an asset `{name}` nor reads it; {hint}")]
    UnknownAsset {
        /// The given name.
        name: String,
        /// The id of the pipeline.
        pipeline: &'static str,
        /// The asset that may be meant.
        hint: String,
    },
    /// An update of an asset that the pipeline does not use, or whose value is invalid.
    #[error("the update of the asset `{asset}`: {reason}")]
    Update {
        /// The asset's name.
        asset: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A setting that no pipeline of the simulation takes, or whose value has the wrong type.
    #[error("the setting `{name}`: {reason}")]
    Setting {
        /// The setting's name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A pipeline given to `beside` that no update would start.
    #[error("pipeline `{pipeline}` is simulated beside another and has no `when`: nothing would start a run of it")]
    WaitsForNothing {
        /// The id of the pipeline.
        pipeline: &'static str,
    },
    /// With these updates the run never starts.
    #[error(
        "the pipeline starts a run when {when} is updated, and no update of {missing} is given; add `.updated(\"0s\", &ASSET, value)`, on the \
         command line `--updated 0s=ASSET=JSON`"
    )]
    NeverBegins {
        /// The assets that it waits for.
        when: String,
        /// The assets without an update.
        missing: String,
    },
    /// A stub whose JSON cannot be read as the type that the task returns.
    #[error("the stub of `{id}` is not a `{}`, which the task returns: {reason}", shown(expected))]
    StubJson {
        /// The node's id.
        id: String,
        /// The type that the task returns.
        expected: &'static str,
        /// What is wrong with the JSON.
        reason: String,
    },
    /// The runtime, or its thread, could not be created.
    #[error("no runtime for the simulation: {0}")]
    Runtime(#[source] std::io::Error),
}

impl From<EditError> for SimulationError {
    fn from(error: EditError) -> Self {
        Self::Edit(error.to_string())
    }
}
