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
    /// Whether the callbacks of the node were called; if not, the last task of the run calls them.
    #[serde(default)]
    pub(super) told: bool,
}

impl Ended {
    /// Whether it is of what Airflow says of the task. It outlives a mark by hand, and a task that was cleared and that no process had since.
    pub(super) fn is_of(&self, state: &str) -> bool {
        match state {
            "failed" => matches!(self.state.as_str(), "failed" | "upstream_failed"),
            state => state == "skipped" && self.state == state,
        }
    }

    /// Of a node that has failed by that, after one attempt.
    pub(super) fn failed(node: impl Into<String>, error: impl Into<String>) -> Self {
        Self { state: "failed".to_owned(), node: node.into(), error: error.into(), attempts: 1, told: false }
    }

    /// Of a node that has failed and could not say why.
    pub(super) fn unsaid(node: String) -> Self {
        Self::failed(node, "Airflow says that it failed, and it has said nothing itself")
    }
}
