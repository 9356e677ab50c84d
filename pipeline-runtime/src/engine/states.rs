use std::fmt;

/// The state of a node in a run. The words are Airflow's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NodeState {
    /// Waits for its upstreams.
    #[default]
    None,
    /// May run, and its run will start it.
    Scheduled,
    /// May run, and waits for a slot of its pool.
    Queued,
    /// An attempt or a poke is under way; in mode `poke` also between pokes.
    Running,
    /// An attempt failed; the next starts after the retry delay.
    UpForRetry,
    /// A sensor between two pokes, without a slot.
    UpForReschedule,
    /// The node has its output.
    Success,
    /// Its last attempt failed.
    Failed,
    /// The node did not run, or its body reported that there was nothing to do.
    Skipped,
    /// The node cannot run because a node before it failed.
    UpstreamFailed,
    /// An element of a list that no longer contains it.
    Removed,
}

impl NodeState {
    /// In the order of declaration: a state's discriminant is its index.
    pub(crate) const ALL: [Self; 11] = [
        Self::None,
        Self::Scheduled,
        Self::Queued,
        Self::Running,
        Self::UpForRetry,
        Self::UpForReschedule,
        Self::Success,
        Self::Failed,
        Self::Skipped,
        Self::UpstreamFailed,
        Self::Removed,
    ];

    /// Airflow's name of the state.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::UpForRetry => "up_for_retry",
            Self::UpForReschedule => "up_for_reschedule",
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::UpstreamFailed => "upstream_failed",
            Self::Removed => "removed",
        }
    }

    /// True if an attempt has started and the node has not ended. It may also be between two attempts or pokes.
    pub(crate) const fn is_under_way(self) -> bool {
        matches!(self, Self::Running | Self::UpForRetry | Self::UpForReschedule)
    }

    /// True if nothing more happens to the node by itself.
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Success | Self::Failed | Self::Skipped | Self::UpstreamFailed | Self::Removed)
    }
}

impl fmt::Display for NodeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunState {
    /// Waits for its turn (`max_active_runs`).
    #[default]
    Queued,
    /// At least one node has not ended.
    Running,
    /// All nodes have ended, and only failures occurred that the run allows.
    Success,
    /// A node failed, or the run exceeded its timeout.
    Failed,
    /// The run was cancelled.
    Cancelled,
}

impl RunState {
    pub(crate) const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Success, Self::Failed, Self::Cancelled];

    /// The state's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// True if the run has ended.
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Success | Self::Failed | Self::Cancelled)
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
