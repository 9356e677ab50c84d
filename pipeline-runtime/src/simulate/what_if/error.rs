use crate::plan::{PlanChanged, PlanError};
use pipeline_syntax::duration;
use std::time::Duration;

/// Why a run cannot be repeated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WhatIfError {
    #[error("this program has no pipeline `{0}`")]
    NoPipeline(String),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error("the run cannot be repeated: {0}")]
    Changed(#[from] PlanChanged),
    /// A requested change is invalid; `what` is the text of the change.
    #[error("{what}: {why}")]
    Wrong { what: String, why: String },
    #[error(
        "the simulation took more than {}, in which it reached {} after the run's start; leave out the change that makes a sensor poke so often",
        duration::show(*most),
        duration::show(*reached)
    )]
    TooLong { most: Duration, reached: Duration },
    #[error("the simulation has no runtime: {0}")]
    Runtime(std::io::Error),
}
