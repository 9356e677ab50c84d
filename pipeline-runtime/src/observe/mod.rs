//! The observable side of runs: their history, folded from their records, and its presentation.

#[cfg(feature = "sqlite")]
mod durations;
#[cfg(feature = "sqlite")]
mod feed;
#[cfg(feature = "sqlite")]
mod followed;
mod history;
#[cfg(feature = "sqlite")]
pub(crate) mod logs;
mod metrics;
#[cfg(feature = "sqlite")]
mod names;
mod report;
mod terminal;
mod timeline;
#[cfg(feature = "sqlite")]
mod why;

#[cfg(feature = "sqlite")]
pub(crate) use durations::{brief, plural};
#[cfg(any(feature = "cli", feature = "dashboard"))]
pub(crate) use durations::{ms, offset, percentile};
#[cfg(feature = "sqlite")]
pub(crate) use feed::{After, Event, Feed, Lost, News, Receiver, Runs, Taken, WatchedRun};
#[cfg(feature = "dashboard")]
pub(crate) use followed::Plans;
#[cfg(feature = "sqlite")]
pub(crate) use followed::{Followed, HistoryError};
#[cfg(feature = "dashboard")]
pub(crate) use history::rank;
pub(crate) use history::{CallbackHistory, FailedAttempt, NodeHistory, RunHistory, Span, Work};
#[cfg(feature = "dashboard")]
pub(crate) use metrics::Page;
pub use metrics::{Histogram, NodeMetrics, RunMetrics, SensorMetrics};
#[cfg(feature = "sqlite")]
pub(crate) use names::Names;
pub use report::{CallbackReport, NodeReport, RunReport};
pub(crate) use terminal::{harmless, harmless_json, one_line, print_error};
#[cfg(feature = "sqlite")]
pub(crate) use why::{Due, Hold, Pools, TURN, TURN_OF_NOBODY, Waits, Why, of_queued};
