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
    /// It has its output.
    Success,
    /// Its last attempt failed.
    Failed,
    /// It did not run, or said itself that there was nothing to do.
    Skipped,
    /// It cannot run since something before it failed.
    UpstreamFailed,
    /// An element of a list that no longer has it.
    Removed,
}

impl NodeState {
    /// In the order of their declaration, by which counts are found.
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

    /// Whether an attempt has been started and the node has not ended, be it between two attempts or pokes.
    pub(crate) const fn is_under_way(self) -> bool {
        matches!(self, Self::Running | Self::UpForRetry | Self::UpForReschedule)
    }

    /// Whether nothing more happens to the node by itself.
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
    /// Not all its nodes have ended.
    Running,
    /// All nodes ended, and none failed that was not allowed to.
    Success,
    /// A node failed, or the run's timeout was over.
    Failed,
    /// Somebody cancelled it.
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

    /// Whether the run has ended.
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Success | Self::Failed | Self::Cancelled)
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
