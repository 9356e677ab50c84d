//! What can be seen of runs: their history, told from their records, and how it is drawn.

mod feed;
mod followed;
mod history;
pub(crate) mod logs;
mod metrics;
mod names;
mod report;
mod terminal;
mod timeline;

pub(crate) use feed::{After, Event, Feed, Lost, News, Receiver, Runs, Taken, WatchedRun};
pub(crate) use followed::{Followed, HistoryError};
pub(crate) use history::{CallbackHistory, NodeHistory, RunHistory, Span, Trouble, Work};
pub use metrics::{Histogram, NodeMetrics, RunMetrics, SensorMetrics};
pub(crate) use names::Names;
pub use report::{CallbackReport, NodeReport, RunReport};
pub(crate) use terminal::{harmless, harmless_json, one_line, print_error};
