//! The observable side of runs: their history, folded from their records, and its presentation.

#[cfg(feature = "sqlite")]
mod durations;
#[cfg(feature = "sqlite")]
mod feed;
mod history;
#[cfg(feature = "sqlite")]
pub(crate) mod logs;
mod metrics;
mod report;
#[cfg(feature = "sqlite")]
mod run_prefixes;
#[cfg(feature = "sqlite")]
mod run_tail;
mod terminal;
mod timeline;
#[cfg(feature = "sqlite")]
mod why;

#[cfg(feature = "sqlite")]
pub(crate) use durations::{brief, plural};
#[cfg(any(feature = "cli", feature = "dashboard"))]
pub(crate) use durations::{ms, offset, percentile};
#[cfg(feature = "sqlite")]
pub(crate) use feed::{Feed, FeedEvent, Loss, NodeProgress, Receiver, RunEvent, Runs, TakeResult, WatchedRun};
#[cfg(feature = "dashboard")]
pub(crate) use history::rank;
pub(crate) use history::{Activity, CallbackHistory, FailedAttempt, NodeHistory, RunHistory, Span};
#[cfg(feature = "dashboard")]
pub(crate) use metrics::PrometheusPage;
pub use metrics::{Histogram, NodeMetrics, RunMetrics, SensorMetrics};
pub use report::{CallbackReport, NodeReport, RunReport};
#[cfg(feature = "sqlite")]
pub(crate) use run_prefixes::RunPrefixes;
#[cfg(feature = "dashboard")]
pub(crate) use run_tail::PlanCache;
#[cfg(feature = "sqlite")]
pub(crate) use run_tail::{HistoryError, RunTail};
pub(crate) use terminal::{harmless, harmless_json, one_line, print_error};
#[cfg(feature = "dashboard")]
pub(crate) use why::time_of_day;
#[cfg(feature = "sqlite")]
pub(crate) use why::{DueInterval, Explanation, Hold, TURN, TURN_OF_NOBODY, TakenSlots, Waits, of_queued};
