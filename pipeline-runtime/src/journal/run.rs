//! What a journal knows of a run as a whole.

use crate::author::previous::Previous;
use crate::author::setting::SettingValues;
use crate::engine::{RunKey, RunState};
use crate::schedule::{Interval, RunKind};
use crate::time::Timestamp;
use std::sync::Arc;

/// What an unfinished run is called that its last process could not go on with. It is no state of the run: another program may
/// go on with it.
pub(crate) const BLOCKED: &str = "blocked";

/// A run as the journal keeps it.
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
    /// What the SLAs count from.
    pub(crate) sla_from: Timestamp,
    pub(crate) finished: Option<Timestamp>,
    pub(crate) seed: u64,
    /// The plan's nodes and edges when the run was made, as [`Plan::skeleton`](crate::plan::Plan::skeleton) writes them.
    pub(crate) skeleton: Arc<str>,
    /// When it began, if it had to wait for its turn.
    pub(crate) begun: Option<Timestamp>,
    /// Of a backfill: how many of its pipeline's backfill runs may be active at once.
    pub(crate) max_active: Option<u32>,
    /// Why the last process that tried could not go on with it, or begin it. None of a run that has ended.
    pub(crate) blocked: Option<String>,
    /// The settings that it has begun with.
    pub(crate) settings: SettingValues,
}

impl StoredRun {
    /// A run of that plan which somebody has begun at that time, for tests and benchmarks.
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

    /// Its state as it is told: a run that has not ended, and that its last process could not go on with, is `blocked`.
    pub(crate) fn shown_state(&self) -> &'static str {
        if self.blocked.is_some() { BLOCKED } else { self.state.name() }
    }

    /// When it began; while it waits for its turn, when it was made.
    pub(crate) fn started(&self) -> Timestamp {
        self.begun.unwrap_or(self.created)
    }
}
