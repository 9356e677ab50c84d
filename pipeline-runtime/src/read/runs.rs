use super::{date, utc};
use crate::RunState;
use crate::journal::{Filter, RunKind, StoredRun};
use crate::schedule::Interval;
use chrono::{DateTime, Utc};
use serde_json::Value;

/// How many runs a page has, unless a filter says otherwise.
const PAGE: u32 = 20;

/// Which runs to list: those that fit all that is given, the newest first; at most 20, unless a [limit](Self::limit) is given.
///
/// However many runs a journal has, a page takes as long as it would in a small one.
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

    /// Those of that pipeline.
    pub fn pipeline(self, id: impl Into<String>) -> Self {
        Self(Filter { pipeline: Some(id.into()), ..self.0 })
    }

    /// Those in that state that are not [blocked](RunSummary::blocked).
    pub fn state(self, state: RunState) -> Self {
        Self(Filter { state: Some(state), ..self.0 })
    }

    /// Those that are [blocked](RunSummary::blocked).
    pub fn blocked(self) -> Self {
        Self(Filter { blocked: true, ..self.0 })
    }

    /// Those of that kind.
    pub fn kind(self, kind: RunKind) -> Self {
        Self(Filter { kind: Some(kind), ..self.0 })
    }

    /// Those that were made then or later.
    pub fn since(self, since: DateTime<Utc>) -> Self {
        Self(Filter { since: Some(since.into()), ..self.0 })
    }

    /// Those that are listed after that run: the next page.
    pub fn after(self, last: &RunSummary) -> Self {
        Self(Filter { before: Some(last.0.key), ..self.0 })
    }

    /// At most so many.
    pub fn limit(self, limit: u32) -> Self {
        Self(Filter { limit, ..self.0 })
    }
}

/// What a journal knows of a run as a whole.
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

    /// What made the run.
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

    /// The state's name as `runs` prints it: `blocked` where the run is [blocked](Self::blocked).
    pub fn shown_state(&self) -> &'static str {
        self.0.shown_state()
    }

    /// The data interval. Its start is the logical date.
    pub fn interval(&self) -> Interval {
        self.0.interval
    }

    /// All of the run's params; null where its pipeline takes none.
    pub fn params(&self) -> &Value {
        &self.0.params
    }

    /// The values of the settings that the run has begun with, by their names; none while it waits for its turn.
    pub fn settings(&self) -> &serde_json::Map<String, Value> {
        &self.0.settings
    }

    /// When the run began; while it waits for its turn, when it was made.
    pub fn started(&self) -> DateTime<Utc> {
        utc(self.0.started())
    }

    /// When it ended.
    pub fn finished(&self) -> Option<DateTime<Utc>> {
        self.0.finished.map(utc)
    }

    /// The same as JSON, as `runs --json` prints it.
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
