use super::{date, utc};
use crate::RunState;
use crate::journal::{Filter, RunKind, StoredRun};
use crate::schedule::Interval;
use chrono::{DateTime, Utc};
use serde_json::Value;

/// The number of runs on a page, unless a filter sets a limit.
const PAGE: u32 = 20;

/// Selects the runs to list: those that satisfy all conditions, the newest first; at most 20, unless a [limit](Self::limit) is
/// set.
///
/// A page takes the same time however many runs a journal has.
#[derive(Debug, Clone)]
pub struct RunFilter(pub(super) Filter);

impl Default for RunFilter {
    fn default() -> Self {
        Self::new()
    }
}

impl RunFilter {
    /// All runs.
    pub fn new() -> Self {
        Self(Filter { limit: PAGE, ..Filter::default() })
    }

    /// Only runs of that pipeline.
    pub fn pipeline(self, id: impl Into<String>) -> Self {
        Self(Filter { pipeline: Some(id.into()), ..self.0 })
    }

    /// Only runs in that state that are not [blocked](RunSummary::blocked).
    pub fn state(self, state: RunState) -> Self {
        Self(Filter { state: Some(state), ..self.0 })
    }

    /// Only runs that are [blocked](RunSummary::blocked).
    pub fn blocked(self) -> Self {
        Self(Filter { blocked: true, ..self.0 })
    }

    /// Only runs of that kind.
    pub fn kind(self, kind: RunKind) -> Self {
        Self(Filter { kind: Some(kind), ..self.0 })
    }

    /// Only runs that were created then or later.
    pub fn since(self, since: DateTime<Utc>) -> Self {
        Self(Filter { since: Some(since.into()), ..self.0 })
    }

    /// Only runs that are listed after that run: the next page.
    pub fn after(self, last: &RunSummary) -> Self {
        Self(Filter { before: Some(last.0.key), ..self.0 })
    }

    /// The maximum number of runs.
    pub fn limit(self, limit: u32) -> Self {
        Self(Filter { limit, ..self.0 })
    }
}

/// What a journal knows about a run as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSummary(pub(super) StoredRun);

impl RunSummary {
    /// The run's id. It is unique among the runs of its pipeline.
    pub fn run_id(&self) -> &str {
        &self.0.run_id
    }

    /// The pipeline's id.
    pub fn pipeline(&self) -> &str {
        &self.0.pipeline
    }

    /// What created the run.
    pub fn kind(&self) -> RunKind {
        self.0.kind
    }

    /// The run's state.
    pub fn state(&self) -> RunState {
        self.0.state
    }

    /// Why the last process that tried could not resume the run, such as a plan that has changed. `None` for a run that has ended.
    pub fn blocked(&self) -> Option<&str> {
        self.0.blocked.as_deref()
    }

    /// The state's name as `runs` prints it: `blocked` if the run is [blocked](Self::blocked).
    pub fn shown_state(&self) -> &'static str {
        self.0.shown_state()
    }

    /// The data interval. Its start is the logical date.
    pub fn interval(&self) -> Interval {
        self.0.interval
    }

    /// All of the run's params; null if its pipeline takes none.
    pub fn params(&self) -> &Value {
        &self.0.params
    }

    /// The values of the settings that the run started with, by name; empty while it waits for its turn.
    pub fn settings(&self) -> &serde_json::Map<String, Value> {
        &self.0.settings
    }

    /// When the run started; while it waits for its turn, when it was created.
    pub fn started(&self) -> DateTime<Utc> {
        utc(self.0.started())
    }

    /// When the run ended.
    pub fn finished(&self) -> Option<DateTime<Utc>> {
        self.0.finished.map(utc)
    }

    /// The summary as JSON, as `runs --json` prints it.
    pub fn to_json(&self) -> Value {
        serde_json::json!({
            "run_id": self.run_id(),
            "pipeline": self.pipeline(),
            "kind": self.kind(),
            "state": self.shown_state(),
            "blocked": self.blocked(),
            "logical_date": self.interval().start,
            "data_interval_end": self.interval().end,
            "params": self.params(),
            "started": date(self.started()),
            "finished": self.finished().map(date),
        })
    }

    pub(crate) fn stored(&self) -> &StoredRun {
        &self.0
    }
}
