//! The report of a task that ended without success. Downstream tasks need it, since Airflow gives them only a state.

use serde::{Deserialize, Serialize};

/// The XCom key that the report is pushed under.
pub(super) const XCOM_KEY: &str = "pipeline_end";

/// How a node ended, if not in success. The fields' names in JSON stay: tasks of an older export may have pushed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EndReport {
    /// The engine's name of the state.
    pub(super) state: String,
    /// The node that failed: this one, or one upstream of it.
    #[serde(default)]
    pub(super) node: String,
    #[serde(default)]
    pub(super) error: String,
    #[serde(default)]
    pub(super) attempts: u32,
    /// Whether the callbacks of the node were called. If not, the last task of the run calls them.
    #[serde(default, rename = "told")]
    pub(super) notified: bool,
}

impl EndReport {
    /// Returns whether the report belongs to the state that Airflow has. A pushed value outlives a manual mark, and a clear after which no
    /// process ran.
    pub(super) fn matches(&self, state: &str) -> bool {
        match state {
            "failed" => matches!(self.state.as_str(), "failed" | "upstream_failed"),
            state => state == "skipped" && self.state == state,
        }
    }

    /// The end of a node that failed with this error after one attempt.
    pub(super) fn failed(node: impl Into<String>, error: impl Into<String>) -> Self {
        Self { state: "failed".to_owned(), node: node.into(), error: error.into(), attempts: 1, notified: false }
    }

    /// The end of a node that failed without reporting why.
    pub(super) fn unexplained(node: String) -> Self {
        Self::failed(node, "Airflow reports that it failed, but it reported no error itself")
    }
}
