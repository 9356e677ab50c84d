//! How a task ended, where it did not succeed: for the tasks behind it, which Airflow tells no more than a state.

use serde::{Deserialize, Serialize};

/// Under which key it is pushed.
pub(super) const KEY: &str = "pipeline_end";

/// How a node ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ended {
    /// Our name of the state.
    pub(super) state: String,
    /// The node that failed: itself, or one before it.
    #[serde(default)]
    pub(super) node: String,
    #[serde(default)]
    pub(super) error: String,
    #[serde(default)]
    pub(super) attempts: u32,
}

impl Ended {
    /// Of a node that has failed by that, after one attempt.
    pub(super) fn failed(node: impl Into<String>, error: impl Into<String>) -> Self {
        Self { state: "failed".to_owned(), node: node.into(), error: error.into(), attempts: 1 }
    }

    /// Of a node that has failed and could not say why.
    pub(super) fn unsaid(node: String) -> Self {
        Self::failed(node, "Airflow says that it failed, and it has said nothing itself")
    }
}
