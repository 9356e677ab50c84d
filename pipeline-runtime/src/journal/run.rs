//! What a journal knows of a run as a whole.

use crate::author::previous::Previous;
use crate::author::setting::SettingValues;
use crate::engine::{RunKey, RunState};
use crate::schedule::{Interval, RunKind};
use crate::time::Timestamp;
use std::sync::Arc;

/// The state shown for an unfinished run that its last process could not resume. It is not a state of the run itself: another
/// program may be able to resume it.
pub(crate) const BLOCKED: &str = "blocked";

/// A run as the journal stores it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredRun {
    pub(crate) key: RunKey,
    pub(crate) run_id: String,
    pub(crate) pipeline: String,
    pub(crate) kind: RunKind,
    pub(crate) interval: Interval,
    pub(crate) previous: Option<Previous>,
    pub(crate) params: serde_json::Value,
    pub(crate) state: RunState,
    pub(crate) created: Timestamp,
    /// The start of the SLAs.
    pub(crate) sla_from: Timestamp,
    pub(crate) finished: Option<Timestamp>,
    pub(crate) seed: u64,
    /// The plan's nodes and edges when the run was made, as [`Plan::skeleton`](crate::plan::Plan::skeleton) writes them.
    pub(crate) skeleton: Arc<str>,
    /// When the run started, if it had to wait for its turn.
    pub(crate) begun: Option<Timestamp>,
    /// For a backfill: how many of its pipeline's backfill runs may be active at once.
    pub(crate) max_active: Option<u32>,
    /// Why the last process that tried could not resume or start it. `None` once the run has ended.
    pub(crate) blocked: Option<String>,
    /// The settings that it started with.
    pub(crate) settings: SettingValues,
}

impl StoredRun {
    /// A run of that plan that was started manually at that time, for tests and benchmarks.
    #[cfg(any(test, feature = "measure"))]
    pub(crate) fn begun_by_hand(plan: &crate::plan::Plan, run_id: &str, at: Timestamp) -> Self {
        let date = at.to_utc();
        Self {
            key: 0,
            run_id: run_id.to_owned(),
            pipeline: plan.pipeline.to_owned(),
            kind: RunKind::Manual,
            interval: Interval { start: date, end: date },
            previous: None,
            params: plan.params.clone(),
            state: RunState::Running,
            created: at,
            sla_from: at,
            finished: None,
            seed: 0,
            skeleton: plan.skeleton().into(),
            begun: None,
            max_active: None,
            blocked: None,
            settings: SettingValues::new(),
        }
    }

    /// The state to show: `blocked` for an unfinished run that its last process could not resume.
    pub(crate) fn shown_state(&self) -> &'static str {
        if self.blocked.is_some() { BLOCKED } else { self.state.name() }
    }

    /// When the run started; while it waits for its turn, when it was created.
    pub(crate) fn started(&self) -> Timestamp {
        self.begun.unwrap_or(self.created)
    }
}
